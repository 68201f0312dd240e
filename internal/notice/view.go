package notice

import (
	"slices"
	"time"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/diagnose"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// view is an outcome with what its notice, its metrics and its audit line need
// to know of it. All of it is derived once, by [newView], so that no two of them
// can come to different answers.
type view struct {
	decide.Outcome

	rounds  []decide.Round // up to the one that the outcome tells about
	latest  decide.Round   // that one; zero unless ofBuild
	ofBuild bool           // the outcome is about a build
	acted   []decide.Round // those of rounds that wrote something or started a build

	// plan is what the notice is about: see [view.choosePlan]; zero unless planned.
	plan     decide.Plan
	planned  bool
	planHash string // of the latest round's own plan, which an approval names; "" if it has none

	observed    bool // nothing was done: it tells what mode heal would have done
	unread      bool // the healer could not read the build
	takenBack   bool // something that was done was undone
	standing    bool // there is a change that an undo would take back
	ineffective bool // the healer itself undid a change that did not help
	unsent      *decide.Unsent
	beyondScope bool          // the plan gives something to more than the grant's scope
	inCode      bool          // observed, since a file of a repository owns the role's policy
	timeToHeal  time.Duration // see [healTime]
	requests    []decide.Request
	through     bool   // the build was started again, or would be, since IAM allows what these ask for
	rerun       bool   // a job is run again at GitHub, or would be, in the place of the build
	orphan      bool   // it tells of a job that waits for a runner
	runAgain    string // how a person has the job run again that the build ran for a code host; "" if it ran none
}

// newView derives the view of an outcome.
func newView(o decide.Outcome) *view {
	v := &view{Outcome: o, rounds: o.Case.Rounds[:min(max(o.Round+1, 0), len(o.Case.Rounds))]}
	if o.Round >= 0 && o.Round < len(o.Case.Rounds) {
		v.latest, v.ofBuild = o.Case.Rounds[o.Round], true
	}
	v.acted = slices.DeleteFunc(slices.Clone(v.rounds), func(r decide.Round) bool {
		return r.Old || r.Decision == nil || r.Decision.Plan == nil || r.Written.IsZero() && r.RetryAt.IsZero()
	})
	if p := v.choosePlan(); p != nil {
		v.plan, v.planned = *p, true
	}
	r, d := v.latest, v.latest.Decision
	if d != nil && d.Plan != nil {
		v.planHash = d.Plan.Hash()
		v.observed = o.Kind == decide.Reported && d.Mode == settings.Observe
		v.inCode = v.observed && d.Plan.Write != nil && d.Plan.Write.Kind == guardrail.Code
	}
	v.rerun = v.planned && v.plan.Route == decide.RouteJob
	v.orphan = v.ofBuild && r.Orphan != nil
	v.runAgain = v.howToRunAgain()
	v.unread = v.ofBuild && !v.orphan && o.Kind == decide.Reported && r.Diagnosis == nil && d == nil && r.Build.ServiceRole == ""
	v.ineffective = d != nil && d.Undo > 0
	if v.ineffective && o.Kind == decide.Undone {
		v.unsent = d.Unsent
	}
	v.beyondScope = d != nil && len(d.Unscoped) > 0 && (o.Kind == decide.Proposed || o.Kind == decide.Requested)
	v.standing = slices.ContainsFunc(v.rounds, func(r decide.Round) bool {
		return r.Decision != nil && r.Decision.Plan != nil && !r.Written.IsZero() && r.Undone.IsZero() &&
			(r.Decision.Plan.Write != nil || r.Decision.Plan.NewRole != "")
	})
	v.takenBack = slices.ContainsFunc(v.acted, func(r decide.Round) bool { return !r.Undone.IsZero() && !r.Permanent })
	v.timeToHeal = v.healTime()
	v.requests = v.requested()
	v.through = v.isThrough()
	return v
}

// howToRunAgain says how the job is run again that the build ran for a code host.
func (v *view) howToRunAgain() string {
	b, r := v.latest.Build, v.latest
	if !v.ofBuild || v.orphan || r.Diagnosis == nil {
		return ""
	}
	var p settings.Project
	if v.Settings != nil {
		p, _ = v.Settings.Project(v.Case.Project, v.Case.Account, v.Case.Region, v.Home)
	}
	if !guardrail.Runner(b, p) {
		return ""
	}
	return decide.RunAgain(v.Settings, p, b, r.Job)
}

// runURL is the page of the run of the round's job; "" if none is known. It is of the settings' host and
// repository, or the record's; a log gives at most the number.
func (v *view) runURL() string {
	if !v.ofBuild || v.Settings == nil {
		return ""
	}
	r, host := v.latest, ""
	if g := v.Settings.Code.GitHub; g != nil {
		host = g.Host
	}
	switch {
	case r.Orphan != nil:
		return r.Orphan.URL(host)
	case v.rerun && v.plan.Job != nil:
		return v.plan.Job.URL(host)
	}
	p, _ := v.Settings.Project(v.Case.Project, v.Case.Account, v.Case.Region, v.Home)
	return decide.RunURL(v.Settings, p, r.Build, r.Job)
}

// anotherRole is the role that the plan is about, or without one the denials, if that is not the
// build's own but another one of its deployment.
func (v *view) anotherRole() (codebuild.Role, bool) {
	if v.planned || v.latest.Diagnosis == nil || v.Settings == nil {
		return anotherRole(v.plan, v.latest.Build)
	}
	p, _ := v.Settings.Project(v.Case.Project, v.Case.Account, v.Case.Region, v.Home)
	f := decide.Facts{Project: p, Build: v.latest.Build, Diagnosis: *v.latest.Diagnosis}.InHand()
	r, ok := f.RoleInHand()
	return r, ok && f.Project.IsFor()
}

func anotherRole(p decide.Plan, b codebuild.Build) (codebuild.Role, bool) {
	r, own := p.Changes(), ""
	if role, ok := b.Role(); ok {
		own = role.Name
	}
	return r, r.Name != "" && own != "" && r.Name != own && p.NewRole == "" && p.OldRole == ""
}

// heldBack is what a person took back from the case, each once, if this notice
// tells so.
func (v *view) heldBack() (out []decide.Hold) {
	if v.Kind != decide.Undone || v.ineffective {
		return nil
	}
	for _, r := range v.rounds {
		if !r.ByPerson || r.Undone.IsZero() {
			continue
		}
		for _, h := range v.Case.HeldBy(r) {
			if !slices.Contains(out, h) {
				out = append(out, h)
			}
		}
	}
	return out
}

// choosePlan prefers the last change to a later retry that only waited for it
// to take effect: the change is what the reader wants to know. A plan that was
// not done is told of itself, whatever was done before; and what was undone is
// told of only where that is the news.
func (v *view) choosePlan() *decide.Plan {
	d := v.latest.Decision
	planned := slices.Contains([]decide.Kind{decide.Proposed, decide.Requested, decide.Reported, decide.MadePermanent}, v.Kind) &&
		d != nil && d.Plan != nil
	if !planned && v.Kind != decide.Retrying {
		var last *decide.Plan
		for _, r := range slices.Backward(v.acted) {
			switch {
			case !r.Undone.IsZero() && (v.Kind != decide.Undone || r.Permanent): // nobody has it any more
			case r.Decision.Plan.Remedy != diagnose.Retry:
				return r.Decision.Plan
			case last == nil:
				last = r.Decision.Plan
			}
		}
		if last != nil {
			return last
		}
		if len(v.acted) > 0 || v.Kind == decide.Failed {
			return nil
		}
	}
	if v.latest.Decision != nil {
		return v.latest.Decision.Plan
	}
	return nil
}

// healTime is from the end of the build that failed first to the end of the
// one that turned green; where the ledger does not have them, from the case's
// opening, to its closing or now.
func (v *view) healTime() time.Duration {
	from, to := v.Case.Opened, v.Case.Closed
	if to.IsZero() {
		to = v.At
	}
	for _, r := range v.rounds {
		if !r.Old && !r.Build.End.IsZero() {
			from = r.Build.End
			break
		}
	}
	if !v.latest.Ended.IsZero() {
		to = v.latest.Ended
	}
	if from.IsZero() {
		return 0
	}
	return max(to.Sub(from), 0)
}

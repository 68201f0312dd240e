package decide

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/diagnose"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// Lead is what the case of another build means for one that is suspected to have
// failed of the same cause.
type Lead string

// What there is.
const (
	LeadOpen  Lead = "open"  // it has not ended, nor come past the point: wait
	LeadCured Lead = "cured" // its change holds and helped: start this build again, too
	LeadNone  Lead = "none"  // it says nothing about this build, which is decided by its own log
)

// MayFollow reports whether a build of which nothing but its record is known may
// wait for the cure of another one: it is the first of its case, the team asked
// for it, and RetryBuild alone would start it again (AWS.md#retry-route).
func MayFollow(f Facts) bool {
	// What is asked for in code may take days, and of many builds only the newest is started then.
	return f.Project.Mode == settings.Heal && f.Project.SwitchRole == "" && !f.Project.Write.Code.Set() &&
		route(f) == RouteBuild && !f.Build.OfBatch() && len(f.Earlier) == 0 && !f.Replayed && !f.Build.End.IsZero() && untrusted(f) == nil
}

// Follow decides about a build by the case of another one that failed at the same
// point, or with the same fingerprint: its own log need not be read, and nothing
// is given to anybody. If [LeadCured], the decision only starts the build again, and
// the diagnosis says by what. For anything else both are empty.
//
// A build follows only what stands: a change of its own role, no part of it only for another
// project's builds, that was made after it had failed, helped, and was neither undone
// nor has ended, while a person holds nothing of it back and nothing is paused. It helped
// if the leader's build is green, failed at another point, or runs and is past this one.
func Follow(f Facts, leader Case) (Decision, diagnose.Diagnosis, Lead) {
	no := func(l Lead) (Decision, diagnose.Diagnosis, Lead) { return Decision{}, diagnose.Diagnosis{}, l }
	at := f.Build.At()
	if !MayFollow(f) || leader.ID == f.Case || leader.Account != at.Account || leader.Region != at.Region {
		return no(LeadNone)
	}
	_, beyond := leader.Beyond()
	if leader.Closed.IsZero() && !beyond {
		return no(LeadOpen)
	}
	i := cureFor(f, leader)
	switch {
	case beyond && (i < 0 || i < len(leader.Rounds)-1 && !leader.passed(i)):
		return no(LeadOpen) // what it is past is another point
	case i < 0 || !beyond && leader.Outcome != Healed && !leader.passed(i):
		return no(LeadNone)
	}
	r := leader.Rounds[i]
	if f.Paused != "" || len(held(f, idsOf(r.Decision.Used)...)) > 0 || len(limits(f, false)) > 0 {
		return no(LeadNone)
	}
	d := Decision{Mode: f.Project.Mode, Remedy: diagnose.Retry, Settings: f.Settings.SHA256, Follows: leader.ID,
		Silent: beyond || leader.Outcome == Healed, Beyond: beyond, Plan: newPlan(f, diagnose.Retry)}
	d.Why = fmt.Sprintf("Build %s failed at the same point, and what it lacked was given to their role.", r.Build.ID)
	if d = withinZeros(f, d); d.Plan == nil {
		return no(LeadNone)
	}
	return d, followed(f, leader, r), LeadCured
}

// cureFor finds the newest round of the leader whose change f's build failed for
// want of, as far as can be told; -1 if there is none.
func cureFor(f Facts, leader Case) int {
	role, _ := f.InHand().RoleInHand()
	point := Point(f.Build)
	for i, r := range slices.Backward(leader.Rounds) {
		if r.Old || r.Partly || !r.Stands() || r.Decision == nil || r.Decision.Plan == nil || r.Decision.Plan.Write == nil ||
			r.Decision.Plan.Role != role.ARN() || !f.Build.End.Before(r.Written) ||
			leader.Project != f.Project.Name && ownPart(f, *r.Decision) {
			continue
		}
		same := point != "" && Point(r.Build) == point ||
			f.Diagnosis.Fingerprint != "" && r.Diagnosis != nil && r.Diagnosis.Fingerprint == f.Diagnosis.Fingerprint
		ended := slices.ContainsFunc(r.Decision.Plan.Ends, func(e End) bool { return !e.At.IsZero() && !e.At.After(f.Now) })
		if same && !ended {
			return i
		}
	}
	return -1
}

// ownPart reports whether something of what the decision gives is for the builds of its own project only.
func ownPart(f Facts, d Decision) bool {
	return d.Plan.Scoped || slices.ContainsFunc(idsOf(d.Used), func(id string) bool {
		g, _ := f.Settings.Grant(id)
		return g.Scoped() && !slices.Contains(d.Unscoped, id)
	})
}

// passed reports whether a build that round i led to failed at another point than
// the round's own: its change helped so far.
func (c Case) passed(i int) bool {
	was := c.Rounds[i]
	next := was.Retry
	for _, r := range c.Rounds[i+1:] {
		if next == "" || r.Build.ID != next {
			continue
		}
		if r.Diagnosis != nil && was.Diagnosis != nil && r.Diagnosis.Fingerprint != was.Diagnosis.Fingerprint &&
			Point(r.Build) != Point(was.Build) {
			return true
		}
		next = r.Retry
	}
	return false
}

// followed is the diagnosis of a build that follows another one: its own, if its
// log was read, else that of the other one, without anything that only a log can
// say.
func followed(f Facts, leader Case, r Round) diagnose.Diagnosis {
	if f.Diagnosis.Cause != "" {
		return f.Diagnosis
	}
	d := diagnose.Diagnosis{Cause: "unknown", Remedy: diagnose.Grant, Denials: []buildlog.Denial{}, Excerpt: []buildlog.Line{}}
	if g := r.Diagnosis; g != nil {
		d.Cause, d.Title, d.Remedy, d.Advice = g.Cause, g.Title, g.Remedy, g.Advice
	}
	d.Title = cmp.Or(d.Title, "The role lacked a permission")
	d.Evidence.Text = fmt.Sprintf("not read: the build failed at the same point as build %s of case %s", r.Build.ID, leader.ID)
	switch {
	case leader.Closed.IsZero():
		d.Evidence.Text += ", which was started again and came past it at " + r.Beyond.UTC().Format("2006-01-02 15:04 UTC")
	case leader.Outcome == Healed:
		d.Evidence.Text += ", which is green since " + leader.Closed.UTC().Format("2006-01-02 15:04 UTC")
	}
	return d
}

// Vain refuses to do for f's build, which has waited for the leader's cure, what
// did not help the leader: the same failure, of the same denials. d is what was
// decided about it.
func Vain(f Facts, d Decision, leader Case) Decision {
	if d.Plan == nil && !d.Waits || leader.Closed.IsZero() || leader.Outcome == Healed {
		return d
	}
	for i, r := range slices.Backward(leader.Rounds) {
		if r.Old || r.Written.IsZero() || r.Diagnosis == nil || r.Diagnosis.Fingerprint != f.Diagnosis.Fingerprint ||
			!slices.Equal(r.denied(), denialKeys(f.Diagnosis)) || leader.passed(i) {
			continue
		}
		d.Used, d.Waits, d.Asks = nil, false, false
		return Refuse(d, "The same cure did not help another build.", guardrail.Refusal{Rule: guardrail.CureDidNotHelp,
			Message: fmt.Sprintf("Build %s failed of the same, was given the same, and failed again (case %s), so neither a grant nor "+
				"another start is tried for this build. Look at that case first%s. Once what denies it is gone, replay this build.",
				r.Build.ID, leader.ID, linkTo(r.Build))})
	}
	return d
}

// linkTo names where a build is, for a person who looks for it.
func linkTo(b codebuild.Build) string {
	if b.ARN == "" {
		return ""
	}
	return " (" + b.ARN + ")"
}

package decide

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/diagnose"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// Facts is all that [Decide] knows. Facts that were not gathered, because
// the diagnosis does not need them, are nil.
type Facts struct {
	Settings  *settings.Settings
	Home      settings.Account
	Project   settings.Project // see [Facts.InHand]
	Build     codebuild.Build
	Diagnosis diagnose.Diagnosis
	Case      string
	Earlier   []Round // the case's rounds before this one
	Replayed  bool    // a person asked for this round

	Role   *guardrail.RoleState // of the role that is in hand
	Before []guardrail.Answer   // to guardrail.Questions of the same facts
	// AnswersUnkeyed are the simulator's to [Facts.Unkeyed]; nil if it was not asked.
	AnswersUnkeyed []guardrail.Answer
	// Offered is what [Offered] says of Earlier; Settings are as they are with that approved.
	Offered *Unsent
	Trail   []bool // per causal denial: CloudTrail has confirmed it
	// Recorded says per causal denial what AWS's own record of the request says of it.
	Recorded []guardrail.Recorded

	Wrote        time.Time // when the healer last wrote the role, for whichever case; zero: never, or not asked
	PullRequests guardrail.PullRequestBuilds
	ProjectRole  string // ARN of the project's present role; only if settings name a role to switch to
	// Unrepeatable names the settings that the build had and a new build of its
	// project could not be given; only if [StartsAnew].
	Unrepeatable []string
	Paused       string // why writing has stopped; "" if it has not
	Held         []Hold // what persons took back from the project, its role or its managed policy
	// Known is what is remembered of the tests that failed; nothing for a build that is not the
	// team's.
	Known []TestHistory
	// Printed is what the build's log shows of the job that it ran; nil: nothing. Job is what the code host
	// says of it; only if [AsksForJob].
	Printed *buildlog.Job
	Job     JobFound
	// Requests are those that the round has made; if there are any, Newer is a build that makes it wrong
	// to start this one again: see [Newer].
	Requests []Request
	Newer    string
	// Waited: the build has waited for the end of an incident; Newer is asked for then, too.
	Waited bool
	// FlakyBefore: the commit was started again for flaky tests on an earlier day, of which Earlier
	// says nothing.
	FlakyBefore bool
	Self        Self
	Now         time.Time // from which grants that end count
}

// Causal gives the denials that failed the build.
func (f Facts) Causal() []buildlog.Denial { return causal(f.Diagnosis) }

func causal(d diagnose.Diagnosis) []buildlog.Denial {
	var out []buildlog.Denial
	for _, d := range d.Denials {
		if d.Causal {
			out = append(out, d)
		}
	}
	return out
}

// InHand are the facts about the role that the denials are about: if a grant could cure them, Project
// stands for that role then. Whoever gathers facts about a role asks this first.
func (f Facts) InHand() Facts {
	f.Project = f.Project.Whole()
	if f.Diagnosis.Remedy == diagnose.Grant {
		f.Project = guardrail.InHand(f.Project, f.Build, f.Causal())
	}
	return f
}

// RoleInHand is the role that may be changed.
func (f Facts) RoleInHand() (codebuild.Role, bool) { return guardrail.RoleInHand(f.Build, f.Project) }

// Judged is the input for the guardrails.
func (f Facts) Judged() guardrail.Input {
	in := guardrail.Input{Settings: f.Settings, Project: f.Project, Build: last(f.lineage()), Denials: f.Causal(),
		Before: f.Before, Trail: f.Trail, Recorded: f.Recorded, Now: f.Now, Healer: f.Self.Parts, Source: f.Self.Source,
		Given: pieces(f.Earlier), Qualifier: f.Self.Qualifier, PullRequests: f.PullRequests}
	if f.Role != nil {
		in.Role = *f.Role
	}
	return in
}

// Decide chooses what to do about a failure. It is pure, and it never emits a
// statement outside the settings: only [guardrail.Judge] says what may be
// granted. Modes do not change what is chosen, only what is done about it, so
// that observe shows exactly what heal would do.
func Decide(f Facts) Decision {
	f = f.InHand()
	return withinZeros(f, noRunner(f, onlyListed(f, decide(f))))
}

func decide(f Facts) Decision {
	d := Decision{Mode: f.Project.Mode, Remedy: f.Diagnosis.Remedy, Settings: f.Settings.SHA256}
	if f.Build.Action != nil {
		return ofAction(f, d)
	}
	switch d.Remedy {
	case diagnose.Grant:
		if f.Build.OfBatch() {
			return ofBatch(f, d)
		}
		if f.Project.SwitchRole != "" {
			return switchRole(f, d)
		}
		return grant(f, d)
	case diagnose.Retry:
		return retry(f, d)
	case diagnose.OverrideBuildspec:
		return overrideBuildspec(f, d)
	case diagnose.CreateRepository:
		return createRepository(f, d)
	case diagnose.Ignore:
		d.Why = "There is nothing to do."
		return d
	default:
		d.Remedy = diagnose.Report
		if d, ok := retryFlaky(f, d); ok {
			return d
		}
		if rs := ofOthers(f); len(rs) > 0 {
			return Refuse(d, "The denial is explained, and nothing is granted.", rs...)
		}
		d.Why = "Only a person can cure this."
		return d
	}
}

// ofOthers says of each denial that failed the build, and that the text gives to somebody else,
// whose it is.
func ofOthers(f Facts) []guardrail.Refusal {
	in := f.Judged()
	var rs []guardrail.Refusal
	for _, r := range guardrail.Identify(in) {
		switch r.Rule {
		case guardrail.OtherAccount, guardrail.OtherPrincipal, guardrail.OtherBuild:
			rs = append(rs, r)
		}
	}
	if r := guardrail.RefuseUntrusted(in.Build, in.Project); r != nil && len(rs) > 0 {
		rs = append([]guardrail.Refusal{*r}, rs...)
	}
	return rs
}

func newPlan(f Facts, r diagnose.Remedy) *Plan {
	p := &Plan{Case: f.Case, Build: f.Build.ID, Project: f.Build.Project, Remedy: r, Route: route(f)}
	if role, ok := f.RoleInHand(); ok {
		p.Role = role.ARN()
	}
	return p
}

// route chooses how the build is started again, in the order of
// AWS.md#retry-route.
func route(f Facts) Route {
	b := f.Build
	switch {
	case !f.Project.Retry:
		return RouteNone
	case b.AskedPipeline() != "": // of a batch's builds, the batch: its action is what the stage runs again
		return RouteStage
	case b.BatchARN != "":
		return RouteBatch
	case b.AutoRetry.Pending():
		return RouteCodeBuild
	}
	return RouteBuild
}

func Refuse(d Decision, why string, rs ...guardrail.Refusal) Decision {
	d.Plan, d.Flaky, d.Refusals, d.Why = nil, 0, append(d.Refusals, rs...), why
	return d
}

// limits are the refusals that apply to anything that starts a build, or, if
// mutates, changes something else.
func limits(f Facts, mutates bool) []guardrail.Refusal {
	var rs []guardrail.Refusal
	byHand := "Start the build by hand"
	if guardrail.Runner(f.Build, f.Project) {
		byHand = "Run the job again at the code host"
	}
	spared := spared(f)
	started := retries(f.Earlier) - spared
	switch n := f.Settings.Limits.Rounds; {
	case n == 0:
		rs = append(rs, guardrail.Refusal{Rule: guardrail.RoundsUsedUp, Message: "limits.rounds is 0, so no build is " +
			"started again and nothing is changed for one. " +
			byHand + " once the cause is cured, or raise limits.rounds."})
	case started >= n:
		besides := ""
		if spared > 0 {
			besides = fmt.Sprintf(" (besides %d for an incident, which do not count)", spared)
		}
		rs = append(rs, guardrail.Refusal{Rule: guardrail.RoundsUsedUp, Message: fmt.Sprintf(
			"This commit was already started again %d times%s, and limits.rounds is %d. %s once the cause is cured, or "+
				"raise limits.rounds.", started, besides, n, byHand)})
	}
	if mutates && f.Paused != "" {
		rs = append(rs, guardrail.Refusal{Rule: guardrail.Paused, Message: f.Paused})
	}
	if mutates {
		if r := untrusted(f); r != nil {
			rs = append(rs, *r)
		}
	}
	return rs
}

// withinZeros refuses a plan for which the settings have a limit of 0. How much of any other limit
// is used up only the ledger knows; that there is nothing to use is known here, so that no plan is
// proposed or shown that can never be carried out.
func withinZeros(f Facts, d Decision) Decision {
	l, starts := f.Settings.Limits, d.Plan != nil && d.Plan.Route != RouteNone && d.Plan.Route != RouteCodeBuild
	var rs []guardrail.Refusal
	for _, b := range []struct {
		used  bool
		limit int
		rule  guardrail.Rule
		text  string
	}{
		{d.Mutates(), l.WritesRole, guardrail.WritesPerRole, "limits.writes_per_role_per_day is 0, so no role is changed."},
		{d.Mutates(), l.WritesHour, guardrail.WritesPerHour, "limits.writes_per_hour is 0, so nothing is changed."},
		{starts, l.RetriesHour, guardrail.RetriesPerHour, "limits.retries_per_hour is 0, so no build is started again."},
	} {
		if b.used && b.limit == 0 {
			rs = append(rs, guardrail.Refusal{Rule: b.rule, Message: b.text + " Raise the limit, or act by hand."})
		}
	}
	if len(rs) == 0 {
		return d
	}
	d.Used = nil
	return Refuse(d, "The settings leave no room for it.", rs...)
}

func overBudget(f Facts, d Decision, rs []guardrail.Refusal) Decision {
	if f.Settings.Limits.Rounds == 0 {
		return Refuse(d, "The settings leave no room for another build of a commit.", rs...)
	}
	return Refuse(d, "The budget of this commit is used up.", rs...)
}

// lineage are the builds that led to the failed one, which is the last: each was
// started again by the round of the one before it. A build that names the healer
// as its initiator has that one's root, since its own record says nothing more,
// and perhaps names only a bare commit. One that does not, although a round took
// it for its own, is judged by its own record as well.
func (f Facts) lineage() []codebuild.Build {
	bs := []codebuild.Build{f.Build}
	for _, r := range slices.Backward(f.Earlier) {
		if r.Retry == bs[0].ID { // else it is of another build of the commit
			bs = slices.Insert(bs, 0, r.Build)
		}
	}
	for i := 1; i < len(bs); i++ {
		if b := &bs[i]; !b.Derived() && f.Self.Started(f.Home, *b) {
			root := bs[i-1].Asked()
			b.Root = &root
		}
	}
	return bs
}

func last[T any](list []T) T { return list[len(list)-1] }

// untrusted is the refusal for a build that the team did not ask for, or that
// repeats one.
func untrusted(f Facts) *guardrail.Refusal {
	bs := f.lineage()
	for _, b := range bs {
		if refusal := guardrail.RefuseUntrusted(b, f.Project); refusal != nil {
			return refusal
		}
	}
	if !unknownRepeat(f, bs[0]) {
		return nil
	}
	return &guardrail.Refusal{Rule: guardrail.UntrustedBuild,
		Message: "The healer itself started the build, and there is no record left of which build it repeats: it may " +
			"be one of a pull request. So nothing is changed. Start the build by a push, a pipeline or by hand."}
}

// unknownRepeat reports whether the function itself asked for the build, of
// which no round knows: whatever it names, it may repeat anything. At a desk, a
// person starts builds.
func unknownRepeat(f Facts, b codebuild.Build) bool {
	b.Initiator = b.Asked().Initiator
	return f.Self.Function != "" && f.Self.Started(f.Home, b)
}

func retries(rs []Round) (n int) {
	for _, r := range rs {
		if r.Retry != "" || r.Step == StepRetried || (r.Step == StepDone && !r.RetryAt.IsZero()) {
			n++
		}
	}
	return n
}

func grant(f Facts, d Decision) Decision {
	j := guardrail.Judge(f.Judged())
	if rs := limits(f, true); len(rs) > 0 && retries(f.Earlier) == 0 {
		// No change of ours may have to be undone: explain everything at once.
		return Refuse(d, "The denial is explained, and nothing is granted.",
			append(merge(rs, j.Refusals), held(f, idsOf(j.Used)...)...)...)
	}
	again := sameAgain(f)
	switch {
	case j.NeedsTrail:
		d.Waits, d.Refusals = true, j.Refusals
		d.Why = "The grant requires CloudTrail to show the denial, and it does not show it yet."
		return d
	case len(j.Refusals) > 0:
		return Refuse(d, "The denial is explained, and nothing is granted.", j.Refusals...)
	case j.Allowed && beforeItShowed(f):
		return unshownYet(f, d)
	case j.Allowed:
		return allowedAlready(f, d, again)
	}
	if t := j.Target; t.Kind != guardrail.Attach && t.Before == t.After {
		return writtenAlready(f, d, again)
	}
	if rs := held(f, idsOf(j.Used)...); len(rs) > 0 {
		return Refuse(d, "The settings allow what was denied, and a person took it back.", rs...)
	}
	if rs := limits(f, true); len(rs) > 0 {
		return overBudget(f, d, rs)
	}
	if r := takenBack(f); r != nil {
		return Refuse(d, "What the settings allow was given to this commit before, and taken back.", *r)
	}
	d.Used = j.Used
	d.Plan = newPlan(f, diagnose.Grant)
	d.Plan.Write, d.Plan.Proof, d.Plan.Ends = j.Target, j.Proof, ends(f.Settings, j.Used)
	d.Plan.Scoped, d.Plan.PullRequests = j.Scoped(), pullRequests(f)
	if !d.Plan.Scoped {
		d.Plan.Holders = holders(f)
	}
	if beforeFirstCommand(f.Build) {
		d.Plan.Settle = f.Settings.Limits.Settle
	}
	d.Why = "The settings allow what was denied: " + grantNames(j.Used) + "."
	d.Pieces = j.Pieces
	d.Plan.Requests = requests(f, j.Used)
	if t := j.Target; t.Kind == guardrail.Code {
		d.Why += " The role's policy is owned by " + t.Name + ", so nothing is written in IAM: it is asked for there."
	}
	why := strings.TrimSpace(j.Offer + " " + j.Ask)
	if d.Unscoped = beyondScope(f, j); len(d.Unscoped) > 0 {
		why = strings.TrimSpace(fmt.Sprintf("%s may not send %s, so what %s gives of it is offered for everybody who runs as the "+
			"role. %s", f.Offered.Service, settings.ProjectKey, "grant "+strings.Join(d.Unscoped, ", "), why))
	}
	if why != "" {
		d.Asks, d.Why = true, why
	}
	return d
}

// maxHolders bounds the projects that a plan names.
const maxHolders = 10

// holders names the other projects that have what the project is given.
func holders(f Facts) (names []string) {
	for _, q := range settings.SharingOf(f.Settings, f.Home).Holders(f.Project) {
		if q.Name != f.Project.Name || q.Account != f.Project.Account || q.Region != f.Project.Region {
			names = append(names, q.Name)
		}
	}
	if n := len(names) - maxHolders; n > 1 {
		names = append(names[:maxHolders], fmt.Sprintf("%d more", n))
	}
	return names
}

// pullRequests says whether builds of pull requests have what the role is given.
func pullRequests(f Facts) PullRequests {
	switch {
	case f.Project.PullRequests == settings.Accept:
		return PullRequestsAccepted
	case len(f.PullRequests.Built) > 0:
		return PullRequestsBuilt
	case !f.PullRequests.Read || f.PullRequests.Unread != "":
		return PullRequestsUnknown
	}
	return PullRequestsNone
}

// writtenAlready is for a denial that the simulator confirms, although the policy
// has all that the settings give.
func writtenAlready(f Facts, d Decision, again int) Decision {
	switch i := lastWrite(f.Earlier, again); {
	case i >= 0:
		return undo(d, i)
	case again < 2 && f.wroteSince(f.Build):
		return unsettledYet(f, allowedAlready(f, d, again))
	}
	return Refuse(d, "What the settings allow is written already, and the simulator still says that it is denied.",
		guardrail.Refusal{Rule: guardrail.AlreadyThere,
			Message: "The policy has everything that the grants give, and the call is still denied: look for a " +
				"permissions boundary, a service control policy or a condition that denies it."})
}

// pieces counts the resources that the rounds gave one by one.
func pieces(rs []Round) (n int) {
	for _, r := range rs {
		if r.Decision != nil && !r.Written.IsZero() {
			n += r.Decision.Pieces
		}
	}
	return n
}

// ends says how long the grants last that do not last for good.
func ends(s *settings.Settings, us []guardrail.Used) (out []End) {
	for _, u := range us {
		if g, ok := s.Grant(u.Grant); ok && !u.Expires.IsZero() {
			out = append(out, End{Grant: u.Grant, Lasts: g.Expires, At: u.Expires})
		}
	}
	return out
}

func merge(a, b []guardrail.Refusal) []guardrail.Refusal {
	for _, r := range b {
		if !slices.ContainsFunc(a, func(x guardrail.Refusal) bool {
			return x.Rule == r.Rule && x.Action == r.Action && x.Resource == r.Resource
		}) {
			a = append(a, r)
		}
	}
	return a
}

func grantNames(us []guardrail.Used) string {
	var ids []string
	for _, u := range us {
		ids = append(ids, u.Grant)
	}
	return "grant " + strings.Join(ids, ", ")
}

// beforeFirstCommand reports whether the build failed before its first command:
// so soon after its start that IAM may not show a change by then (AWS.md#consistency).
func beforeFirstCommand(b codebuild.Build) bool {
	p, ok := b.FailedPhase()
	return ok && slices.Contains([]string{"SUBMITTED", "QUEUED", "PROVISIONING", "DOWNLOAD_SOURCE"}, p.Type)
}

// sameAgain counts the rounds just before this one that failed because of the
// same denials. Rounds before a replay do not count: a person who replays a build
// says that something has changed.
func sameAgain(f Facts) (n int) {
	now, replayed := denialKeys(f.Diagnosis), f.Replayed
	for i := len(f.Earlier) - 1; i >= 0 && !replayed; i-- {
		r := f.Earlier[i]
		if r.Diagnosis == nil || r.RetryAt.IsZero() || !slices.Equal(r.denied(), now) {
			break
		}
		n, replayed = n+1, !r.Replayed.IsZero()
	}
	return n
}

// takenBack is the refusal to repeat a change that was made for one of the same
// denials and undone because it did not help. Only a person may ask for it again.
func takenBack(f Facts) *guardrail.Refusal {
	if f.Replayed {
		return nil
	}
	now := denialKeys(f.Diagnosis)
	for _, r := range slices.Backward(f.Earlier) {
		same := r.Diagnosis != nil && slices.ContainsFunc(r.denied(), func(k string) bool { return slices.Contains(now, k) })
		if d := r.Decision; d != nil && f.Offered != nil && same {
			switch {
			case d.Unsent != nil:
				return nil // what is given now is another thing, and only if a person approves it
			case len(d.Unscoped) > 0 && r.Written.IsZero():
				return &guardrail.Refusal{Rule: guardrail.TakenBack, Message: "It was offered for the whole role already, " +
					"and not approved. Replay the build to have it offered again."}
			}
		}
		if r.Written.IsZero() || !same {
			continue
		}
		if r.Undone.IsZero() || r.ByPerson || r.Permanent {
			return nil // it was asked for again since; a person's undo holds until it is lifted, see Hold
		}
		return &guardrail.Refusal{Rule: guardrail.TakenBack, Message: fmt.Sprintf(
			"The change for this denial was made for the same commit and taken back at %s, so it is not made again "+
				"automatically. If it is wanted again, or what stood in its way is gone, replay the build.",
			r.Undone.UTC().Format("2006-01-02 15:04 UTC"))}
	}
	return nil
}

// denialKeys names the denials that failed a build, each once. More than are
// ever granted have one name together.
func denialKeys(d diagnose.Diagnosis) []string {
	var ks []string
	for _, d := range causal(d) {
		ks = append(ks, hashed(strings.ToLower(d.Action)+" "+d.Resource+ofAnother(d)))
	}
	slices.Sort(ks)
	if ks = slices.Compact(ks); len(ks) > maxKeptDenials {
		return []string{hashed(strings.Join(ks, " "))}
	}
	return ks
}

// ofAnother tells the denials of a role that no build runs as from those of the build, which names none
// of CodeBuild's sessions: the same may be denied to one and then to another.
func ofAnother(d buildlog.Denial) string {
	role, _, session := d.Owner()
	if session == "" || strings.HasPrefix(session, "AWSCodeBuild") || buildlog.Masked(role+session) {
		return ""
	}
	return " to " + role
}

// denied are the round's denials as [denialKeys] names them.
func (r *Round) denied() []string {
	if r.Denied != nil || r.Diagnosis == nil {
		return r.Denied
	}
	return denialKeys(*r.Diagnosis)
}

// lastWrite finds among the last n rounds the newest that changed something
// that still stands; -1 if none did.
func lastWrite(rs []Round, n int) int {
	for i := len(rs) - 1; i >= 0 && i >= len(rs)-n; i-- {
		if !rs[i].Written.IsZero() && rs[i].Undone.IsZero() && rs[i].Decision.Mutates() {
			return i
		}
	}
	return -1
}

// allowedAlready is for a denial that IAM's simulator does not confirm: either the
// permission was too new, or a layer that the simulator does not see denies.
func allowedAlready(f Facts, d Decision, again int) Decision {
	i := lastWrite(f.Earlier, again)
	switch {
	case i >= 0 && again >= 2:
		return undoUnsent(f, d, i)
	case i < 0 && again >= 1 && (again >= 2 || !f.wroteSince(f.Earlier[len(f.Earlier)-again].Build)):
		d.Remedy = diagnose.Report
		return Refuse(d, "IAM says that the role may do this, and it is denied again all the same: another layer "+
			"denies it (resource policy, VPC endpoint policy, session policy, resource control policy).")
	}
	if rs := limits(f, false); len(rs) > 0 {
		if i >= 0 {
			return undoUnsent(f, d, i)
		}
		return overBudget(f, d, rs)
	}
	d.Remedy = diagnose.Retry
	if len(f.Requests) > 0 {
		return deployed(f, d)
	}
	d.Plan = newPlan(f, diagnose.Retry)
	if again > 0 || beforeFirstCommand(f.Build) {
		d.Plan.Settle = f.Settings.Limits.Settle * time.Duration(1+3*again)
	}
	d.Why = "IAM says that the role may do this by now: permissions need time to settle."
	return d
}

// deployed is for a build that waited until what was asked for in code was deployed: perhaps for days,
// and a build of an old commit may undo what a newer one has done.
func deployed(f Facts, d Decision) Decision {
	if f.Newer != "" {
		return LeftFor(d, f.Newer)
	}
	d.Plan = newPlan(f, diagnose.Retry)
	d.Plan.Settle = f.Settings.Limits.Settle // it may have been deployed a moment ago
	d.Why = "What was asked for in the code that owns the role's policy is deployed: IAM says that the role may do this now."
	return d
}

// unsettledYet is for a denial that the simulator confirms although another case
// has just written the permission.
func unsettledYet(f Facts, d Decision) Decision {
	if d.Plan != nil {
		d.Plan.Settle = max(d.Plan.Settle, f.Settings.Limits.Settle)
		d.Why = "The policy was written a moment ago, for another build: permissions need time to settle."
	}
	return d
}

// wroteSince reports whether the role was written, by whichever case, after b
// failed or a moment before: b may not have had the permission yet.
func (f Facts) wroteSince(b codebuild.Build) bool {
	return !f.Wrote.IsZero() && f.Wrote.Add(ClockSkew).After(b.End)
}

func undo(d Decision, round int) Decision {
	d.Remedy, d.Undo = diagnose.Report, round+1
	d.Why = "What was changed did not help: the same denial came back."
	return d
}

func retry(f Facts, d Decision) Decision {
	if rs := limits(f, false); len(rs) > 0 {
		return overBudget(f, d, rs)
	}
	if f.Waited && f.Newer != "" {
		return Refuse(d, "The cause is gone by now, or the wait for its end is over, and a newer build ran meanwhile.",
			newerBuild(f.Newer))
	}
	d.Plan = newPlan(f, diagnose.Retry)
	if f.Waited {
		d.Why = "Failures like this pass: the build has waited for that, and is started again, unchanged."
		return noRoute(d)
	}
	// A transient failure gets more time with each round: 1, 4, 9 … times settle.
	n := time.Duration(retries(f.Earlier) + 1)
	d.Plan.Settle = f.Settings.Limits.Settle * n * n
	d.Why = "Failures like this pass: the build is started again, unchanged."
	return noRoute(d)
}

// noRoute turns a plan that only starts a build, which the settings forbid, into
// a refusal.
func noRoute(d Decision) Decision {
	if d.Plan != nil && d.Plan.Route == RouteNone {
		return Refuse(d, "The settings forbid starting this project's builds.", guardrail.Refusal{Rule: guardrail.RetryForbidden,
			Message: "The project has retry: false, so no build is started. Start it by hand, or set retry: true."})
	}
	return d
}

// onlyListed refuses to start a build through a pipeline that the settings do not
// list: the healer has no permission to retry its stages. It adds this to other
// refusals, too, so that everything is reported at once.
func onlyListed(f Facts, d Decision) Decision {
	name := f.Build.AskedPipeline()
	if route(f) != RouteStage || slices.Contains(f.Project.Pipelines, name) || d.Remedy == diagnose.OverrideBuildspec {
		return d
	}
	names, _ := json.Marshal(append(slices.Clone(f.Project.Pipelines), name)) // which YAML reads as the same
	no := guardrail.Refusal{Rule: guardrail.NoRoute,
		Message: fmt.Sprintf("The build is of the pipeline %q, and only stages of the pipelines that the project "+
			"lists are retried. List it, or retry the stage by hand.", name),
		Entry: fmt.Sprintf("projects:\n  - name: %s\n    pipelines: %s\n", f.Project.Name, names)}
	switch {
	case d.Plan != nil, d.Waits:
		d.Waits, d.Used = false, nil
		return Refuse(d, "The settings do not list the pipeline that the build is of.", no)
	case len(d.Refusals) > 0:
		if c := f.Build.Checked; c != nil && c.Execution != nil && c.Execution.Unlisted { // it says the same, and what to do
			d.Refusals = slices.DeleteFunc(d.Refusals, func(r guardrail.Refusal) bool { return r.Rule == guardrail.UntrustedBuild })
		}
		d.Refusals = append(d.Refusals, no)
	}
	return d
}

func overrideBuildspec(f Facts, d Decision) Decision {
	if d, ok := afterItsOwn(f, d, "is it started with another buildspec"); ok {
		return d
	}
	tried := []string{f.Build.Buildspec}
	for _, r := range f.Earlier {
		if r.Decision != nil && r.Decision.Plan != nil && !r.RetryAt.IsZero() {
			tried = append(tried, r.Decision.Plan.Buildspec)
		}
	}
	i := slices.IndexFunc(f.Project.Buildspecs, func(p string) bool { return !slices.Contains(tried, p) })
	switch {
	case len(f.Project.Buildspecs) == 0:
		return Refuse(d, "No other place for the buildspec is listed.", guardrail.Refusal{Rule: guardrail.NoBuildspec,
			Message: "The settings list no other path to try. Put the buildspec where the project expects it, or list its path.",
			Entry:   fmt.Sprintf("projects:\n  - name: %s\n    buildspecs: [path/to/buildspec.yml]\n", f.Project.Name)})
	case i < 0:
		return Refuse(d, "Every listed place for the buildspec was tried.", guardrail.Refusal{Rule: guardrail.NoBuildspec,
			Message: fmt.Sprintf("None of %s is a buildspec at this commit.", strings.Join(f.Project.Buildspecs, ", "))})
	}
	if rs := limits(f, true); len(rs) > 0 {
		return Refuse(d, "The build is not started with another buildspec.", rs...)
	}
	d.Plan = newPlan(f, diagnose.OverrideBuildspec)
	d.Plan.Buildspec = f.Project.Buildspecs[i]
	if d.Plan.Route == RouteBuild || d.Plan.Route == RouteCodeBuild {
		d.Plan.Route = RouteStart
	}
	if d.Plan.Route == RouteStage || d.Plan.Route == RouteBatch {
		return Refuse(d, "A build of a pipeline or a batch cannot be given another buildspec.", guardrail.Refusal{Rule: guardrail.NoRoute,
			Message: fmt.Sprintf("The buildspec %q would be tried, but only a build of its own can be started with "+
				"another buildspec. Set it in the project.", d.Plan.Buildspec)})
	}
	if r := unrepeatable(f, "buildspec"); r != nil && d.Plan.Route == RouteStart {
		return Refuse(d, "The build cannot be started again as it was.", *r)
	}
	d.Why = fmt.Sprintf("The settings list %q as another place of the buildspec.", d.Plan.Buildspec)
	return noRoute(d)
}

// templatePrefix is the prefix of a repository creation template that covers the repository of that
// name (AWS.md#create-on-push).
func templatePrefix(name string) string {
	if i := strings.LastIndexByte(name, '/'); i > 0 {
		return name[:i]
	}
	return "ROOT"
}

func createRepository(f Facts, d Decision) Decision {
	name := f.Diagnosis.Details["repository"]
	a := f.Build.At()
	if a.Account == "" || !repositoryName(name) {
		return Refuse(d, "The log does not say which repository is missing.", guardrail.Refusal{Rule: guardrail.NoRepository,
			Message: "The name of the missing repository cannot be read with certainty. Create it by hand."})
	}
	arn := codebuild.ARN{Partition: a.Partition, Service: "ecr", Region: a.Region, Account: a.Account,
		Resource: "repository/" + name}.String()
	if registry := f.Diagnosis.Details["registry"]; registry != "" && registry != a.Account {
		return Refuse(d, "The missing repository is in another account's registry.", guardrail.Refusal{Rule: guardrail.NoRepository,
			Action: "ecr:CreateRepository",
			Message: fmt.Sprintf("The build looks for %q in registry %q, and its own account is %s. Create it there, "+
				"or correct the image's name.", name, registry, a.Account)})
	}
	g, ok := creator(f, arn)
	if !ok {
		return Refuse(d, "The settings do not allow creating the repository.", guardrail.Refusal{Rule: guardrail.NoRepository,
			Action: "ecr:CreateRepository", Resource: arn,
			Message: fmt.Sprintf("No grant of the project names the repository %q exactly with create: true. Amazon ECR creates it "+
				"itself if a creation template for %s has CREATE_ON_PUSH.", name, templatePrefix(name)),
			Entry: fmt.Sprintf("grants:\n  - id: %s-image\n    because: WHY\n    owner: TEAM\n    scope: project\n    set: ecr-push\n"+
				"    resources: [\"arn:${partition}:ecr:${region}:${account}:repository/%s\"]\n    create: true\n",
				strings.ReplaceAll(name, "/", "-"), name)})
	}
	for _, r := range f.Earlier {
		if r.Decision != nil && r.Decision.Plan != nil && r.Decision.Plan.Repository == name && !r.Written.IsZero() {
			return Refuse(d, "The repository was created, and the build says again that it is missing.",
				guardrail.Refusal{
					Rule:     guardrail.NoRepository,
					Action:   "ecr:CreateRepository",
					Resource: arn,
					Message: "It was created in this account and region; the build looks for it elsewhere. " +
						"Check the registry in the image's name.",
				})
		}
	}
	if rs := limits(f, true); len(rs) > 0 {
		return Refuse(d, "The repository is not created.", rs...)
	}
	d.Plan = newPlan(f, diagnose.CreateRepository)
	d.Plan.Repository = name
	d.Used = []guardrail.Used{{Grant: g.ID, Because: g.Because, Owner: g.Owner, Evidence: settings.EvidenceLog}}
	d.Why = fmt.Sprintf("Grant %s allows creating the repository %q.", g.ID, name)
	return d
}

// creator finds the project's grant that allows creating exactly this
// repository: for creating something, a pattern is not enough.
func creator(f Facts, arn string) (settings.Grant, bool) {
	for _, id := range f.Project.Grants {
		g, ok := f.Settings.Grant(id)
		if !ok || !g.Create {
			continue
		}
		for _, r := range g.Resources {
			if guardrail.Expand(r, f.Build) == arn {
				return g, true
			}
		}
	}
	return settings.Grant{}, false
}

// repositoryName reports whether s is a name that ECR takes.
func repositoryName(s string) bool {
	if len(s) < 2 || len(s) > 256 || strings.ContainsAny(s[:1]+s[len(s)-1:], "._-/") {
		return false
	}
	for _, r := range s {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') && !strings.ContainsRune("._-/", r) {
			return false
		}
	}
	return !strings.Contains(s, "//")
}

func switchRole(f Facts, d Decision) Decision {
	if d, ok := afterItsOwn(f, d, "is the project switched to another role"); ok {
		return d
	}
	d.Remedy = diagnose.SwitchRole
	old, ok := f.Build.Role()
	if !ok {
		return Refuse(d, "The build's service role cannot be read.", guardrail.Refusal{Rule: guardrail.NotTheRole,
			Message: fmt.Sprintf("The build record names the role %q, which is not a role of this account.", f.Build.ServiceRole)})
	}
	next := codebuild.RoleNamed(f.Build.At(), f.Project.SwitchRole)
	again := sameAgain(f)
	if i := lastWrite(f.Earlier, again); i >= 0 {
		return undo(d, i)
	}
	j := guardrail.Input(f.Judged())
	rs := append(merge(limits(f, true), guardrail.Identify(j)), held(f, SwitchedRole)...)
	for _, den := range f.Causal() {
		if den.Principal == "" {
			rs = append(rs, guardrail.Refusal{Rule: guardrail.Unconfirmed, Action: den.Action, Resource: den.Resource,
				Message: "The text does not say who was denied, and switching a role requires that."})
		}
	}
	if r := takenBack(f); r != nil {
		rs = append(rs, *r)
	}
	no, ask := guardrail.JudgePullRequests(j, true)
	if no != nil {
		rs = append(rs, *no)
	}
	// A buildspec that the settings list is repeated; any other would run what
	// neither project nor settings name.
	same := []string{"service role"}
	listed := slices.Contains(f.Project.Buildspecs, f.Build.Buildspec)
	if listed {
		same = append(same, "buildspec")
	}
	if r := unrepeatable(f, same...); r != nil && StartsAnew(f) {
		rs = append(rs, *r)
	}
	switch {
	case len(rs) > 0:
		return Refuse(d, "The project is not switched to another role.", rs...)
	case next.ARN() == old.ARN():
		return Refuse(d, "The project already runs with the role in switch_role.", guardrail.Refusal{Rule: guardrail.NotTheRole,
			Message: fmt.Sprintf("switch_role names %q, which is the role that was denied. Give that role the "+
				"permission, or name a grant instead.", f.Project.SwitchRole)})
	case f.ProjectRole != "" && f.ProjectRole != old.ARN() && f.ProjectRole != next.ARN():
		return Refuse(d, "The project's role was changed since the build.", guardrail.Refusal{Rule: guardrail.NotTheRole,
			Message: fmt.Sprintf("The build ran as %s, and the project now has %s.", old.ARN(), f.ProjectRole)})
	}
	d.Plan = newPlan(f, diagnose.SwitchRole)
	d.Plan.NewRole, d.Plan.OldRole, d.Plan.PullRequests = next.ARN(), old.ARN(), pullRequests(f)
	// Which role a retry takes is not documented (AWS.md#undocumented); a new
	// build surely takes the project's.
	if d.Plan.Route == RouteBuild || d.Plan.Route == RouteCodeBuild {
		d.Plan.Route = RouteStart
		if listed {
			d.Plan.Buildspec = f.Build.Buildspec
		}
	}
	d.Why = fmt.Sprintf("The settings name the ready role %q.", f.Project.SwitchRole)
	if ask != "" {
		d.Asks, d.Why = true, d.Why+" "+ask
	}
	return d
}

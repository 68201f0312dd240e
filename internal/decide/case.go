// Package decide is the judgement about one failed build: from [Facts], which
// package heal has gathered, [Decide] makes a [Decision], with the complete next
// policy document. It is pure: no clock, no context, no I/O.
//
// It also declares what a decision is about, and what comes of it: the [Case],
// its rounds, and the [Outcome] that notices report.
//
// Words, one meaning each, here and in package heal:
//
//   - case: everything that belongs to one original failure
//   - round: one attempt within a case; its steps are recorded one by one
//   - decision: what should be done; plan: the exact change and retry
//   - outcome: what really happened
//   - lock: one invocation works on a case; lease: one case may write a role.
//     Both are acquired, renewed and released, and end by themselves
//   - assign: record that a build belongs to a case; adopt: recognise a build as
//     the one that a round started
//   - undo: restore what was there before a change, asked for by a person;
//     revert: the same, because the change did not help
//   - order: what a person told the healer to do about a case; sender: who, as far as is known
//   - hold: what a person's undo leaves, so that the grant is not given again;
//     lift: end that, which only a person can
//   - follow: wait for the cure of another case, the leader, and be started again
//     because of it; release: start those that follow; crowd: all of them
//   - incident: failures of one cause in many projects; sign: what is the same about them; member: a
//     case in an incident; probe: the member whose build shows whether the cause is gone
//   - mutate: change something in AWS other than starting a build
//   - batch: CodeBuild's batch build, and nothing else; page: a part of a list
//   - runner: a project whose builds run jobs of a code host's own pipelines; run: one of a workflow at
//     GitHub, of one or more attempts; orphan: a job that waits for a runner whose build has ended
package decide

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/compare"
	"github.com/buildmedic/buildmedic/internal/diagnose"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// ClockSkew is how far AWS's clocks and the healer's may be apart.
const ClockSkew = 2 * time.Minute

// Case is everything that belongs to one original failure: project, resolved
// commit, and the name that it was built by, if another case of the commit has
// another. Its rounds are its attempts.
type Case struct {
	ID      string    `json:"id"` // hex, from account, region, project and commit
	Account string    `json:"account"`
	Region  string    `json:"region"`
	Project string    `json:"project"`
	Commit  string    `json:"commit"`
	Opened  time.Time `json:"opened"`
	Closed  time.Time `json:"closed,omitzero"`
	// Outcome is how the case ended, "" while it is open.
	Outcome Kind    `json:"outcome,omitempty"`
	Rounds  []Round `json:"rounds"`
	// Outbox holds the notices still to be sent, oldest first; Told counts all
	// notices of the case.
	Outbox []Pending `json:"outbox,omitempty"`
	Told   int       `json:"told,omitempty"`
	// Orders are what persons told the healer to do about the case, oldest first.
	Orders []Order `json:"orders,omitempty"`
	// Busy is until when an invocation has locked the case; zero: not locked. The
	// lock ends then, however the invocation ended.
	Busy time.Time `json:"busy,omitzero"`
	// Repeats counts failures like the one that the last notice reported, which
	// were not reported one by one.
	Repeats int `json:"repeats,omitempty"`
	// Others are failed builds of the same commit that wait for the end of the
	// case, oldest first: they failed while it was busy with another build. At most
	// [MaxOthers].
	Others []string `json:"others,omitempty"`
	// Past sums up what is no longer kept; see [Case.Bounded].
	Past Past `json:"past,omitzero"`
	// Crowd is what the case does about those that follow it; nil: none does, as far
	// as is known.
	Crowd *Crowd `json:"crowd,omitempty"`
	// Speaks is the incident whose notices are in the case's outbox, or were; nil: none.
	Speaks *Speaks `json:"speaks,omitempty"`
}

// Speaks says of which incident a case tells, and how many notices of it are queued or sent.
type Speaks struct {
	Incident string `json:"incident"`
	Notices  int    `json:"notices"`
}

// CaseID names the case of a build: by project and commit, or by the build
// itself where CodeBuild does not say which commit it was.
func CaseID(at settings.Account, b codebuild.Build) string {
	b.Checked = nil // whatever its project is like now, it belongs to the same case
	what := b.Commit()
	if what == "" {
		what = b.ID
	}
	if b.Action != nil { // whatever its execution built, and however often it ran there
		what = b.Action.Key()
	}
	parts := []string{at.ID, at.Region, b.Project, what}
	if b.Action == nil && guardrail.RefuseUntrusted(b, settings.Project{}) != nil {
		// A pull request must not use up a branch's budget.
		parts = append(parts, "untrusted")
	}
	h := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(h[:8])
}

// OrphanID names the case that tells of a job of GitHub's which waits for a runner of the project: one a job.
func OrphanID(at settings.Account, project string, j HostJob) string {
	h := sha256.Sum256([]byte(strings.Join([]string{at.ID, at.Region, project, j.Repository, fmt.Sprint(j.ID), "job"}, "\x00")))
	return hex.EncodeToString(h[:8])
}

// Variant names the case of a build that belongs to this one by its commit, but
// was asked for by another name: the release of a tag, say, whose commit failed
// on main, too. It is the case's own ID for any other build.
func (c Case) Variant(b codebuild.Build) string {
	ref := b.Ref()
	if ref == "" || len(c.Rounds) == 0 {
		return c.ID
	}
	for _, r := range c.Rounds {
		if was := r.Build.Ref(); was == "" || was == ref {
			return c.ID
		}
	}
	h := sha256.Sum256([]byte(c.ID + "\x00" + ref))
	return hex.EncodeToString(h[:8])
}

// Step is how far a round has come. Each is recorded before the next begins.
type Step string

// The steps of a round.
const (
	StepReceived Step = "received" // recorded; facts not read yet
	StepJoined   Step = "joined"   // waits for the end of the case that it follows, or of its incident; its log may not be read at all
	StepDecided  Step = "decided"  // the decision is stored and waits: for an approval or for evidence
	StepWriting  Step = "writing"  // about to change something in AWS; what and from what is stored
	StepWritten  Step = "written"  // changed and read back
	StepRetrying Step = "retrying" // about to start a build; token and time are stored
	StepRetried  Step = "retried"  // the new build's id is stored; waiting for its event
	StepUndoing  Step = "undoing"  // about to restore what was there
	StepDone     Step = "done"
)

// Round is one attempt within a case.
type Round struct {
	Build     codebuild.Build     `json:"build"`
	Step      Step                `json:"step"`
	Started   time.Time           `json:"started"`
	Diagnosis *diagnose.Diagnosis `json:"diagnosis,omitempty"`
	// Job is what the build's log shows of the job that it ran for a code host; nil: nothing.
	Job *buildlog.Job `json:"job,omitempty"`
	// Orphan is a job of the code host's that waits for a runner, of which the round tells. The build, which
	// need not have failed, was started for it, or for one like it.
	Orphan *HostJob `json:"orphan,omitempty"`
	// Follows is the case whose end the round waits for, or has waited for: its build
	// is suspected to have failed of the same cause. See [Follow].
	Follows string `json:"follows,omitempty"`
	// Sign is the key of the failure's [Sign], if it was counted among those that an incident may open
	// for; Incident is the name of the one that the round is in, "" for none. Told: the incident's
	// notices tell of the round in the place of its own. Probe: its build is, or was, the incident's
	// probe. Own: it has left the incident, and tells of itself.
	Sign     string `json:"sign,omitempty"`
	Incident string `json:"incident,omitempty"`
	Told     bool   `json:"told_by_incident,omitempty"`
	Probe    bool   `json:"probe,omitempty"`
	Own      bool   `json:"left_incident,omitempty"`
	// Known is what is remembered of tests that the diagnosis names as failed: at most one entry a
	// test, in any order. A test without an entry was not looked for.
	Known []TestHistory `json:"known_tests,omitempty"`
	// Cut: the diagnosis is not whole, so nothing may be decided by it. Denied
	// stands for its denials then: see [Case.Bounded].
	Cut      bool      `json:"cut,omitempty"`
	Denied   []string  `json:"denied,omitempty"`
	Decision *Decision `json:"decision,omitempty"`
	// Since is what is new since the last green build; nil: nothing was compared. Nothing is
	// decided by it.
	Since *compare.Since `json:"since,omitempty"`
	// Token makes CodeBuild start only one build within five minutes, however often
	// it is asked; RetryAt is when it was first asked with this token.
	Token   string    `json:"token,omitempty"`
	RetryAt time.Time `json:"retry_at,omitzero"`
	Retry   string    `json:"retry,omitempty"` // id of the build that this round started
	// Beyond is when that build was seen past the point at which the round's own had failed; zero: it was not.
	Beyond time.Time `json:"beyond,omitzero"`
	// Full is when CodeBuild first refused to start it for want of a place; Refused is how often it did.
	Full    time.Time `json:"full,omitzero"`
	Refused int       `json:"refused,omitempty"`
	// Counted is when the start was counted in its budget; zero: it was not, or the place was given back.
	Counted time.Time `json:"counted,omitzero"`
	// Differs names the settings in which that build is not what it was meant to be.
	Differs []string  `json:"differs,omitempty"`
	NotYet  time.Time `json:"not_yet,omitzero"` // do not continue before this time
	Written time.Time `json:"written,omitzero"`
	// Versions are the managed policy versions that existed when the write was
	// decided on: any other version is ours, or somebody else's.
	Versions []string `json:"versions,omitempty"`
	// WrittenVersion is the managed policy version that the write made.
	WrittenVersion string    `json:"written_version,omitempty"`
	Undone         time.Time `json:"undone,omitzero"`
	// Dropped are the managed policy versions that were deleted to make room for the
	// write, and are not back. The ledger keeps their documents.
	Dropped []Dropped `json:"dropped,omitempty"`
	// ByPerson: a person asked for the undo, so there is a [Hold] until a person lifts it.
	ByPerson bool `json:"by_person,omitempty"`
	// Permanent: it was undone since the code that owns the role's policy gives the same.
	Permanent bool `json:"permanent,omitempty"`
	// Green: the build that it started was green, though the case's change was taken back since.
	Green bool `json:"green,omitempty"`
	// Partly: the write was given up, and what it had made could not be taken back,
	// so that a part of it stands, perhaps all or nothing.
	Partly bool `json:"partly,omitempty"`
	// Abandoned says, in sentences, what became of a write that was given up half done.
	Abandoned string `json:"abandoned,omitempty"`
	// Scan is how long it took to read the log and find what is in it.
	Scan time.Duration `json:"scan,omitempty"`
	// Reread: the log was incomplete at first and has been read again.
	Reread bool `json:"reread,omitempty"`
	// Looks is how often the build's test reports were looked at and not complete.
	Looks int `json:"looks,omitempty"`
	// Unread says in a sentence why test reports of the build, the events of its stack, or all that it
	// printed were not read; "" if they were, or are not to be.
	Unread string `json:"unread,omitempty"`
	// Recorded is what AWS's own records of the denied requests say, for at most [MaxRecorded] of them;
	// Asked is how often AWS was asked and had not all of them yet.
	Recorded []guardrail.Recorded `json:"recorded,omitempty"`
	Asked    int                  `json:"asked,omitempty"`
	// Partial: more tests may have failed than the build's test reports tell.
	Partial bool `json:"partial_reports,omitempty"`
	Tries   int  `json:"tries,omitempty"` // of the current step, when AWS was not ready
	// Old: the round is of an earlier day and no longer counts in any budget. It is
	// kept because its change is still in place and can be undone.
	Old bool `json:"old,omitempty"`
	// Replayed is when a person asked for this round; zero: an event or the sweep
	// caused it.
	Replayed time.Time `json:"replayed,omitzero"`
	// Approved is the hash of the plan that a person approved.
	Approved string `json:"approved,omitempty"`
	// Unoffered: the plan was approved before everybody had been told of it.
	Unoffered bool `json:"unoffered,omitempty"`
	// Until is until when the plan that was proposed can be approved; zero if none was, or if an
	// earlier version proposed it.
	Until time.Time `json:"until,omitzero"`
	Ended time.Time `json:"ended,omitzero"` // when the build that this round started ended
	// Requests are the plan's as far as they were made. A later decision of the same round keeps them.
	Requests []Request `json:"requests,omitempty"`
	// Reminded is when the team was told that the round's grant will expire.
	Reminded time.Time `json:"reminded,omitzero"`
}

// TestHistory is what is remembered of a test that failed in a round's build: its failures in
// earlier builds of the project.
type TestHistory struct {
	Suite string `json:"suite,omitempty"` // both as the diagnosis has them
	Name  string `json:"name"`
	// Times is in how many builds before this one it failed, of the same branch, tag or pipeline
	// since that was green last; 0: in none that is known.
	Times int `json:"times"`
	// Since is when the first of them failed, and Build its id; zero if there is none.
	Since time.Time `json:"since,omitzero"`
	Build string    `json:"build,omitempty"`
	// Unclear: it is not known on which branch this build or the earlier ones were, so Times, Since
	// and Build say nothing, and Commits counts the builds of any branch since it flaked last.
	Unclear bool `json:"unclear,omitempty"`
	// Commits is on how many commits it failed in these builds and in this one, at most
	// [BrokenAfter].
	Commits int `json:"commits,omitempty"`
	// Failed is in how many builds besides this one it failed, of any branch and time that is
	// remembered.
	Failed int `json:"failed,omitempty"`
	// Flaked is how often it failed and the same commit was green afterwards, with nothing changed;
	// LastFlaked is the end of the green build that showed it last.
	Flaked     int       `json:"flaked,omitempty"`
	LastFlaked time.Time `json:"last_flaked,omitzero"`
}

// History returns what is remembered of a failed test of the round's diagnosis; ok is false if it
// was not looked for.
func (r *Round) History(t codebuild.TestCase) (h TestHistory, ok bool) {
	i := slices.IndexFunc(r.Known, func(h TestHistory) bool { return h.Suite == t.Suite && h.Name == t.Name })
	if i < 0 {
		return TestHistory{}, false
	}
	return r.Known[i], true
}

// AgainFlaky reports whether the round had its build started again for flaky tests.
func (r *Round) AgainFlaky() bool {
	return r.Decision != nil && r.Decision.Flaky > 0 && !r.RetryAt.IsZero()
}

// OfBatch reports whether the round starts its build again by retrying a batch.
func (r *Round) OfBatch() bool {
	return r.Decision != nil && r.Decision.Plan != nil && r.Decision.Plan.Route == RouteBatch
}

// OfStage reports whether the round starts its build again by retrying the
// failed actions of a pipeline's stage.
func (r *Round) OfStage() bool {
	return r.Decision != nil && r.Decision.Plan != nil && r.Decision.Plan.Route == RouteStage
}

// OfJob reports whether the round has the code host run a job again, which starts a build of its own.
func (r *Round) OfJob() bool {
	return r.Decision != nil && r.Decision.Plan != nil && r.Decision.Plan.Route == RouteJob
}

// ByToken reports whether the round starts its build by a call that may be
// repeated, since CodeBuild knows it by its token (AWS.md#retry-token).
func (r *Round) ByToken() bool {
	return r.Decision != nil && r.Decision.Plan != nil &&
		(r.Decision.Plan.Route == RouteBuild || r.Decision.Plan.Route == RouteStart)
}

// Dropped is a managed policy's version that was deleted to make room.
type Dropped struct {
	Policy  string    `json:"policy"` // ARN
	Version string    `json:"version"`
	Created time.Time `json:"created,omitzero"`
}

// Waits reports whether the round has started a build, or may have, and has
// not seen it end.
func (r *Round) Waits() bool { return r.Step == StepRetried || r.Step == StepRetrying }

// Stands reports whether the round has changed something that was not undone.
func (r *Round) Stands() bool { return !r.Written.IsZero() && r.Undone.IsZero() }

// Bridges reports whether the round's change stands until code gives the same for good.
func (r *Round) Bridges() bool {
	return r.Stands() && !r.Partly && r.Decision != nil && r.Decision.Plan != nil && !r.Decision.Plan.InCode() &&
		len(r.Decision.Plan.Requests) > 0
}

// AsksFrom reports whether the round's plan asks by the request of the branch.
func (r *Round) AsksFrom(branch string) bool {
	return r.Decision != nil && r.Decision.Plan != nil &&
		slices.ContainsFunc(r.Decision.Plan.Requests, func(q Request) bool { return q.Branch == branch })
}

// Requested reports whether the round has asked in code for all that its plan gives.
func (r *Round) Requested() bool {
	return len(r.Requests) > 0 && !slices.ContainsFunc(r.Requests, func(q Request) bool { return q.State == "" })
}

// ToldOnly reports whether the round led to nothing but a notice.
func (r *Round) ToldOnly() bool {
	return r.Written.IsZero() && r.RetryAt.IsZero() && len(r.Dropped) == 0 && (r.Decision == nil || r.Decision.Undo == 0)
}

// Pending is a notice that is to be sent. It is recorded before it is sent; a
// crash between sending and recording sends it again under the same id.
type Pending struct {
	ID   string `json:"id"` // CASE.N, stable
	Kind Kind   `json:"kind"`
	// Round is the index of the round that it tells about.
	Round int       `json:"round"`
	At    time.Time `json:"at"`
	// Repeats is how many equal failures it stands for beyond the first.
	Repeats int    `json:"repeats,omitempty"`
	Note    string `json:"note,omitempty"` // one more sentence, e.g. why an undo was refused
	// Lacks is the permission that the healer itself lacks: an IAM action, or
	// [UnnamedPermission]; "" if that is not what ended the case.
	Lacks string `json:"lacks,omitempty"`
	// Everywhere: of [Paused], that all projects are, and not the case's alone.
	Everywhere bool `json:"everywhere,omitempty"`
	// Pause names this pause, and no later one; of [Paused].
	Pause string `json:"pause,omitempty"`
	// Silent: it is only recorded, and not sent. Its ID is no notice's.
	Silent bool `json:"silent,omitempty"`
	// Recorded: the journal has it, from when nobody was to be told.
	Recorded bool `json:"recorded,omitempty"`
	// Followers are those of the case, if it tells of them, too.
	Followers *Followers `json:"followers,omitempty"`
	// Incident is what it tells of; of [OfIncident].
	Incident *Tally `json:"incident,omitempty"`
	// Sent are those who have it already. Whoever is left when it is sent again gets it then.
	Sent []Audience `json:"sent,omitempty"`
	// Untold are the owners who could not be told, and why: see [Outcome].
	Untold []string `json:"untold,omitempty"`
}

// UnnamedPermission stands for a permission that AWS did not name.
const UnnamedPermission = "a permission"

// Kind is the word for what happened in notices, metrics and history.
type Kind string

// The kinds of outcome. The first six end a case; the others report progress.
const (
	Healed   Kind = "healed"   // the retried build is green
	Proposed Kind = "proposed" // a plan is stored and waits for an approval
	// Requested: pull requests ask for it in the code that owns the role's policy ([Round.Requests]). Once
	// they are merged and deployed, the case goes on by itself.
	Requested Kind = "requested"
	Reported  Kind = "reported" // explained; nothing was changed
	Undone    Kind = "undone"   // the grant did not help and was taken back
	Failed    Kind = "failed"   // something was tried, the build still fails, nothing to take back

	// MadePermanent: code gives it now, and the change in IAM that was made in the meantime is taken out again.
	MadePermanent Kind = "permanent"
	Retrying      Kind = "retrying" // changed or not, the build was started again
	Expiring      Kind = "expiring" // a grant will expire, or has
	Paused        Kind = "paused"   // the breaker is open
	OfIncident    Kind = "incident" // many projects fail of one cause, or no longer do
)

// Decision is what Decide chose for one failed build.
type Decision struct {
	Mode     settings.Mode       `json:"mode"`
	Remedy   diagnose.Remedy     `json:"remedy"` // what is (heal), would be (observe) or may be (propose) done
	Why      string              `json:"why"`    // one sentence
	Refusals []guardrail.Refusal `json:"refusals"`
	Dropped  int                 `json:"dropped,omitempty"` // refusals that are no longer kept
	Used     []guardrail.Used    `json:"grants"`
	Plan     *Plan               `json:"plan,omitempty"` // nil: nothing to do
	Settings string              `json:"settings"`       // SHA-256 of the settings decided under
	// Undo asks that the write of an earlier round be undone, since it did not help:
	// the index of that round plus one; 0: nothing.
	Undo int `json:"undo,omitempty"`
	// Unsent is the service that may not send the key on which a grant's scope hangs, if that is why
	// it did not help; nil otherwise.
	Unsent *Unsent `json:"unsent,omitempty"`
	// Unscoped are the grants of which the plan gives something to the whole role, beyond their scope,
	// since a service may not send the key. Only a person may approve that.
	Unscoped []string `json:"unscoped,omitempty"`
	// Pieces is how many resources the plan gives one by one, of those that a
	// pattern of a grant covers.
	Pieces int `json:"pieces,omitempty"`
	// Asks: the plan needs a person's approval, whatever the mode.
	Asks bool `json:"asks,omitempty"`
	// Flaky is how many tests failed, if the build is started again because all of them are known
	// to be flaky; else 0. [Round.Known] has what is known.
	Flaky int `json:"flaky,omitempty"`
	// Waits asks for CloudTrail to confirm the denial before anything is granted.
	Waits bool `json:"waits,omitempty"`
	// Follows is the case whose change cures this build, too, if that is all that is known of it;
	// else "". Nothing is given then.
	Follows string `json:"follows,omitempty"`
	// Silent: a notice of the case that it follows tells of this build, too, once it is green.
	Silent bool `json:"silent,omitempty"`
	// Beyond: that case had not ended, and its build was past the point. If it is not healed in the end, this one tells of itself.
	Beyond bool `json:"beyond,omitempty"`
}

// Unsent is a service that may not send [settings.ProjectKey] with a build's requests.
type Unsent struct {
	Service string   `json:"service"` // IAM prefix
	Action  string   `json:"action"`  // that was denied again
	Grants  []string `json:"grants"`  // scoped ones that were given for it
}

// Proposes reports whether a person must approve the plan before it is carried out.
func (d Decision) Proposes() bool { return d.Plan != nil && (d.Mode == settings.Propose || d.Asks) }

// Mutates reports whether carrying out the decision changes something in AWS, or in the code that
// owns the role's policy, other than starting a build.
func (d Decision) Mutates() bool {
	return d.Plan != nil && (d.Plan.Write != nil || d.Plan.Repository != "" || d.Plan.NewRole != "")
}

// Plan is the complete change and retry that a decision asks for. Its [Plan.Bytes]
// are stored under their SHA-256; an approval applies exactly these.
type Plan struct {
	Case    string          `json:"case"`
	Build   string          `json:"build"`
	Project string          `json:"project"`
	Role    string          `json:"role,omitempty"` // ARN; see [Plan.Changes]
	Remedy  diagnose.Remedy `json:"remedy"`

	Write        *guardrail.Target    `json:"write,omitempty"`         // grant
	Requests     []Request            `json:"requests,omitempty"`      // grant: in the code that owns the policy, or shall
	Proof        []guardrail.Question `json:"proof,omitempty"`         // grant
	Repository   string               `json:"repository,omitempty"`    // create-repository
	Holders      []string             `json:"holders,omitempty"`       // grant: other projects that have it, too
	Scoped       bool                 `json:"scoped,omitempty"`        // grant: for the project's own builds only
	PullRequests PullRequests         `json:"pull_requests,omitempty"` // grant, switch-role
	Buildspec    string               `json:"buildspec,omitempty"`     // override-buildspec
	NewRole      string               `json:"new_role,omitempty"`      // switch-role: ARN
	OldRole      string               `json:"old_role,omitempty"`      // switch-role: what to switch back to
	Route        Route                `json:"route"`
	Job          *HostJob             `json:"job,omitempty"` // by the route job
	// Settle is how long to wait before the build is started again: until IAM shows
	// the change everywhere, or a transient failure has passed.
	Settle time.Duration `json:"settle,omitempty"`
	// Ends says which grants end, and how long they last.
	Ends []End `json:"ends,omitempty"`
}

// PullRequests says whether builds of pull requests have what a plan gives the role.
type PullRequests string

// What is known of them.
const (
	PullRequestsNone     PullRequests = "" // as far as is known
	PullRequestsBuilt    PullRequests = "built"
	PullRequestsUnknown  PullRequests = "unknown"
	PullRequestsAccepted PullRequests = "accepted" // by the settings; whether there are any was not looked for
)

// End is when what a grant gives ends. It counts from when it is given, so that
// a grant that waits for its approval is not dead by then.
type End struct {
	Grant string        `json:"grant"`
	Lasts time.Duration `json:"lasts"`
	At    time.Time     `json:"at,omitzero"` // if it is given when it was decided on
}

// InCode reports whether the plan is carried out by asking in the code that owns the role's policy.
func (p *Plan) InCode() bool { return p != nil && p.Write != nil && p.Write.Kind == guardrail.Code }

// Changes is the role that the plan writes: the build's service role, or another one of its deployment.
// It is the zero Role if the plan names none.
func (p Plan) Changes() codebuild.Role {
	r, _ := codebuild.ParseRole(p.Role)
	return r
}

// Starts is the build b as the plan has it started again.
func (p Plan) Starts(b codebuild.Build) codebuild.Build {
	if p.Buildspec != "" {
		b.Buildspec = p.Buildspec
	}
	if p.NewRole != "" {
		b.ServiceRole = p.NewRole
	}
	return b
}

// Bytes is the plan's canonical form. It holds how long each grant lasts, and
// neither when that ends nor when the proof was asked for: decided again at
// another time, with nothing else changed, the plan has the same bytes.
func (p Plan) Bytes() []byte {
	lasts := map[time.Time]time.Duration{}
	p.Ends, p.Proof = slices.Clone(p.Ends), slices.Clone(p.Proof)
	for i := range p.Ends {
		if e := &p.Ends[i]; !e.At.IsZero() {
			lasts[e.At], e.At = e.Lasts, time.Time{}
		}
	}
	if p.Write != nil {
		t := p.Write.Timeless(lasts)
		p.Write = &t
	}
	for i := range p.Proof {
		p.Proof[i] = p.Proof[i].Timeless()
	}
	b, err := json.Marshal(p)
	if err != nil {
		panic("decide: a plan is always printable: " + err.Error())
	}
	return b
}

// Hash is the SHA-256 of the plan's bytes, lower-case hex.
func (p Plan) Hash() string {
	h := sha256.Sum256(p.Bytes())
	return hex.EncodeToString(h[:])
}

// Route is the way by which a build is started again (AWS.md#retry-route).
type Route string

// The routes.
const (
	RouteNone      Route = "none"      // no retry: settings forbid it
	RouteBuild     Route = "build"     // RetryBuild
	RouteStart     Route = "start"     // StartBuild of the same commit, with what the build overrode
	RouteStage     Route = "stage"     // RetryStageExecution
	RouteBatch     Route = "batch"     // RetryBuildBatch
	RouteCodeBuild Route = "codebuild" // CodeBuild's own auto-retry does it
	RouteJob       Route = "job"       // the code host runs the job again that the build ran
)

// Outcome is what really happened, as notices, metrics and history tell it.
type Outcome struct {
	ID    string // of the notice
	Kind  Kind
	Case  Case
	Round int // index into Case.Rounds
	Note  string
	Lacks string // see [Pending]
	// Everywhere and Pause: see [Pending].
	Everywhere bool
	Pause      string
	Settings   *settings.Settings
	Home       settings.Account
	At         time.Time
	// Function is the healer's function name, for command lines; "" at the desk.
	Function string
	// Desk is how the healer was called at a desk, for command lines.
	Desk Desk
	// Repeats is how many equal failures this notice stands for beyond the first.
	Repeats int
	// Followers are the builds that were healed by the same change, if the notice tells of them.
	Followers *Followers
	// Incident is what it tells of; of [OfIncident].
	Incident *Tally `json:",omitempty"`
	// For is whom this notice is for.
	For Audience `json:",omitzero"`
	// Untold are the owners who could not be told, and why.
	Untold []string `json:",omitempty"`
}

// Desk is how a person called the healer, so that the commands that are offered are of the same
// account, settings and ledger. Its words are quoted for a shell.
type Desk struct {
	Program  string   // "" is buildmedic
	Flags    []string // that each command takes
	Replay   []string // that replay takes besides
	Unstored bool     // no ledger has the case, so that nothing can be asked about it
}

// Line is the command line of a command with its arguments.
func (d Desk) Line(command, arguments string) string {
	words := append([]string{cmp.Or(d.Program, "buildmedic"), command}, d.Flags...)
	if command == "replay" {
		words = append(words, d.Replay...)
	}
	return strings.TrimSpace(strings.Join(words, " ") + " " + arguments)
}

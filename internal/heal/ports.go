package heal

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// The errors by which a port tells the healer what to do. Any other error is
// unknown: the message is delivered again.
var (
	// ErrNotFound: what was asked for does not exist.
	ErrNotFound = errors.New("not found")
	// ErrConflict: somebody else changed it first.
	ErrConflict = errors.New("changed by somebody else")
	// ErrLater: AWS is busy, throttles or is at a limit; the same call may
	// succeed later.
	ErrLater = errors.New("not now")
	// ErrFull is an ErrLater: the account runs as many builds as it may, and as many wait.
	ErrFull = fmt.Errorf("the queue of builds is full: %w", ErrLater)
	// ErrUnseen: what was written is not shown yet (AWS.md#consistency).
	ErrUnseen = fmt.Errorf("not shown yet: %w", ErrLater)
	// ErrFinal: AWS refuses this call for good.
	ErrFinal = errors.New("refused by AWS")
	// ErrTooLarge: the ledger cannot hold an item of that size.
	ErrTooLarge = errors.New("too large for the ledger")
	// ErrDenied: the healer itself lacks a permission. A [DeniedError] names it.
	ErrDenied = errors.New("the healer lacks a permission")
)

// DeniedError is an [ErrDenied] that names the permission.
type DeniedError struct {
	Action string // the IAM action; "" if AWS does not name it
	Advice string // on what, and what to do about it
	Err    error  // what AWS said; may be nil
}

func (e DeniedError) Error() string {
	if e.Action == "" {
		return ErrDenied.Error() + ": which one, AWS does not say" + e.Advice
	}
	return ErrDenied.Error() + ": " + e.Action + e.Advice
}

// Unwrap makes it an [ErrDenied], and what AWS said.
func (e DeniedError) Unwrap() []error {
	if e.Err == nil {
		return []error{ErrDenied}
	}
	return []error{ErrDenied, e.Err}
}

// FaultError is a failure that a person must mend before the same can succeed.
type FaultError struct{ Says string }

func (e FaultError) Error() string { return e.Says }

// QuotaError is a start that CodeBuild refuses for good: the account may run no such builds at all.
type QuotaError struct{ Says string } // what CodeBuild says

func (e QuotaError) Error() string {
	return fmt.Sprintf("The account has no quota for builds of the project's environment type and size: CodeBuild says %q. "+
		"Trying again does not help. Ask AWS support for a quota, or give the project a type or size that has one", e.Says)
}

// lacks is the permission that the healer itself lacks, as an outcome names
// it; "" if the error is another one.
func lacks(err error) string {
	var d DeniedError
	switch {
	case errors.As(err, &d) && d.Action != "":
		return d.Action
	case errors.Is(err, ErrDenied):
		return decide.UnnamedPermission
	}
	return ""
}

// MaxRecords is how many builds are read with one call (AWS.md#listing-builds).
const MaxRecords = 100

// Builds reads builds. All but Several return ErrNotFound for a build, project or batch
// that is gone.
type Builds interface {
	// Get reads one build by PROJECT:UUID or ARN, or one that stands for a batch by its ID.
	Get(ctx context.Context, at settings.Account, id string) (codebuild.Build, error)
	// Several reads at most [MaxRecords] builds with one call, in any order. One that is gone is
	// left out.
	Several(ctx context.Context, at settings.Account, ids []string) ([]codebuild.Build, error)
	// Since lists the project's builds that began at or after from and after
	// the build seen ("" for none), newest first, at most 1,000.
	Since(ctx context.Context, at settings.Account, project string, from time.Time, seen string) ([]codebuild.Build, error)
	// Batch reads a batch by its ARN.
	Batch(ctx context.Context, at settings.Account, arn string) (codebuild.Batch, error)
	// BatchIDs lists the project's last batches, PROJECT:UUID, with one call: at most [MaxRecords],
	// as a rule the newest first.
	BatchIDs(ctx context.Context, at settings.Account, project string) ([]string, error)
	// Batches reads at most [MaxRecords] batches with one call, in any order. One that is gone is
	// left out.
	Batches(ctx context.Context, at settings.Account, ids []string) ([]codebuild.Batch, error)
}

// Pipelines reads pipelines. All return ErrNotFound for what is gone.
type Pipelines interface {
	// Runs lists the runs of actions in an execution, the newest first.
	Runs(ctx context.Context, at settings.Account, pipeline, execution string) ([]codebuild.ActionRun, error)
	// RunOf finds the run that a build or batch, by its PROJECT:UUID, is of, which began at about that
	// time. Of the answer, only what never changes is certain.
	RunOf(ctx context.Context, at settings.Account, pipeline, external string, began time.Time) (codebuild.ActionRun, error)
	// PullRequests reports whether a version of the pipeline's definition has a trigger that pull
	// requests cause, or one of a kind that is not known.
	PullRequests(ctx context.Context, at settings.Account, pipeline string, version int32) (bool, error)
	// Trigger says what started an execution, as AWS calls it, and more of that: who, or by what.
	Trigger(ctx context.Context, at settings.Account, pipeline, execution string) (kind, by string, err error)
}

// Logs reads what a build printed.
type Logs interface {
	// Tail reads the log from its end backwards until enough says so, the
	// log begins, or a budget is used up. A build without a log gives a Text
	// with None set, never an error.
	Tail(ctx context.Context, b codebuild.Build, enough func(text string) bool) (Text, error)
}

// Text is the end of a log.
type Text struct {
	Text string
	Cut  bool // the log's beginning is missing
	None bool // there is no log to read
}

// Reports reads CodeBuild's own test reports (AWS.md#test-reports).
type Reports interface {
	// Read reads reports by their ARNs, at least one and at most [codebuild.MaxReports], in any
	// order. One that is gone is left out.
	Read(ctx context.Context, at settings.Account, arns []string) ([]codebuild.Report, error)
	// Cases reads the cases of a report that have the status, at most so many. Their messages are
	// as the tests left them: many lines, and perhaps secrets. Those read before an error are
	// returned with it.
	Cases(ctx context.Context, at settings.Account, report, status string, most int) ([]codebuild.TestCase, error)
}

// Stacks reads why CloudFormation stacks failed.
type Stacks interface {
	// Failed lists what failed in the stack between the two times, in any order: a part of it if it
	// is very much. stack is a name or an id; ErrNotFound if there is none, as for the name of one
	// that is deleted. The reasons are as services and people wrote them, and perhaps hold secrets.
	Failed(ctx context.Context, at settings.Account, stack string, from, to time.Time) ([]buildlog.StackEvent, error)
}

// Roles reads a service role as IAM has it now.
type Roles interface {
	// Role reads the role's policies, boundary and trust. named is the
	// project's write target: a managed policy named there is read with its
	// versions and users, whether attached or not.
	Role(ctx context.Context, at settings.Account, r codebuild.Role, named settings.Write) (guardrail.RoleState, error)
}

// Simulator asks IAM what a role may do.
type Simulator interface {
	// Simulate answers the questions in order, as if the documents in extra
	// were on the role too.
	Simulate(
		ctx context.Context, at settings.Account, r codebuild.Role, qs []guardrail.Question, extra []string,
	) ([]guardrail.Answer, error)
}

// Documents asks IAM what policy documents allow.
type Documents interface {
	// SimulateDocuments answers the questions in order, as if the documents, and the boundary if there is
	// one, were all that is on the role. No service control policy is looked at.
	SimulateDocuments(
		ctx context.Context, at settings.Account, r codebuild.Role, docs []string, boundary *string, qs []guardrail.Question,
	) ([]guardrail.Answer, error)
}

// Policies changes a role's permissions, and only in the way that the target says.
type Policies interface {
	// Current reads what is at the target now: document and, for a managed
	// policy, its default version. For an attach target document is the
	// space-separated list of the target's ARNs that are attached. Nothing
	// there gives "".
	Current(ctx context.Context, at settings.Account, r codebuild.Role, t guardrail.Target) (document, version string, err error)
	// Write puts t.After in the place of t.Before, reads it back, and returns
	// the managed policy version that it made, "" for the other kinds. known
	// are the versions that existed when the target was decided on. A write that an
	// earlier run has made already is completed, not repeated. It gives ErrConflict
	// if something other than t.Before is there, or if somebody else wrote at the
	// same time; their managed policy version is then the default again.
	Write(ctx context.Context, at settings.Account, r codebuild.Role, t guardrail.Target, known []string) (version string, err error)
	// Restore puts t.Before in the place of t.After; version is what Write
	// returned. It gives ErrConflict if something other than t.After is there.
	// Of several policies that were attached, it detaches those that still are.
	Restore(ctx context.Context, at settings.Account, r codebuild.Role, t guardrail.Target, version string) error
	// Abandon takes back what a Write that will not be completed has made so far;
	// known are the versions that it was given. It tells in sentences what was taken
	// back and what cannot be, "" for nothing. It may be called again.
	Abandon(ctx context.Context, at settings.Account, r codebuild.Role, t guardrail.Target, known []string) (told string, err error)
	Versions
}

// Versions are the versions of a managed policy.
type Versions interface {
	// Version reads one version's document; ErrNotFound if there is none.
	Version(ctx context.Context, at settings.Account, policy, version string) (document string, err error)
	// Recreate makes a version with the document that the deleted version was, not as
	// the default, and returns its name. If gone is still there, it returns that; if
	// a version that is not among known has the document already, that one. It gives
	// ErrFinal if all places are taken.
	Recreate(ctx context.Context, at settings.Account, policy, gone, document string, known []string) (version string, err error)
}

// PolicyCode is the code that owns roles' policies.
type PolicyCode interface {
	// Propose opens a pull request that asks for the statements, or brings the one that is open up to
	// date, and says how it stands with it: the request of c with State, Number and URL. Called again
	// with the same, it finds what is there: there is one branch and one request for each branch of
	// [decide.RequestBranch]. Where it cannot be done, the error is ErrLater, an ErrDenied, a [FaultError]
	// that says what a person must do, or ErrFinal.
	Propose(ctx context.Context, at settings.Account, c PolicyChange) (decide.Request, error)
}

// PolicyChange asks for statements in a policy's file.
type PolicyChange struct {
	Code       settings.PolicyCode
	Request    decide.Request
	Statements []iampolicy.Statement
	// Tells are the cases that ask for it, the newest first, at least one; More is how many more there
	// are. The request's text tells of them.
	Tells []decide.Outcome
	More  int
}

// Analyzer is IAM Access Analyzer.
type Analyzer interface {
	// Check validates after, and checks that it gives no access beyond
	// existing. It returns a finding per complaint, none for a pass.
	Check(ctx context.Context, at settings.Account, existing, after string) (findings []string, err error)
}

// Trail is CloudTrail as a second witness.
type Trail interface {
	// Seen reports per denial, in order, whether CloudTrail shows that the
	// build's session was denied the action. It may become true minutes
	// after the denial. It is asked once for all, since CloudTrail answers
	// two requests a second (AWS.md#request-rates).
	Seen(ctx context.Context, b codebuild.Build, ds []buildlog.Denial) ([]bool, error)
}

// Authorizations is IAM Access Troubleshooter.
type Authorizations interface {
	// Details reads AWS's own record of a denied request, for the account at. It gives ErrNotFound if
	// there is none: not yet, not any more, or not of this account or region, which AWS does not tell
	// apart.
	Details(ctx context.Context, at settings.Account, a buildlog.Authorization) (guardrail.Authorization, error)
}

// Decoder decodes EC2's encoded authorization messages.
type Decoder interface {
	// Decode returns the JSON that STS gives; ErrFinal if the message is cut.
	Decode(ctx context.Context, at settings.Account, encoded string) ([]byte, error)
}

// Repositories is ECR.
type Repositories interface {
	// Create makes the repository; one that exists already is no error.
	Create(ctx context.Context, at settings.Account, name string) error
}

// Projects reads CodeBuild projects, and changes their service role.
type Projects interface {
	// Read reads projects of one account and region, in any order. One that does not
	// exist is left out.
	Read(ctx context.Context, at settings.Account, names []string) ([]codebuild.Project, error)
	// Role reads the project's present role ARN.
	Role(ctx context.Context, at settings.Account, project string) (string, error)
	// SetRole switches the project to the role.
	SetRole(ctx context.Context, at settings.Account, project, role string) error
}

// Retrier starts builds again.
type Retrier interface {
	// Retry starts b again by the plan's route. ErrFinal
	// means that it cannot be retried this way; ErrLater that it can, later.
	// A second call with the same token within five minutes does not start a
	// second build; after that it may (AWS.md#retry-token).
	// If other failed builds start again too (those of a stage), ready is called
	// first with their ids; its error ends the call before anything starts.
	// By the route start, everything that b overrode is repeated; what cannot be
	// repeated is an ErrFinal.
	Retry(ctx context.Context, b codebuild.Build, p decide.Plan, token string, ready func(others []string) error) (Started, error)
	// Unrepeatable names, as a person knows them, the settings that b had and a new
	// build of its project could not be given.
	Unrepeatable(ctx context.Context, b codebuild.Build) ([]string, error)
}

// Started is a build that was started.
type Started struct {
	ID string // "" when the route does not tell it (a stage, a batch)
	// Differs names the settings in which it is, by its own record, not what it was
	// meant to be.
	Differs []string
}

// Notifier tells the team. A notice is delivered at least once. Each try to send it, also one that is
// repeated, begins with turn, which waits until it may be sent; what gives an error is not sent.
type Notifier interface {
	Notify(ctx context.Context, o decide.Outcome, turn Await) error
	// Digest tells of many at once.
	Digest(ctx context.Context, os []decide.Outcome, turn Await) error
	// Week tells what failed builds cost in a week.
	Week(ctx context.Context, w decide.Week, turn Await) error
}

// Await waits for a turn, or gives the error for which there is none.
type Await func(ctx context.Context) error

// CodeHost tells developers at their code host. Telling the same again changes nothing that they
// see. Both return ErrLater for what may succeed later, and a [FaultError] for what a person must
// mend; any other error is for good.
type CodeHost interface {
	// Status sets the status of the telling's commit.
	Status(ctx context.Context, t decide.Telling) error
	// Comment makes the one comment of the pull request say these tellings, all of which are of it,
	// and returns its id. id is what was returned before, 0 if it is not known.
	Comment(ctx context.Context, ts []decide.Telling, id int64) (int64, error)
}

// Jobs are the jobs of GitHub's workflows, of which each run has one or more attempts. All give
// ErrNotFound for what is not there, or not shown to these credentials, ErrLater for what may succeed
// later, and a [FaultError] for what a person must mend; any other error is for good.
type Jobs interface {
	// Run reads a run of a repository, OWNER/NAME.
	Run(ctx context.Context, repository string, run int64) (decide.HostRun, error)
	// Since lists runs that were made at or after from, newest first, at most 100.
	Since(ctx context.Context, repository string, from time.Time) ([]decide.HostRun, error)
	// UnderWay lists runs that have not ended, at most 200.
	UnderWay(ctx context.Context, repository string) ([]decide.HostRun, error)
	// Of lists all jobs of an attempt of a run, in any order.
	Of(ctx context.Context, repository string, run int64, attempt int) ([]decide.HostJob, error)
	// Rerun has the job run again, in a new attempt of its run. It gives ErrLater while the run has not
	// ended, and ErrFinal if there is a newer attempt already: called twice, it makes one.
	Rerun(ctx context.Context, repository string, job int64) error
}

// Journal keeps lines for metrics and audit.
type Journal interface {
	Record(o decide.Outcome)
	// Asked keeps a command that a person sent, also one that was refused.
	Asked(a decide.Asked)
	// Told keeps what developers were told at their code host, or were not.
	Told(t decide.Told)
}

// Queue brings a case back to the healer later.
type Queue interface {
	// Later asks that the case be resumed at or after the time.
	Later(ctx context.Context, caseID string, at time.Time) error
	// Cure asks that the case be resumed soon, in a row with others that wait for their roles.
	Cure(ctx context.Context, caseID string) error
	// Release asks that the cases which follow another one be released at or after the time.
	Release(ctx context.Context, m Release, at time.Time) error
}

// Clock tells the time.
type Clock interface{ Now() time.Time }

// Item is one record of the ledger.
type Item struct {
	Kind    string // see record.go
	ID      string
	Version int64     // as stored; 0: nothing is stored
	Due     time.Time // place in the order of [Store.Between]; zero: in none
	Expires time.Time // may be forgotten after; zero: never
	Data    []byte
}

// Store is the ledger's storage: single items, each written only if nobody else
// has written it in the meantime.
type Store interface {
	// Get reads an item; ErrNotFound if there is none.
	Get(ctx context.Context, kind, id string) (Item, error)
	// Put writes the item if the stored version is still it.Version, and
	// returns it with its new version. ErrConflict if it is not. It holds at least
	// [MaxData] of packed data, and gives ErrTooLarge for what it cannot hold.
	Put(ctx context.Context, it Item) (Item, error)
	// Between lists items of the kind that are due in [from, to), in order of
	// Due, oldest first, or newest first if newest; at most limit.
	Between(ctx context.Context, kind string, from, to time.Time, newest bool, limit int) ([]Item, error)
	// Count adds one to a counter on behalf of by, unless that would take it past
	// max, and reports whether by is counted. Never are fewer counted than were and were not given back. The
	// same by is counted once while fewer than [Remembered] others were counted in
	// between; after that it may be counted again, which is the safe side: what a
	// counter takes up does not grow with what it counts. Counters may be deleted
	// after expires.
	Count(ctx context.Context, id, by string, max int, expires time.Time) (bool, error)
	// GiveBack takes back that by was counted, so that somebody else has the place. Who is not counted,
	// or no longer remembered, is left as it is: it may be called again.
	GiveBack(ctx context.Context, id, by string) error
	// Turn counts by as Count does, and gives it a turn: a time from p.From on that is at
	// least p.Every after each turn that the counter gave before. Whoever asks again gets
	// another turn, and "" gets one without being counted. It gives [ErrLater], and
	// counts nobody, if the turn would be after p.Latest.
	Turn(ctx context.Context, id, by string, max int, expires time.Time, p Pace) (at time.Time, ok bool, err error)
	// Room reports whether Count would count by now. It reserves nothing: by the
	// time of Count the place may be gone.
	Room(ctx context.Context, id, by string, max int) (bool, error)
}

// Pace says how closely turns follow each other, and which time a turn may have.
type Pace struct {
	From, Latest time.Time
	Every        time.Duration
}

// ResumeMessage is the message that brings a case back to the healer.
type ResumeMessage struct {
	Continue struct {
		Case string `json:"case"`
	} `json:"continue"`
}

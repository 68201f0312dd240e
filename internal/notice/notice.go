// Package notice turns a [decide.Outcome] into an e-mail, a chat card and JSON for programs, and
// into metrics and an audit line. It is pure.
//
// Whatever an outcome holds of a build's log, of its source and of IAM is untrusted. It passes
// one gate, the making of a [Notice]: every text in a Notice is redacted, printable, free of
// links and bounded. E-mail, card and JSON are made of the same Notice.
//
// Words: a [view] is an outcome with all that is derived from it; wording chooses the sentences;
// a [Change] is one thing in AWS that was or would be changed, and a roundChange is one round's
// part in it; a sample is an outcome that the tests keep the notices of (a story is played by
// package story); a denial is what a log says and not yet a fact.
package notice

import (
	"encoding/json"
	"time"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/diagnose"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// Schema names the JSON format of a notice and its version. Within a version, keys are only
// added. schema.json describes the format.
const Schema = "buildmedic.notice/1"

// Notice is the content of a notice, and its JSON format.
type Notice struct {
	Schema string      `json:"schema"`
	ID     string      `json:"id"` // the same for a notice that is sent again
	Kind   decide.Kind `json:"kind"`
	At     time.Time   `json:"at"`
	// Headline is a line without project and kind, Lead a sentence with the
	// project: what happened to what. Todo is a line: what a person should do.
	// The two are what a phone shows first. Summary is two or three sentences.
	Headline string `json:"headline"`
	Lead     string `json:"lead"`
	Todo     string `json:"todo"`
	Summary  string `json:"summary"`
	Note     string `json:"note,omitempty"`
	Repeats  int    `json:"repeats"` // equal failures beyond the first that this stands for
	// HealSeconds is the time from the failed build's end to the green one's.
	HealSeconds int `json:"heal_seconds,omitempty"`

	Case     Case            `json:"case"`
	Mode     settings.Mode   `json:"mode,omitempty"`
	Cause    string          `json:"cause,omitempty"`
	Remedy   diagnose.Remedy `json:"remedy,omitempty"`
	Build    *Build          `json:"build,omitempty"`
	Failure  *Failure        `json:"failure,omitempty"`
	Proof    []string        `json:"proof"`    // how well the cause is proved, a sentence each
	Timeline []Event         `json:"timeline"` // what was done
	Why      string          `json:"why,omitempty"`
	Refusals []Refusal       `json:"refusals"` // why nothing was done
	Grants   []Grant         `json:"grants"`   // what allowed it
	Changes  []Change        `json:"changes"`
	// Requests are the pull requests that ask for it in the code that owns the role's policy, or asked.
	Requests []Request `json:"requests,omitempty"`
	// Holders are who else has, or would have, what the role is given.
	Holders *Holders `json:"holders,omitempty"`
	// Followers are the other builds that the same change cured.
	Followers *Followers `json:"followers,omitempty"`
	// Incident is what fails in many projects of one cause.
	Incident *Incident `json:"incident,omitempty"`
	// Then is what would follow a change that was not made (yet).
	Then     string    `json:"then,omitempty"`
	Next     []string  `json:"next"` // what happens now, and what a person should do
	Commands []Command `json:"commands"`
	// Permanent are snippets that put the changes into the team's own code.
	Permanent []Snippet `json:"permanent"`
	Links     Links     `json:"links"`
	Settings  string    `json:"settings,omitempty"` // SHA-256 of the settings decided under
	Plan      string    `json:"plan,omitempty"`     // SHA-256 of the plan
	// Until is until when the plan can be approved, of a proposed one.
	Until time.Time `json:"until,omitzero"`
	// Orders are what persons told the healer to do about the case, oldest first.
	Orders []Order `json:"orders,omitempty"`
	// Cut lists what was left out to keep the notice within SNS's limit.
	Cut []string `json:"cut,omitempty"`

	elsewhere string // account, or region, of the project if it is not the healer's own
	function  string // the healer's own; "" at a desk
	region    string // of it
	pause     string // names the pause that it tells of
	changed   bool   // something was changed in the case
	through   bool   // see [view]
	asked     bool   // see [view.askedForGood]
	noted     bool   // of a case that waits for requests: a note says how it stands with them
	approved  bool   // a person approved what was done
	other     string // the role that it is about, if that is not the build's own
	beyond    bool   // a change that waits is for more than its grant's project
	certainty string // of a change that waits, how well the denial is proved, in a line
	besides   string // of the summary, what a mail says nowhere else
	to        decide.Audience
}

// Order is what a person told the healer to do. By and Via are as the sender says, and prove
// nothing; Request finds who it was in CloudTrail (AWS.md#caller).
type Order struct {
	Verb    decide.Verb `json:"verb"`
	At      time.Time   `json:"at"`
	By      string      `json:"by,omitempty"`
	Via     decide.Via  `json:"via,omitempty"`
	Request string      `json:"request,omitempty"` // Lambda's id of the invocation
	Plan    string      `json:"plan,omitempty"`    // SHA-256
}

// Case tells which case a notice belongs to.
type Case struct {
	ID      string    `json:"id"`
	Account string    `json:"account"`
	Region  string    `json:"region"`
	Project string    `json:"project"`
	Owner   string    `json:"owner,omitempty"` // of the project, as the settings have it
	Commit  string    `json:"commit"`
	Round   int       `json:"round"` // from 1
	Opened  time.Time `json:"opened,omitzero"`
	Closed  time.Time `json:"closed,omitzero"`
}

// Build is the failed build.
type Build struct {
	ID        string    `json:"id"` // PROJECT:UUID
	ARN       string    `json:"arn"`
	Number    int64     `json:"number,omitempty"`
	Source    string    `json:"source_version,omitempty"`
	Commit    string    `json:"commit,omitempty"`
	Initiator string    `json:"initiator,omitempty"`
	Role      string    `json:"role,omitempty"` // ARN of its service role
	Ended     time.Time `json:"ended,omitzero"`
	Retry     string    `json:"retry,omitempty"` // id of the build that was started for it
	// Action is the pipeline's action that failed without a build; the ids above are then those of its runs.
	Action *Action `json:"action,omitempty"`
}

// Action is an action in one execution of a pipeline.
type Action struct {
	Pipeline  string `json:"pipeline"`
	Execution string `json:"execution"`
	Stage     string `json:"stage"`
	Name      string `json:"name"`
}

// Failure is what failed, and why.
type Failure struct {
	Phase       string          `json:"phase,omitempty"`
	Command     string          `json:"command,omitempty"`
	Context     string          `json:"context,omitempty"` // what CodeBuild says of the phase
	Line        int             `json:"line,omitempty"`    // of the log, from 1; 0 in a phase context
	Text        string          `json:"text,omitempty"`    // that line
	Origin      buildlog.Origin `json:"origin,omitempty"`
	Title       string          `json:"title"`
	Advice      string          `json:"advice,omitempty"`
	Denials     []Denial        `json:"denials"`
	Tests       []Test          `json:"tests,omitempty"`      // that failed, by name
	MoreTests   int             `json:"more_tests,omitempty"` // how many more failed
	Excerpt     []buildlog.Line `json:"excerpt"`
	Also        []Also          `json:"also,omitempty"` // what failed besides, after the build had failed
	Fingerprint string          `json:"fingerprint,omitempty"`
	// Since is what is new since the last green build; nil: nothing was compared.
	Since *Since `json:"since,omitempty"`
}

// Also is what failed besides: a command of a finally block, or a later phase.
type Also struct {
	What string `json:"what"`           // "phase POST_BUILD, command ./notify.sh, exit status 1"
	Line int    `json:"line,omitempty"` // of the log; 0 if only the build's record says so
}

// Denial is one access-denied message.
type Denial struct {
	Principal string          `json:"principal,omitempty"`
	Action    string          `json:"action,omitempty"`
	Operation string          `json:"operation,omitempty"` // where no action is known
	Resource  string          `json:"resource,omitempty"`
	Effect    buildlog.Effect `json:"effect"`
	Layer     buildlog.Layer  `json:"layer"`
	PolicyARN string          `json:"policy_arn,omitempty"`
	Line      int             `json:"line,omitempty"`
	// Origin is where the denial was found; "" in notices from before it was told.
	Origin buildlog.Origin `json:"origin,omitempty"`
}

// Event is one thing that happened.
type Event struct {
	At   time.Time `json:"at"`
	What string    `json:"what"`
}

// Refusal is one reason why nothing was granted.
type Refusal struct {
	Rule     guardrail.Rule `json:"rule"`
	Action   string         `json:"action,omitempty"`
	Resource string         `json:"resource,omitempty"`
	Message  string         `json:"message"`
	Entry    string         `json:"entry,omitempty"` // for buildmedic.yaml
}

// Grant is an entry of the settings that was used.
type Grant struct {
	ID       string            `json:"id"`
	Because  string            `json:"because"`
	Owner    string            `json:"owner"`
	Evidence settings.Evidence `json:"evidence"`
	Expires  time.Time         `json:"expires,omitzero"`
}

// Change is one thing that was changed, or that would be.
type Change struct {
	What   What   `json:"what"`
	Status Status `json:"status"`
	// Name is the policy's name or ARN, the repository's name, the buildspec's
	// path or the role's ARN.
	Name string `json:"name"`
	Role string `json:"role,omitempty"` // policies: the role's ARN
	// Before and After are a managed policy's default versions, the
	// buildspec's paths, the project's role ARNs.
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
	// The policy's statements that came and went, and how many stayed.
	Added   []json.RawMessage `json:"added,omitempty"`
	Removed []json.RawMessage `json:"removed,omitempty"`
	Kept    int               `json:"kept,omitempty"`
	// Dropped is the managed policy's version that goes to make room, and when it
	// was made; its document is kept with the case.
	Dropped string `json:"dropped,omitempty"`
	// Document is the whole policy as it is with the change, or, for one that
	// was undone, without it; nil if there is none.
	Document json.RawMessage `json:"document,omitempty"`

	added, removed []iampolicy.Statement
	holds          []iampolicy.Statement // attached policies: what they hold at most
	fresh          bool                  // there was no policy before
	project        string                // whose builds it is for
	home           codebuild.ARN         // partition, account and region of the project
	sets           []string              // of the grants that were used
}

// Holders are who has what a role is given beside the project's own branches:
// everyone who runs as the role.
type Holders struct {
	Says         string              `json:"says"`          // a sentence
	Projects     []string            `json:"projects"`      // other projects; if there are many, some and how many more
	PullRequests decide.PullRequests `json:"pull_requests"` // whether builds of pull requests have it; "" if none are known
}

// What kind of thing was changed.
type What string

// The things that can be changed.
const (
	InlinePolicy     What = "inline-policy"
	ManagedPolicy    What = "managed-policy"
	AttachedPolicies What = "attached-policies"
	PolicyInCode     What = "policy-in-code"
	Repository       What = "repository"
	Buildspec        What = "buildspec"
	ProjectRole      What = "project-role"
)

// Status of a change.
type Status string

// The statuses.
const (
	Done       Status = "done"
	Partly     Status = "partly" // given up half done, and could not be taken back
	TakenBack  Status = "undone"
	TakenOut   Status = "permanent" // taken out of IAM again, since code gives it
	WaitsFor   Status = "proposed"
	AskedFor   Status = "requested" // in the code that owns the policy
	WouldBe    Status = "would"     // in mode observe
	WasPlanned Status = "planned"
)

// Command is something that the team can have the healer do.
type Command struct {
	Name    string          `json:"name"` // approve, reject, undo, status, replay, pause, resume
	Payload json.RawMessage `json:"payload"`
	Line    string          `json:"line"` // for a shell
}

// Snippet is code that makes a change permanent.
type Snippet struct {
	For  string `json:"for"` // "AWS CDK (TypeScript)", "Terraform", "AWS CLI", …
	Text string `json:"text"`
}

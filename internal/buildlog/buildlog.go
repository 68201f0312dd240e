// Package buildlog turns what a failed build printed into facts: phases,
// the command that failed, an excerpt, and every access-denied claim.
//
// The text is hostile: anyone who can run code in a build can print a
// perfect denial. So a [Denial] is a claim and never a permission.
//
// A log is read in one pass (scan.go), which only looks for anchors: literals
// of which every denial, and every line of CodeBuild's agent, has one
// (anchors.go). What lies around them is cleaned (clean.go, prefix.go,
// columns.go) and read with the grammar of denials: AWS's own sentence
// (grammar.go, resource.go, tail.go) and what tools print instead of it
// (wrapped.go, shapes.go). The agent's lines tell which part of the log
// belongs to the failure (track.go).
package buildlog

import "github.com/buildmedic/buildmedic/internal/codebuild"

// Effect says whether AWS found no allow or a deny.
type Effect string

// The effects. Unstated: the text does not say.
const (
	Implicit Effect = "implicit"
	Explicit Effect = "explicit"
	Unstated Effect = "unstated"
)

// Layer is the kind of policy that AWS blames (AWS.md#denial-layers).
type Layer string

// The layers.
const (
	IdentityBased       Layer = "identity-based-policy"
	ResourceBased       Layer = "resource-based-policy"
	PermissionsBoundary Layer = "permissions-boundary"
	SessionPolicy       Layer = "session-policy"
	ServiceControl      Layer = "service-control-policy"
	ResourceControl     Layer = "resource-control-policy"
	VPCEndpoint         Layer = "vpc-endpoint-policy"
	RoleTrust           Layer = "role-trust-policy"
	LayerUnstated       Layer = "unstated"
)

// Origin says where a denial was found.
type Origin string

// The origins.
const (
	FromLog     Origin = "log"     // printed by the build
	FromPhase   Origin = "phase"   // in a phase context, which CodeBuild itself writes
	FromReport  Origin = "report"  // in a test report of CodeBuild
	FromStack   Origin = "stack"   // in an event of a CloudFormation stack
	FromDecoded Origin = "decoded" // from sts:DecodeAuthorizationMessage
)

// Denial is one access-denied claim.
type Denial struct {
	Principal string `json:"principal"` // ARN as printed; "" if the text names none
	// Subject is who was denied where the text says it in words that rule out the build's own
	// session: "the provided execution role"; "" otherwise.
	Subject   string `json:"subject,omitempty"`
	Action    string `json:"action"` // "ecr:PutImage"; "" if neither action nor operation is named
	Operation string `json:"operation,omitempty"`
	// Resource is as printed, unquoted; "" if the text does not say; "*" if it
	// says so. Where the text, or the failed command, names one certain resource in another way, by
	// a URL or an option, it is that one's ARN.
	Resource string `json:"resource"`
	// Near is what the text, or the failed command, names near a denial whose Resource is "",
	// and what it may be about: ARNs, or patterns of some with * and ?, separated by a space. What
	// does not cover every one of them may be the wrong grant.
	Near      string `json:"near,omitempty"`
	Effect    Effect `json:"effect"`
	Layer     Layer  `json:"layer"`
	PolicyARN string `json:"policy_arn"` // the denying policy, where AWS names it
	// Reason is why AWS refused, as printed, where it gives a reason that is no known layer: no
	// permission is certain to cure it. "" otherwise.
	Reason  string `json:"reason,omitempty"`
	Encoded string `json:"-"` // EC2's encoded authorization message, complete; see [DecodeMessage]
	// EncodedCut: there was such a message, but not all of it.
	EncodedCut bool `json:"-"`
	// Authorization is where AWS keeps the details of the request; zero if the message does not say.
	Authorization Authorization `json:"authorization,omitzero"`

	Line   int    `json:"line"`           // 1-based line of the log in which the message starts; 0 in a phase context
	Text   string `json:"text,omitempty"` // the message as it was read: cleaned, one line, bounded
	Origin Origin `json:"origin,omitempty"`

	// Bare: an answer of 403 without a body is all that the text shows. An expired login and
	// another account's policy give the same, so no permission is certain to be missing
	// (AWS.md#bare-403).
	Bare bool `json:"bare,omitempty"`
	// Causal is false for a denial that did not fail the build: printed
	// outside the failed command, or by a step that went on (AWS.md#failed-command).
	Causal bool `json:"causal"`
	// Inferred: the action was derived from an API operation or a known
	// text, not printed as an action.
	Inferred bool `json:"inferred,omitempty"`
	// Over: behind the message, a carriage return began its line anew, and something was written over it.
	Over bool `json:"over,omitempty"`
	// Verdict is what diagnose thinks of the claim as evidence. Read leaves it zero.
	Verdict Verdict `json:"verdict,omitzero"`
}

// Verdict says what a claim proves, and from what that was concluded; diagnose has the words.
type Verdict struct {
	Finding  string `json:"finding"`            // explains, or why it does not: shown, tolerated, contested, …
	Speaker  string `json:"speaker,omitempty"`  // who prints the line: tool, test, trace, …; "" if it was not looked at
	Whose    string `json:"whose,omitempty"`    // whose denial it is: own, unattributed, another
	Survived string `json:"survived,omitempty"` // the sign that the command went on
	Rival    string `json:"rival,omitempty"`    // the cause that another line proves
	// RivalLine is that line, or the later error that ended the command; 0 without one.
	RivalLine int `json:"rival_line,omitempty"`
}

// Failure is the facts of one failed build. Everything in it that came out
// of the log is a claim.
type Failure struct {
	Build   codebuild.Build
	Phase   string            // type of the first failed phase, "" if unknown
	Context codebuild.Context // its first non-empty context
	Command string            // the command that failed, "" if none
	Exit    string            // its exit status as printed, "" if none
	Denials []Denial          // all distinct ones, in order
	Dropped int               // how many more denials there were: only the first and last are kept
	Excerpt []Line            // what a person should read first, at most 40 lines
	Tail    []Line            // the failed command's lines that causes are matched against, bounded
	// Odd are the numbers of the lines of Tail that are like no others of a long output.
	Odd []int
	// TookRole: a command before the failed one took other credentials than the service role's.
	TookRole bool
	// Fetched: a command before the failed one, which passed, gets something from the Internet.
	Fetched bool
	// Long are the last of these lines that are JSON and longer than Tail has them: some tools
	// print a whole report in one.
	Long []Line
	// Also is what failed besides, later or as a part of the same phase's clean-up: never the
	// cause.
	Also []Also
	// Tests are the failed cases of CodeBuild's own test reports, and MoreTests is how many more
	// there are. Read leaves both zero.
	Tests     []codebuild.TestCase
	MoreTests int
	// Roles are the names of other roles of the build's account with which the settings say that it
	// deploys. Read leaves it empty.
	Roles []string
	// Job is what the log shows of a job that the build ran for a code host; nil: nothing. Read leaves
	// it nil: see [ReadJob].
	Job   *Job
	NoLog bool // there was no log to read
	Cut   bool // the log was read only in part; line numbers count from the part's start
	// Undecoded is how many complete encoded messages STS was not asked about,
	// by decision; a reader that never asks leaves it 0.
	Undecoded int
}

// Also is a part of the build that failed too, though it did not fail the build: a command of a
// finally block, or a phase that runs after the failed one (AWS.md#failed-command).
type Also struct {
	Phase   string `json:"phase"`             // "POST_BUILD", "UPLOAD_ARTIFACTS"
	Command string `json:"command,omitempty"` // "" if no command failed
	Exit    string `json:"exit,omitempty"`    // its exit status as printed
	Message string `json:"message,omitempty"` // the phase's context, without the command
	Line    int    `json:"line,omitempty"`    // of the log, where it is said; 0 if only the build record says so
}

// Line is a cleaned line of the log.
type Line struct {
	N    int    `json:"n"`
	Text string `json:"text"`
}

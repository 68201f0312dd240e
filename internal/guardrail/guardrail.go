// Package guardrail judges what may be granted: principal, account, origin,
// layer, floor, allowlist, the shape of the statement, the whole, its size
// and its proof. It is pure. The text of a denial never widens anything:
// only the settings are consent.
package guardrail

import (
	"slices"
	"time"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// Rule names why something was refused. The set is closed; [Rules] lists it
// in the order of the guardrails.
type Rule string

// Refusal is a typed reason why nothing was granted. It is an outcome, never
// an error.
type Refusal struct {
	Rule     Rule   `json:"rule"`
	Action   string `json:"action"`   // "" if it concerns no single action
	Resource string `json:"resource"` // "" if it concerns no single resource
	Message  string `json:"message"`  // what stood in the way and what the owner could change
	// Entry is the settings entry (YAML) that would have allowed it, "" if
	// no entry may.
	Entry string `json:"entry,omitempty"`
}

// RoleState is the service role, or another one that is in hand, as IAM has it now.
type RoleState struct {
	Role     codebuild.Role
	Inline   map[string]string // policy name → document as IAM gave it, URL-decoded
	Managed  []ManagedPolicy   // the attached ones
	Named    *ManagedPolicy    // the one that settings name under write.managed; nil if it does not exist
	Boundary *ManagedPolicy    // nil: none
	Trust    string            // trust policy document
	Linked   bool              // service-linked: path /aws-service-role/
	Template string            // iam role template ARN, "" if none
}

// ManagedPolicy is a managed policy with its default version's document.
type ManagedPolicy struct {
	ARN      string
	Document string
	Default  string    // "v3"
	Versions []Version // only for RoleState.Named
	Users    []string  // ARNs or names of other principals that use it; only for RoleState.Named
	Attached bool      // to this role
}

// Version is one version of a managed policy.
type Version struct {
	ID      string
	Created time.Time
}

// Question is one call that the simulator is asked about.
type Question struct {
	Action   string
	Resource string
	Context  map[string][]string
}

// Answer is the simulator's answer to the question with the same index.
type Answer struct {
	Verdict iampolicy.Verdict
	By      string   // what decided, as the simulator says: a policy's name, [ByBoundary], [ByOrganizations]; may be ""
	Missing []string // context keys that were not supplied
}

// What [Answer.By] says where no policy of the role itself decided. No policy has such a name:
// IAM takes no "/" there.
const (
	ByBoundary      = "layer/boundary"
	ByOrganizations = "layer/organizations"
)

// Input is what [Judge] knows.
type Input struct {
	Settings *settings.Settings
	Project  settings.Project // or what it is for one of its other roles, which makes no difference
	Build    codebuild.Build
	Denials  []buildlog.Denial // the causal ones
	Role     RoleState
	// Before holds the answers to [Questions] of the same input, in order.
	// Any other number of answers counts as none.
	Before []Answer
	// Trail says per denial that CloudTrail has confirmed it; nil: of none.
	Trail []bool
	// Recorded says per denial what AWS's own record of the request says of it; nil: of none.
	Recorded []Recorded
	Now      time.Time
	// PullRequests is what is known of pull requests that would get it, too.
	PullRequests PullRequestBuilds
	// Given is how many resources earlier rounds of the case were given one by one;
	// see Judgement.Pieces.
	Given int
	// Healer lists ARNs (patterns with * allowed) of the healer's own parts.
	Healer []string
	// Source lists ARNs (the same) of what the healer is deployed from: who can
	// write there decides what it will do. Reading there is harmless.
	Source []string
	// Qualifier is that of the CDK's bootstrap with which the healer was deployed; "" if it is not known.
	Qualifier string
}

// PullRequestBuilds is what is known of builds of pull requests that have what the
// project is given. Its zero value is that nothing is known.
type PullRequestBuilds struct {
	Read bool // it was looked for
	// Own: only among the builds of the project itself, which is enough for what is
	// scoped to it.
	Own   bool
	Built []string // who builds them, and how that is known; at most a few
	// Unread is why not all of it could be read, "" if it could.
	Unread string
}

// TargetKind is a way to write what is granted; see [settings.Write].
type TargetKind string

// The kinds of target.
const (
	Inline  TargetKind = "inline"
	Managed TargetKind = "managed"
	Attach  TargetKind = "attach"
	// Code is a file of a repository, for which a pull request asks: nothing is written in IAM.
	Code TargetKind = "code"
)

// Target is where a grant is to be written.
type Target struct {
	Kind   TargetKind
	Name   string // inline: policy name; managed: policy ARN; code: the file
	Before string // document there now, exactly; "" if there is none
	// BeforeVersion is the managed policy's default version; "" otherwise.
	BeforeVersion string
	After         string   // inline, managed: the complete next document, canonical; code: what is asked for alone
	Attach        []string // attach: ARNs to attach
	// Holds tells for each of Attach what its policy holds at most: the
	// document that the stack made of the grant.
	Holds       map[string]string `json:",omitempty"`
	DropVersion string            // managed: version to delete first, "" if none
	DropCreated time.Time         `json:",omitzero"` // when that version was made
}

// Used tells what of a grant is used.
type Used struct {
	Grant      string                `json:"grant"`
	Because    string                `json:"because"`
	Owner      string                `json:"owner"`
	Statements []iampolicy.Statement `json:"-"`
	Expires    time.Time             `json:"expires,omitzero"`
	Evidence   settings.Evidence     `json:"evidence"`
}

// Scoped reports whether all that would be added is for builds of the project alone,
// and for nobody else who runs as the role.
func (j Judgement) Scoped() bool {
	return len(j.Added) > 0 &&
		!slices.ContainsFunc(j.Added, func(st iampolicy.Statement) bool { return len(settings.ScopeOf(st)) == 0 })
}

// Judgement is what the guardrails say of one build's denials. Either
// Refusals is non-empty and nothing is granted; or Allowed is true and the
// role has what was denied already; or Target says what to write. If the
// policy says it all already and IAM refuses nonetheless, Target.After is
// Target.Before and Added is empty.
type Judgement struct {
	Refusals []Refusal
	// NeedsTrail: nothing but CloudTrail's word is missing. Judge again with
	// Input.Trail once it may be there.
	NeedsTrail bool
	// NeedsPullRequests: Input.PullRequests was not read, or of other projects than
	// those that Scoped says, and what would be granted hangs on it. Judge again once
	// it is.
	NeedsPullRequests bool
	Allowed           bool
	Target            *Target
	Used              []Used
	// Added are the statements that Target adds to Target.Before.
	Added []iampolicy.Statement
	// Proof are the calls that must be allowed with Target written: what
	// was denied, and nothing else.
	Proof []Question
	// Pieces is how many resources Target gives one by one, each of them one of
	// many that a pattern of a grant covers.
	Pieces int
	// Offer says why Target gives a grant's own pattern in their place, which only a
	// person may approve; "" if it does not.
	Offer string
	// Ask says why a person must approve Target, since builds of pull requests would
	// have it, too; "" if none need to.
	Ask string
}

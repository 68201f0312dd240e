// Package iampolicy reads, compares, merges and evaluates IAM policy
// documents. It is pure and knows nothing of builds.
//
// # Reading and printing
//
// [Parse] reads what is to be written again, [ParseLoose] what is only to be
// judged. [Document.Canonical] and [Document.Compact] print; statements that
// were read are kept byte for byte. [Size] counts as IAM's quotas do, and
// [Validate] checks IAM's own rules before IAM does.
//
// # Judging
//
// [Evaluate] answers one request, [Contains] compares whole documents. Both
// are careful in the same direction: where IAM's behaviour is not documented,
// or not all of a request is known, the answer is [Unknown], or false. So
// Allowed and true can be relied on; the other answers say only that.
//
// # Changing
//
// [Allow] makes a statement, [Merge] adds what a document lacks, [Unite] and
// [Divide] put statements for several values of a key into one and take them out
// again, and [Diff] tells people what changed.
package iampolicy

import "time"

// Document is a policy document. Whether an element was a scalar or a list is
// kept, so that a document that is parsed and printed keeps its meaning and
// its form.
type Document struct {
	Version    string // "2012-10-17" or "2008-10-17"; "" is "2012-10-17"
	ID         string
	Statements []Statement
}

// version is the version that the document is read by.
func (d Document) version() string {
	if d.Version == "" {
		return version2012
	}
	return d.Version
}

// Values is a scalar-or-list element. The zero value is an absent element.
type Values struct {
	List   []string
	Scalar bool // printed as a scalar; only if len(List) == 1
}

// Statement is one statement. Exactly one of Action and NotAction is
// non-empty, and likewise of Resource and NotResource.
type Statement struct {
	Sid                   string
	Effect                string // "Allow" or "Deny"
	Action, NotAction     Values
	Resource, NotResource Values
	Condition             []Condition // sorted by operator, then key
	// Raw is the statement's bytes as they were read, "" for one made here.
	// Printing uses it, so that foreign statements are kept byte for byte, as
	// long as it says what the other fields say.
	Raw string
}

// Condition is one operator-key pair with its values.
type Condition struct {
	Operator string // "StringEquals", "ForAnyValue:StringLike", "ArnLikeIfExists", …
	Key      string // "iam:PassedToService"
	Values   Values
}

// Verdict is the answer to a request. Unknown means that the answer hangs on
// a condition that this package cannot evaluate or whose context value is
// missing; it is never to be read as Allowed.
type Verdict int

// The verdicts.
const (
	ImplicitDeny Verdict = iota
	ExplicitDeny
	Allowed
	Unknown
)

// String names the verdict as IAM's simulator does, if it has a name there.
func (v Verdict) String() string {
	switch v {
	case ImplicitDeny:
		return "implicitDeny"
	case ExplicitDeny:
		return "explicitDeny"
	case Allowed:
		return "allowed"
	}
	return "unknown"
}

// Request is one call to be judged.
type Request struct {
	Action   string              // "ecr:PutImage", any case
	Resource string              // an ARN, or "*" for an action without resources
	Context  map[string][]string // condition keys, any case → values
	Now      time.Time           // aws:CurrentTime; zero: unknown
}

// Access is everything that limits or gives a principal its identity-based
// permissions.
type Access struct {
	Policies []Document // inline and managed, all together
	Boundary *Document  // nil: none
}

// Match tells which statement decided.
type Match struct {
	Policy    int // index in Access.Policies, -1 for the boundary or none
	Statement int // -1 if none
}

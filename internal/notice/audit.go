package notice

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"time"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/diagnose"
	"github.com/buildmedic/buildmedic/internal/lazyregexp"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// auditSchema names the format of the audit line and its version.
const auditSchema = "buildmedic.audit/1"

// audit is one line: which role was given what, under which settings.
type audit struct {
	Schema   string          `json:"audit"`
	At       time.Time       `json:"at"`
	Notice   string          `json:"notice"`
	Kind     decide.Kind     `json:"kind"`
	Case     string          `json:"case"`
	Account  string          `json:"account"`
	Region   string          `json:"region"`
	Project  string          `json:"project"`
	Commit   string          `json:"commit,omitempty"`
	Build    string          `json:"build,omitempty"`
	Round    int             `json:"round"`
	Step     decide.Step     `json:"step,omitempty"`
	Mode     settings.Mode   `json:"mode,omitempty"`
	Cause    string          `json:"cause,omitempty"`
	Remedy   diagnose.Remedy `json:"remedy,omitempty"`
	Role     string          `json:"role,omitempty"`
	Settings string          `json:"settings,omitempty"` // SHA-256
	Plan     string          `json:"plan,omitempty"`     // SHA-256
	Approved string          `json:"approved,omitempty"` // SHA-256 of the plan that a person approved
	Approval *Order          `json:"approval,omitempty"` // who sent it, as far as is known
	Grants   []Grant         `json:"grants"`
	Refusals []auditRefusal  `json:"refusals"`
	Write    *auditWrite     `json:"write,omitempty"`
	Change   string          `json:"change,omitempty"` // repository, buildspec or role
	Route    decide.Route    `json:"route,omitempty"`
	Retry    string          `json:"retry,omitempty"`
	Written  time.Time       `json:"written,omitzero"`
	Undone   time.Time       `json:"undone,omitzero"`
}

type auditRefusal struct {
	Rule     string `json:"rule"`
	Action   string `json:"action,omitempty"`
	Resource string `json:"resource,omitempty"`
}

type auditWrite struct {
	Kind    string   `json:"kind"`
	Role    string   `json:"role,omitempty"` // ARN, if it is not the build's
	Name    string   `json:"name,omitempty"`
	Attach  []string `json:"attach,omitempty"`
	Before  string   `json:"before,omitempty"` // SHA-256 of the document; "" if there was none
	After   string   `json:"after,omitempty"`
	From    string   `json:"from,omitempty"` // versions of a managed policy
	To      string   `json:"to,omitempty"`
	Dropped string   `json:"dropped,omitempty"`
}

// Audit returns one line of JSON, without a newline, that records a decision and its result:
// settings, plan and the policy before and after by their hashes, and the grants and refusals.
// It repeats no text of a build's log: of a denial it keeps an action and a resource only if
// they are well-formed.
func Audit(o decide.Outcome) []byte {
	v, c := newView(o), caseOf(o)
	a := audit{
		Schema:   auditSchema,
		At:       o.At.UTC(),
		Notice:   id(o.ID),
		Kind:     o.Kind,
		Case:     c.ID,
		Account:  c.Account,
		Region:   c.Region,
		Project:  c.Project,
		Commit:   c.Commit,
		Round:    c.Round,
		Grants:   grants(v),
		Refusals: []auditRefusal{},
	}
	if r := v.latest; v.ofBuild {
		a.Build, a.Step, a.Retry, a.Written, a.Undone = id(r.Build.ID), r.Step, id(r.Retry), utc(r.Written), utc(r.Undone)
		if approved(r) {
			a.Approved = id(r.Approved)
		}
		for _, o := range o.Case.Orders {
			if approved(r) && o.Verb == decide.Approve && o.Plan == r.Approved {
				approval := orderOf(o)
				a.Approval = &approval
			}
		}
		if role, ok := r.Build.Role(); ok {
			a.Role = id(role.ARN())
		}
		if r.Diagnosis != nil {
			a.Cause = id(r.Diagnosis.Cause)
		}
		if r.Decision != nil {
			a.decided(v)
		}
	}
	return []byte(jsonText(a))
}

// maxAudited is the longest resource that an audit line repeats.
const maxAudited = 320

// maxAction is the longest action: service prefix and name.
const maxAction = 64 + len(":") + 128

var (
	isAction   = lazyregexp.New(`^[a-z0-9-]+:[A-Za-z0-9]+$`)
	isResource = lazyregexp.New(`^(?:\*|arn:[a-z0-9-]+:[a-z0-9-]+:[a-z0-9-]*:(?:[0-9]{12}|aws)?:[^\s"']+)$`)
)

func (a *audit) decided(v *view) {
	r, d := v.latest, v.latest.Decision
	a.Mode, a.Remedy, a.Settings, a.Plan = d.Mode, d.Remedy, id(d.Settings), v.planHash
	for _, f := range d.Refusals[:min(len(d.Refusals), maxRefusals)] {
		x := auditRefusal{Rule: id(string(f.Rule))}
		if len(f.Action) <= maxAction && isAction.MatchString(f.Action) {
			x.Action = f.Action
		}
		if len(f.Resource) <= maxAudited && isResource.MatchString(f.Resource) {
			x.Resource = id(f.Resource)
		}
		a.Refusals = append(a.Refusals, x)
	}
	p := d.Plan
	if p == nil {
		return
	}
	a.Route = p.Route
	switch {
	case p.Write != nil:
		t := p.Write
		a.Write = &auditWrite{Kind: id(string(t.Kind)), Name: id(t.Name), Before: sum(t.Before), After: sum(t.After),
			From: id(t.BeforeVersion), To: id(r.WrittenVersion), Dropped: id(t.DropVersion)}
		if other, ok := anotherRole(*p, r.Build); ok {
			a.Write.Role = id(other.ARN())
		}
		for _, arn := range slices.Sorted(slices.Values(t.Attach)) {
			a.Write.Attach = append(a.Write.Attach, id(arn))
		}
	case p.Repository != "":
		a.Change = id(p.Repository)
	case p.NewRole != "":
		a.Change = id(p.NewRole)
	case p.Buildspec != "":
		a.Change = quote(p.Buildspec, maxName)
	}
}

// sum returns a document's SHA-256 in hex, "" for no document.
func sum(doc string) string {
	if doc == "" {
		return ""
	}
	h := sha256.Sum256([]byte(doc))
	return hex.EncodeToString(h[:])
}

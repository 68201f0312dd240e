package guardrail

import (
	"maps"
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// Gave are the statements that t added to the document that was there; of one that other projects had
// before, the part for those that it was added for. It is empty where that cannot be told.
func (t Target) Gave() []iampolicy.Statement {
	before, after, ok := t.documents()
	if !ok {
		return nil
	}
	gave := added(before, after)
	// What is found must be all of it, and nothing else.
	if rest, n := takeOut(after, gave); n != len(gave) || len(iampolicy.Diff(before, rest)) > 0 {
		return nil
	}
	return gave
}

// Without gives the target by which exactly what t gave is taken out of the document there now, to which
// others may have given theirs since: its Before is the document then, "" if nothing is left of an inline
// policy, and its After the one now. ok is false unless each statement is there as it was given, or
// together with another project's, or none is there and nothing of them: then Before is After. It is false,
// too, where a managed policy would be left empty, which IAM may not take.
func (t Target) Without(now string) (next Target, ok bool) {
	gave := t.Gave()
	if len(gave) == 0 {
		return t, false
	}
	before, after, _ := t.documents()
	next = Target{Kind: t.Kind, Name: t.Name, Before: now, After: now}
	switch {
	case now == "":
		return next, t.Kind == Inline
	case iampolicy.Same(now, t.After):
		next.Before = t.Before
		return next, true
	}
	is, err := iampolicy.Parse([]byte(now))
	if err != nil {
		return t, false
	}
	left, n := takeOut(is, gave)
	switch {
	case n == 0 && !slices.ContainsFunc(gave, func(st iampolicy.Statement) bool { return touched(is, before, st) }):
		return next, true
	case n != len(gave) || is.Version != after.Version:
		return t, false
	case len(left.Statements) > 0:
		next.Before = string(left.Canonical())
	case t.Kind == Inline:
		next.Before = ""
	default:
		return t, false
	}
	return next, true
}

// documents reads what t replaces and what it puts there, of which there is one of each.
func (t Target) documents() (before, after iampolicy.Document, ok bool) {
	if t.Kind != Inline && t.Kind != Managed {
		return before, after, false
	}
	after, err := iampolicy.ParseLoose([]byte(t.After))
	if err != nil {
		return before, after, false
	}
	before = iampolicy.Document{Version: after.Version}
	if t.Before != "" {
		before, err = iampolicy.ParseLoose([]byte(t.Before))
	}
	return before, after, err == nil
}

// added are the statements of after that before does not have, scoped or not; see [gained].
func added(before, after iampolicy.Document) (out []iampolicy.Statement) {
	for _, st := range after.Statements {
		switch {
		case slices.ContainsFunc(before.Statements, alike(st)):
		case len(settings.ScopeOf(st)) > 0:
			out = append(out, gained(before, iampolicy.Document{Version: after.Version, Statements: []iampolicy.Statement{st}})...)
		default:
			out = append(out, st)
		}
	}
	return out
}

// takeOut takes statements out of a document: for their projects, of what is scoped, and as they are.
func takeOut(d iampolicy.Document, sts []iampolicy.Statement) (out iampolicy.Document, found int) {
	out = d
	out.Statements = slices.Clone(d.Statements)
	for _, st := range sts {
		if len(settings.ScopeOf(st)) > 0 {
			var n int
			out, n = iampolicy.Divide(out, []iampolicy.Statement{st}, settings.ProjectKey)
			found += n
			continue
		}
		if i := slices.IndexFunc(out.Statements, alike(st)); i >= 0 {
			out.Statements = slices.Delete(out.Statements, i, i+1)
			found++
		}
	}
	return out, found
}

// alike says the same, under the same name.
func alike(st iampolicy.Statement) func(iampolicy.Statement) bool {
	text := st.String()
	return func(t iampolicy.Statement) bool { return t.String() == text }
}

// touched reports whether the document has something of what was given, as somebody has changed it.
func touched(is, before iampolicy.Document, gave iampolicy.Statement) bool {
	if len(settings.ScopeOf(gave)) > 0 {
		return keepsOf(is, before, gave)
	}
	return slices.ContainsFunc(is.Statements, func(st iampolicy.Statement) bool { return strings.EqualFold(st.Sid, gave.Sid) })
}

// GaveWithin reports whether the documents allow all that t gave, wherever that is known with certainty:
// of what it wrote, the statements; of policies that it attached, those.
func (t Target) GaveWithin(role RoleState, docs []string) bool {
	inner := []iampolicy.Document{{Version: "2012-10-17", Statements: t.Gave()}}
	if t.Kind == Attach {
		inner = nil
		for _, p := range role.Managed {
			if slices.Contains(t.Attach, p.ARN) {
				d, err := iampolicy.Parse([]byte(p.Document))
				if err != nil {
					return false
				}
				inner = append(inner, d)
			}
		}
	} else if len(inner[0].Statements) == 0 {
		return false
	}
	var outer []iampolicy.Document
	for _, text := range docs {
		d, err := iampolicy.Parse([]byte(text))
		if err != nil {
			return false // it may deny anything
		}
		outer = append(outer, d)
	}
	ok, _ := iampolicy.Contains(outer, inner)
	return ok
}

// OtherDocuments are the role's policies, inline and attached, as they are once what t gave is out:
// next is what is left then of the policy that t wrote, "" if nothing is. Policies that t attached
// are none of them.
func OtherDocuments(role RoleState, t Target, next string) (docs []string) {
	for _, name := range slices.Sorted(maps.Keys(role.Inline)) {
		if t.Kind != Inline || !strings.EqualFold(name, t.Name) {
			docs = append(docs, role.Inline[name])
		}
	}
	for _, p := range role.Managed {
		switch {
		case t.Kind == Attach && slices.Contains(t.Attach, p.ARN):
		case t.Kind == Managed && p.ARN == t.Name:
			if next != "" {
				docs = append(docs, next)
			}
		default:
			docs = append(docs, p.Document)
		}
	}
	if t.Kind == Inline && next != "" {
		docs = append(docs, next)
	}
	return docs
}

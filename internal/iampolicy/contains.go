package iampolicy

import (
	"fmt"
	"slices"
	"strings"
)

// Contains reports whether everything that the inner documents allow together
// is allowed by the outer documents together. It is sound, not complete: true
// is proved, false means that it could not be shown. The string then names
// the first thing of inner that could not be shown inside.
//
// Each pair of an action pattern and a resource pattern that inner allows must
// lie within one Allow statement of outer whose conditions follow from its own;
// and each Deny of outer must be out of the way of it, or be within a Deny of
// inner.
func Contains(outer, inner []Document) (bool, string) {
	within := regions(outer, "Allow")
	denied := regions(outer, "Deny")
	stillDenied := regions(inner, "Deny")
	// Of a malformed statement nothing can be said, not even whether it denies.
	for _, d := range slices.Concat(inner, outer) {
		if i := slices.IndexFunc(d.Statements, Statement.malformed); i >= 0 {
			return false, place(d.Statements[i], i) + ": is malformed"
		}
	}
	for _, r := range regions(inner, "Allow") {
		if !r.withinOneOf(within) {
			return false, r.String()
		}
		for _, d := range denied {
			if r.meets(d) && !d.withinOneOf(stillDenied) {
				return false, fmt.Sprintf("%s, which is denied by %s", r, d)
			}
		}
	}
	return true, ""
}

// region is a set of requests: one action pattern or NotAction list, times one
// resource pattern or NotResource list, under a statement's conditions.
type region struct {
	action, resource span
	conditions       []Condition
	version          string
	place            string
}

// span is what one term matches or, if except is set, what none of the terms
// match.
type span struct {
	terms  []term
	except bool
}

func (s span) String() string {
	var parts []string
	for _, t := range s.terms {
		parts = append(parts, show(t.text))
	}
	out := strings.Join(parts, ", ")
	if s.except {
		return "everything except " + out
	}
	return out
}

func (r region) String() string {
	out := fmt.Sprintf("%s: %s on %s", r.place, r.action, r.resource)
	if len(r.conditions) > 0 {
		out += " if " + conditionText(r.conditions)
	}
	return out
}

// regions takes the statements with the effect apart.
func regions(docs []Document, effect string) []region {
	var out []region
	for _, d := range docs {
		for i, s := range d.Statements {
			if s.Effect == effect && !s.malformed() {
				out = append(out, s.regions(d.version(), i)...)
			}
		}
	}
	return out
}

func (s Statement) regions(version string, index int) []region {
	resource := func(text string) term { return resourceTerm(text, version) }
	var out []region
	for _, a := range spans(s.Action, s.NotAction, actionTerm) {
		for _, r := range spans(s.Resource, s.NotResource, resource) {
			out = append(out, region{a, r, s.Condition, version, place(s, index)})
		}
	}
	return out
}

func spans(in, except Values, term func(string) term) []span {
	var out []span
	for _, text := range in.List {
		out = append(out, spanOf(false, term(text)))
	}
	if len(except.List) == 0 {
		return out
	}
	all := span{except: true}
	for _, text := range except.List {
		all.terms = append(all.terms, term(text))
	}
	return append(out, all)
}

func spanOf(except bool, terms ...term) span { return span{terms, except} }

// place names a statement for people.
func place(s Statement, index int) string {
	if s.Sid != "" {
		return fmt.Sprintf("Statement[%d] %q", index, s.Sid)
	}
	return fmt.Sprintf("Statement[%d]", index)
}

func (r region) withinOneOf(list []region) bool { return slices.ContainsFunc(list, r.within) }

// within reports whether each request in r is in o.
func (r region) within(o region) bool {
	return r.action.within(o.action) && r.resource.within(o.resource) &&
		conditionsImply(r.conditions, r.version, o.conditions, o.version)
}

// meets reports whether there may be a request in both.
func (r region) meets(o region) bool {
	return r.action.meets(o.action) && r.resource.meets(o.resource)
}

// within reports whether all of s is in o.
func (s span) within(o span) bool {
	switch {
	case !o.except && s.except:
		return o.terms[0].glob.isAll()
	case !o.except:
		return s.terms[0].within(o.terms[0])
	case !s.except:
		return !slices.ContainsFunc(o.terms, s.terms[0].meets)
	}
	// What o leaves out, s must leave out too.
	for _, t := range o.terms {
		if !slices.ContainsFunc(s.terms, t.within) {
			return false
		}
	}
	return true
}

// meets reports whether s and o may have something in common.
func (s span) meets(o span) bool {
	switch {
	case s.except && o.except:
		return true
	case s.except:
		return !slices.ContainsFunc(s.terms, o.terms[0].within)
	case o.except:
		return !slices.ContainsFunc(o.terms, s.terms[0].within)
	}
	return s.terms[0].meets(o.terms[0])
}

// term is one pattern of a statement, an action's or a resource's.
type term struct {
	text   string
	glob   glob
	action bool
}

func actionTerm(text string) term {
	return term{text, glob{syms: compile(lowerASCII(text))}, true}
}

func resourceTerm(text, version string) term {
	return term{text, expand(text, version, true, unresolved), false}
}

// within reports whether o matches all that t matches. For resources it holds
// in both readings of patterns (resource.go): segment within segment makes it
// so.
func (t term) within(o term) bool {
	switch {
	case o.glob.isAll():
		return true
	case t.glob.same(o.glob) && (!t.glob.variables || t.text == o.text):
		return true
	case t.action:
		return hasService(o.text) && covers(widen(o.glob.syms), t.glob.syms)
	case o.glob.variables || t.glob.early:
		return false
	}
	return narrow(o.glob.syms, t.glob.syms)
}

// meets reports whether something may be matched by both.
func (t term) meets(o term) bool { return intersects(t.glob.syms, o.glob.syms) }

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
	// Of a malformed statement nothing can be said, not even whether it denies.
	for _, d := range slices.Concat(inner, outer) {
		if i := slices.IndexFunc(d.Statements, Statement.malformed); i >= 0 {
			return false, place(d.Statements[i], i) + ": is malformed"
		}
	}
	allowed, denied, stillDenied := rules(outer, "Allow"), rules(outer, "Deny"), rules(inner, "Deny")
	for _, r := range rules(inner, "Allow") {
		if a, b, found := r.firstOutside(allowed); found {
			return false, r.describe(a, b)
		}
		for _, d := range denied {
			if _, _, found := d.meeting(r).firstOutside(stillDenied); found {
				m := r.meeting(d)
				return false, r.describe(m.actions[0], m.resources[0]) + ": denied by " + d.place
			}
		}
	}
	return true, ""
}

// rule is a statement made ready for comparing. It is about each of its actions
// on each of its resources, under its conditions.
type rule struct {
	actions, resources []span
	conditions         []Condition
	version            string
	place              string
}

// rules takes the well-formed statements with the effect.
func rules(docs []Document, effect string) []rule {
	var out []rule
	for _, d := range docs {
		for i, s := range d.Statements {
			if s.Effect == effect && !s.malformed() {
				out = append(out, s.rule(d.version(), place(s, i)))
			}
		}
	}
	return out
}

func (s Statement) rule(version, place string) rule {
	resource := func(text string) term { return resourceTerm(text, version) }
	return rule{
		actions:    spans(s.Action, s.NotAction, actionTerm),
		resources:  spans(s.Resource, s.NotResource, resource),
		conditions: s.Condition,
		version:    version,
		place:      place,
	}
}

// place names a statement for people.
func place(s Statement, index int) string {
	if s.Sid != "" {
		return fmt.Sprintf("Statement[%d] %s", index, show(s.Sid))
	}
	return fmt.Sprintf("Statement[%d]", index)
}

// describe names one action and resource of the rule for people.
func (r rule) describe(action, resource span) string {
	out := fmt.Sprintf("%s: %s on %s", r.place, action, resource)
	if len(r.conditions) > 0 {
		out += " if " + conditionText(r.conditions)
	}
	return out
}

// firstOutside finds an action and resource of r that no single one of the
// rules holds, conditions and all.
func (r rule) firstOutside(list []rule) (action, resource span, found bool) {
	inside := make([][]bool, len(r.actions))
	for i := range inside {
		inside[i] = make([]bool, len(r.resources))
	}
	for _, o := range list {
		if !conditionsImply(r.conditions, r.version, o.conditions, o.version) {
			continue
		}
		mark(inside, within(r.actions, o.actions), within(r.resources, o.resources))
	}
	for i, row := range inside {
		for j, in := range row {
			if !in {
				return r.actions[i], r.resources[j], true
			}
		}
	}
	return span{}, span{}, false
}

// mark sets the pairs that a rule holds.
func mark(inside [][]bool, actions, resources []bool) {
	for i, row := range inside {
		for j := range row {
			row[j] = row[j] || actions[i] && resources[j]
		}
	}
}

// within tells of each inner span whether one of the outer spans holds it.
func within(inner, outer []span) []bool {
	out := make([]bool, len(inner))
	for i, s := range inner {
		out[i] = slices.ContainsFunc(outer, s.within)
	}
	return out
}

// meeting gives the part of r whose actions and resources may meet those of o.
func (r rule) meeting(o rule) rule {
	meets := func(list []span) func(span) bool {
		return func(s span) bool { return !slices.ContainsFunc(list, s.meets) }
	}
	r.actions = slices.DeleteFunc(slices.Clone(r.actions), meets(o.actions))
	r.resources = slices.DeleteFunc(slices.Clone(r.resources), meets(o.resources))
	return r
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

// spans takes an element apart. Each pattern of a list is a span by itself;
// those of a Not element are one together.
func spans(in, except Values, of func(string) term) []span {
	if len(except.List) > 0 {
		s := span{except: true}
		for _, text := range except.List {
			s.terms = append(s.terms, of(text))
		}
		return []span{s}
	}
	var out []span
	for _, text := range in.List {
		out = append(out, span{terms: []term{of(text)}})
	}
	return out
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

package iampolicy

import (
	"slices"
	"strings"
)

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
	return term{text, expandResource(text, version, unresolved), false}
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
	case o.glob.variables || o.glob.incomplete || t.glob.early:
		return false
	}
	return narrow(o.glob.syms, t.glob.syms)
}

// meets reports whether something may be matched by both.
func (t term) meets(o term) bool { return intersects(t.glob.syms, o.glob.syms) }

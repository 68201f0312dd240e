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
// lie within one Allow statement of outer whose conditions follow from its own
// and which has no other policy variables, since one without a value may make
// a statement invalid; and each Deny of outer must be out of the way of it, or be within a Deny of
// inner. Where a condition lists values of which a key must be one, each value
// may lie within another statement.
func Contains(outer, inner []Document) (bool, string) {
	// Of a malformed statement nothing can be said, not even whether it denies.
	for _, docs := range [][]Document{inner, outer} {
		for k, d := range docs {
			if i := slices.IndexFunc(d.Statements, Statement.malformed); i >= 0 {
				return false, name(docs, k, i) + " is malformed"
			}
		}
	}
	allowed, denied, stillDenied := rules(outer, "Allow"), rules(outer, "Deny"), rules(inner, "Deny")
	for _, r := range rules(inner, "Allow") {
		if a, b, found := r.outside(allowed); found {
			return false, r.describe(a, b)
		}
		for _, d := range denied {
			if _, _, found := d.meeting(r).outside(stillDenied); found {
				m := r.meeting(d)
				return false, r.describe(m.actions[0], m.resources[0]) + ": denied by " + d.name
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
	variables          []string // whose lack of a value may make it invalid
	name               string
}

// rules takes the well-formed statements with the effect.
func rules(docs []Document, effect string) []rule {
	var out []rule
	for k, d := range docs {
		for i, s := range d.Statements {
			if s.Effect == effect && !s.malformed() {
				out = append(out, s.rule(d.version(), name(docs, k, i)))
			}
		}
	}
	return out
}

func (s Statement) rule(version, name string) rule {
	resource := func(text string) term { return resourceTerm(text, version) }
	return rule{
		actions:    spans(s.Action, s.NotAction, actionTerm),
		resources:  spans(s.Resource, s.NotResource, resource),
		conditions: s.Condition,
		version:    version,
		variables:  s.variables(version),
		name:       name,
	}
}

// variables lists the insides of the statement's policy variables, of which
// one without a value may make it invalid.
func (s Statement) variables(version string) []string {
	texts := slices.Concat(s.Resource.List, s.NotResource.List)
	for _, cond := range s.Condition {
		if !strings.HasSuffix(cond.Operator, ifExistsSuffix) {
			texts = append(texts, cond.Values.List...)
		}
	}
	var out []string
	for _, text := range texts {
		expand(text, version, true, func(key string) (string, bool) {
			out = append(out, lowerASCII(key))
			return "", false
		})
	}
	return out
}

// name names a statement for people.
func name(docs []Document, policy, statement int) string {
	out := fmt.Sprintf("Statement[%d]", statement)
	if len(docs) > 1 {
		out = fmt.Sprintf("Policy[%d].%s", policy, out)
	}
	if sid := docs[policy].Statements[statement].Sid; sid != "" {
		out += " " + show(sid)
	}
	return out
}

// describe names one action and resource of the rule for people.
func (r rule) describe(action, resource span) string {
	out := fmt.Sprintf("%s: %s on %s", r.name, action, resource)
	if len(r.conditions) > 0 {
		out += " if " + conditionText(r.conditions)
	}
	return out
}

// outside finds an action and resource of r that the rules do not hold. One
// condition of r may be taken value by value: what passes it has one of them.
func (r rule) outside(list []rule) (action, resource span, found bool) {
	action, resource, found = r.firstOutside(list)
	if !found {
		return action, resource, false
	}
	for i, c := range r.conditions {
		if !c.oneOf() || len(c.Values.List) == 1 {
			continue
		}
		if !slices.ContainsFunc(c.Values.List, func(value string) bool {
			_, _, out := r.only(i, value).firstOutside(list)
			return out
		}) {
			return span{}, span{}, false
		}
	}
	return action, resource, true
}

// oneOf reports whether the condition asks that the one value of its key is
// among those that it lists.
func (c Condition) oneOf() bool {
	o, ok := parseOperator(c.Operator)
	return ok && o.quantifier == single && !o.ifExists && !o.comparison.negated && !isMultivalued(c.Key) &&
		len(c.Values.List) > 0
}

// only gives the part of the rule for one value of a condition. The whole
// rule's variables stay its own: without a value, any of them may make the
// whole invalid.
func (r rule) only(condition int, value string) rule {
	r.conditions = slices.Clone(r.conditions)
	r.conditions[condition].Values = Values{List: []string{value}}
	return r
}

// firstOutside finds an action and resource of r that no single one of the
// rules holds, conditions and all.
func (r rule) firstOutside(list []rule) (action, resource span, found bool) {
	inside := make([][]bool, len(r.actions))
	for i := range inside {
		inside[i] = make([]bool, len(r.resources))
	}
	for _, o := range list {
		if !subset(o.variables, r.variables) || !conditionsImply(r.conditions, r.version, o.conditions, o.version) {
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

package iampolicy

import (
	"slices"
	"strconv"
	"strings"
)

// Allow makes a statement that allows the actions on the resources. Lists are
// sorted and without duplicates; the Sid is reduced to letters and digits, as
// IAM wants it ("tracker-image" becomes "TrackerImage"). Two conditions with
// the same operator and key cannot be printed; [Validate] reports them.
func Allow(sid string, actions, resources []string, cond ...Condition) Statement {
	s := Statement{
		Sid:      speakingSid(sid),
		Effect:   "Allow",
		Action:   Values{List: sortedSet(actions)},
		Resource: Values{List: sortedSet(resources)},
	}
	for _, c := range cond {
		c.Values = Values{List: sortedSet(c.Values.List), Scalar: c.Values.Scalar}
		s.Condition = append(s.Condition, c)
	}
	slices.SortStableFunc(s.Condition, compareConditions)
	return s
}

func sortedSet(list []string) []string { return slices.Compact(slices.Sorted(slices.Values(list))) }

// Merge adds to the document what it lacks of the statements, and tells how
// many statements it added. The document's own statements are kept as they
// are, in their order; new ones come after them. An action on a resource that
// one Allow statement gives already, under no conditions but such as what is
// added has, too, is not added again, so merging twice adds nothing. Statements to add that
// deny, use NotAction or NotResource, or lack something and have policy
// variables, are added whole unless an equal one is there. Each new statement gets a Sid that is
// unique in the document.
//
// An empty document gets the newer version. The version of another one is
// kept: in the older version, policy variables are plain text.
func Merge(d Document, add []Statement) (Document, int) {
	out := d
	out.Version = d.version()
	out.Statements = slices.Clone(d.Statements)
	for _, s := range add {
		for _, part := range missing(out, s) {
			part.Raw = ""
			part.Sid = uniqueSid(part, out.Statements)
			out.Statements = append(out.Statements, part)
		}
	}
	return out, len(out.Statements) - len(d.Statements)
}

// Unite takes the last n statements of the document, as [Merge] has added them,
// and puts each into an earlier one that gives the same but for other values of
// the key, of which a request must have one. Together they give what the two
// gave. That is only done where the two have the same Sid, but for a number: what
// else says the same is somebody's own.
func Unite(d Document, n int, key string) Document {
	out := d
	first := len(d.Statements) - n
	out.Statements = slices.Clone(d.Statements[:first])
	for _, s := range d.Statements[first:] {
		i, values := -1, Values{}
		for j, t := range out.Statements {
			if v, ok := united(t, s, key, d.version()); ok {
				i, values = j, v
				break
			}
		}
		if i < 0 {
			out.Statements = append(out.Statements, s)
			continue
		}
		t := &out.Statements[i]
		t.Raw, t.Condition = "", slices.Clone(t.Condition)
		t.Condition[about(t.Condition, key)].Values = values
	}
	return out
}

// united gives the values of the key with which t gives what t and s give.
func united(t, s Statement, key, version string) (Values, bool) {
	i, j := about(t.Condition, key), about(s.Condition, key)
	if i < 0 || j < 0 || s.Effect != "Allow" || numberless(t.Sid) != numberless(s.Sid) {
		return Values{}, false
	}
	a, b := t.Condition[i], s.Condition[j]
	if a.Operator != b.Operator || !a.oneOf() || !b.oneOf() || hasVariable(a, version) || hasVariable(b, version) {
		return Values{}, false
	}
	t.Condition, s.Condition = slices.Delete(slices.Clone(t.Condition), i, i+1), slices.Delete(slices.Clone(s.Condition), j, j+1)
	return Values{List: sortedSet(slices.Concat(a.Values.List, b.Values.List))}, sameMeaning(t, s)
}

// Divide undoes [Merge] and [Unite] of statements that are for some values of the
// key: it takes them out of whatever gives the same for these values and perhaps
// for others, which keep theirs. found is how many were there.
func Divide(d Document, add []Statement, key string) (out Document, found int) {
	out = d
	out.Statements = slices.Clone(d.Statements)
	for _, s := range add {
		i := slices.IndexFunc(out.Statements, func(t Statement) bool {
			_, ok := united(t, s, key, d.version())
			return ok && subset(s.Condition[about(s.Condition, key)].Values.List, t.Condition[about(t.Condition, key)].Values.List)
		})
		if i < 0 {
			continue
		}
		found++
		t := out.Statements[i]
		j := about(t.Condition, key)
		gone := s.Condition[about(s.Condition, key)].Values.List
		left := slices.DeleteFunc(slices.Clone(t.Condition[j].Values.List), func(v string) bool { return slices.Contains(gone, v) })
		if len(left) == 0 {
			out.Statements = slices.Delete(out.Statements, i, i+1)
			continue
		}
		t.Raw, t.Condition = "", slices.Clone(t.Condition)
		t.Condition[j].Values = Values{List: left}
		out.Statements[i] = t
	}
	return out, found
}

// about finds the one condition about the key; -1 if there is none, or more.
func about(list []Condition, key string) int {
	is := func(c Condition) bool { return lowerASCII(c.Key) == lowerASCII(key) }
	i := slices.IndexFunc(list, is)
	if i >= 0 && slices.ContainsFunc(list[i+1:], is) {
		return -1
	}
	return i
}

// numberless is a Sid without the number that makes it unique.
func numberless(sid string) string { return lowerASCII(strings.TrimRight(sid, "0123456789")) }

// missing gives the parts of s that no statement of d gives.
func missing(d Document, s Statement) []Statement {
	same := func(t Statement) bool { return sameMeaning(s, t) }
	if slices.ContainsFunc(d.Statements, same) {
		return nil
	}
	if s.malformed() || s.Effect != "Allow" || len(s.NotAction.List) > 0 || len(s.NotResource.List) > 0 {
		return []Statement{s}
	}
	parts := lacking(rules([]Document{d}, "Allow"), s, d.version())
	whole := len(parts) == 1 && len(parts[0].Action.List) == len(s.Action.List) &&
		len(parts[0].Resource.List) == len(s.Resource.List)
	// A part without a variable of the whole could be valid where that is not.
	if whole || len(parts) > 0 && len(s.variables(d.version())) > 0 {
		return []Statement{s}
	}
	return parts
}

// lacking groups the actions of s by the resources on which no rule gives
// them, be it without conditions or under the same.
func lacking(have []rule, s Statement, version string) []Statement {
	want := s.rule(version, "")
	given := make([][]bool, len(want.actions))
	for i := range given {
		given[i] = make([]bool, len(want.resources))
	}
	for _, h := range have {
		if subset(h.variables, want.variables) && conditionsImply(s.Condition, version, h.conditions, h.version) {
			mark(given, within(want.actions, h.actions), within(want.resources, h.resources))
		}
	}
	var out []Statement
	for i, action := range s.Action.List {
		var on []string
		for j, resource := range s.Resource.List {
			if !given[i][j] {
				on = append(on, resource)
			}
		}
		if len(on) == 0 {
			continue
		}
		k := slices.IndexFunc(out, func(t Statement) bool { return slices.Equal(t.Resource.List, on) })
		if k >= 0 {
			out[k].Action.List = append(out[k].Action.List, action)
			continue
		}
		part := s
		part.Action, part.Resource = Values{List: []string{action}}, Values{List: on}
		out = append(out, part)
	}
	return out
}

// sameMeaning reports whether the statements differ at most in Sid, form and
// order.
func sameMeaning(a, b Statement) bool {
	if a.Effect != b.Effect || !sameConditions(a.Condition, b.Condition) {
		return false
	}
	ea, eb := a.elements(), b.elements()
	for i := range ea {
		if !sameSet(ea[i].values.List, eb[i].values.List) {
			return false
		}
	}
	return true
}

// sameConditions reports whether the conditions are the same, in any order.
func sameConditions(a, b []Condition) bool {
	missing := func(list []Condition) func(Condition) bool {
		return func(c Condition) bool { return !slices.ContainsFunc(list, c.same) }
	}
	return !slices.ContainsFunc(a, missing(b)) && !slices.ContainsFunc(b, missing(a))
}

func (c Condition) same(o Condition) bool {
	return c.Operator == o.Operator && lowerASCII(c.Key) == lowerASCII(o.Key) && sameSet(c.Values.List, o.Values.List)
}

// uniqueSid gives the statement's Sid, made speaking if there is none, and
// numbered if another statement has it.
func uniqueSid(s Statement, others []Statement) string {
	base := speakingSid(s.Sid)
	if base == "" {
		base = describingSid(s)
	}
	taken := func(sid string) bool {
		return slices.ContainsFunc(others, func(t Statement) bool { return strings.EqualFold(t.Sid, sid) })
	}
	sid := base
	for n := 2; taken(sid); n++ {
		sid = base + strconv.Itoa(n)
	}
	return sid
}

// describingSid names a statement by its effect and actions: AllowEcrPutImage,
// or AllowEcr if there are several.
func describingSid(s Statement) string {
	name := s.Effect
	if len(s.NotAction.List) > 0 {
		return speakingSid(name + "-all-except")
	}
	if len(s.Action.List) == 1 {
		return speakingSid(name + "-" + s.Action.List[0])
	}
	var services []string
	for _, a := range s.Action.List {
		service, _, _ := strings.Cut(a, ":")
		services = append(services, service)
	}
	return speakingSid(name + "-" + strings.Join(sortedSet(services), "-"))
}

// speakingSid keeps letters and digits and begins each word with a capital.
func speakingSid(s string) string {
	var b strings.Builder
	begins := true
	for _, r := range s {
		if notAlphanumeric(r) {
			begins = true
			continue
		}
		if begins && 'a' <= r && r <= 'z' {
			r -= 'a' - 'A'
		}
		begins = false
		b.WriteRune(r)
	}
	return b.String()
}

package iampolicy

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Diff tells what differs between two documents, statement by statement, for
// people. Each line begins with "- " (only before has it) or "+ " (only after
// has it). Order and form of printing make no difference.
func Diff(before, after Document) []string {
	b, a := describe(before), describe(after)
	var out []string
	for _, line := range without(b, a) {
		out = append(out, "- "+line)
	}
	for _, line := range without(a, b) {
		out = append(out, "+ "+line)
	}
	return out
}

// describe gives a line for each thing that the document says.
func describe(d Document) []string {
	out := []string{"version " + show(d.version())}
	if d.ID != "" {
		out = append(out, "id "+show(d.ID))
	}
	for _, s := range d.Statements {
		out = append(out, s.String())
	}
	return out
}

// without gives what list has more often than other.
func without(list, other []string) []string {
	other = slices.Clone(other)
	var out []string
	for _, s := range list {
		if i := slices.Index(other, s); i >= 0 {
			other = slices.Delete(other, i, i+1)
			continue
		}
		out = append(out, s)
	}
	return out
}

// String describes the statement in one line.
func (s Statement) String() string {
	var b strings.Builder
	if s.Sid != "" {
		b.WriteString(show(s.Sid) + ": ")
	}
	b.WriteString(strings.ToLower(show(s.Effect)))
	b.WriteString(" " + listed(s.Action, s.NotAction))
	b.WriteString(" on " + listed(s.Resource, s.NotResource))
	if len(s.Condition) > 0 {
		b.WriteString(" if " + conditionText(s.Condition))
	}
	return b.String()
}

func listed(in, except Values) string {
	var parts []string
	if len(in.List) > 0 {
		parts = append(parts, showSorted(in.List))
	}
	if len(except.List) > 0 {
		parts = append(parts, "everything except "+showSorted(except.List))
	}
	if len(parts) == 0 {
		return "nothing"
	}
	return strings.Join(parts, " and ")
}

func conditionText(list []Condition) string {
	var parts []string
	for _, c := range slices.SortedStableFunc(slices.Values(list), compareConditions) {
		parts = append(parts, fmt.Sprintf("%s %s = %s", show(c.Operator), show(c.Key), showSorted(c.Values.List)))
	}
	return strings.Join(parts, " and ")
}

func showSorted(list []string) string {
	var out []string
	for _, s := range sortedSet(list) {
		out = append(out, show(s))
	}
	return strings.Join(out, ", ")
}

// show gives s as it is, or quoted if it could be misread in a line of text.
func show(s string) string {
	odd := func(r rune) bool { return !strconv.IsPrint(r) || strings.ContainsRune(" ,\"", r) }
	if s == "" || strings.ContainsFunc(s, odd) {
		return strconv.Quote(s)
	}
	return s
}

// Same reports whether two texts are the same policy document but for white
// space, which changes nothing. Equal texts are the same whatever they
// hold; "" is no document, and so is what cannot be read.
func Same(a, b string) bool {
	if a == b {
		return true
	}
	da, erra := ParseLoose([]byte(a))
	db, errb := ParseLoose([]byte(b))
	return erra == nil && errb == nil && string(da.Compact()) == string(db.Compact())
}

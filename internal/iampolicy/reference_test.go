package iampolicy

import (
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A second evaluator, written another way and only for tests: regular
// expressions, floating-point numbers, full knowledge of the request. Where
// AWS does not document what IAM does, it takes a side, which one its reading
// says. Evaluate must be right whatever the reading.

// reading is one possible IAM.
type reading struct {
	cross        crossing
	wildService  bool // wildcards in the service of an action or ARN work
	valueIsGlob  bool // wildcards in a policy variable's value are wildcards
	noValueEmpty bool // a policy variable without a value is the empty text; else nothing matches
	severalAny   bool // a test of one value, given several, wants any; else all
	anyOfAbsent  bool // ForAnyValue of an absent key: what the test says; else false
	noValueVoids bool // a policy variable without a value makes its statement invalid
	completes    bool // a pattern shorter than an ARN gets the missing segments, as *
	typeWild     bool // wildcards in a part of a resource's type work
	needsSet     bool // a multivalued key meets no condition without ForAllValues or ForAnyValue
}

// crossing says which * in an ARN pattern match colons.
type crossing int

const (
	crossNone crossing = iota // only in a pattern shorter than an ARN
	crossEnd                  // those at the end of a segment
	crossAll
)

// expression compiles, once each.
func expression(text string) *regexp.Regexp {
	if re, ok := expressions.Load(text); ok {
		return re.(*regexp.Regexp)
	}
	re := regexp.MustCompile(text)
	expressions.Store(text, re)
	return re
}

var expressions sync.Map

// readings gives all IAMs that there may be.
func readings() []reading {
	var out []reading
	for _, cross := range []crossing{crossNone, crossEnd, crossAll} {
		for bits := range 512 {
			bit := func(n int) bool { return bits>>n&1 == 1 }
			out = append(out, reading{cross, bit(0), bit(1), bit(2), bit(3), bit(4), bit(5), bit(6), bit(7), bit(8)})
		}
	}
	return out
}

// judge is the verdict of the reading's IAM. The request's context is complete.
func (rd reading) judge(a Access, r Request) Verdict {
	side := func(docs []Document) (allows, denies bool) {
		for _, d := range docs {
			for _, s := range d.Statements {
				if rd.applies(d.version() == version2012, s, r) {
					allows = allows || s.Effect == "Allow"
					denies = denies || s.Effect == "Deny"
				}
			}
		}
		return allows, denies
	}
	allows, denies := side(a.Policies)
	if a.Boundary != nil {
		boundAllows, boundDenies := side([]Document{*a.Boundary})
		allows, denies = allows && boundAllows, denies || boundDenies
	}
	switch {
	case denies:
		return ExplicitDeny
	case allows:
		return Allowed
	}
	return ImplicitDeny
}

func (rd reading) applies(variables bool, s Statement, r Request) bool {
	action := func(p string) bool { return rd.action(p, r.Action) }
	resource := func(p string) bool { return rd.resource(p, r, variables) }
	if slices.ContainsFunc(append(s.Action.List, s.NotAction.List...), action) != (len(s.Action.List) > 0) ||
		slices.ContainsFunc(append(s.Resource.List, s.NotResource.List...), resource) != (len(s.Resource.List) > 0) {
		return false
	}
	for _, c := range s.Condition {
		if !rd.condition(c, r, variables) {
			return false
		}
	}
	return !rd.noValueVoids || !variables || !lacksValue(s, r)
}

// lacksValue reports a policy variable without a value, other than in a
// condition with IfExists.
func lacksValue(s Statement, r Request) bool {
	texts := slices.Concat(s.Resource.List, s.NotResource.List)
	for _, c := range s.Condition {
		if !strings.HasSuffix(c.Operator, "IfExists") {
			texts = append(texts, c.Values.List...)
		}
	}
	for _, text := range texts {
		for _, v := range variableText.FindAllStringSubmatch(text, -1) {
			if len(v[1]) > 1 && len(r.Context[v[1]]) != 1 {
				return true
			}
		}
	}
	return false
}

func (rd reading) action(pattern, action string) bool {
	service, _, _ := strings.Cut(pattern, ":")
	if pattern != "*" && strings.ContainsAny(service, "*?") && !rd.wildService {
		return false
	}
	return expression("(?is)^" + globText(pattern) + "$").MatchString(action)
}

func globText(pattern string) string {
	return wildcardsToText.Replace(regexp.QuoteMeta(pattern))
}

// The marks stand for characters of a variable's value that are to be taken
// as they are.
const starMark, oneMark = "\uE000", "\uE001"

var (
	wildcardsToText  = strings.NewReplacer(`\*`, ".*", `\?`, ".")
	wildcardsToMarks = strings.NewReplacer("*", starMark, "?", oneMark)
	marksToText      = strings.NewReplacer(starMark, `\*`, oneMark, `\?`)
	marksToPlain     = strings.NewReplacer(starMark, "*", oneMark, "?")
)

var variableText = regexp.MustCompile(`\$\{([^}]*)\}`)

// fill puts in the policy variables; ok is false if one has no value and so
// nothing matches.
func (rd reading) fill(text string, r Request, variables bool) (filled string, ok bool) {
	if !variables {
		return text, true
	}
	ok = true
	filled = variableText.ReplaceAllStringFunc(text, func(v string) string {
		name := v[2 : len(v)-1]
		switch name {
		case "*":
			return starMark
		case "?":
			return oneMark
		case "$":
			return "$"
		}
		values := r.Context[name]
		if len(values) != 1 {
			ok = ok && rd.noValueEmpty
			return ""
		}
		if rd.valueIsGlob {
			return values[0]
		}
		return wildcardsToMarks.Replace(values[0])
	})
	return filled, ok
}

func (rd reading) resource(pattern string, r Request, variables bool) bool {
	if pattern == "*" {
		return true
	}
	pattern, ok := rd.fill(pattern, r, variables)
	if !ok {
		return false
	}
	parts := strings.SplitN(pattern, ":", 6)
	if len(parts) > 2 && strings.ContainsAny(parts[2], "*?") && !rd.wildService {
		return false
	}
	for rd.completes && parts[0] == "arn" && len(parts) < 6 {
		parts = append(parts, "*")
	}
	if !rd.typeWild && len(parts) == 6 && parts[2] != "s3" {
		kind := expression("^[^:/]*").FindString(parts[5])
		named := kind == parts[5] && strings.Count(r.Resource, ":") < 6 && !strings.Contains(r.Resource, "/")
		if !named && kind != "*" && strings.ContainsAny(kind, "*?") {
			return false
		}
	}
	return expression("^" + rd.arnText(parts) + "$").MatchString(r.Resource)
}

// arnText is the expression for a pattern of ARNs, given its segments.
func (rd reading) arnText(parts []string) string {
	var out []string
	for i, part := range parts {
		text := globText(part)
		last := i == len(parts)-1
		if rd.cross != crossAll && !last {
			begin, end := text, ""
			if rd.cross == crossEnd && strings.HasSuffix(text, ".*") {
				begin, end = strings.TrimSuffix(text, ".*"), ".*"
			}
			begin = strings.ReplaceAll(begin, ".*", "[^:]*")
			// A lone dot is a ?; an escaped one is text.
			begin = expression(`(\\.)|\.`).ReplaceAllStringFunc(begin, func(s string) string {
				if s == "." {
					return "[^:]"
				}
				return s
			})
			text = begin + end
		}
		out = append(out, text)
	}
	return marksToText.Replace(strings.Join(out, ":"))
}

func (rd reading) condition(c Condition, r Request, variables bool) bool {
	got := r.Context[c.Key]
	if c.Operator == "Null" {
		return slices.Contains(c.Values.List, strconv.FormatBool(len(got) == 0))
	}
	name, forAll := strings.CutPrefix(c.Operator, "ForAllValues:")
	name, forAny := strings.CutPrefix(name, "ForAnyValue:")
	name, ifExists := strings.CutSuffix(name, "IfExists")
	positive := strings.Replace(name, "Not", "", 1)
	pass := func(value string) bool {
		hit := slices.ContainsFunc(c.Values.List, func(want string) bool { return rd.compare(positive, value, want, r, variables) })
		return hit == (positive == name)
	}
	fail := func(value string) bool { return !pass(value) }
	switch {
	case rd.needsSet && c.Key == listKey && !forAny && !forAll:
		return false
	case len(got) == 0 && forAny:
		return rd.anyOfAbsent && (positive != name || ifExists)
	case len(got) == 0:
		return forAll || ifExists || positive != name
	case forAny, !forAll && rd.severalAny:
		return slices.ContainsFunc(got, pass)
	}
	return !slices.ContainsFunc(got, fail)
}

// compare knows the operators that the generator uses.
func (rd reading) compare(operator, got, want string, r Request, variables bool) bool {
	switch {
	case strings.HasPrefix(operator, "String"):
		want, ok := rd.fill(want, r, variables)
		plain := marksToPlain.Replace(want)
		switch operator {
		case "StringEquals":
			return ok && got == plain
		case "StringEqualsIgnoreCase":
			return ok && strings.EqualFold(got, plain)
		}
		text := marksToText.Replace(globText(want))
		return ok && expression("^"+text+"$").MatchString(got)
	case strings.HasPrefix(operator, "Arn"):
		return expression("^" + rd.arnText(strings.SplitN(want, ":", 6)) + "$").MatchString(got)
	case operator == "Bool":
		return got == want
	case operator == "IpAddress":
		if !strings.Contains(want, "/") {
			want += "/32"
		}
		_, network, err := net.ParseCIDR(want)
		return err == nil && network.Contains(net.ParseIP(got))
	case strings.HasPrefix(operator, "Numeric"):
		a, errA := strconv.ParseFloat(got, 64)
		b, errB := strconv.ParseFloat(want, 64)
		return errA == nil && errB == nil && ordered(strings.TrimPrefix(operator, "Numeric"), a-b)
	case strings.HasPrefix(operator, "Date"):
		a, errA := time.Parse(time.RFC3339, got)
		b, errB := time.Parse(time.RFC3339, want)
		return errA == nil && errB == nil && ordered(strings.TrimPrefix(operator, "Date"), a.Sub(b).Seconds())
	}
	panic("the reference does not know the operator " + operator)
}

func ordered(how string, difference float64) bool {
	switch how {
	case "Equals":
		return difference == 0
	case "LessThan":
		return difference < 0
	case "LessThanEquals":
		return difference <= 0
	case "GreaterThan":
		return difference > 0
	case "GreaterThanEquals":
		return difference >= 0
	}
	panic("the reference does not know the order " + how)
}

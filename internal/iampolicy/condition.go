package iampolicy

import (
	"bytes"
	"encoding/base64"
	"math/big"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

// quantifier says how an operator takes several values of a context key.
type quantifier int

const (
	single quantifier = iota // the key has one value
	forAll                   // ForAllValues:
	forAny                   // ForAnyValue:
)

// operator is a condition operator taken apart.
type operator struct {
	quantifier quantifier
	ifExists   bool
	comparison comparison
}

// comparison is what an operator does with values. A context value passes if
// it matches one of the condition's values, or, negated, none.
type comparison struct {
	name    string // operators with the same name differ in negation only
	negated bool
	// matches compares one context value with one value of the condition.
	matches func(got, want, version string, c contextKeys) tri
}

// comparisons are IAM's operators, without prefix and suffix.
var comparisons = map[string]comparison{
	"StringEquals":              {"StringEquals", false, stringEquals},
	"StringNotEquals":           {"StringEquals", true, stringEquals},
	"StringEqualsIgnoreCase":    {"StringEqualsIgnoreCase", false, stringEqualsIgnoreCase},
	"StringNotEqualsIgnoreCase": {"StringEqualsIgnoreCase", true, stringEqualsIgnoreCase},
	"StringLike":                {"StringLike", false, stringLike},
	"StringNotLike":             {"StringLike", true, stringLike},
	"ArnEquals":                 {"ArnLike", false, arnLike},
	"ArnNotEquals":              {"ArnLike", true, arnLike},
	"ArnLike":                   {"ArnLike", false, arnLike},
	"ArnNotLike":                {"ArnLike", true, arnLike},
	"Bool":                      {"Bool", false, boolEquals},
	"BinaryEquals":              {"BinaryEquals", false, binaryEquals},
	"IpAddress":                 {"IpAddress", false, ipAddress},
	"NotIpAddress":              {"IpAddress", true, ipAddress},
	"NumericEquals":             {"NumericEquals", false, numeric(func(order int) bool { return order == 0 })},
	"NumericNotEquals":          {"NumericEquals", true, numeric(func(order int) bool { return order == 0 })},
	"NumericLessThan":           {"NumericLessThan", false, numeric(func(order int) bool { return order < 0 })},
	"NumericLessThanEquals":     {"NumericLessThanEquals", false, numeric(func(order int) bool { return order <= 0 })},
	"NumericGreaterThan":        {"NumericGreaterThan", false, numeric(func(order int) bool { return order > 0 })},
	"NumericGreaterThanEquals":  {"NumericGreaterThanEquals", false, numeric(func(order int) bool { return order >= 0 })},
	"DateEquals":                {"DateEquals", false, date(func(order int) bool { return order == 0 })},
	"DateNotEquals":             {"DateEquals", true, date(func(order int) bool { return order == 0 })},
	"DateLessThan":              {"DateLessThan", false, date(func(order int) bool { return order < 0 })},
	"DateLessThanEquals":        {"DateLessThanEquals", false, date(func(order int) bool { return order <= 0 })},
	"DateGreaterThan":           {"DateGreaterThan", false, date(func(order int) bool { return order > 0 })},
	"DateGreaterThanEquals":     {"DateGreaterThanEquals", false, date(func(order int) bool { return order >= 0 })},
}

// nullOperator asks whether a key is absent. It takes no prefix or suffix.
const nullOperator = "Null"

// ifExistsSuffix ends the operators that also hold for an absent key.
const ifExistsSuffix = "IfExists"

// parseOperator takes an operator's name apart; false if it is not known.
// Null is not among them.
func parseOperator(name string) (operator, bool) {
	var o operator
	if rest, ok := strings.CutPrefix(name, "ForAllValues:"); ok {
		o.quantifier, name = forAll, rest
	} else if rest, ok := strings.CutPrefix(name, "ForAnyValue:"); ok {
		o.quantifier, name = forAny, rest
	}
	name, o.ifExists = strings.CutSuffix(name, ifExistsSuffix)
	var known bool
	o.comparison, known = comparisons[name]
	return o, known
}

// holds tells whether the condition is met.
func (cond Condition) holds(version string, c contextKeys) tri {
	got, known := c.values(cond.Key)
	// An empty value counts as none in some places, which are not documented.
	if len(cond.Values.List) == 0 || !known || slices.Contains(got, "") {
		return maybe
	}
	if cond.Operator == nullOperator {
		return isNull(len(got) == 0, cond.Values.List)
	}
	o, ok := parseOperator(cond.Operator)
	if !ok || o.quantifier == single && isMultivalued(cond.Key) {
		return maybe
	}
	if len(got) == 0 {
		return o.ofAbsent()
	}
	passes := func(value string) tri {
		hit := anyOf(cond.Values.List, func(want string) tri {
			return o.comparison.matches(value, want, version, c)
		})
		if o.comparison.negated {
			return hit.not()
		}
		return hit
	}
	return o.ofValues(got, passes)
}

func isNull(absent bool, wanted []string) tri {
	return anyOf(wanted, func(want string) tri {
		switch want {
		case "true":
			return truth(absent)
		case "false":
			return truth(!absent)
		}
		return maybe
	})
}

// ofAbsent is the truth of a condition whose key the request does not have.
func (o operator) ofAbsent() tri {
	switch {
	case o.quantifier == forAll, o.ifExists && o.quantifier == single:
		return yes
	case o.quantifier == forAny:
		// A negated test and IfExists speak for, the quantifier against it.
		return sure(o.comparison.negated || o.ifExists, false)
	}
	return truth(o.comparison.negated)
}

// ofValues is the truth of a condition whose key has values.
func (o operator) ofValues(got []string, passes func(string) tri) tri {
	switch o.quantifier {
	case forAll:
		out := yes
		for _, value := range got {
			out = min(out, passes(value))
		}
		return out
	case forAny:
		return anyOf(got, passes)
	}
	if len(got) > 1 {
		return maybe
	}
	return passes(got[0])
}

func stringEquals(got, want, version string, c contextKeys) tri {
	return globMatches(expand(want, version, false, c.variable), got)
}

func stringLike(got, want, version string, c contextKeys) tri {
	return globMatches(expand(want, version, true, c.variable), got)
}

func globMatches(g glob, got string) tri {
	return sure(covers(g.syms, symbols(got)), !g.unsure)
}

// stringEqualsIgnoreCase is sure for ASCII. How IAM folds other letters is
// not documented.
func stringEqualsIgnoreCase(got, want, version string, c contextKeys) tri {
	g, s := expand(want, version, false, c.variable), symbols(got)
	odd := lowerSymbols(g.syms)
	odd = lowerSymbols(s) || odd
	out := sure(covers(g.syms, s), !g.unsure)
	if out == no && odd {
		return maybe
	}
	return out
}

// lowerSymbols lowers the letters A to Z in place, and reports whether there
// is a character beyond ASCII.
func lowerSymbols(s []rune) (odd bool) {
	for i, r := range s {
		if 'A' <= r && r <= 'Z' {
			s[i] = r + ('a' - 'A')
		}
		odd = odd || r > 127
	}
	return odd
}

// arnLike compares segment by segment.
func arnLike(got, want, version string, c contextKeys) tri {
	g, s := expand(want, version, true, c.variable), symbols(got)
	p, t := segments(g.syms), segments(s)
	matched := len(p) == arnSegments && len(t) == arnSegments
	for i := 0; matched && i < arnSegments; i++ {
		matched = covers(p[i], t[i])
	}
	return sure(covers(g.syms, s), matched && !g.unsure)
}

func boolEquals(got, want, _ string, _ contextKeys) tri {
	for _, s := range []string{got, want} {
		if s != "true" && s != "false" {
			return maybe
		}
	}
	return truth(got == want)
}

func binaryEquals(got, want, _ string, _ contextKeys) tri {
	a, err := base64.StdEncoding.DecodeString(got)
	if err != nil {
		return maybe
	}
	b, err := base64.StdEncoding.DecodeString(want)
	if err != nil {
		return maybe
	}
	return truth(bytes.Equal(a, b))
}

func ipAddress(got, want, _ string, _ contextKeys) tri {
	addr, err := netip.ParseAddr(got)
	if err != nil || addr.Zone() != "" || addr.Is4In6() {
		return maybe
	}
	prefix, ok := parsePrefix(want)
	if !ok {
		return maybe
	}
	return truth(prefix.Contains(addr))
}

// parsePrefix reads an address or a range of addresses.
func parsePrefix(s string) (netip.Prefix, bool) {
	if !strings.Contains(s, "/") {
		addr, err := netip.ParseAddr(s)
		if err != nil || addr.Zone() != "" || addr.Is4In6() {
			return netip.Prefix{}, false
		}
		return netip.PrefixFrom(addr, addr.BitLen()), true
	}
	p, err := netip.ParsePrefix(s)
	return p.Masked(), err == nil && !p.Addr().Is4In6()
}

func numeric(holds func(order int) bool) func(got, want, version string, c contextKeys) tri {
	return func(got, want, _ string, _ contextKeys) tri {
		a, okA := parseNumber(got)
		b, okB := parseNumber(want)
		if !okA || !okB {
			return maybe
		}
		return truth(holds(a.Cmp(b)))
	}
}

// plainNumber is what is read as a number. Its length bounds what a
// comparison can cost.
var plainNumber = lazyregexp.New(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?$`)

// maxDigits is how many digits a number may have on each side of its point.
const maxDigits = 40

// parseNumber reads a plain decimal number; one with an exponent is left
// unknown.
func parseNumber(s string) (*big.Rat, bool) {
	m := plainNumber.FindStringSubmatch(s)
	if m == nil || len(m[1]) > maxDigits || len(m[2]) > len(".")+maxDigits {
		return nil, false
	}
	return new(big.Rat).SetString(s)
}

func date(holds func(order int) bool) func(got, want, version string, c contextKeys) tri {
	return func(got, want, _ string, _ contextKeys) tri {
		a, okA := parseDate(got)
		b, okB := parseDate(want)
		if !okA || !okB {
			return maybe
		}
		return truth(holds(a.Compare(b)))
	}
}

// plainDate and plainSeconds are what is read as a date: one with a time and a
// zone, or seconds since 1970. A shorter number could be a year, a longer one
// milliseconds.
var (
	plainDate    = lazyregexp.New(`^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?(Z|[+-][0-9]{2}:[0-9]{2})$`)
	plainSeconds = lazyregexp.New(`^[1-9][0-9]{4,10}$`)
)

// parseDate reads a date; a less precise one is left unknown.
func parseDate(s string) (time.Time, bool) {
	if plainSeconds.MatchString(s) {
		n, err := strconv.ParseInt(s, 10, 64)
		return time.Unix(n, 0), err == nil
	}
	m := plainDate.FindStringSubmatch(s)
	if m == nil {
		return time.Time{}, false
	}
	layout := time.RFC3339
	if m[1] == "" {
		layout = "2006-01-02T15:04Z07:00"
	}
	t, err := time.Parse(layout, s)
	return t, err == nil
}

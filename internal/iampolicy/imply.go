package iampolicy

import (
	"slices"
	"strings"
)

// conditionsImply reports whether a request that meets all the inner
// conditions meets all the outer ones.
func conditionsImply(inner []Condition, innerVersion string, outer []Condition, outerVersion string) bool {
	for _, o := range outer {
		if !slices.ContainsFunc(inner, func(i Condition) bool { return implies(i, innerVersion, o, outerVersion) }) {
			return false
		}
	}
	return true
}

// implies reports whether condition a, met, means that b is met.
func implies(a Condition, aVersion string, b Condition, bVersion string) bool {
	if lowerASCII(a.Key) != lowerASCII(b.Key) {
		return false
	}
	plain := !hasVariable(a, aVersion) && !hasVariable(b, bVersion)
	if !plain && aVersion != bVersion {
		return false
	}
	if a.Operator == b.Operator && sameSet(a.Values.List, b.Values.List) {
		return true
	}
	oa, okA := parseOperator(a.Operator)
	ob, okB := parseOperator(b.Operator)
	if !plain || !okA || !okB || oa.quantifier != ob.quantifier || oa.ifExists && !ob.ifExists ||
		oa.comparison.negated != ob.comparison.negated || len(a.Values.List) == 0 || len(b.Values.List) == 0 {
		return false
	}
	// What is negated rules out less with fewer values, or with narrower ones.
	in, out, inName, outName := a.Values.List, b.Values.List, oa.comparison.name, ob.comparison.name
	if oa.comparison.negated {
		in, out, inName, outName = out, in, outName, inName
	}
	for _, v := range in {
		if !slices.ContainsFunc(out, func(w string) bool { return valueWithin(inName, v, outName, w) }) {
			return false
		}
	}
	return true
}

// valueWithin reports whether every context value that matches v in the inner
// comparison matches w in the outer one.
func valueWithin(inName, v, outName, w string) bool {
	if inName == outName && v == w {
		return true
	}
	switch inName + " in " + outName {
	case "StringEquals in StringLike":
		return covers(compile(w), symbols(v))
	case "StringLike in StringLike":
		return PatternWithin(v, w)
	case "StringEquals in StringEqualsIgnoreCase", "StringEqualsIgnoreCase in StringEqualsIgnoreCase":
		return lowerASCII(v) == lowerASCII(w)
	case "ArnLike in ArnLike":
		return arnWithin(v, w)
	case "IpAddress in IpAddress":
		return rangeWithin(v, w)
	case "NumericEquals in NumericLessThanEquals", "NumericLessThan in NumericLessThanEquals",
		"NumericLessThan in NumericLessThan", "NumericLessThanEquals in NumericLessThanEquals":
		return numberNotAbove(v, w)
	case "NumericEquals in NumericGreaterThanEquals", "NumericGreaterThan in NumericGreaterThanEquals",
		"NumericGreaterThan in NumericGreaterThan", "NumericGreaterThanEquals in NumericGreaterThanEquals":
		return numberNotAbove(w, v)
	case "DateEquals in DateLessThanEquals", "DateLessThan in DateLessThanEquals",
		"DateLessThan in DateLessThan", "DateLessThanEquals in DateLessThanEquals":
		return dateNotAfter(v, w)
	case "DateEquals in DateGreaterThanEquals", "DateGreaterThan in DateGreaterThanEquals",
		"DateGreaterThan in DateGreaterThan", "DateGreaterThanEquals in DateGreaterThanEquals":
		return dateNotAfter(w, v)
	}
	return false
}

func arnWithin(v, w string) bool {
	p, t := segments(compile(w)), segments(compile(v))
	if len(p) != arnSegments || len(t) != arnSegments {
		return false
	}
	for i := range p {
		if !covers(widen(p[i]), t[i]) {
			return false
		}
	}
	return true
}

func rangeWithin(v, w string) bool {
	in, okV := parsePrefix(v)
	out, okW := parsePrefix(w)
	return okV && okW && out.Bits() <= in.Bits() && out.Contains(in.Addr())
}

func numberNotAbove(v, w string) bool {
	a, okA := parseNumber(v)
	b, okB := parseNumber(w)
	return okA && okB && a.Cmp(b) <= 0
}

func dateNotAfter(v, w string) bool {
	a, okA := parseDate(v)
	b, okB := parseDate(w)
	return okA && okB && !a.After(b)
}

func hasVariable(c Condition, version string) bool {
	return version != version2008 &&
		slices.ContainsFunc(c.Values.List, func(s string) bool { return strings.Contains(s, "${") })
}

// sameSet reports whether the lists hold the same values.
func sameSet(a, b []string) bool {
	return len(a) > 0 == (len(b) > 0) && subset(a, b) && subset(b, a)
}

func subset(a, b []string) bool {
	return !slices.ContainsFunc(a, func(s string) bool { return !slices.Contains(b, s) })
}

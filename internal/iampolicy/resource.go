package iampolicy

import (
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

// How IAM matches resource patterns is not documented in full (AWS.md#resource-patterns).
// So two readings are kept. The narrow one matches segment by segment; only a
// pattern that is shorter than an ARN and ends in * reaches beyond, and a part
// of a resource's type is no wildcard. The wide one lets every wildcard cross
// colons. What both match, matches; what only the wide one matches, may. A
// pattern shorter than an ARN and without a * at its end is unsure.

// arnSegments is how many parts an ARN has: arn, partition, service, region,
// account, resource. The last one may hold colons.
const arnSegments = 6

// segments splits the symbols of an ARN or a pattern of ARNs at colons.
func segments(s []rune) [][]rune {
	var out [][]rune
	start := 0
	for i, r := range s {
		if r == ':' && len(out) < arnSegments-1 {
			out = append(out, s[start:i])
			start = i + 1
		}
	}
	return append(out, s[start:])
}

// isPlain reports whether s has no wildcards.
func isPlain(s []rune) bool {
	for _, r := range s {
		if r < 0 {
			return false
		}
	}
	return true
}

// narrow reports whether pattern covers s in the narrow reading; s may be a
// pattern itself.
func narrow(pattern, s []rune) bool {
	p, t := segments(pattern), segments(s)
	n := len(p)
	if n < 4 || string(p[0]) != "arn" || !isPlain(p[2]) || len(t) < n {
		return false
	}
	if n < arnSegments && (len(p[n-1]) == 0 || p[n-1][len(p[n-1])-1] != anyRun) {
		return false
	}
	for i := range p {
		if !covers(widen(p[i]), t[i]) {
			return false
		}
	}
	return n < arnSegments || !wildType(p, t[arnSegments-1])
}

// typeless are the services whose resources begin with a name, not a type.
var typeless = []string{"s3", "execute-api"}

// wildType reports whether a pattern has a wildcard in the type of a resource,
// which is what stands before the first colon or slash; a name without a type
// has neither after it. A type that is * altogether does not count.
func wildType(pattern [][]rune, resource []rune) bool {
	separator := func(r rune) bool { return r == ':' || r == '/' }
	kind, more := pattern[arnSegments-1], slices.ContainsFunc(resource, separator)
	if end := slices.IndexFunc(kind, separator); end >= 0 {
		kind, more = kind[:end], true
	}
	whole := len(kind) == 1 && kind[0] == anyRun
	return more && !whole && !isPlain(kind) && !slices.Contains(typeless, string(pattern[2]))
}

// expandResource compiles a pattern of resources.
func expandResource(text, version string, resolve resolver) glob {
	g := expand(text, version, true, resolve)
	p := segments(g.syms)
	last := p[len(p)-1]
	if len(p) > 1 && len(p) < arnSegments && string(p[0]) == "arn" && (len(last) == 0 || last[len(last)-1] != anyRun) {
		g.unsure, g.incomplete = true, true
		g.syms = append(g.syms, anyRun)
	}
	return g
}

// resourceMatches tells whether a pattern of a statement matches the resource
// of a request. A * or ? within the resource is read both as itself and as a
// wildcard, and only what holds either way is sure.
func resourceMatches(pattern glob, resource string) tri {
	if pattern.isAll() {
		return yes
	}
	s := compile(resource)
	if resource == "*" {
		s = symbols(resource) // an action without resources, not any resource
	}
	return sure(intersects(pattern.syms, s), narrow(pattern.syms, s) && !pattern.unsure)
}

// sure is no unless the wide reading holds, and yes if the narrow one does too.
func sure(wide, narrow bool) tri {
	switch {
	case !wide:
		return no
	case !narrow:
		return maybe
	}
	return yes
}

// glob is a pattern whose policy variables have been dealt with.
type glob struct {
	syms []rune
	// unsure: a variable's value is not known and anyRun stands for it, so
	// syms matches at least what the pattern matches.
	unsure bool
	// unresolved: a variable may have no value.
	unresolved bool
	// incomplete: the pattern is shorter than an ARN, and anyRun was added.
	incomplete bool
	// variables: the text has policy variables, known or not.
	variables bool
	// early: a variable stands before the last segment of an ARN.
	early bool
}

// same reports whether two patterns have the same symbols. If there are
// variables among them, their texts must be compared as well.
func (g glob) same(o glob) bool {
	return slices.Equal(g.syms, o.syms) && g.variables == o.variables && g.incomplete == o.incomplete
}

func (g glob) isAll() bool { return len(g.syms) == 1 && g.syms[0] == anyRun && !g.variables }

// resolver gives a policy variable's value, "" if the request is known to have
// none. Known is false if nothing is known of it.
type resolver func(key string) (value string, known bool)

// unresolved knows no variable.
func unresolved(string) (string, bool) { return "", false }

// variable is the inside of a policy variable: a key, or a key and a default.
var variable = lazyregexp.New(`^([A-Za-z0-9_:/.@+=-]+)(?:, *'([^'{}]*)')?$`)

// expand compiles a pattern. Except in documents of the older version, ${key}
// is the request's value for the key, ${key, 'x'} the same with a default, and
// ${*}, ${?} and ${$} are these characters. With wildcards false, * and ?
// outside of a variable are themselves.
func expand(text, version string, wildcards bool, resolve resolver) glob {
	parse := compile
	if !wildcards {
		parse = symbols
	}
	if version == version2008 || !strings.Contains(text, "${") {
		return glob{syms: parse(text)}
	}
	var g glob
	for text != "" {
		before, rest, found := strings.Cut(text, "${")
		g.syms = append(g.syms, parse(before)...)
		if !found {
			break
		}
		inside, after, _ := strings.Cut(rest, "}")
		text = after
		if inside == "*" || inside == "?" || inside == "$" {
			g.syms = append(g.syms, rune(inside[0]))
			continue
		}
		g.variables = true
		g.early = g.early || len(segments(g.syms)) < arnSegments
		m := variable.FindStringSubmatch(inside)
		if m == nil {
			// Where it ends is anybody's guess, so the rest may be anything.
			g.giveUp()
			break
		}
		g.substitute(m[1], m[2], resolve)
	}
	return g
}

// substitute appends the variable's value. Not documented are, and so give an
// unsure pattern: a variable without a value, a value that brings in segments
// of an ARN, and one with wildcards in it; read as wildcards, they match at
// least what they match as themselves.
func (g *glob) substitute(key, fallback string, resolve resolver) {
	value, known := resolve(key)
	if value == "" {
		value = fallback
	}
	if !known || value == "" {
		g.giveUp()
		return
	}
	if g.early && strings.Contains(value, ":") {
		g.unsure = true
		g.syms = append(g.syms, anyRun)
		return
	}
	g.unsure = g.unsure || strings.ContainsAny(value, "*?$")
	g.syms = append(g.syms, compile(value)...)
}

// giveUp lets anything stand in the place of a variable without a value.
func (g *glob) giveUp() {
	g.unsure, g.unresolved = true, true
	g.syms = append(g.syms, anyRun)
}

package iampolicy

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// Evaluate judges a request as IAM does for identity-based permissions: a
// Deny of any policy or of the boundary wins; then one Allow is needed in the
// policies and, if there is a boundary, one in the boundary.
//
// It never says [Allowed] unless that is sure. A statement applies for sure,
// does not for sure, or may; a Deny that may apply, and an Allow that may and
// is needed, make the verdict [Unknown]. A statement may apply if it has an
// operator that this package does not know, a condition key or policy variable
// that the request's context lacks, several values where one is meant, an
// operator for one value on a key that AWS documents as multivalued, a value
// that cannot be read, or a pattern whose match is not documented.
//
// A context key with an empty list of values is known to be absent from the
// request; one that is not in the context at all is not known. The request's
// action is a full name. Its resource is one exact ARN or "*"; wildcards in a
// longer one count both as themselves and as wildcards.
//
// For [Unknown] the Match names the first statement that may apply.
func Evaluate(a Access, r Request) (Verdict, Match) {
	none := Match{Policy: -1, Statement: -1}
	if !isAction(r.Action) || r.Resource == "" {
		return Unknown, none
	}
	c := newContext(r)
	ids := finding{allow: none, deny: none}
	for i, d := range a.Policies {
		ids.add(d, i, r, c)
	}
	bounds := finding{allows: yes, allow: none, deny: none}
	if a.Boundary != nil {
		bounds.allows = no
		bounds.add(*a.Boundary, -1, r, c)
	}
	allows := min(ids.allows, bounds.allows)
	switch {
	case ids.denies == yes:
		return ExplicitDeny, ids.deny
	case bounds.denies == yes:
		return ExplicitDeny, bounds.deny
	case ids.denies == maybe:
		return Unknown, ids.deny
	case bounds.denies == maybe:
		return Unknown, bounds.deny
	case allows == no:
		return ImplicitDeny, none
	case allows == yes:
		return Allowed, ids.allow
	case ids.allows == maybe:
		return Unknown, ids.allow
	}
	return Unknown, bounds.allow
}

// finding gathers what a set of policies says, and where first.
type finding struct {
	allows, denies tri
	allow, deny    Match
}

func (f *finding) add(d Document, policy int, r Request, c contextKeys) {
	for i, s := range d.Statements {
		at := Match{Policy: policy, Statement: i}
		applies := s.applies(d.version(), r, c)
		// What is no Allow may be a Deny.
		if s.Effect == "Allow" && applies > f.allows {
			f.allows, f.allow = applies, at
		}
		if s.Effect != "Allow" && applies > f.denies {
			f.denies, f.deny = applies, at
		}
	}
}

// applies tells whether the statement is about the request.
func (s Statement) applies(version string, r Request, c contextKeys) tri {
	if s.malformed() {
		return maybe
	}
	out := s.matchesAction(r.Action)
	if out > no {
		out = min(out, s.matchesResource(version, r.Resource, c))
	}
	for _, cond := range s.Condition {
		if out == no {
			break
		}
		out = min(out, cond.holds(version, c))
	}
	if out == yes && s.unresolved(version, c) {
		return maybe
	}
	return out
}

// unresolved reports whether a policy variable of the statement may have no
// value, which might make the whole statement invalid, even if it has another
// value that matches (AWS.md#variables-without-a-value).
func (s Statement) unresolved(version string, c contextKeys) bool {
	lacks := func(text string) bool { return expand(text, version, true, c.variable).unresolved }
	if slices.ContainsFunc(s.Resource.List, lacks) || slices.ContainsFunc(s.NotResource.List, lacks) {
		return true
	}
	return slices.ContainsFunc(s.Condition, func(cond Condition) bool {
		return !strings.HasSuffix(cond.Operator, ifExistsSuffix) && slices.ContainsFunc(cond.Values.List, lacks)
	})
}

// malformed reports a statement that IAM would not take, so that its meaning
// is not guessed.
func (s Statement) malformed() bool {
	has := func(v Values) bool { return len(v.List) > 0 }
	return s.Effect != "Allow" && s.Effect != "Deny" ||
		has(s.Action) == has(s.NotAction) || has(s.Resource) == has(s.NotResource)
}

func (s Statement) matchesAction(action string) tri {
	test := func(pattern string) tri { return actionMatches(pattern, action) }
	if len(s.NotAction.List) > 0 {
		return anyOf(s.NotAction.List, test).not()
	}
	return anyOf(s.Action.List, test)
}

func (s Statement) matchesResource(version, resource string, c contextKeys) tri {
	test := func(pattern string) tri {
		return resourceMatches(expandResource(pattern, version, c.variable), resource)
	}
	if len(s.NotResource.List) > 0 {
		return anyOf(s.NotResource.List, test).not()
	}
	return anyOf(s.Resource.List, test)
}

// actionMatches tells whether an action pattern matches a full action name.
// IAM takes "*" and "service:pattern"; what it would make of a wildcard in
// the service is not known.
func actionMatches(pattern, action string) tri {
	if pattern == "*" {
		return yes
	}
	return sure(MatchAction(pattern, action), hasService(pattern))
}

// hasService reports whether the pattern begins with a service without
// wildcards.
func hasService(pattern string) bool {
	service, _, found := strings.Cut(pattern, ":")
	return found && !hasWildcard(service)
}

// isAction reports whether s is a full action name: service:Name.
func isAction(s string) bool {
	service, name, found := strings.Cut(s, ":")
	return found && isService(service) && name != "" && !strings.ContainsFunc(name, notAlphanumeric)
}

func isService(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r != '-' && notAlphanumeric(r) })
}

func notAlphanumeric(r rune) bool {
	return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9')
}

// contextKeys is a request's context with its keys in lower case.
type contextKeys map[string][]string

func newContext(r Request) contextKeys {
	c := contextKeys{}
	if !r.Now.IsZero() {
		c["aws:currenttime"] = []string{r.Now.UTC().Format(time.RFC3339)}
		c["aws:epochtime"] = []string{strconv.FormatInt(r.Now.Unix(), 10)}
	}
	var unclear []string
	seen := map[string]bool{}
	for key, values := range r.Context {
		k := lowerASCII(key)
		if seen[k] && !slices.Equal(c[k], values) {
			unclear = append(unclear, k)
		}
		seen[k] = true
		c[k] = values
	}
	// The same key twice, in different case and with different values: which
	// one counts is not known.
	for _, k := range unclear {
		delete(c, k)
	}
	return c
}

func (c contextKeys) values(key string) (values []string, known bool) {
	values, known = c[lowerASCII(key)]
	return values, known
}

// variable is the resolver for the context. A policy variable takes the value
// of a key for one; of several, or of an empty one, it is not known what becomes.
func (c contextKeys) variable(key string) (value string, known bool) {
	values, known := c.values(key)
	switch {
	case !known || isMultivalued(key) || len(values) > 1 || slices.Contains(values, ""):
		return "", false
	case len(values) == 0:
		return "", true
	}
	return values[0], true
}

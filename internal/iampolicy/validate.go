package iampolicy

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Validate checks what can be checked of IAM's own rules without asking IAM
// (AWS.md#policy-text): version, effect, characters U+0009, U+000A, U+000D and
// U+0020 to U+00FF, Sids of letters and digits that occur once, action names,
// resources that are "*" or an ARN, known condition operators, and that the
// document can be printed without a repeated key. All problems are reported at
// once, each with its place. The size is not checked; see [Size].
func Validate(d Document) error {
	var v validation
	if d.version() != version2012 && d.version() != version2008 {
		v.report("Version", "got %q, want %q", d.Version, version2012)
	}
	v.characters("Id", d.ID)
	if len(d.Statements) == 0 {
		v.report("Statement", "is empty")
	}
	sids := map[string]bool{}
	for i, s := range d.Statements {
		path := fmt.Sprintf("Statement[%d]", i)
		v.statement(path, s)
		if s.Sid != "" && sids[s.Sid] {
			v.report(path+".Sid", "%q occurs twice", s.Sid)
		}
		sids[s.Sid] = true
	}
	return errors.Join(v.problems...)
}

type validation struct{ problems []error }

func (v *validation) report(path, format string, args ...any) {
	v.problems = append(v.problems, fmt.Errorf("policy %s: %s", path, fmt.Sprintf(format, args...)))
}

// characters reports the first character that no policy may hold.
func (v *validation) characters(path, s string) {
	for i, r := range s {
		switch {
		case r == utf8.RuneError:
			v.report(path, "holds text that is not UTF-8")
			return
		case r == '\t' || r == '\n' || r == '\r' || ' ' <= r && r <= 0xFF:
		default:
			v.report(path, "character %U at byte %d is not allowed in a policy", r, i)
			return
		}
	}
}

func (v *validation) statement(path string, s Statement) {
	if s.Effect != "Allow" && s.Effect != "Deny" {
		v.report(path+".Effect", "got %q, want \"Allow\" or \"Deny\"", s.Effect)
	}
	if strings.ContainsFunc(s.Sid, notAlphanumeric) {
		v.report(path+".Sid", "%q has other characters than letters and digits", s.Sid)
	}
	elements := s.elements()
	for i := 0; i < len(elements); i += 2 {
		if (len(elements[i].values.List) > 0) == (len(elements[i+1].values.List) > 0) {
			v.report(path, "want exactly one of %s and %s", elements[i].name, elements[i+1].name)
		}
	}
	for i, e := range elements {
		check := validResource
		if i < 2 {
			check = validAction
		}
		for j, value := range e.values.List {
			at := fmt.Sprintf("%s.%s[%d]", path, e.name, j)
			v.characters(at, value)
			if problem := check(value); problem != "" {
				v.report(at, "%q %s", value, problem)
			}
		}
	}
	v.conditions(path+".Condition", s.Condition)
}

func (v *validation) conditions(path string, list []Condition) {
	seen := map[[2]string]bool{}
	for _, c := range list {
		at := fmt.Sprintf("%s.%s.%s", path, c.Operator, c.Key)
		if _, known := parseOperator(c.Operator); !known && c.Operator != nullOperator {
			v.report(at, "unknown operator")
		}
		if c.Key == "" || len(c.Values.List) == 0 {
			v.report(at, "has no key or no values")
		}
		id := [2]string{c.Operator, lowerASCII(c.Key)}
		if seen[id] {
			v.report(at, "this operator and key occur twice")
		}
		seen[id] = true
		v.characters(at, c.Key)
		for _, value := range c.Values.List {
			v.characters(at, value)
		}
	}
}

func validAction(s string) string {
	if s == "*" {
		return ""
	}
	service, name, found := strings.Cut(s, ":")
	if !found || !isService(service) {
		return "does not begin with a service, as in \"ecr:PutImage\""
	}
	if name == "" || strings.ContainsFunc(name, func(r rune) bool { return r != '*' && r != '?' && notAlphanumeric(r) }) {
		return "is no action name"
	}
	return ""
}

// validResource accepts "*" and ARNs; a shorter one if it ends in *, which
// then stands for the rest.
func validResource(s string) string {
	if s == "*" {
		return ""
	}
	p := segments(expand(s, version2012, true, unresolved).syms)
	n := len(p)
	last := p[n-1]
	if string(p[0]) != "arn" || n < 4 || len(p[1]) == 0 || len(p[2]) == 0 || len(last) == 0 ||
		n < arnSegments && last[len(last)-1] != anyRun {
		return "is neither \"*\" nor an ARN"
	}
	if !isPlain(p[2]) {
		return "has a wildcard for the service"
	}
	return ""
}

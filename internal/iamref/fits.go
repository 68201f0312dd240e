package iamref

import "strings"

// Fits reports whether arn can name a resource of the action: the type's
// service and shape, and a region and an account exactly where the type has
// them. arn may be exact or a policy's pattern with * and ?; a pattern fits if
// some resource of the action matches it. "*" fits every action, and nothing
// else fits one that takes no resource.
//
// It says nothing about whose resource that is, or how wide the pattern is.
func Fits(action, arn string) bool {
	e := find(action)
	if e == nil {
		return false
	}
	if arn == "*" {
		return true
	}
	if len(arn) > maxARN || len(e.types) == 0 {
		return false
	}
	fields := strings.SplitN(arn, ":", 6)
	if len(fields) != 6 || fields[0] != "arn" {
		return false
	}
	shapes := e.of.shapes()
	for _, t := range e.types {
		if shapes[t].meets(fields) {
			return true
		}
	}
	return false
}

// shape is a type's ARN, compiled. Each field is a pattern of its own: no
// wildcard reaches over the first five colons.
type shape struct{ service, region, account, resource []token }

func (s shape) meets(arn []string) bool {
	return meet(partition, pattern(arn[1])) &&
		meet(s.service, pattern(arn[2])) &&
		meet(s.region, pattern(arn[3])) &&
		(meet(s.account, pattern(arn[4])) || s.owned() && arn[4] == "aws") &&
		meet(s.resource, pattern(arn[5]))
}

// owned reports whether the type has an account, which for what AWS manages
// itself is "aws".
func (s shape) owned() bool { return len(s.account) > 1 }

// token is one character of a pattern, or any number of them.
type token struct {
	set  set
	char byte // if set is one
	loop bool // any number of times, none included
}

// set is which characters a token stands for.
type set byte

const (
	one     set = iota // exactly char
	any                // all
	noSlash            // all but /
	noColon            // all but :
	neither            // all but both
	digit
)

func (s set) has(c byte) bool {
	switch s {
	case noSlash:
		return c != '/'
	case noColon:
		return c != ':'
	case neither:
		return c != '/' && c != ':'
	case digit:
		return c >= '0' && c <= '9'
	}
	return true
}

// common reports whether some character is in both tokens' sets.
func common(a, b token) bool {
	switch {
	case a.set == one && b.set == one:
		return a.char == b.char
	case a.set == one:
		return b.set.has(a.char)
	case b.set == one:
		return a.set.has(b.char)
	}
	return true
}

// meet reports whether some string matches both patterns. It takes time and
// space in proportion to the product of their lengths.
func meet(a, b []token) bool {
	// row[j] says whether a[:i] and b[:j] can have been used up together.
	row, next := make([]bool, len(b)+1), make([]bool, len(b)+1)
	row[0] = true
	for i := 0; i <= len(a); i++ {
		clear(next)
		for j := 0; j <= len(b); j++ {
			if !row[j] {
				continue
			}
			inA, inB := i < len(a), j < len(b)
			if inA && a[i].loop {
				next[j] = true
			}
			if inB && b[j].loop {
				row[j+1] = true
			}
			if !inA || !inB || !common(a[i], b[j]) {
				continue
			}
			switch {
			case a[i].loop && !b[j].loop:
				row[j+1] = true
			case b[j].loop && !a[i].loop:
				next[j] = true
			case !a[i].loop:
				next[j+1] = true
			}
		}
		if i < len(a) {
			row, next = next, row
		}
	}
	return row[len(b)]
}

// pattern reads a policy's pattern.
func pattern(s string) []token {
	list := make([]token, len(s))
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '*':
			list[i] = token{set: any, loop: true}
		case '?':
			list[i] = token{set: any}
		default:
			list[i] = token{char: s[i]}
		}
	}
	return list
}

// some is one or more characters of a set.
func some(s set) []token { return []token{{set: s}, {set: s, loop: true}} }

var (
	partition = append(pattern("aws"), token{set: any, loop: true})
	region    = some(any)
	account   = func() []token {
		list := make([]token, 12)
		for i := range list {
			list[i].set = digit
		}
		return list
	}()
)

// compile makes the shapes of a service's types. It needs them all, because
// the reference does not say how far a variable reaches: a repository's name
// may hold slashes, a bucket's may not, since there an object's name begins.
// So a variable ends at the character that follows it, in its own pattern or
// in that of another type that is equal up to there.
func compile(types []ResourceType) []shape {
	fields := make([][]string, len(types))
	follows := map[string]string{} // resource up to a variable's end → what comes next somewhere
	for i, t := range types {
		fields[i] = strings.SplitN(t.ARN, ":", 6)
		text := anonymous(fields[i][5])
		for at := range text {
			if text[at] == variable && at+1 < len(text) {
				follows[text[:at+1]] += text[at+1 : at+2]
			}
		}
	}
	shapes := make([]shape, len(types))
	for i, f := range fields {
		shapes[i] = shape{
			service:  field(f[2], some(any)),
			region:   field(f[3], region),
			account:  field(f[4], account),
			resource: resource(f[5], follows),
		}
	}
	return shapes
}

// variable stands for ${Name} in a pattern made anonymous.
const variable = '\x00'

func anonymous(pattern string) string {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(pattern, "${")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		b.WriteByte(variable)
		_, pattern, _ = strings.Cut(rest, "}")
	}
}

// field compiles a field that is a variable, a literal, or empty.
func field(s string, value []token) []token {
	if strings.HasPrefix(s, "${") {
		return value
	}
	return pattern(s)
}

func resource(s string, follows map[string]string) []token {
	var list []token
	text := anonymous(s)
	// CodeArtifact's packages without a namespace have an empty one.
	mayBeEmpty := strings.Contains(s, "${PackageNamespace}")
	for at := range len(text) {
		if text[at] != variable {
			list = append(list, pattern(text[at:at+1])...)
			continue
		}
		tokens := some(reach(follows[text[:at+1]]))
		if mayBeEmpty && strings.HasPrefix(text[at+1:], "/") {
			tokens = tokens[1:]
		}
		list = append(list, tokens...)
	}
	return list
}

// reach is what a variable may hold, given the characters that end it.
func reach(ends string) set {
	slash, colon := strings.Contains(ends, "/"), strings.Contains(ends, ":")
	switch {
	case slash && colon:
		return neither
	case slash:
		return noSlash
	case colon:
		return noColon
	}
	return any
}

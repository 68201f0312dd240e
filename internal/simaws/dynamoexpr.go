package simaws

import (
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

// Expressions of DynamoDB: conditions and updates, as far as a ledger needs them. What is not known
// is refused as an invalid expression.

// maxExpression is DynamoDB's limit of an expression; it bounds how deep one nests, too.
const maxExpression = 4 << 10

var dynToken = lazyregexp.New(`^(?:[#:]?[A-Za-z0-9_]+|<>|<=|>=|[=<>(),])`)

// dynReader reads an expression over an item, which may be nil.
type dynReader struct {
	terms dynTerms
	item  dynItem
	words []string
	err   error
}

func (x dynTerms) reader(expression string, it dynItem) *dynReader {
	p := &dynReader{terms: x, item: it}
	if len(expression) > maxExpression {
		p.bad("it is longer than 4 KB")
		return p
	}
	for rest := strings.TrimSpace(expression); rest != ""; rest = strings.TrimSpace(rest) {
		w := dynToken.FindString(rest)
		if w == "" {
			p.bad("unexpected %q", rest[:1])
			return p
		}
		p.words, rest = append(p.words, w), rest[len(w):]
	}
	return p
}

func (p *dynReader) bad(format string, args ...any) {
	if p.err == nil {
		p.err = dynInvalid("Invalid expression: "+format, args...)
	}
	p.words = nil
}

// next takes the next word if it is one of those, ignoring case.
func (p *dynReader) next(want ...string) string {
	if len(p.words) > 0 && slices.ContainsFunc(want, func(w string) bool { return strings.EqualFold(w, p.words[0]) }) {
		w := p.words[0]
		p.words = p.words[1:]
		return strings.ToUpper(w)
	}
	return ""
}

func (p *dynReader) must(want string) {
	if p.next(want) == "" {
		p.bad("%q is missing", want)
	}
}

// holds evaluates a condition.
func (x dynTerms) holds(expression string, it dynItem) (bool, error) {
	p := x.reader(expression, it)
	ok := p.or()
	if len(p.words) > 0 {
		p.bad("unexpected %q", p.words[0])
	}
	return ok, p.err
}

func (p *dynReader) or() bool {
	ok := p.and()
	for p.next("OR") != "" {
		ok = p.and() || ok
	}
	return ok
}

func (p *dynReader) and() bool {
	ok := p.not()
	for p.next("AND") != "" {
		ok = p.not() && ok
	}
	return ok
}

func (p *dynReader) not() bool {
	if p.next("NOT") != "" {
		return !p.not()
	}
	if p.next("(") != "" {
		ok := p.or()
		p.must(")")
		return ok
	}
	switch f := p.next("attribute_exists", "attribute_not_exists", "begins_with", "contains"); f {
	case "ATTRIBUTE_EXISTS", "ATTRIBUTE_NOT_EXISTS":
		p.must("(")
		v := p.operand()
		p.must(")")
		return (v != nil) == (f == "ATTRIBUTE_EXISTS")
	case "BEGINS_WITH", "CONTAINS":
		p.must("(")
		v := p.operand()
		p.must(",")
		of := p.operand()
		p.must(")")
		if f == "CONTAINS" {
			return v.contains(of)
		}
		s, ok1 := v.text()
		pre, ok2 := of.text()
		return ok1 && ok2 && strings.HasPrefix(s, pre)
	}
	return p.comparison()
}

func (p *dynReader) comparison() bool {
	a := p.operand()
	switch op := p.next("=", "<>", "<", "<=", ">", ">=", "BETWEEN"); op {
	case "":
		p.bad("a comparison is missing")
		return false
	case "BETWEEN":
		from := p.operand()
		p.must("AND")
		to := p.operand()
		return a.compares(">=", from) && a.compares("<=", to)
	default:
		return a.compares(op, p.operand())
	}
}

// operand is a value, an attribute or the size of one; nil if there is none.
func (p *dynReader) operand() dynValue {
	if p.next("size") != "" {
		p.must("(")
		v := p.operand()
		p.must(")")
		if v == nil {
			return nil
		}
		return dynValue{"N": strconv.Itoa(v.length())}
	}
	if len(p.words) == 0 {
		p.bad("it ends too early")
		return nil
	}
	w := p.words[0]
	p.words = p.words[1:]
	if w[0] == ':' {
		v, ok := p.terms.ExpressionAttributeValues[w]
		if !ok {
			p.bad("the value %s is not defined", w)
		}
		return v
	}
	return p.item[p.name(w)]
}

// name is the attribute that a word stands for.
func (p *dynReader) name(w string) string {
	if w[0] != '#' {
		return w
	}
	n, ok := p.terms.ExpressionAttributeNames[w]
	if !ok {
		p.bad("the name %s is not defined", w)
	}
	return n
}

// compares compares values of one type; what is not there, or of another type, compares with nothing.
func (v dynValue) compares(op string, w dynValue) bool {
	if v == nil || w == nil {
		return false
	}
	kind, x := v.kind()
	other, y := w.kind()
	a, ok1 := x.(string)
	b, ok2 := y.(string)
	n, ok := strings.Compare(a, b), ok1 && ok2 && kind == other
	if ok && kind == "N" {
		n, ok = compareNumbers(a, b)
	}
	switch op {
	case "=":
		return ok && n == 0 || !ok && reflect.DeepEqual(v, w)
	case "<>":
		return !v.compares("=", w)
	case "<":
		return ok && n < 0
	case "<=":
		return ok && n <= 0
	case ">":
		return ok && n > 0
	}
	return ok && n >= 0
}

// contains reports whether a text has a part, or a set or list an element.
func (v dynValue) contains(of dynValue) bool {
	kind, x := v.kind()
	_, y := of.kind()
	switch x := x.(type) {
	case string:
		s, ok := y.(string)
		return ok && kind == "S" && strings.Contains(x, s)
	case []any:
		if kind == "L" {
			y = map[string]any(of)
		}
		return slices.ContainsFunc(x, func(e any) bool { return reflect.DeepEqual(e, y) })
	}
	return false
}

// length is what size() gives: bytes of a text, elements of anything else.
func (v dynValue) length() int {
	switch kind, x := v.kind(); x := x.(type) {
	case string:
		if kind == "B" {
			return v.size()
		}
		return len(x)
	case []any:
		return len(x)
	case map[string]any:
		return len(x)
	}
	return 0
}

// updated is the item after an update.
func (x dynTerms) updated(expression string, it dynItem) (dynItem, error) {
	p := x.reader(expression, it)
	out := dynItem{}
	for k, v := range it {
		out[k] = v
	}
	for len(p.words) > 0 {
		section := p.next("SET", "ADD", "REMOVE")
		if section == "" {
			p.bad("unexpected %q", p.words[0])
		}
		for more := true; more && p.err == nil; more = p.next(",") != "" {
			p.change(section, out)
		}
	}
	return out, p.err
}

// change makes one change of an update; operands are of the item as it was.
func (p *dynReader) change(section string, out dynItem) {
	if len(p.words) == 0 {
		p.bad("it ends too early")
		return
	}
	name := p.name(p.words[0])
	if len(p.words) > 0 {
		p.words = p.words[1:]
	}
	switch section {
	case "REMOVE":
		delete(out, name)
	case "ADD":
		out[name] = p.added(p.item[name], p.operand())
	default:
		p.must("=")
		if p.next("if_not_exists") == "" {
			out[name] = p.operand()
			break
		}
		p.must("(")
		old := p.operand()
		p.must(",")
		v := p.operand()
		p.must(")")
		if out[name] = old; old == nil {
			out[name] = v
		}
	}
	if out[name] == nil && section != "REMOVE" {
		p.bad("an operand refers to an attribute that does not exist in the item")
	}
}

// added adds a number to a number, or elements to a set.
func (p *dynReader) added(old, v dynValue) dynValue {
	kind, x := v.kind()
	was, y := old.kind()
	switch {
	case old == nil && (kind == "N" || kind == "SS" || kind == "NS"):
		return v
	case kind == "N" && was == "N":
		a, _ := x.(string)
		b, _ := y.(string)
		m, err1 := strconv.ParseInt(a, 10, 64)
		n, err2 := strconv.ParseInt(b, 10, 64)
		if err1 == nil && err2 == nil {
			return dynValue{"N": strconv.FormatInt(m+n, 10)}
		}
	case (kind == "SS" || kind == "NS") && was == kind:
		add, _ := x.([]any)
		set, _ := y.([]any)
		all := slices.Clone(set)
		for _, e := range add {
			if !slices.ContainsFunc(all, func(o any) bool { return reflect.DeepEqual(o, e) }) {
				all = append(all, e)
			}
		}
		return dynValue{kind: all}
	}
	p.bad("an operand has an incorrect data type")
	return nil
}

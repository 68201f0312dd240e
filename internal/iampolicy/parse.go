package iampolicy

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Versions of the policy language. Only the newer one knows policy variables.
const (
	version2012 = "2012-10-17"
	version2008 = "2008-10-17"
)

// Parse reads an identity-based policy document as this package writes them.
// It is strict: an unknown or repeated key at any depth, another version or
// effect, both or neither of Action and NotAction (Resource and NotResource
// alike), an empty list, a principal, text that is not UTF-8 and anything
// after the document are errors, which name the place, line and column.
// Each statement's bytes are kept in its Raw.
func Parse(data []byte) (Document, error) { return parse(data, false) }

// ParseLoose reads a document that is only to be evaluated, not written. It
// is [Parse], and also accepts what IAM accepts: one statement instead of a
// list, a missing Version (it means 2008-10-17), and conditions without
// keys or values (which [Evaluate] cannot tell the meaning of).
func ParseLoose(data []byte) (Document, error) { return parse(data, true) }

func parse(data []byte, loose bool) (Document, error) {
	r := &reader{data: data, loose: loose}
	if err := r.checkText(); err != nil {
		return Document{}, err
	}
	r.dec = json.NewDecoder(bytes.NewReader(data))
	r.dec.UseNumber()
	return r.document()
}

// parseStatement reads one statement by itself, as [Parse] does.
func parseStatement(data []byte, loose bool) (Statement, error) {
	r := &reader{data: data, loose: loose}
	if err := r.checkText(); err != nil {
		return Statement{}, err
	}
	r.dec = json.NewDecoder(bytes.NewReader(data))
	r.dec.UseNumber()
	return r.statement("Statement")
}

// reader reads valid JSON token by token; the decoder undoes escapes, so that
// keys are compared as what they mean.
type reader struct {
	data  []byte
	dec   *json.Decoder
	loose bool
}

// checkText reports what makes the data no JSON value in UTF-8.
func (r *reader) checkText() error {
	for i := 0; i < len(r.data); {
		c, n := utf8.DecodeRune(r.data[i:])
		if c == utf8.RuneError && n == 1 {
			return r.errorAt(i, "", "byte 0x%02x is not UTF-8", r.data[i])
		}
		i += n
	}
	var v json.RawMessage
	err := json.Unmarshal(r.data, &v)
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return r.errorAt(max(int(syntax.Offset)-1, 0), "", "%s", strings.TrimPrefix(syntax.Error(), "json: "))
	}
	if err != nil {
		return r.errorAt(0, "", "%v", err)
	}
	return nil
}

// errorAt makes an error that names the place in the document, and line and
// column (in bytes, from 1) of the offset.
func (r *reader) errorAt(offset int, path, format string, args ...any) error {
	before := r.data[:min(offset, len(r.data))]
	line := bytes.Count(before, []byte("\n")) + 1
	column := len(before) - (bytes.LastIndexByte(before, '\n') + 1) + 1
	what := fmt.Sprintf(format, args...)
	if path != "" {
		what = path + ": " + what
	}
	return fmt.Errorf("reading policy: line %d:%d: %s", line, column, what)
}

// next reads one token and tells where it begins.
func (r *reader) next() (json.Token, int, error) {
	start := r.valueStart()
	t, err := r.dec.Token()
	if err != nil {
		return nil, start, r.errorAt(start, "", "%v", err)
	}
	return t, start, nil
}

// object reads an object whose opening brace was read already, and calls
// value for each key. Keys that fold makes equal are an error.
func (r *reader) object(path string, fold func(string) string, value func(path, key string, at int) error) error {
	seen := map[string]bool{}
	for {
		t, at, err := r.next()
		if err != nil {
			return err
		}
		key, ok := t.(string)
		if !ok {
			return nil // the closing brace: in valid JSON nothing else can be here
		}
		inner := join(path, key)
		if err := r.checkString(key, inner, at); err != nil {
			return err
		}
		if seen[fold(key)] {
			return r.errorAt(at, inner, "this key occurs twice")
		}
		seen[fold(key)] = true
		if err := value(inner, key, at); err != nil {
			return err
		}
	}
}

// open reads the opening brace of an object.
func (r *reader) open(path string) (int, error) {
	t, at, err := r.next()
	if err != nil {
		return at, err
	}
	if t != json.Delim('{') {
		return at, r.errorAt(at, path, "want an object, not %s", kind(t))
	}
	return at, nil
}

func (r *reader) document() (Document, error) {
	var d Document
	if _, err := r.open(""); err != nil {
		return Document{}, err
	}
	found := map[string]bool{}
	err := r.object("", exactly, func(path, key string, at int) (err error) {
		found[key] = true
		switch key {
		case "Version":
			d.Version, err = r.word(path, version2012, version2008)
		case "Id":
			d.ID, err = r.text(path)
		case "Statement":
			d.Statements, err = r.statements(path)
		default:
			err = r.errorAt(at, path, "unknown key; a policy document has Version, Id and Statement")
		}
		return err
	})
	if err != nil {
		return Document{}, err
	}
	if !found["Statement"] {
		return Document{}, r.errorAt(0, "Statement", "is missing")
	}
	if !found["Version"] {
		if !r.loose {
			return Document{}, r.errorAt(0, "Version", "is missing; want %q", version2012)
		}
		d.Version = version2008
	}
	return d, nil
}

func (r *reader) statements(path string) ([]Statement, error) {
	if r.peek() == '{' && r.loose {
		s, err := r.statement(path)
		return []Statement{s}, err
	}
	t, at, err := r.next()
	if err != nil {
		return nil, err
	}
	if t != json.Delim('[') {
		return nil, r.errorAt(at, path, "want a list of statements, not %s", kind(t))
	}
	var out []Statement
	for r.dec.More() {
		s, err := r.statement(fmt.Sprintf("%s[%d]", path, len(out)))
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	_, _, err = r.next()
	return out, err
}

func (r *reader) statement(path string) (Statement, error) {
	var s Statement
	start, err := r.open(path)
	if err != nil {
		return Statement{}, err
	}
	found := map[string]bool{}
	err = r.object(path, exactly, func(path, key string, at int) (err error) {
		found[key] = true
		switch key {
		case "Sid":
			s.Sid, err = r.text(path)
		case "Effect":
			s.Effect, err = r.word(path, "Allow", "Deny")
		case "Action":
			s.Action, err = r.values(path, false)
		case "NotAction":
			s.NotAction, err = r.values(path, false)
		case "Resource":
			s.Resource, err = r.values(path, false)
		case "NotResource":
			s.NotResource, err = r.values(path, false)
		case "Condition":
			s.Condition, err = r.conditions(path)
		case "Principal", "NotPrincipal":
			err = r.errorAt(at, path, "an identity-based policy names no principal")
		default:
			err = r.errorAt(at, path, "unknown key; a statement has Sid, Effect, Action or NotAction, Resource or "+
				"NotResource, and Condition")
		}
		return err
	})
	if err != nil {
		return Statement{}, err
	}
	if !found["Effect"] {
		return Statement{}, r.errorAt(start, path+".Effect", "is missing")
	}
	for _, pair := range [][2]string{{"Action", "NotAction"}, {"Resource", "NotResource"}} {
		if found[pair[0]] == found[pair[1]] {
			return Statement{}, r.errorAt(start, path, "want exactly one of %s and %s", pair[0], pair[1])
		}
	}
	s.Raw = string(r.data[start:r.dec.InputOffset()])
	return s, nil
}

func (r *reader) conditions(path string) ([]Condition, error) {
	if _, err := r.open(path); err != nil {
		return nil, err
	}
	var out []Condition
	err := r.object(path, exactly, func(path, operator string, _ int) error {
		at, err := r.open(path)
		if err != nil {
			return err
		}
		before := len(out)
		// IAM does not tell condition keys apart by case, so two that differ
		// in case alone are the same key twice.
		err = r.object(path, lowerASCII, func(path, key string, _ int) error {
			v, err := r.values(path, true)
			out = append(out, Condition{Operator: operator, Key: key, Values: v})
			return err
		})
		if err == nil && len(out) == before {
			if !r.loose {
				return r.errorAt(at, path, "has no condition keys")
			}
			out = append(out, Condition{Operator: operator})
		}
		return err
	})
	slices.SortFunc(out, compareConditions)
	return out, err
}

func compareConditions(a, b Condition) int {
	return cmp.Or(cmp.Compare(a.Operator, b.Operator), cmp.Compare(a.Key, b.Key))
}

// values reads a scalar or a list. In a condition a value may also be a
// number or a boolean; its text is kept.
func (r *reader) values(path string, condition bool) (Values, error) {
	if r.peek() != '[' {
		s, err := r.scalar(path, condition)
		return Values{List: []string{s}, Scalar: true}, err
	}
	_, at, err := r.next()
	if err != nil {
		return Values{}, err
	}
	var v Values
	for r.dec.More() {
		s, err := r.scalar(fmt.Sprintf("%s[%d]", path, len(v.List)), condition)
		if err != nil {
			return Values{}, err
		}
		v.List = append(v.List, s)
	}
	if _, _, err := r.next(); err != nil {
		return Values{}, err
	}
	if len(v.List) == 0 && !(condition && r.loose) {
		return Values{}, r.errorAt(at, path, "the list is empty")
	}
	return v, nil
}

func (r *reader) scalar(path string, condition bool) (string, error) {
	t, at, err := r.next()
	if err != nil {
		return "", err
	}
	switch t := t.(type) {
	case string:
		return t, r.checkString(t, path, at)
	case json.Number:
		if condition {
			return t.String(), nil
		}
	case bool:
		if condition {
			return fmt.Sprint(t), nil
		}
	}
	return "", r.errorAt(at, path, "want a string, not %s", kind(t))
}

func (r *reader) text(path string) (string, error) { return r.scalar(path, false) }

// word reads a string that must be one of the wanted.
func (r *reader) word(path string, wanted ...string) (string, error) {
	start := r.valueStart()
	s, err := r.text(path)
	if err == nil && !slices.Contains(wanted, s) {
		err = r.errorAt(start, path, "got %q, want \"%s\"", s, strings.Join(wanted, `" or "`))
	}
	return s, err
}

// checkString rejects the replacement character: the decoder also puts it in
// place of half a surrogate pair, and different texts would then be equal.
func (r *reader) checkString(s, path string, at int) error {
	if strings.ContainsRune(s, utf8.RuneError) {
		return r.errorAt(at, path, "holds U+FFFD or half of a surrogate pair")
	}
	return nil
}

// peek gives the first byte of the next value.
func (r *reader) peek() byte {
	if at := r.valueStart(); at < len(r.data) {
		return r.data[at]
	}
	return 0
}

func (r *reader) valueStart() int {
	at := int(r.dec.InputOffset())
	for at < len(r.data) && strings.IndexByte(" \t\r\n,:", r.data[at]) >= 0 {
		at++
	}
	return at
}

func exactly(s string) string { return s }

func join(path, key string) string {
	if path == "" {
		return show(key)
	}
	return path + "." + show(key)
}

// kind names a JSON token's kind for an error.
func kind(t json.Token) string {
	switch t := t.(type) {
	case json.Delim:
		if t == '[' {
			return "a list"
		}
		return "an object"
	case string:
		return "a string"
	case json.Number:
		return "a number"
	case bool:
		return "a boolean"
	}
	return "null"
}

package iampolicy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
)

// Canonical prints the document: two spaces of indentation, keys in IAM's
// usual order, a newline at the end. A statement that was read is printed byte
// for byte as it was read, unless its fields were changed since. The same
// document always gives the same bytes.
func (d Document) Canonical() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "{\n  \"Version\": %s,\n", quote(d.version()))
	if d.ID != "" {
		fmt.Fprintf(&b, "  \"Id\": %s,\n", quote(d.ID))
	}
	b.WriteString("  \"Statement\": [")
	for i, s := range d.Statements {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString("\n    ")
		if raw, ok := s.asRead(); ok {
			b.WriteString(raw)
		} else {
			b.Write(indent(s.compact(), "    "))
		}
	}
	if len(d.Statements) > 0 {
		b.WriteString("\n  ")
	}
	b.WriteString("]\n}\n")
	return b.Bytes()
}

// Compact prints the document without whitespace between its tokens, as it
// goes to IAM. Statements that were read keep their keys' order and escapes.
func (d Document) Compact() []byte {
	var b bytes.Buffer
	if err := json.Compact(&b, d.Canonical()); err != nil {
		panic("iampolicy: canonical form is no JSON: " + err.Error())
	}
	return b.Bytes()
}

// Size is what the document counts against IAM's quotas, in bytes: all but
// whitespace (AWS.md#quotas). Whether IAM counts whitespace inside of strings
// is not documented, so it counts here, and so does each byte of a character
// beyond ASCII: the true size is never larger.
func Size(doc []byte) int {
	n := 0
	inString, escaped := false, false
	for _, c := range doc {
		switch {
		case escaped:
			escaped = false
		case inString && c == '\\':
			escaped = true
		case c == '"':
			inString = !inString
		}
		if inString || !isSpace(c) {
			n++
		}
	}
	return n
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// asRead gives the bytes that the statement was read from, if its fields
// still say the same. So what is printed is always what was judged.
func (s Statement) asRead() (string, bool) {
	if s.Raw == "" {
		return "", false
	}
	read, err := parseStatement([]byte(s.Raw), true)
	return s.Raw, err == nil && read.Raw == s.Raw && sameForm(read, s)
}

// compact prints the statement's fields.
func (s Statement) compact() []byte {
	var b bytes.Buffer
	member := func(key string, value []byte) {
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		b.Write(quote(key))
		b.WriteByte(':')
		b.Write(value)
	}
	if s.Sid != "" {
		member("Sid", quote(s.Sid))
	}
	member("Effect", quote(s.Effect))
	for _, e := range s.elements() {
		if len(e.values.List) > 0 {
			member(e.name, e.values.compact())
		}
	}
	if len(s.Condition) > 0 {
		member("Condition", compactConditions(s.Condition))
	}
	return slices.Concat([]byte("{"), b.Bytes(), []byte("}"))
}

type element struct {
	name   string
	values Values
}

// elements gives the list-like elements in the order of printing.
func (s Statement) elements() [4]element {
	return [4]element{
		{"Action", s.Action}, {"NotAction", s.NotAction},
		{"Resource", s.Resource}, {"NotResource", s.NotResource},
	}
}

func (v Values) compact() []byte {
	if v.Scalar && len(v.List) == 1 {
		return quote(v.List[0])
	}
	var items [][]byte
	for _, s := range v.List {
		items = append(items, quote(s))
	}
	return slices.Concat([]byte("["), bytes.Join(items, []byte(",")), []byte("]"))
}

func compactConditions(list []Condition) []byte {
	var b bytes.Buffer
	list = slices.SortedStableFunc(slices.Values(list), compareConditions)
	for len(list) > 0 {
		operator := list[0].Operator
		var keys [][]byte
		for len(list) > 0 && list[0].Operator == operator {
			if c := list[0]; c.Key != "" || len(c.Values.List) > 0 {
				keys = append(keys, slices.Concat(quote(c.Key), []byte(":"), c.Values.compact()))
			}
			list = list[1:]
		}
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%s:{%s}", quote(operator), bytes.Join(keys, []byte(",")))
	}
	return slices.Concat([]byte("{"), b.Bytes(), []byte("}"))
}

// quote prints a JSON string without escaping <, > and &.
func quote(s string) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		panic("iampolicy: a string cannot be encoded: " + err.Error())
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

func indent(compact []byte, prefix string) []byte {
	var b bytes.Buffer
	if err := json.Indent(&b, compact, prefix, "  "); err != nil {
		panic("iampolicy: printed statement is no JSON: " + err.Error())
	}
	return b.Bytes()
}

// sameForm reports whether two statements have the same fields, written the
// same way; Raw is not looked at.
func sameForm(a, b Statement) bool {
	if a.Sid != b.Sid || a.Effect != b.Effect || len(a.Condition) != len(b.Condition) {
		return false
	}
	ea, eb := a.elements(), b.elements()
	for i := range ea {
		if !sameValues(ea[i].values, eb[i].values) {
			return false
		}
	}
	return slices.EqualFunc(a.Condition, b.Condition, func(a, b Condition) bool {
		return a.Operator == b.Operator && a.Key == b.Key && sameValues(a.Values, b.Values)
	})
}

func sameValues(a, b Values) bool { return a.Scalar == b.Scalar && slices.Equal(a.List, b.List) }

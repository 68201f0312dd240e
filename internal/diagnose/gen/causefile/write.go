package causefile

import (
	"bytes"
	"fmt"
	"go/format"
	"strings"
	"unicode/utf8"

	"github.com/buildmedic/buildmedic/internal/diagnose"
)

// maxLine is the width that the generated lines keep to before indentation.
const maxLine = 100

// write returns the causes as the Go source of causes_gen.go. general is the index of the first
// general one.
func write(list []cause, general int) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("// Code generated from causes.yaml by make generate; DO NOT EDIT.\n\npackage diagnose\n\n" +
		"import \"github.com/buildmedic/buildmedic/internal/buildlog\"\n\nvar causes = []Cause{\n")
	for i := range list {
		c := &list[i]
		b.WriteString("{\n")
		for _, f := range c.fields() {
			b.WriteString(f.String() + ",\n")
		}
		if i >= general {
			b.WriteString("general: true,\n")
		}
		b.WriteString("rules: []rule{\n")
		for j := range c.Match {
			b.WriteString(literal("", c.Match[j].fields()) + ",\n")
		}
		b.WriteString("},\n},\n")
	}
	b.WriteString("}\n")
	return format.Source(b.Bytes())
}

// field is one field of a composite literal, its value as Go source.
type field struct{ name, value string }

func (f field) String() string { return f.name + ": " + f.value }

// literal returns a composite literal: on one line if it fits.
func literal(typ string, fields []field) string {
	var list []string
	for _, f := range fields {
		list = append(list, f.String())
	}
	return braced(typ, list)
}

// braced returns typ{a, b}: on one line if it fits, else an element a line.
func braced(typ string, list []string) string {
	if s := typ + "{" + strings.Join(list, ", ") + "}"; len(s) <= maxLine && !strings.Contains(s, "\n") {
		return s
	}
	return typ + "{\n" + strings.Join(list, ",\n") + ",\n}"
}

// text returns s as a Go string, in several parts if it is long.
func text(s string) string {
	var parts []string
	for {
		n := fitting(s)
		parts = append(parts, fmt.Sprintf("%q", s[:n]))
		if s = s[n:]; s == "" {
			return strings.Join(parts, " +\n")
		}
	}
}

// fitting is how many bytes of s fit on a line when quoted: all, or up to a
// space if there is one, or else up to some character.
func fitting(s string) int {
	n := len(s)
	for n > 1 && len(fmt.Sprintf("%q", s[:n])) > maxLine-10 {
		for n--; !utf8.RuneStart(s[n]); {
			n--
		}
	}
	if space := strings.LastIndexByte(s[:n], ' '); n < len(s) && space > 0 {
		return space + 1
	}
	return n
}

func texts(typ string, w words) string {
	var list []string
	for _, s := range w {
		list = append(list, text(s))
	}
	return braced("[]"+typ, list)
}

// fields returns the cause's fields that are set, but for its rules.
func (c *cause) fields() []field {
	list := []field{{"Name", text(c.Name)}, {"Title", text(c.Title)}, {"Advice", text(c.Advice)}, {"Remedy", text(string(c.Remedy))}}
	if c.Retryable || c.Remedy == diagnose.Retry {
		list = append(list, field{"Retryable", "true"})
	}
	if c.When != nil {
		list = append(list, field{"when", literal("when", c.When.fields())})
	}
	if c.Last != 0 {
		list = append(list, field{"last", fmt.Sprint(c.Last)})
	}
	if c.Unlogged != "" {
		list = append(list, field{"unlogged", text(c.Unlogged)})
	}
	if c.Shows != nil {
		list = append(list, field{"shows", texts("string", lower(c.Shows))})
	}
	if c.Quotes {
		list = append(list, field{"quotes", "true"})
	}
	if c.Vague {
		list = append(list, field{"vague", "true"})
	}
	if c.Tests {
		list = append(list, field{"tests", "true"})
	}
	return list
}

// fields returns the conditions that are set.
func (w *when) fields() []field {
	var list []field
	if w.Environment != nil {
		list = append(list, field{"environment", texts("string", w.Environment)})
	}
	for _, f := range []struct {
		name string
		must *bool
	}{{"vpc", w.VPC}, {"fleet", w.Fleet}, {"dockerServer", w.DockerServer}, {"privileged", w.Privileged}, {"internet", w.Internet}} {
		if f.must != nil {
			list = append(list, field{f.name, map[bool]string{true: "is", false: "isNot"}[*f.must]})
		}
	}
	return list
}

// fields returns the rule's fields that are set.
func (r *rule) fields() []field {
	var list []field
	add := func(name, value string, set bool) {
		if set {
			list = append(list, field{name, value})
		}
	}
	strs := func(name string, w words) { add(name, texts("string", w), w != nil) }
	strs("status", r.Status)
	strs("phase", r.Phase)
	strs("code", r.Code)
	strs("exit", r.Exit)
	strs("command", r.Command)
	add("nolog", "true", r.NoLog)
	if r.Denial != nil {
		add("denial", literal("&denialRule", r.Denial.fields()), true)
	}
	strs("says", lower(r.Says))
	strs("not", lower(r.Not))
	strs("also", lower(r.Also))
	add("like", "&pattern{source: "+text(r.Like)+"}", r.Like != "")
	add("aws", "&pattern{source: "+text(r.AWS)+"}", r.AWS != "")
	add("first", "true", r.Pick == "first")
	add("any", text(r.Any), r.Any != "")
	add("sure", "true", r.Sure)
	add("consequence", "true", r.Consequence)
	add("shared", "true", r.Shared)
	add("remedy", text(string(r.Remedy)), r.Remedy != "")
	return list
}

// fields returns the fields of the rule about a denial that are set.
func (d *denial) fields() []field {
	var list []field
	if d.Layer != nil {
		list = append(list, field{"layer", texts("buildlog.Layer", d.Layer)})
	}
	if d.Effect != nil {
		list = append(list, field{"effect", texts("buildlog.Effect", d.Effect)})
	}
	if d.Action != "" {
		list = append(list, field{"action", text(d.Action)})
	}
	if d.Operation != nil {
		list = append(list, field{"operation", texts("string", d.Operation)})
	}
	if d.Actions != nil {
		list = append(list, field{"actions", texts("string", d.Actions)})
	}
	if d.Whose != "" {
		list = append(list, field{"other", "true"})
	}
	if d.Bare {
		list = append(list, field{"bare", "true"})
	}
	if d.Reason != "" {
		list = append(list, field{"reason", text(lower(words{d.Reason})[0])})
	}
	if d.Every {
		list = append(list, field{"every", "true"})
	}
	return list
}

// lower returns the words as they are compared: ASCII letters in lower case.
func lower(w words) words {
	var list words
	for _, s := range w {
		list = append(list, strings.Map(func(r rune) rune {
			if 'A' <= r && r <= 'Z' {
				r += 'a' - 'A'
			}
			return r
		}, s))
	}
	return list
}

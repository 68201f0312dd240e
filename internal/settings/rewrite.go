package settings

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Rewrite is what becomes of a grant.
type Rewrite struct {
	Grant Grant // as it is to be: with other actions, without its set, with other resources, scoped
	// Resources says what takes the place of each resource; of one that is not in it, it stays.
	Resources map[string][]string
}

// ErrByHand: the file is written in a way that only a person can change.
var ErrByHand = errors.New("written in a way that only a person can change")

// Rewritten gives the file with the grant as it is to be. All else stays as it is, to the byte,
// comments among it; of what is left out, those behind it go with it. It gives [ErrByHand] where the
// result would not read as the same settings with that grant.
func Rewritten(data []byte, change Rewrite) ([]byte, error) {
	before, err := Parse(data)
	if err != nil {
		return nil, err
	}
	was, ok := before.Grant(change.Grant.ID)
	if !ok {
		return nil, fmt.Errorf("there is no grant %q", change.Grant.ID)
	}
	if bytes.ContainsFunc(bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n")), otherBreak) {
		return nil, ErrByHand
	}
	w := &rewriter{text: string(data), newline: "\n"}
	if strings.Contains(w.text, "\r\n") {
		w.newline = "\r\n"
	}
	for l := range strings.Lines(w.text) {
		w.lines = append(w.lines, w.size)
		w.size += len(l)
	}
	n := grantNode((&reader{}).document(data), change.Grant.ID)
	if n == nil || !w.grant(n, was, change) {
		return nil, ErrByHand
	}
	out := w.apply()
	if !sameBut(data, out, change.Grant) {
		return nil, ErrByHand
	}
	return out, nil
}

// grantNode finds the grant's entry in a file that [Parse] takes.
func grantNode(file *yaml.Node, id string) *yaml.Node {
	list := valueOf(file, "grants")
	if list == nil {
		return nil
	}
	for _, n := range list.Content {
		if v := valueOf(n, "id"); v != nil && v.Value == id {
			return n
		}
	}
	return nil
}

func valueOf(n *yaml.Node, key string) *yaml.Node {
	_, v := entryOf(n, key)
	return v
}

func entryOf(n *yaml.Node, key string) (k, v *yaml.Node) {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil, nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i], n.Content[i+1]
		}
	}
	return nil, nil
}

// sameBut reports whether two files say the same but for the grant's set, actions and resources, which
// in the second are those of g.
func sameBut(before, after []byte, g Grant) bool {
	var trees [2]any
	for i, data := range [][]byte{before, after} {
		n := (&reader{}).document(data)
		entry := grantNode(n, g.ID)
		if entry == nil {
			return false
		}
		var others []*yaml.Node
		for k := 0; k+1 < len(entry.Content); k += 2 {
			if !slices.Contains([]string{"set", "actions", "resources", "scope"}, entry.Content[k].Value) {
				others = append(others, entry.Content[k:k+2]...)
			}
		}
		if entry.Content = others; n.Decode(&trees[i]) != nil {
			return false
		}
	}
	s, err := Parse(after)
	if err != nil {
		return false
	}
	got, _ := s.Grant(g.ID)
	return reflect.DeepEqual(trees[0], trees[1]) && got.Set == g.Set && slices.Equal(got.Actions, g.Actions) &&
		slices.Equal(got.Resources, g.Resources) && got.Scoped() == g.Scoped()
}

// rewriter gathers changes of a text.
type rewriter struct {
	text    string
	newline string
	lines   []int // where each begins
	size    int
	edits   []edit
}

// edit puts a text in the place of text[from:to].
type edit struct {
	from, to int
	text     string
}

func (w *rewriter) apply() []byte {
	slices.SortStableFunc(w.edits, func(a, b edit) int { return cmp.Compare(b.from, a.from) })
	text := w.text
	for _, e := range w.edits {
		text = text[:e.from] + e.text + text[e.to:]
	}
	return []byte(text)
}

// at is where a node begins.
func (w *rewriter) at(n *yaml.Node) int {
	pos := w.lines[n.Line-1]
	for range n.Column - 1 {
		_, size := utf8.DecodeRuneInString(w.text[pos:])
		pos += size
	}
	return pos
}

// line is where the line of a node begins and ends, with its break.
func (w *rewriter) line(n *yaml.Node) (from, to int) {
	if n.Line < len(w.lines) {
		return w.lines[n.Line-1], w.lines[n.Line]
	}
	return w.lines[n.Line-1], w.size
}

// end is where a text of one line ends.
func (w *rewriter) end(n *yaml.Node) (int, bool) {
	pos := w.at(n)
	_, to := w.line(n)
	rest := strings.TrimRight(w.text[pos:to], "\r\n")
	switch {
	case n.Kind != yaml.ScalarNode:
		return 0, false
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		return 0, false
	case n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0:
		end, ok := quotedEnd(rest)
		return pos + end, ok
	}
	return pos + len(n.Value), strings.HasPrefix(rest, n.Value)
}

// quotedEnd is how long the quoted text is with which a line begins.
func quotedEnd(s string) (int, bool) {
	for i := 1; i < len(s); i++ {
		switch {
		case s[0] == '"' && s[i] == '\\':
			i++
		case s[i] == s[0] && s[0] == '\'' && i+1 < len(s) && s[i+1] == '\'':
			i++
		case s[i] == s[0]:
			return i + 1, true
		}
	}
	return 0, false
}

// grant notes the changes of one grant's entry; it reports whether it can.
func (w *rewriter) grant(n *yaml.Node, was Grant, change Rewrite) bool {
	g, inFlow := change.Grant, n.Style&yaml.FlowStyle != 0
	if g.Scoped() != was.Scoped() && !w.scope(n, inFlow, g.Scope) {
		return false
	}
	if g.Set != was.Set {
		key, value := entryOf(n, "set")
		if key == nil || !w.list(key, value, g.Actions, inFlow) {
			return false
		}
	} else if key, value := entryOf(n, "actions"); key != nil {
		if !w.items(key, value, inFlow, func(v string) []string {
			if slices.ContainsFunc(g.Actions, func(a string) bool { return strings.EqualFold(a, v) }) {
				return []string{v}
			}
			return nil
		}) {
			return false
		}
	}
	key, value := entryOf(n, "resources")
	return key == nil || w.items(key, value, inFlow, func(v string) []string {
		if now, ok := change.Resources[v]; ok {
			return now
		}
		return []string{v}
	})
}

// scope writes whose builds have the grant: where it says so already, or behind its id.
func (w *rewriter) scope(n *yaml.Node, inFlow bool, scope Scope) bool {
	if _, value := entryOf(n, "scope"); value != nil {
		end, ok := w.end(value)
		w.edits = append(w.edits, edit{w.at(value), end, string(scope)})
		return ok
	}
	key, value := entryOf(n, "id")
	end, ok := w.end(value)
	if inFlow {
		w.edits = append(w.edits, edit{end, end, ", scope: " + string(scope)})
		return ok
	}
	_, to := w.line(value)
	to = len(strings.TrimRight(w.text[:to], "\r\n"))
	w.edits = append(w.edits, edit{to, to, w.newline + strings.Repeat(" ", key.Column-1) + "scope: " + string(scope)})
	return ok
}

// list puts a list of actions in the place of a set.
func (w *rewriter) list(key, value *yaml.Node, actions []string, inFlow bool) bool {
	end, ok := w.end(value)
	if !ok || key.Line != value.Line {
		return false
	}
	if inFlow {
		w.edits = append(w.edits, edit{w.at(key), end, "actions: [" + strings.Join(actions, ", ") + "]"})
		return true
	}
	var items strings.Builder
	for _, a := range actions {
		items.WriteString(w.newline + strings.Repeat(" ", key.Column+1) + "- " + a)
	}
	_, to := w.line(value)
	to = len(strings.TrimRight(w.text[:to], "\r\n"))
	w.edits = append(w.edits, edit{w.at(key), end, "actions:"}, edit{to, to, items.String()})
	return true
}

// items changes a list of texts.
func (w *rewriter) items(key, seq *yaml.Node, inFlow bool, now func(string) []string) bool {
	var all []string
	changed := false
	for _, n := range seq.Content {
		to := now(n.Value)
		changed = changed || !slices.Equal(to, []string{n.Value})
		for _, v := range to {
			if !slices.Contains(all, v) {
				all = append(all, v)
			}
		}
	}
	switch {
	case !changed:
		return true
	case len(all) == 0:
		return !inFlow && w.drop(key, seq)
	case seq.Style&yaml.FlowStyle != 0:
		end, ok := w.flowEnd(seq)
		for i, v := range all {
			all[i] = w.written(v, &yaml.Node{}, true)
		}
		w.edits = append(w.edits, edit{w.at(seq), end, "[" + strings.Join(all, ", ") + "]"})
		return ok
	}
	done := map[string]bool{}
	for _, n := range seq.Content { // what stays, stays in its place
		if slices.Equal(now(n.Value), []string{n.Value}) {
			done[n.Value] = true
		}
	}
	for _, n := range seq.Content {
		to := now(n.Value)
		if slices.Equal(to, []string{n.Value}) {
			continue
		}
		to = slices.DeleteFunc(slices.Clone(to), func(v string) bool { return done[v] })
		for _, v := range to {
			done[v] = true
		}
		if !w.item(n, to) {
			return false
		}
	}
	return true
}

// item puts texts in the place of one that has a line of its own.
func (w *rewriter) item(n *yaml.Node, now []string) bool {
	from, to := w.line(n)
	at := w.at(n)
	end, ok := w.end(n)
	before := w.text[from:at]
	if !ok || strings.Trim(before, " ") != "-" || !blank(w.text[end:to]) {
		return false
	}
	if len(now) == 0 {
		w.edits = append(w.edits, edit{from, to, ""})
		return true
	}
	text := w.written(now[0], n, false)
	w.edits = append(w.edits, edit{at, end, text})
	last := from + len(strings.TrimRight(w.text[from:to], "\r\n"))
	more := ""
	for _, v := range now[1:] {
		more += w.newline + before + w.written(v, n, false)
	}
	if more != "" {
		w.edits = append(w.edits, edit{last, last, more})
	}
	return true
}

// drop takes out a list with its key.
func (w *rewriter) drop(key, seq *yaml.Node) bool {
	from, to := w.line(key)
	if strings.TrimSpace(w.text[from:w.at(key)]) != "" {
		return false
	}
	if seq.Style&yaml.FlowStyle != 0 {
		end, ok := w.flowEnd(seq)
		if !ok || !blank(w.text[end:to]) || seq.Line != key.Line {
			return false
		}
		w.edits = append(w.edits, edit{from, to, ""})
		return true
	}
	w.edits = append(w.edits, edit{from, to, ""})
	for _, n := range seq.Content {
		if !w.item(n, nil) {
			return false
		}
	}
	return true
}

// blank reports whether nothing but a comment is left of a line.
func blank(rest string) bool {
	trimmed := strings.TrimSpace(rest)
	return trimmed == "" || strings.HasPrefix(trimmed, "#") && rest[0] == ' '
}

// flowEnd is where a list in brackets ends that stands in one line.
func (w *rewriter) flowEnd(seq *yaml.Node) (int, bool) {
	pos := w.at(seq)
	_, to := w.line(seq)
	for _, n := range seq.Content {
		end, ok := w.end(n)
		if !ok || n.Line != seq.Line {
			return 0, false
		}
		pos = end
	}
	i := strings.IndexByte(w.text[pos:to], ']')
	return pos + i + 1, i >= 0 && strings.Trim(w.text[pos:pos+i], " ,") == ""
}

// written writes a text as the one was in whose place it comes, in quotes where it needs them.
func (w *rewriter) written(s string, like *yaml.Node, inFlow bool) string {
	switch {
	case like.Style&yaml.SingleQuotedStyle != 0:
		return "'" + strings.ReplaceAll(s, "'", "''") + "'"
	case inFlow && !strings.ContainsAny(s, "{}[],*?#&!|>'\"%@` ") && !strings.HasSuffix(s, ":"),
		!inFlow && like.Style&yaml.DoubleQuotedStyle == 0:
		if b, err := yaml.Marshal(s); err == nil && strings.Count(string(b), "\n") == 1 {
			return strings.TrimSuffix(string(b), "\n")
		}
	}
	return strconv.Quote(s)
}

package settings

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Existing is a project that CodeBuild has now.
type Existing struct {
	Name string
	Role string // with its path, as the settings have it; "" if it is no role of the account
}

// Pinned is a file in which patterns of projects are written out.
type Pinned struct {
	Text     []byte
	Patterns []PinnedPattern // in the order of the file
	Skipped  []string        // patterns of other accounts and regions
}

// PinnedPattern is what has become of one pattern.
type PinnedPattern struct {
	Pattern string
	Names   []string // that the file has by it now
	New     []string // of these
	Gone    []string // that the file has, and CodeBuild does not
	Moved   []string // whose role is another one now
	NoRole  []string // that were left out, since their role is none of the account
}

// Pin writes out the patterns that stand for projects of the account and region: in place of each
// that stands alone, an entry for each project whose name matches, with what the pattern says; and
// for those that are written out already, an entry in mode observe for each project that is new.
// Everything else in the file stays as it is, to the byte. No entry is taken out or changed.
func Pin(data []byte, at Account, existing []Existing) (Pinned, error) {
	r := &reader{}
	n := r.document(data)
	if n == nil && len(r.problems) == 0 {
		return Pinned{Text: data}, nil
	}
	if i := bytes.IndexFunc(bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n")), otherBreak); i >= 0 && n != nil {
		r.problem(n, "", "the file has line breaks of an unusual kind (U+000D, U+0085, U+2028 or U+2029), which programs count "+
			"differently; replace them first")
		return Pinned{}, r.problems.sorted()
	}
	var p pinning
	if n != nil {
		p = pinning{reader: r, at: at, text: strings.SplitAfter(string(data), "\n"), roles: map[string]string{}, named: map[string]bool{}}
		p.newline = "\n"
		if bytes.Contains(data, []byte("\r\n")) {
			p.newline = "\r\n"
		}
		for _, e := range existing {
			if projectName.MatchString(e.Name) {
				p.names, p.roles[e.Name] = append(p.names, e.Name), e.Role
			}
		}
		slices.Sort(p.names)
		p.entries(n)
		p.expand()
	}
	if len(r.problems) > 0 {
		return Pinned{}, r.problems.sorted()
	}
	p.out.Text = []byte(strings.Join(p.text, ""))
	return p.out, nil
}

// otherBreak reports what ends a line to YAML and not to this file.
func otherBreak(r rune) bool { return r == '\r' || r == '\u0085' || r == '\u2028' || r == '\u2029' }

type pinning struct {
	*reader
	at      Account
	text    []string // the file's lines
	newline string
	names   []string // of projects that exist, sorted
	roles   map[string]string
	items   []pinItem
	named   map[string]bool // projects of the account and region that have an entry
	out     Pinned
}

// pinItem is an entry in the list of projects.
type pinItem struct {
	node                *yaml.Node
	name, pattern, role string
	here                bool
	indent              string // what stands before its first key
	first, end          int    // its lines: text[first:end]
}

// entries finds the entries of projects and their lines.
func (p *pinning) entries(file *yaml.Node) {
	quiet := &reader{} // what is wrong beside the patterns is not said here
	top := quiet.object(file, "", fileKeys)
	list := top.value("projects")
	if list == nil || list.Kind != yaml.SequenceNode {
		return
	}
	after := len(p.text)
	for i := 0; i+1 < len(file.Content); i += 2 {
		if l := file.Content[i].Line - 1; l >= list.Line && l < after && file.Content[i+1] != list {
			after = l
		}
	}
	d := quiet.defaults(top)
	for i, n := range list.Content {
		if n.Kind != yaml.MappingNode {
			continue
		}
		o := quiet.object(n, "", projectKeys)
		d.fill(o)
		text := func(key string) string {
			if v := o.value(key); v != nil && v.Kind == yaml.ScalarNode {
				return v.Value
			}
			return ""
		}
		it := pinItem{node: n, name: text("name"), pattern: text("pattern"), role: text("role"), first: n.Line - 1, end: after}
		account, region := text("account"), text("region")
		it.here = (account == "" || account == p.at.ID) && (region == "" || region == p.at.Region)
		if i+1 < len(list.Content) {
			it.end = list.Content[i+1].Line - 1
		}
		if it.pattern != "" && !p.place(&it) {
			continue
		}
		if it.here && it.name != "" {
			p.named[it.name] = true
		}
		p.items = append(p.items, it)
	}
}

// place finds where an entry with a pattern begins and ends. It tells of one that is not written so
// that lines can be put in its place.
func (p *pinning) place(it *pinItem) bool {
	line := p.text[it.first]
	it.indent = line[:min(len(line), it.node.Column-1)]
	if !projectPattern.MatchString(it.pattern) {
		p.problem(it.node, "projects", "%q is not a pattern: write letters, digits, - and _, and * for any number of these, such as web-*",
			clip(it.pattern))
		return false
	}
	if strings.Trim(it.indent, " ") != "-" || it.end <= it.first {
		p.problem(it.node, "projects", "the entry of %q does not begin a line with a hyphen and a key; write it as `- pattern: %s`",
			it.pattern, it.pattern)
		return false
	}
	for it.end > it.first+1 { // comments and what is empty belong to what follows
		l := strings.TrimSpace(p.text[it.end-1])
		if l != "" && l != "..." && !strings.HasPrefix(l, "#") {
			break
		}
		it.end--
	}
	return true
}

// expand puts the entries into the text, from its end to its beginning.
func (p *pinning) expand() {
	type change struct {
		first, end int
		lines      []string
	}
	var changes []change
	done := map[string]bool{}
	for _, it := range p.items {
		if it.pattern == "" {
			continue
		}
		if !it.here {
			if it.name == "" && !slices.Contains(p.out.Skipped, it.pattern) {
				p.out.Skipped = append(p.out.Skipped, it.pattern)
			}
			continue
		}
		if done[it.pattern] {
			continue
		}
		// Of a pattern that stands alone, its entry is written out; else the last entry is added to.
		from, alone := it, it.name == ""
		for _, other := range p.items {
			if other.here && other.pattern == it.pattern && !alone {
				from, alone = other, other.name == ""
			}
		}
		done[it.pattern] = true
		report := p.report(it.pattern)
		var lines []string
		for _, name := range report.New {
			lines = append(lines, p.entry(from, alone, name, len(lines) == 0)...)
		}
		switch {
		case len(lines) == 0:
		case alone:
			changes = append(changes, change{from.first, from.end, lines})
		default:
			if last := &p.text[from.end-1]; !strings.HasSuffix(*last, "\n") {
				*last += p.newline
			}
			changes = append(changes, change{from.end, from.end, lines})
		}
		p.out.Patterns = append(p.out.Patterns, report)
	}
	slices.SortFunc(changes, func(a, b change) int { return b.first - a.first })
	for _, c := range changes {
		p.text = slices.Concat(p.text[:c.first], c.lines, p.text[c.end:])
	}
}

// report compares what the file has by a pattern with what there is.
func (p *pinning) report(pattern string) PinnedPattern {
	out := PinnedPattern{Pattern: pattern}
	for _, it := range p.items {
		if !it.here || it.pattern != pattern || it.name == "" {
			continue
		}
		out.Names = append(out.Names, it.name)
		switch role, ok := p.roles[it.name]; {
		case !ok:
			out.Gone = append(out.Gone, it.name)
		case role != it.role:
			out.Moved = append(out.Moved, it.name)
		}
	}
	for _, name := range p.names {
		switch {
		case p.named[name] || !matchesPattern(pattern, name):
		case !roleName.MatchString(p.roles[name]):
			out.NoRole = append(out.NoRole, name)
		default:
			out.New, out.Names, p.named[name] = append(out.New, name), append(out.Names, name), true
		}
	}
	return out
}

// entry gives the lines of a project's entry: of a pattern that stands alone what that says, and
// else what is safe. Comments within the pattern's entry stay with the first.
func (p *pinning) entry(from pinItem, alone bool, name string, first bool) []string {
	n := &yaml.Node{Kind: yaml.MappingNode, Style: from.node.Style}
	add := func(key, value string) {
		var text yaml.Node
		if err := text.Encode(value); err != nil { // it quotes what is no text to others, such as yes
			p.problem(from.node, "projects", "%q cannot be written: %v", clip(value), err)
		}
		n.Content = append(n.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: key}, &text)
	}
	add("name", name)
	add("role", p.roles[name])
	if !alone {
		add("mode", string(Observe))
	}
	for i := 0; i+1 < len(from.node.Content); i += 2 {
		key, value := from.node.Content[i], from.node.Content[i+1]
		if key.Value == "name" || key.Value == "role" || !alone && !slices.Contains([]string{"pattern", "account", "region"}, key.Value) {
			continue
		}
		key, value = bare(key, first && alone), bare(value, first && alone)
		if i == 0 {
			key.HeadComment = "" // it stands above the entry's lines, and stays there
		}
		if i+2 == len(from.node.Content) {
			key.FootComment, value.FootComment = "", "" // as does what stands below them
		}
		n.Content = append(n.Content, key, value)
	}
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := enc.Encode(n); err != nil {
		p.problem(from.node, "projects", "the entry of %q cannot be written: %v", from.pattern, err)
		return nil
	}
	var lines []string
	for l := range strings.Lines(b.String()) {
		indent := from.indent
		if len(lines) > 0 {
			indent = strings.Repeat(" ", len(indent))
		}
		lines = append(lines, indent+strings.TrimSuffix(l, "\n")+p.newline)
	}
	return lines
}

// bare gives a copy of a node, without its comments if they are not wanted.
func bare(n *yaml.Node, comments bool) *yaml.Node {
	c := *n
	if !comments {
		c.HeadComment, c.LineComment, c.FootComment = "", "", ""
	}
	c.Content = make([]*yaml.Node, len(n.Content))
	for i, child := range n.Content {
		c.Content[i] = bare(child, comments)
	}
	return &c
}

// String says in a line what has become of the pattern.
func (p PinnedPattern) String() string {
	s := fmt.Sprintf("%s: %d in the file", p.Pattern, len(p.Names))
	for _, part := range []struct {
		names []string
		what  string
	}{
		{p.New, "new"},
		{p.Gone, "gone from CodeBuild, so take them out: whoever makes a project of such a name gets what its entry allows"},
		{p.Moved, "with another role in CodeBuild than in the file"},
		{p.NoRole, "left out, since their role is none of this account"},
	} {
		if len(part.names) > 0 {
			s += fmt.Sprintf("\n  %d %s: %s", len(part.names), part.what, strings.Join(part.names, ", "))
		}
	}
	return s
}

package settings

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

// reader collects the problems of a file while it is read.
type reader struct {
	problems Problems
}

func (r *reader) problem(n *yaml.Node, path, format string, args ...any) {
	r.problems = append(r.problems, Problem{n.Line, path, fmt.Sprintf(format, args...)})
}

// document parses the YAML. It returns nil if there is nothing in it, or if
// it has told of a problem.
func (r *reader) document(data []byte) *yaml.Node {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc, more yaml.Node
	err := dec.Decode(&doc)
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err != nil {
		r.syntax(err, data)
		return nil
	}
	if err := dec.Decode(&more); err == nil {
		r.problem(&more, "", "a second document begins here; the settings are one document, so remove it")
	} else if !errors.Is(err, io.EOF) {
		r.syntax(err, data)
	}
	if len(doc.Content) == 0 || !r.plain(doc.Content[0]) || isNull(doc.Content[0]) {
		return nil
	}
	return doc.Content[0]
}

var lineNumber = lazyregexp.New(`line (\d+): `)

func (r *reader) syntax(err error, data []byte) {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 0
	if m := lineNumber.Get().FindStringSubmatchIndex(text); m != nil {
		line, _ = strconv.Atoi(text[m[2]:m[3]])
		text = text[:m[0]] + text[m[1]:]
	}
	if at := tabbed(data, line, text); at > 0 {
		r.problem(&yaml.Node{Line: at}, "", "a tab stands in the indentation, and YAML indents with spaces; put spaces in its place")
		return
	}
	quoted := strconv.Quote(clip(text)) // the text may repeat any character
	r.problem(&yaml.Node{Line: line}, "", "this is not YAML: %s", quoted[1:len(quoted)-1])
}

var tabIndent = lazyregexp.New(`^[ -]*\t`)

// tabbed gives the line whose indentation has the tab that the library
// complains of, in words that do not always name it; 0 if it was no tab. The
// library gives no line for the first one, and for a block the line in which
// that begins.
func tabbed(data []byte, line int, text string) int {
	named := strings.Contains(text, "tab character")
	if !named && !strings.Contains(text, "cannot start any token") {
		return 0
	}
	first := max(line, 1)
	for i, l := range strings.Split(string(data), "\n") {
		if i+1 >= first && (named || i+1 == first) && tabIndent.MatchString(l) {
			return i + 1
		}
	}
	return 0
}

// plain refuses what makes a file mean more than it says: anchors, aliases,
// merge keys and tags.
func (r *reader) plain(n *yaml.Node) bool {
	before := len(r.problems)
	switch {
	case n.Kind == yaml.AliasNode:
		r.problem(n, "", "%q is an alias; write out what it stands for", "*"+clip(n.Value))
	case n.Anchor != "":
		r.problem(n, "", "%q is an anchor; aliases are not used here, so remove it", "&"+clip(n.Anchor))
	case n.Style&yaml.TaggedStyle != 0:
		r.problem(n, "", "%q is a tag; write the value without it", clip(n.Tag))
	case n.Tag == "!!merge":
		r.problem(n, "", "<< is a merge key; write out what it merges")
	}
	for _, child := range n.Content {
		r.plain(child)
	}
	return len(r.problems) == before
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// object is a mapping whose keys have been checked. A key without a value is
// as if it were not there.
type object struct {
	r      *reader
	node   *yaml.Node
	path   string
	keys   []Key
	values map[string]*yaml.Node
	before int // how many problems there were when it began
}

// object reads a mapping that may have the keys given and no others.
func (r *reader) object(n *yaml.Node, path string, keys []Key) object {
	o := object{r, n, path, keys, map[string]*yaml.Node{}, len(r.problems)}
	for _, e := range r.entries(n, path) {
		if find(keys, e.key.Value) == nil {
			if why := atEachProject(path, e.key.Value); why != "" {
				r.problem(e.key, path, "%s is no default: %s; say it at each project", e.key.Value, why)
				continue
			}
			names := keyNames(keys)
			r.problem(e.key, path, "unknown key %q%s", clip(e.key.Value),
				suggest(e.key.Value, names, "the keys here are "+strings.Join(names, ", ")))
			continue
		}
		if !isNull(e.value) {
			o.values[e.key.Value] = e.value
		}
	}
	return o
}

type keyValue struct{ key, value *yaml.Node }

// entries gives a mapping's entries, those of its keys that come first.
func (r *reader) entries(n *yaml.Node, path string) []keyValue {
	if n.Kind != yaml.MappingNode {
		r.problem(n, path, "%s where key: value pairs are expected", kind(n))
		return nil
	}
	var list []keyValue
	first := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if key.Kind != yaml.ScalarNode {
			r.problem(key, path, "%s where a key is expected", kind(key))
			continue
		}
		if line, dup := first[key.Value]; dup {
			r.problem(key, path, "the key %q is there already, in line %d; remove one", clip(key.Value), line)
			continue
		}
		first[key.Value] = key.Line
		list = append(list, keyValue{key, n.Content[i+1]})
	}
	return list
}

// kind names what a node is, for messages.
func kind(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "key: value pairs stand"
	case n.Kind == yaml.SequenceNode:
		return "a list stands"
	case isNull(n):
		return "nothing stands"
	}
	return fmt.Sprintf("%q stands", clip(n.Value))
}

// at is the path of a key.
func (o object) at(key string) string {
	if o.path == "" {
		return key
	}
	return o.path + "." + key
}

// readable reports whether the object is a mapping at all.
func (o object) readable() bool { return o.node.Kind == yaml.MappingNode }

func (o object) has(key string) bool { return o.value(key) != nil }

// value gives what stands under a key; nil if nothing does.
func (o object) value(key string) *yaml.Node { return o.values[o.key(key).Name] }

// problem tells of a problem with a key's value or, if it has none, with the
// object. What is no mapping lacks every key, which needs no telling.
func (o object) problem(key, format string, args ...any) {
	n := o.value(key)
	if n == nil {
		if n = o.node; !o.readable() {
			return
		}
	}
	o.r.problem(n, o.at(key), format, args...)
}

// scalar gives the text of a key's value if its type is one of the tags.
func (o object) scalar(key, want string, tags ...string) (string, bool) {
	n := o.value(key)
	if n == nil {
		return "", false
	}
	return o.r.scalar(n, o.at(key), want, tags...)
}

func (r *reader) scalar(n *yaml.Node, path, want string, tags ...string) (string, bool) {
	if n.Kind != yaml.ScalarNode || !slices.Contains(tags, n.Tag) {
		r.problem(n, path, "%s where %s is expected", kind(n), want)
		return "", false
	}
	return n.Value, true
}

// text gives a string; "" if there is none.
func (o object) text(key string) string {
	s, _ := o.scalar(key, "text", "!!str")
	return s
}

// required gives a string that must be there and not be blank.
func (o object) required(key, why string) string {
	if !o.has(key) {
		o.problem(key, "missing; %s", why)
		return ""
	}
	s, ok := o.scalar(key, "text", "!!str")
	if ok && strings.TrimSpace(s) == "" {
		o.problem(key, "blank; %s", why)
	}
	return strings.TrimSpace(s)
}

// matching gives a string that, if it is there, must match.
func (o object) matching(key string, want matcher, rule string) string {
	s := o.text(key)
	if o.has(key) && o.value(key).Kind == yaml.ScalarNode && o.value(key).Tag == "!!str" && !want.MatchString(s) {
		o.problem(key, "%q is not valid: %s", clip(s), rule)
		return ""
	}
	return s
}

func (o object) boolean(key string) bool {
	s, ok := o.scalar(key, "true or false", "!!bool")
	if !ok {
		return o.key(key).unset == 1
	}
	return strings.EqualFold(s, "true")
}

// integer gives a whole number. A 0 is a number like any other.
func (o object) integer(key string) int {
	k := o.key(key)
	s, ok := o.scalar(key, "a whole number", "!!int")
	if !ok {
		return int(k.unset)
	}
	n, err := strconv.ParseInt(s, 10, 32)
	if err != nil || n < k.from || n > k.to {
		o.problem(key, "%s is not a whole number from %d to %d%s", clip(s), k.from, k.to, k.insteadOf(s))
		return int(k.unset)
	}
	return int(n)
}

// insteadOf ends a message about a 0 that must not be one.
func (k Key) insteadOf(s string) string {
	if k.noZero == "" || strings.Trim(s, "0smhd") != "" {
		return ""
	}
	return "; " + k.noZero
}

var durationText = lazyregexp.New(`^(0|[1-9][0-9]{0,8}[smhd]|0[smhd])$`)

var units = map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour}

// duration gives a time span, such as 60s, 20m, 12h or 14d. A 0 needs no unit, and is a time span
// like any other.
func (o object) duration(key string) time.Duration {
	k := o.key(key)
	s, ok := o.scalar(key, "a time span such as 60s, 20m, 12h or 14d", "!!str", "!!int")
	if !ok {
		return time.Duration(k.unset)
	}
	if !durationText.MatchString(s) {
		o.problem(key, "%q is not a time span; write a number and s, m, h or d, such as 60s, 20m, 12h or 14d", clip(s))
		return time.Duration(k.unset)
	}
	n, _ := strconv.Atoi(strings.TrimRight(s, "smhd"))
	d := time.Duration(n) * units[s[len(s)-1]]
	if d < time.Duration(k.from) || d > time.Duration(k.to) {
		o.problem(key, "%s is not from %s to %s%s", s, span(time.Duration(k.from)), span(time.Duration(k.to)), k.insteadOf(s))
		return time.Duration(k.unset)
	}
	return d
}

// span prints a duration in the form in which it is written.
func span(d time.Duration) string {
	for _, u := range "dhms" {
		if unit := units[byte(u)]; d >= unit && d%unit == 0 {
			return fmt.Sprintf("%d%c", d/unit, u)
		}
	}
	return "0s"
}

// item is one element of a list.
type item struct {
	node *yaml.Node
	path string
}

// each gives the mappings of a list, one after the other; none if there is no list.
func (o object) each(key string) iter.Seq[object] {
	return func(yield func(object) bool) {
		for _, it := range o.items(key) {
			if !yield(o.r.object(it.node, it.path, o.key(key).Keys)) {
				return
			}
		}
	}
}

// items gives the elements of a list; none if there is no list.
func (o object) items(key string) []item {
	n := o.value(key)
	if n == nil {
		return nil
	}
	return o.r.items(n, o.at(key))
}

func (r *reader) items(n *yaml.Node, path string) []item {
	if n.Kind != yaml.SequenceNode {
		r.problem(n, path, "%s where a list is expected", kind(n))
		return nil
	}
	list := make([]item, len(n.Content))
	for i, c := range n.Content {
		list[i] = item{c, fmt.Sprintf("%s[%d]", path, i)}
	}
	return list
}

// value is one string of a list.
type value struct {
	item
	text string
}

// texts gives the strings of a list, each once.
func (o object) texts(key string) []value { return o.r.unique(o.items(key)) }

func (r *reader) unique(items []item) []value {
	var list []value
	first := map[string]int{}
	for _, it := range items {
		s, ok := r.scalar(it.node, it.path, "text", "!!str")
		if !ok {
			continue
		}
		if line, dup := first[s]; dup {
			r.problem(it.node, it.path, "%q is there already, in line %d; remove one", clip(s), line)
			continue
		}
		first[s] = it.node.Line
		list = append(list, value{it, s})
	}
	return list
}

func (r *reader) flag(v value, format string, args ...any) {
	r.problem(v.node, v.path, format, args...)
}

// clip bounds what messages repeat of a file.
func clip(s string) string {
	const most = 120
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// matcher is a form, or a regular expression.
type matcher interface{ MatchString(string) bool }

// form is what a name may consist of, and how long it may be. The length is
// no part of the expression: a counted repeat of 512 is a large program, which
// takes long to compile.
type form struct {
	characters *lazyregexp.Regexp
	most       int
}

// MatchString reports whether s has the form.
func (f *form) MatchString(s string) bool { return len(s) <= f.most && f.characters.MatchString(s) }

// inPath is a name in IAM's own characters, after its path if it has one. most
// bounds the name alone.
type inPath struct{ most int }

var namesAndSlashes = lazyregexp.New(`^([\w+=,.@-]+/)*[\w+=,.@-]+$`)

// MatchString reports whether s is such a name.
func (p inPath) MatchString(s string) bool {
	return len(s)-strings.LastIndex(s, "/")-1 <= p.most && namesAndSlashes.MatchString(s)
}

// notBlank is any text that says something.
var notBlank = lazyregexp.New(`\S`)

// characters gives what a form allows as a regular expression of every dialect, and how long it may
// be; 0 if the expression says that, too.
func characters(m matcher) (expression string, most int) {
	switch m := m.(type) {
	case *form:
		return m.characters.Get().String(), m.most
	case inPath:
		return fmt.Sprintf(`^([\w+=,.@-]+/)*[\w+=,.@-]{1,%d}$`, m.most), 0
	case *lazyregexp.Regexp:
		return m.Get().String(), 0
	}
	panic(fmt.Sprintf("settings: no expression says what a %T is", m))
}

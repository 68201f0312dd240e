package settings

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

const (
	defaultsPath = "defaults"
	projectMark  = "${project}"
	// sampleName stands for a project where none takes the defaults.
	sampleName = "project"
	// maxFilled is how many bytes all projects together may take from the defaults: what is short
	// in the file must not be large in memory.
	maxFilled = 4 * MaxSize
)

// atEachProject gives why a key of projects is no default; "" if it is one, or no key of theirs.
func atEachProject(path, key string) string {
	if k := find(projectKeys, key); k != nil && path == defaultsPath {
		return k.own
	}
	return ""
}

// projectDefaults is what projects take where they leave a key out. A project is read as if it stood there,
// by the same code and with the same checks, so that whoever writes it out gets the same settings.
type projectDefaults struct {
	object
	size  int      // of its values, in bytes
	spent int      // of maxFilled
	taken []string // the keys that the project read now takes
	hits  []hit
}

// hit is a problem of a default, and the projects that take it.
type hit struct {
	Problem
	alike    string // the message without the value, which has the project's name in it
	projects []string
}

// defaults reads the mapping, and checks what is said of defaults alone. The values are read with
// each project that takes them.
func (r *reader) defaults(file object) *projectDefaults {
	n := file.value(defaultsPath)
	if n == nil {
		return &projectDefaults{object: object{r: r}}
	}
	d := &projectDefaults{object: r.object(n, defaultsPath, defaultKeys())}
	if n := d.value("role"); n != nil && n.Kind == yaml.ScalarNode && n.Tag == "!!str" && !strings.Contains(n.Value, projectMark) {
		d.problem("role", "the same role for every project; write %s where the project's name is in it, or the role at each "+
			"project", projectMark)
	}
	for _, k := range projectKeys {
		if k.own != "" || k.ownWord == "" {
			continue
		}
		if n := d.value(k.Name); n != nil && n.Value == k.ownWord {
			d.problem(k.Name, "%s is no default: a project that is added later would have it without a word; say it at each "+
				"project", k.ownWord)
			delete(d.values, k.Name)
		}
	}
	for _, n := range d.values {
		d.size += size(n)
	}
	return d
}

// size is what a value takes, roughly, in bytes.
func size(n *yaml.Node) int {
	sum := len(n.Value) + 8
	for _, c := range n.Content {
		sum += size(c)
	}
	return sum
}

// fill gives the project what it leaves out. It reports false, and tells of the problem, if all
// projects together take too much.
func (d *projectDefaults) fill(o object) bool {
	if d.taken = nil; len(d.values) == 0 {
		return true
	}
	name := sampleName
	if n := o.value("name"); n != nil && n.Kind == yaml.ScalarNode && projectName.MatchString(n.Value) {
		name = n.Value
	}
	for _, k := range d.keys {
		if n := d.value(k.Name); n != nil && !o.has(k.Name) {
			o.values[k.Name] = named(n, name)
			d.taken = append(d.taken, k.Name)
		}
	}
	if len(d.taken) > 0 {
		d.spent += d.size
	}
	if d.spent > maxFilled {
		d.r.problem(d.node, d.path, "written out at each project, they have more than %d bytes; shorten their lists, or split "+
			"the projects over two installations", maxFilled)
		return false
	}
	return true
}

// named gives the value for a project. Its nodes keep their lines, those of the default.
func named(n *yaml.Node, project string) *yaml.Node {
	c := *n
	if c.Kind == yaml.ScalarNode && c.Tag == "!!str" {
		c.Value = strings.ReplaceAll(c.Value, projectMark, project)
	}
	c.Content = make([]*yaml.Node, len(n.Content))
	for i, child := range n.Content {
		c.Content[i] = named(child, project)
	}
	return &c
}

// claim takes the problems of values that the project has from the defaults: they are told once, in
// the default's line, with the projects that take it.
func (d *projectDefaults) claim(o object, project string) {
	kept := d.r.problems[:o.before]
	for _, p := range d.r.problems[o.before:] {
		if !slices.ContainsFunc(d.taken, func(key string) bool { return within(p.Path, o.at(key)) }) {
			kept = append(kept, p)
			continue
		}
		p.Path = defaultsPath + strings.TrimPrefix(p.Path, o.path)
		alike := unquoted(p.Message)
		i := slices.IndexFunc(d.hits, func(h hit) bool { return h.Path == p.Path && h.alike == alike })
		if i < 0 {
			i, d.hits = len(d.hits), append(d.hits, hit{Problem: p, alike: alike})
		}
		if project != "" {
			d.hits[i].projects = append(d.hits[i].projects, project)
		}
	}
	d.r.problems = kept
}

// within reports whether a problem's path is that of a key, or below it.
func within(path, key string) bool {
	rest, ok := strings.CutPrefix(path, key)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

// unquoted cuts out what a message repeats of the file.
func unquoted(s string) string {
	if i, j := strings.IndexByte(s, '"'), strings.LastIndexByte(s, '"'); i < j {
		return s[:i] + s[j:]
	}
	return s
}

// tell tells of the defaults' problems, those included of defaults that no project takes.
func (d *projectDefaults) tell(s *Settings) {
	if len(d.values) == 0 {
		return
	}
	o := object{d.r, d.node, defaultsPath, projectKeys, map[string]*yaml.Node{}, len(d.r.problems)}
	if d.fill(o) {
		d.r.project(o, s)
		d.claim(o, "")
		d.r.problems = d.r.problems[:o.before] // what else a project needs is no default's affair
	}
	for _, h := range d.hits {
		if len(h.projects) > 0 {
			h.Message += "; taken by project " + some(h.projects)
		}
		d.r.problems = append(d.r.problems, h.Problem)
	}
}

func some(names []string) string {
	const most = 5
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}

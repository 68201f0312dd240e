package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/buildmedic/buildmedic/internal/floor"
	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/iamref"
	"github.com/buildmedic/buildmedic/internal/lazyregexp"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// narrow is how wide the short report is: that of a terminal nobody has made wider.
const narrow = 80

// reportWidth is how wide its sentences are on w: no wider than the terminal, which would break them
// once more.
func reportWidth(w any) int {
	if n := screen(w); n > 0 {
		return min(n, narrow)
	}
	return narrow
}

// short is the report on one screen: whether the settings are right, what is wrong or wide, and a
// line for each project.
func (c checked) short(path string, width int) string {
	var b strings.Builder
	if !c.Valid {
		for _, g := range c.alike(c.Problems) {
			fmt.Fprintf(&b, "error: %s%s\n", at(path, g.Problem), g.more())
		}
		return b.String() + c.verdict(path)
	}
	b.WriteString(c.verdict(path) + "\n")
	for _, g := range c.alike(c.Warnings) {
		hanging(&b, width, "warning: "+at(path, g.Problem)+g.more())
	}
	if len(c.Projects) > 0 {
		b.WriteString("\n")
		c.table(&b)
		if text := c.lasting(); text != "" {
			hanging(&b, width, text)
		}
	}
	b.WriteString(hear(c.Hearers))
	if len(c.Told) > 0 && len(c.Hearers) == 0 {
		b.WriteString("\n")
		hanging(&b, width, "Told: "+strings.Join(c.Told, ", "))
	}
	if len(c.Projects) > 0 {
		all := "buildmedic check -v"
		if path != defaultSettings {
			all += " -settings " + path
		}
		fmt.Fprintf(&b, "All, and where each setting stands: %s\n", asCalled(all))
	}
	return b.String()
}

// hanging writes a text in lines of that width at most, the first one not indented.
func hanging(b *strings.Builder, width int, text string) {
	for i, l := range wrapped(text, width-2) {
		b.WriteString([]string{"", "  "}[min(i, 1)] + l + "\n")
	}
}

// group is a problem, and where else the same is wrong.
type group struct {
	settings.Problem
	count int
	also  []string // projects, or lines
}

var (
	index     = lazyregexp.New(`\[\d+\]`)
	ofProject = lazyregexp.New(`^projects\[(\d+)\]`)
)

// alike puts together what is said of many places in the same words, but for the names in them.
func (c checked) alike(problems []settings.Problem) (groups []group) {
	known, of := map[string]bool{}, map[string]int{}
	for _, p := range c.Projects {
		known[p.Project], known[p.Role] = true, true
	}
	for _, p := range problems {
		masked := index.ReplaceAllString(p.Path, "[]") + ": " + mask(p.Message, known)
		i, ok := of[masked]
		if !ok {
			of[masked] = len(groups)
			groups = append(groups, group{Problem: p, count: 1})
			continue
		}
		groups[i].count++
		where := fmt.Sprintf("line %d", p.Line)
		if m := ofProject.FindStringSubmatch(p.Path); m != nil {
			if n, err := strconv.Atoi(m[1]); err == nil && n < len(c.Projects) {
				where = c.Projects[n].Project
			}
		}
		if !slices.Contains(groups[i].also, where) {
			groups[i].also = append(groups[i].also, where)
		}
	}
	return groups
}

// mask takes the names out of a message, and how many of them there are.
func mask(message string, known map[string]bool) string {
	var out []string
	for _, w := range strings.Fields(message) {
		if known[strings.Trim(w, ",;:.")] {
			w = "NAME" + strings.TrimLeft(w[len(strings.TrimRight(w, ",;:.")):], ",")
			if n := len(out); n > 0 && out[n-1] == "NAME" {
				out = out[:n-1]
			}
		}
		out = append(out, w)
	}
	return moreNames.ReplaceAllString(strings.Join(out, " "), "NAME")
}

var moreNames = lazyregexp.New(`NAME and of \d+ more`)

// more says where else the same is wrong.
func (g group) more() string {
	if g.count == 1 {
		return ""
	}
	return fmt.Sprintf(" (%d times; also %s)", g.count, listSome(g.also, 5))
}

// table writes a line for each project.
func (c checked) table(b *strings.Builder) {
	usual := c.usualRole()
	rows := [][]string{{"PROJECT", "MODE", "ROLE", "GRANTS", "MOST IT COULD GAIN"}}
	var gains [][]iampolicy.Statement // of each row but the first
	modes, names := map[settings.Mode]int{}, map[string]int{}
	for _, p := range c.Projects {
		names[p.Project]++
	}
	for _, p := range c.Projects {
		modes[p.Mode]++
		name := p.Project
		if names[name] > 1 {
			name += p.place()
		}
		role := p.Role[strings.LastIndexByte(p.Role, '/')+1:]
		if usual != "" && p.rolePattern() == usual {
			role = "*"
		}
		rows = append(rows, []string{name, string(p.Mode), role, cmp.Or(strings.Join(p.Grants, ","), "-"), ""})
		gains = append(gains, p.Statements)
		for _, a := range p.Also {
			rows = append(rows, []string{"  also", "", a.Role[strings.LastIndexByte(a.Role, '/')+1:], strings.Join(a.Grants, ","), ""})
			gains = append(gains, a.Statements)
		}
	}
	widths, room := []int{18, 7, 18, 14, 0}, narrow
	for i, w := range widths[:4] {
		longest := 0
		for _, r := range rows {
			longest = max(longest, utf8.RuneCountInString(r[i]))
		}
		widths[i] = min(w, longest)
		room -= widths[i] + 1
	}
	widths[4] = room
	for i, statements := range gains {
		rows[i+1][4] = most(statements, room)
	}
	for _, r := range rows {
		var line strings.Builder
		for i, cell := range r {
			cut := clipped
			if i == 0 || i == 2 {
				cut = middle // names of one team often begin alike
			}
			cell = cut(plain(cell), widths[i])
			line.WriteString(cell + strings.Repeat(" ", max(0, widths[i]-utf8.RuneCountInString(cell))+1))
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	var counts []string
	for _, m := range []settings.Mode{settings.Heal, settings.Propose, settings.Observe} {
		if modes[m] > 0 {
			counts = append(counts, fmt.Sprintf("%d in %s", modes[m], m))
		}
	}
	fmt.Fprintf(b, "%s: %s\n", count(len(c.Projects), "project"), strings.Join(counts, ", "))
	if usual != "" {
		fmt.Fprintf(b, "* is %s\n", usual)
	}
}

// place is where the project is, as the settings say; "" in the hub's own account and region.
func (r reach) place() (place string) {
	for _, said := range r.Settings {
		if said.Key == "account" || said.Key == "region" {
			place += "@" + said.Value
		}
	}
	return place
}

// usualRole is how most projects name their role after themselves; "" where no two do so.
func (c checked) usualRole() (usual string) {
	named := map[string]int{}
	for _, p := range c.Projects {
		named[p.rolePattern()]++
	}
	for _, pattern := range slices.Sorted(maps.Keys(named)) {
		if n := named[pattern]; pattern != "" && n > 1 && n > named[usual] {
			usual = pattern
		}
	}
	return usual
}

// rolePattern is the role with ${project} in the place of the project's name; "" if that is not in it.
func (r reach) rolePattern() string {
	if !strings.Contains(r.Role, r.Project) {
		return ""
	}
	return strings.Replace(r.Role, r.Project, "${project}", 1)
}

// middle shortens a text in its middle.
func middle(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	head := (n - 1) / 2
	return string(r[:head]) + "…" + string(r[len(r)-(n-1-head):])
}

// most is the most dangerous thing that the statements give, and how many actions there are besides.
func most(statements []iampolicy.Statement, room int) string {
	actions := map[string]bool{}
	worst, text := -1, ""
	for _, st := range statements {
		for _, a := range st.Action.List {
			actions[a] = true
			for _, res := range st.Resource.List {
				d, t := danger(a, res, len(st.Condition) > 0), a+" "+tail(res)
				if d > worst || d == worst && t < text {
					worst, text = d, t
				}
			}
		}
	}
	switch len(actions) {
	case 0:
		return "nothing"
	case 1:
		return text
	}
	rest := fmt.Sprintf(" +%d", len(actions)-1)
	return clipped(text, room-len(rest)) + rest
}

// danger ranks what an action on a resource lets a build do.
func danger(action, resource string, conditioned bool) int {
	a, _ := iamref.Lookup(action)
	hard, _ := floor.Of(action)
	reads := a.Level == iamref.Read || a.Level == iamref.List
	name := action[strings.IndexByte(action, ':')+1:]
	rank := 0
	switch {
	case action == floor.PassRole:
		return 100
	case hard != floor.Free:
		return 90
	case conditioned:
		return 0 // the floor keeps it to its purpose
	case !reads:
		rank = 10
		switch {
		case strings.HasPrefix(name, "Delete"):
			rank = 12
		case slices.ContainsFunc(effective, func(verb string) bool { return strings.HasPrefix(name, verb) }):
			rank = 11
		}
	}
	if len(a.Resources) > 0 && strings.ContainsAny(resource, "*?") {
		rank += 2
		if resource == "*" {
			rank += 20
		}
	}
	return rank
}

// effective are verbs that say best what a grant is for.
var effective = []string{"Create", "Publish", "Put", "Register", "Run", "Set", "Start", "Update"}

// tail is an ARN without what all ARNs of an account have in common.
func tail(resource string) string {
	if f := strings.SplitN(resource, ":", 6); len(f) == 6 {
		return f[5]
	}
	return resource
}

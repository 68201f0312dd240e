package testrun

import (
	"strings"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

// A label is what a tool that runs several processes puts in front of each line of theirs: its
// first group tells them apart, its last is what the process printed.
type label struct {
	form *lazyregexp.Regexp
	not  *lazyregexp.Regexp // labels that look the same and are none
	// start is what a process's first lines begin with, behind the label; "" if the form is clear
	// without.
	start *lazyregexp.Regexp
	// least is how many lines a process must have.
	least int
	// share is how many of a hundred lines must have such a label, from the first to the last of
	// them.
	share int
}

// labels are those of BuildKit, Turborepo, concurrently, npm-run-all and Yarn's workspaces, Docker
// Compose, foreman, moon and Earthly, pnpm and Bun, Lerna and Nx.
var labels = []label{
	{form: lazyregexp.New(`^(#\d+) \d+\.\d+(?: (.*)|$)`), least: 1},
	{form: lazyregexp.New(`^((?:@[\w.-]+/)?[\w.-]+:[a-z][\w:.-]*):(?: (.*)|$)`), least: 3, share: 50,
		not: lazyregexp.New(`^node:`)},
	{form: lazyregexp.New(`^\[([\w@][\w@:./# -]{0,60})\]:?(?: (.*)|$)`), least: 3, share: 60,
		not: lazyregexp.New(`^(?:INFO|WARN|WARNING|ERROR|DEBUG|TRACE|FATAL|NOTICE|info|warn|warning|error|debug|trace|doctest|` +
			`\d+/\d+|[\d:. -]*:[\d:. -]*|\d{4}-.*)$`)},
	{form: lazyregexp.New(`^(?:\d\d:\d\d:\d\d )? *([\w.:@/+-]+) +\|(?: (.*)|$)`), least: 3, share: 60,
		not: lazyregexp.New(`^[\d.-]+$`)},
	{form: lazyregexp.New(`^(\S+ [\w:.-]+)(?:: ?| ?\$ )(.*)$`), least: 3, share: 60,
		start: lazyregexp.New(`^\S+ [\w:.-]+ ?\$ `)},
	{form: lazyregexp.New(`^((?:@[\w.-]+/)?[\w./-]+ (?:test|unit|e2e|ci|build|lint|check|typecheck|[a-z]+:[\w:.-]+)):` +
		`(?: (.*)|$)`), least: 3, share: 60},
	{form: lazyregexp.New(`^(@?[\w.-]+(?:/[\w.-]+)?):(?: (.*)|$)`), least: 3, share: 60,
		start: lazyregexp.New(`^\S+: (?:> |\$ )\S`)},
}

// stamp is the time that a tool puts in front of each line.
var stamp = lazyregexp.New(`^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.,\d]*(?:Z|[+-]\d\d:?\d\d)? ?(.*)$`)

// Bounds of what is taken apart.
const (
	maxLabels = 100 // of one form
	maxNested = 3   // labels in front of labels, such as Turborepo's in BuildKit's
)

// split takes apart what several processes printed at once, by the labels in front of their lines.
// What has none comes first.
func split(lines []buildlog.Line) []output {
	var out output
	var gaps []int
	for i, l := range lines {
		out.lines, out.n = append(out.lines, l.Text), append(out.n, l.N)
		if i > 0 && l.N > lines[i-1].N+1 {
			gaps = append(gaps, l.N)
		}
	}
	list := out.apart(maxNested)
	for i := range list {
		list[i].gaps = gaps
	}
	return list
}

func (o output) apart(depth int) []output {
	if depth == 0 {
		return []output{o}
	}
	o = o.unstamped()
	for i := range labels {
		parts := labels[i].apart(o)
		if len(parts) < 2 {
			continue
		}
		var all []output
		for _, p := range parts { // those without a label, too: another tool may have put its own there
			all = append(all, p.apart(depth-1)...)
		}
		return all
	}
	return []output{o}
}

// unstamped takes the times away if nearly all lines have one.
func (o output) unstamped() output {
	bare, stamped, text := output{n: o.n}, 0, 0
	for _, l := range o.lines {
		if l != "" {
			text++
		}
		if m := stamp.FindStringSubmatch(l); m != nil {
			stamped++
			l = m[1]
		}
		bare.lines = append(bare.lines, l)
	}
	if text == 0 || stamped*100 < text*80 {
		return o
	}
	return bare
}

// apart returns the lines without the label, and those of each process without it; only o if the
// lines are not so labelled.
func (f *label) apart(o output) []output {
	keys := make([]string, len(o.lines))
	texts := make([]string, len(o.lines))
	count, started := map[string]int{}, map[string]bool{}
	for i, l := range o.lines {
		m := f.form.FindStringSubmatch(l)
		if m == nil || f.not != nil && f.not.MatchString(m[1]) {
			continue
		}
		key := strings.TrimRight(m[1], " ")
		keys[i], texts[i] = key, m[2]
		count[key]++
		if f.start != nil && f.start.MatchString(l) {
			started[key] = true
		}
	}
	first, last, labelled := -1, -1, 0
	place := map[string]int{}
	for i, key := range keys {
		if key == "" {
			continue
		}
		if count[key] < f.least || f.start != nil && !started[key] {
			keys[i] = ""
			continue
		}
		if first < 0 {
			first = i
		}
		last = i
		labelled++
		if place[key] == 0 {
			place[key] = len(place) + 1
		}
	}
	if len(place) == 0 || len(place) > maxLabels {
		return []output{o}
	}
	text := 0
	for _, l := range o.lines[first : last+1] {
		if strings.TrimSpace(l) != "" {
			text++
		}
	}
	if labelled*100 < text*f.share {
		return []output{o}
	}
	parts := make([]output, len(place)+1)
	for i, l := range o.lines {
		p := &parts[0]
		if keys[i] != "" {
			p, l = &parts[place[keys[i]]], texts[i]
		}
		p.lines, p.n = append(p.lines, l), append(p.n, o.n[i])
	}
	return parts
}

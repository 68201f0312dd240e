package webpage

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// How many rows tables have.
const (
	maxCauses   = 25
	maxWhys     = 30
	maxProjects = 60
	maxDenied   = 40
	maxCases    = 40
	maxFlaky    = 20
	maxNotes    = 20
)

// sum is a report, counted.
type sum struct {
	Report
	all      group
	causes   []*group // those with most builds first
	projects []*group // those that ran longest first
	whys     []*group // by class; those with most builds first
	spans    []span
	unit     string // of the spans
}

// group is what builds have in common, counted.
type group struct {
	name     string
	class    Class // of whys
	builds   int
	seconds  int
	by       [classes]int // builds
	bySecs   [classes]int
	toGreen  []int
	ofClass  [classes][]int  // seconds to green
	projects map[string]bool // of causes and whys
	causes   map[string]int  // of projects
	last     time.Time
}

func (g *group) add(b Build) {
	g.builds++
	g.seconds += b.Seconds
	g.by[b.Class]++
	g.bySecs[b.Class] += b.Seconds
	if !b.Green.IsZero() {
		to := int(max(b.Green.Sub(b.End), 0) / time.Second)
		g.toGreen = append(g.toGreen, to)
		g.ofClass[b.Class] = append(g.ofClass[b.Class], to)
	}
	g.projects[b.Project] = true
	g.causes[b.Cause]++
	if b.End.After(g.last) {
		g.last = b.End
	}
}

func newGroup(name string) *group {
	return &group{name: name, projects: map[string]bool{}, causes: map[string]int{}}
}

// median is the middle one, or the lower one of two.
func median(of []int) (int, bool) {
	if len(of) == 0 {
		return 0, false
	}
	sorted := slices.Sorted(slices.Values(of))
	return sorted[(len(sorted)-1)/2], true
}

func greenIn(of []int) string {
	m, ok := median(of)
	if !ok {
		return "–"
	}
	return lasted(m)
}

// mostOf is the key that counts most; of equals the first by name.
func mostOf(m map[string]int) (best string) {
	for k, n := range m {
		if best == "" || n > m[best] || n == m[best] && k < best {
			best = k
		}
	}
	return best
}

func newSum(r Report) *sum {
	s := &sum{Report: r, all: *newGroup("")}
	causes, projects := map[string]*group{}, map[string]*group{}
	type why struct {
		class Class
		name  string
	}
	whys := map[why]*group{}
	s.spans, s.unit = spans(r.From, r.To)
	s.Builds = slices.Clone(r.Builds)
	for i := range s.Builds {
		b := &s.Builds[i]
		b.Class, b.Seconds = min(max(b.Class, Best), Rest), max(b.Seconds, 0)
		s.all.add(*b)
		into(causes, b.Cause, b.Cause).add(*b)
		into(projects, b.Project, b.Project).add(*b)
		g := into(whys, why{b.Class, b.Why}, b.Why)
		g.class = b.Class
		g.add(*b)
		at, _ := slices.BinarySearchFunc(s.spans, b.End, func(one span, t time.Time) int {
			if !one.to.After(t) {
				return -1
			}
			return 1
		})
		one := &s.spans[min(at, len(s.spans)-1)]
		one.by[b.Class]++
		one.builds++
		one.seconds += b.Seconds
	}
	s.causes = sorted(causes, func(a, b *group) int {
		return cmp.Or(b.builds-a.builds, cmp.Compare(b.seconds, a.seconds), strings.Compare(a.name, b.name))
	})
	s.projects = sorted(projects, func(a, b *group) int {
		return cmp.Or(cmp.Compare(b.seconds, a.seconds), b.builds-a.builds, strings.Compare(a.name, b.name))
	})
	s.whys = sorted(whys, func(a, b *group) int {
		return cmp.Or(int(a.class-b.class), b.builds-a.builds, strings.Compare(a.name, b.name))
	})
	return s
}

func into[K comparable](m map[K]*group, k K, name string) *group {
	if m[k] == nil {
		m[k] = newGroup(name)
	}
	return m[k]
}

func sorted[K comparable](m map[K]*group, by func(a, b *group) int) []*group {
	out := make([]*group, 0, len(m))
	for _, g := range m {
		out = append(out, g)
	}
	slices.SortFunc(out, by)
	return out
}

// classWords name a class.
type classWords struct{ short, column, long string }

func (s *sum) words() [classes]classWords {
	if s.Kind == History {
		return [classes]classWords{
			{"green again by Buildmedic", "By Buildmedic", "The next green build of the branch was one that " +
				"Buildmedic had started."},
			{"green again otherwise", "Otherwise", "Somebody else had started that build, of the same commit or " +
				"a later one."},
			{"not known to be green again", "Not known", "No later green build of the branch is known."},
		}
	}
	return [classes]classWords{
		{"could have been acted on", "Could act on", "The cause has a remedy, if your settings allow it. " +
			"Whether the next build " +
			"would have been green, only trying tells."},
		{"refused in any case", "Refused", "The cause has a remedy, but a rule refuses it, whatever is granted."},
		{"a person must act", "A person", "Buildmedic has no remedy: it says why the build failed, and changes " +
			"nothing."},
	}
}

// rest says how much the rows that are left out come to.
func rest(gs []*group, most int, what string) ([]*group, string) {
	if len(gs) <= most {
		return gs, ""
	}
	builds, seconds := 0, 0
	for _, g := range gs[most:] {
		builds, seconds = builds+g.builds, seconds+g.seconds
	}
	return gs[:most], fmt.Sprintf(
		"and %s more: %s, which ran %s",
		count(len(gs)-most, what),
		count(builds, "failed build"),
		lasted(seconds),
	)
}

func more(n, most int, what string) string {
	if n <= most {
		return ""
	}
	return fmt.Sprintf("and %s more", count(n-most, what))
}

// some lists names, and says how many more there are.
func some(names []string, most int) string {
	var out []string
	for _, n := range names[:min(len(names), most)] {
		out = append(out, name(n))
	}
	s := strings.Join(out, ", ")
	if n := len(names) - most; n > 0 {
		s += fmt.Sprintf(" and %s more", thousands(n))
	}
	return s
}

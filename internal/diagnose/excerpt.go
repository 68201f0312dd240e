package diagnose

import (
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/buildlog"
)

// maxExcerpt is how many lines a person is given to read.
const maxExcerpt = 40

// excerpt returns what a person should read first: f's own excerpt if it is about the denials that
// failed the build and holds the evidence, else one around them and the evidence.
func (x *facts) excerpt(e Evidence) []buildlog.Line {
	list := x.Excerpt
	is := func(n int) func(buildlog.Line) bool { return func(l buildlog.Line) bool { return l.N == n } }
	holds := e.Origin != buildlog.FromLog || slices.ContainsFunc(list, is(e.Line))
	if at := slices.IndexFunc(x.Tail, is(e.Line)); at >= 0 && (!holds || e.Origin == buildlog.FromLog && x.otherDenials()) {
		var also []int
		for _, d := range x.denials {
			if i := slices.IndexFunc(x.Tail, is(d.Line)); d.Causal && d.Line > 0 && i >= 0 && i != at {
				also = append(also, i)
			}
		}
		list = buildlog.ExcerptAround(x.Tail, x.Odd, append([]int{at}, also...)...)
	}
	if len(list) == 0 {
		list = x.lines
	}
	if len(list) == 0 && x.Context.String() != "" {
		list = []buildlog.Line{{Text: x.Context.String()}}
	}
	list = list[max(0, len(list)-maxExcerpt):]
	out := make([]buildlog.Line, 0, len(list))
	for _, l := range list {
		out = append(out, buildlog.Line{N: l.N, Text: printable(clip(l.Text, maxLineBytes))})
	}
	return out
}

// otherDenials reports whether a denial that the failed command printed did not fail the build: f's
// excerpt is about that one, too.
func (x *facts) otherDenials() bool {
	return slices.ContainsFunc(x.Denials, func(d buildlog.Denial) bool {
		return d.Causal && !slices.ContainsFunc(x.denials, func(own buildlog.Denial) bool { return own.Causal && own.Line == d.Line })
	})
}

// bestEvidence is the evidence of a cause whose rule found none: the context if it says more than
// the command, else the line of the output that reads most like an error, else the context in any
// case.
func (x *facts) bestEvidence() Evidence {
	if x.context != "" {
		return x.contextEvidence()
	}
	if i := x.errorLine(); i >= 0 {
		return Evidence{x.lines[i].N, x.lines[i].Text, buildlog.FromLog}
	}
	return x.contextEvidence()
}

// errorLine returns the index of the line that most surely reports an error, and of equal ones the
// last; without any, of the last line that is neither empty nor the agent's; -1 without one.
func (x *facts) errorLine() int {
	best, index := -1, -1
	for i := len(x.lines) - 1; i >= 0; i-- {
		l, text := x.lines[i], strings.TrimSpace(x.bare[i])
		if text == "" || buildlog.AgentLine(l.Text) {
			continue
		}
		if s := strength(l.Text, text); s > best {
			best, index = s, i
		}
	}
	return index
}

// strength ranks a line, with and without what tools put in front of it: a level in brackets is
// only in one of them. What only follows from an error explains less than any other line.
func strength(line, bare string) int {
	s := buildlog.Strength(line)
	if s == buildlog.NoError || s == buildlog.Perhaps {
		s = max(s, buildlog.Strength(bare))
	}
	switch s {
	case buildlog.NoError:
		return buildlog.Consequence
	case buildlog.Consequence:
		return buildlog.NoError
	}
	return s
}

package diagnose

import (
	"cmp"
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

// maxExcerpt is how many lines a person is given to read.
const maxExcerpt = 40

// excerpt returns what a person should read first: f's own excerpt if it holds the evidence, else
// the lines around the evidence.
func (x *facts) excerpt(e Evidence) []buildlog.Line {
	list := x.Excerpt
	if e.Origin == buildlog.FromLog && !slices.ContainsFunc(list, func(l buildlog.Line) bool { return l.N == e.Line }) {
		if i := x.line(e.Line); i >= 0 {
			hi := min(len(x.lines), i+maxExcerpt/2)
			list = x.lines[max(0, hi-maxExcerpt):hi]
		}
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

// bestEvidence is the evidence of a cause whose rule found none: the context if it says more than
// the command, else the line of the output that reads most like an error, else the context in any
// case.
func (x *facts) bestEvidence() Evidence {
	if x.context != "" {
		return x.contextEvidence()
	}
	if l, ok := x.errorLine(); ok {
		return Evidence{l.N, l.Text, buildlog.FromLog}
	}
	return x.contextEvidence()
}

var (
	errorWords = lazyregexp.New(`(?i)\b(errors?|err!|fatal|panic|exception|fail(ed|ure|ures|s)?|denied|cannot|can't|could not|couldn't|` +
		`unable|not found|invalid|missing|refused|abort(ed)?|rejected|unexpected|unknown)\b|Error:|Exception\b`)
	// errorNoise matches lines with such words that explain nothing: counts of zero, and what
	// wrappers print after the error.
	errorNoise = lazyregexp.New(`(?i)\b(0|no) (errors?|failures?|failed|warnings)\b|complete log of this run|` +
		`^make(\[\d+\])?: \*\*\*|ELIFECYCLE|Exit status|^\[INFO\]|--stacktrace|re-run Maven|\[Help \d\]|` +
		`^npm ERR! *$|Phase complete|Phase context|^Command did not exit|^\.? ?(Reason: )?exit status \d+$`)
)

// errorLine picks the last line that reads like an error; without any, the
// last line that is neither empty nor noise.
func (x *facts) errorLine() (line buildlog.Line, ok bool) {
	var last, noise buildlog.Line
	for i := len(x.lines) - 1; i >= 0 && i >= len(x.lines)-200; i-- {
		l, text := x.lines[i], strings.TrimSpace(x.bare[i])
		switch {
		case text == "" || strings.HasPrefix(l.Text, "[Container] ") || strings.HasPrefix(l.Text, "[Instance] "):
		case errorNoise.MatchString(text):
			noise = cmp.Or(noise, l)
		case errorWords.MatchString(text):
			return l, true
		default:
			last = cmp.Or(last, l)
		}
	}
	line = cmp.Or(last, noise)
	return line, line.Text != ""
}

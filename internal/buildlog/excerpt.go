package buildlog

import (
	"bytes"
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

// Bounds of what is kept of the failed command for people and causes.
const (
	maxLine      = 1000 // bytes of a Line's text
	maxTailLines = 2000
	maxExcerpt   = 40 // lines
	edge         = 10 // lines at either end of an excerpt
)

// linesOf cleans raw, whose first line has the given number.
func linesOf(raw []byte, n int) []Line {
	var list []Line
	for len(raw) > 0 {
		l, rest, _ := bytes.Cut(raw, newline)
		list = append(list, Line{n, clip(clean(l), maxLine)})
		raw = rest
		n++
	}
	return list
}

// linesAround returns the lines around raw[at], whose line has the given number.
func linesAround(raw []byte, at, n int) []Line {
	const reach = 3
	from, to := at, at
	for i := 0; ; i++ {
		k := bytes.LastIndexByte(raw[:from], '\n')
		if k < 0 || i == reach {
			from = k + 1
			break
		}
		from, n = k, n-1
	}
	for range reach + 1 {
		k := bytes.IndexByte(raw[to:], '\n')
		if k < 0 {
			to = len(raw)
			break
		}
		to += k + 1
	}
	return linesOf(raw[from:to], n)
}

// clean returns a line as a terminal would show it at the end: without escape sequences and control
// characters, and only the last state of a progress bar.
func clean(b []byte) string {
	b = bytes.TrimRight(b, "\r\n")
	if i := bytes.LastIndexByte(b, '\r'); i >= 0 {
		b = b[i+1:]
	}
	if len(b) > 8*maxLine {
		b = b[:8*maxLine]
	}
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); {
		switch x := b[i]; {
		case x == 0x1b:
			i += escape(b[i:])
		case x == '\t':
			out = append(out, ' ', ' ')
			i++
		case x < 0x20 || x == 0x7f:
			i++
		default:
			out = append(out, x)
			i++
		}
	}
	return strings.ToValidUTF8(string(bytes.TrimRight(out, " ")), "\ufffd")
}

// merge puts the lines of lists together, each line once, by number.
func merge(lists ...[]Line) []Line {
	var all []Line
	for _, l := range lists {
		all = append(all, l...)
	}
	slices.SortStableFunc(all, func(a, b Line) int { return a.N - b.N })
	return slices.CompactFunc(all, func(a, b Line) bool { return a.N == b.N })
}

// bound keeps the first edge*2 and the last lines.
func bound(l []Line) []Line {
	if len(l) <= maxTailLines {
		return l
	}
	return append(slices.Clone(l[:2*edge]), l[len(l)-(maxTailLines-2*edge):]...)
}

// excerpt chooses what a person should read first: the beginning of the command's output, what is
// around its error, and its end.
func excerpt(tail []Line, denials []Denial) []Line {
	if len(tail) <= maxExcerpt {
		return tail
	}
	center := errorLine(tail, denials)
	around := maxExcerpt - 2*edge
	lo := max(0, center-around/3)
	hi := min(len(tail), lo+around)
	return merge(tail[:edge], tail[lo:hi], tail[len(tail)-edge:])
}

// errorWords mark lines that report an error, the most certain first.
var errorWords = []*lazyregexp.Regexp{
	lazyregexp.New(`^(?:\[?(?i:error|fatal|panic)\]?\b[: ]|\S+: (?i:error|fatal error): |E\s{2,})|` +
		`\b(?i:fatal error|error occurred|unhandled exception)\b|\berror(?: TS\d+|\[E\d+\])?: |Error: |npm (?:ERR!|error) code|^--- FAIL|` +
		`^FAIL\b|Traceback \(most recent`),
	lazyregexp.New(`(?i)\b(?:error|failed|failure|exception|denied|cannot|could not|unable to|not found|no such|` +
		`timed out|unauthorized|forbidden)\b`),
}

// errorLine returns the index of the line that an excerpt should show: a denial, else the first
// line near the end that certainly reports an error, else the first that seems to.
func errorLine(tail []Line, denials []Denial) int {
	for _, d := range denials {
		if i, ok := slices.BinarySearchFunc(tail, d.Line, func(l Line, n int) int { return l.N - n }); ok && d.Causal && d.Line > 0 {
			return i
		}
	}
	from := max(0, len(tail)-400)
	for _, re := range errorWords {
		for i := from; i < len(tail); i++ {
			if re.MatchString(tail[i].Text) && parseMarker([]byte(tail[i].Text)).kind == noMarker {
				return i
			}
		}
	}
	return max(0, len(tail)-2*edge)
}

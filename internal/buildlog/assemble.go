package buildlog

import (
	"bytes"
	"strings"

	"github.com/buildmedic/buildmedic/internal/codebuild"
)

// ReadText is [Read] for a text in memory.
func ReadText(b codebuild.Build, text string) Failure {
	f := failure(b)
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	r := failedRange(f, lines)
	if f.Phase == "" {
		f.Phase = r.phase
	}
	if f.Context == (codebuild.Context{}) {
		f.Context = r.context
	}
	if f.Command == "" {
		f.Command, f.Exit = r.command, r.exit
	}
	fromLog := Denials(text)
	for i := range fromLog {
		d := &fromLog[i]
		d.Origin = FromLog
		d.Causal = (!r.marked || d.Line >= r.from && d.Line <= r.to) && !warning(lines, *d)
	}
	f.Denials = mergeContext(fromLog, contextDenials(b))
	f.Tail = cleanLines(lines, r.from, r.to)
	f.Excerpt = excerpt(f.Tail, f.Denials)
	return f
}

// lineRange is what of the log belongs to the failure.
type lineRange struct {
	from, to      int // line numbers, both included
	marked        bool
	phase         string
	context       codebuild.Context
	command, exit string
}

func failedRange(f Failure, lines []string) lineRange {
	r := lineRange{from: 1, to: len(lines)}
	start, pending := 0, lineRange{}
	for i, l := range lines {
		switch m := parseMarker([]byte(l)); m.kind {
		case started:
			start = i + 1
		case exited:
			pending = lineRange{from: max(1, start), to: i + 1, marked: start > 0, command: m.text, exit: m.exit}
		case phaseDone:
			if m.ok {
				pending = lineRange{}
				continue
			}
			if f.Phase != "" && m.text != f.Phase || r.phase != "" {
				continue
			}
			if pending.to > 0 {
				r = pending
			}
			r.phase = m.text
		case phaseContext:
			if r.phase != "" && r.context.Code == "" {
				r.context = m.context()
			}
		}
	}
	if r.phase == "" && pending.to > 0 {
		r = pending
	}
	return r
}

// warnings introduce denials that fail no build (aws-facts §3.4, §3.5).
var warnings = []string{"Unable to download cache", "Unable to upload cache", "Proceeding anyway"}

func warning(lines []string, d Denial) bool {
	if d.Line < 1 || d.Line > len(lines) {
		return false
	}
	for _, w := range warnings {
		if strings.Contains(lines[d.Line-1], w) {
			return true
		}
	}
	return false
}

// contextDenials gives the denials that phase contexts hold. Those of the
// first failed phase are causal.
func contextDenials(b codebuild.Build) []Denial {
	var list []Denial
	failed, _ := b.FailedPhase()
	for _, p := range b.Phases {
		for _, c := range p.Contexts {
			for _, d := range Denials(c.String()) {
				d.Line, d.Origin, d.Causal = 0, FromPhase, p.Type == failed.Type
				list = append(list, d)
			}
		}
	}
	return list
}

// mergeContext adds the denials of the contexts to those of the log; a claim
// that both have is kept once, with the log's line.
func mergeContext(fromLog, contexts []Denial) []Denial {
	var list []Denial
next:
	for _, c := range contexts {
		for i := range fromLog {
			if fromLog[i].key() == c.key() {
				fromLog[i].Origin = FromPhase
				fromLog[i].Causal = fromLog[i].Causal || c.Causal
				continue next
			}
		}
		list = append(list, c)
	}
	return append(list, fromLog...)
}

func cleanLines(lines []string, from, to int) []Line {
	var out []Line
	for n := from; n <= to && n <= len(lines); n++ {
		out = append(out, Line{n, clip(clean([]byte(lines[n-1])), 1000)})
	}
	return out
}

// clean gives a line as a terminal would show it at the end: without escape
// sequences and control characters, and only the last state of a progress bar.
func clean(b []byte) string {
	b = bytes.TrimRight(b, "\r\n")
	if i := bytes.LastIndexByte(b, '\r'); i >= 0 {
		b = b[i+1:]
	}
	var out []byte
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
	return strings.ToValidUTF8(string(bytes.TrimRight(out, " ")), "�")
}

// excerpt chooses what a person should read first: the command, what is
// around its errors, and its end.
func excerpt(tail []Line, denials []Denial) []Line {
	const most, edge = 40, 10
	if len(tail) <= most {
		return tail
	}
	list := append([]Line{}, tail[:edge]...)
	return append(list, tail[len(tail)-edge:]...)
}

package buildlog

import (
	"bytes"
	"iter"
	"strings"
)

// Output returns what a command printed in a build's log, from where CodeBuild's agent says that it
// runs the command to the agent's next line: of all commands with that text, or else of those whose
// text begins alike, since the agent may cut a long one. found is false if there is none, and then
// the lines are all that any command printed.
//
// No more than limit lines are kept, the last ones.
func Output(text, command string, limit int) (lines []Line, found bool) {
	var exact, alike, all outputLines
	own, near := false, false
	n := 0
	for line := range strings.Lines(text) {
		n++
		m := parseMarker([]byte(line))
		switch m.kind {
		case noMarker:
			l := Line{n, clip(clean([]byte(line)), maxLine)}
			all.add(l, limit)
			if own {
				exact.add(l, limit)
			}
			if near {
				alike.add(l, limit)
			}
			continue
		case started:
			own, near = sameCommand(m.text, command), sameStart(m.text, command)
			exact.found, alike.found = exact.found || own, alike.found || near
		default:
			own, near = false, false
		}
	}
	switch {
	case exact.found:
		return exact.last(limit), true
	case alike.found:
		return alike.last(limit), true
	}
	return all.last(limit), false
}

// Started returns a test of whether a text, the end of a log, reaches back to where the agent says
// that it runs the command.
func Started(command string) func(text string) bool {
	return func(text string) bool {
		for line := range strings.Lines(text) {
			if m := parseMarker([]byte(line)); m.kind == started && sameStart(m.text, command) {
				return true
			}
		}
		return false
	}
}

// sameCommand reports whether the first lines of two commands are the same. Only the first line of
// one stands behind the agent's words.
func sameCommand(a, b string) bool {
	a, _, _ = strings.Cut(a, "\n")
	b, _, _ = strings.Cut(b, "\n")
	return oneLine(a) == oneLine(b) && strings.TrimSpace(a) != ""
}

// outputLines are the last lines of an output.
type outputLines struct {
	list  []Line
	found bool
}

// add keeps at most twice the limit, so that moving lines costs little for each.
func (o *outputLines) add(l Line, limit int) {
	if len(o.list) >= 2*limit {
		o.list = append(o.list[:0], o.list[len(o.list)-limit:]...)
	}
	o.list = append(o.list, l)
}

func (o *outputLines) last(limit int) []Line { return o.list[max(0, len(o.list)-limit):] }

// Texts returns the lines of a log, cleaned as those that are read of it are.
func Texts(text string) iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		n := 0
		for line := range strings.Lines(text) {
			if n++; !yield(n, clip(clean([]byte(line)), maxLine)) {
				return
			}
		}
	}
}

// StartedCommand returns the first line of the command that CodeBuild's agent says, in this line of
// a log, that it runs.
func StartedCommand(line string) (command string, ok bool) {
	m := parseMarker([]byte(line))
	return m.text, m.kind == started
}

// Plain returns a log that somebody saved in one of the forms that [Read] knows as CodeBuild wrote
// it, and any other text as it is.
func Plain(text string) string {
	head, _ := beginning(strings.NewReader(text)) // such a reader has no errors
	f := formOf(head)
	if f == nil {
		return text
	}
	unpack := f.unpack
	if unpack == nil {
		unpack = unpackNothing
	}
	var all, own bytes.Buffer
	_ = unpack(strings.NewReader(text), func(_ string, b []byte) { all.Write(b) }) // as much as can be read
	var j joiner
	for line := range bytes.Lines(all.Bytes()) {
		if _, l, keep := f.lines.own(line); keep {
			j.line(&f.lines, &own, l)
		}
	}
	j.flush(&own)
	return own.String()
}

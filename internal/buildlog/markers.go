package buildlog

import (
	"bytes"
	"strings"

	"github.com/buildmedic/buildmedic/internal/codebuild"
)

// A marker is one of the lines in which CodeBuild's agent says what it does (AWS.md#log-lines).
type marker struct {
	kind markerKind
	text string // Command, Exited: the command's first line; PhaseDone: the phase; Context: "CODE Message: TEXT"
	exit string // Exited: "1", "" if the status is not on this line
	ok   bool   // PhaseDone: it succeeded
}

type markerKind uint8

const (
	noMarker     markerKind = iota
	started                 // Running command X
	exited                  // Command did not exit successfully X exit status N
	phaseDone               // Phase complete: P State: FAILED
	phaseContext            // Phase context status code: C Message: M
	entering                // Entering phase P
	otherMarker             // any other line of the agent: it ends what a command printed
)

const (
	container   = "[Container]"
	exitedWords = "Command did not exit successfully"
)

// parseMarker reads one line. A marker may be in the middle of it, after another one or after
// output without a line end.
func parseMarker(line []byte) marker {
	i := bytes.LastIndex(line, []byte(container))
	if i < 0 {
		line = bytes.TrimLeft(line, " \t")
		if m := markerText(string(line)); m.kind == exited {
			return m
		}
		return marker{}
	}
	rest := bytes.TrimLeft(line[i+len(container):], " ")
	if n := timestamp(rest); n > 0 {
		rest = bytes.TrimLeft(rest[n:], " ")
	}
	if len(rest) == 0 {
		return marker{}
	}
	m := markerText(string(rest))
	if m.kind == noMarker {
		m.kind = otherMarker
	}
	return m
}

func markerText(s string) marker {
	s = strings.TrimRight(s, "\r\n \t")
	if x, ok := strings.CutPrefix(s, "Running command"); ok {
		return marker{kind: started, text: strings.TrimLeft(x, ": ")}
	}
	if x, ok := strings.CutPrefix(s, exitedWords); ok {
		x = strings.TrimLeft(x, " ")
		if i := strings.LastIndex(x, " exit status "); i >= 0 {
			return marker{kind: exited, text: x[:i], exit: strings.TrimSpace(x[i+len(" exit status "):])}
		}
		return marker{kind: exited, text: x}
	}
	if x, ok := strings.CutPrefix(s, "Phase complete:"); ok {
		name, state, _ := strings.Cut(strings.TrimSpace(x), " ")
		state = strings.TrimSpace(state)
		return marker{kind: phaseDone, text: name, ok: state == "State: SUCCEEDED" || state == "Success: true"}
	}
	if x, ok := strings.CutPrefix(s, "Phase context status code:"); ok {
		return marker{kind: phaseContext, text: strings.TrimSpace(x)}
	}
	if x, ok := strings.CutPrefix(s, "Entering phase "); ok {
		return marker{kind: entering, text: strings.TrimSpace(x)}
	}
	return marker{}
}

// context reads a phaseContext's text.
func (m marker) context() codebuild.Context {
	code, message, ok := strings.Cut(m.text, "Message:")
	if !ok {
		return codebuild.Context{}
	}
	return codebuild.Context{Code: strings.TrimSpace(code), Message: strings.TrimSpace(message)}
}

// contextCommand reads the failed command and its exit status from a phase
// context (AWS.md#failed-command).
func contextCommand(c codebuild.Context) (command, exit string) {
	rest, ok := strings.CutPrefix(c.Message, "Error while executing command:")
	if !ok {
		return "", ""
	}
	rest = strings.TrimSpace(rest)
	if i := strings.LastIndex(rest, "Reason:"); i >= 0 {
		reason := strings.TrimSpace(rest[i+len("Reason:"):])
		exit = strings.TrimPrefix(reason, "exit status ")
		rest = strings.TrimSuffix(strings.TrimSpace(rest[:i]), ".")
	}
	return rest, exit
}

// Complete reports whether the last lines of a log, tail, hold the end of the
// failed phase: the last lines may arrive after the build's event
// (AWS.md#late-lines). An unknown phase stands for any that failed.
func Complete(tail string, phase codebuild.Phase) bool {
	done := false
	for line := range strings.Lines(tail) {
		switch m := parseMarker([]byte(line)); {
		case m.kind == phaseDone && !m.ok && (phase.Type == "" || m.text == phase.Type):
			done = true
		case m.kind == phaseContext && done:
			return true
		}
	}
	return false
}

// FailedStart reports whether text, the end of a log, reaches back to where
// the failed command was started, or the failed phase if it had no command,
// so that nothing before it needs to be read.
func FailedStart(text string) bool {
	command, phase := false, false
	for line := range strings.Lines(text) {
		switch m := parseMarker([]byte(line)); {
		case m.kind == started:
			command = true
		case m.kind == exited:
			return command
		case m.kind == phaseDone && !m.ok:
			return command || phase
		case m.kind != noMarker:
			phase = true
		}
	}
	return command
}

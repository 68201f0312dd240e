package buildlog

import (
	"bytes"
	"regexp"
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
	signLine                // no marker: output that tools print when something fails
)

// agentWords are the words with which CodeBuild's agent begins its lines: in a container, and on an
// instance of EC2 compute (AWS.md#log-lines). Whatever must know one must know both.
var agentWords = []string{inContainer, onInstance}

const (
	inContainer = "[Container]"
	onInstance  = "[Instance]"
)

// AgentPattern is a regular expression for the word that begins the lines of CodeBuild's agent.
func AgentPattern() string {
	quoted := make([]string, len(agentWords))
	for i, a := range agentWords {
		quoted[i] = regexp.QuoteMeta(a)
	}
	return "(?:" + strings.Join(quoted, "|") + ")"
}

// AgentLine reports whether CodeBuild's agent wrote the line, by its words.
func AgentLine(line string) bool { return parseMarker([]byte(line)).kind != noMarker }

// agentAt finds the first of the agent's words in b that stands where the agent writes it, before a
// date or at the beginning, and returns where it begins and where the text behind it does; -1 if
// there is none.
func agentAt(b []byte) (at, text int) {
	for from := 0; ; {
		i, word := indexAgent(b[from:])
		if i < 0 {
			return -1, 0
		}
		i += from
		from = i + len(word)
		rest := skipStyle(b[from:])
		n := agentTime(rest)
		if n > 0 || i == 0 {
			text = len(b) - len(rest) + n
			return i, len(b) - len(skipStyle(b[text:]))
		}
	}
}

// agentTime returns the length of the date and time that b begins with, 0 if there is none.
func agentTime(b []byte) int {
	n := date(b)
	if n == 0 || n == len(b) || b[n] != ' ' {
		return 0
	}
	if c := clock(b[n+1:]); c > 0 {
		return n + 1 + c
	}
	return 0
}

// indexAgent returns where the first of the agent's words begins in b, and the word; -1 if there is
// none.
func indexAgent(b []byte) (at int, word string) {
	at = -1
	for _, a := range agentWords {
		if i := bytes.Index(b, []byte(a)); i >= 0 && (at < 0 || i < at) {
			at, word = i, a
		}
	}
	return at, word
}

// skipStyle returns b without the blanks and escape sequences that it begins with.
func skipStyle(b []byte) []byte {
	for len(b) > 0 {
		switch b[0] {
		case ' ':
			b = b[1:]
		case 0x1b:
			b = b[escape(b):]
		default:
			return b
		}
	}
	return b
}

const exitedWords = "Command did not exit successfully"

// parseMarker reads one line. A marker may be in the middle of it, after output without a line end
// or after what a program put in front of every line; of several, the last one counts.
func parseMarker(line []byte) marker {
	if at, text := agentAt(line); at >= 0 {
		for {
			i, next := agentAt(line[text:])
			if i < 0 {
				break
			}
			text += next
		}
		rest := unstyled(line[text:])
		if len(bytes.TrimSpace(rest)) == 0 {
			return marker{}
		}
		m := markerText(string(rest))
		if m.kind == noMarker {
			m.kind = otherMarker
		}
		return m
	}
	if m := markerText(string(bytes.TrimLeft(unstyled(line), " \t"))); m.kind == exited {
		return m
	}
	return marker{}
}

// unstyled returns b without escape sequences.
func unstyled(b []byte) []byte {
	if bytes.IndexByte(b, 0x1b) < 0 {
		return b
	}
	out := make([]byte, 0, len(b))
	for len(b) > 0 {
		n := bytes.IndexByte(b, 0x1b)
		if n < 0 {
			n = len(b)
		}
		out, b = append(out, b[:n]...), b[n:]
		if len(b) > 0 {
			b = b[escape(b):]
		}
	}
	return out
}

// markerText reads what follows the agent's time. Whatever stands behind a status that one word or
// number gives was put there by something else: a table's end, a quotation mark.
func markerText(s string) marker {
	s = strings.TrimRight(s, "\r\n \t")
	if x, ok := strings.CutPrefix(s, "Running command"); ok {
		return marker{kind: started, text: strings.TrimLeft(x, ": ")}
	}
	if x, ok := strings.CutPrefix(s, exitedWords); ok {
		x = strings.TrimLeft(x, " ")
		if i := strings.LastIndex(x, exitStatus); i >= 0 {
			return marker{kind: exited, text: x[:i], exit: firstWord(x[i+len(exitStatus):])}
		}
		return marker{kind: exited, text: x}
	}
	if x, ok := strings.CutPrefix(s, "Phase complete:"); ok {
		name, state, _ := strings.Cut(strings.TrimSpace(x), " ")
		state = strings.TrimSpace(state)
		if x, now := strings.CutPrefix(state, "State: "); now {
			return marker{kind: phaseDone, text: name, ok: firstWord(x) == codebuild.Succeeded}
		}
		x, old := strings.CutPrefix(state, "Success: ")
		return marker{kind: phaseDone, text: name, ok: old && firstWord(x) == "true"}
	}
	if x, ok := strings.CutPrefix(s, "Phase context status code:"); ok {
		return marker{kind: phaseContext, text: strings.TrimSpace(x)}
	}
	if x, ok := strings.CutPrefix(s, "Entering phase "); ok {
		return marker{kind: entering, text: strings.TrimSpace(x)}
	}
	return marker{}
}

const exitStatus = " exit status "

// firstWord returns the word or number that s begins with.
func firstWord(s string) string {
	n := strings.IndexFunc(s, func(r rune) bool {
		return r != '_' && r != '-' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
	if n < 0 {
		return s
	}
	return s[:n]
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
	rest, ok := strings.CutPrefix(c.Message, executing)
	if !ok {
		return "", ""
	}
	rest = strings.TrimSpace(rest)
	if i := strings.LastIndex(rest, "Reason:"); i >= 0 {
		reason := strings.TrimSpace(rest[i+len("Reason:"):])
		exit = reason
		if status, ok := strings.CutPrefix(reason, "exit status "); ok {
			exit = firstWord(status) // a copy may go on behind it
		}
		rest = strings.TrimSuffix(strings.TrimSpace(rest[:i]), ".")
	}
	return rest, exit
}

const executing = "Error while executing command:"

// excerptContext returns the context of a failed command that an excerpt quotes without the agent's
// marker: as CodeBuild's console, its events and its API show it, or as somebody wrote it down. The
// command may have several lines.
func excerptContext(lines []Line) codebuild.Context {
	const most = 40 // lines of a command
	for i, l := range lines {
		at := strings.Index(l.Text, executing)
		if at < 0 {
			continue
		}
		message := l.Text[at:]
		for n, more := range lines[i+1:] {
			if n == most || strings.Contains(message, "Reason:") {
				break
			}
			if strings.Contains(more.Text, "Reason:"+exitStatus) {
				for _, l := range lines[i+1 : i+2+n] {
					message += "\n" + l.Text
				}
				break
			}
		}
		return codebuild.Context{Code: codebuild.CommandError, Message: strings.TrimRight(message, " \t`'\"*|,")}
	}
	return codebuild.Context{}
}

// Complete reports whether the last lines of a log, tail, hold the end of the
// failed phase: the last lines may arrive after the build's event
// (AWS.md#late-lines). An unknown phase stands for any that failed.
func Complete(tail string, phase codebuild.Phase) bool {
	done, whole := "", false
	for line := range strings.Lines(tail) {
		switch m := parseMarker([]byte(line)); {
		case m.kind == phaseDone && !m.ok && (phase.Type == "" || m.text == phase.Type):
			done = m.text
		case m.kind == phaseContext && done != "":
			whole = true
		case m.kind == entering && m.text == done: // it runs again
			done, whole = "", false
		}
	}
	return whole
}

// FailedStart returns a test of whether a text, the end of b's log, reaches back to where the
// failed command was started, or the failed phase if it had no command, so that nothing before it
// needs to be read.
func FailedStart(b codebuild.Build) func(text string) bool {
	name, wanted := failedByRecord(b)
	return func(text string) bool {
		r := reach{wanted: wanted}
		for line := range strings.Lines(text) {
			switch m := parseMarker([]byte(line)); m.kind {
			case noMarker:
			case started:
				r.starts = append(r.starts, m.text)
			case exited:
				r.exits, r.begun = append(r.exits, m.text), append(r.begun, r.startOf(m.text) >= 0)
			case phaseDone:
				if !m.ok && (name == "" || name == m.text) {
					return r.enough() || len(r.exits) == 0 && r.phase
				}
				r = reach{wanted: wanted, phase: true}
			case entering:
				r.phase = true
			default:
				r.phase = r.phase || len(r.starts)+len(r.exits) == 0
			}
		}
		return r.enough()
	}
}

// reach is what is known of how far back a text reaches in a phase.
type reach struct {
	wanted string // the command that failed, "" if unknown
	starts []string
	exits  []string // commands that did not exit successfully
	begun  []bool   // of exits: their start is in the text
	phase  bool     // the text holds what came before the phase's commands
}

// startOf returns the index of the start of an exited command, -1 if it is not there.
func (r *reach) startOf(command string) int {
	for i := len(r.starts) - 1; i >= 0; i-- {
		if sameStart(r.starts[i], command) {
			return i
		}
	}
	return -1
}

// enough reports whether the text reaches the failed command's start.
func (r *reach) enough() bool {
	if len(r.exits) == 0 {
		return len(r.starts) > 0
	}
	i := failedExit(r.exits, r.wanted)
	if i < 0 && r.wanted != "" {
		return r.phase // else it may be before the text, which then holds only the clean-up
	}
	return r.begun[max(i, 0)]
}

// failedByRecord returns the type of the first failed phase and the command that its context names,
// as far as the build's record says.
func failedByRecord(b codebuild.Build) (phase, command string) {
	p, _ := b.FailedPhase()
	for _, c := range p.Contexts {
		if command, _ = contextCommand(c); command != "" {
			break
		}
	}
	return p.Type, command
}

// failedExit returns which of the exited commands is the wanted one, which a phase's context names:
// the last of them with its text, because a build prints before CodeBuild does. -1: none, or
// unknown.
func failedExit(exits []string, wanted string) int {
	if wanted == "" {
		return -1
	}
	wanted = oneLine(wanted)
	near := -1
	for i := len(exits) - 1; i >= 0; i-- {
		x := oneLine(exits[i])
		if x == wanted {
			return i
		}
		// A long text may be cut in either place.
		if len(x) >= longCommand && len(wanted) >= longCommand && near < 0 &&
			(strings.HasPrefix(x, wanted) || strings.HasPrefix(wanted, x)) {
			near = i
		}
	}
	return near
}

const longCommand = 60

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// sameStart reports whether the first line of a command's start is that of its end: one of them may
// be cut.
func sameStart(start, end string) bool {
	start, _, _ = strings.Cut(start, "\n")
	end, _, _ = strings.Cut(end, "\n")
	start, end = strings.TrimSpace(start), strings.TrimSpace(end)
	return start != "" && end != "" && (strings.HasPrefix(end, start) || strings.HasPrefix(start, end))
}

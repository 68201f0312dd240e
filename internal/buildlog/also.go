package buildlog

import (
	"cmp"
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/codebuild"
)

// Bounds of what is told of what failed besides.
const (
	maxAlso     = 8
	maxAlsoText = 500 // bytes of a text
)

// alsoFailed records a phase that failed after the failed one, with its commands.
func (t *tracker) alsoFailed(m located) {
	if len(t.exits) == 0 {
		t.addAlso(Also{Phase: m.text, Line: m.fromLine})
		return
	}
	for _, p := range t.exits {
		t.addAlso(alsoOf(p, m.text))
	}
}

// alsoContext adds what the agent says of the last of these phases.
func (t *tracker) alsoContext(m located) {
	n := len(t.also)
	if n == 0 {
		return
	}
	if a := &t.also[n-1]; a.Command == "" {
		a.explain(m.context())
	}
}

// String says in one line what failed: "phase POST_BUILD, command ./notify.sh, exit status 1".
func (a Also) String() string {
	var parts []string
	if a.Phase != "" {
		parts = append(parts, "phase "+a.Phase)
	}
	if a.Command != "" {
		parts = append(parts, "command "+oneLine(a.Command))
	}
	if a.Exit != "" {
		parts = append(parts, "exit status "+a.Exit)
	}
	s := strings.Join(parts, ", ")
	if a.Message != "" {
		s = strings.TrimPrefix(s+": "+oneLine(a.Message), ": ")
	}
	return s
}

// explain adds a phase's context, unless the command is known, which is all that it would say.
func (a *Also) explain(c codebuild.Context) {
	if a.Command != "" {
		return
	}
	if command, exit := contextCommand(c); command != "" {
		a.Command, a.Exit = clip(command, maxAlsoText), clip(exit, maxAlsoText)
		return
	}
	a.Message = clip(strings.Trim(c.String(), ": "), maxAlsoText)
}

func (t *tracker) addAlso(a Also) {
	if len(t.also) < maxAlso {
		t.also = append(t.also, a)
	}
}

func alsoOf(p *part, phase string) Also {
	return Also{Phase: phase, Command: clip(p.command, maxAlsoText), Exit: clip(p.exit, maxAlsoText), Line: p.exitLine}
}

// alsoFailed returns what failed besides the failure f: the other commands of its phase that failed
// after it, which its finally block ran, and the phases after it, by the log and by the build's
// record (AWS.md#failed-command).
func alsoFailed(b codebuild.Build, f *Failure, t *tracker) []Also {
	var list []Also
	for _, p := range t.rivals {
		if p != t.failed && p.to > t.failed.to {
			list = append(list, alsoOf(p, f.Phase))
		}
	}
	list = append(list, t.also...)
	for _, a := range alsoRecorded(b) {
		i := slices.IndexFunc(list, func(x Also) bool { return a.about(x) })
		if i < 0 {
			list = append(list, a)
			continue
		}
		x := &list[i]
		x.Phase = cmp.Or(x.Phase, a.Phase)
		if x.Command == "" {
			x.Command, x.Exit, x.Message = a.Command, a.Exit, cmp.Or(x.Message, a.Message)
		}
	}
	return list[:min(len(list), maxAlso)]
}

// about reports whether a, of the build's record, is about what the log says in x. A record that
// was read from a list of contexts has no phases.
func (a Also) about(x Also) bool {
	if a.Phase != "" && x.Phase != "" {
		return a.Phase == x.Phase && (a.Command == "" || x.Command == "" || oneLine(a.Command) == oneLine(x.Command))
	}
	return a.Command != "" && oneLine(a.Command) == oneLine(x.Command) || a.Message != "" && a.Message == x.Message
}

// alsoRecorded returns the phases that failed after the first one that did.
func alsoRecorded(b codebuild.Build) []Also {
	var list []Also
	first := true
	for _, p := range codebuild.LastRuns(b.Phases) {
		if !p.Failed() {
			continue
		}
		if first {
			first = false
			continue
		}
		a := Also{Phase: p.Type}
		for _, c := range p.Contexts {
			if c.Code != "" || c.Message != "" {
				a.explain(c)
				break
			}
		}
		list = append(list, a)
	}
	return list
}

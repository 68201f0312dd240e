package buildlog

import (
	"strings"

	"github.com/buildmedic/buildmedic/internal/codebuild"
)

// Beyond reports whether the log of a build that runs shows that it is past the command which failed
// in another one, whose phase context is given: the agent has begun another command since, or has
// ended the phase, and has not said that this one failed. text may be the end of a log; what does
// not reach back to the command shows nothing.
//
// A build's output can imitate the agent's lines. So no more may hang on this than on the build's
// being green, which its commands decide as well.
func Beyond(text string, failed codebuild.Context) bool {
	command, _ := contextCommand(failed)
	if command == "" {
		return false
	}
	within, beyond := false, false
	for line := range strings.Lines(text) {
		switch m := parseMarker([]byte(line)); m.kind {
		case started:
			same := sameStart(m.text, command)
			beyond = !same && (within || beyond)
			within = same
		case phaseDone:
			beyond = beyond || within && m.ok
			within = false
		case exited, phaseContext:
			if within {
				within, beyond = false, false
			}
		}
	}
	return beyond
}

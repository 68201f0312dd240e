package buildlog

import (
	"testing"

	"github.com/buildmedic/buildmedic/internal/codebuild"
)

// TestContextCommand: a copy of a log may go on behind the context's last line, which is no part of
// the exit status.
func TestContextCommand(t *testing.T) {
	for _, c := range []struct{ what, reason, exit string }{
		{"as CodeBuild prints it", "exit status 127", "127"},
		{"a fence of Markdown below it", "exit status 127\n```", "127"},
		{"a signal", "signal: killed", "signal: killed"},
	} {
		command, exit := contextCommand(codebuild.Context{Message: "Error while executing command: make. Reason: " + c.reason})
		if command != "make" || exit != c.exit {
			t.Errorf("%s: command %q, exit %q; want make, %q", c.what, command, exit, c.exit)
		}
	}
}

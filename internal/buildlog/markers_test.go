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

// TestExcerptContext: an excerpt may quote a context as the console, an event or a person does, without
// the agent's name and time in front of it.
func TestExcerptContext(t *testing.T) {
	for _, c := range []struct{ name, log, command, exit string }{
		{"the console's", "COMMAND_EXECUTION_ERROR: Error while executing command: npm ci. Reason: exit status 1", "npm ci", "1"},
		{"an event's",
			`  "COMMAND_EXECUTION_ERROR: Error while executing command: mvn package. Reason: exit status 1"`, "mvn package", "1"},
		{"a document's", "`Phase context status code: COMMAND_EXECUTION_ERROR Message: Error while executing command: ./scan.sh. " +
			"Reason: exit status 3`", "./scan.sh", "3"},
		{"of several lines", "Error while executing command: set -e\nshopctl up\n. Reason: exit status 127\nNow we know.",
			"set -e\nshopctl up\n", "127"},
		{"without a reason", "Message: Error while executing command: make all", "make all", ""},
		{"of another tool", "Error while executing the command: make all", "", ""},
		{"beside the agent's own", "Error while executing command: make all. Reason: exit status 9\n" +
			"[Container] 2026/03/04 10:11:12 Phase context status code: COMMAND_EXECUTION_ERROR Message: " +
			"Error while executing command: npm ci. Reason: exit status 1\n", "npm ci", "1"},
	} {
		if f := ReadText(codebuild.Build{}, c.log); f.Command != c.command || f.Exit != c.exit {
			t.Errorf("%s: command %q, exit %q", c.name, f.Command, f.Exit)
		}
	}
	built := codebuild.Build{Phases: []codebuild.Phase{{Type: "BUILD", Status: codebuild.Failed,
		Contexts: []codebuild.Context{{Code: "CLIENT_ERROR", Message: "no"}}}}}
	f := ReadText(built, "Error while executing command: make all. Reason: exit status 9")
	if f.Context.Code != "CLIENT_ERROR" || f.Command != "" {
		t.Errorf("a build's own context is replaced: %+v", f.Context)
	}
}

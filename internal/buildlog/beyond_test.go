package buildlog

import (
	"strings"
	"testing"

	"github.com/buildmedic/buildmedic/internal/codebuild"
)

// TestBeyond is the table of what the log of a running build shows of the command that failed before.
func TestBeyond(t *testing.T) {
	const (
		login = "aws ecr get-login-password --region eu-west-1 | docker login --username AWS --password-stdin x.example.com"
		run   = "Running command "
		done  = "Phase complete: PRE_BUILD State: "
	)
	context := func(command string) codebuild.Context {
		return codebuild.Context{Code: codebuild.CommandError,
			Message: "Error while executing command: " + command + ". Reason: exit status 1"}
	}
	entered := said("Entering phase PRE_BUILD") + said(run+"npm ci") + "added 12 packages\n"
	for _, row := range []struct {
		what, command, log string
		want               bool
	}{
		{"it has not begun", login, entered, false},
		{"it runs", login, entered + said(run+login) + "Login Succeeded\n", false},
		{"the next one runs", login, entered + said(run+login) + "Login Succeeded\n" + said(run+"make"), true},
		{"its phase succeeded", login, entered + said(run+login) + said(done+"SUCCEEDED"), true},
		{"its phase failed", login, entered + said(run+login) + said(done+"FAILED"), false},
		{"it failed, and the finally block runs", login,
			entered + said(run+login) + said("Command did not exit successfully "+login+" exit status 1") + said(run+"./clean.sh"), false},
		{"it runs a second time", "make", said(run+"make") + said(run+"npm ci") + said(run+"make") + "cc a.c\n", false},
		{"it ran a second time", "make", said(run+"make") + said(run+"npm ci") + said(run+"make") + said(run+"ls"), true},
		{"a later command failed", login,
			entered + said(run+login) + said(run+"make") + said("Command did not exit successfully make exit status 2"), true},
		{"the log's end does not reach back to it", login, "cc a.c\n" + said(run+"ls"), false},
		{"the agent cuts it", "python3 - <<'END'\nprint(1)\nEND", said(run+"python3 - <<'END'") + "1\n" + said(run+"ls"), true},
		{"a build says so without the agent's words", login, said(run+login) + run + "make\n" + done + "SUCCEEDED\n", false},
		{"no command", "", said(run + "make"), false},
	} {
		if got := Beyond(row.log, context(row.command)); got != row.want {
			t.Errorf("%s: %t", row.what, got)
		}
		instance := strings.ReplaceAll(row.log, "[Container]", "[Instance]")
		if got := Beyond(instance, context(row.command)); got != row.want {
			t.Errorf("%s, on an instance: %t", row.what, got)
		}
	}
	if Beyond(entered+said(run+login)+said(run+"make"), codebuild.Context{Code: "CLIENT_ERROR", Message: login}) {
		t.Error("another context names no command")
	}
}

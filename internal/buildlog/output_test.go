package buildlog

import (
	"strings"
	"testing"
)

// said is a line of the agent.
func said(text string) string { return "[Container] 2026/11/22 10:00:00.000000 " + text + "\n" }

func TestOutput(t *testing.T) {
	log := said("Entering phase BUILD") +
		said("Running command npm ci") + "added 12 packages\n" +
		said("Running command npm test") + "\x1b[32mok 1\x1b[0m\nok 2\n" +
		said("Running command npm test -- --slow") + "ok 3\n" +
		said("Running command npm test") + "ok 4\n" +
		said("Phase complete: BUILD State: SUCCEEDED") + "not of a command\n"
	for _, row := range []struct {
		what, command string
		limit         int
		want          string
		found         bool
	}{
		{"all runs of a command", "npm test", 9, "ok 1|ok 2|ok 4", true},
		{"blanks play no part", " npm  test ", 9, "ok 1|ok 2|ok 4", true},
		{"its first line, since the agent prints no other", "npm ci\nnpm test", 9, "added 12 packages", true},
		{"a text that one of them has cut", "npm test -- --slow --and --more", 9, "ok 1|ok 2|ok 3|ok 4", true},
		{"no such command", "make", 9, "added 12 packages|ok 1|ok 2|ok 3|ok 4|not of a command", false},
		{"no command", "", 9, "added 12 packages|ok 1|ok 2|ok 3|ok 4|not of a command", false},
		{"the last lines", "make", 2, "ok 4|not of a command", false},
	} {
		lines, found := Output(log, row.command, row.limit)
		var texts []string
		for _, l := range lines {
			texts = append(texts, l.Text)
		}
		if got := strings.Join(texts, "|"); got != row.want || found != row.found {
			t.Errorf("%s: %q, %t", row.what, got, found)
		}
	}
	if lines, _ := Output(log, "npm ci", 9); len(lines) != 1 || lines[0].N != 3 {
		t.Errorf("the number of the line: %v", lines)
	}
	for command, want := range map[string]bool{"npm ci": true, "npm test": true, "make": false, "": false} {
		if got := Started(command)(log); got != want {
			t.Errorf("%q was started: %t", command, got)
		}
	}
	if c, ok := StartedCommand(said("Running command node -v")); !ok || c != "node -v" {
		t.Errorf("%q, %t", c, ok)
	}
	if _, ok := StartedCommand("Running command node -v"); ok {
		t.Error("a build's own line is taken for the agent's")
	}
}

// TestOutputIsBounded ensures that of a long output the last lines are kept.
func TestOutputIsBounded(t *testing.T) {
	log := strings.Repeat(said("Running command make")+strings.Repeat("x\n", 50), 4000)
	lines, found := Output(log, "make", 1000)
	if !found || len(lines) != 1000 || lines[999].N != 4000*51 {
		t.Errorf("%d lines, %t", len(lines), found)
	}
}

func TestPlain(t *testing.T) {
	log := said("Running command make") + "boom \"x\"\n" + said("Phase complete: BUILD State: SUCCEEDED")
	events := "{\n    \"events\": [\n"
	for l := range strings.Lines(log) {
		events += `        {"timestamp": 1763800000000, "message": "` +
			strings.NewReplacer("\"", `\"`, "\n", `\n`).Replace(l) + "\"},\n"
	}
	events = strings.TrimSuffix(events, ",\n") + "\n    ]\n}\n"
	numbered := ""
	for l := range strings.Lines(log) {
		numbered += "2026-11-22T10:00:00.123Z " + l
	}
	for what, text := range map[string]string{"as it was written": log, "JSON of the AWS CLI": events, "with times in front": numbered} {
		if lines, found := Output(Plain(text), "make", 9); !found || len(lines) != 1 || lines[0].Text != "boom \"x\"" {
			t.Errorf("%s: %v, %t: %q", what, lines, found, Plain(text))
		}
	}
	if got := Plain("no log of CodeBuild\n"); got != "no log of CodeBuild\n" {
		t.Errorf("another text: %q", got)
	}
}

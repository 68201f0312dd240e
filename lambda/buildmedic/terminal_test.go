//go:build unix

package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/creack/pty"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/heal"
)

// onTerminal runs a command as main does, on a real pseudo-terminal of that width, and gives what it
// shows. typed is what the person types.
func onTerminal(t *testing.T, width int, typed string, args ...string) (code int, screen string) {
	t.Helper()
	t.Setenv("COLUMNS", "")
	t.Setenv("TERM", "xterm")
	master, terminal, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer master.Close()
	if err := pty.Setsize(master, &pty.Winsize{Rows: 50, Cols: uint16(width)}); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	var wg sync.WaitGroup
	wg.Go(func() { out.ReadFrom(master) }) // ends with an error once nobody has the terminal open
	if _, err := master.WriteString(typed); err != nil {
		t.Fatal(err)
	}
	in := &interruptible{File: terminal, ctx: t.Context()}
	code = run(context.Background(), args, in, stdoutOf(terminal, args), fold(terminal))
	terminal.Close()
	wg.Wait()
	return code, strings.ReplaceAll(out.String(), "\r\n", "\n")
}

// words are all that a text has, without colours.
func words(text string) []string { return strings.Fields(escapes.ReplaceAllString(text, "")) }

// TestTerminalWidth ensures that on a terminal of any width no line is longer than it, so that it
// breaks none within a word, and that nothing is lost by that.
func TestTerminalWidth(t *testing.T) {
	log := filepath.Join(t.TempDir(), "build.log")
	if err := os.WriteFile(log, []byte("[Container] 2026/11/22 10:00:00 Running command aws s3 sync dist s3://example-site --delete\n"+
		"upload failed: dist/index.html to s3://example-site/index.html An error occurred (AccessDenied) when calling the PutObject "+
		"operation: User: arn:aws:sts::111122223333:assumed-role/codebuild-shop-service-role/AWSCodeBuild-1 is not authorized to "+
		"perform: s3:PutObject on resource: \"arn:aws:s3:::example-site/index.html\" because no identity-based policy allows the "+
		"s3:PutObject action\n[Container] 2026/11/22 10:00:01 Command did not exit successfully aws s3 sync dist s3://example-site "+
		"--delete exit status 1\n[Container] 2026/11/22 10:00:01 Phase complete: BUILD State: FAILED\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"diagnose", log}, {"explain"}, {"explain", "not-on-allowlist"}, {"demo", "tracker-api"}, {"-h"},
		{"history", "-h"}, {"diagnose", "-h"}, {"plan", "-h"}, {"scan", "-nonsense"}, {"heal-all"}, {"version"},
		{"show", "-settings", "gone", "c"}} {
		_, plainText, plainErrs := buildmedic(t, "", args...)
		for _, width := range []int{60, 80, 200} {
			_, screen := onTerminal(t, width, "", args...)
			lines := strings.Split(screen, "\n")
			for _, l := range lines {
				if n := shown(l); n > width && len(words(l)) > 1 && !toCopy(escapes.ReplaceAllString(l, "")) {
					t.Errorf("%q at %d: %d columns: %s", args, width, n, l)
				}
			}
			if cut := strings.Contains(screen+plainText, "…"); !cut && args[0] != "version" &&
				!slices.Equal(words(screen), words(plainText+plainErrs)) {
				t.Errorf("%q at %d: other words than elsewhere:\n%s", args, width, screen)
			}
		}
	}
}

// TestTablesShrink ensures that a table fits a narrow terminal, and keeps what is to be copied whole.
func TestTablesShrink(t *testing.T) {
	cases := []listed{{Summary: heal.Summary{Case: "1160bc9cefbf0600", Outcome: decide.Proposed, Cause: "cloudformation-rollback-failed",
		Remedy: "override-buildspec", Rounds: 2, Project: "shop"}}}
	for width, want := range map[int][]string{40: {"1160bc9cefbf0600", "proposed", "shop"},
		60: {"1160bc9cefbf0600", "proposed", "cloud", "shop"},
		80: {"1160bc9cefbf0600", "proposed", "cloudform", "shop"}, 200: {"1160bc9cefbf0600", "cloudformation-rollback-failed",
			"override-buildspec", "2  shop"}} {
		t.Setenv("COLUMNS", "")
		var b bytes.Buffer
		printHistory(&folding{Writer: &b, width: width}, cases, "")
		for l := range strings.Lines(b.String()) {
			if n := utf8.RuneCountInString(l) - 1; n > width {
				t.Errorf("%d: %d columns: %s", width, n, l)
			}
		}
		for _, w := range want {
			if !strings.Contains(b.String(), w) {
				t.Errorf("%d: no %q:\n%s", width, w, b.String())
			}
		}
		var costs bytes.Buffer
		printCosts(&folding{Writer: &costs, width: width}, decide.Costs{
			Causes: []decide.CauseCost{{Cause: "cloudformation-rollback-failed", Builds: 12}},
			Total:  decide.CauseCost{Builds: 12}})
		printFlaky(&folding{Writer: &costs, width: width}, []decide.FlakyTest{{Project: "shop-with-a-long-name", Suite: "S", Name: "a"}})
		if !strings.Contains(costs.String(), "total") {
			t.Error(costs.String())
		}
	}
}

// TestFolded ensures that a line is broken between words only, below its table's last column or its
// comment's sign, and that what is to be copied is not.
func TestFolded(t *testing.T) {
	for _, row := range []struct {
		line string
		want string
	}{
		{"short", "short\n"},
		{"one two three four five six seven", "one two three four five\n  six seven\n"},
		{"    one two three four five six", "    one two three four\n      five six\n"},
		{"a  bbbb  one two three four five", "a  bbbb  one two three\n         four five\n"},
		{"  # one two three four five six", "  # one two three four\n  #   five six\n"},
		{"\x1b[31mone two\x1b[0m three four fives six", "\x1b[31mone two\x1b[0m three four fives\n  six\n"},
		{"aws codebuild list-projects --no-paginate", "aws codebuild list-projects --no-paginate\n"},
		{"  \x1b[32m  because: \"Builds call s3:PutObject.\"\x1b[0m", "  \x1b[32m  because: \"Builds call s3:PutObject.\"\x1b[0m\n"},
		{"  actions: [s3:PutObject, s3:GetObject]", "  actions: [s3:PutObject, s3:GetObject]\n"},
		{"x arn:aws:s3:::a-name-that-is-longer-than-a-line y", "x\n  arn:aws:s3:::a-name-that-is-longer-than-a-line\n  y\n"},
		{"", "\n"},
	} {
		if got := folded(row.line, 24); got != row.want {
			t.Errorf("%q: %q, want %q", row.line, got, row.want)
		}
	}
	var b bytes.Buffer
	f := &folding{Writer: &b, width: 24}
	for _, part := range []string{"Do this? Type yes, and then wait: ", "yes it is what was typed\n", "one two three four five six\n",
		"\rprogress that is live"} {
		f.Write([]byte(part))
	}
	if want := "Do this? Type yes, and then wait: yes it is what was typed\none two three four five\n  six\n" +
		"\rprogress that is live"; b.String() != want {
		t.Errorf("%q", b.String())
	}
}

// TestAtTerminal ensures that diagnose says that it waits, that colours and progress are for a
// terminal alone, and that NO_COLOR and COLUMNS count.
func TestAtTerminal(t *testing.T) {
	code, screen := onTerminal(t, 80, "npm ERR! code E404\n\x04", "diagnose")
	if code != exitOK || !strings.Contains(screen, "Waiting for a build log: paste it, then end it with Ctrl-D") ||
		!strings.Contains(screen, "\x1b[1") {
		t.Errorf("code %d\n%q", code, screen)
	}
	if _, screen = onTerminal(t, 80, "npm ERR! code E404\n\x04", "diagnose", "-json"); !strings.Contains(screen,
		"Waiting for a build log") {
		t.Errorf("%q", screen)
	}
	if _, _, errs := buildmedic(t, "npm ERR! code E404\n", "diagnose"); strings.Contains(errs, "Waiting") {
		t.Errorf("it waits where nobody types: %s", errs)
	}
	t.Setenv("NO_COLOR", "1")
	if _, screen = onTerminal(t, 80, "", "demo", "tracker-api"); strings.Contains(screen, "\x1b[") {
		t.Errorf("colours in spite of NO_COLOR: %q", screen[:200])
	}
	t.Setenv("COLUMNS", "60")
	code, out, _ := buildmedic(t, "", "explain", "not-on-allowlist")
	for l := range strings.Lines(out) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(l, "\n")); n > 60 && len(strings.Fields(l)) > 1 {
			t.Errorf("code %d, %d columns with COLUMNS=60: %s", code, n, l)
		}
	}
	for _, row := range []struct {
		args []string
		want bool
	}{{[]string{"scan"}, false}, {[]string{"scan", "-json"}, true}, {[]string{"scan", "--yaml"}, true},
		{[]string{"policy", "-role", "r"}, true},
		{[]string{"policy", "-h"}, false}, {[]string{"diagnose", "-jsonl=true"}, true}, {nil, false}} {
		if got := data(row.args); got != row.want {
			t.Errorf("%q is data: %v", row.args, got)
		}
	}
}

// TestSandboxHandsOnTheTerminal ensures that the sandbox's command has the terminal itself, and not a
// pipe: else a shell in it has no prompt, and tables do not fit.
func TestSandboxHandsOnTheTerminal(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	code, screen := onTerminal(t, 72, "\x04", "sandbox", "--", "sh", "-c",
		`for fd in 0 1 2; do test -t $fd && echo "terminal $fd"; done; stty size`)
	if want := "\nterminal 0\nterminal 1\nterminal 2\n50 72\n"; code != exitOK || !strings.Contains(screen, want) {
		t.Errorf("code %d, it lacks %q:\n%s", code, want, screen)
	}
}

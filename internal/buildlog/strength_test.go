package buildlog

import (
	"strings"
	"testing"
)

func TestStrength(t *testing.T) {
	for strength, lines := range map[int][]string{
		Sure: failingLines,
		Perhaps: {
			"the thing could not be found", "owner bob is not a member of the team", "login timed out, trying again",
			"2 problems, 1 of them unexpected", "request was rejected by the server",
			`Connect timeout on endpoint URL: "https://sts.eu-west-1.amazonaws.com/"`, "upstream request timeout",
		},
		Consequence: {
			"make: *** [Makefile:3: check] Error 1", "make[1]: *** [all] Error 2", "npm ERR! code ELIFECYCLE",
			"npm error code 1",
			"npm ERR! A complete log of this run can be found in:", "error Command failed with exit code 1.",
			"Tests: 0 failed, 9 passed",
			"0 errors, 3 warnings", "ninja: build stopped: subcommand failed.", "exit status 1",
			"[INFO] BUILD FAILURE", "[Help 1] http://x",
		},
		NoError: {
			"", "   ", "ok 12 - reports an error", "PASS src/error.test.ts", "  ✓ rejects an invalid cart (2 ms)",
			"Downloaded 12 files",
			"tests/test_errors.py::test_failed PASSED                   [ 41%]", "test errors::fatal ... ok",
			"compiled package number seven", "the timeout of a step is 5 minutes", "Set report auto-discover timeout to 5 seconds",
		},
	} {
		for _, l := range lines {
			text := strings.TrimSpace(clean([]byte(l)))
			want := strength
			if strings.HasPrefix(text, "Traceback") { // the error stands below it
				want = Consequence
			}
			if got := strengthOf(text, ownText(text)); got != want {
				t.Errorf("%q: %d, want %d", text, got, want)
			}
		}
	}
}

// The hints leave out no line that the expressions would match.
func TestHints(t *testing.T) {
	n := 0
	for _, s := range readShapes(t) {
		for line := range strings.Lines(s.text) {
			text := strings.TrimSpace(clean([]byte(line)))
			if hinted(strings.ToLower(text)) {
				continue
			}
			n++
			if consequence.MatchString(text) || sureWords.MatchString(text) || perhapsWords.MatchString(text) {
				t.Errorf("no hint in %q", text)
			}
		}
	}
	if n == 0 {
		t.Error("every line has a hint")
	}
}

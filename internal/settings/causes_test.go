package settings

import (
	"fmt"
	"strings"
	"testing"

	"github.com/buildmedic/buildmedic/internal/diagnose"
)

const ownCause = `version: 1
causes:
  - name: test-pool-empty
    title: No environment is free in the pool {pool}
    advice: Wait, then start it again.
    remedy: retry
    last: 40
    match:
      - says: [no environment, is free]
        like: "pool (?P<pool>[a-z]+):"
        not: dry
        pick: first
        exit: 3
        command: e2e
        phase: BUILD
      - {says: "pool has nothing", like: "(?P<pool>[a-z]+) pool", also: [e2e], remedy: report}
    samples:
      - |
        %command ./ci/e2e.sh
        %exit 3
        %phase BUILD
          % Total    % Received
        pool blue: no environment of 4 is free
      - "e2e: blue pool has nothing"
    unlike:
      - "pool blue: no environment of 4 is free"
`

func TestOwnCauses(t *testing.T) {
	s := mustParse(t, ownCause)
	c := s.Causes[0]
	if c.Name != "test-pool-empty" || c.Remedy != diagnose.Retry || c.Line != 3 || len(s.Own()) != 1 ||
		s.SampleCount() != 3 {
		t.Errorf("%+v", c)
	}
	if got := c.Samples[0]; got.Command != "./ci/e2e.sh" || got.Exit != "3" || got.Phase != "BUILD" || got.Line != 18 ||
		got.Text != "  % Total    % Received\npool blue: no environment of 4 is free\n" {
		t.Errorf("%+v", got)
	}
	if problems := RunTests(s, Account{}, ""); len(problems) > 0 {
		t.Errorf("its samples: %v", problems)
	}
	d := diagnose.Diagnose(c.Samples[1].failure(), s.Own()...)
	if d.Cause != c.Name || d.Remedy != diagnose.Report {
		t.Errorf("the rule that reports: %+v", d)
	}
}

// TestSamplesFail: a sample that is diagnosed as something else is a failed test, with its line.
func TestSamplesFail(t *testing.T) {
	for _, tt := range []struct{ what, old, new, want string }{
		{"no rule holds", "%exit 3", "%exit 4", "18: causes[0].samples[0]: failed: it is diagnosed as command-failed, by "},
		{"the exit status is another", "%exit 3", "%exit 4",
			`rule 1 does not hold: its exit is "3", and that of the command 4`},
		{"the exit status is not known", "%exit 3", "", "not known; give the sample a line such as %exit 3"},
		{"the command is another", "%command ./ci/e2e.sh", "%command make",
			`its command is "e2e", and the failed one is make`},
		{"the phase is another", "%phase BUILD", "%phase INSTALL", `its phase is "BUILD", and the failed one is INSTALL`},
		{"no line has the words", "of 4 is free", "of 4 is idle",
			`rule 1 does not hold: no line has "no environment" and "is free"`},
		{"a line has what it must not", "Received\n        pool", "Received\n        dry pool", "has a text of not"},
		{"the pattern does not match", "Received\n        pool blue", "Received\n        pool Blue",
			`rule 1 does not hold: like does not match "pool Blue: no environment of 4 is free"; it minds upper`},
		{"what else it asks for is missing", `"e2e: blue`, `"blue`, `the output does not have "e2e", which also asks for`},
		{"a compiler says more", "% Total    % Received", "main.c:3:5: error: expected ';' before 'return'",
			"18: causes[0].samples[0]: failed: it is diagnosed as compile-error, by "},
		{"AWS denied something at the end", "is free\n      - ",
			"is free\n        botocore.exceptions.ClientError: An error occurred (AccessDenied) when calling the PutObject operation: " +
				"Access Denied\n      - ",
			"what AWS denies goes before any cause of your own"},
		{"unlike it is alike", `unlike:`, "unlike:\n      - \"e2e: red pool has nothing\"",
			`26: causes[0].unlike[0]: failed: it is diagnosed as test-pool-empty, by "e2e: red pool has nothing"`},
		{"a group found nothing", `"(?P<pool>[a-z]+) pool"`, `"(?P<pool>[a-z]+)? pool|pool"`, ""},
		{"a group that the sample does not fill", `"(?P<pool>[a-z]+) pool"`, `"(?P<pool>zz)?pool"`,
			"24: causes[0].samples[1]: failed: a placeholder is left in"},
	} {
		text := strings.Replace(ownCause, tt.old, tt.new, 1)
		if text == ownCause {
			t.Fatalf("%s: nothing to replace", tt.what)
		}
		var got []string
		for _, p := range RunTests(mustParse(t, text), Account{}, "") {
			got = append(got, p.Error())
		}
		if all := strings.Join(got, "\n"); !strings.Contains(all, tt.want) || (all == "") != (tt.want == "") {
			t.Errorf("%s: %s", tt.what, all)
		}
	}
}

// TestOwnCausesAreBounded: in number, and in what all their patterns may cost.
func TestOwnCausesAreBounded(t *testing.T) {
	cause := func(i int, like string) string {
		return fmt.Sprintf("  - {name: own-%d, title: T, advice: A., match: [{says: 'pool %d is empty', like: '%s'}], "+
			"samples: ['pool %d is empty']}\n", i, i, like, i)
	}
	text := "version: 1\ncauses:\n"
	for i := range 30 {
		text += cause(i, `pool \d+`)
	}
	if s := mustParse(t, text); len(s.Causes) != 30 {
		t.Errorf("%d causes", len(s.Causes))
	}
	if _, err := Parse([]byte(text + cause(30, `pool \d+`))); err == nil ||
		!strings.Contains(err.Error(), "33: causes[30]: there are more than 30") {
		t.Errorf("31 causes: %v", err)
	}
	text = "version: 1\ncauses:\n"
	for i := range 12 {
		text += cause(i, `pool \d{90}`)
	}
	if _, err := Parse([]byte(text)); err == nil || strings.Count(err.Error(), "more than 1000") != 1 {
		t.Errorf("large patterns: %v", err)
	}
}

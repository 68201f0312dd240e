package testrun

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/buildmedic/buildmedic/internal/codebuild"
)

// A reading is a report without the lines of its tests, to compare with.
type named struct {
	Runner      string
	First, Last int
	Failed      []string // SUITE | NAME | MESSAGE | AT
}

func readNamed(text string) []named {
	var list []named
	for _, r := range Read(linesOf(text)) {
		n := named{Runner: r.Runner, First: r.First, Last: r.Last}
		for _, t := range r.Failed {
			n.Failed = append(n.Failed, caseText(t))
		}
		list = append(list, n)
	}
	return list
}

func caseText(t codebuild.TestCase) string {
	return strings.Join([]string{t.Suite, t.Name, t.Message, t.At}, " | ")
}

func TestTAP(t *testing.T) {
	for _, c := range []struct {
		what, text string
		want       []named
	}{
		{"a passing stream, with names that look like failures and with waived points", `1..4
ok 1 not ok 3 is a name
ok 2 - fails gracefully
not ok 3 - rounds up # TODO later
not ok 4 needs a database # SKIP none here
`, nil},
		{"a word in a sentence is no point", "this is not ok\nnot okay\nnot ok by me\n", nil},
		{"comments of Perl say why", `ok 1 - empty cart
not ok 2 - bulk \# discount
#   Failed test 'bulk # discount'
#   at t/cart.t line 3.
#          got: '170'
#     expected: '165'
1..2
# Looks like you failed 1 test of 2.
`, []named{{"prove", 1, 8, []string{"t/cart.t | bulk # discount | got: '170', expected: '165' | t/cart.t:3"}}}},
		{"a subtest is named with its parent, which is its suite", `TAP version 14
# Subtest: cart
    # Subtest: totals
    not ok 1 - totals
      ---
      location: '/src/cart.test.js:7:3'
      failureType: 'testCodeFailure'
      error: |-
        Expected values to be equal
      ...
    1..1
not ok 1 - cart
  ---
  failureType: 'subtestsFailed'
  error: '1 subtest failed'
  ...
1..1
# fail 1
`, []named{{"TAP", 1, 18, []string{"cart | totals | Expected values to be equal | /src/cart.test.js:7"}}}},
		{"a quoted text of several lines, as Vitest prints it", `TAP version 13
1..2
not ok 1 - is async # time=0.65ms
    ---
    error:
        name: "Error"
        message: "boom
the second

and the last"
    at: "/src/cart.test.js:3:84"
    ...
not ok 2 - says "no"
    ---
    message: "no" is wrong
    ...
`, []named{{"TAP", 1, 16, []string{" | is async | boom | /src/cart.test.js:3", ` | says "no" | "no" is wrong | `}}}},
		{"what a test prints does not make it a suite", `1..1
    not ok 1 - printed by the test
not ok 1 - the real one
`, []named{{"TAP", 1, 3, []string{" | printed by the test |  | ", " | the real one |  | "}}}},
		{"a point in what looks like YAML counts", `1..2
not ok 1 - opens a block
  ---
not ok 2 - must not be lost
  ...
`, []named{{"TAP", 1, 5, []string{" | opens a block |  | ", " | must not be lost |  | "}}}},
		{"what a waived test says is not the one's before it", `1..3
not ok 1 - sums
not ok 2 - rounds up # TODO later
#   because it is hard
ok 3 - fine
# all done
`, []named{{"TAP", 1, 6, []string{" | sums |  | "}}}},
		{"two streams are two reports", `TAP version 13
not ok 1 - a
1..1
> shop@1.0.0 test:b
TAP version 13
not ok 1 - b
1..1
`, []named{{"TAP", 1, 3, []string{" | a |  | "}}, {"TAP", 5, 7, []string{" | b |  | "}}}},
		{"a runner that gives up names no test", "1..2\nBail out!  no database\n", []named{{"TAP", 1, 2, nil}}},
		{"nothing announces the first point: the lines above may be the test's",
			"An error occurred (AccessDenied)\nnot ok 1 shows a refusal\n",
			[]named{{"TAP", 1, 2, []string{" | shows a refusal |  | "}}}},
		{"times are no part of a name", `1..1
not ok 1 slow one in 1204ms
# (in test file cart.bats, line 3)
#   ` + "`false' failed" + `
`, []named{{"TAP", 1, 4, []string{"cart.bats | slow one | `false' failed | cart.bats:3"}}}},
		{"expected and actual in YAML, and the assertion's test", `TAP version 13
# gives the discount
not ok 1 fifteen percent
  ---
    operator: equal
    expected: 165
    actual:   170
    at: Test.<anonymous> (/src/cart.js:3:60)
    stack: |-
      Error: fifteen percent
  ...
`, []named{{"TAP", 1, 11, []string{"gives the discount | fifteen percent | expected 165, got 170 | /src/cart.js:3"}}}},
	} {
		if diff := cmp.Diff(c.want, readNamed(c.text)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.what, diff)
		}
	}
}

package testrun

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/google/go-cmp/cmp"

	"github.com/buildmedic/buildmedic/internal/buildlog"
)

// brief is a report in one line for each test: RUNNER FIRST-LAST, and SUITE | NAME | MESSAGE | AT.
func brief(reports []Report) (list []string) {
	for _, r := range reports {
		list = append(list, fmt.Sprintf("%s %d-%d of %d", r.Runner, r.First, r.Last, r.Count))
		for _, t := range r.Failed {
			list = append(list, strings.Join([]string{t.Suite, t.Name, t.Message, t.At}, " | "))
		}
	}
	return list
}

// TestReadJavaScript has forms of reports that no run of testdata/tools has.
func TestReadJavaScript(t *testing.T) {
	for _, c := range []struct {
		what, text string
		want       []string
	}{
		{"jest: a passing test's name and what it prints look like a failure",
			"PASS a.test.js\n  ● Console\n\n    console.log\n      FAIL b.test.js\n\n  ✓ not ok 1 - ● x › y\n" +
				"\nTests:       1 passed, 1 total\n", nil},
		{"jest: a printed report adds a name and hides none",
			"FAIL a.test.js\n  ● Console\n\n    console.log\n  ● x › y\n\n  ● cart › adds\n\n    boom\n\n" +
				"      at f (a.js:3:1)\n\n" +
				"Test Suites: 1 failed, 1 total\nTests:       1 failed, 1 total\n",
			[]string{"jest 1-14 of 1", "a.test.js › x | y |  | ", "a.test.js › cart | adds | boom | a.js:3"}},
		{"jest: two runs in one output",
			"FAIL a.test.js\n  ● adds\n\n    boom\n\nTest Suites: 1 failed, 1 total\nTests: 1 failed, 1 total\n" +
				"FAIL b.test.js\n  ● adds\n\n    bang\n\nTest Suites: 1 failed, 1 total\nTests: 1 failed, 1 total\n",
			[]string{"jest 1-7 of 1", "a.test.js | adds | boom | ", "jest 8-14 of 1", "b.test.js | adds | bang | "}},
		{"jest: what stands above npm's line about the script is another's",
			"denied\n> shop@1.0.0 test\n> jest\n\nprinted\nFAIL a.test.js\n  ● adds\n\n    boom\n\n" +
				"Tests:       1 failed, 1 total\n",
			[]string{"jest 4-11 of 1", "a.test.js | adds | boom | "}},
		{"jest: a reporter that prints errors alone",
			"  ● cart › adds\n\n    boom\n\n      at f (a.js:3:1)\n\n", []string{"jest 1-6 of 0", "cart | adds | boom | a.js:3"}},
		{"jest: another's bullet", "  ● shop.service\n     Loaded: loaded\n\n", nil},
		{"jest: Go's FAIL is not its",
			"FAIL  example.com/shop  0.1s\n  ● adds\n", nil},
		{"vitest: a hook of a group, and an error outside of tests",
			" RUN  v3.2.7 /shop\n\n FAIL  a.test.js > cart [ a.test.js ]\nError: no table\n\n⎯⎯⎯⎯[1/1]⎯\n\n" +
				"⎯⎯⎯⎯⎯⎯ Unhandled Errors ⎯⎯⎯⎯⎯⎯\nError: late\n\n Test Files  1 failed (1)\n" +
				"      Tests  no tests\n     Errors  1 error\n",
			[]string{"vitest 1-13 of 0", "a.test.js | cart | Error: no table | "}},
		{"mocha: ten tests and more stand further in, and titles may end in a colon",
			"  2 failing\n\n  1) cart:\n       adds:\n     Error: a\n      at f (a.js:1:1)\n\n  2) sums:\n" +
				"     Error: b\n\n\nUPLOAD denied\n",
			[]string{"mocha 1-9 of 2", "cart: | adds | Error: a | a.js:1", " | sums | Error: b | "}},
		{"ava: a message behind the title",
			"  ✘ [fail]: cart › adds up to 3 sums differ\n  ─\n\n  cart › adds up to 3\n\n  a.js:3\n\n" +
				"   3: t.is(1, 3)\n\n  sums differ\n\n" +
				"  Difference (- actual, + expected):\n\n  - 1\n  + 3\n\n  › a.js:3:1\n\n  ─\n\n  1 test failed\n",
			[]string{"ava 1-21 of 1", "cart | adds up to 3 | sums differ | a.js:3"}},
		{"ava: version 3 marks no failure but by a cross",
			"  ✖ cart › adds Error thrown in test\n  ✔ sums (5ms)\n  ✖ 2 tests remaining in test/cart.js\n  ─\n\n" +
				"  cart › adds\n\n  Error thrown in test:\n\n  Error {\n    message: 'boom',\n  }\n\n" +
				"  › file://test/cart.js:3:1\n\n  ─\n\n  1 test failed\n",
			[]string{"ava 1-18 of 1", "cart | adds | Error thrown in test | test/cart.js:3"}},
		{"mocha: a title of several lines",
			"  1 failing\n\n  1) cart\n       adds\nmuch:\n     Error: boom\n",
			[]string{"mocha 1-6 of 1", "cart | adds much | Error: boom | "}},
		{"jest: a test that ends the process",
			"  ●  process.exit called with \"3\"\n\n    > 1 | test('exits')\n\n      at Object.exit (a.test.js:1:31)\n",
			[]string{"jest 1-5 of 0", ` | a.test.js | process.exit called with "3" | a.test.js:1`}},
		{"a title with the separator in it", " FAIL  a.js > cart > is > 7\nError: boom\n⎯⎯⎯[1/1]⎯\n",
			[]string{"vitest 1-3 of 0", "a.js › cart | is > 7 | Error: boom | "}},
		{"node: what is to be done may fail",
			"✖ later (1.5ms) # TODO\n✖ now (1.5ms)\n  Error: boom\nℹ tests 2\nℹ fail 1\n",
			[]string{"node --test 1-5 of 1", " | now | Error: boom | "}},
		{"cucumber-js: places alone", "printed\nfeatures/a.feature:7:11\n",
			[]string{"cucumber-js 1-2 of 0", " | features/a.feature:7 |  | features/a.feature:7",
				" | features/a.feature:11 |  | features/a.feature:11"}},
		{"tap-nyan: the test and the assertion in two lines",
			"  Failed Tests: There was 1 failure\n\n    ✗ # cart\n: adds\n",
			[]string{"TAP formatter 1-3 of 1", "cart | adds |  | "}},
		{"playwright: one that passes when it is tried again has not failed",
			"Running 2 tests using 1 worker\n\n  1) a.spec.ts:3:1 › pays ───\n\n    Error: late\n\n" +
				"  2) a.spec.ts:9:1 › cart › adds ───\n\n" +
				"    Error: boom\n\n  1 failed\n    a.spec.ts:9:1 › cart › adds ───\n  1 flaky\n" +
				"    a.spec.ts:3:1 › pays ───\n  5 passed (2.0s)\n",
			[]string{"playwright 1-15 of 1", "a.spec.ts › cart | adds | Error: boom | a.spec.ts:9"}},
		{"bun: with colours it marks tests otherwise",
			"bun test v1.1.0 (abc)\n\na.test.ts:\nerror: boom\n      at f (/src/shop/a.ts:3:1)\n" +
				"✗ cart > adds [0.10ms]\n✓ cart > sums\n\n 1 pass\n 1 fail\n" +
				"Ran 2 tests across 1 files. [5.00ms]\n",
			[]string{"bun test 1-11 of 1", "a.test.ts › cart | adds | boom | /src/shop/a.ts:3"}},
		{"bun: a bundler's cross is none of its", "✗ Build failed in 157ms\nerror: boom\n", nil},
		{"a linter's cross is no test's", "/src/a.js\n  1:1  error  x\n\n✖ 3 problems (3 errors, 0 warnings)\n\n  1 failed\n", nil},
		{"deno: a file that could not be loaded",
			" ERRORS \n\n./a_test.ts (uncaught error)\nerror: boom\n\n FAILURES \n\n" +
				"./a_test.ts (uncaught error)\n\nFAILED | 0 passed | 1 failed (5ms)\n",
			[]string{"deno test 1-10 of 1", " | a_test.ts | boom | "}},
		{"node: a group fails with its tests, and one of the same name is a test",
			"▶ cart\n  ✖ cart (1.5ms)\n    Error: boom\n        at f (file:///src/a.js:3:1)\n✖ cart (2.1ms)\n" +
				"ℹ tests 1\nℹ fail 1\n",
			[]string{"node --test 1-7 of 1", "cart | cart | Error: boom | /src/a.js:3"}},
		{"cucumber-js: the last try counts",
			"Failures:\n\n1) Scenario: pays (attempt 1, retried) # a.feature:3\n   ✖ When x # s.js:1\n" +
				"       Error: a\n\n" +
				"2) Scenario: pays (attempt 2) # a.feature:3\n   ✖ When x # s.js:1\n       Error: b\n\n" +
				"1 scenario (1 failed)\n1 step (1 failed)\n",
			[]string{"cucumber-js 1-12 of 1", "a.feature | pays | Error: b | a.feature:3"}},
		{"JUnit XML: entities, and an error in place of a failure",
			"<testsuites>\n<testsuite name=\"cart\">\n" +
				"<testcase name=\"a &lt; b\"><error message=\"no &quot;x&quot;\"/></testcase>\n" +
				"<testcase name=\"c\"/>\n</testsuite>\n</testsuites>\n",
			[]string{"JUnit XML 1-6 of 0", `cart | a < b | no "x" | `}},
		{"JSON: cut in the middle",
			`{"numFailedTests":2,"testResults":[{"assertionResults":[{"ancestorTitles":["cart"],"status":"failed","title":"adds",` +
				`"failureMessages":["Error: boom\n    at a.js:3:1"]},{"ancestorTitles":["ca` + "\n",
			[]string{"JSON 1-1 of 2", "cart | adds | Error: boom | a.js:3"}},
		{"JSON: one that is cut before it names any",
			`{"numFailedTests":2,"testResults":[{"assertionRes` + "\n", []string{"JSON 1-1 of 2"}},
		{"JSON: a piece from the middle of a line", `"}],"status":"failed","title":"adds"},{"ancestorTitles":["cart"],"fu` + "\n",
			[]string{"JSON 1-1 of 0", " | adds |  | "}},
		{"JSON: a piece of a run that passed", `"}],"status":"passed","title":"adds"},{"ancestorTitles":["cart"],"fu` + "\n", nil},
		{"JSON: a piece that holds a test's source only", `m\n \u001b[90m  6 |\u001b[39m   it(\u001b[32m'adds'` + "\n",
			[]string{"JSON 1-1 of 0"}},
		{"TeamCity: bars escape", "##teamcity[testSuiteStarted name='cart']\n" +
			"##teamcity[testFailed name='it|'s |[x|]' message='a|nb' details='']\n",
			[]string{"TeamCity messages 1-2 of 0", "cart | it's [x] | a | "}},
		{"GitHub's annotation of a compiler names no test",
			"::error file=a.ts,line=3,title=TS2304::Cannot find name › x\n", nil},
		{"two processes at once",
			"[a]   1 failing\n[b]   1 failing\n[a]   1) adds:\n[b]   1) sums:\n[a]      Error: a\n" +
				"[b]      Error: b\n",
			[]string{"mocha 1-5 of 1", " | adds | Error: a | ", "mocha 2-6 of 1", " | sums | Error: b | "}},
	} {
		if diff := cmp.Diff(c.want, brief(Read(linesOf(c.text)))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.what, diff)
		}
	}
}

// realOutputs are those of all real runs.
func realOutputs(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob("../../testdata/tools/*/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no real runs: %v", err)
	}
	var list []string
	for _, f := range files {
		a, err := txtar.ParseFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range a.Files {
			if s.Name == "output" {
				list = append(list, string(s.Data))
			}
		}
	}
	return list
}

// held says what of the reports is not as it must be, whatever the lines are; "" if nothing.
func held(lines []buildlog.Line, reports []Report) string {
	known := map[int]bool{}
	for _, l := range lines {
		known[l.N] = true
	}
	for _, r := range reports {
		switch {
		case r.Runner == "":
			return "a report without a runner"
		case r.First > r.Last || r.First < lines[0].N || r.Last > lines[len(lines)-1].N: // some lines between may be lost
			return fmt.Sprintf("%s from %d to %d, which are no lines in order", r.Runner, r.First, r.Last)
		case r.Count < 0:
			return fmt.Sprintf("%s counts %d", r.Runner, r.Count)
		}
		for _, c := range r.Failed {
			if c.Name == "" || max(len(c.Name), len(c.Suite),
				len(c.At)) > maxName+len("…") || len(c.Message) > maxMessage+len("…") ||
				!known[c.Line] || strings.ContainsAny(c.Suite+c.Name+c.Message+c.At, "\n\r") {
				return fmt.Sprintf("%s has the test %+v", r.Runner, c)
			}
		}
	}
	return ""
}

// TestReadAnything reads what is left of real outputs when lines are lost, moved, repeated or cut:
// the bounds hold for all of it.
func TestReadAnything(t *testing.T) {
	outputs := realOutputs(t)
	random := rand.New(rand.NewPCG(1, 2))
	for range 400 {
		text := outputs[random.IntN(len(outputs))] + outputs[random.IntN(len(outputs))]
		lines := linesOf(text)
		for range random.IntN(4) {
			at := random.IntN(len(lines))
			switch random.IntN(4) {
			case 0:
				lines = slices.Delete(lines, at, min(len(lines), at+1+random.IntN(20)))
			case 1:
				lines[at].Text = lines[at].Text[:random.IntN(len(lines[at].Text)+1)]
			case 2:
				lines[at].Text = lines[random.IntN(len(lines))].Text
			case 3:
				lines = lines[:at+1]
			}
			if len(lines) == 0 {
				lines = linesOf("x")
			}
		}
		if wrong := held(lines, Read(lines)); wrong != "" {
			t.Fatalf("%s, of:\n%s", wrong, text)
		}
	}
}

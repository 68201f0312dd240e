package testrun

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"
)

// outputs are what real runners print.
func outputs(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob("../../testdata/tools/*/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no outputs: %v", err)
	}
	var list []string
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range txtar.Parse(data).Files {
			if x.Name == "output" {
				list = append(list, string(x.Data))
			}
		}
	}
	return list
}

// checkReports holds what every list of reports must be.
func checkReports(t testing.TB, text string) {
	t.Helper()
	lines := linesOf(text)
	end := 0
	for _, r := range Read(lines) {
		if r.Runner == "" || r.First < 1 || r.Last > len(lines) || r.First > r.Last {
			t.Fatalf("%s has lines %d to %d of %d", r.Runner, r.First, r.Last, len(lines))
		}
		end = max(end, r.Last)
		for _, c := range r.Failed {
			if c.Name == "" || c.Line < 1 || c.Line > len(lines) {
				t.Fatalf("%s names %+v", r.Runner, c)
			}
			for _, s := range []string{c.Suite, c.Name, c.Message, c.At} {
				if strings.Contains(s, "\n") || len(s) > maxMessage+len("…") {
					t.Fatalf("%s says %q", r.Runner, s)
				}
			}
		}
	}
}

// FuzzRead: any text gives reports within its lines, with bounded names.
func FuzzRead(f *testing.F) {
	for _, text := range outputs(f) {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) { checkReports(t, text) })
}

// TestReadParts cuts real outputs where a log may be cut, and joins two of them.
func TestReadParts(t *testing.T) {
	all := outputs(t)
	for i, text := range all {
		lines := strings.SplitAfter(text, "\n")
		checkReports(t, strings.Join(lines[len(lines)/3:], ""))
		checkReports(t, strings.Join(lines[:len(lines)*2/3], ""))
		checkReports(t, text+all[(i+1)%len(all)])
	}
}

// TestReadLinear: a text of many equal parts costs no more than its length.
func TestReadLinear(t *testing.T) {
	for _, part := range []string{
		"not ok 1 - a\n", "TAP version 13\nnot ok 1 - a\n", "    not ok 1 - a\n", "FAILED a.py::t[0] - b\n",
		"=== test session starts ===\n= FAILURES =\n___ a ___\nE  x\n", "= FAILURES =\n", "___ a ___\n",
		"======================================================================\nFAIL: a (b.C)\n",
		"  1) Failure:\nA#b [c:1]:\n", "Failures:\n  1) a\n", "{\"version\":\"3\",\"examples\":[\n\n",
		"#   Failed test 'a'\n#   at a.t line 1.\n", "    #   Failed test 'a'\n    #   at a.t line 1.\n",
		"x (Wstat: 256 Tests: 1 Failed: 1)\n",
		"There was 1 failure:\n\n1) A::b\nTests: 1, Assertions: 1\n", " ✘ a\n", "| FAIL |\n", "a (\n",
		"cucumber a.feature:1 # Scenario: a\n",
		"FAIL a.test.js\n  ● a\nTests: 1 failed\n", "  ● a\n", " FAIL  a.js > b\n", "  1 failing\n",
		"  1 failing\n  1) a\n", " Exception during run: x\n",
		"  ✘ [fail]: a b c d e f\n", "  ─\n  a b\n", "  1) a.spec.ts:1:1 › a ─\n",
		"Running 1 test using 1 worker\n  1 failed\n", "(fail) a\n", "error: x\n",
		" ERRORS \na => ./a.ts:1:1\n", "FAILED | 1 failed\n", "▶ a\n", "✖ a\n✖ failing tests:\n",
		"Failures:\n", "Failures:\n1) a\n",
		"1) Scenario: a # a.feature:1\n", "   FAIL  \"a\"\n",
		"<testsuite name=\"a\"><testcase name=\"b\"><failure>\n", "<testsuite\n", "{\n", "[\n", "{\"stats\"\n",
		"##teamcity[testSuiteStarted name='a']\n", "::error title=a › b::c\n", "    ✖ a\n", "---\n", "> a b\n" +
			"> c\n", "$ a\n", "#1 1.0 [a] b: c | d\n",
	} {
		text := "= FAILURES =\nFailures:\nFailing Scenarios:\n" + strings.Repeat(part, 50_000/len(part))
		start := time.Now()
		Read(linesOf(text))
		if d := time.Since(start); d > time.Minute { // a square of the length would take hours
			t.Errorf("%d bytes of %q took %v", len(text), part, d)
		}
	}
}

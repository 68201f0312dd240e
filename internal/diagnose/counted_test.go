package diagnose

import (
	"strings"
	"testing"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/testrun"
)

// TestCounted: it is certain that no other tests failed only if whoever ran them says how many did.
func TestCounted(t *testing.T) {
	named := func(n int) []codebuild.TestCase { return make([]codebuild.TestCase, n) }
	run := func(count int, failed int) testrun.Report {
		return testrun.Report{First: 1, Last: 9, Count: count, Failed: named(failed)}
	}
	for _, row := range []struct {
		what    string
		tests   int // that CodeBuild's reports name
		nolog   bool
		reports []testrun.Report
		says    string // lines of the report
		counted bool
	}{
		{"the runner counts what it names", 0, false, []testrun.Report{run(2, 2)}, "", true},
		{"the runner counts more than it names", 0, false, []testrun.Report{run(3, 2)}, "", false},
		{"one of two runners does not count", 0, false, []testrun.Report{run(2, 2), run(0, 1)}, "", false},
		{"the runner does not count", 0, false, []testrun.Report{run(0, 2)}, "FAIL shop 0.01s", false},
		{"no runner is known", 0, false, nil, "2 failed", false},
		{"its last line counts what it names", 0, false, []testrun.Report{run(0, 2)},
			"==== 1 failed, 1 error, 3 passed in 0.1s ====", true},
		{"its last line counts more", 0, false, []testrun.Report{run(0, 2)}, "3 examples, 3 failures", false},
		{"failures and errors are told apart", 0, false, []testrun.Report{run(0, 3)}, "FAILED (failures=2, errors=1)", true},
		{"none of them is an error", 0, false, []testrun.Report{run(0, 1)},
			"Tests run: 3, Failures: 1, Errors: 0, Skipped: 0", true},
		{"suites are counted as well", 0, false, []testrun.Report{run(0, 2)},
			"Test Suites: 1 failed, 2 total\nTests:       2 failed, 9 total", true},
		{"assertions are counted beside", 0, false, []testrun.Report{run(0, 2)},
			"5 runs, 9 assertions, 1 failures, 1 errors, 0 skips", true},
		{"failed assertions are counted as well", 0, false, []testrun.Report{run(0, 2)},
			"test cases: 3 | 1 passed | 2 failed\nassertions: 9 | 5 passed | 4 failed", true},
		{"each class is counted before all of them", 0, false, []testrun.Report{run(0, 2)},
			"Tests run: 1, Failures: 1\nTests run: 2, Failures: 1\nTests run: 3, Failures: 2, Errors: 0", true},
		{"a test printed a larger count", 0, false, []testrun.Report{run(0, 1)}, "7 failed\n1 failing", false},
		{"a report names all, and a runner no more", 2, false, []testrun.Report{run(0, 1)}, "", true},
		{"a runner knows of more than the report", 1, false, []testrun.Report{run(2, 2)}, "", false},
		{"a report names all, and there is no log", 2, true, nil, "", true},
		{"a report names tests, and the log no runner", 2, false, nil, "", false},
	} {
		f := buildlog.Failure{Tests: named(row.tests), NoLog: row.nolog}
		for i, l := range strings.Split(row.says, "\n") {
			f.Tail = append(f.Tail, buildlog.Line{N: i + 2, Text: l})
		}
		x := &facts{Failure: &f, reports: row.reports}
		n := row.tests
		for _, r := range row.reports {
			if row.tests == 0 {
				n += len(r.Failed)
			}
		}
		if got := x.counted(n); got != row.counted {
			t.Errorf("%s: counted is %t", row.what, got)
		}
	}
}

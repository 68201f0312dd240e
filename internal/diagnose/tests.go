package diagnose

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/lazyregexp"
	"github.com/buildmedic/buildmedic/internal/testrun"
)

// testFailure is the cause of failed tests.
const testFailure = "test-failure"

// MaxTests is how many failed tests a diagnosis names.
const MaxTests = 200

// maxTestBytes bounds what the failed tests of a diagnosis say beyond their names.
const maxTestBytes = 32 << 10

// testsFailed reports whether a report says that tests failed.
func (x *facts) testsFailed() bool { return len(x.Tests) > 0 || len(x.reports) > 0 }

// tested reports whether the line with index i stands in a test runner's report: what is in it is
// the tests' own text.
func (x *facts) tested(i int) bool {
	n := x.lines[i].N
	return slices.ContainsFunc(x.reports, func(r testrun.Report) bool { return r.First <= n && n <= r.Last })
}

// everyTestSays reports whether it is certain that the failed tests are those that are named, and each
// says what the rule looks for: by its message, or by what that was caused by. Then no test speaks of
// itself, but of what all of them run on.
func (x *facts) everyTestSays(r *rule) bool {
	n := 0
	for _, report := range x.reports {
		for k, t := range report.Failed {
			end := report.Last
			if k+1 < len(report.Failed) {
				end = report.Failed[k+1].Line - 1
			}
			if !r.onLine(lower(t.Message), t.Message, &finding{}) && !x.causedBy(r, t.Line, end) {
				return false
			}
			n++
		}
	}
	return x.counted(n)
}

// causedBy reports whether an exception that another one was caused by, in one of the lines with these
// numbers, says what the rule looks for.
func (x *facts) causedBy(r *rule, first, last int) bool {
	for _, i := range x.holding(r.says[0], 0, true) {
		n := x.lines[i].N
		if first <= n && n <= last && strings.HasPrefix(strings.TrimSpace(x.bare[i]), "Caused by: ") &&
			r.onLine(x.rows.low(i), x.bare[i], &finding{}) {
			return true
		}
	}
	return false
}

// testCommand matches a command that does nothing but run tests. Those that also fetch or build
// what they test, such as go test, are not among them: they meet refusals of their own.
var testCommand = lazyregexp.New(`^\s*(?:cd [^\s;&|]+ *&& *)?(?:[A-Za-z_]\w*=\S* +)*` +
	`(?:(?:npx|bunx|p?npm exec|yarn(?: run)?|bundle exec|(?:poetry|uv|pipenv|pdm|rye|hatch) run|python3? -m|xvfb-run|time|php|nyc|c8|` +
	`coverage run(?: -m)?) +(?:-\S+ +)*)*(?:[\w.@/-]*/)?` +
	`(?:pytest|py\.test|nose2|stestr|trial|green|ward|behave|robot|pabot|unittest|mocha|jest|vitest|ava|tape|tap|jasmine|qunit|uvu|` +
	`cucumber(?:-js)?|playwright test|cypress run|rspec|minitest|phpunit|pest|codecept|behat|phpspec|bats|prove|busted|shellspec|` +
	`testthat|ctest)(?:\s[^;&|\n]*)?$`)

// testEvidence is the line that names the first failed test, else the first one's name.
func (x *facts) testEvidence() Evidence {
	for _, r := range x.reports {
		for _, t := range r.Failed {
			if i := x.line(t.Line); i >= 0 {
				return Evidence{t.Line, x.lines[i].Text, buildlog.FromLog}
			}
		}
	}
	if len(x.Tests) > 0 {
		text := x.Tests[0].FullName()
		if m := x.Tests[0].Message; m != "" {
			text += ": " + m
		}
		return Evidence{Text: clip(text, maxLineBytes), Origin: buildlog.FromReport}
	}
	return Evidence{}
}

// failedTests returns the tests that failed, and how many more there are.
func (x *facts) failedTests() (list []codebuild.TestCase, more int) {
	all, more := x.reportedTests(), x.MoreTests
	if len(all) == 0 {
		more = 0
		for _, r := range x.reports {
			all = append(all, r.Failed...)
			more += max(0, r.Count-len(r.Failed))
		}
		more = max(more, x.MoreTests-len(all)) // a report counts them, and could not be read further
	}
	size := 0
	for _, t := range all {
		for _, s := range []*string{&t.Suite, &t.Name, &t.Message, &t.At} {
			*s = printable(codebuild.Cut(*s, 400))
		}
		if len(list) == MaxTests {
			more++
			continue
		}
		if size += len(t.Message) + len(t.At); size > maxTestBytes {
			t.Message, t.At = "", ""
		}
		list = append(list, t)
	}
	return list, more
}

// reportedTests returns the failed cases of CodeBuild's own reports, completed by what the output
// says of tests of the same name.
func (x *facts) reportedTests() []codebuild.TestCase {
	if len(x.Tests) == 0 {
		return nil
	}
	const several = -1
	var printed []codebuild.TestCase
	by := map[string]int{} // by each form of the name: the index in printed
	for _, r := range x.reports {
		for _, t := range r.Failed {
			for _, form := range namesOf(t) {
				if i, ok := by[form]; ok && i != len(printed) {
					by[form] = several
				} else {
					by[form] = len(printed)
				}
			}
			printed = append(printed, t)
		}
	}
	list := make([]codebuild.TestCase, len(x.Tests))
	for i, t := range x.Tests {
		for _, form := range namesOf(t) {
			if k, ok := by[form]; ok && k != several && alike(printed[k].Suite, t.Suite, form == t.Name) {
				p := printed[k]
				if p.Message != "" && !strings.Contains(t.Message, " ") { // "Failed", "AssertionError"
					t.Message = p.Message
				}
				t.At, t.Line = cmp.Or(t.At, p.At), p.Line
				break
			}
		}
		list[i] = t
	}
	return list
}

// alike reports whether two suites may be one. Where the tests have only their own names in common,
// one suite must be a part of the other, as a class is of its full name.
func alike(a, b string, onlyName bool) bool {
	return !onlyName || strings.Contains(a, b) || strings.Contains(b, a)
}

// namesOf lists the forms in which runners and reports name a test, the most certain first. What
// one of them takes for the suite, another has in the name.
func namesOf(t codebuild.TestCase) []string {
	if t.Suite == "" {
		return []string{t.Name}
	}
	var list []string
	for _, between := range []string{".", "::", "#", " › ", " > ", " "} {
		list = append(list, t.Suite+between+t.Name)
	}
	return append(list, t.Name)
}

// countTests says how many tests failed, in place of a title that cannot.
func countTests(n int) string {
	if n == 1 {
		return "1 test failed"
	}
	return fmt.Sprintf("%d tests failed", n)
}

// aboutTests says where the failed tests are named, so that the advice sends nobody to look for
// names that are not there.
func aboutTests(list []codebuild.TestCase, more int) string {
	const shown = 15 // in a mail and by the command
	switch {
	case len(list) == 0:
		return "The output does not name the failing tests in a way that is known: the excerpt shows its end."
	case more > 0 || len(list) > shown:
		return "Only some of the failing tests are named above."
	}
	return "The failing tests are named above."
}

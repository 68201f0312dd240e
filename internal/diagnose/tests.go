package diagnose

import (
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/testrun"
)

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
		return Evidence{Text: strings.TrimSpace(x.Tests[0].Suite + " " + x.Tests[0].Name), Origin: buildlog.FromReport}
	}
	return Evidence{}
}

// failedTests returns the tests that failed, and how many more there are.
func (x *facts) failedTests() (list []codebuild.TestCase, more int) {
	all := x.Tests
	if len(all) == 0 {
		for _, r := range x.reports {
			all = append(all, r.Failed...)
			more += max(0, r.Count-len(r.Failed))
		}
	}
	size := 0
	for _, t := range all {
		for _, s := range []*string{&t.Suite, &t.Name, &t.Message, &t.At} {
			*s = printable(clip(*s, 400))
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

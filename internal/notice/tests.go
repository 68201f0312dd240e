package notice

import (
	"fmt"
	"time"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/decide"
)

// Test is a test that failed in the build.
type Test struct {
	Suite   string `json:"suite,omitempty"`
	Name    string `json:"name"`
	Message string `json:"message,omitempty"` // the line that says why
	At      string `json:"at,omitempty"`      // where, as FILE:LINE
	Line    int    `json:"line,omitempty"`    // of the log, where it is named; 0 if only a test report names it
	// FailedBefore is in how many earlier builds of its branch it is known to have failed since
	// that was green; nil if that is not known. If there are any, Since is when the first failed,
	// and SinceBuild which it was.
	FailedBefore *int      `json:"failed_before,omitempty"`
	Since        time.Time `json:"since,omitzero"`
	SinceBuild   string    `json:"since_build,omitempty"`
	Memory
}

// How many failed tests a mail and a card name; the rest is in the notice for programs.
const (
	mailTests = 15
	cardTests = 10
)

func testsOf(r decide.Round) (list []Test) {
	for _, t := range r.Diagnosis.Tests {
		n := Test{Suite: quote(t.Suite, maxName), Name: quote(t.Name, maxName), Message: quote(t.Message, maxLine),
			At: quote(t.At, maxName), Line: t.Line}
		if h, ok := r.History(t); ok {
			if !h.Unclear {
				n.FailedBefore, n.Since, n.SinceBuild = &h.Times, utc(h.Since), id(h.Build)
			}
			n.Memory = memoryOf(h)
		}
		list = append(list, n)
	}
	return list
}

// failedTests is how many tests failed.
func (f *Failure) failedTests() int { return len(f.Tests) + f.MoreTests }

// name is the test's name with its suite.
func (t Test) name() string { return codebuild.TestCase{Suite: t.Suite, Name: t.Name}.FullName() }

// words says what failed, why and where, and since when.
func (t Test) words() string {
	s := t.name()
	if t.Message != "" {
		s += " — " + t.Message
	}
	if t.At != "" {
		s += " (" + t.At + ")"
	}
	if h := t.history(); h != "" {
		s += " · " + h
	}
	return s + t.flaky(t.FailedBefore != nil)
}

// history says how often the test is known to have failed before.
func (t Test) history() string {
	if t.FailedBefore == nil {
		return ""
	}
	since := ""
	if !t.Since.IsZero() {
		since = ", since " + stamp(t.Since)
	}
	switch n := *t.FailedBefore; {
	case n == 0 && t.FailedEver > 0:
		return "new since the last green build, failed " + times(t.FailedEver) + " before that or on other branches"
	case n == 0:
		return "new: not known to have failed before"
	default:
		return "failed " + times(n) + " before" + since
	}
}

// tests names the failed tests.
func (m *report) tests(f *Failure) {
	if f.failedTests() == 0 || len(f.Tests) == 0 {
		return
	}
	m.head(fmt.Sprintf("Failed tests (%s)", thousands(f.failedTests())))
	for _, t := range f.Tests[:min(len(f.Tests), mailTests)] {
		m.hang("  * ", t.words())
	}
	if more := f.failedTests() - mailTests; more > 0 {
		m.hang("  ", "and "+thousands(more)+" more")
	}
	m.end()
}

// cardOfTests is the part of a card that names the failed tests; "" without any.
func cardOfTests(f *Failure) string {
	if len(f.Tests) == 0 {
		return ""
	}
	const most = 140 // bytes of a test's name and of its message, so that the rest of the card has room
	var lines []string
	for _, t := range f.Tests[:min(len(f.Tests), cardTests)] {
		t.Suite, t.Name, t.Message, t.At = fit(t.Suite, most), fit(t.Name, most), fit(t.Message, most), fit(t.At, most)
		lines = append(lines, t.words())
	}
	if more := f.failedTests() - len(lines); more > 0 {
		lines = append(lines, "and "+thousands(more)+" more")
	}
	return fmt.Sprintf("*Failed tests* (%s)\n", thousands(f.failedTests())) + bullets(lines)
}

// cutTests leaves of the failed tests those that a mail names.
func cutTests(n *Notice) {
	if n.Failure == nil || len(n.Failure.Tests) <= mailTests {
		return
	}
	f := *n.Failure
	n.Cut = append(n.Cut, fmt.Sprintf("%d of %d failed tests", f.failedTests()-mailTests, f.failedTests()))
	f.MoreTests, f.Tests = f.failedTests()-mailTests, f.Tests[:mailTests]
	n.Failure = &f
}

package testrun

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
)

func init() { strict = true }

// A reader that fails takes nothing else with it.
func TestReaderFails(t *testing.T) {
	strict = false
	defer func() { strict = true }()
	r := runner{"x", []string{"x"}, func(out *output) []Report { return []Report{{First: out.n[7]}} }}
	if got := r.reports(&output{}); got != nil {
		t.Errorf("%+v", got)
	}
}

// linesOf numbers the lines of a text from 1.
func linesOf(text string) []buildlog.Line {
	var list []buildlog.Line
	for i, l := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		list = append(list, buildlog.Line{N: i + 1, Text: l})
	}
	return list
}

// TestGap: behind missing lines stands the rest of another test's failure.
func TestGap(t *testing.T) {
	lines := linesOf(`===== test session starts =====
collected 3 items

test_cart.py FFF [100%]

===== FAILURES =====
_____ test_adds _____
test_cart.py:3: in test_adds
    assert 1 == 2
E   assert 1 == 2
_____ test_tax _____
test_cart.py:6: in test_tax
    assert 3 == 4
E   assert 3 == 4
===== short test summary info =====
FAILED test_cart.py::test_adds - assert 1 == 2
FAILED test_cart.py::test_tax - assert 3 == 4
===== 2 failed in 0.03s =====`)
	got := Read(append(lines[:7:7], lines[12:]...))
	want := []string{"test_cart.py | test_adds | assert 1 == 2 | ", "test_cart.py | test_tax | assert 3 == 4 | "}
	if len(got) != 1 || len(got[0].Failed) != 2 || caseText(got[0].Failed[0]) != want[0] ||
		caseText(got[0].Failed[1]) != want[1] {
		t.Errorf("%+v", got)
	}
}

// The real outputs of runners are in testdata/tools and are read by the tests of toolbox. Here are
// forms that no pinned run has.
func TestRead(t *testing.T) {
	for _, c := range []struct {
		what, text string
		want       []Report
	}{
		{"pytest names only the file, and counts more than one", `===== test session starts =====
collected 3 items

test_cart.py .FE [100%]

===== 1 failed, 1 passed, 1 error in 0.08s =====`, []Report{{Runner: "pytest", First: 1, Last: 6, Count: 2,
			Failed: []codebuild.TestCase{{Name: "test_cart.py", Line: 4}}}}},
		{"RSpec 3.12 puts a message of one line right below the code", `Failures:

  1) Cart is expected to be zero
     Failure/Error: it { expect(3).to be_zero }
       expected 3.zero? to be truthy, got false
     # ./cart_spec.rb:4:in 'block (2 levels) in <top (required)>'

Finished in 0.02 seconds (files took 0.2 seconds to load)
1 example, 1 failure
`, []Report{{Runner: "RSpec", First: 1, Last: 9, Count: 1, Failed: []codebuild.TestCase{{
			Name: "Cart is expected to be zero", Message: "expected 3.zero? to be truthy, got false", At: "cart_spec.rb:4", Line: 3}}}}},
		{"a passing run has no report", "ok  \texample.com/shop\t0.1s\n", nil},
	} {
		if diff := cmp.Diff(c.want, Read(linesOf(c.text))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.what, diff)
		}
	}
}

package testrun

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/buildmedic/buildmedic/internal/buildlog"
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

// The real outputs of runners are in testdata/tools and are read by the tests of toolbox. Here are
// forms that no pinned run has.
func TestRead(t *testing.T) {
	for _, c := range []struct {
		what, text string
		want       []Report
	}{
		{"a passing run has no report", "ok  \texample.com/shop\t0.1s\n", nil},
	} {
		if diff := cmp.Diff(c.want, Read(linesOf(c.text))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.what, diff)
		}
	}
}

package diagnose

import (
	"testing"

	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

// TestLines ensures that asking lines is no other than trying each expression on each line.
func TestLines(t *testing.T) {
	list := []string{"", "error: it FAILED", "3 tests failed", "Error\u017f, mo\u017ft of all", "1 te\u017ft failed",
		"ok", "Warning: \u212aept"}
	for _, s := range samples(t) {
		for _, l := range s.failure.Tail {
			list = append(list, l.Text)
		}
	}
	exprs := []*lazyregexp.Regexp{calm, counts, recap, errorField, stops, frameLine, strongError, headError, summary, refused, notAWS,
		missing, sideMatter, assumed, notAssumed, again, success, unsuccessful, work, sameRun, indented, reportLine, failedChecks, finds,
		mildFinding, lacksToken}
	for _, signs := range [][]sign{speakers, survivals} {
		for i := range signs {
			for _, re := range []*lazyregexp.Regexp{signs[i].row, signs[i].raw, signs[i].above, signs[i].below, signs[i].near,
				signs[i].ends} {
				if re != nil {
					exprs = append(exprs, re)
				}
			}
		}
	}
	// Beside the odd letters of the first lines nothing is ruled out, so these are asked alone,
	// too.
	for _, part := range [][]string{list[:7], list[7:]} {
		l := newLines(part)
		yes := 0
		for _, re := range exprs {
			for i, line := range part {
				want := re.MatchString(line)
				if got := l.match(re, i); got != want {
					t.Fatalf("%s: %q: %v, want %v", re.Get(), line, got, want)
				}
				if want {
					yes++
				}
			}
		}
		if yes < len(part) {
			t.Errorf("only %d matches in %d lines", yes, len(part))
		}
	}
}

// TestLinesHolding: the lines that hold a text, from one on.
func TestLinesHolding(t *testing.T) {
	l := newLines([]string{"", "One and one", "", "none", "two", "ONE"})
	for _, tt := range []struct {
		lo   int
		want string
	}{{0, "135"}, {1, "135"}, {2, "35"}, {4, "5"}, {6, ""}} {
		got := ""
		l.holding("one", tt.lo, func(i int) { got += string(rune('0' + i)) })
		if got != tt.want {
			t.Errorf("from %d: %s, want %s", tt.lo, got, tt.want)
		}
	}
}

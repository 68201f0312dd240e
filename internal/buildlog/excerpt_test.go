package buildlog

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/google/go-cmp/cmp"
)

// numbered returns n lines "PREFIX 1", …
func numbered(prefix string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%s %d\n", prefix, i+1)
	}
	return b.String()
}

func TestExcerpt(t *testing.T) {
	const start, end = agentStamp + "Running command make\n",
		agentStamp + "Command did not exit successfully make exit status 2\n" + agentStamp + "Phase complete: BUILD State: FAILED\n"
	for _, c := range []struct {
		name, before, output string
		holds                []string // lines that must be shown
		hides                []string
	}{
		{"short: all of it", numbered("earlier", 100), "one\ntwo\n",
			[]string{start, "one", "two", "Command did not exit successfully make exit status 2"}, []string{"earlier 100"}},
		{"the denial in the middle", numbered("earlier", 100), numbered("a", 300) + "denied: " + denial("ecr:PutImage",
			"*") + "\n" + numbered("b", 300),
			[]string{start, "a 1", "a 300", "denied: User", "b 1", "b 300"}, []string{"earlier", "a 150", "b 150"}},
		{"the denial far from the end", "", numbered("a", 300) + "denied: " + denial("ecr:PutImage", "*") + "\n" + numbered("b", 60000),
			[]string{start, "a 299", "a 300", "denied: User", "b 1", "b 60000"}, []string{"a 150", "b 30000"}},
		{"a compiler's error", "", numbered("compiling", 100) +
			"src/cart.ts(3,22): error TS2307: Cannot find module 'x'.\n" + numbered("info", 100),
			[]string{"compiling 100", "error TS2307", "info 1"}, []string{"info 50"}},
		{"a failed test before many lines that say error", "",
			numbered("ok", 100) + "--- FAIL: TestCart (0.01s)\n    cart_test.go:9: got 2, want 3\n" +
				numbered("exit with an error, no", 100),
			[]string{"--- FAIL: TestCart", "got 2, want 3"}, nil},
		{"words that say it less surely", "", numbered("ok", 100) + "the thing could not be found\n" +
			numbered("bye", 100), []string{"the thing could not be found"}, nil},
		{"nothing that looks like an error: the end", "", numbered("ok", 100),
			[]string{start, "ok 1", "ok 100", "ok 90"}, []string{"ok 50"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := ReadText(codebuild.Build{}, c.before+start+c.output+end)
			if len(f.Excerpt) > maxExcerpt {
				t.Errorf("%d lines", len(f.Excerpt))
			}
			var b strings.Builder
			for _, l := range f.Excerpt {
				b.WriteString(l.Text + "\n")
			}
			for _, s := range c.holds {
				if !strings.Contains(b.String(), s) {
					t.Errorf("no line with %q in\n%s", s, b.String())
				}
			}
			for _, s := range c.hides {
				if strings.Contains(b.String(), s) {
					t.Errorf("a line with %q in\n%s", s, b.String())
				}
			}
			if !slices.IsSortedFunc(f.Excerpt, func(a, b Line) int { return a.N - b.N }) ||
				!slices.IsSortedFunc(f.Tail, func(a, b Line) int { return a.N - b.N }) {
				t.Error("lines are out of order")
			}
		})
	}
}

// Every kept line has its number in the log.
func TestLineNumbers(t *testing.T) {
	log := numbered("early", 5000) + agentStamp + "Running command make\n" + numbered("out", 20000) + "denied: " +
		denial("ecr:PutImage", "*") + "\n" + numbered("rest", 20000) +
		agentStamp + "Command did not exit successfully make exit status 2\n" + agentStamp +
		"Phase complete: BUILD State: FAILED\n" + numbered("late", 3000)
	lines := strings.Split(log, "\n")
	f := ReadText(codebuild.Build{}, log)
	if len(f.Tail) < 1000 {
		t.Errorf("%d lines kept", len(f.Tail))
	}
	for _, l := range append(f.Tail, f.Excerpt...) {
		if want := lines[l.N-1]; l.Text != want {
			t.Fatalf("line %d is %q, want %q", l.N, l.Text, want)
		}
	}
	if d := f.Denials[0]; !strings.HasPrefix(lines[d.Line-1], "denied: ") {
		t.Errorf("denial's line %d", d.Line)
	}
}

func TestClean(t *testing.T) {
	for _, c := range []struct{ raw, want string }{
		{"plain", "plain"},
		{"ends with CRLF\r\n", "ends with CRLF"},
		{"\x1b[31;1mred\x1b[0m and \x1b]8;;https://example.com\x07link\x1b]8;;\x07", "red and link"},
		{"10 %\r50 %\r100 %", "100 %"},
		{"a\tb\x00\x08c\x7f", "a  bc"},
		{"bad \xff byte", "bad \ufffd byte"},
		{"cut \x1b[31", "cut"},
		{"trailing   ", "trailing"},
		{"", ""},
	} {
		if got := clean([]byte(c.raw)); got != c.want {
			t.Errorf("clean(%q) = %q, want %q", c.raw, got, c.want)
		}
	}
}

func TestClip(t *testing.T) {
	if diff := cmp.Diff([]string{"ab", "", "é", ""}, []string{clip("abc", 2), clip("é", 1), clip("éé", 3), clip("", 5)}); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

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

// boxed is a denial as Terraform prints it.
func boxed(action, what string) string {
	var b strings.Builder
	line := "╷\n│"
	for _, word := range strings.Fields("Error: making " + what + ": operation error, https response error StatusCode: 403, RequestID: " +
		"11111111-aaaa-4bbb-8ccc-222222222222, api error AccessDenied: " + strings.ReplaceAll(denial(action, "*"), "-", "- ")) {
		if len(line)+len(word) > 76 {
			b.WriteString(line + "\n")
			line = "│"
		}
		line += " " + word
	}
	return b.String() + line + "\n│ \n│   with aws_thing." + what + ",\n│   on main.tf line 12, in resource \"aws_thing\" \"" + what +
		"\":\n│ \n╵\n"
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
		{"the denial far from the end", "", numbered("a", 300) + "denied: " + denial("ecr:PutImage", "*") + "\n" +
			numbered("b", 60000),
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
		{"two denials in boxes, before much else", "", numbered("ok", 100) + boxed("ecr:CreateRepository", "one") +
			boxed("sqs:CreateQueue", "two") + numbered("db", 300),
			[]string{"Error: making one", "│ ecr:CreateRepository action", "Error: making two", "allows the sqs:CreateQueue", "│ action",
				"db 300"}, nil},
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
		{"[-----] 0/812\x1b[2K\x1b[1G\x1b[31merror\x1b[39m no such package", "error no such package"},
		{"error: no such package\x1b[1G", "error: no such package"},
		{"fetching\x1b[Gerror: no such package\x1b[0G\x1b[?25h\x1b[1G \n", "error: no such package"},
		{"\x1b[2K\x1b[0Gdone\r\n", "done"},
		{"\x1b[12Gat a column", "at a column"},
		{"a\tb\x00\x08c\x7f", "a  bc"},
		{"bad \xff byte", "bad \ufffd byte"},
		{"cut \x1b[31", "cut"},
		{"\x1b[97mUser: arn:aws:sts::111122223333:assumed-role/codebuild-shop/AWSCod\x1b[0m  \x1b[0m\x1b[97meBuild-b1 is not",
			"User: arn:aws:sts::111122223333:assumed-role/codebuild-shop/AWSCodeBuild-b1 is not"},
		{"\x1b[97mshop-web\x1b[0m  \x1b[0m\x1b[97mrunning", "shop-web  running"}, // cells of a table
		{"trailing   ", "trailing"},
		{"", ""},
	} {
		if got := clean([]byte(c.raw)); got != c.want {
			t.Errorf("clean(%q) = %q, want %q", c.raw, got, c.want)
		}
	}
}

func TestClip(t *testing.T) {
	if diff := cmp.Diff([]string{"ab", "", "é", ""}, []string{clip("abc", 2), clip("é", 1), clip("éé", 3), clip("",
		5)}); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// failingLines are lines in which tools say what failed, each once in very much other output.
var failingLines = []string{
	"not ok 7312 - rounds half a cent up",
	"    not ok 3 - nested: adds up",
	"FAIL src/cart/total.test.ts",
	"FAIL\tgithub.com/example/shop/cart\t0.41s",
	"    --- FAIL: TestCart/rounds_up (0.00s)",
	"\x1b[0m\x1b[7m\x1b[1m\x1b[31m FAIL \x1b[39m\x1b[22m\x1b[27m\x1b[0m src/a.test.ts",
	"FAILED tests/test_cart.py::test_rounds - assert 10.13 == 10.12",
	"tests/test_cart.py::test_rounds FAILED                   [ 41%]",
	"> Task :cart:compileJava FAILED",
	"[FAIL] s3-bucket-encrypted: bucket media has no encryption",
	"rule s3-encrypted | media | FAIL | no encryption",
	"\tFAILED for resource: aws_s3_bucket.media",
	"✗ s3-encrypted: bucket media has no encryption",
	"  ✖ owner bob is not a member of the team",
	"❌ owner bob is not a member of the team",
	"  ✘  12 [chromium] › cart.spec.ts:9 › adds up (2.1s)",
	"Error: cannot read the list of owners",
	"error: linking with `cc` failed: exit status: 1",
	"src/cart.ts(3,22): error TS2307: Cannot find module 'x'.",
	"[ERROR] Failed to execute goal on project shop",
	"ERROR: owner bob is not a member",
	"2026-01-05T10:11:12.1Z ERROR owner bob is not a member",
	"java.lang.IllegalStateException: owner bob is not a member",
	"Exception in thread \"main\" java.lang.NoClassDefFoundError: x",
	"Traceback (most recent call last):",
	"panic: runtime error: index out of range [3] with length 3",
	"cat: owners.txt: No such file or directory",
	"./run.sh: line 3: ./owners: Permission denied",
	"write /tmp/x: no space left on device",
	"dial tcp 10.0.0.1:5432: i/o timed out",
	"npm ERR! code E401",
}

// A line that says what failed is in the excerpt, in a log of any length, wherever it stands in it
// and whatever the cause is.
func TestExcerptHoldsTheFailingLine(t *testing.T) {
	const start, end = agentStamp + "Running command ./check.sh\n",
		agentStamp + "Command did not exit successfully ./check.sh exit status 1\n" + agentStamp +
			"Phase complete: BUILD State: FAILED\n"
	rest, errors, others := numbered("ok", 8000), numbered("Error: check", 50), numbered("Warning: error: check", 9000)
	for _, line := range failingLines {
		for name, output := range map[string]string{
			"in the middle of 16,000 lines":    rest + line + "\n" + rest,
			"at the beginning of 16,000 lines": line + "\n" + rest + rest,
			"before 50 lines that report errors": numbered("ok", 5000) + line + "\n" + numbered("ok", 2000) + errors +
				numbered("ok", 30),
			"after 50 lines that report errors":     errors + rest + line + "\n" + rest,
			"after very many lines of another kind": others + line + "\n" + others,
		} {
			f := ReadText(codebuild.Build{}, start+output+end)
			want := clean([]byte(line))
			if !slices.ContainsFunc(f.Excerpt, func(l Line) bool { return l.Text == want }) {
				t.Errorf("%q %s: not in the excerpt", want, name)
			}
			if !slices.ContainsFunc(f.Tail, func(l Line) bool { return l.Text == want }) {
				t.Errorf("%q %s: not among the lines that causes are matched against", want, name)
			}
			if n, size := len(f.Tail), sizeOf(f.Tail); n > maxTailLines || size > maxTailBytes || len(f.Excerpt) > maxExcerpt {
				t.Fatalf("%q %s: %d lines of %d bytes, excerpt of %d", want, name, n, size, len(f.Excerpt))
			}
		}
	}
}

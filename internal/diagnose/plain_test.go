package diagnose

import (
	"encoding/json"
	"fmt"
	"html"
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
)

// eachLine returns a form that changes each line that is not empty.
func eachLine(change func(n int, line string) string) func(string) string {
	return func(text string) string {
		lines := strings.Split(text, "\n")
		for i, l := range lines {
			if strings.TrimSpace(l) != "" {
				lines[i] = change(i, l)
			}
		}
		return strings.Join(lines, "\n")
	}
}

// inFrontOfEach returns a form that puts a text in front of each line.
func inFrontOfEach(text string) func(string) string {
	return eachLine(func(_ int, l string) string { return text + l })
}

// wrappedAt returns a form that wraps lines between words, as Terraform, Rich and terminals do.
func wrappedAt(width int, indent string) func(string) string {
	return eachLine(func(_ int, l string) string {
		if utf8.RuneCountInString(l) <= width {
			return l
		}
		var b strings.Builder
		n := 0
		for i, w := range strings.Fields(l) {
			switch size := utf8.RuneCountInString(w); {
			case i == 0:
				n = size
			case n+1+size > width:
				b.WriteString("\n" + indent)
				n = len(indent) + size
			default:
				b.WriteByte(' ')
				n += 1 + size
			}
			b.WriteString(w)
		}
		return b.String()
	})
}

func asJSON(text string) string {
	b, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// messageForms are what loggers, tools and people do to a message.
var messageForms = map[string]func(string) string{
	"a time in brackets":     inFrontOfEach("[2026-11-20 10:01:14] "),
	"a level in brackets":    inFrontOfEach("[ERROR] "),
	"a logger's time, name":  inFrontOfEach("2026-11-20 10:01:14,123 - shop.deploy - ERROR - "),
	"a runner's time, sign":  inFrontOfEach("2026-11-20T10:01:14.123456Z 01O "),
	"a job, a step, a time":  inFrontOfEach("build\tRun tests\t2026-11-20T10:01:14.1234567Z "),
	"indented":               inFrontOfEach("        "),
	"a package's name":       inFrontOfEach("@shop/web: "),
	"the word Error":         inFrontOfEach("Error: "),
	"in a list":              inFrontOfEach("- "),
	"in a numbered list":     eachLine(func(n int, l string) string { return fmt.Sprintf("%d. %s", n+1, l) }),
	"in a comment":           inFrontOfEach("// "),
	"in a table":             eachLine(func(_ int, l string) string { return "| " + l + " |" }),
	"as code":                eachLine(func(_ int, l string) string { return "`" + l + "`" }),
	"a string of JSON":       asJSON,
	"a record of JSON":       func(s string) string { return `{"level":"error","msg":` + asJSON(s) + `,"pid":7}` },
	"HTML":                   html.EscapeString,
	"wrapped":                wrappedAt(78, ""),
	"wrapped, with a margin": wrappedAt(80, "    "),
	"an editor's quotes": func(s string) string {
		return strings.NewReplacer(` "`, " “", `"`, "”", " '", " ‘", "'", "’").Replace(s)
	},
	"a web page's spaces": func(s string) string { return strings.ReplaceAll(s, " ", "\u00a0") },
}

// written are the forms in which a build's log shows what somebody wrote: nothing failed of that.
var written = []string{"in a list", "in a numbered list", "in a comment"}

// TestMessageForms puts each sample into a form, once alone and once in the log of a build. It keeps
// its cause but for few, most of which have a form of their own, such as a linter's table. What is
// started again is no other than before.
func TestMessageForms(t *testing.T) {
	names := slices.Sorted(maps.Keys(messageForms))
	tried, lost := map[string]int{}, map[string][]string{}
	for n, s := range samples(t) {
		f := s.failure
		if len(f.Denials) > 0 || f.NoLog || f.Phase != "" || f.Context.Code != "" || f.Build.Environment != "" {
			continue
		}
		var lines []string
		for _, l := range f.Tail {
			lines = append(lines, l.Text)
		}
		text := strings.Join(lines, "\n")
		form := names[n%len(names)]
		for where, read := range map[string]func(string) buildlog.Failure{
			"alone": func(text string) buildlog.Failure { return buildlog.ReadText(codebuild.Build{}, text) },
			"in a log": func(text string) buildlog.Failure {
				f := buildlog.ReadText(s.failure.Build, text)
				f.Command, f.Exit = "./ci/build.sh", "1"
				return f
			},
		} {
			if where != "alone" && slices.Contains(written, form) {
				continue
			}
			before, after := Diagnose(read(text)), Diagnose(read(messageForms[form](text)))
			if before.Cause != s.cause {
				continue // it needs its command
			}
			if (after.Remedy == Grant || after.Remedy == Retry) && after.Remedy != before.Remedy {
				t.Errorf("%s, %s, %s: remedy %s, was %s", s.name, form, where, after.Remedy, before.Remedy)
			}
			if tried[where]++; after.Cause != s.cause {
				lost[where] = append(lost[where], fmt.Sprintf("%s, %s: %s", s.name, form, after.Cause))
			}
		}
	}
	for where, n := range tried {
		t.Logf("%s: %d of %d change their cause", where, len(lost[where]), n)
		if n < 1000 || 100*len(lost[where]) > 5*n {
			t.Errorf("%s: %d of %d change their cause, want at most 5 %%:\n%s", where, len(lost[where]), n, strings.Join(lost[where], "\n"))
		}
	}
}

// TestReread: a message is read once more without what is around it, and what is found so is only
// reported.
func TestReread(t *testing.T) {
	const missing = "cat: rates.csv: No such file or directory"
	for _, c := range []struct{ what, text, cause string }{
		{"nothing around it", missing, "file-not-found"},
		{"a time and a level", "[10:01:14] [error] " + missing, "file-not-found"},
		{"a name", "deploy: " + missing, "file-not-found"},
		{"quoted by a document", "The log reads:\n    - " + missing, "command-failed"},
		{"survived", "deploy: warning: " + missing + ", going on without it", "command-failed"},
		{"wrapped", "deploy failed for the till of the shop in the street: Secrets Manager can't find the\nspecified secret",
			"secret-not-found"},
		{"an error of a logger's", `{"level":50,"msg":"` + missing + `","pid":7}`, "file-not-found"},
		{"no error of a logger's", `{"level":"info","msg":"` + missing + `","pid":7}`, "command-failed"},
		{"a warning of a logger's", `{"level":40,"msg":"` + missing + `","pid":7}`, "command-failed"},
		{"two lines", "Secrets Manager can't find the\nspecified secret, and now to something else, which is longer than the first",
			"command-failed"},
	} {
		f := buildlog.ReadText(codebuild.Build{ID: "shop:1", Status: codebuild.Failed}, c.text)
		f.Command, f.Exit = "./ci/build.sh", "1"
		if d := Diagnose(f); d.Cause != c.cause {
			t.Errorf("%s: %s (%s) by %q, want %s", c.what, d.Cause, d.Remedy, d.Evidence.Text, c.cause)
		}
	}
}

// TestUndressed: the message alone is left.
func TestUndressed(t *testing.T) {
	for printed, want := range map[string]string{
		"  - [2026-11-20T10:01:14Z] [ERROR]: no coins": "no coins",
		"12. **no coins**": "no coins",
		"| no coins |":     "no coins",
		"2026-11-20 10:01:14,123 - shop - ERROR - no coins":         "no coins",
		"10:01:14.123 [main] ERROR com.shop.Till - no coins":        "no coins",
		"\u00a0“no\u00a0coins”":                                     `"no coins"`,
		"&lt;till&gt; has no &quot;coins&quot;":                     `<till> has no "coins"`,
		`{"msg":"no coins\nin the till","level":"error"}`:           "no coins\nin the till",
		`"Error: no coins\n  at till.js:3"`:                         "Error: no coins\nat till.js:3",
		`stderr was "no \"coins\"\nin the till"`:                    "stderr was \"no \"coins\"\nin the till\"",
		"--- FAIL: TestCart (0.00s)":                                "FAIL: TestCart (0.00s)",
		"ERROR no coins":                                            "ERROR no coins",
		"https://shop.example/a: no coins":                          "https://shop.example/a: no coins",
		"2 errors and 3 warnings":                                   "2 errors and 3 warnings",
		"npm error code E404":                                       "npm error code E404",
		"The command was: ERROR":                                    "The command was: ERROR",
		"An ERROR: in four words it says: there is no coin in here": "in four words it says: there is no coin in here",
	} {
		var got []string
		lines, _ := undressed([]buildlog.Line{{N: 1, Text: printed}})
		for _, l := range lines {
			got = append(got, l.Text)
		}
		if text := strings.Join(got, "\n"); text != want {
			t.Errorf("%q: %q, want %q", printed, text, want)
		}
	}
}

// TestUnwrapped: lines are joined where the next word had no room.
func TestUnwrapped(t *testing.T) {
	const long = "the certificate of the host was signed by an authority that"
	for _, c := range []struct{ what, text, glue, want string }{
		{"between words", long + "\nnobody knows", " ", long + " nobody knows"},
		{"there was room", long + "\nno\none knows it", " ", long + " no\none knows it"},
		{"another paragraph", long + "\n\nnobody knows", " ", long + "\n\nnobody knows"},
		{"short lines", "no coins\nin the till", " ", "no coins\nin the till"},
		{"rows with a time", "10:01:14 " + long + "\n10:01:15 nobody knows", " ", long + "\nnobody knows"},
		{"lines of a comment", "// " + long + "\n// nobody knows", " ", long + " nobody knows"},
		{"within words", long + "\nwas", "", long + "was"},
	} {
		var lines []buildlog.Line
		for i, text := range strings.Split(c.text, "\n") {
			lines = append(lines, buildlog.Line{N: i + 1, Text: text})
		}
		plain, anew := undressed(lines)
		if got := strings.Join(textsOf(unwrapped(plain, anew, c.glue)), "\n"); got != c.want {
			t.Errorf("%s: %q, want %q", c.what, got, c.want)
		}
	}
}

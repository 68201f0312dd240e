package causefile

import (
	"go/parser"
	"strconv"
	"strings"
	"testing"
)

// TestText ensures that a long text is written on lines of bounded width, and
// is the same text when it is read.
func TestText(t *testing.T) {
	for _, s := range []string{
		"", "short", strings.Repeat("some words ", 40), strings.Repeat("x", 500), strings.Repeat(`\"`, 200), strings.Repeat("ü✖ ", 100),
		" " + strings.Repeat("y", 300), "long tail " + strings.Repeat("z", 95),
	} {
		source := text(s)
		if _, err := parser.ParseExpr(source); err != nil {
			t.Errorf("%q is written as %s: %v", s, source, err)
		}
		got := ""
		for line := range strings.Lines(source) {
			if len(line) > maxLine {
				t.Errorf("%q: a line of %d bytes", s, len(line))
			}
			part, err := strconv.Unquote(strings.TrimSuffix(strings.TrimSuffix(line, "\n"), " +"))
			if err != nil {
				t.Fatalf("%q: line %s: %v", s, line, err)
			}
			got += part
		}
		if got != s {
			t.Errorf("%q is read back as %q", s, got)
		}
	}
}

// TestRetryableFollowsFromTheRemedy: causes.yaml says it only beside report.
func TestRetryableFollowsFromTheRemedy(t *testing.T) {
	const file = `
version: 1
causes:
  - name: a-cause
    title: A title
    advice: An advice.
    REMEDY
    match: [{says: one}]
general:
  - {name: another, title: T, advice: A., remedy: report, match: [{any: failure}]}
`
	for remedy, want := range map[string]bool{"remedy: retry": true, "remedy: report": false, "{remedy: report, retryable: true}": true} {
		remedy = strings.NewReplacer("{", "", "}", "", ", ", "\n    ").Replace(remedy)
		got, err := Generate([]byte(strings.Replace(file, "REMEDY", remedy, 1)))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(got), "Retryable: true") != want {
			t.Errorf("%s: want retryable %t:\n%s", remedy, want, got)
		}
	}
}

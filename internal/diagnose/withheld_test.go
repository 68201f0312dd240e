package diagnose

import (
	"slices"
	"strings"
	"testing"
)

// TestWithheld ensures that of no built-in cause anything is left that its patterns take from the
// output, and that what was denied stays in the title.
func TestWithheld(t *testing.T) {
	for _, c := range Causes() {
		words := map[string]string{}
		for _, p := range ownPlaceholder.FindAllString(c.Title+c.Advice, -1) {
			if !slices.Contains(ofDenials, p) {
				words[strings.Trim(p, "{}")] = "QQQ"
			}
		}
		d := Diagnosis{Cause: c.Name, Title: expand(c.Title, words), Advice: expand(c.Advice, words) + " The output says QQQ."}
		w := d.Withheld()
		if strings.Contains(w.Title+w.Advice, "QQQ") || w.Title == "" {
			t.Errorf("%s: %q, %q", c.Name, w.Title, w.Advice)
		}
	}
	d := Diagnosis{Cause: "missing-permission", Title: "The role lacks s3:PutObject", Advice: "x"}
	if got := d.Withheld().Title; !slices.ContainsFunc(Causes(), func(c Cause) bool { return c.Name == d.Cause }) || got != d.Title {
		t.Errorf("a denial's title: %q", got)
	}
}

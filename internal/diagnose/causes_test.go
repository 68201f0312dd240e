package diagnose

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/buildmedic/buildmedic/internal/buildlog"
)

// TestCausesAreComplete walks causes.yaml: every cause has samples, every
// pattern compiles and is proved by a sample, every remedy occurs, and every
// placeholder is one that all rules of the cause can fill.
func TestCausesAreComplete(t *testing.T) {
	count := map[string]int{}
	proved := map[*rule]bool{}
	for _, s := range samples(t) {
		count[s.cause]++
		x := gather(&s.failure)
		_, r, _ := x.find(causes)
		proved[r] = true
	}
	remedies := map[Remedy]int{}
	for i := range causes {
		c := &causes[i]
		remedies[c.Remedy]++
		if testing.Verbose() { // a failure is hard to find among them
			t.Logf("%-30s %-19s %d rules, %d samples", c.Name, c.Remedy, len(c.rules), count[c.Name])
		}
		if count[c.Name] < 2 {
			t.Errorf("cause %s has %d samples in testdata/samples, want at least two", c.Name, count[c.Name])
		}
		if len(c.Title) > 110 || len(c.Advice) > 420 {
			t.Errorf("cause %s: the title has %d bytes, the advice %d; want at most 110 and 420", c.Name, len(c.Title), len(c.Advice))
		}
		for j := range c.rules {
			r := &c.rules[j]
			for _, p := range []*pattern{r.like, r.aws} {
				if p == nil {
					continue
				}
				if _, err := regexp.Compile(p.source); err != nil {
					t.Errorf("cause %s, rule %d: %v", c.Name, j+1, err)
				}
				if !proved[r] {
					t.Errorf("cause %s, rule %d (%s): no sample is diagnosed by it", c.Name, j+1, p.source)
				}
			}
		}
		for _, name := range placeholders(c.Title + c.Advice) {
			for j := range c.rules {
				if !c.rules[j].fills(name) {
					t.Errorf("cause %s, rule %d cannot fill {%s}", c.Name, j+1, name)
				}
			}
		}
	}
	for _, r := range Remedies {
		if r != SwitchRole && remedies[r] == 0 {
			t.Errorf("no cause has the remedy %s", r)
		}
	}
	t.Logf("%d causes, %d samples", len(causes), len(samples(t)))
	if len(causes) < 40 {
		t.Errorf("%d causes, want at least 40", len(causes))
	}
}

func placeholders(text string) []string {
	var list []string
	for _, m := range regexp.MustCompile(`\{([^}]*)\}`).FindAllStringSubmatch(text, -1) {
		list = append(list, m[1])
	}
	return list
}

// fills reports whether the rule gives the placeholder a value whenever it holds.
func (r *rule) fills(name string) bool {
	if slices.Contains([]string{"command", "exit", "unsaid", "tests", "vpc", "fleet", "environment", "compute"}, name) {
		return true
	}
	if slices.Contains([]string{"action", "denied", "principal"}, name) {
		return r.denial != nil
	}
	p := r.like
	if p == nil {
		p = r.aws
	}
	return p != nil && slices.Contains(regexp.MustCompile(p.source).SubexpNames(), name)
}

// TestWordsReachTheirCause returns each rule that looks only for words a line of just these words.
// An earlier cause that takes the line makes the rule, or the order, wrong.
func TestWordsReachTheirCause(t *testing.T) {
	n := 0
	for _, c := range causes {
		for _, r := range c.rules {
			if r.says == nil || r.like != nil || r.denial != nil || r.command != nil || c.Remedy == Ignore {
				continue
			}
			n++
			f := buildlog.Failure{Build: c.when.example()}
			text := strings.Join(r.says, " … ")
			if r.code != nil {
				f.Context.Code, f.Context.Message = r.code[0], text
			} else {
				for i, w := range r.also { // above: what stands behind a failure that passes may be why the command ended
					f.Tail = append(f.Tail, buildlog.Line{N: i + 1, Text: w})
				}
				f.Tail = append(f.Tail, buildlog.Line{N: len(r.also) + 1, Text: text})
			}
			if r.phase != nil {
				f.Phase = r.phase[0]
			}
			if d := Diagnose(f); d.Cause != c.Name {
				t.Errorf("%s: %q is diagnosed as %s", c.Name, text, d.Cause)
			}
		}
	}
	if n < 100 {
		t.Errorf("only %d rules were tried", n)
	}
}

// TestLastCauseAlwaysHolds: find panics without one.
func TestLastCauseAlwaysHolds(t *testing.T) {
	last := causes[len(causes)-1]
	if last.Name != "unknown" || len(last.rules) != 1 || last.rules[0].any != "failure" {
		t.Errorf("the last cause is %s; it must be unknown and always hold", last.Name)
	}
}

func TestGrams(t *testing.T) {
	const text = "the quick brown fox jumps over the lazy dog"
	g := gramsOf(text)
	for i := range len(text) {
		for j := i; j <= len(text); j++ {
			if g.lacks(text[i:j]) {
				t.Errorf("%q is there", text[i:j])
			}
		}
	}
	for _, w := range []string{"quiet", "brown dog", "no space left on device"} {
		if !g.lacks(w) {
			t.Errorf("%q is not there", w)
		}
	}
}

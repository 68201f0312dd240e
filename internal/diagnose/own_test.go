package diagnose

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
)

func poolEmpty() Own {
	return Own{Name: "test-pool-empty", Title: "No environment is free in the pool {pool}", Advice: "Wait, then start {command} again.",
		Remedy: Retry, Match: []OwnRule{{Says: []string{"No environment", "is free"}, Like: `pool (?P<pool>[a-z]+):`}}}
}

func mustOwn(t testing.TB, o Own) Cause {
	t.Helper()
	c, flaws := NewCause(o)
	if len(flaws) > 0 {
		t.Fatalf("%s: %v", o.Name, flaws)
	}
	return c
}

// TestOwnCauses: where a team's cause stands, and what its retry needs.
func TestOwnCauses(t *testing.T) {
	pool := mustOwn(t, poolEmpty())
	const line = "pool blue: no environment of 4 is free\n"
	for _, tt := range []struct {
		what, log, cause string
		remedy           Remedy
	}{
		{"nothing else names it", line, "test-pool-empty", Retry},
		{"said at each try", line + "waiting\n" + line + line, "test-pool-empty", Retry},
		{"an error of its own script follows from it", line + "e2e: error: giving up\n", "test-pool-empty", Retry},
		{"before a word that many tools share", line + "curl: (6) Could not resolve host: pool.example.com\n", "test-pool-empty", Retry},
		{"behind a compiler",
			line + "src/cart.ts(3,1): error TS2322: Type 'string' is not assignable to type 'number'.\n", "compile-error", Report},
		{"behind a denial", line + bareRefusal + "\n", "missing-permission", Grant},
		{"shown by a test", "FAILED t.py::test_wait - AssertionError: pool blue: no environment of 4 is free\n" +
			"=== 1 failed in 0.1s ===\n", "test-failure", Report},
		{"survived: another failure is sure", line + "pool blue: environment 2 taken\nmain.c:3:5: error: expected ';' before 'return'\n",
			"compile-error", Report},
		{"survived: the command says that it goes on",
			"warning: pool blue: no environment of 4 is free, going on without it\nteam: owner is missing in service.yaml\n",
			"command-failed", Report},
		{"shown in a difference", "-pool blue: no environment of 4 is free\n+pool blue: environment 2 is taken\nnot the expected output\n",
			"command-failed", Report},
	} {
		f := buildlog.ReadText(codebuild.Build{Status: codebuild.Failed}, tt.log)
		f.Command, f.Exit = "./ci/e2e.sh", "1"
		d := Diagnose(f, pool)
		if d.Cause != tt.cause || d.Remedy != tt.remedy {
			t.Errorf("%s: %s, %s by %q", tt.what, d.Cause, d.Remedy, d.Evidence.Text)
		}
		if d.Cause == pool.Name && (d.Title != "No environment is free in the pool blue" ||
			d.Advice != "Wait, then start ./ci/e2e.sh again." || !d.Retryable || d.Details["pool"] != "blue") {
			t.Errorf("%s: %q, %q", tt.what, d.Title, d.Advice)
		}
	}
}

// TestOwnPlace: what stands behind a team's own causes knows nothing of denials, and asks for no
// change of anything.
func TestOwnPlace(t *testing.T) {
	from := slices.IndexFunc(causes, func(c Cause) bool { return c.general })
	if from < 0 {
		t.Fatal("no cause is general")
	}
	for _, c := range causes[from:] {
		if !c.general || c.Remedy != Report && c.Remedy != Retry ||
			slices.ContainsFunc(c.rules, func(r rule) bool { return r.denial != nil }) {
			t.Errorf("%s is behind a team's own causes, and is about a denial or changes something", c.Name)
		}
	}
	all := withOwn([]Cause{{Name: "x", Remedy: Grant}, {Name: "y", Remedy: Retry}})
	if got := all[from : from+2]; got[0].Name != "x" || got[0].Remedy != Report || got[1].Remedy != Retry || len(all) != len(causes)+2 {
		t.Errorf("%+v", got)
	}
}

// TestOwnCausesGrantNothing tries causes made of each sample's own lines: whatever they say, no
// denial is decided otherwise, and nothing is granted that was not granted without them.
func TestOwnCausesGrantNothing(t *testing.T) {
	changed := 0
	for _, s := range samples(t) {
		var own []Cause
		for _, remedy := range Remedies {
			c := Cause{Name: "own-" + string(remedy), Remedy: remedy}
			for _, l := range s.failure.Tail[max(0, len(s.failure.Tail)-30):] {
				if w := lower(strings.TrimSpace(bare(l.Text))); w != "" {
					c.rules = append(c.rules, rule{says: []string{w}})
				}
			}
			own = append(own, c)
		}
		without := Diagnose(s.failure)
		denied := len(without.Denials) > 0 && OfDenial(without.Cause) || without.Remedy != Report && without.Remedy != Retry
		for _, retries := range []bool{true, false} {
			list := slices.DeleteFunc(slices.Clone(own), func(c Cause) bool { return c.Remedy == Retry && !retries })
			with := Diagnose(s.failure, list...)
			switch {
			case denied && !cmp.Equal(without, with):
				t.Errorf("%s: a denial is decided otherwise:\n%s", s.name, cmp.Diff(without, with))
			case !denied && with.Remedy != Report && with.Remedy != Retry:
				t.Errorf("%s: the remedy is %s, by %s", s.name, with.Remedy, with.Cause)
			case !denied && without.Remedy != Retry && with.Remedy == Retry && !retries:
				t.Errorf("%s: it is retried, by %s", s.name, with.Cause)
			}
			if with.Cause != without.Cause {
				changed++
			}
		}
	}
	if changed < 100 {
		t.Errorf("only %d diagnoses are others: the test shows nothing", changed)
	}
}

// TestNewCause refuses what could not be right, each with its key and rule.
func TestNewCause(t *testing.T) {
	rule := func(change func(*OwnRule)) func(*Own) { return func(o *Own) { change(&o.Match[0]) } }
	for _, tt := range []struct {
		what, key, text string
		rule            int
		change          func(*Own)
	}{
		{"a name of another form", "name", "is not a name", -1, func(o *Own) { o.Name = "Pool_Empty" }},
		{"a built-in name", "name", "is a built-in cause", -1, func(o *Own) { o.Name = "disk-full" }},
		{"a title with a full stop", "title", "without a full stop", -1, func(o *Own) { o.Title = "Empty." }},
		{"a title of two lines", "title", "one line", -1, func(o *Own) { o.Title = "a\nb" }},
		{"a long title", "title", "at most 110", -1, func(o *Own) { o.Title = strings.Repeat("x", 111) }},
		{"an advice that is no sentence", "advice", "whole sentences", -1, func(o *Own) { o.Advice = "wait" }},
		{"a remedy that changes something", "remedy", `"grant" is not report or retry`, -1, func(o *Own) { o.Remedy = Grant }},
		{"retryable beside retry", "retryable", "anyway", -1, func(o *Own) { o.Retryable = true }},
		{"a negative last", "last", "is not a number of lines", -1, func(o *Own) { o.Last = -1 }},
		{"no rule", "match", "never holds", -1, func(o *Own) { o.Match, o.Title = nil, "T" }},
		{"too many rules", "match", "more than 10", -1, func(o *Own) { o.Match = slices.Repeat(o.Match, 11) }},
		{"a placeholder that no rule fills", "title", "does not fill {host}", -1, func(o *Own) { o.Title = "No {host}" }},
		{"a placeholder that one rule does not fill", "title", "rule 2 does not fill {pool}", -1,
			func(o *Own) { o.Match = append(o.Match, OwnRule{Says: []string{"the pool is empty"}}) }},
		{"no says", "says", "for any failure", 0, rule(func(r *OwnRule) { r.Says = nil })},
		{"an empty says", "says", "would hold everywhere", 0, rule(func(r *OwnRule) { r.Says = []string{""} })},
		{"a blank text beside another", "says", "would hold everywhere", 0,
			rule(func(r *OwnRule) { r.Says = []string{"environment", " "} })},
		{"too few letters", "says", "at least 4", 0, rule(func(r *OwnRule) { r.Says = []string{"--- :"} })},
		{"text of two lines", "also", "looks at one line", 0, rule(func(r *OwnRule) { r.Also = []string{"a\nb"} })},
		{"long text", "not", "at most 200", 0, rule(func(r *OwnRule) { r.Not = []string{strings.Repeat("x", 201)} })},
		{"too many texts", "not", "more than 8", 0, rule(func(r *OwnRule) { r.Not = slices.Repeat([]string{"x"}, 9) })},
		{"words of any failed build", "says", "whatever the reason", 0,
			rule(func(r *OwnRule) { *r = OwnRule{Says: []string{"FAILED"}} })},
		{"words of any failed build, under a command", "says", "whatever the reason", 0,
			rule(func(r *OwnRule) { *r = OwnRule{Says: []string{"exit status"}, Command: []string{"e2e"}} })},
		{"words of any failed build, with a pattern for each line", "says", "whatever the reason", 0,
			rule(func(r *OwnRule) { *r = OwnRule{Says: []string{"error"}, Like: "."} })},
		{"a pattern that matches everything", "like", "matches everything", 0, rule(func(r *OwnRule) { r.Like = `(?P<pool>.*)` })},
		{"a pattern that is not RE2", "like", "is not an RE2 pattern", 0, rule(func(r *OwnRule) { r.Like = `pool (?=x)` })},
		{"an exit status that is a word", "exit", "is not an exit status", 0,
			rule(func(r *OwnRule) { r.Exit = []string{"three"} })},
		{"a long pattern", "like", "more than 300", 0, rule(func(r *OwnRule) { r.Like = strings.Repeat("x", 301) })},
		{"a pattern that compiles to much", "like", "too large", 0, rule(func(r *OwnRule) { r.Like = `pool (\w{9}-){100}` })},
	} {
		o := poolEmpty()
		tt.change(&o)
		_, flaws := NewCause(o)
		if !slices.ContainsFunc(flaws, func(f Flaw) bool {
			return f.Key == tt.key && f.Rule == tt.rule && strings.Contains(f.Text, tt.text)
		}) {
			t.Errorf("%s: %v", tt.what, flaws)
		}
	}
	bad := poolEmpty()
	bad.Match[0].Like = "pool (?P<pool>[a-z"
	if _, flaws := NewCause(bad); len(flaws) != 1 || flaws[0].Key != "like" {
		t.Errorf("a pattern that is refused, and what it would have filled: %v", flaws)
	}
	if c := mustOwn(t, poolEmpty()); !c.Retryable || c.Size() == 0 || c.Size() > 100 {
		t.Errorf("%+v, size %d", c, c.Size())
	}
}

// TestOwnCausesAreCheap: the most that a team can write, on a log with its words in every line, is
// still done before the function's time is up: about a second, here with room for the race detector
// on a busy machine.
func TestOwnCausesAreCheap(t *testing.T) {
	var own []Cause
	for size := 0; len(own) < MaxOwn; {
		o := Own{Name: fmt.Sprintf("own-%d", len(own)), Title: "T", Advice: "A.", Remedy: Report}
		for i := range MaxRules {
			r := OwnRule{Says: []string{"aaaa b"}, Not: []string{"zz"}}
			if size < MaxPrograms-maxProgram {
				r.Like = fmt.Sprintf(`(a|aa|aaa){20}b%d$`, i)
			}
			o.Match = append(o.Match, r)
			size += programSize(r.Like)
		}
		own = append(own, mustOwn(t, o))
	}
	f := buildlog.ReadText(codebuild.Build{Status: codebuild.Failed},
		strings.Repeat(strings.Repeat("a", 120)+" aaaa b\n", 400))
	for i := range own {
		for j := range own[i].rules {
			own[i].rules[j].not = []string{"aaaa"} // none holds, so all are tried
			if own[i].rules[j].like != nil {
				own[i].rules[j].not = nil
			}
		}
	}
	start := time.Now()
	if d := Diagnose(f, own...); strings.HasPrefix(d.Cause, "own-") {
		t.Errorf("%s holds", d.Cause)
	}
	if took := time.Since(start); took > 3*time.Minute {
		t.Errorf("it took %v", took)
	}
}

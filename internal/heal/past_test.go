package heal

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/decide"
)

var pastNow = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

func minute(n int) time.Time { return pastNow.Add(time.Duration(n) * time.Minute) }

// red is a build of main that took two minutes.
func red(id, commit string, m int) pastBuild {
	return pastBuild{ID: id, Cause: "test-failure", Commit: shortHash(commit), Line: "main", Start: minute(m - 2), End: minute(m),
		project: "shop"}
}

func green(commit string, m int) pass {
	return pass{Commit: shortHash(commit), Line: "main", Start: minute(m - 2), End: minute(m)}
}

func failing(names ...string) (out []codebuild.TestCase) {
	for _, n := range names {
		out = append(out, codebuild.TestCase{Suite: "cart", Name: n})
	}
	return out
}

// TestPast tells what is remembered of the tests a and b, which fail in the build "now" of commit
// c9.
func TestPast(t *testing.T) {
	type known = decide.TestHistory
	for _, row := range []struct {
		what string
		do   func(*past)
		want []known
	}{
		{"nothing failed before", func(*past) {},
			[]known{{Name: "a", Commits: 1}, {Name: "b", Commits: 1}}},
		{"one of them failed before, on two commits", func(p *past) {
			p.fail(red("1", "c1", 10), failing("a"), pastNow)
			p.fail(red("2", "c1", 20), failing("a", "z"), pastNow)
			p.fail(red("3", "c2", 30), failing("a"), pastNow)
		}, []known{{Name: "a", Times: 3, Failed: 3, Since: minute(10), Build: "shop:1", Commits: 3}, {Name: "b", Commits: 1}}},
		{"it failed before, and its branch was green since", func(p *past) {
			p.fail(red("1", "c1", 10), failing("a"), pastNow)
			p.pass(green("c2", 20), nil)
			p.fail(red("2", "c3", 30), failing("a"), pastNow)
		}, []known{{Name: "a", Times: 1, Failed: 2, Since: minute(30), Build: "shop:2", Commits: 2}, {Name: "b", Commits: 1}}},
		{"a build that began before it failed is green, so a later commit's may not be", func(p *past) {
			p.fail(red("1", "c1", 10), failing("a"), pastNow)
			g := green("c0", 20)
			g.Start = minute(0)
			p.pass(g, nil)
		}, []known{{Name: "a", Times: 1, Failed: 1, Since: minute(10), Build: "shop:1", Commits: 2}, {Name: "b", Commits: 1}}},
		{"it failed on another branch", func(p *past) {
			b := red("1", "c1", 10)
			b.Line = "next"
			p.fail(b, failing("a"), pastNow)
		}, []known{{Name: "a", Commits: 1, Failed: 1}, {Name: "b", Commits: 1}}},
		{"its commit was green afterwards", func(p *past) {
			p.fail(red("1", "c1", 10), failing("a"), pastNow)
			p.pass(green("c1", 20), p.mayProve(green("c1", 20)))
		}, []known{{Name: "a", Commits: 1, Failed: 1, Flaked: 1, LastFlaked: minute(20)}, {Name: "b", Commits: 1}}},
		{"its commit failed twice and was green once: it flaked once", func(p *past) {
			p.fail(red("1", "c1", 10), failing("a"), pastNow)
			p.fail(red("2", "c1", 15), failing("a", "b"), pastNow)
			p.pass(green("c1", 20), p.mayProve(green("c1", 20)))
		}, []known{{Name: "a", Commits: 1, Failed: 2, Flaked: 1, LastFlaked: minute(20)},
			{Name: "b", Commits: 1, Failed: 1, Flaked: 1, LastFlaked: minute(20)}}},
		{"its commit is green twice: the second time says nothing new", func(p *past) {
			p.fail(red("1", "c1", 10), failing("a"), pastNow)
			p.pass(green("c1", 20), p.mayProve(green("c1", 20)))
			if g := green("c1", 30); len(p.mayProve(g)) > 0 || p.pass(g, nil) {
				t.Error("the second green build of a commit is recorded")
			}
		}, []known{{Name: "a", Commits: 1, Failed: 1, Flaked: 1, LastFlaked: minute(20)}, {Name: "b", Commits: 1}}},
		{"another commit is green: nothing is proved", func(p *past) {
			p.fail(red("1", "c1", 10), failing("a"), pastNow)
			p.pass(green("c2", 20), p.mayProve(green("c2", 20)))
		}, []known{{Name: "a", Commits: 1, Failed: 1}, {Name: "b", Commits: 1}}},
		{"of a later run of the same commit only another test failed: nothing is proved", func(p *past) {
			p.fail(red("1", "c1", 10), failing("a", "b"), pastNow)
			p.fail(red("2", "c1", 20), failing("b"), pastNow)
		}, []known{{Name: "a", Times: 1, Failed: 1, Since: minute(10), Build: "shop:1", Commits: 2},
			{Name: "b", Times: 2, Failed: 2, Since: minute(10), Build: "shop:1", Commits: 2}}},
		{"the commit of a build that lacked a permission is green", func(p *past) {
			b := red("1", "c1", 10)
			b.Unsure = true
			p.fail(b, failing("a"), pastNow)
			p.pass(green("c1", 20), p.mayProve(green("c1", 20)))
		}, []known{{Name: "a", Commits: 1, Failed: 1}, {Name: "b", Commits: 1}}},
		{"a build without a commit was followed by a green one without", func(p *past) {
			p.fail(red("1", "", 10), failing("a"), pastNow)
			p.pass(green("", 20), p.mayProve(green("", 20)))
		}, []known{{Name: "a", Commits: 1, Failed: 1}, {Name: "b", Commits: 1}}},
		{"a test gave way to others, so that nobody knows of one that is not there", func(p *past) {
			p.Forgot = true
			p.fail(red("1", "c1", 10), failing("a"), pastNow)
		}, []known{{Name: "a", Times: 1, Failed: 1, Since: minute(10), Build: "shop:1", Commits: 2}}},
	} {
		var p past
		row.do(&p)
		for i := range row.want {
			row.want[i].Suite = "cart"
		}
		now := red("now", "c9", 60)
		if got := p.known(now, failing("a", "b")); !cmp.Equal(got, row.want) {
			t.Errorf("%s, asked before it is recorded: %s", row.what, cmp.Diff(row.want, got))
		}
		p.fail(now, failing("a", "b"), pastNow)
		before, _ := json.Marshal(p)
		if p.fail(now, failing("a", "b"), pastNow) || p.fail(red("now", "c9", 60), nil, pastNow) {
			t.Errorf("%s: the build is recorded twice", row.what)
		}
		if after, _ := json.Marshal(p); string(before) != string(after) {
			t.Errorf("%s: recorded again:\n%s\n%s", row.what, before, after)
		}
		if p.Forgot {
			row.want = append(row.want, known{Suite: "cart", Name: "b", Commits: 1}) // it is there now
		}
		if got := p.known(now, failing("a", "b")); !cmp.Equal(got, row.want) {
			t.Errorf("%s, asked after it is recorded: %s", row.what, cmp.Diff(row.want, got))
		}
	}
}

// TestPastWithoutLine: of a build whose branch is not known, it is not known whether its tests
// failed before on it either.
func TestPastWithoutLine(t *testing.T) {
	var p past
	p.fail(red("1", "c1", 10), failing("a", "b"), pastNow)
	p.pass(green("c1", 20), []string{"1"})
	p.fail(red("2", "c2", 30), failing("c"), pastNow)
	b := red("3", "c3", 40)
	b.Line = ""
	p.fail(b, failing("a", "c", "d"), pastNow)
	want := []decide.TestHistory{{Suite: "cart", Name: "a", Failed: 1, Flaked: 1, LastFlaked: minute(20), Unclear: true, Commits: 1}}
	if got := p.known(b, failing("a", "c", "d")); !cmp.Equal(got, want) {
		t.Error(cmp.Diff(want, got))
	}
}

// TestPastBroken: a test that flaked once, and then fails on commit after commit, is broken,
// whether or not the records name its branch, and on however many branches it fails.
func TestPastBroken(t *testing.T) {
	for what, line := range map[string]func(i int) string{
		"webhooks ask for bare commits": func(int) string { return "" },
		"one branch":                    func(int) string { return "main" },
		"more branches than have a run": func(i int) string { return fmt.Sprint("feature ", i%(maxRuns+1)) },
	} {
		var p past
		first := red("1", "c1", 10)
		first.Line = line(0)
		p.fail(first, failing("a"), pastNow)
		g := green("c1", 20)
		g.Line = line(0)
		p.pass(g, []string{"1"})
		for i := range 3 * maxRuns {
			b := red(fmt.Sprint(i+2), fmt.Sprint("c", i+2), 10*i+30)
			b.Line = line(i)
			p.fail(b, failing("a"), pastNow)
			k := p.known(b, failing("a"))
			if len(k) != 1 {
				t.Fatalf("%s, failure %d: %+v", what, i, k)
			}
			if flaky, most := k[0].Flaky(b.End), 2*maxRuns; !flaky && i < 2 || flaky && i >= most {
				t.Errorf("%s, failure %d: flaky %t: %+v", what, i, flaky, k)
			}
			if k[0].Times > 0 && k[0].Unclear {
				t.Errorf("%s, failure %d: %+v", what, i, k)
			}
		}
	}
}

// TestPastLostRun: a test whose failures on a branch gave way to those on others is not said to be
// new.
func TestPastLostRun(t *testing.T) {
	var p past
	for i := range maxRuns + 1 {
		b := red(fmt.Sprint(i), fmt.Sprint("c", i), 10*i+10)
		b.Line = fmt.Sprint("feature ", i)
		p.fail(b, failing("a"), pastNow)
	}
	b := red("9", "c9", 90)
	b.Line = "feature 0"
	for _, what := range []string{"before it is recorded", "afterwards"} {
		if k := p.known(b, failing("a")); len(k) > 0 {
			t.Errorf("%s: %+v", what, k)
		}
		p.fail(b, failing("a"), pastNow)
	}
}

// TestPastNames: a name that may be that of several tests is not remembered.
func TestPastNames(t *testing.T) {
	for name, want := range map[string]bool{"adds up": true, strings.Repeat("x", 300): true, strings.Repeat("x", 301): false,
		"adds…": false, "adds [redacted]": false, "": false} {
		var p past
		p.fail(red("1", "c1", 10), failing(name), pastNow)
		if got := len(p.Tests) == 1; got != want || len(p.known(red("2", "c1", 11), failing(name))) > 0 != want {
			t.Errorf("%.20q is remembered: %t", name, got)
		}
	}
}

// TestPastBounds: however many builds fail, and whatever their tests are called, what is remembered
// of a project stays small, is what was seen last, and is recorded once.
func TestPastBounds(t *testing.T) {
	r := rand.New(rand.NewPCG(15, 1))
	var p past
	for i := range 600 {
		var tests []codebuild.TestCase
		for j := range 200 {
			var b strings.Builder
			for range r.IntN(60) {
				fmt.Fprintf(&b, "%c", 0x4e00+r.IntN(20000)) // packs badly
			}
			fmt.Fprintf(&b, "%d %d", i, j)
			tests = append(tests, codebuild.TestCase{Suite: b.String(), Name: b.String()})
		}
		b := red(fmt.Sprintf("2f1c0de2-%024d", i), fmt.Sprint(i), i)
		b.Cause = strings.Repeat("c", 60)
		if !p.fail(b, tests, pastNow) {
			t.Fatalf("build %d is not recorded", i)
		}
		if i%3 == 0 {
			p.pass(green(fmt.Sprint(i), i+2), p.mayProve(green(fmt.Sprint(i), i+2)))
		}
		if i%50 > 0 {
			continue
		}
		data, err := p.pack()
		if n := packed(data); err != nil || n > MaxData || len(p.Tests) > maxPastTests || len(p.Builds) > maxPastBuilds {
			t.Fatalf("build %d: %d bytes, %d tests, %d builds, %v", i, n, len(p.Tests), len(p.Builds), err)
		}
		if i > 0 && (len(p.Tests) < 50 || !p.Forgot || p.test(tests[0].Suite, tests[0].Name) < 0) {
			t.Fatalf("build %d: of its tests nothing is kept beside %d others", i, len(p.Tests))
		}
	}
	for i := range 600 {
		if p.fail(red(fmt.Sprintf("2f1c0de2-%024d", i), fmt.Sprint(i), i), failing("a"), pastNow) {
			t.Fatalf("build %d is recorded twice", i)
		}
	}
	p.fail(red("late", "c", 100*24*60), nil, pastNow.Add(100*24*time.Hour))
	if len(p.Tests) > 0 || len(p.Builds) != 1 {
		t.Errorf("after 100 days: %d tests, %d builds", len(p.Tests), len(p.Builds))
	}
}

// TestPastOrder: builds may be heard of in any order.
func TestPastOrder(t *testing.T) {
	var p past
	for _, m := range []int{30, 10, 20} {
		p.fail(red(fmt.Sprint(m), fmt.Sprint("c", m), m), failing("a"), pastNow)
	}
	want := []decide.TestHistory{{Suite: "cart", Name: "a", Times: 3, Failed: 3, Since: minute(10), Build: "shop:10", Commits: 3}}
	if got := p.known(red("40", "c40", 40), failing("a")); !cmp.Equal(got, want) {
		t.Error(cmp.Diff(want, got))
	}
	if p.Builds[0].ID != "10" || p.Builds[2].ID != "30" || !p.Tests[0].Last.Equal(minute(30)) || !p.Tests[0].First.Equal(minute(10)) {
		t.Errorf("%+v", p)
	}
}

func TestLineOf(t *testing.T) {
	commit := strings.Repeat("2f1c", 10)
	lines := map[string]string{}
	for _, row := range []struct {
		what string
		root codebuild.Root
		same string // as
	}{
		{"main", codebuild.Root{SourceVersion: "refs/heads/main"}, ""},
		{"main and its commit", codebuild.Root{SourceVersion: "refs/heads/main^{" + commit + "}", ResolvedSourceVersion: commit}, "main"},
		{"next", codebuild.Root{SourceVersion: "refs/heads/next"}, ""},
		{"default", codebuild.Root{ResolvedSourceVersion: commit}, ""},
		{"pipeline", codebuild.Root{Initiator: "codepipeline/shop", SourceVersion: "arn:aws:s3:::artifacts/shop/x"}, ""},
		{"its other execution", codebuild.Root{Initiator: "codepipeline/shop", SourceVersion: "arn:aws:s3:::artifacts/shop/y"}, "pipeline"},
		{"another pipeline", codebuild.Root{Initiator: "codepipeline/shop-2", SourceVersion: "arn:aws:s3:::artifacts/shop/x"}, ""},
		{"commit", codebuild.Root{Initiator: "ci", SourceVersion: commit, ResolvedSourceVersion: commit}, "nothing"},
		{"object", codebuild.Root{Initiator: "ci", SourceVersion: "arn:aws:s3:::artifacts/shop/x"}, "nothing"},
	} {
		got := LineOf(row.root)
		switch {
		case row.same == "nothing":
			if got != "" {
				t.Errorf("%s is a line", row.what)
			}
			continue
		case row.same != "":
			if got != lines[row.same] {
				t.Errorf("%s is not the line of %s", row.what, row.same)
			}
			continue
		}
		for other, l := range lines {
			if l == got {
				t.Errorf("%s is the line of %s", row.what, other)
			}
		}
		lines[row.what] = got
	}
}

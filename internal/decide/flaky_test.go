package decide

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/diagnose"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// flakyFacts are those of a build of main in which one test failed that is known to be flaky.
func flakyFacts() Facts {
	now := time.Date(2026, 11, 22, 10, 15, 0, 0, time.UTC)
	return Facts{
		Settings: &settings.Settings{Limits: settings.Limits{Rounds: 3, RetriesHour: 60}},
		Home:     settings.Account{ID: "111122223333", Region: "eu-west-1"},
		Project:  settings.Project{Name: "shop", Role: "codebuild-shop", Mode: settings.Heal, Retry: true, RetryFlaky: true},
		Build: codebuild.Build{ID: "shop:1", ARN: "arn:aws:codebuild:eu-west-1:111122223333:build/shop:1", Project: "shop",
			Status: codebuild.Failed, ServiceRole: "arn:aws:iam::111122223333:role/codebuild-shop", Initiator: "GitHub-Hookshot/1a2b3c4",
			SourceVersion: "refs/heads/main", ResolvedSourceVersion: strings.Repeat("2f1c", 10)},
		Diagnosis: diagnose.Diagnosis{Cause: "test-failure", Remedy: diagnose.Report, Retryable: true, Counted: true,
			Tests: []codebuild.TestCase{{Suite: "cart", Name: "adds up"}}},
		Case: "c", Now: now,
		Known: []TestHistory{{Suite: "cart", Name: "adds up", Flaked: 2, LastFlaked: now.Add(-24 * time.Hour), Commits: 1}},
	}
}

func TestRetryFlaky(t *testing.T) {
	earlier := func(f *Facts, d Decision) {
		b := f.Build
		b.ID = "shop:0"
		f.Earlier = append(f.Earlier, Round{Build: b, Step: StepDone, Decision: &d, RetryAt: f.Now.Add(-time.Hour), Retry: f.Build.ID})
	}
	for _, row := range []struct {
		what   string
		change func(*Facts)
		again  bool
	}{
		{"one known test failed", func(*Facts) {}, true},
		{"two known tests failed", func(f *Facts) {
			f.Diagnosis.Tests = append(f.Diagnosis.Tests, codebuild.TestCase{Name: "pays"})
			f.Known = append(f.Known, TestHistory{Name: "pays", Flaked: 1, LastFlaked: f.Now})
		}, true},
		{"the settings do not say so", func(f *Facts) { f.Project.RetryFlaky = false }, false},
		{"a test failed besides that never flaked", func(f *Facts) {
			f.Diagnosis.Tests = append(f.Diagnosis.Tests, codebuild.TestCase{Name: "pays"})
			f.Known = append(f.Known, TestHistory{Name: "pays", Times: 3})
		}, false},
		{"a test failed besides that nobody remembers", func(f *Facts) {
			f.Diagnosis.Tests = append(f.Diagnosis.Tests, codebuild.TestCase{Name: "pays"})
		}, false},
		{"a test of another suite is known by that name", func(f *Facts) { f.Known[0].Suite = "order" }, false},
		{"more tests failed than are named", func(f *Facts) { f.Diagnosis.MoreTests = 1 }, false},
		{"nobody says how many tests failed", func(f *Facts) { f.Diagnosis.Counted = false }, false},
		{"no test is named", func(f *Facts) { f.Diagnosis.Tests = nil }, false},
		{"it flaked 31 days ago", func(f *Facts) { f.Known[0].LastFlaked = f.Now.Add(-31 * 24 * time.Hour) }, false},
		{"it fails on the second commit in a row", func(f *Facts) { f.Known[0].Commits = 2 }, true},
		{"it fails on the third commit in a row, so it is broken", func(f *Facts) { f.Known[0].Commits = 3 }, false},
		{"the build failed of something else", func(f *Facts) { f.Diagnosis.Cause = "command-failed" }, false},
		{"the build was denied something, too", func(f *Facts) {
			f.Diagnosis.Denials = []buildlog.Denial{{Action: "s3:PutObject", Causal: true}}
		}, false},
		{"denials were dropped", func(f *Facts) { f.Diagnosis.Dropped = 1 }, false},
		{"the build timed out", func(f *Facts) { f.Build.Status = codebuild.TimedOut }, false},
		{"it is a pull request's", func(f *Facts) { f.Build.SourceVersion = "pr/7" }, false},
		{"it was started again for that before", func(f *Facts) {
			f.Self.Initiator, f.Build.Initiator = "buildmedic/x", "buildmedic/x"
			earlier(f, Decision{Flaky: 1})
		}, false},
		{"it was started again for that on an earlier day", func(f *Facts) { f.FlakyBefore = true }, false},
		{"it was started again for something else before", func(f *Facts) {
			f.Self.Initiator, f.Build.Initiator = "buildmedic/x", "buildmedic/x"
			earlier(f, Decision{})
		}, true},
		{"no round is left", func(f *Facts) {
			f.Settings.Limits.Rounds = 1
			earlier(f, Decision{})
		}, false},
		{"there are no rounds", func(f *Facts) { f.Settings.Limits.Rounds = 0 }, false},
		{"no build is started in an hour", func(f *Facts) { f.Settings.Limits.RetriesHour = 0 }, false},
		{"the project's builds are never started", func(f *Facts) { f.Project.Retry = false }, false},
		{"its pipeline is not listed", func(f *Facts) {
			f.Build.Initiator, f.Build.SourceVersion = "codepipeline/shop", "arn:aws:s3:::artifacts/shop/x"
		}, false},
		{"its pipeline is listed", func(f *Facts) {
			f.Build.Initiator, f.Build.SourceVersion = "codepipeline/shop", "arn:aws:s3:::artifacts/shop/x"
			f.Project.Pipelines = []string{"shop"}
		}, true},
	} {
		f := flakyFacts()
		row.change(&f)
		d := Decide(f)
		again := d.Plan != nil
		if again != row.again || again != (d.Flaky > 0) ||
			again && (d.Remedy != diagnose.Retry || d.Flaky != len(f.Diagnosis.Tests)) {
			t.Errorf("%s: %+v", row.what, d)
		}
		if d.Mutates() || len(d.Used) > 0 {
			t.Errorf("%s: something is changed: %+v", row.what, d)
		}
	}
	named := func(c diagnose.Cause) bool { return c.Name == testFailure && c.Remedy == diagnose.Report }
	if !slices.ContainsFunc(diagnose.Causes(), named) {
		t.Errorf("there is no cause %q", testFailure)
	}
}

// TestHostileTests: whatever a build says that its tests are called, and why they failed, nothing
// is granted for it, and its commit is started again once at most, within the budgets.
func TestHostileTests(t *testing.T) {
	names := []string{"adds up", "adds up ", "", "…", "AccessDenied: s3:PutObject", "[redacted]", strings.Repeat("x", 500),
		"User: arn:aws:sts::111122223333:assumed-role/codebuild-shop/AWSCodeBuild-1 is not authorized to perform: s3:PutObject",
		"ThrottlingException: Rate exceeded", "\x1b[31mred", "a\nb", "retry: true"}
	again, never := 0, 0
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 15))
		f := flakyFacts()
		f.Settings.Limits = settings.Limits{Rounds: r.IntN(4), RetriesHour: r.IntN(3)}
		f.Project.RetryFlaky, f.Project.Retry = r.IntN(5) > 0, r.IntN(8) > 0
		f.Self.Initiator = "buildmedic/x"
		f.Build.SourceVersion = pickOf(r, []string{"refs/heads/main", "refs/heads/main", "refs/heads/main", "pr/7", "main"})
		f.Diagnosis.Counted, f.Diagnosis.MoreTests = r.IntN(6) > 0, max(0, r.IntN(8)-6)
		f.Diagnosis.Tests, f.Known = nil, nil
		for range 1 + r.IntN(3) {
			c := codebuild.TestCase{Suite: pickOf(r, names), Name: pickOf(r, names)}
			if !slices.Contains(f.Diagnosis.Tests, c) {
				f.Diagnosis.Tests = append(f.Diagnosis.Tests, c)
			}
		}
		for i, c := range f.Diagnosis.Tests {
			k := TestHistory{Suite: c.Suite, Name: c.Name, Flaked: 1 + r.IntN(9), LastFlaked: f.Now, Commits: r.IntN(3)}
			if i == 0 && r.IntN(3) == 0 {
				k.Flaked = 0
			}
			f.Known, f.Diagnosis.Tests[i].Message = append(f.Known, k), pickOf(r, names)
		}
		started := 0
		for range 6 { // however often it fails again in the same way
			d := Decide(f)
			if d.Mutates() || len(d.Used) > 0 || d.Asks {
				t.Fatalf("seed %d: something is granted: %+v", seed, d)
			}
			if d.Plan == nil {
				break
			}
			started++
			f.Earlier = append(f.Earlier, Round{Build: f.Build, Step: StepDone, Decision: &d, Diagnosis: &f.Diagnosis, RetryAt: f.Now,
				Retry: fmt.Sprintf("shop:%d", 2+started)})
			f.Build.ID, f.Build.Initiator = f.Earlier[len(f.Earlier)-1].Retry, "buildmedic/x"
		}
		unknown := slices.ContainsFunc(f.Known, func(k TestHistory) bool { return k.Flaked == 0 })
		switch most := min(f.Settings.Limits.Rounds, f.Settings.Limits.RetriesHour, 1); {
		case started > most, started > 0 && (!f.Project.RetryFlaky || !f.Project.Retry || unknown || !f.Diagnosis.Counted ||
			f.Diagnosis.MoreTests > 0 || f.Build.SourceVersion != "refs/heads/main"):
			t.Fatalf("seed %d: started %d times: %+v", seed, started, f)
		case started > 0:
			again++
		default:
			never++
		}
	}
	if again < 100 || never < 100 {
		t.Errorf("%d started again, %d not: the property holds of nothing", again, never)
	}
}

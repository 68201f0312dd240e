package decide

import (
	"fmt"
	"slices"
	"time"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/diagnose"
)

// When a test counts as flaky.
const (
	// flakyFor is for how long a test counts as flaky after it was seen to be.
	flakyFor = 30 * 24 * time.Hour
	// BrokenAfter is on how many commits in a row a test fails, without a green build between them,
	// that is broken and not flaky.
	BrokenAfter = 3
)

// testFailure is the cause of builds in which tests failed.
const testFailure = "test-failure"

// Flaky reports whether the test counts as flaky at the time.
func (t TestHistory) Flaky(now time.Time) bool {
	return t.Flaked > 0 && now.Sub(t.LastFlaked) <= flakyFor && t.Commits < BrokenAfter
}

// Trusted reports whether the team asked for the build, or for the one that it repeats.
func (f Facts) Trusted() bool { return untrusted(f) == nil }

// Asked is what was asked for: by whoever asked for the first of the builds that led to this one.
func (f Facts) Asked() codebuild.Root { return f.lineage()[0].Asked() }

// retryFlaky starts a build again in which nothing failed but tests that are known to be flaky, if
// the settings say so. Whoever makes a build fail chooses what its tests are called: that is worth
// one more build of the commit, and never a second one.
func retryFlaky(f Facts, d Decision) (Decision, bool) {
	if !f.Project.RetryFlaky || !onlyFlaky(f) {
		return d, false
	}
	if rs := limits(f, false); len(rs) > 0 {
		return overBudget(f, d, rs), true
	}
	d.Remedy, d.Plan, d.Flaky = diagnose.Retry, newPlan(f, diagnose.Retry), len(f.Diagnosis.Tests)
	d.Why = fmt.Sprintf("All %d tests that failed are known to be flaky: the build is started again, unchanged, once.", d.Flaky)
	if d.Flaky == 1 {
		d.Why = "The one test that failed is known to be flaky: the build is started again, unchanged, once."
	}
	return noRoute(d), true
}

// onlyFlaky reports whether it is certain that all that failed are tests that are known to be
// flaky, and the commit was not started again for that before.
func onlyFlaky(f Facts) bool {
	g := f.Diagnosis
	if g.Cause != testFailure || g.Remedy != diagnose.Report || len(f.Causal()) > 0 || g.Dropped > 0 ||
		len(g.Tests) == 0 || g.MoreTests > 0 || !g.Counted || f.Build.Status != codebuild.Failed || !f.Trusted() {
		return false
	}
	if f.FlakyBefore {
		return false
	}
	for _, r := range f.Earlier {
		if r.AgainFlaky() {
			return false
		}
	}
	for _, t := range g.Tests {
		flaky := func(k TestHistory) bool { return k.Suite == t.Suite && k.Name == t.Name && k.Flaky(f.Now) }
		if !slices.ContainsFunc(f.Known, flaky) {
			return false
		}
	}
	return true
}

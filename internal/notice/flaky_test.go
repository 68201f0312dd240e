package notice

import (
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/diagnose"
)

// TestWordsOfMemory ensures that a notice says of a failed test what is known of it, and no more.
func TestWordsOfMemory(t *testing.T) {
	day := time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)
	for want, h := range map[string]decide.TestHistory{
		"adds · new: not known to have failed before":                                         {},
		"adds · new since the last green build, failed once before that or on other branches": {Failed: 1},
		"adds · flaky: the same commit was green twice, last on 2026-11-20": {
			Failed: 7, Flaked: 2, LastFlaked: day, Unclear: true},
		"adds · flaky: the same commit was green twice, last on 2026-11-20, but it failed on 3 commits since": {
			Failed: 7, Flaked: 2, LastFlaked: day, Unclear: true, Commits: 3},
		"adds · failed once before, since 2026-11-20 09:30 UTC":        {Times: 1, Failed: 4, Since: day},
		"adds · failed 1,200 times before, since 2026-11-20 09:30 UTC": {Times: 1200, Failed: 1200, Since: day, Commits: 3},
		"adds · new since the last green build, failed 7 times before that or on other branches · " +
			"flaky: the same commit was green twice, last on 2026-11-20": {Failed: 7, Flaked: 2, LastFlaked: day},
		"adds · failed twice before, since 2026-11-20 09:30 UTC · flaky: the same commit was green once, last on " +
			"2026-11-20, but it fails on 3 commits in a row now": {Times: 2, Failed: 3, Since: day, Flaked: 1, LastFlaked: day, Commits: 3},
	} {
		h.Name = "adds"
		r := decide.Round{Diagnosis: &diagnose.Diagnosis{Tests: []codebuild.TestCase{{Name: "adds"}}}, Known: []decide.TestHistory{h}}
		if got := testsOf(r)[0].words(); got != want {
			t.Errorf("%+v:\n%s\nshould be\n%s", h, got, want)
		}
	}
}

// sampleWeek is a week in which builds failed of several causes; one of its tests has a hostile
// name.
func sampleWeek() decide.Week {
	monday := time.Date(2026, 11, 16, 0, 0, 0, 0, time.UTC)
	return decide.Week{From: monday, To: monday.AddDate(0, 0, 7), Costs: decide.Costs{
		Causes: []decide.CauseCost{
			{Cause: "test-failure", Builds: 12, Seconds: 5340, Healed: decide.ToGreen{Builds: 4, Median: 452, Most: 900},
				Others: decide.ToGreen{Builds: 7, Median: 5400, Most: 86400}},
			{Cause: "docker-rate-limit", Builds: 3, Seconds: 96, Healed: decide.ToGreen{Builds: 3, Median: 89, Most: 161}},
			{Cause: "unknown", Builds: 1, Seconds: 30}},
		Total: decide.CauseCost{Builds: 16, Seconds: 5466, Healed: decide.ToGreen{Builds: 7, Median: 161, Most: 900},
			Others: decide.ToGreen{Builds: 7, Median: 5400, Most: 86400}},
		Cut: true, Saved: &decide.Saved{Builds: 4, Seconds: 19800},
		Price: &decide.Price{Builds: 14, Millionths: 455_500, Currency: "USD"}},
		Ended: map[decide.Kind]int{decide.Healed: 5, decide.Reported: 6, decide.Proposed: 1, decide.Requested: 2,
			decide.Undone: 1},
		Refused: 4,
		Rules: []decide.RuleCount{{Rule: "no-grant-configured", Cases: 3}, {Rule: "another-role", Cases: 1},
			{Rule: "untrusted-build", Cases: 1}, {Rule: "wildcard", Cases: 1}, {Rule: "other", Cases: 1}},
		Standing: []decide.Standing{
			{What: "inline policy healed of role codebuild-shop", Project: "shop", Account: "111122223333", Region: "eu-west-1", Cases: 3,
				Since: monday.AddDate(0, 0, -41)},
			{What: "a version of managed policy arn:aws:iam::111122223333:policy/build/site-build-policy", Project: "site",
				Account: "111122223333", Region: "eu-west-1", Cases: 1, Since: monday.AddDate(0, 0, 2)},
			{What: "repository *tools* <https://evil.example/y>", Project: "tools", Account: "111122223333", Region: "eu-west-1", Cases: 1,
				Since: monday.AddDate(0, 0, 3)}},
		Flaky: []decide.FlakyTest{
			{Account: "111122223333", Region: "eu-west-1", Project: "shop", Suite: "tests/test_orders.py", Name: "test_order_is_announced",
				Flaked: 5, LastFlaked: monday.AddDate(0, 0, 3), Builds: 6, Seconds: 666},
			{Account: "111122223333", Region: "eu-west-1", Project: "shop", Name: "*pays* <https://evil.example/x> token=" +
				"ghp_0123456789abcdefghijklmnopqrstuvwxyz", Flaked: 1, LastFlaked: monday, Builds: 1, Seconds: 61, Broken: true}}}
}

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
		"adds · new: not known to have failed before":                    {},
		"adds · new since the last green build, failed once before that": {Failed: 1},
		"adds · failed once before, since 2026-11-20 09:30 UTC":          {Times: 1, Failed: 4, Since: day},
		"adds · failed 1,200 times before, since 2026-11-20 09:30 UTC":   {Times: 1200, Failed: 1200, Since: day, Commits: 3},
		"adds · new since the last green build, failed 7 times before that · " +
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

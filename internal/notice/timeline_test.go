package notice

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/decide"
)

// TestTimelineOfAReplay ensures that an undo, a replay by a person and a second write are listed
// in that order, and a build's failure once.
func TestTimelineOfAReplay(t *testing.T) {
	at := func(minute int) time.Time { return time.Date(2026, 11, 22, 10, minute, 0, 0, time.UTC) }
	plan := &decide.Decision{Plan: &decide.Plan{Repository: "shop", Route: decide.RouteBuild}}
	first := codebuild.Build{ID: "shop:1", Number: 1, End: at(1)}
	o := decide.Outcome{Kind: decide.Undone, At: at(9), Round: 1, Case: decide.Case{Rounds: []decide.Round{
		{Build: first, Decision: plan, Written: at(2), RetryAt: at(2), Retry: "shop:2", Undone: at(3)},
		{Build: first, Replayed: at(4), Decision: plan, Written: at(5), RetryAt: at(6), Retry: "shop:3", Undone: at(8)},
	}}}
	var got []string
	for _, e := range timeline(newView(o)) {
		got = append(got, e.At.Format("15:04 ")+e.What)
	}
	want := []string{
		"10:01 Build #1 failed.",
		"10:02 " + did(*plan.Plan, ""),
		"10:02 Started the build again: shop:2.",
		"10:03 Undone: the previous state is restored.",
		"10:04 Somebody replayed the failure of build #1.",
		"10:05 " + did(*plan.Plan, ""),
		"10:06 Started the build again: shop:3.",
		"10:08 Undone: the previous state is restored.",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

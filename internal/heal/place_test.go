package heal

import (
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/decide"
)

// TestPlaceStays ensures that a case stays where it is in the index while it may: a locked one also
// too early, since a sweep leaves it alone, no other one, and none too late by more than a sweep.
func TestPlaceStays(t *testing.T) {
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	const locked, waits, retried, closed = "locked", "waits", "retried", "closed"
	for _, row := range []struct {
		state     string
		was, want time.Duration // from now; 0: none
	}{
		{locked, 0, busyFor},
		{locked, -time.Second, busyFor},
		{locked, time.Second, time.Second},
		{locked, busyFor, busyFor},
		{locked, busyFor + sweptEvery - 1, busyFor + sweptEvery - 1},
		{locked, busyFor + sweptEvery, busyFor},
		{waits, 0, 3 * time.Minute},
		{waits, time.Minute, 3 * time.Minute},
		{waits, 3*time.Minute - 1, 3 * time.Minute},
		{waits, busyFor, busyFor},
		{waits, 3*time.Minute + sweptEvery, 3 * time.Minute},
		{retried, busyFor, awaitFor},
		{retried, awaitFor + time.Minute, awaitFor + time.Minute},
		{closed, busyFor, 0},
		{closed, 0, 0},
	} {
		c := &held{Case: decide.Case{Rounds: []decide.Round{{Step: decide.StepReceived}}}}
		switch row.state {
		case locked:
			c.Busy = now.Add(busyFor)
		case waits:
			c.Rounds[0].NotYet = now.Add(2 * time.Minute)
		case retried:
			c.Rounds[0].Step = decide.StepRetried
		case closed:
			c.Closed = now
		}
		if row.was != 0 {
			c.placed = now.Add(row.was)
		}
		want := time.Time{}
		if row.want != 0 {
			want = now.Add(row.want)
		}
		if got := c.place(now); !got.Equal(want) {
			t.Errorf("%s, due in %v: is due in %v, want %v", row.state, row.was, got.Sub(now), row.want)
		}
	}
}

package heal_test

import (
	"testing"
	"time"
)

// TestMemoryKeepsItsPlace ensures that what is remembered of a project stays where it is in the
// index, however often it is written, since each move would cost as much as two writes.
func TestMemoryKeepsItsPlace(t *testing.T) {
	s := crowd(t, 1, 3)
	s.drain()
	it, err := s.Store.Get(t.Context(), "past", "111122223333 us-east-1 p0")
	first := s.Sim.Builds("p0")[0].End
	if err != nil || it.Version < 6 || it.Due.Before(first) || it.Due.After(first.Add(time.Minute)) {
		t.Errorf("after %d writes it is due %v after the first failure, %v", it.Version, it.Due.Sub(first), err)
	}
	costs, err := s.Inbox.Healer.Costs(t.Context(), "", time.Time{}, s.Sim.Clock.Now())
	if err != nil || costs.Total.Builds != 3 {
		t.Errorf("%d builds are remembered, %v", costs.Total.Builds, err)
	}
}

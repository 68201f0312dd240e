package heal

import (
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/decide"
)

// TestInTurn: within as few sweeps as can be, each run is looked at, however many there are.
func TestInTurn(t *testing.T) {
	start := time.Date(2026, 11, 30, 9, 7, 0, 0, time.UTC)
	for n := range 3 * mostWaiting * 3 {
		runs := make([]decide.HostRun, n)
		for i := range runs {
			runs[i].ID = int64(i)
		}
		sweeps, seen := (n+mostWaiting-1)/mostWaiting, map[int64]bool{}
		for i := range sweeps + 1 { // one more where the count begins anew
			got := inTurn(runs, start.Add(time.Duration(i)*sweptEvery))
			if len(got) != min(n, mostWaiting) {
				t.Fatalf("%d of %d runs", len(got), n)
			}
			for _, r := range got {
				seen[r.ID] = true
			}
		}
		if len(seen) != n {
			t.Errorf("%d of %d runs were looked at in %d sweeps", len(seen), n, sweeps+1)
		}
	}
}

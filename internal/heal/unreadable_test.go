package heal_test

import (
	"testing"

	"github.com/buildmedic/buildmedic/internal/simaws"
)

// TestBatchesUnreadable: where projects cannot be read, a sweep does not ask for each of them.
func TestBatchesUnreadable(t *testing.T) {
	const n = 30
	for name, fault := range map[string]simaws.Fault{
		"denied": {Code: "AccessDeniedException", Status: 400}, "throttled": {Throttle: true},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, shop(n, ""), shopSettings(n, ""))
			calls := 0
			s.Sim.Hook(func(c simaws.Call) simaws.Fault {
				if c.Operation == "BatchGetProjects" && !c.Done {
					calls++
					return fault
				}
				return simaws.Fault{}
			})
			_, _ = s.Inbox.Invoke(t.Context(), []byte(`{"sweep":{}}`))
			if calls > 4 {
				t.Errorf("%d calls in one sweep of %d projects", calls, n)
			}
		})
	}
}

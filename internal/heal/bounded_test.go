package heal_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/decide"
)

// TestIncidentBounded: a registry is down for longer than an incident lasts, and somebody's projects are green now and
// then. No member is started more than [decide.MaxSpared] times and limits.rounds, however many there are.
func TestIncidentBounded(t *testing.T) {
	const rounds = 2
	for _, n := range []int{3, 4, 8} {
		limits := fmt.Sprintf("incident_projects: 2, retries_per_hour: 500, rounds: %d", rounds)
		s := outageOf(t, n, "20h", limits, "", func(i int) string {
			if i < n-n/4 {
				return "{run: npm ci, needs: npm.example.com}"
			}
			return fmt.Sprintf("{run: npm ci, fails: {times: %d, prints: \"%s\"}}", 1+i%3, npmDown)
		})
		s.startAll(n, 5*time.Second)
		s.hours(14)
		most := 0
		for _, c := range s.allCases() {
			again := 0
			for _, r := range c.Rounds {
				if r.Retry != "" {
					again++
				}
			}
			if most = max(most, again); again > decide.MaxSpared+rounds {
				t.Errorf("%d projects: %s was started again %d times", n, c.Project, again)
			}
			if c.Closed.IsZero() {
				t.Errorf("%d projects: the case of %s is still open", n, c.Project)
			}
		}
		t.Logf("%d projects: %d starts, at most %d of one, %q", n, s.count("RetryBuild"), most, s.subjects())
	}
}

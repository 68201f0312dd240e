package heal_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/decide"
)

// TestFalseDawn: somebody with a few projects of his own, whose builds print what the others' do and are green when they
// are started again, cannot use up the others' rounds while their registry is down: once it is back they are healed.
func TestFalseDawn(t *testing.T) {
	for _, hostile := range []int{0, 1, 4} {
		const honest = 5
		prints, _ := json.Marshal(strings.NewReplacer(`\n`, "\n").Replace(npmDown))
		s := outageOf(t, honest+hostile, "100m", "incident_projects: 3", "", func(i int) string {
			if i < honest {
				return "{run: npm ci, needs: npm.example.com}"
			}
			return fmt.Sprintf("{run: npm ci, fails: {times: 1, prints: %s}}", prints)
		})
		var ids []string
		for i := range honest + hostile {
			ids = append(ids, s.start(fmt.Sprintf("p%d", honest+hostile-1-i)))
			s.pass(5 * time.Second)
		}
		s.drain()
		for _, id := range ids {
			c := s.of(id)
			var i int
			fmt.Sscanf(c.Project, "p%d", &i)
			if i < honest && c.Outcome != decide.Healed {
				t.Errorf("%d hostile: %s: %s after %d rounds %v, %s after its failure", hostile, c.Project, c.Outcome, len(c.Rounds),
					refusals(c), c.Closed.Sub(c.Rounds[0].Build.End))
			}
		}
		t.Logf("%d hostile: %d starts, %q", hostile, s.count("RetryBuild"), s.subjects())
	}
}

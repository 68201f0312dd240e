package heal_test

import (
	"strings"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/decide"
)

// TestJobsOfOneRun: two jobs of one run fail of something that passes, as in any outage. GitHub makes one new attempt of
// the run for the job that is run again first. What it lists of the other one is not known, so that
// is left to a person, who is told so, and not that it was run again.
func TestJobsOfOneRun(t *testing.T) {
	was := played(t, "runner-job-run-again")
	world := string(was.Story.World)
	const first = "        - {name: test, project: shop, dies: {times: 1, after: 30s}}\n"
	world = strings.Replace(world, first, first+
		"        - {name: lint, project: lint, dies: {times: 1, after: 35s}}\n", 1)
	i := strings.Index(world, "  - name: shop\n")
	world += strings.Replace(world[i:], "name: shop", "name: lint", 1)
	set := strings.Replace(string(was.Story.Settings), "projects:\n",
		"projects:\n  - {name: lint, role: shop-role, mode: heal, runner: {rerun: true}, code: {github: example/shop, tell: none}}\n", 1)
	s := open(t, world, set)
	s.drain()
	for range 8 {
		s.Sim.Clock.Advance(15 * time.Minute)
		s.do(`{"sweep":{}}`)
		s.drain()
	}
	healed, told := 0, 0
	for _, p := range []string{"shop", "lint"} {
		switch c := s.of(s.Sim.Builds(p)[0].ID); c.Outcome {
		case decide.Healed:
			healed++
		case decide.Reported, decide.Failed:
			told++
		default:
			t.Errorf("%s: %s %v", p, c.Outcome, refusals(c))
		}
	}
	said := 0
	for _, n := range s.Sim.Notices() {
		if strings.Contains(strings.ToLower(n.Message), "another job of its run was run again since") {
			said++
		}
		if strings.Contains(n.Message, "Its run was run again since") {
			t.Errorf("a notice says that it was run again: %s", n.Subject)
		}
	}
	if healed != 1 || told != 1 || said != 1 {
		t.Errorf("%d healed, %d told, %d of them why", healed, told, said)
	}
}

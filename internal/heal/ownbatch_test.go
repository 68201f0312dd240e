package heal_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/simaws"
)

// lone is a project whose builds may do all that they want, with a batch that fails by itself.
func lone(fails string) string {
	world := strings.Replace(shop(1, "    batch: [a, b]\n    batch_fails: [{"+fails+"}]\n"), "aws s3 cp x s3://dist/x", "make check", 1)
	return world
}

const faulty = "status: FAULT, code: INTERNAL_SERVICE_ERROR, message: CodeBuild is experiencing an issue"

// retries is how often the project's batches were retried, by whomever.
func (s *stage) retries() int { return s.Sim.Attempts("p0") - len(s.Sim.Batches("p0")) }

// hours lets the schedule sweep for so long.
func (s *stage) hours(n int) {
	s.t.Helper()
	for range 4 * n {
		s.drain()
		if err := s.Restart(); err != nil {
			s.t.Fatal(err)
		}
		s.Sim.Clock.Advance(15 * time.Minute)
		_, _ = s.Inbox.Invoke(s.t.Context(), []byte(`{"sweep":{}}`)) // it may die
	}
	s.drain()
}

// ofBatch reads the case of the project's first batch.
func (s *stage) ofBatch() decide.Case {
	s.t.Helper()
	return s.of(s.Sim.Batches("p0")[0])
}

// TestBatchFailsByItself plays batches that fail although none of their builds does, with what may go
// wrong on the way. Each is one case, retried as often as it has to be, and told healed once.
func TestBatchFailsByItself(t *testing.T) {
	for _, how := range []struct {
		name, fails string
		retries     int
	}{
		{"before its first build", "phase: SUBMITTED, times: 1, " + faulty, 1},
		{"as its builds run", "phase: IN_PROGRESS, after: 30s, times: 1, " + faulty, 1},
		{"twice before its first build", "phase: SUBMITTED, times: 2, " + faulty, 2},
		{"in a status that nobody knows", "phase: SUBMITTED, times: 1, " + strings.Replace(faulty, "FAULT", "CLIENT_ERROR", 1), 1},
	} {
		for name, trouble := range map[string]func(*stage){
			"nothing":            func(*stage) {},
			"all events lost":    func(s *stage) { s.Sim.SetTrouble(simaws.Trouble{DropEvents: 1}) },
			"events twice":       func(s *stage) { s.Sim.SetTrouble(simaws.Trouble{DuplicateEvents: 1}) },
			"events late":        func(s *stage) { s.Sim.SetTrouble(simaws.Trouble{DelayEvents: 10 * time.Minute}) },
			"dead after retry":   func(s *stage) { dieAt(s, "RetryBuildBatch") },
			"dead after looking": func(s *stage) { dieAt(s, "BatchGetBuildBatches") },
			"dead after listing": func(s *stage) { dieAt(s, "ListBuildBatchesForProject") },
		} {
			t.Run(how.name+"/"+name, func(t *testing.T) {
				s := open(t, lone(how.fails), shopSettings(1, ""))
				trouble(s)
				s.startBatch("p0")
				s.hours(6)
				c := s.ofBatch()
				if c.Outcome != decide.Healed || s.retries() != how.retries || s.inline("role-0") != "" {
					t.Errorf("outcome %s, retried %d times, notices %q", c.Outcome, s.retries(), s.subjects())
				}
				if n := strings.Count(strings.Join(s.subjects(), "\n"), "[healed]"); n != 1 {
					t.Errorf("healed told %d times: %q", n, s.subjects())
				}
				for _, b := range s.Sim.Builds("p0") {
					if it, err := s.Store.Get(t.Context(), "build", b.ID); err == nil && string(it.Data) != c.ID {
						t.Errorf("build %s is of case %s, its batch of %s", b.ID, it.Data, c.ID)
					}
				}
			})
		}
	}
}

// TestBatchNeverPasses: a batch that fails by itself each time is retried within limits.rounds, told, and
// left alone.
func TestBatchNeverPasses(t *testing.T) {
	s := open(t, lone("phase: SUBMITTED, "+faulty), shopSettings(1, "rounds: 2"))
	s.startBatch("p0")
	s.hours(8)
	c := s.ofBatch()
	if c.Outcome != decide.Failed || s.retries() != 2 || !slices.Contains(refusals(c), "rounds-used-up") {
		t.Errorf("outcome %s %v, retried %d times", c.Outcome, refusals(c), s.retries())
	}
	ids := map[string]bool{}
	for _, r := range c.Rounds {
		ids[r.Build.ID] = true
	}
	if len(ids) != 3 {
		t.Errorf("its attempts are %v", ids)
	}
	n := len(s.Sim.Notices())
	s.hours(3)
	if len(s.Sim.Notices()) != n {
		t.Errorf("told again: %q", s.subjects())
	}
	s.Sim.Clock.Advance(25 * time.Hour)
	if a := s.do(fmt.Sprintf(`{"replay":{"build":%q}}`, last(c.Rounds).Build.ID)); !a.Done {
		t.Errorf("replay: %+v", a)
	}
	if s.hours(2); s.retries() != 4 { // another budget of two
		t.Errorf("a replay a day later: retried %d times", s.retries())
	}
}

// TestPersonRetriesBatch: a person retries a batch that failed by itself before the healer does, or after
// it had given up.
func TestPersonRetriesBatch(t *testing.T) {
	t.Run("before", func(t *testing.T) {
		s := open(t, lone("phase: SUBMITTED, times: 1, "+faulty), shopSettings(1, ""))
		s.Sim.After(10*time.Minute+30*time.Second, func() { s.Sim.RetryBatch("p0") })
		s.startBatch("p0")
		s.Sim.Clock.Advance(10 * time.Minute)
		s.do(`{"sweep":{}}`) // it waits a minute before it retries
		s.hours(3)
		if c := s.ofBatch(); c.Outcome != decide.Healed || s.retries() != 1 || len(s.Sim.Builds("p0")) != 2 {
			t.Errorf("outcome %s, retried %d times, %d builds", c.Outcome, s.retries(), len(s.Sim.Builds("p0")))
		}
	})
	t.Run("in vain", func(t *testing.T) {
		s := open(t, lone("phase: DOWNLOAD_BATCHSPEC, code: YAML_FILE_ERROR, message: YAML file does not exist"), shopSettings(1, ""))
		s.startBatch("p0")
		s.hours(1)
		if c := s.ofBatch(); c.Outcome != decide.Reported || len(c.Rounds) != 1 {
			t.Fatalf("outcome %s, %d rounds", c.Outcome, len(c.Rounds))
		}
		s.Sim.Clock.Advance(3 * 24 * time.Hour)
		if !s.Sim.RetryBatch("p0") {
			t.Fatal("not retried")
		}
		s.hours(1)
		if c := s.ofBatch(); c.Outcome != decide.Reported || last(c.Rounds).Build.Attempt() != 2 {
			t.Errorf("outcome %s, the last round is of attempt %d", c.Outcome, last(c.Rounds).Build.Attempt())
		}
		if n := len(s.Sim.Notices()); n != 2 {
			t.Errorf("%d notices: %q", n, s.subjects())
		}
	})
}

// TestPersonStopsChild: a batch of which a person stopped a build is left alone.
func TestPersonStopsChild(t *testing.T) {
	s := open(t, strings.Replace(lone("phase: SUBMITTED, from: 9"), "takes: 60s", "takes: 300s", 1), shopSettings(1, ""))
	s.startBatch("p0")
	s.Sim.Clock.Advance(40 * time.Second)
	if err := s.Sim.Stop(s.Sim.Builds("p0")[0].ID); err != nil {
		t.Fatal(err)
	}
	s.hours(2)
	if n := len(s.Sim.Notices()); n != 0 || s.retries() != 0 {
		t.Errorf("retried %d times, notices %q", s.retries(), s.subjects())
	}
}

// TestBatchesAreListedSparingly: of projects without batches CodeBuild is asked once a day, many with one
// call; of one with batches that all were green, they are listed, and each is read once.
func TestBatchesAreListedSparingly(t *testing.T) {
	world := strings.Replace(shop(5, ""), "  - name: p0\n", "  - name: p0\n    batch: [a]\n", 1)
	world = strings.ReplaceAll(world, "aws s3 cp x s3://dist/x", "make check")
	s := open(t, world, shopSettings(5, ""))
	s.startBatch("p0")
	s.hours(1)
	calls := map[string]int{}
	s.Sim.Hook(func(c simaws.Call) simaws.Fault {
		if !c.Done {
			calls[c.Operation]++
		}
		return simaws.Fault{}
	})
	s.hours(3)
	if calls["ListBuildBatchesForProject"] != 12 || calls["BatchGetBuildBatches"] != 0 || calls["BatchGetProjects"] != 0 ||
		calls["ListBuildsForProject"] != 60 {
		t.Errorf("calls of twelve sweeps: %v", calls)
	}
}

package heal_test

import (
	"strings"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/simaws"
)

// twins is a project whose batch has two builds that fail for want of the
// same permission. Once they have it, b takes a minute longer than a.
func twins() string {
	world := shop(1, "    batch: [a, {identifier: b, buildspec: b.yml}]\n")
	return strings.Replace(world, "buildspecs: {buildspec.yml: {build: [{run: make, takes: 60s}, aws s3 cp x s3://dist/x]}}",
		"buildspecs: {buildspec.yml: {build: [{run: make, takes: 60s}, aws s3 cp x s3://dist/x]}, "+
			"b.yml: {build: [{run: make, takes: 60s}, aws s3 cp x s3://dist/x, {run: make check, takes: 60s}]}}", 1)
}

func (s *stage) startBatch(project string) {
	s.t.Helper()
	if _, err := s.Sim.Run(simaws.Start{Project: project, Version: "refs/heads/main", Batch: true}); err != nil {
		s.t.Fatal(err)
	}
}

// TestBatchIsHealedAsAWhole plays a batch whose builds all heal, with what
// may go wrong on the way. It is retried once and told healed once, and only
// when its last build is green.
func TestBatchIsHealedAsAWhole(t *testing.T) {
	for name, trouble := range map[string]func(*stage){
		"nothing":            func(*stage) {},
		"all events lost":    func(s *stage) { s.Sim.SetTrouble(simaws.Trouble{DropEvents: 1}) },
		"events late":        func(s *stage) { s.Sim.SetTrouble(simaws.Trouble{DelayEvents: 10 * time.Minute}) },
		"events twice":       func(s *stage) { s.Sim.SetTrouble(simaws.Trouble{DuplicateEvents: 1}) },
		"dead after retry":   func(s *stage) { dieAt(s, "RetryBuildBatch") },
		"dead after looking": func(s *stage) { dieAt(s, "BatchGetBuildBatches") },
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, twins(), shopSettings(1, ""))
			trouble(s)
			s.startBatch("p0")
			for range 30 {
				s.drain()
				if err := s.Restart(); err != nil {
					t.Fatal(err)
				}
				s.Sim.Clock.Advance(5 * time.Minute)
				s.do(`{"sweep":{}}`)
			}
			s.drain()
			bs := s.Sim.Builds("p0")
			var end time.Time
			for _, b := range bs {
				if b.End.After(end) {
					end = b.End
				}
			}
			c := s.of(bs[0].ID)
			if c.Outcome != decide.Healed || len(bs) != 4 || c.Closed.Before(end) {
				t.Errorf("outcome %s at %v, %d builds until %v, notices %q", c.Outcome, c.Closed, len(bs), end, s.subjects())
			}
			if got := strings.Count(strings.Join(s.subjects(), "\n"), "[healed]"); got != 1 {
				t.Errorf("healed told %d times: %q", got, s.subjects())
			}
		})
	}
}

// TestBatchStopped: a batch that somebody stops after its retry is left
// alone, and one of its builds being green by then heals nothing.
func TestBatchStopped(t *testing.T) {
	s := open(t, twins(), shopSettings(1, ""))
	s.Sim.Hook(func(c simaws.Call) simaws.Fault {
		if c.Operation == "RetryBuildBatch" && c.Done && c.Error == "" {
			s.Sim.After(110*time.Second, func() { _ = s.Sim.Stop(last(s.Sim.Builds("p0")).ID) }) // b: a is green
		}
		return simaws.Fault{}
	})
	s.startBatch("p0")
	s.drain()
	c := s.of(s.Sim.Builds("p0")[0].ID)
	if c.Outcome != decide.Failed || len(s.Sim.Builds("p0")) != 4 || strings.Contains(strings.Join(s.subjects(), "\n"), "[healed]") {
		t.Errorf("outcome %s, %d builds, notices %q", c.Outcome, len(s.Sim.Builds("p0")), s.subjects())
	}
}

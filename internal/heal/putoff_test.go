package heal_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/simaws"
	"github.com/buildmedic/buildmedic/internal/story"
)

// TestPutOff: of a full batch of failures the first of each role has its log read, and waits for its
// turn at IAM in a queue of its own. The others follow it by then, so that their logs are never read.
func TestPutOff(t *testing.T) {
	s := crowd(t, 3, 4)
	ctx := context.Background()
	ms := story.NextBatch(ctx, s.Sim, 10)
	if len(ms) != 10 {
		t.Fatalf("%d messages", len(ms))
	}
	if again, err := s.DeliverBatch(ctx, ms...); err != nil || len(again) > 0 {
		t.Fatalf("%q, %v", again, err)
	}
	for _, m := range ms {
		m.Ack()
	}
	waiting := s.Sim.Queued(simaws.Cures)
	if len(waiting) != 3 || !strings.Contains(waiting[0], "continue") {
		t.Errorf("waiting for their turn: %q", waiting)
	}
	for _, c := range s.Sim.Calls() {
		if c.Service == "iam" {
			t.Errorf("IAM is asked for %s in the batch itself", c.Operation)
		}
	}
	leaders, followers := 0, 0
	for p := range 3 {
		for _, b := range s.Sim.Builds(fmt.Sprintf("p%d", p)) {
			if _, err := s.Store.Get(ctx, "build", b.ID); err != nil {
				continue // not in the batch
			}
			switch r := s.of(b.ID).Rounds[0]; {
			case r.Follows != "" && r.Diagnosis == nil:
				followers++
			case r.Diagnosis != nil && r.Decision == nil:
				leaders++
			default:
				t.Errorf("build %s: %+v", b.ID, r)
			}
		}
	}
	if leaders != 3 || followers != 7 {
		t.Errorf("%d lead and %d follow", leaders, followers)
	}
	s.drain()
	for p := range 3 {
		for _, b := range s.Sim.Builds(fmt.Sprintf("p%d", p))[:4] {
			if c := s.of(b.ID); c.Outcome != decide.Healed || len(c.Rounds) != 1 {
				t.Errorf("%s: %s after %d rounds, %v", b.ID, c.Outcome, len(c.Rounds), refusals(c))
			}
		}
	}
	for operation, want := range map[string]int{"GetLogEvents": 3, "PutRolePolicy": 3, "RetryBuild": 12} {
		if n := s.count(operation); n != want {
			t.Errorf("%d times %s, want %d\n%s", n, operation, want, transcript(s.Stage))
		}
	}
}

// TestPutOffOnlyForACure: of a full batch, what no grant can cure is told at once.
func TestPutOffOnlyForACure(t *testing.T) {
	world, set := story.Crowd(1, 10)
	world = []byte(strings.ReplaceAll(string(world), "aws s3 cp x s3://dist/x", `{run: make, fails: {prints: "no rule"}}`))
	s := open(t, string(world), string(set))
	for c := range 10 {
		if _, err := s.Sim.Run(simaws.Start{Project: "p0", Version: fmt.Sprintf("refs/heads/b%d", c)}); err != nil {
			t.Fatal(err)
		}
	}
	ctx := context.Background()
	ms := story.NextBatch(ctx, s.Sim, 10)
	if again, err := s.DeliverBatch(ctx, ms...); err != nil || len(again) > 0 || len(ms) != 10 {
		t.Fatalf("%d messages: %q, %v", len(ms), again, err)
	}
	if waiting := s.Sim.Queued(simaws.Cures); len(waiting) > 0 {
		t.Errorf("waiting: %q", waiting)
	}
	for _, b := range s.Sim.Builds("p0") {
		if c := s.of(b.ID); c.Outcome != decide.Reported {
			t.Errorf("%s: %s at %s", b.ID, c.Outcome, c.Rounds[0].Step)
		}
	}
}

// TestPutOffTwice: two cases of one role that are put off at the same time do not both lead. Who comes
// second follows the first, also if it has read its own log by then.
func TestPutOffTwice(t *testing.T) {
	s := crowd(t, 1, 2)
	ctx := context.Background()
	ms := story.NextBatch(ctx, s.Sim, 10)
	if len(ms) != 2 {
		t.Fatalf("%d messages", len(ms))
	}
	other, err := s.Instance(s.Config(simaws.FunctionKey), &strings.Builder{})
	if err != nil {
		t.Fatal(err)
	}
	ended := func(b string) heal.Ended {
		return heal.Ended{At: s.Inbox.Healer.Home, Project: "p0", Build: b, Status: "FAILED", Crowded: true}
	}
	builds := s.Sim.Builds("p0")
	between := false
	s.Sim.Hook(func(c simaws.Call) simaws.Fault {
		if c.Operation == "GetLogEvents" && c.Done && !between { // the first has read its log
			between = true
			if err := other.Healer.BuildEnded(ctx, ended(builds[1].ID)); err != nil {
				t.Error(err)
			}
		}
		return simaws.Fault{}
	})
	if err := s.Inbox.Healer.BuildEnded(ctx, ended(builds[0].ID)); err != nil || !between {
		t.Fatal(between, err)
	}
	follows := []string{s.of(builds[0].ID).Rounds[0].Follows, s.of(builds[1].ID).Rounds[0].Follows}
	if slices.Sort(follows); follows[0] != "" || follows[1] == "" || len(s.Sim.Queued(simaws.Cures)) != 1 {
		t.Errorf("they follow %q, and %q wait", follows, s.Sim.Queued(simaws.Cures))
	}
	for _, m := range ms {
		m.Ack()
	}
	s.drain()
	for _, b := range builds[:2] {
		if c := s.of(b.ID); c.Outcome != decide.Healed {
			t.Errorf("%s: %s, %v", b.ID, c.Outcome, refusals(c))
		}
	}
	if writes := s.count("PutRolePolicy"); writes != 1 {
		t.Errorf("%d writes", writes)
	}
}

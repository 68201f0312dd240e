package heal_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/simaws"
	"github.com/buildmedic/buildmedic/internal/story"
)

// TestFollowersAreSeenEarly: where IAM is slow and the first failures are each of another role, an
// invocation looks into few of them, and the failures that only have to follow do not wait for all.
func TestFollowersAreSeenEarly(t *testing.T) {
	const roles, each = 10, 3
	s := crowd(t, roles, each)
	s.Sim.Hook(func(c simaws.Call) simaws.Fault {
		if c.Service == "iam" && !c.Done {
			s.Sim.Clock.Advance(time.Second)
		}
		return simaws.Fault{}
	})
	ctx := context.Background()
	joined := func() (n int) { // that wait, before any build was started again
		for _, c := range s.allCases() {
			if len(c.Rounds) > 0 && c.Rounds[0].Follows != "" {
				n++
			}
		}
		return n
	}
	early := -1
	for range 200 {
		ms := story.NextBatch(ctx, s.Sim, roles)
		if len(ms) == 0 {
			break
		}
		again, err := s.DeliverBatch(ctx, ms...)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range ms {
			if slices.Contains(again, m.ID) {
				m.Nack()
			} else {
				m.Ack()
			}
		}
		if early < 0 && joined() == roles*(each-1) {
			early = s.count("PutRolePolicy")
		}
	}
	for i := range roles {
		for _, b := range s.Sim.Builds(fmt.Sprintf("p%d", i))[:each] {
			if c := s.of(b.ID); c.Outcome != "healed" || len(c.Rounds) != 1 {
				t.Errorf("%s: %s after %d rounds", b.ID, c.Outcome, len(c.Rounds))
			}
		}
	}
	if n := s.count("PutRolePolicy"); n != roles || s.count("GetLogEvents") != roles {
		t.Errorf("%d writes for %d roles, %d logs were read", n, roles, s.count("GetLogEvents"))
	}
	if early < 1 || early > roles/2 {
		t.Errorf("all followers were known after %d of %d roles had been written", early, roles)
	}
}

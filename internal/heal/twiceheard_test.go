package heal_test

import (
	"context"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// TestActionWithoutResult: an event of a pipeline's action may lack what the action ran. Its record has that, so that the
// failed build of which a case knows already makes no other case, as if it had never been started.
func TestActionWithoutResult(t *testing.T) {
	s := played(t, "event-lost-backed-up")
	s.drain()
	b := s.Sim.Builds("shop")[0]
	at := settings.Account{ID: "111122223333", Region: "us-east-1"}
	run, err := s.Inbox.Healer.Pipelines.RunOf(context.Background(), at, "shop-main", b.ID, s.Sim.Clock.Now().Add(-time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	before := len(s.Sim.Notices())
	heard := heal.ActionFailed{At: at, ActionRegion: at.Region, Action: run.Action}
	if err := s.Inbox.Healer.ActionFailed(context.Background(), heard); err != nil {
		t.Fatal(err)
	}
	s.drain()
	if more := s.subjects()[before:]; len(more) > 0 {
		t.Errorf("told twice: %q", more)
	}
}

package heal_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/heal"
)

// withoutCase is a ledger that has forgotten a case.
type withoutCase struct {
	heal.Store
	id string
}

func (f withoutCase) Get(ctx context.Context, kind, id string) (heal.Item, error) {
	if kind == "case" && id == f.id {
		return heal.Item{}, heal.ErrNotFound
	}
	return f.Store.Get(ctx, kind, id)
}

// TestIncidentSpeakerGone: once the case that has opened an incident is gone, another member's speaks for it, so that
// those who are told of by the incident alone are told of, each once.
func TestIncidentSpeakerGone(t *testing.T) {
	s := outage(t, 9, "0s", "incident_projects: 4", "")
	s.tokenExpired(3 * time.Hour)
	s.startAll(7, 5*time.Second)
	s.pass(5 * time.Minute)
	if n := len(s.incidents()); n != 1 {
		t.Fatalf("%d notices of the incident", n)
	}
	s.Inbox.Healer.Store = withoutCase{s.Inbox.Healer.Store, s.incidents()[0].Case.ID}
	late := s.start("p7")
	s.pass(time.Hour)
	told := 0
	for _, m := range s.Sim.Notices() {
		if strings.Contains(m.ByProtocol["sqs"], late) {
			told++
		}
	}
	if told != 1 || len(s.incidents()) != 2 {
		t.Errorf("build %s is named in %d notices: %q", late, told, s.subjects())
	}
}

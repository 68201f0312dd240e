package heal

import (
	"context"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// turns counts the turns that it gives.
type turns struct {
	Store
	n int
}

func (s *turns) Turn(_ context.Context, _, _ string, _ int, _ time.Time, p Pace) (time.Time, bool, error) {
	s.n++
	return p.From, true, nil
}

type nobody struct {
	Notifier
	Journal
}

func (nobody) Notify(context.Context, decide.Outcome) error { return nil }
func (nobody) Record(decide.Outcome)                        {}
func (nobody) Asked(decide.Asked)                           {}
func (nobody) Told(decide.Told)                             {}

// TestMissedTurn ensures that a notice keeps the turn that was taken while its case was recorded,
// unless that took so long that the turn is over, or it is another notice's.
func TestMissedTurn(t *testing.T) {
	now := time.Date(2026, 11, 22, 10, 30, 0, 0, time.UTC)
	for what, row := range map[string]struct {
		was          turn
		taken, slept int
	}{
		"none yet":         {turn{}, 1, 0},
		"now":              {turn{"c.1", "", true, now}, 0, 0},
		"to come":          {turn{"c.1", "", true, now.Add(time.Second)}, 0, 1},
		"a moment ago":     {turn{"c.1", "", true, now.Add(-noticeEvery)}, 0, 0},
		"too long ago":     {turn{"c.1", "", true, now.Add(-noticeEvery - 1)}, 1, 0},
		"to another":       {turn{"c.1", "web", true, now}, 1, 0},
		"of another":       {turn{"c.0", "", true, now}, 1, 0},
		"of another's own": {turn{"d.1", "", true, now.Add(time.Second)}, 1, 0},
	} {
		s, slept := &turns{}, 0
		h := &Healer{Settings: &settings.Settings{}, Store: s, Clock: standstill(now), Notifier: nobody{}, Journal: nobody{},
			Sleep: func(context.Context, time.Duration) error { slept++; return nil }}
		if err := h.notify(t.Context(), decide.Outcome{ID: "c.1"}, row.was); err != nil || s.n != row.taken || slept != row.slept {
			t.Errorf("%s: %d turns are taken, it waits %d times, %v", what, s.n, slept, err)
		}
	}
}

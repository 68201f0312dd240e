package heal

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// turns counts the turns that it gives.
type turns struct {
	Store
	n    int
	by   []string // whom it counted
	left *int     // nil: it has any number
}

func (s *turns) Turn(_ context.Context, _, by string, _ int, _ time.Time, p Pace) (time.Time, bool, error) {
	if s.left != nil && s.n == *s.left {
		return time.Time{}, false, ErrLater
	}
	s.n, s.by = s.n+1, append(s.by, by)
	return p.From, true, nil
}

type nobody struct {
	Notifier
	Journal
}

func (nobody) Notify(ctx context.Context, _ decide.Outcome, turn Await) error { return turn(ctx) }
func (nobody) Record(decide.Outcome)                                          {}
func (nobody) Asked(decide.Asked)                                             {}
func (nobody) Told(decide.Told)                                               {}

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

// tries sends at the last of so many tries, each of which takes a turn.
type tries struct {
	Notifier
	n int
}

func (n tries) Notify(ctx context.Context, _ decide.Outcome, turn Await) error {
	for range n.n - 1 {
		if err := turn(ctx); err != nil {
			return errors.New("the notifier has its own words for it")
		}
	}
	return turn(ctx)
}

// TestTurnOfEachTry ensures that a notice is counted once, and has a turn for each try: the one that
// it has already for the first. Where the turns fail, sending has not: nobody takes the owner for one who
// cannot be told.
func TestTurnOfEachTry(t *testing.T) {
	now := time.Date(2026, 11, 22, 10, 30, 0, 0, time.UTC)
	for what, row := range map[string]struct {
		was   turn
		tries int
		left  int // turns that there are
		want  []string
		err   error
	}{
		"one try":                    {turn{}, 1, 9, []string{"c.1"}, nil},
		"one try, which has a turn":  {turn{"c.1", "", true, now}, 1, 9, nil, nil},
		"three tries":                {turn{}, 3, 9, []string{"c.1", "", ""}, nil},
		"three, with a turn":         {turn{"c.1", "", true, now}, 3, 9, []string{"", ""}, nil},
		"three, where there are two": {turn{}, 3, 2, []string{"c.1", ""}, ErrLater},
		"none":                       {turn{}, 1, 0, nil, ErrLater},
	} {
		s := &turns{left: &row.left}
		h := &Healer{Settings: &settings.Settings{}, Store: s, Clock: standstill(now), Notifier: tries{n: row.tries}, Journal: nobody{},
			Sleep: func(context.Context, time.Duration) error { return nil }}
		err := h.notify(t.Context(), decide.Outcome{ID: "c.1"}, row.was)
		_, unsent := errors.AsType[unsentError](err)
		if !errors.Is(err, row.err) || unsent || !slices.Equal(s.by, row.want) {
			t.Errorf("%s: turns of %q, %v", what, s.by, err)
		}
	}
}

// paced keeps the least pace at which it is asked.
type paced struct {
	Store
	asked []float64
}

func (s *paced) Between(ctx context.Context, _ string, _, _ time.Time, _ bool, _ int) ([]Item, error) {
	s.asked = append(s.asked, LeastPace(ctx))
	return nil, nil
}

func (s *paced) Get(ctx context.Context, _, _ string) (Item, error) {
	s.asked = append(s.asked, LeastPace(ctx))
	return Item{}, ErrNotFound
}

// TestLeastPace ensures that who releases others has a pace of his own, and nobody else has.
func TestLeastPace(t *testing.T) {
	for what, row := range map[string]struct {
		do   func(h *Healer) error
		want float64
	}{
		"a sweep":      {func(h *Healer) error { return h.Sweep(t.Context()) }, 0},
		"a release":    {func(h *Healer) error { return h.Release(t.Context(), Release{Leader: "c"}) }, ReleasePace},
		"a case again": {func(h *Healer) error { return h.Resume(t.Context(), "c") }, 0},
	} {
		s := &paced{}
		h := &Healer{Settings: &settings.Settings{}, Store: s, Clock: standstill(time.Unix(0, 0))}
		other := func(is float64) bool { return is != row.want }
		if err := row.do(h); err != nil || len(s.asked) == 0 || slices.ContainsFunc(s.asked, other) {
			t.Errorf("%s: the ledger was asked at paces of %v, %v; want %v", what, s.asked, err, row.want)
		}
	}
}

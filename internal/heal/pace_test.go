package heal_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/ledger"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// wrong is a clock that is wrong by so much.
type wrong time.Duration

func (w wrong) Now() time.Time { return time.Now().Add(time.Duration(w)) }

// asleep waits in the bubble's time.
func asleep(_ context.Context, d time.Duration) error {
	time.Sleep(d)
	return nil
}

// mailbox keeps when notices came.
type mailbox struct {
	heal.Notifier
	mu            sync.Mutex
	at            []time.Time
	single, parts int
}

func (m *mailbox) Notify(ctx context.Context, _ decide.Outcome, turn heal.Await) error {
	return m.came(ctx, turn, 1, 0)
}

func (m *mailbox) Digest(ctx context.Context, os []decide.Outcome, turn heal.Await) error {
	return m.came(ctx, turn, 0, len(os))
}

func (m *mailbox) came(ctx context.Context, turn heal.Await, single, parts int) error {
	if err := turn(ctx); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.at, m.single, m.parts = append(m.at, time.Now()), m.single+single, m.parts+parts
	return nil
}

type noJournal struct{}

func (noJournal) Record(decide.Outcome) {}
func (noJournal) Asked(decide.Asked)    {}
func (noJournal) Told(decide.Told)      {}

// TestPaceOfNotices ensures that fewer than ten notices come within any second, however many
// instances send them, single ones and digests, over the end of an hour, with clocks that are a
// second apart; and that they come as fast as they may.
func TestPaceOfNotices(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const instances, each, single = 12, 12, 60
		start := time.Now().Truncate(time.Hour).Add(time.Hour - 10*time.Second)
		time.Sleep(time.Until(start))
		box, store := &mailbox{}, ledger.NewMemory(wrong(0))
		var wg sync.WaitGroup
		var hs []*heal.Healer
		for i := range instances {
			h := &heal.Healer{Settings: &settings.Settings{Notify: settings.Notify{Digest: single}}, Store: store, Notifier: box,
				Journal: noJournal{}, Sleep: asleep,
				Clock: wrong(time.Duration(i) * time.Second / (instances - 1))}
			hs = append(hs, h)
			wg.Go(func() {
				for n := range each {
					o := decide.Outcome{ID: fmt.Sprint(i, ".", n)}
					for {
						err := h.Tell(t.Context(), o)
						if err == nil {
							break
						}
						if !errors.Is(err, heal.ErrLater) {
							t.Error(err)
							return
						}
						time.Sleep(time.Second)
					}
				}
				time.Sleep(time.Second)
				if err := h.TellDigest(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		// What was kept while somebody sent the digest comes with the next.
		time.Sleep(time.Second)
		if err := hs[0].TellDigest(t.Context()); err != nil {
			t.Error(err)
		}
		slices.SortFunc(box.at, time.Time.Compare)
		most := 0
		for i := range box.at {
			n := 1
			for n < len(box.at)-i && box.at[i+n].Sub(box.at[i]) < time.Second {
				n++
			}
			most = max(most, n)
		}
		if most >= 10 {
			t.Errorf("%d notices within a second", most)
		}
		if box.single < single || box.single+box.parts != instances*each {
			t.Errorf("%d came one by one, %d in digests", box.single, box.parts)
		}
		if took := time.Since(start); took > time.Duration(len(box.at)+12)*250*time.Millisecond+3*time.Second {
			t.Errorf("%d notices took %v", len(box.at), took)
		}
	})
}

// TestNoticeOutOfTime ensures that a notice whose turn is after the end of the invocation waits for
// none, and is not counted.
func TestNoticeOutOfTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box, store := &mailbox{}, ledger.NewMemory(wrong(0))
		h := &heal.Healer{Settings: &settings.Settings{Notify: settings.Notify{Digest: 4}}, Store: store, Notifier: box,
			Journal: noJournal{}, Clock: wrong(0), Sleep: asleep}
		time.Sleep(time.Minute)
		ctx, cancel := context.WithTimeout(t.Context(), 5600*time.Millisecond)
		defer cancel()
		began := time.Now()
		for i, want := range []error{nil, nil, nil, heal.ErrLater, heal.ErrLater} {
			if err := h.Tell(ctx, decide.Outcome{ID: fmt.Sprint(i)}); !errors.Is(err, want) {
				t.Errorf("notice %d: %v, want %v", i, err, want)
			}
		}
		if took := time.Since(began); took != 500*time.Millisecond || ctx.Err() != nil {
			t.Errorf("it took %v", took)
		}
		for i := range 2 { // of which one has its place still
			if err := h.Tell(t.Context(), decide.Outcome{ID: fmt.Sprint("late ", i)}); err != nil {
				t.Error(err)
			}
		}
		if box.single != 4 {
			t.Errorf("%d came one by one", box.single)
		}
	})
}

// TestNoticesWaitForTheirTurn ensures that notices which have no turn for a long time stay
// recorded, and come then.
func TestNoticesWaitForTheirTurn(t *testing.T) {
	s := open(t, shop(1, ""), shopSettings(1, ""))
	now := s.Sim.Clock.Now()
	until := now.Add(10 * time.Minute)
	_, ok, err := s.Store.Turn(t.Context(), "turns "+now.UTC().Format("2006-01-02T15"), "", 0, now.Add(2*time.Hour),
		heal.Pace{From: until, Latest: until, Every: time.Second})
	if !ok || err != nil {
		t.Fatal(ok, err)
	}
	id := s.start("p0")
	s.drain()
	if c := s.of(id); c.Outcome != decide.Healed || len(c.Outbox) > 0 {
		t.Errorf("outcome %q, %d notices to send", c.Outcome, len(c.Outbox))
	}
	subjects := s.subjects()
	if len(subjects) != 2 || !strings.HasPrefix(subjects[0], "[retrying]") || !strings.HasPrefix(subjects[1], "[healed]") {
		t.Fatalf("notices %q", subjects)
	}
	if first := s.Sim.Notices()[0].At; first.Before(until) {
		t.Errorf("the first came %v too early", until.Sub(first))
	}
}

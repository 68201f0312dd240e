package heal_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/ledger"
	"github.com/buildmedic/buildmedic/internal/simaws"
	"github.com/buildmedic/buildmedic/internal/story"
)

// broken is a ledger whose n-th operation fails.
type broken struct {
	heal.Store
	n   *int
	err error
}

func (b broken) fails() error {
	if *b.n--; *b.n == 0 {
		return b.err
	}
	return nil
}

func (b broken) Get(ctx context.Context, kind, id string) (heal.Item, error) {
	if err := b.fails(); err != nil {
		return heal.Item{}, err
	}
	return b.Store.Get(ctx, kind, id)
}

func (b broken) Put(ctx context.Context, it heal.Item) (heal.Item, error) {
	if err := b.fails(); err != nil {
		return heal.Item{}, err
	}
	return b.Store.Put(ctx, it)
}

func (b broken) Between(ctx context.Context, kind string, from, to time.Time, newest bool, limit int) ([]heal.Item, error) {
	if err := b.fails(); err != nil {
		return nil, err
	}
	return b.Store.Between(ctx, kind, from, to, newest, limit)
}

func (b broken) Count(ctx context.Context, id, by string, max int, expires time.Time) (bool, error) {
	if err := b.fails(); err != nil {
		return false, err
	}
	return b.Store.Count(ctx, id, by, max, expires)
}

func (b broken) Room(ctx context.Context, id, by string, max int) (bool, error) {
	if err := b.fails(); err != nil {
		return false, err
	}
	return b.Store.Room(ctx, id, by, max)
}

// TestLedgerTrouble has each operation on the ledger fail in its turn, as it
// does when DynamoDB is busy and when it is broken: the message comes again,
// and it ends as it would have.
func TestLedgerTrouble(t *testing.T) {
	for _, s := range stories(t) {
		switch s.Name {
		case "tracker-api", "another-role", "stage":
		default:
			continue
		}
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			for n := 1; ; n++ {
				left, ok := troubled(t, s, n, fmt.Errorf("busy: %w", heal.ErrLater)), true
				if n%3 == 0 {
					left = troubled(t, s, n, errors.New("broken"))
				}
				if ok = left > 0; ok || t.Failed() {
					break // the story is over before the n-th operation
				}
			}
		})
	}
}

func troubled(t *testing.T, s story.Story, n int, err error) (left int) {
	left = n
	st, oerr := story.Open(s, story.Options{Store: func(c heal.Clock) heal.Store { return broken{ledger.NewMemory(c), &left, err} }})
	if oerr != nil {
		t.Fatal(oerr)
	}
	defer st.Close()
	ctx := context.Background()
	if rerr := st.Run(ctx); rerr != nil && !strings.Contains(rerr.Error(), err.Error()) {
		t.Errorf("operation %d: %v", n, rerr)
	}
	for range 3 {
		st.Sim.Clock.Advance(30 * time.Minute)
		_, _ = st.Inbox.Invoke(ctx, []byte(`{"sweep":{}}`))
		st.Story.Then = nil
		_ = st.Run(ctx)
	}
	over := left
	left = 0 // what is looked at below is not the function's
	r, rerr := st.Result(ctx)
	if rerr != nil || !r.Closed {
		t.Errorf("operation %d, %v: closed %v, %v", n, err, r.Closed, rerr)
	}
	if got := len(st.Sim.Builds(s.Expect.Project)); got > s.Expect.Builds {
		t.Errorf("operation %d, %v: %d builds, should be %d\n%s", n, err, got, s.Expect.Builds, transcript(st))
	}
	return over
}

// TestLostRetry ensures that a case whose retry tells nothing any more ends.
func TestLostRetry(t *testing.T) {
	s := open(t, shop(1, ""), shopSettings(1, ""))
	s.Sim.Hook(func(c simaws.Call) simaws.Fault {
		if c.Operation == "RetryBuild" && !c.Done {
			s.Sim.SetTrouble(simaws.Trouble{DropEvents: 1})
		}
		return simaws.Fault{}
	})
	id := s.start("p0")
	s.drain()
	s.Sim.Clock.Advance(25 * time.Minute) // the build is over, and nobody said so
	s.do(`{"sweep":{}}`)
	if c := s.of(id); c.Outcome != decide.Healed {
		t.Errorf("outcome %q", c.Outcome)
	}
}

// TestAnotherDay ensures that the same commit failing again a day later has
// budgets of its own, and that what was changed can still be undone.
func TestAnotherDay(t *testing.T) {
	s := open(t, shop(1, ""), shopSettings(1, "rounds: 1"))
	id := s.start("p0")
	s.drain()
	before := s.of(id)
	s.Sim.Clock.Advance(48 * time.Hour)
	if err := s.Sim.PutRolePolicy("role-0", "healed", `{"Version": "2012-10-17", "Statement": []}`); err != nil {
		t.Fatal(err)
	}
	next := s.start("p0")
	s.drain()
	c := s.of(next)
	if c.ID != before.ID || c.Outcome != decide.Healed || len(c.Rounds) != 2 || !c.Rounds[0].Old || c.Rounds[1].Old {
		t.Errorf("case %s (was %s), outcome %s %v, %d rounds", c.ID, before.ID, c.Outcome, refusals(c), len(c.Rounds))
	}
}

// TestRepeats ensures that an equal failure of the same commit within the
// hour is counted and not told again.
func TestRepeats(t *testing.T) {
	s := open(t, shop(1, ""), strings.Replace(shopSettings(1, ""), "mode: heal", "mode: observe", 1))
	for range 3 {
		s.start("p0")
		s.drain()
	}
	if n := len(s.Sim.Notices()); n != 1 {
		t.Errorf("%d notices: %q", n, s.subjects())
	}
	if c := s.of(s.Sim.Builds("p0")[0].ID); c.Repeats != 2 || len(c.Rounds) != 3 {
		t.Errorf("%d repeats, %d rounds", c.Repeats, len(c.Rounds))
	}
}

func transcript(st *story.Stage) string {
	var b strings.Builder
	for _, c := range st.Sim.Calls() {
		fmt.Fprintf(&b, "%s %s\n", c.At.Format("15:04:05"), c)
	}
	return b.String()
}

package heal_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/simaws"
)

// ending is a context whose deadline passes when a test says so.
type ending struct {
	context.Context
	over chan struct{}
	once sync.Once
}

func newEnding(ctx context.Context) *ending { return &ending{Context: ctx, over: make(chan struct{})} }

func (e *ending) end() { e.once.Do(func() { close(e.over) }) }

func (e *ending) Done() <-chan struct{} { return e.over }

func (e *ending) Err() error {
	select {
	case <-e.over:
		return context.DeadlineExceeded
	default:
		return nil
	}
}

// strict is a ledger that refuses, as DynamoDB's client does, what is asked
// after the time is over.
type strict struct{ heal.Store }

func (s strict) Get(ctx context.Context, kind, id string) (heal.Item, error) {
	if err := ctx.Err(); err != nil {
		return heal.Item{}, err
	}
	return s.Store.Get(ctx, kind, id)
}

func (s strict) Put(ctx context.Context, it heal.Item) (heal.Item, error) {
	if err := ctx.Err(); err != nil {
		return heal.Item{}, err
	}
	return s.Store.Put(ctx, it)
}

// lease reads who has the role.
func (s *stage) lease(role string) (l struct{ Case string }) {
	s.t.Helper()
	it, err := s.Store.Get(context.Background(), "role", "arn:aws:iam::111122223333:role/"+role)
	if errors.Is(err, heal.ErrNotFound) {
		return l
	}
	if err == nil {
		err = json.Unmarshal(it.Data, &l)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return l
}

// waiting is a case of one build that was throttled and waits.
func waiting(t *testing.T) (*stage, decide.Case) {
	t.Helper()
	s := crowd(t, 1, 1)
	throttle := true
	s.Sim.Hook(func(c simaws.Call) simaws.Fault {
		return simaws.Fault{Throttle: throttle && c.Operation == "SimulatePrincipalPolicy"}
	})
	id := s.Sim.Builds("p0")[0].ID
	m, ok := s.Sim.NextMessage(context.Background())
	if !ok {
		t.Fatal("no message")
	}
	if _, err := s.Deliver(context.Background(), m); err != nil {
		t.Fatal(err)
	}
	m.Ack()
	throttle = false
	s.Sim.Clock.Advance(time.Minute)
	c := s.of(id)
	if r := c.Rounds[0]; r.Step != decide.StepReceived || r.Tries == 0 {
		t.Fatalf("the case is at %s after %d tries", r.Step, r.Tries)
	}
	return s, c
}

// TestOneInvocationAtATime: a case that waited is called back twice at once,
// by its message and by the sweep. One of them continues; the other one keeps
// its hands off what the first has leased.
func TestOneInvocationAtATime(t *testing.T) {
	s, c := waiting(t)
	h := s.Inbox.Healer
	reads, done := 0, make(chan error, 1)
	reached, writing := make(chan struct{}), make(chan struct{})
	var mu sync.Mutex
	s.Sim.Hook(func(call simaws.Call) simaws.Fault {
		switch {
		case call.Operation == "GetRole" && !call.Done:
			mu.Lock()
			reads++
			first := reads == 1
			mu.Unlock()
			if first { // the other one overtakes it here
				close(reached)
				<-writing
			}
		case call.Operation == "PutRolePolicy" && !call.Done:
			select {
			case <-writing:
			default:
				close(writing)
				if err := <-done; err != nil && !errors.Is(err, heal.ErrLater) {
					t.Error(err)
				}
			}
			if l := s.lease("role-0"); l.Case != c.ID {
				t.Errorf("the role is written while %q has its lease", l.Case)
			}
		}
		return simaws.Fault{}
	})
	go func() { done <- h.Resume(context.Background(), c.ID) }()
	<-reached
	err := h.Resume(context.Background(), c.ID)
	if errors.Is(err, heal.ErrLater) { // it is the one that keeps its hands off
		close(writing)
		err = <-done
	}
	if err != nil {
		t.Fatal(err)
	}
	s.drain()
	if got := s.of(c.Rounds[0].Build.ID); got.Outcome != decide.Healed || s.count("PutRolePolicy") != 1 {
		t.Errorf("outcome %s, %d writes", got.Outcome, s.count("PutRolePolicy"))
	}
}

// TestTimeIsOver: an invocation whose time is over while it reads a role gives
// the lease back all the same: nobody else should wait for it to run out.
func TestTimeIsOver(t *testing.T) {
	s, c := waiting(t)
	s.Inbox.Healer.Store = strict{s.Store}
	ctx := newEnding(context.Background())
	leased := ""
	s.Sim.Hook(func(call simaws.Call) simaws.Fault {
		if call.Operation == "GetRole" && !call.Done && ctx.Err() == nil {
			leased = s.lease("role-0").Case
			ctx.end()
		}
		return simaws.Fault{}
	})
	if err := s.Inbox.Healer.Resume(ctx, c.ID); err != nil {
		t.Fatal(err)
	}
	if now := s.lease("role-0").Case; leased != c.ID || now != "" {
		t.Errorf("the lease was %q's and is %q's", leased, now)
	}
	s.drain()
	if got := s.of(c.Rounds[0].Build.ID); got.Outcome != decide.Healed {
		t.Errorf("outcome %s", got.Outcome)
	}
}

// TestAnothersWriteIsSlow: what another case wrote takes minutes until builds
// feel it. Who only starts its build again must be as patient as who wrote.
func TestAnothersWriteIsSlow(t *testing.T) {
	s := crowd(t, 1, 3, "propagation: 150s", "propagation_most: 150s")
	s.drain()
	for _, b := range s.Sim.Builds("p0")[:3] {
		if c := s.of(b.ID); c.Outcome != decide.Healed {
			t.Errorf("%s: %s after %d rounds, %s", b.ID, c.Outcome, len(c.Rounds), c.Rounds[len(c.Rounds)-1].Decision.Why)
		}
	}
	if n := s.count("PutRolePolicy"); n != 1 {
		t.Errorf("%d writes", n)
	}
}

// TestChangedEachTime: somebody changes the policy each time that the healer
// is about to. That ends, and is told.
func TestChangedEachTime(t *testing.T) {
	s := crowd(t, 1, 1)
	n := 0
	s.Sim.Hook(func(c simaws.Call) simaws.Fault {
		if c.Operation == "SimulatePrincipalPolicy" && c.Done {
			n++
			doc := fmt.Sprintf(`{"Version": "2012-10-17", "Statement": [{"Sid": "S%d", "Effect": "Allow", `+
				`"Action": "s3:GetObject", "Resource": "arn:aws:s3:::other/*"}]}`, n)
			if err := s.Sim.PutRolePolicy("role-0", "healed", doc); err != nil {
				t.Error(err)
			}
		}
		return simaws.Fault{}
	})
	began := s.Sim.Clock.Now()
	for s.Sim.Clock.Now().Sub(began) < 72*time.Hour {
		m, ok := s.Sim.NextMessage(context.Background())
		if !ok {
			break
		}
		if again, err := s.Deliver(context.Background(), m); err != nil || again {
			t.Fatal(again, err)
		}
		m.Ack()
	}
	c := s.of(s.Sim.Builds("p0")[0].ID)
	if c.Closed.IsZero() || c.Outcome != decide.Reported || !slices.ContainsFunc(s.subjects(), func(s string) bool { return s != "" }) {
		t.Errorf("after three days: closed %s as %q, %d questions", c.Closed, c.Outcome, n)
	}
}

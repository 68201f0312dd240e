package heal_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/simaws"
)

// TestUndoOpen: a case is undone at each step at which it may wait. It is closed
// then, and starts no build any more.
func TestUndoOpen(t *testing.T) {
	for _, row := range []struct {
		step     decide.Step
		fault    func(simaws.Call) bool // makes it wait there
		builds   int
		takeBack bool
	}{
		{decide.StepReceived, func(c simaws.Call) bool { return c.Operation == "SimulatePrincipalPolicy" }, 1, false},
		{decide.StepWriting, func(c simaws.Call) bool { return c.Operation == "PutRolePolicy" }, 1, false},
		{decide.StepWriting, func(c simaws.Call) bool { return c.Operation == "PutRolePolicy" && c.Done }, 1, true},
		{decide.StepRetrying, func(c simaws.Call) bool { return c.Operation == "RetryBuild" }, 1, true},
		{decide.StepRetried, nil, 2, true},
	} {
		name := fmt.Sprintf("%s, taken back %v", row.step, row.takeBack)
		t.Run(name, func(t *testing.T) {
			s := open(t, shop(1, ""), shopSettings(1, ""))
			stuck := false
			s.Sim.Hook(func(c simaws.Call) simaws.Fault {
				stuck = stuck || row.fault != nil && row.fault(c)
				// Its answers are lost from there on, but it may still be called back.
				return simaws.Fault{Crash: stuck && c.Service != "sqs" && c.Key == simaws.FunctionKey}
			})
			id := s.start("p0")
			s.step(id, row.step)
			s.Sim.Unhook()
			if err := s.Restart(); err != nil {
				t.Fatal(err)
			}
			s.Sim.Clock.Advance(10 * time.Minute) // whatever had the case has lost it
			c := s.of(id)
			if a := s.do(`{"status":{}}`); len(a.Cases) != 1 || a.Cases[0].Outcome != heal.Open || !a.Cases[0].Closed.IsZero() ||
				(len(a.Cases[0].Changed) > 0) != (row.takeBack || row.step == decide.StepWriting) {
				t.Errorf("status: %+v", a.Cases)
			}
			a := s.do(fmt.Sprintf(`{"undo":{"case":%q}}`, c.ID))
			if a.Done != row.takeBack || s.inline("role-0") != "" {
				t.Errorf("undo: %t %s, policy %q", a.Done, a.Message, s.inline("role-0"))
			}
			if row.takeBack && a.Case.Outcome != decide.Undone {
				t.Errorf("outcome %q", a.Case.Outcome)
			}
			if l := s.lease("role-0"); l.Case != "" {
				t.Errorf("%q still has the role", l.Case)
			}
			if !row.takeBack {
				if !strings.Contains(a.Message, "is open and has changed nothing") {
					t.Errorf("undo says %q", a.Message)
				}
				s.do(`{"pause":{}}`)
			}
			for range 3 {
				s.drain()
				s.Sim.Clock.Advance(30 * time.Minute)
				s.do(`{"sweep":{}}`)
			}
			if n := len(s.Sim.Builds("p0")); n != row.builds || s.inline("role-0") != "" || s.of(id).Closed.IsZero() {
				t.Errorf("afterwards: %d builds, policy %q, closed %s", n, s.inline("role-0"), s.of(id).Closed)
			}
		})
	}
}

// step delivers messages until the case of the build is at the step.
func (s *stage) step(build string, step decide.Step) {
	s.t.Helper()
	for {
		m, ok := s.Sim.NextMessage(context.Background())
		if !ok {
			s.t.Fatalf("the case never comes to %s", step)
		}
		if _, err := s.Deliver(context.Background(), m); err != nil {
			s.t.Fatal(err)
		}
		m.Ack()
		if r := s.of(build).Rounds; len(r) == 1 && r[0].Step == step {
			return
		}
	}
}

// TestUndoKeepsTheRepository: a repository that was made stays and is told of,
// and does not keep other changes of its case from being undone.
func TestUndoKeepsTheRepository(t *testing.T) {
	s := open(t, shop(1, ""), shopSettings(1, ""))
	id := s.start("p0")
	s.drain()
	ctx := context.Background()
	c := s.of(id)
	made := c.Rounds[0] // as a later round would be that made a repository
	made.Written = made.Written.Add(time.Minute)
	made.Decision = &decide.Decision{Plan: &decide.Plan{Role: made.Decision.Plan.Role, Repository: "shop"}}
	c.Rounds = append(c.Rounds, made)
	it, err := s.Store.Get(ctx, "case", c.ID)
	if err != nil {
		t.Fatal(err)
	}
	if it.Data, err = json.Marshal(c); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Store.Put(ctx, it); err != nil {
		t.Fatal(err)
	}
	l, err := s.Inbox.Healer.Standing(ctx)
	if err != nil || len(l.Standing) != 1 ||
		!slices.Equal(heal.Changes(l.Standing[0]), []string{"repository shop", "inline policy healed of role role-0"}) {
		t.Errorf("standing: %+v, %v", l.Standing, err)
	}
	a := s.do(fmt.Sprintf(`{"undo":{"case":%q}}`, c.ID))
	if !a.Done || !strings.HasPrefix(a.Message, `Took back 1 change(s). The repository "shop" stays.`) ||
		s.inline("role-0") != "" {
		t.Errorf("undo: %+v, policy %q", a, s.inline("role-0"))
	}
	if a = s.do(fmt.Sprintf(`{"undo":{"case":%q}}`, c.ID)); a.Done || !strings.Contains(a.Message, "stays") {
		t.Errorf("undo again: %+v", a)
	}
	if got := heal.Changes(s.of(id)); !slices.Equal(got, []string{"repository shop"}) {
		t.Errorf("what stands: %q", got)
	}
}

// TestStandingLost: of a case that the ledger has forgotten, its end may still be
// known; that is not passed over in silence.
func TestStandingLost(t *testing.T) {
	s := open(t, shop(1, ""), shopSettings(1, ""))
	id := s.start("p0")
	s.drain()
	it, err := s.Store.Get(context.Background(), "case", s.of(id).ID)
	if err != nil {
		t.Fatal(err)
	}
	it.Expires = s.Sim.Clock.Now().Add(time.Minute)
	if _, err := s.Store.Put(context.Background(), it); err != nil {
		t.Fatal(err)
	}
	s.Sim.Clock.Advance(time.Hour)
	if _, err := s.Inbox.Healer.Case(context.Background(), it.ID); !errors.Is(err, heal.ErrNotFound) {
		t.Fatal(err)
	}
	if l, err := s.Inbox.Healer.Standing(context.Background()); err != nil || !slices.Equal(l.Lost, []string{it.ID}) {
		t.Errorf("%+v, %v", l, err)
	}
}

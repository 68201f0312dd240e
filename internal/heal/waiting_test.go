package heal_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/heal"
)

// TestWaiting ensures that what waits is listed with for whom and until when: plans that can be
// approved, with their owners, then open cases; and that what waits no more is not.
func TestWaiting(t *testing.T) {
	propose := strings.ReplaceAll(shopSettings(3, "approve_within: 2d"), "mode: heal", "mode: propose")
	s := open(t, shop(3, ""), propose)
	waiting := func(project string) []heal.Waiting {
		t.Helper()
		ws, err := s.Inbox.Healer.Waiting(context.Background(), project)
		if err != nil {
			t.Fatal(err)
		}
		return ws
	}
	var ids []string
	for i := range 3 {
		ids = append(ids, s.start(fmt.Sprintf("p%d", i)))
		s.drain()
	}
	ws := waiting("")
	if len(ws) != 3 {
		t.Fatalf("waiting: %+v", ws)
	}
	for i, w := range ws { // in the order in which they lapse
		c := s.of(ids[i])
		if w.Case != c.ID || w.Project != c.Project || w.For != "a person's approval" || w.Plan != c.Rounds[0].Decision.Plan.Hash() ||
			!slices.Equal(w.Owners, []string{"team"}) || !w.Since.Equal(c.Closed) || !w.Until.Equal(c.Closed.Add(48*time.Hour)) {
			t.Errorf("%d: %+v", i, w)
		}
	}
	if a := s.do(fmt.Sprintf(`{"approve":{"plan":%q}}`, ws[0].Plan)); !a.Done {
		t.Fatalf("approve: %+v", a)
	}
	if a := s.do(fmt.Sprintf(`{"reject":{"plan":%q}}`, ws[1].Plan)); !a.Done {
		t.Fatalf("reject: %+v", a)
	}
	ws = waiting("")
	if len(ws) != 2 || ws[0].Project != "p2" || ws[1].Project != "p0" || ws[1].Plan != "" ||
		!strings.HasPrefix(ws[1].For, "the end of build p0:") {
		t.Errorf("after an approval and a rejection: %+v", ws)
	}
	if ws := waiting("p0"); len(ws) != 1 || ws[0].Project != "p0" {
		t.Errorf("of one project: %+v", ws)
	}
	s.drain()
	s.Sim.Clock.Advance(49 * time.Hour)
	if ws := waiting(""); ws == nil || len(ws) != 0 {
		t.Errorf("once its time is over: %+v", ws)
	}
}

// TestWaitingOfOtherSettings ensures that no approval is offered that is certain to be refused, and
// that one that may be refused is not offered as certain.
func TestWaitingOfOtherSettings(t *testing.T) {
	s, build, plan := proposed(t, "")
	one := func(h *heal.Healer) heal.Waiting {
		t.Helper()
		ws, err := h.Waiting(t.Context(), "")
		if err != nil || len(ws) != 1 || ws[0].Case != s.of(build).ID {
			t.Fatalf("%+v, %v", ws, err)
		}
		return ws[0]
	}
	desk := &heal.Healer{Clock: s.Inbox.Healer.Clock, Store: s.Inbox.Healer.Store}
	if w := one(desk); w.Plan != plan || w.For != "a person's approval (refused if the settings have changed since)" {
		t.Errorf("at a desk without settings: %+v", w)
	}
	s.Settings.SHA256 = "other"
	if w := one(s.Inbox.Healer); w.Plan != "" || !w.Until.IsZero() || !strings.HasPrefix(w.For, "a replay: these settings are not") {
		t.Errorf("of other settings: %+v", w)
	}
	if a := s.do(fmt.Sprintf(`{"replay":{"build":%q}}`, build)); !a.Done {
		t.Errorf("replay: %+v", a)
	}
	s.drain()
	if w := one(s.Inbox.Healer); w.Plan != plan || w.For != "a person's approval" {
		t.Errorf("decided anew: %+v", w)
	}
}

// TestOpenCasesWait ensures that what an open case waits for is told at each of its steps.
func TestOpenCasesWait(t *testing.T) {
	s := open(t, shop(1, ""), shopSettings(1, ""))
	s.start("p0")
	seen := map[string]bool{}
	for range 50 {
		ws, err := s.Inbox.Healer.Waiting(context.Background(), "")
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range ws {
			what, _, _ := strings.Cut(w.For, " p0:")
			seen[what] = true
		}
		m, ok := s.Sim.NextMessage(context.Background())
		if !ok {
			break
		}
		if _, err := s.Deliver(context.Background(), m); err != nil {
			t.Fatal(err)
		}
		m.Ack()
	}
	if !seen["the end of build"] || seen["nothing: it is being worked on"] {
		t.Errorf("it waited for %v", seen)
	}
}

package heal_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/settings"
	"github.com/buildmedic/buildmedic/internal/simaws"
)

// hurried is a context that has plenty of time until a test says otherwise.
type hurried struct {
	context.Context
	late atomic.Bool
}

func (h *hurried) Deadline() (time.Time, bool) {
	if h.late.Load() {
		return time.Now().Add(time.Second), true
	}
	return time.Now().Add(time.Hour), true
}

// TestSweepStopsWithinAProject: a sweep that has no more time for a project's
// builds leaves the rest of them to the next one, and none is forgotten.
func TestSweepStopsWithinAProject(t *testing.T) {
	s := crowd(t, 1, 0)
	s.Sim.SetTrouble(simaws.Trouble{DropEvents: 1})
	h := s.Inbox.Healer
	if err := h.Sweep(context.Background()); err != nil {
		t.Fatal(err)
	}
	var ids []string
	for range 3 {
		s.Sim.Clock.Advance(10 * time.Minute)
		ids = append(ids, s.start("p0"))
	}
	s.Sim.Clock.Advance(20 * time.Minute)
	ctx := &hurried{Context: context.Background()}
	s.Sim.Hook(func(c simaws.Call) simaws.Fault {
		if c.Operation == "GetLogEvents" {
			ctx.late.Store(true)
		}
		return simaws.Fault{}
	})
	if err := h.Sweep(ctx); err != nil {
		t.Fatal(err)
	}
	taken := 0
	for _, id := range ids {
		if _, err := s.Store.Get(context.Background(), "build", id); err == nil {
			taken++
		}
	}
	if taken != 1 {
		t.Errorf("with time for one, the sweep took up %d builds", taken)
	}
	for range 3 {
		s.Sim.Clock.Advance(15 * time.Minute)
		s.do(`{"sweep":{}}`)
	}
	for _, id := range ids {
		s.of(id)
	}
}

// lagging is a ledger whose list of sweeps shows nothing yet.
type lagging struct{ heal.Store }

func (l lagging) Between(ctx context.Context, kind string, from, to time.Time, newest bool, limit int) ([]heal.Item, error) {
	if kind == "sweep" {
		return nil, nil
	}
	return l.Store.Between(ctx, kind, from, to, newest, limit)
}

// TestSweepMarkIsFound: where the list of earlier sweeps lags, or a mark is of
// another version of the healer, the sweep still continues where it was.
func TestSweepMarkIsFound(t *testing.T) {
	for name, trouble := range map[string]func(*stage){
		"the list lags": func(s *stage) { s.Inbox.Healer.Store = lagging{s.Store} },
		"a mark of an earlier version": func(s *stage) {
			s.do(`{"sweep":{}}`)
			its, err := s.Store.Between(context.Background(), "sweep", time.Time{}, s.Sim.Clock.Now().Add(time.Hour), false, 1)
			if err != nil || len(its) != 1 {
				t.Fatal(its, err)
			}
			old := its[0]
			old.Due = time.Time{} // it was in no list, and nothing but a time
			if old.Data, err = json.Marshal(s.Sim.Clock.Now()); err == nil {
				_, err = s.Store.Put(context.Background(), old)
			}
			if err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := crowd(t, 1, 1)
			trouble(s)
			s.drain()
			for i := range 3 {
				s.Sim.Clock.Advance(10 * time.Minute)
				before := s.count("BatchGetBuilds")
				s.do(`{"sweep":{}}`)
				if n := s.count("BatchGetBuilds") - before; i > 0 && n > 0 {
					t.Errorf("sweep %d read %d pages of builds again", i+1, n)
				}
			}
		})
	}
}

// awaiting is a case whose build is started again and whose event is lost.
func awaiting(t *testing.T) (*stage, string) {
	t.Helper()
	s := crowd(t, 1, 1)
	s.Sim.Hook(func(c simaws.Call) simaws.Fault {
		if c.Operation == "RetryBuild" && !c.Done {
			s.Sim.SetTrouble(simaws.Trouble{DropEvents: 1})
		}
		return simaws.Fault{}
	})
	s.drain()
	id := s.Sim.Builds("p0")[0].ID
	if c := s.of(id); c.Rounds[0].Step != decide.StepRetried {
		t.Fatalf("the case is at %s", c.Rounds[0].Step)
	}
	s.Sim.Clock.Advance(time.Hour)
	return s, id
}

// TestUnreadableBuildsGoLast: a case whose build cannot be read goes to the
// end of the line: a hundred of them would be all that a sweep looks at.
func TestUnreadableBuildsGoLast(t *testing.T) {
	s, id := awaiting(t)
	refuse := true
	s.Sim.Hook(func(c simaws.Call) simaws.Fault {
		if c.Operation == "BatchGetBuilds" && refuse {
			return simaws.Fault{Code: "AccessDeniedException", Message: "not authorized to perform: codebuild:BatchGetBuilds"}
		}
		return simaws.Fault{}
	})
	if err := s.Inbox.Healer.Sweep(context.Background()); !errors.Is(err, heal.ErrDenied) {
		t.Errorf("the sweep says %v", err)
	}
	due, err := s.Store.Between(context.Background(), "case", time.Time{}, s.Sim.Clock.Now(), false, 10)
	if err != nil || len(due) > 0 {
		t.Errorf("%d cases are in the way of others, %v", len(due), err)
	}
	refuse = false
	s.Sim.Clock.Advance(time.Hour)
	s.do(`{"sweep":{}}`)
	if c := s.of(id); c.Outcome != decide.Healed {
		t.Errorf("outcome %s", c.Outcome)
	}
}

// TestUnreadableCasesGoLast: more cases that nobody can read than a sweep looks
// at do not stand before one that waits for a lost event.
func TestUnreadableCasesGoLast(t *testing.T) {
	s, id := awaiting(t)
	for i := range 150 {
		it := heal.Item{Kind: "case", ID: fmt.Sprintf("broken-%d", i), Due: s.Sim.Clock.Now().Add(-24 * time.Hour), Data: []byte("{")}
		if _, err := s.Store.Put(context.Background(), it); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := s.Inbox.Healer.Sweep(context.Background()); err == nil {
			t.Error("the sweep does not say that cases cannot be read")
		}
	}
	s.drain()
	if c := s.of(id); c.Outcome != decide.Healed {
		t.Errorf("outcome %q: the case was never looked at", c.Outcome)
	}
}

// TestProjectLeavesSettings: a case of a project that settings no longer name
// ends. It is not asked about for ever.
func TestProjectLeavesSettings(t *testing.T) {
	s, id := awaiting(t)
	s.Settings.Projects = nil
	for range 2 {
		s.do(`{"sweep":{}}`)
		s.Sim.Clock.Advance(time.Hour)
	}
	if c := s.of(id); c.Outcome != decide.Failed || len(c.Outbox) > 0 {
		t.Errorf("outcome %q, %d notices to send", c.Outcome, len(c.Outbox))
	}
	if n := s.subjects(); len(n) != 2 {
		t.Errorf("notices %q", n)
	}
}

// TestLongestBuild: the failure of a build that took longer than a day is
// found, though no event told of it.
func TestLongestBuild(t *testing.T) {
	world := fmt.Sprintf("start: 2026-11-22T10:00:00Z\nbuckets: [{name: dist}]\nroles:\n  - {name: role-0, "+
		"inline: {base: '{\"Version\": \"2012-10-17\", \"Statement\": [%s]}'}}\nprojects:\n"+
		"  - {name: p0, role: role-0, timeout: 36h, buildspecs: {buildspec.yml: {build: [{run: make, takes: 35h}, "+
		"aws s3 cp x s3://dist/x]}}}\n", logs)
	s := open(t, world, shopSettings(1, ""))
	s.Sim.SetTrouble(simaws.Trouble{DropEvents: 1})
	id := s.start("p0")
	for range 36 * 2 {
		s.Sim.Clock.Advance(30 * time.Minute)
		s.do(`{"sweep":{}}`)
	}
	s.of(id)
}

// TestRetryThatCannotBeRead: the build that was started again cannot be read any
// more. After a day the case ends, and the team is told why.
func TestRetryThatCannotBeRead(t *testing.T) {
	s := open(t, shop(1, ""), shopSettings(1, ""))
	id := s.start("p0")
	retried := false
	s.Sim.Hook(func(c simaws.Call) simaws.Fault {
		retried = retried || c.Operation == "RetryBuild" && c.Done
		if retried {
			s.Sim.SetTrouble(simaws.Trouble{DropEvents: 1})
		}
		return simaws.Fault{}
	})
	s.drain()
	s.Inbox.Healer.Builds = unreadable{s.Inbox.Healer.Builds}
	for range 5 {
		s.Sim.Clock.Advance(6 * time.Hour)
		_, _ = s.Inbox.Invoke(t.Context(), []byte(`{"sweep":{}}`)) // it fails until then
	}
	if c := s.of(id); c.Outcome != decide.Failed || !strings.Contains(last(s.Sim.Notices()).Message, "codebuild:BatchGetBuilds") {
		t.Errorf("outcome %q, notices %q", c.Outcome, s.subjects())
	}
}

type unreadable struct{ heal.Builds }

func (unreadable) Get(context.Context, settings.Account, string) (codebuild.Build, error) {
	return codebuild.Build{}, heal.DeniedError{Action: "codebuild:BatchGetBuilds"}
}

// TestSweepReadsTogether: builds that are green, and whose events were lost, are not read one by one
// once a sweep has read them together.
func TestSweepReadsTogether(t *testing.T) {
	const n = 8
	s := crowd(t, 1, n)
	s.Sim.Hook(func(c simaws.Call) simaws.Fault {
		if c.Operation == "RetryBuild" && c.Done && s.count("RetryBuild") == 1 {
			s.Sim.SetTrouble(simaws.Trouble{DropEvents: 0.999}) // no event of a build that was started comes
		}
		return simaws.Fault{}
	})
	s.Sim.Clock.Advance(2 * time.Minute)
	s.pump()
	before := s.count("BatchGetBuilds")
	for range 6 {
		s.Sim.Clock.Advance(10 * time.Minute)
		s.do(`{"sweep":{}}`)
		s.pump()
	}
	s.healed(n)
	if reads := s.count("BatchGetBuilds") - before; reads > n {
		t.Errorf("%d calls read %d builds", reads, n)
	}
}

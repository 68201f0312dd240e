package heal_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/simaws"
)

// TestNoSecondBuild: the function dies as it starts the build, CodeBuild does
// not name it as the initiator, and a person starts a build meanwhile.
func TestNoSecondBuild(t *testing.T) {
	for _, row := range []struct {
		name    string
		started bool // the call took effect before the function died
		person  string
		version string // what the person builds
		builds  int
		outcome decide.Kind
		note    string
	}{
		{"ours is the only one", true, "", "", 2, decide.Healed, ""},
		{"there is none", false, "", "", 2, decide.Healed, ""},
		{"a person's does what ours would have done", false, "alice", "refs/heads/main", 2, decide.Healed, ""},
		{"a person's and ours", true, "alice", "refs/heads/main", 3, decide.Failed, "do not say which"},
		{"a webhook's", false, "GitHub-Hookshot/1", "refs/heads/main", 3, decide.Healed, ""},
		{"who started the failed build", false, "bob", "refs/heads/main", 3, decide.Healed, ""},
		{"another branch", true, "alice", "refs/heads/other", 3, decide.Healed, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := open(t, "initiator: healer\n"+shop(1, ""), shopSettings(1, ""))
			var dead atomic.Bool
			s.Inbox.Healer.Store = dying{s.Store, func(heal.Item) error {
				if dead.Load() {
					return errors.New("the function is dead")
				}
				return nil
			}}
			s.Sim.Hook(func(c simaws.Call) simaws.Fault {
				if c.Operation == "RetryBuild" && c.Done == row.started {
					dead.Store(true)
				}
				return simaws.Fault{Crash: dead.Load() && c.Key == simaws.FunctionKey}
			})
			id, err := s.Sim.Run(simaws.Start{Project: "p0", Version: "refs/heads/main", Initiator: "bob"})
			if err != nil {
				t.Fatal(err)
			}
			for !dead.Load() {
				m, ok := s.Sim.NextMessage(context.Background())
				if !ok {
					t.Fatal("no build was started")
				}
				if again, err := s.Deliver(context.Background(), m); err != nil {
					t.Fatal(err)
				} else if again || dead.Load() {
					m.Nack()
				} else {
					m.Ack()
				}
			}
			s.Sim.Unhook()
			if err := s.Restart(); err != nil {
				t.Fatal(err)
			}
			if row.person != "" {
				s.Sim.Clock.Advance(20 * time.Second)
				if _, err := s.Sim.Run(simaws.Start{Project: "p0", Version: row.version, Initiator: row.person}); err != nil {
					t.Fatal(err)
				}
			}
			for range 6 {
				s.drain()
				s.Sim.Clock.Advance(15 * time.Minute)
				s.do(`{"sweep":{}}`)
			}
			c := s.of(id)
			if c.Outcome != row.outcome || len(s.Sim.Builds("p0")) != row.builds || s.inline("role-0") == "" {
				t.Errorf("%s, %d builds", c.Outcome, len(s.Sim.Builds("p0")))
			}
			if last := s.Sim.Notices()[len(s.Sim.Notices())-1].Message; !strings.Contains(last, row.note) {
				t.Errorf("the last notice, %q, does not say %q", s.subjects()[len(s.subjects())-1], row.note)
			}
		})
	}
}

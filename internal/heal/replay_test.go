package heal_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/simaws"
)

func (s *stage) replay(build string) heal.CommandAnswer {
	s.t.Helper()
	a := s.do(fmt.Sprintf(`{"replay":{"build":%q}}`, build))
	s.drain()
	return a
}

func (s *stage) undo(build string) {
	s.t.Helper()
	if a := s.do(fmt.Sprintf(`{"undo":{"case":%q}}`, s.of(build).ID)); !a.Done || s.inline("role-0") != "" {
		s.t.Fatalf("undo: %+v, policy %q", a, s.inline("role-0"))
	}
}

// lastRefusal is the rule by which the case's last round was refused.
func lastRefusal(c decide.Case) string {
	if d := last(c.Rounds).Decision; d != nil && len(d.Refusals) > 0 {
		return string(last(d.Refusals).Rule)
	}
	return ""
}

// lift lifts the undo of the one grant of p0.
func (s *stage) lift() {
	s.t.Helper()
	if a := s.do(`{"resume":{"project":"p0","grant":"dist"}}`); !a.Done {
		s.t.Fatalf("resume: %+v", a)
	}
}

// TestReplayOfWhatAPersonTookBack: what somebody took back is not given again
// when the commit fails again, nor when that is replayed, but is once somebody
// has lifted the undo.
func TestReplayOfWhatAPersonTookBack(t *testing.T) {
	s := open(t, shop(1, ""), shopSettings(1, ""))
	id := s.start("p0")
	s.drain()
	s.undo(id)
	again := s.start("p0") // the same commit, by hand
	s.drain()
	c := s.of(again)
	if c.ID != s.of(id).ID || lastRefusal(c) != "undone-by-a-person" || s.inline("role-0") != "" || len(s.Sim.Builds("p0")) != 3 {
		t.Fatalf("the next failure of the commit: %s %v, policy %q, %d builds", c.Outcome, refusals(c),
			s.inline("role-0"), len(s.Sim.Builds("p0")))
	}
	if m := last(s.Sim.Notices()).Message; !strings.Contains(m, "replay") {
		t.Errorf("its notice does not offer a replay:\n%s", m)
	}
	s.replay(again)
	if c := s.of(again); lastRefusal(c) != "undone-by-a-person" || s.inline("role-0") != "" {
		t.Fatalf("replayed while it is held back: %s %v, policy %q", c.Outcome, refusals(c), s.inline("role-0"))
	}
	s.lift()
	a := s.replay(again)
	if c := s.of(again); !a.Done || c.Outcome != decide.Healed || s.inline("role-0") == "" || len(s.Sim.Builds("p0")) != 4 {
		t.Errorf("after the replay: %+v, %s %v, policy %q", a, c.Outcome, refusals(c), s.inline("role-0"))
	}
}

// TestReplayOfTheUndoneBuild: the notice of an undo offers a replay of the
// build that the case is about; once the undo is lifted it gives the same again.
func TestReplayOfTheUndoneBuild(t *testing.T) {
	s := open(t, shop(1, ""), shopSettings(1, ""))
	id := s.start("p0")
	s.drain()
	s.undo(id)
	if m := strings.ReplaceAll(last(s.Sim.Notices()).Message, `\`, ""); !strings.Contains(m,
		fmt.Sprintf(`{"replay":{"build":"%s"}}`, id)) {
		t.Fatalf("the notice offers something else:\n%s", m)
	}
	s.lift()
	s.replay(id)
	if c := s.of(id); c.Outcome != decide.Healed || s.inline("role-0") == "" || len(c.Rounds) != 2 ||
		c.Rounds[1].Replayed.IsZero() || !c.Rounds[0].Replayed.IsZero() {
		t.Errorf("%s %v, %d rounds, policy %q", c.Outcome, refusals(c), len(c.Rounds), s.inline("role-0"))
	}
	if got := s.subjects(); len(got) != 5 {
		t.Errorf("notices %q", got)
	}
}

// deafShop is a [shop] whose builds are denied whatever IAM says.
func deafShop(n int, extra string) string {
	return strings.Replace(strings.Replace(shop(n, extra), "buckets:\n  - {name: dist}\n", deaf, 1),
		"aws s3 cp x s3://dist/x", "{run: ./deploy, calls: [{action: s3:PutObject, on: \"arn:aws:s3:::dist/x\", "+
			"says: \"An error occurred (AccessDenied) when calling the PutObject operation: User: $USER is not "+
			"authorized to perform: s3:PutObject on resource: \\\"arn:aws:s3:::dist/x\\\" because no identity-based "+
			"policy allows the s3:PutObject action\"}]}", n)
}

// TestReplayOfWhatDidNotHelp: each replay tries once more what did not help,
// and takes it back again; never more often than limits.rounds allow.
func TestReplayOfWhatDidNotHelp(t *testing.T) {
	s := open(t, deafShop(1, ""), shopSettings(1, "rounds: 4"))
	s.start("p0")
	s.drain()
	writes := func() int { return s.count("PutRolePolicy") }
	seen := []int{writes()}
	for range 5 {
		failed := last(s.Sim.Builds("p0")).ID
		c := s.of(failed)
		if c.Closed.IsZero() || s.inline("role-0") != "" {
			t.Fatalf("outcome %q, policy %q", c.Outcome, s.inline("role-0"))
		}
		if a := s.replay(failed); !a.Done {
			t.Fatalf("replay: %+v", a)
		}
		seen = append(seen, writes())
	}
	c := s.of(last(s.Sim.Builds("p0")).ID)
	if n := len(s.Sim.Builds("p0")); n != 1+4 || lastRefusal(c) != "rounds-used-up" {
		t.Errorf("%d builds, refusals %v, writes %v", n, refusals(c), seen)
	}
	if seen[1] <= seen[0] || seen[5] != seen[4] {
		t.Errorf("writes after each replay: %v", seen)
	}
}

// TestReplayWithinBudgets: a replay counts as any other round does.
func TestReplayWithinBudgets(t *testing.T) {
	for limits, rule := range map[string]string{
		"writes_per_hour: 1":         "writes-per-hour",
		"retries_per_hour: 1":        "retries-per-hour",
		"writes_per_role_per_day: 1": "writes-per-role",
		"rounds: 1":                  "rounds-used-up",
	} {
		s := open(t, shop(1, ""), shopSettings(1, limits))
		id := s.start("p0")
		s.drain()
		s.undo(id)
		s.lift()
		s.replay(id)
		if c := s.of(id); lastRefusal(c) != rule || s.inline("role-0") != "" || len(s.Sim.Builds("p0")) != 2 {
			t.Errorf("%s: %s %v, policy %q", limits, c.Outcome, refusals(c), s.inline("role-0"))
		}
		if rule != "rounds-used-up" {
			continue
		}
		s.Sim.Clock.Advance(25 * time.Hour) // the case's rounds are forgotten
		s.replay(id)
		if c := s.of(id); c.Outcome != decide.Healed {
			t.Errorf("%s, a day later: %s %v", limits, c.Outcome, refusals(c))
		}
	}
}

// TestReplayOfAFailedCase: what was changed stands, and only starting the
// build did not work out.
func TestReplayOfAFailedCase(t *testing.T) {
	for name, fault := range map[string]func(*stage) func(simaws.Call) simaws.Fault{
		"the healer may not start it": func(*stage) func(simaws.Call) simaws.Fault {
			return func(c simaws.Call) simaws.Fault {
				if c.Operation == "RetryBuild" && !c.Done {
					return simaws.Fault{Code: "AccessDeniedException", Status: 400}
				}
				return simaws.Fault{}
			}
		},
		"somebody stopped it": func(s *stage) func(simaws.Call) simaws.Fault {
			return func(c simaws.Call) simaws.Fault {
				if c.Operation == "RetryBuild" && c.Done {
					s.Sim.After(20*time.Second, func() { _ = s.Sim.Stop(last(s.Sim.Builds("p0")).ID) })
				}
				return simaws.Fault{}
			}
		},
	} {
		s := open(t, shop(1, ""), shopSettings(1, ""))
		s.Sim.Hook(fault(s))
		id := s.start("p0")
		s.drain()
		if c := s.of(id); c.Outcome != decide.Failed || s.inline("role-0") == "" {
			t.Fatalf("%s: %s %v", name, c.Outcome, refusals(c))
		}
		s.Sim.Unhook()
		writes := s.count("PutRolePolicy")
		a := s.replay(id)
		if c := s.of(id); !a.Done || c.Outcome != decide.Healed || s.count("PutRolePolicy") != writes {
			t.Errorf("%s, replayed: %s %v", name, c.Outcome, refusals(c))
		}
	}
}

// TestReplayOfWhatIsNotOver: a replay of what waits, or did not fail, says so.
func TestReplayOfWhatIsNotOver(t *testing.T) {
	s := open(t, shop(1, ""), strings.ReplaceAll(shopSettings(1, ""), "mode: heal", "mode: propose"))
	id := s.start("p0")
	s.drain()
	if a := s.replay(id); a.Done || !strings.Contains(a.Message, "approval") || s.of(id).Outcome != decide.Proposed {
		t.Errorf("a plan waits: %+v", a)
	}
	s = open(t, shop(1, ""), shopSettings(1, ""))
	id = s.start("p0")
	s.drain()
	s.undo(id)
	green := last(s.Sim.Builds("p0")).ID
	if a := s.replay(green); a.Done || !strings.Contains(a.Message, "SUCCEEDED") ||
		slices.Contains(refusals(s.of(id)), "taken-back") {
		t.Errorf("a green build: %+v", a)
	}
	// Nor does a look at it call it failed.
	if _, err := s.Inbox.Healer.Look(t.Context(), s.Inbox.Healer.Home, green); err == nil ||
		!strings.Contains(err.Error(), "did not fail") {
		t.Errorf("a look at a green build: %v", err)
	}
}

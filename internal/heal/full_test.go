package heal_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/simaws"
)

// crowded is a world of two projects in whose account no build can be started for so long.
func crowded(hours int) string {
	return strings.Replace(shop(2, ""), "start: 2026-11-22T10:00:00Z\n", "start: 2026-11-22T10:00:00Z\nbuild_queue: 1\n", 1) +
		fmt.Sprintf("  - name: other\n    role: role-0\n    timeout: 90h\n"+
			"    buildspecs: {buildspec.yml: {build: [{run: make, takes: %dh}]}}\n", hours) + "starts: [{project: other}]\n"
}

// budget is what the budget of builds started in the hour has room for.
func (s *stage) room(at time.Time, max int) (n int) {
	s.t.Helper()
	for n = range max + 1 {
		ok, err := s.Store.Room(context.Background(), "retries "+at.UTC().Format("2006-01-02T15"), "somebody", n+1)
		if err != nil {
			s.t.Fatal(err)
		}
		if ok {
			return n
		}
	}
	return max + 1
}

// TestRefusedStartUsesNothing: while CodeBuild takes no builds, those that wait leave the budget of the
// hour alone; once it does, each is started once, and counted once.
func TestRefusedStartUsesNothing(t *testing.T) {
	for name, trouble := range map[string]func(*stage){
		"nothing":              func(*stage) {},
		"dead after a refusal": func(s *stage) { dieAtRefusal(s, 1) },
		"dead at the third":    func(s *stage) { dieAtRefusal(s, 3) },
		"dead after the start": func(s *stage) { dieAt(s, "RetryBuild") },
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, crowded(3), shopSettings(2, "retries_per_hour: 2"))
			trouble(s)
			ids := []string{s.start("p0"), s.start("p1")}
			for i := range 20 { // of which the first twelve are the three hours
				s.Sim.Clock.Advance(15 * time.Minute)
				_, _ = s.Inbox.Invoke(t.Context(), []byte(`{"sweep":{}}`)) // it may die
				if err := s.Restart(); err != nil {
					t.Fatal(err)
				}
				if n := s.room(s.Sim.Clock.Now(), 2); i == 8 && n != 0 {
					t.Errorf("%d places are taken by starts that were refused", n)
				}
			}
			s.drain()
			for _, id := range ids {
				c := s.of(id)
				if c.Outcome != decide.Healed || len(c.Rounds) != 1 || c.Rounds[0].Refused == 0 || c.Rounds[0].Counted.IsZero() {
					t.Errorf("%s: outcome %s, %d rounds, refused %d times, counted at %v", c.Project, c.Outcome, len(c.Rounds),
						c.Rounds[0].Refused, c.Rounds[0].Counted)
				}
				if n := len(s.Sim.Builds(c.Project)); n != 2 {
					t.Errorf("%s: %d builds", c.Project, n)
				}
			}
		})
	}
}

// TestRefusedFollowersAreLeftAlone: followers that CodeBuild refuses for hours come back by themselves;
// those who release them wake none before, since each such message would come again and again.
func TestRefusedFollowersAreLeftAlone(t *testing.T) {
	s := crowd(t, 1, 6)
	starts, full := 0, true
	s.Sim.Hook(func(c simaws.Call) simaws.Fault {
		if c.Operation == "RetryBuild" && !c.Done {
			starts++
		}
		if c.Operation == "RetryBuild" && !c.Done && starts > 1 && full { // the leader's is taken
			return simaws.Fault{Code: "AccountLimitExceededException", Message: "Cannot have more than 5 builds in queue for the account"}
		}
		return simaws.Fault{}
	})
	hours := func(n int) (messages int) {
		before := s.count("SendMessage")
		for range n * 4 {
			s.pass(15 * time.Minute)
			s.do(`{"sweep":{}}`)
		}
		return s.count("SendMessage") - before
	}
	hours(2)
	early := hours(2)
	hours(4)
	if late := hours(2); early == 0 || late > early*3/2 {
		t.Errorf("%d messages in the third and fourth hour, %d in the ninth and tenth", early, late)
	}
	full = false
	hours(2)
	s.healed(6)
}

// fullCrowd is a crowd of one role whose leader is healed while the queue of builds takes none of the
// others, two hours later. leader is its failed build. refused gives how often it is asked in vain in so
// many quarters of an hour, each of which ends with a sweep; from room on it is not.
func fullCrowd(t *testing.T, n int) (s *stage, leader string, refused func(quarters int) int, room func()) {
	t.Helper()
	s = crowd(t, 1, n)
	starts, vain, full := 0, 0, true
	s.Sim.Hook(func(c simaws.Call) simaws.Fault {
		if c.Operation != "RetryBuild" || c.Done {
			return simaws.Fault{}
		}
		if starts++; starts == 1 || !full {
			return simaws.Fault{}
		}
		vain++
		return simaws.Fault{Code: "AccountLimitExceededException", Message: "Cannot have more than 5 builds in queue for the account"}
	})
	refused = func(quarters int) int {
		before := vain
		for range quarters {
			s.pass(15 * time.Minute)
			s.do(`{"sweep":{}}`)
		}
		return vain - before
	}
	refused(8)
	for _, c := range s.cases(n) {
		if c.Crowd != nil {
			leader = c.Rounds[0].Build.ID
		}
	}
	return s, leader, refused, func() { full = false }
}

// TestFullQueueIsAskedForAll: while the queue of builds is full for hours, it is asked for one of those that
// follow a case, and not for each of them, as rarely as that had come to; no sweep begins anew. Once it is
// not full, all are started within one of these pauses.
func TestFullQueueIsAskedForAll(t *testing.T) {
	const n = 20
	s, leader, refused, room := fullCrowd(t, n)
	run := s.of(leader).Crowd.Run
	// Every ten minutes, and once with each sweep; 89 if sweeps begin anew, 370 if each asks for each that waits.
	if asked := refused(16); asked < 24 || asked > 50 {
		t.Errorf("it is asked %d times in four hours for %d builds that wait", asked, n-1)
	}
	if now := s.of(leader).Crowd.Run; now != run {
		t.Errorf("run %d has taken the place of run %d", now, run)
	}
	room()
	refused(1)
	if n := len(s.Sim.Builds("p0")); n != 2*20 {
		t.Errorf("%d builds once there is room", n)
	}
	refused(8)
	s.healed(n)
}

// TestLostWhileFull: where the message is lost by which others are released, a sweep goes on with them, and
// asks a full queue as rarely as before.
func TestLostWhileFull(t *testing.T) {
	s, leader, refused, room := fullCrowd(t, 20)
	run := s.of(leader).Crowd.Run
	lost := 0
	for end := s.Sim.Clock.Now().Add(15 * time.Minute); s.Sim.Clock.Now().Before(end); s.Sim.Clock.Advance(5 * time.Second) {
		if m, ok := s.Sim.Receive(simaws.FollowUps); ok && strings.Contains(m.Body, `"release"`) {
			m.Ack()
			lost++
		}
	}
	asked := refused(8)
	if now := s.of(leader).Crowd.Run; lost != 1 || now <= run {
		t.Errorf("%d messages are lost; after run %d there is run %d", lost, run, now)
	}
	if asked > 25 {
		t.Errorf("it is asked %d times in two hours", asked)
	}
	room()
	refused(8)
	s.healed(20)
}

// dieAtRefusal has the function die as the n-th refusal of a start comes back.
func dieAtRefusal(s *stage, n int) {
	s.Sim.Hook(func(c simaws.Call) simaws.Fault {
		if c.Operation == "RetryBuild" && c.Done && c.Error == "AccountLimitExceededException" && c.Key == simaws.FunctionKey {
			n--
			return simaws.Fault{Crash: n == 0}
		}
		return simaws.Fault{}
	})
}

// TestRefusedTooLong: a case whose build is not taken for long ends, and neither a round of the commit nor
// a place in the budget is gone.
func TestRefusedTooLong(t *testing.T) {
	s := open(t, crowded(30), shopSettings(2, "rounds: 1"))
	id := s.start("p0")
	s.drain()
	c := s.of(id)
	if c.Outcome != decide.Failed || !c.Rounds[0].RetryAt.IsZero() || !c.Rounds[0].Counted.IsZero() || len(s.Sim.Builds("p0")) != 1 {
		t.Fatalf("outcome %s, started at %v, counted at %v", c.Outcome, c.Rounds[0].RetryAt, c.Rounds[0].Counted)
	}
	if d := c.Closed.Sub(c.Rounds[0].Full); d < 12*time.Hour || d > 13*time.Hour {
		t.Errorf("it came back for %s", d)
	}
	s.Sim.Clock.Advance(20 * time.Hour)
	if a := s.do(fmt.Sprintf(`{"replay":{"build":%q}}`, id)); !a.Done {
		t.Fatalf("replay: %+v", a)
	}
	s.drain()
	if c := s.of(id); c.Outcome != decide.Healed {
		t.Errorf("replayed: outcome %s, refusals %v", c.Outcome, refusals(c))
	}
}

// TestNewerBuildWhileRefused: what has waited for more than an hour is not started any more once a newer
// build of its branch has begun.
func TestNewerBuildWhileRefused(t *testing.T) {
	world := strings.Replace(crowded(5), "build_queue: 1", "build_queue: 1", 1)
	world = strings.Replace(world, "    buildspecs: {buildspec.yml: {build: [{run: make, takes: 60s}",
		"    versions: [{ref: refs/heads/main, commit: a1}, {ref: refs/heads/b, commit: b1}]\n"+
			"    buildspecs: {buildspec.yml: {build: [{run: make, takes: 60s}", 1)
	for branch, builds := range map[string]int{"refs/heads/main": 2, "refs/heads/b": 3} {
		t.Run(branch, func(t *testing.T) {
			s := open(t, world, shopSettings(2, ""))
			id := s.start("p0")
			s.Sim.After(90*time.Minute, func() {
				if _, err := s.Sim.Run(simaws.Start{Project: "p0", Version: branch}); err != nil {
					t.Error(err)
				}
			})
			s.drain()
			c := s.of(id)
			if n := len(s.Sim.Builds("p0")); n != builds || (c.Outcome == decide.Healed) != (builds == 3) {
				t.Errorf("outcome %s, %d builds, notices %q", c.Outcome, n, s.subjects())
			}
		})
	}
}

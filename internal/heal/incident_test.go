package heal_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/notice"
	"github.com/buildmedic/buildmedic/internal/simaws"
	"github.com/buildmedic/buildmedic/internal/story"
)

// next receives and handles one message; handle says how often, 0 for one that is lost.
func (s *stage) next(handle func(m simaws.Message) int) bool {
	s.t.Helper()
	m, ok := s.Sim.NextMessage(context.Background())
	if !ok {
		return false
	}
	for range handle(m) {
		again, err := s.Deliver(context.Background(), m)
		if err != nil {
			s.t.Fatal(err)
		}
		if again {
			m.Nack()
			return true
		}
	}
	m.Ack()
	return true
}

func isRelease(m simaws.Message) bool { return strings.Contains(m.Body, `"release"`) }

// cases are those of the first n builds of p0, which all failed at once.
func (s *stage) cases(n int) (cs []decide.Case) {
	for _, b := range s.Sim.Builds("p0")[:n] {
		cs = append(cs, s.of(b.ID))
	}
	return cs
}

// steps says how many of the cases are at a step, or ended how.
func steps(cs []decide.Case) map[string]int {
	out := map[string]int{}
	for _, c := range cs {
		at := string(c.Outcome)
		if c.Closed.IsZero() {
			at = string(last(c.Rounds).Step)
		}
		out[at]++
	}
	return out
}

// healed ensures that n builds failed, each was started again once, and all cases ended healed.
func (s *stage) healed(n int) {
	s.t.Helper()
	bs := s.Sim.Builds("p0")
	if got := steps(s.cases(n)); got["healed"] != n || len(bs) != 2*n {
		s.t.Errorf("%d builds, cases %v: each of %d should be started again once", len(bs), got, n)
	}
}

// common is what a notice tells of those that followed.
type common struct {
	At time.Time
	notice.Followers
}

// crowds are the notices that tell of followers.
func (s *stage) crowds() (out []common) {
	for _, m := range s.Sim.Notices() {
		var n notice.Notice
		if err := json.Unmarshal([]byte(m.ByProtocol["sqs"]), &n); err == nil && n.Followers != nil {
			out = append(out, common{n.At, *n.Followers})
		}
	}
	return out
}

// TestIncident: of builds that fail at one point at once, one is looked into. One log is read, one
// policy written, one build started again to try it; the others follow, and two notices tell of
// all.
func TestIncident(t *testing.T) {
	s := crowd(t, 1, 8)
	s.drain()
	s.healed(8)
	for op, want := range map[string]int{"GetLogEvents": 1, "GetRole": 1, "PutRolePolicy": 1, "RetryBuild": 8, "Publish": 2} {
		if n := s.count(op); n != want {
			t.Errorf("%d × %s, want %d", n, op, want)
		}
	}
	ns := s.crowds()
	if len(ns) != 1 || ns[0].Healed != 7 || len(ns[0].Named) != 7 {
		t.Errorf("%+v", ns)
	}
	for i, c := range s.cases(8) {
		r := c.Rounds[0]
		if i > 0 && (r.Follows == "" || r.Decision.Mutates() || !strings.Contains(r.Diagnosis.Evidence.Text, "not read")) {
			t.Errorf("case %d: %+v", i, r)
		}
		if !strings.Contains(s.Journal.String(), c.ID) {
			t.Errorf("the journal does not know case %s", c.ID)
		}
	}
	if n := strings.Count(s.Journal.String(), `"Healed":1`); n != 8 {
		t.Errorf("the metrics count %d heals", n)
	}
	cs, err := s.Inbox.Healer.History(context.Background(), "", 100)
	if err != nil {
		t.Fatal(err)
	}
	if n := slices.IndexFunc(cs, func(c heal.Summary) bool { return c.Follows != "" }); n < 0 {
		t.Error("the history does not say who followed")
	}
}

// TestSingleHealKeepsItsCalls: where nobody fails beside it, a heal makes no call more, and its
// notice waits for nothing.
func TestSingleHealKeepsItsCalls(t *testing.T) {
	s := crowd(t, 1, 1)
	s.drain()
	s.healed(1)
	for _, body := range append(s.Sim.Queued(simaws.Queue), s.Sim.Queued(simaws.FollowUps)...) {
		t.Errorf("a message is left: %s", body)
	}
	if n := s.count("SendMessage"); n != 0 {
		t.Errorf("%d messages were sent", n)
	}
	c := s.of(s.Sim.Builds("p0")[0].ID)
	if at := last(s.Sim.Notices()).At; at.Sub(c.Closed) > time.Second || c.Crowd != nil {
		t.Errorf("told at %s, closed at %s, crowd %+v", at, c.Closed, c.Crowd)
	}
}

// TestReleasedOnce: however often the messages come, each build is started again once, and the
// common notice is sent once.
func TestReleasedOnce(t *testing.T) {
	s := crowd(t, 1, 6)
	for s.next(func(simaws.Message) int { return 3 }) {
	}
	s.healed(6)
	if n := len(s.crowds()); n != 1 || s.count("Publish") != 2 {
		t.Errorf("%d common notices of %d", n, s.count("Publish"))
	}
}

// TestReleaseLost: without its message the sweep starts those that wait, and tells of them.
func TestReleaseLost(t *testing.T) {
	s := crowd(t, 1, 6)
	lose := func(m simaws.Message) int {
		if isRelease(m) {
			return 0
		}
		return 1
	}
	for s.next(lose) {
	}
	if got := steps(s.cases(6)); got["joined"] != 5 || got["healed"] != 1 {
		t.Fatalf("%v", got)
	}
	for range 6 {
		s.Sim.Clock.Advance(15 * time.Minute)
		s.do(`{"sweep":{}}`)
		for s.next(lose) {
		}
	}
	s.healed(6)
	if len(s.crowds()) != 0 {
		t.Fatal("it was told without the message: the test shows nothing")
	}
	for range 2 {
		s.Sim.Clock.Advance(15 * time.Minute)
		s.do(`{"sweep":{}}`)
		s.drain()
	}
	if ns := s.crowds(); len(ns) != 1 || ns[0].Healed != 5 {
		t.Errorf("%+v", ns)
	}
}

// TestReleaseAtTheQueuesPace: while AWS takes no more builds, one message waits for it, whoever
// waits, and no try of any case is used up.
func TestReleaseAtTheQueuesPace(t *testing.T) {
	for _, code := range []string{"AccountLimitExceededException", "ThrottlingException"} {
		s := crowd(t, 1, 6)
		left := 2
		var full time.Time
		s.Sim.Hook(func(c simaws.Call) simaws.Fault {
			if c.Operation != "RetryBuild" || c.Done {
				return simaws.Fault{}
			}
			if left--; left < 0 && left > -8 {
				full = c.At
				return simaws.Fault{Code: code, Message: "Cannot have more than 1 builds in queue for the account", Status: 400}
			}
			return simaws.Fault{}
		})
		for full.IsZero() && s.next(func(simaws.Message) int { return 1 }) {
		}
		waiting := slices.DeleteFunc(s.Sim.Queued(simaws.FollowUps), func(body string) bool {
			return strings.Contains(body, `"runs"`) // to look at the first build, which has ended
		})
		if len(waiting) != 1 {
			t.Errorf("%s: %d messages wait: %q", code, len(waiting), waiting)
		}
		s.drain()
		s.healed(6)
		for _, c := range s.cases(6)[1:] {
			if c.Rounds[0].Tries != 0 {
				t.Errorf("%s: %d tries were used up", code, c.Rounds[0].Tries)
			}
		}
		// Once CodeBuild has forgotten the token, it is looked whether the build was started.
		if n := s.count("ListBuildsForProject"); n > 0 && code == "ThrottlingException" {
			t.Errorf("%d lists of builds", n)
		}
	}
}

// TestReleaseInTime: an invocation whose time is nearly over leaves the rest to another one.
func TestReleaseInTime(t *testing.T) {
	s := crowd(t, 1, 6)
	var m simaws.Message
	for s.next(func(got simaws.Message) int {
		if isRelease(got) {
			m = got
			return 0
		}
		return 1
	}) && m.Body == "" {
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var msg heal.ReleaseMessage
	if err := json.Unmarshal([]byte(m.Body), &msg); err != nil {
		t.Fatal(err)
	}
	if err := s.Inbox.Healer.Release(ctx, msg.Release); err != nil {
		t.Fatal(err)
	}
	if n := s.count("RetryBuild"); n != 1 {
		t.Errorf("%d builds were started without time", n-1)
	}
	s.drain()
	s.healed(6)
}

// TestFollowsLate: a failure that is heard of only once the leader has ended follows at once, and
// is told of as well.
func TestFollowsLate(t *testing.T) {
	s := crowd(t, 1, 4)
	var late simaws.Message
	for s.next(func(m simaws.Message) int {
		if late.Body == "" && strings.Contains(m.Body, s.Sim.Builds("p0")[2].ID) {
			late = m
			return 0
		}
		return 1
	}) {
	}
	if late.Body == "" || len(s.crowds()) != 1 {
		t.Fatal("no message was held back")
	}
	s.Sim.Send(simaws.Queue, late.Body, 0)
	s.drain()
	s.healed(4)
	if n := s.count("SimulatePrincipalPolicy"); n != 2 {
		t.Errorf("IAM was asked %d times", n)
	}
	ns := s.crowds()
	if len(ns) != 2 || ns[1].Healed != 3 || ns[1].At.Sub(ns[0].At) < 10*time.Minute {
		t.Errorf("%d common notices: %+v", len(ns), ns)
	}
}

// pump handles what there is now, and moves no time.
func (s *stage) pump() {
	s.t.Helper()
	for {
		var ms []simaws.Message
		for m, ok := s.Sim.Receive(); ok; m, ok = s.Sim.Receive() {
			ms = append(ms, m)
		}
		if len(ms) == 0 {
			return
		}
		again, err := s.DeliverBatch(context.Background(), ms...)
		if err != nil {
			s.t.Fatal(err)
		}
		for _, m := range ms {
			if slices.Contains(again, m.ID) {
				m.Nack()
			} else {
				m.Ack()
			}
		}
	}
}

// slow is a crowd whose builds go on for so long after the upload. hooks see the account's calls.
func slow(t *testing.T, commits int, takes string, hooks ...func(simaws.Call) simaws.Fault) *stage {
	t.Helper()
	world, set := story.Crowd(1, commits)
	s := open(t, strings.NewReplacer("s3://dist/x]", "s3://dist/x, {run: make test, takes: "+takes+"}]",
		"    versions:", "    timeout: 24h\n    versions:").Replace(string(world)), string(set))
	for _, hook := range hooks {
		s.Sim.Hook(hook)
	}
	for n := range commits {
		if _, err := s.Sim.Run(simaws.Start{Project: "p0", Version: fmt.Sprintf("refs/heads/b%d", n)}); err != nil {
			t.Fatal(err)
		}
	}
	s.Sim.Clock.Advance(2 * time.Minute)
	s.pump()
	if got := steps(s.cases(commits)); got["retried"] != 1 || got["joined"] != commits-1 {
		t.Fatalf("%v", got)
	}
	return s
}

// wait lets time pass, with what comes in it and with sweeps.
func (s *stage) wait(d time.Duration) {
	s.t.Helper()
	for end := s.Sim.Clock.Now().Add(d); s.Sim.Clock.Now().Before(end); {
		s.Sim.Clock.Advance(15 * time.Minute)
		s.pump()
		s.do(`{"sweep":{}}`)
		s.pump()
	}
}

// TestLeaderDoesNotEnd: nobody waits for longer than an hour; then the own log is read. How far the
// leader's build has come nobody looks, since no message can be sent.
func TestLeaderDoesNotEnd(t *testing.T) {
	s := slow(t, 3, "9h", func(c simaws.Call) simaws.Fault {
		return simaws.Fault{Throttle: c.Operation == "SendMessage" && !c.Done}
	})
	s.wait(45 * time.Minute)
	if got := steps(s.cases(3)); got["joined"] != 2 || s.count("GetLogEvents") != 1 {
		t.Fatalf("%v, %d logs were read", got, s.count("GetLogEvents"))
	}
	s.Sim.Unhook()
	s.wait(time.Hour)
	if got := steps(s.cases(3)); got["retried"] != 3 || s.count("GetLogEvents") != 3 {
		t.Errorf("%v, %d logs were read", got, s.count("GetLogEvents"))
	}
	s.wait(12 * time.Hour)
	s.healed(3)
	if n := s.count("PutRolePolicy"); n != 1 {
		t.Errorf("%d writes", n)
	}
}

// TestToldInTime: the common notice waits for an hour, and then names who has not ended; it
// comes again once they have.
func TestToldInTime(t *testing.T) {
	s := slow(t, 3, "40m")
	s.Sim.SetTrouble(simaws.Trouble{ConcurrentBuilds: 1})
	s.wait(5 * time.Hour)
	s.healed(3)
	ns := s.crowds()
	if len(ns) != 2 || ns[0].Open != 1 || ns[1].Healed != 2 || ns[1].At.Sub(ns[0].At) < 10*time.Minute {
		t.Fatalf("%+v", ns)
	}
	if d := ns[0].At.Sub(s.cases(1)[0].Closed); d < 60*time.Minute || d > 80*time.Minute {
		t.Errorf("it was told %s after the leader's end", d)
	}
}

// TestToldThoughTakenBack: that a case was healed, and how those that followed it ended, is told even if a
// person takes its change back before that.
func TestToldThoughTakenBack(t *testing.T) {
	s := slow(t, 3, "40m")
	s.wait(45 * time.Minute)
	leader := s.cases(1)[0]
	if leader.Outcome != decide.Healed || len(s.crowds()) > 0 {
		t.Fatalf("outcome %q, told %+v", leader.Outcome, s.crowds())
	}
	s.Sim.Clock.Advance(5 * time.Minute) // the others have used by now what is taken back
	if a := s.do(`{"undo":{"case":"` + leader.ID + `"}}`); !a.Done {
		t.Fatalf("%+v", a)
	}
	s.wait(4 * time.Hour)
	ns := s.crowds()
	if len(ns) == 0 || ns[len(ns)-1].Healed != 2 || ns[len(ns)-1].Open != 0 {
		t.Errorf("told %+v", ns)
	}
}

// TestTakenBackWhileOthersWait: what a person takes back, or pauses, cures nobody else.
func TestTakenBackWhileOthersWait(t *testing.T) {
	for _, command := range []string{`{"undo":{"case":"CASE"}}`, `{"pause":{"because":"audit"}}`} {
		s := slow(t, 3, "40m")
		leader := s.cases(1)[0]
		if a := s.do(strings.Replace(command, "CASE", leader.ID, 1)); !a.Done {
			t.Fatalf("%s: %+v", command, a)
		}
		s.wait(4 * time.Hour)
		for i, c := range s.cases(3)[1:] {
			for _, r := range c.Rounds {
				if r.Decision == nil || r.Decision.Follows != "" {
					t.Errorf("%s: case %d follows all the same: %+v", command, i, r.Decision)
				}
			}
		}
		if n := s.count("GetLogEvents"); n < 3 {
			t.Errorf("%s: %d logs were read", command, n)
		}
	}
}

// TestStrangersFailure: a build of a pull request neither leads nor follows anybody, and a person
// at a desk waits for nobody.
func TestStrangersFailure(t *testing.T) {
	world, set := story.Crowd(1, 2)
	w := strings.Replace(string(world), "{ref: refs/heads/b1,", "{ref: pr/7,", 1)
	s := open(t, w, string(set))
	for _, v := range []string{"refs/heads/b0", "pr/7"} {
		if _, err := s.Sim.Run(simaws.Start{Project: "p0", Version: v}); err != nil {
			t.Fatal(err)
		}
	}
	s.drain()
	for _, b := range s.Sim.Builds("p0")[:2] {
		c := s.of(b.ID)
		if c.Rounds[0].Follows != "" || b.Version == "pr/7" && c.Outcome != decide.Reported {
			t.Errorf("%s: %s, follows %q", b.Version, c.Outcome, c.Rounds[0].Follows)
		}
	}

	d := crowd(t, 1, 2)
	d.Inbox.Healer.Self.Function = ""
	d.drain()
	for _, c := range d.cases(2) {
		if c.Rounds[0].Follows != "" {
			t.Errorf("at a desk, case %s follows %s", c.ID, c.Rounds[0].Follows)
		}
	}
}

// TestJoinsByFingerprint: a case that has read its log waits for one that fails alike, whatever the
// record says of where.
func TestJoinsByFingerprint(t *testing.T) {
	s := crowd(t, 1, 2, "trouble: {call_time: 100ms}")
	ctx := context.Background()
	other := ""
	s.Sim.Hook(func(c simaws.Call) simaws.Fault {
		// Before the first one takes the lease, the second one does.
		if c.Operation == "GetLogEvents" && !c.Done && other == "" {
			other = "done"
			b := s.Sim.Builds("p0")[1]
			e := heal.Ended{At: s.Inbox.Healer.Home, Project: "p0", Build: b.ID, Status: b.Status}
			if err := s.Inbox.Healer.BuildEnded(ctx, e); err != nil {
				t.Error(err)
			}
		}
		return simaws.Fault{}
	})
	s.drain()
	s.healed(2)
	c := s.cases(1)[0]
	if r := c.Rounds[0]; r.Follows == "" || r.Decision.Follows == "" || r.Diagnosis.Fingerprint == "" || len(r.Diagnosis.Denials) == 0 {
		t.Errorf("it follows %q, at %s\n%s", r.Follows, r.Step, transcript(s.Stage))
	}
	if n, m := s.count("GetLogEvents"), s.count("PutRolePolicy"); n != 2 || m != 1 {
		t.Errorf("%d logs, %d writes", n, m)
	}
}

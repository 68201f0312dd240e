package heal_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/notice"
	"github.com/buildmedic/buildmedic/internal/simaws"
	"github.com/buildmedic/buildmedic/internal/story"
)

// behind is what a build does behind the command that is denied, in the same phase or the next one.
const (
	behindIt    = `build: [{run: make, takes: 60s}, aws s3 cp x s3://dist/x, {run: ./slow.sh, takes: 40m}]`
	behindPhase = `pre_build: [{run: make, takes: 60s}, aws s3 cp x s3://dist/x], build: [{run: ./slow.sh, takes: 40m}]`
	failsAfter  = `build: [{run: make, takes: 60s}, aws s3 cp x s3://dist/x, {run: ./slow.sh, takes: 3m}, aws s3 cp x s3://other/x]`
)

// longCrowd is n builds of one project that fail at once at s3://dist/x, in builds that do what is given.
func longCrowd(t *testing.T, n int, does string) *stage {
	t.Helper()
	world, set := story.Crowd(1, n)
	was := "build: [{run: make, takes: 60s}, aws s3 cp x s3://dist/x]"
	w := strings.Replace(string(world), was, does, 1)
	if w == string(world) && does != was {
		t.Fatal("the world has changed")
	}
	s := open(t, strings.Replace(w, "{name: dist}", "{name: dist}\n  - {name: other}", 1),
		strings.Replace(string(set), "grants: [dist]", "grants: [dist, other]", 1)+"  - {id: other, because: The build uploads., "+
			"owner: team, actions: [\"s3:PutObject\"], resources: [\"arn:${partition}:s3:::other/*\"]}\n")
	for c := range n {
		if _, err := s.Sim.Run(simaws.Start{Project: "p0", Version: fmt.Sprintf("refs/heads/b%d", c)}); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// TestBeyond: the others do not wait until the first build is green, which goes on for long. Once it is
// past the command that failed, they are started, few at first, and two notices tell of all.
func TestBeyond(t *testing.T) {
	for name, does := range map[string]string{"by its log": behindIt, "by its phase": behindPhase} {
		const n = 30
		s := longCrowd(t, n, does)
		s.drain()
		s.healed(n)
		var at []time.Duration
		var green time.Time
		for _, c := range s.cases(n) {
			r := c.Rounds[0]
			if at = append(at, r.RetryAt.Sub(s.Sim.Builds("p0")[0].Start)); r.Follows == "" {
				green = r.Ended
			} else if !r.Decision.Beyond || r.Decision.Mutates() {
				t.Errorf("%s: case %s was started once the first build was green: %+v", name, c.ID, r.Decision)
			}
		}
		slices.Sort(at)
		if at[0] > 3*time.Minute || at[5]-at[0] > 3*time.Minute || at[6]-at[5] < 30*time.Second || at[n-1]-at[0] > 6*time.Minute {
			t.Errorf("%s: started after %v", name, at)
		}
		if green.Sub(s.Sim.Builds("p0")[0].Start) < 40*time.Minute {
			t.Errorf("%s: the first was green at %s", name, green)
		}
		if ns := s.crowds(); len(ns) != 1 || ns[0].Healed != n-1 || s.count("Publish") != 2 {
			t.Errorf("%s: %d notices, of followers %+v", name, s.count("Publish"), ns)
		}
		// One look is enough. The log is read to diagnose, and to see how far the build is where its phase does not say.
		logs := map[string]int{"by its log": 2, "by its phase": 1}[name]
		if reads := s.count("GetLogEvents"); reads != logs || s.count("GetRole") != 1 || s.count("PutRolePolicy") != 1 {
			t.Errorf("%s: %d pages of logs, want %d", name, reads, logs)
		}
	}
}

// TestNothingToLookAt: where the command that failed is the last one, no build is looked at before its end.
func TestNothingToLookAt(t *testing.T) {
	s := crowd(t, 1, 8)
	s.drain()
	s.healed(8)
	for _, c := range s.cases(8) {
		if c.Rounds[0].Decision.Beyond || !c.Rounds[0].Beyond.IsZero() {
			t.Errorf("case %s: %+v", c.ID, c.Rounds[0])
		}
	}
	if n := s.count("BatchGetBuilds"); n > 3 { // those that failed, and the first green one
		t.Errorf("%d reads of builds", n)
	}
}

// TestBeyondStops: the first build comes past the point and then fails of something else. Those that
// were not started by then wait for its second try, and each build is started once for what it lacks.
func TestBeyondStops(t *testing.T) {
	const n = 200
	s := longCrowd(t, n, failsAfter)
	s.Settings.Limits.RetriesHour = 1000
	s.drain()
	cs := s.cases(n)
	if got := steps(cs); got["healed"] != n || s.count("PutRolePolicy") != 2 {
		t.Fatalf("%v, %d writes", got, s.count("PutRolePolicy"))
	}
	var failed time.Time // when the first build failed again
	for _, c := range cs {
		if r := c.Rounds[0]; r.Follows == "" {
			failed = c.Rounds[1].Build.End
		}
	}
	early, late := 0, 0
	for _, c := range cs {
		r := c.Rounds[0]
		switch {
		case len(c.Rounds) > 2:
			t.Errorf("case %s has %d rounds", c.ID, len(c.Rounds))
		case r.RetryAt.Before(failed):
			early++
		case !r.Decision.Beyond: // once the second try was green
			late++
		default:
			t.Errorf("case %s was started at %s, and its leader failed at %s", c.ID, r.RetryAt, failed)
		}
	}
	if early < 2 || early > 50 {
		t.Errorf("%d were started before the first one failed again", early)
	}
	t.Logf("of %d builds %d were started before the first one failed again, %d once it was green", n, early, late)
}

// TestBeyondAndFailed: some that were started while the first build ran are green, and then that one
// fails of a failure of its own. Nobody told of them until then, as its notice was to. Now each tells
// of itself, once.
func TestBeyondAndFailed(t *testing.T) {
	const n = 4
	world, set := story.Crowd(1, n)
	w := strings.Replace(string(world), "aws s3 cp x s3://dist/x]", "aws s3 cp x s3://dist/x, {run: ./on.sh, takes: 2m}]", 1)
	w = strings.Replace(w, "{ref: refs/heads/b0, ", "{ref: refs/heads/b0, buildspecs: {buildspec.yml: {build: [{run: make, takes: 60s}, "+
		"aws s3 cp x s3://dist/x, {run: ./on.sh, takes: 20m}, {run: ./check, fails: {prints: \"Error: check failed\"}}]}}, ", 1)
	s := open(t, w, string(set))
	for c := range n {
		if _, err := s.Sim.Run(simaws.Start{Project: "p0", Version: fmt.Sprintf("refs/heads/b%d", c)}); err != nil {
			t.Fatal(err)
		}
	}
	begin := s.Sim.Clock.Now()
	for s.Sim.Clock.Now().Sub(begin) < 15*time.Minute && s.next(func(simaws.Message) int { return 1 }) {
	}
	if got := s.subjects(); len(got) != 1 || steps(s.cases(n))["healed"] != n-1 {
		t.Errorf("while the first build runs: %v, %q", steps(s.cases(n)), got)
	}
	s.drain()
	if got := steps(s.cases(n)); got["healed"] != n-1 || got["failed"] != 1 {
		t.Fatalf("%v", got)
	}
	told := map[string]int{}
	for _, m := range s.Sim.Notices() {
		var one notice.Notice
		if err := json.Unmarshal([]byte(m.ByProtocol["sqs"]), &one); err != nil {
			t.Fatal(err)
		}
		told[fmt.Sprint(one.Case.ID, " ", one.Kind)]++
	}
	for _, c := range s.cases(n) {
		if told[fmt.Sprint(c.ID, " ", c.Outcome)] != 1 {
			t.Errorf("case %s, %s: told %v", c.ID, c.Outcome, told)
		}
	}
	if healed := strings.Count(s.Journal.String(), `"Healed":1`); healed != n-1 {
		t.Errorf("the metrics count %d heals", healed)
	}
}

// TestBeyondWhileTheQueueIsFull: one that was to be started while the first build ran, and got no place,
// waits on once that build has failed after all, and is started when its next try is green.
func TestBeyondWhileTheQueueIsFull(t *testing.T) {
	const n = 3
	s := longCrowd(t, n, failsAfter)
	began := s.Sim.Clock.Now()
	s.Sim.Hook(func(c simaws.Call) simaws.Fault {
		if bs := s.Sim.Builds("p0"); c.Operation == "RetryBuild" && !c.Done && len(bs) > n && bs[n].Status == "IN_PROGRESS" {
			return simaws.Fault{Code: "AccountLimitExceededException", Status: 400,
				Message: "Cannot have more than 1 builds in queue for the account"}
		}
		return simaws.Fault{}
	})
	at := func(since time.Duration) map[string]int {
		for s.Sim.Clock.Now().Sub(began) < since {
			s.Sim.Clock.Advance(10 * time.Second)
			s.pump()
		}
		return steps(s.cases(n))
	}
	if got := at(5 * time.Minute); got["retried"] != 1 || got["retrying"] != 1 { // one refusal is enough
		t.Fatalf("while the first build runs: %v", got)
	}
	if got := at(10 * time.Minute); got["retrying"] != 1 || got["retried"] != 1 || len(s.Sim.Builds("p0")) != n+2 {
		t.Fatalf("once it has failed: %v, %d builds", got, len(s.Sim.Builds("p0")))
	}
	for _, c := range s.cases(n)[1:] { // as a message that comes late has it
		if err := s.Inbox.Healer.Resume(t.Context(), c.ID); err != nil {
			t.Fatal(err)
		}
	}
	if got := steps(s.cases(n)); got["joined"] != n-1 || len(s.Sim.Builds("p0")) != n+2 {
		t.Errorf("looked at once more: %v, %d builds", got, len(s.Sim.Builds("p0")))
	}
	s.drain()
	for i, c := range s.cases(n) {
		if c.Outcome != "healed" || i > 0 && (len(c.Rounds) != 1 || c.Rounds[0].Decision.Beyond) {
			t.Errorf("case %d: %s after %d rounds", i, c.Outcome, len(c.Rounds))
		}
	}
}

// TestBeyondAfterHoursInTheQueue: the build that was started again waits for hours behind others' builds. Its
// case is known all the time, and those that failed meanwhile, and wait for it, are started soon after it has
// begun and come past the point, not when it is green.
func TestBeyondAfterHoursInTheQueue(t *testing.T) {
	const n = 6
	world, set := story.Crowd(1, n)
	w := strings.Replace(string(world), "build: [{run: make, takes: 60s}, aws s3 cp x s3://dist/x]", behindIt, 1) +
		"  - name: other\n    role: role-0\n    buildspecs: {buildspec.yml: {build: [{run: make, takes: 3h}]}}\n    timeout: 8h\n"
	s := open(t, w, string(set))
	s.do(`{"sweep":{}}`) // the next one finds what no event has told since
	for c := range n + 1 {
		at := simaws.Start{Project: "p0", Version: fmt.Sprintf("refs/heads/b%d", c)}
		if c == n {
			at = simaws.Start{Project: "other"}
		}
		if _, err := s.Sim.Run(at); err != nil {
			t.Fatal(err)
		}
	}
	s.Sim.Clock.Advance(80 * time.Second)
	s.Sim.SetTrouble(simaws.Trouble{ConcurrentBuilds: 1})
	for {
		m, ok := s.Sim.Receive(simaws.Queue)
		if !ok {
			break
		}
		// One follows at once, so that it is looked how far the first build is. The others' events are lost.
		if bs := s.Sim.Builds("p0"); strings.Contains(m.Body, bs[0].ID) || strings.Contains(m.Body, bs[1].ID) {
			if _, err := s.Deliver(t.Context(), m); err != nil {
				t.Fatal(err)
			}
		}
		m.Ack()
	}
	s.pass(2*time.Hour + 40*time.Minute)
	leader := s.of(s.Sim.Builds("p0")[0].ID)
	if r := leader.Rounds[0]; !leader.Closed.IsZero() || r.Retry == "" || len(s.Sim.Builds("p0")) != n+1 {
		t.Fatalf("the first build should wait in the queue: %+v", r)
	}
	if looks := s.count("BatchGetBuilds"); looks > 30 {
		t.Errorf("builds are read %d times while one waits", looks)
	}
	s.Sim.SetTrouble(simaws.Trouble{ConcurrentBuilds: 20})
	s.do(`{"sweep":{}}`)
	s.pass(90 * time.Minute)
	s.drain()
	s.healed(n)
	cs := s.cases(n)
	begun := s.Sim.Builds("other")[0].End
	for _, c := range cs[2:] { // the second one has gone its own way after an hour
		if r := c.Rounds[0]; r.Follows == "" || !r.Decision.Beyond || r.RetryAt.Sub(begun) > 15*time.Minute {
			t.Errorf("case %s was started %s after the first one began", c.ID, r.RetryAt.Sub(begun))
		}
	}
	if cs[0].Closed.Sub(begun) < 40*time.Minute || s.count("Publish") != 4 {
		t.Errorf("the first one was green %s after it began; notices %q", cs[0].Closed.Sub(begun), s.subjects())
	}
}

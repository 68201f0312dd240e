package heal_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/simaws"
	"github.com/buildmedic/buildmedic/internal/story"
)

// crowd is projects that each fail with several commits at once. first are
// lines that the world begins with.
func crowd(t *testing.T, projects, commits int, first ...string) *stage {
	t.Helper()
	world, set := story.Crowd(projects, commits)
	s := open(t, strings.Join(append(first, string(world)), "\n"), string(set))
	for c := range commits {
		for p := range projects {
			if _, err := s.Sim.Run(simaws.Start{Project: fmt.Sprintf("p%d", p), Version: fmt.Sprintf("refs/heads/b%d", c)}); err != nil {
				t.Fatal(err)
			}
		}
	}
	return s
}

func (s *stage) count(operation string) (n int) {
	for _, c := range s.Sim.Calls() {
		if c.Operation == operation {
			n++
		}
	}
	return n
}

// TestSharedRole: of cases that fail at once of what their role lacks, one
// reads the role and writes it; the others see by the simulator's word that it
// has been cured, and only start their builds again.
func TestSharedRole(t *testing.T) {
	s := crowd(t, 1, 6)
	s.drain()
	for _, b := range s.Sim.Builds("p0")[:6] {
		if c := s.of(b.ID); c.Outcome != decide.Healed || len(c.Rounds) != 1 {
			t.Errorf("%s: %s after %d rounds, %v", b.ID, c.Outcome, len(c.Rounds), refusals(c))
		}
	}
	if reads, writes := s.count("GetRole"), s.count("PutRolePolicy"); reads != 1 || writes != 1 {
		t.Errorf("the role was read %d times and written %d times\n%s", reads, writes, transcript(s.Stage))
	}
}

// TestWrittenAMomentAgo: while IAM still says what was before another case's
// write, a case waits, and does not take the old word for a denial that stays.
func TestWrittenAMomentAgo(t *testing.T) {
	s := crowd(t, 1, 3, "propagation: 90s")
	s.drain()
	for _, b := range s.Sim.Builds("p0")[:3] {
		if c := s.of(b.ID); c.Outcome != decide.Healed || len(refusals(c)) > 0 {
			t.Errorf("%s: %s, %v", b.ID, c.Outcome, refusals(c))
		}
	}
	if n := s.count("PutRolePolicy"); n != 1 {
		t.Errorf("%d writes", n)
	}
}

// TestWrittenByAnother: right after another case's write nothing is asked of
// IAM, which may still answer as if it had not been.
func TestWrittenByAnother(t *testing.T) {
	s := crowd(t, 1, 1)
	ctx := context.Background()
	m, ok := s.Sim.NextMessage(ctx)
	if !ok {
		t.Fatal("no message")
	}
	wrote := s.Sim.Clock.Now()
	if _, err := s.Store.Put(ctx, heal.Item{Kind: "role", ID: "arn:aws:iam::111122223333:role/role-0",
		Data: fmt.Appendf(nil, `{"case":"","wrote":%q}`, wrote.Format(time.RFC3339Nano))}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Deliver(ctx, m); err != nil {
		t.Fatal(err)
	}
	m.Ack()
	s.drain()
	calls := s.Sim.Calls()
	i := slices.IndexFunc(calls, func(c simaws.Call) bool { return c.Operation == "SimulatePrincipalPolicy" })
	if i < 0 || calls[i].At.Sub(wrote) < 15*time.Second {
		t.Errorf("IAM was asked so soon after the write\n%s", transcript(s.Stage))
	}
	if c := s.of(s.Sim.Builds("p0")[0].ID); c.Outcome != decide.Healed {
		t.Errorf("outcome %s, %v", c.Outcome, refusals(c))
	}
}

// TestThrottledReadsAreKept: a case whose role cannot be read now has not
// forgotten its log when it comes back.
func TestThrottledReadsAreKept(t *testing.T) {
	s := crowd(t, 1, 1)
	n := 0
	s.Sim.Hook(func(c simaws.Call) simaws.Fault {
		if c.Operation != "SimulatePrincipalPolicy" || c.Done {
			return simaws.Fault{}
		}
		n++
		return simaws.Fault{Throttle: n <= 12}
	})
	s.drain()
	c := s.of(s.Sim.Builds("p0")[0].ID)
	if c.Outcome != decide.Healed || n <= 12 {
		t.Fatalf("outcome %s after %d questions", c.Outcome, n)
	}
	pages := s.count("GetLogEvents")
	if reads := s.count("BatchGetBuilds"); reads != 2 || pages > 2 { // the failed build, and the green one
		t.Errorf("builds were read %d times, %d pages of the log", reads, pages)
	}
}

// TestGreenAsksOnce: before the event of the green build that a case waits for
// closes it, CodeBuild is asked for that build; nothing else is.
func TestGreenAsksOnce(t *testing.T) {
	s := crowd(t, 1, 1)
	s.drain()
	calls := s.Sim.Calls()
	retry := slices.IndexFunc(calls, func(c simaws.Call) bool { return c.Operation == "RetryBuild" })
	var got []string
	for _, c := range calls[retry+1:] {
		got = append(got, c.Operation)
	}
	if want := []string{"Publish", "BatchGetBuilds", "Publish"}; !slices.Equal(got, want) {
		t.Errorf("after the build was started again: %v, want %v", got, want)
	}
	if c := s.of(s.Sim.Builds("p0")[0].ID); c.Rounds[0].Ended.IsZero() {
		t.Error("the case does not know when its build ended")
	}
}

// TestApart: no two keys wait alike, and none longer or much shorter than it
// is told.
func TestApart(t *testing.T) {
	const most = time.Minute
	seen := map[time.Duration]bool{}
	for i := range 1000 {
		d := heal.Jitter(most, fmt.Sprint("case ", i))
		if d < most/2 || d > most {
			t.Errorf("%s of %s", d, most)
		}
		seen[d.Round(100*time.Millisecond)] = true
	}
	if len(seen) < 200 { // of 300 that there are
		t.Errorf("1,000 keys share %d times", len(seen))
	}
}

// TestSweepTakesTurns: a sweep that has no time for all projects begins the
// next time with those that it left out.
func TestSweepTakesTurns(t *testing.T) {
	s := crowd(t, 7, 0)
	lists := func(ctx context.Context) (out []string) {
		from := len(s.Sim.Calls())
		if err := s.Inbox.Healer.Sweep(ctx); err != nil {
			t.Fatal(err)
		}
		for _, c := range s.Sim.Calls()[from:] {
			if c.Operation == "ListBuildsForProject" {
				out = append(out, c.Resources[0][strings.LastIndexByte(c.Resources[0], '/')+1:])
			}
		}
		s.Sim.Clock.Advance(15 * time.Minute)
		return out
	}
	late, cancel := context.WithTimeout(t.Context(), time.Second) // too late to begin with anything
	defer cancel()
	if got := lists(late); len(got) > 0 {
		t.Errorf("without time it swept %q", got)
	}
	n := 0
	s.Sim.Hook(func(c simaws.Call) simaws.Fault {
		if c.Operation == "ListBuildsForProject" && !c.Done {
			n++
			s.Sim.Clock.Advance(time.Second) // so that each was swept at a time of its own
		}
		return simaws.Fault{}
	})
	ps := s.Settings.Projects
	s.Settings.Projects = ps[3:5]
	lists(t.Context())
	s.Settings.Projects = ps
	want := []string{"p0", "p1", "p2", "p5", "p6", "p3", "p4"}
	if got := lists(t.Context()); !slices.Equal(got, want) {
		t.Errorf("swept %q, want %q", got, want)
	}
}

// TestSweepReadsWhatIsNew: builds that a sweep has dealt with are not read
// again.
func TestSweepReadsWhatIsNew(t *testing.T) {
	s := crowd(t, 1, 1)
	s.drain()
	for i := range 4 {
		s.Sim.Clock.Advance(15 * time.Minute)
		before := s.count("BatchGetBuilds")
		s.do(`{"sweep":{}}`)
		if n := s.count("BatchGetBuilds") - before; i == 0 && n != 1 || i > 0 && n != 0 {
			t.Errorf("sweep %d read %d pages of builds", i+1, n)
		}
	}
	s.Sim.SetTrouble(simaws.Trouble{DropEvents: 1})
	if err := s.Sim.PutRolePolicy("role-0", "healed", `{"Version": "2012-10-17", "Statement": []}`); err != nil {
		t.Fatal(err)
	}
	id, err := s.Sim.Run(simaws.Start{Project: "p0", Version: "refs/heads/b0"})
	if err != nil {
		t.Fatal(err)
	}
	for range 4 {
		s.Sim.Clock.Advance(15 * time.Minute)
		s.do(`{"sweep":{}}`)
		s.drain()
	}
	if c := s.of(id); c.Outcome != decide.Healed {
		t.Errorf("the failure that no event told of: %s", c.Outcome)
	}
}

// TestStaleReads: two projects share a role, and each needs another grant of
// it in the same policy. While IAM's reads still show what was before the
// first write, the second must not be made of them: the first would be lost.
func TestStaleReads(t *testing.T) {
	for seed := range 12 {
		world := fmt.Sprintf("seed: %d\nstart: 2026-11-22T10:00:00Z\nbuckets: [{name: one}, {name: two}]\nroles:\n"+
			"  - name: ci\n    inline: {base: '{\"Version\": \"2012-10-17\", \"Statement\": [%s]}'}\nprojects:\n",
			seed, logs)
		set := "version: 1\nprojects:\n"
		for _, p := range []string{"one", "two"} {
			world += fmt.Sprintf("  - {name: %s, role: ci, buildspecs: {buildspec.yml: {build: [{run: make, "+
				"takes: 60s}, aws s3 cp x s3://%s/x]}}}\n", p, p)
			set += fmt.Sprintf("  - {name: %s, role: ci, mode: heal, write: {inline: healed}, grants: [%s]}\n", p, p)
		}
		set += "grants:\n"
		for _, p := range []string{"one", "two"} {
			set += fmt.Sprintf("  - {id: %s, because: It uploads., owner: team, actions: [\"s3:PutObject\"], "+
				"resources: [\"arn:${partition}:s3:::%s/*\"]}\n", p, p)
		}
		s := open(t, world, set)
		s.Sim.SetTrouble(simaws.Trouble{StaleReads: 8 * time.Second, CallTime: 50 * time.Millisecond})
		s.start("one")
		s.start("two")
		s.drain()
		for range 3 {
			s.Sim.Clock.Advance(30 * time.Minute)
			s.do(`{"sweep":{}}`)
			s.drain()
		}
		inline, _ := s.Sim.RolePolicies("", "ci")
		for _, p := range []string{"one", "two"} {
			if c := s.of(s.Sim.Builds(p)[0].ID); c.Outcome != decide.Healed {
				t.Errorf("seed %d: %s: %s %v", seed, p, c.Outcome, refusals(c))
			}
			if !strings.Contains(inline["healed"], "arn:aws:s3:::"+p+"/") {
				t.Errorf("seed %d: the grant of %s is lost: %s", seed, p, inline["healed"])
			}
		}
		if n := s.count("PutRolePolicy"); n != 2 {
			t.Errorf("seed %d: %d writes, so a grant was lost meanwhile", seed, n)
		}
	}
}

// quicker is a ledger in which another instance goes on with a case as soon as one has counted its start.
type quicker struct {
	heal.Store
	other func(id string)
}

func (q quicker) Count(ctx context.Context, id, by string, max int, expires time.Time) (bool, error) {
	ok, err := q.Store.Count(ctx, id, by, max, expires)
	caseID, _, _ := strings.Cut(by, "-")
	q.other(caseID)
	return ok, err
}

// TestFollowersOfTwo: of two instances that release a follower at once, one starts its build, and it is counted once,
// though nothing is recorded of the case before it is counted.
func TestFollowersOfTwo(t *testing.T) {
	s := crowd(t, 1, 6)
	other, both := *s.Inbox.Healer, 0
	s.Inbox.Healer.Store = quicker{s.Store, func(id string) {
		if other.Resume(context.Background(), id) == nil { // else somebody works on the case still
			both++
		}
	}}
	s.drain()
	s.healed(6)
	if n := s.room(s.Sim.Clock.Now(), 60); n != 6 || both != 5 {
		t.Errorf("%d starts are counted; another was quicker %d times", n, both)
	}
}

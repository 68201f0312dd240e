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

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/settings"
	"github.com/buildmedic/buildmedic/internal/simaws"
)

// told reports whether a notice is about the build.
func (s *stage) told(build string) bool {
	return slices.ContainsFunc(s.Sim.Notices(), func(n simaws.Notice) bool { return strings.Contains(n.Message, build) })
}

// release has a second name at the same commit, whose builds fail otherwise.
var release = strings.Replace(shop(1, ""), "buildspecs: {buildspec.yml:", `versions:
      - {ref: refs/heads/main, commit: "1111111111111111111111111111111111111111"}
      - {ref: refs/tags/v1, commit: "1111111111111111111111111111111111111111",
         buildspecs: {buildspec.yml: {build: [{run: make, takes: 80s},
           {run: ./release, fails: {prints: "no room: disk quota exceeded", exit: 1}}]}}}
    buildspecs: {buildspec.yml:`, 1)

// TestTagOfACommitUnderRepair: the release of a tag fails, for a cause of its
// own, while the same commit is being healed on main.
func TestTagOfACommitUnderRepair(t *testing.T) {
	for _, first := range []string{"refs/heads/main", "refs/tags/v1"} {
		t.Run(first, func(t *testing.T) {
			s := open(t, release, shopSettings(1, ""))
			refs := []string{"refs/heads/main", "refs/tags/v1"}
			if first != refs[0] {
				slices.Reverse(refs)
			}
			ids := map[string]string{}
			for _, ref := range refs {
				id, err := s.Sim.Run(simaws.Start{Project: "p0", Version: ref})
				if err != nil {
					t.Fatal(err)
				}
				ids[ref] = id
			}
			s.drain()
			main, tag := s.of(ids["refs/heads/main"]), s.of(ids["refs/tags/v1"])
			if main.Outcome != decide.Healed || tag.Outcome != decide.Reported || main.ID == tag.ID {
				t.Errorf("main is %s, the tag %s, in cases %s and %s", main.Outcome, tag.Outcome, main.ID, tag.ID)
			}
			if !s.told(ids["refs/tags/v1"]) {
				t.Errorf("nobody was told of the tag's build: %q", s.subjects())
			}
			if a := s.do(`{"replay":{"build":"` + ids["refs/tags/v1"] + `"}}`); !a.Done {
				t.Errorf("replay of the tag's build: %+v", a)
			}
			n := len(s.Sim.Notices())
			s.Sim.Clock.Advance(30 * time.Minute)
			s.do(`{"sweep":{}}`)
			s.drain()
			if again := s.of(ids["refs/tags/v1"]); again.ID != tag.ID || len(s.Sim.Notices()) > n+1 {
				t.Errorf("swept: case %s, notices %q", again.ID, s.subjects())
			}
		})
	}
}

// twice starts two builds of one commit and name: the second with the same
// variables, or with others.
func twice(t *testing.T, world string, same bool) (s *stage, first, second string) {
	t.Helper()
	start := func(stage string) string {
		return "  - {project: p0, version: refs/heads/main, overrides: {environmentVariablesOverride: [{name: STAGE, value: " +
			stage + "}]}}\n"
	}
	stage := "production"
	if same {
		stage = "test"
	}
	s = open(t, world+"starts:\n"+start("test")+start(stage), shopSettings(1, ""))
	s.Sim.Settle()
	bs := s.Sim.Builds("p0")
	if len(bs) != 2 {
		t.Fatalf("%d builds", len(bs))
	}
	return s, bs[0].ID, bs[1].ID
}

// TestBuildsThatWaited: another build of the same commit and name fails while
// the case is busy with the first.
func TestBuildsThatWaited(t *testing.T) {
	for _, row := range []struct {
		name   string
		same   bool // it asked for the same as the first
		helps  bool // what is granted helps
		builds int
		replay string // of the second, afterwards
	}{
		{"the first is healed, the second asked for the same", true, true, 3, "A later build that asked for the same is green"},
		{"the first is healed, the second asked for something else", false, true, 4, "healed"},
		{"the grant does not help, the second asked for the same", true, false, 3, ""},
		{"the grant does not help, the second asked for something else", false, false, 4, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			world := shop(1, "")
			if !row.helps {
				world = strings.Replace(world, "aws s3 cp x s3://dist/x]", "aws s3 cp x s3://dist/x, {run: ./test, "+
					"fails: {prints: \"assertion failed\", exit: 1}}]", 1)
			}
			s, a, b := twice(t, world, row.same)
			s.drain()
			for range 3 {
				s.Sim.Clock.Advance(30 * time.Minute)
				s.do(`{"sweep":{}}`)
				s.drain()
			}
			c := s.of(a)
			if c.Closed.IsZero() || len(c.Others) > 0 || c.ID != s.of(b).ID {
				t.Errorf("closed %s, others %v", c.Closed, c.Others)
			}
			if n := len(s.Sim.Builds("p0")); n != row.builds {
				t.Errorf("%d builds, want %d", n, row.builds)
			}
			inRounds := slices.ContainsFunc(c.Rounds, func(r decide.Round) bool { return r.Build.ID == b })
			if inRounds == row.same {
				t.Errorf("the second build had a round: %v", inRounds)
			}
			if row.helps && !row.same && !s.told(b) {
				t.Errorf("nobody was told of the second build: %q", s.subjects())
			}
			if a := s.do(`{"replay":{"build":"` + b + `"}}`); !strings.Contains(a.Message, row.replay) {
				t.Errorf("replay: %s", a.Message)
			}
		})
	}
}

// TestWaitingSurvivesDeath: the function dies at each write of the ledger while
// two builds of a commit are dealt with, and no build is lost.
func TestWaitingSurvivesDeath(t *testing.T) {
	for at := 1; ; at++ {
		s, a, b := twice(t, shop(1, ""), false)
		n := 0
		s.Inbox.Healer.Store = dying{s.Store, func(heal.Item) error {
			if n++; n == at {
				return errors.New("the function is dead")
			}
			return nil
		}}
		s.drain()
		for range 4 {
			s.Sim.Clock.Advance(30 * time.Minute)
			_, _ = s.Inbox.Invoke(t.Context(), []byte(`{"sweep":{}}`)) // it may die, too
			s.drain()
		}
		c := s.of(a)
		if c.Outcome != decide.Healed || len(c.Others) > 0 || len(s.Sim.Builds("p0")) != 4 || !s.told(b) {
			t.Fatalf("dead at write %d: %s, others %v, %d builds, notices %q", at, c.Outcome, c.Others,
				len(s.Sim.Builds("p0")), s.subjects())
		}
		if n < at {
			return
		}
	}
}

// TestNoMoreWaitThanAreKept: a build too many for the case's list stays in the
// queue.
func TestNoMoreWaitThanAreKept(t *testing.T) {
	s := open(t, shop(1, ""), shopSettings(1, ""))
	a, b := s.start("p0"), s.start("p0")
	s.Sim.Settle()
	ended := func(id string) error {
		return s.Inbox.Healer.BuildEnded(t.Context(), heal.Ended{At: s.Inbox.Healer.Home, Project: "p0", Build: id, Status: "FAILED"})
	}
	if err := ended(a); err != nil {
		t.Fatal(err)
	}
	it, err := s.Store.Get(t.Context(), "case", s.of(a).ID)
	if err != nil {
		t.Fatal(err)
	}
	c := s.of(a)
	for i := range decide.MaxOthers {
		c.Others = append(c.Others, fmt.Sprintf("p0:%08x-0000-4000-8000-000000000000", i))
	}
	if it.Data, err = json.Marshal(c); err != nil {
		t.Fatal(err)
	}
	if _, err = s.Store.Put(t.Context(), it); err != nil {
		t.Fatal(err)
	}
	err = ended(b)
	if !errors.Is(err, heal.ErrLater) || slices.Contains(s.of(a).Others, b) {
		t.Errorf("%v; %d others", err, len(s.of(a).Others))
	}
	s.drain()
	if c := s.of(a); c.Outcome != decide.Healed || len(c.Others) > 0 || s.of(b).ID != c.ID {
		t.Errorf("outcome %s, others %v", c.Outcome, c.Others)
	}
}

// TestAnEventIsAHint: what a message says of a build is believed only as far as
// CodeBuild says so.
func TestAnEventIsAHint(t *testing.T) {
	fails := ", {run: ./test, fails: {prints: \"assertion failed\", exit: 1}}]"
	for _, row := range []struct {
		name, status, at string
		then             string // what the retried build does
		outcome          decide.Kind
	}{
		{"green, while it runs", "SUCCEEDED", "2026-11-22T10:03:00Z", fails, decide.Failed},
		{"green, in time to come", "SUCCEEDED", "2099-01-01T00:00:00Z", fails, decide.Failed},
		{"stopped, while it runs", "STOPPED", "2026-11-22T10:03:00Z", "]", decide.Healed},
		{"failed, while it runs", "FAILED", "2099-01-01T00:00:00Z", "]", decide.Healed},
		{"timed out, long ago", "TIMED_OUT", "2001-01-01T00:00:00Z", "]", decide.Healed},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := open(t, strings.Replace(shop(1, ""), "s3://dist/x]", "s3://dist/x"+row.then, 1), shopSettings(1, ""))
			id := s.start("p0")
			said := false
			s.Sim.Hook(func(c simaws.Call) simaws.Fault {
				if c.Operation == "RetryBuild" && c.Done && !said {
					said = true
					s.Sim.After(20*time.Second, func() { s.say(last(s.Sim.Builds("p0")).ID, row.status, row.at) })
				}
				return simaws.Fault{}
			})
			s.drain()
			c := s.of(id)
			if c.Outcome != row.outcome || !said {
				t.Errorf("outcome %s, want %s; said %v", c.Outcome, row.outcome, said)
			}
			for _, r := range c.Rounds {
				if r.Ended.After(s.Sim.Clock.Now()) {
					t.Errorf("the build ended at %s, and it is %s", r.Ended, s.Sim.Clock.Now())
				}
			}
			if n := len(s.Sim.Builds("p0")); n != 2 {
				t.Errorf("%d builds", n)
			}
		})
	}
}

// TestGreenBuildIsNoFailure: a message says that a green build failed, whose log
// shows a denial that it went on after.
func TestGreenBuildIsNoFailure(t *testing.T) {
	s := open(t, strings.Replace(shop(1, ""), "aws s3 cp x s3://dist/x]", "{run: aws s3 cp x s3://dist/x, ignore_failure: true}]", 1),
		shopSettings(1, ""))
	id := s.start("p0")
	s.drain()
	if st := s.Sim.Builds("p0")[0].Status; st != "SUCCEEDED" {
		t.Fatalf("the build is %s", st)
	}
	s.say(id, "FAILED", "2026-11-22T10:02:00Z")
	s.drain()
	if n := len(s.Sim.Builds("p0")); n != 1 || s.inline("role-0") != "" || len(s.Sim.Notices()) > 0 {
		t.Errorf("%d builds, written %q, notices %q", n, s.inline("role-0"), s.subjects())
	}
}

// say delivers a message about a build that CodeBuild did not send.
func (s *stage) say(build, status, at string) {
	s.t.Helper()
	arn := "arn:aws:codebuild:us-east-1:111122223333:build/" + build
	body := fmt.Sprintf(`{"version":"0","id":"e1","detail-type":"CodeBuild Build State Change","source":"aws.codebuild",`+
		`"account":"111122223333","region":"us-east-1","time":%q,"resources":[%q],"detail":{"build-status":%q,`+
		`"project-name":"p0","build-id":%q}}`, at, arn, status, arn)
	batch, err := json.Marshal(map[string]any{"Records": []any{map[string]any{"messageId": "f", "body": body}}})
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := s.Inbox.Invoke(s.t.Context(), batch); err != nil {
		s.t.Error(err)
	}
}

// unlike has no two builds ask for the same.
type unlike struct{ heal.Builds }

func (u unlike) Get(ctx context.Context, at settings.Account, id string) (codebuild.Build, error) {
	b, err := u.Builds.Get(ctx, at, id)
	b.Parameters = id
	return b, err
}

// sweepFrom sweeps as if a build that began then were running still.
func (s *stage) sweepFrom(from string) {
	s.t.Helper()
	its, err := s.Store.Between(s.t.Context(), "sweep", time.Time{}, s.Sim.Clock.Now().Add(time.Hour), false, 100)
	if err != nil || len(its) != 1 {
		s.t.Fatalf("%d marks: %v", len(its), err)
	}
	its[0].Data = []byte(`{"from":"` + from + `"}`)
	if _, err := s.Store.Put(s.t.Context(), its[0]); err != nil {
		s.t.Fatal(err)
	}
	s.do(`{"sweep":{}}`)
	s.drain()
}

// TestSweptAgain: a sweep lists builds that were dealt with once more, since an
// older one of the project runs still. That makes no new rounds of them: neither
// of a batch as large as CodeBuild takes, nor of an earlier day.
func TestSweptAgain(t *testing.T) {
	world := strings.Replace(shop(1, ""), "aws s3 cp x s3://dist/x", "{run: ./test, fails: {prints: \"assertion failed\", exit: 1}}", 1)
	s := open(t, world, shopSettings(1, ""))
	s.Inbox.Healer.Builds = unlike{s.Inbox.Healer.Builds}
	began := s.Sim.Clock.Now().UTC().Format(time.RFC3339)
	id := s.start("p0")
	for range 99 {
		s.start("p0")
	}
	s.drain()
	s.do(`{"sweep":{}}`)
	rounds := func() int { return len(s.of(id).Rounds) + s.of(id).Past.Rounds }
	if n := rounds(); n != 100 {
		t.Fatalf("%d rounds", n)
	}
	s.Sim.Clock.Advance(10 * time.Minute)
	s.sweepFrom(began)
	if n := rounds(); n != 100 {
		t.Errorf("swept again: %d rounds", n)
	}
	s.Sim.Clock.Advance(25 * time.Hour)
	s.start("p0")
	s.drain()
	s.sweepFrom(began)
	if n := rounds(); n != 1 {
		t.Errorf("a day later: %d rounds", n)
	}
}

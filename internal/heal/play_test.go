package heal_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/simaws"
	"github.com/buildmedic/buildmedic/internal/story"
)

const logs = `{"Effect": "Allow", "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"], "Resource": "*"}`

// shop is a world with n projects, each with a role of its own that may not
// upload to the bucket.
func shop(n int, extra string) string {
	var b strings.Builder
	b.WriteString("start: 2026-11-22T10:00:00Z\nbuckets:\n  - {name: dist}\nroles:\n")
	for i := range n {
		fmt.Fprintf(&b, "  - name: role-%d\n    inline: {base: '{\"Version\": \"2012-10-17\", \"Statement\": [%s]}'}\n", i, logs)
	}
	b.WriteString("projects:\n")
	for i := range n {
		fmt.Fprintf(&b, "  - name: p%d\n    role: role-%d\n%s    buildspecs: {buildspec.yml: {build: [{run: make, "+
			"takes: 60s}, aws s3 cp x s3://dist/x]}}\n", i, i, extra)
	}
	return b.String()
}

func shopSettings(n int, limits string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "version: 1\nlimits: {%s}\nprojects:\n", limits)
	for i := range n {
		fmt.Fprintf(&b, "  - {name: p%d, role: role-%d, mode: heal, write: {inline: healed}, grants: [dist]}\n", i, i)
	}
	b.WriteString("grants:\n  - {id: dist, because: The build uploads., owner: team, actions: [\"s3:PutObject\"], " +
		"resources: [\"arn:${partition}:s3:::dist/*\"]}\n")
	return b.String()
}

type stage struct {
	*story.Stage
	t   *testing.T
	log bytes.Buffer
}

func open(t *testing.T, world, set string) *stage {
	t.Helper()
	s := &stage{t: t}
	st, err := story.Open(story.Story{Name: t.Name(), World: []byte(world), Settings: []byte(set),
		Expect: story.Expect{Project: "p0"}}, story.Options{Log: &s.log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(st.Close)
	s.Stage = st
	return s
}

func (s *stage) start(project string) string {
	s.t.Helper()
	id, err := s.Sim.Run(simaws.Start{Project: project, Version: "refs/heads/main"})
	if err != nil {
		s.t.Fatal(err)
	}
	return id
}

func (s *stage) drain() {
	s.t.Helper()
	if err := s.Run(context.Background()); err != nil {
		s.t.Fatal(err)
	}
}

// do sends a command and gives its answer.
func (s *stage) do(command string) heal.CommandAnswer {
	s.t.Helper()
	out, err := s.Inbox.Invoke(context.Background(), json.RawMessage(command))
	if err != nil {
		s.t.Fatalf("%s: %v", command, err)
	}
	return out.(heal.CommandAnswer)
}

// of reads the case of a build.
func (s *stage) of(build string) decide.Case {
	s.t.Helper()
	it, err := s.Store.Get(context.Background(), "build", build)
	if err != nil {
		s.t.Fatalf("the case of %s: %v", build, err)
	}
	c, err := s.Inbox.Healer.Case(context.Background(), string(it.Data))
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

func (s *stage) inline(role string) string {
	in, _ := s.Sim.RolePolicies("", role)
	return in["healed"]
}

func (s *stage) subjects() (out []string) {
	for _, n := range s.Sim.Notices() {
		out = append(out, n.Subject)
	}
	return out
}

func refusals(c decide.Case) (out []string) {
	for _, r := range c.Rounds {
		if r.Decision != nil {
			for _, f := range r.Decision.Refusals {
				out = append(out, string(f.Rule))
			}
		}
	}
	return out
}

// TestStopped ensures that a build that somebody stopped is left alone: at
// first, and as a retry.
func TestStopped(t *testing.T) {
	s := open(t, shop(1, ""), shopSettings(1, ""))
	id := s.start("p0")
	s.Sim.Clock.Advance(20 * time.Second)
	if err := s.Sim.Stop(id); err != nil {
		t.Fatal(err)
	}
	s.drain()
	s.Sim.Clock.Advance(10 * time.Minute)
	s.do(`{"sweep":{}}`)
	s.drain()
	if n := len(s.Sim.Builds("p0")); n != 1 || len(s.Sim.Notices()) != 0 {
		t.Errorf("%d builds, notices %q: a stopped build was not left alone", n, s.subjects())
	}

	id = s.start("p0")
	s.Sim.Hook(func(c simaws.Call) simaws.Fault {
		if c.Operation == "RetryBuild" && c.Done {
			s.Sim.After(20*time.Second, func() { _ = s.Sim.Stop(last(s.Sim.Builds("p0")).ID) })
		}
		return simaws.Fault{}
	})
	s.drain()
	c := s.of(id)
	if c.Outcome != decide.Failed || len(s.Sim.Builds("p0")) != 3 || s.inline("role-0") == "" {
		t.Errorf("the stopped retry: outcome %s, %d builds, policy %q", c.Outcome, len(s.Sim.Builds("p0")), s.inline("role-0"))
	}
}

func last[T any](s []T) T { return s[len(s)-1] }

// deaf has IAM allow and the bucket refuse, so that a grant does not help.
const deaf = "buckets:\n  - {name: dist, policy: '{\"Version\": \"2012-10-17\", \"Statement\": [{\"Effect\": " +
	"\"Deny\", \"Principal\": \"*\", \"Action\": \"s3:PutObject\", \"Resource\": \"*\"}]}'}\n"

// branches are those of a project on which a commit may fail.
const branches = "    versions: [{ref: refs/heads/a, commit: a1}, {ref: refs/heads/b, commit: b1}, {ref: refs/heads/c, commit: c1}, " +
	"{ref: refs/heads/d, commit: d1}, {ref: refs/heads/e, commit: e1}]\n"

// useless lets a commit of the project fail, and gives its case.
func (s *stage) useless(project, branch string) decide.Case {
	s.t.Helper()
	id, err := s.Sim.Run(simaws.Start{Project: project, Version: "refs/heads/" + branch})
	if err != nil {
		s.t.Fatal(err)
	}
	s.drain()
	return s.of(id)
}

// ofKind counts the notices of a kind whose subject has the text in it.
func (s *stage) ofKind(kind decide.Kind, text string) (n int) {
	for _, m := range s.Sim.Notices() {
		if m.Attributes["kind"] == string(kind) && strings.Contains(m.Subject, text) {
			n++
		}
	}
	return n
}

// isPaused reports whether the case was only explained, because of a pause.
func isPaused(c decide.Case) bool {
	return c.Outcome == decide.Reported && strings.Join(refusals(c), " ") == "paused"
}

// TestBreaker ensures that after as many undone grants of a project as settings
// say nothing more is written for it, that other projects are healed as before,
// that the team is told, and that a person can allow writing again.
func TestBreaker(t *testing.T) {
	s := open(t, deafShop(2, branches), shopSettings(2, "stop_after_undone: 2"))
	for i, b := range []string{"a", "b"} {
		if c := s.useless("p0", b); c.Outcome != decide.Undone || s.inline("role-0") != "" {
			t.Fatalf("commit %d: outcome %s %v, should be undone; policy %q", i, c.Outcome, refusals(c), s.inline("role-0"))
		}
	}
	if c := s.useless("p0", "c"); !isPaused(c) {
		t.Errorf("p0: outcome %s, refusals %v, want it paused", c.Outcome, refusals(c))
	}
	if c := s.useless("p1", "a"); c.Outcome != decide.Undone {
		t.Errorf("p1: outcome %s, refusals %v, should be undone", c.Outcome, refusals(c))
	}
	if n := s.ofKind(decide.Paused, "p0"); n != 1 || s.ofKind(decide.Paused, "") != 1 {
		t.Errorf("%d notices of the pause of p0: %q", n, s.subjects())
	}
	a := s.do(`{"status":{}}`)
	if a.Paused != "" || len(a.PausedProjects) != 1 || a.PausedProjects[0].Project != "p0" ||
		!strings.Contains(a.PausedProjects[0].Because, `{"resume":{"project":"p0"}}`) {
		t.Errorf("status: %+v", a)
	}
	for _, row := range []struct {
		command, says string
		done          bool
	}{
		{`{"resume":{}}`, `Project p0 is paused still; send {"resume":{"project":"p0"}}`, false},
		{`{"resume":{"project":"p1"}}`, "is not paused", false},
		{`{"resume":{"project":"p0","region":"eu-north-1"}}`, "is not paused", false},
		{`{"resume":{"project":"p0"}}`, "allowed again for project p0", true},
		{`{"resume":{"project":"p0"}}`, "is not paused", false},
	} {
		if a := s.do(row.command); a.Done != row.done || !strings.Contains(a.Message, row.says) {
			t.Errorf("%s: %+v", row.command, a)
		}
	}
	if a := s.do(`{"status":{}}`); len(a.PausedProjects) != 0 {
		t.Errorf("status after resuming: %+v", a.PausedProjects)
	}
	if c := s.useless("p0", "d"); c.Outcome != decide.Undone {
		t.Errorf("p0 after resuming: outcome %s, refusals %v", c.Outcome, refusals(c))
	}
	if c := s.useless("p0", "e"); !isPaused(c) {
		t.Errorf("p0 after one more on the same day: outcome %s, refusals %v, want it paused", c.Outcome, refusals(c))
	}
}

// TestBreakerForAll ensures that everything is paused only once that has
// happened to five projects within a day, and that this is told apart.
func TestBreakerForAll(t *testing.T) {
	s := open(t, deafShop(6, branches), shopSettings(6, "stop_after_undone: 1"))
	for i := range 5 {
		if c := s.useless(fmt.Sprintf("p%d", i), "a"); c.Outcome != decide.Undone {
			t.Fatalf("p%d: outcome %s, refusals %v", i, c.Outcome, refusals(c))
		}
	}
	if c := s.useless("p5", "a"); !isPaused(c) {
		t.Errorf("p5: outcome %s, refusals %v, want everything paused", c.Outcome, refusals(c))
	}
	if n := s.ofKind(decide.Paused, ""); n != 6 {
		t.Errorf("%d notices of pauses, want one of each project and one of all: %q", n, s.subjects())
	}
	if a := s.do(`{"status":{}}`); a.Paused == "" || len(a.PausedProjects) != 5 {
		t.Errorf("status: %+v", a)
	}
	if a := s.do(`{"resume":{"project":"p4"}}`); !a.Done || !strings.Contains(a.Message, "everything is paused") {
		t.Errorf("resuming a project: %+v", a)
	}
	if a := s.do(`{"resume":{}}`); !a.Done || len(a.PausedProjects) != 4 {
		t.Errorf("resuming all: %+v", a)
	}
	if c := s.useless("p5", "b"); c.Outcome != decide.Undone {
		t.Errorf("p5 after resuming: outcome %s, refusals %v", c.Outcome, refusals(c))
	}
}

// TestBudgets ensures that the budgets of the hour hold over all projects,
// and that the refusal names the setting.
func TestBudgets(t *testing.T) {
	for limits, rule := range map[string]string{"writes_per_hour: 2": "writes-per-hour", "retries_per_hour: 2": "retries-per-hour"} {
		t.Run(rule, func(t *testing.T) {
			s := open(t, shop(3, ""), shopSettings(3, limits))
			var ids []string
			for i := range 3 {
				ids = append(ids, s.start(fmt.Sprintf("p%d", i)))
			}
			s.drain()
			healed, refused := 0, 0
			for _, id := range ids {
				switch c := s.of(id); {
				case c.Outcome == decide.Healed:
					healed++
				case strings.Join(refusals(c), " ") == rule && len(c.Rounds[0].Decision.Used) == 0 &&
					strings.Contains(c.Rounds[0].Decision.Refusals[0].Message, "limits."+strings.Fields(limits)[0][:5]):
					refused++
				default:
					t.Errorf("%s: %s %v", id, c.Outcome, refusals(c))
				}
			}
			if healed != 2 || refused != 1 {
				t.Errorf("%d healed, %d refused", healed, refused)
			}
		})
	}
}

// TestNoBudget ensures that a limit of 0 means none, and that the notice says so: nothing is
// written, no build is started, and nothing is waited for.
func TestNoBudget(t *testing.T) {
	for limit, want := range map[string]string{
		"rounds: 0":                  "limits.rounds is 0, so no build is started again",
		"writes_per_role_per_day: 0": "limits.writes_per_role_per_day is 0, so no role is changed.",
		"writes_per_hour: 0":         "limits.writes_per_hour is 0, so nothing is changed.",
		"retries_per_hour: 0":        "limits.retries_per_hour is 0, so no build is started again.",
		"cloudtrail_wait: 0":         "limits.cloudtrail_wait is 0, so nothing waits for it.",
	} {
		t.Run(limit, func(t *testing.T) {
			set := shopSettings(1, limit)
			if strings.HasPrefix(limit, "cloudtrail") {
				set = strings.Replace(set, "owner: team,", "owner: team, evidence: cloudtrail,", 1)
			}
			s := open(t, shop(1, ""), set)
			id := s.start("p0")
			s.drain()
			notice := strings.NewReplacer(`\\n`, " ", `\n`, " ", "\n", " ").Replace(last(s.Sim.Notices()).Message)
			if c := s.of(id); c.Outcome != decide.Reported || !strings.Contains(strings.Join(strings.Fields(notice), " "), want) {
				t.Errorf("%s %v, which %q is not in the notice of:\n%s", c.Outcome, refusals(c), want, notice)
			}
			if n := len(s.Sim.Builds("p0")); n != 1 || s.inline("role-0") != "" {
				t.Errorf("%d builds, policy %q", n, s.inline("role-0"))
			}
		})
	}
}

// TestUnreadable ensures that a message that cannot be read is kept: the
// queue gives it up after its tries, for a person to see.
func TestUnreadable(t *testing.T) {
	s := open(t, shop(1, ""), shopSettings(1, ""))
	const bad = `{"source": "aws.codebuild", "detail-type": "CodeBuild Build State Change", "detail": {`
	s.Sim.Send(simaws.Queue, bad, 0)
	id := s.start("p0")
	s.drain()
	if got := s.Sim.Queued(simaws.DeadLetter); len(got) != 1 || got[0] != bad {
		t.Errorf("dead letters: %q", got)
	}
	if c := s.of(id); c.Outcome != decide.Healed {
		t.Errorf("the next failure: %s", c.Outcome)
	}
	if !strings.Contains(s.log.String(), "message not handled") {
		t.Error("the log does not tell of it")
	}
}

// TestThrottled ensures that throttled calls come back, and that no message
// is given up for them.
func TestThrottled(t *testing.T) {
	s := open(t, shop(1, ""), shopSettings(1, ""))
	var mu sync.Mutex
	seen := map[string]int{}
	s.Sim.Hook(func(c simaws.Call) simaws.Fault {
		mu.Lock()
		defer mu.Unlock()
		if c.Done || c.Service == "sqs" {
			return simaws.Fault{}
		}
		seen[c.Operation]++ // more often than the SDK tries
		return simaws.Fault{Throttle: seen[c.Operation] <= 8}
	})
	id := s.start("p0")
	s.drain()
	s.Sim.Clock.Advance(20 * time.Minute)
	s.do(`{"sweep":{}}`)
	s.drain()
	if c := s.of(id); c.Outcome != decide.Healed || len(s.Sim.Queued(simaws.DeadLetter)) > 0 || len(s.Sim.Builds("p0")) != 2 {
		t.Errorf("outcome %s, %d builds, dead letters %q", c.Outcome, len(s.Sim.Builds("p0")), s.Sim.Queued(simaws.DeadLetter))
	}
}

// dieAt has the function die at the first such call, after its effect.
func dieAt(s *stage, operation string) {
	done := false
	s.Sim.Hook(func(c simaws.Call) simaws.Fault {
		if c.Operation == operation && c.Done && c.Error == "" && !done && c.Key == simaws.FunctionKey {
			done = true
			return simaws.Fault{Crash: true}
		}
		return simaws.Fault{}
	})
}

// TestSettingsChanged ensures that a case continues under the settings
// of now: what was decided before they changed is decided again before
// anything is written.
func TestSettingsChanged(t *testing.T) {
	s := open(t, shop(1, ""), shopSettings(1, ""))
	n := 0
	s.Sim.Hook(func(c simaws.Call) simaws.Fault {
		if c.Operation == "PutRolePolicy" && !c.Done {
			n++
			return simaws.Fault{Code: "ServiceFailure", Status: 500} // the write does not get through
		}
		return simaws.Fault{}
	})
	id := s.start("p0")
	ctx := context.Background()
	for n == 0 {
		m, ok := s.Sim.NextMessage(ctx)
		if !ok {
			t.Fatal("no write was tried")
		}
		if _, err := s.Deliver(ctx, m); err != nil {
			t.Fatal(err)
		}
		m.Ack()
	}
	if step := s.of(id).Rounds[0].Step; step != decide.StepWriting {
		t.Fatalf("the case waits at %s", step)
	}
	s.Sim.Unhook()
	s.Settings.Grants[0].Actions = []string{"s3:GetObject"}
	s.Settings.SHA256 = "other"
	s.drain()
	if c := s.of(id); c.Outcome != decide.Reported || s.inline("role-0") != "" {
		t.Errorf("outcome %s %v, policy %q: what is no longer allowed was written", c.Outcome, refusals(c), s.inline("role-0"))
	}
}

// TestProjectGone ensures that a case ends, and says why, when the settings
// no longer name its project.
func TestProjectGone(t *testing.T) {
	s := open(t, shop(1, ""), shopSettings(1, ""))
	dieAt(s, "SimulatePrincipalPolicy")
	id := s.start("p0")
	ctx := context.Background()
	m, _ := s.Sim.NextMessage(ctx)
	if _, err := s.Deliver(ctx, m); err != nil {
		t.Fatal(err)
	}
	m.Ack()
	if err := s.Restart(); err != nil {
		t.Fatal(err)
	}
	s.Settings.Projects = nil
	s.Sim.Clock.Advance(10 * time.Minute)
	s.do(`{"sweep":{}}`)
	s.drain()
	if c := s.of(id); c.Outcome != decide.Reported || len(s.Sim.Notices()) != 1 {
		t.Errorf("outcome %q, notices %q", c.Outcome, s.subjects())
	}
}

// TestCommands plays what people tell the function, right and wrong.
func TestCommands(t *testing.T) {
	s := open(t, shop(2, ""), shopSettings(2, ""))
	for command, want := range map[string]string{
		`{}`:                          "There are approve",
		`{"approve":{"plan":"none"}}`: "There is no plan",
		`{"reject":{"plan":"none"}}`:  "There is no plan",
		`{"undo":{"case":"none"}}`:    "There is no case",
		`{"status":{"case":"none"}}`:  "There is no case",
		`{"replay":{"build":"p0:00000000-0000-0000-0000-000000000000"}}`: "There is no build",
	} {
		if a := s.do(command); a.Done || !strings.Contains(a.Message, want) {
			t.Errorf("%s: %+v", command, a)
		}
	}
	if _, err := s.Inbox.Invoke(context.Background(), json.RawMessage(`{"aprove":{}}`)); err == nil {
		t.Error("a command with a typing mistake was taken")
	}
	if a := s.do(`{"pause":{"because":"a freeze"}}`); !a.Done {
		t.Errorf("pause: %+v", a)
	}
	id := s.start("p0")
	s.drain()
	if c := s.of(id); c.Outcome != decide.Reported || strings.Join(refusals(c), "") != "paused" {
		t.Errorf("while paused: %s %v", c.Outcome, refusals(c))
	}
	if a := s.do(fmt.Sprintf(`{"replay":{"build":%q}}`, id)); !a.Done || a.Case.Outcome != decide.Reported || len(a.Case.Rounds) != 1 {
		t.Errorf("replay of what is told already, and still refused: %+v", a)
	}
	s.do(`{"resume":{}}`)
	if a := s.do(fmt.Sprintf(`{"replay":{"build":%q}}`, s.Sim.Builds("p0")[0].ARN)); !a.Done || !a.Case.Closed.IsZero() {
		t.Errorf("replay of what may be repaired now: %+v", a)
	}
	s.drain()
	if c := s.of(id); c.Outcome != decide.Healed || len(c.Rounds) != 1 || len(s.Sim.Builds("p0")) != 2 {
		t.Errorf("after the replay: %s, %d rounds, %d builds", c.Outcome, len(c.Rounds), len(s.Sim.Builds("p0")))
	}
	if a := s.do(fmt.Sprintf(`{"replay":{"build":%q}}`, id)); a.Done || a.Case.Outcome != decide.Healed ||
		!strings.Contains(a.Message, "healed") || len(s.Sim.Builds("p0")) != 2 {
		t.Errorf("replay of what is healed: %+v", a)
	}

	id = s.start("p1")
	s.drain()
	c := s.of(id)
	if a := s.do(fmt.Sprintf(`{"status":{"case":%q}}`, c.ID)); !a.Done || a.Case.Outcome != decide.Healed {
		t.Errorf("status: %+v", a)
	}
	if a := s.do(fmt.Sprintf(`{"undo":{"case":%q}}`, c.ID)); !a.Done || s.inline("role-1") != "" {
		t.Errorf("undo: %+v, policy %q", a, s.inline("role-1"))
	}
	if a := s.do(fmt.Sprintf(`{"undo":{"case":%q}}`, c.ID)); a.Done {
		t.Errorf("undo twice: %+v", a)
	}
}

// TestUndoRespectsOthers ensures that what somebody else changed since is
// not touched, and that the answer says what differs.
func TestUndoRespectsOthers(t *testing.T) {
	s := open(t, shop(1, ""), shopSettings(1, ""))
	id := s.start("p0")
	s.drain()
	changed := strings.Replace(s.inline("role-0"), "s3:PutObject", "s3:GetObject", 1)
	if err := s.Sim.PutRolePolicy("role-0", "healed", changed); err != nil {
		t.Fatal(err)
	}
	a := s.do(fmt.Sprintf(`{"undo":{"case":%q}}`, s.of(id).ID))
	if a.Done || !strings.Contains(a.Message, "s3:GetObject") || s.inline("role-0") != changed {
		t.Errorf("undo: %+v, policy %q", a, s.inline("role-0"))
	}
}

// TestPropose plays approval, rejection, and a plan that the world has
// overtaken.
func TestPropose(t *testing.T) {
	propose := strings.ReplaceAll(shopSettings(3, ""), "mode: heal", "mode: propose")
	s := open(t, shop(3, ""), propose)
	plan := func(id string) string {
		c := s.of(id)
		if c.Outcome != decide.Proposed {
			t.Fatalf("%s: %s", id, c.Outcome)
		}
		return c.Rounds[0].Decision.Plan.Hash()
	}
	var ids []string
	for i := range 3 {
		ids = append(ids, s.start(fmt.Sprintf("p%d", i)))
	}
	s.drain()
	if a := s.do(fmt.Sprintf(`{"approve":{"plan":%q}}`, plan(ids[0]))); !a.Done {
		t.Errorf("approve: %+v", a)
	}
	s.drain()
	if c := s.of(ids[0]); c.Outcome != decide.Healed {
		t.Errorf("approved: %s", c.Outcome)
	}
	if a := s.do(fmt.Sprintf(`{"reject":{"plan":%q}}`, plan(ids[1]))); !a.Done || s.inline("role-1") != "" {
		t.Errorf("reject: %+v", a)
	}
	if err := s.Sim.PutRolePolicy("role-2", "healed",
		`{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"}]}`); err != nil {
		t.Fatal(err)
	}
	old := plan(ids[2])
	if a := s.do(fmt.Sprintf(`{"approve":{"plan":%q}}`, old)); a.Done || !strings.Contains(a.Message, "changed") {
		t.Errorf("approval of an overtaken plan: %+v", a)
	}
	if next := s.of(ids[2]); next.Outcome != decide.Proposed || last(next.Rounds).Decision.Plan.Hash() == old {
		t.Errorf("it was not proposed again: %s", next.Outcome)
	}
}

// TestDigest ensures that more notices than settings want one by one are
// kept, then sent in one notice, once, and that none is lost.
func TestDigest(t *testing.T) {
	const n = 5
	s := open(t, shop(n, ""), strings.ReplaceAll(shopSettings(n, ""), "mode: heal", "mode: observe"))
	s.Settings.Notify.Digest = 2
	for i := range n {
		s.start(fmt.Sprintf("p%d", i))
	}
	s.drain()
	if got := len(s.Sim.Notices()); got != 2 {
		t.Fatalf("%d notices before the digest: %q", got, s.subjects())
	}
	s.Sim.Clock.Advance(time.Minute)
	s.do(`{"sweep":{}}`)
	s.do(`{"sweep":{}}`)
	ns := s.Sim.Notices()
	if len(ns) != 3 {
		t.Fatalf("%d notices: %q", len(ns), s.subjects())
	}
	for i := range n {
		found := false
		for _, m := range ns {
			found = found || strings.Contains(m.Message, fmt.Sprintf("p%d", i))
		}
		if !found {
			t.Errorf("nothing tells of p%d", i)
		}
	}
}

// TestDigestOfADeadSweep ensures that what a sweep had begun to send when it died is sent by
// another, once the time is over in which the first may still be at it.
func TestDigestOfADeadSweep(t *testing.T) {
	s := open(t, shop(1, ""), strings.ReplaceAll(shopSettings(1, ""), "mode: heal", "mode: observe"))
	s.Settings.Notify.Digest = 0
	s.start("p0")
	s.drain()
	until := s.Sim.Clock.Now().Add(6 * time.Minute)
	if _, err := s.Store.Put(t.Context(), heal.Item{Kind: "flag", ID: "digest", Data: []byte(until.Format(time.RFC3339))}); err != nil {
		t.Fatal(err)
	}
	for i, want := range []int{0, 1, 1} {
		s.do(`{"sweep":{}}`)
		if got := len(s.Sim.Notices()); got != want {
			t.Errorf("after sweep %d: %d notices, want %d", i+1, got, want)
		}
		s.Sim.Clock.Advance(6 * time.Minute)
	}
}

// TestFreshBatch ensures that a batch of several messages names exactly
// those that must come again.
func TestFreshBatch(t *testing.T) {
	s := open(t, shop(1, ""), shopSettings(1, ""))
	s.Sim.Send(simaws.Queue, "nonsense", 0)
	s.Sim.Send(simaws.Queue, `{"continue":{"case":"none"}}`, 0)
	ctx := context.Background()
	a, _ := s.Sim.NextMessage(ctx)
	b, _ := s.Sim.NextMessage(ctx)
	payload, err := json.Marshal(story.Batch(a, b))
	if err != nil {
		t.Fatal(err)
	}
	out, err := s.Inbox.Invoke(ctx, payload)
	if err != nil {
		t.Fatal(err)
	}
	if got := out.(events.SQSEventResponse).BatchItemFailures; len(got) != 1 || got[0].ItemIdentifier != a.ID {
		t.Errorf("failures: %+v", got)
	}
	a.Ack()
	b.Ack()
}

// TestNoTimeLeft ensures that a message for which no time is left goes back
// into the queue as it came, and not nearer to the dead letters.
func TestNoTimeLeft(t *testing.T) {
	s := open(t, shop(1, ""), shopSettings(1, ""))
	s.start("p0")
	s.Sim.Settle()
	m, ok := s.Sim.NextMessage(context.Background())
	if !ok {
		t.Fatal("no message")
	}
	ctx, cancel := context.WithDeadline(context.Background(), time.Now().Add(10*time.Second))
	defer cancel()
	if again, err := s.Deliver(ctx, m); again || err != nil {
		t.Errorf("again %v, %v", again, err)
	}
	m.Ack()
	next, ok := s.Sim.NextMessage(context.Background())
	if !ok || next.Body != m.Body || next.ReceiveCount != 1 {
		t.Errorf("back in the queue: %v, received %d times", ok, next.ReceiveCount)
	}
	next.Ack()
}

// TestSharedPolicy ensures that roles that share a managed policy write it
// one after the other, so that each one's statement stays.
func TestSharedPolicy(t *testing.T) {
	world := shop(2, "") + "policies:\n  - {name: shared, document: '{\"Version\": \"2012-10-17\", \"Statement\": [" + logs + "]}'}\n"
	world = strings.ReplaceAll(world, "    inline: {base:", "    attached: [shared]\n    inline: {base:")
	world = strings.Replace(world, "s3://dist/x]}}\n  - name: p1", "s3://dist/x]}}\n  - name: p1", 1)
	set := strings.ReplaceAll(shopSettings(2, ""), "write: {inline: healed}", "write: {managed: shared, shared: true}")
	s := open(t, world, set)
	a, b := s.start("p0"), s.start("p1")
	s.drain()
	if s.of(a).Outcome != decide.Healed || s.of(b).Outcome != decide.Healed {
		t.Errorf("%s %v, %s %v", s.of(a).Outcome, refusals(s.of(a)), s.of(b).Outcome, refusals(s.of(b)))
	}
	// The one that writes records which versions there were, so that an undo knows its own.
	vs := []string{fmt.Sprint(s.of(a).Rounds[0].Versions), fmt.Sprint(s.of(b).Rounds[0].Versions)}
	if slices.Sort(vs); !slices.Equal(vs, []string{"[]", "[v1]"}) {
		t.Errorf("versions that were there: %v", vs)
	}
}

// TestPauseIsToldWhereverItDies: the function dies at each write of the ledger
// while the breaker pauses a project, and then everything. Whoever is paused is
// told.
func TestPauseIsToldWhereverItDies(t *testing.T) {
	for at := 1; ; at++ {
		s := open(t, deafShop(1, branches), shopSettings(1, "stop_after_undone: 1"))
		for i := range 4 { // others, paused on the same day
			end := s.Sim.Clock.Now().Add(48 * time.Hour)
			if _, err := s.Store.Count(t.Context(), "paused 2026-11-22", fmt.Sprint(i), 4, end); err != nil {
				t.Fatal(err)
			}
		}
		n := 0
		s.Inbox.Healer.Store = dying{s.Store, func(heal.Item) error {
			if n++; n == at {
				return errors.New("the function is dead")
			}
			return nil
		}}
		s.useless("p0", "a")
		for range 4 {
			s.Sim.Clock.Advance(30 * time.Minute)
			_, _ = s.Inbox.Invoke(t.Context(), []byte(`{"sweep":{}}`)) // it may die, too
			s.drain()
		}
		a := s.do(`{"status":{}}`)
		if len(a.PausedProjects) != 1 || a.Paused == "" || s.ofKind(decide.Paused, "p0") == 0 || s.ofKind(decide.Paused, "") < 2 {
			t.Errorf("dead at write %d: paused %+v, everything %q, notices %q", at, a.PausedProjects, a.Paused, s.subjects())
		}
		if n < at {
			return
		}
	}
}

// TestPauseIsShort: why a person pauses is text of any length.
func TestPauseIsShort(t *testing.T) {
	s := open(t, shop(1, ""), shopSettings(1, ""))
	if a := s.do(`{"pause":{"because":"` + strings.Repeat("x", 500_000) + `"}}`); !a.Done {
		t.Fatalf("pause: %+v", a)
	}
	if a := s.do(`{"status":{}}`); len(a.Paused) > 2000 || !strings.Contains(a.Paused, "xxx") {
		t.Errorf("paused because of %d bytes", len(a.Paused))
	}
}

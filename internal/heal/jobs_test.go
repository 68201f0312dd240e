package heal_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/settings"
	"github.com/buildmedic/buildmedic/internal/simaws"
)

// runners is a world in which project p0 runs jobs of GitHub's.
func runners(jobs string) string {
	return `start: 2026-11-22T10:00:00Z
secrets: {hub: github_pat_11SIMULATED0000000000_simulatedsimulated}
github:
  token: github_pat_11SIMULATED0000000000_simulatedsimulated
  permissions: [actions]
  repositories: [example/shop]
  runs:
    - {repository: example/shop, run: 42, version: refs/heads/main, jobs: [` + jobs + `]}
roles:
  - name: role-0
    inline: {base: '{"Version": "2012-10-17", "Statement": [` + logs + `]}'}
projects:
  - name: p0
    role: role-0
    webhook: [[{type: EVENT, pattern: WORKFLOW_JOB_QUEUED}]]
    buildspecs: {buildspec.yml: {build: [{run: make, takes: 90s}]}}
`
}

// diesOnce is a job whose first runner dies.
const diesOnce = "{name: test, project: p0, dies: {times: 1, after: 30s}}"

func runnerSettings(mode, limits string) string {
	return fmt.Sprintf("version: 1\ncode: {github: {secret: hub}}\nlimits: {%s}\nprojects:\n  - {name: p0, role: role-0, mode: %s, "+
		"runner: {rerun: true}, code: {github: example/shop, tell: none}}\n", limits, mode)
}

// under lets time pass under the schedule.
func (s *stage) under(d time.Duration) {
	s.t.Helper()
	for range d / (15 * time.Minute) {
		s.drain()
		s.Sim.Clock.Advance(15 * time.Minute)
		s.do(`{"sweep":{}}`)
	}
	s.drain()
}

// first is the first build, once it is there.
func (s *stage) first() string {
	s.t.Helper()
	s.Sim.Clock.Advance(10 * time.Second)
	bs := s.Sim.Builds("p0")
	if len(bs) == 0 {
		s.t.Fatal("no build was started for the job")
	}
	return bs[0].ID
}

// done counts the calls of an operation that had their effect.
func (s *stage) done(operation string) (n int) {
	for _, c := range s.Sim.Calls() {
		if c.Operation == operation && c.Error == "" {
			n++
		}
	}
	return n
}

// TestNeverStarted: whatever happens to a runner's build, CodeBuild is never asked to start one.
func TestNeverStarted(t *testing.T) {
	for name, set := range map[string]string{
		"heal":    runnerSettings("heal", "rounds: 3"),
		"propose": runnerSettings("propose", "rounds: 3"),
		"observe": runnerSettings("observe", "rounds: 3"),
		"told":    "version: 1\nprojects: [{name: p0, role: role-0, mode: heal}]\n",
		"listed":  "version: 1\nprojects: [{name: p0, role: role-0, mode: heal, runner: true}]\n",
	} {
		s := open(t, runners(diesOnce), set)
		id := s.first()
		s.under(2 * time.Hour)
		for _, op := range []string{"RetryBuild", "StartBuild", "RetryBuildBatch", "StartBuildBatch", "RetryStageExecution",
			"PutRolePolicy"} {
			if n := s.count(op); n > 0 {
				t.Errorf("%s: %s was asked for %d times", name, op, n)
			}
		}
		want := map[string]decide.Kind{"heal": decide.Healed, "propose": decide.Proposed}[name]
		if want == "" {
			want = decide.Reported
		}
		reruns := map[bool]int{true: 1}[name == "heal"]
		if c := s.of(id); c.Outcome != want || s.done("RerunJob") != reruns {
			t.Errorf("%s: outcome %s, %d reruns", name, c.Outcome, s.done("RerunJob"))
		}
	}
}

// TestProposedRerun: what is proposed is run again once a person approves it, and then at most once.
func TestProposedRerun(t *testing.T) {
	s := open(t, runners(diesOnce), runnerSettings("propose", "rounds: 3"))
	id := s.first()
	s.under(time.Hour)
	c := s.of(id)
	if c.Outcome != decide.Proposed || s.count("RerunJob") > 0 {
		t.Fatalf("outcome %s, %d reruns", c.Outcome, s.count("RerunJob"))
	}
	a := s.do(fmt.Sprintf(`{"approve":{"plan":%q}}`, c.Rounds[0].Decision.Plan.Hash()))
	s.under(time.Hour)
	if c := s.of(id); !a.Done || c.Outcome != decide.Healed || s.done("RerunJob") != 1 {
		t.Errorf("%s; outcome %s, %d reruns", a.Message, c.Outcome, s.done("RerunJob"))
	}

	s = open(t, runners(diesOnce), runnerSettings("propose", "rounds: 3"))
	id = s.first()
	s.under(time.Hour)
	plan := s.of(id).Rounds[0].Decision.Plan.Hash()
	if err := s.Sim.RerunJob("example/shop", "test"); err != nil { // somebody does not wait for the approval
		t.Fatal(err)
	}
	s.do(fmt.Sprintf(`{"approve":{"plan":%q}}`, plan))
	s.under(time.Hour)
	if n := s.count("RerunJob"); n != 0 {
		t.Errorf("%d reruns of what somebody ran again", n)
	}
}

// TestRerunRefused: what GitHub says to the request itself.
func TestRerunRefused(t *testing.T) {
	for _, row := range []struct {
		name, message string
		status, times int
		again         bool // somebody runs the job again just then
		want          decide.Kind
		reruns        int // that have an effect
		says          string
	}{
		{name: "the run goes on", message: "The workflow run containing this job is already running", status: 403,
			times: 2, want: decide.Healed,
			reruns: 1},
		{name: "somebody was quicker", message: "Only jobs from the current attempt can be re-run", status: 403, times: 1, again: true,
			want: decide.Healed},
		{name: "the workflow is switched off", message: "Unable to re-run this job, disabled workflow", status: 403, times: 9,
			want: decide.Failed, says: "disabled workflow"},
		{name: "no permission", message: "Resource not accessible by personal access token", status: 403, times: 9, want: decide.Failed,
			says: "Actions: Read and write"},
		{name: "gone", message: "Not Found", status: 404, times: 9, want: decide.Failed, says: "404"},
		{name: "conflict", message: "Conflict", status: 409, times: 9, want: decide.Failed, says: "409"},
		{name: "not to be processed", message: "Validation Failed", status: 422, times: 9, want: decide.Failed, says: "422"},
		{name: "down", message: "Unavailable", status: 503, times: 2, want: decide.Healed, reruns: 1},
	} {
		s := open(t, runners(diesOnce), runnerSettings("heal", "rounds: 3"))
		n := 0
		s.Sim.Hook(func(c simaws.Call) simaws.Fault {
			if c.Operation != "RerunJob" || c.Done {
				return simaws.Fault{}
			}
			if n++; n > row.times {
				return simaws.Fault{}
			}
			if row.again {
				if err := s.Sim.RerunJob("example/shop", "test"); err != nil {
					t.Error(err)
				}
			}
			return simaws.Fault{Code: "no", Message: row.message, Status: row.status}
		})
		id := s.first()
		s.under(3 * time.Hour)
		c := s.of(id)
		if c.Outcome != row.want || s.done("RerunJob") != row.reruns {
			t.Errorf("%s: outcome %s, %d reruns", row.name, c.Outcome, s.done("RerunJob"))
		}
		if jobs := s.Sim.WorkflowJobs(); row.want == decide.Healed && (len(jobs) != 1 || jobs[0].Attempt != 2) {
			t.Errorf("%s: %+v", row.name, jobs)
		}
		var told []string
		for _, n := range s.Sim.Notices() {
			told = append(told, strings.Join(strings.Fields(n.ByProtocol["email"]), " "))
		}
		if !strings.Contains(strings.Join(told, "\n"), row.says) {
			t.Errorf("%s: nobody is told of %q: %q", row.name, row.says, told)
		}
	}
}

// TestRerunForbiddenMeanwhile: a job that waits to be run again is left alone once the settings or a pause say so.
func TestRerunForbiddenMeanwhile(t *testing.T) {
	for name, forbid := range map[string]func(*stage){
		"observed":    func(s *stage) { s.Settings.Projects[0].Mode = settings.Observe },
		"never again": func(s *stage) { s.Settings.Projects[0].Retry = false },
		"no reruns":   func(s *stage) { s.Settings.Projects[0].Rerun = false },
		"paused":      func(s *stage) { s.do(`{"pause":{"because":"Nobody is here."}}`) },
	} {
		s := open(t, runners(diesOnce), runnerSettings("heal", "rounds: 3"))
		asked := 0
		s.Sim.Hook(func(c simaws.Call) simaws.Fault {
			if c.Operation != "RerunJob" || c.Done {
				return simaws.Fault{}
			}
			if asked++; asked > 1 {
				return simaws.Fault{}
			}
			forbid(s)
			return simaws.Fault{Code: "no", Message: "The workflow run containing this job is already running", Status: 403}
		})
		id := s.first()
		s.under(3 * time.Hour)
		if c := s.of(id); asked != 1 || c.Outcome != decide.Failed {
			t.Errorf("%s: outcome %s, asked %d times", name, c.Outcome, asked)
		}
	}
}

// TestLostAnswerOfARerun: if the answer is lost, the run has its newer attempt, and no other is made.
func TestLostAnswerOfARerun(t *testing.T) {
	s := open(t, runners(diesOnce), runnerSettings("heal", "rounds: 3"))
	lost := false
	s.Sim.Hook(func(c simaws.Call) simaws.Fault {
		cut := c.Operation == "RerunJob" && c.Done && !lost
		lost = lost || cut
		return simaws.Fault{Cut: cut}
	})
	id := s.first()
	s.under(2 * time.Hour)
	if jobs := s.Sim.WorkflowJobs(); s.of(id).Outcome != decide.Healed || jobs[0].Attempt != 2 || len(s.Sim.Builds("p0")) != 2 {
		t.Errorf("outcome %s, %+v, %d builds", s.of(id).Outcome, jobs, len(s.Sim.Builds("p0")))
	}
}

// TestWhichJob: GitHub says which job a build ran; what its log says can only take that away.
func TestWhichJob(t *testing.T) {
	for _, row := range []struct {
		name, jobs, prints string
		reruns             int
		why                string
	}{
		{name: "its log names the run", jobs: strings.Replace(diesOnce, "}}", "}, names_run: true}", 1), reruns: 1},
		{name: "its log names another run", jobs: diesOnce, prints: "codebuild-p0-43-1", why: "404"},
		{name: "its log names several", jobs: diesOnce, prints: "codebuild-p0-43-1\ncodebuild-p0-44-1", reruns: 1},
		{name: "its log names another repository", jobs: diesOnce, prints: "CODEBUILD_RUNNER_OWNER=evil\nCODEBUILD_RUNNER_REPO=shop",
			why: "another repository"},
		{name: "its log is GitLab's, too", jobs: diesOnce, prints: "Running with gitlab-runner 17.1.0", why: "GitHub's alone"},
		{name: "another job of the run passed", jobs: "{name: lint, project: p0}, " + diesOnce, reruns: 1},
		{name: "the other job goes on for hours", jobs: diesOnce + ", {name: slow, project: p0, lost: 1}", why: "for an hour"},
	} {
		world := runners(row.jobs)
		if row.prints != "" {
			world = strings.Replace(world, "build: [{run: make, takes: 90s}]", fmt.Sprintf("build: [{run: env, prints: %q}, "+
				"{run: make, takes: 90s}]", row.prints), 1)
		}
		s := open(t, world, runnerSettings("heal", "rounds: 3"))
		s.first()
		s.under(3 * time.Hour)
		if n := s.done("RerunJob"); n != row.reruns {
			t.Errorf("%s: %d reruns", row.name, n)
		}
		var why []string
		for _, b := range s.Sim.Builds("p0") {
			if b.Status == codebuild.Fault {
				why = refusals(s.of(b.ID))
				for _, r := range s.of(b.ID).Rounds {
					for _, x := range r.Decision.Refusals {
						why = append(why, x.Message)
					}
				}
			}
		}
		if !strings.Contains(strings.Join(why, " "), row.why) {
			t.Errorf("%s: %q", row.name, why)
		}
	}
}

// TestNoStartOfAnOlderVersion: what an older version decided on, when it was not known that the build ran
// a job of GitHub's, is not carried out.
func TestNoStartOfAnOlderVersion(t *testing.T) {
	s := open(t, runners(diesOnce), "version: 1\nprojects: [{name: p0, role: role-0, mode: heal}]\n")
	id := s.first()
	s.Inbox.Healer.Projects = noWebhooks{s.Inbox.Healer.Projects}
	s.Inbox.Healer.Logs = noLogs{}
	s.step(id, decide.StepWritten)
	if err := s.Restart(); err != nil {
		t.Fatal(err)
	}
	s.Settings.Projects[0].Runner = true
	s.under(time.Hour)
	c := s.of(id)
	if s.count("RetryBuild")+s.count("StartBuild") > 0 || c.Outcome != decide.Failed {
		t.Errorf("outcome %s, %d starts", c.Outcome, s.count("RetryBuild")+s.count("StartBuild"))
	}
}

type noWebhooks struct{ heal.Projects }

func (p noWebhooks) Read(ctx context.Context, at settings.Account, names []string) ([]codebuild.Project, error) {
	ps, err := p.Projects.Read(ctx, at, names)
	for i := range ps {
		ps[i].Webhook = nil
	}
	return ps, err
}

type noLogs struct{}

func (noLogs) Tail(context.Context, codebuild.Build, func(string) bool) (heal.Text, error) {
	return heal.Text{None: true}, nil
}

// TestOrphans: which jobs that wait are told, each once.
func TestOrphans(t *testing.T) {
	for _, row := range []struct {
		name, jobs string
		change     func(*stage)
		told       int
		says       string
	}{
		{name: "no session", jobs: "{name: test, project: p0, lost: 1}", told: 1, says: "GitHub opened no session for it"},
		{name: "no job", jobs: "{name: test, project: p0, idle: 1}", told: 1, says: "ended without a job"},
		{name: "a build that CodeBuild lost", jobs: "{name: test, project: p0}", told: 1},
		{name: "a runner that takes it", jobs: "{name: test, project: p0}"},
		{name: "several", jobs: "{name: test, project: p0, lost: 1}, {name: lint, project: p0, idle: 1}", told: 2},
		{name: "its log names another run", jobs: "{name: test, project: p0, idle: 1}", change: func(s *stage) {
			s.Inbox.Healer.Logs = sameLog{"2026-09-12 19:33:10Z: Listening for Jobs\ncodebuild-p0-43-1\n"}
		}},
		{name: "its log is no runner's", jobs: "{name: test, project: p0, idle: 1}", change: func(s *stage) {
			s.Inbox.Healer.Logs = sameLog{"done\n"}
		}},
		{name: "its log says that it had a job", jobs: "{name: test, project: p0, idle: 1}", change: func(s *stage) {
			s.Inbox.Healer.Logs = sameLog{"2026-09-12 19:33:10Z: Running job: other\n"}
		}},
		{name: "it may not be asked", jobs: "{name: test, project: p0, lost: 1}", change: func(s *stage) {
			s.Sim.SetGitHub(simaws.GitHub{Token: "github_pat_11SIMULATED0000000000_simulatedsimulated",
				Repositories: []string{"example/shop"}})
		}},
		{name: "the settings do not say so", jobs: "{name: test, project: p0, lost: 1}", change: func(s *stage) {
			s.Settings.Projects[0].Rerun = false
		}},
	} {
		world := runners(row.jobs)
		if row.name == "a build that CodeBuild lost" {
			world = strings.Replace(world, "    role: role-0\n", "    role: role-0\n    faults: 1\n", 1)
		}
		s := open(t, world, runnerSettings("heal", "rounds: 3"))
		if row.change != nil {
			row.change(s)
		}
		s.pass3()
		told := 0
		for _, n := range s.Sim.Notices() {
			if mail := strings.Join(strings.Fields(n.ByProtocol["email"]), " "); strings.Contains(mail, "left a job without a runner") &&
				strings.Contains(mail, row.says) && strings.Contains(mail, "https://github.com/example/shop/actions/runs/42") {
				told++
			}
		}
		if told != row.told || s.count("RerunJob")+s.count("StartBuild")+s.count("RetryBuild") > 0 {
			t.Errorf("%s: told %d times: %q", row.name, told, s.subjects())
		}
	}
}

// pass3 is three hours under the schedule, whatever a sweep says.
func (s *stage) pass3() {
	for range 12 {
		s.drain()
		s.Sim.Clock.Advance(15 * time.Minute)
		_, _ = s.Inbox.Invoke(context.Background(), []byte(`{"sweep":{}}`))
	}
	s.drain()
}

type sameLog struct{ text string }

func (l sameLog) Tail(context.Context, codebuild.Build, func(string) bool) (heal.Text, error) {
	return heal.Text{Text: l.text}, nil
}

// TestJobGone: a job that was run again and cannot be read is given up after a day, and told.
func TestJobGone(t *testing.T) {
	s := open(t, runners(diesOnce), runnerSettings("heal", "rounds: 3"))
	id := s.first()
	for range 20 {
		s.drain()
		if s.count("RerunJob") > 0 {
			break
		}
		s.Sim.Clock.Advance(15 * time.Minute)
	}
	s.Sim.Hook(func(c simaws.Call) simaws.Fault {
		if c.Service == "github" && !c.Done {
			return simaws.Fault{Code: "gone", Message: "Not Found", Status: 404}
		}
		return simaws.Fault{}
	})
	for range 110 {
		s.Sim.Clock.Advance(15 * time.Minute)
		_, _ = s.Inbox.Invoke(context.Background(), []byte(`{"sweep":{}}`))
	}
	if c := s.of(id); c.Outcome != decide.Failed {
		t.Errorf("outcome %s", c.Outcome)
	}
}

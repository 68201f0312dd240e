package decide

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/diagnose"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/settings"
)

const runnerID = "61304b91-b5a8-40c5-a5c5-c9add3629d95"

// runner makes the build one of a runner of GitHub's whose jobs are run again.
func runner(f *Facts) {
	f.Build.ID = "shop:" + runnerID
	f.Build.Checked = &codebuild.Checked{Runner: true}
	f.Project.Runner, f.Project.Rerun, f.Project.Code.GitHub = true, true, "example/shop"
	f.Settings.Code.GitHub = &settings.GitHub{Host: "github.com", Secret: "x"}
	j := hostJob(1)
	f.Job = JobFound{Job: &j}
}

// hostJob is a failed job of the attempt whose runner the build was.
func hostJob(attempt int) HostJob {
	return HostJob{Repository: "example/shop", Run: 42, Attempt: attempt, ID: int64(80 + attempt), Name: "test",
		Runner: "shop:" + runnerID, Labels: []string{fmt.Sprintf("codebuild-shop-42-%d", attempt), "instance-size:small"},
		Status: JobEnded, Conclusion: JobFailed}
}

// TestRunnerDecided is the table of what is done for builds that ran a job of a code host's.
func TestRunnerDecided(t *testing.T) {
	for _, row := range []struct {
		name   string
		remedy diagnose.Remedy
		change func(*Facts)
		job    bool
		rule   guardrail.Rule
		says   string
	}{
		{name: "the job is run again", remedy: diagnose.Retry, job: true},
		{name: "also in mode observe", remedy: diagnose.Retry, change: func(f *Facts) { f.Project.Mode = settings.Observe }, job: true},
		{name: "the settings do not say so", remedy: diagnose.Retry, change: func(f *Facts) { f.Project.Rerun = false },
			rule: guardrail.RunnerBuild, says: "runner: {rerun: true}"},
		{name: "of GitLab, that helps nobody", remedy: diagnose.Retry, change: func(f *Facts) {
			f.Project.Rerun, f.Printed = false, &buildlog.Job{Runner: buildlog.GitLabRunner, Number: 7}
		}, rule: guardrail.RunnerBuild, says: "at GitLab: its log calls it job 7."},
		{name: "only the webhook says what it is", remedy: diagnose.Retry, change: func(f *Facts) {
			f.Project.Runner, f.Project.Rerun = false, false
		}, rule: guardrail.RunnerBuild},
		{name: "only the settings do", remedy: diagnose.Retry, change: func(f *Facts) { f.Build.Checked, f.Project.Rerun = nil, false },
			rule: guardrail.RunnerBuild},
		{name: "only its log does", remedy: diagnose.Retry, change: func(f *Facts) {
			f.Project.Runner, f.Project.Rerun, f.Build.Checked = false, false, &codebuild.Checked{}
			f.Build = f.Build.WithPrinted()
		}, rule: guardrail.RunnerBuild},
		{name: "no job is found", remedy: diagnose.Retry, change: func(f *Facts) { f.Job = JobFound{Why: "There is none."} },
			rule: guardrail.RunnerBuild, says: "There is none. Once the cause is gone, run the job again"},
		{name: "somebody ran it again", remedy: diagnose.Retry,
			change: func(f *Facts) { f.Job = JobFound{Why: "Somebody did.", Again: true} },
			rule:   guardrail.RunnerBuild, says: "Somebody did. See there whether the job passed."},
		{name: "paused", remedy: diagnose.Retry, change: func(f *Facts) { f.Paused = "A person paused it." }, rule: guardrail.Paused},
		{name: "never started again", remedy: diagnose.Retry, change: func(f *Facts) { f.Project.Retry = false },
			rule: guardrail.RetryForbidden},
		{name: "no rounds left", remedy: diagnose.Retry, change: func(f *Facts) { f.Earlier = again(3, nil) }, rule: guardrail.RoundsUsedUp,
			says: "Run the job again at the code host"},
		{name: "a build of no commit, of the last attempt", remedy: diagnose.Retry, change: func(f *Facts) {
			f.Build.SourceVersion, f.Build.ResolvedSourceVersion = "", ""
			j := hostJob(4)
			f.Job.Job = &j
		}, rule: guardrail.RoundsUsedUp, says: "attempt 4"},
		{name: "no starts an hour", remedy: diagnose.Retry, change: func(f *Facts) { f.Settings.Limits.RetriesHour = 0 },
			rule: guardrail.RetriesPerHour},
		{name: "of a pipeline, which nothing says", remedy: diagnose.Retry, change: func(f *Facts) {
			f.Build.Initiator, f.Project.Pipelines = "codepipeline/main", []string{"main"}
		}, job: true},
		{name: "CodeBuild's own retry is left to it", remedy: diagnose.Retry, change: func(f *Facts) { f.Build.AutoRetry.Limit = 2 },
			job: true},
		{name: "another buildspec", remedy: diagnose.OverrideBuildspec, rule: guardrail.RunnerBuild},
		{name: "a repository", remedy: diagnose.CreateRepository, change: func(f *Facts) {
			f.Diagnosis.Details = map[string]string{"repository": "shop"}
		}, rule: guardrail.RunnerBuild},
		{name: "another role", remedy: diagnose.Grant, change: func(f *Facts) { f.Project.SwitchRole = "full" },
			rule: guardrail.RunnerBuild},
		{name: "flaky tests", remedy: diagnose.Report, change: func(f *Facts) {
			g := flakyFacts()
			f.Diagnosis, f.Known, f.Project.RetryFlaky, f.Build.Status = g.Diagnosis, g.Known, true, codebuild.Failed
		}},
		{name: "what nobody but a person cures", remedy: diagnose.Report},
	} {
		f := facts(t, row.remedy, runner)
		if row.change != nil {
			row.change(&f)
		}
		d := Decide(f)
		got := d.Plan != nil && d.Plan.Route == RouteJob && d.Plan.Job != nil && !d.Mutates()
		if got != row.job || (d.Plan != nil) != row.job {
			t.Errorf("%s: plan %+v, refusals %+v", row.name, d.Plan, d.Refusals)
		}
		if row.rule != "" && !slices.ContainsFunc(d.Refusals, func(r guardrail.Refusal) bool {
			return r.Rule == row.rule && strings.Contains(r.Message, row.says)
		}) {
			t.Errorf("%s: %+v", row.name, d.Refusals)
		}
		if slices.ContainsFunc(d.Refusals, func(r guardrail.Refusal) bool { return r.Entry != "" }) {
			t.Errorf("%s: an entry is offered: %+v", row.name, d.Refusals)
		}
	}
}

func TestFindJob(t *testing.T) {
	b := codebuild.Build{ID: "shop:" + runnerID, Project: "shop"}
	run := HostRun{ID: 42, Attempt: 2, Ended: true}
	with := func(change func(*HostJob)) []HostJob {
		other, j := hostJob(2), hostJob(2)
		other.ID, other.Runner = 99, "shop:bc33d38d-5d6a-430b-ac4f-86cb66664896"
		if change != nil {
			change(&j)
		}
		return []HostJob{other, j}
	}
	third := []HostJob{hostJob(3)}
	third[0].Runner = ""
	lint := slices.Clone(third)
	lint[0].Name = "lint"
	for _, row := range []struct {
		name         string
		jobs         []HostJob
		newest       []HostJob // nil: jobs
		run          HostRun
		found, ended bool
		why          string // "": the job is given
	}{
		{name: "its own", jobs: with(nil), run: run, found: true, ended: true},
		{name: "the runner's name holds more", jobs: with(func(j *HostJob) { j.Runner = "CodeBuild-" + strings.ToUpper(runnerID) }),
			run:   run,
			found: true, ended: true},
		{name: "none", jobs: with(func(j *HostJob) { j.Runner = "" }), run: run, ended: true, why: "-"},
		{name: "a runner of a longer name", jobs: with(func(j *HostJob) { j.Runner += "0" }), run: run, ended: true, why: "-"},
		{name: "a runner that names two builds", jobs: with(func(j *HostJob) { j.Runner += " bc33d38d-5d6a-430b-ac4f-86cb66664896" }),
			run:   run,
			ended: true, why: "-"},
		{name: "two", jobs: append(with(nil), hostJob(2)), run: run, found: true, ended: true, why: "2 jobs"},
		{name: "passed", jobs: with(func(j *HostJob) { j.Conclusion = JobPassed }), run: run, found: true, ended: true, why: `"success"`},
		{name: "cancelled", jobs: with(func(j *HostJob) { j.Conclusion = "cancelled" }),
			run: run, found: true, ended: true, why: `"cancelled"`},
		{name: "not ended", jobs: with(func(j *HostJob) { j.Status, j.Conclusion = "in_progress", "" }), run: run, found: true},
		{name: "its run has not ended", jobs: with(nil), run: HostRun{ID: 42, Attempt: 2}, found: true},
		{name: "a newer attempt", jobs: with(nil), newest: third,
			run: HostRun{ID: 42, Attempt: 3, Ended: true}, found: true, ended: true, why: "attempt 3"},
		{name: "a newer attempt under way", jobs: with(nil), newest: third, run: HostRun{ID: 42, Attempt: 3}, found: true, ended: true,
			why: "attempt 3"},
		{name: "a newer attempt of another job", jobs: with(nil), newest: lint, run: HostRun{ID: 42, Attempt: 3, Ended: true}, found: true,
			ended: true, why: "Another job of its run"},
		{name: "carried over from an attempt before", jobs: with(func(j *HostJob) { j.Attempt = 1 }), run: run, found: true, ended: true,
			why: "attempt 2"},
		{name: "of another project", jobs: with(func(j *HostJob) { j.Labels[0] = "codebuild-web-42-2" }),
			run: run, found: true, ended: true,
			why: "labels"},
		{name: "a label of another attempt", jobs: with(func(j *HostJob) { j.Labels[0] = "codebuild-shop-42-1" }), run: run, found: true,
			ended: true, why: "labels"},
	} {
		if row.newest == nil {
			row.newest = row.jobs
		}
		got, found, ended := FindJob(b, row.run, row.jobs, row.newest)
		if found != row.found || ended != row.ended {
			t.Errorf("%s: found %t, ended %t", row.name, found, ended)
		}
		if (got.Job != nil) != (row.why == "" && row.found && row.ended) || row.why != "-" && !strings.Contains(got.Why, row.why) {
			t.Errorf("%s: %+v", row.name, got)
		}
	}
	if _, found, _ := FindJob(codebuild.Build{ID: "shop:", Project: "shop"}, run, []HostJob{{Runner: "x"}}, nil); found {
		t.Error("a build without a UUID is some job's runner")
	}
}

func TestJobAgain(t *testing.T) {
	was, next := hostJob(1), hostJob(2)
	next.Runner = "shop:bc33d38d-5d6a-430b-ac4f-86cb66664896"
	other := next
	other.Name = "lint"
	if got, ok := JobAgain(was, []HostJob{other, next}); !ok || got.ID != next.ID {
		t.Errorf("%+v, %t", got, ok)
	}
	for name, jobs := range map[string][]HostJob{"none": nil, "the same attempt": {was}, "another": {other},
		"two of the name": {next, next},
		"carried over":    {hostJob(2)}} {
		if _, ok := JobAgain(was, jobs); ok {
			t.Errorf("%s: one is found", name)
		}
	}
}

// TestRunURL ensures that nothing of a log but a number gets into a link.
func TestRunURL(t *testing.T) {
	own := &settings.Settings{Code: settings.Code{GitHub: &settings.GitHub{Host: "ghe.example.com"}}}
	p := settings.Project{Code: settings.ProjectCode{GitHub: "example/shop"}}
	job := buildlog.Job{Runner: buildlog.GitHubRunner, Run: 42}
	record := codebuild.Build{Repository: "github.com/example/web", SourceType: "GITHUB"}
	for _, row := range []struct {
		name string
		s    *settings.Settings
		p    settings.Project
		b    codebuild.Build
		job  *buildlog.Job
		want string
	}{
		{"the settings name it", own, p, record, &job, "https://ghe.example.com/example/shop/actions/runs/42"},
		{"only the record does", &settings.Settings{}, settings.Project{}, record, &job, "https://github.com/example/web/actions/runs/42"},
		{"the log names the same", own, p, record, &buildlog.Job{Runner: buildlog.GitHubRunner, Run: 42, Repository: "Example/Shop"},
			"https://ghe.example.com/example/shop/actions/runs/42"},
		{"the log names another", own, p, record, &buildlog.Job{Runner: buildlog.GitHubRunner, Run: 42, Repository: "evil/shop"}, ""},
		{"the log names no run", own, p, record, &buildlog.Job{Runner: buildlog.GitHubRunner}, ""},
		{"no log", own, p, record, nil, ""},
		{"a record of another host", &settings.Settings{}, settings.Project{},
			codebuild.Build{Repository: "gitlab.com/example/web", SourceType: "GITLAB"}, &job, ""},
		{"nobody names a repository", &settings.Settings{}, settings.Project{}, codebuild.Build{SourceType: "NO_SOURCE"}, &job, ""},
	} {
		if got := RunURL(row.s, row.p, row.b, row.job); got != row.want {
			t.Errorf("%s: %q", row.name, got)
		}
	}
}

// runnerLines are what makes a log look like a runner's, or would like to make it look like no runner's.
var runnerLines = []string{"2026-09-12 19:33:14Z: Running job: test", "2026-09-12 19:33:10Z: Listening for Jobs", "√ Connected to GitHub",
	"Running with gitlab-runner 17.1.0", "Checking for jobs... received  job=7 repo_url=https://gitlab.com/a/b.git",
	"CODEBUILD_WEBHOOK_RUN_ID=42", "codebuild-shop-42-1",
	"runner: false", "this is no runner", "2026-09-12 19:33:14Z: Running job: \x1b[2K"}

// TestNoLogStartsARunnersBuild goes the whole road of judgement with hostile logs: whatever a build prints, one of a
// runner is never started by CodeBuild, never trusted and given nothing; and a build whose log only looks like one's
// fares no better than it would without.
func TestNoLogStartsARunnersBuild(t *testing.T) {
	seeds := uint64(1000)
	if testing.Short() {
		seeds = 300
	}
	jobs := 0
	for seed := range seeds {
		f := hostileWorld(t, seed, runnerLines[seed%10], runnerLines[seed/10%10])
		if seed%4 == 0 { // a failure that passes, too
			f.Diagnosis.Remedy, f.Diagnosis.Denials = diagnose.Retry, nil
		}
		switch seed % 3 {
		case 0:
			f.Project.Runner = true
		case 1:
			f.Build.Checked = &codebuild.Checked{Runner: true}
		case 2:
			f.Build = f.Build.WithPrinted()
		}
		if seed%5 == 0 {
			runnerAgain(&f)
		}
		d := Decide(f)
		switch {
		case f.Trusted():
			t.Fatalf("seed %d: the build is trusted", seed)
		case len(d.Used) > 0 || d.Mutates():
			t.Fatalf("seed %d: something is given: %+v", seed, d)
		case d.Plan != nil && d.Plan.Route != RouteJob:
			t.Fatalf("seed %d: it is started by %q", seed, d.Plan.Route)
		case d.Plan != nil && (!f.Project.Rerun || d.Plan.Job == nil || f.Job.Job == nil || d.Plan.Job.ID != f.Job.Job.ID):
			t.Fatalf("seed %d: another job is run again: %+v", seed, d.Plan)
		case d.Plan != nil:
			jobs++
		}
		if MayFollow(f) {
			t.Fatalf("seed %d: it follows another build's cure", seed)
		}
	}
	if jobs == 0 {
		t.Error("no job was ever run again")
	}
}

func runnerAgain(f *Facts) {
	f.Project.Rerun, f.Project.Code.GitHub = true, "example/shop"
	j := hostJob(1)
	f.Job = JobFound{Job: &j}
}

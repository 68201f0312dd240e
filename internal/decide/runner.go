package decide

import (
	"fmt"
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/diagnose"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// What a build of a runner ran is a job of the code host's. CodeBuild knows nothing of it (AWS.md#runners):
// starting the build again gives a runner that no job asks for. So such a build is explained, and what helps
// is that the host runs the job again.

// JobFound is what the code host says of the job that a build ran.
type JobFound struct {
	// Job failed, is of the newest attempt of its run, and may be run again; nil if Why says, in a sentence,
	// why none is.
	Job *HostJob
	Why string
	// Again: there is a newer attempt of its run already.
	Again bool
}

// AsksForJob reports whether it matters which job of the code host's the build ran: whether that is to be
// run again.
func AsksForJob(f Facts) bool {
	return f.Project.Rerun && f.Project.Retry && f.Diagnosis.Remedy == diagnose.Retry && guardrail.Runner(f.Build, f.Project)
}

// FindJob finds the job that the build ran among the jobs of an attempt of its run. newest are those of the newest
// attempt. found is false if it is not there, and ended is false if nothing can be said yet.
func FindJob(b codebuild.Build, run HostRun, jobs, newest []HostJob) (got JobFound, found, ended bool) {
	var own []HostJob
	for _, j := range jobs {
		if j.RanOn(b) {
			own = append(own, j)
		}
	}
	switch {
	case len(own) == 0:
		return JobFound{}, false, true
	case len(own) > 1:
		return JobFound{Why: fmt.Sprintf("GitHub says of %d jobs that the build was their runner, so it is not certain which one failed.",
			len(own))}, true, true
	}
	j := own[0]
	_, again := JobAgain(j, newest)
	switch {
	case run.Attempt > j.Attempt && !again:
		return JobFound{Why: "Another job of its run was run again since, and GitHub does not show that this one was: it is left to a " +
			"person."}, true, true
	case run.Attempt > j.Attempt:
		return JobFound{Again: true, Why: fmt.Sprintf("Its run was run again since, or a part of it: this was attempt %d, and there is "+
			"attempt %d. GitHub runs only jobs of the newest one again, and nothing is run twice.", j.Attempt, run.Attempt)}, true, true
	case j.Status != JobEnded:
		return JobFound{}, true, false
	case j.Conclusion != JobFailed:
		return JobFound{Why: fmt.Sprintf("GitHub says that the job ended with %q, and only a failed one is run again.",
			clipped(j.Conclusion))}, true, true
	case !j.WaitsFor(b.Project):
		return JobFound{Why: "The job's labels do not name this project and this attempt of its run, so a new attempt might get no " +
			"runner."}, true, true
	case !run.Ended:
		return JobFound{}, true, false
	}
	return JobFound{Job: &j}, true, true
}

// clipped is a word of the code host's.
func clipped(s string) string { return strings.ToValidUTF8(s[:min(len(s), 40)], "") }

// noRunner refuses to start a build that ran a job of the code host's. If the settings say so, it has the host
// run the job again in its place, where all that is wrong is a failure that passes.
func noRunner(f Facts, d Decision) Decision {
	if !guardrail.Runner(f.Build, f.Project) {
		return d
	}
	d.Refusals = slices.Clone(d.Refusals)
	for i := range d.Refusals {
		d.Refusals[i].Entry = "" // no entry makes such a build the team's
		if d.Refusals[i].Rule == guardrail.RunnerBuild {
			d.Refusals[i].Message += " " + RunAgain(f.Settings, f.Project, f.Build, f.Printed)
		}
	}
	if d.Plan == nil && !d.Waits {
		return d
	}
	const why = "The build ran a job of the code host's own pipelines."
	again, no := f.notAgain(d)
	if again == nil {
		d.Waits, d.Used = false, nil
		return Refuse(d, why, no)
	}
	d.Plan.Route, d.Plan.Job = RouteJob, again
	d.Why = "Failures like this pass, and the build ran a job of GitHub's: that is run again there."
	return d
}

// notAgain is the job that is to be run again, or why none is.
func (f Facts) notAgain(d Decision) (*HostJob, guardrail.Refusal) {
	no := guardrail.Refusal{Rule: guardrail.RunnerBuild}
	help := RunAgain(f.Settings, f.Project, f.Build, f.Printed)
	switch j := f.Job.Job; {
	case d.Plan == nil || d.Mutates() || d.Remedy != diagnose.Retry || f.Diagnosis.Remedy != diagnose.Retry || d.Flaky > 0:
		no.Message = "CodeBuild knows nothing of the job that it ran, so starting the build again would not run that again. " + help
	case !f.Project.Rerun:
		no.Message = "CodeBuild knows nothing of the job that it ran, so starting the build again would not run that again. " + help
		if f.Printed == nil || f.Printed.Runner == buildlog.GitHubRunner {
			no.Message += " Write runner: {rerun: true}, and jobs of GitHub's whose failure passes are run again there."
		}
	case f.Paused != "":
		return nil, guardrail.Refusal{Rule: guardrail.Paused, Message: f.Paused}
	case f.Job.Again:
		no.Message = f.Job.Why + " See there whether the job passed."
	case j == nil:
		no.Message = f.Job.Why + " " + help
	case j.Attempt > f.Settings.Limits.Rounds:
		// Its builds may not say which commit they are of, so that each is a case of its own.
		return nil, guardrail.Refusal{Rule: guardrail.RoundsUsedUp, Message: fmt.Sprintf(
			"It was attempt %d of its run, and limits.rounds is %d. %s Or raise limits.rounds.", j.Attempt, f.Settings.Limits.Rounds, help)}
	default:
		return j, no
	}
	return nil, no
}

// RunAgain says in a sentence how a person has the job run again that a build ran for a code host. What the
// log calls it is a number, or, of Buildkite's, a name in plain letters; for the link see [RunURL].
func RunAgain(s *settings.Settings, p settings.Project, b codebuild.Build, job *buildlog.Job) string {
	const anew = "Once the cause is gone, run the job again "
	if job == nil {
		return anew + "at the code host."
	}
	switch job.Runner {
	case buildlog.GitLabRunner:
		if job.Number > 0 {
			return fmt.Sprintf(anew+"at GitLab: its log calls it job %d.", job.Number)
		}
		return anew + "at GitLab."
	case buildlog.BuildkiteRunner:
		if name, number, ok := strings.Cut(job.Pipeline, "#"); ok {
			return fmt.Sprintf(anew+"at Buildkite: its log calls it one of build %s of %s.", number, name)
		}
		return anew + "at Buildkite."
	case buildlog.GitHubRunner:
		if RunURL(s, p, b, job) != "" {
			return fmt.Sprintf(anew+"at GitHub: its log names run %d.", job.Run)
		}
		return anew + "at GitHub."
	}
	return anew + "at the code host."
}

// RunURL is the page of the run that the build's log names; "" if it names none, or one of another repository
// than the settings or the build's record do. Host and repository are theirs, and the log gives the number.
func RunURL(s *settings.Settings, p settings.Project, b codebuild.Build, job *buildlog.Job) string {
	where := b.Repository
	if s != nil && s.Repository(p) != "" {
		where = s.Repository(p)
	} else if b.Overrode(codebuild.OwnSource) || !slices.Contains([]string{"GITHUB", "GITHUB_ENTERPRISE"}, b.SourceType) {
		return ""
	}
	host, repository, ok := strings.Cut(where, "/")
	if job == nil || !ok || strings.Count(repository, "/") != 1 ||
		job.Repository != "" && !strings.EqualFold(job.Repository, repository) {
		return ""
	}
	return runURL(host, repository, job.Run)
}

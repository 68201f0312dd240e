package heal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/guardrail"
)

// A build of a runner ran a job of GitHub's, and only GitHub can run that again. Which job it was GitHub says,
// by the runner's name; the build's log only says where to look first. A job is run again once for each
// attempt of its run: before it is asked for, GitHub is asked whether there is a newer attempt, and GitHub
// itself refuses jobs of older ones. So a run that died, or whose answer was lost, finds what it did.

const (
	// runsFrom is how long before a build's start the run of its job may have been made, where the log does
	// not name it, and mostRuns how many of these are looked into.
	runsFrom = 6 * time.Hour
	mostRuns = 20
	// jobsEnd is how long after a build's end its job, and the run, may take to end before the team is told.
	jobsEnd = time.Hour
)

// unreached is why nothing is asked of GitHub here.
const unreached = "Nothing here reaches GitHub, where the job would be run again."

// findJob asks GitHub which job the build of the last round ran, and whether that may be run again. It gives
// [ErrLater] while the job, or its run, has not ended.
func (h *Healer) findJob(ctx context.Context, c *held, f decide.Facts) (decide.JobFound, error) {
	repository, printed := f.Project.Code.GitHub, c.last().Job
	switch {
	case h.Jobs == nil:
		return decide.JobFound{Why: unreached}, nil
	case printed != nil && printed.Runner != buildlog.GitHubRunner:
		return decide.JobFound{Why: "Its log is not that of a runner of GitHub's alone, and only GitHub's jobs are run again."}, nil
	case printed != nil && printed.Repository != "" && !strings.EqualFold(printed.Repository, repository):
		return decide.JobFound{Why: "Its log names another repository than the settings do."}, nil
	}
	got, err := h.lookForJob(ctx, f.Build, repository, printed)
	switch {
	case errors.Is(err, ErrLater) && h.Clock.Now().Sub(f.Build.End) > jobsEnd:
		return decide.JobFound{Why: "GitHub has not shown for an hour that it can be run again. " + sentence(err)}, nil
	case err == nil, errors.Is(err, ErrLater):
		return got, err
	case errors.Is(err, ErrNotFound), errors.Is(err, ErrDenied), errors.Is(err, ErrFinal), errors.As(err, &FaultError{}):
		return decide.JobFound{Why: "Which job it ran cannot be told. " + sentence(err)}, nil
	}
	return got, err
}

// lookForJob looks into the run that the log names, else into those that there were when the build ran.
func (h *Healer) lookForJob(
	ctx context.Context, b codebuild.Build, repository string, printed *buildlog.Job,
) (decide.JobFound, error) {
	var runs []decide.HostRun
	if printed != nil && printed.Run > 0 {
		run, err := h.Jobs.Run(ctx, repository, printed.Run)
		if err != nil {
			return decide.JobFound{}, err
		}
		runs = append(runs, run)
	} else {
		// What was read before the build ended may not say yet which job it ran.
		all, err := h.KnownJobs.since(ctx, h.Jobs, h.Clock, repository, b.Start.Add(-runsFrom), b.End)
		if err != nil {
			return decide.JobFound{}, err
		}
		runs = slices.DeleteFunc(all, func(r decide.HostRun) bool {
			return r.Created.After(b.End) || r.Changed.Before(b.Start)
		})
		runs = runs[:min(len(runs), mostRuns)]
	}
	for _, run := range runs {
		var newest []decide.HostJob
		// A newer attempt has the builds of its own jobs. Whether this build was of the one before is looked at,
		// too, so that it can be told.
		for attempt := run.Attempt; attempt >= max(1, run.Attempt-1); attempt-- {
			jobs, err := h.KnownJobs.of(ctx, h.Jobs, h.Clock, attemptOf{repository, run.ID, attempt}, b.End)
			if err != nil {
				return decide.JobFound{}, err
			}
			if attempt == run.Attempt {
				newest = jobs
			}
			got, found, ended := decide.FindJob(b, run, jobs, newest)
			if found && !ended {
				return got, fmt.Errorf("the job that the build ran, or another one of its run, has not ended at GitHub: %w", ErrLater)
			}
			if found {
				return got, nil
			}
		}
	}
	return decide.JobFound{Why: "GitHub shows no job of which it says that this build was its runner."}, nil
}

// rerun has GitHub run the job of the last round's plan again, unless it did already.
func (h *Healer) rerun(ctx context.Context, c *held) error {
	j := c.last().Decision.Plan.Job
	p, ok := h.Settings.Project(c.Project, c.Account, c.Region, h.Home)
	switch {
	case j == nil || !ok || !p.Rerun || p.Code.GitHub != j.Repository:
		return fmt.Errorf("the settings no longer have the project's jobs run again in that repository: %w", ErrFinal)
	case h.Jobs == nil:
		return FaultError{strings.ToLower(unreached[:1]) + strings.TrimSuffix(unreached[1:], ".")}
	}
	again, err := h.runAlready(ctx, *j)
	if err == nil && !again {
		err = h.mayRerun(ctx, c)
	}
	if err == nil && !again {
		if err = h.Jobs.Rerun(ctx, j.Repository, j.ID); errors.Is(err, ErrFinal) {
			// Somebody may have run it again at the same time.
			if again, aerr := h.runAlready(ctx, *j); aerr == nil && again {
				err = nil
			}
		}
	}
	if err != nil {
		return fmt.Errorf("having the job run again: %w", err)
	}
	return h.started(ctx, c, Started{})
}

// mayRerun gives [ErrFinal] if the settings, as they are now, or a pause forbid it: the job may have waited for
// hours, for the others of its run or for GitHub.
func (h *Healer) mayRerun(ctx context.Context, c *held) error {
	if !h.mayStart(c) {
		return fmt.Errorf("the settings no longer let it be run again: %w", ErrFinal)
	}
	why, err := h.paused(ctx, c.at(), c.Project)
	if err == nil && why != "" {
		err = fmt.Errorf("%s: %w", strings.TrimSuffix(why, "."), ErrFinal)
	}
	return err
}

// runAlready reports whether the job was run again in a newer attempt of its run. It gives [ErrLater] if that may
// be seen later, and [ErrFinal] if it was not, so that GitHub may not take it any more.
func (h *Healer) runAlready(ctx context.Context, j decide.HostJob) (bool, error) {
	run, err := h.Jobs.Run(ctx, j.Repository, j.Run)
	switch {
	case errors.Is(err, ErrNotFound):
		return false, fmt.Errorf("GitHub does not show the run any more: %w", ErrFinal)
	case err != nil:
		return false, err
	case run.Attempt > j.Attempt:
		return h.ranAgain(ctx, j, run)
	case !run.Ended:
		return false, fmt.Errorf("its run has not ended at GitHub: %w", ErrLater)
	}
	return false, nil
}

// ranAgain looks for the job in a newer attempt of its run, which may have been made for another job.
func (h *Healer) ranAgain(ctx context.Context, j decide.HostJob, run decide.HostRun) (bool, error) {
	jobs, err := h.Jobs.Of(ctx, j.Repository, j.Run, run.Attempt)
	if err != nil {
		return false, err
	}
	if _, ok := decide.JobAgain(j, jobs); ok {
		return true, nil
	}
	kind := ErrFinal
	if !run.Ended {
		kind = ErrLater // it may be listed still
	}
	return false, fmt.Errorf("another job of its run was run again since, and GitHub does not show that this one was; run it again "+
		"by hand: %w", kind)
}

// pollJob asks GitHub what became of the job that was run again: that ends the round, and not the build
// that ran it, of which it is not known whether it fails if its job does (AWS.md#undocumented).
func (h *Healer) pollJob(ctx context.Context, c *held) error {
	r := c.last()
	j := *r.Decision.Plan.Job
	if h.Jobs == nil {
		return h.giveUp(ctx, c, unreached)
	}
	run, err := h.Jobs.Run(ctx, j.Repository, j.Run)
	var jobs []decide.HostJob
	if err == nil {
		jobs, err = h.Jobs.Of(ctx, j.Repository, j.Run, run.Attempt)
	}
	if errors.Is(err, ErrLater) {
		return err
	}
	if err != nil {
		h.Log.WarnContext(ctx, "a job that was run again cannot be read", "case", c.ID, "error", err.Error())
		return h.giveUp(ctx, c, "What became of the job cannot be read at GitHub. "+sentence(err))
	}
	next, ok := decide.JobAgain(j, jobs)
	if !ok || next.Status != decide.JobEnded {
		return h.giveUp(ctx, c, "The job that was run again did not end within a day, as far as GitHub shows.")
	}
	now := h.Clock.Now()
	if id := next.Build(c.Project); id != "" && id != r.Build.ID {
		r.Retry = id
		if err := h.assignRetry(ctx, c, id); err != nil {
			return err
		}
	}
	switch {
	case next.Conclusion == decide.JobPassed:
		r.Ended = next.Done
		c.finish(now, decide.Healed, "")
	case c.alreadyFailed(r.Retry):
		if err := h.save(ctx, c, false); err != nil {
			return err
		}
		return h.run(ctx, c) // its build has failed, too, which opens the next round
	default:
		r.Ended = next.Done
		c.finish(now, decide.Failed, "GitHub ran the job again, and it did not pass.")
	}
	return h.close(ctx, c)
}

// ofRunner reports whether the build of the last round ran a job of a code host's.
func (h *Healer) ofRunner(c *held) bool {
	p, _ := h.Settings.Project(c.Project, c.Account, c.Region, h.Home)
	return guardrail.Runner(c.last().Build, p)
}

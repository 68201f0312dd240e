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
	"github.com/buildmedic/buildmedic/internal/settings"
)

// Jobs of GitHub's that wait for a runner for hours, although CodeBuild started a build for them
// (AWS.md#runners): the build ended without a job, and may have ended well, so that no event tells of it. The
// sweep begins at GitHub, since most often no job waits. What it finds it only tells. GitHub runs nothing
// again that has not ended, to cancel a run throws away what other jobs have done, and a build that is started
// by hand is not known to become a runner of the job: so the rest is a person's.

const (
	// orphaned is how long a job must have waited, and the builds that may have been started for it must have
	// ended, before it is told. CodeBuild starts a build within a minute.
	orphaned = 5 * time.Minute
	// shortRun bounds how long a build without a job took that ended well, if its log does not say that GitHub
	// opened no session for it.
	shortRun = time.Minute
	// mostWaiting bounds the runs whose jobs are looked at in one sweep of a repository, and mostIdle the logs
	// that are read for one job.
	mostWaiting = 20
	mostIdle    = 5
)

// lookAtJobs tells of jobs that wait for a runner which has ended.
func (h *Healer) lookAtJobs(ctx context.Context) error {
	if h.Jobs == nil {
		return nil
	}
	of := map[string][]settings.Project{}
	var repositories []string
	for _, p := range h.Settings.Projects {
		if !p.Rerun {
			continue
		}
		if of[p.Code.GitHub] == nil {
			repositories = append(repositories, p.Code.GitHub)
		}
		of[p.Code.GitHub] = append(of[p.Code.GitHub], p)
	}
	var errs []error
	for _, repository := range repositories {
		if pressed(ctx) {
			break
		}
		for _, err := range h.lookAtJobsOf(ctx, repository, of[repository]) {
			switch {
			case errors.Is(err, ErrLater), errors.Is(err, errBusy):
			case errors.As(err, &FaultError{}), errors.Is(err, ErrDenied), errors.Is(err, ErrFinal), errors.Is(err, ErrNotFound):
				// A person must mend it, and is told where a job would be run again. Nothing else of the sweep waits for that.
				h.Log.WarnContext(ctx, "jobs that wait are not looked at", "repository", repository, "error", err.Error())
			default:
				errs = append(errs, fmt.Errorf("jobs of %s: %w", repository, err))
			}
		}
	}
	return errors.Join(errs...)
}

// lookAtJobsOf goes on after what is wrong with one run or job alone, and gives all that was wrong.
func (h *Healer) lookAtJobsOf(ctx context.Context, repository string, ps []settings.Project) (errs []error) {
	now := h.Clock.Now()
	runs, err := h.Jobs.UnderWay(ctx, repository)
	if err != nil {
		return []error{err}
	}
	runs = slices.DeleteFunc(runs, func(r decide.HostRun) bool { return now.Sub(r.Created) < orphaned || now.Sub(r.Created) > longest })
	slices.SortStableFunc(runs, func(a, b decide.HostRun) int { return a.Created.Compare(b.Created) })
	for _, run := range inTurn(runs, now) {
		if pressed(ctx) {
			break
		}
		jobs, err := h.Jobs.Of(ctx, repository, run.ID, run.Attempt)
		if err != nil {
			errs = append(errs, err)
		}
		if errors.Is(err, ErrLater) || errors.Is(err, ErrDenied) || errors.As(err, &FaultError{}) {
			break // GitHub says the same of the next
		}
		for _, j := range jobs {
			if j.Status != decide.JobQueued || j.Runner != "" || j.Attempt != run.Attempt || now.Sub(j.Queued) < orphaned {
				continue
			}
			for _, p := range ps {
				if j.WaitsFor(p.Name) {
					if err := h.lookAtWaiting(ctx, p, j, jobs); err != nil {
						errs = append(errs, err)
					}
				}
			}
		}
	}
	return errs
}

// inTurn are the runs that one sweep looks at, oldest first: where there are more than [mostWaiting], each sweep
// begins where the last one ended, so that old ones which wait for something else hide none.
func inTurn(runs []decide.HostRun, now time.Time) []decide.HostRun {
	if len(runs) <= mostWaiting {
		return runs
	}
	sweep := int(now.Unix() / int64(sweptEvery/time.Second))
	from := sweep % len(runs) * mostWaiting % len(runs)
	return slices.Concat(runs[from:], runs[:from])[:mostWaiting]
}

// lookAtWaiting tells of the job, once, if a build of the project was started since it waits, and has ended
// without a job. jobs are those of its attempt.
func (h *Healer) lookAtWaiting(ctx context.Context, p settings.Project, j decide.HostJob, jobs []decide.HostJob) error {
	at := h.atOf(p)
	if c, err := h.open(ctx, decide.OrphanID(at, p.Name, j)); err != nil || c != nil {
		if err == nil {
			err = h.flush(ctx, c)
		}
		return err
	}
	bs, err := h.Builds.Since(ctx, at, p.Name, j.Queued.Add(-decide.ClockSkew), "")
	if errors.Is(err, ErrNotFound) || errors.Is(err, ErrDenied) {
		return nil // the sweep of the project tells of that
	}
	if err != nil {
		return fmt.Errorf("listing builds of %q: %w", p.Name, err)
	}
	idle, read := slices.Clone(bs), 0
	slices.Reverse(idle) // oldest first
	for _, b := range idle {
		busy := slices.ContainsFunc(jobs, func(o decide.HostJob) bool { return o.RanOn(b) })
		switch {
		case busy:
			continue
		case b.Status == codebuild.InProgress && h.Clock.Now().Sub(b.Start) < 2*orphaned:
			return nil // it may take the job still
		case b.Status == codebuild.InProgress, h.Clock.Now().Sub(b.End) < orphaned:
			continue // it runs another job, or GitHub may not show yet which one it ran
		case read >= mostIdle:
			return nil
		}
		read++
		printed, without, err := h.withoutJob(ctx, b, j)
		if err != nil {
			return err
		}
		if without {
			return h.tellOrphan(ctx, p, j, b.WithPrinted(), printed)
		}
	}
	return nil
}

// withoutJob reports whether the build ended, and was given no job, as far as can be told: by its log, or, if
// it left none, since it failed.
func (h *Healer) withoutJob(ctx context.Context, b codebuild.Build, j decide.HostJob) (*buildlog.Job, bool, error) {
	if b.Status != codebuild.Succeeded && !b.HasFailed() {
		return nil, false, nil // somebody stopped it
	}
	text, err := h.Logs.Tail(ctx, b, func(string) bool { return false })
	if errors.Is(err, ErrNotFound) || errors.Is(err, ErrDenied) || errors.Is(err, ErrFinal) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("reading the log of build %q: %w", b.ID, err)
	}
	printed, looks := buildlog.ReadJob(b.Project, text.Text)
	switch {
	case text.None:
		return nil, b.HasFailed(), nil
	case text.Cut, looks && (printed.Began || printed.Run != 0 && printed.Run != j.Run):
		return nil, false, nil
	case b.HasFailed():
	case !looks || !printed.Refused && b.End.Sub(b.Start) > shortRun:
		return nil, false, nil
	}
	if !looks {
		return nil, true, nil
	}
	return &printed, true, nil
}

// tellOrphan tells of the job in a case of its own. The build may have one, too, if it failed.
func (h *Healer) tellOrphan(
	ctx context.Context, p settings.Project, j decide.HostJob, b codebuild.Build, printed *buildlog.Job,
) error {
	at, now := h.atOf(p), h.Clock.Now()
	c := &held{Case: decide.Case{ID: decide.OrphanID(at, p.Name, j), Account: at.ID, Region: at.Region, Project: p.Name,
		Commit: b.Commit(), Opened: now, Rounds: []decide.Round{{Build: b, Started: now, Job: printed, Orphan: &j}}}}
	c.finish(now, decide.Reported, orphanNote(j, b, printed))
	if err := h.save(ctx, c, false); err != nil {
		return err
	}
	return h.close(ctx, c)
}

func orphanNote(j decide.HostJob, b codebuild.Build, printed *buildlog.Job) string {
	how := "without a job"
	if printed != nil && printed.Refused {
		how = "without a job, since GitHub opened no session for it"
	}
	return strings.Join([]string{
		fmt.Sprintf("The job has waited for a runner since %s.", j.Queued.UTC().Format("2006-01-02 15:04 UTC")),
		fmt.Sprintf("A build that was started for it, or for one like it, ended %s: %s (%s).", how, b.ID, b.Status),
		"No other runner takes it, since its label is that of one attempt alone, and GitHub runs nothing again that has not ended.",
		"Cancel the run at GitHub, and run all of its jobs again.",
	}, " ")
}

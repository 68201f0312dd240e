package heal

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/buildmedic/buildmedic/internal/decide"
)

// KnownJobs remembers for a minute what GitHub said of runs and their jobs, for many builds of runners that fail
// at once: where a log does not name its run, dozens of attempts are looked into for each. The zero value
// remembers nothing yet; it may be used by several goroutines.
type KnownJobs struct {
	mu   sync.Mutex
	runs map[string]knownRuns // by repository
	jobs map[attemptOf]knownAttempt
	kept int // of jobs
}

type knownRuns struct {
	from, when time.Time
	runs       []decide.HostRun
}

type attemptOf struct {
	repository string
	run        int64
	attempt    int
}

type knownAttempt struct {
	when time.Time
	jobs []decide.HostJob
}

const (
	// jobsKnownFor is how long they are remembered.
	jobsKnownFor = time.Minute
	// maxKnownRuns bounds of how many repositories and attempts, and maxKnownJobs how many jobs.
	maxKnownRuns = 500
	maxKnownJobs = 20000
)

// since is [Jobs.Since], as it was at the time since or later.
func (k *KnownJobs) since(ctx context.Context, of Jobs, clock Clock, repository string, from, since time.Time) ([]decide.HostRun, error) {
	now := clock.Now()
	if k != nil {
		k.mu.Lock()
		was, ok := k.runs[repository]
		k.mu.Unlock()
		// The newest come first, so that a list which goes back further has the same, cut off later.
		if ok && usable(was.when, now, since) && !was.from.After(from) {
			return slices.DeleteFunc(slices.Clone(was.runs), func(r decide.HostRun) bool { return r.Created.Before(from) }), nil
		}
	}
	runs, err := of.Since(ctx, repository, from)
	if k == nil || err != nil {
		return runs, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.runs == nil || len(k.runs) >= maxKnownRuns {
		k.runs = map[string]knownRuns{}
	}
	k.runs[repository] = knownRuns{from, now, slices.Clone(runs)}
	return runs, nil
}

// of is [Jobs.Of], as it was at the time since or later.
func (k *KnownJobs) of(ctx context.Context, of Jobs, clock Clock, a attemptOf, since time.Time) ([]decide.HostJob, error) {
	now := clock.Now()
	if k != nil {
		k.mu.Lock()
		was, ok := k.jobs[a]
		k.mu.Unlock()
		if ok && usable(was.when, now, since) {
			return slices.Clone(was.jobs), nil
		}
	}
	jobs, err := of.Of(ctx, a.repository, a.run, a.attempt)
	if k == nil || err != nil {
		return jobs, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.jobs == nil || len(k.jobs) >= maxKnownRuns || k.kept+len(jobs) > maxKnownJobs {
		k.jobs, k.kept = map[attemptOf]knownAttempt{}, 0
	}
	k.kept += len(jobs) - len(k.jobs[a].jobs)
	k.jobs[a] = knownAttempt{now, slices.Clone(jobs)}
	return jobs, nil
}

// usable reports whether what was read then is young enough, and no older than it may be.
func usable(when, now, since time.Time) bool {
	return !when.Before(since) && now.Sub(when) < jobsKnownFor
}

package heal

import (
	"context"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/decide"
)

// manyRuns is a repository with runs in which nothing is found. It counts what it is asked.
type manyRuns struct {
	Jobs
	from  time.Time
	asked int
}

func (m *manyRuns) Since(context.Context, string, time.Time) (rs []decide.HostRun, err error) {
	m.asked++
	for i := range 30 {
		rs = append(rs, decide.HostRun{ID: int64(i + 1), Attempt: 2, Ended: true, Created: m.from, Changed: m.from.Add(time.Hour)})
	}
	return rs, nil
}

func (m *manyRuns) Of(context.Context, string, int64, int) ([]decide.HostJob, error) {
	m.asked++
	return nil, nil
}

type setClock time.Time

func (c *setClock) Now() time.Time { return time.Time(*c) }

// TestKnownJobs: many builds whose logs name no run ask GitHub once a minute, but for what ended since.
func TestKnownJobs(t *testing.T) {
	start := time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC)
	now := setClock(start.Add(10 * time.Minute))
	jobs := &manyRuns{from: start}
	h := &Healer{Jobs: jobs, Clock: &now, KnownJobs: &KnownJobs{}}
	const each = 1 + 2*mostRuns
	for i, row := range []struct {
		after time.Duration // since the last
		ended time.Duration // since start
		want  int
	}{
		{0, 5 * time.Minute, each}, {10 * time.Second, 6 * time.Minute, 0}, {10 * time.Second, 10*time.Minute + 15*time.Second, each},
		{10 * time.Second, 10*time.Minute + 15*time.Second, 0}, {time.Minute, 6 * time.Minute, each},
	} {
		now, jobs.asked = setClock(time.Time(now).Add(row.after)), 0
		b := codebuild.Build{ID: "shop:x", Project: "shop", Start: start.Add(time.Minute), End: start.Add(row.ended)}
		if _, err := h.lookForJob(t.Context(), b, "example/shop", nil); err != nil || jobs.asked != row.want {
			t.Errorf("%d: asked %d times instead of %d, error %v", i, jobs.asked, row.want, err)
		}
	}
	h.KnownJobs.kept = maxKnownJobs
	if _, err := h.KnownJobs.of(t.Context(), h.Jobs, h.Clock, attemptOf{"example/shop", 99, 1}, start); err != nil {
		t.Fatal(err)
	}
	if n := len(h.KnownJobs.jobs); n > 2*mostRuns+1 {
		t.Errorf("%d attempts are kept", n)
	}
}

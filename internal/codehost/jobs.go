package codehost

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/heal"
)

// Jobs are the jobs of GitHub's workflows (AWS.md#github). It implements [heal.Jobs].
type Jobs struct{ GitHub *GitHub }

// What running a job again needs. Jobs are read with the same.
var writeActions = Need{"actions", "Actions: Read and write"}

// Bounds of what is read.
const (
	jobPage  = 100
	jobPages = 10 // of one attempt: a matrix has 256 jobs at most, and a workflow several
)

type actionsRun struct {
	ID      int64     `json:"id"`
	Attempt int       `json:"run_attempt"`
	Status  string    `json:"status"`
	Created time.Time `json:"created_at"`
	Updated time.Time `json:"updated_at"`
}

func (r actionsRun) run() (decide.HostRun, bool) {
	return decide.HostRun{ID: r.ID, Attempt: r.Attempt, Ended: r.Status == decide.JobEnded, Created: r.Created,
		Changed: r.Updated}, r.ID > 0 && r.Attempt > 0
}

// Run implements [heal.Jobs].
func (j Jobs) Run(ctx context.Context, repository string, run int64) (decide.HostRun, error) {
	var got actionsRun
	if err := j.get(ctx, repository, fmt.Sprintf("/actions/runs/%d", run), &got); err != nil {
		return decide.HostRun{}, err
	}
	r, ok := got.run()
	if !ok || r.ID != run {
		return r, fmt.Errorf("%w: GitHub's answer cannot be read", heal.ErrFinal)
	}
	return r, nil
}

// Since implements [heal.Jobs].
func (j Jobs) Since(ctx context.Context, repository string, from time.Time) ([]decide.HostRun, error) {
	return j.runs(ctx, repository, url.Values{"created": {">=" + from.UTC().Format(time.RFC3339)}})
}

// UnderWay implements [heal.Jobs].
func (j Jobs) UnderWay(ctx context.Context, repository string) (out []decide.HostRun, err error) {
	for _, status := range []string{"queued", "in_progress"} {
		rs, err := j.runs(ctx, repository, url.Values{"status": {status}})
		if err != nil {
			return nil, err
		}
		out = append(out, rs...)
	}
	return out, nil
}

// runs lists the newest runs that the query finds: one page.
func (j Jobs) runs(ctx context.Context, repository string, query url.Values) (out []decide.HostRun, err error) {
	query.Set("per_page", fmt.Sprint(jobPage))
	var got struct {
		Runs []actionsRun `json:"workflow_runs"`
	}
	if err := j.get(ctx, repository, "/actions/runs?"+query.Encode(), &got); err != nil {
		return nil, err
	}
	for _, r := range got.Runs {
		if run, ok := r.run(); ok {
			out = append(out, run)
		}
	}
	return out, nil
}

// Of implements [heal.Jobs].
func (j Jobs) Of(ctx context.Context, repository string, run int64, attempt int) (out []decide.HostJob, err error) {
	for page := 1; page <= jobPages; page++ {
		var got struct {
			Total int `json:"total_count"`
			Jobs  []struct {
				ID         int64     `json:"id"`
				Run        int64     `json:"run_id"`
				Attempt    int       `json:"run_attempt"` // an earlier one of a job that was not run again
				Name       string    `json:"name"`
				Status     string    `json:"status"`
				Conclusion string    `json:"conclusion"`
				Runner     string    `json:"runner_name"`
				Labels     []string  `json:"labels"`
				Created    time.Time `json:"created_at"`
				Completed  time.Time `json:"completed_at"`
			} `json:"jobs"`
		}
		path := fmt.Sprintf("/actions/runs/%d/attempts/%d/jobs?per_page=%d&page=%d", run, attempt, jobPage, page)
		if err := j.get(ctx, repository, path, &got); err != nil {
			return nil, err
		}
		for _, g := range got.Jobs {
			if g.ID <= 0 || g.Run != run {
				return nil, fmt.Errorf("%w: GitHub's answer cannot be read", heal.ErrFinal)
			}
			own := attempt
			if g.Attempt > 0 {
				own = min(g.Attempt, attempt)
			}
			out = append(out, decide.HostJob{Repository: repository, Run: run, Attempt: own, ID: g.ID, Name: cut(g.Name, 200),
				Runner: cut(g.Runner, 200), Labels: g.Labels[:min(len(g.Labels), 100)], Status: g.Status, Conclusion: g.Conclusion,
				Queued: g.Created, Done: g.Completed})
		}
		if len(got.Jobs) < jobPage || len(out) >= got.Total {
			return out, nil
		}
	}
	return nil, fmt.Errorf("%w: run %d of %s has more than %d jobs", heal.ErrFinal, run, repository, jobPages*jobPage)
}

// Rerun implements [heal.Jobs].
func (j Jobs) Rerun(ctx context.Context, repository string, job int64) error {
	err := j.GitHub.do(ctx, call{http.MethodPost, fmt.Sprintf("/repos/%s/actions/jobs/%d/rerun", repository, job), struct{}{},
		repository, writeActions}, nil)
	var no refusal
	if !errors.As(err, &no) || no.status != http.StatusForbidden {
		return err
	}
	if no.says("already running") {
		return fmt.Errorf("%w: the run of the job has not ended at GitHub (%s)", heal.ErrLater, no.words)
	}
	return err
}

func (j Jobs) get(ctx context.Context, repository, path string, out any) error {
	return j.GitHub.do(ctx, call{http.MethodGet, "/repos/" + repository + path, nil, repository, writeActions}, out)
}

// notAgain are GitHub's words for a job that it does not run again, whoever asks. Any other 403 is
// about the credentials.
var notAgain = []string{"is already running", "only jobs from the current attempt can be re-run", "disabled workflow",
	"jobs in this workflow run cannot be re-run", "cannot be retried", "cannot be rerun", "created over a month ago"}

func refusesJob(words string) bool {
	words = strings.ToLower(words)
	for _, s := range notAgain {
		if strings.Contains(words, s) {
			return true
		}
	}
	return false
}

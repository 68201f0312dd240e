package codehost_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/codehost"
	"github.com/buildmedic/buildmedic/internal/codehost/openapi"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/simaws"
)

// runWorld has a run of two jobs, of which one fails once.
const runWorld = `start: 2026-11-22T10:00:00Z
github:
  token: ` + token + `
  permissions: [actions]
  repositories: [example/shop]
  runs:
    - repository: example/shop
      run: 42
      version: refs/heads/main
      jobs:
        - {name: lint, project: shop}
        - {name: test, project: shop, dies: {times: 1, after: 30s}}
roles:
  - {name: r, inline: {base: '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "logs:*", "Resource": "*"}]}'}}
projects:
  - {name: shop, role: r, buildspecs: {buildspec.yml: {build: [{run: make, takes: 90s}]}}}
`

func openRun(t *testing.T) (codehost.Jobs, *simaws.Sim) {
	t.Helper()
	sim, err := simaws.Load([]byte(runWorld))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, w := range openapi.Check(sim.Exchanges()) {
			t.Error(w)
		}
		if u := sim.Unknown(); len(u) > 0 {
			t.Errorf("the simulated GitHub was asked what it does not know: %q", u)
		}
		sim.Close()
	})
	return codehost.Jobs{GitHub: &codehost.GitHub{Home: home, Clock: sim.Clock, HTTP: sim.CodeHost(sim.Client()),
		Credentials: &codehost.Credentials{Host: "github.com", Secret: "hub", Secrets: &vault{text: token}, Clock: sim.Clock}}}, sim
}

// TestJobs goes through a run: its jobs wait, run, end, and one is run again.
func TestJobs(t *testing.T) {
	ctx, repo := context.Background(), "example/shop"
	jobs, sim := openRun(t)
	start := sim.Clock.Now()
	sim.Clock.Advance(time.Second)
	of := func(attempt int) map[string]decide.HostJob {
		list, err := jobs.Of(ctx, repo, 42, attempt)
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]decide.HostJob{}
		for _, j := range list {
			out[j.Name] = j
		}
		return out
	}
	if j := of(1)["test"]; j.Status != decide.JobQueued || j.Runner != "" || !j.WaitsFor("shop") || j.WaitsFor("sho") || j.Attempt != 1 {
		t.Errorf("queued: %+v", j)
	}
	if rs, err := jobs.UnderWay(ctx, repo); err != nil || len(rs) != 1 || rs[0].ID != 42 || rs[0].Ended {
		t.Errorf("under way: %+v, %v", rs, err)
	}
	sim.Clock.Advance(2 * time.Minute)
	if err := jobs.Rerun(ctx, repo, of(1)["lint"].ID); !errors.Is(err, heal.ErrLater) {
		t.Errorf("of a run that has not ended: %v", err)
	}
	sim.Clock.Advance(20 * time.Minute)
	bs := sim.Builds("shop")
	test := of(1)["test"]
	if test.Status != decide.JobEnded || test.Conclusion != decide.JobFailed || test.Build("shop") != bs[1].ID || test.Done.IsZero() {
		t.Errorf("ended: %+v; builds %+v", test, bs)
	}
	if r, err := jobs.Run(ctx, repo, 42); err != nil || !r.Ended || r.Attempt != 1 || !r.Created.Equal(start) {
		t.Errorf("ended: %+v, %v", r, err)
	}
	if err := jobs.Rerun(ctx, repo, test.ID); err != nil {
		t.Fatal(err)
	}
	sim.Clock.Advance(5 * time.Minute)
	if err := jobs.Rerun(ctx, repo, test.ID); !errors.Is(err, heal.ErrFinal) || !strings.Contains(err.Error(), "current attempt") {
		t.Errorf("a second time: %v", err)
	}
	if r, err := jobs.Run(ctx, repo, 42); err != nil || !r.Ended || r.Attempt != 2 {
		t.Errorf("again: %+v, %v", r, err)
	}
	next := of(2)
	if again, ok := decide.JobAgain(test, []decide.HostJob{next["lint"], next["test"]}); !ok || again.Conclusion != decide.JobPassed ||
		next["lint"].Attempt != 1 {
		t.Errorf("again: %+v", next)
	}
	if rs, err := jobs.Since(ctx, repo, start.Add(time.Second)); err != nil || len(rs) != 0 {
		t.Errorf("since: %+v, %v", rs, err)
	}
	if rs, err := jobs.Since(ctx, repo, start); err != nil || len(rs) != 1 {
		t.Errorf("since: %+v, %v", rs, err)
	}
	if rs, err := jobs.UnderWay(ctx, repo); err != nil || len(rs) != 0 {
		t.Errorf("under way: %+v, %v", rs, err)
	}
}

// TestJobsRefused: what is not there, or not allowed, and what cannot be read.
func TestJobsRefused(t *testing.T) {
	ctx := context.Background()
	jobs, sim := openRun(t)
	sim.Clock.Advance(time.Second)
	if _, err := jobs.Run(ctx, "example/shop", 43); !errors.Is(err, heal.ErrNotFound) {
		t.Errorf("no such run: %v", err)
	}
	if _, err := jobs.Of(ctx, "example/shop", 42, 2); !errors.Is(err, heal.ErrNotFound) {
		t.Errorf("no such attempt: %v", err)
	}
	if err := jobs.Rerun(ctx, "example/shop", 1); !errors.Is(err, heal.ErrNotFound) {
		t.Errorf("no such job: %v", err)
	}
	sim.SetGitHub(simaws.GitHub{Token: token, Permissions: []string{"statuses"}, Repositories: []string{"example/shop"}})
	for name, err := range map[string]error{
		"rerun": jobs.Rerun(ctx, "example/shop", 1),
		"read":  func() error { _, err := jobs.Run(ctx, "example/shop", 42); return err }(),
	} {
		if fault := (heal.FaultError{}); !errors.As(err, &fault) || !strings.Contains(err.Error(), "Actions: Read and write") {
			t.Errorf("%s without the permission: %v", name, err)
		}
	}
	for name, body := range map[string]string{
		"another run": `{"id": 7, "run_attempt": 1, "status": "completed"}`, "no attempt": `{"id": 42}`, "no JSON": `<html>`,
	} {
		g := open(t, token, simaws.GitHub{Token: token})
		g.github.HTTP = answer(body)
		if r, err := (codehost.Jobs{GitHub: g.github}).Run(ctx, "example/shop", 42); !errors.Is(err, heal.ErrFinal) {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
	for name, body := range map[string]string{
		"a job of another run": `{"total_count": 1, "jobs": [{"id": 1, "run_id": 7}]}`,
		"a job without an id":  `{"total_count": 1, "jobs": [{"run_id": 42}]}`,
	} {
		g := open(t, token, simaws.GitHub{Token: token})
		g.github.HTTP = answer(body)
		if js, err := (codehost.Jobs{GitHub: g.github}).Of(ctx, "example/shop", 42, 1); !errors.Is(err, heal.ErrFinal) {
			t.Errorf("%s: %+v, %v", name, js, err)
		}
	}
}

// answer is a host that answers everything with the same text.
func answer(body string) http.RoundTripper {
	return roundTrip(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}, nil
	})
}

package awsapi

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/simaws"
)

const refusedStart = `
roles: [{name: r, inline: {logs: LOGS}}]
projects:
  - {name: app, role: r, buildspecs: {buildspec.yml: {build: [make]}}}
pipelines:
  - name: shop
    pull_requests: true
    stages:
      - {name: Source, actions: [{name: Source, branch: main}]}
      - name: Build
        actions:
          - {name: App, project: app}
          - name: Busy
            project: app
            refuses: {times: 1, code: AccountLimitExceededException, says: Cannot have more than 1 builds in queue for the account}
          - {name: Migrate, commands: {run: npm ci, prints: no, times: 1}}
`

// TestPipelines: what is kept is read once, however many builds ask.
func TestPipelines(t *testing.T) {
	s := world(t, refusedStart)
	execution := begun(t, s, simaws.Start{Pipeline: "shop", Branch: "fork", Trigger: "WebhookV2"})
	s.Settle()
	p, ctx := &Pipelines{Accounts: function(s, "")}, t.Context()
	build := s.Builds("app")[0]
	for range 3 {
		run, err := p.RunOf(ctx, home, "shop", build.ID, s.Clock.Now().Add(-time.Hour))
		if err != nil || run.Execution != execution || run.Stage != "Build" || run.Name != "App" || run.Version != 1 ||
			run.Project != "app" {
			t.Fatalf("%+v, %v", run, err)
		}
		if pulls, err := p.PullRequests(ctx, home, "shop", run.Version); err != nil || !pulls {
			t.Errorf("%t, %v", pulls, err)
		}
		if kind, _, err := p.Trigger(ctx, home, "shop", execution); err != nil || kind != "WebhookV2" {
			t.Errorf("%q, %v", kind, err)
		}
	}
	for _, call := range []string{"ListActionExecutions", "GetPipeline", "GetPipelineExecution"} {
		if n := count(s, call); n != 1 {
			t.Errorf("%d × %s", n, call)
		}
	}
	for _, id := range []string{"app:00000000-0000-4000-8000-000000000000"} {
		if _, err := p.RunOf(ctx, home, "shop", id, s.Clock.Now()); !errors.Is(err, heal.ErrNotFound) {
			t.Errorf("%s: %v", id, err)
		}
	}
	if _, err := p.PullRequests(ctx, home, "shop", 2); !errors.Is(err, heal.ErrNotFound) {
		t.Errorf("a version that is gone: %v", err)
	}
	if _, _, err := p.Trigger(ctx, home, "shop", "gone"); !errors.Is(err, heal.ErrNotFound) {
		t.Errorf("an execution that is gone: %v", err)
	}
	if _, err := p.Runs(ctx, home, "gone", execution); !errors.Is(err, heal.ErrNotFound) {
		t.Errorf("a pipeline that is gone: %v", err)
	}

	runs, err := p.Runs(ctx, home, "shop", execution)
	if err != nil || len(runs) != 4 {
		t.Fatalf("%d runs, %v", len(runs), err)
	}
	for _, r := range runs {
		switch r.Name {
		case "Source":
			if r.Branch != "main" || r.Built != "fork" || r.Provider != "CodeStarSourceConnection" {
				t.Errorf("%+v", r)
			}
		case "Busy":
			c, ok := codebuild.ParseRefusal(r.Message)
			if !ok || c.Code != "AccountLimitExceededException" || r.External != "" || r.Code != "JobFailed" {
				t.Errorf("%+v", r)
			}
		case "Migrate":
			if r.Provider != codebuild.ProviderCommands || !strings.Contains(r.External, "/aws/codepipeline/shop:log-stream:"+execution) {
				t.Errorf("%+v", r)
			}
		}
	}
}

// TestByPullRequest: what does not say that it is about pushes alone may be about pull requests.
func TestByPullRequest(t *testing.T) {
	const connection = types.PipelineTriggerProviderTypeCodeStarSourceConnection
	push, pull := []types.GitPushFilter{{}}, []types.GitPullRequestFilter{{}}
	for _, row := range []struct {
		name string
		t    types.PipelineTriggerDeclaration
		want bool
	}{
		{"pushes", types.PipelineTriggerDeclaration{ProviderType: connection,
			GitConfiguration: &types.GitConfiguration{Push: push}}, false},
		{"both", types.PipelineTriggerDeclaration{ProviderType: connection, GitConfiguration: &types.GitConfiguration{Push: push,
			PullRequest: pull}}, true},
		{"requests", types.PipelineTriggerDeclaration{ProviderType: connection,
			GitConfiguration: &types.GitConfiguration{PullRequest: pull}}, true},
		{"neither", types.PipelineTriggerDeclaration{ProviderType: connection, GitConfiguration: &types.GitConfiguration{}}, true},
		{"no configuration", types.PipelineTriggerDeclaration{ProviderType: connection}, true},
		{"another provider", types.PipelineTriggerDeclaration{ProviderType: "New",
			GitConfiguration: &types.GitConfiguration{Push: push}}, true},
	} {
		if got := byPullRequest(row.t); got != row.want {
			t.Errorf("%s: %t", row.name, got)
		}
	}
}

// TestRetryAction: a stage is retried for an action only while the very run is its latest, so that nothing is
// started twice, and never over a newer execution.
func TestRetryAction(t *testing.T) {
	s := world(t, refusedStart)
	execution := begun(t, s, simaws.Start{Pipeline: "shop"})
	s.Settle()
	p, c := &Pipelines{Accounts: function(s, "")}, CodeBuild{function(s, "")}
	runs, err := p.Runs(t.Context(), home, "shop", execution)
	if err != nil {
		t.Fatal(err)
	}
	var b codebuild.Build
	for _, r := range runs {
		if r.Name == "Busy" {
			b = r.Build(codebuild.ARN{Partition: "aws", Service: "codepipeline", Region: home.Region, Account: home.ID}, "app")
		}
	}
	retry := func(b codebuild.Build) error {
		_, err := c.Retry(t.Context(), b, decide.Plan{Route: decide.RouteStage}, "t", func([]string) error { return nil })
		return err
	}
	for what, change := range map[string]func(*codebuild.Action){"run": func(a *codebuild.Action) { a.Run = execution },
		"stage": func(a *codebuild.Action) { a.Stage = "Gone" }, "pipeline": func(a *codebuild.Action) { a.Pipeline = "gone" },
		"execution": func(a *codebuild.Action) { a.Execution = a.Run }, "action": func(a *codebuild.Action) { a.Name = "Gone" }} {
		other, a := b, *b.Action
		change(&a)
		other.Action = &a
		if err := retry(other); !errors.Is(err, heal.ErrFinal) || count(s, "RetryStageExecution") > 0 {
			t.Errorf("another %s: %v", what, err)
		}
	}
	if err := retry(b); err != nil || len(s.Builds("app")) != 2 {
		t.Errorf("%v, %d builds", err, len(s.Builds("app")))
	}
	if err := retry(b); !errors.Is(err, heal.ErrFinal) || !strings.Contains(err.Error(), "somebody has retried") {
		t.Errorf("once more: %v", err)
	}
	s.Settle()
	begun(t, s, simaws.Start{Pipeline: "shop"})
	s.Settle()
	if err := retry(b); !errors.Is(err, heal.ErrFinal) || !strings.Contains(err.Error(), "newer execution") ||
		count(s, "RetryStageExecution") != 1 {
		t.Errorf("a newer execution: %v", err)
	}
}

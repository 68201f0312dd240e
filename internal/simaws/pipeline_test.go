package simaws_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"github.com/buildmedic/buildmedic/internal/simaws"
)

const piped = `
projects:
  - {name: app, role: r, source: {type: CODEPIPELINE}, buildspecs: {buildspec.yml: {build: [{run: make, fails: {times: 1, prints: no}}]}}}
  - {name: lint, role: r, source: {type: CODEPIPELINE}, buildspecs: {buildspec.yml: {build: [make lint]}}}
  - {name: deploy, role: r, source: {type: CODEPIPELINE}, buildspecs: {buildspec.yml: {build: [make deploy]}}}
pipelines:
  - name: shop
    stages:
      - {name: Source, actions: [{name: Source}]}
      - {name: Build, actions: [{name: App, project: app}, {name: Lint, project: lint}]RETRY}
      - {name: Deploy, actions: [{name: Deploy, project: deploy}]}
`

func pipeWorld(retry string) string {
	return roleMay("s3:GetObject") + strings.Replace(piped, "RETRY", retry, 1)
}

// The failed action of a stage is started again, the others are not, and the
// pipeline goes on.
func TestRetryStageExecution(t *testing.T) {
	s := world(t, pipeWorld(""))
	c, ctx := dial(s, simaws.FunctionKey, "us-east-1"), deadline(t)
	execution, err := s.Run(simaws.Start{Pipeline: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	s.Settle()
	b := s.Builds("app")[0]
	out, err := c.codebuild.BatchGetBuilds(ctx, &codebuild.BatchGetBuildsInput{Ids: []string{b.ID}})
	if err != nil {
		t.Fatal(err)
	}
	if got := out.Builds[0]; *got.Initiator != "codepipeline/shop" || got.Source.Type != "CODEPIPELINE" ||
		got.Source.Location != nil || len(*got.SourceVersion) < 20 {
		t.Errorf("the pipeline's build is %+v", got)
	}
	st, err := c.pipeline.GetPipelineState(ctx, &codepipeline.GetPipelineStateInput{Name: aws.String("shop")})
	if err != nil {
		t.Fatal(err)
	}
	stage := st.StageStates[1]
	if *stage.LatestExecution.PipelineExecutionId != execution || stage.LatestExecution.Status != "Failed" ||
		*stage.ActionStates[0].LatestExecution.ExternalExecutionId != b.ID ||
		stage.ActionStates[1].LatestExecution.Status != "Succeeded" || st.StageStates[2].LatestExecution != nil {
		t.Errorf("the stage is %+v", stage)
	}
	retry := stageRetry(c, "shop", "Build", execution)
	if err := retry(ctx); err != nil {
		t.Fatal(err)
	}
	var no *types.StageNotRetryableException
	if err := retry(ctx); !errors.As(err, &no) {
		t.Errorf("a second retry at the same time: %v", err)
	}
	s.Settle()
	for name, want := range map[string]int{"app": 2, "lint": 1, "deploy": 1} {
		if n := len(s.Builds(name)); n != want {
			t.Errorf("%s: %d builds, want %d", name, n, want)
		}
	}
	if err := retry(ctx); !errors.As(err, &no) {
		t.Errorf("a green stage: %v", err)
	}
}

// A newer execution takes the stage: the old one can no longer be retried.
func TestNewerExecution(t *testing.T) {
	s := world(t, pipeWorld(""))
	c, ctx := dial(s, simaws.FunctionKey, "us-east-1"), deadline(t)
	var ids []string
	for range 3 {
		id, err := s.Run(simaws.Start{Pipeline: "shop"})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	s.Settle()
	var old *types.NotLatestPipelineExecutionException
	if err := stageRetry(c, "shop", "Build", ids[0])(ctx); !errors.As(err, &old) {
		t.Errorf("the first execution: %v", err)
	}
	st, err := c.pipeline.GetPipelineState(ctx, &codepipeline.GetPipelineStateInput{Name: aws.String("shop")})
	if err != nil {
		t.Fatal(err)
	}
	if got := *st.StageStates[1].LatestExecution.PipelineExecutionId; got != ids[2] {
		t.Errorf("the stage holds %s, want the newest %s", got, ids[2])
	}
	if n := len(s.Builds("app")); n != 2 {
		t.Errorf("%d builds: of the waiting executions only the newest runs, want 2", n)
	}
}

// A stage that retries by itself does so once.
func TestStageRetriesItself(t *testing.T) {
	s := world(t, pipeWorld(", retry_on_failure: true"))
	if _, err := s.Run(simaws.Start{Pipeline: "shop"}); err != nil {
		t.Fatal(err)
	}
	s.Settle()
	st, err := dial(s, simaws.FunctionKey, "us-east-1").pipeline.GetPipelineState(deadline(t),
		&codepipeline.GetPipelineStateInput{Name: aws.String("shop")})
	if err != nil {
		t.Fatal(err)
	}
	m := st.StageStates[1].RetryStageMetadata
	if m == nil || *m.AutoStageRetryAttempt != 1 || m.LatestRetryTrigger != types.RetryTriggerAutomatedStageRetry ||
		len(s.Builds("deploy")) != 1 {
		t.Errorf("retry metadata %+v, %d deploys", m, len(s.Builds("deploy")))
	}
}

package awsapi

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// CodePipeline starts the builds of pipelines again.
type CodePipeline struct{ Accounts *Accounts }

// retryStage retries the failed actions of the stage that the build is of
// (AWS.md#retry-of-a-stage). All failed actions of the stage start again, so one
// retry serves all of its failed builds. A batch's build is of the batch's action. ErrFinal: a newer
// execution has replaced the build's, or the stage was retried by somebody else.
func (c CodePipeline) retryStage(ctx context.Context, at settings.Account, b codebuild.Build, ready func([]string) error) error {
	if b.Action != nil {
		return c.retryAction(ctx, at, *b.Action, ready)
	}
	client, err := client(c.Accounts, at, codepipeline.NewFromConfig)
	if err != nil {
		return err
	}
	name, external := b.AskedPipeline(), b.External()
	state, err := client.GetPipelineState(ctx, &codepipeline.GetPipelineStateInput{Name: &name})
	if err != nil {
		return classify(err)
	}
	stage, ok := stageOf(state.StageStates, external, b.Checked)
	if !ok {
		return c.whyNot(ctx, at, name, external, b.Start, state.StageStates)
	}
	return retryOf(ctx, client, name, stage, external, ready)
}

// whyNot says why the stage of a build cannot be retried which is in no stage's latest state.
func (c CodePipeline) whyNot(ctx context.Context, at settings.Account, pipeline, external string, began time.Time,
	now []types.StageState,
) error {
	run, err := (&Pipelines{Accounts: c.Accounts}).RunOf(ctx, at, pipeline, external, began)
	if err != nil {
		return fmt.Errorf("pipeline %q: a newer execution has replaced the one of build %q, or its stage was "+
			"retried already: %w", pipeline, external, heal.ErrFinal)
	}
	for _, s := range now {
		e := s.LatestExecution
		if aws.ToString(s.StageName) == run.Stage && e != nil && aws.ToString(e.PipelineExecutionId) == run.Execution {
			return retriedAlready(pipeline, run.Stage)
		}
	}
	return replaced(pipeline, run.Stage)
}

// retryOf retries the failed actions of a stage, once nothing of it runs.
func retryOf(ctx context.Context, client *codepipeline.Client, name string, stage types.StageState, external string,
	ready func([]string) error,
) error {
	if stage.LatestExecution == nil || stage.LatestExecution.Status == types.StageExecutionStatusInProgress {
		return fmt.Errorf("pipeline %q: stage %q still runs: %w", name, aws.ToString(stage.StageName), heal.ErrLater)
	}
	if err := ready(failedWith(stage, external)); err != nil {
		return err
	}
	_, err := client.RetryStageExecution(ctx, &codepipeline.RetryStageExecutionInput{PipelineName: &name, StageName: stage.StageName,
		PipelineExecutionId: stage.LatestExecution.PipelineExecutionId, RetryMode: types.StageRetryModeFailedActions})
	return classify(err)
}

// failedWith lists the other failed builds of the stage: they start again too.
func failedWith(s types.StageState, build string) []string {
	var ids []string
	for _, a := range s.ActionStates {
		e := a.LatestExecution
		if e != nil && e.Status == types.ActionExecutionStatusFailed && aws.ToString(e.ExternalExecutionId) != build {
			ids = append(ids, aws.ToString(e.ExternalExecutionId))
		}
	}
	return ids
}

// stageOf finds the stage whose latest run of an action is the build. Actions of other providers say by themselves
// what they ran, and the state does not say whose an action is: where it is known which of CodeBuild's actions ran
// the build, no other one is believed.
func stageOf(stages []types.StageState, build string, c *codebuild.Checked) (types.StageState, bool) {
	for _, s := range stages {
		for _, a := range s.ActionStates {
			if a.LatestExecution == nil || aws.ToString(a.LatestExecution.ExternalExecutionId) != build {
				continue
			}
			if c == nil || c.Execution == nil || c.Execution.Action == "" ||
				c.Execution.Stage == aws.ToString(s.StageName) && c.Execution.Action == aws.ToString(a.ActionName) {
				return s, true
			}
		}
	}
	return types.StageState{}, false
}

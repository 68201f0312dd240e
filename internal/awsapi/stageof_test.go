package awsapi

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"github.com/buildmedic/buildmedic/internal/codebuild"
)

// TestStageOf: another provider's action may say that it ran the build, and is not believed where it is known which did.
func TestStageOf(t *testing.T) {
	stage := func(name, action, external string) types.StageState {
		return types.StageState{StageName: &name, ActionStates: []types.ActionState{{ActionName: &action,
			LatestExecution: &types.ActionExecution{ExternalExecutionId: &external}}, {ActionName: aws.String("Later")}}}
	}
	checked := &codebuild.Checked{Execution: &codebuild.Execution{Pipeline: "shop", Stage: "Build", Action: "Build"}}
	invoke, build := stage("Prepare", "Invoke", "shop:1"), stage("Build", "Build", "shop:1")
	for _, row := range []struct {
		name   string
		stages []types.StageState
		c      *codebuild.Checked
		want   string // "" is none
	}{
		{"known", []types.StageState{invoke, build}, checked, "Build"},
		{"another action of its stage", []types.StageState{stage("Build", "Invoke", "shop:1")}, checked, ""},
		{"retried since", []types.StageState{invoke, stage("Build", "Build", "shop:2")}, checked, ""},
		{"not looked at", []types.StageState{build}, nil, "Build"},
		{"not to be read", []types.StageState{build}, &codebuild.Checked{Execution: &codebuild.Execution{Unread: "x"}}, "Build"},
	} {
		if got, ok := stageOf(row.stages, "shop:1", row.c); aws.ToString(got.StageName) != row.want || ok != (row.want != "") {
			t.Errorf("%s: %q", row.name, aws.ToString(got.StageName))
		}
	}
}

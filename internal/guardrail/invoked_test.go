package guardrail

import (
	"testing"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// TestTrustedOfAnInvokedPipeline: whoever calls StartPipelineExecution may name any commit of the repository
// (sourceRevisions), also one of a pull request's, while the source still says that it read its branch. That is known of
// such an execution where a function or another pipeline started it, no more than of a bare commit.
func TestTrustedOfAnInvokedPipeline(t *testing.T) {
	for _, by := range []string{"arn:aws:sts::111122223333:assumed-role/pr-checks-function/pr-checks",
		"arn:aws:sts::111122223333:assumed-role/pipeline-of-pull-requests/8e0e9c55-c699-4132-ac4f-6c6de3e636d1"} {
		b := codebuild.Build{Initiator: "codepipeline/shop", SourceType: "CODEPIPELINE", SourceVersion: trustS3, ServiceRole: trustRole}
		b.Checked = &codebuild.Checked{Execution: &codebuild.Execution{Pipeline: "shop", ID: "x", PullRequests: true,
			Trigger: byCall, By: by,
			Sources: []codebuild.PipelineSource{{Action: "Source", Branch: "main", Built: "main"}}}}
		if ok, _ := Trusted(b, settings.Project{Name: "shop", Pipelines: []string{"shop"}}); ok {
			t.Errorf("an execution that %s started, of whatever commit, is trusted", by)
		}
	}
}

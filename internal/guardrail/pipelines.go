package guardrail

import (
	"fmt"
	"slices"

	"github.com/buildmedic/buildmedic/internal/codebuild"
)

// ofNoRequest are what starts an execution of a pipeline without a pull request having any part in it
// (AWS.md#what-started-a-pipeline). Not among them: WebhookV2, which pull requests cause as pushes do; rules of
// EventBridge, which may be about pull requests; and rollbacks, which repeat an execution of any kind.
var ofNoRequest = []string{"CreatePipeline", "StartPipelineExecution", "PollForSourceChanges", "Webhook", "PutActionRevision"}

// pipelineDoubt is why the pipeline's execution that asked for a build may be one of a pull request; "" if it
// certainly is none, or if it was not looked at.
//
// Where no trigger of the pipeline's definition takes pull requests, it is none. Else a branch's name says
// nothing by itself, since a fork's branch has any name that its owner likes: what started the execution must
// be of [ofNoRequest], and each source must have read the branch that it is set to.
func pipelineDoubt(b codebuild.Build) string {
	if b.Checked == nil || b.Checked.Execution == nil || !pipeline(b.Asked().Initiator) {
		return ""
	}
	x := b.Checked.Execution
	switch {
	case x.Pipeline != b.AskedPipeline() || x.Unread == "" && x.ID == "":
		return "No record says which execution of its pipeline it is of."
	case x.Unread != "":
		return x.Unread
	case !x.PullRequests:
		return ""
	}
	pulls := fmt.Sprintf("Pull requests trigger its pipeline %q", clip(x.Pipeline))
	switch {
	case !slices.Contains(ofNoRequest, x.Trigger):
		return pulls + ", and no record says that this execution was none of them: the name of a branch is no proof, since " +
			"a fork may have one of that name."
	case x.Trigger == "StartPipelineExecution" && x.By == "":
		return pulls + ", and no record says who started this execution."
	case withinBuild(x.By, b.ServiceRole):
		return pulls + ", and the commands of another build started this execution: perhaps one of a pull request."
	case len(x.Sources) == 0:
		return pulls + ", and no record says what this execution read."
	}
	for _, s := range x.Sources {
		if s.Branch == "" || s.Built != s.Branch {
			return fmt.Sprintf("%s, and its source %q read the branch %q in this execution, not %q.", pulls, clip(s.Action), clip(s.Built),
				clip(s.Branch))
		}
	}
	return ""
}

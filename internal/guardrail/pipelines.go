package guardrail

import (
	"fmt"
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// ofNoRequest are what starts an execution of a pipeline without a pull request having any part in it
// (AWS.md#what-started-a-pipeline). Not among them: WebhookV2, which pull requests cause as pushes do; rules of
// EventBridge, which may be about pull requests; and rollbacks, which repeat an execution of any kind.
var ofNoRequest = []string{"CreatePipeline", "StartPipelineExecution", "PollForSourceChanges", "Webhook", "PutActionRevision"}

// byCall is the trigger of an execution that somebody with permissions in IAM asked for. Whoever may do that may
// name any commit of the repository (sourceRevisions), and the source still says that it read the branch that it is
// set to (AWS.md#what-started-a-pipeline).
const byCall = "StartPipelineExecution"

// pipelineDoubt is why the pipeline's execution that asked for a build may be one of a pull request; "" if it
// certainly is none, or if it was not looked at.
//
// Where no trigger of the pipeline's definition takes pull requests, it is none, unless a build started it: a
// branch's name and a commit say nothing of what that one built. Else a branch's name says nothing by itself,
// since a fork's branch has any name that its owner likes: what started the execution must be of [ofNoRequest],
// whoever called for it must be listed in the settings, and each source must have read the branch that it is set to.
func pipelineDoubt(b codebuild.Build, p settings.Project) string {
	if b.Checked == nil || b.Checked.Execution == nil || !pipeline(b.Asked().Initiator) {
		return ""
	}
	x := b.Checked.Execution
	switch {
	case x.Pipeline != b.AskedPipeline() || x.Unread == "" && x.ID == "":
		return "No record says which execution of its pipeline it is of."
	case x.Unread != "":
		return x.Unread
	case withinBuild(x.By, b.ServiceRole):
		return fmt.Sprintf("The commands of another build started this execution of its pipeline %q, and no record says what "+
			"that one built: perhaps a pull request.", clip(x.Pipeline))
	case !x.PullRequests:
		return ""
	}
	pulls := fmt.Sprintf("Pull requests trigger its pipeline %q", clip(x.Pipeline))
	switch {
	case !slices.Contains(ofNoRequest, x.Trigger):
		return pulls + ", and no record says that this execution was none of them: the name of a branch is no proof, since " +
			"a fork may have one of that name."
	case x.Trigger == byCall && x.By == "":
		return pulls + ", and no record says who started this execution."
	case unlistedStarter(*x, p):
		return fmt.Sprintf("%s, and %q, whom trust.starters does not list, started this execution, perhaps of another commit.",
			pulls, clip(initiatorOf(x.By)))
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

// unlistedStarter reports whether somebody called for the execution whom the settings do not list.
func unlistedStarter(x codebuild.Execution, p settings.Project) bool {
	return x.Trigger == byCall && !p.Trust.Starter(initiatorOf(x.By))
}

// initiatorOf names a caller as the record of a build that it starts does: a role with its session, a user
// without the path, or a rule (AWS.md#initiator). Anything else stays as it is.
func initiatorOf(caller string) string {
	a, ok := codebuild.ParseARN(caller)
	if !ok {
		return caller
	}
	switch kind, name, _ := strings.Cut(a.Resource, "/"); {
	case a.Service == "sts" && kind == "assumed-role":
		return name
	case a.Service == "iam" && kind == "user":
		_, name = codebuild.SplitPath(name)
		return name
	case a.Service == "events" && kind == "rule":
		return a.Resource
	}
	return caller
}

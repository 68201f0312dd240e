package guardrail

import (
	"cmp"
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// JudgePullRequests is about builds of pull requests that would have what the
// project's role is given: whoever may open a pull request writes what such a build
// runs. Only the settings may accept that by themselves.
//
// That pull requests are built as another role is a claim: where CodeBuild says
// otherwise, the grant is refused. If they are built as the role and the settings say
// nothing, or if it is not known, ask says so: a person must approve the grant,
// whatever the project's mode. What is scoped to the project only its own builds
// have, those of its pull requests among them.
func JudgePullRequests(in Input, scoped bool) (no *Refusal, ask string) {
	if in.Project.PullRequests == settings.Accept {
		return nil, ""
	}
	built := clip(strings.Join(in.PullRequests.Built, "; "))
	switch {
	case built != "" && in.Project.PullRequests == settings.SeparateRole:
		return &Refusal{Rule: PullRequests, Message: "The settings say pull_requests: separate-role, and this says " +
			"otherwise: " + built + ". Builds of pull requests would have what is granted. Build them as a role of " +
			"their own, or write pull_requests: accept if they may have it."}, ""
	case built != "":
		return nil, "Builds of pull requests would have it, too, so it needs an approval: " + built + ". Build them as a " +
			"role of their own and write pull_requests: separate-role, or write pull_requests: accept if they may have it."
	case !in.PullRequests.Read || in.PullRequests.Own && !scoped || in.PullRequests.Unread != "":
		return nil, "Builds of pull requests may have it, too, so it needs an approval: whether they run as the role is not " +
			"known (" + clip(cmp.Or(in.PullRequests.Unread, "nobody looked")) + "). Have it read, or write pull_requests: " +
			"accept if they may have it."
	}
	return nil, ""
}

// OfPullRequest reports whether the build is of a pull or merge request, by what it
// or its root was asked to build.
func OfPullRequest(b codebuild.Build) bool {
	versions := append([]string{b.SourceVersion, b.Asked().SourceVersion}, b.SecondaryVersions...)
	return slices.ContainsFunc(versions, func(v string) bool { return reference(v) == refRequest })
}

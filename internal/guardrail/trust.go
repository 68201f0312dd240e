package guardrail

import (
	"fmt"
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

// Trusted reports whether the team itself asked for what was built, and if
// not, why. Pull requests and merge requests never are trusted, nor are
// builds of a webhook, or of CodeBuild's own batches and retries, whose
// reference is no branch and no tag; nor what the commands of a build started.
// Branches, tags, pipelines and callers that IAM knows are.
//
// It looks at the build's record alone: at its initiator (AWS.md#initiator) and
// its source versions (AWS.md#source-version). A record without an initiator is
// judged by its source version.
func Trusted(b codebuild.Build) (ok bool, why string) {
	ref := reference(b.SourceVersion)
	other := slices.IndexFunc(b.SecondaryVersions, func(v string) bool { r := reference(v); return r == refRequest || r == refStrange })
	switch {
	case ref == refRequest:
		return false, fmt.Sprintf("It built %q, which anyone who may open a pull request can fill.", clip(b.SourceVersion))
	case ref == refStrange:
		return false, fmt.Sprintf("It built %q, which is no branch and no tag.", clip(b.SourceVersion))
	case other >= 0:
		return false, fmt.Sprintf("It also built %q, which is no branch and no tag that the team alone can fill.", clip(b.SecondaryVersions[other]))
	case withinBuild(b.Initiator) && b.BatchARN == "" && b.AutoRetry.Previous == "":
		return false, "The commands of another build started it, and its record does not say what that one built: perhaps a pull request. Let a push, a pipeline or a person start it."
	case ref == refBranchOrTag:
		return true, ""
	case webhook(b.Initiator):
		return false, fmt.Sprintf("A webhook started it for %q, which does not say that it is a branch or a tag.", clip(b.SourceVersion))
	case withinBuild(b.Initiator) && publicHost(b.SourceType) && ref == refCommit:
		return false, fmt.Sprintf("A build started it for commit %q, which may belong to a pull request.", clip(b.SourceVersion))
	}
	return true, ""
}

// RefuseUntrusted is the refusal for a build that is not [Trusted], else nil.
// It holds for every remedy that changes something.
func RefuseUntrusted(b codebuild.Build) *Refusal {
	ok, why := Trusted(b)
	if ok {
		return nil
	}
	return &Refusal{Rule: UntrustedBuild, Message: why +
		" So its denials are explained and nothing is changed. Once the same failure happens on a branch or a tag, it can be healed."}
}

type refKind int

const (
	refNone        refKind = iota // the default branch
	refBranchOrTag                // said so in full
	refCommit
	refRequest // a pull or merge request, or a change under review
	refStrange // another place below refs/
	refOther   // a bare name, an S3 ARN, …
)

var (
	requestRef = lazyregexp.New(`^(refs/)?(pr|pull|pulls|pull-requests?|mr|merge-requests?)/`)
	branchRef  = lazyregexp.New(`^refs/(heads|tags)/.`)
)

// reference says what a source version names. CodeBuild writes
// "refs/heads/main^{2f1c…}": the commit after the caret does not count.
func reference(version string) refKind {
	s := strings.ToLower(strings.TrimSpace(version))
	s, _, _ = strings.Cut(s, "^{")
	s = strings.TrimLeft(s, "/")
	switch {
	case s == "":
		return refNone
	case requestRef.MatchString(s):
		return refRequest
	case branchRef.MatchString(s):
		return refBranchOrTag
	case strings.HasPrefix(s, "refs/"):
		return refStrange
	case len(s) >= 7 && len(s) <= 64 && strings.Trim(s, "0123456789abcdef") == "":
		return refCommit
	}
	return refOther
}

// webhook reports whether the initiator is what a repository host's webhook
// calls itself. A role of the same name only is judged more strictly.
func webhook(initiator string) bool {
	name, _, _ := strings.Cut(strings.ToLower(initiator), "/")
	return slices.Contains([]string{"github-hookshot", "gitlab", "bitbucket", "bitbucket-webhooks"}, name)
}

// withinBuild reports whether a build's session started the build: a batch's
// child, CodeBuild's own auto-retry, or a command of a build.
func withinBuild(initiator string) bool {
	_, session, _ := strings.Cut(initiator, "/")
	return strings.HasPrefix(session, "AWSCodeBuild-")
}

// ByService reports whether a service started the build: a webhook, a pipeline,
// or CodeBuild within another build (AWS.md#initiator). If not, a caller that
// IAM knows did: a person, or the healer.
func ByService(b codebuild.Build) bool {
	return webhook(b.Initiator) || withinBuild(b.Initiator) || b.Pipeline() != "" || b.BatchARN != "" || b.AutoRetry.Previous != ""
}

// publicHost reports whether strangers may open pull requests at the source.
func publicHost(sourceType string) bool {
	switch sourceType {
	case "CODEPIPELINE", "CODECOMMIT", "S3", "NO_SOURCE":
		return false
	}
	return true
}

package guardrail

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/lazyregexp"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// Trusted reports whether the team itself asked for what was built, and if
// not, why. The list of what is trusted is closed; all else is explained, and
// nothing is changed for it:
//
//   - a branch or a tag in full, refs/heads/NAME or refs/tags/NAME, perhaps with
//     its commit (refs/heads/main^{2f1c0de…}), whoever started it: a push, a
//     person, a schedule. Of a merge queue's branches only if the project's
//     settings say trust: {merge_queue: true};
//   - what a pipeline (codepipeline/NAME) hands over: its artifact in S3, a commit,
//     or no source version at all. Of a pipeline that pull requests trigger, only if something
//     else certainly started the execution; if a call did, its caller must be listed under
//     trust.starters; and of none whose execution a build started, see [pipelineDoubt];
//   - the default branch (no source version), an object in S3, or no source, if an
//     IAM role, user or rule started it that the settings list under trust.starters;
//   - what CodeBuild started by itself, as a part of a batch or as its own retry,
//     and what the healer started again: if the root is trusted (whoever asked for
//     the batch, or for the first build of the chain), and the build is of the same
//     source.
//
// Whatever it names, a build counts for nothing that ran another thing than its project: what whoever
// started it chose in place of the project's source, buildspec (unless the settings list that one), service
// role (unless the settings name it) or image. Nor does one of a runner of a code host's own jobs, where any
// workflow of any branch may run ([Runner]).
//
// So a short name (main), a bare commit, and a reference of any other form count
// for nothing, since each may be a pull request's and the record does not say.
// The same goes for a build without an initiator, for one that a build's own
// commands or its service role started, whatever it names, and for one whose
// root is gone or cannot be read.
//
// It looks at records alone: initiators (AWS.md#initiator) and source versions
// (AWS.md#source-version).
func Trusted(b codebuild.Build, p settings.Project) (ok bool, why string) {
	if why := notItsProject(b, p); why != "" {
		return false, why
	}
	if b.Derived() && b.Root == nil {
		if b.BatchARN != "" {
			return false, "It is a part of a batch, and who asked for that cannot be read."
		}
		return false, "CodeBuild started it again by itself, and who asked for the first build of the chain cannot be read."
	}
	root := b.Asked()
	if why := distrust(root, b, p); why != "" {
		return false, why
	}
	if b.Root != nil && !repeats(b, root) {
		return false, fmt.Sprintf("It built %q, and what was asked for is %q.", clip(b.SourceVersion), clip(root.SourceVersion))
	}
	for _, v := range slices.Concat(root.SecondaryVersions, b.SecondaryVersions) {
		switch reference(v) {
		case refNone, refNamed, refCommit:
		case refArtifact:
			if pipeline(root.Initiator) {
				continue
			}
			fallthrough
		default:
			return false, fmt.Sprintf("It also built %q, which does not say in full which branch or tag that is.", clip(v))
		}
	}
	return true, ""
}

// Runner reports whether the project's builds run jobs of a code host's own pipelines (AWS.md#runners): the
// settings say so, or its webhook does, or the build's log looks so.
func Runner(b codebuild.Build, p settings.Project) bool {
	return p.Runner || b.Checked != nil && (b.Checked.Runner || b.Checked.Printed)
}

// notItsProject is why a build is not what its project's source says; "" if it is, as far as was looked.
func notItsProject(b codebuild.Build, p settings.Project) string {
	if Runner(b, p) {
		return "It ran a job of the code host's own pipelines, and any workflow of any branch or fork may choose what such a build " +
			"runs."
	}
	if b.Checked == nil {
		return ""
	}
	if why := b.Checked.Unread; why != "" {
		return why
	}
	names := slices.DeleteFunc(slices.Clone(b.Checked.Overrides), func(name string) bool {
		switch name {
		case codebuild.OwnBuildspec:
			// Of a batch's build it is the batch's own that differs, and that one chose the build's.
			return b.BatchARN == "" && slices.Contains(p.Buildspecs, b.Buildspec)
		case codebuild.OwnRole:
			_, ran := codebuild.SplitPath(b.ServiceRole)
			return ran != "" && slices.ContainsFunc([]string{p.Role, p.SwitchRole}, func(role string) bool {
				_, name := codebuild.SplitPath(role)
				return name == ran
			})
		}
		return false
	})
	if len(names) == 0 {
		return ""
	}
	return fmt.Sprintf("It had another %s than its project has: whoever started it chose that, or the project was changed since.",
		strings.Join(names, ", another "))
}

// distrust is why what was asked for is not on the list of [Trusted]; "" if it is.
func distrust(r codebuild.Root, b codebuild.Build, p settings.Project) string {
	ref, built, it := reference(r.SourceVersion), clip(r.SourceVersion), "it"
	switch {
	case b.Root != nil && b.BatchARN != "":
		it = "its batch"
	case b.Root != nil:
		it = "the build that it repeats"
	}
	switch {
	case r.Initiator == "":
		return "No record says who started " + it + "."
	case withinBuild(r.Initiator, b.ServiceRole):
		return "The commands of another build started " + it + ", and no record says what that one built: perhaps a pull request. " +
			"Let a push, a pipeline or a person start it."
	case pipeline(r.Initiator) && pipelineDoubt(b, p) != "":
		return pipelineDoubt(b, p)
	case ref == refRequest:
		return fmt.Sprintf("It built %q, which anyone who may open a pull request can fill.", built)
	case ref == refQueued && !p.Trust.MergeQueue:
		return fmt.Sprintf("It built %q, where a merge queue puts the code of pull requests before it is merged.", built)
	case ref == refNamed, ref == refQueued:
		return ""
	case pipeline(r.Initiator) && (ref == refArtifact || ref == refCommit || ref == refNone):
		return ""
	case p.Trust.Starter(r.Initiator) && (ref == refNone || r.SourceType == "S3"):
		return ""
	case ref == refNone:
		return fmt.Sprintf("%q started %s without a source version. Name the branch or tag in full (refs/heads/NAME, "+
			"refs/tags/NAME), there or in the project, or list who starts it under trust.starters.", clip(r.Initiator), it)
	case ref == refCommit:
		return fmt.Sprintf("It built the commit %q, which may be a pull request's.", built)
	}
	return fmt.Sprintf("It built %q, which does not say in full which branch or tag that is (refs/heads/NAME, refs/tags/NAME).", built)
}

// RefuseUntrusted is the refusal for a build that is not [Trusted], else nil.
// It holds for every remedy that changes something.
func RefuseUntrusted(b codebuild.Build, p settings.Project) *Refusal {
	ok, why := Trusted(b, p)
	if ok {
		return nil
	}
	r := Refusal{Rule: UntrustedBuild, Message: why + " So its denials are explained and nothing is changed. "}
	switch {
	case Runner(b, p):
		r.Rule = RunnerBuild
		r.Message += "Give the role what the job needs by hand, or have the job assume a role of its own."
	case pipelineDoubt(b, p) != "":
		where := "in a pipeline that the project lists and that no pull request triggers"
		if x := *b.Checked.Execution; x.PullRequests && unlistedStarter(x, p) {
			where += ", or in an execution of a listed starter's"
		}
		r.Message += fmt.Sprintf("Once the same failure happens %s, it can be healed.", where)
	case notItsProject(b, p) != "":
		r.Rule = OverriddenBuild
		r.Message += "Once the same failure happens in a build that overrides nothing, it can be healed."
	default:
		r.Message += "Once the same failure happens on a branch or a tag, it can be healed."
	}
	return &r
}

// repeats reports whether the build is of the source that its root asked for:
// of the same version, of its commit, or, in a pipeline's batch, of another
// artifact of that pipeline.
func repeats(b codebuild.Build, r codebuild.Root) bool {
	own, ownCommit := named(b.SourceVersion)
	asked, commit := named(r.SourceVersion)
	switch ref := reference(b.SourceVersion); {
	case b.SourceVersion == r.SourceVersion:
		return true
	case ref == refCommit:
		return b.SourceVersion == r.ResolvedSourceVersion || b.SourceVersion == commit
	case own != "" && own == asked:
		return ownCommit == "" || commit == "" || ownCommit == commit
	default:
		return ref == refArtifact && pipeline(r.Initiator)
	}
}

type refKind int

const (
	refNone     refKind = iota // the default branch
	refNamed                   // a branch or a tag in full
	refQueued                  // the same, of a merge queue
	refCommit                  // a bare commit
	refArtifact                // an object in S3, by its ARN
	refRequest                 // a pull or merge request, as far as it is known by its form
	refOther                   // a short name (main), another reference, an object's version, …
)

var (
	// requestRef only chooses the words: what looks otherwise is no more trusted.
	requestRef = lazyregexp.New(`(?i)^\+?/?(refs/)?(remotes/)?(origin/)?(pr|pulls?|pull[-_]requests?|mr|merge[-_]requests?)[/_-]?[0-9]`)
	commitForm = lazyregexp.New(`^[0-9a-f]{7,64}$`)
	s3Object   = lazyregexp.New(`^arn:aws[a-z-]*:s3:::[^\s/]+/\S+$`)
)

// mergeQueues are where merge queues of GitHub, Mergify and Trunk put what they
// are about to merge (AWS.md#source-version).
var mergeQueues = []string{"gh-readonly-queue/", "mergify/merge-queue/", "trunk-merge/"}

// reference says what a source version names.
func reference(version string) refKind {
	if name, _ := named(version); name != "" {
		branch := strings.TrimPrefix(strings.ToLower(name), "refs/heads/")
		if slices.ContainsFunc(mergeQueues, func(q string) bool { return strings.HasPrefix(branch, q) }) {
			return refQueued
		}
		return refNamed
	}
	switch {
	case version == "":
		return refNone
	case commitForm.MatchString(version):
		return refCommit
	case s3Object.MatchString(version):
		return refArtifact
	case requestRef.MatchString(strings.TrimSpace(version)):
		return refRequest
	}
	return refOther
}

// named reads a branch or a tag in full, as git takes it, and the commit that
// CodeBuild writes behind it: refs/heads/main^{2f1c…}. Git's other suffixes lead
// elsewhere, main^2 to what was merged. It gives "" for any other text.
func named(version string) (name, commit string) {
	name, suffix, pinned := strings.Cut(version, "^")
	if pinned {
		inner, opened := strings.CutPrefix(suffix, "{")
		inner, closed := strings.CutSuffix(inner, "}")
		if !opened || !closed || !commitForm.MatchString(inner) {
			return "", ""
		}
		commit = inner
	}
	rest, branch := strings.CutPrefix(name, "refs/heads/")
	rest, tag := strings.CutPrefix(rest, "refs/tags/")
	if branch == tag || !utf8.ValidString(rest) || strings.Contains(rest, "..") || strings.Contains(rest, "@{") {
		return "", ""
	}
	for _, r := range rest {
		if !unicode.IsGraphic(r) || unicode.IsSpace(r) || strings.ContainsRune(`~^:?*[\`, r) {
			return "", ""
		}
	}
	for part := range strings.SplitSeq(rest, "/") {
		if part == "" || strings.HasPrefix(part, ".") || strings.HasSuffix(part, ".") || strings.HasSuffix(part, ".lock") {
			return "", ""
		}
	}
	return name, commit
}

// pipeline reports whether a pipeline is the initiator.
func pipeline(initiator string) bool {
	name, ok := strings.CutPrefix(initiator, "codepipeline/")
	return ok && name != "" && !strings.Contains(name, "/")
}

// ByService reports whether a service started the build: a webhook, a pipeline,
// or CodeBuild within another build (AWS.md#initiator). If not, a caller that
// IAM knows did: a person, or the healer. Nobody is trusted for it.
func ByService(b codebuild.Build) bool {
	name, _, _ := strings.Cut(strings.ToLower(b.Initiator), "/")
	webhook := slices.Contains([]string{"github-hookshot", "gitlab", "bitbucket", "bitbucket-webhooks"}, name)
	return webhook || withinBuild(b.Initiator, b.ServiceRole) || b.Pipeline() != "" || b.Derived()
}

// withinBuild reports whether a build's session is the initiator, or any other
// session of the build's own service role: a batch's child, CodeBuild's own
// retry, or what a build's commands started.
func withinBuild(initiator, serviceRole string) bool {
	parts := strings.Split(initiator, "/")
	if slices.ContainsFunc(parts, func(s string) bool {
		return strings.HasPrefix(strings.ToLower(s), "awscodebuild-")
	}) {
		return true
	}
	_, own := codebuild.SplitPath(serviceRole)
	return own != "" && slices.ContainsFunc(parts[:len(parts)-1], func(s string) bool { return strings.EqualFold(s, own) })
}

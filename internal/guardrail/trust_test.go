package guardrail

import (
	"strings"
	"testing"

	"github.com/buildmedic/buildmedic/internal/codebuild"
)

func TestTrusted(t *testing.T) {
	const sha = "2f1c0de2f1c0de2f1c0de2f1c0de2f1c0de2f1c0"
	const hook = "GitHub-Hookshot/0a1b2c3"
	const child = "codebuild-shop/AWSCodeBuild-8745a7a9-c340-456a-9166-edf953571b01"
	for _, row := range []struct {
		name, initiator, version, source string
		want                             bool
	}{
		{"a push to a branch", hook, "refs/heads/main^{" + sha + "}", "GITHUB", true},
		{"a push to a branch, without the commit", hook, "refs/heads/feature/x", "GITHUB", true},
		{"a branch that is named like a pull request", hook, "refs/heads/pr/7", "GITHUB", true},
		{"a tag", hook, "refs/tags/v1.2", "GITHUB", true},
		{"GitLab, a branch", "GitLab/17.3", "refs/heads/main", "GITLAB", true},
		{"Bitbucket, a tag", "Bitbucket-Webhooks/2.0", "refs/tags/v1", "BITBUCKET", true},
		{"a pipeline", "codepipeline/shop", "arn:aws:s3:::artifacts/shop/x", "CODEPIPELINE", true},
		{"a person, a branch", "admin/alice", "main", "GITHUB", true},
		{"a person, a commit", "admin/alice", sha, "GITHUB", true},
		{"a person, the default branch", "alice", "", "GITHUB", true},
		{"a role named after a host", "gitlab-ci-deploy/job-7", sha, "GITHUB", true},
		{"a batch's child, a branch", child, "refs/heads/main", "GITHUB", true},
		{"a batch's child, a name", child, "main", "GITHUB", true},
		{"a batch's child, a commit of CodeCommit", child, sha, "CODECOMMIT", true},
		{"a batch's child, the default branch", child, "", "GITHUB", true},
		{"no initiator", "", "main", "GITHUB", true},

		{"a pull request", hook, "pr/7", "GITHUB", false},
		{"a pull request with its commit", hook, "pr/7^{" + sha + "}", "GITHUB", false},
		{"a pull request in another case", hook, "PR/7", "GITHUB", false},
		{"a pull request with a space before", "admin/alice", " pr/7", "GITHUB", false},
		{"a pull request that a person started", "admin/alice", "pr/7", "GITHUB", false},
		{"a pull request's child", child, "pr/7", "GITHUB", false},
		{"a pull request, no initiator", "", "pr/7", "GITHUB", false},
		{"a pull request's merge", hook, "refs/pull/7/merge", "GITHUB", false},
		{"a pull request's head", "admin/alice", "refs/pull/7/head", "GITHUB", false},
		{"a pull request of Bitbucket", "Bitbucket-Webhooks/2.0", "refs/pull-requests/7/from", "BITBUCKET", false},
		{"a merge request", "GitLab/17.3", "refs/merge-requests/7/head", "GITLAB", false},
		{"a merge request, short", "GitLab/17.3", "merge-requests/7", "GITLAB", false},
		{"a merge request, shorter", "GitLab/17.3", "mr/7", "GITLAB", false},
		{"a change under review", "admin/alice", "refs/changes/34/1234/1", "GITHUB", false},
		{"another reference", "admin/alice", "refs/stash", "GITHUB", false},
		{"no branch at all", "admin/alice", "refs/heads/", "GITHUB", false},
		{"a webhook's commit", hook, sha, "GITHUB", false},
		{"a webhook's bare name", hook, "main", "GITHUB", false},
		{"a webhook's nothing", hook, "", "GITHUB", false},
		{"a webhook in another case", "github-hookshot/x", sha, "GITHUB", false},
		{"GitLab's commit", "GitLab/17.3", sha, "GITLAB", false},
		{"a batch's child, a commit", child, sha, "GITHUB", false},
		{"a batch's child, a short commit", child, sha[:8], "BITBUCKET", false},
	} {
		b := codebuild.Build{Initiator: row.initiator, SourceVersion: row.version, SourceType: row.source}
		if row.initiator == child {
			b.BatchARN = "arn:aws:codebuild:eu-west-1:111122223333:build-batch/shop:8745a7a9-c340-456a-9166-edf953571b00"
		}
		ok, why := Trusted(b)
		if ok != row.want || ok != (why == "") {
			t.Errorf("%s: Trusted = %v, %q, want %v", row.name, ok, why, row.want)
		}
		if r := RefuseUntrusted(b); (r == nil) != row.want || r != nil && (r.Rule != UntrustedBuild || !strings.Contains(r.Message, why)) {
			t.Errorf("%s: RefuseUntrusted = %+v", row.name, r)
		}
	}
}

// TestSecondarySources: a pull request of any source makes the build untrusted.
func TestSecondarySources(t *testing.T) {
	for version, want := range map[string]bool{"": true, "main": true, "refs/heads/main": true, "2f1c0de2f1c0de": true,
		"pr/7": false, "refs/pull/7/head^{2f1c0de}": false, "refs/merge-requests/7/head": false, "refs/changes/1": false} {
		b := codebuild.Build{Initiator: "codepipeline/shop", SourceType: "GITHUB", SourceVersion: "refs/heads/main", SecondaryVersions: []string{"refs/heads/main", version}}
		if ok, why := Trusted(b); ok != want {
			t.Errorf("%q: Trusted = %v, %q", version, ok, why)
		}
	}
}

// TestStartedWithinABuild: what a build's commands start is what whoever wrote
// them made of it, be it called a branch. CodeBuild itself uses the same
// initiator for a batch's children and for its own retries.
func TestStartedWithinABuild(t *testing.T) {
	const other = "arn:aws:codebuild:eu-west-1:111122223333:build/shop:8745a7a9-c340-456a-9166-edf953571b00"
	child := func(edit func(*codebuild.Build)) codebuild.Build {
		b := codebuild.Build{Initiator: "codebuild-shop/AWSCodeBuild-8745a7a9-c340-456a-9166-edf953571b00", SourceType: "GITHUB", SourceVersion: "refs/heads/main"}
		edit(&b)
		return b
	}
	for _, row := range []struct {
		name string
		b    codebuild.Build
		want bool
	}{
		{"commands, a branch", child(func(*codebuild.Build) {}), false},
		{"commands, a tag", child(func(b *codebuild.Build) { b.SourceVersion = "refs/tags/v1" }), false},
		{"commands, a name", child(func(b *codebuild.Build) { b.SourceVersion = "main" }), false},
		{"commands, the default branch", child(func(b *codebuild.Build) { b.SourceVersion = "" }), false},
		{"commands, retries to come", child(func(b *codebuild.Build) { b.AutoRetry = codebuild.AutoRetry{Limit: 3, Next: other} }), false},
		{"commands, where no stranger asks, of a build that may be elsewhere", child(func(b *codebuild.Build) { b.SourceType = "CODECOMMIT" }), false},
		{"commands, no source at all", child(func(b *codebuild.Build) { b.SourceType, b.SourceVersion = "NO_SOURCE", "" }), false},
		{"a batch's child", child(func(b *codebuild.Build) { b.BatchARN = strings.Replace(other, ":build/", ":build-batch/", 1) }), true},
		{"CodeBuild's own retry", child(func(b *codebuild.Build) { b.AutoRetry = codebuild.AutoRetry{Limit: 3, Number: 1, Previous: other} }), true},
		{"CodeBuild's own retry of a pull request", child(func(b *codebuild.Build) {
			b.SourceVersion, b.AutoRetry = "pr/7", codebuild.AutoRetry{Limit: 3, Number: 1, Previous: other}
		}), false},
	} {
		if ok, why := Trusted(row.b); ok != row.want {
			t.Errorf("%s: Trusted = %v, %q, want %v", row.name, ok, why, row.want)
		}
	}
}

package guardrail

import (
	"strings"
	"testing"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/settings"
)

const (
	trustSHA   = "2f1c0de2f1c0de2f1c0de2f1c0de2f1c0de2f1c0"
	trustHook  = "GitHub-Hookshot/0a1b2c3"
	trustInner = "codebuild-shop/AWSCodeBuild-8745a7a9-c340-456a-9166-edf953571b01"
	trustRole  = "arn:aws:iam::111122223333:role/service-role/codebuild-shop"
	trustFirst = "arn:aws:codebuild:eu-west-1:111122223333:build/shop:8745a7a9-c340-456a-9166-edf953571b00"
	trustBatch = "arn:aws:codebuild:eu-west-1:111122223333:build-batch/shop:8745a7a9-c340-456a-9166-edf953571b00"
	trustS3    = "arn:aws:s3:::artifacts/shop/SourceArti/x1Y2z3"
)

// TestTrustedOfItsProject: what whoever starts a build chose counts for nothing, but for what settings name.
func TestTrustedOfItsProject(t *testing.T) {
	project := settings.Project{Name: "shop", Role: "service-role/codebuild-shop", SwitchRole: "codebuild-shop-full",
		Buildspecs: []string{"ci/buildspec.yml"}}
	pushed := codebuild.Build{Initiator: trustHook, SourceVersion: "refs/heads/main", ServiceRole: trustRole, Buildspec: "ci/buildspec.yml"}
	for _, row := range []struct {
		name    string
		checked *codebuild.Checked
		change  func(*codebuild.Build, *settings.Project)
		want    string // "" is trusted
	}{
		{name: "not looked at"},
		{name: "nothing", checked: &codebuild.Checked{}},
		{name: "source", checked: &codebuild.Checked{Overrides: []string{codebuild.OwnSource}}, want: "another source than"},
		{name: "image", checked: &codebuild.Checked{Overrides: []string{codebuild.OwnBuildspec, codebuild.OwnImage}},
			want: "another image than"},
		{name: "a listed buildspec", checked: &codebuild.Checked{Overrides: []string{codebuild.OwnBuildspec}}},
		{name: "a buildspec", checked: &codebuild.Checked{Overrides: []string{codebuild.OwnBuildspec}},
			change: func(b *codebuild.Build, _ *settings.Project) { b.Buildspec = "(inline)" }, want: "another buildspec than"},
		{name: "the role of the settings", checked: &codebuild.Checked{Overrides: []string{codebuild.OwnRole}}},
		{name: "the role to switch to", checked: &codebuild.Checked{Overrides: []string{codebuild.OwnRole}},
			change: func(b *codebuild.Build, _ *settings.Project) { b.ServiceRole = "codebuild-shop-full" }},
		{name: "a role", checked: &codebuild.Checked{Overrides: []string{codebuild.OwnRole}},
			change: func(b *codebuild.Build, _ *settings.Project) { b.ServiceRole = "deploy" }, want: "another service role than"},
		{name: "not to be read", checked: &codebuild.Checked{Unread: "Its project is gone."}, want: "Its project is gone."},
		{name: "a runner", checked: &codebuild.Checked{Runner: true}, want: "any workflow"},
		{name: "a runner by its log", checked: &codebuild.Checked{Printed: true}, want: "any workflow"},
		{name: "a runner by the settings", change: func(_ *codebuild.Build, p *settings.Project) { p.Runner = true }, want: "any workflow"},
	} {
		b, p := pushed, project
		b.Checked = row.checked
		if row.change != nil {
			row.change(&b, &p)
		}
		ok, why := Trusted(b, p)
		if ok != (row.want == "") || !strings.Contains(why, row.want) {
			t.Errorf("%s: %t, %q", row.name, ok, why)
		}
		if r := RefuseUntrusted(b, p); (r == nil) != ok {
			t.Errorf("%s: %+v", row.name, r)
		}
	}
}

// TestTrusted goes through the closed list: what stands on it, and what is near it.
func TestTrusted(t *testing.T) {
	starters := settings.Project{Trust: settings.Trust{Starters: []string{"nightly", "rule/nightly", "codebuild-shop"}}}
	queue := settings.Project{Trust: settings.Trust{MergeQueue: true}}
	none := settings.Project{}
	for _, row := range []struct {
		name, initiator, version, source string
		project                          settings.Project
		want                             bool
	}{
		// Branches and tags in full.
		{"a push to a branch", trustHook, "refs/heads/main^{" + trustSHA + "}", "GITHUB", none, true},
		{"a push to a branch, without the commit", trustHook, "refs/heads/feature/x", "GITHUB", none, true},
		{"a branch that is named like a pull request", trustHook, "refs/heads/pr/7", "GITHUB", none, true},
		{"a branch of another alphabet", trustHook, "refs/heads/größe-größer", "GITHUB", none, true},
		{"a tag", trustHook, "refs/tags/v1.2", "GITHUB", none, true},
		{"GitLab, a branch", "GitLab/17.3", "refs/heads/main", "GITLAB", none, true},
		{"Bitbucket, a tag", "Bitbucket-Webhooks/2.0", "refs/tags/v1", "BITBUCKET", none, true},
		{"a person, a branch in full", "admin/alice", "refs/heads/release/1.2", "GITHUB", none, true},
		{"a user, a tag in full", "alice", "refs/tags/v1.2", "CODECOMMIT", none, true},
		{"a rule, a branch in full", "rule/nightly", "refs/heads/main", "GITHUB", none, true},
		// Pipelines.
		{"a pipeline's artifact", "codepipeline/shop", trustS3, "CODEPIPELINE", none, true},
		{"a pipeline's artifact in GovCloud", "codepipeline/shop", "arn:aws-us-gov:s3:::artifacts/x",
			"CODEPIPELINE", none, true},
		{"a pipeline's commit", "codepipeline/shop", trustSHA, "CODECOMMIT", none, true},
		{"a pipeline, no version", "codepipeline/shop", "", "CODEPIPELINE", none, true},
		{"a pipeline, a branch", "codepipeline/shop", "refs/heads/main", "GITHUB", none, true},
		// Those whom the settings list.
		{"a listed role, the default branch", "nightly/any-session", "", "GITHUB", starters, true},
		{"a listed user, no source", "nightly", "", "NO_SOURCE", starters, true},
		{"a listed rule, an object", "rule/nightly", "3sL4kqtJlcpXroDTDmJ+rmSpXd3dIbrHY+MTRCxf3vjVBH40N", "S3",
			starters, true},
		{"a merge queue, listed", trustHook, "refs/heads/gh-readonly-queue/main/pr-7-" + trustSHA, "GITHUB", queue,
			true},

		// What is not said in full, whoever started it.
		{"a person, a short name", "admin/alice", "main", "GITHUB", none, false},
		{"a person, a short name with a slash", "admin/alice", "release/1.2", "GITHUB", none, false},
		{"a person, a commit, as when a fork's build is started again", "admin/alice", trustSHA, "GITHUB", none, false},
		{"a person, a short commit", "admin/alice", trustSHA[:8], "BITBUCKET", none, false},
		{"a person, a commit of CodeCommit", "admin/alice", trustSHA, "CODECOMMIT", none, false},
		{"a person, the default branch", "alice", "", "GITHUB", none, false},
		{"a person, +refs/pull/7/head", "admin/alice", "+refs/pull/7/head", "GITHUB", none, false},
		{"a person, origin/pr/7", "admin/alice", "origin/pr/7", "GITHUB", none, false},
		{"a person, pr-7", "admin/alice", "pr-7", "GITHUB", none, false},
		{"a person, pr7", "admin/alice", "pr7", "GITHUB", none, false},
		{"a person, merge_requests/7", "admin/alice", "merge_requests/7", "GITLAB", none, false},
		{"a person, FETCH_HEAD", "admin/alice", "FETCH_HEAD", "GITHUB", none, false},
		{"a person, refs/remotes", "admin/alice", "refs/remotes/origin/main", "GITHUB", none, false},
		{"a person, heads/main", "admin/alice", "heads/main", "GITHUB", none, false},
		{"a role named after a host", "gitlab-ci-deploy/job-7", trustSHA, "GITHUB", none, false},
		{"a rule, the default branch", "rule/nightly", "", "GITHUB", none, false},
		{"a rule, a commit", "rule/on-pr", trustSHA, "CODECOMMIT", none, false},
		{"a person, an artifact", "admin/alice", trustS3, "CODEPIPELINE", none, false},
		{"a webhook's commit", trustHook, trustSHA, "GITHUB", none, false},
		{"a webhook's short name", trustHook, "main", "GITHUB", none, false},
		{"a webhook's nothing", trustHook, "", "GITHUB", none, false},
		{"GitLab's commit", "GitLab/17.3", trustSHA, "GITLAB", none, false},
		{"GitLab's nothing", "GitLab-Hook/17.3", "", "GITLAB", none, false},
		{"Bitbucket's commit", "Bitbucket-Webhooks/2.0", trustSHA, "BITBUCKET", none, false},
		{"Bitbucket's commit by another name", "Atlassian HttpClient1.0", trustSHA, "BITBUCKET", none, false},
		{"Buildkite, no source", "Buildkite/0a1b", "", "NO_SOURCE", none, false},
		{"Buildkite, a commit", "Buildkite/0a1b", trustSHA, "GITHUB", none, false},
		{"Buildkite, a short name", "Buildkite/0a1b", "main", "GITHUB", none, false},
		{"no initiator", "", "main", "GITHUB", none, false},
		{"no initiator, no version", "", "", "GITHUB", none, false},
		{"no initiator, a branch in full", "", "refs/heads/main", "GITHUB", none, false},

		// Pull requests by their usual names.
		{"a pull request", trustHook, "pr/7", "GITHUB", none, false},
		{"a pull request with its commit", trustHook, "pr/7^{" + trustSHA + "}", "GITHUB", none, false},
		{"a pull request in another case", trustHook, "PR/7", "GITHUB", none, false},
		{"a pull request with a space before", "admin/alice", " pr/7", "GITHUB", none, false},
		{"a pull request that a person started", "admin/alice", "pr/7", "GITHUB", none, false},
		{"a pull request of a pipeline", "codepipeline/shop", "pr/7", "GITHUB", none, false},
		{"a pull request of a listed starter", "nightly/s", "pr/7", "GITHUB", starters, false},
		{"a pull request's merge", trustHook, "refs/pull/7/merge", "GITHUB", none, false},
		{"a pull request's head", "admin/alice", "refs/pull/7/head", "GITHUB", none, false},
		{"a pull request of Bitbucket", "Bitbucket-Webhooks/2.0", "refs/pull-requests/7/from", "BITBUCKET", none,
			false},
		{"a merge request", "GitLab/17.3", "refs/merge-requests/7/head", "GITLAB", none, false},
		{"a merge train", "GitLab/17.3", "refs/merge-requests/7/train", "GITLAB", none, false},
		{"a merge request, short", "GitLab/17.3", "mr/7", "GITLAB", none, false},
		{"a change under review", "admin/alice", "refs/changes/34/1234/1", "GITHUB", none, false},
		{"another reference", "admin/alice", "refs/stash", "GITHUB", none, false},

		// Merge queues.
		{"GitHub's merge queue", trustHook, "refs/heads/gh-readonly-queue/main/pr-7-" + trustSHA, "GITHUB", none,
			false},
		{"GitHub's merge queue with the commit", trustHook,
			"refs/heads/gh-readonly-queue/main/pr-7^{" + trustSHA + "}", "GITHUB", none, false},
		{"GitHub's merge queue, short, listed", "admin/alice", "gh-readonly-queue/main/pr-7", "GITHUB", queue, false},
		{"a merge queue in another case", trustHook, "refs/heads/GH-readonly-queue/main/pr-7", "GITHUB", none, false},
		{"Mergify's merge queue", trustHook, "refs/heads/mergify/merge-queue/0a1b2c3", "GITHUB", none, false},
		{"Trunk's merge queue", trustHook, "refs/heads/trunk-merge/pr-7/0a1b", "GITHUB", none, false},
		{"a tag that is named like a merge queue", trustHook, "refs/tags/gh-readonly-queue/x", "GITHUB", none, true},
		{"a merge queue of a listed starter", "nightly/s", "refs/heads/gh-readonly-queue/main/pr-7", "GITHUB",
			starters, false},
		{"a pull request where merge queues are listed", trustHook, "refs/pull/7/merge", "GITHUB", queue, false},

		// What only looks like a branch in full.
		{"no branch at all", "admin/alice", "refs/heads/", "GITHUB", none, false},
		{"in another case", trustHook, "REFS/HEADS/main", "GITHUB", none, false},
		{"a space before", "admin/alice", " refs/heads/main", "GITHUB", none, false},
		{"a line break behind", "admin/alice", "refs/heads/main\n", "GITHUB", none, false},
		{"an invisible letter", "admin/alice", "refs/heads/main\u200b", "GITHUB", none, false},
		{"no UTF-8", "admin/alice", "refs/heads/main\xff", "GITHUB", none, false},
		{"a slash before", "admin/alice", "/refs/heads/main", "GITHUB", none, false},
		{"fetched by force", "admin/alice", "+refs/heads/main", "GITHUB", none, false},
		{"what was merged into it", "admin/alice", "refs/heads/main^2", "GITHUB", none, false},
		{"a commit before it", "admin/alice", "refs/heads/main~1", "GITHUB", none, false},
		{"a search in it", "admin/alice", "refs/heads/main^{/fix}", "GITHUB", none, false},
		{"a commit, and what was merged into it", "admin/alice", "refs/heads/main^{" + trustSHA + "}^2", "GITHUB",
			none, false},
		{"a commit that is not closed", "admin/alice", "refs/heads/main^{" + trustSHA, "GITHUB", none, false},
		{"a commit that is not opened", "admin/alice", "refs/heads/main^" + trustSHA + "}", "GITHUB", none, false},
		{"a place to fetch into", "admin/alice", "refs/pull/7/head:refs/heads/main", "GITHUB", none, false},
		{"two", "admin/alice", "refs/heads/main refs/pull/7/head", "GITHUB", none, false},
		{"upwards", "admin/alice", "refs/heads/../pull/7/head", "GITHUB", none, false},
		{"two dots", "admin/alice", "refs/heads/main..x", "GITHUB", none, false},
		{"an empty part", "admin/alice", "refs/heads//main", "GITHUB", none, false},
		{"what it was before", "admin/alice", "refs/heads/main@{1}", "GITHUB", none, false},

		// What only looks like a pipeline, or like somebody listed.
		{"a session of a role that is named so", "codepipeline/shop/x", trustSHA, "GITHUB", none, false},
		{"no pipeline", "codepipeline/", trustSHA, "GITHUB", none, false},
		{"in another case", "CodePipeline/shop", trustSHA, "GITHUB", none, false},
		{"a pipeline, a short name", "codepipeline/shop", "main", "GITHUB", none, false},
		{"a build whose service role is named so", "codepipeline/AWSCodeBuild-8745a7a9", trustS3, "CODEPIPELINE",
			none, false},
		{"a listed starter, a short name", "nightly/s", "main", "GITHUB", starters, false},
		{"a listed starter, a commit", "nightly/s", trustSHA, "GITHUB", starters, false},
		{"longer than a listed starter", "nightly2/s", "", "GITHUB", starters, false},
		{"another rule than the listed one", "rule/on-pr", "", "GITHUB", starters, false},
		{"the service role, even if it is listed", "codebuild-shop/s", "", "GITHUB", starters, false},
	} {
		b := codebuild.Build{Initiator: row.initiator, SourceVersion: row.version, SourceType: row.source,
			ServiceRole: trustRole}
		ok, why := Trusted(b, row.project)
		if ok != row.want || ok != (why == "") {
			t.Errorf("%s: %q of %q: Trusted = %v, %q, want %v", row.name, row.version, row.initiator, ok, why, row.want)
		}
		if r := RefuseUntrusted(b, row.project); (r == nil) != row.want || r != nil &&
			(r.Rule != UntrustedBuild || !strings.Contains(r.Message, why)) {
			t.Errorf("%s: RefuseUntrusted = %+v", row.name, r)
		}
	}
}

// TestWordsForTheRoot: the reason says whose start is meant.
func TestWordsForTheRoot(t *testing.T) {
	asked := codebuild.Root{Initiator: "admin/alice"}
	for _, row := range []struct {
		name string
		b    codebuild.Build
		want string
	}{
		{"itself", codebuild.Build{Initiator: "admin/alice"}, "started it without"},
		{"CodeBuild's retry", codebuild.Build{Initiator: trustInner, Root: &asked, AutoRetry: codebuild.AutoRetry{Previous: trustFirst}},
			"started the build that it repeats without"},
		{"a batch", codebuild.Build{Initiator: trustInner, Root: &asked, BatchARN: trustBatch}, "started its batch without"},
	} {
		if _, why := Trusted(row.b, settings.Project{}); !strings.Contains(why, row.want) {
			t.Errorf("%s: %q, want %q in it", row.name, why, row.want)
		}
	}
}

// TestSecondarySources: a source beside the first must be said in full, too, or
// be pinned to a commit.
func TestSecondarySources(t *testing.T) {
	for version, want := range map[string]bool{"": true, "refs/heads/main": true, "refs/tags/v1": true,
		"2f1c0de2f1c0de": true, trustS3: true,
		"main": false, "pr/7": false, "+refs/pull/7/head": false, "refs/pull/7/head^{2f1c0de}": false,
		"refs/merge-requests/7/head": false, "refs/changes/1": false,
		"refs/heads/gh-readonly-queue/main/pr-7": false} {
		b := codebuild.Build{Initiator: "codepipeline/shop", SourceType: "GITHUB", SourceVersion: "refs/heads/main",
			SecondaryVersions: []string{"refs/heads/main", version}}
		if ok, why := Trusted(b, settings.Project{}); ok != want {
			t.Errorf("%q: Trusted = %v, %q", version, ok, why)
		}
		b.SecondaryVersions, b.BatchARN = nil, trustBatch
		b.Root = &codebuild.Root{Initiator: "codepipeline/shop", SourceVersion: "refs/heads/main",
			SecondaryVersions: []string{version}}
		if ok, why := Trusted(b, settings.Project{}); ok != want {
			t.Errorf("%q of the batch: Trusted = %v, %q", version, ok, why)
		}
		b.Root.SecondaryVersions, b.SecondaryVersions = nil, []string{version}
		if ok, why := Trusted(b, settings.Project{}); ok != want {
			t.Errorf("%q of the batch's build: Trusted = %v, %q", version, ok, why)
		}
		b.BatchARN, b.Root, b.Initiator, b.SecondaryVersions = "", nil, trustHook, []string{version}
		if ok, why := Trusted(b, settings.Project{}); ok != (want && version != trustS3) {
			t.Errorf("%q of a push: Trusted = %v, %q", version, ok, why)
		}
	}
}

// TestStartedWithinABuild: what a build's commands start is what whoever wrote
// them made of it, be it called a branch. CodeBuild itself uses the same
// initiator for a batch's children and for its own retries, which are worth
// what their root is: the same commands can ask for these, too.
func TestStartedWithinABuild(t *testing.T) {
	const main = "refs/heads/main"
	retry := codebuild.AutoRetry{Limit: 3, Number: 1, Previous: trustFirst}
	root := func(initiator, version string) *codebuild.Root {
		return &codebuild.Root{From: "x", Initiator: initiator, SourceType: "GITHUB", SourceVersion: version,
			ResolvedSourceVersion: trustSHA}
	}
	for _, row := range []struct {
		name      string
		initiator string
		version   string
		batch     string
		retry     codebuild.AutoRetry
		root      *codebuild.Root
		want      bool
	}{
		{"commands, a branch", trustInner, main, "", codebuild.AutoRetry{}, nil, false},
		{"commands, a tag", trustInner, "refs/tags/v1", "", codebuild.AutoRetry{}, nil, false},
		{"commands, a short name", trustInner, "main", "", codebuild.AutoRetry{}, nil, false},
		{"commands, nothing", trustInner, "", "", codebuild.AutoRetry{}, nil, false},
		{"commands, in another case", strings.ToLower(strings.Replace(trustInner, "shop", "x", 1)), main, "",
			codebuild.AutoRetry{}, nil, false},
		{"commands, as another session of their own role", "codebuild-shop/innocent", main, "",
			codebuild.AutoRetry{}, nil, false},
		{"commands, as their own role in another case", "Codebuild-Shop/innocent", main, "", codebuild.AutoRetry{},
			nil, false},
		{"commands, in the form of an ARN", "assumed-role/codebuild-shop/innocent", main, "", codebuild.AutoRetry{},
			nil, false},
		{"commands, retries to come", trustInner, main, "", codebuild.AutoRetry{Limit: 3, Next: trustFirst}, nil,
			false},

		{"a batch of a push", trustInner, main, trustBatch, codebuild.AutoRetry{}, root(trustHook, main), true},
		{"a batch of a push, by its commit", trustInner, trustSHA, trustBatch, codebuild.AutoRetry{},
			root(trustHook, main), true},
		{"a batch of a push with its commit, the branch", trustInner, main, trustBatch, codebuild.AutoRetry{},
			root(trustHook, main+"^{"+trustSHA+"}"), true},
		{"a batch of a pipeline", trustInner, trustS3 + "2", trustBatch, codebuild.AutoRetry{},
			root("codepipeline/shop", trustS3), true},
		{"the first build of a pipeline's batch", "codepipeline/shop", trustS3, trustBatch, codebuild.AutoRetry{},
			root("codepipeline/shop", trustS3), true},
		{"a batch, unread", trustInner, main, trustBatch, codebuild.AutoRetry{}, nil, false},
		{"a batch, unread, that a webhook seems to have started", trustHook, main, trustBatch,
			codebuild.AutoRetry{}, nil, false},
		{"a batch of commands", trustInner, main, trustBatch, codebuild.AutoRetry{}, root(trustInner, main), false},
		{"a batch of commands, by another initiator", trustHook, main, trustBatch, codebuild.AutoRetry{},
			root(trustInner, main), false},
		{"a batch of nobody", trustInner, main, trustBatch, codebuild.AutoRetry{}, root("", main), false},
		{"a batch of a pull request", trustInner, "pr/7", trustBatch, codebuild.AutoRetry{}, root(trustHook,
			"pr/7"), false},
		{"a batch of a pull request, called a branch", trustInner, main, trustBatch, codebuild.AutoRetry{},
			root(trustHook, "pr/7"), false},
		{"a batch of a person's commit", trustInner, trustSHA, trustBatch, codebuild.AutoRetry{},
			root("admin/alice", trustSHA), false},
		{"a batch of a branch, and the build of another", trustInner, "refs/heads/x", trustBatch,
			codebuild.AutoRetry{}, root(trustHook, main), false},
		{"a batch of a branch, and the build of a pull request", trustInner, "pr/7", trustBatch,
			codebuild.AutoRetry{}, root(trustHook, main), false},
		{"a batch of a branch, and the build of another commit", trustInner, "0de2f1c0de2f1c", trustBatch,
			codebuild.AutoRetry{}, root(trustHook, main), false},
		{"a batch of a branch, and the build of another commit of it", trustInner, main + "^{0de2f1c0de2f1c}",
			trustBatch, codebuild.AutoRetry{}, root(trustHook, main+"^{"+trustSHA+"}"), false},
		{"a batch of a branch, and the build of nothing", trustInner, "", trustBatch, codebuild.AutoRetry{},
			root(trustHook, main), false},
		{"a batch of a merge queue", trustInner, "refs/heads/gh-readonly-queue/main/pr-7", trustBatch,
			codebuild.AutoRetry{}, root(trustHook, "refs/heads/gh-readonly-queue/main/pr-7"), false},

		{"CodeBuild's own retry of a push", trustInner, main, "", retry, root(trustHook, main), true},
		{"CodeBuild's own retry, unread", trustInner, main, "", retry, nil, false},
		{"CodeBuild's own retry of commands", trustInner, main, "", retry, root(trustInner, main), false},
		{"CodeBuild's own retry of their own role", trustInner, main, "", retry, root("codebuild-shop/innocent",
			main), false},
		{"CodeBuild's own retry of a pull request", trustInner, "pr/7", "", retry, root(trustHook, "pr/7"), false},
		{"CodeBuild's own retry of a person's branch", trustInner, main, "", retry, root("admin/alice", main), true},
		{"CodeBuild's own retry of a person's short name", trustInner, "main", "", retry, root("admin/alice",
			"main"), false},
		{"a second attempt without a first", trustInner, main, "", codebuild.AutoRetry{Limit: 3, Number: 1}, nil,
			false},
		{"a second attempt without a first, of a webhook", trustHook, main, "", codebuild.AutoRetry{Limit: 3,
			Number: 1}, nil, false},
		{"a first attempt of a webhook", trustHook, main, "", codebuild.AutoRetry{Limit: 3, Next: trustFirst}, nil,
			true},
	} {
		b := codebuild.Build{Initiator: row.initiator, SourceType: "GITHUB", SourceVersion: row.version,
			ServiceRole: trustRole,
			BatchARN:    row.batch, AutoRetry: row.retry, Root: row.root}
		if ok, why := Trusted(b, settings.Project{}); ok != row.want || ok != (why == "") {
			t.Errorf("%s: Trusted = %v, %q, want %v", row.name, ok, why, row.want)
		}
	}
}

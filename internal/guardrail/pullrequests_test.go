package guardrail

import (
	"strings"
	"testing"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// TestPullRequestsAreAskedFor ensures that whoever judges is told to look for builds of
// pull requests when something would be given, and only then, and is told what to say.
func TestPullRequestsAreAskedFor(t *testing.T) {
	const hook = "the webhook of project web starts builds of them"
	for name, row := range map[string]struct {
		edit  func(*Input)
		needs bool
		ask   string // "": none
	}{
		"looked for":     {func(*Input) {}, false, ""},
		"not looked for": {func(in *Input) { in.PullRequests = PullRequestBuilds{} }, true, "nobody looked"},
		"built":          {func(in *Input) { in.PullRequests.Built = []string{hook} }, false, hook},
		"cannot be read": {func(in *Input) { in.PullRequests.Unread = "denied" }, false, "(denied)"},
		"accepted":       {func(in *Input) { in.PullRequests, in.Project.PullRequests = PullRequestBuilds{}, settings.Accept }, false, ""},
		"scoped, of the project": {func(in *Input) {
			grantOf(in).Scope, in.PullRequests.Own = settings.ScopeProject, true
			in.PullRequests.Built = []string{"project shop built one"}
		}, false, "project shop built one"},
		"scoped, and none are built": {func(in *Input) { grantOf(in).Scope, in.PullRequests.Own = settings.ScopeProject, true }, false, ""},
		"scoped, looked for in all":  {func(in *Input) { grantOf(in).Scope = settings.ScopeProject }, true, ""},
		"of the role, looked in one": {func(in *Input) { in.PullRequests.Own = true }, true, "nobody looked"},
		"nothing granted":            {func(in *Input) { in.PullRequests, in.Project.Grants = PullRequestBuilds{}, nil }, false, ""},
		"there already": {func(in *Input) {
			in.PullRequests = PullRequestBuilds{}
			in.Role.Inline["buildmedic"] = policy(iampolicy.Allow("x", []string{"ecr:PutImage"}, []string{repo}))
		}, false, ""},
	} {
		in := shop()
		row.edit(&in)
		j := Judge(in)
		if j.NeedsPullRequests != row.needs || (j.Ask == "") != (row.ask == "") || !strings.Contains(j.Ask, row.ask) {
			t.Errorf("%s: needs %t, want %t; asks %q, want %q", name, j.NeedsPullRequests, row.needs, j.Ask, row.ask)
		}
	}
}

// TestOfPullRequest is the table of what counts as a build of a pull request.
func TestOfPullRequest(t *testing.T) {
	for name, row := range map[string]struct {
		build codebuild.Build
		want  bool
	}{
		"a branch":              {codebuild.Build{SourceVersion: "refs/heads/main"}, false},
		"a pull request":        {codebuild.Build{SourceVersion: "pr/7"}, true},
		"its ref":               {codebuild.Build{SourceVersion: "refs/pull/7/head"}, true},
		"of a secondary source": {codebuild.Build{SourceVersion: "refs/heads/main", SecondaryVersions: []string{"pr/7"}}, true},
		"of the build that is retried": {codebuild.Build{SourceVersion: "0123456789abcdef0123456789abcdef01234567",
			Root: &codebuild.Root{SourceVersion: "pr/7"}}, true},
	} {
		if got := OfPullRequest(row.build); got != row.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

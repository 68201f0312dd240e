package guardrail

import (
	"strings"
	"testing"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// TestPipelineDoubt: of a pipeline that pull requests trigger, only what certainly is none of them counts. A
// fork's branch may be called main.
func TestPipelineDoubt(t *testing.T) {
	on := func(branch, built string) []codebuild.PipelineSource {
		return []codebuild.PipelineSource{{Action: "Source", Branch: branch, Built: built}}
	}
	pulls := func(trigger, by string, sources []codebuild.PipelineSource) *codebuild.Execution {
		return &codebuild.Execution{Pipeline: "shop", ID: "x", PullRequests: true, Trigger: trigger, By: by, Sources: sources}
	}
	invoked := func(by string) *codebuild.Execution {
		return &codebuild.Execution{Pipeline: "shop", ID: "x", Trigger: "StartPipelineExecution", By: by}
	}
	team := settings.Project{Trust: settings.Trust{Starters: []string{"alice", "release", "rule/nightly", "codebuild-shop"}}}
	for _, row := range []struct {
		name string
		x    *codebuild.Execution
		want string // "" is trusted
	}{
		{"not looked at", nil, ""},
		{"no trigger for pull requests", &codebuild.Execution{Pipeline: "shop", ID: "x"}, ""},
		{"not found", &codebuild.Execution{Pipeline: "shop"}, "No record says which execution"},
		{"not to be read", &codebuild.Execution{Pipeline: "shop", Unread: "It lacks codepipeline:GetPipeline."},
			"lacks codepipeline:GetPipeline"},
		{"another pipeline's", &codebuild.Execution{Pipeline: "other", ID: "x"}, "No record says which execution"},
		{"a push or a pull request", pulls("WebhookV2", "", on("main", "main")), "the name of a branch is no proof"},
		{"a trigger that nobody knows", pulls("New", "", on("main", "main")), "the name of a branch is no proof"},
		{"no trigger", pulls("", "", on("main", "main")), "the name of a branch is no proof"},
		{"a rule", pulls("CloudWatchEvent", "arn:aws:events:eu-west-1:1:rule/x", on("main", "main")), "no proof"},
		{"a rollback", pulls("ManualRollback", "alice", on("main", "main")), "no proof"},
		{"a person", pulls("StartPipelineExecution", "arn:aws:iam::1:user/bob", on("main", "main")), `"bob", whom`},
		{"a role", pulls("StartPipelineExecution", "arn:aws:sts::1:assumed-role/dev/alice", on("main", "main")), `"dev/alice", whom`},
		{"an account's root", pulls("StartPipelineExecution", "arn:aws:iam::1:root", on("main", "main")), "root"},
		{"a user by the path of one listed", pulls("StartPipelineExecution", "arn:aws:iam::1:user/alice/bob", on("main", "main")), `"bob"`},
		{"a listed user", pulls("StartPipelineExecution", "arn:aws:iam::1:user/team/alice", on("main", "main")), ""},
		{"a listed role", pulls("StartPipelineExecution", "arn:aws:sts::1:assumed-role/release/x", on("main", "main")), ""},
		{"a listed rule", pulls("StartPipelineExecution", "arn:aws:events:eu-west-1:1:rule/nightly", on("main", "main")), ""},
		{"the build's own role, listed", pulls("StartPipelineExecution", "arn:aws:sts::1:assumed-role/codebuild-shop/x",
			on("main", "main")), "another build"},
		{"no call at all", pulls("PollForSourceChanges", "", on("main", "main")), ""},
		{"anybody, where pull requests trigger nothing", invoked("arn:aws:sts::1:assumed-role/dev/bob"), ""},
		{"a build, where pull requests trigger nothing", invoked("arn:aws:sts::1:assumed-role/r/AWSCodeBuild-1"), "another build"},
		{"the build's own role, where pull requests trigger nothing", invoked("arn:aws:sts::1:assumed-role/codebuild-shop/x"),
			"another build"},
		{"a person, of another branch", pulls("StartPipelineExecution", "alice", on("main", "fix")), `read the branch "fix"`},
		{"a person, of nobody knows what", pulls("StartPipelineExecution", "alice", on("main", "")), `read the branch ""`},
		{"a person, and no branch is set", pulls("StartPipelineExecution", "alice", on("", "")), `read the branch ""`},
		{"a person, and nothing was read", pulls("StartPipelineExecution", "alice", nil), "no record says what"},
		{"a build", pulls("StartPipelineExecution", "arn:aws:sts::1:assumed-role/r/AWSCodeBuild-1", on("main", "main")), "another build"},
		{"the build's own role", pulls("StartPipelineExecution", "arn:aws:sts::1:assumed-role/codebuild-shop/x", on("main", "main")),
			"another build"},
		{"nobody", pulls("StartPipelineExecution", "", on("main", "main")), "who started"},
		{"one of two sources", pulls("StartPipelineExecution", "alice", append(on("main", "main"), on("main", "fork")...)), `"fork"`},
	} {
		b := codebuild.Build{Initiator: "codepipeline/shop", SourceVersion: trustS3, ServiceRole: "codebuild-shop",
			Checked: &codebuild.Checked{Execution: row.x}}
		ok, why := Trusted(b, team)
		if ok != (row.want == "") || !strings.Contains(why, row.want) {
			t.Errorf("%s: %t, %q", row.name, ok, why)
		}
		if r := RefuseUntrusted(b, team); !ok && (r == nil || r.Rule != UntrustedBuild ||
			!strings.Contains(r.Message, "no pull request triggers")) {
			t.Errorf("%s: %+v", row.name, r)
		}
		// Neither a full name nor a batch around it makes it better.
		b.SourceVersion = "refs/heads/main"
		if full, _ := Trusted(b, team); full != ok {
			t.Errorf("%s: by a branch's full name it is %t", row.name, full)
		}
		child := codebuild.Build{Initiator: "r/AWSCodeBuild-1", SourceVersion: trustS3, ServiceRole: "codebuild-shop", BatchARN: "arn",
			Checked: b.Checked, Root: &codebuild.Root{Initiator: "codepipeline/shop", SourceVersion: trustS3}}
		if of, _ := Trusted(child, team); of != ok {
			t.Errorf("%s: of a batch it is %t", row.name, of)
		}
	}
	// What no pipeline asked for is judged as ever.
	if ok, why := Trusted(codebuild.Build{Initiator: trustHook, SourceVersion: "refs/heads/main",
		Checked: &codebuild.Checked{Execution: pulls("WebhookV2", "", nil)}}, settings.Project{}); !ok {
		t.Error(why)
	}
}

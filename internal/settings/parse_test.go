package settings

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "rewrite the expected problems")

// defaults is what an empty file means.
func defaults() *Settings {
	return &Settings{
		Version: 1,
		Notify:  Notify{Digest: 30},
		Code:    Code{Tell: TellStatus},
		Limits: Limits{Rounds: 3, WritesRole: 10, WritesHour: 20, RetriesHour: 60, Incident: 5, UndoneToStop: 3,
			Settle: time.Minute, CloudTrail: 20 * time.Minute, Approve: 7 * 24 * time.Hour, NewResources: 5, PieceShare: 25},
	}
}

func mustParse(t testing.TB, text string) *Settings {
	t.Helper()
	s, err := Parse([]byte(text))
	if err != nil {
		t.Fatalf("Parse: %v", err)
	}
	return s
}

// An empty file is valid and allows nothing.
func TestParseEmpty(t *testing.T) {
	for _, text := range []string{"", "\n", "# nothing yet\n", "---\n", "~\n", "version: 1\n",
		"projects: []\n", "notify: {}\ntests:\n",
		"version: 1\nprojects:\ngrants:\nnotify:\nlimits: {}\naccounts: []\ntests: ~\n"} {
		s := mustParse(t, text)
		sum := sha256.Sum256([]byte(text))
		want := defaults()
		want.SHA256 = hex.EncodeToString(sum[:])
		if diff := cmp.Diff(want, s); diff != "" {
			t.Errorf("%q: -want +got:\n%s", text, diff)
		}
	}
	if s, err := Parse(nil); err != nil || len(s.Projects)+len(s.Grants) > 0 {
		t.Errorf("nil: %+v, %v", s, err)
	}
}

const full = `
version: 1
notify:
  email: [platform@example.com, oncall@example.com]
  chat: {slack: {workspace: T0123456789, channel: C0123456789}}
  digest: 5
code:
  github: {secret: buildmedic/github, url: "https://github.example.com:8443/"}
  tell: pull-request-comment
limits:
  rounds: 4
  writes_per_role_per_day: 5
  writes_per_hour: 6
  retries_per_hour: 7
  incident_projects: 9
  stop_after_undone: 2
  settle: 90s
  cloudtrail_wait: 1h
  approve_within: 2d
  access_analyzer: true
  new_resources_per_case: 8
  quota_share_per_project: 40
accounts:
  - {id: "444455556666", region: eu-west-1}
projects:
  - name: web
    role: service-role/codebuild-web
    mode: heal
    write: {inline: CodeBuild-Healer}
    permanent: {code: {github: example/iam, path: aws/web.json, base: main}}
    grants: [web-image, web-deploy]
    buildspecs: [ci/buildspec.yml, buildspec.yaml]
    switch_role: codebuild-web-full
    retry: false
    boundary: builds/boundary
    logs: {group: /ci/web, s3: build-logs/web/main}
    pipelines: [shop-main, Release.2@x_y]
    code: {github: example/web, tell: commit-status}
  - name: member
    account: 444455556666
    region: eu-west-1
    role: codebuild-member
    mode: propose
    write: {managed: builds/member, shared: true}
    grants: [web-image]
    logs: {s3: build-logs}
    code: {github: example/member.x}
  - name: observed
    role: codebuild-observed
    logs:
    pipelines: []
grants:
  - id: web-image
    because: The image is pushed by its own pipeline.
    owner: platform
    set: ecr-push
    resources: ["arn:${partition}:ecr:${region}:${account}:repository/${project}"]
    give: set
    create: false
  - id: web-deploy
    because: Deploys run from the same build.
    owner: web
    actions: [ECS:updateservice, ecs:RegisterTaskDefinition]
    resources:
      - "arn:${partition}:ecs:${region}:${account}:service/main/web"
      - "arn:${partition}:ecs:${region}:${account}:task-definition/web:*"
    pass_roles:
      ecs-tasks.amazonaws.com: ["arn:${partition}:iam::${account}:role/web-task"]
    evidence: cloudtrail
    expires: 14d
tests:
  - {project: web, allow: "ecr:PutImage", on: "arn:aws:ecr:eu-west-1:111122223333:repository/web"}
  - {project: web, deny: "ecr:deleterepository", on: "arn:aws:ecr:eu-west-1:111122223333:repository/web"}
`

func TestParseFull(t *testing.T) {
	got := mustParse(t, full)
	want := &Settings{
		Version: 1,
		Notify: Notify{
			Email:  []string{"platform@example.com", "oncall@example.com"},
			Chat:   &Chat{Slack: &SlackChannel{"T0123456789", "C0123456789"}},
			Digest: 5,
		},
		Code: Code{GitHub: &GitHub{Host: "github.example.com:8443", Secret: "buildmedic/github"}, Tell: TellComment},
		Limits: Limits{Rounds: 4, WritesRole: 5, WritesHour: 6, RetriesHour: 7, Incident: 9, UndoneToStop: 2,
			Settle: 90 * time.Second, CloudTrail: time.Hour, Approve: 48 * time.Hour, Analyzer: true, NewResources: 8, PieceShare: 40},
		Accounts: []Account{{"444455556666", "eu-west-1"}},
		Projects: []Project{
			{Name: "web", Role: "service-role/codebuild-web", Mode: Heal, Write: Write{Inline: "CodeBuild-Healer"},
				Permanent: PolicyCode{GitHub: "example/iam", Path: "aws/web.json", Base: "main"},
				Grants:    []string{"web-image", "web-deploy"}, Buildspecs: []string{"ci/buildspec.yml", "buildspec.yaml"},
				SwitchRole: "codebuild-web-full", Compare: true, Boundary: "builds/boundary",
				Logs: Logs{Group: "/ci/web", S3: "build-logs/web/main"}, Pipelines: []string{"shop-main", "Release.2@x_y"},
				Code: ProjectCode{"example/web", TellStatus}, Line: 26},
			{Name: "member", Account: "444455556666", Region: "eu-west-1", Role: "codebuild-member", Mode: Propose,
				Write: Write{Managed: "builds/member", Shared: true}, Grants: []string{"web-image"}, Retry: true, Compare: true,
				Logs: Logs{S3: "build-logs"}, Code: ProjectCode{"example/member.x", TellComment}, Line: 39},
			{Name: "observed", Role: "codebuild-observed", Mode: Observe, Retry: true, Compare: true, Line: 48},
		},
		Grants: []Grant{
			{ID: "web-image", Because: "The image is pushed by its own pipeline.", Owner: "platform", Set: "ecr-push",
				Resources: []string{"arn:${partition}:ecr:${region}:${account}:repository/${project}"},
				Give:      GiveSet, Scope: ScopeRole, Unscoped: UnscopedNever, Evidence: EvidenceLog, Line: 53},
			{ID: "web-deploy", Because: "Deploys run from the same build.", Owner: "web",
				Actions: []string{"ecs:UpdateService", "ecs:RegisterTaskDefinition"},
				Resources: []string{"arn:${partition}:ecs:${region}:${account}:service/main/web",
					"arn:${partition}:ecs:${region}:${account}:task-definition/web:*"},
				PassRoles: map[string][]string{"ecs-tasks.amazonaws.com": {"arn:${partition}:iam::${account}:role/web-task"}},
				Give:      GiveExact, Scope: ScopeRole, Unscoped: UnscopedNever,
				Evidence: EvidenceCloudTrail, Expires: 14 * 24 * time.Hour, Line: 60},
		},
		Tests: []Test{
			{Project: "web", Action: "ecr:PutImage", On: "arn:aws:ecr:eu-west-1:111122223333:repository/web", Allow: true, Line: 72},
			{Project: "web", Action: "ecr:DeleteRepository", On: "arn:aws:ecr:eu-west-1:111122223333:repository/web", Line: 73},
		},
	}
	want.SHA256 = got.SHA256
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if problems := RunTests(got, Account{"111122223333", "eu-west-1"}, "aws"); len(problems) > 0 {
		t.Errorf("its own tests: %v", problems)
	}
}

// TestTrust: a starter is named exactly, or by its role, in whatever session.
func TestTrust(t *testing.T) {
	const head = "version: 1\nprojects:\n  - name: web\n    role: r\n"
	if p := mustParse(t, head).Projects[0]; p.Trust.MergeQueue || len(p.Trust.Starters) > 0 {
		t.Errorf("by itself it trusts %+v", p.Trust)
	}
	p := mustParse(t, head+"    trust: {merge_queue: true, starters: [nightly, rule/weekly]}\n").Projects[0]
	if !p.Trust.MergeQueue {
		t.Error("merge queues are not trusted")
	}
	for initiator, want := range map[string]bool{"nightly": true, "nightly/s": true, "rule/weekly": true,
		"": false, "nightly2": false, "Nightly/s": false, "rule/weekly2": false, "rule/daily": false, "rule": false,
		"x/nightly": false} {
		if got := p.Trust.Starter(initiator); got != want {
			t.Errorf("%q: %v", initiator, got)
		}
	}
	for _, bad := range []string{"arn:aws:iam::111122223333:role/x", "*", "a/b/c", "/x", "x/", `""`,
		"GitHub-Hookshot", "github-hookshot/0a1b2c3"} {
		if _, err := Parse([]byte(head + "    trust: {starters: ['" + bad + "']}\n")); err == nil ||
			!strings.Contains(err.Error(), "is not the name of an IAM role or user") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

// Every story in testdata is a file and the exact problems it gives.
func TestParseProblems(t *testing.T) {
	a, err := txtar.ParseFile("testdata/problems.txtar")
	if err != nil {
		t.Fatal(err)
	}
	if len(a.Files) == 0 || len(a.Files)%2 != 0 {
		t.Fatalf("%d files in the archive", len(a.Files))
	}
	for i := 0; i < len(a.Files); i += 2 {
		in, want := a.Files[i], a.Files[i+1]
		name, ok := strings.CutSuffix(in.Name, ".yaml")
		if !ok || want.Name != name+".want" {
			t.Fatalf("the archive has %q and then %q", in.Name, want.Name)
		}
		t.Run(name, func(t *testing.T) {
			s, err := Parse(in.Data)
			if err == nil || s != nil {
				t.Fatalf("Parse gives %+v, %v", s, err)
			}
			var problems Problems
			if !errors.As(err, &problems) {
				t.Fatalf("the error is a %T", err)
			}
			got := err.Error() + "\n"
			if *update {
				a.Files[i+1].Data = []byte(got)
				return
			}
			if diff := cmp.Diff(string(want.Data), got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
	if *update {
		if err := os.WriteFile("testdata/problems.txtar", txtar.Format(a), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestParseTooLarge(t *testing.T) {
	comment := "#" + strings.Repeat("x", MaxSize-1)
	if _, err := Parse([]byte(comment)); err != nil {
		t.Errorf("at the limit: %v", err)
	}
	_, err := Parse([]byte(comment + "x"))
	if err == nil || !strings.Contains(err.Error(), "has 262145 bytes, more than 262144") {
		t.Errorf("one over the limit: %v", err)
	}
}

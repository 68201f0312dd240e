package permissions

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/iamref"
	"github.com/buildmedic/buildmedic/internal/settings"
)

var home = Place{Partition: "aws", Account: "111122223333", Region: "us-west-2"}

func parts() Parts {
	return Parts{Place: home, Table: home.ARN("dynamodb", "table/T"), Topic: home.ARN("sns", "N"), Key: home.ARN("kms", "key/K"),
		Queue: home.ARN("sqs", "Q"), FollowUps: home.ARN("sqs", "F"), Cures: home.ARN("sqs", "C"),
		LogGroup: home.ARN("logs", "log-group:/aws/lambda/buildmedic")}
}

func parse(t *testing.T, file string) *settings.Settings {
	t.Helper()
	s, err := settings.Parse([]byte("version: 1\n" + file))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const image = `
grants:
  - {id: image, because: It is pushed., owner: web, set: ecr-push, ` +
	`resources: ["arn:${partition}:ecr:${region}:${account}:repository/${project}"], give: set, create: true}
`

// lines gives a project's permissions, one action on one resource a line.
func lines(t *testing.T, s *settings.Settings) []string {
	t.Helper()
	p, err := Hub(s, parts(), ManagedPolicies)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, g := range p.Groups()[1:] {
		for _, st := range g.Permissions {
			if st.Because == "" {
				t.Errorf("%s has no reason", st.Sid)
			}
			for _, r := range st.Resource.List {
				f := strings.SplitN(r, ":", 6)
				line := strings.Join(st.Action.List, " ") + " on " + f[5]
				for _, c := range st.Condition {
					if strings.HasPrefix(c.Key, "codebuild:") && c.Operator != "ArnEquals" {
						continue // see TestStartsItsOwnBuildsOnly
					}
					line += " if " + c.Key + "=" + strings.TrimPrefix(c.Values.List[0], "arn:aws:iam::111122223333:")
				}
				out = append(out, line)
			}
		}
	}
	return out
}

func TestProject(t *testing.T) {
	const (
		reads = "codebuild:BatchGetBuildBatches codebuild:BatchGetBuilds codebuild:BatchGetProjects " +
			"codebuild:ListBuildBatchesForProject codebuild:ListBuildsForProject on project/web"
		log  = "logs:GetLogEvents on log-group:/aws/codebuild/web:*"
		role = "iam:GetRole iam:GetRolePolicy iam:ListAttachedRolePolicies iam:ListRolePolicies " +
			"iam:SimulatePrincipalPolicy on role/build/web"
		retry      = "codebuild:RetryBuild codebuild:RetryBuildBatch on project/web"
		executions = "codepipeline:GetPipeline codepipeline:GetPipelineExecution codepipeline:GetPipelineState " +
			"codepipeline:ListActionExecutions on "
	)
	of := func(other string) string { return strings.Replace(role, "build/web", other, 1) }
	const queue = "  - {id: queue, because: b, owner: o, give: set, actions: [\"sqs:SendMessage\"], " +
		"resources: [\"arn:${partition}:sqs:${region}:${account}:q\"]}\n"
	for _, c := range []struct {
		name, project string
		want          []string
	}{
		{"observe is the default", "", []string{reads, log, role}},
		{"observe, with everything that heal would use",
			"write: {inline: mine}, grants: [image], buildspecs: [a.yml], boundary: b", []string{reads, log, role}},
		{"heal without grants", "mode: heal", []string{reads, log, role, retry}},
		{"no retry", "mode: heal, retry: false, buildspecs: [a.yml]", []string{reads, log, role}},
		{"buildspecs", "mode: heal, buildspecs: [a.yml]",
			[]string{reads, log, role, retry, "codebuild:StartBuild on project/web"}},
		{"inline", "mode: heal, write: {inline: mine}, grants: [image]",
			[]string{reads, log, role, retry, "ecr:CreateRepository on repository/web",
				"iam:DeleteRolePolicy iam:PutRolePolicy on role/build/web"}},
		{"propose needs what heal needs", "mode: propose, write: {inline: mine}, grants: [image]",
			[]string{reads, log, role, retry, "ecr:CreateRepository on repository/web",
				"iam:DeleteRolePolicy iam:PutRolePolicy on role/build/web"}},
		{"boundary", "mode: heal, write: {inline: mine}, grants: [image], boundary: b/x",
			[]string{reads, log, role, retry, "ecr:CreateRepository on repository/web",
				"iam:DeleteRolePolicy iam:PutRolePolicy on role/build/web if iam:PermissionsBoundary=policy/b/x"}},
		{"managed", "mode: heal, write: {managed: p/web}, grants: [image]",
			[]string{reads, log, role, "iam:ListEntitiesForPolicy iam:ListPolicyVersions on policy/p/web", retry,
				"ecr:CreateRepository on repository/web",
				"iam:CreatePolicyVersion iam:DeletePolicyVersion iam:SetDefaultPolicyVersion on policy/p/web"}},
		{"another log group", "logs: {group: /ci/web}", []string{reads, "logs:GetLogEvents on log-group:/ci/web:*", role}},
		{"logs in S3", "logs: {s3: builds/web/main}", []string{reads, log, "s3:GetObject on builds/web/main/*", role}},
		{"logs in S3, of a bucket of its own", "logs: {group: web, s3: web-builds}",
			[]string{reads, "logs:GetLogEvents on log-group:web:*", "s3:GetObject on web-builds/*", role}},
		{"pipelines", "mode: heal, pipelines: [main, release]", []string{reads, log,
			"logs:GetLogEvents on log-group:/aws/codepipeline/main:*", "logs:GetLogEvents on log-group:/aws/codepipeline/release:*",
			executions + "main", executions + "release", role, retry,
			"codepipeline:RetryStageExecution on main/*", "codepipeline:RetryStageExecution on release/*"}},
		{"pipelines, proposed", "mode: propose, pipelines: [main]", []string{reads, log,
			"logs:GetLogEvents on log-group:/aws/codepipeline/main:*", executions + "main", role, retry,
			"codepipeline:RetryStageExecution on main/*"}},
		{"pipelines, observed", "pipelines: [main]", []string{reads, log, "logs:GetLogEvents on log-group:/aws/codepipeline/main:*",
			executions + "main", role}},
		{"pipelines, no retry", "mode: heal, retry: false, pipelines: [main]", []string{reads, log,
			"logs:GetLogEvents on log-group:/aws/codepipeline/main:*", executions + "main", role}},
		{"managed, observed", "write: {managed: p/web}, grants: [image]",
			[]string{reads, log, role, "iam:ListEntitiesForPolicy iam:ListPolicyVersions on policy/p/web"}},
		{"attach", "mode: heal, write: {attach: true}, grants: [image], boundary: b",
			[]string{reads, log, role, retry, "ecr:CreateRepository on repository/web",
				"iam:AttachRolePolicy iam:DetachRolePolicy on role/build/web if " +
					"iam:PolicyARN=policy/buildmedic/image@web if iam:PermissionsBoundary=policy/b"}},
		{"other roles", "mode: heal, also_roles: [{role: d/exec, grants: [image], write: {inline: mine}, boundary: b}, " +
			"{role: task, grants: [image], write: {managed: p/task}}]",
			[]string{reads, log, role, of("d/exec"), of("task"),
				"iam:ListEntitiesForPolicy iam:ListPolicyVersions on policy/p/task", retry,
				"iam:DeleteRolePolicy iam:PutRolePolicy on role/d/exec if iam:PermissionsBoundary=policy/b",
				"iam:CreatePolicyVersion iam:DeletePolicyVersion iam:SetDefaultPolicyVersion on policy/p/task"}},
		{"another role, observed", "also_roles: [{role: task, grants: [image], write: {inline: mine}}]",
			[]string{reads, log, role, of("task")}},
		{"another role to attach to, with other grants", "mode: heal, write: {attach: true}, grants: [image], " +
			"also_roles: [{role: task, grants: [queue], write: {attach: true}}]",
			[]string{reads, log, role, of("task"), retry, "ecr:CreateRepository on repository/web",
				"iam:AttachRolePolicy iam:DetachRolePolicy on role/build/web if iam:PolicyARN=policy/buildmedic/image@web",
				"iam:AttachRolePolicy iam:DetachRolePolicy on role/task if iam:PolicyARN=policy/buildmedic/queue@web"}},
		{"another role beside a switch", "mode: heal, switch_role: ready, " +
			"also_roles: [{role: task, grants: [image], write: {inline: mine}}]",
			[]string{reads, log, of("task"), retry, "codebuild:StartBuild on project/web",
				"codebuild:UpdateProject on project/web if codebuild:serviceRole=role/build/web",
				"iam:PassRole on role/build/web if iam:PassedToService=codebuild.amazonaws.com",
				"iam:PassRole on role/ready if iam:PassedToService=codebuild.amazonaws.com",
				"iam:DeleteRolePolicy iam:PutRolePolicy on role/task"}},
		{"switch", "mode: heal, switch_role: ready, write: {inline: mine}, grants: [image]",
			[]string{reads, log,
				retry, "codebuild:StartBuild on project/web",
				"ecr:CreateRepository on repository/web",
				"codebuild:UpdateProject on project/web if codebuild:serviceRole=role/build/web",
				"iam:PassRole on role/build/web if iam:PassedToService=codebuild.amazonaws.com",
				"iam:PassRole on role/ready if iam:PassedToService=codebuild.amazonaws.com"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			project := strings.TrimSuffix("name: web, role: build/web, "+c.project, ", ")
			got := lines(t, parse(t, "projects:\n  - {"+project+"}\n"+image+queue))
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestEvidenceOfOtherRoles: what shows a denial of another role may be read as for the project's own, though only
// that role's grant asks for it.
func TestEvidenceOfOtherRoles(t *testing.T) {
	for evidence, action := range map[string]string{
		"cloudtrail": "cloudtrail:LookupEvents", "authorization": "iam:GetRequestAuthorizationDetails", "log": "",
	} {
		s := parse(t, "projects:\n  - {name: web, role: web, mode: heal, also_roles: [{role: task, grants: [image], "+
			"write: {inline: mine}}]}\n"+strings.Replace(image, "give: set", "give: set, evidence: "+evidence, 1))
		p, err := Hub(s, parts(), ManagedPolicies)
		if err != nil {
			t.Fatal(err)
		}
		var may []string
		for _, g := range p.Groups() {
			for _, st := range g.Permissions {
				for _, a := range st.Action.List {
					if strings.HasPrefix(a, "cloudtrail:") || a == "iam:GetRequestAuthorizationDetails" {
						may = append(may, a)
					}
				}
			}
		}
		if strings.Join(may, " ") != action {
			t.Errorf("evidence: %s: it may %q, want %q", evidence, may, action)
		}
	}
}

// What may be created is what a grant names exactly.
func TestCreateIsExact(t *testing.T) {
	got := lines(t, parse(t, `
projects:
  - {name: web, role: web, mode: heal, write: {inline: mine}, grants: [images, others]}
grants:
  - id: images
    because: They are pushed.
    owner: web
    set: ecr-push
    resources: ["arn:${partition}:ecr:${region}:${account}:repository/web", "arn:${partition}:ecr:${region}:${account}:repository/web-*"]
    create: true
  - {id: others, because: They are pushed., owner: web, set: ecr-push, `+
		`resources: ["arn:${partition}:ecr:${region}:${account}:repository/other"]}
`))
	var made []string
	for _, l := range got {
		if strings.HasPrefix(l, "ecr:") {
			made = append(made, l)
		}
	}
	if want := []string{"ecr:CreateRepository on repository/web"}; !slices.Equal(made, want) {
		t.Errorf("got %q, want %q", made, want)
	}
}

// No grant is ready-made that guardrails would not attach.
func TestReady(t *testing.T) {
	s := parse(t, `
projects:
  - {name: web, role: web, mode: heal, write: {attach: true}, grants: [image, exact, passing, tasks]}
  - {name: shy, role: shy, write: {attach: true}, grants: [image]}
  - {name: own, role: own, mode: heal, write: {inline: mine}, grants: [image]}
`+image+`  - {id: exact, because: b, owner: o, set: ecr-pull, resources: ["arn:${partition}:ecr:${region}:${account}:repository/base"]}
  - {id: passing, because: b, owner: o, set: ecr-pull, `+
		`resources: ["arn:${partition}:ecr:${region}:${account}:repository/base"], give: set, expires: 14d}
  - id: tasks
    because: b
    owner: o
    give: set
    pass_roles: {ecs-tasks.amazonaws.com: ["arn:${partition}:iam::${account}:role/task"]}
`)
	token := Place{Partition: "${Token[AWS.Partition.1]}", Account: "${Token[AWS.AccountId.2]}", Region: "${Token[AWS.Region.3]}"}
	list, err := Ready(s, "", token)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, a := range list {
		got[a.ID+" "+a.Name] = string(a.Document.Compact())
	}
	want := map[string]string{
		"webimage image@web": `{"Version":"2012-10-17","Statement":[` +
			`{"Sid":"Image","Effect":"Allow","Action":["ecr:BatchCheckLayerAvailability","ecr:BatchGetImage",` +
			`"ecr:CompleteLayerUpload","ecr:GetDownloadUrlForLayer",` +
			`"ecr:InitiateLayerUpload","ecr:PutImage","ecr:UploadLayerPart"],"Resource":["arn:${Token[` +
			`AWS.Partition.1]}:ecr:${Token[AWS.Region.3]}:${Token[AWS.AccountId.2]}:repository/web"]},` +
			`{"Sid":"Image2","Effect":"Allow","Action":["ecr:GetAuthorizationToken"],"Resource":["*"]}]}`,
		"webtasks tasks@web": `{"Version":"2012-10-17","Statement":[{"Sid":"Tasks","Effect":"Allow","Action":["iam:PassRole"],` +
			`"Resource":["arn:${Token[AWS.Partition.1]}:iam::${Token[AWS.AccountId.2]}:role/task"],` +
			`"Condition":{"StringEquals":{"iam:PassedToService":["ecs-tasks.amazonaws.com"]}}}]}`,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	for _, l := range lines(t, s) {
		if strings.Contains(l, "iam:AttachRolePolicy") && !strings.HasSuffix(l, "policy/buildmedic/image@web") {
			t.Errorf("it may attach %s", l)
		}
	}
}

// TestReadyScoped ensures that a ready-made policy asks for the project by the ARN that
// it has where the stack is deployed, so that attached to a shared role it is for its
// builds alone.
func TestReadyScoped(t *testing.T) {
	s := parse(t, `
projects:
  - {name: web, role: shared, mode: heal, write: {attach: true}, grants: [upload]}
  - {name: api, role: shared, region: eu-west-1, mode: heal, write: {attach: true}, grants: [upload]}
grants:
  - {id: upload, because: b, owner: o, scope: project, give: set, actions: ["s3:PutObject"], resources: ["arn:${partition}:s3:::in/*"]}
`)
	list, err := Ready(s, "", Place{Partition: "aws", Account: "${Token[A]}", Region: "us-east-1"})
	if err != nil || len(list) != 2 {
		t.Fatal(err, list)
	}
	for i, want := range []string{"arn:aws:codebuild:us-east-1:${Token[A]}:project/web",
		"arn:aws:codebuild:eu-west-1:${Token[A]}:project/api"} {
		c := list[i].Document.Statements[0].Condition
		if len(c) != 1 || c[0].Operator != "ArnEquals" || c[0].Key != settings.ProjectKey ||
			!slices.Equal(c[0].Values.List, []string{want}) {
			t.Errorf("%s asks for %+v, want %s", list[i].Name, c, want)
		}
	}
}

// TestReadyForOtherRoles: a grant has one ready-made policy in a project, whichever of its roles get it, and each
// role gets those of its own grants.
func TestReadyForOtherRoles(t *testing.T) {
	s := parse(t, `
projects:
  - {name: web, role: web, mode: heal, write: {attach: true}, grants: [image],
     also_roles: [{role: exec, grants: [image, queue], write: {attach: true}}, {role: task, grants: [queue], write: {attach: true}}]}
`+image+`  - {id: queue, because: b, owner: o, give: set, actions: ["sqs:SendMessage"], resources: ["arn:aws:sqs:eu-west-1:111122223333:q"]}
`)
	list, err := Ready(s, "", home)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, a := range list {
		names = append(names, a.Name)
	}
	if got := strings.Join(names, " "); got != "image@web queue@web" {
		t.Errorf("ready-made: %s", got)
	}
	p, err := Hub(s, parts(), ManagedPolicies)
	if err != nil {
		t.Fatal(err)
	}
	may := map[string]string{}
	for _, g := range p.Groups() {
		for _, st := range g.Permissions {
			if slices.Contains(st.Action.List, "iam:AttachRolePolicy") && st.Effect == "Allow" {
				may[strings.Join(st.Resource.List, " ")] = strings.Join(st.Condition[0].Values.List, " ")
			}
		}
	}
	of := func(name string) string { return home.IAM("policy/buildmedic/" + name) }
	want := map[string]string{home.IAM("role/web"): of("image@web"), home.IAM("role/exec"): of("image@web") + " " + of("queue@web"),
		home.IAM("role/task"): of("queue@web")}
	if d := cmp.Diff(want, may); d != "" {
		t.Error(d)
	}
}

func TestReadyOfTwoRegions(t *testing.T) {
	s := parse(t, `
accounts: [{id: "444455556666", region: eu-west-1}, {id: "444455556666", region: us-east-1}]
projects:
  - {name: web, role: web, account: "444455556666", region: eu-west-1, mode: heal, write: {attach: true}, grants: [image]}
  - {name: web, role: web-us, account: "444455556666", region: us-east-1, mode: heal, write: {attach: true}, grants: [image]}
`+image)
	if _, err := Ready(s, "444455556666", home); err == nil || !strings.Contains(err.Error(), "another region") {
		t.Errorf("got %v; each would get the other's permissions", err)
	}
}

// Projects of other accounts are looked after by the role there, those of
// other regions by the function itself.
func TestPlaces(t *testing.T) {
	s := parse(t, `
accounts: [{id: "444455556666", region: eu-west-1}, {id: "777788889999", region: eu-west-1}]
projects:
  - {name: here, role: r1}
  - {name: far, role: r2, region: eu-west-1, mode: heal, pipelines: [shop]}
  - {name: theirs, role: r3, account: "444455556666", region: eu-west-1, mode: heal}
  - {name: near, role: r4, account: "444455556666", mode: heal}
`)
	if got := Members(s); !slices.Equal(got, []string{"444455556666"}) {
		t.Errorf("members are %v; an account without projects is none", got)
	}
	want := []settings.Account{{Region: "eu-west-1"}, {ID: "444455556666", Region: "eu-west-1"}, {ID: "444455556666"}}
	if d := cmp.Diff(want, Elsewhere(s)); d != "" {
		t.Errorf("elsewhere: %s", d)
	}
	hub, err := Hub(s, parts(), ManagedPolicies)
	if err != nil {
		t.Fatal(err)
	}
	member, err := Member(s, "444455556666", home, ManagedPolicies)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		by       Policies
		action   string
		resource string
		want     iampolicy.Verdict
	}{
		{hub, "codebuild:BatchGetBuilds", "arn:aws:codebuild:us-west-2:111122223333:project/here", iampolicy.Allowed},
		{hub, "codebuild:RetryBuild", "arn:aws:codebuild:eu-west-1:111122223333:project/far", iampolicy.Allowed},
		{hub, "codepipeline:RetryStageExecution", "arn:aws:codepipeline:eu-west-1:111122223333:shop/Build", iampolicy.Allowed},
		{hub, "codepipeline:RetryStageExecution", "arn:aws:codepipeline:us-west-2:111122223333:shop/Build", iampolicy.ImplicitDeny},
		{hub, "codepipeline:RetryStageExecution", "arn:aws:codepipeline:eu-west-1:111122223333:other/Build", iampolicy.ImplicitDeny},
		{member, "codepipeline:RetryStageExecution", "arn:aws:codepipeline:eu-west-1:444455556666:shop/Build", iampolicy.ImplicitDeny},
		{hub, "codebuild:RetryBuild", "arn:aws:codebuild:us-west-2:111122223333:project/far", iampolicy.ImplicitDeny},
		{hub, "codebuild:RetryBuild", "arn:aws:codebuild:eu-west-1:444455556666:project/theirs", iampolicy.ImplicitDeny},
		{hub, "sts:AssumeRole", "arn:aws:iam::444455556666:role/buildmedic-member", iampolicy.Allowed},
		{hub, "sts:AssumeRole", "arn:aws:iam::777788889999:role/buildmedic-member", iampolicy.ImplicitDeny},
		{member, "codebuild:RetryBuild", "arn:aws:codebuild:eu-west-1:444455556666:project/theirs", iampolicy.Allowed},
		{member, "codebuild:RetryBuild", "arn:aws:codebuild:us-west-2:444455556666:project/near", iampolicy.Allowed},
		{member, "iam:GetRole", "arn:aws:iam::444455556666:role/r4", iampolicy.Allowed},
		{member, "codebuild:RetryBuild", "arn:aws:codebuild:eu-west-1:111122223333:project/far", iampolicy.ImplicitDeny},
	} {
		v, _ := iampolicy.Evaluate(iampolicy.Access{Policies: []iampolicy.Document{Document(c.by.Groups()...)}},
			iampolicy.Request{Action: c.action, Resource: c.resource})
		if v != c.want {
			t.Errorf("%s on %s: %v, want %v", c.action, c.resource, v, c.want)
		}
	}
}

// A change of one project changes its own statements only, unless it is the
// first that needs a general one.
func TestOneProjectChangesItsStatementsOnly(t *testing.T) {
	file := func(third string) *settings.Settings {
		return parse(t, `
projects:
  - {name: one, role: r1, mode: heal, write: {inline: mine}, grants: [image]}
  - {name: two_2, role: r2, mode: heal, write: {managed: m}, grants: [image]}
  - {name: two-2, role: r3`+third+`}
  - {name: three, role: r4, mode: heal, write: {attach: true}, grants: [image]}
`+image)
	}
	before, err := Hub(file(""), parts(), ManagedPolicies)
	if err != nil {
		t.Fatal(err)
	}
	for _, change := range []string{", mode: heal", ", mode: propose, retry: false",
		", mode: heal, write: {inline: x}, grants: [image]", ", mode: heal, switch_role: r9", ", boundary: b",
		", mode: heal, pipelines: [main]", ", logs: {group: /ci, s3: builds}"} {
		after, err := Hub(file(change), parts(), ManagedPolicies)
		if err != nil {
			t.Fatal(err)
		}
		own := string(sidOf(settings.Project{Name: "two-2"}))
		for _, d := range iampolicy.Diff(Document(before.Groups()...), Document(after.Groups()...)) {
			if strings.Contains(d, "Sid") && !strings.Contains(d, own) {
				t.Errorf("%s: %s", change, d)
			}
		}
		a, b := rest(before, own), rest(after, own)
		if d := cmp.Diff(a, b); d != "" {
			t.Errorf("%s changed more than its own statements: %s", change, d)
		}
	}
}

// rest are the statements that are not one project's.
func rest(p Policies, sid string) (out []string) {
	for _, st := range Document(p.Groups()...).Statements {
		if !strings.HasSuffix(st.Sid, sid) {
			out = append(out, st.String())
		}
	}
	return out
}

func TestSids(t *testing.T) {
	names := []string{"web", "Web", "we-b", "we_b", "w-eb", strings.Repeat("a", 150), strings.Repeat("a", 149),
		strings.Repeat("a", 40), strings.Repeat("a-", 75)}
	var file strings.Builder
	file.WriteString("projects:\n")
	for i, n := range names {
		fmt.Fprintf(&file,
			"  - {name: %s, role: r%d, mode: heal, write: {%s}, grants: [image], logs: {s3: logs}, pipelines: [p]}\n",
			n, i, []string{"inline: x", "managed: x"}[i%2])
	}
	fmt.Fprint(&file, "  - {name: web, role: rx, region: eu-west-1, mode: heal, switch_role: ry}\n"+image)
	p, err := Hub(parse(t, file.String()), parts(), ManagedPolicies)
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]bool{}
	for _, g := range p.Groups()[1:] {
		for _, st := range g.Permissions {
			kinds[st.kind] = true
		}
	}
	for a := range kinds {
		for b := range kinds {
			if a != b && strings.HasPrefix(a, b) {
				t.Errorf("the kinds %s and %s make the same Sid of some two names", a, b)
			}
		}
	}
	if err := iampolicy.Validate(Document(p.Groups()...)); err != nil && !strings.Contains(err.Error(), "too long") {
		t.Error(err)
	}
}

// many are projects in every way, each with a name and a role of its own.
// NAME in rest is the project's name.
func many(t *testing.T, n int, rest ...string) *settings.Settings {
	t.Helper()
	var b strings.Builder
	b.WriteString("projects:\n")
	for i := range n {
		name := fmt.Sprintf("service-with-a-longer-name-%03d", i)
		fmt.Fprintf(&b, "  - {name: %s, role: service-role/codebuild-%[1]s%s}\n", name, strings.ReplaceAll(rest[i%len(rest)], "NAME", name))
	}
	return parse(t, b.String()+`
grants:
  - {id: image, because: It is pushed., owner: web, set: ecr-push, `+
		`resources: ["arn:${partition}:ecr:${region}:${account}:repository/${project}"], give: set}
  - {id: new, because: It is made., owner: web, set: ecr-push, `+
		`resources: ["arn:${partition}:ecr:${region}:${account}:repository/${project}"], create: true}
`)
}

const (
	inline  = ", mode: heal, write: {inline: mine}, grants: [image]"
	managed = ", mode: heal, write: {managed: policy-of-NAME}, grants: [image]"
	attach  = ", mode: heal, write: {attach: true}, grants: [image]"
)

// How many projects of an account fit, to the last one, is what the README of
// infra says.
func TestCapacity(t *testing.T) {
	readme, err := os.ReadFile("../../infra/README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		row, rest string
		ten, most int
	}{
		{"`observe`", "", 221, 520},
		{"the same, with `test_reports: true`", ", test_reports: true", 165, 388},
		{"`heal`, `write: {inline: …}`", inline, 219, 515},
		{"the same, with a `boundary`", inline + ", boundary: b", 166, 391},
		{"the same, with a pipeline each instead", inline + ", pipelines: [NAME]", 111, 262},
		{"`heal`, `write: {managed: …}`, a policy each", managed, 172, 404},
		{"`heal`, `write: {attach: true}`, one grant each", attach, 104, 246},
	} {
		if row := fmt.Sprintf("\n| %s | %d | %d |\n", c.row, c.ten, c.most); !strings.Contains(string(readme), row) {
			t.Errorf("infra/README.md does not say %s", row)
		}
		for policies, n := range map[int]int{ManagedPolicies: c.ten, MostManagedPolicies: c.most} {
			if _, err := Hub(many(t, n, c.rest), parts(), policies); err != nil {
				t.Errorf("%s, %d policies: %d projects: %v", c.row, policies, n, err)
			}
			if _, err := Hub(many(t, n+1, c.rest), parts(), policies); err == nil {
				t.Errorf("%s, %d policies: %d projects fit, too", c.row, policies, n+1)
			}
		}
	}
}

// TestFortyFit ensures that forty projects with defaults leave much room in the function's role, by
// their real names and the longest that a deployment may give.
func TestFortyFit(t *testing.T) {
	data, err := os.ReadFile("../../infra/testdata/forty.yaml")
	if err != nil {
		t.Fatal(err)
	}
	s, err := settings.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Hub(s, longest, ManagedPolicies); err != nil || len(s.Projects) != 40 {
		t.Errorf("%d projects: %v", len(s.Projects), err)
	}
	all := *s
	all.Projects = nil
	for i, p := range slices.Repeat(s.Projects, 3) {
		p.Name = fmt.Sprintf("%s-%d", p.Name, i/40)
		all.Projects = append(all.Projects, p)
	}
	if _, err := Hub(&all, longest, ManagedPolicies); err != nil {
		t.Errorf("three times as many: %v", err)
	}
}

// Who asks for too much is told how many policies it takes and how to go on.
func TestTooMany(t *testing.T) {
	for _, c := range []struct {
		n, most int
		want    []string
	}{
		{222, 10, []string{"of the hub", "222 projects need 11 managed policies", "IAM attaches 10", "Service Quotas",
			"CONTEXT='-c policies=11'"}},
		{519, 25, []string{"519 projects need 26", "IAM attaches 25 at most", "a hub in another region"}},
		{519, 10, []string{"519 projects need 26", "IAM attaches 25 at most"}},
	} {
		_, err := Hub(many(t, c.n, inline), parts(), c.most)
		for _, w := range c.want {
			if err == nil || !strings.Contains(err.Error(), w) {
				t.Errorf("%d projects and %d policies: got %v, want %q", c.n, c.most, err, w)
			}
		}
	}
	if _, err := Hub(many(t, 222, inline), parts(), 11); err != nil {
		t.Errorf("11 policies were said to do: %v", err)
	}
}

// Every policy is within IAM's quotas with the names that a deployment may
// give, the longest there are, and the policies hold what they are said to.
func TestPoliciesFit(t *testing.T) {
	for _, n := range []int{1, 5, 40, 80, 150} {
		s := many(t, n, inline, managed, attach, "", ", mode: heal, switch_role: ready-NAME, logs: {s3: builds/NAME}",
			", mode: propose, write: {inline: mine}, grants: [image, new], boundary: b, pipelines: [a, b]")
		p, err := Hub(s, longest, MostManagedPolicies)
		if err != nil {
			t.Fatal(err)
		}
		if got := size(p.Inline); got > inlineSize {
			t.Errorf("%d projects: the inline policy has %d characters", n, got)
		}
		for i, m := range append(p.Managed, []Group{p.Inline}) {
			if got := size(m...); got > managedSize && i < len(p.Managed) {
				t.Errorf("%d projects: a managed policy has %d characters", n, got)
			}
			if err := iampolicy.Validate(Document(m...)); err != nil {
				t.Errorf("%d projects: %v", n, err)
			}
			for _, st := range Document(m...).Statements {
				if strings.Contains(fmt.Sprint(st), unknown.Partition) || strings.Contains(fmt.Sprint(st), unknown.Region) {
					t.Errorf("%d projects: %s is about a place that nobody filled in", n, st.Sid)
				}
			}
		}
	}
}

// However they are packed, projects may do the same, and nobody may do more:
// shared statements are made for some settings and places at random, and each
// is judged against the statements of each project's own.
func TestPackedAlike(t *testing.T) {
	ways := []string{"", inline, managed, attach, inline + ", boundary: b", attach + ", boundary: b",
		", mode: heal, switch_role: ready-NAME",
		", mode: propose, write: {inline: mine}, grants: [image, new], pipelines: [shared, NAME]",
		", region: eu-west-1, mode: heal, write: {inline: mine}, grants: [image, new]",
		", logs: {group: /ci/shared, s3: builds/NAME}", ", mode: heal, retry: false", ", mode: heal, buildspecs: [a.yml]"}
	random := rand.New(rand.NewPCG(1, 2))
	for range 4 {
		random.Shuffle(len(ways), func(i, j int) { ways[i], ways[j] = ways[j], ways[i] })
		s := many(t, 20+random.IntN(20), ways[:3+random.IntN(len(ways)-3)]...)
		for i := range s.Projects {
			if random.IntN(4) == 0 { // roles that projects share
				s.Projects[i].Role = "service-role/shared"
			}
		}
		groups := hub(s, parts())
		p, err := Hub(s, parts(), MostManagedPolicies)
		if err != nil {
			t.Fatal(err)
		}
		lists := share(hub(s, Parts{Place: unknown})[1:])
		var shared []iampolicy.Document
		for _, statements := range fill(lists, 4000) {
			shared = append(shared, Document(home.filled(Group{Permissions: statements})))
		}
		single := Document(groups[1:]...)
		if d := cmp.Diff(singles(groups), singles(p.Groups())); d != "" {
			t.Errorf("packed: %s", d)
		}
		if d := cmp.Diff(singles(groups[1:]), singlesOf(shared...)); d != "" {
			t.Errorf("shared: %s", d)
		}
		alike(t, random, single, shared)
	}
}

// alike asks both for calls, most of which neither allows: an action of one
// statement on a resource of another, in the context of a third.
func alike(t *testing.T, random *rand.Rand, single iampolicy.Document, shared []iampolicy.Document) {
	t.Helper()
	const calls = 250
	one := func() iampolicy.Statement { return single.Statements[random.IntN(len(single.Statements))] }
	allowed := 0
	for range calls {
		by := one()
		on, under := by, by
		if random.IntN(2) == 0 {
			on = one()
		}
		if random.IntN(2) == 0 {
			under = one()
		}
		r := iampolicy.Request{Action: by.Action.List[random.IntN(len(by.Action.List))],
			Resource: on.Resource.List[random.IntN(len(on.Resource.List))], Context: map[string][]string{}}
		r.Resource = strings.ReplaceAll(r.Resource, "*", "x"+strings.Repeat("y", random.IntN(2)))
		for _, c := range under.Condition {
			r.Context[c.Key] = c.Values.List[:1]
		}
		want, _ := iampolicy.Evaluate(iampolicy.Access{Policies: []iampolicy.Document{single}}, r)
		got, _ := iampolicy.Evaluate(iampolicy.Access{Policies: shared}, r)
		if got != want {
			t.Fatalf("%s on %s in %v: %v by shared statements, %v by the projects' own", r.Action, r.Resource, r.Context, got, want)
		}
		if got == iampolicy.Allowed {
			allowed++
		}
	}
	if allowed == 0 || allowed == calls {
		t.Errorf("%d of %d calls are allowed; the test asks for nothing that differs", allowed, calls)
	}
}

// singles takes statements apart: one action on one resource each.
func singles(groups []Group) []string { return singlesOf(Document(groups...)) }

func singlesOf(docs ...iampolicy.Document) []string {
	var list []string
	for _, st := range statementsOf(docs) {
		for _, a := range st.Action.List {
			for _, r := range st.Resource.List {
				list = append(list, fmt.Sprint(st.Effect, a, r, st.Condition))
			}
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func statementsOf(docs []iampolicy.Document) (list []iampolicy.Statement) {
	for _, d := range docs {
		list = append(list, d.Statements...)
	}
	return list
}

// One project whose statements are larger than a policy is spread over some;
// only one statement that cannot be divided may be too large.
func TestPackOfOneTooLarge(t *testing.T) {
	file := func(n int, write string) *settings.Settings {
		var grants, ids strings.Builder
		for i := range n {
			fmt.Fprintf(&ids, "g%d, ", i)
			fmt.Fprintf(&grants, "  - {id: g%d, because: b, owner: o, set: ecr-push, "+
				"resources: [\"arn:${partition}:ecr:${region}:${account}:repository/repository-%[1]d\"], "+
				"create: true, give: set}\n", i)
		}
		return parse(t, "projects:\n  - {name: web, role: r, mode: heal, write: {"+write+"}, grants: ["+ids.String()+
			"]}\ngrants:\n"+grants.String())
	}
	if p, err := Hub(file(120, "inline: mine"), parts(), ManagedPolicies); err != nil || len(p.Managed) != 1 {
		t.Errorf("got %d policies, %v; want 1", len(p.Managed), err)
	}
	if _, err := Hub(file(120, "attach: true"), parts(), ManagedPolicies); err == nil ||
		!strings.Contains(err.Error(), `"role/r"`) || !strings.Contains(err.Error(), "fewer grants") {
		t.Errorf("got %v; want an error that says what to give less", err)
	}
}

func TestReadyTooLarge(t *testing.T) {
	var resources strings.Builder
	for i := range 100 {
		fmt.Fprintf(&resources, "\"arn:${partition}:ecr:${region}:${account}:repository/repository-%d\", ", i)
	}
	s := parse(t, "projects:\n  - {name: web, role: r, mode: heal, write: {attach: true}, grants: [g]}\n"+
		"grants:\n  - {id: g, because: b, owner: o, set: ecr-push, give: set, resources: ["+resources.String()+"]}\n")
	if _, err := Ready(s, "", home); err == nil || !strings.Contains(err.Error(), `grant "g" makes a policy of`) {
		t.Errorf("got %v; want an error that names the grant", err)
	}
}

// For an observed project there is nothing but reading, whatever else the
// settings say of it.
func TestObserveReadsOnly(t *testing.T) {
	s := parse(t, `
projects:
  - {name: pa, role: a, write: {inline: mine}, grants: [image], buildspecs: [a.yml], boundary: b, logs: {group: /ci, `+
		`s3: builds/pa}, pipelines: [main]}
  - {name: pb, role: b, write: {managed: m}, grants: [image]}
  - {name: pc, role: c, write: {attach: true}, grants: [image]}
  - {name: pd, role: d, switch_role: e}
  - {name: pf, role: f, mode: observe}
limits: {access_analyzer: true}
`+image)
	p, err := Hub(s, parts(), ManagedPolicies)
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range p.Groups()[1:] {
		for _, st := range g.Permissions {
			for _, a := range st.Action.List {
				if action, _ := iamref.Lookup(a); action.Level != iamref.Read && action.Level != iamref.List {
					t.Errorf("project %s: %s is a %q action", g.Name, a, action.Level)
				}
			}
		}
	}
	for _, st := range p.Inline.Permissions {
		if slices.Contains(st.Action.List, "codepipeline:RetryStageExecution") ||
			slices.Contains(st.Action.List, "access-analyzer:ValidatePolicy") {
			t.Errorf("%s is there for nothing", st.Sid)
		}
	}
	if list, err := Ready(s, "", home); err != nil || len(list) != 0 {
		t.Errorf("there are %d ready-made policies, %v", len(list), err)
	}
}

// TestCodeHost: the function may read the credentials for GitHub, exactly where the settings say that
// they are, and only if it reaches GitHub.
func TestCodeHost(t *testing.T) {
	const file = "write: {code: {github: example/shop, path: p.json}}"
	for host, want := range map[string]string{
		"{secret: ci/github}": "secretsmanager:GetSecretValue on arn:aws:secretsmanager:us-west-2:111122223333:secret:ci/github-??????",
		`{secret: "arn:aws:secretsmanager:eu-west-1:444455556666:secret:x-a1B2c3"}`: "secretsmanager:GetSecretValue on " +
			"arn:aws:secretsmanager:eu-west-1:444455556666:secret:x-a1B2c3",
		"{parameter: /ci/github}": "ssm:GetParameter on arn:aws:ssm:us-west-2:111122223333:parameter/ci/github",
		"{parameter: github}":     "ssm:GetParameter on arn:aws:ssm:us-west-2:111122223333:parameter/github",
		`{parameter: "arn:aws:ssm:eu-west-1:444455556666:parameter/ci/github"}`: "ssm:GetParameter on " +
			"arn:aws:ssm:eu-west-1:444455556666:parameter/ci/github",
	} {
		for project, reads := range map[string]bool{
			"mode: heal, " + file: true, "mode: propose, " + file: true, "mode: observe, " + file: false,
			"code: {github: example/shop}": true, "code: {github: example/shop, tell: none}, mode: heal": false,
		} {
			p, err := Hub(parse(t, "code: {github: "+host+"}\nprojects: [{name: pa, role: a, "+project+"}]\n"), parts(), ManagedPolicies)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, g := range p.Groups() {
				for _, st := range g.Permissions {
					for _, a := range st.Action.List {
						if service, _, _ := strings.Cut(a, ":"); service == "secretsmanager" || service == "ssm" {
							got = append(got, a+" on "+strings.Join(st.Resource.List, " "))
						}
					}
				}
			}
			if reads && !slices.Equal(got, []string{want}) || !reads && len(got) > 0 {
				t.Errorf("%s, %s: %q", host, project, got)
			}
		}
	}
}

// TestCodeWritesNoIAM: for a project whose role's policy is owned by a file of a repository, the
// function may start builds and change nothing in IAM, here and in a member; in CodeCommit it may
// write to its own branches of that one repository.
func TestCodeWritesNoIAM(t *testing.T) {
	const starts = "codebuild:RetryBuild codebuild:RetryBuildBatch"
	const asks = "codecommit:CreateBranch codecommit:CreateCommit codecommit:CreatePullRequest " +
		"codecommit:MergeBranchesByFastForward codecommit:UpdatePullRequestDescription codecommit:UpdatePullRequestTitle"
	s := parse(t, `
accounts: [{id: "444455556666", region: eu-west-1}]
code: {github: {secret: github}}
projects:
  - {name: pa, role: a, mode: heal, write: {code: {github: example/shop, path: p.json}}, grants: [image], boundary: b}
  - {name: pb, role: b, mode: heal, write: {inline: mine}, grants: [image]}
  - {name: pc, role: c, mode: heal, write: {code: {codecommit: shop, path: p.json}}, grants: [image]}
  - {name: pd, role: d, mode: propose, region: eu-west-1, write: {code: {codecommit: shop, path: p.json, base: main}}, grants: [image]}
  - {name: pe, role: e, write: {code: {codecommit: shop, path: p.json}}, grants: [image]}
  - {name: pf, role: f, mode: propose, write: {code: {github: example/shop, path: p.json}}, grants: [image], retry: false,
     also_roles: [{role: g, grants: [image], write: {code: {codecommit: deploys, path: p.json}}}]}
  - {name: pg, role: h, account: "444455556666", region: eu-west-1, mode: heal, write: {code: {codecommit: shop, path: p.json}},
     grants: [image]}
  - {name: ph, role: i, mode: heal, write: {code: {codecommit: shop, path: p.json}}, grants: [image], switch_role: other}
`+strings.Replace(image, ", create: true", "", 1))
	hub, err := Hub(s, parts(), ManagedPolicies)
	if err != nil {
		t.Fatal(err)
	}
	of, err := Member(s, "444455556666", home, ManagedPolicies)
	if err != nil {
		t.Fatal(err)
	}
	wrote, bound := map[string][]string{}, map[string]bool{}
	for _, g := range slices.Concat(hub.Groups()[1:], of.Groups()[1:]) {
		for _, st := range g.Permissions {
			for _, a := range st.Action.List {
				action, _ := iamref.Lookup(a)
				if action.Level != iamref.Read && action.Level != iamref.List {
					wrote[g.Name] = append(wrote[g.Name], a)
				}
				if service, _, _ := strings.Cut(a, ":"); service != "codecommit" {
					continue
				}
				bound[g.Name+" "+strings.Join(st.Resource.List, " ")] = true
				if own := len(st.Condition) == 1 && st.Condition[0].Key == "codecommit:References" &&
					slices.Equal(st.Condition[0].Values.List, []string{"refs/heads/" + decide.Branches + "*"}); own !=
					slices.Contains(action.Conditions, "codecommit:References") {
					t.Errorf("%s: %s under %v", g.Name, a, st.Condition)
				}
				if a == "codecommit:GetRepository" && g.Name == "pd" {
					t.Error("the default branch is read where the settings name one")
				}
			}
		}
		slices.Sort(wrote[g.Name])
	}
	if got := wrote["pb"]; !slices.Contains(got, "iam:PutRolePolicy") {
		t.Errorf("inline: %q", got)
	}
	delete(wrote, "pb")
	const both = starts + " " + asks
	want := map[string]string{"pa": starts, "pc": both, "pd": both, "pg": both, "pf": asks,
		"ph": starts + " codebuild:StartBuild codebuild:UpdateProject iam:PassRole"}
	for name, actions := range wrote {
		if got := strings.Join(actions, " "); got != want[name] {
			t.Errorf("%s may write by %q, want %q", name, got, want[name])
		}
		delete(want, name)
	}
	if len(want) > 0 {
		t.Errorf("these may write nothing: %v", want)
	}
	at := home.ARN("codecommit", "")
	there := strings.Replace(at, ":"+home.Region+":", ":eu-west-1:", 1)
	for _, b := range []string{"pc " + at + "shop", "pd " + there + "shop", "pf " + at + "deploys",
		"pg " + strings.Replace(there, home.Account, "444455556666", 1) + "shop"} {
		if !bound[b] {
			t.Errorf("not bound to %s", b)
		}
		delete(bound, b)
	}
	if len(bound) > 0 {
		t.Errorf("and it reaches %v", bound)
	}
}

// TestAt ensures that a project is found where the settings place it, and
// nowhere else.
func TestAt(t *testing.T) {
	s := parse(t, `
accounts: [{id: "444455556666", region: eu-west-1}]
projects:
  - {name: here, role: r}
  - {name: there, role: r, account: "444455556666", region: eu-west-1}
`)
	for at, want := range map[settings.Account]string{
		{}: "here",
		{ID: "444455556666", Region: "eu-west-1"}: "there",
		{ID: "444455556666"}:                      "",
	} {
		got := ""
		for _, p := range At(s, at) {
			got += p.Name
		}
		if got != want {
			t.Errorf("%+v: %q, want %q", at, got, want)
		}
	}
}

package settings

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/buildmedic/buildmedic/internal/diagnose"
	"github.com/buildmedic/buildmedic/internal/floor"
	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/iamref"
)

var home = Account{"111122223333", "eu-west-1"}

const granting = `
version: 1
accounts: [{id: "444455556666", region: us-east-1}]
projects:
  - {name: web, role: r, mode: heal, write: {inline: p}, grants: [image, deploy, packages, secret, who]}
  - {name: web, account: "444455556666", region: us-east-1, role: r, write: {inline: p}, grants: [image]}
  - {name: bare, role: r}
grants:
  - {id: image, because: b, owner: o, set: ecr-push, resources: ["arn:${partition}:ecr:${region}:${account}:repository/${project}"]}
  - id: deploy
    because: b
    owner: o
    set: ecs-deploy
    resources: ["*"]
    pass_roles:
      ecs-tasks.amazonaws.com: ["arn:${partition}:iam::${account}:role/task", "arn:${partition}:iam::${account}:role/exec"]
      ec2.amazonaws.com: ["arn:${partition}:iam::${account}:role/node"]
  - id: packages
    because: b
    owner: o
    set: codeartifact
    resources:
      - "arn:${partition}:codeartifact:${region}:${account}:domain/d"
      - "arn:${partition}:codeartifact:${region}:${account}:repository/d/*"
  - {id: secret, because: b, owner: o, set: secrets, resources: ["arn:${partition}:secretsmanager:${region}:${account}:secret:db-??????"]}
  - {id: who, because: b, owner: o, actions: ["sts:GetCallerIdentity"]}
tests:
  - {project: bare, deny: "ecr:PutImage", on: "arn:aws:ecr:eu-west-1:111122223333:repository/web"}
`

func TestMax(t *testing.T) {
	s := mustParse(t, granting)
	got := iampolicy.Document{Version: "2012-10-17", Statements: Max(s, s.Projects[0], home, "aws")}
	if err := iampolicy.Validate(got); err != nil {
		t.Errorf("IAM would not take it: %v", err)
	}
	allow := iampolicy.Allow
	equals := func(key, value string) iampolicy.Condition {
		return iampolicy.Condition{Operator: "StringEquals", Key: key, Values: iampolicy.Values{List: []string{value}}}
	}
	want := []iampolicy.Statement{
		allow("image", []string{"ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:CompleteLayerUpload",
			"ecr:GetDownloadUrlForLayer", "ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart"},
			[]string{"arn:aws:ecr:eu-west-1:111122223333:repository/web"}),
		allow("image-2", []string{"ecr:GetAuthorizationToken"}, []string{"*"}),
		allow("deploy", []string{"ecs:DescribeServices", "ecs:DescribeTaskDefinition", "ecs:RegisterTaskDefinition",
			"ecs:UpdateService"}, []string{"*"}),
		allow("deploy-2", []string{"iam:PassRole"}, []string{"arn:aws:iam::111122223333:role/node"},
			equals("iam:PassedToService", "ec2.amazonaws.com")),
		allow("deploy-3", []string{"iam:PassRole"},
			[]string{"arn:aws:iam::111122223333:role/exec", "arn:aws:iam::111122223333:role/task"},
			equals("iam:PassedToService", "ecs-tasks.amazonaws.com")),
		allow("packages", []string{"codeartifact:GetAuthorizationToken"}, []string{"arn:aws:codeartifact:eu-west-1:111122223333:domain/d"}),
		allow("packages-2", []string{"codeartifact:GetRepositoryEndpoint", "codeartifact:ReadFromRepository"},
			[]string{"arn:aws:codeartifact:eu-west-1:111122223333:repository/d/*"}),
		allow("packages-3", []string{"sts:GetServiceBearerToken"}, []string{"*"},
			equals("sts:AWSServiceName", "codeartifact.amazonaws.com")),
		allow("secret", []string{"secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"},
			[]string{"arn:aws:secretsmanager:eu-west-1:111122223333:secret:db-??????"}),
		allow("who", []string{"sts:GetCallerIdentity"}, []string{"*"}),
	}
	if diff := cmp.Diff(want, got.Statements); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}

	member := Max(s, s.Projects[1], home, "aws-us-gov")
	if r := member[0].Resource.List; r[0] != "arn:aws-us-gov:ecr:us-east-1:444455556666:repository/web" {
		t.Errorf("in its own account and region: %q", r)
	}
	if got := Max(s, s.Projects[2], home, "aws"); len(got) > 0 {
		t.Errorf("without grants: %+v", got)
	}
	if got := Max(s, Project{Grants: []string{"nosuch"}}, home, "aws"); len(got) > 0 {
		t.Errorf("of a grant that does not exist: %+v", got)
	}
}

// The Sids of a document are unique, whatever the grants' names.
func TestMaxSids(t *testing.T) {
	s := mustParse(t, `
version: 1
projects: [{name: web, role: r, write: {attach: true}, grants: [a-b, ab, a, a-2]}]
grants:
  - {id: a-b, because: b, owner: o, actions: ["sts:GetCallerIdentity"]}
  - {id: ab, because: b, owner: o, actions: ["sts:GetCallerIdentity"]}
  - {id: a, because: b, owner: o, set: ecr-push, resources: ["*"], pass_roles: {ec2.amazonaws.com: ["arn:aws:iam::111122223333:role/r"]}}
  - {id: a-2, because: b, owner: o, actions: ["sts:GetCallerIdentity"]}
`)
	d := iampolicy.Document{Version: "2012-10-17", Statements: Max(s, s.Projects[0], home, "aws")}
	if err := iampolicy.Validate(d); err != nil {
		t.Error(err)
	}
	seen := map[string]bool{}
	for _, st := range d.Statements {
		key := strings.ToLower(st.Sid)
		if st.Sid == "" || seen[key] {
			t.Errorf("the Sid %q comes twice", st.Sid)
		}
		seen[key] = true
	}
}

// A value with wildcards gives nothing rather than more.
func TestExpand(t *testing.T) {
	v := Vars{"aws", "111122223333", "eu-west-1", "web"}
	tests := []struct {
		pattern string
		v       Vars
		want    string
	}{
		{"arn:${partition}:ecr:${region}:${account}:repository/${project}-*", v, "arn:aws:ecr:eu-west-1:111122223333:repository/web-*"},
		{"${project}${project}", v, "webweb"},
		{"${Project} $project ${}", v, "${Project} $project ${}"},
		{"*", v, "*"},
		{"${project}", Vars{"aws", "1", "r", "${account}"}, "${account}"}, // filled in once
		{"x/${project}", Vars{"aws", "1", "r", "w*"}, ""},
		{"x", Vars{"aws", "?", "r", "w"}, ""},
	}
	for _, tt := range tests {
		if got := Expand(tt.pattern, tt.v); got != tt.want {
			t.Errorf("Expand(%q, %+v) = %q, want %q", tt.pattern, tt.v, got, tt.want)
		}
	}
	g := Grant{ID: "g", Actions: []string{"ecr:PutImage"},
		Resources: []string{"arn:${partition}:ecr:${region}:${account}:repository/${project}"}}
	if got := g.Statements(Project{Name: "*"}, home, "aws"); len(got) > 0 {
		t.Errorf("a project named *: %+v", got)
	}
}

func TestExact(t *testing.T) {
	for pattern, want := range map[string]bool{
		"arn:aws:ecr:eu-west-1:111122223333:repository/web":                true,
		"arn:${partition}:iam::${account}:role/cdk-deploy-${region}":       true,
		"arn:aws:cloudformation:eu-west-1:111122223333:stack/web/*":        true,
		"arn:aws:ecs:eu-west-1:111122223333:task-definition/web:*":         true,
		"arn:aws:secretsmanager:eu-west-1:111122223333:secret:db/a-??????": true,
		"*": false,
		"arn:aws:ecr:eu-west-1:111122223333:repository/web*":            false,
		"arn:aws:ecr:eu-west-1:111122223333:repository/we?":             false,
		"arn:aws:cloudformation:eu-west-1:111122223333:stack/*":         false,
		"arn:aws:cloudformation:eu-west-1:111122223333:stack/web*/*":    false,
		"arn:aws:cloudformation:*:111122223333:stack/web/*":             false,
		"arn:aws:ecs:eu-west-1:111122223333:task-definition/web*":       false,
		"arn:aws:secretsmanager:eu-west-1:111122223333:secret:db-?????": false,
		"arn:aws:secretsmanager:eu-west-1:111122223333:secret:db-*":     false,
		"arn:aws:s3:::bucket/stack/web/*":                               false,
	} {
		if Exact(pattern) != want {
			t.Errorf("Exact(%q) = %v", pattern, !want)
		}
	}
}

func TestWarnings(t *testing.T) {
	s := mustParse(t, `
version: 1
grants:
  - id: all
    because: b
    owner: o
    actions: ["ecr:PutImage", "s3:GetObject", "logs:CreateLogGroup", "secretsmanager:GetSecretValue", "ssm:GetParameter"]
    resources:
      - "*"
      - "arn:${partition}:ecr:${region}:${account}:*"
      - "arn:${partition}:ecr:${region}:${account}:repository/*"
      - "arn:${partition}:ecr:*:${account}:repository/web"
      - "arn:${partition}:ecr:${region}:${account}:repository/team/*"
      - "arn:${partition}:ecr:${region}:${account}:repository/web-*"
      - "arn:${partition}:s3:::*/*"
      - "arn:${partition}:s3:::bucket/*"
      - "arn:${partition}:logs:${region}:${account}:log-group:*"
      - "arn:${partition}:logs:${region}:${account}:log-group:/aws/codebuild/*"
      - "arn:${partition}:secretsmanager:${region}:${account}:secret:?*"
      - "arn:${partition}:ssm:${region}:${account}:parameter/*"
      - "arn:${partition}:s3:::shop*"
      - "arn:${partition}:s3:::shop-?/*"
  - {id: narrow, because: b, owner: o, set: secrets, resources: ["arn:${partition}:secretsmanager:${region}:${account}:secret:db-??????"]}
`)
	var got []string
	for _, p := range Warnings(s) {
		got = append(got, p.Error())
	}
	const of = "buildmedic.yaml:4: grants[0].resources"
	want := []string{
		of + `[0]: grant all is wide: "*" is every resource, in every account that lets the role in; of buckets, the account's own`,
		of + `[1]: grant all is wide: "arn:${partition}:ecr:${region}:${account}:*" is every resource of its kind`,
		of + `[2]: grant all is wide: "arn:${partition}:ecr:${region}:${account}:repository/*" is every resource of its kind`,
		of + `[3]: grant all is wide: "arn:${partition}:ecr:*:${account}:repository/web" is in more than one region`,
		of + `[6]: grant all is wide: "arn:${partition}:s3:::*/*" is every resource of its kind`,
		of + `[8]: grant all is wide: "arn:${partition}:logs:${region}:${account}:log-group:*" is every resource of its kind`,
		of + `[10]: grant all is wide: "arn:${partition}:secretsmanager:${region}:${account}:secret:?*" is every resource of its kind`,
		of + `[11]: grant all is wide: "arn:${partition}:ssm:${region}:${account}:parameter/*" is every resource of its kind`,
		of + `[12]: grant all is wide: "arn:${partition}:s3:::shop*" is every bucket of the account whose name fits, ` +
			`also those to come`,
		of + `[13]: grant all is wide: "arn:${partition}:s3:::shop-?/*" is every bucket of the account whose name ` +
			`fits, also those to come`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}

	left := LeftOut(s)
	if len(left) != 1 ||
		left[0].Error() != "buildmedic.yaml:23: grants[1].set: grant narrow does not give kms:Decrypt of its set: no "+
			"resource is a arn:${partition}:kms:${region}:${account}:key/KEYID" {
		t.Errorf("left out: %v", left)
	}
}

// What loads and will surprise is told; what is whole is not.
// TestSurprisesOfTheBootstrap ensures that an owner is told what it means to
// let builds deploy with the CDK's roles, or write where its code lies.
func TestSurprisesOfTheBootstrap(t *testing.T) {
	const bucket = `"arn:aws:s3:::cdk-q-assets-111122223333-eu-west-1/*"`
	for _, row := range []struct{ grant, want string }{
		{`set: cdk-deploy, resources: ["arn:aws:iam::111122223333:role/cdk-q-deploy-role-111122223333-eu-west-1"]`,
			"can deploy what that role deploys"},
		{`actions: ["s3:PutObject"], resources: [` + bucket + `]`, "s3:PutObject where the CDK keeps what it deploys"},
		{`actions: ["s3:GetObject"], resources: [` + bucket + `]`, ""},
		{`actions: ["s3:PutObject"], resources: ["arn:aws:s3:::cdk-workshop-site/*"]`, ""},
		{`actions: ["sts:AssumeRole"], resources: ["arn:aws:iam::111122223333:role/deploy"]`, ""},
	} {
		s := mustParse(t, "version: 1\ngrants: [{id: g, because: b, owner: o, "+row.grant+"}]\n")
		got := ""
		for _, p := range Surprises(s) {
			if strings.Contains(p.Error(), "grant g lets") || strings.Contains(p.Error(), "grant g asks") {
				got = p.Error()
			}
		}
		if (got == "") != (row.want == "") || !strings.Contains(got, row.want) {
			t.Errorf("%s: %q, want %q", row.grant, got, row.want)
		}
	}
}

func TestSurprises(t *testing.T) {
	const (
		told  = "notify: {email: [a@example.com]}\n"
		grant = "grants: [{id: image, because: b, owner: o, set: ecr-push, " +
			"resources: [\"arn:${partition}:ecr:${region}:${account}:repository/web\"]}]\n"
		tests  = "tests: [{project: web, allow: \"ecr:PutImage\", on: \"arn:${partition}:ecr:${region}:${account}:repository/web\"}]\n"
		heals  = "projects: [{name: web, role: r, mode: heal, write: {inline: p}, grants: [image]}]\n"
		noTest = "buildmedic.yaml: tests: there are grants and no tests: add a line for what each must allow, " +
			"and one for what it must not, so that a slip stops the deployment"
		nobody = "buildmedic.yaml: notify: nobody is told: there is no address under email and no channel under " +
			"chat; what happens is in the ledger and the function's log alone"
	)
	project := func(more string) string { return "projects: [{name: web, role: r" + more + "}]\n" }
	for _, row := range []struct {
		why, text string
		want      []string
	}{
		{"empty", "", nil},
		{"whole", told + heals + grant + tests, nil},
		{"a channel is enough", "notify: {chat: {slack: {workspace: T0123456789, channel: C0123456789}}}\n" + heals + grant + tests, nil},
		{"no target", heals + grant + tests, []string{nobody}},
		{"an empty list of addresses", "notify: {email: [], digest: 5}\n" + heals + grant + tests, []string{nobody}},
		{"no project, no target", "limits: {rounds: 2}\n", nil},
		{"no tests", told + heals + grant, []string{noTest}},
		{"an empty list of tests", told + heals + grant + "tests: []\n", []string{noTest}},
		{"a grant that nobody has", told + project("") + grant + tests,
			[]string{
				"buildmedic.yaml:4: grants[0]: no project has grant image, so it gives nothing; name it under the " +
					"grants of a project, or remove it",
			}},
		{"observed without grants", told + project(", mode: observe"), nil},
		{"observed with grants", told + project(", write: {inline: p}, grants: [image]") + grant + tests, nil},
		{"heals nothing", told + project(", mode: heal"),
			[]string{
				"buildmedic.yaml:3: projects[0].grants: project web is in mode heal and has no grants: builds that " +
					"failed of something transient are started again, and no permission is ever added",
			}},
		{"proposes nothing", told + project(", mode: propose, grants: []"),
			[]string{
				"buildmedic.yaml:3: projects[0].grants: project web is in mode propose and has no grants: builds " +
					"that failed of something transient are started again, and no permission is ever added",
			}},
		{"may not even start", told + project(", mode: heal, retry: false"),
			[]string{
				"buildmedic.yaml:3: projects[0].grants: project web is in mode heal and has no grants: with " +
					"retry: false, its failures are explained, as in mode observe",
			}},
		{"limits of 0", told + "limits: {rounds: 0, writes_per_role_per_day: 0, writes_per_hour: 0, retries_per_hour: 0}\n" +
			project(", mode: heal, switch_role: ready"), []string{
			"buildmedic.yaml: limits.rounds: 0, so nothing is changed and no build is started again, though project web is in mode heal",
			"buildmedic.yaml: limits.writes_per_role_per_day: 0, so nothing is changed, though project web is in mode heal",
			"buildmedic.yaml: limits.writes_per_hour: 0, so nothing is changed, though project web is in mode heal",
			"buildmedic.yaml: limits.retries_per_hour: 0, so no build is started again, and nothing is changed for one, " +
				"though project web is in mode heal"}},
		{"limits of 0 where all observe", told + "limits: {rounds: 0}\n" + project(""), nil},
		{"heals by a ready role", told + project(", mode: heal, switch_role: ready"), nil},
		{"heals by a buildspec", told + project(", mode: heal, buildspecs: [ci/buildspec.yml]"), nil},
		{"an account without a project",
			told +
				"accounts: [{id: \"444455556666\", region: eu-west-1}, {id: \"444455556666\", region: us-east-1}]\n" +
				project(", account: \"444455556666\", region: us-east-1"),
			[]string{
				"buildmedic.yaml: accounts[0]: no project is in account 444455556666, region eu-west-1, so nothing " +
					"is deployed there; remove it, or name it in a project",
			}},
		{"everything at once", project(", mode: heal") + grant, []string{nobody,
			"buildmedic.yaml:2: projects[0].grants: project web is in mode heal and has no grants: builds that failed " +
				"of something transient are started again, and no permission is ever added",
			"buildmedic.yaml:3: grants[0]: no project has grant image, so it gives nothing; name it under the grants " +
				"of a project, or remove it", noTest}},
	} {
		var got []string
		for _, p := range Surprises(mustParse(t, "version: 1\n"+row.text)) {
			got = append(got, p.Error())
		}
		if diff := cmp.Diff(row.want, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", row.why, diff)
		}
	}
}

func TestRunTests(t *testing.T) {
	const settings = `
version: 1
accounts: [{id: "444455556666", region: eu-west-1}]
projects:
  - {name: web, role: r, write: {inline: p}, grants: [image, roles]}
  - {name: both, role: r, write: {inline: p}, grants: [image]}
  - {name: both, account: "444455556666", role: r}
grants:
  - {id: image, because: b, owner: o, set: ecr-push, resources: ["arn:${partition}:ecr:${region}:${account}:repository/web-*"]}
  - {id: roles, because: b, owner: o, pass_roles: {ec2.amazonaws.com: ["arn:aws:iam::111122223333:role/node"]}}
tests:
`
	const repository = "arn:aws:ecr:eu-west-1:111122223333:repository/"
	tests := []struct{ test, want string }{
		{`{project: web, allow: "ecr:PutImage", on: "` + repository + `web-1"}`, ""},
		{`{project: web, allow: "ecr:PutImage", on: "arn:${partition}:ecr:${region}:${account}:repository/web-1"}`, ""},
		{`{project: web, allow: "ecr:PutImage", on: "` + repository + `web"}`,
			"failed: no grant of project web allows ecr:PutImage on " + repository + "web"},
		{`{project: web, deny: "ecr:PutImage", on: "` + repository + `web"}`, ""},
		{`{project: web, deny: "ecr:PutImage", on: "` + repository + `web-1"}`,
			"failed: grant image allows project web ecr:PutImage on " + repository + "web-1"},
		{`{project: web, allow: "ecr:GetAuthorizationToken", on: "*"}`, ""},
		{`{project: web, allow: "ecr:DeleteRepository", on: "` + repository + `web-1"}`,
			"failed: no grant of project web allows ecr:DeleteRepository on " + repository + "web-1"},
		{`{project: web, allow: "iam:PassRole", on: "arn:aws:iam::111122223333:role/node"}`, ""},
		{`{project: web, deny: "iam:PassRole", on: "arn:aws:iam::111122223333:role/admin"}`, ""},
		{`{project: both, allow: "ecr:PutImage", on: "` + repository + `web-1"}`,
			"failed: no grant of project both allows ecr:PutImage on " + repository + "web-1"},
		{`{project: both, deny: "ecr:PutImage", on: "` + repository + `web-1"}`,
			"failed: grant image allows project both ecr:PutImage on " + repository + "web-1"},
	}
	for _, tt := range tests {
		s := mustParse(t, settings+"  - "+tt.test+"\n")
		var got []string
		for _, p := range RunTests(s, home, "aws") {
			if p.Line != 12 || p.Path != "tests[0]" {
				t.Errorf("%s: at %d, %q", tt.test, p.Line, p.Path)
			}
			got = append(got, p.Message)
		}
		if strings.Join(got, "; ") != tt.want {
			t.Errorf("%s:\n got %q\nwant %q", tt.test, got, tt.want)
		}
	}
}

// A test that fails where the hub's place is not known shows what is left
// open, and how to tell it.
func TestUnknownHere(t *testing.T) {
	const text = `
version: 1
accounts: [{id: "444455556666", region: us-east-1}]
projects:
  - {name: web, role: r, write: {inline: p}, grants: [image, assets]}
  - {name: member, account: "444455556666", region: us-east-1, role: r, write: {inline: p}, grants: [image]}
grants:
  - {id: image, because: b, owner: o, set: ecr-push, resources: ["arn:${partition}:ecr:${region}:${account}:repository/web"]}
  - {id: assets, because: b, owner: o, actions: ["s3:PutObject"], resources: ["arn:${partition}:s3:::assets-${account}/*"]}
tests:
`
	for _, row := range []struct {
		test      string
		home      Account
		partition string
		want      string
	}{
		{`{project: web, allow: "s3:PutObject", on: "arn:${partition}:s3:::other/x"}`, Account{}, "",
			"failed: no grant of project web allows s3:PutObject on arn:${partition}:s3:::other/x; ${partition}, " +
				"${account} are not known here: try check -partition P -account ID"},
		{`{project: web, allow: "s3:PutObject", on: "arn:${partition}:s3:::other/x"}`, Account{ID: "111122223333"}, "aws",
			"failed: no grant of project web allows s3:PutObject on arn:aws:s3:::other/x"},
		{`{project: web, allow: "s3:PutObject", on: "arn:aws:s3:::assets-111122223333/x"}`, Account{}, "",
			"failed: no grant of project web allows s3:PutObject on arn:aws:s3:::assets-111122223333/x; ${account} " +
				"is not known here: try check -account ID"},
		{`{project: web, allow: "s3:PutObject", on: "arn:aws:s3:::assets-111122223333/x"}`, Account{ID: "111122223333"}, "", ""},
		{`{project: web, allow: "s3:PutObject", on: "arn:aws:s3:::assets-${account}/x"}`, Account{}, "", ""},
		{`{project: web, deny: "s3:PutObject", on: "arn:aws:s3:::assets-${account}/x"}`, Account{}, "",
			"failed: grant assets allows project web s3:PutObject on arn:aws:s3:::assets-${account}/x; ${account} is " +
				"not known here: try check -account ID"},
		{`{project: web, deny: "ecr:PutImage", on: "arn:aws:ecr:${region}:${account}:repository/web"}`, Account{Region: "eu-west-1"}, "",
			"failed: grant image allows project web ecr:PutImage on arn:aws:ecr:eu-west-1:${account}:repository/web; " +
				"${account} is not known here: try check -account ID"},
		{`{project: member, deny: "ecr:PutImage", on: "arn:${partition}:ecr:${region}:${account}:repository/web"}`, Account{}, "aws",
			"failed: grant image allows project member ecr:PutImage on arn:aws:ecr:us-east-1:444455556666:repository/web"},
		{`{project: web, allow: "sqs:SendMessage", on: "arn:aws:sqs:eu-west-1:111122223333:q"}`, Account{}, "",
			"failed: no grant of project web allows sqs:SendMessage on arn:aws:sqs:eu-west-1:111122223333:q"},
		{`{project: web, allow: "ecr:DeleteRepository", on: "arn:${partition}:ecr:${region}:${account}:repository/web"}`, Account{}, "",
			"failed: no grant of project web allows ecr:DeleteRepository on arn:${partition}:ecr:${region}:${account}:repository/web"},
	} {
		var got []string
		for _, p := range RunTests(mustParse(t, text+"  - "+row.test+"\n"), row.home, row.partition) {
			got = append(got, p.Message)
		}
		if strings.Join(got, "; ") != row.want {
			t.Errorf("%s in %+v %q:\n got %q\nwant %q", row.test, row.home, row.partition, got, row.want)
		}
	}
}

// Where the hub will be is not known at a desk.
func TestRunTestsAtADesk(t *testing.T) {
	s := mustParse(t, `
version: 1
projects: [{name: web, role: r, write: {inline: p}, grants: [image]}]
grants:
  - {id: image, because: b, owner: o, set: ecr-push, resources: ["arn:${partition}:ecr:${region}:${account}:repository/web"]}
tests:
  - {project: web, allow: "ecr:PutImage", on: "arn:aws-cn:ecr:cn-north-1:111122223333:repository/web"}
  - {project: web, allow: "ecr:PutImage", on: "arn:${partition}:ecr:${region}:${account}:repository/web"}
  - {project: web, allow: "ecr:GetAuthorizationToken", on: "*"}
  - {project: web, deny: "ecr:PutImage", on: "arn:aws:ecr:eu-west-1:111122223333:repository/web"}
`)
	failed := func(home Account, partition string) (lines []int) {
		for _, p := range RunTests(s, home, partition) {
			lines = append(lines, p.Line)
		}
		return lines
	}
	if diff := cmp.Diff([]int{10}, failed(Account{}, "")); diff != "" {
		t.Errorf("at a desk: -want +failed:\n%s", diff)
	}
	if diff := cmp.Diff([]int{7}, failed(Account{"111122223333", "eu-west-2"}, "aws")); diff != "" {
		t.Errorf("elsewhere: -want +failed:\n%s", diff)
	}
}

func TestFind(t *testing.T) {
	s := mustParse(t, granting)
	for _, tt := range []struct {
		name, account, region string
		want                  int // index, -1: none
	}{
		{"web", "111122223333", "eu-west-1", 0},
		{"web", "444455556666", "us-east-1", 1},
		{"web", "444455556666", "eu-west-1", -1},
		{"Web", "111122223333", "eu-west-1", -1},
		{"", "", "", -1},
	} {
		p, ok := s.Project(tt.name, tt.account, tt.region, home)
		if ok != (tt.want >= 0) || ok && !reflect.DeepEqual(p, s.Projects[tt.want]) {
			t.Errorf("%+v: %+v, %v", tt, p, ok)
		}
	}
}

// Whatever Parse accepts keeps its promises.
func FuzzParse(f *testing.F) {
	f.Add(full)
	f.Add(granting)
	f.Add(ownCause)
	f.Add("version: 1\nprojects: [{name: web, role: r, logs: {group: '/ci/*', s3: 'b/${x}/'}, pipelines: ['a*', 'b:c/d']}]")
	f.Add("version: 1\ngrants: [{id: a, because: b, owner: c, set: cdk-deploy, resources: ['arn:aws:iam::111122223333:role/x']}]")
	f.Add("a: &a [*a]")
	f.Add("? ? ?\n: {<<: !!binary x}")
	f.Add("%YAML 1.1\n---\n\"\\x00\": 0o7\n...\n")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse([]byte(text))
		if err != nil {
			checkProblems(t, s, err)
			return
		}
		checkSettings(t, s)
		again, err := Parse([]byte(text))
		if err != nil || !reflect.DeepEqual(s, again) {
			t.Errorf("a second time: %+v, %v", again, err)
		}
	})
}

// Whatever an owner writes into a grant, what the project could gain stays
// above the floor.
func FuzzGrant(f *testing.F) {
	f.Add("ecr:PutImage", "arn:${partition}:ecr:${region}:${account}:repository/web", "ec2.amazonaws.com",
		"arn:aws:iam::111122223333:role/r")
	f.Add("sts:AssumeRole", "arn:aws:iam::${account}:role/${project}", "ecs-tasks.amazonaws.com",
		"arn:${partition}:iam::${account}:role/a/b")
	f.Add("cloudformation:CreateChangeSet", "arn:aws:cloudformation:eu-west-1:111122223333:stack/web/*", "x", "*")
	f.Add("lambda:InvokeFunction", "arn:aws:lambda:eu-west-1:111122223333:function:f", "lambda.amazonaws.com",
		"arn:aws:iam::${account}:role/${region}")
	f.Add("iam:PassRole", "*", "*.amazonaws.com", "arn:aws:iam::${account}:role/?")
	f.Add("s3:GetObject", "arn:aws:s3:::b/${aws:username}/*", "events.amazonaws.com", "")
	f.Fuzz(func(t *testing.T, action, resource, service, role string) {
		s, err :=
			Parse(fmt.Appendf(nil, `{version: 1, projects: [{name: web, role: r, write: {inline: p}, grants: [g]}], `+
				`grants: [{id: g, because: b, owner: o,
 actions: [%q], resources: [%q], pass_roles: {%q: [%q]}}]}`, action, resource, service, role))
		if err != nil {
			checkProblems(t, s, err)
			return
		}
		checkSettings(t, s)
		for _, st := range Max(s, s.Projects[0], home, "aws") {
			for _, res := range st.Resource.List {
				if strings.Contains(res, "$") || strings.Count(res, ":") < 5 && res != "*" {
					t.Errorf("%s on %q", st.Sid, res)
				}
			}
		}
	})
}

func checkProblems(t *testing.T, s *Settings, err error) {
	t.Helper()
	problems, ok := err.(Problems)
	if !ok || len(problems) == 0 || s != nil {
		t.Fatalf("%+v, %T: %v", s, err, err)
	}
	last := 0
	for _, p := range problems {
		if p.Line < last || p.Message == "" || strings.ContainsAny(p.Error(), "\n\x00\x1b") {
			t.Errorf("a problem of line %d after line %d: %q", p.Line, last, p.Error())
		}
		last = p.Line
	}
}

func checkSettings(t *testing.T, s *Settings) {
	t.Helper()
	l := s.Limits
	if s.Version != 1 || len(s.SHA256) != 64 || s.Notify.Digest < 0 || l.Rounds < 0 || l.WritesRole < 0 || l.WritesHour < 0 ||
		l.RetriesHour < 0 || l.UndoneToStop < 1 || l.Settle < 0 || l.CloudTrail < 0 ||
		l.Approve < time.Hour {
		t.Errorf("limits that cannot be: %+v", s)
	}
	seen := map[string]bool{}
	for _, g := range s.Grants {
		if g.ID == "" || seen[g.ID] || strings.TrimSpace(g.Because) == "" || strings.TrimSpace(g.Owner) == "" ||
			g.Give == "" || g.Evidence == "" {
			t.Errorf("grant %+v", g)
		}
		seen[g.ID] = true
	}
	for _, p := range s.Projects {
		w := p.Write
		ways := 0
		for _, given := range []bool{w.Inline != "", w.Managed != "", w.Attach} {
			if given {
				ways++
			}
		}
		if p.Name == "" || p.Role == "" || strings.ContainsAny(p.Role+w.Inline+w.Managed+p.Boundary+p.SwitchRole, "*?$: ") ||
			len(p.Grants) > 0 && ways != 1 || ways > 1 {
			t.Errorf("project %+v", p)
		}
		// These become parts of ARNs: anything more than a name would reach further.
		if at := p.Logs.Group + p.Logs.S3 + strings.Join(p.Pipelines, ""); strings.ContainsAny(at, "*?$: ") ||
			strings.Contains(p.Logs.S3, "//") || strings.HasSuffix(p.Logs.S3, "/") ||
			slices.ContainsFunc(p.Pipelines, func(n string) bool { return n == "" || strings.Contains(n, "/") }) {
			t.Errorf("project %s: logs %+v, pipelines %q", p.Name, p.Logs, p.Pipelines)
		}
		for _, id := range p.Grants {
			if !seen[id] {
				t.Errorf("project %s has a grant %q", p.Name, id)
			}
		}
		checkMax(t, s, p)
	}
	for _, c := range s.Causes {
		if c.Remedy != diagnose.Report && c.Remedy != diagnose.Retry || len(c.Samples) == 0 || c.Size() > diagnose.MaxPrograms {
			t.Errorf("cause %s: remedy %s, %d samples, size %d", c.Name, c.Remedy, len(c.Samples), c.Size())
		}
	}
	for _, test := range s.Tests {
		if _, ok := iamref.Lookup(test.Action); !ok || test.Project == "" {
			t.Errorf("test %+v", test)
		}
	}
}

// checkMax checks that what a project could gain is within IAM's rules and
// above the floor.
func checkMax(t *testing.T, s *Settings, p Project) {
	t.Helper()
	for _, st := range Max(s, p, home, "aws") {
		for _, action := range st.Action.List {
			a, ok := iamref.Lookup(action)
			h, _ := floor.Of(action)
			if !ok || a.Name != action || h == floor.Never {
				t.Errorf("%s gives %s", st.Sid, action)
			}
			for _, res := range st.Resource.List {
				if !iamref.Fits(action, res) || h == floor.ExactName && !Exact(res) ||
					action == floor.PassRole && (!Exact(res) || len(st.Condition) == 0) {
					t.Errorf("%s gives %s on %s under %v", st.Sid, action, res, st.Condition)
				}
			}
		}
	}
}

// TestBucketsOfAPattern ensures that buckets of a pattern are the account's own, under the
// conditions that the action has besides, and that what a grant names exactly stays as it is.
func TestBucketsOfAPattern(t *testing.T) {
	s := mustParse(t, `
version: 1
projects: [{name: web, role: r, mode: heal, write: {inline: p}, grants: [sync]}]
grants:
  - id: sync
    because: b
    owner: o
    actions: ["s3:PutObject", "s3:ListBucket", "s3:ListAllMyBuckets", "ssm:GetParameter"]
    resources:
      - "arn:${partition}:s3:::site"
      - "arn:${partition}:s3:::site/*"
      - "arn:${partition}:s3:::logs-*"
      - "arn:${partition}:s3:::*-${account}/*"
      - "arn:${partition}:ssm:${region}:${account}:parameter/*"
      - "arn:${partition}:s3:${region}:${account}:accesspoint/*"
`)
	own := iampolicy.Condition{Operator: "StringEquals", Key: "s3:ResourceAccount",
		Values: iampolicy.Values{List: []string{"111122223333"}}}
	want := []iampolicy.Statement{
		iampolicy.Allow("sync", []string{"s3:ListAllMyBuckets"}, []string{"*"}),
		iampolicy.Allow("sync-2", []string{"s3:ListBucket"}, []string{"arn:aws:s3:::site",
			"arn:aws:s3:eu-west-1:111122223333:accesspoint/*"}),
		iampolicy.Allow("sync-3", []string{"s3:ListBucket"}, []string{"arn:aws:s3:::logs-*"}, own),
		iampolicy.Allow("sync-4", []string{"s3:PutObject"}, []string{"arn:aws:s3:::site/*",
			"arn:aws:s3:eu-west-1:111122223333:accesspoint/*"}),
		iampolicy.Allow("sync-5", []string{"s3:PutObject"}, []string{"arn:aws:s3:::*-111122223333/*",
			"arn:aws:s3:::logs-*"}, own),
		iampolicy.Allow("sync-6", []string{"ssm:GetParameter"}, []string{"arn:aws:ssm:eu-west-1:111122223333:parameter/*"}),
	}
	got := s.Grants[0].Statements(s.Projects[0], home, "aws")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestEveryBucketActionSaysWhose ensures that no action on a bucket or an object, of those that a
// grant may give, lacks the key that keeps a pattern to the account.
func TestEveryBucketActionSaysWhose(t *testing.T) {
	n := 0
	for _, a := range iamref.Actions("s3") {
		h, _ := floor.Of(a.Name)
		onBucket := slices.ContainsFunc(a.Resources, func(r iamref.ResourceType) bool { return strings.Contains(r.ARN, ":s3:::") })
		if h == floor.Never || !onBucket || a.Name == "s3:AllowVendedLogDeliveryForResource" { // which services call
			continue
		}
		n++
		if !slices.Contains(a.Conditions, bucketAccount) {
			t.Errorf("%s has no %s", a.Name, bucketAccount)
		}
	}
	if n < 50 {
		t.Errorf("%d actions were looked at", n)
	}
}

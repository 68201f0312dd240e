package guardrail

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/floor"
	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// story makes the input for a project as settings say it.
func story(t *testing.T, yaml string, ds ...buildlog.Denial) Input {
	t.Helper()
	s, err := settings.Parse([]byte(yaml))
	if err != nil {
		t.Fatal(err)
	}
	in := shop()
	in.Settings, in.Project, in.Denials = s, s.Projects[0], ds
	return in
}

// lines tells what is new in a document.
func lines(t *testing.T, before, after string) string {
	t.Helper()
	var docs [2]iampolicy.Document
	for i, text := range []string{before, after} {
		if text == "" {
			continue
		}
		d, err := iampolicy.Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		docs[i] = d
	}
	return strings.Join(iampolicy.Diff(docs[0], docs[1]), "\n")
}

// TestImagePush: a role without ECR permissions, denied the first of eight.
func TestImagePush(t *testing.T) {
	in := story(t, `version: 1
projects:
  - {name: shop, role: service-role/codebuild-shop, mode: heal, write: {inline: CodeBuild-ECR-Permissions}, grants: [image]}
grants:
  - {id: image, because: b, owner: o, set: ecr-push, give: set, resources: ["arn:${partition}:ecr:${region}:${account}:repository/shop"]}
`, denial("ecr:GetAuthorizationToken", "*"))
	j := Judge(asked(in))
	checkShape(t, in, j)
	want := policy(
		iampolicy.Allow("t", []string{"ecr:GetAuthorizationToken"}, []string{"*"}),
		iampolicy.Allow("r", []string{"ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage", "ecr:PutImage",
			"ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload"}, []string{repo}))
	if j.Target == nil || j.Target.Kind != "inline" || j.Target.Name != "CodeBuild-ECR-Permissions" || j.Target.Before != "" {
		t.Fatalf("target %+v, %v", j.Target, j.Refusals)
	}
	for _, pair := range [][2]string{{want, j.Target.After}, {j.Target.After, want}} {
		a, _ := iampolicy.Parse([]byte(pair[0]))
		b, _ := iampolicy.Parse([]byte(pair[1]))
		if ok, what := iampolicy.Contains([]iampolicy.Document{a}, []iampolicy.Document{b}); !ok {
			t.Errorf("the document differs in meaning: %s\n%s", what, j.Target.After)
		}
	}
	if d := cmp.Diff([]Question{{Action: "ecr:GetAuthorizationToken", Resource: "*",
		Context: contextOf(iampolicy.Statement{}, in)}}, j.Proof); d != "" {
		t.Errorf("proof (-want +got):\n%s", d)
	}
	if u := j.Used[0]; u.Grant != "image" || u.Owner != "o" || u.Evidence != settings.EvidenceLog || !u.Expires.IsZero() {
		t.Errorf("used %+v", u)
	}
}

const deploySettings = `version: 1
projects:
  - {name: shop, role: service-role/codebuild-shop, mode: heal, write: {managed: shop-policy}, grants: [deploy]}
grants:
  - {id: deploy, because: b, owner: o, set: ecs-deploy, give: set, resources: ["*"],
     pass_roles: {ecs-tasks.amazonaws.com: ["arn:${partition}:iam::${account}:role/task", ` +
	`"arn:${partition}:iam::${account}:role/execution"]}}
`

// TestDeploy: a text that names neither principal nor resource, and a managed
// policy whose statements stay.
func TestDeploy(t *testing.T) {
	full := denial("ecs:RegisterTaskDefinition", "arn:aws:ecs:eu-west-1:111122223333:task-definition/shop:*")
	for name, d := range map[string]buildlog.Denial{
		"the text that says least": {Action: "ecs:RegisterTaskDefinition", Effect: buildlog.Unstated,
			Layer: buildlog.LayerUnstated, Origin: buildlog.FromLog},
		"the full text":              full,
		"the text of some years ago": denial("ecs:RegisterTaskDefinition", "*"),
		"only the role to pass":      denial(floor.PassRole, "arn:aws:iam::111122223333:role/task"),
	} {
		t.Run(name, func(t *testing.T) {
			in := story(t, deploySettings, d)
			managed(&in)
			in = asked(in)
			j := Judge(in)
			checkShape(t, in, j)
			if j.Target == nil {
				t.Fatal(verdict(j), j.Refusals)
			}
			want := `+ Deploy: allow ecs:DescribeServices, ecs:DescribeTaskDefinition, ecs:RegisterTaskDefinition, ecs:UpdateService on *
+ Deploy2: allow iam:PassRole on arn:aws:iam::111122223333:role/execution, arn:aws:iam::111122223333:role/task if ` +
				`StringEquals iam:PassedToService = ecs-tasks.amazonaws.com`
			if d := cmp.Diff(want, lines(t, j.Target.Before, j.Target.After)); d != "" {
				t.Errorf("what is new (-want +got):\n%s", d)
			}
			if !strings.Contains(j.Target.After, foreignStatement) || j.Target.BeforeVersion != "v1" {
				t.Errorf("the old statements were not kept:\n%s", j.Target.After)
			}
		})
	}
}

// TestSecondRound: what the first round gave is not given again.
func TestSecondRound(t *testing.T) {
	in := story(t, deploySettings, denial("ecs:UpdateService", "arn:aws:ecs:eu-west-1:111122223333:service/c/s"))
	managed(&in)
	first := Judge(asked(in))
	in.Role.Named.Document = first.Target.After
	in.Role.Managed = []ManagedPolicy{*in.Role.Named}
	if got := verdict(Judge(asked(in))); got != "allowed" {
		t.Errorf("the same denial again: %s", got)
	}
	in.Denials = []buildlog.Denial{denial("ecs:RunTask", "arn:aws:ecs:eu-west-1:111122223333:task-definition/shop:1")}
	if got := verdict(Judge(asked(in))); got != "not-on-allowlist" {
		t.Errorf("another denial: %s", got)
	}
}

// TestCloudFormation: the set names its stack exactly. Creating and executing
// change sets are together an escalation path, so they are never both brought
// in; what else the set holds is, for a role that has both.
func TestCloudFormation(t *testing.T) {
	stack := "arn:aws:cloudformation:eu-west-1:111122223333:stack/shop/*"
	transform := "arn:aws:cloudformation:eu-west-1:aws:transform/Serverless-2016-10-31"
	in := story(t, `version: 1
projects:
  - {name: shop, role: service-role/codebuild-shop, mode: heal, write: {inline: buildmedic}, grants: [stack]}
grants:
  - {id: stack, because: b, owner: o, set: sam-deploy, give: set, `+
		`resources: ["arn:${partition}:cloudformation:${region}:${account}:stack/shop/*", `+
		`"arn:${partition}:cloudformation:${region}:aws:transform/Serverless-2016-10-31"]}
`, denial("cloudformation:CreateChangeSet", transform))
	if got := verdict(Judge(asked(in))); got != "escalation-path" {
		t.Errorf("a role that has neither: %s", got)
	}
	in.Role.Inline["deploy"] = policy(iampolicy.Allow("d",
		[]string{"cloudformation:CreateChangeSet", "cloudformation:ExecuteChangeSet"}, []string{stack}))
	j := Judge(asked(in))
	checkShape(t, in, j)
	if len(j.Added) == 0 || !strings.Contains(j.Target.After, transform) {
		t.Errorf("a role that lacks only the transform: %s %v", verdict(j), j.Refusals)
	}
}

// TestVPCBuild: what manages permissions is given only under its condition.
func TestVPCBuild(t *testing.T) {
	in := story(t, `version: 1
projects:
  - {name: shop, role: service-role/codebuild-shop, mode: heal, write: {inline: buildmedic}, grants: [vpc]}
grants:
  - {id: vpc, because: b, owner: o, set: vpc-build, give: set, resources: ["arn:${partition}:ec2:${region}:${account}:*/*"]}
`, denial("ec2:CreateNetworkInterfacePermission", "arn:aws:ec2:eu-west-1:111122223333:network-interface/eni-1"))
	in = asked(in)
	j := Judge(in)
	checkShape(t, in, j)
	if got := j.Proof[0].Context["ec2:AuthorizedService"]; len(got) != 1 || got[0] != "codebuild.amazonaws.com" {
		t.Errorf("asked with %v", j.Proof[0].Context)
	}
	for _, st := range j.Added {
		for _, a := range st.Action.List {
			if a == "ec2:CreateNetworkInterfacePermission" && !keptToPurpose(a, st) {
				t.Errorf("%s without its condition: %+v", a, st)
			}
		}
	}
}

package guardrail

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/floor"
	"github.com/buildmedic/buildmedic/internal/settings"
)

const entryHead = `version: 1
projects:
  - name: shop
    role: service-role/codebuild-shop
    mode: heal
    write: {inline: buildmedic}
    grants: [shop-image, ID]
grants:
  - id: shop-image
    because: The image is pushed by its own pipeline.
    owner: platform
    set: ecr-push
    resources: ["arn:${partition}:ecr:${region}:${account}:repository/shop"]
`

// TestEntry puts the entry of a refusal into the settings and asks again: it
// is a valid entry, and it allows exactly what was refused.
func TestEntry(t *testing.T) {
	for _, row := range []struct {
		action, resource string
		want             string // its list of resources; "" if no entry may be given
	}{
		{"s3:GetObject", "arn:aws:s3:::shop/a b#c: [x]{y}'!.txt", `["arn:${partition}:s3:::shop/a b#c: [x]{y}'!.txt"]`},
		{"ecr:DeleteRepository", repo + "2", `["arn:${partition}:ecr:${region}:${account}:repository/shop2"]`},
		{"ecr:DescribeImages", strings.Replace(repo, "eu-west-1", "us-east-1", 1),
			`["arn:${partition}:ecr:us-east-1:${account}:repository/shop"]`},
		{"ecs:DescribeTaskDefinition", "*", `["*"]`},
		{"lambda:UpdateFunctionCode", "arn:aws:lambda:eu-west-1:111122223333:function:shop",
			`["arn:${partition}:lambda:${region}:${account}:function:shop"]`},
		{"secretsmanager:GetSecretValue", "shop/db", `["arn:${partition}:secretsmanager:${region}:${account}:secret:shop/db-??????"]`},
		{"logs:CreateLogGroup", "arn:aws:logs:eu-west-1:111122223333:log-group:/x:log-stream:",
			`["arn:${partition}:logs:${region}:${account}:log-group:/x", "arn:${partition}:logs:${region}:${account}:log-group:/x:*"]`},
		{"s3:GetObject", "arn:aws:s3:::shop/é", ""},
		{"s3:GetObject", "arn:aws:s3:::shop/a$b", ""},
		{"s3:GetObject", "arn:aws:s3:::shop/a ", ""},
		{"ecr:DeleteRepository", "", ""},
		{"ecr:DeleteRepository", "arn:aws:ecr:eu-west-1:***:repository/x", ""},
		{"iam:CreateUser", "arn:aws:iam::111122223333:user/x", ""},
		{"iam:PassRole", "arn:aws:iam::111122223333:role/x", ""},
		{"ecr:DeleteRepository", strings.Replace(repo, account, "444455556666", 1), ""},
		{"ecr:DeleteRepository", "arn:aws:ecr:eu-west-1:111122223333:repository/*", ""},
	} {
		in := shop()
		in.Denials = []buildlog.Denial{denial(row.action, row.resource)}
		j := Judge(asked(in))
		if len(j.Refusals) != 1 {
			t.Fatalf("%s on %s: %s", row.action, row.resource, verdict(j))
		}
		entry := j.Refusals[0].Entry
		if (entry == "") != (row.want == "") || !strings.Contains(entry, row.want) {
			t.Errorf("%s on %s: entry\n%swant %q", row.action, row.resource, entry, row.want)
		}
		if entry == "" {
			continue
		}
		id := strings.TrimPrefix(strings.Split(entry, "\n")[1], "- id: ")
		yaml := strings.Replace(entryHead, "ID", id, 1) + "  " + strings.ReplaceAll(strings.TrimSpace(entry), "\n", "\n  ") + "\n"
		s, err := settings.Parse([]byte(yaml))
		if err != nil {
			t.Errorf("%s on %s: the entry is no good: %v\n%s", row.action, row.resource, err, yaml)
			continue
		}
		in.Settings, in.Project = s, s.Projects[0]
		j = Judge(asked(in))
		checkShape(t, in, j)
		if len(j.Added) != 1 || len(j.Added[0].Action.List) != 1 {
			t.Errorf("%s on %s: with the entry: %s %v", row.action, row.resource, verdict(j), j.Refusals)
		}
	}
}

func TestEntryText(t *testing.T) {
	in := shop()
	in.Denials = []buildlog.Denial{denial("ecr:deleterepository", repo+"2")}
	in.Settings.Grants = append(in.Settings.Grants, settings.Grant{ID: "shop-ecr-deleterepository"})
	want := `# to be named under the grants of project "shop"
- id: shop-ecr-deleterepository-2
  because: "Builds of shop call ecr:DeleteRepository."
  owner: "platform"
  scope: project
  actions: ["ecr:DeleteRepository"]
  resources: ["arn:${partition}:ecr:${region}:${account}:repository/shop2"]
`
	if d := cmp.Diff(want, Judge(in).Refusals[0].Entry); d != "" {
		t.Errorf("entry (-want +got):\n%s", d)
	}
	in.Settings.Grants, in.Project.Grants = nil, nil
	in.Project.Name, in.Build.Project = strings.Repeat("Ünïcode ", 20), strings.Repeat("Ünïcode ", 20)
	entry := Judge(in).Refusals[0].Entry
	if id := strings.Split(entry, "\n")[1]; len(id) > 60 || strings.ContainsAny(id, "Üï") ||
		!strings.Contains(entry, `owner: "platform"`) {
		t.Errorf("entry\n%s", entry)
	}
}

// TestEntrySet ensures that an entry offers the one set that fits, as a
// comment, and that it is a valid entry with the set in the actions' place.
func TestEntrySet(t *testing.T) {
	const distribution = "arn:aws:cloudfront::111122223333:distribution/E1EXAMPLE23456"
	for _, row := range []struct {
		action, resource, command string
		want                      string // the set; "" if none is offered
	}{
		{"ecr:InitiateLayerUpload", repo + "2", "", "ecr-push"},
		{"ecr:BatchGetImage", repo + "2", "docker push shop2:1", "ecr-push"},
		{"ecr:BatchGetImage", repo + "2", "docker pull shop2:1", "ecr-pull"},
		{"ecr:BatchGetImage", repo + "2", "./build.sh", ""},
		{"ecr:BatchGetImage", repo + "2", "docker pull shop2:1 && docker push shop2:1", ""},
		{"ecr:BatchGetImage", repo + "2", "./pusher.sh", ""},
		{"cloudfront:CreateInvalidation", distribution, "", "cloudfront-invalidate"},
		{"ecr:DeleteRepository", repo + "2", "docker push shop2:1", ""},                 // in no set
		{"ecr:GetAuthorizationToken", "*", "docker push shop2:1", ""},                   // no resource for the rest
		{"s3:GetObject", "arn:aws:s3:::shop/k", "terraform init", ""},                   // sets that want a bucket or table too
		{"ecr:TagResource", repo + "2", "docker push shop2:1", ""},                      // a set of other services too
		{"eks:DescribeCluster", "arn:aws:eks:eu-west-1:111122223333:cluster/x", "", ""}, // a set of one action
	} {
		in := shop()
		in.Settings.Grants, in.Project.Grants = nil, nil
		in.Build.Phases = []codebuild.Phase{{Type: "BUILD", Status: codebuild.Failed,
			Contexts: []codebuild.Context{{Code: "COMMAND_EXECUTION_ERROR",
				Message: "Error while executing command: " + row.command + ". Reason: exit status 1"}}}}
		in.Denials = []buildlog.Denial{denial(row.action, row.resource)}
		j := Judge(asked(in))
		if len(j.Refusals) != 1 || j.Refusals[0].Entry == "" {
			t.Fatalf("%s: %s %v", row.action, verdict(j), j.Refusals)
		}
		entry := j.Refusals[0].Entry
		if !strings.Contains(entry, "\n  actions: [\""+row.action+"\"]\n") || strings.Contains(entry, "set:") != (row.want != "") ||
			!strings.Contains(entry, "  # set: "+row.want) && row.want != "" {
			t.Errorf("%s in %q: entry\n%swant set %q", row.action, row.command, entry, row.want)
			continue
		}
		if row.want == "" {
			continue
		}
		var lines []string
		for l := range strings.Lines(strings.NewReplacer("# set:", "set:", "# give:", "give:").Replace(entry)) {
			if !strings.HasPrefix(l, "  actions:") {
				lines = append(lines, "  "+l)
			}
		}
		id := strings.TrimSpace(strings.TrimPrefix(lines[1], "  - id: "))
		yaml := strings.Replace(entryHead, "ID", id, 1) + strings.Join(lines, "")
		s, err := settings.Parse([]byte(yaml))
		if err != nil {
			t.Errorf("%s: the set is no good: %v\n%s", row.action, err, yaml)
			continue
		}
		in.Settings, in.Project = s, s.Projects[0]
		j = Judge(asked(in))
		checkShape(t, in, j)
		given := map[string]bool{}
		for _, st := range j.Added {
			for _, a := range st.Action.List {
				given[a] = true
			}
		}
		if set, _ := floor.SetNamed(row.want); len(given) != len(set.Actions) {
			t.Errorf("%s: with set %s: given %v, want %v; %v", row.action, row.want, given, set, j.Refusals)
		}
	}
}

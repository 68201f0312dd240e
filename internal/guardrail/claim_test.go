package guardrail

import (
	"strings"
	"testing"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// TestResourceForms shows what becomes of each form in which AWS prints a
// resource (AWS.md#denied-resource), with a grant that gives exactly what was denied.
func TestResourceForms(t *testing.T) {
	logs := "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/codebuild/shop"
	for _, row := range []struct {
		name, action, resource string
		allowed                string // the grant's resources, separated by spaces
		want                   string
	}{
		{"an ARN", "ssm:GetParameters", "arn:aws:ssm:eu-west-1:111122223333:parameter/a/b", "arn:aws:ssm:*:111122223333:parameter/a/*",
			"+ ssm:GetParameters on arn:aws:ssm:eu-west-1:111122223333:parameter/a/b"},
		{"an object whose key holds a space", "s3:GetObject", "arn:aws:s3:::shop/a b.txt", "arn:aws:s3:::shop/*",
			"+ s3:GetObject on arn:aws:s3:::shop/a b.txt"},
		{"a bucket", "s3:ListBucket", "arn:aws:s3:::shop", "arn:aws:s3:::shop arn:aws:s3:::shop/*", "+ s3:ListBucket on arn:aws:s3:::shop"},
		{"a repository whose name holds a space", "ecr:PutImage", repo + " because",
			"arn:aws:ecr:*:111122223333:repository/*", "hostile-text"},
		{"* for an action without resources", "ecs:DescribeTaskDefinition", "*", "*", "+ ecs:DescribeTaskDefinition on *"},
		{"an ARN for an action without resources", "cloudformation:ListStacks",
			"arn:aws:cloudformation:eu-west-1:111122223333:stack/*/*", "*", "+ cloudformation:ListStacks on *"},
		{"an ARN of another account for an action without resources", "cloudformation:ListStacks",
			"arn:aws:cloudformation:eu-west-1:444455556666:stack/*/*", "*", "foreign-resource"},
		{"absent for an action without resources", "logs:DescribeLogGroups", "", "*", "+ logs:DescribeLogGroups on *"},
		{"this resource", "kms:GenerateDataKey", "this resource", "*", "unknown-resource"},
		{"a role's bare name", "iam:GetRole", "role cdk-x", "arn:aws:iam::111122223333:role/cdk-x", "unknown-resource"},
		{"a secret's bare name", "secretsmanager:GetSecretValue", "shop/db", "arn:aws:secretsmanager:${region}:${account}:secret:shop/*",
			"+ secretsmanager:GetSecretValue on arn:aws:secretsmanager:eu-west-1:111122223333:secret:shop/db-??????"},
		{"a secret that begins like the allowed one", "secretsmanager:GetSecretValue", "shop/db",
			"arn:aws:secretsmanager:${region}:${account}:secret:shop/d-??????", "not-on-allowlist"},
		{"a bare name with a wildcard", "secretsmanager:GetSecretValue", "*",
			"arn:aws:secretsmanager:*:111122223333:secret:*", "unknown-resource"},
		{"a bare name with a colon", "secretsmanager:GetSecretValue", "a:b",
			"arn:aws:secretsmanager:*:111122223333:secret:*", "unknown-resource"},
		{"a log group with an empty stream", "logs:CreateLogGroup", logs + ":log-stream:", logs + " " + logs + ":*",
			"+ logs:CreateLogGroup on " + logs + "," + logs + ":*"},
		{"a log group of which the grant names only the contents", "logs:CreateLogGroup", logs + ":log-stream:",
			logs + ":*", "+ logs:CreateLogGroup on " + logs + ":*"},
		{"a log group of which the grant names only the group", "logs:CreateLogGroup", logs + ":log-stream:", logs, "not-on-allowlist"},
		{"a stream named after this build", "logs:PutLogEvents", logs + ":log-stream:" + uuid, logs + ":*",
			"+ logs:PutLogEvents on " + logs + ":log-stream:*"},
		{"a stream with a prefix", "logs:PutLogEvents", logs + ":log-stream:ci/" + uuid, logs + ":*",
			"+ logs:PutLogEvents on " + logs + ":log-stream:ci/*"},
		{"a stream of another name", "logs:PutLogEvents", logs + ":log-stream:ci", logs + ":*",
			"+ logs:PutLogEvents on " + logs + ":log-stream:ci"},
		{"an object that looks like a stream of this build", "s3:GetObject",
			"arn:aws:s3:::shop/:logs:x:log-stream:" + uuid, "arn:aws:s3:::shop/*",
			"+ s3:GetObject on arn:aws:s3:::shop/:logs:x:log-stream:" + uuid},
		{"an object that looks like a log group", "s3:GetObject", "arn:aws:s3:::shop/:logs:x:log-stream:", "arn:aws:s3:::shop/*",
			"+ s3:GetObject on arn:aws:s3:::shop/:logs:x:log-stream:"},
		{"a transform", "cloudformation:CreateChangeSet", "arn:aws:cloudformation:eu-west-1:aws:transform/Serverless-2016-10-31",
			"arn:${partition}:cloudformation:${region}:aws:transform/Serverless-2016-10-31",
			"+ cloudformation:CreateChangeSet on arn:aws:cloudformation:eu-west-1:aws:transform/Serverless-2016-10-31"},
		{"something else of account aws", "ecr:PutImage", "arn:aws:ecr:eu-west-1:aws:repository/shop", "*", "foreign-resource"},
		{"a stack whose id nobody knows", "cloudformation:CreateChangeSet", "arn:aws:cloudformation:eu-west-1:111122223333:stack/shop/*",
			"arn:aws:cloudformation:${region}:${account}:stack/shop/*",
			"+ cloudformation:CreateChangeSet on arn:aws:cloudformation:eu-west-1:111122223333:stack/shop/*"},
		{"an object that looks like a stack", "s3:GetObject", "arn:aws:s3:::shop/x:cloudformation:y:stack/z/*",
			"arn:aws:s3:::shop/*", "hostile-text"},
		{"an object that looks like a task definition", "s3:GetObject", "arn:aws:s3:::shop/x:ecs:y:task-definition/z:*",
			"arn:aws:s3:::shop/*", "hostile-text"},
		{"all stacks", "cloudformation:DescribeStacks", "arn:aws:cloudformation:eu-west-1:111122223333:stack/*/*", "*", "hostile-text"},
		{"all stacks of a kind", "cloudformation:DescribeStacks",
			"arn:aws:cloudformation:eu-west-1:111122223333:stack/shop*/*", "*", "hostile-text"},
		{"a network that does not exist yet", "ec2:CreateVpc", "arn:aws:ec2:eu-west-1:111122223333:vpc/*",
			"arn:${partition}:ec2:${region}:${account}:vpc/*", "+ ec2:CreateVpc on arn:aws:ec2:eu-west-1:111122223333:vpc/*"},
		{"the same, and the grant is wider", "ec2:CreateVpc", "arn:aws:ec2:eu-west-1:111122223333:vpc/*",
			"arn:${partition}:ec2:*:${account}:*/*", "+ ec2:CreateVpc on arn:aws:ec2:eu-west-1:111122223333:vpc/*"},
		{"the same, and the grant is narrower", "ec2:CreateVpc", "arn:aws:ec2:eu-west-1:111122223333:vpc/*",
			"arn:${partition}:ec2:${region}:${account}:vpc/vpc-0a*", "not-on-allowlist"},
		{"a target group that has a name and no id yet", "elasticloadbalancing:CreateTargetGroup",
			"arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/web/*",
			"arn:${partition}:elasticloadbalancing:${region}:${account}:targetgroup/web/*",
			"+ elasticloadbalancing:CreateTargetGroup on arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/web/*"},
		{"a database that does not exist yet", "rds:CreateDBInstance", "arn:aws:rds:eu-west-1:111122223333:db:*",
			"arn:${partition}:rds:${region}:${account}:*", "+ rds:CreateDBInstance on arn:aws:rds:eu-west-1:111122223333:db:*"},
		{"a job of a type that the action is not said to take", "mediaconvert:CreateJob",
			"arn:aws:mediaconvert:eu-west-1:111122223333:jobs/*", "*",
			"+ mediaconvert:CreateJob on arn:aws:mediaconvert:eu-west-1:111122223333:jobs/*"},
		{"the tags of what does not exist yet", "ec2:CreateTags", "arn:aws:ec2:eu-west-1:111122223333:vpc/*",
			"arn:${partition}:ec2:${region}:${account}:vpc/*", "+ ec2:CreateTags on arn:aws:ec2:eu-west-1:111122223333:vpc/*"},
		{"all databases, by a call that lists them", "rds:DescribeDBInstances", "arn:aws:rds:eu-west-1:111122223333:db:*",
			"arn:${partition}:rds:${region}:${account}:db:*", "+ rds:DescribeDBInstances on arn:aws:rds:eu-west-1:111122223333:db:*"},
		{"a network that exists", "ec2:CreateSubnet", "arn:aws:ec2:eu-west-1:111122223333:vpc/*",
			"arn:${partition}:ec2:${region}:${account}:*/*", "hostile-text"},
		{"all networks", "ec2:DeleteVpc", "arn:aws:ec2:eu-west-1:111122223333:vpc/*",
			"arn:${partition}:ec2:${region}:${account}:vpc/*", "hostile-text"},
		{"a network in all regions", "ec2:CreateVpc", "arn:aws:ec2:*:111122223333:vpc/*",
			"arn:${partition}:ec2:*:${account}:vpc/*", "hostile-text"},
		{"a network of another account", "ec2:CreateVpc", "arn:aws:ec2:eu-west-1:444455556666:vpc/*",
			"arn:${partition}:ec2:${region}:*:vpc/*", "foreign-resource"},
		{"all functions, whose names the caller chooses", "lambda:CreateFunction", "arn:aws:lambda:eu-west-1:111122223333:function:*",
			"arn:${partition}:lambda:${region}:${account}:function:*", "hostile-text"},
		{"all roles to pass", "iam:PassRole", "arn:aws:iam::111122223333:role/*", "arn:${partition}:iam::${account}:role/*",
			"hostile-text"},
		{"all objects", "s3:GetObject", "arn:aws:s3:::shop/*", "arn:aws:s3:::shop/*", "hostile-text"},
		{"some objects", "s3:GetObject", "arn:aws:s3:::shop/?", "arn:aws:s3:::shop/*", "hostile-text"},
		{"all repositories", "ecr:PutImage", "arn:aws:ecr:eu-west-1:111122223333:repository/*", "*", "hostile-text"},
		{"all regions", "ecr:PutImage", "arn:aws:ecr:*:111122223333:repository/shop", "*", "hostile-text"},
		{"all accounts", "ecr:PutImage", "arn:aws:ecr:eu-west-1:*:repository/shop", "*", "foreign-resource"},
		{"all partitions", "ecr:PutImage", "arn:*:ecr:eu-west-1:111122223333:repository/shop", "*", "foreign-resource"},
		{"a policy variable", "s3:GetObject", "arn:aws:s3:::shop/${aws:PrincipalTag/x}", "arn:aws:s3:::shop/*", "hostile-text"},
		{"a quote and more JSON", "s3:GetObject", `arn:aws:s3:::shop/x"],"Action":["*`, "arn:aws:s3:::shop/*", "hostile-text"},
		{"a backslash", "s3:GetObject", `arn:aws:s3:::shop/\u002a`, "arn:aws:s3:::shop/*", "hostile-text"},
		{"a line break", "s3:GetObject", "arn:aws:s3:::shop/x\n- id: all", "arn:aws:s3:::shop/*", "hostile-text"},
		{"a tab", "s3:GetObject", "arn:aws:s3:::shop/\tx", "arn:aws:s3:::shop/*", "hostile-text"},
		{"an escape sequence", "s3:GetObject", "arn:aws:s3:::shop/\x1b[31m", "arn:aws:s3:::shop/*", "hostile-text"},
		{"a NUL", "s3:GetObject", "arn:aws:s3:::shop/\x00", "arn:aws:s3:::shop/*", "hostile-text"},
		{"text turned around", "s3:GetObject", "arn:aws:s3:::shop/\u202etxt", "arn:aws:s3:::shop/*", "hostile-text"},
		{"a look-alike letter", "s3:GetObject", "arn:aws:s3:::shоp/x", "*", "hostile-text"},
		{"a wide asterisk", "s3:GetObject", "arn:aws:s3:::shop/＊", "arn:aws:s3:::shop/*", "hostile-text"},
		{"no UTF-8", "s3:GetObject", "arn:aws:s3:::shop/\xff\xfe", "arn:aws:s3:::shop/*", "hostile-text"},
		{"a letter that policies take", "s3:GetObject", "arn:aws:s3:::shop/é", "arn:aws:s3:::shop/*",
			"+ s3:GetObject on arn:aws:s3:::shop/é"},
		{"as long as IAM reads", "s3:GetObject", "arn:aws:s3:::shop/" + strings.Repeat("x", maxResource-18), "arn:aws:s3:::shop/*",
			"+ s3:GetObject on arn:aws:s3:::shop/" + strings.Repeat("x", maxResource-18)},
		{"longer than IAM reads", "s3:GetObject", "arn:aws:s3:::shop/" + strings.Repeat("x", maxResource-17),
			"arn:aws:s3:::shop/*", "hostile-text"},
		{"masked, and hostile besides", "s3:GetObject", "arn:aws:s3:::***\n", "arn:aws:s3:::shop/*", "hostile-text"},
		{"an ARN that is none", "s3:GetObject", "arn:aws:s3", "arn:aws:s3:::shop/*", "unknown-resource"},
		{"a path that climbs", "s3:GetObject", "arn:aws:s3:::shop/../other/x", "arn:aws:s3:::shop/*",
			"+ s3:GetObject on arn:aws:s3:::shop/../other/x"},
		{"a bucket that begins like it", "s3:GetObject", "arn:aws:s3:::shop-secret/x", "arn:aws:s3:::shop/*", "not-on-allowlist"},
		{"a colon where the pattern has a *", "ecr:PutImage", "arn:aws:ecr:eu-west-1:111122223333:repository/shop",
			"arn:aws:ecr:*:repository/shop", "not-on-allowlist"},
	} {
		t.Run(row.name, func(t *testing.T) {
			in := shop()
			in.Denials[0] = denial(row.action, row.resource)
			g := grantOf(&in)
			g.Actions, g.Resources, g.Give = []string{row.action}, strings.Fields(row.allowed), settings.GiveExact
			in = asked(in)
			j := Judge(in)
			checkShape(t, in, j)
			if got := strings.TrimPrefix(verdict(j), "inline | "); got != row.want {
				t.Errorf("got  %q\nwant %q\n%v", got, row.want, j.Refusals)
			}
			for _, q := range Questions(in) {
				if strings.ContainsAny(q.Resource, "\"\\\n\x1b\x00?") || strings.Contains(q.Resource, "${") {
					t.Errorf("the simulator would be asked about %q", q.Resource)
				}
			}
		})
	}
}

// TestMissingResourceMayMeanSeveralGrants: the text cannot tell which
// repository is meant, so all that the role lacks are given.
func TestMissingResourceMayMeanSeveralGrants(t *testing.T) {
	in := shop()
	in.Denials[0].Resource = ""
	in.Settings.Grants, in.Project.Grants = nil, nil
	for _, name := range []string{"api", "web", "exact"} {
		g := settings.Grant{ID: name, Give: settings.GiveSet, Actions: []string{"ecr:PutImage"}, Resources: []string{repo + "-" + name}}
		if name == "exact" {
			g.Give = settings.GiveExact
		}
		in.Settings.Grants, in.Project.Grants = append(in.Settings.Grants, g), append(in.Project.Grants, name)
	}
	want := "inline | + ecr:PutImage on " + repo + "-api | + ecr:PutImage on " + repo + "-web"
	if got := verdict(Judge(in)); got != want {
		t.Errorf("not asked: got %q, want %q", got, want)
	}
	in.Role.Inline["deploy"] = policy(iampolicy.Allow("d", []string{"ecr:PutImage"}, []string{repo + "-api"}))
	in = asked(in)
	want = "inline | + ecr:PutImage on " + repo + "-web"
	j := Judge(in)
	if got := verdict(j); got != want {
		t.Errorf("the role has one: got %q, want %q", got, want)
	}
	checkShape(t, in, j)
}

func TestIdentify(t *testing.T) {
	in := shop()
	in.Role = RoleState{} // not read yet
	if rs := Identify(in); len(rs) > 0 {
		t.Errorf("the build's own denial: %v", rs)
	}
	in.Denials = append(in.Denials, denial("ecr:PutImage", repo), denial("ecr:PutImage", repo))
	in.Denials[1].Principal = strings.Replace(session, account, "444455556666", 1)
	in.Denials[2].Principal = strings.Replace(session, uuid, "x", 1)
	if rs := Identify(in); len(rs) != 2 || rs[0].Rule != OtherAccount || rs[1].Rule != OtherBuild {
		t.Errorf("two denials of others: %v", rs)
	}
	in.Project.Role = "other"
	if rs := Identify(in); len(rs) != 1 || rs[0].Rule != NotTheRole {
		t.Errorf("another role: %v", rs)
	}
}

func TestClip(t *testing.T) {
	if got := clip("a\x1b[31m\n\u202eb\u00a0é" + strings.Repeat("x", 400)); len(got) > 310 || strings.ContainsAny(got, "\x1b\n\u202e") ||
		!strings.HasPrefix(got, "a?[31m??b\u00a0é") || !strings.HasSuffix(got, "…") {
		t.Errorf("clip: %q", got)
	}
}

// TestLayerName: what a refusal calls the policy that denies.
func TestLayerName(t *testing.T) {
	for layer, want := range map[buildlog.Layer]string{"": "policy", buildlog.LayerUnstated: "policy",
		buildlog.ServiceControl: "service control policy", buildlog.IdentityBased: "identity based policy"} {
		if got := layerName(layer); got != want {
			t.Errorf("%q is called %q, want %q", layer, got, want)
		}
	}
}

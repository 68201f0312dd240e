package guardrail

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/iamref"
)

// TestSets checks every action of every set against the service reference
// and the floor.
func TestSets(t *testing.T) {
	if !slices.IsSorted(Catalog().Names()) {
		t.Error("sets are not sorted")
	}
	for _, s := range sets {
		if s.purpose == "" || Purpose(s.name) != s.purpose {
			t.Errorf("set %s: purpose %q", s.name, Purpose(s.name))
		}
		got, ok := Catalog().Set(s.name)
		if !ok || !slices.Equal(got, s.actions) || len(got) == 0 {
			t.Errorf("set %s: %v", s.name, got)
		}
		if !slices.IsSorted(s.actions) || len(slices.Compact(slices.Clone(s.actions))) != len(s.actions) {
			t.Errorf("set %s is not sorted or names an action twice", s.name)
		}
		for _, a := range s.actions {
			if ref, ok := iamref.Lookup(a); !ok || ref.Name != a {
				t.Errorf("set %s: %s is no action, or %s", s.name, a, ref.Name)
			}
			if why, never, _ := Catalog().Floor(a); never {
				t.Errorf("set %s: %s", s.name, why)
			}
		}
	}
	if _, ok := Catalog().Set("everything"); ok || Purpose("everything") != "" {
		t.Error("there is a set that there is not")
	}
	if a, _ := Catalog().Set("kms"); len(a) > 0 {
		a[0] = "iam:PassRole"
		if b, _ := Catalog().Set("kms"); b[0] == a[0] {
			t.Error("a caller can change a set")
		}
	}
}

// TestTheTwentyNeeds checks that each need of aws-facts §9 has its set. Need
// 16 (EKS) ends at the cluster's own gate, 19 is an image pull.
func TestTheTwentyNeeds(t *testing.T) {
	needs := map[string]string{
		"1 ECR": "ecr-push ecr-pull", "2 logs": "logs", "3 SSM": "ssm-parameters", "4 secrets": "secrets", "5 S3 artifacts": "s3-artifacts",
		"6 CDK": "cdk-deploy", "7 VPC": "vpc-build", "8 ECS": "ecs-deploy ecs-deploy-wait", "9 s3 sync": "s3-deploy",
		"10 CodeArtifact": "codeartifact codeartifact-publish", "11 KMS": "kms", "12 reports": "reports", "13 connections": "connections",
		"14 SAM": "sam-deploy", "15 Lambda": "lambda-deploy", "16 EKS": "eks-describe", "17 CloudFront": "cloudfront-invalidate",
		"18 CodeCommit": "codecommit-pull", "19 build image": "ecr-pull", "20 tagging": "tagging", "21 Terraform": "terraform-state",
	}
	used := map[string]bool{}
	for need, names := range needs {
		for _, n := range strings.Fields(names) {
			used[n] = true
			if _, ok := Catalog().Set(n); !ok {
				t.Errorf("need %s has no set %s", need, n)
			}
		}
	}
	if d := slices.Sorted(maps.Keys(used)); !slices.Equal(d, Catalog().Names()) {
		t.Errorf("sets %v, needs use %v", Catalog().Names(), d)
	}
}

// The two sets of the seed failures are exactly what was told there.
func TestSeedSets(t *testing.T) {
	for name, want := range map[string]string{
		"ecr-push": "ecr:BatchCheckLayerAvailability ecr:BatchGetImage ecr:CompleteLayerUpload ecr:GetAuthorizationToken " +
			"ecr:GetDownloadUrlForLayer ecr:InitiateLayerUpload ecr:PutImage ecr:UploadLayerPart",
		"ecs-deploy": "ecs:DescribeServices ecs:DescribeTaskDefinition ecs:RegisterTaskDefinition ecs:UpdateService",
	} {
		if got, _ := Catalog().Set(name); strings.Join(got, " ") != want {
			t.Errorf("set %s is %v", name, got)
		}
	}
}

func TestFloor(t *testing.T) {
	for _, row := range []struct {
		action string
		want   hardness
	}{
		{"ecr:PutImage", free}, {"s3:DeleteObject", free}, {"ecs:UpdateService", free}, {"ecs:RegisterTaskDefinition", free},
		{"kms:Decrypt", free}, {"iam:GetRole", free}, {"iam:ListRoles", free}, {"organizations:DescribeOrganization", free},
		{"sts:GetCallerIdentity", free}, {"sts:GetServiceBearerToken", free}, {"ec2:CreateNetworkInterfacePermission", free},
		{"ecr:PutLifecyclePolicy", free}, {"application-autoscaling:PutScalingPolicy", free}, {"logs:PutRetentionPolicy", free},
		{"cloudfront:CreateCachePolicy", free}, {"codeartifact:GetAuthorizationToken", free},

		{"sts:AssumeRole", exactName}, {"lambda:UpdateFunctionCode", exactName}, {"cloudformation:CreateChangeSet", exactName},
		{"ecs:RunTask", exactName}, {"codebuild:StartBuild", exactName}, {"ssm:SendCommand", exactName}, {"STS:assumerole", exactName},
		{"lambda:InvokeFunction", exactName}, {"ec2:RunInstances", exactName}, {"states:StartExecution", exactName},

		{"iam:PassRole", passes},

		{"iam:CreateUser", never}, {"iam:PutRolePolicy", never}, {"iam:CreateServiceLinkedRole", never}, {"iam:TagRole", never},
		{"iam:AddUserToGroup", never}, {"iam:CreateAccessKey", never}, {"organizations:LeaveOrganization", never},
		{"account:PutAlternateContact", never}, {"kms:PutKeyPolicy", never}, {"kms:CreateGrant", never},
		{"ecr:SetRepositoryPolicy", never}, {"s3:PutBucketPolicy", never}, {"s3:PutObjectAcl", never}, {"lambda:AddPermission", never},
		{"kinesis:PutResourcePolicy", never}, {"codeartifact:PutDomainPermissionsPolicy", never}, {"ram:CreateResourceShare", never},
		{"sqs:SetQueueAttributes", never}, {"sso:CreatePermissionSet", never}, {"budgets:CreateBudgetAction", never},
		{"ecs:PutAccountSettingDefault", never}, {"kafka:PutClusterPolicy", never}, {"ram:PromotePermissionCreatedFromPolicy", never},
		{"sts:GetSessionToken", never}, {"ssm:CreateActivation", never}, {"lambda:CreateEventSourceMapping", never},
		{"ecr:*", never}, {"*", never}, {"", never}, {"ecr:PushImage", never}, {"ecr:PutImage ", never}, {"ecr:PutІmage", never},
	} {
		got, why := floor(row.action)
		if got != row.want || (why == "") != (got == free) {
			t.Errorf("floor(%q) = %d, %q, want %d", row.action, got, why, row.want)
		}
		_, n, e := Catalog().Floor(row.action)
		if n != (row.want == never || row.want == passes) || e != (row.want == exactName) {
			t.Errorf("Catalog().Floor(%q) = never %v, exact only %v", row.action, n, e)
		}
	}
}

// TestExactOnlyExist fails for a line of exactonly.txt that protects nothing.
func TestExactOnlyExist(t *testing.T) {
	var list []string
	for line := range strings.Lines(exactOnlyText) {
		if service, names, ok := strings.Cut(line, ": "); ok && !strings.HasPrefix(line, "#") {
			for n := range strings.FieldsSeq(names) {
				list = append(list, service+":"+n)
			}
		} else if strings.TrimSpace(line) != "" && !strings.HasPrefix(line, "#") {
			t.Errorf("line %q has no service", line)
		}
	}
	if len(list) < 300 {
		t.Errorf("only %d actions", len(list))
	}
	for _, a := range list {
		if !exactOnly(a) || !exactOnly(strings.ToUpper(a)) || exactOnly(a+"x") || exactOnly(a[1:]) {
			t.Errorf("%s is not found by its name, or by more", a)
		}
		if _, ok := iamref.Lookup(a); !ok {
			t.Errorf("there is no action %s", a)
		}
		if h, _ := floor(a); h != exactName && h != never {
			t.Errorf("the floor of %s is %d", a, h)
		}
	}
}

// TestGoverning fails for a prefix that protects nothing.
func TestGoverning(t *testing.T) {
	if !slices.IsSorted(governing) {
		t.Error("not sorted")
	}
	for _, s := range governing {
		if len(iamref.Actions(s)) == 0 {
			t.Errorf("there is no service %s", s)
		}
	}
}

// TestNothingThatGovernsIsFree walks the whole reference: no permissions
// management, and no write to what governs, is ever left to the settings.
func TestNothingThatGovernsIsFree(t *testing.T) {
	count := map[hardness]int{}
	for _, service := range iamref.Services() {
		for _, a := range iamref.Actions(service) {
			h, _ := floor(a.Name)
			count[h]++
			_, isBound := bound[a.Name]
			reads := a.Level == iamref.Read || a.Level == iamref.List
			if a.Level == iamref.Permissions && h != never && !isBound {
				t.Errorf("%s manages permissions, and its floor is %d", a.Name, h)
			}
			if slices.Contains(governing, service) && !reads && h != never && a.Name != passRole {
				t.Errorf("%s governs, and its floor is %d", a.Name, h)
			}
		}
	}
	t.Logf("%d actions left to the settings, %d by exact name only, %d never", count[free], count[exactName], count[never])
}

func TestBound(t *testing.T) {
	for a, c := range bound {
		ref, ok := iamref.Lookup(a)
		if !ok || ref.Name != a || !slices.Contains(ref.Conditions, c.Key) {
			t.Errorf("%s has no condition key %s", a, c.Key)
		}
		if got := Catalog().Conditions(strings.ToUpper(a)); len(got) != 1 || got[0].Key != c.Key {
			t.Errorf("Conditions(%s) = %v", a, got)
		}
	}
	if got := Catalog().Conditions("ecr:PutImage"); got != nil {
		t.Errorf("ecr:PutImage has conditions %v", got)
	}
	if got := Catalog().Conditions("ecr:PushImage"); got != nil {
		t.Errorf("an action that does not exist has conditions %v", got)
	}
}

func TestOverlap(t *testing.T) {
	for _, row := range []struct {
		a, b string
		want bool
	}{
		{"", "", true}, {"*", "", true}, {"?", "", false}, {"a", "a", true}, {"a", "b", false}, {"a*", "*b", true}, {"a*", "b*", false},
		{"a?c", "ab?", true}, {"*", "*", true}, {"a**b", "ab", true}, {"*x*", "aaa", false}, {"*x*", "aa?", true},
		{"arn:aws:s3:::buildmedic*", "arn:aws:s3:::*", true}, {"arn:aws:s3:::buildmedic*", "arn:aws:s3:::shop*", false},
		{strings.Repeat("*a", 200) + "b", strings.Repeat("a", 400), false},
	} {
		if got := overlap(row.a, row.b); got != row.want {
			t.Errorf("overlap(%q, %q) = %v", row.a, row.b, got)
		}
		if got := overlap(row.b, row.a); got != row.want {
			t.Errorf("overlap(%q, %q) = %v", row.b, row.a, got)
		}
	}
}

// TestFloorOfStatements shows the second lock: statements as settings never
// make them.
func TestFloorOfStatements(t *testing.T) {
	role := "arn:aws:iam::111122223333:role/task"
	for _, row := range []struct {
		name string
		st   iampolicy.Statement
		want Rule
	}{
		{"fine", iampolicy.Allow("x", []string{"ecr:PutImage"}, []string{"*"}), ""},
		{"a write to IAM", iampolicy.Allow("x", []string{"ecr:PutImage", "iam:CreateUser"}, []string{"*"}), FloorNever},
		{"passing without a service", iampolicy.Allow("x", []string{passRole}, []string{role}), FloorPassRole},
		{"passing to what looks like a service", iampolicy.Allow("x", []string{passRole}, []string{role},
			iampolicy.Condition{Operator: "StringLike", Key: passedTo, Values: iampolicy.Values{List: []string{"*"}}}), FloorPassRole},
		{"passing any role", iampolicy.Allow("x", []string{passRole}, []string{role + "*"}, equals(passedTo, "ecs-tasks.amazonaws.com")), FloorPassRole},
		{"passing", iampolicy.Allow("x", []string{passRole}, []string{role}, equals(passedTo, "ecs-tasks.amazonaws.com")), ""},
		{"assuming any role", iampolicy.Allow("x", []string{"sts:AssumeRole"}, []string{role, "*"}), FloorExact},
		{"assuming one", iampolicy.Allow("x", []string{"sts:AssumeRole"}, []string{role}), ""},
		{"assuming what looks like a stack", iampolicy.Allow("x", []string{"sts:AssumeRole"}, []string{"arn:aws:iam::111122223333:role/a:stack/b/*"}), FloorExact},
		{"sending to what looks like a secret", iampolicy.Allow("x", []string{"ssm:SendCommand"}, []string{"arn:aws:s3:::a:secret:b-??????"}), FloorExact},
		{"changing a stack whose id AWS makes up", iampolicy.Allow("x", []string{"cloudformation:UpdateStack"}, []string{"arn:aws:cloudformation:eu-west-1:111122223333:stack/a/*"}), ""},
		{"a bound action alone", iampolicy.Allow("x", []string{"ec2:CreateNetworkInterfacePermission"}, []string{"*"}), FloorNever},
		{"a bound action for another", iampolicy.Allow("x", []string{"ec2:CreateNetworkInterfacePermission"}, []string{"*"}, equals("ec2:AuthorizedService", "evil.example.com")), FloorNever},
		{"a bound action", iampolicy.Allow("x", []string{"ec2:CreateNetworkInterfacePermission"}, []string{"*"}, equals("ec2:AuthorizedService", "codebuild.amazonaws.com")), ""},
	} {
		g := grant{statements: []iampolicy.Statement{row.st}}
		r := keepsFloor(shop(), g, denial("ecr:PutImage", repo), g.statements)
		if r == nil && row.want != "" || r != nil && r.Rule != row.want {
			t.Errorf("%s: %+v, want %q", row.name, r, row.want)
		}
	}
}

func TestExpand(t *testing.T) {
	in := shop()
	if got := Expand("arn:${partition}:ecr:${region}:${account}:repository/${project}", in.Build); got != repo {
		t.Errorf("Expand: %q", got)
	}
	in.Build.Project = "*"
	if got := Expand("arn:${partition}:ecr:${region}:${account}:repository/${project}", in.Build); got != "" {
		t.Errorf("a project that is a pattern: %q", got)
	}
}

package floor

import (
	"slices"
	"strings"
	"testing"

	"github.com/buildmedic/buildmedic/internal/iamref"
)

// TestSets checks every action of every set against the service reference
// and the floor.
func TestSets(t *testing.T) {
	if !slices.IsSorted(SetNames()) || len(SetNames()) != len(sets) {
		t.Errorf("of %d sets the names are not all there, or not sorted: %q", len(sets), SetNames())
	}
	for _, s := range sets {
		got, ok := SetNamed(s.Name)
		if !ok || got.Name != s.Name || got.Purpose == "" || !slices.Equal(got.Actions, s.Actions) || len(got.Actions) == 0 {
			t.Errorf("set %s: %+v", s.Name, got)
		}
		if !slices.IsSorted(s.Actions) || len(slices.Compact(slices.Clone(s.Actions))) != len(s.Actions) {
			t.Errorf("set %s is not sorted or names an action twice", s.Name)
		}
		for _, a := range s.Actions {
			if ref, ok := iamref.Lookup(a); !ok || ref.Name != a {
				t.Errorf("set %s: %s is no action, or %s", s.Name, a, ref.Name)
			}
			if h, why := Of(a); h == Never || h == PassRoles {
				t.Errorf("set %s: %s", s.Name, why)
			}
		}
	}
	if s, ok := SetNamed("everything"); ok || len(s.Actions) > 0 {
		t.Errorf("there is a set that there is not: %+v", s)
	}
	a, _ := SetNamed("kms")
	a.Actions[0] = PassRole
	Sets()[0].Actions[0] = PassRole
	for _, s := range Sets() {
		if slices.Contains(s.Actions, PassRole) {
			t.Error("a caller can change a set")
		}
	}
}

// TestNeeds checks that each need of AWS.md#permission-sets has its set.
// Need 16 (EKS) ends at the cluster's own access entries, 19 is an image pull.
func TestNeeds(t *testing.T) {
	needs := map[string]string{
		"1 ECR":  "ecr-push ecr-pull ecr-pull-through",
		"2 logs": "logs", "3 SSM": "ssm-parameters", "4 secrets": "secrets", "5 S3 artifacts": "s3-artifacts",
		"6 CDK": "cdk-deploy", "7 VPC": "vpc-build", "8 ECS": "ecs-deploy ecs-deploy-wait", "9 s3 sync": "s3-deploy",
		"10 CodeArtifact": "codeartifact codeartifact-publish", "11 KMS": "kms", "12 reports": "reports", "13 connections": "connections",
		"14 SAM": "sam-deploy", "15 Lambda": "lambda-deploy", "16 EKS": "eks-describe", "17 CloudFront": "cloudfront-invalidate",
		"18 CodeCommit": "codecommit-pull", "19 build image": "ecr-pull", "20 tagging": "tagging", "21 Terraform": "terraform-state",
	}
	used := map[string]bool{}
	for need, names := range needs {
		for _, n := range strings.Fields(names) {
			used[n] = true
			if _, ok := SetNamed(n); !ok {
				t.Errorf("need %s has no set %s", need, n)
			}
		}
	}
	for _, n := range SetNames() {
		if !used[n] {
			t.Errorf("set %s is for no need: name it above, under a need of AWS.md#permission-sets", n)
		}
	}
}

// These two sets are exactly what the two builds lacked for which Buildmedic was
// made.
func TestSeedSets(t *testing.T) {
	for name, want := range map[string]string{
		"ecr-push": "ecr:BatchCheckLayerAvailability ecr:BatchGetImage ecr:CompleteLayerUpload ecr:GetAuthorizationToken " +
			"ecr:GetDownloadUrlForLayer ecr:InitiateLayerUpload ecr:PutImage ecr:UploadLayerPart",
		"ecs-deploy": "ecs:DescribeServices ecs:DescribeTaskDefinition ecs:RegisterTaskDefinition ecs:UpdateService",
	} {
		if got, _ := SetNamed(name); strings.Join(got.Actions, " ") != want {
			t.Errorf("set %s is %v", name, got)
		}
	}
}

func TestFloor(t *testing.T) {
	for _, row := range []struct {
		action string
		want   Hardness
	}{
		{"ecr:PutImage", Free}, {"s3:DeleteObject", Free}, {"ecs:UpdateService", Free}, {"ecs:RegisterTaskDefinition", Free},
		{"kms:Decrypt", Free}, {"iam:GetRole", Free}, {"iam:ListRoles", Free}, {"organizations:DescribeOrganization", Free},
		{"sts:GetCallerIdentity", Free}, {"sts:GetServiceBearerToken", Free}, {"ec2:CreateNetworkInterfacePermission", Free},
		{"ecr:PutLifecyclePolicy", Free}, {"ecr:BatchImportUpstreamImage", Free}, {"ecr:CreateRepository", Free},
		{"application-autoscaling:PutScalingPolicy", Free}, {"logs:PutRetentionPolicy", Free},
		{"cloudfront:CreateCachePolicy", Free}, {"codeartifact:GetAuthorizationToken", Free},

		{"sts:AssumeRole", ExactName}, {"lambda:UpdateFunctionCode", ExactName}, {"cloudformation:CreateChangeSet", ExactName},
		{"ecs:RunTask", ExactName}, {"codebuild:StartBuild", ExactName}, {"ssm:SendCommand", ExactName}, {"STS:assumerole", ExactName},
		{"lambda:InvokeFunction", ExactName}, {"ec2:RunInstances", ExactName}, {"states:StartExecution", ExactName},
		{"aidevops:UpdateApprovalAction", ExactName}, {"aidevops:SendMessage", ExactName}, {"ssm:SendAutomationSignal", ExactName},

		{"iam:PassRole", PassRoles},

		{"iam:CreateUser", Never}, {"iam:PutRolePolicy", Never}, {"iam:CreateServiceLinkedRole", Never}, {"iam:TagRole", Never},
		{"iam:AddUserToGroup", Never}, {"iam:CreateAccessKey", Never}, {"organizations:LeaveOrganization", Never},
		{"account:PutAlternateContact", Never}, {"kms:PutKeyPolicy", Never}, {"kms:CreateGrant", Never},
		{"ecr:SetRepositoryPolicy", Never}, {"s3:PutBucketPolicy", Never}, {"s3:PutObjectAcl", Never}, {"lambda:AddPermission", Never},
		{"kinesis:PutResourcePolicy", Never}, {"codeartifact:PutDomainPermissionsPolicy", Never}, {"ram:CreateResourceShare", Never},
		{"sqs:SetQueueAttributes", Never}, {"sso:CreatePermissionSet", Never}, {"budgets:CreateBudgetAction", Never},
		{"ecs:PutAccountSettingDefault", Never}, {"kafka:PutClusterPolicy", Never}, {"ram:PromotePermissionCreatedFromPolicy", Never},
		{"sts:GetSessionToken", Never}, {"ssm:CreateActivation", Never}, {"lambda:CreateEventSourceMapping", Never},
		{"ecr:*", Never}, {"*", Never}, {"", Never}, {"ecr:PushImage", Never}, {"ecr:PutImage ", Never}, {"ecr:PutІmage", Never},
	} {
		got, why := Of(row.action)
		if got != row.want || (why == "") != (got == Free) {
			t.Errorf("Of(%q) = %d, %q, want %d", row.action, got, why, row.want)
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
		if h, _ := Of(a); h != ExactName && h != Never {
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
	count := map[Hardness]int{}
	for _, service := range iamref.Services() {
		for _, a := range iamref.Actions(service) {
			h, _ := Of(a.Name)
			count[h]++
			_, isBound := bound[a.Name]
			reads := a.Level == iamref.Read || a.Level == iamref.List
			if a.Level == iamref.Permissions && h != Never && !isBound {
				t.Errorf("%s manages permissions, and its floor is %d", a.Name, h)
			}
			if slices.Contains(governing, service) && !reads && h != Never && a.Name != PassRole {
				t.Errorf("%s governs, and its floor is %d", a.Name, h)
			}
		}
	}
	t.Logf("%d actions left to the settings, %d by exact name only, %d never", count[Free], count[ExactName], count[Never])
}

func TestBound(t *testing.T) {
	for a, c := range bound {
		ref, ok := iamref.Lookup(a)
		if !ok || ref.Name != a || !slices.Contains(ref.Conditions, c.Key) {
			t.Errorf("%s has no condition key %s", a, c.Key)
		}
		got := Conditions(strings.ToUpper(a))
		if len(got) != 1 || got[0].Key != c.Key {
			t.Errorf("Conditions(%s) = %v", a, got)
		}
		got[0].Values.List[0] = "*"
		if slices.Contains(bound[a].Values.List, "*") {
			t.Errorf("a caller can change the conditions of %s", a)
		}
	}
	if got := Conditions("ecr:PutImage"); got != nil {
		t.Errorf("ecr:PutImage has conditions %v", got)
	}
	if got := Conditions("ecr:PushImage"); got != nil {
		t.Errorf("an action that does not exist has conditions %v", got)
	}
}

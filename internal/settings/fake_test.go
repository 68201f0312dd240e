package settings

import (
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/iampolicy"
)

// fake is a small catalog: a few sets, and a floor in the manner of the real
// one.
type fake struct{}

var fakeSets = map[string][]string{
	"ecr-push": {"ecr:BatchCheckLayerAvailability", "ecr:CompleteLayerUpload", "ecr:GetAuthorizationToken",
		"ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart"},
	"ecs-deploy": {"ecs:DescribeServices", "ecs:DescribeTaskDefinition", "ecs:RegisterTaskDefinition", "ecs:UpdateService"},
	"cdk-deploy": {"ssm:GetParameter", "sts:AssumeRole"},
	"secrets":    {"kms:Decrypt", "secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"},
	"identity":   {"sts:GetCallerIdentity"},
	"codeartifact": {"codeartifact:GetAuthorizationToken", "codeartifact:ReadFromRepository",
		"sts:GetServiceBearerToken"},
}

func (fake) Set(name string) ([]string, bool) { list, ok := fakeSets[name]; return list, ok }

func (fake) Names() []string { return sortedKeys(fakeSets) }

func (fake) Floor(action string) (problem string, never, exactOnly bool) {
	switch {
	case strings.HasPrefix(action, "iam:") || action == "s3:PutBucketPolicy":
		return action + " is never granted.", true, false
	case slices.Contains([]string{"sts:AssumeRole", "lambda:InvokeFunction", "cloudformation:CreateChangeSet"}, action):
		return action + " needs an exact resource.", false, true
	}
	return "", false, false
}

func (fake) Conditions(action string) []iampolicy.Condition {
	if action != "sts:GetServiceBearerToken" {
		return nil
	}
	return []iampolicy.Condition{{Operator: "StringEquals", Key: "sts:AWSServiceName",
		Values: iampolicy.Values{List: []string{"codeartifact.amazonaws.com"}}}}
}

package floor

import (
	"slices"
	"strings"
)

// Set is a bundle of actions that belong together: a build that lacks one of
// them lacks the rest too, and shows one a run (AWS.md#permission-sets). It never
// holds iam:PassRole, which only a grant's pass_roles brings in.
type Set struct {
	Name    string
	Purpose string   // in a few words
	Actions []string // sorted, in canonical case
}

// Sets gives every set, sorted by name. The caller may change what it gets.
func Sets() []Set {
	list := slices.Clone(sets)
	for i := range list {
		list[i].Actions = slices.Clone(list[i].Actions)
	}
	return list
}

// SetNamed gives the set of that name. The caller may change what it gets.
func SetNamed(name string) (s Set, ok bool) {
	i, ok := slices.BinarySearchFunc(sets, name, func(s Set, name string) int { return strings.Compare(s.Name, name) })
	if !ok {
		return Set{}, false
	}
	s = sets[i]
	s.Actions = slices.Clone(s.Actions)
	return s, true
}

// SetNames lists the sets' names, sorted.
func SetNames() (names []string) {
	for _, s := range sets {
		names = append(names, s.Name)
	}
	return names
}

var sets = []Set{
	{"cdk-deploy", "deploy with the AWS CDK through the bootstrap roles, each named exactly", []string{
		"ssm:GetParameter", "sts:AssumeRole"}},
	{"cloudfront-invalidate", "invalidate a distribution and wait for it", []string{
		"cloudfront:CreateInvalidation", "cloudfront:GetInvalidation"}},
	{"codeartifact", "install packages from CodeArtifact", []string{
		"codeartifact:GetAuthorizationToken", "codeartifact:GetRepositoryEndpoint", "codeartifact:ReadFromRepository",
		"sts:GetServiceBearerToken"}},
	{"codeartifact-publish", "publish packages to CodeArtifact", []string{
		"codeartifact:GetAuthorizationToken", "codeartifact:GetRepositoryEndpoint", "codeartifact:PublishPackageVersion",
		"codeartifact:PutPackageMetadata", "codeartifact:ReadFromRepository", "sts:GetServiceBearerToken"}},
	{"codecommit-pull", "clone from CodeCommit", []string{
		"codecommit:GitPull"}},
	{"connections", "read the source through a connection, by its old and its new name", []string{
		"codeconnections:GetConnection", "codeconnections:GetConnectionToken", "codeconnections:UseConnection",
		"codestar-connections:GetConnection", "codestar-connections:GetConnectionToken", "codestar-connections:UseConnection"}},
	{"ecr-pull", "pull an image, also as the build's own environment", []string{
		"ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetAuthorizationToken", "ecr:GetDownloadUrlForLayer"}},
	{"ecr-pull-through", "pull an image through a pull-through cache, also for the first time", []string{
		"ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:BatchImportUpstreamImage", "ecr:CreateRepository",
		"ecr:GetAuthorizationToken", "ecr:GetDownloadUrlForLayer"}},
	{"ecr-push", "push an image and pull its layers for the cache", []string{
		"ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:CompleteLayerUpload", "ecr:GetAuthorizationToken",
		"ecr:GetDownloadUrlForLayer", "ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart"}},
	{"ecs-deploy", "register a task definition and roll it out; needs pass_roles for the task's roles", []string{
		"ecs:DescribeServices", "ecs:DescribeTaskDefinition", "ecs:RegisterTaskDefinition", "ecs:UpdateService"}},
	{"ecs-deploy-wait", "ecs-deploy, and what tagging and waiting for the tasks need", []string{
		"ecs:DescribeServices", "ecs:DescribeTaskDefinition", "ecs:DescribeTasks", "ecs:ListTasks",
		"ecs:RegisterTaskDefinition", "ecs:TagResource", "ecs:UpdateService"}},
	{"eks-describe", "read a cluster's endpoint; what the role may do inside is the cluster's own affair", []string{
		"eks:DescribeCluster"}},
	{"kms", "decrypt and encrypt with a key of the customer's own", []string{
		"kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"}},
	{"lambda-deploy", "put new code into a function, which is named exactly", []string{
		"lambda:GetAlias", "lambda:GetFunction", "lambda:GetFunctionConfiguration", "lambda:PublishVersion",
		"lambda:UpdateAlias", "lambda:UpdateFunctionCode", "lambda:UpdateFunctionConfiguration"}},
	{"logs", "write the build's log", []string{
		"logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"}},
	{"reports", "publish test and coverage reports", []string{
		"codebuild:BatchPutCodeCoverages", "codebuild:BatchPutTestCases", "codebuild:CreateReport",
		"codebuild:CreateReportGroup", "codebuild:UpdateReport"}},
	{"s3-artifacts", "read sources and write artifacts and caches", []string{
		"kms:Decrypt", "kms:GenerateDataKey", "s3:GetBucketAcl", "s3:GetBucketLocation", "s3:GetObject",
		"s3:GetObjectVersion", "s3:ListBucket", "s3:PutObject"}},
	{"s3-deploy", "sync a directory to a bucket, without access control lists", []string{
		"s3:DeleteObject", "s3:GetBucketLocation", "s3:GetObject", "s3:ListBucket", "s3:PutObject"}},
	{"sam-deploy", "deploy a CloudFormation stack, which is named exactly", []string{
		"cloudformation:CreateChangeSet", "cloudformation:DescribeChangeSet", "cloudformation:DescribeStackEvents",
		"cloudformation:DescribeStacks", "cloudformation:ExecuteChangeSet", "cloudformation:GetTemplateSummary",
		"cloudformation:ListStackResources"}},
	{"secrets", "read a secret and decrypt it", []string{
		"kms:Decrypt", "secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"}},
	{"ssm-parameters", "read parameters and decrypt them", []string{
		"kms:Decrypt", "ssm:GetParameter", "ssm:GetParameters", "ssm:GetParametersByPath"}},
	{"tagging", "tag what the build makes, which services began to require", []string{
		"ecr:TagResource", "ecs:TagResource", "lambda:TagResource", "logs:ListTagsForResource", "logs:TagResource"}},
	{"terraform-state", "read, write and lock Terraform's state", []string{
		"dynamodb:DeleteItem", "dynamodb:DescribeTable", "dynamodb:GetItem", "dynamodb:PutItem",
		"s3:GetObject", "s3:ListBucket", "s3:PutObject"}},
	{"vpc-build", "run builds inside a VPC", []string{
		"ec2:CreateNetworkInterface", "ec2:CreateNetworkInterfacePermission", "ec2:DeleteNetworkInterface",
		"ec2:DescribeDhcpOptions", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSecurityGroups",
		"ec2:DescribeSubnets", "ec2:DescribeVpcs"}},
}

package iamref

import (
	"strings"
	"testing"
)

func TestFits(t *testing.T) {
	tests := []struct {
		action, arn string
		want        bool
		why         string
	}{
		{"ecr:PutImage", "arn:aws:ecr:eu-west-1:111122223333:repository/web", true, ""},
		{"ECR:putimage", "arn:aws:ecr:eu-west-1:111122223333:repository/web", true, "any case of the action"},
		{"ecr:PutImage", "arn:aws:ecr:eu-west-1:111122223333:repository/team/web", true, "a repository's name may hold slashes"},
		{"ecr:PutImage", "arn:aws-cn:ecr:cn-north-1:111122223333:repository/web", true, "any partition"},
		{"ecr:PutImage", "arn:aws:ecr:*:111122223333:repository/web-*", true, "a pattern"},
		{"ecr:PutImage", "arn:aws:ecr:eu-west-1:111122223333:repo*", true, "a pattern that some repository matches"},
		{"ecr:PutImage", "arn:aws:ecr:eu-west-1:111122223333:*", true, ""},
		{"ecr:PutImage", "arn:aws:ecr:eu-west-1:111122223333:????????????", true, "twelve characters: repository/x"},
		{"ecr:PutImage", "arn:aws:ecr:eu-west-1:111122223333:???????????", false, "eleven: no name is left"},
		{"ecr:PutImage", "arn:aws:ecr:eu-west-1:1111*:repository/web", true, "an account may begin so"},
		{"ecr:PutImage", "arn:aws:ecr:eu-west-1:1111a*:repository/web", false, "no account does"},
		{"ecr:PutImage", "arn:aws:ecr:eu-west-1:11112222333:repository/web", false, "eleven digits"},
		{"ecr:PutImage", "arn:aws:ecr:eu-west-1:***:repository/web", true, "masked accounts look like patterns: the caller refuses them"},
		{"ecr:PutImage", "arn:aws:ecr:eu-west-1::repository/web", false, "no account"},
		{"ecr:PutImage", "arn:aws:ecr::111122223333:repository/web", false, "no region"},
		{"ecr:PutImage", "arn:aws:ecr:eu-west-1:111122223333:Repository/web", false, "the type's case counts"},
		{"ecr:PutImage", "arn:aws:ecr:eu-west-1:111122223333:repository/", false, "no name"},
		{"ecr:PutImage", "arn:aws:ecr:eu-west-1:111122223333:repository", false, ""},
		{"ecr:PutImage", "arn:aws:s3:::bucket", false, "another service"},
		{"ecr:PutImage", "arn:amazon:ecr:eu-west-1:111122223333:repository/web", false, "no such partition"},
		{"ecr:PutImage", "*", true, ""},
		{"ecr:PutImage", "", false, ""},
		{"ecr:PutImage", "**", false, "only * itself is everything"},
		{"ecr:PutImage", "arn:*", false, "a wildcard does not reach over colons"},
		{"ecr:PutImage", "web", false, "a bare name"},
		{"ecr:PutImage", "arn:aws:ecr:eu-west-1:111122223333:repository/" + strings.Repeat("x", 2048), false, "longer than IAM reads"},

		{"ecr:GetAuthorizationToken", "*", true, "takes no resource"},
		{"ecr:GetAuthorizationToken", "arn:aws:ecr:eu-west-1:111122223333:repository/web", false, "takes no resource"},
		{"nosuch:Action", "*", false, ""},

		{"s3:GetObject", "arn:aws:s3:::bucket/a/b c:d", true, ""},
		{"s3:GetObject", "arn:aws:s3:::bucket/*", true, ""},
		{"s3:GetObject", "arn:aws:s3:::bucket*", true, "matches bucket-2/key"},
		{"s3:GetObject", "arn:aws:s3:::bucket", false, "a bucket is no object"},
		{"s3:GetObject", "arn:aws:s3:::bucket/", false, ""},
		{"s3:GetObject", "arn:aws:s3:::/key", false, ""},
		{"s3:GetObject", "arn:aws:s3::111122223333:bucket/key", false, "S3 has no account"},
		{"s3:ListBucket", "arn:aws:s3:::bucket", true, ""},
		{"s3:ListBucket", "arn:aws:s3:::bucket/*", false, "an object is no bucket"},
		{"s3:ListBucket", "arn:aws:s3:::my.bucket", true, ""},

		{"logs:CreateLogGroup", "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/codebuild/web", true, ""},
		{"logs:CreateLogGroup", "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/codebuild/web:*", true, "AWS.md#denied-resource"},
		{"logs:CreateLogGroup", "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/codebuild/web:log-stream:", true,
			"AWS.md#denied-resource"},
		{"logs:CreateLogGroup", "arn:aws:logs:eu-west-1:111122223333:log-group:g:log-stream:s", false, "a stream is no group"},
		{"logs:PutLogEvents", "arn:aws:logs:eu-west-1:111122223333:log-group:g:log-stream:a/b", true, ""},
		{"logs:PutLogEvents", "arn:aws:logs:eu-west-1:111122223333:log-group:g:*", true, ""},

		{"ssm:GetParameter", "arn:aws:ssm:eu-west-1:111122223333:parameter/a/b/c", true, ""},
		{"secretsmanager:GetSecretValue", "arn:aws:secretsmanager:eu-west-1:111122223333:secret:db/main-??????", true, ""},
		{"kms:Decrypt", "arn:aws:kms:eu-west-1:111122223333:key/00000000-0000-4000-8000-000000000000", true, ""},
		{"kms:Decrypt", "arn:aws:kms:eu-west-1:111122223333:alias/x", false, "a key is not named by its alias"},
		{"cloudfront:CreateInvalidation", "arn:aws:cloudfront::111122223333:distribution/E1", true, "no region"},
		{"cloudfront:CreateInvalidation", "arn:aws:cloudfront:us-east-1:111122223333:distribution/E1", false, "no region"},
		{"codecommit:GitPull", "arn:aws:codecommit:eu-west-1:111122223333:web", true, ""},
		{"sts:AssumeRole", "arn:aws:iam::111122223333:role/cdk-hnb659fds-deploy-role-111122223333-eu-west-1", true, ""},
		{"sts:AssumeRole", "arn:aws:iam::111122223333:role/path/to/role", true, ""},
		{"sts:AssumeRole", "arn:aws:sts::111122223333:assumed-role/role/session", false, "a session is no role"},
		{"iam:AttachRolePolicy", "arn:aws:iam::111122223333:role/web", true, ""},
		{"iam:CreatePolicyVersion", "arn:aws:iam::aws:policy/ReadOnlyAccess", true, "what AWS manages has the account aws"},
		{"cloudformation:CreateChangeSet", "arn:aws:cloudformation:eu-west-1:aws:transform/Serverless-2016-10-31", true,
			"AWS.md#denied-resource"},
		{"cloudformation:CreateChangeSet", "arn:aws:cloudformation:eu-west-1:111122223333:stack/web/*", true, ""},
		{"cloudformation:CreateChangeSet", "arn:aws:cloudformation:eu-west-1:111122223333:stack/web", false,
			"a stack's ARN ends with its id"},
		{"dynamodb:GetItem", "arn:aws:dynamodb:eu-west-1:111122223333:table/locks", true, ""},
		{"dynamodb:GetItem", "arn:aws:dynamodb:eu-west-1:111122223333:table/locks/index/i", false, "an index is no table"},
		{"dynamodb:Query", "arn:aws:dynamodb:eu-west-1:111122223333:table/locks/index/i", true, ""},
		{"codepipeline:RetryStageExecution", "arn:aws:codepipeline:eu-west-1:111122223333:release/Deploy", true, "AWS.md#retry-of-a-stage"},
		{"codepipeline:GetPipeline", "arn:aws:codepipeline:eu-west-1:111122223333:release/Deploy", false, "a stage is no pipeline"},
		{"codebuild:CreateReportGroup", "arn:aws:codebuild:eu-west-1:111122223333:report-group/web-*", true, ""},
		{"ecs:UpdateService", "arn:aws:ecs:eu-west-1:111122223333:service/main/web", true, ""},
		{"ecs:RegisterTaskDefinition", "arn:aws:ecs:eu-west-1:111122223333:task-definition/web:*", true, ""},
		{"codeartifact:PublishPackageVersion", "arn:aws:codeartifact:eu-west-1:111122223333:package/d/r/npm//left-pad",
			true, "no namespace"},
		{"ec2:CreateNetworkInterfacePermission", "arn:aws:ec2:eu-west-1:111122223333:network-interface/*", true, ""},
	}
	for _, tt := range tests {
		if got := Fits(tt.action, tt.arn); got != tt.want {
			t.Errorf("Fits(%q, %q) = %v (%s)", tt.action, tt.arn, got, tt.why)
		}
	}
}

func FuzzFits(f *testing.F) {
	for _, s := range []string{
		"*", "arn:aws:s3:::b/k", "arn:aws:s3:::*", "arn:aws:s3:::b?*k/*", "arn:aws:s3:eu-west-1:111122223333:accesspoint/a/object/*",
		"arn:*:*:*:*:*", "arn:aws:s3:::b/\x00",
	} {
		f.Add(s, "x")
	}
	f.Fuzz(func(t *testing.T, arn, part string) {
		if !Fits("s3:GetObject", arn) {
			return
		}
		// Widening a pattern that fits keeps it fitting.
		if i := strings.LastIndexAny(arn, "*?"); i >= 0 {
			wider := arn[:i] + "*" + arn[i+1:]
			if !Fits("s3:GetObject", wider) {
				t.Errorf("%q fits, %q does not", arn, wider)
			}
			return
		}
		// An exact object stays one when its key grows.
		longer := arn + part
		if len(longer) <= maxARN && !Fits("s3:GetObject", longer) {
			t.Errorf("%q fits, %q does not", arn, longer)
		}
		if Fits("s3:ListBucket", arn) {
			t.Errorf("%q is both an object and a bucket", arn)
		}
	})
}

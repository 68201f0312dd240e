package simaws_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	trailtypes "github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	codebuildtypes "github.com/aws/aws-sdk-go-v2/service/codebuild/types"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	pipelinetypes "github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/aws/smithy-go"

	"github.com/buildmedic/buildmedic/internal/simaws"
)

// isA makes a check that the error is of the SDK's own type.
func isA[E error](err error) bool { return errors.As(err, new(E)) }

func anyError(error) bool { return true }

const noBuild = "11111111-2222-4333-8444-555555555555"

const errorsWorld = `
policies:
  - {name: full, versions: [` + v1 + `, ` + v1 + `, ` + v1 + `, ` + v1 + `, ` + v1 + `]}
  - {name: "arn:aws:iam::aws:policy/ReadOnlyAccess", document: ` + v1 + `}
roles:
  - {name: r, inline: {p: ` + v1 + `}}
  - {name: aws-service-role/x.amazonaws.com/linked}
  - {name: other, trust: '{"Version":"2012-10-17","Statement":[{"Effect":"Allow",` +
	`"Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}'}
repositories: [{name: there}]
buckets: [{name: things, objects: {here: x}}]
projects:
  - {name: p, role: r, buildspecs: {buildspec.yml: {build: [make]}}}
  - {name: piped, role: r, source: {type: CODEPIPELINE}}
  - {name: many, role: r, batch: [a, b]}
pipelines:
  - {name: pipe, stages: [{name: Source, actions: [{name: Source}]}, {name: Build, actions: [{name: Build, project: piped}]}]}
`

const v1 = `'{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'`

// Each error is what the SDK itself decodes: its type where the service
// models one, else its code.
func TestErrors(t *testing.T) {
	s := world(t, errorsWorld)
	c := dial(s, simaws.FunctionKey, "us-east-1")
	full := aws.String("arn:aws:iam::111122223333:policy/full")
	doc := func(s string) *string { return &s }
	allow := doc(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`)
	queue := aws.String(s.QueueURL(simaws.Queue))
	put := func(role, name string, d *string) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := c.iam.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: &role, PolicyName: &name, PolicyDocument: d})
			return err
		}
	}
	simulate := func(caller string, docs []string, boundaries ...string) func(context.Context) error {
		return func(ctx context.Context) error {
			in := &iam.SimulateCustomPolicyInput{PolicyInputList: docs, ActionNames: []string{"s3:GetObject"},
				PermissionsBoundaryPolicyInputList: boundaries}
			if caller != "" {
				in.CallerArn = &caller
			}
			_, err := c.iam.SimulateCustomPolicy(ctx, in)
			return err
		}
	}
	tests := []struct {
		name    string
		call    func(context.Context) error
		is      func(error) bool
		code    string
		message string // part of it
	}{
		{"no such role", func(ctx context.Context) error {
			_, err := c.iam.GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String("gone")})
			return err
		}, isA[*iamtypes.NoSuchEntityException], "NoSuchEntity", "The role with name gone cannot be found."},
		{"no such inline policy", func(ctx context.Context) error {
			_, err := c.iam.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: aws.String("R"), PolicyName: aws.String("gone")})
			return err
		}, isA[*iamtypes.NoSuchEntityException], "NoSuchEntity", "The role policy with name gone cannot be found."},
		{"role by ARN", put("arn:aws:iam::111122223333:role/r", "x", allow), anyError, "ValidationError", "roleName"},
		{"bad policy name", put("r", "a b", allow), anyError, "ValidationError", "policyName"},
		{"broken document", put("r", "x", doc(`{`)), isA[*iamtypes.MalformedPolicyDocumentException],
			"MalformedPolicyDocument", "Syntax errors"},
		{"principal",
			put("r", "x",
				doc(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*",`+
					`"Resource":"*"}]}`)),
			isA[*iamtypes.MalformedPolicyDocumentException], "MalformedPolicyDocument", "rincipal"},
		{"sid with a dash",
			put("r", "x", doc(
				`{"Version":"2012-10-17","Statement":[{"Sid":"a-b","Effect":"Allow","Action":"*","Resource":"*"}]}`,
			)),
			isA[*iamtypes.MalformedPolicyDocumentException], "MalformedPolicyDocument", "alpha-numeric"},
		{"sid twice",
			put("r", "x",
				doc(`{"Version":"2012-10-17","Statement":[{"Sid":"a","Effect":"Allow","Action":"*","Resource":"*"},`+
					`{"Sid":"a","Effect":"Allow","Action":"*","Resource":"*"}]}`)),
			isA[*iamtypes.MalformedPolicyDocumentException], "MalformedPolicyDocument", "must be unique"},
		{"bare resource", put("r", "x", doc(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"bucket"}]}`)),
			isA[*iamtypes.MalformedPolicyDocumentException], "MalformedPolicyDocument", "ARN format"},
		{"action without service",
			put("r", "x",
				doc(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"GetObject","Resource":"*"}]}`)),
			isA[*iamtypes.MalformedPolicyDocumentException], "MalformedPolicyDocument", "prefaced by a vendor"},
		{"control character", put("r", "x", doc("{\"Version\":\"2012-10-17\x0b\"}")), anyError, "ValidationError", "policyDocument"},
		{"inline quota", put("r", "big", doc(bigPolicy(10240))), isA[*iamtypes.LimitExceededException], "LimitExceeded",
			"Maximum policy size of 10240 bytes exceeded for role r"},
		{"service-linked role", put("linked", "x", allow), isA[*iamtypes.UnmodifiableEntityException],
			"UnmodifiableEntity", "only modifiable by AWS"},
		{"sixth version", func(ctx context.Context) error {
			_, err := c.iam.CreatePolicyVersion(ctx, &iam.CreatePolicyVersionInput{PolicyArn: full, PolicyDocument: allow})
			return err
		}, isA[*iamtypes.LimitExceededException], "LimitExceeded", "up to 5 versions"},
		{"managed quota", func(ctx context.Context) error {
			_, err := c.iam.CreatePolicyVersion(ctx, &iam.CreatePolicyVersionInput{PolicyArn: full, PolicyDocument: doc(bigPolicy(6144))})
			return err
		}, isA[*iamtypes.LimitExceededException], "LimitExceeded", "PolicySize: 6144"},
		{"AWS's own policy", func(ctx context.Context) error {
			_, err := c.iam.CreatePolicyVersion(ctx,
				&iam.CreatePolicyVersionInput{PolicyArn: aws.String("arn:aws:iam::aws:policy/ReadOnlyAccess"),
					PolicyDocument: allow})
			return err
		}, anyError, "AccessDenied", "outside your own account"},
		{"default version", func(ctx context.Context) error {
			_, err := c.iam.DeletePolicyVersion(ctx, &iam.DeletePolicyVersionInput{PolicyArn: full, VersionId: aws.String("v5")})
			return err
		}, isA[*iamtypes.DeleteConflictException], "DeleteConflict", "default version"},
		{"no such version", func(ctx context.Context) error {
			_, err := c.iam.GetPolicyVersion(ctx, &iam.GetPolicyVersionInput{PolicyArn: full, VersionId: aws.String("v9")})
			return err
		}, isA[*iamtypes.NoSuchEntityException], "NoSuchEntity", "v9"},
		{"no such policy", func(ctx context.Context) error {
			_, err := c.iam.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: aws.String("r"),
				PolicyArn: aws.String("arn:aws:iam::111122223333:policy/gone")})
			return err
		}, isA[*iamtypes.NoSuchEntityException], "NoSuchEntity", "gone"},
		{"not attached", func(ctx context.Context) error {
			_, err := c.iam.DetachRolePolicy(ctx, &iam.DetachRolePolicyInput{RoleName: aws.String("r"), PolicyArn: full})
			return err
		}, isA[*iamtypes.NoSuchEntityException], "NoSuchEntity", "was not found"},
		{"simulate a session", func(ctx context.Context) error {
			_, err := c.iam.SimulatePrincipalPolicy(ctx, &iam.SimulatePrincipalPolicyInput{
				PolicySourceArn: aws.String("arn:aws:sts::111122223333:assumed-role/r/s"), ActionNames: []string{"s3:GetObject"}})
			return err
		}, isA[*iamtypes.InvalidInputException], "InvalidInput", "Invalid Entity Arn"},
		{"simulate no policy", simulate("arn:aws:iam::111122223333:role/r", []string{*allow, "{"}), isA[*iamtypes.InvalidInputException],
			"InvalidInput", "Policy input list item 2 has invalid content"},
		{"simulate a session's call", simulate("arn:aws:sts::111122223333:assumed-role/r/s", []string{*allow}),
			isA[*iamtypes.InvalidInputException], "InvalidInput", "Caller must be an IAM user, role or group"},
		{"simulate with two boundaries", simulate("", []string{*allow}, *allow, *allow), isA[*iamtypes.InvalidInputException],
			"InvalidInput", "cannot exceed 1 items"},
		{"simulate a broken boundary", simulate("", []string{*allow}, "{"), isA[*iamtypes.InvalidInputException], "InvalidInput",
			"item 1 has invalid content"},
		{"simulate a huge policy", simulate("", []string{*allow + strings.Repeat(" ", 131073-len(*allow))}), anyError, "ValidationError",
			"policyInputList.1.member"},
		{"simulate on no ARN", func(ctx context.Context) error {
			_, err := c.iam.SimulateCustomPolicy(ctx, &iam.SimulateCustomPolicyInput{PolicyInputList: []string{*allow},
				ActionNames: []string{"s3:GetObject"}, ResourceArns: []string{"bucket"}})
			return err
		}, isA[*iamtypes.InvalidInputException], "InvalidInput", "not in a valid ARN format: bucket"},
		{"simulate no action", func(ctx context.Context) error {
			_, err := c.iam.SimulateCustomPolicy(ctx, &iam.SimulateCustomPolicyInput{PolicyInputList: []string{*allow},
				ActionNames: []string{"GetObject"}})
			return err
		}, isA[*iamtypes.InvalidInputException], "InvalidInput", "missing names"},
		{"simulate with a key twice", func(ctx context.Context) error {
			_, err := c.iam.SimulateCustomPolicy(ctx, &iam.SimulateCustomPolicyInput{PolicyInputList: []string{*allow},
				ActionNames: []string{"s3:GetObject"}, ContextEntries: []iamtypes.ContextEntry{
					{ContextKeyName: aws.String("aws:SourceIp"), ContextKeyValues: []string{"1.2.3.4"}, ContextKeyType: "string"},
					{ContextKeyName: aws.String("AWS:SourceIP"), ContextKeyValues: []string{"1.2.3.4"}, ContextKeyType: "string"}}})
			return err
		}, isA[*iamtypes.InvalidInputException], "InvalidInput", "Duplicate context key: AWS:SourceIP."},

		{"retry nothing", func(ctx context.Context) error {
			_, err := c.codebuild.RetryBuild(ctx, &codebuild.RetryBuildInput{Id: aws.String("p:" + noBuild)})
			return err
		}, isA[*codebuildtypes.ResourceNotFoundException], "ResourceNotFoundException", "cannot be found"},
		{"retry by ARN", func(ctx context.Context) error {
			_, err := c.codebuild.RetryBuild(ctx,
				&codebuild.RetryBuildInput{
					Id: aws.String("arn:aws:codebuild:us-east-1:111122223333:build/p:" + noBuild),
				})
			return err
		}, isA[*codebuildtypes.InvalidInputException], "InvalidInputException", "Invalid build ID"},
		{"start for a pipeline", func(ctx context.Context) error {
			_, err := c.codebuild.StartBuild(ctx, &codebuild.StartBuildInput{ProjectName: aws.String("piped")})
			return err
		}, isA[*codebuildtypes.InvalidInputException], "InvalidInputException", "CODEPIPELINE"},
		{"no such project", func(ctx context.Context) error {
			_, err := c.codebuild.ListBuildsForProject(ctx, &codebuild.ListBuildsForProjectInput{ProjectName: aws.String("gone")})
			return err
		}, isA[*codebuildtypes.ResourceNotFoundException], "ResourceNotFoundException", "gone"},
		{"role that CodeBuild cannot assume", func(ctx context.Context) error {
			_, err := c.codebuild.UpdateProject(ctx, &codebuild.UpdateProjectInput{Name: aws.String("p"), ServiceRole: aws.String("other")})
			return err
		}, isA[*codebuildtypes.InvalidInputException], "InvalidInputException", "sts:AssumeRole on service role. Please verify"},
		{"no such batch", func(ctx context.Context) error {
			_, err := c.codebuild.RetryBuildBatch(ctx,
				&codebuild.RetryBuildBatchInput{Id: aws.String("many:" + noBuild), RetryType: "RETRY_FAILED_BUILDS"})
			return err
		}, isA[*codebuildtypes.ResourceNotFoundException], "ResourceNotFoundException", "cannot be found"},

		{"no log group", func(ctx context.Context) error {
			_, err := c.logs.GetLogEvents(ctx, &cloudwatchlogs.GetLogEventsInput{LogGroupName: aws.String("gone"),
				LogStreamName: aws.String("x")})
			return err
		}, isA[*logstypes.ResourceNotFoundException], "ResourceNotFoundException", "log group does not exist"},
		{"bad log token", func(ctx context.Context) error {
			if err := run(s, "p"); err != nil {
				return err
			}
			_, err := c.logs.GetLogEvents(ctx, &cloudwatchlogs.GetLogEventsInput{LogGroupName: aws.String("/aws/codebuild/p"),
				LogStreamName: aws.String(strings.TrimPrefix(s.Builds("p")[0].ID, "p:")), NextToken: aws.String("f/7/s")})
			return err
		}, isA[*logstypes.InvalidParameterException], "InvalidParameterException", "nextToken"},
		{"no log stream", func(ctx context.Context) error {
			_, err := c.logs.GetLogEvents(ctx,
				&cloudwatchlogs.GetLogEventsInput{LogGroupName: aws.String("/aws/codebuild/p"),
					LogStreamName: aws.String("x")})
			return err
		}, isA[*logstypes.ResourceNotFoundException], "ResourceNotFoundException", "log stream does not exist"},

		{"no topic", func(ctx context.Context) error {
			_, err := c.sns.Publish(ctx, &sns.PublishInput{
				TopicArn: aws.String("arn:aws:sns:us-east-1:111122223333:gone"), Message: aws.String("x"),
			})
			return err
		}, isA[*snstypes.NotFoundException], "NotFound", "Topic does not exist"},
		{"no default text", publishing(s, c, `{"email":"x"}`, "json", ""), isA[*snstypes.InvalidParameterException],
			"InvalidParameter", "No default entry"},
		{"text that is no JSON", publishing(s, c, `x`, "json", ""), isA[*snstypes.InvalidParameterException],
			"InvalidParameter", "failed to parse"},
		{"subject of 100 characters", publishing(s, c, "x", "", strings.Repeat("s", 100)),
			isA[*snstypes.InvalidParameterException], "InvalidParameter", "Subject"},
		{"subject of two lines", publishing(s, c, "x", "", "a\nb"), isA[*snstypes.InvalidParameterException],
			"InvalidParameter", "Subject"},
		{"notice beyond 256 KiB", publishing(s, c, strings.Repeat("x", 256<<10+1), "", ""),
			isA[*snstypes.InvalidParameterException], "InvalidParameter", "Message too long"},

		{"no queue", func(ctx context.Context) error {
			_, err := c.sqs.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: aws.String(s.QueueURL("gone")), MessageBody: aws.String("x")})
			return err
		}, isA[*sqstypes.QueueDoesNotExist], "AWS.SimpleQueueService.NonExistentQueue", "does not exist"},
		{"delay beyond 15 minutes", func(ctx context.Context) error {
			_, err := c.sqs.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: queue, MessageBody: aws.String("x"), DelaySeconds: 901})
			return err
		}, anyError, "InvalidParameterValue", "DelaySeconds must be >= 0 and <= 900"},
		{"no message in a batch", sendingBatch(c, queue), isA[*sqstypes.EmptyBatchRequest],
			"AWS.SimpleQueueService.EmptyBatchRequest", "at least one"},
		{"eleven messages in a batch", sendingBatch(c, queue, "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10"),
			isA[*sqstypes.TooManyEntriesInBatchRequest], "AWS.SimpleQueueService.TooManyEntriesInBatchRequest", "You have sent 11"},
		{"an id twice in a batch", sendingBatch(c, queue, "0", "1", "0"), isA[*sqstypes.BatchEntryIdsNotDistinct],
			"AWS.SimpleQueueService.BatchEntryIdsNotDistinct", "the same Id"},
		{"stale receipt", func(ctx context.Context) error {
			_, err := c.sqs.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{QueueUrl: queue,
				ReceiptHandle: aws.String("x"), VisibilityTimeout: 1})
			return err
		}, anyError, "InvalidParameterValue", "ReceiptHandle"},

		{"no object", func(ctx context.Context) error {
			_, err := c.s3.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String("things"), Key: aws.String("gone")})
			return err
		}, isA[*s3types.NoSuchKey], "NoSuchKey", "does not exist"},
		{"no object's head", func(ctx context.Context) error {
			_, err := c.s3.HeadObject(ctx, &s3.HeadObjectInput{Bucket: aws.String("things"), Key: aws.String("gone")})
			return err
		}, isA[*s3types.NotFound], "NotFound", ""},
		{"no bucket", func(ctx context.Context) error {
			_, err := c.s3.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: aws.String("nothing")})
			return err
		}, isA[*s3types.NoSuchBucket], "NoSuchBucket", "bucket does not exist"},

		{"no pipeline", func(ctx context.Context) error {
			_, err := c.pipeline.GetPipelineState(ctx, &codepipeline.GetPipelineStateInput{Name: aws.String("gone")})
			return err
		}, isA[*pipelinetypes.PipelineNotFoundException], "PipelineNotFoundException", "gone"},
		{"no stage", stageRetry(c, "pipe", "Gone", noBuild), isA[*pipelinetypes.StageNotFoundException], "StageNotFoundException", "Gone"},
		{"no execution", stageRetry(c, "pipe", "Build", noBuild),
			isA[*pipelinetypes.NotLatestPipelineExecutionException], "NotLatestPipelineExecutionException", noBuild},

		{"no repository", func(ctx context.Context) error {
			_, err := c.ecr.DescribeRepositories(ctx, &ecr.DescribeRepositoriesInput{RepositoryNames: []string{"gone"}})
			return err
		}, isA[*ecrtypes.RepositoryNotFoundException], "RepositoryNotFoundException",
			"The repository with name 'gone' does not exist in the registry with id '111122223333'"},
		{"repository there already", func(ctx context.Context) error {
			_, err := c.ecr.CreateRepository(ctx, &ecr.CreateRepositoryInput{RepositoryName: aws.String("there")})
			return err
		}, isA[*ecrtypes.RepositoryAlreadyExistsException], "RepositoryAlreadyExistsException", "already exists"},
		{"bad repository name", func(ctx context.Context) error {
			_, err := c.ecr.CreateRepository(ctx, &ecr.CreateRepositoryInput{RepositoryName: aws.String("Upper")})
			return err
		}, isA[*ecrtypes.InvalidParameterException], "InvalidParameterException", "repositoryName"},

		{"cut message", func(ctx context.Context) error {
			_, err := c.sts.DecodeAuthorizationMessage(ctx, &sts.DecodeAuthorizationMessageInput{EncodedMessage: aws.String("abc")})
			return err
		}, isA[*ststypes.InvalidAuthorizationMessageException], "InvalidAuthorizationMessageException", "not valid"},
		{"untrusting role", func(ctx context.Context) error {
			_, err := c.sts.AssumeRole(ctx, &sts.AssumeRoleInput{
				RoleArn: aws.String("arn:aws:iam::111122223333:role/r"), RoleSessionName: aws.String("medic"),
			})
			return err
		}, anyError, "AccessDenied", "because no role trust policy allows the sts:AssumeRole action"},
		{"two lookup attributes", func(ctx context.Context) error {
			a := trailtypes.LookupAttribute{AttributeKey: "EventName", AttributeValue: aws.String("x")}
			_, err := c.trail.LookupEvents(ctx, &cloudtrail.LookupEventsInput{LookupAttributes: []trailtypes.LookupAttribute{a, a}})
			return err
		}, isA[*trailtypes.InvalidLookupAttributesException], "InvalidLookupAttributesException", "one lookup attribute"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.call(deadline(t))
			var api smithy.APIError
			if !errors.As(err, &api) {
				t.Fatalf("%v is no API error", err)
			}
			if !tt.is(err) {
				t.Errorf("the error's type is wrong: %#v", err)
			}
			if api.ErrorCode() != tt.code || !strings.Contains(api.ErrorMessage(), tt.message) {
				t.Errorf("error %q: %q, want %q: …%s…", api.ErrorCode(), api.ErrorMessage(), tt.code, tt.message)
			}
		})
	}
}

// run runs a build of the project to its end.
func run(s *simaws.Sim, project string) error {
	_, err := s.Run(simaws.Start{Project: project})
	s.Settle()
	return err
}

// bigPolicy is a document of n+1 characters without whitespace.
func bigPolicy(n int) string {
	const frame = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::%s"}]}`
	return fmt.Sprintf(frame, strings.Repeat("b", n+1-len(frame)+2))
}

func publishing(s *simaws.Sim, c clients, message, structure, subject string) func(context.Context) error {
	return func(ctx context.Context) error {
		in := &sns.PublishInput{TopicArn: aws.String(s.TopicARN()), Message: &message}
		if structure != "" {
			in.MessageStructure = &structure
		}
		if subject != "" {
			in.Subject = &subject
		}
		_, err := c.sns.Publish(ctx, in)
		return err
	}
}

func stageRetry(c clients, pipe, stage, execution string) func(context.Context) error {
	return func(ctx context.Context) error {
		_, err := c.pipeline.RetryStageExecution(ctx, &codepipeline.RetryStageExecutionInput{PipelineName: &pipe, StageName: &stage,
			PipelineExecutionId: &execution, RetryMode: pipelinetypes.StageRetryModeFailedActions})
		return err
	}
}

// What the Sim does not know fails, and is recorded.
func TestUnknown(t *testing.T) {
	s, err := simaws.New(simaws.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	c := dial(s, simaws.FunctionKey, "us-east-1")
	ctx := deadline(t)
	calls := map[string]func() error{
		"ecr.DeleteRepository": func() error {
			_, err := c.ecr.DeleteRepository(ctx, &ecr.DeleteRepositoryInput{RepositoryName: aws.String("x")})
			return err
		},
		"iam.DeleteRole": func() error {
			_, err := c.iam.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: aws.String("x")})
			return err
		},
		"s3.PUT /b/k": func() error {
			_, err := c.s3.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("b"), Key: aws.String("k")})
			return err
		},
		`codebuild.StartBuild: json: unknown field "fleetOverride"`: func() error {
			_, err := c.codebuild.StartBuild(ctx, &codebuild.StartBuildInput{ProjectName: aws.String("p"),
				FleetOverride: &codebuildtypes.ProjectFleet{}})
			return err
		},
		"sns.Publish: parameter PhoneNumber": func() error {
			_, err := c.sns.Publish(ctx, &sns.PublishInput{PhoneNumber: aws.String("1"), Message: aws.String("x")})
			return err
		},
		"s3.GetObject: query parameter versionId": func() error {
			_, err := c.s3.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String("b"), Key: aws.String("k"), VersionId: aws.String("1")})
			return err
		},
	}
	for want, call := range calls {
		before := len(s.Unknown())
		if err := call(); err == nil || !strings.Contains(err.Error(), "501") {
			t.Errorf("%s: error %v, want status 501", want, err)
		}
		if got := s.Unknown()[before:]; len(got) != 1 || got[0] != want {
			t.Errorf("recorded %q, want %q", got, want)
		}
	}
}

// A key that nobody has is refused as AWS refuses it.
func TestUnknownKey(t *testing.T) {
	s := world(t, "region: us-east-1")
	c := dial(s, "AKIASTRANGER", "us-east-1")
	_, err := c.sts.GetCallerIdentity(deadline(t), nil)
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != "InvalidClientTokenId" {
		t.Errorf("error %v", err)
	}
}

// sendingBatch sends a message for each id with one call.
func sendingBatch(c clients, queue *string, ids ...string) func(context.Context) error {
	in := &sqs.SendMessageBatchInput{QueueUrl: queue, Entries: []sqstypes.SendMessageBatchRequestEntry{}}
	for _, id := range ids {
		in.Entries = append(in.Entries, sqstypes.SendMessageBatchRequestEntry{Id: &id, MessageBody: aws.String("x")})
	}
	return func(ctx context.Context) error {
		_, err := c.sqs.SendMessageBatch(ctx, in)
		return err
	}
}

package simaws_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/accessanalyzer"
	analyzertypes "github.com/aws/aws-sdk-go-v2/service/accessanalyzer/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"github.com/buildmedic/buildmedic/internal/simaws"
)

// enforced is a world whose function may do what its policy says.
func enforced(policy string) string {
	return `
enforce: true
policies: [{name: m, document: ` + v1 + `}, {name: fence, document: ` + v1 + `}]
roles:
  - {name: buildmedic, trust: '{"Version":"2012-10-17","Statement":[{"Effect":"Allow",` +
		`"Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}', inline: {own: ` + policy + `}}
  - {name: team/r, boundary: fence, inline: {p: ` + v1 + `}, tags: {buildmedic: allowed}}
  - {name: free}
repositories: [{name: img}]
buckets: [{name: b, objects: {k: x}}]
projects: [{name: p, role: team/r, buildspecs: {buildspec.yml: {build: [make]}}}]
pipelines: [{name: pipe, stages: [{name: Build, actions: [{name: Build, project: p}]}]}]
`
}

// every is one call of each operation, by the action and resource that it needs.
func every(s *simaws.Sim, c clients) map[string]func(context.Context) error {
	role, policy := aws.String("r"), aws.String("arn:aws:iam::111122223333:policy/m")
	queue := aws.String(s.QueueURL(simaws.Queue))
	doc := aws.String(anyDoc)
	id := aws.String("p:" + noBuild)
	r, m := " on arn:aws:iam::111122223333:role/team/r", " on arn:aws:iam::111122223333:policy/m"
	p := " on arn:aws:codebuild:us-east-1:111122223333:project/p"
	return map[string]func(context.Context) error{
		"iam:GetRole" + r: func(ctx context.Context) error {
			_, err := c.iam.GetRole(ctx, &iam.GetRoleInput{RoleName: role})
			return err
		},
		"iam:ListRolePolicies" + r: func(ctx context.Context) error {
			_, err := c.iam.ListRolePolicies(ctx, &iam.ListRolePoliciesInput{RoleName: role})
			return err
		},
		"iam:ListAttachedRolePolicies" + r: func(ctx context.Context) error {
			_, err := c.iam.ListAttachedRolePolicies(ctx, &iam.ListAttachedRolePoliciesInput{RoleName: role})
			return err
		},
		"iam:GetRolePolicy" + r: func(ctx context.Context) error {
			_, err := c.iam.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: role, PolicyName: aws.String("p")})
			return err
		},
		"iam:PutRolePolicy" + r: func(ctx context.Context) error {
			_, err := c.iam.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: role, PolicyName: aws.String("p"), PolicyDocument: doc})
			return err
		},
		"iam:DeleteRolePolicy" + r: func(ctx context.Context) error {
			_, err := c.iam.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: role, PolicyName: aws.String("p")})
			return err
		},
		"iam:AttachRolePolicy" + r: func(ctx context.Context) error {
			_, err := c.iam.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: role, PolicyArn: policy})
			return err
		},
		"iam:DetachRolePolicy" + r: func(ctx context.Context) error {
			_, err := c.iam.DetachRolePolicy(ctx, &iam.DetachRolePolicyInput{RoleName: role, PolicyArn: policy})
			return err
		},
		"iam:SimulatePrincipalPolicy" + r: func(ctx context.Context) error {
			_, err := c.iam.SimulatePrincipalPolicy(ctx,
				&iam.SimulatePrincipalPolicyInput{PolicySourceArn: aws.String(r[4:]),
					ActionNames: []string{"s3:GetObject"}})
			return err
		},
		"iam:SimulateCustomPolicy on *": func(ctx context.Context) error {
			_, err := c.iam.SimulateCustomPolicy(ctx,
				&iam.SimulateCustomPolicyInput{PolicyInputList: []string{*doc}, ActionNames: []string{"s3:GetObject"}})
			return err
		},
		"iam:GetPolicy" + m: func(ctx context.Context) error {
			_, err := c.iam.GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: policy})
			return err
		},
		"iam:GetPolicyVersion" + m: func(ctx context.Context) error {
			_, err := c.iam.GetPolicyVersion(ctx, &iam.GetPolicyVersionInput{PolicyArn: policy, VersionId: aws.String("v1")})
			return err
		},
		"iam:ListPolicyVersions" + m: func(ctx context.Context) error {
			_, err := c.iam.ListPolicyVersions(ctx, &iam.ListPolicyVersionsInput{PolicyArn: policy})
			return err
		},
		"iam:CreatePolicyVersion" + m: func(ctx context.Context) error {
			_, err := c.iam.CreatePolicyVersion(ctx, &iam.CreatePolicyVersionInput{PolicyArn: policy, PolicyDocument: doc})
			return err
		},
		"iam:SetDefaultPolicyVersion" + m: func(ctx context.Context) error {
			_, err := c.iam.SetDefaultPolicyVersion(ctx, &iam.SetDefaultPolicyVersionInput{PolicyArn: policy, VersionId: aws.String("v1")})
			return err
		},
		"iam:DeletePolicyVersion" + m: func(ctx context.Context) error {
			_, err := c.iam.DeletePolicyVersion(ctx, &iam.DeletePolicyVersionInput{PolicyArn: policy, VersionId: aws.String("v2")})
			return err
		},
		"iam:ListEntitiesForPolicy" + m: func(ctx context.Context) error {
			_, err := c.iam.ListEntitiesForPolicy(ctx, &iam.ListEntitiesForPolicyInput{PolicyArn: policy})
			return err
		},

		"codebuild:BatchGetBuilds" + p: func(ctx context.Context) error {
			_, err := c.codebuild.BatchGetBuilds(ctx, &codebuild.BatchGetBuildsInput{Ids: []string{*id}})
			return err
		},
		"codebuild:ListBuildsForProject" + p: func(ctx context.Context) error {
			_, err := c.codebuild.ListBuildsForProject(ctx, &codebuild.ListBuildsForProjectInput{ProjectName: aws.String("p")})
			return err
		},
		"codebuild:RetryBuild" + p: func(ctx context.Context) error {
			_, err := c.codebuild.RetryBuild(ctx, &codebuild.RetryBuildInput{Id: id})
			return err
		},
		"codebuild:StartBuild" + p: func(ctx context.Context) error {
			_, err := c.codebuild.StartBuild(ctx, &codebuild.StartBuildInput{ProjectName: aws.String("p")})
			return err
		},
		"codebuild:BatchGetProjects" + p: func(ctx context.Context) error {
			_, err := c.codebuild.BatchGetProjects(ctx, &codebuild.BatchGetProjectsInput{Names: []string{"p"}})
			return err
		},
		"codebuild:ListProjects on *": func(ctx context.Context) error { _, err := c.codebuild.ListProjects(ctx, nil); return err },
		"codebuild:UpdateProject" + p: func(ctx context.Context) error {
			_, err := c.codebuild.UpdateProject(ctx, &codebuild.UpdateProjectInput{Name: aws.String("p")})
			return err
		},
		"codebuild:RetryBuildBatch" + p: func(ctx context.Context) error {
			_, err := c.codebuild.RetryBuildBatch(ctx, &codebuild.RetryBuildBatchInput{Id: id, RetryType: "RETRY_ALL_BUILDS"})
			return err
		},
		"codebuild:BatchGetBuildBatches" + p: func(ctx context.Context) error {
			_, err := c.codebuild.BatchGetBuildBatches(ctx, &codebuild.BatchGetBuildBatchesInput{Ids: []string{*id}})
			return err
		},

		"logs:GetLogEvents on arn:aws:logs:us-east-1:111122223333:log-group:/g:log-stream:s": func(ctx context.Context) error {
			_, err := c.logs.GetLogEvents(ctx,
				&cloudwatchlogs.GetLogEventsInput{LogGroupName: aws.String("/g"), LogStreamName: aws.String("s")})
			return err
		},
		"logs:DescribeLogStreams on arn:aws:logs:us-east-1:111122223333:log-group:/g": func(ctx context.Context) error {
			_, err := c.logs.DescribeLogStreams(ctx, &cloudwatchlogs.DescribeLogStreamsInput{LogGroupName: aws.String("/g")})
			return err
		},
		"sns:Publish on arn:aws:sns:us-east-1:111122223333:buildmedic": func(ctx context.Context) error {
			_, err := c.sns.Publish(ctx, &sns.PublishInput{TopicArn: aws.String(s.TopicARN()), Message: aws.String("x")})
			return err
		},
		"sqs:SendMessage on arn:aws:sqs:us-east-1:111122223333:buildmedic": func(ctx context.Context) error {
			_, err := c.sqs.SendMessage(ctx, sending(s))
			return err
		},
		"sqs:ReceiveMessage on arn:aws:sqs:us-east-1:111122223333:buildmedic": func(ctx context.Context) error {
			_, err := c.sqs.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: queue})
			return err
		},
		"sqs:DeleteMessage on arn:aws:sqs:us-east-1:111122223333:buildmedic": func(ctx context.Context) error {
			_, err := c.sqs.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: queue, ReceiptHandle: aws.String("x")})
			return err
		},
		"sqs:ChangeMessageVisibility on arn:aws:sqs:us-east-1:111122223333:buildmedic": func(ctx context.Context) error {
			_, err := c.sqs.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{QueueUrl: queue, ReceiptHandle: aws.String("x")})
			return err
		},
		"s3:GetObject on arn:aws:s3:::b/k": func(ctx context.Context) error {
			out, err := c.s3.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String("b"), Key: aws.String("k")})
			if err == nil {
				out.Body.Close()
			}
			return err
		},
		"s3:ListBucket on arn:aws:s3:::b": func(ctx context.Context) error {
			_, err := c.s3.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: aws.String("b")})
			return err
		},
		"codepipeline:GetPipelineState on arn:aws:codepipeline:us-east-1:111122223333:pipe": func(ctx context.Context) error {
			_, err := c.pipeline.GetPipelineState(ctx, &codepipeline.GetPipelineStateInput{Name: aws.String("pipe")})
			return err
		},
		"codepipeline:RetryStageExecution on arn:aws:codepipeline:us-east-1:111122223333:pipe/Build": stageRetry(c,
			"pipe", "Build", noBuild),
		"sts:DecodeAuthorizationMessage on *": func(ctx context.Context) error {
			_, err := c.sts.DecodeAuthorizationMessage(ctx, &sts.DecodeAuthorizationMessageInput{EncodedMessage: aws.String("x")})
			return err
		},
		"sts:AssumeRole on arn:aws:iam::111122223333:role/free": func(ctx context.Context) error {
			_, err := c.sts.AssumeRole(ctx, &sts.AssumeRoleInput{
				RoleArn: aws.String("arn:aws:iam::111122223333:role/free"), RoleSessionName: aws.String("medic"),
			})
			return err
		},
		"ecr:DescribeRepositories on arn:aws:ecr:us-east-1:111122223333:repository/img": func(ctx context.Context) error {
			_, err := c.ecr.DescribeRepositories(ctx, &ecr.DescribeRepositoriesInput{RepositoryNames: []string{"img"}})
			return err
		},
		"ecr:CreateRepository on arn:aws:ecr:us-east-1:111122223333:repository/new": func(ctx context.Context) error {
			_, err := c.ecr.CreateRepository(ctx, &ecr.CreateRepositoryInput{RepositoryName: aws.String("new")})
			return err
		},
		"access-analyzer:ValidatePolicy on *": func(ctx context.Context) error {
			_, err := c.analyzer.ValidatePolicy(ctx, &accessanalyzer.ValidatePolicyInput{PolicyDocument: doc,
				PolicyType: analyzertypes.PolicyTypeIdentityPolicy})
			return err
		},
		"access-analyzer:CheckNoNewAccess on *": func(ctx context.Context) error {
			_, err := c.analyzer.CheckNoNewAccess(ctx, &accessanalyzer.CheckNoNewAccessInput{NewPolicyDocument: doc,
				ExistingPolicyDocument: doc, PolicyType: analyzertypes.AccessCheckPolicyTypeIdentityPolicy})
			return err
		},
		"cloudtrail:LookupEvents on *": func(ctx context.Context) error {
			_, err := c.trail.LookupEvents(ctx, &cloudtrail.LookupEventsInput{})
			return err
		},
	}
}

// Without a permission each operation is refused in AWS's words, by the
// action and resource that it needs; with just that permission it is not.
func TestEnforcedPermissions(t *testing.T) {
	none := `'{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"kms:ListKeys","Resource":"*"}]}'`
	codes := map[string]string{"sns": "AuthorizationError", "iam": "AccessDenied", "sts": "AccessDenied", "s3": "AccessDenied"}
	s := world(t, enforced(none))
	for needs, call := range every(s, dial(s, simaws.FunctionKey, "us-east-1")) {
		action, resource, _ := strings.Cut(needs, " on ")
		shown := resource
		if strings.HasPrefix(action, "s3:") {
			shown = `"` + resource + `"`
		}
		err := call(deadline(t))
		want := codes[strings.Split(action, ":")[0]]
		if want == "" {
			want = "AccessDeniedException"
		}
		message := "User: arn:aws:sts::111122223333:assumed-role/buildmedic/buildmedic is not authorized to perform: " +
			action + " on resource: " + shown +
			" because no identity-based policy allows the " + action + " action"
		var api smithy.APIError
		if !errors.As(err, &api) || api.ErrorCode() != want && api.ErrorCode() != "AccessDenied" || api.ErrorMessage() != message {
			t.Errorf("%s: %v\nwant %s: %s", needs, err, want, message)
		}
		t.Run(needs, func(t *testing.T) {
			s := world(t, enforced(`'{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"`+action+
				`","Resource":"`+resource+`"}]}'`))
			err := every(s, dial(s, simaws.FunctionKey, "us-east-1"))[needs](deadline(t))
			if err != nil && strings.Contains(err.Error(), "no identity-based policy allows") {
				t.Errorf("refused although permitted: %v", err)
			}
		})
	}
}

// The conditions that a healer's own role is to carry do work.
func TestEnforcedConditions(t *testing.T) {
	tests := []struct{ name, condition, role, want string }{
		{"boundary present", `{"StringEquals":{"iam:PermissionsBoundary":"arn:aws:iam::111122223333:policy/fence"}}`, "r", ""},
		{"boundary absent", `{"StringEquals":{"iam:PermissionsBoundary":"arn:aws:iam::111122223333:policy/fence"}}`,
			"free", "AccessDenied"},
		{"tagged", `{"StringEquals":{"aws:ResourceTag/buildmedic":"allowed"}}`, "r", ""},
		{"not tagged", `{"StringEquals":{"aws:ResourceTag/buildmedic":"allowed"}}`, "free", "AccessDenied"},
		{"policy named", `{"ArnEquals":{"iam:PolicyARN":"arn:aws:iam::111122223333:policy/m"}}`, "r", ""},
		{"other policy named", `{"ArnEquals":{"iam:PolicyARN":"arn:aws:iam::111122223333:policy/other"}}`, "r", "AccessDenied"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := world(t,
				enforced(`'{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:AttachRolePolicy",`+
					`"Resource":"*","Condition":`+tt.condition+`}]}'`))
			_, err := dial(s, simaws.FunctionKey,
				"us-east-1").iam.AttachRolePolicy(deadline(t), &iam.AttachRolePolicyInput{RoleName: &tt.role,
				PolicyArn: aws.String("arn:aws:iam::111122223333:policy/m")})
			var api smithy.APIError
			code := ""
			if errors.As(err, &api) {
				code = api.ErrorCode()
			}
			if code != tt.want || code == "" && err != nil {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}

// Switching a role needs iam:PassRole too.
func TestEnforcedPassRole(t *testing.T) {
	update := func(policy string) error {
		s := world(t, enforced(policy))
		_, err := dial(s, simaws.FunctionKey, "us-east-1").codebuild.UpdateProject(deadline(t),
			&codebuild.UpdateProjectInput{Name: aws.String("p"), ServiceRole: aws.String("free")})
		return err
	}
	if err := update(may("codebuild:UpdateProject")); err == nil ||
		!strings.Contains(err.Error(), "iam:PassRole on resource: arn:aws:iam::111122223333:role/free") {
		t.Errorf("without iam:PassRole: %v", err)
	}
	if err := update(`'{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"codebuild:UpdateProject","Resource":"*"},
		{"Effect":"Allow","Action":"iam:PassRole","Resource":"arn:aws:iam::111122223333:role/free",` +
		`"Condition":{"StringEquals":{"iam:PassedToService":"codebuild.amazonaws.com"}}}]}'`); err != nil {
		t.Errorf("with iam:PassRole: %v", err)
	}
}

// An encrypted topic needs its key.
func TestEnforcedTopicKey(t *testing.T) {
	text := "topic_key: arn:aws:kms:us-east-1:111122223333:key/k\n"
	for policy, want := range map[string]string{
		may("sns:Publish"): "KMSAccessDenied",
		may("sns:Publish", "kms:GenerateDataKey*", "kms:Decrypt"): "",
	} {
		s := world(t, text+enforced(policy))
		_, err := dial(s, simaws.FunctionKey, "us-east-1").sns.Publish(deadline(t), &sns.PublishInput{
			TopicArn: aws.String(s.TopicARN()),
			Message:  aws.String("x"),
		})
		var api smithy.APIError
		if errors.As(err, &api) != (want != "") || want != "" && api.ErrorCode() != want {
			t.Errorf("%s: %v", policy, err)
		}
	}
}

// The hub works in a member account through the role that it assumes there;
// the member's builds tell the hub's queue.
func TestMemberAccount(t *testing.T) {
	s := world(t, `
enforce: true
roles: [{name: buildmedic, inline: {own: `+may("sts:AssumeRole")+`}}]
members:
  - account: "444455556666"
    region: eu-west-1
    roles:
      - {name: buildmedic-member, trust: '{"Version":"2012-10-17","Statement":[{"Effect":"Allow",`+
		`"Principal":{"AWS":"arn:aws:iam::111122223333:role/buildmedic"},"Action":"sts:AssumeRole",`+
		`"Condition":{"StringEquals":{"sts:ExternalId":"x"}}}]}', inline: {p: `+may("codebuild:*")+`}}
      - {name: r, inline: {p: `+may("logs:*")+`}}
    projects: [{name: p, role: r, buildspecs: {buildspec.yml: {build: [make]}}}]
starts: [{project: p, account: "444455556666", region: eu-west-1}]`)
	m := next(t, s)
	b := s.BuildsAt("444455556666", "eu-west-1", "p")[0]
	if !strings.Contains(m.Body, `"account":"444455556666"`) || !strings.Contains(m.Body, b.ARN) {
		t.Errorf("event %s", m.Body)
	}
	hub, ctx := dial(s, simaws.FunctionKey, "us-east-1"), deadline(t)
	in := &sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::444455556666:role/buildmedic-member"), RoleSessionName: aws.String("hub")}
	if _, err := hub.sts.AssumeRole(ctx, in); err == nil {
		t.Error("assumed without the external id")
	}
	in.ExternalId = aws.String("x")
	out, err := hub.sts.AssumeRole(ctx, in)
	if err != nil {
		t.Fatal(err)
	}
	member := dial(s, *out.Credentials.AccessKeyId, "eu-west-1")
	who, err := member.sts.GetCallerIdentity(ctx, nil)
	if err != nil || *who.Account != "444455556666" || *who.Arn != "arn:aws:sts::444455556666:assumed-role/buildmedic-member/hub" {
		t.Errorf("identity %+v, %v", who, err)
	}
	retry, err := member.codebuild.RetryBuild(ctx, &codebuild.RetryBuildInput{Id: &b.ID})
	if err != nil || *retry.Build.Initiator != "buildmedic-member/hub" {
		t.Errorf("retry %+v, %v", retry, err)
	}
	if _, err := hub.codebuild.RetryBuild(ctx, &codebuild.RetryBuildInput{Id: &b.ID}); err == nil {
		t.Error("the hub's own role reaches the member's project")
	}
}

// Assuming a role needs both sides of it, and what the session may do
// is the role's, not the caller's.
func TestAssumeRole(t *testing.T) {
	const (
		hub    = "arn:aws:iam::111122223333:role/hub"
		member = "arn:aws:iam::444455556666:role/member"
		deny   = `'{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"sts:AssumeRole","Resource":"*"}]}'`
	)
	trusts := func(principal string) string {
		return `'{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + principal +
			`"},"Action":"sts:AssumeRole"}]}'`
	}
	for _, tt := range []struct{ name, caller, own, scp, boundary, trust, role, want string }{
		{"both sides", "hub", may("sts:AssumeRole"), "", "", trusts(hub), member, ""},
		{"the account is trusted", "hub", may("sts:AssumeRole"), "", "", trusts("111122223333"), member, ""},
		{"nothing on the caller's side", "hub", may("sqs:SendMessage"), "", "", trusts(hub), member,
			"because no identity-based policy allows"},
		{"nothing on the role's side", "hub", may("sts:AssumeRole"), "", "",
			trusts("arn:aws:iam::111122223333:role/other"), member, "because no role trust policy allows"},
		{"the caller's own account denies", "hub", deny, "", "", trusts(hub), member, "with an explicit deny in an identity-based policy"},
		{"the organization denies", "hub", may("sts:AssumeRole"), deny, "", trusts(hub), member,
			"with an explicit deny in a service control policy"},
		{"beyond the boundary", "hub", may("sts:AssumeRole"), "", may("sqs:SendMessage"), trusts(hub), member,
			"because no permissions boundary allows"},
		{"no such role", "hub", may("sts:AssumeRole"), "", "", trusts(hub), "arn:aws:iam::444455556666:role/gone",
			"sts:AssumeRole on resource: arn:aws:iam::444455556666:role/gone"},
		{"no such account", "hub", may("sts:AssumeRole"), "", "", trusts(hub), "arn:aws:iam::999988887777:role/member",
			"sts:AssumeRole on resource: arn:aws:iam::999988887777:role/member"},
		{"the root user", "root", may("sts:AssumeRole"), "", "", trusts("111122223333"), member,
			"Roles may not be assumed by root accounts."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := "enforce: true\nfunction: {role: hub, session: s}\n"
			if tt.scp != "" {
				text += "scps: [{id: p-fence, document: " + tt.scp + "}]\n"
			}
			if tt.boundary != "" {
				text += "policies: [{name: fence, document: " + tt.boundary +
					"}]\nroles: [{name: hub, boundary: fence, inline: {own: " + tt.own + "}}]\n"
			} else {
				text += "roles: [{name: hub, inline: {own: " + tt.own + "}}]\n"
			}
			text += `members: [{account: "444455556666", region: eu-west-1, roles: [{name: member, trust: ` + tt.trust +
				`, inline: {p: ` + may("codebuild:*") + `}}]}]`
			s := world(t, text)
			key := map[string]string{"hub": simaws.FunctionKey, "root": simaws.OwnerKey}[tt.caller]
			out, err := dial(s, key, "us-east-1").sts.AssumeRole(deadline(t),
				&sts.AssumeRoleInput{RoleArn: aws.String(tt.role), RoleSessionName: aws.String("medic")})
			if tt.want != "" {
				if err == nil || !strings.Contains(err.Error(), "api error AccessDenied: ") || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("%v, want AccessDenied with %q", err, tt.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			there := dial(s, *out.Credentials.AccessKeyId, "eu-west-1")
			if _, err := there.codebuild.ListProjects(deadline(t), &codebuild.ListProjectsInput{}); err != nil {
				t.Errorf("what the role may do: %v", err)
			}
			if _, err := there.sts.AssumeRole(deadline(t),
				&sts.AssumeRoleInput{RoleArn: aws.String(tt.role), RoleSessionName: aws.String("medic")}); err == nil {
				t.Error("the session may what only the hub's role may")
			}
		})
	}
}

// A caller that dies takes the sessions with it that it assumed.
func TestCrashOfASession(t *testing.T) {
	s := world(t, `
roles: [{name: buildmedic}]
members: [{account: "444455556666", region: eu-west-1, roles: [{name: member, trust: '{"Version":"2012-10-17",`+
		`"Statement":[{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"sts:AssumeRole"}]}'}]}]`)
	hub := dial(s, simaws.FunctionKey, "us-east-1")
	out, err := hub.sts.AssumeRole(deadline(t),
		&sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::444455556666:role/member"),
			RoleSessionName: aws.String("medic")})
	if err != nil {
		t.Fatal(err)
	}
	member := dial(s, *out.Credentials.AccessKeyId, "eu-west-1")
	s.Hook(func(c simaws.Call) simaws.Fault { return simaws.Fault{Crash: c.Account == "444455556666"} })
	if _, err := member.sts.GetCallerIdentity(deadline(t), nil); err == nil {
		t.Error("the crash did not happen")
	}
	s.Unhook()
	for name, c := range map[string]clients{"session": member, "hub": hub} {
		if _, err := c.sts.GetCallerIdentity(deadline(t), nil); err == nil {
			t.Errorf("the dead %s still calls", name)
		}
	}
	s.Restart()
	if _, err := member.sts.GetCallerIdentity(deadline(t), nil); err != nil {
		t.Errorf("after the restart: %v", err)
	}
}

// An owner may change whom a role trusts.
func TestUpdateAssumeRolePolicy(t *testing.T) {
	s := world(t, `members: [{account: "444455556666", region: eu-west-1, roles: [{name: member}]}]`)
	assume := func() error {
		_, err := dial(s, simaws.FunctionKey, "us-east-1").sts.AssumeRole(deadline(t), &sts.AssumeRoleInput{
			RoleArn:         aws.String("arn:aws:iam::444455556666:role/member"),
			RoleSessionName: aws.String("medic"),
		})
		return err
	}
	if assume() == nil {
		t.Error("a role that trusts CodeBuild alone is assumed")
	}
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow",` +
		`"Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"sts:AssumeRole"}]}`
	for _, bad := range [][3]string{{"444455556666", "gone", trust}, {"", "member", trust}, {"444455556666", "member", "{"}} {
		if err := s.UpdateAssumeRolePolicy(bad[0], bad[1], bad[2]); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
	if err := s.UpdateAssumeRolePolicy("444455556666", "member", trust); err != nil {
		t.Fatal(err)
	}
	if err := assume(); err != nil {
		t.Error(err)
	}
}

// Access Analyzer tells new access from old, and not the other way round.
func TestCheckNoNewAccess(t *testing.T) {
	s := world(t, "region: us-east-1")
	c, ctx := dial(s, simaws.FunctionKey, "us-east-1"), deadline(t)
	wide := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ecr:*","Resource":"*"},` +
		`{"Effect":"Allow","Action":"iam:PassRole","Resource":"*","Condition":{"StringEquals":{` +
		`"iam:PassedToService":"ecs-tasks.amazonaws.com"}}}]}`
	narrow := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ECR:PutImage"],` +
		`"Resource":"arn:aws:ecr:us-east-1:111122223333:repository/x"}]}`
	pass := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:PassRole",` +
		`"Resource":"arn:aws:iam::111122223333:role/x"}]}`
	check := func(next, old string) string {
		t.Helper()
		out, err := c.analyzer.CheckNoNewAccess(ctx, &accessanalyzer.CheckNoNewAccessInput{NewPolicyDocument: &next,
			ExistingPolicyDocument: &old, PolicyType: analyzertypes.AccessCheckPolicyTypeIdentityPolicy})
		if err != nil {
			t.Fatal(err)
		}
		return string(out.Result)
	}
	got := []string{check(narrow, wide), check(wide, narrow), check(pass, wide), check(wide, wide)}
	if d := cmp.Diff([]string{"PASS", "FAIL", "FAIL", "PASS"}, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	findings := func(doc string) (codes []string) {
		t.Helper()
		out, err := c.analyzer.ValidatePolicy(ctx, &accessanalyzer.ValidatePolicyInput{PolicyDocument: &doc,
			PolicyType: analyzertypes.PolicyTypeIdentityPolicy})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range out.Findings {
			codes = append(codes, string(f.FindingType)+" "+*f.IssueCode)
		}
		return codes
	}
	if got := findings(narrow); got != nil {
		t.Errorf("findings %q", got)
	}
	if got := findings("{"); !cmp.Equal(got, []string{"ERROR JSON_SYNTAX_ERROR"}) {
		t.Errorf("findings %q", got)
	}
	if got := findings(anyDoc); !cmp.Equal(got, []string{"SECURITY_WARNING PASS_ROLE_WITH_STAR_IN_RESOURCE"}) {
		t.Errorf("findings %q", got)
	}
}

// A trust policy names whom it trusts: a role, an account, everybody but.
func TestTrust(t *testing.T) {
	allow := func(principal string) string {
		return `{"Effect":"Allow","Principal":` + principal + `,"Action":"sts:AssumeRole"}`
	}
	tests := []struct {
		name, statements string
		want             bool
	}{
		{"the role", allow(`{"AWS":"arn:aws:iam::111122223333:role/buildmedic"}`), true},
		{"the session", allow(`{"AWS":"arn:aws:sts::111122223333:assumed-role/buildmedic/buildmedic"}`), true},
		{"the account", allow(`{"AWS":"111122223333"}`), true},
		{"the account's root", allow(`{"AWS":["arn:aws:iam::999999999999:root","arn:aws:iam::111122223333:root"]}`), true},
		{"another role", allow(`{"AWS":"arn:aws:iam::111122223333:role/other"}`), false},
		{"another account", allow(`{"AWS":"999999999999"}`), false},
		{"a service", allow(`{"Service":"lambda.amazonaws.com"}`), false},
		{"denied",
			allow(`"*"`) +
				`,{"Effect":"Deny","Principal":"*","Action":"sts:AssumeRole","Condition":{"ArnLike":{` +
				`"aws:PrincipalArn":"arn:aws:iam::*:role/buildmedic"}}}`, false},
		{"others denied",
			allow(`"*"`) +
				`,{"Effect":"Deny","NotPrincipal":{"AWS":"arn:aws:iam::111122223333:role/buildmedic"},` +
				`"Action":"sts:AssumeRole"}`,
			true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := world(t, "roles: [{name: buildmedic}, {name: target, trust: '"+`{"Version":"2012-10-17","Statement":[`+
				tt.statements+"]}'}]")
			_, err := dial(s, simaws.FunctionKey, "us-east-1").sts.AssumeRole(deadline(t), &sts.AssumeRoleInput{
				RoleArn: aws.String("arn:aws:iam::111122223333:role/target"), RoleSessionName: aws.String("medic")})
			if (err == nil) != tt.want {
				t.Errorf("%v, want %v", err, tt.want)
			}
		})
	}
}

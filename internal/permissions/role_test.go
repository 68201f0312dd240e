package permissions_test

import (
	"go/ast"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/iamref"
	"github.com/buildmedic/buildmedic/internal/permissions"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// calls are calls on one resource, in one context.
type calls struct {
	resource string
	context  map[string][]string
	actions  string // separated by spaces
}

type conditions = map[string][]string

// repeated is what a build may have overridden and has again.
var repeated = []string{"environment.environmentVariables", "true", "environment.environmentVariables.name", "STAGE",
	"environment.environmentVariables.value", "staging", "environment.computeType", "BUILD_GENERAL1_LARGE", "environment", "true",
	"cache", "true", "cache.type", "S3", "logsConfig", "true", "autoRetryLimit", "2", "environment.privilegedMode", "false"}

// request is the context of a StartBuild or UpdateProject that sets these, key
// and value by turns, and nothing else (AWS.md#conditions-on-starts).
func request(sets []string, more ...string) conditions {
	c := conditions{}
	for _, action := range []string{"codebuild:StartBuild", "codebuild:UpdateProject"} {
		a, _ := iamref.Lookup(action)
		for _, key := range a.Conditions {
			c[strings.ToLower(key)] = nil
		}
	}
	for _, list := range [][]string{sets, more} {
		for i := 0; i < len(list); i += 2 {
			c[strings.ToLower("codebuild:"+list[i])] = []string{list[i+1]}
		}
	}
	return c
}

// foreign is what makes a start, or a change of a project, one of another
// build than the owner's.
var foreign = [][]string{
	{"environment.image", "example/own:1"}, {"source.location", "https://github.com/example/fork"},
	{"source.auth.type", "OAUTH"}, {"source.insecureSsl", "true"}, {"serviceRole", "arn:aws:iam::111122223333:role/admin"},
	{"environment.privilegedMode", "true"}, {"environment.type", "WINDOWS_CONTAINER"},
	{"environment.fleet.fleetArn", "arn:aws:codebuild:us-west-2:111122223333:fleet/own"},
	{"environment.registryCredential", "true"}, {"environment.imagePullCredentialsType", "SERVICE_ROLE"},
	{"environment.certificate", "bucket/cert.pem"}, {"encryptionKey", "alias/own"}, {"artifacts", "true"},
	{"secondaryArtifacts", "true"}, {"secondarySources", "true"},
}

// TestStartsItsOwnBuildsOnly: by the templates, the function starts no build
// of another image, source, role or inline buildspec, whatever else it may set,
// and changes nothing of a project but its role, and that to one of two.
func TestStartsItsOwnBuildsOnly(t *testing.T) {
	_, docs := load(t, seed).role(t, "buildmedic-hub-"+region)
	ask := func(action, name string, c conditions) iampolicy.Verdict {
		v, _ := iampolicy.Evaluate(iampolicy.Access{Policies: docs}, iampolicy.Request{Action: action, Resource: project(name), Context: c})
		return v
	}
	for _, name := range []string{"qivr-deploy", "nightly"} {
		if v := ask("codebuild:StartBuild", name, request(repeated)); v != iampolicy.Allowed {
			t.Errorf("%s: what a build overrode is %v, want allowed", name, v)
		}
		for _, f := range foreign {
			if v := ask("codebuild:StartBuild", name, request(repeated, f...)); v != iampolicy.ImplicitDeny {
				t.Errorf("%s: a start with %v is %v, want denied", name, f, v)
			}
		}
	}
	// The settings list a buildspec for one of them only.
	spec := []string{"source.buildspec", "version: 0.2"}
	if v := ask("codebuild:StartBuild", "nightly", request(nil, spec...)); v != iampolicy.ImplicitDeny {
		t.Errorf("a start with a buildspec where none is listed is %v, want denied", v)
	}
	ready := []string{"serviceRole", iam("role/codebuild-nightly-ready")}
	if v := ask("codebuild:UpdateProject", "nightly", request(ready)); v != iampolicy.Allowed {
		t.Errorf("switching the role is %v, want allowed", v)
	}
	for _, f := range [][]string{spec, {"environment", "true", "environment.image", "example/own:1"}, {"source", "true"},
		{"vpcConfig", "true"}, {"logsConfig", "true"}, {"cache", "true"}, {"buildBatchConfig", "true"},
		{"fileSystemLocations.location", "fs-1"}, {"encryptionKey", "alias/own"}, {"serviceRole", iam("role/admin")}} {
		if v := ask("codebuild:UpdateProject", "nightly", request(ready, f...)); v != iampolicy.ImplicitDeny {
			t.Errorf("a change of a project with %v is %v, want denied", f, v)
		}
	}
}

const (
	hubRole    = "arn:aws:iam::" + account + ":role/buildmedic-hub-" + region
	trackerRol = "arn:aws:iam::" + account + ":role/codebuild-TrackerAPI-service-role"
	qivrPolicy = "arn:aws:iam::" + account + ":policy/qivr-codebuild-policy"
	qivrExec   = "arn:aws:iam::" + account + ":role/deploy/qivr-execution"
	siteRole   = "arn:aws:iam::" + account + ":role/service-role/codebuild-site"
	bounded    = "arn:aws:iam::" + account + ":policy/build-boundary"
	siteReady  = "arn:aws:iam::" + account + ":policy/buildmedic/site-bucket@site"
)

func here(service, resource string) string {
	return permissions.Place{Partition: partition, Account: account, Region: region}.ARN(service, resource)
}

func iam(resource string) string {
	return permissions.Place{Partition: partition, Account: account}.IAM(resource)
}

func project(name string) string { return here("codebuild", "project/"+name) }

func stream(name string) string {
	return here("logs", "log-group:/aws/codebuild/"+name+":log-stream:0a1b")
}

const readsRole = "iam:GetRole iam:GetRolePolicy iam:ListAttachedRolePolicies iam:ListRolePolicies iam:SimulatePrincipalPolicy"

// readsPipeline is what reading a pipeline takes.
const readsPipeline = "codepipeline:GetPipeline codepipeline:GetPipelineExecution codepipeline:GetPipelineState " +
	"codepipeline:ListActionExecutions"

const readsStacks = "cloudformation:DescribeEvents cloudformation:DescribeStackEvents"

const readsReports = "codebuild:BatchGetReports codebuild:DescribeTestCases"

// The topic of an owner in seed.yaml, and its key.
const (
	ownersTopic = "arn:aws:sns:eu-west-1:444455556666:ci"
	ownersKey   = "arn:aws:kms:eu-west-1:444455556666:key/11111111-2222-3333-4444-555555555555"
)

// parts are the ARNs of the hub's own parts.
type parts struct{ queue, followUps, cures, table, topic, key string }

func ownParts(t *testing.T, tpl template) parts {
	t.Helper()
	tpl.owners()
	id := func(kind string) string {
		tpl.one(t, kind)
		return slices.Collect(maps.Keys(tpl.of(kind)))[0]
	}
	queues := map[string]string{}
	for _, m := range tpl.of("AWS::Lambda::EventSourceMapping") {
		arn := m.Properties["EventSourceArn"].(string)
		queues[strings.TrimRight(arn[strings.LastIndexByte(arn, ':')+1:], "0123456789ABCDEF")] = arn
	}
	return parts{
		queue: queues["Queue"], followUps: queues["FollowUps"], cures: queues["Cures"],
		table: here("dynamodb", "table/"+id("AWS::DynamoDB::Table")),
		topic: here("sns", id("AWS::SNS::Topic")),
		key:   here("kms", "key/"+id("AWS::KMS::Key")),
	}
}

// must is every call that the function has to be able to make with the
// settings of seed.yaml, and nothing else.
func must(t *testing.T, tpl template) []calls {
	own := ownParts(t, tpl)
	list := []calls{
		// Its own parts.
		{own.queue, nil, "sqs:ReceiveMessage sqs:DeleteMessage sqs:GetQueueAttributes sqs:SendMessage"},
		{own.cures, nil, "sqs:ReceiveMessage sqs:DeleteMessage sqs:GetQueueAttributes sqs:SendMessage"},
		{own.followUps, nil, "sqs:ReceiveMessage sqs:DeleteMessage sqs:GetQueueAttributes sqs:SendMessage"},
		{own.table, nil, "dynamodb:BatchGetItem dynamodb:GetItem dynamodb:PutItem dynamodb:UpdateItem"},
		{own.table + "/index/next", nil, "dynamodb:Query"},
		{own.topic, nil, "sns:Publish"},
		{here("sns", "buildmedic-owner-web"), nil, "sns:Publish"},
		{ownersTopic, nil, "sns:Publish"},
		{ownersKey, nil, "kms:Decrypt kms:GenerateDataKey"},
		{own.key, nil, "kms:Decrypt kms:GenerateDataKey"},
		{here("secretsmanager", "secret:buildmedic/github-a1B2c3"), nil, "secretsmanager:GetSecretValue"},
		{here("logs", "log-group:/aws/lambda/buildmedic:log-stream:2026/11/22/[$LATEST]0a1b"), nil,
			"logs:CreateLogStream logs:PutLogEvents"},
		{"*", nil, "xray:PutTraceSegments xray:PutTelemetryRecords sts:DecodeAuthorizationMessage " +
			"access-analyzer:ValidatePolicy access-analyzer:CheckNoNewAccess cloudtrail:LookupEvents " +
			"iam:GetRequestAuthorizationDetails iam:SimulateCustomPolicy"},
		{"arn:aws:iam::" + other + ":role/buildmedic-member", nil, "sts:AssumeRole"},
		// Any project.
		{"arn:aws:iam::aws:policy/AWSCodeBuildDeveloperAccess", nil, "iam:GetPolicy iam:GetPolicyVersion"},
		{bounded, nil, "iam:GetPolicy iam:GetPolicyVersion"},
		// TrackerAPI: inline, with a boundary.
		{trackerRol, nil, readsRole},
		{trackerRol, conditions{"iam:PermissionsBoundary": {bounded}}, "iam:PutRolePolicy iam:DeleteRolePolicy"},
		{here("ecr", "repository/tracker_api"), nil, "ecr:CreateRepository"},
		{project("TrackerAPI"), nil, "codebuild:RetryBuild codebuild:RetryBuildBatch"},
		// qivr-deploy: managed, with another buildspec and a pipeline.
		{iam("role/qivr-codebuild-role"), nil, readsRole},
		{qivrPolicy, nil, "iam:ListPolicyVersions iam:ListEntitiesForPolicy iam:GetPolicyVersion"},
		{qivrPolicy, nil, "iam:CreatePolicyVersion iam:DeletePolicyVersion iam:SetDefaultPolicyVersion"},
		{project("qivr-deploy"), nil, "codebuild:RetryBuild codebuild:RetryBuildBatch"},
		{project("qivr-deploy"), request(repeated, "source.buildspec", "aws/buildspec.yml"), "codebuild:StartBuild"},
		{here("codepipeline", "qivr-main"), nil, readsPipeline},
		{here("logs", "log-group:/aws/codepipeline/qivr-main:log-stream:0a1b"), nil, "logs:GetLogEvents"},
		{here("codepipeline", "qivr-main/Build"), nil, "codepipeline:RetryStageExecution"},
		// Its other roles: inline, with a boundary; and attach.
		{qivrExec, nil, readsRole},
		{qivrExec, conditions{"iam:PermissionsBoundary": {bounded}}, "iam:PutRolePolicy iam:DeleteRolePolicy"},
		{iam("role/qivr-ecs-task-role"), nil, readsRole},
		{iam("role/qivr-ecs-task-role"), conditions{"iam:PolicyARN": {iam("policy/buildmedic/site-bucket@qivr-deploy")}},
			"iam:AttachRolePolicy iam:DetachRolePolicy"},
		// site: attach, proposed.
		{siteRole, nil, readsRole},
		{siteRole, conditions{"iam:PolicyARN": {siteReady}}, "iam:AttachRolePolicy iam:DetachRolePolicy"},
		{project("site"), nil, "codebuild:RetryBuild codebuild:RetryBuildBatch"},
		// nightly: another role, and another log group.
		{project("nightly"), nil, "codebuild:RetryBuild codebuild:RetryBuildBatch"},
		{project("nightly"), request(repeated), "codebuild:StartBuild"},
		{project("nightly"), request(nil, "serviceRole", iam("role/codebuild-nightly-ready")), "codebuild:UpdateProject"},
		{project("nightly"), request(nil, "serviceRole", iam("role/codebuild-nightly")), "codebuild:UpdateProject"},
		{iam("role/codebuild-nightly-ready"), conditions{"iam:PassedToService": {"codebuild.amazonaws.com"}}, "iam:PassRole"},
		{iam("role/codebuild-nightly"), conditions{"iam:PassedToService": {"codebuild.amazonaws.com"}}, "iam:PassRole"},
		{here("logs", "log-group:/ci/nightly:log-stream:nightly/0a1b"), nil, "logs:GetLogEvents"},
		// docs: observed, with the test reports of its own groups and of a shared one.
		{iam("role/codebuild-docs"), nil, readsRole},
		{here("codebuild", "report-group/docs-unit"), nil, readsReports},
		{here("codebuild", "report-group/shared-tests"), nil, readsReports},
		// and with the stacks that it deploys, those nested in them included.
		{here("cloudformation", "stack/docs-site/0a1b"), nil, readsStacks},
		{here("cloudformation", "stack/docs-site-Net-1X2Y/0c1d"), nil, readsStacks},
	}
	for _, name := range []string{"TrackerAPI", "qivr-deploy", "site", "nightly", "docs"} {
		list = append(list, calls{project(name), nil,
			"codebuild:BatchGetBuilds codebuild:ListBuildsForProject codebuild:BatchGetBuildBatches " +
				"codebuild:ListBuildBatchesForProject codebuild:BatchGetProjects"})
		if name != "nightly" { // which logs elsewhere
			list = append(list, calls{stream(name), nil, "logs:GetLogEvents"})
		}
	}
	return list
}

// never is a list of calls that it must not be able to make. deny tells that
// it denies them to itself, whatever else is on its role.
func never(own parts) []forbidden {
	return []forbidden{
		{"its own role", true,
			calls{
				hubRole, nil,
				"iam:PutRolePolicy iam:DeleteRolePolicy iam:AttachRolePolicy iam:DetachRolePolicy " +
					"iam:UpdateAssumeRolePolicy iam:PutRolePermissionsBoundary iam:TagRole iam:UpdateRole " +
					"iam:DeleteRole iam:PassRole",
			}},
		{"a member's role", true,
			calls{"arn:aws:iam::" + other + ":role/buildmedic-member", nil,
				"iam:PutRolePolicy iam:AttachRolePolicy iam:UpdateAssumeRolePolicy"}},
		{"its ready-made policies", true,
			calls{siteReady, nil,
				"iam:CreatePolicyVersion iam:SetDefaultPolicyVersion iam:DeletePolicyVersion iam:DeletePolicy " +
					"iam:TagPolicy"}},
		{"other topics", false, calls{ownersTopic + "-2", nil, "sns:Publish"}},
		{"its owners' topics", false,
			calls{here("sns", "buildmedic-owner-web"), nil, "sns:Subscribe sns:SetTopicAttributes sns:DeleteTopic"}},
		{"other keys", false, calls{strings.TrimSuffix(ownersKey, "5"), nil, "kms:Decrypt"}},
		{"boundaries", true, calls{trackerRol, nil, "iam:PutRolePermissionsBoundary iam:DeleteRolePermissionsBoundary"}},
		{"trust", true, calls{trackerRol, nil, "iam:UpdateAssumeRolePolicy iam:UpdateRole"}},
		{"making and deleting roles", true,
			calls{iam("role/anything"), nil, "iam:CreateRole iam:DeleteRole iam:TagRole iam:CreateServiceLinkedRole"}},
		{"making and deleting policies", true,
			calls{iam("policy/anything"), nil, "iam:CreatePolicy iam:DeletePolicy iam:TagPolicy iam:UntagPolicy"}},
		{"users", true,
			calls{
				iam("user/alice"), nil,
				"iam:CreateUser iam:PutUserPolicy iam:AttachUserPolicy iam:PutUserPermissionsBoundary iam:UpdateUser " +
					"iam:CreateLoginProfile iam:UpdateLoginProfile iam:CreateAccessKey iam:UpdateAccessKey " +
					"iam:DeactivateMFADevice iam:UploadSSHPublicKey iam:CreateServiceSpecificCredential",
			}},
		{"groups", true, calls{iam("group/admins"), nil, "iam:CreateGroup iam:PutGroupPolicy iam:AttachGroupPolicy iam:AddUserToGroup"}},
		{"identity providers", true, calls{iam("saml-provider/corp"), nil, "iam:CreateSAMLProvider iam:UpdateSAMLProvider"}},
		{"the rights to its key", true, calls{own.key, nil, "kms:PutKeyPolicy kms:CreateGrant kms:ScheduleKeyDeletion kms:DisableKey"}},

		{"another secret", false,
			calls{here("secretsmanager", "secret:buildmedic/github-other-a1B2c3"), nil, "secretsmanager:GetSecretValue"}},
		{"its secret's content", false,
			calls{here("secretsmanager", "secret:buildmedic/github-a1B2c3"), nil,
				"secretsmanager:PutSecretValue secretsmanager:UpdateSecret"}},
		{"another role", false,
			calls{iam("role/admin"), nil,
				"iam:PutRolePolicy iam:DeleteRolePolicy iam:AttachRolePolicy iam:DetachRolePolicy iam:GetRole " +
					"iam:SimulatePrincipalPolicy sts:AssumeRole"}},
		{"a role of the same name with another path", false,
			calls{iam("role/x/codebuild-TrackerAPI-service-role"), conditions{"iam:PermissionsBoundary": {bounded}},
				"iam:PutRolePolicy"}},
		{"a role whose name only begins like it", false,
			calls{trackerRol + "-2", conditions{"iam:PermissionsBoundary": {bounded}}, "iam:PutRolePolicy"}},
		{"the role without its boundary", false,
			calls{trackerRol, conditions{"iam:PermissionsBoundary": {}}, "iam:PutRolePolicy iam:DeleteRolePolicy"}},
		{"the role with another boundary", false,
			calls{trackerRol, conditions{"iam:PermissionsBoundary": {iam("policy/wide")}}, "iam:PutRolePolicy"}},
		{"another way than inline", false,
			calls{trackerRol, conditions{
				"iam:PermissionsBoundary": {bounded},
				"iam:PolicyARN":           {"arn:aws:iam::aws:policy/AdministratorAccess"},
			}, "iam:AttachRolePolicy iam:DetachRolePolicy"}},
		{"another way than managed", false,
			calls{iam("role/qivr-codebuild-role"),
				conditions{"iam:PermissionsBoundary": {bounded}, "iam:PolicyARN": {siteReady}},
				"iam:PutRolePolicy iam:AttachRolePolicy"}},
		{"another role of a deployment without its boundary", false,
			calls{qivrExec, conditions{"iam:PermissionsBoundary": {}}, "iam:PutRolePolicy iam:DeleteRolePolicy"}},
		{"another role of a deployment, of the same name without its path", false,
			calls{iam("role/qivr-execution"), conditions{"iam:PermissionsBoundary": {bounded}}, "iam:PutRolePolicy iam:GetRole"}},
		{"attaching to a role what another one may have", false,
			calls{iam("role/qivr-ecs-task-role"), conditions{"iam:PolicyARN": {siteReady}}, "iam:AttachRolePolicy"}},
		{"another way than attach, of another role", false,
			calls{iam("role/qivr-ecs-task-role"), conditions{"iam:PermissionsBoundary": {bounded}}, "iam:PutRolePolicy"}},
		{"another policy", false, calls{iam("policy/qivr-codebuild-policy-2"), nil, "iam:CreatePolicyVersion iam:SetDefaultPolicyVersion"}},
		{"attaching another policy", false,
			calls{siteRole, conditions{"iam:PolicyARN": {"arn:aws:iam::aws:policy/AdministratorAccess"}},
				"iam:AttachRolePolicy iam:DetachRolePolicy"}},
		{"another way than attach", false, calls{siteRole, nil, "iam:PutRolePolicy iam:DeleteRolePolicy"}},
		{"changing an observed project", false, calls{iam("role/codebuild-docs"), nil, "iam:PutRolePolicy iam:AttachRolePolicy"}},
		{"starting an observed project", false,
			calls{project("docs"), nil,
				"codebuild:RetryBuild codebuild:RetryBuildBatch codebuild:StartBuild codebuild:UpdateProject"}},
		{"starting with overrides where nothing asks for them", false,
			calls{project("TrackerAPI"), nil,
				"codebuild:StartBuild codebuild:UpdateProject codebuild:DeleteProject codebuild:StopBuild"}},
		{"another project", false,
			calls{project("payroll"), nil,
				"codebuild:BatchGetBuilds codebuild:RetryBuild codebuild:StartBuild codebuild:UpdateProject"}},
		{"a start with another image", false,
			calls{project("qivr-deploy"), request(nil, "environment.image", "own"), "codebuild:StartBuild"}},
		{"another role for a project", false,
			calls{project("nightly"), request(nil, "serviceRole", hubRole), "codebuild:UpdateProject"}},
		{"another project's log", false, calls{stream("payroll"), nil, "logs:GetLogEvents"}},
		{"the log of a project whose name only begins like it", false, calls{stream("site-secrets"), nil, "logs:GetLogEvents"}},
		{"the group where the project does not log", false, calls{stream("nightly"), nil, "logs:GetLogEvents"}},
		{"a group whose name only begins like its own", false,
			calls{here("logs", "log-group:/ci/nightly-secrets:log-stream:0a1b"), nil, "logs:GetLogEvents"}},
		{"the reports of a project that asks for none", false, calls{here("codebuild", "report-group/site-unit"), nil, readsReports}},
		{"a report group whose name only begins like a shared one", false,
			calls{here("codebuild", "report-group/shared-tests-2"), nil, readsReports}},
		{"a report group named as the project", false, calls{here("codebuild", "report-group/docs"), nil, readsReports}},
		{"the events of a stack that is not listed", false, calls{here("cloudformation", "stack/docs/0a1b"), nil, readsStacks}},
		{"those of one whose name only begins like a listed one", false,
			calls{here("cloudformation", "stack/docs-sites/0a1b"), nil, readsStacks}},
		{"anything else of a stack", false, calls{here("cloudformation", "stack/docs-site/0a1b"), nil,
			"cloudformation:DescribeStacks cloudformation:GetTemplate cloudformation:DescribeStackResources " +
				"cloudformation:UpdateStack cloudformation:DeleteStack cloudformation:ContinueUpdateRollback"}},
		{"changing reports", false,
			calls{here("codebuild", "report-group/docs-unit"), nil,
				"codebuild:DeleteReportGroup codebuild:UpdateReportGroup codebuild:BatchPutTestCases codebuild:DeleteReport"}},
		{"changing a log", false, calls{stream("TrackerAPI"), nil, "logs:PutLogEvents logs:DeleteLogStream logs:FilterLogEvents"}},
		{"a member's logs", false, calls{"arn:aws:s3:::example-build-logs/worker/0a1b.gz", nil, "s3:GetObject"}},
		{"passing another role", false,
			calls{iam("role/admin"), conditions{"iam:PassedToService": {"codebuild.amazonaws.com"}}, "iam:PassRole"}},
		{"passing to another service", false,
			calls{iam("role/codebuild-nightly-ready"), conditions{"iam:PassedToService": {"lambda.amazonaws.com"}},
				"iam:PassRole"}},
		{"another repository", false,
			calls{here("ecr", "repository/other"), nil,
				"ecr:CreateRepository ecr:DeleteRepository ecr:SetRepositoryPolicy"}},
		{"deleting its repository", false, calls{here("ecr", "repository/tracker_api"), nil, "ecr:DeleteRepository ecr:PutImage"}},
		{"a pipeline that no project lists", false, calls{here("codepipeline", "payroll"), nil, readsPipeline}},
		{"its log", false, calls{here("logs", "log-group:/aws/codepipeline/payroll:log-stream:0a1b"), nil, "logs:GetLogEvents"}},
		{"its stages", false, calls{here("codepipeline", "payroll/Build"), nil, "codepipeline:RetryStageExecution"}},
		{"a pipeline whose name only begins like a listed one", false,
			calls{here("codepipeline", "qivr-main-2/Build"), nil, "codepipeline:RetryStageExecution"}},
		{"a pipeline of another region", false,
			calls{strings.Replace(here("codepipeline", "qivr-main/Build"), region, "eu-west-1", 1), nil,
				"codepipeline:RetryStageExecution"}},
		{"starting a pipeline", false,
			calls{here("codepipeline", "qivr-main"), nil,
				"codepipeline:StartPipelineExecution codepipeline:UpdatePipeline"}},
		{"approving in a pipeline", false, calls{here("codepipeline", "qivr-main/Build/Approve"), nil, "codepipeline:PutApprovalResult"}},
		{"its own code", false,
			calls{here("lambda", "function:buildmedic"), nil,
				"lambda:UpdateFunctionCode lambda:UpdateFunctionConfiguration lambda:AddPermission " +
					"lambda:InvokeFunction"}},
		{"its table as a whole", false,
			calls{own.table, nil, "dynamodb:DeleteTable dynamodb:UpdateTable dynamodb:Scan dynamodb:DeleteItem"}},
		{"who hears its notices", false, calls{own.topic, nil, "sns:Subscribe sns:SetTopicAttributes sns:AddPermission"}},
		{"secrets", false, calls{here("secretsmanager", "secret:web-AbCdEf"), nil, "secretsmanager:GetSecretValue"}},
		{"parameters", false, calls{here("ssm", "parameter/web"), nil, "ssm:GetParameter"}},
		{"objects", false, calls{"arn:aws:s3:::bucket/key", nil, "s3:GetObject s3:PutObject"}},
		{"a role in another account", false, calls{"arn:aws:iam::" + other + ":role/admin", nil, "sts:AssumeRole"}},
		{"a member's namesake in a foreign account", false,
			calls{"arn:aws:iam::999988887777:role/buildmedic-member", nil, "sts:AssumeRole"}},
	}
}

type forbidden struct {
	why  string
	deny bool
	calls
}

func (c calls) each(yield func(iampolicy.Request) bool) {
	for _, a := range strings.Fields(c.actions) {
		if !yield(iampolicy.Request{Action: a, Resource: c.resource, Context: c.context}) {
			return
		}
	}
}

// What the function must be able to do it can, and each of its permissions
// is needed for some of that.
func TestRoleAllowsWhatIsNeededAndNoMore(t *testing.T) {
	tpl := load(t, seed)
	_, docs := tpl.role(t, "buildmedic-hub-"+region)
	used := map[string]bool{}
	for _, c := range must(t, tpl) {
		for r := range c.each {
			verdict, _ := iampolicy.Evaluate(iampolicy.Access{Policies: docs}, r)
			if verdict != iampolicy.Allowed {
				t.Errorf("%s on %s %v: %v, want allowed", r.Action, r.Resource, r.Context, verdict)
			}
			for _, st := range statements(docs) {
				one := iampolicy.Document{Version: "2012-10-17", Statements: []iampolicy.Statement{st}}
				if v, _ := iampolicy.Evaluate(iampolicy.Access{Policies: []iampolicy.Document{one}}, r); v == iampolicy.Allowed {
					for _, resource := range st.Resource.List {
						if iampolicy.MatchPattern(resource, r.Resource) {
							used[st.Sid+" "+r.Action+" "+resource] = true
						}
					}
				}
			}
		}
	}
	for _, st := range statements(docs) {
		for _, a := range st.Action.List {
			for _, resource := range st.Resource.List {
				if fits := resource == "*" || iamref.Fits(a, resource); st.Effect == "Allow" && fits && !used[st.Sid+" "+a+" "+resource] {
					t.Errorf("statement %s allows %s on %s, which nothing needs", st.Sid, a, resource)
				}
			}
		}
	}
}

func statements(docs []iampolicy.Document) (list []iampolicy.Statement) {
	for _, d := range docs {
		list = append(list, d.Statements...)
	}
	return list
}

func TestRoleNeverAllows(t *testing.T) {
	tpl := load(t, seed)
	_, docs := tpl.role(t, "buildmedic-hub-"+region)
	everything := iampolicy.Document{Version: "2012-10-17",
		Statements: []iampolicy.Statement{iampolicy.Allow("", []string{"*"}, []string{"*"})}}
	for _, c := range never(ownParts(t, tpl)) {
		for r := range c.each {
			if _, ok := iamref.Lookup(r.Action); !ok {
				t.Errorf("%s: IAM knows no %s", c.why, r.Action)
			}
			if v, m := iampolicy.Evaluate(iampolicy.Access{Policies: docs}, r); v == iampolicy.Allowed || v == iampolicy.Unknown {
				t.Errorf("%s: %s on %s is %v by statement %+v", c.why, r.Action, r.Resource, v, m)
			}
			v, _ := iampolicy.Evaluate(iampolicy.Access{Policies: append(slices.Clone(docs), everything)}, r)
			if c.deny && v != iampolicy.ExplicitDeny {
				t.Errorf("%s: with AdministratorAccess on its role, %s on %s is %v, want an explicit deny", c.why, r.Action, r.Resource, v)
			}
		}
	}
}

// The denies must not get into the way of what settings allow by the same
// services.
func TestDenialsSpareWhatIsNeeded(t *testing.T) {
	tpl := load(t, seed)
	_, docs := tpl.role(t, "buildmedic-hub-"+region)
	for _, c := range must(t, tpl) {
		for r := range c.each {
			if v, m := iampolicy.Evaluate(iampolicy.Access{Policies: docs}, r); v == iampolicy.ExplicitDeny {
				t.Errorf("%s on %s is denied by %+v", r.Action, r.Resource, m)
			}
		}
	}
}

func TestMemberRole(t *testing.T) {
	tpl := load(t, member)
	r, docs := tpl.role(t, permissions.MemberRole)
	want := `{"Action":"sts:AssumeRole","Condition":{"ArnEquals":{"aws:PrincipalArn":"` + hubRole +
		`"}},"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + account + `:root"}}`
	if got := text(r.Properties["AssumeRolePolicyDocument"].(map[string]any)["Statement"].([]any)[0]); got != want {
		t.Errorf("its trust is %s, want %s", got, want)
	}
	if r.Condition == "" {
		t.Error("it is made in each region, and its name can exist only once")
	}
	in := func(region, service, resource string) string {
		return permissions.Place{Partition: partition, Account: other, Region: region}.ARN(service, resource)
	}
	role := "arn:aws:iam::" + other + ":role/"
	yes := []calls{
		{in("eu-west-1", "codebuild", "project/worker"), nil,
			"codebuild:BatchGetBuilds codebuild:ListBuildsForProject codebuild:RetryBuild"},
		{in("us-east-1", "codebuild", "project/worker"), nil, "codebuild:BatchGetBuilds codebuild:RetryBuild"},
		{in("eu-west-1", "codepipeline", "worker"), nil, "codepipeline:GetPipelineState"},
		{in("eu-west-1", "codepipeline", "worker/Build"), nil, "codepipeline:RetryStageExecution"},
		{in("eu-west-1", "logs", "log-group:/aws/codebuild/worker:log-stream:0a1b"), nil, "logs:GetLogEvents"},
		{"arn:aws:s3:::example-build-logs/worker/0a1b.gz", nil, "s3:GetObject"},
		{role + "codebuild-worker", nil, "iam:PutRolePolicy " + readsRole},
		{role + "codebuild-worker-us",
			conditions{"iam:PolicyARN": {"arn:aws:iam::" + other + ":policy/buildmedic/site-bucket@worker"}},
			"iam:AttachRolePolicy"},
		{"*", nil, "sts:DecodeAuthorizationMessage"},
	}
	no := []calls{
		{in("eu-central-1", "codebuild", "project/worker"), nil, "codebuild:BatchGetBuilds codebuild:RetryBuild"},
		{in("us-east-1", "codepipeline", "worker/Build"), nil, "codepipeline:RetryStageExecution"}, // listed for the other region
		{"arn:aws:s3:::example-build-logs/payroll/0a1b.gz", nil, "s3:GetObject"},
		{"arn:aws:s3:::example-build-logs/worker-secrets/0a1b.gz", nil, "s3:GetObject"},
		{"arn:aws:s3:::example-build-logs/worker/0a1b.gz", nil, "s3:PutObject s3:DeleteObject s3:PutObjectAcl"},
		{"arn:aws:s3:::example-build-logs", nil, "s3:ListBucket s3:PutBucketPolicy"},
		{project("TrackerAPI"), nil, "codebuild:BatchGetBuilds codebuild:RetryBuild"},
		{trackerRol, conditions{"iam:PermissionsBoundary": {bounded}}, "iam:PutRolePolicy"},
		{role + "codebuild-worker-us", nil, "iam:PutRolePolicy"},
		{role + permissions.MemberRole, nil, "iam:PutRolePolicy iam:UpdateAssumeRolePolicy iam:AttachRolePolicy"},
		{hubRole, nil, "sts:AssumeRole"},
		{role + "admin", nil, "sts:AssumeRole iam:GetRole"},
		{role + "codebuild-worker", nil, "iam:UpdateAssumeRolePolicy iam:PutRolePermissionsBoundary"},
		{"arn:aws:iam::" + other + ":user/alice", nil, "iam:CreateAccessKey"},
	}
	check := func(list []calls, want bool) {
		for _, c := range list {
			for q := range c.each {
				if v, _ := iampolicy.Evaluate(iampolicy.Access{Policies: docs}, q); (v == iampolicy.Allowed) != want ||
					v == iampolicy.Unknown {
					t.Errorf("%s on %s is %v, want allowed: %v", q.Action, q.Resource, v, want)
				}
			}
		}
	}
	check(yes, true)
	check(no, false)
}

// Every permission has a reason, a real action, and a resource that fits it;
// "*" only where the list says why.
func TestWildcards(t *testing.T) {
	// Resources that are a pattern, and why an exact name is not known.
	patterns := map[string]string{
		here("logs", "log-group:/aws/lambda/buildmedic:log-stream:*"): "Lambda names the streams.",
		"arn:aws:iam::aws:policy/*":                                   "Which policies are on a role is known only then; reading only.",
		iam("policy/*"):                                               "Which policies are on a role is known only then; reading only.",
		"arn:aws:iam::" + other + ":policy/*":                         "Which policies are on a role is known only then; reading only.",
		here("sns", "buildmedic-owner-*"):                             "The stack's own topics, as many as there are owners.",
		here("codepipeline", "qivr-main/*"): "Which stage a build is of is known only " +
			"then; the pipeline is listed.",
		"arn:aws:codepipeline:eu-west-1:" + other + ":worker/*":   "Which stage a build is of is known only then; the pipeline is listed.",
		here("secretsmanager", "secret:buildmedic/github-??????"): "Secrets Manager chooses how a secret's ARN ends.",
		here("logs", "log-group:/ci/nightly:*"):                   "CodeBuild names the streams.",
		"arn:aws:s3:::example-build-logs/worker/*":                "CodeBuild names the objects.",
		here("cloudformation", "stack/docs-site/*"):               "CloudFormation chooses how a stack's ARN ends.",
		here("cloudformation", "stack/docs-site-*/*"):             "CloudFormation names nested stacks after the one that they are in.",
		here("codebuild", "report-group/docs-*"):                  "CodeBuild makes the groups, and names them after the project.",
		"arn:aws:codebuild:eu-west-1:" + other + ":report-group/worker-*": "CodeBuild makes the groups, and names them " +
			"after the project.",
	}
	reasons := map[string]bool{}
	seen := map[string]bool{}
	for _, c := range append(slices.Clip(allRoles), fileRole{shipped, "buildmedic-hub-" + region}) {
		_, docs := load(t, c.file).role(t, c.role)
		for _, st := range statements(docs) {
			if st.Effect != "Allow" {
				continue
			}
			for _, action := range st.Action.List {
				a, ok := iamref.Lookup(action)
				if listed := ok && a.Name == action; listed == (unlisted[action] != "") {
					t.Errorf("%s: %s: whether the service reference lists %s: %v, want %v", c.file, st.Sid, action, listed, !listed)
				}
				for _, c := range st.Condition {
					if !slices.Contains(a.Conditions, c.Key) {
						t.Errorf("%s: %s has no value for %s, so the condition never holds", st.Sid, action, c.Key)
					}
				}
				fits := false
				for _, r := range st.Resource.List {
					fits = fits || r != "*" && iamref.Fits(action, r)
					switch log := strings.HasPrefix(r, "arn:aws:logs:") &&
						(strings.Contains(r, ":log-group:/aws/codebuild/") || strings.Contains(r, ":log-group:/aws/codepipeline/")) &&
						strings.HasSuffix(r, ":*"); {
					case r == "*":
						reasons[action] = true
						if permissions.Anywhere[action] == "" {
							t.Errorf("%s: %s: %s on * without a reason", c.file, st.Sid, action)
						}
						if len(a.Resources) > 0 {
							t.Errorf("%s: %s: %s takes resources, and is allowed on *", c.file, st.Sid, action)
						}
						fits = true
					case strings.ContainsAny(r, "*?") && !log:
						seen[r] = true
						if patterns[r] == "" {
							t.Errorf("%s: %s: the pattern %s has no reason", c.file, st.Sid, r)
						}
					}
				}
				if !fits {
					t.Errorf("%s: %s: none of %v is a resource of %s", c.file, st.Sid, st.Resource.List, action)
				}
			}
		}
	}
	for a := range permissions.Anywhere {
		if !reasons[a] {
			t.Errorf("there is a reason for %s on *, and no statement", a)
		}
	}
	for p := range patterns {
		if !seen[p] {
			t.Errorf("there is a reason for %s, and no statement", p)
		}
	}
}

// unlisted are actions that the service reference of internal/iamref does not list, and why that is no
// slip. Linters may call them unknown.
var unlisted = map[string]string{
	"iam:GetRequestAuthorizationDetails": "It is of a preview (AWS.md#authorization-ids).",
}

// byHand are the calls that are made without the SDK's module of the service, and where.
var byHand = map[string]string{"iam:GetRequestAuthorizationDetails": "../awsapi/troubleshooter.go",
	"ssm:GetParameter": "../awsapi/parameters.go"}

// The calls that the code makes and the actions that the roles allow are the
// same, so that neither grows without the other.
func TestRoleIsWhatTheCodeCalls(t *testing.T) {
	allowed := map[string]bool{}
	for _, c := range allRoles {
		_, docs := load(t, c.file).role(t, c.role)
		for _, st := range statements(docs) {
			for _, a := range st.Action.List {
				if st.Effect == "Allow" {
					allowed[a] = true
				}
			}
		}
	}
	for _, a := range withParameter(t) {
		allowed[a] = true
	}
	// What is allowed and no call in the code.
	for a, why := range map[string]string{
		"iam:PassRole":             "UpdateProject asks for it.",
		"kms:Decrypt":              "SNS asks for it.",
		"kms:GenerateDataKey":      "SNS asks for it.",
		"logs:CreateLogStream":     "Lambda writes the log.",
		"logs:PutLogEvents":        "Lambda writes the log.",
		"sqs:DeleteMessage":        "Lambda polls the queue.",
		"sqs:GetQueueAttributes":   "Lambda polls the queue.",
		"sqs:ReceiveMessage":       "Lambda polls the queue.",
		"sts:AssumeRole":           "The SDK's credentials provider calls it.",
		"xray:PutTelemetryRecords": "Lambda sends the traces.",
		"xray:PutTraceSegments":    "Lambda sends the traces.",
	} {
		if !allowed[a] {
			t.Errorf("%s is expected (%s) and not allowed", a, why)
		}
		delete(allowed, a)
	}
	called := codeCalls(t)
	// What is called and is allowed by no role, on purpose.
	for a, why := range map[string]string{
		"sts:GetCallerIdentity":  "It needs no permission.",
		"codebuild:ListProjects": "Only the command scan calls it, at a desk, as the person there.",
		"codebuild:ListBuilds":   "The same.",

		"access-analyzer:StartPolicyGeneration": "Only check -observed calls it, at a desk, as the person there.",
		"access-analyzer:GetGeneratedPolicy":    "The same.",
	} {
		if !called[a] || allowed[a] {
			t.Errorf("%s: called %v, allowed %v; expected is called and not allowed: %s", a, called[a], allowed[a], why)
		}
		delete(called, a)
	}
	for a := range called {
		if !allowed[a] {
			t.Errorf("the code calls %s, which no role allows", a)
		}
	}
	for a := range allowed {
		if !called[a] {
			t.Errorf("a role allows %s, which the code never calls", a)
		}
	}
}

// withParameter gives what the hub's role allows where the credentials for GitHub are in a parameter, in
// the place of the secret of seed.yaml, and adds to what is allowed with that.
func withParameter(t *testing.T) (actions []string) {
	t.Helper()
	text, err := os.ReadFile("../../infra/testdata/seed.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const secret = "{secret: buildmedic/github}"
	if !strings.Contains(string(text), secret) {
		t.Fatalf("seed.yaml has no %s", secret)
	}
	s, err := settings.Parse([]byte(strings.Replace(string(text), secret, "{parameter: /buildmedic/github}", 1)))
	if err != nil {
		t.Fatal(err)
	}
	p, err := permissions.Hub(s, permissions.Parts{Place: permissions.Place{Partition: partition, Account: account, Region: region}},
		permissions.ManagedPolicies)
	if err != nil {
		t.Fatal(err)
	}
	for _, st := range permissions.Document(p.Groups()...).Statements {
		if st.Effect == "Allow" {
			actions = append(actions, st.Action.List...)
		}
	}
	if slices.Contains(actions, "secretsmanager:GetSecretValue") {
		t.Error("a secret may be read, and there is none")
	}
	return actions
}

// codeCalls gives the actions of the operations whose inputs are built in the
// rooms that talk to AWS.
func codeCalls(t *testing.T) map[string]bool {
	t.Helper()
	called := map[string]bool{}
	for action, path := range byHand {
		text, err := os.ReadFile(path)
		_, operation, _ := strings.Cut(action, ":")
		called[action] = err == nil && strings.Contains(string(text), strconv.Quote(operation))
	}
	for _, room := range []string{"../awsapi", "../codecommit", "../ledger"} {
		files, err := filepath.Glob(filepath.Join(room, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s has no code: %v", room, err)
		}
		for _, path := range files {
			if strings.HasSuffix(path, "_test.go") {
				continue
			}
			f := parse(t, path)
			services := sdkImports(f)
			ast.Inspect(f, func(n ast.Node) bool {
				lit, ok := n.(*ast.CompositeLit)
				if !ok {
					return true
				}
				sel, ok := lit.Type.(*ast.SelectorExpr)
				if !ok {
					return true
				}
				pkg, _ := sel.X.(*ast.Ident)
				operation, isInput := strings.CutSuffix(sel.Sel.Name, "Input")
				if pkg == nil || !isInput || services[pkg.Name] == "" {
					return true
				}
				actions, sure := iamref.ForOperation(services[pkg.Name], operation)
				if !sure {
					t.Errorf("%s: which action is %s of %s? One of %v", path, operation, services[pkg.Name], actions)
					return true
				}
				called[actions[0]] = true
				return true
			})
		}
	}
	return called
}

// sdkImports gives the SDK's services that a file imports, by the name that
// they have in it.
func sdkImports(f *ast.File) map[string]string {
	m := map[string]string{}
	for _, i := range f.Imports {
		path, _ := strconv.Unquote(i.Path.Value)
		_, service, ok := strings.Cut(path, "aws-sdk-go-v2/service/")
		if !ok || strings.Contains(service, "/") {
			continue
		}
		name := service
		if i.Name != nil {
			name = i.Name.Name
		}
		m[name] = service
	}
	return m
}

// IAM's quotas hold with the names that a deployment gives.
func TestPoliciesFitIAM(t *testing.T) {
	for _, file := range []string{shipped, seed, member, inCode, inCodeMember} {
		tpl := load(t, file)
		for id, r := range tpl.of("AWS::IAM::Role") {
			sum := 0
			inline, _ := r.Properties["Policies"].([]any)
			for _, p := range inline {
				sum += iampolicy.Size([]byte(text(p.(map[string]any)["PolicyDocument"])))
			}
			if sum > 10240 {
				t.Errorf("%s: %s has %d characters of inline policies", file, id, sum)
			}
		}
		for id, r := range tpl.of("AWS::IAM::ManagedPolicy") {
			if n := iampolicy.Size([]byte(text(r.Properties["PolicyDocument"]))); n > 6144 {
				t.Errorf("%s: %s has %d characters", file, id, n)
			}
			if r.Properties["Path"] != permissions.Path {
				t.Errorf("%s: %s is at path %v, where the function's deny does not reach", file, id, r.Properties["Path"])
			}
		}
	}
}

// As it is shipped, the function may do nothing beyond its own parts.
func TestShippedRoleIsEmpty(t *testing.T) {
	tpl := load(t, shipped)
	_, docs := tpl.role(t, "buildmedic-hub-"+region)
	var services []string
	for _, st := range statements(docs) {
		for _, a := range st.Action.List {
			if s, _, _ := strings.Cut(a, ":"); st.Effect == "Allow" {
				services = append(services, s)
			}
		}
	}
	slices.Sort(services)
	want := []string{"dynamodb", "kms", "logs", "sns", "sqs", "xray"}
	if got := slices.Compact(services); !slices.Equal(got, want) {
		t.Errorf("it may use %v, want %v", got, want)
	}
	if n := len(tpl.of("AWS::IAM::ManagedPolicy")); n != 0 {
		t.Errorf("it has %d managed policies, want none", n)
	}
	if ids := slices.Sorted(maps.Keys(tpl.of("AWS::Events::Rule"))); len(ids) != 1 {
		t.Errorf("its rules are %v, want the sweep alone", ids)
	}
}

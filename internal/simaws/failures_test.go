package simaws_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/buildmedic/buildmedic/internal/simaws"
)

// may is an inline policy that allows the actions on everything.
func may(actions ...string) string {
	list, _ := json.Marshal(actions)
	return `'{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":` + string(list) + `,"Resource":"*"}]}'`
}

const logsOnly = "roles: [{name: r, inline: {p: "

// roleMay is a world's role r that may write logs and the actions.
func roleMay(actions ...string) string {
	return logsOnly + may(append([]string{"logs:*"}, actions...)...) + "}}]\n"
}

func buildOf(step string) string {
	return "projects: [{name: p, role: r, buildspecs: {buildspec.yml: {build: [" + step + "]}}}]\n"
}

const me = "arn:aws:sts::111122223333:assumed-role/r/AWSCodeBuild-UUID"

// Each way in which a build can fail, with CodeBuild's own words. UUID
// stands for the build's.
func TestFailures(t *testing.T) {
	tests := []struct {
		name    string
		world   string
		version string
		phase   string // the first failed one; "" for success
		failure string // part of "CODE: message"
		log     string // part of the log; "-" for no log at all
	}{
		{"success", roleMay() + buildOf("make"), "", "", "", "Phase complete: BUILD State: SUCCEEDED"},
		{"log stream denied", "roles: [{name: path/r}]\n" + buildOf("make"), "", "QUEUED",
			"ACCESS_DENIED: Service role arn:aws:iam::111122223333:role/path/r does not allow AWS CodeBuild to " +
				"create Amazon CloudWatch Logs log streams for build " +
				"arn:aws:codebuild:us-east-1:111122223333:build/p:UUID. Error message: User: " + me +
				" is not authorized to perform: logs:CreateLogStream on resource: " +
				"arn:aws:logs:us-east-1:111122223333:log-group:/aws/codebuild/p:log-stream:UUID because no " +
				"identity-based policy allows the logs:CreateLogStream action", "-"},
		{"image denied",
			roleMay("ecr:GetAuthorizationToken") +
				strings.Replace(buildOf("make"), "role: r",
					"role: r, image: 111122223333.dkr.ecr.us-east-1.amazonaws.com/img:1", 1),
			"", "PROVISIONING",
			"BUILD_CONTAINER_UNABLE_TO_PULL_IMAGE: Unable to pull customer's container image. " +
				"CannotPullContainerError: Error response from daemon: pull access denied for " +
				"111122223333.dkr.ecr.us-east-1.amazonaws.com/img, ", ""},
		{"VPC denied", roleMay() + strings.Replace(buildOf("make"), "role: r", "role: r, vpc: true", 1), "", "PROVISIONING",
			"VPC_CLIENT_ERROR: Unexpected EC2 error: UnauthorizedOperation", ""},
		{"fault", roleMay() + strings.Replace(buildOf("make"), "role: r", "role: r, faults: 1", 1), "", "PROVISIONING",
			"INTERNAL_SERVICE_ERROR", ""},
		{"no such branch", roleMay() + buildOf("make"), "gone", "DOWNLOAD_SOURCE",
			"CLIENT_ERROR: reference not found for primary source and source version gone",
			"Phase complete: DOWNLOAD_SOURCE State: FAILED"},
		{"buildspec moved",
			roleMay() + "projects: [{name: p, role: r, buildspecs: {aws/buildspec.yml: {build: [make]}}}]", "",
			"DOWNLOAD_SOURCE", "/src/github.com/example/p/buildspec.yml: no such file or directory",
			"Phase context status code: YAML_FILE_ERROR Message: stat /codebuild/output/src"},
		{"source in S3 denied",
			roleMay() +
				"projects: [{name: p, role: r, source: {type: S3, location: b/s.zip}, " +
				"buildspecs: {buildspec.yml: {}}}]",
			"", "DOWNLOAD_SOURCE", "CLIENT_ERROR: AccessDenied: Access Denied status code: 403, request id: ", ""},
		{"parameter denied",
			roleMay() + strings.Replace(buildOf("make"), "role: r", "role: r, parameters: [/app/token]", 1), "",
			"DOWNLOAD_SOURCE",
			"Decrypted Variables Error: AccessDeniedException: User: " + me +
				" is not authorized to perform: ssm:GetParameters on " +
				"resource: arn:aws:ssm:us-east-1:111122223333:parameter/app/token because no", ""},
		{"secret denied", roleMay() + strings.Replace(buildOf("make"), "role: r", "role: r, secrets: [db]", 1), "", "DOWNLOAD_SOURCE",
			"Secrets Manager Error: AccessDeniedException: User: " + me +
				" is not authorized to perform: secretsmanager:GetSecretValue", ""},
		{"artifact denied", roleMay() + strings.Replace(buildOf("make"), "role: r", "role: r, artifacts: out/web", 1),
			"", "UPLOAD_ARTIFACTS",
			`CLIENT_ERROR: Error in UPLOAD_ARTIFACTS phase: AccessDenied: User: ` + me +
				` is not authorized to perform: s3:PutObject on resource: "arn:aws:s3:::out/web/p" because no`, ""},

		{"CLI", roleMay() + buildOf("aws ssm get-parameter --name /a"), "", "BUILD",
			"COMMAND_EXECUTION_ERROR: Error while executing command: aws ssm get-parameter --name /a. " +
				"Reason: exit status 254",
			"\nAn error occurred (AccessDeniedException) when calling the GetParameter operation: User: " + me +
				" is not authorized to perform: ssm:GetParameter on " +
				"resource: arn:aws:ssm:us-east-1:111122223333:parameter/a because no identity-based policy allows " +
				"the ssm:GetParameter action\n"},
		{"CLI of old", roleMay() + buildOf("{run: aws x y, exit: 255, calls: [{action: ecs:ListClusters, as: old}]}"),
			"", "BUILD", "Reason: exit status 255",
			"when calling the Y operation: User: " + me + " is not authorized to perform: ecs:ListClusters on resource: *\n"},
		{"S3 copy", roleMay() + buildOf("aws s3 cp app.zip s3://b/app.zip"), "", "BUILD", "exit status 1",
			`upload failed: app.zip to s3://b/app.zip An error occurred (AccessDenied) when calling the PutObject ` +
				`operation: User: ` + me +
				` is not authorized to perform: s3:PutObject on resource: "arn:aws:s3:::b/app.zip" because`},
		{"S3 without a word",
			roleMay() +
				buildOf("{run: aws s3 sync . s3://b, calls: [{action: s3:ListBucket, on: 'arn:aws:s3:::b', "+
					"as: plain, operation: ListObjectsV2}]}"), "", "BUILD", "",
			"An error occurred (AccessDenied) when calling the ListObjectsV2 operation: Access Denied\n"},
		{"docker push",
			roleMay("ecr:Batch*") + "repositories: [{name: img}]\n" +
				buildOf("docker push 111122223333.dkr.ecr.us-east-1.amazonaws.com/img:1"), "", "BUILD", "exit status 1",
			"denied: User: " + me +
				" is not authorized to perform: ecr:InitiateLayerUpload on " +
				"resource: arn:aws:ecr:us-east-1:111122223333:repository/img because no identity-based policy allows " +
				"the ecr:InitiateLayerUpload action\n"},
		{"docker push in silence",
			roleMay() + buildOf("{run: docker push x, calls: [{action: ecr:PutImage, as: silent}]}"), "", "BUILD",
			"exit status 1", "Retrying in 1 seconds\nEOF\n"},
		{"repository missing",
			roleMay("ecr:*") + buildOf("docker push 111122223333.dkr.ecr.us-east-1.amazonaws.com/img:1"), "", "BUILD",
			"exit status 1",
			"name unknown: The repository with name 'img' does not exist in the registry with id '111122223333'\n"},
		{"repository missing, created at the push",
			"create_on_push: [team]\n" + roleMay("ecr:*") + buildOf("docker push 111122223333.dkr.ecr.us-east-1.amazonaws.com/team/img:1"),
			"", "", "", "1: digest: sha256:"},
		{"repository missing, of no template",
			"create_on_push: [team]\n" + roleMay("ecr:*") +
				buildOf("docker push 111122223333.dkr.ecr.us-east-1.amazonaws.com/teams/img:1"),
			"", "BUILD", "exit status 1", "name unknown: The repository with name 'teams/img' does not exist"},
		{"no way out of the VPC", roleMay("ec2:*") + strings.Replace(buildOf("make"), "role: r", "role: r, vpc: true, "+
			"refused: {phase: DOWNLOAD_SOURCE, code: CLIENT_ERROR, message: 'dial tcp 192.0.2.10:443: i/o timeout'}", 1),
			"", "DOWNLOAD_SOURCE", "CLIENT_ERROR: dial tcp 192.0.2.10:443: i/o timeout", "Phase complete: DOWNLOAD_SOURCE State: FAILED"},
		{"a fleet that cannot", roleMay() + strings.Replace(buildOf("make"), "role: r",
			"role: r, fleet: ci, refused: {phase: PROVISIONING, code: CLIENT_ERROR, message: INSUFFICIENT_CAPACITY}", 1),
			"", "PROVISIONING", "CLIENT_ERROR: INSUFFICIENT_CAPACITY", ""},
		{"too long for Lambda compute", roleMay() + strings.Replace(buildOf("{run: make, takes: 20m}"), "role: r",
			"role: r, environment: LINUX_LAMBDA_CONTAINER", 1), "", "BUILD",
			"BUILD_TIMED_OUT: Build has timed out. ", "Running command make"},
		{"EC2", roleMay() + buildOf("{run: aws ec2 run-instances, calls: [{action: ec2:RunInstances, as: encoded}]}"),
			"", "BUILD", "exit status 254",
			"An error occurred (UnauthorizedOperation) when calling the RunInstances operation: You are not " +
				"authorized to perform this operation. User: " + me + " is not authorized"},
		{"SDK for JavaScript",
			roleMay() + buildOf("{run: node d.mjs, calls: [{action: ecs:RegisterTaskDefinition, as: short}]}"), "",
			"BUILD", "exit status 1",
			"\nAccessDeniedException: User is not authorized to perform: ecs:RegisterTaskDefinition\n"},
		{"SDK for Go",
			roleMay() + buildOf("{run: ./deploy, tool: sdk-go-v1, calls: [s3:GetObject on arn:aws:s3:::b/k]}"), "",
			"BUILD", "exit status 1",
			"AccessDenied: User: " + me +
				` is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::b/k" because no ` +
				`identity-based policy allows the s3:GetObject action` + "\n\tstatus code: 403, request id: "},
		{"Terraform",
			roleMay() + buildOf("{run: terraform apply, calls: [iam:CreateRole on arn:aws:iam::111122223333:role/x]}"),
			"", "BUILD", "exit status 1",
			"│ Error: operation error IAM: CreateRole, https response error StatusCode: 403, RequestID: "},
		{"own words",
			roleMay() +
				buildOf("{run: cdk deploy, calls: [{action: sts:AssumeRole, on: 'arn:aws:iam::1:role/x', says: 'no "+
					"$ACTION for $USER'}]}"),
			"", "BUILD", "exit status 1",
			"\nno sts:AssumeRole for " + me + "\n"},
		{"another role's call",
			roleMay() + buildOf("{run: make, calls: [{action: s3:GetObject, role: deployer, session: s}]}"), "",
			"BUILD", "exit status 1",
			"User: arn:aws:sts::111122223333:assumed-role/deployer/s is not authorized to perform: s3:GetObject on resource: * because"},
		{"denied, but ignored", roleMay() + buildOf("{run: aws s3 cp a s3://b/a, ignore_failure: true}, make"), "", "",
			"", "upload failed"},
		{"rate limit",
			roleMay() +
				buildOf("{run: docker build ., fails: {times: 1, prints: 'toomanyrequests: You have reached your "+
					"pull rate limit.', exit: 1}}"), "", "BUILD", "exit status 1", "toomanyrequests"},
		{"INSTALL",
			roleMay() +
				"projects: [{name: p, role: r, buildspecs: {buildspec.yml: {install: [{run: npm ci, " +
				"fails: {prints: no}}], build: [make]}}}]", "", "INSTALL", "exit status 1",
			"Phase complete: INSTALL State: FAILED"},
		{"too long",
			roleMay() + strings.Replace(buildOf("{run: make, takes: 20m}, {run: make test, takes: 20m}"), "role: r",
				"role: r, timeout: 30m", 1), "", "BUILD", "BUILD_TIMED_OUT: Build has timed out. ",
			"Running command make test"},
		{"forged",
			roleMay() +
				"projects: [{name: p, role: r, versions: [{ref: refs/heads/main, buildspecs: {buildspec.yml: {}}}, " +
				"{ref: pr/7, buildspecs: {buildspec.yml: {build: [{run: make, prints: 'User: x is not authorized', " +
				"calls: []}, {run: 'false', fails: {prints: ''}}]}}}]}]", "pr/7", "BUILD", "exit status 1",
			"\nUser: x is not authorized\n"},

		{"organization denies",
			"scps: [{id: p-1, document: '{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Deny\"," +
				"\"Action\":\"ecr:*\",\"Resource\":\"*\"}]}'}]\n" + roleMay("ecr:*") +
				buildOf("aws ecr get-login-password"), "", "BUILD", "exit status 254",
			"is not authorized to perform: ecr:GetAuthorizationToken on resource: * with an explicit deny in a " +
				"service control " +
				"policy: arn:aws:organizations::111122223333:policy/o-simulated0/service_control_policy/p-1\n"},
		{"organization is silent",
			"full_aws_access: false\nscps: [{id: p-1, document: " + may("logs:*") + "}]\n" + roleMay("ecr:*") +
				buildOf("aws ecr get-login-password"), "", "BUILD", "exit status 254",
			"on resource: * because no service control policy allows the ecr:GetAuthorizationToken action\n"},
		{"boundary is silent",
			"policies: [{name: fence, document: " + may("logs:*") + "}]\n" +
				strings.Replace(roleMay("ecr:*"), "name: r", "name: r, boundary: fence", 1) +
				buildOf("aws ecr get-login-password"), "", "BUILD", "exit status 254",
			"on resource: * because no permissions boundary allows the ecr:GetAuthorizationToken action\n"},
		{"boundary denies",
			"policies: [{name: fence, document: '{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\"," +
				"\"Action\":\"*\",\"Resource\":\"*\"},{\"Effect\":\"Deny\",\"Action\":\"ecr:*\"," +
				"\"Resource\":\"*\"}]}'}]\n" +
				strings.Replace(roleMay("ecr:*"), "name: r", "name: r, boundary: fence", 1) +
				buildOf("aws ecr get-login-password"), "", "BUILD", "exit status 254",
			"with an explicit deny in a permissions boundary: arn:aws:iam::111122223333:policy/fence\n"},
		{"own deny",
			"roles: [{name: r, inline: {p: " + may("*") +
				", q: '{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Deny\",\"Action\":\"ecr:*\"," +
				"\"Resource\":\"*\"}]}'}}]\n" + buildOf("aws ecr get-login-password"), "", "BUILD", "exit status 254",
			"on resource: * with an explicit deny in an identity-based policy\n"},
		{"repository policy denies",
			roleMay("ecr:*") +
				"repositories: [{name: img, policy: '{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Deny\"," +
				"\"Principal\":\"*\",\"Action\":\"ecr:PutImage\"}]}'}]\n" +
				buildOf("docker push 111122223333.dkr.ecr.us-east-1.amazonaws.com/img:1"), "", "BUILD", "exit status 1",
			"denied: User: " + me +
				" is not authorized to perform: ecr:PutImage on " +
				"resource: arn:aws:ecr:us-east-1:111122223333:repository/img with an explicit deny in a " +
				"resource-based policy\n"},
		{"repository policy gives",
			roleMay() +
				"repositories: [{name: img, policy: '{\"Version\":\"2012-10-17\"," +
				"\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"arn:aws:iam::111122223333:role/r\"}," +
				"\"Action\":\"ecr:*\"}]}'}]\n" +
				buildOf("docker push 111122223333.dkr.ecr.us-east-1.amazonaws.com/img:1"),
			"", "", "", "1: digest: sha256:"},
		{"repository policy leaves it to IAM",
			roleMay() +
				"repositories: [{name: img, policy: '{\"Version\":\"2012-10-17\"," +
				"\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"111122223333\"}," +
				"\"Action\":\"ecr:*\"}]}'}]\n" +
				buildOf("docker push 111122223333.dkr.ecr.us-east-1.amazonaws.com/img:1"), "", "BUILD", "exit status 1",
			"because no identity-based policy allows the ecr:BatchCheckLayerAvailability action"},
		{"another account's repository",
			roleMay("ecr:*") +
				"members: [{account: '444455556666', region: us-east-1, repositories: [{name: img}]}]\n" +
				buildOf("docker push 444455556666.dkr.ecr.us-east-1.amazonaws.com/img:1"), "", "BUILD", "exit status 1",
			"on resource: arn:aws:ecr:us-east-1:444455556666:repository/img because no resource-based policy allows " +
				"the ecr:BatchCheckLayerAvailability action"},
		{"another account's bucket",
			roleMay("s3:*") + "members: [{account: '444455556666', region: us-east-1, buckets: [{name: theirs}]}]\n" +
				buildOf("aws s3 cp k s3://theirs/k"), "", "BUILD", "exit status 1",
			"upload failed: k to s3://theirs/k An error occurred (AccessDenied) when calling the PutObject operation: Access Denied\n"},
		{"bucket policy denies",
			roleMay("s3:*") +
				"buckets: [{name: b, policy: '{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Deny\"," +
				"\"NotPrincipal\":{\"AWS\":\"arn:aws:iam::111122223333:role/other\"},\"Action\":\"s3:*\"," +
				"\"Resource\":\"arn:aws:s3:::b/*\"}]}'}]\n" + buildOf("aws s3 cp a s3://b/a"), "", "BUILD",
			"exit status 1",
			`on resource: "arn:aws:s3:::b/a" with an explicit deny in a resource-based policy`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := world(t, tt.world)
			c := dial(s, simaws.FunctionKey, "us-east-1")
			id, err := s.Run(simaws.Start{Project: "p", Version: tt.version})
			if err != nil {
				t.Fatal(err)
			}
			next(t, s)
			b := s.Builds("p")[0]
			uuid := strings.TrimPrefix(id, "p:")
			masked := func(text string) string { return strings.ReplaceAll(text, uuid, "UUID") }
			out, err := c.codebuild.BatchGetBuilds(deadline(t), &codebuild.BatchGetBuildsInput{Ids: []string{id}})
			if err != nil {
				t.Fatal(err)
			}
			got := out.Builds[0]
			phase, failure := "", ""
			for _, p := range got.Phases {
				if phase == "" && p.PhaseStatus != "" && p.PhaseStatus != "SUCCEEDED" {
					phase = string(p.PhaseType)
					failure = *p.Contexts[0].StatusCode + ": " + *p.Contexts[0].Message
				}
			}
			if phase != tt.phase || !strings.Contains(masked(failure), tt.failure) || failure != b.Failure {
				t.Errorf("failed in %q with\n%s\nwant %q, …%s…\n%s", phase, masked(failure), tt.phase, tt.failure, b.Log)
			}
			if (got.BuildStatus == "SUCCEEDED") != (tt.phase == "") {
				t.Errorf("build is %s", got.BuildStatus)
			}
			if tt.log == "-" {
				if arn := *got.Logs.CloudWatchLogsArn; !strings.HasSuffix(arn, ":log-group:null:log-stream:null") ||
					got.Logs.StreamName != nil {
					t.Errorf("a log is announced: %+v", got.Logs)
				}
				return
			}
			if log := logOf(t, c, *got.Logs.GroupName, *got.Logs.StreamName); !strings.Contains(masked(log), tt.log) {
				t.Errorf("the log lacks\n%s\nit is\n%s", tt.log, masked(log))
			}
		})
	}
}

// STS decodes EC2's message and no other.
func TestDecodeAuthorizationMessage(t *testing.T) {
	s := world(t, roleMay()+
		buildOf("{run: aws ec2 run-instances, calls: [{action: ec2:RunInstances, "+
			"on: 'arn:aws:ec2:us-east-1:111122223333:instance/*', as: encoded}]}"))
	if err := run(s, "p"); err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(s.Builds("p")[0].Log, "Encoded authorization failure message: ")
	text, _, _ := strings.Cut(rest, "\n")
	c := dial(s, simaws.FunctionKey, "us-east-1")
	out, err := c.sts.DecodeAuthorizationMessage(deadline(t), &sts.DecodeAuthorizationMessageInput{EncodedMessage: &text})
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Allowed, ExplicitDeny bool
		Context               struct {
			Principal        struct{ Arn string }
			Action, Resource string
		}
	}
	if err := json.Unmarshal([]byte(*out.DecodedMessage), &got); err != nil {
		t.Fatal(err)
	}
	if got.Allowed || got.ExplicitDeny || got.Context.Action != "ec2:RunInstances" ||
		got.Context.Resource != "arn:aws:ec2:us-east-1:111122223333:instance/*" ||
		!strings.HasPrefix(got.Context.Principal.Arn, "arn:aws:sts::111122223333:assumed-role/r/AWSCodeBuild-") {
		t.Errorf("decoded %s", *out.DecodedMessage)
	}
	cut := text[:len(text)-3]
	if _, err := c.sts.DecodeAuthorizationMessage(deadline(t), &sts.DecodeAuthorizationMessageInput{EncodedMessage: &cut}); err == nil {
		t.Error("a cut message is decoded")
	}
}

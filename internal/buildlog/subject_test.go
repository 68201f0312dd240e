package buildlog

import (
	"strings"
	"testing"

	"github.com/buildmedic/buildmedic/internal/codebuild"
)

// TestBrokenSubject breaks each text about somebody else, or with a reason, at each of its
// characters, as a terminal does: the denial must not become the build's own.
func TestBrokenSubject(t *testing.T) {
	ours := func(d Denial) bool { return d.Action != "" && d.Subject == "" && d.Reason == "" }
	breaks, lost := 0, 0
	for _, s := range readShapes(t) {
		if s.category != "others" || strings.HasPrefix(s.name, "deploy-role") { // the command says it, in a line of its own
			continue
		}
		all := Denials(s.text)
		if len(all) == 0 || anyOf(all, ours) {
			continue
		}
		for i := 1; i < len(s.text)-1; i++ {
			breaks++
			if anyOf(Denials(s.text[:i]+"\n"+s.text[i:]), ours) {
				lost++
			}
		}
	}
	t.Logf("%d breaks, of which %d lose whose it is", breaks, lost)
	if breaks < 4000 || lost*100 > 2*breaks {
		t.Errorf("%d breaks lose whose it is %d times, want at most two of 100", breaks, lost)
	}
}

func anyOf(list []Denial, is func(Denial) bool) bool {
	for _, d := range list {
		if is(d) {
			return true
		}
	}
	return false
}

// TestOwnDenials: words and reasons of other denials must not withhold the build's own. Each row is
// a refusal that a permission of the build's role cures.
func TestOwnDenials(t *testing.T) {
	const session = "arn:aws:sts::111122223333:assumed-role/codebuild-shop/AWSCodeBuild-0a1b"
	const tail = " because no identity-based policy allows the "
	build := codebuild.Build{ARN: "arn:aws:codebuild:eu-west-1:111122223333:build/shop:0a1b",
		ServiceRole: "arn:aws:iam::111122223333:role/service-role/codebuild-shop"}
	for _, row := range []struct{ what, text, action string }{
		{"AWS's sentence", "User: " + session + " is not authorized to perform: s3:GetObject on resource: arn:aws:s3:::shop/x" + tail +
			"s3:GetObject action", "s3:GetObject"},
		{"without a tail", "User: " + session + " is not authorized to perform: s3:GetObject on resource: arn:aws:s3:::shop/x",
			"s3:GetObject"},
		{"a tail that is cut", "User: " + session + " is not authorized to perform: ssm:GetParameter because no identity-b",
			"ssm:GetParameter"},
		{"without a principal", "User is not authorized to perform: ecr:GetAuthorizationToken on resource: *" + tail +
			"ecr:GetAuthorizationToken action", "ecr:GetAuthorizationToken"},
		{"a masked principal", "User: *** is not authorized to perform: ecr:PutImage", "ecr:PutImage"},
		{"of a call that is given a role", "An error occurred (AccessDeniedException) when calling the CreateFunction operation: User: " +
			session + " is not authorized to perform: iam:PassRole on resource: arn:aws:iam::111122223333:role/fn" + tail +
			"iam:PassRole action", "iam:PassRole"},
		{"of a project's creation", "An error occurred (AccessDeniedException) when calling the CreateProject operation: User: " +
			session + " is not authorized to perform: codebuild:CreateProject", "codebuild:CreateProject"},
		{"the CLI's bare refusal", "An error occurred (AccessDenied) when calling the PutObject operation: Access Denied",
			"s3:PutObject"},
		{"with a full stop", "An error occurred (AccessDenied) when calling the PutObject operation: Access Denied.", "s3:PutObject"},
		{"a HEAD", "fatal error: An error occurred (403) when calling the HeadObject operation: Forbidden", "s3:GetObject"},
		{"an empty message", "An error occurred (AccessDeniedException) when calling the PutParameter operation: ", "ssm:PutParameter"},
		{"an empty message before other output",
			"An error occurred (AccessDeniedException) when calling the PutParameter operation: \nmake: *** [deploy] Error 254",
			"ssm:PutParameter"},
		{"another line behind it", "An error occurred (AccessDenied) when calling the PutObject operation: Access Denied\n" +
			"Completed 1 of 3 part(s) with 2 file(s) remaining", "s3:PutObject"},
		{"EC2", "An error occurred (UnauthorizedOperation) when calling the RunInstances operation: " +
			"You are not authorized to perform this operation.", "ec2:RunInstances"},
		{"EC2, with its message", "An error occurred (UnauthorizedOperation) when calling the RunInstances operation: You are not " +
			"authorized to perform this operation. Encoded authorization failure message: abc", "ec2:RunInstances"},
		{"in other words", "An error occurred (AccessDeniedException) when calling the PutParameter operation: " +
			"You don't have permissions to perform this action", "ssm:PutParameter"},
		{"in still other words", "An error occurred (AccessDeniedException) when calling the PutParameter operation: " +
			"User is not authorized to perform that action", "ssm:PutParameter"},
		{"insufficient", "An error occurred (AccessDeniedException) when calling the PutParameter operation: Insufficient permissions",
			"ssm:PutParameter"},
		{"Go",
			"operation error S3: CreateBucket, https response error StatusCode: 403, RequestID: 0, HostID: 0, api error AccessDenied: " +
				"Access Denied", "s3:CreateBucket"},
		{"Java", "Access Denied (Service: Amazon S3; Status Code: 403; Error Code: AccessDenied; Request ID: 0) s3:PutObject: " +
			"AccessDenied: Access Denied", "s3:PutObject"},
		{"CloudFormation, by the build's credentials",
			"CREATE_FAILED | AWS::EC2::VPC | Vpc | API: ec2:CreateVpc You are not authorized " +
				"to perform this operation.", "ec2:CreateVpc"},
		{"CloudFormation's handler", `Resource handler returned message: "User: ` + session + " is not authorized to perform: " +
			"sqs:CreateQueue on resource: arn:aws:sqs:eu-west-1:111122223333:q" + tail + `sqs:CreateQueue action (Service: Sqs, ` +
			`Status Code: 403, Request ID: 0)" (RequestToken: 0, HandlerErrorCode: AccessDenied)`, "sqs:CreateQueue"},
		{"a deployment beside somebody's assumed role",
			"Running command aws sts assume-role --role-arn arn:aws:iam::111122223333:role/x\n" +
				"CREATE_FAILED AWS::EC2::VPC Vpc API: ec2:CreateVpc You are not authorized to perform this operation.", "ec2:CreateVpc"},
		{"the role's own name", "role codebuild-shop is not authorized to perform: s3:GetObject on resource: arn:aws:s3:::shop/x",
			"s3:GetObject"},
		{"CodeBuild's service role",
			"The CodeBuild service role is not authorized to perform: s3:GetObject on resource: arn:aws:s3:::shop/x",
			"s3:GetObject"},
		{"a job, which may be the build", "This job is not authorized to perform: s3:GetObject on resource: arn:aws:s3:::shop/x",
			"s3:GetObject"},
		{"a pipeline, which may be the build", "The CI pipeline does not have permission to perform: ssm:GetParameter", "ssm:GetParameter"},
		{"a log line in JSON", `{"level":"error","msg":"An error occurred (AccessDeniedException) when calling the PutParameter ` +
			`operation: User is not authorized to perform this action","time":"2026-11-20T10:00:00Z"}`, "ssm:PutParameter"},
		{"XML", "s3:PutObject <Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>", "s3:PutObject"},
		{"your role", "Your IAM role does not have permission to perform: ssm:GetParameter", "ssm:GetParameter"},
		{"Docker", "denied: User: " + session + " is not authorized to perform: ecr:InitiateLayerUpload on resource: " +
			"arn:aws:ecr:eu-west-1:111122223333:repository/shop" + tail + "ecr:InitiateLayerUpload action", "ecr:InitiateLayerUpload"},
		{"a connection of the build's source",
			"Failed to get access token from arn:aws:codeconnections:eu-west-1:111122223333:connection/0a1b: " +
				"Access denied to connection", "codeconnections:GetConnectionToken"},
	} {
		t.Run(row.what, func(t *testing.T) {
			f := ReadText(build, row.text)
			if len(f.Denials) == 0 {
				t.Fatal("no denial is read")
			}
			for _, d := range f.Denials {
				if d.Action != row.action || d.Subject != "" || d.Reason != "" {
					t.Errorf("read %q, subject %q, reason %q; want %q", d.Action, d.Subject, d.Reason, row.action)
				}
			}
		})
	}
}

// TestKeyTellsWhoseAndWhy: claims that differ in whom they are about, or in the reason, are two.
func TestKeyTellsWhoseAndWhy(t *testing.T) {
	own := Denial{Action: "s3:PutObject", Effect: Unstated, Layer: LayerUnstated}
	other, reasoned := own, own
	other.Subject, reasoned.Reason = "the task role", "because object protected by object lock"
	if own.key() == other.key() || own.key() == reasoned.key() {
		t.Error("the build's own denial has the key of another")
	}
	const line = "An error occurred (AccessDenied) when calling the PutObject operation: Access Denied"
	if list := Denials(line + "\n\n" + line + " because object protected by object lock."); len(list) != 2 {
		t.Errorf("%d denials, want the bare one and the one with a reason", len(list))
	}
}

// TestDeployRole finds the role that a command gives to CloudFormation.
func TestDeployRole(t *testing.T) {
	const role = "arn:aws:iam::111122223333:role/deploy"
	for _, row := range []struct {
		what, commands string
		last           bool
		want           bool
	}{
		{"SAM", "sam deploy --stack-name shop --role-arn " + role, false, true},
		{"with an equals sign", "sam deploy --role-arn=" + role, false, true},
		{"in quotes", `aws cloudformation deploy --role-arn "` + role + `" --stack-name shop`, false, true},
		{"with options in front of the service", "aws --region eu-west-1 cloudformation create-stack --role-arn " + role, false, true},
		{"over several lines", "aws cloudformation deploy \\\n  --stack-name shop \\\n  --role-arn " + role, false, true},
		{"a variable", `sam deploy --role-arn "$DEPLOY_ROLE"`, false, true},
		{"the CDK's short option", "npx cdk deploy -r " + role, false, true},
		{"behind another command", "cd infra && npx cdk deploy --role-arn " + role, false, true},
		{"a role to assume", "aws sts assume-role --role-arn " + role + " && sam deploy --stack-name shop", false, false},
		{"a cluster's role", "aws eks update-kubeconfig --role-arn " + role + "; cdk deploy", false, false},
		{"a short option of another tool", "sam build -r " + role, false, false},
		{"no role", "sam deploy --stack-name shop", false, false},
		{"one of two", "sam deploy --role-arn " + role + "; sam deploy --stack-name b", false, true},
		{"the last one has none", "sam deploy --role-arn " + role + "; sam deploy --stack-name b", true, false},
	} {
		if got := deployRole(row.commands, row.last); (got != "") != row.want {
			t.Errorf("%s: %q", row.what, got)
		}
	}
}

// TestOtherCredentials finds the credentials that a command brings.
func TestOtherCredentials(t *testing.T) {
	for _, row := range []struct{ what, commands, want string }{
		{"the CLI's profile", "aws s3 cp f s3://shop/f --profile prod", "the profile prod"},
		{"in front", "aws --profile prod s3 cp f s3://shop/f", "the profile prod"},
		{"SAM's", "sam deploy --profile prod", "the profile prod"},
		{"the CDK's", "npx cdk deploy --profile=prod", "the profile prod"},
		{"Serverless'", "npx serverless deploy --aws-profile prod", "the profile prod"},
		{"a variable", "AWS_PROFILE=prod terraform apply", "the profile prod"},
		{"exported", "export AWS_PROFILE=prod && terraform apply", "the profile prod"},
		{"keys", "AWS_ACCESS_KEY_ID=$DEPLOY_KEY aws s3 cp f s3://shop/f", "the user or role whose keys the command sets"},
		{"of a role that was assumed", `export AWS_ACCESS_KEY_ID=$(echo $C | jq -r .AccessKeyId); aws s3 cp f s3://shop/f`,
			"the user or role whose keys the command sets"},
		{"a tool that assumes a role", "aws-vault exec prod -- terraform apply", "the profile prod"},
		{"the default profile", "aws s3 cp f s3://shop/f --profile default", ""},
		{"the build's own keys, handed on", "docker build --build-arg AWS_ACCESS_KEY_ID=$AWS_ACCESS_KEY_ID .", ""},
		{"another tool's profile", "cargo build --profile release", ""},
		{"likewise", "docker compose --profile test up && aws s3 cp f s3://shop/f", ""},
		{"another service's endpoint", "aws --endpoint-url http://localhost:9000 s3 cp f s3://shop/f",
			"the account at http://localhost:9000"},
		{"likewise", "AWS_ENDPOINT_URL_S3=https://r2.example.com aws s3 cp f s3://shop/f", "the account at https://r2.example.com"},
		{"an endpoint that only the shell knows", "aws s3 sync d s3://shop --endpoint-url=$ENDPOINT", "the account at $ENDPOINT"},
		{"an endpoint in the network", "aws s3 cp f s3://shop/f --endpoint-url https://bucket.vpce-1.s3.eu-west-1.vpce.amazonaws.com", ""},
		{"a host that only looks like AWS's", "aws s3 cp f s3://shop/f --endpoint-url https://s3.amazonaws.com.example.com",
			"the account at https://s3.amazonaws.com.example.com"},
		{"another machine", "ssh -o BatchMode=yes web aws s3 cp s3://shop/f f", "what runs on another machine"},
		{"another container", "kubectl -n shop exec web -- aws s3 cp s3://shop/f f", "what runs on another machine"},
		{"git over SSH", "GIT_SSH_COMMAND='ssh -i key' git pull && aws s3 cp f s3://shop/f", ""},
		{"a step that mounts credentials", "RUN --mount=type=secret,id=aws,target=/root/.aws/credentials aws s3 cp f s3://shop/f",
			"the user or role of the secret that the step mounts"},
		{"a step that mounts another secret", "RUN --mount=type=secret,id=npmrc aws s3 cp f s3://shop/f", ""},
		{"a key for SSH", "ssh-keyscan git.example.com >> known_hosts && aws s3 cp f s3://shop/f", ""},
		{"none", "aws s3 cp f s3://shop/f", ""},
	} {
		if got := OtherCredentials(row.commands); got != row.want {
			t.Errorf("%s: %q, want %q", row.what, got, row.want)
		}
	}
	const command = "aws s3 cp f s3://shop/f --profile prod"
	text := "[Container] 2026/11/20 10:00:00.000000 Running command " + command + "\n" +
		"An error occurred (AccessDenied) when calling the PutObject operation: Access Denied\n" +
		"[Container] 2026/11/20 10:00:02.000000 Command did not exit successfully " + command + " exit status 1\n" +
		"[Container] 2026/11/20 10:00:02.000000 Phase complete: BUILD State: FAILED\n"
	if f := ReadText(codebuild.Build{}, text); len(f.Denials) != 1 || f.Denials[0].Subject != "the profile prod" {
		t.Errorf("read %+v", f.Denials)
	}
}

// TestDeployRoleOfTheFailedCommand: what stands far before a stack's event still says whose it is.
func TestDeployRoleOfTheFailedCommand(t *testing.T) {
	const command = "sam deploy --role-arn arn:aws:iam::111122223333:role/deploy"
	text := "[Container] 2026/11/20 10:00:00.000000 Running command " + command + "\n" +
		strings.Repeat("2026-11-20 10:00:01 CREATE_IN_PROGRESS\n", 1000) +
		"CREATE_FAILED AWS::EC2::Subnet Subnet API: ec2:CreateSubnet You are not authorized to perform this operation.\n" +
		"[Container] 2026/11/20 10:00:02.000000 Command did not exit successfully " + command + " exit status 1\n" +
		"[Container] 2026/11/20 10:00:02.000000 Phase complete: BUILD State: FAILED\n"
	f := ReadText(codebuild.Build{}, text)
	if len(f.Denials) != 1 || !f.Denials[0].Causal || !strings.Contains(f.Denials[0].Subject, "role/deploy") {
		t.Errorf("read %+v", f.Denials)
	}
}

// TestCalled ensures that a denial says in the answer of which operation it stands, if it is one.
func TestCalled(t *testing.T) {
	for text, want := range map[string]string{
		"An error occurred (AccessDeniedException) when calling the GetParameter operation: User: u is not authorized": "GetParameter",
		"operation error Secrets Manager: GetSecretValue, https response error StatusCode: 400, RequestID: 1":          "GetSecretValue",
		"when calling the GetObject operation: denied; when calling the GetObject operation: denied":                   "GetObject",
		"when calling the GetObject operation: denied; when calling the PutObject operation: denied":                   "",
		"AccessDenied: User: u is not authorized to perform: kms:Decrypt on resource: r":                               "",
	} {
		if got := (Denial{Text: text}).Called(); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

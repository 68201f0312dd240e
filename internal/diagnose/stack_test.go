package diagnose

import (
	"strings"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
)

const (
	stackBuild = "arn:aws:codebuild:eu-west-1:111122223333:build/shop:11111111-2222-3333-4444-555555555555"
	stackARN   = "arn:aws:cloudformation:eu-west-1:111122223333:stack/shop/0a1b2c3d-0000-11ef-8000-0123456789ab"
	stackOwn   = "arn:aws:sts::111122223333:assumed-role/codebuild-shop/AWSCodeBuild-11111111-2222-3333-4444-555555555555"
	stackExec  = "arn:aws:sts::111122223333:assumed-role/cdk-hnb659fds-cfn-exec-role-111122223333-eu-west-1/AWSCloudFormation"
)

// silentDeploy is what the AWS CLI prints when a stack fails: nothing of why.
const silentDeploy = "[Container] 2026/11/22 10:13:02 Running command aws cloudformation deploy --stack-name shop\n\n" +
	"Waiting for changeset to be created..\nWaiting for stack create/update to complete\n\n" +
	"Failed to create/update the stack. Run the following command\nto fetch the list of events leading up to the failure\n" +
	"aws cloudformation describe-stack-events --stack-name shop\n\n" +
	"[Container] 2026/11/22 10:14:02 Command did not exit successfully aws cloudformation deploy --stack-name shop exit status 255\n" +
	"[Container] 2026/11/22 10:14:02 Phase complete: BUILD State: FAILED\n"

func deployed(t *testing.T) buildlog.Failure {
	t.Helper()
	return buildlog.ReadEvents(codebuild.Build{ARN: stackBuild, ServiceRole: "arn:aws:iam::111122223333:role/codebuild-shop"},
		silentDeploy)
}

// TestFromStack: what the stack's events say stands in the place of what the log left open, as if
// the log said it; who was denied is nobody of the build's if the event does not say it.
func TestFromStack(t *testing.T) {
	denied := func(who string) string {
		return `Resource handler returned message: "User: ` + who + ` is not authorized to perform: sqs:CreateQueue on ` +
			`resource: arn:aws:sqs:eu-west-1:111122223333:jobs because no identity-based policy allows the sqs:CreateQueue ` +
			`action (Service: Sqs, Status Code: 403, Request ID: 1)" (RequestToken: 2, HandlerErrorCode: AccessDenied)`
	}
	for _, row := range []struct {
		name, reason, by string
		cause            string
		remedy           Remedy
		action           string
		subject          bool
	}{
		{"the build itself", denied(stackOwn), "", "missing-permission", Grant, "sqs:CreateQueue", false},
		{"CloudFormation's role", denied(stackExec), "", "denied-to-another", Report, "sqs:CreateQueue", false},
		{"nobody says who", "API: ec2:CreateVpc You are not authorized to perform this operation.", "", "denied-to-another", Report,
			"ec2:CreateVpc", true},
		{"a known cause", "The CIDR '10.0.0.0/24' conflicts with another subnet (Service: Ec2, Status Code: 400, Request ID: 1)", "",
			"cidr-conflict", Report, "", false},
		{"no known cause", "It rains.", "", "stack-create-failed", Report, "", false},
		{"a hook", "buckets must be encrypted", "Company::S3::Encrypted", "stack-create-failed", Report, "", false},
	} {
		f := deployed(t)
		d := Diagnose(f)
		if !d.WantsStack() {
			t.Fatalf("the log has a cause: %s", d.Cause)
		}
		e := buildlog.StackEvent{Stack: stackARN, Resource: "Jobs", Type: "AWS::SQS::Queue", Status: "CREATE_FAILED",
			Reason: row.reason, By: row.by, Time: time.Unix(1, 0)}
		got := d.FromStack(f, e)
		if got.Cause != row.cause || got.Remedy != row.remedy {
			t.Errorf("%s: %s, %s; want %s, %s", row.name, got.Cause, got.Remedy, row.cause, row.remedy)
		}
		if got.Evidence.Origin != buildlog.FromStack || got.Evidence.Line != 0 || !strings.Contains(got.Evidence.Text, "Jobs") ||
			!strings.Contains(got.Advice, "stack shop say that Jobs (AWS::SQS::Queue) failed first") || len(got.Excerpt) == 0 {
			t.Errorf("%s: %+v, %q", row.name, got.Evidence, got.Advice)
		}
		if row.action == "" {
			if len(got.Denials) > 0 {
				t.Errorf("%s: %+v", row.name, got.Denials)
			}
			continue
		}
		if len(got.Denials) != 1 || got.Denials[0].Action != row.action || got.Denials[0].Origin != buildlog.FromStack ||
			!got.Denials[0].Causal || (got.Denials[0].Subject != "") != row.subject {
			t.Errorf("%s: %+v", row.name, got.Denials)
		}
	}
}

// TestWantsStack: only a log that leaves open why it failed has its stack asked.
func TestWantsStack(t *testing.T) {
	for log, want := range map[string]bool{
		"Waiter StackCreateComplete failed: Waiter encountered a terminal failure state: For expression " +
			"\"Stacks[].StackStatus\" we matched expected path: \"ROLLBACK_COMPLETE\" at least once": true,
		"nothing in particular": true,
		"User: " + stackOwn + " is not authorized to perform: sqs:CreateQueue on resource: arn:aws:sqs:eu-west-1:" +
			"111122223333:jobs because no identity-based policy allows the sqs:CreateQueue action": false,
		"toomanyrequests: You have reached your pull rate limit": false,
	} {
		f := buildlog.ReadEvents(codebuild.Build{ARN: stackBuild}, strings.Replace(silentDeploy, "Failed to create/update the stack.",
			log, 1))
		if want == false || !strings.Contains(log, "Waiter") {
			f = buildlog.ReadEvents(codebuild.Build{ARN: stackBuild}, "[Container] 2026/11/22 10:13:02 Running command make\n"+log+
				"\n[Container] 2026/11/22 10:14:02 Command did not exit successfully make exit status 1\n"+
				"[Container] 2026/11/22 10:14:02 Phase complete: BUILD State: FAILED\n")
		}
		if d := Diagnose(f); d.WantsStack() != want {
			t.Errorf("%q: %s, wanted: %v", log, d.Cause, d.WantsStack())
		}
	}
}

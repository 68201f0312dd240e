package awsapi

import (
	"slices"
	"testing"

	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// TestParts ensures that what belongs to the healer is known as such, and
// that what only looks like it is not. internal/permissions asks the same
// about everything that the stacks make.
func TestParts(t *testing.T) {
	id := Identity{Partition: "aws", Account: "111122223333", Role: "buildmedic-hub-us-west-2"}
	const key = "arn:aws:kms:us-west-2:111122223333:key/0a1b2c3d-0000-4000-8000-000000000001"
	parts := Parts(id, "us-west-2", "buildmedic", NewQueues(nil, "https://sqs.us-west-2.amazonaws.com/111122223333/healer-queue",
		"https://sqs.us-west-2.amazonaws.com/111122223333/healer-follow-ups",
		"https://sqs.us-west-2.amazonaws.com/111122223333/healer-cures", nil), "healer-table",
		"arn:aws:sns:us-west-2:111122223333:healer-topic", key, "")
	for _, row := range []struct {
		arn  string
		want bool
	}{
		{"arn:aws:sns:us-west-2:111122223333:healer-topic", true},
		{key, true},
		{"arn:aws:sqs:us-west-2:111122223333:healer-queue", true},
		{"arn:aws:sqs:us-west-2:111122223333:healer-follow-ups", true},
		{"arn:aws:sqs:us-west-2:111122223333:healer-cures", true},
		{"arn:aws:sqs:us-west-2:111122223333:Buildmedic-DeadLettersBBF8BAAB-X1Y2Z3", true},
		{"arn:aws:sqs:us-west-2:111122223333:Buildmedic-LostEvents3D75545E-X1Y2Z3", true},
		{"arn:aws:dynamodb:us-west-2:111122223333:table/healer-table/index/next", true},
		{"arn:aws:lambda:us-west-2:111122223333:function:buildmedic", true},
		{"arn:aws:lambda:us-west-2:111122223333:function:buildmedic:1", true},
		{"arn:aws:logs:us-west-2:111122223333:log-group:/aws/lambda/buildmedic:log-stream:0a1b", true},
		{"arn:aws:events:us-west-2:111122223333:event-bus/buildmedic", true},
		{"arn:aws:events:us-west-2:111122223333:rule/buildmedic/Buildmedic-MemberBuilds-X1Y2Z3", true},
		{"arn:aws:events:us-west-2:111122223333:rule/buildmedic-builds-12", true},
		{"arn:aws:events:us-west-2:111122223333:rule/Buildmedic-Sweep6A4E0E64-X1Y2Z3", true},
		{"arn:aws:events:eu-west-1:444455556666:rule/BuildmedicMember-Builds444455556666euwest11-X1Y2Z3", true},
		{"arn:aws:cloudwatch:us-west-2:111122223333:alarm:Buildmedic-ErrorsAlarm-X1Y2Z3", true},
		{"arn:aws:iam::111122223333:role/buildmedic-hub-us-west-2", true},
		{"arn:aws:iam::111122223333:role/buildmedic-hub-eu-west-1", true}, // another hub's
		{"arn:aws:iam::444455556666:role/buildmedic-member", true},
		{"arn:aws:iam::111122223333:role/Buildmedic-ChatRole-X1Y2Z3", true},
		{"arn:aws:iam::444455556666:role/StackSet-BuildmedicMember-0a1b-Forward-X1Y2Z3", true},
		{"arn:aws:iam::111122223333:policy/buildmedic/image@web", true},
		{"arn:aws:iam::444455556666:policy/buildmedic/BuildmedicMember-Role444455556666Projects1-X1Y2Z3", true},
		{"arn:aws:cloudformation:us-west-2:111122223333:stack/Buildmedic/0a1b", true},
		{"arn:aws:cloudformation:eu-west-1:444455556666:stack/StackSet-BuildmedicMember-0a1b/2c3d", true},
		{"arn:aws:cloudformation:us-east-1:111122223333:stackset/BuildmedicMember:0a1b", true},

		{"arn:aws:kms:us-west-2:111122223333:key/0a1b2c3d-0000-4000-8000-000000000002", false},
		{"arn:aws:sqs:us-west-2:111122223333:orders", false},
		{"arn:aws:sqs:us-west-2:111122223333:buildmedical", false},
		{"arn:aws:sns:us-west-2:111122223333:healer-topic-2", false},
		{"arn:aws:dynamodb:us-west-2:111122223333:table/healer-table-2", false},
		{"arn:aws:lambda:us-west-2:111122223333:function:buildmedic-demo", false},
		{"arn:aws:events:us-west-2:111122223333:event-bus/default", false},
		{"arn:aws:events:us-west-2:111122223333:rule/nightly", false},
		{"arn:aws:iam::111122223333:role/codebuild-web", false},
		{"arn:aws:iam::111122223333:policy/build/web", false},
		{"arn:aws:cloudformation:us-west-2:111122223333:stack/BuildmedicDemo/0a1b", false},
		{"arn:aws:cloudformation:us-west-2:111122223333:stack/shop/0a1b", false},
	} {
		got := slices.ContainsFunc(parts, func(p string) bool { return iampolicy.MatchPattern(p, row.arn) })
		if got != row.want {
			t.Errorf("%s is a part: %v, want %v", row.arn, got, row.want)
		}
	}
	if slices.Contains(parts, "") {
		t.Error("what is not known is no part")
	}
}

// TestQualifier: the bootstrap with which the function was deployed is known by the bucket of its code, if that has
// the name that the CDK gives it in the hub's account.
func TestQualifier(t *testing.T) {
	for bucket, want := range map[string]string{"cdk-hnb659fds-assets-111122223333-eu-west-1": "hnb659fds",
		"cdk-a-b-assets-111122223333-eu-west-1": "a-b", "cdk-hnb659fds-assets-444455556666-eu-west-1": "", "our-assets": "", "": "",
		"cdk-assets-111122223333-eu-west-1": ""} {
		if got := qualifier(Identity{Partition: "aws", Account: "111122223333"}, bucket); got != want {
			t.Errorf("%q: %q, want %q", bucket, got, want)
		}
	}
}

// TestSource ensures that the healer knows what it is deployed from: all that
// the CDK's bootstrap makes (AWS.md#bootstrap), and a bucket that the stack names.
func TestSource(t *testing.T) {
	id := Identity{Partition: "aws", Account: "111122223333"}
	for _, row := range []struct {
		arn  string
		want bool
	}{
		{"arn:aws:s3:::cdk-hnb659fds-assets-111122223333-eu-west-1", true},
		{"arn:aws:s3:::cdk-hnb659fds-assets-111122223333-eu-west-1/0a1b.zip", true},
		{"arn:aws:s3:::cdk-own-assets-111122223333-us-west-2/0a1b.zip", true}, // another hub's
		{"arn:aws:s3:::our-assets/0a1b.zip", true},
		{"arn:aws:ecr:eu-west-1:111122223333:repository/cdk-own-container-assets-111122223333-eu-west-1", true},
		{"arn:aws:ssm:eu-west-1:111122223333:parameter/cdk-bootstrap/own/version", true},
		{"arn:aws:cloudformation:eu-west-1:111122223333:stack/CDKToolkit/0a1b", true},
		{"arn:aws:iam::111122223333:role/cdk-own-cfn-exec-role-111122223333-eu-west-1", true},
		{"arn:aws:iam::444455556666:role/cdk-hnb659fds-deploy-role-444455556666-eu-west-1", true}, // deploys a member

		{"arn:aws:s3:::cdk-hnb659fds-assets-444455556666-eu-west-1/0a1b.zip", false},
		{"arn:aws:s3:::our-assets-2/x", false},
		{"arn:aws:s3:::cdk-workshop-site", false},
		{"arn:aws:ecr:eu-west-1:111122223333:repository/shop", false},
		{"arn:aws:ssm:eu-west-1:111122223333:parameter/shop", false},
		{"arn:aws:cloudformation:eu-west-1:111122223333:stack/shop/0a1b", false},
		{"arn:aws:iam::111122223333:role/codebuild-shop", false},
	} {
		list := Source(id, "our-assets")
		if got := slices.ContainsFunc(list, func(p string) bool { return iampolicy.MatchPattern(p, row.arn) }); got != row.want {
			t.Errorf("%s is what it is deployed from: %v, want %v", row.arn, got, row.want)
		}
	}
	if slices.ContainsFunc(Source(id, ""), func(p string) bool { return iampolicy.MatchPattern(p, "arn:aws:s3:::") }) {
		t.Error("a bucket that is not known is none")
	}
}

// TestEvidenceOfOtherRoles: whatever a grant asks for is looked up, also if only another role of a deployment has it.
func TestEvidenceOfOtherRoles(t *testing.T) {
	for evidence, want := range map[settings.Evidence][2]bool{settings.EvidenceLog: {},
		settings.EvidenceCloudTrail: {true, false}, settings.EvidenceAuthorization: {false, true}} {
		s := &settings.Settings{Grants: []settings.Grant{{ID: "g", Evidence: evidence}},
			Projects: []settings.Project{{Name: "web", AlsoRoles: []settings.AlsoRole{{Role: "task", Grants: []string{"g"}}}}}}
		h := Wire(Wiring{Settings: s})
		if got := [2]bool{h.Trail != nil, h.Authorizations != nil}; got != want {
			t.Errorf("%s: CloudTrail and records are asked: %v, want %v", evidence, got, want)
		}
	}
}

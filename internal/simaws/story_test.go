package simaws_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/buildmedic/buildmedic/internal/simaws"
)

// logOf reads a build's whole log through the API.
func logOf(t *testing.T, c clients, group, stream string) string {
	t.Helper()
	var out strings.Builder
	in := &cloudwatchlogs.GetLogEventsInput{LogGroupName: &group, LogStreamName: &stream, StartFromHead: aws.Bool(true)}
	for {
		page, err := c.logs.GetLogEvents(deadline(t), in)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page.Events {
			out.WriteString(*e.Message)
		}
		if in.NextToken != nil && *in.NextToken == *page.NextForwardToken {
			return out.String()
		}
		in.NextToken = page.NextForwardToken
	}
}

func next(t *testing.T, s *simaws.Sim) simaws.Message {
	t.Helper()
	m, ok := s.NextMessage(deadline(t))
	if !ok {
		t.Fatal("no message")
	}
	m.Ack()
	return m
}

func status(t *testing.T, m simaws.Message) string {
	t.Helper()
	var ev struct {
		Detail struct {
			Status string `json:"build-status"`
		} `json:"detail"`
	}
	if err := json.Unmarshal([]byte(m.Body), &ev); err != nil {
		t.Fatal(err)
	}
	return ev.Detail.Status
}

// The build is denied its login token; once the policy is written and felt,
// the same build, retried, pushes its image.
func TestTrackerStory(t *testing.T) {
	s := load(t, "tracker.yaml")
	c := dial(s, simaws.FunctionKey, "us-west-2")
	ctx := deadline(t)
	if got := status(t, next(t, s)); got != "FAILED" {
		t.Fatalf("the first build is %s, want FAILED", got)
	}
	b := s.Builds("TrackerAPI")[0]
	log := logOf(t, c, "/aws/codebuild/TrackerAPI", strings.TrimPrefix(b.ID, "TrackerAPI:"))
	want := "An error occurred (AccessDeniedException) when calling the GetAuthorizationToken operation: User: " +
		"arn:aws:sts::290008131176:assumed-role/codebuild-TrackerAPI-service-role/AWSCodeBuild-" +
		strings.TrimPrefix(b.ID, "TrackerAPI:") +
		" is not authorized to perform: ecr:GetAuthorizationToken on resource: * because no identity-based policy " +
		"allows the ecr:GetAuthorizationToken action"
	if !strings.Contains(log, want) {
		t.Errorf("the log lacks %q:\n%s", want, log)
	}
	if log != b.Log {
		t.Errorf("the log read by API differs from what was printed")
	}
	doc := `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":"ecr:GetAuthorizationToken","Resource":"*"},
		{"Effect":"Allow","Action":["ecr:BatchCheckLayerAvailability","ecr:GetDownloadUrlForLayer",` +
		`"ecr:BatchGetImage","ecr:PutImage","ecr:InitiateLayerUpload","ecr:UploadLayerPart","ecr:CompleteLayerUpload"],
		 "Resource":"arn:aws:ecr:us-west-2:290008131176:repository/tracker_api"}]}`
	if _, err := c.iam.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: aws.String("codebuild-TrackerAPI-service-role"),
		PolicyName: aws.String("CodeBuild-ECR-Permissions"), PolicyDocument: &doc}); err != nil {
		t.Fatal(err)
	}
	out, err := c.codebuild.RetryBuild(ctx, &codebuild.RetryBuildInput{Id: &b.ID, IdempotencyToken: aws.String("t1")})
	if err != nil {
		t.Fatal(err)
	}
	if *out.Build.CurrentPhase != "QUEUED" || *out.Build.Initiator != "buildmedic/buildmedic" || out.Build.Logs != nil {
		t.Errorf("the retry is %+v", out.Build)
	}
	if got := status(t, next(t, s)); got != "SUCCEEDED" {
		t.Fatalf("the retried build is %s:\n%s", got, s.Builds("TrackerAPI")[1].Log)
	}
	if got := s.Images("tracker_api"); len(got) != 1 || got[0] != "latest" {
		t.Errorf("images %q, want latest", got)
	}
	if _, ok := s.NextMessage(ctx); ok {
		t.Error("there is one more message")
	}
}

// The deploy prints a message without principal and resource; a new version
// of the managed policy cures it, all of it or nothing.
func TestQivrStory(t *testing.T) {
	s := load(t, "qivr.yaml")
	c := dial(s, simaws.FunctionKey, "ap-southeast-2")
	ctx := deadline(t)
	if got := status(t, next(t, s)); got != "FAILED" {
		t.Fatalf("the first build is %s, want FAILED", got)
	}
	b := s.Builds("qivr-deploy")[0]
	if want := "\nAccessDeniedException: User is not authorized to perform: ecs:DescribeTaskDefinition\n"; !strings.Contains(b.Log, want) {
		t.Errorf("the log lacks %q:\n%s", want, b.Log)
	}
	arn := "arn:aws:iam::818084701597:policy/qivr-codebuild-policy"
	v := func(statements string) {
		t.Helper()
		doc := `{"Version":"2012-10-17","Statement":[
			{"Sid":"Logs","Effect":"Allow","Action":"logs:*","Resource":"*"},{"Sid":"Images","Effect":"Allow",` +
			`"Action":"ecr:*","Resource":"*"},` + statements + `]}`
		if _, err := c.iam.CreatePolicyVersion(ctx,
			&iam.CreatePolicyVersionInput{PolicyArn: &arn, PolicyDocument: &doc, SetAsDefault: true}); err != nil {
			t.Fatal(err)
		}
	}
	retry := func(want string) string {
		t.Helper()
		if _, err := c.codebuild.RetryBuild(ctx, &codebuild.RetryBuildInput{Id: &b.ID}); err != nil {
			t.Fatal(err)
		}
		m := next(t, s)
		bs := s.Builds("qivr-deploy")
		if got := status(t, m); got != want {
			t.Fatalf("the retried build is %s, want %s:\n%s", got, want, bs[len(bs)-1].Log)
		}
		return bs[len(bs)-1].Log
	}
	ecs := `{"Effect":"Allow","Action":["ecs:RegisterTaskDefinition","ecs:DescribeTaskDefinition",` +
		`"ecs:UpdateService","ecs:DescribeServices"],"Resource":"*"}`
	v(ecs)
	if log := retry("FAILED"); !strings.Contains(log,
		"is not authorized to perform: iam:PassRole on resource: arn:aws:iam::818084701597:role/qivr-ecs-task-role "+
			"because no identity-based policy allows") {
		t.Errorf("without iam:PassRole the log is\n%s", log)
	}
	pass := `{"Effect":"Allow","Action":"iam:PassRole",` +
		`"Resource":["arn:aws:iam::818084701597:role/qivr-ecs-task-role",` +
		`"arn:aws:iam::818084701597:role/qivr-ecs-task-execution-role"],
		"Condition":{"StringEquals":{"iam:PassedToService":"ecs-tasks.amazonaws.com"}}}`
	v(ecs + "," + pass)
	retry("SUCCEEDED")
	if vs := s.PolicyVersions(arn); len(vs) != 3 || vs[2].ID != "v3" || !vs[2].Default {
		t.Errorf("versions %+v", vs)
	}
}

// A write is felt only after the propagation delay; IAM itself shows it at once.
func TestPropagation(t *testing.T) {
	s := load(t, "tracker.yaml")
	next(t, s)
	doc := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ecr:*","Resource":"*"}]}`
	s.SetPropagation(10*time.Minute, 10*time.Minute)
	if err := s.PutRolePolicy("codebuild-TrackerAPI-service-role", "p", doc); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"FAILED", "SUCCEEDED"} {
		if i == 1 {
			s.Clock.Advance(10 * time.Minute)
		}
		if _, err := s.Run(simaws.Start{Project: "TrackerAPI"}); err != nil {
			t.Fatal(err)
		}
		if got := status(t, next(t, s)); got != want {
			t.Errorf("build %d is %s, want %s", i, got, want)
		}
	}
}

package simaws_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"

	"github.com/buildmedic/buildmedic/internal/simaws"
)

// Builds beyond the limit wait in the queue, up to five times as many, and start as others end.
// Other sizes and other regions have their own limit.
func TestConcurrentBuilds(t *testing.T) {
	s := world(t, "trouble: {concurrent_builds: 2}\n"+roleMay("logs:*")+buildOf("{run: make, takes: 60s}")+
		"members: [{account: '111122223333', region: eu-west-1, projects: [{name: p, role: r, "+
		"buildspecs: {buildspec.yml: {build: [make]}}}]}]\n")
	c, ctx := dial(s, simaws.FunctionKey, "us-east-1"), deadline(t)
	start := func(in codebuild.StartBuildInput) error {
		in.ProjectName = aws.String("p")
		_, err := c.codebuild.StartBuild(ctx, &in)
		return err
	}
	for i := range 2 + 5*2 {
		if err := start(codebuild.StartBuildInput{}); err != nil {
			t.Fatalf("build %d: %v", i, err)
		}
	}
	s.Clock.Advance(30 * time.Second)
	if running, waiting := phases(t, c, s); running != 2 || waiting != 10 {
		t.Errorf("%d run, %d wait; want 2 and 10", running, waiting)
	}
	refused := func(err error) {
		t.Helper()
		var limit *types.AccountLimitExceededException
		if !errors.As(err, &limit) || limit.ErrorMessage() != "Cannot have more than 10 builds in queue for the account" {
			t.Errorf("with a full queue: %v", err)
		}
	}
	refused(start(codebuild.StartBuildInput{}))
	if _, err := s.Run(simaws.Start{Project: "p"}); err == nil || !strings.Contains(err.Error(), "in queue for the account") {
		t.Errorf("a webhook's build with a full queue: %v", err)
	}
	if err := start(codebuild.StartBuildInput{ComputeTypeOverride: types.ComputeTypeBuildGeneral1Large}); err != nil {
		t.Errorf("another size: %v", err)
	}
	if err := start(codebuild.StartBuildInput{EnvironmentTypeOverride: types.EnvironmentTypeArmContainer}); err != nil {
		t.Errorf("another platform: %v", err)
	}
	if _, err := s.Run(simaws.Start{Project: "p", Region: "eu-west-1"}); err != nil {
		t.Errorf("another region: %v", err)
	}
	s.Clock.Advance(time.Minute) // the first two end, and two others begin
	if running, waiting := phases(t, c, s); running != 2 || waiting != 8 {
		t.Errorf("later %d run, %d wait; want 2 and 8", running, waiting)
	}
	bs := s.Builds("p")
	if _, err := c.codebuild.RetryBuild(ctx, &codebuild.RetryBuildInput{Id: &bs[0].ID}); err != nil {
		t.Errorf("a retry with room in the queue: %v", err)
	}
	if err := start(codebuild.StartBuildInput{}); err != nil {
		t.Error(err)
	}
	_, err := c.codebuild.RetryBuild(ctx, &codebuild.RetryBuildInput{Id: &bs[0].ID})
	refused(err)

	s.Settle()
	var longest time.Duration
	for _, b := range s.Builds("p") {
		if b.Status != "SUCCEEDED" {
			t.Errorf("build %s: %s", b.ID, b.Status)
		}
		longest = max(longest, b.End.Sub(b.Start))
	}
	if each := 77 * time.Second; longest < 5*each {
		t.Errorf("the last of twelve builds, two at once, took only %s", longest)
	}
}

// phases counts the builds of an ordinary size that run, and those that wait.
func phases(t *testing.T, c clients, s *simaws.Sim) (running, waiting int) {
	t.Helper()
	var ids []string
	for _, b := range s.Builds("p") {
		ids = append(ids, b.ID)
	}
	out, err := c.codebuild.BatchGetBuilds(deadline(t), &codebuild.BatchGetBuildsInput{Ids: ids})
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range out.Builds {
		env := b.Environment
		switch {
		case env.ComputeType != types.ComputeTypeBuildGeneral1Small || env.Type != types.EnvironmentTypeLinuxContainer, b.BuildComplete:
		case aws.ToString(b.CurrentPhase) == "QUEUED":
			waiting++
			if b.BuildStatus != types.StatusTypeInProgress {
				t.Errorf("a queued build is %s", b.BuildStatus)
			}
		default:
			running++
		}
	}
	return running, waiting
}

// The time in the queue does not count towards the build's own limit.
func TestTimeoutCountsFromTheQueue(t *testing.T) {
	s := world(t, "trouble: {concurrent_builds: 1}\n"+roleMay("logs:*")+
		strings.Replace(buildOf("{run: make, takes: 20m}"), "role: r", "role: r, timeout: 30m", 1))
	for range 3 {
		if _, err := s.Run(simaws.Start{Project: "p", Version: "refs/heads/main"}); err != nil {
			t.Fatal(err)
		}
	}
	s.Clock.Advance(2 * time.Hour)
	for i, b := range s.Builds("p") {
		if b.Status != "SUCCEEDED" {
			t.Errorf("build %d is %s after %s: %s", i, b.Status, b.End.Sub(b.Start), b.Failure)
		}
	}
}

// A build that waits too long leaves the queue, and so does one that is stopped.
func TestQueueTimeout(t *testing.T) {
	s := world(t, "trouble: {concurrent_builds: 1}\n"+roleMay("logs:*")+
		strings.Replace(buildOf("{run: make, takes: 10h}"), "role: r", "role: r, timeout: 12h", 1))
	c, ctx := dial(s, simaws.FunctionKey, "us-east-1"), deadline(t)
	var ids []string
	for _, minutes := range []*int32{nil, nil, aws.Int32(5), nil} {
		out, err := c.codebuild.StartBuild(ctx,
			&codebuild.StartBuildInput{ProjectName: aws.String("p"), QueuedTimeoutInMinutesOverride: minutes})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, *out.Build.Id)
	}
	status := func(want ...string) {
		t.Helper()
		for i, b := range s.Builds("p") {
			if b.Status != want[i] {
				t.Errorf("after %s build %d is %s, want %s", s.Clock.Now().Sub(b.Start), i, b.Status, want[i])
			}
		}
	}
	s.Clock.Advance(4 * time.Minute)
	if err := s.Stop(ids[3]); err != nil {
		t.Fatal(err)
	}
	status("IN_PROGRESS", "IN_PROGRESS", "IN_PROGRESS", "STOPPED")
	s.Clock.Advance(2 * time.Minute)
	status("IN_PROGRESS", "IN_PROGRESS", "TIMED_OUT", "STOPPED")
	s.Clock.Advance(8 * time.Hour)
	status("IN_PROGRESS", "TIMED_OUT", "TIMED_OUT", "STOPPED")
	if b := s.Builds("p")[1]; b.End.Sub(b.Start) != 8*time.Hour || !strings.HasPrefix(b.Failure, "BUILD_TIMED_OUT: ") {
		t.Errorf("it waited for %s and failed with %q", b.End.Sub(b.Start), b.Failure)
	}
	s.Clock.Advance(3 * time.Hour) // the first ends, and nothing waits any more
	if err := run(s, "p"); err != nil {
		t.Error(err)
	}
}

// A project's own limit refuses at once: nothing of it waits in the queue.
func TestProjectLimitDoesNotQueue(t *testing.T) {
	s := world(t, "trouble: {concurrent_builds: 5}\n"+roleMay("logs:*")+
		strings.Replace(buildOf("make"), "role: r", "role: r, concurrent_builds: 1", 1))
	c, ctx := dial(s, simaws.FunctionKey, "us-east-1"), deadline(t)
	in := &codebuild.StartBuildInput{ProjectName: aws.String("p")}
	if _, err := c.codebuild.StartBuild(ctx, in); err != nil {
		t.Fatal(err)
	}
	var limit *types.AccountLimitExceededException
	if _, err := c.codebuild.StartBuild(ctx, in); !errors.As(err, &limit) || !strings.HasSuffix(limit.ErrorMessage(), "for the project") {
		t.Errorf("above the project's limit: %v", err)
	}
	if n := len(s.Builds("p")); n != 1 {
		t.Errorf("%d builds", n)
	}
}

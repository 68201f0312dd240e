package simaws_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"
	"github.com/google/go-cmp/cmp"

	"github.com/buildmedic/buildmedic/internal/simaws"
)

// A token is good for five minutes: the same build comes back, or a mismatch
// is told; afterwards it starts another build.
func TestIdempotencyToken(t *testing.T) {
	s := world(t, roleMay()+buildOf("make"))
	c, ctx := dial(s, simaws.FunctionKey, "us-east-1"), deadline(t)
	if err := run(s, "p"); err != nil {
		t.Fatal(err)
	}
	if err := run(s, "p"); err != nil {
		t.Fatal(err)
	}
	bs := s.Builds("p")
	retry := func(id, token string) (string, error) {
		out, err := c.codebuild.RetryBuild(ctx, &codebuild.RetryBuildInput{Id: &id, IdempotencyToken: &token})
		if err != nil {
			return "", err
		}
		return *out.Build.Id, nil
	}
	first, err := retry(bs[0].ID, "t")
	if err != nil {
		t.Fatal(err)
	}
	s.Clock.Advance(4*time.Minute + 59*time.Second)
	if again, err := retry(bs[0].ID, "t"); err != nil || again != first {
		t.Errorf("within five minutes: %q, %v; want %q", again, err, first)
	}
	_, err = retry(bs[1].ID, "t")
	var invalid *types.InvalidInputException
	if !errors.As(err, &invalid) {
		t.Errorf("another build with the same token: %v", err)
	}
	s.Clock.Advance(time.Second)
	if later, err := retry(bs[0].ID, "t"); err != nil || later == first {
		t.Errorf("after five minutes: %q, %v; want another build than %q", later, err, first)
	}
	if n := len(s.Builds("p")); n != 4 {
		t.Errorf("%d builds, want 4", n)
	}
	start := func(version string) (string, error) {
		out, err := c.codebuild.StartBuild(ctx, &codebuild.StartBuildInput{ProjectName: aws.String("p"),
			SourceVersion: &version, IdempotencyToken: aws.String("s")})
		if err != nil {
			return "", err
		}
		return *out.Build.Id, nil
	}
	a, err := start("main")
	if err != nil {
		t.Fatal(err)
	}
	if b, err := start("main"); err != nil || a != b {
		t.Errorf("started %q, then %q, %v", a, b, err)
	}
	if _, err := start("refs/heads/main"); !errors.As(err, &invalid) {
		t.Errorf("other parameters with the same token: %v", err)
	}
}

// What RetryBuild does with running, pipeline and batch builds is not known:
// here it refuses.
func TestRetryBuildRefuses(t *testing.T) {
	s := world(t, roleMay()+"projects: [{name: p, role: r, batch: [a, b], buildspecs: {buildspec.yml: {build: [make]}}}]\n"+
		"pipelines: [{name: pipe, stages: [{name: Build, actions: [{name: Build, project: p}]}]}]")
	c := dial(s, simaws.FunctionKey, "us-east-1")
	retry := func(what string) {
		t.Helper()
		bs := s.Builds("p")
		_, err := c.codebuild.RetryBuild(deadline(t), &codebuild.RetryBuildInput{Id: &bs[len(bs)-1].ID})
		var invalid *types.InvalidInputException
		if !errors.As(err, &invalid) {
			t.Errorf("retrying %s: %v", what, err)
		}
	}
	for what, st := range map[string]simaws.Start{
		"a running build":    {Project: "p"},
		"a pipeline's build": {Pipeline: "pipe"},
		"a batch's child":    {Project: "p", Batch: true},
	} {
		if _, err := s.Run(st); err != nil {
			t.Fatal(err)
		}
		if what != "a running build" {
			s.Settle()
		}
		retry(what)
		s.Settle()
	}
}

// StartBuild finds the commit by every name, and takes another buildspec.
func TestStartBuild(t *testing.T) {
	s := world(t, roleMay()+`
projects:
  - name: p
    role: r
    buildspecs: {aws/buildspec.yml: {build: [make]}}
    versions:
      - {ref: refs/heads/main, commit: 1111111111111111111111111111111111111111}
      - {ref: refs/tags/v2, commit: 2222222222222222222222222222222222222222}`)
	c, ctx := dial(s, simaws.FunctionKey, "us-east-1"), deadline(t)
	for version, want := range map[string]string{
		"": "1", "main": "1", "refs/heads/main": "1", "refs/heads/main^{2222222222222222222222222222222222222222}": "2", "v2": "2",
		"2222222222222222222222222222222222222222": "2",
	} {
		out, err := c.codebuild.StartBuild(ctx, &codebuild.StartBuildInput{ProjectName: aws.String("p"),
			SourceVersion: &version, BuildspecOverride: aws.String("aws/buildspec.yml")})
		if err != nil {
			t.Fatal(err)
		}
		if out.Build.ResolvedSourceVersion != nil || out.Build.BuildComplete || out.Build.BuildStatus != "IN_PROGRESS" {
			t.Errorf("%q: the new build is %+v", version, out.Build)
		}
		s.Settle()
		got, err := c.codebuild.BatchGetBuilds(ctx, &codebuild.BatchGetBuildsInput{Ids: []string{*out.Build.Arn, "p:" + noBuild}})
		if err != nil {
			t.Fatal(err)
		}
		b := got.Builds[0]
		if b.BuildStatus != "SUCCEEDED" || *b.ResolvedSourceVersion != strings.Repeat(want, 40) ||
			*b.Source.Buildspec != "aws/buildspec.yml" || aws.ToString(b.SourceVersion) != version {
			t.Errorf("%q: %s of %s, buildspec %s", version, b.BuildStatus, aws.ToString(b.ResolvedSourceVersion),
				aws.ToString(b.Source.Buildspec))
		}
		if !slices.Equal(got.BuildsNotFound, []string{"p:" + noBuild}) {
			t.Errorf("not found: %q", got.BuildsNotFound)
		}
	}
}

// Ids come newest first, a hundred a page.
func TestListBuildsForProject(t *testing.T) {
	s := world(t, roleMay()+buildOf("make"))
	for range 230 {
		if _, err := s.Run(simaws.Start{Project: "p"}); err != nil {
			t.Fatal(err)
		}
	}
	c := dial(s, simaws.FunctionKey, "us-east-1")
	var got []string
	var sizes []int
	for p := codebuild.NewListBuildsForProjectPaginator(c.codebuild, &codebuild.ListBuildsForProjectInput{
		ProjectName: aws.String("p"),
	}); p.HasMorePages(); {
		page, err := p.NextPage(deadline(t))
		if err != nil {
			t.Fatal(err)
		}
		got, sizes = append(got, page.Ids...), append(sizes, len(page.Ids))
	}
	var want []string
	for _, b := range slices.Backward(s.Builds("p")) {
		want = append(want, b.ID)
	}
	if !slices.Equal(got, want) || !slices.Equal(sizes, []int{100, 100, 30}) {
		t.Errorf("pages of %v, in order: %v", sizes, slices.Equal(got, want))
	}
}

// CodeBuild's own auto-retry: as often as the limit says, if the role may.
func TestAutoRetry(t *testing.T) {
	spec := "projects: [{name: p, role: r, auto_retry: 2, buildspecs: {buildspec.yml: {build: [{run: make, fails: {prints: no}}]}}}]\n"
	for name, tt := range map[string]struct {
		world  string
		builds int
	}{"permitted": {roleMay("codebuild:RetryBuild") + spec, 3}, "denied": {roleMay() + spec, 1}} {
		t.Run(name, func(t *testing.T) {
			s := world(t, tt.world)
			if err := run(s, "p"); err != nil {
				t.Fatal(err)
			}
			bs := s.Builds("p")
			if len(bs) != tt.builds {
				t.Fatalf("%d builds, want %d", len(bs), tt.builds)
			}
			var ids []string
			for _, b := range bs {
				ids = append(ids, b.ID)
			}
			out, err := dial(s, simaws.FunctionKey, "us-east-1").codebuild.BatchGetBuilds(deadline(t),
				&codebuild.BatchGetBuildsInput{Ids: ids})
			if err != nil {
				t.Fatal(err)
			}
			for i, b := range out.Builds {
				r := b.AutoRetryConfig
				if *r.AutoRetryLimit != 2 || int(*r.AutoRetryNumber) != i {
					t.Errorf("build %d: %d of %d", i, *r.AutoRetryNumber, *r.AutoRetryLimit)
				}
				if i > 0 && (aws.ToString(r.PreviousAutoRetry) != bs[i-1].ARN || !strings.HasPrefix(*b.Initiator, "r/AWSCodeBuild-")) {
					t.Errorf("build %d: after %s, by %s", i, aws.ToString(r.PreviousAutoRetry), *b.Initiator)
				}
				if i+1 < len(bs) && aws.ToString(r.NextAutoRetry) != bs[i+1].ARN {
					t.Errorf("build %d: next is %s", i, aws.ToString(r.NextAutoRetry))
				}
			}
		})
	}
}

// A project at its limit, and an account with a full queue, refuse more.
func TestBuildLimits(t *testing.T) {
	for name, text := range map[string]string{
		"project": roleMay() + strings.Replace(buildOf("make"), "role: r", "role: r, concurrent_builds: 1", 1),
		"account": "build_queue: 1\n" + roleMay() + buildOf("make"),
	} {
		s := world(t, text)
		c, ctx := dial(s, simaws.FunctionKey, "us-east-1"), deadline(t)
		in := &codebuild.StartBuildInput{ProjectName: aws.String("p")}
		if _, err := c.codebuild.StartBuild(ctx, in); err != nil {
			t.Fatal(err)
		}
		var limit *types.AccountLimitExceededException
		if _, err := c.codebuild.StartBuild(ctx, in); !errors.As(err, &limit) ||
			!strings.HasPrefix(limit.ErrorMessage(), "Cannot have more than 1 ") {
			t.Errorf("%s: %v", name, err)
		}
		s.Settle()
		if _, err := c.codebuild.StartBuild(ctx, in); err != nil {
			t.Errorf("%s: afterwards: %v", name, err)
		}
	}
}

// A switched role counts for the retry, or does not: both are possible.
func TestUpdateProject(t *testing.T) {
	for _, keeps := range []bool{false, true} {
		text := "roles: [{name: r, inline: {p: " + may("logs:*") + "}}, {name: service-role/ready, inline: {p: " +
			may("logs:*", "ecr:*") + "}}]\n" + buildOf("aws ecr get-login-password")
		if keeps {
			text = "retry_keeps_role: true\n" + text
		}
		s := world(t, text)
		c, ctx := dial(s, simaws.FunctionKey, "us-east-1"), deadline(t)
		if err := run(s, "p"); err != nil {
			t.Fatal(err)
		}
		out, err := c.codebuild.UpdateProject(ctx, &codebuild.UpdateProjectInput{Name: aws.String("p"),
			ServiceRole: aws.String("arn:aws:iam::111122223333:role/service-role/ready")})
		if err != nil {
			t.Fatal(err)
		}
		got, err := c.codebuild.BatchGetProjects(ctx, &codebuild.BatchGetProjectsInput{Names: []string{"p", "gone"}})
		if err != nil {
			t.Fatal(err)
		}
		if *out.Project.ServiceRole != "arn:aws:iam::111122223333:role/service-role/ready" ||
			*got.Projects[0].ServiceRole != *out.Project.ServiceRole ||
			!slices.Equal(got.ProjectsNotFound, []string{"gone"}) {
			t.Errorf("project %+v", got)
		}
		if _, err := c.codebuild.RetryBuild(ctx, &codebuild.RetryBuildInput{Id: &s.Builds("p")[0].ID}); err != nil {
			t.Fatal(err)
		}
		s.Settle()
		if b := s.Builds("p")[1]; strings.HasSuffix(b.Role, "/r") != keeps || (b.Status == "FAILED") != keeps {
			t.Errorf("keeps %v: the retry ran as %s and is %s", keeps, b.Role, b.Status)
		}
	}
}

// A person stops a build: it ends at once and tells so.
func TestStop(t *testing.T) {
	s := world(t, roleMay("codebuild:RetryBuild")+
		strings.Replace(buildOf("{run: make, takes: 10m}"), "role: r", "role: r, auto_retry: 2", 1))
	id, err := s.Run(simaws.Start{Project: "p"})
	if err != nil {
		t.Fatal(err)
	}
	s.Clock.Advance(time.Minute)
	if err := s.Stop(id); err != nil {
		t.Fatal(err)
	}
	if got := status(t, next(t, s)); got != "STOPPED" {
		t.Errorf("the event says %s", got)
	}
	s.Settle()
	if bs := s.Builds("p"); len(bs) != 1 || bs[0].Status != "STOPPED" {
		t.Errorf("builds %+v", bs)
	}
	if err := s.Stop(id); err == nil {
		t.Error("it can be stopped twice")
	}
}

// The event has CodeBuild's shape (AWS.md#event-shape), however the build ended.
func TestEvent(t *testing.T) {
	s := world(t, "start: 2026-11-22T10:12:29Z\n"+roleMay()+buildOf("make"))
	id, err := s.Run(simaws.Start{Project: "p", Version: "refs/heads/main"})
	if err != nil {
		t.Fatal(err)
	}
	m := next(t, s)
	if !strings.Contains(m.Body, `"timeout-in-minutes":60.0`) || !strings.Contains(m.Body, `"build-number":1.0`) ||
		!strings.Contains(m.Body, `"duration-in-seconds":8.0`) {
		t.Errorf("numbers are not floats: %s", m.Body)
	}
	var ev map[string]any
	if err := json.Unmarshal([]byte(m.Body), &ev); err != nil {
		t.Fatal(err)
	}
	detail := ev["detail"].(map[string]any)
	info := detail["additional-information"].(map[string]any)
	phases := info["phases"].([]any)
	arn := "arn:aws:codebuild:us-east-1:111122223333:build/" + id
	got := []any{ev["version"], ev["source"], ev["detail-type"], ev["account"], ev["region"], ev["time"],
		ev["resources"], detail["build-id"], detail["build-status"],
		detail["project-name"], detail["current-phase"], detail["current-phase-context"], detail["version"],
		info["build-complete"], info["initiator"], info["build-start-time"], info["source-version"],
		info["logs"].(map[string]any)["stream-name"], phases[0], phases[len(phases)-1]}
	want := []any{"0", "aws.codebuild", "CodeBuild Build State Change", "111122223333", "us-east-1",
		"2026-11-22T10:12:48Z", []any{arn}, arn, "SUCCEEDED", "p", "COMPLETED", "[: ]", "1", true,
		"GitHub-Hookshot/0a1b2c3", "Nov 22, 2026 10:12:29 AM", "refs/heads/main", strings.TrimPrefix(id, "p:"),
		map[string]any{"phase-type": "SUBMITTED", "phase-status": "SUCCEEDED", "phase-context": []any{}, "duration-in-seconds": 0.0,
			"start-time": "Nov 22, 2026 10:12:29 AM", "end-time": "Nov 22, 2026 10:12:29 AM"},
		map[string]any{"phase-type": "COMPLETED", "start-time": "Nov 22, 2026 10:12:47 AM"}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

// A batch fails with its children and is retried as a whole.
func TestBatch(t *testing.T) {
	s := world(t, roleMay()+
		"projects: [{name: p, role: r, batch: [linux, windows], buildspecs: {buildspec.yml: {build: [{run: make, "+
		"fails: {times: 1, prints: no}}]}}}]")
	c, ctx := dial(s, simaws.FunctionKey, "us-east-1"), deadline(t)
	id, err := s.Run(simaws.Start{Project: "p", Batch: true})
	if err != nil {
		t.Fatal(err)
	}
	retry := func() error {
		_, err := c.codebuild.RetryBuildBatch(ctx, &codebuild.RetryBuildBatchInput{Id: &id,
			RetryType: types.RetryBuildBatchTypeRetryFailedBuilds, IdempotencyToken: aws.String("t")})
		return err
	}
	var invalid *types.InvalidInputException
	if err := retry(); !errors.As(err, &invalid) {
		t.Errorf("a running batch: %v", err)
	}
	s.Settle()
	child := s.Builds("p")[0]
	out, err := c.codebuild.BatchGetBuilds(ctx, &codebuild.BatchGetBuildsInput{Ids: []string{child.ID}})
	if err != nil {
		t.Fatal(err)
	}
	batchARN := *out.Builds[0].BuildBatchArn
	if !strings.HasSuffix(batchARN, ":build-batch/"+id) || !strings.HasPrefix(child.Initiator, "r/AWSCodeBuild-") {
		t.Errorf("child of %s, by %s", batchARN, child.Initiator)
	}
	for range 2 { // the token: once
		if err := retry(); err != nil {
			t.Fatal(err)
		}
	}
	s.Settle()
	got, err := c.codebuild.BatchGetBuildBatches(ctx, &codebuild.BatchGetBuildBatchesInput{Ids: []string{id}})
	if err != nil {
		t.Fatal(err)
	}
	bb := got.BuildBatches[0]
	if *bb.Id != id || bb.BuildBatchStatus != "SUCCEEDED" || len(s.Builds("p")) != 3 {
		t.Errorf("batch %s is %s after %d builds", *bb.Id, bb.BuildBatchStatus, len(s.Builds("p")))
	}
	if g := bb.BuildGroups[0]; len(g.PriorBuildSummaryList) != 1 || *g.PriorBuildSummaryList[0].Arn != child.ARN {
		t.Errorf("the first child's history is %+v", g)
	}
}

// TestBuildStartsAnother: what a build's commands start has the build's own
// session as its initiator, and what CodeBuild starts for that, too.
func TestBuildStartsAnother(t *testing.T) {
	const start = "aws codebuild start-build --project-name q --source-version refs/heads/main"
	const worlds = "projects:\n  - {name: p, role: r, buildspecs: {buildspec.yml: {build: [COMMAND]}}}\n" +
		"  - {name: q, role: r, batch: [a, b], buildspecs: {buildspec.yml: {build: [{run: make, fails: {prints: no}}]}}}\n"
	for name, tt := range map[string]struct {
		role, command string
		builds        int
		log           string
	}{
		"a build":                       {roleMay("codebuild:*"), start, 1, ""},
		"a build, retried by CodeBuild": {roleMay("codebuild:*"), start + " --auto-retry-limit-override=2", 3, ""},
		"a batch": {roleMay("codebuild:*"),
			"aws codebuild start-build-batch --project-name q", 2, ""},
		"denied": {roleMay(), start, 0, "not authorized to perform: codebuild:StartBuild"},
		"no such project": {roleMay("codebuild:*"), "aws codebuild start-build --project-name none",
			0, `there is no project "none"`},
		"no number": {roleMay("codebuild:*"), start + " --auto-retry-limit-override=x", 0,
			`auto-retry limit "x"`},
	} {
		t.Run(name, func(t *testing.T) {
			s := world(t, tt.role+strings.Replace(worlds, "COMMAND", tt.command, 1))
			if err := run(s, "p"); err != nil {
				t.Fatal(err)
			}
			started, log := s.Builds("q"), s.Builds("p")[0].Log
			if len(started) != tt.builds || !strings.Contains(log, tt.log) {
				t.Fatalf("%d builds, want %d; log:\n%s", len(started), tt.builds, log)
			}
			for _, b := range started {
				if !strings.HasPrefix(b.Initiator, "r/AWSCodeBuild-") {
					t.Errorf("%s was started by %s", b.ID, b.Initiator)
				}
			}
		})
	}
}

// The builds of the account and region are listed a hundred a page, the newest first, or by id.
func TestListBuilds(t *testing.T) {
	s := world(t, roleMay()+buildOf("make"))
	c, ctx := dial(s, simaws.OwnerKey, "us-east-1"), deadline(t)
	for range 150 {
		if _, err := s.Run(simaws.Start{Project: "p"}); err != nil {
			t.Fatal(err)
		}
		s.Clock.Advance(time.Second)
	}
	var want []string
	for _, b := range s.Builds("p") {
		want = append([]string{b.ID}, want...)
	}
	for _, order := range []types.SortOrderType{"", types.SortOrderTypeAscending, types.SortOrderTypeDescending} {
		if order == types.SortOrderTypeAscending {
			slices.Sort(want)
		}
		if order == types.SortOrderTypeDescending {
			slices.Reverse(want)
		}
		in := &codebuild.ListBuildsInput{SortOrder: order}
		first, err := c.codebuild.ListBuilds(ctx, in)
		if err != nil {
			t.Fatal(err)
		}
		in.NextToken = first.NextToken
		second, err := c.codebuild.ListBuilds(ctx, in)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, append(first.Ids, second.Ids...)); d != "" || len(first.Ids) != 100 || second.NextToken != nil {
			t.Errorf("%q: %s", order, d)
		}
	}
}

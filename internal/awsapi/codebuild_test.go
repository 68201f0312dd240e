package awsapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/settings"
	"github.com/buildmedic/buildmedic/internal/simaws"
)

// failing is a project whose builds fail, and one whose builds do not.
const failing = `
roles: [{name: r, inline: {logs: LOGS}}, {name: other}]
projects:
  - {name: shop, role: r, buildspecs: {buildspec.yml: {build: [{run: make, fails: {prints: "no"}}]}, moved.yml: {build: [make]}}}
  - {name: fine, role: r, buildspecs: {buildspec.yml: {build: [make]}}}
`

func TestGet(t *testing.T) {
	s := world(t, failing)
	b := ran(t, s, simaws.Start{Project: "shop", Version: "refs/heads/main"})
	if b.Project != "shop" || b.Status != "FAILED" || b.Number != 1 || b.ServiceRole != role("r").ARN() ||
		!b.End.After(b.Start) || len(b.Phases) == 0 {
		t.Errorf("%+v", b)
	}
	c := CodeBuild{function(s, "")}
	for _, id := range []string{"shop:00000000-0000-4000-8000-000000000000", "gone:00000000-0000-4000-8000-000000000000"} {
		if _, err := c.Get(t.Context(), home, id); !errors.Is(err, heal.ErrNotFound) {
			t.Errorf("%s: %v", id, err)
		}
	}
}

// TestSince reads more builds than fit a page, newest first, and stops at
// the first that is too old.
func TestSince(t *testing.T) {
	s := world(t, failing)
	var ids []string
	for range 130 {
		ids = append(ids, begun(t, s, simaws.Start{Project: "fine"}))
		s.Clock.Advance(time.Minute)
	}
	s.Settle()
	slices.Reverse(ids)
	c := CodeBuild{function(s, "")}
	first := got(t, s, ids[len(ids)-1]).Start
	for _, row := range []struct {
		from               time.Time
		seen               string
		want, listed, read int // builds; pages of ids, pages of builds
	}{
		{time.Time{}, "", 130, 2, 2},
		{first, "", 130, 2, 2},
		{first.Add(time.Second), "", 129, 2, 2},
		{got(t, s, ids[9]).Start, "", 10, 1, 1},
		{got(t, s, ids[99]).Start, "", 100, 2, 2},
		{s.Clock.Now().Add(time.Hour), "", 0, 1, 1},
		{time.Time{}, ids[0], 0, 1, 0},
		{time.Time{}, ids[5], 5, 1, 1},
		{time.Time{}, ids[99], 99, 1, 1},
		{time.Time{}, ids[100], 100, 2, 1},
		{time.Time{}, ids[120], 120, 2, 2},
		{got(t, s, ids[9]).Start, ids[20], 10, 1, 1},
		{time.Time{}, "fine:gone", 130, 2, 2},
	} {
		before, reads := count(s, "ListBuildsForProject"), count(s, "BatchGetBuilds")
		bs, err := c.Since(t.Context(), home, "fine", row.from, row.seen)
		if err != nil {
			t.Fatal(err)
		}
		var have []string
		for _, b := range bs {
			have = append(have, b.ID)
		}
		if !slices.Equal(have, ids[:row.want]) {
			t.Errorf("since %v: %d builds, or not newest first; want %d", row.from, len(have), row.want)
		}
		if n := count(s, "ListBuildsForProject") - before; n != row.listed {
			t.Errorf("since %v, %q: %d pages of ids were read, want %d", row.from, row.seen, n, row.listed)
		}
		if n := count(s, "BatchGetBuilds") - reads; n != row.read {
			t.Errorf("since %v, %q: %d pages of builds were read, want %d", row.from, row.seen, n, row.read)
		}
	}
	if _, err := c.Since(t.Context(), home, "gone", time.Time{}, ""); !errors.Is(err, heal.ErrNotFound) {
		t.Errorf("no such project: %v", err)
	}
	if bs, err := c.Since(t.Context(), home, "shop", time.Time{}, ""); err != nil || len(bs) > 0 {
		t.Errorf("a project without builds: %d, %v", len(bs), err)
	}
}

func TestProjectRole(t *testing.T) {
	s := world(t, failing)
	c := CodeBuild{function(s, "")}
	if err := c.SetRole(t.Context(), home, "shop", role("other").ARN()); err != nil {
		t.Fatal(err)
	}
	if got, err := c.Role(t.Context(), home, "shop"); err != nil || got != role("other").ARN() {
		t.Errorf("the role is %q, %v", got, err)
	}
	if _, err := c.Role(t.Context(), home, "gone"); !errors.Is(err, heal.ErrNotFound) {
		t.Errorf("no such project: %v", err)
	}
	if err := c.SetRole(t.Context(), home, "shop", role("gone").ARN()); !errors.Is(err, heal.ErrFinal) {
		t.Errorf("no such role: %v", err)
	}
}

// TestRetryToken: the same token starts one build, however often it is sent;
// for something else it is refused.
func TestRetryToken(t *testing.T) {
	for _, route := range []decide.Route{decide.RouteBuild, decide.RouteStart} {
		s := world(t, failing)
		b, other := ran(t, s, simaws.Start{Project: "shop"}), ran(t, s, simaws.Start{Project: "shop", Version: "v2"})
		c := CodeBuild{function(s, "")}
		p := decide.Plan{Route: route, Buildspec: "moved.yml"}
		one, err := c.Retry(t.Context(), b, p, "token", nil)
		if err != nil {
			t.Fatal(route, err)
		}
		two, err := c.Retry(t.Context(), b, p, "token", nil)
		if err != nil || one.ID != two.ID || one.ID == b.ID || len(s.Builds("shop")) != 3 {
			t.Errorf("%s: %+v, then %+v, %v; %d builds", route, one, two, err, len(s.Builds("shop")))
		}
		p.Buildspec = ""
		if _, err := c.Retry(t.Context(), other, p, "token", nil); !errors.Is(err, heal.ErrFinal) {
			t.Errorf("%s: the token of another build: %v", route, err)
		}
		s.Settle()
		if again := got(t, s, one.ID); again.Commit() != b.Commit() || route == decide.RouteStart && again.Status != "SUCCEEDED" {
			t.Errorf("%s: started %+v", route, again)
		}
	}
}

// TestRetryRefused ensures that a route that can never start a build says so.
func TestRetryRefused(t *testing.T) {
	s := world(t, failing)
	b := ran(t, s, simaws.Start{Project: "shop"})
	c := CodeBuild{function(s, "")}
	gone, noARN := b, b
	gone.ID = "shop:00000000-0000-4000-8000-000000000000"
	noARN.ARN = "shop"
	for name, row := range map[string]struct {
		b     codebuild.Build
		route decide.Route
		want  error
	}{
		"a build that is gone":    {gone, decide.RouteBuild, heal.ErrNotFound},
		"no ARN":                  {noARN, decide.RouteBuild, heal.ErrFinal},
		"no such route":           {b, "", heal.ErrFinal},
		"a batch that is none":    {b, decide.RouteBatch, heal.ErrFinal},
		"a pipeline that is gone": {b, decide.RouteStage, heal.ErrNotFound},
	} {
		if row.route == decide.RouteStage {
			row.b.Initiator = "codepipeline/gone"
		}
		if _, err := c.Retry(t.Context(), row.b, decide.Plan{Route: row.route}, "t", nil); !errors.Is(err, row.want) {
			t.Errorf("%s: %v, want %v", name, err, row.want)
		}
	}
	if n := len(s.Builds("shop")); n != 1 {
		t.Errorf("%d builds", n)
	}
}

// TestRetryBatch: a batch is retried once none of its builds is running, and
// only if it has failed.
func TestRetryBatch(t *testing.T) {
	s := world(t, `
roles: [{name: r, inline: {logs: LOGS}}]
projects: [{name: matrix, role: r, batch: [linux, windows], buildspecs: {buildspec.yml: {build: [{run: make, `+
		`fails: {times: 1, prints: "no"}}]}}}]
`)
	begun(t, s, simaws.Start{Project: "matrix", Batch: true, Version: "refs/heads/main", Initiator: "team/alice"})
	b := got(t, s, s.Builds("matrix")[0].ID)
	c, p := CodeBuild{function(s, "")}, decide.Plan{Route: decide.RouteBatch}
	retry := func(token string) error { _, err := c.Retry(t.Context(), b, p, token, nil); return err }
	if err := retry("a"); !errors.Is(err, heal.ErrLater) || count(s, "RetryBuildBatch") > 0 {
		t.Errorf("its siblings run: %v", err)
	}
	s.Settle()
	b = got(t, s, b.ID)
	if err := retry("a"); err != nil {
		t.Fatal(err)
	}
	if n := len(s.Builds("matrix")); n != 3 {
		t.Errorf("%d builds, want the failed one again and no other", n)
	}
	if err := retry("b"); !errors.Is(err, heal.ErrLater) {
		t.Errorf("it runs again: %v", err)
	}
	batch, err := c.Batch(t.Context(), home, b.BatchARN)
	if err != nil {
		t.Fatal(err)
	}
	if r := batch.Asked(b.BatchARN); r.From != b.BatchARN || r.Initiator != "team/alice" || r.SourceType != "GITHUB" ||
		r.SourceVersion != "refs/heads/main" || r.ResolvedSourceVersion != b.ResolvedSourceVersion || r.ResolvedSourceVersion == "" {
		t.Errorf("the batch was asked for by %+v", r)
	}
	bs := s.Builds("matrix") // of the first commit's builds, one fails by itself
	again, ok := batch.Rerun(bs[0].ID)
	if !ok {
		again, ok = batch.Rerun(bs[1].ID)
	}
	if !ok || again.Build != bs[2].ID || again.Status != codebuild.InProgress || batch.Status != codebuild.InProgress ||
		len(batch.Groups) != 2 {
		t.Errorf("the batch is %+v", batch)
	}
	s.Settle()
	if err := retry("c"); !errors.Is(err, heal.ErrFinal) || count(s, "RetryBuildBatch") != 1 {
		t.Errorf("it has succeeded: %v", err)
	}
	b.BatchARN = strings.Replace(b.BatchARN, b.BatchARN[len(b.BatchARN)-4:], "0000", 1)
	if err := retry("d"); !errors.Is(err, heal.ErrFinal) {
		t.Errorf("it is gone: %v", err)
	}
	if _, err := c.Batch(t.Context(), home, b.BatchARN); !errors.Is(err, heal.ErrNotFound) {
		t.Errorf("it is gone, and reads as %v", err)
	}
	if _, err := c.Batch(t.Context(), home, b.ARN); !errors.Is(err, heal.ErrFinal) {
		t.Errorf("a build's ARN is no batch's: %v", err)
	}
}

// pipe is a pipeline whose stage has three actions; two fail.
const pipe = `
roles: [{name: r, inline: {logs: LOGS}}]
projects:
  - {name: app, role: r, source: {type: CODEPIPELINE}, buildspecs: {buildspec.yml: {build: [{run: make, fails: {times: 1, prints: "no"}}]}}}
  - {name: lint, role: r, source: {type: CODEPIPELINE}, buildspecs: {buildspec.yml: {build: [{run: lint, ` +
	`fails: {times: 1, prints: "no"}}]}}}
  - {name: docs, role: r, source: {type: CODEPIPELINE}, buildspecs: {buildspec.yml: {build: [make docs]}}}
pipelines:
  - name: shop
    stages:
      - {name: Source, actions: [{name: Source}]}
      - {name: Build, actions: [{name: App, project: app}, {name: Lint, project: lint}, {name: Docs, project: docs}]}
`

func TestRetryStage(t *testing.T) {
	s := world(t, pipe)
	begun(t, s, simaws.Start{Pipeline: "shop"})
	b := got(t, s, s.Builds("app")[0].ID)
	c, p := CodeBuild{function(s, "")}, decide.Plan{Route: decide.RouteStage}
	var with []string
	ready := func(ids []string) error { with = ids; return nil }
	retry := func() error { _, err := c.Retry(t.Context(), b, p, "t", ready); return err }
	if err := retry(); !errors.Is(err, heal.ErrLater) {
		t.Errorf("the stage runs: %v", err)
	}
	s.Settle()

	wait := fmt.Errorf("its log is not read yet: %w", heal.ErrLater)
	if _, err := c.Retry(t.Context(), b, p, "t", func([]string) error { return wait }); !errors.Is(err, wait) ||
		count(s, "RetryStageExecution") > 0 {
		t.Errorf("a sibling is not ready: %v", err)
	}
	for code, want := range map[string]error{"ConflictException": heal.ErrLater,
		"ConcurrentPipelineExecutionsLimitExceededException": heal.ErrLater,
		"NotLatestPipelineExecutionException":                heal.ErrFinal, "StageNotRetryableException": heal.ErrFinal} {
		fault(s, "RetryStageExecution", simaws.Fault{Code: code, Message: "no"})
		if err := retry(); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", code, err, want)
		}
		s.Unhook()
	}
	if err := retry(); err != nil || !slices.Equal(with, []string{s.Builds("lint")[0].ID}) {
		t.Errorf("%v, starts again with it: %q", err, with)
	}
	if a, l, d := len(s.Builds("app")), len(s.Builds("lint")), len(s.Builds("docs")); a != 2 || l != 2 || d != 1 {
		t.Errorf("builds: app %d, lint %d, docs %d", a, l, d)
	}
	if err := retry(); !errors.Is(err, heal.ErrFinal) {
		t.Errorf("it was retried already: %v", err)
	}
}

// TestRetryStageReplaced: a newer execution has taken the stage.
func TestRetryStageReplaced(t *testing.T) {
	s := world(t, pipe)
	begun(t, s, simaws.Start{Pipeline: "shop"})
	s.Settle()
	b := got(t, s, s.Builds("app")[0].ID)
	begun(t, s, simaws.Start{Pipeline: "shop"})
	s.Settle()
	ready := func([]string) error { t.Error("asked whether its siblings are ready"); return nil }
	if _, err := (CodeBuild{function(s, "")}).Retry(t.Context(), b, decide.Plan{Route: decide.RouteStage}, "t",
		ready); !errors.Is(err, heal.ErrFinal) || count(s, "RetryStageExecution") > 0 {
		t.Errorf("%v", err)
	}
}

// TestMember: a build of another account is read by assuming the member role
// there, once for many calls.
func TestMember(t *testing.T) {
	s := world(t, `
roles: [{name: buildmedic}]
members:
  - account: "444455556666"
    region: eu-west-1
    roles:
      - {name: r, inline: {logs: LOGS}}
      - name: buildmedic/member
        trust: '{"Version":"2012-10-17","Statement":[{"Effect":"Allow",`+
		`"Principal":{"AWS":"arn:aws:iam::111122223333:role/buildmedic"},"Action":"sts:AssumeRole"}]}'
    projects: [{name: shop, role: r, buildspecs: {buildspec.yml: {build: [{run: make, fails: {prints: "no"}}]}}}]
`)
	there := settings.Account{ID: "444455556666", Region: "eu-west-1"}
	id := begun(t, s, simaws.Start{Project: "shop", Account: there.ID, Region: there.Region})
	s.Settle()
	c := CodeBuild{function(s, "buildmedic/member")}
	for range 2 {
		b, err := c.Get(t.Context(), there, id)
		if err != nil || b.Status != "FAILED" || !strings.HasPrefix(b.ARN, "arn:aws:codebuild:eu-west-1:444455556666:build/shop:") {
			t.Errorf("%+v, %v", b, err)
		}
	}
	if n := count(s, "AssumeRole"); n != 1 {
		t.Errorf("the role was assumed %d times", n)
	}
	if _, err := c.Get(t.Context(), home, id); !errors.Is(err, heal.ErrNotFound) {
		t.Errorf("the same id at home: %v", err)
	}
	if _, err := c.Get(t.Context(), settings.Account{ID: home.ID, Region: "eu-west-1"}, id); err == nil {
		t.Error("the home account in another region has the build")
	}

	n := len(s.Calls())
	_, err := CodeBuild{function(s, "")}.Get(t.Context(), there, id)
	if err == nil || !strings.Contains(err.Error(), "444455556666") || !strings.Contains(err.Error(), "member stack") ||
		len(s.Calls()) != n {
		t.Errorf("without a member role: %v", err)
	}
	if _, err := (CodeBuild{function(s, "r")}).Get(t.Context(), there, id); !errors.Is(err, heal.ErrDenied) ||
		!strings.Contains(err.Error(), "sts:AssumeRole on arn:aws:iam::444455556666:role/r, so it reaches nothing in "+
			"account 444455556666; deploy the member template") {
		t.Errorf("a role that does not trust us: %v", err)
	}
}

// TestBuildHasNoSecrets: of the record only what the healer needs comes in,
// and all versions that were built.
func TestBuildHasNoSecrets(t *testing.T) {
	const secret = "hunter2"
	b := build(types.Build{Id: aws.String("web:b1"), SourceVersion: aws.String("main"),
		Source: &types.ProjectSource{
			Type:      types.SourceTypeGithub,
			Location:  aws.String("https://user:" + secret + "@github.com/o/r"),
			Buildspec: aws.String("env:\n  variables: {T: " + secret + "}"),
			Auth:      &types.SourceAuth{Resource: aws.String(secret)},
		},
		SecondarySourceVersions: []types.ProjectSourceVersion{{SourceIdentifier: aws.String("lib"), SourceVersion: aws.String("pr/7")}},
		Environment: &types.ProjectEnvironment{
			EnvironmentVariables: []types.EnvironmentVariable{{Name: aws.String("T"), Value: aws.String(secret)}},
		},
		Phases: []types.BuildPhase{{Contexts: []types.PhaseContext{{Message: aws.String("password=" + secret)}}}}})
	if all, err := json.Marshal(b); err != nil || strings.Contains(string(all), secret) {
		t.Errorf("%s, %v", all, err)
	}
	if !slices.Equal(b.SecondaryVersions, []string{"pr/7"}) {
		t.Errorf("secondary versions %q", b.SecondaryVersions)
	}
	keys := build(types.Build{Environment: &types.ProjectEnvironment{
		EnvironmentVariables: []types.EnvironmentVariable{{Name: aws.String("AWS_ACCESS_KEY_ID"), Value: aws.String(secret)}}}})
	if !keys.OtherCredentials || b.OtherCredentials {
		t.Errorf("other credentials: %t, and without any %t", keys.OtherCredentials, b.OtherCredentials)
	}
}

// TestParameters ensures that two builds with the same digest were asked for the
// same, and that the digest is stored nowhere.
func TestParameters(t *testing.T) {
	variable := func(name, value string) types.EnvironmentVariable {
		return types.EnvironmentVariable{Name: &name, Value: &value, Type: types.EnvironmentVariableTypePlaintext}
	}
	was := types.Build{Id: aws.String("p:1"), BuildStatus: types.StatusTypeFailed, ServiceRole: aws.String("r"),
		Source: &types.ProjectSource{Type: types.SourceTypeGithub, Location: aws.String("https://example.com/a.git")},
		Environment: &types.ProjectEnvironment{Image: aws.String("i"),
			EnvironmentVariables: []types.EnvironmentVariable{variable("STAGE", "test")}}}
	again := was
	again.Id, again.BuildStatus, again.StartTime = aws.String("p:2"), types.StatusTypeSucceeded, aws.Time(time.Unix(1, 0))
	if build(was).Parameters == "" || build(was).Parameters != build(again).Parameters {
		t.Errorf("%q and %q", build(was).Parameters, build(again).Parameters)
	}
	for name, change := range map[string]func(*types.Build){
		"a variable": func(b *types.Build) {
			b.Environment = &types.ProjectEnvironment{Image: aws.String("i"),
				EnvironmentVariables: []types.EnvironmentVariable{variable("STAGE", "prod")}}
		},
		"the role": func(b *types.Build) { b.ServiceRole = aws.String("s") },
		"the buildspec": func(b *types.Build) {
			b.Source = &types.ProjectSource{Type: types.SourceTypeGithub, Buildspec: aws.String("b.yml")}
		},
		"a second source": func(b *types.Build) {
			b.SecondarySourceVersions = []types.ProjectSourceVersion{{SourceVersion: aws.String("refs/heads/x")}}
		},
	} {
		other := was
		change(&other)
		if build(other).Parameters == build(was).Parameters {
			t.Errorf("%s makes no difference", name)
		}
	}
	data, err := json.Marshal(build(was))
	if err != nil || strings.Contains(string(data), build(was).Parameters) {
		t.Errorf("stored: %s, %v", data, err)
	}
}

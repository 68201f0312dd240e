package heal

import (
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// TestStartedBy is the table of which build passes for a round's retry.
func TestStartedBy(t *testing.T) {
	h := &Healer{
		Home: settings.Account{ID: "111122223333"},
		Self: decide.Self{Initiator: "buildmedic/s", MemberInitiator: "buildmedic-member/s"},
	}
	member := func(_ *decide.Round, b *codebuild.Build) {
		b.ARN = "arn:aws:codebuild:eu-west-1:444455556666:build/" + b.ID
	}
	for _, row := range []struct {
		name   string
		route  decide.Route
		change func(*decide.Round, *codebuild.Build)
		want   bool
	}{
		{"ours", decide.RouteBuild, nil, true},
		{"known by its id", decide.RouteBuild, func(r *decide.Round, b *codebuild.Build) { r.Retry = b.ID }, true},
		{"another than the known one", decide.RouteBuild, func(r *decide.Round, b *codebuild.Build) { r.Retry = "shop:9" }, false},
		{"somebody else's", decide.RouteBuild, func(_ *decide.Round, b *codebuild.Build) { b.Initiator = "alice" }, false},
		{"ours in a member account", decide.RouteBuild,
			func(r *decide.Round, b *codebuild.Build) { member(r, b); b.Initiator = "buildmedic-member/s" }, true},
		{"there, by a role that is named like the hub's", decide.RouteBuild, member, false},
		{"here, by a role that is named like a member's", decide.RouteBuild,
			func(_ *decide.Round, b *codebuild.Build) { b.Initiator = "buildmedic-member/s" }, false},
		{"of another commit on the same branch", decide.RouteBuild,
			func(_ *decide.Round, b *codebuild.Build) { b.ResolvedSourceVersion = "2" }, false},
		{"not resolved yet, same branch", decide.RouteBuild,
			func(_ *decide.Round, b *codebuild.Build) { b.ResolvedSourceVersion = "" }, true},
		{"of another project", decide.RouteBuild, func(_ *decide.Round, b *codebuild.Build) { b.Project = "other" }, false},
		{"the failed build itself", decide.RouteBuild, func(r *decide.Round, b *codebuild.Build) { b.ID = r.Build.ID }, false},
		{"begun before the build failed", decide.RouteBuild,
			func(r *decide.Round, b *codebuild.Build) { b.Start = r.Build.End.Add(-time.Second) }, false},
		{"the healer's clock is an hour ahead", decide.RouteBuild,
			func(r *decide.Round, _ *codebuild.Build) { r.RetryAt = failedAt.Add(time.Hour) }, true},
		{"of the same execution", decide.RouteStage, func(r *decide.Round, b *codebuild.Build) {
			r.Build.Initiator, b.Initiator = "codepipeline/x", "codepipeline/x"
		}, true},
		{"of another execution", decide.RouteStage, func(r *decide.Round, b *codebuild.Build) {
			r.Build.Initiator, b.Initiator, b.SourceVersion = "codepipeline/x", "codepipeline/x", "other"
		}, false},
		{"CodeBuild's own", decide.RouteCodeBuild, func(r *decide.Round, b *codebuild.Build) { b.AutoRetry.Previous = r.Build.ARN }, true},
		{"CodeBuild's own of another build", decide.RouteCodeBuild, func(r *decide.Round, b *codebuild.Build) {
			b.AutoRetry.Previous = "arn:aws:codebuild:us-east-1:111122223333:build/shop:7"
		}, false},
		{"none", decide.RouteNone, nil, false},
	} {
		r := decide.Round{Build: failedBuild(), RetryAt: failedAt.Add(2 * time.Minute), Decision: &decide.Decision{
			Plan: &decide.Plan{Route: row.route},
		}}
		b := failedBuild()
		b.ID, b.Initiator, b.Start, b.End = "shop:2", "buildmedic/s", failedAt.Add(2*time.Minute), time.Time{}
		if row.change != nil {
			row.change(&r, &b)
		}
		if got := h.startedBy(r, b, codebuild.Batch{}); got != row.want {
			t.Errorf("%s: %v", row.name, got)
		}
	}
}

// TestStartedByABatch: whether a build of a batch is of before its retry or of
// since, the batch's groups say, and no clock.
func TestStartedByABatch(t *testing.T) {
	failed, other, second := failedBuild().ID, "shop:other", "shop:2"
	now := func(gs ...codebuild.BuildGroup) codebuild.Batch { return codebuild.Batch{Groups: gs} }
	for _, row := range []struct {
		name  string
		batch codebuild.Batch
		build string
		want  bool
	}{
		{"its own second run", now(codebuild.BuildGroup{Build: second, Prior: []string{failed}}), second, true},
		{"another's second run",
			now(codebuild.BuildGroup{Build: "shop:3", Prior: []string{failed}}, codebuild.BuildGroup{
				Build: second,
				Prior: []string{other},
			}), second, true},
		{"one that had not begun before",
			now(codebuild.BuildGroup{Build: "shop:3", Prior: []string{failed}}, codebuild.BuildGroup{Build: second}),
			second, true},
		{"a sibling, before the batch was retried",
			now(codebuild.BuildGroup{Build: failed}, codebuild.BuildGroup{Build: other}), other, false},
		{"a sibling's first run, after",
			now(codebuild.BuildGroup{Build: "shop:3", Prior: []string{failed}}, codebuild.BuildGroup{
				Build: second,
				Prior: []string{other},
			}), other, false},
		{"of another batch", now(codebuild.BuildGroup{Build: second, Prior: []string{other}}), second, false},
		{"the batch is gone", now(), second, false},
	} {
		r := decide.Round{Build: failedBuild(), Step: decide.StepRetried, Decision: &decide.Decision{
			Plan: &decide.Plan{Route: decide.RouteBatch},
		}}
		if got := (&Healer{}).startedBy(r, codebuild.Build{ID: row.build, Project: r.Build.Project}, row.batch); got != row.want {
			t.Errorf("%s: %v", row.name, got)
		}
	}
}

var failedAt = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

// failedBuild is the build whose retry is looked for.
func failedBuild() codebuild.Build {
	return codebuild.Build{ID: "shop:1", ARN: "arn:aws:codebuild:us-east-1:111122223333:build/shop:1", Project: "shop",
		Status: "FAILED", Initiator: "GitHub-Hookshot/0a1b2c3", SourceVersion: "refs/heads/main",
		ResolvedSourceVersion: "1111111111111111111111111111111111111111",
		Start:                 failedAt, End: failedAt.Add(time.Minute)}
}

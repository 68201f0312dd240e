package heal

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// pipes are pipelines of which each call gives what it is told to.
type pipes struct {
	runs                     []codebuild.ActionRun
	pulls                    bool
	of, triggers, cause, all error
}

func (p pipes) Runs(context.Context, settings.Account, string, string) ([]codebuild.ActionRun, error) {
	return p.runs, p.all
}

func (p pipes) RunOf(_ context.Context, _ settings.Account, _, external string, _ time.Time) (codebuild.ActionRun, error) {
	for _, r := range p.runs {
		if r.External == external {
			return r, p.of
		}
	}
	return codebuild.ActionRun{}, errors.Join(p.of, ErrNotFound)
}

func (p pipes) PullRequests(context.Context, settings.Account, string, int32) (bool, error) {
	return p.pulls, p.triggers
}

func (p pipes) Trigger(context.Context, settings.Account, string, string) (kind, by string, err error) {
	return "StartPipelineExecution", "arn:aws:iam::1:user/alice", p.cause
}

// TestWithExecution: whatever cannot be read of a pipeline leaves the build untrusted, with a reason that names the
// permission if one is missing; what may be read later is an error.
func TestWithExecution(t *testing.T) {
	at := settings.Account{ID: "111122223333", Region: "eu-west-1"}
	no := DeniedError{Action: "codepipeline:GetPipeline", Advice: "; deploy the stack again"}
	runs := []codebuild.ActionRun{
		{Action: codebuild.Action{Pipeline: "shop-main", Execution: "x", Stage: "Build", Name: "B", Run: "r"}, External: "shop:1",
			Version: 3},
		{Action: codebuild.Action{Provider: sourceConnection, Name: "S"}, Branch: "main", Built: "main",
			Status: codebuild.RunSucceeded},
		{Action: codebuild.Action{Provider: sourceConnection, Name: "S"}, Branch: "main", Status: codebuild.RunFailed},
		{Action: codebuild.Action{Provider: "S3", Name: "Z"}, Status: codebuild.RunSucceeded},
	}
	for _, row := range []struct {
		name, pipeline string
		pipes          pipes
		want           string // in why it is not trusted; "" is trusted
		starters       []string
	}{
		{"no trigger for pull requests", "shop-main", pipes{runs: runs}, "", nil},
		{"a person, of a pipeline with one", "shop-main", pipes{runs: runs, pulls: true},
			`"alice", whom trust.starters does not list`, nil},
		{"a listed person, of a pipeline with one", "shop-main", pipes{runs: runs, pulls: true}, "", []string{"alice"}},
		{"not listed", "other", pipes{runs: runs}, `does not list the pipeline "other"`, nil},
		{"no record", "shop-main", pipes{}, "No record says which execution", nil},
		{"the definition is gone", "shop-main", pipes{runs: runs, triggers: ErrNotFound}, "No record says which execution", nil},
		{"actions may not be read", "shop-main", pipes{runs: runs, of: no}, "codepipeline:GetPipeline", nil},
		{"the definition may not be read", "shop-main", pipes{runs: runs, triggers: no}, "codepipeline:GetPipeline", nil},
		{"the execution may not be read", "shop-main", pipes{runs: runs, pulls: true, cause: no}, "codepipeline:GetPipeline", nil},
		{"its sources may not be read", "shop-main", pipes{runs: runs, pulls: true, all: no}, "codepipeline:GetPipeline", nil},
	} {
		h := &Healer{Home: at, Pipelines: row.pipes, Settings: &settings.Settings{
			Projects: []settings.Project{{Name: "shop", Pipelines: []string{"shop-main"}}}}}
		b := codebuild.Build{ID: "shop:1", Project: "shop", Initiator: "codepipeline/" + row.pipeline,
			SourceVersion: "arn:aws:s3:::a/b/c", Checked: &codebuild.Checked{}}
		got, err := h.withExecution(t.Context(), at, b)
		if err != nil {
			t.Errorf("%s: %v", row.name, err)
			continue
		}
		ok, why := guardrail.Trusted(got, settings.Project{Trust: settings.Trust{Starters: row.starters}})
		if ok != (row.want == "") || !strings.Contains(why, row.want) {
			t.Errorf("%s: %t, %q", row.name, ok, why)
		}
		if b.Checked.Execution != nil {
			t.Errorf("%s: what was given is changed", row.name)
		}
		for _, later := range []pipes{{runs: runs, of: ErrLater}, {runs: runs, triggers: ErrLater},
			{runs: runs, pulls: true, cause: ErrLater}, {runs: runs, pulls: true, all: ErrLater}} {
			if h.Pipelines = later; row.pipeline == "shop-main" {
				if _, err := h.withExecution(t.Context(), at, b); !errors.Is(err, ErrLater) {
					t.Errorf("%+v: %v", later, err)
				}
			}
		}
	}
}

// TestProjectOfAction: an action without a build is of the project that it is set to, and else of the first that
// lists its pipeline; one of a project that the settings leave alone is left alone.
func TestProjectOfAction(t *testing.T) {
	at := settings.Account{ID: "111122223333", Region: "eu-west-1"}
	h := &Healer{Home: at, Settings: &settings.Settings{Projects: []settings.Project{
		{Name: "elsewhere", Region: "us-east-1", Pipelines: []string{"p"}}, {Name: "a", Pipelines: []string{"p"}},
		{Name: "b", Pipelines: []string{"p"}}, {Name: "c"}}}}
	const missing = "Error calling startBuild: Project cannot be found: x (Service: AWSCodeBuild; Status Code: 400; " +
		"Error Code: ResourceNotFoundException; Request ID: 1)"
	for _, row := range []struct{ set, message, want string }{
		{"b", "", "b"}, {"", "", "a"}, {"c", "", ""}, {"other", "", ""}, {"other", missing, "a"}, {"b", missing, "b"},
	} {
		r := codebuild.ActionRun{Action: codebuild.Action{Pipeline: "p"}, Project: row.set, Message: row.message}
		if got := h.projectOf(at, r); got != row.want {
			t.Errorf("%+v: %q", row, got)
		}
	}
	if got := h.projectOf(at, codebuild.ActionRun{Action: codebuild.Action{Pipeline: "q"}}); got != "" {
		t.Errorf("a pipeline that nobody lists: %q", got)
	}
}

// TestMayRetryStage: what waited for hours is retried only if the settings still say so.
func TestMayRetryStage(t *testing.T) {
	at := settings.Account{ID: "111122223333", Region: "eu-west-1"}
	for _, row := range []struct {
		name     string
		project  settings.Project
		approved string
		want     bool
	}{
		{"as it was", settings.Project{Name: "shop", Mode: settings.Heal, Retry: true, Pipelines: []string{"p"}}, "", true},
		{"observed now", settings.Project{Name: "shop", Mode: settings.Observe, Retry: true, Pipelines: []string{"p"}}, "", false},
		{"approved", settings.Project{Name: "shop", Mode: settings.Propose, Retry: true, Pipelines: []string{"p"}}, "hash", true},
		{"never again", settings.Project{Name: "shop", Mode: settings.Heal, Pipelines: []string{"p"}}, "", false},
		{"not listed", settings.Project{Name: "shop", Mode: settings.Heal, Retry: true}, "", false},
		{"gone", settings.Project{Name: "other", Mode: settings.Heal, Retry: true, Pipelines: []string{"p"}}, "", false},
	} {
		h := &Healer{Home: at, Settings: &settings.Settings{Projects: []settings.Project{row.project}}}
		c := &held{Case: decide.Case{Account: at.ID, Region: at.Region, Project: "shop", Rounds: []decide.Round{{Approved: row.approved,
			Build: codebuild.Build{Action: &codebuild.Action{Pipeline: "p"}}}}}}
		if got := h.mayRetryStage(c); got != row.want {
			t.Errorf("%s: %t", row.name, got)
		}
	}
}

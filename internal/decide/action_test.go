package decide

import (
	"strings"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/diagnose"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// actionFacts are those of an action of the pipeline shop-main that failed without a build.
func actionFacts(t *testing.T, project, cause string, remedy diagnose.Remedy) Facts {
	t.Helper()
	f := pipelineFacts(t, project, remedy)
	f.Build = codebuild.ActionRun{Action: codebuild.Action{Pipeline: "shop-main", Execution: hostileUUID, Stage: "Build", Name: "Build",
		Run: hostileUUID}, Status: codebuild.RunFailed}.Build(codebuild.ARN{Partition: "aws", Service: "codepipeline", Region: "eu-west-1",
		Account: hostileAccount}, "shop")
	f.Diagnosis.Cause, f.Role = cause, nil
	return f
}

// TestQueueFull: each refusal makes the pause longer, until the day is over, and none of them counts as a start
// of a build; the limits of the settings hold for all others.
func TestQueueFull(t *testing.T) {
	f := actionFacts(t, "write: {inline: p}, grants: [image], pipelines: [shop-main]", diagnose.StartQueueFull, diagnose.Retry)
	var total, before time.Duration
	for n := range queuePauses {
		d := Decide(f)
		if d.Plan == nil || d.Plan.Route != RouteStage || d.Mutates() || d.Plan.Settle <= before {
			t.Fatalf("round %d: %+v", n+1, d)
		}
		before = d.Plan.Settle
		total += before
		f.Earlier = append(f.Earlier, Round{Build: f.Build, Diagnosis: &f.Diagnosis, Decision: &d, Step: StepDone, RetryAt: time.Unix(1, 0),
			Retry: "next"})
	}
	if total < 12*time.Hour || total > 24*time.Hour {
		t.Errorf("it waits %s in all", total)
	}
	if d := Decide(f); d.Plan != nil || len(d.Refusals) != 1 || d.Refusals[0].Rule != guardrail.RoundsUsedUp {
		t.Errorf("after the last pause: %+v", d)
	}
	f.Earlier = nil
	for _, row := range []struct {
		project string
		change  func(*Facts)
		rule    guardrail.Rule
	}{
		{"pipelines: [shop-main], retry: false", nil, guardrail.RetryForbidden},
		{"pipelines: [other]", nil, guardrail.NoRoute},
		{"pipelines: [shop-main]", func(f *Facts) { f.Settings.Limits.Rounds = 0 }, guardrail.RoundsUsedUp},
		{"pipelines: [shop-main]", func(f *Facts) { f.Settings.Limits.RetriesHour = 0 }, guardrail.RetriesPerHour},
		{"pipelines: [shop-main]", func(f *Facts) { // by other failures
			for range f.Settings.Limits.Rounds {
				f.Earlier = append(f.Earlier, Round{Step: StepDone, RetryAt: time.Unix(1, 0), Retry: "x"})
			}
		}, guardrail.RoundsUsedUp},
	} {
		f := actionFacts(t, row.project, diagnose.StartQueueFull, diagnose.Retry)
		if row.change != nil {
			row.change(&f)
		}
		if d := Decide(f); d.Plan != nil || len(d.Refusals) == 0 || d.Refusals[0].Rule != row.rule {
			t.Errorf("%s: %+v, want %s", row.project, d, row.rule)
		}
	}
}

// TestNothingIsGivenForAnAction: whatever the log of an action says, and whatever the project's settings allow, its
// role is the pipeline's.
func TestNothingIsGivenForAnAction(t *testing.T) {
	const project = "write: {inline: p}, grants: [image], buildspecs: [b.yml], pipelines: [shop-main]"
	for _, remedy := range diagnose.Remedies {
		for _, switched := range []string{"", ", switch_role: full"} {
			what := project
			if switched != "" {
				what = "buildspecs: [b.yml], pipelines: [shop-main]" + switched
			}
			f := actionFacts(t, what, "x", remedy)
			d := Decide(f)
			if d.Mutates() || d.Undo > 0 ||
				d.Plan != nil && (d.Plan.Route != RouteStage || remedy != diagnose.Retry || d.Plan.Buildspec != "") {
				t.Errorf("%s%s: %+v", remedy, switched, d)
			}
			if remedy == diagnose.Grant && (len(d.Refusals) != 1 || d.Refusals[0].Rule != guardrail.OtherPrincipal) {
				t.Errorf("%s: %+v", remedy, d.Refusals)
			}
		}
	}
}

// TestPipelineRoleToldWhatItNeeds: what a person may add is told, as the pipeline's.
func TestPipelineRoleToldWhatItNeeds(t *testing.T) {
	for call, more := range map[string]string{"codebuild:StartBuild": `["codebuild:BatchGetBuilds","codebuild:StartBuild"]`,
		"codebuild:StartBuildBatch": `"codebuild:StartBuildBatch"`} {
		f := actionFacts(t, "write: {inline: p}, grants: [image], pipelines: [shop-main]", diagnose.StartPipelineRole, diagnose.Report)
		f.Diagnosis.Denials = []buildlog.Denial{{Principal: "arn:aws:sts::111122223333:assumed-role/pipe/1", Action: call, Causal: true,
			Resource: "arn:aws:codebuild:eu-west-1:111122223333:project/shop", Layer: buildlog.IdentityBased, Origin: buildlog.FromPhase}}
		f.Diagnosis.Details = map[string]string{"role": "pipe", "account": hostileAccount, "call": call,
			"project": "arn:aws:codebuild:eu-west-1:111122223333:project/shop"}
		d := Decide(f)
		if d.Plan != nil || len(d.Refusals) != 1 ||
			!strings.Contains(d.Refusals[0].Message, "Role pipe of account 111122223333 is the pipeline's") ||
			!strings.Contains(d.Refusals[0].Message, more) || !strings.Contains(d.Refusals[0].Message, `project/shop"`) {
			t.Errorf("%s: %+v", call, d)
		}
	}
}

// TestCaseOfAction: all runs of an action in one execution are one case; another action, or another execution, is
// another.
func TestCaseOfAction(t *testing.T) {
	at := settings.Account{ID: hostileAccount, Region: "eu-west-1"}
	f := actionFacts(t, "pipelines: [shop-main]", "x", diagnose.Report)
	with := func(change func(*codebuild.Action)) string {
		b, a := f.Build, *f.Build.Action
		change(&a)
		b.ID, b.Action = a.ID(), &a
		b.Checked = &codebuild.Checked{Execution: &codebuild.Execution{Unread: "x"}}
		return CaseID(at, b)
	}
	id := CaseID(at, f.Build)
	other := strings.Replace(hostileUUID, hostileUUID[:1], "f", 1)
	if with(func(a *codebuild.Action) { a.Run = other }) != id {
		t.Error("another run is another case")
	}
	for what, change := range map[string]func(*codebuild.Action){"execution": func(a *codebuild.Action) { a.Execution = other },
		"stage": func(a *codebuild.Action) { a.Stage = "x" }, "action": func(a *codebuild.Action) { a.Name = "x" },
		"pipeline": func(a *codebuild.Action) { a.Pipeline = "x" }} {
		if with(change) == id {
			t.Errorf("another %s is the same case", what)
		}
	}
}

// TestBatchOfPipeline: a batch that a pipeline asked for is started again by its stage, and only if that is listed.
func TestBatchOfPipeline(t *testing.T) {
	for project, want := range map[string]Route{"pipelines: [shop-main]": RouteStage, "pipelines: []": ""} {
		f := pipelineFacts(t, project, diagnose.Retry)
		f.Build.Initiator = "codebuild-shop/AWSCodeBuild-" + hostileUUID
		f.Build.BatchARN = "arn:aws:codebuild:eu-west-1:111122223333:build-batch/shop:x"
		f.Build.Root = &codebuild.Root{From: f.Build.BatchARN, Initiator: "codepipeline/shop-main", SourceVersion: f.Build.SourceVersion}
		d := Decide(f)
		if got := d.Plan; (got == nil) != (want == "") || got != nil && got.Route != want {
			t.Errorf("%s: %+v", project, d)
		}
	}
}

package awsapi

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/redact"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// Pipelines implements heal.Pipelines. What it keeps never changes: which execution ran a build, what a
// version of a definition says, and what started an execution. So a storm of builds of one pipeline is
// read with few calls.
type Pipelines struct {
	Accounts *Accounts

	mu       sync.Mutex
	started  kept[codebuild.ActionRun] // by pipeline and external id
	triggers kept[bool]                // by pipeline and version
	causes   kept[trigger]             // by pipeline and execution
}

type trigger struct{ kind, by string }

// maxKept bounds how much of each kind is kept. When it is full, it begins anew.
const maxKept = 2000

type kept[T any] map[string]T

func (p *Pipelines) client(at settings.Account) (*codepipeline.Client, error) {
	return client(p.Accounts, at, codepipeline.NewFromConfig)
}

// recall gives what is kept under the key, or reads and keeps it.
func recall[T any](p *Pipelines, in *kept[T], key string, read func() (T, error)) (T, error) {
	p.mu.Lock()
	v, ok := (*in)[key]
	p.mu.Unlock()
	if ok {
		return v, nil
	}
	v, err := read()
	if err == nil {
		keep(p, in, key, v)
	}
	return v, err
}

func keep[T any](p *Pipelines, in *kept[T], key string, v T) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if *in == nil || len(*in) >= maxKept {
		*in = kept[T]{}
	}
	(*in)[key] = v
}

// Bounds of looking for a build's action.
const (
	maxRunPages = 10 // of 100 runs
	// before is how long before its build an action may have begun: that of a batch ran other builds first.
	before = 48 * time.Hour
)

// Runs implements [heal.Pipelines].
func (p *Pipelines) Runs(ctx context.Context, at settings.Account, pipeline, execution string) ([]codebuild.ActionRun, error) {
	var runs []codebuild.ActionRun
	err := p.list(ctx, at, &codepipeline.ListActionExecutionsInput{PipelineName: &pipeline,
		Filter: &types.ActionExecutionFilter{PipelineExecutionId: &execution}}, func(page []codebuild.ActionRun) bool {
		runs = append(runs, page...)
		return true
	})
	slices.SortStableFunc(runs, func(a, b codebuild.ActionRun) int { return b.Start.Compare(a.Start) })
	return runs, err
}

// RunOf implements [heal.Pipelines].
func (p *Pipelines) RunOf(ctx context.Context, at settings.Account, pipeline, external string, began time.Time,
) (codebuild.ActionRun, error) {
	key := func(external string) string { return at.ID + " " + at.Region + " " + pipeline + " " + external }
	return recall(p, &p.started, key(external), func() (found codebuild.ActionRun, err error) {
		ok := false
		err = p.list(ctx, at, &codepipeline.ListActionExecutionsInput{PipelineName: &pipeline}, func(page []codebuild.ActionRun) bool {
			for _, r := range page {
				if r.External == "" || r.Provider != codebuild.ProviderCodeBuild { // others say by themselves what they ran
					continue
				}
				if r.External == external {
					found, ok = r, true
				}
				// Its execution, stage and version never change; the rest is not asked for.
				keep(p, &p.started, key(r.External), r)
			}
			return !ok && (len(page) == 0 || !page[len(page)-1].Start.Before(began.Add(-before)))
		})
		if err == nil && !ok {
			err = fmt.Errorf("no action of pipeline %q ran %q: %w", pipeline, external, heal.ErrNotFound)
		}
		return found, err
	})
}

// list reads pages, newest first, as long as more says so.
func (p *Pipelines) list(ctx context.Context, at settings.Account, in *codepipeline.ListActionExecutionsInput,
	more func([]codebuild.ActionRun) bool,
) error {
	client, err := p.client(at)
	if err != nil {
		return err
	}
	for range maxRunPages {
		out, err := client.ListActionExecutions(ctx, in)
		if err != nil {
			return classify(err)
		}
		var page []codebuild.ActionRun
		for _, d := range out.ActionExecutionDetails {
			page = append(page, actionRun(aws.ToString(in.PipelineName), d))
		}
		if !more(page) || out.NextToken == nil {
			return nil
		}
		in.NextToken = out.NextToken
	}
	return nil
}

func actionRun(pipeline string, d types.ActionExecutionDetail) codebuild.ActionRun {
	r := codebuild.ActionRun{Action: codebuild.Action{Pipeline: pipeline, Execution: aws.ToString(d.PipelineExecutionId),
		Stage: aws.ToString(d.StageName), Name: aws.ToString(d.ActionName), Run: aws.ToString(d.ActionExecutionId)},
		Version: aws.ToInt32(d.PipelineVersion), Status: string(d.Status), Start: aws.ToTime(d.StartTime),
		Updated: aws.ToTime(d.LastUpdateTime)}
	if in := d.Input; in != nil {
		r.Project, r.Branch = in.Configuration["ProjectName"], in.Configuration["BranchName"]
		if resolved := in.ResolvedConfiguration["ProjectName"]; resolved != "" {
			r.Project = resolved
		}
		if t := in.ActionTypeId; t != nil {
			r.Provider = aws.ToString(t.Provider)
		}
	}
	if out := d.Output; out != nil {
		r.Built = out.OutputVariables["BranchName"]
		if e := out.ExecutionResult; e != nil {
			r.External, r.LogARN = aws.ToString(e.ExternalExecutionId), aws.ToString(e.LogStreamARN)
			r.Message = aws.ToString(e.ExternalExecutionSummary)
			if x := e.ErrorDetails; x != nil {
				r.Code = aws.ToString(x.Code)
				if m := aws.ToString(x.Message); m != "" {
					r.Message = m
				}
			}
		}
	}
	r.Message = codebuild.Clip(redact.Text(r.Message))
	return r
}

// PullRequests implements [heal.Pipelines].
func (p *Pipelines) PullRequests(ctx context.Context, at settings.Account, pipeline string, version int32) (bool, error) {
	key := fmt.Sprint(at.ID, " ", at.Region, " ", pipeline, " ", version)
	return recall(p, &p.triggers, key, func() (bool, error) {
		client, err := p.client(at)
		if err != nil {
			return false, err
		}
		out, err := client.GetPipeline(ctx, &codepipeline.GetPipelineInput{Name: &pipeline, Version: &version})
		if err != nil {
			return false, classify(err)
		}
		return out.Pipeline == nil || slices.ContainsFunc(out.Pipeline.Triggers, byPullRequest), nil
	})
}

// byPullRequest reports whether pull requests cause the trigger, or may: it is of a kind that is not
// known unless it says which pushes count, and nothing else.
func byPullRequest(t types.PipelineTriggerDeclaration) bool {
	g := t.GitConfiguration
	return t.ProviderType != types.PipelineTriggerProviderTypeCodeStarSourceConnection || g == nil ||
		len(g.PullRequest) > 0 || len(g.Push) == 0
}

// Trigger implements [heal.Pipelines].
func (p *Pipelines) Trigger(ctx context.Context, at settings.Account, pipeline, execution string) (kind, by string, err error) {
	t, err := recall(p, &p.causes, at.ID+" "+at.Region+" "+pipeline+" "+execution, func() (t trigger, err error) {
		client, err := p.client(at)
		if err != nil {
			return t, err
		}
		out, err := client.GetPipelineExecution(ctx, &codepipeline.GetPipelineExecutionInput{PipelineName: &pipeline,
			PipelineExecutionId: &execution})
		if err != nil {
			return t, classify(err)
		}
		if x := out.PipelineExecution; x != nil && x.Trigger != nil {
			t = trigger{string(x.Trigger.TriggerType), aws.ToString(x.Trigger.TriggerDetail)}
		}
		return t, nil
	})
	return t.kind, t.by, err
}

// retryAction retries the stage that the action is of: that has to have the action's very run as its
// latest, so that nothing is started twice.
func (c CodePipeline) retryAction(ctx context.Context, at settings.Account, a codebuild.Action, ready func([]string) error) error {
	client, err := client(c.Accounts, at, codepipeline.NewFromConfig)
	if err != nil {
		return err
	}
	state, err := client.GetPipelineState(ctx, &codepipeline.GetPipelineStateInput{Name: &a.Pipeline})
	if errors.Is(classify(err), heal.ErrNotFound) {
		return fmt.Errorf("pipeline %q is gone: %w", a.Pipeline, heal.ErrFinal)
	}
	if err != nil {
		return classify(err)
	}
	i := slices.IndexFunc(state.StageStates, func(s types.StageState) bool { return aws.ToString(s.StageName) == a.Stage })
	if i < 0 {
		return fmt.Errorf("pipeline %q has no stage %q any more: %w", a.Pipeline, a.Stage, heal.ErrFinal)
	}
	stage := state.StageStates[i]
	if e := stage.LatestExecution; e == nil || aws.ToString(e.PipelineExecutionId) != a.Execution {
		return replaced(a.Pipeline, a.Stage)
	}
	j := slices.IndexFunc(stage.ActionStates, func(s types.ActionState) bool { return aws.ToString(s.ActionName) == a.Name })
	if j < 0 {
		return retriedAlready(a.Pipeline, a.Stage)
	}
	run := stage.ActionStates[j].LatestExecution
	if run == nil || aws.ToString(run.ActionExecutionId) != a.Run || run.Status != types.ActionExecutionStatusFailed {
		return retriedAlready(a.Pipeline, a.Stage)
	}
	return retryOf(ctx, client, a.Pipeline, stage, aws.ToString(run.ExternalExecutionId), ready)
}

func replaced(pipeline, stage string) error {
	return fmt.Errorf("pipeline %q: a newer execution has replaced this one in stage %q, and a retry would put an older "+
		"commit over it: %w", pipeline, stage, heal.ErrFinal)
}

func retriedAlready(pipeline, stage string) error {
	return fmt.Errorf("pipeline %q: somebody has retried stage %q already: %w", pipeline, stage, heal.ErrFinal)
}

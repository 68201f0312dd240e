package main

import (
	"encoding/json"
	"slices"

	"github.com/buildmedic/buildmedic/internal/settings"
)

// patternSize is how long an event pattern may be; EventBridge takes 2,048
// characters (AWS.md#from-event-to-function), and what is not known before the deployment needs
// some of them.
const patternSize = 1600

// event is a pattern of EventBridge for CodeBuild's builds.
type event struct {
	Projects []string
	// Own is how the initiator begins of builds that the function started;
	// only these concern it when they went well, or were stopped. What it
	// starts through a pipeline, a batch or CodeBuild's own retry names
	// another initiator; the sweep asks for these.
	Own string // "" for builds that failed
}

// source and detailType tell CodeBuild's builds from all other events.
var source, detailType = []string{"aws.codebuild"}, []string{"CodeBuild Build State Change"}

// failed are the statuses of builds that are failures, ended those by which a build ends otherwise.
var failed, ended = []string{"FAILED", "FAULT", "TIMED_OUT"}, []string{"SUCCEEDED", "STOPPED"}

func (e event) detail() map[string]any {
	d := map[string]any{"project-name": e.Projects, "build-status": failed}
	if e.Own != "" {
		d["build-status"] = ended
		d["additional-information"] = map[string]any{"initiator": []any{map[string]string{"prefix": e.Own}}}
	}
	return d
}

// whole is the pattern as the template has it.
func (e event) whole() map[string]any {
	return map[string]any{"source": source, "detail-type": detailType, "detail": e.detail()}
}

// events are the patterns for the projects: as few as hold their names.
func events(projects []settings.Project, own string) []event {
	var es []event
	var names []string
	for _, p := range projects {
		if len(names) > 0 && length(event{Projects: append(names[:len(names):len(names)], p.Name)}.whole()) > patternSize {
			es, names = append(es, event{names, ""}, event{names, own}), nil
		}
		names = append(names, p.Name)
	}
	if len(names) > 0 {
		es = append(es, event{names, ""}, event{names, own})
	}
	return es
}

// actionSource and actionType tell pipelines' actions from all other events, ofBuilds are the providers of actions
// that run commands.
var actionSource, actionType = []string{"aws.codepipeline"}, []string{"CodePipeline Action Execution State Change"}

var ofBuilds = []string{"CodeBuild", "Commands"}

// actions is the pattern for the pipelines' actions that failed. That a build's own event is not lost is not
// promised, and a start that was refused has none (AWS.md#pipeline-events, AWS.md#refused-starts).
func actions(pipelines []string) map[string]any {
	return map[string]any{"source": actionSource, "detail-type": actionType, "detail": map[string]any{
		"pipeline": pipelines, "state": []string{"FAILED"}, "type": map[string]any{"provider": ofBuilds}}}
}

// pipelineEvents are the patterns for the pipelines that the projects list: as few as hold their names.
func pipelineEvents(projects []settings.Project) []map[string]any {
	var out []map[string]any
	var names, seen []string
	for _, p := range projects {
		for _, name := range p.Pipelines {
			if slices.Contains(seen, name) {
				continue
			}
			seen = append(seen, name)
			if len(names) > 0 && length(actions(append(names[:len(names):len(names)], name))) > patternSize {
				out, names = append(out, actions(names)), nil
			}
			names = append(names, name)
		}
	}
	if len(names) > 0 {
		out = append(out, actions(names))
	}
	return out
}

func length(v any) int {
	b, err := json.Marshal(v)
	if err != nil {
		panic("infra: a pattern is no JSON: " + err.Error())
	}
	return len(b)
}

package buildevent

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/buildmedic/buildmedic/internal/codebuild"
)

// ActionSource and ActionDetailType are the envelope of what pipelines tell of their actions
// (AWS.md#pipeline-events).
const (
	ActionSource     = "aws.codepipeline"
	ActionDetailType = "CodePipeline Action Execution State Change"
)

// ActionEvent tells that an action of a pipeline changed its state.
type ActionEvent struct {
	ID      string // of the event; another delivery may carry another one
	Account string
	Region  string // of the pipeline
	codebuild.Action
	// ActionRegion is where the action runs: its build is there.
	ActionRegion string
	State        string // FAILED, …, as it came
	External     string // id of what the action ran, as it came; "" if there is none
	// Time is the envelope's; zero if it cannot be read.
	Time time.Time
	// Ignored says why the event concerns nobody; "" if it does concern us.
	Ignored string
}

// Build is the id of the build or batch that the action ran; "" if there is none.
func (e ActionEvent) Build() string {
	if e.Provider != codebuild.ProviderCodeBuild {
		return ""
	}
	return codebuild.BuildOf(e.External)
}

// where is the pipeline's ARN behind the service.
func (e ActionEvent) where() string { return e.Region + ":" + e.Account + ":" + e.Pipeline }

type actionDetail struct {
	Pipeline  string `json:"pipeline"`
	Execution string `json:"execution-id"`
	Stage     string `json:"stage"`
	Action    string `json:"action"`
	Run       string `json:"action-execution-id"`
	State     string `json:"state"`
	Region    string `json:"region"`
	Type      struct {
		Provider string `json:"provider"`
	} `json:"type"`
	// Result is read by itself: it may be missing, or of a form that nobody knows.
	Result json.RawMessage `json:"execution-result"`
}

// DecodeAction reads an event of a pipeline's action. ok is false for data that is no such event. An
// error means that one does not tell which action it is about; names that CodePipeline does not take
// are errors, since they go into calls. Whatever else is missing or of another form is left out.
func DecodeAction(data []byte) (e ActionEvent, ok bool, err error) {
	var env envelope
	if json.Unmarshal(data, &env) != nil || env.Source != ActionSource || env.DetailType != ActionDetailType {
		return ActionEvent{}, false, nil
	}
	fail := func(format string, args ...any) (ActionEvent, bool, error) {
		return ActionEvent{}, true, fmt.Errorf("reading event %q: "+format, append([]any{env.ID}, args...)...)
	}
	var d actionDetail
	if err := json.Unmarshal(env.Detail, &d); err != nil {
		return fail("detail: %w", err)
	}
	e = ActionEvent{ID: env.ID, Account: env.Account, Region: env.Region, ActionRegion: d.Region, State: d.State,
		Action: codebuild.Action{Pipeline: d.Pipeline, Execution: d.Execution, Stage: d.Stage, Name: d.Action, Run: d.Run,
			Provider: d.Type.Provider}}
	if json.Unmarshal(env.Time, &e.Time) != nil {
		e.Time = time.Time{}
	}
	var result struct {
		External string `json:"external-execution-id"`
	}
	if json.Unmarshal(d.Result, &result) == nil {
		e.External = result.External
	}
	if e.ActionRegion == "" {
		e.ActionRegion = e.Region
	}
	switch {
	case !e.Valid():
		return fail("pipeline %q, stage %q, action %q, execution %q or run %q is no name that CodePipeline takes",
			d.Pipeline, d.Stage, d.Action, d.Execution, d.Run)
	case !accountID(e.Account) || codebuild.PartitionOf(e.Region) == "" || codebuild.PartitionOf(e.ActionRegion) == "":
		return fail("account %q, region %q or %q is none", e.Account, e.Region, d.Region)
	case e.Build() == "" && (e.Pipeline == "" || e.Execution == "" || e.Run == "" && (e.Stage == "" || e.Name == "")):
		return fail("it does not say which action it is about")
	case len(env.Resources) > 0 && e.Pipeline != "" && !strings.HasSuffix(env.Resources[0], ":codepipeline:"+e.where()):
		return fail("it is about pipeline %q, but its resource is %q", e.Pipeline, env.Resources[0])
	case e.State == "":
		return fail("no state")
	case e.State != "FAILED":
		e.Ignored = fmt.Sprintf("the action is %q", e.State)
	case e.Provider != codebuild.ProviderCodeBuild && e.Provider != codebuild.ProviderCommands:
		e.Ignored = fmt.Sprintf("an action of %q runs no build", e.Provider)
	}
	return e, true, nil
}

func accountID(s string) bool { return len(s) == 12 && strings.Trim(s, "0123456789") == "" }

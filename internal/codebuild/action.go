package codebuild

import (
	"strings"
	"time"

	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

// Action names one run of an action of a pipeline.
type Action struct {
	Pipeline  string
	Execution string // of the pipeline
	Stage     string
	Name      string
	Run       string // of the action: another one each time that its stage is retried
	Provider  string // CodeBuild, Commands, …
}

// The providers of actions that run commands.
const (
	ProviderCodeBuild = "CodeBuild"
	ProviderCommands  = "Commands"
)

// PhaseStart is the phase that stands in the record of a build which was never made: its start was
// refused. CodeBuild has no phase of that name.
const PhaseStart = "START"

var (
	pipelineName = lazyregexp.New(`^[A-Za-z0-9.@_-]{1,100}$`)
	uuidForm     = lazyregexp.New(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
	actionBuild  = lazyregexp.New(`^[A-Za-z0-9][A-Za-z0-9_-]{1,254}:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
)

// Valid reports whether all names that are there are such as CodePipeline takes (AWS.md#pipeline-events).
// They go into calls.
func (a Action) Valid() bool {
	for _, name := range []string{a.Pipeline, a.Stage, a.Name} {
		if name != "" && !pipelineName.MatchString(name) {
			return false
		}
	}
	for _, id := range []string{a.Execution, a.Run} {
		if id != "" && !uuidForm.MatchString(id) {
			return false
		}
	}
	return true
}

// ID stands in the place of a build's id where there is no build: PIPELINE/EXECUTION/RUN.
func (a Action) ID() string { return a.Pipeline + "/" + a.Execution + "/" + a.Run }

// ParseActionID reads what [Action.ID] writes; ok is false for any other text, such as a build's id.
func ParseActionID(id string) (a Action, ok bool) {
	f := strings.Split(id, "/")
	if len(f) != 3 || !pipelineName.MatchString(f[0]) || !uuidForm.MatchString(f[1]) || !uuidForm.MatchString(f[2]) {
		return Action{}, false
	}
	return Action{Pipeline: f[0], Execution: f[1], Run: f[2]}, true
}

// ParseActionARN reads the ARN in the record of an action: where its pipeline is, and the action's id.
func ParseActionARN(s string) (at ARN, id string, ok bool) {
	at, ok = ParseARN(s)
	if !ok || at.Service != "codepipeline" {
		return ARN{}, "", false
	}
	_, ok = ParseActionID(at.Resource)
	return at, at.Resource, ok
}

// Key is what all runs of the action have in common within an execution.
func (a Action) Key() string {
	return strings.Join([]string{"action", a.Pipeline, a.Execution, a.Stage, a.Name}, " ")
}

// Repeats reports whether a is another run of the same action in the same execution.
func (a Action) Repeats(b Action) bool { return a.Key() == b.Key() && a.Run != b.Run }

// BuildOf is the id of the build or batch that an external execution id names; "" if it names none.
func BuildOf(external string) string {
	if !actionBuild.MatchString(external) {
		return ""
	}
	return external
}

// ActionRun is what CodePipeline's records say of one run of an action.
type ActionRun struct {
	Action
	Version  int32     // of the pipeline's definition
	Status   string    // see the constants; unknown values are kept
	Start    time.Time // zero if unknown
	Updated  time.Time // the last change; of a run that has ended, about its end
	Project  string    // that the action is set to; "" for other providers
	Branch   string    // that a source action is set to
	Built    string    // branch that a source action says it read
	External string    // PROJECT:UUID of the build or batch, or the ARN of a log stream
	LogARN   string
	Code     string // of the error
	Message  string // of the error, or else the summary
}

// The statuses of a run.
const (
	RunInProgress = "InProgress"
	RunSucceeded  = "Succeeded"
	RunFailed     = "Failed"
	RunAbandoned  = "Abandoned"
)

// Build is the record that stands for a run without a build, as one of the project. pipeline is the
// pipeline's ARN. It has no service role: what failed is the pipeline's own.
func (r ActionRun) Build(pipeline ARN, project string) Build {
	a := r.Action
	pipeline.Resource = a.ID()
	b := Build{ID: a.ID(), ARN: pipeline.String(), Project: project, Initiator: "codepipeline/" + a.Pipeline,
		SourceType: "CODEPIPELINE", Start: r.Start, Action: &a}
	switch r.Status {
	case RunFailed:
		b.Status, b.End = Failed, r.Updated
	case RunSucceeded:
		b.Status, b.End = Succeeded, r.Updated
	case RunInProgress:
		b.Status = InProgress
	default: // somebody stopped the execution
		b.Status, b.End = Stopped, r.Updated
	}
	if b.Status != Failed {
		return b
	}
	p := Phase{Type: PhaseStart, Status: Failed, Start: r.Start, End: r.Updated, Contexts: []Context{{Code: r.Code, Message: r.Message}}}
	if a.Provider == ProviderCommands {
		p.Type, p.Contexts = "BUILD", []Context{commandsContext(r)}
		b.Logs = logStream(r, pipeline)
	} else if c, ok := ParseRefusal(r.Message); ok {
		p.Contexts = []Context{c}
	}
	for i := range p.Contexts {
		p.Contexts[i].Message = Clip(p.Contexts[i].Message)
	}
	b.Phases = []Phase{p}
	return b
}

// refusal is how CodePipeline says that CodeBuild refused to start a build (AWS.md#refused-starts).
var refusal = lazyregexp.New(`^Error calling startBuild: ([^\r\n]+) \(Service: AWSCodeBuild; Status Code: [45][0-9]{2}; ` +
	`Error Code: ([A-Za-z]{1,80}); Request ID: [0-9A-Za-z-]{1,64}(?:; Proxy: null)?\)$`)

// ParseRefusal reads CodeBuild's answer out of what CodePipeline says of a start that was refused: the
// error's code and what stands between prefix and suffix. ok is false for any other text.
func ParseRefusal(message string) (c Context, ok bool) {
	m := refusal.FindStringSubmatch(strings.TrimSpace(message))
	if m == nil {
		return Context{}, false
	}
	return Context{Code: m[2], Message: m[1]}, true
}

// commandsFailed is how an action's summary gives the context of its failed phase
// (AWS.md#commands-actions).
var commandsFailed = lazyregexp.New(`(?s)^Action failed with status: [A-Z_]+\. ([A-Z_]{1,80}): (.+)$`)

func commandsContext(r ActionRun) Context {
	if m := commandsFailed.FindStringSubmatch(strings.TrimSpace(r.Message)); m != nil {
		return Context{Code: m[1], Message: m[2]}
	}
	return Context{Code: r.Code, Message: r.Message}
}

// logStream is where a Commands action printed. Only the pipeline's own log group is read, whatever the
// record names.
func logStream(r ActionRun, pipeline ARN) Logs {
	for _, s := range []string{r.LogARN, r.External} {
		a, ok := ParseARN(s)
		if !ok || a.Service != "logs" || a.Account != pipeline.Account || a.Region != pipeline.Region {
			continue
		}
		group := "/aws/codepipeline/" + r.Pipeline
		stream, ok := strings.CutPrefix(a.Resource, "log-group:"+group+":log-stream:")
		if ok && stream != "" && !strings.ContainsAny(stream, ":*") {
			return Logs{Group: group, Stream: stream}
		}
	}
	return Logs{}
}

// Execution is what records beside the build's own say of the execution of a pipeline that the build
// is of.
type Execution struct {
	Pipeline string
	ID       string `json:",omitempty"` // "" if it was not found
	// The run of the action that the build, or its batch, is of.
	Stage, Action, Run string `json:",omitempty"`
	// Unread says in a sentence why it is not known who may have started it; "" if it is known.
	Unread string `json:",omitempty"`
	// Unlisted: the settings do not list the pipeline for the project, so nothing was read.
	Unlisted bool `json:",omitempty"`
	// PullRequests: the pipeline's definition has a trigger that pull requests cause, or one of a kind
	// that is not known. Only then Sources are read.
	PullRequests bool   `json:",omitempty"`
	Trigger      string `json:",omitempty"` // what started it; "" if AWS does not say, or nobody asked
	By           string `json:",omitempty"` // more of that: who, or by what
	// Sources are what the pipeline read from repositories, in this execution.
	Sources []PipelineSource `json:",omitempty"`
}

// PipelineSource is a source of a pipeline in one execution.
type PipelineSource struct {
	Action string
	Branch string // that the action is set to
	Built  string // that the execution read; "" if no record says
}

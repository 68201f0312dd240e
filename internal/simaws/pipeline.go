package simaws

import (
	"slices"
	"time"
)

// pipeline is a CodePipeline pipeline. Its stages run one after the other, a
// stage's actions side by side. Each stage remembers its last run.
type pipeline struct {
	est    *estate
	name   string
	role   string // its own; "": starts of builds are not judged
	pulls  bool   // its definition has a trigger for pull requests
	stages []*stage

	executions map[string]*execution
	runs       []*actionRun // of all actions, the oldest first
}

type stage struct {
	name           string
	actions        []pipelineAction
	retryOnFailure bool // once, by itself (AWS.md#retry-of-a-stage)
	latest         *stageRun
	waiting        func() // enters the newest execution that waits for this stage
}

// pipelineAction is an action: a build, commands, or, without either, a source.
type pipelineAction struct {
	name, project string
	batch         bool   // of the project
	branch        string // that a source of a connection is set to
	refuses       *refuseFile
	commands      *commandsFile
}

// stageRun is one execution's way through one stage.
type stageRun struct {
	pipe      *pipeline
	at        int // index of the stage
	execution string
	commit    string // version that the source gave
	status    string // InProgress, Failed, Succeeded
	actions   []*actionRun
	retries   int // by hand
	own       int // by the pipeline itself
	trigger   string
}

// actionRun is one run of an action. A retry of the stage makes another one.
type actionRun struct {
	action pipelineAction
	stage  *stageRun
	id     string
	build  *build // nil for a source, and where none was started
	batch  *batch
	status string
	start  time.Time
	at     time.Time // of the last change
	// external, code and summary are what the action says of its end, beside the build's id.
	external, code, summary string
}

// execution is one way of a change through the pipeline.
type execution struct {
	version     string
	trigger, by string // what started it, and who
	branch      string // branch that the source of a connection read; "" is the version's
}

// Pipeline's statuses.
const (
	pipeRunning   = "InProgress"
	pipeFailed    = "Failed"
	pipeSucceeded = "Succeeded"
)

// start begins an execution at the first stage.
func (p *pipeline) start(x execution) string {
	id := p.est.sim.uuid("execution " + p.name)
	p.executions[id] = &x
	p.enter(0, id, x.version)
	return id
}

// enter has an execution enter a stage. A stage holds one execution at a
// time; of those that wait, the newest replaces the others.
func (p *pipeline) enter(i int, execution, version string) {
	if l := p.stages[i].latest; l != nil && l.status == pipeRunning {
		p.stages[i].waiting = func() { p.enter(i, execution, version) }
		return
	}
	run := &stageRun{pipe: p, at: i, execution: execution, commit: version, status: pipeRunning}
	p.stages[i].latest = run
	for _, a := range p.stages[i].actions {
		run.actions = append(run.actions, &actionRun{action: a, stage: run})
	}
	for _, ar := range run.actions {
		run.begin(ar)
	}
	run.settle()
}

// begin starts an action. A source is done at once.
func (run *stageRun) begin(ar *actionRun) {
	p, s := run.pipe, run.pipe.est.sim
	ar.id, ar.status, ar.start, ar.at = s.uuid("action "+p.name), pipeRunning, s.now, s.now
	p.runs = append(p.runs, ar)
	switch a := ar.action; {
	case a.commands != nil:
		ar.command()
	case a.project == "":
		ar.status = pipeSucceeded
	default:
		if err := ar.startable(); err != nil {
			ar.refused(err)
			return
		}
		of := p.est.project[a.project]
		artifact := "arn:" + p.est.acct.partition + ":s3:::codepipeline-" + p.est.region + "-artifacts/" + p.name +
			"/SourceArti/" + run.execution[:7]
		c, _ := of.resolve(run.commit)
		if a.batch {
			ar.batch = of.beginBatch(artifact, c, "codepipeline/"+p.name)
			ar.batch.run, ar.external = run, ar.batch.id()
			return
		}
		ar.build = of.begin(order{version: artifact, commit: c, initiator: "codepipeline/" + p.name, run: run})
		ar.external = ar.build.id()
	}
}

// buildEnded takes the end of one of the stage's builds.
func (run *stageRun) buildEnded(b *build) {
	for _, ar := range run.actions {
		if ar.build == b {
			ar.end(b.status)
		}
	}
	run.settle()
}

// batchEnded takes the end of one of the stage's batches.
func (run *stageRun) batchEnded(b *batch) {
	for _, ar := range run.actions {
		if ar.batch == b {
			ar.end(b.status)
		}
	}
	run.settle()
}

// settle ends the stage when all its actions have ended, and enters the next.
func (run *stageRun) settle() {
	worst := pipeSucceeded
	for _, ar := range run.actions {
		switch ar.status {
		case pipeRunning:
			return
		case pipeFailed:
			worst = pipeFailed
		}
	}
	run.status = worst
	st := run.pipe.stages[run.at]
	if worst == pipeFailed && st.retryOnFailure && run.own == 0 {
		run.own++
		run.again("AutomatedStageRetry", false)
		return
	}
	if next := run.at + 1; worst == pipeSucceeded && next < len(run.pipe.stages) {
		run.pipe.enter(next, run.execution, run.commit)
	}
	if enter := st.waiting; enter != nil {
		st.waiting = nil
		enter()
	}
}

// again starts the failed actions once more, or all of them.
func (run *stageRun) again(trigger string, all bool) {
	run.status, run.trigger = pipeRunning, trigger
	for i, ar := range run.actions {
		if all || ar.status == pipeFailed {
			run.actions[i] = &actionRun{action: ar.action, stage: run}
			run.begin(run.actions[i])
		}
	}
}

var pipelineOperations = map[string]operation{
	"GetPipeline":          jsonCall(false, getPipeline),
	"GetPipelineExecution": jsonCall(false, getPipelineExecution),
	"GetPipelineState":     jsonCall(false, getPipelineState),
	"ListActionExecutions": jsonCall(false, listActionExecutions),
	"RetryStageExecution":  jsonCall(true, retryStageExecution),
}

type pipelineNameInput struct {
	Name string `json:"name"`
}

type stageStateOut struct {
	StageName       string           `json:"stageName"`
	ActionStates    []actionStateOut `json:"actionStates"`
	LatestExecution *stageExecOut    `json:"latestExecution,omitempty"`
	RetryMetadata   *retryMetaOut    `json:"retryStageMetadata,omitempty"`
}

type stageExecOut struct {
	PipelineExecutionId string `json:"pipelineExecutionId"`
	Status              string `json:"status"`
}

type retryMetaOut struct {
	AutoStageRetryAttempt   int    `json:"autoStageRetryAttempt"`
	ManualStageRetryAttempt int    `json:"manualStageRetryAttempt"`
	LatestRetryTrigger      string `json:"latestRetryTrigger"`
}

type actionStateOut struct {
	ActionName      string         `json:"actionName"`
	LatestExecution *actionExecOut `json:"latestExecution,omitempty"`
}

type actionExecOut struct {
	ActionExecutionId   string        `json:"actionExecutionId"`
	Status              string        `json:"status"`
	LastStatusChange    epoch         `json:"lastStatusChange"`
	ExternalExecutionId string        `json:"externalExecutionId,omitempty"`
	Summary             string        `json:"summary,omitempty"`
	ErrorDetails        *errorDetails `json:"errorDetails,omitempty"`
}

func (r *request) pipelineARN(name string) string { return r.est.arn("codepipeline", name) }

func getPipelineState(r *request, in *pipelineNameInput) (any, error) {
	if err := r.authorize("codepipeline:GetPipelineState", r.pipelineARN(in.Name), nil); err != nil {
		return nil, err
	}
	p, ok := r.est.pipes[in.Name]
	if !ok {
		return nil, noPipeline(in.Name)
	}
	stages := []stageStateOut{}
	for _, st := range p.stages {
		stages = append(stages, st.out())
	}
	return map[string]any{"pipelineName": p.name, "pipelineVersion": 1, "stageStates": stages}, nil
}

func noPipeline(name string) error {
	return fail("PipelineNotFoundException", "Account does not have a pipeline with name '"+name+"'")
}

func (st *stage) out() stageStateOut {
	o := stageStateOut{StageName: st.name, ActionStates: []actionStateOut{}}
	for i, a := range st.actions {
		as := actionStateOut{ActionName: a.name}
		if st.latest != nil {
			ar := st.latest.actions[i]
			as.LatestExecution = &actionExecOut{ActionExecutionId: ar.id, Status: ar.status, LastStatusChange: epoch(ar.at),
				ExternalExecutionId: ar.external, Summary: ar.summary, ErrorDetails: ar.errorDetails()}
		}
		o.ActionStates = append(o.ActionStates, as)
	}
	if st.latest != nil {
		o.LatestExecution = &stageExecOut{st.latest.execution, st.latest.status}
		if l := st.latest; l.trigger != "" {
			o.RetryMetadata = &retryMetaOut{l.own, l.retries, l.trigger}
		}
	}
	return o
}

type retryStageInput struct {
	PipelineName        string `json:"pipelineName"`
	StageName           string `json:"stageName"`
	PipelineExecutionId string `json:"pipelineExecutionId"`
	RetryMode           string `json:"retryMode"`
}

// retryStageExecution starts the failed actions of a stage again, or all
// (AWS.md#retry-of-a-stage).
func retryStageExecution(r *request, in *retryStageInput) (any, error) {
	arn := r.pipelineARN(in.PipelineName) + "/" + in.StageName
	if err := r.authorize("codepipeline:RetryStageExecution", arn, nil); err != nil {
		return nil, err
	}
	p, ok := r.est.pipes[in.PipelineName]
	if !ok {
		return nil, noPipeline(in.PipelineName)
	}
	i := slices.IndexFunc(p.stages, func(st *stage) bool { return st.name == in.StageName })
	if i < 0 {
		return nil, fail("StageNotFoundException", "Stage '"+in.StageName+"' was not found in pipeline '"+p.name+"'")
	}
	run := p.stages[i].latest
	switch {
	case in.RetryMode != "FAILED_ACTIONS" && in.RetryMode != "ALL_ACTIONS":
		return nil, fail("ValidationException", "Invalid retryMode: "+in.RetryMode)
	case run == nil || run.execution != in.PipelineExecutionId:
		return nil, fail("NotLatestPipelineExecutionException",
			"The pipeline execution "+in.PipelineExecutionId+" is not the latest in stage "+in.StageName)
	}
	all := in.RetryMode == "ALL_ACTIONS"
	if err := run.retryable(all); err != nil {
		return nil, err
	}
	run.retries++
	run.again("ManualStageRetry", all)
	r.about = run.execution
	return map[string]any{"pipelineExecutionId": run.execution}, nil
}

// retryable: there must be failed actions, and, to retry all, none in
// progress.
func (run *stageRun) retryable(all bool) error {
	has := func(status string) bool {
		return slices.ContainsFunc(run.actions, func(ar *actionRun) bool { return ar.status == status })
	}
	switch {
	case !has(pipeFailed):
		return fail("StageNotRetryableException", "Unable to retry: the stage has no failed actions")
	case all && has(pipeRunning):
		return fail("StageNotRetryableException", "Unable to retry: the stage has actions in progress")
	}
	return nil
}

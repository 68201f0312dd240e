package simaws

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// end ends the run as its build or batch did.
func (ar *actionRun) end(status string) {
	ar.status, ar.at = pipeSucceeded, ar.stage.pipe.est.sim.now
	if status != succeeded {
		ar.status, ar.code, ar.summary = pipeFailed, "JobFailed", "Build terminated with state: "+status
	}
	ar.announce()
}

// startable refuses to start the build as CodeBuild would (AWS.md#refused-starts).
func (ar *actionRun) startable() error {
	p, a := ar.stage.pipe, ar.action
	s := p.est.sim
	if r := a.refuses; r != nil {
		if n := s.nth("refuses " + p.name + " " + a.name); r.Times == 0 || n <= r.Times {
			return fail(r.Code, r.Says)
		}
	}
	arn := p.est.arn("codebuild", "project/"+a.project)
	if p.role != "" {
		action := "codebuild:StartBuild"
		if a.batch {
			action += "Batch"
		}
		who := p.est.acct.session(p.role, s.uuid("session "+p.name))
		q := question{who: who, action: action, resource: arn, region: p.est.region}
		if rule := s.judge(q); !rule.allowed {
			return fail("AccessDeniedException", q.message(rule.deny))
		}
	}
	of, ok := p.est.project[a.project]
	if !ok {
		return fail("ResourceNotFoundException", "Project cannot be found: "+arn)
	}
	return of.room(of.environmentOut())
}

// refused ends a run for which no build was started.
func (ar *actionRun) refused(err error) {
	var e *apiError
	if !errors.As(err, &e) {
		panic("simaws: a start was refused without a code: " + err.Error())
	}
	s := ar.stage.pipe.est.sim
	ar.code = "JobFailed"
	ar.summary = fmt.Sprintf("Error calling startBuild: %s (Service: AWSCodeBuild; Status Code: 400; Error Code: %s; Request ID: %s; "+
		"Proxy: null)", e.Message, e.Code, s.uuid("request "+ar.id))
	s.after(time.Second, func() {
		ar.status, ar.at = pipeFailed, s.now
		ar.announce()
		ar.stage.settle()
	})
}

// commandTime is how long a Commands action takes.
const commandTime = 20 * time.Second

// command runs the action's commands, on compute of the pipeline's own (AWS.md#commands-actions).
func (ar *actionRun) command() {
	p, c := ar.stage.pipe, ar.action.commands
	s := p.est.sim
	group, name := "/aws/codepipeline/"+p.name, ar.stage.execution+"/"+ar.id
	st := p.est.stream(group, name)
	ar.external = p.est.streamARN(group, name)
	s.after(commandTime, func() {
		at := s.now
		say := func(text string) {
			at = at.Add(13 * time.Microsecond)
			st.events = append(st.events, logEvent{at, text + "\n"})
		}
		agent := func(text string) { say(at.Format("[Container] 2006/01/02 15:04:05.000000 ") + text) }
		agent("Entering phase BUILD")
		agent("Running command " + c.Run)
		say(c.Prints)
		n := s.nth("commands " + p.name + " " + ar.action.name)
		ar.status, ar.at = pipeSucceeded, s.now
		if exit := cmp.Or(c.Exit, 1); c.Times == 0 || n <= c.Times {
			agent("Command did not exit successfully " + c.Run + " exit status " + itoa(exit))
			says := "Error while executing command: " + c.Run + ". Reason: exit status " + itoa(exit)
			agent("Phase complete: BUILD State: FAILED")
			agent("Phase context status code: COMMAND_EXECUTION_ERROR Message: " + says)
			ar.status, ar.code = pipeFailed, "JobFailed"
			ar.summary = "Action failed with status: FAILED. COMMAND_EXECUTION_ERROR: " + says
		}
		ar.announce()
		ar.stage.settle()
	})
}

// provider and category of the action, as AWS names them.
func (a pipelineAction) provider() (provider, category string) {
	switch {
	case a.commands != nil:
		return "Commands", "Compute"
	case a.project != "":
		return "CodeBuild", "Build"
	}
	return "CodeStarSourceConnection", "Source"
}

// announce sends the run's end to EventBridge, and on to the failures' queue if it failed: the rule is
// about that alone. CodePipeline promises that an event comes at least once (AWS.md#pipeline-events),
// so that trouble only doubles and delays it.
func (ar *actionRun) announce() {
	if ar.status != pipeFailed {
		return
	}
	p := ar.stage.pipe
	s := p.est.sim
	provider, category := ar.action.provider()
	result := map[string]any{"external-execution-summary": ar.summary, "error-code": ar.code}
	if ar.external != "" {
		result["external-execution-id"] = ar.external
	}
	ev := map[string]any{
		"version": "0", "id": s.uuid("event " + ar.id), "detail-type": "CodePipeline Action Execution State Change",
		"source": "aws.codepipeline", "account": p.est.acct.id, "time": s.now.Format(time.RFC3339), "region": p.est.region,
		"resources": []string{p.est.arn("codepipeline", p.name)},
		"detail": map[string]any{
			"pipeline": p.name, "execution-id": ar.stage.execution, "start-time": ar.start.Format(time.RFC3339),
			"stage": p.stages[ar.stage.at].name, "action-execution-id": ar.id, "action": ar.action.name, "state": "FAILED",
			"region": p.est.region, "type": map[string]any{"owner": "AWS", "provider": provider, "category": category, "version": "1"},
			"version": float(1), "pipeline-execution-attempt": float(1 + ar.stage.retries), "execution-result": result,
		},
	}
	text, err := json.Marshal(ev)
	if err != nil {
		panic("simaws: encoding an event: " + err.Error()) // only plain values in it
	}
	s.after(2*eventTime, func() { s.deliverSurely(Queue, "action "+ar.id, string(text)) })
}

// deliverSurely puts an event into a home queue that is promised at least once.
func (s *Sim) deliverSurely(to, what, text string) {
	drop := s.cfg.Trouble.DropEvents
	s.cfg.Trouble.DropEvents = 0
	s.deliver(to, what, text)
	s.cfg.Trouble.DropEvents = drop
}

type errorDetails struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

func (ar *actionRun) errorDetails() *errorDetails {
	if ar.code == "" || ar.status != pipeFailed {
		return nil
	}
	return &errorDetails{ar.code, ar.summary}
}

type getPipelineInput struct {
	Name    string `json:"name"`
	Version *int   `json:"version"`
}

func getPipeline(r *request, in *getPipelineInput) (any, error) {
	if err := r.authorize("codepipeline:GetPipeline", r.pipelineARN(in.Name), nil); err != nil {
		return nil, err
	}
	p, ok := r.est.pipes[in.Name]
	if !ok {
		return nil, noPipeline(in.Name)
	}
	if in.Version != nil && *in.Version != 1 {
		return nil, fail("PipelineVersionNotFoundException", fmt.Sprintf("Pipeline '%s' has no version %d", in.Name, *in.Version))
	}
	stages := []any{}
	for _, st := range p.stages {
		actions := []any{}
		for _, a := range st.actions {
			provider, category := a.provider()
			actions = append(actions, map[string]any{"name": a.name, "configuration": a.configuration(),
				"actionTypeId": map[string]any{"owner": "AWS", "category": category, "provider": provider, "version": "1"}})
		}
		stages = append(stages, map[string]any{"name": st.name, "actions": actions})
	}
	def := map[string]any{"name": p.name, "version": 1, "pipelineType": "V2", "executionMode": "SUPERSEDED",
		"roleArn": r.est.acct.arn("iam", "", "role/"+orText(p.role, "pipeline")), "stages": stages}
	if p.pulls {
		def["triggers"] = []any{map[string]any{"providerType": "CodeStarSourceConnection", "gitConfiguration": map[string]any{
			"sourceActionName": p.stages[0].actions[0].name,
			"pullRequest":      []any{map[string]any{"events": []string{"OPEN", "UPDATED"}}},
			"push":             []any{map[string]any{"branches": map[string]any{"includes": []string{"main"}}}}}}}
	}
	return map[string]any{"pipeline": def, "metadata": map[string]any{"pipelineArn": r.pipelineARN(p.name),
		"updated": epoch(r.sim.cfg.Start.Add(-24 * time.Hour))}}, nil
}

// configuration of the action, as far as it matters to whoever reads it.
func (a pipelineAction) configuration() map[string]string {
	switch {
	case a.project != "" && a.batch:
		return map[string]string{"ProjectName": a.project, "BatchEnabled": "true"}
	case a.project != "":
		return map[string]string{"ProjectName": a.project}
	case a.branch != "":
		return map[string]string{"BranchName": a.branch}
	}
	return map[string]string{}
}

type getPipelineExecutionInput struct {
	PipelineName        string `json:"pipelineName"`
	PipelineExecutionId string `json:"pipelineExecutionId"`
}

func getPipelineExecution(r *request, in *getPipelineExecutionInput) (any, error) {
	if err := r.authorize("codepipeline:GetPipelineExecution", r.pipelineARN(in.PipelineName), nil); err != nil {
		return nil, err
	}
	p, ok := r.est.pipes[in.PipelineName]
	if !ok {
		return nil, noPipeline(in.PipelineName)
	}
	x, ok := p.executions[in.PipelineExecutionId]
	if !ok {
		return nil, fail("PipelineExecutionNotFoundException", "No pipeline execution "+in.PipelineExecutionId)
	}
	r.about = in.PipelineExecutionId
	// No member says that it was a pull request (AWS.md#what-started-a-pipeline).
	return map[string]any{"pipelineExecution": map[string]any{"pipelineName": p.name, "pipelineVersion": 1,
		"pipelineExecutionId": in.PipelineExecutionId, "executionMode": "SUPERSEDED", "executionType": "STANDARD",
		"trigger": map[string]any{"triggerType": x.trigger, "triggerDetail": x.by}}}, nil
}

type listActionsInput struct {
	PipelineName string `json:"pipelineName"`
	Filter       struct {
		PipelineExecutionId string `json:"pipelineExecutionId"`
	} `json:"filter"`
	MaxResults int    `json:"maxResults"`
	NextToken  string `json:"nextToken"`
}

// listActionExecutions lists the runs of actions, the newest first.
func listActionExecutions(r *request, in *listActionsInput) (any, error) {
	if err := r.authorize("codepipeline:ListActionExecutions", r.pipelineARN(in.PipelineName), nil); err != nil {
		return nil, err
	}
	p, ok := r.est.pipes[in.PipelineName]
	if !ok {
		return nil, noPipeline(in.PipelineName)
	}
	r.about = in.Filter.PipelineExecutionId
	var all []*actionRun
	for _, ar := range slices.Backward(p.runs) {
		if of := in.Filter.PipelineExecutionId; of == "" || of == ar.stage.execution {
			all = append(all, ar)
		}
	}
	from, size := 0, cmp.Or(in.MaxResults, 100)
	if in.NextToken != "" {
		if _, err := fmt.Sscanf(in.NextToken, "after %d", &from); err != nil || from > len(all) {
			return nil, fail("InvalidNextTokenException", "The next token was specified in an invalid format")
		}
	}
	out := []any{}
	for _, ar := range all[from:min(from+size, len(all))] {
		out = append(out, ar.detail())
	}
	answer := map[string]any{"actionExecutionDetails": out}
	if next := from + size; next < len(all) {
		answer["nextToken"] = fmt.Sprintf("after %d", next)
	}
	return answer, nil
}

func (ar *actionRun) detail() map[string]any {
	p, a := ar.stage.pipe, ar.action
	provider, category := a.provider()
	output := map[string]any{}
	result := map[string]any{}
	if ar.external != "" {
		result["externalExecutionId"] = ar.external
	}
	if ar.summary != "" && ar.status == pipeFailed {
		result["externalExecutionSummary"], result["errorDetails"] = ar.summary, ar.errorDetails()
	}
	if a.commands != nil {
		result["logStreamARN"] = ar.external
	}
	output["executionResult"] = result
	if a.branch != "" {
		x := p.executions[ar.stage.execution]
		output["outputVariables"] = map[string]string{"BranchName": orText(x.branch, a.branch),
			"CommitId": p.est.sim.commitOf(p.name + " " + x.version)}
	}
	return map[string]any{"pipelineExecutionId": ar.stage.execution, "actionExecutionId": ar.id, "pipelineVersion": 1,
		"stageName": p.stages[ar.stage.at].name, "actionName": a.name, "startTime": epoch(ar.start), "lastUpdateTime": epoch(ar.at),
		"status": ar.status, "output": output,
		"input": map[string]any{"configuration": a.configuration(), "region": p.est.region,
			"actionTypeId": map[string]any{"owner": "AWS", "category": category, "provider": provider, "version": "1"}}}
}

// commitOf is a commit's id that belongs to the words.
func (s *Sim) commitOf(words string) string {
	d := s.digest("commit", words)
	return fmt.Sprintf("%x", d[:20])
}

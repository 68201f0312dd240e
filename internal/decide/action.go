package decide

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/buildmedic/buildmedic/internal/diagnose"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/iampolicy"
)

// queuePauses are how long a build waits, from round to round, that CodeBuild refused to start since its queue
// was full: two thirds of a day in all. Each refusal shows that the queue is still full, so the pauses grow.
var queuePauses = []time.Duration{10 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 4 * time.Hour, 8 * time.Hour}

// ofAction decides about an action of a pipeline that failed without a build. What it lacks is lacking to the
// pipeline's own role, which is never changed: its stage may be run again, and nothing else is done.
func ofAction(f Facts, d Decision) Decision {
	switch {
	case d.Remedy == diagnose.Ignore:
		d.Why = "There is nothing to do."
		return d
	case d.Remedy == diagnose.Retry && f.Diagnosis.Cause == diagnose.StartQueueFull:
		return retryStart(f, d)
	case d.Remedy == diagnose.Retry:
		if d = retry(f, d); d.Plan != nil {
			d.Why = "Failures like this pass: the stage is retried, unchanged."
		}
		return d
	}
	wanted := d.Remedy
	d.Remedy = diagnose.Report
	if den := f.Causal(); len(den) > 0 || wanted != diagnose.Report {
		no := guardrail.Refusal{Rule: guardrail.OtherPrincipal, Message: "The action runs as a role of the pipeline's own, " +
			"which is no project's and is never changed. Give it what it needs by hand."}
		if len(den) > 0 {
			no.Action, no.Resource = den[0].Action, den[0].Resource
		}
		if f.Diagnosis.Cause == diagnose.StartPipelineRole {
			no = pipelineRole(f)
		}
		return Refuse(d, "The failure is explained, and nothing is granted.", no)
	}
	d.Why = "Only a person can cure this."
	return d
}

// pipelineRole says what a person can add to the pipeline's role.
func pipelineRole(f Facts) guardrail.Refusal {
	role, account := f.Diagnosis.Details["role"], f.Diagnosis.Details["account"]
	action, project := f.Diagnosis.Details["call"], f.Diagnosis.Details["project"]
	may := []string{"codebuild:BatchGetBuilds", action}
	if strings.HasSuffix(action, "Batch") { // it starts the batch's builds, too
		may = []string{"codebuild:BatchGetBuildBatches", "codebuild:BatchGetBuilds", "codebuild:StartBuild", action}
	}
	statement, _ := json.Marshal(iampolicy.Allow("StartBuilds", may, []string{project})) // plain texts
	return guardrail.Refusal{Rule: guardrail.OtherPrincipal, Action: action, Resource: project, Message: fmt.Sprintf("Role %s of "+
		"account %s is the pipeline's own, not a build's, and is never changed. A person can add this to its policy: %s",
		role, account, statement)}
}

// retryStart has a stage run again of which a build could not be started, once there may be room in the queue.
// Rounds that were refused in the same way started no build, so they are not counted as starts: how many
// pauses there are bounds them.
func retryStart(f Facts, d Decision) Decision {
	refused := func(r Round) bool {
		return r.Build.Action != nil && r.Diagnosis != nil && r.Diagnosis.Cause == diagnose.StartQueueFull
	}
	n := 0
	for _, r := range f.Earlier {
		if refused(r) && !r.RetryAt.IsZero() {
			n++
		}
	}
	g := f
	g.Earlier = slices.DeleteFunc(slices.Clone(f.Earlier), refused)
	if rs := limits(g, false); len(rs) > 0 {
		return overBudget(f, d, rs)
	}
	if n >= len(queuePauses) {
		return Refuse(d, "The queue stayed full.", guardrail.Refusal{Rule: guardrail.RoundsUsedUp, Message: fmt.Sprintf(
			"CodeBuild refused this start %d times, over most of a day. Raise the quota of builds at once for the environment that the "+
				"project has, then retry the stage by hand.", n+1)})
	}
	d.Plan = newPlan(f, diagnose.Retry)
	d.Plan.Settle = queuePauses[n]
	d.Why = "CodeBuild's queue was full. The stage is retried once there may be room, and with longer pauses, over most of a day, if " +
		"that is refused as well."
	return noRoute(d)
}

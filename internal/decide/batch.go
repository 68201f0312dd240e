package decide

import (
	"fmt"

	"github.com/buildmedic/buildmedic/internal/diagnose"
	"github.com/buildmedic/buildmedic/internal/guardrail"
)

// ofBatch is for a denial that failed a batch itself, and none of its builds. It works with a role of its
// own, which starts builds: neither that one nor the builds' is ever given what it lacks, since a build
// that may start builds gets around the batch's restrictions (AWS.md#retry-of-a-batch).
func ofBatch(f Facts, d Decision) Decision {
	d.Remedy = diagnose.Report
	role := "buildBatchConfig.serviceRole of the project"
	if r, ok := f.Build.Role(); ok {
		role = fmt.Sprintf("%s, buildBatchConfig.serviceRole of the project", r.PathName())
	}
	no := guardrail.Refusal{Rule: guardrail.NotTheRole, Message: fmt.Sprintf("The batch itself was denied this, and none of its "+
		"builds: it works with a role of its own (%s), which Buildmedic does not change. Give it the permission by hand, "+
		"then replay the failure. The role of the builds should not have it.", role)}
	if cs := f.Causal(); len(cs) > 0 {
		no.Action, no.Resource = cs[0].Action, cs[0].Resource
	}
	return Refuse(d, "The denial is explained, and nothing is granted.", no)
}

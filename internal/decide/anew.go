package decide

import (
	"fmt"
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/diagnose"
	"github.com/buildmedic/buildmedic/internal/guardrail"
)

// StartsAnew reports whether what may be decided starts a new build of the
// project, which has only what it is given, in the place of a retry.
func StartsAnew(f Facts) bool {
	if r := route(f); r != RouteBuild && r != RouteCodeBuild {
		return false
	}
	switch f.Diagnosis.Remedy {
	case diagnose.OverrideBuildspec:
		return len(f.Project.Buildspecs) > 0
	case diagnose.Grant:
		return f.Project.SwitchRole != ""
	}
	return false
}

// unrepeatable refuses to start a build that would not be what the failed one
// was, other than in the settings that the plan looks after itself.
func unrepeatable(f Facts, except ...string) *guardrail.Refusal {
	names := slices.DeleteFunc(slices.Clone(f.Unrepeatable), func(n string) bool { return slices.Contains(except, n) })
	if len(names) == 0 {
		return nil
	}
	return &guardrail.Refusal{Rule: guardrail.NotRepeatable, Message: fmt.Sprintf(
		"The build was started with settings other than its project has now, and these are never repeated: %s. "+
			"Start the build by hand with what it overrode, or give the project the same.", strings.Join(names, ", "))}
}

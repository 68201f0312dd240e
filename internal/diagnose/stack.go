package diagnose

import (
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
)

// stackCauses are the causes that a log has in common with all failures of a stack, and those that
// say nothing: behind each may be a stack whose events say more.
var stackCauses = []string{"stack-create-failed", "nested-stack-failed"}

func stackCause(cause string) bool { return slices.Contains(stackCauses, cause) || Unexplained(cause) }

// WantsStack reports whether the log leaves open why a stack failed, if one did: it has no cause of
// its own, and nobody was denied anything.
func (d Diagnosis) WantsStack() bool {
	return stackCause(d.Cause) &&
		!slices.ContainsFunc(d.Denials, func(n buildlog.Denial) bool { return n.Causal })
}

// FromStack gives the diagnosis with what the event of a stack says in the place of what the log left
// open. If the event names no cause that is known either, the cause stays, and the event is its
// evidence. What the log shows besides stays, too.
func (d Diagnosis) FromStack(f buildlog.Failure, e buildlog.StackEvent, own ...Cause) Diagnosis {
	s := Diagnose(buildlog.OfStack(f, e), own...)
	if stackCause(s.Cause) && s.Cause != "nested-stack-failed" {
		general := Diagnose(buildlog.Failure{Build: f.Build, Tail: []buildlog.Line{{N: 1, Text: "CREATE_FAILED"}}})
		s.Cause, s.Title, s.Advice, s.Remedy, s.Retryable = general.Cause, general.Title, "", general.Remedy, general.Retryable
	}
	s.Evidence.Line, s.Evidence.Origin = 0, buildlog.FromStack
	s.Evidence.Text = printable(codebuild.Cut(e.Line(), maxLineBytes))
	for i := range s.Denials {
		s.Denials[i].Line, s.Denials[i].Origin = 0, buildlog.FromStack
	}
	s.Advice = strings.TrimSpace(printable("The events of the stack "+e.Name()+" say that "+e.Resource+" ("+e.Type+
		") failed first. ") + s.Advice)
	s.Denials = append(s.Denials, d.Denials...)
	s.Excerpt, s.Also, s.Dropped = d.Excerpt, d.Also, d.Dropped
	return s
}

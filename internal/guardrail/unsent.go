package guardrail

import (
	"maps"

	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// Unkeyed are [Questions] of the same input about requests that do not say of which build they
// are: with the answers it is known what only a scope keeps from being allowed.
func Unkeyed(in Input) (qs []Question) {
	for _, q := range Questions(in) {
		q.Context = maps.Clone(q.Context)
		delete(q.Context, settings.ProjectKey)
		delete(q.Context, settings.BuildKey)
		qs = append(qs, q)
	}
	return qs
}

// Unsent gives the first call that the simulator allows as the build's own, and not without
// [settings.ProjectKey]; ok is false if there is none. The answers are to [Questions] and
// [Unkeyed].
func Unsent(in Input, unkeyed []Answer) (q Question, ok bool) {
	qs := Questions(in)
	if !answered(in, qs) || len(unkeyed) != len(qs) {
		return q, false
	}
	for i, a := range unkeyed {
		if in.Before[i].Verdict == iampolicy.Allowed && a.Verdict == iampolicy.ImplicitDeny {
			return qs[i], true
		}
	}
	return q, false
}

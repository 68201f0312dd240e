package decide

import (
	"fmt"
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// Unkeyed are what the simulator must be asked besides, once it allows all that was denied: whether
// only what is scoped to the project allows it. It is asked only if the case gave such a grant for
// the same denial.
func (f Facts) Unkeyed() []guardrail.Question {
	if len(f.scopedIn(lastWrite(f.Earlier, sameAgain(f)))) == 0 {
		return nil
	}
	return guardrail.Unkeyed(f.Judged())
}

// scopedIn are the grants that the round used and that are scoped to the project.
func (f Facts) scopedIn(round int) (ids []string) {
	if round < 0 || f.Earlier[round].Decision == nil {
		return nil
	}
	for _, id := range idsOf(f.Earlier[round].Decision.Used) {
		if g, ok := f.Settings.Grant(id); ok && g.Scoped() {
			ids = append(ids, id)
		}
	}
	return ids
}

// undoUnsent undoes a round whose grant did not help although the simulator says that the role may
// do it. If it says so only of requests that name the build's project, that is what may be missing
// from the request: AWS does not say for which services it is there (AWS.md#build-keys).
func undoUnsent(f Facts, d Decision, round int) Decision {
	d = undo(d, round)
	q, ok := guardrail.Unsent(f.Judged(), f.AnswersUnkeyed)
	ids := f.scopedIn(round)
	if !ok || len(ids) == 0 {
		return d
	}
	service, _, _ := strings.Cut(q.Action, ":")
	d.Unsent = &Unsent{Service: service, Action: q.Action, Grants: ids}
	d.Why = fmt.Sprintf("%s may not send %s: IAM's simulator allows %s to requests that name this project by that key, "+
		"and AWS denied it again.", service, settings.ProjectKey, q.Action)
	if f.Project.Offers(f.Settings, ids) {
		return d
	}
	entry := "grants:\n"
	for _, id := range ids {
		entry += fmt.Sprintf("  - id: %s\n    unscoped: approve\n", id)
	}
	d.Refusals = append(d.Refusals, guardrail.Refusal{Rule: guardrail.KeyNotSent, Action: q.Action, Resource: q.Resource,
		Message: "The settings give it to builds of this project only. With unscoped: approve it is offered for everybody who " +
			"runs as the role, for a person to approve; with scope: role it is given so.", Entry: entry})
	return d
}

// Offered is what the case offers for the whole role: of which service, and of which grants, since
// it was found that the service may not send the key; nil if nothing is.
func Offered(s *settings.Settings, p settings.Project, earlier []Round) *Unsent {
	for _, r := range slices.Backward(earlier) {
		if r.Decision != nil && r.Decision.Unsent != nil {
			if u := *r.Decision.Unsent; p.Offers(s, u.Grants) {
				return &u
			}
			return nil
		}
	}
	return nil
}

// beyondScope are the used grants of which something is given to the whole role only because
// Offered says so.
func beyondScope(f Facts, j guardrail.Judgement) (ids []string) {
	if f.Offered == nil || j.Scoped() {
		return nil
	}
	for _, id := range idsOf(j.Used) {
		if slices.Contains(f.Offered.Grants, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

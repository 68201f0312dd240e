package heal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/iampolicy"
)

// Where the settings name the code that shall give for good what is written in IAM, the change is a
// bridge: once its build is green, a pull request asks for the same there, and once the role has it
// from elsewhere, the healer's own statements are taken out again.

// bridge is a change in IAM that stands until code gives the same.
type bridge struct {
	decide.Case
	round int
}

// askForGood asks in code for what the case's changes give. What the code host does not take now the
// sweep asks for later: a healed build does not wait for it.
func (h *Healer) askForGood(ctx context.Context, c *held) error {
	for i := range c.Rounds {
		r := &c.Rounds[i]
		if !r.Bridges() || r.Requested() {
			continue
		}
		r.Requests = slices.Clone(r.Decision.Plan.Requests)
		for j, q := range r.Requests {
			if _, _, err := h.joinRequest(ctx, c, q); err != nil { // from here on the sweep knows of it
				return err
			}
			got, err := h.askFor(ctx, c, q)
			if err != nil {
				h.Log.WarnContext(ctx, "what is to be permanent is asked for later", "case", c.ID, "grant", q.Grant, "error", err.Error())
				continue
			}
			r.Requests[j] = got
		}
	}
	return nil
}

// bridgesOf gives the changes that stand until the request's file is deployed, the newest case first.
func (h *Healer) bridgesOf(ctx context.Context, a asked) (out []bridge, err error) {
	for _, id := range slices.Backward(a.Cases) {
		c, err := h.Case(ctx, id)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for i, r := range c.Rounds {
			if r.Bridges() && r.AsksFrom(a.Request.Branch) {
				out = append(out, bridge{c, i})
			}
		}
	}
	return out, nil
}

// lookedFromBridges does what follows from how it stands with a request for the changes that stand
// until it is deployed.
func (h *Healer) lookedFromBridges(ctx context.Context, a asked, bridges []bridge) error {
	q, newest := a.Request, bridges[0].Case
	switch q.State {
	case decide.RequestLanded:
		var errs []error
		for _, b := range bridges {
			errs = append(errs, h.takeOut(ctx, a, b))
		}
		return errors.Join(errs...)
	case decide.RequestDeclined:
		return h.say(ctx, a, newest, string(q.State), fmt.Sprintf("%s was closed unmerged, so what was given stays a change of "+
			"the healer's own in IAM, and is not asked for again until the grant changes. {\"undo\":{\"case\":%q}} takes it back.",
			q.Name(), newest.ID))
	case decide.RequestEdited:
		return h.say(ctx, a, newest, string(q.State), editedNote(q))
	case decide.RequestBehind:
		return h.say(ctx, a, newest, string(q.State), behindNote(q))
	}
	return nil
}

// takeOut takes a change out of IAM if the role has it from elsewhere.
func (h *Healer) takeOut(ctx context.Context, a asked, b bridge) error {
	c, err := h.open(ctx, b.ID)
	if err != nil || c == nil || b.round >= len(c.Rounds) || c.Closed.IsZero() { // an open case may be changing the same
		return err
	}
	if r := &c.Rounds[b.round]; !r.Bridges() || !r.AsksFrom(a.Request.Branch) {
		return nil
	}
	if all, err := h.allLanded(ctx, c.Rounds[b.round].Decision.Plan.Requests); err != nil || !all {
		return err
	}
	if err := h.lock(ctx, c); err != nil {
		return err
	}
	note, done, err := h.takeOutOf(ctx, c, b.round)
	wrote := h.Clock.Now()
	if err == nil && !done {
		wrote = time.Time{}
	}
	if rerr := h.release(ctx, c, wrote); err == nil {
		err = rerr
	}
	if errors.Is(err, ErrDenied) || errors.Is(err, ErrFinal) {
		note, err = fmt.Sprintf("The code has by now what case %s had given, and whether that can be taken out cannot be seen: %s.",
			c.ID, err), nil
	}
	if err != nil || !done {
		if serr := h.save(ctx, c, true); err == nil {
			err = serr
		}
		if err == nil && note != "" {
			err = h.say(ctx, a, b.Case, strings.ReplaceAll(note, c.ID, ""), note)
		}
		return err
	}
	r := &c.Rounds[b.round]
	r.Undone, r.Permanent = h.Clock.Now(), true
	r.Found(a.Request)
	c.tell(r.Undone, decide.MadePermanent, "")
	c.Outbox[len(c.Outbox)-1].Round = b.round
	if err := h.save(ctx, c, false); err != nil {
		return err
	}
	return h.flush(ctx, c)
}

// allLanded reports whether all of the requests have landed, as they were found last.
func (h *Healer) allLanded(ctx context.Context, qs []decide.Request) (bool, error) {
	for _, q := range qs {
		_, a, err := h.readAsked(ctx, q.Branch)
		if err != nil || a.Request.State != decide.RequestLanded {
			return false, err
		}
	}
	return true, nil
}

// takeOutOf takes a round's change out of IAM, under the lease, if the role has it from elsewhere. note
// says why that cannot be done; "" with done false if it is not deployed yet.
func (h *Healer) takeOutOf(ctx context.Context, c *held, i int) (note string, done bool, err error) {
	r := &c.Rounds[i]
	plan := r.Decision.Plan
	t, role := *plan.Write, plan.Changes()
	if err := h.acquireOn(ctx, c, leaseOf(*plan)); err != nil {
		return "", false, err
	}
	p, _ := h.Settings.Project(c.Project, c.Account, c.Region, h.Home)
	state, err := h.Roles.Role(ctx, c.at(), role, p.ForRole(role.Name).Write)
	if err != nil {
		return "", false, aboutRole("reading", role, err)
	}
	doc, version, err := h.Policies.Current(ctx, c.at(), role, t)
	if err != nil {
		return "", false, err
	}
	next, gone := guardrail.Target{}, doc == ""
	if t.Kind != guardrail.Attach {
		var ok bool
		if next, ok = t.Without(doc); !ok {
			return fmt.Sprintf("The code gives the role by now what case %s had given, and somebody has changed the policy %s since, "+
				"so the healer's own statements are left as they are. Take them out by hand.", c.ID, t.Name), false, nil
		}
		gone = next.Before == next.After
	}
	var boundary *string
	if state.Boundary != nil {
		boundary = &state.Boundary.Document
	}
	others := guardrail.OtherDocuments(state, t, next.Before)
	answers, err := h.Documents.SimulateDocuments(ctx, c.at(), role, others, boundary, plan.Proof)
	if err != nil {
		return "", false, fmt.Errorf("simulating the role without what was given: %w", err)
	}
	// What was denied may be allowed, and not yet all that was given for it.
	inFull := gone || t.GaveWithin(state, others)
	if !inFull || len(answers) != len(plan.Proof) || slices.ContainsFunc(answers, func(a guardrail.Answer) bool {
		return a.Verdict != iampolicy.Allowed
	}) {
		return h.onlyHere(ctx, c, *r)
	}
	switch {
	case gone:
		return "", true, nil
	case t.Kind == guardrail.Managed &&
		(version != r.WrittenVersion || !iampolicy.Same(doc, t.After) || !keepsVersion(state, t.BeforeVersion)):
		return h.newVersionWithout(ctx, c, role, next, version, state)
	case t.Kind != guardrail.Inline, iampolicy.Same(doc, t.After):
		err = h.Policies.Restore(ctx, c.at(), role, t, r.WrittenVersion)
	default:
		err = h.Policies.Restore(ctx, c.at(), role, next, "")
	}
	return "", err == nil, err
}

// keepsVersion reports whether the managed policy has the version still.
func keepsVersion(state guardrail.RoleState, id string) bool {
	return state.Named != nil && slices.ContainsFunc(state.Named.Versions, func(v guardrail.Version) bool { return v.ID == id })
}

// onlyHere says of a change that the role has from nowhere else what is amiss, if that is so long after
// its requests have landed.
func (h *Healer) onlyHere(ctx context.Context, c *held, r decide.Round) (note string, done bool, err error) {
	t := *r.Decision.Plan.Write
	for _, q := range r.Decision.Plan.Requests {
		_, a, err := h.readAsked(ctx, q.Branch)
		if err != nil || h.Clock.Now().Sub(a.Landed) < undeployed {
			return "", false, err
		}
		note = fmt.Sprintf("%s has had it since %s, and the role has it from %s alone, into which case %s had written it: deploy the "+
			"file. If that policy is itself what is deployed from it, there is nothing to take out.", q.Path,
			a.Landed.UTC().Format("2006-01-02 15:04 UTC"), placeOf(t), c.ID)
	}
	return note, false, nil
}

// placeOf names where a target writes.
func placeOf(t guardrail.Target) string {
	if t.Kind == guardrail.Attach {
		return strings.Join(t.Attach, ", ")
	}
	return "policy " + t.Name
}

// maxVersions is how many versions IAM takes of a managed policy (AWS.md#quotas).
const maxVersions = 5

// newVersionWithout makes a version of a managed policy that others have changed since, without what
// was given.
func (h *Healer) newVersionWithout(
	ctx context.Context, c *held, role codebuild.Role, next guardrail.Target, version string, state guardrail.RoleState,
) (note string, done bool, err error) {
	if state.Named == nil || len(state.Named.Versions) >= maxVersions {
		return fmt.Sprintf("The code gives the role by now what case %s had given, and there is no room for a version of policy %s "+
			"without it. Delete one that nobody needs, or take it out by hand.", c.ID, next.Name), false, nil
	}
	var known []string
	for _, v := range state.Named.Versions {
		known = append(known, v.ID)
	}
	out := guardrail.Target{Kind: guardrail.Managed, Name: next.Name, Before: next.After, After: next.Before, BeforeVersion: version}
	_, err = h.Policies.Write(ctx, c.at(), role, out, known)
	return "", err == nil, err
}

// unmerged says of a case whose changes are taken back which requests still ask for the same.
func unmerged(c decide.Case, since time.Time) (names []string) {
	for _, r := range c.Rounds {
		if r.Undone.Before(since) {
			continue
		}
		for _, q := range r.Requests {
			if q.Number != "" && q.State != decide.RequestLanded && !q.State.Settled() && !slices.Contains(names, q.Name()) {
				names = append(names, q.Name())
			}
		}
	}
	return names
}

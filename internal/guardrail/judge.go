package guardrail

import (
	"fmt"
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// Judge takes a build's denials through the nine guardrails, whose rules are
// constants of this package in the same order. It is pure. All refusals are
// collected, in the order of the guardrails; if there is one, nothing is granted
// for the build.
//
// It never emits a statement that is outside of the settings: texts only
// choose among what the grants hold for the role that the denials are about. Which
// that is, see [InHand].
func Judge(in Input) Judgement {
	in = in.inHand()
	gs := grants(in)
	refusals, kept, qs := hear(in, gs)
	if len(refusals) == 0 && len(kept) == 0 {
		return Judgement{Allowed: true} // whatever the role is like, nothing is asked of it
	}
	picks, rs := allowAll(in, gs, kept, qs)
	refusals = append(refusals, rs...)
	docs, rs := documents(in.Role)
	refusals = append(refusals, rs...)
	if (in.Role.Role.Name != "" || len(refusals) == 0) && len(in.Denials) > 0 {
		refusals = append(refusals, stateRefusals(in)...)
	}
	if len(refusals) > 0 {
		return refused(refusals)
	}
	picks, pieces, offer := inPieces(in, gs, join(picks))
	if rs := offerRefusals(in, picks); len(rs) > 0 {
		return refused(rs)
	}
	dr, rs := aim(in, picks)
	if len(rs) > 0 {
		return refused(rs)
	}
	switch {
	case len(dr.added) > 0:
	case !answered(in, qs):
		return Judgement{Allowed: true} // the policy says it already, and nobody was asked who knows better
	case dr.target.Kind == Attach:
		return refused([]Refusal{{Rule: AlreadyThere,
			Message: "The grant's ready-made policy is on the role already, and the simulator denies it still. " +
				"Deploy the settings again, or look for what else refuses."}})
	}
	rs = append(escalations(in.Role.Role, docs, dr.added), beyond(in, dr)...)
	if len(rs) > 0 {
		return refused(rs)
	}
	j := Judgement{Target: &dr.target, Used: used(in, picks), Added: dr.added, Proof: proof(in, kept, picks),
		Pieces: pieces, Offer: offer}
	if len(dr.added) == 0 {
		return j // nothing more lands on the role
	}
	no, ask := JudgePullRequests(in, j.Scoped())
	needs := in.Project.PullRequests != settings.Accept && (!in.PullRequests.Read || in.PullRequests.Own != j.Scoped())
	if no != nil {
		j = refused([]Refusal{*no})
	}
	j.Ask, j.NeedsPullRequests = ask, needs
	return j
}

// refused sorts the refusals by guardrail and frees them of doubles.
func refused(rs []Refusal) Judgement {
	var j Judgement
	slices.SortStableFunc(rs, func(a, b Refusal) int { return ruleOrder[a.Rule] - ruleOrder[b.Rule] })
	for _, r := range rs {
		if !slices.Contains(j.Refusals, r) {
			j.Refusals = append(j.Refusals, r)
		}
	}
	j.NeedsTrail = !slices.ContainsFunc(j.Refusals, func(r Refusal) bool { return r.Rule != NoTrail })
	return j
}

// hear takes the denials through guardrails 1 to 4. kept are the claims that
// hold.
func hear(in Input, gs []grant) (refusals []Refusal, kept []claim, qs []Question) {
	if len(in.Denials) == 0 {
		return []Refusal{{Rule: NothingToDo, Message: "No denial made this build fail, so there is nothing to grant."}}, nil, nil
	}
	if r := RefuseUntrusted(in.Build, in.Project); r != nil {
		refusals = append(refusals, *r)
	}
	cs, rs := claims(in)
	refusals = append(append(refusals, rs...), later(in)...)
	qs, asked := ask(gs, cs, in)
	for i, c := range cs {
		counts, r := true, (*Refusal)(nil)
		if answered(in, qs) || len(refusals) == 0 {
			counts, r = confirm(in, c, qs, asked[i])
		}
		if r != nil {
			refusals = append(refusals, *r)
		}
		if counts {
			kept = append(kept, c)
		}
	}
	return refusals, kept, qs
}

// answered reports whether the simulator was asked. Answers to other
// questions than ours are none.
func answered(in Input, qs []Question) bool { return len(qs) > 0 && len(in.Before) == len(qs) }

// confirm holds a claim against the simulator's answers (guardrail 3). It
// does not count if the role has by now what was denied.
func confirm(in Input, c claim, qs []Question, asked []int) (counts bool, r *Refusal) {
	d := in.Denials[c.n]
	denied, allowed := 0, 0
	for _, i := range asked {
		if !answered(in, qs) {
			break // so a claim that needs an answer has none
		}
		switch a := in.Before[i]; {
		case Elsewhere(a.By):
			return false, about(d, OtherLayer, otherLayer(in.Role.Boundary, a.By))
		case a.Verdict == iampolicy.ExplicitDeny:
			return false, about(d, ExplicitDeny,
				fmt.Sprintf("The simulator says that it is denied explicitly%s. No allow beats that.", by(a.By)))
		case a.Verdict == iampolicy.ImplicitDeny:
			denied++
		case a.Verdict == iampolicy.Allowed:
			allowed++
		}
	}
	switch {
	case denied > 0:
		return true, nil
	case allowed > 0 && allowed == len(asked):
		return false, nil
	case c.needs && len(asked) == 0 && c.resources == nil:
		return true, nil // no grant could cover it, which guardrail 6 will say
	case c.needs && in.Project.IsFor():
		return false, about(d, Unconfirmed, fmt.Sprintf("Nothing shows that a deployment of this build was denied it, and not another "+
			"one, and the simulator does not confirm that the role %q lacks it. Give it to the role yourself if that is "+
			"what is missing.", in.Project.Role))
	case c.needs:
		return false, about(d, Unconfirmed, "The text does not say who was denied, or by which policy, "+
			"and the simulator does not confirm that the role lacks it. Give it to the role yourself if that is "+
			"what is missing.")
	}
	return true, nil
}

// Elsewhere reports whether the simulator blames a layer that is none of the
// role's own policies.
func Elsewhere(by string) bool { return by == ByBoundary || by == ByOrganizations }

// otherLayer says which layer the simulator blames, and who can change it.
func otherLayer(boundary *ManagedPolicy, by string) string {
	if by == ByBoundary {
		name := "the role's permissions boundary"
		if boundary != nil {
			name += " " + clip(boundary.ARN)
		}
		return "The simulator says that " + name + " does not allow it, whatever the role's policies say. Ask those who " +
			"keep that policy."
	}
	return "The simulator says that the organization's service control policies do not allow it, whatever the role's " +
		"policies say. Ask those who manage AWS Organizations. It judges those policies as if the call carried no tags, " +
		"network or other services; if they ask for such a thing, give the permission to the role yourself."
}

func by(what string) string {
	if what == "" {
		return ""
	}
	return " by " + clip(what)
}

// allowAll takes the claims through guardrails 5 and 6.
func allowAll(in Input, gs []grant, cs []claim, qs []Question) (picks []pick, refusals []Refusal) {
	denied := func(q Question) bool {
		i := slices.IndexFunc(qs, q.equal)
		return !answered(in, qs) || i >= 0 && in.Before[i].Verdict != iampolicy.Allowed
	}
	for _, c := range cs {
		ps, r := allow(in, gs, c, denied)
		if r != nil {
			refusals = append(refusals, *r)
		}
		picks = append(picks, ps...)
	}
	return picks, refusals
}

// stateRefusals are what stands in the way whatever is granted: the role as
// IAM has it.
func stateRefusals(in Input) []Refusal {
	role, r := roleInHand(in)
	if r != nil {
		return nil // said already
	}
	if s := in.Role.Role; s.Name != role.Name || s.Account != role.Account || s.Partition != role.Partition {
		return []Refusal{{Rule: NotTheRole,
			Message: fmt.Sprintf("The policies of %q were read, and what was denied was denied to %q.", clip(s.ARN()), role.ARN())}}
	}
	return append(append(roleRefusals(in), trustRefusals(in.Role)...), otherRefusals(in)...)
}

// Proof and containment.

// proof is what must be allowed once the target is written: what was denied,
// and nothing else.
func proof(in Input, kept []claim, picks []pick) (qs []Question) {
	gs := make([]grant, len(picks))
	for i, p := range picks {
		gs[i] = p.grant
	}
	for _, c := range kept {
		for _, q := range questionsOf(c, gs, in) {
			if !slices.ContainsFunc(qs, q.equal) {
				qs = append(qs, q)
			}
		}
	}
	return qs
}

// Proved holds the simulator's answers, given with the target written or as
// if it were, against the judgement's proof. Anything but a clear yes to each
// question refuses; what another layer would swallow is refused as that layer's.
func Proved(j Judgement, role RoleState, after []Answer) (out []Refusal) {
	if len(after) != len(j.Proof) {
		return []Refusal{{Rule: NotProved, Message: fmt.Sprintf("The simulator answered %d of %d questions.", len(after), len(j.Proof))}}
	}
	for i, a := range after {
		if Elsewhere(a.By) {
			out = append(out, Refusal{Rule: OtherLayer, Action: j.Proof[i].Action, Resource: j.Proof[i].Resource,
				Message: "It would be of no use. " + otherLayer(role.Boundary, a.By)})
			continue
		}
		if a.Verdict == iampolicy.Allowed {
			continue
		}
		why := "The simulator does not say that it would be allowed then" + by(a.By) + "."
		if len(a.Missing) > 0 {
			why += fmt.Sprintf(" It hangs on %s.", clip(strings.Join(a.Missing, ", ")))
		}
		out = append(out, Refusal{Rule: NotProved, Action: j.Proof[i].Action, Resource: j.Proof[i].Resource, Message: why})
	}
	return out
}

// beyond refuses what is not contained in what was there and the settings.
func beyond(in Input, dr draft) []Refusal {
	outer, inner := []iampolicy.Document{allowlist(in)}, document(dr.added...)
	if dr.target.Kind != Attach && dr.target.After != dr.target.Before {
		after, err := iampolicy.Parse([]byte(dr.target.After))
		if err == nil {
			err = iampolicy.Validate(after)
		}
		if err != nil {
			return []Refusal{{Rule: NotContained,
				Message: "The policy that would be written is not one that IAM takes: " + clip(err.Error())}}
		}
		inner = []iampolicy.Document{after}
		if before, err := iampolicy.Parse([]byte(dr.target.Before)); err == nil {
			outer = append(outer, before)
		}
	}
	if ok, what := iampolicy.Contains(outer, inner); !ok {
		return []Refusal{{Rule: NotContained,
			Message: "It cannot be shown that what would be written stays within what was there and the settings: " +
				clip(what)}}
	}
	return nil
}

package main

import (
	"context"
	"fmt"
	"time"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// offline stands in for IAM where there is none: a role's policies are given,
// and package iampolicy answers in the simulator's place. It knows identity
// policies and the boundary only.
type offline struct {
	State guardrail.RoleState
	Now   time.Time
}

// Role implements [heal.Roles].
func (o offline) Role(context.Context, settings.Account, codebuild.Role, settings.Write) (guardrail.RoleState, error) {
	return o.State, nil
}

// Simulate implements [heal.Simulator].
func (o offline) Simulate(_ context.Context, _ settings.Account, _ codebuild.Role, qs []guardrail.Question,
	extra []string) ([]guardrail.Answer, error) {
	a, err := o.access(extra)
	if err != nil {
		return nil, err
	}
	out := make([]guardrail.Answer, len(qs))
	for i, q := range qs {
		r := iampolicy.Request{Action: q.Action, Resource: q.Resource, Context: q.Context, Now: o.Now}
		out[i].Verdict, _ = iampolicy.Evaluate(a, r)
		if out[i].Verdict != iampolicy.Allowed && a.Boundary != nil {
			unbound := a
			unbound.Boundary = nil
			if v, _ := iampolicy.Evaluate(unbound, r); v == iampolicy.Allowed {
				out[i].By = "boundary"
			}
		}
	}
	return out, nil
}

func (o offline) access(extra []string) (a iampolicy.Access, err error) {
	add := func(what, text string) error {
		d, err := iampolicy.ParseLoose([]byte(text))
		if err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		a.Policies = append(a.Policies, d)
		return nil
	}
	for name, text := range o.State.Inline {
		if err := add(fmt.Sprintf("inline policy %q", name), text); err != nil {
			return a, err
		}
	}
	for _, m := range o.State.Managed {
		if err := add(fmt.Sprintf("managed policy %q", m.ARN), m.Document); err != nil {
			return a, err
		}
	}
	for _, text := range extra {
		if err := add("the new policy", text); err != nil {
			return a, err
		}
	}
	if b := o.State.Boundary; b != nil {
		d, err := iampolicy.ParseLoose([]byte(b.Document))
		if err != nil {
			return a, fmt.Errorf("permissions boundary: %w", err)
		}
		a.Boundary = &d
	}
	return a, nil
}

package main

import (
	"context"
	"testing"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// TestOffline ensures that without IAM the same questions are answered from
// the policies that are given.
func TestOffline(t *testing.T) {
	doc := `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}`
	put := `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:PutObject", "Resource": "*"}]}`
	ctx, at, role := context.Background(), settings.Account{}, codebuild.Role{}
	qs := []guardrail.Question{{Action: "s3:GetObject", Resource: "arn:aws:s3:::a/b"}, {Action: "s3:PutObject",
		Resource: "arn:aws:s3:::a/b"}}
	for name, row := range map[string]struct {
		state guardrail.RoleState
		extra []string
		want  [2]iampolicy.Verdict
		bad   bool
	}{
		"inline": {state: guardrail.RoleState{Inline: map[string]string{"a": doc}},
			want: [2]iampolicy.Verdict{iampolicy.Allowed, iampolicy.ImplicitDeny}},
		"managed and extra": {state: guardrail.RoleState{Managed: []guardrail.ManagedPolicy{{Document: doc}}},
			extra: []string{put}, want: [2]iampolicy.Verdict{iampolicy.Allowed, iampolicy.Allowed}},
		"boundary": {state: guardrail.RoleState{Inline: map[string]string{"a": doc},
			Boundary: &guardrail.ManagedPolicy{Document: put}}, want: [2]iampolicy.Verdict{iampolicy.ImplicitDeny,
			iampolicy.ImplicitDeny}},
		"no JSON inline":   {state: guardrail.RoleState{Inline: map[string]string{"a": "{"}}, bad: true},
		"no JSON managed":  {state: guardrail.RoleState{Managed: []guardrail.ManagedPolicy{{Document: "{"}}}, bad: true},
		"no JSON extra":    {extra: []string{"{"}, bad: true},
		"no JSON boundary": {state: guardrail.RoleState{Boundary: &guardrail.ManagedPolicy{Document: "{"}}, bad: true},
	} {
		o := offline{State: row.state}
		if _, err := o.Role(ctx, at, role, settings.Write{}); err != nil {
			t.Error(err)
		}
		as, err := o.Simulate(ctx, at, role, qs, row.extra)
		if row.bad != (err != nil) {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil && (as[0].Verdict != row.want[0] || as[1].Verdict != row.want[1]) {
			t.Errorf("%s: %v, want %v", name, as, row.want)
		}
	}
}

package heal

import (
	"context"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// standstill is a clock that shows one time.
type standstill time.Time

func (s standstill) Now() time.Time { return time.Time(s) }

// TestWaitForCloudTrail: CloudTrail is looked at every two minutes, until the
// time of the settings is over.
func TestWaitForCloudTrail(t *testing.T) {
	const wait = 15 * time.Minute
	began := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	for after, waits := range map[time.Duration]bool{0: true, wait - time.Second: true, wait: true, wait + time.Second: false} {
		h := &Healer{Settings: &settings.Settings{Limits: settings.Limits{CloudTrail: wait}}, Clock: standstill(began.Add(after))}
		c := &held{Case: decide.Case{Rounds: []decide.Round{{Started: began, Decision: &decide.Decision{Waits: true}}}}}
		if err := h.waitForCloudTrail(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		r := c.last()
		switch {
		case c.Closed.IsZero() != waits || r.Decision.Waits != waits:
			t.Errorf("after %s: closed %s, waits %v", after, c.Closed, r.Decision.Waits)
		case waits && (r.Step != decide.StepDecided || !r.NotYet.Equal(began.Add(after+2*time.Minute))):
			t.Errorf("after %s: at %s until %s", after, r.Step, r.NotYet)
		case !waits && c.Outcome != decide.Reported:
			t.Errorf("after %s: %s", after, c.Outcome)
		}
	}
}

// TestLeases: what is leased is what is written, and before the role is read it
// is the same as before the write.
func TestLeases(t *testing.T) {
	const role, policy = "arn:aws:iam::111122223333:role/ci", "arn:aws:iam::111122223333:policy/shared"
	b := codebuild.Build{ARN: "arn:aws:codebuild:eu-west-1:111122223333:build/shop:u", ServiceRole: role}
	for _, row := range []struct {
		write settings.Write
		kind  guardrail.TargetKind
		name  string
		want  string
	}{
		{settings.Write{Inline: "healed"}, guardrail.Inline, "healed", role},
		{settings.Write{Managed: "shared"}, guardrail.Managed, policy, policy}, // others may share it
		{settings.Write{Attach: true}, guardrail.Attach, "", role},
	} {
		p := settings.Project{Mode: settings.Heal, Write: row.write}
		if got := leaseOf(decide.Plan{Role: role, Write: &guardrail.Target{Kind: row.kind, Name: row.name}}); got != row.want {
			t.Errorf("%s: a write leases %q", row.kind, got)
		}
		if got := (&Healer{}).leaseNeeded(decide.Facts{Project: p, Build: b}); got != row.want {
			t.Errorf("%s: a read leases %q", row.kind, got)
		}
		p.Mode = settings.Propose
		if got := (&Healer{}).leaseNeeded(decide.Facts{Project: p, Build: b}); got != "" {
			t.Errorf("%s: a proposal leases %q", row.kind, got)
		}
	}
}

// says is a simulator that gives one answer to all questions.
type says iampolicy.Verdict

func (s says) Simulate(
	_ context.Context, _ settings.Account, _ codebuild.Role, qs []guardrail.Question, _ []string,
) (as []guardrail.Answer, err error) {
	for range qs {
		as = append(as, guardrail.Answer{Verdict: iampolicy.Verdict(s)})
	}
	return as, nil
}

// TestUnprovedGivesNothing: a plan that the simulator does not prove leaves
// neither a change nor a word of a grant.
func TestUnprovedGivesNothing(t *testing.T) {
	for verdict, proved := range map[iampolicy.Verdict]bool{iampolicy.Allowed: true, iampolicy.ImplicitDeny: false,
		iampolicy.Unknown: false} {
		h := &Healer{Settings: &settings.Settings{}, Simulator: says(verdict)}
		d := decide.Decision{Used: []guardrail.Used{{Grant: "dist"}}, Plan: &decide.Plan{Write: &guardrail.Target{Kind: guardrail.Inline},
			Proof: []guardrail.Question{{Action: "s3:PutObject", Resource: "arn:aws:s3:::dist/x"}}}}
		if err := h.prove(t.Context(), settings.Account{}, decide.Facts{}, &d); err != nil {
			t.Fatal(err)
		}
		if (d.Plan != nil) != proved || (len(d.Used) == 1) != proved || (len(d.Refusals) == 0) != proved {
			t.Errorf("%v: plan %v, grants %v, refusals %v", verdict, d.Plan, d.Used, d.Refusals)
		}
	}
}

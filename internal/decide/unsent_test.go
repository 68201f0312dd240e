package decide

import (
	"slices"
	"strings"
	"testing"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/diagnose"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// unsent are the facts of a build that was denied the same again, twice, after a scoped grant.
func unsent(t *testing.T, unscoped string) Facts {
	t.Helper()
	set, err := settings.Parse([]byte(`version: 1
projects:
  - {name: shop, role: shop-role, mode: heal, write: {inline: healed}, grants: [sign]}
  - {name: web, role: shop-role}
grants:
  - {id: sign, because: It signs., owner: team, scope: project, unscoped: ` + unscoped + `, actions: ["kms:Sign"],
     resources: ["arn:${partition}:kms:${region}:${account}:key/k"]}
`))
	if err != nil {
		t.Fatal(err)
	}
	home := settings.Account{ID: account, Region: "us-east-1"}
	p, _ := set.Project("shop", account, "us-east-1", home)
	d := diagnose.Diagnosis{Cause: "missing-permission", Remedy: diagnose.Grant, Denials: []buildlog.Denial{{Action: "kms:Sign",
		Resource: "arn:aws:kms:us-east-1:111122223333:key/k", Effect: buildlog.Implicit, Layer: buildlog.IdentityBased, Causal: true,
		Principal: "arn:aws:sts::111122223333:assumed-role/shop-role/AWSCodeBuild-8745a7a9-c340-456a-9166-edf953571b01"}}}
	b := build()
	b.ID = "shop:8745a7a9-c340-456a-9166-edf953571b01"
	b.ARN = "arn:aws:codebuild:us-east-1:" + account + ":build/" + b.ID
	f := Facts{Settings: set, Home: home, Project: p, Build: b, Case: "c", Diagnosis: d, Now: began,
		Role:         &guardrail.RoleState{Role: codebuild.Role{Partition: "aws", Account: account, Name: "shop-role"}},
		PullRequests: guardrail.PullRequestBuilds{Read: true}}
	f.Earlier = again(2, func(r *Round) { r.Build, r.Diagnosis = b, &d })
	f.Earlier[0].Written = began
	f.Earlier[0].Decision = &Decision{Used: []guardrail.Used{{Grant: "sign"}}, Plan: &Plan{Write: &guardrail.Target{}}}
	f.Before = []guardrail.Answer{{Verdict: iampolicy.Allowed}}
	f.AnswersUnkeyed = []guardrail.Answer{{Verdict: iampolicy.ImplicitDeny}}
	return f
}

// TestUnsentIsTold ensures that a scoped grant that did not help is taken back and told as what it
// is, if the simulator says so, and nothing is offered that the settings do not say.
func TestUnsentIsTold(t *testing.T) {
	for _, row := range []struct {
		name     string
		unscoped string
		change   func(*Facts)
		told     bool
		refusals int
	}{
		{"not to be offered", "never", nil, true, 1},
		{"to be offered", "approve", nil, true, 0},
		{"allowed without the key", "never", func(f *Facts) { f.AnswersUnkeyed[0].Verdict = iampolicy.Allowed }, false, 0},
		{"not asked", "never", func(f *Facts) { f.AnswersUnkeyed = nil }, false, 0},
		{"not scoped", "never", func(f *Facts) { f.Settings.Grants[0].Scope = settings.ScopeRole }, false, 0},
		{"the limit is reached", "never", func(f *Facts) { f.Earlier, f.Settings.Limits.Rounds = f.Earlier[:1], 1 }, true, 1},
	} {
		f := unsent(t, row.unscoped)
		if row.change != nil {
			row.change(&f)
		}
		d := Decide(f)
		if d.Undo != 1 || d.Plan != nil || (d.Unsent != nil) != row.told || len(d.Refusals) != row.refusals {
			t.Errorf("%s: undo %d, unsent %+v, refusals %v", row.name, d.Undo, d.Unsent, d.Refusals)
			continue
		}
		if row.told && (d.Unsent.Service != "kms" || !strings.Contains(d.Why, "kms may not send codebuild:projectArn")) {
			t.Errorf("%s: %q, %+v", row.name, d.Why, d.Unsent)
		}
	}
}

// TestUnkeyed ensures that the simulator is asked once more only about what a scoped grant of the
// case was given for.
func TestUnkeyed(t *testing.T) {
	for name, row := range map[string]struct {
		change func(*Facts)
		want   int
	}{
		"denied again":     {nil, 1},
		"nothing written":  {func(f *Facts) { f.Earlier = nil }, 0},
		"something else":   {func(f *Facts) { f.Diagnosis.Denials[0].Action = "kms:Decrypt" }, 0},
		"for the role":     {func(f *Facts) { f.Settings.Grants[0].Scope = settings.ScopeRole }, 0},
		"taken back since": {func(f *Facts) { f.Earlier[0].Undone = began }, 0},
	} {
		f := unsent(t, "never")
		f.Diagnosis.Denials = slices.Clone(f.Diagnosis.Denials)
		if row.change != nil {
			row.change(&f)
		}
		if got := f.Unkeyed(); len(got) != row.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestOfferedForTheWholeRole ensures that what a service does not hold to its scope is proposed, and
// never done by itself, once, with all who would have it, and only if the settings say so.
func TestOfferedForTheWholeRole(t *testing.T) {
	for _, row := range []struct {
		name     string
		unscoped string
		change   func(*Facts)
		asks     bool
		rule     guardrail.Rule
	}{
		{"offered", "approve", nil, true, ""},
		{"not consented", "never", nil, false, guardrail.TakenBack},
		{"offered before", "approve", func(f *Facts) {
			f.Earlier = append(f.Earlier, Round{Build: f.Build, Diagnosis: &f.Diagnosis, Decision: &Decision{Unscoped: []string{"sign"}}})
		}, false, guardrail.TakenBack},
		{"offered before, and replayed", "approve", func(f *Facts) {
			f.Earlier = append(f.Earlier, Round{Build: f.Build, Diagnosis: &f.Diagnosis, Decision: &Decision{Unscoped: []string{"sign"}}})
			f.Replayed = true
		}, true, ""},
		{"approved, and it did not help either", "approve", func(f *Facts) {
			f.Earlier = append(f.Earlier, Round{Build: f.Build, Diagnosis: &f.Diagnosis, Written: began, Undone: began,
				Decision: &Decision{Unscoped: []string{"sign"}}})
		}, false, guardrail.TakenBack},
	} {
		f := unsent(t, row.unscoped)
		f.Earlier[0].Undone = began
		f.Earlier = append(f.Earlier, Round{Build: f.Build, Diagnosis: &f.Diagnosis,
			Decision: &Decision{Undo: 1, Unsent: &Unsent{Service: "kms", Action: "kms:Sign", Grants: []string{"sign"}}}})
		f.Before[0].Verdict, f.AnswersUnkeyed = iampolicy.ImplicitDeny, nil
		if row.change != nil {
			row.change(&f)
		}
		if f.Offered = Offered(f.Settings, f.Project, f.Earlier); f.Offered != nil {
			f.Settings = f.Settings.WholeRole(f.Offered.Service, f.Offered.Grants)
		}
		d := Decide(f)
		switch {
		case row.asks && (d.Plan == nil || !d.Proposes() || d.Plan.Scoped || !slices.Equal(d.Unscoped, []string{"sign"}) ||
			!slices.Equal(d.Plan.Holders, []string{"web"}) || strings.Contains(d.Plan.Write.After, settings.ProjectKey)):
			t.Errorf("%s: %+v", row.name, d)
		case !row.asks && (d.Plan != nil || len(d.Refusals) != 1 || d.Refusals[0].Rule != row.rule):
			t.Errorf("%s: plan %+v, refusals %+v", row.name, d.Plan, d.Refusals)
		}
	}
}

// TestOfferRepeatsNothingElse ensures that what is offered for the whole role, since a service does not send a key, opens
// no way for what was taken back of other denials: those of another role, or of another action.
func TestOfferRepeatsNothingElse(t *testing.T) {
	f := unsent(t, "approve")
	sign := f.Diagnosis
	other := sign
	other.Denials = slices.Clone(sign.Denials)
	other.Denials[0].Principal = "arn:aws:sts::111122223333:assumed-role/shop-exec/AWSCloudFormation"
	f.Offered = &Unsent{Service: "kms", Action: "kms:Sign", Grants: []string{"sign"}}
	f.Earlier = []Round{
		{Build: f.Build, Diagnosis: &other, Written: began, Undone: began, Decision: &Decision{}},
		{Build: f.Build, Diagnosis: &sign, Decision: &Decision{Undo: 1, Unsent: f.Offered}},
		{Build: f.Build, Diagnosis: &sign, Written: began, Decision: &Decision{Unscoped: []string{"sign"}}},
	}
	f.Diagnosis = other
	if r := takenBack(f); r == nil || r.Rule != guardrail.TakenBack {
		t.Errorf("of another role: %+v", r)
	}
	f.Earlier[0].Diagnosis, f.Diagnosis = &sign, sign
	f.Earlier = f.Earlier[:2]
	if r := takenBack(f); r != nil {
		t.Errorf("what is offered: %+v", r)
	}
}

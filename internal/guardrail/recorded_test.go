package guardrail

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/settings"
)

const appRole = "arn:aws:iam::111122223333:role/app"

// identified is a denial whose message carries an authorization ID.
func identified() buildlog.Denial {
	d := denial("iam:GetRole", appRole)
	d.Authorization = buildlog.Authorization{ID: "a1b2", Region: "us-east-1"}
	return d
}

// record is what AWS recorded of it: only the role's own policies deny.
func record() Authorization {
	return Authorization{Principal: "arn:aws:iam::111122223333:role/service-role/codebuild-shop", User: "AROAX:AWSCodeBuild-" + uuid,
		Evaluations: []Evaluation{{Action: "iam:GetRole", Resource: appRole, Effect: "IMPLICIT_DENY", Checks: []Check{
			{Type: "SERVICE_CONTROL_POLICY", Effect: "ALLOW", Target: "arn:aws:organizations::999988887777:root/o-secret/r-1"},
			{Type: "SERVICE_CONTROL_POLICY", Effect: "ALLOW", Target: "arn:aws:organizations::999988887777:account/o-secret/111122223333"},
			{Type: "PRINCIPAL", Effect: "IMPLICIT_DENY"}, {Type: "SESSION", Effect: "NO_IMPACT"}}}}}
}

// TestRecord ensures that a record proves only what it says of this build's own request, and that
// whatever else denies is told.
func TestRecord(t *testing.T) {
	check := func(a *Authorization, n int) *Check { return &a.Evaluations[0].Checks[n] }
	const scp = "arn:aws:organizations::999988887777:policy/o-secret/service_control_policy/p-a1b2c3d4"
	for _, c := range []struct {
		name   string
		change func(d *buildlog.Denial, a *Authorization)
		want   string // "proved", a rule, or a part of why nothing is proved
		says   string // in the refusal
	}{
		{"only the role's own policies", func(*buildlog.Denial, *Authorization) {}, "proved", ""},
		{"the session's own ARN", func(_ *buildlog.Denial, a *Authorization) { a.Principal = session }, "proved", ""},
		{"another case of the action", func(_ *buildlog.Denial, a *Authorization) { a.Evaluations[0].Action = "IAM:getRole" }, "proved",
			""},
		{"a second action that the role lacks, too", func(_ *buildlog.Denial, a *Authorization) {
			more := record().Evaluations[0]
			more.Action = "iam:ListRolePolicies"
			a.Evaluations = append(a.Evaluations, more)
		}, "proved", ""},
		{"an action without a resource", func(d *buildlog.Denial, a *Authorization) {
			d.Action, d.Resource = "iam:ListRoles", "*"
			a.Evaluations[0].Action, a.Evaluations[0].Resource = "iam:ListRoles", ""
		}, "proved", ""},

		// Whose it is.
		{"no principal", func(_ *buildlog.Denial, a *Authorization) { a.Principal = "" }, "does not say whose", ""},
		{"no session", func(_ *buildlog.Denial, a *Authorization) { a.User = "" }, "does not say whose", ""},
		{"nobody, and a boundary", func(_ *buildlog.Denial, a *Authorization) {
			a.Principal, a.User = "", ""
			check(a, 3).Type, check(a, 3).Effect = "PERMISSIONS_BOUNDARY", "IMPLICIT_DENY"
		}, "does not say whose", ""},
		{"another role", func(_ *buildlog.Denial, a *Authorization) { a.Principal = "arn:aws:iam::111122223333:role/other" },
			"other-principal", "role/other"},
		{"the same name on another path", func(_ *buildlog.Denial, a *Authorization) {
			a.Principal = "arn:aws:iam::111122223333:role/codebuild-shop"
		}, "other-principal", ""},
		{"another account", func(_ *buildlog.Denial, a *Authorization) {
			a.Principal = strings.Replace(a.Principal, "111122223333", "444455556666", 1)
		}, "other-account", ""},
		{"another build's session", func(_ *buildlog.Denial, a *Authorization) {
			a.User = "AROAX:AWSCodeBuild-00000000-0000-0000-0000-000000000000"
		}, "other-build", uuid},
		{"a session that only ends like it", func(_ *buildlog.Denial, a *Authorization) { a.User = "AROAX:x-AWSCodeBuild-" + uuid },
			"other-build", ""},
		{"a user without a session", func(_ *buildlog.Denial, a *Authorization) { a.User = "AIDAX" }, "other-build", ""},

		// What it is about.
		{"another action", func(_ *buildlog.Denial, a *Authorization) { a.Evaluations[0].Action = "iam:GetPolicy" }, "recorded-otherwise",
			"another action"},
		{"another resource", func(_ *buildlog.Denial, a *Authorization) { a.Evaluations[0].Resource = appRole + "2" }, "recorded-otherwise",
			"another resource"},
		{"allowed", func(_ *buildlog.Denial, a *Authorization) {
			a.Evaluations[0].Effect, a.Evaluations[0].Checks = "ALLOW", nil
		},
			"recorded-otherwise", "allowed"},
		{"nothing evaluated", func(_ *buildlog.Denial, a *Authorization) { a.Evaluations = nil }, "recorded-otherwise", ""},
		{"not all was read", func(_ *buildlog.Denial, a *Authorization) { a.Evaluations, a.Partial = nil, true }, "longer than", ""},
		{"a wildcard", func(_ *buildlog.Denial, a *Authorization) {
			a.Evaluations[0].Resource = "arn:aws:iam::111122223333:role/*"
		},
			"does not name the resource", ""},
		{"a bare name", func(d *buildlog.Denial, _ *Authorization) { d.Resource = "role app" }, "does not name the resource", ""},
		{"no resource", func(d *buildlog.Denial, _ *Authorization) { d.Resource = "" }, "does not name the resource", ""},
		{"no resource in either", func(d *buildlog.Denial, a *Authorization) { d.Resource, a.Evaluations[0].Resource = "", "" },
			"does not name the resource", ""},

		// What denied.
		{"no checks", func(_ *buildlog.Denial, a *Authorization) { a.Evaluations[0].Checks = nil }, "what was checked", ""},
		{"no check of the principal", func(_ *buildlog.Denial, a *Authorization) {
			a.Evaluations[0].Checks = slices.Delete(a.Evaluations[0].Checks, 2, 3)
		}, "whether the role's own", ""},
		{"the principal is allowed", func(_ *buildlog.Denial, a *Authorization) { check(a, 2).Effect = "ALLOW" }, "not the role's own", ""},
		{"a type that is not known", func(_ *buildlog.Denial, a *Authorization) { check(a, 3).Type = "MOON" }, "does not know", ""},
		{"an effect that is not known", func(_ *buildlog.Denial, a *Authorization) { check(a, 3).Effect = "MAYBE" }, "does not know", ""},
		{"an evaluation's effect that is not known", func(_ *buildlog.Denial, a *Authorization) { a.Evaluations[0].Effect = "" },
			"does not know", ""},
		{"a type that is not known denies", func(_ *buildlog.Denial, a *Authorization) {
			check(a, 3).Type, check(a, 3).Effect = "MOON", "IMPLICIT_DENY"
		}, "other-layer", `"MOON"`},
		{"one of several SCPs", func(_ *buildlog.Denial, a *Authorization) { check(a, 1).Effect = "IMPLICIT_DENY" }, "other-layer",
			"a service control policy of the account"},
		{"an SCP at the root", func(_ *buildlog.Denial, a *Authorization) {
			check(a, 0).Effect, check(a, 0).Policies = "EXPLICIT_DENY", []string{scp}
		}, "explicit-deny", "(p-a1b2c3d4) at the organization's root"},
		{"a boundary", func(_ *buildlog.Denial, a *Authorization) {
			*check(a, 3) = Check{Type: "PERMISSIONS_BOUNDARY", Effect: "IMPLICIT_DENY",
				Policies: []string{"arn:aws:iam::111122223333:policy/edge"}}
		}, "other-layer", "the permissions boundary (arn:aws:iam::111122223333:policy/edge)"},
		{"the session", func(_ *buildlog.Denial, a *Authorization) { check(a, 3).Effect = "IMPLICIT_DENY" }, "other-layer", "session's"},
		{"the resource", func(_ *buildlog.Denial, a *Authorization) {
			check(a, 3).Type, check(a, 3).Effect = "RESOURCE", "IMPLICIT_DENY"
		},
			"other-layer", "resource's own"},
		{"an endpoint", func(_ *buildlog.Denial, a *Authorization) {
			check(a, 3).Type, check(a, 3).Effect = "VPC_ENDPOINT", "EXPLICIT_DENY"
		}, "explicit-deny", "endpoint"},
		{"an RCP", func(_ *buildlog.Denial, a *Authorization) {
			check(a, 0).Type, check(a, 0).Effect = "RESOURCE_CONTROL_POLICY", "EXPLICIT_DENY"
		},
			"explicit-deny", "resource control"},
		{"the role's own policy denies", func(_ *buildlog.Denial, a *Authorization) {
			a.Evaluations[0].Effect = "EXPLICIT_DENY"
			check(a, 2).Effect, check(a, 2).Policies = "EXPLICIT_DENY", []string{"0a1b-opaque"}
		}, "explicit-deny", "an identity-based policy denies"},
		{"an explicit deny without checks", func(_ *buildlog.Denial, a *Authorization) {
			a.Evaluations[0].Effect, a.Evaluations[0].Checks = "EXPLICIT_DENY", nil
		}, "explicit-deny", ""},
		{"a boundary against another action of the request", func(_ *buildlog.Denial, a *Authorization) {
			a.Evaluations = append(a.Evaluations, Evaluation{Action: "iam:PassRole", Resource: appRole, Effect: "IMPLICIT_DENY",
				Checks: []Check{{Type: "PERMISSIONS_BOUNDARY", Effect: "IMPLICIT_DENY"}}})
		}, "other-layer", "iam:PassRole"},
	} {
		d, a := identified(), record()
		c.change(&d, &a)
		r := Record(shop().Build, shop().Project, d, a)
		got := r.Silent
		if r.Proved {
			got += "proved"
		}
		if r.Refusal != nil {
			got += string(r.Refusal.Rule)
			for _, secret := range []string{"o-secret", "999988887777", "opaque"} {
				if strings.Contains(r.Refusal.Message, secret) {
					t.Errorf("%s: tells %s: %s", c.name, secret, r.Refusal.Message)
				}
			}
			if !strings.Contains(r.Refusal.Message, c.says) {
				t.Errorf("%s: %q does not say %q", c.name, r.Refusal.Message, c.says)
			}
		}
		if got != c.want && (r.Proved || r.Refusal != nil || !strings.Contains(got, c.want)) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
		if !r.Of(d) {
			t.Errorf("%s: it is not of its denial", c.name)
		}
	}
}

// TestRecordedEvidence ensures that what AWS recorded is the strongest evidence, that nothing else
// satisfies a grant that asks for it, and that a refusal of it grants nothing to any other.
func TestRecordedEvidence(t *testing.T) {
	proved := Recorded{Proved: true}
	for _, c := range []struct {
		name     string
		asks     settings.Evidence
		trail    []bool
		recorded []Recorded
		id       bool
		want     string
		says     string
	}{
		{"proved", settings.EvidenceAuthorization, nil, []Recorded{proved}, true, granted, ""},
		{"proved, and CloudTrail is asked for", settings.EvidenceCloudTrail, nil, []Recorded{proved}, true, granted, ""},
		{"proved, and a decoded message is asked for", settings.EvidenceDecoded, nil, []Recorded{proved}, true, granted, ""},
		{"CloudTrail alone", settings.EvidenceAuthorization, []bool{true}, nil, true, "weak-evidence", "it was not looked up"},
		{"no ID", settings.EvidenceAuthorization, nil, []Recorded{{}}, false, "weak-evidence", "carries no authorization ID"},
		{"not there", settings.EvidenceAuthorization, nil, []Recorded{{Silent: "AWS has no record"}}, true, "weak-evidence",
			"AWS has no record"},
		{"not there, and not asked for", settings.EvidenceLog, nil, []Recorded{{Silent: "AWS has no record"}}, true, granted, ""},
		{"refused, and not asked for", settings.EvidenceLog, nil, []Recorded{{Refusal: &Refusal{Rule: OtherLayer, Message: "A boundary."}}},
			true, "other-layer", "A boundary."},
	} {
		in := shop()
		grantOf(&in).Evidence, in.Trail, in.Recorded = c.asks, c.trail, c.recorded
		if c.id {
			in.Denials[0].Authorization.ID = "a1b2"
		}
		j := Judge(in)
		if got := verdict(j); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
		if len(j.Refusals) > 0 && !strings.Contains(j.Refusals[0].Message, c.says) {
			t.Errorf("%s: %s", c.name, j.Refusals[0].Message)
		}
		if c.want == granted && c.asks != settings.EvidenceLog && j.Used[0].Evidence != settings.EvidenceAuthorization {
			t.Errorf("%s: evidence %s", c.name, j.Used[0].Evidence)
		}
	}
}

var (
	someTypes = []string{"SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY", "VPC_ENDPOINT", "RESOURCE", "PRINCIPAL", "PRINCIPAL",
		"PERMISSIONS_BOUNDARY", "SESSION", "MOON"}
	someCheckEffects = []string{"ALLOW", "NO_IMPACT", "NO_IMPACT", "ALLOW", "IMPLICIT_DENY", "EXPLICIT_DENY", "MAYBE", ""}
)

// randomRecord is a record that may be of the denial, with texts of others in it.
func randomRecord(r *rand.Rand, d buildlog.Denial, texts []string) Authorization {
	some := func(usual string, other ...string) string {
		if r.IntN(8) > 0 {
			return usual
		}
		return oneOf(r, append(append(other, "", session), texts...))
	}
	a := record()
	a.Principal, a.User, a.Partial = some(a.Principal, "arn:aws:iam::111122223333:role/other"), some(a.User, "AROAX:x"), r.IntN(8) == 0
	a.Evaluations = nil
	for range r.IntN(3) {
		e := Evaluation{Action: some(d.Action, "iam:GetPolicy"), Resource: some(d.Resource, "*"),
			Effect: oneOf(r, []string{"IMPLICIT_DENY", "IMPLICIT_DENY", "ALLOW", "EXPLICIT_DENY", ""})}
		for range r.IntN(4) {
			c := Check{Type: oneOf(r, someTypes), Effect: oneOf(r, someCheckEffects[:4])}
			if c.Type == "PRINCIPAL" {
				c.Effect = "IMPLICIT_DENY"
			}
			if r.IntN(6) == 0 {
				c.Effect, c.Policies = oneOf(r, someCheckEffects), []string{some("arn:aws:iam::111122223333:policy/x")}
			}
			e.Checks = append(e.Checks, c)
		}
		a.Evaluations = append(a.Evaluations, e)
	}
	return a
}

// TestRecordProvesOnlyThat ensures, of records of all kinds, that one proves a denial only if it is of
// this build's session, and every requirement that was not met is one that a grant meets.
func TestRecordProvesOnlyThat(t *testing.T) {
	proved, refused, silent := 0, 0, 0
	for seed := range uint64(20000) {
		r := rand.New(rand.NewPCG(seed, 9))
		d := identified()
		a := randomRecord(r, d, nil)
		x := Record(shop().Build, shop().Project, d, a)
		if n := btoi(x.Proved) + btoi(x.Refusal != nil) + btoi(x.Silent != ""); n != 1 {
			t.Fatalf("seed %d: %d answers: %+v", seed, n, x)
		}
		refused, silent = refused+btoi(x.Refusal != nil), silent+btoi(x.Silent != "")
		if !x.Proved {
			continue
		}
		proved++
		own := false
		for _, e := range a.Evaluations {
			lacks := 0
			for _, c := range e.Checks {
				lacks += btoi(c.Type == "PRINCIPAL" && c.Effect == "IMPLICIT_DENY")
				if c.Effect != "ALLOW" && c.Effect != "NO_IMPACT" && c.Type != "PRINCIPAL" &&
					(strings.HasSuffix(c.Effect, "DENY") || e.Action == d.Action && e.Resource == d.Resource && e.Effect != "ALLOW") {
					t.Errorf("seed %d: proved by %+v", seed, c)
				}
			}
			own = own || e.Action == d.Action && e.Resource == d.Resource && e.Effect == "IMPLICIT_DENY" && lacks > 0
		}
		if !own || a.Principal != record().Principal && a.Principal != session || a.User != record().User {
			t.Errorf("seed %d: proved by %+v", seed, a)
		}
	}
	if proved < 300 || refused < 300 || silent < 300 {
		t.Errorf("%d proved, %d refused, %d say neither", proved, refused, silent)
	}
}

// TestRecordNamesFew ensures that what AWS repeats of others' text is bounded and plain where it is
// told.
func TestRecordNamesFew(t *testing.T) {
	d, a := identified(), record()
	c := Check{Type: strings.Repeat("X\x1b[31m", 1000), Effect: "EXPLICIT_DENY", Target: strings.Repeat("arn:", 9000)}
	for range 1000 {
		c.Policies = append(c.Policies, "arn:aws:iam::111122223333:policy/"+strings.Repeat("y\u202e", 500))
	}
	a.Evaluations[0].Checks = append(a.Evaluations[0].Checks, c)
	r := Record(shop().Build, shop().Project, d, a)
	if r.Refusal == nil || len(r.Refusal.Message) > 2000 || strings.ContainsAny(r.Refusal.Message, "\x1b\u202e") {
		t.Errorf("%+v", r)
	}
}

// TestRecordOfAnotherRole ensures that the record of another role's request is held against the session
// of that role that the text names, and that of a role which nobody lists against the build's own.
func TestRecordOfAnotherRole(t *testing.T) {
	const executes = "arn:aws:sts::111122223333:assumed-role/shop-exec/AWSCloudFormation"
	listed := shop().Project
	listed.AlsoRoles = []settings.AlsoRole{{Role: "deploy/shop-exec", Grants: []string{"shop-image"}}}
	for _, c := range []struct {
		name            string
		p               settings.Project
		principal, user string
		want            Rule // "": proved
	}{
		{"its own role", listed, "arn:aws:iam::111122223333:role/deploy/shop-exec", "AROAY:AWSCloudFormation", ""},
		{"its own session", listed, executes, "AROAY:AWSCloudFormation", ""},
		{"the build's role", listed, record().Principal, record().User, OtherPrincipal},
		{"another path", listed, "arn:aws:iam::111122223333:role/shop-exec", "AROAY:AWSCloudFormation", OtherPrincipal},
		{"another session of it", listed, "arn:aws:iam::111122223333:role/deploy/shop-exec", "AROAY:another", OtherPrincipal},
		{"another account", listed, "arn:aws:iam::444455556666:role/deploy/shop-exec", "AROAY:AWSCloudFormation", OtherAccount},
		{"not listed", shop().Project, "arn:aws:iam::111122223333:role/deploy/shop-exec", "AROAY:AWSCloudFormation", OtherPrincipal},
	} {
		d, a := identified(), record()
		d.Principal, a.Principal, a.User = executes, c.principal, c.user
		switch r := Record(shop().Build, c.p, d, a); {
		case c.want == "" && (!r.Proved || r.Refusal != nil):
			t.Errorf("%s: %+v", c.name, r)
		case c.want != "" && (r.Proved || r.Refusal == nil || r.Refusal.Rule != c.want):
			t.Errorf("%s: %+v, want %s", c.name, r, c.want)
		}
	}
}

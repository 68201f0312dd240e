package settings

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/buildmedic/buildmedic/internal/iampolicy"
)

const unscoping = `
version: 1
projects:
  - {name: shop, role: shared, mode: heal, write: {inline: p}, grants: [asked, kept]}
  - {name: web, role: shared}
grants:
  - {id: asked, because: b, owner: o, scope: project, unscoped: approve, actions: ["kms:Sign", "ecr:PutImage", "kms:GetPublicKey"],
     resources: ["arn:${partition}:kms:${region}:${account}:key/k", "arn:${partition}:ecr:${region}:${account}:repository/r"]}
  - {id: kept, because: b, owner: o, scope: project, actions: ["kms:Decrypt"],
     resources: ["arn:${partition}:kms:${region}:${account}:key/k"]}
`

// TestWholeRole ensures that only what the settings let a person approve leaves the scope, and of
// that only the one service's actions.
func TestWholeRole(t *testing.T) {
	s := mustParse(t, unscoping)
	whole := s.WholeRole("kms", []string{"asked", "kept", "other"})
	for _, row := range []struct {
		in   *Settings
		want map[string]bool // action: scoped
	}{
		{s, map[string]bool{"kms:Sign": true, "kms:GetPublicKey": true, "ecr:PutImage": true, "kms:Decrypt": true}},
		{whole, map[string]bool{"kms:Sign": false, "kms:GetPublicKey": false, "ecr:PutImage": true, "kms:Decrypt": true}},
		{s.WholeRole("kms", nil), map[string]bool{
			"kms:Sign": true, "kms:GetPublicKey": true, "ecr:PutImage": true, "kms:Decrypt": true,
		}},
	} {
		got := map[string]bool{}
		for _, st := range Max(row.in, row.in.Projects[0], home, "aws") {
			for _, a := range st.Action.List {
				got[a] = len(ScopeOf(st)) > 0
			}
		}
		if diff := cmp.Diff(row.want, got); diff != "" {
			t.Errorf("scoped: -want +got:\n%s", diff)
		}
	}
	doc := func(s *Settings, p Project) []iampolicy.Document {
		return []iampolicy.Document{{Version: "2012-10-17", Statements: Max(s, p, home, "aws")}}
	}
	open := *s
	open.Grants = slices.Clone(s.Grants)
	for i := range open.Grants {
		open.Grants[i].Scope = ScopeRole
	}
	if ok, what := iampolicy.Contains(doc(&open, s.Projects[0]), doc(whole, s.Projects[0])); !ok {
		t.Errorf("beyond scope: role: %s", what)
	}
}

// TestOffers ensures that nothing is offered for the whole role but what all grants' owners say,
// and where a policy is written.
func TestOffers(t *testing.T) {
	s := mustParse(t, unscoping)
	p, attach := s.Projects[0], s.Projects[0]
	attach.Write = Write{Attach: true}
	for _, row := range []struct {
		p    Project
		ids  []string
		want bool
	}{
		{p, []string{"asked"}, true}, {p, []string{"asked", "kept"}, false}, {p, []string{"kept"}, false},
		{p, []string{"gone"}, false}, {attach, []string{"asked"}, false},
	} {
		if got := row.p.Offers(s, row.ids); got != row.want {
			t.Errorf("%v with %+v: %v", row.ids, row.p.Write, got)
		}
	}
}

// TestUnscopedIsSomebodyElsesAtMost ensures that what a person may approve for the whole role counts
// as what its other projects can get: in tests of the settings, and in who is told of.
func TestUnscopedIsSomebodyElsesAtMost(t *testing.T) {
	s := mustParse(t, unscoping+`
tests:
  - {project: web, deny: "kms:Decrypt", on: "arn:aws:kms:eu-west-1:111122223333:key/k"}
  - {project: web, deny: "kms:Sign", on: "arn:aws:kms:eu-west-1:111122223333:key/k"}
`)
	got := RunTests(s, home, "aws")
	if len(got) != 1 || !strings.Contains(got[0].Message, "grant asked of project shop, which says unscoped: approve") {
		t.Errorf("%v", got)
	}
	said := func(s *Settings) bool {
		return slices.ContainsFunc(Surprises(s), func(p Problem) bool {
			return strings.HasPrefix(p.Message, "builds of project web may get") && strings.Contains(p.Message, "unscoped: approve")
		})
	}
	if !said(s) {
		t.Errorf("not told: %v", Surprises(s))
	}
	if hs := SharingOf(s, home).Holders(s.Projects[0]); len(hs) != 2 {
		t.Errorf("holders: %v", hs)
	}
	kept := mustParse(t, strings.Replace(unscoping, ", unscoped: approve", "", 1))
	if hs := SharingOf(kept, home).Holders(kept.Projects[0]); len(hs) != 1 {
		t.Errorf("holders of what is kept: %v", hs)
	}
	if said(kept) {
		t.Errorf("told of what is kept: %v", Surprises(kept))
	}
}

func TestUnscopedNeedsAScope(t *testing.T) {
	_, err := Parse([]byte(strings.Replace(unscoping, "scope: project, unscoped", "unscoped", 1)))
	if err == nil || !strings.Contains(err.Error(), "write scope: project") {
		t.Errorf("%v", err)
	}
}

package heal_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/heal"
)

const anywhere = "    versions:\n" +
	"      - {ref: refs/heads/main, commit: \"3333333333333333333333333333333333333333\"}\n" +
	"      - {ref: refs/heads/next, commit: \"4444444444444444444444444444444444444444\"}\n"

// deployed is a world in which each of two projects, with roles of their own, uploads something and then deploys
// with one other role, shop-exec. as is the form of what that role's denial says.
func deployed(as string) string {
	w := shop(2, anywhere)
	w = strings.Replace(w, "roles:\n", "roles:\n  - name: shop-exec\n", 1)
	call := `{run: cdk deploy, calls: [{action: "s3:PutObject", on: "arn:aws:s3:::stack/x", role: shop-exec, session: AWSCloudFormation` +
		as + `}]}`
	return strings.ReplaceAll(w, "aws s3 cp x s3://dist/x]", "aws s3 cp x s3://dist/x, "+call+"]")
}

// uploads is the world in which the projects' own roles may upload.
func uploads(world string) string {
	const may = `, {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::dist/*"}]`
	return strings.ReplaceAll(world, "["+logs+"]", "["+logs+may)
}

// deployedSettings list the other role for both, with a grant of its own.
func deployedSettings(limits string) string {
	s := shopSettings(2, limits)
	s = strings.ReplaceAll(s, "grants: [dist]}", "grants: [dist], "+
		"also_roles: [{role: shop-exec, grants: [stack], write: {inline: healed}}]}")
	return s + "  - {id: stack, because: The stack publishes., owner: team, actions: [\"s3:PutObject\"], " +
		"resources: [\"arn:${partition}:s3:::stack/*\"]}\n"
}

// TestOtherRoleIsHealed: a build that is denied something as its own role, and then as another role of its deployment,
// gives each what it lacks by a round of its own, under that role's own lease, budget and undo.
func TestOtherRoleIsHealed(t *testing.T) {
	s := open(t, deployed(""), deployedSettings("writes_per_role_per_day: 1"))
	c := s.fail("p0", "refs/heads/main")
	if c.Outcome != decide.Healed || len(c.Rounds) != 2 || c.Rounds[0].Decision.Plan.Changes().Name != "role-0" ||
		c.Rounds[1].Decision.Plan.Changes().Name != "shop-exec" {
		t.Fatalf("%s after %d rounds: %v", c.Outcome, len(c.Rounds), refusals(c))
	}
	if own, exec := s.inline("role-0"), s.inline("shop-exec"); !strings.Contains(own, "dist/x") || strings.Contains(own, "stack") ||
		!strings.Contains(exec, "stack/x") || strings.Contains(exec, "dist") {
		t.Errorf("policies: own %q, other %q", own, exec)
	}
	for _, role := range []string{"role-0", "shop-exec"} {
		if l := s.lease(role); l.Case != "" {
			t.Errorf("%q still has %s", l.Case, role)
		}
	}
	if got := heal.Changes(s.of(c.Rounds[0].Build.ID)); !slices.Equal(got,
		[]string{"inline policy healed of role shop-exec", "inline policy healed of role role-0"}) {
		t.Errorf("what stands: %q", got)
	}
	mail := strings.Join(strings.Fields(last(s.Sim.Notices()).ByProtocol["email"]), " ")
	if !strings.Contains(mail, "Role: shop-exec") {
		t.Errorf("the notice does not name the role:\n%s", mail)
	}
	a := s.do(fmt.Sprintf(`{"undo":{"case":%q,"by":"ana"}}`, c.ID))
	if !a.Done || s.inline("role-0") != "" || s.inline("shop-exec") != "" {
		t.Errorf("undo: %+v, own %q, other %q", a, s.inline("role-0"), s.inline("shop-exec"))
	}
}

// TestUndoHoldsForTheOtherRole: what a person took back from another role is given to it for no project that lists
// it, until a person lifts it.
func TestUndoHoldsForTheOtherRole(t *testing.T) {
	s := open(t, deployed(""), deployedSettings(""))
	c := s.fail("p0", "refs/heads/main")
	a := s.do(fmt.Sprintf(`{"undo":{"case":%q,"by":"ana"}}`, c.ID))
	if !a.Done {
		t.Fatalf("undo: %+v", a)
	}
	other := s.fail("p1", "refs/heads/main")
	if other.Outcome != decide.Failed || !slices.Equal(refusals(other), []string{"undone-by-a-person"}) || s.inline("shop-exec") != "" ||
		s.inline("role-1") == "" {
		t.Errorf("the other project: %s %v, other role %q, own %q", other.Outcome, refusals(other), s.inline("shop-exec"),
			s.inline("role-1"))
	}
	if a := s.do(`{"resume":{"grant":"stack","project":"p1"}}`); !a.Done {
		t.Errorf("lifted by the other project: %+v", a)
	}
	if c := s.fail("p1", "refs/heads/next"); c.Outcome != decide.Healed || s.inline("shop-exec") == "" {
		t.Errorf("after that: %s %v", c.Outcome, refusals(c))
	}
}

// TestOtherRoleWasNotHelped: what does not help another role is taken back from it, and what the build's own role
// was given before stays.
func TestOtherRoleWasNotHelped(t *testing.T) {
	w := strings.Replace(deployed(", as: old"), "buckets:\n",
		"buckets:\n  - {name: stack, policy: '{\"Statement\": [{\"Effect\": \"Deny\", "+
			"\"Principal\": \"*\", \"Action\": \"s3:PutObject\", \"Resource\": \"*\"}]}'}\n", 1)
	s := open(t, w, deployedSettings(""))
	c := s.fail("p0", "refs/heads/main")
	s.drain()
	c = s.of(c.Rounds[0].Build.ID)
	if c.Outcome != decide.Undone || s.inline("shop-exec") != "" || s.inline("role-0") == "" {
		t.Errorf("%s %v, other role %q, own %q", c.Outcome, refusals(c), s.inline("shop-exec"), s.inline("role-0"))
	}
}

// TestOtherRoleIsWrittenOnce: of two projects whose builds were denied the same as one other role, one write serves both.
func TestOtherRoleIsWrittenOnce(t *testing.T) {
	s := open(t, uploads(deployed("")), deployedSettings(""))
	a, b := s.start("p0"), s.start("p1")
	s.drain()
	first, second := s.of(a), s.of(b)
	if first.Outcome != decide.Healed || second.Outcome != decide.Healed || s.inline("role-0")+s.inline("role-1") != "" {
		t.Fatalf("%s %v and %s %v", first.Outcome, refusals(first), second.Outcome, refusals(second))
	}
	writes := 0
	for _, c := range s.Sim.Calls() {
		if c.Operation == "PutRolePolicy" {
			writes++
		}
	}
	if writes != 1 {
		t.Errorf("%d writes", writes)
	}
}

// TestApprovedForTheOtherRole: an approval is for the plan of one role; the plan names it.
func TestApprovedForTheOtherRole(t *testing.T) {
	s := open(t, uploads(deployed("")), strings.ReplaceAll(deployedSettings(""), "mode: heal", "mode: propose"))
	c := s.fail("p0", "refs/heads/main")
	p := c.Rounds[0].Decision.Plan
	if c.Outcome != decide.Proposed || p.Role != "arn:aws:iam::111122223333:role/shop-exec" || s.inline("shop-exec") != "" {
		t.Fatalf("%s for %q", c.Outcome, p.Role)
	}
	own := *p
	own.Role = "arn:aws:iam::111122223333:role/role-0"
	if own.Hash() == p.Hash() {
		t.Error("the hash is the same for another role")
	}
	if a := s.do(fmt.Sprintf(`{"approve":{"plan":%q}}`, p.Hash())); !a.Done {
		t.Fatalf("approve: %+v", a)
	}
	s.drain()
	if c = s.of(c.Rounds[0].Build.ID); c.Outcome != decide.Healed || s.inline("shop-exec") == "" || s.inline("role-0") != "" {
		t.Errorf("%s %v", c.Outcome, refusals(c))
	}
}

// TestEndsOfBothRoles: a grant that ends, given to a build's own role and then to another one of its deployment, has
// each of its ends reminded of.
func TestEndsOfBothRoles(t *testing.T) {
	set := strings.ReplaceAll(deployedSettings(""), "grants: [stack]", "grants: [dist]")
	set = strings.ReplaceAll(set, "resources: [\"arn:${partition}:s3:::dist/*\"]}",
		"resources: [\"arn:${partition}:s3:::dist/*\", \"arn:${partition}:s3:::stack/*\"], expires: 24h}")
	s := open(t, deployed(""), set)
	c := s.fail("p0", "refs/heads/main")
	if c.Outcome != decide.Healed || len(c.Rounds) != 2 {
		t.Fatalf("%s after %d rounds: %v", c.Outcome, len(c.Rounds), refusals(c))
	}
	for _, id := range []string{c.ID + " dist", c.ID + " dist shop-exec"} {
		if _, err := s.Store.Get(t.Context(), "expiry", id); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
	s.Sim.Clock.Advance(22 * time.Hour)
	s.do(`{"sweep":{}}`)
	if n := s.ofKind(decide.Expiring, ""); n != 2 {
		t.Errorf("%d reminders: %q", n, s.subjects())
	}
}

package heal_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/simaws"
)

// siblings is a world in which projects p0 and p1 run as the same role, and
// settings by which each writes to an inline policy of its own.
func siblings() (world, set string) {
	world = strings.ReplaceAll(shop(2, ""), "role: role-1", "role: role-0")
	set = strings.Replace(shopSettings(2, ""), "{name: p1, role: role-1, mode: heal, write: {inline: healed}",
		"{name: p1, role: role-0, mode: heal, write: {inline: healed1}", 1)
	return world, set
}

// TestEndedForTheRole: a grant that ended on a role is not given again, also not
// through another project that runs as this role.
func TestEndedForTheRole(t *testing.T) {
	world, set := siblings()
	set = strings.Replace(set, `resources: ["arn:${partition}:s3:::dist/*"]}`,
		`resources: ["arn:${partition}:s3:::dist/*"], expires: 24h}`, 1)
	s := open(t, world, set)
	id := s.start("p0")
	s.drain()
	if c := s.of(id); c.Outcome != decide.Healed {
		t.Fatalf("p0: %s %v", c.Outcome, refusals(c))
	}
	s.Sim.Clock.Advance(48 * time.Hour)
	for _, p := range []string{"p0", "p1"} {
		id = s.start(p)
		s.drain()
		if c := s.of(id); c.Outcome != decide.Reported || !slices.Equal(refusals(c), []string{"grant-expired"}) {
			t.Errorf("%s after the end: %s %v", p, c.Outcome, refusals(c))
		}
	}
	if in, _ := s.Sim.RolePolicies("", "role-0"); in["healed1"] != "" {
		t.Errorf("p1's policy: %s", in["healed1"])
	}
}

// scopedSiblings is a world in which p0 and p1 run as one role, and are given the same
// in the same policy, each for its own builds only.
func scopedSiblings() (world, set string) {
	world, set = siblings()
	set = strings.Replace(set, "inline: healed1", "inline: healed", 1)
	return world, strings.Replace(set, "owner: team,", "owner: team, scope: project,", 1)
}

// TestUndoLeavesTheSibling ensures that a grant for one project's builds is taken back
// from it alone, although a sibling was given the same in the same policy since.
func TestUndoLeavesTheSibling(t *testing.T) {
	world, set := scopedSiblings()
	s := open(t, world, set)
	ids := map[string]string{}
	for _, p := range []string{"p0", "p1"} {
		ids[p] = s.start(p)
		s.drain()
		c := s.of(ids[p])
		if c.Outcome != decide.Healed {
			t.Fatalf("%s: %s %v", p, c.Outcome, refusals(c))
		}
		if plan := c.Rounds[0].Decision.Plan; !plan.Scoped || len(plan.Holders) > 0 {
			t.Errorf("%s: scoped %t, held by %q", p, plan.Scoped, plan.Holders)
		}
	}
	both := s.inline("role-0")
	if strings.Count(both, `"Sid"`) != 1 || !strings.Contains(both, `project/p0"`) || !strings.Contains(both, `project/p1"`) {
		t.Fatalf("the policy of both: %s", both)
	}
	undo := func(p string) {
		t.Helper()
		if a := s.do(fmt.Sprintf(`{"undo":{"case":%q}}`, s.of(ids[p]).ID)); !a.Done {
			t.Fatalf("undo of %s: %s", p, a.Message)
		}
		s.Sim.Clock.Advance(time.Minute)
	}
	last := func(p string) string {
		t.Helper()
		s.start(p)
		s.drain()
		bs := s.Sim.Builds(p)
		return bs[len(bs)-1].Status
	}
	undo("p0")
	if now := s.inline("role-0"); strings.Contains(now, `project/p0"`) || !strings.Contains(now, `project/p1"`) {
		t.Errorf("after the undo: %s", now)
	}
	if p0, p1 := last("p0"), last("p1"); p0 != "FAILED" || p1 != "SUCCEEDED" {
		t.Errorf("after the undo, builds of p0 are %s and of p1 %s", p0, p1)
	}
	undo("p1")
	if now := s.inline("role-0"); now != "" {
		t.Errorf("in the end: %s", now)
	}
}

// TestUndoBesideAPerson ensures that an undo tells that a project still has what a person, who changed
// the policy at the same moment, wrote into it again.
func TestUndoBesideAPerson(t *testing.T) {
	world, set := scopedSiblings()
	s := open(t, world, set)
	ids := map[string]string{}
	for _, p := range []string{"p0", "p1"} {
		ids[p] = s.start(p)
		s.drain()
	}
	theirs := strings.Replace(s.inline("role-0"), `project/p1"`, `project/p1", "arn:aws:codebuild:eu-west-1:111122223333:project/p2"`, 1)
	s.Sim.Hook(func(c simaws.Call) simaws.Fault {
		if c.Operation == "PutRolePolicy" && c.Done {
			if err := s.Sim.PutRolePolicy("role-0", "healed", theirs); err != nil {
				t.Error(err)
			}
		}
		return simaws.Fault{}
	})
	a := s.do(fmt.Sprintf(`{"undo":{"case":%q}}`, s.of(ids["p0"]).ID))
	s.Sim.Unhook()
	if a.Done || !strings.Contains(a.Message, "at this moment") || s.inline("role-0") != theirs {
		t.Errorf("undo: %t %s, policy %s", a.Done, a.Message, s.inline("role-0"))
	}
}

// TestSiblingDoesNotFollow ensures that of two projects whose builds fail at one point,
// one is not started again because the other was given something for its own builds.
func TestSiblingDoesNotFollow(t *testing.T) {
	world, set := scopedSiblings()
	set = strings.Replace(set, "mode: heal, write: {inline: healed}, grants: [dist]}\ngrants", "mode: heal}\ngrants", 1)
	s := open(t, world, set)
	first, second := s.start("p0"), s.start("p1")
	s.drain()
	for range 3 {
		s.Sim.Clock.Advance(30 * time.Minute)
		s.do(`{"sweep":{}}`)
		s.drain()
	}
	if a, b := s.of(first), s.of(second); a.Outcome != decide.Healed || b.Outcome != decide.Reported {
		t.Errorf("p0 %s, p1 %s %v", a.Outcome, b.Outcome, refusals(b))
	}
	if n := len(s.Sim.Builds("p1")); n != 1 {
		t.Errorf("p1 was built %d times", n)
	}
}

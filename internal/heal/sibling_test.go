package heal_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/decide"
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

package heal_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/simaws"
)

// TestIncidentFlooded: whoever may open pull requests in one project cannot have another project's failure told of
// nowhere, or late, by filling the incident that both are in.
func TestIncidentFlooded(t *testing.T) {
	const flood = 25
	was := outage(t, 4, "0s", "incident_projects: 2", "")
	var refs strings.Builder
	for i := range flood {
		fmt.Fprintf(&refs, "{ref: pr/%d, commit: c%d}, ", i+1, i+1)
	}
	s := open(t, strings.ReplaceAll(string(was.Story.World), "{ref: pr/7}", strings.TrimSuffix(refs.String(), ", ")),
		string(was.Story.Settings))
	s.tokenExpired(3 * time.Hour)
	s.startAll(3, 5*time.Second)
	s.pass(2 * time.Minute)
	for i := range flood {
		from := simaws.Start{Project: "p0", Version: fmt.Sprintf("pr/%d", i+1), Initiator: "GitHub-Hookshot/abc"}
		if _, err := s.Sim.Run(from); err != nil {
			t.Fatal(err)
		}
		s.pass(20 * time.Second)
	}
	honest := s.start("p3")
	s.drain()
	c := s.of(honest)
	if c.Rounds[0].Incident == "" {
		t.Fatalf("it is in no incident: %s %v", c.Outcome, refusals(c))
	}
	var first time.Time
	for _, m := range s.Sim.Notices() {
		if strings.Contains(m.ByProtocol["sqs"], honest) {
			first = m.At
			break
		}
	}
	if first.IsZero() {
		t.Errorf("build %s is named in none of %d notices", honest, len(s.Sim.Notices()))
	} else if late := first.Sub(c.Rounds[0].Build.End); late > time.Hour {
		t.Errorf("build %s is told of after %s", honest, late)
	}
	for _, n := range s.incidents() {
		t.Logf("%s: %d builds of %v, %d named", n.At.Format("15:04"), n.Incident.Builds, n.Incident.Projects, len(n.Incident.Named))
	}
}

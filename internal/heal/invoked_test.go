package heal_test

import (
	"strings"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/simaws"
	"github.com/buildmedic/buildmedic/internal/story"
)

// TestInvokedPipeline: who started an execution is asked once, also where pull requests trigger nothing, and says whether
// its build is the team's own.
func TestInvokedPipeline(t *testing.T) {
	const (
		dev   = "assumed-role/dev/alice"
		build = "assumed-role/checks/AWSCodeBuild-8745a7a9-c340-456a-9166-edf953571b01"
	)
	for _, row := range []struct {
		name, by       string
		pulls, listed  bool
		denied, healed bool
		says           string // in the notice
	}{
		{name: "listed", by: dev, pulls: true, listed: true, healed: true},
		{name: "not listed", by: dev, pulls: true, says: "whom trust.starters does not list"},
		{name: "a build", by: build, pulls: true, listed: true, says: "commands of another build"},
		{name: "no pull requests", by: dev, healed: true},
		{name: "no pull requests, a build", by: build, says: "commands of another build"},
		{name: "no pull requests, not to be read", by: dev, denied: true, says: "codepipeline:GetPipelineExecution"},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := routed(t, "pull-request-pipeline-by-hand", func(s *story.Story) {
				s.World = []byte(strings.Replace(string(s.World), dev, row.by, 1))
				if !row.pulls {
					s.World = []byte(strings.Replace(string(s.World), "pull_requests: true", "pull_requests: false", 1))
				}
				if !row.listed {
					s.Settings = []byte(strings.Replace(string(s.Settings), ", trust: {starters: [dev]}", "", 1))
				}
			})
			s.Sim.Hook(func(c simaws.Call) simaws.Fault {
				if row.denied && c.Operation == "GetPipelineExecution" && !c.Done {
					return simaws.Fault{Code: "AccessDeniedException", Message: "User: x is not authorized to perform: " +
						"codepipeline:GetPipelineExecution on resource: y", Status: 400}
				}
				return simaws.Fault{}
			})
			s.under(time.Hour)
			want := decide.Reported
			if row.healed {
				want = decide.Healed
			}
			c := s.of(s.Sim.Builds("shop")[0].ID)
			if c.Outcome != want || (s.done("PutRolePolicy") > 0) != row.healed {
				t.Errorf("outcome %s, %d policies written", c.Outcome, s.done("PutRolePolicy"))
			}
			if n := s.done("GetPipelineExecution"); n > 1 {
				t.Errorf("%d calls for one execution", n)
			}
			told := ""
			for _, n := range s.Sim.Notices() {
				told += n.Message
			}
			if !strings.Contains(told, row.says) {
				t.Errorf("no notice says %q: %q", row.says, s.subjects())
			}
		})
	}
}

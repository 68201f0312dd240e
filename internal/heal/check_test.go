package heal_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/simaws"
)

// TestNotItsProject: nothing is given for a build that ran another thing than its project, nor where that is not
// known. A build that only overrode variables is healed.
func TestNotItsProject(t *testing.T) {
	for name, row := range map[string]struct {
		overrides, webhook string
		denied             bool
		outcome            decide.Kind
		rule, says         string
	}{
		"variables": {overrides: "environmentVariablesOverride: [{name: A, value: b}]", outcome: decide.Healed},
		"an image":  {overrides: "imageOverride: example/own", outcome: decide.Reported, rule: "overridden-build", says: "another image"},
		"a source":  {overrides: "sourceLocationOverride: x", outcome: decide.Reported, rule: "overridden-build", says: "another source"},
		"a role": {overrides: `serviceRoleOverride: "arn:aws:iam::111122223333:role/role-1"`, outcome: decide.Reported,
			rule: "overridden-build", says: "another service role"},
		"a runner":    {webhook: "PUSH, WORKFLOW_JOB_QUEUED", outcome: decide.Reported, rule: "runner-build", says: "any workflow"},
		"not read":    {denied: true, outcome: decide.Reported, rule: "overridden-build", says: "codebuild:BatchGetProjects"},
		"a plain one": {outcome: decide.Healed},
	} {
		t.Run(name, func(t *testing.T) {
			world := shop(2, "")
			if row.webhook != "" {
				world = strings.Replace(world, "  - name: p0\n", "  - name: p0\n    webhook: [[{type: EVENT, pattern: \""+row.webhook+
					"\"}]]\n", 1)
			}
			if row.overrides != "" {
				world += "\nstarts:\n  - {project: p0, version: refs/heads/main, overrides: {" + row.overrides + "}}\n"
			}
			s := open(t, world, shopSettings(1, ""))
			if row.denied {
				s.Sim.Hook(func(c simaws.Call) simaws.Fault {
					if c.Operation == "BatchGetProjects" {
						return simaws.Fault{Code: "AccessDeniedException", Status: 400,
							Message: "not authorized to perform: codebuild:BatchGetProjects"}
					}
					return simaws.Fault{}
				})
			}
			if row.overrides == "" {
				s.start("p0")
			}
			s.drain()
			c := s.of(s.Sim.Builds("p0")[0].ID)
			got := refusals(c)
			given := s.inline("role-0")+s.inline("role-1") != ""
			if c.Outcome != row.outcome || row.rule != "" && !slices.Contains(got, row.rule) || given != (row.outcome == decide.Healed) {
				t.Errorf("%s, refused by %v, policy %q", c.Outcome, got, s.inline("role-0"))
			}
			if n := strings.Join(strings.Fields(s.lastNotice()), " "); !strings.Contains(n, row.says) {
				t.Errorf("the notice does not say %q:\n%s", row.says, s.lastNotice())
			}
			if n := len(s.Sim.Builds("p0")); row.outcome == decide.Reported && n != 1 {
				t.Errorf("%d builds", n)
			}
		})
	}
}

package heal_test

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/simaws"
)

// sharedRole is a world in which p0 and p1 run as one role and may be asked to build
// pull requests, and settings of mode heal for p0 alone. says is of p0, hook of p1.
func sharedRole(says, hook string) (world, set string) {
	world = strings.ReplaceAll(shop(2, "    versions:\n"+
		"      - {ref: refs/heads/main, commit: \"3333333333333333333333333333333333333333\"}\n"+
		"      - {ref: pr/7, commit: \"2222222222222222222222222222222222222222\"}\n"), "role: role-1", "role: role-0")
	if hook != "" {
		world = strings.Replace(world, "  - name: p1\n", "  - name: p1\n    webhook: [[{type: EVENT, pattern: \""+hook+"\"}]]\n", 1)
	}
	set = strings.Replace(shopSettings(1, ""), "mode: heal", "mode: heal"+says, 1)
	return world, strings.Replace(set, "grants:\n", "  - {name: p1, role: role-0, mode: observe}\ngrants:\n", 1)
}

func (s *stage) startPullRequest(project string) {
	s.t.Helper()
	if _, err := s.Sim.Run(simaws.Start{Project: project, Version: "pr/7"}); err != nil {
		s.t.Fatal(err)
	}
	s.drain()
}

// TestSiblingsPullRequests ensures that for what is scoped to a project only its own
// builds of pull requests count: a sibling's do not have it.
func TestSiblingsPullRequests(t *testing.T) {
	for name, row := range map[string]struct {
		says, hook string
		pulls      []string
		outcome    decide.Kind
		notice     string
	}{
		"a sibling's were":      {"", "", []string{"p1"}, decide.Healed, "this project only: s3:PutObject"},
		"a sibling's may":       {"", "PULL_REQUEST_CREATED", nil, decide.Healed, "this project only: s3:PutObject"},
		"separate, a sibling's": {", pull_requests: separate-role", "PULL_REQUEST_CREATED", nil, decide.Healed, "this project only"},
		"its own were":          {"", "", []string{"p0"}, decide.Proposed, "project p0 built one on 2026-11-22"},
		"both were":             {"", "", []string{"p0", "p1"}, decide.Proposed, "project p0 built one on 2026-11-22"},
		"its own, which may have": {", pull_requests: accept", "", []string{"p0"}, decide.Healed,
			"only builds of project p0 have it now, pull requests included"},
	} {
		t.Run(name, func(t *testing.T) {
			world, set := sharedRole(row.says, row.hook)
			s := open(t, world, strings.Replace(set, "owner: team,", "owner: team, scope: project,", 1))
			for _, p := range row.pulls {
				s.startPullRequest(p)
			}
			id := s.start("p0")
			s.drain()
			c := s.of(id)
			if c.Outcome != row.outcome || (s.inline("role-0") != "") != (row.outcome == decide.Healed) {
				t.Errorf("%s, want %s; refusals %v; policy %q", c.Outcome, row.outcome, refusals(c), s.inline("role-0"))
			}
			n := strings.Join(strings.Fields(s.lastNotice()), " ")
			if !strings.Contains(n, row.notice) || strings.Contains(n, "project p1") || strings.Contains(n, "Everyone who runs") {
				t.Errorf("the notice does not say %q:\n%s", row.notice, s.lastNotice())
			}
		})
	}
}

// TestPullRequestsInheritNothing ensures that a grant that builds of pull requests
// would have, of this project or of another one on the role, is not made by itself
// unless the settings accept that.
func TestPullRequestsInheritNothing(t *testing.T) {
	for name, row := range map[string]struct {
		says, hook string
		pulls      []string // projects of which a build of a pull request has failed
		denied     bool     // the webhooks may not be read
		outcome    decide.Kind
		notice     string
	}{
		"none are built": {"", "PUSH", nil, false, decide.Healed,
			"Everyone who runs as role role-0 has it now: projects p0 and p1."},
		"its own were": {"", "", []string{"p0"}, false, decide.Proposed, "project p0 built one on 2026-11-22"},
		"a sibling's":  {"", "", []string{"p1"}, false, decide.Proposed, "project p1 built one on 2026-11-22"},
		"a sibling's may": {"", "PUSH, PULL_REQUEST_CREATED", nil, false, decide.Proposed,
			"the webhook of project p1 starts builds of them"},
		"it is not known": {"", "", nil, true, decide.Proposed, "whether they run as the role is not known"},
		"accepted": {", pull_requests: accept", "PULL_REQUEST_CREATED", []string{"p0", "p1"}, false, decide.Healed,
			"Everyone who runs as role role-0 has it now: projects p0 and p1, pull requests included, as the settings accept."},
		"contradicted": {", pull_requests: separate-role", "PULL_REQUEST_CREATED", nil, false, decide.Reported,
			"The settings say pull_requests: separate-role, and this says otherwise"},
		"separate, as it is": {", pull_requests: separate-role", "PUSH", nil, false, decide.Healed, "projects p0 and p1."},
	} {
		t.Run(name, func(t *testing.T) {
			world, set := sharedRole(row.says, row.hook)
			s := open(t, world, set)
			if row.denied {
				var asked atomic.Int32
				s.Sim.Hook(func(c simaws.Call) simaws.Fault {
					if !c.Done && c.Operation == "BatchGetProjects" && asked.Add(1) > 1 { // after its own project
						return simaws.Fault{Code: "AccessDeniedException", Status: 400,
							Message: "not authorized to perform: codebuild:BatchGetProjects"}
					}
					return simaws.Fault{}
				})
			}
			for _, p := range row.pulls {
				s.startPullRequest(p)
			}
			id := s.start("p0")
			s.drain()
			c := s.of(id)
			given := s.inline("role-0") != ""
			if c.Outcome != row.outcome || given != (row.outcome == decide.Healed) {
				t.Errorf("%s, want %s; refusals %v; policy %q", c.Outcome, row.outcome, refusals(c), s.inline("role-0"))
			}
			if n := strings.Join(strings.Fields(s.lastNotice()), " "); !strings.Contains(n, row.notice) {
				t.Errorf("the notice does not say %q:\n%s", row.notice, s.lastNotice())
			}
			if got := refusals(c); row.outcome == decide.Reported && !slices.Contains(got, "pull-requests") {
				t.Errorf("refused by %v", got)
			}
		})
	}
}

// TestPullRequestsOfAnApproval ensures that a person who approves knows what was
// known, and that a plan is asked for again once more is.
func TestPullRequestsOfAnApproval(t *testing.T) {
	world, set := sharedRole("", "PULL_REQUEST_CREATED")
	s := open(t, world, set)
	id := s.start("p0")
	s.drain()
	if a := s.do(fmt.Sprintf(`{"approve":{"plan":%q}}`, s.of(id).Rounds[0].Decision.Plan.Hash())); !a.Done {
		t.Fatalf("approve: %+v", a)
	}
	s.drain()
	if c := s.of(id); c.Outcome != decide.Healed || s.inline("role-0") == "" {
		t.Errorf("approved: %s, policy %q", c.Outcome, s.inline("role-0"))
	}

	world, set = sharedRole("", "")
	s = open(t, world, strings.Replace(set, "mode: heal", "mode: propose", 1))
	id = s.start("p0")
	s.drain()
	plan := s.of(id).Rounds[0].Decision.Plan.Hash()
	s.startPullRequest("p1")
	s.do(fmt.Sprintf(`{"approve":{"plan":%q}}`, plan))
	s.drain()
	if c := s.of(id); c.Outcome != decide.Proposed || s.inline("role-0") != "" {
		t.Errorf("the plan of a time when no pull requests were known: %s, policy %q", c.Outcome, s.inline("role-0"))
	}
}

// TestPullRequestsAreForgotten ensures that a build of a pull request counts for 30 days.
func TestPullRequestsAreForgotten(t *testing.T) {
	for days, want := range map[int]decide.Kind{29: decide.Proposed, 31: decide.Healed} {
		world, set := sharedRole("", "")
		s := open(t, world, set)
		s.startPullRequest("p1")
		s.Sim.Clock.Advance(time.Duration(days) * 24 * time.Hour)
		id := s.start("p0")
		s.drain()
		if c := s.of(id); c.Outcome != want {
			t.Errorf("after %d days: %s, want %s", days, c.Outcome, want)
		}
	}
}

package decide

import (
	"strings"
	"testing"

	"github.com/buildmedic/buildmedic/internal/diagnose"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// TestPullRequests ensures that nothing is given by itself that builds of pull requests
// would have, too, unless the settings accept that; and that no mode matters for it.
func TestPullRequests(t *testing.T) {
	built := guardrail.PullRequestBuilds{Read: true, Built: []string{"the webhook of project web starts builds of them"}}
	unread := guardrail.PullRequestBuilds{Read: true, Unread: "codebuild:BatchGetProjects is denied"}
	const refused, asks, given = "refused", "asks", "given"
	for name, row := range map[string]struct {
		says  settings.PullRequests
		known guardrail.PullRequestBuilds
		want  string
		told  PullRequests
	}{
		"none are built":                  {"", guardrail.PullRequestBuilds{Read: true}, given, PullRequestsNone},
		"built":                           {"", built, asks, PullRequestsBuilt},
		"not all could be read":           {"", unread, asks, PullRequestsUnknown},
		"nobody looked":                   {"", guardrail.PullRequestBuilds{}, asks, PullRequestsUnknown},
		"accepted":                        {settings.Accept, built, given, PullRequestsAccepted},
		"accepted, and nobody looked":     {settings.Accept, guardrail.PullRequestBuilds{}, given, PullRequestsAccepted},
		"separate, and none are built":    {settings.SeparateRole, guardrail.PullRequestBuilds{Read: true}, given, PullRequestsNone},
		"separate, and it cannot be read": {settings.SeparateRole, unread, asks, PullRequestsUnknown},
		"separate, and CodeBuild says no": {settings.SeparateRole, built, refused, ""},
	} {
		for _, remedy := range []string{"write: {inline: p}, grants: [image], pipelines: [shop-main]",
			"switch_role: ready, pipelines: [shop-main]"} {
			for _, mode := range []settings.Mode{settings.Observe, settings.Propose, settings.Heal} {
				f := pipelineFacts(t, remedy, diagnose.Grant)
				f.Project.Mode, f.Project.PullRequests, f.PullRequests = mode, row.says, row.known
				d, got := Decide(f), given
				switch {
				case d.Plan == nil:
					got = refused
				case d.Asks:
					got = asks
				}
				if got != row.want || d.Plan != nil && d.Plan.PullRequests != row.told {
					t.Errorf("%s, %s, mode %s: %s, want %s; %+v", name, remedy, mode, got, row.want, d)
				}
				if got == refused && (len(d.Refusals) != 1 || d.Refusals[0].Rule != guardrail.PullRequests) {
					t.Errorf("%s, %s: refused for another reason: %+v", name, remedy, d.Refusals)
				}
				if got == asks && !strings.Contains(d.Why, "pull_requests: accept") {
					t.Errorf("%s, %s: the reason does not name the setting: %s", name, remedy, d.Why)
				}
			}
		}
	}
}

package notice

import (
	"strings"
	"testing"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/guardrail"
)

// TestHolders ensures that each form of a notice says who else has what is given, as
// long as it is given or may be.
func TestHolders(t *testing.T) {
	const shared, role = "TrackerAPI, web and docs", "role " + trackerRole
	for name, row := range map[string]struct {
		outcome  decide.Outcome
		others   []string
		requests decide.PullRequests
		kind     guardrail.TargetKind
		want     string // "": nothing is said
	}{
		"nobody else": {trackerRetrying(), nil, decide.PullRequestsNone, "", ""},
		"other projects": {trackerRetrying(), []string{"web", "docs"}, decide.PullRequestsNone, "",
			"Everyone who runs as " + role + " has it now: projects " + shared + "."},
		"pull requests, approved": {trackerHealed(), nil, decide.PullRequestsBuilt, "",
			"Everyone who runs as " + role + " has it now: project TrackerAPI, pull requests included."},
		"both": {trackerRetrying(), []string{"web", "docs"}, decide.PullRequestsAccepted, "",
			"Everyone who runs as " + role + " has it now: projects " + shared + ", pull requests included, as the settings accept."},
		"not known": {trackerProposed(), nil, decide.PullRequestsUnknown, "",
			"Everyone who runs as " + role + " would have it: project TrackerAPI, and perhaps pull requests."},
		"observed": {trackerObserved(), []string{"web"}, decide.PullRequestsBuilt, "",
			"Everyone who runs as " + role + " would have it: projects TrackerAPI and web, pull requests included."},
		"a policy of several roles": {trackerRetrying(), []string{"web"}, decide.PullRequestsNone, guardrail.Managed,
			"Everyone who runs with policy CodeBuild-ECR-Permissions has it now: projects TrackerAPI and web."},
		"taken back": {trackerUndone(), []string{"web"}, decide.PullRequestsBuilt, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			o := row.outcome
			for _, r := range o.Case.Rounds {
				if p := r.Decision.Plan; p != nil {
					p.Holders, p.PullRequests = row.others, row.requests
					if row.kind != "" {
						p.Write.Kind = row.kind
					}
				}
			}
			m := Render(o)
			for form, text := range map[string]string{"e-mail": strings.Join(strings.Fields(m.Email), " "),
				"card": strings.ReplaceAll(m.Chat, "`", ""), "JSON": m.JSON} {
				said := strings.Contains(text, "Everyone who runs")
				if said != (row.want != "") || !strings.Contains(text, row.want) {
					t.Errorf("%s: want %q in\n%s", form, row.want, text)
				}
			}
		})
	}
}

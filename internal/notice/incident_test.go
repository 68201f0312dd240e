package notice

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/diagnose"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// incidentOf is the outcome of an incident that six projects are in; with over, it has ended.
func incidentOf(g diagnose.Diagnosis, over bool) decide.Outcome {
	r := decide.Round{Build: build("shop", "codebuild-shop", "INSTALL", command("npm ci")), Step: decide.StepJoined, Diagnosis: &g,
		Started: after(5 * time.Second)}
	o := outcome(decide.OfIncident, after(time.Minute), trackerSettings(), r)
	t := &decide.Tally{Name: "5d1f0c9ab2e37468-1", Sign: decide.Sign{Cause: g.Cause, Remedy: g.Remedy, What: "npm.example.com"},
		Opened: after(10 * time.Second), Waits: g.Remedy == diagnose.Retry}
	for i, project := range []string{"shop", "cart", "checkout", "search", "site", "mail"} {
		one := decide.Follower{Case: fmt.Sprintf("5f2c9a7be01d4c%02d", i), Project: project,
			Build: fmt.Sprintf("%s:1b7e6a52-3c4d-4e5f-8a9b-0c1d2e3f4a%02d", project, i)}
		if over && i < 5 {
			one.Outcome = decide.Healed
		} else if over {
			one.Outcome = decide.Failed
		}
		t.All.Add(one)
	}
	if over {
		t.Again, t.Probes, t.End, t.Ended = true, 3, decide.EndGreen, after(42*time.Minute)
		o.At = t.Ended
	}
	o.Incident = t
	return o
}

func outageIncident(over bool) decide.Outcome {
	return incidentOf(diagnose.Diagnosis{Cause: "network-failure", Title: "The network failed", Remedy: diagnose.Retry, Retryable: true,
		Evidence: diagnose.Evidence{Line: 31, Origin: buildlog.FromLog,
			Text: "npm ERR! network request to https://npm.example.com/left-pad failed, reason: connect ETIMEDOUT"},
		Advice: "Start the build again. If it recurs in a VPC, check NAT gateway, routes and security group; otherwise the remote " +
			"host's status page.",
		Denials: []buildlog.Denial{}, Excerpt: []buildlog.Line{}, Fingerprint: "8f0e6ad1b2c35790"}, over)
}

func tokenIncident() decide.Outcome {
	return incidentOf(diagnose.Diagnosis{Cause: "npm-unauthorized", Title: "The npm registry refuses the login", Remedy: diagnose.Report,
		Evidence: diagnose.Evidence{Line: 31, Origin: buildlog.FromLog,
			Text: "npm ERR! 401 Unauthorized - GET https://npm.example.com/@shop%2fui - Access token expired or revoked"},
		Advice:  "Set the registry's token for exactly this registry in .npmrc from a secret.",
		Denials: []buildlog.Denial{}, Excerpt: []buildlog.Line{}, Fingerprint: "8f0e6ad1b2c35790"}, false)
}

// TestIncidentForOwner ensures that an owner is told of its own projects alone, and is not shown what
// the build of somebody else's project printed.
func TestIncidentForOwner(t *testing.T) {
	o := outageIncident(false)
	o.Settings.Notify.Owners = []settings.Owner{{Name: "carts", Email: []string{"carts@example.com"}}}
	part := decide.Followers{}
	part.Add(o.Incident.All.Named[1])
	o.Incident.Owners = []decide.OwnersPart{{Owner: "carts", Part: part}}
	to := decide.Audiences(o)
	if len(to) != 2 || to[0] != (decide.Audience{Owner: "carts", Guest: true}) || to[1] != (decide.Audience{}) {
		t.Fatalf("audiences: %+v", to)
	}
	for _, a := range to {
		o.For = a
		m := Render(o)
		for _, text := range []string{m.Email, m.Chat, m.JSON, m.Default, m.Report} {
			others := strings.Contains(text, "checkout") || strings.Contains(text, "left-pad")
			if others != (a.Owner == "") && text != m.Default {
				t.Errorf("for %q, all is there: %v\n%s", a.Owner, others, text)
			}
		}
		if !strings.Contains(m.Email, "cart:") {
			t.Errorf("for %q, its own build is not there:\n%s", a.Owner, m.Email)
		}
	}
}

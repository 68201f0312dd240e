package main

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/buildmedic/buildmedic/internal/settings"
)

// livePullRequests warns of projects whose grants land on a role that builds of pull
// requests run as, by the webhooks of the caller's account and region. Projects of
// other accounts and regions are not read, and it says so.
func livePullRequests(ctx context.Context, data []byte, stderr io.Writer) (warnings []settings.Problem, err error) {
	s, err := settings.Parse(data)
	if err != nil {
		return nil, err
	}
	d, err := openReader(ctx, stderr)
	if err != nil {
		return nil, err
	}
	local := func(p settings.Project) bool {
		return (p.Account == "" || p.Account == d.home.ID) && (p.Region == "" || p.Region == d.home.Region)
	}
	var names []string
	for _, p := range s.Projects {
		if local(p) {
			names = append(names, p.Name)
		}
	}
	found, err := d.codebuild.Read(ctx, d.home, names)
	if err != nil {
		return nil, fmt.Errorf("reading the projects' webhooks: %w", err)
	}
	var built []string
	for _, p := range found {
		if p.Webhook.BuildsPullRequests() {
			built = append(built, p.Name)
		}
	}
	sharing := settings.SharingOf(s, d.home)
	for i, p := range s.Projects {
		if len(p.Grants) == 0 && len(p.AlsoRoles) == 0 && p.SwitchRole == "" || p.PullRequests == settings.Accept {
			continue
		}
		say := func(format string, args ...any) {
			warnings = append(warnings, settings.Problem{Line: p.Line, Path: fmt.Sprintf("projects[%d].pull_requests", i),
				Message: fmt.Sprintf(format, args...)})
		}
		var builders, elsewhere []string
		for _, r := range p.Roles() {
			for _, q := range sharing.Holders(r) {
				switch {
				case slices.Contains(builders, q.Name), slices.Contains(elsewhere, q.Name):
				case !local(q):
					elsewhere = append(elsewhere, q.Name)
				case slices.Contains(built, q.Name):
					builders = append(builders, q.Name)
				}
			}
		}
		switch {
		case len(builders) > 0 && p.PullRequests == settings.SeparateRole:
			say("project %s says separate-role, and the webhook of project %s starts builds of pull requests, which would "+
				"have what is granted: so it is refused", p.Name, listSome(builders, 5))
		case len(builders) > 0:
			say("the webhook of project %s starts builds of pull requests, which would have what project %s is given: so "+
				"each grant waits for an approval until this says accept", listSome(builders, 5), p.Name)
		case len(elsewhere) > 0:
			say("whether project %s builds pull requests was not read: it is in another account or region", listSome(elsewhere, 5))
		}
	}
	return warnings, nil
}

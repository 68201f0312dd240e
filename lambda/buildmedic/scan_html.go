package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/webpage"
)

// page is the report as a page shows it.
func (r scanned) page(s scan, o scanOptions) webpage.Report {
	p := webpage.Report{
		Kind:     webpage.Scan,
		Account:  r.Account,
		Region:   r.Region,
		Made:     deskClock.Now(),
		From:     s.from,
		To:       s.until,
		Projects: r.Projects,
		Most:     o.most,
		Cut:      len(r.Full) > 0 || !r.Complete,
		Notes:    r.notes(o),
		Causes:   causeTerms(),
		Whys:     ruleTerms(),
		Settings: r.Settings,
	}
	for rem, cure := range cures {
		p.Whys[string(rem)] = webpage.Term{Meaning: strings.TrimSuffix(cure, byMode)}
	}
	projects := map[deniedAction][]string{}
	for _, b := range r.builds {
		one := webpage.Build{
			Project: b.project,
			Cause:   b.Cause,
			Why:     string(b.Remedy),
			End:     b.End,
			Seconds: b.Seconds,
			Green:   b.green,
		}
		switch {
		case b.Refused != "":
			one.Class, one.Why = webpage.Other, string(b.Refused)
		case !b.actable():
			one.Class = webpage.Rest
		}
		p.Builds = append(p.Builds, one)
		for _, d := range b.Denied {
			if !slices.Contains(projects[d], b.project) {
				projects[d] = append(projects[d], b.project)
			}
		}
	}
	for _, d := range r.Denied {
		p.Denied = append(p.Denied, webpage.Denied{Action: d.Action, Resource: d.Resource, Builds: d.Count,
			Projects: projects[d.deniedAction], Never: never(buildlog.Denial{Action: d.Action})})
	}
	if r.Failures == r.Unread {
		p.Settings = ""
	}
	return p
}

// notes are what a reader must know first.
func (r scanned) notes(o scanOptions) (out []string) {
	if !r.Complete {
		out = append(
			out,
			fmt.Sprintf(
				"This is a part: the scan ended early, with %d of %s read.",
				r.Read,
				count(r.Projects, "project"),
			),
		)
	}
	if n := len(r.Full); n > 0 {
		out = append(out, fmt.Sprintf("In %s the limit of %d failed builds (-n) was reached: what failed there "+
			"before is not counted, so the "+
			"first days show too little. -n %d reads more.", count(n, "project"), o.most, 10*o.most))
	}
	for _, w := range r.UnreadBecause {
		out = append(
			out,
			fmt.Sprintf("%s could not be read, and those builds are not counted: %s", count(w.Count, "log"), w.Why),
		)
	}
	for _, u := range r.Unreadable {
		out = append(out, fmt.Sprintf("Project %s could not be read: %s", u.Project, u.Why))
	}
	if r.WebhooksUnread != "" {
		out = append(out, "Which webhooks start builds of pull requests could not be read: "+r.WebhooksUnread)
	}
	return out
}

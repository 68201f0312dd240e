package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/webpage"
)

// pageCases is how many cases a page looks at, the open and the newest.
const pageCases = 10_000

// outcomeTerms explain what became of a case.
var outcomeTerms = map[decide.Kind]string{
	decide.Healed:        "The build that was started again is green.",
	decide.Proposed:      "A plan was stored for somebody's approval.",
	decide.Requested:     "Pull requests ask for it in the code that owns the role's policy.",
	decide.Reported:      "Explained; nothing was changed.",
	decide.Undone:        "What was changed did not help, or was not wanted, and was taken back.",
	decide.Failed:        "Something was tried, and the build still fails.",
	decide.MadePermanent: "Code gives it now; what was written in IAM for the time being was taken out again.",
	heal.Open:            "Not over yet.",
}

// writeHistory writes the page of what the ledger remembers of so many days.
func writeHistory(ctx context.Context, h *heal.Healer, project string, from time.Time, page *pageFile) error {
	now := deskClock.Now()
	r := webpage.Report{Kind: webpage.History, Project: project, Made: now, From: from, To: now,
		Causes: causeTerms(), Whys: ruleTerms()}
	for k, words := range outcomeTerms {
		r.Whys[string(k)] = webpage.Term{Meaning: words}
	}
	if h.Settings != nil {
		for _, c := range h.Settings.Causes {
			r.Causes[c.Name] = webpage.Term{Meaning: c.Title + "."}
		}
	}
	// The clocks of CodeBuild and of this machine may differ a little.
	builds, cut, err := h.FailedBuilds(ctx, project, r.From, now.Add(time.Minute))
	if err != nil {
		return err
	}
	slices.SortFunc(builds, func(a, b decide.FailedBuild) int {
		if c := a.End.Compare(b.End); c != 0 {
			return c
		}
		return strings.Compare(a.Project+a.ID, b.Project+b.ID)
	})
	if r.Cut = cut; cut {
		r.Notes = append(r.Notes, "Of some project more builds failed than are remembered: the last 200 are. "+
			"What failed there before is not "+
			"counted, so the first days show too little.")
	}
	homes := map[[2]string]bool{}
	for _, b := range builds {
		homes[[2]string{b.Account, b.Region}] = true
		r.Account, r.Region = b.Account, b.Region
	}
	for _, b := range builds {
		one := webpage.Build{
			Project: b.Project,
			Cause:   b.Cause,
			Class:   webpage.Rest,
			End:     b.End,
			Seconds: int(b.Took / time.Second),
			Green:   b.Green,
		}
		switch {
		case b.Own && !b.Green.IsZero():
			one.Class = webpage.Best
		case !b.Green.IsZero():
			one.Class = webpage.Other
		}
		if len(homes) > 1 {
			one.Project += " (" + b.Account + ", " + b.Region + ")"
		}
		r.Builds = append(r.Builds, one)
	}
	if len(homes) > 1 {
		r.Account, r.Region = "", ""
	}
	cases, err := h.History(ctx, project, pageCases)
	if err != nil {
		return err
	}
	if len(cases) == pageCases {
		r.Notes = append(r.Notes, fmt.Sprintf("The %d newest cases are looked at; there may be more.", pageCases))
	}
	for _, c := range cases {
		if one := caseOf(c, now); one.Waits || !c.Opened.Before(r.From) {
			r.Cases = append(r.Cases, one)
		}
	}
	tests, err := h.Flaky(ctx, project, 1000)
	if err != nil {
		return err
	}
	for _, t := range tests {
		name := t.Name
		if t.Suite != "" {
			name = t.Suite + " › " + t.Name
		}
		r.Flaky = append(
			r.Flaky,
			webpage.Flaky{Project: t.Project, Test: name, Flaked: t.Flaked, Builds: t.Builds, Seconds: t.Seconds,
				Last: t.LastFlaked, Broken: t.Broken},
		)
	}
	return page.write(r)
}

// caseOf is a case as a page shows it. A plan waits for its approval until its time is over, and what
// is asked for by a pull request waits until that is merged and deployed, or closed.
func caseOf(c heal.Summary, now time.Time) webpage.Case {
	one := webpage.Case{ID: c.Case, Project: c.Project, Cause: c.Cause, Outcome: string(c.Outcome), Opened: c.Opened,
		Waits: c.Outcome == heal.Open || c.Outcome == decide.Requested, Changed: c.Changed}
	if c.Outcome == decide.Proposed {
		one.Until, one.Waits = c.Until, c.Until.IsZero() || now.Before(c.Until)
	}
	for _, rule := range c.Refused {
		one.Refused = append(one.Refused, string(rule))
	}
	return one
}

package main

import (
	"strings"
	"time"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/diagnose"
	"github.com/buildmedic/buildmedic/internal/floor"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// greens are the green builds of a project, by what they are of a series of: see [heal.LineOf].
type greens map[string][]stretch

type stretch struct{ start, end time.Time }

// seriesOf is "" for the builds of a batch: the others are of the same name, and of other things.
func seriesOf(b codebuild.Build) string {
	if b.BatchARN != "" {
		return ""
	}
	return heal.LineOf(b.Asked())
}

func (g greens) add(b codebuild.Build) {
	if line := seriesOf(b); b.Status == codebuild.Succeeded && line != "" && !b.End.IsZero() {
		g[line] = append(g[line], stretch{b.Start, b.End})
	}
}

// next is the end of the green build that ended first of those that began after the failed build
// had ended; zero if there is none.
func (g greens) next(failed codebuild.Build) (end time.Time) {
	for _, one := range g[seriesOf(failed)] {
		if !failed.End.IsZero() && !one.start.Before(failed.End) && (end.IsZero() || one.end.Before(end)) {
			end = one.end
		}
	}
	return end
}

// refusal is the first rule that refuses to act on the build, whatever a grant allows; "" if none
// does as far as the build and its log tell.
func refusal(b codebuild.Build, d diagnose.Diagnosis) guardrail.Rule {
	if d.Remedy == diagnose.Report || d.Remedy == diagnose.Ignore {
		return ""
	}
	role, _ := b.Role()
	p := settings.Project{Name: b.Project, Role: role.PathName()}
	if no := guardrail.RefuseUntrusted(b, p); no != nil {
		return no.Rule
	}
	if d.Remedy != diagnose.Grant {
		return ""
	}
	in := guardrail.Input{Project: p, Build: b}
	for _, den := range d.Denials {
		if den.Causal {
			in.Denials = append(in.Denials, den)
		}
	}
	if no := guardrail.Identify(in); len(no) > 0 {
		return no[0].Rule
	}
	for _, den := range in.Denials {
		if never(den) != "" {
			return guardrail.FloorNever
		}
	}
	return ""
}

// never says why no setting can allow what was denied; "" if one can.
func never(d buildlog.Denial) string {
	if !strings.Contains(d.Action, ":") {
		return "" // the text does not say which action
	}
	hard, why := floor.Of(d.Action)
	if hard != floor.Never {
		return ""
	}
	return why
}

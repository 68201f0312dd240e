package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/observe"
)

// text is the report: where it is known from, and what became of each grant.
func (o observedFound) text(file string, width int) string {
	var b strings.Builder
	for _, s := range o.Sources {
		span := ""
		if !s.From.IsZero() {
			span = fmt.Sprintf(" (%s to %s)", s.From.UTC().Format("2006-01-02"), s.To.UTC().Format("2006-01-02"))
		}
		hanging(&b, width, fmt.Sprintf("%s%s: %s", s.Name, span, plain(s.Says)))
	}
	if len(o.Grants) == 0 {
		b.WriteString("No grant has a set or a pattern, or is shared by its role, so there is nothing to narrow.\n")
	}
	for _, g := range o.Grants {
		b.WriteString("\n")
		hanging(&b, width, fmt.Sprintf("%s:%d: grant %s: %s", file, g.Line, g.Grant, g.verdict(o.Needed)))
		if g.State == observe.Few {
			continue
		}
		if g.Scope != "" {
			hanging(&b, width, "  scope: "+plain(g.Scope))
		}
		for _, list := range [][]observe.Part{alikeParts(g.Actions), g.Resources} {
			for _, p := range list {
				b.WriteString(partText(p, width))
			}
		}
	}
	asked := slices.ContainsFunc(o.Sources, func(s observedSource) bool { return s.Name == trailName })
	if !asked && slices.ContainsFunc(o.Grants, observedGrant.untold) {
		b.WriteString("\nWhat no case tells may be in CloudTrail: -trail looks it up.\n")
	}
	if len(o.Grants) > 0 && o.Diff != "" {
		b.WriteString("\nThe narrower grants as a patch, for `git apply` or `patch -p1`. Nothing was changed.\n")
	}
	return b.String()
}

// untold reports whether something of the grant may be unused, and the cases do not tell.
func (g observedGrant) untold() bool {
	return g.State != observe.Few && slices.ContainsFunc(g.Actions, func(p observe.Part) bool { return p.Kept() && p.Why != "used" })
}

// verdict says in a sentence what became of the grant.
func (g observedGrant) verdict(needed int) string {
	var builds []string
	for _, c := range g.Builds {
		n := fmt.Sprintf("%d", c.Builds)
		if c.Builds < needed {
			n += fmt.Sprintf(" of %d", needed)
		}
		builds = append(builds, n+" of project "+c.Project)
	}
	known := listSome(builds, 5)
	switch {
	case len(g.Builds) == 0 && g.Why != "":
		return g.Why
	case len(g.Builds) == 0:
		return "no project has it, so it can go"
	case g.State == observe.Few:
		return "too few green builds are known: " + known
	case g.State == observe.Tight && g.Why != "":
		return g.Why + "; green builds: " + known
	case g.State == observe.Tight:
		return "nothing of it is known to be unused; green builds: " + known
	case g.State == observe.Unused:
		return "nothing of it was used, so it can go if nobody knows better; green builds: " + known
	case g.ByHand != "":
		return "less would have been enough; green builds: " + known + ". Change it by hand: " + g.ByHand
	}
	return "less would have been enough; green builds: " + known
}

// alikeParts puts together what stays for one reason.
func alikeParts(parts []observe.Part) (out []observe.Part) {
	for _, p := range parts {
		i := slices.IndexFunc(out, func(o observe.Part) bool { return len(o.Now) == 1 && len(p.Now) == 1 && o.Why == p.Why })
		if i < 0 {
			out = append(out, p)
			continue
		}
		out[i].Was += ", " + p.Was
		out[i].Now = []string{out[i].Was}
	}
	return out
}

// partText is a line, or a few, for an action or a resource.
func partText(p observe.Part, width int) string {
	sign, why := "    ", ""
	if !p.Kept() {
		sign = "  - "
	}
	if p.Why != "" && (p.Kept() || len(p.Now) == 0) {
		why = ": " + p.Why
	}
	var b strings.Builder
	for i, l := range wrapped(p.Was+why, width-6) {
		b.WriteString([]string{sign, "      "}[min(i, 1)] + plain(l) + "\n")
	}
	if !p.Kept() {
		for _, n := range p.Now {
			b.WriteString("  + " + plain(n) + "\n")
		}
	}
	return b.String()
}

package guardrail

import (
	"fmt"
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// inPieces bounds what is given one by one. A grant with give: exact on a pattern
// gives each resource that is denied a place in the policy, and whoever runs code
// in a build chooses how many there are and how long their names. So a case gets
// only some, and a project's may take only a share of the policy's quota. Beyond
// either, the picks give the patterns in their place, and offer says why: that is
// for a person to approve. n is how many resources are given one by one.
func inPieces(in Input, gs []grant, picks []pick) (out []pick, n int, offer string) {
	if in.Settings == nil {
		return picks, 0, ""
	}
	before := atTarget(in)
	var fresh []string
	var ids []string
	held := heldPieces(gs, before)
	for _, p := range picks {
		for _, st := range p.statements {
			for _, part := range pairs(st) {
				if !p.grant.piece(part) || there(part, before) {
					continue
				}
				held = joinStatement(held, part)
				// A log group's two names are one resource.
				if r := strings.TrimSuffix(part.Resource.List[0], ":*"); !slices.Contains(fresh, r) {
					fresh = append(fresh, r)
				}
				if !slices.Contains(ids, p.grant.ID) {
					ids = append(ids, p.grant.ID)
				}
			}
		}
	}
	if len(fresh) == 0 {
		return picks, 0, ""
	}
	l := in.Settings.Limits
	quota := maxInlineSum
	if in.Project.Write.Managed != "" {
		quota = maxManaged
	}
	of := "grant " + strings.Join(ids, " and grant ")
	switch size := iampolicy.Size(document(held...)[0].Canonical()); {
	case in.Given+len(fresh) > l.NewResources:
		offer = fmt.Sprintf("The builds of this commit were denied %d resources that %s covers by a pattern, more than "+
			"limits.new_resources_per_case (%d)", in.Given+len(fresh), of, l.NewResources)
	case size*100 > l.PieceShare*quota:
		offer = fmt.Sprintf("One by one, the resources of %s would take %d of the policy's %d characters, more than "+
			"limits.quota_share_per_project (%d%%)", of, size, quota, l.PieceShare)
	default:
		return picks, len(fresh), ""
	}
	for _, p := range picks {
		out = append(out, p.wide())
	}
	return out, 0, offer + ": so none is given by itself, and the grant's own pattern is offered for approval."
}

// atTarget is the document at the place to write to, as far as it can be read.
func atTarget(in Input) iampolicy.Document {
	text := in.Role.Inline[in.Project.Write.Inline]
	if in.Project.Write.Managed != "" && in.Role.Named != nil {
		text = in.Role.Named.Document
	}
	d, err := iampolicy.ParseLoose([]byte(text))
	if err != nil {
		return iampolicy.Document{Version: "2012-10-17"} // what is not readable is refused when it is written
	}
	return d
}

// there reports whether the document gives the same, or gave it until some time.
func there(part iampolicy.Statement, d iampolicy.Document) bool {
	if ok, _ := iampolicy.Contains([]iampolicy.Document{d}, document(part)); ok {
		return true
	}
	_, found := given(part, []iampolicy.Document{d})
	return found
}

// heldPieces is what of the document grants gave one by one.
func heldPieces(gs []grant, d iampolicy.Document) (out []iampolicy.Statement) {
	for _, st := range d.Statements {
		if st.Effect != "Allow" {
			continue
		}
		for _, part := range pairs(st) {
			if slices.ContainsFunc(gs, func(g grant) bool { return g.piece(part) && g.ofUs(part) }) {
				out = joinStatement(out, part)
			}
		}
	}
	return out
}

// ofUs reports whether the statement is not for the builds of other projects alone.
func (g grant) ofUs(part iampolicy.Statement) bool {
	others := settings.ScopeOf(part)
	return len(others) == 0 || slices.ContainsFunc(g.statements, func(st iampolicy.Statement) bool {
		return slices.ContainsFunc(settings.ScopeOf(st), func(arn string) bool { return slices.Contains(others, arn) })
	})
}

// piece reports whether what the statement gives, one action on one resource, is
// one of many things that a pattern of the grant covers.
func (g grant) piece(part iampolicy.Statement) bool { return g.pattern(part) != "" }

// pattern is the grant's resource that covers what the statement gives; "" if
// none does, if the grant names that very resource, or gives all at once anyway.
func (g grant) pattern(part iampolicy.Statement) (pattern string) {
	if g.whole() {
		return ""
	}
	action, resource := part.Action.List[0], part.Resource.List[0]
	for _, st := range g.statements {
		if !slices.Contains(st.Action.List, action) {
			continue
		}
		for _, p := range st.Resource.List {
			switch {
			case p == resource:
				return ""
			case pattern == "" && iampolicy.PatternWithin(resource, p):
				pattern = p
			}
		}
	}
	return pattern
}

// wide gives the grant's own patterns in place of each resource that they cover.
func (p pick) wide() pick {
	out := pick{grant: p.grant, evidence: p.evidence, pieces: p.statements}
	for _, st := range p.statements {
		for _, part := range pairs(st) {
			r := part.Resource.List[0]
			if pattern := p.grant.pattern(part); pattern != "" {
				r = pattern
			}
			out.statements = joinStatement(out.statements, iampolicy.Allow(st.Sid, part.Action.List, []string{r}, st.Condition...))
		}
	}
	return out
}

// offerRefusals holds patterns that are offered in place of what was denied
// against the floor: they reach more than that.
func offerRefusals(in Input, picks []pick) (out []Refusal) {
	for _, p := range picks {
		if p.pieces == nil {
			continue
		}
		for _, st := range p.statements {
			if r := keepsFloor(in, p.grant, buildlog.Denial{Action: st.Action.List[0], Resource: st.Resource.List[0]},
				[]iampolicy.Statement{st}); r != nil {
				out = append(out, *r)
			}
		}
	}
	return out
}

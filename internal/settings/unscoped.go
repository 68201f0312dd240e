package settings

import (
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/iampolicy"
)

// WholeRole gives the settings as they are once persons approve that the grants with these ids are,
// for actions of the service, everybody's who runs as the role: those that are scoped and say
// unscoped: approve. It is the only way beyond a scope, and the settings' own.
func (s *Settings) WholeRole(service string, ids []string) *Settings {
	out := *s
	out.Grants = slices.Clone(s.Grants)
	for i, g := range out.Grants {
		if g.Scoped() && g.Unscoped == UnscopedApprove && slices.Contains(ids, g.ID) {
			out.Grants[i].Unsent = append(slices.Clone(g.Unsent), service)
		}
	}
	return &out
}

// wholeRole reports whether the grant gives the action to the whole role although it is scoped.
func (g Grant) wholeRole(action string) bool {
	service, _, _ := strings.Cut(action, ":")
	return slices.Contains(g.Unsent, service)
}

// scopeOn gives the scope of a statement on the actions, all of which or none are the whole role's.
func (g Grant) scopeOn(actions []string, scope []iampolicy.Condition) []iampolicy.Condition {
	if g.wholeRole(actions[0]) {
		return nil
	}
	return scope
}

// atMost gives the settings as they are at most: with all that persons may approve.
func (s *Settings) atMost() *Settings {
	out := *s
	out.Grants = slices.Clone(s.Grants)
	for i, g := range out.Grants {
		if g.Unscoped == UnscopedApprove {
			out.Grants[i].Scope = ScopeRole
		}
	}
	return &out
}

// Offers reports whether what the grants give may be offered for the whole role. A ready-made
// policy is as it was deployed.
func (p Project) Offers(s *Settings, ids []string) bool {
	return !p.Write.Attach && !slices.ContainsFunc(ids, func(id string) bool {
		g, ok := s.Grant(id)
		return !ok || !g.Scoped() || g.Unscoped != UnscopedApprove
	})
}

package observe

import (
	"strings"

	"github.com/buildmedic/buildmedic/internal/settings"
)

// scope says whose builds may have the grant. It is for its project's own only if no other one that
// runs as the role used what it gives, and CloudTrail would have told.
func scope(g settings.Grant, ps []Project, least int) (settings.Scope, string) {
	if g.Scoped() || len(ps) != 1 || len(ps[0].Siblings) == 0 {
		return g.Scope, ""
	}
	if len(g.PassRoles) > 0 {
		return g.Scope, "it stays for every project on the role: which roles are passed, CloudTrail does not tell"
	}
	var names []string
	for _, q := range ps[0].Siblings {
		if why := mayUse(g, q, least); why != "" {
			return g.Scope, "it stays for every project on the role: " + why
		}
		names = append(names, q.Name)
	}
	return settings.ScopeProject, "project " + strings.Join(names, ", ") + " runs as the same role, and used nothing of it"
}

// mayUse says why a project may need what the grant gives to another one; "" if it does not.
func mayUse(g settings.Grant, q Project, least int) string {
	if n := len(set(q.Green)); n < least || !q.Trail {
		return "what project " + q.Name + " uses is not known well enough; -trail looks it up"
	}
	whole := g
	whole.Give = settings.GiveSet // what it has of the grant, no case of its own tells
	s := newSeen(whole)
	for _, a := range g.Gives() {
		if n, _ := s.uses(a, q); n > 0 {
			return "project " + q.Name + " uses " + a.Action
		}
		if why := s.untold(a, q); why != "" {
			return "project " + q.Name + " may use " + a.Action + ": " + why
		}
	}
	return ""
}

package guardrail

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/floor"
	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/iamref"
)

// documents reads all policies of the role. The boundary is left out: it
// limits, and to count on that would be to count on nobody lifting it.
func documents(role RoleState) (docs []iampolicy.Document, refusals []Refusal) {
	read := func(name, text string) {
		d, err := iampolicy.ParseLoose([]byte(text))
		if err != nil {
			refusals = append(refusals, Refusal{Rule: UnreadablePolicy,
				Message: fmt.Sprintf("The role's policy %q cannot be read: %v. Until it can, what the role may do as "+
					"a whole is unknown.", clip(name), clip(err.Error()))})
			return
		}
		docs = append(docs, d)
	}
	for _, name := range slices.Sorted(maps.Keys(role.Inline)) {
		read(name, role.Inline[name])
	}
	for _, m := range role.Managed {
		read(m.ARN, m.Document)
	}
	n := role.Named
	if n != nil && n.Attached && !slices.ContainsFunc(role.Managed, func(m ManagedPolicy) bool { return m.ARN == n.ARN }) {
		read(n.ARN, n.Document)
	}
	return docs, refusals
}

// opened gives the escalation paths that the added statements would open. A
// path is open when every permission that it needs is allowed on any resource
// at all.
//
// It errs on the closed side: before, only what is allowed without a
// condition and without any deny counts as there, on something of the role's
// account that the action takes, and a role that is passed only if that very
// role was; after, everything that may be allowed does. A path of a single permission stays shut as
// long as the permission is only given by exact name, which is the floor's business.
func opened(role codebuild.Role, before []iampolicy.Document, added []iampolicy.Statement) (paths []escalationPath) {
	after := append(slices.Clone(before), document(added...)...)
	open := remember(func(action string) bool { return maybe(after, action) })
	there := remember(func(action string) bool {
		if action == floor.PassRole {
			return passesAlready(before, added)
		}
		return surely(role, before, action)
	})
	for _, p := range escalationPaths() {
		brings := func(action string) bool { return gives(added, action, len(p.Required) == 1) && !there(action) }
		if slices.ContainsFunc(p.Required, brings) && all(p.Required, open) {
			paths = append(paths, p)
		}
	}
	return paths
}

// remember asks f once for each action: many paths need the same.
func remember(f func(action string) bool) func(string) bool {
	known := map[string]bool{}
	return func(action string) bool {
		v, ok := known[action]
		if !ok {
			v = f(action)
			known[action] = v
		}
		return v
	}
}

func all(list []string, holds func(string) bool) bool {
	return !slices.ContainsFunc(list, func(s string) bool { return !holds(s) })
}

// gives reports whether the statements allow the action; with alone set,
// leaving out what is allowed by exact name as the floor asks.
func gives(sts []iampolicy.Statement, action string, alone bool) bool {
	return slices.ContainsFunc(sts, func(st iampolicy.Statement) bool {
		if st.Effect != "Allow" || !matches(st, action) {
			return false
		}
		h, _ := floor.Of(action)
		exact := alone && h == floor.ExactName && len(st.NotAction.List) == 0 && len(st.Resource.List) > 0 &&
			!slices.ContainsFunc(st.Resource.List, func(r string) bool { return !isExact(r) })
		return !exact
	})
}

// surely reports whether the documents allow the action on some resource of
// the role's account beyond doubt.
func surely(role codebuild.Role, docs []iampolicy.Document, action string) bool {
	found := false
	for st := range statementsOf(docs) {
		switch {
		case !matches(st, action):
		case st.Effect != "Allow":
			return false
		case len(st.Condition) == 0 && plainService(st) &&
			slices.ContainsFunc(st.Resource.List, func(r string) bool { return ofUse(role, action, r) }):
			found = true
		}
	}
	return found
}

// ofUse reports whether a resource pattern means something of the role's
// account that the action takes. One that does not gives nothing.
func ofUse(role codebuild.Role, action, pattern string) bool {
	if pattern == "*" {
		return true
	}
	a, ok := codebuild.ParseARN(pattern)
	return ok && overlap(a.Partition, role.Partition) && (a.Account == "" || overlap(a.Account, role.Account)) &&
		iamref.Fits(action, pattern)
}

// passesAlready reports whether every role that the added statements let be
// passed may be passed to the same service already. A role is what the way
// leads to: that another one may be passed does not count.
func passesAlready(before []iampolicy.Document, added []iampolicy.Statement) bool {
	for _, st := range added {
		if !matches(st, floor.PassRole) {
			continue
		}
		st.Action, st.NotAction = iampolicy.Values{List: []string{floor.PassRole}}, iampolicy.Values{}
		if ok, _ := iampolicy.Contains(before, document(st)); !ok {
			return false
		}
	}
	return true
}

// maybe reports whether the documents may allow the action on some resource.
func maybe(docs []iampolicy.Document, action string) bool {
	found := false
	for st := range statementsOf(docs) {
		switch {
		case !matches(st, action):
		case st.Effect == "Allow":
			found = true
		case len(st.Condition) == 0 && slices.Contains(st.Resource.List, "*") && plainService(st):
			return false // denied on everything, always
		}
	}
	return found
}

func statementsOf(docs []iampolicy.Document) func(yield func(iampolicy.Statement) bool) {
	return func(yield func(iampolicy.Statement) bool) {
		for _, d := range docs {
			for _, st := range d.Statements {
				if !yield(st) {
					return
				}
			}
		}
	}
}

// matches reports whether the statement is about the action on anything.
func matches(st iampolicy.Statement, action string) bool {
	match := func(p string) bool {
		// Most patterns are of another service: that is cheap to see.
		service, _, found := strings.Cut(p, ":")
		own, _, _ := strings.Cut(action, ":")
		if found && len(service) != len(own) && !strings.ContainsAny(service, "*?") {
			return false
		}
		return iampolicy.MatchAction(p, action)
	}
	if len(st.NotAction.List) > 0 {
		return !slices.ContainsFunc(st.NotAction.List, match)
	}
	return slices.ContainsFunc(st.Action.List, match)
}

// plainService reports whether what the statement's action patterns mean is
// sure: what IAM makes of a wildcard in the service is not documented.
func plainService(st iampolicy.Statement) bool {
	return !slices.ContainsFunc(append(slices.Clone(st.Action.List), st.NotAction.List...), func(p string) bool {
		service, _, found := strings.Cut(p, ":")
		return p != "*" && (!found || strings.ContainsAny(service, "*?"))
	})
}

// escalations refuses if the whole would open a path.
func escalations(role codebuild.Role, before []iampolicy.Document, added []iampolicy.Statement) (out []Refusal) {
	for _, p := range opened(role, before, added) {
		i := slices.IndexFunc(p.Required, func(a string) bool { return gives(added, a, false) })
		out = append(out, Refusal{Rule: EscalationPath, Action: p.Required[max(i, 0)],
			Message: fmt.Sprintf("Together with what the role has, it would open the known escalation path %s (%s). "+
				"Take one of these from the role or from the grant, or give it yourself.",
				p.ID, strings.Join(p.Required, " + "))})
	}
	return out
}

package guardrail

import (
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/iamref"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// Catalog gives the sets and the floor, for [settings.Parse].
func Catalog() settings.Catalog { return catalog{} }

type catalog struct{}

// Set gives the actions of a set.
func (catalog) Set(name string) (actions []string, ok bool) {
	i, ok := slices.BinarySearchFunc(sets, name, func(s set, name string) int { return strings.Compare(s.name, name) })
	if !ok {
		return nil, false
	}
	return slices.Clone(sets[i].actions), true
}

// Names lists the sets, sorted.
func (catalog) Names() (names []string) {
	for _, s := range sets {
		names = append(names, s.name)
	}
	return names
}

// Floor tells how hard the floor is for an action. iam:PassRole counts as
// never granted: it is no action of a grant, only pass_roles brings it in.
func (catalog) Floor(action string) (problem string, isNever, exactOnly bool) {
	h, why := floor(action)
	return why, h == never || h == passes, h == exactName
}

// Conditions are those under which alone the action is granted.
func (catalog) Conditions(action string) []iampolicy.Condition {
	a, ok := iamref.Lookup(action)
	if !ok {
		return nil
	}
	c, ok := bound[a.Name]
	if !ok {
		return nil
	}
	c.Values.List = slices.Clone(c.Values.List)
	return []iampolicy.Condition{c}
}

// Purpose says in a few words what a set is for; "" if there is no such set.
func Purpose(name string) string {
	for _, s := range sets {
		if s.name == name {
			return s.purpose
		}
	}
	return ""
}

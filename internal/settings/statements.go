package settings

import (
	"fmt"
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/floor"
	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/iamref"
)

// Statements gives everything that the grant can add to the project's role:
// each of its actions on those of its resources that the action takes, on "*"
// if it takes none; and iam:PassRole on exactly the roles listed, to exactly
// the service listed. Buckets of a pattern must be the account's own. A grant that is
// scoped to the project asks of each request that it comes from one of its builds. The
// result depends on its arguments alone, and so does its order. Expiry is not in it.
//
// home is the hub's own account and region, for what the project leaves open.
func (g Grant) Statements(project Project, home Account, partition string) []iampolicy.Statement {
	vars := project.Vars(home, partition)
	var scope []iampolicy.Condition
	if g.Scoped() {
		arn := projectARN(vars)
		if arn == "" {
			return nil // it would be nobody's, or everybody's
		}
		scope = append(scope, iampolicy.Condition{Operator: "ArnEquals", Key: ProjectKey, Values: iampolicy.Values{List: []string{arn}}})
	}
	var list []iampolicy.Statement
	add := func(actions, patterns []string, conditions ...iampolicy.Condition) {
		var resources []string
		for _, p := range patterns {
			if res := Expand(p, vars); res != "" {
				resources = append(resources, res)
			}
		}
		if len(resources) > 0 {
			all := slices.Concat(filled(conditions, vars), g.scopeOn(actions, scope))
			list = append(list, iampolicy.Allow(g.sid(len(list)), actions, resources, all...))
		}
	}
	for _, b := range g.bundles() {
		add(b.actions, b.resources, b.conditions...)
	}
	for _, service := range sortedKeys(g.PassRoles) {
		add([]string{floor.PassRole}, g.PassRoles[service], iampolicy.Condition{
			Operator: "StringEquals", Key: "iam:PassedToService", Values: iampolicy.Values{List: []string{service}},
		})
	}
	return list
}

// sid numbers a grant's statements: ID, ID-2, ID-3.
func (g Grant) sid(n int) string {
	if n == 0 {
		return g.ID
	}
	return fmt.Sprintf("%s-%d", g.ID, n+1)
}

// bundle is actions that share their resources and conditions.
type bundle struct {
	actions, resources []string
	conditions         []iampolicy.Condition
}

// bundles groups the grant's actions, in the order of their names.
func (g Grant) bundles() []bundle {
	var list []bundle
	index := map[string]int{}
	for _, name := range g.actions() {
		on := fitting(name, g.Resources)
		if len(on) == 0 {
			continue // the owner lists no resource of this kind
		}
		for _, b := range tighter(name, on, floor.Conditions(name)) {
			key := fmt.Sprintf("%q %v %t", b.resources, b.conditions, g.wholeRole(name))
			i, ok := index[key]
			if !ok {
				i, index[key] = len(list), len(list)
				list = append(list, b)
			}
			list[i].actions = append(list[i].actions, name)
		}
	}
	return list
}

// actions gives the actions of the grant's set or its own, sorted.
func (g Grant) actions() []string {
	list := g.Actions
	if set, ok := floor.SetNamed(g.Set); ok {
		list = set.Actions
	}
	return slices.Compact(slices.Sorted(slices.Values(list)))
}

// fitting gives the patterns that an action takes. Which these are does not
// depend on the placeholders' values, so that whoever makes a template may
// fill in what is known only later.
func fitting(action string, resources []string) []string {
	a, ok := iamref.Lookup(action)
	switch {
	case !ok:
		return nil
	case len(a.Resources) == 0:
		return []string{"*"}
	}
	var list []string
	for _, res := range resources {
		if iamref.Fits(action, sample(res)) && !slices.Contains(list, res) {
			list = append(list, res)
		}
	}
	return list
}

// Max gives everything that the project's role could at most gain by its
// grants, all together: their [Grant.Statements], with Sids that are unique.
func Max(s *Settings, project Project, home Account, partition string) []iampolicy.Statement {
	var list []iampolicy.Statement
	taken := map[string]bool{}
	for _, id := range project.Grants {
		g, ok := s.Grant(id)
		if !ok {
			continue
		}
		for _, st := range g.Statements(project, home, partition) {
			sid := st.Sid
			for n := 2; taken[strings.ToLower(st.Sid)]; n++ {
				st.Sid = fmt.Sprintf("%sx%d", sid, n)
			}
			taken[strings.ToLower(st.Sid)] = true
			list = append(list, st)
		}
	}
	return list
}

// Gives is an action that a grant gives, and which of the grant's resources it is given on.
type Gives struct {
	Action    string
	Resources []string // as the grant has them; "*" alone for an action that takes none
}

// Gives lists the actions that the grant gives, sorted, without those of pass_roles. Of a set, those
// are left out that take none of the grant's resources.
func (g Grant) Gives() (list []Gives) {
	for _, name := range g.actions() {
		if on := fitting(name, g.Resources); len(on) > 0 {
			list = append(list, Gives{name, on})
		}
	}
	return list
}

package settings

import (
	"fmt"
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/iamref"
)

// testResource checks that a test can mean something: the resource is exact,
// and the action takes it.
func (r *reader) testResource(o object, t Test) {
	a, _ := iamref.Lookup(t.Action)
	switch p := unknownPlaceholder(t.On); {
	case !printable.MatchString(t.On):
		o.problem("on", "%q is not a resource: write an ARN of printable ASCII characters", clip(t.On))
	case p != "":
		o.problem("on", "%q is not a placeholder%s", clip(p), suggest(p, strings.Split(placeholders, ", "), "there are "+placeholders))
	case len(a.Resources) == 0 && t.On != "*":
		o.problem("on", `%s takes no resource; write "*"`, t.Action)
	case len(a.Resources) > 0 && strings.ContainsAny(t.On, "*?"):
		o.problem("on", "a test is about one resource; write its exact ARN")
	case !iamref.Fits(t.Action, sample(t.On)):
		o.problem("on", "%s does not take such a resource; it takes %s", t.Action, wanted(a))
	}
}

// RunTests runs the settings' own tests and tells which fail. A test is about
// every project of its name. "allow" holds if a grant of the project could
// give the action on the resource; "deny" holds if none could.
//
// What is empty in home, or partition, is taken from each test's own resource:
// at a desk it is not known where the hub will be, and a test that holds for
// a hub there is as good.
func RunTests(s *Settings, c Catalog, home Account, partition string) []Problem {
	var list []Problem
	for i, t := range s.Tests {
		for _, p := range s.Projects {
			if p.Name != t.Project {
				continue
			}
			if problem := t.run(s, c, p, home, partition); problem != "" {
				list = append(list, Problem{t.Line, fmt.Sprintf("tests[%d]", i), problem})
			}
		}
	}
	return list
}

func (t Test) run(s *Settings, c Catalog, p Project, home Account, partition string) string {
	home, partition = t.place(home, partition)
	on := Expand(t.On, p.Vars(home, partition))
	by := ""
	for _, id := range p.Grants {
		g, _ := s.Grant(id)
		if slices.ContainsFunc(g.Statements(c, p, home, partition), func(st iampolicy.Statement) bool { return gives(st, t.Action, on) }) {
			by = id
			break
		}
	}
	switch {
	case t.Allow && by == "":
		return fmt.Sprintf("failed: no grant of project %s allows %s on %s", p.Name, t.Action, on)
	case !t.Allow && by != "":
		return fmt.Sprintf("failed: grant %s allows project %s %s on %s", by, p.Name, t.Action, on)
	}
	return ""
}

// place fills in what is not known of the hub's place.
func (t Test) place(home Account, partition string) (Account, string) {
	f := strings.SplitN(t.On, ":", 6)
	if len(f) < 6 {
		return home, partition
	}
	own := func(known, field string) string {
		if known != "" || strings.Contains(field, "$") {
			return known
		}
		return field
	}
	return Account{own(home.ID, f[4]), own(home.Region, f[3])}, own(partition, f[1])
}

// gives reports whether a statement could allow the action on the resource,
// whatever its conditions.
func gives(st iampolicy.Statement, action, resource string) bool {
	return slices.Contains(st.Action.List, action) && slices.ContainsFunc(st.Resource.List, func(pattern string) bool {
		return iampolicy.MatchPattern(pattern, resource)
	})
}

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
	case len(a.Resources) > 0 && withColons(t.On) != "":
		o.problem("on", "%q is not an ARN: a colon is missing; write %q", clip(t.On), clip(withColons(t.On)))
	case len(a.Resources) == 0 && t.On != "*":
		o.problem("on", `%s takes no resource; write "*"`, t.Action)
	case len(a.Resources) > 0 && strings.ContainsAny(t.On, "*?"):
		o.problem("on", "a test is about one resource; write its exact ARN")
	case !iamref.Fits(t.Action, sample(t.On)):
		o.problem("on", "%s does not take such a resource; it takes %s", t.Action, wanted(a))
	}
}

// RunTests runs the settings' own tests, and diagnoses the samples of the
// team's own causes, and tells which fail, and which owners' topics are out of the hub's reach. A test is about
// every project of its name. "allow" holds if a grant of the project could
// give the action on the resource, to its own role or to another one; "deny" holds if none could, of it
// or of another project whose grants its builds have, since they land on one of its roles and are
// not for that one's builds only.
//
// What is empty in home, or partition, is taken from each test's own resource:
// at a desk it is not known where the hub will be, and a test that holds for
// a hub there is as good. What the resource leaves open, too, stays a
// placeholder, and a test that fails says so.
func RunTests(s *Settings, home Account, partition string) []Problem {
	list := farTopics(s, home, partition)
	sharing := SharingOf(s, home)
	for i, t := range s.Tests {
		for _, p := range s.Projects {
			if p.Name != t.Project {
				continue
			}
			if problem := t.run(s, p, sharing, home, partition); problem != "" {
				list = append(list, Problem{t.Line, fmt.Sprintf("tests[%d]", i), problem})
			}
		}
	}
	return append(list, runSamples(s)...)
}

func (t Test) run(s *Settings, p Project, sharing Sharing, home Account, partition string) string {
	home, partition = t.place(home, partition)
	on := Expand(t.On, p.Vars(home, partition))
	givers := p.Roles()
	if !t.Allow {
		givers = append(givers, sharing.Givers(p)...)
	}
	by := ""
	var asked []string
	for _, q := range givers {
		for _, id := range q.Grants {
			g, _ := s.Grant(id)
			if g.Scoped() && g.Unscoped != UnscopedApprove && !same(q, p) {
				continue // its statements are for q's builds only
			}
			for _, st := range g.Statements(q, home, partition) {
				if slices.Contains(st.Action.List, t.Action) {
					asked = append(append(asked, on), st.Resource.List...)
				}
				if by == "" && gives(st, t.Action, on) {
					by = id + of(q, p, g)
				}
			}
		}
	}
	switch {
	case t.Allow && by == "":
		return fmt.Sprintf("failed: no grant of project %s allows %s on %s", p.Name, t.Action, on) + unknownHere(asked)
	case !t.Allow && by != "":
		return fmt.Sprintf("failed: grant %s allows project %s %s on %s", by, p.Name, t.Action, on) + unknownHere(asked)
	}
	return ""
}

// of says whose grant it is, if it is not the project's own.
func of(q, p Project, g Grant) string {
	if same(q, p) {
		return ""
	}
	role := p.Role
	for _, own := range p.Roles()[1:] {
		if sameRole(own.Role, q.Role) {
			role = own.Role
		}
	}
	lands := "lands"
	if g.Scoped() {
		lands = "says unscoped: approve, so a person may let it land"
	}
	return fmt.Sprintf(" of project %s, which %s on the role %s of this one, too,", q.Name, lands, role)
}

// place fills in what is not known of the hub's place; what the test's
// resource does not tell, by the placeholder itself.
func (t Test) place(home Account, partition string) (Account, string) {
	f := strings.SplitN(t.On, ":", 6)
	own := func(known string, field int, placeholder string) string {
		switch {
		case known != "":
			return known
		case len(f) < 6 || f[field] == "" || strings.Contains(f[field], "$"):
			return placeholder
		}
		return f[field]
	}
	return Account{own(home.ID, 4, "${account}"), own(home.Region, 3, "${region}")}, own(partition, 1, "${partition}")
}

// unknownHere tells which placeholders are left in what a test asked about,
// and how to say what they are.
func unknownHere(asked []string) string {
	var left, flags []string
	for _, p := range [][2]string{{"${partition}", "-partition P"}, {"${account}", "-account ID"}, {"${region}", "-region R"}} {
		if slices.ContainsFunc(asked, func(resource string) bool { return strings.Contains(resource, p[0]) }) {
			left, flags = append(left, p[0]), append(flags, p[1])
		}
	}
	if len(left) == 0 {
		return ""
	}
	verb := "is"
	if len(left) > 1 {
		verb = "are"
	}
	return fmt.Sprintf("; %s %s not known here: try check %s", strings.Join(left, ", "), verb, strings.Join(flags, " "))
}

// gives reports whether a statement could allow the action on the resource,
// whatever its conditions.
func gives(st iampolicy.Statement, action, resource string) bool {
	return slices.Contains(st.Action.List, action) && slices.ContainsFunc(st.Resource.List, func(pattern string) bool {
		return iampolicy.MatchPattern(pattern, resource)
	})
}

// Package observe judges how much of a grant was needed: from what builds were seen to use, it makes
// the narrower grant that would have been enough. That is always contained in the grant, and allows
// all that was seen. What no source would have shown is taken to be used.
package observe

import (
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/iamref"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// Use is something that builds of a project used, or were denied and then given.
type Use struct {
	Action string // canonical
	// Resource is the ARN, or what [settings.Exact] takes for one; otherwise, and for "", it is not
	// known on what the action was used.
	Resource string
}

// Project is what is known of one project that has the grant.
type Project struct {
	settings.Project        // with its account and region
	Partition        string // "" is taken for aws
	Uses             []Use
	Given            []Use    // what was written, of whichever grant: also patterns
	Green            []string // the builds that are known to have been green
	// Cut: the cases do not hold all that the project was given.
	Cut bool
	// Trail: CloudTrail was asked for all that these builds did in the project's region, and told it.
	Trail bool
	// Analyzed are the actions that Access Analyzer saw, which does not tell on what.
	Analyzed []string
	// Unread are the services of which CloudTrail told something that is no known action.
	Unread []string
	// Siblings run as a role on which the project's grants land, and have the grant by that alone.
	Siblings []Project
	// Full: more was used than is looked at.
	Full  bool
	known map[Use]bool // of Uses
}

// maxUses bounds how many different uses of a project are looked at.
const maxUses = 5000

// Use adds a use, once.
func (p *Project) Use(u Use) {
	switch {
	case p.known[u]:
	case len(p.known) == maxUses:
		p.Full = true
	default:
		if p.known == nil {
			p.known = map[Use]bool{}
		}
		p.known[u] = true
		p.Uses = append(p.Uses, u)
	}
}

// State is what came out.
type State string

// The states.
const (
	Few      State = "too-few"  // builds, of some project
	Tight    State = "tight"    // nothing of it is known to be unused
	Unused   State = "unused"   // nothing of it was used
	Narrower State = "narrower" // Grant would have been enough
)

// Narrowing is what would have been enough of a grant.
type Narrowing struct {
	State State  `json:"state"`
	Why   string `json:"why,omitempty"` // of Tight, if something is known to be unused
	// Builds is how many green builds are known of each project that has the grant.
	Builds []Count `json:"builds"`
	// Actions are those that the grant gives, sorted.
	Actions []Part `json:"actions"`
	// Scope says why the grant is, or is not, to be for its project's own builds only; "" if it is
	// already, or no other project runs as the role.
	Scope string `json:"scope,omitempty"`
	// Resources are the grant's, in its order.
	Resources []Part `json:"resources"`
	// Grant is the narrower one. A set of which not all is needed is written out.
	Grant settings.Grant `json:"-"`
}

// Count is a number of builds.
type Count struct {
	Project string `json:"project"`
	Builds  int    `json:"builds"`
}

// Part is what becomes of an action or a resource.
type Part struct {
	Was string   `json:"was"`
	Now []string `json:"now"` // nothing, the same, or what takes its place
	Why string   `json:"why,omitempty"`
}

// Kept reports whether the part stays as it is.
func (p Part) Kept() bool { return len(p.Now) == 1 && p.Now[0] == p.Was }

// Wide reports whether there may be something to narrow: the grant has a set or a pattern.
func Wide(g settings.Grant) bool {
	return g.Set != "" || slices.ContainsFunc(g.Resources, func(r string) bool { return !settings.Exact(r) })
}

// Narrow judges the grant by what is known of all the projects that have it. Of each of them at
// least so many builds must be known.
func Narrow(g settings.Grant, ps []Project, least int) Narrowing {
	n := Narrowing{State: Tight, Grant: g, Builds: []Count{}, Actions: []Part{}, Resources: []Part{}}
	few := len(ps) == 0
	for _, p := range ps {
		green := len(slices.Compact(slices.Sorted(slices.Values(p.Green))))
		n.Builds = append(n.Builds, Count{p.Name, green})
		few = few || green < least
	}
	if few {
		n.State = Few
		return n
	}
	s := newSeen(g)
	used := false
	for _, a := range g.Gives() {
		part := s.action(a, ps)
		n.Actions = append(n.Actions, part)
		used = used || len(part.Now) > 0
	}
	n.Resources = s.parts()
	if !used {
		n.State = Unused
		return n
	}
	narrower := s.grant(n)
	narrower.Scope, n.Scope = scope(narrower, ps, least)
	if slices.Equal(narrower.Resources, g.Resources) && slices.Equal(narrower.Actions, g.Actions) &&
		narrower.Set == g.Set && narrower.Scope == g.Scope {
		return n
	}
	if !within(g, narrower, ps) {
		n.Why = "less would do, but by name it is not within the grant: buckets of a pattern must be the account's own, " +
			"and one that is named exactly need not be. Narrow it by hand"
		return n
	}
	n.State, n.Grant = Narrower, narrower
	return n
}

// seen gathers what was used of each of a grant's resources.
type seen struct {
	settings.Grant
	whole []string   // why the resource stays as it is; "" if it need not
	exact [][]piece  // what was used of it
	used  [][]string // by which actions
}

func newSeen(g settings.Grant) *seen {
	n := len(g.Resources)
	return &seen{g, make([]string, n), make([][]piece, n), make([][]string, n)}
}

// action judges one action, and notes which of the grant's resources it was used on.
func (s *seen) action(a settings.Gives, ps []Project) Part {
	uses, why, analyzed := 0, "", false
	kept := Part{Was: a.Action, Now: []string{a.Action}}
	for _, p := range ps {
		n, on := s.uses(a, p)
		uses += n
		if on != "" {
			why = on
		}
		if no := s.untold(a, p); no != "" {
			why = no
		}
		analyzed = analyzed || slices.Contains(p.Analyzed, a.Action)
	}
	if analyzed && uses == 0 && why == "" {
		why = "Access Analyzer saw it, and does not tell on what"
	}
	if why != "" {
		for i, r := range s.Resources {
			if slices.Contains(a.Resources, r) && s.whole[i] == "" {
				s.whole[i] = a.Action + ": " + why
			}
		}
		if kept.Why = why; uses > 0 {
			kept.Why = "used"
		}
		return kept
	}
	if uses == 0 {
		return Part{Was: a.Action, Now: []string{}, Why: "not used"}
	}
	kept.Why = "used"
	return kept
}

// uses counts the project's uses of the action under the grant. why says that it is not known on what
// one of them was.
func (s *seen) uses(a settings.Gives, p Project) (n int, why string) {
	vars := varsOf(p)
	all := slices.Clone(p.Uses)
	if !s.givenWhole(p) { // then what was given was denied before
		for _, u := range p.Given {
			if settings.Exact(u.Resource) || !takesResource(a) {
				all = append(all, u)
			}
		}
	}
	for _, u := range all {
		if u.Action != a.Action {
			continue
		}
		if !takesResource(a) {
			n++
			continue
		}
		if !certain(u) {
			n, why = n+1, "on what it was used is not known"
			continue
		}
		held := false
		for i, r := range s.Resources { // of each that holds it: conditions may differ
			if piece, ok := capture(r, vars, u.Resource); ok && slices.Contains(a.Resources, r) {
				s.exact[i] = append(s.exact[i], piece)
				held = true
			}
		}
		if held {
			n++
		}
	}
	return n, why
}

// certain reports whether it is known on what it was, and that can be written down.
func certain(u Use) bool {
	odd := func(r rune) bool { return r <= ' ' || r > '~' || r == '$' }
	return settings.Exact(u.Resource) && !strings.ContainsFunc(u.Resource, odd) && iamref.Fits(u.Action, u.Resource)
}

func takesResource(a settings.Gives) bool {
	return !slices.Equal(a.Resources, []string{"*"}) || takes(a.Action)
}

func takes(action string) bool {
	a, ok := iamref.Lookup(action)
	return ok && len(a.Resources) > 0
}

// parts says what becomes of each resource.
func (s *seen) parts() []Part {
	list := []Part{}
	for i, r := range s.Resources {
		part := Part{Was: r, Now: []string{r}}
		switch {
		case s.whole[i] != "" && settings.Exact(r) && len(s.exact[i]) > 0:
			part.Why = "used"
		case s.whole[i] != "":
			part.Why = s.whole[i]
		case len(s.exact[i]) == 0 && s.Create && exactRepository(r):
			part.Why = "it may be created"
		case len(s.exact[i]) == 0:
			part.Now, part.Why = []string{}, "not used"
		default:
			part.Now = generalise(r, s.exact[i])
			part.Why = "used"
		}
		list = append(list, part)
	}
	return list
}

func exactRepository(r string) bool {
	return settings.Exact(r) && strings.Contains(r, ":ecr:") && strings.Contains(r, ":repository/")
}

// grant puts the narrower grant together.
func (s *seen) grant(n Narrowing) settings.Grant {
	g := s.Grant
	var actions []string
	all := true
	for _, p := range n.Actions {
		actions = append(actions, p.Now...)
		all = all && len(p.Now) > 0
	}
	if !all {
		g.Set = ""
		if s.Set == "" { // in the owner's order
			actions = slices.DeleteFunc(slices.Clone(s.Actions), func(a string) bool { return !slices.Contains(actions, a) })
		}
		g.Actions = actions
	}
	g.Resources = nil
	for _, p := range n.Resources {
		for _, r := range p.Now {
			of := slices.ContainsFunc(actions, func(a string) bool { return r == "*" || fits(a, r) })
			if of && !slices.Contains(g.Resources, r) {
				g.Resources = append(g.Resources, r)
			}
		}
	}
	if g.Resources == nil && len(s.Resources) == 0 {
		g.Resources = s.Resources
	}
	return g
}

func fits(action, pattern string) bool {
	g := settings.Grant{Actions: []string{action}, Resources: []string{pattern}}
	return len(g.Gives()) > 0 && takes(action)
}

// within proves that what the narrower grant gives each project is contained in what the grant gives
// it, and that it allows what was used of that.
func within(g, narrower settings.Grant, ps []Project) bool {
	for _, p := range ps {
		home := settings.Account{ID: p.Account, Region: p.Region}
		was, now := document(g, p, home), document(narrower, p, home)
		if ok, _ := iampolicy.Contains(was, now); !ok {
			return false
		}
		for _, u := range p.Uses {
			if !stillAllows(was, now, u, p) {
				return false
			}
		}
	}
	return true
}

func document(g settings.Grant, p Project, home settings.Account) []iampolicy.Document {
	return []iampolicy.Document{{Version: "2012-10-17", Statements: g.Statements(p.Project, home, partitionOf(p))}}
}

// stillAllows reports whether the second documents allow a use as the first do. What is not known of it
// was left whole.
func stillAllows(was, now []iampolicy.Document, u Use, p Project) bool {
	if !certain(u) {
		return true
	}
	own := settings.Expand("arn:${partition}:codebuild:${region}:${account}:project/${project}", varsOf(p))
	r := iampolicy.Request{Action: u.Action, Resource: u.Resource, Context: map[string][]string{settings.ProjectKey: {own}}}
	before, _ := iampolicy.Evaluate(iampolicy.Access{Policies: was}, r)
	after, _ := iampolicy.Evaluate(iampolicy.Access{Policies: now}, r)
	return before == after || after == iampolicy.Allowed || before == iampolicy.ImplicitDeny
}

func partitionOf(p Project) string {
	if p.Partition == "" {
		return "aws"
	}
	return p.Partition
}

func varsOf(p Project) settings.Vars {
	return p.Vars(settings.Account{ID: p.Account, Region: p.Region}, partitionOf(p))
}

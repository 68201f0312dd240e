package notice

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/floor"
	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// maxBrief bounds the lines of a difference on the first screen.
const maxBrief = 5

// detail is how much of a change a mail's first screen tells. Whatever is not told is counted, so
// that nobody takes a part for the whole.
type detail int

const (
	exactly  detail = iota // each action, resource and condition
	counted                // each statement, with its actions and resources counted
	summedUp               // all statements in a line
)

// brief is a change as lines of a mail's first screen. It is made of the plan's own documents. In
// those, a resource may still be a build's text: a grant that gives exactly what was denied holds
// the name that the log has, as far as a pattern of the grant covers it. So each name passes
// [named], and nothing but names stands behind "on". exact reports whether it leaves nothing out.
func (c Change) brief(d detail) (lines []string, exact bool) {
	switch c.What {
	case Repository:
		return []string{c.sign() + "ECR repository " + named(c.Name)}, true
	case Buildspec:
		return []string{"Buildspec of this build: " + c.Name}, true
	case ProjectRole:
		return []string{"- role " + lastElement(c.Before), "+ role " + lastElement(c.After)}, true
	}
	exact = true
	for _, s := range c.signed() {
		line, all := c.statement(s, d)
		lines, exact = append(lines, line), exact && all
	}
	if attached := strings.Fields(c.Name); c.What == AttachedPolicies {
		for i, a := range attached {
			attached[i] = c.sign() + "attach " + c.near(a, "iam")
		}
		lines = append(attached, lines...)
	}
	if c.Dropped != "" {
		lines = append(lines, "- version "+c.Dropped+", the oldest, to make room")
	}
	if d == summedUp || d == counted && len(lines) > maxBrief {
		return []string{c.sum()}, false
	}
	return lines, exact
}

// sign begins the lines of what is added, or, of what is undone, of what is taken back.
func (c Change) sign() string {
	if c.gone() {
		return "- "
	}
	return "+ "
}

// signed is a statement that comes or goes.
type signed struct {
	sign string
	iampolicy.Statement
}

// signed are the statements of the change, and of an attached policy all that it holds.
func (c Change) signed() (out []signed) {
	for _, s := range c.removed {
		out = append(out, signed{"- ", s})
	}
	for _, s := range c.added {
		out = append(out, signed{"+ ", s})
	}
	for _, s := range c.holds {
		out = append(out, signed{c.sign(), s})
	}
	return out
}

// statement is a statement in a line. Its end and its conditions stand in front, where no resource
// can take their place.
func (c Change) statement(s signed, d detail) (line string, exact bool) {
	actions, resources := strings.Join(namedAll(s.Action.List), ", "), ""
	exact = true
	if n := len(s.Action.List); d > exactly && n > 2 {
		actions, exact = c.count(s.Action.List, true), false
	}
	if n := len(s.Resource.List); d > exactly && n > 2 {
		resources, exact = countResources(s.Resource.List), false
	} else {
		most := math.MaxInt
		if d > exactly {
			most = 2 * phone
		}
		var near []string
		for _, r := range s.Resource.List {
			name, whole := c.shortened(r, s.Action.List, most)
			near, exact = append(near, name), exact && whole
		}
		resources = strings.Join(near, ", ")
	}
	effect := ""
	if s.Effect != "Allow" {
		effect = named(s.Effect) + " "
	}
	only := c.only(s.Condition, d)
	line = s.sign + only + effect + allButList(s.NotAction.List) + actions + " on " + allButList(s.NotResource.List)
	return line + resources, exact && (d == exactly || !strings.Contains(only, "under "))
}

// only says under which conditions, and until when.
func (c Change) only(conditions []iampolicy.Condition, d detail) string {
	var words []string
	others := 0
	for _, cond := range conditions {
		at, ok := ends(cond)
		switch {
		case ok:
			words = append(words, "until "+at)
		case c.ofOwn(cond):
			words = append(words, "this project only")
		case d > exactly:
			others++
		default:
			words = append(words, "if "+conditionWords(cond))
		}
	}
	if others > 0 {
		words = append(words, "under "+plural(others, "condition"))
	}
	if len(words) == 0 {
		return ""
	}
	return strings.Join(words, ", ") + ": "
}

// ofOwn reports whether the condition asks for the builds of the notice's project.
func (c Change) ofOwn(cond iampolicy.Condition) bool {
	only := settings.ScopeOf(iampolicy.Statement{Condition: []iampolicy.Condition{cond}})
	own := codebuild.Build{ARN: c.home.String(), Project: c.project}.ProjectARN()
	return len(only) == 1 && only[0] == own
}

func conditionWords(c iampolicy.Condition) string {
	return named(c.Operator) + " " + named(c.Key) + " = " + strings.Join(namedAll(c.Values.List), " or ")
}

// sum is the whole change in a line: what goes, and what comes. One or two actions, and a single
// resource, are named whatever their length: whoever chooses a name must not hide by it.
func (c Change) sum() string {
	var out []string
	if c.What == AttachedPolicies {
		out = append(out, c.sign()+"attach "+plural(len(strings.Fields(c.Name)), "policy"))
	}
	if c.Dropped != "" {
		out = append(out, "- version "+strings.Split(c.Dropped, ",")[0])
	}
	for _, sign := range []string{"- ", "+ "} {
		var actions, resources []string
		all, under, own, other := 0, 0, 0, false
		for _, s := range c.signed() {
			if s.sign != sign {
				continue
			}
			actions, resources = append(actions, s.Action.List...), append(resources, s.Resource.List...)
			other = other || s.Effect != "Allow" || len(s.NotAction.List)+len(s.NotResource.List) > 0
			if all++; len(s.Condition) > 0 {
				under++
			}
			if len(s.Condition) == 1 && c.ofOwn(s.Condition[0]) {
				own++
			}
		}
		if all == 0 {
			continue
		}
		actions, resources = unique(actions), unique(resources)
		line := sign + c.count(actions, false)
		if len(actions) <= 2 && len(actions) > 0 {
			line = sign + strings.Join(namedAll(actions), ", ")
		}
		if len(resources) == 1 {
			name, _ := c.shortened(resources[0], actions, phone)
			line += " on " + name
		} else {
			line += " on " + countResources(resources)
		}
		switch {
		case other:
			line += ", not just Allow"
		case own == all:
			line += ", this project only"
		case under == all:
			line += ", with conditions"
		case under > 0:
			line += ", some with conditions"
		}
		out = append(out, line)
	}
	return strings.Join(out, "; ")
}

// shortened is the name of a resource in so many characters. It says so if it is not whole, and if
// there is a wildcard in what is missing.
func (c Change) shortened(resource string, actions []string, most int) (name string, whole bool) {
	name = named(c.near(resource, services(actions)...))
	short := middle(name, most)
	switch {
	case short == name:
		return name, true
	case strings.Count(short, "*")+strings.Count(short, "?") < strings.Count(name, "*")+strings.Count(name, "?"):
		return short + " (shortened, with wildcards)", false
	}
	return short + " (shortened)", false
}

// count says how many actions there are, and of which set, or else of which services. One with a
// wildcard is never just counted: all of them are named, the widest first.
func (c Change) count(actions []string, services bool) string {
	var wild, plain []string
	for _, a := range actions {
		if strings.ContainsAny(a, "*?") {
			wild = append(wild, named(a))
		} else {
			plain = append(plain, a)
		}
	}
	slices.SortStableFunc(wild, func(a, b string) int { return strings.IndexAny(a, "*?") - strings.IndexAny(b, "*?") })
	var words []string
	if len(plain) > 0 {
		words = append(words, c.countPlain(plain, services))
	}
	if len(wild) > 0 {
		words = append(words, "the "+nounFor(len(wild), "pattern")+" "+list(wild, len(wild)))
	}
	return strings.Join(words, " and ")
}

func (c Change) countPlain(actions []string, named bool) string {
	for _, name := range c.sets {
		set, ok := floor.SetNamed(name)
		switch {
		case !ok || slices.ContainsFunc(actions, func(a string) bool { return !slices.Contains(set.Actions, a) }):
		case len(actions) == len(set.Actions):
			return name + " (all " + plural(len(actions), "action") + ")"
		default:
			return fmt.Sprintf("%s (%d of %s)", name, len(actions), plural(len(set.Actions), "action"))
		}
	}
	if !named {
		return plural(len(actions), "action")
	}
	return plural(len(actions), "action") + " of " + list(namedAll(services(actions)), 3)
}

// countResources says how many there are, and never leaves out that there is a star.
func countResources(rs []string) string {
	s, wild := plural(len(rs), "resource"), 0
	for _, r := range rs {
		if r == "*" && len(rs) == 1 {
			return "*"
		}
		if r == "*" {
			return s + ", one of them *"
		}
		if strings.ContainsAny(r, "*?") {
			wild++
		}
	}
	if wild > 0 {
		s += ", " + thousands(wild) + " with wildcards"
	}
	return s
}

// near shortens an ARN of the project's own account and region to its last field. It stays whole
// where something could be mistaken: another account or region, another service than all the
// actions are of, nothing but a star, or a name that could be read as words.
func (c Change) near(resource string, services ...string) string {
	a, ok := codebuild.ParseARN(resource)
	if !ok || !nameForm.MatchString(resource) ||
		len(services) != 1 || a.Service != services[0] || a.Partition != c.home.Partition ||
		a.Account != "" && a.Account != c.home.Account || a.Region != "" && a.Region != c.home.Region ||
		strings.TrimLeft(a.Resource, "*/:?") == "" {
		return resource
	}
	return a.Resource
}

// services are the services that the actions are of, each once.
func services(actions []string) (out []string) {
	for _, a := range actions {
		if s, _, _ := strings.Cut(a, ":"); !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// ends is when a condition ends what it is a condition of.
func ends(c iampolicy.Condition) (string, bool) {
	if c.Operator != "DateLessThan" || !strings.EqualFold(c.Key, "aws:CurrentTime") || len(c.Values.List) != 1 {
		return "", false
	}
	at, err := time.Parse(time.RFC3339, c.Values.List[0])
	return stamp(at), err == nil
}

func allButList(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return "all but " + strings.Join(namedAll(values), ", ")
}

func namedAll(list []string) (out []string) {
	for _, s := range list {
		out = append(out, named(s))
	}
	return out
}

func unique(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}

// deciding are the changes that the notice is about first, and the others.
func (n Notice) deciding() (first, others []Change) {
	order := []Status{TakenBack, TakenOut, Partly, Done, WaitsFor, AskedFor, WouldBe, WasPlanned}
	switch n.Kind {
	case decide.Proposed:
		order = []Status{WaitsFor}
	case decide.Requested:
		order = []Status{AskedFor, Done} // done: what stands until the code gives it
	}
	for _, s := range order {
		for _, c := range n.Changes {
			if c.Status == s {
				first = append(first, c)
			}
		}
		if len(first) > 0 {
			break
		}
	}
	for _, c := range n.Changes {
		if !slices.ContainsFunc(first, func(f Change) bool { return f.Status == c.Status }) {
			others = append(others, c)
		}
	}
	return first, others
}

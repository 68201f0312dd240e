package guardrail

import (
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// Bounds on what the simulator is asked about one build.
const (
	maxQuestionsDenial = 8
	maxQuestions       = 100
)

// Questions are what the simulator must be asked before [Judge]: each causal
// denial's action on its resource or, where the resource is missing, on a
// representative of each resource of the grants that could cover it. There
// are at most 100, in a fixed order, none twice. No text of a denial that is
// refused anyway, and none that AWS would not have printed, gets into them.
func Questions(in Input) []Question {
	if ok, _ := Trusted(in.Build, in.Project); !ok {
		return nil
	}
	in = in.inHand()
	cs, _ := claims(in)
	qs, _ := ask(grants(in), cs, in)
	return qs
}

// ask gives the questions and, for each claim, the indices of its own.
func ask(gs []grant, cs []claim, in Input) (qs []Question, of [][]int) {
	for _, c := range cs {
		var mine []int
		for _, q := range questionsOf(c, gs, in) {
			i := slices.IndexFunc(qs, q.equal)
			if i < 0 {
				if len(qs) == maxQuestions {
					continue
				}
				i, qs = len(qs), append(qs, q)
			}
			mine = append(mine, i)
		}
		of = append(of, mine)
	}
	return qs, of
}

// questionsOf asks about one claim.
func questionsOf(c claim, gs []grant, in Input) (qs []Question) {
	add := func(resource string, st iampolicy.Statement) {
		q := Question{Action: c.action.Name, Resource: representative(resource), Context: contextOf(st, in)}
		if len(qs) < maxQuestionsDenial && !slices.ContainsFunc(qs, q.equal) {
			qs = append(qs, q)
		}
	}
	if n := len(c.resources); n > 0 {
		// Of a log group's two names the last is what IAM asks about.
		r := c.resources[n-1]
		for _, g := range gs {
			for _, st := range covering(g.statements, c, r) {
				add(r, st)
			}
		}
		if len(qs) == 0 {
			add(r, iampolicy.Statement{Condition: c.via})
		}
		return qs
	}
	for _, g := range gs {
		if !g.whole() || !g.holds(c) {
			continue
		}
		for _, st := range g.statements {
			for _, r := range st.Resource.List {
				if slices.Contains(st.Action.List, c.action.Name) && isNear(c.near, r) {
					add(r, st)
				}
			}
		}
	}
	return qs
}

// isNear reports whether a grant's resource may be one that the text names, or it names none.
func isNear(near []string, resource string) bool {
	return len(near) == 0 || slices.ContainsFunc(near, func(n string) bool { return overlap(resource, n) })
}

func (q Question) equal(p Question) bool {
	if q.Action != p.Action || q.Resource != p.Resource || len(q.Context) != len(p.Context) {
		return false
	}
	for k, v := range q.Context {
		if !slices.Equal(v, p.Context[k]) {
			return false
		}
	}
	return true
}

// Timeless gives the question without the moment at which it is asked, and without
// the build that asks: of which project that is, the plan says itself.
func (q Question) Timeless() Question {
	all := q.Context
	q.Context = nil
	for key, values := range all {
		switch key {
		case settings.ProjectKey, settings.BuildKey:
			continue
		case currentTime:
			values = []string{"when it is given"}
		}
		if q.Context == nil {
			q.Context = map[string][]string{}
		}
		q.Context[key] = values
	}
	return q
}

// representative gives an exact resource that the pattern matches; "*" alone
// stays what it is.
func representative(pattern string) string {
	if pattern == "*" {
		return pattern
	}
	group, ok := strings.CutSuffix(pattern, ":*")
	if ok && strings.Contains(group, ":log-group:") {
		pattern = group + ":log-stream:*"
	}
	return strings.NewReplacer("*", "buildmedic", "?", "x").Replace(pattern)
}

// contextOf gives the context of the build's own call (AWS.md#build-keys), or of the call
// of another role, which has none of a build's keys, in which the statement's conditions
// hold. A statement for other projects' builds does not: the project is the build's,
// whatever a statement asks for.
func contextOf(st iampolicy.Statement, in Input) map[string][]string {
	ctx := map[string][]string{}
	for _, c := range st.Condition {
		if c.Key == currentTime {
			ctx[c.Key] = []string{stamp(in.Now)}
			continue
		}
		ctx[c.Key] = c.Values.List
	}
	if arn := in.Build.ProjectARN(); arn != "" && !in.Project.IsFor() {
		ctx[settings.ProjectKey], ctx[settings.BuildKey] = []string{arn}, []string{in.Build.ARN}
	}
	return ctx
}

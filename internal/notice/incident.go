package notice

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/diagnose"
)

// Incident is failures of one cause in many projects. The lists are bounded, the numbers count all that
// the notice is for: an owner's are those of its own projects.
type Incident struct {
	Name     string          `json:"name"`
	Remedy   diagnose.Remedy `json:"remedy"`
	What     string          `json:"what,omitempty"` // the host, or the ARN of the role
	Opened   time.Time       `json:"opened"`
	Ended    time.Time       `json:"ended,omitzero"`
	End      decide.Ending   `json:"end,omitempty"`   // how it ended
	Again    bool            `json:"again,omitempty"` // it was told of before
	Waits    bool            `json:"waits"`           // builds wait, or have waited, for its end
	Probes   int             `json:"probes,omitempty"`
	Says     string          `json:"says"`
	Builds   int             `json:"builds"`
	Healed   int             `json:"healed"` // are green
	Failed   int             `json:"failed"`
	Open     int             `json:"open"`
	Projects []string        `json:"projects"`
	// MoreProjects: there are others.
	MoreProjects bool       `json:"more_projects,omitempty"`
	Named        []Follower `json:"named"`
}

// aboutIncident fills in what a notice of an incident has: it is about no single build, and what the
// build of the case that opened it printed is an example.
func (n *Notice) aboutIncident(v *view) {
	t := v.Incident
	if t == nil {
		return
	}
	f := t.For(v.For)
	out := &Incident{Name: id(t.Name), Remedy: diagnose.Remedy(id(string(t.Sign.Remedy))), What: quote(t.Sign.What, maxName),
		Opened: utc(t.Opened), Ended: utc(t.Ended), End: decide.Ending(id(string(t.End))), Again: t.Again, Waits: t.Waits, Probes: t.Probes,
		Builds: f.Builds, Healed: f.Healed, Failed: f.Failed, Open: f.Open, MoreProjects: f.MoreProjects,
		Projects: []string{}, Named: []Follower{}}
	for _, p := range f.Projects {
		out.Projects = append(out.Projects, id(p))
	}
	for _, one := range f.Named {
		out.Named = append(out.Named, Follower{Case: id(one.Case), Project: id(one.Project), Build: id(one.Build), Retry: id(one.Retry),
			Outcome: decide.Kind(id(string(one.Outcome)))})
	}
	if a, ok := codebuild.ParseARN(t.Sign.What); ok {
		out.What = lastElement(id(a.Resource))
	}
	n.Incident = out
	n.Case.Project, n.Case.Owner, n.Case.Commit, n.Case.Round = "", "", "", 0
	r := v.latest
	if n.Failure = failureOf(r); r.Diagnosis != nil {
		n.Cause = id(r.Diagnosis.Cause)
	}
	if r.Decision != nil && len(n.Failure.Denials) > 0 && out.Ended.IsZero() {
		n.Refusals = refusals(r.Decision.Refusals)
	}
	n.Failure.Excerpt, n.Failure.Since, n.Failure.Also = n.Failure.Excerpt[:0], nil, nil
	n.Remedy = out.Remedy
	out.Says = out.says()
}

// passes reports whether the cause passes by itself.
func (i *Incident) passes() bool { return i.Remedy == diagnose.Retry }

// size is how many projects it is about.
func (i *Incident) size() string {
	if i.MoreProjects {
		return "more than " + plural(len(i.Projects), "project")
	}
	return plural(len(i.Projects), "project")
}

// says names the projects, and what came of their builds.
func (i *Incident) says() string {
	of := list(i.Projects, 12)
	if i.MoreProjects {
		of = i.size()
	}
	s := fmt.Sprintf("%s of %s failed of it", plural(i.Builds, "build"), of)
	if i.Ended.IsZero() {
		return s + "."
	}
	var parts []string
	failed := "not healed"
	if !i.passes() {
		failed = "not cured by Buildmedic"
	}
	for _, part := range []struct {
		n    int
		text string
	}{{i.Healed, "green"}, {i.Failed, failed}, {i.Open, "not seen green yet"}} {
		if part.n > 0 {
			parts = append(parts, thousands(part.n)+" "+part.text)
		}
	}
	return s + ": " + strings.Join(parts, ", ") + "."
}

// lasted is how long it went on.
func (i *Incident) lasted() string { return about(i.Ended.Sub(i.Opened)) }

// incidentCause is the cause's title, with what it is about.
func (s wording) incidentCause() string {
	t := s.title()
	if i := s.n.Incident; i.What != "" && !strings.Contains(t, i.What) {
		t += " (" + i.What + ")"
	}
	return t
}

func (s wording) incidentHeadline() string {
	i := s.n.Incident
	switch {
	case i == nil:
		return "one cause in many projects"
	case i.Ended.IsZero():
		return s.incidentCause()
	case i.End == decide.EndGreen:
		return "over after " + i.lasted() + ": " + s.incidentCause()
	case i.End == decide.EndQuiet:
		return "nothing new for an hour: " + s.incidentCause()
	}
	return "not over after " + i.lasted() + ": " + s.incidentCause()
}

func (s wording) incidentLead() (says, detail string) {
	i := s.n.Incident
	switch {
	case i == nil:
		return "Many projects fail of one cause", ""
	case i.Ended.IsZero() && i.Again:
		return capital(i.size()) + " fail of one cause by now", s.incidentCause()
	case i.Ended.IsZero() && len(i.Projects) == 1:
		return i.Projects[0] + " fails of a cause that many projects have", s.incidentCause()
	case i.Ended.IsZero():
		return capital(i.size()) + " fail of one cause", s.incidentCause()
	case i.End == decide.EndGreen:
		return fmt.Sprintf("What failed %s is over after %s", i.size(), i.lasted()), s.incidentCause()
	case i.End == decide.EndQuiet:
		return "Nothing new has failed of what failed " + i.size(), s.incidentCause()
	}
	return "What failed " + i.size() + " has not passed", s.incidentCause()
}

func (s wording) incidentTodo() (long, short string) {
	i := s.n.Incident
	switch {
	case i == nil:
		return "To do: see below.", "To do: see below."
	case i.Ended.IsZero() && i.passes() && !i.Waits:
		return "Nothing to do now: it passes by itself.", "Nothing to do now."
	case i.Ended.IsZero() && i.passes():
		return "Nothing to do now: builds are started again once it passes.", "Nothing to do now."
	case i.Ended.IsZero():
		return "To do: follow the advice below, once for all.", "To do: see below."
	case i.Failed+i.Open > 0 && i.passes():
		return "To do: look at the builds that are not green.", "To do: see below."
	case i.End == decide.EndGreen:
		return "Nothing to do.", "Nothing to do."
	}
	return "To do: follow the advice below if it is not done.", "To do: see below."
}

func (s wording) incidentHappened() []string {
	i := s.n.Incident
	if i == nil {
		return nil
	}
	out := []string{sentence(s.incidentCause()), i.Says}
	if !i.Ended.IsZero() && i.Probes > 0 {
		out = append(out, fmt.Sprintf("To see whether it was over, %s started one at a time.", plural(i.Probes, "build")+" "+was(i.Probes)))
	}
	return out
}

func was(n int) string {
	if n == 1 {
		return "was"
	}
	return "were"
}

// incidentNext says what happens now, and what a person should do.
func (s wording) incidentNext(say func(string)) {
	i := s.n.Incident
	if i == nil {
		return
	}
	advice := ""
	if s.n.Failure != nil {
		advice = sentence(s.n.Failure.Advice)
	}
	switch {
	case i.Ended.IsZero() && i.passes() && !i.Waits:
		say("No build is started again: Buildmedic only observes these projects, or may not start their builds.")
		say("A notice follows when nothing new has failed of it for an hour.")
	case i.Ended.IsZero() && i.passes():
		say("One build at a time is started again to see whether it is over. Once one is green, the others are started again, " +
			"too. A build waits for two hours at most; then it is started again, and told of, by itself.")
		say("A notice follows when it is over.")
	case i.Ended.IsZero():
		say(advice)
		if entries(s.n.Refusals) > 0 {
			say(addEntry)
		}
		say("Other projects that fail of this are told of together. It is over once the builds are green again, or when nothing " +
			"new has failed of it for an hour; a notice says so.")
	case i.Failed+i.Open == 0:
		say("It is over. If it comes back, another notice says so.")
	case i.passes():
		say("What was not started again, or failed again, has notices of its own, but for builds of projects that Buildmedic only " +
			"observes or may not start.")
	default:
		say(advice)
		say("If more fail of it, another notice follows.")
	}
}

// items are its builds, those that are not green first.
func (i *Incident) items() (items []string) {
	rank := map[decide.Kind]int{decide.Healed: 2, "": 1}
	order := func(a, b Follower) int { return rank[a.Outcome] - rank[b.Outcome] }
	for _, one := range slices.SortedStableFunc(slices.Values(i.Named), order) {
		line := middle(one.Build, 2*phone)
		switch {
		case one.Outcome == decide.Healed:
			line += ": green"
		case one.Outcome != "" && !i.Ended.IsZero():
			line += ": " + string(one.Outcome)
		}
		items = append(items, line+" (case "+one.Case+")")
	}
	return items
}

// mailIncident names the builds.
func (n Notice) mailIncident(l *letter) {
	i := n.Incident
	if i == nil {
		return
	}
	if items := i.items(); len(items) > 0 {
		l.list("the builds", "The builds:", items, i.Builds-len(items))
		l.keepLast()
	}
	l.add("its name", "Incident: "+i.Name+"; `buildmedic history` marks its cases.")
}

func (m *report) incident(i *Incident) {
	if i == nil {
		return
	}
	m.head("The builds")
	items := i.items()
	for _, one := range items {
		m.hang("  ", one)
	}
	if more := i.Builds - len(items); more > 0 {
		m.hang("  ", "and "+thousands(more)+" more")
	}
	m.end()
}

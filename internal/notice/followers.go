package notice

import (
	"fmt"
	"strings"

	"github.com/buildmedic/buildmedic/internal/decide"
)

// Followers are the other builds that failed at the same point, and were started again because
// this one's cure helped. The lists are bounded, the numbers count all.
type Followers struct {
	Says         string     `json:"says"` // all of it in a sentence
	Builds       int        `json:"builds"`
	Healed       int        `json:"healed"`
	Failed       int        `json:"failed"` // each has notices of its own
	Open         int        `json:"open"`
	Projects     []string   `json:"projects"`
	MoreProjects bool       `json:"more_projects,omitempty"`
	Named        []Follower `json:"named"`
}

// Follower is one of them.
type Follower struct {
	Case    string      `json:"case"`
	Project string      `json:"project"`
	Build   string      `json:"build"`             // PROJECT:UUID
	Retry   string      `json:"retry,omitempty"`   // the build that was started
	Outcome decide.Kind `json:"outcome,omitempty"` // how its case ended; left out while it has not
}

// followers tells of those that followed the case; nil if none did.
func followers(v *view) *Followers {
	f := v.Followers
	if f == nil || f.Builds == 0 {
		return nil
	}
	out := &Followers{Builds: f.Builds, Healed: f.Healed, Failed: f.Failed, Open: f.Open, MoreProjects: f.MoreProjects,
		Projects: []string{}, Named: []Follower{}}
	for _, p := range f.Projects {
		out.Projects = append(out.Projects, id(p))
	}
	for _, one := range f.Named {
		out.Named = append(out.Named, Follower{Case: id(one.Case), Project: id(one.Project), Build: id(one.Build), Retry: id(one.Retry),
			Outcome: decide.Kind(id(string(one.Outcome)))})
	}
	out.Says = out.says()
	return out
}

func (f *Followers) says() string {
	of := list(f.Projects, 3)
	if f.MoreProjects {
		of = fmt.Sprintf("more than %s", plural(len(f.Projects), "project"))
	}
	s := fmt.Sprintf("%s of %s failed at the same point and only had to be started again: ", plural(f.Builds, "other build"), of)
	var parts []string
	for _, part := range []struct {
		n    int
		text string
	}{{f.Healed, "green"}, {f.Failed, "failed again (see their own notices)"}, {f.Open, "not ended yet"}} {
		if part.n > 0 {
			parts = append(parts, thousands(part.n)+" "+part.text)
		}
	}
	return s + strings.Join(parts, ", ") + "."
}

// green is how many builds are, with the one that the notice is about.
func (f *Followers) green() int { return f.Healed + 1 }

// line tells of one of them, in an e-mail.
func (f Follower) line() string {
	switch {
	case f.Outcome == decide.Healed:
		return f.Build + ": green"
	case f.Outcome != "":
		return f.Build + ": failed again"
	}
	return f.Build + ": not ended yet"
}

func (m *report) followers(f *Followers) {
	if f == nil {
		return
	}
	m.head("The other builds")
	for _, one := range f.Named {
		m.hang("  ", one.line())
	}
	if more := f.Builds - len(f.Named); more > 0 {
		m.hang("  ", "and "+thousands(more)+" more")
	}
	m.end()
}

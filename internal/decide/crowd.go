package decide

import (
	"slices"
	"time"
)

// Crowd is what a case that others follow does about them once it has ended: it
// has them started again, and tells of all of them in one notice.
type Crowd struct {
	// Run names the messages by which that goes on; one that names another run is
	// dropped.
	Run int64 `json:"run,omitempty"`
	// Since is the end of the case that it is about; zero: the case has not ended.
	Since time.Time `json:"since,omitzero"`
	// From: those that followed before were told of at an earlier end of the case.
	From  time.Time `json:"from,omitzero"`
	Round int       `json:"round,omitempty"` // index of the case's round then
	// Healed: the case was healed then. Else those that follow it tell of themselves.
	Healed bool `json:"healed,omitempty"`
	// Held: the notice that the case is healed waits for those that follow it.
	Held bool `json:"held,omitempty"`
	// Next is when it is told at the latest, whoever has not ended by then.
	Next time.Time `json:"next,omitzero"`
	// Told is how many had ended when it was told last, at At; Notices is how often it was.
	Told    int       `json:"told,omitempty"`
	At      time.Time `json:"at,omitzero"`
	Notices int       `json:"notices,omitempty"`
	// Comes is when the message of the run comes back, if that has been recorded: until then, and a while
	// after, it is not taken for lost. Full is how often in a row the queue of builds was full by then.
	Comes time.Time `json:"comes,omitzero"`
	Full  int       `json:"full,omitempty"`
	// Done: nobody is left to start or to tell of.
	Done bool `json:"done,omitempty"`
}

// Active reports whether there is something left to do for those that follow.
func (c *Crowd) Active() bool { return c != nil && !c.Since.IsZero() && !c.Done }

// Start is from when on who followed counts.
func (c *Crowd) Start() time.Time {
	if c == nil {
		return time.Time{}
	}
	return c.From
}

// Followers sums up the builds that were started again because of another one's
// cure. Both lists are bounded; the numbers count all.
type Followers struct {
	Builds int `json:"builds"`
	Healed int `json:"healed"`           // are green
	Failed int `json:"failed,omitempty"` // failed again, or were not started: their own notices tell of them
	Open   int `json:"open,omitempty"`   // have not ended
	// Projects names their projects, each once. MoreProjects: there are others.
	Projects     []string `json:"projects"`
	MoreProjects bool     `json:"more_projects,omitempty"`
	// Named are the first of them; a project's first comes before another's second.
	Named []Follower `json:"named"`
}

// Follower is one of them.
type Follower struct {
	Case    string `json:"case"`
	Project string `json:"project"`
	Build   string `json:"build"`           // that failed
	Retry   string `json:"retry,omitempty"` // that was started
	Outcome Kind   `json:"outcome"`         // "" while it has not ended
}

// Bounds of [Followers].
const (
	maxFollowers        = 20
	maxFollowerProjects = 50
)

// Add counts one more.
func (f *Followers) Add(one Follower) {
	f.Builds++
	switch one.Outcome {
	case "":
		f.Open++
	case Healed:
		f.Healed++
	default:
		f.Failed++
	}
	if !slices.Contains(f.Projects, one.Project) {
		if len(f.Projects) < maxFollowerProjects {
			f.Projects = append(f.Projects, one.Project)
		} else {
			f.MoreProjects = true
		}
	}
	if len(f.Named) < maxFollowers {
		f.Named = append(f.Named, one)
	} else if !ofProject(one.Project, f.Named) {
		for i, o := range slices.Backward(f.Named) { // no project fills the list
			if ofProject(o.Project, f.Named[:i]) {
				f.Named = append(slices.Delete(f.Named, i, i+1), one)
				break
			}
		}
	}
}

func ofProject(project string, among []Follower) bool {
	return slices.ContainsFunc(among, func(o Follower) bool { return o.Project == project })
}

// Ended is how many have ended.
func (f *Followers) Ended() int { return f.Healed + f.Failed }

package notice

import (
	"fmt"
	"time"

	"github.com/buildmedic/buildmedic/internal/decide"
)

// Memory is what is remembered of a test beside its present run of failures.
type Memory struct {
	FailedEver int       `json:"failed_ever,omitempty"` // in how many other builds, of any branch
	Flaked     int       `json:"flaked,omitempty"`      // how often the same commit was green afterwards
	LastFlaked time.Time `json:"last_flaked,omitzero"`
	Broken     bool      `json:"broken,omitempty"` // it fails on commit after commit, so it does not count as flaky
}

func memoryOf(h decide.TestHistory) Memory {
	return Memory{h.Failed, h.Flaked, utc(h.LastFlaked), h.Commits >= decide.BrokenAfter}
}

// flaky says how often the test was seen to be flaky; "" for never. inRow: its failures are known
// to be of one branch.
func (m Memory) flaky(inRow bool) string {
	if m.Flaked == 0 {
		return ""
	}
	s := " · flaky: the same commit was green " + times(m.Flaked) + ", last on " + m.LastFlaked.Format(time.DateOnly)
	switch {
	case m.Broken && !inRow:
		s += fmt.Sprintf(", but it failed on %d commits since", decide.BrokenAfter)
	case m.Broken:
		s += fmt.Sprintf(", but it fails on %d commits in a row now", decide.BrokenAfter)
	}
	return s
}

// times is "once", "twice" or "7 times".
func times(n int) string {
	switch n {
	case 1:
		return "once"
	case 2:
		return "twice"
	}
	return thousands(n) + " times"
}

// flakyTests says what failed if the build is started again for it: tests that are known to be
// flaky.
func (s wording) flakyTests() string {
	d := s.latest.Decision
	switch {
	case d == nil || d.Flaky == 0:
		return ""
	case d.Flaky == 1:
		return "a flaky test"
	}
	return plural(d.Flaky, "flaky test")
}

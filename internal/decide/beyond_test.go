package decide

import (
	"slices"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/codebuild"
)

// phases are phases that each began so many seconds after ten, ended as the next one began, and
// succeeded; the last one runs, or has the status.
func phases(last string, names map[string]int, order ...string) (ps []codebuild.Phase) {
	for i, n := range order {
		p := codebuild.Phase{Type: n, Status: codebuild.Succeeded, Start: began.Add(time.Duration(names[n]) * time.Second)}
		if i == len(order)-1 {
			p.Status = last
		}
		if i > 0 {
			ps[i-1].End = p.Start
		}
		ps = append(ps, p)
	}
	return ps
}

// TestReached is the table of how far a build has come, and of how long it takes still.
func TestReached(t *testing.T) {
	at := map[string]int{"SUBMITTED": 0, "QUEUED": 0, "PROVISIONING": 10, "PRE_BUILD": 60, "BUILD": 100}
	failed := failedAt("1", uploadFailed)
	failed.Start = began
	failed.Phases = phases(codebuild.Failed, at, "SUBMITTED", "QUEUED", "PROVISIONING", "PRE_BUILD")
	failed.Phases[3].End = began.Add(90 * time.Second)
	order := []string{"SUBMITTED", "QUEUED", "PROVISIONING", "PRE_BUILD", "BUILD"}
	late := map[string]int{"SUBMITTED": 0, "QUEUED": 0, "PROVISIONING": 200, "PRE_BUILD": 260, "BUILD": 300}
	now := began.Add(290 * time.Second)
	for _, row := range []struct {
		what   string
		change func(*codebuild.Build)
		reach  Reach
		until  time.Duration
	}{
		{"in the queue", func(b *codebuild.Build) { b.Phases = phases("", late, order[:2]...) }, ReachBefore, 0},
		{"a phase before", func(b *codebuild.Build) { b.Phases = phases("", late, order[:3]...) }, ReachBefore, 0},
		{"in the phase", func(b *codebuild.Build) { b.Phases = phases("", late, order[:4]...) }, ReachWithin, 0},
		{"in the phase, as some records say it", func(b *codebuild.Build) {
			b.Phases = phases(codebuild.InProgress, late, order[:4]...)
		}, ReachWithin, 0},
		{"not long in the phase", func(b *codebuild.Build) {
			b.Phases = phases("", map[string]int{"PRE_BUILD": 280}, order[:4]...)
		}, ReachWithin, 20 * time.Second},
		{"in the next phase", func(b *codebuild.Build) { b.Phases = phases("", late, order...) }, ReachBeyond, 0},
		{"between two phases", func(b *codebuild.Build) { b.Phases = phases(codebuild.Succeeded, late, order[:4]...) }, ReachBeyond, 0},
		{"the phase runs again", func(b *codebuild.Build) {
			b.Phases = append(phases(codebuild.Failed, late, order[:4]...), phases("", late, "PRE_BUILD")...)
		}, ReachWithin, 0},
		{"the phase failed", func(b *codebuild.Build) { b.Phases = phases(codebuild.Failed, late, order[:4]...) }, ReachEnded, 0},
		{"a later phase failed", func(b *codebuild.Build) { b.Phases = phases(codebuild.Failed, late, order...) }, ReachEnded, 0},
		{"it has ended", func(b *codebuild.Build) {
			b.Phases, b.Status = phases(codebuild.Succeeded, late, order...), codebuild.Succeeded
		}, ReachEnded, 0},
		{"nothing is known of it", func(b *codebuild.Build) { b.Phases = nil }, ReachBefore, 0},
	} {
		again := codebuild.Build{ID: "shop:3", Status: codebuild.InProgress, Start: began}
		row.change(&again)
		if got := Reached(failed, again); got != row.reach {
			t.Errorf("%s: %s, want %s", row.what, got, row.reach)
		}
		if got := Until(failed, again, now); got != row.until {
			t.Errorf("%s: %s, want %s", row.what, got, row.until)
		}
	}
	if got := Until(failed, codebuild.Build{Start: began}, began.Add(30*time.Second)); got != time.Minute {
		t.Errorf("a minute before it should be there: %s", got)
	}
	if got := Until(codebuild.Build{}, codebuild.Build{Start: began}, now); got != 0 {
		t.Errorf("nobody knows when the first one failed: %s", got)
	}
}

// TestAbreast: they are few at first, and never fewer than before.
func TestAbreast(t *testing.T) {
	var got []int
	for pass := range 100 {
		got = append(got, Abreast(pass))
	}
	if got[0] > 10 || !slices.IsSorted(got) || got[99] < 1000 {
		t.Errorf("%v", got)
	}
}

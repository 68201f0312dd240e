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
		{"in the queue", func(b *codebuild.Build) { b.Phases = phases("", late, order[:2]...) }, ReachQueued, 0},
		{"in the queue, as some records say it", func(b *codebuild.Build) {
			b.Phases = phases(codebuild.InProgress, late, order[:2]...)
		}, ReachQueued, 0},
		{"a place is found", func(b *codebuild.Build) { b.Phases = phases(codebuild.Succeeded, late, order[:2]...) }, ReachBefore, 0},
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

// TestNextLook is the table of when a build is looked at again: twelve times at most once it runs, and as long
// as it waits for a place.
func TestNextLook(t *testing.T) {
	const s, m = time.Second, time.Minute
	failed := failedAt("1", uploadFailed)
	failed.Start = began
	failed.Phases = phases(codebuild.Failed, map[string]int{"QUEUED": 0, "PRE_BUILD": 60}, "QUEUED", "PRE_BUILD")
	failed.Phases[1].End = began.Add(90 * s)
	for what, row := range map[string]struct {
		reach  Reach
		looks  int
		waited time.Duration // since it was started
		wait   time.Duration
		in     int
		ok     bool
	}{
		"the first":                  {ReachBefore, 0, 2 * m, 30 * s, 1, true},
		"the second":                 {ReachWithin, 1, 3 * m, m, 2, true},
		"the eleventh":               {ReachWithin, 10, 80 * m, 10 * m, 11, true},
		"the twelfth":                {ReachWithin, 11, 90 * m, 10 * m, 12, false},
		"it cannot be there yet":     {ReachBefore, 1, 10 * s, 80 * s, 2, true},
		"just queued":                {ReachQueued, 0, 10 * s, 80 * s, 0, true},
		"queued for 80 seconds":      {ReachQueued, 0, 80 * s, 30 * s, 0, true},
		"queued for 20 minutes":      {ReachQueued, 0, 20 * m, 5 * m, 0, true},
		"queued for hours":           {ReachQueued, 3, 7 * 60 * m, 10 * m, 3, true},
		"queued for longer than can": {ReachQueued, 3, 12 * 60 * m, 10 * m, 3, false},
	} {
		again := codebuild.Build{ID: "shop:3", Status: codebuild.InProgress, Start: began}
		wait, in, ok := NextLook(failed, again, row.reach, row.looks, began.Add(row.waited))
		if wait != row.wait || in != row.in || ok != row.ok {
			t.Errorf("%s: after %s, %d in vain, %t; want %s, %d, %t", what, wait, in, ok, row.wait, row.in, row.ok)
		}
	}
	// Whoever follows it for hours costs a few dozen reads.
	n := 0
	for waited := time.Duration(0); ; n++ {
		wait, _, ok := NextLook(failed, codebuild.Build{Start: began}, ReachQueued, 0, began.Add(waited))
		if !ok {
			break
		}
		waited += wait
	}
	if n > 100 {
		t.Errorf("a build that waits for 12 hours is looked at %d times", n)
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

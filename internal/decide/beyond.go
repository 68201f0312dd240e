package decide

import (
	"slices"
	"time"

	"github.com/buildmedic/buildmedic/internal/codebuild"
)

// Reach is how far a build that was started again has come, measured by the point at which the one
// before it failed.
type Reach string

// What there is.
const (
	ReachQueued Reach = "queued" // it has not begun: it waits for a place
	ReachBefore Reach = "before" // not at that phase yet
	ReachWithin Reach = "within" // in that phase: only its log says whether it is past the command
	ReachBeyond Reach = "beyond" // that phase succeeded
	ReachEnded  Reach = "ended"  // it has ended, or a phase of it failed: its end says what it came to
)

// Reached judges by both builds' records how far the second has come.
func Reached(failed, again codebuild.Build) Reach {
	at, ok := failed.FailedPhase()
	if !ok || !again.Runs() {
		return ReachEnded
	}
	if _, ok := again.FailedPhase(); ok {
		return ReachEnded
	}
	for _, p := range codebuild.LastRuns(again.Phases) {
		switch {
		case p.Type != at.Type:
		case p.Status == codebuild.Succeeded:
			return ReachBeyond
		default:
			return ReachWithin
		}
	}
	if n := len(again.Phases); n > 0 && again.Phases[n-1].Type == "QUEUED" && again.Phases[n-1].Status != codebuild.Succeeded {
		return ReachQueued
	}
	return ReachBefore
}

const (
	// LookAfter is how much longer than the failed build needed the one that was started again is given
	// to come past the point: if that was the build's last command, it has ended by then, and there is
	// nothing to look at. It is also the least time between two looks.
	LookAfter = 30 * time.Second
	// maxLook is the longest time between two looks, and MaxLooks how often in a row it is looked in vain.
	maxLook  = 10 * time.Minute
	MaxLooks = 12
	// maxQueued is for how long a build is looked at that has not begun. CodeBuild itself ends it before
	// (AWS.md#queue-limits).
	maxQueued = 12 * time.Hour
)

// NextLook says after how long it is looked again how far a build has come that was started again and is
// not past the point, and how often in a row that is in vain by then; ok is false if it is not looked
// again. reach and looks are those of the look that is over. A build that waits for a place, perhaps for
// hours, will come past the point as soon as any other, so such a look is none in vain; the longer it has
// waited, the rarer they are.
func NextLook(failed, again codebuild.Build, reach Reach, looks int, now time.Time) (wait time.Duration, in int, ok bool) {
	if reach == ReachQueued {
		waited := now.Sub(again.Start)
		return max(Until(failed, again, now), min(max(waited/4, LookAfter), maxLook)), looks, waited < maxQueued
	}
	looks++
	return max(Until(failed, again, now), min(LookAfter<<min(looks-1, 8), maxLook)), looks, looks < MaxLooks
}

// Until estimates how long a build that was started again still needs to where the failed one's
// phase failed, if it takes as long for each phase; 0 if it should be there. again is its record,
// or empty but for its start if that has not been read.
func Until(failed, again codebuild.Build, now time.Time) time.Duration {
	at, ok := failed.FailedPhase()
	if !ok || at.End.IsZero() {
		return 0
	}
	from, began := failed.Start, again.Start
	for _, p := range slices.Backward(again.Phases) {
		i := slices.IndexFunc(failed.Phases, func(was codebuild.Phase) bool { return was.Type == p.Type })
		if i >= 0 && !p.Start.IsZero() && !failed.Phases[i].Start.IsZero() {
			from, began = failed.Phases[i].Start, p.Start
			break
		}
	}
	if from.IsZero() || began.IsZero() {
		return 0
	}
	return max(at.End.Sub(from)-now.Sub(began), 0)
}

// Beyond gives the round of an open case whose build was seen past the point at which the round's own
// had failed, and still runs; ok is false if there is none. Those that follow the case may be started
// again then, though nobody knows yet whether the build will be green.
func (c Case) Beyond() (r Round, ok bool) {
	if !c.Closed.IsZero() || len(c.Rounds) == 0 {
		return r, false
	}
	r = c.Rounds[len(c.Rounds)-1]
	return r, r.Step == StepRetried && !r.Beyond.IsZero()
}

// MayLead reports whether it is worth looking how far the build has come that the round has started:
// the round changed something, and its build is one that others can follow.
func (r *Round) MayLead() bool {
	return r.Step == StepRetried && r.Retry != "" && r.Beyond.IsZero() && r.Stands() && !r.Partly && r.Incident == "" &&
		r.Decision != nil && r.Decision.Plan != nil && r.Decision.Plan.Write != nil && r.Decision.Plan.Route == RouteBuild &&
		!r.Build.OfBatch() && Point(r.Build) != ""
}

// Abreast is how many of those that follow a case may be started, while its build still runs, in the
// pass with that number, from 0 on: few at first, since each of them fails if that build fails again.
func Abreast(pass int) int { return 5 << min(pass, 10) }

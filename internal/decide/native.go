package decide

import (
	"fmt"

	"github.com/buildmedic/buildmedic/internal/diagnose"
)

// afterItsOwn leaves a build to CodeBuild's own retries, if there are any to come and the cure would need
// a start of its own: the two would run side by side. The last of them is cured. then says what follows.
func afterItsOwn(f Facts, d Decision, then string) (Decision, bool) {
	if route(f) != RouteCodeBuild {
		return d, false
	}
	if rs := limits(f, false); len(rs) > 0 {
		return overBudget(f, d, rs), true
	}
	d.Remedy = diagnose.Retry
	d.Plan = newPlan(f, diagnose.Retry)
	d.Why = fmt.Sprintf("CodeBuild starts the build again by itself, at most %d times. Only if that does not help %s.",
		f.Build.AutoRetry.Limit, then)
	return d, true
}

// shows is how many times the settings' settle a change needs at most to show everywhere.
const shows = 4

// beforeItShowed reports whether the build is one of CodeBuild's own retries, and began before the case's
// last change, which stands, could show: CodeBuild waits for nothing. Such a build says nothing of whether
// the change helps.
func beforeItShowed(f Facts) bool {
	if f.Build.AutoRetry.Previous == "" || f.Build.Start.IsZero() {
		return false
	}
	i := lastWrite(f.Earlier, len(f.Earlier))
	return i >= 0 && f.Build.Start.Before(f.Earlier[i].Written.Add(shows*f.Settings.Limits.Settle))
}

// unshownYet has such a build started again: by CodeBuild itself, or once the change shows.
func unshownYet(f Facts, d Decision) Decision {
	if rs := limits(f, false); len(rs) > 0 {
		return overBudget(f, d, rs)
	}
	d.Remedy = diagnose.Retry
	d.Plan = newPlan(f, diagnose.Retry)
	if d.Plan.Route != RouteCodeBuild {
		d.Plan.Settle = shows * f.Settings.Limits.Settle
	}
	d.Why = "IAM says that the role may do this by now. CodeBuild had started the build again before that could show."
	return d
}

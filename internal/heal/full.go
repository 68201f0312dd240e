package heal

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// A start that CodeBuild refuses since as many builds run and wait as may has failed nothing: the case
// comes back later (AWS.md#queue-limits). Meanwhile it takes up no budget, so that those that can be
// started are, and it ends only after a time in which every queue has moved.

const (
	// fullFor is how long a case comes back. What waits in a full queue leaves it within eight hours.
	fullFor = 12 * time.Hour
	// Between two tries are at most firstPause, doubled each time, and lastPause.
	firstPause, lastPause = 20 * time.Second, 30 * time.Minute
	// overtakenAfter is how long after the first refusal it is looked whether a newer build has run.
	overtakenAfter = time.Hour
)

// errNoRoom: the budget of builds started in an hour is used up by others.
var errNoRoom = fmt.Errorf("limits.retries_per_hour is used up: %w", ErrLater)

// refusedForNow reports whether the error says that the case's build cannot be started now, for want
// of a place, and that nothing else is wrong.
func refusedForNow(c *held, err error) bool {
	return c.last().Step == decide.StepRetrying && (errors.Is(err, ErrFull) || errors.Is(err, errNoRoom))
}

// comeBack has the case come back to start its build, or ends it once that has been tried for long.
func (h *Healer) comeBack(ctx context.Context, c *held, why error) error {
	r, now := c.last(), h.Clock.Now()
	if r.Full.IsZero() {
		r.Full = now
	}
	if !r.Counted.IsZero() {
		// Recorded first: whoever continues a case that was refused counts it again.
		if err := h.save(ctx, c, false); err != nil {
			return err
		}
		if err := h.uncount(ctx, c); err != nil {
			return err
		}
	}
	if now.Sub(r.Full) >= fullFor {
		return h.neverStarted(ctx, c, why, fmt.Sprintf("CodeBuild took no more builds for %d hours, so the build was not started "+
			"again. Start it by hand, or raise the quota of concurrent builds of its environment type and size "+
			"(or the project's own limit, if it has one).", int(fullFor.Hours())))
	}
	r.Refused++
	until := now.Add(Jitter(min(firstPause<<min(r.Refused, 10), lastPause), fmt.Sprint(c.ID, " full ", r.Refused)))
	h.Log.InfoContext(ctx, "the build cannot be started now", "case", c.ID, "until", until, "because", why.Error())
	return h.wait(ctx, c, until)
}

// neverStarted ends and closes a case whose build could not be started.
func (h *Healer) neverStarted(ctx context.Context, c *held, why error, note string) error {
	h.Log.InfoContext(ctx, "the build is not started", "case", c.ID, "because", why.Error())
	if err := h.unstarted(ctx, c, note); err != nil {
		return err
	}
	return h.close(ctx, c)
}

// unstarted ends a case whose build was not started. It uses up no budget, and no round of its commit.
func (h *Healer) unstarted(ctx context.Context, c *held, note string) error {
	r := c.last()
	if !r.Counted.IsZero() {
		if err := h.uncount(ctx, c); err != nil {
			return err
		}
	}
	k := decide.Reported
	if !r.Written.IsZero() {
		k, note = decide.Failed, note+" What was changed stands."
	}
	if err := h.release(ctx, c, h.Clock.Now()); err != nil {
		return err
	}
	r.RetryAt, r.Token = time.Time{}, ""
	c.finish(h.Clock.Now(), k, note)
	return nil
}

// uncount gives back the place that the round's start has in the budget of the hour in which it was
// counted.
func (h *Healer) uncount(ctx context.Context, c *held) error {
	r := c.last()
	if err := h.Store.GiveBack(ctx, retriesOf(h.Settings.Limits, r.Counted).id, token(c)); err != nil {
		return fmt.Errorf("giving back a place of limits.retries_per_hour: %w", err)
	}
	r.Counted = time.Time{}
	return nil
}

// recount takes a place in this hour's budget for a start that was refused before, and whose place
// was given back.
func (h *Healer) recount(ctx context.Context, c *held) error {
	r, now := c.last(), h.Clock.Now()
	if r.Full.IsZero() || !usesRetry(r.Decision.Plan) {
		return nil
	}
	b := retriesOf(h.Settings.Limits, now)
	if was := retriesOf(h.Settings.Limits, r.Counted); !r.Counted.IsZero() && was.id != b.id {
		if err := h.uncount(ctx, c); err != nil {
			return err
		}
	}
	ok, err := h.Store.Count(ctx, b.id, token(c), b.max, b.until)
	if err != nil {
		return fmt.Errorf("counting %s: %w", b.setting, err)
	}
	if !ok {
		return errNoRoom
	}
	r.Counted = now
	return nil
}

// usesRetry reports whether the plan starts a build that counts in a budget. What is asked for in code
// is started much later, and counts then.
func usesRetry(p *decide.Plan) bool {
	return p.Route != decide.RouteNone && p.Route != decide.RouteCodeBuild && !p.InCode()
}

// retriesOf is the budget of the builds that are started again in the hour of at.
func retriesOf(l settings.Limits, at time.Time) budget {
	return budget{guardrail.RetriesPerHour, "retries " + at.UTC().Format("2006-01-02T15"), l.RetriesHour,
		"limits.retries_per_hour", at.Add(2 * time.Hour)}
}

// leftForNewer reports whether a build that waited for a place is not to be started any more, since a
// newer one has run meanwhile: it might put something older in the place of something newer. It is "" if
// not, or if nobody has looked.
func (h *Healer) leftForNewer(c *held) string {
	r := c.last()
	if r.Full.IsZero() || h.Clock.Now().Sub(r.Full) < overtakenAfter {
		return ""
	}
	newer := decide.Newer(r.Build, c.looked, c.knows)
	if newer == "" {
		return ""
	}
	return fmt.Sprintf("CodeBuild took no more builds for a while, and build %s of the same branch, tag or pipeline began "+
		"meanwhile. So this one is not started again. If it is wanted all the same, start it by hand.", newer)
}

// mayStart reports whether the settings, as they are now, let the build of the last round be started: it has
// waited for a place, perhaps for hours.
func (h *Healer) mayStart(c *held) bool {
	r := c.last()
	p, ok := h.Settings.Project(c.Project, c.Account, c.Region, h.Home)
	return ok && p.Retry && (p.Mode == settings.Heal || r.Approved != "" || r.Requested())
}

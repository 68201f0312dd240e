package heal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// A build may go on for long behind the command that failed. So those that follow a case need not
// wait until its build is green: once that is past the point, they are started by and by while it
// runs, few at first. If it fails after all, the others wait on.

// watch has it looked how far the build has come that the case has started again, if somebody
// follows the case. Without that look they wait for the build's end, so that a message which cannot
// be sent costs them time and nothing else.
func (h *Healer) watch(ctx context.Context, c *decide.Case) {
	if c.Crowd == nil || !c.Closed.IsZero() || len(c.Rounds) == 0 {
		return
	}
	r := c.Rounds[len(c.Rounds)-1]
	if !r.MayLead() {
		return
	}
	now := h.Clock.Now()
	at := now.Add(decide.Until(r.Build, codebuild.Build{Start: r.RetryAt}, now) + decide.LookAfter)
	if err := h.releaseAt(ctx, Release{Leader: c.ID, Runs: r.Retry}, at); err != nil {
		h.Log.WarnContext(ctx, "asking to look how far a build has come", "case", c.ID, "build", r.Retry, "error", err)
	}
}

// beyond looks how far the build has come that an open case has started again, and if it is past the
// point, starts as many of those that follow as the pass allows.
func (h *Healer) beyond(ctx context.Context, leader decide.Case, m Release) error {
	if n := len(leader.Rounds); n == 0 || !leader.Closed.IsZero() || leader.Rounds[n-1].Retry != m.Runs {
		return nil // its end, or its next build, goes on with them
	}
	if _, ok := leader.Beyond(); !ok {
		if beyond, err := h.cameBeyond(ctx, leader, m); err != nil || !beyond {
			return err
		}
		c, err := h.open(ctx, leader.ID)
		if errors.Is(err, errBusy) {
			return h.releaseAt(ctx, m, h.Clock.Now().Add(Jitter(busyAgain, leader.ID)))
		}
		if err != nil || c == nil || !c.Closed.IsZero() || !c.last().MayLead() || c.last().Retry != m.Runs {
			return err
		}
		c.last().Beyond = h.Clock.Now()
		if err := h.save(ctx, c, true); err != nil {
			return err
		}
		leader, m.Looks = c.Case, 0
	}
	n, from, err := h.startSome(ctx, leader, m.From, decide.Abreast(m.Pass))
	if err != nil {
		return err
	}
	if m.From, m.Pass, m.Looks = from, m.Pass+1, m.Looks+1; n > 0 {
		m.Looks = 0
	}
	if m.Looks >= decide.MaxLooks { // nobody has come for more than an hour; the case's end goes on with who comes still
		return nil
	}
	return h.releaseAt(ctx, m, h.Clock.Now().Add(min(betweenPasses<<min(m.Looks, 4), maxPass)))
}

// startSome starts the builds of at most so many of those that follow the case and wait, in the order
// in which they came. It returns how many, and where the next pass goes on. Whoever is passed over is
// started once the case has ended.
func (h *Healer) startSome(
	ctx context.Context, leader decide.Case, from time.Time, most int,
) (n int, next time.Time, err error) {
	if from.IsZero() {
		from = leader.Crowd.Start()
	}
	for {
		its, err := h.followersFrom(ctx, leader.ID, from)
		if err != nil {
			return n, from, err
		}
		for _, it := range its {
			if n == most || pressed(ctx) {
				return n, from, nil
			}
			began, err := h.releaseOne(ctx, leader, it, &Release{})
			switch {
			case errors.Is(err, ErrLater), err != nil && ctx.Err() != nil: // AWS takes no more now
				return n, from, nil
			case err != nil: // one that cannot be started must not keep the others from it
				h.Log.ErrorContext(ctx, "releasing a case", "case", it.ID, "leader", leader.ID, "error", err)
			case began:
				n++
			}
			from = it.Due.Add(1)
		}
		if len(its) < pageSize {
			return n, from, nil
		}
	}
}

// cameBeyond reads how far the build has come, and reports whether it is past the point. If it may come
// there, it is looked at again.
func (h *Healer) cameBeyond(ctx context.Context, leader decide.Case, m Release) (beyond bool, err error) {
	r := leader.Rounds[len(leader.Rounds)-1]
	if !r.MayLead() {
		return false, nil
	}
	at := settings.Account{ID: leader.Account, Region: leader.Region}
	b, err := h.Builds.Get(ctx, at, m.Runs)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("looking how far build %q has come: %w", m.Runs, err)
	}
	reach := decide.Reached(r.Build, b)
	switch reach {
	case decide.ReachBeyond:
		return true, nil
	case decide.ReachEnded:
		return false, nil
	case decide.ReachWithin:
		if beyond, err = h.logBeyond(ctx, r.Build, b); err != nil || beyond {
			return beyond, err
		}
	}
	now := h.Clock.Now()
	wait, looks, again := decide.NextLook(r.Build, b, reach, m.Looks, now)
	if !again {
		return false, nil
	}
	m.Looks = looks
	return false, h.releaseAt(ctx, m, now.Add(wait))
}

// logBeyond reports whether the log of the build that runs shows it past the command that failed.
func (h *Healer) logBeyond(ctx context.Context, failed, runs codebuild.Build) (bool, error) {
	p, _ := failed.FailedPhase()
	if h.Past == nil {
		return false, nil
	}
	beyond := func(text string) bool {
		return slices.ContainsFunc(p.Contexts, func(c codebuild.Context) bool { return buildlog.Beyond(text, c) })
	}
	log, err := h.Past.End(ctx, runs, beyond)
	if err != nil {
		return false, fmt.Errorf("reading how far build %q has come: %w", runs.ID, err)
	}
	return beyond(log.Text), nil
}

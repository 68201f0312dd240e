package heal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// fate is what becomes of a failed build in its case.
type fate int

const (
	fateRound fate = iota // it begins a round
	fateWaits             // the case is busy with another build: it waits
	fatePast              // a later build of the same kind has been dealt with
)

// enter settles what becomes of the failed build: a round, if the case is
// free for it. batch is what [Healer.retriedBatch] read. The case is not saved.
func (h *Healer) enter(ctx context.Context, c *held, b codebuild.Build, batch codebuild.Batch) (fate, error) {
	past, err := h.overtaken(ctx, c, b, batch)
	if err != nil {
		return 0, err
	}
	at := fatePast
	if !past && !h.waitsOn(c, b) {
		at = h.openRound(c, b, batch)
	}
	switch at {
	case fateRound, fatePast:
		c.Others = slices.DeleteFunc(c.Others, func(id string) bool { return id == b.ID })
		if at == fatePast {
			c.Past.Remember(b.ID)
		}
	case fateWaits:
		if len(c.Others) >= decide.MaxOthers {
			return 0, fmt.Errorf("the case has %d other builds waiting: %w", len(c.Others), ErrLater)
		}
		c.Others = append(c.Others, b.ID)
	}
	return at, nil
}

// overtaken reports whether nothing need be done about b, since the case has
// dealt with a later build that asked for the same: the rerun of b's batch or
// stage, CodeBuild's own retry of it, a build that began after b had ended, or, where builds do not run side
// by side, a green one that ended after it.
func (h *Healer) overtaken(ctx context.Context, c *held, b codebuild.Build, batch codebuild.Batch) (bool, error) {
	if _, again := batch.Rerun(b.ID); again {
		return true, nil
	}
	if _, again := batch.After(b); again && b.OfBatch() {
		return true, nil
	}
	if _, next, ok := codebuild.ParseBuildARN(b.AutoRetry.Next); ok && slices.Contains(c.Past.Builds, next) {
		return true, nil // nobody would come to what it waits for
	}
	if b.End.IsZero() || len(c.Rounds) == 0 {
		return false, nil
	}
	if p, ok := h.Settings.Project(c.Project, c.Account, c.Region, h.Home); ok && guardrail.Runner(b, p) {
		return false, nil // each ran another job, whatever they were asked for
	}
	own := c.last().Waits() && h.startedBy(*c.last(), b, batch)
	var later []codebuild.Build
	for _, r := range c.Rounds {
		switch {
		case r.Old:
		case r.OfStage() && r.Retry != "" && !own && r.RetryAt.After(b.End) && executionKey(r.Build) == executionKey(b):
			return true, nil // the stage ran all of its failed actions again
		case !r.Build.Start.Before(b.End):
			later = append(later, r.Build)
		}
	}
	if c.Outcome == decide.Healed && executionKey(b) == "" && !b.End.After(c.last().Ended) {
		later = append(later, c.last().Build) // it was repeated, and that was green
	}
	if start := c.Past.Start; !start.IsZero() && !start.Before(b.End) {
		later = append(later, codebuild.Build{ID: c.Past.Newest})
	}
	for _, l := range later {
		same, err := h.sameAsked(ctx, c, l, b)
		if err != nil || same {
			return same, err
		}
	}
	return false, nil
}

// waitsOn has the case wait for the next one of CodeBuild's own retries, if b is one that had failed before
// the case changed anything: it says nothing of the change.
func (h *Healer) waitsOn(c *held, b codebuild.Build) bool {
	at, next, ok := codebuild.ParseBuildARN(b.AutoRetry.Next)
	if !ok || settings.AccountOf(at) != c.at() || len(c.Rounds) == 0 || !c.Closed.IsZero() || !c.byCodeBuild() {
		return false
	}
	r := c.last()
	if r.Step != decide.StepRetried || !h.startedBy(*r, b, codebuild.Batch{}) || r.Written.IsZero() || !b.End.Before(r.Written) ||
		b.AutoRetry.Number <= r.Build.AutoRetry.Number {
		return false
	}
	r.Retry = next
	return true
}

// greenByItself reports whether CodeBuild has retried the build by itself, and that was green: an event
// that came late tells of a failure for which nothing need be changed any more.
func (h *Healer) greenByItself(ctx context.Context, c *held, b codebuild.Build) (bool, error) {
	at, next, ok := codebuild.ParseBuildARN(b.AutoRetry.Next)
	if !ok || settings.AccountOf(at) != c.at() || h.Clock.Now().Sub(b.End) < nextRan {
		return false, nil
	}
	n, err := h.Builds.Get(ctx, c.at(), next)
	if errors.Is(err, ErrNotFound) || errors.Is(err, ErrDenied) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("reading CodeBuild's own retry %q: %w", next, err)
	}
	return n.Project == b.Project && n.Status == codebuild.Succeeded, nil
}

// keepGreen records a failure that CodeBuild's own retry has cured, of which nobody is told: what is in no case
// would be looked at again by each sweep.
func (h *Healer) keepGreen(ctx context.Context, c *held, b codebuild.Build) error {
	now := h.Clock.Now()
	c.Rounds = append(c.Rounds, decide.Round{Build: b, Step: decide.StepDone, Started: now})
	c.Closed, c.Outcome = now, decide.Reported
	if err := beside(
		func() error { return h.assignAll(ctx, b, c.ID) },
		func() error { return h.save(ctx, c, false) },
	); err != nil {
		return err
	}
	return h.close(ctx, c)
}

// nextRan is how long after the end of a build its auto-retry may have been green.
const nextRan = 30 * time.Second

// sameAsked reports whether two builds of one commit were asked for the same:
// the same variables, image, buildspec and role, under no two names. A build
// that cannot be read says nothing, so that is no.
func (h *Healer) sameAsked(ctx context.Context, c *held, was, b codebuild.Build) (bool, error) {
	if was.ID == "" || was.Ref() != "" && b.Ref() != "" && was.Ref() != b.Ref() {
		return false, nil
	}
	if was.Action != nil {
		return true, nil // runs of one action in one execution
	}
	if was.Parameters == "" { // only a record that was just read has them
		var err error
		if was, err = h.Builds.Get(ctx, c.at(), was.ID); errors.Is(err, ErrNotFound) || errors.Is(err, ErrDenied) {
			return false, nil
		} else if err != nil {
			return false, fmt.Errorf("reading build %q: %w", was.ID, err)
		}
	}
	return was.Parameters == b.Parameters, nil
}

// takeUp deals with the builds that waited for the end of the case, one by one,
// as if each had failed now. If the invocation's time is nearly over, the rest
// is left to another one.
func (h *Healer) takeUp(ctx context.Context, c *held) error {
	for !c.Closed.IsZero() && len(c.Others) > 0 {
		if pressed(ctx) {
			if err := h.Queue.Later(ctx, c.ID, h.Clock.Now()); err != nil {
				return fmt.Errorf("asking to be called back: %w", err)
			}
			return nil
		}
		if err := h.lock(ctx, c); err != nil {
			return err
		}
		if err := h.takeUpOne(ctx, c, c.Others[0]); err != nil {
			return h.unlock(ctx, c, err)
		}
		if c.Closed.IsZero() {
			return h.run(ctx, c)
		}
	}
	return h.flush(ctx, c)
}

// takeUpOne gives one build that waited its round, or takes it off the list.
func (h *Healer) takeUpOne(ctx context.Context, c *held, id string) error {
	drop := func() error {
		c.Others = slices.DeleteFunc(c.Others, func(o string) bool { return o == id })
		return h.save(ctx, c, false)
	}
	p, named := h.Settings.Project(c.Project, c.Account, c.Region, h.Home)
	if !named {
		h.Log.InfoContext(ctx, "build of a project that settings no longer name", "build", id, "case", c.ID)
		return drop()
	}
	b, err := h.build(ctx, c.at(), id)
	switch {
	case errors.Is(err, ErrNotFound):
		h.Log.WarnContext(ctx, "the build is gone", "build", id, "case", c.ID)
		return drop()
	case errors.Is(err, ErrDenied):
		if err := h.unread(ctx, Ended{At: c.at(), Project: c.Project, Build: id, Status: codebuild.Failed}, err); err != nil {
			return err
		}
		return drop()
	case err != nil:
		return fmt.Errorf("reading build %q: %w", id, err)
	}
	b = b.WithRolePath(p.Role)
	batch, err := h.retriedBatch(ctx, c, b)
	if err != nil {
		return err
	}
	at, err := h.enter(ctx, c, b, batch)
	if err != nil {
		return err
	}
	if at == fatePast {
		h.Log.InfoContext(ctx, "a later build that asked for the same has been dealt with", "build", id, "case", c.ID)
	}
	if err := h.save(ctx, c, false); !errors.Is(err, errTooLarge) {
		return err
	}
	return nil // closed, with a notice that says so
}

// unlock gives the case free after an error, which it returns.
func (h *Healer) unlock(ctx context.Context, c *held, err error) error {
	ctx, cancel := graceContext(ctx)
	defer cancel()
	if serr := h.save(ctx, c, true); serr != nil {
		h.Log.ErrorContext(ctx, "giving the case free", "case", c.ID, "error", serr)
	}
	return err
}

// startOver drops the rounds of an earlier day, except those whose change is
// still in place, or for which a version was deleted that is not back. Their
// builds stay known, so that a sweep which meets them again leaves them alone.
func (c *held) startOver(now time.Time) {
	var keep []decide.Round
	past := decide.Past{Builds: slices.Clone(c.Past.Builds), Flaky: c.Past.Flaky}
	for _, r := range c.Rounds {
		past.Flaky = past.Flaky || r.AgainFlaky()
		if r.Stands() || len(r.Dropped) > 0 {
			r.Old = true
			keep = append(keep, r)
		} else {
			past.Remember(r.Build.ID)
		}
	}
	c.Rounds, c.Past, c.Opened = keep, past, now
}

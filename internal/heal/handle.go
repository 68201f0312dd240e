package heal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// newBudget is how long after its end a case of the same commit starts over.
const newBudget = 24 * time.Hour

// failed takes up a failed build: as a new case, as the next round of the
// case that started it, or as another delivery of what is known already.
func (h *Healer) failed(ctx context.Context, e Ended, p settings.Project) error {
	id, err := h.caseOf(ctx, e.Build)
	if err != nil {
		return err
	}
	var b codebuild.Build
	if id == "" {
		if b, err = h.Builds.Get(ctx, e.At, e.Build); errors.Is(err, ErrNotFound) {
			h.Log.WarnContext(ctx, "the build is gone", "build", e.Build)
			return nil
		} else if errors.Is(err, ErrDenied) {
			return h.unread(ctx, e, err)
		} else if err != nil {
			return fmt.Errorf("reading build: %w", err)
		}
		if id, err = h.belongs(ctx, e.At, b); err != nil {
			return err
		}
	}
	c, err := h.open(ctx, id)
	if err != nil {
		return err
	}
	if c == nil {
		c = &held{Case: decide.Case{ID: id, Account: e.At.ID, Region: e.At.Region, Project: p.Name, Commit: b.Commit(), Opened: h.Clock.Now()}}
	}
	if c.knows(e.Build) && !c.early(e.Build) {
		return h.run(ctx, c) // told before: go on, or send what was not sent
	}
	if b.ID == "" {
		if b, err = h.Builds.Get(ctx, e.At, e.Build); err != nil {
			return fmt.Errorf("reading build: %w", err)
		}
	}
	b = b.WithRolePath(p.Role)
	// First the way to the case, then the case: a build that is pointed to a
	// case that does not know it yet is taken up by whoever comes next.
	if err := h.pointAll(ctx, b, c.ID); err != nil {
		return err
	}
	batch, err := h.retriedBatch(ctx, c, b)
	if err != nil {
		return err
	}
	if !h.takeUp(c, b, batch) {
		h.Log.InfoContext(ctx, "another build of a commit whose case is under way, or has dealt with a later one", "build", b.ID, "case", c.ID)
		c.Others = append(c.Others, b.ID)
		return h.save(ctx, c, true)
	}
	if err := h.save(ctx, c, false); err != nil {
		return err
	}
	return h.run(ctx, c)
}

// unread tells of a failed build that the healer may not read, in a case of
// its own. The build does not point to that case: once the healer may read it,
// the sweep, or a person who says replay, takes it up as if it were new.
func (h *Healer) unread(ctx context.Context, e Ended, why error) error {
	c, err := h.open(ctx, unreadID(e))
	if err != nil {
		return err
	}
	if c == nil {
		now := h.Clock.Now()
		c = &held{Case: decide.Case{ID: unreadID(e), Account: e.At.ID, Region: e.At.Region, Project: e.Project, Opened: now,
			Rounds: []decide.Round{{Build: codebuild.Build{ID: e.Build, Project: e.Project, Status: e.Status, End: e.End}, Started: now}}}}
		c.finish(now, decide.Reported, sentence(why))
		if err := h.save(ctx, c, false); err != nil {
			return err
		}
	}
	return h.close(ctx, c)
}

// pointAll records that the build belongs to the case, and so does whatever
// its pipeline execution or batch starts again.
func (h *Healer) pointAll(ctx context.Context, b codebuild.Build, caseID string) error {
	if k := kin(b); k != "" {
		if err := h.point(ctx, k, caseID); err != nil {
			return err
		}
	}
	return h.point(ctx, b.ID, caseID)
}

// kin is what builds have in common that one pipeline execution or one batch
// runs of a project, "" for any other build. Their commit may not be known.
func kin(b codebuild.Build) string {
	switch {
	case b.Pipeline() != "" && b.SourceVersion != "":
		return b.Initiator + " " + b.SourceVersion + " " + b.Project
	case b.BatchARN != "":
		return b.BatchARN
	}
	return ""
}

// retriedBatch reads the batch that b is of, if the case has retried one: only
// the batch tells which of its builds are of before that, and which of since.
func (h *Healer) retriedBatch(ctx context.Context, c *held, b codebuild.Build) (batch codebuild.Batch, err error) {
	if b.BatchARN == "" || !slices.ContainsFunc(c.Rounds, func(r decide.Round) bool { return r.OfBatch() && !r.RetryAt.IsZero() }) {
		return batch, nil
	}
	if batch, err = h.Builds.Batch(ctx, c.at(), b.BatchARN); err != nil && !errors.Is(err, ErrNotFound) {
		return batch, fmt.Errorf("reading batch: %w", err)
	}
	return batch, nil
}

// takeUp opens a round for the failed build. It reports false if the case is
// in the middle of something that the build has no part in. batch is what
// [Healer.retriedBatch] read.
func (h *Healer) takeUp(c *held, b codebuild.Build, batch codebuild.Batch) bool {
	now := h.Clock.Now()
	if len(c.Rounds) > 0 {
		r := c.last()
		_, again := batch.Rerun(b.ID)
		switch {
		case again || c.overtaken(b):
			return false
		case r.Waits() && h.startedBy(*r, b, batch):
			c.adopt(now, b.ID)
			r.Ended, r.Step = b.End, decide.StepDone
		case !c.Closed.IsZero():
			if now.Sub(c.Closed) > newBudget {
				c.startOver(now)
			}
			c.Closed, c.Outcome = time.Time{}, ""
		default:
			return false
		}
	}
	c.Others = slices.DeleteFunc(c.Others, func(id string) bool { return id == b.ID })
	c.Rounds = append(c.Rounds, decide.Round{Build: b, Step: decide.StepClaimed, Started: now})
	return true
}

// overtaken reports whether the case has dealt with a later build of the
// same commit than b, whose event was late or lost: one that began after b
// had ended, or, where builds do not run side by side, one that is green.
func (c *held) overtaken(b codebuild.Build) bool {
	if b.End.IsZero() {
		return false
	}
	if c.Outcome == decide.Healed && kin(b) == "" && !b.End.After(c.last().Ended) {
		return true
	}
	return slices.ContainsFunc(c.Rounds, func(r decide.Round) bool { return !r.Old && !r.Build.Start.Before(b.End) })
}

// startOver forgets the rounds of an earlier day but those whose change stands.
func (c *held) startOver(now time.Time) {
	var keep []decide.Round
	for _, r := range c.Rounds {
		if !r.Written.IsZero() && r.Undone.IsZero() {
			r.Old = true
			keep = append(keep, r)
		}
	}
	c.Rounds, c.Opened = keep, now
}

// belongs tells which case a build that the ledger does not know is of.
func (h *Healer) belongs(ctx context.Context, at settings.Account, b codebuild.Build) (string, error) {
	if _, prev, ok := codebuild.ParseBuildARN(b.AutoRetry.Previous); ok {
		if id, err := h.caseOf(ctx, prev); err != nil || id != "" {
			return id, err
		}
	}
	if k := kin(b); k != "" {
		if id, err := h.caseOf(ctx, k); err != nil || id != "" {
			return id, err
		}
	}
	id := decide.CaseID(at, b)
	if !h.Self.Started(h.Home, b) {
		return id, nil
	}
	// A build that the healer started, and died before it could write down
	// that it did: its case waits in StepRetrying. It may be another than the
	// build's own commit says, which an early failure does not know.
	now := h.Clock.Now()
	its, err := h.Store.Between(ctx, kindCase, now.Add(-recent), now.Add(recent), true, 1000)
	if err != nil {
		return "", fmt.Errorf("looking for the case of build %q: %w", b.ID, err)
	}
	for _, it := range its {
		c := &held{}
		if err := unmarshal(it, &c.Case); err == nil && len(c.Rounds) > 0 && c.Project == b.Project && c.last().Step == decide.StepRetrying && h.startedBy(*c.last(), b, codebuild.Batch{}) {
			return c.ID, nil
		}
	}
	return id, nil
}

// startedBy reports whether b is the build that the round started. It goes
// by CodeBuild's clock alone, so that the healer's may be wrong. Which builds
// of a batch a retry has started, the batch says.
func (h *Healer) startedBy(r decide.Round, b codebuild.Build, batch codebuild.Batch) bool {
	switch {
	case r.OfBatch():
		_, again := batch.Rerun(r.Build.ID)
		return again && batch.Has(b.ID)
	case r.Retry != "":
		return b.ID == r.Retry
	case b.ID == r.Build.ID || b.Project != r.Build.Project || r.Decision == nil || r.Decision.Plan == nil:
		return false
	case r.Decision.Plan.Route == decide.RouteCodeBuild:
		_, prev, ok := codebuild.ParseBuildARN(b.AutoRetry.Previous)
		return ok && prev == r.Build.ID
	case !b.Start.IsZero() && b.Start.Before(r.Build.End):
		return false
	}
	switch r.Decision.Plan.Route {
	case decide.RouteBuild, decide.RouteStart:
		return h.Self.Started(h.Home, b) && sameSource(r.Build, b)
	case decide.RouteStage:
		return b.Initiator == r.Build.Initiator && b.SourceVersion == r.Build.SourceVersion
	}
	return false
}

// sameSource reports whether b builds what a built. Until it has downloaded
// its source, b knows only what it was asked for: a branch may move.
func sameSource(a, b codebuild.Build) bool {
	if a.ResolvedSourceVersion != "" && b.ResolvedSourceVersion != "" {
		return a.ResolvedSourceVersion == b.ResolvedSourceVersion
	}
	return b.SourceVersion == a.SourceVersion || b.Commit() == a.Commit()
}

// succeeded closes the case whose build turned green.
func (h *Healer) succeeded(ctx context.Context, e Ended) error {
	return h.awaited(ctx, e, func(c *held) {
		c.finish(h.Clock.Now(), decide.Healed, "")
	})
}

// stopped closes the case whose build somebody stopped: it is left alone.
func (h *Healer) stopped(ctx context.Context, e Ended) error {
	return h.awaited(ctx, e, func(c *held) {
		c.finish(h.Clock.Now(), decide.Failed, "Somebody stopped the build that was started again; it is left alone. What was changed stands.")
	})
}

// awaited ends the case that waits for the build; a build that no case waits
// for is nobody's business.
func (h *Healer) awaited(ctx context.Context, e Ended, end func(*held)) error {
	id, err := h.caseOf(ctx, e.Build)
	if err != nil {
		return err
	}
	b := codebuild.Build{ID: e.Build, End: e.End}
	var c *held
	if id != "" {
		if c, err = h.open(ctx, id); err != nil || c == nil {
			return err
		}
	}
	if c == nil || c.last().Retry != e.Build || e.End.IsZero() {
		b, err = h.Builds.Get(ctx, e.At, e.Build) // the event alone does not tell whose build it is
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading build: %w", err)
		}
	}
	if c == nil {
		if id, err = h.belongs(ctx, e.At, b); err != nil {
			return err
		}
		if c, err = h.open(ctx, id); err != nil || c == nil {
			return err
		}
	}
	r := c.last()
	if c.Closed.IsZero() && r.Waits() && r.OfBatch() {
		return h.batchAwaited(ctx, c, b, e.Status)
	}
	if c.Closed.IsZero() && r.Waits() && h.startedBy(*r, b, codebuild.Batch{}) {
		c.adopt(h.Clock.Now(), b.ID)
		r.Ended = b.End
		end(c)
		return h.close(ctx, c)
	}
	return h.flush(ctx, c)
}

// batchAwaited ends the case that waits for a batch, once all of it has ended:
// of several builds that failed, one may heal and another not. b is one of its
// builds, which has ended with the status. One that failed again opens the
// next round by its own event.
func (h *Healer) batchAwaited(ctx context.Context, c *held, b codebuild.Build, status string) error {
	r, now := c.last(), h.Clock.Now()
	batch, err := h.Builds.Batch(ctx, c.at(), r.Build.BatchARN)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return fmt.Errorf("reading batch: %w", err)
	}
	own, again := batch.Rerun(r.Build.ID)
	if !again || !batch.Has(b.ID) {
		return h.flush(ctx, c)
	}
	kind, note := decide.Failed, ""
	switch outcome := batch.Outcome(b.ID, status); {
	case outcome == codebuild.Succeeded && (own.Status == codebuild.Succeeded || own.Build == b.ID && status == codebuild.Succeeded):
		kind = decide.Healed
	case outcome == codebuild.Stopped:
		note = "The batch that was started again was stopped; it is left alone. What was changed stands."
	case now.Sub(r.RetryAt) < recent:
		return h.flush(ctx, c)
	default:
		note = "The batch that was started again did not become green within a day."
	}
	c.adopt(now, own.Build)
	r.Ended = b.End
	c.finish(now, kind, note)
	return h.close(ctx, c)
}

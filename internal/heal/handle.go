package heal

import (
	"cmp"
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

// newBudget is how long after its end a case starts over, with a new budget, if
// its commit fails again.
const newBudget = 24 * time.Hour

// failed deals with a failed build: as a new case, as the next round of the case
// that started it, or as another delivery of a known event.
func (h *Healer) failed(ctx context.Context, e Ended, p settings.Project) error {
	h, b, lease, berr := h.readBoth(ctx, e, p)
	var id string
	var c *held
	err := beside(
		func() (err error) { id, c, err = h.locate(ctx, e, b, berr); return err },
		func() (err error) { lease, err = h.suspect(ctx, b, berr, p, lease); return err },
		func() error { h.early.foresee(ctx, h, e.At, b, p); return nil })
	if err != nil {
		return err
	}
	if c != nil {
		h.early.drop()
	}
	if id != "" && c != nil && c.knows(e.Build) && !c.alreadyFailed(e.Build) {
		return h.run(ctx, c) // a known event: continue, or send what was not sent
	}
	switch {
	case errors.Is(berr, ErrNotFound):
		h.Log.WarnContext(ctx, "the build is gone", "build", e.Build)
		return nil
	case errors.Is(berr, ErrDenied):
		return h.unread(ctx, e, berr)
	case berr != nil:
		return fmt.Errorf("reading build: %w", berr)
	case !b.HasFailed():
		return h.byRecord(ctx, e, b, p)
	}
	b = b.WithRolePath(p.Role)
	if err := h.notePullRequest(ctx, e.At, b); err != nil {
		return err
	}
	if id == "" {
		if id, c, err = h.belongs(ctx, e.At, b, c); err != nil {
			return err
		}
	}
	if c == nil {
		c = &held{Case: decide.Case{ID: id, Account: e.At.ID, Region: e.At.Region, Project: p.Name, Commit: b.Commit(),
			Opened: h.Clock.Now()}}
	}
	if c, err = h.variant(ctx, c, b); err != nil {
		return err
	}
	if c.knows(b.ID) && !c.alreadyFailed(b.ID) {
		if err := h.assignAll(ctx, b, c.ID); err != nil { // the run that gave it its round may have died before that
			return err
		}
		return h.run(ctx, c)
	}
	if len(c.Rounds) == 0 {
		if green, err := h.greenByItself(ctx, c, b); err != nil {
			return err
		} else if green {
			h.Log.InfoContext(ctx, "CodeBuild has retried the build by itself, and that was green", "build", b.ID)
			return h.keepGreen(ctx, c, b)
		}
	}
	batch, err := h.retriedBatch(ctx, c, b)
	if err != nil {
		return err
	}
	at, err := h.enter(ctx, c, b, batch)
	if err != nil {
		return err
	}
	if at != fateRound {
		h.Log.InfoContext(ctx, "another build of a commit whose case is under way, or has dealt with a later one",
			"build", b.ID, "case", c.ID, "waits", at == fateWaits)
	}
	if at == fateRound {
		if err := h.suspected(ctx, c, p, lease); err != nil {
			return err
		}
	}
	c.crowded = e.Crowded
	// Of the assignment and the case, a run that dies may have recorded only one. Either is enough
	// for the next delivery to do the other.
	caseID, saved := c.ID, error(nil)
	assigned := beside(
		func() error { return h.assignAll(ctx, b, caseID) },
		func() error {
			saved = h.save(ctx, c, at != fateRound || c.last().Step == decide.StepJoined)
			return nil
		})
	switch {
	case errors.Is(saved, errTooLarge):
		return h.close(ctx, c)
	case saved != nil:
		return saved
	case assigned != nil && c.locked:
		return h.unlock(ctx, c, assigned)
	case assigned != nil:
		return assigned
	case at != fateRound:
		return nil
	}
	return h.run(ctx, c)
}

// locate finds the case that the build is assigned to; "" if there is none. As the case of an
// unknown build it gives, if there is one, that which its record names.
func (h *Healer) locate(ctx context.Context, e Ended, b codebuild.Build, unread error) (id string, c *held, err error) {
	named := ""
	if unread == nil {
		named = decide.CaseID(e.At, b)
	}
	var nerr error
	err = beside(
		func() (err error) { id, err = h.caseOf(ctx, e.Build); return err },
		func() error {
			if named != "" {
				c, nerr = h.open(ctx, named)
			}
			return nil
		})
	switch {
	case err != nil:
		return id, nil, err
	case id == "" || id == named:
		return id, c, nerr
	}
	c, err = h.open(ctx, id)
	return id, c, err
}

// belongs finds the case of a build that the ledger does not know. named is the case that its
// record names.
func (h *Healer) belongs(ctx context.Context, at settings.Account, b codebuild.Build, named *held) (string, *held, error) {
	id, err := h.findCase(ctx, at, b)
	if err != nil || id == decide.CaseID(at, b) {
		return id, named, err
	}
	c, err := h.open(ctx, id)
	return id, c, err
}

// byRecord deals with an ended build as its record has it: an event is only a
// hint that there is something to read.
func (h *Healer) byRecord(ctx context.Context, e Ended, b codebuild.Build, p settings.Project) error {
	e.Status, e.End = b.Status, b.End
	switch {
	case b.HasFailed():
		return h.failed(ctx, e, p)
	case b.Status == codebuild.Succeeded, b.Status == codebuild.Stopped:
		return h.awaited(ctx, e, p)
	}
	return fmt.Errorf("its record does not show yet that it ended: %w", ErrLater)
}

// variant gives the case that is to take the build: c itself, unless c is of
// another branch or tag at the same commit. Such builds do not wait for each
// other, nor does one that is green say anything about another.
func (h *Healer) variant(ctx context.Context, c *held, b codebuild.Build) (*held, error) {
	id := c.Variant(b)
	if id == c.ID || c.knows(b.ID) || executionKey(b) != "" || b.AutoRetry.Previous != "" || h.Self.Started(h.Home, b) {
		return c, nil
	}
	v, err := h.open(ctx, id)
	if err != nil {
		return nil, err
	}
	if v == nil {
		v = &held{Case: decide.Case{ID: id, Account: c.Account, Region: c.Region, Project: c.Project, Commit: b.Commit(),
			Opened: h.Clock.Now()}}
	}
	return v, h.reassign(ctx, b.ID, id)
}

// unread reports a failed build that the healer may not read, in a case of its
// own. The build is not assigned to that case, so that once the healer may read
// it, the sweep or a person's replay treats it as new.
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
		c.blame(why)
		if err := h.save(ctx, c, false); err != nil {
			return err
		}
	}
	return h.close(ctx, c)
}

// assignAll assigns the build to the case, and with it whatever its pipeline
// execution or batch starts again.
func (h *Healer) assignAll(ctx context.Context, b codebuild.Build, caseID string) error {
	if k := executionKey(b); k != "" {
		if err := h.assign(ctx, k, caseID); err != nil {
			return err
		}
	}
	return h.assign(ctx, b.ID, caseID)
}

// executionKey identifies the pipeline execution or batch, and the project, that
// a build is of; "" for any other build. Such builds belong together even where
// CodeBuild does not say which commit they built.
func executionKey(b codebuild.Build) string {
	switch {
	case b.Pipeline() != "" && b.SourceVersion != "":
		return b.Initiator + " " + b.SourceVersion + " " + b.Project
	case b.BatchARN != "":
		return b.BatchARN
	}
	return ""
}

// retriedBatch reads b's batch if the case has retried it: only the batch tells
// which of its builds ran before the retry, and which after.
func (h *Healer) retriedBatch(ctx context.Context, c *held, b codebuild.Build) (batch codebuild.Batch, err error) {
	retried := func(r decide.Round) bool { return r.OfBatch() && !r.RetryAt.IsZero() }
	if b.BatchARN == "" || len(c.Rounds) == 0 || !b.OfBatch() && !slices.ContainsFunc(c.Rounds, retried) {
		return batch, nil
	}
	if batch, err = h.Builds.Batch(ctx, c.at(), b.BatchARN); err != nil && !errors.Is(err, ErrNotFound) {
		return batch, fmt.Errorf("reading batch: %w", err)
	}
	return batch, nil
}

// openRound opens a round for the failed build, unless the case is busy with
// something that the build has no part in. batch is what [Healer.retriedBatch]
// read.
func (h *Healer) openRound(c *held, b codebuild.Build, batch codebuild.Batch) fate {
	now := h.Clock.Now()
	if len(c.Rounds) > 0 {
		r := c.last()
		switch {
		case r.Waits() && h.startedBy(*r, b, batch):
			c.adopt(now, b.ID)
			r.Ended, r.Step = b.End, decide.StepDone
		case !c.Closed.IsZero():
			if now.Sub(c.Closed) > newBudget {
				c.startOver(now)
			}
			c.Closed, c.Outcome = time.Time{}, ""
		default:
			return fateWaits
		}
	}
	c.Rounds = append(c.Rounds, decide.Round{Build: b, Step: decide.StepReceived, Started: now})
	return fateRound
}

// findCase finds the case of a build that the ledger does not know.
func (h *Healer) findCase(ctx context.Context, at settings.Account, b codebuild.Build) (string, error) {
	if _, prev, ok := codebuild.ParseBuildARN(b.AutoRetry.Previous); ok {
		if id, err := h.caseOf(ctx, prev); err != nil || id != "" {
			return id, err
		}
	}
	if k := executionKey(b); k != "" {
		if id, err := h.caseOf(ctx, k); err != nil || id != "" {
			return id, err
		}
	}
	id := decide.CaseID(at, b)
	own := h.Self.Started(h.Home, b)
	if !own && (guardrail.ByService(b) || b.Status == codebuild.Succeeded) {
		return id, nil
	}
	// The healer may have started the build and died before recording that: its
	// case is then in StepRetrying, or names the build in StepRetried. It may be another case than
	// the build's commit names, since a build that fails early does not know its commit.
	now := h.Clock.Now()
	its, err := h.Store.Between(ctx, kindCase, now.Add(-recent), now.Add(recent), true, 1000)
	if err != nil {
		return "", fmt.Errorf("looking for the case of build %q: %w", b.ID, err)
	}
	maybe := ""
	for _, it := range its {
		c := &held{}
		if err := unmarshal(it, &c.Case); err != nil || len(c.Rounds) == 0 || c.at() != at || c.Project != b.Project ||
			c.last().Step != decide.StepRetrying && (c.last().Step != decide.StepRetried || c.last().Retry != b.ID) {
			continue
		}
		if h.startedBy(*c.last(), b, codebuild.Batch{}) {
			return c.ID, nil
		}
		if maybe == "" && c.last().Step == decide.StepRetrying && h.mayBe(c, b) {
			maybe = c.ID
		}
	}
	return cmp.Or(maybe, id), nil
}

// startedBy reports whether b is the build that the round started. It compares
// only CodeBuild's own times, so that a wrong clock of the healer does no harm.
// For a batch, batch says which builds its retry has started.
func (h *Healer) startedBy(r decide.Round, b codebuild.Build, batch codebuild.Batch) bool {
	switch {
	case r.OfBatch():
		return batchedAgain(r.Build, b, batch)
	case r.Build.Action != nil:
		return b.Action != nil && b.Action.Repeats(*r.Build.Action) && (r.Retry == "" || b.ID == r.Retry)
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

// sameSource reports whether b builds what a built. Until b has downloaded its
// source, only what was asked for is known, and a branch may move.
func sameSource(a, b codebuild.Build) bool {
	if ra, rb := a.Ref(), b.Ref(); ra != "" && rb != "" && ra != rb {
		return false
	}
	if a.ResolvedSourceVersion != "" && b.ResolvedSourceVersion != "" {
		return a.ResolvedSourceVersion == b.ResolvedSourceVersion
	}
	return b.SourceVersion == a.SourceVersion || b.Commit() == a.Commit()
}

// awaited ends the case that waits for a build which is green, or which somebody
// stopped; a build that no case waits for is ignored. CodeBuild is asked before
// anything is closed, but for [Healer.asSaid]: an event may be late, or somebody else's.
func (h *Healer) awaited(ctx context.Context, e Ended, p settings.Project) error {
	if done, err := h.asSaid(ctx, e, p); done || err != nil {
		return err
	}
	b, berr := codebuild.Build{}, error(nil)
	if e.record != nil {
		b = *e.record
	} else {
		b, berr = h.Builds.Get(ctx, e.At, e.Build)
	}
	h, read := h.readingAhead()
	var id string
	var c *held
	err := beside(
		func() (err error) { id, c, err = h.locate(ctx, e, b, berr); return err },
		func() error {
			if berr == nil && b.Status == codebuild.Succeeded {
				h.fetch(ctx, slot{kindPast, pastKey(e.At, p.Name, true)})
			}
			return nil
		})
	defer read.forget()
	if err != nil {
		return err
	}
	if berr == nil && b.Status == codebuild.Stopped && b.BatchARN != "" {
		if found, err := h.batchOfStopped(ctx, e.At, b); found || err != nil {
			return err
		}
	}
	switch {
	case id != "" && c == nil:
		return nil
	case id != "" && !c.Closed.IsZero():
		if berr == nil { // the case may have been undone while its build ran
			h.greenSince(ctx, c, b)
		}
		return h.run(ctx, c)
	case errors.Is(berr, ErrNotFound):
		return nil
	case berr != nil:
		return fmt.Errorf("reading build: %w", berr)
	case b.Status != codebuild.Succeeded && b.Status != codebuild.Stopped:
		return h.byRecord(ctx, e, b, p)
	}
	if id == "" {
		if _, c, err = h.belongs(ctx, e.At, b, c); err != nil {
			return err
		}
	}
	if err := h.unlessForGood(ctx, b, h.passed(ctx, e.At, p, c, b)); err != nil || c == nil {
		return err
	}
	h.greenSince(ctx, c, b)
	r := c.last()
	if c.Closed.IsZero() && r.Waits() && r.OfBatch() {
		return h.batchAwaited(ctx, c, b)
	}
	if c.Closed.IsZero() && r.Waits() && h.startedBy(*r, b, codebuild.Batch{}) {
		now := h.Clock.Now()
		c.adopt(now, b.ID)
		r.Ended = b.End
		if c.following() {
			h.Crowds.met(now)
		}
		if b.Status == codebuild.Succeeded {
			if err := h.overBefore(ctx, c); err != nil {
				return err
			}
			if err := h.seeLeader(ctx, c); err != nil {
				return err
			}
			c.finish(now, decide.Healed, "")
		} else { // a person who stops a build does not want it started again
			c.finish(now, decide.Failed,
				"Somebody stopped the build that was started again; it is left alone. What was changed stands.")
		}
		return h.close(ctx, c)
	}
	return h.flush(ctx, c)
}

// batchAwaited ends the case that waits for a batch, once the whole batch has
// ended: of several failed builds, one may be healed and another not. b is one
// of its builds, which has ended. A build that failed again opens the next round
// by its own event.
func (h *Healer) batchAwaited(ctx context.Context, c *held, b codebuild.Build) error {
	r, now := c.last(), h.Clock.Now()
	batch, err := h.Builds.Batch(ctx, c.at(), r.Build.BatchARN)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return fmt.Errorf("reading batch: %w", err)
	}
	if failed, ok := batch.Own(); ok && batchedAgain(r.Build, failed, batch) {
		return h.BuildEnded(ctx, endOf(c.at(), failed))
	}
	if !batchedAgain(r.Build, b, batch) {
		return h.flush(ctx, c)
	}
	own, _ := batch.Rerun(r.Build.ID)
	if r.Build.OfBatch() { // all of its builds are to be green, and this one is as good as any
		own = codebuild.BuildGroup{Build: b.ID, Status: b.Status}
	}
	kind, note := decide.Failed, ""
	switch outcome := batch.Outcome(b.ID, b.Status); {
	case outcome == codebuild.Succeeded && (own.Status == codebuild.Succeeded || own.Build == b.ID && b.Status == codebuild.Succeeded):
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
	if kind == decide.Healed {
		if err := h.overBefore(ctx, c); err != nil {
			return err
		}
		if err := h.unlessForGood(ctx, b, h.batchPassed(ctx, c, b.End)); err != nil {
			return err
		}
	}
	c.finish(now, kind, note)
	return h.close(ctx, c)
}

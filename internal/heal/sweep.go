package heal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// Sweep looks for what no event told: failed builds of the configured projects
// (events are best effort, AWS.md#delivery), stuck cases, pull requests that cases
// wait for, jobs of GitHub's that wait for a runner, grants that expire, notices that wait for a digest. An error with one of
// them does not stop the others; all errors are returned together. Projects that it
// had no time for come first in the next sweep.
func (h *Healer) Sweep(ctx context.Context) error {
	errs := []error{h.resumeDue(ctx), h.lookAtRequests(ctx), h.keepDue(ctx), h.remind(ctx), h.digest(ctx), h.sweepProjects(ctx),
		h.weekly(ctx), h.tellDue(ctx), h.tellPause(ctx), h.lookAtJobs(ctx)}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("sweeping: %w", err)
	}
	return nil
}

// sweepProjects sweeps the projects, the one swept longest ago first.
func (h *Healer) sweepProjects(ctx context.Context) error {
	now := h.Clock.Now()
	its, err := h.Store.Between(ctx, kindSweep, time.Time{}, now.Add(recent), false, maxProjects)
	if err != nil {
		return fmt.Errorf("listing earlier sweeps: %w", err)
	}
	marks := map[string]Item{}
	for _, it := range its {
		marks[it.ID] = it
	}
	type turn struct {
		settings.Project
		mark Item
	}
	var turns []turn
	for _, p := range h.Settings.Projects {
		turns = append(turns, turn{p, marks[h.sweepKey(p)]})
	}
	slices.SortStableFunc(turns, func(a, b turn) int { return a.mark.Due.Compare(b.mark.Due) })
	var errs []error
	set := &setUp{h: h}
	for _, t := range turns {
		set.projects = append(set.projects, t.Project)
	}
	for i, t := range turns {
		if pressed(ctx) {
			h.Log.InfoContext(ctx, "the sweep goes on next time", "swept", i, "projects", len(turns))
			break
		}
		if err := h.sweepProject(ctx, t.Project, t.mark, set); err != nil {
			errs = append(errs, fmt.Errorf("project %q: %w", t.Name, err))
		}
	}
	return errors.Join(errs...)
}

// maxProjects bounds how many projects' sweeps are remembered.
const maxProjects = 20_000

// pressed reports whether too little of the invocation's time is left to start
// something more.
func pressed(ctx context.Context) bool {
	end, ok := ctx.Deadline()
	return ok && time.Until(end) < 45*time.Second
}

// pageSize bounds how many items one sweep deals with; the next sweep continues.
const pageSize = 100

// resumeDue continues cases that no invocation works on and that are due.
func (h *Healer) resumeDue(ctx context.Context) error {
	now := h.Clock.Now()
	its, err := h.Store.Between(ctx, kindCase, time.Time{}, now, false, pageSize)
	if err != nil {
		return fmt.Errorf("listing stuck cases: %w", err)
	}
	var errs []error
	for _, it := range its {
		if pressed(ctx) {
			break
		}
		if err := h.resumeOne(ctx, it.ID); err != nil && !errors.Is(err, errBusy) {
			errs = append(errs, fmt.Errorf("case %q: %w", it.ID, err), h.goesLast(ctx, it))
		}
	}
	return errors.Join(errs...)
}

// goesLast puts off what cannot be continued now, so that it does not stand
// before all others in each sweep. What was written in the meantime is due at
// another time anyway.
func (h *Healer) goesLast(ctx context.Context, it Item) error {
	it.Due = h.Clock.Now().Add(awaitFor)
	if _, err := h.Store.Put(ctx, it); err != nil && !errors.Is(err, ErrConflict) {
		return fmt.Errorf("putting off case %q: %w", it.ID, err)
	}
	return nil
}

func (h *Healer) resumeOne(ctx context.Context, id string) error {
	c, err := h.open(ctx, id)
	if err != nil || c == nil {
		return err
	}
	if c.Closed.IsZero() && c.last().Step == decide.StepRetried {
		return h.poll(ctx, c)
	}
	if c.Closed.IsZero() && c.last().Step == decide.StepJoined {
		// Saving first sets the time of the next look, as it does where a build is polled.
		if err := h.save(ctx, c, true); err != nil {
			return err
		}
	}
	if !c.Closed.IsZero() && len(c.Outbox) == 0 && c.Crowd.Active() {
		if err := h.lookAfter(ctx, c); err != nil {
			return err
		}
	}
	return h.run(ctx, c)
}

// poll asks CodeBuild about the build that the case waits for: its event may
// have been lost.
func (h *Healer) poll(ctx context.Context, c *held) error {
	if _, ok := h.Settings.Project(c.Project, c.Account, c.Region, h.Home); !ok {
		c.finish(h.Clock.Now(), decide.Failed, "The settings no longer name the project, so its build was not followed any further.")
		return h.close(ctx, c)
	}
	// Saving first sets the time of the next look, so that a build that cannot be
	// read does not block other cases. An end is handled as its event would be.
	if err := h.save(ctx, c, true); err != nil {
		return err
	}
	r := c.last()
	if a, ok := waitsForAction(*r); ok {
		return h.pollAction(ctx, c, a)
	}
	if r.OfJob() {
		return h.pollJob(ctx, c)
	}
	if r.Retry == "" || r.OfBatch() { // somebody may have retried the batch in the meantime
		b, ok, err := h.find(ctx, c)
		if err != nil {
			return err
		}
		if !ok && c.byCodeBuild() && h.Clock.Now().Sub(r.RetryAt) >= nativeFor {
			c.finish(h.Clock.Now(), decide.Failed, fmt.Sprintf("CodeBuild was to start the build again by itself (auto-retry %d of %d), "+
				"and has not done so. Look whether the project's service role has codebuild:RetryBuild, then start the build by hand.",
				r.Build.AutoRetry.Number+1, r.Build.AutoRetry.Limit))
			return h.close(ctx, c)
		}
		if !ok || b.ID == "" {
			return h.giveUp(ctx, c, "No build was seen to start.")
		}
		r.Retry = b.ID
		if err := h.assignRetry(ctx, c, r.Retry); err != nil {
			return err
		}
		if err := h.save(ctx, c, true); err != nil {
			return err
		}
	}
	if err := h.assignRetry(ctx, c, r.Retry); err != nil {
		return err
	}
	b, err := h.Builds.Get(ctx, c.at(), r.Retry)
	if errors.Is(err, ErrNotFound) {
		return h.giveUp(ctx, c, "The build that was started again is gone.")
	}
	if errors.Is(err, ErrDenied) && h.Clock.Now().Sub(c.last().RetryAt) >= recent {
		return h.giveUp(ctx, c, "The build that was started again cannot be read. "+sentence(err))
	}
	if err != nil {
		return fmt.Errorf("reading build %q: %w", r.Retry, err)
	}
	return h.BuildEnded(ctx, Ended{At: c.at(), Project: c.Project, Build: r.Retry, Status: b.Status, End: b.End})
}

// nativeFor is how long CodeBuild's own retry of a build is waited for. When it shows is not documented
// (AWS.md#undocumented).
const nativeFor = 2 * time.Hour

// byCodeBuild reports whether the case waits for CodeBuild's own retry.
func (c *held) byCodeBuild() bool {
	d := c.last().Decision
	return d != nil && d.Plan != nil && d.Plan.Route == decide.RouteCodeBuild
}

// giveUp closes a case whose build never appeared, once it has waited long enough.
func (h *Healer) giveUp(ctx context.Context, c *held, why string) error {
	if h.Clock.Now().Sub(c.last().RetryAt) < recent {
		return nil // asked again later
	}
	c.finish(h.Clock.Now(), decide.Failed, why)
	return h.close(ctx, c)
}

// swept says how far a project has been swept: every build that began before
// From, and every build up to Seen, has ended and been dealt with.
type swept struct {
	From time.Time `json:"from"`
	Seen string    `json:"seen,omitempty"`
	// Batches is how far its batches have been.
	Batches batchesSwept `json:"batches,omitzero"`
}

func (h *Healer) sweepKey(p settings.Project) string {
	at := h.atOf(p)
	return at.ID + " " + at.Region + " " + p.Name
}

// sweepProject deals with the project's failed builds that the ledger does not
// know. mark is what the project's last sweep recorded.
func (h *Healer) sweepProject(ctx context.Context, p settings.Project, mark Item, set *setUp) error {
	at, now := h.atOf(p), h.Clock.Now()
	mark, to, err := h.sweptTo(ctx, p, mark)
	if err != nil {
		return err
	}
	bs, err := h.Builds.Since(ctx, at, p.Name, to.From, to.Seen)
	if errors.Is(err, ErrNotFound) {
		h.Log.WarnContext(ctx, "settings name a project that does not exist", "project", p.Name, "account", at.ID, "region", at.Region)
		return h.recordSweep(ctx, mark, to)
	}
	if err != nil {
		// Builds that fail from now on are found once the project can be read.
		return errors.Join(fmt.Errorf("listing its builds: %w", err), h.recordSweep(ctx, mark, to))
	}
	next, all := now.Add(-decide.ClockSkew), true
	var errs []error
	for _, b := range slices.Backward(bs) { // oldest first
		if pressed(ctx) {
			next = earlier(next, b.Start)
			break // the rest are newer
		}
		done, err := h.sweepBuild(ctx, at, b)
		if err != nil && !errors.Is(err, ErrLater) {
			errs = append(errs, err)
		}
		if !done {
			next, all = earlier(next, b.Start), false
		}
		if all {
			to.Seen = b.ID
		}
	}
	to.From = next
	if err := h.sweepBatches(ctx, p, &to, bs, set); err != nil {
		errs = append(errs, err)
	}
	return errors.Join(append(errs, h.recordSweep(ctx, mark, to))...)
}

// sweptTo says how far the project has been swept. A mark that was not in the
// list is read by its key, since the list lags behind the ledger.
func (h *Healer) sweptTo(ctx context.Context, p settings.Project, mark Item) (Item, swept, error) {
	now, key := h.Clock.Now(), h.sweepKey(p)
	if mark.Version == 0 {
		var err error
		if mark, err = h.Store.Get(ctx, kindSweep, key); errors.Is(err, ErrNotFound) {
			// A new project: its past builds are left alone.
			return Item{Kind: kindSweep, ID: key}, swept{From: now.Add(-time.Hour)}, nil
		} else if err != nil {
			return mark, swept{}, fmt.Errorf("reading the earlier sweep: %w", err)
		}
	}
	to := swept{}
	if err := json.Unmarshal(mark.Data, &to); err != nil {
		// Another version of the healer wrote it: look at everything again.
		h.Log.WarnContext(ctx, "the mark of an earlier sweep cannot be read", "project", p.Name, "error", err.Error())
		to = swept{}
	}
	if oldest := now.Add(-longest); to.From.Before(oldest) {
		to.From = oldest
	}
	return mark, to, nil
}

// sweepBuild handles the end of a build that no event reported. done means that
// the sweep need not look at the build again.
func (h *Healer) sweepBuild(ctx context.Context, at settings.Account, b codebuild.Build) (done bool, err error) {
	if b.Runs() {
		return false, nil // its end is still to come
	}
	if known, err := h.known(ctx, b); err != nil || known {
		return known, err
	}
	if h.Clock.Now().Sub(b.End) <= decide.ClockSkew {
		return false, nil // its event may still be on its way
	}
	e := Ended{At: at, Project: b.Project, Build: b.ID, Status: b.Status, End: b.End}
	if !b.HasFailed() { // of one that failed, more is read
		e.record = &b
	}
	err = h.BuildEnded(ctx, e)
	return err == nil, err
}

// recordSweep records how far the project was swept, and when.
func (h *Healer) recordSweep(ctx context.Context, mark Item, to swept) (err error) {
	if mark.Data, err = json.Marshal(to); err != nil {
		return err
	}
	mark.Due = h.Clock.Now()
	if _, err := h.Store.Put(ctx, mark); err != nil && !errors.Is(err, ErrConflict) {
		return fmt.Errorf("recording the sweep: %w", err)
	}
	return nil
}

// known reports whether the build's end has been dealt with. That the build is
// assigned to a case is not enough: the invocation that assigned it may have
// died before it saved the case.
func (h *Healer) known(ctx context.Context, b codebuild.Build) (bool, error) {
	id, err := h.caseOf(ctx, b.ID)
	if err != nil || id == "" {
		return false, err
	}
	c := held{}
	if c.Case, err = h.Case(ctx, id); err != nil && !errors.Is(err, ErrNotFound) {
		return false, err
	}
	switch {
	case err != nil || len(c.Rounds) == 0:
		return false, nil
	case c.last().Retry == b.ID:
		return !c.Closed.IsZero() || !c.last().Ended.IsZero(), nil
	}
	return c.knows(b.ID) || b.Status == codebuild.Succeeded || b.Status == "STOPPED", nil
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func earlier(a, b time.Time) time.Time {
	if !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// remind tells of grants that will expire soon.
func (h *Healer) remind(ctx context.Context) error {
	its, err := h.Store.Between(ctx, kindExpiry, time.Time{}, h.Clock.Now(), false, pageSize)
	if err != nil {
		return fmt.Errorf("listing grants that expire: %w", err)
	}
	var errs []error
	for _, it := range its {
		var e expiry
		err := unmarshal(it, &e)
		if err == nil {
			err = h.remindOf(ctx, e)
		}
		if err == nil {
			it.Due = time.Time{}
			_, err = h.Store.Put(ctx, it)
		}
		if err != nil && !errors.Is(err, ErrConflict) && !errors.Is(err, errBusy) {
			errs = append(errs, fmt.Errorf("grant %q: %w", e.Grant, err))
		}
	}
	return errors.Join(errs...)
}

func (h *Healer) remindOf(ctx context.Context, e expiry) error {
	c, err := h.open(ctx, e.Case)
	if err != nil || c == nil {
		return err
	}
	// Found by its grant, not its number: rounds of an earlier day are dropped.
	i := slices.IndexFunc(c.Rounds, func(r decide.Round) bool {
		return r.Decision != nil && !r.Written.IsZero() && r.Undone.IsZero() &&
			slices.ContainsFunc(r.Decision.Used, func(u guardrail.Used) bool {
				return u.Grant == e.Grant && u.Expires.Equal(e.At)
			})
	})
	if i < 0 || !c.Rounds[i].Reminded.IsZero() {
		return h.flush(ctx, c)
	}
	now := h.Clock.Now()
	c.Rounds[i].Reminded = now
	c.tell(now, decide.Expiring,
		fmt.Sprintf("Grant %s ends at %s. Nothing renews it but you: make it permanent, or let it end.", e.Grant,
			e.At.UTC().Format("2006-01-02 15:04 UTC")))
	c.Outbox[len(c.Outbox)-1].Round = i
	if err := h.save(ctx, c, false); err != nil {
		return err
	}
	return h.flush(ctx, c)
}

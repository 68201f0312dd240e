package heal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/buildmedic/buildmedic/internal/settings"
)

// Sweep looks for what events did not tell: failed builds of the configured
// projects (events are best effort, aws-facts §1.1), cases that got stuck,
// grants that expire, notices that wait for a digest. It goes on past
// trouble with one of them and returns all of it.
func (h *Healer) Sweep(ctx context.Context) error {
	errs := []error{h.resumeDue(ctx), h.remind(ctx), h.digest(ctx)}
	for _, p := range h.Settings.Projects {
		errs = append(errs, h.sweepProject(ctx, p))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("sweeping: %w", err)
	}
	return nil
}

// batch bounds how much one sweep takes up; the next one goes on.
const batch = 100

// resumeDue goes on with cases that nobody works on and that should have
// moved by now.
func (h *Healer) resumeDue(ctx context.Context) error {
	now := h.Clock.Now()
	its, err := h.Store.Between(ctx, kindCase, time.Time{}, now, false, batch)
	if err != nil {
		return fmt.Errorf("listing stuck cases: %w", err)
	}
	var errs []error
	for _, it := range its {
		if err := h.resumeOne(ctx, it.ID); err != nil && !errors.Is(err, errBusy) {
			errs = append(errs, fmt.Errorf("case %q: %w", it.ID, err))
		}
	}
	return errors.Join(errs...)
}

func (h *Healer) resumeOne(ctx context.Context, id string) error {
	c, err := h.open(ctx, id)
	if err != nil || c == nil {
		return err
	}
	if c.Closed.IsZero() && c.last().Step == StepRetried {
		return h.askAfter(ctx, c)
	}
	return h.run(ctx, c)
}

// askAfter looks how the build that the case waits for is doing: its event
// may have been lost.
func (h *Healer) askAfter(ctx context.Context, c *held) error {
	r := c.last()
	if r.Retry == "" {
		b, ok, err := h.find(ctx, c)
		if err != nil {
			return err
		}
		if !ok {
			return h.giveUp(ctx, c, "No build was seen to start.")
		}
		r.Retry = b.ID
		if err := h.point(ctx, b.ID, c.ID); err != nil {
			return err
		}
	}
	b, err := h.Builds.Get(ctx, c.at(), r.Retry)
	if errors.Is(err, ErrNotFound) {
		return h.giveUp(ctx, c, "The build that was started again is gone.")
	}
	if err != nil {
		return fmt.Errorf("reading build %q: %w", r.Retry, err)
	}
	if err := h.save(ctx, c, true); err != nil { // asks again later; an end is taken up as its event would be
		return err
	}
	return h.BuildEnded(ctx, Ended{At: c.at(), Project: c.Project, Build: r.Retry, Status: b.Status})
}

// giveUp closes a case whose build never came, once it is late enough.
func (h *Healer) giveUp(ctx context.Context, c *held, why string) error {
	if h.Clock.Now().Sub(c.last().RetryAt) < recent {
		return h.save(ctx, c, true)
	}
	c.finish(h.Clock.Now(), Failed, why)
	return h.close(ctx, c)
}

// sweepProject takes up the project's failed builds that the ledger does not
// know.
func (h *Healer) sweepProject(ctx context.Context, p settings.Project) error {
	at := settings.Account{ID: p.Account, Region: p.Region}
	if at.ID == "" {
		at.ID = h.Home.ID
	}
	if at.Region == "" {
		at.Region = h.Home.Region
	}
	now := h.Clock.Now()
	key := at.ID + " " + at.Region + " " + p.Name
	it, err := h.Store.Get(ctx, kindSweep, key)
	from := now.Add(-recent)
	switch {
	case errors.Is(err, ErrNotFound):
		from = now.Add(-time.Hour) // a new project: no old history is taken up
	case err != nil:
		return fmt.Errorf("project %q: %w", p.Name, err)
	default:
		var last time.Time
		if err := unmarshal(it, &last); err == nil && last.After(from) {
			from = last
		}
	}
	bs, err := h.Builds.Since(ctx, at, p.Name, from)
	if errors.Is(err, ErrNotFound) {
		h.Log.WarnContext(ctx, "settings name a project that does not exist", "project", p.Name, "account", at.ID, "region", at.Region)
		return nil
	}
	if err != nil {
		return fmt.Errorf("listing builds of project %q: %w", p.Name, err)
	}
	next := now.Add(-skew)
	var errs []error
	for _, b := range bs {
		if b.Status == "IN_PROGRESS" {
			next = earlier(next, b.Start) // its end is still to come
			continue
		}
		id, err := h.caseOf(ctx, b.ID)
		if err == nil && id == "" && now.Sub(b.End) > skew {
			err = h.BuildEnded(ctx, Ended{At: at, Project: p.Name, Build: b.ID, Status: b.Status})
		}
		if err == nil && id == "" && now.Sub(b.End) <= skew {
			next = earlier(next, b.Start) // its event may still be on its way
		}
		if err != nil {
			next = earlier(next, b.Start)
			if !errors.Is(err, ErrLater) {
				errs = append(errs, fmt.Errorf("project %q: %w", p.Name, err))
			}
		}
	}
	data, err := json.Marshal(next)
	if err != nil {
		return err
	}
	if _, err := h.Store.Put(ctx, Item{Kind: kindSweep, ID: key, Version: it.Version, Data: data}); err != nil && !errors.Is(err, ErrConflict) {
		errs = append(errs, fmt.Errorf("project %q: recording the sweep: %w", p.Name, err))
	}
	return errors.Join(errs...)
}

func earlier(a, b time.Time) time.Time {
	if !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// remind tells of grants that will expire soon.
func (h *Healer) remind(ctx context.Context) error {
	its, err := h.Store.Between(ctx, kindExpiry, time.Time{}, h.Clock.Now(), false, batch)
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
	if err != nil || c == nil || e.Round >= len(c.Rounds) || !c.Rounds[e.Round].Undone.IsZero() {
		return err
	}
	c.tell(h.Clock.Now(), Expiring, fmt.Sprintf("Grant %s ends at %s. Nothing renews it but you: make it permanent, or let it end.", e.Grant, e.At.UTC().Format("2006-01-02 15:04 UTC")))
	c.Outbox[len(c.Outbox)-1].Round = e.Round
	if err := h.save(ctx, c, false); err != nil {
		return err
	}
	return h.flush(ctx, c)
}

// notify sends a notice, or lays it by for the digest when there were more
// within the hour than settings want to be sent one by one.
func (h *Healer) notify(ctx context.Context, o Outcome) error {
	h.Journal.Record(o)
	now := h.Clock.Now()
	ok, err := h.Store.Count(ctx, "notices "+now.UTC().Format("2006-01-02T15"), h.Settings.Notify.Digest, now.Add(2*time.Hour))
	if err != nil {
		return fmt.Errorf("counting notices: %w", err)
	}
	if ok {
		return h.Notifier.Notify(ctx, o)
	}
	o.Settings = nil
	data, err := json.Marshal(o)
	if err != nil {
		return err
	}
	_, err = h.Store.Put(ctx, Item{Kind: kindDigest, ID: o.ID, Due: now, Expires: now.Add(kept), Data: data})
	if errors.Is(err, ErrConflict) {
		return nil // laid by already
	}
	return err
}

// digest sends the notices that were laid by, many in one.
func (h *Healer) digest(ctx context.Context) error {
	its, err := h.Store.Between(ctx, kindDigest, time.Time{}, h.Clock.Now(), false, batch)
	if err != nil || len(its) == 0 {
		return err
	}
	var os []Outcome
	for _, it := range its {
		var o Outcome
		if err := unmarshal(it, &o); err != nil {
			return err
		}
		o.Settings = h.Settings
		os = append(os, o)
	}
	if err := h.Notifier.Digest(ctx, os); err != nil {
		return fmt.Errorf("sending the digest: %w", err)
	}
	for _, it := range its {
		it.Due, it.Expires = time.Time{}, h.Clock.Now().Add(time.Hour)
		if _, err := h.Store.Put(ctx, it); err != nil && !errors.Is(err, ErrConflict) {
			return fmt.Errorf("recording the digest: %w", err)
		}
	}
	return nil
}

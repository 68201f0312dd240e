package heal

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/buildmedic/buildmedic/internal/decide"
)

// tellAll sends the notice that comes first in the outbox to everyone who is to have it and has it
// not yet. That somebody has it is recorded before the next one gets it, and with the last one the
// notice leaves the outbox: a crash in between sends one copy twice, and loses none. One who cannot
// be told holds up nobody else.
func (h *Healer) tellAll(ctx context.Context, c *held) error {
	var errs []error
	p := &c.Outbox[0]
	tried := []decide.Audience{}
	platform := slices.ContainsFunc(decide.Audiences(h.outcome(c, *p)), func(a decide.Audience) bool { return a.Owner == "" })
	for {
		to := slices.DeleteFunc(h.unsent(c), func(a decide.Audience) bool { return slices.Contains(tried, a) })
		if len(to) == 0 {
			return errors.Join(errs...)
		}
		tried = append(tried, to[0])
		o := h.outcome(c, *p)
		if o.For = to[0]; o.For.Owner == "" {
			o.Note = sentences(o.Note, strings.Join(p.Untold, " "))
		}
		said := func() {}
		if o.For.Owner == "" || !platform && len(p.Sent) == 0 {
			o, said = h.withFault(ctx, o)
		}
		switch err := h.notify(ctx, o, c.turn); {
		case err == nil:
			said()
			if len(p.Sent) == len(p.Untold) && !p.Recorded { // whoever else gets it, it is one outcome
				h.journal(o)
			}
		case h.unreachable(ctx, o.For.Owner, p.At, err):
			h.Log.ErrorContext(ctx, "an owner cannot be told", "owner", o.For.Owner, "notice", o.ID, "error", err.Error())
			p.Untold = append(p.Untold, untold(o.For.Owner, err))
		default:
			errs = append(errs, err)
			continue
		}
		if p.Sent = append(p.Sent, to[0]); len(h.unsent(c)) == 0 {
			return errors.Join(errs...)
		}
		if err := h.save(ctx, c, false); err != nil {
			return err
		}
	}
}

// unsent are those who do not have the outbox's first notice yet.
func (h *Healer) unsent(c *held) []decide.Audience {
	return slices.DeleteFunc(decide.Audiences(h.outcome(c, c.Outbox[0])), func(a decide.Audience) bool {
		return slices.Contains(c.Outbox[0].Sent, a)
	})
}

// triedFor is how long a notice is tried to be sent to a topic of an owner's own, whatever is wrong
// with it: the region may be mistyped or turned off, which AWS says in many ways.
const triedFor = time.Hour

// unsentError is that of sending itself, and not of what the healer does before: of its ledger or
// the turns.
type unsentError struct{ error }

func (e unsentError) Unwrap() error { return e.error }

// unsentBy makes it one; nil stays nil.
func unsentBy(err error) error {
	if err == nil {
		return nil
	}
	return unsentError{err}
}

// unreachable reports whether an owner cannot be told until somebody changes something: the topic
// is gone, or does not let the function publish, or it is his own and what there has been to tell
// since then could not be sent. Whom notify itself names is told instead.
func (h *Healer) unreachable(ctx context.Context, owner string, since time.Time, err error) bool {
	if _, ok := errors.AsType[unsentError](err); !ok || owner == "" {
		return false
	}
	if errors.Is(err, ErrDenied) || errors.Is(err, ErrNotFound) || errors.Is(err, ErrFinal) {
		return true
	}
	o, _ := h.Settings.Notify.Owner(owner)
	return o.Topic != "" && ctx.Err() == nil && h.Clock.Now().Sub(since) >= triedFor
}

// untold says so, shortly: the function's log has the error.
func untold(owner string, err error) string {
	why := "its topic takes no notices"
	switch {
	case errors.Is(err, ErrDenied):
		why = "the policy of its topic, or of the topic's key, does not let Buildmedic's function publish"
	case errors.Is(err, ErrNotFound):
		why = "its topic does not exist"
	}
	return fmt.Sprintf("Owner %s could not be told: %s.", owner, why)
}

// notify sends a notice, or keeps it for the digest. was is the turn that it has already, if it has.
func (h *Healer) notify(ctx context.Context, o decide.Outcome, was turn) (err error) {
	if was.of != o.ID || was.to != o.For.Owner || was.missed(h.Clock.Now()) {
		if was, err = h.turn(ctx, o.For.Owner, o.ID, h.Settings.Notify.Digest); err != nil {
			return err
		}
	}
	if was.alone {
		return h.inTurn(ctx, o.For.Owner, was, func(turn Await) error { return h.Notifier.Notify(ctx, o, turn) })
	}
	data, err := storedOutcome(o)
	if err != nil {
		return err
	}
	now := h.Clock.Now()
	_, err = h.Store.Put(ctx, Item{Kind: kindDigest, ID: strings.TrimSpace(o.ID + " " + o.For.Owner), Due: now, Expires: now.Add(kept),
		Data: data})
	if errors.Is(err, ErrConflict) {
		return nil // kept already
	}
	return err
}

// journal keeps an outcome in the journal. One that tells of a crowd is in it since
// the case ended.
func (h *Healer) journal(o decide.Outcome) {
	if o.Followers == nil {
		h.Journal.Record(o)
	}
}

// digestFlag is what of two sweeps only one has while it sends digests.
const digestFlag = "digest"

// digest sends the notices that were kept, many in one. Of two sweeps at the same time only one
// does; however that ends, another may afterwards: a digest may come twice, and is never lost.
func (h *Healer) digest(ctx context.Context) error {
	its, err := h.keptNotices(ctx)
	if err != nil || len(its) == 0 {
		return err
	}
	claim, err := h.claim(ctx, digestFlag, h.Clock.Now())
	if err != nil || claim == nil {
		return err
	}
	// The first are sent even if little time is left: in a storm, that is so in every sweep.
	var unsent []error
	for n, first := pageSize, true; err == nil && n == pageSize && (first || !pressed(ctx)); n, first = len(its), false {
		if its, err = h.keptNotices(ctx); err == nil && len(its) > 0 {
			var some error
			some, err = h.digestOnce(ctx, its)
			unsent = append(unsent, some)
		}
	}
	done, cancel := graceContext(ctx)
	defer cancel()
	claim.Data = []byte(h.Clock.Now().Add(-time.Second).Format(time.RFC3339))
	if _, perr := h.Store.Put(done, *claim); err == nil && !errors.Is(perr, ErrConflict) {
		err = perr
	}
	return errors.Join(append(unsent, err)...)
}

// keptNotices lists notices that were kept for the digest.
func (h *Healer) keptNotices(ctx context.Context) ([]Item, error) {
	its, err := h.Store.Between(ctx, kindDigest, time.Time{}, h.Clock.Now(), false, pageSize)
	if err != nil {
		return nil, fmt.Errorf("listing notices of the digest: %w", err)
	}
	return its, nil
}

// againAfter is how long the notices of a digest that could not be sent leave the others alone, so
// that a sweep comes to what is behind them.
const againAfter = time.Minute

// digestOnce sends one digest to each whose notices are among these. Those of an owner who cannot be
// told go to whom notify itself names. One who cannot be told now holds up nobody else: that is
// unsent, and err what ends the sweep's digests.
func (h *Healer) digestOnce(ctx context.Context, its []Item) (unsent, err error) {
	of := map[string][]decide.Outcome{}
	from := map[string][]Item{}
	for _, it := range its {
		var o decide.Outcome
		if err := unmarshal(it, &o); err != nil {
			return nil, err
		}
		o.Settings = h.Settings
		if _, ok := h.Settings.Notify.Owner(o.For.Owner); !ok {
			o.For = decide.Audience{} // the settings no longer say where to tell that owner
		}
		of[o.For.Owner] = append(of[o.For.Owner], o)
		from[o.For.Owner] = append(from[o.For.Owner], it)
	}
	var errs []error
	for _, owner := range slices.Backward(slices.Sorted(maps.Keys(of))) { // whom notify names comes last
		err := h.digestFor(ctx, owner, of[owner])
		if h.unreachable(ctx, owner, oldest(of[owner]), err) {
			h.Log.ErrorContext(ctx, "an owner cannot be told", "owner", owner, "notices", len(of[owner]), "error", err.Error())
			for i := range of[owner] {
				of[owner][i].For = decide.Audience{}
			}
			err = h.digestFor(ctx, "", of[owner])
		}
		errs = append(errs, err)
		for _, it := range from[owner] {
			it.Due, it.Expires = time.Time{}, h.Clock.Now().Add(time.Hour)
			if err != nil {
				it.Due, it.Expires = h.Clock.Now().Add(againAfter), h.Clock.Now().Add(kept)
			}
			if _, err := h.Store.Put(ctx, it); err != nil && !errors.Is(err, ErrConflict) {
				return errors.Join(errs...), fmt.Errorf("recording the digest: %w", err)
			}
		}
	}
	return errors.Join(errs...), nil
}

// oldest is when the first of them was to be told.
func oldest(os []decide.Outcome) time.Time {
	return slices.MinFunc(os, func(a, b decide.Outcome) int { return a.At.Compare(b.At) }).At
}

func (h *Healer) digestFor(ctx context.Context, owner string, os []decide.Outcome) error {
	err := h.inTurn(ctx, owner, turn{}, func(turn Await) error { return h.Notifier.Digest(ctx, os, turn) })
	if err != nil {
		return fmt.Errorf("sending the digest: %w", err)
	}
	return nil
}

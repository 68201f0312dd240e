package heal

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/buildmedic/buildmedic/internal/decide"
)

// pause pauses everything, because a person asks for it, and has everybody told. That they are to be
// told is recorded first: if the function dies before they are, a sweep tells them.
func (h *Healer) pause(ctx context.Context, why string) (CommandAnswer, error) {
	was, err := h.flag(ctx, pausedFlag)
	done := false
	if err == nil && was == "" {
		if err = h.owePause(ctx, why); err == nil {
			done, err = h.set(ctx, pausedFlag, []byte(why), time.Time{})
		}
	}
	a := CommandAnswer{Done: err == nil, Message: "Nothing is written until {\"resume\":{}}. Failures are still explained."}
	switch {
	case err != nil:
	case done:
		if terr := h.tellPause(ctx); terr != nil { // the pause holds all the same
			h.Log.WarnContext(ctx, "a sweep tells of the pause", "error", terr.Error())
		}
	default:
		if a.Paused, err = h.flag(ctx, pausedFlag); a.Paused != "" {
			a.Message = "It was paused already. " + a.Paused + " " + a.Message
		}
	}
	return a, err
}

// pauseNotice is the flag that says whether a person's pause has been told. The breaker's has none:
// it is told by the case that gave rise to it.
func pauseNotice(why string) string { return "pause " + pauseID(pausedFlag, why) }

// owePause records that a pause is to be told, unless it is recorded.
func (h *Healer) owePause(ctx context.Context, why string) error {
	now := h.Clock.Now()
	_, err := h.Store.Put(ctx, Item{Kind: kindFlag, ID: pauseNotice(why), Expires: now.Add(kept),
		Data: []byte(now.Format(time.RFC3339) + " " + rand.Text())}) // a claim that is over
	if err != nil && !errors.Is(err, ErrConflict) {
		return fmt.Errorf("recording that the pause is to be told: %w", err)
	}
	return nil
}

// tellPause tells of a person's pause of everything, if it lasts and somebody has not heard of it:
// all owners, and whom notify itself names last, who then hear which owner could not be told. A
// crash in between tells one of them twice, under the same id, and loses none.
func (h *Healer) tellPause(ctx context.Context) error {
	why, err := h.flag(ctx, pausedFlag)
	if err != nil || why == "" {
		return err
	}
	id, now := pauseNotice(why), h.Clock.Now()
	if _, err := h.Store.Get(ctx, kindFlag, id); errors.Is(err, ErrNotFound) {
		return nil
	}
	claim, err := h.claim(ctx, id, now)
	if err != nil || claim == nil {
		return err
	}
	o := decide.Outcome{ID: "pause." + pauseID(pausedFlag, why), Kind: decide.Paused, At: now, Note: why, Everywhere: true,
		Pause: pauseID(pausedFlag, why), Case: decide.Case{Account: h.Home.ID, Region: h.Home.Region}, Settings: h.Settings,
		Home: h.Home, Function: h.Self.Function}
	var errs []error
	for _, o.For = range decide.Audiences(o) {
		if o.For.Owner == "" {
			o.Note = sentences(why, strings.Join(o.Untold, " "))
		}
		err := h.pauseTo(ctx, strings.TrimSpace(id+" to "+o.For.Owner), o)
		if h.unreachable(ctx, o.For.Owner, firstClaimed(*claim), err) {
			h.Log.ErrorContext(ctx, "an owner cannot be told", "owner", o.For.Owner, "notice", o.ID, "error", err.Error())
			o.Untold, err = append(o.Untold, untold(o.For.Owner, err)), nil
		}
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("telling of the pause: %w", err)
	}
	return h.claimTold(ctx, *claim)
}

// pauseTo tells one of them, if nobody has.
func (h *Healer) pauseTo(ctx context.Context, id string, o decide.Outcome) error {
	claim, err := h.claim(ctx, id, o.At)
	if err != nil || claim == nil {
		return err
	}
	if err := h.notify(ctx, o, turn{}); err != nil {
		return err
	}
	return h.claimTold(ctx, *claim)
}

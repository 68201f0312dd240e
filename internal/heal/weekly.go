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

// maxWeekly bounds the flaky tests that a weekly notice lists.
const maxWeekly = 10

// weekly tells what failed builds cost in the week before this one, once, if the settings ask for
// it and any build failed. Weeks begin on Monday, UTC.
func (h *Healer) weekly(ctx context.Context) error {
	if !h.Settings.Notify.Weekly {
		return nil
	}
	now := h.Clock.Now().UTC()
	to := now.Truncate(24*time.Hour).AddDate(0, 0, -(int(now.Weekday())+6)%7)
	w := decide.Week{From: to.AddDate(0, 0, -7), To: to, Home: h.Home}
	id := "week " + w.From.Format(time.DateOnly)
	claim, err := h.claim(ctx, id, now)
	if err != nil || claim == nil {
		return err
	}
	if w.Costs, err = h.Costs(ctx, "", w.From, w.To); err != nil {
		return err
	}
	if w.Flaky, err = h.Flaky(ctx, "", maxWeekly); err != nil {
		return err
	}
	if w.Costs.Total.Builds > 0 {
		if err := h.anyTurn(ctx, ""); err != nil {
			return err
		}
		if err := h.Notifier.Week(ctx, w); err != nil {
			return fmt.Errorf("sending the weekly notice: %w", err)
		}
	}
	claim.Data, claim.Expires = []byte("sent"), now.Add(kept)
	_, err = h.Store.Put(ctx, *claim)
	if err != nil && !errors.Is(err, ErrConflict) {
		return fmt.Errorf("recording the weekly notice: %w", err)
	}
	return nil
}

// claim makes the notices of an id this sweep's, nil if they are sent or another sweep sends them
// now. However a sweep ends, another may claim it afterwards: a notice may come twice, and is never
// lost.
func (h *Healer) claim(ctx context.Context, id string, now time.Time) (*Item, error) {
	it, err := h.Store.Get(ctx, kindFlag, id)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return nil, fmt.Errorf("reading whether notice %q is sent: %w", id, err)
	}
	if err == nil {
		text, _, _ := strings.Cut(string(it.Data), " ")
		until, perr := time.Parse(time.RFC3339, text)
		if perr != nil || now.Before(until) {
			return nil, nil // sent, or being sent
		}
	}
	// No two claims are alike: of two that are made at once, the ledger would take one for the other, sent again.
	it = Item{Kind: kindFlag, ID: id, Version: it.Version, Expires: now.Add(kept),
		Data: []byte(now.Add(busyFor).Format(time.RFC3339) + " " + rand.Text())}
	it, err = h.Store.Put(ctx, it)
	if errors.Is(err, ErrConflict) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("claiming notice %q: %w", id, err)
	}
	return &it, nil
}

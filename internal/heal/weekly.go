package heal

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/buildmedic/buildmedic/internal/decide"
)

// maxWeekly bounds the flaky tests that a weekly notice lists.
const maxWeekly = 10

// weekly tells what failed builds cost in the week before this one, once, if the settings ask for it
// and any build failed. Weeks begin on Monday, UTC.
func (h *Healer) weekly(ctx context.Context) error {
	if !h.Settings.Notify.Weekly {
		return nil
	}
	now := h.Clock.Now().UTC()
	to := now.Truncate(24*time.Hour).AddDate(0, 0, -(int(now.Weekday())+6)%7)
	w := decide.Week{From: to.AddDate(0, 0, -7), To: to, Home: h.Home}
	id := "week " + w.From.Format(time.DateOnly)
	if done, err := h.flag(ctx, id); err != nil || done != "" {
		return err
	}
	var err error
	if w.Costs, err = h.Costs(ctx, "", w.From, w.To); err != nil {
		return err
	}
	if w.Flaky, err = h.Flaky(ctx, "", maxWeekly); err != nil {
		return err
	}
	if w.Costs.Total.Builds > 0 {
		if err := h.Notifier.Week(ctx, w); err != nil {
			return fmt.Errorf("sending the weekly notice: %w", err)
		}
	}
	_, err = h.Store.Put(ctx, Item{Kind: kindFlag, ID: id, Data: []byte("sent"), Expires: now.Add(kept)})
	if err != nil && !errors.Is(err, ErrConflict) {
		return fmt.Errorf("recording the weekly notice: %w", err)
	}
	return nil
}

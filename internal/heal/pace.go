package heal

import (
	"context"
	"fmt"
	"time"
)

// AWS deactivates an e-mail subscription that gets more than 10 notices a second (AWS.md#e-mail).
// So every notice, of whatever kind and instance, waits for its turn, and the ledger gives one
// in noticeEvery. Turns go by the instances' clocks: if these are apart by d, a second holds at
// most (1 s + d) / noticeEvery + 1 notices, so fewer than 10 as long as d, with what one
// publication takes longer than another, is below 1.25 s.
const (
	noticeEvery = 250 * time.Millisecond
	// noticeWait is how long a notice waits at most; then it stays where it is
	// recorded, and the case comes back.
	noticeWait = 30 * time.Second
)

// turn waits until it is the turn of the next notice. It counts by among those of the hour, unless
// that would be more than max: then it reports false at once. By "" is not counted.
func (h *Healer) turn(ctx context.Context, by string, max int) (bool, error) {
	now := h.Clock.Now()
	hour := now.UTC().Truncate(time.Hour)
	// Each hour has a counter of its own. That turns of two hours keep their distance too, the
	// first of an hour is later by it, and none is after the hour.
	p := Pace{From: now, Latest: now.Add(noticeWait), Every: noticeEvery}
	if first := hour.Add(noticeEvery); p.From.Before(first) {
		p.From = first
	}
	if end := hour.Add(time.Hour - 1); p.Latest.After(end) {
		p.Latest = end
	}
	if end, ok := ctx.Deadline(); ok {
		if end := now.Add(time.Until(end)); p.Latest.After(end) {
			p.Latest = end
		}
	}
	at, ok, err := h.Store.Turn(ctx, "turns "+hour.Format("2006-01-02T15"), by, max, hour.Add(3*time.Hour), p)
	if err != nil {
		return false, fmt.Errorf("waiting for the turn of a notice: %w", err)
	}
	if wait := at.Sub(now); ok && wait > 0 {
		err = h.Sleep(ctx, wait)
	}
	return ok, err
}

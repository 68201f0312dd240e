package heal

import (
	"context"
	"fmt"
	"time"

	"github.com/buildmedic/buildmedic/internal/decide"
)

// Where many roles fail at once, IAM lets one case through every second or so, and the failures that
// only have to follow one of them come behind all of these in the queue. So an invocation looks into
// new failures for a short time only, if it was given many: the others are named as those to follow,
// and come again behind what waits.

// leadFor is for how long an invocation begins to look into new failures.
const leadFor = 10 * time.Second

// leading says how long an invocation has looked into new failures that others may follow. It is used
// by one goroutine.
type leading struct{ took time.Duration }

func (l *leading) over() bool { return l != nil && l.took >= leadFor }

// since adds the time since a case was begun.
func (l *leading) since(clock Clock, began time.Time) {
	if l != nil {
		l.took += clock.Now().Sub(began)
	}
}

// mayLead reports whether others may follow the case, which has just been recorded and follows nobody.
func (c *held) mayLead() bool { return c.seenOf != "" && c.last().Step == decide.StepReceived }

// putOff names the case, which is recorded and waits, as one that others may follow, and has its event
// come again. That nobody could be told to follow it costs calls, and no more.
func (h *Healer) putOff(ctx context.Context, c *held) error {
	if _, _, err := h.putLease(ctx, c.seenOf, c.seen.ledBy(c, "")); err != nil {
		return err
	}
	return fmt.Errorf("case %q is recorded, and others are seen to before it is looked into: %w", c.ID, ErrLater)
}

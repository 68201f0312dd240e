package heal

import (
	"context"
	"fmt"

	"github.com/buildmedic/buildmedic/internal/decide"
)

// In a storm the first failures are each of another role, and all of those wait for IAM, which takes
// minutes. So a case behind which many messages wait is put off once its log has been read and may be
// cured: it is named as one that others may follow, and waits for its turn in a queue of its own. Those
// that follow are seen meanwhile, and are started as soon as their leader's build is green.

// leadLater names the case as one that others may follow, though it does not hold the lease yet.
// named is false if others wrote the lease since it was read.
func (h *Healer) leadLater(ctx context.Context, c *held, f decide.Facts, of string, seen roleLease) (named bool, err error) {
	_, named, err = h.putLease(ctx, of, seen.ledBy(c, f.Diagnosis.Fingerprint))
	c.putOff = named
	return named, err
}

// comeForCure has a case that was put off come to its turn.
func (h *Healer) comeForCure(ctx context.Context, c *held) error {
	c.putOff, c.crowded = false, false
	if err := h.save(ctx, c, true); err != nil {
		return err
	}
	if err := h.Queue.Cure(ctx, c.ID); err != nil {
		return fmt.Errorf("putting case %q off: %w", c.ID, err)
	}
	return errWait
}

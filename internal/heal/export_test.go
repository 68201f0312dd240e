package heal

import (
	"context"

	"github.com/buildmedic/buildmedic/internal/decide"
)

// CountBudgets counts what carrying the decision out would use, on behalf of
// the case, and reports whether it may.
func (h *Healer) CountBudgets(ctx context.Context, c decide.Case, d decide.Decision) (bool, error) {
	one := &held{Case: c}
	rs, err := h.room(ctx, one, d)
	if len(rs) == 0 && err == nil {
		rs, err = h.count(ctx, one, d)
	}
	return len(rs) == 0, err
}

// What bounds the ledger's items.
var (
	Storable      = storable
	StoredOutcome = storedOutcome
	WithRoom      = withRoom
	Packed        = packed
	WithHold      = withHold
)

// Tell sends a notice, as a case does.
func (h *Healer) Tell(ctx context.Context, o decide.Outcome) error {
	return h.notify(ctx, o, turn{})
}

// TellDigest sends what was kept, as a sweep does.
func (h *Healer) TellDigest(ctx context.Context) error { return h.digest(ctx) }

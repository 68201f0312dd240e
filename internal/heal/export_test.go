package heal

import "context"

// CountBudgets counts what carrying the decision out would use, on behalf of
// the case, and reports whether it may.
func (h *Healer) CountBudgets(ctx context.Context, c Case, d Decision) (bool, error) {
	rs, err := h.budgets(ctx, &held{Case: c}, d)
	return len(rs) == 0, err
}

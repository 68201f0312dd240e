package heal

import (
	"bytes"
	"context"
	"testing"
)

// claims is a ledger that takes a write of the same data at the same version for one whose answer
// was lost, as DynamoDB's does.
type claims struct {
	Store
	now, was Item
}

func (c *claims) Get(context.Context, string, string) (Item, error) { return c.was, nil }

func (c *claims) Put(_ context.Context, it Item) (Item, error) {
	it.Version++
	if c.now.Version == it.Version && !bytes.Equal(c.now.Data, it.Data) {
		return Item{}, ErrConflict
	}
	c.now = it
	return it, nil
}

// TestClaim ensures that of two sweeps which claim the same notices in the same moment one has them,
// and that a claim ends by itself.
func TestClaim(t *testing.T) {
	store := &claims{was: Item{Version: 7, Data: []byte("2026-01-01T00:00:00Z")}}
	h := &Healer{Store: store}
	first, err := h.claim(t.Context(), "digest", failedAt)
	if err != nil || first == nil {
		t.Fatal(first, err)
	}
	if second, err := h.claim(t.Context(), "digest", failedAt); second != nil || err != nil {
		t.Errorf("both have it: %v, %v", second, err)
	}
	store.was = store.now
	if early, err := h.claim(t.Context(), "digest", failedAt.Add(busyFor-1)); early != nil || err != nil {
		t.Errorf("it is claimed while another has it: %v, %v", early, err)
	}
	if late, err := h.claim(t.Context(), "digest", failedAt.Add(busyFor)); late == nil || err != nil {
		t.Errorf("it is not claimed when the other's time is over: %v", err)
	}
}

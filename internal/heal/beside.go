package heal

import (
	"context"
	"errors"
	"sync"
)

// beside does things that need nothing of each other at the same time, and gives the first error in
// their order.
func beside(all ...func() error) error {
	errs := make([]error, len(all))
	var wg sync.WaitGroup
	for i, do := range all {
		wg.Go(func() { errs[i] = do() })
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// slot names an item of the ledger.
type slot struct{ kind, id string }

// ahead is a ledger of which some items are read before they are needed, all at the same time. What
// was read is given once: who asks again, asks the ledger.
type ahead struct {
	Store
	mu   sync.Mutex
	read map[slot]answer
}

type answer struct {
	it  Item
	err error
}

// readingAhead gives the healer with a ledger that can read ahead.
func (h *Healer) readingAhead() (*Healer, *ahead) {
	with, a := *h, &ahead{Store: h.Store}
	with.Store = a
	return &with, a
}

// fetch reads the items ahead, if the healer's ledger can.
func (h *Healer) fetch(ctx context.Context, slots ...slot) {
	if a, ok := h.Store.(*ahead); ok {
		a.fetch(ctx, slots)
	}
}

func (a *ahead) fetch(ctx context.Context, slots []slot) {
	answers := make([]answer, len(slots))
	var wg sync.WaitGroup
	for i, p := range slots {
		wg.Go(func() { answers[i].it, answers[i].err = a.Store.Get(ctx, p.kind, p.id) })
	}
	wg.Wait()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.read = map[slot]answer{}
	for i, p := range slots {
		if err := answers[i].err; err == nil || errors.Is(err, ErrNotFound) { // else it is asked again
			a.read[p] = answers[i]
		}
	}
}

// forget drops what was read and not asked for.
func (a *ahead) forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.read = nil
}

// Get implements [Store].
func (a *ahead) Get(ctx context.Context, kind, id string) (Item, error) {
	a.mu.Lock()
	got, ok := a.read[slot{kind, id}]
	delete(a.read, slot{kind, id})
	a.mu.Unlock()
	if ok {
		return got.it, got.err
	}
	return a.Store.Get(ctx, kind, id)
}

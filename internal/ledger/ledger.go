// Package ledger stores what the healer must not forget: cases, leases, plans,
// budgets, history. It offers [heal.Store] in memory (for tests and stories)
// and in a file (for the desk); package awsapi has the function's, in
// DynamoDB. All pass the conformance suite in ledgertest.
//
// Expiry is decided by comparing times, never by deletion: an item past its
// Expires does not exist, deleted or not (AWS.md#expired-items).
package ledger

import (
	"context"
	"sort"
	"sync"
	"time"

	"github.com/buildmedic/buildmedic/internal/heal"
)

// Memory is a ledger that forgets everything when the process ends.
type Memory struct {
	clock heal.Clock
	mu    sync.Mutex
	items map[key]heal.Item
	count map[string]heal.Counter
}

type key struct{ Kind, ID string }

// NewMemory gives an empty ledger.
func NewMemory(clock heal.Clock) *Memory {
	return &Memory{clock: clock, items: map[key]heal.Item{}, count: map[string]heal.Counter{}}
}

// Get implements [heal.Store].
func (m *Memory) Get(_ context.Context, kind, id string) (heal.Item, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	it, ok := m.live(key{kind, id})
	if !ok {
		return heal.Item{}, heal.ErrNotFound
	}
	return clone(it), nil
}

// live finds an item that has not expired. The lock is held.
func (m *Memory) live(k key) (heal.Item, bool) {
	it, ok := m.items[k]
	if ok && expired(it.Expires, m.clock.Now()) {
		return heal.Item{}, false
	}
	return it, ok
}

func expired(at, now time.Time) bool { return !at.IsZero() && at.Before(now) }

// clone keeps callers from changing what is stored.
func clone(it heal.Item) heal.Item {
	it.Data = append([]byte(nil), it.Data...)
	return it
}

// Put implements [heal.Store].
func (m *Memory) Put(_ context.Context, it heal.Item) (heal.Item, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	k := key{it.Kind, it.ID}
	if old, _ := m.live(k); old.Version != it.Version {
		return heal.Item{}, heal.ErrConflict
	}
	it = clone(it)
	it.Version++
	m.items[k] = it
	return clone(it), nil
}

// Between implements [heal.Store].
func (m *Memory) Between(_ context.Context, kind string, from, to time.Time, newest bool, limit int) ([]heal.Item, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []heal.Item
	for k := range m.items {
		it, ok := m.live(k)
		if ok && k.Kind == kind && !it.Due.IsZero() && !it.Due.Before(from) && it.Due.Before(to) {
			out = append(out, clone(it))
		}
	}
	sort.Slice(out, func(i, j int) bool {
		a, b := out[i], out[j]
		if newest {
			a, b = b, a
		}
		if !a.Due.Equal(b.Due) {
			return a.Due.Before(b.Due)
		}
		return a.ID < b.ID
	})
	return out[:min(limit, len(out))], nil
}

// Count implements [heal.Store].
func (m *Memory) Count(_ context.Context, id, by string, max int, expires time.Time) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.count[id].At(m.clock.Now(), expires)
	if !c.Room(by, max) {
		return false, nil
	}
	if !c.Knows(by) {
		c = c.Add(by)
	}
	m.count[id] = c
	return true, nil
}

// GiveBack implements [heal.Store].
func (m *Memory) GiveBack(_ context.Context, id, by string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	c, ok := m.count[id]
	if !ok || expired(c.Expires, m.clock.Now()) {
		return nil
	}
	m.count[id], _ = c.Without(by)
	return nil
}

// Turn implements [heal.Store].
func (m *Memory) Turn(
	_ context.Context, id, by string, max int, expires time.Time, p heal.Pace,
) (at time.Time, ok bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c, at, ok := m.count[id].At(m.clock.Now(), expires).Turn(by, max, p)
	if !ok {
		return time.Time{}, false, nil
	}
	if err := p.Late(at); err != nil {
		return time.Time{}, false, err
	}
	m.count[id] = c
	return at, true, nil
}

// Room implements [heal.Store].
func (m *Memory) Room(_ context.Context, id, by string, max int) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.count[id].At(m.clock.Now(), time.Time{}).Room(by, max), nil
}

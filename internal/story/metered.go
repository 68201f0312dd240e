package story

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/buildmedic/buildmedic/internal/awsapi"
	"github.com/buildmedic/buildmedic/internal/heal"
)

// Metered is a ledger that takes its time and is charged for as DynamoDB is: each request takes
// Latency, and writes cost write units (AWS.md#write-units). It is for measurements; set its fields
// before its first use.
type Metered struct {
	heal.Store
	Latency time.Duration
	Keep    bool // keep every call, for [Metered.Calls]

	mu     sync.Mutex
	meter  Meter
	calls  []LedgerCall
	stored map[string]weight
	counts map[string]heal.Counter
}

// Meter is what a ledger's use came to.
type Meter struct {
	Calls      int // of the [heal.Store]
	Requests   int // of DynamoDB
	WriteUnits int
	Largest    int    // bytes of the largest item
	Of         string // its kind and id
}

// LedgerCall is one call of the ledger.
type LedgerCall struct {
	Operation    string // "Get", "Put", …
	Kind, ID     string
	Requests     int // of DynamoDB
	InTurn       int // how many of them one after the other
	WriteUnits   int
	Began, Ended time.Time
	Err          error
}

// weight is what is charged for an item that is stored.
type weight struct {
	size int
	due  time.Time
}

// NewMetered meters a store.
func NewMetered(s heal.Store) *Metered {
	return &Metered{Store: s, stored: map[string]weight{}, counts: map[string]heal.Counter{}}
}

// Meter is what it came to until now.
func (m *Metered) Meter() Meter {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.meter
}

// Calls lists the calls until now in the order of their ends, if Keep was set.
func (m *Metered) Calls() []LedgerCall {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.calls)
}

// Get implements [heal.Store].
func (m *Metered) Get(ctx context.Context, kind, id string) (heal.Item, error) {
	began := m.wait(1)
	it, err := m.Store.Get(ctx, kind, id)
	m.done(LedgerCall{Operation: "Get", Kind: kind, ID: id, Requests: 1, InTurn: 1, Began: began, Err: err})
	return it, err
}

// Put implements [heal.Store].
func (m *Metered) Put(ctx context.Context, it heal.Item) (heal.Item, error) {
	began := m.wait(1)
	out, err := m.Store.Put(ctx, it)
	size, serr := awsapi.SizeOf(it)
	if serr != nil {
		return out, errors.Join(err, serr)
	}
	m.done(LedgerCall{Operation: "Put", Kind: it.Kind, ID: it.ID, Requests: 1, InTurn: 1, Began: began, Err: err,
		WriteUnits: m.put(it.Kind+"#"+it.ID, weight{size, it.Due}, err == nil)})
	return out, err
}

// Between implements [heal.Store].
func (m *Metered) Between(ctx context.Context, kind string, from, to time.Time, newest bool, limit int) ([]heal.Item, error) {
	its, err := m.Store.Between(ctx, kind, from, to, newest, limit)
	all, inTurn := awsapi.RequestsOfBetween(len(its))
	began := m.wait(inTurn)
	m.done(LedgerCall{Operation: "Between", Kind: kind, Requests: all, InTurn: inTurn, Began: began, Err: err})
	return its, err
}

// Count implements [heal.Store].
func (m *Metered) Count(ctx context.Context, id, by string, most int, expires time.Time) (bool, error) {
	began := m.wait(1)
	ok, err := m.Store.Count(ctx, id, by, most, expires)
	m.done(LedgerCall{Operation: "Count", Kind: "count", ID: id, Requests: 1, InTurn: 1, Began: began, Err: err,
		WriteUnits: m.count(id, by, ok && err == nil)})
	return ok, err
}

// GiveBack implements [heal.Store]: it reads, then writes.
func (m *Metered) GiveBack(ctx context.Context, id, by string) error {
	began := m.wait(2)
	err := m.Store.GiveBack(ctx, id, by)
	m.mu.Lock()
	c, had := m.counts[id].Without(by)
	units := 0
	if had && err == nil {
		m.counts[id] = c
		units = unitsOf(m.stored["count#"+id].size)
	}
	m.mu.Unlock()
	m.done(LedgerCall{Operation: "GiveBack", Kind: "count", ID: id, Requests: 2, InTurn: 2, Began: began, Err: err, WriteUnits: units})
	return err
}

// Turn implements [heal.Store].
func (m *Metered) Turn(
	ctx context.Context, id, by string, most int, expires time.Time, p heal.Pace,
) (at time.Time, ok bool, err error) {
	n := 1
	if by == "" || m.next(id).After(p.From) { // it is read first, or it takes a second write
		n = 2
	}
	began := m.wait(n)
	at, ok, err = m.Store.Turn(ctx, id, by, most, expires, p)
	c := LedgerCall{Operation: "Turn", Kind: "count", ID: id, Requests: n, Began: began, Err: err,
		WriteUnits: m.count(id, by, ok && err == nil)}
	if n == 2 && by != "" {
		c.WriteUnits++
	}
	m.done(c)
	m.turned(id, at.Add(p.Every))
	return at, ok, err
}

// next is when the counter's next turn is.
func (m *Metered) next(id string) time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.counts[id].Next
}

// turned keeps when it is.
func (m *Metered) turned(id string, next time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if c := m.counts[id]; next.After(c.Next) {
		c.Next = next
		m.counts[id] = c
	}
}

// Room implements [heal.Store].
func (m *Metered) Room(ctx context.Context, id, by string, most int) (bool, error) {
	began := m.wait(1)
	ok, err := m.Store.Room(ctx, id, by, most)
	m.done(LedgerCall{Operation: "Room", Kind: "count", ID: id, Requests: 1, InTurn: 1, Began: began, Err: err})
	return ok, err
}

func (m *Metered) wait(requests int) (began time.Time) {
	began = time.Now()
	time.Sleep(time.Duration(requests) * m.Latency)
	return began
}

func (m *Metered) done(c LedgerCall) {
	c.Ended = time.Now()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.meter.Calls++
	m.meter.Requests += c.Requests
	m.meter.WriteUnits += c.WriteUnits
	if m.Keep {
		m.calls = append(m.calls, c)
	}
}

// put is what a write costs. A refused one costs as much as one that is made; the index has
// its own entry, which costs when it changes.
func (m *Metered) put(key string, now weight, made bool) (units int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	was := m.stored[key]
	units = unitsOf(max(was.size, now.size))
	if !made {
		return units
	}
	if !was.due.Equal(now.due) {
		for _, due := range []time.Time{was.due, now.due} { // one entry goes, another comes
			if !due.IsZero() {
				units++
			}
		}
	}
	m.stored[key] = now
	m.largest(key, now.size)
	return units
}

// count is what counting costs.
func (m *Metered) count(id, by string, made bool) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := "count#" + id
	was := m.stored[key]
	now := was
	if c := m.counts[id]; made && by != "" && !c.Knows(by) {
		m.counts[id] = c.Add(by)
		now.size = awsapi.SizeOfCounter(id, m.counts[id])
		m.stored[key] = now
		m.largest(key, now.size)
	}
	return unitsOf(max(was.size, now.size))
}

func (m *Metered) largest(key string, size int) {
	if size > m.meter.Largest {
		m.meter.Largest, m.meter.Of = size, key
	}
}

// unitsOf is how many write units an item costs: one for each KB that it begins.
func unitsOf(size int) int { return max(1, (size+1023)/1024) }

package simaws

import (
	"container/heap"
	"context"
	"time"
)

// Clock is simulated time. It stands still unless somebody moves it:
// Advance, Sleep, [Sim.NextMessage] or [Sim.Settle]. On its way it carries
// out what is due: the next command of a running build, the delivery of an
// event.
type Clock struct{ s *Sim }

// Now is the simulated time.
func (c Clock) Now() time.Time {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	return c.s.now
}

// Advance moves time on by d.
func (c Clock) Advance(d time.Duration) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.s.advance(c.s.now.Add(d))
}

// Sleep returns when d has passed, and makes it pass. Several sleepers that
// began at the same time sleep together, not one after the other. The error
// is the context's, if it was done already.
func (c Clock) Sleep(ctx context.Context, d time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if d > 0 {
		c.Advance(d)
	}
	return ctx.Err()
}

// Skewed is a clock that is wrong by d: what a function sees whose own clock
// differs from AWS's.
func (c Clock) Skewed(d time.Duration) func() time.Time {
	return func() time.Time { return c.Now().Add(d) }
}

// After has do called when d has passed. It may use the Sim: a stranger's
// change at a certain time, the schedule of a sweep.
func (s *Sim) After(d time.Duration, do func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.after(d, func() {
		s.mu.Unlock()
		defer s.mu.Lock()
		do()
	})
}

// Settle lets everything happen that is under way, and returns when nothing
// is: all builds have ended, all events have been delivered. It receives no
// messages. Something that [Sim.After] starts again and again never settles,
// and keeps [Sim.NextMessage] from ending.
func (s *Sim) Settle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.agenda) > 0 {
		s.advance(s.agenda[0].at)
	}
}

// after puts do on the agenda.
func (s *Sim) after(d time.Duration, do func()) {
	heap.Push(&s.agenda, &item{at: s.now.Add(max(d, 0)), seq: s.nth("agenda"), do: do})
}

// advance moves time to t, doing what is due on the way. Time never runs back.
func (s *Sim) advance(t time.Time) {
	for len(s.agenda) > 0 && !s.agenda[0].at.After(t) {
		it := heap.Pop(&s.agenda).(*item)
		if it.at.After(s.now) {
			s.now = it.at
		}
		it.do()
	}
	if t.After(s.now) {
		s.now = t
	}
	s.changed.Broadcast()
}

// item is something that will happen; equal times keep their order.
type item struct {
	at  time.Time
	seq int
	do  func()
}

type agenda []*item

func (a agenda) Len() int { return len(a) }
func (a agenda) Less(i, j int) bool {
	if !a[i].at.Equal(a[j].at) {
		return a[i].at.Before(a[j].at)
	}
	return a[i].seq < a[j].seq
}
func (a agenda) Swap(i, j int) { a[i], a[j] = a[j], a[i] }
func (a *agenda) Push(x any)   { *a = append(*a, x.(*item)) }
func (a *agenda) Pop() any {
	old := *a
	it := old[len(old)-1]
	*a = old[:len(old)-1]
	return it
}

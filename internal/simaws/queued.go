package simaws

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// lane holds the builds that count together towards CodeBuild's limit of
// builds at once: those of an environment type and compute type, in an
// account and region (AWS.md#queue-limits).
type lane struct {
	est     *estate
	running int
	waiting []*build // in the queue, in no order
}

// queueFactor is how many times the limit the queue holds (AWS.md#queue-limits).
const queueFactor = 5

// lane finds or founds the lane of an environment.
func (e *estate) lane(env environmentOut) *lane {
	name := env.Type + " " + env.ComputeType
	l, ok := e.lanes[name]
	if !ok {
		l = &lane{est: e}
		e.lanes[name] = l
	}
	return l
}

// free reports whether a build may run at once.
func (l *lane) free() bool {
	n := l.est.sim.cfg.Trouble.ConcurrentBuilds
	return n == 0 || l.running < n
}

// room refuses one build more than the queue holds.
func (l *lane) room() error {
	most := queueFactor * l.est.sim.cfg.Trouble.ConcurrentBuilds
	if l.free() || len(l.waiting) < most {
		return nil
	}
	return fail("AccountLimitExceededException", fmt.Sprintf("Cannot have more than %d builds in queue for the account", most))
}

// join has the build run as soon as the lane lets it.
func (l *lane) join(b *build) {
	if l.free() {
		l.admit(b)
		return
	}
	l.waiting = append(l.waiting, b)
	b.after(time.Duration(cmp.Or(b.over.QueuedTimeout, queuedMinutes))*time.Minute, func() {
		if !b.admitted {
			b.abort(timedOut, "BUILD_TIMED_OUT", "Build timed out in the queue. ")
		}
	})
}

func (l *lane) admit(b *build) {
	l.running++
	b.admitted = true
	b.after(queuedTime, b.queued)
}

// leave takes out a build that has ended, and lets others in. Which of them
// cannot be predicted (AWS.md#queue-limits).
func (l *lane) leave(b *build) {
	if b.admitted {
		l.running--
	} else if i := slices.Index(l.waiting, b); i >= 0 {
		l.drop(i)
	}
	for len(l.waiting) > 0 && l.free() {
		s := l.est.sim
		i := int(s.chance("queue", itoa(s.nth("queue"))) * float64(len(l.waiting)))
		next := l.waiting[i]
		l.drop(i)
		l.admit(next)
	}
}

func (l *lane) drop(i int) {
	last := len(l.waiting) - 1
	l.waiting[i] = l.waiting[last]
	l.waiting = l.waiting[:last]
}

// Running counts the builds of all accounts that have not ended, queued ones too.
func (s *Sim) Running() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, e := range s.estates {
		for _, l := range e.lanes {
			n += l.running + len(l.waiting)
		}
	}
	return n
}

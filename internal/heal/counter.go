package heal

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"time"
)

// Remembered is how many of those counted last a [Counter] surely knows.
const Remembered = 32

// Counter is what a [Store] keeps of a counter: how many were counted, and who the last ones
// were. With it all stores count alike.
type Counter struct {
	N int
	// Recent are marks of those counted last, at most [Remembered]; Before are those
	// that were counted before them.
	Recent, Before []string
	Expires        time.Time
	Next           time.Time // no turn is before it
	// Back is how many counts were given back. With N it tells any two states of a counter apart: one
	// that was given back and taken again has the same N.
	Back int `json:",omitempty"`
}

// Mark stands for who is counted, by so many bits that no two are taken for one.
func Mark(by string) string {
	h := sha256.Sum256([]byte(by))
	return base64.RawURLEncoding.EncodeToString(h[:9])
}

// At gives the counter as it is at now: a new one if its time is over.
func (c Counter) At(now, expires time.Time) Counter {
	if c.Expires.Before(now) {
		return Counter{Expires: expires}
	}
	return c
}

// Knows reports whether by is among those counted last.
func (c Counter) Knows(by string) bool {
	m := Mark(by)
	return slices.Contains(c.Recent, m) || slices.Contains(c.Before, m)
}

// Room reports whether by is counted, or can be.
func (c Counter) Room(by string, max int) bool { return max > 0 && (c.N < max || c.Knows(by)) }

// Add counts one for by.
func (c Counter) Add(by string) Counter {
	c.N++
	if len(c.Recent) >= Remembered {
		c.Before, c.Recent = c.Recent, nil
	}
	c.Recent = append(slices.Clone(c.Recent), Mark(by))
	return c
}

// Without gives the counter without by, and reports whether it had it: who is not remembered stays
// counted, which is the safe side.
func (c Counter) Without(by string) (Counter, bool) {
	if c.N == 0 || !c.Knows(by) {
		return c, false
	}
	m := Mark(by)
	is := func(s string) bool { return s == m }
	c.Recent, c.Before = slices.DeleteFunc(slices.Clone(c.Recent), is), slices.DeleteFunc(slices.Clone(c.Before), is)
	c.N--
	c.Back++
	return c, true
}

// Turn counts one for by, unless it is counted or there is no room, and gives it the next turn.
func (c Counter) Turn(by string, max int, p Pace) (next Counter, at time.Time, ok bool) {
	if by != "" && !c.Room(by, max) {
		return c, at, false
	}
	if by != "" && !c.Knows(by) {
		c = c.Add(by)
	}
	if at = p.From; c.Next.After(at) {
		at = c.Next
	}
	c.Next = at.Add(p.Every)
	return c, at, true
}

// Late is the error of a turn that would be too late.
func (p Pace) Late(at time.Time) error {
	if at.After(p.Latest) {
		return fmt.Errorf("its turn would be at %s: %w", at.UTC().Format(time.RFC3339), ErrLater)
	}
	return nil
}

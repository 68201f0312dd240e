package soak

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/simaws"
)

// point is a place where the function dies.
type point struct {
	ledger bool // at a write to the ledger, else at an AWS call
	n      int  // the n-th of its kind, from 1
	after  bool // it has had its effect; only the answer is lost
}

func (p point) String() string {
	what, when := "call", "before"
	if p.ledger {
		what = "ledger write"
	}
	if p.after {
		when = "after"
	}
	return fmt.Sprintf("%s %s %d", when, what, p.n)
}

// life is one function's. It counts what the function does, and ends it at
// the point. While it is dead nothing of it reaches AWS or the ledger.
type life struct {
	at point

	mu      sync.Mutex
	armed   bool
	dead    bool
	calls   int
	writes  int
	effects map[int]bool // calls that changed something
	starts  []start      // calls that started a build
	seq     int          // the fatal call's
	where   string       // what it died at

	published    bool // the last thing that had an effect was a publication
	afterPublish bool // so it was when the function died
}

// start is a call that starts a build: which call it was, and how many writes
// to the ledger came before it.
type start struct{ call, writes int }

var errDead = errors.New("the function is dead")

func (l *life) arm() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.armed = true
}

// died reports whether the function died since it was asked last.
func (l *life) died() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	d := l.dead
	l.dead = false
	return d
}

// hook is asked by the simulated account about each call.
func (l *life) hook(c simaws.Call) simaws.Fault {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case c.Key != simaws.FunctionKey:
		return simaws.Fault{}
	case l.dead:
		return simaws.Fault{Crash: true}
	case !l.armed:
		return simaws.Fault{}
	case !c.Done:
		l.published = false
		if c.Writes {
			if l.effects == nil {
				l.effects = map[int]bool{}
			}
			l.effects[l.calls+1] = true
		}
		if c.Operation == "RetryBuild" || c.Operation == "StartBuild" {
			l.starts = append(l.starts, start{l.calls + 1, l.writes})
		}
		if l.calls++; l.at.ledger || l.calls != l.at.n {
			return simaws.Fault{}
		}
		if l.seq = c.Seq; l.at.after {
			return simaws.Fault{}
		}
	case l.seq == 0 || c.Seq != l.seq || !l.at.after || l.at.ledger:
		l.published = c.Operation == "Publish" && c.Error == ""
		return simaws.Fault{}
	}
	l.dead, l.armed, l.where = true, false, c.Service+"."+c.Operation
	return simaws.Fault{Crash: true}
}

// write counts a write to the ledger and says whether the function dies
// before it, or after it.
func (l *life) write(what string) (before, after bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.armed {
		return l.dead, false
	}
	published := l.published
	l.published = false
	if l.writes++; !l.at.ledger || l.writes != l.at.n {
		return false, false
	}
	l.armed, l.where, l.afterPublish = false, what, published
	if l.at.after {
		return false, true
	}
	l.dead = true
	return true, false
}

func (l *life) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dead = true
}

func (l *life) gone() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dead {
		return errDead
	}
	return nil
}

// mortal is a ledger as a function sees it that may die.
type mortal struct {
	heal.Store
	life *life
}

func (m mortal) Get(ctx context.Context, kind, id string) (heal.Item, error) {
	if err := m.life.gone(); err != nil {
		return heal.Item{}, err
	}
	return m.Store.Get(ctx, kind, id)
}

func (m mortal) Between(ctx context.Context, kind string, from, to time.Time, newest bool, limit int) ([]heal.Item, error) {
	if err := m.life.gone(); err != nil {
		return nil, err
	}
	return m.Store.Between(ctx, kind, from, to, newest, limit)
}

func (m mortal) Put(ctx context.Context, it heal.Item) (heal.Item, error) {
	before, after := m.life.write("put " + it.Kind)
	if before {
		return heal.Item{}, errDead
	}
	out, err := m.Store.Put(ctx, it)
	if after {
		m.life.end()
		return heal.Item{}, errDead
	}
	return out, err
}

func (m mortal) Turn(
	ctx context.Context, id, by string, max int, expires time.Time, p heal.Pace,
) (time.Time, bool, error) {
	before, after := m.life.write("turn " + id)
	if before {
		return time.Time{}, false, errDead
	}
	at, ok, err := m.Store.Turn(ctx, id, by, max, expires, p)
	if after {
		m.life.end()
		return time.Time{}, false, errDead
	}
	return at, ok, err
}

func (m mortal) Count(ctx context.Context, id, by string, max int, expires time.Time) (bool, error) {
	before, after := m.life.write("count " + id)
	if before {
		return false, errDead
	}
	ok, err := m.Store.Count(ctx, id, by, max, expires)
	if after {
		m.life.end()
		return false, errDead
	}
	return ok, err
}

package heal_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/ledger"
	"github.com/buildmedic/buildmedic/internal/settings"
)

type fixed time.Time

func (f fixed) Now() time.Time { return time.Time(f) }

// asked is a case that asks whether it may carry out its decision.
type asked struct {
	decide.Case
	d decide.Decision
}

// askers are cases of a few roles; some write, some only start a build again.
func askers(r *rand.Rand) (out []asked) {
	for i := range 60 {
		p := &decide.Plan{Role: fmt.Sprint("role-", r.IntN(4)), Route: decide.RouteBuild}
		if r.IntN(4) > 0 {
			p.Write = &guardrail.Target{}
		}
		if r.IntN(4) == 0 {
			p.Route = decide.RouteCodeBuild
		}
		out = append(out, asked{decide.Case{ID: fmt.Sprint("case-", i), Rounds: make([]decide.Round, 1)}, decide.Decision{Plan: p}})
	}
	return out
}

// spent is what was let through, by budget.
type spent map[string]int

func (s spent) add(d decide.Decision) {
	if d.Mutates() {
		s[d.Plan.Role]++
		s["writes"]++
	}
	if d.Plan.Route == decide.RouteBuild {
		s["retries"]++
	}
}

// within reports whether what was let through, and d too, is within the limits.
func (s spent) within(l settings.Limits, d decide.Decision) bool {
	next := spent{}
	next.add(d)
	ok := true
	for what, n := range next {
		limit := map[string]int{"writes": l.WritesHour, "retries": l.RetriesHour}[what]
		if limit == 0 {
			limit = l.WritesRole
		}
		ok = ok && s[what]+n <= limit
	}
	return ok
}

func budgeted(r *rand.Rand) *heal.Healer {
	set := &settings.Settings{Limits: settings.Limits{WritesRole: 1 + r.IntN(12), WritesHour: 1 + r.IntN(30), RetriesHour: 1 + r.IntN(30)}}
	clock := fixed(time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC))
	return &heal.Healer{Settings: set, Clock: clock, Store: ledger.NewMemory(clock)}
}

// TestRefusalsUseNothingUp: of cases that come one after the other exactly
// those are let through for which every budget has room, whatever was refused
// before. A case that asks again has the same answer.
func TestRefusalsUseNothingUp(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		h, got := budgeted(r), spent{}
		for i, a := range askers(r) {
			want := got.within(h.Settings.Limits, a.d)
			for range 2 {
				if ok, err := h.CountBudgets(t.Context(), a.Case, a.d); ok != want || err != nil {
					t.Fatalf("seed %d: case %d is let through: %v, %v; want %v with %v of %+v", seed, i, ok, err, want,
						got, h.Settings.Limits)
				}
			}
			if want {
				got.add(a.d)
			}
		}
	}
}

// TestBudgetsHoldForMany: however many cases ask at the same time, no budget
// is exceeded, and somebody is let through.
func TestBudgetsHoldForMany(t *testing.T) {
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 2))
		h, as := budgeted(r), askers(r)
		var (
			mu      sync.Mutex
			wg      sync.WaitGroup
			through = spent{}
			total   int
		)
		ask := func(a asked) {
			for range 2 { // an event that comes twice
				ok, err := h.CountBudgets(context.Background(), a.Case, a.d)
				if err != nil {
					t.Error(err)
				}
				if !ok {
					return
				}
			}
			mu.Lock()
			defer mu.Unlock()
			through.add(a.d)
			total++
		}
		for _, a := range as {
			wg.Go(func() { ask(a) })
		}
		wg.Wait()
		for what, n := range through {
			limit := map[string]int{"writes": h.Settings.Limits.WritesHour, "retries": h.Settings.Limits.RetriesHour}[what]
			if limit == 0 {
				limit = h.Settings.Limits.WritesRole
			}
			if n > limit {
				t.Errorf("seed %d: %s: %d let through, the limit is %d", seed, what, n, limit)
			}
		}
		if total == 0 {
			t.Errorf("seed %d: nobody was let through", seed)
		}
	}
}

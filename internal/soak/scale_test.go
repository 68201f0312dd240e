package soak

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/settings"
	"github.com/buildmedic/buildmedic/internal/simaws"
	"github.com/buildmedic/buildmedic/internal/story"
)

// TestScale has as many builds fail at once as a broken shared policy makes
// fail, over up to 500 roles, under AWS's rate limits and with ten
// invocations at a time, and prints what it takes. Nothing is lost: every
// case is closed, and every build that failed is in one.
func TestScale(t *testing.T) {
	sizes := []int{100}
	if *long {
		sizes = append(sizes, 1000, 10_000)
	}
	t.Logf("%8s %6s %14s %12s %10s %8s %12s %12s", "failures", "roles", "simulated time", "calls", "calls/heal", "growth", "throttled", "heap/case")
	first := 0.0
	for _, n := range sizes { // each row as soon as it is there: the largest takes its time
		r := scale(t, n)
		each, growth := float64(r.calls)/float64(r.n), ""
		if first > 0 {
			growth = fmt.Sprintf("%.2f", each/first)
		} else {
			first = each
		}
		t.Logf("%8d %6d %14s %12d %10.1f %8s %12d %10d B", r.n, r.roles, r.took.Round(time.Second), r.calls, each, growth, r.throttled, r.heap/uint64(r.n))
	}
}

type scaleRow struct {
	n, roles, calls, throttled int
	took                       time.Duration
	heap                       uint64
}

const perRole = 20

// scale plays n failures at once. Each project fails as many commits as it
// takes.
func scale(t *testing.T, n int) scaleRow {
	roles := max(n/perRole, 1)
	world, set := scaleWorld(roles)
	st, err := story.Open(story.Story{Name: "scale", World: world, Settings: set, Expect: story.Expect{Project: "p0"}},
		story.Options{Client: client(), Settings: func(s *settings.Settings) {
			s.Limits.WritesHour, s.Limits.RetriesHour, s.Limits.WritesRole = n+1, 4*n, perRole
			s.Notify.Digest = 100
		}})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	for i := range n {
		if _, err := st.Sim.Run(simaws.Start{Project: fmt.Sprintf("p%d", i%roles), Version: fmt.Sprintf("refs/heads/b%d", i/roles)}); err != nil {
			t.Fatal(err)
		}
	}
	st.Sim.SetTrouble(simaws.Trouble{RateLimits: true, CallTime: 2 * time.Millisecond})
	began := st.Sim.Clock.Now()
	ctx := context.Background()
	// Each worker takes simulated time only with its calls; ten at a time.
	work(ctx, t, st, 10)
	for i := 0; i < 200 && anyOpen(ctx, t, st); i++ {
		st.Sim.Clock.Advance(10 * time.Minute)
		_, _ = st.Inbox.Invoke(ctx, json.RawMessage(`{"sweep":{}}`)) // throttled ones come with the next
		work(ctx, t, st, 10)
	}
	return scaleEnd(ctx, t, st, scaleRow{n: n, roles: roles}, began)
}

func scaleEnd(ctx context.Context, t *testing.T, st *story.Stage, row scaleRow, began time.Time) scaleRow {
	var last time.Time
	r := &run{st: st}
	for i := range row.roles {
		for _, b := range st.Sim.Builds(fmt.Sprintf("p%d", i)) {
			if b.Status != "FAILED" {
				continue
			}
			c, err := caseOf(ctx, r, b.ID)
			if err != nil || !knows(c, b.ID) || c.Closed.IsZero() {
				t.Fatalf("%d failures: build %s is lost: case %s at %v, %v", row.n, b.ID, c.ID, c.Closed, err)
			}
			if c.Outcome != heal.Healed {
				t.Errorf("%d failures: case %s ended %s: %s", row.n, c.ID, c.Outcome, c.Rounds[len(c.Rounds)-1].Decision.Why)
			}
			if c.Closed.After(last) {
				last = c.Closed
			}
		}
	}
	row.took = last.Sub(began)
	for _, c := range st.Sim.Calls() {
		row.calls++
		if strings.Contains(c.Error, "Throttl") || strings.Contains(c.Error, "TooMany") || strings.Contains(c.Error, "RequestLimit") {
			row.throttled++
		}
	}
	row.heap = ledgerHeap(ctx, t, st, row.n)
	return row
}

// ledgerHeap measures what the ledger's cases take in memory.
func ledgerHeap(ctx context.Context, t *testing.T, st *story.Stage, n int) uint64 {
	its, err := st.Store.Between(ctx, "closed", time.Time{}, st.Sim.Clock.Now().Add(time.Hour), false, n)
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.GC() // twice, so that what pools hold is gone too
	runtime.ReadMemStats(&before)
	var cases []heal.Case
	for _, it := range its {
		c, err := st.Inbox.Healer.Case(ctx, it.ID)
		if err != nil {
			t.Fatal(err)
		}
		cases = append(cases, c)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(cases)
	if after.HeapAlloc < before.HeapAlloc {
		return 0
	}
	return after.HeapAlloc - before.HeapAlloc
}

func anyOpen(ctx context.Context, t *testing.T, st *story.Stage) bool {
	its, err := st.Store.Between(ctx, "case", time.Time{}, st.Sim.Clock.Now().Add(1000*time.Hour), false, 1)
	if err != nil {
		t.Fatal(err)
	}
	return len(its) > 0
}

// work delivers with so many invocations at a time until nothing is left.
func work(ctx context.Context, t *testing.T, st *story.Stage, workers int) {
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for {
				m, ok := st.Sim.NextMessage(ctx)
				if !ok {
					return
				}
				if again, err := st.Deliver(ctx, m); again || err != nil {
					m.Nack()
				} else {
					m.Ack()
				}
			}
		})
	}
	wg.Wait()
}

func scaleWorld(roles int) (world, set []byte) {
	var w, s strings.Builder
	w.WriteString("start: 2026-11-22T10:00:00Z\nbuckets:\n  - {name: dist}\nroles:\n")
	s.WriteString("version: 1\nprojects:\n")
	for i := range roles {
		fmt.Fprintf(&w, "  - name: role-%d\n    inline: {base: '%s'}\n", i, strings.ReplaceAll(chaosBase, "\n", ""))
		fmt.Fprintf(&s, "  - {name: p%d, role: role-%d, mode: heal, write: {inline: healed}, grants: [dist]}\n", i, i)
	}
	w.WriteString("projects:\n")
	for i := range roles {
		fmt.Fprintf(&w, "  - name: p%d\n    role: role-%d\n    versions:\n", i, i)
		for n := range perRole {
			fmt.Fprintf(&w, "      - {ref: refs/heads/b%d, commit: \"%040x\"}\n", n, n+1)
		}
		w.WriteString("    buildspecs: {buildspec.yml: {build: [{run: make, takes: 60s}, aws s3 cp x s3://dist/x]}}\n")
	}
	s.WriteString("grants:\n  - {id: dist, because: The build uploads., owner: team, actions: [\"s3:PutObject\"], resources: [\"arn:${partition}:s3:::dist/*\"]}\n")
	return []byte(w.String()), []byte(s.String())
}

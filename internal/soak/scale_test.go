package soak

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"

	"github.com/buildmedic/buildmedic/internal/awsapi"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/inbox"
	"github.com/buildmedic/buildmedic/internal/settings"
	"github.com/buildmedic/buildmedic/internal/simaws"
	"github.com/buildmedic/buildmedic/internal/story"
)

// TestScale has as many builds fail at once as a broken shared policy makes
// fail, over up to 500 roles, under AWS's rate limits, with ten instances of
// the function and calls of 25 ms, and prints what it takes. Nothing is lost:
// every build that failed is in a case, and every case ends healed.
func TestScale(t *testing.T) {
	sizes := []int{100, 1000}
	if *long {
		sizes = append(sizes, 10_000)
	}
	t.Logf("%8s %6s %14s %12s %10s %8s %12s %12s", "failures", "roles", "simulated time", "calls", "calls/heal",
		"growth", "throttled", "heap/case")
	first := 0.0
	for _, n := range sizes { // each row as soon as it is there: the largest takes its time
		r := scale(t, n)
		each, growth := float64(r.calls)/float64(r.n), ""
		if first > 0 {
			growth = fmt.Sprintf("%.2f", each/first)
		} else {
			first = each
		}
		t.Logf("%8d %6d %14s %12d %10.1f %8s %12d %10d B", r.n, r.roles, r.took.Round(time.Second), r.calls, each,
			growth, r.throttled, r.heap/uint64(r.n))
	}
}

type scaleRow struct {
	n, roles, calls, throttled int
	took                       time.Duration
	heap                       uint64
}

const (
	perRole = 20
	// invocations is how many of the function the queue starts at a time, and
	// batch how many messages each takes, as infra/ has it.
	invocations, batch = 10, 10
	// timeout is the function's, and sweeping how often the schedule sweeps.
	timeout, sweeping = 5 * time.Minute, 15 * time.Minute
)

// scale plays n failures at once. Each project fails as many commits as it
// takes.
func scale(t *testing.T, n int) scaleRow {
	roles := max(n/perRole, 1)
	world, set := story.Crowd(roles, perRole)
	st, err := story.Open(story.Story{Name: "scale", World: world, Settings: set, Expect: story.Expect{Project: "p0"}},
		story.Options{Settings: func(s *settings.Settings) {
			s.Limits.WritesHour, s.Limits.RetriesHour, s.Limits.WritesRole = n+1, 4*n, perRole
			s.Notify.Digest = 100
		}})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	for i := range n {
		if _, err := st.Sim.Run(
			simaws.Start{Project: fmt.Sprintf("p%d", i%roles), Version: fmt.Sprintf("refs/heads/b%d", i/roles)},
		); err != nil {
			t.Fatal(err)
		}
	}
	st.Sim.SetTrouble(simaws.Trouble{RateLimits: true, Latency: latency})
	began := st.Sim.Clock.Now()
	synctest.Test(t, func(t *testing.T) { fleet(t, st) })
	return scaleEnd(t.Context(), t, st, scaleRow{n: n, roles: roles}, began)
}

// fleet runs as many instances of the function as Lambda would, in a bubble
// in which time moves when all of them wait: for an answer, for their SDK's
// next try, for a message. The simulated account's time is the bubble's.
func fleet(t *testing.T, st *story.Stage) {
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		for ctx.Err() == nil {
			time.Sleep(latency)
			st.Sim.Clock.Advance(latency)
		}
	})
	for range invocations {
		in := instance(t, st)
		wg.Go(func() {
			for ctx.Err() == nil {
				invoke(ctx, t, st, in)
			}
		})
	}
	sweeper := instance(t, st)
	wg.Go(func() {
		for ctx.Err() == nil {
			within, cancel := context.WithTimeout(ctx, timeout)
			_, _ = sweeper.Invoke(within, json.RawMessage(`{"sweep":{}}`)) // what was throttled comes with the next
			cancel()
			time.Sleep(sweeping)
		}
	})
	for range 48 * 60 {
		time.Sleep(time.Minute)
		if len(st.Sim.Queued(simaws.Queue)) == 0 && !building(st) && !anyOpen(ctx, t, st) {
			break
		}
	}
	stop()
	wg.Wait()
}

// instance is an instance of the function as it is deployed: with its own
// clients, and with the SDK's real waiting.
func instance(t *testing.T, st *story.Stage) *inbox.Inbox {
	cfg := st.Config(simaws.FunctionKey)
	cfg.HTTPClient, cfg.Retryer, cfg.RetryMaxAttempts = st.Sim.Direct(), retryer, 0
	in, err := st.Instance(cfg, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// invoke does what Lambda's SQS trigger does once.
func invoke(ctx context.Context, t *testing.T, st *story.Stage, in *inbox.Inbox) {
	var ms []simaws.Message
	for len(ms) < batch {
		m, ok := st.Sim.Receive()
		if !ok {
			break
		}
		ms = append(ms, m)
	}
	if len(ms) == 0 {
		time.Sleep(time.Second)
		return
	}
	payload, err := json.Marshal(story.Batch(ms...))
	if err != nil {
		t.Error(err)
		return
	}
	within, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	out, err := in.Invoke(within, payload)
	resp, ok := out.(events.SQSEventResponse)
	if err != nil || !ok || within.Err() != nil && ctx.Err() == nil {
		t.Errorf("an invocation with %d messages ended with %v, %v", len(ms), err, within.Err())
		return
	}
	for _, m := range ms {
		if slices.ContainsFunc(resp.BatchItemFailures, func(f events.SQSBatchItemFailure) bool { return f.ItemIdentifier == m.ID }) {
			m.Nack()
		} else {
			m.Ack()
		}
	}
}

// building reports whether a build is under way.
func building(st *story.Stage) bool {
	for i := range st.Settings.Projects {
		for _, b := range st.Sim.Builds(st.Settings.Projects[i].Name) {
			if b.Status == codebuild.InProgress {
				return true
			}
		}
	}
	return false
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
			if c.Outcome != decide.Healed {
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
	var cases []decide.Case
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

// polled is the function's retryer with one change: it asks again for its
// turn. The SDK waits for the turn's own time, rounded down, and in a bubble
// a wait for nothing takes no time, so that the turn never comes.
type polled struct{ *retry.AdaptiveMode }

func retryer() aws.Retryer {
	return polled{awsapi.Retryer(func(o *retry.AdaptiveModeOptions) { o.FailOnNoAttemptTokens = true })}
}

// GetAttemptToken implements [aws.RetryerV2].
func (p polled) GetAttemptToken(ctx context.Context) (func(error) error, error) {
	for {
		release, err := p.AdaptiveMode.GetAttemptToken(ctx)
		if err == nil || ctx.Err() != nil {
			return release, err
		}
		time.Sleep(2 * latency)
	}
}

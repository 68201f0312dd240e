package soak

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/buildmedic/buildmedic/internal/awsapi"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/inbox"
	memory "github.com/buildmedic/buildmedic/internal/ledger"
	"github.com/buildmedic/buildmedic/internal/settings"
	"github.com/buildmedic/buildmedic/internal/simaws"
	"github.com/buildmedic/buildmedic/internal/story"
)

// storm is a number of builds that fail at once, 20 of each role, and what comes of it.
type storm struct {
	n int
	// atOnce is how many builds the account runs at once, of five minutes; 0: any number, of one.
	atOnce int
	// behind is how long each build goes on behind the command that failed; 0: that was its last.
	behind time.Duration
	// others is what others ask for of each rate of the account, as a multiple of it.
	others float64

	st      *story.Stage
	store   heal.Store     // the ledger as it is
	ledger  *story.Metered // … and as the function has it
	watch   watch
	outcome outcome
}

const (
	region  = "eu-west-1" // one of those with the lowest rate of GetLogEvents
	perRole = 20
	// ofFailures is how many of the function the queue of failures starts at a time,
	// ofFollowUps and ofCures how many those of follow-ups and cures do, and batch how many
	// messages each takes, as infra/ has it.
	ofFailures, ofFollowUps, ofCures, batch = 5, 4, 3, 10
	invocations                             = ofFailures + ofFollowUps + ofCures
	// timeout is the function's, and sweeping how often the schedule sweeps.
	timeout, sweeping = 5 * time.Minute, 15 * time.Minute
)

func (s *storm) roles() int { return max(s.n/perRole, 1) }

// watch counts what the instances did.
type watch struct {
	mu             sync.Mutex
	runs, messages int
	busy, all      time.Duration
}

func (w *watch) ran(messages int, d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.runs, w.messages, w.busy = w.runs+1, w.messages+messages, w.busy+d
}

// play plays the storm. Each project fails as many commits as it takes. They run before the limit
// of builds at once applies, so that all of them fail together.
func (s *storm) play(t *testing.T) {
	world, set := story.Crowd(s.roles(), perRole)
	if s.atOnce > 0 {
		world = bytes.ReplaceAll(world, []byte("takes: 60s"), []byte("takes: 300s"))
	}
	if s.behind > 0 {
		const denied = "aws s3 cp x s3://dist/x"
		world = bytes.ReplaceAll(world, []byte(denied+"]"), fmt.Appendf(nil, "%s, {run: make test, takes: %s}]", denied, s.behind))
	}
	world = append([]byte("region: "+region+"\nmailboxes: [team@example.com]\n"), world...)
	var err error
	s.st, err = story.Open(story.Story{Name: "scale", World: world, Settings: set, Expect: story.Expect{Project: "p0"}},
		story.Options{
			Settings: func(set *settings.Settings) {
				set.Limits.WritesHour, set.Limits.RetriesHour, set.Limits.WritesRole = s.n+1, 4*s.n, perRole
				set.Notify.Digest = 100
			},
			Sleep: asleep,
			Store: func(c heal.Clock) heal.Store {
				s.store = memory.NewMemory(c)
				s.ledger = story.NewMetered(s.store)
				return s.ledger
			},
			Clock: func(c heal.Clock) heal.Clock { return bubbled{c} },
		})
	if err != nil {
		t.Fatal(err)
	}
	defer s.st.Close()
	for i := range s.n {
		if _, err := s.st.Sim.Run(
			simaws.Start{Project: fmt.Sprintf("p%d", i%s.roles()), Version: fmt.Sprintf("refs/heads/b%d", i/s.roles())},
		); err != nil {
			t.Fatal(err)
		}
	}
	s.st.Sim.SetTrouble(simaws.Trouble{RateLimits: true, Others: s.others, Latency: latency, ConcurrentBuilds: s.atOnce})
	began := s.st.Sim.Clock.Now()
	s.ledger.Latency, s.ledger.Keep = ledgerTime, true
	synctest.Test(t, s.fleet)
	s.ledger.Latency, s.ledger.Keep, s.outcome.ledger = 0, false, s.ledger.Meter()
	s.end(t.Context(), t, began)
}

// bubbled is the simulated account's clock in a bubble, where whoever sleeps lets time pass for
// all.
type bubbled struct{ heal.Clock }

// Sleep implements [heal.Sleeper].
func (bubbled) Sleep(ctx context.Context, d time.Duration) error { return awsapi.Clock{}.Sleep(ctx, d) }

// fleet runs as many instances of the function as Lambda would, in a bubble
// in which time moves when all of them wait: for an answer, for their SDK's
// next try, for a message. The simulated account's time is the bubble's.
func (s *storm) fleet(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	began := time.Now()
	var wg sync.WaitGroup
	wg.Go(func() {
		for ctx.Err() == nil {
			time.Sleep(latency)
			s.st.Sim.Clock.Advance(latency)
		}
	})
	for queue, n := range map[string]int{simaws.Queue: ofFailures, simaws.FollowUps: ofFollowUps, simaws.Cures: ofCures} {
		for range n {
			in := instance(t, s.st)
			wg.Go(func() {
				for ctx.Err() == nil {
					s.invoke(ctx, t, in, queue)
				}
			})
		}
	}
	sweeper := instance(t, s.st)
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
		if s.queued() == 0 && s.st.Sim.Running() == 0 && !s.anyOpen(ctx, t) {
			break
		}
	}
	s.watch.all = time.Since(began)
	stop()
	wg.Wait()
}

// queued is how many messages there are.
func (s *storm) queued() (n int) {
	for _, queue := range []string{simaws.Queue, simaws.FollowUps, simaws.Cures} {
		n += len(s.st.Sim.Queued(queue))
	}
	return n
}

// asleep waits as the function does, in the bubble's time.
func asleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// instance is an instance of the function as it is deployed: with its own
// clients, and with the SDK's real waiting.
func instance(t *testing.T, st *story.Stage) *inbox.Inbox {
	cfg := st.Config(simaws.FunctionKey)
	cfg.HTTPClient, cfg.Retryer, cfg.RetryMaxAttempts = st.Sim.Direct(), func() aws.Retryer { return awsapi.Retryer() }, 0
	in, err := st.Instance(cfg, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// invoke does what Lambda's trigger of a queue does once.
func (s *storm) invoke(ctx context.Context, t *testing.T, in *inbox.Inbox, queue string) {
	var ms []simaws.Message
	for len(ms) < batch {
		m, ok := s.st.Sim.Receive(queue)
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
	began := time.Now()
	out, err := in.Invoke(within, payload)
	s.watch.ran(len(ms), time.Since(began))
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

func (s *storm) anyOpen(ctx context.Context, t *testing.T) bool {
	its, err := s.store.Between(ctx, "case", time.Time{}, s.st.Sim.Clock.Now().Add(1000*time.Hour), false, 1)
	if err != nil {
		t.Fatal(err)
	}
	return len(its) > 0
}

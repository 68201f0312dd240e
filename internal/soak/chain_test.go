package soak

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/heal"
	memory "github.com/buildmedic/buildmedic/internal/ledger"
	"github.com/buildmedic/buildmedic/internal/simaws"
	"github.com/buildmedic/buildmedic/internal/story"
)

// TestChain holds the first story, a denial that is healed in one round, to the longest chain of
// calls that must wait for each other, of AWS and of the ledger, in all of its invocations.
func TestChain(t *testing.T) {
	var ledger *story.Metered
	st, err := story.Open(demo(t)[0], story.Options{Store: func(c heal.Clock) heal.Store {
		ledger = story.NewMetered(memory.NewMemory(c))
		return ledger
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	ledger.Latency, ledger.Keep = ledgerTime, true
	skip := len(st.Sim.Calls())
	st.Sim.SetTrouble(simaws.Trouble{Latency: latency})
	synctest.Test(t, func(t *testing.T) {
		st.Inbox = instance(t, st)
		ctx := context.Background()
		for {
			m, ok := st.Sim.NextMessage(ctx)
			if !ok {
				break
			}
			if again, err := st.Deliver(ctx, m); again || err != nil {
				t.Fatal(again, err)
			}
			m.Ack()
		}
	})
	var calls, requests []span
	for _, c := range st.Sim.Calls()[skip:] {
		calls = append(calls, span{c.Began, c.Ended})
	}
	for _, c := range ledger.Calls() {
		requests = append(requests, span{c.Began, c.Ended})
	}
	for what, row := range map[string]struct {
		of   []span
		want int
	}{"AWS": {calls, 10}, "ledger": {requests, 14}} {
		if got := chain(row.of); got != row.want {
			t.Errorf("%s: %d calls, and the longest chain has %d, not %d", what, len(row.of), got, row.want)
		}
	}
}

// TestThrottledWrite ensures that a write which AWS throttles is made a few seconds later in the
// same invocation, under the same lease, unless somebody has stopped writing by then.
func TestThrottledWrite(t *testing.T) {
	for _, row := range []struct {
		name   string
		times  int
		paused bool
		want   string // what was written and sent
	}{
		{"once", 1, false, "PutRolePolicy PutRolePolicy RetryBuild Publish Publish"},
		{"more often than is waited for", 4, false,
			"PutRolePolicy PutRolePolicy PutRolePolicy PutRolePolicy SendMessage PutRolePolicy RetryBuild Publish Publish"},
		{"and a pause in between", 1, true, "PutRolePolicy SendMessage SendMessage Publish"},
	} {
		t.Run(row.name, func(t *testing.T) {
			st, err := story.Open(demo(t)[0], story.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer st.Close()
			n := 0
			st.Sim.Hook(func(c simaws.Call) simaws.Fault {
				if c.Operation != "PutRolePolicy" || c.Done || n == row.times {
					return simaws.Fault{}
				}
				if n++; row.paused {
					if _, err := st.Store.Put(t.Context(), heal.Item{Kind: "flag", ID: "paused", Data: []byte("A freeze.")}); err != nil {
						t.Error(err)
					}
				}
				return simaws.Fault{Throttle: true}
			})
			if err := st.Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			var did []string
			for _, c := range st.Sim.Calls() {
				if c.Writes {
					did = append(did, c.Operation)
				}
			}
			if got := strings.Join(did, " "); got != row.want {
				t.Errorf("it did %s", got)
			}
		})
	}
}

// forgetful is a ledger that once does not record to which case a build belongs.
type forgetful struct {
	heal.Store
	mu sync.Mutex
	n  int // which of these records fails, from 1
}

func (f *forgetful) Put(ctx context.Context, it heal.Item) (heal.Item, error) {
	f.mu.Lock()
	if it.Kind == "build" {
		f.n--
	}
	fails := it.Kind == "build" && f.n == 0
	f.mu.Unlock()
	if fails {
		return heal.Item{}, heal.ErrLater
	}
	return f.Store.Put(ctx, it)
}

// TestHalfRecorded ensures that of a case and what assigns a build to it, which are recorded at the
// same time, either is enough: what is missing is recorded later, and nothing is done twice.
func TestHalfRecorded(t *testing.T) {
	for which, name := range []string{"", "the build that failed", "the build that was started"} {
		if name == "" {
			continue
		}
		st, err := story.Open(demo(t)[0], story.Options{Store: func(c heal.Clock) heal.Store {
			return &forgetful{Store: memory.NewMemory(c), n: which}
		}})
		if err != nil {
			t.Fatal(err)
		}
		defer st.Close()
		if err := st.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		res, err := st.Result(t.Context())
		if err != nil || res.Outcome != decide.Healed || len(st.Builds()) != 2 || len(st.Sim.Notices()) != 2 {
			t.Errorf("%s: %s with %d builds and %d notices, %v", name, res.Outcome, len(st.Builds()), len(st.Sim.Notices()), err)
		}
		for _, b := range st.Builds() {
			if it, err := st.Store.Get(t.Context(), "build", b.ID); err != nil || string(it.Data) != res.Case {
				t.Errorf("%s: build %d belongs to %q, %v", name, b.Number, it.Data, err)
			}
		}
	}
}

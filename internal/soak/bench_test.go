package soak

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/heal"
	memory "github.com/buildmedic/buildmedic/internal/ledger"
	"github.com/buildmedic/buildmedic/internal/simaws"
	"github.com/buildmedic/buildmedic/internal/story"
)

// latency is what each call of AWS takes in the measurement, and ledgerTime each request of the
// ledger.
const (
	latency    = 25 * time.Millisecond
	ledgerTime = 5 * time.Millisecond
)

// BenchmarkStories prints, for each story, how many AWS calls it takes and
// the longest chain of calls that must wait for each other, both from the
// calls' real times with 25 ms each; the same of the requests of the ledger,
// with 5 ms each, and their write units; and the time that both chains
// would take one after the other, and that the function took. Calls of one
// chain do not overlap, so the chain is the most calls that can be put end to
// end. TestChain counts those of story 1 without the noise of real time.
//
// The least possible chain is counted by hand from what each call needs to
// know, see least.
func BenchmarkStories(b *testing.B) {
	ss := stories(b)
	for b.Loop() {
		fmt.Printf("%-32s %6s %6s %6s %8s %6s %6s %10s %10s %6s\n", "story", "calls", "chain", "least", "ledger", "chain", "units",
			"chains", "took", "ratio")
		for _, s := range ss {
			s.Then = nil
			m := measure(b, s)
			bound := time.Duration(m.chain)*latency + time.Duration(m.ledgerChain)*ledgerTime
			fmt.Printf("%-32s %6d %6d %6d %8d %6d %6d %10s %10s %6.2f\n", s.Name, m.calls, m.chain, m.least,
				m.ledger.Requests, m.ledgerChain, m.ledger.WriteUnits, bound, m.took.Round(time.Millisecond),
				float64(m.took)/float64(bound))
		}
	}
}

type measured struct {
	calls, chain, least int
	ledger              story.Meter
	ledgerChain         int
	took                time.Duration
}

func measure(b *testing.B, s story.Story) measured {
	var ledger *story.Metered
	st, err := story.Open(s, story.Options{Store: func(c heal.Clock) heal.Store {
		ledger = story.NewMetered(memory.NewMemory(c))
		return ledger
	}})
	if err != nil {
		b.Fatal(err)
	}
	defer st.Close()
	ledger.Latency, ledger.Keep = ledgerTime, true
	skip := len(st.Sim.Calls())
	st.Sim.SetTrouble(simaws.Trouble{Latency: latency})
	var m measured
	ctx := context.Background()
	for {
		msg, ok := st.Sim.NextMessage(ctx)
		if !ok {
			break
		}
		from := time.Now()
		if again, err := st.Deliver(ctx, msg); again || err != nil {
			b.Fatal(s.Name, err)
		}
		m.took += time.Since(from)
		msg.Ack()
	}
	calls := st.Sim.Calls()[skip:]
	var aws, requests []span
	for _, c := range calls {
		aws = append(aws, span{c.Began, c.Ended})
	}
	for _, c := range ledger.Calls() {
		for i := range c.InTurn {
			each := c.Ended.Sub(c.Began) / time.Duration(c.InTurn)
			requests = append(requests, span{c.Began.Add(time.Duration(i) * each), c.Began.Add(time.Duration(i+1) * each)})
		}
	}
	m.calls, m.chain, m.least = len(calls), chain(aws), least(calls)
	m.ledger, m.ledgerChain = ledger.Meter(), chain(requests)
	return m
}

// span is when a call ran.
type span struct{ began, ended time.Time }

// chain is the most calls of which each began after the one before had ended.
func chain(calls []span) int {
	slices.SortFunc(calls, func(a, b span) int { return a.ended.Compare(b.ended) })
	n := 0
	var end time.Time
	for _, c := range calls {
		if !c.began.Before(end) {
			n, end = n+1, c.ended
		}
	}
	return n
}

// least is the shortest chain that does what the story does, of calls that
// cannot be asked at the same time since one needs what the other answers:
// per ended build 1 (its event says where the log is, so that record and log
// are read together), and 1 for a log that is read again; per judged denial 2
// (list the policies while the simulator says what is denied, then read them
// while it proves the result); per write 1 and 1 to read it back, and for a
// policy 1 to look right before it; per start 1; per notice 1; per wait 1.
func least(calls []simaws.Call) int {
	n := 0
	logged, judged := false, false
	for _, c := range calls {
		switch c.Operation {
		case "BatchGetBuilds":
			n++
			logged, judged = false, false
		case "GetLogEvents", "GetObject":
			if logged {
				n++
			}
			logged = true
		case "GetRole":
			if !judged {
				n += 2
			}
			judged = true
		case "PutRolePolicy", "CreatePolicyVersion":
			n += 3
		case "RetryBuild", "StartBuild", "RetryBuildBatch", "RetryStageExecution", "Publish", "SendMessage",
			"CreateRepository", "UpdateProject", "AttachRolePolicy", "DeleteRolePolicy", "SetDefaultPolicyVersion":
			n++
		}
	}
	return n
}

package soak

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/simaws"
	"github.com/buildmedic/buildmedic/internal/story"
)

// latency is what each call takes in the measurement.
const latency = 25 * time.Millisecond

// BenchmarkStories prints, for each story, how many AWS calls it takes and
// the longest chain of calls that must wait for each other, both from the
// calls' real times with 25 ms each; and the time that the chain's bound
// (chain × 25 ms) and the function took. Calls of one chain do not overlap,
// so the chain is the most calls that can be put end to end.
//
// The least possible chain is counted by hand from what each call needs to
// know, see least.
func BenchmarkStories(b *testing.B) {
	ss := stories(b)
	for b.Loop() {
		fmt.Printf("%-26s %6s %6s %6s %10s %10s %6s\n", "story", "calls", "chain", "least", "bound", "took", "ratio")
		for _, s := range ss {
			s.Then = nil
			m := measure(b, s)
			fmt.Printf("%-26s %6d %6d %6d %10s %10s %6.2f\n", s.Name, m.calls, m.chain, m.least,
				(time.Duration(m.chain) * latency).Round(time.Millisecond),
				m.took.Round(time.Millisecond), float64(m.took)/float64(time.Duration(m.chain)*latency))
		}
	}
}

type measured struct {
	calls, chain, least int
	took                time.Duration
}

func measure(b *testing.B, s story.Story) measured {
	st, err := story.Open(s, story.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer st.Close()
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
	m.calls, m.chain, m.least = len(calls), chain(calls), least(calls)
	return m
}

// chain is the most calls of which each began after the one before had ended.
func chain(calls []simaws.Call) int {
	calls = slices.Clone(calls)
	slices.SortFunc(calls, func(a, b simaws.Call) int { return a.Ended.Compare(b.Ended) })
	n := 0
	var end time.Time
	for _, c := range calls {
		if !c.Began.Before(end) {
			n, end = n+1, c.Ended
		}
	}
	return n
}

// least is the shortest chain that does what the story does, of calls that
// cannot be asked at the same time since one needs what the other answers:
// per ended build 1 (the record names log and role); per judged denial 3
// (list the policies, read them, simulate the result: the log is read
// meanwhile); per other explained failure 1 (the log); per write 1 and 1 to
// read it back, and for a policy 1 to look right before it; per start 1; per
// notice 1; per wait 1.
func least(calls []simaws.Call) int {
	n := 0
	judged := false
	for _, c := range calls {
		switch c.Operation {
		case "BatchGetBuilds":
			n++
			judged = false
		case "GetLogEvents", "GetObject":
			n++
		case "GetRole":
			if !judged {
				n += 2 // the log's read counts as the third's time
			}
			judged = true
		case "PutRolePolicy":
			n += 3
		case "CreatePolicyVersion":
			n += 3
		case "RetryBuild", "StartBuild", "RetryBuildBatch", "RetryStageExecution", "Publish", "SendMessage",
			"CreateRepository", "UpdateProject", "AttachRolePolicy", "DeleteRolePolicy", "SetDefaultPolicyVersion":
			n++
		}
	}
	return n
}

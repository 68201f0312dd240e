package heal_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/simaws"
)

// starting are the calls that have something run again.
var starting = map[string]bool{"RetryStageExecution": true, "RetryBuildBatch": true, "RetryBuild": true, "StartBuild": true,
	"RerunJob": true}

// startsAgain counts them. One of CodeBuild's whose answer was lost comes again, with the same token.
func (s *stage) startsAgain() (n int) {
	for _, c := range s.Sim.Calls() {
		if starting[c.Operation] && c.Took && (c.Error == "" || c.Error == "cut" && c.Service != "codebuild") {
			n++
		}
	}
	return n
}

// TestNeverTwiceOnEachRoad: answers are lost, messages are delivered twice at the same time.
// No road starts more than it does undisturbed.
func TestNeverTwiceOnEachRoad(t *testing.T) {
	for _, name := range []string{"start-refused-queue-full", "event-lost-backed-up", "commands-action", "batch-child-of-pipeline",
		"batch-dies-before-a-child", "batch-fault-stops-children", "batch-retried-keeps-its-id", "runner-job-run-again"} {
		want := -1
		for _, trouble := range []string{"none", "answers lost", "at the same time", "events twice", "sweeps beside"} {
			if trouble == "at the same time" && name == "runner-job-run-again" {
				continue // what waits for GitHub comes back as a message, which this would double each time
			}
			t.Run(name+"/"+trouble, func(t *testing.T) {
				s := routed(t, name, nil)
				switch trouble {
				case "answers lost":
					cut := map[string]int{}
					s.Sim.Hook(func(c simaws.Call) simaws.Fault {
						if c.Done && c.Writes && c.Key == simaws.FunctionKey && c.Error == "" && starting[c.Operation] {
							cut[c.Operation]++
							return simaws.Fault{Cut: cut[c.Operation] == 1}
						}
						return simaws.Fault{}
					})
				case "events twice":
					s.Sim.SetTrouble(simaws.Trouble{DuplicateEvents: 1})
				}
				ctx := t.Context()
				other, err := s.Instance(s.Config(simaws.FunctionKey), &s.Journal)
				if err != nil {
					t.Fatal(err)
				}
				for i := range 160 {
					for range 10 {
						m, ok := s.Sim.Receive()
						if !ok {
							s.Sim.Clock.Advance(9 * time.Second)
							continue
						}
						var wg sync.WaitGroup
						if trouble == "at the same time" {
							wg.Go(func() {
								const records = `{"Records":[{"messageId":"twice","body":%q,"eventSourceARN":%q}]}`
								_, _ = other.Invoke(ctx, fmt.Appendf(nil, records, m.Body, m.EventSourceARN))
							})
						}
						if trouble == "sweeps beside" {
							wg.Go(func() { _, _ = other.Invoke(ctx, []byte(`{"sweep":{}}`)) })
						}
						if again, err := s.Deliver(ctx, m); again || err != nil {
							m.Nack()
						} else {
							m.Ack()
						}
						wg.Wait()
					}
					if i%10 == 9 {
						_, _ = s.Inbox.Invoke(ctx, []byte(`{"sweep":{}}`))
					}
				}
				n := s.startsAgain()
				if want < 0 {
					want = n
				}
				if open := s.due("case"); n != want || len(open) > 0 {
					t.Errorf("%d starts, undisturbed %d, %q, open %v", n, want, s.subjects(), open)
				}
			})
		}
	}
}

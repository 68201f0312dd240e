package soak

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/buildmedic/buildmedic/internal/simaws"
)

// TestCrashInPipelines lets the function die at every call and at every write to the ledger of routes in
// which an action of a pipeline fails: without a build, with one whose own event is lost, with one whose both
// events come. No stage is retried twice, and of a failure there is one case.
func TestCrashInPipelines(t *testing.T) {
	var total tally
	t.Run("routes", func(t *testing.T) {
		for _, name := range []string{"start-refused-queue-full", "commands-action", "event-lost-backed-up", "both-events-one-case"} {
			s := route(t, name)
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				crashStory(t, s, &total)
			})
		}
	})
	t.Logf("%d deaths at %d places at calls and %d at writes to the ledger; %d more with the message lost",
		total.calls+total.writes, total.calls, total.writes, total.lost)
}

// TestBothEvents delivers what CodeBuild and CodePipeline tell of one failure in either order, at the same time, and
// each several times: there is one case, one grant and one retry.
func TestBothEvents(t *testing.T) {
	for name, order := range map[string][]int{"the build first": {0, 1}, "the action first": {1, 0}, "twice each": {1, 0, 1, 0, 0, 1},
		"at the same time": nil} {
		for _, of := range []string{"both-events-one-case", "commands-action"} {
			t.Run(of+", "+name, func(t *testing.T) {
				ctx := context.Background()
				r, err := open(route(t, of), point{}, false)
				if err != nil {
					t.Fatal(err)
				}
				defer r.close()
				r.st.Sim.Settle()
				events := r.st.Sim.Queued(simaws.Queue)
				slices.SortFunc(events, func(a, b string) int { // the build's own first
					return strings.Index(a, "aws.codepipeline") - strings.Index(b, "aws.codepipeline")
				})
				send := func(i int) {
					body, _ := json.Marshal(map[string]any{"Records": []any{map[string]any{"messageId": "m", "body": events[i%len(events)],
						"eventSourceARN": "arn:aws:sqs:us-east-1:111122223333:buildmedic"}}}) // plain texts
					_, _ = r.st.Inbox.Invoke(ctx, body) // what comes back later is delivered by the queue, too
				}
				for _, i := range order {
					send(i)
				}
				if order == nil {
					var wg sync.WaitGroup
					for i := range 8 {
						wg.Go(func() { send(i) })
					}
					wg.Wait()
				}
				if err := r.play(ctx); err != nil {
					t.Fatal(err)
				}
				all, err := r.st.Inbox.Healer.History(ctx, "", 10)
				if err != nil {
					t.Fatal(err)
				}
				retries := 0
				for _, c := range r.st.Sim.Calls() {
					if c.Operation == "RetryStageExecution" && c.Took {
						retries++
					}
				}
				if len(all) != 1 || all[0].Outcome != "healed" || retries != 1 {
					t.Errorf("%d cases, %d retries of the stage: %+v", len(all), retries, all)
				}
				if _, again := sent(r.st.Sim); len(again) > 0 || len(r.st.Sim.Notices()) != 2 {
					t.Errorf("%d notices, sent twice: %v", len(r.st.Sim.Notices()), again)
				}
			})
		}
	}
}

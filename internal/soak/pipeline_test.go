package soak

import "testing"

// TestCrashInPipelines lets the function die at every call and at every write to the ledger of routes in
// which an action of a pipeline fails: without a build, with one whose own event is lost, with one whose both
// events come. No stage is retried twice, and of a failure there is one case.
func TestCrashInPipelines(t *testing.T) {
	var total tally
	t.Run("routes", func(t *testing.T) {
		for _, name := range []string{"start-refused-queue-full", "commands-action", "event-lost-backed-up",
			"both-events-one-case"} {
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

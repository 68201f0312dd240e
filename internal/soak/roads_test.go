package soak

import "testing"

// TestCrashOnEachRoad does the same as [TestCrashEverywhere] with routes on which something else than a build
// is started again: a pipeline's stage, a batch, a job of GitHub's. It does not lose messages: that an action
// failed only its event tells, which comes until it is handled.
func TestCrashOnEachRoad(t *testing.T) {
	every := 13 // a prime number comes to each kind of place
	if *long {
		every = 1
	}
	var total tally
	t.Run("routes", func(t *testing.T) {
		for _, name := range []string{"start-refused-queue-full", "start-refused-newer-execution", "event-lost-backed-up",
			"commands-action", "batch-child-of-pipeline",
			"batch-dies-before-a-child", "batch-fault-stops-children", "batch-retried-keeps-its-id",
			"runner-job-run-again", "runner-run-again-in-vain", "runner-rerun-already", "runner-orphan"} {
			s := route(t, name)
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				want, l := undisturbed(t, s)
				for n := 1; n <= l.calls; n++ {
					if n%every == 0 || l.effects[n] {
						crash(t, s, point{n: n}, false, want, &total)
						crash(t, s, point{n: n, after: true}, false, want, &total)
					}
				}
				for n := 1; n <= l.writes; n += every {
					crash(t, s, point{ledger: true, n: n}, false, want, &total)
					crash(t, s, point{ledger: true, n: n, after: true}, false, want, &total)
				}
			})
		}
	})
	t.Logf("%d deaths at %d places at calls and %d at writes to the ledger", total.calls+total.writes, total.calls, total.writes)
}

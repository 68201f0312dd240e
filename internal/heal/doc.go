// Package heal is the use case: it handles the end of a failed build, decides
// what to do about it, and does that exactly once.
//
// The [Healer] gathers facts through the ports in ports.go, has package decide
// judge them, and carries the decision out. It records each step before it takes
// it, so that a case resumes where an invocation died. The words that it uses for
// that are listed in package decide.
//
// Where things are: healer.go begins with an event; handle.go finds the case of a build; run.go
// takes a case from step to step; apply.go changes AWS and undoes it; request.go asks in the code
// that owns a policy, and deployed.go and permanent.go look what came of it; jobs.go has GitHub run
// the job of a runner's build again, and orphans.go finds jobs that wait for a runner in vain;
// incident.go lets cases wait for the cure of another one, putoff.go has that one wait for its turn
// while many builds fail at once, release.go starts them once that one's build is green, and beyond.go
// while it still runs; everywhere.go takes failures of one cause in many projects for one incident,
// and keep.go looks after it; pipeline.go takes up what a pipeline tells of its actions, and looks who
// may have started it; record.go stores cases, locks and leases; command.go does what people ask for;
// sweep.go finds what no event told.
package heal

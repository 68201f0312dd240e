package codebuild

import "testing"

func TestBatchOutcome(t *testing.T) {
	run := func(build, status string) BuildGroup { return BuildGroup{Build: build, Status: status} }
	ignored := BuildGroup{Build: "p:i", Status: Failed, IgnoreFailure: true}
	for _, row := range []struct {
		name         string
		batch        Batch
		build, ended string
		want         string
	}{
		{"one green, one runs",
			Batch{Status: InProgress, Groups: []BuildGroup{run("p:a", Succeeded), run("p:b", InProgress)}}, "p:a",
			Succeeded, InProgress},
		{"all green, the batch not yet",
			Batch{Status: InProgress, Groups: []BuildGroup{run("p:a", Succeeded), run("p:b", Succeeded)}}, "p:a",
			Succeeded, Succeeded},
		{"the last one's end is not shown yet",
			Batch{Status: InProgress, Groups: []BuildGroup{run("p:a", InProgress), run("p:b", Succeeded)}}, "p:a",
			Succeeded, Succeeded},
		{"one failed, one runs",
			Batch{Status: InProgress, Groups: []BuildGroup{run("p:a", Failed), run("p:b", InProgress)}}, "p:c",
			Succeeded, Failed},
		{"one timed out", Batch{Status: Failed, Groups: []BuildGroup{run("p:a", TimedOut), run("p:b", Succeeded)}},
			"p:b", Succeeded, Failed},
		{"one stopped", Batch{Status: Stopped, Groups: []BuildGroup{run("p:a", Stopped), run("p:b", Succeeded)}}, "p:b",
			Succeeded, Stopped},
		{"stopped since another failed",
			Batch{Status: Failed, Groups: []BuildGroup{run("p:a", Stopped), run("p:b", Failed)}}, "p:a",
			Stopped, Failed},
		{"one stopped, one runs",
			Batch{Status: InProgress, Groups: []BuildGroup{run("p:a", InProgress), run("p:b", InProgress)}}, "p:a",
			Stopped, InProgress},
		{"one that may fail has", Batch{Status: Succeeded, Groups: []BuildGroup{ignored, run("p:b", Succeeded)}}, "p:b",
			Succeeded, Succeeded},
		{"one has not begun", Batch{Status: InProgress, Groups: []BuildGroup{run("p:a", Succeeded), run("", "")}},
			"p:a", Succeeded, InProgress},
		{"one never began, and the batch is green",
			Batch{Status: Succeeded, Groups: []BuildGroup{ignored, run("p:a", Succeeded), run("", "")}}, "p:a",
			Succeeded, Succeeded},
		{"one never began, since the batch was stopped",
			Batch{Status: Stopped, Groups: []BuildGroup{run("p:a", Succeeded), run("", "")}}, "p:a",
			Succeeded, Stopped},
		{"one never began, since the batch's time was over",
			Batch{Status: TimedOut, Groups: []BuildGroup{run("p:a", Succeeded), run("", "")}}, "p:a",
			Succeeded, Failed},
		{"a status that nobody knows", Batch{Status: Failed, Groups: []BuildGroup{run("p:a", "CLIENT_ERROR")}}, "p:b", Succeeded, Failed},
	} {
		if got := row.batch.Outcome(row.build, row.ended); got != row.want {
			t.Errorf("%s: %s, want %s", row.name, got, row.want)
		}
	}
}

func TestBatchRerun(t *testing.T) {
	b := Batch{Status: InProgress, Groups: []BuildGroup{
		{Identifier: "linux", Build: "p:a3", Prior: []string{"p:a2", "p:a1"}},
		{Identifier: "windows", Build: "p:b1"},
		{Identifier: "later"},
	}}
	for build, want := range map[string]string{"p:a1": "linux", "p:a2": "linux", "p:a3": "", "p:b1": "", "p:x": "", "": ""} {
		if g, ok := b.Rerun(build); g.Identifier != want || ok != (want != "") {
			t.Errorf("%q was a run of %q, %v; want %q", build, g.Identifier, ok, want)
		}
	}
	for build, want := range map[string]bool{"p:a1": false, "p:a3": true, "p:b1": true, "": false} {
		if got := b.Has(build); got != want {
			t.Errorf("%q runs: %v", build, got)
		}
	}
}

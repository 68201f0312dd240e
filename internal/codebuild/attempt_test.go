package codebuild

import (
	"slices"
	"testing"
	"time"
)

func TestBatchID(t *testing.T) {
	for id, want := range map[string]struct {
		id string
		n  int
	}{
		"build-batch/shop:1":                {"shop:1", 1},
		"build-batch/shop:1@2":              {"shop:1", 2},
		"build-batch/shop:1@12":             {"shop:1", 12},
		"build-batch/shop:1@1":              {},
		"build-batch/shop:1@02":             {},
		"build-batch/shop:1@x":              {},
		"build-batch/shop:1@-3":             {},
		"build-batch/shop:1@":               {},
		"build-batch/shop:1@99999999999999": {"shop:1", 99999999999999},
		"build-batch/shop":                  {},
		"build-batch/:1":                    {},
		"build-batch/a/b:1":                 {},
		"build-batch/":                      {},
		"shop:1":                            {},
		"":                                  {},
	} {
		got, n, ok := ParseBatchID(id)
		if got != want.id || n != want.n || ok != (want.n > 0) {
			t.Errorf("%q: %q, attempt %d, %v", id, got, n, ok)
		}
		if ok && BatchID(got, n) != id {
			t.Errorf("%q comes back as %q", id, BatchID(got, n))
		}
		arn := "arn:aws:codebuild:eu-west-1:111122223333:" + id
		if at, build, is := ParseBuildARN(arn); ok && (!is || build != id || at.Account != "111122223333") {
			t.Errorf("%q: %q, %v", arn, build, is)
		}
	}
}

// FuzzBatchID: whatever is read is written as it was.
func FuzzBatchID(f *testing.F) {
	f.Add("build-batch/shop:1@2")
	f.Fuzz(func(t *testing.T, s string) {
		if id, n, ok := ParseBatchID(s); ok && BatchID(id, n) != s {
			t.Errorf("%q comes back as %q", s, BatchID(id, n))
		}
	})
}

// TestAttempts reads the phases of a batch as AWS's own example has them after a retry, and the failures
// of a batch itself.
func TestAttempts(t *testing.T) {
	at := func(minute int) time.Time { return time.Date(2026, 11, 22, 10, minute, 0, 0, time.UTC) }
	phase := func(kind, status string, from, to int) Phase {
		return Phase{Type: kind, Status: status, Start: at(from), End: at(to)}
	}
	const arn = "arn:aws:codebuild:eu-west-1:111122223333:build-batch/shop:1"
	twice := []Phase{phase("SUBMITTED", Succeeded, 0, 0), phase("DOWNLOAD_BATCHSPEC", Succeeded, 0, 1),
		phase("IN_PROGRESS", "CLIENT_ERROR", 1, 5), phase("FAILED", "RETRY", 5, 5), phase("SUBMITTED", Succeeded, 9, 9)}
	child := BuildGroup{Build: "shop:a", Status: Failed, Requested: at(1)}
	stopped := BuildGroup{Build: "shop:b", Status: Stopped, Requested: at(1)}
	said := phase("IN_PROGRESS", Failed, 1, 5)
	said.Contexts = []Context{{"CLIENT_ERROR", "the role may not start builds"}}
	for _, row := range []struct {
		name     string
		batch    Batch
		attempts int
		own      string // its ID, "" for none
	}{
		{"it runs again", Batch{ARN: arn, Status: InProgress, Start: at(0), Phases: twice, Groups: []BuildGroup{child}}, 2, ""},
		{"a build of it failed", Batch{ARN: arn, Status: Failed, Phases: twice[:4], Groups: []BuildGroup{child}}, 1, ""},
		{"a build of it failed in the attempt before", Batch{ARN: arn, Status: Failed, Phases: twice, Groups: []BuildGroup{child}},
			2, "build-batch/shop:1@2"},
		{"when the build was asked for is not known", Batch{ARN: arn, Status: Failed, Phases: twice,
			Groups: []BuildGroup{{Build: "shop:a", Status: Failed}}}, 2, ""},
		{"a status that nobody knows", Batch{ARN: arn, Status: "CLIENT_ERROR", End: at(2), Phases: twice[:2]}, 1, "build-batch/shop:1"},
		{"a status that nobody knows, and no end", Batch{ARN: arn, Status: "QUEUED", Phases: twice[:2]}, 1, ""},
		{"before its first build", Batch{ARN: arn, Status: Failed, Phases: twice[:2]}, 1, "build-batch/shop:1"},
		{"without phases", Batch{ARN: arn, Status: Fault, Start: at(0)}, 1, "build-batch/shop:1"},
		{"only a build failed that it does not need", Batch{ARN: arn, Status: Failed, Phases: twice[:4],
			Groups: []BuildGroup{{Build: "shop:a", Status: Failed, IgnoreFailure: true}}}, 1, "build-batch/shop:1"},
		{"a fault stopped its builds", Batch{ARN: arn, Status: Fault, Phases: twice[:4], Groups: []BuildGroup{stopped}},
			1, "build-batch/shop:1"},
		{"its time was over", Batch{ARN: arn, Status: TimedOut, Phases: twice[:4], Groups: []BuildGroup{stopped}}, 1, "build-batch/shop:1"},
		{"somebody may have stopped a build", Batch{ARN: arn, Status: Failed, Phases: twice[:4], Groups: []BuildGroup{stopped}}, 1, ""},
		{"CodeBuild says why it stopped a build", Batch{ARN: arn, Status: Failed, Phases: []Phase{said}, Groups: []BuildGroup{stopped}},
			1, "build-batch/shop:1"},
		{"somebody stopped it", Batch{ARN: arn, Status: Stopped, Phases: twice[:2]}, 1, ""},
		{"it is green", Batch{ARN: arn, Status: Succeeded, Phases: twice[:2]}, 1, ""},
	} {
		if n := len(row.batch.Attempts()); n != row.attempts {
			t.Errorf("%s: %d attempts, want %d", row.name, n, row.attempts)
		}
		own, ok := row.batch.Own()
		if own.ID != row.own || ok != (row.own != "") || ok && (!own.HasFailed() && !own.End.IsZero() || !own.OfBatch()) {
			t.Errorf("%s: it is the failure %q (%s), want %q", row.name, own.ID, own.Status, row.own)
		}
	}
	b := Batch{ARN: arn, Status: Failed, Phases: twice, Groups: []BuildGroup{child}, Role: "arn:aws:iam::111122223333:role/batch"}
	first, _ := b.AsBuild(1)
	second, _ := b.AsBuild(2)
	if _, ok := b.AsBuild(3); ok || first.Status != Failed || !first.End.Equal(at(5)) || !second.Start.Equal(at(9)) {
		t.Errorf("the attempts: %+v, %+v", first, second)
	}
	if p, _ := first.FailedPhase(); p.Type != "IN_PROGRESS" || len(first.Phases) != 3 {
		t.Errorf("the first failed in %s, of %d phases", p.Type, len(first.Phases))
	}
	if r, _ := first.Role(); r.Name != "batch" || first.BatchARN != arn || second.ARN != arn+"@2" || first.Root == nil {
		t.Errorf("%+v", first)
	}
	for name, was := range map[string]Build{"a run of it": {ID: "shop:a", End: at(5)}, "a stand-in": first} {
		if a, ok := b.After(was); !ok || a.Number != 2 {
			t.Errorf("after %s: attempt %d, %v", name, a.Number, ok)
		}
	}
	if a, ok := b.After(second); ok {
		t.Errorf("after the second: %+v", a)
	}
	if runs := LastRuns(twice); slices.ContainsFunc(runs, func(p Phase) bool { return p.Start.Equal(at(0)) && p.Type == "SUBMITTED" }) {
		t.Errorf("the first run of a phase counts: %+v", runs)
	}
}

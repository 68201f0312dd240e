package codebuild

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// A batch may fail although none of its builds did: its buildspec cannot be read, its role may not
// start builds, CodeBuild has a fault. No event tells of that. Such a failure is handled as that of a
// build which stands for the batch: [Batch.Own]. Its ID begins with [BatchPrefix], and, as its ARN, ends
// with @N from the batch's second attempt on, since a batch that is retried keeps its id
// (AWS.md#retry-of-a-batch).

// BatchPrefix begins the ID of a build that stands for a batch.
const BatchPrefix = "build-batch/"

// OfBatch reports whether the build stands for a batch that failed by itself.
func (b Build) OfBatch() bool { return strings.HasPrefix(b.ID, BatchPrefix) }

// Attempt is which attempt of its batch the build stands for, from 1 on; 0 if it stands for none.
func (b Build) Attempt() int {
	_, n, ok := ParseBatchID(b.ID)
	if !ok {
		return 0
	}
	return n
}

// BatchID is the ID of the build that stands for attempt n of the batch id, PROJECT:UUID.
func BatchID(id string, n int) string {
	if n <= 1 {
		return BatchPrefix + id
	}
	return BatchPrefix + id + "@" + strconv.Itoa(n)
}

// ParseBatchID reads the ID of a build that stands for a batch: the batch's own, PROJECT:UUID, and which
// attempt. ok is false for any other text.
func ParseBatchID(s string) (id string, n int, ok bool) {
	id, ok = strings.CutPrefix(s, BatchPrefix)
	if !ok {
		return "", 0, false
	}
	id, attempt, later := strings.Cut(id, "@")
	n = 1
	if later {
		var err error
		if n, err = strconv.Atoi(attempt); err != nil || n < 2 || strconv.Itoa(n) != attempt {
			return "", 0, false
		}
	}
	project, uuid, ok := strings.Cut(id, ":")
	if !ok || project == "" || uuid == "" || strings.ContainsAny(id, "/ ") {
		return "", 0, false
	}
	return id, n, true
}

// Attempt is one run of a batch: the first, or one that a retry began.
type Attempt struct {
	Number     int // from 1 on
	Start, End time.Time
	// Status is how it ended, [InProgress] if it has not.
	Status string
	Phases []Phase
}

// Attempts are the runs of the batch, oldest first. The phases of a batch go on when it is retried,
// and each run begins with SUBMITTED (AWS.md#retry-of-a-batch).
func (b Batch) Attempts() (list []Attempt) {
	for i, p := range b.Phases {
		if i == 0 || p.Type == "SUBMITTED" {
			list = append(list, Attempt{Number: len(list) + 1, Start: p.Start})
		}
		a := &list[len(list)-1]
		a.Phases = append(a.Phases, p)
		for _, t := range []time.Time{p.Start, p.End} {
			if t.After(a.End) {
				a.End = t
			}
		}
	}
	if len(list) == 0 {
		list = []Attempt{{Number: 1, Start: b.Start}}
	}
	for i := range list {
		list[i].Status = Failed // only a batch that failed can be retried
	}
	last := &list[len(list)-1]
	last.Status = b.Status
	if !b.End.IsZero() && b.End.After(last.Start) {
		last.End = b.End
	}
	if b.Runs() {
		last.End = time.Time{}
	}
	return list
}

// Runs reports whether the batch has not ended, as far as its record says.
func (b Batch) Runs() bool { return Build{Status: b.Status, End: b.End}.Runs() }

// HasFailed reports whether the batch has ended, and neither well nor since somebody stopped it. There
// are more statuses than are listed (AWS.md#statuses).
func (b Batch) HasFailed() bool { return !b.Runs() && b.Status != Succeeded && b.Status != Stopped }

// Last is the batch's last attempt.
func (b Batch) Last() Attempt {
	list := b.Attempts()
	return list[len(list)-1]
}

// Own is the batch's failure in its last attempt, as a build, if no build of it failed then that it
// needs: each of those has a failure of its own.
func (b Batch) Own() (Build, bool) {
	if !b.HasFailed() {
		return Build{}, false
	}
	last := b.Last()
	ended := func(as func(status string) bool) bool {
		return slices.ContainsFunc(b.Groups, func(g BuildGroup) bool {
			return !g.IgnoreFailure && g.Build != "" && as(g.Status) && b.ranIn(g, last)
		})
	}
	if ended(failed) {
		return Build{}, false
	}
	// Whether a batch is FAILED of which somebody stopped a build is not documented (AWS.md#undocumented):
	// it may be, unless CodeBuild says of the batch what went wrong.
	if b.Status == Failed && ended(func(s string) bool { return s == Stopped }) && !explained(last) {
		return Build{}, false
	}
	return b.stands(last), true
}

// explained reports whether CodeBuild says in words why the attempt failed.
func explained(a Attempt) bool {
	return slices.ContainsFunc(a.Phases, func(p Phase) bool {
		return p.Failed() && slices.ContainsFunc(p.Contexts, func(c Context) bool { return strings.TrimSpace(c.Message) != "" })
	})
}

// failed reports whether a build of that status ended, and neither well nor since it was stopped.
func failed(status string) bool {
	return status != "" && status != InProgress && status != Succeeded && status != Stopped
}

// ranIn reports whether the group's present build is of the attempt. Where CodeBuild does not say when
// it was asked for, it may be.
func (b Batch) ranIn(g BuildGroup, a Attempt) bool {
	return a.Number == 1 || g.Requested.IsZero() || !g.Requested.Before(a.Start)
}

// Began reports whether a build of the batch was started in its last attempt.
func (b Batch) Began() bool {
	last := b.Last()
	return slices.ContainsFunc(b.Groups, func(g BuildGroup) bool { return g.Build != "" && b.ranIn(g, last) })
}

// AsBuild is the build that stands for attempt n.
func (b Batch) AsBuild(n int) (Build, bool) {
	list := b.Attempts()
	if n < 1 || n > len(list) {
		return Build{}, false
	}
	return b.stands(list[n-1]), true
}

func (b Batch) stands(a Attempt) Build {
	_, id, _ := strings.Cut(b.ARN, ":"+BatchPrefix)
	root := b.Asked(b.ARN)
	return Build{
		ID: BatchID(id, a.Number), ARN: strings.TrimSuffix(b.ARN, BatchPrefix+id) + BatchID(id, a.Number),
		Project: b.Project, Number: b.Number, Status: a.Status,
		ServiceRole: b.Role, Initiator: b.Initiator, SourceType: b.SourceType, Repository: b.Repository,
		SourceVersion: b.SourceVersion, ResolvedSourceVersion: b.ResolvedSourceVersion,
		SecondaryVersions: b.SecondaryVersions, Buildspec: b.Buildspec, BatchARN: b.ARN, Root: &root, Ran: b.Ran,
		Start: a.Start, End: a.End, Phases: ran(a.Phases),
	}
}

// ran leaves out the phase that only says how a batch ended, if another one says what failed.
func ran(ps []Phase) []Phase {
	n := len(ps) - 1
	if n < 0 || ps[n].Type != Failed && ps[n].Type != Stopped || !slices.ContainsFunc(ps[:n], Phase.Failed) {
		return ps
	}
	return ps[:n]
}

// After finds the first attempt that began after the build, a run or a stand-in of the batch, had
// ended: whoever retried the batch.
func (b Batch) After(build Build) (Attempt, bool) {
	for _, a := range b.Attempts()[1:] {
		if n := build.Attempt(); n > 0 && a.Number > n || n == 0 && !build.End.IsZero() && !a.Start.Before(build.End) {
			return a, true
		}
	}
	return Attempt{}, false
}

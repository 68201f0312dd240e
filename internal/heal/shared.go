package heal

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// freshFor is how long a record that was read with others stands for one that is read now. What
// changes in the record of a build that has ended is told later than that anyway.
const freshFor = time.Minute

// shared are builds of which some were read together. A record is given once: who asks again asks
// CodeBuild.
type shared struct {
	Builds
	clock Clock
	at    time.Time // when they were read

	mu   sync.Mutex
	read map[recordOf]codebuild.Build
}

// recordOf names a build.
type recordOf struct {
	at settings.Account
	id string
}

// Together gives the healer for events that were delivered together: the records of their builds
// are read with one call for up to [MaxRecords] of an account and region. What cannot be read
// together is read alone.
func (h *Healer) Together(ctx context.Context, es []Ended) *Healer {
	ids := map[settings.Account][]string{}
	for _, e := range es {
		if _, ok := h.Settings.Project(e.Project, e.At.ID, e.At.Region, h.Home); ok && !slices.Contains(ids[e.At], e.Build) {
			ids[e.At] = append(ids[e.At], e.Build)
		}
	}
	s := &shared{Builds: h.Builds, clock: h.Clock, at: h.Clock.Now(), read: map[recordOf]codebuild.Build{}}
	for at, some := range ids {
		for few := range slices.Chunk(some, MaxRecords) {
			if len(few) == 1 {
				continue // nothing is gained
			}
			bs, err := h.Builds.Several(ctx, at, few)
			if err != nil {
				h.Log.WarnContext(ctx, "builds are read one by one", "account", at.ID, "region", at.Region, "error", err.Error())
			}
			h.projectsTogether(ctx, at, bs)
			for _, b := range bs {
				s.read[recordOf{at, b.ID}] = b
			}
		}
	}
	if len(s.read) == 0 {
		return h
	}
	with := *h
	with.Builds = s
	return &with
}

// Get implements [Builds].
func (s *shared) Get(ctx context.Context, at settings.Account, id string) (codebuild.Build, error) {
	s.mu.Lock()
	b, ok := s.read[recordOf{at, id}]
	delete(s.read, recordOf{at, id})
	s.mu.Unlock()
	if ok && s.clock.Now().Sub(s.at) < freshFor && settled(b) {
		return b, nil
	}
	return s.Builds.Get(ctx, at, id)
}

// settled reports whether nothing of the record is still to come: the build has ended, and
// CodeBuild names the build that repeats it if there will be one.
func settled(b codebuild.Build) bool {
	return b.Status != codebuild.InProgress && !(b.HasFailed() && b.AutoRetry.Number < b.AutoRetry.Limit && b.AutoRetry.Next == "")
}

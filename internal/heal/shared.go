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

// shared are builds of which some are read together. A record is given once: who asks again asks
// CodeBuild.
type shared struct {
	Builds
	h *Healer

	mu     sync.Mutex
	read   map[recordOf]sharedRecord
	unread map[settings.Account][]string // read as soon as one of them is asked for
}

// recordOf names a build.
type recordOf struct {
	at settings.Account
	id string
}

type sharedRecord struct {
	codebuild.Build
	when time.Time // it was read
}

// Together gives the healer for events that were delivered together: the records of their builds
// are read with one call for up to [MaxRecords] of an account and region, those of green builds only
// if one of them is needed. What cannot be read together is read alone.
func (h *Healer) Together(ctx context.Context, es []Ended) *Healer {
	s := &shared{Builds: h.Builds, h: h, read: map[recordOf]sharedRecord{}, unread: map[settings.Account][]string{}}
	ids := map[settings.Account][]string{}
	for _, e := range es {
		if _, ok := h.Settings.Project(e.Project, e.At.ID, e.At.Region, h.Home); !ok {
			continue
		}
		of := ids
		if e.Status == codebuild.Succeeded {
			of = s.unread
		}
		if !slices.Contains(of[e.At], e.Build) {
			of[e.At] = append(of[e.At], e.Build)
		}
	}
	for at, some := range ids {
		for few := range slices.Chunk(some, MaxRecords) {
			if len(few) > 1 { // else nothing is gained
				s.several(ctx, at, few)
			}
		}
	}
	if len(s.read)+len(s.unread) == 0 {
		return h
	}
	with := *h
	with.Builds = s
	return &with
}

// several reads records, and the projects of those that failed.
func (s *shared) several(ctx context.Context, at settings.Account, ids []string) {
	now := s.h.Clock.Now()
	bs, err := s.Builds.Several(ctx, at, ids)
	if err != nil {
		s.h.Log.WarnContext(ctx, "builds are read one by one", "account", at.ID, "region", at.Region, "error", err.Error())
	}
	s.h.projectsTogether(ctx, at, bs)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range bs {
		s.read[recordOf{at, b.ID}] = sharedRecord{b, now}
	}
}

// Get implements [Builds].
func (s *shared) Get(ctx context.Context, at settings.Account, id string) (codebuild.Build, error) {
	if few := s.with(at, id); len(few) > 1 {
		s.several(ctx, at, few)
	}
	s.mu.Lock()
	b, ok := s.read[recordOf{at, id}]
	delete(s.read, recordOf{at, id})
	s.mu.Unlock()
	if ok && s.h.Clock.Now().Sub(b.when) < freshFor && settled(b.Build) {
		return b.Build, nil
	}
	return s.Builds.Get(ctx, at, id)
}

// with takes the build out of those that were not read yet, and others with it, as many as a call
// reads.
func (s *shared) with(at settings.Account, id string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.Index(s.unread[at], id)
	if i < 0 {
		return nil
	}
	few := append([]string{id}, slices.Delete(slices.Clone(s.unread[at]), i, i+1)...)
	n := min(len(few), MaxRecords)
	s.unread[at] = few[n:]
	return few[:n]
}

// settled reports whether nothing of the record is still to come: the build has ended, and
// CodeBuild names the build that repeats it if there will be one.
func settled(b codebuild.Build) bool {
	return b.Status != codebuild.InProgress && !(b.HasFailed() && b.AutoRetry.Number < b.AutoRetry.Limit && b.AutoRetry.Next == "")
}

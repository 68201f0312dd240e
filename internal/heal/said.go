package heal

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// That a build is green its event says, too (AWS.md#sender-of-an-event), and for one that was started because of another case's
// cure nothing hangs on it but the end of its own case: none follows it, and nothing is released or
// kept because of it. So its record is not read. In a storm these are nearly all of the builds, and
// their events come one by one, while each call is one that starts no build.

// Crowds remembers when this instance last had to do with a case that follows another one: only
// then is it worth a look whether a green build is of such a case before its record is read. It also
// remembers when which queue of builds was full. The zero value remembers nothing; it may be used by
// several goroutines.
type Crowds struct {
	mu   sync.Mutex
	last time.Time
	full map[queue]time.Time
}

// queue is what builds wait in together for a place (AWS.md#queue-limits).
type queue struct{ account, region, environment, compute string }

func queueOf(b codebuild.Build) queue {
	at := b.At()
	return queue{at.Account, at.Region, b.Environment, b.Compute}
}

// fullLasts is for how long nobody asks a queue again by itself that was full.
const fullLasts = time.Minute

func (s *Crowds) foundFull(q queue, now time.Time) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.full == nil {
		s.full = map[queue]time.Time{}
	}
	s.full[q] = now
}

func (s *Crowds) wasFull(q queue, now time.Time) bool {
	if s == nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	at, ok := s.full[q]
	return ok && now.Sub(at) < fullLasts
}

// crowdLasts is how long after that more of them are expected.
const crowdLasts = time.Hour

func (s *Crowds) met(now time.Time) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = now
}

func (s *Crowds) lately(now time.Time) bool {
	if s == nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.last.IsZero() && now.Sub(s.last) < crowdLasts
}

// errRecordNeeded: the event does not tell enough.
var errRecordNeeded = errors.New("the build's record is needed")

// asSaid ends the case of a green build by what its event says, if that is enough. done is false if
// the record must be read.
func (h *Healer) asSaid(ctx context.Context, e Ended, p settings.Project) (done bool, err error) {
	if e.Status != codebuild.Succeeded || e.Said.Status != e.Status || e.End.IsZero() || !h.Crowds.lately(h.Clock.Now()) {
		return false, nil
	}
	id, err := h.caseOf(ctx, e.Build)
	if err != nil || id == "" {
		return false, err
	}
	c, err := h.open(ctx, id)
	if err != nil || c == nil || !c.endsBy(e) {
		return false, err
	}
	if err := h.passedAsSaid(ctx, e, p, c); errors.Is(err, errRecordNeeded) {
		return false, nil
	} else if err := h.unlessForGood(ctx, e.Said, err); err != nil {
		return true, err
	}
	if err := h.seeLeader(ctx, c); err != nil {
		return true, err
	}
	r := c.last()
	r.Ended = e.End
	c.finish(h.Clock.Now(), decide.Healed, "")
	return true, h.close(ctx, c)
}

// endsBy reports whether the event is that of the one build by which a case that follows another one
// ends: RetryBuild has answered with its id, and it builds what was asked for.
func (c *held) endsBy(e Ended) bool {
	if len(c.Rounds) == 0 || !c.Closed.IsZero() || !c.following() {
		return false
	}
	r := c.last()
	return r.Step == decide.StepRetried && r.Retry == e.Build && r.Incident == "" && r.Decision.Plan != nil &&
		r.Decision.Plan.Route == decide.RouteBuild && r.Build.BatchARN == "" && r.Build.Action == nil &&
		e.Said.SourceVersion == r.Build.SourceVersion
}

// passedAsSaid does what [Healer.passed] does. Which commit the build took only its record says: that is
// needed if it may show a failed test to be flaky.
func (h *Healer) passedAsSaid(ctx context.Context, e Ended, p settings.Project, c *held) error {
	rs := counted(c.Rounds)
	r := rs[len(rs)-1]
	f := decide.Facts{Settings: h.Settings, Home: h.Home, Project: p, Build: r.Build, Earlier: rs[:len(rs)-1], Self: h.Self}
	// It began after it was asked for, and that is as much as is known of when.
	g := pass{Start: r.RetryAt, End: e.End, Own: true, Repeats: idsOf(ledTo(rs, e.Build))}
	trusted := f.Trusted()
	if trusted {
		g.Line = LineOf(f.Asked())
	}
	_, err := h.changePast(ctx, pastKey(e.At, e.Project, trusted), func(p *past) (bool, error) {
		if trusted && p.unproved(g) {
			return false, errRecordNeeded
		}
		return p.pass(g, nil), nil
	})
	return err
}

// unproved reports whether there is a failed build whose tests a green build of its commit may prove
// to be flaky.
func (p *past) unproved(g pass) bool {
	return slices.ContainsFunc(p.Builds, func(b pastBuild) bool { return b.mayFlake(p, g) })
}

// mayFlake reports whether a green build of the same commit may prove the tests of the failed one to
// be flaky.
func (b pastBuild) mayFlake(p *past, g pass) bool {
	return b.Commit != "" && !b.Unsure && !b.Flaked && b.End.Before(g.End) &&
		slices.ContainsFunc(p.Tests, func(t pastTest) bool { return slices.Contains(t.In, b.N) })
}

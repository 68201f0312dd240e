package heal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/diagnose"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// pastKey names what is remembered of a project's builds. Those that are not the team's own have an
// item of their own, without tests, so that a pull request neither reads nor displaces anything.
func pastKey(at settings.Account, project string, trusted bool) string {
	key := at.ID + " " + at.Region + " " + project
	if !trusted {
		key += " untrusted"
	}
	return key
}

// readPast reads what is remembered of a project; nothing if there is nothing. What cannot be read
// is begun anew: it is only a memory, and must not hold up the project's builds.
func (h *Healer) readPast(ctx context.Context, key string) (it Item, p past, err error) {
	it, err = h.Store.Get(ctx, kindPast, key)
	switch {
	case errors.Is(err, ErrNotFound):
		return Item{Kind: kindPast, ID: key}, p, nil
	case err != nil:
		return it, p, fmt.Errorf("reading past failures of %q: %w", key, err)
	}
	if err := unmarshal(it, &p); err != nil {
		h.Log.ErrorContext(ctx, "past failures are begun anew", "error", err)
		p = past{Forgot: true}
	}
	return it, p, nil
}

// changePast changes what is remembered of a project, if change says that anything is new.
func (h *Healer) changePast(ctx context.Context, key string, change func(*past) (bool, error)) (p past, err error) {
	for range 5 {
		it, p, err := h.readPast(ctx, key)
		if err != nil {
			return p, err
		}
		if changed, err := change(&p); err != nil || !changed {
			return p, err
		}
		if it.Data, err = p.pack(); err != nil {
			return p, err
		}
		now := h.Clock.Now()
		if it.Expires = now.Add(kept); it.Due.IsZero() {
			it.Due = now // so that all can be listed; another time would cost two writes more
		}
		if _, err = h.Store.Put(ctx, it); err == nil || !errors.Is(err, ErrConflict) {
			return p, err
		}
	}
	return p, fmt.Errorf("recording past failures of %q: others write it at the same time: %w", key, ErrLater)
}

// pastOf is the failed build as it is remembered.
func pastOf(f decide.Facts, trusted bool) pastBuild {
	g := f.Diagnosis
	b := pastBuild{ID: f.Build.UUID(), Cause: g.Cause, Commit: shortHash(f.Build.ResolvedSourceVersion), Start: f.Build.Start,
		End: f.Build.End, project: f.Build.Project,
		Unsure: g.Remedy != diagnose.Report && g.Remedy != diagnose.Retry || len(f.Causal()) > 0}
	if f.Build.BatchARN == "" && trusted { // the other builds of a batch are of the same name, and of other things
		b.Line = LineOf(f.Asked())
	}
	return b
}

// maxRecalls is how often a case waits until what is remembered of its project can be written.
const maxRecalls = 3

// recall records the failed build of the case's last round, and says what is remembered of the
// tests that failed in it. It may be called again: a build is recorded once. Where that cannot be
// written, since others write it all the time or for good, the case goes on without.
func (h *Healer) recall(ctx context.Context, c *held, f *decide.Facts) error {
	trusted := f.Trusted()
	b := f.Build
	was := pastOf(*f, trusted)
	var tests []codebuild.TestCase
	if trusted {
		tests = f.Diagnosis.Tests
	}
	p, err := h.changePast(ctx, pastKey(c.at(), c.Project, trusted), func(p *past) (bool, error) {
		return p.fail(was, tests, h.Clock.Now()), nil
	})
	if err != nil {
		if errors.Is(err, ErrLater) && c.last().Tries < maxRecalls || ctx.Err() != nil {
			return err
		}
		h.Log.ErrorContext(ctx, "the failed build is not remembered", "build", b.ID, "error", err)
		return nil
	}
	f.Known = p.known(was, tests)
	c.last().Known, c.again = f.Known, p.again(was, quarter(h.Clock.Now()))
	return nil
}

// recollect says what is remembered of the tests that failed, and records nothing.
func (h *Healer) recollect(ctx context.Context, at settings.Account, f *decide.Facts) error {
	if h.Store == nil || !f.Trusted() {
		return nil
	}
	_, p, err := h.readPast(ctx, pastKey(at, f.Build.Project, true))
	if err == nil {
		f.Known = p.known(pastOf(*f, true), f.Diagnosis.Tests)
	}
	return err
}

// unlessForGood gives the error of recording a green build if it may be recorded later. What fails
// for good is logged, so that the build's case is closed all the same.
func (h *Healer) unlessForGood(ctx context.Context, b codebuild.Build, err error) error {
	if err == nil || errors.Is(err, ErrLater) || ctx.Err() != nil {
		return err
	}
	h.Log.ErrorContext(ctx, "the green build is not remembered", "build", b.ID, "error", err)
	return nil
}

// passed records a green build: which failed tests it shows to be flaky, and how long its branch
// was not green. c is the case of its commit; nil if there is none.
func (h *Healer) passed(ctx context.Context, at settings.Account, p settings.Project, c *held, b codebuild.Build) error {
	if b.Status != codebuild.Succeeded || b.End.IsZero() || b.BatchARN != "" {
		return nil // of a batch, one build that is green says nothing about another
	}
	f := decide.Facts{Settings: h.Settings, Home: h.Home, Project: p, Build: b, Self: h.Self}
	var led []decide.Round
	if c != nil {
		if f.Earlier = counted(c.Rounds); c.last().Waits() && h.startedBy(*c.last(), b, codebuild.Batch{}) {
			f.Earlier[len(f.Earlier)-1].Retry = b.ID
			led = ledTo(f.Earlier, b.ID)
		}
	}
	if len(led) > 0 && b.Derived() {
		root := led[0].Build.Asked() // an auto-retry of that one
		f.Build.Root = &root
	} else {
		var err error
		if f.Build, err = WithRoot(ctx, h.Builds, at, b); err != nil {
			return err
		}
		if f.Build, err = h.withExecution(ctx, at, f.Build); err != nil {
			return err
		}
		f.Build = h.ifKnown(at, f.Build)
	}
	g := pass{Commit: shortHash(b.ResolvedSourceVersion), Start: b.Start, End: b.End, Repeats: idsOf(led),
		Own: len(led) > 0 || h.Self.Started(h.Home, b)}
	if !f.Trusted() {
		g.Commit = ""
		return h.recordPass(ctx, pastKey(at, b.Project, false), g, nil)
	}
	g.Line = LineOf(f.Asked())
	same := unchanged(led)
	asked := map[string]bool{}
	return h.recordPass(ctx, pastKey(at, b.Project, true), g, func(id string) (ok bool, err error) {
		if ok, there := asked[id]; there {
			return ok, nil
		}
		i := slices.IndexFunc(same, func(r decide.Round) bool { return r.Build.UUID() == id })
		if i >= 0 {
			ok, err = h.unwritten(ctx, p, same[i].Build)
		} else {
			ok, err = h.repeats(ctx, at, p, b, b.Project+":"+id)
		}
		asked[id] = ok
		return ok, err
	})
}

// batchPassed records that a batch is green which was started again for the case's last round.
func (h *Healer) batchPassed(ctx context.Context, c *held, end time.Time) error {
	p, _ := h.Settings.Project(c.Project, c.Account, c.Region, h.Home)
	rs := counted(c.Rounds)
	f := decide.Facts{Settings: h.Settings, Home: h.Home, Project: p, Build: c.last().Build, Earlier: rs[:len(rs)-1], Self: h.Self}
	led := ledTo(rs, c.last().Retry)
	g := pass{Commit: shortHash(f.Build.ResolvedSourceVersion), End: end, Repeats: idsOf(led), Own: true}
	same := unchanged(led)
	return h.recordPass(ctx, pastKey(c.at(), c.Project, f.Trusted()), g, func(id string) (bool, error) {
		i := slices.IndexFunc(same, func(r decide.Round) bool { return r.Build.UUID() == id })
		if i < 0 {
			return false, nil
		}
		return h.unwritten(ctx, p, same[i].Build)
	})
}

// recordPass records a green build. proves says whether it shows the failed tests of a build of the
// same commit to be flaky.
func (h *Healer) recordPass(ctx context.Context, key string, g pass, proves func(id string) (bool, error)) error {
	_, err := h.changePast(ctx, key, func(p *past) (bool, error) {
		var proved []string
		for _, id := range p.mayProve(g) {
			ok, err := proves(id)
			if err != nil {
				return false, err
			}
			if ok {
				proved = append(proved, id)
			}
		}
		return p.pass(g, proved), nil
	})
	return err
}

// ledTo gives the rounds that led to the build, the newest first: each started the build of the
// next.
func ledTo(rs []decide.Round, build string) (led []decide.Round) {
	for _, r := range slices.Backward(rs) {
		if r.Retry == build && build != "" { // else it is of another build of the commit
			led, build = append(led, r), r.Build.ID
		}
	}
	return led
}

// unchanged gives those of the rounds, the newest first, since which nothing was changed.
func unchanged(led []decide.Round) []decide.Round {
	i := slices.IndexFunc(led, func(r decide.Round) bool {
		return r.Decision == nil || r.Decision.Plan == nil || r.Decision.Plan.Remedy != diagnose.Retry || len(r.Differs) > 0
	})
	if i < 0 {
		return led
	}
	return led[:i]
}

func idsOf(rs []decide.Round) (ids []string) {
	for _, r := range rs {
		ids = append(ids, r.Build.UUID())
	}
	return ids
}

// repeats reports whether b was asked for just as the failed build of the same commit was, and has
// nothing that it had not.
func (h *Healer) repeats(ctx context.Context, at settings.Account, p settings.Project, b codebuild.Build, was string) (
	bool, error) {
	before, err := h.Builds.Get(ctx, at, was)
	if errors.Is(err, ErrNotFound) || errors.Is(err, ErrDenied) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("reading build %q: %w", was, err)
	}
	if before.BatchARN != "" || before.Parameters != b.Parameters ||
		!slices.Equal(before.SecondaryVersions, b.SecondaryVersions) {
		return false, nil
	}
	return h.unwritten(ctx, p, before.WithRolePath(p.Role))
}

// unwritten reports whether the healer has not written the build's role since the build began, nor
// another one with which it deploys, for whichever case.
func (h *Healer) unwritten(ctx context.Context, p settings.Project, b codebuild.Build) (bool, error) {
	for _, q := range p.Roles() {
		role, ok := guardrail.RoleInHand(b, q)
		if !ok {
			return true, nil
		}
		l, err := h.readLease(ctx, leaseOn(role, q))
		if err != nil || !l.Wrote.Add(decide.ClockSkew).Before(b.Start) {
			return false, err
		}
	}
	return true, nil
}

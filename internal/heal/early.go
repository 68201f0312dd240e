package heal

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/diagnose"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// earlyLog are logs of which one was read where an event says that it is, beside the build's
// record. It is given once, and only if the record says the same.
type earlyLog struct {
	Logs
	said codebuild.Build
	mu   sync.Mutex
	text *Text
}

// Tail implements [Logs].
func (e *earlyLog) Tail(ctx context.Context, b codebuild.Build, enough func(text string) bool) (Text, error) {
	e.mu.Lock()
	t := e.text
	e.text = nil
	e.mu.Unlock()
	if t != nil && sameLog(e.said, b) {
		return *t, nil
	}
	return e.Logs.Tail(ctx, b, enough)
}

// sameLog reports whether an event and a record say that the same was printed to the same place.
func sameLog(said, b codebuild.Build) bool {
	a, _ := said.FailedPhase()
	p, _ := b.FailedPhase()
	return said.ARN == b.ARN && said.Logs.Group == b.Logs.Group && said.Logs.Stream == b.Logs.Stream && a.Type == p.Type &&
		slices.Equal(a.Contexts, p.Contexts)
}

// readBoth reads the record of a failed build and, if the event says where it is, its log. Without
// the log, it is read when it is needed: so it is if the lease of the project's role, which is
// given too if it was read, names a case that this build may follow.
func (h *Healer) readBoth(ctx context.Context, e Ended, p settings.Project) (with *Healer, b codebuild.Build, lease suspicion, err error) {
	if e.record != nil {
		return h, *e.record, lease, nil
	}
	// A build that CodeBuild itself started (AWS.md#initiator) may be of a batch, of which another
	// build's log has told enough.
	if e.Said.Logs.Group == "" || strings.Contains(e.Said.Initiator, "/AWSCodeBuild-") {
		b, err = h.build(ctx, e.At, e.Build)
		return h, b, lease, err
	}
	said := e.Said
	said.ServiceRole = strings.TrimPrefix(p.Role, "/")
	early := &earlyLog{Logs: h.Logs, said: e.Said}
	_ = beside(
		func() error { b, err = h.build(ctx, e.At, e.Build); return nil },
		func() error {
			if of := h.leaseNeeded(h.unreadFacts(said, p)); of != "" && h.Self.Function != "" {
				l, lerr := h.readLease(ctx, of)
				if lerr != nil {
					return nil
				}
				if lease = (suspicion{of: of, lease: l}); len(l.Leads) > 0 {
					return nil
				}
			}
			early.text = h.tailEarly(ctx, e.Said)
			return nil
		})
	with = new(Healer)
	*with = *h
	with.Logs = early
	if early.text != nil {
		var a *ahead
		with, a = with.readingAhead()
		with.early = a
	}
	return with, b, lease, err
}

// tailEarly reads the log where the event says that it is; nil if it cannot. A fault of ours that the
// text meets is met once more where it is told: see [Healer.explain].
func (h *Healer) tailEarly(ctx context.Context, said codebuild.Build) (text *Text) {
	defer func() {
		if recover() != nil {
			text = nil
		}
	}()
	t, err := h.Logs.Tail(ctx, said, buildlog.FailedStart(said))
	if err != nil {
		return nil
	}
	return &t
}

// foresee reads ahead what the ledger is asked for to decide about a failure whose log was read
// early. It serves the first decision of a new case, a few milliseconds later, and nothing else.
func (a *ahead) foresee(ctx context.Context, h *Healer, at settings.Account, b codebuild.Build, p settings.Project) {
	if a == nil || !b.HasFailed() {
		return
	}
	f := h.unreadFacts(b.WithRolePath(p.Role), p)
	f.Diagnosis.Remedy = diagnose.Grant
	c := &held{Case: decide.Case{Account: at.ID, Region: at.Region, Project: p.Name}, seenOf: h.leaseNeeded(f)}
	a.fetch(ctx, h.recorded(c, f))
}

// drop forgets what was read ahead, if anything was.
func (a *ahead) drop() {
	if a != nil {
		a.forget()
	}
}

package heal

import (
	"context"
	"fmt"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/diagnose"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// Look reads a build and decides about it, without recording or changing
// anything. The case that it returns has one round, with the diagnosis and the
// decision, and is in no ledger. It gives ErrNotFound if the build is gone, and an error if it did
// not fail.
func (h *Healer) Look(ctx context.Context, at settings.Account, build string) (decide.Case, error) {
	b, err := h.build(ctx, at, build)
	if err != nil {
		return decide.Case{}, fmt.Errorf("reading build %q: %w", build, err)
	}
	if b.Status == codebuild.Succeeded || b.Status == codebuild.InProgress {
		return decide.Case{}, fmt.Errorf("build %s did not fail: its status is %s", b.ID, b.Status)
	}
	if p, ok := h.Settings.Project(b.Project, at.ID, at.Region, h.Home); ok {
		b = b.WithRolePath(p.Role)
	}
	now := h.Clock.Now()
	c := &held{Case: decide.Case{
		ID:      decide.CaseID(at, b),
		Account: at.ID,
		Region:  at.Region,
		Project: b.Project,
		Commit:  b.Commit(),
		Opened:  now,
		Rounds: []decide.Round{{Build: b, Step: decide.StepReceived, Started: now, Reread: true, Looks: maxLooks,
			Asked: len(recordWaits)}},
	}}
	f, err := h.facts(ctx, c)
	if err != nil {
		return decide.Case{}, err
	}
	if err := h.recollect(ctx, at, &f); err != nil {
		return decide.Case{}, err
	}
	if err := h.readRecords(ctx, c, &f); err != nil {
		return decide.Case{}, err
	}
	if f.Diagnosis.Remedy == diagnose.Grant {
		if err := h.permissions(ctx, at, &f); err != nil {
			return decide.Case{}, err
		}
	}
	d, err := h.Explain(ctx, at, f)
	if err != nil {
		return decide.Case{}, err
	}
	r := c.last()
	r.Diagnosis, r.Decision, r.Known = &f.Diagnosis, &d, f.Known
	return c.Case, nil
}

package heal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/diagnose"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/redact"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// recordWaits are the times between looks at records that AWS does not have yet
// (AWS.md#authorization-ids).
var recordWaits = []time.Duration{10 * time.Second, 20 * time.Second, 30 * time.Second}

const (
	// recordsFor is how long all look-ups of a run may take: nothing waits for them but an answer
	// that can be done without.
	recordsFor = 15 * time.Second
	// recordKept is how long AWS keeps a record: of an older build's denial there will be none.
	recordKept = 24 * time.Hour
)

// readRecords looks up what AWS itself recorded of the denied requests that failed the build, at most
// [decide.MaxRecorded] of them. If it has not recorded one yet, readRecords sets the round's NotYet,
// so that the case comes back for it. A record that cannot be had is an answer, too: nothing fails
// without.
func (h *Healer) readRecords(ctx context.Context, c *held, f *decide.Facts) error {
	if h.Authorizations == nil || f.Diagnosis.Remedy != diagnose.Grant || f.Project.SwitchRole != "" ||
		!f.Settings.Recorded(f.Project) || !f.Trusted() {
		return nil
	}
	r, ds := c.last(), f.Causal()
	var asked []buildlog.Authorization
	missing := map[buildlog.Authorization]string{} // why there is none
	now := h.Clock.Now()
	wait := r.Asked < len(recordWaits) && now.Sub(f.Build.End) < recordKept
	limited, cancel := context.WithTimeout(ctx, recordsFor)
	defer cancel()
	for _, d := range ds {
		switch {
		case d.Authorization.ID == "", slices.ContainsFunc(r.Recorded, func(x guardrail.Recorded) bool { return x.Of(d) }),
			slices.Contains(asked, d.Authorization):
			continue
		case len(asked) == decide.MaxRecorded:
			missing[d.Authorization] = fmt.Sprintf("only %d denied requests of a build are looked up", decide.MaxRecorded)
			continue
		}
		asked = append(asked, d.Authorization)
		a, err := h.Authorizations.Details(limited, c.at(), d.Authorization)
		if err == nil {
			r.Recorded = append(r.Recorded, recordedOf(f.Build, f.Project.Whole(), ds, r.Recorded, d.Authorization, a)...)
			continue
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		missing[d.Authorization] = h.unrecorded(ctx, f.Build.ID, err)
		if wait && !errors.Is(err, ErrDenied) && !errors.Is(err, ErrFinal) {
			r.NotYet = now.Add(recordWaits[r.Asked])
		}
	}
	if now.Before(r.NotYet) {
		r.Asked++
		return nil
	}
	for _, d := range ds {
		x := guardrail.Recorded{}
		if d.Authorization.ID != "" {
			if i := slices.IndexFunc(r.Recorded, func(x guardrail.Recorded) bool { return x.Of(d) }); i >= 0 {
				x = r.Recorded[i]
			} else {
				x = guardrail.Unrecorded(d, missing[d.Authorization])
				r.Recorded = append(r.Recorded, x)
			}
		}
		f.Recorded = append(f.Recorded, x)
	}
	return nil
}

// recordedOf judges one record by each denial that names it and is not among those judged.
func recordedOf(
	b codebuild.Build, p settings.Project, ds []buildlog.Denial, judged []guardrail.Recorded, of buildlog.Authorization,
	a guardrail.Authorization,
) (list []guardrail.Recorded) {
	for _, d := range ds {
		if d.Authorization != of || slices.ContainsFunc(judged, func(x guardrail.Recorded) bool { return x.Of(d) }) {
			continue
		}
		x := guardrail.Record(b, p, d, a)
		if x.Refusal != nil {
			x.Refusal.Message = redact.Text(x.Refusal.Message)
		}
		list = append(list, x)
	}
	return list
}

// unrecorded says, as a clause, why there is no record.
func (h *Healer) unrecorded(ctx context.Context, build string, err error) string {
	if errors.Is(err, ErrNotFound) {
		return "AWS has no record of it"
	}
	h.Log.WarnContext(ctx, "AWS's record of a denied request is not read", "build", build, "error", err)
	if what := lacks(err); what != "" {
		return "Buildmedic lacks " + what + " to read it"
	}
	return "AWS did not give its record of it"
}

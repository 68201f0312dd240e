package heal

import (
	"context"
	"fmt"
	"runtime/debug"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/diagnose"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// ownFault is told of a build whose explanation met a fault of ours.
const ownFault = "Buildmedic met a fault of its own while it read what the build printed, so the build is not explained and " +
	"nothing is done for it. Read the build's log, and please report the fault: the function's own log has it."

// explain reads what the build of the case's last round printed, and says why it failed. If it cannot
// be read yet, it sets the round's NotYet.
//
// Anybody may write what is read here. A fault of ours that it meets must cost the explanation of this
// build only: of a panic the function would die, with the messages of other builds in its hands, and
// again each time that they come back.
func (h *Healer) explain(ctx context.Context, c *held, p settings.Project) (f buildlog.Failure, d diagnose.Diagnosis, err error) {
	r := c.last()
	defer func() {
		if fault := recover(); fault != nil {
			h.logFault(ctx, "a build is not explained", r.Build, fault)
			f, d, err = buildlog.Failure{Build: r.Build}, diagnose.Diagnose(buildlog.Failure{}), nil
			d.Remedy, d.Retryable, r.Unread = diagnose.Report, false, ownFault
		}
	}()
	f, err = h.failure(ctx, c.at(), p, r)
	if err != nil || h.Clock.Now().Before(r.NotYet) {
		return f, d, err
	}
	return f, h.stackReason(ctx, c.at(), p, r, f, diagnose.Diagnose(f, h.Settings.Own()...)), nil
}

// logFault records a panic that was met over what the build printed, and where.
func (h *Healer) logFault(ctx context.Context, what string, b codebuild.Build, fault any) {
	h.Log.ErrorContext(ctx, what, "build", b.ID, "panic", fmt.Sprint(fault), "stack", string(debug.Stack()))
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/buildmedic/buildmedic/internal/awsapi"
	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/diagnose"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// stackBack is how far back the events of a stack are read for a log, which does not say when its
// build ran.
const stackBack = 7 * 24 * time.Hour

// ofStack gives the diagnosis with the reason of the stack that the person names, and says when that
// happened: a log does not tell whether it was this build.
func ofStack(
	ctx context.Context, name string, f buildlog.Failure, d diagnose.Diagnosis, own []diagnose.Cause, stderr io.Writer,
) (diagnose.Diagnosis, error) {
	if !d.WantsStack() {
		say(stderr, "The log itself says why the build failed, so stack %s was not asked.", plain(name))
		return d, nil
	}
	cfg, err := introduced(ctx, stderr)
	if err != nil {
		return d, err
	}
	id := sessionOf(cfg).id
	home := settings.Account{ID: id.Account, Region: cfg.Region}
	now := deskClock.Now()
	f.Build.Start, f.Build.End = now.Add(-stackBack), now
	reasons := heal.StackReasons{Stacks: awsapi.Stacks{Accounts: awsapi.NewAccounts(cfg, home, id.Partition, "")}}
	e, ok, err := reasons.Cause(ctx, home, name, f)
	switch {
	case errors.Is(err, heal.ErrNotFound):
		return d, fmt.Errorf("there is no stack %q in account %s, region %s", name, home.ID, home.Region)
	case err != nil:
		return d, fmt.Errorf("reading the events of stack %q: %w", name, err)
	case !ok:
		say(stderr, "In the events of stack %s, nothing failed within the last week.", plain(name))
		return d, nil
	}
	say(stderr, "What stack %s says is of %s: compare that with when the build ran.", plain(e.Name()),
		e.Time.UTC().Format("2 January 2006, 15:04:05 UTC"))
	return heal.WithoutSecrets(d.FromStack(f, e, own...)), nil
}

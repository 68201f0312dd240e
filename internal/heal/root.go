package heal

import (
	"context"
	"errors"
	"fmt"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// maxChain bounds how many earlier builds of a chain of auto-retries are read
// (AWS.md#undocumented).
const maxChain = 10

// build reads a build with its root and, if it failed, what its project and its pipeline say of it; or the
// record that stands for a failed action without a build.
func (h *Healer) build(ctx context.Context, at settings.Account, id string) (codebuild.Build, error) {
	if a, ok := codebuild.ParseActionID(id); ok {
		return h.action(ctx, at, a)
	}
	var b codebuild.Build
	err := beside(
		func() (err error) { b, err = h.Builds.Get(ctx, at, id); return err },
		func() error { h.foreseeProject(ctx, at, id); return nil })
	if err != nil {
		return b, err
	}
	if b, err = WithRoot(ctx, h.Builds, at, b); err != nil {
		return b, err
	}
	if b, err = h.withCheck(ctx, at, b); err != nil || !b.HasFailed() {
		return b, err
	}
	return h.withExecution(ctx, at, b)
}

// WithRoot reads who asked for the build where its own record does not say: it
// follows a chain of auto-retries to its first build, and asks for a batch's
// initiator. A root that is gone, not to be read or not plausible stays unknown,
// which is no error.
func WithRoot(ctx context.Context, builds Builds, at settings.Account, b codebuild.Build) (codebuild.Build, error) {
	if !b.Derived() || b.Root != nil { // a stand-in of a batch has it from the batch's record
		return b, nil
	}
	root, err := readRoot(ctx, builds, at, b)
	if errors.Is(err, ErrNotFound) || errors.Is(err, ErrDenied) || errors.Is(err, ErrFinal) {
		return b, nil
	}
	if err != nil {
		return b, fmt.Errorf("reading who asked for build %q: %w", b.ID, err)
	}
	b.Root = &root
	return b, nil
}

func readRoot(ctx context.Context, builds Builds, at settings.Account, b codebuild.Build) (codebuild.Root, error) {
	first := b
	for range maxChain {
		if first.AutoRetry.Previous == "" {
			break
		}
		where, id, ok := codebuild.ParseBuildARN(first.AutoRetry.Previous)
		if !ok || settings.AccountOf(where) != at {
			return codebuild.Root{}, fmt.Errorf("it repeats %q: %w", first.AutoRetry.Previous, ErrFinal)
		}
		before, err := builds.Get(ctx, at, id)
		if err != nil {
			return codebuild.Root{}, err
		}
		if before.Project != b.Project || before.AutoRetry.Number >= first.AutoRetry.Number {
			return codebuild.Root{}, fmt.Errorf("it repeats %q of project %q: %w", id, before.Project, ErrFinal)
		}
		first = before
	}
	switch {
	case first.BatchARN != "":
		batch, err := builds.Batch(ctx, at, first.BatchARN)
		return batch.Asked(first.BatchARN), err
	case first.Derived():
		return codebuild.Root{}, fmt.Errorf("the first build of its chain is not known: %w", ErrFinal)
	}
	return first.Asked(), nil
}

package heal

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// A batch has no event of its own (AWS.md#delivery). Where a build of it failed, that build's event
// tells; where the batch failed by itself, only the sweep finds out, or a build that the batch stopped.

const (
	// setUpFor is how long it is remembered whether a project is set up for batches.
	setUpFor = 24 * time.Hour
	// againWithin is how long after its end a failed batch is looked at: it may have been retried, and
	// keeps its id.
	againWithin = 7 * 24 * time.Hour
)

// batchesSwept says how far a project's batches have been swept.
type batchesSwept struct {
	// Asked is when CodeBuild was asked whether the project is set up for batches, and Has what it said.
	Asked time.Time `json:"asked,omitzero"`
	Has   bool      `json:"has,omitempty"`
	// From is when they were swept first: what had ended by then is left alone.
	From time.Time `json:"from,omitzero"`
	// Done are marks of those that need not be read again, among those that CodeBuild lists.
	Done []string `json:"done,omitempty"`
}

// sweepBatches deals with the project's batches that failed by themselves. For a project without any
// it asks CodeBuild once a day; for one with batches it lists them, and reads those that have ended
// since the last time or may have been retried. bs are builds of the project.
func (h *Healer) sweepBatches(ctx context.Context, p settings.Project, to *swept, bs []codebuild.Build, set *setUp) error {
	at, now, s := h.atOf(p), h.Clock.Now(), &to.Batches
	if s.From.IsZero() {
		s.From = now.Add(-time.Hour)
	}
	if slices.ContainsFunc(bs, func(b codebuild.Build) bool { return b.BatchARN != "" }) {
		s.Has, s.Asked = true, now
	}
	if now.Sub(s.Asked) >= setUpFor-Jitter(setUpFor/2, p.Name) { // not all projects in one sweep
		has, err := set.forBatches(ctx, p)
		if err != nil {
			return fmt.Errorf("reading whether it is set up for batches: %w", err)
		}
		s.Has, s.Asked = has, now
	}
	if !s.Has || pressed(ctx) {
		return nil
	}
	ids, err := h.Builds.BatchIDs(ctx, at, p.Name)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("listing its batches: %w", err)
	}
	var unread, done []string
	for _, id := range ids {
		if slices.Contains(s.Done, batchMark(id)) {
			done = append(done, batchMark(id))
		} else {
			unread = append(unread, id)
		}
	}
	s.Done = done
	if len(unread) == 0 {
		return nil
	}
	batches, err := h.Builds.Batches(ctx, at, unread[:min(len(unread), MaxRecords)])
	if err != nil {
		return fmt.Errorf("reading its batches: %w", err)
	}
	var errs []error
	for _, b := range batches {
		over, err := h.sweepBatch(ctx, at, b, s.From)
		if err != nil && !errors.Is(err, ErrLater) {
			errs = append(errs, err)
		}
		if over && err == nil {
			if id, ok := idOfBatch(b); ok {
				s.Done = append(s.Done, batchMark(id))
			}
		}
	}
	return errors.Join(errs...)
}

// setUp finds out which projects are set up for batches, many with one call.
type setUp struct {
	h        *Healer
	projects []settings.Project // in the order in which they are swept
	has      map[string]bool    // by their key; those that were read
	failed   map[settings.Account]error
}

// forBatches reports whether the project is. With it, those that are swept next are read.
func (s *setUp) forBatches(ctx context.Context, p settings.Project) (bool, error) {
	h, key := s.h, s.h.sweepKey(p)
	if has, read := s.has[key]; read {
		return has, nil
	}
	at, names := h.atOf(p), []string{p.Name}
	if err := s.failed[at]; err != nil { // one by one they would not be read either
		return false, err
	}
	i := slices.IndexFunc(s.projects, func(q settings.Project) bool { return h.sweepKey(q) == key })
	for _, q := range s.projects[i+1:] {
		if h.atOf(q) == at && len(names) < MaxRecords && !slices.Contains(names, q.Name) {
			names = append(names, q.Name)
		}
	}
	ps, err := h.Projects.Read(ctx, at, names)
	if err != nil {
		if s.failed == nil {
			s.failed = map[settings.Account]error{}
		}
		s.failed[at] = err
		return false, err
	}
	if s.has == nil {
		s.has = map[string]bool{}
	}
	for _, name := range names {
		q := p
		q.Name = name
		s.has[h.sweepKey(q)] = slices.ContainsFunc(ps, func(r codebuild.Project) bool { return r.Name == name && r.Batches })
	}
	return s.has[key], nil
}

// sweepBatch deals with a batch that failed by itself, unless the ledger knows that. over means that
// it need not be looked at again.
func (h *Healer) sweepBatch(ctx context.Context, at settings.Account, b codebuild.Batch, from time.Time) (over bool, err error) {
	now := h.Clock.Now()
	switch {
	case b.Runs():
		return false, nil
	case !b.HasFailed():
		return true, nil // what did not fail cannot be retried
	}
	end := b.Last().End
	over = now.Sub(end) > againWithin
	own, failed := b.Own()
	if !failed || end.Before(from) {
		return over, nil
	}
	if known, err := h.known(ctx, own); err != nil || known {
		return over, err
	}
	return over, h.BuildEnded(ctx, endOf(at, own))
}

// batchOfStopped deals with the failure of the batch that stopped the build b, if it has failed by
// itself and the ledger does not know that.
func (h *Healer) batchOfStopped(ctx context.Context, at settings.Account, b codebuild.Build) (found bool, err error) {
	batch, err := h.Builds.Batch(ctx, at, b.BatchARN)
	if errors.Is(err, ErrNotFound) || errors.Is(err, ErrDenied) || errors.Is(err, ErrFinal) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("reading the batch of the build that was stopped: %w", err)
	}
	own, failed := batch.Own()
	if !failed {
		return false, nil
	}
	if known, err := h.known(ctx, own); err != nil || known {
		return false, err
	}
	return true, h.BuildEnded(ctx, endOf(at, own))
}

// endOf is the end of the build, as an event would tell it.
func endOf(at settings.Account, b codebuild.Build) Ended {
	return Ended{At: at, Project: b.Project, Build: b.ID, Status: b.Status, End: b.End}
}

// batchedAgain reports whether b is a run, or a failure, of its batch after the one of was: of the batch's
// retry, whoever asked for that.
func batchedAgain(was, b codebuild.Build, batch codebuild.Batch) bool {
	a, later := batch.After(was)
	switch _, rerun := batch.Rerun(was.ID); {
	case b.OfBatch():
		return later && b.Attempt() >= a.Number
	case was.OfBatch():
		g, ok := batch.Group(b.ID)
		return later && ok && (g.Requested.IsZero() || !g.Requested.Before(a.Start))
	default:
		return rerun && batch.Has(b.ID)
	}
}

// findInBatch looks for the run that repeats the last round's build. One without an ID has begun, and
// CodeBuild does not show it yet.
func (h *Healer) findInBatch(ctx context.Context, c *held) (b codebuild.Build, ok bool, err error) {
	was := c.last().Build
	batch, err := h.Builds.Batch(ctx, c.at(), was.BatchARN)
	if errors.Is(err, ErrNotFound) {
		return b, false, nil
	}
	if err != nil {
		return b, false, fmt.Errorf("looking for the build that was started: %w", err)
	}
	if g, ok := batch.Rerun(was.ID); ok && g.Build != "" {
		return codebuild.Build{ID: g.Build}, true, nil
	}
	if _, again := batch.After(was); !again {
		return b, false, nil
	}
	if own, failed := batch.Own(); failed {
		return own, true, nil
	}
	if !was.OfBatch() {
		return b, true, nil
	}
	for _, g := range batch.Groups { // one that is not green decides
		if batchedAgain(was, codebuild.Build{ID: g.Build}, batch) && (b.ID == "" || g.Status != codebuild.Succeeded) {
			b = codebuild.Build{ID: g.Build}
		}
	}
	return b, true, nil
}

// idOfBatch is the PROJECT:UUID of a batch.
func idOfBatch(b codebuild.Batch) (string, bool) {
	first, ok := b.AsBuild(1)
	if !ok {
		return "", false
	}
	id, _, ok := codebuild.ParseBatchID(first.ID)
	return id, ok
}

// batchMark stands for a batch's id, by so many bits that none of a project's is taken for another.
func batchMark(id string) string {
	h := sha256.Sum256([]byte(id))
	return base64.RawURLEncoding.EncodeToString(h[:6])
}

package heal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/guardrail"
)

// KeptVersion is a managed policy's version that had to go to make room.
type KeptVersion struct {
	Policy   string    `json:"policy"` // ARN
	Version  string    `json:"version"`
	Created  time.Time `json:"created,omitzero"`
	Document string    `json:"document"`
	Case     string    `json:"case"`
}

// versionID names a version for the ledger. IAM uses its name again once the
// policy was deleted and made anew, so that when it was made belongs to it.
func versionID(d decide.Dropped) string {
	return strings.Join([]string{d.Policy, d.Version, d.Created.UTC().Format(time.RFC3339Nano)}, " ")
}

// keepVersion stores the version that the write is about to delete, and says so
// in the round, before it goes: IAM does not give a deleted version back. It is
// an item of its own, since the ledger shrinks large cases.
func (h *Healer) keepVersion(ctx context.Context, c *held, t guardrail.Target) error {
	if t.DropVersion == "" {
		return nil
	}
	doc, err := h.Policies.Version(ctx, c.at(), t.Name, t.DropVersion)
	if errors.Is(err, ErrNotFound) {
		return nil // an earlier run of this write has stored and deleted it, or somebody else has deleted it
	}
	if err != nil {
		return fmt.Errorf("reading version %s, which has to go: %w", t.DropVersion, err)
	}
	data, err := json.Marshal(KeptVersion{Policy: t.Name, Version: t.DropVersion, Created: t.DropCreated, Document: doc, Case: c.ID})
	if err != nil {
		return err
	}
	r, gone := c.last(), decide.Dropped{Policy: t.Name, Version: t.DropVersion, Created: t.DropCreated}
	it := Item{Kind: kindVersion, ID: versionID(gone), Data: data, Expires: h.Clock.Now().Add(2 * kept)}
	if _, err := h.Store.Put(ctx, it); err != nil && !errors.Is(err, ErrConflict) { // an earlier run has stored it
		return fmt.Errorf("storing version %s, which has to go: %w", t.DropVersion, err)
	}
	if slices.Contains(r.Dropped, gone) {
		return nil
	}
	r.Dropped = append(r.Dropped, gone)
	return h.save(ctx, c, false)
}

// Kept gives the versions that the case had deleted to make room, and that are
// not back.
func (h *Healer) Kept(ctx context.Context, c decide.Case) (out []KeptVersion, err error) {
	for _, r := range c.Rounds {
		for _, d := range r.Dropped {
			k, err := h.keptVersion(ctx, d)
			if err != nil && !errors.Is(err, ErrNotFound) {
				return nil, err
			}
			if err == nil {
				out = append(out, k)
			}
		}
	}
	return out, nil
}

func (h *Healer) keptVersion(ctx context.Context, d decide.Dropped) (k KeptVersion, err error) {
	it, err := h.Store.Get(ctx, kindVersion, versionID(d))
	if err != nil {
		return k, fmt.Errorf("reading the document of version %s of policy %q: %w", d.Version, d.Policy, err)
	}
	return k, unmarshal(it, &k)
}

// bringBack makes the versions again that the round had deleted to make room,
// as far as there is a place for them. It tells in sentences which are back, and
// which are not. It may be called again.
func (h *Healer) bringBack(ctx context.Context, c *held, r *decide.Round) (told string, err error) {
	var gone []decide.Dropped
	var tell []string
	for i, d := range r.Dropped {
		k, err := h.keptVersion(ctx, d)
		version := ""
		if err == nil {
			version, err = h.Policies.Recreate(ctx, c.at(), d.Policy, d.Version, k.Document, r.Versions)
		}
		switch {
		case err == nil && version == d.Version: // it had not been deleted yet
		case err == nil:
			tell = append(tell, fmt.Sprintf("Version %s of policy %s, which had been deleted to make room, is back as %s.",
				d.Version, d.Policy, version))
		case errors.Is(err, ErrNotFound), errors.Is(err, ErrFinal), errors.Is(err, ErrDenied):
			gone = append(gone, d)
			tell = append(tell, fmt.Sprintf("Version %s of policy %s (made %s), the oldest, was deleted to make room and is not "+
				"back: %s. `buildmedic show %s` prints its document.", d.Version, d.Policy,
				d.Created.UTC().Format(time.RFC3339), firstError(err), c.ID))
		default:
			r.Dropped = append(gone, r.Dropped[i:]...)
			return strings.Join(tell, " "), fmt.Errorf("bringing back version %s of policy %q: %w", d.Version, d.Policy, err)
		}
	}
	r.Dropped = gone
	return strings.Join(tell, " "), nil
}

func firstError(err error) string {
	s, _, _ := strings.Cut(err.Error(), "\n")
	return s
}

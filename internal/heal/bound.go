package heal

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/guardrail"
)

// MaxData bounds the Data of every item that is put into the ledger, as gzip
// packs it. It is far below what a ledger can hold, and below what makes reading
// many cases at once slow.
const MaxData = 96 << 10

// maxChanges bounds what of a case can never be dropped, as gzip packs it: the
// changes that stand and the plan to carry out next.
const maxChanges = MaxData * 2 / 5

// errTooLarge: the ledger could not hold the case, which is closed now.
var errTooLarge = fmt.Errorf("the case is too large for the ledger: %w", ErrFinal)

// packed is how many bytes of a ledger the data take at most.
func packed(data []byte) int {
	if len(data) <= maxChanges {
		return len(data)
	}
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(data) // a buffer takes everything
	_ = w.Close()
	return min(b.Len(), len(data))
}

// storable gives the case as it is put into the ledger: as much of it as
// [MaxData] allows.
func storable(c decide.Case) (data []byte, err error) {
	for size := decide.Whole; size <= decide.Bare; size++ {
		if data, err = json.Marshal(c.Bounded(size)); err != nil || packed(data) <= MaxData {
			break
		}
	}
	return data, err
}

// withRoom refuses to carry out a plan if the ledger could not hold what is
// needed to undo it, next to the changes of the case that stand already.
func withRoom(c decide.Case, d decide.Decision) (decide.Decision, error) {
	if d.Plan == nil {
		return d, nil
	}
	why := ""
	data, err := json.Marshal(append(c.Changes(), *d.Plan))
	if err != nil {
		return d, err
	}
	switch acted := c.Acted(); {
	case acted >= decide.MaxActed:
		why = fmt.Sprintf("This case has led to %d changes and retries already.", acted)
	case packed(data) > maxChanges:
		why = "What is needed to carry this out, and to undo the case's changes, is more than the ledger holds of one case."
	default:
		return d, nil
	}
	d.Used = nil
	return decide.Refuse(d, "The case is too large.", guardrail.Refusal{Rule: guardrail.CaseTooLarge, Message: why +
		" Nothing more is done automatically for this commit: act by hand, or undo the case's changes and replay the " +
		"build a day later."}), nil
}

// forget closes a case that the ledger cannot hold, keeps only what names it,
// and says so in a notice: better than a failure that nobody hears of. It
// always returns an error, so that nothing more is done for the case.
func (h *Healer) forget(ctx context.Context, c *held) error {
	now := h.Clock.Now()
	note := "This case is too large for the ledger, so nothing more is done for it, and its record is lost."
	if cs := Changes(c.Case); len(cs) > 0 {
		note += " These changes stand, and {\"undo\":{}} no longer knows them: " + strings.Join(cs, "; ") + "."
	}
	r := c.Bounded(decide.Bare).Rounds[len(c.Rounds)-1]
	r.Decision, r.Step = nil, decide.StepDone
	c.Case = decide.Case{ID: c.ID, Account: c.Account, Region: c.Region, Project: c.Project, Commit: c.Commit,
		Opened: c.Opened, Closed: now, Outcome: decide.Failed, Told: c.Told, Rounds: []decide.Round{r},
		Others: c.Others, Orders: c.Orders}
	c.forgotten = true
	c.tell(now, decide.Failed, note)
	h.Log.ErrorContext(ctx, "the ledger cannot hold the case", "case", c.ID)
	if err := h.save(ctx, c, true); err != nil {
		return err
	}
	return errTooLarge
}

// storedOutcome gives a notice that waits for the digest as it is put into the
// ledger: without what other notices tell.
func storedOutcome(o decide.Outcome) ([]byte, error) {
	o.Settings = nil
	o.Case.Others, o.Case.Outbox = nil, []decide.Pending{{Round: o.Round}} // which Bounded keeps in step
	var data []byte
	for size := decide.Whole; size <= decide.Bare; size++ {
		out := o
		out.Case = o.Case.Bounded(size)
		out.Round, out.Case.Outbox = out.Case.Outbox[0].Round, nil
		var err error
		if data, err = json.Marshal(out); err != nil {
			return nil, err
		}
		if packed(data) <= MaxData {
			break
		}
	}
	return data, nil
}

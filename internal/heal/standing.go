package heal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/buildmedic/buildmedic/internal/decide"
)

// Inventory is what the ledger knows of cases whose changes stand.
type Inventory struct {
	// Standing are the cases with a change that stands, or that an open case may
	// be making; the last change first, which is the order to undo them in.
	Standing []decide.Case
	// Open are the open cases that have changed nothing.
	Open []decide.Case
	// From is how far back the ledger reaches: of a case that was closed before,
	// it may know nothing.
	From time.Time
	// Lost are the cases whose end the ledger knows, and nothing else.
	Lost []string
	// Cut: there are more closed cases than were read.
	Cut bool
}

// Standing reads every case in the ledger, and picks those whose changes stand.
func (h *Healer) Standing(ctx context.Context) (Inventory, error) {
	l := Inventory{From: h.Clock.Now().Add(-kept)}
	open, err := h.openCases(ctx)
	if err != nil {
		return l, err
	}
	isOpen := map[string]bool{}
	for _, c := range open {
		isOpen[c.ID] = true
		if len(Changes(c)) > 0 {
			l.Standing = append(l.Standing, c)
		} else {
			l.Open = append(l.Open, c)
		}
	}
	closed, err := h.closedCases(ctx, maxHistory)
	if err != nil {
		return l, err
	}
	if l.Cut = len(closed) == maxHistory; l.Cut {
		l.From = closed[len(closed)-1].Closed
	}
	for _, s := range closed {
		if isOpen[s.Case] {
			continue
		}
		c, err := h.Case(ctx, s.Case)
		if errors.Is(err, ErrNotFound) {
			l.Lost = append(l.Lost, s.Case)
			continue
		}
		if err != nil {
			return l, err
		}
		if len(Changes(c)) > 0 {
			l.Standing = append(l.Standing, c)
		}
	}
	slices.SortStableFunc(l.Standing, func(a, b decide.Case) int { return lastChange(b).Compare(lastChange(a)) })
	return l, nil
}

// lastChange is when the case made its last change that stands.
func lastChange(c decide.Case) (t time.Time) {
	for _, r := range c.Rounds {
		switch {
		case r.Stands() && r.Written.After(t):
			t = r.Written
		case r.Step == decide.StepWriting:
			return r.Started.Add(kept) // not over yet
		}
	}
	return t
}

// openCases lists the open cases, the newest first. Each is due at some time,
// unlike most closed ones.
func (h *Healer) openCases(ctx context.Context) ([]decide.Case, error) {
	its, err := h.Store.Between(ctx, kindCase, time.Time{}, h.Clock.Now().Add(kept), true, maxHistory)
	if err != nil {
		return nil, fmt.Errorf("listing open cases: %w", err)
	}
	var cs []decide.Case
	for _, it := range its {
		var c decide.Case
		if err := unmarshal(it, &c); err != nil {
			return nil, err
		}
		if c.Closed.IsZero() && len(c.Rounds) > 0 {
			cs = append(cs, c)
		}
	}
	slices.SortStableFunc(cs, func(a, b decide.Case) int {
		return cmp.Or(b.Opened.Compare(a.Opened), strings.Compare(a.ID, b.ID))
	})
	return cs, nil
}

// closedCases lists closed cases, the last closed first.
func (h *Healer) closedCases(ctx context.Context, most int) ([]Summary, error) {
	ss, err := newest[Summary](ctx, h, kindClosed, most)
	if err != nil {
		return nil, fmt.Errorf("reading the history: %w", err)
	}
	return ss, nil
}

// newest reads items of one kind that are due by now, the last due first.
func newest[T any](ctx context.Context, h *Healer, kind string, most int) (out []T, err error) {
	its, err := h.Store.Between(ctx, kind, time.Time{}, h.Clock.Now().Add(time.Second), true, most)
	if err != nil {
		return nil, err
	}
	for _, it := range its {
		var v T
		if err := unmarshal(it, &v); err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// Changes says what the case has changed and not undone, the last change first.
func Changes(c decide.Case) (out []string) {
	for _, r := range slices.Backward(c.Rounds) {
		switch {
		case r.Decision == nil || r.Decision.Plan == nil:
		case r.Stands() && r.Partly:
			out = append(out, change(c, *r.Decision.Plan)+" (in part, or perhaps not at all)")
		case r.Stands():
			out = append(out, change(c, *r.Decision.Plan))
		case r.Step == decide.StepWriting:
			out = append(out, change(c, *r.Decision.Plan)+" (perhaps not made yet)")
		}
	}
	return out
}

// change says what carrying out the plan changes.
func change(c decide.Case, p decide.Plan) string {
	role := p.Role[strings.LastIndexByte(p.Role, '/')+1:]
	switch {
	case p.Write != nil && p.Write.Kind == "attach":
		return fmt.Sprintf("policies %s attached to role %s", strings.Join(p.Write.Attach, ", "), role)
	case p.Write != nil && p.Write.Kind == "managed":
		return fmt.Sprintf("a version of managed policy %s", p.Write.Name)
	case p.Write != nil:
		return fmt.Sprintf("inline policy %s of role %s", p.Write.Name, role)
	case p.Repository != "":
		return fmt.Sprintf("repository %s", p.Repository)
	case p.NewRole != "":
		return fmt.Sprintf("project %s switched from role %s to %s", c.Project, p.OldRole, p.NewRole)
	}
	return "nothing"
}

// finishWrite finds out whether a change that the case had begun was made, so
// that it can be undone: an invocation may have ended between the change and
// its record.
func (h *Healer) finishWrite(ctx context.Context, c *held) error {
	r := c.last()
	if !c.Closed.IsZero() || r.Step != decide.StepWriting || !r.Written.IsZero() {
		return nil
	}
	p := r.Decision.Plan
	if p.InCode() { // it goes on with that when the case does
		return nil
	}
	made := true // a role is switched back, and a repository is told of, whether it was made or not
	if p.Write != nil {
		if err := h.acquire(ctx, c); err != nil {
			return err
		}
		version, there, err := h.written(ctx, c, *p.Write)
		if err != nil {
			return errors.Join(err, h.release(ctx, c, time.Time{}))
		}
		r.WrittenVersion, made = version, there || p.Write.Kind == "attach" // of several policies, some may be attached
	}
	if !made {
		if err := h.abandon(ctx, c); err != nil {
			return errors.Join(err, h.release(ctx, c, time.Time{}))
		}
		r.WrittenVersion, r.Step = "", decide.StepReceived // decided again if the case continues
		return errors.Join(h.save(ctx, c, false), h.release(ctx, c, time.Time{}))
	}
	r.Written, r.Step = h.Clock.Now(), decide.StepWritten
	return h.save(ctx, c, false)
}

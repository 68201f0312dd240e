package heal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/buildmedic/buildmedic/internal/decide"
)

// Waiting says for whom or what a case waits.
type Waiting struct {
	Case    string    `json:"case"`
	Project string    `json:"project"`
	Since   time.Time `json:"since"`
	// Until is when it no longer waits, or goes on by itself; zero where that is not known.
	Until time.Time `json:"until,omitzero"`
	// For says it in words that fit behind "waits for".
	For string `json:"for"`
	// Plan waits for a person's approval, and Owners are those of the grants that it uses.
	Plan   string   `json:"plan,omitempty"`
	Owners []string `json:"owners,omitempty"`
}

// longestApproval is the longest time that settings can give for an approval.
const longestApproval = 30 * 24 * time.Hour

// Waiting lists what waits, of one project or of all (""): first the plans that can still be
// approved, and what is asked for in code, those that lapse soonest first, then the open cases.
func (h *Healer) Waiting(ctx context.Context, project string) ([]Waiting, error) {
	now := h.Clock.Now()
	its, err := h.Store.Between(ctx, kindClosed, now.Add(-longestApproval), now.Add(time.Second), false, maxHistory)
	if err != nil {
		return nil, fmt.Errorf("reading the history: %w", err)
	}
	out := []Waiting{}
	for _, it := range its {
		var s Summary
		if err := unmarshal(it, &s); err != nil {
			return nil, err
		}
		if project != "" && s.Project != project {
			continue
		}
		find := h.proposedIn
		switch s.Outcome {
		case decide.Proposed:
		case decide.Requested:
			find = h.requestedIn
		default:
			continue
		}
		w, ok, err := find(ctx, s.Case)
		if err != nil {
			return nil, err
		}
		if ok {
			out = append(out, w)
		}
	}
	slices.SortStableFunc(out, func(a, b Waiting) int { return a.Until.Compare(b.Until) })
	open, err := h.openCases(ctx)
	if err != nil {
		return nil, err
	}
	for _, c := range open {
		if project == "" || c.Project == project {
			out = append(out, waitsFor(c, now))
		}
	}
	return out, nil
}

// proposedIn is the plan of a case that waits for its approval; ok is false if none does any more.
// A plan of other settings is certain to be refused, so its approval is not offered.
func (h *Healer) proposedIn(ctx context.Context, id string) (w Waiting, ok bool, err error) {
	c, err := h.Case(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return w, false, nil
	}
	if err != nil || c.Outcome != decide.Proposed || len(c.Rounds) == 0 {
		return w, false, err
	}
	d := c.Rounds[len(c.Rounds)-1].Decision
	if d == nil || d.Plan == nil {
		return w, false, nil
	}
	f, err := h.proposed(ctx, d.Plan.Hash())
	if errors.Is(err, ErrLater) || err == nil && f.no != "" {
		return w, false, nil // somebody works on it, or its time is over
	}
	if err != nil {
		return w, false, err
	}
	w = Waiting{Case: c.ID, Project: c.Project, Since: c.Closed, Until: f.until, For: "a person's approval", Plan: d.Plan.Hash()}
	switch {
	case h.Settings == nil: // at a desk
		w.For += " (refused if the settings have changed since)"
	case h.Settings.SHA256 != f.settings:
		w.For, w.Plan, w.Until = "a replay: these settings are not those that its plan was made by", "", time.Time{}
	}
	for _, u := range d.Used {
		if u.Owner != "" && !slices.Contains(w.Owners, u.Owner) {
			w.Owners = append(w.Owners, u.Owner)
		}
	}
	return w, true, nil
}

// requestedIn says for which requests of a case it is waited that they are merged and deployed; ok is
// false if for none any more.
func (h *Healer) requestedIn(ctx context.Context, id string) (w Waiting, ok bool, err error) {
	c, err := h.Case(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return w, false, nil
	}
	if err != nil || !waits(c, "") {
		return w, false, err
	}
	r := c.Rounds[len(c.Rounds)-1]
	w = Waiting{Case: c.ID, Project: c.Project, Since: c.Closed}
	var names []string
	for _, q := range r.Requests {
		_, a, err := h.readAsked(ctx, q.Branch)
		if err != nil {
			return w, false, err
		}
		if until := a.Since.Add(askedFor); !a.Since.IsZero() && until.After(w.Until) {
			w.Until = until
		}
		name := q.Name()
		if q.URL != "" {
			name += " (" + q.URL + ")"
		}
		names = append(names, name)
	}
	w.For = strings.Join(names, " and ") + " to be merged and deployed"
	for _, u := range r.Decision.Used {
		if u.Owner != "" && !slices.Contains(w.Owners, u.Owner) {
			w.Owners = append(w.Owners, u.Owner)
		}
	}
	return w, true, nil
}

// waitsFor says what an open case waits for.
func waitsFor(c decide.Case, now time.Time) Waiting {
	w := Waiting{Case: c.ID, Project: c.Project, Since: c.Opened}
	switch r := c.Rounds[len(c.Rounds)-1]; {
	case now.Before(c.Busy):
		w.For, w.Until = "nothing: it is being worked on", c.Busy
	case r.Step == decide.StepJoined && r.Incident != "":
		w.For, w.Until = "the end of incident "+r.Incident+", at the latest for so long", r.Started.Add(decide.Patience)
	case r.Follows != "" && r.Retry == "":
		w.For = "case " + r.Follows + ", whose build failed at the same point, to end or to come past it"
	case r.Retry != "":
		w.For, w.Since = "the end of build "+r.Retry+", which it started", r.RetryAt
	case now.Before(r.NotYet) && r.Refused > 0:
		w.For, w.Since, w.Until = "CodeBuild to take another build", r.Full, r.NotYet
	case now.Before(r.NotYet):
		w.For, w.Until = "a while before it goes on", r.NotYet
	default:
		w.For = "the next look, which the schedule sends every 15 minutes"
	}
	return w
}

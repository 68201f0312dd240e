package heal

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// Bounds of what a weekly notice is made of.
const (
	maxWeekly      = 10    // flaky tests
	maxStanding    = 100   // changes
	maxWeeklyCases = 5_000 // that were closed last
)

// weekly tells how the week before this one was, once each owner and whom notify itself names, if
// the settings ask for it and there is anything to tell. Weeks begin on Monday, UTC.
func (h *Healer) weekly(ctx context.Context) error {
	if !h.Settings.Notify.Weekly {
		return nil
	}
	now := h.Clock.Now().UTC()
	to := now.Truncate(24*time.Hour).AddDate(0, 0, -(int(now.Weekday())+6)%7)
	id := "week " + to.AddDate(0, 0, -7).Format(time.DateOnly)
	// This claim is that of them all, and done when all have been told. Who is told has one, too, of
	// the same time, so that they are over together.
	claim, err := h.claim(ctx, id, now)
	if err != nil || claim == nil {
		return err
	}
	var errs []error
	owed := map[string]*Item{}
	for _, o := range append(slices.Clone(h.Settings.Notify.Owners), settings.Owner{}) {
		if o.Name == "" || o.Reachable() {
			c, err := h.claim(ctx, id+" "+o.Name, now) // no owner's name is empty
			if errs = append(errs, err); c != nil {
				owed[o.Name] = c
			}
		}
	}
	if len(owed) > 0 { // else nothing need be read
		b, err := h.weekBook(ctx, to)
		if err != nil {
			return err
		}
		for _, name := range slices.Backward(slices.Sorted(maps.Keys(owed))) { // whom notify names comes last
			errs = append(errs, h.weekFor(ctx, *owed[name], b.week(h, name)))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return h.claimTold(ctx, *claim)
}

// weekFor tells one of the week whose claim it is.
func (h *Healer) weekFor(ctx context.Context, claim Item, w decide.Week) error {
	err := h.tellWeek(ctx, w)
	if h.unreachable(ctx, w.For, firstClaimed(claim), err) { // it is a summary: nothing in it is lost
		h.Log.ErrorContext(ctx, "an owner cannot be told of the week", "owner", w.For, "error", err.Error())
		err = nil
	}
	if err != nil {
		return err
	}
	return h.claimTold(ctx, claim)
}

// tellWeek sends a weekly notice, unless there is nothing to tell.
func (h *Healer) tellWeek(ctx context.Context, w decide.Week) error {
	if w.Costs.Total.Builds == 0 && len(w.Ended) == 0 && len(w.Standing) == 0 {
		return nil
	}
	err := h.inTurn(ctx, w.For, turn{}, func(turn Await) error { return h.Notifier.Week(ctx, w, turn) })
	if err != nil {
		return fmt.Errorf("sending the weekly notice: %w", err)
	}
	return nil
}

// claimTold records that what was claimed is sent.
func (h *Healer) claimTold(ctx context.Context, claim Item) error {
	claim.Data, claim.Expires = []byte("sent"), h.Clock.Now().Add(kept)
	if _, err := h.Store.Put(ctx, claim); err != nil && !errors.Is(err, ErrConflict) {
		return fmt.Errorf("recording that notice %q is sent: %w", claim.ID, err)
	}
	return nil
}

// weekBook is what weekly notices are made of: it is read once for all.
type weekBook struct {
	from, to time.Time
	projects []pastProject
	cases    []Summary // the last closed first
}

func (h *Healer) weekBook(ctx context.Context, to time.Time) (b weekBook, err error) {
	b = weekBook{from: to.AddDate(0, 0, -7), to: to}
	err = h.eachPast(ctx, "", func(of pastOfProject, p past) { b.projects = append(b.projects, pastProject{of, p}) })
	if err == nil {
		b.cases, err = h.closedCases(ctx, maxWeeklyCases)
	}
	return b, err
}

// week is that of one owner's projects; of "", of those that notify itself is told of.
func (b weekBook) week(h *Healer, owner string) decide.Week {
	of := func(account, region, project string) bool {
		if owner == "" && !h.Settings.Notify.Unowned {
			return true
		}
		p, _ := h.Settings.Project(project, account, region, h.Home)
		o, _ := h.Settings.Notify.Owner(p.Owner) // nobody, if that owner is not told
		return o.Name == owner
	}
	w := decide.Week{From: b.from, To: b.to, Home: h.Home, For: owner, Ended: map[decide.Kind]int{},
		CasesCut: len(b.cases) == maxWeeklyCases && b.cases[len(b.cases)-1].Closed.After(b.from)}
	var projects []pastProject
	for _, p := range b.projects {
		if of(p.of.account, p.of.region, p.of.name) {
			projects = append(projects, p)
			w.Flaky = append(w.Flaky, p.flaky(p.of.account, p.of.region, p.of.name)...)
		}
	}
	w.Costs = h.costsOf(projects, b.from, b.to)
	slices.SortFunc(w.Flaky, byFlaked)
	w.Flaky = w.Flaky[:min(maxWeekly, len(w.Flaky))]
	rules := map[guardrail.Rule]int{}
	standing := map[string]*decide.Standing{}
	for _, c := range b.cases {
		if !of(c.Account, c.Region, c.Project) {
			continue
		}
		if !c.Closed.Before(b.from) && c.Closed.Before(b.to) {
			w.Ended[c.Outcome]++
			if len(c.Refused) > 0 && (c.Outcome == decide.Reported || c.Outcome == decide.Failed) {
				w.Refused++
				for _, r := range c.Refused {
					rules[r]++
				}
			}
		}
		for _, s := range c.Stands {
			if !s.Since.Before(b.to) {
				continue
			}
			one := standing[c.Account+" "+s.What]
			if one == nil {
				one = &decide.Standing{What: s.What, Project: c.Project, Account: c.Account, Region: c.Region, Since: s.Since}
				standing[c.Account+" "+s.What] = one
			}
			if one.Cases++; s.Since.Before(one.Since) {
				one.Since = s.Since
			}
		}
	}
	for r, n := range rules {
		w.Rules = append(w.Rules, decide.RuleCount{Rule: r, Cases: n})
	}
	slices.SortFunc(w.Rules, func(a, b decide.RuleCount) int {
		return cmp.Or(cmp.Compare(b.Cases, a.Cases), cmp.Compare(a.Rule, b.Rule))
	})
	for _, s := range standing {
		w.Standing = append(w.Standing, *s)
	}
	slices.SortFunc(w.Standing, func(a, b decide.Standing) int {
		return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.What, b.What), cmp.Compare(a.Account, b.Account))
	})
	w.Standing = w.Standing[:min(maxStanding, len(w.Standing))]
	return w
}

// claim makes the notices of an id this sweep's, nil if they are sent or another sweep sends them
// now. However a sweep ends, another may claim it afterwards: a notice may come twice, and is never
// lost.
func (h *Healer) claim(ctx context.Context, id string, now time.Time) (*Item, error) {
	it, err := h.Store.Get(ctx, kindFlag, id)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return nil, fmt.Errorf("reading whether notice %q is sent: %w", id, err)
	}
	first := now
	if err == nil {
		text, _, _ := strings.Cut(string(it.Data), " ")
		until, perr := time.Parse(time.RFC3339, text)
		if perr != nil || now.Before(until) {
			return nil, nil // sent, or being sent
		}
		if f := firstClaimed(it); !f.IsZero() {
			first = f
		}
	}
	// No two claims are alike: of two that are made at once, the ledger would take one for the other, sent again.
	it = Item{Kind: kindFlag, ID: id, Version: it.Version, Expires: now.Add(kept),
		Data: []byte(strings.Join([]string{now.Add(busyFor).Format(time.RFC3339), rand.Text(), first.Format(time.RFC3339)}, " "))}
	it, err = h.Store.Put(ctx, it)
	if errors.Is(err, ErrConflict) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("claiming notice %q: %w", id, err)
	}
	return &it, nil
}

// firstClaimed is when the first sweep tried what this one claims; zero if that is not known.
func firstClaimed(claim Item) (at time.Time) {
	if f := strings.Fields(string(claim.Data)); len(f) == 3 {
		at, _ = time.Parse(time.RFC3339, f[2])
	}
	return at
}

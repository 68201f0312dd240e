package heal

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// tally sums up failed builds of one cause.
type tally struct {
	cost           decide.CauseCost
	healed, others []int // seconds to green
}

func (t *tally) add(b pastBuild) {
	t.cost.Builds++
	t.cost.Seconds += int(b.took() / time.Second)
	if b.Green.IsZero() {
		return
	}
	to := int(max(b.Green.Sub(b.End), 0) / time.Second)
	if b.Own {
		t.healed = append(t.healed, to)
	} else {
		t.others = append(t.others, to)
	}
}

func (t *tally) sum() decide.CauseCost {
	t.cost.Healed, t.cost.Others = toGreen(t.healed), toGreen(t.others)
	return t.cost
}

func toGreen(all []int) (g decide.ToGreen) {
	slices.Sort(all)
	if n := len(all); n > 0 {
		g.Builds, g.Median, g.Most = n, all[(n-1)/2], all[n-1]
	}
	return g
}

// pastProject is what is remembered of a project.
type pastProject struct {
	of pastOfProject
	past
}

// costsOf sums up the builds of these projects that ended at or after from, and before to.
func (h *Healer) costsOf(projects []pastProject, from, to time.Time) decide.Costs {
	by := map[string]*tally{}
	out, total := decide.Costs{Causes: []decide.CauseCost{}}, tally{}
	var builds []pastBuild
	for _, p := range projects {
		out.Cut = out.Cut || p.From.After(from)
		price, priced := h.priceOf(p.of)
		for _, b := range p.Builds {
			if b.End.Before(from) || !b.End.Before(to) {
				continue
			}
			builds = append(builds, b)
			if by[b.Cause] == nil {
				by[b.Cause] = &tally{cost: decide.CauseCost{Cause: b.Cause}}
			}
			by[b.Cause].add(b)
			total.add(b)
			if out.From.IsZero() || b.End.Before(out.From) {
				out.From = b.End
			}
			if b.End.After(out.To) {
				out.To = b.End
			}
			if priced {
				if out.Price == nil {
					out.Price = &decide.Price{Currency: price.Currency}
				}
				out.Price.Builds++
				out.Price.Millionths += int64(b.took()/time.Second) * price.Millionths / 60
			}
		}
	}
	for _, t := range by {
		out.Causes = append(out.Causes, t.sum())
	}
	out.Total, out.Saved = total.sum(), saved(builds, projects)
	slices.SortFunc(out.Causes, func(a, b decide.CauseCost) int {
		return cmp.Or(cmp.Compare(b.Seconds, a.Seconds), cmp.Compare(b.Builds, a.Builds), strings.Compare(a.Cause, b.Cause))
	})
	return out
}

// saved compares how long it took until the builds were green again that the healer healed with the
// median of those that others made green, of all that is remembered of the projects.
func saved(builds []pastBuild, projects []pastProject) *decide.Saved {
	others := map[string]*tally{}
	for _, p := range projects {
		for _, b := range p.Builds {
			if others[b.Cause] == nil {
				others[b.Cause] = &tally{}
			}
			others[b.Cause].add(b)
		}
	}
	var out decide.Saved
	for _, b := range builds {
		if b.Green.IsZero() || !b.Own {
			continue
		}
		if of := others[b.Cause].sum().Others; of.Builds >= decide.EnoughOthers {
			out.Builds++
			out.Seconds += of.Median - int(max(b.Green.Sub(b.End), 0)/time.Second)
		}
	}
	if out.Builds == 0 {
		return nil
	}
	return &out
}

// priceOf is what a minute of the project's builds costs.
func (h *Healer) priceOf(of pastOfProject) (settings.Price, bool) {
	if h.Settings == nil {
		return settings.Price{}, false
	}
	home := h.Home
	if home == (settings.Account{}) { // at a desk that only reads a ledger, it is not known where the hub is
		home = settings.Account{ID: of.account, Region: of.region}
	}
	p, _ := h.Settings.Project(of.name, of.account, of.region, home)
	return h.Settings.PriceOf(p)
}

// Costs sums up what the remembered failed builds of one project, or of all (""), cost: those that
// ended at or after from, and before to.
func (h *Healer) Costs(ctx context.Context, project string, from, to time.Time) (decide.Costs, error) {
	var all []pastProject
	err := h.eachPast(ctx, project, func(of pastOfProject, p past) { all = append(all, pastProject{of, p}) })
	return h.costsOf(all, from, to), err
}

// eachFailed gives the remembered failed builds of one project, or of all (""), that ended at or
// after from, and before to. cut: of some project more builds failed than are remembered.
func (h *Healer) eachFailed(ctx context.Context, project string, from, to time.Time, f func(pastOfProject, pastBuild)) (
	cut bool, err error) {
	err = h.eachPast(ctx, project, func(of pastOfProject, p past) {
		cut = cut || p.From.After(from)
		for _, b := range p.Builds {
			if !b.End.Before(from) && b.End.Before(to) {
				f(of, b)
			}
		}
	})
	return cut, err
}

// FailedBuilds lists the builds that [Healer.Costs] sums up, in no order. cut: of some project more
// failed than are remembered.
func (h *Healer) FailedBuilds(ctx context.Context, project string, from, to time.Time) (
	bs []decide.FailedBuild, cut bool, err error) {
	cut, err = h.eachFailed(ctx, project, from, to, func(of pastOfProject, b pastBuild) {
		bs = append(bs, decide.FailedBuild{Account: of.account, Region: of.region, Project: of.name, ID: b.ID, Cause: b.Cause,
			End: b.End, Took: b.took(), Green: b.Green, Own: b.Own})
	})
	return bs, cut, err
}

// Flaky lists the tests of one project, or of all (""), that have flaked: those that did most often
// first, at most limit.
func (h *Healer) Flaky(ctx context.Context, project string, limit int) ([]decide.FlakyTest, error) {
	out := []decide.FlakyTest{}
	err := h.eachPast(ctx, project, func(of pastOfProject, p past) {
		out = append(out, p.flaky(of.account, of.region, of.name)...)
	})
	slices.SortFunc(out, byFlaked)
	return out[:min(limit, len(out))], err
}

// pastOfProject is what an item's key says.
type pastOfProject struct{ account, region, name string }

// pastPage is how many memories are read at once: each may have hundreds of kilobytes.
const pastPage = 50

// eachPast gives what is remembered of one project, or of all (""), the project that failed first
// last. Of a project there may be two.
func (h *Healer) eachPast(ctx context.Context, project string, f func(pastOfProject, past)) error {
	to := h.Clock.Now().Add(time.Second)
	seen := map[string]bool{} // those of the last page's last moment come again
	for range maxProjects {
		its, err := h.Store.Between(ctx, kindPast, time.Time{}, to, true, pastPage)
		if err != nil {
			return fmt.Errorf("reading past failures: %w", err)
		}
		fresh := slices.DeleteFunc(slices.Clone(its), func(it Item) bool { return seen[it.ID] })
		h.givePast(ctx, fresh, project, f)
		if len(its) < pastPage {
			return nil
		}
		last := its[len(its)-1].Due
		if to = last.Add(1); len(fresh) == 0 {
			to = last
		}
		for _, it := range fresh {
			seen[it.ID] = true
		}
	}
	return nil
}

func (h *Healer) givePast(ctx context.Context, its []Item, project string, f func(pastOfProject, past)) {
	for _, it := range its {
		key := strings.Fields(it.ID)
		var p past
		if err := unmarshal(it, &p); err != nil {
			h.Log.ErrorContext(ctx, "past failures are left out", "error", err)
			continue
		}
		if len(key) >= 3 && (project == "" || key[2] == project) {
			f(pastOfProject{key[0], key[1], key[2]}, p)
		}
	}
}

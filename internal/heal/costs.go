package heal

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Costs is what the failed builds cost that the ledger remembers. Nothing in it is an estimate:
// these are the times of builds, as CodeBuild has them.
type Costs struct {
	From   time.Time   `json:"from,omitzero"` // end of the first of these builds
	To     time.Time   `json:"to,omitzero"`   // end of the last
	Causes []CauseCost `json:"causes"`        // that which cost most first
	Total  CauseCost   `json:"total"`         // of all
	// Cut: of some project more builds failed than are remembered.
	Cut bool `json:"cut,omitempty"`
}

// CauseCost is what failed builds of one cause cost.
type CauseCost struct {
	Cause   string `json:"cause"`   // "" of the total
	Builds  int    `json:"builds"`  // that failed
	Seconds int    `json:"seconds"` // how long these ran
	// Healed are those after which the next green build of the branch was one that Buildmedic started;
	// Others, after which it was another one. The rest is not known to be green again.
	Healed ToGreen `json:"healed"`
	Others ToGreen `json:"others"`
}

// ToGreen says how long it took until a branch was green again: from the end of a failed build to the
// end of the green one.
type ToGreen struct {
	Builds int `json:"builds"`
	Median int `json:"median_seconds"` // the middle one, or the lower one of two
	Most   int `json:"most_seconds"`

	all []int
}

func (g *ToGreen) add(seconds int) { g.all = append(g.all, seconds) }

func (g *ToGreen) sum() {
	slices.Sort(g.all)
	if n := len(g.all); n > 0 {
		g.Builds, g.Median, g.Most = n, g.all[(n-1)/2], g.all[n-1]
	}
}

func (c *CauseCost) add(b pastBuild) {
	c.Builds++
	c.Seconds += int(b.took() / time.Second)
	if b.Green.IsZero() {
		return
	}
	to := int(max(b.Green.Sub(b.End), 0) / time.Second)
	if b.Own {
		c.Healed.add(to)
	} else {
		c.Others.add(to)
	}
}

func (c *CauseCost) sum() {
	c.Healed.sum()
	c.Others.sum()
}

// costsOf sums up builds.
func costsOf(builds []pastBuild) Costs {
	by := map[string]*CauseCost{}
	out := Costs{Causes: []CauseCost{}}
	for _, b := range builds {
		c := by[b.Cause]
		if c == nil {
			c = &CauseCost{Cause: b.Cause}
			by[b.Cause] = c
		}
		c.add(b)
		out.Total.add(b)
		if out.From.IsZero() || b.End.Before(out.From) {
			out.From = b.End
		}
		if b.End.After(out.To) {
			out.To = b.End
		}
	}
	for _, c := range by {
		c.sum()
		out.Causes = append(out.Causes, *c)
	}
	out.Total.sum()
	slices.SortFunc(out.Causes, func(a, b CauseCost) int {
		return cmp.Or(cmp.Compare(b.Seconds, a.Seconds), cmp.Compare(b.Builds, a.Builds), strings.Compare(a.Cause, b.Cause))
	})
	return out
}

// Costs sums up what the remembered failed builds of one project, or of all (""), cost: those that
// ended at or after from.
func (h *Healer) Costs(ctx context.Context, project string, from time.Time) (Costs, error) {
	var all []pastBuild
	cut := false
	err := h.eachPast(ctx, project, func(_ pastOfProject, p past) {
		cut = cut || p.From.After(from)
		for _, b := range p.Builds {
			if !b.End.Before(from) {
				all = append(all, b)
			}
		}
	})
	out := costsOf(all)
	out.Cut = cut
	return out, err
}

// Flaky lists the tests of one project, or of all (""), that have flaked: those that did most often
// first, at most limit.
func (h *Healer) Flaky(ctx context.Context, project string, limit int) ([]FlakyTest, error) {
	out := []FlakyTest{}
	err := h.eachPast(ctx, project, func(of pastOfProject, p past) {
		out = append(out, p.flaky(of.account, of.region, of.name)...)
	})
	slices.SortFunc(out, byFlaked)
	return out[:min(limit, len(out))], err
}

// pastOfProject is what an item's key says.
type pastOfProject struct{ account, region, name string }

// eachPast gives what is remembered of one project, or of all (""). Of a project there may be two.
func (h *Healer) eachPast(ctx context.Context, project string, f func(pastOfProject, past)) error {
	its, err := h.Store.Between(ctx, kindPast, time.Time{}, h.Clock.Now().Add(time.Second), true, 2*maxProjects)
	if err != nil {
		return fmt.Errorf("reading past failures: %w", err)
	}
	for _, it := range its {
		key := strings.Fields(it.ID)
		var p past
		if err := unmarshal(it, &p); err != nil {
			return err
		}
		if len(key) >= 3 && (project == "" || key[2] == project) {
			f(pastOfProject{key[0], key[1], key[2]}, p)
		}
	}
	return nil
}

package heal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// maxHolds bounds the holds that one place lists. Beyond it every grant is held
// back there, so that none is forgotten.
const maxHolds = 50

// What is kept of who asked, and of why a person pauses.
const (
	maxBy      = 200
	maxBecause = 1000
)

// A place is where holds are looked up: a project, a role, a managed policy.
// IAM's names are unique in an account, whatever their path and case
// (AWS.md#names).
func projectPlace(at settings.Account, project string) string {
	return "project " + at.ID + " " + at.Region + " " + project
}

func iamPlace(kind, account, pathName string) string {
	_, name := codebuild.SplitPath(pathName)
	return kind + " " + account + " " + strings.ToLower(name)
}

// placesOf are the places of a hold; the project's is the last.
func placesOf(h decide.Hold) (ps []string) {
	for _, arn := range []string{h.Role, h.Policy} {
		if a, ok := codebuild.ParseARN(arn); ok {
			kind, name, _ := strings.Cut(a.Resource, "/")
			ps = append(ps, iamPlace(kind, a.Account, name))
		}
	}
	return append(ps, projectPlace(settings.Account{ID: h.Account, Region: h.Region}, h.Project))
}

// placesFor are the places that say what may not be given to the project, for the role for which it
// stands.
func placesFor(at settings.Account, p settings.Project) []string {
	ps := []string{projectPlace(at, p.Name), iamPlace("role", at.ID, p.Role)}
	if p.Write.Managed != "" {
		ps = append(ps, iamPlace("policy", at.ID, p.Write.Managed))
	}
	return ps
}

func (h *Healer) readHolds(ctx context.Context, place string) (it Item, holds []decide.Hold, err error) {
	it, err = h.Store.Get(ctx, kindHold, place)
	switch {
	case errors.Is(err, ErrNotFound):
		return Item{Kind: kindHold, ID: place}, nil, nil
	case err != nil:
		return it, nil, fmt.Errorf("reading what was taken back from %q: %w", place, err)
	}
	return it, holds, unmarshal(it, &holds)
}

// changeHolds changes what one place lists.
func (h *Healer) changeHolds(ctx context.Context, place string, change func([]decide.Hold) []decide.Hold) error {
	for range 5 {
		it, holds, err := h.readHolds(ctx, place)
		if err != nil {
			return err
		}
		holds = change(holds)
		if it.Data, err = json.Marshal(holds); err != nil {
			return err
		}
		it.Due = time.Time{}
		if strings.HasPrefix(place, "project ") && len(holds) > 0 {
			it.Due = holds[len(holds)-1].At // so that all can be listed
		}
		if _, err = h.Store.Put(ctx, it); err == nil || !errors.Is(err, ErrConflict) {
			return err
		}
	}
	return fmt.Errorf("recording what was taken back from %q: others write it at the same time: %w", place, ErrLater)
}

func sameHold(a, b decide.Hold) bool {
	return a.Grant == b.Grant && a.Account == b.Account && a.Region == b.Region && a.Project == b.Project
}

// hold records, before a person's undo, that what the round gave is not given
// again. by says who asks, "" if nobody knows.
func (h *Healer) hold(ctx context.Context, c *held, r decide.Round, by string) error {
	for _, one := range c.HeldBy(r) {
		one.At, one.By = h.Clock.Now(), by
		for _, place := range placesOf(one) {
			if err := h.changeHolds(ctx, place, func(all []decide.Hold) []decide.Hold { return withHold(all, one) }); err != nil {
				return fmt.Errorf("recording that %s was taken back: %w", one.What(), err)
			}
		}
	}
	return nil
}

// withHold adds a hold. Of too many, the oldest give way to one of every grant.
func withHold(all []decide.Hold, one decide.Hold) []decide.Hold {
	all = append(slices.DeleteFunc(all, func(o decide.Hold) bool { return sameHold(o, one) }), one)
	if len(all) <= maxHolds {
		return all
	}
	every := one
	every.Grant = decide.EveryGrant
	all = slices.DeleteFunc(all, func(o decide.Hold) bool { return o.Grant == decide.EveryGrant })
	return append([]decide.Hold{every}, all[max(0, len(all)-maxHolds+1):]...)
}

// heldBack gives what persons took back from the project, its role and its
// managed policy.
func (h *Healer) heldBack(ctx context.Context, at settings.Account, p settings.Project) (out []decide.Hold, err error) {
	if h.Store == nil {
		return nil, nil // at a desk without a ledger nothing is given
	}
	places := placesFor(at, p)
	there := make([][]decide.Hold, len(places))
	var read []func() error
	for i, place := range places {
		read = append(read, func() (err error) { _, there[i], err = h.readHolds(ctx, place); return err })
	}
	if err := beside(read...); err != nil {
		return nil, err
	}
	for _, holds := range there {
		for _, one := range holds {
			if !slices.Contains(out, one) {
				out = append(out, one)
			}
		}
	}
	return out, nil
}

// Holds lists what persons took back from one project, or from all (""), the
// newest first, at most limit.
func (h *Healer) Holds(ctx context.Context, project string, limit int) ([]decide.Hold, error) {
	places, err := newest[[]decide.Hold](ctx, h, kindHold, maxHistory)
	if err != nil {
		return nil, fmt.Errorf("listing what was taken back: %w", err)
	}
	var out []decide.Hold
	for _, holds := range places {
		for _, one := range slices.Backward(holds) {
			if (project == "" || one.Project == project) && len(out) < limit {
				out = append(out, one)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b decide.Hold) int { return b.At.Compare(a.At) })
	return out, nil
}

// lift lifts what a person took back.
func (h *Healer) lift(ctx context.Context, what ResumeWhat) (CommandAnswer, error) {
	at, places, no := h.placesNamed(what)
	if no != "" {
		return CommandAnswer{Message: no}, nil
	}
	var lifted, others []string
	for _, place := range places {
		_, holds, err := h.readHolds(ctx, place)
		if err != nil {
			return CommandAnswer{}, err
		}
		for _, one := range holds {
			if what.Grant != decide.EveryGrant && one.Grant != what.Grant {
				others = append(others, one.What())
				continue
			}
			for _, p := range append(placesOf(one), place) { // the project's own place comes last but one
				if err := h.changeHolds(ctx, p, func(all []decide.Hold) []decide.Hold {
					return slices.DeleteFunc(all, func(o decide.Hold) bool { return sameHold(o, one) })
				}); err != nil {
					return CommandAnswer{}, fmt.Errorf("lifting the undo of %s: %w", one.What(), err)
				}
			}
			lifted = append(lifted, one.What()+" of project "+one.Project)
		}
	}
	slices.Sort(lifted)
	slices.Sort(others)
	also := ""
	if len(others) > 0 {
		also = " Still held back: " + strings.Join(slices.Compact(others), ", ") + "."
	}
	if len(lifted) == 0 {
		return CommandAnswer{Message: fmt.Sprintf("Nothing such was taken back from project %q of account %s, %s, or its role.%s",
			what.Project, at.ID, at.Region, also)}, nil
	}
	return CommandAnswer{Done: true, Message: "It may be given again: " + strings.Join(slices.Compact(lifted), ", ") + "." +
		also + " Replay a failed build that needs it."}, nil
}

// atOf is the account and region of a project of the settings.
func (h *Healer) atOf(p settings.Project) settings.Account {
	v := p.Vars(h.Home, "")
	return settings.Account{ID: v.Account, Region: v.Region}
}

// placesNamed finds the places of the project that a person names; no says why
// it is not clear which one is meant.
func (h *Healer) placesNamed(what ResumeWhat) (at settings.Account, places []string, no string) {
	at = settings.Account{ID: what.Account, Region: what.Region}
	if what.Project == "" {
		return at, nil, "Name the project, too: {\"resume\":{\"project\":…,\"grant\":…}}. {\"resume\":{}} ends a pause."
	}
	var found []settings.Project
	for _, p := range h.Settings.Projects {
		own := h.atOf(p)
		if p.Name == what.Project && (at.ID == "" || at.ID == own.ID) && (at.Region == "" || at.Region == own.Region) {
			found = append(found, p)
		}
	}
	if len(found) > 1 {
		return at, nil, fmt.Sprintf("Several projects are named %q: name account and region, too.", what.Project)
	}
	if len(found) == 1 {
		at = h.atOf(found[0])
		for _, p := range found[0].Roles() {
			for _, place := range placesFor(at, p) {
				if !slices.Contains(places, place) {
					places = append(places, place)
				}
			}
		}
		return at, places, ""
	}
	if at.ID == "" {
		at.ID = h.Home.ID
	}
	if at.Region == "" {
		at.Region = h.Home.Region
	}
	return at, []string{projectPlace(at, what.Project)}, "" // the settings no longer name it
}

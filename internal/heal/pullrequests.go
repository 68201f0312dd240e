package heal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// pullRequestsFor is how long a failed build of a pull request is remembered: within it,
// the project counts as one that builds them.
const pullRequestsFor = 30 * 24 * time.Hour

// maxBuilt bounds what is told of pull requests that are built.
const maxBuilt = 3

// pullRequests finds out whether one of the projects that have what p is given, which of
// what is scoped is p alone, builds pull requests: by its webhook, or by a failed build of
// one that was seen. What may not be read is said, since it counts as if they were built.
func (h *Healer) pullRequests(ctx context.Context, at settings.Account, p settings.Project, scoped bool) (
	guardrail.PullRequestBuilds, error) {
	ps := []settings.Project{p}
	if !scoped {
		ps = settings.SharingOf(h.Settings, h.Home).Holders(p)
	}
	out := guardrail.PullRequestBuilds{Read: true, Own: scoped}
	names := map[settings.Account][]string{}
	for _, q := range ps {
		place := h.atOf(q)
		place.ID = at.ID // all are in one account, since they share a role
		names[place] = append(names[place], q.Name)
		seen, err := h.pullRequestSeen(ctx, place, q.Name)
		if err != nil {
			return out, err
		}
		if seen.Build != "" {
			out.Built = append(out.Built, fmt.Sprintf("project %s built one on %s, which counts for 30 days (%s)", q.Name,
				seen.At.UTC().Format(time.DateOnly), seen.Build))
		}
	}
	for place, some := range names {
		found, err := h.projects(ctx, place, some)
		switch {
		case errors.Is(err, ErrDenied), errors.Is(err, ErrFinal):
			out.Unread = err.Error()
			continue
		case err != nil:
			return out, fmt.Errorf("reading the projects that run as the role of %q: %w", p.Name, err)
		}
		for _, f := range found {
			if f.Webhook.BuildsPullRequests() {
				out.Built = append(out.Built, fmt.Sprintf("the webhook of project %s starts builds of them", f.Name))
			}
		}
	}
	slices.Sort(out.Built) // so that deciding again gives the same
	if n := len(out.Built) - maxBuilt; n > 0 {
		out.Built = append(out.Built[:maxBuilt], fmt.Sprintf("and %d more", n))
	}
	return out, nil
}

// pullRequestBuild is a build of a pull request that was seen.
type pullRequestBuild struct {
	Build string    `json:"build"`
	At    time.Time `json:"at"`
}

func pullRequestKey(at settings.Account, project string) string {
	return "pull-request " + at.ID + " " + at.Region + " " + project
}

func (h *Healer) pullRequestSeen(ctx context.Context, at settings.Account, project string) (r pullRequestBuild, err error) {
	it, err := h.Store.Get(ctx, kindFlag, pullRequestKey(at, project))
	if errors.Is(err, ErrNotFound) {
		return r, nil
	}
	if err != nil {
		return r, fmt.Errorf("reading whether pull requests were built: %w", err)
	}
	if err := unmarshal(it, &r); err != nil {
		return r, err
	}
	if h.Clock.Now().Sub(r.At) > pullRequestsFor {
		return pullRequestBuild{}, nil
	}
	return r, nil
}

// notePullRequest records that the project builds pull requests, if b is of one.
func (h *Healer) notePullRequest(ctx context.Context, at settings.Account, b codebuild.Build) error {
	if !guardrail.OfPullRequest(b) {
		return nil
	}
	when := b.Start
	if when.IsZero() {
		when = h.Clock.Now()
	}
	it, err := h.Store.Get(ctx, kindFlag, pullRequestKey(at, b.Project))
	if err != nil && !errors.Is(err, ErrNotFound) {
		return fmt.Errorf("reading whether pull requests were built: %w", err)
	}
	var known pullRequestBuild
	if err == nil {
		if err := unmarshal(it, &known); err != nil {
			return err
		}
	}
	if when.Sub(known.At) < 24*time.Hour {
		return nil
	}
	data, err := json.Marshal(pullRequestBuild{Build: b.ID, At: when})
	if err != nil {
		return err
	}
	_, err = h.Store.Put(ctx, Item{Kind: kindFlag, ID: pullRequestKey(at, b.Project), Version: it.Version, Data: data,
		Expires: when.Add(pullRequestsFor + decide.ClockSkew)})
	if err != nil && !errors.Is(err, ErrConflict) { // another run has recorded one
		return fmt.Errorf("recording that pull requests are built: %w", err)
	}
	return nil
}

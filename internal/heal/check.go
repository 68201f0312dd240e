package heal

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// KnownProjects remembers projects that were read, for many builds of one project that fail at once. The
// zero value remembers nothing yet; it may be used by several goroutines.
type KnownProjects struct {
	mu   sync.Mutex
	read map[projectOf]knownProject
}

type projectOf struct {
	at   settings.Account
	name string
}

type knownProject struct {
	codebuild.Project
	when   time.Time // it was as it is here then
	unread string    // why it is not known
}

const (
	// knownFor is how long a project is remembered at most.
	knownFor = 15 * time.Minute
	// maxKnown bounds how many are remembered.
	maxKnown = 2000
)

// withCheck completes a build that failed by what its project says of it: whether it is a
// runner of a code host's jobs, and what whoever started it chose instead of the project's. A project
// that is gone or may not be read is no error: [codebuild.Checked] says so.
func (h *Healer) withCheck(ctx context.Context, at settings.Account, b codebuild.Build) (codebuild.Build, error) {
	if !b.HasFailed() || b.Project == "" {
		return b, nil
	}
	p, fresh, err := h.knownProject(ctx, at, b.Project, b.Start)
	if err != nil {
		return b, err
	}
	c := p.check(b)
	if len(c.Overrides) > 0 && !fresh { // the project may have been changed before the build began
		if p, _, err = h.knownProject(ctx, at, b.Project, h.Clock.Now()); err != nil {
			return b, err
		}
		c = p.check(b)
	}
	b.Checked = &c
	return b, nil
}

// ifKnown does the same for a green build, if its project is remembered as it was since the build began: no call
// is made for each.
func (h *Healer) ifKnown(at settings.Account, b codebuild.Build) codebuild.Build {
	if p, ok := h.Known.get(projectOf{at, b.Project}); ok && !p.when.Before(b.Start) && h.Clock.Now().Sub(p.when) < knownFor {
		c := p.check(b)
		b.Checked = &c
	}
	return b
}

func (p knownProject) check(b codebuild.Build) codebuild.Checked {
	if p.unread != "" {
		return codebuild.Checked{Unread: p.unread}
	}
	return p.Check(b)
}

// holdsStill reports whether what is remembered of a project is as it was at the time or later.
func (h *Healer) holdsStill(was knownProject, since time.Time) bool {
	return !was.when.Before(since) && h.Clock.Now().Sub(was.when) < knownFor
}

// knownProject gives a project as it was at the time or later. fresh: it was read just now.
func (h *Healer) knownProject(
	ctx context.Context, at settings.Account, name string, since time.Time,
) (p knownProject, fresh bool, err error) {
	if was, ok := h.Known.get(projectOf{at, name}); ok && h.holdsStill(was, since) {
		return was, false, nil
	}
	err = h.readProjects(ctx, at, []string{name}, func(_ string, k knownProject) { p = k })
	return p, true, err
}

// foreseeProject reads the project that a build's id names beside its record, if it is not remembered.
func (h *Healer) foreseeProject(ctx context.Context, at settings.Account, id string) {
	name := id[:max(strings.LastIndexByte(id, ':'), 0)]
	if h.Known == nil || name == "" || strings.Contains(name, "/") { // that of a build which stands for something else
		return
	}
	if was, ok := h.Known.get(projectOf{at, name}); ok && h.Clock.Now().Sub(was.when) < knownFor {
		return
	}
	_ = h.readProjects(ctx, at, []string{name}, func(string, knownProject) {}) // whoever needs it reads it again
}

// readProjects reads projects, remembers them, and gives each.
func (h *Healer) readProjects(ctx context.Context, at settings.Account, names []string, each func(name string, p knownProject)) error {
	now := h.Clock.Now()
	found, err := h.Projects.Read(ctx, at, names)
	unread := "Its project is gone, so it cannot be told what the build had that the project has not."
	switch {
	case errors.Is(err, ErrDenied), errors.Is(err, ErrFinal):
		unread = "Its project cannot be read, so it cannot be told what the build had that the project has not: " + err.Error() + "."
	case err != nil:
		return fmt.Errorf("reading project %q: %w", names[0], err)
	}
	all := map[string]knownProject{}
	for _, name := range names {
		all[name] = knownProject{when: now, unread: unread}
	}
	for _, p := range found {
		all[p.Name] = knownProject{Project: p, when: now}
	}
	for _, name := range names {
		p := all[name]
		if p.unread == "" {
			h.Known.put(projectOf{at, name}, p)
		}
		each(name, p)
	}
	return nil
}

// projects reads projects, but for those that were read within the last minute.
func (h *Healer) projects(ctx context.Context, at settings.Account, names []string) (ps []codebuild.Project, err error) {
	now := h.Clock.Now()
	var unknown []string
	for _, name := range names {
		if p, ok := h.Known.get(projectOf{at, name}); ok && now.Sub(p.when) < freshFor {
			ps = append(ps, p.Project)
		} else {
			unknown = append(unknown, name)
		}
	}
	if len(unknown) == 0 {
		return ps, nil
	}
	found, err := h.Projects.Read(ctx, at, unknown)
	return append(ps, found...), err
}

func (k *KnownProjects) get(of projectOf) (knownProject, bool) {
	if k == nil {
		return knownProject{}, false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	p, ok := k.read[of]
	return p, ok
}

func (k *KnownProjects) put(of projectOf, p knownProject) {
	if k == nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.read == nil || len(k.read) >= maxKnown {
		k.read = map[projectOf]knownProject{}
	}
	k.read[of] = p
}

// projectsTogether reads the projects of several failed builds with one call, and with them as many others
// of the settings as it takes: where builds of several projects fail at once, more will. What cannot be read
// together is read alone.
func (h *Healer) projectsTogether(ctx context.Context, at settings.Account, bs []codebuild.Build) {
	var names []string
	var since time.Time
	seen := map[string]bool{}
	add := func(name string, began time.Time) {
		if was, ok := h.Known.get(projectOf{at, name}); seen[name] || ok && h.holdsStill(was, began) || len(names) == maxTogether {
			return
		}
		seen[name] = true
		names = append(names, name)
	}
	projects := map[string]bool{}
	for _, b := range bs {
		if b.HasFailed() {
			add(b.Project, b.Start)
			projects[b.Project] = true
			if b.Start.After(since) {
				since = b.Start
			}
		}
	}
	if h.Known == nil || len(names) == 0 || len(projects) < 2 {
		return
	}
	own, read := len(names), 0
	for _, p := range h.Settings.Projects {
		if q, ok := h.Settings.Project(p.Name, at.ID, at.Region, h.Home); ok && q.Account == p.Account && q.Region == p.Region {
			add(p.Name, since)
		}
	}
	err := h.readProjects(ctx, at, names, func(_ string, p knownProject) {
		if p.unread == "" {
			read++
		}
	})
	if err == nil && read == 0 && own < len(names) { // one of the others that may not be read has the whole call refused
		err = h.readProjects(ctx, at, names[:own], func(string, knownProject) {})
	}
	if err != nil {
		h.Log.WarnContext(ctx, "projects are read one by one", "account", at.ID, "region", at.Region, "error", err.Error())
	}
}

// maxTogether is how many projects are read with one call (AWS.md#listing-builds).
const maxTogether = 100

// checkRound looks at the project of the last round's build, if a version recorded the round that did not.
func (h *Healer) checkRound(ctx context.Context, c *held) error {
	r := c.last()
	if r.Build.Checked != nil || !r.Build.HasFailed() {
		return nil
	}
	b, err := h.build(ctx, c.at(), r.Build.ID)
	switch {
	case errors.Is(err, ErrNotFound):
		r.Build.Checked = &codebuild.Checked{Unread: "Its record is gone, so it cannot be told what it had that its project has not."}
	case err != nil:
		return fmt.Errorf("reading the build again: %w", err)
	default:
		r.Build.Checked = b.Checked
	}
	return nil
}

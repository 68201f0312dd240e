package heal

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// pausedFlag pauses everything.
const pausedFlag = "paused"

// pausedToStop is how many projects have to be paused within a day before
// everything is: committers of one project, or of a few, cannot stop the others.
const pausedToStop = 5

// PausedProject is a project that the breaker has paused.
type PausedProject struct {
	Project string    `json:"project"`
	Account string    `json:"account"`
	Region  string    `json:"region"`
	Since   time.Time `json:"since"`
	Because string    `json:"because"`
}

func projectFlag(at settings.Account, project string) string {
	return strings.Join([]string{pausedFlag, at.ID, at.Region, project}, " ")
}

// paused says why nothing may be written for the project now; "" if writing is
// allowed.
func (h *Healer) paused(ctx context.Context, at settings.Account, project string) (string, error) {
	why, err := h.flag(ctx, pausedFlag)
	if err != nil || why != "" {
		return why, err
	}
	data, err := h.flag(ctx, projectFlag(at, project))
	if err != nil || data == "" {
		return "", err
	}
	var p PausedProject
	if err := json.Unmarshal([]byte(data), &p); err != nil {
		return "", fmt.Errorf("reading whether project %q is paused: %w", project, err)
	}
	return p.Because, nil
}

// flag reads a flag; "" if it is not set.
func (h *Healer) flag(ctx context.Context, id string) (string, error) {
	it, err := h.Store.Get(ctx, kindFlag, id)
	if errors.Is(err, ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("reading whether writing is paused: %w", err)
	}
	return string(it.Data), nil
}

// set sets a flag, unless it is set.
func (h *Healer) set(ctx context.Context, id string, data []byte, due time.Time) (done bool, err error) {
	it, err := h.Store.Get(ctx, kindFlag, id)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return false, fmt.Errorf("pausing: %w", err)
	}
	if len(it.Data) > 0 {
		return false, nil
	}
	_, err = h.Store.Put(ctx, Item{Kind: kindFlag, ID: id, Version: it.Version, Due: due, Data: data})
	if errors.Is(err, ErrConflict) {
		return false, nil // somebody else was quicker
	}
	if err != nil {
		return false, fmt.Errorf("pausing: %w", err)
	}
	return true, nil
}

// clear clears a flag. It reports false if it was not set.
func (h *Healer) clear(ctx context.Context, id string) (bool, error) {
	it, err := h.Store.Get(ctx, kindFlag, id)
	if errors.Is(err, ErrNotFound) || (err == nil && len(it.Data) == 0) {
		return false, nil
	}
	if err == nil {
		it.Data, it.Due = nil, time.Time{}
		_, err = h.Store.Put(ctx, it)
	}
	if err != nil {
		return false, fmt.Errorf("resuming: %w", err)
	}
	return true, nil
}

// breaker pauses the case's project once as many of its grants were undone
// within a day as the settings name, and everything once that has happened to
// [pausedToStop] projects.
func (h *Healer) breaker(ctx context.Context, c *held) error {
	now := h.Clock.Now()
	n, day, project := h.Settings.Limits.UndoneToStop, now.UTC().Format("2006-01-02"), projectFlag(c.at(), c.Project)
	ok, err := h.Store.Count(ctx, "undone "+day+" "+project, token(c), n-1, now.Add(48*time.Hour))
	if err != nil {
		return fmt.Errorf("counting undone grants: %w", err)
	}
	if ok {
		return nil
	}
	at := fmt.Sprintf(" Paused at %s.", now.UTC().Format(toTheSecond)) // no two pauses are the same
	p := PausedProject{Project: c.Project, Account: c.Account, Region: c.Region, Since: now}
	p.Because = fmt.Sprintf("%d changes for project %s that did not help had to be taken back within a day, so nothing more is "+
		"written for it (limits.stop_after_undone). Look at the cases, then send %s.", n, c.Project, h.resumeOf(p)) + at
	if err := h.stop(ctx, c, project, now, decide.Pending{Note: p.Because}, func(why string) ([]byte, error) {
		p.Because = why
		return json.Marshal(p)
	}); err != nil {
		return err
	}
	ok, err = h.Store.Count(ctx, "paused "+day, project, pausedToStop-1, now.Add(48*time.Hour))
	if err != nil {
		return fmt.Errorf("counting paused projects: %w", err)
	}
	if ok {
		return nil
	}
	why := fmt.Sprintf("%d projects were paused within a day, because changes that did not help had to be taken back "+
		"(limits.stop_after_undone), so nothing more is written at all. Look at the cases, then send {\"resume\":{}}, and "+
		"resume each project.", pausedToStop) + at
	return h.stop(ctx, c, pausedFlag, time.Time{}, decide.Pending{Note: why, Everywhere: true},
		func(why string) ([]byte, error) { return []byte(why), nil })
}

// stop sets a flag that pauses. Its notice is recorded first: an invocation that
// dies after the flag is set would not know any more that nobody was told. The flag has the words
// of the notice, which name the pause.
func (h *Healer) stop(
	ctx context.Context, c *held, id string, due time.Time, say decide.Pending, data func(why string) ([]byte, error),
) error {
	if was, err := h.flag(ctx, id); err != nil || was != "" {
		return err
	}
	i := slices.IndexFunc(c.Outbox, func(p decide.Pending) bool { return p.Kind == decide.Paused && p.Everywhere == say.Everywhere })
	if i < 0 {
		c.tell(h.Clock.Now(), decide.Paused, say.Note)
		i = len(c.Outbox) - 1
		c.Outbox[i].Everywhere, c.Outbox[i].Pause = say.Everywhere, pauseID(id, say.Note)
		if err := h.save(ctx, c, false); err != nil {
			return err
		}
	}
	b, err := data(c.Outbox[i].Note)
	if err == nil {
		_, err = h.set(ctx, id, b, due)
	}
	return err
}

// pauseID names a pause by its flag and by why it was set, which says when.
func pauseID(flag, why string) string {
	h := sha256.Sum256([]byte(flag + "\x00" + why))
	return hex.EncodeToString(h[:8])
}

// unpauseNamed ends one pause, and no other that was made since.
func (h *Healer) unpauseNamed(ctx context.Context, id string) (CommandAnswer, error) {
	why, err := h.flag(ctx, pausedFlag)
	if err != nil {
		return CommandAnswer{}, err
	}
	if why != "" && pauseID(pausedFlag, why) == id {
		return h.unpause(ctx)
	}
	all, err := h.PausedProjects(ctx)
	if err != nil {
		return CommandAnswer{}, err
	}
	for _, p := range all {
		if pauseID(projectFlag(settings.Account{ID: p.Account, Region: p.Region}, p.Project), p.Because) == id {
			return h.unpauseProject(ctx, ResumeWhat{Project: p.Project, Account: p.Account, Region: p.Region})
		}
	}
	a := CommandAnswer{Message: "That pause is over already.", Paused: why, PausedProjects: all}
	if why != "" {
		a.Message += " But everything is paused since, and this does not end it: " + why
	}
	for _, p := range all[:min(len(all), pausedToStop)] {
		a.Message += fmt.Sprintf(" Project %s is paused still; send %s.", p.Project, h.resumeOf(p))
	}
	return a, nil
}

// unpause ends the pause of everything.
func (h *Healer) unpause(ctx context.Context) (CommandAnswer, error) {
	done, err := h.clear(ctx, pausedFlag)
	if err != nil {
		return CommandAnswer{}, err
	}
	a := CommandAnswer{Done: done, Message: "Writing is allowed again."}
	if !done {
		a.Message = "It is not paused."
	}
	a.PausedProjects, err = h.PausedProjects(ctx)
	for _, p := range a.PausedProjects {
		a.Message += fmt.Sprintf(" Project %s is paused still; send %s.", p.Project, h.resumeOf(p))
	}
	return a, err
}

// unpauseProject ends the pause of a project.
func (h *Healer) unpauseProject(ctx context.Context, what ResumeWhat) (CommandAnswer, error) {
	all, err := h.PausedProjects(ctx)
	if err != nil {
		return CommandAnswer{}, err
	}
	all = slices.DeleteFunc(all, func(p PausedProject) bool {
		return p.Project != what.Project || what.Account != "" && p.Account != what.Account || what.Region != "" && p.Region != what.Region
	})
	switch len(all) {
	case 0:
		return CommandAnswer{Message: fmt.Sprintf("Project %q is not paused. To let what a person took back be given again, "+
			"name the grant, too.", what.Project)}, nil
	case 1:
	default:
		return CommandAnswer{Message: fmt.Sprintf("%d projects named %q are paused: name its account and region, too.", len(all),
			what.Project), PausedProjects: all}, nil
	}
	p := all[0]
	done, err := h.clear(ctx, projectFlag(settings.Account{ID: p.Account, Region: p.Region}, p.Project))
	if err != nil {
		return CommandAnswer{}, err
	}
	if !done {
		return CommandAnswer{Message: fmt.Sprintf("Project %q is not paused.", what.Project)}, nil
	}
	a := CommandAnswer{Done: true, Message: fmt.Sprintf("Writing is allowed again for project %s.", p.Project)}
	if a.Paused, err = h.flag(ctx, pausedFlag); err == nil && a.Paused != "" {
		a.Message += " But everything is paused: send {\"resume\":{}}."
	}
	return a, err
}

// PausedProjects lists the projects that the breaker has paused, the newest
// first.
func (h *Healer) PausedProjects(ctx context.Context) ([]PausedProject, error) {
	ps, err := newest[PausedProject](ctx, h, kindFlag, maxProjects)
	if err != nil {
		return nil, fmt.Errorf("listing paused projects: %w", err)
	}
	return ps, nil
}

// resumeOf is the command that ends the pause of a project.
func (h *Healer) resumeOf(p PausedProject) string {
	what := ResumeWhat{Project: p.Project}
	if p.Account != h.Home.ID || p.Region != h.Home.Region {
		what.Account, what.Region = p.Account, p.Region
	}
	data, _ := json.Marshal(Command{Resume: &what}) // strings alone cannot fail
	return string(data)
}

package heal

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/buildmedic/buildmedic/internal/decide"
)

// Release has the cases that follow another one be started again, and told of. One
// message goes from pass to pass: each looks at all of them, and comes again until
// all have ended.
type Release struct {
	Leader string `json:"leader,omitempty"` // the case that they follow
	// Incident is the key of an incident that is to be looked at, in the place of a leader. Run is the
	// time that it was to be looked at then; 0: it is looked at now.
	Incident string `json:"incident,omitempty"`
	// Run is that of its [decide.Crowd]; 0: begin one, unless one is under way.
	Run int64 `json:"run,omitempty"`
	// Pass counts the passes that are over.
	Pass int `json:"pass,omitempty"`
	// From is how far this pass has come, with what it has seen so far.
	From    time.Time        `json:"from,omitzero"`
	Seen    decide.Followers `json:"seen,omitzero"`
	Waiting int              `json:"waiting,omitempty"` // that could not be started yet
	Full    int              `json:"full,omitempty"`    // how often in a row the queue of builds was full
	Listed  int              `json:"listed,omitempty"`  // whether started because of that case or not
	// Runs is the build that the case has started and that still runs, in the place of a run: it is looked
	// how far that has come, and those that follow are started once it is past the point. Looks is how
	// often in a row that was in vain.
	Runs  string `json:"runs,omitempty"`
	Looks int    `json:"looks,omitempty"`
	// Check: the run is over. It is only looked whether more are listed by now.
	Check bool `json:"check,omitempty"`
}

// ReleaseMessage is the message that brings a [Release] back to the healer.
type ReleaseMessage struct {
	Release Release `json:"release"`
}

const (
	// betweenPasses is the time between two passes while somebody waits.
	betweenPasses = time.Minute
	// busyPass is after how long at most a pass goes on that AWS stopped because of too many
	// calls; fullPass, because its queue of builds is full. That is doubled each time, up to
	// fullMost: what is in the queue by then lasts for long.
	busyPass = 6 * time.Second
	fullPass = 40 * time.Second
	fullMost = 10 * time.Minute
	// tellAfter is how long after the end of a case its notice waits for those that
	// follow it; then it names who has not ended. Builds that wait for a place take longer than
	// half an hour, and the last of them is worth waiting for.
	tellAfter = time.Hour
	// tellApart is the least time between two notices of one crowd.
	tellApart = 10 * time.Minute
	// beforeSweep is how long before a sweep may come the message of a run does, unless it is recorded when
	// it comes: so long it may take a pass.
	beforeSweep = 5 * time.Minute
	// maxStuck is how many in a row cannot be started now before a pass stops: of one, its own
	// project may be the reason. Where the queue was full the last time, one is enough: the next
	// time it is the turn of the one behind it.
	maxStuck = 3
	// maxPass is the longest time between two passes.
	maxPass = 10 * time.Minute
)

// gather begins with what is to be done about those that follow the case, which
// has just ended and is recorded. They are started again by a message of its
// own. A notice that the case is healed waits for them.
func (h *Healer) gather(ctx context.Context, c *held) error {
	if c.Closed.IsZero() || c.forgotten || c.Crowd == nil || c.Crowd.Since.Equal(c.Closed) {
		return nil
	}
	h.begun(c)
	if n := len(c.Outbox); c.Crowd.Healed && n > 0 && c.Outbox[n-1].Kind == decide.Healed {
		h.Journal.Record(h.outcome(c, c.Outbox[n-1]))
		c.Outbox, c.Told, c.Crowd.Held = c.Outbox[:n-1], c.Told-1, true
	}
	if err := h.save(ctx, c, len(c.Outbox) == 0); err != nil {
		return err
	}
	return h.releaseAt(ctx, Release{Leader: c.ID, Run: c.Crowd.Run}, h.Clock.Now())
}

// begun begins a run of the case's crowd, about its last end.
func (h *Healer) begun(c *held) {
	now := h.Clock.Now()
	was := decide.Crowd{}
	if c.Crowd != nil {
		was = *c.Crowd
	}
	w := &decide.Crowd{Run: max(now.UnixNano(), was.Run+1), Since: c.Closed, From: was.From, Round: len(c.Rounds) - 1,
		Healed: c.Outcome == decide.Healed, Held: was.Held, Next: now.Add(tellAfter), Told: was.Told, At: was.At, Notices: was.Notices}
	again := !was.Since.IsZero() && !was.Since.Equal(c.Closed)
	switch {
	case again && was.Done: // those of an earlier end were told of then
		w.From, w.Told, w.Notices = was.Since, 0, 0
	case again && was.Healed && !w.Healed: // they are told of still, and that the case was healed then
		w.Healed, w.Round = true, was.Round
	}
	c.Crowd = w
}

func (h *Healer) releaseAt(ctx context.Context, m Release, at time.Time) error {
	if err := h.Queue.Release(ctx, m, at); err != nil {
		return fmt.Errorf("asking to release those that follow case %q: %w", m.Leader, err)
	}
	return nil
}

// Release goes on with a pass over the cases that follow another one.
func (h *Healer) Release(ctx context.Context, m Release) error {
	ctx = WithLeastPace(ctx, ReleasePace)
	if m.Incident != "" {
		return h.keep(ctx, m.Incident, m.Run)
	}
	leader, err := h.Case(ctx, m.Leader)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if m.Runs != "" {
		return h.beyond(ctx, leader, m)
	}
	if m.Check {
		return h.lateComers(ctx, leader, m)
	}
	switch {
	case leader.Crowd.Active() && m.Run == leader.Crowd.Run:
	case m.Run != 0 || leader.Crowd.Active():
		return nil // another message does it
	default:
		if m.Run, err = h.rouse(ctx, m.Leader); err != nil || m.Run == 0 {
			return err
		}
	}
	if m.From.IsZero() {
		m.From = leader.Crowd.Start()
	}
	stuck := 0
	for {
		its, err := h.followersFrom(ctx, leader.ID, m.From)
		if err != nil {
			return err
		}
		for _, it := range its {
			if pressed(ctx) {
				return h.passOn(ctx, m, h.Clock.Now())
			}
			_, err := h.releaseOne(ctx, leader, it, &m)
			switch {
			case errors.Is(err, ErrLater):
				m.Waiting++
				stuck++
			case err != nil && ctx.Err() != nil:
				return err
			case err != nil: // one that cannot be started must not keep the others from it
				h.Log.ErrorContext(ctx, "releasing a case", "case", it.ID, "leader", leader.ID, "error", err)
				m.Waiting++
			default:
				stuck = 0
			}
			m.From = it.Due.Add(1)
			m.Listed++
			if stuck == maxStuck || stuck > 0 && m.Full > 0 && errors.Is(err, ErrFull) {
				most := busyPass
				if errors.Is(err, ErrFull) {
					most = min(fullPass<<min(m.Full, 8), fullMost)
					m.Full++
				}
				return h.passOn(ctx, m, h.Clock.Now().Add(Jitter(most, fmt.Sprint(leader.ID, h.Clock.Now().UnixNano()))))
			}
		}
		if len(its) < pageSize {
			return h.endPass(ctx, m)
		}
	}
}

// passOn has the run go on at that time.
func (h *Healer) passOn(ctx context.Context, m Release, at time.Time) error {
	if err := h.recordComes(ctx, m, at); err != nil && !errors.Is(err, errBusy) { // then a sweep begins the run anew
		h.Log.WarnContext(ctx, "it is not recorded when those that follow are looked at again", "case", m.Leader, "error", err.Error())
	}
	return h.releaseAt(ctx, m, at)
}

// recordComes records when the run's message comes back, if a sweep could come before it: that would take
// it for lost, and forget for how long the queue of builds has been full.
func (h *Healer) recordComes(ctx context.Context, m Release, at time.Time) error {
	c, err := h.open(ctx, m.Leader)
	if err != nil || c == nil || !c.Crowd.Active() || c.Crowd.Run != m.Run || len(c.Outbox) > 0 ||
		at.Add(beforeSweep).Before(c.placed) {
		return err
	}
	c.Crowd.Comes, c.Crowd.Full = at, m.Full
	return h.save(ctx, c, true)
}

// followersFrom lists those that follow the case, in the order in which they came, from that time on:
// at most [pageSize].
func (h *Healer) followersFrom(ctx context.Context, leader string, from time.Time) ([]Item, error) {
	its, err := h.Store.Between(ctx, kindFollowers(leader), from, h.Clock.Now().Add(joinedKept), false, pageSize)
	if err != nil {
		return nil, fmt.Errorf("listing those that follow case %q: %w", leader, err)
	}
	return its, nil
}

// rouse begins another run for a case whose run has ended, or that had none: more
// have followed it since. It gives 0 if there is nothing to do.
func (h *Healer) rouse(ctx context.Context, id string) (run int64, err error) {
	c, err := h.open(ctx, id)
	if err != nil || c == nil || c.Closed.IsZero() || c.Crowd.Active() {
		return 0, err
	}
	h.begun(c)
	return c.Crowd.Run, h.save(ctx, c, len(c.Outbox) == 0)
}

// lateComers begins another run if some have followed the case just as its run
// ended, which did not see them.
func (h *Healer) lateComers(ctx context.Context, leader decide.Case, m Release) error {
	if leader.Crowd.Active() || leader.Crowd == nil || leader.Crowd.Run != m.Run {
		return nil
	}
	n, from := 0, leader.Crowd.Start()
	for {
		its, err := h.followersFrom(ctx, leader.ID, from)
		if err != nil {
			return err
		}
		if n += len(its); len(its) < pageSize {
			break
		}
		from = its[len(its)-1].Due.Add(1)
	}
	if n <= m.Listed {
		return nil
	}
	return h.Release(ctx, Release{Leader: leader.ID})
}

// releaseOne starts the build of one case again, if that waits for it, and counts
// it. began reports whether it did. ErrLater means that AWS takes no more builds now.
func (h *Healer) releaseOne(ctx context.Context, leader decide.Case, it Item, m *Release) (began bool, err error) {
	var who follower
	if err := unmarshal(it, &who); err != nil {
		return false, err
	}
	c, err := h.open(ctx, it.ID)
	if errors.Is(err, errBusy) {
		m.Waiting++ // or not: the next pass sees
		return false, nil
	}
	if err != nil || c == nil { // nil: it died before it was recorded
		return false, err
	}
	i := -1
	for n, r := range c.Rounds {
		if r.Follows == leader.ID && r.Build.ID == who.Build {
			i = n
		}
	}
	if i < 0 {
		return false, nil
	}
	_, beyond := leader.Beyond()
	// One that was refused a place for long comes back by itself: to wake it before would only send it
	// another message.
	if h.stands(c, i) && (beyond || !leader.Closed.IsZero()) && !h.Clock.Now().Before(c.last().NotYet) {
		c.released, c.leader = true, &leader
		h.Crowds.met(h.Clock.Now())
		if err := h.run(ctx, c); errors.Is(err, errBusy) {
			m.Waiting++
			return false, nil
		} else if err != nil {
			return false, err
		}
		if began = !h.stands(c, i); began {
			m.Full = 0
		}
	}
	if h.stands(c, i) {
		m.Waiting++
		return false, nil
	}
	if c.unled(leader) {
		if err := h.tellUnled(ctx, c); err != nil {
			return false, err
		}
	}
	if r := c.Rounds[min(i, len(c.Rounds)-1)]; r.Decision != nil && r.Decision.Follows == leader.ID && r.Decision.Plan != nil {
		one := decide.Follower{Case: c.ID, Project: c.Project, Build: who.Build, Retry: r.Retry}
		switch {
		case i < len(c.Rounds)-1:
			one.Outcome = decide.Failed // and goes its own way
		case !c.Closed.IsZero():
			one.Outcome = c.Outcome
		}
		m.Seen.Add(one)
	}
	return began, nil
}

// stands reports whether round i of the case waits to be started.
func (h *Healer) stands(c *held, i int) bool {
	r := c.last()
	waits := r.Step == decide.StepJoined && r.Incident == "" || c.following() && r.Step == decide.StepRetrying
	return c.Closed.IsZero() && i == len(c.Rounds)-1 && waits
}

// endPass ends a pass: it tells what is to be told, and has the next one begin.
func (h *Healer) endPass(ctx context.Context, m Release) error {
	now := h.Clock.Now()
	over, again, err := h.tellCrowd(ctx, m)
	switch {
	case err != nil:
		return err
	case over:
		return h.releaseAt(ctx, Release{Leader: m.Leader, Run: m.Run, Listed: m.Listed, Check: true}, now.Add(betweenPasses))
	case again.IsZero():
		return nil
	}
	return h.passOn(ctx, Release{Leader: m.Leader, Run: m.Run, Pass: m.Pass + 1, Full: m.Full}, again)
}

// tellCrowd tells of a case together with those that follow it, if all have ended
// or it is time. over says that nothing more is to be done; else the next pass is
// at again, or, if that is zero, when the sweep comes to it.
func (h *Healer) tellCrowd(ctx context.Context, m Release) (over bool, again time.Time, err error) {
	c, err := h.open(ctx, m.Leader)
	if err != nil || c == nil || !c.Crowd.Active() || c.Crowd.Run != m.Run {
		return false, time.Time{}, err
	}
	now := h.Clock.Now()
	w := c.Crowd
	// The list lags behind the ledger, so that the first pass may miss somebody.
	done := m.Waiting == 0 && m.Seen.Open == 0 && (m.Pass > 0 || now.Sub(w.Since) > 2*betweenPasses)
	news := w.Healed && (w.Held || m.Seen.Ended() > w.Told)
	apart := w.At.Add(tellApart)
	// Whoever waits for a place in a full queue is come for as long as it may wait; the sweep is too slow for that.
	if now.Before(w.Since.Add(tellAfter+betweenPasses)) || m.Waiting > 0 && now.Before(w.Since.Add(fullFor)) {
		again = now.Add(min(betweenPasses<<min(max(m.Pass-4, 0), 4), maxPass))
	}
	switch {
	case done && news && !w.At.IsZero() && now.Before(apart):
		return false, apart, nil
	case !done && (!news || now.Before(w.Next)):
		if w.Held && w.Next.Before(again) {
			again = w.Next
		}
		return false, again, nil
	}
	if news {
		w.Held, w.Told, w.At = false, m.Seen.Ended(), now
		c.tell(now, decide.Healed, "")
		p := &c.Outbox[len(c.Outbox)-1]
		if p.Round = min(w.Round, len(c.Rounds)-1); m.Seen.Builds > 0 {
			p.Followers = &m.Seen
		}
		w.Next = now.Add(time.Hour << min(w.Notices, 5))
		w.Notices++
	}
	w.Done = done
	if err := h.save(ctx, c, len(c.Outbox) == 0); err != nil {
		return false, again, err
	}
	return done, again, h.flush(ctx, c)
}

// lookAfter has the sweep go on with those that follow a case, whose message was
// lost, or takes long.
func (h *Healer) lookAfter(ctx context.Context, c *held) error {
	run := max(h.Clock.Now().UnixNano(), c.Crowd.Run+1) // so that a message that is still on its way is dropped
	c.Crowd.Run, c.Crowd.Comes = run, time.Time{}
	if err := h.save(ctx, c, len(c.Outbox) == 0); err != nil {
		return err
	}
	if err := h.flush(ctx, c); err != nil {
		return err
	}
	return h.releaseAt(ctx, Release{Leader: c.ID, Run: run, Full: c.Crowd.Full}, h.Clock.Now())
}

// outcome is what a notice tells.
func (h *Healer) outcome(c *held, p decide.Pending) decide.Outcome {
	return decide.Outcome{ID: p.ID, Kind: p.Kind, Case: c.Case, Round: p.Round, Note: p.Note, Lacks: p.Lacks,
		Everywhere: p.Everywhere, Incident: p.Incident, Pause: p.Pause, Repeats: p.Repeats, Settings: h.Settings, Home: h.Home, At: p.At,
		Function: h.Self.Function, Followers: p.Followers, Untold: p.Untold}
}

// unsaid records what is not sent, and takes it out of the outbox.
func (h *Healer) unsaid(c *held) {
	for len(c.Outbox) > 0 && c.Outbox[0].Silent {
		h.Journal.Record(h.outcome(c, c.Outbox[0]))
		c.Outbox = c.Outbox[1:]
	}
}

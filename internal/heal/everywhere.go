package heal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// Failures of one cause in many projects are one incident (see [decide.Incident]). That many have
// failed is told by a counter of the quarter of an hour, in one call, which most failures need not
// make, and each that can be in an incident makes once. Who finds the counter full reads the
// incident, and opens it if nobody has. While it is open, whoever keeps it keeps the next quarter's
// counter full, too. What is in an incident is an item of its own, so that nobody waits for others
// to write.

// member is what the ledger keeps of a case in an incident, due when it joined.
func kindMembers(incident string) string { return kindMember + " " + incident }

// filler is who fills a counter for an incident that is open.
const filler = "open"

// quarter is the quarter of an hour that a failure counts in.
func quarter(now time.Time) time.Time { return now.UTC().Truncate(decide.Within) }

// tillFull is how many projects a counter takes: the next one makes it an incident.
func (h *Healer) tillFull() int { return max(h.Settings.Limits.Incident-1, 1) }

// counterOf names the counter of a sign in a quarter. after is how many incidents of the sign have
// ended: once one has, the counter that was kept full for it says nothing any more.
func counterOf(key string, at time.Time, after int) string {
	id := "alike " + key + " " + at.Format("2006-01-02T15:04")
	if after > 0 {
		id += fmt.Sprintf(" after %d", after)
	}
	return id
}

// counterKept is how long a quarter's counter is kept.
func counterKept(at time.Time) time.Time { return at.Add(3 * decide.Within) }

// amongMany takes the failure that was decided about into the incident of its sign, if there is one,
// or if it opens one. waits says that the case waits for its end now.
func (h *Healer) amongMany(ctx context.Context, c *held, f decide.Facts, d decide.Decision) (waits bool, err error) {
	r := c.last()
	if h.Settings.Limits.Incident == 0 || h.Self.Function == "" || r.Incident != "" || r.Approved != "" {
		return false, nil
	}
	sign, ok := decide.SignOf(f, d)
	if !ok {
		return false, nil
	}
	n, err := h.incidentFor(ctx, c, f, sign)
	if err != nil || !n.Open() {
		return false, err
	}
	starts := d.Plan != nil && d.Mode == settings.Heal
	switch {
	case starts && d.Plan.Route == decide.RouteCodeBuild: // it is started already
		return false, nil
	case !starts && (endWithoutPlan(c) != decide.Reported || !decide.ToldByIncident(sign, d)): // told by itself
		return false, nil
	}
	if err := h.joinIncident(ctx, c, n.Name(), starts, f.Trusted()); err != nil {
		return false, err
	}
	if r.Incident = n.Name(); !starts {
		r.Told = true
		return false, nil
	}
	r.Step, r.Decision, r.Tries = decide.StepJoined, nil, 0
	if err := h.save(ctx, c, true); err != nil {
		return false, err
	}
	if c.wasProbe() {
		return true, h.keepAt(ctx, sign.Key, 0, h.Clock.Now())
	}
	return true, nil
}

// wasProbe reports whether the build that failed in the last round was an incident's probe.
func (c *held) wasProbe() bool {
	n := len(c.Rounds)
	return n > 1 && c.Rounds[n-2].Probe && c.Rounds[n-2].Retry == c.Rounds[n-1].Build.ID
}

// incidentFor counts the failure, and gives the incident of its sign if enough projects have failed;
// one that is not open if not. A build that may be anybody's is not counted, and opens none.
func (h *Healer) incidentFor(ctx context.Context, c *held, f decide.Facts, sign decide.Sign) (n decide.Incident, err error) {
	now, trusted := h.Clock.Now(), f.Trusted()
	at, by := quarter(now), c.at().ID+" "+c.at().Region+" "+c.Project
	alone := func(after int) (bool, error) {
		id := counterOf(sign.Key, at, after)
		var ok bool
		if trusted {
			ok, err = h.Store.Count(ctx, id, by, h.tillFull(), counterKept(at))
		} else {
			ok, err = h.Store.Room(ctx, id, "", h.tillFull())
		}
		if err != nil {
			return false, fmt.Errorf("counting failures of one cause: %w", err)
		}
		return ok, nil
	}
	if c.again { // so the project is counted, and the counter tells nothing more
		_, n, err := h.readIncident(ctx, sign.Key)
		if !n.Open() {
			c.signed(sign, trusted)
		}
		return n, err
	}
	ok, err := alone(0)
	if err != nil {
		return n, err
	}
	if ok {
		c.signed(sign, trusted)
		return n, nil
	}
	for range 5 {
		it, n, err := h.readIncident(ctx, sign.Key)
		if err != nil || n.Open() {
			return n, err
		}
		if n.Number > 0 {
			if ok, err := alone(n.Number); err != nil || ok {
				c.signed(sign, trusted && err == nil)
				return decide.Incident{}, err
			}
		}
		if !trusted {
			return decide.Incident{}, nil
		}
		if n, ok, err = h.openIncident(ctx, c, sign, it, n); err != nil || ok {
			return n, err
		}
	}
	return n, fmt.Errorf("opening an incident: others write it at the same time: %w", ErrLater)
}

// signed records that the failure was counted.
func (c *held) signed(s decide.Sign, counted bool) {
	if counted {
		c.last().Sign = s.Key
	}
}

// readIncident reads the incident of a sign: the last one, if there were several; none if there was
// none.
func (h *Healer) readIncident(ctx context.Context, key string) (it Item, n decide.Incident, err error) {
	it, err = h.Store.Get(ctx, kindIncident, key)
	if errors.Is(err, ErrNotFound) {
		return Item{Kind: kindIncident, ID: key}, n, nil
	}
	if err == nil {
		err = unmarshal(it, &n)
	}
	if err != nil {
		return it, n, fmt.Errorf("reading incident %q: %w", key, err)
	}
	return it, n, nil
}

// putIncident records it, unless somebody else has changed it.
func (h *Healer) putIncident(ctx context.Context, it Item, n decide.Incident) (_ Item, ok bool, err error) {
	if it.Data, err = json.Marshal(n); err != nil {
		return it, false, err
	}
	it.Due, it.Expires = time.Time{}, h.Clock.Now().Add(kept)
	if n.Open() {
		it.Due = n.Next.Add(awaitFor)
	}
	put, err := h.Store.Put(ctx, it)
	if errors.Is(err, ErrConflict) {
		return it, false, nil
	}
	if err != nil {
		return it, false, fmt.Errorf("recording incident %q: %w", n.Name(), err)
	}
	return put, true, nil
}

// openIncident opens the incident of the sign for the case, which speaks for it from then on. Those
// that failed before are its first members. was is the one of that sign before it. ok is false if
// somebody else was quicker.
func (h *Healer) openIncident(
	ctx context.Context, c *held, sign decide.Sign, it Item, was decide.Incident,
) (n decide.Incident, ok bool, err error) {
	now := h.Clock.Now()
	n = decide.Incident{Sign: sign, Number: was.Number + 1, Account: c.Account, Region: c.Region, Speaker: c.ID, Opened: now,
		Since: now, Next: now.Add(decide.Gathering)}
	since := quarter(now).Add(-decide.ClockSkew)
	if was.Ended.After(since) {
		since = was.Ended
	}
	if n.First, err = h.failedBefore(ctx, c, sign.Key, since); err != nil {
		return n, false, err
	}
	for _, m := range n.First { // first, so that whoever keeps it finds them
		if err := h.putMember(ctx, n.Name(), m); err != nil {
			return n, false, err
		}
	}
	if _, ok, err = h.putIncident(ctx, it, n); err != nil || !ok {
		return n, false, err
	}
	if err := h.keepFull(ctx, sign.Key, now); err != nil {
		return n, false, err
	}
	return n, true, h.keepAt(ctx, sign.Key, n.Next.UnixNano(), n.Next)
}

// keepFull fills the counter of the next quarter of an hour, so that who fails then finds that the
// incident is open.
func (h *Healer) keepFull(ctx context.Context, key string, now time.Time) error {
	at := quarter(now).Add(decide.Within)
	for i := range h.tillFull() {
		ok, err := h.Store.Count(ctx, counterOf(key, at, 0), fmt.Sprint(filler, " ", i), h.tillFull(), counterKept(at))
		if err != nil {
			return fmt.Errorf("keeping incident %q open: %w", key, err)
		}
		if !ok {
			break
		}
	}
	return nil
}

// failedBefore finds the failures of the sign that were counted before it became an incident.
func (h *Healer) failedBefore(ctx context.Context, c *held, key string, since time.Time) (ms []decide.Member, err error) {
	now := h.Clock.Now()
	var ids []string
	for _, kind := range []string{kindCase, kindClosed} {
		from := since
		if kind == kindCase { // an open case is due when it goes on
			from = now.Add(-recent)
		}
		its, err := h.Store.Between(ctx, kind, from, now.Add(recent), true, maxBefore)
		if err != nil {
			return nil, fmt.Errorf("looking for earlier failures of one cause: %w", err)
		}
		for _, it := range its {
			var s Summary
			var o held
			switch {
			case kind == kindClosed && json.Unmarshal(it.Data, &s) == nil && s.Sign == key:
				ids = append(ids, it.ID)
			case kind == kindCase && json.Unmarshal(it.Data, &o.Case) == nil && o.signedAs(key, since) >= 0:
				ids = append(ids, it.ID)
			}
		}
	}
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		if id == c.ID || len(ms) == Remembered {
			continue
		}
		o := held{}
		if o.Case, err = h.Case(ctx, id); errors.Is(err, ErrNotFound) {
			continue
		} else if err != nil {
			return nil, err
		}
		if i := o.signedAs(key, since); i >= 0 && o.at() == c.at() {
			ms = append(ms, decide.Member{Case: o.ID, Project: o.Project, Build: o.Rounds[i].Build.ID, Joined: o.Rounds[i].Started})
		}
	}
	slices.SortFunc(ms, func(a, b decide.Member) int { return a.Joined.Compare(b.Joined) })
	return ms, nil
}

// maxBefore bounds the cases that are looked through for earlier failures of one cause.
const maxBefore = 1000

// signedAs finds the newest round of the sign that began since then; -1 if there is none.
func (c *held) signedAs(key string, since time.Time) int {
	for i, r := range slices.Backward(c.Rounds) {
		if r.Sign == key && !r.Started.Before(since) {
			return i
		}
	}
	return -1
}

// joinIncident records the case as a member. That comes before the case says so, so that nobody is in
// an incident who is in no list.
func (h *Healer) joinIncident(ctx context.Context, c *held, name string, waits, trusted bool) error {
	return h.putMember(ctx, name, decide.Member{Case: c.ID, Project: c.Project, Build: c.last().Build.ID, Joined: h.Clock.Now(),
		Waits: waits, MayProbe: waits && trusted})
}

func (h *Healer) putMember(ctx context.Context, name string, m decide.Member) error {
	data, err := json.Marshal(m)
	if err != nil {
		return err
	}
	due := m.Joined.Add(apart(m.Case))
	_, err = h.Store.Put(ctx, Item{Kind: kindMembers(name), ID: m.Case, Due: due, Expires: due.Add(joinedKept), Data: data})
	if err != nil && !errors.Is(err, ErrConflict) { // it is a member already
		return fmt.Errorf("recording that case %q is in incident %q: %w", m.Case, name, err)
	}
	return nil
}

// awaitIncident looks at the incident that the case waits for. Once it is over, or the case has waited
// for long enough, it goes its own road, and tells of itself; not while those that wait are started, in turn.
func (h *Healer) awaitIncident(ctx context.Context, c *held) error {
	r := c.last()
	_, n, err := h.readIncident(ctx, decide.IncidentKey(r.Incident))
	if err != nil {
		return err
	}
	waits := !n.Green.IsZero() || h.Clock.Now().Sub(r.Started) < decide.Patience
	if n.Name() == r.Incident && n.Open() && waits {
		return errWait
	}
	return h.leave(ctx, c, true)
}

// waitsForRoom puts off the start of a build that has waited for an incident, if the budget of the hour leaves
// no room for it: those that waited with it have used that up.
func (h *Healer) waitsForRoom(c *held, full guardrail.Rule) bool {
	r, now := c.last(), h.Clock.Now()
	if r.Incident == "" || r.Told || full != guardrail.RetriesPerHour || h.Settings.Limits.RetriesHour == 0 ||
		now.Sub(r.Started) >= fullFor {
		return false
	}
	r.Step, r.NotYet = decide.StepReceived, now.Truncate(time.Hour).Add(time.Hour+Jitter(10*time.Minute, c.ID))
	return true
}

// leave has the case go on by itself. own says that no notice of the incident tells what comes of it.
func (h *Healer) leave(ctx context.Context, c *held, own bool) error {
	if err := h.lock(ctx, c); err != nil {
		return err
	}
	r := c.last()
	r.Step, r.Own, r.Tries = decide.StepReceived, own, 0
	return h.save(ctx, c, false)
}

// overBefore has a build that is green only after the incident's last notice tell of itself.
func (h *Healer) overBefore(ctx context.Context, c *held) error {
	r := c.last()
	if r.Incident == "" || r.Own || r.Told {
		return nil
	}
	_, n, err := h.readIncident(ctx, decide.IncidentKey(r.Incident))
	r.Own = err == nil && (n.Name() != r.Incident || !n.Open())
	return err
}

// quiet reports whether an outcome of the last round is only recorded: the notices of its incident
// tell of it.
func (c *held) quiet(k decide.Kind, note string) bool {
	r := c.last()
	if r.Incident == "" || r.Own || note != "" {
		return false
	}
	return r.Told && k == decide.Reported || !r.Told && (k == decide.Retrying || k == decide.Healed)
}

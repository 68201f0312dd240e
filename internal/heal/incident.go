package heal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"time"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/diagnose"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// Many builds of one role often fail of one cause at once. Then one case, the
// leader, reads its log, changes the role and starts its build again; the others
// join it before their own logs are read, and follow once that build is green
// ([decide.Follow]). The lease of the role names the leader, so that this takes
// no item of its own. See release.go for what happens once the leader has ended.

// lead is a case that others may follow, as the lease of its role names it.
type lead struct {
	Case string `json:"case"`
	// Points and Fingerprints are what its rounds that took the lease failed at, the
	// newest last.
	Points       []string `json:"points,omitempty"`
	Fingerprints []string `json:"fingerprints,omitempty"`
	// Joined: somebody began to follow it while it held the lease. Who does so later notes it in
	// the case itself, which nobody works on then.
	Joined bool      `json:"joined,omitempty"`
	Wrote  time.Time `json:"wrote,omitzero"` // when it wrote last
}

// Bounds of what a lease says of leads.
const (
	maxLeads  = 6 // projects that share a role may lack different permissions at once
	maxFaults = 6 // of one lead
)

const (
	// maxFollow is how long a case waits for the one that it follows. What it failed of is
	// not known until then.
	maxFollow = time.Hour
	// joinedKept is how long it is remembered who followed.
	joinedKept = 3 * 24 * time.Hour
	// busyAgain is after how long at most a case looks again at one that it follows, and
	// that was at work.
	busyAgain = 20 * time.Second
)

// lead finds a case among those that the lease names.
func (l *roleLease) lead(id string) *lead {
	if i := slices.IndexFunc(l.Leads, func(o lead) bool { return o.Case == id }); i >= 0 {
		return &l.Leads[i]
	}
	return nil
}

// ledBy names the case, which is about to take the lease, as one that others may
// follow.
func (l roleLease) ledBy(c *held, fingerprint string) roleLease {
	one := lead{Case: c.ID}
	if was := l.lead(c.ID); was != nil {
		one = *was
	}
	one.Points = withFault(one.Points, decide.Point(c.last().Build))
	one.Fingerprints = withFault(one.Fingerprints, fingerprint)
	l.Leads = append(slices.DeleteFunc(slices.Clone(l.Leads), func(o lead) bool { return o.Case == c.ID }), one)
	l.Leads = lastOf(l.Leads, maxLeads)
	return l
}

func withFault(all []string, one string) []string {
	if one == "" || slices.Contains(all, one) {
		return all
	}
	return lastOf(append(slices.Clone(all), one), maxFaults)
}

// freed records that the case has given the lease back. One that has never
// written under it is followed no longer, unless it comes back to what it was
// doing. waited reports whether somebody follows it.
func (l *roleLease) freed(id string, wrote time.Time, back bool) (waited bool) {
	one := l.lead(id)
	if one == nil {
		return false
	}
	waited = one.Joined
	switch {
	case !wrote.IsZero():
		one.Wrote = wrote
	case one.Wrote.IsZero() && !back:
		l.Leads = slices.DeleteFunc(l.Leads, func(o lead) bool { return o.Case == id })
	}
	return waited
}

// follower is what the ledger keeps of a case that follows another one.
type follower struct {
	Project string `json:"project"`
	Build   string `json:"build"`
}

// kindFollowers is the kind of the items of those that follow a case.
func kindFollowers(leader string) string { return kindFollower + " " + leader }

// suspicion is what a build's record alone says of where it failed, and the lease
// under which others may have.
type suspicion struct {
	point string // "": nothing is suspected
	of    string
	lease roleLease
}

// suspect reads the lease of a failed build's role, if the build may wait for
// another one. What was read of it a moment ago is not read again.
func (h *Healer) suspect(
	ctx context.Context, b codebuild.Build, unread error, p settings.Project, read suspicion,
) (s suspicion, err error) {
	if unread != nil || !b.HasFailed() || h.Self.Function == "" {
		return s, nil
	}
	f := h.unreadFacts(b.WithRolePath(p.Role), p)
	point, of := decide.Point(f.Build), h.leaseNeeded(f)
	if point == "" || of == "" || !decide.MayFollow(f) {
		return s, nil
	}
	s = suspicion{point: point, of: of, lease: read.lease}
	if read.of != of {
		s.lease, err = h.readLease(ctx, of)
	}
	return s, err
}

// unreadFacts are what is known of a build whose log was not read.
func (h *Healer) unreadFacts(b codebuild.Build, p settings.Project) decide.Facts {
	return decide.Facts{Settings: h.Settings, Home: h.Home, Project: p, Build: b, Self: h.Self, Now: h.Clock.Now()}
}

// suspected has a new failure wait for another case, or follow it, before its log
// is read, if both failed at the same point. Else what was read of the lease
// serves the case later.
func (h *Healer) suspected(ctx context.Context, c *held, p settings.Project, s suspicion) error {
	if s.point == "" {
		return nil
	}
	c.seen, c.seenOf = s.lease, s.of
	f := h.unreadFacts(c.last().Build, p)
	f.Earlier, f.Replayed = counted(c.Rounds[:len(c.Rounds)-1]), !c.last().Replayed.IsZero()
	leader, err := h.toFollow(ctx, c, f, s.lease, func(l lead) bool { return slices.Contains(l.Points, s.point) })
	if err != nil || leader == "" {
		return err
	}
	return h.joinTo(ctx, c, leader)
}

// alike finds a case among those that the lease names which failed in the same
// way as this one, whose log has been read.
func (h *Healer) alike(ctx context.Context, c *held, f decide.Facts, l roleLease) (leader string, err error) {
	return h.toFollow(ctx, c, f, l, func(l lead) bool { return slices.Contains(l.Fingerprints, f.Diagnosis.Fingerprint) })
}

// toFollow finds the case that this one may wait for among those that the lease
// names and that fit; "" if there is none. A case that others follow does not wait,
// so that none waits for itself; nor does one whose plan a person has approved. At a desk nobody
// would start what waits.
func (h *Healer) toFollow(ctx context.Context, c *held, f decide.Facts, seen roleLease, fits func(lead) bool) (string, error) {
	if h.Self.Function == "" || c.Crowd != nil || c.last().Follows != "" || c.last().Approved != "" ||
		seen.lead(c.ID) != nil || !decide.MayFollow(f) {
		return "", nil
	}
	for _, l := range slices.Backward(seen.Leads) {
		if !fits(l) || !l.Wrote.IsZero() && !f.Build.End.Before(l.Wrote) {
			continue
		}
		if l.Case == seen.Case && h.Clock.Now().Before(seen.Until) { // it is open surely
			return l.Case, nil
		}
		leader, err := h.Case(ctx, l.Case)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return "", err
		}
		if _, _, is := decide.Follow(f, leader); is == decide.LeadNone {
			continue
		}
		if !leader.Closed.IsZero() {
			c.leader = &leader
		}
		return l.Case, nil
	}
	return "", nil
}

// joinNow lets a case that has read its log wait for another one.
func (h *Healer) joinNow(ctx context.Context, c *held) error {
	leader := c.joins
	c.joins = ""
	if err := h.joinTo(ctx, c, leader); err != nil {
		return err
	}
	return h.save(ctx, c, true)
}

// leaseSeen gives the lease as it was before the log was read, if the case may
// take it by that; it is looked at once. Else the lease is read.
func (h *Healer) leaseSeen(ctx context.Context, c *held, of string) (roleLease, error) {
	seen, ok := c.seen, h.seesLease(c, of)
	c.seen, c.seenOf = roleLease{}, ""
	if ok {
		return seen, nil
	}
	return h.readLease(ctx, of)
}

// seesLease reports whether the lease need not be read.
func (h *Healer) seesLease(c *held, of string) bool {
	return c.seenOf == of && h.available(c.seen, c.ID)
}

// joinTo records who follows the case. That comes first, so that nobody waits who
// is in no list.
func (h *Healer) joinTo(ctx context.Context, c *held, leader string) error {
	now := h.Clock.Now()
	data, err := json.Marshal(follower{Project: c.Project, Build: c.last().Build.ID})
	if err != nil {
		return err
	}
	_, err = h.Store.Put(ctx, Item{Kind: kindFollowers(leader), ID: c.ID, Due: now.Add(apart(c.ID)), Expires: now.Add(joinedKept),
		Data: data})
	if err != nil && !errors.Is(err, ErrConflict) {
		return fmt.Errorf("recording that case %q follows %q: %w", c.ID, leader, err)
	}
	r := c.last()
	r.Follows, r.Step, r.Tries = leader, decide.StepJoined, 0
	h.Crowds.met(now)
	return nil
}

// apart keeps those that join at one moment from being due at the same time, so
// that a list may go on behind any of them.
func apart(id string) time.Duration {
	h := fnv.New64a()
	h.Write([]byte(id)) // never fails
	return time.Duration(h.Sum64() % uint64(time.Second))
}

// awaitLead looks at the case that this one waits for. The round then goes on by
// that one's cure, or by its own log, or waits further.
func (h *Healer) awaitLead(ctx context.Context, c *held) error {
	r := c.last()
	if err := h.checkRound(ctx, c); err != nil {
		return err
	}
	leader, err := h.leaderOf(ctx, c)
	if err != nil {
		return err
	}
	f, err := h.followFacts(c)
	if err != nil {
		return err
	}
	is := decide.LeadNone
	if leader != nil {
		_, _, is = decide.Follow(f, *leader)
	}
	switch {
	case f.Now.Sub(r.Started) < maxFollow && (is == decide.LeadOpen || is == decide.LeadCured && leader.Closed.IsZero() && !c.released):
		return errWait // also for its turn, while the leader's build still runs
	case is == decide.LeadCured && h.leftToRelease(c):
		return errWait
	case is == decide.LeadCured:
		return h.follow(ctx, c, f, *leader)
	}
	return h.ownRoad(ctx, c)
}

// leaderOf reads the case that this one follows; nil if it is gone. If it is open,
// it is noted that somebody waits for its end, before this case relies on that.
func (h *Healer) leaderOf(ctx context.Context, c *held) (*decide.Case, error) {
	if c.leader != nil {
		return c.leader, nil
	}
	r := c.last()
	seen, of := c.seen, c.seenOf
	c.seen, c.seenOf = roleLease{}, ""
	for range 5 {
		if of != "" {
			// While it holds the lease, it works on its case. It reads this note when it gives the
			// lease back.
			noted, again, err := h.noteInLease(ctx, of, seen, r.Follows)
			if err != nil {
				return nil, err
			}
			if noted {
				return &decide.Case{ID: r.Follows, Account: c.Account, Region: c.Region}, nil
			}
			if again {
				if seen, err = h.readLease(ctx, of); err != nil {
					return nil, err
				}
				continue
			}
			of = ""
		}
		leader, noted, err := h.noteInCase(ctx, c)
		if err != nil || noted {
			return leader, err
		}
	}
	return nil, fmt.Errorf("noting that case %q waits for %q: others write it at the same time: %w", c.ID, r.Follows, ErrLater)
}

// noteInLease notes in the lease that somebody follows the case that holds it.
// again says that the lease has changed since it was seen.
func (h *Healer) noteInLease(ctx context.Context, of string, seen roleLease, leader string) (noted, again bool, err error) {
	one := seen.lead(leader)
	if one == nil || seen.Case != leader || !h.Clock.Now().Before(seen.Until) {
		return false, false, nil
	}
	if one.Joined {
		return true, false, nil
	}
	seen.Leads = slices.Clone(seen.Leads)
	seen.lead(leader).Joined = true
	_, noted, err = h.putLease(ctx, of, seen)
	return noted, !noted, err
}

// noteInCase notes in the case that this one follows that somebody does, if it is
// open. noted is false if it was written at the same time. Whoever finds it at work
// comes again.
func (h *Healer) noteInCase(ctx context.Context, c *held) (leader *decide.Case, noted bool, err error) {
	it, err := h.Store.Get(ctx, kindCase, c.last().Follows)
	if errors.Is(err, ErrNotFound) {
		return nil, true, nil
	}
	var l held
	if err == nil {
		err = unmarshal(it, &l.Case)
	}
	now := h.Clock.Now()
	switch {
	case err != nil:
		return nil, false, fmt.Errorf("reading case %q: %w", c.last().Follows, err)
	case !l.Closed.IsZero(), l.Crowd != nil:
		return &l.Case, true, nil
	case now.Before(l.Busy):
		if err := h.Queue.Later(ctx, c.ID, now.Add(Jitter(busyAgain, c.ID))); err != nil {
			return nil, false, fmt.Errorf("asking to be called back: %w", err)
		}
		return &l.Case, true, nil
	}
	l.version, l.Crowd = it.Version, &decide.Crowd{}
	if err := h.save(ctx, &l, true); errors.Is(err, errBusy) {
		return nil, false, nil
	} else if err != nil {
		return nil, false, err
	}
	h.watch(ctx, &l.Case)
	return &l.Case, true, nil
}

// followFacts are what is known of a build that may follow another one: its record,
// and what its log told if that has been read.
func (h *Healer) followFacts(c *held) (decide.Facts, error) {
	p, ok := h.Settings.Project(c.Project, c.Account, c.Region, h.Home)
	if !ok {
		return decide.Facts{}, fmt.Errorf("the settings no longer name the project %q: %w", c.Project, ErrFinal)
	}
	r := c.last()
	f := h.unreadFacts(r.Build, p)
	f.Case = c.ID
	if r.Diagnosis != nil && r.Diagnosis.Fingerprint != "" { // its log has been read
		f.Diagnosis = *r.Diagnosis
		f = f.InHand()
	}
	return f, nil
}

// follow starts the build again, since what it lacked was given for the leader's.
func (h *Healer) follow(ctx context.Context, c *held, f decide.Facts, leader decide.Case) error {
	// No lock is taken before: what is counted and remembered here is so once, however often it is
	// done, and the first write of the case is that its build is about to be started.
	if err := h.forbidden(ctx, c, &f); err != nil {
		return err
	}
	var err error
	d, g, is := decide.Follow(f, leader)
	if is == decide.LeadCured {
		d, err = withRoom(c.Case, d)
	}
	if err != nil {
		return err
	}
	if is != decide.LeadCured || d.Plan == nil {
		return h.ownRoad(ctx, c)
	}
	if !c.released { // it is in the list by now, but perhaps nobody looks there any more
		if err := h.wake(ctx, leader.ID); err != nil {
			return err
		}
	}
	f.Diagnosis = g
	if err := h.recall(ctx, c, &f); err != nil {
		return err
	}
	r := c.last()
	r.Diagnosis, r.Decision = &g, &d
	return h.begin(ctx, c, f, nil)
}

// ledStill gives what the case that this one follows means for it now: between the decision and the
// start it may have waited for long.
func (h *Healer) ledStill(ctx context.Context, c *held) (decide.Lead, error) {
	leader, err := h.Case(ctx, c.last().Follows)
	if errors.Is(err, ErrNotFound) {
		return decide.LeadNone, nil
	}
	if err != nil {
		return "", err
	}
	f, err := h.followFacts(c)
	if err == nil {
		err = h.forbidden(ctx, c, &f)
	}
	if err != nil {
		return "", err
	}
	_, _, is := decide.Follow(f, leader)
	return is, nil
}

// waitAgain has the case wait for the one that it follows again: that one's build has failed, though
// it had been past the point, before this one's could be started. Its place in the budget stays taken
// until it is counted again, so that no start goes uncounted.
func (h *Healer) waitAgain(ctx context.Context, c *held) error {
	c.backTo(decide.StepJoined)
	r := c.last()
	r.RetryAt, r.Token, r.NotYet, r.Full, r.Refused = time.Time{}, "", time.Time{}, time.Time{}, 0
	if err := h.save(ctx, c, true); err != nil {
		return err
	}
	return errWait
}

// backTo takes the last round back to a step, without what was decided because of the leader's case.
func (c *held) backTo(step decide.Step) {
	r := c.last()
	r.Step, r.Decision, r.Tries = step, nil, 0
	if r.Diagnosis != nil && r.Diagnosis.Fingerprint == "" { // the leader's
		r.Diagnosis = nil
	}
}

// ownRoad lets the round go on by its own log.
func (h *Healer) ownRoad(ctx context.Context, c *held) error {
	if err := h.lock(ctx, c); err != nil {
		return err
	}
	c.backTo(decide.StepReceived)
	if !c.released {
		return nil
	}
	// Who releases many does not read their logs one after the other.
	if err := h.save(ctx, c, true); err != nil {
		return err
	}
	if err := h.Queue.Later(ctx, c.ID, h.Clock.Now()); err != nil {
		return fmt.Errorf("asking to be called back: %w", err)
	}
	return errWait
}

// vain refuses to repeat for the case what did not help the one that it waited for.
func (h *Healer) vain(ctx context.Context, c *held, f decide.Facts, d decide.Decision) (decide.Decision, error) {
	r := c.last()
	if r.Follows == "" || d.Plan == nil && !d.Waits {
		return d, nil
	}
	leader, err := h.Case(ctx, r.Follows)
	if errors.Is(err, ErrNotFound) {
		return d, nil
	}
	if err != nil {
		return d, err
	}
	return decide.Vain(f, d, leader), nil
}

// following reports whether the last round only follows another case: nothing is
// known of its build but where it failed.
func (c *held) following() bool {
	r := c.last()
	return r.Decision != nil && r.Decision.Follows != ""
}

// silent reports whether an outcome of the last round is only recorded: the notice
// of the case that it follows tells of it.
func (c *held) silent(k decide.Kind, note string) bool {
	return c.following() && c.last().Decision.Silent && note == "" && (k == decide.Retrying || k == decide.Healed)
}

// seeLeader looks what became of the case that a green build followed, if that had not ended when the
// build was started. If it ended and is not healed, nobody but the case itself tells that it is.
func (h *Healer) seeLeader(ctx context.Context, c *held) error {
	r := c.last()
	if !c.following() || !r.Decision.Beyond {
		return nil
	}
	leader, err := h.Case(ctx, r.Follows)
	if errors.Is(err, ErrNotFound) {
		r.Decision.Silent = false
		return nil
	}
	r.Decision.Silent = r.Decision.Silent && (leader.Closed.IsZero() || leader.Outcome == decide.Healed)
	return err
}

// unled reports whether the case is healed, which nobody has been told: it relied on the case that it
// follows, which has ended since and is not healed.
func (c *held) unled(leader decide.Case) bool {
	return c.following() && c.last().Follows == leader.ID && c.last().Decision.Beyond && c.last().Decision.Silent &&
		!c.Closed.IsZero() && c.Outcome == decide.Healed && !leader.Closed.IsZero() && leader.Outcome != decide.Healed
}

// tellUnled tells that the case is healed, which its journal knows.
func (h *Healer) tellUnled(ctx context.Context, c *held) error {
	c.last().Decision.Silent = false
	c.tell(h.Clock.Now(), decide.Healed, "")
	c.Outbox[len(c.Outbox)-1].Recorded = true
	if err := h.saveToTell(ctx, c); err != nil {
		return err
	}
	return h.flush(ctx, c)
}

// giveBack leaves a case that follows another one, and whose build cannot be
// started now, to whoever releases those that follow. So not each of them has to
// come back by itself while AWS is busy.
func (h *Healer) giveBack(ctx context.Context, c *held, why error) error {
	if r, now := c.last(), h.Clock.Now(); errors.Is(why, ErrFull) {
		if r.Full.IsZero() {
			r.Full = now
		}
		h.Crowds.foundFull(queueOf(r.Build), now)
	}
	if err := h.save(ctx, c, true); err != nil {
		return err
	}
	if c.released {
		return why
	}
	return h.wake(ctx, c.last().Follows)
}

// wake has those that follow the case be released, unless that is under way.
func (h *Healer) wake(ctx context.Context, leader string) error {
	c, err := h.Case(ctx, leader)
	if errors.Is(err, ErrNotFound) || err == nil && c.Crowd.Active() {
		return nil
	}
	if err != nil {
		return err
	}
	return h.releaseAt(ctx, Release{Leader: leader}, h.Clock.Now().Add(Jitter(betweenPasses, leader)))
}

// leftToRelease reports whether a case that follows another one is left to those who release it with others:
// this instance was refused a place a moment ago. Else each sweep asks once for each that waits.
func (h *Healer) leftToRelease(c *held) bool {
	return !c.released && h.Crowds.wasFull(queueOf(c.last().Build), h.Clock.Now())
}

// givesBack reports whether the case leaves the rest to whoever releases it, because of the error. Where the
// queue of builds is full it does for as long as others would come back by themselves: thousands that do
// would use up all calls to learn that.
func (h *Healer) givesBack(c *held, why error) bool {
	r, most := c.last(), maxFollow
	if errors.Is(why, ErrFull) {
		most = fullFor
	}
	return c.following() && (r.Step == decide.StepJoined || r.Step == decide.StepRetrying) &&
		h.Clock.Now().Sub(r.Started) < most && r.Decision.Remedy == diagnose.Retry
}

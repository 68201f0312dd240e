package heal

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/diagnose"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// keepAt asks that an incident be looked at. run is the time that its item names then; 0: whatever
// that is.
func (h *Healer) keepAt(ctx context.Context, key string, run int64, at time.Time) error {
	if err := h.Queue.Release(ctx, Release{Incident: key, Run: run}, at); err != nil {
		return fmt.Errorf("asking to look at incident %q: %w", key, err)
	}
	return nil
}

// keepDue has the sweep look at incidents whose message was lost.
func (h *Healer) keepDue(ctx context.Context) error {
	its, err := h.Store.Between(ctx, kindIncident, time.Time{}, h.Clock.Now(), false, pageSize)
	if err != nil {
		return fmt.Errorf("listing incidents: %w", err)
	}
	var errs []error
	for _, it := range its {
		if pressed(ctx) {
			break
		}
		if err := h.keep(ctx, it.ID, 0); err != nil && !errors.Is(err, ErrLater) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// keeping is an incident that this invocation keeps, as stored.
type keeping struct {
	decide.Incident
	item Item
}

// keep looks at an incident, does what is to be done, and asks for the next look. Of several messages
// only one goes on: the item names the time of the next look, and so does the message.
func (h *Healer) keep(ctx context.Context, key string, run int64) error {
	it, n, err := h.readIncident(ctx, key)
	if err != nil || !n.Open() || run != 0 && run != n.Next.UnixNano() {
		return err
	}
	now := h.Clock.Now()
	switch {
	case now.Before(n.Busy):
		return fmt.Errorf("incident %q: %w", n.Name(), errBusy)
	case run != 0 && now.Before(n.Next): // a queue keeps no message for so long
		return h.keepAt(ctx, key, run, n.Next)
	}
	n.Busy = now.Add(busyFor)
	k := &keeping{n, it}
	if err := h.saveIncident(ctx, k); err != nil {
		return err
	}
	err = h.lookAtIncident(ctx, k)
	if err != nil {
		k.Next = h.Clock.Now().Add(Jitter(betweenPasses, key))
	}
	done, cancel := graceContext(ctx)
	defer cancel()
	k.Busy = time.Time{}
	if serr := h.saveIncident(done, k); serr != nil || !k.Open() {
		return errors.Join(err, serr)
	}
	if err != nil && !errors.Is(err, ErrLater) {
		h.Log.ErrorContext(ctx, "an incident is looked at again later", "incident", k.Name(), "error", err)
	}
	return h.keepAt(done, key, k.Next.UnixNano(), k.Next)
}

func (h *Healer) saveIncident(ctx context.Context, k *keeping) error {
	it, ok, err := h.putIncident(ctx, k.item, k.Incident)
	if err == nil && !ok {
		err = fmt.Errorf("incident %q: %w", k.Name(), errBusy)
	}
	if err == nil {
		k.item = it
	}
	return err
}

// lookAtIncident looks at the incident's members, tells of them if it is time, and does what is next.
func (h *Healer) lookAtIncident(ctx context.Context, k *keeping) error {
	now := h.Clock.Now()
	if err := h.keepFull(ctx, k.Sign.Key, now); err != nil {
		return err
	}
	ms, err := h.members(ctx, k.Name())
	if err != nil {
		return err
	}
	s := decide.Sight{Newest: k.Opened}
	for _, m := range ms {
		if m.Joined.After(s.Newest) {
			s.Newest = m.Joined
		}
	}
	var green []string
	t := reckon(h, k.Incident)
	t.members = ms
	t.waits = slices.ContainsFunc(ms, func(m decide.Member) bool { return m.Waits })
	switch {
	case !k.Transient():
		err = h.lookAtTold(ctx, k, ms, &s, t)
	case now.Sub(k.Opened) >= decide.Lasts:
		err = h.free(ctx, k, ms, true, &s, t)
	case !k.Green.IsZero():
		err = h.free(ctx, k, ms, false, &s, t)
	default:
		green, err = h.lookAtProbe(ctx, k, ms, &s, t)
	}
	if err != nil {
		return err
	}
	move := k.See(s, now)
	if move == decide.MoveProbe {
		if move, err = h.probe(ctx, k, ms, s.Newest, green); err != nil {
			return err
		}
	}
	if move == decide.MoveEnd && k.Transient() && k.End == decide.EndQuiet {
		waits := t.waits
		t = reckon(h, k.Incident)
		t.waits, t.members = waits, ms
		if err := h.free(ctx, k, ms, true, &s, t); err != nil {
			return err
		}
	}
	k.Last = t.all
	if move == decide.MoveEnd {
		return h.endIncident(ctx, k, t)
	}
	if move == decide.MoveWait && k.TellsNow(len(t.projects), now) {
		return h.speak(ctx, k, t, false)
	}
	return nil
}

// members lists those that are in an incident, each once, in the order in which they joined.
func (h *Healer) members(ctx context.Context, name string) (ms []decide.Member, err error) {
	from := time.Time{}
	for {
		its, err := h.Store.Between(ctx, kindMembers(name), from, h.Clock.Now().Add(joinedKept), false, pageSize)
		if err != nil {
			return nil, fmt.Errorf("listing what is in incident %q: %w", name, err)
		}
		for _, it := range its {
			var m decide.Member
			if err := unmarshal(it, &m); err != nil {
				return nil, err
			}
			ms = append(ms, m)
			from = it.Due.Add(1)
		}
		if len(its) < pageSize {
			return ms, nil
		}
	}
}

// reckoning sums up an incident's members for its notices.
type reckoning struct {
	h        *Healer
	at       settings.Account
	all      decide.Followers
	owners   map[string]*decide.Followers
	projects map[string]bool
	unowned  bool
	waits    bool // some of them wait, or did
	members  []decide.Member
}

func reckon(h *Healer, n decide.Incident) *reckoning {
	return &reckoning{h: h, at: settings.Account{ID: n.Account, Region: n.Region}, owners: map[string]*decide.Followers{},
		projects: map[string]bool{}}
}

func (t *reckoning) add(one decide.Follower) {
	t.all.Add(one)
	t.projects[one.Project] = true
	p, _ := t.h.Settings.Project(one.Project, t.at.ID, t.at.Region, t.h.Home)
	w, ok := t.h.Settings.Notify.Owner(p.Owner)
	if ok && t.owners[w.Name] == nil && len(t.owners) < decide.MaxOwners {
		t.owners[w.Name] = &decide.Followers{}
	}
	if part := t.owners[w.Name]; ok && part != nil {
		part.Add(one)
	} else {
		t.unowned = true
	}
}

// listed counts members of which nothing is known but that they failed.
func (t *reckoning) listed(ms []decide.Member) {
	for _, m := range ms {
		t.add(decide.Follower{Case: m.Case, Project: m.Project, Build: m.Build})
	}
}

// caseIn reads a member's case; an empty one if it is gone.
func (h *Healer) caseIn(ctx context.Context, id string) (decide.Case, error) {
	c, err := h.Case(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return c, nil
	}
	return c, err
}

// outcomeIn is how a member's case stands. Told: that of one which was only told of, whose project
// may be green again since.
func outcomeIn(c decide.Case, m decide.Member) decide.Follower {
	one := decide.Follower{Case: m.Case, Project: m.Project, Build: m.Build}
	if n := len(c.Rounds); n > 0 && !c.Closed.IsZero() {
		one.Outcome, one.Retry = c.Outcome, c.Rounds[n-1].Retry
	}
	return one
}

// maxAsked is how many members' projects are asked whether they are green again.
const maxAsked = 50

// lookAtTold looks whether the projects of an incident that only tells are green again.
func (h *Healer) lookAtTold(ctx context.Context, k *keeping, ms []decide.Member, s *decide.Sight, t *reckoning) error {
	s.AllGreen = len(ms) > 0 && len(ms) <= maxAsked
	pasts := map[string]past{}
	for i, m := range ms {
		one := decide.Follower{Case: m.Case, Project: m.Project, Build: m.Build}
		if i < maxAsked {
			key := pastKey(settings.Account{ID: k.Account, Region: k.Region}, m.Project, true)
			p, ok := pasts[key]
			if !ok {
				var err error
				if _, p, err = h.readPast(ctx, key); err != nil {
					return err
				}
				pasts[key] = p
			}
			if p.greenSince(m.Build) {
				one.Outcome = decide.Healed
			}
		}
		s.AllGreen = s.AllGreen && one.Outcome == decide.Healed
		t.add(one)
	}
	return nil
}

// greenSince reports whether a build that failed, or a later one of its line, is green by now.
func (p *past) greenSince(build string) bool {
	for _, b := range p.Builds {
		if b.ID == build[strings.LastIndexByte(build, ':')+1:] {
			return !b.Green.IsZero()
		}
	}
	return false
}

// lookAtProbe looks at the probe, at those that were, and at those that failed first. It gives the projects of
// which a build is green; see [startsWith].
func (h *Healer) lookAtProbe(
	ctx context.Context, k *keeping, ms []decide.Member, s *decide.Sight, t *reckoning,
) (greens []string, err error) {
	t.listed(ms)
	if err := h.patience(ctx, k, ms); err != nil {
		return nil, err
	}
	look := append(slices.Clone(k.First), k.Probed[max(0, len(k.Probed)-maxLooked):]...)
	for i, m := range look {
		if slices.ContainsFunc(look[:i], func(o decide.Member) bool { return o.Case == m.Case }) {
			continue
		}
		c, err := h.caseIn(ctx, m.Case)
		if err != nil {
			return nil, err
		}
		green, failed := k.Shows(c)
		if of := startsWith(c, m); green && !slices.Contains(greens, of) {
			greens = append(greens, of)
		}
		switch {
		case m.Case == k.Probe && green:
			k.Probe = "" // the next one may begin
		case m.Case == k.Probe:
			s.Failed = failed || c.ID == ""
			s.Runs = s.Runs || !s.Failed
		case k.Probe == "" && c.Closed.IsZero() && c.ID != "" && !c.AwaitsIncident(k.Name()):
			s.Runs = true
		}
	}
	s.Greens = len(greens)
	return greens, nil
}

// startsWith names what shows nothing more once one of it is green: the member's project, or the pipeline whose
// stage starts its build together with others.
func startsWith(c decide.Case, m decide.Member) string {
	if n := len(c.Rounds); n > 0 {
		if p := c.Rounds[n-1].Build.AskedPipeline(); p != "" {
			return "pipeline " + p
		}
	}
	return m.Project
}

// patience sends those their own roads that have waited for long enough.
func (h *Healer) patience(ctx context.Context, k *keeping, ms []decide.Member) error {
	now := h.Clock.Now()
	for _, m := range ms {
		due := m.Joined.Add(apart(m.Case)) // no two have the same
		if !m.Waits || !due.After(k.Left) {
			continue
		}
		if now.Sub(m.Joined) < decide.Patience || pressed(ctx) {
			break // the others joined later
		}
		c, err := h.open(ctx, m.Case)
		if errors.Is(err, errBusy) {
			break
		}
		if err != nil {
			return err
		}
		if c != nil && c.AwaitsIncident(k.Name()) && now.Sub(c.last().Started) >= decide.Patience {
			if err := h.sendOn(ctx, c, true); err != nil {
				return err
			}
		}
		k.Left = due
	}
	return nil
}

// maxLooked is how many of the last probes are looked at: one that took long may be green at last.
const maxLooked = 5

// maxCandidates is how many members are tried until one is found whose build can be the probe.
const maxCandidates = 10

// probe has the build of one member that waits be started, to see whether the cause is gone. Which one
// is recorded first: a probe that was begun and not recorded would be followed by another. Once projects are
// green, it is of another one; if none waits that can be it, all that wait are started.
func (h *Healer) probe(
	ctx context.Context, k *keeping, ms []decide.Member, newest time.Time, green []string,
) (decide.Move, error) {
	now := h.Clock.Now()
	tried, busy := 0, false
	for _, m := range k.Candidates(ms) {
		if slices.Contains(green, m.Project) {
			continue
		}
		if tried++; tried > maxCandidates && len(green) > 0 {
			break
		} else if tried > maxCandidates {
			return decide.MoveWait, nil // the others' turn comes with the next look
		}
		c, err := h.open(ctx, m.Case)
		if errors.Is(err, errBusy) {
			busy = true
			continue
		}
		if err != nil {
			return decide.MoveWait, err
		}
		if c == nil || !c.AwaitsIncident(k.Name()) || slices.Contains(green, startsWith(c.Case, m)) {
			continue
		}
		k.Begins(m, now)
		if err := h.saveIncident(ctx, k); err != nil {
			return decide.MoveWait, err
		}
		c.last().Probe = true
		return decide.MoveWait, h.sendOn(ctx, c, false)
	}
	switch {
	case len(green) > 0 && busy:
		k.Next = now.Add(decide.Gathering)
		return decide.MoveWait, nil
	case len(green) > 0:
		return k.Frees(now), nil
	}
	return k.NoneWaits(newest, now), nil
}

// sendOn has a member that waits go on. own: it tells of itself from then on.
func (h *Healer) sendOn(ctx context.Context, c *held, own bool) error {
	err := h.leave(ctx, c, own)
	if err == nil {
		err = h.run(ctx, c)
	}
	if errors.Is(err, ErrLater) {
		return nil // it comes back by itself
	}
	return err
}

// free starts the builds of those that wait, at the pace of the queue of builds and within the hour's
// budget, and counts what came of the others. over: the incident ends without a green build, so each
// goes its own road.
func (h *Healer) free(ctx context.Context, k *keeping, ms []decide.Member, over bool, s *decide.Sight, t *reckoning) error {
	stuck := 0
	for _, m := range ms {
		if pressed(ctx) || stuck == maxStuck {
			s.Waiting++
			t.add(decide.Follower{Case: m.Case, Project: m.Project, Build: m.Build})
			continue
		}
		c, err := h.open(ctx, m.Case)
		if errors.Is(err, errBusy) {
			s.Waiting++
			t.add(decide.Follower{Case: m.Case, Project: m.Project, Build: m.Build})
			continue
		}
		if err != nil {
			return err
		}
		if c == nil {
			t.add(decide.Follower{Case: m.Case, Project: m.Project, Build: m.Build, Outcome: decide.Failed})
			continue
		}
		if c.AwaitsIncident(k.Name()) {
			switch room, err := h.hasRoom(ctx, c); {
			case err != nil:
				return err
			case !over && c.last().Build.Start.After(k.Green):
				s.Relapsed++
			case !over && !room:
				s.Waiting++
			default:
				if err := h.sendOn(ctx, c, over); err != nil {
					return err
				}
				if stuck++; c.last().Step != decide.StepRetrying {
					stuck = 0
				}
			}
		}
		one := outcomeIn(c.Case, m)
		if one.Outcome == "" {
			s.Open++
		}
		t.add(one)
	}
	return nil
}

// hasRoom reports whether another build may be started in this hour.
func (h *Healer) hasRoom(ctx context.Context, c *held) (bool, error) {
	b := retriesOf(h.Settings.Limits, h.Clock.Now())
	ok, err := h.Store.Room(ctx, b.id, token(c), b.max)
	if err != nil {
		return false, fmt.Errorf("reading how much of %s is used: %w", b.setting, err)
	}
	return ok, nil
}

// endIncident tells how the incident ended, and records that.
func (h *Healer) endIncident(ctx context.Context, k *keeping, t *reckoning) error {
	k.Ended = h.Clock.Now()
	if err := h.speak(ctx, k, t, true); err != nil {
		k.Ended, k.End = time.Time{}, ""
		return err
	}
	return nil
}

// speaker gives the case that speaks for the incident: another member's, if that one is gone; nil if all are.
func (h *Healer) speaker(ctx context.Context, k *keeping, ms []decide.Member) (*held, error) {
	c, err := h.open(ctx, k.Speaker)
	for i := 0; i < len(ms) && c == nil && err == nil; i++ {
		if c, err = h.open(ctx, ms[i].Case); c != nil {
			k.Speaker = c.ID
		}
	}
	return c, err
}

// speak tells of the incident: its speaker's case puts the notice into its outbox, so that it is sent
// once, whenever the function dies. Those of whose projects nothing is new are not told again.
func (h *Healer) speak(ctx context.Context, k *keeping, t *reckoning, end bool) error {
	c, err := h.speaker(ctx, k, t.members)
	if err != nil {
		return err
	}
	now := h.Clock.Now()
	told := map[string]int{"": len(t.projects)}
	for owner, part := range t.owners {
		told[owner] = part.Builds
	}
	if c != nil && (c.Speaks == nil || c.Speaks.Incident != k.Name() || c.Speaks.Notices <= k.Notices) {
		all := decide.Tally{Name: k.Name(), Sign: k.Sign, Opened: k.Opened, Ended: k.Ended, End: k.End, Green: k.Green,
			Again: k.Notices > 0, Waits: t.waits, Probes: k.Probes, All: t.all, Unowned: t.unowned}
		for _, owner := range slices.Sorted(maps.Keys(t.owners)) {
			if end || t.owners[owner].Builds > k.Told[owner] {
				all.Owners = append(all.Owners, decide.OwnersPart{Owner: owner, Part: *t.owners[owner]})
			}
		}
		repeats := c.Repeats
		c.Repeats = 0
		c.tell(now, decide.OfIncident, "")
		c.Repeats = repeats
		p := &c.Outbox[len(c.Outbox)-1]
		p.Incident = &all
		if i := slices.IndexFunc(c.Rounds, func(r decide.Round) bool { return r.Incident == k.Name() }); i >= 0 {
			p.Round = i
		}
		c.Speaks = &decide.Speaks{Incident: k.Name(), Notices: k.Notices + 1}
		if err := h.save(ctx, c, false); err != nil {
			return err
		}
	}
	k.Notices, k.ToldAt, k.Told = k.Notices+1, now, told
	if c == nil {
		return nil // all of them are forgotten by now
	}
	if err := h.flush(ctx, c); err != nil { // it is in the outbox, so the sweep sends it
		h.Log.ErrorContext(ctx, "an incident is told of later", "incident", k.Name(), "error", err)
	}
	return nil
}

// OpenIncident is an incident that goes on, as status lists it.
type OpenIncident struct {
	Incident string          `json:"incident"` // its name
	Account  string          `json:"account"`
	Region   string          `json:"region"`
	Cause    string          `json:"cause"`
	What     string          `json:"what,omitempty"` // the host or role that it is about
	Remedy   diagnose.Remedy `json:"remedy"`         // retry: members wait for its end
	Since    time.Time       `json:"since"`
	// Builds and Projects are as they were when it was looked at last: how many failed, and the first
	// projects, each once.
	Builds       int       `json:"builds"`
	Projects     []string  `json:"projects"`
	MoreProjects bool      `json:"more_projects,omitempty"`
	Probes       int       `json:"probes,omitempty"` // how many builds were started to see whether it is over
	Next         time.Time `json:"next"`             // when it is looked at next
	// Named are the first of the builds and their cases, as they were then; a project's first comes before
	// another's second.
	Named []decide.Follower `json:"named"`
}

// Incidents lists the incidents that are open, the newest first.
func (h *Healer) Incidents(ctx context.Context) (out []OpenIncident, err error) {
	its, err := h.Store.Between(ctx, kindIncident, time.Time{}, h.Clock.Now().Add(recent), true, maxIncidents)
	if err != nil {
		return nil, fmt.Errorf("listing incidents: %w", err)
	}
	for _, it := range its {
		var n decide.Incident
		if err := unmarshal(it, &n); err != nil {
			return nil, err
		}
		seen := n.Last
		if seen.Builds == 0 { // it was not looked at yet
			for _, m := range n.First {
				seen.Add(decide.Follower{Case: m.Case, Project: m.Project, Build: m.Build})
			}
		}
		if n.Open() {
			out = append(out, OpenIncident{Incident: n.Name(), Account: n.Account, Region: n.Region, Cause: n.Sign.Cause, What: n.Sign.What,
				Remedy: n.Sign.Remedy, Since: n.Opened, Builds: seen.Builds, Projects: seen.Projects, MoreProjects: seen.MoreProjects,
				Probes: n.Probes, Next: n.Next, Named: seen.Named})
		}
	}
	slices.SortStableFunc(out, func(a, b OpenIncident) int { return b.Since.Compare(a.Since) })
	return out, nil
}

// maxIncidents bounds the incidents that are listed.
const maxIncidents = 100

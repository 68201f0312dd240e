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
	"sync/atomic"
	"time"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// The kinds of items in the ledger. Only these are written.
const (
	kindCase    = "case"    // a Case; due while it is open
	kindBuild   = "build"   // build id, or what its retry is known by, → case id
	kindRole    = "role"    // a lease on a role
	kindPlan    = "plan"    // plan hash → plan and its case
	kindClosed  = "closed"  // case id of a closed case, due at its end: the history
	kindFlag    = "flag"    // "paused"; or that and a project, due since then; per project, pull requests; per week, its notice
	kindSweep   = "sweep"   // project → when it was last swept
	kindDigest  = "digest"  // a notice that waits for the next digest
	kindExpiry  = "expiry"  // a grant that will expire
	kindVersion = "version" // policy ARN, version and when it was made → a version that was deleted to make room
	kindPast    = "past"    // project → its failed builds and tests, due when it was first written
	// kindFollower, and the case that it follows: case id → its project and build, due when it
	// joined.
	kindFollower = "follower"
	// kindIncident is by the key of a sign, and due while it is open, a while after it is to be looked at;
	// kindMember, and the incident's name: case id → its project and build, due when it joined.
	kindIncident = "incident"
	kindMember   = "member"
	kindTelling  = "telling" // case id → developers are to be told how it stands; due when a sweep does it
	kindPull     = "pull"    // repository and pull request → what the comment on it says
	kindRequest  = "request" // branch → the pull request from it and the cases that ask by it; due when it is looked at
	kindHold     = "hold"    // project, role or managed policy → what persons took back from it; a project's is due at the newest
)

// Kinds lists the kinds of items in the ledger.
var Kinds = []string{kindCase, kindBuild, kindRole, kindPlan, kindClosed, kindFlag, kindSweep, kindDigest, kindExpiry,
	kindHold, kindVersion, kindPast, kindFollower, kindIncident, kindMember, kindTelling, kindPull, kindRequest}

// kept is how long finished things stay in the ledger.
const kept = 90 * 24 * time.Hour

// errBusy: another invocation has locked the case.
var errBusy = fmt.Errorf("another invocation works on the case: %w", ErrLater)

// held is a case that this invocation works on, with its stored version.
type held struct {
	decide.Case
	version int64
	placed  time.Time // when it is due, as stored
	locked  bool      // this invocation has recorded that it alone works on the case
	// forgotten: the ledger could not hold the case, so little of it is left.
	forgotten bool
	leased    string            // what this invocation holds a lease on for the case; "" for nothing
	lease     roleLease         // it, as stored
	sleeps    int               // how often this invocation waited in place
	turn      turn              // of the notice that comes next, if it has one already
	assigned  string            // the started build that this invocation has assigned to the case
	covered   bool              // what the plan asks for in code is asked for already
	looked    []codebuild.Build // the project's builds since the failed one, if this invocation has looked for its own
	again     bool              // another build of the project has failed of the same cause in this quarter of an hour
	news      bool              // something happened of which developers may have to be told
	// crowded: many messages wait behind the one of this case. putOff: it is to wait for its turn.
	crowded, putOff bool
	// What follows is of incident.go. seen is the lease on seenOf as it was before the log was
	// read; "" if none was read. joins is the case to wait for. back: the case gives a lease back
	// that it will want again. waited: somebody waits for its end, as a lease said. leader is the
	// case that it follows, as it was when it had ended or came past the point, and released says that
	// it is being released with others.
	seen     roleLease
	seenOf   string
	joins    string
	back     bool
	waited   atomic.Bool
	leader   *decide.Case
	released bool
}

func (c *held) last() *decide.Round { return &c.Rounds[len(c.Rounds)-1] }

func (c *held) at() settings.Account { return settings.Account{ID: c.Account, Region: c.Region} }

// unreadID names the case of a failed build that could not be read.
func unreadID(e Ended) string {
	h := sha256.Sum256([]byte(strings.Join([]string{e.At.ID, e.At.Region, e.Build, "unread"}, "\x00")))
	return hex.EncodeToString(h[:8])
}

// open reads a case that no other invocation has locked. Anything more than a
// look needs [Healer.lock] or [Healer.save] first. For a case that does not
// exist it returns nil and no error.
func (h *Healer) open(ctx context.Context, id string) (*held, error) {
	it, err := h.Store.Get(ctx, kindCase, id)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading case %q: %w", id, err)
	}
	c := &held{version: it.Version, placed: it.Due}
	if err := json.Unmarshal(it.Data, &c.Case); err != nil {
		return nil, fmt.Errorf("reading case %q: %w", id, err)
	}
	if h.Clock.Now().Before(c.Busy) {
		return nil, errBusy
	}
	return c, nil
}

// save records the case as it is. It stays locked by this invocation, unless
// done.
func (h *Healer) save(ctx context.Context, c *held, done bool) error {
	now := h.Clock.Now()
	c.Busy = now.Add(busyFor)
	if done {
		c.Busy = time.Time{}
	}
	if c.waited.Load() && c.Crowd == nil {
		c.Crowd = &decide.Crowd{}
	}
	data, err := storable(c.Case)
	if err != nil {
		return fmt.Errorf("recording case %q: %w", c.ID, err)
	}
	if c.news {
		h.owe(ctx, c, "")
		c.news = false
	}
	it := Item{Kind: kindCase, ID: c.ID, Version: c.version, Data: data, Due: c.place(now), Expires: now.Add(kept)}
	if it, err = h.Store.Put(ctx, it); err != nil {
		if errors.Is(err, ErrConflict) {
			return errBusy
		}
		if errors.Is(err, ErrTooLarge) && !c.forgotten {
			return h.forget(ctx, c)
		}
		return fmt.Errorf("recording case %q: %w", c.ID, err)
	}
	c.version, c.placed, c.locked = it.Version, it.Due, !done
	return nil
}

// lock locks the case for this invocation: of two that have opened it, such as a
// message and the sweep, only one may continue.
func (h *Healer) lock(ctx context.Context, c *held) error {
	if c.locked {
		return nil
	}
	return h.save(ctx, c, false)
}

// place is when the case is due as it is recorded. In the index another time costs as much as two
// writes (AWS.md#write-units), so a time that does nearly as well stays: one that is later by less
// than the time between two sweeps, for a locked case, which a sweep leaves alone, any time to
// come that is earlier, and where a build is waited for, one that is earlier by a quarter.
func (c *held) place(now time.Time) time.Time {
	due, sooner := c.due(now), time.Duration(0)
	if due.Equal(now.Add(awaitFor)) {
		sooner = awaitFor / 4
	}
	if was := c.placed; !due.IsZero() && was.After(now) && was.Before(due.Add(sweptEvery)) &&
		(!c.Busy.IsZero() || !was.Before(due.Add(-sooner))) {
		return was
	}
	return due
}

// due is when the sweep should look at the case; zero for a closed case whose
// notices are all sent, and for whose end no build waits.
func (c *held) due(now time.Time) time.Time {
	if !c.Closed.IsZero() && len(c.Outbox) == 0 && len(c.Others) == 0 {
		if c.Crowd.Active() {
			return latest(now, c.Crowd.Comes).Add(awaitFor)
		}
		return time.Time{}
	}
	r := c.last()
	switch {
	case !c.Busy.IsZero():
		return c.Busy
	case r.Step == decide.StepJoined && r.Incident != "" && len(c.Outbox) == 0:
		return r.Started.Add(decide.Patience + awaitFor) // whoever keeps the incident comes to it before
	case r.Step == decide.StepRetried, r.Step == decide.StepJoined:
		return now.Add(awaitFor)
	case r.NotYet.After(now):
		return r.NotYet.Add(time.Minute)
	}
	return now.Add(time.Minute)
}

// caseOf looks up the case that a build is assigned to; "" if the ledger does
// not know the build.
func (h *Healer) caseOf(ctx context.Context, build string) (string, error) {
	it, err := h.Store.Get(ctx, kindBuild, build)
	if errors.Is(err, ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("reading which case build %q belongs to: %w", build, err)
	}
	return string(it.Data), nil
}

// assign records that a build belongs to the case. That never changes: if the
// build is assigned already, assign does nothing.
func (h *Healer) assign(ctx context.Context, build, caseID string) error {
	_, err := h.Store.Put(ctx, Item{Kind: kindBuild, ID: build, Data: []byte(caseID), Expires: h.Clock.Now().Add(kept)})
	if err != nil && !errors.Is(err, ErrConflict) {
		return fmt.Errorf("recording the case of build %q: %w", build, err)
	}
	return nil
}

// reassign assigns a build to another case than before.
func (h *Healer) reassign(ctx context.Context, build, caseID string) error {
	it, err := h.Store.Get(ctx, kindBuild, build)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return fmt.Errorf("reading which case build %q belongs to: %w", build, err)
	}
	if string(it.Data) == caseID {
		return nil
	}
	it.Kind, it.ID, it.Data, it.Expires = kindBuild, build, []byte(caseID), h.Clock.Now().Add(kept)
	if _, err = h.Store.Put(ctx, it); err != nil {
		return fmt.Errorf("recording the case of build %q: %w", build, err)
	}
	return nil
}

// tell puts a notice into the outbox. It is sent after the next save.
func (c *held) tell(now time.Time, k decide.Kind, note string) {
	c.news = true
	if c.silent(k, note) || c.quiet(k, note) {
		c.Outbox = append(c.Outbox, decide.Pending{ID: fmt.Sprintf("%s-%d-%s", c.ID, len(c.Rounds), k), Kind: k,
			Round: len(c.Rounds) - 1, At: now, Silent: true})
		return
	}
	c.Told++
	c.Outbox = append(c.Outbox, decide.Pending{ID: fmt.Sprintf("%s.%d", c.ID, c.Told), Kind: k,
		Round: len(c.Rounds) - 1, At: now, Note: note, Repeats: c.Repeats})
	c.Repeats = 0
}

// knows reports whether the case has dealt with the build, or set it aside.
func (c *held) knows(build string) bool {
	return slices.Contains(c.Others, build) || slices.Contains(c.Past.Builds, build) ||
		slices.ContainsFunc(c.Rounds, func(r decide.Round) bool { return r.Build.ID == build })
}

// alreadyFailed reports whether the build that the case waits for failed before
// the case knew that it was its own: CodeBuild's auto-retry, or the build of a
// stage that another case retried.
func (c *held) alreadyFailed(build string) bool {
	return len(c.Rounds) > 0 && c.last().Step == decide.StepRetried && c.last().Retry == build && slices.Contains(c.Others, build)
}

// adopt records the build that the last round started, just as if the answer to
// the retry had named it.
func (c *held) adopt(now time.Time, build string) {
	r := c.last()
	if r.Step == decide.StepRetrying {
		c.tell(now, decide.Retrying, otherwise(r.Differs))
	}
	r.Retry, r.Step, r.Tries = build, decide.StepRetried, 0
}

// finish closes the case and queues the notice of how it ended. A repeat of a
// failure that was reported a short while ago is only counted.
func (c *held) finish(now time.Time, k decide.Kind, note string) {
	r := c.last()
	r.Step = decide.StepDone
	c.Closed, c.Outcome, c.news = now, k, true
	toldOnly := k == decide.Reported || k == decide.Requested
	if n := len(c.Rounds); toldOnly && n > 1 && r.Replayed.IsZero() && r.Abandoned == "" && equal(c.Rounds[n-2], *r) &&
		now.Sub(r.Started) < equalFor && now.Sub(c.Rounds[n-2].Started) < equalFor {
		c.Repeats++
		return
	}
	if k == decide.Healed {
		note = sentences(note, otherwise(r.Differs))
	}
	c.tell(now, k, sentences(note, r.Abandoned))
}

// otherwise says in which settings a build that was started is not what it was
// meant to be; "" for none.
func otherwise(settings []string) string {
	if len(settings) == 0 {
		return ""
	}
	return fmt.Sprintf("The build that was started is not what the failed one was: %s. Look at what else it may have "+
		"done, and start the build by hand with the right ones.", strings.Join(settings, ", "))
}

// blame adds to the notice that finish queued which permission the healer
// itself lacks, if that is the error.
func (c *held) blame(err error) {
	if n := len(c.Outbox); n > 0 {
		c.Outbox[n-1].Lacks = lacks(err)
	}
}

// equal reports whether two rounds failed in the same way, and were both only
// explained, or both asked for in code.
func equal(a, b decide.Round) bool {
	return a.Requested() == b.Requested() && a.Diagnosis != nil && b.Diagnosis != nil &&
		a.Diagnosis.Fingerprint == b.Diagnosis.Fingerprint &&
		a.RetryAt.IsZero() && a.Decision != nil && b.Decision != nil &&
		slices.Equal(rulesOf(*a.Decision), rulesOf(*b.Decision))
}

// rulesOf lists the rules that refused, each once: of a recorded decision, not
// every refusal is kept.
func rulesOf(d decide.Decision) (out []guardrail.Rule) {
	for _, r := range d.Refusals {
		out = append(out, r.Rule)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// leaseOf names what must be leased for the plan's change: the role, or the
// managed policy, which several roles may share.
func leaseOf(p decide.Plan) string {
	if p.Write != nil && p.Write.Kind == guardrail.Managed {
		return p.Write.Name
	}
	return p.Role
}

// roleLease says which case holds a role, and until when.
type roleLease struct {
	Case  string    `json:"case"`
	Until time.Time `json:"until"`
	// Wrote is when the role was last written, by whichever case.
	Wrote time.Time `json:"wrote,omitzero"`
	// Leads are the cases that others may follow, the newest last.
	Leads []lead `json:"leads,omitempty"`

	version int64 // as stored
}

// acquireOn acquires the lease on a role, or on a managed policy, for the case, so that only one
// case at a time reads, merges and writes its policies.
func (h *Healer) acquireOn(ctx context.Context, c *held, of string) error {
	if c.leased == of {
		return nil
	}
	if err := h.release(ctx, c, time.Time{}); err != nil {
		return err
	}
	l, err := h.readLease(ctx, of)
	if err != nil {
		return err
	}
	if !h.available(l, c.ID) {
		return errLeased(of)
	}
	return h.acquireSeen(ctx, c, of, l)
}

// readLease reads a role's lease; a free one if there is none.
func (h *Healer) readLease(ctx context.Context, role string) (l roleLease, err error) {
	it, err := h.Store.Get(ctx, kindRole, role)
	if errors.Is(err, ErrNotFound) {
		return l, nil
	}
	if err == nil {
		err = json.Unmarshal(it.Data, &l)
	}
	if err != nil {
		return l, fmt.Errorf("reading the lease of %q: %w", role, err)
	}
	l.version = it.Version
	return l, nil
}

// available reports whether no other case holds the lease now.
func (h *Healer) available(l roleLease, caseID string) bool {
	return l.Case == caseID || !h.Clock.Now().Before(l.Until)
}

// acquireSeen acquires a lease that was read before, unless another case was quicker.
func (h *Healer) acquireSeen(ctx context.Context, c *held, of string, seen roleLease) error {
	seen.Case, seen.Until = c.ID, h.Clock.Now().Add(busyFor)
	l, ok, err := h.putLease(ctx, of, seen)
	if err != nil {
		return err
	}
	if !ok {
		return errLeased(of)
	}
	c.leased, c.lease = of, l
	return nil
}

// release releases the lease that the invocation holds, if it holds one. wrote
// is when it wrote; zero if it did not. A lease that another case has acquired in
// the meantime is left alone.
func (h *Healer) release(ctx context.Context, c *held, wrote time.Time) error {
	of, l := c.leased, c.lease
	if of == "" {
		return nil
	}
	back := c.back
	c.leased, c.lease, c.back = "", roleLease{}, false
	ctx, cancel := graceContext(ctx)
	defer cancel()
	for range 5 { // those that begin to follow the case write it, too
		l.Case, l.Until = "", time.Time{}
		if !wrote.IsZero() {
			l.Wrote = wrote
		}
		waited := l.freed(c.ID, wrote, back)
		_, ok, err := h.putLease(ctx, of, l)
		if ok && waited {
			c.waited.Store(true)
		}
		if err != nil || ok {
			return err
		}
		if l, err = h.readLease(ctx, of); err != nil || l.Case != c.ID {
			return err
		}
	}
	return nil
}

// renew extends the lease that the invocation holds, if it holds one, until the
// case has come back to what it left half done.
func (h *Healer) renew(ctx context.Context, c *held, until time.Time) error {
	if c.leased == "" {
		return nil
	}
	l := c.lease
	for range 5 {
		l.Until = until.Add(busyFor)
		put, ok, err := h.putLease(ctx, c.leased, l)
		if ok {
			c.lease = put
		}
		if ok || err != nil {
			return err
		}
		if l, err = h.readLease(ctx, c.leased); err != nil || l.Case != c.ID {
			return err
		}
	}
	return nil
}

// putLease records a lease as it is, unless somebody has changed it, and gives it as it is stored.
func (h *Healer) putLease(ctx context.Context, role string, l roleLease) (_ roleLease, ok bool, err error) {
	data, err := json.Marshal(l)
	if err != nil {
		return l, false, err
	}
	it, err := h.Store.Put(ctx, Item{Kind: kindRole, ID: role, Version: l.version, Data: data, Expires: h.Clock.Now().Add(kept)})
	if errors.Is(err, ErrConflict) {
		return l, false, nil
	}
	if err != nil {
		return l, false, fmt.Errorf("recording the lease of %q: %w", role, err)
	}
	l.version = it.Version
	return l, true, nil
}

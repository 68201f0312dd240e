package heal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"slices"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/diagnose"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/settings"
)

func unmarshal(it Item, v any) error {
	if err := json.Unmarshal(it.Data, v); err != nil {
		return fmt.Errorf("reading %s %q: %w", it.Kind, it.ID, err)
	}
	return nil
}

// errWait ends a run without an error: the case waits for something that is
// recorded in it.
var errWait = errors.New("waiting")

// run takes the case as far as it can go now. Every step records what it is
// about to do before it does it, so that after a crash the next run continues
// there instead of starting over.
func (h *Healer) run(ctx context.Context, c *held) error {
	if !c.Closed.IsZero() && len(c.Outbox) == 0 { // every notice is sent
		if err := h.gather(ctx, c); err != nil {
			return err
		}
		return h.takeUp(ctx, c)
	}
	for c.Closed.IsZero() {
		if r := c.last(); h.Clock.Now().Before(r.NotYet) {
			return h.wait(ctx, c, r.NotYet)
		}
		err := h.step(ctx, c)
		if errors.Is(err, errWait) {
			return h.flush(ctx, c)
		}
		if err != nil && !h.tryInPlace(ctx, c, err) {
			return h.handleError(ctx, c, err)
		}
	}
	return h.close(ctx, c)
}

// Bounds of waiting in place.
const (
	maxSleeps   = 3
	sleepFor    = 15 * time.Second
	afterASleep = time.Minute // that the invocation, the lease and the case's lock must last besides
)

// tryInPlace waits in place before a change that is half made is tried again, and reports whether
// it did: as a message, the case would wait behind the whole queue, with the role's lease in its
// hand.
func (h *Healer) tryInPlace(ctx context.Context, c *held, err error) bool {
	if !c.halfDone(err) || !errors.Is(err, ErrLater) || errors.Is(err, errBusy) || c.sleeps >= maxSleeps {
		return false
	}
	c.sleeps++
	d := min(backoff(c.ID, c.sleeps), sleepFor)
	if errors.Is(err, ErrUnseen) {
		d = unsettled
	}
	until := h.Clock.Now().Add(d + afterASleep)
	if end, ok := ctx.Deadline(); ok && time.Until(end) < d+afterASleep || until.After(c.lease.Until) || until.After(c.Busy) {
		return false
	}
	h.Log.InfoContext(ctx, "trying again in place", "case", c.ID, "after", d.String(), "because", err.Error())
	return h.Sleep(ctx, d) == nil
}

// wait unlocks the case and asks the queue to bring it back at the given time.
func (h *Healer) wait(ctx context.Context, c *held, until time.Time) error {
	c.last().NotYet = until
	if err := h.save(ctx, c, len(c.Outbox) == 0); err != nil {
		return err
	}
	if err := h.Queue.Later(ctx, c.ID, until); err != nil {
		return fmt.Errorf("asking to be called back: %w", err)
	}
	return h.flush(ctx, c)
}

// step does the case's next step.
func (h *Healer) step(ctx context.Context, c *held) error {
	r := c.last()
	// Otherwise it only waits.
	if r.Step != decide.StepRetried && r.Step != decide.StepJoined && (r.Step != decide.StepDecided || r.Decision.Waits) {
		if err := h.lock(ctx, c); err != nil {
			return err
		}
	}
	switch r.Step {
	case decide.StepReceived:
		return h.decide(ctx, c)
	case decide.StepJoined:
		if r.Incident != "" {
			return h.awaitIncident(ctx, c)
		}
		return h.awaitLead(ctx, c)
	case decide.StepDecided:
		if r.Decision.Waits {
			return h.decide(ctx, c)
		}
		return errWait // for an approval
	case decide.StepWriting:
		return h.write(ctx, c)
	case decide.StepWritten:
		r.Step, r.RetryAt, r.Token, r.Tries = decide.StepRetrying, h.Clock.Now(), token(c), 0
		if err := h.save(ctx, c, false); err != nil {
			return err
		}
		return h.start(ctx, c)
	case decide.StepRetrying:
		return h.startAgain(ctx, c)
	case decide.StepRetried:
		if c.alreadyFailed(r.Retry) {
			return h.nextRound(ctx, c)
		}
		if err := h.assignRetry(ctx, c, r.Retry); err != nil {
			return err
		}
		return errWait // for the build's own event
	case decide.StepUndoing:
		return h.revert(ctx, c)
	}
	return fmt.Errorf("case %q is at step %q, which this version does not know: deploy the version that wrote it", c.ID, r.Step)
}

// nextRound opens a round for the retried build whose failure arrived before
// the case was waiting for it.
func (h *Healer) nextRound(ctx context.Context, c *held) error {
	b, err := h.build(ctx, c.at(), c.last().Retry)
	if err != nil {
		return fmt.Errorf("reading build %q: %w", c.last().Retry, err)
	}
	batch, err := h.retriedBatch(ctx, c, b)
	if err != nil {
		return err
	}
	if _, err := h.enter(ctx, c, b, batch); err != nil {
		return err
	}
	return h.save(ctx, c, false)
}

// graceContext is the context for what must be recorded even if the
// invocation's time is over: [gracePeriod] is reserved for that.
func graceContext(ctx context.Context) (context.Context, context.CancelFunc) {
	if ctx.Err() == nil {
		return ctx, func() {}
	}
	return context.WithTimeout(context.WithoutCancel(ctx), gracePeriod)
}

// handleError decides what an error means for the case: end it, try it again
// later, or leave the message to be delivered again.
func (h *Healer) handleError(ctx context.Context, c *held, err error) error {
	ctx, cancel := graceContext(ctx)
	defer cancel()
	r := c.last()
	if none := (QuotaError{}); errors.As(err, &none) {
		return h.neverStarted(ctx, c, err, sentence(none))
	}
	later := errors.Is(err, ErrLater) || errors.Is(err, ErrConflict)
	switch {
	case errors.Is(err, errBusy):
		return err
	case later && h.givesBack(c, err):
		return h.giveBack(ctx, c, err)
	case refusedForNow(c, err):
		return h.comeBack(ctx, c, err)
	case errors.As(err, &QuotaError{}):
	case errors.Is(err, errTooLarge): // closed already
		if err := h.release(ctx, c, h.Clock.Now()); err != nil {
			return err
		}
		return h.close(ctx, c)
	case errors.Is(err, ErrDenied), errors.Is(err, ErrFinal), errors.As(err, &FaultError{}), later && r.Tries >= maxWaits,
		!later && r.Tries >= maxTries:
		note := sentences(sentence(err), h.endWrite(ctx, c))
		k := decide.Reported
		if !r.Written.IsZero() || !r.RetryAt.IsZero() {
			k = decide.Failed
		}
		if gerr := h.release(ctx, c, h.Clock.Now()); gerr != nil {
			return gerr
		}
		c.finish(h.Clock.Now(), k, note)
		c.blame(err)
		return h.close(ctx, c)
	case later, errors.Is(err, context.DeadlineExceeded):
		r.Tries++
		until := h.Clock.Now().Add(backoff(c.ID, r.Tries))
		if kerr := h.renew(ctx, c, until); kerr != nil {
			return kerr
		}
		return h.wait(ctx, c, until)
	}
	r.Tries++
	if serr := h.save(ctx, c, true); serr != nil {
		h.Log.ErrorContext(ctx, "giving the case free", "case", c.ID, "error", serr)
	}
	return err
}

// backoff is how long a case waits after so many tries: at most 10 s, doubled
// each time, to 15 minutes.
func backoff(caseID string, try int) time.Duration {
	return Jitter(min(5*time.Second<<min(try, 8), 15*time.Minute), fmt.Sprint(caseID, " ", try))
}

// Jitter is a duration between half of most and most, fixed by the key: cases
// that were throttled together must not come back together.
func Jitter(most time.Duration, key string) time.Duration {
	h := fnv.New32a()
	h.Write([]byte(key)) // never fails
	return most/2 + time.Duration(float64(h.Sum32())/math.MaxUint32*float64(most/2))
}

// sentence is an error in the form in which notices print it.
func sentence(err error) string {
	s := err.Error()
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[n:] + "."
}

// decide reads the facts, decides, and records what comes next.
func (h *Healer) decide(ctx context.Context, c *held) (err error) {
	defer func() {
		if c.halfDone(err) {
			return
		}
		c.back = errors.Is(err, ErrLater) || errors.Is(err, ErrConflict)
		if gerr := h.release(ctx, c, time.Time{}); err == nil {
			err = gerr
		}
	}()
	h, read := h.readingAhead()
	f, sim, ok, err := h.learn(ctx, c)
	if read.forget(); err != nil || !ok {
		return err
	}
	if c.joins != "" {
		return h.joinNow(ctx, c)
	}
	if c.putOff {
		return h.comeForCure(ctx, c)
	}
	h.Simulator = sim
	d, full, err := h.decided(ctx, c, f)
	if err != nil {
		return err
	}
	r := c.last()
	r.Decision = &d
	if f.Waited && f.Newer != "" && d.Plan == nil && !r.Own {
		r.Told = true // the incident's notices name it, and its branch has a newer build
	}
	if waits, err := h.amongMany(ctx, c, f, d); err != nil {
		return err
	} else if waits {
		return errWait
	}
	return h.comesNext(ctx, c, f, full)
}

// learn reads what the case is decided by: its log, AWS's records, what earlier cases remember and, for a
// grant, what the role may do. sim is IAM's simulator, with what it has said of that. ok is false if the case
// waits for a log or a record that is not complete yet.
func (h *Healer) learn(ctx context.Context, c *held) (f decide.Facts, sim *foreseen, ok bool, err error) {
	r := c.last()
	f, err = h.facts(ctx, c)
	h.early.drop()
	if err != nil || h.Clock.Now().Before(r.NotYet) {
		return f, nil, false, err // the log is not complete yet
	}
	r.Diagnosis = &f.Diagnosis // so that a run after throttling need not read the log again
	if err := h.readRecords(ctx, c, &f); err != nil || h.Clock.Now().Before(r.NotYet) {
		return f, nil, false, err // AWS has no record of a denied request yet
	}
	if decide.AsksForJob(f) {
		if f.Job, err = h.findJob(ctx, c, f); err != nil {
			return f, nil, false, err
		}
	}
	remembered, sim := f, &foreseen{Simulator: h.Simulator}
	err = beside(
		func() error { return h.recall(ctx, c, &remembered) },
		func() error {
			if f.Diagnosis.Remedy != diagnose.Grant {
				return nil
			}
			return h.permitted(ctx, c, &f, sim)
		})
	f.Known = remembered.Known
	return f, sim, err == nil, err
}

// comesNext records what comes of the decision, or begins to carry it out. full says which budget leaves no
// room for it.
func (h *Healer) comesNext(ctx context.Context, c *held, f decide.Facts, full []guardrail.Refusal) error {
	r, now := c.last(), h.Clock.Now()
	switch d := *r.Decision; {
	case d.Undo > 0:
		r.Step = decide.StepUndoing
		return h.save(ctx, c, false)
	case d.Waits:
		return h.waitForCloudTrail(ctx, c)
	case d.Remedy == diagnose.Ignore:
		r.Step, c.Closed, c.Outcome = decide.StepDone, now, decide.Reported
		return nil
	case d.Plan == nil, d.Mode == settings.Observe:
		c.finish(now, endWithoutPlan(c), "")
		return nil
	case !c.begins(d):
		return h.propose(ctx, c)
	}
	return h.begin(ctx, c, f, full)
}

// decided decides. If the decision is to be carried out now, full says which budget leaves no room
// for it.
func (h *Healer) decided(ctx context.Context, c *held, f decide.Facts) (d decide.Decision, full []guardrail.Refusal, err error) {
	for range 2 {
		if d, err = h.Explain(ctx, c.at(), f); err == nil {
			d, err = withRoom(c.Case, d)
		}
		if err == nil {
			d, err = h.vain(ctx, c, f, d)
		}
		if err != nil {
			return d, nil, err
		}
		holds, paused := f.Held, f.Paused
		err = beside(
			func() (err error) {
				if c.leased != "" {
					// Under the lease once more: an undo may have been recorded while this case
					// waited for it.
					holds, err = h.heldBack(ctx, c.at(), f.Project)
				}
				return err
			},
			func() (err error) {
				if c.leased != "" { // nor may a person have paused it
					with, a := h.readingAhead()
					a.fetch(ctx, []slot{{kindFlag, pausedFlag}, {kindFlag, projectFlag(c.at(), c.Project)}})
					paused, err = with.paused(ctx, c.at(), c.Project)
				}
				return err
			},
			func() (err error) {
				if !c.begins(d) {
					return nil
				}
				if d.Plan.InCode() {
					if c.covered, err = h.covered(ctx, d.Plan); err != nil {
						return err
					}
				}
				full, err = h.room(ctx, c, d)
				return err
			})
		if err != nil || slices.Equal(holds, f.Held) && paused == f.Paused {
			return d, full, err
		}
		f.Held, f.Paused = holds, paused // decided again
	}
	return d, nil, fmt.Errorf("what persons take back changes at this moment: %w", ErrLater)
}

// begins reports whether the decision is carried out without waiting for anybody. A person who
// approved one plan waits for that plan: no other one is carried out in its place, not even one for
// which the settings ask nobody.
func (c *held) begins(d decide.Decision) bool {
	switch approved := c.last().Approved; {
	case d.Undo != 0, d.Waits, d.Plan == nil, d.Mode == settings.Observe:
		return false
	case approved != "":
		return d.Plan.Hash() == approved || deployedNow(*c.last(), d)
	case deployedNow(*c.last(), d): // a person has merged what was asked for
		return true
	}
	return !d.Proposes()
}

// deployedNow reports whether the decision only starts the build of a round that had asked in code for
// what it was denied.
func deployedNow(r decide.Round, d decide.Decision) bool {
	return r.Requested() && !d.Mutates() && d.Remedy == diagnose.Retry && d.Plan != nil && d.Plan.Buildspec == "" && d.Flaky == 0
}

// endWithoutPlan is the outcome of a case for which nothing more can be done:
// failed if something was tried, else reported.
func endWithoutPlan(c *held) decide.Kind {
	for _, r := range c.Rounds {
		if !r.Old && !r.RetryAt.IsZero() {
			return decide.Failed
		}
	}
	return decide.Reported
}

// waitForCloudTrail schedules another look at CloudTrail, outside the
// function's running time, or gives up when the settings' time is over.
func (h *Healer) waitForCloudTrail(ctx context.Context, c *held) error {
	r := c.last()
	now := h.Clock.Now()
	switch wait := h.Settings.Limits.CloudTrail; {
	case wait == 0:
		r.Decision.Waits = false
		c.finish(now, decide.Reported, "The grant requires CloudTrail's confirmation (evidence: cloudtrail), "+
			"which is not there yet, and limits.cloudtrail_wait is 0, so nothing waits for it.")
		return nil
	case now.Sub(r.Started) > wait:
		r.Decision.Waits = false
		c.finish(now, decide.Reported, fmt.Sprintf(
			"CloudTrail did not show the denial within %s, and the grant requires it (evidence: cloudtrail).", wait))
		return nil
	}
	r.Step, r.NotYet = decide.StepDecided, now.Add(2*time.Minute)
	return nil
}

// Explain decides, and has the decision proved. It changes nothing. Of the
// healer it needs only Settings, Simulator and, if the settings say so, Analyzer.
func (h *Healer) Explain(ctx context.Context, at settings.Account, f decide.Facts) (decide.Decision, error) {
	d := decide.Decide(f)
	return d, h.prove(ctx, at, f, &d)
}

// prove asks the simulator and, if the settings say so, Access Analyzer about
// the policy as it would be. Anything but a pass becomes a refusal.
func (h *Healer) prove(ctx context.Context, at settings.Account, f decide.Facts, d *decide.Decision) error {
	if d.Plan == nil || d.Plan.Write == nil {
		return nil
	}
	t := d.Plan.Write
	if t.Kind == guardrail.Attach {
		return nil // these documents are checked when the stack is synthesized
	}
	role, _ := f.RoleInHand()
	answers, err := h.Simulator.Simulate(ctx, at, role, d.Plan.Proof, []string{t.After})
	if err != nil {
		return fmt.Errorf("simulating the new policy: %w", err)
	}
	rs := guardrail.Proved(guardrail.Judgement{Proof: d.Plan.Proof}, f.Judged().Role, answers)
	if len(rs) == 0 && h.Settings.Limits.Analyzer {
		found, err := h.Analyzer.Check(ctx, at, guardrail.Allowlist(f.Judged()), t.After)
		if err != nil {
			return fmt.Errorf("asking Access Analyzer: %w", err)
		}
		for _, s := range found {
			rs = append(rs, guardrail.Refusal{Rule: guardrail.Analyzer, Message: s})
		}
	}
	if len(rs) > 0 {
		why := "The new policy was not proved."
		if rs[0].Rule == guardrail.OtherLayer {
			why = "Another layer than the role's policies would deny it still."
		}
		*d = decide.Refuse(*d, why, rs...)
		d.Used = nil
	}
	return nil
}

// propose stores the plan under its hash and waits for an approval.
func (h *Healer) propose(ctx context.Context, c *held) error {
	p := c.last().Decision.Plan
	now := h.Clock.Now()
	until := now.Add(h.Settings.Limits.Approve)
	data, err := json.Marshal(storedPlan{Case: c.ID, Plan: p.Bytes(), Settings: h.Settings.SHA256, Until: until})
	if err != nil {
		return err
	}
	// The same plan may have been proposed before: by other settings, or long ago.
	it, err := h.Store.Get(ctx, kindPlan, p.Hash())
	if err != nil && !errors.Is(err, ErrNotFound) {
		return fmt.Errorf("looking for the plan: %w", err)
	}
	_, err = h.Store.Put(ctx, Item{Kind: kindPlan, ID: p.Hash(), Version: it.Version, Data: data, Expires: now.Add(kept)})
	if err != nil { // of a conflict, too: it is decided again
		return fmt.Errorf("storing the plan: %w", err)
	}
	note, r := "", c.last()
	if r.Approved != "" {
		note = fmt.Sprintf("Plan %s was approved, and not applied: what the build needs has changed since. "+
			"This plan is proposed in its place.", r.Approved)
	}
	r.Until, r.Approved = until, ""
	c.finish(now, decide.Proposed, note)
	return nil
}

// begin acquires what the plan needs (budgets, the role's lease) and records
// what is about to be done. full says which budget had no room.
func (h *Healer) begin(ctx context.Context, c *held, f decide.Facts, full []guardrail.Refusal) error {
	r := c.last()
	d := r.Decision
	now := h.Clock.Now()
	if d.Mutates() {
		if again, err := h.leaseToWrite(ctx, c); err != nil || again {
			return err
		}
	}
	if len(full) == 0 {
		var err error
		if full, err = h.count(ctx, c, *d); err != nil {
			return err
		}
	}
	if len(full) > 0 {
		if err := h.lock(ctx, c); err != nil {
			return err
		}
	}
	if len(full) > 0 && h.waitsForRoom(c, full[0].Rule) {
		return nil
	}
	if len(full) > 0 {
		*d = decide.Refuse(*d, "A budget is used up.", full...)
		d.Used = nil
		c.finish(now, endWithoutPlan(c), "")
		return nil
	}
	if !d.Mutates() {
		return h.afterWrite(ctx, c, time.Time{})
	}
	r.Step, r.Versions = decide.StepWriting, nil
	if d.Plan.InCode() && len(r.Requests) == 0 {
		r.Requests = slices.Clone(d.Plan.Requests)
	}
	if f.Role != nil && f.Role.Named != nil {
		for _, v := range f.Role.Named.Versions {
			r.Versions = append(r.Versions, v.ID)
		}
	}
	if err := h.save(ctx, c, false); err != nil {
		return err
	}
	return h.write(ctx, c)
}

// leaseToWrite acquires the role's lease for the decision. again means that it was made without the lease
// and no longer holds: the step is still the one that decides.
func (h *Healer) leaseToWrite(ctx context.Context, c *held) (again bool, err error) {
	r, was := c.last(), c.leased
	if err := h.acquire(ctx, c); err != nil || c.leased == was {
		return false, err
	}
	// It was decided without the lease, as an approval is: a person may have paused, or taken
	// back what it gives, since that was read.
	err = h.still(ctx, c)
	if errors.Is(err, ErrConflict) && r.Tries < maxTries {
		r.Tries++
		h.Log.InfoContext(ctx, "deciding again", "case", c.ID, "because", err.Error())
		return true, nil
	}
	return false, err
}

// curedFor is how long after a role was written most of its other failed builds need no more than
// another start: so long the simulator is asked before anything else.
const curedFor = time.Hour

// permitted finds out what the build's role may do and which policies it has,
// as far as the decision needs it. A role that may be written is read under its
// lease, so that the write starts from what was read, and so that of many
// cases that share a role only one reads it at a time.
func (h *Healer) permitted(ctx context.Context, c *held, f *decide.Facts, seen *foreseen) error {
	of := h.leaseNeeded(*f)
	if of == "" {
		return h.permissions(ctx, c.at(), f)
	}
	for try := 0; ; try++ {
		l, err := h.leaseSeen(ctx, c, of)
		if err != nil {
			return err
		}
		if c.joins, err = h.alike(ctx, c, *f, l); err != nil || c.joins != "" {
			return err
		}
		switch {
		case !h.available(l, c.ID):
			return errLeased(of)
		case h.Clock.Now().Sub(l.Wrote) < unsettled:
			return fmt.Errorf("%q was written a moment ago, and IAM does not show it everywhere yet: %w", of, ErrLater)
		}
		f.Wrote = l.Wrote
		qs, worth := questions(*f)
		if !worth {
			return nil
		}
		if c.crowded && !f.Project.Write.Code.Set() && try < 5 {
			if named, err := h.leadLater(ctx, c, *f, of, l); err != nil || named {
				return err
			}
			continue
		}
		if h.Clock.Now().Sub(l.Wrote) < curedFor {
			further, err := h.ask(ctx, c.at(), f, qs)
			if err != nil || !further {
				return err
			}
		}
		if !f.Project.Write.Code.Set() {
			l = l.ledBy(c, f.Diagnosis.Fingerprint)
		}
		if err := h.acquireSeen(ctx, c, of, l); errors.Is(err, ErrLater) && try == 0 {
			f.Before = nil
			continue // what was read before the log is out of date, or somebody begins to follow
		} else if err != nil {
			return err
		}
		return h.look(ctx, c.at(), f, qs, !l.Wrote.IsZero(), seen)
	}
}

// leaseNeeded names what must be leased before the role is read; "" if nothing
// will be written.
func (h *Healer) leaseNeeded(f decide.Facts) string {
	role, ok := f.RoleInHand()
	switch {
	case !ok, f.Project.Mode != settings.Heal, f.Project.SwitchRole != "":
		return ""
	}
	return leaseOn(role, f.Project)
}

// leaseOn names what must be leased before the role is written, as [leaseOf] does.
func leaseOn(role codebuild.Role, p settings.Project) string {
	if p.Write.Managed != "" {
		return role.PolicyARN(p.Write.Managed)
	}
	return role.ARN()
}

func errLeased(of string) error { return fmt.Errorf("another case has %q now: %w", of, ErrLater) }

// acquire acquires the lease that the last round's change needs.
func (h *Healer) acquire(ctx context.Context, c *held) error {
	return h.acquireOn(ctx, c, leaseOf(*c.last().Decision.Plan))
}

// afterWrite releases the lease, if there is one, and waits for what was written to settle, or
// starts the build. wrote is when it was written; zero if nothing was.
func (h *Healer) afterWrite(ctx context.Context, c *held, wrote time.Time) error {
	r := c.last()
	p := r.Decision.Plan
	now := h.Clock.Now()
	release := func() error { return h.release(ctx, c, wrote) }
	r.Tries = 0
	if p.Route == decide.RouteNone {
		c.finish(now, decide.Failed, "The settings forbid starting this project's builds (retry: false): start it by hand.")
		return release()
	}
	if p.Settle > 0 {
		r.Step, r.NotYet = decide.StepWritten, now.Add(p.Settle)
		return release() // run waits
	}
	r.Step, r.RetryAt, r.Token = decide.StepRetrying, now, token(c)
	if err := beside(release, func() error { return h.save(ctx, c, false) }); err != nil {
		return err
	}
	return h.start(ctx, c)
}

// token identifies a round's retry: CodeBuild starts one build for it within
// five minutes, however often it is asked (AWS.md#retry-token).
func token(c *held) string {
	return fmt.Sprintf("%s-%d-%d", c.ID, c.Past.Rounds+len(c.Rounds), c.Opened.Unix())
}

// budget is how often something may be done within a time.
type budget struct {
	rule    guardrail.Rule
	id      string
	max     int
	setting string
	until   time.Time
}

// budgetsOf gives the budgets that carrying out the decision uses.
func (h *Healer) budgetsOf(d decide.Decision, now time.Time) (bs []budget) {
	l := h.Settings.Limits
	hour, day := now.UTC().Format("2006-01-02T15"), now.UTC().Format("2006-01-02")
	if d.Mutates() {
		bs = append(bs,
			budget{guardrail.WritesPerRole, "writes " + d.Plan.Role + " " + day, l.WritesRole,
				"limits.writes_per_role_per_day", now.Add(48 * time.Hour)},
			budget{guardrail.WritesPerHour, "writes " + hour, l.WritesHour, "limits.writes_per_hour", now.Add(2 * time.Hour)})
	}
	if usesRetry(d.Plan) {
		bs = append(bs, retriesOf(l, now))
	}
	return bs
}

// room looks at the budgets that carrying out the decision uses, so that a refusal uses up nothing.
func (h *Healer) room(ctx context.Context, c *held, d decide.Decision) ([]guardrail.Refusal, error) {
	return h.ofBudgets(c, d, h.Clock.Now(), func(b budget) (bool, error) {
		ok, err := h.Store.Room(ctx, b.id, token(c), b.max)
		if err != nil {
			err = fmt.Errorf("reading how much of %s is used: %w", b.setting, err)
		}
		return ok, err
	})
}

// count counts the writes and retries that are about to be made: once a
// round, however often the round gets here. If another case has taken the last
// place since [Healer.room], the other budgets stay counted: that is the safe side.
func (h *Healer) count(ctx context.Context, c *held, d decide.Decision) ([]guardrail.Refusal, error) {
	now := h.Clock.Now()
	full, err := h.ofBudgets(c, d, now, func(b budget) (bool, error) {
		ok, err := h.Store.Count(ctx, b.id, token(c), b.max, b.until)
		if err != nil {
			err = fmt.Errorf("counting %s: %w", b.setting, err)
		}
		return ok, err
	})
	if err == nil && len(full) == 0 && usesRetry(d.Plan) {
		c.last().Counted = now
	}
	return full, err
}

// ofBudgets asks about all budgets at the same time, and gives the refusal of the first that has
// no place left.
func (h *Healer) ofBudgets(
	c *held, d decide.Decision, now time.Time, ok func(budget) (bool, error),
) ([]guardrail.Refusal, error) {
	bs := h.budgetsOf(d, now)
	if c.covered {
		bs = nil
	}
	free := make([]bool, len(bs))
	var asked []func() error
	for i, b := range bs {
		asked = append(asked, func() (err error) { free[i], err = ok(b); return err })
	}
	if err := beside(asked...); err != nil {
		return nil, err
	}
	if i := slices.Index(free, false); i >= 0 {
		return bs[i].usedUp(), nil
	}
	return nil, nil
}

func (b budget) usedUp() []guardrail.Refusal {
	return []guardrail.Refusal{{Rule: b.rule,
		Message: fmt.Sprintf("%s is %d, and that many were made already. Look at what happened, then raise the limit "+
			"or act by hand.", b.setting, b.max)}}
}

// close records the end of the case and sends its notices. Then it is the turn
// of the builds that waited for it.
func (h *Healer) close(ctx context.Context, c *held) error {
	if c.Outcome == decide.Healed {
		if err := h.askForGood(ctx, c); err != nil {
			return err
		}
	}
	history, err := c.history()
	if err != nil {
		return err
	}
	h.unsaid(c)
	if len(c.Outbox) > 0 {
		err = beside(func() error { return h.record(ctx, history) }, func() error { return h.saveToTell(ctx, c) })
	} else if err = h.record(ctx, history); err == nil { // first, since nothing brings the case back here
		err = h.save(ctx, c, true)
	}
	if err != nil {
		return err
	}
	if r := c.last(); r.Probe && !r.Own {
		if err := h.keepAt(ctx, decide.IncidentKey(r.Incident), 0, h.Clock.Now()); err != nil {
			return err
		}
	}
	if err := h.gather(ctx, c); err != nil {
		return err
	}
	if err := h.flush(ctx, c); err != nil {
		return err
	}
	return h.takeUp(ctx, c)
}

// history is the record of the closed case, under the time of its end.
func (c *held) history() (Item, error) {
	data, err := json.Marshal(c.summary())
	return Item{Kind: kindClosed, ID: c.ID, Due: c.Closed, Expires: c.Closed.Add(kept), Data: data}, err
}

// record records a closed case. Only if it was closed before there is a record to replace.
func (h *Healer) record(ctx context.Context, history Item) error {
	for range 2 {
		_, err := h.Store.Put(ctx, history)
		if err == nil {
			return nil
		}
		if !errors.Is(err, ErrConflict) {
			return fmt.Errorf("writing the history: %w", err)
		}
		was, err := h.Store.Get(ctx, kindClosed, history.ID)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return fmt.Errorf("reading the history: %w", err)
		}
		if err == nil && was.Due.Equal(history.Due) {
			return nil
		}
		history.Version = was.Version
	}
	return nil // somebody else has just written it
}

// saveToTell records the case and, at the same time, takes the turn of the notice that comes next.
func (h *Healer) saveToTell(ctx context.Context, c *held) error {
	if len(c.Outbox) == 0 || c.Outbox[0].Silent {
		return h.save(ctx, c, false)
	}
	to := h.unsent(c)
	if len(to) == 0 { // the settings have changed: whoever hears of it now has it already
		return h.save(ctx, c, false)
	}
	next := c.Outbox[0].ID
	return beside(
		func() error { return h.save(ctx, c, false) },
		func() error {
			if t, err := h.turn(ctx, to[0].Owner, next, h.Settings.Notify.Digest); err == nil { // else it takes one when it is sent
				c.turn = t
			}
			return nil
		})
}

// flush sends the notices in the outbox and unlocks the case.
func (h *Healer) flush(ctx context.Context, c *held) error {
	h.unsaid(c)
	if len(c.Outbox) == 0 {
		if c.Busy.IsZero() {
			return nil
		}
		return h.save(ctx, c, true)
	}
	for len(c.Outbox) > 0 {
		id := c.Outbox[0].ID
		if err := h.tellAll(ctx, c); err != nil {
			done, cancel := graceContext(ctx)
			defer cancel()
			if serr := h.save(done, c, true); serr != nil {
				h.Log.ErrorContext(ctx, "giving the case free", "case", c.ID, "error", serr)
			}
			return fmt.Errorf("sending notice %q: %w", id, err)
		}
		c.Outbox = c.Outbox[1:]
		h.unsaid(c)
		if err := h.save(ctx, c, len(c.Outbox) == 0); err != nil {
			return err
		}
	}
	return nil
}

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
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/iampolicy"
)

// tokenFor is how long CodeBuild remembers a token (AWS.md#retry-token).
const tokenFor = 5 * time.Minute

// write makes the change that the plan asks for. It may run again after a
// crash at any point: what has been written already is not written twice.
func (h *Healer) write(ctx context.Context, c *held) error {
	resumed := c.leased == "" || c.sleeps > 0
	if err := h.acquire(ctx, c); err != nil {
		return err
	}
	if c.last().Decision.Plan.InCode() {
		return h.writeInCode(ctx, c, resumed)
	}
	err := h.change(ctx, c, resumed)
	if errors.Is(err, ErrConflict) {
		// What the decision was based on has changed: decide again, from what was
		// there before this write began.
		if aerr := h.abandon(ctx, c); aerr != nil {
			err = fmt.Errorf("taking back a change that is half made: %w", aerr)
		} else {
			c.last().Step = decide.StepReceived
		}
	}
	if c.halfDone(err) {
		return err
	}
	if err != nil {
		_ = h.release(ctx, c, h.Clock.Now()) // even after an error, the write may have been made
		return err
	}
	return h.afterWrite(ctx, c, h.Clock.Now())
}

// writeInCode asks for the change in the code that owns the policy. The lease is given back whatever
// happens: nothing in IAM is half made.
func (h *Healer) writeInCode(ctx context.Context, c *held, resumed bool) (err error) {
	if resumed {
		err = h.still(ctx, c)
	}
	if err == nil {
		err = h.askInCode(ctx, c)
	}
	if errors.Is(err, ErrConflict) {
		c.last().Step = decide.StepReceived
	}
	if rerr := h.release(ctx, c, time.Time{}); err == nil {
		err = rerr
	}
	return err
}

// halfDone reports whether the error leaves a change that may be partly made
// and that the case will come back to, if only to take it back. The lease is
// kept then, so that no other case builds on a half-made change.
func (c *held) halfDone(err error) bool {
	if d := c.last().Decision; err == nil || c.leased == "" || d != nil && d.Plan.InCode() {
		return false
	}
	return c.last().Step == decide.StepWriting ||
		c.last().Step == decide.StepUndoing && !errors.Is(err, ErrFinal) && !errors.Is(err, ErrDenied)
}

// abandon takes back what a write that will not be completed has made so far.
func (h *Healer) abandon(ctx context.Context, c *held) error {
	r := c.last()
	p := r.Decision.Plan
	switch {
	case p.Write != nil:
		told, err := h.Policies.Abandon(ctx, c.at(), p.Changes(), *p.Write, r.Versions)
		if err != nil {
			return err
		}
		back, err := h.bringBack(ctx, c, r)
		if told = sentences(told, back); err != nil {
			return err
		}
		if !strings.Contains(r.Abandoned, told) {
			r.Abandoned = sentences(r.Abandoned, told)
		}
	case p.NewRole != "":
		now, err := h.Projects.Role(ctx, c.at(), c.Project)
		if err == nil && now == p.NewRole {
			err = h.setRole(ctx, c, p.NewRole, p.OldRole, false)
		}
		return err
	}
	return nil
}

// endWrite ends a write that has failed for good: what it made is taken back,
// or else recorded as standing, so that an undo knows of it. It returns what
// must be told then.
func (h *Healer) endWrite(ctx context.Context, c *held) (note string) {
	r := c.last()
	if r.Step != decide.StepWriting || !r.Decision.Mutates() || r.Decision.Plan.InCode() {
		return ""
	}
	err := h.acquire(ctx, c)
	if err == nil {
		err = h.abandon(ctx, c)
	}
	now := h.Clock.Now()
	switch {
	case err != nil:
		if r.Written.IsZero() {
			r.Written = now
		}
		r.Partly = true
		return fmt.Sprintf("What this change had made by then could not be taken back, so a part of it may stand: %s. "+
			"{\"undo\":{\"case\":%q}} takes it back.", err, c.ID)
	case !r.Written.IsZero(): // all of it had been made
		r.Undone = now
	}
	return ""
}

// sentences puts sentences after one another.
func sentences(a, b string) string { return strings.TrimSpace(a + " " + b) }

func (h *Healer) change(ctx context.Context, c *held, resumed bool) (err error) {
	r := c.last()
	p := r.Decision.Plan
	switch {
	case p.Write != nil:
		r.WrittenVersion, err = h.writePolicy(ctx, c, *p.Write, resumed)
		if err != nil {
			return fmt.Errorf("writing policy of %q: %w", p.Role, err)
		}
		if err := h.remember(ctx, c); err != nil {
			return err
		}
	case p.Repository != "":
		if resumed {
			if err := h.still(ctx, c); err != nil {
				return err
			}
		}
		if err := h.Repositories.Create(ctx, c.at(), p.Repository); err != nil {
			return fmt.Errorf("creating repository %q: %w", p.Repository, err)
		}
	case p.NewRole != "":
		if err := h.setRole(ctx, c, p.OldRole, p.NewRole, resumed); err != nil {
			return err
		}
	}
	r.Written = h.Clock.Now()
	return nil
}

// still reports whether a decision made before the function died may still be
// carried out. It gives ErrConflict if the settings have changed since, if nobody
// looked whether the build ran what its project says, if writing is paused, if what is given would end before the build can run, or if
// a person has taken it back since.
func (h *Healer) still(ctx context.Context, c *held) error {
	d := c.last().Decision
	if d.Settings != h.Settings.SHA256 {
		return fmt.Errorf("the settings have changed since: %w", ErrConflict)
	}
	if b := c.last().Build; b.Checked == nil && b.HasFailed() { // a version decided it that did not look
		return fmt.Errorf("whether its build ran what its project says was not looked at: %w", ErrConflict)
	}
	for _, e := range d.Plan.Ends {
		if e.At.Sub(h.Clock.Now()) < max(d.Plan.Settle, e.Lasts/2) {
			return fmt.Errorf("grant %q would end at %s: %w", e.Grant, e.At.UTC().Format(time.RFC3339), ErrConflict)
		}
	}
	why, err := h.paused(ctx, c.at(), c.Project)
	if err == nil && why != "" {
		err = fmt.Errorf("writing has stopped: %w", ErrConflict)
	}
	if err != nil {
		return err
	}
	p, _ := h.Settings.Project(c.Project, c.Account, c.Region, h.Home)
	holds, err := h.heldBack(ctx, c.at(), p.ForRole(d.Plan.Changes().Name))
	if err == nil && slices.ContainsFunc(holds, d.Uses) {
		err = fmt.Errorf("a person has taken back what it gives: %w", ErrConflict)
	}
	return err
}

func (h *Healer) writePolicy(ctx context.Context, c *held, t guardrail.Target, resumed bool) (string, error) {
	r := c.last()
	role := r.Decision.Plan.Changes()
	if resumed {
		_, there, err := h.written(ctx, c, t)
		if err != nil {
			return "", err
		}
		if !there {
			if err := h.still(ctx, c); err != nil {
				return "", err
			}
		}
	}
	if err := h.keepVersion(ctx, c, t); err != nil {
		return "", err
	}
	version, err := h.Policies.Write(ctx, c.at(), role, t, r.Versions)
	if errors.Is(err, ErrFinal) || errors.Is(err, ErrDenied) {
		// The conflict may be with our own write, whose answer was lost.
		if v, there, werr := h.written(ctx, c, t); werr == nil && there {
			if t.Kind == guardrail.Managed && len(r.Versions) > 0 { // somebody else may have made a version beside it
				return h.Policies.Write(ctx, c.at(), role, t, r.Versions)
			}
			return v, nil
		}
	}
	return version, err
}

// written reports whether the target has been written already, and as which version.
func (h *Healer) written(ctx context.Context, c *held, t guardrail.Target) (version string, there bool, err error) {
	doc, version, err := h.Policies.Current(ctx, c.at(), c.last().Decision.Plan.Changes(), t)
	return version, err == nil && iampolicy.Same(doc, after(t)), err
}

// after is what Policies.Current says once the target is written.
func after(t guardrail.Target) string {
	if t.Kind == guardrail.Attach {
		return strings.Join(t.Attach, " ")
	}
	return t.After
}

func (h *Healer) setRole(ctx context.Context, c *held, from, to string, resumed bool) error {
	now, err := h.Projects.Role(ctx, c.at(), c.Project)
	if err != nil {
		return fmt.Errorf("reading the project's role: %w", err)
	}
	if now == to {
		return nil
	}
	if now != from {
		return fmt.Errorf("project %q has the role %q, not %q: %w", c.Project, now, from, ErrConflict)
	}
	if resumed {
		if err := h.still(ctx, c); err != nil {
			return err
		}
	}
	if err := h.Projects.SetRole(ctx, c.at(), c.Project, to); err != nil {
		return fmt.Errorf("switching project %q to role %q: %w", c.Project, to, err)
	}
	return nil
}

// remember records when each grant of the round expires, so that the sweep can
// remind the team.
func (h *Healer) remember(ctx context.Context, c *held) error {
	for _, u := range c.last().Decision.Used {
		if u.Expires.IsZero() {
			continue
		}
		data, err := json.Marshal(expiry{Case: c.ID, Round: len(c.Rounds) - 1, Grant: u.Grant, At: u.Expires})
		if err != nil {
			return err
		}
		id := c.ID + " " + u.Grant
		if own, _ := c.last().Build.Role(); own.Name != c.last().Decision.Plan.Changes().Name {
			id += " " + c.last().Decision.Plan.Changes().Name // the same grant may be given to several roles
		}
		it := Item{Kind: kindExpiry, ID: id, Due: remindAt(h.Clock.Now(), u.Expires),
			Expires: u.Expires.Add(kept), Data: data}
		if _, err := h.Store.Put(ctx, it); err != nil && !errors.Is(err, ErrConflict) {
			return fmt.Errorf("noting the expiry of grant %q: %w", u.Grant, err)
		}
	}
	return nil
}

type expiry struct {
	Case  string    `json:"case"`
	Round int       `json:"round"`
	Grant string    `json:"grant"`
	At    time.Time `json:"at"`
}

// remindAt is when the team is reminded: two days before the end, or when a
// fifth of the time is left, whichever is later.
func remindAt(now, end time.Time) time.Time {
	left := end.Sub(now) / 5
	return end.Add(-min(left, 48*time.Hour))
}

// start starts the build again.
func (h *Healer) start(ctx context.Context, c *held) error {
	r := c.last()
	p := r.Decision.Plan
	got, err := Started{ID: r.Retry}, error(nil)
	switch {
	case r.Build.Action != nil && !h.mayRetryStage(c):
		return fmt.Errorf("retrying the stage: the settings no longer let it be retried: %w", ErrFinal)
	case !r.Full.IsZero() && !h.mayStart(c):
		return fmt.Errorf("starting the build again: the settings no longer let it be started: %w", ErrFinal)
	case p.Route == decide.RouteJob:
		return h.rerun(ctx, c)
	case h.ofRunner(c): // it was decided on before that was known
		return fmt.Errorf("the build ran a job of the code host's, which no start of a build runs again; run it again there: %w", ErrFinal)
	case p.Route == decide.RouteCodeBuild:
		_, got.ID, _ = codebuild.ParseBuildARN(r.Build.AutoRetry.Next)
	case got.ID == "":
		if err := h.recount(ctx, c); err != nil {
			return err
		}
		got, err = h.Retrier.Retry(ctx, r.Build, *p, r.Token, func(others []string) error { return h.ready(ctx, c, others) })
	}
	if errors.Is(err, ErrFinal) {
		// Somebody else, or an earlier run of this case, may have started it.
		if b, ok, ferr := h.find(ctx, c); ferr == nil && ok {
			got, err = found(*r, b), nil
		}
	}
	if err != nil && r.Build.Action != nil {
		return fmt.Errorf("retrying the stage: %w", err)
	}
	if err != nil {
		return fmt.Errorf("starting the build again: %w", err)
	}
	return h.started(ctx, c, got)
}

// ready waits for the cases of the other builds that the same retry starts: one
// retry of a stage serves all of its failed builds, once each has been
// diagnosed and its role repaired (AWS.md#retry-of-a-stage).
func (h *Healer) ready(ctx context.Context, c *held, others []string) error {
	for _, b := range others {
		project := b[:max(strings.LastIndexByte(b, ':'), 0)]
		if _, ok := h.Settings.Project(project, c.Account, c.Region, h.Home); !ok {
			continue
		}
		other, err := h.caseKnowing(ctx, b)
		if err != nil {
			return err
		}
		n := len(other.Rounds)
		switch {
		case other.ID == c.ID:
		case n == 0 && h.Clock.Now().Sub(c.last().Build.End) < unheard:
			return fmt.Errorf("build %q of the same stage failed too and is not diagnosed yet: %w", b, ErrLater)
		case n == 0: // its event may never come
		case other.Rounds[n-1].Step == decide.StepJoined && other.Rounds[n-1].Incident != "":
			// It waits for nothing but a build that is green, and nothing is changed for it.
		case other.Closed.IsZero() && other.Rounds[n-1].Build.ID == b && !slices.Contains(underWay, other.Rounds[n-1].Step):
			return fmt.Errorf("build %q of the same stage failed too, and its case %s is not ready to start it: %w", b, other.ID, ErrLater)
		}
	}
	return nil
}

// caseKnowing finds the case that deals with the build; an empty one if none does.
func (h *Healer) caseKnowing(ctx context.Context, build string) (decide.Case, error) {
	id, err := h.caseOf(ctx, build)
	if err != nil || id == "" {
		return decide.Case{}, err
	}
	c := held{}
	c.Case, err = h.Case(ctx, id)
	if errors.Is(err, ErrNotFound) || (err == nil && !c.knows(build)) {
		return decide.Case{}, nil
	}
	return c.Case, err
}

// underWay are the steps in which a round's build has been, or is being, started.
var underWay = []decide.Step{decide.StepRetrying, decide.StepRetried, decide.StepDone}

// started records which build was started, and that it belongs to the case. A run that dies when
// only one of the two is recorded is made up for: an event of the build finds a case that waits for
// it, and what continues the case assigns the build.
func (h *Healer) started(ctx context.Context, c *held, got Started) error {
	c.last().Differs = got.Differs
	c.adopt(h.Clock.Now(), got.ID)
	h.unsaid(c)
	err := beside(
		func() error { return h.assignRetry(ctx, c, got.ID) },
		func() error {
			if (c.following() || c.last().Incident != "") && len(c.Outbox) == 0 { // nothing is left to tell
				return h.save(ctx, c, true)
			}
			return h.saveToTell(ctx, c)
		})
	if err == nil {
		h.watch(ctx, &c.Case)
	}
	return err
}

// assignRetry assigns the build that the last round started to the case, once in an invocation.
func (h *Healer) assignRetry(ctx context.Context, c *held, build string) error {
	if build == "" || build == c.assigned {
		return nil
	}
	err := h.assign(ctx, build, c.ID)
	if err == nil {
		c.assigned = build
	}
	return err
}

// found is a build that the round started, whose answer was lost.
func found(r decide.Round, b codebuild.Build) Started {
	was := r.Build
	if p := r.Decision.Plan; p.Route == decide.RouteStart {
		was = p.Starts(was)
	}
	return Started{ID: b.ID, Differs: was.Differs(b)}
}

// startAgain continues after a run that ended between asking for the build and
// recording it: a build that was started is adopted, and only if there is none
// is one started. While CodeBuild remembers the token, it is simply asked again,
// since that cannot start a second build.
func (h *Healer) startAgain(ctx context.Context, c *held) error {
	r := c.last()
	if r.OfJob() {
		return h.rerun(ctx, c)
	}
	if c.following() && h.leftToRelease(c) {
		return errWait // they find what it may have started, too
	}
	if r.ByToken() && h.Clock.Now().Sub(r.RetryAt) < tokenFor-decide.ClockSkew {
		return h.start(ctx, c)
	}
	b, ok, err := h.find(ctx, c)
	if u := (unclear{}); errors.As(err, &u) {
		c.finish(h.Clock.Now(), decide.Failed, u.note())
		return nil
	}
	if err != nil {
		return err
	}
	if ok {
		return h.started(ctx, c, found(*r, b))
	}
	if c.following() {
		switch is, err := h.ledStill(ctx, c); {
		case err != nil:
			return err
		case is == decide.LeadOpen:
			return h.waitAgain(ctx, c)
		case is == decide.LeadNone:
			return h.ownRoad(ctx, c)
		}
	}
	if note := h.leftForNewer(c); note != "" {
		return h.unstarted(ctx, c, note)
	}
	if now := h.Clock.Now(); now.Sub(r.RetryAt) >= tokenFor-decide.ClockSkew {
		r.RetryAt, r.Token = now, fmt.Sprintf("%s-%d", token(c), now.Unix())
		if err := h.save(ctx, c, false); err != nil {
			return err
		}
	}
	return h.start(ctx, c)
}

// find looks for the build that the last round started: one that is certainly
// the healer's, else the only one that can be. It gives ErrLater while that
// cannot be told yet, and an unclear error if it cannot be told at all.
func (h *Healer) find(ctx context.Context, c *held) (b codebuild.Build, ok bool, err error) {
	r := c.last()
	if r.OfBatch() {
		return h.findInBatch(ctx, c)
	}
	if a, waits := waitsForAction(*r); waits {
		run, ok, err := h.findRun(ctx, c, a)
		return codebuild.Build{ID: h.retryOf(*r, run)}, ok, err
	}
	bs, err := h.Builds.Since(ctx, c.at(), c.Project, r.Build.End, r.Build.ID)
	if err != nil {
		return b, false, fmt.Errorf("looking for the build that was started: %w", err)
	}
	c.looked = bs
	var candidates unclear
	for _, b := range slices.Backward(bs) {
		certain := h.startedBy(*r, b, codebuild.Batch{})
		if !certain && !h.mayBe(c, b) || c.has(b.ID) {
			continue
		}
		id, err := h.caseOf(ctx, b.ID)
		if err != nil {
			return b, false, err
		}
		switch {
		case id != "" && id != c.ID:
			continue
		case id == "" && b.Status == codebuild.InProgress && unresolved(r.Build, b):
			return b, false, fmt.Errorf("build %q was started, and its commit is not known yet: %w", b.ID, ErrLater)
		case certain:
			return b, true, nil
		}
		candidates = append(candidates, b)
	}
	switch {
	case len(candidates) == 0:
		return b, false, nil
	case len(candidates) == 1:
		return candidates[0], true, nil
	case slices.ContainsFunc(candidates, func(b codebuild.Build) bool { return b.Status == codebuild.InProgress }):
		return b, false, fmt.Errorf("which of %d builds was started for this case is not known: %w", len(candidates), ErrLater)
	}
	return b, false, candidates
}

// unresolved reports whether b, which the healer started, may still turn out to
// build another commit than a.
func unresolved(a, b codebuild.Build) bool {
	return a.ResolvedSourceVersion != "" && b.ResolvedSourceVersion == "" &&
		b.SourceVersion != a.ResolvedSourceVersion && b.Pipeline() == "" && b.BatchARN == ""
}

// has reports whether the case knows the build already.
func (c *held) has(build string) bool {
	for i, r := range c.Rounds {
		if r.Build.ID == build || (r.Retry == build && i < len(c.Rounds)-1) {
			return true
		}
	}
	return false
}

// revert undoes the change that did not help, and closes the case.
func (h *Healer) revert(ctx context.Context, c *held) error {
	i := c.last().Decision.Undo - 1
	// Facts.Earlier leaves out old rounds, so skip them when counting.
	for j := range c.Rounds {
		if c.Rounds[j].Old && j <= i {
			i++
		}
	}
	note := ""
	back := ""
	if c.Rounds[i].Undone.IsZero() { // otherwise an earlier run has done it
		var err error
		if note, back, err = h.undoRound(ctx, c, i); err != nil {
			return err
		}
	}
	k := decide.Undone
	if note != "" {
		k = decide.Failed
	}
	if err := h.breaker(ctx, c); err != nil {
		return err
	}
	now, u := h.Clock.Now(), c.last().Decision.Unsent
	p, ok := h.Settings.Project(c.Project, c.Account, c.Region, h.Home)
	if k != decide.Undone || u == nil || !ok || !p.Offers(h.Settings, u.Grants) {
		c.finish(now, k, sentences(note, back))
		return nil
	}
	// Told, and decided once more: what is offered then waits for a person.
	r := c.last()
	r.Step = decide.StepDone
	c.tell(now, k, back)
	c.Rounds = append(c.Rounds, decide.Round{Build: r.Build, Diagnosis: r.Diagnosis, Step: decide.StepReceived, Started: now})
	return h.save(ctx, c, false)
}

// undoRound restores what was there before a round's change. If that is not
// possible without touching somebody else's later change, nothing is changed
// and note says what differs. back tells of versions that had to go for the
// change.
func (h *Healer) undoRound(ctx context.Context, c *held, i int) (note, back string, err error) {
	r := &c.Rounds[i]
	p := r.Decision.Plan
	if err := h.acquireOn(ctx, c, leaseOf(*p)); err != nil {
		return "", "", err
	}
	switch {
	case p.Write != nil:
		if note, err = h.restore(ctx, c, r); err == nil && note == "" {
			back, err = h.bringBack(ctx, c, r)
		}
	case p.NewRole != "":
		err = h.setRole(ctx, c, p.NewRole, p.OldRole, false)
		if errors.Is(err, ErrConflict) {
			note, err = "The project's role was changed by somebody else since, so it was left as it is.", nil
		}
	case p.Repository != "":
		note = fmt.Sprintf("The repository %q stays. Delete it by hand if nobody needs it.", p.Repository)
	}
	if err == nil && note == "" {
		// Recorded before other cases may write: a later run of this case must not
		// undo again what another case has granted in the meantime.
		r.Undone = h.Clock.Now()
		err = h.save(ctx, c, false)
	}
	if c.halfDone(err) {
		return "", "", fmt.Errorf("undoing: %w", err)
	}
	if rerr := h.release(ctx, c, h.Clock.Now()); err == nil {
		err = rerr
	}
	if err != nil {
		return "", "", fmt.Errorf("undoing: %w", err)
	}
	return note, back, nil
}

func (h *Healer) restore(ctx context.Context, c *held, r *decide.Round) (note string, err error) {
	t, role := *r.Decision.Plan.Write, r.Decision.Plan.Changes()
	if r.Partly {
		r.Abandoned, err = h.Policies.Abandon(ctx, c.at(), role, t, r.Versions)
		return "", err
	}
	if t.Kind == guardrail.Attach { // some may be detached already, by an earlier run or by somebody
		return "", h.Policies.Restore(ctx, c.at(), role, t, "")
	}
	doc, _, err := h.Policies.Current(ctx, c.at(), role, t)
	if err != nil {
		return "", err
	}
	switch {
	case iampolicy.Same(doc, t.Before): // restored already, but perhaps ours is still among the versions
		if t.Kind == guardrail.Managed {
			_, err = h.Policies.Abandon(ctx, c.at(), role, t, r.Versions)
		}
		return "", err
	case !iampolicy.Same(doc, after(t)):
		next, ok := t.Divided(doc) // siblings were given theirs since
		if !ok && t.Kind == guardrail.Inline {
			next, ok = t.Without(doc) // other cases have changed the rest
		}
		if ok {
			return h.divide(ctx, c, role, next)
		}
		return "Somebody has changed the policy since, so it was left as it is. What differs from what was written: " +
			difference(after(t), doc), nil
	}
	err = h.Policies.Restore(ctx, c.at(), role, t, r.WrittenVersion)
	if errors.Is(err, ErrConflict) {
		return h.restoredBeside(ctx, c, role, t)
	}
	return "", err
}

// divide takes the project's own part out of a policy that siblings were given theirs in.
func (h *Healer) divide(ctx context.Context, c *held, role codebuild.Role, t guardrail.Target) (note string, err error) {
	if t.Before == t.After {
		return "", nil // an earlier run has done it
	}
	err = h.Policies.Restore(ctx, c.at(), role, t, "")
	if errors.Is(err, ErrConflict) {
		return h.restoredBeside(ctx, c, role, t)
	}
	return "", err
}

// restoredBeside finds out how a restore ended that met somebody else's change
// of the same policy: they may have built on the document before ours, or on ours.
func (h *Healer) restoredBeside(ctx context.Context, c *held, role codebuild.Role, t guardrail.Target) (note string, err error) {
	doc, _, err := h.Policies.Current(ctx, c.at(), role, t)
	if err != nil {
		return "", err
	}
	given, there := diff(t.Before, after(t)), diff(t.Before, doc)
	// What is scoped they may have put into one statement with another project's.
	next, scoped := t.Divided(doc)
	gone := !scoped || next.Before == next.After
	if gone && !slices.ContainsFunc(given, func(line string) bool {
		return strings.HasPrefix(line, "+ ") && slices.Contains(there, line)
	}) {
		return "", nil
	}
	return "Somebody changed the policy at this moment, so it was left as it is. What differs from what was written: " +
		difference(after(t), doc), nil
}

func difference(a, b string) string { return strings.Join(diff(a, b), "; ") }

// diff lists what differs from document a to document b; "" is an empty document.
func diff(a, b string) []string {
	var ds [2]iampolicy.Document
	for i, text := range []string{a, b} {
		if text == "" {
			continue
		}
		d, err := iampolicy.ParseLoose([]byte(text))
		if err != nil {
			return []string{fmt.Sprintf("there is now %q", b)}
		}
		ds[i] = d
	}
	return iampolicy.Diff(ds[0], ds[1])
}

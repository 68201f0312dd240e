package heal

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// Where code owns a role's policy, a plan is carried out by asking there: one pull request for each
// grant of a project, whichever builds need it. The case closes as requested. What asks is kept in
// the ledger under the request's branch, and deployed.go looks at it from then on.

// asked is a pull request, and the cases that ask by it.
type asked struct {
	At      settings.Account `json:"at"`
	Project string           `json:"project"`
	// Request is as it was found last; it gives what all of the cases ask for.
	Request decide.Request `json:"request"`
	// Proposed is what of that the code host was asked for last, which a run that died may not have come to.
	Proposed string    `json:"proposed,omitempty"`
	Cases    []string  `json:"cases"`          // the newest last
	More     int       `json:"more,omitempty"` // how many more asked before them
	Since    time.Time `json:"since"`
	Landed   time.Time `json:"landed,omitzero"` // when it was first seen to have landed
	Told     []string  `json:"told,omitempty"`  // what persons were told of it, beside that it was asked for: see [asked.tell]
	Over     bool      `json:"over,omitempty"`  // nobody waits for it any more
}

// Bounds of a request.
const (
	maxAsking = 50  // cases that are known to wait for it
	maxTells  = 5   // of which its text tells
	maxSaid   = 200 // that persons were told of it
	// askedAfresh is for how long what was found of a request is not looked at again for one more case
	// that asks for no more.
	askedAfresh = 5 * time.Minute
)

// readAsked reads a request; a new one if there is none.
func (h *Healer) readAsked(ctx context.Context, branch string) (it Item, a asked, err error) {
	it, err = h.Store.Get(ctx, kindRequest, branch)
	if errors.Is(err, ErrNotFound) {
		return Item{Kind: kindRequest, ID: branch}, asked{}, nil
	}
	if err != nil {
		return it, a, fmt.Errorf("reading request %q: %w", branch, err)
	}
	return it, a, unmarshal(it, &a)
}

// putAsked records a request, with when it is looked at next.
func (h *Healer) putAsked(ctx context.Context, it Item, a asked) (Item, error) {
	var err error
	if it.Data, err = json.Marshal(a); err != nil {
		return it, err
	}
	now := h.Clock.Now()
	if it.Due = now.Add(a.patience(now)); a.Over {
		it.Due = time.Time{}
	}
	it.Expires = now.Add(kept)
	got, err := h.Store.Put(ctx, it)
	if errors.Is(err, ErrConflict) {
		return it, err
	}
	if err != nil {
		return it, fmt.Errorf("recording request %q: %w", it.ID, err)
	}
	return got, nil
}

// patience is how long after one look a request is looked at again: what is merged is most often
// merged soon.
func (a asked) patience(now time.Time) time.Duration {
	switch age := now.Sub(a.Since); {
	case age > 7*24*time.Hour:
		return 2 * time.Hour
	case age > 24*time.Hour:
		return time.Hour
	}
	return sweptEvery - time.Minute // each sweep
}

// changeAsked changes what is recorded of a request.
func (h *Healer) changeAsked(ctx context.Context, branch string, change func(*asked) error) (a asked, err error) {
	for range 5 {
		it, a, err := h.readAsked(ctx, branch)
		if err != nil {
			return a, err
		}
		if err := change(&a); err != nil {
			return a, err
		}
		if _, err = h.putAsked(ctx, it, a); !errors.Is(err, ErrConflict) {
			return a, err
		}
	}
	return a, fmt.Errorf("recording request %q: others write it at the same time: %w", branch, ErrLater)
}

// join records that the case asks for q, too.
func (a *asked) join(c *held, q decide.Request, now time.Time) error {
	if a.Over || a.Since.IsZero() {
		*a = asked{At: c.at(), Project: c.Project, Request: q, Since: now}
	}
	own, err := q.Statements()
	if err != nil {
		return err
	}
	all, err := iampolicy.Parse([]byte(a.Request.Gives))
	if err != nil {
		return err
	}
	all, _ = iampolicy.Merge(all, own)
	a.Request.Gives = string(all.Canonical())
	if !slices.Contains(a.Cases, c.ID) {
		a.Cases = append(a.Cases, c.ID)
	}
	if n := len(a.Cases) - maxAsking; n > 0 {
		a.Cases, a.More = slices.Clone(a.Cases[n:]), a.More+n
	}
	return nil
}

// found records how it stands with the request.
func (a *asked) found(got decide.Request) {
	if got.State == decide.RequestWaiting && a.Request.State == "" {
		got.State = decide.RequestOpened // by a run that could not record it
	}
	got.Gives = a.Request.Gives
	if got.Number == "" { // of one that was merged, a code host says no more than that the file gives it
		got.Number, got.URL = a.Request.Number, a.Request.URL
	}
	a.Request = got
	switch {
	case got.State != decide.RequestLanded:
		a.Landed = time.Time{}
	case a.Landed.IsZero():
		a.Landed = got.Seen
	}
}

// asksFor reports whether the code host was asked for all of q.
func (a asked) asksFor(q decide.Request) bool {
	return decide.Request{Branch: a.Request.Branch, Gives: a.Proposed}.Covers(q)
}

// told reports whether persons were told that of the request.
func (a asked) told(what string) bool { return slices.Contains(a.Told, shortened(what)) }

// tell records that persons were told that.
func (a *asked) tell(what string) {
	if !a.told(what) {
		a.Told = append(a.Told, shortened(what))
		a.Told = a.Told[max(0, len(a.Told)-maxSaid):]
	}
}

// shortened is a short name of a text.
func shortened(text string) string {
	h := sha256.Sum256([]byte(text))
	return hex.EncodeToString(h[:6])
}

// covered reports whether all that the plan asks for is asked for already, so that asking changes
// nothing and uses no budget.
func (h *Healer) covered(ctx context.Context, p *decide.Plan) (bool, error) {
	if h.Store == nil {
		return false, nil
	}
	for _, q := range p.Requests {
		_, a, err := h.readAsked(ctx, q.Branch)
		if err != nil {
			return false, err
		}
		if a.Over || a.Request.State == "" || a.Request.State.Settled() || !a.asksFor(q) {
			return false, nil
		}
	}
	return true, nil
}

// askInCode carries out a plan by asking in code for what it gives. It may run again after a crash at any
// point: there is one request for each grant.
func (h *Healer) askInCode(ctx context.Context, c *held) error {
	r := c.last()
	p := r.Decision.Plan
	before, told := slices.Clone(r.Requests), r.Requested()
	var no []guardrail.Refusal
	r.Requests = slices.Clone(p.Requests)
	for i, q := range p.Requests {
		got, err := h.askFor(ctx, c, q)
		if err != nil {
			r.Requests = before
			return fmt.Errorf("asking for grant %q in %s: %w", q.Grant, p.Write.Name, err)
		}
		if r.Requests[i] = got; got.State == decide.RequestDeclined {
			no = append(no, declined(got))
		}
	}
	now := h.Clock.Now()
	if len(no) > 0 {
		d := decide.Refuse(*r.Decision, "It was asked for in the code that owns the role's policy, and turned down there.", no...)
		r.Decision = &d
		c.finish(now, endWithoutPlan(c), "")
		return nil
	}
	if told { // nothing has changed, so nothing is told or counted once more
		r.Step, c.Closed, c.Outcome = decide.StepDone, now, decide.Requested
		return nil
	}
	c.finish(now, decide.Requested, "")
	return nil
}

func declined(q decide.Request) guardrail.Refusal {
	return guardrail.Refusal{Rule: guardrail.Declined, Message: fmt.Sprintf("Grant %s was asked for in %s, which was closed "+
		"unmerged, so it is not asked for again. Reopen and merge that request, or change the grant, and replay the build.",
		q.Grant, q.Name())}
}

// joinRequest records that the case asks for q, too. fresh: what was found of the request a moment ago
// holds for the case.
func (h *Healer) joinRequest(ctx context.Context, c *held, q decide.Request) (a asked, fresh bool, err error) {
	now := h.Clock.Now()
	a, err = h.changeAsked(ctx, q.Branch, func(a *asked) error {
		fresh = !a.Over && a.Request.State != "" && !a.Request.State.Settled() && now.Sub(a.Request.Seen) < askedAfresh &&
			a.asksFor(q)
		return a.join(c, q, now)
	})
	return a, fresh, err
}

// askFor asks for one grant.
func (h *Healer) askFor(ctx context.Context, c *held, q decide.Request) (decide.Request, error) {
	a, fresh, err := h.joinRequest(ctx, c, q)
	if err != nil {
		return q, err
	}
	if !fresh {
		if a, err = h.proposeFor(ctx, a, c); err != nil {
			return q, err
		}
		if s := a.Request.State; s == decide.RequestEdited || s == decide.RequestBehind { // this case's notice says so
			if a, err = h.changeAsked(ctx, q.Branch, func(a *asked) error { a.tell(string(s)); return nil }); err != nil {
				return q, err
			}
		}
	} else if a.Request.State != decide.RequestLanded {
		a.Request.State = decide.RequestWaiting
	}
	got := a.Request
	got.Gives = q.Gives
	return got, nil
}

// proposeFor asks the code host for what the request gives, and records what is found. own is the case
// at hand, as it is, if there is one.
func (h *Healer) proposeFor(ctx context.Context, a asked, own *held) (asked, error) {
	if h.PolicyCode == nil {
		return a, FaultError{"nothing here reaches the code that owns the role's policy; `buildmedic replay -pull-request` asks there " +
			"with a token of yours"}
	}
	p, ok := h.Settings.Project(a.Project, a.At.ID, a.At.Region, h.Home)
	if !ok {
		return a, fmt.Errorf("the settings no longer name the project %q: %w", a.Project, ErrFinal)
	}
	code, ok := codeOf(p, a.Request)
	if !ok {
		return a, fmt.Errorf("the settings no longer name %s in %s: %w", a.Request.Path, a.Request.Repository, ErrConflict)
	}
	sts, err := a.Request.Statements()
	if err != nil {
		return a, err
	}
	change := PolicyChange{Code: code, Request: a.Request, Statements: sts, More: a.More}
	if change.Tells, err = h.tells(ctx, a, own); err != nil {
		return a, err
	}
	if n := len(change.Tells) - maxTells; n > 0 {
		change.Tells, change.More = change.Tells[:maxTells], change.More+n
	}
	got, err := h.PolicyCode.Propose(ctx, a.At, change)
	if err != nil {
		return a, err
	}
	got.Seen = h.Clock.Now()
	return h.changeAsked(ctx, a.Request.Branch, func(a *asked) error { a.found(got); a.Proposed = change.Request.Gives; return nil })
}

// codeOf is the file that the request is for, as the settings have it now.
func codeOf(p settings.Project, q decide.Request) (settings.PolicyCode, bool) {
	for _, r := range p.Roles() {
		if c := r.PolicyCode(); c.Set() && c.GitHub+c.CodeCommit == q.Repository && c.Path == q.Path && c.Base == q.Base {
			return c, true
		}
	}
	return settings.PolicyCode{}, false
}

// tells are the cases of which a request's text tells, the newest first. They are told as they were
// when they first asked, so that the text is the same whoever looks.
func (h *Healer) tells(ctx context.Context, a asked, own *held) (out []decide.Outcome, err error) {
	for _, id := range slices.Backward(a.Cases) {
		var c decide.Case
		if own != nil && own.ID == id {
			c = own.Case
		} else if c, err = h.Case(ctx, id); errors.Is(err, ErrNotFound) {
			continue
		} else if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(c.Rounds, func(r decide.Round) bool { return r.AsksFrom(a.Request.Branch) })
		if i < 0 {
			continue
		}
		out = append(out, decide.Outcome{Kind: decide.Requested, Case: c, Round: i, Settings: h.Settings, Home: h.Home,
			Function: h.Self.Function, At: c.Rounds[i].Started})
	}
	return out, nil
}

// finishQuietly closes the case without a notice: it is counted, and one of another case tells of it.
func (c *held) finishQuietly(now time.Time, k decide.Kind) {
	c.last().Step = decide.StepDone
	c.Closed, c.Outcome, c.news = now, k, true
	c.Outbox = append(c.Outbox, decide.Pending{ID: fmt.Sprintf("%s-%d-%s", c.ID, len(c.Rounds), k), Kind: k,
		Round: len(c.Rounds) - 1, At: now, Silent: true})
}

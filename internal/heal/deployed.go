package heal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// What becomes of a pull request no event tells. The sweep looks: at IAM first, since what counts is
// that the role may, however that came; then at the code host.

const (
	// undeployed is how long after it was merged a request may take to be deployed before persons are told.
	undeployed = 2 * time.Hour
	// askedFor is how long a case waits for its requests.
	askedFor = longestApproval
)

// lookAtRequests looks at the requests that are due.
func (h *Healer) lookAtRequests(ctx context.Context) error {
	its, err := h.Store.Between(ctx, kindRequest, time.Time{}, h.Clock.Now(), false, pageSize)
	if err != nil {
		return fmt.Errorf("listing requests: %w", err)
	}
	var errs []error
	for _, it := range its {
		if pressed(ctx) {
			break
		}
		if err := h.lookAtRequest(ctx, it.ID); err != nil && !errors.Is(err, ErrConflict) && !errors.Is(err, ErrLater) {
			errs = append(errs, fmt.Errorf("request %q: %w", it.ID, err))
		}
	}
	return errors.Join(errs...)
}

func (h *Healer) lookAtRequest(ctx context.Context, branch string) error {
	it, a, err := h.readAsked(ctx, branch)
	if err != nil || a.Since.IsZero() {
		return err
	}
	if it, err = h.putAsked(ctx, it, a); err != nil { // sets the time of the next look, whatever comes of this one
		return err
	}
	waiting, asking, err := h.waitingFor(ctx, a)
	if err != nil {
		return err
	}
	over := func() error {
		a.Over = true
		_, err := h.putAsked(ctx, it, a)
		return err
	}
	bridges, err := h.bridgesOf(ctx, a)
	if err != nil {
		return err
	}
	if len(waiting) == 0 && len(bridges) == 0 {
		if asking {
			return nil
		}
		return over()
	}
	if n := a.keep(waiting, bridges); n > 0 && !asking {
		if it, err = h.putAsked(ctx, it, a); err != nil {
			return err
		}
	}
	if no := h.void(a, newestOf(waiting, bridges)); no != "" {
		if err := h.endAll(ctx, waiting, no); err != nil {
			return err
		}
		if len(waiting) == 0 {
			if err := h.say(ctx, a, bridges[0].Case, no, no); err != nil {
				return err
			}
			if it, a, err = h.readAsked(ctx, branch); err != nil {
				return err
			}
		}
		return over()
	}
	if len(waiting) > 0 {
		newest := waiting[0]
		waiting, err = h.startDeployed(ctx, a, waiting)
		if errors.Is(err, ErrDenied) || errors.Is(err, ErrFinal) {
			return h.say(ctx, a, newest, err.Error(), "Whether it is deployed cannot be seen. "+sentence(err))
		}
		if err != nil || len(waiting) == 0 && len(bridges) == 0 {
			return err
		}
	}
	next, err := h.proposeFor(ctx, a, nil)
	if errors.As(err, &FaultError{}) || errors.Is(err, ErrDenied) || errors.Is(err, ErrFinal) {
		return h.say(ctx, a, newestOf(waiting, bridges), err.Error(), fmt.Sprintf("What was asked for cannot be looked at: %s.", err))
	}
	if err != nil {
		return err
	}
	if len(bridges) > 0 {
		err = h.lookedFromBridges(ctx, next, bridges)
	}
	if len(waiting) > 0 {
		err = errors.Join(err, h.looked(ctx, next, waiting))
	}
	return err
}

// newestOf is the case that is told of a request.
func newestOf(waiting []decide.Case, bridges []bridge) decide.Case {
	if len(waiting) > 0 {
		return waiting[0]
	}
	return bridges[0].Case
}

// looked does what follows from how it stands with a request for which cases wait.
func (h *Healer) looked(ctx context.Context, a asked, waiting []decide.Case) error {
	now, q := h.Clock.Now(), a.Request
	switch {
	case q.State == decide.RequestDeclined:
		return h.turnAllDown(ctx, waiting, q)
	case q.State == decide.RequestLanded && now.Sub(a.Landed) >= undeployed:
		return h.say(ctx, a, waiting[0], "landed", fmt.Sprintf("%s has had it since %s, and the role still lacks it: deploy it, or "+
			"see whether that file is what is deployed as the role's policy.", q.Path, a.Landed.UTC().Format("2006-01-02 15:04 UTC")))
	case q.State == decide.RequestEdited:
		return h.say(ctx, a, waiting[0], string(q.State), editedNote(q))
	case q.State == decide.RequestBehind:
		return h.say(ctx, a, waiting[0], string(q.State), behindNote(q))
	case len(a.Told) > 0 && q.State != decide.RequestLanded: // what was told is over, and may come again
		_, err := h.changeAsked(ctx, q.Branch, func(a *asked) error { a.Told = nil; return nil })
		return err
	}
	return nil
}

func editedNote(q decide.Request) string {
	return fmt.Sprintf("Somebody has changed the branch of %s, so it is left alone: merge it, or close it.", q.Name())
}

func behindNote(q decide.Request) string {
	return fmt.Sprintf("%s has changed since %s was opened, which is left alone: merge it, and the rest is asked for anew, or close it.",
		q.Path, q.Name())
}

// keep forgets the cases that have ended, so that there is room for others, and gives how many these
// are. Of those of which the text of the request tells none is forgotten.
func (a *asked) keep(waiting []decide.Case, bridges []bridge) (forgotten int) {
	ids := map[string]bool{}
	for _, c := range waiting {
		ids[c.ID] = true
	}
	for _, b := range bridges {
		ids[b.ID] = true
	}
	n := len(a.Cases)
	told := max(n-maxTells, 0)
	a.Cases = append(slices.DeleteFunc(slices.Clone(a.Cases[:told]), func(id string) bool { return !ids[id] }), a.Cases[told:]...)
	forgotten = n - len(a.Cases)
	a.More += forgotten
	return forgotten
}

// waitingFor gives the cases that wait for the request, the newest first. asking: another one is open
// that asks by it, and will wait for it perhaps.
func (h *Healer) waitingFor(ctx context.Context, a asked) (out []decide.Case, asking bool, err error) {
	for _, id := range slices.Backward(a.Cases) {
		c, err := h.Case(ctx, id)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, false, err
		}
		if waits(c, a.Request.Branch) {
			out = append(out, c)
		}
		if n := len(c.Rounds); n > 0 && c.Closed.IsZero() && c.Rounds[n-1].AsksFrom(a.Request.Branch) {
			asking = true
		}
	}
	slices.SortStableFunc(out, func(x, y decide.Case) int {
		return y.Rounds[len(y.Rounds)-1].Build.Start.Compare(x.Rounds[len(x.Rounds)-1].Build.Start)
	})
	return out, asking, nil
}

// waits reports whether the case waits for the request of the branch; "" for any.
func waits(c decide.Case, branch string) bool {
	if c.Outcome != decide.Requested || c.Closed.IsZero() || len(c.Rounds) == 0 {
		return false
	}
	r := c.Rounds[len(c.Rounds)-1]
	return r.Decision != nil && r.Decision.Plan.InCode() && (branch == "" ||
		slices.ContainsFunc(r.Requests, func(q decide.Request) bool { return q.Branch == branch }))
}

// void says why nothing comes of the request any more; "" if something may.
func (h *Healer) void(a asked, c decide.Case) string {
	r := askingRound(c, a.Request.Branch)
	const anew = " Replay the build to have it decided anew."
	p, ok := h.Settings.Project(a.Project, a.At.ID, a.At.Region, h.Home)
	if !ok {
		return "The settings no longer name the project, so what was asked for is not followed any further."
	}
	p = p.ForRole(r.Decision.Plan.Changes().Name)
	g, ok := h.Settings.Grant(a.Request.Grant)
	since := a.Since
	if waits(c, a.Request.Branch) { // the newest; whoever asked before it has waited longer
		since = c.Closed
	}
	switch {
	case !ok || !slices.Contains(p.Grants, g.ID):
		return "The settings no longer give the project grant " + a.Request.Grant + ", which was asked for." + anew
	case p.Mode == settings.Observe:
		return "The project is in mode observe now, so what was asked for is not followed any further." + anew
	case decide.RequestFor(h.Settings, p, p.PolicyCode(), g, r.Build).Branch != a.Request.Branch:
		return "The settings have changed what grant " + g.ID + " gives, or where it is asked for." + anew
	case h.Clock.Now().Sub(since) > askedFor:
		return fmt.Sprintf("It was asked for %d days ago, and is not deployed. The request stays as it is.%s",
			int(askedFor.Hours()/24), anew)
	}
	return ""
}

// askingRound is the newest round of the case that asks by the request.
func askingRound(c decide.Case, branch string) decide.Round {
	for _, r := range slices.Backward(c.Rounds) {
		if r.AsksFrom(branch) {
			return r
		}
	}
	return decide.Round{}
}

// startDeployed starts the builds of the cases whose role may by now do what they were denied: of
// each branch, tag or pipeline the newest. It gives the cases that wait still.
func (h *Healer) startDeployed(ctx context.Context, a asked, waiting []decide.Case) (left []decide.Case, err error) {
	newest, looked := map[string]string{}, false
	var gone error
	for _, c := range waiting {
		r := c.Rounds[len(c.Rounds)-1]
		p := r.Decision.Plan
		answers, err := h.Simulator.Simulate(ctx, settings.Account{ID: c.Account, Region: c.Region}, p.Changes(), p.Proof, nil)
		if errors.Is(err, ErrNotFound) {
			gone = fmt.Errorf("the role %q is gone: %w", p.Role, ErrFinal)
			left = append(left, c)
			continue // others may be of another role
		}
		if err != nil {
			return nil, fmt.Errorf("simulating role %q: %w", p.Role, err)
		}
		if len(answers) != len(p.Proof) || slices.ContainsFunc(answers, func(a guardrail.Answer) bool {
			return a.Verdict != iampolicy.Allowed
		}) {
			left = append(left, c)
			continue
		}
		line := r.Build.Asked().Line()
		if by := newest[line]; by != "" && line != "" {
			if err := h.leaveAlone(ctx, c.ID, by); err != nil {
				return nil, err
			}
			continue
		}
		newest[line] = r.Build.ID
		if !looked { // so that what came of the request can be told; what starts the build is what IAM says
			looked = true
			if next, err := h.proposeFor(ctx, a, nil); err == nil {
				a = next
			}
		}
		if err := h.goOn(ctx, c.ID, a.Request); err != nil {
			return nil, err
		}
	}
	return left, gone
}

// stillWaiting opens and locks a case that still waits for its requests; nil if it does not.
func (h *Healer) stillWaiting(ctx context.Context, id string) (*held, error) {
	c, err := h.open(ctx, id)
	if err != nil || c == nil || !waits(c.Case, "") {
		return nil, err
	}
	return c, h.lock(ctx, c)
}

// goOn has the case decided again, now that its role may do what the build was denied.
func (h *Healer) goOn(ctx context.Context, id string, q decide.Request) error {
	c, err := h.stillWaiting(ctx, id)
	if err != nil || c == nil {
		return err
	}
	r := c.last()
	r.Found(q)
	r.Step, r.NotYet, r.Tries = decide.StepReceived, time.Time{}, 0
	c.Closed, c.Outcome = time.Time{}, ""
	if err := h.save(ctx, c, false); err != nil {
		return err
	}
	return h.run(ctx, c)
}

// leaveAlone ends a case whose build is not started, since a newer one of its branch is.
func (h *Healer) leaveAlone(ctx context.Context, id, newer string) error {
	c, err := h.stillWaiting(ctx, id)
	if err != nil || c == nil {
		return err
	}
	d := decide.LeftFor(*c.last().Decision, newer)
	c.last().Decision = &d
	c.finishQuietly(h.Clock.Now(), decide.Reported)
	return h.close(ctx, c)
}

// endAll ends cases whose requests nothing comes of; the newest is told.
func (h *Healer) endAll(ctx context.Context, waiting []decide.Case, note string) error {
	return h.endEach(ctx, waiting, decide.Request{}, note, func(d decide.Decision) decide.Decision { return d })
}

// turnAllDown ends cases whose request was closed unmerged; the newest is told.
func (h *Healer) turnAllDown(ctx context.Context, waiting []decide.Case, q decide.Request) error {
	return h.endEach(ctx, waiting, q, "", func(d decide.Decision) decide.Decision {
		return decide.Refuse(d, "It was asked for in the code that owns the role's policy, and turned down there.", declined(q))
	})
}

// endEach ends cases that wait, with what was found of the request, if it was looked at.
func (h *Healer) endEach(
	ctx context.Context, waiting []decide.Case, q decide.Request, note string, as func(decide.Decision) decide.Decision,
) error {
	for i, one := range waiting {
		c, err := h.stillWaiting(ctx, one.ID)
		if err != nil {
			return err
		}
		if c == nil {
			continue
		}
		d := as(*c.last().Decision)
		c.last().Decision = &d
		if q.Branch != "" {
			c.last().Found(q)
		}
		if i == 0 {
			c.finish(h.Clock.Now(), decide.Reported, note)
		} else {
			c.finishQuietly(h.Clock.Now(), decide.Reported)
		}
		if err := h.close(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// say tells of a request, once for each thing that is to be told.
func (h *Healer) say(ctx context.Context, a asked, of decide.Case, what, note string) error {
	branch := a.Request.Branch
	_, now, err := h.readAsked(ctx, branch) // of what waits for the same request, another may have been told of a moment ago
	if err != nil || now.told(what) {
		return err
	}
	c, err := h.open(ctx, of.ID)
	if err != nil || c == nil {
		return err
	}
	round := slices.IndexFunc(c.Rounds, func(r decide.Round) bool { return r.Bridges() && r.AsksFrom(branch) })
	if waits(c.Case, branch) {
		round = len(c.Rounds) - 1
	}
	if round < 0 {
		return nil
	}
	if err := h.lock(ctx, c); err != nil {
		return err
	}
	c.tell(h.Clock.Now(), decide.Requested, note)
	c.Outbox[len(c.Outbox)-1].Round = round
	c.Rounds[round].Found(a.Request)
	if err := h.save(ctx, c, false); err != nil {
		return err
	}
	// Recorded before it is sent: a notice in the outbox is sent whatever happens, and no second one is wanted.
	if _, err := h.changeAsked(ctx, branch, func(a *asked) error { a.tell(what); return nil }); err != nil {
		return err
	}
	return h.flush(ctx, c)
}

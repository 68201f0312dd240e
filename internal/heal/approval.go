package heal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// An approval is for one plan, by its hash; it counts once, and until the time that the plan's
// notice names. It is carried out if all facts, read again, lead to the same plan byte for byte.
// Until something was changed it can be revoked; from then on it can be undone.

// proposal is a stored plan, with its case.
type proposal struct {
	c        *held
	plan     decide.Plan
	settings string // SHA-256 of those that it was made under
	until    time.Time
	no       string // why it can be neither approved nor rejected; "" if it waits
	// approved: it was approved, and nothing has come of that yet.
	approved bool
}

type storedPlan struct {
	Case     string          `json:"case"`
	Plan     json.RawMessage `json:"plan"`
	Settings string          `json:"settings"`
	// Until is until when it can be approved; zero in what earlier versions stored, which had it as
	// the item's end.
	Until time.Time `json:"until,omitzero"`
}

// proposed reads a stored plan, and says how it is with it.
func (h *Healer) proposed(ctx context.Context, hash string) (f proposal, err error) {
	it, err := h.Store.Get(ctx, kindPlan, hash)
	if errors.Is(err, ErrNotFound) {
		f.no = fmt.Sprintf("There is no plan %q. Take it from the newest notice of the case.", clipped(hash, maxBy))
		return f, nil
	}
	if err != nil {
		return f, fmt.Errorf("reading plan %q: %w", hash, err)
	}
	var s storedPlan
	if err := unmarshal(it, &s); err != nil {
		return f, err
	}
	if err := json.Unmarshal(s.Plan, &f.plan); err != nil {
		return f, fmt.Errorf("reading plan %q: %w", hash, err)
	}
	if f.plan.Hash() != hash {
		f.no = "The stored plan is damaged: its bytes do not have that hash. Replay the build."
		return f, nil
	}
	if f.settings, f.until = s.Settings, s.Until; f.until.IsZero() {
		f.until = it.Expires
	}
	if f.c, err = h.open(ctx, s.Case); err != nil {
		return f, err
	}
	switch {
	case f.c == nil:
		f.no = "The ledger no longer has the plan's case. Replay the build."
	case !f.c.proposes(hash):
		f.no, f.approved = become(f.c, hash)
	case h.Clock.Now().After(f.until):
		f.no = fmt.Sprintf("The plan could be approved until %s. Replay the build, and it is decided anew: %s.",
			f.until.UTC().Format(toTheSecond), replayOf(f.plan.Build))
	}
	return f, nil
}

// proposes reports whether the plan is the one that the case waits for an approval of.
func (c *held) proposes(hash string) bool {
	d := c.last().Decision
	return c.Outcome == decide.Proposed && d != nil && d.Plan != nil && d.Plan.Hash() == hash
}

// become says what has become of a plan that does not wait any more. approved: it was approved, and
// nothing was changed or started yet.
func become(c *held, hash string) (says string, approved bool) {
	who := ""
	o, known := c.OrderOf(hash)
	if known {
		who = fmt.Sprintf(" by %s at %s", o.Who(), o.At.UTC().Format(toTheSecond))
	}
	again := "Replay the build to have it decided anew: " + replayOf(c.last().Build.ID) + "."
	switch {
	case known && o.Verb == decide.Reject:
		return "The plan was rejected" + who + ". " + again, false
	case known && o.Verb == decide.Revoke:
		return "The plan was approved, and the approval was revoked" + who + ", before anything was changed. " + again, false
	}
	says = "The plan was approved already" + who + ". "
	for i, r := range slices.Backward(c.Rounds) {
		if r.Approved != hash {
			continue
		}
		own := r.Decision != nil && r.Decision.Plan != nil && r.Decision.Plan.Hash() == hash
		switch { // not own: something else came of the round
		case own && r.Stands():
			return says + fmt.Sprintf(`It is applied; {"undo":{"case":%q}} takes it back.`, c.ID), false
		case own && !r.Undone.IsZero():
			return says + "It was applied, and taken back since. " + again, false
		case own && !r.RetryAt.IsZero():
			return says + "The build was started again by that.", false
		case c.Closed.IsZero() && i == len(c.Rounds)-1 && r.Written.IsZero() && r.RetryAt.IsZero():
			return says + fmt.Sprintf(`It is not applied yet; {"reject":{"plan":%q}} revokes the approval.`, hash), true
		}
		known = true
		break
	}
	switch d := c.last().Decision; {
	case known && c.Outcome == decide.Proposed && d != nil && d.Plan != nil:
		return says + "It could not be applied; a notice said why. Another plan waits: " + d.Plan.Hash() + ".", false
	case known:
		return says + "It could not be applied; a notice said why. " + again, false
	}
	says = "The case has moved on since the plan was made. Its newest notice tells how it is."
	if c.Closed.IsZero() || c.Outcome == decide.Healed || c.Outcome == decide.Proposed {
		return says, false
	}
	return says + " " + again, false
}

// replayOf is the payload that has a build decided about anew.
func replayOf(build string) string {
	data, _ := json.Marshal(Command{Replay: &ReplayWhat{Build: build}}) // strings alone cannot fail
	return string(data)
}

// approve applies exactly the plan that is stored under the hash, or says what has become of it
// since it was made.
func (h *Healer) approve(ctx context.Context, hash string, from decide.Sender) (CommandAnswer, error) {
	f, err := h.proposed(ctx, hash)
	if err != nil {
		return h.unlessOrdered(ctx, hash, err)
	}
	if f.no == "" {
		if f.no, err = h.notNow(ctx, f); err != nil {
			return CommandAnswer{}, err
		}
	}
	if f.no != "" {
		return CommandAnswer{Message: f.no}, nil
	}
	c, name := f.c, fmt.Sprintf("Plan %s of project %s", hash, f.plan.Project)
	i := len(c.Rounds) - 1
	r := c.last()
	r.Approved, r.Step, r.NotYet = hash, decide.StepReceived, time.Time{}
	c.Closed, c.Outcome = time.Time{}, ""
	c.Take(decide.Order{Verb: decide.Approve, At: h.Clock.Now(), Plan: hash, Sender: from})
	unsent := c.unoffer()
	// All facts are read again. Only if they lead to the same plan, byte for byte,
	// is it carried out; a different plan is proposed instead.
	if err := h.save(ctx, c, false); err != nil {
		return h.unlessOrdered(ctx, hash, err)
	}
	for _, p := range unsent {
		if len(p.Sent) == 0 { // else it is in the journal since it was sent first
			h.journal(h.outcome(c, p))
		}
	}
	if err := h.run(ctx, c); err != nil {
		return CommandAnswer{}, err
	}
	// Not the last round: builds that waited for the case's end may have had theirs since.
	switch r := c.Rounds[i]; {
	case r.Decision == nil || r.Decision.Plan == nil || r.Decision.Plan.Hash() != hash:
		return CommandAnswer{Message: "Nothing was applied: the world has changed since the plan was made. " + insteadOf(r),
			Case: &c.Case}, nil
	case r.Stands() && !r.Partly, !r.RetryAt.IsZero():
		return CommandAnswer{Done: true, Message: fmt.Sprintf("Applied plan %s of project %s.", hash, f.plan.Project), Case: &c.Case}, nil
	case c.Closed.IsZero():
		return CommandAnswer{Done: true, Message: fmt.Sprintf("%s is approved, and not applied yet: AWS, or another case, is busy with "+
			"what it changes. It is tried again by itself, and a notice tells how that ends. Until it is applied, "+
			`{"reject":{"plan":%q}} revokes the approval.`, name, hash), Case: &c.Case}, nil
	}
	return CommandAnswer{Message: name + " could not be applied. A notice says why.", Case: &c.Case}, nil
}

// insteadOf says what an approval led to if not to its plan.
func insteadOf(r decide.Round) string {
	d := r.Decision
	switch {
	case d == nil:
	case d.Waits:
		return "It waits for CloudTrail to confirm the denial, and is decided then."
	case d.Undo > 0:
		return "What an earlier approval, or the settings, gave for the same failure did not help and is taken back. A notice says more."
	case d.Plan != nil && d.Mode != settings.Observe:
		return fmt.Sprintf("Plan %s is proposed in its place; its notice shows it.", d.Plan.Hash())
	case len(d.Refusals) > 0:
		return "It is refused now: " + strings.TrimSpace(d.Refusals[0].Message) + " A notice says more."
	}
	return "The new finding was sent as a notice."
}

const oldSettings = "The settings have changed since the plan was made. Replay the build, and it is decided by the new ones."

// notNow says why a plan that waits cannot be approved now; "" if it can.
func (h *Healer) notNow(ctx context.Context, f proposal) (string, error) {
	if f.settings != h.Settings.SHA256 {
		return oldSettings, nil
	}
	// Decided while either stands, it would be refused, and the plan would be gone.
	waits := "so nothing was approved. The plan still waits, until " + f.until.UTC().Format(toTheSecond)
	why, err := h.paused(ctx, f.c.at(), f.c.Project)
	if err != nil {
		return "", err
	}
	if why != "" {
		return fmt.Sprintf("Changes are paused, %s: resume, then approve it again. %s", waits, why), nil
	}
	p, _ := h.Settings.Project(f.c.Project, f.c.Account, f.c.Region, h.Home)
	holds, err := h.heldBack(ctx, f.c.at(), p)
	if err != nil {
		return "", err
	}
	if i := slices.IndexFunc(holds, f.c.last().Decision.Uses); i >= 0 {
		one, by := holds[i], "a person"
		if one.By != "" {
			by = one.By
		}
		return fmt.Sprintf("%s was taken back by %s at %s, %s: send %s to let it be given again, then approve it again.",
			strings.ToUpper(one.What()[:1])+one.What()[1:], by, one.At.UTC().Format(toTheSecond), waits, one.Lift(h.Home)), nil
	}
	return "", nil
}

// unlessOrdered answers for another invocation that works on the plan's case at this moment: of two
// persons who press at once, the second is told of the first.
func (h *Healer) unlessOrdered(ctx context.Context, hash string, err error) (CommandAnswer, error) {
	if !errors.Is(err, errBusy) {
		return CommandAnswer{}, err
	}
	it, gerr := h.Store.Get(ctx, kindPlan, hash)
	var s storedPlan
	if gerr != nil || unmarshal(it, &s) != nil {
		return CommandAnswer{}, err
	}
	c, gerr := h.Case(ctx, s.Case)
	if o, ok := c.OrderOf(hash); gerr == nil && ok && o.At.After(h.Clock.Now().Add(-busyFor)) {
		return CommandAnswer{Message: fmt.Sprintf("%s sent %s for this plan at %s, and that is being carried out. "+
			"Look again in a minute.", sentBy(o.Sender), o.Verb, o.At.UTC().Format(toTheSecond))}, nil
	}
	return CommandAnswer{}, err
}

// approvable reports whether the plan that the case proposed can still be
// approved. One that is too old, or of other settings, keeps nothing waiting.
func (h *Healer) approvable(ctx context.Context, c *held) (bool, error) {
	r := c.last()
	if r.Decision == nil || r.Decision.Plan == nil {
		return false, nil
	}
	f, err := h.proposed(ctx, r.Decision.Plan.Hash())
	return f.no == "" && f.settings == h.Settings.SHA256, err
}

// reject drops a plan that waits, and revokes an approval that nothing has come of yet.
func (h *Healer) reject(ctx context.Context, hash string, from decide.Sender) (CommandAnswer, error) {
	f, err := h.proposed(ctx, hash)
	if err != nil {
		return h.unlessOrdered(ctx, hash, err)
	}
	c := f.c
	if f.approved {
		if err := h.lock(ctx, c); err != nil {
			return h.unlessOrdered(ctx, hash, err)
		}
		if err := h.finishWrite(ctx, c); err != nil {
			return CommandAnswer{}, errors.Join(err, h.save(ctx, c, true))
		}
		if f.no, f.approved = become(c, hash); f.approved {
			return h.revoke(ctx, c, from)
		}
		// Its write had been made. The case goes on later, and others need not wait so long for the role.
		err := h.release(ctx, c, c.last().Written)
		return CommandAnswer{Message: f.no, Case: &c.Case}, errors.Join(err, h.save(ctx, c, true))
	}
	if f.no != "" {
		return CommandAnswer{Message: f.no}, nil
	}
	o := decide.Order{Verb: decide.Reject, At: h.Clock.Now(), Plan: hash, Sender: from}
	c.Take(o)
	// Locked before anything is recorded: a rejection that comes too late must not end in the history.
	if err := h.lock(ctx, c); err != nil {
		return h.unlessOrdered(ctx, hash, err)
	}
	return h.turnDown(ctx, c, o, "The plan is rejected; nothing was changed.")
}

// revoke takes back the approval in the last round, of which nothing has come yet.
func (h *Healer) revoke(ctx context.Context, c *held, from decide.Sender) (CommandAnswer, error) {
	r := c.last()
	o := decide.Order{Verb: decide.Revoke, At: h.Clock.Now(), Plan: r.Approved, Sender: from}
	r.Approved, r.Step, r.NotYet = "", decide.StepDone, time.Time{}
	c.Take(o)
	return h.turnDown(ctx, c, o, sentences("The approval is revoked; nothing was changed.", r.Abandoned))
}

// turnDown closes the case of a plan that a person does not want.
func (h *Healer) turnDown(ctx context.Context, c *held, o decide.Order, says string) (CommandAnswer, error) {
	c.Outcome, c.Closed, c.news = decide.Reported, h.Clock.Now(), true
	c.unheard(o)
	return CommandAnswer{Done: true, Message: says + " Replay the build to have it decided anew.", Case: &c.Case}, h.close(ctx, c)
}

// unheard has those told of the failure who were not told of the plan before it was rejected, or
// its approval revoked: to them the plan is offered no more.
func (c *held) unheard(o decide.Order) {
	r, note := c.last(), fmt.Sprintf("%s sent %s for it%s before this notice could be sent.", sentBy(o.Sender), o.Verb, under(o.Sender))
	for i, p := range c.Outbox {
		if p.Kind == decide.Proposed && p.Round == len(c.Rounds)-1 {
			c.Outbox[i].Kind, c.Outbox[i].Note = decide.Reported, sentences(p.Note, note)
		}
	}
	if r.Unoffered {
		r.Unoffered = false
		c.tell(c.Closed, decide.Reported, sentences(note, r.Abandoned))
	}
}

// unoffer takes notices that offer the plan of the last round, which is approved by now, out of the
// outbox, and gives them. Whoever has not got one is told of what becomes of the plan.
func (c *held) unoffer() (taken []decide.Pending) {
	c.Outbox = slices.DeleteFunc(slices.Clone(c.Outbox), func(p decide.Pending) bool {
		is := p.Kind == decide.Proposed && p.Round == len(c.Rounds)-1
		if is {
			taken = append(taken, p)
			c.Repeats += p.Repeats
			c.last().Unoffered = true
		}
		return is
	})
	return taken
}

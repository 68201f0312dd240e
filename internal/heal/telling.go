package heal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// Developers are told at their code host how a case stands, after all else is done: at the end of an
// invocation that nobody and nothing waits for, and what is left then by a later one or a sweep. What
// is to be told is recorded with the case before, and says only which case it is: what is told is how
// that stands when it is told, so nothing old comes after something newer. None of it can fail a heal.
const (
	// tellFor is how long an invocation tells at most, since its answer waits, and tellMost how much.
	// A sweep tells longer.
	tellFor, tellMost           = 5 * time.Second, 5
	tellInSweep, tellMostASweep = 80 * time.Second, 60
	// tellSpare is how much of a sweep's time is left when it stops to tell. All else stops earlier,
	// so that in a storm some time is left for this.
	tellSpare = 15 * time.Second
	// tellEvery and tellHour keep below what GitHub allows (AWS.md#github), with room for others who
	// use the same credentials.
	tellEvery, tellHour = time.Second, 400
	// tellWait is how long a telling waits for its turn.
	tellWait = 3 * time.Second
	// tellSoon is after how long a sweep tells what an invocation has left, tellUntil for how long it
	// is tried. What takes the place of something that was told is tried longer: otherwise the commit
	// says for ever what is no longer so. tellAgain is after how long, where a person must mend
	// something.
	tellSoon, tellUntil       = 2 * time.Minute, 2 * time.Hour
	tellAgain, tellOtherUntil = time.Hour, 7 * 24 * time.Hour
	// faultsFor is how long a fault may wait for a notice that tells of it, and how long it is not
	// told again.
	faultsFor = 24 * time.Hour
	// maxLines is how many projects' lines a comment has.
	maxLines = 10
)

// errNotThis: this one cannot be told at this moment, others can.
var errNotThis = errors.New("not this one now")

// owed is what is to be told of a case, as it is recorded.
type owed struct {
	Since time.Time `json:"since"`
	// Green is a later build of the commit that is green, though the case was not healed.
	Green string `json:"green,omitempty"`
	// Told: something was told of the case before.
	Told bool `json:"told,omitempty"`
}

// until is for how long it is tried to tell it.
func (o owed) until() time.Duration {
	if o.Told {
		return tellOtherUntil
	}
	return tellUntil
}

// Tellings are the cases of which this invocation has to tell.
type Tellings struct {
	mu    sync.Mutex
	cases []string
}

func (t *Tellings) add(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !slices.Contains(t.cases, id) && len(t.cases) < tellMost { // the rest is the sweep's
		t.cases = append(t.cases, id)
	}
}

func (t *Tellings) take() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	ids := t.cases
	t.cases = nil
	return ids
}

// owe records that the developers are to be told how the case stands. It is called before that is
// recorded itself: a telling too many tells nothing new.
func (h *Healer) owe(ctx context.Context, c *held, green string) {
	if h.CodeHost == nil {
		return
	}
	if _, ok := decide.TellingOf(h.Settings, h.Home, c.Case, green); !ok {
		return
	}
	o := owed{Since: h.Clock.Now(), Green: green}
	it := Item{Kind: kindTelling, ID: c.ID, Due: o.Since.Add(tellSoon)}
	err := h.putOwed(ctx, it, o)
	if errors.Is(err, ErrConflict) {
		if it, err = h.Store.Get(ctx, kindTelling, c.ID); err == nil {
			var was owed
			o.Told = unmarshal(it, &was) == nil && was.Told
			it.Due = o.Since.Add(tellSoon)
			err = h.putOwed(ctx, it, o)
		}
	}
	if err != nil && !errors.Is(err, ErrConflict) {
		h.Log.WarnContext(ctx, "developers are not told", "case", c.ID, "error", err.Error())
		return
	}
	h.Tellings.add(c.ID)
}

func (h *Healer) putOwed(ctx context.Context, it Item, o owed) error {
	data, err := json.Marshal(o)
	if err != nil {
		return err
	}
	it.Data, it.Expires = data, h.Clock.Now().Add(kept)
	_, err = h.Store.Put(ctx, it)
	return err
}

// greenSince records that the commit of a case that was not healed is green now.
func (h *Healer) greenSince(ctx context.Context, c *held, b codebuild.Build) {
	if c.Closed.IsZero() || c.Outcome == decide.Healed || len(c.Rounds) == 0 || b.Status != codebuild.Succeeded ||
		b.BatchARN != "" {
		return
	}
	if was := c.last().Build; was.BatchARN != "" || was.ResolvedSourceVersion != b.ResolvedSourceVersion ||
		!b.End.After(was.End) {
		return
	}
	h.owe(ctx, c, b.ID)
}

// TellDevelopers tells the developers of those cases that changed in this invocation. It is called
// at its end, takes [tellFor] at most, and fails nothing: what is not told now is told by a sweep.
func (h *Healer) TellDevelopers(ctx context.Context) {
	if h.CodeHost == nil {
		return
	}
	ids := h.Tellings.take()
	if len(ids) == 0 || pressed(ctx) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, tellFor)
	defer cancel()
	for _, id := range ids {
		// It is told even if it counts as told: another may have told how the case stood before.
		it, err := h.Store.Get(ctx, kindTelling, id)
		if err != nil {
			continue
		}
		// What an earlier invocation has left, a sweep may have told since.
		var o owed
		now := h.Clock.Now()
		if unmarshal(it, &o) == nil && now.Sub(o.Since) > tellSoon && (it.Due.IsZero() || it.Due.After(now)) {
			continue
		}
		if later := h.tellOne(ctx, it); later {
			return
		}
	}
}

// tellDue tells what is left of earlier invocations, and drops what is too old.
func (h *Healer) tellDue(ctx context.Context) error {
	if h.CodeHost == nil {
		return nil
	}
	d := tellInSweep
	if end, ok := ctx.Deadline(); ok {
		d = min(d, time.Until(end)-tellSpare)
	}
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	told, later := 0, false
	for page := pageSize; page == pageSize && ctx.Err() == nil; {
		now := h.Clock.Now()
		its, err := h.Store.Between(ctx, kindTelling, time.Time{}, now, false, pageSize)
		if err != nil {
			return fmt.Errorf("listing what developers are to be told: %w", err)
		}
		page = len(its)
		for _, it := range its {
			var o owed
			switch {
			case unmarshal(it, &o) != nil:
				h.settle(ctx, it, o, time.Time{})
			case now.Sub(o.Since) > o.until():
				h.drop(ctx, it, o, "it could not be told within "+o.until().String())
			case later || told == tellMostASweep:
				page = 0 // those behind it are newer
			default:
				told++
				later = h.tellOne(ctx, it)
			}
		}
	}
	return nil
}

// tellOne tells of one case how it stands. It reports whether no more should be told for now, since
// the code host takes nothing.
func (h *Healer) tellOne(ctx context.Context, it Item) (later bool) {
	for range 3 {
		var o owed
		if unmarshal(it, &o) != nil {
			h.settle(ctx, it, o, time.Time{})
			return false
		}
		t, ok := h.telling(ctx, it.ID, o)
		if !ok {
			h.settle(ctx, it, o, time.Time{})
			return false
		}
		switch ok, err := h.tellTurn(ctx, it); {
		case err != nil || !ok:
			return true // it stays due
		}
		err := h.tellAt(ctx, t)
		fault, next := FaultError{}, time.Time{}
		switch {
		case err == nil:
			h.told(t, decide.ToldDone, "")
			o.Told = true
			if next = t.Until; !next.IsZero() { // then it no longer waits
				o.Since = next
			}
		case errors.As(err, &fault):
			h.told(t, decide.ToldFault, fault.Says)
			h.keepFault(ctx, fault.Says)
			if o.Told {
				next = h.Clock.Now().Add(tellAgain)
			}
		case errors.Is(err, errNotThis), errors.Is(err, ErrLater), ctx.Err() != nil:
			h.told(t, decide.ToldLater, err.Error())
			// It goes behind the others, so that it does not stand before all of them in each sweep.
			h.settle(ctx, it, o, h.Clock.Now().Add(tellSoon))
			return !errors.Is(err, errNotThis) || ctx.Err() != nil
		default:
			h.told(t, decide.ToldDropped, err.Error())
		}
		if h.settle(ctx, it, o, next) {
			return false
		}
		// The case has changed meanwhile, and what was told may be older than what another told.
		if it, err = h.Store.Get(ctx, kindTelling, it.ID); err != nil || it.Due.IsZero() {
			return false
		}
	}
	return false
}

// telling is what is to be told of a case now.
func (h *Healer) telling(ctx context.Context, id string, o owed) (decide.Telling, bool) {
	c, err := h.Case(ctx, id)
	if err != nil {
		return decide.Telling{}, false
	}
	t, ok := decide.TellingOf(h.Settings, h.Home, c, o.Green)
	return t.AsOf(h.Clock.Now()), ok
}

// tellTurn waits for a turn at the code host; ok is false if the hour has none left.
func (h *Healer) tellTurn(ctx context.Context, it Item) (ok bool, err error) {
	now := h.Clock.Now()
	hour := now.UTC().Truncate(time.Hour)
	at, ok, err := h.Store.Turn(ctx, "tellings "+hour.Format("2006-01-02T15"), fmt.Sprint(it.ID, " ", it.Version,
		" ", now.UnixNano()),
		tellHour, hour.Add(3*time.Hour), Pace{From: now, Latest: now.Add(tellWait), Every: tellEvery})
	if err != nil || !ok {
		return false, err
	}
	if wait := at.Sub(now); wait > 0 {
		err = h.Sleep(ctx, wait)
	}
	return err == nil, err
}

func (h *Healer) tellAt(ctx context.Context, t decide.Telling) error {
	if t.How == settings.TellComment {
		return h.comment(ctx, t)
	}
	return h.CodeHost.Status(ctx, t)
}

// pull is what Buildmedic's comment on a pull request says.
type pull struct {
	Comment int64            `json:"comment,omitempty"` // its id
	Lines   []decide.Telling `json:"lines"`             // one a project, the newest last
	// Making: until when an invocation makes the comment. Two must not.
	Making time.Time `json:"making,omitzero"`
}

// comment has the pull request's comment say t, too.
func (h *Healer) comment(ctx context.Context, t decide.Telling) error {
	id := fmt.Sprintf("%s#%d", t.Repository, t.PullRequest)
	for range 3 {
		now := h.Clock.Now()
		it, err := h.Store.Get(ctx, kindPull, id)
		var p pull
		if err == nil {
			err = unmarshal(it, &p)
		} else if errors.Is(err, ErrNotFound) {
			it, err = Item{Kind: kindPull, ID: id}, nil
		}
		if err != nil {
			return fmt.Errorf("%w: reading the comment of %s: %w", errNotThis, id, err)
		}
		if now.Before(p.Making) {
			return fmt.Errorf("%w: another invocation makes the comment of %s", errNotThis, id)
		}
		p.say(t)
		if p.Comment == 0 { // recorded first: only one may make it
			p.Making = now.Add(busyFor)
			if it, err = h.putPull(ctx, it, p); errors.Is(err, ErrConflict) {
				continue
			} else if err != nil {
				return fmt.Errorf("%w: recording that the comment of %s is made: %w", errNotThis, id, err)
			}
		}
		made, terr := h.CodeHost.Comment(ctx, p.Lines, p.Comment)
		p.Making = time.Time{}
		if terr == nil {
			p.Comment = made
		}
		done, cancel := graceContext(ctx)
		_, err = h.putPull(done, it, p)
		cancel()
		if terr != nil {
			return terr
		}
		if err == nil {
			return nil
		}
		if !errors.Is(err, ErrConflict) {
			return fmt.Errorf("%w: recording the comment of %s: %w", errNotThis, id, err)
		}
		// Another case has said something meanwhile, perhaps without this line.
	}
	return fmt.Errorf("%w: the comment of %s changes at this moment", errNotThis, id)
}

// say puts a telling in the place of the project's earlier one.
func (p *pull) say(t decide.Telling) {
	p.Lines = slices.DeleteFunc(p.Lines, func(o decide.Telling) bool {
		return o.Account == t.Account && o.Region == t.Region && o.Project == t.Project
	})
	p.Lines = append(p.Lines, t)
	p.Lines = p.Lines[max(0, len(p.Lines)-maxLines):]
}

func (h *Healer) putPull(ctx context.Context, it Item, p pull) (Item, error) {
	data, err := json.Marshal(p)
	if err != nil {
		return it, err
	}
	it.Data, it.Expires = data, h.Clock.Now().Add(kept)
	return h.Store.Put(ctx, it)
}

// settle records that nothing is left to tell before next; zero: at all. It reports false if
// something is, since the case has changed. That something was told is kept even then.
func (h *Healer) settle(ctx context.Context, it Item, o owed, next time.Time) bool {
	ctx, cancel := graceContext(ctx)
	defer cancel()
	it.Due = next
	err := h.putOwed(ctx, it, o)
	if !errors.Is(err, ErrConflict) {
		if err != nil {
			h.Log.WarnContext(ctx, "a sweep will tell developers again", "case", it.ID, "error", err.Error())
		}
		return true
	}
	var other owed
	if it, err = h.Store.Get(ctx, kindTelling, it.ID); o.Told && err == nil && unmarshal(it, &other) == nil {
		other.Told = true
		err = h.putOwed(ctx, it, other)
	}
	if err != nil && !errors.Is(err, ErrConflict) {
		h.Log.WarnContext(ctx, "it is not recorded that developers were told", "case", it.ID, "error", err.Error())
	}
	return false
}

// drop gives up telling of a case.
func (h *Healer) drop(ctx context.Context, it Item, o owed, why string) {
	if t, ok := h.telling(ctx, it.ID, o); ok {
		h.told(t, decide.ToldDropped, why)
	}
	h.settle(ctx, it, o, time.Time{})
}

func (h *Healer) told(t decide.Telling, r decide.ToldResult, why string) {
	t.At = h.Clock.Now()
	h.Journal.Told(decide.Told{Telling: t, Result: r, Why: why})
}

// fault is what a person must mend before developers can be told, as it is recorded.
type fault struct {
	Says string    `json:"says"`
	At   time.Time `json:"at"`
	Told time.Time `json:"told,omitzero"` // when a notice told of it
}

// faultFlag is the flag that holds them.
const faultFlag = "code host"

const (
	// faultsKept is how many faults are kept. One more is only in the journal, until one has passed.
	faultsKept = 10
	// faultsANotice is how many of them a notice tells.
	faultsANotice = 3
)

// keepFault keeps a fault for the next notice of a project whose developers are to be told. One that
// was told today already is not told again, whichever others come in between.
func (h *Healer) keepFault(ctx context.Context, says string) {
	it, fs, err := h.readFaults(ctx)
	if err == nil && len(fs) < faultsKept && !slices.ContainsFunc(fs, func(f fault) bool { return f.Says == says }) {
		err = h.putFaults(ctx, it, append(fs, fault{Says: says, At: h.Clock.Now()}))
	}
	if err != nil && !errors.Is(err, ErrConflict) {
		h.Log.WarnContext(ctx, "no notice will tell why developers are not told", "error", err.Error())
	}
}

// readFaults reads the faults that have not passed.
func (h *Healer) readFaults(ctx context.Context) (it Item, fs []fault, err error) {
	it, err = h.Store.Get(ctx, kindFlag, faultFlag)
	if errors.Is(err, ErrNotFound) {
		return Item{Kind: kindFlag, ID: faultFlag}, nil, nil
	}
	if err == nil {
		err = unmarshal(it, &fs)
	}
	now := h.Clock.Now()
	return it, slices.DeleteFunc(fs, func(f fault) bool { return now.Sub(f.At) > faultsFor }), err
}

func (h *Healer) putFaults(ctx context.Context, it Item, fs []fault) error {
	data, err := json.Marshal(fs)
	if err != nil {
		return err
	}
	it.Data, it.Expires = data, h.Clock.Now().Add(2*faultsFor)
	_, err = h.Store.Put(ctx, it)
	return err
}

// withFault adds the faults that no notice has told yet to this one. said is to be called once it is
// sent.
func (h *Healer) withFault(ctx context.Context, o decide.Outcome) (with decide.Outcome, said func()) {
	said = func() {}
	p, ok := h.Settings.Project(o.Case.Project, o.Case.Account, o.Case.Region, h.Home)
	if h.CodeHost == nil || !ok || !p.Tells() {
		return o, said
	}
	it, fs, err := h.readFaults(ctx)
	if err != nil {
		return o, said // a notice goes out, whatever the ledger says of this
	}
	told := 0
	for i, f := range fs {
		if !f.Told.IsZero() || told == faultsANotice {
			continue
		}
		o.Note = sentences(o.Note, fmt.Sprintf("Developers could not be told at their code host, at %s: %s.",
			f.At.UTC().Format("2006-01-02 15:04 UTC"), f.Says))
		fs[i].Told = h.Clock.Now()
		told++
	}
	if told == 0 {
		return o, said
	}
	return o, func() {
		if err := h.putFaults(ctx, it, fs); err != nil && !errors.Is(err, ErrConflict) {
			h.Log.WarnContext(ctx, "the next notice tells again why developers are not told", "error", err.Error())
		}
	}
}

package heal

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// AWS deactivates an e-mail subscription that gets more than 10 notices a second (AWS.md#e-mail).
// So every try to send a notice, of whatever kind and instance, waits for its turn, and the ledger
// gives one in noticeEvery. A try that the SDK repeats by itself is one, too. Turns go by the
// instances' clocks: if these are apart by d, a second holds at most (1 s + d) / noticeEvery + 1
// notices, so fewer than 10 as long as d, with what one publication takes longer than another, is
// below 1.25 s.
const (
	noticeEvery = 250 * time.Millisecond
	// noticeWait is how long a notice waits at most; then it stays where it is
	// recorded, and the case comes back.
	noticeWait = 30 * time.Second
	// toSend is how much of the invocation's time is left for sending it then.
	toSend = 5 * time.Second
)

// ReleasePace is how many calls a second to a service whoever releases others makes at least, however often
// these are throttled: other users of the account may be the reason, and to become slower does not help
// against that. As many invocations release as the queue of follow-ups starts. With the half a call of each
// of all others, they stay within the lowest rate of a service that is assumed (AWS.md#request-rates), so
// that they do not go on throttling each other.
const ReleasePace = 1.0

type leastPace struct{}

// WithLeastPace has the work of the context make at least so many calls a second.
func WithLeastPace(ctx context.Context, perSecond float64) context.Context {
	return context.WithValue(ctx, leastPace{}, perSecond)
}

// LeastPace is how many calls a second the work of the context makes at least, however often it is
// throttled; 0 if nothing is said.
func LeastPace(ctx context.Context) float64 {
	perSecond, _ := ctx.Value(leastPace{}).(float64)
	return perSecond
}

// turn is when a notice may be sent.
type turn struct {
	of    string // the notice's id
	to    string // the owner whom it tells; "" whom notify itself names
	alone bool   // it goes alone, else with others in a digest
	at    time.Time
}

// missed reports whether the turn is over: a notice that comes much later than it should would be
// too close to others.
func (t turn) missed(now time.Time) bool { return t.alone && now.After(t.at.Add(noticeEvery)) }

// turn takes the next turn for a notice to an owner, and counts it among those that he gets in the
// hour, unless that would be more than max: then it does not go alone. By "" is not counted. Each
// owner has a topic of his own, so one team's storm neither delays nor gathers what another one gets.
func (h *Healer) turn(ctx context.Context, to, by string, max int) (turn, error) {
	now := h.Clock.Now()
	hour := now.UTC().Truncate(time.Hour)
	// Each hour has a counter of its own. That turns of two hours keep their distance too, the
	// first of an hour is later by it, and none is after the hour.
	p := Pace{From: now, Latest: now.Add(noticeWait), Every: noticeEvery}
	if first := hour.Add(noticeEvery); p.From.Before(first) {
		p.From = first
	}
	if end := hour.Add(time.Hour - 1); p.Latest.After(end) {
		p.Latest = end
	}
	if end, ok := ctx.Deadline(); ok {
		if end := now.Add(time.Until(end) - toSend); p.Latest.After(end) {
			p.Latest = end
		}
	}
	id := strings.TrimSpace("turns " + hour.Format("2006-01-02T15") + " " + h.Settings.Notify.Pace(to))
	at, ok, err := h.Store.Turn(ctx, id, by, max, hour.Add(3*time.Hour), p)
	if err != nil {
		return turn{}, fmt.Errorf("taking the turn of a notice: %w", err)
	}
	return turn{by, to, ok, at}, nil
}

// await waits until it is the turn.
func (h *Healer) await(ctx context.Context, t turn) error {
	if wait := t.at.Sub(h.Clock.Now()); wait > 0 {
		return h.Sleep(ctx, wait)
	}
	return nil
}

// inTurn sends a notice to an owner, each try at a turn: the first at the one that the notice has
// already, if it has one that is not over, and all others at one that is not counted. An error of the
// turns is none of sending (see [unsentError]), also where something had been tried before.
func (h *Healer) inTurn(ctx context.Context, to string, has turn, send func(turn Await) error) error {
	var none error
	err := send(func(ctx context.Context) error {
		t := has
		has = turn{}
		if t.at.IsZero() || t.missed(h.Clock.Now()) {
			if t, none = h.turn(ctx, to, "", 0); none != nil {
				return none
			}
		}
		none = h.await(ctx, t)
		return none
	})
	if none != nil {
		return none
	}
	return unsentBy(err)
}

package awsapi

import (
	"context"
	"math"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"

	"github.com/buildmedic/buildmedic/internal/heal"
)

// Retryer is how the function's clients try again: as the SDK does, but a client that was throttled
// slows all of its calls down to what the service lets through. Many failures at once then take no
// more calls. It is patient, since the function has minutes; what it still does not get is asked for
// later, by the case (see heal.ErrLater).
//
// The SDK's own adaptive mode is back at its old rate within a second of a throttle, so that where
// clients share ten calls a second a third of them is throttled for as long as it lasts (tried in
// findings/sdk-go-adaptive-mode-at-low-shared-rates.sh).
func Retryer() aws.RetryerV2 {
	return &paced{Standard: retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts, o.MaxBackoff = 8, 5*time.Second
	})}
}

// paced is the SDK's standard retryer with a pace for every attempt.
type paced struct {
	*retry.Standard
	pace pace
}

// GetAttemptToken waits for the client's turn.
func (p *paced) GetAttemptToken(ctx context.Context) (func(error) error, error) {
	if err := p.pace.wait(ctx); err != nil {
		return nil, err
	}
	release, err := p.Standard.GetAttemptToken(ctx)
	if err != nil {
		return nil, err
	}
	return func(err error) error {
		if retry.IsErrorThrottles(retry.DefaultThrottles).IsErrorThrottle(err).Bool() {
			p.pace.slowDown()
		} else {
			p.pace.speedUp()
		}
		return release(err)
	}, nil
}

// How a pace changes. Of clients that share a rate, each is throttled once while it grows back: the
// slower it grows, the fewer calls are in vain, and the longer what one leaves is not used by others.
// Growth by the call makes the share of calls in vain the same for a slow client and a fast one, so
// that whoever is left alone soon takes all that there is.
const (
	slower  = 0.5         // of its calls, when it is throttled
	growth  = 0.01        // more, each second
	perCall = 0.01        // more, with each call that is not throttled
	slowest = 0.5         // calls a second, or what heal.LeastPace says: others may be the reason for throttles
	inWay   = time.Second // for so long calls come back that were on their way
	counted = 5 * time.Second
)

// pace limits how fast a client calls: not at all until it is throttled.
type pace struct {
	mu     sync.Mutex
	rate   float64   // calls a second at since; 0: any number
	since  time.Time // when it was last slowed down
	next   time.Time // when the next call may be made
	from   time.Time // when counting began
	made   float64   // calls since then
	before float64   // calls a second until then
}

// wait returns when it is the caller's turn. Whoever does not wait for it to the end leaves it to others.
func (p *pace) wait(ctx context.Context) error {
	d, step := p.turn(time.Now(), max(slowest, heal.LeastPace(ctx)))
	if d <= 0 {
		return nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		p.mu.Lock()
		defer p.mu.Unlock()
		p.next = p.next.Add(-step)
		p.made--
		return ctx.Err()
	}
}

// turn takes a turn, for one of at least so many calls a second, and says how long to wait for it, and
// how long the next one waits for it. What was not called for a second may be made up for at once.
func (p *pace) turn(now time.Time, least float64) (wait, step time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := now
	if p.rate > 0 {
		if earliest := now.Add(-time.Second); p.next.Before(earliest) {
			p.next = earliest
		}
		step = time.Duration((0.5 + rand.Float64()) * float64(time.Second) / max(p.now(now), least))
		p.next = p.next.Add(step)
		if p.next.After(at) {
			at = p.next
		}
	}
	if d := now.Sub(p.from); d >= counted {
		p.before, p.made, p.from = p.made/d.Seconds(), 0, now
	}
	p.made++
	return at.Sub(now), step
}

// now is the present rate.
func (p *pace) now(at time.Time) float64 { return p.rate * math.Exp(growth*at.Sub(p.since).Seconds()) }

// slowDown takes a throttle.
func (p *pace) slowDown() {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if p.rate > 0 && now.Sub(p.since) < inWay {
		return
	}
	rate := max(p.made/max(now.Sub(p.from).Seconds(), 1), p.before)
	if p.rate > 0 {
		rate = min(rate, p.now(now))
	}
	p.rate, p.since = max(slower*rate, slowest), now
}

// speedUp takes a call that was let through.
func (p *pace) speedUp() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rate *= 1 + perCall
}

// inTurn is a client's retryer for one call, each attempt of which waits for a turn of another kind
// besides, once it is the client's own.
type inTurn struct {
	aws.RetryerV2
	turn heal.Await
}

// GetAttemptToken implements [aws.RetryerV2]. What it gives as an error is not tried again.
func (r inTurn) GetAttemptToken(ctx context.Context) (func(error) error, error) {
	release, err := r.RetryerV2.GetAttemptToken(ctx)
	if err == nil {
		err = r.turn(ctx)
	}
	return release, err
}

// attempts gives the retryer as one that is asked before each attempt, as the SDK itself does.
func attempts(r aws.Retryer) aws.RetryerV2 {
	if v2, ok := r.(aws.RetryerV2); ok {
		return v2
	}
	return atOnce{r}
}

// atOnce lets each attempt begin at once.
type atOnce struct{ aws.Retryer }

// GetAttemptToken implements [aws.RetryerV2].
func (r atOnce) GetAttemptToken(context.Context) (func(error) error, error) {
	return r.GetInitialToken(), nil
}

package main

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
)

// The pace of a scan, in calls a second. Only that of logs is published, by region
// (AWS.md#request-rates); elsewhere it is 25; and that of CloudTrail. CodeBuild's, and what else a build may need, are
// assumed.
const (
	otherPace   = 10
	logsPace    = 25
	lowLogsPace = 10
	trailPace   = 2 // of LookupEvents (AWS.md#cloudtrail)
)

var lowLogs = []string{"us-west-2", "eu-west-1", "eu-central-1", "ap-northeast-3", "ap-southeast-3", "ca-west-1", "il-central-1"}

const (
	// atOnce is how many calls are under way at a time.
	atOnce = 8
	// maxTries is how often a call is made that fails in another way than by being throttled.
	maxTries = 5
	// maxBackoff is the longest wait of a throttled call.
	maxBackoff = 20 * time.Second
)

// patience is how a scan calls AWS: within a pace of its own for each service, which slows down
// while that service throttles, and with as many tries of a throttled call as it takes. It
// implements [aws.RetryerV2].
type patience struct {
	*retry.Standard
	throttles retry.IsErrorThrottles
	region    string

	mu        sync.Mutex
	paces     map[string]*pace
	throttled time.Time // when a call was last
}

func newPatience(region string) *patience {
	return &patience{
		Standard: retry.NewStandard(func(o *retry.StandardOptions) {
			o.MaxBackoff, o.RateLimiter = maxBackoff, ratelimit.None
		}),
		throttles: retry.DefaultThrottles, region: region, paces: map[string]*pace{},
	}
}

// apply makes all clients of the configuration call in this way, atOnce calls at a time together.
func (p *patience) apply(cfg aws.Config) aws.Config {
	cfg = cfg.Copy()
	// A limit from the environment would be put on top of the retryer's own.
	cfg.Retryer, cfg.RetryMaxAttempts = func() aws.Retryer { return p }, 0
	cfg.HTTPClient = slots{cfg.HTTPClient, make(chan struct{}, atOnce)}
	return cfg
}

// MaxAttempts implements [aws.RetryerV2]: there is no limit but that of RetryDelay.
func (p *patience) MaxAttempts() int { return 0 }

// GetAttemptToken implements [aws.RetryerV2]: it waits for the call's turn.
func (p *patience) GetAttemptToken(ctx context.Context) (func(error) error, error) {
	return func(error) error { return nil }, p.pace(ctx).wait(ctx)
}

// GetRetryToken implements [aws.RetryerV2]: it is told of each try that failed.
func (p *patience) GetRetryToken(ctx context.Context, err error) (func(error) error, error) {
	if p.throttles.IsErrorThrottle(err).Bool() {
		p.pace(ctx).slow()
		p.mu.Lock()
		p.throttled = time.Now()
		p.mu.Unlock()
	}
	return p.Standard.GetRetryToken(ctx, err)
}

// RetryDelay implements [aws.RetryerV2]; its error ends the tries.
func (p *patience) RetryDelay(attempt int, err error) (time.Duration, error) {
	switch {
	case p.throttles.IsErrorThrottle(err).Bool():
		return p.Standard.RetryDelay(attempt, err)
	case attempt >= maxTries:
		return 0, err
	}
	return time.Duration(attempt) * time.Second / 2, nil
}

// throttledWithin reports whether a call was throttled in the last d.
func (p *patience) throttledWithin(d time.Duration) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.throttled.IsZero() && time.Since(p.throttled) < d
}

func (p *patience) pace(ctx context.Context) *pace {
	service := awsmiddleware.GetServiceID(ctx)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.paces[service] == nil {
		most := float64(otherPace)
		switch {
		case service == "CloudTrail":
			most = trailPace
		case service == "CloudWatch Logs" && slices.Contains(lowLogs, p.region):
			most = lowLogsPace
		case service == "CloudWatch Logs":
			most = logsPace
		}
		p.paces[service] = &pace{most: most, rate: most}
	}
	return p.paces[service]
}

// pace gives calls their turns, evenly spaced, in the order in which they ask.
type pace struct {
	most float64 // calls a second

	mu     sync.Mutex
	rate   float64 // at present
	next   time.Time
	risen  time.Time // when rate was last brought up to date
	slowed time.Time // when it last fell
}

// Each second in which a call is throttled takes a tenth off the pace, and each other one adds some
// of the whole. So the pace settles about what AWS lets through, of which others have their part.
const (
	fall, rise, least = 0.9, 0.03, 0.1
)

func (p *pace) wait(ctx context.Context) error {
	p.mu.Lock()
	now := p.recover()
	turn := p.next
	if turn.Before(now) {
		turn = now
	}
	p.next = turn.Add(time.Duration(float64(time.Second) / p.rate))
	p.mu.Unlock()
	return wallClock{}.Sleep(ctx, turn.Sub(now))
}

// recover brings the pace to what it is now.
func (p *pace) recover() (now time.Time) {
	now = time.Now()
	since := p.risen
	if quiet := p.slowed.Add(time.Second); quiet.After(since) {
		since = quiet
	}
	if now.After(since) && !p.risen.IsZero() {
		p.rate = min(p.most, p.rate+p.most*rise*now.Sub(since).Seconds())
	}
	p.risen = now
	return now
}

func (p *pace) slow() {
	p.mu.Lock()
	defer p.mu.Unlock()
	// Calls that were under way at the old pace say nothing about the new one.
	if now := p.recover(); now.Sub(p.slowed) >= time.Second {
		p.rate, p.slowed = max(p.most*least, p.rate*fall), now
	}
}

// slots lets so many requests be under way at a time as the channel holds.
type slots struct {
	client aws.HTTPClient
	free   chan struct{}
}

// Do implements [aws.HTTPClient].
func (s slots) Do(r *http.Request) (*http.Response, error) {
	select {
	case s.free <- struct{}{}:
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	defer func() { <-s.free }()
	return s.client.Do(r)
}

package simaws

import (
	"strconv"
	"time"
)

// Trouble is what goes wrong by itself. Probabilities are in [0,1]; what
// happens to a certain event or call depends on the seed and on which one it
// is, not on timing.
type Trouble struct {
	DropEvents      float64       // EventBridge loses it: delivery is best effort (AWS.md#delivery)
	DuplicateEvents float64       // it comes twice
	DelayEvents     time.Duration // each comes up to this late, so order is lost

	Throttle     float64 // a call is throttled
	LoseRequest  float64 // the connection is cut before the call had an effect
	LoseResponse float64 // … after it had its effect

	CallTime time.Duration // simulated time that each call takes
	Latency  time.Duration // real time that each call takes, for measuring chains of calls
	LogLag   time.Duration // log lines can be read only this much later (AWS.md#late-lines)
	// EmptyPages is how many empty pages GetLogEvents gives before each full
	// one (AWS.md#reading-cloudwatch).
	EmptyPages int
	// LogPage and IAMPage are the most events, or items, that one page holds;
	// 0: AWS's own limits. A service may give less than was asked for.
	LogPage, IAMPage int
	// StaleReads is up to how long after a write to a role's inline policies
	// IAM's reads and its simulator may still answer as if it had not been:
	// IAM is eventually consistent (AWS.md#consistency).
	StaleReads time.Duration
	// RateLimits makes the limits of [RateLimits] apply, in simulated time.
	RateLimits bool
}

// SetTrouble replaces the trouble from now on.
func (s *Sim) SetTrouble(t Trouble) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cfg.Trouble = t
}

func (s *Sim) latency() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cfg.Trouble.Latency
}

// random rolls the dice for a call, before and after it.
func (s *Sim) random(c Call) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.cfg.Trouble
	id := strconv.Itoa(c.Seq)
	switch {
	case c.Done && t.LoseResponse > 0 && s.chance("lose-response", id) < t.LoseResponse:
		return Fault{Cut: true}
	case !c.Done && t.LoseRequest > 0 && s.chance("lose-request", id) < t.LoseRequest:
		return Fault{Cut: true}
	case !c.Done && t.Throttle > 0 && s.chance("throttle", id) < t.Throttle:
		return Fault{Throttle: true}
	}
	return Fault{}
}

// Rate is a token bucket.
type Rate struct{ PerSecond, Burst float64 }

// RateLimits are the request rates that AWS allows per account and region,
// by "service:Operation" or "service". LookupEvents and GetLogEvents are
// documented; the others are not published (AWS.md#request-rates) and are set low
// here, since a healer must live with low ones.
var RateLimits = map[string]Rate{
	"cloudtrail:LookupEvents": {2, 2},
	"logs:GetLogEvents":       {10, 10},
	"codebuild":               {10, 30},
	"iam":                     {15, 30},
	"codepipeline":            {10, 20},
	"ecr":                     {10, 20},
	"access-analyzer":         {10, 10},
}

// tokenBuckets are the fill levels by place and rate name.
type tokenBuckets map[string]*tokenBucket

type tokenBucket struct {
	tokens float64
	at     time.Time
}

// throttled takes a token for the call, or says that there is none.
func (s *Sim) throttled(r *request) bool {
	if !s.cfg.Trouble.RateLimits {
		return false
	}
	name := r.service + ":" + r.operation
	rate, ok := RateLimits[name]
	if !ok {
		name = r.service
		if rate, ok = RateLimits[name]; !ok {
			return false
		}
	}
	key := r.est.acct.id + " " + r.est.region + " " + name
	b, ok := s.limits[key]
	if !ok {
		b = &tokenBucket{tokens: rate.Burst, at: s.now}
		s.limits[key] = b
	}
	return !b.take(rate, s.now)
}

func (b *tokenBucket) take(rate Rate, now time.Time) bool {
	b.tokens = min(rate.Burst, b.tokens+now.Sub(b.at).Seconds()*rate.PerSecond)
	b.at = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}

// SetPropagation replaces the propagation delay from now on (see Config).
func (s *Sim) SetPropagation(least, most time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cfg.Propagation, s.cfg.PropagationMost = least, max(least, most)
}

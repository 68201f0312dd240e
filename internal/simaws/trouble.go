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
	// RateLimits makes the rates of [RateOf] apply, in simulated time.
	RateLimits bool
	// Others is how many calls others make at each of these rates, who share the account, as a multiple of
	// the rate: 0.3 takes three tenths of it, and above 1 they ask for more than there is, whatever they
	// are answered. They call at times of their own.
	Others float64
	// ConcurrentBuilds is how many builds of one environment type and compute
	// type run at once in an account and region; 0: any number. Up to five
	// times as many wait in the queue, and beyond that CodeBuild starts none
	// (AWS.md#queue-limits). It counts what runs already when it is set.
	ConcurrentBuilds int
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

// SetPropagation replaces the propagation delay from now on (see Config).
func (s *Sim) SetPropagation(least, most time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cfg.Propagation, s.cfg.PropagationMost = least, max(least, most)
}

package simaws

import (
	"slices"
	"strings"
	"time"
)

// Call is one API call as the Sim saw it.
type Call struct {
	Seq       int    // from 1, in order of arrival
	Service   string // "codebuild", "iam", …: the name in the signature's scope
	Operation string // "RetryBuild"
	Principal string // the caller's ARN, as denials name it
	Key       string // access key id
	Account   string // the caller's
	Region    string
	Resources []string // ARNs that the call concerns; known only once it is done
	About     string   // what else tells calls apart: a policy's name, a build's id
	Writes    bool     // the operation changes something
	Error     string   // error code that the caller got, "" for none; "cut" if the connection was cut
	Took      bool     // it had its effect, whatever the caller heard

	// Done is false when a hook sees the call before it has any effect.
	Done bool
	// At is the simulated time of arrival. Began and Ended are the real
	// times between which the call was with the Sim.
	At           time.Time
	Began, Ended time.Time
}

// String is the call as a transcript shows it: service.Operation, what it
// concerns, what else tells it apart, and its error.
func (c Call) String() string {
	out := c.Service + "." + c.Operation
	for _, r := range c.Resources {
		out += " " + r
	}
	if c.About != "" {
		out += " (" + c.About + ")"
	}
	if c.Error != "" {
		out += " -> " + c.Error
	}
	return out
}

// Fault is what a hook does to a call. The zero Fault does nothing. Asked
// before the call (Done is false), it prevents the call; asked after, the
// call has had its effect and only the answer is lost or replaced.
type Fault struct {
	Throttle bool   // answer as the service does when it throttles
	Code     string // answer with this error
	Message  string
	Status   int  // of Code; 0: the protocol's usual one
	Cut      bool // cut the connection
	// Crash cuts this connection and each later one of the same access key, or
	// of a role that was assumed with it, as if the caller had died, until
	// [Sim.Restart].
	Crash bool
}

func (f Fault) any() bool { return f.Throttle || f.Code != "" || f.Cut || f.Crash }

const faultCut = "cut"

// Hook has f asked before and after every call, in order of registration;
// the first fault counts. f may use the Sim, e.g. to make a stranger's change
// between two calls, or to move the clock on; such things done through Go are
// no calls.
func (s *Sim) Hook(f func(Call) Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hooks = append(s.hooks, f)
}

// Unhook takes all hooks away.
func (s *Sim) Unhook() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hooks = nil
}

// Restart lets crashed callers call again.
func (s *Sim) Restart() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.dead)
}

// Calls lists every API call so far, in order of arrival.
func (s *Sim) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := slices.Clone(s.calls)
	for i := range out {
		out[i].Resources = slices.Clone(out[i].Resources)
	}
	return out
}

// Unknown lists what was asked of the Sim that it does not know: operations,
// parameters, conditions. A test should fail if it is not empty.
func (s *Sim) Unknown() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.unknown)
}

func (s *Sim) note(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unknown = append(s.unknown, what)
}

// arrive records the call, finds its caller and gives it its id.
func (s *Sim) arrive(r *request, sc scope, began time.Time) Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	r.id, r.key = s.uuid("request"), sc.key
	c := Call{
		Seq: len(s.calls) + 1, Service: r.service, Operation: r.operation, Key: sc.key, Region: sc.region,
		Writes: services[r.service].operations[r.operation].writes, At: s.now, Began: began,
	}
	if who, ok := s.keys[sc.key]; ok {
		r.caller, r.est = who, s.estate(who.acct.id, sc.region)
		c.Principal, c.Account = who.arn, who.acct.id
	}
	s.calls = append(s.calls, c)
	return c
}

// finish completes the record; carried means that the call had its effect.
func (s *Sim) finish(c Call, r *request, e *apiError, code string, carried bool) Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	rec := &s.calls[c.Seq-1]
	rec.Done, rec.Ended, rec.Resources, rec.Error = true, time.Now(), slices.Clone(r.resources), code
	rec.About = r.about
	rec.Took = rec.Took || carried
	if e != nil {
		rec.Error = e.Code
	}
	out := *rec
	out.Resources = slices.Clone(rec.Resources)
	return out
}

// ask asks the hooks about a call.
func (s *Sim) ask(c Call) Fault {
	s.mu.Lock()
	hooks := slices.Clone(s.hooks)
	s.mu.Unlock()
	for _, h := range hooks {
		if f := h(c); f.any() {
			return f
		}
	}
	return s.random(c)
}

// root is the access key that a chain of assumed roles began with: the caller who
// calls with the last one dies with the first.
func (s *Sim) root(key string) string {
	for s.assumed[key] != "" {
		key = s.assumed[key]
	}
	return key
}

func (s *Sim) cutOff(key string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dead[s.root(key)]
}

// Writes lists the distinct operations that changed something, as
// "service.Operation", in the order of their first effect.
func (s *Sim) Writes() []string {
	var out []string
	for _, c := range s.Calls() {
		name := strings.Join([]string{c.Service, c.Operation}, ".")
		if c.Writes && c.Took && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

package sandbox

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/buildmedic/buildmedic/internal/simaws"
)

// Kind is what an event is.
type Kind int

// The kinds of events.
const (
	Started  Kind = iota // a build
	Green                // a build ended well
	Failed               // a build did not
	Changed              // somebody changed something in the account
	Told                 // the function sent a notice
	Settings             // the function's settings
)

// Event is one thing that happened in the account.
type Event struct {
	At   time.Time
	Kind Kind
	Text string // one line; of whatever builds and callers say
	Mail string // of a notice: the e-mail
}

// teller tells what has happened since it told last.
type teller struct {
	sim     *simaws.Sim
	say     func(Event)
	calls   int
	notices int
	builds  map[string]string // ARN → status that was told
}

// tell is called by whoever has the turn.
func (t *teller) tell() {
	var es, starts []Event // of what happens at one time, a start comes last
	for _, b := range t.sim.AllBuilds() {
		name := fmt.Sprintf("%s #%d", b.Project, b.Number)
		if _, ok := t.builds[b.ARN]; !ok {
			version, _, _ := strings.Cut(cmp.Or(b.Version, "the default branch"), "^")
			by, _, _ := strings.Cut(b.Initiator, "/")
			starts = append(starts, Event{At: b.Start, Kind: Started, Text: name + " is started by " + by + ": " + version})
			t.builds[b.ARN] = ""
		}
		if b.End.IsZero() || t.builds[b.ARN] != "" {
			continue
		}
		t.builds[b.ARN] = b.Status
		if b.Status == "SUCCEEDED" {
			es = append(es, Event{At: b.End, Kind: Green, Text: name + " is green"})
			continue
		}
		why := strings.TrimPrefix(b.Failure, "COMMAND_EXECUTION_ERROR: Error while executing command: ")
		why, _, _ = strings.Cut(why, ". Reason: ")
		es = append(es, Event{At: b.End, Kind: Failed, Text: fmt.Sprintf("%s %s: %s", name, strings.ToLower(b.Status), why)})
	}
	calls := t.sim.Calls()
	for _, c := range calls[t.calls:] {
		if !c.Writes || !c.Took || slices.Contains([]string{"sqs", "sns", "dynamodb", "lambda"}, c.Service) {
			continue
		}
		es = append(es, Event{At: c.At, Kind: Changed, Text: c.Service + ":" + c.Operation + " " + about(c)})
	}
	notices := t.sim.Notices()
	for _, n := range notices[t.notices:] {
		es = append(es, Event{At: n.At, Kind: Told, Text: n.Subject,
			Mail: cmp.Or(n.ByProtocol["email"], n.ByProtocol["default"], n.Message)})
	}
	t.calls, t.notices = len(calls), len(notices)
	es = append(es, starts...)
	slices.SortStableFunc(es, func(a, b Event) int { return a.At.Compare(b.At) })
	for _, e := range es {
		t.say(e)
	}
}

// about is what a call concerns, without the account that they all are in.
func about(c simaws.Call) string {
	var names []string
	for _, r := range c.Resources {
		f := strings.SplitN(r, ":", 6)
		names = append(names, f[len(f)-1])
	}
	return strings.Join(names, " ")
}

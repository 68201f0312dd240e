package soak

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/simaws"
	"github.com/buildmedic/buildmedic/internal/story"
)

// TestScale has as many builds fail at once as a broken shared policy makes fail, and prints what
// healing them takes, beside the least time that the account allows; see [storm.bound]. Nothing is
// lost: every build that failed is in a case, and every case ends healed.
func TestScale(t *testing.T) {
	storms := []*storm{{n: 100}, {n: 1000}, {n: 200, atOnce: 30}, // of these, some do not even fit in the queue
		{n: 200, behind: 20 * time.Minute}, {n: 100, others: 1.1}}
	if *long {
		storms = append(storms, &storm{n: 1000, others: 0.3}, &storm{n: 1000, others: 1.1}, &storm{n: 10_000},
			&storm{n: 1000, atOnce: 300}, &storm{n: 10_000, atOnce: 300})
	}
	for _, s := range storms { // each as soon as it is there: the largest takes its time
		t.Run(s.name(), func(t *testing.T) {
			s.play(t)
			t.Log(s)
			s.check(t)
		})
	}
}

// check holds the storm to what it should come to, with room for chance.
func (s *storm) check(t *testing.T) {
	o := s.outcome
	_, probed := o.bound.least()
	most := 1.3 // which invocation takes which message is chance
	switch {
	case s.others > 1:
		most = 2 // nobody knows how much of the rate others leave
	case s.n > 1000:
		most = 1.25 // what happens once weighs little
	}
	if is := o.took.Seconds() / probed.Seconds(); is > most {
		t.Errorf("healed after %s, which is %.2f × the bound with a probe, and not at most %v", o.took, is, most)
	}
	if most := s.busiestSecond(); most >= 10 || o.mailbox.Lost > 0 {
		t.Errorf("%d notices within a second, and the mailbox lost %d", most, o.mailbox.Lost)
	}
	if kb := o.ledger.Largest / 1024; kb > 50 {
		t.Errorf("the largest item has %d KB (%s)", kb, o.ledger.Of)
	}
	if s.n < 1000 || s.atOnce > 0 || s.others > 1 {
		return // what happens once weighs too much, or it takes hours and much is asked again
	}
	all := s.allCalls()
	for what, row := range map[string]struct{ got, most float64 }{
		"AWS calls a heal":         {float64(all.calls) / float64(s.n), 2.5},
		"% of the calls throttled": {percent(all.throttled, all.calls), 6},
		"write units a heal":       {float64(o.ledger.WriteUnits) / float64(s.n), 20},
		"notices a role":           {float64(len(o.notices)) / float64(s.roles()), 2.2},
	} {
		if row.got > row.most {
			t.Errorf("%.1f %s, which should be at most %v", row.got, what, row.most)
		}
	}
}

// name tells storms apart: "1000", "1000-by-300", "200-going-on".
func (s *storm) name() string {
	switch {
	case s.atOnce > 0:
		return fmt.Sprintf("%d-by-%d", s.n, s.atOnce)
	case s.behind > 0:
		return fmt.Sprintf("%d-going-on", s.n)
	case s.others > 0:
		return fmt.Sprintf("%d-beside-%v", s.n, s.others)
	}
	return fmt.Sprint(s.n)
}

// outcome is what a storm came to.
type outcome struct {
	took    time.Duration
	bound   bound
	calls   map[string]opCalls // by operation
	ledger  story.Meter
	kinds   map[string]story.Meter // by operation and kind
	notices []simaws.Notice
	mailbox simaws.Mailbox
}

// opCalls counts an operation's calls, those that were throttled, and those for which CodeBuild's
// queue was full.
type opCalls struct{ calls, throttled, refused int }

// end looks at what the storm left behind.
func (s *storm) end(ctx context.Context, t *testing.T, began time.Time) {
	t.Helper()
	var last time.Time
	r := &run{st: s.st}
	for i := range s.roles() {
		for _, b := range s.st.Sim.Builds(fmt.Sprintf("p%d", i)) {
			if b.Status != "FAILED" {
				continue
			}
			c, err := caseOf(ctx, r, b.ID)
			if err != nil || !knows(c, b.ID) || c.Closed.IsZero() {
				t.Fatalf("%d failures: build %s is lost: case %s at %v, %v", s.n, b.ID, c.ID, c.Closed, err)
			}
			if c.Outcome != decide.Healed {
				t.Errorf("%d failures: case %s ended %s: %s", s.n, c.ID, c.Outcome, c.Rounds[len(c.Rounds)-1].Decision.Why)
			}
			if c.Closed.After(last) {
				last = c.Closed
			}
		}
	}
	o := &s.outcome
	o.took, o.bound, o.calls = last.Sub(began), s.bound(s.durations()), map[string]opCalls{}
	for _, c := range s.st.Sim.Calls() {
		k := c.Service + " " + c.Operation
		n := o.calls[k]
		n.calls++
		switch {
		case strings.Contains(c.Error, "Throttl"):
			n.throttled++
		case c.Error == "AccountLimitExceededException":
			n.refused++
		}
		o.calls[k] = n
	}
	o.kinds = map[string]story.Meter{}
	for _, c := range s.ledger.Calls() {
		kind, _, _ := strings.Cut(c.Kind, " ")
		k := c.Operation + " " + kind
		n := o.kinds[k]
		n.Requests, n.WriteUnits = n.Requests+c.Requests, n.WriteUnits+c.WriteUnits
		o.kinds[k] = n
	}
	o.notices, o.mailbox = s.st.Sim.Notices(), s.st.Sim.Mailboxes()[0]
}

// String is the storm's report.
func (s *storm) String() string {
	var b strings.Builder
	o := s.outcome
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	heals := float64(s.n)

	account := "any number of builds at once, of a minute"
	if s.atOnce > 0 {
		account = fmt.Sprintf("%d builds at once, of 5 minutes", s.atOnce)
	}
	if s.others > 0 {
		account += fmt.Sprintf("; others ask for %v times each rate", s.others)
	}
	if s.behind > 0 {
		account += fmt.Sprintf(", and %s behind what they lack", s.behind)
	}
	line("%d failures over %d roles; %s", s.n, s.roles(), account)
	least, probed := o.bound.least()
	line("  healed after %s: %.2f × the bound, %.2f × the bound with a probe", o.took.Round(time.Second),
		o.took.Seconds()/least.Seconds(), o.took.Seconds()/probed.Seconds())
	b.WriteString(o.bound.String())

	all := s.allCalls()
	line("  AWS calls: %.2f a heal, %.1f %% of them throttled", float64(all.calls)/heals, percent(all.throttled, all.calls))
	names := slices.SortedFunc(maps.Keys(o.calls), func(x, y string) int {
		return cmp.Or(cmp.Compare(o.calls[y].calls, o.calls[x].calls), cmp.Compare(x, y))
	})
	for _, k := range names {
		n := o.calls[k]
		full := ""
		if n.refused > 0 {
			full = fmt.Sprintf(", %4.1f %% with a full queue", percent(n.refused, n.calls))
		}
		line("    %-40s %7.3f a heal, %4.1f %% throttled%s", k, float64(n.calls)/heals, percent(n.throttled, n.calls), full)
	}
	m := o.ledger
	line("  ledger: %.1f requests and %.1f write units a heal; the largest item has %d KB (%s)",
		float64(m.Requests)/heals, float64(m.WriteUnits)/heals, (m.Largest+1023)/1024, m.Of)
	for _, k := range slices.Sorted(maps.Keys(o.kinds)) {
		n := o.kinds[k]
		line("    %-40s %7.3f requests, %7.3f write units a heal", k, float64(n.Requests)/heals, float64(n.WriteUnits)/heals)
	}
	state := "confirmed"
	if o.mailbox.Lost > 0 {
		state = fmt.Sprintf("suspended, with %d lost", o.mailbox.Lost)
	}
	line("  notices: %.2f a role, at most %d within a second; the mailbox is %s",
		float64(len(o.notices))/float64(s.roles()), s.busiestSecond(), state)
	w := &s.watch
	line("  function: %.2f messages a heal, %.1f a run, %.0f %% of %d instances busy", float64(w.messages)/heals,
		float64(w.messages)/float64(w.runs), 100*w.busy.Seconds()/w.all.Seconds()/invocations, invocations)
	return b.String()
}

func (s *storm) allCalls() (all opCalls) {
	for _, n := range s.outcome.calls {
		all.calls, all.throttled, all.refused = all.calls+n.calls, all.throttled+n.throttled, all.refused+n.refused
	}
	return all
}

func percent(part, of int) float64 { return 100 * float64(part) / float64(max(of, 1)) }

// busiestSecond is how many notices were sent at most within a second.
func (s *storm) busiestSecond() (most int) {
	from := 0
	for i, n := range s.outcome.notices {
		for n.At.Sub(s.outcome.notices[from].At) >= time.Second {
			from++
		}
		most = max(most, i-from+1)
	}
	return most
}

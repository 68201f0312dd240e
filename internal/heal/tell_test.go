package heal_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/heal"
)

// failing is a notifier that cannot tell one owner, whose topic is his own.
type failing struct {
	heal.Notifier
	owner string
	err   error
	tries int
	told  []string
}

func (f *failing) try(kind, owner string, send func() error) error {
	if owner == f.owner {
		if f.tries++; f.err != nil {
			return f.err
		}
	}
	f.told = append(f.told, strings.TrimSpace(kind+" "+owner))
	return send()
}

func (f *failing) Notify(ctx context.Context, o decide.Outcome, turn heal.Await) error {
	return f.try("notice", o.For.Owner, func() error { return f.Notifier.Notify(ctx, o, turn) })
}

func (f *failing) Digest(_ context.Context, os []decide.Outcome, _ heal.Await) error {
	return f.try("digest", os[0].For.Owner, func() error { return nil })
}

func (f *failing) Week(_ context.Context, w decide.Week, _ heal.Await) error {
	return f.try("week", w.For, func() error { return nil })
}

// owned opens a stage whose p0 is of web, who has a topic of his own that cannot be told, and p1 of
// data, on a topic of the stack.
func owned(t *testing.T, notify string, err error) (*stage, *failing) {
	t.Helper()
	set := strings.NewReplacer("mode: heal", "mode: observe", "name: p0,", "name: p0, owner: web,", "name: p1,", "name: p1, owner: data,").
		Replace(shopSettings(3, ""))
	s := open(t, shop(3, ""), "notify:\n  scope: unowned\n"+notify+`  owners:
    - {name: web, topic: "arn:aws:sns:eu-west-1:444455556666:ci"}
    - {name: data, email: [data@example.com]}
`+set)
	f := &failing{Notifier: s.Inbox.Healer.Notifier, owner: "web", err: err}
	s.Inbox.Healer.Notifier = f
	return s, f
}

var errUnknown = errors.New("what nobody has heard of")

// TestDigestsOfOthers: an owner who cannot be told holds up nobody else's digest, and after an hour
// the platform has his.
func TestDigestsOfOthers(t *testing.T) {
	s, f := owned(t, "", errUnknown)
	s.Settings.Notify.Digest = 0
	for _, p := range []string{"p0", "p1", "p2"} {
		s.start(p)
	}
	s.drain()
	for sweep := range 6 {
		s.Sim.Clock.Advance(15 * time.Minute)
		err := s.Inbox.Healer.Sweep(t.Context())
		if tried := sweep < 3; tried != errors.Is(err, errUnknown) {
			t.Errorf("sweep %d: %v", sweep, err)
		}
		want := []string{"digest data", "digest"}
		if sweep >= 3 {
			want = append(want, "digest") // of p0
		}
		if !slices.Equal(f.told, want) {
			t.Errorf("after sweep %d, told: %q", sweep, f.told)
		}
	}
	if f.tries != 4 {
		t.Errorf("the owner is tried to be told %d times", f.tries)
	}
}

// TestOwnersTopicGivenUp: what an owner's own topic does not take for an hour, whatever is wrong, the
// platform is told in his place; on a topic of the stack it is tried on.
func TestOwnersTopicGivenUp(t *testing.T) {
	for owner, want := range map[string]bool{"web": true, "data": false} {
		s, f := owned(t, "", errUnknown)
		f.owner = owner
		s.start(map[string]string{"web": "p0", "data": "p1"}[owner])
		for range 40 {
			if err := s.Run(t.Context()); err != nil {
				break // what is delivered too often
			}
			s.Sim.Clock.Advance(5 * time.Minute)
			_ = s.Inbox.Healer.Sweep(t.Context())
		}
		if got := slices.Contains(f.told, "notice"); got != want || f.tries < 4 {
			t.Errorf("%s: told %q after %d tries", owner, f.told, f.tries)
		}
	}
}

// TestWeeksOfOthers: an owner who cannot be told holds up nobody else's week, and nobody has it twice.
func TestWeeksOfOthers(t *testing.T) {
	s, f := owned(t, "  weekly: true\n", errUnknown) // on a Sunday
	f.err = nil
	for _, p := range []string{"p0", "p1", "p2"} {
		s.start(p)
	}
	s.drain()
	f.err, f.told, f.tries = errUnknown, nil, 0
	s.Sim.Clock.Advance(3 * 24 * time.Hour) // the week has been over for longer than an hour
	for sweep := range 7 {
		err := s.Inbox.Healer.Sweep(t.Context())
		if tried := sweep < 4; tried != errors.Is(err, errUnknown) {
			t.Errorf("sweep %d: %v", sweep, err)
		}
		if !slices.Equal(f.told, []string{"week data", "week"}) {
			t.Errorf("after sweep %d, told: %q", sweep, f.told)
		}
		s.Sim.Clock.Advance(15 * time.Minute)
	}
	if f.tries != 5 {
		t.Errorf("the owner is tried to be told %d times", f.tries)
	}
}

// TestFaultIsToldToSomebody: that developers are not told, and the journal's line, count as told once
// somebody has the notice: here the platform, in the place of an owner whose topic is denied.
func TestFaultIsToldToSomebody(t *testing.T) {
	s := open(t, hosted(2, "issues"), strings.NewReplacer("name: p0,", "name: p0, owner: web,", "name: p1,", "name: p1, owner: web,").
		Replace(telling(2, "commit-status", "")+`notify:
  scope: unowned
  owners:
    - {name: web, topic: "arn:aws:sns:eu-west-1:444455556666:ci"}
`))
	f := &failing{Notifier: s.Inbox.Healer.Notifier, owner: "web", err: heal.ErrDenied}
	s.Inbox.Healer.Notifier = f
	s.start("p0")
	s.drain()
	journal := func() int { return strings.Count(s.Journal.String(), `"Healed":1`) }
	if journal() != 1 {
		t.Errorf("the journal has %d lines of one heal", journal())
	}
	deny := failing{Notifier: f, err: errUnknown} // of notify's topic, too
	s.Inbox.Healer.Notifier = &deny
	s.start("p1")
	for range 3 {
		if err := s.Run(t.Context()); err != nil {
			break
		}
	}
	if deny.tries == 0 || journal() != 1 {
		t.Errorf("after %d tries to tell somebody, the journal has %d lines of one heal", deny.tries, journal())
	}
	s.Inbox.Healer.Notifier = f
	for range 3 {
		s.Sim.Clock.Advance(16 * time.Minute)
		_ = s.Inbox.Healer.Sweep(t.Context())
		_ = s.Run(t.Context())
	}
	if journal() != 2 {
		t.Errorf("the journal has %d lines of two heals", journal())
	}
	said := 0
	for _, n := range s.Sim.Notices() {
		if strings.Contains(strings.Join(strings.Fields(n.ByProtocol["email"]), " "), "Developers could not be told") {
			said++
		}
	}
	if said != 1 {
		t.Errorf("%d notices say that developers could not be told", said)
	}
}

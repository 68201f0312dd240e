package story

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/settings"
	"github.com/buildmedic/buildmedic/internal/simaws"
	"github.com/buildmedic/buildmedic/testdata"
)

// forty plays the route with forty projects of three owners.
func forty(t *testing.T, change func(*settings.Settings), prepare func(*Stage)) *Stage {
	t.Helper()
	ss := load(t, testdata.Routes, "routes")
	i := slices.IndexFunc(ss, func(s Story) bool { return s.Name == "forty-projects" })
	st, err := Open(ss[i], Options{Settings: change})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(st.Close)
	if len(st.Settings.Projects) != 40 {
		t.Fatalf("there are %d projects", len(st.Settings.Projects))
	}
	prepare(st)
	if err := st.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	return st
}

// subjects are those of a mailbox's mails, without what follows the project.
func subjects(st *Stage, address string) (list []string) {
	for _, m := range st.Sim.Mailboxes() {
		for _, mail := range m.Mails {
			if m.Address == address {
				subject, _, _ := strings.Cut(mail.Subject, ":")
				list = append(list, subject)
			}
		}
	}
	return list
}

var filterBlock = regexp.MustCompile("(?s)<!-- filter -->\n```json\n(.*?)\n```")

// TestDocumentedFilters ensures that each filter policy of the notices' README, on the topic of
// notify, lets through what it says. Owners do not change what is told there.
func TestDocumentedFilters(t *testing.T) {
	readme, err := os.ReadFile("../notice/README.md")
	if err != nil {
		t.Fatal(err)
	}
	var policies []string
	for _, m := range filterBlock.FindAllStringSubmatch(string(readme), -1) {
		policies = append(policies, m[1])
	}
	want := [][]string{
		{"[proposed] shop"},
		nil,
		{"[reported] tools"},
		{"[proposed] shop", "[reported] payments", "[reported] tools", "[healed] lake"},
	}
	if len(policies) != len(want) {
		t.Fatalf("there are %d filter policies, and %d are known", len(policies), len(want))
	}
	if !strings.Contains(string(readme), `'{"FilterPolicy": "`+strings.ReplaceAll(policies[0], `"`, `\"`)+`"}'`) {
		t.Error("the command subscribes with another filter policy than the first")
	}
	all := func(s *settings.Settings) { s.Notify.Unowned = false }
	st := forty(t, all, func(st *Stage) {
		for i, p := range policies {
			if err := st.Sim.Subscribe(st.Sim.TopicARN(), string(rune('a'+i))+"@example.com", p); err != nil {
				t.Fatalf("%s: %v", p, err)
			}
		}
	})
	for i, p := range policies {
		if d := cmp.Diff(want[i], subjects(st, string(rune('a'+i))+"@example.com")); d != "" {
			t.Errorf("%s: -want +got:\n%s", p, d)
		}
	}
	everything := []string{"[proposed] shop", "[retrying] lake", "[reported] payments", "[reported] tools", "[healed] lake"}
	if d := cmp.Diff(everything, subjects(st, "platform@example.com")); d != "" {
		t.Errorf("without a filter: -want +got:\n%s", d)
	}
}

// TestOwnerCannotBeTold ensures that whom notify itself names is told what its owner cannot be told,
// and why, and that an owner who cannot be told now holds up nobody, and is told later.
func TestOwnerCannotBeTold(t *testing.T) {
	for what, fault := range map[string]simaws.Fault{
		"gone":           {Code: "NotFound", Message: "Topic does not exist", Status: 404},
		"denied":         {Code: "AuthorizationError", Message: "User: x is not authorized to perform: SNS:Publish", Status: 403},
		"another's key":  {Code: "KMSAccessDenied", Message: "no", Status: 400},
		"not now":        {Code: "InternalError", Message: "try again", Status: 500},
		"not now either": {Throttle: true},
	} {
		later, tries := strings.HasPrefix(what, "not now"), 0
		st := forty(t, func(s *settings.Settings) { s.Notify.Unowned = !later }, func(st *Stage) {
			st.Sim.Hook(func(c simaws.Call) simaws.Fault {
				if c.Done && c.Operation == "Publish" && strings.HasSuffix(c.Resources[0], ":pay-ci") {
					if tries++; tries <= 3 || !later {
						return fault
					}
				}
				return simaws.Fault{}
			})
		})
		st.Sim.Clock.Advance(20 * time.Minute)
		if _, err := st.Inbox.Invoke(t.Context(), json.RawMessage(`{"sweep":{}}`)); err != nil {
			t.Fatal(err)
		}
		told, why := 0, 0
		for _, m := range st.Sim.Mailboxes()[0].Mails {
			if strings.HasPrefix(m.Subject, "[reported] payments") {
				told++
			}
			if strings.Contains(m.Text, "Owner pay could not be told") {
				why++
			}
		}
		// What is no matter of a moment is tried once, and the platform told in the owner's place.
		if want := map[bool]int{false: 1, true: 0}[later]; told != 1 || why != want {
			t.Errorf("%s: the platform is told %d times, and why %d times, want %d", what, told, why, want)
		}
		if want := map[bool]int{false: 1, true: 4}[later]; tries != want {
			t.Errorf("%s: the owner is tried to be told %d times, want %d", what, tries, want)
		}
	}
}

// TestDigestOfEach ensures that notices which are too many come as a digest to each whom they are
// for, with what is for him alone, and that one owner's storm gathers nobody else's notices.
func TestDigestOfEach(t *testing.T) {
	st := forty(t, func(s *settings.Settings) { s.Notify.Digest = 1 }, func(*Stage) {})
	st.Sim.Clock.Advance(15 * time.Minute)
	for range 2 {
		if _, err := st.Inbox.Invoke(t.Context(), json.RawMessage(`{"sweep":{}}`)); err != nil {
			t.Fatal(err)
		}
	}
	for address, want := range map[string][]string{
		"web@example.com":      {"[proposed] shop"},
		"data@example.com":     {"[proposed] shop", "[digest] 2 notices in 1 project"},
		"platform@example.com": {"[reported] tools"},
	} {
		if d := cmp.Diff(want, subjects(st, address)); d != "" {
			t.Errorf("%s: -want +got:\n%s", address, d)
		}
	}
	digests := 0
	for _, n := range st.Sim.Notices() {
		if n.Attributes["kind"] == "digest" {
			digests++
			if n.Attributes["to"] != "data" || !strings.HasSuffix(n.Topic, ":buildmedic-owner-data") {
				t.Errorf("a digest for %q on %s", n.Attributes["to"], n.Topic)
			}
		}
		if len(n.Attributes) > 10 {
			t.Errorf("%s has %d attributes, and SNS drops what has more than 10", n.Subject, len(n.Attributes))
		}
	}
	if digests != 1 {
		t.Errorf("%d digests", digests)
	}
}

// TestOnlyOwnersSeeTheirLog ensures that who is told as a guest is shown no line of the build's log.
func TestOnlyOwnersSeeTheirLog(t *testing.T) {
	st := forty(t, nil, func(*Stage) {})
	seen := map[string]int{}
	for _, n := range st.Sim.Notices() {
		if strings.Contains(n.Subject, "shop") {
			seen[n.Attributes["to"]] = strings.Count(n.Message, "An error occurred")
		}
	}
	if seen["web"] == 0 || seen["data"] != 0 || len(seen) != 2 {
		t.Errorf("how often lines of the shop's log are shown: %v", seen)
	}
}

// changesSettings tells the owner alone, and has the settings say meanwhile that nobody else hears.
type changesSettings struct {
	heal.Notifier
	of    string // the case
	tried int
}

func (s *changesSettings) Notify(ctx context.Context, o decide.Outcome, turn heal.Await) error {
	if o.OwnerOf() != "pay" || o.For.Owner != "" {
		return s.Notifier.Notify(ctx, o, turn)
	}
	s.of, o.Settings.Notify.Unowned = o.Case.ID, true
	s.tried++
	return errors.New("try again")
}

// TestNobodyIsLeftToBeTold ensures that a notice that waits, and that all have who hear of it by
// settings that changed meanwhile, is sent no more and leaves the outbox, once.
func TestNobodyIsLeftToBeTold(t *testing.T) {
	var n *changesSettings
	st := forty(t, func(s *settings.Settings) { s.Notify.Unowned = false }, func(st *Stage) {
		n = &changesSettings{Notifier: st.Inbox.Healer.Notifier}
		st.Inbox.Healer.Notifier = n
	})
	for range 3 {
		st.Sim.Clock.Advance(15 * time.Minute)
		if _, err := st.Inbox.Invoke(t.Context(), json.RawMessage(`{"sweep":{}}`)); err != nil {
			t.Fatal(err)
		}
	}
	c, err := st.Inbox.Healer.Case(t.Context(), n.of)
	if err != nil || n.tried != 1 || len(c.Outbox) != 0 || c.Closed.IsZero() || !c.Busy.IsZero() {
		t.Errorf("%v: tried %d times; closed %s, busy until %s, left %+v", err, n.tried, c.Closed, c.Busy, c.Outbox)
	}
	told := 0
	for _, m := range st.Sim.Notices() {
		if strings.HasPrefix(m.Subject, "[reported] payments") {
			told++
		}
	}
	if told != 1 {
		t.Errorf("it is told %d times", told)
	}
	if dead := st.Sim.Queued(simaws.DeadLetter); len(dead) != 0 {
		t.Errorf("given up: %q", dead)
	}
}

// TestPauseOfEachOwner ensures that a person's pause of everything is told to each owner and to whom
// notify itself names, once each, though one of them cannot be told at first and one cannot at all.
func TestPauseOfEachOwner(t *testing.T) {
	st := forty(t, func(*settings.Settings) {}, func(*Stage) {})
	n := &deafOwners{Notifier: st.Inbox.Healer.Notifier, deaf: map[string]error{"web": errors.New("try again"), "pay": heal.ErrNotFound}}
	st.Inbox.Healer.Notifier = n
	if _, err := st.Inbox.Invoke(t.Context(), json.RawMessage(`{"pause":{"because":"a freeze","by":"ana"}}`)); err != nil {
		t.Fatal(err)
	}
	delete(n.deaf, "web")
	for range 3 {
		st.Sim.Clock.Advance(15 * time.Minute)
		if _, err := st.Inbox.Invoke(t.Context(), json.RawMessage(`{"sweep":{}}`)); err != nil {
			t.Fatal(err)
		}
	}
	got := map[string]int{}
	for _, n := range st.Sim.Notices() {
		if n.Attributes["kind"] != "paused" {
			continue
		}
		got[n.Topic[strings.LastIndexByte(n.Topic, ':')+1:]]++
		if strings.HasSuffix(n.Topic, ":buildmedic") != strings.Contains(n.ByProtocol["email"], "Owner pay could not be told") ||
			!strings.Contains(n.ByProtocol["email"], "ana paused it") {
			t.Errorf("%s: %s", n.Topic, n.ByProtocol["email"])
		}
	}
	if d := cmp.Diff(map[string]int{"buildmedic-owner-web": 1, "buildmedic-owner-data": 1, "buildmedic": 1}, got); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

// deafOwners cannot be told.
type deafOwners struct {
	heal.Notifier
	deaf map[string]error
}

func (d *deafOwners) Notify(ctx context.Context, o decide.Outcome, turn heal.Await) error {
	if err := d.deaf[o.For.Owner]; err != nil {
		return err
	}
	return d.Notifier.Notify(ctx, o, turn)
}

// TestWeekOfEachOwner ensures that each owner is told of the week once, about his projects alone, and
// the platform of the rest.
func TestWeekOfEachOwner(t *testing.T) {
	st := forty(t, func(s *settings.Settings) { s.Notify.Weekly = true }, func(*Stage) {}) // on a Sunday
	for range 3 * 24 {
		st.Sim.Clock.Advance(time.Hour)
		if _, err := st.Inbox.Invoke(t.Context(), json.RawMessage(`{"sweep":{}}`)); err != nil {
			t.Fatal(err)
		}
	}
	got := map[string]string{}
	for _, n := range st.Sim.Notices() {
		if n.Attributes["kind"] == "week" {
			got[n.Topic[strings.LastIndexByte(n.Topic, ':')+1:]+" "+n.Attributes["to"]] += n.ByProtocol["email"]
		}
	}
	for to, want := range map[string][]string{
		"buildmedic-owner-web web":   {"web: 1 failed build", "Waiting: 1 proposal"},
		"buildmedic-owner-data data": {"data: 1 failed build", "Healed: 1 case", "Drift: 1 change", "policy healed of role codebuild-data"},
		"pay-ci pay":                 {"pay: 1 failed build", "Refused: 1 case", "no-grant-configured"},
		"buildmedic ":                {"1 failed build", "Refused: 1 case"},
	} {
		for _, w := range want {
			if !strings.Contains(got[to], w) || strings.Count(got[to], "Buildmedic, notice") != 1 {
				t.Errorf("%s: %q is not in\n%s", to, w, got[to])
			}
		}
	}
	if len(got) != 4 || strings.Contains(got["buildmedic "], "Drift") {
		t.Errorf("told: %v", got)
	}
}

package heal_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/simaws"
)

const twoCommits = "    versions:\n      - {ref: refs/heads/main, commit: \"3333333333333333333333333333333333333333\"}\n" +
	"      - {ref: refs/heads/next, commit: \"4444444444444444444444444444444444444444\"}\n"

// fail starts a build of the reference and gives its case once all is done.
func (s *stage) fail(project, ref string) decide.Case {
	s.t.Helper()
	id, err := s.Sim.Run(simaws.Start{Project: project, Version: ref})
	if err != nil {
		s.t.Fatal(err)
	}
	s.drain()
	return s.of(id)
}

// TestUndoLasts: what a person took back is not given again for the next
// commit, until a person lifts that; notices, status and history show it.
func TestUndoLasts(t *testing.T) {
	s := open(t, shop(1, twoCommits), shopSettings(1, ""))
	first := s.fail("p0", "refs/heads/main")
	a := s.do(fmt.Sprintf(`{"undo":{"case":%q,"by":"ana"}}`, first.ID))
	const lift = `{"resume":{"grant":"dist","project":"p0"}}`
	if !a.Done || !strings.Contains(a.Message, lift) {
		t.Fatalf("undo: %+v", a)
	}
	mail := last(s.Sim.Notices()).ByProtocol["email"]
	for _, want := range []string{"ana asked for it.", "whichever the commit", "let it be given again", lift} {
		if !strings.Contains(strings.Join(strings.Fields(mail), " "), want) {
			t.Errorf("the notice of the undo does not say %q:\n%s", want, mail)
		}
	}

	next := s.fail("p0", "refs/heads/next")
	if next.ID == first.ID || next.Outcome != decide.Reported || !slices.Equal(refusals(next), []string{"undone-by-a-person"}) ||
		s.inline("role-0") != "" {
		t.Fatalf("the next commit: %s %v, policy %q", next.Outcome, refusals(next), s.inline("role-0"))
	}
	mail = strings.Join(strings.Fields(last(s.Sim.Notices()).ByProtocol["email"]), " ")
	for _, want := range []string{`ana took back grant "dist" of project "p0" at 2026-11-22 10:0`, "case " + first.ID, lift,
		"buildmedic resume -project p0 -grant dist"} {
		if !strings.Contains(mail, want) {
			t.Errorf("the refusal does not say %q:\n%s", want, mail)
		}
	}
	for _, command := range []string{`{"status":{}}`, fmt.Sprintf(`{"status":{"case":%q}}`, first.ID)} {
		if a := s.do(command); len(a.Held) != 1 || a.Held[0].Grant != "dist" || a.Held[0].By != "ana" || a.Held[0].Case != first.ID {
			t.Errorf("%s: held %+v", command, a.Held)
		}
	}
	if a := s.do(fmt.Sprintf(`{"status":{"case":%q}}`, next.ID)); len(a.Held) != 0 {
		t.Errorf("the next commit's case holds back %+v", a.Held)
	}
	history, err := s.Inbox.Healer.History(context.Background(), "p0", 10)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range history {
		if want := h.Case == first.ID; want != slices.Equal(h.Held, []string{`grant "dist"`}) {
			t.Errorf("history of %s: held %q", h.Case, h.Held)
		}
	}

	for _, none := range []string{`{"project":"p0","grant":"other"}`, `{"project":"p9","grant":"dist"}`, `{"grant":"dist"}`} {
		if a := s.do(`{"resume":` + none + `}`); a.Done {
			t.Errorf("resume %s: %+v", none, a)
		}
	}
	if a := s.do(`{"resume":{}}`); a.Done || len(s.do(`{"status":{}}`).Held) != 1 {
		t.Errorf("the end of a pause has lifted an undo: %+v", a)
	}
	if a := s.do(lift); !a.Done || strings.Contains(a.Message, "Still held back") || len(s.do(`{"status":{}}`).Held) != 0 {
		t.Fatalf("resume: %+v", a)
	}
	if a := s.do(lift); a.Done {
		t.Errorf("resume again: %+v", a)
	}
	s.replay(next.Rounds[0].Build.ID)
	if c := s.of(next.Rounds[0].Build.ID); c.Outcome != decide.Healed || s.inline("role-0") == "" {
		t.Errorf("lifted and replayed: %s %v", c.Outcome, refusals(c))
	}
}

// TestUndoHoldsForTheRole: a project that runs as the same role, or writes to the
// same managed policy, does not give back what a person took from it; lifting the
// undo for either project lifts it for both.
func TestUndoHoldsForTheRole(t *testing.T) {
	world, set := siblings()
	shared := strings.ReplaceAll(shop(2, ""), "    inline: {base:", "    attached: [shared]\n    inline: {base:") +
		"policies:\n  - {name: shared, document: '{\"Version\": \"2012-10-17\", \"Statement\": [" + logs + "]}'}\n"
	for name, of := range map[string][2]string{
		"role": {world, set},
		"managed policy": {shared, strings.ReplaceAll(shopSettings(2, ""), "write: {inline: healed}",
			"write: {managed: shared, shared: true}")},
	} {
		for _, liftFor := range []string{"p0", "p1"} {
			s := open(t, of[0], of[1])
			c := s.fail("p0", "refs/heads/main")
			if a := s.do(fmt.Sprintf(`{"undo":{"case":%q}}`, c.ID)); !a.Done {
				t.Fatalf("%s: undo: %+v", name, a)
			}
			sibling := s.fail("p1", "refs/heads/main")
			if sibling.Outcome != decide.Reported || !slices.Equal(refusals(sibling), []string{"undone-by-a-person"}) {
				t.Errorf("%s: the sibling: %s %v", name, sibling.Outcome, refusals(sibling))
			}
			if a := s.do(fmt.Sprintf(`{"resume":{"project":%q,"grant":"dist"}}`, liftFor)); !a.Done || len(s.do(`{"status":{}}`).Held) > 0 {
				t.Errorf("%s: resume of %s: %+v", name, liftFor, a)
			}
			s.replay(sibling.Rounds[0].Build.ID)
			if c := s.of(sibling.Rounds[0].Build.ID); c.Outcome != decide.Healed {
				t.Errorf("%s: lifted for %s, the sibling: %s %v", name, liftFor, c.Outcome, refusals(c))
			}
		}
	}
}

// TestRevertIsNoUndo: what the healer takes back by itself, since it did not
// help, is held back for nobody.
func TestRevertIsNoUndo(t *testing.T) {
	s := open(t, deafShop(1, ""), shopSettings(1, ""))
	s.start("p0")
	s.drain()
	if a := s.do(`{"status":{}}`); len(a.Cases) != 1 || a.Cases[0].Outcome != decide.Undone || len(a.Held) > 0 {
		t.Errorf("%+v", a)
	}
}

// TestUndoBeforeTheWrite: a grant that is taken back in one case is not written
// by another one that had decided before, and died.
func TestUndoBeforeTheWrite(t *testing.T) {
	world, set := siblings()
	s := open(t, world, set)
	first := s.fail("p0", "refs/heads/main")
	// IAM forgets, as if somebody had put the role's policy back by hand.
	if err := s.Sim.PutRolePolicy("role-0", "healed", `{"Version":"2012-10-17","Statement":[`+logs+`]}`); err != nil {
		t.Fatal(err)
	}
	s.Sim.Hook(func(c simaws.Call) simaws.Fault {
		return simaws.Fault{Crash: c.Operation == "PutRolePolicy" && !c.Done && c.Key == simaws.FunctionKey}
	})
	id := s.start("p1")
	s.step(id, decide.StepWriting)
	s.Sim.Unhook()
	if err := s.Restart(); err != nil {
		t.Fatal(err)
	}
	// The role is leased to p1's case, so the undo itself has to wait; that it was asked for
	// counts.
	if a := s.do(fmt.Sprintf(`{"undo":{"case":%q}}`, first.ID)); a.Done || len(s.do(`{"status":{}}`).Held) != 1 {
		t.Fatalf("undo: %+v", a)
	}
	for range 3 {
		s.Sim.Clock.Advance(10 * time.Minute)
		s.do(`{"sweep":{}}`)
		s.drain()
	}
	in, _ := s.Sim.RolePolicies("", "role-0")
	if c := s.of(id); c.Outcome != decide.Reported || lastRefusal(c) != "undone-by-a-person" || in["healed1"] != "" {
		t.Errorf("%s %v, policy %q", c.Outcome, refusals(c), in["healed1"])
	}
}

// TestManyHolds: however much is taken back from one role, its item stays small,
// and nothing is forgotten: the oldest stand for every grant.
func TestManyHolds(t *testing.T) {
	long := strings.Repeat("x", 500)
	var all []decide.Hold
	for i := range 500 {
		all = heal.WithHold(all, decide.Hold{Grant: fmt.Sprintf("g%d", i), Account: "111122223333", Region: "us-gov-west-1",
			Project: long[:150], Role: long, Policy: long, Case: "1160bc9cefbf0600", By: long[:100]})
		if i == 49 && (len(all) != 50 || all[0].Grant != "g0") {
			t.Errorf("of as many as are kept, %d are, the first of %q", len(all), all[0].Grant)
		}
	}
	data, err := json.Marshal(all)
	if err != nil || len(all) > 50 || len(data) > heal.MaxData {
		t.Errorf("%d holds in %d bytes: %v", len(all), len(data), err)
	}
	if all[0].Grant != decide.EveryGrant || last(all).Grant != "g499" {
		t.Errorf("the oldest is of %q, the newest of %q", all[0].Grant, last(all).Grant)
	}
}

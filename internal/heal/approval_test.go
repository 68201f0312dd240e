package heal_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/simaws"
)

// forAnHour are settings whose one grant lasts an hour.
func forAnHour(mode string) string {
	set := strings.ReplaceAll(shopSettings(1, ""), "mode: heal", "mode: "+mode)
	return strings.Replace(set, `resources: ["arn:${partition}:s3:::dist/*"]}`,
		`resources: ["arn:${partition}:s3:::dist/*"], expires: 1h}`, 1)
}

// TestEndCountsFromTheApproval: a plan that waited for its approval longer than
// its grant lasts gives the grant for its whole time all the same.
func TestEndCountsFromTheApproval(t *testing.T) {
	s := open(t, shop(1, ""), forAnHour("propose"))
	id := s.start("p0")
	s.drain()
	plan := last(s.of(id).Rounds).Decision.Plan
	if n := s.lastNotice(); !strings.Contains(n, "What grant dist gives lasts 1 h from the approval") {
		t.Errorf("the notice does not say from when the hour counts: %s", n)
	}
	if b := string(plan.Bytes()); !strings.Contains(b, `1h0m0s from when it is given`) || strings.Contains(b, "2026-11-22T") {
		t.Errorf("what is approved does not hold how long the grant lasts, or it holds a time of day: %s", b)
	}
	s.Sim.Clock.Advance(3 * time.Hour)
	end := s.Sim.Clock.Now().Add(time.Hour).UTC().Truncate(time.Second)
	if a := s.do(fmt.Sprintf(`{"approve":{"plan":%q}}`, plan.Hash())); !a.Done {
		t.Fatalf("approve: %+v", a)
	}
	if got := s.inline("role-0"); !strings.Contains(got, end.Format(time.RFC3339)) {
		t.Errorf("approved until %s, and the policy is %s", end, got)
	}
	s.drain()
	c := s.of(id)
	used := last(c.Rounds).Decision.Used
	if c.Outcome != decide.Healed || len(used) != 1 || !used[0].Expires.Equal(end) {
		t.Errorf("%s %v, used %+v, want it until %s", c.Outcome, refusals(c), used, end)
	}
}

// TestEndCountsFromTheWrite: a function that dies before it has written, and is
// resumed when the grant would almost have ended, decides again.
func TestEndCountsFromTheWrite(t *testing.T) {
	for _, late := range []time.Duration{10 * time.Minute, 50 * time.Minute, 3 * time.Hour} {
		s := open(t, shop(1, ""), forAnHour("heal"))
		s.Sim.Hook(func(c simaws.Call) simaws.Fault {
			return simaws.Fault{Crash: c.Operation == "PutRolePolicy" && !c.Done && c.Key == simaws.FunctionKey}
		})
		id := s.start("p0")
		s.step(id, decide.StepWriting)
		s.Sim.Unhook()
		if err := s.Restart(); err != nil {
			t.Fatal(err)
		}
		s.Sim.Clock.Advance(late)
		resumed := s.Sim.Clock.Now()
		s.do(`{"sweep":{}}`)
		s.drain()
		c := s.of(id)
		if c.Outcome != decide.Healed {
			t.Fatalf("%s later: %s %v", late, c.Outcome, refusals(c))
		}
		left := last(c.Rounds).Decision.Used[0].Expires.Sub(resumed)
		if left < 30*time.Minute || !strings.Contains(s.inline("role-0"), last(c.Rounds).Decision.Used[0].Expires.Format(time.RFC3339)) {
			t.Errorf("%s later: %s are left in %s", late, left, s.inline("role-0"))
		}
	}
}

// TestStalePlanKeepsNothingWaiting: a plan can no longer be approved, since the
// settings have changed or a week has passed. It can be replayed, or rejected,
// and the same plan, decided again, can be approved.
func TestStalePlanKeepsNothingWaiting(t *testing.T) {
	for name, row := range map[string]struct {
		ages    func(s *stage)
		rejects bool
	}{
		"other settings": {func(s *stage) { s.Settings.SHA256 = "other" }, true},
		"a week later":   {func(s *stage) { s.Sim.Clock.Advance(8 * 24 * time.Hour) }, false},
	} {
		for _, reject := range []bool{false, true} {
			s := open(t, shop(1, ""), strings.ReplaceAll(shopSettings(1, ""), "mode: heal", "mode: propose"))
			id := s.start("p0")
			s.drain()
			hash := s.of(id).Rounds[0].Decision.Plan.Hash()
			row.ages(s)
			if a := s.do(fmt.Sprintf(`{"approve":{"plan":%q}}`, hash)); a.Done || s.inline("role-0") != "" {
				t.Errorf("%s: approve: %+v", name, a)
			}
			if reject {
				if a := s.do(fmt.Sprintf(`{"reject":{"plan":%q}}`, hash)); a.Done != row.rejects {
					t.Errorf("%s: reject: %+v", name, a)
				}
			}
			if a := s.do(fmt.Sprintf(`{"replay":{"build":%q}}`, id)); !a.Done {
				t.Errorf("%s: replay: %+v", name, a)
			}
			s.drain()
			if a := s.do(fmt.Sprintf(`{"replay":{"build":%q}}`, id)); a.Done || !strings.Contains(a.Message, "waits for its approval") {
				t.Errorf("%s: replay again: %+v", name, a)
			}
			if a := s.do(fmt.Sprintf(`{"approve":{"plan":%q}}`, hash)); !a.Done || s.inline("role-0") == "" {
				t.Errorf("%s: approve the plan as decided again: %+v", name, a)
			}
		}
	}
}

// TestApprovedIsNotApplied: the answer to an approval says that the plan is
// applied only if it is.
func TestApprovedIsNotApplied(t *testing.T) {
	for name, row := range map[string]struct {
		fault simaws.Fault
		done  bool
		says  string
	}{
		"denied":    {simaws.Fault{Code: "AccessDenied", Status: 403}, false, "could not be applied"},
		"throttled": {simaws.Fault{Code: "Throttling", Status: 400}, true, "not applied yet"},
	} {
		s := open(t, shop(1, ""), strings.ReplaceAll(shopSettings(1, ""), "mode: heal", "mode: propose"))
		id := s.start("p0")
		s.drain()
		hash := s.of(id).Rounds[0].Decision.Plan.Hash()
		s.Sim.Hook(func(c simaws.Call) simaws.Fault {
			if c.Operation == "PutRolePolicy" && !c.Done {
				return row.fault
			}
			return simaws.Fault{}
		})
		a := s.do(fmt.Sprintf(`{"approve":{"plan":%q}}`, hash))
		if a.Done != row.done || !strings.Contains(a.Message, row.says) || s.inline("role-0") != "" {
			t.Errorf("%s: %+v", name, a)
		}
	}
}

// TestApprovalAppliesOnlyWhatWasShown: where settings ask for an approval only because something
// was not known, and it is known by the time of the approval, another plan is due, which nobody has
// to be asked for. It is proposed all the same, and applied only once that is approved.
func TestApprovalAppliesOnlyWhatWasShown(t *testing.T) {
	world, set := sharedRole("", "PUSH")
	s := open(t, world, set)
	var asked atomic.Int32
	s.Sim.Hook(func(c simaws.Call) simaws.Fault {
		if !c.Done && c.Operation == "BatchGetProjects" && asked.Add(1) > 1 { // after its own project
			return simaws.Fault{Code: "AccessDeniedException", Status: 400,
				Message: "not authorized to perform: codebuild:BatchGetProjects"}
		}
		return simaws.Fault{}
	})
	id := s.start("p0")
	s.drain()
	first := last(s.of(id).Rounds).Decision.Plan.Hash()
	s.Sim.Unhook()
	a := s.do(fmt.Sprintf(`{"approve":{"plan":%q}}`, first))
	c := s.of(id)
	second := last(c.Rounds).Decision.Plan.Hash()
	if a.Done || c.Outcome != decide.Proposed || second == first || s.inline("role-0") != "" || last(c.Rounds).Approved != "" ||
		!strings.Contains(a.Message, "Nothing was applied") || !strings.Contains(a.Message, "Plan "+second+" is proposed in its place") {
		t.Errorf("%t, %s; outcome %s, policy %q", a.Done, a.Message, c.Outcome, s.inline("role-0"))
	}
	if n := strings.Join(strings.Fields(s.lastNotice()), " "); !strings.Contains(n, "This plan is proposed in its place.") {
		t.Errorf("the notice does not say what it stands for:\n%s", n)
	}
	a = s.do(fmt.Sprintf(`{"approve":{"plan":%q}}`, first))
	if a.Done || !strings.Contains(a.Message, "could not be applied; a notice said why. Another plan waits: "+second) {
		t.Errorf("the first once more: %t, %s", a.Done, a.Message)
	}
	if a = s.do(fmt.Sprintf(`{"approve":{"plan":%q}}`, second)); !a.Done || s.inline("role-0") == "" {
		t.Errorf("the second: %+v", a)
	}
	a = s.do(fmt.Sprintf(`{"approve":{"plan":%q}}`, first))
	if a.Done || strings.Contains(a.Message, "is applied") || !strings.Contains(a.Message, "could not be applied") {
		t.Errorf("the first after the second is applied: %+v", a)
	}
	if s.drain(); s.of(id).Outcome != decide.Healed {
		t.Errorf("outcome %s", s.of(id).Outcome)
	}
}

// TestRemindedOnce: the team is told once, before it ends, of a grant that the
// case's first round gave.
func TestRemindedOnce(t *testing.T) {
	s := open(t, shop(1, ""), strings.Replace(shopSettings(1, ""), "owner: team,", "owner: team, expires: 30d,", 1))
	id := s.start("p0")
	s.drain()
	if c := s.of(id); c.Outcome != decide.Healed || s.ofKind(decide.Expiring, "") != 0 {
		t.Fatalf("%s %v, notices %q", c.Outcome, refusals(c), s.subjects())
	}
	for range 3 {
		s.Sim.Clock.Advance(9*24*time.Hour + 16*time.Hour)
		s.do(`{"sweep":{}}`)
		s.drain()
	}
	if n := s.ofKind(decide.Expiring, "dist"); n != 1 || s.of(id).Rounds[0].Reminded.IsZero() {
		t.Errorf("%d notices that it ends: %q", n, s.subjects())
	}
}

// TestStoppedWhileApproving: what a person does while an approval is carried out holds, though the
// approval had read before that nothing stood in its way.
func TestStoppedWhileApproving(t *testing.T) {
	for name, row := range map[string]struct {
		meanwhile func(s *stage, earlier string)
		rule      string
	}{
		"a pause": {func(s *stage, _ string) { s.do(`{"pause":{"because":"a freeze"}}`) }, "paused"},
		"an undo": {func(s *stage, earlier string) { s.do(fmt.Sprintf(`{"undo":{"case":%q}}`, earlier)) }, "undone-by-a-person"},
		"other settings": {func(s *stage, _ string) {
			s.Settings.Grants[0].Actions, s.Settings.SHA256 = []string{"s3:Get*"}, "other"
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s, earlier := approvedAndEmptied(t)
			id := s.fail("p0", "refs/heads/next").Rounds[0].Build.ID
			plan, n := last(s.of(id).Rounds).Decision.Plan.Hash(), s.writes("PutRolePolicy")
			asked := 0
			s.Sim.Hook(func(c simaws.Call) simaws.Fault {
				if c.Operation != "SimulatePrincipalPolicy" || !c.Done {
					return simaws.Fault{}
				}
				if asked++; asked == 2 { // it is proved: nothing more is asked before the lease
					row.meanwhile(s, earlier.ID)
				}
				return simaws.Fault{}
			})
			a := s.do(fmt.Sprintf(`{"approve":%q}`, plan))
			s.Sim.Unhook()
			s.drain()
			c := s.of(id)
			if a.Done || s.writes("PutRolePolicy") != n || strings.Contains(s.inline("role-0"), "s3:") || c.Outcome != decide.Reported {
				t.Errorf("%t, %s; %s, policy %q", a.Done, a.Message, c.Outcome, s.inline("role-0"))
			}
			if row.rule != "" && !slices.Equal(refusals(c), []string{row.rule}) {
				t.Errorf("refused by %v, want %s", refusals(c), row.rule)
			}
			if l := s.lease("role-0"); l.Case != "" {
				t.Errorf("%q still has the role", l.Case)
			}
		})
	}
}

// TestTooLateToRevoke: a rejection that finds what was approved applied says so, and keeps nobody
// from the role; the case goes on.
func TestTooLateToRevoke(t *testing.T) {
	s, build, plan := proposed(t, "")
	dieAt(s, "PutRolePolicy")
	if _, err := s.press("r", fmt.Sprintf(`{"approve":%q}`, plan)); err == nil {
		t.Fatal("the function did not die")
	}
	s.Sim.Unhook()
	if err := s.Restart(); err != nil {
		t.Fatal(err)
	}
	s.Sim.Clock.Advance(10 * time.Minute)
	if c := s.of(build); c.Rounds[0].Step != decide.StepWriting || s.inline("role-0") == "" {
		t.Fatalf("at %s, policy %q", c.Rounds[0].Step, s.inline("role-0"))
	}
	a := s.do(fmt.Sprintf(`{"reject":{"plan":%q}}`, plan))
	if a.Done || !strings.Contains(a.Message, "It is applied; ") || s.inline("role-0") == "" {
		t.Errorf("%t, %s", a.Done, a.Message)
	}
	if l := s.lease("role-0"); l.Case != "" {
		t.Errorf("%q still has the role", l.Case)
	}
	s.Sim.Clock.Advance(10 * time.Minute)
	s.do(`{"sweep":{}}`)
	s.drain()
	if c := s.of(build); c.Outcome != decide.Healed {
		t.Errorf("afterwards: %s %v", c.Outcome, refusals(c))
	}
}

// approvedAndEmptied is a stage on which a plan was approved and carried out, and somebody else then
// emptied the policy, so that the next commit is denied the same.
func approvedAndEmptied(t *testing.T) (s *stage, earlier decide.Case) {
	t.Helper()
	s = open(t, shop(1, twoCommits), strings.ReplaceAll(shopSettings(1, ""), "mode: heal", "mode: propose"))
	earlier = s.fail("p0", "refs/heads/main")
	if a := s.do(fmt.Sprintf(`{"approve":%q}`, last(earlier.Rounds).Decision.Plan.Hash())); !a.Done {
		t.Fatalf("the earlier case: %+v", a)
	}
	s.drain()
	if err := s.Sim.PutRolePolicy("role-0", "healed", `{"Version":"2012-10-17","Statement":[`+logs+`]}`); err != nil {
		t.Fatal(err)
	}
	s.Sim.Clock.Advance(2 * time.Hour)
	return s, earlier
}

// TestHeldBackPlanStillWaits: a plan that gives what a person has taken back is not used up by an
// approval that would be refused.
func TestHeldBackPlanStillWaits(t *testing.T) {
	s, earlier := approvedAndEmptied(t)
	c := s.fail("p0", "refs/heads/next")
	plan := last(c.Rounds).Decision.Plan.Hash()
	s.do(fmt.Sprintf(`{"undo":{"case":%q,"by":"ana"}}`, earlier.ID))
	const lift = `{"resume":{"grant":"dist","project":"p0"}}`
	a := s.do(fmt.Sprintf(`{"approve":{"plan":%q}}`, plan))
	for _, want := range []string{
		`Grant "dist" was taken back by ana at 2026-11-22 12:`,
		"so nothing was approved. The plan still waits, until", lift,
	} {
		if a.Done || !strings.Contains(a.Message, want) {
			t.Errorf("%t, %s, want %s", a.Done, a.Message, want)
		}
	}
	if c := s.of(c.Rounds[0].Build.ID); c.Outcome != decide.Proposed || len(c.Orders) != 0 {
		t.Errorf("%s %+v", c.Outcome, c.Orders)
	}
	if a := s.do(lift); !a.Done {
		t.Errorf("lift: %+v", a)
	}
	if a := s.do(fmt.Sprintf(`{"approve":{"plan":%q}}`, plan)); !a.Done || !strings.Contains(s.inline("role-0"), "s3:PutObject") {
		t.Errorf("approved after it was lifted: %+v", a)
	}
}

// TestOfferedNoMore: a notice that could not be sent before its plan was approved or rejected
// offers nothing afterwards, and what it had to tell is told.
func TestOfferedNoMore(t *testing.T) {
	throttle := func(c simaws.Call) simaws.Fault {
		return simaws.Fault{Throttle: c.Operation == "PutRolePolicy" && !c.Done}
	}
	for name, row := range map[string]struct {
		hook    func(simaws.Call) simaws.Fault
		sent    []string
		kinds   []decide.Kind // of the notices
		says    string        // the first of them
		journal []decide.Kind
	}{
		"approved": {nil, []string{`{"approve":{"plan":%q}}`}, []decide.Kind{decide.Retrying, decide.Healed}, "Approved by somebody",
			[]decide.Kind{decide.Proposed, decide.Retrying, decide.Healed}},
		"rejected": {nil, []string{`{"reject":{"plan":%q,"by":"ana"}}`}, []decide.Kind{decide.Reported},
			"ana sent reject for it before this notice could be sent.", []decide.Kind{decide.Reported}},
		"revoked": {throttle, []string{`{"approve":{"plan":%q}}`, `{"reject":{"plan":%q,"by":"ben"}}`}, []decide.Kind{decide.Reported},
			"ben sent revoke for it before this notice could be sent.", []decide.Kind{decide.Proposed, decide.Reported}},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, shop(1, ""), strings.ReplaceAll(shopSettings(1, ""), "mode: heal", "mode: propose"))
			s.Sim.Hook(func(c simaws.Call) simaws.Fault {
				if c.Operation == "Publish" && !c.Done {
					return simaws.Fault{Code: "InternalError", Status: 500}
				}
				return simaws.Fault{}
			})
			id, c := s.start("p0"), decide.Case{}
			for len(c.Outbox) == 0 {
				m, ok := s.Sim.NextMessage(t.Context())
				if !ok {
					t.Fatal("nothing is proposed")
				}
				_, _ = s.Deliver(t.Context(), m)
				m.Ack()
				if _, err := s.Store.Get(t.Context(), "build", id); err == nil {
					c = s.of(id)
				}
			}
			if len(c.Outbox) != 1 || c.Outcome != decide.Proposed || len(s.Sim.Notices()) != 0 {
				t.Fatalf("%s, %+v", c.Outcome, c.Outbox)
			}
			plan := last(c.Rounds).Decision.Plan.Hash()
			if s.Sim.Unhook(); row.hook != nil {
				s.Sim.Hook(row.hook)
			}
			for _, payload := range row.sent {
				if a := s.do(fmt.Sprintf(payload, plan)); !a.Done {
					t.Fatalf("%s: %+v", payload, a)
				}
			}
			s.Sim.Unhook()
			s.drain()
			s.Sim.Clock.Advance(time.Hour)
			s.do(`{"sweep":{}}`)
			s.drain()
			var kinds, journal []decide.Kind
			for _, n := range s.Sim.Notices() {
				kinds = append(kinds, decide.Kind(n.Attributes["kind"]))
				if strings.Contains(n.ByProtocol["email"], "approve") && !strings.Contains(row.says, "Approved") {
					t.Errorf("offered: %s", n.ByProtocol["email"])
				}
			}
			for line := range strings.Lines(s.Journal.String()) {
				var audit struct{ Audit, Kind string }
				if json.Unmarshal([]byte(line), &audit) == nil && audit.Audit != "" && audit.Kind != "" {
					journal = append(journal, decide.Kind(audit.Kind))
				}
			}
			if !slices.Equal(kinds, row.kinds) || !slices.Equal(journal, row.journal) || len(s.of(id).Outbox) != 0 {
				t.Fatalf("notices %v, journal %v, left %+v", kinds, journal, s.of(id).Outbox)
			}
			if n := strings.Join(strings.Fields(s.Sim.Notices()[0].ByProtocol["email"]), " "); !strings.Contains(n, row.says) {
				t.Errorf("the first notice does not say %q:\n%s", row.says, n)
			}
		})
	}
}

// TestRejectedInTheHistory: a rejection ends in the history, in status and in what waits; one that
// comes too late does not.
func TestRejectedInTheHistory(t *testing.T) {
	s, build, plan := proposed(t, "")
	s.Sim.Clock.Advance(time.Hour)
	outcome := func() decide.Kind {
		t.Helper()
		ss, err := s.Inbox.Healer.History(t.Context(), "p0", 10)
		if err != nil || len(ss) != 1 {
			t.Fatalf("%+v, %v", ss, err)
		}
		if a := s.do(`{"status":{}}`); len(a.Cases) != 1 || a.Cases[0].Outcome != ss[0].Outcome {
			t.Errorf("status: %+v", a.Cases)
		}
		return ss[0].Outcome
	}
	if k := outcome(); k != decide.Proposed {
		t.Fatalf("before: %s", k)
	}
	if a := s.do(fmt.Sprintf(`{"reject":{"plan":%q}}`, plan)); !a.Done {
		t.Fatalf("reject: %+v", a)
	}
	c := s.of(build)
	if k := outcome(); k != decide.Reported || c.Outcome != decide.Reported || !c.Closed.Equal(s.Sim.Clock.Now()) {
		t.Errorf("after: %s in the history, %s at %s in the case", k, c.Outcome, c.Closed)
	}
	if ws, err := s.Inbox.Healer.Waiting(t.Context(), ""); len(ws) != 0 || err != nil {
		t.Errorf("waiting: %+v, %v", ws, err)
	}

	s, _, plan = proposed(t, "")
	s.Sim.Clock.Advance(time.Hour)
	late := false
	store := s.Inbox.Healer.Store
	s.Inbox.Healer.Store = &overtaken{Store: store, by: func() {
		late, s.Inbox.Healer.Store = true, store
		if a := s.do(fmt.Sprintf(`{"approve":{"plan":%q}}`, plan)); !a.Done {
			t.Errorf("approve: %+v", a)
		}
	}}
	if a := s.do(fmt.Sprintf(`{"reject":{"plan":%q}}`, plan)); a.Done {
		t.Errorf("too late: %+v", a)
	}
	s.drain()
	if k := outcome(); k != decide.Healed || !late {
		t.Errorf("%s in the history, want it healed", k)
	}
}

// overtaken is a ledger to which another invocation writes just before this one does.
type overtaken struct {
	heal.Store
	by func()
}

func (o *overtaken) Put(ctx context.Context, it heal.Item) (heal.Item, error) {
	if by := o.by; by != nil {
		o.by = nil
		by()
	}
	return o.Store.Put(ctx, it)
}

package heal_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/simaws"
)

// proposed opens a stage on which a plan waits, and gives its build and its hash.
func proposed(t *testing.T, limits string) (s *stage, build, plan string) {
	t.Helper()
	s = open(t, shop(1, ""), strings.ReplaceAll(shopSettings(1, limits), "mode: heal", "mode: propose"))
	build = s.start("p0")
	s.drain()
	c := s.of(build)
	if c.Outcome != decide.Proposed {
		t.Fatalf("%s %v", c.Outcome, refusals(c))
	}
	return s, build, last(c.Rounds).Decision.Plan.Hash()
}

// press sends a payload as the request says.
func (s *stage) press(request, payload string) (heal.CommandAnswer, error) {
	ctx := lambdacontext.NewContext(context.Background(), &lambdacontext.LambdaContext{AwsRequestID: request})
	out, err := s.Inbox.Invoke(ctx, json.RawMessage(payload))
	a, _ := out.(heal.CommandAnswer)
	return a, err
}

// TestWhatBecomesOfAnApproval goes through the ways in which an approval can come at the wrong
// time: each has an outcome, and says why and what to do.
func TestWhatBecomesOfAnApproval(t *testing.T) {
	throttle := func(s *stage) {
		s.Sim.Hook(func(c simaws.Call) simaws.Fault {
			if c.Operation == "PutRolePolicy" && !c.Done {
				return simaws.Fault{Code: "Throttling", Status: 400}
			}
			return simaws.Fault{}
		})
	}
	approve, reject := `{"approve":"PLAN"}`, `{"reject":"PLAN"}`
	for _, row := range []struct {
		name    string
		before  func(s *stage)
		sent    []string // the last one is what is looked at
		done    bool
		says    []string // PLAN, CASE and BUILD stand for what they are
		written bool
	}{
		{"in time", nil, []string{approve}, true, []string{"Applied plan PLAN of project p0"}, true},
		{"twice", nil, []string{approve, approve}, false,
			[]string{"was approved already by somebody in the chat channel at 2026-11-22 10:",
				`{"undo":{"case":"CASE"}} takes it back`}, true},
		{"rejected", nil, []string{reject}, true, []string{"is rejected; nothing was changed"}, false},
		{"approved after it was rejected", nil, []string{reject, approve}, false,
			[]string{"was rejected by somebody in the chat channel at", `{"replay":{"build":"BUILD"}}`}, false},
		{"rejected twice", nil, []string{reject, reject}, false, []string{"was rejected by"}, false},
		{"rejected after it was applied", nil, []string{approve, reject}, false, []string{`{"undo":{"case":"CASE"}} takes it back`}, true},
		{"after an undo", nil, []string{approve, `{"undo":"CASE"}`, approve}, false, []string{"applied, and taken back since"}, false},
		{"too late", func(s *stage) { s.Sim.Clock.Advance(2*time.Hour + time.Second) }, []string{approve}, false,
			[]string{"could be approved until 2026-11-22 12:", `{"replay":{"build":"BUILD"}}`}, false},
		{"rejected too late", func(s *stage) { s.Sim.Clock.Advance(50 * 24 * time.Hour) }, []string{reject}, false,
			[]string{"could be approved until"}, false},
		{"just in time", func(s *stage) { s.Sim.Clock.Advance(time.Hour + 58*time.Minute) }, []string{approve}, true,
			[]string{"Applied"}, true},
		{"other settings", func(s *stage) { s.Settings.SHA256 = "other" }, []string{approve}, false,
			[]string{"settings have changed"}, false},
		{"paused", nil, []string{`{"pause":{"because":"a freeze","by":"ana"}}`, approve}, false,
			[]string{"nothing was approved", "still waits, until 2026-11-22 12:", "ana paused it (request r0) at 2026-11-22 10:",
				"a freeze"}, false},
		{"after the pause", nil, []string{`{"pause":{"because":"a freeze"}}`, approve, `{"resume":{}}`, approve}, true,
			[]string{"Applied"}, true},
		{"not applied yet", throttle, []string{approve}, true, []string{"not applied yet", `{"reject":{"plan":"PLAN"}} revokes`}, false},
		{"approved again before it is applied", throttle, []string{approve, approve}, false,
			[]string{"approved already", "is not applied yet"}, false},
		{"revoked", throttle, []string{approve, reject}, true, []string{"The approval is revoked; nothing was changed"}, false},
		{"undone before it is applied", throttle, []string{approve, `{"undo":"CASE"}`}, true,
			[]string{"The approval is revoked; nothing was changed"}, false},
		{"approved after that", throttle, []string{approve, `{"undo":"CASE"}`, approve}, false, []string{"was revoked by"}, false},
		{"revoked twice", throttle, []string{approve, reject, reject}, false,
			[]string{"was revoked by somebody in the chat channel at"}, false},
		{"approved after it was revoked", throttle, []string{approve, reject, approve}, false, []string{"was revoked"}, false},
		{"the role has it by now", func(s *stage) {
			if err := s.Sim.PutRolePolicy("role-0", "base", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow",`+
				`"Action":["logs:*","s3:PutObject"],"Resource":"*"}]}`); err != nil {
				s.t.Fatal(err)
			}
		}, []string{approve}, false, []string{"Nothing was applied: the world has changed"}, false},
		{"no plan", nil, []string{`{"approve":"` + strings.Repeat("0", 64) + `"}`}, false, []string{"There is no plan"}, false},
		{"a long name", nil, []string{`{"approve":"` + strings.Repeat("x", 100000) + `"}`}, false, []string{"There is no plan"}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			s, build, plan := proposed(t, "approve_within: 2h")
			if row.before != nil {
				row.before(s)
			}
			r := strings.NewReplacer("PLAN", plan, "CASE", s.of(build).ID, "BUILD", build)
			var a heal.CommandAnswer
			for i, payload := range row.sent {
				var err error
				if a, err = s.press(fmt.Sprint("r", i), r.Replace(payload)); err != nil {
					t.Fatal(err)
				}
			}
			for _, want := range row.says {
				if want = r.Replace(want); a.Done != row.done || !strings.Contains(a.Message, want) || len(a.Message) > 1000 {
					t.Errorf("done %t, want %t: %.1000s\nwant %s", a.Done, row.done, a.Message, want)
				}
			}
			if a.Case != nil || a.Cases != nil {
				t.Errorf("a button is answered with the whole case")
			}
			if got := s.inline("role-0") != ""; got != row.written {
				t.Errorf("written: %t, want %t", got, row.written)
			}
			s.Sim.Unhook()
			s.Sim.Clock.Advance(time.Hour)
			s.do(`{"sweep":{}}`)
			s.drain()
			later := row.written || row.name == "not applied yet" || row.name == "approved again before it is applied"
			if got := s.inline("role-0") != ""; got != later {
				t.Errorf("an hour later written: %t, want %t", got, later)
			}
		})
	}
}

// TestRevokedIsToldInTheCase: what a person took back of an approval is in the case and the history,
// and the same plan can be decided about anew.
func TestRevokedIsToldInTheCase(t *testing.T) {
	s, build, plan := proposed(t, "")
	s.Sim.Hook(func(c simaws.Call) simaws.Fault {
		return simaws.Fault{Throttle: c.Operation == "PutRolePolicy" && !c.Done}
	})
	for _, payload := range []string{`{"approve":{"plan":%q,"by":"ana","via":"console"}}`, `{"reject":{"plan":%q,"by":"ben"}}`} {
		if a := s.do(fmt.Sprintf(payload, plan)); !a.Done {
			t.Fatalf("%s: %+v", payload, a)
		}
	}
	c := s.of(build)
	if c.Outcome != decide.Reported || c.Closed.IsZero() || len(c.Orders) != 2 || c.Orders[0].By != "ana" ||
		c.Orders[0].Via != decide.ViaConsole || c.Orders[1].Verb != decide.Revoke || c.Orders[1].By != "ben" || c.Orders[1].Via != "" {
		t.Errorf("%s %+v", c.Outcome, c.Orders)
	}
	s.Sim.Unhook()
	if a := s.do(fmt.Sprintf(`{"replay":{"build":%q}}`, build)); !a.Done {
		t.Fatalf("replay: %+v", a)
	}
	s.drain()
	if a := s.do(fmt.Sprintf(`{"approve":{"plan":%q}}`, plan)); !a.Done || s.inline("role-0") == "" {
		t.Errorf("approved anew: %+v", a)
	}
	var verbs []decide.Verb
	for _, o := range s.of(build).Orders {
		verbs = append(verbs, o.Verb)
	}
	if !slices.Equal(verbs, []decide.Verb{decide.Approve, decide.Revoke, decide.Replay, decide.Approve}) {
		t.Errorf("orders: %v", verbs)
	}
}

// TestTwoAtOnce: of two persons who approve, or approve and reject, at the same time, one is first;
// the plan is applied once or not at all, and nobody is told that both were done.
func TestTwoAtOnce(t *testing.T) {
	for _, second := range []string{"approve", "reject"} {
		s, build, plan := proposed(t, "")
		var once sync.Once
		s.Sim.Hook(func(c simaws.Call) simaws.Fault {
			if c.Operation == "SimulatePrincipalPolicy" && !c.Done { // while the first is carried out
				once.Do(func() {
					a := s.do(fmt.Sprintf(`{%q:%q}`, second, plan))
					if a.Done || !strings.Contains(a.Message, "Ana sent approve for this plan at 2026-11-22") {
						t.Errorf("second, %s: %+v", second, a)
					}
				})
			}
			return simaws.Fault{}
		})
		if a := s.do(fmt.Sprintf(`{"approve":{"plan":%q,"by":"Ana"}}`, plan)); !a.Done {
			t.Errorf("first: %+v", a)
		}
		s.Sim.Unhook()
		s.drain()
		if n := s.writes("PutRolePolicy"); n != 1 || s.of(build).Outcome != decide.Healed {
			t.Errorf("%d writes, %s", n, s.of(build).Outcome)
		}
	}
}

func (s *stage) writes(operation string) (n int) {
	for _, c := range s.Sim.Calls() {
		if c.Operation == operation {
			n++
		}
	}
	return n
}

// TestSenderIsTold: who approved, as far as is known, is in the notices, in the case, and, with the
// answer, in the audit; what the sender says is bounded, redacted and harmless.
func TestSenderIsTold(t *testing.T) {
	s, build, plan := proposed(t, "")
	const secret = "AKIAIOSFODNN7EXAMPLE"
	by := "ana\x1b[31m \u202e<!channel> http://evil.example " + secret + strings.Repeat("x", 5000)
	payload, _ := json.Marshal(map[string]any{"approve": map[string]any{"plan": plan, "by": by, "via": "telepathy"}})
	if a, err := s.press("5e3b1c9a-1111", string(payload)); err != nil || !a.Done {
		t.Fatalf("%+v, %v", a, err)
	}
	s.drain()
	o, ok := s.of(build).Orders, true
	if ok = len(o) == 1 && o[0].Request == "5e3b1c9a-1111" && o[0].Via == "" && strings.HasPrefix(o[0].By, "ana") &&
		len(o[0].By) <= 200; !ok || strings.ContainsAny(o[0].By, "\x1b\u202e") {
		t.Errorf("orders: %+v", o)
	}
	var healed string
	for _, n := range s.Sim.Notices() {
		if strings.HasPrefix(n.Subject, "[healed]") {
			healed = n.Message
		}
	}
	lines := s.Journal.String()
	for what, text := range map[string]string{"the notice": healed, "the audit": lines} {
		for _, want := range []string{"5e3b1c9a-1111", "ana"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s does not have %q", what, want)
			}
		}
		for _, bad := range []string{secret, "\u202e", `\u202e`, "http://evil"} {
			if strings.Contains(text, bad) {
				t.Errorf("%s has %q", what, bad)
			}
		}
	}
	if !strings.Contains(healed, "Approved by ana") {
		t.Error("the notice does not say who approved")
	}
	for _, payload := range []string{`{"approve":%q}`, `{"undo":{"case":"nonsense","by":"eve"}}`, `{"pause":{"because":"x","by":"eve"}}`} {
		if strings.Contains(payload, "%") {
			payload = fmt.Sprintf(payload, plan)
		}
		if _, err := s.press("5e3b1c9a-2222", payload); err != nil {
			t.Fatal(err)
		}
	}
	lines = strings.TrimPrefix(s.Journal.String(), lines)
	for _, want := range []string{`"verb":"approve"`, `"done":false`, "was approved already", `"via":"chat"`, `"verb":"undo"`,
		`"verb":"pause"`, `"by":"eve"`, `"request":"5e3b1c9a-2222"`} {
		if !strings.Contains(lines, want) {
			t.Errorf("the audit does not have %s:\n%s", want, lines)
		}
	}
	s.do(`{"status":{}}`)
	s.do(`{"sweep":{}}`)
	if strings.Contains(strings.TrimPrefix(s.Journal.String(), lines), `"verb":"status"`) {
		t.Error("a look is in the audit")
	}
}

// TestResumeEndsOnePause: the button of a pause's notice ends that pause, and none that was made
// since.
func TestResumeEndsOnePause(t *testing.T) {
	s := open(t, deafShop(1, branches), shopSettings(1, "stop_after_undone: 1"))
	pause := func() string {
		s.useless("p0", "b")
		for _, n := range slices.Backward(s.Sim.Notices()) {
			if c := buttons(t, n); c["action"] == "buildmedic-pause" {
				return c["pause"]
			}
		}
		t.Fatalf("no card of a pause: %q", s.subjects())
		return ""
	}
	first := pause()
	resume := func(id string) heal.CommandAnswer { return s.do(fmt.Sprintf(`{"resume":%q}`, id)) }
	if a := resume("0000000000000000"); a.Done || !strings.Contains(a.Message, "over already") ||
		!strings.Contains(a.Message, "Project p0 is paused still") {
		t.Errorf("another: %+v", a)
	}
	if a := resume(first); !a.Done || !strings.Contains(a.Message, "Writing is allowed again for project p0") {
		t.Errorf("the first: %+v", a)
	}
	if a := resume(first); a.Done || !strings.Contains(a.Message, "over already") {
		t.Errorf("the first once more: %+v", a)
	}
	s.do(`{"pause":{"because":"a freeze"}}`)
	if a := resume(first); a.Done || !strings.Contains(a.Message, "everything is paused since") {
		t.Errorf("in another pause: %+v", a)
	}
	if _, err := s.press("r", `{"resume":""}`); err == nil {
		t.Error("a button without a pause resumes")
	}
	if a := s.do(`{"resume":{}}`); !a.Done {
		t.Errorf("everything: %+v", a)
	}
}

// buttons are what the card's buttons are shown by.
func buttons(t *testing.T, n simaws.Notice) map[string]string {
	t.Helper()
	var card struct {
		Metadata struct{ AdditionalContext map[string]string }
	}
	if err := json.Unmarshal([]byte(n.ByProtocol["https"]), &card); err != nil {
		t.Fatal(err)
	}
	return card.Metadata.AdditionalContext
}

// TestPauseIsOfferedUnasked: the button that pauses is on the card of a change that nobody has
// approved, and not on that of one that somebody has.
func TestPauseIsOfferedUnasked(t *testing.T) {
	for mode, want := range map[string]string{"heal": "offered", "propose": ""} {
		s := open(t, shop(1, ""), strings.ReplaceAll(shopSettings(1, ""), "mode: heal", "mode: "+mode))
		id := s.start("p0")
		s.drain()
		if mode == "propose" {
			s.do(fmt.Sprintf(`{"approve":{"plan":%q}}`, last(s.of(id).Rounds).Decision.Plan.Hash()))
			s.drain()
		}
		n := 0
		for _, m := range s.Sim.Notices() {
			if m.Attributes["kind"] == string(decide.Retrying) {
				if n++; buttons(t, m)["stop"] != want {
					t.Errorf("%s: %v", mode, buttons(t, m))
				}
			}
		}
		if n != 1 {
			t.Errorf("%s: %q", mode, s.subjects())
		}
	}
}

// TestPauseIsTold: a pause by a person is told once, with the button that ends it, whatever happens
// in between; pausing what is paused tells nothing.
func TestPauseIsTold(t *testing.T) {
	for name, fault := range map[string]func(simaws.Call) simaws.Fault{
		"at once": nil,
		"later": func(c simaws.Call) simaws.Fault {
			if c.Operation == "Publish" && !c.Done {
				return simaws.Fault{Code: "InternalError", Status: 500}
			}
			return simaws.Fault{}
		},
		"after a death": func(c simaws.Call) simaws.Fault {
			return simaws.Fault{Crash: c.Operation == "Publish" && !c.Done && c.Key == simaws.FunctionKey}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, shop(1, ""), shopSettings(1, ""))
			if fault != nil {
				s.Sim.Hook(fault)
			}
			a, err := s.press("r1", `{"pause":"1160bc9cefbf0600"}`)
			if name != "after a death" && (err != nil || !a.Done) {
				t.Errorf("%+v, %v", a, err)
			}
			s.Sim.Unhook()
			if err := s.Restart(); err != nil {
				t.Fatal(err)
			}
			s.do(`{"pause":{"because":"once more"}}`)
			for range 3 {
				s.Sim.Clock.Advance(15 * time.Minute)
				s.do(`{"sweep":{}}`)
			}
			ns := s.Sim.Notices()
			if len(ns) != 1 || ns[0].Subject != "[paused] Buildmedic: no changes until you resume" ||
				!strings.Contains(ns[0].ByProtocol["email"], "because of case 1160bc9cefbf0600") {
				t.Fatalf("%q", s.subjects())
			}
			resume := fmt.Sprintf(`{"resume":%q}`, buttons(t, ns[0])["pause"])
			if a := s.do(resume); !a.Done || !strings.Contains(a.Message, "Writing is allowed again") {
				t.Errorf("%s: %+v", resume, a)
			}
			if a := s.do(`{"pause":{"because":"another"}}`); !a.Done || len(s.Sim.Notices()) != 2 {
				t.Errorf("another pause: %+v, %q", a, s.subjects())
			}
			if a := s.do(resume); a.Done {
				t.Errorf("the first button ends the second pause: %+v", a)
			}
		})
	}
}

// TestPausedTwice: who pauses what is paused is told so.
func TestPausedTwice(t *testing.T) {
	s := open(t, shop(1, ""), shopSettings(1, ""))
	if a := s.do(`{"pause":"1160bc9cefbf0600"}`); !a.Done || !strings.Contains(a.Message, "Nothing is written until") {
		t.Errorf("%+v", a)
	}
	a := s.do(`{"pause":{"because":"x"}}`)
	if !a.Done || !strings.Contains(a.Message, "It was paused already. Somebody in the chat channel paused it at 2026-11-22 10:") ||
		!strings.Contains(a.Message, "because of case 1160bc9cefbf0600") {
		t.Errorf("%+v", a)
	}
}

// TestApprovalWithoutLedger: an error that is not about another invocation stays one.
func TestApprovalWithoutLedger(t *testing.T) {
	s, _, plan := proposed(t, "")
	store := s.Inbox.Healer.Store
	s.Inbox.Healer.Store = noLedger{store}
	if _, err := s.press("r", fmt.Sprintf(`{"approve":%q}`, plan)); !errors.Is(err, errNoLedger) {
		t.Errorf("%v", err)
	}
}

var errNoLedger = errors.New("no ledger")

type noLedger struct{ heal.Store }

func (noLedger) Get(context.Context, string, string) (heal.Item, error) {
	return heal.Item{}, errNoLedger
}

package heal_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/simaws"
)

// twoBuckets is a shop whose build needs two grants at once.
func twoBuckets(t *testing.T, policies string) string {
	t.Helper()
	var prints string
	for _, b := range []string{"dist", "out"} {
		prints += "An error occurred (AccessDenied) when calling the PutObject operation: User is not authorized to " +
			"perform: s3:PutObject on resource: arn:aws:s3:::" + b + "/x because no identity-based policy allows the " +
			`s3:PutObject action\n`
	}
	world := strings.Replace(shop(1, ""), "aws s3 cp x s3://dist/x",
		`{run: ./x, fails: {prints: "`+prints+`", exit: 1, times: 1}}`, 1)
	return strings.Replace(world, "roles:\n", "policies:\n"+policies+"roles:\n", 1)
}

// readyMade are the policies of the two grants.
func readyMade() (out string) {
	for _, b := range []string{"dist", "out"} {
		out += fmt.Sprintf("  - {name: buildmedic/%s@p0, document: '{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":"+
			"\"Allow\",\"Action\":\"s3:PutObject\",\"Resource\":\"arn:aws:s3:::%s/*\"}]}'}\n", b, b)
	}
	return out
}

// twoGrants are settings that allow both, written as given.
func twoGrants(write string) string {
	set := "version: 1\nprojects:\n  - {name: p0, role: role-0, mode: heal, write: " + write + ", grants: [dist, out]}\ngrants:\n"
	for _, b := range []string{"dist", "out"} {
		set += fmt.Sprintf("  - {id: %s, because: B., owner: team, actions: [\"s3:PutObject\"], "+
			"resources: [\"arn:${partition}:s3:::%s/*\"], give: set}\n", b, b)
	}
	return set
}

func (s *stage) attached() (out []string) {
	_, all := s.Sim.RolePolicies("", "role-0")
	return slices.DeleteFunc(all, func(arn string) bool { return !strings.Contains(arn, "/buildmedic/") })
}

// lastNotice is the newest notice's text on one line.
func (s *stage) lastNotice() string {
	return strings.Join(strings.Fields(strings.NewReplacer(`\n`, " ").Replace(last(s.Sim.Notices()).Message)), " ")
}

// fails has calls of the operation fail once so many have had their effect.
func (s *stage) fails(operation string, after int, f simaws.Fault) {
	done := 0
	s.Sim.Hook(func(c simaws.Call) simaws.Fault {
		switch {
		case c.Operation != operation:
		case c.Done && c.Error == "":
			done++
		case !c.Done && done >= after:
			return f
		}
		return simaws.Fault{}
	})
}

// TestHalfAttached: of two policies the second cannot be attached, for good.
// The first does not stay.
func TestHalfAttached(t *testing.T) {
	for name, f := range map[string]simaws.Fault{
		"quota":    {Code: "LimitExceeded", Message: "Cannot exceed quota for PoliciesPerRole: 10", Status: 409},
		"denied":   {Code: "AccessDenied", Message: "not authorized to perform: iam:AttachRolePolicy", Status: 403},
		"gone":     {Code: "NoSuchEntity", Message: "Policy does not exist", Status: 404},
		"throttle": {Throttle: true}, // for longer than a case waits
		"unknown":  {Code: "Strange", Status: 400},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, twoBuckets(t, readyMade()), twoGrants("{attach: true}"))
			s.fails("AttachRolePolicy", 1, f)
			id := s.start("p0")
			for range 200 {
				s.drain()
				if !s.of(id).Closed.IsZero() {
					break
				}
				s.Sim.Clock.Advance(20 * time.Minute)
				_, _ = s.Inbox.Invoke(t.Context(), []byte(`{"sweep":{}}`)) // an unknown error comes out
			}
			c := s.of(id)
			if c.Outcome != decide.Reported || len(s.attached()) > 0 || len(heal.Changes(c)) > 0 {
				t.Errorf("outcome %s, attached %q, stands %q", c.Outcome, s.attached(), heal.Changes(c))
			}
			if n := s.lastNotice(); !strings.Contains(n, "It had attached arn:aws:iam::111122223333:policy/buildmedic/dist@p0, "+
				"which is detached again.") {
				t.Errorf("the notice does not tell what was done: %.1500s", s.lastNotice())
			}
			if l := s.lease("role-0"); l.Case != "" {
				t.Errorf("%q still has the role", l.Case)
			}
		})
	}
}

// TestHalfAttachedThenStopped: one of two policies is attached when AWS
// throttles. Before the case comes back, something forbids to complete it.
func TestHalfAttachedThenStopped(t *testing.T) {
	for name, stop := range map[string]func(*stage, string){
		"pause":    func(s *stage, _ string) { s.do(`{"pause":{}}`) },
		"settings": func(s *stage, _ string) { s.Settings.Grants, s.Settings.SHA256 = s.Settings.Grants[:1], "other" },
		"undo": func(s *stage, id string) {
			s.Sim.Clock.Advance(10 * time.Minute)
			if a := s.do(fmt.Sprintf(`{"undo":{"case":%q}}`, s.of(id).ID)); !a.Done || a.TookBack != 1 {
				s.t.Errorf("undo: %+v", a)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, twoBuckets(t, readyMade()), twoGrants("{attach: true}"))
			s.fails("AttachRolePolicy", 1, simaws.Fault{Throttle: true})
			id := s.start("p0")
			s.step(id, decide.StepWriting)
			if n := s.attached(); len(n) != 1 {
				t.Fatalf("attached is %q", n)
			}
			s.Sim.Unhook()
			stop(s, id)
			s.drain()
			s.Sim.Clock.Advance(30 * time.Minute)
			s.do(`{"sweep":{}}`)
			s.drain()
			c := s.of(id)
			if c.Closed.IsZero() {
				t.Fatal("the case is open")
			}
			// What stands is what the case knows of, and nothing else.
			stands := len(heal.Changes(c)) > 0
			if stands != (len(s.attached()) > 0) || name != "settings" && stands {
				t.Errorf("%s: attached %q, and the case says %q", c.Outcome, s.attached(), heal.Changes(c))
			}
			s.do(fmt.Sprintf(`{"undo":{"case":%q}}`, c.ID))
			if n := s.attached(); len(n) > 0 {
				t.Errorf("after an undo, attached is %q", n)
			}
		})
	}
}

// TestHalfAttachedStands: what cannot be detached is told, listed as standing,
// and undone once that is possible.
func TestHalfAttachedStands(t *testing.T) {
	s := open(t, twoBuckets(t, readyMade()), twoGrants("{attach: true}"))
	s.fails("AttachRolePolicy", 1, simaws.Fault{Code: "LimitExceeded", Status: 409})
	s.fails("DetachRolePolicy", 0, simaws.Fault{Code: "AccessDenied", Status: 403})
	id := s.start("p0")
	s.drain()
	c := s.of(id)
	if want := []string{"policies arn:aws:iam::111122223333:policy/buildmedic/dist@p0, " +
		"arn:aws:iam::111122223333:policy/buildmedic/out@p0 attached to role role-0 (in part, or perhaps not at all)"}; c.Outcome !=
		decide.Failed || !slices.Equal(heal.Changes(c), want) {
		t.Errorf("outcome %s, stands %q", c.Outcome, heal.Changes(c))
	}
	for _, want := range []string{"could not be taken back, so a part of it may stand", "Changed in part:",
		"Gave up a change that was half made."} {
		if !strings.Contains(s.lastNotice(), want) {
			t.Errorf("%q is not in the notice: %.1500s", want, s.lastNotice())
		}
	}
	if l, err := s.Inbox.Healer.Standing(t.Context()); err != nil || len(l.Standing) != 1 {
		t.Errorf("standing: %+v, %v", l, err)
	}
	s.Sim.Unhook()
	a := s.do(fmt.Sprintf(`{"undo":{"case":%q}}`, c.ID))
	if !a.Done || a.TookBack != 1 || len(s.attached()) > 0 || len(heal.Changes(s.of(id))) > 0 ||
		!strings.Contains(a.Message, "dist@p0, which is detached again.") {
		t.Errorf("undo: %+v, attached %q", a, s.attached())
	}
}

// TestUndoOfSomeAttached: an undo detaches what is still attached, though
// somebody has detached the rest.
func TestUndoOfSomeAttached(t *testing.T) {
	s := open(t, twoBuckets(t, readyMade()), twoGrants("{attach: true}"))
	id := s.start("p0")
	s.drain()
	if n := s.attached(); len(n) != 2 || s.of(id).Outcome != decide.Healed {
		t.Fatalf("attached %q, outcome %s", n, s.of(id).Outcome)
	}
	s.fails("DetachRolePolicy", 1, simaws.Fault{Code: "AccessDenied", Status: 403})
	if _, err := s.Inbox.Invoke(t.Context(), []byte(fmt.Sprintf(`{"undo":{"case":%q}}`, s.of(id).ID))); err == nil ||
		len(s.attached()) != 1 {
		t.Errorf("%v, attached %q", err, s.attached())
	}
	s.Sim.Unhook()
	if a := s.do(fmt.Sprintf(`{"undo":{"case":%q}}`, s.of(id).ID)); !a.Done || len(s.attached()) > 0 {
		t.Errorf("undo: %+v, attached %q", a, s.attached())
	}
}

// TestOldestVersionLost: the oldest version of a policy is deleted for a new
// one that can then not be made, or may not any more. It is made again, if
// versions can be made at all, and either is told.
func TestOldestVersionLost(t *testing.T) {
	const arn = "arn:aws:iam::111122223333:policy/own"
	for name, row := range map[string]struct {
		fault    simaws.Fault
		stop     func(*stage)
		versions int
		want     string
	}{
		"for good": {simaws.Fault{Code: "MalformedPolicyDocument", Status: 400}, nil, 4,
			" (made 2026-11-22T10:00:00Z), the oldest, was deleted to make room and is not back: refused by AWS"},
		"paused": {simaws.Fault{Throttle: true}, func(s *stage) { s.do(`{"pause":{}}`) }, 5,
			", which had been deleted to make room, is back as v6."},
	} {
		t.Run(name, func(t *testing.T) {
			world := twoBuckets(t, "  - {name: own, document: '"+stranger+"'}\n")
			world = strings.Replace(world, "  - name: role-0\n", "  - name: role-0\n    attached: [own]\n", 1)
			s := open(t, world, twoGrants("{managed: own}"))
			for i := range 4 {
				if _, err := s.Sim.CreatePolicyVersion(arn, strings.Replace(stranger, "Stranger", fmt.Sprint("No", i), 1)); err != nil {
					t.Fatal(err)
				}
			}
			s.fails("CreatePolicyVersion", 0, row.fault)
			id := s.start("p0")
			if row.stop != nil {
				s.step(id, decide.StepWriting)
				s.Sim.Unhook()
				row.stop(s)
			}
			s.drain()
			c := s.of(id)
			if c.Outcome != decide.Reported || len(s.Sim.PolicyVersions(arn)) != row.versions {
				t.Fatalf("outcome %s, versions %v", c.Outcome, s.Sim.PolicyVersions(arn))
			}
			if want := "Version v1 of policy " + arn + row.want; !strings.Contains(s.lastNotice(), want) {
				t.Errorf("the notice does not tell that v1 is gone: %.1500s", s.lastNotice())
			}
		})
	}
}

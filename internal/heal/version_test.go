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

// fiveVersions is a shop whose role's managed policy has five versions, the last
// of which is the default; and settings that write to it.
func fiveVersions(write string) (world, set string) {
	var vs []string
	for i := 1; i <= 5; i++ {
		vs = append(vs, "'"+ownVersion(i)+"'")
	}
	world = strings.Replace(shop(1, twoCommits), "roles:\n",
		"policies:\n  - {name: own, versions: ["+strings.Join(vs, ", ")+"], default: v5}\nroles:\n", 1)
	world = strings.Replace(world, "  - name: role-0\n", "  - name: role-0\n    attached: [own]\n", 1)
	return world, strings.Replace(shopSettings(1, ""), "write: {inline: healed}", "write: {managed: own"+write+"}", 1)
}

func ownVersion(n int) string {
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Sid":"Owner%d","Effect":"Allow","Action":"s3:GetObject",`+
		`"Resource":"arn:aws:s3:::other/%d"}]}`, n, n)
}

const ownARN = "arn:aws:iam::111122223333:policy/own"

// versions gives the policy's versions, "v2 Owner2", with a star for the default.
func (s *stage) versions() (out []string) {
	s.t.Helper()
	for _, v := range s.Sim.PolicyVersions(ownARN) {
		line, star := v.ID, ""
		if v.Default {
			star = "*"
		}
		line += star
		for n := range 10 {
			if strings.Contains(v.Document, fmt.Sprintf("Owner%d", n)) {
				line += fmt.Sprintf(" Owner%d", n)
			}
		}
		if strings.Contains(v.Document, "s3:PutObject") {
			line += " ours"
		}
		out = append(out, line)
	}
	return out
}

// TestDroppedVersionIsKept: the oldest version has to go for the grant. The
// notice names it, its document is kept, and undo brings it back.
func TestDroppedVersionIsKept(t *testing.T) {
	s := open(t, first(fiveVersions("")), second(fiveVersions("")))
	c := s.fail("p0", "refs/heads/main")
	if c.Outcome != decide.Healed || s.hasVersion("v1") {
		t.Fatalf("%s %v, versions %q", c.Outcome, refusals(c), s.versions())
	}
	mail := strings.Join(strings.Fields(last(s.Sim.Notices()).ByProtocol["email"]), " ")
	for _, want := range []string{"Version v1 of policy own (made 2026-", "was deleted to make room",
		"buildmedic show " + c.ID, "- version v1, made 2026-"} {
		if !strings.Contains(mail, want) {
			t.Errorf("the notice does not say %q:\n%s", want, mail)
		}
	}
	a := s.do(fmt.Sprintf(`{"status":{"case":%q}}`, c.ID))
	if len(a.Kept) != 1 || a.Kept[0].Version != "v1" || a.Kept[0].Document != ownVersion(1) || a.Kept[0].Created.IsZero() {
		t.Errorf("kept: %+v", a.Kept)
	}
	a = s.do(fmt.Sprintf(`{"undo":{"case":%q}}`, c.ID))
	if !a.Done || !strings.Contains(a.Message, "Version v1 of policy "+ownARN+", which had been deleted to make room, is back as v7.") ||
		!slices.Equal(s.versions(), []string{"v2 Owner2", "v3 Owner3", "v4 Owner4", "v5* Owner5", "v7 Owner1"}) {
		t.Errorf("undo: %+v, versions %q", a, s.versions())
	}
	if a := s.do(fmt.Sprintf(`{"status":{"case":%q}}`, c.ID)); len(a.Kept) > 0 {
		t.Errorf("what is back is said to be gone: %+v", a.Kept)
	}
}

// TestDroppedVersionIsNotBack: undo finds no free place, since the owner has
// made a version in the meantime. It says so, and where the document is.
func TestDroppedVersionIsNotBack(t *testing.T) {
	s := open(t, first(fiveVersions("")), second(fiveVersions("")))
	c := s.fail("p0", "refs/heads/main")
	s.Sim.Hook(func(call simaws.Call) simaws.Fault {
		if call.Operation == "DeletePolicyVersion" && call.Done {
			if _, err := s.Sim.CreatePolicyVersion(ownARN, ownVersion(9)); err != nil {
				t.Error(err)
			}
		}
		return simaws.Fault{}
	})
	a := s.do(fmt.Sprintf(`{"undo":{"case":%q}}`, c.ID))
	if !a.Done || !strings.Contains(a.Message, "is not back: all 5 places for versions are taken") ||
		!strings.Contains(a.Message, "buildmedic show "+c.ID) {
		t.Errorf("undo: %+v, versions %q", a, s.versions())
	}
	if a := s.do(fmt.Sprintf(`{"status":{"case":%q}}`, c.ID)); len(a.Kept) != 1 || a.Kept[0].Document != ownVersion(1) {
		t.Errorf("kept: %+v", a.Kept)
	}
}

// TestDroppedForNothing: the new version cannot be made once the oldest is
// deleted. The oldest is made again, or the notice says that it is not.
func TestDroppedForNothing(t *testing.T) {
	for name, row := range map[string]struct {
		fails int // calls that make a version
		want  string
		back  bool
	}{
		"once": {1, "Version v1 of policy " + ownARN + ", which had been deleted to make room, is back as v6.", true},
		"always": {1000, "Version v1 of policy " + ownARN + " (made 2026-11-22T10:00:00Z), the oldest, was deleted to make " +
			"room and is not back", false},
	} {
		s := open(t, first(fiveVersions("")), second(fiveVersions("")))
		n, stored := 0, false
		s.Sim.Hook(func(c simaws.Call) simaws.Fault {
			if c.Operation == "DeletePolicyVersion" && !c.Done {
				_, err := s.Store.Get(context.Background(), "version", ownARN+" v1 2026-11-22T10:00:00Z")
				stored = stored || err == nil
			}
			if c.Operation == "CreatePolicyVersion" && !c.Done {
				if n++; n <= row.fails {
					return simaws.Fault{Code: "LimitExceeded", Status: 409}
				}
			}
			return simaws.Fault{}
		})
		c := s.fail("p0", "refs/heads/main")
		if c.Outcome != decide.Reported || !stored || !strings.Contains(s.lastNotice(), row.want) {
			t.Errorf("%s: %s %v, stored before %v, notice %s", name, c.Outcome, refusals(c), stored, s.lastNotice())
		}
		back := slices.ContainsFunc(s.versions(), func(v string) bool { return strings.HasSuffix(v, " Owner1") })
		a := s.do(fmt.Sprintf(`{"status":{"case":%q}}`, c.ID))
		if back != row.back || (len(a.Kept) == 0) != row.back {
			t.Errorf("%s: versions %q, kept %+v", name, s.versions(), a.Kept)
		}
	}
}

// TestDroppedThenDead: a function that dies right after it has deleted the
// oldest version, and one that dies while it brings it back, lose nothing.
func TestDroppedThenDead(t *testing.T) {
	s := open(t, first(fiveVersions("")), second(fiveVersions("")))
	dieAt(s, "DeletePolicyVersion")
	id := s.start("p0")
	for range 3 {
		s.drain()
		s.Sim.Unhook()
		if err := s.Restart(); err != nil {
			t.Fatal(err)
		}
		s.Sim.Clock.Advance(10 * time.Minute)
		s.do(`{"sweep":{}}`)
	}
	c := s.of(id)
	a := s.do(fmt.Sprintf(`{"status":{"case":%q}}`, c.ID))
	if c.Outcome != decide.Healed || len(a.Kept) != 1 || a.Kept[0].Document != ownVersion(1) {
		t.Fatalf("%s %v, kept %+v", c.Outcome, refusals(c), a.Kept)
	}
	dieAt(s, "CreatePolicyVersion")
	_, _ = s.Inbox.Invoke(context.Background(), []byte(fmt.Sprintf(`{"undo":{"case":%q}}`, c.ID)))
	s.Sim.Unhook()
	if err := s.Restart(); err != nil {
		t.Fatal(err)
	}
	s.Sim.Clock.Advance(10 * time.Minute)
	a = s.do(fmt.Sprintf(`{"undo":{"case":%q}}`, c.ID))
	if want := []string{"v2 Owner2", "v3 Owner3", "v4 Owner4", "v5* Owner5", "v7 Owner1"}; !a.Done || !slices.Equal(s.versions(), want) {
		t.Errorf("undo: %+v, versions %q", a, s.versions())
	}
}

// TestKeepVersions: with versions: keep, no version is deleted.
func TestKeepVersions(t *testing.T) {
	s := open(t, first(fiveVersions("")), second(fiveVersions(", versions: keep")))
	c := s.fail("p0", "refs/heads/main")
	if c.Outcome != decide.Reported || !slices.Equal(refusals(c), []string{"versions-full"}) || !s.hasVersion("v1") {
		t.Errorf("%s %v, versions %q", c.Outcome, refusals(c), s.versions())
	}
}

func (s *stage) hasVersion(id string) bool {
	return slices.ContainsFunc(s.versions(), func(v string) bool { return strings.HasPrefix(v, id+" ") })
}

func first(a, _ string) string { return a }

func second(_, b string) string { return b }

// TestDroppedVersionOutlastsTheDay: the commit fails again a day later, and its
// case begins anew. The version that is not back is kept with it still.
func TestDroppedVersionOutlastsTheDay(t *testing.T) {
	s := open(t, first(fiveVersions("")), second(fiveVersions("")))
	c := s.fail("p0", "refs/heads/main")
	s.Sim.Hook(func(call simaws.Call) simaws.Fault {
		if call.Operation == "DeletePolicyVersion" && call.Done {
			if _, err := s.Sim.CreatePolicyVersion(ownARN, ownVersion(9)); err != nil {
				t.Error(err)
			}
		}
		return simaws.Fault{}
	})
	s.do(fmt.Sprintf(`{"undo":{"case":%q}}`, c.ID))
	s.Sim.Unhook()
	s.Sim.Clock.Advance(30 * time.Hour)
	again := s.fail("p0", "refs/heads/main")
	a := s.do(fmt.Sprintf(`{"status":{"case":%q}}`, c.ID))
	if again.ID != c.ID || len(a.Kept) != 1 || a.Kept[0].Document != ownVersion(1) {
		t.Errorf("case %s, then %s, kept: %+v", c.ID, again.ID, a.Kept)
	}
}

// TestVersionOfAPolicyMadeAnew: the ledger has a version of the same name, of a
// policy that was deleted since and made again.
func TestVersionOfAPolicyMadeAnew(t *testing.T) {
	s := open(t, first(fiveVersions("")), second(fiveVersions("")))
	data, err := json.Marshal(heal.KeptVersion{Policy: ownARN, Version: "v1", Document: ownVersion(8), Case: "0123456789abcdef"})
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{ownARN + " v1", ownARN + " v1 2025-01-01T00:00:00Z"} {
		if _, err := s.Store.Put(t.Context(), heal.Item{Kind: "version", ID: id, Data: data}); err != nil {
			t.Fatal(err)
		}
	}
	c := s.fail("p0", "refs/heads/main")
	a := s.do(fmt.Sprintf(`{"undo":{"case":%q}}`, c.ID))
	if !a.Done || !slices.Contains(s.versions(), "v7 Owner1") {
		t.Errorf("undo: %+v, versions %q", a, s.versions())
	}
}

package heal_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/heal"
	memory "github.com/buildmedic/buildmedic/internal/ledger"
	"github.com/buildmedic/buildmedic/internal/notice"
	"github.com/buildmedic/buildmedic/internal/simaws"
	"github.com/buildmedic/buildmedic/internal/story"
)

const npmDown = `npm ERR! code ETIMEDOUT\nnpm ERR! network request to https://npm.example.com/left-pad failed, reason: connect ETIMEDOUT`

// outage is a world with n projects, each with a role of its own, that need a registry which is down
// for so long, and settings that heal them; with more lines of the settings.
func outage(t *testing.T, n int, lasts string, limits, each string) *stage {
	t.Helper()
	return outageOf(t, n, lasts, limits, each, func(int) string { return "{run: npm ci, needs: npm.example.com}" })
}

// outageOf is the same with the command of each project's build.
func outageOf(t *testing.T, n int, lasts string, limits, each string, command func(i int) string) *stage {
	t.Helper()
	var w, set strings.Builder
	fmt.Fprintf(&w, "start: 2026-11-22T10:00:00Z\noutages: [{host: npm.example.com, lasts: %s, prints: \"%s\"}]\nroles:\n",
		lasts, npmDown)
	fmt.Fprintf(&set, "version: 1\nlimits: {%s}\nprojects:\n", limits)
	for i := range n {
		fmt.Fprintf(&w, "  - name: role-%d\n    inline: {base: '{\"Version\": \"2012-10-17\", \"Statement\": [%s]}'}\n", i, logs)
		fmt.Fprintf(&set, "  - {name: p%d, role: role-%d, mode: heal, write: {inline: healed}%s}\n", i, i, each)
	}
	w.WriteString("projects:\n")
	for i := range n {
		fmt.Fprintf(&w, "  - name: p%d\n    role: role-%d\n    timeout: 8h\n    versions: [{ref: refs/heads/main}, {ref: pr/7}]\n"+
			"    buildspecs: {buildspec.yml: {build: [%s]}}\n", i, i, command(i))
	}
	return open(t, w.String(), set.String())
}

// incidents are the notices that tell of incidents.
func (s *stage) incidents() (out []notice.Notice) {
	for _, m := range s.Sim.Notices() {
		var n notice.Notice
		if err := json.Unmarshal([]byte(m.ByProtocol["sqs"]), &n); err == nil && n.Incident != nil {
			out = append(out, n)
		}
	}
	return out
}

// startAll starts a build of each project, so long apart.
func (s *stage) startAll(n int, apart time.Duration) (ids []string) {
	for i := range n {
		ids = append(ids, s.start(fmt.Sprintf("p%d", i)))
		s.Sim.Clock.Advance(apart)
	}
	return ids
}

// TestOutage: a registry is down for 40 minutes, and 12 projects fail within one. There is one notice
// when it is seen, one when it is over, one build at a time is started in between, and then the rest.
func TestOutage(t *testing.T) {
	s := outage(t, 12, "40m", "", "")
	ids := s.startAll(12, 5*time.Second)
	s.drain()
	for i, id := range ids {
		c := s.of(id)
		if c.Outcome != decide.Healed {
			t.Errorf("p%d: %s %v", i, c.Outcome, refusals(c))
		}
	}
	ns := s.incidents()
	if len(ns) != 2 || ns[0].Incident.Ended != (time.Time{}) || ns[1].Incident.End != decide.EndGreen || ns[1].Incident.Healed != 12 {
		for _, n := range ns {
			t.Errorf("%+v\n%s", *n.Incident, n.Headline)
		}
	}
	if n := s.count("RetryBuild"); n > 12+4+5 {
		t.Errorf("%d builds were started: %q", n, s.subjects())
	}
}

// outcomes gives the cases of the builds by their outcomes.
func (s *stage) outcomes(ids []string) map[string]int {
	var cs []decide.Case
	for _, id := range ids {
		cs = append(cs, s.of(id))
	}
	return steps(cs)
}

// pass lets time pass, and handles the messages that come.
func (s *stage) pass(d time.Duration) {
	s.t.Helper()
	for end := s.Sim.Clock.Now().Add(d); s.Sim.Clock.Now().Before(end); {
		m, ok := s.Sim.Receive()
		if !ok {
			s.Sim.Clock.Advance(5 * time.Second)
			continue
		}
		again, err := s.Deliver(context.Background(), m)
		if err != nil {
			s.t.Fatal(err)
		}
		if again {
			m.Nack()
		} else {
			m.Ack()
		}
	}
}

// tokenExpired has the registry refuse the builds' token for so long.
func (s *stage) tokenExpired(lasts time.Duration) {
	now := s.Sim.Clock.Now()
	s.Sim.EndOutages()
	s.Sim.AddOutage(simaws.HostOutage{Host: "npm.example.com", From: now, To: now.Add(lasts), Prints: "npm ERR! code E401\n" +
		"npm ERR! 401 Unauthorized - GET https://npm.example.com/@shop%2fui - Access token expired or revoked"})
}

// TestExpiredToken: what only a person can cure is told of one by one until it is an incident, and then
// together; those that fail later are in a further notice; once the builds are green it says so.
func TestExpiredToken(t *testing.T) {
	s := outage(t, 9, "0s", "incident_projects: 4", "")
	s.tokenExpired(3 * time.Hour)
	ids := s.startAll(7, 5*time.Second)
	s.pass(5 * time.Minute)
	ids = append(ids, s.start("p7"))
	if a := s.do(`{"status":{}}`); len(a.Incidents) != 1 || a.Incidents[0].What != "npm.example.com" || a.Incidents[0].Builds != 7 {
		t.Errorf("status: %+v", a.Incidents)
	} else if one := a.Incidents[0].Named; len(one) != 7 || !slices.ContainsFunc(one, func(f decide.Follower) bool {
		return f.Project == "p6" && f.Build == ids[6] && f.Case == s.of(ids[6]).ID
	}) {
		t.Errorf("status names %+v", one)
	}
	s.pass(30 * time.Minute)
	if got := s.outcomes(ids); got["reported"] != 8 {
		t.Errorf("cases: %v", got)
	}
	own, ns := s.ofKind(decide.Reported, ""), s.incidents()
	if own != 3 || len(ns) != 2 || ns[0].Incident.Builds != 7 || ns[1].Incident.Builds != 8 || !ns[1].Incident.Again {
		t.Errorf("%d notices of single failures, of the incident %d: %q", own, len(ns), s.subjects())
	}
	for _, id := range ids[3:] { // each that was not told of by itself is named
		c := s.of(id)
		if text := last(s.Sim.Notices()).ByProtocol["sqs"]; c.Rounds[0].Incident == "" || !strings.Contains(text, id) {
			t.Errorf("build %s is told of nowhere: %+v", id, c.Rounds[0])
		}
	}
	s.tokenExpired(-time.Hour) // somebody has renewed it
	for i := range 8 {
		s.start(fmt.Sprintf("p%d", i))
	}
	s.drain()
	ns = s.incidents()
	if last := ns[len(ns)-1].Incident; last.End != decide.EndGreen || last.Healed != 8 {
		t.Errorf("it has not ended: %+v", *last)
	}
	if n := s.count("RetryBuild"); n != 0 {
		t.Errorf("%d builds were started again", n)
	}
	if a := s.do(`{"status":{}}`); len(a.Incidents) != 0 {
		t.Errorf("status: %+v", a.Incidents)
	}
}

// TestIncidentQuiet: an incident that only tells ends by itself once nothing new has failed of it.
func TestIncidentQuiet(t *testing.T) {
	s := outage(t, 5, "0s", "", "")
	s.tokenExpired(100 * time.Hour)
	s.startAll(5, time.Second)
	s.drain()
	ns := s.incidents()
	if len(ns) != 2 || ns[1].Incident.End != decide.EndQuiet || ns[1].Incident.Healed != 0 || s.ofKind(decide.Reported, "") != 4 {
		t.Errorf("%q", s.subjects())
	}
	s.Sim.Clock.Advance(time.Hour)
	s.startAll(4, time.Second) // too few for another one
	s.drain()
	if len(s.incidents()) != 2 {
		t.Errorf("four failures made an incident: %q", s.subjects())
	}
}

// TestNoIncident: what is not the same, what is of one project, and what may be anybody's makes none.
func TestNoIncident(t *testing.T) {
	t.Run("one project", func(t *testing.T) {
		s := outage(t, 1, "30m", "incident_projects: 2", "")
		for range 8 {
			s.start("p0")
			s.Sim.Clock.Advance(time.Second)
		}
		s.drain()
		if len(s.incidents()) > 0 {
			t.Errorf("%q", s.subjects())
		}
	})
	t.Run("other hosts", func(t *testing.T) {
		s := outage(t, 6, "0s", "", "")
		for i := range 6 {
			now := s.Sim.Clock.Now()
			s.Sim.AddOutage(simaws.HostOutage{Host: "npm.example.com", From: now, To: now.Add(20 * time.Second),
				Prints: strings.NewReplacer(`\n`, "\n", "npm.example.com", fmt.Sprintf("r%d.example.com", i)).Replace(npmDown)})
			s.start(fmt.Sprintf("p%d", i))
			s.Sim.Clock.Advance(25 * time.Second)
		}
		s.drain()
		if len(s.incidents()) > 0 {
			t.Errorf("%q", s.subjects())
		}
	})
	t.Run("forks", func(t *testing.T) {
		s := outage(t, 8, "20m", "incident_projects: 2", "")
		var ids []string
		for i := range 8 {
			id, err := s.Sim.Run(simaws.Start{Project: fmt.Sprintf("p%d", i), Version: "pr/7", Initiator: "GitHub-Hookshot/abc"})
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, id)
		}
		s.drain()
		if got := s.outcomes(ids); len(s.incidents()) > 0 || got["healed"]+got["failed"] != 8 {
			t.Errorf("%v, %q", got, s.subjects())
		}
	})
	t.Run("off", func(t *testing.T) {
		s := outage(t, 8, "20m", "incident_projects: 0", "")
		s.startAll(8, time.Second)
		s.drain()
		if len(s.incidents()) > 0 {
			t.Errorf("%q", s.subjects())
		}
	})
}

// TestForksWait: builds that may be anybody's wait for an incident of the team's own, and are never its
// probe.
func TestForksWait(t *testing.T) {
	s := outage(t, 8, "30m", "", "")
	var forks []string
	ids := s.startAll(6, time.Second)
	s.Sim.Clock.Advance(2 * time.Minute)
	for i := range 8 {
		id, err := s.Sim.Run(simaws.Start{Project: fmt.Sprintf("p%d", i), Version: "pr/7", Initiator: "GitHub-Hookshot/abc"})
		if err != nil {
			t.Fatal(err)
		}
		forks = append(forks, id)
	}
	s.drain()
	if got := s.outcomes(append(ids, forks...)); got["healed"] != 14 {
		t.Errorf("%v", got)
	}
	for _, id := range forks {
		c := s.of(id)
		if c.Rounds[0].Incident == "" || len(c.Rounds) > 1 || c.Rounds[0].Probe {
			t.Errorf("%s: in incident %q, %d rounds, a probe: %v", id, c.Rounds[0].Incident, len(c.Rounds), c.Rounds[0].Probe)
		}
	}
}

// TestPatience: who has waited for two hours goes its own road, and tells of itself.
func TestPatience(t *testing.T) {
	s := outage(t, 12, "4h", "retries_per_hour: 1000", "")
	ids := s.startAll(12, 2*time.Second)
	s.drain()
	if got := s.outcomes(ids); got["healed"]+got["failed"] != 12 {
		t.Errorf("%v", got)
	}
	ns := s.incidents()
	if last := ns[len(ns)-1].Incident; last.Ended.IsZero() || last.Open > 0 {
		t.Errorf("%+v", *last)
	}
	told := 0
	for _, id := range ids {
		c := s.of(id)
		for _, r := range c.Rounds {
			if r.Own && r.RetryAt.Sub(r.Started) > decide.Patience+20*time.Minute {
				t.Errorf("%s waited for %s", id, r.RetryAt.Sub(r.Started))
			}
		}
		if c.Outcome == decide.Failed && s.ofKind(decide.Failed, c.Project+":") == 0 {
			t.Errorf("%s failed, and nobody was told: %q", id, s.subjects())
		}
		if c.Outcome == decide.Failed {
			told++
		}
	}
	t.Logf("%d starts, %d failed, %q", s.count("RetryBuild"), told, s.subjects())
}

// TestIncidentObserved: nothing is started for a project that is only observed, and there is one
// notice all the same.
func TestIncidentObserved(t *testing.T) {
	s := outage(t, 10, "30m", "", "")
	for i := range s.Settings.Projects {
		s.Settings.Projects[i].Mode = "observe"
	}
	ids := s.startAll(10, time.Second)
	s.drain()
	if n := s.count("RetryBuild"); n > 0 {
		t.Errorf("%d builds were started", n)
	}
	if got := s.outcomes(ids); got["reported"] != 10 || s.ofKind(decide.Reported, "") != 4 || len(s.incidents()) != 2 {
		t.Errorf("%v, %q", got, s.subjects())
	}
}

// TestIncidentLostMessages: where the healer's own messages are lost, the sweep goes on.
func TestIncidentLostMessages(t *testing.T) {
	s := outage(t, 8, "20m", "", "")
	ids := s.startAll(8, time.Second)
	for range 200 {
		if !s.next(func(m simaws.Message) int {
			if isRelease(m) {
				return 0
			}
			return 1
		}) {
			break
		}
	}
	for range 20 {
		s.Sim.Clock.Advance(15 * time.Minute)
		s.do(`{"sweep":{}}`)
		for range 40 {
			if !s.next(func(m simaws.Message) int {
				if isRelease(m) {
					return 0
				}
				return 1
			}) {
				break
			}
		}
	}
	if got := s.outcomes(ids); got["healed"]+got["failed"] != 8 || got["healed"] < 4 {
		t.Errorf("%v %q", got, s.subjects())
	}
	if ns := s.incidents(); len(ns) < 2 || ns[len(ns)-1].Incident.Ended.IsZero() {
		t.Errorf("%q", s.subjects())
	}
}

// TestIncidentCalls: a failure that is in no incident costs at most one call of the ledger more, and no
// call of AWS.
func TestIncidentCalls(t *testing.T) {
	calls := func(limits, prints string) (ledger, aws int) {
		var m *story.Metered
		w := outage(t, 1, "1h", limits, "")
		st, err := story.Open(story.Story{Name: t.Name(), World: bytes.ReplaceAll(w.Story.World, []byte(npmDown), []byte(prints)),
			Settings: w.Story.Settings, Expect: story.Expect{Project: "p0"}}, story.Options{
			Store: func(c heal.Clock) heal.Store {
				m = story.NewMetered(memory.NewMemory(c))
				return m
			}})
		if err != nil {
			t.Fatal(err)
		}
		defer st.Close()
		s := &stage{Stage: st, t: t}
		s.start("p0")
		s.next(func(simaws.Message) int { return 1 })
		s.next(func(simaws.Message) int { return 1 })
		return m.Meter().Requests, len(s.Sim.Calls())
	}
	for name, row := range map[string]struct {
		prints string
		more   int
	}{"of a registry": {npmDown, 1}, "of a test": {"--- FAIL: TestCart (0.00s)", 0}} {
		l0, a0 := calls("incident_projects: 0", row.prints)
		l1, a1 := calls("", row.prints)
		if l1-l0 != row.more || a1 != a0 {
			t.Errorf("%s: %d requests to the ledger and %d calls, without incidents %d and %d", name, l1, a1, l0, a0)
		}
	}
}

// TestIncidentReplayed: who does not want to wait replays the build, and the others wait on.
func TestIncidentReplayed(t *testing.T) {
	s := outage(t, 8, "1h", "", "")
	ids := s.startAll(8, time.Second)
	s.pass(4 * time.Minute)
	id := ids[7]
	if c := s.of(id); !c.AwaitsIncident(c.Rounds[0].Incident) {
		t.Fatalf("it does not wait: %+v", c.Rounds[0])
	}
	if a := s.do(fmt.Sprintf(`{"replay":{"build":%q}}`, id)); !a.Done {
		t.Errorf("%+v", a)
	}
	s.pass(3 * time.Minute)
	if c := s.of(id); len(c.Orders) != 1 || c.Rounds[0].RetryAt.IsZero() || !c.Rounds[0].Own {
		t.Errorf("it was not started: %+v", c.Rounds[0])
	}
	s.drain()
	if got := s.outcomes(ids); got["healed"]+got["failed"] != 8 {
		t.Errorf("%v", got)
	}
}

// TestIncidentBesides: what a fork builds while others wait, and another build of the same commit, keep
// no build from being started again.
func TestIncidentBesides(t *testing.T) {
	s := outage(t, 8, "20m", "", "")
	ids := s.startAll(8, time.Second)
	s.pass(4 * time.Minute)
	s.start("p7")
	if _, err := s.Sim.Run(simaws.Start{Project: "p6", Version: "pr/7", Initiator: "GitHub-Hookshot/abc"}); err != nil {
		t.Fatal(err)
	}
	s.drain()
	for i, id := range ids {
		if c := s.of(id); c.Outcome != decide.Healed {
			t.Errorf("p%d: %s %v", i, c.Outcome, refusals(c))
		}
	}
}

// TestIncidentOfRole: many projects whose one role lacks what no grant gives are one incident, and a
// grant that one of them has is given as ever.
func TestIncidentOfRole(t *testing.T) {
	world := shop(7, "")
	for i := range 7 {
		world = strings.ReplaceAll(world, fmt.Sprintf("role: role-%d\n", i), "role: role-0\n")
	}
	set := strings.ReplaceAll(shopSettings(7, ""), ", grants: [dist]", "")
	for i := range 7 {
		set = strings.ReplaceAll(set, fmt.Sprintf("role: role-%d,", i), "role: role-0,")
	}
	set = strings.Replace(set, "name: p6, role: role-0, mode: heal, write: {inline: healed}",
		"name: p6, role: role-0, mode: heal, write: {inline: healed}, grants: [dist]", 1)
	s := open(t, world, set)
	var ids []string
	for i := range 7 {
		ids = append(ids, s.start(fmt.Sprintf("p%d", i)))
	}
	s.drain()
	if got := s.outcomes(ids[:6]); got["reported"] != 6 {
		t.Errorf("%v", got)
	}
	if c := s.of(ids[6]); c.Outcome != decide.Healed || c.Rounds[0].Incident != "" || s.inline("role-0") == "" {
		t.Errorf("the one with a grant: %s, in incident %q", c.Outcome, c.Rounds[0].Incident)
	}
	if ns := s.incidents(); len(ns) != 2 || ns[0].Incident.Builds != 6 || s.ofKind(decide.Reported, "") != 4 {
		t.Errorf("%q", s.subjects())
	}
}

// TestIncidentBudget: those that wait are started as limits.retries_per_hour has room for them, and none
// is refused.
func TestIncidentBudget(t *testing.T) {
	s := outage(t, 20, "12m", "retries_per_hour: 12", "")
	ids := s.startAll(20, time.Second)
	s.drain()
	if got := s.outcomes(ids); got["healed"] != 20 {
		t.Errorf("%v", got)
	}
	perHour := map[int]int{}
	for _, c := range s.Sim.Calls() {
		if c.Operation == "RetryBuild" && c.Took {
			perHour[c.At.Hour()]++
		}
	}
	for hour, n := range perHour {
		if n > 12 {
			t.Errorf("%d builds were started in hour %d: %v", n, hour, perHour)
		}
	}
	if ns := s.incidents(); last(ns).Incident.Ended.IsZero() {
		t.Errorf("%q", s.subjects())
	}
}

// TestIncidentLongBuild: a build that is green only long after the incident's last notice tells of
// itself.
func TestIncidentLongBuild(t *testing.T) {
	s := outageOf(t, 8, "12m", "", "", func(i int) string {
		if i == 7 {
			return "{run: npm ci, needs: npm.example.com}, {run: make, takes: 3h}"
		}
		return "{run: npm ci, needs: npm.example.com}"
	})
	ids := s.startAll(8, time.Second)
	s.drain()
	if got := s.outcomes(ids); got["healed"] != 8 {
		t.Fatalf("%v", got)
	}
	over := last(s.incidents()).Incident
	if over.Ended.IsZero() || over.Open != 1 || over.Healed != 7 || s.ofKind(decide.Healed, "p7:") != 1 ||
		s.ofKind(decide.Healed, "") != 1 {
		t.Errorf("%+v, %q", *over, s.subjects())
	}
}

package heal_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/notice"
)

const npmDown = `npm ERR! code ETIMEDOUT\nnpm ERR! network request to https://registry.npmjs.org/left-pad failed, reason: connect ETIMEDOUT`

// outage is a world with n projects, each with a role of its own, that need a registry which is down
// for so long, and settings that heal them; with more lines of the settings.
func outage(t *testing.T, n int, lasts string, limits, each string) *stage {
	t.Helper()
	var w, set strings.Builder
	fmt.Fprintf(&w, "start: 2026-11-22T10:00:00Z\noutages: [{host: registry.npmjs.org, lasts: %s, prints: \"%s\"}]\nroles:\n",
		lasts, npmDown)
	fmt.Fprintf(&set, "version: 1\nlimits: {%s}\nprojects:\n", limits)
	for i := range n {
		fmt.Fprintf(&w, "  - name: role-%d\n    inline: {base: '{\"Version\": \"2012-10-17\", \"Statement\": [%s]}'}\n", i, logs)
		fmt.Fprintf(&set, "  - {name: p%d, role: role-%d, mode: heal, write: {inline: healed}%s}\n", i, i, each)
	}
	w.WriteString("projects:\n")
	for i := range n {
		fmt.Fprintf(&w, "  - name: p%d\n    role: role-%d\n    buildspecs: {buildspec.yml: {build: [{run: npm ci, "+
			"needs: registry.npmjs.org}]}}\n", i, i)
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

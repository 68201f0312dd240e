package heal_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/decide"
)

// allCases are all that the ledger has.
func (s *stage) allCases() (out []decide.Case) {
	s.t.Helper()
	a := s.do(`{"status":{}}`)
	seen := map[string]bool{}
	for _, c := range a.Cases {
		if !seen[c.Case] {
			seen[c.Case] = true
			one, err := s.Inbox.Healer.Case(s.t.Context(), c.Case)
			if err != nil {
				s.t.Fatal(err)
			}
			out = append(out, one)
		}
	}
	return out
}

// due lists ids of open items.
func (s *stage) due(kind string) (ids []string) {
	its, err := s.Store.Between(s.t.Context(), kind, time.Time{}, s.Sim.Clock.Now().Add(100*time.Hour), false, 1000)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, it := range its {
		ids = append(ids, it.ID)
	}
	return ids
}

// TestIncidentInOneStage: builds side by side in one stage fail of one outage. Its probe does not wait for those
// that wait for the probe.
func TestIncidentInOneStage(t *testing.T) {
	var w, set strings.Builder
	fmt.Fprintf(&w, "start: 2026-11-22T10:00:00Z\noutages: [{host: npm.example.com, lasts: 10m, prints: \"%s\"}]\nroles:\n", npmDown)
	fmt.Fprintf(&set, "version: 1\nlimits: {incident_projects: 3}\nprojects:\n")
	const n = 6
	for i := range n {
		fmt.Fprintf(&w, "  - name: role-%d\n    inline: {base: '{\"Version\": \"2012-10-17\", \"Statement\": [%s, {\"Effect\": \"Allow\", "+
			"\"Action\": [\"s3:GetObject\", \"s3:GetObjectVersion\"], \"Resource\": \"arn:aws:s3:::codepipeline-*\"}]}'}\n", i, logs)
		fmt.Fprintf(&set, "  - {name: p%d, role: role-%d, mode: heal, write: {inline: healed}, pipelines: [main]}\n", i, i)
	}
	w.WriteString("projects:\n")
	for i := range n {
		fmt.Fprintf(&w, "  - name: p%d\n    role: role-%d\n"+
			"    buildspecs: {buildspec.yml: {build: [{run: npm ci, needs: npm.example.com}]}}\n",
			i, i)
	}
	w.WriteString("pipelines:\n  - name: main\n    stages:\n      - {name: Source, actions: [{name: Source}]}\n" +
		"      - name: Build\n        actions:\n")
	for i := range n {
		fmt.Fprintf(&w, "          - {name: B%d, project: p%d}\n", i, i)
	}
	w.WriteString("starts:\n  - {pipeline: main}\n")
	s := open(t, w.String(), set.String())
	begin := s.Sim.Clock.Now()
	s.pass(20 * time.Minute)
	s.hours(3)
	var started time.Duration
	for _, c := range s.allCases() {
		started = max(started, last(c.Rounds).RetryAt.Sub(begin))
		if c.Outcome != decide.Healed {
			t.Errorf("%s: outcome %q", c.Project, c.Outcome)
		}
	}
	if open := s.due("case"); started > 40*time.Minute || len(open) > 0 {
		t.Errorf("the registry was back after 10 minutes, and the last was started after %s; open: %v, %q", started, open, s.subjects())
	}
}

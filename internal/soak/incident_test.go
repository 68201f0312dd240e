package soak

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/notice"
	"github.com/buildmedic/buildmedic/internal/simaws"
	"github.com/buildmedic/buildmedic/internal/story"
)

// down is a story in which n projects need a registry that is down for so long, and fail at once. After
// so many minutes, late more do.
func down(n, late int, lasts string, limits string) story.Story {
	var w, s, starts strings.Builder
	fmt.Fprintf(&w, "start: 2026-11-22T10:00:00Z\noutages:\n  - {host: npm.example.com, lasts: %s, prints: \"npm ERR! code ETIMEDOUT\\n"+
		"npm ERR! network request to https://npm.example.com/left-pad failed, reason: connect ETIMEDOUT\"}\n"+
		"roles:\n  - name: ci\n    inline: {base: '{\"Version\": \"2012-10-17\", \"Statement\": [{\"Effect\": \"Allow\", "+
		"\"Action\": \"logs:*\", \"Resource\": \"*\"}]}'}\nprojects:\n", lasts)
	fmt.Fprintf(&s, "version: 1\nlimits: {%s}\nprojects:\n", limits)
	for i := range n + late {
		fmt.Fprintf(&w, "  - {name: p%d, role: ci, versions: [{ref: refs/heads/main}], "+
			"buildspecs: {buildspec.yml: {build: [{run: npm ci, needs: npm.example.com}]}}}\n", i)
		fmt.Fprintf(&s, "  - {name: p%d, role: ci, mode: heal, write: {inline: healed}}\n", i)
		after := time.Duration(i) * time.Second
		if i >= n {
			after += 4 * time.Minute
		}
		fmt.Fprintf(&starts, "  - {project: p%d, version: refs/heads/main, after: %s}\n", i, after)
	}
	return story.Story{Name: "registry-down", World: []byte(w.String() + "starts:\n" + starts.String()), Settings: []byte(s.String()),
		Expect: story.Expect{Project: "p0"}}
}

// ended is what an incident came to.
type ended struct {
	starts, notices, incidents int
	kinds                      map[string]int
}

// incidentEnd holds the end of such a story to what must be: no failed build was started again twice,
// each case has ended, and somebody was told of each; nothing was granted, and no incident is left.
func (r *run) incidentEnd(ctx context.Context, n int) (e ended, bad []string) {
	sim := r.st.Sim
	e.kinds = map[string]int{}
	again := map[string]int{}
	for _, c := range sim.Calls() {
		switch {
		case c.Operation == "RetryBuild" && c.Took:
			again[c.About]++
		case c.Service == "iam" && c.Writes:
			bad = append(bad, "changed: "+c.String())
		}
	}
	told := map[string]bool{}
	for _, m := range sim.Notices() {
		var one notice.Notice
		if err := json.Unmarshal([]byte(m.ByProtocol["sqs"]), &one); err != nil || one.Schema != notice.Schema {
			continue // a digest
		}
		e.notices++
		e.kinds[string(one.Kind)]++
		if one.Incident == nil {
			told[one.Case.ID] = told[one.Case.ID] || one.Kind != decide.Retrying
			continue
		}
		e.incidents++
		for _, f := range one.Incident.Named {
			told[f.Case] = true
		}
	}
	for build, times := range again {
		if e.starts += times; times > 1 {
			bad = append(bad, fmt.Sprintf("%s was started again %d times", build, times))
		}
	}
	for i := range n {
		for _, b := range sim.Builds(fmt.Sprintf("p%d", i)) {
			it, err := r.st.Store.Get(ctx, "build", b.ID)
			if err != nil && b.Status == "SUCCEEDED" {
				continue // its event found the case that had started it
			}
			if err != nil {
				bad = append(bad, fmt.Sprintf("build %s is lost: %v", b.ID, err))
				continue
			}
			c, err := r.st.Inbox.Healer.Case(ctx, string(it.Data))
			if err != nil || c.Closed.IsZero() || !told[c.ID] {
				bad = append(bad, fmt.Sprintf("case %s of %s: told %v, ended %v %s, %v", c.ID, b.ID, told[c.ID], c.Closed, c.Outcome, err))
			}
		}
	}
	open, err := r.st.Inbox.Healer.Incidents(ctx)
	if err != nil || len(open) > 0 {
		bad = append(bad, fmt.Sprintf("open incidents %+v, %v", open, err))
	}
	if dead := len(sim.Queued(simaws.DeadLetter)); dead > 0 {
		bad = append(bad, fmt.Sprintf("%d messages were given up", dead))
	}
	return e, bad
}

// sweeps lets the schedule sweep for long enough that whatever is left is found.
func (r *run) sweeps(ctx context.Context, n int) error {
	for range n {
		r.st.Sim.Clock.Advance(15 * time.Minute)
		if err := r.tell(ctx, `{"sweep":{}}`); err != nil {
			return err
		}
		if err := r.drain(ctx); err != nil {
			return err
		}
	}
	return nil
}

// TestCrashInIncident lets the function die at every call and every write of an incident. However that
// ends, no build is started twice, no failure goes untold, and the incident ends.
func TestCrashInIncident(t *testing.T) {
	s := down(4, 1, "8m", "incident_projects: 3")
	ctx := context.Background()
	play := func(at point, lost bool) (*run, ended, []string) {
		r, err := open(s, at, lost)
		if err != nil {
			t.Fatal(err)
		}
		defer r.close()
		if err = r.play(ctx); err == nil {
			err = r.sweeps(ctx, 10)
		}
		if err != nil {
			return r, ended{}, []string{err.Error()}
		}
		e, bad := r.incidentEnd(ctx, 5)
		return r, e, bad
	}
	r, want, bad := play(point{}, false)
	if len(bad) > 0 || want.incidents != 2 {
		t.Fatalf("%+v: %s", want, strings.Join(bad, "\n"))
	}
	deaths := 0
	die := func(at point, lost bool) {
		deaths++
		r, e, bad := play(at, lost)
		// One death may cost the cases of a batch notices of their own, and the incident one more.
		if e.notices > want.notices+8 || e.incidents < 1 || e.incidents > want.incidents+2 || e.starts > want.starts+3 {
			bad = append(bad, fmt.Sprintf("it came to %+v, and undisturbed to %+v", e, want))
		}
		if len(bad) > 0 {
			t.Errorf("%s (%s), message lost %v:\n%s", at, r.life.where, lost, strings.Join(bad, "\n"))
		}
	}
	every := 5 // a death takes long: a prime number comes to each kind of place
	if *long {
		every = 1
	}
	for n := 1; n <= r.life.calls; n += every {
		die(point{n: n}, false)
		if r.life.effects[n] {
			die(point{n: n, after: true}, false)
			die(point{n: n, after: true}, true)
		}
	}
	for n := 1; n <= r.life.writes; n += every {
		die(point{ledger: true, n: n}, false)
		die(point{ledger: true, n: n, after: true}, false)
		die(point{ledger: true, n: n, after: true}, true)
	}
	t.Logf("%d deaths; undisturbed it came to %+v", deaths, want)
}

// TestIncidentStorm has a registry fail 60 projects within a minute: the numbers of notices and starts
// are those of one incident.
func TestIncidentStorm(t *testing.T) {
	const n, first = 60, 4 // those that have failed before it is an incident go their own roads
	s := down(n, 0, "25m", "retries_per_hour: 200")
	ctx := context.Background()
	r, err := open(s, point{}, false)
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	if err := r.play(ctx); err != nil {
		t.Fatal(err)
	}
	e, bad := r.incidentEnd(ctx, 0)
	if len(bad) > 0 {
		t.Error(strings.Join(bad, "\n"))
	}
	if e.incidents != 2 || e.notices > 2+first || e.starts > n+first+6 {
		t.Errorf("%+v", e)
	}
	t.Logf("%+v", e)
}

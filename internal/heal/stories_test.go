package heal_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/diagnose"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/settings"
	"github.com/buildmedic/buildmedic/internal/story"
	"github.com/buildmedic/buildmedic/testdata"
)

var update = flag.Bool("update", false, "rewrite the golden decisions")

func stories(t *testing.T) []story.Story {
	t.Helper()
	ss, err := story.Load(testdata.Stories, "stories")
	if err != nil {
		t.Fatal(err)
	}
	more, err := story.Load(testdata.Routes, "routes")
	if err != nil {
		t.Fatal(err)
	}
	return append(ss, more...)
}

// decided is what the golden file says of one round.
type decided struct {
	Story    string
	Round    int
	Mode     settings.Mode
	Remedy   diagnose.Remedy
	Why      string
	Refusals []guardrail.Rule `json:",omitempty"`
	Grants   []string         `json:",omitempty"`
	Route    decide.Route     `json:",omitempty"`
	Settle   string           `json:",omitempty"`
	Changes  bool             `json:",omitempty"`
	Undo     int              `json:",omitempty"`
}

// TestStoriesDecide compares every decision of every story with the golden file,
// and ensures that among them each remedy and each route occurs.
func TestStoriesDecide(t *testing.T) {
	var all []decided
	remedies, routes := map[diagnose.Remedy]bool{}, map[decide.Route]bool{}
	for _, s := range stories(t) {
		st, err := story.Open(s, story.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer st.Close()
		if err := st.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		r, err := st.Result(context.Background())
		if err != nil || r.Case == "" {
			t.Fatalf("%s: case %q, %v", s.Name, r.Case, err)
		}
		c, err := st.Inbox.Healer.Case(context.Background(), r.Case)
		if err != nil {
			t.Fatal(err)
		}
		for i, round := range c.Rounds {
			d := tell(s.Name, i, round)
			all = append(all, d)
			remedies[d.Remedy], routes[d.Route] = true, true
		}
	}
	for _, r := range []diagnose.Remedy{
		diagnose.Grant, diagnose.Retry, diagnose.OverrideBuildspec, diagnose.CreateRepository, diagnose.SwitchRole,
		diagnose.Report,
	} {
		if !remedies[r] {
			t.Errorf("no story ends in %s", r)
		}
	}
	for _, r := range []decide.Route{
		decide.RouteNone, decide.RouteBuild, decide.RouteStart, decide.RouteStage, decide.RouteBatch,
		decide.RouteCodeBuild,
	} {
		if !routes[r] {
			t.Errorf("no story takes the route %s", r)
		}
	}
	compare(t, "decisions.jsonl", all)
}

func tell(name string, i int, r decide.Round) decided {
	d := decided{Story: name, Round: i}
	if r.Decision == nil {
		return d
	}
	d.Mode, d.Remedy, d.Why, d.Undo, d.Changes = r.Decision.Mode, r.Decision.Remedy, r.Decision.Why, r.Decision.Undo, r.Decision.Mutates()
	for _, f := range r.Decision.Refusals {
		d.Refusals = append(d.Refusals, f.Rule)
	}
	for _, u := range r.Decision.Used {
		d.Grants = append(d.Grants, u.Grant)
	}
	if p := r.Decision.Plan; p != nil {
		d.Route = p.Route
		if p.Settle > 0 {
			d.Settle = fmt.Sprint(p.Settle)
		}
	}
	return d
}

func compare(t *testing.T, file string, all []decided) {
	t.Helper()
	var got []byte
	for _, d := range all {
		line, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		got = append(append(got, line...), '\n')
	}
	path := filepath.Join("testdata", file)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("%s (-want +got); if that is right, run: go test ./internal/heal -update\n%s", path, d)
	}
}

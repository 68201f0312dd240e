package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/ledger"
	"github.com/buildmedic/buildmedic/internal/story"
	"github.com/buildmedic/buildmedic/testdata"
)

// remembered plays a story to its end with a ledger in a file, and gives its path.
func remembered(t *testing.T, name string) string {
	t.Helper()
	ss, err := story.Load(testdata.Stories, "stories")
	if err != nil {
		t.Fatal(err)
	}
	more, err := story.Load(testdata.Routes, "routes")
	if err != nil {
		t.Fatal(err)
	}
	ss = append(ss, more...)
	path := filepath.Join(t.TempDir(), "ledger.json")
	for _, s := range ss {
		if s.Name != name {
			continue
		}
		var file *ledger.File
		st, err := story.Open(s, story.Options{Store: func(c heal.Clock) heal.Store {
			if file, err = ledger.OpenFile(path, c); err != nil {
				t.Fatal(err)
			}
			return file
		}})
		if err != nil {
			t.Fatal(err)
		}
		defer st.Close()
		if err := st.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		if err := file.Close(); err != nil {
			t.Fatal(err)
		}
		old := deskClock
		deskClock = st.Sim.Clock
		t.Cleanup(func() { deskClock = old })
		return path
	}
	t.Fatalf("there is no story %q", name)
	return ""
}

// TestHistoryOfTests holds what history says of flaky tests, and of what failed builds cost, to
// golden files: the builds of the first two stories run 111 seconds each.
func TestHistoryOfTests(t *testing.T) {
	for _, name := range []string{"flaky-test-started-again", "broken-test-left-alone", "docker-hub-rate-limit", "batch",
		"native-auto-retry"} {
		path := remembered(t, name)
		for _, what := range []string{"-flaky", "-costs"} {
			for _, as := range []string{"", "-json"} {
				args := []string{"history", "-ledger", path, what}
				if as != "" {
					args = append(args, as)
				}
				code, out, errs := buildmedic(t, "", args...)
				if code != exitOK || as != "" && !json.Valid([]byte(out)) {
					t.Fatalf("%v: code %d\n%s%s", args, code, out, errs)
				}
				golden := filepath.Join("testdata", "history", name+what+as+".txt")
				if *update {
					if err := os.WriteFile(golden, []byte(out), 0o644); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(golden)
				if err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff(string(want), out); d != "" {
					t.Errorf("%s %s %s (-want +got); if that is right, run it with -update:\n%s", name, what, as, d)
				}
			}
		}
	}
	for _, args := range [][]string{{"-flaky", "-costs"}, {"-costs", "-days", "0"}, {"-costs", "-days", "91"}, {"-flaky", "-n", "0"}} {
		if code, _, _ := buildmedic(t, "", append([]string{"history"}, args...)...); code == exitOK {
			t.Errorf("%v is taken", args)
		}
	}
}

// TestHistoryAtAPrice ensures that history -costs says what failed builds cost by the settings' prices,
// and how much sooner they were green, with what it compares.
func TestHistoryAtAPrice(t *testing.T) {
	path := remembered(t, "flaky-test-started-again")
	file := filepath.Join(t.TempDir(), "prices.yaml")
	for settings, want := range map[string]string{ // two builds of 111 seconds
		"":                                    "",
		"notify: {price_per_minute: 0.5 USD}": "At your price: 1.85 USD for 2",
		"projects: [{name: shop, role: r, price_per_minute: 6 EUR}]":                         "At your price: 22.20 EUR for 2",
		"projects: [{name: other, role: r, price_per_minute: 6 EUR}, {name: shop, role: r}]": "",
	} {
		settings = "version: 1\n" + settings + "\n"
		if err := os.WriteFile(file, []byte(settings), 0o644); err != nil {
			t.Fatal(err)
		}
		code, out, errs := buildmedic(t, "", "history", "-ledger", path, "-costs", "-settings", file)
		if code != exitOK || !strings.Contains(out, want) || strings.Contains(out, "At your price") != (want != "") {
			t.Errorf("%s: code %d, %q is not in\n%s%s", settings, code, want, out, errs)
		}
	}
	var b strings.Builder
	printCosts(&b, decide.Costs{Total: decide.CauseCost{Builds: 3}, Saved: &decide.Saved{Builds: 2, Seconds: 90}})
	if !strings.Contains(b.String(), "Saved, an estimate: 1.5 minutes until green. 2 healed builds") {
		t.Errorf("of what was saved it says\n%s", b.String())
	}
}

// TestCostsFit ensures that at 60 columns no line of the costs is broken or too long, and that of
// the columns those are left out that tell the least.
func TestCostsFit(t *testing.T) {
	one := decide.CauseCost{Cause: "missing-permission", Builds: 4, Seconds: 156, Healed: decide.ToGreen{Builds: 1, Median: 60},
		Others: decide.ToGreen{Builds: 2, Median: 3600}}
	t.Setenv("COLUMNS", "60")
	var b strings.Builder
	printCosts(&b, decide.Costs{Causes: []decide.CauseCost{one}, Total: one})
	for l := range strings.Lines(b.String()) {
		if n := shown(strings.TrimSuffix(l, "\n")); n > 60 {
			t.Errorf("%d columns: %s", n, l)
		}
	}
	if want := "HEALED  TO GREEN   OPEN\n"; !strings.Contains(b.String(), want) || strings.Contains(b.String(), "OTHERS") {
		t.Errorf("it lacks %q:\n%s", want, b.String())
	}
}

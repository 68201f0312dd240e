package notice

import (
	"strings"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/decide"
)

// TestWeekOnAPhone ensures that a full week fits 60 lines of 40 columns, that the first 15 tell what
// it comes to, and that names cannot grow it.
func TestWeekOnAPhone(t *testing.T) {
	w := sampleWeek()
	for i := range w.Standing {
		w.Standing[i].Project = strings.Repeat("p", 150)
	}
	for range 20 {
		w.Costs.Causes = append(w.Costs.Causes, decide.CauseCost{Cause: "missing-permission", Builds: 1000, Seconds: 100_000,
			Healed: decide.ToGreen{Builds: 900}})
		w.Flaky = append(w.Flaky, w.Flaky[0])
		w.Standing = append(w.Standing, w.Standing[0])
		w.Rules = append(w.Rules, w.Rules[0])
	}
	w.For = "web"
	m := Week(w)
	var lines []string
	for l := range strings.Lines(m.Email) {
		lines = append(lines, wrap(strings.TrimRight(l, "\n"), 40)...)
	}
	if len(lines) >= 60 {
		t.Errorf("%d lines of 40 columns:\n%s", len(lines), strings.Join(lines, "\n"))
	}
	first := strings.Join(lines[:15], " ")
	for _, want := range []string{"web: 16 failed builds", "Healed", "Refused", "Waiting", "Drift", "Lost", "0.46 USD", "Saved",
		"estimate"} {
		if !strings.Contains(first, want) {
			t.Errorf("%q is not in the first 15 lines:\n%s", want, first)
		}
	}
	if m.attributes["to"] != "web" || m.ID == Week(sampleWeek()).ID {
		t.Errorf("an owner's week is %q to %q, as that of all", m.ID, m.attributes["to"])
	}
}

// TestQuietWeek ensures that a week in which no build failed says so, and what still stands, and
// that what took longer is not called saved.
func TestQuietWeek(t *testing.T) {
	w := sampleWeek()
	w.Costs = decide.Costs{Saved: &decide.Saved{Builds: 1, Seconds: -90}}
	w.Ended, w.Refused, w.Rules = nil, 0, nil
	w.Standing = w.Standing[:1]
	w.Standing[0].Since = w.To.Add(-25 * time.Hour)
	m := Week(w)
	for _, want := range []string{"No build failed in the week of 2026-11-16.", "1 change not in your code yet, the oldest for 1 day",
		"nothing, about 1 min 30 s longer"} {
		if !strings.Contains(strings.Join(strings.Fields(m.Email), " "), want) {
			t.Errorf("%q is not in it:\n%s", want, m.Email)
		}
	}
}

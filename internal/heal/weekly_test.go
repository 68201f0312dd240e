package heal

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// TestWeekOfEach ensures that each owner's week is of its own projects, that all of them are in that
// of notify or those which no owner is told of, and what it sums up.
func TestWeekOfEach(t *testing.T) {
	monday := time.Date(2026, 11, 16, 0, 0, 0, 0, time.UTC)
	at := func(days int, d time.Duration) time.Time { return monday.AddDate(0, 0, days).Add(d) }
	build := func(days int, took, green time.Duration, own bool) pastBuild {
		b := pastBuild{Cause: "missing-permission", Start: at(days, 0), End: at(days, took), Own: own}
		if green > 0 {
			b.Green = b.End.Add(green)
		}
		return b
	}
	of := func(project string) pastOfProject { return pastOfProject{"111122223333", "eu-west-1", project} }
	b := weekBook{from: monday, to: at(7, 0), projects: []pastProject{
		{of("shop"), past{Builds: []pastBuild{
			build(-20, time.Minute, 10*time.Minute, false), build(-19, time.Minute, 30*time.Minute, false),
			build(-18, time.Minute, 50*time.Minute, false), // before the week: they count for the median alone
			build(0, 90*time.Second, 10*time.Minute, true), build(1, 30*time.Second, 0, false), build(7, time.Hour, time.Hour, true)},
			Tests: []pastTest{{Name: "pays", Flaked: 2}}}},
		{of("lake"), past{Builds: []pastBuild{build(2, 2*time.Minute, time.Minute, true)}}},
		{of("tools"), past{Builds: []pastBuild{build(3, time.Minute, 0, false)}}},
	}}
	closed := func(project string, days int, k decide.Kind, refused []guardrail.Rule, stands ...Stand) {
		b.cases = append(b.cases, Summary{Case: project, Project: project, Account: "111122223333", Region: "eu-west-1",
			Closed: at(days, 0), Outcome: k, Refused: refused, Stands: stands})
	}
	closed("shop", 1, decide.Healed, nil, Stand{"inline policy healed of role shop", at(1, 0)})
	closed("shop", 2, decide.Reported, []guardrail.Rule{"a", "b"})
	closed("shop", 3, decide.Reported, []guardrail.Rule{"b"})
	closed("shop", 3, decide.Proposed, []guardrail.Rule{"c"})
	closed("shop", 4, decide.Reported, nil)
	closed("shop", -1, decide.Undone, nil)
	closed("shop", 7, decide.Failed, nil)
	closed("shop", -30, decide.Healed, nil, Stand{"inline policy healed of role shop", at(-31, 0)}, Stand{"repository x", at(-30, 0)})
	closed("shop", 8, decide.Healed, nil, Stand{"repository of the next week", at(8, 0)})
	closed("lake", 2, decide.Healed, nil, Stand{"inline policy healed of role lake", at(2, 0)})
	h := &Healer{Home: settings.Account{ID: "111122223333", Region: "eu-west-1"}, Settings: &settings.Settings{
		Notify: settings.Notify{Owners: []settings.Owner{{Name: "web", Email: []string{"w@example.com"}},
			{Name: "data", Topic: "t"}, {Name: "nowhere"}}},
		Projects: []settings.Project{{Name: "shop", Owner: "web", Price: settings.Price{Millionths: 20_000, Currency: "USD"}},
			{Name: "lake", Owner: "data"}, {Name: "tools", Owner: "nowhere"}},
	}}
	web := b.week(h, "web")
	want := decide.Week{From: monday, To: at(7, 0), Home: h.Home, For: "web",
		Ended:   map[decide.Kind]int{decide.Healed: 1, decide.Reported: 3, decide.Proposed: 1},
		Refused: 2, Rules: []decide.RuleCount{{Rule: "b", Cases: 2}, {Rule: "a", Cases: 1}},
		Standing: []decide.Standing{
			{What: "inline policy healed of role shop", Project: "shop", Account: "111122223333", Region: "eu-west-1", Cases: 2,
				Since: at(-31, 0)},
			{What: "repository x", Project: "shop", Account: "111122223333", Region: "eu-west-1", Cases: 1, Since: at(-30, 0)}},
	}
	costs := web.Costs
	if len(web.Flaky) != 1 || web.Flaky[0].Name != "pays" {
		t.Errorf("flaky: %+v", web.Flaky)
	}
	web.Costs, web.Flaky = decide.Costs{}, nil
	if d := cmp.Diff(want, web); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	// 120 seconds at 0.02 a minute; the median of others is 30 minutes, and the healed build took 10.
	if costs.Total.Builds != 2 || costs.Total.Seconds != 120 ||
		!cmp.Equal(costs.Price, &decide.Price{Builds: 2, Millionths: 40_000, Currency: "USD"}) || costs.Price.Amount() != "0.04" ||
		!cmp.Equal(costs.Saved, &decide.Saved{Builds: 1, Seconds: 20 * 60}) {
		t.Errorf("costs: %+v, %+v, %+v", costs, costs.Price, costs.Saved)
	}
	if c := b.week(h, "data").Costs; c.Total.Builds != 1 || c.Price != nil || c.Saved != nil {
		t.Errorf("without a price, and with nobody to compare with: %+v", c)
	}
	if w := b.week(h, ""); w.Costs.Total.Builds != 4 || len(w.Standing) != 3 || w.Ended[decide.Healed] != 2 {
		t.Errorf("of all: %+v", w)
	}
	h.Settings.Notify.Unowned = true
	if w := b.week(h, ""); w.Costs.Total.Builds != 1 || len(w.Ended)+len(w.Standing)+len(w.Flaky) > 0 {
		t.Errorf("of what no owner is told of: %+v", w)
	}
}

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/heal"
)

// TestHistoryPage ensures that the page of a ledger has the figures that the command prints, and
// that what it prints stays the same.
func TestHistoryPage(t *testing.T) {
	for name, want := range map[string][]string{
		"flaky-test-started-again": {"Flakiest tests", "test_order_is_announced", "Green again by Buildmedic 1 50 %",
			"healed The build that was started again is green."},
		"proposed-and-approved": {"What became of the cases"},
		"not-allowed":           {"not-on-allowlist", "reported Explained; nothing was changed."},
		"storm":                 {"project", "What was healed"},
	} {
		path := remembered(t, name)
		file := filepath.Join(t.TempDir(), "page.html")
		_, plain, _ := buildmedic(t, "", "history", "-ledger", path)
		code, out, errs := buildmedic(t, "", "history", "-ledger", path, "-html", file)
		if code != exitOK || out != plain || !strings.Contains(errs, "The page is in "+file) {
			t.Fatalf("%s: code %d\n%s\n%s", name, code, out, errs)
		}
		page, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		got := textOf(t, page)
		_, out, _ = buildmedic(t, "", "history", "-ledger", path, "-costs", "-json")
		var costs decide.Costs
		if err := json.Unmarshal([]byte(out), &costs); err != nil {
			t.Fatal(err)
		}
		want = append(want, fmt.Sprintf("%s of ", count(costs.Total.Builds, "failed build")), "account ",
			fmt.Sprintf("Of %d; of %d none is known.", costs.Total.Healed.Builds+costs.Total.Others.Builds,
				costs.Total.Builds-costs.Total.Healed.Builds-costs.Total.Others.Builds))
		for _, w := range want {
			if !strings.Contains(got, w) {
				t.Errorf("%s: it does not say %q", name, w)
			}
		}
		if t.Failed() {
			t.Logf("%.3000s", got)
			break
		}
	}
}

// TestHistoryPageOfNothing ensures that there is a page where nothing is remembered, and that one of
// a project that there is not says so.
func TestHistoryPageOfNothing(t *testing.T) {
	path := remembered(t, "docker-hub-rate-limit")
	code, out, errs := buildmedic(t, "", "history", "-ledger", path, "-html", "-", "nothing")
	if got := textOf(t, []byte(out)); code != exitOK || !strings.Contains(got, "No build is known to have "+
		"failed in this time.") ||
		!strings.Contains(got, "project nothing") {
		t.Errorf("code %d\n%s\n%s", code, errs, got)
	}
	if code, _, errs := buildmedic(
		t,
		"",
		"history",
		"-html",
		"-",
		"-json",
	); code != exitUsage ||
		!strings.Contains(errs, "give the page a file") {
		t.Errorf("with -json: code %d, %s", code, errs)
	}
}

// TestGreens ensures that a failed build is followed by the first green one of its series that began
// after it had ended.
func TestGreens(t *testing.T) {
	at := func(minute int) time.Time { return time.Date(2026, 9, 1, 10, minute, 0, 0, time.UTC) }
	build := func(ref, status string, from, to int) codebuild.Build {
		return codebuild.Build{SourceVersion: ref, Status: status, Start: at(from), End: at(to)}
	}
	g := greens{}
	for _, b := range []codebuild.Build{
		build("refs/heads/main", codebuild.Succeeded, 40, 50), build("refs/heads/main", codebuild.Succeeded, 31, 52),
		build("refs/heads/main", codebuild.Succeeded, 5, 12), build("refs/heads/next", codebuild.Succeeded, 15, 16),
		build("refs/heads/main", codebuild.Failed, 20, 21), build("refs/heads/main", codebuild.InProgress, 20, 21),
		{SourceVersion: "refs/heads/main", Status: codebuild.Succeeded, Start: at(20), End: at(21), BatchARN: "arn:b"},
		{SourceVersion: strings.Repeat("a", 40), Status: codebuild.Succeeded, Start: at(20), End: at(21)},
	} {
		g.add(b)
	}
	for _, tt := range []struct {
		failed codebuild.Build
		want   time.Time
	}{
		{build("refs/heads/main", codebuild.Failed, 0, 10), at(50)},
		{build("refs/heads/main", codebuild.Failed, 0, 31), at(50)},
		{build("refs/heads/main", codebuild.Failed, 0, 5), at(12)},
		{build("refs/heads/main", codebuild.Failed, 0, 41), time.Time{}},
		{build("refs/heads/next", codebuild.Failed, 0, 10), at(16)},
		{build("refs/heads/other", codebuild.Failed, 0, 10), time.Time{}},
		{build(strings.Repeat("a", 40), codebuild.Failed, 0, 10), time.Time{}},
		{codebuild.Build{SourceVersion: "refs/heads/main", End: at(10), BatchARN: "arn:b"}, time.Time{}},
		{codebuild.Build{SourceVersion: "refs/heads/main"}, time.Time{}},
	} {
		if got := g.next(tt.failed); !got.Equal(tt.want) {
			t.Errorf("%s, ended %s: %s, want %s", tt.failed.SourceVersion, tt.failed.End, got, tt.want)
		}
	}
}

// TestOutcomesExplained ensures that a page explains every outcome that a case may have.
func TestOutcomesExplained(t *testing.T) {
	for _, k := range []decide.Kind{decide.Healed, decide.Proposed, decide.Requested, decide.Reported,
		decide.Undone, decide.Failed, decide.MadePermanent, heal.Open} {
		if outcomeTerms[k] == "" {
			t.Errorf("%s is not explained", k)
		}
	}
}

// TestCasesThatWait ensures that open cases, plans that can be approved, and what pull requests ask for
// are shown as waiting.
func TestCasesThatWait(t *testing.T) {
	now := time.Date(2026, 9, 1, 10, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		outcome decide.Kind
		until   time.Time
		waits   bool
	}{
		{heal.Open, time.Time{}, true}, {decide.Healed, time.Time{}, false}, {decide.Reported, now.Add(time.Hour), false},
		{decide.Requested, time.Time{}, true},
		{decide.Proposed, now.Add(time.Hour), true}, {decide.Proposed, now, false}, {decide.Proposed, time.Time{}, true},
	} {
		got := caseOf(heal.Summary{Case: "1", Outcome: tt.outcome, Until: tt.until,
			Refused: []guardrail.Rule{guardrail.NotAllowed}}, now)
		if got.Waits != tt.waits || got.Until.IsZero() == (tt.outcome == decide.Proposed && !tt.until.IsZero()) ||
			len(got.Refused) != 1 || got.Refused[0] != "not-on-allowlist" {
			t.Errorf("%s until %s: %+v", tt.outcome, tt.until, got)
		}
	}
}

// TestTellRequested ensures that `buildmedic show` says which pull requests a case waits for.
func TestTellRequested(t *testing.T) {
	c := decide.Case{ID: "1160bc9cefbf0600", Project: "shop", Outcome: decide.Requested, Closed: time.Now(), Rounds: []decide.Round{{
		Requests: []decide.Request{
			{Grant: "shop-image", Repository: "example/shop", Path: "aws/p.json", Number: "12", State: decide.RequestOpened},
			{Grant: "shop-site", Repository: "example/shop", Path: "aws/p.json", State: decide.RequestLanded}}}}}
	got := tellCase(c)
	for _, want := range []string{"  waits for example/shop#12 (opened), for grant shop-image\n",
		"  waits for aws/p.json in example/shop (landed), for grant shop-site\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if c.Outcome = decide.Healed; strings.Contains(tellCase(c), "waits for") {
		t.Errorf("it is healed:\n%s", tellCase(c))
	}
}

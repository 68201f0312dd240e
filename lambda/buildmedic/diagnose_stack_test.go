package main

import (
	"strings"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/simaws"
	"github.com/buildmedic/buildmedic/internal/story"
	"github.com/buildmedic/buildmedic/testdata"
)

// TestDiagnoseStack: whoever names a stack is told why it failed, by their own credentials, where the
// log leaves it open; and when that was.
func TestDiagnoseStack(t *testing.T) {
	routes, err := story.Load(testdata.Routes, "routes")
	if err != nil {
		t.Fatal(err)
	}
	var sim *simaws.Sim
	for _, r := range routes {
		if r.Name == "hook-in-a-nested-stack" {
			if sim, err = simaws.Load(r.World); err != nil {
				t.Fatal(err)
			}
		}
	}
	t.Cleanup(sim.Close)
	sim.Settle()
	behind(t, sim)
	silent := "[Container] 2026/11/22 10:13:02 Running command ./deploy.sh\nFailed to create/update the stack.\n" +
		"[Container] 2026/11/22 10:14:02 Command did not exit successfully ./deploy.sh exit status 255\n" +
		"[Container] 2026/11/22 10:14:02 Phase complete: BUILD State: FAILED\n"
	for _, row := range []struct {
		name, log, stack string
		later            time.Duration
		code             int
		out, err         string
	}{
		{"why", silent, "shop", 0, exitOK, "CloudFormation says  shop-Data-1X2Y3Z | HOOK_COMPLETE_FAILED", "is of 22 November 2026, 10:1"},
		{"no such stack", silent, "web", 0, exitFailed, "", `there is no stack "web" in account 111122223333, region eu-west-1`},
		{"the log says it", strings.Replace(silent, "Failed to create/update the stack.", "toomanyrequests: You have reached your "+
			"pull rate limit", 1), "shop", 0, exitOK, "pull rate limit", "so stack shop was not asked"},
		{"long ago", silent, "shop", 8 * 24 * time.Hour, exitOK, "Failed to create/update", "nothing failed within the last week"},
	} {
		sim.Clock.Advance(row.later)
		code, out, errs := buildmedic(t, row.log, "diagnose", "-stack", row.stack)
		if code != row.code || !strings.Contains(out, row.out) || !strings.Contains(errs, row.err) {
			t.Errorf("%s: code %d\n%s\n%s", row.name, code, out, errs)
		}
	}
	code, _, errs := buildmedic(t, "", "diagnose", "-jsonl", "-stack", "shop")
	if code != exitUsage || !strings.Contains(errs, "not for -jsonl") {
		t.Errorf("code %d: %s", code, errs)
	}
	for _, c := range sim.Calls() {
		if c.Service == "cloudformation" && c.Operation != "DescribeEvents" {
			t.Errorf("it called %s", c.Operation)
		}
	}
}

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"github.com/buildmedic/buildmedic/internal/simaws"
)

var long = flag.Bool("long", false, "measure a scan of 1,000 projects, too")

// TestScanPace measures a scan at the account's rates against the least time that it can take:
//
//   - each failed build has one page of its log read;
//   - the projects' names and records, the builds' ids and their records come by the hundred, and
//     the ids, if that is less, with one call for each project;
//   - a service lets its burst through at once, and the rest at its rate;
//   - services are asked at the same time, so the slowest of them is the bound.
//
// The pages of the account's list must follow one another, and so must a project's list, its
// records and its logs: the bound leaves that out.
//
// Beside it: the same where the account must not be listed as a whole, where few builds failed,
// and where three calls in ten are throttled by chance, which has no bound but must end.
func TestScanPace(t *testing.T) {
	type size struct{ projects, rounds int }
	sizes, most := []size{{30, 6}}, 1.15
	if *long {
		sizes, most = []size{{1000, 10}}, 1.05
	}
	t.Logf("%8s %8s %-26s %10s %12s %6s %8s %10s", "projects", "failed", "account", "bound", "took", "ratio", "calls",
		"throttled")
	for _, s := range sizes {
		sim := failingAccount(t, s.projects, s.rounds)
		privateCache(t, sim)
		want := ""
		for _, row := range []struct {
			name     string
			trouble  simaws.Trouble
			most     int
			unlisted bool
		}{
			{"at its rates", simaws.Trouble{RateLimits: true}, s.rounds, false},
			{"not listed as a whole", simaws.Trouble{RateLimits: true}, s.rounds, true},
			{"30 % throttled by chance", simaws.Trouble{RateLimits: true, Throttle: 0.3}, s.rounds, false},
			{"one build a project", simaws.Trouble{RateLimits: true}, 1, false},
		} {
			if row.trouble.Throttle > 0 && !*long {
				continue // TestScanThrottled has it
			}
			if row.unlisted {
				sim.Hook(func(c simaws.Call) simaws.Fault {
					if c.Operation == "ListBuilds" {
						return simaws.Fault{Code: "AccessDeniedException", Message: "no", Status: 400}
					}
					return simaws.Fault{}
				})
			}
			from := len(sim.Calls())
			code, out, errs, took := bubble(t, sim, row.trouble, scanOptions{most: row.most, days: 30}, nil)
			sim.Unhook()
			failed := s.projects * row.most
			says := fmt.Sprintf("Account 111122223333, region eu-west-1: %d projects, %d failed builds read\n", s.projects,
				failed)
			if code != exitOK || !strings.HasPrefix(out, says) {
				t.Fatalf("%s: code %d\n%.300s\n%s", row.name, code, out, errs)
			}
			if row.most == s.rounds {
				if want == "" {
					want = out
				}
				if out != want {
					t.Errorf("%s: the report is another one", row.name)
				}
			}
			bound := leastTime(s.projects, s.projects*s.rounds, failed)
			ratio := took.Seconds() / bound.Seconds()
			n, throttled := kinds(sim, from)
			calls := 0
			for _, c := range n {
				calls += c
			}
			t.Logf("%8d %8d %-26s %10s %12s %6.3f %8d %10d", s.projects, failed, row.name, bound.Round(time.Second),
				took.Round(100*time.Millisecond), ratio, calls, throttled)
			if row.trouble.Throttle == 0 && row.most == s.rounds && ratio > most {
				t.Errorf("%s: %.3f times the bound; want at most %.2f; calls %v", row.name, ratio, most, n)
			}
			if row.trouble.Throttle == 0 && throttled > calls/100 {
				t.Errorf("%s: %d of %d calls were throttled", row.name, throttled, calls)
			}
		}
	}
}

// leastTime is the least time that it takes to read the failed builds among all builds.
func leastTime(projects, builds, failed int) time.Duration {
	pages := func(n int) int { return (n + 99) / 100 }
	var longest float64
	for _, row := range []struct {
		service, operation string
		calls              int
	}{
		{"logs", "GetLogEvents", failed},
		{"codebuild", "", 2*pages(projects) + min(projects, pages(builds)) + pages(failed)},
	} {
		rate, _, _, _ := simaws.RateOf(row.service, row.operation, "eu-west-1")
		longest = math.Max(longest, (float64(row.calls)-rate.Burst)/rate.PerSecond)
	}
	return time.Duration(longest * float64(time.Second))
}

// failingAccount is an account of n projects, each of which failed once a day for so many days.
func failingAccount(t *testing.T, n, days int) *simaws.Sim {
	t.Helper()
	var w strings.Builder
	w.WriteString("start: 2026-11-01T10:00:00Z\nregion: eu-west-1\nbuckets: [{name: dist}]\nroles:\n")
	for i := range n {
		fmt.Fprintf(&w, "  - {name: role-%d, inline: {logs: '%s'}}\n", i, mayLog)
	}
	w.WriteString("projects:\n")
	for i := range n {
		fmt.Fprintf(&w, "  - {name: p%d, role: role-%d, buildspecs: {buildspec.yml: {build: [aws s3 cp x s3://dist/x]}}}\n", i, i)
	}
	sim, err := simaws.Load([]byte(w.String()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sim.Close)
	for range days {
		for i := range n {
			if _, err := sim.Run(simaws.Start{Project: fmt.Sprintf("p%d", i), Version: "refs/heads/main"}); err != nil {
				t.Fatal(err)
			}
		}
		sim.Settle()
		sim.Clock.Advance(24 * time.Hour)
	}
	return sim
}

// TestPace ensures that calls are evenly spaced, that the pace falls while they are throttled, not
// below its least, and that it comes back.
func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pace{most: 10, rate: 10}
		took := func(calls int) float64 {
			began := time.Now()
			var wg sync.WaitGroup
			for range calls {
				wg.Go(func() {
					if err := p.wait(t.Context()); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			return time.Since(began).Seconds()
		}
		if s := took(31); s < 2.9 || s > 3.1 {
			t.Errorf("31 calls took %.2f s, want 3", s)
		}
		time.Sleep(time.Second)
		for range 5 { // together: it falls once
			p.slow()
		}
		if s := took(10); s < 0.98 || s > 1.02 {
			t.Errorf("after one second of throttling 9 calls took %.2f s more, want 1", s)
		}
		for range 1000 {
			time.Sleep(time.Second)
			p.slow()
		}
		if p.rate != 10*least {
			t.Errorf("throttled in each second the pace is %.2f, want %.2f", p.rate, 10*least)
		}
		time.Sleep(time.Minute)
		if s := took(31); s < 2.9 || s > 3.1 {
			t.Errorf("a minute later 31 calls took %.2f s, want 3", s)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		for range 20 {
			_ = p.wait(ctx)
		}
		if err := p.wait(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("interrupted: %v", err)
		}
	})
}

// TestScanSlower ensures that a scan finds out how much of the rate is left for it: where that is
// four logs a second, it reads hardly more slowly, and few of its calls are throttled.
func TestScanSlower(t *testing.T) {
	sim := failingAccount(t, 30, 4)
	privateCache(t, sim)
	const rate = 4
	var mu sync.Mutex
	tokens, last := 1.0, time.Time{}
	sim.Hook(func(c simaws.Call) simaws.Fault {
		if c.Done || c.Operation != "GetLogEvents" {
			return simaws.Fault{}
		}
		mu.Lock()
		defer mu.Unlock()
		now := time.Now()
		if !last.IsZero() {
			tokens = min(rate, tokens+rate*now.Sub(last).Seconds())
		}
		last = now
		if tokens < 1 {
			return simaws.Fault{Throttle: true}
		}
		tokens--
		return simaws.Fault{}
	})
	from := len(sim.Calls())
	code, _, errs, took := bubble(t, sim, simaws.Trouble{}, scanOptions{most: 4, days: 30}, nil)
	n, throttled := kinds(sim, from)
	if code != exitOK || throttled > n["GetLogEvents"]/3 || took > 40*time.Second {
		t.Errorf("code %d after %s, %d of %v throttled\n%s", code, took, throttled, n, errs)
	}
}

// TestPaceOfLogs ensures that logs are read as fast as the region allows, and nowhere faster.
func TestPaceOfLogs(t *testing.T) {
	for _, region := range []string{"us-west-2", "eu-west-1", "eu-central-1", "ap-northeast-3", "ap-southeast-3", "ca-west-1",
		"il-central-1", "us-east-1", "eu-west-2", "eu-west-3"} {
		rate, _, _, ok := simaws.RateOf("logs", "GetLogEvents", region)
		ctx := awsmiddleware.SetServiceID(t.Context(), cloudwatchlogs.ServiceID)
		if got := newPatience(region).pace(ctx).most; !ok || got != min(rate.PerSecond, logsPace) {
			t.Errorf("%s: %v, want %v", region, got, rate)
		}
	}
}

// TestProgressLine ensures that progress is told in words, in one line, with what is left.
func TestProgressLine(t *testing.T) {
	for _, row := range []struct {
		first, now far
		passed     time.Duration
		want       string
	}{
		{far{}, far{}, time.Second, "listing the projects"},
		{far{}, far{projects: 1000, builds: 50, read: 20}, time.Second, "0 of 1000 projects listed, 20 of 50 failed builds read"},
		{far{}, far{1000, 100, 1000, 500}, time.Minute, // 10,000 builds, at 500 a minute
			"100 of 1000 projects listed, 500 of 1000 failed builds read, about 19m0s left"},
		{far{}, far{1000, 100, 10, 10}, time.Minute, // the listing is what takes time
			"100 of 1000 projects listed, 10 of 10 failed builds read, about 9m0s left"},
		{far{1000, 900, 9000, 9000}, far{1000, 950, 9500, 9500}, time.Minute, // resumed
			"950 of 1000 projects listed, 9500 of 9500 failed builds read, about 1m0s left"},
		{far{}, far{1000, 1000, 1, 1}, time.Minute, "1000 of 1000 projects listed, 1 of 1 failed build read"},
	} {
		if got := row.now.line(row.first, row.passed); got != row.want {
			t.Errorf("%+v: %q, want %q", row.now, got, row.want)
		}
		if len(row.want) > 78 {
			t.Errorf("%q is too long", row.want)
		}
	}
}

// TestProgressShown ensures that a terminal has one line that changes and is gone in the end, and
// that anything else has none.
func TestProgressShown(t *testing.T) {
	for _, live := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			var out lockedBuffer
			patience := newPatience("eu-west-1")
			p := &progress{w: &out, live: live, width: 78, patience: patience}
			r := &reading{projects: make([]scanProject, 4)}
			end := p.show(r)
			time.Sleep(90 * time.Second)
			patience.mu.Lock()
			patience.throttled = time.Now()
			patience.mu.Unlock()
			time.Sleep(2500 * time.Millisecond)
			end()
			lines, redrawn := strings.Count(out.String(), "\n"), strings.Count(out.String(), "\r")
			said := strings.Contains(out.String(), "AWS throttles")
			gone := strings.HasSuffix(out.String(), "\r"+strings.Repeat(" ", 78)+"\r")
			if live && (lines != 0 || redrawn < 90 || !said || !gone) || !live && out.String() != "" {
				t.Errorf("live %v: %q", live, out.String())
			}
		})
	}
}

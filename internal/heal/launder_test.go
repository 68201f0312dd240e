package heal_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/simaws"
)

// laundry is shop with a second project, which builds pull requests: what one of
// them has its build do is to start p0, and CodeBuild may retry p0's builds.
func laundry(command, extra string) string {
	world := strings.Replace(shop(2, extra), "aws s3 cp x s3://dist/x]}}\n",
		"aws s3 cp x s3://dist/x]}, b.yml: {build: [aws s3 cp x s3://dist/x]}}\n", 1)
	i := strings.LastIndex(world, "{run: make, takes: 60s}")
	world = world[:i] + command + "]}}\n    versions: [{ref: pr/7, commit: 5ca1ab1e00000000000000000000000000000007}]\n"
	return strings.ReplaceAll(world, logs,
		logs+`, {"Effect":"Allow","Action":["codebuild:RetryBuild","codebuild:StartBuild","codebuild:StartBuildBatch"],"Resource":"*"}`)
}

// TestLaundering plays builds whose commands a pull request wrote, and which
// have CodeBuild itself start the build that fails: nothing is given for it,
// whatever branch it names.
func TestLaundering(t *testing.T) {
	const batch = "    batch: [a, {identifier: b, buildspec: b.yml}]\n"
	for name, row := range map[string]struct {
		command, extra string
		builds         int // of p0, that are untrusted
	}{
		"start":      {"aws codebuild start-build --project-name p0 --source-version refs/heads/main", "", 1},
		"auto-retry": {"aws codebuild start-build --project-name p0 --source-version refs/heads/main --auto-retry-limit-override 2", "", 3},
		"project's retry": {"aws codebuild start-build --project-name p0 --source-version refs/heads/main",
			"    auto_retry: 1\n", 2},
		"batch": {"aws codebuild start-build-batch --project-name p0 --source-version refs/heads/main",
			batch, 2},
		"batch, no source": {"aws codebuild start-build-batch --project-name p0", batch, 2},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, laundry(row.command, row.extra), shopSettings(2, ""))
			if _, err := s.Sim.Run(simaws.Start{Project: "p1", Version: "pr/7"}); err != nil {
				t.Fatal(err)
			}
			s.drain()
			bs := s.Sim.Builds("p0")
			if len(bs) == 0 {
				t.Fatalf("p0 was not started:\n%s", s.Sim.Builds("p1")[0].Log)
			}
			if len(bs) != row.builds || s.inline("role-0") != "" {
				t.Errorf("%d builds, want %d; written: %q", len(bs), row.builds, s.inline("role-0"))
			}
			refused := 0
			for _, b := range bs {
				if !strings.Contains(b.Initiator, "AWSCodeBuild-") {
					t.Errorf("%s was started by %s", b.ID, b.Initiator)
				}
			}
			for _, r := range s.of(bs[0].ID).Rounds {
				if r.Decision != nil && slices.Contains(refusals(decide.Case{Rounds: []decide.Round{r}}),
					"untrusted-build") {
					refused++
				}
			}
			if refused == 0 {
				t.Errorf("refused for another reason: %v", refusals(s.of(bs[0].ID)))
			}
		})
	}
}

// TestHonestChains ensures that what a push begins stays the team's own when
// CodeBuild retries it, or splits it into a batch.
func TestHonestChains(t *testing.T) {
	for name, start := range map[string]simaws.Start{
		"a push":         {Version: "refs/heads/main"},
		"a person":       {Version: "refs/heads/main", Initiator: "Dev/alice"},
		"a push's batch": {Version: "refs/heads/main", Batch: true},
	} {
		t.Run(name, func(t *testing.T) {
			extra := "    auto_retry: 1\n"
			if start.Batch {
				extra = "    batch: [a, {identifier: b, buildspec: b.yml}]\n"
			}
			s := open(t, laundry("make", extra), shopSettings(2, ""))
			start.Project = "p0"
			if _, err := s.Sim.Run(start); err != nil {
				t.Fatal(err)
			}
			s.drain()
			bs := s.Sim.Builds("p0")
			i := slices.IndexFunc(bs, func(b simaws.Build) bool { return b.Status == "FAILED" })
			if c := s.of(bs[i].ID); c.Outcome != decide.Healed || s.inline("role-0") == "" {
				t.Errorf("%s, %v", c.Outcome, refusals(c))
			}
		})
	}
}

// TestUnreadableRoot ensures that a batch is not trusted while the healer may
// not read who started it, and that a throttled answer is only waited for.
func TestUnreadableRoot(t *testing.T) {
	for code, want := range map[string]decide.Kind{"AccessDeniedException": decide.Reported,
		"ThrottlingException": decide.Healed} {
		t.Run(code, func(t *testing.T) {
			s := open(t, twins(), shopSettings(1, ""))
			n, readable := 0, false
			s.Sim.Hook(func(c simaws.Call) simaws.Fault {
				if c.Operation != "BatchGetBuildBatches" || readable || c.Done || c.Key != simaws.FunctionKey {
					return simaws.Fault{}
				}
				if n++; n > 3 && want == decide.Healed {
					return simaws.Fault{}
				}
				return simaws.Fault{Code: code, Status: 400}
			})
			s.startBatch("p0")
			s.drain()
			c := s.of(s.Sim.Builds("p0")[0].ID)
			if c.Outcome != want || (s.inline("role-0") != "") != (want == decide.Healed) {
				t.Errorf("%s, %v; written %q", c.Outcome, refusals(c), s.inline("role-0"))
			}
			if want == decide.Healed {
				return
			}
			if !slices.Contains(refusals(c), "untrusted-build") {
				t.Errorf("refused for %v", refusals(c))
			}
			// A person may have it read again.
			readable = true
			s.do(`{"replay":{"build":"` + s.Sim.Builds("p0")[0].ID + `"}}`)
			s.drain()
			if c := s.of(s.Sim.Builds("p0")[0].ID); s.inline("role-0") == "" {
				t.Errorf("replayed: %s, %v", c.Outcome, refusals(c))
			}
		})
	}
}

// TestRootIsReadAgain ensures that a batch's build whose case was lost after the
// build was assigned to it still has its root, and that a look at it has, too.
func TestRootIsReadAgain(t *testing.T) {
	s := open(t, twins(), shopSettings(1, ""))
	s.startBatch("p0")
	id := s.Sim.Builds("p0")[0].ID
	if _, err := s.Store.Put(t.Context(), heal.Item{Kind: "build", ID: id, Data: []byte("cafe")}); err != nil {
		t.Fatal(err)
	}
	s.drain()
	if c := s.of(id); len(c.Rounds) == 0 || c.ID != "cafe" || c.Rounds[0].Build.Root == nil {
		t.Errorf("the case is %+v", c)
	}
	c, err := s.Inbox.Healer.Look(t.Context(), s.Inbox.Healer.Home, id)
	if err != nil || c.Rounds[0].Build.Root == nil {
		t.Errorf("looked at without its root, %v", err)
	}
}

// TestHealerLaundersNothing ensures that what the healer started again, since it
// failed in passing, is worth what it repeats, and no more, even once a person
// replays it a day after the case was closed and its rounds were dropped.
func TestHealerLaundersNothing(t *testing.T) {
	world := strings.Replace(shop(1, ""), "aws s3 cp",
		`{run: fetch, fails: {times: 1, prints: "dial tcp 10.0.0.1:443: i/o timeout"}}, aws s3 cp`, 1)
	s := open(t, world, shopSettings(1, ""))
	if _, err := s.Sim.Run(simaws.Start{Project: "p0", Version: "refs/heads/main",
		Initiator: "role-9/AWSCodeBuild-30e7b9e4"}); err != nil {
		t.Fatal(err)
	}
	s.drain()
	bs := s.Sim.Builds("p0")
	if len(bs) != 2 || !strings.Contains(bs[1].Initiator, "buildmedic") || bs[1].Version != "refs/heads/main" {
		t.Fatalf("the healer did not start it again: %+v", bs)
	}
	if got := refusals(s.of(bs[1].ID)); s.inline("role-0") != "" || !slices.Contains(got, "untrusted-build") {
		t.Errorf("written %q, refused for %v", s.inline("role-0"), got)
	}
	s.Sim.Clock.Advance(25 * 3600e9)
	s.do(`{"replay":{"build":"` + bs[1].ID + `"}}`)
	s.drain()
	if got := refusals(s.of(bs[1].ID)); s.inline("role-0") != "" || !slices.Contains(got, "untrusted-build") {
		t.Errorf("replayed: written %q, refused for %v", s.inline("role-0"), got)
	}
}

// TestRootCostsOrdinaryBuildsNothing counts what is asked about builds.
func TestRootCostsOrdinaryBuildsNothing(t *testing.T) {
	s := open(t, shop(1, ""), shopSettings(1, ""))
	s.start("p0")
	s.drain()
	got := map[string]int{}
	for _, c := range s.Sim.Calls() {
		if c.Done && c.Key == simaws.FunctionKey {
			got[c.Operation]++
		}
	}
	if got["BatchGetBuilds"] != 2 || got["BatchGetBuildBatches"] != 0 { // the failed build, and the green one
		t.Errorf("builds are read %d times, batches %d times", got["BatchGetBuilds"], got["BatchGetBuildBatches"])
	}
}

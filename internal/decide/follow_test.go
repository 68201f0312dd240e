package decide

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/diagnose"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// failedAt is a build that failed at a command.
func failedAt(id, message string) codebuild.Build {
	b := build()
	b.ID, b.ARN = "shop:"+id, strings.Replace(b.ARN, "shop:1", "shop:"+id, 1)
	b.Phases = []codebuild.Phase{{Type: "INSTALL", Status: codebuild.Succeeded}, {Type: "BUILD", Status: codebuild.Failed,
		Contexts: []codebuild.Context{{Code: "COMMAND_EXECUTION_ERROR", Message: message}}}}
	return b
}

const uploadFailed = "Error while executing command: aws s3 cp x s3://dist/x. Reason: exit status 1"

// TestPoint: two builds fail at one point if role, phase and context are the same, but for what is
// each build's own.
func TestPoint(t *testing.T) {
	was := failedAt("1", uploadFailed)
	for _, row := range []struct {
		name   string
		change func(*codebuild.Build)
		same   bool
	}{
		{"another build", func(b *codebuild.Build) { *b = failedAt("2", uploadFailed) }, true},
		{"of another project of the role", func(b *codebuild.Build) {
			b.Project, b.ID, b.ARN = "web", "web:2", strings.Replace(b.ARN, "shop:1", "web:2", 1)
		}, true},
		{"of another commit", func(b *codebuild.Build) { b.ResolvedSourceVersion = strings.Repeat("2", 40) }, true},
		{"the role without its path in the record", func(b *codebuild.Build) { b.ServiceRole = "shop-role" }, true},
		{"another role", func(b *codebuild.Build) { b.ServiceRole += "2" }, false},
		{"another region", func(b *codebuild.Build) { b.ARN = strings.Replace(b.ARN, "us-east-1", "eu-west-1", 1) }, false},
		{"another phase", func(b *codebuild.Build) { b.Phases[1].Type = "POST_BUILD" }, false},
		{"another code", func(b *codebuild.Build) { b.Phases[1].Contexts[0].Code = "CLIENT_ERROR" }, false},
		{"another command", func(b *codebuild.Build) { b.Phases[1].Contexts[0].Message += "2" }, false},
		{"an empty context before it", func(b *codebuild.Build) {
			b.Phases[1].Contexts = append([]codebuild.Context{{Code: "X"}}, b.Phases[1].Contexts...)
		}, true},
	} {
		b := failedAt("1", uploadFailed)
		row.change(&b)
		if got := Point(b) == Point(was); got != row.same {
			t.Errorf("%s: the same is %v", row.name, got)
		}
	}
	own := func(id, commit string) codebuild.Build {
		b := failedAt(id, "cannot check out "+commit+" for "+id+" in "+account)
		b.ResolvedSourceVersion = commit
		return b
	}
	if a, b := own("11111111-aaaa", strings.Repeat("a", 40)), own("22222222-bbbb", strings.Repeat("b", 40)); Point(a) != Point(b) {
		t.Error("what is each build's own makes another point")
	}
	long := failedAt("1", strings.Repeat("x", 20_000))
	kept := Case{Rounds: []Round{{Build: long, Step: StepDone}}}.Bounded(Recent).Rounds[0].Build
	if Point(kept) != Point(long) {
		t.Error("as the ledger keeps it, the build failed at another point")
	}
	for name, change := range map[string]func(*codebuild.Build){
		"no phase":   func(b *codebuild.Build) { b.Phases = nil },
		"no message": func(b *codebuild.Build) { b.Phases[1].Contexts[0].Message = " " },
		"no role":    func(b *codebuild.Build) { b.ServiceRole = "" },
	} {
		b := failedAt("1", uploadFailed)
		change(&b)
		if got := Point(b); got != "" {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// led is a case that was healed by a grant, and facts of a build that failed at its point.
func led(t *testing.T) (Facts, Case) {
	f := facts(t, "", func(f *Facts) {
		f.Build, f.Case, f.Diagnosis = failedAt("2", uploadFailed), "follower", diagnose.Diagnosis{}
	})
	denied := buildlog.Denial{Action: "s3:PutObject", Resource: "arn:aws:s3:::dist/x", Causal: true}
	wrote := began.Add(2 * time.Minute)
	leader := Case{ID: "leader", Account: account, Region: "us-east-1", Project: "shop", Closed: began.Add(9 * time.Minute),
		Outcome: Healed,
		Rounds: []Round{{Build: failedAt("1", uploadFailed), Step: StepDone, Written: wrote, RetryAt: wrote, Retry: "shop:3",
			Diagnosis: &diagnose.Diagnosis{Cause: "missing-permission", Title: "The role lacks s3:PutObject",
				Remedy: diagnose.Grant, Fingerprint: "f1", Denials: []buildlog.Denial{denied}},
			Decision: &Decision{Used: []guardrail.Used{{Grant: "image"}}, Plan: &Plan{Role: roleARN, Remedy: diagnose.Grant,
				Route: RouteBuild, Write: &guardrail.Target{Kind: guardrail.Inline, Name: "healed"}}}}}}
	return f, leader
}

// next is the leader's round after its first one.
func next(c *Case, message, fingerprint string) {
	b := failedAt("3", message)
	c.Rounds = append(c.Rounds, Round{Build: b, Step: StepDone, Diagnosis: &diagnose.Diagnosis{Fingerprint: fingerprint},
		Decision: &Decision{}})
}

// runsOn has the leader's build be past the point, and run still.
func runsOn(c *Case) {
	c.Closed, c.Outcome = time.Time{}, ""
	c.Rounds[0].Step, c.Rounds[0].Beyond = StepRetried, began.Add(7*time.Minute)
}

// TestFollow is the table of when a build follows another one's cure.
func TestFollow(t *testing.T) {
	for _, row := range []struct {
		name   string
		change func(*Facts, *Case)
		want   Lead
	}{
		{"it is green", func(*Facts, *Case) {}, LeadCured},
		{"it is open", func(_ *Facts, c *Case) { c.Closed, c.Outcome = time.Time{}, "" }, LeadOpen},
		{"its build is past the point, and runs", func(_ *Facts, c *Case) { runsOn(c) }, LeadCured},
		{"its build is past the point, and then the case waits for another", func(_ *Facts, c *Case) {
			runsOn(c)
			next(c, "make test", "f2")
			c.Rounds[1].Step = StepRetried
		}, LeadOpen},
		{"its next build is past the next point", func(_ *Facts, c *Case) {
			runsOn(c)
			next(c, "make test", "f2")
			c.Rounds[1].Step, c.Rounds[1].Beyond = StepRetried, began.Add(8*time.Minute)
		}, LeadCured},
		{"its next build is past another point, and the first was not", func(_ *Facts, c *Case) {
			runsOn(c)
			next(c, uploadFailed, "f2")
			c.Rounds[1].Step, c.Rounds[1].Beyond = StepRetried, began.Add(8*time.Minute)
		}, LeadOpen},
		{"its build is past the point, and another point is this one's", func(f *Facts, c *Case) {
			runsOn(c)
			f.Build = failedAt("2", "make")
		}, LeadOpen},
		{"its build was past the point, and it failed", func(_ *Facts, c *Case) {
			runsOn(c)
			c.Closed, c.Outcome, c.Rounds[0].Step = began.Add(9*time.Minute), Failed, StepDone
		}, LeadNone},
		{"its build is past the point, and its change was undone", func(_ *Facts, c *Case) {
			runsOn(c)
			c.Rounds[0].Undone = began.Add(time.Hour)
		}, LeadOpen},
		{"its build is past the point, and a person holds the grant back", func(f *Facts, c *Case) {
			runsOn(c)
			f.Held = []Hold{{Grant: "image"}}
		}, LeadNone},
		{"it failed again at the same", func(_ *Facts, c *Case) { c.Outcome = Failed; next(c, uploadFailed, "f1") }, LeadNone},
		{"it got past the point and is not green", func(_ *Facts, c *Case) { c.Outcome = Failed; next(c, "make test", "f2") }, LeadCured},
		{"another command, the same fingerprint", func(_ *Facts, c *Case) { c.Outcome = Failed; next(c, "make test", "f1") }, LeadNone},
		{"the same command, another fingerprint", func(_ *Facts, c *Case) { c.Outcome = Failed; next(c, uploadFailed, "f2") }, LeadNone},
		{"a build that it did not start got past", func(_ *Facts, c *Case) {
			c.Outcome = Failed
			next(c, "make test", "f2")
			c.Rounds[1].Build.ID = "shop:other"
		}, LeadNone},
		{"it wrote nothing", func(_ *Facts, c *Case) { c.Rounds[0].Written = time.Time{} }, LeadNone},
		{"it was undone", func(_ *Facts, c *Case) { c.Rounds[0].Undone = began.Add(time.Hour) }, LeadNone},
		{"a part of it stands", func(_ *Facts, c *Case) { c.Rounds[0].Partly = true }, LeadNone},
		{"it only started a build", func(_ *Facts, c *Case) { c.Rounds[0].Decision.Plan.Write = nil }, LeadNone},
		{"it is of an earlier day", func(_ *Facts, c *Case) { c.Rounds[0].Old = true }, LeadNone},
		{"what it gave has ended", func(_ *Facts, c *Case) {
			c.Rounds[0].Decision.Plan.Ends = []End{{Grant: "image", At: began}}
		}, LeadNone},
		{"what it gave ends later", func(_ *Facts, c *Case) {
			c.Rounds[0].Decision.Plan.Ends = []End{{Grant: "image", At: began.Add(time.Hour)}}
		}, LeadCured},
		{"of another role", func(_ *Facts, c *Case) { c.Rounds[0].Decision.Plan.Role += "2" }, LeadNone},
		{"for the project's own builds", func(_ *Facts, c *Case) { c.Rounds[0].Decision.Plan.Scoped = true }, LeadCured},
		{"of another project", func(_ *Facts, c *Case) { c.Project = "web" }, LeadCured},
		{"for another project's builds only", func(_ *Facts, c *Case) {
			c.Project, c.Rounds[0].Decision.Plan.Scoped = "web", true
		}, LeadNone},
		{"in part for another project's builds only", func(f *Facts, c *Case) {
			set := *f.Settings
			set.Grants = append(slices.Clone(set.Grants), settings.Grant{ID: "own", Scope: settings.ScopeProject})
			f.Settings, c.Project = &set, "web"
			c.Rounds[0].Decision.Used = append(c.Rounds[0].Decision.Used, guardrail.Used{Grant: "own"})
		}, LeadNone},
		{"of another account", func(_ *Facts, c *Case) { c.Account = "444455556666" }, LeadNone},
		{"of another region", func(_ *Facts, c *Case) { c.Region = "eu-west-1" }, LeadNone},
		{"the case itself", func(_ *Facts, c *Case) { c.ID = "follower" }, LeadNone},
		{"the build ended after the write", func(f *Facts, _ *Case) { f.Build.End = began.Add(3 * time.Minute) }, LeadNone},
		{"the build ended at the write", func(f *Facts, _ *Case) { f.Build.End = began.Add(2 * time.Minute) }, LeadNone},
		{"nobody knows when the build ended", func(f *Facts, _ *Case) { f.Build.End = time.Time{} }, LeadNone},
		{"at another point", func(f *Facts, _ *Case) { f.Build = failedAt("2", "make") }, LeadNone},
		{"at another point with the same fingerprint", func(f *Facts, _ *Case) {
			f.Build, f.Diagnosis.Fingerprint = failedAt("2", "make"), "f1"
		}, LeadCured},
		{"a person holds the grant back", func(f *Facts, _ *Case) { f.Held = []Hold{{Grant: "image"}} }, LeadNone},
		{"a person holds every grant back", func(f *Facts, _ *Case) { f.Held = []Hold{{Grant: EveryGrant}} }, LeadNone},
		{"a person holds another grant back", func(f *Facts, _ *Case) { f.Held = []Hold{{Grant: "other"}} }, LeadCured},
		{"paused", func(f *Facts, _ *Case) { f.Paused = "audit" }, LeadNone},
		{"observe", func(f *Facts, _ *Case) { f.Project.Mode = settings.Observe }, LeadNone},
		{"propose", func(f *Facts, _ *Case) { f.Project.Mode = settings.Propose }, LeadNone},
		{"no build may be started", func(f *Facts, _ *Case) { f.Project.Retry = false }, LeadNone},
		{"a role to switch to", func(f *Facts, _ *Case) { f.Project.SwitchRole = "ready" }, LeadNone},
		{"of a pull request", func(f *Facts, _ *Case) { f.Build.SourceVersion = "pr/7" }, LeadNone},
		{"of a batch", func(f *Facts, _ *Case) { f.Build.BatchARN = "arn:aws:codebuild:us-east-1:1:build-batch/shop:1" }, LeadNone},
		{"of a pipeline", func(f *Facts, _ *Case) { f.Build.Initiator = "codepipeline/shop" }, LeadNone},
		{"CodeBuild retries it", func(f *Facts, _ *Case) { f.Build.AutoRetry.Limit = 1 }, LeadNone},
		{"a later round", func(f *Facts, _ *Case) { f.Earlier = again(1, nil) }, LeadNone},
		{"a person replays it", func(f *Facts, _ *Case) { f.Replayed = true }, LeadNone},
		{"no rounds", func(f *Facts, _ *Case) { f.Settings.Limits.Rounds = 0 }, LeadNone},
		{"no retries", func(f *Facts, _ *Case) { f.Settings.Limits.RetriesHour = 0 }, LeadNone},
	} {
		f, leader := led(t)
		row.change(&f, &leader)
		d, g, got := Follow(f, leader)
		if got != row.want {
			t.Errorf("%s: %s, want %s", row.name, got, row.want)
			continue
		}
		if got != LeadCured {
			if d.Plan != nil || g.Cause != "" {
				t.Errorf("%s: %+v, %+v", row.name, d, g)
			}
			continue
		}
		if d.Mutates() || d.Plan.Route != RouteBuild || d.Plan.Build != f.Build.ID || len(d.Used) > 0 || d.Follows != "leader" ||
			d.Silent != (leader.Outcome == Healed || leader.Closed.IsZero()) || d.Beyond != leader.Closed.IsZero() {
			t.Errorf("%s: %+v", row.name, d)
		}
	}
}

// TestFollowed: the diagnosis of a build whose log was not read says so, and repeats nothing of the
// other one's log.
func TestFollowed(t *testing.T) {
	f, leader := led(t)
	_, g, _ := Follow(f, leader)
	for _, want := range []string{"not read", "shop:1", "leader", "green since 2026-11-22 10:09"} {
		if !strings.Contains(g.Evidence.Text, want) {
			t.Errorf("%q does not say %q", g.Evidence.Text, want)
		}
	}
	if g.Cause != "missing-permission" || g.Title != "The role lacks s3:PutObject" || g.Fingerprint != "" ||
		len(g.Denials)+len(g.Excerpt) > 0 {
		t.Errorf("%+v", g)
	}
	f.Diagnosis = diagnose.Diagnosis{Cause: "missing-permission", Title: "its own", Fingerprint: "f1"}
	if _, g, _ = Follow(f, leader); g.Title != "its own" {
		t.Errorf("its own diagnosis is lost: %+v", g)
	}
}

// TestVain: what did not help the leader is not tried again for the same, and only for that.
func TestVain(t *testing.T) {
	for _, row := range []struct {
		name   string
		change func(*Facts, *Decision, *Case)
		refuse bool
	}{
		{"the same", func(*Facts, *Decision, *Case) {}, true},
		{"the same, undone", func(_ *Facts, _ *Decision, c *Case) { c.Rounds[0].Undone, c.Outcome = began.Add(time.Hour), Undone }, true},
		{"waits for evidence", func(_ *Facts, d *Decision, _ *Case) { d.Plan, d.Waits = nil, true }, true},
		{"another failure", func(f *Facts, _ *Decision, _ *Case) { f.Diagnosis.Fingerprint = "f2" }, false},
		{"denied something else", func(f *Facts, _ *Decision, _ *Case) { f.Diagnosis.Denials[0].Resource += "2" }, false},
		{"nothing would be done", func(_ *Facts, d *Decision, _ *Case) { d.Plan = nil }, false},
		{"the leader is green", func(_ *Facts, _ *Decision, c *Case) { c.Outcome = Healed }, false},
		{"the leader is open", func(_ *Facts, _ *Decision, c *Case) { c.Closed = time.Time{} }, false},
		{"the leader wrote nothing", func(_ *Facts, _ *Decision, c *Case) { c.Rounds[0].Written = time.Time{} }, false},
		{"the leader got past it", func(_ *Facts, _ *Decision, c *Case) { c.Rounds = c.Rounds[:1]; next(c, "make test", "f2") }, false},
	} {
		f, leader := led(t)
		g := *leader.Rounds[0].Diagnosis
		g.Denials = append([]buildlog.Denial{}, g.Denials...)
		f.Diagnosis, leader.Outcome = g, Failed
		next(&leader, uploadFailed, "f1")
		d := Decision{Remedy: diagnose.Grant, Used: []guardrail.Used{{Grant: "image"}}, Plan: newPlan(f, diagnose.Grant)}
		row.change(&f, &d, &leader)
		got := Vain(f, d, leader)
		refused := len(got.Refusals) == 1 && got.Refusals[0].Rule == guardrail.CureDidNotHelp
		if refused != row.refuse || refused && (got.Plan != nil || got.Waits || len(got.Used) > 0) {
			t.Errorf("%s: %+v", row.name, got)
		}
		if refused && !strings.Contains(got.Refusals[0].Message, leader.Rounds[0].Build.ARN) {
			t.Errorf("%s: it does not say where to look: %s", row.name, got.Refusals[0].Message)
		}
	}
}

// TestFollowers: the numbers count all, the lists are bounded.
func TestFollowers(t *testing.T) {
	var f Followers
	for i := range 1000 {
		f.Add(Follower{Case: "c", Project: strings.Repeat("p", 1+i%100), Outcome: []Kind{Healed, Failed, ""}[i%3]})
	}
	if f.Builds != 1000 || f.Healed != 334 || f.Failed != 333 || f.Open != 333 || f.Ended() != 667 {
		t.Errorf("%+v", f)
	}
	if len(f.Named) != maxFollowers || len(f.Projects) != maxFollowerProjects || !f.MoreProjects {
		t.Errorf("%d named, %d projects, more %v", len(f.Named), len(f.Projects), f.MoreProjects)
	}
}

// TestHostileFollow: whatever the build, its settings and the leader are, a build that follows is
// given nothing, and follows only what stands, in its own role, since after it failed.
func TestHostileFollow(t *testing.T) {
	follows := 0
	world := hostileWorld(t, 1)
	for seed := range uint64(10_000) {
		r := rand.New(rand.NewPCG(seed, 23))
		f := world
		f.Build, f.Diagnosis, f.Paused, f.Earlier, f.Replayed = hostileBuild(r), diagnose.Diagnosis{}, "", nil, false
		f.Project.SwitchRole = ""
		f.Project.Mode, f.Project.Retry = pickOf(r, []settings.Mode{settings.Heal, settings.Heal, settings.Observe}), r.IntN(6) > 0
		switch r.IntN(8) {
		case 0:
			f.Paused = "Somebody paused it."
		case 1:
			f.Replayed = true
		case 2:
			f.Project.SwitchRole = "ready"
		case 3:
			hostilePast(r, &f)
		}
		f.Build.End = f.Now.Add(-time.Duration(1+r.IntN(20)) * time.Minute)
		role, _ := f.Build.Role()
		leader := hostileLeader(r, f)
		if r.IntN(2) == 0 {
			f.Held = []Hold{{Grant: pickOf(r, []string{"g0", "other", EveryGrant, SwitchedRole})}}
		}
		d, _, is := Follow(f, leader)
		if is != LeadCured {
			if d.Plan != nil {
				t.Fatalf("seed %d: %s, and a plan", seed, is)
			}
			continue
		}
		follows++
		stands := false
		for _, x := range leader.Rounds {
			stands = stands || x.Stands() && !x.Old && !x.Partly && x.Decision.Plan.Write != nil && x.Decision.Plan.Role == role.ARN() &&
				f.Build.End.Before(x.Written)
		}
		held := len(f.Held) > 0 && (f.Held[0].Grant == "g0" || f.Held[0].Grant == EveryGrant)
		switch {
		case d.Mutates() || d.Plan.NewRole != "" || d.Plan.Buildspec != "" || len(d.Used) > 0 || d.Undo > 0:
			t.Errorf("it changes something: %+v", d)
		case d.Plan.Route != RouteBuild || !f.Project.Retry || f.Build.BatchARN != "" || f.Build.Pipeline() != "":
			t.Errorf("route %s", d.Plan.Route)
		case !hostileTrust(f.Build, f.Project):
			t.Errorf("the build is nobody's who is trusted: %+v", f.Build)
		case f.Project.Mode != settings.Heal || f.Paused != "" || held:
			t.Errorf("mode %s, paused %q, held %v", f.Project.Mode, f.Paused, f.Held)
		case !stands || leader.Closed.IsZero():
			t.Errorf("it follows what does not stand: %+v", leader.Rounds)
		case len(f.Earlier) > 0 || f.Replayed:
			t.Error("it is not the first round")
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	if follows < 20 {
		t.Errorf("%d builds followed: the property holds of nothing", follows)
	}
}

// hostileLeader is a case that may have cured the role of f's build.
func hostileLeader(r *rand.Rand, f Facts) Case {
	at, role := f.Build.At(), ""
	if own, ok := f.Build.Role(); ok {
		role = own.ARN()
	}
	c := Case{ID: "leader", Account: at.Account, Region: at.Region, Project: "shop", Closed: f.Now, Outcome: Healed}
	switch r.IntN(12) {
	case 0:
		c.Account = "444455556666"
	case 1:
		c.Region = "us-east-1"
	case 2:
		c.Closed, c.Outcome = time.Time{}, ""
	case 3:
		c.Outcome = Failed
	}
	for range 1 + r.IntN(2) {
		x := Round{Build: f.Build, Step: StepDone, Written: f.Now.Add(-time.Duration(r.IntN(20)) * time.Minute), Retry: "shop:next",
			Diagnosis: &diagnose.Diagnosis{Fingerprint: "f1"}, Decision: &Decision{Used: []guardrail.Used{{Grant: "g0"}},
				Plan: &Plan{Role: role, Write: &guardrail.Target{Kind: guardrail.Inline}}}}
		x.Build.ID = "shop:leader"
		switch r.IntN(10) {
		case 0:
			x.Undone = f.Now
		case 1:
			x.Partly = true
		case 2:
			x.Decision.Plan.Write = nil
		case 3:
			x.Decision.Plan.Role += "2"
		case 4:
			x.Old = true
		case 5:
			x.Written = time.Time{}
		}
		c.Rounds = append(c.Rounds, x)
	}
	return c
}

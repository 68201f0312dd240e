package decide

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/diagnose"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/settings"
)

const (
	account = "111122223333"
	roleARN = "arn:aws:iam::111122223333:role/shop-role"
)

var began = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

func build() codebuild.Build {
	return codebuild.Build{ID: "shop:1", ARN: "arn:aws:codebuild:us-east-1:" + account + ":build/shop:1", Project: "shop", Status: "FAILED",
		ServiceRole: roleARN, Initiator: "GitHub-Hookshot/0a1b2c3", SourceType: "GITHUB", SourceVersion: "refs/heads/main",
		ResolvedSourceVersion: "1111111111111111111111111111111111111111", Buildspec: "", Start: began, End: began.Add(time.Minute),
		Phases: []codebuild.Phase{{Type: "BUILD", Status: "FAILED"}}}
}

func facts(t *testing.T, remedy diagnose.Remedy, change func(*Facts)) Facts {
	t.Helper()
	set, err := settings.Parse([]byte(`version: 1
projects:
  - {name: shop, role: shop-role, mode: heal, write: {inline: healed}, grants: [image], buildspecs: [a.yml, b.yml]}
grants:
  - {id: image, because: It pushes., owner: team, set: ecr-push, ` +
		`resources: ["arn:${partition}:ecr:${region}:${account}:repository/shop"], create: true}
`))
	if err != nil {
		t.Fatal(err)
	}
	home := settings.Account{ID: account, Region: "us-east-1"}
	p, _ := set.Project("shop", account, "us-east-1", home)
	f := Facts{Settings: set, Home: home, Project: p, Build: build(), Case: "c",
		Diagnosis: diagnose.Diagnosis{Cause: "some", Remedy: remedy}, Now: began,
		PullRequests: guardrail.PullRequestBuilds{Read: true}}
	if change != nil {
		change(&f)
	}
	return f
}

func again(n int, change func(*Round)) (rs []Round) {
	for i := range n {
		r := Round{Build: build(), Step: StepDone, RetryAt: began, Retry: fmt.Sprintf("shop:%d", i+2),
			Diagnosis: &diagnose.Diagnosis{}, Decision: &Decision{Plan: &Plan{}}}
		if change != nil {
			change(&r)
		}
		rs = append(rs, r)
	}
	return rs
}

// TestDecide is the table of what is chosen where no denial is judged: the
// guardrails have their own.
func TestDecide(t *testing.T) {
	repository := func(name string) func(*Facts) {
		return func(f *Facts) { f.Diagnosis.Details = map[string]string{"repository": name} }
	}
	for _, row := range []struct {
		name   string
		remedy diagnose.Remedy
		change func(*Facts)
		want   string // remedy, route or refusal, what else
	}{
		{"nothing to do", diagnose.Ignore, nil, "ignore"},
		{"only a person can", diagnose.Report, nil, "report"},
		{"a remedy of tomorrow", "teleport", nil, "report"},
		{"what somebody else was denied", diagnose.Report, func(f *Facts) {
			f.Diagnosis.Denials = []buildlog.Denial{{Action: "s3:PutObject", Subject: "the task role", Causal: true}}
		}, "report other-principal"},
		{"what the build itself was denied", diagnose.Report, func(f *Facts) {
			f.Diagnosis.Denials = []buildlog.Denial{{Action: "s3:PutObject", Reason: "because of a legal hold", Causal: true}}
		}, "report"},

		{"a transient trouble", diagnose.Retry, nil, "retry build 1m0s"},
		{"… again", diagnose.Retry, func(f *Facts) { f.Earlier = again(1, nil) }, "retry build 4m0s"},
		{"… and again", diagnose.Retry, func(f *Facts) { f.Earlier = again(2, nil) }, "retry build 9m0s"},
		{"… too often", diagnose.Retry, func(f *Facts) { f.Earlier = again(3, nil) }, "retry rounds-used-up"},
		{"… and the settings allow no round", diagnose.Retry, func(f *Facts) { f.Settings.Limits.Rounds = 0 }, "retry rounds-used-up"},
		{"… nor any build", diagnose.Retry, func(f *Facts) { f.Settings.Limits.RetriesHour = 0 }, "retry retries-per-hour"},
		{"… which CodeBuild does not ask for", diagnose.Retry, func(f *Facts) {
			f.Settings.Limits.RetriesHour, f.Build.AutoRetry = 0, codebuild.AutoRetry{Limit: 1}
		}, "retry codebuild 1m0s"},
		{"while paused it may be started", diagnose.Retry, func(f *Facts) { f.Paused = "why" }, "retry build 1m0s"},
		{"retry: false", diagnose.Retry, func(f *Facts) { f.Project.Retry = false }, "retry retry-forbidden"},
		{"of a pipeline", diagnose.Retry,
			func(f *Facts) { f.Build.Initiator, f.Project.Pipelines = "codepipeline/main", []string{"main"} },
			"retry stage 1m0s"},
		{"of a batch", diagnose.Retry, func(f *Facts) { f.Build.BatchARN = "arn:x" }, "retry batch 1m0s"},
		{"CodeBuild does it", diagnose.Retry, func(f *Facts) { f.Build.AutoRetry = codebuild.AutoRetry{Limit: 1} }, "retry codebuild 1m0s"},
		{"CodeBuild has given up", diagnose.Retry,
			func(f *Facts) { f.Build.AutoRetry = codebuild.AutoRetry{Limit: 1, Number: 1} }, "retry build 1m0s"},
		{"a pipeline's batch is the pipeline's", diagnose.Retry, func(f *Facts) {
			f.Build.Initiator, f.Build.BatchARN, f.Project.Pipelines = "codepipeline/main", "arn:x", []string{"main"}
		}, "retry stage 1m0s"},

		{"buildspec elsewhere", diagnose.OverrideBuildspec, nil, "override-buildspec start a.yml"},
		{"… where the settings allow no change", diagnose.OverrideBuildspec, func(f *Facts) { f.Settings.Limits.WritesHour = 0 },
			"override-buildspec start a.yml"},
		{"… of another image than the project has", diagnose.OverrideBuildspec,
			func(f *Facts) { f.Unrepeatable = []string{"buildspec", "image"} }, "override-buildspec not-repeatable"},
		{"… of another buildspec than the project has", diagnose.OverrideBuildspec,
			func(f *Facts) { f.Unrepeatable = []string{"buildspec"} }, "override-buildspec start a.yml"},
		{"… not the one that failed", diagnose.OverrideBuildspec, func(f *Facts) { f.Build.Buildspec = "a.yml" },
			"override-buildspec start b.yml"},
		{"… not one that was tried", diagnose.OverrideBuildspec, func(f *Facts) {
			f.Earlier = again(1, func(r *Round) { r.Decision.Plan.Buildspec = "a.yml" })
		}, "override-buildspec start b.yml"},
		{"… none is left", diagnose.OverrideBuildspec, func(f *Facts) {
			f.Build.Buildspec = "b.yml"
			f.Earlier = again(1, func(r *Round) { r.Decision.Plan.Buildspec = "a.yml" })
		}, "override-buildspec no-buildspec"},
		{"… none is listed", diagnose.OverrideBuildspec, func(f *Facts) { f.Project.Buildspecs = nil },
			"override-buildspec no-buildspec"},
		{"… in a pipeline", diagnose.OverrideBuildspec, func(f *Facts) { f.Build.Initiator = "codepipeline/main" },
			"override-buildspec no-route"},
		{"… in a batch", diagnose.OverrideBuildspec, func(f *Facts) {
			f.Build.BatchARN, f.Build.Root = "arn:x", &codebuild.Root{Initiator: f.Build.Initiator,
				SourceVersion: f.Build.SourceVersion}
		}, "override-buildspec no-route"},
		{"… in a batch of which nothing is known", diagnose.OverrideBuildspec,
			func(f *Facts) { f.Build.BatchARN = "arn:x" }, "override-buildspec untrusted-build"},
		{"… of a pull request", diagnose.OverrideBuildspec, func(f *Facts) { f.Build.SourceVersion = "pr/7" },
			"override-buildspec untrusted-build"},
		{"… while paused", diagnose.OverrideBuildspec, func(f *Facts) { f.Paused = "why" }, "override-buildspec paused"},
		{"… and retry: false", diagnose.OverrideBuildspec, func(f *Facts) { f.Project.Retry = false },
			"override-buildspec retry-forbidden"},

		{"repository missing", diagnose.CreateRepository, repository("shop"), "create-repository build shop"},
		{"… where the settings allow no change", diagnose.CreateRepository, func(f *Facts) {
			repository("shop")(f)
			f.Settings.Limits.WritesRole, f.Settings.Limits.WritesHour = 0, 0
		}, "create-repository writes-per-role writes-per-hour"},
		{"… of another name", diagnose.CreateRepository, repository("shop2"), "create-repository no-repository"},
		{"… of no name", diagnose.CreateRepository, nil, "create-repository no-repository"},
		{"… of a forged name", diagnose.CreateRepository, repository("Shop; rm -rf"), "create-repository no-repository"},
		{"… of a name with an empty part", diagnose.CreateRepository, repository("a//b"), "create-repository no-repository"},
		{"… that ends in a dot", diagnose.CreateRepository, repository("shop."), "create-repository no-repository"},
		{"… created already", diagnose.CreateRepository, func(f *Facts) {
			repository("shop")(f)
			f.Earlier = again(1, func(r *Round) { r.Written, r.Decision.Plan.Repository = began, "shop" })
		}, "create-repository no-repository"},
		{"… of a pull request", diagnose.CreateRepository,
			func(f *Facts) { repository("shop")(f); f.Build.SourceVersion = "pr/7" },
			"create-repository untrusted-build"},
		{"… of a build without an ARN", diagnose.CreateRepository,
			func(f *Facts) { repository("shop")(f); f.Build.ARN = "x" }, "create-repository no-repository"},

		{"another role", diagnose.Grant,
			func(f *Facts) { f.Project.SwitchRole, f.ProjectRole = "ready/next-role", roleARN },
			"switch-role start arn:aws:iam::111122223333:role/ready/next-role"},
		{"… which it has already", diagnose.Grant, func(f *Facts) { f.Project.SwitchRole = "shop-role" }, "switch-role not-the-role"},
		{"… but it was changed", diagnose.Grant, func(f *Facts) {
			f.Project.SwitchRole, f.ProjectRole = "next-role", "arn:aws:iam::111122223333:role/third"
		}, "switch-role not-the-role"},
		{"… of a build whose role cannot be read", diagnose.Grant,
			func(f *Facts) { f.Project.SwitchRole, f.Build.ServiceRole = "next-role", "" }, "switch-role not-the-role"},
		{"… did not help", diagnose.Grant, func(f *Facts) {
			f.Project.SwitchRole = "next-role"
			f.Earlier = again(1, func(r *Round) { r.Written, r.Decision.Plan.NewRole = began, "arn:x" })
		}, "report undo 1"},
	} {
		t.Run(row.name, func(t *testing.T) {
			d := Decide(facts(t, row.remedy, row.change))
			if got := short(d); got != row.want {
				t.Errorf("got %q, want %q (%s)", got, row.want, d.Why)
			}
			if d.Why == "" || (d.Plan != nil && len(d.Refusals) > 0) {
				t.Errorf("why %q, plan and refusals %v", d.Why, d.Refusals)
			}
			for _, r := range d.Refusals {
				if r.Message == "" {
					t.Errorf("refusal %s says nothing that a person can act on", r.Rule)
				}
			}
		})
	}
}

func short(d Decision) string {
	out := []string{string(d.Remedy)}
	for _, r := range d.Refusals {
		out = append(out, string(r.Rule))
	}
	if d.Undo > 0 {
		out = append(out, "undo", fmt.Sprint(d.Undo))
	}
	if p := d.Plan; p != nil {
		out = append(out, string(p.Route))
		if p.Settle > 0 {
			out = append(out, p.Settle.String())
		}
		if rest := p.Buildspec + p.Repository + p.NewRole; rest != "" {
			out = append(out, rest)
		}
	}
	return strings.Join(out, " ")
}

// denied gives facts of a denial that the settings allow.
func denied(t *testing.T, change func(*Facts)) Facts {
	return facts(t, diagnose.Grant, func(f *Facts) {
		f.Diagnosis.Denials = []buildlog.Denial{{
			Principal: "arn:aws:sts::" + account +
				":assumed-role/shop-role/AWSCodeBuild-1",
			Action:   "ecr:PutImage",
			Resource: "arn:aws:ecr:us-east-1:" + account + ":repository/shop",
			Effect:   buildlog.Implicit,
			Layer:    buildlog.IdentityBased,
			Causal:   true,
		}}
		f.Role = &guardrail.RoleState{Role: codebuild.Role{Partition: "aws", Account: account, Path: "/",
			Name: "shop-role"},
			Trust: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow",` +
				`"Principal":{"Service":"codebuild.amazonaws.com"},"Action":"sts:AssumeRole"}]}`}
		f.Before = make([]guardrail.Answer, len(guardrail.Questions(f.Judged())))
		if change != nil {
			change(f)
		}
	})
}

// TestDecideAgain ensures that a decision depends on its facts alone: decided
// again, it is the same to the byte, and so is its plan's hash.
func TestDecideAgain(t *testing.T) {
	for name, f := range map[string]Facts{
		"grant": denied(t, nil), "retry": facts(t, diagnose.Retry, nil), "buildspec": facts(t, diagnose.OverrideBuildspec, nil),
		"repository": facts(t, diagnose.CreateRepository, func(f *Facts) { f.Diagnosis.Details = map[string]string{"repository": "shop"} }),
	} {
		first := Decide(f)
		if first.Plan == nil {
			t.Errorf("%s: no plan: %s %v", name, first.Why, first.Refusals)
			continue
		}
		for range 50 {
			next := Decide(f)
			if d := cmp.Diff(string(first.Plan.Bytes()), string(next.Plan.Bytes())); d != "" || first.Plan.Hash() != next.Plan.Hash() {
				t.Fatalf("%s: %s", name, d)
			}
		}
	}
}

// TestHeldBack ensures that what a person took back is refused, whatever else
// would be refused too, and nothing else is.
func TestHeldBack(t *testing.T) {
	hold := func(grant string) func(*Facts) {
		return func(f *Facts) {
			f.Held = []Hold{{Grant: grant, Account: account, Region: "us-east-1", Project: "shop", Case: "c", At: began}}
		}
	}
	grant := denied(t, nil).Project.Grants[0]
	for name, row := range map[string]struct {
		change func(*Facts)
		want   string
	}{
		"its grant":             {hold(grant), "undone-by-a-person"},
		"every grant":           {hold(EveryGrant), "undone-by-a-person"},
		"another grant":         {hold("another"), ""},
		"only a switch":         {hold(SwitchedRole), ""},
		"replayed":              {func(f *Facts) { hold(grant)(f); f.Replayed = true }, "undone-by-a-person"},
		"paused, too":           {func(f *Facts) { hold(grant)(f); f.Paused = "A freeze." }, "paused undone-by-a-person"},
		"a switch":              {func(f *Facts) { hold(SwitchedRole)(f); f.Project.SwitchRole = "ready" }, "undone-by-a-person"},
		"a grant, and a switch": {func(f *Facts) { hold(EveryGrant)(f); f.Project.SwitchRole = "ready" }, ""},
	} {
		d := Decide(denied(t, row.change))
		var got []string
		for _, r := range d.Refusals {
			got = append(got, string(r.Rule))
		}
		if strings.Join(got, " ") != row.want || (d.Plan == nil) != (row.want != "") || d.Plan == nil && len(d.Used) > 0 {
			t.Errorf("%s: %v, plan %v, used %v", name, d.Refusals, d.Plan, d.Used)
		}
	}
}

// TestGrant is the table of what is chosen where a denial is judged, by what the
// role has and what was done for the same denial before.
func TestGrant(t *testing.T) {
	after := Decide(denied(t, nil)).Plan.Write.After
	write := denied(t, nil).Project.Write
	written := func(f *Facts) { f.Role.Inline = map[string]string{write.Inline: after} }
	asked := func(f *Facts) { // again, after a round that changed something
		r := again(1, nil)[0]
		r.Diagnosis, r.Written = &f.Diagnosis, began
		r.Decision.Plan.Write = &guardrail.Target{After: after}
		f.Earlier = []Round{r}
	}
	pattern := func(f *Facts) {
		s := *f.Settings
		s.Grants = slices.Clone(s.Grants)
		s.Grants[0].Resources = []string{"arn:aws:ecr:us-east-1:" + account + ":repository/*"}
		s.Limits.NewResources, f.Settings = 0, &s
		f.Before = make([]guardrail.Answer, len(guardrail.Questions(f.Judged())))
	}
	for _, row := range []struct {
		name   string
		change func(*Facts)
		want   string
		uses   bool // it says which grant it uses
		why    string
	}{
		{"allowed", nil, "grant build", true, "The settings allow what was denied: grant image."},
		{"only as a pattern", pattern, "grant build asks", true, "offered for approval"},
		{"written already", written, "grant already-there", false, "is written already"},
		{"written a moment ago by another case", func(f *Facts) { written(f); f.Wrote = f.Build.End }, "retry build 1m0s", false,
			"written a moment ago"},
		{"… for the third time", func(f *Facts) {
			written(f)
			f.Wrote, f.Settings.Limits.Rounds = f.Build.End, 9
			f.Earlier = again(2, func(r *Round) { r.Diagnosis = &f.Diagnosis })
		}, "grant already-there", false, "is written already"},
		{"written by this case, and denied again", func(f *Facts) { written(f); asked(f) }, "report undo 1", false, "did not help"},
		{"… a moment ago", func(f *Facts) { written(f); asked(f); f.Wrote = f.Build.End }, "report undo 1", false, "did not help"},
		{"written by this case, and gone", asked, "grant build", true, "The settings allow"},
		{"taken back", func(f *Facts) { asked(f); f.Earlier[0].Undone = began }, "grant taken-back", false, "taken back"},
		{"no round is left", func(f *Facts) { f.Earlier = again(3, nil) }, "grant rounds-used-up", false, "is used up"},
		{"of a pull request, and of another role", func(f *Facts) {
			f.Build.SourceVersion = "pr/7"
			f.Diagnosis.Denials[0].Principal = strings.Replace(f.Diagnosis.Denials[0].Principal, "shop-role", "admin", 1)
		}, "grant untrusted-build other-principal", false, "nothing is granted"},
		{"as a ready-made policy", func(f *Facts) {
			s := *f.Settings
			s.Grants = slices.Clone(s.Grants)
			s.Grants[0].Give = settings.GiveSet
			f.Settings, f.Project.Write, f.Wrote = &s, settings.Write{Attach: true}, f.Build.End
			f.Before = make([]guardrail.Answer, len(guardrail.Questions(f.Judged())))
		}, "grant build", true, "The settings allow"},
	} {
		d := Decide(denied(t, row.change))
		got := short(d)
		if d.Asks {
			got += " asks"
		}
		if got != row.want || (len(d.Used) > 0) != row.uses || !strings.Contains(d.Why, row.why) {
			t.Errorf("%s: %s, used %v, why %q; want %s", row.name, got, d.Used, d.Why, row.want)
		}
	}
}

// TestSameAgain: only the rounds right before this one count, which started a
// build that failed of the same, and none before a replay.
func TestSameAgain(t *testing.T) {
	same := diagnose.Diagnosis{Denials: []buildlog.Denial{{Action: "s3:PutObject", Resource: "x", Causal: true}}}
	other := diagnose.Diagnosis{Denials: []buildlog.Denial{{Action: "s3:PutObject", Resource: "y", Causal: true}}}
	failed := Round{Diagnosis: &same, RetryAt: began}
	differs, unknown, told, replayed := failed, failed, failed, failed
	differs.Diagnosis, unknown.Diagnosis, told.RetryAt, replayed.Replayed = &other, nil, time.Time{}, began
	unknown.Denied = denialKeys(same)
	for _, row := range []struct {
		name    string
		earlier []Round
		want    int
	}{
		{"none", nil, 0},
		{"twice", []Round{failed, failed}, 2},
		{"before another denial", []Round{failed, differs, failed}, 1},
		{"before a round of which nothing is known", []Round{failed, unknown, failed}, 1},
		{"before a round that started nothing", []Round{failed, told, failed}, 1},
		{"of another denial, and started nothing", []Round{failed, {Diagnosis: &other}}, 0},
		{"from a replay on", []Round{failed, replayed, failed}, 2},
	} {
		if got := sameAgain(Facts{Diagnosis: same, Earlier: row.earlier}); got != row.want {
			t.Errorf("%s: %d, want %d", row.name, got, row.want)
		}
	}
	if got := sameAgain(Facts{Diagnosis: same, Earlier: []Round{failed}, Replayed: true}); got != 0 {
		t.Errorf("replayed: %d", got)
	}
}

// TestRouteOfARound: which rounds start their build by a token, a batch or a stage.
func TestRouteOfARound(t *testing.T) {
	for route, want := range map[Route]string{RouteNone: "", RouteBuild: "token", RouteStart: "token", RouteStage: "stage",
		RouteBatch: "batch", RouteCodeBuild: ""} {
		r, got := Round{Decision: &Decision{Plan: &Plan{Route: route}}}, ""
		for name, is := range map[string]bool{"token": r.ByToken(), "stage": r.OfStage(), "batch": r.OfBatch()} {
			if is {
				got += name
			}
		}
		if got != want {
			t.Errorf("%s: %q, want %q", route, got, want)
		}
	}
	for _, r := range []Round{{}, {Decision: &Decision{}}} {
		if r.ByToken() || r.OfStage() || r.OfBatch() {
			t.Errorf("%+v starts a build", r)
		}
	}
}

// TestHeldBy: what a person's undo of a round holds back.
func TestHeldBy(t *testing.T) {
	c := Case{ID: "c", Account: account, Region: "us-east-1", Project: "shop"}
	used := []guardrail.Used{{Grant: "a"}, {Grant: "b"}}
	of := func(p *Plan) Round { return Round{Decision: &Decision{Used: used, Plan: p}} }
	for name, row := range map[string]struct {
		r    Round
		want string // grant, role and policy of each
	}{
		"nothing decided": {Round{}, ""},
		"no plan":         {of(nil), ""},
		"a retry":         {of(&Plan{Role: roleARN}), ""},
		"a repository":    {of(&Plan{Role: roleARN, Repository: "shop"}), ""},
		"a switch":        {of(&Plan{Role: roleARN, NewRole: "arn:x"}), "switch_role||"},
		"inline": {of(&Plan{Role: roleARN, Write: &guardrail.Target{Kind: guardrail.Inline, Name: "healed"}}),
			"a|" + roleARN + "| b|" + roleARN + "|"},
		"managed": {of(&Plan{Role: roleARN, Write: &guardrail.Target{Kind: guardrail.Managed, Name: "arn:p"}}),
			"a|" + roleARN + "|arn:p b|" + roleARN + "|arn:p"},
		"attached": {of(&Plan{Role: roleARN, Write: &guardrail.Target{Kind: guardrail.Attach}}), "a|" + roleARN + "| b|" + roleARN + "|"},
	} {
		var got []string
		for _, h := range c.HeldBy(row.r) {
			got = append(got, h.Grant+"|"+h.Role+"|"+h.Policy)
			if h.Account != account || h.Region != "us-east-1" || h.Project != "shop" || h.Case != "c" {
				t.Errorf("%s: %+v", name, h)
			}
		}
		if strings.Join(got, " ") != row.want {
			t.Errorf("%s: %q, want %q", name, got, row.want)
		}
	}
}

// TestHoldFlags: how a hold is lifted at a desk, where account and region are
// named only if they are others.
func TestHoldFlags(t *testing.T) {
	home := settings.Account{ID: account, Region: "us-east-1"}
	for want, h := range map[string]Hold{
		" -project shop -grant image": {Grant: "image", Account: account, Region: "us-east-1", Project: "shop"},
		" -project shop -grant '*'":   {Grant: EveryGrant, Account: account, Region: "us-east-1", Project: "shop"},
		" -project shop -grant image -account " + account + " -region eu-west-1": {Grant: "image", Account: account,
			Region: "eu-west-1", Project: "shop"},
		" -project shop -grant image -account 999988887777 -region us-east-1": {Grant: "image", Account: "999988887777",
			Region: "us-east-1", Project: "shop"},
	} {
		if got := h.flags(home); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestVariant: only a build by another name than all before it has another case.
func TestVariant(t *testing.T) {
	by := func(version string) Round {
		r := Round{Build: build()}
		r.Build.SourceVersion = version
		return r
	}
	const main, tag, commit = "refs/heads/main", "refs/tags/v1", "1111111111111111111111111111111111111111"
	for _, row := range []struct {
		rounds  []Round
		version string
		own     bool
	}{
		{nil, tag, true},
		{[]Round{by(main)}, main, true},
		{[]Round{by(main)}, commit, true},
		{[]Round{by(commit)}, tag, true},
		{[]Round{by(main), by(commit)}, tag, true},
		{[]Round{by(main), by(tag)}, tag, true},
		{[]Round{by(main)}, tag, false},
		{[]Round{by(main), by(main)}, tag, false},
	} {
		c := Case{ID: "c", Rounds: row.rounds}
		got := c.Variant(by(row.version).Build)
		if (got == "c") != row.own {
			t.Errorf("%s after %d rounds: %s", row.version, len(row.rounds), got)
		}
	}
	c := Case{ID: "c", Rounds: []Round{by(main)}}
	if c.Variant(by(tag).Build) == c.Variant(by("refs/tags/v2").Build) {
		t.Error("two tags have one case")
	}
}

// TestToldOnly: a round that did anything at all is more than told.
func TestToldOnly(t *testing.T) {
	for name, row := range map[string]struct {
		r    Round
		want bool
	}{
		"nothing decided":                    {Round{}, true},
		"refused":                            {Round{Decision: &Decision{}}, true},
		"undoes":                             {Round{Decision: &Decision{Undo: 1}}, false},
		"wrote":                              {Round{Written: began}, false},
		"started a build":                    {Round{RetryAt: began}, false},
		"deleted a version":                  {Round{Dropped: []Dropped{{Version: "v1"}}}, false},
		"deleted a version, and was refused": {Round{Dropped: []Dropped{{Version: "v1"}}, Decision: &Decision{}}, false},
	} {
		if got := row.r.ToldOnly(); got != row.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestStartsAnew: where it has to be known what the failed build overrode.
func TestStartsAnew(t *testing.T) {
	for _, row := range []struct {
		name   string
		remedy diagnose.Remedy
		change func(*Facts)
		want   bool
	}{
		{"another buildspec", diagnose.OverrideBuildspec, nil, true},
		{"none is listed", diagnose.OverrideBuildspec, func(f *Facts) { f.Project.Buildspecs = nil }, false},
		{"a switch", diagnose.Grant, func(f *Facts) { f.Project.SwitchRole = "ready" }, true},
		{"a switch in the place of CodeBuild's own retry", diagnose.Grant, func(f *Facts) {
			f.Project.SwitchRole, f.Build.AutoRetry = "ready", codebuild.AutoRetry{Limit: 1}
		}, true},
		{"a switch in a pipeline", diagnose.Grant, func(f *Facts) {
			f.Project.SwitchRole, f.Build.Initiator = "ready", "codepipeline/main"
		}, false},
		{"a switch without a retry", diagnose.Grant, func(f *Facts) { f.Project.SwitchRole, f.Project.Retry = "ready", false }, false},
		{"a grant", diagnose.Grant, nil, false},
		{"a retry", diagnose.Retry, nil, false},
	} {
		if got := StartsAnew(facts(t, row.remedy, row.change)); got != row.want {
			t.Errorf("%s: %v", row.name, got)
		}
	}
}

// TestPlanIsTimeless ensures that a plan whose grant ends has the same hash
// whenever it is decided on, another one for another duration, and that both
// its policy and its proof are of the time of the decision.
func TestPlanIsTimeless(t *testing.T) {
	at := func(now time.Time, lasts time.Duration) *Plan {
		f := denied(t, func(f *Facts) {
			f.Now = now
			s := *f.Settings
			s.Grants = slices.Clone(s.Grants)
			for i := range s.Grants {
				s.Grants[i].Expires = lasts
			}
			f.Settings = &s
			f.Before = make([]guardrail.Answer, len(guardrail.Questions(f.Judged())))
		})
		d := Decide(f)
		if d.Plan == nil {
			t.Fatalf("no plan: %v", d.Refusals)
		}
		return d.Plan
	}
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	first, later := at(now, time.Hour), at(now.Add(3*time.Hour), time.Hour)
	if first.Hash() != later.Hash() {
		t.Errorf("decided again, the plan has another hash:\n%s\n%s", first.Bytes(), later.Bytes())
	}
	if first.Write.After == later.Write.After || first.Proof[0].Context["aws:CurrentTime"][0] != "2026-11-22T10:00:00Z" ||
		later.Proof[0].Context["aws:CurrentTime"][0] != "2026-11-22T13:00:00Z" {
		t.Errorf("the policy or its proof is of another time:\n%s\n%v", later.Write.After, later.Proof)
	}
	if at(now, 2*time.Hour).Hash() == first.Hash() {
		t.Error("a grant that lasts twice as long has the same hash")
	}
	var stored Plan
	if err := json.Unmarshal(first.Bytes(), &stored); err != nil || stored.Hash() != first.Hash() {
		t.Errorf("the stored plan has another hash: %v", err)
	}
	whole, err := json.Marshal(first)
	if err == nil {
		stored = Plan{}
		err = json.Unmarshal(whole, &stored)
	}
	if err != nil || stored.Hash() != first.Hash() || stored.Write.After != first.Write.After {
		t.Errorf("the plan as the ledger keeps it with its case is another one: %v", err)
	}
}

// TestModesDecideAlike ensures that modes do not change what is chosen.
func TestModesDecideAlike(t *testing.T) {
	for _, m := range []settings.Mode{settings.Observe, settings.Propose, settings.Heal} {
		d := Decide(denied(t, func(f *Facts) { f.Project.Mode = m }))
		if d.Mode != m || d.Plan == nil || d.Plan.Hash() != Decide(denied(t, nil)).Plan.Hash() {
			t.Errorf("%s: %+v", m, d)
		}
	}
}

// TestCaseID ensures that builds of one commit are one case, and others not.
func TestCaseID(t *testing.T) {
	at := settings.Account{ID: account, Region: "us-east-1"}
	b := build()
	same := b
	same.ID = "shop:2"
	if CaseID(at, b) != CaseID(at, same) {
		t.Error("two builds of a commit are two cases")
	}
	for name, change := range map[string]func(*codebuild.Build, *settings.Account){
		"commit":  func(b *codebuild.Build, _ *settings.Account) { b.ResolvedSourceVersion = "2" },
		"project": func(b *codebuild.Build, _ *settings.Account) { b.Project = "other" },
		"account": func(_ *codebuild.Build, at *settings.Account) { at.ID = "444455556666" },
		"region":  func(_ *codebuild.Build, at *settings.Account) { at.Region = "eu-west-1" },
		"unknown": func(b *codebuild.Build, _ *settings.Account) { b.ResolvedSourceVersion, b.SourceVersion = "", "" },
	} {
		o, oat := b, at
		change(&o, &oat)
		if CaseID(at, b) == CaseID(oat, o) {
			t.Errorf("another %s is the same case", name)
		}
	}
}

// TestRetries: a round counts as a retry once a build was started, or may have been.
func TestRetries(t *testing.T) {
	for _, row := range []struct {
		r    Round
		want int
	}{
		{Round{Step: StepDone}, 0},
		{Round{Step: StepReceived}, 0},
		{Round{Step: StepWritten, RetryAt: began}, 0},
		{Round{Step: StepRetried}, 1},
		{Round{Step: StepDone, RetryAt: began}, 1},
		{Round{Step: StepDone, Retry: "shop:2"}, 1},
	} {
		if got := retries([]Round{row.r}); got != row.want {
			t.Errorf("%+v: %d", row.r, got)
		}
	}
}

// TestWroteSince: a build may not have had what was written after it ended, or
// so shortly before that the clocks may differ by as much.
func TestWroteSince(t *testing.T) {
	b := build()
	for wrote, want := range map[time.Time]bool{
		{}: false, b.End: true, b.End.Add(time.Hour): true, b.End.Add(-time.Hour): false,
		b.End.Add(-ClockSkew): false, b.End.Add(time.Second - ClockSkew): true,
	} {
		if got := (Facts{Wrote: wrote}).wroteSince(b); got != want {
			t.Errorf("written %s before the end: %v", b.End.Sub(wrote), got)
		}
	}
	if (Facts{}).wroteSince(codebuild.Build{}) {
		t.Error("nothing was written")
	}
}

// TestLastWrite: only the last n rounds count, and of them the newest that
// changed something which stands.
func TestLastWrite(t *testing.T) {
	wrote := Round{Written: began, Decision: &Decision{Plan: &Plan{Repository: "shop"}}}
	back, none := wrote, Round{Decision: &Decision{}}
	back.Undone = began
	only := Round{Written: began, Decision: &Decision{Plan: &Plan{}}} // a start of a build, and no change
	for _, row := range []struct {
		rs   []Round
		n    int
		want int
	}{
		{nil, 2, -1},
		{[]Round{wrote, wrote, none}, 2, 1},
		{[]Round{wrote, wrote, none}, 1, -1},
		{[]Round{wrote, wrote, none}, 9, 1},
		{[]Round{wrote, back, only}, 9, 0},
		{[]Round{wrote, back, only}, 0, -1},
		{[]Round{none}, 9, -1},
	} {
		if got := lastWrite(row.rs, row.n); got != row.want {
			t.Errorf("%d rounds, the last %d: %d, want %d", len(row.rs), row.n, got, row.want)
		}
	}
}

// TestDenialKeys: denials that failed the build have a name each, whatever their
// number and order; very many have one together.
func TestDenialKeys(t *testing.T) {
	d := func(n int) buildlog.Denial {
		return buildlog.Denial{Action: "s3:PutObject", Resource: fmt.Sprint(n), Causal: true}
	}
	a, b, other := d(1), d(2), d(3)
	other.Causal = false
	if got, want := denialKeys(diagnose.Diagnosis{Denials: []buildlog.Denial{b, a, other, b}}),
		denialKeys(diagnose.Diagnosis{Denials: []buildlog.Denial{a, b}}); len(got) != 2 || cmp.Diff(want, got) != "" {
		t.Errorf("%q and %q", got, want)
	}
	var many diagnose.Diagnosis
	for i := range maxKeptDenials {
		many.Denials = append(many.Denials, d(i), d(i))
	}
	if n := len(denialKeys(many)); n != maxKeptDenials {
		t.Errorf("%d names of as many as are kept", n)
	}
	many.Denials = append(many.Denials, d(-1))
	if n := len(denialKeys(many)); n != 1 {
		t.Errorf("%d names of more", n)
	}
}

// TestUnsettledYet: what waits for a start waits for the settling at least; a
// decision without a plan stays what it is.
func TestUnsettledYet(t *testing.T) {
	f := facts(t, diagnose.Grant, nil)
	settle := f.Settings.Limits.Settle
	for was, want := range map[time.Duration]time.Duration{0: settle, settle * 3: settle * 3} {
		if d := unsettledYet(f, Decision{Plan: &Plan{Settle: was}}); d.Plan.Settle != want || d.Why == "" {
			t.Errorf("%s: %+v", was, d.Plan)
		}
	}
	if d := unsettledYet(f, Decision{Why: "refused"}); d.Plan != nil || d.Why != "refused" {
		t.Errorf("%+v", d)
	}
}

// TestBeforeFirstCommand: only of a build whose failed phase is known.
func TestBeforeFirstCommand(t *testing.T) {
	for phase, want := range map[string]bool{"SUBMITTED": true, "PROVISIONING": true, "DOWNLOAD_SOURCE": true, "INSTALL": false,
		"BUILD": false} {
		b := codebuild.Build{Phases: []codebuild.Phase{{Type: phase, Status: "FAILED"}}}
		if got := beforeFirstCommand(b); got != want {
			t.Errorf("%s: %v", phase, got)
		}
		b.Phases[0].Status = "SUCCEEDED"
		if beforeFirstCommand(b) {
			t.Errorf("%s did not fail", phase)
		}
	}
}

// TestMayStand: a change that is being made or taken back is kept like one that stands.
func TestMayStand(t *testing.T) {
	for _, row := range []struct {
		r    Round
		want bool
	}{
		{Round{Step: StepWriting}, true}, {Round{Step: StepUndoing}, true}, {Round{Step: StepDone}, false},
		{Round{Step: StepDone, Written: began}, true}, {Round{Step: StepDone, Written: began, Undone: began}, false},
	} {
		if got := row.r.mayStand(); got != row.want {
			t.Errorf("%+v: %v", row.r, got)
		}
		row.r.Decision = &Decision{Plan: &Plan{Repository: "shop"}}
		c := Case{Rounds: []Round{row.r, {Step: StepWriting}, {Step: StepWriting, Decision: &Decision{}}}}
		if got := len(c.Changes()); got == 1 != row.want {
			t.Errorf("%+v: %d changes", row.r, got)
		}
	}
}

// TestAllowedAlready: the simulator says that the role may do it.
func TestAllowedAlready(t *testing.T) {
	wrote := Round{Written: began, Decision: &Decision{Plan: &Plan{Repository: "shop"}}}
	for _, row := range []struct {
		name   string
		change func(*Facts)
		again  int
		want   string
	}{
		{"at first", nil, 0, "retry 0"},
		{"at first, before a command", func(f *Facts) { f.Build.Phases[0].Type = "PROVISIONING" }, 0, "retry 1"},
		{"again, and nobody wrote", func(f *Facts) { f.Earlier = again(1, nil) }, 1, "report"},
		{"again, and another case wrote", func(f *Facts) { f.Earlier, f.Wrote = again(1, nil), f.Build.End }, 1, "retry 4"},
		{"a third time, and another case wrote", func(f *Facts) {
			f.Earlier, f.Wrote, f.Settings.Limits.Rounds = again(2, nil), f.Build.End, 9
		}, 2, "report"},
		{"again after a write", func(f *Facts) { f.Earlier = []Round{wrote} }, 1, "retry 4"},
		{"a third time after a write", func(f *Facts) { f.Earlier = []Round{wrote, {}} }, 2, "undo 1"},
		{"again after a write, and no round is left", func(f *Facts) {
			f.Earlier, f.Settings.Limits.Rounds = []Round{wrote}, 0
		}, 1, "undo 1"},
		{"no round is left", func(f *Facts) { f.Settings.Limits.Rounds = 0 }, 0, "refused"},
	} {
		f := facts(t, diagnose.Grant, row.change)
		d := allowedAlready(f, Decision{}, row.again)
		var got string
		switch {
		case d.Undo > 0:
			got = fmt.Sprint("undo ", d.Undo)
		case d.Plan != nil:
			got = fmt.Sprint(d.Remedy, " ", int(d.Plan.Settle/f.Settings.Limits.Settle))
		case len(d.Refusals) > 0:
			got = "refused"
		default:
			got = string(d.Remedy)
		}
		if got != row.want || d.Why == "" {
			t.Errorf("%s: %s, want %s (%q)", row.name, got, row.want, d.Why)
		}
	}
}

// TestTakenBack: what was made for the denial and taken back is not made again,
// unless a person asks, or it has been asked for again since.
func TestTakenBack(t *testing.T) {
	same := diagnose.Diagnosis{Denials: []buildlog.Denial{{Action: "s3:PutObject", Resource: "x", Causal: true}}}
	other := diagnose.Diagnosis{Denials: []buildlog.Denial{{Action: "s3:PutObject", Resource: "y", Causal: true}}}
	back := Round{Diagnosis: &same, Written: began, Undone: began}
	for _, row := range []struct {
		name     string
		earlier  []Round
		replayed bool
		want     bool
	}{
		{"nothing was made", []Round{{Diagnosis: &same}}, false, false},
		{"taken back", []Round{back}, false, true},
		{"taken back, and only told since", []Round{back, {Diagnosis: &same}}, false, true},
		{"taken back, and made for another denial since", []Round{back, {Diagnosis: &other, Written: began}}, false, true},
		{"taken back for another denial", []Round{{Diagnosis: &other, Written: began, Undone: began}}, false, false},
		{"taken back, and made again since", []Round{back, {Diagnosis: &same, Written: began}}, false, false},
		{"taken back, and a person asks", []Round{back}, true, false},
		{"of which nothing is known", []Round{{Written: began, Undone: began}}, false, false},
	} {
		r := takenBack(Facts{Diagnosis: same, Earlier: row.earlier, Replayed: row.replayed})
		if (r != nil) != row.want || r != nil && r.Rule != guardrail.TakenBack {
			t.Errorf("%s: %+v", row.name, r)
		}
	}
}

// TestMerge: refusals of the same rule, action and resource are one.
func TestMerge(t *testing.T) {
	a := guardrail.Refusal{Rule: guardrail.NotAllowed, Action: "s3:PutObject", Resource: "x"}
	rule, action, resource := a, a, a
	rule.Rule, action.Action, resource.Resource = guardrail.Paused, "s3:GetObject", "y"
	if got := merge([]guardrail.Refusal{a}, []guardrail.Refusal{a, rule, action, resource, action}); len(got) != 4 {
		t.Errorf("%+v", got)
	}
}

package decide

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/diagnose"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// These tests go the whole road of judgement: text that anybody may print is
// read, diagnosed and decided on, and what comes out is held against the
// settings by evaluating policies, which is not how Decide itself does it.

const (
	hostileAccount = "111122223333"
	hostileUUID    = "8745a7a9-c340-456a-9166-edf953571b01"
	hostileSession = "arn:aws:sts::111122223333:assumed-role/codebuild-shop/AWSCodeBuild-" + hostileUUID
	hostileRepo    = "arn:aws:ecr:eu-west-1:111122223333:repository/shop"
)

const hostileSettings = `version: 1
projects:
  - name: shop
    role: service-role/codebuild-shop
    mode: heal
    write: {inline: buildmedic}
    grants: [image, bucket, deploy, roles, secret, logs, started]
    buildspecs: [ci/buildspec.yml, aws/buildspec.yml]
grants:
  - {id: image, because: b, owner: o, set: ecr-push, give: set, create: true, ` +
	`resources: ["arn:${partition}:ecr:${region}:${account}:repository/shop"]}
  - {id: bucket, because: b, owner: o, set: s3-deploy, resources: ["arn:${partition}:s3:::shop-*", "arn:${partition}:s3:::shop-*/*"]}
  - {id: deploy, because: b, owner: o, set: ecs-deploy, give: set, resources: ["*"],
     pass_roles: {ecs-tasks.amazonaws.com: ["arn:${partition}:iam::${account}:role/task"]}}
  - {id: roles, because: b, owner: o, actions: ["sts:AssumeRole"], resources: ["arn:${partition}:iam::${account}:role/cdk-deploy"]}
  - {id: secret, because: b, owner: o, actions: ["secretsmanager:GetSecretValue"], expires: 14d, ` +
	`resources: ["arn:${partition}:secretsmanager:${region}:${account}:secret:shop/*"]}
  - {id: logs, because: b, owner: o, set: logs, evidence: phase, ` +
	`resources: ["arn:${partition}:logs:${region}:${account}:log-group:/aws/codebuild/*"]}
  - {id: started, because: b, owner: o, actions: ["codebuild:StartBuild"], ` +
	`resources: ["arn:${partition}:codebuild:${region}:${account}:project/next"]}
`

var (
	hostilePrincipals = []string{hostileSession, hostileSession, hostileSession, hostileSession, "***", "arn:aws:iam::111122223333:user/x",
		strings.Replace(hostileSession, hostileAccount, "444455556666", 1), strings.Replace(hostileSession, "b01", "b02", 1),
		strings.Replace(hostileSession, "codebuild-shop", "Codebuild-Shop", 1), hostileSession + "/x"}
	hostileActions = []string{"ecr:PutImage", "ecr:InitiateLayerUpload", "ecr:GetAuthorizationToken", "s3:PutObject",
		"s3:GetObject", "s3:ListBucket", "ecs:UpdateService", "ecs:RegisterTaskDefinition", "iam:PassRole",
		"sts:AssumeRole", "secretsmanager:GetSecretValue", "logs:CreateLogStream", "codebuild:StartBuild",
		"iam:CreateUser", "iam:PutRolePolicy", "s3:PutBucketPolicy", "lambda:UpdateFunctionCode", "ecs:RunTask", "*", "ecr:*", "no:Such"}
	hostileResources = []string{hostileRepo, hostileRepo + "-2", "arn:aws:ecr:eu-west-1:111122223333:repository/*",
		"arn:aws:s3:::shop-a", "arn:aws:s3:::shop-a/x", "arn:aws:s3:::shop-a/*",
		"arn:aws:s3:::other/x", "arn:aws:s3:::shop-a/${aws:username}", "*", "***",
		"arn:aws:iam::111122223333:role/task", "arn:aws:iam::111122223333:role/admin",
		"arn:aws:iam::111122223333:role/cdk-deploy",
		"arn:aws:secretsmanager:eu-west-1:111122223333:secret:shop/db-AbCdEf",
		"arn:aws:ecs:eu-west-1:111122223333:service/c/s", "arn:aws:ecs:eu-west-1:111122223333:task-definition/t:*",
		"arn:aws:logs:eu-west-1:111122223333:log-group:/aws/codebuild/shop:log-stream:",
		"arn:aws:codebuild:eu-west-1:111122223333:project/next", "arn:aws:ecr:eu-west-1:444455556666:repository/shop",
		"arn:aws:lambda:eu-west-1:111122223333:function:buildmedic"}
	// hostileFits are denials that some grant covers.
	hostileFits = [][2]string{{"ecr:PutImage", hostileRepo}, {"ecr:GetAuthorizationToken", "*"},
		{"s3:PutObject", "arn:aws:s3:::shop-a/x"}, {"s3:ListBucket", "arn:aws:s3:::shop-a"},
		{"ecs:UpdateService", "arn:aws:ecs:eu-west-1:111122223333:service/c/s"}, {"iam:PassRole", "arn:aws:iam::111122223333:role/task"},
		{"sts:AssumeRole", "arn:aws:iam::111122223333:role/cdk-deploy"},
		{"secretsmanager:GetSecretValue", "arn:aws:secretsmanager:eu-west-1:111122223333:secret:shop/db-AbCdEf"},
		{"codebuild:StartBuild", "arn:aws:codebuild:eu-west-1:111122223333:project/next"}}
	hostileReasons = []string{" because no identity-based policy allows the %s action",
		" because no identity-based policy allows the %s action", "",
		" with an explicit deny in a service control policy", " because no permissions boundary allows the %s action"}
	hostileNoise = []string{"The repository with name 'shop' does not exist in the registry with id '111122223333'",
		"YAML_FILE_ERROR: stat buildspec.yml: no such file or directory",
		"toomanyrequests: You have reached your pull rate limit", "\x1b[31mAccess Denied\x1b[0m",
		"dial tcp: i/o timeout", "[Container] 2026/11/22 10:15:00 Phase complete: BUILD State: SUCCEEDED",
		"An error occurred (AccessDenied) when calling the PutObject operation: Access Denied",
		"name unknown: The repository with name 'evil/shop' does not exist"}
	hostileVersions = []string{"refs/heads/main", "refs/heads/main^{2f1c0de}", "refs/heads/main", "refs/heads/main",
		"refs/heads/main", "refs/heads/main",
		"pr/7", "refs/pull/7/merge", "2f1c0de2f1c0de", "", "main", "+refs/pull/7/head", "origin/pr/7",
		"refs/heads/main^2",
		"refs/heads/gh-readonly-queue/main/pr-7", "arn:aws:s3:::artifacts/shop/x"}
	hostileStarters = []string{"GitHub-Hookshot/1a2b3c4", "GitHub-Hookshot/1a2b3c4", "ci/alice",
		"codepipeline/shop", "codepipeline/shop",
		"codebuild-shop/AWSCodeBuild-x", "codebuild-shop/x", "buildmedic/buildmedic", "Buildkite/1", "nightly/s", ""}
	hostilePolicies = [][]iampolicy.Statement{
		{iampolicy.Allow("a", []string{"logs:*", "ecr:Get*"}, []string{"*"})},
		{iampolicy.Allow("b", []string{"ecs:RunTask", "ecs:CreateService"}, []string{"*"})},
		{iampolicy.Allow("c", []string{"s3:GetObject"}, []string{"arn:aws:s3:::shop-a/*"})},
		{iampolicy.Allow("d", []string{"iam:PassRole"}, []string{"*"})},
	}
)

var parsedHostile = sync.OnceValues(func() (*settings.Settings, error) {
	return settings.Parse([]byte(hostileSettings))
})

// hostileWorld makes facts out of a seed. extra is printed by the build as it is.
func hostileWorld(tb testing.TB, seed uint64, extra ...string) Facts {
	f, _ := hostileFailure(tb, seed, extra...)
	return f
}

// hostileFailure is [hostileWorld], with what was read of the log.
func hostileFailure(tb testing.TB, seed uint64, extra ...string) (Facts, buildlog.Failure) {
	tb.Helper()
	r, scopes := rand.New(rand.NewPCG(seed, 11)), rand.New(rand.NewPCG(seed, 13))
	parsed, err := parsedHostile()
	if err != nil {
		tb.Fatal(err)
	}
	s := *parsed
	s.Grants, s.Projects = slices.Clone(s.Grants), slices.Clone(s.Projects)
	for i := range s.Grants {
		if r.IntN(4) == 0 {
			s.Grants[i].Give = pickOf(r, []settings.Give{settings.GiveExact, settings.GiveSet})
		}
		if seed%3 == 0 {
			s.Grants[i].Scope = pickOf(scopes, []settings.Scope{settings.ScopeProject, settings.ScopeProject, settings.ScopeRole})
		}
	}
	p := &s.Projects[0]
	p.Grants = p.Grants[r.IntN(3):]
	p.Retry = r.IntN(6) > 0
	if r.IntN(4) == 0 {
		p.Trust = settings.Trust{MergeQueue: r.IntN(2) == 0, Starters: []string{"nightly"}}
	}
	if seed%2 == 0 {
		p.Pipelines = []string{"shop"}
	}
	p.Mode = pickOf(r, []settings.Mode{settings.Heal, settings.Propose, settings.Observe})
	p.Write = pickOf(r, []settings.Write{{Inline: "buildmedic"}, {Inline: "buildmedic"}, {Managed: "shop"}, {Attach: true}})
	if r.IntN(8) == 0 {
		p.SwitchRole = "service-role/codebuild-ready"
	}
	f := Facts{
		Settings: &s,
		Home:     settings.Account{ID: hostileAccount, Region: "eu-west-1"},
		Project:  *p,
		Case:     "c",
		Now:      time.Date(2026, 11, 22, 10, 15, 0, 0, time.UTC),
		Build:    hostileBuild(r),
		Self: Self{Initiator: "buildmedic/buildmedic", Function: "buildmedic",
			Parts: []string{"arn:aws:lambda:*:111122223333:function:buildmedic*"}},
	}
	failure := buildlog.ReadText(f.Build, hostileLog(r, extra))
	f.Diagnosis = diagnose.Diagnose(failure)
	if r.IntN(10) == 0 {
		f.Paused = "Somebody paused it."
	}
	hostileRole(r, &f)
	hostilePast(r, &f)
	f.PullRequests = pickOf(r, []guardrail.PullRequestBuilds{{Read: true}, {Read: true}, {}, {Read: true, Unread: "denied"},
		{Read: true, Built: []string{"the webhook of project web starts builds of them"}}})
	f.Project.PullRequests = pickOf(r, []settings.PullRequests{"", settings.SeparateRole, settings.Accept})
	return f, failure
}

func pickOf[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

// hostileAsked is who asks for a build, and for which source: as often as not, a push.
func hostileAsked(r *rand.Rand) (who, version string) {
	if r.IntN(2) == 0 {
		return hostileStarters[0], hostileVersions[r.IntN(2)]
	}
	return pickOf(r, hostileStarters), pickOf(r, hostileVersions)
}

func hostileBuild(r *rand.Rand) codebuild.Build {
	who, version := hostileAsked(r)
	b := codebuild.Build{
		ID:                    "shop:" + hostileUUID,
		ARN:                   "arn:aws:codebuild:eu-west-1:111122223333:build/shop:" + hostileUUID,
		Project:               "shop",
		Status:                codebuild.Failed,
		ServiceRole:           "arn:aws:iam::111122223333:role/service-role/codebuild-shop",
		Initiator:             who,
		SourceType:            "GITHUB",
		SourceVersion:         version,
		ResolvedSourceVersion: "2f1c0de2f1c0de",
		Buildspec:             "buildspec.yml",
		Phases: []codebuild.Phase{{Type: "SUBMITTED", Status: codebuild.Succeeded},
			{Type: "BUILD", Status: codebuild.Failed,
				Contexts: []codebuild.Context{{Code: "COMMAND_EXECUTION_ERROR",
					Message: "Error while executing command: docker push x. Reason: exit status 1"}}}},
	}
	switch r.IntN(20) {
	case 0:
		b.ServiceRole = pickOf(r, []string{"", "codebuild-shop", "arn:aws:iam::111122223333:role/admin",
			"arn:aws:iam::444455556666:role/service-role/codebuild-shop", "Codebuild-Shop"})
	case 1:
		b.ARN = strings.Replace(b.ARN, hostileAccount, "444455556666", 1) // and the role stays
	case 2:
		b.ID = "shop:other"
	case 3:
		b.Project = "Shop"
	case 4:
		b.Phases[1].Contexts = []codebuild.Context{{Code: "CLIENT_ERROR", Message: hostileDenial(r)}}
	}
	return hostileRoot(r, b)
}

// hostileRoot makes the build a part of a batch, or a retry by CodeBuild itself:
// of somebody's, or of nobody knows whose.
func hostileRoot(r *rand.Rand, b codebuild.Build) codebuild.Build {
	of := r.IntN(8)
	switch of {
	case 0:
		b.BatchARN = "arn:aws:codebuild:eu-west-1:111122223333:build-batch/shop:1"
	case 1:
		b.AutoRetry = codebuild.AutoRetry{Limit: 2, Number: 1 + r.IntN(2), Previous: strings.Replace(b.ARN, "b01",
			"b00", 1)}
	case 2:
		b.AutoRetry = codebuild.AutoRetry{Limit: 2, Number: 1}
	}
	if of < 2 && r.IntN(8) > 0 {
		b.Initiator = "codebuild-shop/AWSCodeBuild-x"
		who, version := hostileAsked(r)
		root := codebuild.Root{From: "shop:root", Initiator: who, SourceType: "GITHUB",
			SourceVersion: b.SourceVersion, ResolvedSourceVersion: b.ResolvedSourceVersion}
		if r.IntN(3) == 0 {
			root.SourceVersion = version
		}
		b.Root = &root
	}
	return b
}

// hostileTrust is whether the build may bring in a grant, told in another way
// than guardrail's: by who is at its root, and by what each of its records names.
func hostileTrust(b codebuild.Build, p settings.Project) bool {
	who, versions := b.Initiator, []string{b.SourceVersion}
	if b.BatchARN != "" || b.AutoRetry.Number > 0 {
		if b.Root == nil {
			return false
		}
		who, versions = b.Root.Initiator, append(versions, b.Root.SourceVersion)
	}
	full := []string{"refs/heads/main", "refs/heads/main^{2f1c0de}"}
	if p.Trust.MergeQueue {
		full = append(full, "refs/heads/gh-readonly-queue/main/pr-7")
	}
	switch who {
	case "codepipeline/shop":
		full = append(full, "", "2f1c0de2f1c0de", "arn:aws:s3:::artifacts/shop/x")
	case "nightly/s":
		if len(p.Trust.Starters) > 0 {
			full = append(full, "")
		}
	case "", "codebuild-shop/AWSCodeBuild-x", "codebuild-shop/x", "buildmedic/buildmedic":
		return false
	}
	if len(versions) > 1 && versions[0] == "2f1c0de2f1c0de" {
		versions = versions[1:] // the commit of what was asked for
	}
	return !slices.ContainsFunc(versions, func(v string) bool { return !slices.Contains(full, v) })
}

func hostileDenial(r *rand.Rand) string {
	who, what := pickOf(r, hostilePrincipals), [2]string{pickOf(r, hostileActions), pickOf(r, hostileResources)}
	why := pickOf(r, hostileReasons)
	if r.IntN(3) > 0 {
		who, what, why = hostileSession, pickOf(r, hostileFits), hostileReasons[0]
	}
	if strings.Contains(why, "%s") {
		why = fmt.Sprintf(why, what[0])
	}
	s := "User: " + who + " is not authorized to perform: " + what[0]
	if r.IntN(8) > 0 {
		s += " on resource: " + what[1]
	}
	return s + why
}

func hostileLog(r *rand.Rand, extra []string) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("[Container] 2026/11/22 10:14:00.000000 Entering phase BUILD")
	line("[Container] 2026/11/22 10:14:00.000000 Running command docker push x")
	noise, denials := r.IntN(3), 1+r.IntN(2)
	switch r.IntN(8) {
	case 0:
		line("%s", hostileNoise[0])
		noise, denials = 0, 0
	case 1, 2:
		noise, denials = 0, 1
	}
	for range noise {
		line("%s", pickOf(r, hostileNoise))
	}
	for range denials {
		line("%s%s",
			pickOf(r, []string{"", "denied: ", "│ Error: ",
				"An error occurred (AccessDenied) when calling the X operation: "}),
			hostileDenial(r))
	}
	for _, e := range extra {
		line("%s", e)
	}
	line("")
	line("[Container] 2026/11/22 10:15:00.000000 Command did not exit successfully docker push x exit status 1")
	line("[Container] 2026/11/22 10:15:00.000000 Phase complete: BUILD State: FAILED")
	line("[Container] 2026/11/22 10:15:00.000000 Phase context status code: COMMAND_EXECUTION_ERROR Message: Error " +
		"while executing command: docker push x. Reason: exit status 1")
	return b.String()
}

// hostileRole gives the role policies and asks a simulator that tells the
// truth, one that lies, or none.
func hostileRole(r *rand.Rand, f *Facts) {
	role, ok := f.Build.Role()
	if !ok || r.IntN(12) == 0 {
		return // as when the facts stop short
	}
	st := guardrail.RoleState{Role: role, Inline: map[string]string{}}
	for range r.IntN(3) {
		doc := iampolicy.Document{Version: "2012-10-17", Statements: pickOf(r, hostilePolicies)}
		st.Inline[pickOf(r, []string{"own", "buildmedic"})] = string(doc.Canonical())
	}
	doc := iampolicy.Document{Version: "2012-10-17", Statements: pickOf(r, hostilePolicies)}
	named := guardrail.ManagedPolicy{ARN: "arn:aws:iam::111122223333:policy/shop", Document: string(doc.Canonical()),
		Default: "v1", Versions: []guardrail.Version{{ID: "v1"}}, Attached: true}
	st.Named, st.Managed = &named, []guardrail.ManagedPolicy{named}
	f.Role = &st
	qs := guardrail.Questions(f.Judged())
	switch r.IntN(4) {
	case 0, 1:
		for _, q := range qs {
			a := guardrail.Answer{}
			a.Verdict, _ = iampolicy.Evaluate(iampolicy.Access{Policies: hostileDocuments(st, nil)}, iampolicy.Request{
				Action:   q.Action,
				Resource: q.Resource,
				Context:  q.Context,
				Now:      f.Now,
			})
			f.Before = append(f.Before, a)
		}
	case 2:
		for range qs {
			f.Before = append(f.Before, guardrail.Answer{Verdict: iampolicy.Verdict(r.IntN(4))})
		}
	}
	for range f.Causal() {
		f.Trail = append(f.Trail, r.IntN(2) == 0)
	}
}

// hostilePast gives the case earlier rounds, the last of which may have
// started this build again, and may have been somebody's pull request.
func hostilePast(r *rand.Rand, f *Facts) {
	for range max(r.IntN(5)-2, 0) {
		d := f.Diagnosis
		b := f.Build
		b.ID = fmt.Sprintf("shop:before-%d", len(f.Earlier))
		b.Initiator, b.SourceVersion = hostileAsked(r)
		b.BatchARN, b.AutoRetry, b.Root = "", codebuild.AutoRetry{}, nil
		b = hostileRoot(r, b)
		round := Round{Build: b, Step: StepDone, Diagnosis: &d, Decision: &Decision{}, RetryAt: f.Now.Add(-time.Hour), Retry: f.Build.ID}
		if r.IntN(2) == 0 {
			round.Written = f.Now.Add(-time.Hour)
			round.Decision.Plan = &Plan{Write: &guardrail.Target{Kind: "inline", Name: "buildmedic"}}
		}
		f.Earlier = append(f.Earlier, round)
	}
	for i := range f.Earlier {
		if i+1 < len(f.Earlier) {
			f.Earlier[i].Retry = f.Earlier[i+1].Build.ID
		}
	}
	if n := len(f.Earlier); n > 0 && r.IntN(2) == 0 {
		b := &f.Build
		b.Initiator, b.BatchARN, b.AutoRetry, b.Root = "buildmedic/buildmedic", "", codebuild.AutoRetry{}, nil
		b.SourceVersion = pickOf(r, []string{f.Earlier[n-1].Build.SourceVersion, b.ResolvedSourceVersion,
			b.SourceVersion})
	}
}

// hostileDocuments are the role's policies, as they would be with the target written.
func hostileDocuments(st guardrail.RoleState, t *guardrail.Target) (docs []iampolicy.Document) {
	texts := maps.Clone(st.Inline)
	for _, m := range st.Managed {
		texts[m.ARN] = m.Document
	}
	if t != nil && t.Kind != "attach" {
		texts[t.Name] = t.After
	}
	for _, text := range texts {
		if d, err := iampolicy.ParseLoose([]byte(text)); err == nil {
			docs = append(docs, d)
		}
	}
	return docs
}

// checkDecision holds one decision against the settings. It tells what was
// planned.
func checkDecision(t *testing.T, f Facts) diagnose.Remedy {
	t.Helper()
	d := Decide(f)
	one, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	if two, _ := json.Marshal(Decide(f)); string(one) != string(two) {
		t.Errorf("decided twice:\n%s\n%s", one, two)
	}
	if d.Plan == nil {
		if len(d.Used) > 0 {
			t.Errorf("grants are used without a plan: %s", one)
		}
		return ""
	}
	if len(d.Refusals) > 0 || f.Paused != "" && d.Mutates() {
		t.Errorf("a plan beside refusals, or while paused: %s", one)
	}
	trusted, chain := true, []codebuild.Build{f.Build}
	if n := len(f.Earlier); n > 0 && f.Earlier[n-1].Retry == f.Build.ID {
		chain = nil
		for _, r := range f.Earlier {
			chain = append(chain, r.Build)
		}
		chain = append(chain, f.Build)
	}
	for i, b := range chain {
		// What the healer started again is worth what came before it; of a batch that it started, the
		// child must be of a branch in full besides.
		if i > 0 && b.Asked().Initiator == "buildmedic/buildmedic" {
			if !b.Derived() {
				continue
			}
			root := b.Asked()
			root.Initiator = "GitHub-Hookshot/1a2b3c4"
			b.Root = &root
		}
		trusted = trusted && hostileTrust(b, f.Project)
	}
	if d.Mutates() && !trusted {
		t.Errorf("an untrusted build changes something: %q, %s", f.Build.SourceVersion, one)
	}
	checkPlan(t, f, d)
	if w := d.Plan.Write; w != nil {
		checkWrite(t, f, d)
	}
	return d.Remedy
}

// checkPlan: nothing is planned but what the settings name.
func checkPlan(t *testing.T, f Facts, d Decision) {
	t.Helper()
	p := d.Plan
	const own = "arn:aws:iam::111122223333:role/service-role/codebuild-shop"
	bare := f.Build.ServiceRole == "codebuild-shop" // comes without its path (AWS.md#service-role)
	if d.Mutates() && p.Repository == "" && p.Role != own && !(bare && p.Role == "arn:aws:iam::111122223333:role/codebuild-shop") {
		t.Errorf("changes role %q", p.Role)
	}
	if p.Repository != "" && (p.Repository != "shop" || !slices.Contains(f.Project.Grants, "image")) {
		t.Errorf("creates repository %q", p.Repository)
	}
	if p.Buildspec != "" && !slices.Contains(f.Project.Buildspecs, p.Buildspec) {
		t.Errorf("starts buildspec %q", p.Buildspec)
	}
	if p.NewRole != "" && (f.Project.SwitchRole == "" || p.NewRole != "arn:aws:iam::111122223333:role/"+f.Project.SwitchRole) {
		t.Errorf("switches to role %q", p.NewRole)
	}
	if p.Route != RouteNone && !f.Project.Retry {
		t.Errorf("starts a build by %q, and retry is false", p.Route)
	}
	if p.Route == RouteStage && !slices.Contains(f.Project.Pipelines, f.Build.AskedPipeline()) {
		t.Errorf("retries a stage of pipeline %q, which is not listed", f.Build.AskedPipeline())
	}
}

// checkWrite asks of everything on a list, on the role as it is, on the role
// as it would be, and on the settings: what is allowed afterwards was allowed
// before, or is by the settings.
func checkWrite(t *testing.T, f Facts, d Decision) {
	t.Helper()
	w := d.Plan.Write
	most := iampolicy.Document{Version: "2012-10-17", Statements: settings.Max(f.Settings, f.Project, f.Home, "aws")}
	allowed := func(docs []iampolicy.Document, req iampolicy.Request) bool {
		v, _ := iampolicy.Evaluate(iampolicy.Access{Policies: docs}, req)
		return v == iampolicy.Allowed
	}
	if w.Kind == "attach" {
		for _, arn := range w.Attach {
			if !slices.ContainsFunc(f.Project.Grants, func(id string) bool {
				return arn == "arn:aws:iam::111122223333:policy/buildmedic/"+guardrail.AttachName(f.Project.Name, id)
			}) {
				t.Errorf("attaches %q", arn)
			}
		}
		return
	}
	after, err := iampolicy.Parse([]byte(w.After))
	if err != nil {
		t.Fatalf("what would be written: %v", err)
	}
	outer := []iampolicy.Document{most}
	if before, err := iampolicy.Parse([]byte(w.Before)); err == nil {
		outer = append(outer, before)
	}
	if ok, what := iampolicy.Contains(outer, []iampolicy.Document{after}); !ok {
		t.Errorf("not contained: %s", what)
	}
	old, next := hostileDocuments(*f.Role, nil), hostileDocuments(*f.Role, w)
	for _, q := range d.Plan.Proof {
		if !allowed(next, iampolicy.Request{Action: q.Action, Resource: q.Resource, Context: q.Context, Now: f.Now}) {
			t.Errorf("%s on %s is denied still\n%s", q.Action, q.Resource, w.After)
		}
	}
	for _, a := range hostileActions {
		for _, res := range append(hostileResources, "arn:aws:iam::111122223333:role/codebuild-shop",
			"arn:aws:s3:::shop-b/y", "arn:aws:s3:::sho/x") {
			if strings.ContainsAny(res, "*$") && res != "*" {
				continue
			}
			for _, service := range []string{"ecs-tasks.amazonaws.com", "ec2.amazonaws.com"} {
				req := iampolicy.Request{Action: a, Resource: res, Context: map[string][]string{"iam:PassedToService": {service},
					settings.ProjectKey: {"arn:aws:codebuild:eu-west-1:111122223333:project/shop"}}, Now: f.Now}
				if allowed(next, req) && !allowed(old, req) && !allowed([]iampolicy.Document{most}, req) {
					t.Errorf("%s on %s for %s is allowed, and was not, nor do the settings allow it\n%s", a, res, service, w.After)
				}
				req.Context[settings.ProjectKey] = []string{"arn:aws:codebuild:eu-west-1:111122223333:project/docs"}
				if allowed(next, req) && !allowed(old, req) && (d.Plan.Scoped || !allowed([]iampolicy.Document{most}, req)) {
					t.Errorf("%s on %s for %s is allowed to another project's build, and was not\n%s", a, res, service, w.After)
				}
			}
		}
	}
}

// TestHostileRoad: no text makes Decide do what the settings do not name.
// TestOwnCausesDecideNoDenial: causes of the team's own whose words stand in every denial change no
// decision about one, and bring in no grant for any other failure.
func TestOwnCausesDecideNoDenial(t *testing.T) {
	var own []diagnose.Cause
	for i, says := range []string{"denied", "authorized to perform", "because no", "docker push", "access", "arn:aws",
		"toomanyrequests"} {
		c, flaws := diagnose.NewCause(diagnose.Own{Name: fmt.Sprintf("own-%d", i), Title: "T", Advice: "A.",
			Remedy: diagnose.Retry, Match: []diagnose.OwnRule{{Says: []string{says}}}})
		if flaws != nil {
			t.Fatal(flaws)
		}
		own = append(own, c)
	}
	others := 0
	for seed := range uint64(600) {
		f, failure := hostileFailure(t, seed, "the shop has no access to its own pool")
		g := f
		g.Diagnosis = diagnose.Diagnose(failure, own...)
		a, b := Decide(f), Decide(g)
		switch {
		case diagnose.OfDenial(f.Diagnosis.Cause) && !cmp.Equal(a, b):
			t.Errorf("seed %d, %s: another decision:\n%s", seed, f.Diagnosis.Cause, cmp.Diff(a, b))
		case strings.HasPrefix(g.Diagnosis.Cause, "own-"):
			others++
			if b.Remedy == diagnose.Grant || len(b.Used) > 0 || b.Plan != nil && b.Plan.Write != nil {
				t.Errorf("seed %d, %s: it brings in a grant: %+v", seed, g.Diagnosis.Cause, b)
			}
		}
	}
	if others == 0 {
		t.Error("no cause of the team's own holds: the property holds of nothing")
	}
}

func TestHostileRoad(t *testing.T) {
	n := 1200
	if testing.Short() {
		n = 300
	}
	did := map[diagnose.Remedy]int{}
	repeats := map[string]int{} // what changes something, although the healer or CodeBuild itself started it
	for seed := range uint64(n) {
		f := hostileWorld(t, seed)
		remedy := checkDecision(t, f)
		did[remedy]++
		if b := f.Build; remedy != "" && remedy != diagnose.Retry {
			switch {
			case b.BatchARN != "":
				repeats["batch"]++
			case b.Derived():
				repeats["auto-retry"]++
			case f.Self.Started(f.Home, b):
				repeats["the healer's"]++
			}
		}
		g := f
		g.Project.Mode = settings.Observe
		if a, b := Decide(f), Decide(g); (a.Plan == nil) != (b.Plan == nil) || a.Plan != nil && a.Plan.Hash() != b.Plan.Hash() {
			t.Error("the mode chooses otherwise")
		} else if a.Asks != b.Asks {
			t.Error("whether a person must approve depends on the mode")
		}
		if t.Failed() {
			t.Fatalf("seed %d: %+v", seed, f.Causal())
		}
	}
	t.Logf("of %d failures: %v, of these %v", n, did, repeats)
	for _, what := range []string{"batch", "auto-retry", "the healer's"} {
		if repeats[what] == 0 && !testing.Short() {
			t.Errorf("nothing was changed for a build of kind %q: the properties hold of nothing", what)
		}
	}
	for _, r := range []diagnose.Remedy{diagnose.Grant, diagnose.Retry, diagnose.SwitchRole, diagnose.CreateRepository} {
		if did[r] == 0 {
			t.Errorf("no failure was answered by %s: the properties hold of nothing", r)
		}
	}
}

// TestRetryIsTrustedNoMoreThanWhatItRepeats: who starts a build again is the
// healer, whom IAM knows; what it builds is still the pull request.
func TestRetryIsTrustedNoMoreThanWhatItRepeats(t *testing.T) {
	f := hostileWorld(t, 0)
	f.Settings.Projects[0].Write, f.Project.Write = settings.Write{Inline: "buildmedic"}, settings.Write{Inline: "buildmedic"}
	f.Project.SwitchRole, f.Project.Grants, f.Paused, f.Before, f.Trail = "", []string{"image"}, "", nil, nil
	f.Build = codebuild.Build{
		ID:                    "shop:" + hostileUUID,
		ARN:                   "arn:aws:codebuild:eu-west-1:111122223333:build/shop:" + hostileUUID,
		Project:               "shop",
		ServiceRole:           "arn:aws:iam::111122223333:role/service-role/codebuild-shop",
		Initiator:             "buildmedic/buildmedic",
		SourceType:            "GITHUB",
		SourceVersion:         "2f1c0de2f1c0de",
		ResolvedSourceVersion: "2f1c0de2f1c0de",
	}
	role, _ := f.Build.Role()
	f.Role = &guardrail.RoleState{Role: role, Inline: map[string]string{}}
	f.Diagnosis = diagnose.Diagnosis{Cause: "x", Remedy: diagnose.Grant,
		Denials: []buildlog.Denial{{Principal: hostileSession, Action: "ecr:PutImage", Resource: hostileRepo,
			Effect: buildlog.Implicit, Layer: buildlog.IdentityBased, Origin: buildlog.FromLog, Causal: true}}}
	earlier := f.Build
	earlier.ID, earlier.Initiator = "shop:before", "GitHub-Hookshot/1a2b3c4"
	for version, granted := range map[string]bool{
		"refs/heads/main":  true,
		"pr/7":             false,
		"refs/pull/7/head": false,
		"2f1c0de2f1c0de":   false,
	} {
		earlier.SourceVersion = version
		f.Earlier = []Round{{Build: earlier, Step: StepDone, Retry: f.Build.ID, RetryAt: f.Now,
			Diagnosis: &diagnose.Diagnosis{Cause: "timeout", Remedy: diagnose.Retry}, Decision: &Decision{}}}
		if d := Decide(f); d.Mutates() != granted {
			t.Errorf("after a build of %q: %+v", version, d.Refusals)
		}
	}
	// Nor is one that a round only took for its own, by whoever started it.
	f.Earlier[0].Build.SourceVersion, f.Build.Initiator = "refs/heads/main", "Buildkite/1"
	if d := Decide(f); d.Mutates() {
		t.Error("granted to a build of a bare commit that somebody else started")
	}
	f.Build.Initiator = "buildmedic/buildmedic"
	// Another build of the commit that came in between changes nothing of that.
	f.Earlier[0].Build.SourceVersion = "pr/7"
	between := earlier
	between.ID, between.SourceVersion = "shop:between", "refs/heads/main"
	f.Earlier = append(f.Earlier, Round{Build: between, Step: StepDone, Decision: &Decision{}})
	if d := Decide(f); d.Mutates() {
		t.Error("granted after another build of the commit came in between")
	}
	// What the healer started stands for nothing if it is forgotten what it repeats.
	f.Self.Initiator = "buildmedic/another-session"
	for version, granted := range map[string]bool{"2f1c0de2f1c0de": false, "": false, "main": false,
		"refs/heads/main": false, "refs/tags/v1": false} {
		f.Build.SourceVersion, f.Earlier = version, nil
		if d := Decide(f); d.Mutates() != granted {
			t.Errorf("the healer's own build of %q, of which nothing is known: %+v", version, d.Refusals)
		}
	}
	// The same if it is the root that the healer asked for: a batch's record may name who retried
	// it.
	f.Build.BatchARN, f.Build.SourceVersion = "arn:aws:codebuild:eu-west-1:111122223333:build-batch/shop:1",
		"refs/heads/main"
	f.Build.Root = &codebuild.Root{Initiator: "buildmedic/x", SourceVersion: "refs/heads/main"}
	f.Build.Initiator = "codebuild-shop/AWSCodeBuild-x"
	if d := Decide(f); d.Mutates() {
		t.Error("granted to a batch that the healer itself asked for")
	}
	// And a batch's build is worth what its batch is, also as the repeat of another build.
	earlier.SourceVersion, f.Build.Root.Initiator, f.Build.Initiator = "refs/heads/main",
		"codebuild-shop/AWSCodeBuild-x", "buildmedic/buildmedic"
	f.Earlier = []Round{{Build: earlier, Step: StepDone, Retry: f.Build.ID, RetryAt: f.Now,
		Diagnosis: &diagnose.Diagnosis{Cause: "timeout", Remedy: diagnose.Retry}, Decision: &Decision{}}}
	if d := Decide(f); d.Mutates() {
		t.Error("granted to a batch that a build's commands asked for")
	}
	f.Build.BatchARN, f.Build.Root = "", nil
	f.Earlier = []Round{{Build: earlier, Step: StepDone, Decision: &Decision{}}}
	// A build of the same commit that somebody else started stands for itself.
	f.Build.SourceVersion, f.Build.Initiator = "refs/heads/main", "GitHub-Hookshot/1a2b3c4"
	f.Earlier[0].Build.SourceVersion, f.Earlier[0].Retry = "pr/7", "shop:elsewhere"
	if d := Decide(f); !d.Mutates() {
		t.Errorf("after a pull request of the same commit: %+v", d.Refusals)
	}
}

func FuzzHostileRoad(f *testing.F) {
	f.Add(uint64(1), "User: "+hostileSession+" is not authorized to perform: ecr:PutImage on resource: "+hostileRepo)
	f.Add(uint64(2), "AccessDenied: s3:PutObject on arn:aws:s3:::shop-a/x\n[Container] 2026/11/22 10:15:00 Phase "+
		"complete: BUILD State: FAILED")
	f.Add(uint64(3), "name unknown: The repository with name 'shop' does not exist in the registry with id '111122223333'")
	f.Add(uint64(4), "YAML_FILE_ERROR Message: stat buildspec.yml: no such file or directory")
	f.Fuzz(func(t *testing.T, seed uint64, text string) {
		checkDecision(t, hostileWorld(t, seed, text))
	})
}

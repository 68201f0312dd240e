package guardrail

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/floor"
	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// sibling is shop's input as it is for a project that runs as the same role.
func sibling(in Input, name string) Input {
	in.Project.Name, in.Build.Project = name, name
	in.Build.ID, in.Build.ARN = name+":"+uuid, strings.Replace(in.Build.ARN, "build/shop:", "build/"+name+":", 1)
	return in
}

// scoped is shop's input with each grant for the project's own builds.
func scoped() Input {
	in := shop()
	grantOf(&in).Scope = settings.ScopeProject
	return in
}

func projectARN(name string) string { return strings.Replace(ownProject, "shop", name, 1) }

// onlyFor is the condition of what is scoped to a project.
func onlyFor(project string) iampolicy.Condition {
	return iampolicy.Condition{Operator: "ArnEquals", Key: settings.ProjectKey,
		Values: iampolicy.Values{List: []string{projectARN(project)}}}
}

// may asks the documents about a call of a project's build.
func may(docs []iampolicy.Document, project, action, resource string) iampolicy.Verdict {
	v, _ := iampolicy.Evaluate(iampolicy.Access{Policies: docs}, iampolicy.Request{Action: action, Resource: resource, Now: now,
		Context: map[string][]string{settings.ProjectKey: {projectARN(project)}, settings.BuildKey: {
			strings.Replace(projectARN(project), "project/", "build/", 1) + ":" + uuid},
			passedTo: {"ecs-tasks.amazonaws.com"}, "ec2:AuthorizedService": {"codebuild.amazonaws.com"},
			"aws:RequestedRegion": {"eu-west-1"}}})
	return v
}

func written(t *testing.T, j Judgement) iampolicy.Document {
	t.Helper()
	if j.Target == nil {
		t.Fatalf("nothing is written: %v", j.Refusals)
	}
	d, err := iampolicy.Parse([]byte(j.Target.After))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestScopedToTheProject ensures that a scoped grant is the project's alone, that a
// sibling's of the same grant becomes one statement with it, and that an undo of
// either leaves the other's.
func TestScopedToTheProject(t *testing.T) {
	in := scoped()
	j := Judge(asked(in))
	d := written(t, j)
	if v := may([]iampolicy.Document{d}, "shop", "ecr:PutImage", repo); v != iampolicy.Allowed {
		t.Errorf("the project's own build is answered %v", v)
	}
	for _, other := range []string{"shop2", "sho", "api", "Shop"} {
		if v := may([]iampolicy.Document{d}, other, "ecr:PutImage", repo); v != iampolicy.ImplicitDeny {
			t.Errorf("a build of %s is answered %v", other, v)
		}
	}

	second := sibling(scoped(), "api")
	second.Role.Inline["buildmedic"] = j.Target.After
	k := Judge(asked(second))
	both := written(t, k)
	if len(both.Statements) != 1 ||
		fmt.Sprint(settings.ScopeOf(both.Statements[0])) != fmt.Sprint([]string{projectARN("api"), ownProject}) {
		t.Errorf("became %s", k.Target.After)
	}
	if got := settings.ScopeOf(k.Added[0]); len(k.Added) != 1 || fmt.Sprint(got) != fmt.Sprint([]string{projectARN("api")}) {
		t.Errorf("added %v", k.Added)
	}
	if k.Target.Before != j.Target.After {
		t.Error("what an undo would bring back is not what was there")
	}

	// Once more, for one who has it: nothing is left to be given.
	third := scoped()
	third.Role.Inline["buildmedic"] = k.Target.After
	if got := Judge(asked(third)); !got.Allowed {
		t.Errorf("given again: %s", verdict(got))
	}
}

// TestScopedBesideWhatIsThere ensures that a grant that ends, is for everybody or is
// of somebody else stays a statement of its own.
func TestScopedBesideWhatIsThere(t *testing.T) {
	ending := func(in Input) Input { grantOf(&in).Expires = time.Hour; return in }
	first := written(t, Judge(asked(sibling(ending(scoped()), "api"))))
	in := ending(scoped())
	in.Role.Inline["buildmedic"] = string(first.Canonical())
	in.Now = now.Add(time.Minute)
	if d := written(t, Judge(asked(in))); len(d.Statements) != 2 {
		t.Errorf("ends at two times: %s", d.Canonical())
	}
	in.Now = now
	if d := written(t, Judge(asked(in))); len(d.Statements) != 1 {
		t.Errorf("ends at one time: %s", d.Canonical())
	}
	// What has ended for a sibling has not for the project.
	in.Now = now.Add(2 * time.Hour)
	if j := Judge(asked(in)); j.Target == nil {
		t.Errorf("a sibling's ended: %s", verdict(j))
	}
	in = ending(scoped())
	in.Role.Inline["buildmedic"] = string(written(t, Judge(asked(in))).Canonical())
	in.Now = now.Add(2 * time.Hour)
	if got := verdict(Judge(in)); got != string(GrantExpired) {
		t.Errorf("the project's own ended: %s", got)
	}

	// Nor does it begin anew for who has it for everybody now.
	grantOf(&in).Scope = settings.ScopeRole
	if got := verdict(Judge(in)); got != string(GrantExpired) {
		t.Errorf("the project's own ended, and is everybody's now: %s", got)
	}
	in.Now = now.Add(time.Minute)
	if j := Judge(in); j.Target == nil || len(j.Added) != 1 || j.Scoped() {
		t.Errorf("the project's own has not ended, and is everybody's now: %s", verdict(j))
	}

	in = scoped()
	in.Role.Inline["buildmedic"] = policy(iampolicy.Allow("Mine", []string{"ecr:PutImage"}, []string{repo},
		onlyFor("api")))
	if d := written(t, Judge(asked(in))); len(d.Statements) != 2 {
		t.Errorf("somebody's own statement was changed: %s", d.Canonical())
	}
	in.Role.Inline["buildmedic"] = policy(iampolicy.Allow("Any", []string{"ecr:PutImage"}, []string{repo}))
	if j := Judge(asked(in)); !j.Allowed {
		t.Errorf("everybody has it: %s", verdict(j))
	}
}

// TestQuestionsAreTheBuildsOwn ensures that the simulator is asked as the build would
// ask, also for a grant of the role: what a sibling has for its own builds is not had.
func TestQuestionsAreTheBuildsOwn(t *testing.T) {
	for _, scope := range []settings.Scope{"", settings.ScopeRole, settings.ScopeProject} {
		in := shop()
		grantOf(&in).Scope = scope
		in.Role.Inline["buildmedic"] = policy(iampolicy.Allow("ShopImage", []string{"ecr:PutImage"}, []string{repo},
			onlyFor("api")))
		j := Judge(asked(in))
		d := written(t, j)
		for _, q := range append(Questions(in), j.Proof...) {
			for key, want := range ofBuild {
				if !slices.Equal(q.Context[key], want) {
					t.Errorf("%q: asks with %s %q, want %q", scope, key, q.Context[key], want)
				}
			}
		}
		if as := simulate([]iampolicy.Document{d}, nil, j.Proof); len(Proved(j, in.Role, as)) > 0 {
			t.Errorf("%q: not proved: %v", scope, Proved(j, in.Role, as))
		}
		if v := may([]iampolicy.Document{d}, "web", "ecr:PutImage", repo); (v == iampolicy.Allowed) == (scope == settings.ScopeProject) {
			t.Errorf("%q: a third project is answered %v", scope, v)
		}
	}
}

// TestScopedStillOpensAPath ensures that a path counts as opened by what is for one
// project's builds, and that what a sibling has so does not count as there.
func TestScopedStillOpensAPath(t *testing.T) {
	task := "arn:aws:iam::111122223333:role/task"
	for name, row := range map[string]struct {
		before []iampolicy.Statement
		opens  bool
	}{
		"scoped": {nil, false},
		"scoped, the last of two": {[]iampolicy.Statement{iampolicy.Allow("a",
			[]string{"ecs:RunTask", "ecs:StartTask", "ecs:CreateService"}, []string{"*"})}, true},
		"a sibling's counts as open, not as there": {[]iampolicy.Statement{iampolicy.Allow("a",
			[]string{"ecs:RunTask", "ecs:RegisterTaskDefinition", floor.PassRole}, []string{"*"}, onlyFor("api"))}, true},
		"the role's counts as there": {[]iampolicy.Statement{iampolicy.Allow("a",
			[]string{"ecs:RunTask", "ecs:RegisterTaskDefinition", floor.PassRole}, []string{"*"})}, false},
	} {
		in := shop()
		g := grantOf(&in)
		g.Scope, g.Actions, g.Resources = settings.ScopeProject, []string{"ecs:RegisterTaskDefinition"}, []string{"*"}
		g.PassRoles = map[string][]string{"ecs-tasks.amazonaws.com": {task}}
		sts := g.Statements(in.Project, settings.Account{ID: account, Region: "eu-west-1"}, "aws")
		paths := opened(in.Role.Role, document(row.before...), sts)
		if (len(paths) > 0) != row.opens {
			t.Errorf("%s: opens %v", name, paths)
		}
	}
}

// TestScopeNeverLeaks ensures that what is written for a project gives no build of
// another project, and nobody who is no build, a call that they did not have: whatever
// is denied, and whatever stands in the policies.
func TestScopeNeverLeaks(t *testing.T) {
	n, gave, united := 400, 0, 0
	if testing.Short() {
		n = 150
	}
	for seed := range uint64(n) {
		in := randomInput(t, seed)
		for i := range in.Settings.Grants {
			in.Settings.Grants[i].Scope = settings.ScopeProject
		}
		if in.Project.Write.Attach {
			in.Project.Write = settings.Write{Inline: "buildmedic"}
		}
		r := rand.New(rand.NewPCG(seed, 11))
		if r.IntN(2) == 0 { // a sibling was healed of the same before
			first := sibling(in, "shop2")
			first.Denials = slices.Clone(in.Denials)
			for i, d := range first.Denials {
				first.Denials[i].Principal = strings.Replace(d.Principal, "/shop", "/shop2", 1)
			}
			first.Before = nil
			if j := Judge(first); j.Target != nil && j.Target.Kind == Inline {
				in.Role.Inline[j.Target.Name] = j.Target.After
				in.Before = nil
			}
		}
		j := Judge(in)
		if j.Target == nil || len(j.Added) == 0 {
			continue
		}
		gave++
		before, _ := iampolicy.ParseLoose([]byte(j.Target.Before))
		after := written(t, j)
		if len(after.Statements) < len(before.Statements)+len(j.Added) {
			united++
		}
		for _, st := range j.Added {
			if fmt.Sprint(settings.ScopeOf(st)) != fmt.Sprint([]string{ownProject}) {
				t.Errorf("seed %d: added for %v", seed, settings.ScopeOf(st))
			}
		}
		checkOthers(t, seed, before, after)
	}
	t.Logf("%d cases, %d give something, %d unite it with a sibling's", n, gave, united)
	if gave < n/20 || united == 0 {
		t.Error("the property holds of too little")
	}
}

// checkOthers asks both documents about calls of others.
func checkOthers(t *testing.T, seed uint64, before, after iampolicy.Document) {
	t.Helper()
	for _, project := range []string{"shop2", "shop-", "next"} {
		for _, a := range someActions {
			for _, res := range someResources {
				was := may([]iampolicy.Document{before}, project, a, res)
				if is := may([]iampolicy.Document{after}, project, a, res); is != was {
					t.Fatalf("seed %d: %s on %s of a build of %s was %v and is %v\n%s\n%s", seed, a, res, project, was, is,
						before.Canonical(), after.Canonical())
				}
			}
		}
	}
}

// TestPiecesAreTheProjectsOwn ensures that what siblings were given one by one takes
// nothing of the project's share of the policy.
func TestPiecesAreTheProjectsOwn(t *testing.T) {
	for name, row := range map[string]struct {
		of     string
		offers bool
	}{"the project's": {"shop", true}, "a sibling's": {"api", false}} {
		in := scoped()
		g := grantOf(&in)
		g.Actions, g.Resources = []string{"s3:GetObject"}, []string{"arn:aws:s3:::in/*"}
		in.Denials = []buildlog.Denial{denial("s3:GetObject", "arn:aws:s3:::in/new")}
		var held []string
		for i := range 80 {
			held = append(held, fmt.Sprintf("arn:aws:s3:::in/%032d", i))
		}
		in.Role.Inline["buildmedic"] = policy(iampolicy.Allow("ShopImage", []string{"s3:GetObject"}, held, onlyFor(row.of)))
		if j := Judge(in); (j.Offer != "") != row.offers || j.Target == nil {
			t.Errorf("%s: offers %q, %v", name, j.Offer, j.Refusals)
		}
	}
}

// TestDivided ensures that an undo takes out what the project was given, and leaves
// siblings theirs, in whatever order they were given and are taken back.
func TestDivided(t *testing.T) {
	give := func(name string, before string) Target {
		in := sibling(scoped(), name)
		grantOf(&in).Give = settings.GiveSet
		if in.Role.Inline["buildmedic"] = before; before == "" {
			delete(in.Role.Inline, "buildmedic")
		}
		in.Denials[0].Principal = session
		j := Judge(in)
		if j.Target == nil {
			t.Fatalf("%s: %v", name, j.Refusals)
		}
		return *j.Target
	}
	own := policy(iampolicy.Allow("Own", []string{"s3:GetObject"}, []string{"arn:aws:s3:::own/*"}))
	for _, before := range []string{"", own} {
		first := give("shop", before)
		second := give("api", first.After)
		third := give("web", second.After)
		now := third.After
		for _, target := range []Target{second, first, third} { // not in the order of what was given
			next, ok := target.Divided(now)
			if !ok || next.After != now || next.Before == now {
				t.Fatalf("cannot be taken out of %s", now)
			}
			again, ok := target.Divided(next.Before)
			if !ok || again.Before != again.After {
				t.Errorf("taken out twice: %t, %+v", ok, again)
			}
			now = next.Before
			docs := []iampolicy.Document{}
			if d, err := iampolicy.Parse([]byte(now)); err == nil {
				docs = append(docs, d)
			}
			for _, project := range []string{"shop", "api", "web"} {
				want := strings.Contains(now, projectARN(project)+`"`)
				if got := may(docs, project, "ecr:PutImage", repo) == iampolicy.Allowed; got != want {
					t.Errorf("%s: %t, want %t with %s", project, got, want, now)
				}
			}
		}
		if !iampolicy.Same(now, before) {
			t.Errorf("in the end it is %s, and was %s", now, before)
		}
	}

	first := give("shop", own)
	given := written(t, Judgement{Target: &first}).Statements
	for name, now := range map[string]string{
		"one of two is gone":   policy(given[1:2]...),
		"everybody has it now": policy(append(given, iampolicy.Allow("All", []string{"ecr:*"}, []string{"*"}))...),
		"others have it by a person": policy(iampolicy.Allow("All", []string{"ecr:PutImage", "ecr:InitiateLayerUpload"},
			[]string{repo}, onlyFor("shop"))),
		"a person narrowed it": policy(iampolicy.Allow("ShopImage", []string{"ecr:PutImage"}, []string{repo}, onlyFor("shop"))),
		"a person put a condition on it": policy(iampolicy.Allow("ShopImage", given[1].Action.List, given[1].Resource.List,
			onlyFor("shop"), equals("aws:RequestedRegion", "eu-west-1"))),
		"a person gives all but something": policy(iampolicy.Statement{Sid: "All", Effect: "Allow",
			NotAction: iampolicy.Values{List: []string{"iam:*"}}, Resource: iampolicy.Values{List: []string{repo}},
			Condition: []iampolicy.Condition{onlyFor("shop"), equals("aws:RequestedRegion", "eu-west-1")}}),
		"a person wrote a pattern": policy(iampolicy.Allow("ShopImage", []string{"ECR:PutIm*"}, []string{repo},
			iampolicy.Condition{Operator: "StringLike", Key: "codebuild:ProjectARN",
				Values: iampolicy.Values{List: []string{projectARN("sh*")}}})),
		"unreadable": "{",
	} {
		if next, ok := first.Divided(now); ok {
			t.Errorf("%s: becomes %s", name, next.Before)
		}
	}
	unscoped := shop()
	j := Judge(unscoped)
	if _, ok := j.Target.Divided(j.Target.After + " "); ok {
		t.Error("what everybody has is taken out")
	}
	managed := first
	managed.Kind = Managed
	if _, ok := managed.Divided(first.After); ok {
		t.Error("a version is made of a managed policy")
	}
}

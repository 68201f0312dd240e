package observe

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/settings"
)

const (
	repository = "arn:${partition}:ecr:${region}:${account}:repository/"
	images     = "arn:aws:ecr:eu-west-1:111122223333:repository/"
)

func project(name string, uses ...Use) Project {
	p := Project{Project: settings.Project{Name: name, Account: "111122223333", Region: "eu-west-1"}, Uses: uses}
	for i := range 10 {
		p.Green = append(p.Green, fmt.Sprintf("%s:%d", name, i))
	}
	return p
}

func on(action string, resources ...string) (list []Use) {
	for _, r := range resources {
		list = append(list, Use{action, r})
	}
	return list
}

// TestNarrow holds what would have been enough of a grant to what a person would write.
func TestNarrow(t *testing.T) {
	many := func(prefix string, n int) (list []string) {
		for i := range n {
			list = append(list, fmt.Sprintf("%s%c.zip", prefix, 'm'+i))
		}
		return list
	}
	put, get := "s3:PutObject", "s3:GetObject"
	for name, tt := range map[string]struct {
		grant     settings.Grant
		projects  []Project
		state     State
		actions   []string
		resources []string
	}{
		"a pattern of which one was used": {
			settings.Grant{Actions: []string{"ecr:PutImage"}, Resources: []string{repository + "*"}},
			[]Project{project("web", on("ecr:PutImage", images+"web")...)},
			Narrower, []string{"ecr:PutImage"}, []string{repository + "web"}},
		"an action of which nothing was used": {
			settings.Grant{Actions: []string{put, get}, Resources: []string{"arn:${partition}:s3:::site/*"}},
			[]Project{project("web", on(put, "arn:aws:s3:::site/a", "arn:aws:s3:::site/b")...)},
			Narrower, []string{put}, []string{"arn:${partition}:s3:::site/a", "arn:${partition}:s3:::site/b"}},
		"many below one place": {
			settings.Grant{Actions: []string{put}, Resources: []string{"arn:${partition}:s3:::site/*"}},
			[]Project{project("web", on(put, append(many("arn:aws:s3:::site/releases/", 5), "arn:aws:s3:::site/index.html")...)...)},
			Narrower, []string{put}, []string{"arn:${partition}:s3:::site/index.html", "arn:${partition}:s3:::site/releases/*"}},
		"four are not many": {
			settings.Grant{Actions: []string{put}, Resources: []string{"arn:${partition}:s3:::site/*"}},
			[]Project{project("web", on(put, many("arn:aws:s3:::site/r/", 4)...)...)},
			Narrower, []string{put}, many("arn:${partition}:s3:::site/r/", 4)},
		"dates are others next month": {
			settings.Grant{Actions: []string{put}, Resources: []string{"arn:${partition}:s3:::site/*"}},
			[]Project{project("web", on(put, many("arn:aws:s3:::site/builds/2026/11/", 5)...)...)},
			Narrower, []string{put}, []string{"arn:${partition}:s3:::site/builds/*"}},
		"many everywhere": {
			settings.Grant{Actions: []string{put}, Resources: []string{"arn:${partition}:s3:::site/*"}},
			[]Project{project("web", on(put, many("arn:aws:s3:::site/", 5)...)...)},
			Tight, []string{put}, []string{"arn:${partition}:s3:::site/*"}},
		"a pattern with the project's name": {
			settings.Grant{Actions: []string{"ecr:PutImage"}, Resources: []string{repository + "${project}-*"}},
			[]Project{project("web", on("ecr:PutImage", images+"web-cache")...),
				project("api", on("ecr:PutImage", images+"api-cache")...)},
			Narrower, []string{"ecr:PutImage"}, []string{repository + "${project}-cache"}},
		"the union of two projects": {
			settings.Grant{Actions: []string{"ecr:PutImage"}, Resources: []string{repository + "*",
				"arn:aws:ecr:eu-west-1:444455556666:repository/*"}},
			[]Project{project("web", on("ecr:PutImage", images+"web")...), project("api", on("ecr:PutImage", images+"api")...)},
			Narrower, []string{"ecr:PutImage"}, []string{repository + "api", repository + "web"}},
		"everything": {
			settings.Grant{Actions: []string{"ecr:PutImage"}, Resources: []string{"*"}},
			[]Project{project("web", on("ecr:PutImage", images+"web")...)},
			Narrower, []string{"ecr:PutImage"}, []string{repository + "web"}},
		"every region": {
			settings.Grant{Actions: []string{"ecr:PutImage"}, Resources: []string{"arn:aws:ecr:*:${account}:repository/web"}},
			[]Project{project("web", on("ecr:PutImage", images+"web")...)},
			Narrower, []string{"ecr:PutImage"}, []string{"arn:aws:ecr:${region}:${account}:repository/web"}},
		"what AWS appends stays open": {
			settings.Grant{Actions: []string{"cloudformation:DescribeStacks", "secretsmanager:GetSecretValue"}, Resources: []string{
				"arn:aws:cloudformation:${region}:${account}:stack/*", "arn:aws:secretsmanager:${region}:${account}:secret:*"}},
			[]Project{project("web", append(on("cloudformation:DescribeStacks",
				"arn:aws:cloudformation:eu-west-1:111122223333:stack/shop/5b6a0000-aaaa"),
				on("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:eu-west-1:111122223333:secret:web/db-AbCdE1")...)...)},
			Narrower, []string{"cloudformation:DescribeStacks", "secretsmanager:GetSecretValue"}, []string{
				"arn:aws:cloudformation:${region}:${account}:stack/shop/*",
				"arn:aws:secretsmanager:${region}:${account}:secret:web/db-??????"}},
		"on what is not known": {
			settings.Grant{Actions: []string{"ecr:PutImage"}, Resources: []string{repository + "*"}},
			[]Project{project("web", on("ecr:PutImage", images+"web", "")...)},
			Tight, []string{"ecr:PutImage"}, []string{repository + "*"}},
		"nothing": {
			settings.Grant{Actions: []string{"ecr:PutImage"}, Resources: []string{repository + "*"}},
			[]Project{project("web", on("ecr:PutImage", "arn:aws:ecr:us-east-1:111122223333:repository/web")...)},
			Unused, []string{}, []string{}},
		"a set, of which nothing tells": {
			settings.Grant{Set: "ecr-pull", Give: settings.GiveSet, Resources: []string{repository + "*"}},
			[]Project{project("web", on("ecr:BatchGetImage", images+"web")...)},
			Tight, []string{"ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetAuthorizationToken",
				"ecr:GetDownloadUrlForLayer"},
			[]string{repository + "*"}},
		"a repository that may be created": {
			settings.Grant{Actions: []string{"ecr:PutImage"}, Create: true, Resources: []string{repository + "new", repository + "web*"}},
			[]Project{project("web", on("ecr:PutImage", images+"web")...)},
			Narrower, []string{"ecr:PutImage"}, []string{repository + "new", repository + "web"}},
	} {
		t.Run(name, func(t *testing.T) {
			n := Narrow(tt.grant, tt.projects, 10)
			var actions, resources []string
			for _, p := range n.Actions {
				actions = append(actions, p.Now...)
			}
			for _, p := range n.Resources {
				resources = append(resources, p.Now...)
			}
			if n.State != tt.state || !slices.Equal(actions, tt.actions) || !slices.Equal(resources, tt.resources) {
				t.Errorf("%s: %s\n%s", n.State, cmp.Diff(tt.actions, actions), cmp.Diff(tt.resources, resources))
			}
			if n.State == Narrower && !slices.Equal(n.Grant.Resources, tt.resources) {
				t.Errorf("the grant has %q", n.Grant.Resources)
			}
		})
	}
}

// TestBuckets ensures that no bucket is proposed by its name in place of a pattern: that may be
// anybody's, and those of the pattern must be the account's own.
func TestBuckets(t *testing.T) {
	g := settings.Grant{Actions: []string{"s3:PutObject"}, Resources: []string{"arn:aws:s3:::site-*/*"}}
	n := Narrow(g, []Project{project("web", on("s3:PutObject", "arn:aws:s3:::site-eu/a")...)}, 1)
	if n.State != Tight || !strings.Contains(n.Why, "Narrow it by hand") {
		t.Errorf("%s %q", n.State, n.Why)
	}
}

// TestFew ensures that each project that has the grant must have built often enough, and no build
// counts twice.
func TestFew(t *testing.T) {
	g := settings.Grant{Actions: []string{"ecr:PutImage"}, Resources: []string{repository + "*"}}
	web, api := project("web", on("ecr:PutImage", images+"web")...), project("api")
	api.Green = append(api.Green[:3], api.Green[:3]...)
	n := Narrow(g, []Project{web, api}, 10)
	if want := []Count{{"web", 10}, {"api", 3}}; n.State != Few || !slices.Equal(n.Builds, want) {
		t.Errorf("%s %v", n.State, n.Builds)
	}
	if n := Narrow(g, []Project{web, api}, 3); n.State != Narrower {
		t.Errorf("%s of three", n.State)
	}
	if n := Narrow(g, nil, 0); n.State != Few {
		t.Errorf("%s of no project", n.State)
	}
}

// TestUntold ensures that what no source would have shown stays, with the reason, and that what one
// would have shown goes.
func TestUntold(t *testing.T) {
	set := settings.Grant{Set: "ecr-push", Give: settings.GiveSet, Resources: []string{repository + "*"}}
	pushes := on("ecr:PutImage", images+"web")
	for name, tt := range map[string]struct {
		change func(*settings.Grant, *Project)
		action string
		why    string // "" if it is known not to be used
	}{
		"not asked": {func(_ *settings.Grant, p *Project) { p.Trail = false }, "ecr:BatchGetImage", "CloudTrail was not read whole"},
		"recorded":  {func(*settings.Grant, *Project) {}, "ecr:BatchGetImage", ""},
		"asked without a name": {func(*settings.Grant, *Project) {}, "ecr:BatchCheckLayerAvailability",
			"event history may not record it"},
		"no resource, so no region": {func(*settings.Grant, *Project) {}, "ecr:GetAuthorizationToken", "in another region than eu-west-1"},
		"another region": {func(g *settings.Grant, _ *Project) {
			g.Resources = append(g.Resources, "arn:aws:ecr:us-east-1:111122223333:repository/web")
		}, "ecr:BatchGetImage", "in another region"},
		"unknown event": {func(_ *settings.Grant, p *Project) { p.Unread = []string{"ecr"} }, "ecr:BatchGetImage", "no known action"},
		"data event": {func(g *settings.Grant, _ *Project) {
			g.Set, g.Actions, g.Resources = "", []string{"s3:GetObject"}, []string{"arn:aws:s3:::b/*"}
		}, "s3:GetObject", "may not record it"},
		"tags": {func(g *settings.Grant, _ *Project) {
			g.Set, g.Actions, g.Resources = "", []string{"ecs:TagResource"}, []string{"arn:aws:ecs:${region}:${account}:service/*"}
		}, "ecs:TagResource", "may not record it"},
		"cut": {func(g *settings.Grant, p *Project) { g.Give, p.Cut, p.Trail = "", true, false }, "ecr:BatchGetImage", "not all cases"},
		"attached": {func(g *settings.Grant, p *Project) { g.Give, p.Write.Attach, p.Trail = "", true, false }, "ecr:BatchGetImage",
			"is given whole"},
		"given one by one": {func(g *settings.Grant, p *Project) { g.Give, p.Trail = "", false }, "ecr:BatchGetImage", ""},
	} {
		t.Run(name, func(t *testing.T) {
			g, p := set, project("web", pushes...)
			p.Trail = true
			g.Resources = slices.Clone(g.Resources)
			tt.change(&g, &p)
			n := Narrow(g, []Project{p}, 10)
			i := slices.IndexFunc(n.Actions, func(a Part) bool { return a.Was == tt.action })
			if i < 0 {
				t.Fatalf("%s is not in %v", tt.action, n.Actions)
			}
			a := n.Actions[i]
			if tt.why == "" && len(a.Now) > 0 || tt.why != "" && (!a.Kept() || !strings.Contains(a.Why, tt.why)) {
				t.Errorf("%v", a)
			}
		})
	}
}

// TestNarrowProperties ensures, of grants and uses by chance, that the narrower grant is contained in
// the grant, for projects in other accounts, too, and allows each use that the grant allows; and that
// narrowing once more changes nothing.
func TestNarrowProperties(t *testing.T) {
	rnd := rand.New(rand.NewPCG(18, 1))
	states := map[State]int{}
	for range 1500 {
		checkNarrow(t, rnd, states)
	}
	for _, s := range []State{Few, Tight, Unused, Narrower} {
		if states[s] < 20 {
			t.Errorf("only %d of %s", states[s], s)
		}
	}
}

// FuzzNarrow does the same for what a fuzzer makes of patterns and resources.
func FuzzNarrow(f *testing.F) {
	f.Add("arn:aws:s3:::b/*", "arn:aws:s3:::b/x/y", "arn:aws:s3:::b/${project}")
	f.Add("arn:aws:s3:::*b*/?*", "arn:aws:s3:::abb/*", "arn:aws:s3:::abc/1")
	f.Add("*", "arn:aws:s3:eu-west-1:111122223333:x/y", "*")
	f.Fuzz(func(t *testing.T, pattern, one, two string) {
		g := settings.Grant{ID: "g", Actions: []string{"s3:PutObject", "s3:GetObject"}, Resources: []string{pattern}}
		p := project("web", append(on("s3:PutObject", one, two), on("s3:GetObject", two)...)...)
		n := Narrow(g, []Project{p}, 1)
		holdsTo(t, g, n, []Project{p})
	})
}

var (
	somePatterns = []string{"*", "arn:${partition}:s3:::b-*/${project}/*", "arn:${partition}:s3:::b/*", "arn:aws:s3:::b/a?/*",
		"arn:aws:s3:::b/x", repository + "*", repository + "web-*", repository + "${project}", "arn:aws:ecr:*:${account}:repository/*x*",
		"arn:aws:secretsmanager:${region}:${account}:secret:*", "arn:aws:secretsmanager:${region}:${account}:secret:web-??????"}
	someResources = []string{"", "*", "arn:aws:s3:::b/x", "arn:aws:s3:::b/a1/q", "arn:aws:s3:::b-1/web/x/y", "arn:aws:s3:::b-2/api/z",
		"arn:aws:s3:::b/2026/11/1", "arn:aws:s3:::b/$", "arn:aws:s3:::b/**", images + "web-x", images + "api", images + "web",
		"arn:aws:ecr:us-east-1:111122223333:repository/axb", "arn:aws:secretsmanager:eu-west-1:111122223333:secret:web-AbCdEf",
		"arn:aws:secretsmanager:eu-west-1:111122223333:secret:web/x-AbCdE7", "arn:aws-cn:s3:::b/x",
		"arn:aws:s3:::b/\u00fc", "arn:aws:s3:::b/ x"}
	someActions = []string{"s3:PutObject", "s3:GetObject", "ecr:PutImage", "ecr:BatchGetImage", "ecr:GetAuthorizationToken",
		"secretsmanager:GetSecretValue"}
)

func checkNarrow(t *testing.T, rnd *rand.Rand, states map[State]int) {
	t.Helper()
	some := func(from []string) (list []string) {
		for range 1 + rnd.IntN(3) {
			if s := from[rnd.IntN(len(from))]; !slices.Contains(list, s) {
				list = append(list, s)
			}
		}
		return list
	}
	g := settings.Grant{ID: "g", Resources: some(somePatterns), Create: rnd.IntN(4) == 0}
	if g.Actions = some(someActions); rnd.IntN(3) == 0 {
		g.Set, g.Actions = "ecr-push", nil
	}
	if rnd.IntN(3) == 0 {
		g.Give = settings.GiveSet
	}
	var ps []Project
	for _, name := range some([]string{"web", "api", "web-x"}) {
		p := project(name)
		p.Region = []string{"eu-west-1", "us-east-1"}[rnd.IntN(2)]
		p.Trail, p.Cut = rnd.IntN(2) == 0, rnd.IntN(5) == 0
		p.Green = p.Green[:1+rnd.IntN(9)]
		for range rnd.IntN(9) {
			r := someResources[rnd.IntN(len(someResources))]
			if rnd.IntN(3) == 0 {
				r += fmt.Sprintf("/%c", 'a'+rnd.IntN(20))
			}
			p.Uses = append(p.Uses, Use{someActions[rnd.IntN(len(someActions))], r})
		}
		ps = append(ps, p)
	}
	n := Narrow(g, ps, 2)
	states[n.State]++
	holdsTo(t, g, n, ps)
}

func holdsTo(t *testing.T, g settings.Grant, n Narrowing, ps []Project) {
	t.Helper()
	if n.State != Narrower {
		if !slices.Equal(n.Grant.Resources, g.Resources) || !slices.Equal(n.Grant.Actions, g.Actions) || n.Grant.Set != g.Set {
			t.Fatalf("%s, and the grant is another one: %+v", n.State, n.Grant)
		}
		return
	}
	everywhere := append(slices.Clone(ps), project("web"), Project{Partition: "aws-cn",
		Project: settings.Project{Name: "other", Account: "444455556666", Region: "cn-north-1"}})
	for _, p := range everywhere {
		home := settings.Account{ID: p.Account, Region: p.Region}
		was, now := document(g, p, home), document(n.Grant, p, home)
		if ok, why := iampolicy.Contains(was, now); !ok {
			t.Fatalf("%+v\nis not contained in\n%+v\nfor %s: %s", n.Grant, g, p.Name, why)
		}
		for _, u := range p.Uses {
			r := iampolicy.Request{Action: u.Action, Resource: u.Resource}
			before, _ := iampolicy.Evaluate(iampolicy.Access{Policies: was}, r)
			after, _ := iampolicy.Evaluate(iampolicy.Access{Policies: now}, r)
			if before == iampolicy.Allowed && after != iampolicy.Allowed {
				t.Fatalf("%+v\ndoes not allow %v, which\n%+v\nallows", n.Grant, u, g)
			}
		}
	}
	again := Narrow(n.Grant, ps, 0)
	if again.State == Narrower {
		t.Fatalf("%+v\nis narrowed again, to\n%+v\nfrom\n%+v", n.Grant, again.Grant, g)
	}
}

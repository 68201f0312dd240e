package guardrail

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/floor"
	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/iamref"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// wide makes the grant cover whole buckets, so that only the resource's form
// stands between the text and the policy.
func wide(in *Input, give settings.Give) {
	g := grantOf(in)
	g.Actions, g.Resources, g.Give = []string{"s3:GetObject"}, []string{"arn:${partition}:s3:::shop-*/*"}, give
}

// TestLookAlikePrincipals: a denial of anybody but this build's own session
// is explained, however much it looks like it.
func TestLookAlikePrincipals(t *testing.T) {
	for _, p := range []string{
		strings.ToUpper(session),
		strings.Replace(session, "codebuild-shop", "CodeBuild-Shop", 1),       // names differ by case only
		strings.Replace(session, "codebuild-shop", "cоdebuild-shop", 1),       // a Cyrillic о
		strings.Replace(session, "codebuild-shop", "codebuild‑shop", 1),       // another hyphen
		strings.Replace(session, "codebuild-shop", "codebuild-shop\u200b", 1), // of no width
		strings.Replace(session, "codebuild-shop", "service-role/codebuild-shop", 1),
		strings.Replace(session, "codebuild-shop", "codebuild-shop%2F..", 1),
		strings.Replace(session, "/codebuild-shop/", "/codebuild-shop//", 1),
		strings.Replace(session, "assumed-role", "role", 1),
		strings.Replace(session, ":sts:", ":iam:", 1),
		strings.Replace(session, "arn:aws:", "arn:aws-cn:", 1),
		strings.Replace(session, "sts::", "sts:eu-west-1:", 1),
		strings.Replace(session, account, "１１１１２２２２３３３３", 1), // wide digits
		strings.Replace(session, account, "", 1),
		strings.Replace(session, "AWSCodeBuild-", "awscodebuild-", 1),
		session + "/", session + ":", session + " ", session + "\n", session + "%0a", session + "\x00", " " + session,
		session[:len(session)-1], session + "1",
		"arn:aws:sts::111122223333:federated-user/codebuild-shop/AWSCodeBuild-" + uuid,
		"arn:aws:iam::111122223333:role/service-role/codebuild-shop",
		"AROAEXAMPLE:AWSCodeBuild-" + uuid, "codebuild-shop", "*", "***", "arn:aws:sts::111122223333:assumed-role/*/*",
	} {
		in := shop()
		in.Denials[0].Principal = p
		j := Judge(asked(in))
		if len(j.Refusals) == 0 || !slices.Contains([]Rule{OtherPrincipal, OtherAccount, OtherBuild}, j.Refusals[0].Rule) {
			t.Errorf("%q: %s", p, verdict(j))
		}
	}
}

// TestHostileActions: what IAM would not read as the very action that the
// grant names is no claim about it.
func TestHostileActions(t *testing.T) {
	for _, a := range []string{
		"ecr:*", "*", "*:*", "ecr:Put?mage", "ecr:PutImage*", "ecr:PutImage,iam:CreateUser",
		"ecr:PutImage\niam:CreateUser", "ecr:PutImage ", "ecr: PutImage", "ecr:Put\u200bImage", "ecr:PutІmage",
		"eсr:PutImage", "ecr:PutImage\x00", "ecr::PutImage", "ecr:PutImage:ecr",
		"\u212ams:Decrypt", "\u212aMS:Decrypt", `ecr:PutImage","iam:*`, "ecr:PutImage${aws:username}", "ecr/PutImage",
		":", "ecr:", ":PutImage",
	} {
		in := shop()
		in.Denials[0].Action = a
		if j := Judge(asked(in)); len(j.Refusals) == 0 || !slices.Contains([]Rule{HostileText, UnknownAction}, j.Refusals[0].Rule) {
			t.Errorf("%q: %s", a, verdict(j))
		}
	}
}

// TestHostileResources: whatever is printed as a resource, what is given is
// either exactly it, character by character, or what the grant itself says.
func TestHostileResources(t *testing.T) {
	const own = "arn:aws:s3:::shop-*/*"
	for _, r := range []string{
		"arn:aws:s3:::shop-a/*", "arn:aws:s3:::shop-*/x", "arn:aws:s3:::shop-a/?", "arn:aws:s3:::*", "arn:aws:s3:::***/x", "*", "",
		"arn:aws:s3:::shop-a/${aws:username}", "arn:aws:s3:::shop-a/${*}", "arn:aws:s3:::shop-a/$",
		"arn:aws:s3:::shop-a/${", "arn:aws:s3:::shop-a/$${x}", "arn:aws:s3:::shop-a/../other/x",
		"arn:aws:s3:::shop-a//x", "arn:aws:s3:::shop-a/%2a", "arn:aws:s3:::shop-a/%2A%2a",
		"arn:aws:s3:::shop-a/\\u002a", "arn:aws:s3:::shop-a/x\ny", "arn:aws:s3:::shop-a/x\ty",
		"arn:aws:s3:::shop-a/\"],\"NotResource\":[\"", "arn:aws:s3:::shop-a/x\u2028y", "arn:aws:s3:::shop-a/\u200b",
		"arn:aws:s3:::shop-a/" + strings.Repeat("x", 3000), "arn:aws-us-gov:s3:::shop-a/x",
		"arn:aws:s3:eu-west-1:444455556666:shop-a/x", "arn:aws:s3::*:shop-a/x",
		"arn:aws:s3:::shop-a/x arn:aws:s3:::other/*", "arn:aws:s3:::other/x", "arn:aws:s3:::SHOP-a/x",
		"arn:aws:s3:::shop-/x", "arn:aws:s3:::shop-a/x…", "arn:aws:s3:::shop-a/cloudformation:x:stack/y/*",
		"arn:aws:s3:::shop-a/x:cloudformation:y:stack/z/*", "arn:aws:s3:::shop-a/ü",
	} {
		for _, give := range []settings.Give{settings.GiveExact, settings.GiveSet} {
			in := shop()
			wide(&in, give)
			in.Denials = []buildlog.Denial{denial("s3:GetObject", r)}
			for _, st := range Judge(asked(in)).Added {
				for _, got := range st.Resource.List {
					switch {
					case give == settings.GiveSet && got == own:
					case give == settings.GiveExact && got == r && !strings.Contains(r, "${") && !strings.ContainsAny(r, "*?\"\n"):
						if in.Denials[0].Resource != got || !strings.HasPrefix(got, "arn:aws:s3:::shop-") {
							t.Errorf("%q gives %q", r, got)
						}
					default:
						t.Errorf("%s: %q gives %q", give, r, got)
					}
				}
			}
		}
	}
}

// TestWhatPoliciesTake: the characters at the bounds of what IAM takes in a
// policy, in a resource and in what is shown of it.
func TestWhatPoliciesTake(t *testing.T) {
	get, _ := iamref.Lookup("s3:GetObject")
	for r, takes := range map[rune]bool{0x1f: false, ' ': true, '~': true, 0x7f: false, 0x9f: false, 0xa0: true, 0xff: true, 0x100: false} {
		if why := hostile("arn:aws:s3:::shop-a/"+string(r), get); (why == "") != takes {
			t.Errorf("%U: hostile says %q", r, why)
		}
		if got := clip(string(r)); (got == string(r)) != takes {
			t.Errorf("%U: clip makes %q of it", r, got)
		}
	}
	for r, want := range map[string]string{
		"arn:aws:s3:::shop/https://evil.example.com/a":                             "holds a web address",
		"https://111122223333.dkr.ecr.eu-west-1.amazonaws.com/v2/shop/manifests/1": "",
		"arn:aws:s3:::shop/a:b//c":                                                 "",
		"arn:aws:s3:::shop/a\u00a0b":                                               "holds an invisible character",
		"arn:aws:s3:::shop/a\u00adb":                                               "holds an invisible character",
		"arn:aws:s3:::shop until noon":                                             "holds a space",
		"arn:aws:s3:::shop until noon/a":                                           "holds a space",
		"arn:aws:s3:::shop/a until noon":                                           "",
		"arn:aws:s3:::shop/a b/c until d/e":                                        "",
	} {
		if why := hostile(r, get) + unreadable(r); why != want {
			t.Errorf("%q: it says %q, want %q", r, why, want)
		}
	}
	for _, key := range []string{"https://evil.example.com/a", "a\u00a0b"} {
		in := shop()
		wide(&in, settings.GiveExact)
		in.Denials = []buildlog.Denial{denial("s3:GetObject", "arn:aws:s3:::shop-a/"+key)}
		if j := Judge(asked(in)); len(j.Refusals) != 1 || j.Refusals[0].Rule != HostileText {
			t.Errorf("%q: %s", key, verdict(j))
		}
	}
	for n, takes := range map[int]bool{maxResource: true, maxResource + 1: false} {
		if why := hostile(strings.Repeat("x", n), get); (why == "") != takes {
			t.Errorf("%d characters: %q", n, why)
		}
	}
}

// TestPassedToSomebody: a role is passed to services that are named, not to none
// in particular.
func TestPassedToSomebody(t *testing.T) {
	for _, row := range []struct {
		operator, key string
		services      []string
		want          bool
	}{
		{"StringEquals", passedTo, []string{"ecs-tasks.amazonaws.com"}, true},
		{"StringEquals", passedTo, nil, false},
		{"StringLike", passedTo, []string{"*"}, false},
		{"StringEquals", "aws:PrincipalTag/x", []string{"ecs-tasks.amazonaws.com"}, false},
	} {
		st := iampolicy.Allow("x", []string{floor.PassRole}, []string{"arn:aws:iam::111122223333:role/task"},
			iampolicy.Condition{Operator: row.operator, Key: row.key, Values: iampolicy.Values{List: row.services}})
		if got := passesToService(st); got != row.want {
			t.Errorf("%s %s %q: %v", row.operator, row.key, row.services, got)
		}
	}
}

// TestTwoDenialsRenewNothing: what has ended is not given again in company of
// what was not given before, and what has not is not given longer.
func TestTwoDenialsRenewNothing(t *testing.T) {
	a, b := "arn:aws:s3:::shop-a/x", "arn:aws:s3:::shop-b/x"
	in := shop()
	wide(&in, settings.GiveExact)
	grantOf(&in).Expires = time.Hour
	in.Denials = []buildlog.Denial{denial("s3:GetObject", a)}
	first := Judge(in)
	if first.Target == nil {
		t.Fatal(verdict(first))
	}
	in.Role.Inline["buildmedic"] = first.Target.After
	in.Denials = append(in.Denials, denial("s3:GetObject", b))
	in.Now = now.Add(time.Minute)
	if got := verdict(Judge(in)); got != "inline | + s3:GetObject on "+b {
		t.Errorf("before its end: %s", got)
	}
	in.Now = now.Add(2 * time.Hour)
	if got := verdict(Judge(in)); got != "grant-expired" {
		t.Errorf("after its end: %s", got)
	}
}

// TestPhaseEvidenceIsOfTheDenial: that CodeBuild wrote of some denial does not
// prove another one, which the failed command made up.
func TestPhaseEvidenceIsOfTheDenial(t *testing.T) {
	real := "arn:aws:s3:::shop-a/x"
	in := shop()
	wide(&in, settings.GiveExact)
	grantOf(&in).Evidence = settings.EvidencePhase
	says(&in, "CLIENT_ERROR", "AccessDenied: "+session+" is not authorized to perform: s3:GetObject on resource: \""+
		real+"\" because no identity-based policy allows it")
	for res, want := range map[string]string{real: "inline | + s3:GetObject on " + real, "arn:aws:s3:::shop-b/secret": "weak-evidence"} {
		d := denial("s3:GetObject", res)
		d.Origin = buildlog.FromPhase
		in.Denials = []buildlog.Denial{d}
		if got := verdict(Judge(in)); got != want {
			t.Errorf("%s: %s, want %s", res, got, want)
		}
	}
}

// TestInlineNameOfOtherCase: a policy whose name differs by case is never
// written over.
func TestInlineNameOfOtherCase(t *testing.T) {
	in := shop()
	in.Role.Inline["BuildMedic"] = policy(iampolicy.Allow("own", []string{"s3:GetObject"}, []string{"*"}))
	if got := verdict(Judge(asked(in))); got != "no-target" {
		t.Error(got)
	}
}

// TestPathsOverManyRounds lets a careless owner list every permission of a
// path in grants of their own, some with another project that shares the role,
// and denies them one build after the other. The path never opens.
func TestPathsOverManyRounds(t *testing.T) {
	for _, p := range escalationPaths() {
		if len(p.Required) < 2 {
			continue // by exact name only, or never: see TestLastPermissionIsNotGiven
		}
		in := shop()
		in.Settings.Grants, in.Settings.Projects = nil, nil
		for i := range 2 * len(p.Required) {
			action := p.Required[i%len(p.Required)]
			res := exampleOf(t, action)
			g := settings.Grant{ID: fmt.Sprintf("g%d", i), Because: "b", Owner: "o", Actions: []string{action},
				Resources: []string{res}, Give: settings.GiveSet}
			if action == floor.PassRole {
				g.Actions, g.PassRoles = nil, map[string][]string{"ecs-tasks.amazonaws.com": {res}}
			}
			in.Settings.Grants = []settings.Grant{g}
			in.Project.Grants = []string{g.ID}
			in.Project.Name = []string{"shop", "shop2"}[i%2]
			in.Build.Project = in.Project.Name
			in.Project.Write.Inline = "buildmedic-" + in.Project.Name
			in.Denials = []buildlog.Denial{denial(action, res)}
			if j := Judge(asked(in)); j.Target != nil {
				in.Role.Inline[j.Target.Name] = j.Target.After
			}
		}
		docs, _ := documents(in.Role)
		if !slices.ContainsFunc(p.Required, func(a string) bool { return !maybe(docs, a) }) {
			t.Errorf("path %s is open: %v", p.ID, in.Role.Inline)
		}
	}
}

// TestOddRoleRecords: a build record whose role is not the settings' own,
// spelled exactly, gets nothing.
func TestOddRoleRecords(t *testing.T) {
	for record, ok := range map[string]bool{
		"arn:aws:iam::111122223333:role/service-role/codebuild-shop": true,
		"codebuild-shop": true, // a bare name has no path
		"arn:aws:iam::111122223333:role/codebuild-shop":                 false,
		"arn:aws:iam::111122223333:role/Service-Role/codebuild-shop":    false,
		"arn:aws:iam::111122223333:role/service-role//codebuild-shop":   false,
		"arn:aws:iam::111122223333:role/service-role/codebuild-shop/":   false,
		"arn:aws:iam::111122223333:user/service-role/codebuild-shop":    false,
		"arn:aws:sts::111122223333:assumed-role/codebuild-shop/x":       false,
		"arn:aws:iam::444455556666:role/service-role/codebuild-shop":    false,
		"arn:aws-cn:iam::111122223333:role/service-role/codebuild-shop": false,
		"CodeBuild-Shop": false, "codebuild-shop\n": false, " codebuild-shop": false, "codebuild-shop%2F": false, "*": false, "": false,
	} {
		in := shop()
		in.Build.ServiceRole = record
		in.Role.Role = codebuild.Role{Partition: "aws", Account: account, Path: "/service-role/", Name: "codebuild-shop"}
		if got := Judge(asked(in)).Target != nil; got != ok {
			t.Errorf("%q: given %v, want %v", record, got, ok)
		}
	}
}

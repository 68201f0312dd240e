package settings

import (
	"strings"
	"testing"

	"github.com/buildmedic/buildmedic/internal/iampolicy"
)

const ofApp = "arn:aws:codebuild:eu-west-1:111122223333:project/app"

// TestScope ensures that a grant is for everybody who runs as the role unless it says
// otherwise, and that one for the project asks each of its statements for the project.
func TestScope(t *testing.T) {
	const file = "version: 1\nprojects: [{name: app, role: r, mode: heal, write: {inline: a}, grants: [g]}]\ngrants:\n" +
		"  - {id: g, because: B., owner: t, SCOPE actions: [\"s3:GetObject\", \"sts:GetServiceBearerToken\"], " +
		"resources: [\"arn:aws:s3:::in/*\"], pass_roles: {ecs-tasks.amazonaws.com: [\"arn:aws:iam::111122223333:role/t\"]}}\n"
	for said, scoped := range map[string]bool{"": false, "scope: role,": false, "scope: project,": true} {
		s := mustParse(t, strings.Replace(file, "SCOPE", said, 1))
		list := s.Grants[0].Statements(s.Projects[0], home, "aws")
		if len(list) != 3 || s.Grants[0].Scoped() != scoped || (s.Grants[0].Elsewhere() != "") != scoped {
			t.Fatalf("%q: %v", said, list)
		}
		for _, st := range list {
			if got := strings.Join(ScopeOf(st), " "); (got == ofApp) != scoped || (got == "") == scoped {
				t.Errorf("%q: %v is for %q", said, st, got)
			}
			others := iampolicy.Request{Action: st.Action.List[0], Resource: strings.ReplaceAll(st.Resource.List[0], "/*", "/k"),
				Context: map[string][]string{ProjectKey: {ofApp + "2"}, "iam:PassedToService": {"ecs-tasks.amazonaws.com"},
					"sts:AWSServiceName": {"codeartifact.amazonaws.com"}}}
			only := iampolicy.Access{Policies: []iampolicy.Document{{Statements: []iampolicy.Statement{st}}}}
			if v, _ := iampolicy.Evaluate(only, others); (v == iampolicy.ImplicitDeny) != scoped {
				t.Errorf("%q: another project's build is answered %v by %v", said, v, st)
			}
			others.Context[ProjectKey] = nil // who is no build
			if v, _ := iampolicy.Evaluate(only, others); (v == iampolicy.ImplicitDeny) != scoped {
				t.Errorf("%q: who is no build is answered %v by %v", said, v, st)
			}
			others.Context[ProjectKey] = []string{ofApp}
			if v, _ := iampolicy.Evaluate(only, others); v != iampolicy.Allowed {
				t.Errorf("%q: the project's own build is answered %v by %v", said, v, st)
			}
		}
	}
}

// TestScopeIsOfOneProject ensures that no name could make a scope hold for others:
// ArnEquals takes wildcards (AWS.md#build-keys), and names of projects have none.
func TestScopeIsOfOneProject(t *testing.T) {
	g := Grant{ID: "g", Scope: ScopeProject, Actions: []string{"s3:GetObject"}, Resources: []string{"arn:aws:s3:::in/*"}}
	for _, name := range []string{"*", "app*", "a?p"} {
		if got := g.Statements(Project{Name: name}, home, "aws"); len(got) > 0 {
			t.Errorf("%q gets %v", name, got)
		}
	}
	for _, c := range "*?$:/{}" {
		if projectName.MatchString("app" + string(c) + "x") {
			t.Errorf("a project's name may have %q in it", c)
		}
	}
	for _, values := range [][]string{{"arn:aws:codebuild:*:*:project/app"}, {ofApp, "*"}, {"${codebuild:projectArn}"}} {
		st := iampolicy.Allow("s", nil, nil, iampolicy.Condition{Operator: "ArnEquals", Key: ProjectKey,
			Values: iampolicy.Values{List: values}})
		if got := ScopeOf(st); got != nil {
			t.Errorf("%q counts as the scope %v", values, got)
		}
	}
}

// TestScopedIsNotShared ensures that what is for a project's own builds counts as
// nobody else's: not in what others may at most get, in no test, in no warning.
func TestScopedIsNotShared(t *testing.T) {
	text := strings.Replace(shared, "{id: release,", "{id: release, scope: project,", 1)
	for test, fails := range map[string]string{
		`{project: app-pr, deny: "s3:PutObject", on: "arn:aws:s3:::prod/x"}`:       "",
		`{project: switched, deny: "s3:PutObject", on: "arn:aws:s3:::prod/x"}`:     "",
		`{project: app-release, deny: "s3:PutObject", on: "arn:aws:s3:::prod/x"}`:  "grant release",
		`{project: app-release, deny: "s3:GetObject", on: "arn:aws:s3:::in/x"}`:    "grant read of project app-pr",
		`{project: app-release, allow: "s3:PutObject", on: "arn:aws:s3:::prod/x"}`: "",
	} {
		got := RunTests(mustParse(t, text+"  - "+test+"\n"), home, "aws")
		if (len(got) > 0) != (fails != "") || fails != "" && !strings.Contains(got[0].Message, fails) {
			t.Errorf("%s: %v, want %q", test, got, fails)
		}
	}
	s := mustParse(t, text)
	sh := SharingOf(s, home)
	for project, want := range map[string]struct {
		holders, givers string
		max             int
	}{
		"app-pr":      {"app-pr app-release switched", "app-pr", 1},
		"app-release": {"app-release", "app-pr app-release", 2},
		"switched":    {"switched", "app-pr switched", 1},
		"two":         {"one two", "two", 1},
	} {
		p, _ := s.Project(project, home.ID, home.Region, home)
		holders, givers := strings.Join(names(sh.Holders(p)), " "), strings.Join(names(sh.Givers(p)), " ")
		if most := sh.Max(p, "aws"); holders != want.holders || givers != want.givers || len(most) != want.max {
			t.Errorf("%s: held by %q, given by %q, at most %v, want %+v", project, holders, givers, most, want)
		}
	}
	for _, w := range Surprises(s) {
		if strings.Contains(w.Message, "app-pr have what project app-release is given") {
			t.Errorf("warned of %s", w.Message)
		}
	}
}

package guardrail

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/floor"
	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/iamref"
	"github.com/buildmedic/buildmedic/internal/settings"
)

func TestEscalationData(t *testing.T) {
	var f struct {
		Source string
		Paths  []escalationPath
	}
	if err := json.Unmarshal(escalationJSON, &f); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(f.Source, "Apache-2.0") {
		t.Errorf("the source line is lost: %q", f.Source)
	}
	if len(escalationPaths()) != 65 {
		t.Errorf("%d paths, want 65", len(escalationPaths()))
	}
	for _, p := range escalationPaths() {
		for _, a := range p.Required {
			if ref, ok := iamref.Lookup(a); !ok || ref.Name != a {
				t.Errorf("path %s: there is no action %s", p.ID, a)
			}
		}
		if !slices.ContainsFunc(p.Required, func(a string) bool { h, _ := floor.Of(a); return h != floor.Free }) {
			t.Errorf("path %s: the floor has none of %v", p.ID, p.Required)
		}
	}
}

const settingsHead = `version: 1
projects:
  - name: shop
    role: service-role/codebuild-shop
    mode: heal
    write: {inline: buildmedic}
    grants: [careless]
grants:
  - id: careless
    because: It is late.
    owner: platform
    give: set
`

// TestCarelessOwner lists each path's actions on everything, in every way in
// which settings can say it. Either the settings are in error, or Judge
// refuses; never does the role get the path.
func TestCarelessOwner(t *testing.T) {
	shut, inError, refused := 0, 0, 0
	for _, p := range escalationPaths() {
		open := false
		for _, yaml := range carelessWays(p) {
			s, err := settings.Parse([]byte(settingsHead + yaml))
			if err != nil {
				inError++
				s = unchecked(p) // and had the settings not been checked?
			}
			for _, a := range p.Required {
				in := shop()
				in.Settings, in.Project = s, s.Projects[0]
				in.Denials = []buildlog.Denial{denial(a, exampleOf(t, a)), denial(p.Required[0], "")}
				j := Judge(asked(in))
				if len(j.Refusals) == 0 {
					open = true
					t.Errorf("path %s: %s gives %v", p.ID, yaml, j.Added)
				}
				refused++
			}
		}
		shut += btoi(!open)
	}
	t.Logf("%d of %d paths shut for a careless owner: %d settings files in error, %d denials refused", shut,
		len(escalationPaths()), inError, refused)
}

// unchecked are the settings that a faulty check would let through.
func unchecked(p escalationPath) *settings.Settings {
	in := shop()
	g := grantOf(&in)
	g.Actions, g.Resources, g.Give = p.Required, []string{"*"}, settings.GiveSet
	g.PassRoles = map[string][]string{"ecs-tasks.amazonaws.com": {"arn:${partition}:iam::${account}:role/*"}}
	return in.Settings
}

// carelessWays writes the path's actions into a grant: on everything, with
// iam:PassRole as an action; on everything, with any role under pass_roles;
// with one role there.
func carelessWays(p escalationPath) []string {
	others := slices.DeleteFunc(slices.Clone(p.Required), func(a string) bool { return a == floor.PassRole })
	list := func(as []string) string {
		return "    actions: [" + strings.Join(as, ", ") + "]\n    resources: [\"*\"]\n"
	}
	pass := func(role string) string {
		return "    pass_roles: {ecs-tasks.amazonaws.com: [\"arn:${partition}:iam::${account}:role/" + role + "\"]}\n"
	}
	return []string{list(p.Required), list(others), list(others) + pass("*"), list(others) + pass("admin")}
}

// TestLastPermissionIsNotGiven lets the role hold all but one permission of a
// path, on everything, while the settings list the last one in the strictest
// way they take. It is not given. Of the paths that need a single permission,
// the last one is the first: there the floor refuses, unless the owner names
// the exact resource, and then nothing but that is given.
func TestLastPermissionIsNotGiven(t *testing.T) {
	shut, byFloor, byWhole, exact := 0, 0, 0, 0
	for _, p := range escalationPaths() {
		open := false
		for i, last := range p.Required {
			in := shop()
			held := slices.Delete(slices.Clone(p.Required), i, i+1)
			if len(held) > 0 {
				in.Role.Inline["held"] = policy(iampolicy.Allow("held", held, []string{"*"}))
			}
			res := exampleOf(t, last)
			in.Denials = []buildlog.Denial{denial(last, res)}
			g := grantOf(&in)
			g.Actions, g.Resources, g.Give = []string{last}, []string{res}, settings.GiveSet
			if last == floor.PassRole {
				g.Actions, g.PassRoles = nil, map[string][]string{"ecs-tasks.amazonaws.com": {res}}
			}
			j := Judge(asked(in))
			switch h, _ := floor.Of(last); {
			case len(j.Refusals) == 1 && j.Refusals[0].Rule == FloorNever && h == floor.Never:
				byFloor++
			case len(j.Refusals) > 0 && !slices.ContainsFunc(j.Refusals, func(r Refusal) bool { return r.Rule != EscalationPath }):
				byWhole++
			case len(p.Required) == 1 && h == floor.ExactName && len(j.Added) == 1 &&
				slices.Equal(j.Added[0].Action.List, []string{last}) &&
				slices.Equal(j.Added[0].Resource.List, []string{res}):
				exact++
			default:
				open = true
				t.Errorf("path %s, last %s: %s %v", p.ID, last, verdict(j), j.Refusals)
			}
			// A pattern is never taken for an exact name.
			if len(p.Required) == 1 {
				g.Resources = []string{"*"}
				if j := Judge(asked(in)); len(j.Refusals) == 0 {
					open = true
					t.Errorf("path %s on a pattern: %s", p.ID, verdict(j))
				}
			}
		}
		shut += btoi(!open)
	}
	t.Logf("%d of %d paths shut for a role that holds all but one permission: %d times by the floor, %d times by the "+
		"whole, %d times only the exact resource that the owner named",
		shut, len(escalationPaths()), byFloor, byWhole, exact)
}

// exampleOf gives an exact resource of the action in this account, "*" if it
// takes none.
func exampleOf(t *testing.T, action string) string {
	t.Helper()
	a, _ := iamref.Lookup(action)
	if len(a.Resources) == 0 {
		return "*"
	}
	own := slices.IndexFunc(a.Resources, func(r iamref.ResourceType) bool { return strings.Contains(r.ARN, ":${Account}:") })
	arn := strings.NewReplacer("${Partition}", "aws", "${Region}", "eu-west-1", "${Account}", account).Replace(a.Resources[own].ARN)
	for {
		before, rest, ok := strings.Cut(arn, "${")
		if !ok {
			break
		}
		_, after, _ := strings.Cut(rest, "}")
		arn = before + "x1" + after
	}
	if !iamref.Fits(action, arn) {
		t.Fatalf("%s does not take %s", action, arn)
	}
	return arn
}

func TestOpened(t *testing.T) {
	allow := func(actions ...string) iampolicy.Statement {
		return iampolicy.Allow("x", actions, []string{"*"})
	}
	with := func(st iampolicy.Statement, edit func(*iampolicy.Statement)) iampolicy.Statement {
		edit(&st)
		return st
	}
	pass := func(role string) iampolicy.Statement {
		return iampolicy.Allow("x", []string{"iam:PassRole"}, []string{"arn:aws:iam::111122223333:role/" + role},
			equals("iam:PassedToService", "ecs-tasks.amazonaws.com"))
	}
	deny := with(allow("ecs:RunTask"), func(st *iampolicy.Statement) { st.Effect = "Deny" })
	conditional := iampolicy.Allow("x", []string{"ecs:RunTask"}, []string{"*"}, equals("aws:RequestedRegion", "eu-west-1"))
	all := with(allow("x:y"), func(st *iampolicy.Statement) {
		st.Action, st.NotAction = iampolicy.Values{}, iampolicy.Values{List: []string{"s3:*"}}
	})
	for _, row := range []struct {
		name   string
		before []iampolicy.Statement
		added  iampolicy.Statement
		want   string
	}{
		{"nothing to do with a path", []iampolicy.Statement{allow("iam:PassRole", "ecs:RunTask")}, allow("ecr:PutImage"), ""},
		{"the last of three", []iampolicy.Statement{allow("iam:PassRole", "ecs:RunTask")}, allow("ecs:RegisterTaskDefinition"), "ecs-004"},
		{"by wildcards", []iampolicy.Statement{allow("iam:Pass*", "ECS:*Task")}, allow("ecs:RegisterTaskDefinition"), "ecs-004 ecs-005"},
		{"by all but some", []iampolicy.Statement{with(all, func(st *iampolicy.Statement) {
			st.NotAction.List = []string{"ecs:Register*", "ecs:Create*", "ecs:StartTask"}
		})},
			allow("ecs:RegisterTaskDefinition"), "ecs-004"},
		{"open before", []iampolicy.Statement{allow("iam:PassRole", "ecs:RunTask", "ecs:RegisterTaskDefinition")},
			allow("ecs:RegisterTaskDefinition"), ""},
		{"open before by *", []iampolicy.Statement{allow("*")}, allow("ecs:RegisterTaskDefinition"), ""},
		{"held under a condition", []iampolicy.Statement{allow("iam:PassRole"), conditional},
			allow("ecs:RegisterTaskDefinition"), "ecs-004"},
		{"the last one held under a condition",
			[]iampolicy.Statement{allow("iam:PassRole", "ecs:RegisterTaskDefinition"), conditional},
			allow("ecs:RunTask"), "ecs-004"},
		{"denied on everything", []iampolicy.Statement{allow("iam:PassRole", "ecs:RunTask"), deny},
			allow("ecs:RegisterTaskDefinition"), ""},
		{"denied under a condition", []iampolicy.Statement{allow("iam:PassRole", "ecs:RunTask"),
			with(deny, func(st *iampolicy.Statement) { st.Condition = conditional.Condition })},
			allow("ecs:RegisterTaskDefinition"), "ecs-004"},
		{"denied on something", []iampolicy.Statement{allow("iam:PassRole", "ecs:RunTask"),
			with(deny,
				func(st *iampolicy.Statement) { st.Resource.List = []string{"arn:aws:ecs:*:*:task-definition/x:*"} })},
			allow("ecs:RegisterTaskDefinition"), "ecs-004"},
		{"open before, but perhaps denied", []iampolicy.Statement{allow("iam:PassRole", "ecs:RunTask", "ecs:RegisterTaskDefinition"),
			with(deny, func(st *iampolicy.Statement) {
				st.Action.List, st.Condition = []string{"ecs:Register*"}, conditional.Condition
			})},
			allow("ecs:RegisterTaskDefinition"), "ecs-004"},
		{"held on what the action does not take", []iampolicy.Statement{allow("ecs:RunTask", "iam:PassRole"),
			iampolicy.Allow("x", []string{"ecs:RegisterTaskDefinition"}, []string{"arn:aws:s3:::nothing"})},
			allow("ecs:RegisterTaskDefinition"), "ecs-004"},
		{"held in another account", []iampolicy.Statement{allow("iam:PassRole", "ecs:RegisterTaskDefinition"),
			iampolicy.Allow("x", []string{"ecs:RunTask"},
				[]string{"arn:aws:ecs:eu-west-1:444455556666:task-definition/x:*"})},
			allow("ecs:RunTask"), "ecs-004"},
		{"held in another partition", []iampolicy.Statement{allow("iam:PassRole", "ecs:RegisterTaskDefinition"),
			iampolicy.Allow("x", []string{"ecs:RunTask"},
				[]string{"arn:aws-cn:ecs:eu-west-1:111122223333:task-definition/x:*"})},
			allow("ecs:RunTask"), "ecs-004"},
		{"held on all but everything", []iampolicy.Statement{allow("iam:PassRole", "ecs:RegisterTaskDefinition"),
			with(allow("ecs:RunTask"), func(st *iampolicy.Statement) {
				st.Resource, st.NotResource = iampolicy.Values{}, iampolicy.Values{List: []string{"arn:*"}}
			})}, allow("ecs:RunTask"), "ecs-004"},
		{"held on something else that the action takes", []iampolicy.Statement{allow("iam:PassRole", "ecs:RegisterTaskDefinition"),
			iampolicy.Allow("x", []string{"ecs:RunTask"}, []string{"arn:aws:ecs:*:111122223333:task-definition/x:*"})},
			allow("ecs:RunTask"), ""},
		{"another role is passed",
			[]iampolicy.Statement{allow("ecs:RunTask", "ecs:RegisterTaskDefinition"), pass("task")},
			pass("admin"), "ecs-004"},
		{"the same role is passed",
			[]iampolicy.Statement{allow("ecs:RunTask", "ecs:RegisterTaskDefinition"), pass("task")}, pass("task"), ""},
		{"any role was passed before",
			[]iampolicy.Statement{allow("ecs:RunTask", "ecs:RegisterTaskDefinition", "iam:PassRole")},
			pass("admin"), ""},
		{"the same role is passed to more services", []iampolicy.Statement{allow("ecs:RunTask", "ecs:RegisterTaskDefinition"),
			iampolicy.Allow("x", []string{"iam:PassRole"}, []string{"arn:aws:iam::111122223333:role/task"},
				equals("iam:PassedToService", "events.amazonaws.com"))}, pass("task"), "ecs-004"},
		{"one of two missing", []iampolicy.Statement{allow("ecs:RunTask")}, allow("ecs:RegisterTaskDefinition"), ""},
		{"all at once", nil, allow("iam:PassRole", "ecs:RunTask", "ecs:RegisterTaskDefinition"), "ecs-004"},
		{"a single permission on everything", nil, allow("sts:AssumeRole"), "sts-001"},
		{"a single permission by exact name", nil,
			iampolicy.Allow("x", []string{"sts:AssumeRole"}, []string{"arn:aws:iam::111122223333:role/x"}), ""},
		{"by exact name, with a second one held", []iampolicy.Statement{allow("lambda:InvokeFunction")},
			iampolicy.Allow("x", []string{"lambda:UpdateFunctionCode"},
				[]string{"arn:aws:lambda:eu-west-1:111122223333:function:x"}), "lambda-004"},
	} {
		var ids []string
		for _, p := range opened(shop().Role.Role, document(row.before...), []iampolicy.Statement{row.added}) {
			ids = append(ids, p.ID)
		}
		if got := strings.Join(ids, " "); got != row.want {
			t.Errorf("%s: opens %q, want %q", row.name, got, row.want)
		}
	}
	if rs := escalations(shop().Role.Role, nil, []iampolicy.Statement{allow("sts:AssumeRole")}); len(rs) != 1 ||
		rs[0].Action != "sts:AssumeRole" || !strings.Contains(fmt.Sprint(rs), "sts-001") {
		t.Errorf("refusal %v", rs)
	}
}

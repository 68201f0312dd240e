package guardrail

import (
	"slices"
	"strings"
	"testing"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/settings"
)

const (
	queue    = "arn:aws:sqs:eu-west-1:111122223333:shop-orders"
	executes = "arn:aws:sts::111122223333:assumed-role/shop-exec/AWSCloudFormation"
	byCFN    = `{"Statement":{"Effect":"Allow","Principal":{"Service":"cloudformation.amazonaws.com"},"Action":"sts:AssumeRole"}}`
)

// deployed is the same build, of a project that deploys with another role, which was denied something.
func deployed() Input {
	in := shop()
	in.Settings.Grants = append(in.Settings.Grants, settings.Grant{ID: "shop-queue", Because: "The stack makes its queue.",
		Owner: "platform", Actions: []string{"sqs:CreateQueue"}, Resources: []string{"arn:${partition}:sqs:${region}:${account}:shop-*"}})
	in.Project.AlsoRoles = []settings.AlsoRole{
		{Role: "deploy/shop-exec", Grants: []string{"shop-queue"}, Write: settings.Write{Inline: "healed"}}}
	in.Denials = []buildlog.Denial{deniedTo(executes, "sqs:CreateQueue", queue)}
	of(&in, "deploy/shop-exec")
	return in
}

// of makes the state that of the role, which has no policies.
func of(in *Input, pathName string) {
	in.Role = RoleState{Role: codebuild.RoleNamed(in.Build.At(), pathName), Inline: map[string]string{}, Trust: byCFN}
}

func deniedTo(principal, action, resource string) buildlog.Denial {
	d := denial(action, resource)
	d.Principal = principal
	return d
}

// TestAlsoRoles: what another role of a deployment is denied may be given to it, if the settings list it, by its
// own grants and into its own place.
func TestAlsoRoles(t *testing.T) {
	second := func(in *Input) {
		in.Project.AlsoRoles = append(in.Project.AlsoRoles, settings.AlsoRole{Role: "shop-task", Grants: []string{"shop-image"},
			Write: settings.Write{Inline: "task"}})
	}
	task := deniedTo("arn:aws:sts::111122223333:assumed-role/shop-task/0a1b2c3d", "ecr:PutImage", repo)
	trust := func(principal string) func(*Input) {
		return func(in *Input) {
			in.Role.Trust = `{"Statement":[{"Effect":"Allow","Principal":` + principal + `,"Action":"sts:AssumeRole",` +
				`"Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-exampleorg1"}}}]}`
		}
	}
	bootstrap := func(qualifier string) func(*Input) {
		return func(in *Input) {
			in.Source = []string{"arn:aws:iam::*:role/cdk-*-role-*"}
			in.Qualifier = qualifier
			in.Project.AlsoRoles[0].Role = "cdk-shop-cfn-exec-role-111122223333-eu-west-1"
			in.Denials[0].Principal = strings.ReplaceAll(executes, "shop-exec", in.Project.AlsoRoles[0].Role)
			of(in, in.Project.AlsoRoles[0].Role)
		}
	}
	const made = "inline | + sqs:CreateQueue on " + queue
	for _, row := range []struct {
		name string
		edit func(*Input)
		mute bool // nobody asks the simulator
		want string
	}{
		{"what was denied, and no more", func(*Input) {}, false, made},
		{"a text that gives no reason", func(in *Input) {
			in.Denials[0].Effect, in.Denials[0].Layer = buildlog.Unstated, buildlog.LayerUnstated
		}, false, made},
		{"nobody confirms it", func(*Input) {}, true, "unconfirmed"},
		{"the role has it by now", func(in *Input) {
			in.Role.Inline["x"] = policy(iampolicy.Allow("", []string{"sqs:*"}, []string{"*"}))
		}, false, "allowed"},
		{"a grant of the project's own role", func(in *Input) { in.Denials[0] = deniedTo(executes, "ecr:PutImage", repo) }, false,
			"not-on-allowlist"},
		{"its grant for the project's own role", func(in *Input) {
			in.Denials[0] = denial("sqs:CreateQueue", queue)
			in.Role.Role, _ = in.Build.Role()
		}, false, "not-on-allowlist"},
		{"a build of a pull request", func(in *Input) { in.Build.SourceVersion = "pr/7" }, false, "untrusted-build"},
		{"a build that ran as another role", func(in *Input) { in.Build.ServiceRole = "arn:aws:iam::111122223333:role/x" }, false,
			"not-the-role"},
		{"the boundary is not on it", func(in *Input) { in.Project.AlsoRoles[0].Boundary = "deploy-boundary" }, false, "no-boundary"},
		{"the project's boundary is not asked of it", func(in *Input) { in.Project.Boundary = "build-boundary" }, false, made},
		{"another role's policies were read", func(in *Input) { in.Role.Role, _ = in.Build.Role() }, false, "not-the-role"},
		{"a path to more with what it has", func(in *Input) {
			in.Settings.Grants[1].Actions = []string{"lambda:CreateFunction"}
			in.Settings.Grants[1].Resources = []string{"arn:${partition}:lambda:${region}:${account}:function:shop"}
			in.Denials[0] = deniedTo(executes, "lambda:CreateFunction", "arn:aws:lambda:eu-west-1:111122223333:function:shop")
			in.Role.Inline["x"] = policy(iampolicy.Allow("", []string{"iam:PassRole", "lambda:InvokeFunction"}, []string{"*"}))
		}, false, "escalation-path"},
		{"the owner's other policy of that name on the project's role", func(in *Input) {
			in.Project.Write.Inline = "healed"
		}, false, made},

		{"an own denial first", func(in *Input) {
			in.Denials = append(in.Denials, denial("ecr:PutImage", repo))
			of(in, "service-role/codebuild-shop")
		}, false, granted},
		{"an own denial first, and the other's is not allowed", func(in *Input) {
			in.Denials = []buildlog.Denial{deniedTo(executes, "sqs:DeleteQueue", queue), denial("ecr:PutImage", repo)}
			of(in, "service-role/codebuild-shop")
		}, false, "not-on-allowlist"},
		{"two other roles, in the settings' order", func(in *Input) {
			second(in)
			in.Denials = append([]buildlog.Denial{task}, in.Denials...)
		}, false, made},
		{"two other roles, of which the second was denied", func(in *Input) {
			second(in)
			in.Denials = []buildlog.Denial{task}
			of(in, "shop-task")
		}, false, granted},
		{"two other roles, and one gets nothing", func(in *Input) {
			second(in)
			in.Denials = append(in.Denials, deniedTo(task.Principal, "sqs:CreateQueue", queue))
		}, false, "not-on-allowlist"},
		{"two other roles, of which the second asks for CloudTrail", func(in *Input) {
			second(in)
			in.Settings.Grants[0].Evidence = settings.EvidenceCloudTrail
			in.Denials = append(in.Denials, task)
		}, false, made},
		{"somebody else was denied, too", func(in *Input) {
			in.Denials = append(in.Denials, deniedTo("arn:aws:sts::111122223333:assumed-role/x/y", "sqs:CreateQueue", queue))
			of(in, "service-role/codebuild-shop")
		}, false, "other-principal"},

		{"a service, and this account", func(in *Input) {
			in.Role.Trust = `{"Statement":[{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com",` +
				`"AWS":["111122223333","arn:aws:iam::111122223333:role/x"]},"Action":"sts:AssumeRole"}]}`
		}, false, made},
		{"somebody of another account", trust(`{"AWS":"arn:aws:iam::444455556666:role/x"}`), false, "open-trust"},
		{"another account, by its number", trust(`{"AWS":["111122223333","444455556666"]}`), false, "open-trust"},
		{"everybody of the organization", trust(`"*"`), false, "open-trust"},
		{"another account is denied", func(in *Input) {
			in.Role.Trust = `{"Statement":[{"Effect":"Deny","Principal":{"AWS":"444455556666"},"Action":"sts:AssumeRole"}]}`
		}, false, made},

		{"the bootstrap, whose qualifier may be the healer's", bootstrap(""), false, "floor-healer"},
		{"the healer's bootstrap", bootstrap("shop"), false, "floor-healer"},
		{"a qualifier that begins like it", bootstrap("shop-cfn"), false, "floor-healer"},
		{"another bootstrap", bootstrap("hnb659fds"), false, made},
	} {
		in := deployed()
		row.edit(&in)
		if !row.mute {
			in = asked(in)
		}
		j := Judge(in)
		if got := verdict(j); got != row.want {
			t.Errorf("%s: %s, want %s (%+v)", row.name, got, row.want, j.Refusals)
		}
		if j.Target != nil && row.want == made && j.Target.Name != "healed" {
			t.Errorf("%s: into %q", row.name, j.Target.Name)
		}
	}
}

// TestAlsoRoleAsksAsItself: the calls of another role carry no key of a build, and the entry that is offered for it
// is for no project's builds alone.
func TestAlsoRoleAsksAsItself(t *testing.T) {
	in := deployed()
	qs := Questions(in)
	if len(qs) != 1 || qs[0].Context[settings.ProjectKey] != nil || qs[0].Context[settings.BuildKey] != nil {
		t.Errorf("asked %+v", qs)
	}
	in.Denials[0].Action = "sqs:DeleteQueue"
	j := Judge(asked(in))
	if len(j.Refusals) != 1 || !strings.HasPrefix(j.Refusals[0].Entry, "# to be named under the grants of role \"deploy/shop-exec\" in "+
		"also_roles of project \"shop\"\n") || strings.Contains(j.Refusals[0].Entry, "scope") {
		t.Errorf("offered %+v", j.Refusals)
	}
}

// TestAlsoRoleLookAlikes: only the very session of exactly the listed role counts for it.
func TestAlsoRoleLookAlikes(t *testing.T) {
	for principal, want := range map[string]Rule{
		"arn:aws:sts::111122223333:assumed-role/shop-execs/AWSCloudFormation":              OtherPrincipal,
		"arn:aws:sts::111122223333:assumed-role/Shop-Exec/AWSCloudFormation":               OtherPrincipal,
		"arn:aws:sts::111122223333:assumed-role/deploy/shop-exec/AWSCloudFormation":        OtherPrincipal,
		"arn:aws:sts::111122223333:assumed-role/shop-exec":                                 OtherPrincipal,
		"arn:aws:sts::111122223333:assumed-role/shop-exec/":                                OtherPrincipal,
		"arn:aws:sts::111122223333:assumed-role/shop-exec/AWSCloudFormation/x":             OtherPrincipal,
		"arn:aws:sts::111122223333:assumed-role/shop-exec/AWS CloudFormation":              OtherPrincipal,
		"arn:aws:sts::111122223333:assumed-role/shop-exec/AWSCloudFormation\n":             OtherPrincipal,
		"arn:aws:sts::111122223333:assumed-role/shop-еxec/AWSCloudFormation":               OtherPrincipal,
		"arn:aws:sts::111122223333:assumed-role/shop-exec/***":                             OtherPrincipal,
		"arn:aws:sts::111122223333:assumed-role/***/AWSCloudFormation":                     OtherBuild, // may be the build's role
		"arn:aws:sts::***:assumed-role/shop-exec/AWSCloudFormation":                        OtherPrincipal,
		"arn:aws:sts::444455556666:assumed-role/shop-exec/AWSCloudFormation":               OtherAccount,
		"arn:aws-cn:sts::111122223333:assumed-role/shop-exec/AWSCloudFormation":            OtherAccount,
		"arn:aws:sts:eu-west-1:111122223333:assumed-role/shop-exec/AWSCloudFormation":      OtherPrincipal,
		"arn:aws:iam::111122223333:role/deploy/shop-exec":                                  OtherPrincipal,
		"arn:aws:iam::111122223333:user/shop-exec":                                         OtherPrincipal,
		"arn:aws:sts::111122223333:federated-user/shop-exec":                               OtherPrincipal,
		"arn:aws:sts::111122223333:assumed-role/shop-exec/AWSCodeBuild-" + uuid:            OtherPrincipal,
		"arn:aws:sts::111122223333:assumed-role/shop-exec/awscodebuild-" + uuid[:8] + "-…": OtherPrincipal,
		"*": OtherPrincipal,
	} {
		in := deployed()
		in.Denials[0].Principal = principal
		j := Judge(asked(in))
		if len(j.Refusals) == 0 || !slices.ContainsFunc(j.Refusals, func(r Refusal) bool { return r.Rule == want }) || j.Target != nil {
			t.Errorf("%q: %s, want %s", principal, verdict(j), want)
		}
	}
	in := deployed()
	in.Denials[0].Subject = "the execution role"
	of(&in, "service-role/codebuild-shop")
	if j := Judge(asked(in)); verdict(j) != "other-principal" {
		t.Errorf("a subject in words: %s", verdict(j))
	}
}

// TestAlsoRoleEntry: the refusal for a role that is not listed shows the entry that would list it, and with that
// entry the same denial is cured; no entry is shown for what may never be listed.
func TestAlsoRoleEntry(t *testing.T) {
	in := deployed()
	in.Project.AlsoRoles = nil
	rs := Identify(in)
	if len(rs) != 1 || rs[0].Rule != OtherPrincipal || rs[0].Entry == "" {
		t.Fatalf("refused for %+v", rs)
	}
	_, grants, _ := strings.Cut(rs[0].Entry, "\ngrants:\n")
	head := strings.Replace(strings.TrimSuffix(rs[0].Entry, "\ngrants:\n"+grants), "- name: \"shop\"\n",
		"- name: \"shop\"\n    role: service-role/codebuild-shop\n    mode: heal\n", 1)
	s, err := settings.Parse([]byte("version: 1\n" + head + "\ngrants:\n" + grants))
	if err != nil {
		t.Fatalf("%s\n%v", rs[0].Entry, err)
	}
	in.Settings, in.Project = s, s.Projects[0]
	of(&in, "shop-exec")
	if j := Judge(asked(in)); verdict(j) != "inline | + sqs:CreateQueue on "+queue || j.Target.Name != "buildmedic" {
		t.Errorf("with the entry: %s", verdict(j))
	}
	for name, edit := range map[string]func(*Input){
		"a masked name":           func(in *Input) { in.Denials[0].Principal = strings.Replace(executes, "exec", "***", 1) },
		"another account's":       func(in *Input) { in.Denials[0].Principal = strings.Replace(executes, account, "444455556666", 1) },
		"a part of the healer":    func(in *Input) { in.Healer = append(in.Healer, "arn:aws:iam::*:role/shop-exec") },
		"what the healer is from": func(in *Input) { in.Source = []string{"arn:aws:iam::*:role/shop-*"} },
		"a service-linked role": func(in *Input) {
			in.Denials[0].Principal = strings.Replace(executes, "shop-exec", "AWSServiceRoleForX", 1)
		},
		"a person's": func(in *Input) {
			in.Denials[0].Principal = strings.Replace(executes, "shop-exec", "AWSReservedSSO_x_1", 1)
		},
		"another build's": func(in *Input) {
			in.Denials[0].Principal = strings.Replace(executes, "AWSCloudFormation", "AWSCodeBuild-x1", 1)
		},
		"no name":                       func(in *Input) { in.Denials[0].Principal = strings.Replace(executes, "shop-exec", "a\"b", 1) },
		"no action":                     func(in *Input) { in.Denials[0].Action = "sqs:Create" },
		"an action that is never given": func(in *Input) { in.Denials[0].Action, in.Denials[0].Resource = "iam:PutRolePolicy", "*" },
		"a boundary":                    func(in *Input) { in.Denials[0].Layer = buildlog.PermissionsBoundary },
		"a hostile resource":            func(in *Input) { in.Denials[0].Resource += "\nx: y" },
		"another account's resource":    func(in *Input) { in.Denials[0].Resource = strings.Replace(queue, account, "444455556666", 1) },
	} {
		in := deployed()
		in.Project.AlsoRoles = nil
		edit(&in)
		for _, r := range Identify(in) {
			if r.Entry != "" {
				t.Errorf("%s: %s", name, r.Entry)
			}
		}
	}
}

package guardrail

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/settings"
)

const policyARN = "arn:aws:iam::111122223333:policy/shop-policy"

// foreign keeps odd spacing, so that a change of it would be seen.
const foreignStatement = `{"Sid":"Logs",   "Effect":"Allow","Action":"logs:*",  "Resource":"*"}`

func managed(in *Input) {
	in.Project.Write = settings.Write{Managed: "shop-policy"}
	in.Role.Named = &ManagedPolicy{ARN: policyARN, Document: `{"Version":"2012-10-17","Statement":[` + foreignStatement + `]}`,
		Default: "v1", Versions: versions(1), Attached: true}
	in.Role.Managed = []ManagedPolicy{*in.Role.Named}
}

func versions(n int) (out []Version) {
	for i := range n {
		out = append(out, Version{fmt.Sprintf("v%d", i+1), now.Add(time.Duration(i) * time.Hour)})
	}
	return out
}

var managedRows = []struct {
	name string
	edit func(*Input)
	want string // a rule, or the version that goes
}{
	{"a version of four", func(in *Input) { in.Role.Named.Versions = versions(4) }, ""},
	{"all five versions taken", func(in *Input) { in.Role.Named.Versions, in.Role.Named.Default = versions(5), "v5" }, "drop v1"},
	{"the oldest is the default", func(in *Input) { in.Role.Named.Versions = versions(5) }, "drop v2"},
	{"of the same age", func(in *Input) {
		in.Role.Named.Versions = []Version{{"v12", now}, {"v9", now}, {"v10", now}, {"v11", now}, {"v8", now}}
		in.Role.Named.Default = "v8"
	}, "drop v9"},
	{"a role's own policy", func(in *Input) { in.Role.Named.Users = nil }, ""},
	{"a shared policy that may be", func(in *Input) {
		in.Role.Named.Users, in.Project.Write.Shared = []string{"arn:aws:iam::111122223333:role/other"}, true
	}, ""},
	{"a shared policy", func(in *Input) { in.Role.Named.Users = []string{"arn:aws:iam::111122223333:role/other"} }, "shared-policy"},
	{"no such policy", func(in *Input) { in.Role.Named = nil }, "no-target"},
	{"not on the role", func(in *Input) { in.Role.Named.Attached = false }, "no-target"},
	{"another policy than named", func(in *Input) { in.Project.Write.Managed = "shop" }, "no-target"},
	{"a policy of AWS", func(in *Input) { in.Role.Named.ARN = "arn:aws:iam::aws:policy/shop-policy" }, "protected-policy"},
	{"a policy of another account",
		func(in *Input) { in.Role.Named.ARN = strings.Replace(policyARN, account, "444455556666", 1) },
		"protected-policy"},
	{"a policy of the console", func(in *Input) {
		in.Project.Write.Managed = "service-role/CodeBuildBasePolicy-shop-eu-west-1"
		in.Role.Named.ARN = "arn:aws:iam::111122223333:policy/service-role/CodeBuildBasePolicy-shop-eu-west-1"
	}, "protected-policy"},
	{"another policy of the console", func(in *Input) {
		in.Project.Write.Managed = "service-role/CodeBuildVpcPolicy-shop"
		in.Role.Named.ARN = "arn:aws:iam::111122223333:policy/service-role/CodeBuildVpcPolicy-shop"
	}, "protected-policy"},
	{"a policy of the healer", func(in *Input) { in.Healer = append(in.Healer, "arn:aws:iam::*:policy/shop-*") }, "floor-healer"},
	{"a ready-made policy", func(in *Input) {
		in.Project.Write.Managed = "buildmedic/shop-image@shop"
		in.Role.Named.ARN = "arn:aws:iam::111122223333:policy/buildmedic/shop-image@shop"
	}, "floor-healer"},
	{"unreadable", func(in *Input) { in.Role.Named.Document = "" }, "unreadable-policy"},
	{"five versions, of which none may go", func(in *Input) {
		in.Role.Named.Versions, in.Role.Named.Default = versions(5), "v5"
		in.Project.Write.KeepVersions = true
	}, "versions-full"},
	{"four versions, of which none may go", func(in *Input) {
		in.Role.Named.Versions, in.Role.Named.Default = versions(4), "v4"
		in.Project.Write.KeepVersions = true
	}, ""},
	{"too large", func(in *Input) { in.Role.Named.Document = bigPolicy(maxManaged - 50) }, "policy-too-large"},
}

func TestManaged(t *testing.T) {
	for _, row := range managedRows {
		t.Run(row.name, func(t *testing.T) {
			in := shop()
			managed(&in)
			row.edit(&in)
			if in.Role.Named != nil && in.Role.Named.Document != "" {
				in.Role.Managed = []ManagedPolicy{*in.Role.Named}
			}
			j := Judge(in)
			checkShape(t, in, j)
			got := ""
			if len(j.Refusals) > 0 {
				got = verdict(j)
			} else if j.Target.DropVersion != "" {
				got = "drop " + j.Target.DropVersion
			}
			if got != row.want {
				t.Errorf("got %q, want %q: %v", got, row.want, j.Refusals)
			}
			if len(j.Refusals) > 0 {
				return
			}
			tg := j.Target
			if tg.Name != policyARN || tg.Before != in.Role.Named.Document || tg.BeforeVersion != in.Role.Named.Default {
				t.Errorf("target %+v", tg)
			}
			if !strings.Contains(tg.After, foreignStatement) {
				t.Errorf("the foreign statement was not kept byte for byte:\n%s", tg.After)
			}
		})
	}
}

func TestManagedWithNothingToAddDropsNoVersion(t *testing.T) {
	in := shop()
	managed(&in)
	in.Role.Named.Document = policy(iampolicy.Allow("x", []string{"ecr:PutImage"}, []string{repo}))
	in.Role.Named.Versions, in.Role.Named.Default = versions(5), "v5"
	in.Before = []Answer{{}}
	j := Judge(in)
	if j.Target == nil || j.Target.DropVersion != "" || j.Target.After != j.Target.Before || len(j.Added) > 0 {
		t.Errorf("%+v %v", j.Target, j.Refusals)
	}
}

// TestCode: what is asked for in code is judged as what is written in IAM is; nothing of it ends by
// itself.
func TestCode(t *testing.T) {
	in := shop()
	in.Project.Write = settings.Write{Code: settings.PolicyCode{GitHub: "example/shop", Path: "aws/p.json"}}
	j := Judge(in)
	checkShape(t, in, j)
	if j.Target == nil || j.Target.Kind != Code || j.Target.Name != "aws/p.json in github.com/example/shop" || j.Target.Before != "" ||
		len(j.Added) == 0 || j.Target.After != string(iampolicy.Document{Statements: j.Added}.Canonical()) {
		t.Errorf("%+v %v", j.Target, j.Refusals)
	}
	in.Settings.Grants[0].Expires = time.Hour
	if j := Judge(in); len(j.Refusals) == 0 || j.Refusals[0].Rule != NoTarget {
		t.Errorf("a grant that ends: %+v %v", j.Target, j.Refusals)
	}
}

var attachRows = []struct {
	name string
	edit func(*Input)
	want string
}{
	{"the grant's own policy", func(*Input) {}, "arn:aws:iam::111122223333:policy/buildmedic/shop-image@shop"},
	{"nine are attached", func(in *Input) { attachMany(in, 9) }, "arn:aws:iam::111122223333:policy/buildmedic/shop-image@shop"},
	{"ten are attached", func(in *Input) { attachMany(in, 10) }, "too-many-policies"},
}

func attachMany(in *Input, n int) {
	for i := range n {
		in.Role.Managed = append(in.Role.Managed,
			ManagedPolicy{ARN: fmt.Sprintf("arn:aws:iam::111122223333:policy/p%d", i), Document: policy()})
	}
}

func TestAttach(t *testing.T) {
	for _, row := range attachRows {
		t.Run(row.name, func(t *testing.T) {
			in := shop()
			in.Project.Write, grantOf(&in).Give = settings.Write{Attach: true}, settings.GiveSet
			row.edit(&in)
			j := Judge(in)
			checkShape(t, in, j)
			got := verdict(j)
			if j.Target != nil {
				got = strings.Join(j.Target.Attach, " ")
				if j.Target.After != "" || j.Target.Before != "" {
					t.Error("an attached policy's content would be written")
				}
				if d := cmp.Diff(j.Used[0].Statements, j.Added); d != "" {
					t.Errorf("used and added differ:\n%s", d)
				}
			}
			if got != row.want {
				t.Errorf("got %q, want %q: %v", got, row.want, j.Refusals)
			}
		})
	}
}

func TestAttachName(t *testing.T) {
	long := strings.Repeat("p", 200)
	for _, row := range []struct{ project, grant, want string }{
		{"shop", "image", "image@shop"},
		{"a-b", "c", "c@a-b"},
		{"a", "c-b", "c-b@a"},
		{long, "image", "image@" + strings.Repeat("p", 109) + "-"},
		{"über shop", "image", "image@"},
	} {
		got := AttachName(row.project, row.grant)
		if len(got) > maxPolicyName || unsafeInName.MatchString(got) || !strings.HasPrefix(got, row.want) {
			t.Errorf("AttachName(%q, %q) = %q, want %q", row.project, row.grant, got, row.want)
		}
	}
	if AttachName("a-b", "c") == AttachName("b", "c-a") || AttachName(long, "x") == AttachName(long+"p", "x") ||
		AttachName("a b", "x") == AttachName("a-b", "x") {
		t.Error("two grants have the same name")
	}
}

func TestInlineIsFullToTheLastCharacter(t *testing.T) {
	in := shop()
	size := iampolicy.Size([]byte(Judge(in).Target.After))
	for _, row := range []struct {
		others int
		want   string
	}{
		{maxInlineSum - size, granted},
		{maxInlineSum - size + 1, "policy-too-large"},
	} {
		in := shop()
		in.Role.Inline["other"] = bigPolicy(row.others)
		if got := verdict(Judge(in)); got != row.want {
			t.Errorf("%d characters elsewhere: got %q, want %q", row.others, got, row.want)
		}
	}
}

func TestExpiry(t *testing.T) {
	in := shop()
	in.Now = now.Add(123456789 * time.Nanosecond)
	g := grantOf(&in)
	g.Expires, g.Give = 14*24*time.Hour, settings.GiveSet
	g.PassRoles = map[string][]string{"ecs-tasks.amazonaws.com": {"arn:aws:iam::111122223333:role/task"}}
	j := Judge(in)
	if len(j.Added) != 3 {
		t.Fatalf("%d statements: %v", len(j.Added), j.Refusals)
	}
	for _, st := range j.Added {
		end := st.Condition[0]
		if end.Operator != "DateLessThan" || end.Key != "aws:CurrentTime" || end.Values.List[0] != "2026-12-06T10:15:00Z" {
			t.Errorf("%s: %+v", st.Sid, st.Condition)
		}
	}
	if want := time.Date(2026, 12, 6, 10, 15, 0, 0, time.UTC); !j.Used[0].Expires.Equal(want) {
		t.Errorf("used until %v, want %v", j.Used[0].Expires, want)
	}

	// Written, the same denial again is no reason to give it longer; once it
	// has ended, only the owner renews it.
	in.Role.Inline["buildmedic"] = j.Target.After
	in.Now = now.Add(24 * time.Hour)
	if got := verdict(Judge(in)); got != "allowed" {
		t.Errorf("a day later: %s", got)
	}
	in.Now = now.Add(14 * 24 * time.Hour)
	if got := verdict(Judge(asked(in))); got != "grant-expired" {
		t.Errorf("on its last day: %s", got)
	}
}

// TestExpiryHoldsForTheRole: what ended in one of the role's policies is not
// given again in another one, to which another project with this role writes,
// and what has not ended does not last longer by that.
func TestExpiryHoldsForTheRole(t *testing.T) {
	for _, where := range []string{"inline", "managed"} {
		in := shop()
		g := grantOf(&in)
		g.Expires = 24 * time.Hour
		j := Judge(in)
		if j.Target == nil {
			t.Fatalf("refused: %v", j.Refusals)
		}
		if in.Role.Inline["of-a-sibling"] = j.Target.After; where == "managed" {
			delete(in.Role.Inline, "of-a-sibling")
			in.Role.Managed = append(in.Role.Managed, ManagedPolicy{ARN: "arn:aws:iam::111122223333:policy/of-a-sibling",
				Document: j.Target.After, Attached: true})
		}
		in.Now = now.Add(23 * time.Hour)
		if j := Judge(asked(in)); len(j.Refusals)+len(j.Added) > 0 {
			t.Errorf("%s, an hour before its end: %s, added %v", where, verdict(j), j.Added)
		}
		in.Now = now.Add(24 * time.Hour)
		if got := verdict(Judge(asked(in))); got != "grant-expired" {
			t.Errorf("%s, after its end: %s", where, got)
		}
		g.Expires = 0
		if j := Judge(asked(in)); len(j.Added) != 1 {
			t.Errorf("%s, once its owner gives it without an end: %s", where, verdict(j))
		}
	}
}

func TestAllowlist(t *testing.T) {
	in := shop()
	managed(&in)
	j := Judge(in)
	list, err := iampolicy.Parse([]byte(Allowlist(in)))
	if err != nil {
		t.Fatal(err)
	}
	after, err := iampolicy.Parse([]byte(j.Target.After))
	if err != nil {
		t.Fatal(err)
	}
	if ok, what := iampolicy.Contains([]iampolicy.Document{list}, []iampolicy.Document{after}); !ok {
		t.Errorf("what would be written is not within the allowlist: %s", what)
	}
	in.Role.Named.Document = "no"
	if got := Allowlist(in); got != "" {
		t.Errorf("allowlist of an unreadable document: %s", got)
	}
}

// TestBeyond shows the last lock: no way through Judge reaches most of it.
func TestBeyond(t *testing.T) {
	mine := iampolicy.Allow("x", []string{"ecr:PutImage"}, []string{repo})
	other := iampolicy.Allow("y", []string{"ecr:PutImage"}, []string{repo + "*"})
	for _, row := range []struct {
		name          string
		kind          string
		before, after string
		added         []iampolicy.Statement
		want          bool
	}{
		{"what the settings allow", "inline", "", policy(mine), []iampolicy.Statement{mine}, true},
		{"more than they allow", "inline", "", policy(other), []iampolicy.Statement{other}, false},
		{"what was there", "inline", policy(other), policy(other, mine), []iampolicy.Statement{mine}, true},
		{"what was there, and more", "inline", policy(mine), policy(mine, other), []iampolicy.Statement{mine}, false},
		{"a deny is lost", "inline",
			`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"ecr:PutImage","Resource":"*"}]}`,
			policy(mine), []iampolicy.Statement{mine}, false},
		{"not a policy", "inline", "", `{"Version":"2012-10-17"}`, nil, false},
		{"one that IAM does not take", "inline", "", strings.Replace(policy(mine), "shop", "шоп", 1), nil, false},
		{"an attached one that the settings allow", "attach", "", "", []iampolicy.Statement{mine}, true},
		{"an attached one that they do not", "attach", "", "", []iampolicy.Statement{other}, false},
	} {
		rs := beyond(shop(), draft{Target{Kind: TargetKind(row.kind), Before: row.before, After: row.after}, row.added})
		if (len(rs) == 0) != row.want || len(rs) > 0 && rs[0].Rule != NotContained {
			t.Errorf("%s: %v", row.name, rs)
		}
	}
}

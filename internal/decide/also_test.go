package decide

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/diagnose"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/settings"
)

var (
	// otherRoles are those of the project's deployment, each with some grants of the hostile world. What was granted to
	// whom is told apart by the policy into which it goes.
	otherRoles = []settings.AlsoRole{
		{Role: "deploy/exec", Grants: []string{"bucket", "image", "started"}, Write: settings.Write{Inline: "of-exec"}},
		{Role: "task", Grants: []string{"secret", "deploy", "bucket"}, Write: settings.Write{Inline: "of-task"}},
	}
	otherPrincipals = []string{session("exec", "AWSCloudFormation"), session("exec", "AWSCloudFormation"), session("task", "0a1b2c3d"),
		session("task", "ecs-1"), session("exec", "aws-cdk-x"), session("admin", "AWSCloudFormation"),
		session("exec", "AWSCodeBuild-"+hostileUUID), session("Exec", "x1"), session("task", "***"), session("deploy/exec", "x1"),
		session("exec", "x1/y"), strings.Replace(session("exec", "x1"), "1111", "4444", 1),
		strings.Replace(session("task", "x1"), "111122223333", "***", 1), "arn:aws:iam::111122223333:role/deploy/exec", hostileSession}
)

func session(role, name string) string {
	return "arn:aws:sts::111122223333:assumed-role/" + role + "/" + name
}

// otherWorld are the facts of a build whose log names sessions of other roles.
func otherWorld(t *testing.T, seed uint64) (Facts, string) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 13))
	f, _ := hostileFailure(t, seed)
	f.Project.Mode, f.Project.SwitchRole, f.Project.AlsoRoles = settings.Heal, "", otherRoles
	f.Paused, f.Earlier, f.Before, f.Trail, f.Role = "", nil, nil, nil, nil
	if b := &f.Build; r.IntN(8) > 0 {
		b.SourceVersion, b.SecondaryVersions, b.Initiator, b.BatchARN, b.Root = "refs/heads/main", nil, "GitHub-Hookshot/1a2b3c4", "", nil
		b.AutoRetry, b.ServiceRole = codebuild.AutoRetry{}, "arn:aws:iam::111122223333:role/service-role/codebuild-shop"
	}
	var b strings.Builder
	who, fits := pickOf(r, otherPrincipals), hostileFits[r.IntN(len(hostileFits)):][:1]
	for range 1 + r.IntN(2) {
		what := pickOf(r, slices.Concat(fits, fits, hostileFits))
		if r.IntN(8) == 0 {
			what = [2]string{pickOf(r, hostileActions), pickOf(r, hostileResources)}
		}
		if r.IntN(3) == 0 {
			who = pickOf(r, otherPrincipals)
		}
		fmt.Fprintf(&b, "An error occurred (AccessDenied) when calling the X operation: User: %s is not authorized to perform: %s on "+
			"resource: %s because no identity-based policy allows the %s action\n", who, what[0], what[1], what[0])
	}
	text := "[Container] 2026/11/22 10:14:00.000000 Running command cdk deploy\n" + b.String() +
		"[Container] 2026/11/22 10:15:00.000000 Command did not exit successfully cdk deploy exit status 1\n" +
		"[Container] 2026/11/22 10:15:00.000000 Phase complete: BUILD State: FAILED\n"
	failure := buildlog.ReadText(f.Build, text)
	failure.Roles = f.Project.AlsoNames()
	f.Diagnosis = diagnose.Diagnose(failure)
	f = f.InHand()
	if role, ok := f.RoleInHand(); ok {
		if r.IntN(12) == 0 { // the policies of another one were read
			role = codebuild.RoleNamed(f.Build.At(), pickOf(r, []string{"deploy/exec", "task", "service-role/codebuild-shop"}))
		}
		f.Role = &guardrail.RoleState{Role: role, Inline: map[string]string{
			"own": string(iampolicy.Document{Version: "2012-10-17", Statements: pickOf(r, hostilePolicies)}.Canonical())}}
	}
	if r.IntN(4) > 0 {
		for range guardrail.Questions(f.Judged()) {
			f.Before = append(f.Before, guardrail.Answer{Verdict: iampolicy.ImplicitDeny})
		}
	}
	return f, text
}

// TestOtherRolesGetTheirOwn: no text makes Decide write to a role that is neither the project's own nor listed, nor
// give one role what only another one may have, whatever the text says whose denial it is.
func TestOtherRolesGetTheirOwn(t *testing.T) {
	n := uint64(800)
	if testing.Short() {
		n = 400
	}
	wrote := map[string]int{}
	for seed := range n {
		f, text := otherWorld(t, seed)
		d := Decide(f)
		if d.Plan == nil || d.Plan.Write == nil {
			continue
		}
		role, ok := codebuild.ParseRole(d.Plan.Role)
		i := slices.IndexFunc(otherRoles, func(a settings.AlsoRole) bool { return a.Role == role.PathName() })
		switch {
		case !ok || i < 0 && d.Plan.Role != f.Build.ServiceRole && role.Name != "codebuild-shop":
			t.Errorf("writes to %q", d.Plan.Role)
		case i < 0:
			wrote["own"]++
		default:
			wrote[otherRoles[i].Role]++
			if !strings.Contains(text, ":111122223333:assumed-role/"+role.Name+"/") {
				t.Errorf("nobody says that %q was denied", role.Name)
			}
			if strings.Contains(text, hostileSession+" ") || f.Before == nil || d.Plan.Write.Name != otherRoles[i].Write.Inline {
				t.Errorf("writes to %q into %q", role.Name, d.Plan.Write.Name)
			}
		}
		if ok, _ := guardrail.Trusted(f.Build, f.Project); !ok {
			t.Error("for an untrusted build")
		}
		checkWrite(t, f, d)
		if t.Failed() {
			t.Fatalf("seed %d:\n%s", seed, text)
		}
	}
	t.Logf("wrote %v", wrote)
	for _, who := range []string{"own", "deploy/exec", "task"} {
		if wrote[who] == 0 {
			t.Errorf("nothing was given to %s: the property holds of nothing", who)
		}
	}
}

// TestRolesOneByOne: of a build that was denied something as two roles, one is cured a round; what the other one
// was denied is no repetition of it.
func TestRolesOneByOne(t *testing.T) {
	exec, task := session("exec", "AWSCloudFormation"), session("task", "0a1b2c3d")
	denied := func(who string) buildlog.Denial {
		return buildlog.Denial{Principal: who, Action: "s3:PutObject", Resource: "arn:aws:s3:::shop-a/x", Effect: buildlog.Implicit,
			Layer: buildlog.IdentityBased, Origin: buildlog.FromLog, Causal: true}
	}
	of := func(ds ...buildlog.Denial) Facts {
		f := facts(t, diagnose.Grant, func(f *Facts) {
			f.Diagnosis.Denials = ds
			f.Project.AlsoRoles = []settings.AlsoRole{{Role: "d/exec", Grants: []string{"image"}},
				{Role: "task", Grants: []string{"image"}}}
		})
		return f.InHand()
	}
	for want, f := range map[string]Facts{"d/exec": of(denied(task), denied(exec)), "task": of(denied(task)), "shop-role": of(denied(exec),
		denied("")), "shop-role ": of()} {
		if role, ok := f.RoleInHand(); !ok || role.PathName() != strings.TrimSpace(want) || f.Project.Role != strings.TrimSpace(want) {
			t.Errorf("in hand is %q, want %q", role.PathName(), want)
		}
	}
	first := of(denied(exec))
	f := of(denied(task))
	f.Earlier = again(1, func(r *Round) { r.Diagnosis = &first.Diagnosis })
	if n := sameAgain(f); n != 0 {
		t.Errorf("%d rounds count as the same", n)
	}
	f.Earlier[0].Diagnosis = &f.Diagnosis
	if n := sameAgain(f); n != 1 {
		t.Errorf("%d rounds count as the same, of the same denial", n)
	}
	f.Diagnosis.Remedy = diagnose.Report
	if role, _ := f.InHand().RoleInHand(); role.Name != "shop-role" {
		t.Errorf("of what is only reported, %q is in hand", role.Name)
	}
}

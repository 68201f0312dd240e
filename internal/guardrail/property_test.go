package guardrail

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/floor"
	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// propertySettings hold a grant of each kind: exact, set, pattern, exact
// name, pass_roles, "*", expiry, evidence, a key through a service.
const propertySettings = `version: 1
projects:
  - name: shop
    role: service-role/codebuild-shop
    mode: heal
    write: {inline: buildmedic}
    grants: [image, ecs, roles, bucket, logs, secret, vpc, tail, key]
grants:
  - {id: image, because: b, owner: o, set: ecr-push, give: set, resources: ["arn:${partition}:ecr:${region}:${account}:repository/shop"]}
  - {id: ecs, because: b, owner: o, set: ecs-deploy, give: set, resources: ["*"],
     pass_roles: {ecs-tasks.amazonaws.com: ["arn:${partition}:iam::${account}:role/task"]}}
  - {id: roles, because: b, owner: o, set: cdk-deploy, ` +
	`resources: ["arn:${partition}:iam::${account}:role/cdk-deploy", ` +
	`"arn:${partition}:ssm:${region}:${account}:parameter/cdk-bootstrap/*"]}
  - {id: bucket, because: b, owner: o, set: s3-deploy, resources: ["arn:${partition}:s3:::shop-*", "arn:${partition}:s3:::shop-*/*"]}
  - {id: logs, because: b, owner: o, set: logs, evidence: phase, ` +
	`resources: ["arn:${partition}:logs:${region}:${account}:log-group:/aws/codebuild/*"]}
  - {id: secret, because: b, owner: o, actions: ["secretsmanager:GetSecretValue"], expires: 14d, ` +
	`resources: ["arn:${partition}:secretsmanager:${region}:${account}:secret:shop/*"]}
  - {id: vpc, because: b, owner: o, set: vpc-build, evidence: cloudtrail, resources: ["arn:${partition}:ec2:${region}:${account}:*/*"]}
  - {id: tail, because: b, owner: o, actions: ["logs:DescribeLogGroups", "codebuild:StartBuild"], ` +
	`resources: ["arn:${partition}:codebuild:${region}:${account}:project/next"]}
  - {id: key, because: b, owner: o, set: kms, resources: ["arn:${partition}:kms:${region}:${account}:key/*"]}
`

var (
	someActions = []string{"ecr:PutImage", "ecr:GetAuthorizationToken", "ecs:RegisterTaskDefinition",
		"ecs:UpdateService", floor.PassRole, "sts:AssumeRole", "s3:GetObject", "s3:PutObject", "s3:ListBucket",
		"logs:PutLogEvents", "logs:CreateLogGroup", "secretsmanager:GetSecretValue",
		"ec2:CreateNetworkInterfacePermission", "ec2:DescribeVpcs", "codebuild:StartBuild", "logs:DescribeLogGroups", "ssm:GetParameter",
		"iam:CreateUser", "ecs:RunTask", "*", "ecr:*", "", "ECR:PUTIMAGE", "s3:PutBucketPolicy", "no:Such"}
	someResources = []string{"", "*", repo, repo + "2", "arn:aws:ecr:eu-west-1:111122223333:repository/*",
		"arn:aws:iam::111122223333:role/task", "arn:aws:iam::111122223333:role/cdk-deploy",
		"arn:aws:iam::111122223333:role/admin", "arn:aws:s3:::shop-a/x y", "arn:aws:s3:::shop-a",
		"arn:aws:s3:::shop-*/*", "arn:aws:s3:::other/x", "arn:aws:ecs:eu-west-1:111122223333:task-definition/t:*",
		"arn:aws:ecs:eu-west-1:111122223333:service/c/s",
		"arn:aws:logs:eu-west-1:111122223333:log-group:/aws/codebuild/shop:log-stream:",
		"arn:aws:logs:eu-west-1:111122223333:log-group:/aws/codebuild/shop:log-stream:" + uuid,
		"shop/db", "arn:aws:secretsmanager:eu-west-1:111122223333:secret:shop/db-AbCdEf",
		"arn:aws:ec2:eu-west-1:111122223333:network-interface/*",
		"arn:aws:ec2:eu-west-1:111122223333:network-interface/eni-1",
		"arn:aws:ssm:eu-west-1:111122223333:parameter/cdk-bootstrap/x/version",
		"arn:aws:codebuild:eu-west-1:111122223333:project/next", "arn:aws:s3:::***/x",
		"arn:aws:s3:::shop-a/${aws:username}", "arn:aws:s3:::shop-a/\"", "role task"}
	somePrincipals = []string{session, "", session, "", strings.Replace(session, account, "444455556666", 1),
		"arn:aws:iam::111122223333:user/x", strings.Replace(session, "b01", "b02", 1),
		strings.Replace(session, "codebuild-shop", "admin", 1), "***"}
	someVersions = []string{"refs/heads/main", "refs/heads/main", "refs/tags/v1", "pr/3", "refs/pull/3/head", "main", ""}
	someEffects  = []buildlog.Effect{buildlog.Implicit, buildlog.Implicit, buildlog.Unstated, buildlog.Explicit, "x"}
	someLayers   = []buildlog.Layer{buildlog.IdentityBased, buildlog.IdentityBased, buildlog.LayerUnstated, buildlog.ServiceControl, "x"}
	someOrigins  = []buildlog.Origin{buildlog.FromLog, buildlog.FromPhase, buildlog.FromDecoded}
	someGives    = []settings.Give{settings.GiveExact, settings.GiveSet}
	somePolicies = []string{
		policy(iampolicy.Allow("a", []string{"ecr:Get*", "logs:*"}, []string{"*"})),
		policy(iampolicy.Allow("a", []string{"iam:PassRole", "ecs:RunTask"}, []string{"*"})),
		policy(iampolicy.Allow("a", []string{"*"}, []string{"*"})),
		policy(iampolicy.Allow("a", []string{"ecr:PutImage"}, []string{repo})),
		policy(iampolicy.Allow("a", []string{"s3:*"}, []string{"arn:aws:s3:::shop-a", "arn:aws:s3:::shop-a/*"},
			equals("aws:RequestedRegion", "eu-west-1"))),
		`{"Version":"2012-10-17","Statement":{"Effect":"Deny","NotAction":["ecr:*","s3:*"],"Resource":"*"}}`,
		`{"Version":"2008-10-17","Statement":[{"Sid":"Image","Effect":"Allow","Action":"s3:GetObject","NotResource":"arn:aws:s3:::x/*"}]}`,
		`{"Version":"2012-10-17","Statement":[]}`, `{`, "",
	}
)

// fairDenials are those that some grant of propertySettings covers.
var fairDenials = []buildlog.Denial{
	denial("ecr:PutImage", repo), denial("ecr:GetAuthorizationToken", "*"), denial("ecr:PutImage", ""),
	denial("ecs:RegisterTaskDefinition", ""),
	denial("ecs:UpdateService", "arn:aws:ecs:eu-west-1:111122223333:service/c/s"),
	denial(floor.PassRole, "arn:aws:iam::111122223333:role/task"),
	denial("sts:AssumeRole", "arn:aws:iam::111122223333:role/cdk-deploy"),
	denial("s3:PutObject", "arn:aws:s3:::shop-a/x y"), denial("s3:ListBucket", "arn:aws:s3:::shop-a"),
	denial("logs:CreateLogGroup", "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/codebuild/shop:log-stream:"),
	denial("secretsmanager:GetSecretValue", "shop/db"),
	denial("ec2:CreateNetworkInterfacePermission", "arn:aws:ec2:eu-west-1:111122223333:network-interface/eni-1"),
	denial("ec2:DescribeVpcs", ""),
	denial("codebuild:StartBuild", "arn:aws:codebuild:eu-west-1:111122223333:project/next"),
	denial("logs:DescribeLogGroups", "*"),
	ofKey("when calling the GetSecretValue operation: "), ofKey(""),
}

var parsedProperty = sync.OnceValues(func() (*settings.Settings, error) {
	return settings.Parse([]byte(propertySettings))
})

// parsed gives propertySettings, to be edited.
func parsed(tb testing.TB) *settings.Settings {
	s, err := parsedProperty()
	if err != nil {
		tb.Fatal(err)
	}
	c := *s
	c.Grants = slices.Clone(s.Grants)
	return &c
}

func oneOf[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

// randomInput makes a case out of a seed; text gets into its denials.
func randomInput(tb testing.TB, seed uint64, text ...string) Input {
	s := parsed(tb)
	r := rand.New(rand.NewPCG(seed, 7))
	in := shop()
	for i := range s.Grants {
		if r.IntN(3) == 0 {
			s.Grants[i].Give = oneOf(r, someGives)
		}
	}
	in.Settings, in.Project = s, s.Projects[0]
	in.Project.Write = oneOf(r, []settings.Write{{Inline: "buildmedic"}, {Inline: "buildmedic"}, {Managed: "shop-policy"}, {Attach: true}})
	in.Project.Grants = in.Project.Grants[r.IntN(3):]
	fair := r.IntN(3) > 0
	if !fair {
		in.Build.SourceVersion = oneOf(r, someVersions)
	}
	if !fair && r.IntN(4) == 0 {
		in.Build.ServiceRole = oneOf(r, []string{"", "codebuild-shop", "arn:aws:iam::444455556666:role/x", "admin"})
	}
	pick := func(list []string) string {
		if len(text) > 0 && r.IntN(3) == 0 {
			return oneOf(r, text)
		}
		return oneOf(r, list)
	}
	if r.IntN(2) == 0 {
		says(&in, "CLIENT_ERROR", strings.Join(someActions, " "))
	}
	in.Denials = nil
	for range 1 + r.IntN(3) {
		if fair && (len(text) == 0 || r.IntN(4) > 0) {
			d := oneOf(r, fairDenials)
			d.Origin = oneOf(r, someOrigins)
			in.Denials = append(in.Denials, d)
			continue
		}
		in.Denials = append(in.Denials, buildlog.Denial{
			Principal: pick(somePrincipals),
			Action:    pick(someActions),
			Resource:  pick(someResources),
			Effect:    oneOf(r, someEffects),
			Layer:     oneOf(r, someLayers),
			Origin:    oneOf(r, someOrigins),
			PolicyARN: pick([]string{""}),
			Causal:    true,
		})
	}
	randomRole(r, &in, fair)
	switch r.IntN(4) {
	case 0, 1:
		in = asked(in)
	case 2:
		for range Questions(in) {
			in.Before = append(in.Before, Answer{Verdict: iampolicy.Verdict(r.IntN(4)),
				By: oneOf(r, []string{"", "", ByBoundary, pick([]string{"p"})})})
		}
	}
	for range in.Denials {
		in.Trail = append(in.Trail, r.IntN(2) == 0)
	}
	for _, d := range in.Denials {
		x := Recorded{}
		if r.IntN(4) == 0 {
			x = Record(in.Build, in.Project, d, randomRecord(r, d, text))
		}
		in.Recorded = append(in.Recorded, x)
	}
	return in
}

func randomRole(r *rand.Rand, in *Input, fair bool) {
	policies := somePolicies
	if fair {
		policies = somePolicies[:5]
	}
	for range r.IntN(3) {
		in.Role.Inline[oneOf(r, []string{"a", "b", "buildmedic"})] = oneOf(r, policies)
	}
	if r.IntN(2) == 0 {
		in.Role.Managed = append(in.Role.Managed, ManagedPolicy{ARN: "arn:aws:iam::aws:policy/x", Document: oneOf(r, policies)})
	}
	if r.IntN(4) > 0 {
		managed := ManagedPolicy{ARN: policyARN, Document: oneOf(r, policies), Default: "v1",
			Versions: versions(1 + r.IntN(5)), Attached: r.IntN(4) > 0}
		in.Role.Named = &managed
	}
}

// checkProperties checks what must hold of any judgement, whatever texts,
// records and answers it was made from. It reports whether something would
// be written.
func checkProperties(t *testing.T, in Input) bool {
	t.Helper()
	j := Judge(in)
	if d := cmp.Diff(j, Judge(in)); d != "" {
		t.Errorf("judged twice:\n%s", d)
	}
	checkAnswers(t, in, j)
	if j.Target == nil {
		if len(j.Added) > 0 || len(j.Used) > 0 || len(j.Proof) > 0 {
			t.Error("something is given without a target")
		}
		return false
	}
	checkWho(t, in)
	most := iampolicy.Document{Version: "2012-10-17",
		Statements: settings.Max(in.Settings, in.Project, settings.Account{ID: account, Region: "eu-west-1"}, "aws")}
	for _, st := range j.Added {
		checkAboveFloor(t, in, st)
		checkAllowed(t, []iampolicy.Document{most}, iampolicy.Document{Version: "2012-10-17", Statements: []iampolicy.Statement{st}})
	}
	docs, rs := documents(in.Role)
	if len(rs) > 0 {
		t.Errorf("a role that cannot be read is changed: %v", rs)
	}
	if paths := opened(in.Role.Role, docs, j.Added); len(paths) > 0 {
		t.Errorf("opens %v", paths)
	}
	if j.Target.Kind != "attach" && j.Target.After != j.Target.Before {
		checkDocument(t, most, j)
	}
	return len(j.Added) > 0
}

func checkAnswers(t *testing.T, in Input, j Judgement) {
	t.Helper()
	if n := btoi(len(j.Refusals) > 0) + btoi(j.Allowed) + btoi(j.Target != nil); n != 1 {
		t.Errorf("%d of refusals, allowed and target are set, want 1", n)
	}
	for i, r := range j.Refusals {
		if r.Rule.Explain() == "" || r.Message == "" || len(r.Message) > 3000 ||
			strings.ContainsFunc(r.Message+r.Action+r.Resource,
				func(c rune) bool { return c < ' ' || c >= 0x7f && c < 0xa0 }) {
			t.Errorf("refusal %+v", r)
		}
		if i > 0 && ruleOrder[r.Rule] < ruleOrder[j.Refusals[i-1].Rule] {
			t.Errorf("refusals are out of order: %v", j.Refusals)
		}
	}
	for _, q := range Questions(in) {
		if strings.ContainsAny(q.Action+q.Resource, "?\"\\\n") || strings.Contains(q.Resource, "${") ||
			strings.Contains(q.Resource, "*") && q.Resource != "*" {
			t.Errorf("asks %+v", q)
		}
	}
}

// checkWho: nothing is given to a build that is not trusted, for a denial of
// somebody else, or for one that another layer makes.
func checkWho(t *testing.T, in Input) {
	t.Helper()
	if ok, _ := Trusted(in.Build, in.Project); !ok {
		t.Error("an untrusted build gets something")
	}
	for i, d := range in.Denials {
		if in.Recorded != nil && in.Recorded[i].Refusal != nil {
			t.Errorf("a denial gets something of which AWS's record says: %s", in.Recorded[i].Refusal.Message)
		}
		if d.Principal != "" && d.Principal != session {
			t.Errorf("a denial of %q gets something", d.Principal)
		}
		if d.Effect == buildlog.Explicit || d.Layer == buildlog.ServiceControl {
			t.Errorf("a denial by %s %s gets something", d.Effect, d.Layer)
		}
		stated := d.Principal != "" && d.Effect == buildlog.Implicit && d.Layer == buildlog.IdentityBased
		if !stated &&
			!slices.ContainsFunc(in.Before,
				func(a Answer) bool { return a.Verdict == iampolicy.ImplicitDeny || a.Verdict == iampolicy.Allowed }) {
			t.Error("a denial that nobody confirmed gets something")
		}
	}
}

func checkAboveFloor(t *testing.T, in Input, st iampolicy.Statement) {
	t.Helper()
	for _, a := range st.Action.List {
		for _, res := range st.Resource.List {
			switch h, _ := floor.Of(a); {
			case h == floor.Never || strings.ContainsAny(a, "*?"):
				t.Errorf("gives %s", a)
			case h == floor.PassRoles &&
				(res != "arn:aws:iam::111122223333:role/task" ||
					fmt.Sprint(st.Condition[0].Values.List) != "[ecs-tasks.amazonaws.com]"):
				t.Errorf("passes %s: %v", res, st.Condition)
			case h == floor.ExactName && res != "arn:aws:iam::111122223333:role/cdk-deploy" &&
				res != "arn:aws:codebuild:eu-west-1:111122223333:project/next":
				t.Errorf("gives %s on %s", a, res)
			case a == "ec2:CreateNetworkInterfacePermission" && len(st.Condition) == 0:
				t.Errorf("gives %s without its condition", a)
			}
		}
	}
	if end := in.Now.Add(14 * 24 * time.Hour); slices.Contains(st.Action.List, "secretsmanager:GetSecretValue") &&
		!slices.ContainsFunc(st.Condition, func(c iampolicy.Condition) bool { return c.Values.List[0] == stamp(end) }) {
		t.Errorf("gives a secret for ever: %v", st.Condition)
	}
}

// checkAllowed evaluates a list of calls one by one: what doc allows, one of
// the others allows. It does not use iampolicy.Contains, by which Judge
// proves the same.
func checkAllowed(t *testing.T, others []iampolicy.Document, doc iampolicy.Document) {
	t.Helper()
	ctx := map[string][]string{
		passedTo:                {"ecs-tasks.amazonaws.com"},
		"ec2:AuthorizedService": {"codebuild.amazonaws.com"},
		"aws:RequestedRegion":   {"eu-west-1"},
	}
	for _, a := range someActions {
		for _, res := range someResources {
			if strings.ContainsAny(res, "*?\"$") && res != "*" || res == "" {
				continue
			}
			req := iampolicy.Request{Action: a, Resource: res, Context: ctx, Now: now}
			if v, _ := iampolicy.Evaluate(iampolicy.Access{Policies: []iampolicy.Document{doc}}, req); v != iampolicy.Allowed {
				continue
			}
			if !slices.ContainsFunc(others, func(o iampolicy.Document) bool {
				v, _ := iampolicy.Evaluate(iampolicy.Access{Policies: []iampolicy.Document{o}}, req)
				return v == iampolicy.Allowed
			}) {
				t.Errorf("%s on %s is allowed, and was not, nor do the settings allow it", a, res)
			}
		}
	}
}

// checkDocument checks what would be written as a whole.
func checkDocument(t *testing.T, most iampolicy.Document, j Judgement) {
	t.Helper()
	after, err := iampolicy.Parse([]byte(j.Target.After))
	if err == nil {
		err = iampolicy.Validate(after)
	}
	if err != nil {
		t.Fatalf("what would be written: %v", err)
	}
	others := []iampolicy.Document{most}
	if before, err := iampolicy.Parse([]byte(j.Target.Before)); err == nil {
		others = append(others, before)
		for i, st := range before.Statements {
			if after.Statements[i].Raw != st.Raw {
				t.Errorf("statement %d was changed:\n%s\n%s", i, st.Raw, after.Statements[i].Raw)
			}
		}
	}
	checkAllowed(t, others, after)
}

func TestProperties(t *testing.T) {
	n, gave := 500, 0
	if testing.Short() {
		n = 200
	}
	for seed := range uint64(n) {
		in := randomInput(t, seed)
		if checkProperties(t, in) {
			gave++
		}
		if t.Failed() {
			t.Fatalf("seed %d: %+v", seed, in.Denials)
		}
	}
	t.Logf("%d cases, %d of them give something", n, gave)
	if gave < n/100 {
		t.Errorf("only %d of %d cases give something: the properties hold of nothing", gave, n)
	}
}

func FuzzJudge(f *testing.F) {
	for i, a := range someActions {
		f.Add(uint64(i), a, someResources[i%len(someResources)], somePrincipals[i%len(somePrincipals)])
	}
	f.Add(uint64(19), "s3:PutBucketPolicy", "arn:aws:s3:::shop:username}", "arn:aws:iam::1\xff\xff122223333:user/x")
	f.Fuzz(func(t *testing.T, seed uint64, action, resource, principal string) {
		in := randomInput(t, seed, action, resource, principal)
		checkProperties(t, in)
		// And the text where it does most: in a denial that is fine but for it.
		in = shop()
		in.Settings = parsed(t)
		in.Project = in.Settings.Projects[0]
		in.Denials[0].Action, in.Denials[0].Resource = action, resource
		checkProperties(t, in)
		in = asked(in)
		checkProperties(t, in)
	})
}

func FuzzTrusted(f *testing.F) {
	f.Add("GitHub-Hookshot/1", "pr/1", "GITHUB")
	f.Add("admin/alice", "refs/heads/pr/1", "S3")
	f.Fuzz(func(t *testing.T, initiator, version, source string) {
		b := codebuild.Build{Initiator: initiator, SourceVersion: version, SourceType: source}
		ok, why := Trusted(b, settings.Project{})
		if ok != (why == "") {
			t.Errorf("%v, %q", ok, why)
		}
		full := strings.HasPrefix(version, "refs/heads/") || strings.HasPrefix(version, "refs/tags/")
		if ok && !full && !strings.HasPrefix(initiator, "codepipeline/") {
			t.Errorf("%q of %q is trusted", version, initiator)
		}
		if ok && (initiator == "" || strings.Contains(strings.ToLower(initiator), "/awscodebuild-")) {
			t.Errorf("%q of %q is trusted", version, initiator)
		}
		b.BatchARN = "arn:aws:codebuild:eu-west-1:111122223333:build-batch/shop:1"
		if got, _ := Trusted(b, settings.Project{}); got {
			t.Errorf("%q of %q is trusted in a batch of which nothing is known", version, initiator)
		}
	})
}

func BenchmarkJudge(b *testing.B) {
	s := parsed(b)
	in := shop()
	in.Settings, in.Project = s, s.Projects[0]
	in.Denials = append(in.Denials, denial("s3:PutObject", "arn:aws:s3:::shop-a/x"), denial("ecs:RegisterTaskDefinition", ""))
	for i := range 4 {
		in.Role.Managed = append(in.Role.Managed, ManagedPolicy{ARN: fmt.Sprintf("arn:aws:iam::111122223333:policy/p%d",
			i), Document: policy(ordinary(i)...)})
	}
	in = asked(in)
	if j := Judge(in); j.Target == nil {
		b.Fatal(j.Refusals)
	}
	for b.Loop() {
		Judge(in)
	}
}

// ordinary statements, as roles of builds have them.
func ordinary(n int) (out []iampolicy.Statement) {
	for i := range 12 {
		out = append(out, iampolicy.Allow(fmt.Sprintf("S%d", i), []string{"s3:GetObject", "s3:PutObject", "logs:*", "ec2:Describe*"},
			[]string{fmt.Sprintf("arn:aws:s3:::bucket-%d-%d/*", n, i),
				fmt.Sprintf("arn:aws:logs:eu-west-1:111122223333:log-group:/aws/x%d:*", i)}))
	}
	return out
}

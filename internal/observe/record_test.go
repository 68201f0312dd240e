package observe

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/diagnose"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// TestAddRecord ensures that an event is what the build's own session did and was allowed, on what is
// certain, and else on what is not known.
func TestAddRecord(t *testing.T) {
	b := codebuild.Build{ID: "web:1", ARN: "arn:aws:codebuild:eu-west-1:111122223333:build/web:1", Project: "web",
		ServiceRole: "arn:aws:iam::111122223333:role/service-role/web-role"}
	const own = `"userIdentity": {"arn": "arn:aws:sts::111122223333:assumed-role/web-role/AWSCodeBuild-1"}`
	const resources = `"resources": [{"ARN": "arn:aws:ecr:eu-west-1:111122223333:repository/web", "accountId": "111122223333"}]`
	const secret = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:web-AbCdEf"
	for name, tt := range map[string]struct {
		record string
		own    bool
		uses   []Use
		unread []string
	}{
		"with its resource": {`{` + own + `, "eventSource": "ecr.amazonaws.com", "eventName": "PutImage", ` + resources + `}`, true,
			on("ecr:PutImage", images+"web"), nil},
		"with none": {`{` + own + `, "eventSource": "ecr.amazonaws.com", "eventName": "PutImage"}`, true, on("ecr:PutImage", ""), nil},
		"a resource of another kind": {`{` + own + `, "eventSource": "ecr.amazonaws.com", "eventName": "PutImage",
			"resources": [{"ARN": "arn:aws:s3:::web"}]}`, true, on("ecr:PutImage", ""), nil},
		"allowed, and failed": {`{` + own + `, "eventSource": "ecr.amazonaws.com", "eventName": "PutImage",
			"errorCode": "ImageAlreadyExistsException", ` + resources + `}`, true, on("ecr:PutImage", images+"web"), nil},
		"refused": {`{` + own + `, "eventSource": "ecr.amazonaws.com", "eventName": "PutImage", "errorCode": "AccessDenied"}`, true,
			nil, nil},
		"an ARN as parameter": {`{` + own + `, "eventSource": "secretsmanager.amazonaws.com", "eventName": "GetSecretValue",
			"requestParameters": {"secretId": "` + secret + `"}}`, true, on("secretsmanager:GetSecretValue", secret), nil},
		"a name as parameter": {`{` + own + `, "eventSource": "secretsmanager.amazonaws.com", "eventName": "GetSecretValue",
			"requestParameters": {"secretId": "web"}}`, true, on("secretsmanager:GetSecretValue", ""), nil},
		"a list beside it": {`{` + own + `, "eventSource": "secretsmanager.amazonaws.com", "eventName": "GetSecretValue",
			"requestParameters": {"secretId": "` + secret + `", "others": ["web"]}}`, true, on("secretsmanager:GetSecretValue", ""), nil},
		"of two types": {`{` + own + `, "eventSource": "ec2.amazonaws.com", "eventName": "RunInstances",
			"resources": [{"ARN": "arn:aws:ec2:eu-west-1:111122223333:subnet/subnet-1"}]}`, true, on("ec2:RunInstances", ""), nil},
		"a version in its name": {`{` + own + `, "eventSource": "lambda.amazonaws.com", "eventName": "GetFunction20150331v2"}`, true,
			on("lambda:GetFunction", ""), nil},
		"no known operation": {`{` + own + `, "eventSource": "ecr.amazonaws.com", "eventName": "PolicyExecutionEvent"}`, true, nil,
			[]string{"ecr"}},
		"another session": {`{"userIdentity": {"arn": "arn:aws:sts::111122223333:assumed-role/web-role/AWSCodeBuild-2"},
			"eventSource": "ecr.amazonaws.com", "eventName": "PutImage"}`, false, nil, nil},
		"another role": {`{"userIdentity": {"arn": "arn:aws:sts::111122223333:assumed-role/other/AWSCodeBuild-1"},
			"eventSource": "ecr.amazonaws.com", "eventName": "PutImage"}`, false, nil, nil},
		"no record": {`{`, false, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var p Project
			if got := p.AddRecord(b, tt.record); got != tt.own {
				t.Errorf("own: %v", got)
			}
			if d := cmp.Diff(tt.uses, p.Uses); d != "" || !slices.Equal(p.Unread, tt.unread) {
				t.Errorf("unread %q, -want +got:\n%s", p.Unread, d)
			}
		})
	}
}

// TestAddGenerated ensures that what Access Analyzer saw keeps an action, on all of the grant's
// resources unless another source tells on which.
func TestAddGenerated(t *testing.T) {
	g := settings.Grant{Actions: []string{"ecr:PutImage", "ecr:BatchGetImage"}, Resources: []string{repository + "*"}}
	p := project("web", on("ecr:PutImage", images+"web")...)
	if err := p.AddGenerated(`{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["ecr:PutImage"],
		"Resource": "*"}]}`); err != nil {
		t.Fatal(err)
	}
	if n := Narrow(g, []Project{p}, 1); !slices.Equal(n.Grant.Resources, []string{repository + "web"}) || len(n.Grant.Actions) != 1 {
		t.Errorf("%+v", n.Grant)
	}
	if err := p.AddGenerated(`{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "ecr:batchgetimage",
		"Resource": "*"}}`); err != nil {
		t.Fatal(err)
	}
	if n := Narrow(g, []Project{p}, 1); n.State != Tight || !strings.Contains(n.Actions[0].Why, "Access Analyzer saw it") {
		t.Errorf("%s %v", n.State, n.Actions)
	}
	if err := p.AddGenerated(`{`); err == nil {
		t.Error("what is no policy is taken")
	}
}

// TestAddCase ensures that a case tells what was denied and given, unless that was taken back, and
// that it does not tell all where it was cut, or where a pattern was given.
func TestAddCase(t *testing.T) {
	denied := &diagnose.Diagnosis{Denials: []buildlog.Denial{{Action: "ecr:putimage", Resource: images + "web", Causal: true},
		{Action: "ecr:BatchGetImage", Resource: images + "web"}, {Action: "PutImage", Causal: true}}}
	used := &decide.Decision{Used: []guardrail.Used{{Grant: "g"}}}
	wrote := func(resource string, kind guardrail.TargetKind) *decide.Decision {
		return &decide.Decision{Used: used.Used, Plan: &decide.Plan{Write: &guardrail.Target{Kind: kind,
			After: `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["ecr:PutImage"], "Resource": "` +
				images + resource + `"}, {"Effect": "Deny", "Action": "ecr:GetLifecyclePolicy", "Resource": "*"}]}`}}}
	}
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	put := on("ecr:PutImage", images+"web")
	for name, tt := range map[string]struct {
		round decide.Round
		uses  []Use
		given []Use
		cut   bool
	}{
		"denied":      {decide.Round{Diagnosis: denied, Decision: used}, put, nil, false},
		"not granted": {decide.Round{Diagnosis: denied, Decision: &decide.Decision{}}, nil, nil, false},
		"taken back":  {decide.Round{Diagnosis: denied, Decision: used, Undone: now}, nil, nil, false},
		"written": {decide.Round{Diagnosis: denied, Decision: wrote("old", guardrail.Inline)}, put,
			on("ecr:PutImage", images+"old"), false},
		"cut":              {decide.Round{Diagnosis: denied, Cut: true, Decision: used}, put, nil, true},
		"cut, but written": {decide.Round{Cut: true, Decision: wrote("web", guardrail.Inline)}, nil, put, false},
		"attached":         {decide.Round{Diagnosis: denied, Decision: wrote("web", guardrail.Attach)}, put, put, true},
	} {
		t.Run(name, func(t *testing.T) {
			tt.round.Retry = "web:2"
			p := Project{}
			p.AddCase(decide.Case{ID: "c", Outcome: decide.Healed, Rounds: []decide.Round{tt.round}})
			if d := cmp.Diff(tt.uses, p.Uses) + cmp.Diff(tt.given, p.Given); d != "" || p.Cut != tt.cut {
				t.Errorf("cut %v, -want +got:\n%s", p.Cut, d)
			}
			if !slices.Equal(p.Green, []string{"web:2"}) {
				t.Errorf("green: %q", p.Green)
			}
		})
	}
	p := Project{}
	p.AddCase(decide.Case{ID: "c", Outcome: decide.Reported, Rounds: []decide.Round{{Retry: "web:2"}, {Green: true}}})
	if !slices.Equal(p.Green, []string{"case c"}) {
		t.Errorf("green: %q", p.Green)
	}
	g := settings.Grant{Actions: []string{"ecr:PutImage"}, Resources: []string{repository + "*"}}
	p = project("web", put...)
	p.Given = on("ecr:PutImage", images+"old")
	if n := Narrow(g, []Project{p}, 1); !slices.Equal(n.Grant.Resources, []string{repository + "old", repository + "web"}) {
		t.Errorf("what was given before: %q", n.Grant.Resources)
	}
	p.Given = on("ecr:PutImage", images+"*")
	if n := Narrow(g, []Project{p}, 1); n.State != Tight || !strings.Contains(n.Actions[0].Why+n.Resources[0].Why, "a pattern was given") {
		t.Errorf("a pattern: %s %v", n.State, n.Resources)
	}
	if p.Trail = true; Narrow(g, []Project{p}, 1).State != Narrower {
		t.Error("a pattern of which CloudTrail tells")
	}
}

// TestFull ensures that of a project that used more than is looked at, nothing is known to be unused.
func TestFull(t *testing.T) {
	p := project("web")
	for range 2 {
		for i := range maxUses {
			p.Use(Use{"s3:PutObject", fmt.Sprintf("arn:aws:s3:::b/%d", i)})
		}
	}
	g := settings.Grant{Actions: []string{"s3:GetObject", "s3:PutObject"}, Resources: []string{"arn:aws:s3:::b/*"}}
	if n := Narrow(g, []Project{p}, 1); len(p.Uses) != maxUses || p.Full || n.State != Narrower {
		t.Fatalf("%d uses, full %v, %s", len(p.Uses), p.Full, n.State)
	}
	p.Use(Use{"s3:PutObject", "arn:aws:s3:::b/more"})
	if n := Narrow(g, []Project{p}, 1); n.State != Tight || !strings.Contains(n.Actions[0].Why, "more than is looked at") {
		t.Errorf("%s %v", n.State, n.Actions)
	}
}

// TestScope ensures that a grant is proposed for its project's own builds only where CloudTrail would
// have told that another one on the role used it.
func TestScope(t *testing.T) {
	g := settings.Grant{Actions: []string{"ecr:PutImage"}, Resources: []string{repository + "web"}}
	for name, tt := range map[string]struct {
		change func(*settings.Grant, *Project) // of the sibling
		state  State
		says   string
	}{
		"not used":  {func(*settings.Grant, *Project) {}, Narrower, "project api runs as the same role, and used nothing of it"},
		"used":      {func(_ *settings.Grant, q *Project) { q.Use(Use{"ecr:PutImage", images + "web"}) }, Tight, "uses ecr:PutImage"},
		"on what?":  {func(_ *settings.Grant, q *Project) { q.Use(Use{"ecr:PutImage", ""}) }, Tight, "uses ecr:PutImage"},
		"elsewhere": {func(_ *settings.Grant, q *Project) { q.Use(Use{"ecr:PutImage", images + "api"}) }, Narrower, "used nothing"},
		"not asked": {func(_ *settings.Grant, q *Project) { q.Trail = false }, Tight, "-trail looks it up"},
		"too few":   {func(_ *settings.Grant, q *Project) { q.Green = q.Green[:4] }, Tight, "-trail looks it up"},
		"scoped":    {func(g *settings.Grant, _ *Project) { g.Scope = settings.ScopeProject }, Tight, ""},
		"nothing used": {func(g *settings.Grant, _ *Project) {
			g.Resources = []string{"arn:aws:ecr:us-east-1:111122223333:repository/web"}
		}, Unused, ""},
	} {
		t.Run(name, func(t *testing.T) {
			g, web, api := g, project("web", on("ecr:PutImage", images+"web")...), project("api")
			api.Trail = true
			tt.change(&g, &api)
			web.Siblings = []Project{api}
			n := Narrow(g, []Project{web}, 5)
			if n.State != tt.state || !strings.Contains(n.Scope, tt.says) || (tt.says == "") != (n.Scope == "") {
				t.Errorf("%s %q", n.State, n.Scope)
			}
			if scoped := n.Grant.Scoped(); scoped != (n.State == Narrower) && g.Scope == "" {
				t.Errorf("scoped: %v", scoped)
			}
		})
	}
}

package guardrail

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/floor"
	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/settings"
)

const (
	account    = "111122223333"
	uuid       = "8745a7a9-c340-456a-9166-edf953571b01"
	session    = "arn:aws:sts::111122223333:assumed-role/codebuild-shop/AWSCodeBuild-" + uuid
	ownProject = "arn:aws:codebuild:eu-west-1:111122223333:project/shop"
	repo       = "arn:aws:ecr:eu-west-1:111122223333:repository/shop"
)

// ofBuild is what the requests of shop's build carry.
var ofBuild = map[string][]string{settings.ProjectKey: {ownProject}, settings.BuildKey: {shop().Build.ARN}}

var now = time.Date(2026, 11, 22, 10, 15, 0, 0, time.UTC)

// shop is a build that failed of one denial, in a project with an ECR grant.
func shop() Input {
	g := settings.Grant{ID: "shop-image", Because: "The image is pushed by its own pipeline.", Owner: "platform",
		Actions:   []string{"ecr:GetAuthorizationToken", "ecr:InitiateLayerUpload", "ecr:PutImage"},
		Resources: []string{"arn:${partition}:ecr:${region}:${account}:repository/shop"}}
	p := settings.Project{Name: "shop", Role: "service-role/codebuild-shop", Mode: settings.Heal,
		Write: settings.Write{Inline: "buildmedic"}, Grants: []string{g.ID}, Retry: true}
	in := Input{
		Settings: &settings.Settings{Version: 1, Limits: settings.Limits{NewResources: 5, PieceShare: 25},
			Projects: []settings.Project{p}, Grants: []settings.Grant{g}},
		Project: p,
		Build: codebuild.Build{ID: "shop:" + uuid, ARN: "arn:aws:codebuild:eu-west-1:" + account + ":build/shop:" + uuid, Project: "shop",
			Status: codebuild.Failed, ServiceRole: "arn:aws:iam::" + account + ":role/service-role/codebuild-shop",
			Initiator: "GitHub-Hookshot/0a1b2c3", SourceType: "GITHUB", SourceVersion: "refs/heads/main^{2f1c0de}"},
		Denials: []buildlog.Denial{denial("ecr:PutImage", repo)},
		Healer: []string{"arn:aws:lambda:*:111122223333:function:buildmedic*",
			"arn:aws:iam::111122223333:role/buildmedic/*", "arn:aws:s3:::buildmedic-state*"},
		Now: now, PullRequests: PullRequestBuilds{Read: true},
	}
	in.Role.Role, _ = in.Build.Role()
	in.Role.Inline = map[string]string{}
	return in
}

func denial(action, resource string) buildlog.Denial {
	return buildlog.Denial{Principal: session, Action: action, Resource: resource, Effect: buildlog.Implicit,
		Layer: buildlog.IdentityBased, Origin: buildlog.FromLog, Causal: true, Line: 7}
}

// grantOf gives the only grant, to be edited.
func grantOf(in *Input) *settings.Grant { return &in.Settings.Grants[0] }

// asked fills in what the simulator says of the role's documents.
func asked(in Input) Input {
	docs, _ := documents(in.Role)
	in.Before = simulate(docs, in.Role.Boundary, Questions(in))
	return in
}

func simulate(docs []iampolicy.Document, boundary *ManagedPolicy, qs []Question) (as []Answer) {
	var b *iampolicy.Document
	if boundary != nil {
		d, err := iampolicy.ParseLoose([]byte(boundary.Document))
		if err == nil {
			b = &d
		}
	}
	for _, q := range qs {
		a := Answer{}
		a.Verdict, _ = iampolicy.Evaluate(iampolicy.Access{Policies: docs},
			iampolicy.Request{Action: q.Action, Resource: q.Resource, Context: q.Context})
		if b != nil {
			if v, _ := iampolicy.Evaluate(iampolicy.Access{Policies: []iampolicy.Document{*b}}, iampolicy.Request{
				Action:   q.Action,
				Resource: q.Resource,
				Context:  q.Context,
			}); v != iampolicy.Allowed {
				a = Answer{Verdict: iampolicy.ImplicitDeny, By: ByBoundary}
			}
		}
		as = append(as, a)
	}
	return as
}

func policy(sts ...iampolicy.Statement) string {
	return string(iampolicy.Document{Version: "2012-10-17", Statements: sts}.Canonical())
}

// verdict sums a judgement up in one line.
func verdict(j Judgement) string {
	var parts []string
	for _, r := range j.Refusals {
		parts = append(parts, string(r.Rule))
	}
	if j.NeedsTrail {
		parts = append(parts, "needs trail")
	}
	if j.Allowed {
		parts = append(parts, "allowed")
	}
	if j.Target != nil {
		parts = append(parts, string(j.Target.Kind))
		for _, st := range j.Added {
			parts = append(parts, fmt.Sprintf("+ %s on %s", strings.Join(st.Action.List, ","), strings.Join(st.Resource.List, ",")))
		}
	}
	return strings.Join(parts, " | ")
}

const granted = "inline | + ecr:PutImage on " + repo

var judgeRows = []struct {
	name string
	edit func(*Input)
	ask  bool // the simulator is asked and says what the role's documents say
	want string
}{
	{"what was denied, and no more", nil, false, granted},
	{"the simulator agrees", nil, true, granted},
	{"action in another case", func(in *Input) { in.Denials[0].Action = "ECR:putimage" }, false, granted},
	{"two denials, one statement", func(in *Input) { in.Denials = append(in.Denials, denial("ecr:InitiateLayerUpload", repo)) }, false,
		"inline | + ecr:InitiateLayerUpload,ecr:PutImage on " + repo},
	{"the same denial twice", func(in *Input) { in.Denials = append(in.Denials, in.Denials[0]) }, false, granted},
	{"an action without resources", func(in *Input) { in.Denials[0] = denial("ecr:GetAuthorizationToken", "*") }, false,
		"inline | + ecr:GetAuthorizationToken on *"},
	{"an action without resources, and none printed", func(in *Input) { in.Denials[0] = denial("ecr:GetAuthorizationToken", "") }, false,
		"inline | + ecr:GetAuthorizationToken on *"},
	{"give: set gives all of it", func(in *Input) { grantOf(in).Give = settings.GiveSet }, false,
		"inline | + ecr:GetAuthorizationToken on * | + ecr:InitiateLayerUpload,ecr:PutImage on " + repo},
	{"no denial", func(in *Input) { in.Denials = nil }, false, "nothing-to-do"},
	{"the role has it by now", func(in *Input) {
		in.Role.Inline["deploy"] = policy(iampolicy.Allow("d", []string{"ecr:*"}, []string{"*"}))
	}, true, "allowed"},
	{"one of two is there by now", func(in *Input) {
		in.Denials = append(in.Denials, denial("ecr:InitiateLayerUpload", repo))
		in.Role.Inline["deploy"] = policy(iampolicy.Allow("d", []string{"ecr:Initiate*"}, []string{"*"}))
	}, true, granted},
	{"the policy has it, and nobody was asked", func(in *Input) {
		in.Role.Inline["buildmedic"] = policy(iampolicy.Allow("x", []string{"ecr:PutImage"}, []string{repo}))
	}, false, "allowed"},
	{"the policy has it, and IAM denies it still", func(in *Input) {
		in.Role.Inline["buildmedic"] = policy(iampolicy.Allow("x", []string{"ecr:PutImage"}, []string{repo}))
		in.Before = []Answer{{Verdict: iampolicy.ImplicitDeny}}
	}, false, "inline"},

	// 1: whose denial it is.
	{"project of another name", func(in *Input) { in.Project.Name = "shop2" }, false, "project-not-listed"},
	{"project of another account", func(in *Input) { in.Project.Account = "444455556666" }, false, "project-not-listed"},
	{"project of another region", func(in *Input) { in.Project.Region = "us-east-1" }, false, "project-not-listed"},
	{"no service role in the record", func(in *Input) { in.Build.ServiceRole = "" }, false, "not-the-role"},
	{"service role of another account",
		func(in *Input) { in.Build.ServiceRole = "arn:aws:iam::444455556666:role/service-role/codebuild-shop" }, false,
		"not-the-role"},
	{"another role than the settings say", func(in *Input) { in.Project.Role = "service-role/codebuild-web" }, false, "not-the-role"},
	{"the same name at another path", func(in *Input) { in.Project.Role = "codebuild-shop" }, false, "not-the-role"},
	{"a bare role name in the record", func(in *Input) {
		in.Build.ServiceRole,
			in.Role.Role.Path = "codebuild-shop", "/"
	}, false, granted},
	{"the policies of another role were read", func(in *Input) { in.Role.Role.Name = "codebuild-web" }, false, "not-the-role"},
	{"the policies of a role of another account were read", func(in *Input) { in.Role.Role.Account = "444455556666" }, false,
		"not-the-role"},
	{"the policies of a role of another partition were read", func(in *Input) { in.Role.Role.Partition = "aws-cn" }, false,
		"not-the-role"},
	{"the role was not read", func(in *Input) { in.Role = RoleState{} }, false, "not-the-role"},
	{"the principal of another account",
		func(in *Input) { in.Denials[0].Principal = strings.Replace(session, account, "444455556666", 1) }, false,
		"other-account"},
	{"the principal of another partition",
		func(in *Input) { in.Denials[0].Principal = strings.Replace(session, "arn:aws:", "arn:aws-cn:", 1) }, false,
		"other-account"},
	{"a user", func(in *Input) { in.Denials[0].Principal = "arn:aws:iam::111122223333:user/codebuild-shop" }, false, "other-principal"},
	{"the role itself, not its session", func(in *Input) {
		in.Denials[0].Principal = "arn:aws:iam::111122223333:role/service-role/codebuild-shop"
	}, false, "other-principal"},
	{"the session of another role",
		func(in *Input) { in.Denials[0].Principal = strings.Replace(session, "codebuild-shop", "cdk-exec", 1) }, false,
		"other-principal"},
	{"a role that begins like it", func(in *Input) {
		in.Denials[0].Principal = strings.Replace(session, "codebuild-shop", "codebuild-shop-2", 1)
	}, false, "other-principal"},
	{"a role in another case", func(in *Input) {
		in.Denials[0].Principal = strings.Replace(session, "codebuild-shop", "CodeBuild-shop", 1)
	}, false, "other-principal"},
	{"a role with a look-alike letter",
		func(in *Input) { in.Denials[0].Principal = strings.Replace(session, "shop/", "shоp/", 1) }, false,
		"other-principal"},
	{"a role with a path in its session",
		func(in *Input) { in.Denials[0].Principal = strings.Replace(session, "role/", "role/service-role/", 1) }, false,
		"other-principal"},
	{"a session with a slash", func(in *Input) { in.Denials[0].Principal += "/x" }, false, "other-principal"},
	{"a federated user",
		func(in *Input) { in.Denials[0].Principal = "arn:aws:sts::111122223333:federated-user/codebuild-shop" }, false,
		"other-principal"},
	{"an ARN with a region",
		func(in *Input) { in.Denials[0].Principal = strings.Replace(session, "sts::", "sts:eu-west-1:", 1) }, false,
		"other-principal"},
	{"a masked principal", func(in *Input) { in.Denials[0].Principal = "***" }, false, "other-principal"},
	{"a cut principal", func(in *Input) { in.Denials[0].Principal = "arn:aws:sts::1" }, false, "other-principal"},
	{"another build", func(in *Input) { in.Denials[0].Principal = strings.Replace(session, "b01", "b02", 1) }, false, "other-build"},
	{"another session of the role",
		func(in *Input) { in.Denials[0].Principal = "arn:aws:sts::111122223333:assumed-role/codebuild-shop/me" }, false,
		"other-build"},
	{"this session and more", func(in *Input) { in.Denials[0].Principal += " x" }, false, "other-build"},
	{"no principal, not asked", func(in *Input) { in.Denials[0].Principal = "" }, false, "unconfirmed"},
	{"no principal, not asked, and no grant for it", func(in *Input) {
		in.Denials[0].Principal, in.Denials[0].Action = "", "ecr:DeleteRepository"
	}, false, "unconfirmed"},
	{"no principal, confirmed", func(in *Input) { in.Denials[0].Principal = "" }, true, granted},

	// 2: whose build it is.
	{"a pull request", func(in *Input) { in.Build.SourceVersion = "pr/7" }, false, "untrusted-build"},
	{"a job of the code host's", func(in *Input) { in.Build = in.Build.WithPrinted() }, false, "runner-build"},
	{"a pull request, and nobody was asked who was denied", func(in *Input) {
		in.Build.SourceVersion, in.Denials[0].Principal = "pr/7", ""
	}, false, "untrusted-build"},
	{"a pull request, and another role", func(in *Input) {
		in.Build.SourceVersion = "pr/7"
		in.Denials[0].Principal = strings.Replace(session, "codebuild-shop", "admin", 1)
	}, false, "other-principal | untrusted-build"},

	// 3: which layer denies.
	{"an explicit deny", func(in *Input) {
		in.Denials[0].Effect, in.Denials[0].PolicyARN = buildlog.Explicit, "arn:aws:iam::111122223333:policy/no-push"
	}, false, "explicit-deny"},
	{"a service control policy", func(in *Input) { in.Denials[0].Layer = buildlog.ServiceControl }, false, "other-layer"},
	{"a resource control policy", func(in *Input) { in.Denials[0].Layer = buildlog.ResourceControl }, false, "other-layer"},
	{"a permissions boundary", func(in *Input) { in.Denials[0].Layer = buildlog.PermissionsBoundary }, false, "other-layer"},
	{"a session policy", func(in *Input) { in.Denials[0].Layer = buildlog.SessionPolicy }, false, "other-layer"},
	{"a resource's own policy", func(in *Input) { in.Denials[0].Layer = buildlog.ResourceBased }, false, "other-layer"},
	{"a VPC endpoint policy", func(in *Input) { in.Denials[0].Layer = buildlog.VPCEndpoint }, false, "other-layer"},
	{"a role trust policy", func(in *Input) { in.Denials[0].Layer = buildlog.RoleTrust }, false, "other-layer"},
	{"a reason that no permission is known to cure", func(in *Input) {
		in.Denials[0].Reason = "because no declarative policy allows the ecr:PutImage action"
	}, true, "other-reason"},
	{"somebody else, in words", func(in *Input) {
		in.Denials[0].Principal, in.Denials[0].Subject = "", "the provided execution role"
	}, true, "other-principal"},
	{"somebody else, in words, beside the build's own session", func(in *Input) {
		in.Denials[0].Subject = "the provided execution role"
	}, true, "other-principal"},
	{"a masked session, not asked", func(in *Input) {
		in.Denials[0].Principal = strings.Replace(session, uuid, "***", 1)
	}, false, "unconfirmed"},
	{"a masked session, confirmed", func(in *Input) {
		in.Denials[0].Principal = strings.Replace(session, uuid, "***", 1)
	}, true, granted},
	{"a masked account, confirmed", func(in *Input) {
		in.Denials[0].Principal = strings.Replace(session, account, "********", 1)
	}, true, granted},
	{"a masked account and a masked session, confirmed", func(in *Input) {
		in.Denials[0].Principal = "arn:aws:sts::***:assumed-role/codebuild-shop/AWSCodeBuild-***"
	}, true, granted},
	{"a masked session of another role", func(in *Input) {
		in.Denials[0].Principal = "arn:aws:sts::111122223333:assumed-role/admin/AWSCodeBuild-***"
	}, true, "other-principal"},
	{"a masked session of another account", func(in *Input) {
		in.Denials[0].Principal = "arn:aws:sts::444455556666:assumed-role/codebuild-shop/AWSCodeBuild-***"
	}, true, "other-account"},
	{"a masked session that begins otherwise", func(in *Input) {
		in.Denials[0].Principal = "arn:aws:sts::111122223333:assumed-role/codebuild-shop/test-***"
	}, true, "other-build"},
	{"a masked account of another session", func(in *Input) {
		in.Denials[0].Principal = "arn:aws:sts::***:assumed-role/codebuild-shop/AWSCodeBuild-0a1b"
	}, true, "other-build"},
	{"a masked account of a user", func(in *Input) { in.Denials[0].Principal = "arn:aws:iam::***:user/ci" }, true, "other-principal"},
	{"a layer that nobody knows", func(in *Input) { in.Denials[0].Layer = "identity-based-policy " }, false, "other-layer"},
	{"effect unstated, not asked", func(in *Input) { in.Denials[0].Effect = buildlog.Unstated }, false, "unconfirmed"},
	{"layer unstated, not asked", func(in *Input) { in.Denials[0].Layer = buildlog.LayerUnstated }, false, "unconfirmed"},
	{"an effect that nobody knows, not asked", func(in *Input) { in.Denials[0].Effect = "Implicit" }, false, "unconfirmed"},
	{"effect and layer unstated, confirmed", func(in *Input) { in.Denials[0].Effect, in.Denials[0].Layer = "", "" }, true, granted},
	{"unstated, and the simulator does not know", func(in *Input) {
		in.Denials[0].Effect, in.Before = buildlog.Unstated, []Answer{{Verdict: iampolicy.Unknown}}
	}, false, "unconfirmed"},
	{"unstated, and the simulator knows one of two", func(in *Input) {
		twoRepositories(in)
		in.Denials[0].Effect = buildlog.Unstated
		in.Before = []Answer{{Verdict: iampolicy.Allowed}, {Verdict: iampolicy.Unknown}}
	}, false, "unconfirmed"},
	{"stated, and the simulator knows one of two", func(in *Input) {
		twoRepositories(in)
		in.Before = []Answer{{Verdict: iampolicy.Allowed}, {Verdict: iampolicy.Unknown}}
	}, false, "inline | + ecr:PutImage on " + repo + "," + repo + "-api"},
	{"unstated, and answers to something else", func(in *Input) {
		in.Denials[0].Effect, in.Before = buildlog.Unstated, []Answer{{}, {}}
	}, false, "unconfirmed"},
	{"the simulator says explicit deny",
		func(in *Input) { in.Before = []Answer{{Verdict: iampolicy.ExplicitDeny, By: "no-push"}} }, false,
		"explicit-deny"},
	{"the simulator blames the boundary", func(in *Input) { in.Before = []Answer{{By: ByBoundary}} }, false, "other-layer"},
	{"the simulator blames the organization", func(in *Input) { in.Before = []Answer{{By: ByOrganizations}} }, false, "other-layer"},
	{"the simulator says allowed, and the organization refuses",
		func(in *Input) { in.Before = []Answer{{Verdict: iampolicy.Allowed, By: ByOrganizations}} }, false,
		"other-layer"},
	{"the simulator names a policy that is called like a layer",
		func(in *Input) { in.Before = []Answer{{By: "boundary-of-shop"}} }, false, granted},
	{"attached already, and denied still", func(in *Input) {
		in.Project.Write, grantOf(in).Give = settings.Write{Attach: true}, settings.GiveSet
		in.Role.Managed = []ManagedPolicy{{ARN: "arn:aws:iam::111122223333:policy/buildmedic/shop-image@shop", Document: policy()}}
		in.Before = []Answer{{}}
	}, false, "already-there"},

	// 4: what was denied.
	{"no action", func(in *Input) { in.Denials[0].Action = "" }, false, "unknown-action"},
	{"an action that does not exist", func(in *Input) { in.Denials[0].Action = "ecr:PushImage" }, false, "unknown-action"},
	{"all actions of a service", func(in *Input) { in.Denials[0].Action = "ecr:*" }, false, "hostile-text"},
	{"all actions", func(in *Input) { in.Denials[0].Action = "*" }, false, "hostile-text"},
	{"an action with a quote", func(in *Input) { in.Denials[0].Action = `ecr:PutImage","s3:*` }, false, "hostile-text"},
	{"an action with a look-alike letter", func(in *Input) { in.Denials[0].Action = "ecr:PutІmage" }, false, "hostile-text"},
	{"an action with a line break", func(in *Input) { in.Denials[0].Action = "ecr:PutImage\n" }, false, "hostile-text"},
	{"a list of actions", func(in *Input) { in.Denials[0].Action = "ecr:PutImage,iam:PassRole" }, false, "hostile-text"},
	{"an action that never ends", func(in *Input) { in.Denials[0].Action = "ecr:" + strings.Repeat("a", 1<<20) }, false, "hostile-text"},
	{"too many denials", func(in *Input) {
		in.Denials = nil
		for i := range maxDenials + 1 {
			in.Denials = append(in.Denials, denial("ecr:PutImage", fmt.Sprintf("%s%d", repo, i)))
		}
	}, false, "hostile-text"},
	{"a resource of another account",
		func(in *Input) { in.Denials[0].Resource = strings.Replace(repo, account, "444455556666", 1) }, false,
		"foreign-resource"},
	{"a resource of another partition",
		func(in *Input) { in.Denials[0].Resource = strings.Replace(repo, "arn:aws:", "arn:aws-us-gov:", 1) }, false,
		"foreign-resource"},
	{"a resource of another type",
		func(in *Input) { in.Denials[0].Resource = "arn:aws:ecs:eu-west-1:111122223333:cluster/shop" }, false,
		"unfit-resource"},
	{"a resource without an account",
		func(in *Input) { in.Denials[0].Resource = "arn:aws:ecr:eu-west-1::repository/shop" }, false, "unfit-resource"},
	{"a missing resource", func(in *Input) { in.Denials[0].Resource = "" }, false, "unknown-resource"},
	{"any resource", func(in *Input) { in.Denials[0].Resource = "*" }, false, "unknown-resource"},
	{"a masked resource", func(in *Input) { in.Denials[0].Resource = "arn:aws:ecr:eu-west-1:***:repository/shop" },
		false, "unknown-resource"},
	{"a cut resource", func(in *Input) { in.Denials[0].Resource = repo[:40] + "..." }, false, "unknown-resource"},
	{"a resource cut with an ellipsis", func(in *Input) { in.Denials[0].Resource = repo[:40] + "…" }, false, "unknown-resource"},
	{"a bare name", func(in *Input) { in.Denials[0].Resource = "shop" }, false, "unknown-resource"},
	{"a bare name and give: set", func(in *Input) {
		in.Denials[0].Resource, grantOf(in).Give = "shop", settings.GiveSet
	}, true, "inline | + ecr:GetAuthorizationToken on * | + ecr:InitiateLayerUpload,ecr:PutImage on " + repo},
	{"another bare name and give: set", func(in *Input) {
		in.Denials[0].Resource, grantOf(in).Give = "other", settings.GiveSet
	}, true, "unknown-resource"},
	{"a URL", func(in *Input) {
		in.Denials[0].Resource = "https://111122223333.dkr.ecr.eu-west-1.amazonaws.com/v2/shop/manifests/1"
	}, false, granted},
	{"the URL of another, and give: set", func(in *Input) {
		in.Denials[0].Resource = "https://111122223333.dkr.ecr.eu-west-1.amazonaws.com/v2/other/manifests/1"
		grantOf(in).Give = settings.GiveSet
	}, true, "not-on-allowlist"},
	{"a missing resource and give: set", func(in *Input) { in.Denials[0].Resource, grantOf(in).Give = "", settings.GiveSet }, false,
		"inline | + ecr:GetAuthorizationToken on * | + ecr:InitiateLayerUpload,ecr:PutImage on " + repo},
	{"a masked resource that is another, and give: set", func(in *Input) {
		in.Denials[0].Resource, grantOf(in).Give = "arn:aws:ecr:eu-west-1:***:repository/other", settings.GiveSet
	}, true, "unknown-resource"},
	{"what the text names is another, and give: set", func(in *Input) {
		in.Denials[0].Resource, grantOf(in).Give = "", settings.GiveSet
		in.Denials[0].Near = "arn:aws:ecr:eu-west-1:111122223333:repository/other"
	}, true, "unknown-resource"},
	{"what the text names may be another, and give: set", func(in *Input) {
		in.Denials[0].Resource, grantOf(in).Give = "", settings.GiveSet
		in.Denials[0].Near = repo + " arn:aws:ecr:eu-west-1:111122223333:repository/other"
	}, true, "unknown-resource"},
	{"what the text names in part, and give: set", func(in *Input) {
		in.Denials[0].Resource, grantOf(in).Give = "", settings.GiveSet
		in.Denials[0].Near = "arn:aws:ecr:eu-west-1:*:repository/sh*"
	}, true, "inline | + ecr:GetAuthorizationToken on * | + ecr:InitiateLayerUpload,ecr:PutImage on " + repo},
	{"an answer of 403 without a body", func(in *Input) { in.Denials[0].Bare = true }, true, "unconfirmed"},
	{"an answer of 403 without a body, and give: set", func(in *Input) {
		in.Denials[0].Bare, in.Denials[0].Principal, grantOf(in).Give = true, "", settings.GiveSet
	}, true, "unconfirmed"},
	{"a masked resource and give: set", func(in *Input) {
		in.Denials[0].Resource, grantOf(in).Give = "arn:aws:ecr:eu-west-1:***:repository/shop", settings.GiveSet
	}, true, "inline | + ecr:GetAuthorizationToken on * | + ecr:InitiateLayerUpload,ecr:PutImage on " + repo},
	{"a missing resource that the role has already", func(in *Input) {
		in.Denials[0].Resource, grantOf(in).Give = "", settings.GiveSet
		in.Role.Inline["deploy"] = policy(iampolicy.Allow("d", []string{"ecr:PutImage"}, []string{repo}))
	}, true, "allowed"},

	// 5: the floor.
	{"a write to IAM", func(in *Input) { in.Denials[0] = denial("iam:CreateUser", "arn:aws:iam::111122223333:user/x") },
		false, "floor-never"},
	{"a resource policy", func(in *Input) { in.Denials[0] = denial("ecr:SetRepositoryPolicy", repo) }, false, "floor-never"},
	{"a write to IAM, not asked about", func(in *Input) {
		in.Denials = append(in.Denials, denial("iam:AttachRolePolicy", "arn:aws:iam::111122223333:role/service-role/codebuild-shop"))
	}, true, "floor-never"},
	{"passing a role that is not listed",
		func(in *Input) { in.Denials[0] = denial(floor.PassRole, "arn:aws:iam::111122223333:role/task") }, false,
		"not-on-allowlist"},
	{"passing a role that is listed", func(in *Input) {
		in.Denials[0] = denial(floor.PassRole, "arn:aws:iam::111122223333:role/task")
		grantOf(in).PassRoles = map[string][]string{"ecs-tasks.amazonaws.com": {"arn:${partition}:iam::${account}:role/task"}}
	}, true, "inline | + iam:PassRole on arn:aws:iam::111122223333:role/task"},
	{"passing any role", func(in *Input) {
		in.Denials[0] = denial(floor.PassRole, "arn:aws:iam::111122223333:role/task")
		grantOf(in).PassRoles = map[string][]string{"ecs-tasks.amazonaws.com": {"arn:aws:iam::111122223333:role/*"}}
	}, false, "floor-pass-role"},
	{"assuming a role by its exact name", func(in *Input) { assume(in, "arn:aws:iam::111122223333:role/cdk-deploy") }, true,
		"inline | + sts:AssumeRole on arn:aws:iam::111122223333:role/cdk-deploy"},
	{"assuming roles by a pattern", func(in *Input) { assume(in, "arn:aws:iam::111122223333:role/cdk-*") }, true, "floor-exact-name"},
	{"the healer's own function", func(in *Input) {
		in.Denials[0] = denial("lambda:GetFunction", "arn:aws:lambda:eu-west-1:111122223333:function:buildmedic")
		grantOf(in).Actions, grantOf(in).Resources = []string{"lambda:GetFunction"}, []string{"*"}
	}, false, "floor-healer"},
	{"a grant that reaches the healer's bucket", func(in *Input) {
		in.Denials[0] = denial("s3:GetObject", "arn:aws:s3:::shop/x")
		grantOf(in).Actions, grantOf(in).Resources, grantOf(in).Give = []string{"s3:GetObject"},
			[]string{"arn:aws:s3:::*"}, settings.GiveSet
	}, false, "floor-healer"},
	{"the bucket where the healer's code lies, by its exact name", func(in *Input) {
		const bucket = "arn:aws:s3:::cdk-hnb659fds-assets-111122223333-eu-west-1"
		in.Source = []string{"arn:aws:s3:::cdk-*-assets-111122223333-*", "arn:aws:s3:::cdk-*-assets-111122223333-*/*"}
		in.Denials[0] = denial("s3:PutObject", bucket+"/0a1b.zip")
		grantOf(in).Actions, grantOf(in).Resources = []string{"s3:PutObject"}, []string{bucket + "/*"}
	}, false, "floor-healer"},
	{"a grant that reaches that bucket, among others", func(in *Input) {
		in.Source = []string{"arn:aws:s3:::my-own-assets", "arn:aws:s3:::my-own-assets/*"}
		in.Denials[0] = denial("s3:PutObject", "arn:aws:s3:::my-shop/x")
		grantOf(in).Actions, grantOf(in).Resources, grantOf(in).Give = []string{"s3:PutObject"},
			[]string{"arn:aws:s3:::my-*/*"}, settings.GiveSet
	}, false, "floor-healer"},
	{"reading in that bucket", func(in *Input) {
		in.Source = []string{"arn:aws:s3:::my-own-assets", "arn:aws:s3:::my-own-assets/*"}
		in.Denials[0] = denial("s3:GetObject", "arn:aws:s3:::my-own-assets/x")
		grantOf(in).Actions, grantOf(in).Resources = []string{"s3:GetObject"}, []string{"arn:aws:s3:::my-own-assets/*"}
	}, true, "inline | + s3:GetObject on arn:aws:s3:::my-own-assets/x"},
	{"a repository from which a role's policy is deployed", func(in *Input) {
		policiesIn(in, "roles")
		in.Denials[0] = denial("codecommit:GitPush", "arn:aws:codecommit:eu-west-1:111122223333:roles")
		grantOf(in).Actions = []string{"codecommit:GitPush"}
		grantOf(in).Resources = []string{"arn:aws:codecommit:eu-west-1:111122223333:roles"}
	}, false, "floor-healer"},
	{"a grant that reaches that repository, among others", func(in *Input) {
		policiesIn(in, "roles")
		in.Denials[0] = denial("codecommit:GitPush", "arn:aws:codecommit:eu-west-1:111122223333:shop")
		grantOf(in).Actions, grantOf(in).Resources, grantOf(in).Give = []string{"codecommit:GitPush"},
			[]string{"arn:aws:codecommit:eu-west-1:111122223333:*"}, settings.GiveSet
	}, false, "floor-healer"},
	{"reading in that repository", func(in *Input) {
		policiesIn(in, "roles")
		in.Denials[0] = denial("codecommit:GitPull", "arn:aws:codecommit:eu-west-1:111122223333:roles")
		grantOf(in).Actions = []string{"codecommit:GitPull"}
		grantOf(in).Resources = []string{"arn:aws:codecommit:eu-west-1:111122223333:roles"}
	}, true, "inline | + codecommit:GitPull on arn:aws:codecommit:eu-west-1:111122223333:roles"},
	{"passing the role with which the healer is deployed", func(in *Input) {
		const role = "arn:aws:iam::111122223333:role/cdk-q-cfn-exec-role-111122223333-eu-west-1"
		in.Source = []string{"arn:aws:iam::*:role/cdk-*-role-*"}
		in.Denials[0] = denial(floor.PassRole, role)
		grantOf(in).PassRoles = map[string][]string{"cloudformation.amazonaws.com": {role}}
	}, false, "floor-healer"},
	{"assuming a role with which the CDK deploys, by its exact name", func(in *Input) {
		in.Source = []string{"arn:aws:iam::*:role/cdk-*"}
		assume(in, "arn:aws:iam::111122223333:role/cdk-deploy")
	}, true, "inline | + sts:AssumeRole on arn:aws:iam::111122223333:role/cdk-deploy"},
	{"a role with which the healer is deployed",
		func(in *Input) { in.Source = append(in.Source, "arn:aws:iam::111122223333:role/service-role/*") }, false,
		"floor-healer"},
	{"the healer's own role",
		func(in *Input) { in.Healer = append(in.Healer, "arn:aws:iam::111122223333:role/service-role/*") }, false,
		"floor-healer"},

	// 6: the allowlist.
	{"a project without grants", func(in *Input) { in.Project.Grants = nil }, false, "no-grant-configured"},
	{"no settings", func(in *Input) { in.Settings = nil }, false, "no-grant-configured"},
	{"another action", func(in *Input) { in.Denials[0] = denial("ecr:DeleteRepository", repo) }, false, "not-on-allowlist"},
	{"another resource", func(in *Input) { in.Denials[0].Resource = repo + "2" }, false, "not-on-allowlist"},
	{"a grant of another project", func(in *Input) {
		in.Settings.Grants = append(in.Settings.Grants,
			settings.Grant{ID: "web", Actions: []string{"s3:GetObject"}, Resources: []string{"*"}})
		in.Denials[0] = denial("s3:GetObject", "arn:aws:s3:::web/x")
	}, false, "not-on-allowlist"},
	{"one of two denials refused",
		func(in *Input) { in.Denials = append(in.Denials, denial("ecr:DeleteRepository", repo)) }, false,
		"not-on-allowlist"},
	{"each of two denials refused", func(in *Input) {
		in.Denials = []buildlog.Denial{denial("ecr:DeleteRepository", repo), denial("iam:CreateUser", "arn:aws:iam::111122223333:user/x")}
	}, false, "floor-never | not-on-allowlist"},
	{"evidence of the phase asked, of the log had", func(in *Input) { grantOf(in).Evidence = settings.EvidencePhase },
		false, "weak-evidence"},
	{"evidence of the phase", func(in *Input) {
		grantOf(in).Evidence, in.Denials[0].Origin = settings.EvidencePhase, buildlog.FromPhase
		says(in, "CLIENT_ERROR", "User: "+session+" is not authorized to perform: ECR:PutImage on resource: "+repo)
	}, false, granted},
	{"a phase that repeats the command", func(in *Input) {
		grantOf(in).Evidence, in.Denials[0].Origin = settings.EvidencePhase, buildlog.FromPhase
		says(in, "COMMAND_EXECUTION_ERROR",
			"Error while executing command: echo not authorized to perform: ecr:PutImage. Reason: exit status 1")
	}, false, "weak-evidence"},
	{"a phase that repeats a command which prints the denial to the letter", func(in *Input) {
		grantOf(in).Evidence, in.Denials[0].Origin = settings.EvidencePhase, buildlog.FromPhase
		says(in, "COMMAND_EXECUTION_ERROR", "Error while executing command: echo User: "+session+
			" is not authorized to perform: ecr:PutImage on resource: "+repo+" because no identity-based policy "+
			"allows the ecr:PutImage action. Reason: exit status 1")
	}, false, "weak-evidence"},
	{"a phase that says something else", func(in *Input) {
		grantOf(in).Evidence, in.Denials[0].Origin = settings.EvidencePhase, buildlog.FromPhase
		says(in, "CLIENT_ERROR", "no matching artifact paths found")
	}, false, "weak-evidence"},
	{"a phase from which the action was inferred", func(in *Input) {
		g := grantOf(in)
		g.Evidence, g.Give, g.Actions = settings.EvidencePhase, settings.GiveSet, []string{"ecr:BatchGetImage"}
		in.Denials[0] = buildlog.Denial{Action: "ecr:BatchGetImage", Resource: repo, Effect: buildlog.Unstated,
			Layer: buildlog.LayerUnstated, Origin: buildlog.FromPhase, Inferred: true, Causal: true}
		says(in, "BUILD_CONTAINER_UNABLE_TO_PULL_IMAGE",
			"Unable to pull customer's container image. CannotPullContainerError: Error response from daemon: "+
				"pull access denied for 111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop, repository does not exist "+
				"or may require 'docker login': denied: User: arn:aws:sts::1")
	}, true, "inline | + ecr:BatchGetImage on " + repo},
	{"decoded is better than the phase", func(in *Input) {
		grantOf(in).Evidence, in.Denials[0].Origin = settings.EvidencePhase, buildlog.FromDecoded
	}, false, granted},
	{"evidence that nobody knows", func(in *Input) { grantOf(in).Evidence = "rumour" }, false, "weak-evidence"},
	{"CloudTrail asked, not there yet",
		func(in *Input) { grantOf(in).Evidence, in.Trail = settings.EvidenceCloudTrail, []bool{false} }, false,
		"no-cloudtrail-evidence | needs trail"},
	{"CloudTrail asked, and it would be refused anyway", func(in *Input) {
		grantOf(in).Evidence = settings.EvidenceCloudTrail
		in.Denials = append(in.Denials, denial("ecr:DeleteRepository", repo))
	}, false, "not-on-allowlist | no-cloudtrail-evidence"},
	{"CloudTrail confirms", func(in *Input) {
		grantOf(in).Evidence, in.Trail = settings.EvidenceCloudTrail,
			[]bool{true}
	}, false, granted},
	{"AWS's own record is about something else", func(in *Input) {
		in.Denials[0].Authorization.ID = "a1b2"
		in.Recorded = []Recorded{Record(in.Build, in.Project, in.Denials[0], record())}
	}, false, "recorded-otherwise"},
	{"an expired grant", func(in *Input) {
		grantOf(in).Expires = 24 * time.Hour
		in.Role.Inline["buildmedic"] = policy(endingAt(now.Add(-time.Hour)))
	}, true, "grant-expired"},
	{"a grant that has not expired", func(in *Input) {
		grantOf(in).Expires = 24 * time.Hour
		in.Role.Inline["buildmedic"] = policy(endingAt(now.Add(time.Hour)))
	}, false, "allowed"},
	{"a grant that was given twice, the last time for longer", func(in *Input) {
		grantOf(in).Expires = 24 * time.Hour
		in.Role.Inline["buildmedic"] = policy(endingAt(now.Add(-time.Hour)), endingAt(now.Add(time.Hour)))
	}, false, "allowed"},
	{"a grant that was given twice, the first time for longer", func(in *Input) {
		grantOf(in).Expires = 24 * time.Hour
		in.Role.Inline["buildmedic"] = policy(endingAt(now.Add(time.Hour)), endingAt(now.Add(-time.Hour)))
	}, false, "allowed"},
	{"a grant whose end somebody wrote as no time", func(in *Input) {
		grantOf(in).Expires = 24 * time.Hour
		st := endingAt(now)
		st.Condition[0].Values.List = []string{"soon"}
		in.Role.Inline["buildmedic"] = policy(st)
	}, false, granted},
	{"attach, and the grant is exact", func(in *Input) { in.Project.Write = settings.Write{Attach: true} }, false, "attach-gives-all"},
	{"attach, and the grant ends", func(in *Input) {
		in.Project.Write, grantOf(in).Give, grantOf(in).Expires = settings.Write{Attach: true}, settings.GiveSet, time.Hour
	}, false, "attach-gives-all"},

	// 7: the whole.
	{"the last of an escalation path", func(in *Input) {
		in.Role.Inline["deploy"] = policy(iampolicy.Allow("d", []string{"iam:PassRole", "ecs:RunTask"}, []string{"*"}))
		in.Denials[0] = denial("ecs:RegisterTaskDefinition", "arn:aws:ecs:eu-west-1:111122223333:task-definition/shop:*")
		grantOf(in).Actions, grantOf(in).Resources = []string{"ecs:RegisterTaskDefinition"}, []string{"*"}
	}, true, "escalation-path"},
	{"the settings say that pull requests have a role of their own, and CodeBuild does not", func(in *Input) {
		in.Project.PullRequests = settings.SeparateRole
		in.PullRequests.Built = []string{"the webhook of project web starts builds of them"}
	}, true, "pull-requests"},
	{"the same where the settings accept them", func(in *Input) {
		in.Project.PullRequests = settings.Accept
		in.PullRequests.Built = []string{"the webhook of project web starts builds of them"}
	}, true, granted},
	{"a policy that cannot be read",
		func(in *Input) { in.Role.Inline["deploy"] = `{"Version": "2012-10-17", "Statement": {` }, false,
		"unreadable-policy"},
	{"an attached policy that cannot be read", func(in *Input) {
		in.Role.Managed = []ManagedPolicy{{ARN: "arn:aws:iam::aws:policy/x", Document: "no"}}
	}, false, "unreadable-policy"},
	{"the target cannot be read strictly", func(in *Input) {
		in.Role.Inline["buildmedic"] = `{"Version": "2012-10-17", "Statement": [], "Statement": []}`
	}, false, "unreadable-policy"},

	// 8: what IAM takes.
	{"a service-linked role", func(in *Input) { in.Role.Linked = true }, false, "protected-role"},
	{"a role of AWS", func(in *Input) {
		in.Build.ServiceRole, in.Project.Role = "arn:aws:iam::111122223333:role/aws-reserved/x/codebuild-shop",
			"aws-reserved/x/codebuild-shop"
		in.Role.Role, _ = in.Build.Role()
	}, false, "protected-role"},
	{"a role from a template", func(in *Input) { in.Role.Template = "arn:aws:iam::aws:role-template/x" }, false, "protected-role"},
	{"no boundary", func(in *Input) { in.Project.Boundary = "builds" }, false, "no-boundary"},
	{"another boundary", func(in *Input) {
		in.Project.Boundary, in.Role.Boundary = "builds", &ManagedPolicy{ARN: "arn:aws:iam::111122223333:policy/x/builds"}
	}, false, "no-boundary"},
	{"a boundary of another account", func(in *Input) {
		in.Project.Boundary, in.Role.Boundary = "builds", &ManagedPolicy{ARN: "arn:aws:iam::444455556666:policy/builds"}
	}, false, "no-boundary"},
	{"the boundary", func(in *Input) {
		in.Project.Boundary, in.Role.Boundary = "x/builds", &ManagedPolicy{ARN: "arn:aws:iam::111122223333:policy/x/builds"}
	}, false, granted},
	{"nowhere to write", func(in *Input) { in.Project.Write = settings.Write{} }, false, "no-target"},
	{"inline policies are full", func(in *Input) { in.Role.Inline["big"] = bigPolicy(maxInlineSum - 100) }, false, "policy-too-large"},
	{"what is there already, IAM would not take again", func(in *Input) {
		in.Role.Inline["buildmedic"] = policy(iampolicy.Allow("own", []string{"ecr:PutImage"}, []string{repo + "-шоп"}))
	}, false, "not-contained"},
	{"the role and its policy are both refused", func(in *Input) {
		in.Role.Linked, in.Project.Boundary, in.Role.Inline["deploy"] = true, "builds", "no"
	}, false, "unreadable-policy | protected-role | no-boundary"},
}

// says puts a context into the build's failed phase.
func says(in *Input, code, message string) {
	in.Build.Phases = []codebuild.Phase{{Type: "BUILD", Status: codebuild.Failed,
		Contexts: []codebuild.Context{{Code: code, Message: message}}}}
}

// twoRepositories has the grant give all of itself for two repositories, of
// which the denial names neither, so that two questions are asked.
func twoRepositories(in *Input) {
	g := grantOf(in)
	g.Give, g.Actions, g.Resources = settings.GiveSet, []string{"ecr:PutImage"}, []string{repo, repo + "-api"}
	in.Denials[0].Resource = ""
}

func assume(in *Input, resource string) {
	in.Denials[0] = denial("sts:AssumeRole", "arn:aws:iam::111122223333:role/cdk-deploy")
	grantOf(in).Actions, grantOf(in).Resources = []string{"sts:AssumeRole"}, []string{resource}
}

func endingAt(t time.Time) iampolicy.Statement {
	return until([]iampolicy.Statement{iampolicy.Allow("shop-image", []string{"ecr:PutImage"}, []string{repo})}, t)[0]
}

// bigPolicy is a policy of exactly n characters, as IAM counts them.
func bigPolicy(n int) string {
	bucket := "arn:aws:s3:::x"
	empty := iampolicy.Size([]byte(policy(iampolicy.Allow("Big", []string{"s3:GetObject"}, []string{bucket}))))
	return policy(iampolicy.Allow("Big", []string{"s3:GetObject"}, []string{bucket + strings.Repeat("x", n-empty)}))
}

func TestJudge(t *testing.T) {
	for _, row := range judgeRows {
		t.Run(row.name, func(t *testing.T) {
			in := shop()
			if row.edit != nil {
				row.edit(&in)
			}
			if row.ask {
				in = asked(in)
			}
			j := Judge(in)
			if d := cmp.Diff(row.want, verdict(j)); d != "" {
				t.Errorf("verdict (-want +got):\n%s%v", d, j.Refusals)
			}
			checkShape(t, in, j)
		})
	}
}

// checkShape checks what holds of every judgement.
func checkShape(t *testing.T, in Input, j Judgement) {
	t.Helper()
	if n := btoi(len(j.Refusals) > 0) + btoi(j.Allowed) + btoi(j.Target != nil); n != 1 {
		t.Errorf("%d of refusals, allowed and target are set, want 1", n)
	}
	for _, r := range j.Refusals {
		if r.Rule.Explain() == "" {
			t.Errorf("rule %q is not in Rules", r.Rule)
		}
		if r.Message == "" || len(r.Message) > 2000 || strings.ContainsAny(r.Message, "\n\r\x1b") {
			t.Errorf("%s: bad message %q", r.Rule, r.Message)
		}
		if len(r.Action)+len(r.Resource) > 1000 {
			t.Errorf("%s: action or resource is too long", r.Rule)
		}
	}
	if j.Target == nil {
		return
	}
	if len(j.Proof) == 0 {
		t.Error("there is nothing to prove the grant by")
	}
	if j.Target.Kind == "attach" || len(j.Added) == 0 {
		return
	}
	after, err := iampolicy.Parse([]byte(j.Target.After))
	if err != nil {
		t.Fatalf("target's document: %v", err)
	}
	docs, _ := documents(in.Role)
	answers := simulate(append(docs, after), nil, j.Proof)
	if rs := Proved(j, RoleState{}, answers); len(rs) > 0 {
		t.Errorf("the target does not cure what was denied: %v", rs)
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// TestEveryRuleHasARow fails for a rule of the guardrails that no row of the
// tables shows.
func TestEveryRuleHasARow(t *testing.T) {
	shown := map[Rule]bool{NotProved: true /* TestProved */}
	for _, row := range judgeRows {
		for part := range strings.SplitSeq(row.want, " | ") {
			shown[Rule(part)] = true
		}
	}
	for _, row := range managedRows {
		shown[Rule(row.want)] = true
	}
	for _, row := range attachRows {
		shown[Rule(row.want)] = true
	}
	// Heal's own, and what only the outside world can say.
	for _, r := range append([]Rule{Analyzer, NotContained, OpenTrust, /* TestTrustOfStrangers */
		OverriddenBuild, RunnerBuild /* TestTrustedOfItsProject */}, healRules()...) {
		shown[r] = true
	}
	for _, r := range Rules {
		if !shown[r] {
			t.Errorf("no row shows rule %q", r)
		}
	}
	var names []string
	for _, row := range judgeRows {
		names = append(names, row.name)
	}
	slices.Sort(names)
	if n := len(slices.Compact(names)); n != len(judgeRows) {
		t.Errorf("%d names for %d rows", n, len(judgeRows))
	}
}

func healRules() (out []Rule) {
	for _, r := range rules {
		if r.step == 0 {
			out = append(out, r.rule)
		}
	}
	return out
}

func TestRules(t *testing.T) {
	seen, step := map[Rule]bool{}, 0
	for _, r := range Rules {
		if seen[r] {
			t.Errorf("rule %q occurs twice", r)
		}
		seen[r] = true
		if s := r.Step(); s < step {
			t.Errorf("rule %q of guardrail %d comes after one of %d", r, s, step)
		} else {
			step = s
		}
		if e := r.Explain(); !strings.HasSuffix(e, ".") || strings.Count(e, ". ") > 0 {
			t.Errorf("rule %q: %q is not one sentence", r, e)
		}
	}
	if r := Rule("made-up"); r.Explain() != "" || r.Step() != 0 {
		t.Error("a rule that does not exist has an explanation")
	}
}

func TestQuestions(t *testing.T) {
	in := shop()
	in.Denials = append(in.Denials, denial("ecr:PutImage", ""), denial("ecr:GetAuthorizationToken", ""), in.Denials[0],
		denial("ecr:*", "*"), denial("s3:GetObject", `arn:aws:s3:::x"`))
	in.Settings.Grants = append(in.Settings.Grants, settings.Grant{ID: "any", Give: settings.GiveSet,
		Actions: []string{"ecr:PutImage"}, Resources: []string{"arn:aws:ecr:*:111122223333:repository/team-?/*"}})
	in.Project.Grants = append(in.Project.Grants, "any")
	got := Questions(in)
	want := []Question{
		{Action: "ecr:PutImage", Resource: repo, Context: ofBuild},
		{Action: "ecr:PutImage", Resource: "arn:aws:ecr:buildmedic:111122223333:repository/team-x/buildmedic", Context: ofBuild},
		{Action: "ecr:GetAuthorizationToken", Resource: "*", Context: ofBuild},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("questions (-want +got):\n%s", d)
	}
	if d := cmp.Diff(got, Questions(in)); d != "" {
		t.Errorf("asked twice:\n%s", d)
	}
	in.Build.SourceVersion = "pr/1"
	if q := Questions(in); q != nil {
		t.Errorf("an untrusted build asks %v", q)
	}
}

func TestQuestionsCarryTheContext(t *testing.T) {
	in := shop()
	role := "arn:aws:iam::111122223333:role/task"
	in.Denials[0] = denial(floor.PassRole, role)
	grantOf(&in).PassRoles = map[string][]string{"ecs-tasks.amazonaws.com": {role}, "events.amazonaws.com": {role}}
	grantOf(&in).Expires = time.Hour
	var got []string
	for _, q := range Questions(in) {
		for key, want := range ofBuild {
			if !slices.Equal(q.Context[key], want) {
				t.Errorf("asked with %s %q, want %q", key, q.Context[key], want)
			}
			delete(q.Context, key)
		}
		got = append(got, fmt.Sprint(q.Context))
	}
	want := []string{
		"map[aws:CurrentTime:[2026-11-22T10:15:00Z] iam:PassedToService:[ecs-tasks.amazonaws.com]]",
		"map[aws:CurrentTime:[2026-11-22T10:15:00Z] iam:PassedToService:[events.amazonaws.com]]",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("contexts (-want +got):\n%s", d)
	}
}

func TestQuestionsAreBounded(t *testing.T) {
	in := shop()
	g := grantOf(&in)
	g.Give, g.Actions, g.Resources = settings.GiveSet, []string{"s3:GetObject"}, nil
	for i := range 30 {
		g.Resources = append(g.Resources, fmt.Sprintf("arn:aws:s3:::b%d/*", i))
	}
	in.Denials = []buildlog.Denial{denial("s3:GetObject", "")}
	if n := len(Questions(in)); n != maxQuestionsDenial {
		t.Errorf("%d questions for one denial, want %d", n, maxQuestionsDenial)
	}
}

// TestRepresentative: which resource the simulator is asked about for a pattern.
func TestRepresentative(t *testing.T) {
	const group = "arn:aws:logs:eu-west-1:111122223333:log-group:/ci/"
	for pattern, want := range map[string]string{
		"*":                       "*",
		"arn:aws:s3:::dist/*":     "arn:aws:s3:::dist/buildmedic",
		"arn:aws:s3:::d?st/x":     "arn:aws:s3:::dxst/x",
		group + "a:*":             group + "a:log-stream:buildmedic",
		group + "*:*":             group + "buildmedic:log-stream:buildmedic",
		group + "a":               group + "a",
		group + "*":               group + "buildmedic",
		"arn:aws:states:::exec:*": "arn:aws:states:::exec:buildmedic",
	} {
		if got := representative(pattern); got != want {
			t.Errorf("for %s: %s, want %s", pattern, got, want)
		}
	}
}

// TestNoQuestionIsNoAnswer: of so many denials that some cannot be asked
// about, these are not confirmed.
func TestNoQuestionIsNoAnswer(t *testing.T) {
	in := shop()
	g := grantOf(&in)
	g.Actions, g.Resources, g.PassRoles = nil, nil, map[string][]string{}
	in.Denials = nil
	for i := range maxDenials {
		role := fmt.Sprintf("arn:aws:iam::111122223333:role/task-%d", i)
		for n := range maxQuestionsDenial {
			service := fmt.Sprintf("s%d.amazonaws.com", n)
			g.PassRoles[service] = append(g.PassRoles[service], role)
		}
		d := denial(floor.PassRole, role)
		d.Principal = "" // whom it is about, only the simulator can tell
		in.Denials = append(in.Denials, d)
	}
	for range Questions(in) {
		in.Before = append(in.Before, Answer{Verdict: iampolicy.Allowed})
	}
	j := Judge(in)
	if len(in.Before) != maxQuestions || j.Target != nil ||
		slices.ContainsFunc(j.Refusals, func(r Refusal) bool { return r.Rule != Unconfirmed }) {
		t.Errorf("%d answers: %s", len(in.Before), verdict(j))
	}
}

func TestProved(t *testing.T) {
	j := Judgement{Proof: []Question{{Action: "ecr:PutImage", Resource: repo}, {Action: "ecr:GetAuthorizationToken", Resource: "*"}}}
	yes := Answer{Verdict: iampolicy.Allowed}
	for _, row := range []struct {
		name  string
		after []Answer
		want  int
		rule  Rule // "": not proved
		says  string
	}{
		{"all allowed", []Answer{yes, yes}, 0, "", ""},
		{"one denied", []Answer{yes, {Verdict: iampolicy.ImplicitDeny, By: "p"}}, 1, "", "by p"},
		{"the boundary would swallow it", []Answer{yes, {Verdict: iampolicy.ImplicitDeny, By: ByBoundary}}, 1, OtherLayer,
			"permissions boundary arn:aws:iam::111122223333:policy/fence does not allow it"},
		{"the organization would", []Answer{yes, {Verdict: iampolicy.ExplicitDeny, By: ByOrganizations}}, 1, OtherLayer,
			"Ask those who manage AWS Organizations"},
		{"an answer that contradicts itself", []Answer{yes, {Verdict: iampolicy.Allowed, By: ByBoundary}}, 1, OtherLayer, ""},
		{"a policy that is named like a layer", []Answer{yes, {Verdict: iampolicy.ExplicitDeny, By: "boundary"}}, 1, "",
			"by boundary"},
		{"one unknown", []Answer{{Verdict: iampolicy.Unknown, Missing: []string{"aws:SourceVpc"}}, yes}, 1, "", "aws:SourceVpc"},
		{"both denied", []Answer{{Verdict: iampolicy.ExplicitDeny}, {}}, 2, "", ""},
		{"an answer is missing", []Answer{yes}, 1, "", ""},
		{"no answers", nil, 1, "", ""},
		{"an answer too many", []Answer{yes, yes, yes}, 1, "", ""},
	} {
		rs := Proved(j, RoleState{Boundary: &ManagedPolicy{ARN: "arn:aws:iam::111122223333:policy/fence"}}, row.after)
		if len(rs) != row.want {
			t.Errorf("%s: %d refusals, want %d: %v", row.name, len(rs), row.want, rs)
		}
		for _, r := range rs {
			if r.Rule != orRule(row.rule, NotProved) || !strings.Contains(r.Message, row.says) {
				t.Errorf("%s: %+v", row.name, r)
			}
		}
	}
}

func orRule(r, or Rule) Rule {
	if r == "" {
		return or
	}
	return r
}

// TestEvidenceIsTheWeakest: of several denials that bring in one grant, the
// notice names the evidence of the least proved.
func TestEvidenceIsTheWeakest(t *testing.T) {
	for _, order := range [][]buildlog.Origin{{buildlog.FromLog, buildlog.FromDecoded}, {buildlog.FromDecoded, buildlog.FromLog},
		{buildlog.FromStack, buildlog.FromDecoded}} {
		in := shop()
		in.Denials = append(in.Denials, denial("ecr:InitiateLayerUpload", repo))
		for i, o := range order {
			in.Denials[i].Origin = o
		}
		if j := Judge(in); len(j.Used) != 1 || j.Used[0].Evidence != settings.EvidenceLog {
			t.Errorf("%v: %+v", order, j.Used)
		}
	}
}

func TestJudgeIsPure(t *testing.T) {
	in := asked(shop())
	in.Role.Inline["a"] = policy(iampolicy.Allow("d", []string{"s3:*"}, []string{"*"}))
	in.Role.Inline["b"] = in.Role.Inline["a"]
	inline := maps.Clone(in.Role.Inline)
	first := Judge(in)
	for range 20 {
		if d := cmp.Diff(first, Judge(in)); d != "" {
			t.Fatalf("judged twice:\n%s", d)
		}
	}
	if d := cmp.Diff(inline, in.Role.Inline); d != "" {
		t.Errorf("the input was changed:\n%s", d)
	}
}

// policiesIn has another project's policy lie in a repository of CodeCommit.
func policiesIn(in *Input, repository string) {
	in.Settings.Projects = append(in.Settings.Projects, settings.Project{Name: "roles", Role: "another",
		Write: settings.Write{Code: settings.PolicyCode{CodeCommit: repository, Path: "p.json"}}})
}

package notice

import (
	"fmt"
	"strings"
	"time"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/compare"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/diagnose"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// samples are the outcomes whose notices are kept in testdata, by the name of the file, with a
// sentence about what each shows.
var samples = []struct {
	name, shows string
	outcome     decide.Outcome
}{
	{"tracker-retrying", "Story 1, on its way: the permission is there, the build runs again.", trackerRetrying()},
	{"tracker-healed", "Story 1: the build's role may push to ECR now, and the build is green.", trackerHealed()},
	{"crowd-healed", "Seven builds of one role failed at one point: one notice tells of all of them.", crowdHealed()},
	{"outage-incident", "Six projects fail, since a registry is down: one notice tells of all of them.", outageIncident(false)},
	{"outage-over-incident", "The registry answers again: what came of them.", outageIncident(true)},
	{"token-incident", "Six projects fail, since a token has expired: what a person must do, once.", tokenIncident()},
	{"shared-retrying", "Story 1, with a role that another project and builds of pull requests run as.", sharedRetrying()},
	{"scoped-retrying", "The same role, and the grant is for builds of the project alone: another one has it for its own.",
		scopedRetrying()},
	{"qivr-healed", "Story 2: a managed policy got a second version; what it held before is kept.", qivrHealed()},
	{"buildspec-healed", "Story 4: the same commit was built with a buildspec at another place.", buildspecHealed()},
	{"repository-healed", "Story 5: the repository did not exist, and the settings allow creating it.",
		repositoryHealed()},
	{"repository-reported", "Story 5, without create: true: the entry that would allow it is shown.",
		repositoryReported()},
	{"role-healed", "Story 6: the project was switched to a ready role.", roleHealed()},
	{"scp-reported", "Story 7: a service control policy denies; no grant can cure that.", scpReported()},
	{"forged-reported",
		"Story 8: a pull request's build printed a denial, with all that a log may hold against its reader.",
		forgedReported()},
	{"rate-limit-retrying", "Story 9: a transient trouble; nothing is granted.", rateLimitRetrying()},
	{"rate-limit-healed", "Story 9: it passed, and seven more like it did.", rateLimitHealed()},
	{"not-allowed-reported", "Story 10: what was denied is in no grant; the entry that would allow it is shown.",
		notAllowedReported()},
	{"tracker-undone", "Story 11: the grant did not help and was taken back.", trackerUndone()},
	{"unsent-undone", "The grant is for the project's builds only, and the service may not say whose build it is.", unsentUndone(false)},
	{"unsent-proposed", "The same for everybody who runs as the role, which the settings let a person approve.", unsentProposed()},
	{"qivr-undone", "Somebody undid a heal by command: the first version is the default again.", qivrUndone()},
	{"tracker-proposed", "Mode propose: the plan waits, with the commands that approve and reject it.",
		trackerProposed()},
	{"code-requested", "The policy's owner is a file of a repository: a pull request asks for what is missing.", codeRequested()},
	{"code-two-requested", "What is missing is of two grants, so there are two requests, one of which was open.", codeTwoRequested()},
	{"code-landed-requested", "The file gives it already, and it is not deployed.",
		codeRequested(request(decide.RequestLanded, "tracker-image", ""))},
	{"code-edited-requested", "Somebody has changed the request's branch, so it is left alone.",
		codeRequested(request(decide.RequestEdited, "tracker-image", "12"))},
	{"code-behind-requested", "The file has changed, and the open request does not ask for all.",
		codeRequested(inCodeCommit(request(decide.RequestBehind, "tracker-image", "7")))},
	{"code-declined-reported", "The same was asked for before, and closed unmerged.", codeDeclined()},
	{"code-retrying", "IAM allows by now what the request asks for, so the build was started again.", codeRetrying()},
	{"code-healed", "The request was merged and deployed, and the build is green.", codeHealed()},
	{"bridge-healed", "Written in IAM, so that the build is green at once, and asked for in code, so that it stays.", bridgeAsked()},
	{"bridge-permanent", "That request was merged and deployed, so what was written in IAM was taken out again.", madePermanent()},
	{"tracker-observed", "Mode observe: what would have been done.", trackerObserved()},
	{"settling-retrying",
		"The same denial again, though IAM allows it by now: the build is started once more, without a further grant.",
		settlingRetrying()},
	{"two-rounds-healed", "One denial hid another: two rounds, two grants, one policy.", twoRoundsHealed()},
	{"retry-observed", "Mode observe, and a cause that passes.", retryObserved()},
	{"attach-healed", "Write mode attach: a ready-made policy was attached.", attachHealed()},
	{"tests-reported", "A cause that only a person can cure: the log's excerpt, and advice.", testsReported()},
	{"many-tests-reported", "More failed tests than a mail names, from CodeBuild's own report; some failed before.",
		manyTestsReported()},
	{"since-green-reported", "No cause is known, and a line is new since the last green build.", sinceGreenReported()},
	{"stopped-failed", "The build that was started again was stopped by somebody.", stoppedFailed()},
	{"healer-denied-reported", "The healer itself lacks a permission: its note names it.", healerDenied()},
	{"log-denied-reported", "The healer may not read the build's log, and nothing is known of the cause.", logDenied()},
	{"tracker-approved", "A person approved the change, and says who that was.", trackerApproved()},
	{"tracker-expiring", "A grant with an end nears it.", trackerExpiring()},
	{"paused", "Too many changes did not help in too many projects: the breaker is open for all.", paused()},
	{"paused-by-a-person", "A person has paused everything.", pausedByAPerson()},
	{"project-paused", "Too many changes of one project did not help: the breaker is open for it.", projectPaused()},
	{"desk-previewed", "At a desk: what replay shows before it is asked to do it.", deskPreviewed()},
	{"desk-healed", "At a desk there is no function: the commands are the healer's own.", deskHealed()},
	{"member-retrying", "A project of another account: the notice names the account.", memberRetrying()},
	{"member-unread", "A project of another account that the hub may not enter: what to deploy there.", memberUnread()},
	{"gov-reported", "Another partition, an S3 log, no build number, no commit.", govReported()},
}

const (
	account  = "111122223333"
	caseID   = "5f2c9a7be01d4c38"
	commit   = "3f9c1e7a5b2d4860c1a2e3f405162738495a6b7c"
	uuid1    = "1b7e6a52-3c4d-4e5f-8a9b-0c1d2e3f4a5b"
	uuid2    = "9d8c7b6a-5e4f-4321-8765-43210fedcba9"
	function = "buildmedic-Healer"
)

var (
	failedAt = time.Date(2026, 11, 22, 12, 2, 41, 0, time.UTC)
	home     = settings.Account{ID: account, Region: "us-west-2"}
)

func after(d time.Duration) time.Time { return failedAt.Add(d) }

// build is a failed build; context is what CodeBuild says of its failed phase.
func build(project, role, phase, context string) codebuild.Build {
	b := codebuild.Build{
		ID: project + ":" + uuid1, ARN: "arn:aws:codebuild:us-west-2:" + account + ":build/" + project + ":" + uuid1,
		Project: project, Number: 41, Status: codebuild.Failed,
		ServiceRole: "arn:aws:iam::" + account + ":role/" + role, Initiator: "GitHub-Hookshot/3a1b9c0",
		SourceType: "GITHUB", SourceVersion: "main", ResolvedSourceVersion: commit,
		Start: failedAt.Add(-97 * time.Second), End: failedAt,
		Logs: codebuild.Logs{Group: "/aws/codebuild/" + project, Stream: uuid1},
	}
	code, message, _ := strings.Cut(context, ": ")
	b.Phases = []codebuild.Phase{
		{Type: "DOWNLOAD_SOURCE", Status: codebuild.Succeeded},
		{Type: phase, Status: codebuild.Failed, Contexts: []codebuild.Context{{Code: code, Message: message}}},
		{Type: "FINALIZING", Status: codebuild.Succeeded},
	}
	return b
}

func command(c string) string {
	return "COMMAND_EXECUTION_ERROR: Error while executing command: " + c + ". Reason: exit status 1"
}

// outcome makes the outcome that the healer would report about rounds.
func outcome(k decide.Kind, at time.Time, s *settings.Settings, rs ...decide.Round) decide.Outcome {
	c := decide.Case{ID: caseID, Account: account, Region: "us-west-2", Project: rs[0].Build.Project,
		Commit: rs[0].Build.Commit(), Opened: after(5 * time.Second), Rounds: rs}
	if k != decide.Retrying {
		c.Closed, c.Outcome = at, k
	}
	return decide.Outcome{ID: caseID + ".1", Kind: k, Case: c, Round: len(rs) - 1, Settings: s, Home: home, At: at,
		Function: function}
}

func values(scalar bool, vs ...string) iampolicy.Values {
	return iampolicy.Values{List: vs, Scalar: scalar}
}

func document(ss ...iampolicy.Statement) string {
	return string(iampolicy.Document{Version: "2012-10-17", Statements: ss}.Canonical())
}

// crowdHealed is story 1 with other builds that followed: some are green, one failed again, one
// runs.
func crowdHealed() decide.Outcome {
	o := trackerHealed()
	o.Followers = &decide.Followers{}
	for i, k := range []decide.Kind{decide.Healed, decide.Healed, decide.Healed, decide.Healed, decide.Failed, ""} {
		project := []string{"TrackerAPI", "TrackerWeb"}[i%2]
		build := fmt.Sprintf("%s:1b7e6a52-3c4d-4e5f-8a9b-0c1d2e3f4a%02d", project, i)
		o.Followers.Add(decide.Follower{Case: fmt.Sprintf("5f2c9a7be01d4c%02d", i), Project: project, Build: build, Outcome: k})
	}
	return o
}

// The first seed: a role that may not push to ECR.

const trackerRole = "codebuild-TrackerAPI-service-role"

var trackerGrant = guardrail.Used{Grant: "tracker-image", Because: "The API's image is pushed by its own pipeline.",
	Owner: "platform", Evidence: settings.EvidenceLog}

func trackerSettings() *settings.Settings {
	return &settings.Settings{Version: 1, SHA256: strings.Repeat("8c1d0a2b", 8),
		Grants: []settings.Grant{
			{ID: "tracker-image", Set: "ecr-push"},
			{ID: "qivr-ecs-deploy", Set: "ecs-deploy"},
			{ID: "web-assets", Actions: []string{"s3:PutObject"}},
		}}
}

func trackerPolicy() string {
	return document(
		iampolicy.Statement{Sid: "TrackerImageToken", Effect: "Allow",
			Action: values(true, "ecr:GetAuthorizationToken"), Resource: values(true, "*")},
		iampolicy.Statement{
			Sid:    "TrackerImage",
			Effect: "Allow",
			Action: values(false, "ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:CompleteLayerUpload",
				"ecr:GetDownloadUrlForLayer", "ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart"),
			Resource: values(true, "arn:aws:ecr:us-west-2:"+account+":repository/tracker_api"),
		})
}

func trackerDenial() buildlog.Denial {
	return buildlog.Denial{Principal: "arn:aws:sts::" + account + ":assumed-role/" + trackerRole + "/AWSCodeBuild-" +
		uuid1, Action: "ecr:GetAuthorizationToken",
		Resource: "*", Effect: buildlog.Implicit, Layer: buildlog.IdentityBased, Line: 37, Causal: true}
}

func denied(d buildlog.Denial, operation string) *diagnose.Diagnosis {
	text := "An error occurred (AccessDeniedException) when calling the " + operation + " operation: User: " +
		d.Principal + " is not authorized to perform: " + d.Action +
		" on resource: " + d.Resource + " because no identity-based policy allows the " + d.Action + " action"
	return &diagnose.Diagnosis{
		Cause:  "missing-permission",
		Title:  "The role lacks " + d.Action,
		Remedy: diagnose.Grant,
		Advice: "Allow it in buildmedic.yaml, and Buildmedic adds it to the role and starts the build again; " +
			"or add it to a policy of the role by hand.",
		Evidence:    diagnose.Evidence{Line: d.Line, Text: text, Origin: buildlog.FromLog},
		Denials:     []buildlog.Denial{d},
		Fingerprint: "4be1f6a90c27d358",
		Excerpt: []buildlog.Line{
			{N: d.Line - 1, Text: "[Container] 2026/11/22 12:02:39.118204 Running command aws ecr get-login-password"},
			{N: d.Line, Text: text},
		},
	}
}

func trackerRound(m settings.Mode) decide.Round {
	role := "arn:aws:iam::" + account + ":role/" + trackerRole
	return decide.Round{
		Build: build("TrackerAPI", trackerRole, "PRE_BUILD",
			command("aws ecr get-login-password --region us-west-2 | docker login --username AWS --password-stdin "+
				account+".dkr.ecr.us-west-2.amazonaws.com")),
		Step:      decide.StepDone,
		Started:   after(5 * time.Second),
		Diagnosis: denied(trackerDenial(), "GetAuthorizationToken"),
		Decision: &decide.Decision{
			Mode:     m,
			Remedy:   diagnose.Grant,
			Why:      "The settings allow what was denied: grant tracker-image.",
			Settings: strings.Repeat("8c1d0a2b", 8),
			Used:     []guardrail.Used{trackerGrant},
			Plan: &decide.Plan{
				Case:    caseID,
				Build:   "TrackerAPI:" + uuid1,
				Project: "TrackerAPI",
				Role:    role,
				Remedy:  diagnose.Grant,
				Route:   decide.RouteBuild,
				Write:   &guardrail.Target{Kind: "inline", Name: "CodeBuild-ECR-Permissions", After: trackerPolicy()},
				Proof:   []guardrail.Question{{Action: "ecr:GetAuthorizationToken", Resource: "*"}},
			},
		},
	}
}

// written is a round after its plan was applied.
func written(r decide.Round) decide.Round {
	r.Written, r.RetryAt, r.Retry = after(7*time.Second), after(8*time.Second), r.Build.Project+":"+uuid2
	return r
}

func ended(r decide.Round, took time.Duration) decide.Round {
	r.Ended = r.RetryAt.Add(took)
	return r
}

func trackerRetrying() decide.Outcome {
	return outcome(decide.Retrying, after(9*time.Second), trackerSettings(), written(trackerRound(settings.Heal)))
}

func sharedRetrying() decide.Outcome {
	r := written(trackerRound(settings.Heal))
	r.Decision.Plan.Holders, r.Decision.Plan.PullRequests = []string{"TrackerWeb"}, decide.PullRequestsAccepted
	return outcome(decide.Retrying, after(9*time.Second), trackerSettings(), r)
}

// scopedPolicy is trackerPolicy for the builds of some projects.
func scopedPolicy(projects ...string) string {
	d, err := iampolicy.ParseLoose([]byte(trackerPolicy()))
	if err != nil {
		panic(err)
	}
	var arns []string
	for _, p := range projects {
		arns = append(arns, "arn:aws:codebuild:us-west-2:"+account+":project/"+p)
	}
	for i := range d.Statements {
		d.Statements[i].Raw = ""
		d.Statements[i].Condition = []iampolicy.Condition{{Operator: "ArnEquals", Key: settings.ProjectKey,
			Values: iampolicy.Values{List: arns}}}
	}
	return string(d.Canonical())
}

func scopedRetrying() decide.Outcome {
	r := written(trackerRound(settings.Heal))
	p := r.Decision.Plan
	p.Scoped, p.PullRequests = true, decide.PullRequestsAccepted
	p.Write.Before, p.Write.After = scopedPolicy("TrackerWeb"), scopedPolicy("TrackerAPI", "TrackerWeb")
	return outcome(decide.Retrying, after(9*time.Second), trackerSettings(), r)
}

func trackerHealed() decide.Outcome {
	return outcome(decide.Healed, after(255*time.Second), trackerSettings(),
		ended(written(trackerRound(settings.Heal)), 244*time.Second))
}

func deskHealed() decide.Outcome {
	o := trackerHealed()
	o.Function = ""
	return o
}

func deskPreviewed() decide.Outcome {
	o := trackerObserved()
	o.Function = ""
	return o
}

func trackerProposed() decide.Outcome {
	r := trackerRound(settings.Propose)
	r.Until = after(7 * 24 * time.Hour)
	return outcome(decide.Proposed, after(6*time.Second), trackerSettings(), r)
}

func trackerObserved() decide.Outcome {
	return outcome(decide.Reported, after(6*time.Second), trackerSettings(), trackerRound(settings.Observe))
}

// again is the round of a build that was denied the same once more.
func again(r decide.Round) decide.Round {
	r.Build.ID, r.Build.Number, r.Build.Logs.Stream = "TrackerAPI:"+uuid2, 42, uuid2
	r.Build.End = after(190 * time.Second)
	r.Decision = &decide.Decision{
		Mode:     settings.Heal,
		Remedy:   diagnose.Report,
		Why:      "What was changed did not help: the same denial came back.",
		Settings: strings.Repeat("8c1d0a2b", 8),
		Undo:     1,
	}
	return r
}

func trackerUndone() decide.Outcome {
	first := ended(written(trackerRound(settings.Heal)), 182*time.Second)
	first.Undone = after(194 * time.Second)
	second := again(trackerRound(settings.Heal))
	return outcome(decide.Undone, after(195*time.Second), trackerSettings(), first, second)
}

// unsentUndone is what becomes of a scoped grant where the service does not say whose build it is.
func unsentUndone(offered bool) decide.Outcome {
	o := trackerUndone()
	d := o.Case.Rounds[1].Decision
	d.Unsent = &decide.Unsent{Service: "ecr", Action: "ecr:GetAuthorizationToken", Grants: []string{"tracker-image"}}
	d.Why = "ecr may not send codebuild:projectArn: IAM's simulator allows ecr:GetAuthorizationToken to requests that name " +
		"this project by that key, and AWS denied it again."
	if !offered {
		d.Refusals = []guardrail.Refusal{{Rule: guardrail.KeyNotSent, Action: "ecr:GetAuthorizationToken", Resource: "*",
			Message: "The settings give it to builds of this project only.",
			Entry:   "grants:\n  - id: tracker-image\n    unscoped: approve\n"}}
	}
	return o
}

// unsentProposed is what is offered then.
func unsentProposed() decide.Outcome {
	was, o := unsentUndone(true), trackerProposed()
	d := o.Case.Rounds[0].Decision
	d.Asks, d.Unscoped, d.Plan.Holders = true, []string{"tracker-image"}, []string{"TrackerWeb"}
	d.Why = "ecr may not send codebuild:projectArn, so what grant tracker-image gives of it is offered for everybody who runs as the role."
	o.Case.Rounds = append(was.Case.Rounds, o.Case.Rounds...)
	o.Round = len(o.Case.Rounds) - 1
	return o
}

func trackerExpiring() decide.Outcome {
	r := ended(written(trackerRound(settings.Heal)), 244*time.Second)
	r.Decision.Used[0].Expires = after(14 * 24 * time.Hour)
	o := outcome(decide.Expiring, after(12*24*time.Hour), trackerSettings(), r)
	o.Case.Closed, o.Case.Outcome = after(255*time.Second), decide.Healed
	o.Note = "Grant tracker-image ends at 2026-12-06 12:02 UTC. Nothing renews it but you: make it permanent, " +
		"or let it end."
	return o
}

// The second seed: a managed policy without what an ECS deployment needs.

const qivrRole = "qivr-codebuild-role"

var qivrPolicy = "arn:aws:iam::" + account + ":policy/qivr-codebuild-policy"

func qivrBefore() string {
	return `{"Version":"2012-10-17","Statement":[{"Sid":"Logs","Effect":"Allow","Action":["logs:CreateLogStream",` +
		`"logs:PutLogEvents"],"Resource":"arn:aws:logs:us-west-2:` + account + `:log-group:/aws/codebuild/*"},` +
		`{"Effect":"Allow","Action":"ecr:*","Resource":"*"}]}`
}

func qivrAfter() string {
	d, err := iampolicy.Parse([]byte(qivrBefore()))
	if err != nil {
		panic(err)
	}
	d.Statements = append(d.Statements,
		iampolicy.Statement{
			Sid:    "QivrEcsDeploy",
			Effect: "Allow",
			Action: values(false, "ecs:DescribeServices", "ecs:DescribeTaskDefinition", "ecs:RegisterTaskDefinition",
				"ecs:UpdateService"),
			Resource: values(true, "*"),
		},
		iampolicy.Statement{Sid: "QivrEcsDeployPass", Effect: "Allow", Action: values(true, "iam:PassRole"),
			Resource: values(false, "arn:aws:iam::"+account+":role/qivr-ecs-task-execution-role",
				"arn:aws:iam::"+account+":role/qivr-ecs-task-role"),
			Condition: []iampolicy.Condition{{Operator: "StringEquals", Key: "iam:PassedToService",
				Values: values(true, "ecs-tasks.amazonaws.com")}}})
	return string(d.Canonical())
}

func qivrRound() decide.Round {
	d := buildlog.Denial{Action: "ecs:RegisterTaskDefinition", Effect: buildlog.Unstated, Layer: buildlog.LayerUnstated,
		Line: 212, Causal: true}
	g := denied(d, "RegisterTaskDefinition")
	g.Evidence.Text = "AccessDeniedException: User is not authorized to perform: ecs:RegisterTaskDefinition"
	r := decide.Round{
		Build:     build("qivr-deploy", qivrRole, "POST_BUILD", command("./scripts/deploy.sh production")),
		Step:      decide.StepDone,
		Started:   after(5 * time.Second),
		Diagnosis: g,
		Decision: &decide.Decision{
			Mode:     settings.Heal,
			Remedy:   diagnose.Grant,
			Why:      "The settings allow what was denied: grant qivr-ecs-deploy.",
			Settings: strings.Repeat("8c1d0a2b", 8),
			Used: []guardrail.Used{{Grant: "qivr-ecs-deploy", Because: "Deploys run from the same build.",
				Owner: "platform", Evidence: settings.EvidenceLog}},
			Plan: &decide.Plan{
				Case:    caseID,
				Build:   "qivr-deploy:" + uuid1,
				Project: "qivr-deploy",
				Role:    "arn:aws:iam::" + account + ":role/" + qivrRole,
				Remedy:  diagnose.Grant,
				Route:   decide.RouteBuild,
				Write: &guardrail.Target{Kind: "managed", Name: qivrPolicy, Before: qivrBefore(), BeforeVersion: "v1",
					After: qivrAfter()},
				Proof: []guardrail.Question{{Action: "ecs:RegisterTaskDefinition", Resource: "*"}},
			},
		},
	}
	r = written(r)
	r.WrittenVersion = "v2"
	return r
}

func qivrHealed() decide.Outcome {
	return outcome(decide.Healed, after(9*time.Minute), trackerSettings(), ended(qivrRound(), 523*time.Second))
}

func qivrUndone() decide.Outcome {
	r := ended(qivrRound(), 523*time.Second)
	r.Undone = after(26 * time.Hour)
	o := outcome(decide.Undone, after(26*time.Hour+time.Second), trackerSettings(), r)
	o.Case.Closed, o.Note = after(9*time.Minute), "Somebody asked for it."
	return o
}

func attachHealed() decide.Outcome {
	r := trackerRound(settings.Heal)
	r.Decision.Plan.Write = &guardrail.Target{Kind: "attach",
		Attach: []string{"arn:aws:iam::" + account + ":policy/buildmedic/tracker-image"}}
	return outcome(decide.Healed, after(255*time.Second), trackerSettings(), ended(written(r), 244*time.Second))
}

func settlingRetrying() decide.Outcome {
	first := ended(written(trackerRound(settings.Heal)), 60*time.Second)
	second := again(trackerRound(settings.Heal))
	second.Decision = &decide.Decision{
		Mode:     settings.Heal,
		Remedy:   diagnose.Retry,
		Why:      "IAM says that the role may do this by now: permissions need time to settle.",
		Settings: strings.Repeat("8c1d0a2b", 8),
		Plan: &decide.Plan{Case: caseID, Build: second.Build.ID, Project: "TrackerAPI",
			Role: second.Build.ServiceRole, Remedy: diagnose.Retry, Route: decide.RouteBuild, Settle: 4 * time.Minute},
	}
	second.Retry, second.RetryAt = "TrackerAPI:0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d", after(440*time.Second)
	return outcome(decide.Retrying, after(441*time.Second), trackerSettings(), first, second)
}

func twoRoundsHealed() decide.Outcome {
	first := ended(written(trackerRound(settings.Heal)), 60*time.Second)
	second := trackerRound(settings.Heal)
	second.Build.ID, second.Build.Number, second.Build.Logs.Stream, second.Build.End = "TrackerAPI:"+uuid2, 42, uuid2,
		after(68*time.Second)
	d := buildlog.Denial{
		Principal: trackerDenial().Principal,
		Action:    "ssm:GetParameter",
		Resource:  "arn:aws:ssm:us-west-2:" + account + ":parameter/tracker/url",
		Effect:    buildlog.Implicit,
		Layer:     buildlog.IdentityBased,
		Line:      71,
		Causal:    true,
	}
	second.Diagnosis = denied(d, "GetParameter")
	second.Decision.Used = []guardrail.Used{{
		Grant:    "tracker-parameters",
		Because:  "The API's address is kept in Parameter Store.",
		Owner:    "platform",
		Evidence: settings.EvidenceCloudTrail,
		Expires:  after(14 * 24 * time.Hour),
	}}
	doc, err := iampolicy.Parse([]byte(trackerPolicy()))
	if err != nil {
		panic(err)
	}
	doc.Statements = append(doc.Statements, iampolicy.Statement{
		Sid:      "TrackerParameters",
		Effect:   "Allow",
		Action:   values(true, "ssm:GetParameter"),
		Resource: values(true, d.Resource),
		Condition: []iampolicy.Condition{{Operator: "DateLessThan", Key: "aws:CurrentTime",
			Values: values(true, "2026-12-06T12:03:54Z")}},
	})
	second.Decision.Plan.Write = &guardrail.Target{Kind: "inline", Name: "CodeBuild-ECR-Permissions",
		Before: trackerPolicy(), After: string(doc.Canonical())}
	second.Written, second.RetryAt, second.Retry, second.Ended = after(73*time.Second), after(74*time.Second),
		"TrackerAPI:0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d", after(320*time.Second)
	s := trackerSettings()
	s.Grants = append(s.Grants, settings.Grant{ID: "tracker-parameters", Set: "ssm-parameters"})
	return outcome(decide.Healed, after(321*time.Second), s, first, second)
}

func retryObserved() decide.Outcome {
	r := rateLimitRound()
	r.Decision.Mode = settings.Observe
	return outcome(decide.Reported, after(6*time.Second), trackerSettings(), r)
}

// Other remedies.

func other(project, role, phase, context string, g diagnose.Diagnosis, d decide.Decision) decide.Round {
	d.Settings = strings.Repeat("8c1d0a2b", 8)
	b := build(project, role, phase, context)
	if d.Plan != nil {
		d.Plan.Case, d.Plan.Build, d.Plan.Project, d.Plan.Remedy, d.Plan.Role = caseID, b.ID, project, d.Remedy,
			b.ServiceRole
	}
	return decide.Round{Build: b, Step: decide.StepDone, Started: after(5 * time.Second), Diagnosis: &g, Decision: &d}
}

func started(r decide.Round, took time.Duration) decide.Round {
	r.RetryAt, r.Retry, r.Ended = after(8*time.Second), r.Build.Project+":"+uuid2, after(8*time.Second+took)
	return r
}

func buildspecHealed() decide.Outcome {
	r := other("qivr-deploy", qivrRole, "DOWNLOAD_SOURCE",
		"YAML_FILE_ERROR: stat /codebuild/output/src1/src/buildspec.yml: no such file or directory",
		diagnose.Diagnosis{
			Cause:       "buildspec-not-found",
			Title:       "The build found no buildspec",
			Remedy:      diagnose.OverrideBuildspec,
			Fingerprint: "a1b2c3d4e5f60718",
			Evidence: diagnose.Evidence{
				Text:   "YAML_FILE_ERROR: stat /codebuild/output/src1/src/buildspec.yml: no such file or directory",
				Origin: buildlog.FromPhase,
			},
		},
		decide.Decision{
			Mode:   settings.Heal,
			Remedy: diagnose.OverrideBuildspec,
			Why:    `The settings list "aws/buildspec.yml" as another place of the buildspec.`,
			Plan:   &decide.Plan{Buildspec: "aws/buildspec.yml", Route: decide.RouteStart},
		})
	return outcome(decide.Healed, after(3*time.Minute), trackerSettings(), started(r, 171*time.Second))
}

func repositoryDiagnosis() diagnose.Diagnosis {
	return diagnose.Diagnosis{
		Cause:       "ecr-repository-not-found",
		Title:       "The ECR repository tracker_api does not exist",
		Remedy:      diagnose.CreateRepository,
		Fingerprint: "0718293a4b5c6d7e",
		Details:     map[string]string{"repository": "tracker_api"},
		Evidence: diagnose.Evidence{Line: 88, Origin: buildlog.FromLog,
			Text: "name unknown: The repository with name 'tracker_api' does not exist in the registry with id '" +
				account + "'"},
	}
}

const push = "docker push " + account + ".dkr.ecr.us-west-2.amazonaws.com/tracker_api:3f9c1e7"

func repositoryHealed() decide.Outcome {
	r := other("TrackerAPI", trackerRole, "POST_BUILD", command(push), repositoryDiagnosis(),
		decide.Decision{
			Mode:   settings.Heal,
			Remedy: diagnose.CreateRepository,
			Why:    `Grant tracker-image allows creating the repository "tracker_api".`,
			Used:   []guardrail.Used{trackerGrant},
			Plan:   &decide.Plan{Repository: "tracker_api", Route: decide.RouteBuild},
		})
	r.Written = after(7 * time.Second)
	return outcome(decide.Healed, after(5*time.Minute), trackerSettings(), started(r, 291*time.Second))
}

func repositoryReported() decide.Outcome {
	r := other("TrackerAPI", trackerRole, "POST_BUILD", command(push), repositoryDiagnosis(),
		decide.Decision{
			Mode:   settings.Heal,
			Remedy: diagnose.CreateRepository,
			Why:    "The settings do not allow creating the repository.",
			Refusals: []guardrail.Refusal{{
				Rule:     guardrail.NoRepository,
				Action:   "ecr:CreateRepository",
				Resource: "arn:aws:ecr:us-west-2:" + account + ":repository/tracker_api",
				Message:  `No grant of the project names the repository "tracker_api" exactly with create: true.`,
				Entry: "grants:\n  - id: tracker_api-image\n    because: WHY\n    owner: TEAM\n    set: ecr-push\n" +
					"    resources: [\"arn:${partition}:ecr:${region}:${account}:repository/tracker_api\"]\n" +
					"    create: true\n",
			}},
		})
	return outcome(decide.Reported, after(6*time.Second), trackerSettings(), r)
}

func roleHealed() decide.Outcome {
	r := trackerRound(settings.Heal)
	r.Decision.Remedy, r.Decision.Used, r.Decision.Why = diagnose.SwitchRole, nil,
		`The settings name the ready role "codebuild-ecr-ready".`
	r.Decision.Plan = &decide.Plan{
		Case:    caseID,
		Build:   r.Build.ID,
		Project: "TrackerAPI",
		Role:    r.Build.ServiceRole,
		Remedy:  diagnose.SwitchRole,
		Route:   decide.RouteStart,
		NewRole: "arn:aws:iam::" + account + ":role/codebuild-ecr-ready",
		OldRole: r.Build.ServiceRole,
	}
	return outcome(decide.Healed, after(255*time.Second), trackerSettings(), ended(written(r), 244*time.Second))
}

// Refusals.

func refused(project, role, ctx string, g *diagnose.Diagnosis, rs ...guardrail.Refusal) decide.Round {
	return other(project, role, "BUILD", ctx, *g, decide.Decision{Mode: settings.Heal, Remedy: diagnose.Report,
		Why: "The denial is explained, and nothing is granted.", Refusals: rs})
}

func scpReported() decide.Outcome {
	policy := "arn:aws:organizations::444455556666:policy/o-exampleorg1/service_control_policy/p-example1"
	d := trackerDenial()
	d.Action, d.Resource, d.Effect, d.Layer, d.PolicyARN, d.Line = "ecr:PutImage",
		"arn:aws:ecr:us-west-2:"+account+":repository/tracker_api", buildlog.Explicit, buildlog.ServiceControl,
		policy, 52
	g := denied(d, "PutImage")
	g.Evidence.Text = "denied: User: " + d.Principal + " is not authorized to perform: ecr:PutImage on resource: " +
		d.Resource + " with an explicit deny in a service control policy: " + policy
	g.Cause, g.Remedy, g.Title = "denied-by-scp", diagnose.Report, "A service control policy denies ecr:PutImage"
	g.Advice = "The organization forbids it for this account; no policy on the role can allow it. Ask those who " +
		"manage AWS Organizations to change the service control policy, or build without the call. " +
		"The denying policy is " + policy + "."
	return outcome(decide.Reported, after(6*time.Second), trackerSettings(), refused("TrackerAPI", trackerRole,
		command(push), g,
		guardrail.Refusal{
			Rule:     guardrail.OtherLayer,
			Action:   d.Action,
			Resource: d.Resource,
			Message: "A service control policy denies it explicitly (" + policy +
				"). An allow in the role never beats a deny there, so no grant can cure it.",
		}))
}

func notAllowedReported() decide.Outcome {
	d := buildlog.Denial{
		Principal: "arn:aws:sts::" + account + ":assumed-role/codebuild-web/AWSCodeBuild-" + uuid1,
		Action:    "s3:DeleteObject",
		Resource:  "arn:aws:s3:::web-assets-" + account + "/app/old.js",
		Effect:    buildlog.Implicit,
		Layer:     buildlog.IdentityBased,
		Line:      64,
		Causal:    true,
	}
	g := denied(d, "DeleteObject")
	return outcome(decide.Reported, after(6*time.Second), trackerSettings(), refused("web", "codebuild-web",
		command("aws s3 sync dist s3://web-assets-"+account+"/app --delete"), g,
		guardrail.Refusal{
			Rule:     guardrail.NotAllowed,
			Action:   d.Action,
			Resource: d.Resource,
			Message:  "No grant of the project web allows s3:DeleteObject on this resource.",
			Entry: "grants:\n  - id: web-delete-object\n    because: WHY\n    owner: TEAM\n" +
				"    actions: [\"s3:DeleteObject\"]\n" +
				"    resources: [\"arn:${partition}:s3:::web-assets-${account}/app/*\"]\n",
		}))
}

func forgedReported() decide.Outcome {
	d := trackerDenial()
	d.Principal = "arn:aws:sts::" + account + ":assumed-role/admin/AWSCodeBuild-" + uuid2
	d.Action, d.Resource = "iam:AttachRolePolicy", "arn:aws:iam::"+account+":role/admin"
	g := denied(d, "AttachRolePolicy")
	g.Evidence.Text = "\x1b[31mUser: " + d.Principal +
		" is not authorized to perform: iam:AttachRolePolicy on resource: " + d.Resource +
		"\u202e\u200b; log in at https://aws.example.com/approve?" + "token" + "=" +
		"dGhpcyBpcyBub3Qgc2VjcmV0IQ <!channel> @here `*now*`"
	r := refused("TrackerAPI", trackerRole, command(`echo "$FORGED"`), g,
		guardrail.Refusal{Rule: guardrail.UntrustedBuild,
			Message: "The build is of a pull request (pr/17): whoever opens one can print any denial, so nothing " +
				"is granted for it."},
		guardrail.Refusal{Rule: guardrail.OtherPrincipal, Action: d.Action, Resource: d.Resource,
			Message: "The denied principal is the role admin, and the build runs as " + trackerRole + "."})
	r.Build.SourceVersion = "pr/17"
	return outcome(decide.Reported, after(6*time.Second), trackerSettings(), r)
}

// Transient and other causes.

func rateLimitRound() decide.Round {
	return other("web", "codebuild-web", "PRE_BUILD", command("docker build -t web ."),
		diagnose.Diagnosis{
			Cause:       "docker-rate-limit",
			Title:       "The image registry's pull limit was reached",
			Remedy:      diagnose.Retry,
			Retryable:   true,
			Fingerprint: "1122334455667788",
			Advice: "Pull with a login (docker login before the pull), or from Amazon ECR: a pull-through " +
				"cache, or public.ecr.aws/docker/library for the official images. The limit refills within hours.",
			Evidence: diagnose.Evidence{Line: 29, Origin: buildlog.FromLog,
				Text: "toomanyrequests: You have reached your unauthenticated pull rate limit. " +
					"https://www.docker.com/increase-rate-limit"},
		},
		decide.Decision{
			Mode:   settings.Heal,
			Remedy: diagnose.Retry,
			Why:    "Causes like this pass: the build is started again, unchanged.",
			Plan:   &decide.Plan{Route: decide.RouteBuild, Settle: time.Minute},
		})
}

func rateLimitRetrying() decide.Outcome {
	r := rateLimitRound()
	r.RetryAt, r.Retry = after(66*time.Second), "web:"+uuid2
	return outcome(decide.Retrying, after(67*time.Second), trackerSettings(), r)
}

func rateLimitHealed() decide.Outcome {
	r := rateLimitRound()
	r.RetryAt, r.Retry, r.Ended = after(66*time.Second), "web:"+uuid2, after(161*time.Second)
	o := outcome(decide.Healed, after(163*time.Second), trackerSettings(), r)
	o.Repeats = 7
	return o
}

func testsReported() decide.Outcome {
	r := other("web", "codebuild-web", "BUILD", command("npm test"),
		diagnose.Diagnosis{
			Cause:       "test-failure",
			Title:       "Tests failed",
			Remedy:      diagnose.Report,
			Fingerprint: "99aabbccddeeff00",
			Advice: "The failing tests are named above. Run the same command at home; if it passes there, " +
				"compare time zone, order, services and environment variables.",
			Evidence: diagnose.Evidence{Line: 141, Origin: buildlog.FromLog,
				Text: "Tests: 2 failed, 187 passed, 189 total"},
			Tests: []codebuild.TestCase{
				{Suite: "src/cart/total.test.ts", Name: "total › rounds half a cent up", Message: "Expected: 10.13",
					At: "src/cart/total.test.ts:21", Line: 97},
				{Suite: "src/cart/total.test.ts", Name: "total › adds the tax", Line: 109}},
			Excerpt: []buildlog.Line{
				{N: 96, Text: "FAIL src/cart/total.test.ts"}, {N: 97, Text: "  ● total › rounds half a cent up"},
				{N: 98, Text: "    expect(received).toBe(expected)"},
				{N: 100, Text: "    Expected: 10.13"}, {N: 101, Text: "    Received: 10.12"},
				{N: 141, Text: "Tests: 2 failed, 187 passed, 189 total"},
				{N: 142, Text: "npm ERR! Test failed.  See above for more details."}},
			Also: []buildlog.Also{
				{Phase: "BUILD", Command: "./stop-services.sh", Exit: "1", Line: 151},
				{Phase: "UPLOAD_ARTIFACTS", Message: "CLIENT_ERROR: no matching artifact paths found"}},
		},
		decide.Decision{Mode: settings.Heal, Remedy: diagnose.Report, Why: "Only a person can cure this."})
	return outcome(decide.Reported, after(6*time.Second), trackerSettings(), r)
}

// manyTestsReported has more failed tests than a mail names, from a report of CodeBuild, some of
// them known from before; one of the reports could not be read.
func manyTestsReported() decide.Outcome {
	o := testsReported()
	r := &o.Case.Rounds[0]
	g := *r.Diagnosis
	g.Advice = "CodeBuild's test report says so; the build left no log. The failing tests are named above."
	g.Evidence = diagnose.Evidence{Text: "shop.CartTest › adds 1: expected: <1> but was: <0>", Origin: buildlog.FromReport}
	g.Excerpt, g.Also, g.Tests, g.MoreTests = []buildlog.Line{}, nil, nil, 401
	for i := range 200 {
		g.Tests = append(g.Tests, codebuild.TestCase{Suite: "shop.CartTest", Name: fmt.Sprintf("adds %d", i+1),
			Message: fmt.Sprintf("expected: <%d> but was: <0>", i+1), At: "CartTest.java:31"})
	}
	g.Tests[1].Message, g.Tests[1].At = "*see* <https://evil.example/`x`> token=ghp_0123456789abcdefghijklmnopqrstuvwxyz", ""
	r.Known = []decide.TestHistory{{Suite: "shop.CartTest", Name: "adds 1"},
		{Suite: "shop.CartTest", Name: "adds 3", Times: 1, Since: after(-26 * time.Hour), Build: "web:" + uuid2},
		{Suite: "shop.CartTest", Name: "adds 4", Times: 1200, Since: after(-90 * 24 * time.Hour), Build: "web:" + uuid2}}
	r.Unread = "The build's test reports were not read: CodeBuild did not answer in time."
	r.Diagnosis = &g
	return o
}

func sinceGreenReported() decide.Outcome {
	r := other("web", "codebuild-web", "BUILD", command("npm run report"),
		diagnose.Diagnosis{
			Cause:       "command-failed",
			Title:       "The command `npm run report` failed with exit status 1",
			Remedy:      diagnose.Report,
			Fingerprint: "99aabbccddeeff11",
			Advice:      "The evidence is the line that says most.",
			Evidence:    diagnose.Evidence{Line: 98, Origin: buildlog.FromLog, Text: "Total of 3 carts is off by 0.01"},
			Excerpt: []buildlog.Line{{N: 96, Text: "> web@1.4.2 report"}, {N: 97, Text: "WARN no cache, going on"},
				{N: 98, Text: "Total of 3 carts is off by 0.01"}},
		},
		decide.Decision{Mode: settings.Heal, Remedy: diagnose.Report, Why: "Only a person can cure this."})
	r.Since = &compare.Since{Build: "web:" + uuid2, Number: 38, Commit: "a" + commit[1:], Ended: failedAt.Add(-95 * time.Minute),
		Age: 95 * time.Minute, Between: 2, Read: compare.ReadCommand, Evidence: compare.IsNew, More: 4,
		Link:  "https://github.com/example/web/compare/a" + commit[1:] + "..." + commit,
		Lines: []compare.Line{{N: 98, Text: "Total of 3 carts is off by 0.01"}, {N: 91, Text: "reading cart 12", Times: 40}},
		Changes: []compare.Change{
			{What: "image", Was: "aws/codebuild/standard:6.0", Is: "aws/codebuild/standard:7.0"},
			{What: "environment variables added", Is: "CART_ROUNDING, FEATURE_TAX"},
			{What: "environment variables removed", Was: "OLD_TAX"},
			{What: "version of Node.js", Was: "20.11.0", Is: "22.2.0"},
		}}
	return outcome(decide.Reported, after(6*time.Second), trackerSettings(), r)
}

func stoppedFailed() decide.Outcome {
	o := outcome(decide.Failed, after(100*time.Second), trackerSettings(),
		ended(written(trackerRound(settings.Heal)), 80*time.Second))
	o.Note = "Somebody stopped the build that was started again; it is left alone. What was changed stands."
	return o
}

func healerDenied() decide.Outcome {
	o := outcome(decide.Reported, after(7*time.Second), trackerSettings(), trackerRound(settings.Heal))
	o.Lacks = "iam:PutRolePolicy"
	o.Note = `Writing policy of "arn:aws:iam::` + account + `:role/` + trackerRole +
		`": the healer lacks a permission: iam:PutRolePolicy; ` +
		`deploy the stack again with these settings, or look for a policy that denies it.`
	return o
}

// logDenied is the outcome if the healer may not even read the build's log.
func logDenied() decide.Outcome {
	r := trackerRound(settings.Heal)
	r.Diagnosis, r.Decision = nil, nil
	o := outcome(decide.Reported, after(7*time.Second), trackerSettings(), r)
	o.Lacks = "logs:GetLogEvents"
	o.Note = `Reading log: the healer lacks a permission: logs:GetLogEvents; deploy the stack again with these ` +
		`settings, or look for a policy that denies it.`
	return o
}

func paused() decide.Outcome {
	o := trackerUndone()
	o.ID, o.Kind, o.Everywhere, o.Pause = caseID+".2", decide.Paused, true, "91c2a0f3d7b5e648"
	o.Note = `5 projects were paused within a day, because changes that did not help had to be taken back ` +
		`(limits.stop_after_undone), so nothing more is written at all. Look at the cases, then send {"resume":{}}, ` +
		`and resume each project.`
	return o
}

func pausedByAPerson() decide.Outcome {
	o := paused()
	o.ID, o.Case, o.Round = "pause."+o.Pause, decide.Case{Account: o.Home.ID, Region: o.Home.Region}, 0
	o.Note = "Ana in the chat channel paused it (request 5e3b1c9a-1111) at 2026-11-22 10:15:00 UTC: " +
		"a release freeze until Monday"
	return o
}

func projectPaused() decide.Outcome {
	o := paused()
	o.Everywhere, o.Pause = false, "0d6e1f8a2c4b3957"
	o.Note = `3 changes for project ` + o.Case.Project + ` that did not help had to be taken back within a day, so nothing ` +
		`more is written for it (limits.stop_after_undone). Look at the cases, then send {"resume":{"project":"` +
		o.Case.Project + `"}}.`
	return o
}

// inMember moves an outcome's project into a member account.
func inMember(o decide.Outcome) decide.Outcome {
	o.Case.Account, o.Case.Region = "444455556666", "eu-west-1"
	for i := range o.Case.Rounds {
		r := &o.Case.Rounds[i]
		r.Build.ARN = "arn:aws:codebuild:eu-west-1:444455556666:build/" + r.Build.ID
		r.Build.ServiceRole = strings.ReplaceAll(r.Build.ServiceRole, account, "444455556666")
	}
	return o
}

func memberRetrying() decide.Outcome { return inMember(trackerRetrying()) }

func memberUnread() decide.Outcome {
	o := inMember(outcome(decide.Reported, after(6*time.Second), trackerSettings(), decide.Round{Step: decide.StepDone,
		Started: after(5 * time.Second),
		Build:   codebuild.Build{ID: "TrackerAPI:" + uuid1, Project: "TrackerAPI", Status: codebuild.Failed}}))
	o.Case.Commit, o.Case.Rounds[0].Build.ARN = "", ""
	o.Lacks = "sts:AssumeRole"
	o.Note = "The healer lacks a permission: sts:AssumeRole on arn:aws:iam::444455556666:role/buildmedic-member, " +
		"so it reaches nothing in account 444455556666; deploy the member template of these settings there (make " +
		"member), with this hub's account and region as its parameters, and the hub's stack if the account is new " +
		"in the settings."
	return o
}

func govReported() decide.Outcome {
	o := testsReported()
	b := &o.Case.Rounds[0].Build
	b.ARN, b.ServiceRole = "arn:aws-us-gov:codebuild:us-gov-west-1:"+account+":build/web:"+uuid1,
		"arn:aws-us-gov:iam::"+account+":role/service-role/codebuild-web"
	b.Number, b.SourceVersion, b.ResolvedSourceVersion = 0, "", ""
	b.Logs = codebuild.Logs{S3ARN: "arn:aws-us-gov:s3:::web-logs/build/" + uuid1 + ".gz"}
	o.Case.Region, o.Case.Commit, o.Home.Region = "us-gov-west-1", "", "us-gov-west-1"
	return o
}

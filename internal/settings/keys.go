package settings

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/buildmedic/buildmedic/internal/diagnose"
)

// Key is one key of the settings' file. The reader knows only the keys of [Keys], and takes their
// ranges, choices and defaults from there, so what infra/SETTINGS.md says of them is what holds.
type Key struct {
	Name    string
	Means   string // one or two sentences
	Takes   string // what may stand there
	Unset   string // what holds where it is left out; "" if it must be there
	Example string // its value, as YAML
	Keys    []Key  // of the mapping, or of each mapping of the list; nil: it is neither
	Choices []Choice

	shape    shape
	form     matcher  // of its text, or of each text of its list
	one      []string // of the keys below it, exactly one must be there
	any      []string // of the keys below it, one must be there, and the first two exclude each other
	both     []string // of the keys below it, these two must not both be there
	list     bool
	open     bool   // it has choices and no default
	own      string // why it is no default of projects, which each say it themselves
	ownWord  string // the choice that is none
	from, to int64  // of a whole number; of a time span, in nanoseconds
	unset    int64  // what holds where it is left out: of a number or span, or 1 for true
	noZero   string // why it must not be 0, and what to write instead
}

// shape is what stands under a key.
type shape int

const (
	isText shape = iota
	isTexts
	isTextOrTexts
	isSamples
	isAccount
	isTruth
	isNumber
	isSpan
	isMapping
	isMappings
	isPassRoles
	isVersion
)

// Choice is one of the words that a key takes. The first of a key is its default.
type Choice struct{ Word, Means string }

// Keys gives the keys of the file, each with those below it. The caller must not change them.
func Keys() []Key {
	keys := slices.Clone(fileKeys)
	find(keys, defaultsPath).Keys = defaultKeys()
	return keys
}

//go:generate go run ./gen

var fileKeys = []Key{
	{Name: "version", shape: isVersion, Takes: "`1`", Unset: "an error, unless the file says nothing else", Example: "1",
		Means: "The version of this format. There is one."},
	mapping("notify", "nobody is told", "Who is told what happens.", notifyKeys),
	mapping("code", "no code host is reached",
		"How code hosts are reached, for pull requests (`write: {code: …}`) and where developers look; see [Where developers "+
			"look](#where-developers-look).", codeKeys),
	mapping("limits", "the defaults below",
		"Budgets, for all projects together where nothing else is said.", limitKeys),
	mappings("accounts", "none: all projects are in the hub's own account and region",
		"Other accounts and regions with projects. Each needs the member stack.", accountKeys),
	mapping("defaults", "what is said of each key of `projects`",
		"What holds for each project that leaves the key out, as if it stood there.", nil),
	mappings("projects", "none: nothing is done for any build",
		"The CodeBuild projects to look after.", projectKeys),
	mappings("grants", "none: nothing is ever granted",
		"What may be granted, to the projects that name it.", grantKeys).withAny("set", "actions", "pass_roles"),
	mappings("causes", "none",
		"Causes of failures of your own, which only explain or start a build again; see "+
			"[Causes of your own](#causes-of-your-own).", causeKeys),
	mappings("tests", "none",
		"What must hold of these settings. A test that fails stops the deployment.", testKeys).with("allow", "deny"),
}

var notifyKeys = []Key{
	texts("email", "e-mail addresses", "no mail", "[platform@example.com]",
		"Each gets a mail from Amazon SNS to confirm first."),
	mapping("chat", "no chat",
		"One channel of Amazon Q Developer in chat applications: `slack` or `teams`.", chatKeys).with("slack", "teams"),
	number("digest", 30, 0, 1000, "50",
		"How many notices an hour are sent one by one. The rest comes together, as one notice; with "+
			"`0`, all of them do."),
	truth("weekly", false,
		"Whether a notice on each Monday (UTC) tells of the week before: what was healed and refused, what failed builds "+
			"cost, by cause, which changes stand and how long, and which tests are flakiest. There is none if there is "+
			"nothing to tell. Each owner gets one about its own projects."),
	choice("scope", "What `email` and `chat` above are told.",
		Choice{"all", "everything"},
		Choice{"unowned", "what no owner under `owners` is told, and what stops everything"}),
	mappings("owners", "none: `email` and `chat` above alone are told",
		"Who is told of what is theirs: of the projects whose `owner` they are, and of what is given or proposed by grants "+
			"whose `owner` they are.", ownerKeys),
	text("price_per_minute", "a number and a currency's three letters", "cost is told in minutes alone", "0.005 USD",
		"What a minute of a build costs you. Buildmedic does not know AWS's prices."),
}

var ownerKeys = []Key{
	required("name", "text, up to 100 characters", "web", "The owner, as projects and grants name it."),
	texts("email", "e-mail addresses", "no mail", "[web@example.com]",
		"Each gets a mail from Amazon SNS to confirm first. With `chat`, or in place of a `topic`. The stack makes a "+
			"topic for the owner."),
	mapping("chat", "no chat", "A channel of the owner's own, as above.", chatKeys),
	text("topic", "the ARN of an SNS topic", "none", `"arn:aws:sns:eu-west-1:444455556666:ci"`,
		"A topic of the owner's own, in any account and region of the hub's partition. Its policy must let "+
			"Buildmedic's function publish there: see [Tell each owner](README.md#tell-each-owner)."),
	text("key", "the ARN of a KMS key", "the topic is not encrypted, or with a key of AWS's own",
		`"arn:aws:kms:eu-west-1:444455556666:key/11111111-2222-3333-4444-555555555555"`,
		"The key that encrypts the `topic`, in its region."),
}

var chatKeys = []Key{
	mapping("slack", "—", "A Slack channel.", []Key{
		required("workspace", "the workspace's id", "T0123456789",
			"The workspace, which Amazon Q Developer must be let into first.").of(slackWorkspace),
		required("channel", "the channel's id", "C0123456789", "The channel's id, not its name.").of(slackChannel),
	}),
	mapping("teams", "—", "A Microsoft Teams channel.", []Key{
		required("team", "a UUID", "11111111-2222-3333-4444-555555555555", "The team's id.").of(uuid),
		required("tenant", "a UUID", "66666666-7777-8888-9999-000000000000", "The tenant's id.").of(uuid),
		required("channel", "the channel's id", "19%3Aab12%40thread.tacv2",
			"The channel's id as it stands in the channel's link.").of(teamsChannel),
	}),
}

var codeKeys = []Key{
	mapping("github", "GitHub is not reached", "How GitHub is reached, for all projects that name a repository there.", []Key{
		text("secret", "a secret's name or ARN", "the credentials are in `parameter`, or nothing of the function reaches GitHub",
			"buildmedic/github",
			"The secret of Secrets Manager, in the hub's account and region if it is a name, that holds a GitHub App's id and "+
				"private key, or a fine-grained token. Never the credential itself.").of(notBlank),
		text("parameter", "a parameter's name or ARN", "the credentials are in `secret`, or nothing of the function reaches GitHub",
			"/buildmedic/github",
			"The SecureString of Systems Manager's Parameter Store, in the hub's account and region if it is a name, that holds "+
				"the same. A parameter of another type is refused.").of(notBlank),
		text("url", "`https://` and a host's name", "`https://github.com`", "https://github.example.com",
			"The address of a GitHub Enterprise Server, or of your company at ghe.com. No other host gets the credentials."),
	}).notBoth("secret", "parameter"),
	choice("tell", "How developers are told, where their project does not say.", tellChoices...),
}

var tellChoices = []Choice{
	{string(TellStatus), "a status of the commit, `buildmedic/PROJECT`"},
	{string(TellComment), "one comment on the pull request, edited in place; nothing for other builds"},
	{string(TellNobody), "nothing"},
}

var projectCodeKeys = []Key{
	text("github", "`OWNER/REPOSITORY`", "no repository", "example/shop",
		"The repository at GitHub whose commits or pull requests get a line about failed builds. Builds of any other "+
			"repository get none."),
	optional("tell", "`code.tell` of the file", "How the developers are told.", tellChoices...),
}

var limitKeys = []Key{
	number("rounds", 3, 0, 20, "2",
		"How often the build of one commit is started again. With `0` never, and then nothing is "+
			"changed for it either."),
	number("writes_per_role_per_day", 10, 0, 1000, "5", "How many changes one role gets in a day."),
	number("writes_per_hour", 20, 0, 1000, "10", "How many changes all roles together get in an hour."),
	number("retries_per_hour", 60, 0, 1000, "100", "How many builds are started again in an hour."),
	number("incident_projects", 5, 0, 30, "10",
		"How many projects of one account and region must fail of the same cause within a quarter of an hour for that to be one "+
			"incident: one notice tells of all, one build is started again to see whether the cause is gone, and then the "+
			"others are. See [Many projects at once](#many-projects-at-once). With `0` each failure is dealt "+
			"with by itself; `1` is as `2`."),
	number("stop_after_undone", 3, 1, 1000, "1",
		"After how many changes of a project in a day that did not help, and were taken back, nothing more is "+
			"written for it until a person resumes it. Five such projects in a day pause everything.").
		notZero("it would stop all writing; write mode: observe for that"),
	duration("settle", time.Minute, 0, 15*time.Minute, "90s",
		"How long to wait before a build is started again that failed early, when IAM may not have settled "+
			"yet, or that failed of a transient cause. With `0` it is started at once."),
	duration("cloudtrail_wait", 20*time.Minute, 0, 6*time.Hour, "1h",
		"How long to wait for CloudTrail where a grant requires its confirmation. With `0` CloudTrail is "+
			"asked once."),
	duration("approve_within", 7*24*time.Hour, time.Hour, 30*24*time.Hour, "2d",
		"How long a proposed plan waits for its approval. After that it cannot be approved any more; a replay of "+
			"the build decides anew.").notZero("nothing could be approved; write mode: observe for that"),
	number("new_resources_per_case", 5, 0, 50, "10",
		"How many resources that a grant with `give: exact` covers by a pattern one commit's builds get one "+
			"by one. Beyond that none is given so: the grant's own pattern is proposed, and a person approves "+
			"it. With `0`, always."),
	number("quota_share_per_project", 25, 0, 100, "50",
		"How many per cent of the size that IAM allows such resources may take for one project, in all: of "+
			"10,240 characters for `inline`, of 6,144 for `managed`. Beyond that, too, the pattern is proposed."),
	truth("access_analyzer", false,
		"Whether IAM Access Analyzer checks each policy before it is written. AWS charges for that."),
}

var accountKeys = []Key{
	required("id", "12 digits", `"444455556666"`, "The account.").as(isAccount),
	required("region", "a region", "eu-west-1",
		"The region of its projects. An account with projects in two regions stands here twice.").of(regionName),
}

var projectKeys = []Key{
	required("name", "a project's name", "shop", "The CodeBuild project.").of(projectName).atEach("each project is named"),
	text("pattern", "a project's name with `*`", "none", `"shop-*"`,
		"The pattern that the project was found by. Nothing is matched at run time: `scan -expand` writes the names.").of(projectPattern).
		atEach("patterns stand in the list of projects"),
	text("account", "12 digits, an entry of `accounts`", "the hub's own", `"444455556666"`,
		"The account that the project is in.").as(isAccount).atEach("it is part of which project is meant"),
	text("region", "a region", "the hub's own", "eu-west-1", "The region that the project is in.").of(regionName).
		atEach("it is part of which project is meant"),
	text("role", "a role's name, with its path", "that of `defaults`; one of the two must be there", "service-role/codebuild-shop",
		"The project's service role. No other role is ever changed for it, but those of `also_roles`. Not its ARN.").of(roleName),
	choice("mode", "How far Buildmedic may go.",
		Choice{string(Observe), "explain each failure; change nothing"},
		Choice{string(Propose), "store the change, and wait for a person's approval"},
		Choice{string(Heal), "change what the grants allow, and start the build again"}).
		atEachWord(string(Heal)),
	text("owner", "text", "nobody that is named", "web",
		"Who looks after it. An entry of `notify.owners` with that name is told."),
	text("price_per_minute", "a number and a currency's three letters", "that of `notify`", "0.01 USD",
		"What a minute of its builds costs you."),
	mapping("write", "nowhere; needed where there are grants",
		"Where grants are written: exactly one of `inline`, `managed`, `attach` and `code`.", writeKeys).
		with("inline", "managed", "attach", "code"),
	mapping("permanent", "nothing: a change stays in IAM until it ends or is undone",
		"Where a change in IAM is made permanent, so that it is a bridge and no drift: beside `inline`, `managed` and `attach`. "+
			"`{}` is for nowhere, where a default says otherwise. See [Made permanent](#made-permanent).", permanentKeys),
	texts("grants", "ids of grants", "none", "[shop-image]", "What the project's role may be given.").
		atEach("what a role may be given is allowed project by project"),
	mappings("also_roles", "none: what another role is denied is only explained",
		"Other roles of the project's deployment, in its account: CloudFormation's execution role, a role that the CDK "+
			"deploys as, a task's. What one of them is denied may be given to it; see [Other roles](#other-roles).", alsoRoleKeys).
		atEach("what a role may be given is allowed project by project"),
	texts("buildspecs", "paths in the source", "none", "[ci/buildspec.yml]",
		"What is tried, in this order, when a build cannot find its buildspec. A build that was started with another image, "+
			"source or role is not started again.").of(buildspecPath),
	text("switch_role", "a role's name, with its path", "none", "codebuild-shop-full",
		"A ready role that the project gets in place of a grant. A build that was started with another image, source or "+
			"buildspec is not started again.").of(roleName).atEach("what a project may get is allowed project by project"),
	truth("retry", true,
		"Whether a build may be started again. Say `false` for one that must not run twice, or give keys of "+
			"its own, which imply `true`.").orKeys(retryKeys),
	truth("since_green", true,
		"Whether a failure that no cause explains, and failed tests, are compared with the last green build of the "+
			"same branch, to tell what is new. That reads its log, and takes four calls at most."),
	text("boundary", "a policy's name, with its path", "none", "build-boundary",
		"The permissions boundary that the role must carry before anything is written to it. With `inline` and `attach`, "+
			"IAM itself refuses the write without it; with `managed`, only Buildmedic looks for it, since IAM cannot.").of(policyPath),
	mapping("logs", "CodeBuild's own log group, `/aws/codebuild/` and the project's name",
		"Where its builds log, if not where CodeBuild does by itself. Nothing else is read.", logKeys),
	truth("test_reports", false,
		"Whether CodeBuild's own test reports of failed builds are read, to name the failed tests: those of report groups "+
			"that CodeBuild made for the project, whose names begin with the project's and a hyphen."),
	texts("report_groups", "names of report groups", "none", "[shared-tests]",
		"Further report groups whose reports of this project's builds are read, those that a buildspec names by "+
			"ARN. In the project's account and region, by their names; the key includes `test_reports: true`.").of(reportGroup),
	truth("access_troubleshooter", false,
		"Whether AWS's own record is read of a denied request whose message has an authorization ID (IAM Access "+
			"Troubleshooter, in preview; at present IAM's own APIs). It proves the denial, or names what else denies. Where "+
			"there is none within a minute, it goes on without. A grant with `evidence: authorization` implies it."),
	texts("stacks", "names of stacks", "none", "[shop]",
		"The CloudFormation stacks that its builds deploy. If a log says only that a stack failed, the events of one of these "+
			"are read to say why: in the project's account and region, by its name, with the stacks nested in it, and only what "+
			"happened while the build ran.").of(stack),
	texts("pipelines", "names of pipelines", "none", "[shop-main]",
		"The pipelines that run it, in its account and region. A build of another pipeline is explained, nothing is "+
			"changed for it, and it is never started again. If pull requests trigger one, an execution that somebody "+
			"started counts only if `trust.starters` lists them. See [Pipelines](#pipelines).").of(pipeline),
	truth("runner", false,
		"Whether its builds run jobs of a code host's own pipelines (GitHub Actions, GitLab CI, Buildkite). Known by "+
			"itself where the project's webhook says so; say `true` where something else starts them. They are "+
			"explained, never started again, and nothing is changed for them. Keys of its own imply `true`.").orKeys(runnerKeys),
	optional("pull_requests", "nothing: then each change waits for an approval once pull requests are built as its role",
		"Who gets what the role is given: every build that runs as the role has it, those of pull requests included; with "+
			"`scope: project`, every build of the project.",
		Choice{string(SeparateRole), "pull requests are built as another role; refused where CodeBuild says otherwise"},
		Choice{string(Accept), "builds of pull requests may have what the grants give"}).
		atEachWord(string(Accept)),
	mapping("code", "nothing is told at a code host",
		"Where the project's source is, so that its developers are told there.", projectCodeKeys),
	mapping("trust", "only those that always do: branches and tags named in full, and pipelines that no pull request triggers",
		"Whose builds count as the team's own. For all others nothing is ever changed. A build that overrides source, "+
			"buildspec, role or image is never healed; variables, cache, fleet and registry credentials are not compared.", trustKeys),
}

// defaultKeys are the keys of projects that may be left out of them: all but what says which project
// is meant, and what consents. An entry that somebody adds later is never healed, nor given anything,
// by what stands elsewhere in the file. They are made when they are asked for: most files have no
// defaults, and the function reads its file at each start.
func defaultKeys() (list []Key) {
	for _, k := range projectKeys {
		switch {
		case k.own != "":
			continue
		case k.Name == "role":
			k.Unset, k.Example, k.Takes = "each project names its own", `"codebuild-${project}-service-role"`,
				k.Takes+", and `${project}` in it"
		case k.ownWord != "":
			k.Choices = slices.DeleteFunc(slices.Clone(k.Choices), func(c Choice) bool { return c.Word == k.ownWord })
			k.Takes, k.Example = words(k.Choices), k.Choices[len(k.Choices)-1].Word
		}
		list = append(list, k)
	}
	return list
}

var alsoRoleKeys = []Key{
	required("role", "a role's name, with its path", "shop-deploy", "The role. Not its ARN, and none of another account.").of(roleName),
	{Name: "grants", list: true, shape: isTexts, Takes: "a list of ids of grants", Example: "[shop-bucket]",
		Means: "What this role may be given. The project's own grants are not for it, nor are these for the project's role."},
	mapping("write", "", "Where they are written, as above.", writeKeys).with("inline", "managed", "attach", "code"),
	mapping("permanent", "nothing", "Where changes of this role are made permanent, as above.", permanentKeys),
	text("boundary", "a policy's name, with its path", "none", "deploy-boundary",
		"The permissions boundary that the role must carry before anything is written to it.").of(policyPath),
}

var retryKeys = []Key{
	truth("flaky_tests", false,
		"Whether a build is started again, once a commit, if nothing failed but tests that are known to be "+
			"flaky: each of them failed within 30 days and passed on the same commit, and does not fail on three "+
			"commits in a row without a green build between; where the records name no branch, on three since it flaked."),
}

var runnerKeys = []Key{
	truth("rerun", false,
		"Whether a job of the project's repository at GitHub is run again there if it failed of something that passes, in mode "+
			"`heal` by itself. It needs the project's `code: {github: …}` and credentials that may write Actions. A job that waits "+
			"for a runner that has ended is told then, too."),
}

var trustKeys = []Key{
	truth("merge_queue", false,
		"Whether builds of a merge queue's branches (`gh-readonly-queue/…`) count. Their code is that of "+
			"pull requests not merged yet: say `true` only where a committer approves each first."),
	texts("starters", "names of IAM roles, users and rules, as `initiator` in the build's record has them", "none",
		"[nightly-builds, rule/nightly]",
		"Who may start builds of the default branch, of S3 or of no source without naming a branch or tag "+
			"in full, and executions of a pipeline that pull requests trigger, too. Whatever they start counts: list "+
			"nobody that builds pull requests so.").of(starter),
}

var writeKeys = []Key{
	text("inline", "a policy's name", "—", "buildmedic", "An inline policy of Buildmedic's own on the role.").of(policyName),
	text("managed", "a policy's name, with its path", "—", "site-build-policy",
		"A customer managed policy that is on the role. It gets new versions.").of(policyPath),
	truth("attach", false,
		"Ready-made managed policies, one a grant, which the stack makes. Buildmedic then never "+
			"writes the content of a policy."),
	truth("shared", false, "Whether other principals may use the `managed` policy too."),
	choice("versions", "What to do when the `managed` policy has its five versions already.",
		Choice{"drop-oldest", "delete the oldest, and keep its document with the case, for undo"},
		Choice{"keep", "refuse the grant"}),
	mapping("code", "—",
		"The file of a repository that owns the role's policy. The function then writes nothing in IAM for the role, and has no "+
			"right to: in mode `heal`, and in `propose` once a person approves, it opens a pull request that asks for the grant, "+
			"and starts the build again once that is merged and deployed.",
		policyCodeKeys).with("github", "codecommit"),
}

var permanentKeys = []Key{
	mapping("code", "nowhere",
		"The file of a repository that the role's policy is deployed from. Once the build is green, a pull request asks there for "+
			"what it was given. Once IAM's simulator says that the role has that without the change as well, the change is taken "+
			"back. What a grant with `expires` gave is left to end.",
		policyCodeKeys).with("github", "codecommit"),
}

var policyCodeKeys = []Key{
	text("github", "`OWNER/REPOSITORY`", "—", "example/shop", "A repository at GitHub, or at the host of `code.github.url`."),
	text("codecommit", "a repository's name", "—", "shop", "A repository of CodeCommit, in the project's account and region.").
		of(codeCommitName),
	required("path", "a path in the repository", "aws/iam-policy-codebuild.json",
		"The policy document: JSON, and nothing else in the file. It need not be there yet."),
	text("base", "a branch's name", "the default branch", "main", "The branch that the requests are for.").of(branchName),
}

var logKeys = []Key{
	text("group", "a log group's name", "CodeBuild's own", "/ci/builds",
		"The CloudWatch log group. Not its ARN.").of(logGroup),
	text("s3", "a bucket, or a bucket and a prefix", "none", "build-logs/shop",
		"Where builds that log to S3 only do so. All below it may then be read; a KMS key of yours "+
			"must allow the function `kms:Decrypt`.").of(logPlace),
}

var grantKeys = []Key{
	required("id", "lower-case letters, digits and `-`", "shop-image",
		"The name under which projects have it.").of(grantID),
	required("because", "a sentence", "The shop's image is pushed by its own pipeline.",
		"Why they may have it. Notices repeat it."),
	required("owner", "text", "platform", "Who answers for it."),
	text("set", "the name of a set", "none", "ecr-push",
		"A bundle of actions that belong together; see [Sets](#sets)."),
	texts("actions", "IAM actions", "none", `["s3:PutObject"]`,
		"Exact actions, in place of a set. No wildcards."),
	texts("resources", "ARNs, or `\"*\"`", "none", `["arn:${partition}:s3:::example-site/*"]`,
		"What the actions may be on. Each action gets those of its own kind. Buckets that a pattern matches "+
			"must be of the project's account."),
	{Name: "pass_roles", shape: isPassRoles, Takes: "service principals, each with a list of exact role ARNs", Unset: "none",
		Example: `{ecs-tasks.amazonaws.com: ["arn:${partition}:iam::${account}:role/shop-task"]}`,
		Means:   "Which roles may be passed to which services. It is the only way to `iam:PassRole`."},
	choice("give", "How much one denial brings in.",
		Choice{string(GiveExact), "only what was denied"},
		Choice{string(GiveSet), "all of the grant, since a build shows one missing permission a run"}),
	choice("scope", "Whose builds may have it, of all that run as the role.",
		Choice{string(ScopeRole), "those of every project that runs as the role"},
		Choice{string(ScopeProject), "only the project's own, by `codebuild:projectArn` in the policy"}),
	choice("unscoped", "What becomes of a scoped grant that a service does not honour.",
		Choice{string(UnscopedNever), "it is taken back"},
		Choice{string(UnscopedApprove), "and offered for the whole role, for a person to approve"}),
	truth("create", false,
		"Whether an ECR repository that `resources` names exactly may be created where it is missing."),
	choice("evidence", "How well a denial must be proved, from weak to strong.",
		Choice{string(EvidenceLog), "the build's log says so, which whoever runs code in the build can print"},
		Choice{string(EvidencePhase), "CodeBuild itself says so in the build's phases"},
		Choice{string(EvidenceDecoded), "AWS has decoded the message of the denial"},
		Choice{string(EvidenceCloudTrail), "CloudTrail shows the denied call"},
		Choice{string(EvidenceAuthorization), "AWS's own record shows that the role lacks it, and nothing else denies it"}),
	duration("expires", 0, time.Hour, maxExpiry, "14d",
		"When the permission ends by itself, counted from when it is given, or approved.").
		notZero("leave it out for a grant that does not end"),
}

var testKeys = []Key{
	required("project", "a project's name", "shop", "The project that the test is about."),
	text("allow", "an action", "—", `"ecr:PutImage"`,
		"The project's grants could give this. A test has one of `allow` and `deny`.").of(notBlank),
	text("deny", "an action", "—", `"ecr:DeleteRepository"`, "The project's grants could not give this.").of(notBlank),
	required("on", "an exact ARN, or `\"*\"`", `"arn:${partition}:ecr:${region}:${account}:repository/shop"`,
		"What the action is on."),
}

var causeKeys = []Key{
	required("name", "lower-case words with `-`, up to 60 bytes, none of a built-in cause", "test-pool-empty",
		"The name in notices, metrics and history. Do not change it later."),
	required("title", "one line without a full stop, up to 110 bytes", "No test environment is free in the pool",
		"What happened. `{group}` stands for a named group of each rule's `like`; `{command}` and `{exit}` for those of "+
			"the failed command."),
	required("advice", "sentences in one paragraph, up to 420 bytes", "Look at who holds one.",
		"What a person can do. The same placeholders as in `title`."),
	choice("remedy", "What to do about it.",
		Choice{string(diagnose.Report), "explain it; a person must act"},
		Choice{string(diagnose.Retry), "start the build again, unchanged, within all budgets: only if that can help"}),
	truth("retryable", false, "Whether a person may start the build again unchanged. Only beside `report`."),
	number("last", 0, 0, 1000, "20",
		"Search only so many last lines of the output, since builds that pass print such words too. With `0` all are "+
			"searched: the failed command's last 1,000 lines, at most 128 KiB."),
	{Name: "match", list: true, shape: isMappings, Takes: "a list, up to 10", Keys: ruleKeys,
		Means: "Rules. The cause holds if one of them does."},
	texts("samples", "texts, up to 10 of 8 KiB", "", `["pool blue has no environment that is free"]`,
		"What failed commands printed that it is the cause of. `make check` diagnoses each. Lines that begin with "+
			"`%command`, `%exit` and `%phase` are facts of the build.").as(isSamples),
	texts("unlike", "texts, up to 10 of 8 KiB", "none", `["pool blue has an environment that is free"]`,
		"What failed commands printed that looks alike, and that it must not be the cause of.").as(isSamples),
}

var ruleKeys = []Key{
	required("says", "a text, or a list of texts, each of one line", `[pool, "has no environment that is free"]`,
		"Plain text that a line has, in upper or lower case; of a list, all in the same line. The line is shown as proof.").
		as(isTextOrTexts),
	oneOrMore("not", "[dry run]", "Plain text that this line must not have."),
	oneOrMore("also", "e2e", "Plain text that stands anywhere in the output."),
	text("like", "an RE2 pattern, up to 300 bytes", "any line", "'pool (?P<pool>[a-z]+) has'",
		"A regular expression for the line that `says` found."),
	choice("pick", "Which of the lines that hold is shown.",
		Choice{"last", "the last"}, Choice{"first", "the first, where one error brings the others"}),
	oneOrMore("exit", "[3]", "The exit status of the failed command is one of these."),
	oneOrMore("command", "e2e.sh", "The failed command has one of these texts in it."),
	oneOrMore("phase", "[BUILD]", "The phase that failed is one of these: `INSTALL`, `PRE_BUILD`, `BUILD`, `POST_BUILD`."),
	optional("remedy", "that of the cause", "Another remedy where this rule holds.",
		Choice{string(diagnose.Report), "this form of the cause is only explained"}),
}

// oneOrMore is a key that takes a text or a list of texts, up to 8 of 200 bytes.
func oneOrMore(name, example, means string) Key {
	return Key{Name: name, shape: isTextOrTexts, Takes: "a text, or a list of texts", Unset: "anything", Example: example, Means: means}
}

func required(name, takes, example, means string) Key {
	return Key{Name: name, form: notBlank, Takes: takes, Example: example, Means: means}
}

func text(name, takes, unset, example, means string) Key {
	return Key{Name: name, Takes: takes, Unset: unset, Example: example, Means: means}
}

func texts(name, takes, unset, example, means string) Key {
	return Key{Name: name, list: true, shape: isTexts, Takes: "a list of " + takes, Unset: unset, Example: example, Means: means}
}

func mapping(name, unset, means string, keys []Key) Key {
	return Key{Name: name, shape: isMapping, Takes: "keys of its own", Unset: unset, Means: means, Keys: keys}
}

func mappings(name, unset, means string, keys []Key) Key {
	return Key{Name: name, list: true, shape: isMappings, Takes: "a list", Unset: unset, Means: means, Keys: keys}
}

func truth(name string, unset bool, means string) Key {
	k := Key{Name: name, shape: isTruth, Takes: "`true` or `false`", Unset: "`false`", Example: "true", Means: means}
	if unset {
		k.Unset, k.Example, k.unset = "`true`", "false", 1
	}
	return k
}

// orKeys lets a mapping stand in the place of the value.
func (k Key) orKeys(keys []Key) Key {
	k.Takes, k.Keys = k.Takes+", or keys of its own", keys
	return k
}

func number(name string, unset, from, to int64, example, means string) Key {
	return Key{Name: name, shape: isNumber, Takes: fmt.Sprintf("a whole number, %d to %d", from, to),
		Unset: fmt.Sprintf("`%d`", unset), Example: example, Means: means, from: from, to: to, unset: unset}
}

func duration(name string, unset, from, to time.Duration, example, means string) Key {
	k := Key{Name: name, shape: isSpan, Takes: fmt.Sprintf("a time span, %s to %s", span(from), span(to)),
		Unset: "`" + span(unset) + "`", Example: example, Means: means,
		from: int64(from), to: int64(to), unset: int64(unset)}
	if unset == 0 {
		k.Unset = "never"
	}
	return k
}

// of says which form its text has, or each text of its list.
func (k Key) of(form matcher) Key {
	k.form = form
	return k
}

// as says that something else than a text stands there.
func (k Key) as(what shape) Key {
	k.shape, k.form = what, nil
	return k
}

// with says that exactly one of the keys below it must be there.
func (k Key) with(one ...string) Key {
	k.one = one
	return k
}

// withAny says that one of the keys below it must be there, and not the first two.
func (k Key) withAny(keys ...string) Key {
	k.any = keys
	return k
}

// notBoth says of two of the keys below it that at most one may be there.
func (k Key) notBoth(a, b string) Key {
	k.both = []string{a, b}
	return k
}

func (k Key) notZero(why string) Key {
	k.noZero = why
	return k
}

func choice(name, means string, choices ...Choice) Key {
	takes := words(choices)
	unset, _, _ := strings.Cut(takes, ", ")
	return Key{Name: name, Takes: takes, Unset: unset, Example: choices[len(choices)-1].Word,
		Means: means, Choices: choices}
}

// words lists the choices. The function's every start makes these texts, each in one allocation.
func words(choices []Choice) string {
	size := 0
	for _, c := range choices {
		size += len(c.Word) + len("``, ")
	}
	var b strings.Builder
	b.Grow(size)
	for i, c := range choices {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteByte('`')
		b.WriteString(c.Word)
		b.WriteByte('`')
	}
	return b.String()
}

// atEach says why each project says it itself.
func (k Key) atEach(why string) Key {
	k.own = why
	return k
}

// atEachWord is atEach for one of the choices.
func (k Key) atEachWord(word string) Key {
	k.ownWord = word
	return k
}

// optional is a choice without a default.
func optional(name, unset, means string, choices ...Choice) Key {
	k := choice(name, means, choices...)
	k.Unset, k.open, k.Example = unset, true, choices[0].Word
	return k
}

func keyNames(keys []Key) []string {
	var list []string
	for _, k := range keys {
		list = append(list, k.Name)
	}
	return list
}

// key gives the table's entry of a key. It panics if there is none: then the
// reader reads what it would call unknown.
func (o object) key(name string) *Key {
	if k := find(o.keys, name); k != nil {
		return k
	}
	panic(fmt.Sprintf("settings: no table has the key %q of %q", name, o.path))
}

func find(keys []Key, name string) *Key {
	for i := range keys { // a key is large, and a file may have thousands of projects
		if keys[i].Name == name {
			return &keys[i]
		}
	}
	return nil
}

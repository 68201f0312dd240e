package guardrail

// The rules of heal: what holds for every remedy, whatever it changes.
const (
	ProjectNotListed Rule = "project-not-listed"
	NothingToDo      Rule = "nothing-to-do"
	Paused           Rule = "paused"
	RoundsUsedUp     Rule = "rounds-used-up"
	WritesPerRole    Rule = "writes-per-role"
	WritesPerHour    Rule = "writes-per-hour"
	RetriesPerHour   Rule = "retries-per-hour"
	RetryForbidden   Rule = "retry-forbidden"
	TakenBack        Rule = "taken-back"
	Declined         Rule = "declined"
	NewerBuild       Rule = "newer-build"
	NoRoute          Rule = "no-route"
	NotRepeatable    Rule = "not-repeatable"
	NoBuildspec      Rule = "no-buildspec"
	NoRepository     Rule = "no-repository"
	CaseTooLarge     Rule = "case-too-large"
	UndoneByPerson   Rule = "undone-by-a-person"
	CureDidNotHelp   Rule = "cure-did-not-help"
	KeyNotSent       Rule = "key-not-sent"
)

// The rules by guardrail, in the order in which the guardrails are applied.
const (
	// 1: whose denial it is.
	NotTheRole     Rule = "not-the-role"
	OtherAccount   Rule = "other-account"
	OtherPrincipal Rule = "other-principal"
	OtherBuild     Rule = "other-build"
	// 2: whose build it is.
	UntrustedBuild  Rule = "untrusted-build"
	OverriddenBuild Rule = "overridden-build"
	RunnerBuild     Rule = "runner-build"
	// 3: which layer denies.
	ExplicitDeny Rule = "explicit-deny"
	OtherLayer   Rule = "other-layer"
	OtherReason  Rule = "other-reason"
	Unconfirmed  Rule = "unconfirmed"
	AlreadyThere Rule = "already-there"
	// 4: what was denied.
	RecordedOtherwise Rule = "recorded-otherwise"
	UnknownAction     Rule = "unknown-action"
	HostileText       Rule = "hostile-text"
	UnknownResource   Rule = "unknown-resource"
	ForeignResource   Rule = "foreign-resource"
	UnfitResource     Rule = "unfit-resource"
	// 5: the floor.
	FloorNever    Rule = "floor-never"
	FloorExact    Rule = "floor-exact-name"
	FloorPassRole Rule = "floor-pass-role"
	FloorHealer   Rule = "floor-healer"
	// 6: the allowlist.
	NoGrantConfigured Rule = "no-grant-configured"
	NotAllowed        Rule = "not-on-allowlist"
	WeakEvidence      Rule = "weak-evidence"
	NoTrail           Rule = "no-cloudtrail-evidence"
	GrantExpired      Rule = "grant-expired"
	AttachGivesAll    Rule = "attach-gives-all"
	// 7: the whole.
	EscalationPath   Rule = "escalation-path"
	OpenTrust        Rule = "open-trust"
	PullRequests     Rule = "pull-requests"
	UnreadablePolicy Rule = "unreadable-policy"
	// 8: what IAM takes.
	ProtectedRole   Rule = "protected-role"
	NoBoundary      Rule = "no-boundary"
	ProtectedPolicy Rule = "protected-policy"
	NoTarget        Rule = "no-target"
	SharedPolicy    Rule = "shared-policy"
	PolicyTooLarge  Rule = "policy-too-large"
	TooManyPolicies Rule = "too-many-policies"
	VersionsFull    Rule = "versions-full"
	// 9: the proof.
	NotContained Rule = "not-contained"
	NotProved    Rule = "not-proved"
	Analyzer     Rule = "analyzer-finding"
)

// rules holds each rule with its page for `buildmedic explain`.
var rules = []struct {
	rule    Rule
	step    int    // of the guardrails; 0: heal's own
	explain string // what it means, in one sentence
	example string // a line of a log, an entry of the settings, or what happened
	change  string // what the owner can change
}{
	{ProjectNotListed, 0,
		"The settings do not list the project, so nothing is done for its builds.",
		"a build of project web, and no `name: web` under projects",
		"List the project under projects, at first with mode: observe. For another account or " +
			"region, name those too."},
	{NothingToDo, 0,
		"The build failed of no denial that a grant could cure.",
		"the only denial is in a command that the build went on after",
		"Nothing in the settings. Look at the evidence that the notice quotes."},
	{Paused, 0,
		"All changes are paused: by a person, or since five projects were within a day; or those of the project, since " +
			"too many had to be taken back.",
		"{\"pause\":{\"because\":\"audit\"}} was sent, or as many changes of the project were undone in a day as " +
			"limits.stop_after_undone says",
		"Look at why, then send {\"resume\":{}}, or {\"resume\":{\"project\":\"NAME\"}} for a project. To allow more " +
			"undone changes a day, raise limits.stop_after_undone."},
	{RoundsUsedUp, 0,
		"The commit was started again as often as limits.rounds allows.",
		"three builds of one commit failed, each of another denial, and limits.rounds is 3",
		"Raise limits.rounds, or start the build again yourself once the cause is gone."},
	{WritesPerRole, 0,
		"The role was changed as often today as limits.writes_per_role_per_day allows.",
		"limits: {writes_per_role_per_day: 3}, and a fourth change of the same role",
		"Look at what keeps changing the role, then raise limits.writes_per_role_per_day or wait " +
			"a day."},
	{WritesPerHour, 0,
		"All roles together were changed as often this hour as limits.writes_per_hour allows.",
		"limits: {writes_per_hour: 10}, and an eleventh change within the hour",
		"Raise limits.writes_per_hour, or replay the build in the next hour."},
	{RetriesPerHour, 0,
		"As many builds were started again this hour as limits.retries_per_hour allows.",
		"limits: {retries_per_hour: 60}, and a 61st build to start within the hour",
		"Raise limits.retries_per_hour, or start the build by hand."},
	{RetryForbidden, 0,
		"The project has retry: false, so its builds are never started again.",
		"projects: [{name: web, retry: false}], and a registry that answered 429",
		"Take retry: false off the project, or start the build by hand."},
	{TakenBack, 0,
		"It was given to this commit and did not help, so only a person's replay gives it again.",
		"a grant did not help and was undone, and the same commit is denied the same again",
		"Find what else refuses. Then replay the build: buildmedic replay -apply BUILD, or " +
			"{\"replay\":{\"build\":…}}."},
	{Declined, 0,
		"A pull request asked for it in the code that owns the role's policy, and a person closed it unmerged.",
		"write: {code: {github: example/shop, path: aws/policy.json}}, and example/shop#12 was closed",
		"If it is wanted after all, reopen and merge that request, or change the grant: then it is asked for anew. If not, " +
			"take the grant off the project."},
	{NewerBuild, 0,
		"What the build lacked was deployed after a while, and a newer build of its branch, tag or pipeline had begun by then.",
		"a build of main failed on Monday, another on Tuesday, and the pull request was merged on Wednesday",
		"Nothing in the settings. If the older build is wanted all the same, start it by hand."},
	{UndoneByPerson, 0,
		"A person took this grant back, which holds for the project and for its role until a person lifts it.",
		"{\"undo\":{\"case\":…}} took grant web-upload back, and a later commit of web is denied the same",
		"If it is wanted again, lift it: buildmedic resume -project PROJECT -grant GRANT, or " +
			"{\"resume\":{\"project\":…,\"grant\":…}}. Then replay the build. If not, take the grant off the project."},
	{CureDidNotHelp, 0,
		"Another build failed of the same, was given the same, and failed again, so it is not tried for this one.",
		"twenty builds of one role were denied the same; one was given it and failed again, and the others waited for that",
		"Look at the case that the refusal names, and find what else refuses. Then replay the build: buildmedic replay " +
			"-apply BUILD, or {\"replay\":{\"build\":…}}."},
	{KeyNotSent, 0,
		"The grant is for the project's builds only, and the denied service may not say in its requests of which project's " +
			"build they are, so the grant does not hold there.",
		"IAM's simulator allows kms:Sign with codebuild:projectArn and not without it, and KMS denied it again all the same",
		"Write unscoped: approve at the grant, and what it gives of that service is offered for everybody who runs as the " +
			"role; or scope: role, and it is given so. Or give the project a role of its own."},
	{NoRoute, 0,
		"There is no way to start this build again as the remedy needs it.",
		"a build that a batch started needs another buildspec, which a batch cannot be given",
		"Start the build by hand, or let the project start its builds in a way that can be " +
			"repeated."},
	{NotRepeatable, 0,
		"A new build would not have all settings that the failed one had, so none is started.",
		"a build that was started with another image, which no buildspec or role is changed for",
		"Start the build by hand with what it overrode, or give the project the same settings."},
	{NoBuildspec, 0,
		"The settings list no other path of the buildspec that was not tried yet.",
		"buildspecs: [ci/buildspec.yml], and the build finds neither that nor its own",
		"List the right path under the project's buildspecs."},
	{NoRepository, 0,
		"No grant of the project allows creating exactly this repository.",
		"name unknown: the repository \"shop\" does not exist, and no grant with create: true names " +
			"it",
		"Name the repository in a grant's resources and write create: true; or create it by hand."},

	{CaseTooLarge, 0,
		"The ledger keeps no more of one case: too many changes and retries, or too large ones.",
		"one commit led to 24 changes and retries, or to several policies of the largest size that stand",
		"Nothing in the settings. Act by hand, or undo the case's changes and replay the build a day " +
			"later; a new commit is a new case."},
	{NotTheRole, 1,
		"The role is not the build record's service role as the settings name it.",
		"projects: [{name: web, role: web-build}], and the build ran as other-role",
		"Correct role in the settings, with its path, or the project's service role in CodeBuild."},
	{OtherAccount, 1,
		"The denied principal belongs to another account or partition.",
		"User: arn:aws:sts::444455556666:assumed-role/deploy/s is not authorized to perform: " +
			"s3:GetObject",
		"Give the permission in the account of the role that was denied. A grant cannot."},
	{OtherPrincipal, 1,
		"Somebody other than the build's service role and the listed other roles was denied.",
		"User: arn:aws:iam::111122223333:user/ci is not authorized to perform: s3:PutObject",
		"Give the permission to whom AWS denied it: a role that the build assumes, or a user " +
			"whose keys it uses. If the project deploys with the role, list it under also_roles; the notice prints the entry."},
	{OtherBuild, 1,
		"The denied session is not this build's own.",
		"assumed-role/web-build/AWSCodeBuild-<uuid of another build> is not authorized to " +
			"perform: s3:PutObject",
		"Nothing in the settings. The log quotes another build's failure: look for this build's " +
			"own."},
	{UntrustedBuild, 2,
		"Builds of pull requests and of unknown references are explained, and nothing is changed " +
			"for them.",
		"a build of pr/25, or one that a webhook started for a commit alone",
		"Nothing in the settings. Push the change to a branch or tag of the repository and let " +
			"that build fail."},
	{OverriddenBuild, 2,
		"The build had another source, buildspec, service role or image than its project has.",
		"aws codebuild start-build --project-name shop --image-override example/tools:1, and the project has another image",
		"Start the build without what it overrode, or give the project the same: what fails then can be healed. A buildspec may be " +
			"listed under the project's buildspecs."},
	{RunnerBuild, 2,
		"The build ran a job of the code host's own pipelines, which another start of the build would not run again.",
		"runner: true, or a webhook of the project with the event WORKFLOW_JOB_QUEUED",
		"Nothing in the settings: any workflow of any branch or fork may choose what such a build runs. Run the job again at the code " +
			"host. Have it assume a role of its own for what it needs."},
	{ExplicitDeny, 3,
		"A policy denies explicitly, and no allow beats that.",
		"is not authorized to perform: s3:PutObject on resource: … with an explicit deny in an " +
			"identity-based policy",
		"Find the Deny statement in the policy that the notice names, and have its owner narrow " +
			"it."},
	{OtherLayer, 3,
		"Another layer than the role's own policies denies, and no grant cures that.",
		"because no service control policy allows the ec2:CreateVpc action",
		"Ask the owner of the layer that the notice names: organization, boundary, resource, VPC " +
			"endpoint or session."},
	{OtherReason, 3,
		"AWS says why it refused, and the reason is no missing allow of a policy that is known here.",
		"Access Denied because object protected by object lock",
		"Read the reason that the notice quotes, and cure that. Nothing in the settings."},
	{Unconfirmed, 3,
		"The text alone does not prove that the role lacks the permission, and the simulator does " +
			"not confirm it.",
		"AccessDenied: Access Denied (without a principal), and the simulator says that the role " +
			"may do it",
		"Nothing in the settings. If the permission is missing, add it to the role by hand."},
	{AlreadyThere, 3,
		"The role's policy allows it already, and yet it is denied: something else refuses.",
		"inline policy healed allows s3:PutObject on the bucket already, and S3 still answers 403",
		"Look for a boundary, a service control policy, a bucket policy or a condition that " +
			"denies it."},
	{RecordedOtherwise, 4,
		"AWS's own record of the request says something else than the log.",
		"the text has the authorization ID of a denied iam:GetPolicy, and says that iam:GetRole was denied",
		"Nothing in the settings. AWS does not print that: see who wrote the line into the log."},
	{UnknownAction, 4,
		"The text names no action that IAM knows.",
		"is not authorized to perform: s3:PutObjekt",
		"Nothing in the settings. Find in CloudTrail which action was denied, and add that by " +
			"hand."},
	{HostileText, 4,
		"The text is not what AWS prints: a wildcard, a policy variable, a control character or " +
			"too long a name.",
		"is not authorized to perform: s3:* on resource: arn:aws:s3:::${aws:username}/*",
		"Nothing in the settings. AWS does not print that: see who wrote the line into the log."},
	{UnknownResource, 4,
		"The resource is missing, masked or cut, and is never guessed.",
		"is not authorized to perform: s3:PutObject on resource: arn:aws:s3:::***/app.js",
		"Write give: set in the grant, so that its own resources are given whatever the text " +
			"says; or add it by hand."},
	{ForeignResource, 4,
		"The resource belongs to another account or partition.",
		"on resource: arn:aws:ecr:eu-west-1:444455556666:repository/shop, in a build of account " +
			"111122223333",
		"Give the permission by hand, on the role and in the other account's resource policy."},
	{UnfitResource, 4,
		"The action does not take such a resource.",
		"is not authorized to perform: s3:ListBucket on resource: arn:aws:s3:::bucket/key",
		"Nothing in the settings. The text pairs an action with a resource that it does not take; " +
			"add what is right by hand."},
	{FloorNever, 5,
		"The action is never granted, whatever the settings say.",
		"is not authorized to perform: iam:PutRolePolicy",
		"Nothing in the settings. Add it by hand, if builds are to have it at all."},
	{FloorExact, 5,
		"The action runs code or hands on an identity, so it is granted only by its exact name on " +
			"an exact resource.",
		"actions: [\"lambda:Update*\"] in a grant, and lambda:UpdateFunctionCode was denied",
		"Write the exact action and an exact resource in the grant: no * in either."},
	{FloorPassRole, 5,
		"A role may be passed only if a grant lists exactly it under pass_roles.",
		"is not authorized to perform: iam:PassRole on resource: " +
			"arn:aws:iam::111122223333:role/app-task",
		"Name exactly that role in a grant's pass_roles, under the service that it is passed to."},
	{FloorHealer, 5,
		"The grant would reach the healer's own parts, or write to what it is deployed from, or to a repository of CodeCommit " +
			"from which a role's policy is deployed.",
		"a grant whose resources match the healer's own table, queue, topic or role, or the bucket where its code lies",
		"Narrow the grant's resources so that they leave the healer, and those repositories, out."},
	{NoGrantConfigured, 6,
		"The settings name no grant for the project.",
		"projects: [{name: web, mode: heal}] without grants",
		"Add a grant to the project's grants; the notice prints the entry."},
	{NotAllowed, 6,
		"No grant of the project allows the action on the resource.",
		"s3:PutObject on arn:aws:s3:::logs/x was denied, and the only grant is for " +
			"arn:aws:s3:::dist/*",
		"Add the action and the resource to a grant of the project; the notice prints the entry."},
	{WeakEvidence, 6,
		"The grant asks for better evidence than the denial has.",
		"evidence: phase in the grant, and only the log shows the denial",
		"Lower evidence in the grant to log, if whoever can write to the log may have the grant. For evidence: " +
			"authorization, replay the build within a day if AWS's record came late."},
	{NoTrail, 6,
		"The grant asks for CloudTrail's confirmation, which is not there yet.",
		"evidence: cloudtrail in the grant, and CloudTrail shows no such denial yet",
		"Wait, or raise limits.cloudtrail_wait; or ask for less with evidence: decoded, phase or " +
			"log."},
	{GrantExpired, 6,
		"The grant was given and has expired; only its owner renews it.",
		"expires: 30d in the grant, which was given 31 days ago",
		"Make it permanent in your own code; or delete the ended statement from the policy, and " +
			"the grant is new."},
	{AttachGivesAll, 6,
		"A ready-made policy gives all of its grant and for good, and the grant does not say so.",
		"write: {attach: true}, and a grant with give: exact or with expires",
		"Write give: set and no expires in the grant; or write: {inline: NAME} in the project."},
	{EscalationPath, 7,
		"Old and new permissions together would open a known privilege-escalation path.",
		"the role may lambda:CreateFunction already, and the grant adds iam:PassRole",
		"Take from the role, or from the grant, one of the permissions that the notice names."},
	{OpenTrust, 7,
		"Strangers may assume the role, and would get what it is given; or somebody of another account may, of a role " +
			"under also_roles.",
		"the role's trust policy names \"Principal\": \"*\", or anybody of an OIDC provider",
		"Narrow the role's trust policy to codebuild.amazonaws.com; that of another role to services and its own account."},
	{PullRequests, 7,
		"The settings say that pull requests are built as another role, and CodeBuild says otherwise.",
		"pull_requests: separate-role, and the webhook of a project on the same role starts builds of pull requests",
		"Build pull requests as another role; or write pull_requests: accept in the project if they " +
			"may have it."},
	{UnreadablePolicy, 7,
		"A policy of the role cannot be read, so the whole cannot be judged.",
		"a policy of the role holds an element that IAM takes and this program does not know",
		"Bring the policy that the notice names into a usual form, or take it off the role."},
	{ProtectedRole, 8,
		"The role belongs to AWS or to a template and must not be changed.",
		"role: aws-service-role/codebuild.amazonaws.com/AWSServiceRoleForCodeBuild",
		"Give the project a service role of its own."},
	{NoBoundary, 8,
		"The role does not carry the permissions boundary that the settings ask for.",
		"boundary: build-boundary in the project, and the role has none",
		"Put the boundary on the role, or take boundary out of the settings."},
	{ProtectedPolicy, 8,
		"The policy belongs to AWS or to the CodeBuild console and must not be changed.",
		"write: {managed: service-role/CodeBuildBasePolicy-web-eu-west-1}",
		"Write inline: NAME, or name a managed policy of your own."},
	{NoTarget, 8,
		"The policy that the settings name to write to is not there or not on the role.",
		"write: {managed: web-policy}, and there is no such policy on the role",
		"Create the policy and attach it to the role, or write: {inline: NAME}."},
	{VersionsFull, 8,
		"The managed policy has all the versions that IAM takes, and the settings do not let one go.",
		"write: {managed: web-policy, versions: keep}, and web-policy has five versions",
		"Delete a version that nobody needs, or write versions: drop-oldest: its document is kept with the case then."},
	{SharedPolicy, 8,
		"Other principals use the policy too, and the settings do not say that this is meant.",
		"write: {managed: builds}, and role api-build uses that policy too",
		"Name a policy of the role's own, or write shared: true if all of its users may have the " +
			"grant."},
	{PolicyTooLarge, 8,
		"The policy would be larger than IAM takes.",
		"an inline policy that would have 10,300 characters; IAM takes 10,240 in all of a role",
		"Move statements into a managed policy, or use wider resources in the grant."},
	{TooManyPolicies, 8,
		"The role would have more policies than IAM takes.",
		"write: {attach: true}, and ten policies are on the role already",
		"Detach a policy, have the quota raised, or write: {inline: NAME}."},
	{NotContained, 9,
		"What would be written is not contained in what was there and the settings together.",
		"the merged document would allow something that neither the old one nor the settings " +
			"allow",
		"Nothing in the settings. This is a second check of the program's own work: report it as " +
			"a bug."},
	{NotProved, 9,
		"The simulator does not say that the change would cure the denial.",
		"with the grant written, the simulator still answers implicitDeny",
		"Look for a Deny statement or a condition key that the simulator takes into account."},
	{Analyzer, 9,
		"IAM Access Analyzer objects to what would be written.",
		"limits: {access_analyzer: true}, and ValidatePolicy reports a finding",
		"Change what the finding says in the policy or the grant, or turn limits.access_analyzer " +
			"off."},
}

// Rules lists every rule: first heal's own, then those of the guardrails in
// their order.
var Rules = func() (all []Rule) {
	for _, r := range rules {
		all = append(all, r.rule)
	}
	return all
}()

var ruleOrder = func() map[Rule]int {
	m := map[Rule]int{}
	for i, r := range rules {
		m[r.rule] = i
	}
	return m
}()

// Explain gives the rule in one sentence; "" for one that is not in [Rules].
func (r Rule) Explain() string {
	if i, ok := ruleOrder[r]; ok {
		return rules[i].explain
	}
	return ""
}

// Example is what the rule refuses: a line of a log, an entry of the settings, or
// what happened.
func (r Rule) Example() string {
	if i, ok := ruleOrder[r]; ok {
		return rules[i].example
	}
	return ""
}

// Change is what the owner can change, in whole sentences.
func (r Rule) Change() string {
	if i, ok := ruleOrder[r]; ok {
		return rules[i].change
	}
	return ""
}

// Step is the guardrail that the rule belongs to, 1 to 9; 0 for heal's own.
func (r Rule) Step() int {
	if i, ok := ruleOrder[r]; ok {
		return rules[i].step
	}
	return 0
}

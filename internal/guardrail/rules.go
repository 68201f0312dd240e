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
	NoRoute          Rule = "no-route"
	NoBuildspec      Rule = "no-buildspec"
	NoRepository     Rule = "no-repository"
)

// The rules by guardrail, in the order in which the guardrails are applied.
const (
	// 1: whose denial it is.
	NotTheRole     Rule = "not-the-role"
	OtherAccount   Rule = "other-account"
	OtherPrincipal Rule = "other-principal"
	OtherBuild     Rule = "other-build"
	// 2: whose build it is.
	UntrustedBuild Rule = "untrusted-build"
	// 3: which layer denies.
	ExplicitDeny Rule = "explicit-deny"
	OtherLayer   Rule = "other-layer"
	Unconfirmed  Rule = "unconfirmed"
	AlreadyThere Rule = "already-there"
	// 4: what was denied.
	UnknownAction   Rule = "unknown-action"
	HostileText     Rule = "hostile-text"
	UnknownResource Rule = "unknown-resource"
	ForeignResource Rule = "foreign-resource"
	UnfitResource   Rule = "unfit-resource"
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
	UnreadablePolicy Rule = "unreadable-policy"
	// 8: what IAM takes.
	ProtectedRole   Rule = "protected-role"
	NoBoundary      Rule = "no-boundary"
	ProtectedPolicy Rule = "protected-policy"
	NoTarget        Rule = "no-target"
	SharedPolicy    Rule = "shared-policy"
	PolicyTooLarge  Rule = "policy-too-large"
	TooManyPolicies Rule = "too-many-policies"
	// 9: the proof.
	NotContained Rule = "not-contained"
	NotProved    Rule = "not-proved"
	Analyzer     Rule = "analyzer-finding"
)

var rules = []struct {
	rule    Rule
	step    int // of the guardrails; 0: heal's own
	explain string
}{
	{ProjectNotListed, 0, "The settings do not list the project, so nothing is done for its builds."},
	{NothingToDo, 0, "The build failed of no denial that a grant could cure."},
	{Paused, 0, "All changes are paused: by a person, or since too many had to be taken back within a day."},
	{RoundsUsedUp, 0, "The commit was started again as often as limits.rounds allows."},
	{WritesPerRole, 0, "The role was changed as often today as limits.writes_per_role_per_day allows."},
	{WritesPerHour, 0, "All roles together were changed as often this hour as limits.writes_per_hour allows."},
	{RetriesPerHour, 0, "As many builds were started again this hour as limits.retries_per_hour allows."},
	{RetryForbidden, 0, "The project has retry: false, so its builds are never started again."},
	{TakenBack, 0, "It was given to this commit and taken back, so only a person's replay gives it again."},
	{NoRoute, 0, "There is no way to start this build again as the remedy needs it."},
	{NoBuildspec, 0, "The settings list no other path of the buildspec that was not tried yet."},
	{NoRepository, 0, "No grant of the project allows creating exactly this repository."},

	{NotTheRole, 1, "The role is not the build record's service role as the settings name it."},
	{OtherAccount, 1, "The denied principal belongs to another account or partition."},
	{OtherPrincipal, 1, "Somebody other than the build's service role was denied."},
	{OtherBuild, 1, "The denied session is not this build's own."},
	{UntrustedBuild, 2, "Builds of pull requests and of unknown references are explained, and nothing is changed for them."},
	{ExplicitDeny, 3, "A policy denies explicitly, and no allow beats that."},
	{OtherLayer, 3, "Another layer than the role's own policies denies, and no grant cures that."},
	{Unconfirmed, 3, "The text alone does not prove that the role lacks the permission, and the simulator does not confirm it."},
	{AlreadyThere, 3, "The role's policy allows it already, and yet it is denied: something else refuses."},
	{UnknownAction, 4, "The text names no action that IAM knows."},
	{HostileText, 4, "The text is not what AWS prints: a wildcard, a policy variable, a control character or too long a name."},
	{UnknownResource, 4, "The resource is missing, masked or cut, and is never guessed."},
	{ForeignResource, 4, "The resource belongs to another account or partition."},
	{UnfitResource, 4, "The action does not take such a resource."},
	{FloorNever, 5, "The action is never granted, whatever the settings say."},
	{FloorExact, 5, "The action runs code or hands on an identity, so it is granted only by its exact name on an exact resource."},
	{FloorPassRole, 5, "A role may be passed only if a grant lists exactly it under pass_roles."},
	{FloorHealer, 5, "The grant would reach the healer's own parts."},
	{NoGrantConfigured, 6, "The settings name no grant for the project."},
	{NotAllowed, 6, "No grant of the project allows the action on the resource."},
	{WeakEvidence, 6, "The grant asks for better evidence than the denial has."},
	{NoTrail, 6, "The grant asks for CloudTrail's confirmation, which is not there yet."},
	{GrantExpired, 6, "The grant was given and has expired; only its owner renews it."},
	{AttachGivesAll, 6, "A ready-made policy gives all of its grant and for good, and the grant does not say so."},
	{EscalationPath, 7, "Old and new permissions together would open a known privilege-escalation path."},
	{OpenTrust, 7, "Strangers may assume the role, and would get what it is given."},
	{UnreadablePolicy, 7, "A policy of the role cannot be read, so the whole cannot be judged."},
	{ProtectedRole, 8, "The role belongs to AWS or to a template and must not be changed."},
	{NoBoundary, 8, "The role does not carry the permissions boundary that the settings ask for."},
	{ProtectedPolicy, 8, "The policy belongs to AWS or to the CodeBuild console and must not be changed."},
	{NoTarget, 8, "The policy that the settings name to write to is not there or not on the role."},
	{SharedPolicy, 8, "Other principals use the policy too, and the settings do not say that this is meant."},
	{PolicyTooLarge, 8, "The policy would be larger than IAM takes."},
	{TooManyPolicies, 8, "The role would have more policies than IAM takes."},
	{NotContained, 9, "What would be written is not contained in what was there and the settings together."},
	{NotProved, 9, "The simulator does not say that the change would cure the denial."},
	{Analyzer, 9, "IAM Access Analyzer objects to what would be written."},
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

// Step is the guardrail that the rule belongs to, 1 to 9; 0 for heal's own.
func (r Rule) Step() int {
	if i, ok := ruleOrder[r]; ok {
		return rules[i].step
	}
	return 0
}

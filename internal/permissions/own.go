package permissions

import (
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/settings"
)

// Anywhere is every action that is allowed on "*", and why it must be.
var Anywhere = map[string]string{
	"access-analyzer:CheckNoNewAccess": "Access Analyzer's checks compare documents that are sent along; they take no resource.",
	"access-analyzer:ValidatePolicy":   "Access Analyzer's checks read documents that are sent along; they take no resource.",
	"cloudtrail:LookupEvents":          "The look-up takes no resource; it reads management events only.",
	"iam:GetRequestAuthorizationDetails": "AWS's record of a denied request is found by the ID in its message; it is no resource. " +
		"It tells of any denied request of the account.",
	"iam:SimulateCustomPolicy": "The simulator reads documents that are sent along; they take no resource. It tells nothing of " +
		"what is on anybody.",
	"sts:DecodeAuthorizationMessage": "Decoding takes no resource.",
	"xray:PutTelemetryRecords":       "X-Ray's writing of traces takes no resource.",
	"xray:PutTraceSegments":          "X-Ray's writing of traces takes no resource.",
}

// Parts are the hub's own parts. All but Place are ARNs.
type Parts struct {
	Place
	Table, Topic, Key, Queue, FollowUps, Cures, LogGroup string
}

// own is what the function needs for its own parts.
func own(parts Parts, s *settings.Settings) []Permission {
	ps := []Permission{
		allow("Queue", "Messages are taken from its own queues, and put there to come back to a case later.",
			[]string{"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:SendMessage"},
			[]string{parts.Queue, parts.FollowUps, parts.Cures}),
		allow("Ledger", "Cases, claims, leases and the audit are items of its own table.",
			[]string{"dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"}, []string{parts.Table}),
		allow("LedgerDue", "What is due is found by the table's index.",
			[]string{"dynamodb:Query"}, []string{parts.Table + "/index/" + DueIndex}),
		allow("Notices", "Notices go to its own topic.", []string{"sns:Publish"}, []string{parts.Topic}),
		allow("NoticesKey", "The topic is encrypted with this key.", []string{"kms:Decrypt", "kms:GenerateDataKey"}, []string{parts.Key}),
		allow("OwnLog", "It writes its own log; the group is the stack's.",
			[]string{"logs:CreateLogStream", "logs:PutLogEvents"}, []string{parts.LogGroup + ":log-stream:*"}),
		allow("Traces", Anywhere["xray:PutTraceSegments"], []string{"xray:PutTraceSegments", "xray:PutTelemetryRecords"}, []string{"*"}),
	}
	if s.ReachesGitHub() {
		ps = append(ps, codeHost(parts.Place, s.Code.GitHub))
	}
	ps = append(ps, owners(parts.Place, s)...)
	var roles []string
	for _, id := range Members(s) {
		roles = append(roles, Place{parts.Partition, id, ""}.IAM("role/"+MemberRole))
	}
	if len(roles) > 0 {
		ps = append(ps, allow("Members", "In a member account it acts as the role that the member's stack made for it.",
			[]string{"sts:AssumeRole"}, roles))
	}
	return ps
}

// codeHost is what reading the credentials for GitHub needs, where they are.
func codeHost(at Place, g *settings.GitHub) Permission {
	action, arn := "secretsmanager:GetSecretValue", g.Secret
	switch {
	case strings.HasPrefix(g.Parameter, "arn:"):
		action, arn = "ssm:GetParameter", g.Parameter
	case g.Parameter != "":
		action, arn = "ssm:GetParameter", at.ARN("ssm", "parameter/"+strings.TrimPrefix(g.Parameter, "/"))
	case !strings.HasPrefix(arn, "arn:"):
		// One of which only the name is known ends in six characters that Secrets Manager has chosen
		// (AWS.md#secrets).
		arn = at.ARN("secretsmanager", "secret:"+arn+"-??????")
	}
	return allow("CodeHost", "The credentials are read with which developers are told at their code host, and asked there for "+
		"what a role may be given.", []string{action}, []string{arn})
}

// owners is what telling the owners needs: the stack's topics for them, and exactly the topics and
// keys of their own that they name.
func owners(at Place, s *settings.Settings) (ps []Permission) {
	var topics, keys []string
	ours := false
	for _, o := range s.Notify.Owners {
		if o.Topic != "" && !slices.Contains(topics, o.Topic) {
			topics = append(topics, o.Topic)
		}
		if o.Key != "" && !slices.Contains(keys, o.Key) {
			keys = append(keys, o.Key)
		}
		ours = ours || o.Topic == ""
	}
	if ours {
		topics = append([]string{at.ARN("sns", settings.OwnerTopics+"*")}, topics...)
	}
	if len(topics) > 0 {
		ps = append(ps, allow("Owners", "Each owner is told on a topic of the stack, or on one of its own.",
			[]string{"sns:Publish"}, topics))
	}
	if len(keys) > 0 {
		ps = append(ps, allow("OwnersKeys", "An owner's own topic is encrypted with this key.",
			[]string{"kms:Decrypt", "kms:GenerateDataKey"}, keys))
	}
	return ps
}

// general is what looking after any of the projects needs. They are of one
// account. It is empty without projects.
func general(s *settings.Settings, projects []settings.Project, home Place) []Permission {
	if len(projects) == 0 {
		return nil
	}
	ps := []Permission{
		allow("Decode", Anywhere["sts:DecodeAuthorizationMessage"], []string{"sts:DecodeAuthorizationMessage"}, []string{"*"}),
	}
	roles := settings.Roles(projects)
	if slices.ContainsFunc(roles, judged) {
		at := home.place(projects[0])
		ps = append(ps, allow("AttachedPolicies",
			"To tell what a service role may do, the managed policies on it are read, and so is its boundary. "+
				"Which these are is known only then, so any may be read.",
			[]string{"iam:GetPolicy", "iam:GetPolicyVersion"},
			[]string{Place{at.Partition, "aws", ""}.IAM("policy/*"), at.IAM("policy/*")}))
	}
	if slices.ContainsFunc(roles, bridged) {
		ps = append(ps, allow("Documents", Anywhere["iam:SimulateCustomPolicy"], []string{"iam:SimulateCustomPolicy"}, []string{"*"}))
	}
	if s.Limits.Analyzer && slices.ContainsFunc(roles, granted) {
		ps = append(ps, allow("Analyzer", Anywhere["access-analyzer:ValidatePolicy"],
			[]string{"access-analyzer:ValidatePolicy", "access-analyzer:CheckNoNewAccess"}, []string{"*"}))
	}
	if slices.ContainsFunc(roles, s.Witnessed) {
		ps = append(ps, allow("Trail", Anywhere["cloudtrail:LookupEvents"], []string{"cloudtrail:LookupEvents"}, []string{"*"}))
	}
	if slices.ContainsFunc(roles, s.Recorded) {
		ps = append(ps, allow("Authorizations", Anywhere["iam:GetRequestAuthorizationDetails"],
			[]string{"iam:GetRequestAuthorizationDetails"}, []string{"*"}))
	}
	return ps
}

// denials are what the function denies itself, whatever else is attached to
// its role by mistake.
func denials(partition string) []Permission {
	everywhere := Place{partition, "*", ""}
	return []Permission{
		deny("NeverItself", "Its own roles and ready-made policies are what holds it; it never changes them.",
			[]string{"iam:Add*", "iam:Attach*", "iam:Create*", "iam:Delete*", "iam:Detach*", "iam:PassRole", "iam:Put*",
				"iam:Remove*", "iam:Set*", "iam:Tag*", "iam:Untag*", "iam:Update*"},
			[]string{everywhere.IAM("role/" + Prefix + "*"), everywhere.IAM("policy" + Path + "*")}),
		deny("NeverBoundaryOrTrust", "Boundaries, trust and the tags that other policies may go by are the owner's "+
			"alone. It makes and deletes no roles or policies.",
			[]string{"iam:CreatePolicy", "iam:CreateRole", "iam:CreateServiceLinkedRole", "iam:DeletePolicy",
				"iam:DeleteRole", "iam:DeleteRolePermissionsBoundary",
				"iam:PutRolePermissionsBoundary", "iam:TagPolicy", "iam:TagRole", "iam:UntagPolicy", "iam:UntagRole",
				"iam:UpdateAssumeRolePolicy", "iam:UpdateRole", "iam:UpdateRoleDescription"},
			[]string{"*"}),
		deny("NeverUsersGroupsKeys", "It heals roles. Users, groups, access keys, identity providers, and who may "+
			"use an encryption key are none of its business.",
			[]string{"iam:*AccessKey*", "iam:*AccountAlias*", "iam:*AccountPasswordPolicy*", "iam:*Group*",
				"iam:*InstanceProfile*", "iam:*LoginProfile*", "iam:*MFADevice*",
				"iam:*OpenIDConnectProvider*", "iam:*SAMLProvider*", "iam:*SSHPublicKey*", "iam:*ServerCertificate*",
				"iam:*ServiceSpecificCredential*", "iam:*SigningCertificate*", "iam:*User*", "iam:ChangePassword",
				"kms:CreateGrant", "kms:DisableKey", "kms:PutKeyPolicy", "kms:ReplicateKey", "kms:RetireGrant",
				"kms:RevokeGrant", "kms:ScheduleKeyDeletion"},
			[]string{"*"}),
	}
}

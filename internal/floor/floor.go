// Package floor says what every grant is held to, whatever the settings say:
// the floor, which no setting lowers, and the sets, which name actions that
// belong together. Settings and guardrails both ask it, so that neither can
// allow what the other refuses. It is pure.
package floor

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/iamref"
)

//go:embed exactonly.txt
var exactOnlyText string

// exactOnly reports whether the action is granted by exact name only.
func exactOnly(action string) bool {
	service, name, _ := strings.Cut(action, ":")
	_, names, _ := strings.Cut(exactOnlyText, "\n"+strings.ToLower(service)+": ")
	names, _, _ = strings.Cut(names, "\n")
	for n := range strings.FieldsSeq(names) {
		if strings.EqualFold(n, name) {
			return true
		}
	}
	return false
}

// governing are the services in which nothing but reading is ever granted:
// they say who may do what, who is who, and who pays.
var governing = []string{
	"account", "account-access", "aws-portal", "billing", "budgets", "consolidatedbilling", "controltower", "iam", "identity-sync",
	"identitystore", "invoicing", "iq-permission", "mpa", "organizations", "payments", "purchase-orders", "ram", "rolesanywhere",
	"signin", "sso", "sso-directory", "tax",
}

// accessWords name settings of access in actions that the service reference
// counts as plain writes.
var accessWords = []string{
	"Permission", "AccountSetting", "AccountAccess", "OrganizationsAccess", "OrganizationAccess", "AccessGrant", "TrustAnchor",
}

// harmlessPolicies are the kinds of policy that say nothing about access. A
// write to any other policy is never granted.
var harmlessPolicies = []string{
	"Backup", "Cache", "ContinuousDeployment", "Cors", "Index", "Lifecycle", "LoadBalancer", "Metric", "OriginRequest",
	"PolicyGeneration", "Resilien", "ResponseHeaders", "Retention", "Scaling", "Scheduling", "Stickiness", "StorageTier",
	"Tape", "Termination", "Traffic",
}

// PassRole is the action that hands a role to a service.
const PassRole = "iam:PassRole"

// Conditions are those under which alone the action is granted; nil for most.
// Not for [PassRole], whose condition depends on the grant.
func Conditions(action string) []iampolicy.Condition {
	a, _ := iamref.Lookup(action)
	c, ok := bound[a.Name]
	if !ok {
		return nil
	}
	c.Values.List = slices.Clone(c.Values.List)
	return []iampolicy.Condition{c}
}

// bound are the actions that are granted only under a condition that keeps
// them to their purpose (AWS.md#permission-sets). iam:PassRole is not among them: its
// condition depends on the grant.
var bound = map[string]iampolicy.Condition{
	"ec2:CreateNetworkInterfacePermission": equals("ec2:AuthorizedService", "codebuild.amazonaws.com"),
	"sts:GetServiceBearerToken":            equals("sts:AWSServiceName", "codeartifact.amazonaws.com"),
}

func equals(key, value string) iampolicy.Condition {
	return iampolicy.Condition{Operator: "StringEquals", Key: key, Values: iampolicy.Values{List: []string{value}}}
}

// Hardness is how hard the floor is for an action.
type Hardness int

// From soft to hard.
const (
	Free      Hardness = iota // the settings alone decide
	ExactName                 // by exact action and exact resource only
	PassRoles                 // [PassRole]: no action of a grant, only its pass_roles brings it in
	Never
)

// Of tells how hard the floor is for an action, and why in one sentence; ""
// if it is [Free].
func Of(action string) (Hardness, string) {
	a, ok := iamref.Lookup(action)
	if !ok {
		return Never, "IAM knows no such action."
	}
	service, name, _ := strings.Cut(a.Name, ":")
	_, conditioned := bound[a.Name]
	switch {
	case a.Name == PassRole:
		return PassRoles, PassRole + " is given only for the exact roles under a grant's pass_roles."
	case conditioned:
		return Free, ""
	case a.Level == iamref.Permissions:
		return Never, fmt.Sprintf("%s manages permissions and is never granted.", a.Name)
	case exactOnly(a.Name) && len(a.Resources) == 0:
		return Never, fmt.Sprintf("%s runs code or hands on an identity and takes no resource, so it cannot be "+
			"limited and is never granted.", a.Name)
	case exactOnly(a.Name):
		return ExactName, fmt.Sprintf("%s runs code or hands on an identity, so the grant must name the exact "+
			"resource, without wildcards.", a.Name)
	case a.Level == iamref.Read || a.Level == iamref.List:
		return Free, ""
	case slices.Contains(governing, service):
		return Never, fmt.Sprintf("%s writes to %s and is never granted.", a.Name, service)
	case setsAccess(name):
		return Never, fmt.Sprintf("%s changes who has access and is never granted.", a.Name)
	}
	return Free, ""
}

// setsAccess judges a write by its name.
func setsAccess(name string) bool {
	has := func(word string) bool { return strings.Contains(name, word) }
	if slices.ContainsFunc(accessWords, has) {
		return true
	}
	return (has("Policy") || has("Policies")) && !slices.ContainsFunc(harmlessPolicies, has)
}

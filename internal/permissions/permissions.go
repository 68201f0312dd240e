// Package permissions renders, from the settings, what the function may do in
// AWS: the statements of its own role, of the role that it assumes in member
// accounts, and of the ready-made policies that it may attach. Each statement
// carries the reason for which it is there.
//
// It is pure, and free of any deployment tool: ARNs are put together from
// strings that may be literal or the placeholders of one. Whatever the
// settings do not name is not in any statement, so the function cannot reach
// beyond the settings even where its code is wrong.
package permissions

import (
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// The names of the stack's parts. Roles whose names begin with Prefix, and
// managed policies under Path, are the healer's own: a statement denies it
// every change of them.
const (
	Prefix     = "buildmedic-"
	Path       = "/buildmedic/"
	Function   = "buildmedic"        // the function
	Bus        = "buildmedic"        // the hub's event bus for its members
	HubRole    = "buildmedic-hub-"   // and the hub's region
	MemberRole = "buildmedic-member" // the role that the hub assumes, one in each account
	DueIndex   = "next"              // index of the ledger's table
)

// Permission is one statement and why it is there.
type Permission struct {
	iampolicy.Statement
	Because string
	kind    string // the Sid without the project
}

// Group is statements that stay together in one policy: those of one project,
// or those of the function itself. Name is the project's name or "".
type Group struct {
	Name        string
	Permissions []Permission
}

// Document puts groups together as one policy document.
func Document(groups ...Group) iampolicy.Document {
	d := iampolicy.Document{Version: "2012-10-17"}
	for _, g := range groups {
		for _, p := range g.Permissions {
			d.Statements = append(d.Statements, p.Statement)
		}
	}
	return d
}

func allow(sid, because string, actions, resources []string, conditions ...iampolicy.Condition) Permission {
	return Permission{Statement: iampolicy.Allow(sid, actions, resources, conditions...), Because: because}
}

func deny(sid, because string, actions, resources []string) Permission {
	p := allow(sid, because, actions, resources)
	p.Effect = "Deny"
	return p
}

func equals(operator, key string, values ...string) iampolicy.Condition {
	return iampolicy.Condition{Operator: operator, Key: key, Values: iampolicy.Values{List: values}}
}

// Place is where something is, as ARNs name it.
type Place struct{ Partition, Account, Region string }

// ARN puts an ARN of the place together.
func (at Place) ARN(service, resource string) string {
	return strings.Join([]string{"arn", at.Partition, service, at.Region, at.Account, resource}, ":")
}

// IAM puts an ARN of the place's account in IAM together.
func (at Place) IAM(resource string) string {
	return strings.Join([]string{"arn", at.Partition, "iam", "", at.Account, resource}, ":")
}

// place is where a project is; what its settings leave open is the hub's own.
func (home Place) place(p settings.Project) Place {
	if p.Account != "" {
		home.Account = p.Account
	}
	if p.Region != "" {
		home.Region = p.Region
	}
	return home
}

// Members are the accounts other than the hub's that have projects, in the
// order of the settings.
func Members(s *settings.Settings) []string {
	var ids []string
	for _, a := range s.Accounts {
		if !slices.Contains(ids, a.ID) && len(Projects(s, a.ID)) > 0 {
			ids = append(ids, a.ID)
		}
	}
	return ids
}

// Projects are the projects of one account, in the order of the settings; ""
// is the hub's own. Those of the hub's account in other regions are among
// these: the function looks after them as itself.
func Projects(s *settings.Settings, account string) []settings.Project {
	return slices.DeleteFunc(slices.Clone(s.Projects), func(p settings.Project) bool { return p.Account != account })
}

// Elsewhere is each account and region, other than the hub's, in which there
// are projects, in the order of the settings. An empty id or region is the
// hub's own; they are never both empty.
func Elsewhere(s *settings.Settings) []settings.Account {
	var list []settings.Account
	for _, p := range s.Projects {
		if a := (settings.Account{ID: p.Account, Region: p.Region}); a != (settings.Account{}) && !slices.Contains(list, a) {
			list = append(list, a)
		}
	}
	return list
}

// At are the projects of an account and region as they are named in the
// settings.
func At(s *settings.Settings, a settings.Account) []settings.Project {
	return slices.DeleteFunc(Projects(s, a.ID), func(p settings.Project) bool { return p.Region != a.Region })
}

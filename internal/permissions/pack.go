package permissions

import (
	"fmt"
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/settings"
)

// IAM's further quotas on one role (AWS.md#quotas).
const (
	inlineSize = 10240 // of all inline policies together
	// ManagedPolicies is how many managed policies IAM attaches to a role
	// unless the account had that quota raised, which it can be up to
	// MostManagedPolicies.
	ManagedPolicies     = 10
	MostManagedPolicies = 25
)

// Many is from how many projects on a template has to be small: CloudFormation
// takes 1 MB.
const Many = 200

// Policies are a role's permissions, packed so that IAM takes them: what is
// the role's own in one inline policy, the projects in managed ones.
type Policies struct {
	Inline  Group
	Managed [][]Group
}

// Groups are all groups in order.
func (p Policies) Groups() []Group {
	all := []Group{p.Inline}
	for _, m := range p.Managed {
		all = append(all, m...)
	}
	return all
}

// Hub renders the function's own role, with at most that many managed
// policies. It fails if the settings name more projects than that holds.
func Hub(s *settings.Settings, parts Parts, most int) (Policies, error) {
	return pack(s, "the hub", parts, func(parts Parts) []Group { return hub(s, parts) }, most)
}

func hub(s *settings.Settings, parts Parts) []Group {
	return append([]Group{{Permissions: append(own(parts, s), common(s, "", parts.Place)...)}}, each(s, "", parts.Place)...)
}

// Member renders the role that the hub assumes in another account, with at
// most that many managed policies; home is the hub's own place.
func Member(s *settings.Settings, account string, home Place, most int) (Policies, error) {
	return pack(s, "account "+account, Parts{Place: home}, func(parts Parts) []Group { return member(s, account, parts.Place) }, most)
}

func member(s *settings.Settings, account string, home Place) []Group {
	return append([]Group{{Permissions: common(s, account, home)}}, each(s, account, home)...)
}

func common(s *settings.Settings, account string, home Place) []Permission {
	return append(general(s, Projects(s, account), home), denials(home.Partition)...)
}

func each(s *settings.Settings, account string, home Place) (groups []Group) {
	for _, p := range Projects(s, account) {
		groups = append(groups, project(s, p, home.place(p)))
	}
	return groups
}

// longest stands for parts whose real names are not known yet, so that sizes
// are never taken too small.
var longest = func() Parts {
	at := Place{Partition: "aws-us-gov", Account: "111122223333", Region: "ap-southeast-2"}
	const cut = "0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF" // what CloudFormation makes of a name
	return Parts{Place: at, Table: at.ARN("dynamodb", "table/"+cut), Topic: at.ARN("sns", cut), Queue: at.ARN("sqs", cut),
		FollowUps: at.ARN("sqs", "F"+cut[1:]), Cures: at.ARN("sqs", "C"+cut[1:]),
		Key: at.ARN("kms", "key/"+cut), LogGroup: at.ARN("logs", "log-group:/aws/lambda/"+cut)}
}()

// pack puts the first of the rendered groups into the inline policy and the
// others, which are projects, into managed ones, as many as are needed and at
// most that many. Where statements of each project's own do not fit, or there
// are many projects in all, statements are shared, which makes a change of one
// project show in those of others, too; the inline policy is then filled up.
func pack(s *settings.Settings, whose string, parts Parts, render func(Parts) []Group, most int) (Policies, error) {
	groups, sized := render(parts), render(longest)
	p := Policies{Inline: groups[0]}
	left := inlineSize - size(sized[0])
	if left < 0 {
		return p, fmt.Errorf("permissions of %s: what is not for one project has %d characters, and IAM takes %d in "+
			"a role: look after fewer accounts", whose, inlineSize-left, inlineSize)
	}
	if own, ok := whole(groups[1:], sized[1:]); ok && len(own) <= most && len(s.Projects) < Many {
		p.Managed = own
		return p, nil
	}
	lists := share(render(Parts{Place: unknown})[1:])
	if err := splittable(whose, lists); err != nil {
		return p, err
	}
	policies := fill(lists, left)
	for i, statements := range policies {
		switch g := parts.filled(Group{Permissions: statements}); i {
		case 0:
			p.Inline.Permissions = slices.Concat(p.Inline.Permissions, g.Permissions)
		default:
			p.Managed = append(p.Managed, []Group{g})
		}
	}
	if len(p.Managed) > most {
		return p, tooMany(whose, len(groups)-1, len(p.Managed), most)
	}
	return p, nil
}

// splittable fails if a statement is too large for a policy even with one
// resource.
func splittable(whose string, lists []*list) error {
	for _, l := range lists {
		for _, r := range l.resources {
			if n := size() + l.head + length(r); n > managedSize {
				return fmt.Errorf("permissions of %s: what it may do to %q needs %d characters, and IAM takes %d in "+
					"a policy: give the project fewer grants",
					whose, strings.SplitN(r, ":", 6)[5], n, managedSize)
			}
		}
	}
	return nil
}

// tooMany says how to go on when a role does not hold all projects.
func tooMany(whose string, projects, need, most int) error {
	if need > MostManagedPolicies {
		return fmt.Errorf("permissions of %s: %d projects need %d managed policies on one role, and IAM attaches %d "+
			"at most: give some of them to a hub in another region, which has a role of its own",
			whose, projects, need, MostManagedPolicies)
	}
	return fmt.Errorf("permissions of %s: %d projects need %d managed policies on one role, and IAM attaches %d: ask "+
		"Service Quotas, in that account, for %d of \"Managed policies per role\", then deploy with CONTEXT='-c "+
		"policies=%d'; or give some projects to another hub",
		whose, projects, need, most, need, need)
}

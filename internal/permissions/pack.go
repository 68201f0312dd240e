package permissions

import (
	"fmt"
	"slices"

	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// IAM's further quotas on one role (aws-facts §5.1).
const (
	inlineSize  = 10240 // of all inline policies together
	managedMost = 10    // managed policies on one role
)

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

// Hub renders the function's own role. It fails if the settings name more
// projects than one role can hold.
func Hub(s *settings.Settings, parts Parts) (Policies, error) {
	return pack("the hub", hub(s, parts), hub(s, longest))
}

func hub(s *settings.Settings, parts Parts) []Group {
	return append([]Group{{Permissions: append(own(parts, s), common(s, "", parts.Place)...)}}, each(s, "", parts.Place)...)
}

// Member renders the role that the hub assumes in another account; home is
// the hub's own place.
func Member(s *settings.Settings, account string, home Place) (Policies, error) {
	return pack("account "+account, member(s, account, home), member(s, account, longest.Place))
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
		Key: at.ARN("kms", "key/"+cut), LogGroup: at.ARN("logs", "log-group:/aws/lambda/"+cut)}
}()

// pack puts the first group into the inline policy and the others, which are
// projects, into managed ones, as many as are needed. sized are the same
// groups with names of their full length.
func pack(whose string, groups, sized []Group) (Policies, error) {
	p := Policies{Inline: groups[0]}
	if n := size(sized[0]); n > inlineSize {
		return p, fmt.Errorf("permissions of %s: what is not for one project has %d characters, and IAM takes %d in a role: look after fewer accounts", whose, n, inlineSize)
	}
	for i, g := range sized[1:] {
		if n := size(g); n > managedSize {
			return p, fmt.Errorf("permissions of %s: project %q alone needs %d characters, and IAM takes %d in a policy: give it fewer grants", whose, groups[i+1].Name, n, managedSize)
		}
	}
	if p.Managed = fill(groups[1:], sized[1:]); len(p.Managed) > managedMost {
		p.Managed = fill(merge(groups[1:], sized[1:]))
	}
	if len(p.Managed) > managedMost {
		return p, fmt.Errorf("permissions of %s: %d projects need %d managed policies, and IAM attaches %d to a role: look after fewer projects in this account, or leave some in mode observe, which needs less",
			whose, len(groups)-1, len(p.Managed), managedMost)
	}
	return p, nil
}

// fill puts each group into the first policy that has room for it.
func fill(groups, sized []Group) (policies [][]Group) {
	empty := size()
	var room []int // what is left in each policy
	for i, g := range groups {
		need := size(sized[i]) - empty
		at := slices.IndexFunc(room, func(left int) bool { return left >= need+1 }) // and a comma
		if at < 0 {
			at, policies, room = len(policies), append(policies, nil), append(room, managedSize-empty)
		}
		policies[at] = append(policies[at], g)
		room[at] -= need + 1
	}
	return policies
}

// merge makes, of statements that differ in their resources alone, one for
// all projects: more than twice as many projects then fit into a role. It is
// done only when they would not fit otherwise, since it makes a change of one
// project show in statements that are of others, too.
func merge(groups, sized []Group) (merged, mergedSized []Group) {
	const most = 20 // resources a statement, so that a policy is filled well
	index := map[string]int{}
	for i, g := range sized {
		for j, st := range g.Permissions {
			real := groups[i].Permissions[j]
			key := fmt.Sprint(st.kind, st.Action.List, st.Condition)
			at, ok := index[key]
			if !ok || len(merged[at].Permissions[0].Resource.List) >= most {
				at, index[key] = len(merged), len(merged)
				sid := fmt.Sprintf("%s%d", st.kind, at+1)
				merged, mergedSized = append(merged, renamed(real, sid)), append(mergedSized, renamed(st, sid))
				continue
			}
			join(&merged[at].Permissions[0], real)
			join(&mergedSized[at].Permissions[0], st)
		}
	}
	return merged, mergedSized
}

// renamed is a group of one statement with another Sid.
func renamed(p Permission, sid string) Group {
	p.Sid, p.Resource.List = sid, slices.Clone(p.Resource.List)
	return Group{Permissions: []Permission{p}}
}

func join(into *Permission, p Permission) {
	for _, r := range p.Resource.List {
		if !slices.Contains(into.Resource.List, r) {
			into.Resource.List = append(into.Resource.List, r)
		}
	}
}

func size(groups ...Group) int { return iampolicy.Size(Document(groups...).Compact()) }

package permissions

import (
	"fmt"
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/iampolicy"
)

// whole puts each group, undivided, into the first policy that has room for
// it. It reports false if one is larger than a policy.
func whole(groups, sized []Group) (policies [][]Group, ok bool) {
	empty := size()
	var room []int // what is left in each policy
	for i, g := range groups {
		need := size(sized[i]) - empty
		if need > managedSize-empty {
			return nil, false
		}
		at := slices.IndexFunc(room, func(left int) bool { return left >= need+1 }) // and a comma
		if at < 0 {
			at, policies, room = len(policies), append(policies, nil), append(room, managedSize-empty)
		}
		policies[at] = append(policies[at], g)
		room[at] -= need + 1
	}
	return policies, true
}

// list is a statement over the projects, without its resources, and these.
type list struct {
	Permission
	head      int // what it takes without resources
	resources []string
}

// share turns the groups' statements into as few as say the same: what may be
// done to one resource under the same conditions becomes one list of actions,
// and resources to which the same may be done become one list. Each resource
// is then there once, where a project's own statements repeat it. The groups
// are those of a hub whose place is unknown.
func share(groups []Group) []*list {
	var lists []*list
	index := map[string]*list{}
	for _, p := range targets(groups) {
		key := fmt.Sprint(p.Action.List, p.Condition)
		l := index[key]
		if l == nil {
			l = &list{Permission: p}
			l.Sid, l.Resource = fmt.Sprintf("%s%d", p.kind, len(lists)+1), iampolicy.Values{List: []string{""}}
			l.head = size(longest.filled(Group{Permissions: []Permission{l.Permission}})) - size()
			lists, index[key] = append(lists, l), l
		}
		l.resources = append(l.resources, p.Resource.List[0])
	}
	return lists
}

// length is what a resource takes in a list at its full length.
func length(resource string) int { return len(longest.fill(resource)) + len(`"",`) }

// targets takes the groups' statements apart: each is about one resource, and
// has all that may be done to it under its conditions.
func targets(groups []Group) []Permission {
	var all []Permission
	index := map[string]int{}
	for _, g := range groups {
		for _, p := range g.Permissions {
			for _, arn := range p.Resource.List {
				p.Resource.List = []string{arn}
				key := fmt.Sprint(arn, p.Condition)
				if at, ok := index[key]; ok {
					all[at] = joined(all[at], p)
					continue
				}
				all, index[key] = append(all, p), len(all)
			}
		}
	}
	return all
}

// joined allows what both allow on one resource.
func joined(a, b Permission) Permission {
	st := iampolicy.Allow("", slices.Concat(a.Action.List, b.Action.List), nil)
	a.Action = st.Action
	if !strings.Contains(a.kind, b.kind) {
		a.kind += b.kind
		a.Because += " " + b.Because
	}
	return a
}

// fill puts the lists, one after the other, first into the room that the
// inline policy has and then into managed ones. A list goes on in the next
// policy where one is full.
func fill(lists []*list, inline int) [][]Permission {
	b := binder{policies: [][]Permission{nil}, left: inline}
	for _, l := range lists {
		for _, r := range l.resources {
			b.add(l, r)
		}
	}
	return b.policies
}

// binder fills policies one after the other.
type binder struct {
	policies [][]Permission
	left     int   // what the last of them has left
	open     *list // whose statement is the last one there
}

// add puts the resource into the last policy, or begins another with it.
func (b *binder) add(l *list, resource string) {
	n := length(resource)
	if last := b.policies[len(b.policies)-1]; b.open == l && b.left >= n {
		st := &last[len(last)-1]
		st.Resource.List = append(st.Resource.List, resource)
		b.left -= n
		return
	}
	need := l.head + n + len(",")
	if b.left < need {
		b.policies, b.left = append(b.policies, nil), managedSize-size()
	}
	p := l.Permission
	p.Resource = iampolicy.Values{List: []string{resource}}
	at := len(b.policies) - 1
	b.policies[at] = append(b.policies[at], p)
	b.left, b.open = b.left-need, l
}

func size(groups ...Group) int { return iampolicy.Size(Document(groups...).Compact()) }

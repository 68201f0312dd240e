package settings

import (
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/iampolicy"
)

// Sharing tells which projects have what another one is given: whatever is granted
// lands on a role, and everyone who runs as that role has it, and so has who deploys with it,
// unless the grant is scoped to the project.
type Sharing struct {
	s     *Settings
	home  Account
	given []Project        // what each project is for each of its roles; see [Project.Roles]
	runs  map[string][]int // role → the given that run as it, may be switched to it, or deploy with it
	lands map[string][]int // role → the given whose grants land on it
}

// SharingOf works out who shares. home is the hub's own account and region, for
// what projects leave open.
func SharingOf(s *Settings, home Account) Sharing {
	s = s.atMost()
	sh := Sharing{s: s, home: home, runs: map[string][]int{}, lands: map[string][]int{}}
	policies := map[string][]int{} // managed policy → the given that write to it
	sh.given = Roles(s.Projects)
	for i, p := range sh.given {
		for _, r := range sh.roles(p) {
			sh.runs[r] = append(sh.runs[r], i)
		}
		if p.Write.Managed != "" {
			policies[sh.name(p, p.Write.Managed)] = append(policies[sh.name(p, p.Write.Managed)], i)
		}
	}
	for i, p := range sh.given {
		for _, r := range sh.landsOn(p, policies) {
			sh.lands[r] = append(sh.lands[r], i)
		}
	}
	return sh
}

// name tells roles and policies of different accounts apart. IAM's names are unique
// in an account, whatever their path and case (AWS.md#names).
func (sh Sharing) name(p Project, pathName string) string {
	account := p.Account
	if account == "" {
		account = sh.home.ID
	}
	return account + " " + strings.ToLower(pathName[strings.LastIndexByte(pathName, '/')+1:])
}

// roles are those as which the project runs, or may be made to run; of what it is for another role,
// that role.
func (sh Sharing) roles(p Project) []string {
	rs := []string{sh.name(p, p.Role)}
	if p.SwitchRole != "" {
		rs = append(rs, sh.name(p, p.SwitchRole))
	}
	return slices.Compact(rs)
}

// landsOn are the roles that have what the project's grants give: its own, and
// those that a policy is on to which it writes.
func (sh Sharing) landsOn(p Project, policies map[string][]int) []string {
	rs := []string{sh.name(p, p.Role)}
	if p.Write.Managed != "" && p.Write.Shared {
		for _, i := range policies[sh.name(p, p.Write.Managed)] {
			rs = append(rs, sh.name(sh.given[i], sh.given[i].Role))
		}
	}
	slices.Sort(rs)
	return slices.Compact(rs)
}

// Givers are the projects whose grants the project has: it runs as a role on which
// they land, or deploys with one, and not all are for their own builds only. It is one of them
// itself. Each stands for the role that it gives to; see [Project.For].
func (sh Sharing) Givers(p Project) []Project {
	var rs []string
	for _, q := range p.Roles() {
		rs = append(rs, sh.roles(q)...)
	}
	return sh.givers(p, rs)
}

// GiversTo are the same, of what lands on the one role alone for which p stands.
func (sh Sharing) GiversTo(p Project) []Project { return sh.givers(p, sh.roles(p)) }

func (sh Sharing) givers(p Project, roles []string) []Project {
	return slices.DeleteFunc(sh.of(roles, sh.lands), func(q Project) bool { return !same(p, q) && sh.keeps(q) })
}

// keeps reports whether all that the project is given is for its own builds only.
func (sh Sharing) keeps(p Project) bool {
	return len(p.Grants) > 0 && !slices.ContainsFunc(p.Grants, func(id string) bool {
		g, _ := sh.s.Grant(id)
		return !g.Scoped()
	})
}

// Holders are the projects that have what the project is given for the role for which p stands,
// itself among them, each once, in the order of the settings.
func (sh Sharing) Holders(p Project) (ps []Project) {
	if sh.keeps(p) {
		return []Project{p}
	}
	var rs []string
	for r, is := range sh.lands {
		if slices.ContainsFunc(is, func(i int) bool { return same(sh.given[i], p) && sh.given[i].Role == p.Role }) {
			rs = append(rs, r)
		}
	}
	for _, q := range sh.of(rs, sh.runs) {
		if q = q.Whole(); !slices.ContainsFunc(ps, func(o Project) bool { return same(o, q) }) {
			ps = append(ps, q)
		}
	}
	return ps
}

func same(p, q Project) bool {
	return p.Name == q.Name && p.Account == q.Account && p.Region == q.Region
}

func (sh Sharing) of(roles []string, index map[string][]int) (ps []Project) {
	var all []int
	for _, r := range roles {
		all = append(all, index[r]...)
	}
	slices.Sort(all)
	for _, i := range slices.Compact(all) {
		ps = append(ps, sh.given[i])
	}
	return ps
}

// Max gives everything that the role for which p stands could at most get: what [Max]
// gives for each project whose grants land on it, once each. Of a project that stands for itself,
// that is the role of its builds. What another one is given for its own builds only is not theirs.
func (sh Sharing) Max(p Project, partition string) (list []iampolicy.Statement) {
	seen := map[string]bool{}
	for _, q := range sh.GiversTo(p) {
		for _, st := range Max(sh.s, q, sh.home, partition) {
			if !same(p, q) && len(ScopeOf(st)) > 0 {
				continue
			}
			if key := st.String(); !seen[key] {
				seen[key] = true
				list = append(list, st)
			}
		}
	}
	return list
}

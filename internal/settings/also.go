package settings

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// AlsoRole is another role of a project's deployment: CloudFormation's execution role, a role that
// the CDK deploys as, a task's. A denial of it may be cured like one of the project's own role, with
// its own grants, into its own place. A grant of the project is not one of this role.
type AlsoRole struct {
	Role      string // name with its path, in the project's account
	Grants    []string
	Write     Write
	Permanent PolicyCode
	Boundary  string // name of the permissions boundary that it must carry; "" none
	Line      int
}

// For is the project as it stands for one of its other roles: with that role, its grants, its
// place to write to, where that is made permanent and its boundary in place of the project's own, and
// no role to switch to. All else is the project's: whose builds count, its mode, its retries.
// [Project.Whole] leads back.
func (p Project) For(r AlsoRole) Project {
	whole := p.Whole()
	p = whole
	p.Role, p.Grants, p.Write, p.Permanent, p.Boundary = r.Role, r.Grants, r.Write, r.Permanent, r.Boundary
	p.SwitchRole, p.Base = "", &whole
	return p
}

// Whole is the project itself, of which p may be what stands for another role.
func (p Project) Whole() Project {
	if p.Base != nil {
		return *p.Base
	}
	return p
}

// IsFor reports whether p stands for another role than the project's own; see [Project.For].
func (p Project) IsFor() bool { return p.Base != nil }

// Roles are the project itself, and what it is for each of its other roles.
func (p Project) Roles() []Project {
	p = p.Whole()
	all := []Project{p}
	for _, r := range p.AlsoRoles {
		all = append(all, p.For(r))
	}
	return all
}

// Roles gives [Project.Roles] of each.
func Roles(ps []Project) (all []Project) {
	for _, p := range ps {
		all = append(all, p.Roles()...)
	}
	return all
}

// ForRole is what the project is for its role of that name, which has no path: IAM's names are
// unique in an account. The project's own role comes first; any name that is no other role's means it.
func (p Project) ForRole(name string) Project {
	for _, q := range p.Roles()[1:] {
		if baseName(q.Role) == name {
			return q
		}
	}
	return p.Whole()
}

// AlsoNames are the names of the project's other roles, without their paths.
func (p Project) AlsoNames() (names []string) {
	for _, r := range p.AlsoRoles {
		names = append(names, baseName(r.Role))
	}
	return names
}

// baseName is a role's name without its path.
func baseName(pathName string) string { return pathName[strings.LastIndexByte(pathName, '/')+1:] }

// sameRole reports whether two roles of one account are the same to IAM, whose names are unique
// whatever their path and case (AWS.md#names).
func sameRole(a, b string) bool { return strings.EqualFold(baseName(a), baseName(b)) }

// ownRoles is how the names of the healer's own roles begin.
const ownRoles = "buildmedic-"

// alsoRoles reads the other roles of a project's deployment.
func (r *reader) alsoRoles(o object, p Project, s *Settings) (list []AlsoRole) {
	for c := range o.each("also_roles") {
		a := AlsoRole{Boundary: c.policy("boundary", policyPath), Line: c.node.Line}
		if c.has("role") {
			a.Role = c.role("role")
		} else {
			c.problem("role", "missing; %s", roleRule)
		}
		a.Grants = r.grantsNamed(c, s)
		for _, id := range a.Grants {
			if g, ok := s.Grant(id); ok && g.Elsewhere() != "" {
				c.problem("grants", "%s", g.Elsewhere())
			}
		}
		if n := c.value("grants"); n == nil || n.Kind == yaml.SequenceNode && len(n.Content) == 0 {
			c.problem("grants", "missing; name what this role may be given, which has nothing of the project's own grants")
		}
		a.Write = r.write(c)
		a.Permanent = c.permanent(a.Write)
		r.alsoRole(c, a, p, list)
		list = append(list, a)
	}
	return list
}

// alsoRole checks that the role is one that another denial than the project's own can be about.
func (r *reader) alsoRole(c object, a AlsoRole, p Project, before []AlsoRole) {
	if a.Role == "" {
		return
	}
	name := strings.ToLower(baseName(a.Role))
	switch {
	case sameRole(a.Role, p.Role):
		c.problem("role", "%q is the project's own role; name its grants at the project", a.Role)
	case p.SwitchRole != "" && sameRole(a.Role, p.SwitchRole):
		c.problem("role", "%q is the project's switch_role, as which its builds run themselves; remove one of the two", a.Role)
	case strings.HasPrefix(name, ownRoles):
		c.problem("role", "%q has the name of a role of Buildmedic's own, which it never changes", a.Role)
	case strings.HasPrefix(a.Role, "aws-reserved/"):
		c.problem("role", "%q is reserved by AWS, which alone may change it", a.Role)
	}
	if i := slices.IndexFunc(before, func(b AlsoRole) bool { return sameRole(a.Role, b.Role) }); i >= 0 {
		c.problem("role", "role %q is there already, in line %d; put its grants together", a.Role, before[i].Line)
	}
}

// onePlace checks that a role which several projects name is written in one place, and under one
// boundary, wherever one of them names it as another role of its deployment: else two would write it
// side by side, each without a look at what the other may.
func (r *reader) onePlace(s *Settings) {
	first := map[string]Project{} // account and role → who named it first
	for _, also := range []bool{false, true} {
		for i, p := range s.Projects {
			for j, v := range p.Roles() {
				if v.IsFor() != also || v.Role == "" || len(v.Grants) == 0 {
					continue
				}
				key := v.Account + " " + strings.ToLower(baseName(v.Role))
				was, ok := first[key]
				if !ok {
					first[key] = v
					continue
				}
				if also && (was.Write != v.Write || was.Boundary != v.Boundary) {
					path := fmt.Sprintf("projects[%d].also_roles[%d].role", i, j-1)
					r.problems = append(r.problems, Problem{p.AlsoRoles[j-1].Line, path, fmt.Sprintf(
						"role %s is named by project %s, too, with another write or boundary; say the same at both", v.Role, was.Name)})
				}
			}
		}
	}
}

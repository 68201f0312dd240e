package settings

import "fmt"

// Unbounded recommends a permissions boundary for each role that the healer
// may write freely: whoever controls it could write anything there. With
// attach, it cannot say what is in a policy.
func Unbounded(s *Settings) (list []Problem) {
	for i, p := range s.Projects {
		for j, p := range p.Roles() {
			if p.Mode != Heal || p.Boundary != "" || p.Write.Inline == "" && p.Write.Managed == "" || len(p.Grants) == 0 ||
				p.SwitchRole != "" {
				continue
			}
			looked := "IAM then refuses every write without it"
			if p.Write.Managed != "" {
				looked = "it holds whatever a version says, while it is on the role, which only Buildmedic looks after"
			}
			line, path := p.Line, fmt.Sprintf("projects[%d].boundary", i)
			if p.IsFor() {
				line, path = p.AlsoRoles[j-1].Line, fmt.Sprintf("projects[%d].also_roles[%d].boundary", i, j-1)
			}
			list = append(list, Problem{line, path, fmt.Sprintf(
				"nothing bounds what whoever controls the function could write to role %s; put a permissions boundary on it "+
					"and name it here: %s", p.Role, looked)})
		}
	}
	return list
}

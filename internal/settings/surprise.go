package settings

import (
	"fmt"
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/iamref"
)

// Surprises are what is valid and probably not meant: settings that load, and
// do nothing or tell nobody.
func Surprises(s *Settings) []Problem {
	var list []Problem
	say := func(line int, path, format string, args ...any) {
		list = append(list, Problem{line, path, fmt.Sprintf(format, args...)})
	}
	list = append(list, unheard(s)...)
	changes := func(p Project) bool { return p.Mode != Observe }
	if i := slices.IndexFunc(s.Projects, changes); i >= 0 {
		for _, none := range s.Limits.zeros() {
			say(0, "limits."+none[0], "0, so %s, though project %s is in mode %s", none[1], s.Projects[i].Name, s.Projects[i].Mode)
		}
	}
	for i, a := range s.Accounts {
		if !slices.ContainsFunc(s.Projects, func(p Project) bool {
			return p.Account == a.ID && (p.Region == a.Region || p.Region == "")
		}) {
			say(0, fmt.Sprintf("accounts[%d]", i), "no project is in account %s, region %s, so nothing is deployed "+
				"there; remove it, or name it in a project", a.ID, a.Region)
		}
	}
	for i, p := range s.Projects {
		for j, a := range p.AlsoRoles {
			if strings.HasPrefix(baseName(a.Role), bootstrapRoles) {
				say(a.Line, fmt.Sprintf("projects[%d].also_roles[%d]", i, j), "%s has the name of a role of the CDK's bootstrap: "+
					"every app that is deployed with it has what project %s is given there, and nothing is ever given to the "+
					"bootstrap with which Buildmedic itself is deployed", a.Role, p.Name)
			}
		}
		if p.Mode != Observe && len(p.Grants) == 0 && len(p.AlsoRoles) == 0 && p.SwitchRole == "" && len(p.Buildspecs) == 0 {
			say(p.Line, fmt.Sprintf("projects[%d].grants", i), "project %s is in mode %s and has no grants: %s", p.Name,
				p.Mode, withoutGrants(p))
		}
		for _, id := range s.endsInCode(p) {
			say(p.Line, fmt.Sprintf("projects[%d].write.code", i), "grant %s says expires, and what is in code is there "+
				"until somebody takes it out, so project %s is never given it; take expires off, or write to an inline policy",
				id, p.Name)
		}
	}
	if s.Code.GitHub != nil && !slices.ContainsFunc(Roles(s.Projects), namesGitHub) {
		say(0, "code.github", "no project tells its developers anything there, or asks there for what its role may be given, so "+
			"GitHub is not reached; give a project code: {github: OWNER/REPOSITORY}, or remove it")
	}
	list = append(list, sharedRoles(s)...)
	list = append(list, sharedFiles(s)...)
	for i, g := range s.Grants {
		if what := reachesBootstrap(g); what != "" {
			say(g.Line, fmt.Sprintf("grants[%d]", i), "grant %s %s", g.ID, what)
		}
		if !slices.ContainsFunc(s.Projects, func(p Project) bool { return p.lists(g.ID) }) {
			say(g.Line, fmt.Sprintf("grants[%d]", i),
				"no project has grant %s, so it gives nothing; name it under the grants of a project, or remove it",
				g.ID)
		}
	}
	if len(s.Grants) > 0 && len(s.Tests) == 0 {
		say(0, "tests", "there are grants and no tests: add a line for what each must allow, and one for what it "+
			"must not, so that a slip stops the deployment")
	}
	return list
}

// sharedRoles tells of projects that have what others are given, and of those that
// say otherwise about the same role.
func sharedRoles(s *Settings) (list []Problem) {
	sharing := SharingOf(s, Account{})
	for i, p := range s.Projects {
		say := func(key, format string, args ...any) {
			list = append(list, Problem{p.Line, fmt.Sprintf("projects[%d].%s", i, key), fmt.Sprintf(format, args...)})
		}
		var others, asked, differ []string
		for _, q := range sharing.Givers(p) {
			if same(p, q) || q.Mode == Observe || len(q.Grants) == 0 || slices.Contains(others, q.Name) ||
				slices.Contains(asked, q.Name) {
				continue
			}
			if slices.ContainsFunc(q.Grants, func(id string) bool { g, ok := s.Grant(id); return ok && !g.Scoped() }) {
				others = append(others, q.Name)
			} else {
				asked = append(asked, q.Name)
			}
			if p.PullRequests != q.PullRequests && p.PullRequests != "" && q.PullRequests != "" {
				differ = append(differ, q.Name)
			}
		}
		if len(others) > 0 {
			say("role", "builds of project %s have what project %s is given, since it lands on the same role; write scope: "+
				"project at its grants, or give it a role of its own, where that is not meant", p.Name, brief(others))
		}
		if len(asked) > 0 {
			say("role", "builds of project %s may get what project %s is given, since it lands on the same role once a person "+
				"approves that; take unscoped: approve off its grants, or give it a role of its own, where that is not meant",
				p.Name, brief(asked))
		}
		if len(differ) > 0 {
			say("pull_requests", "project %s says %s and project %s says otherwise, of one role; say the same", p.Name,
				p.PullRequests, brief(differ))
		}
	}
	return list
}

// endsInCode are the project's grants that end, and are to be written where nothing ends.
func (s *Settings) endsInCode(p Project) (ids []string) {
	for _, r := range p.Roles() {
		if r.Write.Code.Set() {
			ids = append(ids, s.Ending(r)...)
		}
	}
	return ids
}

// namesGitHub reports whether the project has to do with GitHub: that it tells its developers there,
// or that the policy of the role for which it stands is there, whatever its mode.
func namesGitHub(p Project) bool { return p.Tells() || p.PolicyCode().GitHub != "" }

// lists reports whether the project names the grant, for its own role or another one.
func (p Project) lists(grant string) bool {
	return slices.Contains(p.Grants, grant) || p.listsAlso(grant)
}

// listsAlso reports whether the project names the grant for another role than its own.
func (p Project) listsAlso(grant string) bool {
	return slices.ContainsFunc(p.AlsoRoles, func(a AlsoRole) bool { return slices.Contains(a.Grants, grant) })
}

// OfAnotherRole reports whether some project names the grant for another role than its own.
func (s *Settings) OfAnotherRole(grant string) bool {
	return slices.ContainsFunc(s.Projects, func(p Project) bool { return p.listsAlso(grant) })
}

// bootstrapRoles is how the names of roles begin that the CDK's bootstrap makes (AWS.md#bootstrap).
const bootstrapRoles = "cdk-"

// brief names some of many.
func brief(names []string) string {
	const most = 5
	if len(names) > most {
		return fmt.Sprintf("%s and of %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}

// reachesBootstrap says what a grant can do to the CDK's bootstrap, from which
// Buildmedic may be deployed, too (AWS.md#bootstrap); "" if nothing.
func reachesBootstrap(g Grant) string {
	for _, action := range g.actions() {
		a, _ := iamref.Lookup(action)
		for _, r := range g.Resources {
			switch arn := strings.SplitN(r, ":", 6); {
			case len(arn) < 6:
			case arn[2] == "iam" && strings.HasPrefix(arn[5], "role/"+bootstrapRoles) && strings.HasPrefix(a.Name, "sts:AssumeRole"):
				return fmt.Sprintf("lets builds assume %s: whoever can push to the project can deploy what that role "+
					"deploys, and that is Buildmedic, too, where it is deployed with the same bootstrap", r)
			case strings.HasPrefix(arn[5], "cdk-") && strings.Contains(arn[5], "-assets-") && arn[2] == "s3" &&
				a.Level != iamref.Read && a.Level != iamref.List:
				return fmt.Sprintf("asks for %s where the CDK keeps what it deploys: it is never given in the account "+
					"in which Buildmedic is deployed; let the CDK use its file-publishing role", a.Name)
			}
		}
	}
	return ""
}

// zeros names the limits that leave no room for anything, and what follows.
func (l Limits) zeros() (list [][2]string) {
	for _, z := range []struct {
		limit     int
		key, then string
	}{
		{l.Rounds, "rounds", "nothing is changed and no build is started again"},
		{l.WritesRole, "writes_per_role_per_day", "nothing is changed"},
		{l.WritesHour, "writes_per_hour", "nothing is changed"},
		{l.RetriesHour, "retries_per_hour", "no build is started again, and nothing is changed for one"},
	} {
		if z.limit == 0 {
			list = append(list, [2]string{z.key, z.then})
		}
	}
	return list
}

// withoutGrants is what is left for a project to which nothing may be granted.
func withoutGrants(p Project) string {
	if !p.Retry {
		return "with retry: false, its failures are explained, as in mode observe"
	}
	return "builds that failed of something transient are started again, and no permission is ever added"
}

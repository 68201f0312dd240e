package settings

import (
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/iampolicy"
)

// The condition keys that requests with a build's credentials carry (AWS.md#build-keys).
const (
	ProjectKey = "codebuild:projectArn"
	BuildKey   = "codebuild:buildArn"
)

// projectARN is the project's, as CodeBuild writes it into requests; "" where a part
// of it could stand for others, too.
func projectARN(v Vars) string {
	return Expand("arn:${partition}:codebuild:${region}:${account}:project/${project}", v)
}

// Scoped reports whether the grant is for the project's own builds, and for nobody
// else who runs as the role.
func (g Grant) Scoped() bool { return g.Scope == ScopeProject }

// Elsewhere says why the grant cannot be given to any other role than that of the
// project's builds; "" if it can. Whoever acts as another role, be it CloudFormation
// or a build that has assumed it, sends no key of a build: a scoped grant would
// never hold there.
func (g Grant) Elsewhere() string {
	if !g.Scoped() {
		return ""
	}
	return "grant " + g.ID + " says scope: project, and only calls with a build's own credentials carry the project; " +
		"make a grant with scope: role for it"
}

// ScopeOf gives the projects, as ARNs, for whose builds alone the statement holds;
// none if it holds for others, too. Only what [Grant.Statements] writes is known.
func ScopeOf(st iampolicy.Statement) []string {
	i := slices.IndexFunc(st.Condition, func(c iampolicy.Condition) bool {
		return c.Operator == "ArnEquals" && strings.EqualFold(c.Key, ProjectKey)
	})
	if i < 0 || slices.ContainsFunc(st.Condition[i].Values.List, func(arn string) bool { return strings.ContainsAny(arn, "*?$") }) {
		return nil
	}
	return st.Condition[i].Values.List
}

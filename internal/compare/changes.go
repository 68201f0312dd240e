package compare

import (
	"fmt"
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/codebuild"
)

// changes lists what else is otherwise: what the records say, then the versions that the logs
// print.
func changes(failed, green Side) []Change {
	list := recorded(failed.Past, green.Past)
	list = append(list, versions(failed.Text, green.Text)...)
	list = list[:min(len(list), maxChanges)]
	for i := range list {
		c := &list[i]
		c.What, c.Was, c.Is = clip(c.What, maxRaw), clip(c.Was, maxRaw), clip(c.Is, maxRaw)
	}
	return list
}

// recorded lists what differs in the builds' records. Values of environment variables are not
// there to be compared.
func recorded(a, b codebuild.Past) (list []Change) {
	add := func(what, was, is string) {
		if was != is {
			list = append(list, Change{what, was, is})
		}
	}
	add("image", b.Build.Image, a.Build.Image)
	add("environment type", b.Build.Environment, a.Build.Environment)
	add("compute type", b.Setup.Compute, a.Setup.Compute)
	add("fleet", b.Setup.Fleet, a.Setup.Fleet)
	add("privileged mode", onOff(b.Setup.Privileged), onOff(a.Setup.Privileged))
	add("environment variables added", "", names(a.Setup.Variables, b.Setup.Variables))
	add("environment variables removed", names(b.Setup.Variables, a.Setup.Variables), "")
	add("buildspec", path(b), path(a))
	if a.Setup.Inline != b.Setup.Inline && path(a) == path(b) {
		add("the buildspec in the project", "", "edited")
	}
	add("source", location(b.Setup.Location), location(a.Setup.Location))
	add("service role", roleName(b.Build.ServiceRole), roleName(a.Build.ServiceRole))
	add("cache", b.Setup.Cache, a.Setup.Cache)
	add("VPC", orNone(b.Setup.VPC), orNone(a.Setup.VPC))
	add("time limit", minutes(b.Setup.Timeout), minutes(a.Setup.Timeout))
	add("time limit of the queue", minutes(b.Setup.Queued), minutes(a.Setup.Queued))
	return list
}

func onOff(b bool) string {
	if b {
		return "on"
	}
	return "off"
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

func minutes(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%d min", n)
}

// path names the buildspec; "" stands for the file that CodeBuild looks for.
func path(p codebuild.Past) string {
	if p.Build.Buildspec == "" {
		return "buildspec.yml"
	}
	return p.Build.Buildspec
}

// roleName is the role without its path, which a record may leave out (AWS.md#service-role).
func roleName(role string) string {
	_, name := codebuild.SplitPath(role)
	return name
}

// names lists the names that are in a and not in b.
func names(a, b []string) string {
	var list []string
	for _, n := range a {
		if !slices.Contains(b, n) && !slices.Contains(list, n) {
			list = append(list, n)
		}
	}
	slices.Sort(list)
	if more := len(list) - maxNames; more > 0 {
		list = append(list[:maxNames], fmt.Sprintf("and %d more", more))
	}
	return strings.Join(list, ", ")
}

package guardrail

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/floor"
	"github.com/buildmedic/buildmedic/internal/iamref"
	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

// entry writes the settings entry that would allow a claim; "" if none may,
// or if the resource is not known. Account, region and partition become
// placeholders. What of it came out of the log is one action that IAM knows
// and resources that were checked; both are quoted. A set that the action
// belongs to is offered as a comment: the default stays narrow. So it
// does by being for the project's own builds only.
func entry(in Input, c claim) string {
	if h, _ := floor.Of(c.action.Name); h == floor.Never || h == floor.PassRoles || c.resources == nil {
		return ""
	}
	var b strings.Builder
	if in.Project.IsFor() {
		fmt.Fprintf(&b, "# to be named under the grants of role %s in also_roles of project %s\n", quoteYAML(in.Project.Role),
			quoteYAML(in.Project.Name))
	} else {
		fmt.Fprintf(&b, "# to be named under the grants of project %s\n", quoteYAML(in.Project.Name))
	}
	fmt.Fprintf(&b, "- id: %s\n", freeID(in, c.action.Name))
	fmt.Fprintf(&b, "  because: %s\n", quoteYAML("Builds of "+in.Project.Name+" call "+c.action.Name+"."))
	fmt.Fprintf(&b, "  owner: %s\n  scope: project\n", quoteYAML(ownerOf(in)))
	fmt.Fprintf(&b, "  actions: [%s]\n", quoteYAML(c.action.Name))
	if s, ok := fitting(in, c); ok {
		fmt.Fprintf(&b, "  # or, in place of the actions, all that it takes to\n  # %s:\n  # set: %s\n  # give: set\n", s.Purpose, s.Name)
	}
	var rs []string
	for _, r := range c.resources {
		if !writable.MatchString(r) {
			return ""
		}
		rs = append(rs, quoteYAML(placeholders(r, in.Build)))
	}
	fmt.Fprintf(&b, "  resources: [%s]\n", strings.Join(rs, ", "))
	return b.String()
}

// fitting gives the one set of several actions that holds the claim's and of
// which each action goes with the claim's resources. Of more than one, it is
// the one after which the failed command is named: docker pull, docker push.
func fitting(in Input, c claim) (floor.Set, bool) {
	var fit, meant []floor.Set
	words := commandWords(in.Build)
	for _, s := range floor.Sets() {
		strays := func(action string) bool { return !goesWith(action, c.resources) }
		if len(s.Actions) < 2 || !slices.Contains(s.Actions, c.action.Name) || slices.ContainsFunc(s.Actions, strays) {
			continue
		}
		fit = append(fit, s)
		if slices.Contains(words, s.Name[strings.LastIndexByte(s.Name, '-')+1:]) {
			meant = append(meant, s)
		}
	}
	if len(fit) > 1 {
		fit = meant
	}
	if len(fit) != 1 {
		return floor.Set{}, false
	}
	return fit[0], true
}

// goesWith reports whether the action takes one of the resources, or none at
// all. "*" is none that could stand for another action's.
func goesWith(action string, resources []string) bool {
	a, ok := iamref.Lookup(action)
	return ok &&
		(len(a.Resources) == 0 ||
			slices.ContainsFunc(resources, func(r string) bool { return r != "*" && iamref.Fits(action, r) }))
}

// commandWords are the words of what the failed phase says, which is the
// failed command (AWS.md#failed-command).
func commandWords(b codebuild.Build) (words []string) {
	p, _ := b.FailedPhase()
	for _, c := range p.Contexts {
		words = append(words, strings.Fields(c.Message)...)
	}
	return words
}

// quoteYAML prints a string as JSON does, which YAML reads as the same.
func quoteYAML(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic("guardrail: a string cannot be quoted: " + err.Error())
	}
	return string(b)
}

// freeID makes an id out of the project's and the action's name that no
// grant has yet.
func freeID(in Input, action string) string {
	base := strings.Trim(notID.ReplaceAllString(strings.ToLower(in.Project.Name+"-"+action), "-"), "-")
	base = strings.Trim(base[:min(len(base), 50)], "-")
	id := base
	for n := 2; in.Settings != nil; n++ {
		if _, taken := in.Settings.Grant(id); !taken {
			break
		}
		id = fmt.Sprintf("%s-%d", base, n)
	}
	return id
}

// ownerOf is the owner of the project's first grant that names one.
func ownerOf(in Input) string {
	for _, g := range listed(in) {
		if g.Owner != "" {
			return g.Owner
		}
	}
	return "platform"
}

// writable matches what settings take as a resource.
var writable = lazyregexp.New(`^[!-#%-~]([ -#%-~]*[!-#%-~])?$`)

var notID = lazyregexp.New(`[^a-z0-9]+`)

// placeholders is the reverse of [Expand], for an ARN.
func placeholders(resource string, b codebuild.Build) string {
	at := b.At()
	f := strings.SplitN(resource, ":", 6)
	if at.Account == "" || len(f) != 6 {
		return resource
	}
	put := func(i int, value, name string) {
		if value != "" && f[i] == value {
			f[i] = "${" + name + "}"
		}
	}
	put(1, at.Partition, "partition")
	put(3, at.Region, "region")
	put(4, at.Account, "account")
	return strings.Join(f, ":")
}

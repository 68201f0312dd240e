package guardrail

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

// entry writes the settings entry that would allow a claim; "" if none may,
// or if the resource is not known. Account, region and partition become
// placeholders. What of it came out of the log is one action that IAM knows
// and resources that were checked; both are quoted.
func entry(in Input, c claim) string {
	if h, _ := floor(c.action.Name); h == never || h == passes || c.resources == nil {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "# to be named under the grants of project %s\n", quoteYAML(in.Project.Name))
	fmt.Fprintf(&b, "- id: %s\n", freeID(in, c.action.Name))
	fmt.Fprintf(&b, "  because: %s\n", quoteYAML("Builds of "+in.Project.Name+" call "+c.action.Name+"."))
	fmt.Fprintf(&b, "  owner: %s\n", quoteYAML(ownerOf(in)))
	fmt.Fprintf(&b, "  actions: [%s]\n", quoteYAML(c.action.Name))
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
	at, ok := codebuild.ParseARN(b.ARN)
	f := strings.SplitN(resource, ":", 6)
	if !ok || len(f) != 6 {
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

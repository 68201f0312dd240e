package notice

import (
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/guardrail"
)

// holders tells who has what the plan gives the role, beside the builds of the
// project's own branches and tags; nil if nobody else does, or nothing is given.
func holders(v *view, project string, changes []Change) *Holders {
	p := v.plan
	if p.Write == nil || len(p.Holders) == 0 && p.PullRequests == decide.PullRequestsNone {
		return nil
	}
	has := ""
	for _, c := range changes {
		switch {
		case c.Status == Done:
			has = "has it now"
		case (c.Status == WaitsFor || c.Status == AskedFor || c.Status == WouldBe) && has == "":
			has = "would have it"
		}
	}
	if has == "" {
		return nil
	}
	h := &Holders{Projects: []string{}, PullRequests: p.PullRequests}
	for _, name := range p.Holders {
		h.Projects = append(h.Projects, id(name))
	}
	who := "as role " + lastElement(id(p.Role))
	if _, other := v.anotherRole(); other {
		who = "as role " + lastElement(id(p.Role)) + ", or deploys with it,"
	}
	if p.Write.Kind == guardrail.Managed { // which may be on several roles
		who = "with policy " + lastElement(id(p.Write.Name))
	}
	all := slices.Concat([]string{project}, h.Projects)
	h.Says = "Everyone who runs " + who + " " + has + ": " + nounFor(len(all), "project") + " " + list(all, len(all))
	if p.Scoped {
		h.Says = "Of those who run " + who + ", only builds of project " + project + " " + strings.Replace(has, "has", "have", 1)
	}
	switch p.PullRequests {
	case decide.PullRequestsBuilt:
		h.Says += ", pull requests included"
	case decide.PullRequestsAccepted:
		h.Says += ", pull requests included, as the settings accept"
	case decide.PullRequestsUnknown:
		h.Says += ", and perhaps pull requests"
	}
	h.Says += "."
	return h
}

func nounFor(n int, noun string) string {
	if n == 1 {
		return noun
	}
	return noun + "s"
}

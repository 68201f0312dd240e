package notice

import (
	"strings"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/decide"
)

// withhold takes out what the builds of the project printed: the notice is for somebody else, who
// has to do with what its role is given, or with a build that the same change cured. What was
// denied, on what and to whom stays, since that is what he judges by.
func (n *Notice) withhold() {
	if n.Failure == nil {
		return
	}
	f := *n.Failure
	f.Text, f.Context, f.Excerpt, f.Also, f.Tests, f.MoreTests, f.Since = "", "", []buildlog.Line{}, nil, nil, 0, nil
	n.Failure, n.Links.Commits = &f, ""
	of := "no owner of yours looks after " + n.Case.Project
	if n.Case.Owner != "" {
		of = n.Case.Project + " is a project of " + n.Case.Owner
	}
	n.Note = strings.TrimSpace(n.Note + " What the build printed is not shown: " + of + ".")
}

// attributes are what subscriptions may filter by. SNS accepts no empty value, and drops a message
// with more than ten where a queue gets it raw (AWS.md#subscription-filters).
func attributes(kind string, to decide.Audience, c Case, cause, mode string) map[string]string {
	out := map[string]string{}
	for k, v := range map[string]string{
		"kind":    kind,
		"to":      to.Owner,
		"owner":   c.Owner,
		"project": c.Project,
		"case":    c.ID,
		"cause":   cause,
		"mode":    mode,
		"account": c.Account,
		"region":  c.Region,
	} {
		if v != "" {
			out[k] = v
		}
	}
	return out
}

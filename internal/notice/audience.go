package notice

import (
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/diagnose"
)

// withheld is the outcome without what the builds of the project printed and ran, if it is told to
// somebody else, who has to do with what its role is given, or with a build that the same change
// cured. What was denied, on what and to whom stays, since that is what he judges by. All that a
// notice says is made of what this leaves.
func withheld(o decide.Outcome) decide.Outcome {
	if !o.For.Guest {
		return o
	}
	var own []diagnose.Cause
	if o.Settings != nil {
		own = o.Settings.Own()
	}
	o.Case.Rounds = slices.Clone(o.Case.Rounds)
	for i := range o.Case.Rounds {
		r := &o.Case.Rounds[i]
		r.Since, r.Known = nil, nil
		if r.Diagnosis != nil {
			g := r.Diagnosis.Withheld(own...)
			r.Diagnosis = &g
		}
		r.Build.Phases = slices.Clone(r.Build.Phases)
		for j := range r.Build.Phases {
			r.Build.Phases[j].Contexts = nil
		}
	}
	return o
}

// sayWithheld says that something is not shown, and whose it is.
func (n *Notice) sayWithheld() {
	if n.Failure == nil {
		return
	}
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

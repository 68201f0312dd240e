package observe

import (
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/iamref"
)

// AddCase adds what a case tells: what its builds were denied that a grant of the project covers, what
// was written of that, and which builds are green. What was taken back was not needed.
func (p *Project) AddCase(c decide.Case) {
	for i := range c.Rounds {
		r := &c.Rounds[i]
		if r.Green || c.Outcome == decide.Healed && i == len(c.Rounds)-1 {
			p.Green = append(p.Green, greenOf(c, r))
		}
		if r.Decision != nil && len(r.Decision.Used) > 0 && r.Undone.IsZero() {
			p.addRound(r)
		}
	}
}

// greenOf names the green build that ended a round; a stage's or a batch's has no name there.
func greenOf(c decide.Case, r *decide.Round) string {
	if r.Retry != "" {
		return r.Retry
	}
	return "case " + c.ID
}

func (p *Project) addRound(r *decide.Round) {
	if r.Diagnosis != nil {
		for _, d := range r.Diagnosis.Denials {
			if a, ok := iamref.Lookup(d.Action); ok && d.Causal {
				p.Use(Use{a.Name, d.Resource})
			}
		}
	}
	told := r.Diagnosis != nil && !r.Cut
	if plan := r.Decision.Plan; plan != nil && plan.Write != nil {
		p.Cut = p.Cut || plan.Write.Kind == guardrail.Attach
		if doc, err := iampolicy.ParseLoose([]byte(plan.Write.After)); err == nil {
			told = true
			p.addWritten(doc)
		}
	}
	p.Cut = p.Cut || !told
}

// addWritten adds all that a policy of the healer's gives, also by what was written before.
func (p *Project) addWritten(doc iampolicy.Document) {
	for _, st := range doc.Statements {
		if st.Effect != "Allow" {
			continue
		}
		for _, name := range st.Action.List {
			a, ok := iamref.Lookup(name)
			for _, r := range st.Resource.List {
				if ok {
					p.Given = append(p.Given, Use{a.Name, r})
				}
			}
		}
	}
}

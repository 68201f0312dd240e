package decide

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// What a [Hold] may be about, besides a grant. Neither can be a grant's id.
const (
	// SwitchedRole is the switch of a project to its ready role.
	SwitchedRole = "switch_role"
	// EveryGrant is all of them: so many are held back that the ledger does not
	// list them one by one.
	EveryGrant = "*"
)

// Hold says that a person took a grant back. Until a person lifts it, the grant
// is not given again: neither to the project, nor to the role or the managed
// policy that it was taken from, whichever project asks.
type Hold struct {
	Grant   string    `json:"grant"` // its id, [SwitchedRole] or [EveryGrant]
	Account string    `json:"account"`
	Region  string    `json:"region"`
	Project string    `json:"project"`
	Role    string    `json:"role,omitempty"`   // ARN; "" for a switch
	Policy  string    `json:"policy,omitempty"` // ARN of the managed policy; "" for the other ways to write
	Case    string    `json:"case"`
	At      time.Time `json:"at"`
	By      string    `json:"by,omitempty"` // who took it back, as far as is known
}

// Lift is the payload that lifts the hold.
func (h Hold) Lift(home settings.Account) string {
	what := h.LiftArgs(home)
	b, err := json.Marshal(map[string]any{"resume": what})
	if err != nil {
		panic("decide: names are always printable: " + err.Error())
	}
	return string(b)
}

// LiftArgs are what resume needs to know to lift the hold.
func (h Hold) LiftArgs(home settings.Account) map[string]string {
	args := map[string]string{"project": h.Project, "grant": h.Grant}
	if h.Account != home.ID || h.Region != home.Region {
		args["account"], args["region"] = h.Account, h.Region
	}
	return args
}

// What names what is held back in a sentence.
func (h Hold) What() string {
	switch h.Grant {
	case SwitchedRole:
		return "the switch to another role"
	case EveryGrant:
		return "every grant"
	}
	return fmt.Sprintf("grant %q", h.Grant)
}

// held are the refusals of what persons took back.
func held(f Facts, grants ...string) (rs []guardrail.Refusal) {
	for _, id := range grants {
		i := slices.IndexFunc(f.Held, func(h Hold) bool { return h.Grant == id || h.Grant == EveryGrant && id != SwitchedRole })
		if i < 0 {
			continue
		}
		h := f.Held[i]
		rs = append(rs, guardrail.Refusal{Rule: guardrail.UndoneByPerson, Message: fmt.Sprintf(
			"%s took back %s of project %q at %s (case %s), and that holds for its role too. It is given again only once a "+
				"person lifts that: send %s, or run buildmedic resume%s. Then replay the build.", cmp.Or(h.By, "A person"),
			h.What(), h.Project, h.At.UTC().Format("2006-01-02 15:04 UTC"), h.Case, h.Lift(f.Home), h.flags(f.Home))})
	}
	return rs
}

func (h Hold) flags(home settings.Account) (s string) {
	args := h.LiftArgs(home)
	for _, name := range []string{"project", "grant", "account", "region"} {
		switch v := args[name]; v {
		case "":
		case EveryGrant:
			s += " -" + name + " '*'" // a shell would take it for files
		default:
			s += " -" + name + " " + v
		}
	}
	return s
}

// Uses reports whether the hold is about what the decision gives.
func (d Decision) Uses(h Hold) bool {
	if h.Grant == SwitchedRole {
		return d.Plan != nil && d.Plan.NewRole != ""
	}
	return slices.Contains(idsOf(d.Used), h.Grant) || h.Grant == EveryGrant && len(d.Used) > 0
}

// HeldBy are the holds that a person's undo of the round makes, or has made.
func (c Case) HeldBy(r Round) (holds []Hold) {
	if r.Decision == nil || r.Decision.Plan == nil {
		return nil
	}
	p := r.Decision.Plan
	one := Hold{Account: c.Account, Region: c.Region, Project: c.Project, Case: c.ID}
	if p.NewRole != "" {
		one.Grant = SwitchedRole
		return []Hold{one}
	}
	if p.Write == nil {
		return nil
	}
	if one.Role = p.Role; p.Write.Kind == guardrail.Managed {
		one.Policy = p.Write.Name
	}
	for _, id := range idsOf(r.Decision.Used) {
		one.Grant = id
		holds = append(holds, one)
	}
	return holds
}

func idsOf(us []guardrail.Used) (ids []string) {
	for _, u := range us {
		ids = append(ids, u.Grant)
	}
	return ids
}

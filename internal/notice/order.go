package notice

import (
	"fmt"
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/decide"
)

func orders(os []decide.Order) (out []Order) {
	for _, o := range os {
		out = append(out, orderOf(o))
	}
	return out
}

// orderOf passes an order through the gate: whoever may send a command chooses what it says of
// them.
func orderOf(o decide.Order) Order {
	out := Order{Verb: o.Verb, At: o.At.UTC(), By: quote(o.By, maxName), Request: id(o.Request), Plan: id(o.Plan)}
	if slices.Contains(decide.Vias(), o.Via) {
		out.Via = o.Via
	}
	return out
}

// approval says who approved what was done, "" if nobody had to: of a build that runs again, what
// it runs with, and of what was asked for, that; else which of the rounds, if there were several.
func approval(v *view) string {
	rounds := v.acted
	if v.Kind == decide.Retrying || v.Kind == decide.Requested {
		rounds = []decide.Round{v.latest}
	}
	var says []string
	for i, r := range rounds {
		if !approved(r) {
			continue
		}
		what := "Approved"
		if len(rounds) > 1 {
			what = fmt.Sprintf("Round %d of %d was approved", i+1, len(rounds))
		}
		by := "somebody"
		for _, o := range slices.Backward(v.Case.Orders) {
			if o.Verb == decide.Approve && o.Plan == r.Approved {
				by = orderOf(o).sender()
				break
			}
		}
		says = append(says, what+" by "+by+".")
	}
	return strings.Join(says, " ")
}

// approved reports whether a person approved the round's own plan, and not one that was made before.
func approved(r decide.Round) bool {
	return r.Approved != "" && r.Decision != nil && r.Decision.Plan != nil && r.Decision.Plan.Hash() == r.Approved
}

// sender says who, and how sure that is.
func (o Order) sender() string {
	who := "somebody"
	if o.By != "" {
		who = o.By
	}
	switch o.Via {
	case decide.ViaChat:
		who += " from chat"
	case decide.ViaConsole:
		who += " in the Lambda console"
	case decide.ViaDesk:
		who += " at a desk"
	}
	switch {
	case o.Request != "" && o.By != "":
		who += ", as the command says; who it was, CloudTrail tells under request " + o.Request
	case o.Request != "":
		who += "; who it was, CloudTrail tells under request " + o.Request
	case o.By != "":
		who += ", as the command says"
	}
	return who
}

// askedSchema names the format of the line of a command and its version.
const askedSchema = "buildmedic.command/1"

// asked is one line: what a person told the healer, and its answer.
type asked struct {
	Schema string `json:"audit"`
	Order
	Case    string `json:"case,omitempty"`
	Build   string `json:"build,omitempty"`
	Project string `json:"project,omitempty"`
	Grant   string `json:"grant,omitempty"`
	Done    bool   `json:"done"`
	Answer  string `json:"answer"`
}

// maxAnswer is the longest answer that a line repeats.
const maxAnswer = 500

// Asked returns one line of JSON, without a newline, that records a command of a person, also one
// that was refused: an old button that is pressed again is seen there.
func Asked(a decide.Asked) []byte {
	return []byte(jsonText(asked{Schema: askedSchema, Order: orderOf(a.Order), Case: id(a.Case), Build: id(a.Build), Project: id(a.Project),
		Grant: id(a.Grant), Done: a.Done, Answer: quote(a.Message, maxAnswer)}))
}

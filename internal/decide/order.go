package decide

import (
	"slices"
	"time"
)

// Sender is what is known of who sent a command. By and Via are what the command says of itself,
// which proves nothing: whoever may send one may say so. Request proves who it was, but only to
// whoever looks it up (AWS.md#caller).
type Sender struct {
	By  string `json:"by,omitempty"`
	Via Via    `json:"via,omitempty"`
	// Request is Lambda's id of the invocation; "" at a desk.
	Request string `json:"request,omitempty"`
}

// Via is the way by which a command says that it came; "" if it does not say.
type Via string

// The ways.
const (
	ViaChat    Via = "chat"    // a button of a chat card
	ViaConsole Via = "console" // the Test tab of the Lambda console
	ViaDesk    Via = "desk"    // the command buildmedic
)

// Vias lists the ways.
func Vias() []Via { return []Via{ViaChat, ViaConsole, ViaDesk} }

// Who names the sender within a sentence.
func (s Sender) Who() string {
	switch {
	case s.By != "":
		return s.By
	case s.Via == ViaChat:
		return "somebody in the chat channel"
	}
	return "somebody"
}

// Verb is what a person told the healer.
type Verb string

// The verbs.
const (
	Approve Verb = "approve"
	Reject  Verb = "reject"
	Revoke  Verb = "revoke" // an approval that was given and not applied yet
	Undo    Verb = "undo"
	Replay  Verb = "replay"
	Pause   Verb = "pause"
	Resume  Verb = "resume"
)

// Order is what a person told the healer to do about a case, and what it therefore began to do.
type Order struct {
	Verb Verb      `json:"verb"`
	At   time.Time `json:"at"`
	Plan string    `json:"plan,omitempty"` // hash; of approve, reject and revoke
	Sender
}

// maxOrders bounds how many orders a case keeps.
const maxOrders = 10

// Take records an order. The oldest give way.
func (c *Case) Take(o Order) {
	c.Orders = append(c.Orders, o)
	c.Orders = slices.Clone(c.Orders[max(0, len(c.Orders)-maxOrders):])
}

// OrderOf is the newest order about the plan.
func (c *Case) OrderOf(plan string) (o Order, ok bool) {
	for _, o := range slices.Backward(c.Orders) {
		if o.Plan == plan {
			return o, true
		}
	}
	return Order{}, false
}

// Asked is a command that a person sent, whether anything came of it or not, for the audit.
type Asked struct {
	Order
	Case    string
	Build   string // of replay
	Project string // of resume
	Grant   string // of resume: the one that was taken back
	Done    bool
	Message string // the answer
}

// Package chat says which buttons the cards in a chat channel have, on which cards, and what each
// sends. The stack makes them of it, as custom actions of Amazon Q Developer in chat applications,
// and cards carry what they need to know.
//
// A button sends a command of the AWS CLI into which a value of the card is put. All values are ids
// and hashes of Buildmedic's own, so that nothing which a build prints can become a part of a
// command.
package chat

import (
	"strings"

	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

// MaxCommand is how long the text of a command may be before values are put into it
// (AWS.md#chat-command).
const MaxCommand = 100

// Context is a card's `additionalContext`: what its buttons are shown by, and what they send.
type Context map[string]string

// The keys of a context.
const (
	Action   = "action"   // which buttons the card has, one of the actions below
	Stop     = "stop"     // [Offered] if the card has the button that pauses everything
	Kind     = "kind"     // of the notice
	Case     = "case"     // its id
	Plan     = "plan"     // its SHA-256, if it waits for an approval
	Pause    = "pause"    // names the pause that the card tells of
	Function = "function" // that takes the commands
	Region   = "region"   // it is in
)

// The actions. A card has at most one.
const (
	OnPlan   = "buildmedic-plan"   // a plan waits: approve, reject
	OnChange = "buildmedic-change" // a change stands: undo
	OnPause  = "buildmedic-pause"  // something is paused: resume
)

// Offered is the value of [Stop].
const Offered = "offered"

// Of makes a context of what is not empty and cannot be anything but an id.
func Of(values map[string]string) Context {
	c := Context{}
	for k, v := range values {
		if len(v) <= maxValue && isID.MatchString(v) {
			c[k] = v
		}
	}
	return c
}

const maxValue = 64

// isID holds for hashes, ids, and the names of functions and regions. None has a character that
// means something in a command or in JSON.
var isID = lazyregexp.New(`^[A-Za-z0-9_-]+$`)

// A Button is one custom action.
type Button struct {
	Name string // of the action; the stack adds the region, since an account's names are in no region
	Text string // on the button
	verb string
	// With is the key whose value the button sends.
	With string
	// Shown is what a card's context must hold for the button to be on it.
	Shown map[string]string
}

// Buttons lists the buttons, in the order of their importance. Only the first one grants anything,
// and only the one plan that its card is about.
func Buttons() []Button {
	on := func(action string) map[string]string { return map[string]string{Action: action} }
	return []Button{
		{"approve", "Approve", "approve", Plan, on(OnPlan)},
		{"reject", "Reject", "reject", Plan, on(OnPlan)},
		{"undo", "Undo", "undo", Case, on(OnChange)},
		{"resume", "Resume", "resume", Pause, on(OnPause)},
		{"pause", "Pause all changes", "pause", Case, map[string]string{Stop: Offered}},
	}
}

// Command is the text of the button's command for a function in a region: of the AWS CLI, without
// the word aws, with the variable of the button's key.
//
// The payload has one pair of braces and a space behind the colon, as in commands that are known to
// work (AWS.md#chat-command): the healer takes {"approve": "SHA256"} as it takes
// {"approve":{"plan":"SHA256"}}.
func (b Button) Command(function, region string) string {
	return `lambda invoke --payload {"` + b.verb + `": "$` + b.With + `"} --function-name ` + function + " --region " + region
}

// Variables are where the values of the command and of the criteria are in a notification.
func (b Button) Variables() map[string]string {
	out := map[string]string{}
	for _, key := range b.Keys() {
		out[key] = "event.metadata.additionalContext." + key
	}
	return out
}

// Keys are the keys that the button reads, each once.
func (b Button) Keys() []string {
	keys := []string{b.With, Function, Region}
	for key := range b.Shown {
		keys = append(keys, key)
	}
	return keys
}

// Criterion is what a notification must have for a button to be on it.
type Criterion struct{ Operator, Variable, Value string }

// Criteria are those of the button: its card's action, that there is something to send, and that
// the card is of the function in the region which the command goes to.
func (b Button) Criteria(function, region string) []Criterion {
	out := []Criterion{{"HAS_VALUE", b.With, ""}, {"EQUALS", Function, function}, {"EQUALS", Region, region}}
	for key, value := range b.Shown {
		out = append(out, Criterion{"EQUALS", key, value})
	}
	return out
}

// ActionName is the custom action's name for a hub in the region.
func (b Button) ActionName(region string) string {
	return strings.Join([]string{"buildmedic", b.Name, region}, "-")
}

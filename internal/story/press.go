package story

import (
	"fmt"
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/chat"
	"github.com/buildmedic/buildmedic/internal/simaws"
)

// Actions are the channel's custom actions as the stack makes them for a function in a region.
func Actions(function, region string) (actions []simaws.CustomAction) {
	for _, b := range chat.Buttons() {
		a := simaws.CustomAction{ActionName: b.ActionName(region)}
		a.Definition.CommandText = b.Command(function, region)
		at := simaws.Attachment{NotificationType: "Custom", ButtonText: b.Text, Variables: b.Variables()}
		for _, c := range b.Criteria(function, region) {
			at.Criteria = append(at.Criteria, simaws.Criterion{Operator: c.Operator, VariableName: c.Variable, Value: c.Value})
		}
		a.Attachments = []simaws.Attachment{at}
		actions = append(actions, a)
	}
	return actions
}

// press gives the payload that the button sends to the function, from the newest card that has it.
func (st *Stage) press(button string) (payload string, err error) {
	region := strings.Split(st.Sim.TopicARN(), ":")[3]
	var offered []string
	for _, n := range slices.Backward(st.Sim.Notices()) {
		card := n.ByProtocol["https"]
		offered = append(offered, simaws.Buttons(card, Actions(Function, region))...)
		for _, a := range Actions(Function, region) {
			if a.ActionName != "buildmedic-"+button+"-"+region {
				continue
			}
			words, err := a.Press(card)
			if err != nil {
				continue // it is on an older one
			}
			in, err := simaws.Invoked(words)
			if err != nil || in.Function != Function || in.Region != region {
				return "", fmt.Errorf("story %s: button %s sends %q: %w", st.Story.Name, button, words, err)
			}
			return string(in.Payload), nil
		}
	}
	return "", fmt.Errorf("story %s: no card has a button %q; there are %q", st.Story.Name, button, offered)
}

package simaws

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func approveAction() CustomAction {
	a := CustomAction{ActionName: "approve"}
	a.Definition.CommandText = `lambda invoke --payload {"approve": "$plan"} --function-name f --region eu-west-1`
	a.Attachments = []Attachment{{NotificationType: "Custom", ButtonText: "Approve",
		Criteria:  []Criterion{{"HAS_VALUE", "plan", ""}, {"EQUALS", "action", "a-plan"}},
		Variables: map[string]string{"plan": "event.metadata.additionalContext.plan", "action": "event.metadata.additionalContext.action"}}}
	return a
}

func cardWith(context string) string {
	return `{"version":"1.0","source":"custom","content":{"description":"x"},"metadata":{"enableCustomActions":true,` +
		`"additionalContext":` + context + `}}`
}

// TestPress: the command has what the card carries, and the payload is one word.
func TestPress(t *testing.T) {
	card := cardWith(`{"plan":"0a1b","action":"a-plan"}`)
	words, err := approveAction().Press(card)
	want := []string{"aws", "lambda", "invoke", "--payload", `{"approve": "0a1b"}`, "--function-name", "f", "--region", "eu-west-1"}
	if diff := cmp.Diff(want, words); err != nil || diff != "" {
		t.Fatalf("%v\n%s", err, diff)
	}
	in, err := Invoked(words)
	if err != nil || in.Function != "f" || in.Region != "eu-west-1" || string(in.Payload) != `{"approve": "0a1b"}` {
		t.Errorf("%+v, %v", in, err)
	}
	if got := Buttons(card, []CustomAction{approveAction()}); !cmp.Equal(got, []string{"Approve"}) {
		t.Errorf("buttons: %q", got)
	}
}

// TestNoButton: a card that a criterion does not hold for, and what is no card, have no button.
func TestNoButton(t *testing.T) {
	long := approveAction()
	long.Definition.CommandText += strings.Repeat(" ", 100)
	unknown := approveAction()
	unknown.Definition.CommandText += " $more"
	other := approveAction()
	other.Attachments[0].NotificationType = "CloudWatch"
	card := cardWith(`{"plan":"0a1b","action":"a-plan"}`)
	for name, c := range map[string]struct {
		action CustomAction
		card   string
	}{
		"another action":    {approveAction(), cardWith(`{"plan":"0a1b","action":"a-change"}`)},
		"no value":          {approveAction(), cardWith(`{"plan":"","action":"a-plan"}`)},
		"no plan":           {approveAction(), cardWith(`{"action":"a-plan"}`)},
		"no text":           {approveAction(), cardWith(`{"plan":["0a1b"],"action":"a-plan"}`)},
		"no context":        {approveAction(), cardWith(`null`)},
		"actions not on":    {approveAction(), strings.Replace(card, "true", "false", 1)},
		"another version":   {approveAction(), strings.Replace(card, "1.0", "2.0", 1)},
		"plain text":        {approveAction(), "hello"},
		"too long":          {long, card},
		"unknown variable":  {unknown, card},
		"another type":      {other, card},
		"no description":    {approveAction(), strings.Replace(card, `"x"`, `""`, 1)},
		"another's message": {approveAction(), strings.Replace(card, `"custom"`, `"aws"`, 1)},
	} {
		if words, err := c.action.Press(c.card); err == nil {
			t.Errorf("%s: %q", name, words)
		}
	}
}

// TestInjected shows why values must be ids: what else is in one becomes a part of the command.
func TestInjected(t *testing.T) {
	for _, plan := range []string{`x\"} --function-name g {`, `x\"}} --region r`, `x\" `} {
		words, err := approveAction().Press(cardWith(`{"plan":"` + plan + `","action":"a-plan"}`))
		if err != nil {
			t.Fatal(err)
		}
		if in, err := Invoked(words); err == nil {
			t.Errorf("%s: %+v", plan, in)
		}
	}
	for _, words := range [][]string{nil, {"aws", "lambda", "list"}, {"aws", "lambda", "invoke", "--payload", "{}", "--region", "r"},
		{"aws", "lambda", "invoke", "--payload", "{", "--region", "r", "--function-name", "f"},
		{"aws", "lambda", "invoke", "--payload", "{}", "--region", "r", "--function-name", "f", "--qualifier", "q"},
		{"aws", "lambda", "invoke", "--payload", "{}", "--region", "r", "--function-name"}} {
		if in, err := Invoked(words); err == nil {
			t.Errorf("%q: %+v", words, in)
		}
	}
}

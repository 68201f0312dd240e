package simaws

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// CustomAction is one of Amazon Q Developer's in a chat channel, as a CloudFormation template has
// its properties (AWS.md#chat-command).
type CustomAction struct {
	ActionName  string
	Definition  struct{ CommandText string }
	Attachments []Attachment
	Tags        []struct{ Key, Value string }
}

// Attachment says on which notifications the action is a button.
type Attachment struct {
	NotificationType, ButtonText string
	Criteria                     []Criterion
	Variables                    map[string]string
}

// Criterion is what a notification must have.
type Criterion struct{ Operator, VariableName, Value string }

// maxCommandText is in characters, before values are put in.
const maxCommandText = 100

// Buttons are the texts of the buttons that a message has in the channel: none if it is no custom
// notification, which the service would not even show (AWS.md#chat-card).
func Buttons(message string, actions []CustomAction) (texts []string) {
	for _, a := range actions {
		if at, _, ok := a.on(message); ok {
			texts = append(texts, at.ButtonText)
		}
	}
	return texts
}

// Press gives the words of the command that the action's button on the message sends, with the word
// aws before them.
func (a CustomAction) Press(message string) ([]string, error) {
	_, values, ok := a.on(message)
	if !ok {
		return nil, fmt.Errorf("pressing %s: the message has no such button", a.ActionName)
	}
	text := a.Definition.CommandText
	if n := len([]rune(text)); n < 1 || n > maxCommandText {
		return nil, fmt.Errorf("pressing %s: its command has %d characters, and may have %d", a.ActionName, n, maxCommandText)
	}
	var missing error
	text = variable.ReplaceAllStringFunc(text, func(name string) string {
		v, ok := values[name[1:]]
		if !ok {
			missing = fmt.Errorf("pressing %s: nothing is known of %s", a.ActionName, name)
		}
		return v
	})
	if missing != nil {
		return nil, missing
	}
	return append([]string{"aws"}, chatWords(text)...), nil
}

var variable = regexp.MustCompile(`\$[A-Za-z0-9_-]+`)

// on finds the attachment by which the action is on the message, with the values of its variables.
func (a CustomAction) on(message string) (at Attachment, values map[string]string, ok bool) {
	var card struct {
		Version, Source string
		Content         struct{ Description string }
		Metadata        struct{ EnableCustomActions bool }
	}
	var event any
	if json.Unmarshal([]byte(message), &card) != nil || json.Unmarshal([]byte(message), &event) != nil ||
		card.Version != "1.0" || card.Source != "custom" || card.Content.Description == "" || !card.Metadata.EnableCustomActions {
		return at, nil, false
	}
	for _, at := range a.Attachments {
		values := map[string]string{}
		for name, path := range at.Variables {
			if v, ok := reach(map[string]any{"event": event}, strings.Split(path, ".")); ok {
				values[name] = v
			}
		}
		if at.NotificationType == "Custom" && at.holds(values) {
			return at, values, true
		}
	}
	return at, nil, false
}

func (at Attachment) holds(values map[string]string) bool {
	for _, c := range at.Criteria {
		v, ok := values[c.VariableName]
		if !ok || v == "" || c.Operator == "EQUALS" && v != c.Value || c.Operator != "EQUALS" && c.Operator != "HAS_VALUE" {
			return false
		}
	}
	return true
}

// reach follows a path into JSON, to a text.
func reach(v any, path []string) (string, bool) {
	for _, key := range path {
		m, ok := v.(map[string]any)
		if !ok {
			return "", false
		}
		v = m[key]
	}
	s, ok := v.(string)
	return s, ok
}

// chatWords splits a chat command into words: at white space, but not within braces. Values have
// been put in by then, so that one with a space or a brace in it would change the words: the worse
// of the two orders in which the service may work.
func chatWords(text string) (words []string) {
	word, depth := "", 0
	for _, r := range text {
		switch {
		case r == '{':
			depth++
		case r == '}':
			depth--
		case depth == 0 && (r == ' ' || r == '\t' || r == '\n'):
			if word != "" {
				words, word = append(words, word), ""
			}
			continue
		}
		word += string(r)
	}
	if word != "" {
		words = append(words, word)
	}
	return words
}

// InvokeCommand is what `aws lambda invoke` is asked for.
type InvokeCommand struct {
	Function, Region string
	Payload          json.RawMessage
}

// Invoked reads the words of `aws lambda invoke`, which may have these options and no more.
func Invoked(words []string) (in InvokeCommand, err error) {
	if len(words) < 3 || words[0] != "aws" || words[1] != "lambda" || words[2] != "invoke" {
		return in, fmt.Errorf("%q does not invoke a function", words)
	}
	payload := ""
	to := map[string]*string{"--function-name": &in.Function, "--region": &in.Region, "--payload": &payload}
	for rest := words[3:]; len(rest) > 0; rest = rest[2:] {
		if to[rest[0]] == nil || *to[rest[0]] != "" || len(rest) < 2 || rest[1] == "" {
			return in, fmt.Errorf("%q: %q is not understood there", words, rest[0])
		}
		*to[rest[0]] = rest[1]
	}
	in.Payload = json.RawMessage(payload)
	if in.Function == "" || in.Region == "" || !json.Valid(in.Payload) {
		return in, errors.New("a function, a region or a payload of JSON is missing: " + strings.Join(words, " "))
	}
	return in, nil
}

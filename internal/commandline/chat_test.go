package commandline

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/buildmedic/buildmedic/internal/chat"
	"github.com/buildmedic/buildmedic/internal/simaws"
	"github.com/buildmedic/buildmedic/internal/story"
)

// TestButtonCommands runs the command of each button, filled in as the chat service fills it in,
// through the AWS CLI: it must be accepted, and send the payload. Where the answer goes, and how
// version 2 reads a payload, the service adds itself.
func TestButtonCommands(t *testing.T) {
	card, err := json.Marshal(map[string]any{"version": "1.0", "source": "custom", "content": map[string]any{"description": "x"},
		"metadata": map[string]any{"enableCustomActions": true, "additionalContext": chat.Of(map[string]string{
			chat.Stop: chat.Offered, chat.Case: "1160bc9cefbf0600", chat.Plan: strings.Repeat("0a", 32), chat.Pause: "91c2a0f3d7b5e648",
			chat.Function: "buildmedic", chat.Region: "us-west-2"})}})
	if err != nil {
		t.Fatal(err)
	}
	for version, more := range map[string]string{"v1": " /dev/stdout", "v2": " --cli-binary-format raw-in-base64-out /dev/stdout"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			cli := installed(t, version)
			for _, b := range chat.Buttons() {
				text := strings.Replace(string(card), `"additionalContext":{`,
					`"additionalContext":{"action":"`+b.Shown[chat.Action]+`",`, 1)
				var words []string
				var err error
				for _, a := range story.Actions("buildmedic", "us-west-2") {
					if a.ActionName == b.ActionName("us-west-2") {
						words, err = a.Press(text)
					}
				}
				if err != nil || len(words) == 0 {
					t.Errorf("%s: %q, %v", b.Name, words, err)
					continue
				}
				in, err := simaws.Invoked(words)
				if err != nil {
					t.Error(err)
					continue
				}
				line := ""
				for _, w := range words {
					line += "'" + strings.ReplaceAll(w, "'", `'\''`) + "' "
				}
				got := run(t, cli, line+more+" | cat")
				if path := "/2015-03-31/functions/" + in.Function + "/invocations"; got.err != nil || len(got.requests) != 1 ||
					got.requests[0].path != path ||
					string(got.requests[0].body) != string(in.Payload) || !strings.Contains(got.output, answer) {
					t.Errorf("%s: %v %q\n%s\n%s", b.Name, got.err, got.requests, line, got.output)
				}
			}
		})
	}
}

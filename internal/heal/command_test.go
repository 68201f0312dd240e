package heal

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
)

// TestOneCommandAtATime ensures that a payload with none or several commands
// does nothing: of two, one must not be dropped in silence.
func TestOneCommandAtATime(t *testing.T) {
	for _, payload := range []string{`{}`, `{"status":{},"pause":{"because":"x"}}`, `{"resume":{},"pause":{}}`,
		`{"undo":{"case":"c"},"pause":{}}`} {
		var cmd Command
		if err := json.Unmarshal([]byte(payload), &cmd); err != nil {
			t.Fatal(err)
		}
		a, err := (&Healer{}).Do(context.Background(), cmd)
		if err != nil || a.Done || !strings.Contains(a.Message, "one at a time") {
			t.Errorf("%s: %+v, %v", payload, a, err)
		}
	}
}

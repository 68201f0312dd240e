//go:build crosscheck

package settings

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/buildmedic/buildmedic/internal/crosscheck"
)

type opened struct {
	Text     string `json:"text"`
	Hover    []int  `json:"hover,omitempty"`
	Complete []int  `json:"complete,omitempty"`
}

type shown struct {
	Problems []string `json:"problems"`
	Hover    string   `json:"hover"`
	Labels   []string `json:"labels"`
}

// TestCrossCheckSchemaInEditors ensures that the language server that editors use finds the schema
// beside the settings by their first line, marks nothing that is valid and each slip that the schema
// knows, and completes and explains keys.
func TestCrossCheckSchemaInEditors(t *testing.T) {
	const modeline = "# yaml-language-server: $schema=" + SchemaFile + "\n"
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, SchemaFile), []byte(JSONSchema()), 0o600); err != nil {
		t.Fatal(err)
	}
	var docs []opened
	var what []string
	var good []bool
	add := func(name string, text []byte, valid bool) {
		docs, what, good = append(docs, opened{Text: modeline + string(text)}), append(what, name), append(good, valid)
	}
	validate, files := validator(t), settingsFiles(t)
	for name, data := range files {
		if _, err := Parse(data); err == nil && strings.Contains(name, ".yaml") {
			add(name, data, true)
		}
	}
	valid := len(docs)
	for _, name := range []string{"full", "every default", "a cause"} {
		slips := everySlip(t, files[name])
		for i, slip := range sortedKeys(slips) {
			if i%2 == 0 {
				add(name+": "+slip, slips[slip], validate(slips[slip]) == nil)
			}
		}
	}
	const shop = modeline + "version: 1\nprojects:\n  - name: shop\n    role: r\n"
	docs = append(docs, opened{Text: shop + "    mode: \n    \n", Hover: []int{6, 5}, Complete: []int{6, 10}},
		opened{Text: shop + "    \n", Complete: []int{6, 4}})
	var in bytes.Buffer
	enc := json.NewEncoder(&in)
	for _, d := range docs {
		if err := enc.Encode(d); err != nil {
			t.Fatal(err)
		}
	}
	lines := crosscheck.Lines(t, crosscheck.YAMLLanguageServer(t, dir), in.Bytes())
	if len(lines) != len(docs) {
		t.Fatalf("%d answers of %d", len(lines), len(docs))
	}
	var answers []shown
	for _, l := range lines {
		var s shown
		if err := json.Unmarshal([]byte(l), &s); err != nil {
			t.Fatal(err)
		}
		answers = append(answers, s)
	}
	for i := range what {
		if marked := len(answers[i].Problems) > 0; marked == good[i] {
			t.Errorf("%s: valid by the schema: %v, and the editor says %q\n%s", what[i], good[i], answers[i].Problems, docs[i].Text)
		}
	}
	modes, keys := answers[len(what)], answers[len(what)+1]
	if !strings.Contains(modes.Hover, "How far Buildmedic may go.") || strings.Contains(modes.Hover, "\\\\`") {
		t.Errorf("hovering over mode shows %s", modes.Hover)
	}
	if !slices.Contains(modes.Labels, "heal") || !slices.Contains(keys.Labels, "since_green") || slices.Contains(keys.Labels, "role") {
		t.Errorf("it completes mode with %q, and keys with %q", modes.Labels, keys.Labels)
	}
	t.Logf("%d valid files, and %d slips", valid, len(what)-valid)
}

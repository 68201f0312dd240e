//go:build crosscheck

package settings

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/buildmedic/buildmedic/internal/crosscheck"
	"github.com/buildmedic/buildmedic/internal/iampolicy"
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

// TestCrossCheckScope ensures that an evaluation by others allows what is scoped to a
// project to its builds and to nobody else's: when one project has it, when a sibling
// of the role has it too, and when it was taken back from the first.
func TestCrossCheckScope(t *testing.T) {
	s := mustParse(t, `version: 1
projects:
  - {name: shop, role: r, mode: heal, write: {inline: healed}, grants: [image, deploy, logs]}
  - {name: docs, role: r, mode: heal, write: {inline: healed}, grants: [image, deploy, logs]}
grants:
  - {id: image, because: B., owner: t, scope: project, set: ecr-push, resources: ["arn:aws:ecr:eu-west-1:111122223333:repository/web"]}
  - {id: deploy, because: B., owner: t, scope: project, actions: ["ecs:UpdateService"],
     resources: ["arn:aws:ecs:eu-west-1:111122223333:service/main/web"],
     pass_roles: {ecs-tasks.amazonaws.com: ["arn:aws:iam::111122223333:role/task"]}}
  - {id: logs, because: B., owner: t, scope: project, actions: ["s3:PutObject"], resources: ["arn:aws:s3:::logs/*"]}
`)
	of := map[string][]iampolicy.Statement{}
	for _, p := range s.Projects {
		of[p.Name] = Max(s, p, home, "aws")
	}
	give := func(d iampolicy.Document, project string) iampolicy.Document {
		merged, n := iampolicy.Merge(d, of[project])
		return iampolicy.Unite(merged, n, ProjectKey)
	}
	one := give(iampolicy.Document{}, "shop")
	both := give(one, "docs")
	back, _ := iampolicy.Divide(both, of["shop"], ProjectKey)
	if len(both.Statements) != len(one.Statements) || len(back.Statements) != len(one.Statements) {
		t.Fatalf("%d, %d and %d statements", len(one.Statements), len(both.Statements), len(back.Statements))
	}
	var input []byte
	var asked []string
	var allowed []bool
	for _, row := range []struct {
		d   iampolicy.Document
		has string
	}{{one, "shop"}, {both, "shop docs"}, {back, "docs"}} {
		for _, st := range of["shop"] {
			for _, action := range st.Action.List {
				for _, project := range []string{"shop", "docs", "sho", "shop2", ""} {
					context := map[string]any{"iam:PassedToService": "ecs-tasks.amazonaws.com"}
					if project != "" {
						context[ProjectKey] = strings.Replace(ofApp, "project/app", "project/"+project, 1)
					}
					resource := strings.ReplaceAll(st.Resource.List[0], "/*", "/k")
					line, err := json.Marshal(map[string]any{"action": action, "resource": resource, "context": context,
						"policies": []json.RawMessage{row.d.Compact()}, "whole": true})
					if err != nil {
						t.Fatal(err)
					}
					input = append(append(input, line...), '\n')
					asked = append(asked, fmt.Sprintf("%s on %s by %q, when %s has it", action, resource, project, row.has))
					allowed = append(allowed, project != "" && slices.Contains(strings.Fields(row.has), project))
				}
			}
		}
	}
	counts := crosscheck.Verdicts(t, input, asked, allowed)
	t.Logf("%d calls: %v", len(asked), counts)
}

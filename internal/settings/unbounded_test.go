package settings

import (
	"strings"
	"testing"
)

// TestUnbounded: a boundary is recommended exactly where the role can be
// written freely and has none.
func TestUnbounded(t *testing.T) {
	for rest, want := range map[string]bool{
		"mode: heal, write: {inline: w}, grants: [g]":                 true,
		"mode: heal, write: {managed: w}, grants: [g]":                true,
		"mode: heal, write: {attach: true}, grants: [g]":              false,
		"mode: heal, write: {inline: w}, grants: [g], boundary: b":    false,
		"mode: heal, write: {managed: w}, grants: [g], boundary: b":   false,
		"mode: propose, write: {inline: w}, grants: [g]":              false,
		"write: {inline: w}, grants: [g]":                             false,
		"mode: heal, write: {inline: w}, grants: [g], switch_role: y": false,
		"mode: heal, buildspecs: [a.yml]":                             false,
	} {
		s, err := Parse([]byte("version: 1\nprojects:\n  - {name: web, role: web, " + rest + "}\ngrants:\n" +
			"  - {id: g, because: b, owner: o, set: ecr-push, give: set, " +
			"resources: [\"arn:${partition}:ecr:${region}:${account}:repository/web\"]}\n"))
		if err != nil {
			t.Fatal(rest, err)
		}
		ps := Unbounded(s)
		if (len(ps) == 1) != want || want && (ps[0].Line != 3 || !strings.Contains(ps[0].Error(), "role web")) {
			t.Errorf("%s: %v", rest, ps)
		}
	}
}

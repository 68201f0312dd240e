package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/buildmedic/buildmedic/internal/settings"
)

// TestForty ensures that a desk with forty projects and defaults fits into what AWS takes, and that
// the stack made of it is the one made of the same settings written out project by project.
func TestForty(t *testing.T) {
	const file = "testdata/forty.yaml"
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	projects := settings.Effective(data)
	if len(projects) != 40 {
		t.Fatalf("%d projects", len(projects))
	}
	head, rest, _ := strings.Cut(string(data), "defaults:\n")
	_, rest, _ = strings.Cut(rest, "\ngrants:\n")
	var byHand strings.Builder
	byHand.WriteString(head + "projects:\n")
	inherited := 0
	for _, said := range projects {
		var keys []string
		for _, s := range said {
			keys = append(keys, s.Key+": "+s.Value)
			if s.Default {
				inherited++
			}
		}
		fmt.Fprintf(&byHand, "  - {%s}\n", strings.Join(keys, ", "))
	}
	byHand.WriteString("grants:\n" + rest)
	same, err := settings.Parse([]byte(byHand.String()))
	if err != nil || inherited < 100 {
		t.Fatalf("%d values by default: %v", inherited, err)
	}
	short, long := synth(t, file, nil), synth(t, file, func(s *settings.Settings) { *s = *same })
	template := short["Buildmedic"]
	if where := difference("", long["Buildmedic"], template); where != "" || len(short) != 1 {
		t.Errorf("%d stacks; by hand another template: %s", len(short), where)
	}
	b, err := json.Marshal(template)
	if err != nil {
		t.Fatal(err)
	}
	resources := template["Resources"].(map[string]any)
	policies := 0
	for _, r := range resources {
		if r.(map[string]any)["Type"] == "AWS::IAM::ManagedPolicy" {
			policies++
		}
	}
	t.Logf("%d resources, %d managed policies, %d bytes", len(resources), policies, len(b))
	if len(resources) > 500 || policies == 0 || policies > 10 || len(b) > 1_000_000 {
		t.Errorf("%d resources, %d managed policies, %d bytes: more than CloudFormation or IAM take", len(resources), policies, len(b))
	}
}

package chat

import (
	"strings"
	"testing"
)

// longestRegion is as long as the longest name of a region, and a few characters longer.
const longestRegion = "us-isof-southeast-1"

// TestButtonsFit ensures that no button is longer than Amazon Q Developer takes, in any region.
func TestButtonsFit(t *testing.T) {
	names := map[string]bool{}
	for _, b := range Buttons() {
		if c := b.Command("buildmedic", longestRegion); len(c) > MaxCommand {
			t.Errorf("%s: %d characters: %s", b.Name, len(c), c)
		}
		if n := len(b.Text); n < 1 || n > 50 {
			t.Errorf("%s: %d characters on the button", b.Name, n)
		}
		if n := len(b.ActionName(longestRegion)); n > 64 || names[b.Name] {
			t.Errorf("%s: the action's name has %d characters, or is there twice", b.Name, n)
		}
		names[b.Name] = true
		cs, vs := b.Criteria("buildmedic", longestRegion), b.Variables()
		if len(cs) > 5 || len(vs) > 5 {
			t.Errorf("%s: %d criteria, %d variables; 5 is the most", b.Name, len(cs), len(vs))
		}
		for _, c := range cs {
			if vs[c.Variable] == "" {
				t.Errorf("%s: no variable %s, which a criterion names", b.Name, c.Variable)
			}
		}
		if !strings.Contains(b.Command("f", "r"), "$"+b.With) || vs[b.With] == "" {
			t.Errorf("%s: it does not send its value", b.Name)
		}
	}
}

// TestOneButtonGrants ensures that only the card of a plan that waits has a button which grants,
// and that it sends the plan's hash and nothing else.
func TestOneButtonGrants(t *testing.T) {
	n := 0
	for _, b := range Buttons() {
		if b.verb != "approve" {
			continue
		}
		n++
		if b.With != Plan || b.Shown[Action] != OnPlan || strings.Count(b.Command("f", "r"), "$") != 1 {
			t.Errorf("%+v: %s", b, b.Command("f", "r"))
		}
	}
	if n != 1 {
		t.Errorf("%d buttons approve", n)
	}
}

// TestOnlyIDs ensures that nothing but ids gets into a context.
func TestOnlyIDs(t *testing.T) {
	c := Of(map[string]string{"ok": "1160bc9cefbf0600", "region": "eu-west-1", "empty": "", "quote": `a"}`, "space": "a b",
		"variable": "$plan", "newline": "a\n", "arn": "arn:aws:iam::1:role/x", "long": strings.Repeat("a", maxValue+1), "ünï": "ü"})
	if len(c) != 2 || c["ok"] == "" || c["region"] == "" {
		t.Errorf("%v", c)
	}
}

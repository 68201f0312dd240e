package decide

import (
	"testing"

	"github.com/buildmedic/buildmedic/internal/guardrail"
)

// TestUses: a hold is about a decision that gives what it names, or switches
// the role if it names that.
func TestUses(t *testing.T) {
	gives := Decision{Used: []guardrail.Used{{Grant: "dist"}}, Plan: &Plan{}}
	switches := Decision{Plan: &Plan{NewRole: "arn:aws:iam::111122223333:role/ready"}}
	for _, row := range []struct {
		name string
		d    Decision
		of   string
		want bool
	}{
		{"the grant", gives, "dist", true},
		{"another grant", gives, "other", false},
		{"every grant", gives, EveryGrant, true},
		{"every grant, and none is given", switches, EveryGrant, false},
		{"the switch", switches, SwitchedRole, true},
		{"the switch, and a grant is given", gives, SwitchedRole, false},
		{"the switch, and nothing is planned", Decision{}, SwitchedRole, false},
	} {
		if got := row.d.Uses(Hold{Grant: row.of}); got != row.want {
			t.Errorf("%s: %v", row.name, got)
		}
	}
}

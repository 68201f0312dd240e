package settings

import "github.com/buildmedic/buildmedic/internal/iampolicy"

// Catalog knows the sets and the floor. It is what package guardrail knows
// and the settings must not contradict; see guardrail.Catalog.
type Catalog interface {
	// Set gives the actions of a set, in canonical case.
	Set(name string) (actions []string, ok bool)
	// Names lists the sets, sorted.
	Names() []string
	// Floor tells how hard the floor is for an action that exists: never
	// granted, or only on exact resources. problem says why, in one sentence,
	// if either holds.
	Floor(action string) (problem string, never, exactOnly bool)
	// Conditions are those under which alone the action is granted; nil for
	// most. Not for iam:PassRole, whose condition depends on the grant.
	Conditions(action string) []iampolicy.Condition
}

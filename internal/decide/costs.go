package decide

import (
	"fmt"
	"time"

	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// Costs is what the failed builds cost that the ledger remembers. Nothing in it but Saved is an
// estimate: these are the times of builds, as CodeBuild has them.
type Costs struct {
	From   time.Time   `json:"from,omitzero"` // end of the first of these builds
	To     time.Time   `json:"to,omitzero"`   // end of the last
	Causes []CauseCost `json:"causes"`        // that which cost most first
	Total  CauseCost   `json:"total"`         // of all
	// Cut: of some project more builds failed than are remembered.
	Cut bool `json:"cut,omitempty"`
	// Saved is nil where there is nothing to compare with.
	Saved *Saved `json:"saved,omitempty"`
	// Price is what these builds cost; nil where the settings have no price for any of them.
	Price *Price `json:"price,omitempty"`
}

// Saved is how much longer it would have taken until the branches of healed builds were green again,
// if each had taken as long as the median of those of the same cause that somebody else made green.
// That is an estimate. It is negative where the healer took longer.
type Saved struct {
	Builds  int `json:"builds"` // healed ones whose cause others made green often enough
	Seconds int `json:"seconds"`
}

// EnoughOthers is how many builds of a cause others must have made green for their median to count.
const EnoughOthers = 3

// Price is what builds cost by the settings' prices.
type Price struct {
	Builds     int    `json:"builds"` // those of projects that have a price
	Millionths int64  `json:"millionths"`
	Currency   string `json:"currency"`
}

// Amount is the price with two decimals, rounded.
func (p Price) Amount() string {
	hundredths := (p.Millionths + 5_000) / 10_000
	return fmt.Sprintf("%d.%02d", hundredths/100, hundredths%100)
}

// CauseCost is what failed builds of one cause cost.
type CauseCost struct {
	Cause   string `json:"cause"`   // "" of the total
	Builds  int    `json:"builds"`  // that failed
	Seconds int    `json:"seconds"` // how long these ran
	// Healed are those after which the next green build of the branch was one that Buildmedic
	// started; Others, after which it was another one. The rest is not known to be green again.
	Healed ToGreen `json:"healed"`
	Others ToGreen `json:"others"`
}

// FailedBuild is a failed build that the ledger remembers.
type FailedBuild struct {
	Account, Region, Project string
	ID                       string // without the project
	Cause                    string
	End                      time.Time
	Took                     time.Duration
	Green                    time.Time // end of the next green build of its branch; zero if none is known
	Own                      bool      // Buildmedic had started that one
}

// ToGreen says how long it took until a branch was green again: from the end of a failed build to
// the end of the green one.
type ToGreen struct {
	Builds int `json:"builds"`
	Median int `json:"median_seconds"` // the middle one, or the lower one of two
	Most   int `json:"most_seconds"`
}

// FlakyTest is a test that failed, and passed on the same commit.
type FlakyTest struct {
	Account    string    `json:"account"`
	Region     string    `json:"region"`
	Project    string    `json:"project"`
	Suite      string    `json:"suite,omitempty"`
	Name       string    `json:"name"`
	Flaked     int       `json:"flaked"`         // how often
	LastFlaked time.Time `json:"last_flaked"`    // end of the green build that showed it last
	Builds     int       `json:"builds"`         // failed builds whose commit was green afterwards
	Seconds    int       `json:"seconds"`        // how long these took
	Failed     int       `json:"failed"`         // all builds in which it failed
	First      time.Time `json:"first_failed"`   // end of the first of them
	Last       time.Time `json:"last_failed"`    // end of the last
	Newest     []string  `json:"newest_builds"`  // ids of the last of them, oldest first
	Broken     bool      `json:"broken"`         // it fails on commit after commit now
	Since      time.Time `json:"since,omitzero"` // if it does: end of the first build of that run
}

// Week is what a weekly notice tells of.
type Week struct {
	From, To time.Time // what ended at or after From and before To
	Costs    Costs
	Ended    map[Kind]int // cases, by how they ended
	Refused  int          // those of them in which nothing was granted, by a rule
	Rules    []RuleCount  // of these, the most frequent first; a case may have several
	Standing []Standing   // what still differs from the team's code, the oldest first
	Flaky    []FlakyTest  // the flakiest of all that are remembered
	CasesCut bool         // more cases ended than were read
	Home     settings.Account
	For      string // the owner whose projects it is about; "": all, or those that no owner is told of
}

// RuleCount is in how many cases a rule refused.
type RuleCount struct {
	Rule  guardrail.Rule
	Cases int
}

// Standing is a change that the healer made, and that nobody undid: as far as it knows, the team's
// own code does not have it.
type Standing struct {
	What    string // such as an inline policy of a role
	Project string
	Account string
	Region  string
	Cases   int // that changed it
	Since   time.Time
}

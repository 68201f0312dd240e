package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/heal"
)

// TestPrintFollowers ensures that a case's whole story has those that followed it, the ones that are
// not healed first, and no other's.
func TestPrintFollowers(t *testing.T) {
	all := []heal.Summary{{Case: "a", Project: "api", Outcome: decide.Healed, Follows: "lead"},
		{Case: "b", Project: "we\x1bb", Outcome: decide.Failed, Follows: "lead"}, {Case: "c", Follows: "other"}, {Case: "lead"}}
	var b strings.Builder
	printFollowers(&b, "lead", all)
	want := "\nFollowed by 2, whose builds failed at the same point:\n  case b  " + plain("we\x1bb") + "  failed\n  case a  api  healed\n"
	if b.String() != want {
		t.Errorf("%q, want %q", b.String(), want)
	}
	b.Reset()
	printFollowers(&b, "nobody", all)
	if b.Len() > 0 {
		t.Errorf("nobody followed it: %q", b.String())
	}
	for i := range maxListedFollowers {
		all = append(all, heal.Summary{Case: fmt.Sprint(i), Follows: "lead"})
	}
	if printFollowers(&b, "lead", all); !strings.HasSuffix(b.String(), "  and 2 more\n") {
		t.Errorf("%q", b.String())
	}
}

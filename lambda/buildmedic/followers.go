package main

import (
	"fmt"
	"io"
	"slices"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/heal"
)

// maxListedFollowers is how many of the cases that followed one are listed.
const maxListedFollowers = 50

// printFollowers lists the cases that followed one, those that are not healed first.
func printFollowers(w io.Writer, leader string, all []heal.Summary) {
	its := slices.DeleteFunc(slices.Clone(all), func(s heal.Summary) bool { return s.Follows != leader })
	if len(its) == 0 {
		return
	}
	rank := map[decide.Kind]int{decide.Healed: 1}
	slices.SortStableFunc(its, func(a, b heal.Summary) int { return rank[a.Outcome] - rank[b.Outcome] })
	fmt.Fprintf(w, "\nFollowed by %d, whose builds failed at the same point:\n", len(its))
	for _, s := range its[:min(len(its), maxListedFollowers)] {
		fmt.Fprintf(w, "  case %s  %s  %s\n", plain(s.Case), plain(s.Project), s.Outcome)
	}
	if more := len(its) - maxListedFollowers; more > 0 {
		fmt.Fprintf(w, "  and %d more\n", more)
	}
}

package main

import (
	"cmp"
	"fmt"
	"io"
	"time"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/decide"
)

// printFlaky lists the flakiest tests.
func printFlaky(w io.Writer, ts []decide.FlakyTest) {
	if len(ts) == 0 {
		fmt.Fprintln(w, "No test is known to have failed and passed on the same commit.")
		return
	}
	fmt.Fprintf(w, "%6s %6s %7s %-11s %-11s %-20s  %s\n", "FLAKED", "BUILDS", "MINUTES", "LAST FLAKED", "LAST FAILED", "PROJECT",
		"TEST")
	for _, t := range ts {
		fmt.Fprintf(w, "%6d %6d %7s %-11s %-11s %-20s  %s\n", t.Flaked, t.Builds, minutes(t.Seconds), date(t.LastFlaked),
			date(t.Last), t.Project, codebuild.TestCase{Suite: t.Suite, Name: t.Name}.FullName())
		if t.Broken {
			fmt.Fprintf(w, "  broken: it fails on %d commits in a row, since %s\n", decide.BrokenAfter, stamp(t.Since))
		}
	}
}

// printCosts says what failed builds cost, by cause.
func printCosts(w io.Writer, c decide.Costs) {
	if c.Total.Builds == 0 {
		fmt.Fprintln(w, "No build is known to have failed in this time.")
		return
	}
	fmt.Fprintf(w, "Failed builds that ended from %s to %s UTC; minutes to green are medians, from a failed build's end\n"+
		"to the end of the next green one of its branch.\n\n", stamp(c.From), stamp(c.To))
	fmt.Fprintf(w, "%-28s %6s %8s %8s %9s %8s %9s %6s\n", "CAUSE", "BUILDS", "MINUTES", "HEALED", "TO GREEN", "OTHERS",
		"TO GREEN", "OPEN")
	for _, one := range append(c.Causes[:len(c.Causes):len(c.Causes)], c.Total) {
		fmt.Fprintf(w, "%-28s %6d %8s %8d %9s %8d %9s %6d\n", cmp.Or(one.Cause, "total"), one.Builds, minutes(one.Seconds),
			one.Healed.Builds, toGreen(one.Healed), one.Others.Builds, toGreen(one.Others),
			one.Builds-one.Healed.Builds-one.Others.Builds)
	}
	if c.Cut {
		fmt.Fprintln(w, "\nOf some project more builds failed than are remembered: the last 200 are.")
	}
}

func toGreen(g decide.ToGreen) string {
	if g.Builds == 0 {
		return "-"
	}
	return minutes(g.Median)
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04") }

func date(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// minutes prints seconds as minutes.
func minutes(seconds int) string { return fmt.Sprintf("%.1f", float64(seconds)/60) }

package main

import (
	"cmp"
	"fmt"
	"io"
	"strconv"
	"strings"
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
	cols := fit([]column{{width: 6, right: true}, {width: 6, right: true}, {width: 7, right: true, drop: 2}, {width: 11, whole: true},
		{width: 11, whole: true, drop: 3}, {width: 20}}, 24, screen(w))
	io.WriteString(w, tableRow(cols, "FLAKED", "BUILDS", "MINUTES", "LAST FLAKED", "LAST FAILED", "PROJECT", "TEST"))
	for _, t := range ts {
		io.WriteString(w, tableRow(cols, strconv.Itoa(t.Flaked), strconv.Itoa(t.Builds), minutes(t.Seconds), date(t.LastFlaked),
			date(t.Last), t.Project, codebuild.TestCase{Suite: t.Suite, Name: t.Name}.FullName()))
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
	about := fmt.Sprintf("Failed builds that ended from %s to %s UTC; minutes to green are medians, from a failed build's end "+
		"to the end of the next green one of its branch.", stamp(c.From), stamp(c.To))
	fmt.Fprintf(w, "%s\n\n", strings.Join(wrapped(about, textWidth(w)), "\n"))
	number := column{width: 8, right: true}
	last := column{width: 6, right: true}
	cols := fit([]column{{width: 28}, last, number, number, {width: 9, right: true},
		{width: 8, right: true, drop: 1}, {width: 9, right: true, drop: 2}, last}, 0, screen(w))
	io.WriteString(w, tableRow(cols, "CAUSE", "BUILDS", "MINUTES", "HEALED", "TO GREEN", "OTHERS", "TO GREEN", "OPEN"))
	for _, one := range append(c.Causes[:len(c.Causes):len(c.Causes)], c.Total) {
		io.WriteString(w, tableRow(cols, cmp.Or(one.Cause, "total"), strconv.Itoa(one.Builds), minutes(one.Seconds),
			strconv.Itoa(one.Healed.Builds), toGreen(one.Healed), strconv.Itoa(one.Others.Builds), toGreen(one.Others),
			strconv.Itoa(one.Builds-one.Healed.Builds-one.Others.Builds)))
	}
	if s := c.Saved; s != nil {
		fmt.Fprintf(w, "\nSaved, an estimate: %s minutes until green. %d healed builds, against the median of those of their cause that "+
			"others\nmade green, of all that is remembered.\n", minutes(s.Seconds), s.Builds)
	}
	if p := c.Price; p != nil {
		fmt.Fprintf(w, "\nAt your price: %s %s for %d of these builds.\n", p.Amount(), p.Currency, p.Builds)
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

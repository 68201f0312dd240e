package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/heal"
)

// sinceForms are how a point in time is written, in UTC.
var sinceForms = []string{"2006-01-02", "2006-01-02 15:04", "2006-01-02T15:04", time.RFC3339}

// sinceWhen reads -since: a day, a point in time, or how long ago, such as 36h, 7d or 2w.
func sinceWhen(text string, now time.Time) (time.Time, error) {
	for _, form := range sinceForms {
		if t, err := time.Parse(form, text); err == nil && !t.After(now) {
			return t, nil
		}
	}
	d, err := time.ParseDuration(text)
	if n, isDays := strings.CutSuffix(text, "d"); isDays {
		d, err = daysOf(n, 1)
	} else if n, isWeeks := strings.CutSuffix(text, "w"); isWeeks {
		d, err = daysOf(n, 7)
	}
	if err != nil || d <= 0 || d > maxSince {
		return time.Time{}, fmt.Errorf("-since is a day that was, such as 2026-11-22, or how long ago, such as 36h, 7d or 2w: not %q", text)
	}
	return now.Add(-d), nil
}

// maxSince is further back than any ledger reaches.
const maxSince = 10 * 366 * 24 * time.Hour

func daysOf(n string, days int) (time.Duration, error) {
	k, err := strconv.Atoi(n)
	if err != nil || k < 0 || k > 4000 {
		return 0, fmt.Errorf("%q is no number of days", n)
	}
	return time.Duration(k*days) * 24 * time.Hour, nil
}

// listed is a case of the history, with what it waits for.
type listed struct {
	heal.Summary
	Waits *heal.Waiting `json:"waits,omitempty"`
}

// everything is more cases than a ledger lists.
const everything = 100_000

// past is a part of the history.
type past struct {
	since time.Time      // zero: no time was asked for
	shown []listed       // at most as many as were asked for
	all   []heal.Summary // all of that time; without one, what is shown, and one more if there are others
	waits []heal.Waiting // all that wait, whenever they ended
}

// pastSince reads the cases that are open or ended since then, to show at most n.
func pastSince(ctx context.Context, h *heal.Healer, project string, since time.Time, n int) (p past, err error) {
	p.since = since
	most := n + 1
	if !since.IsZero() {
		most = everything
	}
	if p.all, err = h.History(ctx, project, most); err != nil {
		return p, err
	}
	p.all = slices.DeleteFunc(p.all, func(s heal.Summary) bool { return !s.Closed.IsZero() && s.Closed.Before(since) })
	if p.waits, err = h.Waiting(ctx, project); err != nil {
		return p, err
	}
	for _, s := range p.all[:min(n, len(p.all))] {
		l := listed{Summary: s}
		if i := slices.IndexFunc(p.waits, func(w heal.Waiting) bool { return w.Case == s.Case }); i >= 0 {
			l.Waits = &p.waits[i]
		}
		p.shown = append(p.shown, l)
	}
	return p, nil
}

// printTotals sums the cases up.
func printTotals(w io.Writer, p past) {
	if len(p.all) == 0 {
		return
	}
	which, shown, since := p.all, len(p.shown), p.since
	more := ""
	switch {
	case since.IsZero() && len(p.all) > shown:
		which, more = p.all[:shown], ", the newest (-n and -since show others)"
	case len(p.all) > shown:
		more = fmt.Sprintf(", of which %d are listed (-n shows more)", shown)
	}
	n := map[decide.Kind]int{}
	for _, s := range which {
		n[s.Outcome]++
	}
	kinds := slices.SortedFunc(maps.Keys(n), func(a, b decide.Kind) int { return cmp.Or(n[b]-n[a], strings.Compare(string(a), string(b))) })
	var parts []string
	for _, k := range kinds {
		parts = append(parts, fmt.Sprintf("%d %s", n[k], k))
	}
	when := ""
	if !since.IsZero() {
		when = " since " + since.UTC().Format("2006-01-02 15:04")
	}
	text := fmt.Sprintf("%s%s%s: %s.", count(len(which), "case"), when, more, strings.Join(parts, ", "))
	fmt.Fprintln(w)
	for _, l := range wrapText(text, columns) {
		fmt.Fprintln(w, l)
	}
}

// printWaiting says who or what is waited for, until when, and how to approve what can be: with the
// flags that name the same ledger.
func printWaiting(w io.Writer, ws []heal.Waiting, ledger string) {
	if len(ws) > 0 {
		fmt.Fprint(w, "\nWAITING\n")
	}
	for _, one := range ws {
		text := fmt.Sprintf("%s, case %s: waits for %s", plain(one.Project), one.Case, plain(one.For))
		if len(one.Owners) > 0 {
			text += " (owner: " + plain(strings.Join(one.Owners, ", ")) + ")"
		}
		text += ", since " + one.Since.UTC().Format("2006-01-02 15:04")
		if !one.Until.IsZero() {
			text += ", until " + one.Until.UTC().Format("2006-01-02 15:04")
		}
		for _, l := range wrapText(text, columns-2) {
			fmt.Fprintf(w, "  %s\n", l)
		}
		if one.Plan != "" {
			fmt.Fprintf(w, "    %s approve%s %s\n", program, ledger, one.Plan)
		}
	}
}

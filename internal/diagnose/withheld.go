package diagnose

import (
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/buildlog"
)

// ofDenials are the placeholders that what was denied fills, and nothing else that a build prints.
var ofDenials = []string{"{denied}", "{principal}", "{unsaid}", "{action}"}

// Withheld is the diagnosis without what the build printed and ran, for somebody whom that is not
// for. Title and advice are those of the cause, with "…" for what the output fills in; of a cause
// that nobody knows any more, the title is its name. The denials stay. own are as for [Diagnose].
func (d Diagnosis) Withheld(own ...Cause) Diagnosis {
	w := Diagnosis{Cause: d.Cause, Title: d.Cause, Remedy: d.Remedy, Retryable: d.Retryable,
		Evidence: Evidence{Line: d.Evidence.Line, Origin: d.Evidence.Origin}, Denials: slices.Clone(d.Denials), Dropped: d.Dropped,
		Fingerprint: d.Fingerprint, Excerpt: []buildlog.Line{}}
	for i := range w.Denials {
		w.Denials[i].Reason, w.Denials[i].Text, w.Denials[i].Near = "", "", ""
	}
	named := func(c Cause) bool { return c.Name == d.Cause }
	if i := slices.IndexFunc(own, named); i >= 0 {
		w.Title, w.Advice = own[i].unfilled()
	} else if i := slices.IndexFunc(causes, named); i >= 0 {
		w.Title, w.Advice = causes[i].unfilled()
		filled := ownPlaceholder.FindAllString(causes[i].Title, -1)
		if len(filled) > 0 && !slices.ContainsFunc(filled, func(s string) bool { return !slices.Contains(ofDenials, s) }) {
			w.Title = d.Title
		}
	}
	return w
}

// unfilled are title and advice with nothing in their placeholders.
func (c Cause) unfilled() (title, advice string) {
	return strings.TrimSpace(ownPlaceholder.ReplaceAllString(c.Title, "…")), ownPlaceholder.ReplaceAllString(c.Advice, "…")
}

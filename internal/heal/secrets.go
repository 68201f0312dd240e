package heal

import (
	"maps"
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/diagnose"
	"github.com/buildmedic/buildmedic/internal/redact"
)

// WithoutSecrets removes secrets from everything that a diagnosis quotes from the
// log, before it is stored, shown or sent. It leaves d as it is: the comparison with a green build
// may be reading it.
func WithoutSecrets(d diagnose.Diagnosis) diagnose.Diagnosis {
	d.Excerpt, d.Denials, d.Also = slices.Clone(d.Excerpt), slices.Clone(d.Denials), slices.Clone(d.Also)
	d.Tests, d.Details = slices.Clone(d.Tests), maps.Clone(d.Details)
	d.Title, d.Advice, d.Evidence.Text = redact.Text(d.Title), redact.Text(d.Advice), redact.Text(d.Evidence.Text)
	withoutSecrets(d.Excerpt)
	for i := range d.Denials {
		n := &d.Denials[i]
		n.Text, n.Action, n.Operation = redact.Text(n.Text), redact.Text(n.Action), redact.Text(n.Operation)
		n.Subject, n.Reason = redact.Text(n.Subject), redact.Text(n.Reason)
		n.Near = named(n.Near)
		n.Principal, n.Resource, n.PolicyARN = named(n.Principal), named(n.Resource), named(n.PolicyARN)
	}
	for i := range d.Also {
		a := &d.Also[i]
		a.Phase, a.Command, a.Exit, a.Message = redact.Text(a.Phase), redact.Text(a.Command), redact.Text(a.Exit),
			redact.Text(a.Message)
	}
	for i := range d.Tests {
		t := &d.Tests[i]
		t.Suite, t.Name, t.Message, t.At = redact.Text(t.Suite), redact.Text(t.Name), redact.Text(t.Message), redact.Text(t.At)
	}
	for k, v := range d.Details {
		d.Details[k] = redact.Text(v)
	}
	return d
}

// withoutSecrets removes secrets from the lines. They are read together, since a
// private key spans several lines.
func withoutSecrets(lines []buildlog.Line) {
	texts := make([]string, len(lines))
	for i, l := range lines {
		texts[i] = strings.ReplaceAll(l.Text, "\n", " ")
	}
	for i, text := range strings.SplitN(redact.Text(strings.Join(texts, "\n")), "\n", len(lines)) {
		lines[i].Text = text
	}
}

// named masks secrets as CodeBuild does (AWS.md#masking): where one was, the
// text no longer names one certain thing.
func named(s string) string { return strings.ReplaceAll(redact.Text(s), redact.Mark, "***") }

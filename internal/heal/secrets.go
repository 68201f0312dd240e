package heal

import (
	"strings"

	"github.com/buildmedic/buildmedic/internal/diagnose"
	"github.com/buildmedic/buildmedic/internal/redact"
)

// WithoutSecrets takes secrets out of everything that a diagnosis quotes from
// the log: from here on it is stored, shown and sent.
func WithoutSecrets(d diagnose.Diagnosis) diagnose.Diagnosis {
	d.Title, d.Advice, d.Evidence.Text = redact.Text(d.Title), redact.Text(d.Advice), redact.Text(d.Evidence.Text)
	for i := range d.Excerpt {
		d.Excerpt[i].Text = redact.Text(d.Excerpt[i].Text)
	}
	for i := range d.Denials {
		d.Denials[i].Text = redact.Text(d.Denials[i].Text)
		d.Denials[i].Principal, d.Denials[i].Resource = named(d.Denials[i].Principal), named(d.Denials[i].Resource)
	}
	for k, v := range d.Details {
		d.Details[k] = redact.Text(v)
	}
	return d
}

// named leaves an ARN as it is. Whatever else stands in its place may be an
// address with a signature.
func named(s string) string {
	if strings.HasPrefix(s, "arn:") {
		return s
	}
	return redact.Text(s)
}

package heal

import (
	"github.com/buildmedic/buildmedic/internal/diagnose"
	"github.com/buildmedic/buildmedic/internal/redact"
)

// withoutSecrets takes secrets out of everything that a diagnosis quotes from
// the log: from here on it is stored, shown and sent.
func withoutSecrets(d diagnose.Diagnosis) diagnose.Diagnosis {
	d.Title, d.Advice, d.Evidence.Text = redact.Text(d.Title), redact.Text(d.Advice), redact.Text(d.Evidence.Text)
	for i := range d.Excerpt {
		d.Excerpt[i].Text = redact.Text(d.Excerpt[i].Text)
	}
	for i := range d.Denials {
		d.Denials[i].Text = redact.Text(d.Denials[i].Text)
	}
	for k, v := range d.Details {
		d.Details[k] = redact.Text(v)
	}
	return d
}

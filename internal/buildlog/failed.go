package buildlog

import (
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/iamref"
)

// nameFromCommand completes the failed command's denials by what the command itself says: on what
// the AWS CLI works, and whether git pulls or pushes. Where command and text do not agree, the
// resource is not certain.
func (f *Failure) nameFromCommand(claims []placed, home codebuild.ARN) {
	for i := range claims {
		d := &claims[i].Denial
		if !d.Causal {
			continue
		}
		if d.Action == "" && strings.HasPrefix(d.Resource, "arn:") && strings.Contains(d.Resource, ":codecommit:") {
			d.Action = gitCommand(f.Command)
			if f.Phase == "DOWNLOAD_SOURCE" && f.Command == "" {
				d.Action = gitPull
			}
			d.Inferred = d.Action != ""
			continue
		}
		if d.Action == "" && d.Operation == "" && strings.Contains(d.Text, "403 (Forbidden)") {
			f.headOfS3cmd(d)
		}
		a, ok := iamref.Lookup(d.Action)
		if !ok || len(a.Resources) == 0 || d.Resource != "" && printed(*d) {
			continue
		}
		if c, known := commandNames(f.Command, a, d.Operation, home); known && len(c.arns) > 0 {
			d.named(c)
		}
	}
}

// named takes in what the failed command names.
func (d *Denial) named(c choice) {
	text := choice{arns: strings.Fields(d.Near)}
	if d.Resource != "" {
		text.arns = []string{d.Resource}
	}
	switch {
	case d.Resource != "" && d.Resource == c.one(), c.soft && len(text.arns) > 0:
	case !text.agrees(c):
		d.Resource, d.Near = "", choice{arns: distinct(text.arns, c.arns)}.near()
	case d.Resource != "":
	default:
		if d.Resource, d.Near = c.one(), ""; d.Resource == "" {
			d.Near = c.near()
		}
	}
}

// printed reports whether the denial's own text holds its resource, so that AWS said it.
func printed(d Denial) bool {
	squeeze := func(s string) string { return strings.Join(strings.Fields(s), "") }
	return strings.Contains(squeeze(d.Text), squeeze(d.Resource))
}

// headOfS3cmd completes an answer without a body to s3cmd, which asks for an object's head before
// it gets the object.
func (f *Failure) headOfS3cmd(d *Denial) {
	for _, words := range calls(f.Command) {
		at := slices.IndexFunc(words, func(w arg) bool { return w.ok && (w.text == "s3cmd" || strings.HasSuffix(w.text, "/s3cmd")) })
		if at < 0 {
			continue
		}
		if slices.ContainsFunc(words[at:], func(w arg) bool { return w.text == "get" || w.text == "info" }) {
			d.Operation, d.Action, d.Inferred = "HeadObject", "s3:GetObject", true
		}
	}
}

package buildlog

import (
	"strings"
	"unicode/utf8"

	"github.com/buildmedic/buildmedic/internal/codebuild"
)

// Denials returns all distinct denials of a text, in order: at most a few hundred, the first and
// the last ones. Only [Read] can tell which of them failed a build.
func Denials(text string) []Denial { return denialsOf(codebuild.Build{}, text) }

// denialsOf is [Denials] for a text about b.
func denialsOf(b codebuild.Build, text string) []Denial {
	t := newTracker(codebuild.Build{ARN: b.ARN, ServiceRole: b.ServiceRole})
	_ = scan(strings.NewReader(text), t) // such a reader has no errors
	list := plainDenials(t.denials(t.failed))
	for i := range list {
		list[i].Causal = false
	}
	return list
}

// key is what makes two claims the same.
func (d Denial) key() Denial {
	k := Denial{Principal: d.Principal, Action: d.Action, Operation: d.Operation, Resource: d.Resource, Near: d.Near, Bare: d.Bare,
		Effect: d.Effect, Layer: d.Layer, PolicyARN: d.PolicyARN, Subject: d.Subject, Reason: d.Reason}
	if d.Action != "" {
		k.Operation = ""
	} else {
		k.Encoded = d.Encoded // it will tell
	}
	return k
}

// clip cuts s to at most n bytes, between runes.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

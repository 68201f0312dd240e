package decide

import (
	"strings"

	"github.com/buildmedic/buildmedic/internal/codebuild"
)

// maxPoint bounds the message of which a point is made: less than a round keeps
// of it at [Recent].
const maxPoint = 900

// Point names what a build failed at, as its record alone has it: the role, the
// phase that failed first, and what its first context says (AWS.md#phase-contexts).
// It is "" where CodeBuild says nothing.
//
// Builds that fail at one point are suspected to have one cause, and no more than
// that: the text is the build's own. So nothing is granted by it. It only decides
// whether a build waits for the cure of another one before its own log is read.
func Point(b codebuild.Build) string {
	role, ok := b.Role()
	p, failed := b.FailedPhase()
	if !ok || !failed {
		return ""
	}
	for _, c := range p.Contexts {
		if strings.TrimSpace(c.Message) == "" {
			continue
		}
		return hashed(strings.Join([]string{role.ARN(), b.At().Region, p.Type, c.Code, impersonal(b, clip(c.Message, maxPoint))}, "\x00"))
	}
	return ""
}

// impersonal takes out of a text what is the build's own: its id, its commit, its account. What is
// so short that it may stand for anything stays.
func impersonal(b codebuild.Build, s string) string {
	var pairs []string
	for _, own := range []string{b.UUID(), b.ResolvedSourceVersion, b.At().Account} {
		if len(own) >= 8 {
			pairs = append(pairs, own, "")
		}
	}
	return strings.TrimSpace(strings.NewReplacer(pairs...).Replace(s))
}

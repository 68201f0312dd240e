package heal

import (
	"fmt"
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/guardrail"
)

// mayBe reports whether the healer may have started b for the case's last round,
// although b's initiator does not name the healer: AWS does not document in
// which form it would (AWS.md#initiator). What else is known of b must fit: what
// it builds, when it was started, and that nobody else is known to start it.
func (h *Healer) mayBe(c *held, b codebuild.Build) bool {
	r := c.last()
	if !r.ByToken() || r.RetryAt.IsZero() || r.Retry != "" || b.ID == r.Build.ID || b.Project != r.Build.Project ||
		guardrail.ByService(b) || slices.Contains(c.others(), b.Initiator) {
		return false
	}
	// Every call was made while the token was fresh, by an invocation of limited time.
	from, to := r.RetryAt.Add(-decide.ClockSkew), r.RetryAt.Add(tokenFor+busyFor+decide.ClockSkew)
	if !b.Start.IsZero() && (b.Start.Before(r.Build.End) || b.Start.Before(from) || b.Start.After(to)) {
		return false
	}
	return sameSource(r.Build, b)
}

// others are the initiators of the case's builds that the healer did not start.
func (c *held) others() (names []string) {
	ours := map[string]bool{}
	names = slices.Clone(c.Past.Initiators)
	for i, r := range c.Rounds {
		switch {
		case i > 0 && c.Rounds[i-1].ByToken() && c.Rounds[i-1].Retry == r.Build.ID:
			ours[r.Build.Initiator] = true
		case !r.Old && r.Replayed.IsZero(): // otherwise the round that started it may be dropped
			names = append(names, r.Build.Initiator)
		}
	}
	return slices.DeleteFunc(names, func(n string) bool { return n == "" || ours[n] })
}

// unclear are several builds, each of which may be the one that the healer
// started.
type unclear []codebuild.Build

// Error implements error.
func (u unclear) Error() string {
	return fmt.Sprintf("%d builds may be the one that was started", len(u))
}

// note says it in a notice.
func (u unclear) note() string {
	var ids []string
	for _, b := range u {
		ids = append(ids, fmt.Sprintf("%s (%s)", b.ID, b.Status))
	}
	return "The function stopped while it started the build again. Several builds of the same source were started then, and " +
		"CodeBuild's records do not say which of them is its own: " + strings.Join(ids, ", ") + ". So no other was started. " +
		"What was changed stands. Look at these builds, and start one by hand if none is green."
}

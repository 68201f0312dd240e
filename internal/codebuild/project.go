package codebuild

import (
	"slices"
	"strings"
)

// Project is what is known of a project beside its builds.
type Project struct {
	Name        string
	ServiceRole string   // ARN
	Webhook     *Webhook // nil: none
}

// Webhook is what has a code host start a project's builds.
type Webhook struct {
	Groups [][]Filter // a build is started if all filters of one group hold; none: any event does
	Runner bool       // it runs the jobs of the host's own pipelines
}

// Filter is one condition on an event.
type Filter struct{ Type, Pattern string }

// ofCommitters are the events that only those cause who may write to the repository
// (AWS.md#webhooks).
var ofCommitters = []string{"PUSH", "RELEASED", "PRERELEASED"}

// BuildsPullRequests reports whether the webhook starts builds of pull or merge requests,
// or may: for an event that is not known, for jobs of the host's own pipelines, and
// where no filter says which events count.
func (w *Webhook) BuildsPullRequests() bool {
	if w == nil {
		return false
	}
	return w.Runner || len(w.Groups) == 0 || slices.ContainsFunc(w.Groups, func(group []Filter) bool {
		events := 0
		for _, f := range group {
			if f.Type != "EVENT" {
				continue
			}
			for event := range strings.SplitSeq(f.Pattern, ",") {
				events++
				if !slices.Contains(ofCommitters, strings.TrimSpace(event)) {
					return true
				}
			}
		}
		return events == 0
	})
}

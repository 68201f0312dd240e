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
	Ran         Ran      // what its builds run with, unless a start overrides it
	Batches     bool     // it is set up for batch builds
}

// Webhook is what has a code host start a project's builds.
type Webhook struct {
	Groups [][]Filter // a build is started if all filters of one group hold; none: any event does
	Runner bool       // its kind is that of a runner of the host's own pipelines
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
	return w.RunsJobs() || len(w.Groups) == 0 || slices.ContainsFunc(w.Groups, func(group []Filter) bool {
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

// jobQueued is the event of a job that waits for a runner (AWS.md#runners).
const jobQueued = "WORKFLOW_JOB_QUEUED"

// RunsJobs reports whether the builds that the webhook starts run jobs of the host's own pipelines, or some
// of them do: any workflow of any branch may then run there (AWS.md#runners).
func (w *Webhook) RunsJobs() bool {
	if w == nil {
		return false
	}
	return w.Runner || slices.ContainsFunc(w.Groups, func(group []Filter) bool {
		return slices.ContainsFunc(group, func(f Filter) bool {
			return f.Type == "EVENT" && slices.ContainsFunc(strings.Split(f.Pattern, ","), func(event string) bool {
				return strings.EqualFold(strings.TrimSpace(event), jobQueued)
			})
		})
	})
}

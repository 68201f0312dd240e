package heal

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// Healer carries out the use case. All fields are needed, except CodeHost, Analyzer, Trail and
// Authorizations, which are needed only if the settings ask for them, and Past, without
// which failed builds are compared with none.
type Healer struct {
	Settings *settings.Settings
	Home     settings.Account // the account and region that the healer runs in
	Self     decide.Self

	Builds         Builds
	Pipelines      Pipelines
	Logs           Logs
	Reports        Reports
	Past           Past
	Roles          Roles
	Simulator      Simulator
	Policies       Policies
	Documents      Documents  // needed where the settings make changes permanent
	PolicyCode     PolicyCode // needed where the settings name code that owns a policy
	Repositories   Repositories
	Projects       Projects
	Retrier        Retrier
	Decoder        Decoder
	Analyzer       Analyzer
	Trail          Trail
	Authorizations Authorizations
	Notifier       Notifier
	Journal        Journal
	CodeHost       CodeHost // nil: developers are told nothing
	Jobs           Jobs     // nil: no job is run again, nor looked at
	Queue          Queue
	Store          Store
	Clock          Clock
	Stacks         Stacks
	// Sleep returns when the time has passed, or with the context's error.
	Sleep func(context.Context, time.Duration) error
	Log   *slog.Logger

	Known     *KnownProjects // nil: projects are read again for each build
	KnownJobs *KnownJobs     // nil: GitHub is asked again for each build
	Crowds    *Crowds        // nil: the record of each green build is read

	// Tellings are needed where there is a CodeHost.
	Tellings *Tellings

	early *ahead // what was read ahead beside an early log; nil for nothing
}

// How long the healer waits, and for what.
const (
	// busyFor is how long one invocation may work on a case alone. It is
	// longer than the function may run (AWS.md#function-timeout).
	busyFor = 6 * time.Minute
	// sweptEvery is how often the schedule sweeps.
	sweptEvery = 15 * time.Minute
	// awaitFor is how long after a build was started the sweep asks CodeBuild
	// about it. The build may take longer, so the sweep asks repeatedly.
	awaitFor = 20 * time.Minute
	// maxTries bounds how often a step is tried again after an unknown error;
	// maxWaits, after AWS throttled or another case held the role (about a day).
	maxTries = 24
	maxWaits = 100
	// unsettled is for how long after a write IAM may show what was before:
	// four seconds as a rule, at times more (AWS.md#consistency).
	unsettled = 15 * time.Second
	// gracePeriod is how long releasing a role, or recording that the time is
	// over, may take. Both must fit into the time that the function reserves for
	// its end.
	gracePeriod = 8 * time.Second
	// unheard is how long a stage waits for one of its failed builds that no event
	// has reported: longer than a message takes to be delivered again.
	unheard = 10 * time.Minute
	// equalFor is how long a repeat of a reported failure is only counted.
	equalFor = time.Hour
	// recent is how long a build that was started is looked for.
	recent = 24 * time.Hour
	// longest is how far back the sweep looks for builds that no event reported. A
	// build may wait for 8 hours and then run for 36.
	longest = 45 * time.Hour
)

// Ended says that a build is said to have ended: by an event, which is only a
// hint. What really happened is read from CodeBuild before anything is done.
type Ended struct {
	At      settings.Account `json:"at"`
	Project string           `json:"project"`
	Build   string           `json:"build"` // PROJECT:UUID
	Status  string           `json:"status"`
	// End is when it ended, zero if that is not known.
	End time.Time `json:"end,omitzero"`
	// Said is what the event says of where the log of a failed build is and of how its phases
	// ended. With it the log is read early; nothing is decided by it. Of a green build, see
	// [Healer.asSaid].
	Said codebuild.Build `json:"-"`
	// Crowded: many others wait behind it, so that a new case that others may follow is put off.
	Crowded bool `json:"-"`
	// record is the build's, if it was read a moment ago.
	record *codebuild.Build
}

// BuildEnded handles the end of a build. It returns nil once everything that
// matters is recorded; an error means that the event must be delivered again.
func (h *Healer) BuildEnded(ctx context.Context, e Ended) error {
	p, ok := h.Settings.Project(e.Project, e.At.ID, e.At.Region, h.Home)
	if !ok {
		h.Log.InfoContext(ctx, "build of a project that settings do not name", "project", e.Project, "account", e.At.ID)
		return nil
	}
	if e.End.After(h.Clock.Now().Add(decide.ClockSkew)) {
		e.End = time.Time{} // no build ends in time to come
	}
	var err error
	switch e.Status {
	case codebuild.Succeeded, codebuild.Stopped:
		err = h.awaited(ctx, e, p)
	case "", codebuild.InProgress:
	default: // there are more than are listed (AWS.md#statuses), and the record decides
		err = h.failed(ctx, e, p)
	}
	if err != nil {
		return fmt.Errorf("build %q: %w", e.Build, err)
	}
	return nil
}

// Resume continues a case: after a wait, or where an invocation died.
func (h *Healer) Resume(ctx context.Context, caseID string) error {
	c, err := h.open(ctx, caseID)
	if err != nil || c == nil {
		return err
	}
	return h.run(ctx, c)
}

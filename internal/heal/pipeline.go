package heal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// ActionFailed says that an action of a pipeline is said to have failed: by an event, which is only a
// hint. What it does not say is "".
type ActionFailed struct {
	At settings.Account // of the pipeline
	// ActionRegion is where the action ran its build.
	ActionRegion string
	Action       codebuild.Action
	Build        string // PROJECT:UUID, "" if the action ran none
	End          time.Time
}

// ActionFailed handles the end of a pipeline's action. If that ran a build, it is the build's end: that
// one's own event may be lost, and this one is not (AWS.md#pipeline-events). If it ran none, it becomes a
// case of its own. It returns nil once everything that matters is recorded.
func (h *Healer) ActionFailed(ctx context.Context, e ActionFailed) error {
	a := e.Action
	if project, _, ok := cutID(e.Build); ok {
		return h.actionsBuildFailed(ctx, settings.Account{ID: e.At.ID, Region: e.ActionRegion}, project, e.Build, e.End)
	}
	about := []any{"pipeline", a.Pipeline, "execution", a.Execution, "action", a.Name}
	if len(h.listing(e.At, a.Pipeline)) == 0 || e.ActionRegion != e.At.Region {
		h.Log.InfoContext(ctx, "action of a pipeline that no project of its account and region lists", about...)
		return nil
	}
	b, ran, err := h.actionAnd(ctx, e.At, a)
	switch {
	case err == nil && ran != "": // the event did not say so
		e.Build = ran
		return h.ActionFailed(ctx, e)
	case errors.Is(err, ErrNotFound) && !e.End.IsZero() && h.Clock.Now().Sub(e.End) < unheard:
		// The list may be slower than the event, and no sweep looks for what has no build.
		return fmt.Errorf("action %q of pipeline %q is not listed yet: %w", a.Name, a.Pipeline, ErrLater)
	case errors.Is(err, ErrNotFound):
		h.Log.WarnContext(ctx, "the action is gone", about...)
		return nil
	case errors.Is(err, ErrDenied), errors.Is(err, ErrFinal):
		p := h.listing(e.At, a.Pipeline)[0]
		return h.unread(ctx, Ended{At: e.At, Project: p.Name, Build: a.ID(), Status: codebuild.Failed, End: e.End}, err)
	case err != nil:
		return fmt.Errorf("reading action %q of pipeline %q: %w", a.Name, a.Pipeline, err)
	}
	return h.actionEnded(ctx, e.At, b)
}

// actionsBuildFailed handles the end of the build, or of the batch, that an action ran.
func (h *Healer) actionsBuildFailed(ctx context.Context, at settings.Account, project, id string, end time.Time) error {
	if _, ok := h.Settings.Project(project, at.ID, at.Region, h.Home); !ok {
		h.Log.InfoContext(ctx, "build of a project that settings do not name", "project", project, "account", at.ID)
		return nil
	}
	bs, err := []codebuild.Build{{ID: id, Project: project, Status: codebuild.Failed, End: end}}, error(nil)
	// Where the build's own event was first, its case goes on by itself.
	if known, err := h.known(ctx, bs[0]); err != nil || known {
		return err
	}
	if found, err := h.Builds.Several(ctx, at, []string{id}); err == nil && len(found) == 0 {
		if bs, err = h.failedInBatch(ctx, at, project, id); err != nil {
			return err
		}
	}
	for _, b := range bs {
		known, kerr := h.known(ctx, b)
		if kerr == nil && !known {
			kerr = h.BuildEnded(ctx, endOf(at, b))
		}
		err = errors.Join(err, kerr)
	}
	return err
}

// failedInBatch lists what failed in a batch: some of its builds, or the batch by itself.
func (h *Healer) failedInBatch(ctx context.Context, at settings.Account, project, id string) (bs []codebuild.Build, err error) {
	arn := codebuild.ARN{Partition: codebuild.PartitionOf(at.Region), Service: "codebuild", Region: at.Region, Account: at.ID,
		Resource: "build-batch/" + id}
	batch, err := h.Builds.Batch(ctx, at, arn.String())
	if errors.Is(err, ErrNotFound) {
		h.Log.WarnContext(ctx, "the build is gone", "build", id)
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading batch %q: %w", id, err)
	}
	if own, failed := batch.Own(); failed {
		return []codebuild.Build{own}, nil
	}
	for _, g := range batch.Groups {
		if b := (codebuild.Build{ID: g.Build, Project: project, Status: g.Status}); g.Build != "" && b.HasFailed() {
			bs = append(bs, b)
		}
	}
	return bs, nil
}

// actionEnded handles the end of an action that ran no build, as its record has it.
func (h *Healer) actionEnded(ctx context.Context, at settings.Account, b codebuild.Build) error {
	switch {
	case b.Project == "":
		h.Log.InfoContext(ctx, "action of a project that settings do not name", "action", b.ID)
		return nil
	case b.Status == codebuild.InProgress:
		return fmt.Errorf("action %q: its record does not show yet that it ended: %w", b.ID, ErrLater)
	case !b.HasFailed():
		return nil
	}
	return h.BuildEnded(ctx, Ended{At: at, Project: b.Project, Build: b.ID, Status: b.Status, End: b.End, record: &b})
}

// cutID parts a build's id.
func cutID(id string) (project, uuid string, ok bool) {
	b := codebuild.Build{ID: id}
	uuid = b.UUID()
	if uuid == id || uuid == "" {
		return "", "", false
	}
	return id[:len(id)-len(uuid)-1], uuid, true
}

// listing are the projects of an account and region that list the pipeline, in the order of the settings.
func (h *Healer) listing(at settings.Account, pipeline string) (ps []settings.Project) {
	for _, p := range h.Settings.Projects {
		if h.atOf(p) == at && slices.Contains(p.Pipelines, pipeline) {
			ps = append(ps, p)
		}
	}
	return ps
}

// action reads the record of a run that has no build: the newest of its action if the run is not named.
// Its project is "" if the settings name none for it.
func (h *Healer) action(ctx context.Context, at settings.Account, a codebuild.Action) (codebuild.Build, error) {
	b, _, err := h.actionAnd(ctx, at, a)
	return b, err
}

// actionAnd reads it, and the id of the build or batch that it ran; "" if it ran none.
func (h *Healer) actionAnd(ctx context.Context, at settings.Account, a codebuild.Action) (b codebuild.Build, ran string, err error) {
	if h.Pipelines == nil {
		return b, "", fmt.Errorf("nobody reads pipelines here: %w", ErrNotFound)
	}
	runs, err := h.Pipelines.Runs(ctx, at, a.Pipeline, a.Execution)
	if err != nil {
		return b, "", err
	}
	i := slices.IndexFunc(runs, func(r codebuild.ActionRun) bool {
		return r.Run == a.Run || a.Run == "" && r.Stage == a.Stage && r.Name == a.Name
	})
	if i < 0 {
		return b, "", fmt.Errorf("run %q of pipeline %q: %w", a.Run, a.Pipeline, ErrNotFound)
	}
	if runs[i].Provider == codebuild.ProviderCodeBuild {
		ran = codebuild.BuildOf(runs[i].External)
	}
	b = runs[i].Build(codebuild.ARN{Partition: codebuild.PartitionOf(at.Region), Service: "codepipeline", Region: at.Region,
		Account: at.ID}, h.projectOf(at, runs[i]))
	x, err := h.executionOf(ctx, at, runs[i], runs, true)
	b.Checked = &codebuild.Checked{Execution: &x}
	return b, ran, err
}

// projectOf names the project whose settings say what is done about a run without a build: the one that
// the action is set to, if it lists the pipeline. An action that is set to none, or to one that CodeBuild
// does not find, is the first's that lists the pipeline, in the order of the settings.
func (h *Healer) projectOf(at settings.Account, r codebuild.ActionRun) string {
	ps := h.listing(at, r.Pipeline)
	i := slices.IndexFunc(ps, func(p settings.Project) bool { return p.Name == r.Project })
	c, _ := codebuild.ParseRefusal(r.Message)
	switch {
	case i >= 0:
		return r.Project
	case len(ps) > 0 && (r.Project == "" || c.Code == "ResourceNotFoundException"):
		return ps[0].Name
	}
	return ""
}

// withExecution reads which execution of its pipeline a build is of, and who may have started that. What
// cannot be read stays unknown, which is no error.
func (h *Healer) withExecution(ctx context.Context, at settings.Account, b codebuild.Build) (codebuild.Build, error) {
	name := b.AskedPipeline()
	if name == "" || h.Pipelines == nil {
		return b, nil
	}
	x, err := codebuild.Execution{Pipeline: name}, error(nil)
	if p, ok := h.Settings.Project(b.Project, at.ID, at.Region, h.Home); !ok || !slices.Contains(p.Pipelines, name) {
		x.Unlisted = true
		x.Unread = fmt.Sprintf("The project does not list the pipeline %q, so it was not looked at who may start that.", name)
	} else if x, err = h.readExecution(ctx, at, name, b); err != nil {
		return b, err
	}
	checked := codebuild.Checked{}
	if b.Checked != nil {
		checked = *b.Checked
	}
	checked.Execution = &x
	b.Checked = &checked
	return b, nil
}

func (h *Healer) readExecution(ctx context.Context, at settings.Account, name string, b codebuild.Build) (codebuild.Execution, error) {
	run, err := h.Pipelines.RunOf(ctx, at, name, b.External(), b.Start)
	if err == nil {
		return h.executionOf(ctx, at, run, nil, b.HasFailed())
	}
	return unreadExecution(codebuild.Execution{Pipeline: name}, err)
}

// unreadExecution says of an execution why nothing is known. What may succeed later stays an error.
func unreadExecution(x codebuild.Execution, err error) (codebuild.Execution, error) {
	switch {
	case errors.Is(err, ErrNotFound):
		x.Unread = fmt.Sprintf("No record says which execution of the pipeline %q it is of.", x.Pipeline)
	case errors.Is(err, ErrDenied), errors.Is(err, ErrFinal):
		x.Unread = fmt.Sprintf("Its pipeline %q cannot be read. %s", x.Pipeline, sentence(err))
	case err != nil:
		return x, fmt.Errorf("reading pipeline %q: %w", x.Pipeline, err)
	}
	return x, nil
}

// sourceConnection is the provider of the sources that pull requests can trigger
// (AWS.md#what-started-a-pipeline).
const sourceConnection = "CodeStarSourceConnection"

// executionOf reads who may have started the execution of a run. runs are those of the execution, nil if
// they were not read. Where pull requests trigger nothing, who started it is read only of what failed: it may
// have been a build that they started.
func (h *Healer) executionOf(ctx context.Context, at settings.Account, r codebuild.ActionRun, runs []codebuild.ActionRun, failed bool,
) (codebuild.Execution, error) {
	x := codebuild.Execution{Pipeline: r.Pipeline, ID: r.Execution, Stage: r.Stage, Action: r.Name, Run: r.Run}
	pulls, err := h.Pipelines.PullRequests(ctx, at, r.Pipeline, r.Version)
	if err != nil || !pulls && !failed {
		return unreadExecution(x, err)
	}
	x.PullRequests = pulls
	if x.Trigger, x.By, err = h.Pipelines.Trigger(ctx, at, r.Pipeline, r.Execution); err != nil || !pulls {
		return unreadExecution(x, err)
	}
	if runs == nil {
		if runs, err = h.Pipelines.Runs(ctx, at, r.Pipeline, r.Execution); err != nil {
			return unreadExecution(x, err)
		}
	}
	for _, s := range runs {
		if s.Provider == sourceConnection && s.Status == codebuild.RunSucceeded {
			x.Sources = append(x.Sources, codebuild.PipelineSource{Action: s.Name, Branch: s.Branch, Built: s.Built})
		}
	}
	return x, nil
}

// waitsForAction is the run that failed, if the round waits for another run of a pipeline's action and not
// for a build: no build was made, or a whole batch.
func waitsForAction(r decide.Round) (a codebuild.Action, ok bool) {
	b := r.Build
	switch {
	case b.Action != nil:
		return *b.Action, true
	case !r.OfStage() || b.BatchARN == "" || b.Checked == nil || b.Checked.Execution == nil || b.Checked.Execution.ID == "":
		return a, false
	}
	x := b.Checked.Execution
	return codebuild.Action{Pipeline: x.Pipeline, Execution: x.ID, Stage: x.Stage, Name: x.Action, Run: x.Run}, true
}

// findRun looks for the newest run of an action, if that is another one than it was.
func (h *Healer) findRun(ctx context.Context, c *held, a codebuild.Action) (codebuild.ActionRun, bool, error) {
	runs, err := h.Pipelines.Runs(ctx, c.at(), a.Pipeline, a.Execution)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return codebuild.ActionRun{}, false, fmt.Errorf("looking for the run that was started: %w", err)
	}
	i := slices.IndexFunc(runs, func(r codebuild.ActionRun) bool { return r.Stage == a.Stage && r.Name == a.Name })
	// Whether a retry gives the run another id is not documented: one that is green now did not stay as it was
	// (AWS.md#undocumented).
	if i < 0 || runs[i].Run == a.Run && runs[i].Status != codebuild.RunSucceeded || runs[i].Run != a.Run && c.has(runs[i].ID()) {
		return codebuild.ActionRun{}, false, nil
	}
	return runs[i], true, nil
}

// retryOf names a run as what the round started: of a batch, by the batch.
func (h *Healer) retryOf(r decide.Round, run codebuild.ActionRun) string {
	if r.Build.Action != nil {
		return run.ID()
	}
	return codebuild.BuildOf(run.External)
}

// mayRetryStage reports whether the settings, as they are now, let the stage of the round's action be retried:
// it may have waited for hours.
func (h *Healer) mayRetryStage(c *held) bool {
	r := c.last()
	p, ok := h.Settings.Project(c.Project, c.Account, c.Region, h.Home)
	return ok && p.Retry && slices.Contains(p.Pipelines, r.Build.Action.Pipeline) && (p.Mode == settings.Heal || r.Approved != "")
}

// pollAction asks CodePipeline about the action whose stage was retried. Its end in success is in no
// event that the healer gets: it looks for it with each sweep.
func (h *Healer) pollAction(ctx context.Context, c *held, a codebuild.Action) error {
	run, ok, err := h.findRun(ctx, c, a)
	if errors.Is(err, ErrDenied) && h.Clock.Now().Sub(c.last().RetryAt) >= recent {
		return h.giveUp(ctx, c, "What became of the action cannot be read. "+sentence(err))
	}
	if err != nil {
		return err
	}
	if !ok {
		return h.giveUp(ctx, c, "The action was not seen to run again.")
	}
	r, now := c.last(), h.Clock.Now()
	ends := func(k decide.Kind, note string) error {
		c.adopt(now, h.retryOf(*r, run))
		r.Ended = run.Updated
		c.finish(now, k, note)
		return h.close(ctx, c)
	}
	switch {
	case run.Status == codebuild.RunInProgress:
		if now.Sub(r.RetryAt) >= longest {
			return ends(decide.Failed, "The action that was started again did not end within two days.")
		}
		return nil
	case run.Status == codebuild.RunSucceeded:
		return ends(decide.Healed, "")
	case run.Status != codebuild.RunFailed:
		return ends(decide.Failed, "Somebody stopped the pipeline's execution; it is left alone.")
	case c.last().Build.Action == nil:
		return ends(decide.Failed, "The batch that was started again failed, too.")
	case run.Provider == codebuild.ProviderCodeBuild && codebuild.BuildOf(run.External) != "":
		note := "CodeBuild started the build this time, and it failed: a notice of its own tells why."
		if err := ends(decide.Failed, note); err != nil {
			return err
		}
		return h.ActionFailed(ctx, ActionFailed{At: c.at(), ActionRegion: c.Region, Action: run.Action, Build: run.External,
			End: run.Updated})
	}
	b, err := h.action(ctx, c.at(), run.Action)
	if err != nil {
		return err
	}
	return h.actionEnded(ctx, c.at(), b)
}

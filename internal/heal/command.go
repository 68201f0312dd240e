package heal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/diagnose"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// Command is what a person tells the function, permitted by
// lambda:InvokeFunction. Exactly one field is set.
type Command struct {
	Approve *PlanWhat   `json:"approve,omitempty"`
	Reject  *PlanWhat   `json:"reject,omitempty"`
	Undo    *UndoWhat   `json:"undo,omitempty"`
	Status  *StatusWhat `json:"status,omitempty"`
	Replay  *ReplayWhat `json:"replay,omitempty"`
	Pause   *PauseWhat  `json:"pause,omitempty"`
	Resume  *ResumeWhat `json:"resume,omitempty"`
	Sweep   *struct{}   `json:"sweep,omitempty"`

	carrier decide.Sender // see [Command.By]
}

// StatusWhat names the case that is shown; "" for the newest ones.
type StatusWhat struct {
	Case string `json:"case,omitempty"`
}

// CommandAnswer is what a command returns.
type CommandAnswer struct {
	Done    bool         `json:"done"`
	Message string       `json:"message"`
	Case    *decide.Case `json:"case,omitempty"`
	Paused  string       `json:"paused,omitempty"`
	// PausedProjects are those that the breaker has paused, the newest first.
	PausedProjects []PausedProject `json:"paused_projects,omitempty"`
	Cases          []Summary       `json:"cases,omitempty"`
	// Kept are the versions of managed policies that the case had deleted to make room.
	Kept []KeptVersion `json:"kept,omitempty"`
	// Incidents are those that are open, the newest first.
	Incidents []OpenIncident `json:"incidents,omitempty"`
	// Held is what persons took back, the newest first: of the case, or of all.
	Held []decide.Hold `json:"held,omitempty"`
	// TookBack is how many changes an undo has taken back.
	TookBack int `json:"took_back,omitempty"`
}

// Summary is one line of the history.
type Summary struct {
	Case    string          `json:"case"`
	Project string          `json:"project"`
	Account string          `json:"account,omitempty"`
	Region  string          `json:"region,omitempty"`
	Commit  string          `json:"commit"`
	Opened  time.Time       `json:"opened"`
	Closed  time.Time       `json:"closed,omitzero"`
	Outcome decide.Kind     `json:"outcome"` // Open while it is open
	Cause   string          `json:"cause"`
	Remedy  diagnose.Remedy `json:"remedy"`
	Rounds  int             `json:"rounds"`
	// FailedTests names the first tests that failed in the case's last failed build, and MoreTests
	// is how many more there are.
	FailedTests []string `json:"failed_tests,omitempty"`
	MoreTests   int      `json:"more_tests,omitempty"`
	// Stands is what a closed case has changed and was not undone, the last change first.
	Stands []Stand `json:"stands,omitempty"`
	// Changed says what an open case has changed so far.
	Changed []string `json:"changed,omitempty"`
	// Follows is the case that this one waits for, or was started again because of.
	Follows string `json:"follows,omitempty"`
	// Incident is the one that it is or was in; Sign is that of its failure, if it was counted.
	Incident string `json:"incident,omitempty"`
	Sign     string `json:"sign,omitempty"`
	// Plan is the one that waits for an approval, and Until is until when; of a proposed case.
	Plan  string    `json:"plan,omitempty"`
	Until time.Time `json:"until,omitzero"`
	// Approved is the newest approval in the case.
	Approved *decide.Order `json:"approved,omitempty"`
	// Refused are the rules that stood in the way of the last decision.
	Refused []guardrail.Rule `json:"refused,omitempty"`
	// Held says what a person took back from the case, and holds back still.
	Held []string `json:"held,omitempty"`
}

// Stand is a change that stands.
type Stand struct {
	What  string    `json:"what"`
	Since time.Time `json:"since"`
}

// Open is the outcome of a case that is still open, in the history.
const Open decide.Kind = "open"

// maxNamed is how many failed tests a summary names.
const maxNamed = 5

func firstTests(d *diagnose.Diagnosis) (names []string, more int) {
	for _, t := range d.Tests[:min(len(d.Tests), maxNamed)] {
		names = append(names, t.FullName())
	}
	return names, len(d.Tests) - len(names) + d.MoreTests
}

func (c *held) summary() Summary {
	s := Summary{Case: c.ID, Project: c.Project, Commit: c.Commit, Opened: c.Opened, Closed: c.Closed,
		Outcome: c.Outcome, Rounds: c.Past.Rounds + len(c.Rounds)}
	for _, r := range c.Rounds {
		s.Incident, s.Sign = cmp.Or(r.Incident, s.Incident), cmp.Or(r.Sign, s.Sign)
		if r.Diagnosis != nil && s.Cause == "" {
			s.Cause = r.Diagnosis.Cause
		}
		if d := r.Diagnosis; d != nil {
			s.FailedTests, s.MoreTests = firstTests(d)
		}
		if r.Step == decide.StepJoined || r.Decision != nil && r.Decision.Follows != "" {
			s.Follows = r.Follows
		}
		if r.Decision != nil && (s.Remedy == "" || r.Decision.Plan != nil) {
			s.Remedy = r.Decision.Remedy
		}
		if r.Decision != nil {
			s.Refused = nil
			for _, no := range r.Decision.Refusals {
				if !slices.Contains(s.Refused, no.Rule) {
					s.Refused = append(s.Refused, no.Rule)
				}
			}
		}
	}
	for _, o := range c.Orders {
		if o.Verb == decide.Approve {
			s.Approved = &o
		}
	}
	if c.Outcome == decide.Proposed && c.last().Decision != nil && c.last().Decision.Plan != nil {
		s.Plan, s.Until = c.last().Decision.Plan.Hash(), c.last().Until
	}
	s.Account, s.Region = c.Account, c.Region
	if c.Closed.IsZero() {
		s.Outcome, s.Changed = Open, Changes(c.Case)
		return s
	}
	for _, r := range slices.Backward(c.Rounds) {
		if r.Decision != nil && r.Decision.Plan != nil && r.Stands() {
			s.Stands = append(s.Stands, Stand{change(c.Case, *r.Decision.Plan), r.Written})
		}
	}
	return s
}

// count is how many commands are in it.
func (c Command) count() (n int) {
	for _, there := range []bool{c.Approve != nil, c.Reject != nil, c.Undo != nil, c.Status != nil,
		c.Replay != nil, c.Pause != nil, c.Resume != nil, c.Sweep != nil} {
		if there {
			n++
		}
	}
	return n
}

// Do carries out a command. What a command cannot do is an answer with Done
// false and a reason, not an error.
func (h *Healer) Do(ctx context.Context, cmd Command) (CommandAnswer, error) {
	if n := cmd.count(); n != 1 {
		return CommandAnswer{Message: fmt.Sprintf("There are %d commands in it; send one at a time. There are "+
			"approve, reject, undo, status, replay, pause, resume, sweep.", n)}, nil
	}
	from := h.sender(cmd)
	a, err := h.do(ctx, cmd, from)
	if told, ok := cmd.asked(from); ok {
		if told.At, told.Done, told.Message = h.Clock.Now(), a.Done, a.Message; err != nil {
			told.Message = "It ended with an error: " + err.Error()
		}
		h.Journal.Asked(told)
	}
	if cmd.said().short { // the answer is posted where the button was pressed
		a = CommandAnswer{Done: a.Done, Message: a.Message}
	}
	return a, err
}

func (h *Healer) do(ctx context.Context, cmd Command, from decide.Sender) (CommandAnswer, error) {
	switch {
	case cmd.Approve != nil:
		return h.approve(ctx, cmd.Approve.Plan, from)
	case cmd.Reject != nil:
		return h.reject(ctx, cmd.Reject.Plan, from)
	case cmd.Undo != nil:
		return h.undo(ctx, cmd.Undo.Case, from)
	case cmd.Status != nil:
		return h.status(ctx, cmd.Status.Case)
	case cmd.Replay != nil:
		return h.replay(ctx, cmd.Replay.Build, settings.Account{ID: cmd.Replay.Account, Region: cmd.Replay.Region}, from)
	case cmd.Pause != nil:
		return h.pause(ctx, h.because(*cmd.Pause, from))
	case cmd.Resume != nil && cmd.Resume.Pause != "":
		return h.unpauseNamed(ctx, cmd.Resume.Pause)
	case cmd.Resume != nil && cmd.Resume.Grant != "":
		return h.lift(ctx, *cmd.Resume)
	case cmd.Resume != nil && !cmd.Resume.all():
		return h.unpauseProject(ctx, *cmd.Resume)
	case cmd.Resume != nil:
		return h.unpause(ctx)
	}
	return CommandAnswer{Done: true, Message: "Swept."}, h.Sweep(ctx)
}

// undo undoes all changes of a case, newest first. What cannot be undone does
// not keep older changes from being undone.
//
// An open case is closed by that, at whatever step it waits: it starts no build
// and changes nothing more. While an invocation works on it, undo has to wait.
//
// An approval that nothing has come of yet is revoked: whoever undoes the case does not want it.
//
// What is undone is held back from then on, for whichever commit, until a person
// lifts that; so is what cannot be undone.
func (h *Healer) undo(ctx context.Context, id string, from decide.Sender) (CommandAnswer, error) {
	by, began := from.By, h.Clock.Now()
	c, err := h.open(ctx, id)
	if err != nil {
		return CommandAnswer{}, err
	}
	if c == nil {
		return CommandAnswer{Message: fmt.Sprintf("There is no case %q.", clipped(id, maxBy))}, nil
	}
	if err := h.lock(ctx, c); err != nil {
		return CommandAnswer{}, err
	}
	if err := h.finishWrite(ctx, c); err != nil {
		return CommandAnswer{}, errors.Join(err, h.save(ctx, c, true))
	}
	done, refused := 0, false
	var notes, back, restored []string
	var lift decide.Hold
	tell := func(r decide.Round) {
		for _, one := range c.HeldBy(r) {
			if s := one.What(); !slices.Contains(back, s) {
				back, lift = append(back, s), one
			}
		}
	}
	for i := len(c.Rounds) - 1; i >= 0; i-- {
		r := c.Rounds[i]
		if c.Outcome != decide.Undone && r.Undone.After(c.last().Started) {
			done++ // by an earlier run that died before it could close the case
			tell(r)
		}
		if !r.Stands() {
			continue
		}
		if err := h.hold(ctx, c, r, by); err != nil {
			return CommandAnswer{}, errors.Join(err, h.save(ctx, c, true))
		}
		tell(r)
		c.Rounds[i].ByPerson = true
		note, versions, err := h.undoRound(ctx, c, i)
		if err != nil {
			return CommandAnswer{}, errors.Join(err, h.save(ctx, c, true))
		}
		if versions != "" {
			restored = append(restored, versions)
		}
		if note == "" {
			done++
			continue
		}
		notes = append(notes, note)
		refused = refused || r.Decision.Plan.Repository == "" // a repository is never deleted
	}
	if done > 0 {
		notes = slices.Insert(notes, 0, fmt.Sprintf("Took back %d change(s).", done))
	}
	if hash := c.last().Approved; len(notes) == 0 && hash != "" {
		if _, waits := become(c, hash); waits {
			return h.revoke(ctx, c, from)
		}
	}
	switch {
	case len(notes) == 0 && c.Closed.IsZero():
		notes = []string{"The case is open and has changed nothing that still stands. " +
			"It may still change something; {\"pause\":{}} prevents that."}
	case len(notes) == 0 && waits(c.Case, ""):
		var names []string
		for _, q := range c.last().Requests {
			names = append(names, q.Name())
		}
		notes = []string{fmt.Sprintf("The case has changed nothing: it waits for %s. Close that unmerged, and nothing more comes of it.",
			strings.Join(names, " and "))}
	case len(notes) == 0:
		notes = []string{"The case has changed nothing that still stands."}
	}
	for _, r := range c.Rounds {
		if r.Abandoned != "" {
			notes = append(notes, r.Abandoned)
		}
	}
	notes = append(notes, restored...)
	if names := unmerged(c.Case, began); len(names) > 0 {
		notes = append(notes, fmt.Sprintf("%s would still give it in code: close it unmerged.", strings.Join(names, " and ")))
	}
	heldBack := ""
	if len(back) > 0 {
		if len(back) > 1 {
			lift.Grant = decide.EveryGrant
		}
		heldBack = fmt.Sprintf("Builds are not given %s again, whichever the commit, until a person sends %s.",
			strings.Join(back, ", "), lift.Lift(h.Home))
		notes = append(notes, heldBack)
	}
	answer := CommandAnswer{Done: done > 0 && !refused, TookBack: done, Message: strings.Join(notes, " "), Case: &c.Case}
	if !answer.Done {
		return answer, h.save(ctx, c, true)
	}
	c.Take(decide.Order{Verb: decide.Undo, At: h.Clock.Now(), Sender: from})
	who := sentBy(from) + " asked for it" + under(from) + "."
	if c.Outcome == decide.Healed { // its build stays green
		c.last().Green = true
	}
	c.finish(h.Clock.Now(), decide.Undone, sentences(sentences(who, heldBack), strings.Join(restored, " ")))
	return answer, h.close(ctx, c)
}

func (h *Healer) status(ctx context.Context, id string) (CommandAnswer, error) {
	why, err := h.flag(ctx, pausedFlag)
	if err != nil {
		return CommandAnswer{}, err
	}
	projects, err := h.PausedProjects(ctx)
	if err != nil {
		return CommandAnswer{}, err
	}
	if id == "" {
		cs, err := h.History(ctx, "", 50)
		if err != nil {
			return CommandAnswer{}, err
		}
		holds, err := h.Holds(ctx, "", 50)
		if err != nil {
			return CommandAnswer{}, err
		}
		incidents, err := h.Incidents(ctx)
		return CommandAnswer{Done: true, Message: "The newest cases.", Paused: why, PausedProjects: projects, Cases: cs, Held: holds,
			Incidents: incidents}, err
	}
	c, err := h.Case(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return CommandAnswer{Message: fmt.Sprintf("There is no case %q.", id), Paused: why, PausedProjects: projects}, nil
	}
	if err != nil {
		return CommandAnswer{}, err
	}
	versions, err := h.Kept(ctx, c)
	if err != nil {
		return CommandAnswer{}, err
	}
	holds, err := h.Holds(ctx, c.Project, maxHistory)
	holds = slices.DeleteFunc(holds, func(one decide.Hold) bool { return one.Case != c.ID })
	return CommandAnswer{Done: err == nil, Message: "The case as it is.", Paused: why, PausedProjects: projects, Case: &c,
		Kept: versions, Held: holds}, err
}

// Case reads a case without locking it.
func (h *Healer) Case(ctx context.Context, id string) (decide.Case, error) {
	var c decide.Case
	it, err := h.Store.Get(ctx, kindCase, id)
	if err != nil {
		return c, fmt.Errorf("reading case %q: %w", id, err)
	}
	return c, unmarshal(it, &c)
}

// maxHistory bounds how many closed cases are read from the ledger.
const maxHistory = 100_000

// History lists cases of one project, or of all (""): the open ones, then the
// closed ones, each newest first, at most limit in all.
func (h *Healer) History(ctx context.Context, project string, limit int) ([]Summary, error) {
	open, err := h.openCases(ctx)
	if err != nil {
		return nil, err
	}
	var out []Summary
	add := func(s Summary) {
		if (project == "" || s.Project == project) && len(out) < limit {
			out = append(out, s)
		}
	}
	isOpen := map[string]bool{}
	for _, c := range open {
		isOpen[c.ID] = true
		add((&held{Case: c}).summary())
	}
	most := limit + len(open)
	if project != "" {
		most = maxHistory
	}
	closed, err := h.closedCases(ctx, most)
	if err != nil {
		return nil, err
	}
	for _, s := range closed {
		if !isOpen[s.Case] { // otherwise it was closed once, and is open again
			add(s)
		}
	}
	holds, err := h.Holds(ctx, project, maxHistory)
	if err != nil {
		return nil, err
	}
	for _, one := range holds {
		if i := slices.IndexFunc(out, func(s Summary) bool { return s.Case == one.Case }); i >= 0 {
			out[i].Held = append(out[i].Held, one.What())
		}
	}
	return out, nil
}

// replay handles a build as if its event had just come. A person who asks for it
// says that something has changed: the settings, a layer that refused, or a
// decision.
//
// So a failed build whose case is closed, and not healed, is decided again, in a
// round that records the request. What was tried before may be tried again, and
// what was reverted may be granted again; only a replay allows that. What a person
// undid has to be lifted first. A replay is
// limited like any case: by the guardrails, by limits.rounds until a day after
// the case was closed, and by the budgets of the role and the hour.
func (h *Healer) replay(ctx context.Context, build string, at settings.Account, from decide.Sender) (CommandAnswer, error) {
	if a, id, ok := codebuild.ParseBuildARN(build); ok {
		at, build = settings.AccountOf(a), id
	} else if a, id, ok := codebuild.ParseActionARN(build); ok {
		at, build = settings.AccountOf(a), id
	}
	if at.ID == "" {
		at.ID = h.Home.ID
	}
	if at.Region == "" {
		at.Region = h.Home.Region
	}
	b, err := h.build(ctx, at, build)
	if errors.Is(err, ErrNotFound) {
		return CommandAnswer{Message: fmt.Sprintf("There is no build %q.", build)}, nil
	}
	if err != nil {
		return CommandAnswer{}, fmt.Errorf("reading build: %w", err)
	}
	id, no, err := h.reopen(ctx, at, b, from)
	if err == nil && no == "" {
		err = h.BuildEnded(ctx, Ended{At: at, Project: b.Project, Build: b.ID, Status: b.Status, End: b.End})
	}
	if err == nil && id == "" {
		id, err = h.caseOf(ctx, b.ID)
	}
	if err != nil || id == "" {
		return CommandAnswer{Message: fmt.Sprintf("The build is %s, or settings do not name its project: nothing to do.", b.Status)}, err
	}
	c, err := h.Case(ctx, id)
	if no != "" {
		return CommandAnswer{Message: no, Case: &c}, err
	}
	return CommandAnswer{Done: err == nil, Message: "The build is being handled.", Case: &c}, err
}

// reopen opens a new round for the build if its case is closed. id is the case's,
// "" if there is none; no says why the case stays closed, "" if it does not.
func (h *Healer) reopen(ctx context.Context, at settings.Account, b codebuild.Build, from decide.Sender) (id, no string, err error) {
	p, named := h.Settings.Project(b.Project, at.ID, at.Region, h.Home)
	if id, err = h.caseOf(ctx, b.ID); err != nil || id == "" || !named {
		return id, "", err
	}
	c, err := h.open(ctx, id)
	if err == nil && c != nil && len(c.Rounds) > 0 && c.last().Build.ID == b.ID && c.AwaitsIncident(c.last().Incident) {
		r := c.last() // a person does not want to wait
		r.Step, r.Own, r.Tries, r.Replayed = decide.StepReceived, true, 0, h.Clock.Now()
		c.Take(decide.Order{Verb: decide.Replay, At: r.Replayed, Sender: from})
		return id, "", h.save(ctx, c, true)
	}
	if err != nil || c == nil || c.Closed.IsZero() {
		return id, "", err
	}
	healed := c.Outcome == decide.Healed
	if healed && !slices.ContainsFunc(c.Rounds, func(r decide.Round) bool { return r.Build.ID == b.ID }) {
		// It was none of those that were healed: only one that asked for the same
		// says anything about it.
		past, err := h.overtaken(ctx, c, b, codebuild.Batch{})
		if err != nil {
			return id, "", err
		}
		if past {
			return id, fmt.Sprintf("A later build that asked for the same is green (%s): there is nothing to do.", c.last().Retry), nil
		}
		healed = false
	}
	switch {
	case !slices.Contains([]string{codebuild.Failed, codebuild.Fault, codebuild.TimedOut}, b.Status):
		return id, fmt.Sprintf("The build is %s, so there is nothing to do about it.", b.Status), nil
	case healed:
		return id, "The build's case is healed: there is nothing to do.", nil
	case c.Outcome == decide.Proposed:
		waits, err := h.approvable(ctx, c)
		if err != nil || waits {
			return id, "A plan for the build's case waits for its approval. Approve or reject it.", err
		}
	}
	if err := h.flush(ctx, c); err != nil { // notices of how it ended that are not sent yet
		return id, "", err
	}
	now := h.Clock.Now()
	if now.Sub(c.Closed) > newBudget {
		c.startOver(now)
	}
	c.Others = slices.DeleteFunc(c.Others, func(id string) bool { return id == b.ID })
	if n := len(c.Rounds); n > 0 && c.last().Build.ID == b.ID && c.last().ToldOnly() {
		c.Rounds = c.Rounds[:n-1]
	}
	c.Rounds = append(c.Rounds, decide.Round{Build: b.WithRolePath(p.Role), Step: decide.StepReceived,
		Started: now, Replayed: now})
	c.Take(decide.Order{Verb: decide.Replay, At: now, Sender: from})
	c.Closed, c.Outcome = time.Time{}, ""
	return id, "", h.save(ctx, c, true)
}

package heal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/diagnose"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// late is how long the last lines of a log may take to arrive (AWS.md#late-lines).
const late = 5 * time.Second

// facts gathers what the build and its log say about the case's last round; the
// role's policies are read by [Healer.permissions]. If the log is not complete
// yet, facts sets the round's NotYet and returns early.
func (h *Healer) facts(ctx context.Context, c *held) (decide.Facts, error) {
	r := c.last()
	p, ok := h.Settings.Project(c.Project, c.Account, c.Region, h.Home)
	if !ok {
		return decide.Facts{}, fmt.Errorf("the settings no longer name the project %q: %w", c.Project, ErrFinal)
	}
	if r.Cut { // of the round, not enough is kept to decide by
		if err := h.readAgain(ctx, c, p); err != nil {
			return decide.Facts{}, err
		}
	}
	if err := h.checkRound(ctx, c); err != nil {
		return decide.Facts{}, err
	}
	f := decide.Facts{Settings: h.Settings, Home: h.Home, Project: p, Build: r.Build, Case: c.ID,
		Earlier: counted(c.Rounds[:len(c.Rounds)-1]), Self: h.Self, FlakyBefore: c.Past.Flaky,
		// Not the round's own time: it may wait long for an approval or for AWS, and what
		// it gives must last from then on.
		Now: h.Clock.Now(), Replayed: !r.Replayed.IsZero()}
	if f.Offered = decide.Offered(h.Settings, p, f.Earlier); f.Offered != nil {
		f.Settings = h.Settings.WholeRole(f.Offered.Service, f.Offered.Grants)
	}
	var since *comparison
	if r.Diagnosis != nil {
		f.Diagnosis = *r.Diagnosis // read by an earlier run, which was throttled later
	} else {
		reader, text := h.keeping()
		failure, d, err := reader.explain(ctx, c, p)
		if err != nil || h.Clock.Now().Before(r.NotYet) {
			return f, err
		}
		f.Build = r.Build // the log may show that it is not the team's
		since = h.compare(ctx, c.at(), p, failure, *text, d)
		defer since.cancel()
		f.Diagnosis = WithoutSecrets(d)
		if r.Unread != "" || r.Partial || p.TestReports && len(reportsToRead(c.at(), p, r.Build)) < len(r.Build.ReportARNs) {
			f.Diagnosis.Counted = false // more may have failed, in reports that were not read
		}
	}
	f.Printed = r.Job
	f = f.InHand()
	h.fetch(ctx, h.recorded(c, f)...)
	var err error
	if r.Requested() {
		f.Requests = r.Requests
		if f.Newer, err = h.newer(ctx, c, func(codebuild.Build) bool { return true }); err != nil {
			return f, err
		}
	}
	if f.Waited = r.Incident != "" && !r.Told && r.Replayed.IsZero(); f.Waited {
		// What may be anybody's stands in the way only where it surely is of the same branch.
		line := r.Build.Asked().Line()
		if f.Newer, err = h.newer(ctx, c, func(o codebuild.Build) bool {
			ours, _ := guardrail.Trusted(o, p)
			return ours || o.Asked().Line() == line
		}); err != nil {
			return f, err
		}
	}
	if actedUpon(f) {
		if err = h.forbidden(ctx, c, &f); err != nil {
			return f, err
		}
	}
	if decide.StartsAnew(f) {
		if f.Unrepeatable, err = h.Retrier.Unrepeatable(ctx, f.Build); err != nil {
			return f, fmt.Errorf("comparing the build with its project: %w", err)
		}
	}
	if since != nil {
		f.Diagnosis = since.finish(r, f.Diagnosis)
	}
	return f, nil
}

// forbidden finds out what persons forbid for the case's project now: all changes,
// or what they took back.
func (h *Healer) forbidden(ctx context.Context, c *held, f *decide.Facts) (err error) {
	if f.Paused, err = h.paused(ctx, c.at(), c.Project); err != nil {
		return err
	}
	f.Held, err = h.heldBack(ctx, c.at(), f.Project)
	return err
}

// actedUpon reports whether anything may be done about the failure.
func actedUpon(f decide.Facts) bool {
	return f.Diagnosis.Remedy != diagnose.Report && f.Diagnosis.Remedy != diagnose.Ignore
}

// recorded lists what the ledger is asked for to decide about the failure.
func (h *Healer) recorded(c *held, f decide.Facts) []slot {
	slots := []slot{{kindPast, pastKey(c.at(), c.Project, f.Trusted())}}
	if actedUpon(f) {
		slots = append(slots, slot{kindFlag, pausedFlag}, slot{kindFlag, projectFlag(c.at(), c.Project)})
		for _, place := range placesFor(c.at(), f.Project) {
			slots = append(slots, slot{kindHold, place})
		}
	}
	if of := h.leaseNeeded(f); of != "" && f.Diagnosis.Remedy == diagnose.Grant {
		if !h.seesLease(c, of) {
			slots = append(slots, slot{kindRole, of})
		}
		if f.Project.PullRequests != settings.Accept {
			slots = append(slots, slot{kindFlag, pullRequestKey(c.at(), c.Project)})
		}
	}
	return slots
}

// newer finds a build, of those that count, that makes it wrong to start that of the last round again,
// which waited long.
func (h *Healer) newer(ctx context.Context, c *held, counts func(codebuild.Build) bool) (string, error) {
	b := c.last().Build
	bs, err := h.Builds.Since(ctx, c.at(), c.Project, b.Start, b.ID)
	if err != nil {
		return "", fmt.Errorf("looking for newer builds: %w", err)
	}
	return decide.Newer(b, slices.DeleteFunc(bs, func(o codebuild.Build) bool { return !counts(o) }), c.knows), nil
}

// readAgain reads the build of the last round once more, and has its log read
// once more, since the ledger kept only a part of them.
func (h *Healer) readAgain(ctx context.Context, c *held, p settings.Project) error {
	r := c.last()
	b, err := h.build(ctx, c.at(), r.Build.ID)
	if errors.Is(err, ErrNotFound) {
		return fmt.Errorf("the build is gone, and only a part of its failure is recorded: %w", ErrFinal)
	}
	if err != nil {
		return fmt.Errorf("reading the build again: %w", err)
	}
	r.Build = b.WithRolePath(p.Role)
	r.Diagnosis, r.Cut, r.Denied = nil, false, nil
	return nil
}

// counted leaves out the rounds of an earlier day, which count in no budget.
func counted(rs []decide.Round) []decide.Round {
	var out []decide.Round
	for _, r := range rs {
		if !r.Old {
			out = append(out, r)
		}
	}
	return out
}

// failure reads what the build printed. Who may be anybody makes no calls: what
// an untrusted build printed is not decoded, since nothing is given for it.
func (h *Healer) failure(ctx context.Context, at settings.Account, p settings.Project, r *decide.Round) (buildlog.Failure, error) {
	now := h.Clock.Now()
	began := now
	decoder := h.Decoder
	if ok, _ := guardrail.Trusted(r.Build, p); !ok {
		decoder = nil
	}
	reports := TestReports{Reports: h.Reports}
	reports.Find(ctx, at, p, r.Build)
	young := now.Sub(r.Build.End) < time.Minute
	if reports.Late() && r.Looks < maxLooks && young {
		r.NotYet = now.Add(late << r.Looks)
		r.Looks++
		return buildlog.Failure{}, nil
	}
	f, whole, err := ReadFailure(ctx, h.Logs, decoder, at, r.Build)
	if err != nil {
		return f, err
	}
	f.Roles = p.AlsoNames()
	if r.Job = f.Job; r.Job != nil {
		r.Build = r.Build.WithPrinted()
	}
	now = h.Clock.Now()
	r.Scan = now.Sub(began)
	if !whole && !r.Reread && young {
		r.Reread, r.NotYet = true, now.Add(late)
		return f, nil
	}
	reports.Read(ctx, at, &f)
	r.Partial = reports.Partial()
	if r.Unread = reports.Unread(); r.Unread != "" {
		h.Log.WarnContext(ctx, "test reports are not read", "build", r.Build.ID, "why", r.Unread, "error", reports.err)
	}
	return f, nil
}

// stackReason reads why a stack failed, where the log leaves it open. Who may be anybody makes no
// calls.
func (h *Healer) stackReason(
	ctx context.Context, at settings.Account, p settings.Project, r *decide.Round, f buildlog.Failure, d diagnose.Diagnosis,
) diagnose.Diagnosis {
	if ok, _ := guardrail.Trusted(r.Build, p); !ok {
		return d
	}
	s := StackReasons{Stacks: h.Stacks}
	d = s.Read(ctx, at, p, f, d, h.Settings.Own()...)
	d.Advice += ListStack(p, f, d)
	if why := s.Unread(); why != "" {
		h.Log.WarnContext(ctx, "a stack's events are not read", "build", r.Build.ID, "why", why, "error", s.err)
		r.Unread = strings.TrimSpace(r.Unread + " " + why)
	}
	return d
}

// maxDecoded bounds how many encoded messages of a build are decoded: each is a
// call, and a log can print hundreds.
const maxDecoded = 5

// ReadFailure reads a build's log and decodes the denials that need it, at most
// [maxDecoded] of them, and none without a decoder. whole is false if the log
// does not reach the end of the failed phase.
func ReadFailure(
	ctx context.Context, logs Logs, dec Decoder, at settings.Account, b codebuild.Build,
) (f buildlog.Failure, whole bool, err error) {
	phase, _ := b.FailedPhase()
	text, err := logs.Tail(ctx, b, buildlog.FailedStart(b))
	if err != nil {
		return f, false, fmt.Errorf("reading build log: %w", err)
	}
	if text.None {
		return buildlog.NoLog(b), true, nil
	}
	f = buildlog.ReadEvents(b, text.Text)
	f.Cut = text.Cut
	if job, ok := buildlog.ReadJob(b.Project, text.Text); ok {
		f.Job = &job
	}
	which := encoded(f.Denials)
	if dec == nil {
		f.Undecoded = len(which)
		which = nil
	}
	if more := len(which) - maxDecoded; more > 0 {
		f.Undecoded = more
		which = which[:maxDecoded]
	}
	for _, i := range which {
		raw, err := dec.Decode(ctx, at, f.Denials[i].Encoded)
		if errors.Is(err, ErrFinal) || errors.Is(err, ErrDenied) {
			continue // cut, or not ours to decode: the denial stays as the text has it
		}
		if err != nil {
			return f, false, fmt.Errorf("decoding authorization message: %w", err)
		}
		if full, err := buildlog.DecodeMessage(f.Denials[i], raw); err == nil {
			f.Denials[i] = full
		}
	}
	return f, buildlog.Complete(text.Text, phase), nil
}

// encoded lists the denials that have a complete encoded message, those first
// that failed the build.
func encoded(ds []buildlog.Denial) (which []int) {
	for _, causal := range []bool{true, false} {
		for i, d := range ds {
			if d.Encoded != "" && d.Causal == causal {
				which = append(which, i)
			}
		}
	}
	return which
}

// permissions finds out what the build's role may do and which policies it has,
// as far as the decision needs it. What the simulator was asked comes first: if the role may do
// everything already, nothing will be granted, whatever its policies are.
func (h *Healer) permissions(ctx context.Context, at settings.Account, f *decide.Facts) (err error) {
	if f.Project.SwitchRole != "" {
		if f.ProjectRole, err = h.Projects.Role(ctx, at, f.Project.Name); err != nil {
			return fmt.Errorf("reading the project's role: %w", err)
		}
		if f.Project.PullRequests != settings.Accept {
			f.PullRequests, err = h.pullRequests(ctx, at, f.Project, true)
		}
		return err
	}
	qs, worth := questions(*f)
	if !worth {
		return nil
	}
	further, err := h.ask(ctx, at, f, qs)
	if err != nil || !further {
		return err
	}
	if err := h.readRole(ctx, at, f); err != nil {
		return err
	}
	return h.readPullRequests(ctx, at, f)
}

// questions are what the guardrails want to know of the simulator. worth is false if the denial is
// refused whatever the role has.
func questions(f decide.Facts) (qs []guardrail.Question, worth bool) {
	in := f.Judged()
	_, ok := f.RoleInHand()
	if !ok || guardrail.RefuseUntrusted(in.Build, in.Project) != nil || len(guardrail.Identify(in)) > 0 {
		return nil, false
	}
	return guardrail.Questions(in), true
}

// ask asks the simulator. further is false if nothing more need be read: if the role may do
// everything already.
func (h *Healer) ask(ctx context.Context, at settings.Account, f *decide.Facts, qs []guardrail.Question) (further bool, err error) {
	if len(qs) == 0 || len(f.Before) == len(qs) {
		return true, nil
	}
	role, _ := f.RoleInHand()
	if f.Before, err = h.Simulator.Simulate(ctx, at, role, qs, nil); err != nil {
		return false, aboutRole("simulating", role, err)
	}
	if slices.ContainsFunc(f.Before, func(a guardrail.Answer) bool { return a.Verdict != iampolicy.Allowed }) {
		return true, nil
	}
	if qs := f.Unkeyed(); len(qs) > 0 {
		if f.AnswersUnkeyed, err = h.Simulator.Simulate(ctx, at, role, qs, nil); err != nil {
			return false, aboutRole("simulating", role, err)
		}
	}
	return false, nil
}

// readPullRequests finds out who else has what would be granted, if something would.
func (h *Healer) readPullRequests(ctx context.Context, at settings.Account, f *decide.Facts) (err error) {
	if j := guardrail.Judge(f.Judged()); j.NeedsPullRequests {
		f.PullRequests, err = h.pullRequests(ctx, at, f.Project, j.Scoped())
	}
	return err
}

// readRole reads the role's policies, and asks CloudTrail about the denials
// where a grant demands that.
func (h *Healer) readRole(ctx context.Context, at settings.Account, f *decide.Facts) error {
	role, _ := f.RoleInHand()
	state, err := h.Roles.Role(ctx, at, role, f.Project.Write)
	if err != nil {
		return aboutRole("reading", role, err)
	}
	f.Role = &state
	if h.Trail == nil || !f.Settings.Witnessed(f.Project) {
		return nil
	}
	if f.Trail, err = h.Trail.Seen(ctx, f.Build, f.Causal()); err != nil {
		return fmt.Errorf("asking CloudTrail: %w", err)
	}
	return nil
}

func aboutRole(doing string, role codebuild.Role, err error) error {
	if errors.Is(err, ErrNotFound) {
		return fmt.Errorf("the role %q is gone: %w", role.ARN(), ErrFinal)
	}
	return fmt.Errorf("%s role %q: %w", doing, role.ARN(), err)
}

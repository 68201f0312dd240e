package decide

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/compare"
	"github.com/buildmedic/buildmedic/internal/diagnose"
	"github.com/buildmedic/buildmedic/internal/guardrail"
)

// Bounds of what is kept of a case. Whoever can make a build fail chooses how
// much its log says, and how often it fails.
const (
	maxKeptDenials  = 50  // of a round
	maxKeptExcerpt  = 60  // lines
	maxKeptRefusals = 60  // of a round
	maxKeptRounds   = 16  // above that, rounds that were only told are dropped
	maxKeptBuilds   = 200 // builds of dropped rounds: more than a batch has, since one that is forgotten is dealt with anew
	maxKeptNames    = 20  // initiators of those
	maxKeptNotices  = 12  // still to be sent
	maxKeptDropped  = 5   // versions of a policy, of a round
	maxKeptTests    = 20  // failed tests, of a round that is not whole
	maxNote         = 1 << 10
	maxName         = 300 // bytes of a build's id or initiator

	// MaxOthers bounds the builds that wait for the end of a case.
	MaxOthers = 100

	// MaxRecorded bounds the denied requests of a round of which AWS's record is kept.
	MaxRecorded = 5

	// MaxActed bounds the rounds of a case that changed something or started a
	// build, which are never dropped while the case goes on.
	MaxActed = 24
)

// Past sums up what a case no longer keeps one by one.
type Past struct {
	Rounds int `json:"rounds,omitempty"` // that were only told, and dropped
	// Builds are the newest builds of these rounds, by id, and those that needed
	// none, since a later build of the same kind had been dealt with.
	Builds []string `json:"builds,omitempty"`
	// Start is when the newest of the dropped rounds' builds began; Newest is its id.
	Start  time.Time `json:"start,omitzero"`
	Newest string    `json:"newest,omitempty"`
	// Initiators are who started them, each once.
	Initiators []string `json:"initiators,omitempty"`
	// Others is how many builds of Case.Others were dropped, the oldest first.
	Others int `json:"others,omitempty"`
	// Flaky: the commit was started again for flaky tests on an earlier day.
	Flaky bool `json:"flaky,omitempty"`
}

// Size is how much of a case is kept.
type Size int

// The sizes, the largest first.
const (
	// Whole keeps everything, up to a number of each thing.
	Whole Size = iota
	// Recent keeps the last round whole, and of earlier ones what deciding and
	// undoing need, and some lines to show.
	Recent
	// Short cuts the last round's diagnosis, too. It keeps what the last round's
	// next step needs; a diagnosis that is cut is made again from the log.
	Short
	// Bare keeps the changes that stand, so that they can be undone, the plan that
	// is being carried out, the budgets, and a few words of each round.
	Bare
)

// Bounded gives the case as the ledger keeps it. What is decided about a later
// build does not depend on the size; what notices show does. c is not changed.
func (c Case) Bounded(s Size) Case {
	c.Others, c.Past = c.boundedOthers()
	c.Outbox = boundedOutbox(c.Outbox)
	c.dropTold()
	rs := slices.Clone(c.Rounds)
	for i := range rs {
		rs[i] = rs[i].bounded(c.sizeOf(i, s), i == len(rs)-1 && (c.Closed.IsZero() || c.Outcome == Proposed || c.Outcome == Requested))
	}
	c.Rounds = rs
	return c
}

// sizeOf is the size of one round in a case of size s.
func (c Case) sizeOf(i int, s Size) Size {
	if s == Recent && i == len(c.Rounds)-1 {
		return Whole
	}
	return s
}

// Acted counts the rounds that count for [MaxActed].
func (c Case) Acted() (n int) {
	for i := range c.Rounds {
		if !c.Rounds[i].ToldOnly() {
			n++
		}
	}
	return n
}

// Changes gives the plans that are needed to undo what stands, or what a round
// may be changing.
func (c Case) Changes() (ps []Plan) {
	for _, r := range c.Rounds {
		if r.mayStand() && r.Decision != nil && r.Decision.Plan != nil {
			p := *r.Decision.Plan
			p.Proof = nil
			ps = append(ps, p)
		}
	}
	return ps
}

func (c Case) boundedOthers() ([]string, Past) {
	n := len(c.Others) - MaxOthers
	if n <= 0 {
		return c.Others, c.Past
	}
	keep := slices.Clone(c.Others[n:])
	if len(c.Rounds) > 0 {
		// The case has yet to take up this one.
		if next := last(c.Rounds).Retry; next != "" && slices.Contains(c.Others[:n], next) {
			keep[0] = next
		}
	}
	past := c.Past
	past.Others += n
	return keep, past
}

// boundedOutbox keeps the newest notices. A dropped one is counted as a repeat
// of the oldest that is kept.
func boundedOutbox(ps []Pending) []Pending {
	n := max(len(ps)-maxKeptNotices, 0)
	keep := slices.Clone(ps[n:])
	for i := range keep {
		keep[i].Note = clip(keep[i].Note, maxNote)
	}
	for _, p := range ps[:n] {
		keep[0].Repeats += 1 + p.Repeats
	}
	return keep
}

// dropTold drops rounds that were only told, if there are many. Of several one
// after another the last is kept, since it separates the rounds before it from
// those after it; so are the first round of all, the last two, and those that a
// notice is still to tell about.
func (c *Case) dropTold() {
	n := len(c.Rounds)
	if n <= maxKeptRounds {
		return
	}
	var keep []Round
	place := make([]int, n)   // where a round is now
	counted := make([]int, n) // how many of the rounds before it are dropped
	dropped := 0
	past := c.Past
	past.Builds, past.Initiators = slices.Clone(past.Builds), slices.Clone(past.Initiators)
	for i, r := range c.Rounds {
		counted[i] = dropped
		if i == 0 || i >= n-2 || r.Old || !r.ToldOnly() || !c.Rounds[i+1].ToldOnly() ||
			slices.ContainsFunc(c.Outbox, func(p Pending) bool { return p.Round == i }) {
			place[i] = len(keep)
			keep = append(keep, r)
			continue
		}
		dropped++
		past.add(r)
	}
	c.Rounds, c.Past = keep, past
	for i := range c.Outbox { // a copy already
		if p := &c.Outbox[i]; p.Round >= 0 && p.Round < n {
			p.Round = place[p.Round]
		}
	}
	c.renumberUndo(counted)
}

// renumberUndo keeps each Decision.Undo, which counts the rounds that are not
// old, on the round that it means. before says, per round as it was, how many
// earlier ones were dropped, none of them old.
func (c *Case) renumberUndo(before []int) {
	old := 0
	for _, r := range c.Rounds {
		if r.Old { // these come first
			old++
		}
	}
	for i := range c.Rounds {
		r := &c.Rounds[i]
		if r.Decision == nil || r.Decision.Undo == 0 {
			continue
		}
		d := *r.Decision
		if j := d.Undo - 1 + old; j < len(before) {
			d.Undo -= before[j]
		}
		r.Decision = &d
	}
}

// Remember records a build that needs no round.
func (p *Past) Remember(build string) {
	if len(build) <= maxName && !slices.Contains(p.Builds, build) {
		p.Builds = append(p.Builds, build)
		p.Builds = p.Builds[max(0, len(p.Builds)-maxKeptBuilds):]
	}
}

func (p *Past) add(r Round) {
	p.Rounds++
	p.Remember(r.Build.ID)
	if r.Build.Start.After(p.Start) {
		p.Start, p.Newest = r.Build.Start, ""
		if len(r.Build.ID) <= maxName {
			p.Newest = r.Build.ID
		}
	}
	if who := r.Build.Initiator; who != "" && len(who) <= maxName && !slices.Contains(p.Initiators, who) {
		p.Initiators = append(p.Initiators, who)
		p.Initiators = p.Initiators[max(0, len(p.Initiators)-maxKeptNames):]
	}
}

// mayStand reports whether undoing the round needs its plan.
func (r *Round) mayStand() bool { return r.Stands() || r.Step == StepWriting || r.Step == StepUndoing }

// bounded gives the round at a size. open says that the case goes on from it.
func (r Round) bounded(s Size, open bool) Round {
	if r.Diagnosis != nil {
		d, whole := boundedDiagnosis(*r.Diagnosis, s)
		if !whole {
			r.Cut, r.Denied = true, r.denied() // of what was there
		}
		r.Diagnosis = &d
	}
	r.Since = boundedSince(r.Since, s)
	if s == Bare && !open && r.ToldOnly() {
		r.Denied = nil // compared only with rounds that did something
	}
	r.Build = boundedBuild(r.Build, s)
	r.Abandoned, r.Unread = clip(r.Abandoned, maxNote), clip(r.Unread, maxNote)
	r.Known = r.keptKnown()
	if s == Bare || s >= Recent && !open {
		r.Recorded, r.Asked = nil, 0 // what goes on is looked up again
	}
	r.Recorded = r.Recorded[:min(len(r.Recorded), 2*MaxRecorded)] // one request may have needed several actions
	r.Dropped = r.Dropped[max(0, len(r.Dropped)-maxKeptDropped):]
	if r.Decision != nil {
		d := boundedDecision(*r.Decision, s)
		if d.Plan != nil {
			d.Plan = r.boundedPlan(*d.Plan, s, open)
		}
		r.Decision = &d
	}
	return r
}

// boundedDiagnosis gives the diagnosis at a size. whole says that nothing was
// left out but what no decision needs.
func boundedDiagnosis(d diagnose.Diagnosis, s Size) (_ diagnose.Diagnosis, whole bool) {
	denials, lines, line := maxKeptDenials, maxKeptExcerpt, 0
	switch {
	case s == Bare:
		denials, lines, line = 3, 0, 60
	case s >= Recent:
		denials, lines, line = 10, 10, 300
	}
	was, causes := len(d.Denials), len(causal(d))
	d.Denials = firstDenials(d.Denials, denials)
	if d.Dropped += causes - len(causal(d)); causes == 0 {
		d.Dropped += was - len(d.Denials)
	}
	d.Also = slices.Clone(d.Also)
	d.Excerpt = append([]buildlog.Line{}, d.Excerpt[max(0, len(d.Excerpt)-lines):]...)
	if line == 0 {
		return d, was == len(d.Denials)
	}
	for _, t := range []*string{&d.Cause, &d.Title, &d.Advice, &d.Evidence.Text, &d.Fingerprint} {
		*t = clip(*t, 2*line)
	}
	for i := range d.Excerpt {
		d.Excerpt[i].Text = clip(d.Excerpt[i].Text, line)
	}
	for i := range d.Denials {
		n := &d.Denials[i]
		n.Text = ""
		for _, t := range []*string{&n.Principal, &n.Action, &n.Operation, &n.Resource, &n.PolicyARN, &n.Subject, &n.Reason} {
			*t = clip(*t, line)
		}
		if len(n.Near) > line {
			n.Near = nearNothing
		}
	}
	d.Tests = boundedTests(&d, line)
	d.Also = d.Also[:min(len(d.Also), 2)]
	for i := range d.Also {
		a := &d.Also[i]
		for _, t := range []*string{&a.Phase, &a.Command, &a.Exit, &a.Message} {
			*t = clip(*t, line)
		}
	}
	d.Details = nil
	if s == Bare {
		d.MoreTests += len(d.Tests)
		d.Also, d.Tests = nil, nil
		d.Advice = ""
		for i := range d.Denials {
			n := &d.Denials[i]
			n.Principal, n.Operation, n.PolicyARN = "", "", ""
			// Whose it is, and that there is a reason, must not be lost: they withhold a grant.
			n.Subject, n.Reason = clip(n.Subject, bareWords), clip(n.Reason, bareWords)
		}
	}
	return d, false
}

// boundedTests keeps the names of the first failed tests, and counts the others.
func boundedTests(d *diagnose.Diagnosis, line int) []codebuild.TestCase {
	keep := slices.Clone(d.Tests[:min(len(d.Tests), maxKeptTests)])
	d.MoreTests += len(d.Tests) - len(keep)
	for i := range keep {
		t := &keep[i]
		for _, s := range []*string{&t.Suite, &t.Name, &t.Message, &t.At} {
			*s = clip(*s, line)
		}
	}
	return keep
}

// keptKnown keeps what is remembered of the tests that the round's diagnosis still names.
func (r *Round) keptKnown() (keep []TestHistory) {
	if r.Diagnosis == nil {
		return nil
	}
	for _, t := range r.Diagnosis.Tests {
		if h, ok := r.History(t); ok {
			keep = append(keep, h)
		}
	}
	return keep
}

// boundedSince gives what is new since the last green build at a size.
func boundedSince(c *compare.Since, s Size) *compare.Since {
	if c == nil || s == Bare {
		return nil
	}
	lines, size := compare.MaxLines, 300
	if s >= Recent {
		lines, size = 5, 100
	}
	out := c.Bounded(lines, size)
	return &out
}

// nearNothing stands for more names than are kept. No grant holds it, as each of the names would
// have to be held.
const nearNothing = "-"

// bareWords is how many bytes of a denial's words are kept where nothing else is.
const bareWords = 16

// firstDenials gives at most n denials, those that failed the build first.
func firstDenials(all []buildlog.Denial, n int) []buildlog.Denial {
	if len(all) <= n {
		return slices.Clone(all)
	}
	out := slices.Clone(all)
	slices.SortStableFunc(out, func(a, b buildlog.Denial) int {
		switch {
		case a.Causal == b.Causal:
			return 0
		case a.Causal:
			return -1
		}
		return 1
	})
	return slices.Clone(out[:n])
}

// boundedBuild keeps everything that says who asked for the build, and for what.
func boundedBuild(b codebuild.Build, s Size) codebuild.Build {
	if s == Whole {
		return b
	}
	message := 1000
	if s == Bare {
		message = 60
		b.Image, b.EncryptionKey, b.Logs = "", "", codebuild.Logs{}
	}
	b.ReportARNs = nil // read again with the build, where the diagnosis is cut
	failed, ok := b.FailedPhase()
	b.Phases = nil
	if ok {
		failed.Contexts = slices.Clone(failed.Contexts[:min(len(failed.Contexts), 2)])
		for i := range failed.Contexts {
			c := &failed.Contexts[i]
			c.Code, c.Message = clip(c.Code, 100), clip(c.Message, message)
		}
		b.Phases = []codebuild.Phase{failed}
	}
	b.Buildspec = clip(b.Buildspec, 1000)
	return b
}

// boundedDecision cuts what a decision explains, not what it decides.
func boundedDecision(d Decision, s Size) Decision {
	refusals, text := maxKeptRefusals, 4<<10
	switch {
	case s == Bare:
		refusals, text = 3, 60
	case s >= Recent:
		refusals, text = 10, 600
	}
	d.Why = clip(d.Why, text)
	var rs []guardrail.Refusal
	for _, r := range d.Refusals {
		// One refusal of every rule stays: repeats are told by their rules.
		if len(rs) >= refusals && (s == Bare || slices.ContainsFunc(rs, func(x guardrail.Refusal) bool { return x.Rule == r.Rule })) {
			d.Dropped++
			continue
		}
		r.Action, r.Resource, r.Message = clip(r.Action, text), clip(r.Resource, text), clip(r.Message, text)
		if s == Bare || len(r.Entry) > text {
			r.Entry = "" // a part of an entry is no entry
		}
		rs = append(rs, r)
	}
	if d.Refusals != nil {
		d.Refusals = append([]guardrail.Refusal{}, rs...)
	}
	if s >= Recent {
		d.Used = slices.Clone(d.Used)
		for i := range d.Used {
			d.Used[i].Because = clip(d.Used[i].Because, 200)
		}
	}
	return d
}

// boundedPlan cuts a plan that is not carried out any more. Open is whole: a
// plan that waits for its approval is known by the hash of all of its bytes.
func (r *Round) boundedPlan(p Plan, s Size, open bool) *Plan {
	if s == Whole || open && (r.Step == StepReceived || r.Step == StepDecided || r.Step == StepDone) {
		return &p
	}
	p.Proof = nil
	if p.Write != nil && !r.Written.IsZero() {
		t := *p.Write
		t.Holds = nil // read only before a write
		p.Write = &t
	}
	if s == Bare && p.Write != nil && !r.mayStand() && !open {
		t := *p.Write
		t.Before, t.After, t.Holds = "", "", nil
		p.Write = &t
	}
	return &p
}

// hashed is a short name for any text.
func hashed(s string) string {
	h := sha256.Sum256([]byte(s))
	return hex.EncodeToString(h[:12])
}

func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}

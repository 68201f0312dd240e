package notice

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/lazyregexp"
	"github.com/buildmedic/buildmedic/internal/redact"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// Bounds, so that no single text displaces the rest of a notice.
const (
	maxName     = 300 // bytes of a name or an id
	maxARN      = 800 // a role's has a path of up to 512 characters
	maxEntry    = 2000
	maxLine     = 300 // bytes of an excerpt's line
	maxDenials  = 50
	maxRefusals = 50
	maxExcerpt  = 60
	maxAlso     = 4
	maxGrants   = 50
	maxEvents   = 60
)

// id is for names, ids and ARNs from AWS and the settings. Readers copy them, so only what cannot
// belong to one is removed. Names from a log are quoted instead.
func id(s string) string {
	most := maxName
	if strings.HasPrefix(s, "arn:") {
		most = maxARN
	}
	return cut(schemeAt.ReplaceAllStringFunc(redact.Text(clean(s)), unlinkScheme), most)
}

// tell makes the notice of a view.
func tell(v *view) Notice {
	n := Notice{
		Schema:    Schema,
		ID:        id(v.ID),
		Kind:      v.Kind,
		At:        v.At.UTC(),
		Note:      prose(v.Note),
		Repeats:   v.Repeats,
		Case:      caseOf(v.Outcome),
		Proof:     []string{},
		Timeline:  []Event{},
		Refusals:  []Refusal{},
		Grants:    []Grant{},
		Changes:   []Change{},
		Commands:  commands(v),
		Orders:    orders(v.Case.Orders),
		elsewhere: elsewhere(v.Outcome),
		function:  id(v.Function),
		region:    id(v.Home.Region),
		pause:     id(v.Pause),
		to:        v.For,
	}
	if v.Kind == decide.OfIncident {
		n.aboutIncident(v)
	} else if v.ofBuild && v.Kind != decide.Paused { // a pause is about no single build
		n.aboutBuild(v)
	}
	n.Links.Commands = commandsLink(n.function, n.region)
	s := wording{v, n}
	n.Proof = s.proof()
	s.n.Proof = n.Proof
	n.certainty = s.certainty()
	n.Headline, n.Summary = s.headline(), s.summary()
	n.besides = s.besides()
	n.Lead, n.Todo = s.opening()
	n.Next, n.Then = s.next(), s.then()
	n.Permanent = permanent(n)
	return n
}

func (n *Notice) aboutBuild(v *view) {
	r := v.latest
	n.Build, n.Links = buildOf(r), links(r.Build, id(r.Retry))
	if r.OfStage() && r.Build.BatchARN != "" { // what its stage started is a batch
		n.Links.Retry = strings.Replace(n.Links.Retry, "/build/", "/batch/", 1)
	}
	if other, ok := v.anotherRole(); ok {
		n.Links.Role, n.other = roleLink(n.Links.Role, other), lastElement(id(other.ARN()))
	}
	n.Links.Commits = commitsLink(r)
	n.Links.Run = v.runURL()
	n.Changes, n.Timeline, n.Grants = changesOf(v), timeline(v), grants(v)
	n.Holders = holders(v, n.Case.Project, n.Changes)
	n.Requests, n.through, n.asked = requests(v), v.through, v.askedForGood()
	n.noted = v.Note != "" && (v.Kind == decide.Requested || v.forgone())
	if v.Kind != decide.Expiring && v.Kind != decide.MadePermanent {
		n.Failure = failureOf(r)
	}
	if v.Kind == decide.Reported || v.Kind == decide.Failed { // else nobody needs them any more
		n.Note = strings.TrimSpace(n.Note + " " + prose(r.Unread))
	}
	n.changed = slices.ContainsFunc(v.rounds, func(r decide.Round) bool { return !r.Old && !r.Written.IsZero() })
	n.approved, n.beyond = approval(v) != "", v.beyondScope
	switch v.Kind {
	case decide.Proposed:
		n.Until = utc(r.Until)
	case decide.Requested, decide.Retrying, decide.Healed, decide.Undone, decide.Failed:
		if v.Kind == decide.Undone && !v.ineffective {
			break // a person undid it, and the note says who
		}
		n.Note = strings.TrimSpace(approval(v) + " " + n.Note)
	}
	if g := r.Diagnosis; g != nil {
		n.Cause = id(g.Cause)
		n.leftOut("denials", len(toShow(g.Denials)), maxDenials, g.Dropped)
	}
	if d := r.Decision; d != nil {
		n.Mode, n.Remedy, n.Why, n.Settings, n.Plan = d.Mode, d.Remedy, prose(d.Why), id(d.Settings), v.planHash
		n.Refusals = refusals(d.Refusals)
		n.leftOut("refusals", len(d.Refusals), maxRefusals, d.Dropped)
	}
	if v.Kind == decide.Healed {
		n.Followers = followers(v)
		n.HealSeconds = int(v.timeToHeal / time.Second)
	}
}

// leftOut says how many of the things are not in the notice: of there, it shows
// at most shown, and dropped more are not in the ledger.
func (n *Notice) leftOut(things string, there, shown, dropped int) {
	if more := max(there-shown, 0) + dropped; more > 0 {
		n.Cut = append(n.Cut, fmt.Sprintf("%d of %d %s", more, there+dropped, things))
	}
}

// title is the headline after the name of the project.
func (n Notice) title() string { return n.about() + ": " + n.Headline }

// about is the project, with its account or region if that is not the healer's own, or else
// the healer itself.
func (n Notice) about() string {
	switch {
	case n.Incident != nil:
		return n.Incident.size()
	case n.Case.Project == "" || n.Kind == decide.Paused:
		return "Buildmedic"
	case n.elsewhere != "":
		return n.Case.Project + " (" + n.elsewhere + ")"
	}
	return n.Case.Project
}

// elsewhere is the project's account, or else its region, if that is not the healer's own.
func elsewhere(o decide.Outcome) string {
	switch {
	case o.Home == settings.Account{}:
		return ""
	case o.Case.Account != o.Home.ID:
		return id(o.Case.Account)
	case o.Case.Region != o.Home.Region:
		return id(o.Case.Region)
	}
	return ""
}

func caseOf(o decide.Outcome) Case {
	c := o.Case
	return Case{
		ID:      id(c.ID),
		Account: id(c.Account),
		Region:  id(c.Region),
		Project: id(c.Project),
		Owner:   id(o.OwnerOf()),
		Commit:  quote(c.Commit, maxName),
		Round:   c.Past.Rounds + min(o.Round+1, len(c.Rounds)),
		Opened:  utc(c.Opened),
		Closed:  utc(c.Closed),
	}
}

func buildOf(r decide.Round) *Build {
	b := r.Build
	out := &Build{
		ID:        id(b.ID),
		ARN:       id(b.ARN),
		Number:    b.Number,
		Source:    quote(b.SourceVersion, maxName),
		Commit:    quote(b.Commit(), maxName),
		Initiator: quote(b.Initiator, maxName),
		Ended:     utc(b.End),
		Retry:     id(r.Retry),
	}
	if role, ok := b.Role(); ok {
		out.Role = id(role.ARN())
	}
	if x := b.Action; x != nil {
		out.Action = &Action{Pipeline: id(x.Pipeline), Execution: id(x.Execution), Stage: id(x.Stage), Name: id(x.Name)}
	}
	return out
}

// commandFailed is how CodeBuild says which command failed (AWS.md#failed-command).
var commandFailed = lazyregexp.New(`(?s)^Error while executing command: (.*)\. Reason: (exit status .*|.*)$`)

func failureOf(r decide.Round) *Failure {
	f := &Failure{Denials: []Denial{}, Excerpt: []buildlog.Line{}}
	if p, ok := r.Build.FailedPhase(); ok {
		f.Phase = quote(p.Type, maxName)
		for _, c := range p.Contexts {
			if m := commandFailed.FindStringSubmatch(strings.TrimSpace(c.Message)); m != nil {
				f.Command = quote(m[1], 400)
			}
			if f.Context == "" && strings.Trim(c.String(), ": ") != "" {
				f.Context = Quote(c.String())
			}
		}
	}
	g := r.Diagnosis
	if g == nil {
		return f
	}
	f.Since = sinceOf(r)
	f.Title, f.Advice, f.Fingerprint = prose(g.Title), prose(g.Advice), id(g.Fingerprint)
	f.Line, f.Text, f.Origin = g.Evidence.Line, Quote(g.Evidence.Text), g.Evidence.Origin
	f.Denials = denials(g.Denials)
	f.Tests, f.MoreTests = testsOf(r), g.MoreTests
	excerpt := g.Excerpt[:min(len(g.Excerpt), maxExcerpt)]
	texts := make([]string, len(excerpt))
	for i, l := range excerpt {
		texts[i] = l.Text
	}
	for i, t := range quoteLines(texts, maxLine) {
		f.Excerpt = append(f.Excerpt, buildlog.Line{N: excerpt[i].N, Text: t})
	}
	for _, a := range g.Also[:min(len(g.Also), maxAlso)] {
		f.Also = append(f.Also, Also{What: quote(a.String(), maxLine), Line: a.Line})
	}
	return f
}

// denials returns those that made the build fail, as toShow has them.
func denials(all []buildlog.Denial) []Denial {
	causal := toShow(all)
	out := []Denial{}
	for _, d := range causal[:min(len(causal), maxDenials)] {
		n := Denial{
			Principal: quote(d.Principal, maxName),
			Action:    quote(d.Action, maxName),
			Resource:  quote(d.Resource, maxName),
			Effect:    d.Effect,
			Layer:     d.Layer,
			PolicyARN: quote(d.PolicyARN, maxName),
			Line:      d.Line,
			Origin:    d.Origin,
		}
		if n.Action == "" {
			n.Operation = quote(d.Operation, maxName)
		}
		out = append(out, n)
	}
	return out
}

// toShow gives the denials that made the build fail. Of a case that the ledger has from before
// denials were judged, and that does not say which, it gives all of them.
func toShow(all []buildlog.Denial) []buildlog.Denial {
	causal := slices.DeleteFunc(slices.Clone(all), func(d buildlog.Denial) bool { return !d.Causal })
	judged := slices.ContainsFunc(all, func(d buildlog.Denial) bool { return d.Verdict.Finding != "" })
	if len(causal) == 0 && !judged {
		return all
	}
	return causal
}

func refusals(all []guardrail.Refusal) []Refusal {
	out := []Refusal{}
	for _, r := range all[:min(len(all), maxRefusals)] {
		out = append(out, Refusal{Rule: guardrail.Rule(id(string(r.Rule))), Action: quote(r.Action, maxName),
			Resource: quote(r.Resource, maxName), Message: prose(r.Message), Entry: quoteBlock(r.Entry, maxEntry)})
	}
	return out
}

// grants lists the grants that allow what the notice tells of, each once: where a change waits, or
// would have been made, those of that change alone.
func grants(v *view) []Grant {
	out := []Grant{}
	for i, r := range v.rounds {
		if i < v.Round && (v.Kind == decide.Proposed || v.Kind == decide.Requested || v.observed) {
			continue
		}
		_, told := statusOf(v.Outcome, r, i)
		if r.Decision == nil || !told && i != v.Round && (v.Kind != decide.Paused || r.Old) {
			continue
		}
		for _, u := range r.Decision.Used {
			if len(out) == maxGrants {
				return out
			}
			g := Grant{ID: id(u.Grant), Because: prose(u.Because), Owner: quote(u.Owner, maxName), Evidence: u.Evidence,
				Expires: utc(u.Expires)}
			if !slices.ContainsFunc(out, func(h Grant) bool { return h.ID == g.ID }) {
				out = append(out, g)
			}
		}
	}
	return out
}

// timeline lists what happened, round by round.
func timeline(v *view) []Event {
	out := []Event{}
	add := func(at time.Time, what string) {
		if !at.IsZero() && len(out) < maxEvents {
			out = append(out, Event{at.UTC(), what})
		}
	}
	rs := v.rounds
	told := make([]bool, len(rs))
	takenBack := func(by func(time.Time) bool) { // a later round may have given it again
		for i, r := range rs {
			if !told[i] && !r.Undone.IsZero() && by(r.Undone) {
				undone := "Undone: the previous state is restored."
				if r.Permanent {
					undone = "Taken out of IAM again, since the role has it from code."
				}
				add(r.Undone, undone)
				told[i] = true
			}
		}
	}
	for i, r := range rs {
		if r.Old {
			continue
		}
		takenBack(func(undone time.Time) bool { return r.Replayed.After(undone) || r.Build.End.After(undone) })
		known := slices.ContainsFunc(rs[:i], func(e decide.Round) bool { return !e.Old && e.Build.ID == r.Build.ID })
		if !known {
			add(r.Build.End, capital(called(r.Build))+" failed"+phaseOf(r)+deniedIn(r)+".")
		}
		add(r.Replayed, "Somebody replayed the failure of "+called(r.Build)+".")
		asks := requests(&view{requests: r.Requests})
		if r.Written.IsZero() {
			for _, q := range asks {
				add(q.Seen, askedIn(q))
			}
		}
		if r.Decision != nil && r.Decision.Plan != nil {
			p := *r.Decision.Plan
			if r.Partly {
				add(r.Written, "Gave up a change that was half made.")
			} else {
				add(r.Written, did(p, r.WrittenVersion))
			}
			if r.RetryAt != (time.Time{}) {
				retry := id(r.Retry)
				if r.Build.Action != nil {
					retry = ""
				}
				add(r.RetryAt, startedAs(p, retry)+unlike(r.Differs))
			}
		}
		if i == len(rs)-1 && v.Kind == decide.Healed {
			to := r.Ended
			if to.IsZero() {
				to = v.At
			}
			add(to, "Green.")
		} else if v.Kind == decide.MadePermanent && v.Case.Outcome == decide.Healed && i == len(v.Case.Rounds)-1 {
			add(r.Ended, "Green.")
		}
		if !r.Written.IsZero() { // they are asked for once the build is green
			for _, q := range asks {
				add(q.Seen, askedIn(q))
			}
		}
	}
	takenBack(func(time.Time) bool { return true })
	return out
}

// called names a build, or the action that ran none, within a sentence.
func called(b codebuild.Build) string {
	if x := b.Action; x != nil {
		return "action " + id(x.Name) + " of pipeline " + id(x.Pipeline)
	}
	if b.OfBatch() {
		return "batch " + buildName(b)
	}
	return "build " + buildName(b)
}

func buildName(b codebuild.Build) string {
	if b.Number > 0 {
		return fmt.Sprintf("#%d", b.Number)
	}
	return id(b.ID)
}

func phaseOf(r decide.Round) string {
	p, ok := r.Build.FailedPhase()
	switch {
	case ok && p.Type == codebuild.PhaseStart:
		return ", as its build was refused a start"
	case ok:
		return " in " + quote(p.Type, maxName)
	}
	return ""
}

// deniedIn names the actions that the round's build was denied.
func deniedIn(r decide.Round) string {
	if r.Diagnosis == nil {
		return ""
	}
	if as := actions(denials(r.Diagnosis.Denials[:min(len(r.Diagnosis.Denials), maxDenials)])); len(as) > 0 {
		return ": denied " + list(as, 3)
	}
	return ""
}

// did describes what a round wrote.
func did(p decide.Plan, version string) string {
	role := lastElement(id(p.Role))
	switch {
	case p.Write != nil && p.Write.Kind == guardrail.Attach:
		return fmt.Sprintf("Attached %s to role %s.", plural(len(p.Write.Attach), "policy"), role)
	case p.Write != nil && p.Write.Kind == guardrail.Managed && version != "":
		return fmt.Sprintf("Made %s of managed policy %s its default version.", id(version),
			lastElement(id(p.Write.Name)))
	case p.Write != nil && p.Write.Kind == guardrail.Managed:
		return fmt.Sprintf("Made a new version of managed policy %s its default.", lastElement(id(p.Write.Name)))
	case p.Write != nil && p.Write.Before == "":
		return fmt.Sprintf("Wrote inline policy %s on role %s.", id(p.Write.Name), role)
	case p.Write != nil:
		return fmt.Sprintf("Extended inline policy %s on role %s.", id(p.Write.Name), role)
	case p.Repository != "":
		return fmt.Sprintf("Created the ECR repository %s.", named(id(p.Repository)))
	case p.NewRole != "":
		return fmt.Sprintf("Switched the project to role %s.", lastElement(id(p.NewRole)))
	}
	return "Changed."
}

// startedAs describes how a build was started again.
func startedAs(p decide.Plan, retry string) string {
	how := "Started the build again"
	switch p.Route {
	case decide.RouteStart:
		how = "Started a build of the same commit"
		if p.Buildspec != "" {
			how += " with buildspec " + quote(p.Buildspec, maxName)
		}
	case decide.RouteStage:
		how = "Retried the pipeline's stage"
	case decide.RouteBatch:
		how = "Retried the batch"
	case decide.RouteCodeBuild:
		how = "CodeBuild retried by itself"
	case decide.RouteJob:
		how = "GitHub ran the job again"
	}
	if retry != "" {
		how += ": " + retry
	}
	return how + "."
}

// unlike says in what a build that was started is not what it was meant to be.
func unlike(settings []string) string {
	if len(settings) == 0 {
		return ""
	}
	return " It has another " + strings.Join(settings, ", ") + "."
}

func utc(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC()
}

// actions lists the denied actions, each once.
func actions(ds []Denial) []string {
	var out []string
	for _, d := range ds {
		if a := d.Action; a != "" && !slices.Contains(out, a) {
			out = append(out, a)
		}
	}
	return out
}

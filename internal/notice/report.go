package notice

import (
	"fmt"
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/decide"
)

// width is the width of a report's sentences. Code, documents and links are never wrapped.
const width = 72

// report writes all that a notice tells as plain text, for a terminal.
type report struct{ b strings.Builder }

func (m *report) line(s string) { m.b.WriteString(strings.TrimRight(s, " ") + "\n") }

// para writes a paragraph.
func (m *report) para(s string) {
	if s == "" {
		return
	}
	for _, l := range wrap(s, width) {
		m.line(l)
	}
	m.line("")
}

// opening writes what happened, and what to do.
func (m *report) opening(n Notice) {
	m.line(n.Lead)
	m.line(n.Todo)
	m.line("")
}

// head begins a section.
func (m *report) head(title string) { m.line(strings.ToUpper(title)) }

// hang writes a sentence whose first line has a label; the rest is indented.
func (m *report) hang(label, s string) {
	if s == "" {
		return
	}
	for i, l := range wrap(s, width-len([]rune(label))) {
		if i > 0 {
			label = strings.Repeat(" ", len([]rune(label)))
		}
		m.line(label + l)
	}
}

// fact writes a labelled value.
func (m *report) fact(label, s string) { m.hang(fmt.Sprintf("  %-9s ", label), s) }

// block writes text that is to be copied, unchanged.
func (m *report) block(s string) {
	for l := range strings.Lines(strings.TrimRight(s, "\n") + "\n") {
		m.line(strings.TrimRight(l, "\n"))
	}
	m.line("")
}

// end ends a section.
func (m *report) end() { m.line("") }

// whole makes the report of a notice, the most urgent first and what is to be copied last. An
// e-mail says less: see [email].
func whole(n Notice) string {
	var m report
	m.opening(n)
	m.para(n.Summary)
	m.para(n.Note)
	m.failure(n)
	m.since(n)
	m.proof(n)
	m.done(n)
	m.followers(n.Followers)
	m.incident(n.Incident)
	m.refused(n)
	m.changes(n)
	m.requests(n)
	m.next(n)
	m.commands(n)
	m.links(n.Links)
	m.documents(n)
	m.permanent(n)
	m.ending(n)
	return m.b.String()
}

func (m *report) failure(n Notice) {
	f := n.Failure
	if f == nil {
		return
	}
	m.head("What failed")
	if b := n.Build; b != nil {
		label := "Build"
		if b.Action != nil {
			label = "Action"
		}
		m.fact(label, buildLine(n))
		if n.elsewhere != "" {
			m.fact("Account", n.Case.Account+", "+n.Case.Region)
		}
		m.fact("Role", lastElement(b.Role))
	}
	if !f.atStart() {
		m.fact("Phase", f.Phase)
	}
	m.fact("Command", f.Command)
	switch {
	case f.Text != "" && f.Line > 0:
		m.fact(fmt.Sprintf("Line %d", f.Line), f.Text)
	case f.Text != "":
		m.fact("Says", f.Text)
	case f.Command == "":
		m.fact("Says", f.Context)
	}
	for _, a := range f.Also {
		m.hang("  ", a.words())
	}
	m.end()
	m.tests(f)
	m.excerpt(n)
	if f.Title == "" {
		return
	}
	m.head("Why")
	m.hang("  ", sentence(f.Title)+" ("+n.Cause+")")
	for _, d := range f.Denials {
		m.end()
		m.denial(d)
	}
	m.end()
}

// words says what failed besides, so that nobody takes it for the cause.
func (a Also) words() string {
	if a.Line > 0 {
		return fmt.Sprintf("Also failed: %s (line %d), after the build had failed.", a.What, a.Line)
	}
	return "Also failed: " + a.What + ", after the build had failed."
}

// ofBatch reports whether what failed is a batch, and none of its builds.
func (n Notice) ofBatch() bool {
	return n.Build != nil && codebuild.Build{ID: n.Build.ID}.OfBatch()
}

// atStart reports whether the build that failed was never made: its start was refused.
func (f *Failure) atStart() bool { return f.Phase == codebuild.PhaseStart }

func buildLine(n Notice) string {
	b := n.Build
	if x := b.Action; x != nil {
		return fmt.Sprintf("%s of pipeline %s, stage %s, execution %s", x.Name, x.Pipeline, x.Stage, x.Execution)
	}
	words := []string{n.Case.Project}
	if b.Number > 0 {
		words = append(words, fmt.Sprintf("#%d", b.Number))
	} else {
		words = []string{b.ID}
	}
	s := strings.Join(words, " ")
	if b.Source != "" && b.Source != b.Commit {
		s += ", " + b.Source
	}
	if b.Commit != "" {
		s += ", commit " + shortCommit(b.Commit)
	}
	return s
}

// excerpt shows a part of the log, unless a denial already says what failed.
func (m *report) excerpt(n Notice) {
	f := n.Failure
	if len(f.Denials) > 0 || len(f.Excerpt) < 2 {
		return
	}
	m.head("The log at that point")
	digits := 1
	for _, l := range f.Excerpt {
		digits = max(digits, len(fmt.Sprint(l.N)))
	}
	for _, l := range f.Excerpt {
		m.line(fmt.Sprintf("  %*d  %s", digits, l.N, l.Text))
	}
	m.end()
}

func (m *report) denial(d Denial) {
	switch {
	case d.Action != "":
		m.fact("Denied", d.Action)
	case d.Operation != "":
		m.fact("Denied", "the operation "+d.Operation)
	default:
		m.fact("Denied", "an action that the message does not name")
	}
	switch {
	case d.Resource != "":
		m.fact("on", d.Resource)
	default:
		m.fact("on", "a resource that the message does not name")
	}
	m.fact("because", layerWords(d))
	m.fact("policy", d.PolicyARN)
}

func (m *report) proof(n Notice) {
	if len(n.Proof) == 0 {
		return
	}
	m.head("How certain this is")
	for _, p := range n.Proof {
		m.hang("  * ", p)
	}
	m.end()
}

// done lists what was done, unless the build's failure is all that happened.
func (m *report) done(n Notice) {
	if len(n.Timeline) < 2 {
		return
	}
	day := n.Timeline[0].At.Format("2006-01-02")
	m.head("What was done")
	m.line("  " + day + ", UTC")
	for _, e := range n.Timeline {
		if d := e.At.Format("2006-01-02"); d != day {
			day = d
			m.line("  " + day)
		}
		m.hang("  "+e.At.Format("15:04:05")+"  ", e.What)
	}
	m.end()
	for _, g := range n.Grants {
		m.grant(g)
	}
	if len(n.Grants) > 0 {
		m.end()
	}
}

func (m *report) grant(g Grant) {
	s := "Allowed by grant " + g.ID
	if g.Owner != "" {
		s += " of " + g.Owner
	}
	if g.Because != "" {
		s += ": " + sentence(g.Because)
	}
	m.hang("  ", s)
}

func (m *report) refused(n Notice) {
	if len(n.Refusals) == 0 {
		return
	}
	m.head("Why nothing was granted")
	told := map[string]bool{}
	for i, r := range n.Refusals {
		what := r.Action
		if r.Resource != "" {
			what += " on " + r.Resource
		}
		if what = strings.TrimSpace(what); what != "" {
			what += ": "
		}
		m.hang(fmt.Sprintf("  %d. ", i+1), what+sentence(r.Message)+" (rule "+string(r.Rule)+")")
		m.end()
		if r.Entry == "" || told[r.Entry] {
			continue
		}
		told[r.Entry] = true
		m.hang("  ", "This entry in buildmedic.yaml would allow it:")
		m.end()
		m.block(r.Entry)
	}
}

// changeHeads are the titles of the changes by status, in the order of printing.
var changeHeads = []struct {
	status Status
	title  string
}{
	{TakenBack, "What was undone"}, {TakenOut, "What was taken out of IAM again"}, {Done, "What was changed"},
	{Partly, "What was changed in part"}, {WaitsFor, "What is proposed"}, {AskedFor, "What is asked for"},
	{WouldBe, "What would have been done"}, {WasPlanned, "What was planned but not done"},
}

func (m *report) changes(n Notice) {
	for _, h := range changeHeads {
		first := true
		for _, c := range n.Changes {
			if c.Status != h.status {
				continue
			}
			if first {
				m.head(h.title)
				first = false
			}
			m.hang("  ", c.words())
			if diff := c.difference(); len(diff) > 0 {
				m.end()
				for _, l := range diff {
					m.line("  " + l)
				}
			}
			m.end()
		}
	}
	if n.Holders != nil {
		m.hang("  ", n.Holders.Says)
		m.end()
	}
	if len(n.Timeline) >= 2 {
		return // the timeline shows the rest
	}
	if n.Then != "" {
		if len(n.Changes) == 0 {
			if n.Kind == decide.Proposed {
				m.head("What is proposed")
			} else {
				m.head("What would have been done")
			}
		}
		m.hang("  ", n.Then)
		m.end()
	}
	for _, g := range n.Grants {
		m.grant(g)
	}
	if len(n.Grants) > 0 {
		m.end()
	}
}

// words names what was changed.
func (c Change) words() string {
	role := lastElement(c.Role)
	switch c.What {
	case InlinePolicy:
		if c.fresh && !c.gone() {
			return fmt.Sprintf("New inline policy %s on role %s:", c.Name, role)
		}
		return fmt.Sprintf("Inline policy %s on role %s:", c.Name, role)
	case ManagedPolicy:
		return fmt.Sprintf("Managed policy %s of role %s%s:", lastElement(c.Name), role, instead(c.After, c.Before))
	case AttachedPolicies:
		return fmt.Sprintf("Managed policies of role %s:", role)
	case PolicyInCode:
		return fmt.Sprintf("Policy of role %s, in %s:", role, c.Name)
	case Repository:
		return fmt.Sprintf("ECR repository %s.", named(c.Name))
	case Buildspec:
		return fmt.Sprintf("The build's buildspec: %s.", c.Name)
	}
	return fmt.Sprintf("The project's service role: %s in place of %s.", c.After, c.Before)
}

func instead(now, before string) string {
	switch {
	case now != "" && before != "":
		return ", " + now + " in place of " + before
	case before != "":
		return ", a new version in place of " + before
	case now != "":
		return ", " + now
	}
	return ""
}

func (m *report) next(n Notice) {
	if len(n.Next) == 0 {
		return
	}
	m.head("What happens next")
	for _, s := range n.Next {
		m.hang("  ", s)
	}
	m.end()
}

// commandHeads are the titles of the commands whose line is shown.
var commandHeads = map[string]string{"approve": "To approve", "reject": "To reject", "undo": "To undo",
	"resume": "To resume", "replay": "To replay this failure"}

func (m *report) commands(n Notice) {
	var payloads, lines []string
	for _, c := range n.Commands {
		title := commandHeads[c.Name]
		if c.Name == "resume" && n.Kind == decide.Undone {
			title = "To let it be given again"
		}
		switch {
		case title != "":
			m.head(title)
			m.end()
			m.block(c.Line)
		case !strings.HasPrefix(c.Line, "printf "):
			lines = append(lines, c.Line)
		default:
			payloads = append(payloads, string(c.Payload))
		}
	}
	if len(payloads) > 0 {
		m.hang("  ", "Other payloads: "+strings.Join(payloads, " "))
		m.end()
	}
	if len(lines) > 0 {
		m.hang("  ", "Also: "+strings.Join(lines, "; "))
		m.end()
	}
}

func (m *report) links(l Links) {
	if l == (Links{}) {
		return
	}
	m.head("Links")
	for _, x := range [][2]string{{"Build", l.Build}, {"Retry", l.Retry}, {"Pipeline", l.Pipeline},
		{"Log", l.Log}, {"Role", l.Role}, {"Commits", l.Commits}, {"Run", l.Run}} {
		m.fact(x[0], x[1])
	}
	m.end()
}

// policyState says of when a whole policy is.
var policyState = map[Status]string{
	Done: "now", TakenBack: "after the undo", WaitsFor: "as it will be", WouldBe: "as it would be",
	WasPlanned: "as it would be", Partly: "as it would be",
}

// documents prints the whole policies.
func (m *report) documents(n Notice) {
	for _, c := range n.Changes {
		if c.What != InlinePolicy && c.What != ManagedPolicy {
			continue
		}
		if len(c.Document) == 0 {
			if c.Status == TakenBack && len(c.removed) > 0 {
				m.para("Policy " + lastElement(c.Name) + " was removed: there was none before.")
			}
			continue
		}
		m.head("The whole policy " + policyState[c.Status])
		m.hang("  ", lastElement(c.Name)+", ready to be committed, for example as "+policyFile+":")
		m.end()
		m.block(pretty(c.Document))
	}
}

func (m *report) permanent(n Notice) {
	if len(n.Permanent) == 0 {
		return
	}
	if slices.ContainsFunc(n.Changes, func(c Change) bool { return c.Status == Done }) {
		m.head("To make it permanent")
	} else {
		m.head("To do it in your own code")
	}
	m.end()
	for _, s := range n.Permanent {
		m.line(s.For + ":")
		m.end()
		m.block(s.Text)
	}
}

func (m *report) ending(n Notice) {
	for _, c := range n.Cut {
		m.para("Left out, since SNS limits a notice to 256 KiB: " + c + ".")
	}
	m.line("-- ")
	words := []string{"Buildmedic"}
	if n.Case.ID != "" {
		words = append(words, "case "+n.Case.ID)
	}
	words = append(words, "notice "+n.ID)
	for _, h := range [][2]string{{"settings ", n.Settings}, {"plan ", n.Plan}} {
		if h[1] != "" {
			words = append(words, h[0]+firstOf(h[1], 12))
		}
	}
	m.hang("", strings.Join(words, ", "))
}

// subject is the e-mail's subject: printable ASCII, shorter than SNS's 100
// characters (AWS.md#sns).
func subject(kind decide.Kind, title string) string {
	return asciiLine("[" + string(kind) + "] " + title)
}

// asciiLine makes a subject of s.
func asciiLine(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r < ' ' || r > '~' {
			r = '?'
		}
		b.WriteRune(r)
	}
	s = b.String()
	if len(s) <= maxSubject {
		return s
	}
	s = s[:maxSubject-3]
	if i := strings.LastIndex(s, ", "); i > maxSubject*2/3 {
		s = s[:i]
	} else if i := strings.LastIndexByte(s, ' '); i > maxSubject/2 {
		s = s[:i]
	}
	return strings.TrimRight(s, " ,:;") + "..."
}

const maxSubject = 99

// layerWords says which policy refused.
func layerWords(d Denial) string {
	name, ok := layers[d.Layer]
	switch {
	case ok && d.Effect == buildlog.Explicit:
		return article(name) + " denies it"
	case ok:
		return "no " + name + " allows it"
	case d.Effect == buildlog.Explicit:
		return "a policy denies it; the message does not say which"
	}
	return "the message does not say which policy refuses"
}

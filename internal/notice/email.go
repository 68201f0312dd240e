package notice

import (
	"fmt"
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/guardrail"
)

// Bounds of a build's texts in a mail, in bytes. The report and the notice for programs have more.
const (
	mailName   = 120 // an action, a resource, the name of a test
	mailText   = 240 // a line of a log, a command
	mailReason = 400
	mailNote   = 800 // what no other place tells
)

// noteRows are the most rows of what no other place tells.
const noteRows = 14

// email makes the plain text of a notice: what happened to what, the difference and what to do on
// a phone's first screen, then the rest as far as there is room. What a build can choose to print
// stands below all that an approval decides on, but for the names of resources: see [named].
func email(n Notice) string {
	s := n.screen()
	l := letter{first: s.lines, rest: n.whereWhole(), foot: n.foot()}
	if n.Note != "" {
		l.add("a remark", fitRows(cut(n.Note, mailNote), noteRows))
		l.keepLast()
	}
	early := n.Kind == decide.Proposed || n.Kind == decide.Requested // somebody decides by it
	if early {
		n.mailDifference(&l, s)
	}
	if n.Kind == decide.Requested {
		n.mailRequests(&l, s)
	}
	n.mailChanges(&l, s)
	n.mailReasons(&l)
	if n.Kind != decide.Requested {
		n.mailRequests(&l, s)
	}
	n.mailCommands(&l, s)
	n.mailAdvice(&l)
	if n.Failure != nil {
		n.Failure.mailTests(&l)
		n.Failure.mailSince(&l)
	}
	n.mailWhy(&l)
	if !early {
		n.mailDifference(&l, s)
	}
	n.mailFollowers(&l)
	n.mailIncident(&l)
	n.mailPlaces(&l, s)
	return l.text()
}

// act is what a person does about a notice: a page to open, and what to paste there.
type act struct {
	todo  string
	link  string
	paste []string
}

// acts are ways to act, the best first; a later one has a shorter address.
func (n Notice) acts() []act {
	if n.Kind == decide.Proposed || n.Kind == decide.Paused {
		paste := n.paste("approve", "reject", "resume")
		todo := n.Todo + " " + capital(n.how(len(paste)))
		if n.Kind == decide.Proposed {
			todo = "To approve or reject, " + n.how(len(paste))
		}
		return []act{{todo, n.page(), paste}}
	}
	as := n.requestActs()
	add := func(what, link string) {
		if link != "" {
			as = append(as, act{todo: n.Todo + " " + what + ":", link: link})
		}
	}
	switch n.Kind {
	case decide.Requested:
	case decide.MadePermanent:
		if len(as) == 0 {
			add("The role", n.Links.Role)
		}
	case decide.Healed, decide.Retrying, decide.Failed:
		add("The new build", n.Links.Retry)
	case decide.Expiring:
		add("The role", n.Links.Role)
	default:
		if n.Links.Run != "" {
			add("The run", n.Links.Run)
			break
		}
		add("The log", n.Links.Log)
	}
	switch {
	case len(as) > 0:
	case n.ofBatch():
		add("The batch", n.Links.Build)
	default:
		add("The build", n.Links.Build)
		add("The pipeline", n.Links.Pipeline)
	}
	if page, paste := n.page(), n.paste("status"); page != "" && len(paste) > 0 {
		more := " All about it: "
		if n.Kind == decide.Requested { // its first screen is full
			more = " More: "
		}
		as = append(as, act{n.Todo + more + "paste the line below here, press Test:", page, paste})
	}
	if len(as) == 0 {
		as = append(as, act{todo: n.Todo})
	}
	return as
}

// page is where lines are pasted; "" at a desk, and where AWS has no such page.
func (n Notice) page() string {
	if !n.deployed() {
		return ""
	}
	return n.Links.Commands
}

// how says how lines are sent to the function.
func (n Notice) how(lines int) string {
	what := "the line"
	if lines > 1 {
		what = "a line"
	}
	switch {
	case !n.deployed():
		return "run:"
	case n.page() == "":
		return "send the function " + what + " below:"
	}
	return "open this page, paste " + what + " below it, press Test:"
}

// deployed reports whether the notice is of a function, which takes payloads.
func (n Notice) deployed() bool { return n.function != "" }

// paste are the lines that give these commands: payloads, or at a desk command lines.
func (n Notice) paste(names ...string) (out []string) {
	for _, c := range n.Commands {
		switch {
		case !slices.Contains(names, c.Name):
		case n.deployed():
			out = append(out, string(c.Payload))
		default:
			out = append(out, c.Line)
		}
	}
	return out
}

// screen is a phone's first screen.
type screen struct {
	lines []string
	act   act
	exact bool // it tells all of the difference
	short bool // names are shortened
}

// screen chooses the most detailed form that is short enough.
func (n Notice) screen() screen {
	acts := n.acts()
	for _, d := range []detail{exactly, counted, summedUp} {
		for _, a := range acts {
			facts, exact, ok := n.facts(d, false)
			for _, airy := range []bool{true, false} {
				lines := a.under(n.Lead, facts, airy)
				if ok && rowsOf(lines) <= firstRows {
					return screen{append(lines, a.paste...), a, exact, false}
				}
			}
		}
	}
	a := acts[len(acts)-1]
	facts, exact, _ := n.facts(summedUp, true)
	lead := n.Lead
	if p := n.Case.Project; p != "" {
		most := phone - 1
		if n.certainty != "" { // which takes a row; the account stands beside it then
			most -= len(" (444455556666)")
		}
		lead = strings.Replace(lead, p, middle(p, most), 1)
	}
	return screen{append(a.under(fitRows(lead, 3), facts, false), a.paste...), a, exact, true}
}

// under puts the lines in their order.
func (a act) under(lead string, facts []string, airy bool) []string {
	out := []string{lead}
	if airy && len(facts) > 0 {
		out = append(out, "")
	}
	out = append(out, facts...)
	if airy {
		out = append(out, "")
	}
	out = append(out, a.todo)
	if a.link != "" {
		out = append(out, a.link)
	}
	return out
}

// facts are what stands between the result and what to do: the difference, with its role, with how
// certain it is that a change which waits is needed, and with who allows it, or else what failed.
// exact reports whether the difference is whole, ok whether it is short enough.
func (n Notice) facts(d detail, short bool) (lines []string, exact, ok bool) {
	name := func(s string, most int) string {
		if short {
			return middle(s, most)
		}
		return s
	}
	changes, _ := n.deciding()
	if len(changes) == 0 {
		return n.failed(d), true, true
	}
	var roles []string
	for _, c := range changes {
		if r := lastElement(c.Role); r != "" && !slices.Contains(roles, r) {
			roles = append(roles, r)
			whose := n.whose(r)
			lines = append(lines, "Role: "+name(r, phone-len("Role: ")-len(whose))+whose)
		}
	}
	exact = true
	switch changes[0].Status {
	case Partly:
		lines = append(lines, "Changed in part:")
	case WasPlanned:
		lines = append(lines, "Planned, but not done:")
	}
	var difference []string
	for _, c := range changes {
		what, all := c.brief(d)
		difference, exact = append(difference, what...), exact && all
	}
	if n := len(difference); n > maxBrief && d < summedUp {
		return nil, false, false
	} else if n > maxBrief {
		difference = append(difference[:maxBrief-1], "and "+plural(n-maxBrief+1, "more line"))
		exact = false
	}
	for _, l := range difference {
		if s := fitRows(l, max(1, 3/len(difference))); short && s != l {
			l, exact = s, false
		}
		lines = append(lines, l)
	}
	if n.certainty != "" {
		lines = append(lines, n.certainty)
	}
	if len(n.Grants) > 0 && (!short || n.Kind == decide.Proposed || n.Kind == decide.Requested) {
		g := n.Grants[0]
		by := "Allowed by: grant " + name(g.ID, phone/2)
		if g.Owner != "" {
			by += " of " + name(g.Owner, phone/2)
		}
		if more := len(n.Grants) - 1; more > 0 {
			by += ", and " + thousands(more) + " more"
		}
		lines = append(lines, by)
	}
	return lines, exact, true
}

// failed is what failed, of a notice that is about nothing else.
func (n Notice) failed(d detail) (lines []string) {
	f := n.Failure
	if f == nil || n.Kind != decide.Reported && n.Kind != decide.Failed && n.Kind != decide.OfIncident {
		return nil
	}
	most := mailName
	if d == summedUp {
		most = phone
	}
	switch {
	case len(n.Refusals) > 0 && n.Refusals[0].Action != "":
		r := n.Refusals[0]
		return []string{deniedWords(r.Action, r.Resource, most, len(n.refused())-1)}
	case len(f.Denials) > 0:
		x := f.Denials[0]
		return []string{deniedWords(x.name(), x.Resource, most, len(f.Denials)-1)}
	case len(f.Tests) > 0:
		const named = 3
		for _, t := range f.Tests[:min(len(f.Tests), named)] {
			lines = append(lines, "Failed: "+middle(t.name(), most-len("Failed: ")))
		}
		if more := f.failedTests() - len(lines); more > 0 {
			lines = append(lines, "and "+plural(more, "more test"))
		}
		return lines
	case f.Text != "":
		return []string{f.where() + ": “" + middle(f.Text, most) + "”"}
	case f.Context != "":
		return []string{"CodeBuild says: “" + middle(f.Context, most) + "”"}
	}
	return nil
}

// refused are the actions and resources that were refused, each once.
func (n Notice) refused() (out []string) {
	for _, r := range n.Refusals {
		if what := r.Action + " on " + r.Resource; r.Action != "" && !slices.Contains(out, what) {
			out = append(out, what)
		}
	}
	return out
}

func deniedWords(action, resource string, most, more int) string {
	s := "Denied: " + middle(action, most)
	if resource != "" {
		s += " on " + middle(resource, most)
	}
	if more > 0 {
		s += ", and " + thousands(more) + " more"
	}
	return s
}

// name is what was denied.
func (d Denial) name() string {
	switch {
	case d.Action != "":
		return d.Action
	case d.Operation != "":
		return "the operation " + d.Operation
	}
	return "an action that the message does not name"
}

// where is the place of the text.
func (f *Failure) where() string {
	switch {
	case f.Line > 0:
		return fmt.Sprintf("Line %d of the log", f.Line)
	case f.Origin == buildlog.FromPhase:
		return "CodeBuild says"
	case f.Origin == buildlog.FromStack:
		return "CloudFormation says"
	}
	return "It says"
}

// roleInHand is the role that is changed, else the build's.
func (n Notice) roleInHand() string {
	changes, _ := n.deciding()
	for _, c := range changes {
		if c.Role != "" {
			return c.Role
		}
	}
	return n.Build.Role
}

// whose says of the role what its name does not: whose it is, or for whom a change that waits would be.
func (n Notice) whose(role string) string {
	switch {
	case n.beyond:
		return ", all its projects"
	case n.other == role:
		return ", not the build's"
	}
	return ""
}

// mailDifference tells what of the difference the first screen left out.
func (n Notice) mailDifference(l *letter, s screen) {
	l.apart()
	if s.short {
		l.add("the whole names", "Project: "+n.Case.Project)
		if n.Build != nil {
			l.add("the whole names", "Role: "+lastElement(n.roleInHand()))
		}
	}
	changes, _ := n.deciding()
	for _, c := range changes {
		if s.exact {
			break
		}
		lines, _ := c.brief(exactly)
		l.add("each action and resource", append([]string{"The whole difference:"}, lines...)...)
	}
}

// mailChanges tells what else belongs to the changes.
func (n Notice) mailChanges(l *letter, s screen) {
	changes, others := n.deciding()
	for _, c := range others {
		l.apart()
		lines, _ := c.brief(exactly)
		for _, h := range changeHeads {
			if h.status == c.Status {
				l.add("other changes", append([]string{h.title + ":"}, lines...)...)
			}
		}
	}
	l.apart()
	if n.Holders != nil {
		l.add("who else has it", n.Holders.Says)
	}
	if len(n.Timeline) < 2 {
		l.add("what follows", n.Then)
	}
	for i, g := range n.Grants {
		what := "Grant " + g.ID
		if i > 0 || s.short {
			what += " of " + g.Owner
		}
		if g.Because != "" {
			l.add("why a grant is there", what+": "+sentence(cut(g.Because, mailReason)))
		}
	}
	for _, c := range slices.Concat(changes, others) {
		if c.What == InlinePolicy || c.What == ManagedPolicy {
			l.add("which policy", c.policyWords())
		}
	}
}

// policyWords names a policy, and what of it stays.
func (c Change) policyWords() string {
	s := "Policy: " + lastElement(c.Name)
	switch {
	case c.What == ManagedPolicy:
		s += instead(c.After, c.Before)
	case c.fresh && !c.gone():
		s += ", a new one"
	}
	switch {
	case c.Kept > 0:
		s += "; " + plural(c.Kept, "statement") + " unchanged"
	case c.Status == TakenBack && len(c.Document) == 0 && len(c.removed) > 0:
		s += " was removed: there was none before"
	}
	return s + "."
}

// mailReasons tells why nothing was granted, and what would allow it.
func (n Notice) mailReasons(l *letter) {
	told := map[string]bool{}
	for i, r := range n.Refusals {
		l.apart()
		s := sentence(cut(r.Message, mailReason)) + " (" + string(r.Rule) + ")"
		if i > 0 && r.Action != "" {
			s = deniedWords(r.Action, r.Resource, mailName, 0) + ": " + s
		}
		l.add("reasons", s)
		if r.Entry != "" && !told[r.Entry] {
			told[r.Entry] = true
			l.apart()
			l.add("the entry for buildmedic.yaml", append([]string{"This entry in buildmedic.yaml would allow it:"},
				strings.Split(strings.TrimRight(r.Entry, "\n"), "\n")...)...)
		}
	}
}

// commandWords says what a command does that a mail offers beside its act; "" for others.
func commandWords(name string) string {
	switch name {
	case "undo":
		return "undo it"
	case "replay":
		return "replay this failure"
	case "resume":
		return "let it be given again"
	}
	return ""
}

// mailCommands offers what else can be done.
func (n Notice) mailCommands(l *letter, s screen) {
	var what, names []string
	for _, c := range n.Commands {
		if w := commandWords(c.Name); w != "" && n.Kind != decide.Paused && !slices.Contains(names, c.Name) {
			what, names = append(what, w), append(names, c.Name)
		}
	}
	lines := n.paste(names...)
	if len(lines) == 0 {
		return
	}
	head := "To " + strings.Join(what, ", or to ")
	switch {
	case n.deployed() && n.page() == s.act.link:
		head += ", paste there:"
	default:
		head += ", " + n.how(len(lines))
	}
	if n.page() != "" && n.page() != s.act.link {
		lines = append([]string{n.page()}, lines...)
	}
	l.apart()
	l.add("how to "+strings.Join(what, " or "), append([]string{head}, lines...)...)
}

// mailAdvice tells what a person should know before the next step.
func (n Notice) mailAdvice(l *letter) {
	l.apart()
	l.add("what happened", n.besides)
	for _, s := range n.Next {
		said := s == makePermanent && n.Kind == decide.Healed
		if !said && !slices.Contains([]string{caseClosed, runsAgain, stageAgain, nothingHappens, untilApproved, addEntry}, s) {
			l.add("advice", s)
		}
	}
}

// mailTests names the failed tests.
func (f *Failure) mailTests(l *letter) {
	var items []string
	for _, t := range f.Tests {
		t.Suite, t.Name, t.Message, t.At = middle(t.Suite, mailName), middle(t.Name, mailName), middle(t.Message, mailName),
			middle(t.At, mailName)
		items = append(items, "* "+t.words())
	}
	l.list("failed tests", fmt.Sprintf("Failed tests (%s):", thousands(f.failedTests())), items, f.MoreTests)
}

// mailSince shows what is new since the last green build.
func (f *Failure) mailSince(l *letter) {
	s := f.Since
	if s == nil {
		return
	}
	var lines, changes []string
	for _, x := range s.Lines {
		lines = append(lines, fmt.Sprintf("%d: %s%s", x.N, middle(x.Text, mailText), timesPrinted(x.Times)))
	}
	for _, c := range s.Changes {
		changes = append(changes, "* "+middle(change(c), mailText))
	}
	if len(lines) == 0 {
		l.add("what is new since the last green build", s.Says)
	}
	l.list("the new lines", s.Says, lines, s.More)
	l.list("what else is different", "Different from "+s.name()+":", changes, 0)
}

// mailFollowers names the other builds that the change cured.
func (n Notice) mailFollowers(l *letter) {
	f := n.Followers
	if f == nil {
		return
	}
	rank := map[decide.Kind]int{decide.Healed: 2, "": 1} // those that failed again come first
	order := func(a, b Follower) int { return rank[a.Outcome] - rank[b.Outcome] }
	var items []string
	for _, one := range slices.SortedStableFunc(slices.Values(f.Named), order) {
		one.Build = middle(one.Build, 2*phone)
		items = append(items, one.line())
	}
	if l.list("the other builds", "The other builds:", items, f.Builds-len(f.Named)); len(items) > 0 {
		l.keepLast()
	}
}

// mailWhy tells why the build failed, and how certain that is.
func (n Notice) mailWhy(l *letter) {
	f := n.Failure
	if f == nil {
		return
	}
	l.apart()
	shown := len(n.Refusals) > 0 || len(n.Changes) == 0 // on the first screen
	for i, d := range f.Denials {
		s := deniedWords(d.name(), d.Resource, mailName, 0) + ": " + layerWords(d)
		if i == 0 && shown {
			s = capital(layerWords(d))
		}
		if d.PolicyARN != "" {
			s += " (" + d.PolicyARN + ")"
		}
		if i == 0 && slices.ContainsFunc(n.Refusals, func(r Refusal) bool { return r.Rule == guardrail.OtherLayer }) {
			continue // it said so
		}
		l.add("what was denied", sentence(s))
	}
	if len(f.Denials) == 0 && f.Text != "" && (len(n.Changes) > 0 || n.Kind == decide.Healed || n.Kind == decide.Retrying) {
		l.add("the log's line", f.where()+": “"+middle(f.Text, mailText)+"”")
	}
	l.add("how certain this is", strings.Join(n.Proof, " "))
	if n.Build != nil {
		s := "Build " + buildLine(n)
		switch {
		case n.Build.Action != nil:
			s = "Action " + buildLine(n)
		case n.ofBatch():
			s = "Batch " + buildLine(n)
		}
		if f.Phase != "" && !f.atStart() {
			s += ": " + f.Phase + " failed"
		}
		l.add("which build it was", s+".")
	}
	if f.Command != "" {
		l.add("the command", "Command: "+middle(f.Command, mailText))
	}
	for _, a := range f.Also {
		l.add("what failed besides", middle(a.words(), mailText))
	}
	if n.Cause != "" && n.Cause != "unknown" {
		l.add("the cause", "Cause: "+n.Cause)
	}
}

// mailPlaces tells where to look, and how to act without a browser.
func (n Notice) mailPlaces(l *letter, s screen) {
	l.apart()
	for _, c := range n.Changes {
		if n.Kind != decide.Undone && !c.gone() && !n.asked && (c.What == InlinePolicy || c.What == ManagedPolicy) {
			l.add("how to print it as code", "As code for CDK (or -terraform): buildmedic policy -role "+
				shellWord(strings.TrimPrefix(resourceOf(c.Role), "role/"))+" -name "+shellWord(lastElement(c.Name))+" -cdk")
			break
		}
	}
	l.apart()
	for _, x := range [][2]string{{"Log", n.Links.Log}, {"Build", n.Links.Build}, {"New build", n.Links.Retry},
		{"Pipeline", n.Links.Pipeline}, {"Commits", n.Links.Commits}, {"Run", n.Links.Run}, {"Role", n.Links.Role}} {
		if x[1] != "" && x[1] != s.act.link {
			l.add("links", x[0]+":", x[1])
		}
	}
	if !n.deployed() {
		return
	}
	for _, c := range n.Commands {
		if commandHeads[c.Name] != "" {
			l.add("the command line", "With the AWS CLI: "+oneLine(c.Line))
			break
		}
	}
}

// whereWhole says where the whole case is. That has all but the remark and the other builds, which a
// mail never leaves out.
func (n Notice) whereWhole() string {
	switch paste := n.paste("status"); {
	case len(paste) == 0:
		return ""
	case !n.deployed():
		return "The whole case: " + paste[0]
	default:
		return "The whole case: " + paste[0] + " or buildmedic show " + n.Case.ID
	}
}

// foot identifies the notice.
func (n Notice) foot() string { return "Buildmedic, notice " + n.ID }

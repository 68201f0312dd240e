package notice

import (
	"fmt"
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

// PolicyFile is what a pull request changes in the file that owns a role's policy.
type PolicyFile struct {
	Path  string
	Grant string // that it is asked for by
	New   bool   // it is not there yet
	Added []iampolicy.Statement
	More  int // cases that ask for it, besides those that the text is made of
}

// Bounds of a pull request: those of CodeCommit, the narrower ones (AWS.md#codecommit), with room for
// what is put behind the body.
const (
	maxPullTitle  = 150
	maxPullBody   = 10000
	maxPullLines  = 60
	maxPullBuilds = 5    // that failed, told one by one
	maxPullFailed = 5000 // bytes, about, of what is told of them
	maxPullSaid   = 12   // sentences that prove it
)

// PullRequestOf is a pull request's title and its body, in Markdown: what failed, what would allow
// it, who has consented to that, and how well it is proved. os are the cases that ask for it, at least
// one, the newest first. The text is a function of the arguments alone, so it can be compared with what
// was written before. Nothing of a build's log, nor of a file, leaves a code span or a fence. Nor is it
// a mention or a word that closes an issue where it is shown as plain text, as when the request's text
// becomes a commit's message.
func PullRequestOf(f PolicyFile, os ...decide.Outcome) (title, body string) {
	var cases []pullCase
	for _, o := range os {
		v := newView(withheld(o))
		cases = append(cases, pullCase{v, tell(v)})
	}
	p := pull{PolicyFile: f, cases: cases, many: len(os)+f.More > 1}
	project := cases[0].n.Case.Project
	if p.many {
		p.put("%s of project %s failed for want of a permission that the settings let them have.\n",
			plural(len(os)+f.More, "build"), inertSpan(project))
	} else {
		p.put("A build of project %s failed for want of a permission that the settings let it have.\n", inertSpan(project))
	}
	p.failed()
	p.allows()
	p.consented()
	p.certain()
	p.ending()
	return pullTitle(cases[0].n, f), cutPull(p.String())
}

// pull is a pull request's body in the making.
type pull struct {
	PolicyFile
	strings.Builder
	cases []pullCase
	many  bool
}

// pullCase is a case that a pull request is for.
type pullCase struct {
	v *view
	n Notice
}

func (p *pull) put(format string, args ...any) { fmt.Fprintf(p, format+"\n", args...) }

// each puts what is said of the cases, each line once and at most so many.
func (p *pull) each(most int, lines func(pullCase) []string) {
	var said []string
	for _, c := range p.cases {
		for _, l := range lines(c) {
			if !slices.Contains(said, l) {
				said = append(said, l)
			}
		}
	}
	for _, l := range said[:min(len(said), most)] {
		p.put("%s", l)
	}
}

func (p *pull) failed() {
	p.put("**What failed**\n")
	shown, from := 0, p.Len()
	for _, c := range p.cases[:min(len(p.cases), maxPullBuilds)] {
		lines := c.failure()
		if p.many {
			for i := range lines[1:] {
				lines[i+1] = "  " + lines[i+1]
			}
		}
		text := strings.Join(lines, "\n")
		if shown > 0 && p.Len()-from+len(text) > maxPullFailed {
			break
		}
		shown++
		p.put("%s", text)
	}
	if more := len(p.cases) - shown + p.More; more > 0 {
		p.put("- %s", plural(more, "more build"))
	}
	p.each(maxPullBuilds, func(c pullCase) []string {
		other, ok := c.v.anotherRole()
		if !ok {
			return nil
		}
		return []string{fmt.Sprintf("\nIt was role %s that was denied, with which the project deploys, and not the role of its builds.",
			inertSpan(id(other.Name)))}
	})
}

func (p *pull) allows() {
	what := "Added to " + inertSpan(p.Path) + "; all that is in it stays as it is."
	if p.New {
		what = "In the new file " + inertSpan(p.Path) + ", which must be deployed as a policy of the role."
	}
	p.put("\n**What this allows**\n\n%s\n\n```diff", what)
	lines := differenceOf(p.Added)
	for _, l := range lines[:min(len(lines), maxPullLines)] {
		p.put("%s", l)
	}
	p.put("```")
	if more := len(lines) - maxPullLines; more > 0 {
		p.put("\n%s more; the request's own difference has all.", plural(more, "line"))
	}
}

func (p *pull) consented() {
	p.put("\n**Who has consented**\n")
	p.each(maxPullBuilds, func(c pullCase) (out []string) {
		for _, g := range c.n.Grants {
			if g.ID != id(p.Grant) {
				continue
			}
			s := "- Grant " + inertSpan(g.ID)
			if g.Owner != "" {
				s += " of " + inertSpan(g.Owner) + ", who should review this"
			}
			if g.Because != "" {
				s += ": " + inertSpan(sentence(g.Because))
			}
			out = append(out, s)
		}
		return out
	})
}

func (p *pull) certain() {
	if slices.ContainsFunc(p.cases, func(c pullCase) bool { return len(c.n.Proof) > 0 }) {
		p.put("\n**How certain this is**\n")
	}
	p.each(maxPullSaid, func(c pullCase) (out []string) {
		_, line := wording{c.v, c.n}.place()
		for _, s := range c.n.Proof {
			if rest, ok := strings.CutPrefix(s, lineOfLog(line)); ok && p.many { // which line it is stands with the build
				s = "A build's log" + rest
			}
			out = append(out, "- "+prosaic(s))
		}
		return out
	})
}

// ending names the cases, and says what becomes of them.
func (p *pull) ending() {
	var ids []string
	starts, green := false, 0
	for _, c := range p.cases {
		if c.n.Case.ID != "" {
			ids = append(ids, inertSpan(c.n.Case.ID))
			if c.bridges() {
				green++
			} else {
				starts = starts || c.v.plan.Route != decide.RouteNone
			}
		}
	}
	shown := min(len(ids), maxPullBuilds)
	switch more := len(ids) - shown + p.More; {
	case len(ids) == 0:
	case more > 0:
		p.put("\nCases %s and %d more.", strings.Join(ids[:shown], ", "), more)
	case shown > 1:
		p.put("\nCases %s.", strings.Join(ids, ", "))
	default:
		p.put("\nCase %s.", ids[0])
	}
	if green > 0 && green == len(ids) {
		p.bridged()
		return
	}
	p.put("\nOnce it is merged and deployed, %s. Closed unmerged, it is not asked for again until the grant changes.",
		p.again(len(ids) > 0, starts))
	if green > 0 {
		p.put("What Buildmedic wrote in IAM in the meantime is taken out again then.")
	}
}

// bridges reports whether the case's change stands in IAM, or stood there, until the code gives it.
func (c pullCase) bridges() bool { return !c.v.latest.Written.IsZero() && !c.v.plan.InCode() }

// bridged says what follows where the builds are green without it.
func (p *pull) bridged() {
	is := "The build is"
	if p.many {
		is = "The builds are"
	}
	p.put("\n%s green already, by a direct change in IAM. Once this is merged and deployed, Buildmedic takes its own statement out of "+
		"IAM again by itself. Closed unmerged, it is not asked for again until the grant changes, and the direct change stays.", is)
}

// again is what follows once it is deployed: waits says whether a case waits for that, starts whether
// the settings have builds started again.
func (p *pull) again(waits, starts bool) string {
	switch {
	case waits && starts && p.many:
		return "Buildmedic starts the newest of these builds again by itself, of each branch its own"
	case waits && starts:
		return "Buildmedic starts the build again by itself"
	}
	again := "the build can be started again"
	if p.many {
		again = "the builds can be started again"
	}
	if waits {
		again += "; the settings leave that to a person"
	}
	return again
}

func pullTitle(n Notice, f PolicyFile) string {
	var actions []string
	for _, s := range f.Added {
		actions = append(actions, s.Action.List...)
	}
	what := "what it was denied"
	if len(actions) > 0 {
		what = inert(quote(actions[0], maxName))
	}
	if more := len(actions) - 1; more > 0 {
		what += fmt.Sprintf(" and %d more", more)
	}
	return clip("Allow "+what+" for the build "+inert(n.Case.Project), maxPullTitle)
}

// failure is what failed: the build first.
func (c pullCase) failure() (lines []string) {
	add := func(format string, args ...any) { lines = append(lines, fmt.Sprintf("- "+format, args...)) }
	build := inertSpan(c.n.Case.Project)
	if c.n.Build != nil {
		build = inertSpan(c.n.Build.ID)
	}
	if c.n.Links.Build != "" {
		build = "[" + build + "](" + c.n.Links.Build + ")"
	}
	add("Build %s", build)
	f := c.n.Failure
	if f == nil {
		return lines
	}
	if f.Command != "" {
		add("Command %s", inertSpan(f.Command))
	}
	switch {
	case f.Text != "" && f.Line > 0:
		add("Line %d of its log: %s", f.Line, inertSpan(f.Text))
	case f.Text != "":
		add("It says: %s", inertSpan(f.Text))
	}
	var denied []string
	for _, d := range f.Denials {
		action, on := d.Action, d.Resource
		if action == "" {
			action = d.Operation
		}
		if l := inertSpan(action) + " on " + inertSpan(on); action != "" && on != "" && !slices.Contains(denied, l) {
			denied = append(denied, l)
		}
	}
	told, size := 0, 0
	for _, l := range lines {
		size += len(l)
	}
	for _, l := range denied {
		if size += len(l); size > maxPullFailed && told > 0 {
			break
		}
		add("Denied: %s", l)
		told++
	}
	if more := len(denied) - told; more > 0 {
		add("Denied: %d more", more)
	}
	return lines
}

func differenceOf(added []iampolicy.Statement) (out []string) {
	for _, s := range added {
		for _, l := range statementLines("+ ", s) {
			out = append(out, strings.ReplaceAll(inert(clip(l, maxPullSpan)), "`", "'")) // which could end the fence
		}
	}
	return out
}

// maxPullSpan is the most characters of one quoted text.
const maxPullSpan = 400

// inertSpan is text in a code span that is inert as plain text, too.
func inertSpan(s string) string { return span(inert(clip(s, maxPullSpan))) }

var (
	issueAt   = lazyregexp.New(`#([0-9])|(?i)\b(gh)-([0-9])`)
	mentionAt = lazyregexp.New(`@([A-Za-z0-9])`)
)

// inert parts what names an issue or mentions somebody, such as #1, GH-1 and @name, with a blank.
func inert(s string) string {
	s = issueAt.ReplaceAllStringFunc(s, func(m string) string { return m[:len(m)-1] + " " + m[len(m)-1:] })
	return mentionAt.ReplaceAllString(s, "@ $1")
}

var markdown = strings.NewReplacer("\\", "\\\\", "`", "\\`", "*", "\\*", "_", "\\_", "[", "\\[", "]", "\\]", "<", "&lt;",
	"|", "\\|", "~", "\\~")

// prosaic is a sentence of ours, which may hold a part of a log, as Markdown's plain text.
func prosaic(s string) string { return markdown.Replace(inert(clip(s, maxPullSpan))) }

// cutPull keeps a body within its bound, at a line's end, and with its fence closed.
func cutPull(s string) string {
	if len(s) <= maxPullBody {
		return s
	}
	s = s[:strings.LastIndexByte(s[:maxPullBody-100], '\n')+1]
	if strings.Count(s, "```")%2 == 1 {
		s += "```\n"
	}
	return s + "\nThe rest was left out; `buildmedic show` has it.\n"
}

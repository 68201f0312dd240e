package notice

import (
	"fmt"
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
}

// Bounds of a pull request: those of CodeCommit, the narrower ones (AWS.md#codecommit), with room for
// what is put behind the body.
const (
	maxPullTitle = 150
	maxPullBody  = 10000
	maxPullLines = 60
)

// PullRequestOf is a pull request's title and its body, in Markdown: what failed, what would allow
// it, who has consented to that, and how well it is proved. Nothing of a build's log, nor of a file,
// leaves a code span or a fence. Nor is it a mention or a word that closes an issue where it is shown
// as plain text, as when the request's text becomes a commit's message.
func PullRequestOf(o decide.Outcome, f PolicyFile) (title, body string) {
	v := newView(withheld(o))
	n := tell(v)
	var b strings.Builder
	put := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	put("A build of project %s failed for want of a permission that the settings let it have.\n", inertSpan(n.Case.Project))
	put("**What failed**\n")
	pullFailure(n, put)
	if other, ok := v.anotherRole(); ok {
		put("\nIt was role %s that was denied, with which the project deploys, and not the role of its builds.",
			inertSpan(id(other.Name)))
	}
	what := "Added to " + inertSpan(f.Path) + "; all that is in it stays as it is."
	if f.New {
		what = "In the new file " + inertSpan(f.Path) + ", which must be deployed as a policy of the role."
	}
	put("\n**What this allows**\n\n%s\n\n```diff", what)
	lines := differenceOf(f.Added)
	for _, l := range lines[:min(len(lines), maxPullLines)] {
		put("%s", l)
	}
	put("```")
	if more := len(lines) - maxPullLines; more > 0 {
		put("\n%s more; the request's own difference has all.", plural(more, "line"))
	}
	put("\n**Who has consented**\n")
	for _, g := range n.Grants {
		if g.ID != id(f.Grant) {
			continue
		}
		s := "- Grant " + inertSpan(g.ID)
		if g.Owner != "" {
			s += " of " + inertSpan(g.Owner) + ", who should review this"
		}
		if g.Because != "" {
			s += ": " + inertSpan(sentence(g.Because))
		}
		put("%s", s)
	}
	if len(n.Proof) > 0 {
		put("\n**How certain this is**\n")
	}
	for _, p := range n.Proof {
		put("- %s", prosaic(p))
	}
	if n.Case.ID != "" {
		put("\nCase %s.", inertSpan(n.Case.ID))
	}
	put("\nOnce it is merged and deployed, the build can be started again. Closed unmerged, it is not asked for again " +
		"until the grant changes.")
	return pullTitle(n, f), cutPull(b.String())
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

func pullFailure(n Notice, put func(string, ...any)) {
	build := inertSpan(n.Case.Project)
	if n.Build != nil {
		build = inertSpan(n.Build.ID)
	}
	if n.Links.Build != "" {
		build = "[" + build + "](" + n.Links.Build + ")"
	}
	put("- Build %s", build)
	f := n.Failure
	if f == nil {
		return
	}
	if f.Command != "" {
		put("- Command %s", inertSpan(f.Command))
	}
	switch {
	case f.Text != "" && f.Line > 0:
		put("- Line %d of its log: %s", f.Line, inertSpan(f.Text))
	case f.Text != "":
		put("- It says: %s", inertSpan(f.Text))
	}
	for _, d := range f.Denials {
		action, on := d.Action, d.Resource
		if action == "" {
			action = d.Operation
		}
		if action != "" && on != "" {
			put("- Denied: %s on %s", inertSpan(action), inertSpan(on))
		}
	}
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

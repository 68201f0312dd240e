package notice

import (
	"strings"
	"unicode/utf8"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/lazyregexp"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// CommitStatus is what a commit shows at its code host.
type CommitStatus struct {
	State       string // pending, success or failure
	Context     string // the name under which a status replaces the one before
	Description string // plain text
	URL         string // "" for none
}

// maxStatus is the most characters that a status's description has (AWS.md#github).
const maxStatus = 140

// StatusOf is the status of a commit. It is red only while the build is: what Buildmedic itself
// could not do is no state of the commit. While what it asked for is not merged and deployed, it is
// pending, since the build is started again by itself then.
func StatusOf(t decide.Telling, home settings.Account) CommitStatus {
	s := CommitStatus{State: "failure", Context: "buildmedic/" + projectAt(t, home), URL: pageOf(t)}
	switch {
	case t.Kind == decide.Retrying:
		s.State = "pending"
	case t.Kind == decide.Healed, t.Green:
		s.State = "success"
	case t.Kind == decide.Requested:
		s.State = "pending"
	}
	s.Description = clip(stands(t)+": "+causeOf(t), maxStatus)
	return s
}

// stands says how a case stands.
func stands(t decide.Telling) string {
	switch {
	case t.Kind == decide.Retrying:
		return "Started again"
	case t.Kind == decide.Healed:
		return "Healed"
	case t.Green:
		return "Green again"
	case t.Kind == decide.Proposed:
		return "Waits for approval"
	case t.Kind == decide.Requested && t.Merged:
		return "Waits for a deployment"
	case t.Kind == decide.Requested:
		switch n := strings.Fields(id(t.Requests)); len(n) { // without a number sign, which would link them
		case 0:
			return "Waits for a pull request"
		case 1:
			return "Waits for pull request " + n[0]
		default:
			return "Waits for pull requests " + list(n, 3)
		}
	}
	return "Not healed"
}

// arnAt finds ARNs: they name roles, policies and accounts.
var arnAt = lazyregexp.New(`arn:[a-z-]+:[^\s"'<>,;)\]]*`)

// causeOf is the cause's title as everybody may read it who sees the repository.
func causeOf(t decide.Telling) string {
	title := arnAt.ReplaceAllString(clean(t.Title), "(an ARN)")
	if title == "" {
		return "the build could not be read"
	}
	return quote(title, maxName)
}

// projectAt is the project's name, with its place if that is not the hub's own.
func projectAt(t decide.Telling, home settings.Account) string {
	name := id(t.Project)
	if (settings.Account{ID: t.Account, Region: t.Region}) != home {
		name += "@" + id(t.Account) + "." + id(t.Region)
	}
	return name
}

func pageOf(t decide.Telling) string {
	return links(codebuild.Build{ID: t.Build, ARN: t.ARN, Project: t.Project}, "").Build
}

// clip cuts a text to so many characters.
func clip(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	r := []rune(s)
	return strings.TrimRight(string(r[:most-1]), " ") + "…"
}

// CommentMarker begins each comment of Buildmedic's, by which it finds its own. Nobody sees it.
const CommentMarker = "<!-- buildmedic -->"

// CommentOf is the comment on a pull request, in Markdown, with a line for each telling. Nothing of
// a build's log leaves a code span: in it, nothing is Markdown, a mention or a link.
func CommentOf(ts []decide.Telling, home settings.Account) string {
	var b strings.Builder
	b.WriteString(CommentMarker + "\n")
	for _, t := range ts {
		b.WriteString("- **" + stands(t) + "** " + span(projectAt(t, home)) + ": " + span(clip(causeOf(t), maxStatus)))
		if page := pageOf(t); page != "" {
			b.WriteString(" ([build](" + page + "))")
		}
		b.WriteString("\n")
	}
	return b.String()
}

// span is text in a code span. A backtick would end it, and a line break might.
func span(s string) string { return "`" + strings.ReplaceAll(clean(s), "`", "'") + "`" }

// toldSchema names the format of the line that [Told] makes, and its version.
const toldSchema = "buildmedic.code/1"

// Told returns a line for the journal, without a newline, about what a code host was told, or was
// not: JSON with the metrics CodeHostTold and CodeHostNotTold, the latter by Result.
func Told(t decide.Told) []byte {
	m := metric{"CodeHostTold", "Count", 1}
	if t.Result != decide.ToldDone {
		m.Name = "CodeHostNotTold"
	}
	line := map[string]any{"code": toldSchema, "Case": id(t.Case), "Project": id(t.Project), "Repository": id(t.Repository),
		"Commit": id(t.Commit), "PullRequest": t.PullRequest, "Kind": string(t.Kind), "Result": string(t.Result)}
	if t.Why != "" {
		line["Why"] = prose(t.Why)
	}
	return []byte(emf(decide.Outcome{At: t.At}, line, []metric{m}, []string{}, []string{"Result"}))
}

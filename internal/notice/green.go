package notice

import (
	"fmt"
	"strings"
	"time"

	"github.com/buildmedic/buildmedic/internal/compare"
	"github.com/buildmedic/buildmedic/internal/decide"
)

// Since is what is new since the last green build of the same branch.
type Since struct {
	Build  string    `json:"build"` // PROJECT:UUID
	Number int64     `json:"number,omitempty"`
	Commit string    `json:"commit,omitempty"`
	Ended  time.Time `json:"ended,omitzero"`
	// Says is in sentences which build it was, and what was compared.
	Says  string          `json:"says"`
	Lines []NewLine       `json:"lines"` // the most telling first
	More  int             `json:"more"`  // new lines that are not listed
	Known compare.Newness `json:"evidence,omitempty"`
	// Changes are other differences. Of environment variables they have the names.
	Changes []compare.Change `json:"changes"`
}

// NewLine is a line that the green build did not print.
type NewLine struct {
	N     int    `json:"n"`
	Text  string `json:"text"`
	Times int    `json:"times"` // how often lines like it were printed
}

const (
	maxChanges   = 20
	maxCardLines = 5
)

// sinceOf tells what is new, nil if nothing was compared.
func sinceOf(r decide.Round) *Since {
	c := r.Since
	if c == nil {
		return nil
	}
	s := &Since{Build: id(c.Build), Number: c.Number, Commit: quote(c.Commit, maxName), Ended: utc(c.Ended), Known: c.Evidence,
		Lines: []NewLine{}, More: c.More, Changes: []compare.Change{}}
	lines := c.Lines[:min(len(c.Lines), compare.MaxLines)]
	for _, l := range lines {
		s.Lines = append(s.Lines, NewLine{N: l.N, Text: quote(l.Text, maxLine), Times: max(1, l.Times)})
	}
	for _, d := range c.Changes[:min(len(c.Changes), maxChanges)] {
		s.Changes = append(s.Changes, compare.Change{What: quote(d.What, maxName), Was: quote(d.Was, maxName), Is: quote(d.Is, maxName)})
	}
	s.Says = s.says(c)
	return s
}

// name names the green build.
func (s *Since) name() string {
	if s.Number > 0 {
		return fmt.Sprintf("build #%d", s.Number)
	}
	return "build " + s.Build
}

func (s *Since) says(c *compare.Since) string {
	text := "Build " + strings.TrimPrefix(s.name(), "build ") + " was green"
	if c.Age > 0 {
		text += " " + duration(c.Age) + " before"
		if c.Between > 0 {
			text += ", " + plural(c.Between+1, "build") + " ago"
		}
	}
	switch {
	case c.SameCommit:
		text += ". It built the same commit, so the difference is not in its code."
	case s.Commit != "":
		text += ". It built commit " + shortCommit(s.Commit) + "."
	default:
		text += "."
	}
	if c.Unsure {
		text += " The records name the branch of neither, so it may be another one."
	}
	switch {
	case c.Read == compare.ReadNothing:
		text += " The logs could not be compared."
	case len(s.Lines) == 0:
		text += " It printed each of these lines as well, apart from numbers, times, ids and paths."
	case c.Read == compare.ReadLog:
		text += " These lines are nowhere in its log:"
	default:
		text += " These lines of the command are new:"
	}
	return text
}

// change words a difference.
func change(c compare.Change) string {
	switch {
	case c.Was == "":
		return c.What + ": " + c.Is
	case c.Is == "":
		return c.What + ": " + c.Was
	}
	return c.What + ": " + c.Is + ", was " + c.Was
}

// proved says of the evidence whether it is new; "" if that is not known.
func (s *Since) proved() string {
	switch {
	case s == nil:
	case s.Known == compare.IsNew:
		return "This line is new since " + s.name() + ", which was green."
	case s.Known == compare.IsKnown:
		return "The green " + s.name() + " printed this line as well, so by itself it fails no build."
	}
	return ""
}

// since shows in an e-mail what is new.
func (m *report) since(n Notice) {
	if n.Failure == nil || n.Failure.Since == nil {
		return
	}
	s := n.Failure.Since
	m.head("New since " + s.name())
	m.hang("  ", s.Says)
	if len(s.Lines) > 0 {
		m.end()
	}
	digits := 1
	for _, l := range s.Lines {
		digits = max(digits, len(fmt.Sprint(l.N)))
	}
	for _, l := range s.Lines {
		m.line(fmt.Sprintf("  %*d  %s%s", digits, l.N, l.Text, timesPrinted(l.Times)))
	}
	if s.More > 0 {
		m.line("  and " + plural(s.More, "more new line"))
	}
	if len(s.Changes) > 0 {
		m.end()
		m.hang("  ", "What else is different:")
		for _, c := range s.Changes {
			m.hang("  * ", change(c))
		}
	}
	m.end()
}

func timesPrinted(n int) string {
	if n < 2 {
		return ""
	}
	return fmt.Sprintf("  (%d times)", n)
}

// sinceParts shows in a card what is new.
func sinceParts(f *Failure) []string {
	if f == nil || f.Since == nil {
		return nil
	}
	s := f.Since
	part := "*New since " + s.name() + "*: " + prosemark(s.Says)
	var lines []string
	for _, l := range s.Lines[:min(len(s.Lines), maxCardLines)] {
		lines = append(lines, fmt.Sprintf("%d  %s%s", l.N, l.Text, timesPrinted(l.Times)))
	}
	if more := len(s.Lines) - len(lines) + s.More; more > 0 {
		lines = append(lines, "and "+plural(more, "more new line"))
	}
	if len(lines) > 0 {
		part += "\n" + fence(strings.Join(lines, "\n"))
	}
	parts := []string{part}
	if len(s.Changes) > 0 {
		var changes []string
		for _, c := range s.Changes {
			changes = append(changes, change(c))
		}
		parts = append(parts, "*What else is different*\n"+bullets(changes))
	}
	return parts
}

// commitsLink is the page that shows the commits since the green build, if it is one of the source's
// own host: no other address becomes a link, whoever put it there.
func commitsLink(r decide.Round) string {
	if r.Since == nil || len(r.Since.Link) > maxStep || !compare.IsLink(r.Build, r.Since.Commit, r.Since.Link) {
		return ""
	}
	return r.Since.Link
}

// cutSince leaves out the new lines.
func cutSince(n *Notice) {
	if n.Failure == nil || n.Failure.Since == nil || len(n.Failure.Since.Lines) == 0 {
		return
	}
	f, s := *n.Failure, *n.Failure.Since
	s.More += len(s.Lines)
	s.Lines, f.Since = []NewLine{}, &s
	n.Failure = &f
	n.Cut = append(n.Cut, "the lines that are new since the last green build")
}

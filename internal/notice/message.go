package notice

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/decide"
)

// Message is a notice ready to be sent.
type Message struct {
	ID      string // the same for a notice that is sent again
	Subject string // shorter than 100 printable ASCII characters
	Email   string // plain text, for a phone's first screens
	Report  string // plain text for a terminal: all that there is, as `buildmedic show` prints it; never sent
	Chat    string // JSON of a [Card]
	JSON    string // JSON of a [Notice] or a [Roundup]
	Default string // a few sentences, for whatever shows nothing longer

	attributes map[string]string
}

// maxMessage bounds subject, body and attributes together, a little below the 256 KiB that SNS
// accepts (AWS.md#sns).
const maxMessage = 250 << 10

// Render makes the message of an outcome. It always fits SNS: if it would be too large, the
// tests that no mail names are left out first, then the excerpt, snippets and refusals, and whole
// policies last; the message says what was left out.
func Render(o decide.Outcome) Message {
	n := tell(newView(withheld(o)))
	if n.to.Guest && n.Incident == nil {
		n.sayWithheld()
	}
	m := render(n)
	for _, shorten := range []func(*Notice){cutTests, cutExcerpt, cutSince, cutSnippets, cutRefusals, cutDifference, cutDocuments} {
		if m.size() <= maxMessage {
			break
		}
		shorten(&n)
		m = render(n)
	}
	return m
}

func render(n Notice) Message {
	return Message{
		ID:         n.ID,
		Subject:    subject(n.Kind, n.title()),
		Email:      email(n),
		Report:     whole(n),
		Chat:       jsonText(card(n)),
		JSON:       jsonText(n),
		Default:    short(n),
		attributes: attributes(string(n.Kind), n.to, n.Case, n.Cause, string(n.Mode)),
	}
}

// short is for protocols that show little: result, summary, case.
func short(n Notice) string {
	s := n.Lead + " " + n.Todo + " " + n.Summary
	if n.Case.ID != "" {
		s += " Case " + n.Case.ID + "."
	}
	for _, a := range n.requestActs() {
		s += " " + a.link
	}
	return s
}

func cutExcerpt(n *Notice) {
	if n.Failure == nil || len(n.Failure.Excerpt) == 0 {
		return
	}
	f := *n.Failure
	f.Excerpt = []buildlog.Line{}
	n.Failure = &f
	n.Cut = append(n.Cut, "the excerpt of the log")
}

func cutSnippets(n *Notice) {
	if len(n.Permanent) > 0 {
		n.Permanent = []Snippet{}
		n.Cut = append(n.Cut, "the snippets that make it permanent")
	}
}

func cutRefusals(n *Notice) {
	const keep = 5
	if len(n.Refusals) > keep {
		n.Cut = append(n.Cut, fmt.Sprintf("%d of %d refusals", len(n.Refusals)-keep, len(n.Refusals)))
		n.Refusals = n.Refusals[:keep]
	}
	if f := n.Failure; f != nil && len(f.Denials) > keep {
		n.Cut = append(n.Cut, fmt.Sprintf("%d of %d denials", len(f.Denials)-keep, len(f.Denials)))
		g := *f
		g.Denials = f.Denials[:keep]
		n.Failure = &g
	}
}

func cutDifference(n *Notice) {
	for i := range n.Changes {
		c := &n.Changes[i]
		if len(c.Added)+len(c.Removed) == 0 {
			continue
		}
		c.Added, c.Removed, c.added, c.removed = nil, nil, nil, nil
		n.Cut = append(n.Cut, "the difference of policy "+lastElement(c.Name)+"; the whole policy is here")
	}
}

func cutDocuments(n *Notice) {
	for i := range n.Changes {
		c := &n.Changes[i]
		if len(c.Document) == 0 {
			continue
		}
		n.Cut = append(n.Cut, fmt.Sprintf("policy %s of %s bytes", lastElement(c.Name), thousands(len(c.Document))))
		c.Document = nil
	}
	const keep = 5
	if len(n.Changes) > keep {
		n.Cut = append(n.Cut[:min(len(n.Cut), keep)],
			fmt.Sprintf("%d of %d changes", len(n.Changes)-keep, len(n.Changes)))
		n.Changes = n.Changes[:keep]
	}
}

// size is the size as SNS counts it.
func (m Message) size() int {
	n := len(m.Subject) + len(jsonText(m.protocols()))
	for k, v := range m.attributes {
		n += len(k) + len(v) + len("String")
	}
	return n
}

func (m Message) protocols() map[string]string {
	out := map[string]string{"default": m.Default}
	for protocol, text := range map[string]string{"email": m.Email, "https": m.Chat, "sqs": m.JSON, "lambda": m.JSON} {
		if text != "" {
			out[protocol] = text
		}
	}
	return out
}

// SNS returns the arguments for sns:Publish with MessageStructure "json": the body is an object
// with a text for each protocol (email, https for the chat, sqs and lambda) and a default for
// any other. Together they always stay under 256 KiB; for that, texts of a message that
// [Render] or [Digest] did not make may be left out or cut.
func (m Message) SNS() (subject, body string, attributes map[string]string) {
	if m.size() > maxMessage {
		m.JSON = ""
	}
	if m.size() > maxMessage {
		m.Chat = ""
	}
	if m.size() > maxMessage {
		m.Default, m.attributes = truncate(m.Default, 1<<10), nil
		m.Email = truncate(m.Email, maxMessage/6-1<<10) // JSON needs at most six bytes for one
	}
	return asciiLine(m.Subject), jsonText(m.protocols()), m.attributes
}

// truncate shortens a text of unknown structure.
func truncate(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	const said = "\n[cut]"
	i := limit - len(said)
	for i > 0 && !utf8.RuneStart(s[i]) {
		i--
	}
	return strings.TrimRight(s[:i], "\n") + said
}

package notice

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/buildmedic/buildmedic/internal/chat"
	"github.com/buildmedic/buildmedic/internal/decide"
)

// Card is a custom notification of Amazon Q Developer in chat applications, which drops a
// message in any other format without an error (AWS.md#chat-card).
type Card struct {
	Version  string   `json:"version"` // "1.0"
	Source   string   `json:"source"`  // "custom"
	ID       string   `json:"id,omitempty"`
	Content  Content  `json:"content"`
	Metadata Metadata `json:"metadata"`
}

// Content is what a card shows.
type Content struct {
	TextType    string   `json:"textType"` // "client-markdown"
	Title       string   `json:"title,omitempty"`
	Description string   `json:"description"`
	NextSteps   []string `json:"nextSteps,omitempty"`
	Keywords    []string `json:"keywords,omitempty"`
}

// Metadata is what a card is grouped by, and what its buttons know.
type Metadata struct {
	ThreadID            string       `json:"threadId,omitempty"`
	Summary             string       `json:"summary,omitempty"`
	EventType           string       `json:"eventType,omitempty"`
	RelatedResources    []string     `json:"relatedResources,omitempty"`
	AdditionalContext   chat.Context `json:"additionalContext,omitempty"`
	EnableCustomActions bool         `json:"enableCustomActions"`
}

// Limits of a card, in bytes. The service's own limits are 250 characters for the title and
// 8000 for the description; the others keep a card readable.
const (
	maxTitle       = 240
	maxDescription = 7000
	maxStep        = 600
	maxSteps       = 6
)

// marks begin the titles, so that the results in a channel can be told apart at a glance.
var marks = map[decide.Kind]string{
	decide.Healed: "✅", decide.Proposed: "🙋", decide.Requested: "🔀", decide.Reported: "🔎", decide.Undone: "↩",
	decide.Failed: "❌", decide.Retrying: "🔁", decide.Expiring: "⏳", decide.Paused: "⏸", decide.MadePermanent: "📌",
	decide.OfIncident: "🌐",
}

// card makes a chat card of a notice: what is needed to act, and where to read the rest.
func card(n Notice) Card {
	c := Card{Version: "1.0", Source: "custom", ID: n.ID,
		Content: Content{TextType: "client-markdown", Title: fit(marks[n.Kind]+" "+prosemark(n.title()), maxTitle),
			Description: description(n), NextSteps: steps(n)},
		Metadata: Metadata{
			ThreadID:            n.Case.ID,
			Summary:             fit(prosemark(n.Lead), maxTitle),
			EventType:           "buildmedic." + string(n.Kind),
			AdditionalContext:   buttons(n),
			EnableCustomActions: true,
		},
	}
	for _, k := range []string{string(n.Kind), n.Case.Project, n.Cause, string(n.Mode)} {
		if k != "" && k != "unknown" {
			c.Content.Keywords = append(c.Content.Keywords, k)
		}
	}
	if b := n.Build; b != nil {
		for _, arn := range []string{b.ARN, b.Role} {
			if arn != "" {
				c.Metadata.RelatedResources = append(c.Metadata.RelatedResources, arn)
			}
		}
	}
	return c
}

// description is the card's text: what happened, the difference and what to do, then the rest;
// what does not fit is left to the e-mail.
func description(n Notice) string {
	parts, exact := opening(n)
	commands := commandParts(n)
	if n.Kind == decide.Proposed || n.Kind == decide.Paused {
		parts, commands = append(parts, commands...), nil
	}
	for _, s := range []string{n.Note, n.besides} {
		if s != "" {
			parts = append(parts, prosemark(s))
		}
	}
	if len(n.Requests) > 0 {
		parts = append(parts, "*Pull requests*\n"+bullets(n.requestWords()))
	}
	if i := n.Incident; i != nil {
		parts = append(parts, "*The builds*\n"+bullets(i.items()))
	}
	if f := n.Failure; f != nil && f.Text != "" {
		parts = append(parts, "*What failed*: "+failedWhere(f)+"\n"+fence(f.Text))
	}
	if f := n.Failure; f != nil {
		if t := cardOfTests(f); t != "" {
			parts = append(parts, t)
		}
		for _, a := range f.Also {
			parts = append(parts, prosemark(a.words()))
		}
	}
	parts = append(parts, sinceParts(n.Failure)...)
	if len(n.Proof) > 0 {
		parts = append(parts, "*How certain this is*\n"+bullets(n.Proof))
	}
	if len(n.Refusals) > 0 {
		parts = append(parts, "*Why nothing was granted*")
	}
	for i, r := range n.Refusals {
		parts = append(parts, fmt.Sprintf("%d. ", i+1)+refusal(r, n.Refusals[:i]))
	}
	parts = append(parts, changed(n, exact)...)
	return fitParts(append(parts, commands...))
}

// opening is what decides. exact reports whether it tells the whole difference.
func opening(n Notice) (parts []string, exact bool) {
	facts, exact, ok := n.facts(exactly, false)
	if !ok || len(strings.Join(facts, "\n")) > maxStep {
		facts, exact, ok = n.facts(counted, false)
	}
	if !ok {
		facts, exact, _ = n.facts(summedUp, false)
	}
	parts = []string{prosemark(n.Lead)}
	var text, difference []string
	flush := func() {
		if len(difference) > 0 {
			text, difference = append(text, fence(strings.Join(difference, "\n"))), nil
		}
	}
	for _, f := range facts {
		if strings.HasPrefix(f, "+ ") || strings.HasPrefix(f, "- ") {
			difference = append(difference, f)
			continue
		}
		flush()
		text = append(text, prosemark(f))
	}
	flush()
	if len(text) > 0 {
		parts = append(parts, strings.Join(text, "\n"))
	}
	return append(parts, prosemark(n.Todo)), exact
}

// commandParts are the commands with what is sent for each.
func commandParts(n Notice) (parts []string) {
	for _, c := range n.Commands {
		if t := commandHeads[c.Name]; t != "" {
			line := c.Line
			if n.deployed() {
				line = string(c.Payload)
			}
			parts = append(parts, "*"+t+"*\n"+fence(line))
		}
	}
	return parts
}

// refusal describes one refusal. An entry that an earlier refusal showed is not repeated.
func refusal(r Refusal, before []Refusal) string {
	p := ""
	if r.Action != "" {
		p = code(r.Action)
		if r.Resource != "" {
			p += " on " + code(r.Resource)
		}
		p += ": "
	}
	p += prosemark(sentence(r.Message)) + " (rule " + code(string(r.Rule)) + ")"
	if r.Entry != "" && !slices.ContainsFunc(before, func(e Refusal) bool { return e.Entry == r.Entry }) {
		p += "\nThis entry in `buildmedic.yaml` would allow it:\n" + fence(strings.TrimRight(r.Entry, "\n"))
	}
	return p
}

// changed describes the changes, one part for each, but for those of which all has been told.
func changed(n Notice, exact bool) []string {
	var parts []string
	told, _ := n.deciding()
	for _, h := range changeHeads {
		for _, c := range n.Changes {
			if c.Status != h.status {
				continue
			}
			if exact && len(told) > 0 && c.Status == told[0].Status {
				if c.What == InlinePolicy || c.What == ManagedPolicy {
					parts = append(parts, prosemark(c.policyWords()))
				}
				continue
			}
			p := "*" + h.title + "*: " + prosemark(c.words())
			if diff := c.difference(); len(diff) > 0 {
				p += "\n" + fence(strings.Join(diff, "\n"))
			}
			parts = append(parts, p)
		}
	}
	if n.Holders != nil {
		parts = append(parts, prosemark(n.Holders.Says))
	}
	if n.Then != "" {
		parts = append(parts, prosemark(n.Then))
	}
	return parts
}

// fitParts joins as many parts as fit. The first is always in, shortened if need be.
func fitParts(parts []string) string {
	const more = "\n\n_The e-mail of this notice says more._"
	out := fit(parts[0], maxDescription/2)
	for _, p := range parts[1:] {
		if len(out)+2+len(p)+len(more) > maxDescription {
			return out + more
		}
		out += "\n\n" + p
	}
	return out
}

func failedWhere(f *Failure) string {
	var words []string
	if f.Phase != "" {
		words = append(words, "phase "+code(f.Phase))
	}
	if f.Line > 0 {
		words = append(words, fmt.Sprintf("line %d", f.Line))
	}
	if f.Command != "" {
		words = append(words, "command "+code(f.Command))
	}
	return strings.Join(words, ", ")
}

// steps are what to do next, and where to look. Links to the AWS console are made here and not
// taken from the build, so they may stay links.
func steps(n Notice) []string {
	var out []string
	for _, s := range n.Next {
		out = append(out, fit(prosemark(s), maxStep))
	}
	out = append(out[:min(len(out), maxSteps)], n.requestSteps()...)
	for _, l := range [][2]string{
		{"To send a command", n.Links.Commands},
		{"Run of the job", n.Links.Run},
		{"Build", n.Links.Build},
		{"Build started again", n.Links.Retry},
		{"Pipeline", n.Links.Pipeline},
		{"Log", n.Links.Log},
		{"Role", n.Links.Role},
		{"Commits since the last green build", n.Links.Commits},
	} {
		if l[1] != "" && len(l[1]) <= maxStep {
			out = append(out, l[0]+": "+l[1])
		}
	}
	return out
}

// buttons is what the channel's buttons are shown by, and what they send. There is nothing in it
// but ids, and at most one action: what the notice is for.
func buttons(n Notice) chat.Context {
	values := map[string]string{chat.Kind: string(n.Kind), chat.Case: n.Case.ID, chat.Function: n.function, chat.Region: n.region}
	offered := func(command string) bool {
		return slices.ContainsFunc(n.Commands, func(c Command) bool { return c.Name == command })
	}
	switch {
	case n.function == "": // at a desk there is nobody to send a command to
	case n.Kind == decide.Proposed && offered("approve"):
		values[chat.Action], values[chat.Plan] = chat.OnPlan, n.Plan
	case n.Kind == decide.Paused && n.pause != "":
		values[chat.Action], values[chat.Pause] = chat.OnPause, n.pause
	case offered("undo"):
		values[chat.Action] = chat.OnChange
	}
	// Where something was changed and no person had looked at it, or it did not help.
	unasked := n.Kind == decide.Retrying && !n.approved
	if n.function != "" && n.changed && (unasked || n.Kind == decide.Undone || n.Kind == decide.Failed) {
		values[chat.Stop] = chat.Offered
	}
	return chat.Of(values)
}

func bullets(items []string) string {
	var out []string
	for _, i := range items {
		out = append(out, "• "+prosemark(i))
	}
	return strings.Join(out, "\n")
}

// prosemark escapes a sentence for the markdown of Slack and of Teams. They have no escape in
// common, so every word with a character that either could read as markup becomes code.
func prosemark(s string) string {
	const markup = "*_~`<>[]{}\\|#&"
	words := strings.Fields(s)
	for i, w := range words {
		if !strings.ContainsAny(w, markup) && !strings.Contains(w, "//") {
			continue
		}
		core := strings.TrimRight(w, ".,:;!?)")
		lead := core[:len(core)-len(strings.TrimLeft(core, "("))]
		core = core[len(lead):]
		if core == "" {
			words[i] = "`" + plainCode(w) + "`"
			continue
		}
		words[i] = lead + code(core) + w[len(lead)+len(core):]
	}
	return strings.Join(words, " ")
}

// code makes text a code span, in which nothing is markup.
func code(s string) string { return "`" + plainCode(strings.Join(strings.Fields(s), " ")) + "`" }

// fence makes text a code block.
func fence(s string) string { return "```\n" + plainCode(s) + "\n```" }

// plainCode replaces what could end code, or begin a mention or a link in
// Slack even there.
func plainCode(s string) string {
	return strings.NewReplacer("`", "'", "<", "‹", ">", "›").Replace(s)
}

// fit shortens s to at most limit bytes without splitting a character, and closes a code span
// that it cut.
func fit(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	i := limit - len("`…")
	for i > 0 && !utf8.RuneStart(s[i]) {
		i--
	}
	s = s[:i]
	if strings.Count(s, "`")%2 == 1 {
		s += "`"
	}
	return s + "…"
}

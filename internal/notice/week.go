package notice

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/guardrail"
)

// WeekSchema names the JSON format of a weekly notice and its version.
const WeekSchema = "buildmedic.week/1"

// Weekly is the content of a weekly notice, and its JSON format. Nothing in it but Saved is an
// estimate: these are times of builds, as CodeBuild has them, and cases of the ledger.
type Weekly struct {
	Schema   string      `json:"schema"`
	ID       string      `json:"id"`
	From     time.Time   `json:"from"`
	To       time.Time   `json:"to"` // the first moment that is no more in it
	Headline string      `json:"headline"`
	Builds   int         `json:"builds"`  // that failed
	Seconds  int         `json:"seconds"` // how long these ran
	Causes   []WeekCause `json:"causes"`  // that which cost most first
	More     int         `json:"more"`    // causes that are not listed
	Flaky    []FlakyTest `json:"flaky"`
	Cut      bool        `json:"cut"` // of some project more builds failed than are remembered
	// Owner is whose projects it is about; left out where it is about all, or about those that no
	// owner is told of.
	Owner    string              `json:"owner,omitempty"`
	Ended    map[decide.Kind]int `json:"ended,omitempty"`   // cases, by how they ended
	Refused  int                 `json:"refused,omitempty"` // of these, in which a rule refused
	Rules    []WeekRule          `json:"rules,omitempty"`   // the most frequent first; a case may have several
	Standing []WeekStanding      `json:"standing,omitempty"`
	CasesCut bool                `json:"cases_cut,omitempty"` // more cases ended than were read
	Saved    *Saved              `json:"saved,omitempty"`
	Price    *Price              `json:"price,omitempty"`
}

// WeekRule is in how many cases a rule refused.
type WeekRule struct {
	Rule  guardrail.Rule `json:"rule"`
	Cases int            `json:"cases"`
}

// WeekStanding is a change that Buildmedic made and nobody undid: until the team's own code has it,
// the two differ.
type WeekStanding struct {
	What    string    `json:"what"`
	Project string    `json:"project"` // for which it was made last
	Account string    `json:"account"`
	Region  string    `json:"region"`
	Cases   int       `json:"cases"` // that changed it
	Since   time.Time `json:"since"`
	Days    int       `json:"days"` // since then, at the week's end
}

// Saved is an estimate: see [decide.Saved].
type Saved struct {
	Builds  int `json:"builds"`
	Seconds int `json:"seconds"`
}

// Price is what the failed builds cost by the settings' prices.
type Price struct {
	Builds   int    `json:"builds"` // of these, those that have a price
	Amount   string `json:"amount"` // with two decimals
	Currency string `json:"currency"`
}

// WeekCause is what failed builds of one cause cost.
type WeekCause struct {
	Cause   string `json:"cause"`
	Builds  int    `json:"builds"`
	Seconds int    `json:"seconds"`
	// Healed is after how many Buildmedic had started the next green build of the branch, Others
	// after how many somebody else had; each with the median time from the end of the failed build
	// to that of the green one.
	Healed        int `json:"healed"`
	HealedSeconds int `json:"healed_seconds"`
	Others        int `json:"others"`
	OthersSeconds int `json:"others_seconds"`
}

// FlakyTest is a test that failed, and passed on the same commit.
type FlakyTest struct {
	Account    string    `json:"account"`
	Region     string    `json:"region"`
	Project    string    `json:"project"`
	Suite      string    `json:"suite,omitempty"`
	Name       string    `json:"name"`
	Flaked     int       `json:"flaked"` // how often
	LastFlaked time.Time `json:"last_flaked"`
	Builds     int       `json:"builds"`  // failed builds in which it did
	Seconds    int       `json:"seconds"` // how long these ran
	Broken     bool      `json:"broken"`  // it fails on commit after commit now
}

// Week makes the message of a week.
func Week(w decide.Week) Message {
	n := weeklyOf(w)
	return Message{
		ID:         n.ID,
		Subject:    subject("week", n.Headline),
		Email:      n.email(),
		Chat:       jsonText(n.card()),
		JSON:       jsonText(n),
		Default:    n.Headline + ".",
		attributes: attributes("week", decide.Audience{Owner: w.For}, Case{}, "", ""),
	}
}

// weekID is that of the week, and of the owner.
func weekID(w decide.Week) string {
	id := "week." + w.From.UTC().Format(time.DateOnly)
	if w.For != "" {
		sum := sha256.Sum256([]byte(w.For))
		id += "." + hex.EncodeToString(sum[:4])
	}
	return id
}

func weeklyOf(w decide.Week) Weekly {
	t := w.Costs.Total
	n := Weekly{Schema: WeekSchema, ID: weekID(w), From: w.From.UTC(), To: w.To.UTC(),
		Builds: t.Builds, Seconds: t.Seconds, Causes: []WeekCause{}, Flaky: []FlakyTest{}, Cut: w.Costs.Cut}
	n.Headline = fmt.Sprintf("%s in the week of %s took %s; %s healed", plural(t.Builds, "failed build"),
		n.From.Format(time.DateOnly), ran(t.Seconds), thousands(t.Healed.Builds))
	if t.Builds == 0 {
		n.Headline = fmt.Sprintf("No build failed in the week of %s", n.From.Format(time.DateOnly))
	}
	if n.Owner = id(w.For); n.Owner != "" {
		n.Headline = n.Owner + ": " + n.Headline
	}
	if s := w.Costs.Saved; s != nil {
		n.Saved = &Saved{s.Builds, s.Seconds}
	}
	if p := w.Costs.Price; p != nil {
		n.Price = &Price{p.Builds, p.Amount(), id(p.Currency)}
	}
	n.Ended, n.Refused, n.CasesCut = w.Ended, w.Refused, w.CasesCut
	for _, r := range w.Rules {
		n.Rules = append(n.Rules, WeekRule{guardrail.Rule(id(string(r.Rule))), r.Cases})
	}
	for _, s := range w.Standing {
		n.Standing = append(n.Standing, WeekStanding{quote(s.What, maxLine), id(s.Project), id(s.Account), id(s.Region), s.Cases,
			s.Since.UTC(), int(max(w.To.Sub(s.Since), 0) / (24 * time.Hour))})
	}
	for _, c := range w.Costs.Causes {
		if len(n.Causes) == maxLost {
			n.More++
			continue
		}
		n.Causes = append(n.Causes, WeekCause{id(c.Cause), c.Builds, c.Seconds, c.Healed.Builds, c.Healed.Median,
			c.Others.Builds, c.Others.Median})
	}
	for _, f := range w.Flaky[:min(len(w.Flaky), maxLost)] {
		n.Flaky = append(n.Flaky, FlakyTest{id(f.Account), id(f.Region), id(f.Project), quote(f.Suite, maxName),
			quote(f.Name, maxName), f.Flaked, f.LastFlaked.UTC(), f.Builds, f.Seconds, f.Broken})
	}
	return n
}

func ran(seconds int) string { return duration(time.Duration(seconds) * time.Second) }

func (c WeekCause) words() string {
	s := fmt.Sprintf("%s: %s, %s", c.Cause, plural(c.Builds, "failed build"), ran(c.Seconds))
	if c.Healed > 0 {
		s += fmt.Sprintf("; %s healed", thousands(c.Healed))
	}
	return s
}

func (r WeekRule) words() string { return fmt.Sprintf("%s: %s", r.Rule, plural(r.Cases, "case")) }

func (w WeekStanding) words() string {
	return w.What + " — " + days(w.Days)
}

func days(n int) string {
	if n == 1 {
		return "1 day"
	}
	return thousands(n) + " days"
}

// gist is what a week comes to: a label and a few words each.
func (n Weekly) gist() (lines [][2]string) {
	say := func(label, format string, args ...any) {
		lines = append(lines, [2]string{label, fmt.Sprintf(format, args...)})
	}
	if k := n.Ended[decide.Healed]; k > 0 {
		say("Healed", "%s", plural(k, "case"))
	}
	if n.Refused > 0 {
		say("Refused", "%s", plural(n.Refused, "case"))
	}
	var waiting []string
	if k := n.Ended[decide.Proposed]; k > 0 {
		waiting = append(waiting, plural(k, "proposal")+" for an approval")
	}
	if k := n.Ended[decide.Requested]; k > 0 {
		waiting = append(waiting, plural(k, "case")+" for pull requests")
	}
	if len(waiting) > 0 {
		say("Waiting", "%s", strings.Join(waiting, ", "))
	}
	if k := n.Ended[decide.Undone] + n.Ended[decide.Failed]; k > 0 {
		say("In vain", "%s, undone or still red", plural(k, "case"))
	}
	if len(n.Standing) > 0 {
		say("Drift", "%s not in your code yet, the oldest for %s", plural(len(n.Standing), "change"), days(n.Standing[0].Days))
	}
	if n.Builds > 0 {
		cost := ""
		if n.Price != nil {
			cost = fmt.Sprintf(", %s %s", n.Price.Amount, n.Price.Currency)
			if n.Price.Builds < n.Builds {
				cost += fmt.Sprintf(" for %s of them", thousands(n.Price.Builds))
			}
		}
		say("Lost", "%s of failed builds%s", ran(n.Seconds), cost)
	}
	if s := n.Saved; s != nil && s.Seconds >= 0 {
		say("Saved", "about %s (estimate)", ran(s.Seconds))
	} else if s != nil {
		say("Saved", "nothing, about %s longer (estimate)", ran(-s.Seconds))
	}
	return lines
}

// sections are its lists, with how much a mail or a card shows of each.
func (n Weekly) sections() (list []weekSection) {
	add := func(title string, lines []string, more int) {
		if len(lines) > 0 {
			more += max(len(lines)-weekLines, 0)
			list = append(list, weekSection{title, lines[:min(len(lines), weekLines)], more})
		}
	}
	var causes, rules, standing, flaky []string
	for _, c := range n.Causes {
		causes = append(causes, c.words())
	}
	for _, r := range n.Rules {
		rules = append(rules, r.words())
	}
	for _, s := range n.Standing {
		standing = append(standing, s.words())
	}
	for _, f := range n.Flaky {
		flaky = append(flaky, f.words())
	}
	add("Top causes", causes, n.More)
	add("Refused by", rules, 0)
	add("Not in your code yet", standing, 0)
	add("Flakiest tests", flaky, 0)
	return list
}

type weekSection struct {
	title string
	lines []string
	more  int
}

// weekLines is how many lines a mail shows of each list: a phone shows the whole week in 60.
const weekLines = 3

func (f FlakyTest) words() string {
	t := Test{Suite: middle(f.Suite, mailName), Name: middle(f.Name, mailName)}
	s := fmt.Sprintf("%s %s — flaked %s, %s lost", f.Project, t.name(), times(f.Flaked), ran(f.Seconds))
	if f.Broken {
		s += "; broken now"
	}
	return s
}

// email is the week as a mail, what matters most first: what does not fit is left out.
func (n Weekly) email() string {
	l := letter{first: []string{n.Headline + ".", ""}, foot: "Buildmedic, notice " + n.ID,
		rest: "All of it, and of other days: buildmedic history -costs -table TABLE; the tests: -flaky."}
	for _, g := range n.gist() {
		l.first = append(l.first, g[0]+": "+g[1])
	}
	if len(l.first) == 2 {
		l.first = append(l.first, "Nothing to do now.")
	}
	for _, s := range n.sections() {
		var items []string
		for _, one := range s.lines {
			items = append(items, "* "+one)
		}
		l.list("the rest", s.title+":", items, s.more)
	}
	if n.Saved != nil {
		l.add("what was saved", fmt.Sprintf("Saved: of %s, against the median of others.", plural(n.Saved.Builds, "healed build")))
	}
	if n.Cut || n.CasesCut {
		l.add("a remark", "There was more than is remembered.")
	}
	return l.text()
}

func (n Weekly) card() Card {
	parts := []string{prosemark(n.Headline + ".")}
	var gist []string
	for _, l := range n.gist() {
		gist = append(gist, l[0]+": "+l[1])
	}
	if len(gist) > 0 {
		parts = append(parts, bullets(gist))
	}
	for _, s := range n.sections() {
		if s.more > 0 {
			s.lines = append(s.lines, fmt.Sprintf("and %s more", thousands(s.more)))
		}
		parts = append(parts, "*"+s.title+"*\n"+bullets(s.lines))
	}
	return Card{Version: "1.0", Source: "custom", ID: n.ID,
		Content: Content{TextType: "client-markdown", Title: "🗓 " + fit(prosemark(n.Headline), maxTitle),
			Description: fitParts(parts), Keywords: []string{"week"}},
		Metadata: Metadata{Summary: fit(prosemark(n.Headline), maxTitle), EventType: "buildmedic.week",
			EnableCustomActions: true},
	}
}

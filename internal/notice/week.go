package notice

import (
	"fmt"
	"time"

	"github.com/buildmedic/buildmedic/internal/decide"
)

// WeekSchema names the JSON format of a weekly notice and its version.
const WeekSchema = "buildmedic.week/1"

// Weekly is the content of a weekly notice, and its JSON format: what failed builds cost, by cause.
// All of it are times of builds, as CodeBuild has them.
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

func weeklyOf(w decide.Week) Weekly {
	t := w.Costs.Total
	n := Weekly{Schema: WeekSchema, ID: "week." + w.From.UTC().Format(time.DateOnly), From: w.From.UTC(), To: w.To.UTC(),
		Builds: t.Builds, Seconds: t.Seconds, Causes: []WeekCause{}, Flaky: []FlakyTest{}, Cut: w.Costs.Cut}
	n.Headline = fmt.Sprintf("%s in the week of %s took %s; %s healed", plural(t.Builds, "failed build"),
		n.From.Format(time.DateOnly), ran(t.Seconds), thousands(t.Healed.Builds))
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
		s += fmt.Sprintf("; %s healed, green again after %s", thousands(c.Healed), ran(c.HealedSeconds))
	}
	if c.Others > 0 {
		s += fmt.Sprintf("; %s green again otherwise, after %s", thousands(c.Others), ran(c.OthersSeconds))
	}
	if open := c.Builds - c.Healed - c.Others; open > 0 {
		s += fmt.Sprintf("; %s not known to be green again", thousands(open))
	}
	return s
}

func (f FlakyTest) words() string {
	s := fmt.Sprintf("%s %s — flaked %s, last on %s; %s, %s", f.Project,
		Test{Suite: middle(f.Suite, mailName), Name: middle(f.Name, mailName)}.name(),
		times(f.Flaked), f.LastFlaked.Format(time.DateOnly), plural(f.Builds, "failed build"), ran(f.Seconds))
	if f.Broken {
		s += "; broken now"
	}
	return s
}

// email is the week as a mail, what matters most first: what does not fit is left out.
func (n Weekly) email() string {
	l := letter{first: []string{n.Headline + ".", "", "Nothing to do now."}, foot: "Buildmedic, notice " + n.ID,
		rest: "All of it, and of other days: buildmedic history -costs -table TABLE; the tests: -flaky."}
	var causes, flaky []string
	for _, c := range n.Causes {
		causes = append(causes, "* "+c.words())
	}
	for _, f := range n.Flaky {
		flaky = append(flaky, "* "+f.words())
	}
	l.list("the causes", "By cause:", causes, n.More)
	l.list("the flakiest tests", "Flakiest tests:", flaky, 0)
	if n.Cut {
		l.add("a remark", "Of some project more builds failed than are remembered, so it was more than that.")
	}
	l.add("how it is counted", "Minutes are those that failed builds ran. Green again is the median time from the end of a failed "+
		"build to the end of the next green one of its branch.")
	return l.text()
}

func (n Weekly) card() Card {
	parts := []string{prosemark(n.Headline + ".")}
	var causes, flaky []string
	for _, c := range n.Causes[:min(len(n.Causes), 10)] {
		causes = append(causes, c.words())
	}
	for _, f := range n.Flaky {
		flaky = append(flaky, f.words())
	}
	if len(causes) > 0 {
		parts = append(parts, "*By cause*\n"+bullets(causes))
	}
	if len(flaky) > 0 {
		parts = append(parts, "*Flakiest tests*\n"+bullets(flaky))
	}
	return Card{Version: "1.0", Source: "custom", ID: n.ID,
		Content: Content{TextType: "client-markdown", Title: "🗓 " + fit(prosemark(n.Headline), maxTitle),
			Description: fitParts(parts), Keywords: []string{"week"}},
		Metadata: Metadata{Summary: fit(prosemark(n.Headline), maxTitle), EventType: "buildmedic.week",
			EnableCustomActions: true},
	}
}

package notice

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/buildmedic/buildmedic/internal/decide"
)

// RoundupSchema names the JSON format of a digest and its version.
const RoundupSchema = "buildmedic.digest/1"

// Roundup is the content of a digest, and its JSON format.
type Roundup struct {
	Schema   string              `json:"schema"`
	ID       string              `json:"id"`
	At       time.Time           `json:"at"`   // of its newest notice
	From     time.Time           `json:"from"` // of its oldest
	Headline string              `json:"headline"`
	Failures int                 `json:"failures"`
	Projects int                 `json:"projects"`
	Counts   map[decide.Kind]int `json:"counts"`
	Groups   []Group             `json:"groups"` // the largest first
	More     int                 `json:"more"`   // groups that are not listed
	// Lost is what the failed builds cost, by cause.
	Lost []Lost `json:"lost,omitempty"`

	act act
	to  decide.Audience
}

// Group stands for the equal results of one project.
type Group struct {
	Account  string      `json:"account"`
	Region   string      `json:"region"`
	Project  string      `json:"project"`
	Cause    string      `json:"cause"`
	Kind     decide.Kind `json:"kind"`
	Failures int         `json:"failures"`
	Headline string      `json:"headline"`        // of the newest
	Case     string      `json:"case"`            // the newest
	Build    string      `json:"build,omitempty"` // link to its build
	At       time.Time   `json:"at"`
}

// maxGroups bounds a digest.
const maxGroups = 40

// Digest puts many outcomes into one message, all for the same audience. Its ID depends only on that
// and on the set of their IDs.
func Digest(os []decide.Outcome) Message {
	r := roundup(os)
	return Message{
		ID:         r.ID,
		Subject:    subject("digest", r.Headline),
		Email:      r.email(),
		Chat:       jsonText(r.card()),
		JSON:       jsonText(r),
		Default:    r.Headline + ".",
		attributes: attributes("digest", r.to, Case{}, "", ""),
	}
}

func roundup(os []decide.Outcome) Roundup {
	r := Roundup{Schema: RoundupSchema, Counts: map[decide.Kind]int{}, Groups: []Group{}}
	type key struct {
		account, region, project, cause string
		kind                            decide.Kind
	}
	groups := map[key]*Group{}
	projects := map[[3]string]bool{}
	ids := []string{}
	lost := newLoss()
	for _, o := range os {
		v := newView(withheld(o))
		n := tell(v)
		lost.add(v)
		ids, r.to = append(ids, n.ID), o.For
		k := key{n.Case.Account, n.Case.Region, n.Case.Project, n.Cause, n.Kind}
		g := groups[k]
		if g == nil {
			g = &Group{Account: k.account, Region: k.region, Project: k.project, Cause: k.cause, Kind: k.kind}
			groups[k] = g
		}
		g.Failures += 1 + n.Repeats
		if !n.At.Before(g.At) {
			g.At, g.Headline, g.Case, g.Build = n.At, n.Headline, n.Case.ID, cmp.Or(n.Links.Build, n.Links.Pipeline)
		}
		r.Failures += 1 + n.Repeats
		r.Counts[n.Kind] += 1 + n.Repeats
		projects[[3]string{k.account, k.region, k.project}] = true
		if n.At.After(r.At) {
			r.At = n.At
		}
		if r.From.IsZero() || n.At.Before(r.From) {
			r.From = n.At
		}
	}
	for _, g := range groups {
		r.Groups = append(r.Groups, *g)
	}
	slices.SortFunc(r.Groups, func(a, b Group) int {
		return cmp.Or(cmp.Compare(b.Failures, a.Failures), cmp.Compare(a.Project, b.Project),
			cmp.Compare(a.Cause, b.Cause), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Account, b.Account),
			cmp.Compare(a.Region, b.Region))
	})
	if len(r.Groups) > maxGroups {
		r.Groups, r.More = r.Groups[:maxGroups], len(r.Groups)-maxGroups
	}
	r.act.todo = "To do: look at what was not healed."
	if len(os) > 0 {
		if link := commandsLink(id(os[0].Function), os[0].Home.Region); link != "" {
			r.act = act{r.act.todo + " For all cases, open this page, paste the line below, press Test:", link, []string{`{"status":{}}`}}
		}
	}
	r.Projects, r.Lost = len(projects), lost.list()
	r.Headline = fmt.Sprintf("%s in %s: %s", plural(r.Failures, "notice"), plural(r.Projects, "project"),
		strings.Join(r.counts(), ", "))
	if r.to.Owner != "" {
		ids = append(ids, "to "+r.to.Owner)
	}
	slices.Sort(ids)
	sum := sha256.Sum256([]byte(strings.Join(ids, "\n")))
	r.ID = "digest." + hex.EncodeToString(sum[:8])
	return r
}

// kindOrder is the order in which the counts are listed.
var kindOrder = []decide.Kind{decide.Healed, decide.Proposed, decide.Requested, decide.Reported, decide.Undone,
	decide.Failed, decide.MadePermanent, decide.Retrying, decide.Expiring, decide.Paused, decide.OfIncident}

func (r Roundup) counts() []string {
	var out []string
	for _, k := range kindOrder {
		if n := r.Counts[k]; n > 0 {
			out = append(out, thousands(n)+" "+string(k))
		}
	}
	return out
}

func (r Roundup) email() string {
	l := letter{foot: "Buildmedic, notice " + r.ID, rest: "All of it: {\"status\":{}} or buildmedic history."}
	for newest := 3; newest >= 0; newest-- { // of the groups, on the first screen
		l.first = []string{fitRows(r.Headline+".", 5)}
		for _, g := range r.Groups[:min(len(r.Groups), newest)] {
			l.first = append(l.first, "* "+middle(g.line(middle(g.about(), phone/2)), 2*phone))
		}
		l.first = append(l.first, "", r.act.todo)
		if r.act.link != "" {
			l.first = append(l.first, r.act.link)
		}
		if rowsOf(l.first) <= firstRows {
			break
		}
	}
	l.first = append(l.first, r.act.paste...)
	var items []string
	for _, g := range r.Groups {
		items = append(items, "* "+middle(g.line(g.name()), mailText)+" (case "+g.Case+")")
	}
	l.apart()
	l.add("when it was", fmt.Sprintf("There were too many notices to send one by one. These are of %s to %s.", stamp(r.From),
		stamp(r.At)))
	l.list("the projects", "By project:", items, r.More)
	l.list("build time lost", "Build time lost:", lostItems(r.Lost), 0)
	return l.text()
}

// line tells of a group in a mail, under this name.
func (g Group) line(name string) string {
	return fmt.Sprintf("%s: %s %s, %s", name, thousands(g.Failures), g.Kind, g.Headline)
}

// about is the project, or the healer itself.
func (g Group) about() string {
	if g.Project == "" || g.Kind == decide.Paused {
		return "Buildmedic"
	}
	return g.Project
}

func (g Group) name() string {
	s := g.about()
	if g.Account != "" {
		s += fmt.Sprintf(" (%s, %s)", g.Account, g.Region)
	}
	return s
}

func (r Roundup) card() Card {
	parts := []string{prosemark(r.Headline + ".")}
	if len(r.Lost) > 0 {
		parts = append(parts, "*Build time lost*\n"+bullets(lostWords(r.Lost)))
	}
	for _, g := range r.Groups {
		parts = append(parts, fmt.Sprintf("%s %s %s× %s", marks[g.Kind], code(g.about()), thousands(g.Failures),
			prosemark(g.Headline)))
	}
	if r.More > 0 {
		parts = append(parts, fmt.Sprintf("And %s more.", plural(r.More, "group")))
	}
	return Card{Version: "1.0", Source: "custom", ID: r.ID,
		Content: Content{TextType: "client-markdown", Title: "🗞 " + fit(prosemark(r.Headline), maxTitle),
			Description: fitParts(parts), Keywords: []string{"digest"}},
		Metadata: Metadata{Summary: fit(prosemark(r.Headline), maxTitle), EventType: "buildmedic.digest",
			EnableCustomActions: true},
	}
}

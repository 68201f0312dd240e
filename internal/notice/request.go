package notice

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/diagnose"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/lazyregexp"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// Request is a pull request that asks, in the code that owns the role's policy, for what a grant gives.
type Request struct {
	Grant      string              `json:"grant"`
	Repository string              `json:"repository"`
	Path       string              `json:"path"`           // of the policy's file
	Base       string              `json:"base,omitempty"` // branch that it is for; left out: the default one
	Branch     string              `json:"branch"`
	Number     string              `json:"number,omitempty"` // left out where there is none
	URL        string              `json:"url,omitempty"`    // of its page
	State      decide.RequestState `json:"state"`
	Seen       time.Time           `json:"seen,omitzero"` // when it was found to be so
}

const (
	maxRequests = 20
	maxLink     = 400 // bytes of a request's address
	cardLinks   = 5   // requests whose page a card names
)

// requested are the pull requests that the outcome tells of: those of the latest round, or, of a case
// in which a build was started again, those of all rounds that did so since IAM allows now what they
// ask for. Those that a person must look at come first.
func (v *view) requested() (out []decide.Request) {
	var rounds []decide.Round
	switch v.Kind {
	case decide.Requested, decide.Reported, decide.MadePermanent:
		rounds = []decide.Round{v.latest}
	case decide.Retrying:
		rounds = slices.DeleteFunc([]decide.Round{v.latest}, notThrough)
	case decide.Healed, decide.Failed, decide.Undone:
		rounds = slices.DeleteFunc(slices.Clone(v.acted), func(r decide.Round) bool {
			return notThrough(r) && (v.Kind != decide.Healed || !r.Bridges())
		})
	}
	for _, r := range rounds {
		for _, q := range r.Requests {
			if v.Kind == decide.MadePermanent { // all of them have
				q.State = decide.RequestLanded
			}
			if q.State == "" { // not made yet
				continue
			}
			same := func(o decide.Request) bool { return o.Grant == q.Grant && o.Name() == q.Name() && o.Path == q.Path }
			if i := slices.IndexFunc(out, same); i >= 0 {
				out[i] = q
			} else {
				out = append(out, q)
			}
		}
	}
	rank := map[decide.RequestState]int{decide.RequestEdited: 1, decide.RequestBehind: 2, decide.RequestDeclined: 3,
		decide.RequestLanded: 5}
	order := func(q decide.Request) int { return cmp.Or(rank[q.State], 4) }
	slices.SortStableFunc(out, func(a, b decide.Request) int { return order(a) - order(b) })
	return out
}

// notThrough: the round has not started its build since IAM allows what its requests ask for.
func notThrough(r decide.Round) bool {
	return len(r.Requests) == 0 || !r.Written.IsZero() || r.RetryAt.IsZero()
}

// isThrough reports whether IAM allows now what the requests ask for, so that the build was started
// again, or would have been but for a rule.
func (v *view) isThrough() bool {
	d := v.latest.Decision
	switch {
	case len(v.requests) == 0 || v.Kind == decide.Requested || v.Kind == decide.MadePermanent:
		return false
	case v.planned:
		return v.plan.Remedy == diagnose.Retry
	}
	return d != nil && (d.Remedy == diagnose.Retry || refusedAs(d.Refusals, guardrail.NewerBuild))
}

func refusedAs(rs []guardrail.Refusal, rule guardrail.Rule) bool {
	return slices.ContainsFunc(rs, func(r guardrail.Refusal) bool { return r.Rule == rule })
}

// forgone: the case waits no longer for its requests, though they stand as they are.
func (v *view) forgone() bool {
	d := v.latest.Decision
	return v.Kind == decide.Reported && len(v.requests) > 0 && v.latest.Requested() && d != nil && d.Plan.InCode()
}

// bridged: what the requests ask for stands in IAM until the code gives it.
func (v *view) bridged() bool { return v.Kind == decide.Requested && v.latest.Bridges() }

func requests(v *view) (out []Request) {
	for _, q := range v.requests[:min(len(v.requests), maxRequests)] {
		out = append(out, Request{Grant: id(q.Grant), Repository: id(q.Repository), Path: id(q.Path), Base: id(q.Base),
			Branch: id(q.Branch), Number: id(q.Number), URL: requestLink(q, v.Settings),
			State: decide.RequestState(id(string(q.State))), Seen: utc(q.Seen)})
	}
	return out
}

// requestForm is what a request's address looks like at GitHub and in the AWS console.
var requestForm = lazyregexp.New(`^https://[A-Za-z0-9.-]+(?::[0-9]{1,5})?(?:/[A-Za-z0-9._-]+/[A-Za-z0-9._-]+/pull/[0-9]{1,12}|` +
	`/codesuite/codecommit/repositories/[A-Za-z0-9._-]+/pull-requests/[0-9]{1,12}/details\?region=[a-z0-9-]{1,30})$`)

// requestLink is the address of a request's page, if it is one of this request at the code host of the
// settings, or in the AWS console: no other address becomes a link, whoever put it there.
func requestLink(q decide.Request, s *settings.Settings) string {
	u, err := url.Parse(q.URL)
	if err != nil || len(q.URL) > maxLink || !requestForm.MatchString(q.URL) || q.Number == "" {
		return ""
	}
	page := "/codesuite/codecommit/repositories/" + q.Repository + "/pull-requests/" + q.Number + "/details"
	for _, console := range consoles {
		if u.Host == console && u.Path == page {
			return q.URL
		}
	}
	if s != nil && strings.EqualFold(u.Host, s.GitHubHost()) && u.Path == "/"+q.Repository+"/pull/"+q.Number {
		return q.URL
	}
	return ""
}

// name is what people call the request; "" where there is none.
func (r Request) name() string {
	if r.Number == "" {
		return ""
	}
	return decide.Request{Repository: r.Repository, Number: r.Number}.Name()
}

// begin begins a sentence with a label of ours; the name of a repository stays as it is.
func begin(label string) string {
	if strings.HasPrefix(label, "pull request ") || strings.HasPrefix(label, "grant ") {
		return capital(label)
	}
	return label
}

// label is the name, or without one what is asked for.
func (r Request) label() string { return cmp.Or(r.name(), "grant "+r.Grant) }

// file is where the policy is; the request's name has the repository already.
func (r Request) file() string {
	if r.name() != "" {
		return r.Path
	}
	return r.Path + " of " + r.Repository
}

// branch names the branch, with its request if there is one.
func (r Request) branch() string {
	if name := r.name(); name != "" {
		return name
	}
	return "branch " + r.Branch
}

// words says in a sentence how it stands with the request.
func (r Request) words() string {
	switch r.State {
	case decide.RequestUpdated:
		return fmt.Sprintf("%s, which was open, asks for this, too: grant %s, in file %s.", begin(r.label()), r.Grant, r.Path)
	case decide.RequestWaiting:
		return fmt.Sprintf("Grant %s is asked for already in %s, which is open, in file %s.", r.Grant, r.label(), r.file())
	case decide.RequestLanded:
		s := fmt.Sprintf("File %s has what grant %s gives already", r.file(), r.Grant)
		if name := r.name(); name != "" {
			s += ", as " + name + " asked"
		}
		return s + ". What is missing is that it is deployed."
	case decide.RequestDeclined:
		return fmt.Sprintf("%s, which asked for grant %s, was closed unmerged.", begin(r.label()), r.Grant)
	case decide.RequestEdited:
		return fmt.Sprintf("Somebody has changed %s, which asks for grant %s in file %s. So its branch is theirs, and was left alone.",
			r.branch(), r.Grant, r.file())
	case decide.RequestBehind:
		return fmt.Sprintf("File %s has changed since %s asked for grant %s there. So it was left alone, though it does not ask for all: "+
			"merge it, and the rest is asked for anew, or close it.", r.Path, r.label(), r.Grant)
	}
	return r.past()
}

// past says what was asked for, of a request that is over.
func (r Request) past() string {
	name := r.name()
	switch {
	case name == "":
		return fmt.Sprintf("File %s has what grant %s gives.", r.file(), r.Grant)
	case r.State == decide.RequestLanded:
		return fmt.Sprintf("Grant %s was asked for in %s, which was merged into file %s.", r.Grant, name, r.Path)
	}
	return fmt.Sprintf("Grant %s was asked for in %s, in file %s.", r.Grant, name, r.Path)
}

// requestWords are the sentences about the requests. How it stands with them a note may say already.
func (n Notice) requestWords() (out []string) {
	for _, r := range n.Requests {
		if n.through || n.noted || n.Kind == decide.MadePermanent {
			out = append(out, r.past())
		} else {
			out = append(out, r.words())
		}
	}
	return out
}

// landed reports whether all that is missing is that the requests are deployed.
func landed(rs []Request) bool {
	return len(rs) > 0 && !slices.ContainsFunc(rs, func(r Request) bool { return r.State != decide.RequestLanded })
}

// got says in a few words that what the requests ask for is there.
func (s wording) got() string {
	var labels []string
	for _, r := range s.n.Requests {
		labels = append(labels, r.label())
	}
	what := list(labels, 2)
	switch {
	case !landed(s.n.Requests): // it may be allowed in another way
		return "role has what " + what + " " + verbFor(len(labels), "asks", "ask") + " for"
	case s.n.Requests[0].name() == "":
		return what + " deployed"
	}
	return what + " merged and deployed"
}

func verbFor(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// asking are the requests that ask for something still, or are to be looked at.
func asking(rs []Request) []Request {
	return slices.DeleteFunc(slices.Clone(rs), func(r Request) bool { return r.State == decide.RequestLanded })
}

// asked says in a few words, of a case that waits for requests, what is asked for where.
func (s wording) asked() (what, where string) {
	rs := asking(s.n.Requests)
	if len(rs) == 0 {
		rs = s.n.Requests
	}
	var labels []string
	for _, r := range rs {
		if name := r.name(); name != "" {
			labels = append(labels, name)
		}
	}
	what = "what the grants give"
	switch {
	case len(rs) == 1:
		what = "grant " + rs[0].Grant
	case len(rs) > 1:
		what = plural(len(rs), "grant")
	}
	return what, list(labels, 2)
}

// requestState is the state that a notice is about first.
func (s wording) requestState() decide.RequestState {
	if len(s.n.Requests) == 0 {
		return decide.RequestOpened
	}
	return s.n.Requests[0].State
}

func (s wording) requestHeadline() string {
	what, where := s.asked()
	in := ""
	if where != "" {
		in = " in " + where
	}
	switch s.requestState() {
	case decide.RequestDeclined: // of a change that stands
		return s.n.Requests[0].label() + " was closed unmerged, the change stays"
	case decide.RequestEdited:
		return "somebody changed " + s.n.Requests[0].branch() + ", so it is left alone"
	case decide.RequestBehind:
		return s.n.Requests[0].label() + " is out of date: merge or close it"
	case decide.RequestWaiting:
		return what + " asked for already" + in
	case decide.RequestLanded:
		if s.bridged() {
			return "the code gives it, but the change in IAM was not taken out"
		}
		return what + " not deployed yet"
	}
	return what + " asked for" + in
}

// requestLead is what a lead says, in a row of a phone, and its detail.
func (s wording) requestLead() (says, detail string) {
	what, where := s.asked()
	in := what
	if where != "" {
		in += " in " + where
	}
	failed := " failed, and"
	if s.bridged() {
		failed = " is healed;"
	}
	switch s.requestState() {
	case decide.RequestDeclined:
		return failed + " its request was closed unmerged", s.n.Requests[0].label()
	case decide.RequestEdited:
		return failed + " its request was changed", s.n.Requests[0].branch()
	case decide.RequestBehind:
		return failed + " its request is out of date", s.n.Requests[0].label()
	}
	switch {
	case s.bridged() && s.requestState() == decide.RequestLanded:
		return failed + " its change was not taken out", what
	case s.bridged():
		return failed + " that is not permanent yet", where
	}
	switch s.requestState() {
	case decide.RequestWaiting:
		return " failed; its repair is asked for already", in
	case decide.RequestLanded:
		return " failed, and its repair is not deployed", what
	}
	return " failed, and its repair was asked for", in
}

func (s wording) todoRequested() (long, short string) {
	it := verbFor(len(asking(s.n.Requests)), "it", "them")
	switch s.requestState() {
	case decide.RequestDeclined:
		return "To do: keep the change, or undo it.", "To do: keep it or undo it."
	case decide.RequestEdited:
		return "To do: look at the change; merge or close it.", "To do: merge or close it."
	case decide.RequestBehind:
		return "To do: merge it, or close it.", "To do: merge or close it."
	case decide.RequestLanded:
		if s.bridged() {
			return "To do: take it out of IAM; see below.", "To do: see below."
		}
		return "To do: deploy it, if that does not happen by itself.", "To do: deploy it."
	}
	return "To do: review, merge and deploy " + it + ".", "To do: review and merge " + it + "."
}

// awaits says what a case that waits for requests waits for, and what comes then.
func (s wording) awaits(say func(string)) {
	open := len(asking(s.n.Requests))
	once := "Once it is merged and deployed"
	switch {
	case open == 0:
		once = "Once it is deployed"
	case len(s.n.Requests) > 1:
		once = "Once all of it is merged and deployed"
	}
	switch {
	case s.bridged() && (s.requestState() == decide.RequestDeclined || s.requestState() == decide.RequestLanded):
		return // the note says what follows
	case s.bridged():
		say(once + ", the change is taken out of IAM again by itself.")
	case s.plan.Route == decide.RouteNone:
		say(once + ", start the build again: the settings leave that to you.")
	case s.Function == "": // the case may be in a ledger at which nobody looks
		say(once + ", the function starts the build again, if the case is in its ledger. Else start it by hand.")
	default:
		say(once + ", the build is started again by itself.")
	}
	switch {
	case open == 1:
		say("Closed unmerged, it is not asked for again until the grant changes.")
	case open > 1:
		say("What is closed unmerged is not asked for again until its grant changes.")
	}
}

// throughWords say how a build came to be started again whose repair was asked for.
func (s wording) throughWords() string {
	return "Buildmedic wrote nothing in IAM: it asked for that in the code that owns the role's policy. The role is allowed it now, " +
		"so the build was started again."
}

// requestActs are the pages of the requests, as ways to act.
func (n Notice) requestActs() (as []act) {
	if n.Kind != decide.Requested && n.Kind != decide.MadePermanent {
		return nil
	}
	for i, r := range n.Requests {
		if r.URL == "" {
			continue
		}
		todo := n.Todo + " " + begin(middle(r.label(), phone)) + ":"
		if i == 0 && len(asking(n.Requests)) > 1 {
			todo = n.Todo + " The first, " + middle(r.label(), phone) + ":"
		}
		return []act{{todo: todo, link: r.URL}}
	}
	return nil
}

// mailRequests tells of each request, with its page.
func (n Notice) mailRequests(l *letter, s screen) {
	l.apart()
	words := n.requestWords()
	for i, r := range n.Requests {
		lines := []string{fitRows(words[i], 6)}
		if r.URL != "" && r.URL != s.act.link {
			lines = append(lines, r.URL)
		}
		l.add("the pull requests", lines...)
	}
}

func (m *report) requests(n Notice) {
	if len(n.Requests) == 0 {
		return
	}
	m.head("Pull requests")
	for i, words := range n.requestWords() {
		m.hang("  * ", words)
		if link := n.Requests[i].URL; link != "" {
			m.line("    " + link)
		}
	}
	m.end()
}

// requestSteps are the pages of the requests, in a card.
func (n Notice) requestSteps() (out []string) {
	for _, r := range n.Requests[:min(len(n.Requests), cardLinks)] {
		if r.URL != "" {
			name := strings.TrimPrefix(r.label(), "pull request ")
			out = append(out, "Pull request "+prosemark(name)+": "+r.URL)
		}
	}
	return out
}

// askedIn describes what a round asked for, of a timeline.
func askedIn(r Request) string {
	switch {
	case r.State == decide.RequestLanded:
		return fmt.Sprintf("File %s has what grant %s gives.", r.file(), r.Grant)
	case r.State == decide.RequestDeclined:
		return fmt.Sprintf("Found %s closed unmerged, which asked for grant %s.", r.label(), r.Grant)
	case r.name() == "":
		return fmt.Sprintf("Found %s changed by somebody.", r.branch())
	case r.State == decide.RequestWaiting, r.State == decide.RequestEdited, r.State == decide.RequestBehind:
		return fmt.Sprintf("Grant %s was asked for already in %s.", r.Grant, r.name())
	}
	return fmt.Sprintf("Asked for grant %s in %s.", r.Grant, r.name())
}

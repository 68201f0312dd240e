package decide

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/buildmedic/buildmedic/internal/diagnose"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/lazyregexp"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// An incident is failures of one cause in many projects at once, of which no grant cures any: a
// registry that does not answer, a token that has expired, a role that lacks something which the
// settings do not give. What a role lacks and is given has a road of its own; see [Follow].
//
// What is the same about such failures, their sign, is made of the builds' own texts, and whoever
// commits to a project chooses these. So a sign decides nothing but how long a build waits, which is
// bounded, and which notice tells of it:
//
//   - an incident opens only if builds that are the team's own fail so in several projects, and takes
//     in only what bears its sign by its own log: nobody's log speaks for another build;
//   - it ends by green builds of two projects, or of the only one whose builds wait, and each probe is of
//     another project than the one before it, so that no project alone can keep the others waiting, or
//     have them all started while the cause is there;
//   - whoever has waited for [Patience] is started again by itself, as if there were no incident; only if
//     that fails of the same does it wait once more, so that limits.rounds bounds how often;
//   - a start that the incident has made, and that fails of its sign, does not count for limits.rounds,
//     for at most [MaxSpared] starts of a case;
//   - nothing is granted by it, and what waits for an approval is told by itself;
//   - a member that is not told of by itself is in the incident's own notices, with its build.

// Sign is what is the same about failures of one cause in different projects of an account and region.
type Sign struct {
	Key    string          `json:"key"`   // stands for all of it, with the account and region; hex
	Cause  string          `json:"cause"` // or what several causes have in common
	What   string          `json:"what,omitempty"`
	Remedy diagnose.Remedy `json:"remedy"` // of the diagnoses
}

// What several causes have in common.
const (
	unreachable = "unreachable"
	rateLimited = "rate-limited"
)

// common says which causes many projects may have in common. same stands in the place of the cause
// where several mean the same, host is the one that is meant where the log names none, and hostless
// says that none is needed: the cause is the account's.
var common = map[string]struct {
	same, host string
	hostless   bool
}{
	"registry-unavailable":             {same: unreachable},
	"docker-pull-failed":               {same: unreachable},
	"os-package-mirror":                {same: unreachable},
	"dns-failure":                      {same: unreachable},
	"network-failure":                  {same: unreachable},
	"docker-rate-limit":                {same: rateLimited, host: "registry-1.docker.io"},
	"registry-rate-limit":              {same: rateLimited},
	"github-rate-limit":                {same: rateLimited, host: "api.github.com"},
	"codebuild-fault":                  {hostless: true},
	"insufficient-capacity":            {hostless: true},
	"throttling":                       {hostless: true},
	"aws-internal-error":               {hostless: true},
	"expired-credentials":              {hostless: true},
	"connection-refused":               {},
	"endpoint-unreachable":             {},
	"tls-certificate":                  {},
	"download-refused":                 {},
	"git-auth":                         {},
	"npm-unauthorized":                 {},
	"python-index-refused":             {},
	"registry-authentication-required": {},
	"registry-access-denied":           {},
	"docker-login-failed":              {},
	"source-authorization-failed":      {},
	"source-access-denied":             {},
	"serverless-login-required":        {},
	"sonar-login-failed":               {},
}

// ofRole are causes that the service role has, whatever the project.
var ofRole = []string{"service-role-not-assumable"}

// SignOf gives the sign of the failure that was decided about; ok is false if it has none, or if
// something is done about it that an incident must not delay or hide: a change, a plan that waits
// for a person, a wait for evidence, what a person asked for. Nor has an action of a pipeline one, which
// has pauses of its own.
func SignOf(f Facts, d Decision) (s Sign, ok bool) {
	g := f.Diagnosis
	starts := d.Plan != nil && d.Remedy == diagnose.Retry && g.Remedy == diagnose.Retry
	switch {
	case g.Fingerprint == "", f.Build.Action != nil, f.Replayed, d.Undo > 0, d.Waits, d.Flaky > 0, d.Follows != "", d.Proposes(),
		len(f.Requests) > 0, d.Remedy == diagnose.Ignore, d.Plan != nil && !starts,
		guardrail.Runner(f.Build, f.Project): // its notice says where its job is run again
		return s, false
	}
	s = Sign{Cause: g.Cause, Remedy: g.Remedy}
	var more []string
	role, named := f.RoleInHand()
	c, known := common[g.Cause]
	switch {
	case len(f.Causal()) > 0 || slices.Contains(ofRole, g.Cause):
		if !named {
			return s, false
		}
		s.What = role.ARN()
		more = append(denialKeys(g), rulesOf(d)...)
	case !known:
		return s, false
	case c.hostless:
	default:
		if s.What = cmp.Or(hostOf(g), c.host); s.What == "" {
			return s, false
		}
	}
	if g.Remedy == diagnose.Retry { // the notices tell what came of each: they need not be of one cause by name
		s.Cause = cmp.Or(c.same, s.Cause)
	}
	at := f.Build.At()
	s.Key = hashed(strings.Join(append([]string{at.Account, at.Region, s.Cause, string(s.Remedy), s.What}, more...), "\x00"))[:16]
	return s, true
}

// ToldByIncident reports whether the notices of an incident of the sign say all that a person needs to
// know of a build for which nothing is done: of a cause that passes, not if the settings have to be
// changed for the build to be started again.
func ToldByIncident(s Sign, d Decision) bool {
	own := func(r guardrail.Refusal) bool { return r.Rule != guardrail.RetryForbidden }
	return s.Remedy != diagnose.Retry || !slices.ContainsFunc(d.Refusals, own)
}

// rulesOf lists the rules that refused, each once.
func rulesOf(d Decision) (out []string) {
	for _, r := range d.Refusals {
		out = append(out, string(r.Rule))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// hostNear is how many lines from the evidence the host may be named.
const hostNear = 3

// hostOf finds the host that a failure is about: in the evidence, or else in the nearest line that
// names one; "" if there is none.
func hostOf(g diagnose.Diagnosis) string {
	if h := hostIn(g.Evidence.Text); h != "" || g.Evidence.Line == 0 {
		return h
	}
	for far := 1; far <= hostNear; far++ {
		for _, l := range g.Excerpt {
			if l.N == g.Evidence.Line-far || l.N == g.Evidence.Line+far {
				if h := hostIn(l.Text); h != "" {
					return h
				}
			}
		}
	}
	return ""
}

var (
	// inURL is a host in a URL, without who logs in there.
	inURL = lazyregexp.New(`(?i)\b[a-z][a-z0-9+.-]*://(?:[^\s"'<>@/]*@)?([a-z0-9.-]+)`)
	// afterWord is a host after the words by which tools name one.
	afterWord = lazyregexp.New(`(?i)\b(?:resolve(?: host(?:name)?)?|resolving|lookup|EAI_AGAIN|ENOTFOUND|connect(?:ing)? to|` +
		`host(?:name)?|server|registry)[:=]? ["'` + "`" + `]?([a-z0-9-]+(?:\.[a-z0-9-]+)+)`)
)

// hostIn finds a host in a line. Addresses, and names that mean another host in each build, are none.
func hostIn(line string) string {
	for _, re := range []*lazyregexp.Regexp{inURL, afterWord} {
		m := re.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		h := strings.ToLower(strings.Trim(m[1], ".-"))
		top := h[strings.LastIndexByte(h, '.')+1:]
		if _, err := netip.ParseAddr(h); err == nil || len(h) > 253 || top == h || len(top) < 2 ||
			slices.Contains([]string{"local", "localhost", "localdomain", "internal", "invalid", "test", "example"}, top) {
			continue
		}
		return h
	}
	return ""
}

// How an incident goes on.
const (
	// Within is the time in which so many projects must fail for an incident to open. It is counted
	// from each full quarter of an hour, so that counting takes no more than one call.
	Within = 15 * time.Minute
	// Gathering is how long its first notice waits for more projects.
	Gathering = time.Minute
	// Patience is how long a member waits at most. Then it goes its own road.
	Patience = 2 * time.Hour
	// Lasts is after how long at most an incident ends, whatever has come of it.
	Lasts = 8 * time.Hour
	// Quiet is after how long without a new member it ends if nobody waits for it.
	Quiet = time.Hour
	// UnderWay is how long the next probe waits for one that was started.
	UnderWay = 30 * time.Minute
	// TellsFor is how long its last notice waits for builds that were started once it was over. One that
	// ends later tells of itself.
	TellsFor = time.Hour

	lookAgain  = 5 * time.Minute
	lookRarely = 10 * time.Minute // so often that those who fail in the meantime find it open
	firstPause = 2 * time.Minute  // between two probes, doubled each time
	mostPause  = 15 * time.Minute
	firstTell  = 15 * time.Minute // between two notices, doubled each time
	mostTell   = 4 * time.Hour
	// mostToldOnly bounds the pause for those who are told of by its notices alone.
	mostToldOnly = 30 * time.Minute
	maxProbed    = 50
	// MaxSpared is how many starts of a case that an incident has made, and that failed of its sign, do not
	// count for limits.rounds.
	MaxSpared = 8
	// MaxOwners bounds the owners who are told of their own projects by one notice.
	MaxOwners = 50
)

// Incident is an incident as the ledger keeps it, under the key of its sign. Only whoever keeps it
// writes it: its members are items of their own.
type Incident struct {
	Sign    Sign   `json:"sign"`
	Number  int    `json:"number"` // of those with this sign, from 1
	Account string `json:"account"`
	Region  string `json:"region"`
	// Speaker is the case in whose outbox its notices are: the one that opened it, or another if that is gone.
	Speaker string    `json:"speaker"`
	Opened  time.Time `json:"opened"`
	Ended   time.Time `json:"ended,omitzero"`
	End     Ending    `json:"end,omitempty"`
	// First are those that had failed before it opened, and go their own roads.
	First []Member `json:"first,omitempty"`
	// Probe is the case whose build is the probe, since ProbeAt; "" if none is. Probed are all that
	// were, the last of them last; Pauses counts those that failed, and no other begins before NotYet.
	Probe   string    `json:"probe,omitempty"`
	ProbeAt time.Time `json:"probe_at,omitzero"`
	Probed  []Member  `json:"probed,omitempty"`
	Probes  int       `json:"probes,omitempty"`
	Pauses  int       `json:"pauses,omitempty"`
	NotYet  time.Time `json:"not_yet,omitzero"`
	// Since: a build that was started later, and is green, shows that the cause is gone.
	Since time.Time `json:"since"`
	// Green is since when the cause is gone, as far as a build has shown; zero if none has. Freed is when
	// those that wait were started last.
	Green time.Time `json:"green,omitzero"`
	Freed time.Time `json:"freed,omitzero"`
	Next  time.Time `json:"next,omitzero"` // when it is looked at next
	// Left: those that joined by then have waited for [Patience], and go their own roads.
	Left time.Time `json:"left,omitzero"`
	// Notices counts those that were told, the last at ToldAt, of so many members each owner is told
	// of, and of so many projects in all.
	Notices int            `json:"notices,omitempty"`
	ToldAt  time.Time      `json:"told_at,omitzero"`
	Told    map[string]int `json:"told,omitempty"`
	// Busy is until when an invocation keeps it; zero: none does.
	Busy time.Time `json:"busy,omitzero"`
	Last Followers `json:"last,omitzero"` // what was seen of its members last
}

// Ending is how an incident ended.
type Ending string

// The endings.
const (
	EndGreen Ending = "green" // builds of its members are green again
	EndQuiet Ending = "quiet" // nothing new failed of it for [Quiet]
	EndLong  Ending = "long"  // it went on for [Lasts]: each goes its own road
)

// Name names the incident, and no other one of its sign.
func (n Incident) Name() string { return fmt.Sprintf("%s-%d", n.Sign.Key, n.Number) }

// IncidentKey is the key of the sign of an incident by its name.
func IncidentKey(name string) string {
	key, _, _ := strings.Cut(name, "-")
	return key
}

// Open reports whether it goes on.
func (n Incident) Open() bool { return n.Number > 0 && n.Ended.IsZero() }

// Transient reports whether its cause passes by itself, so that members wait for its end. Else they
// are only told of by it.
func (n Incident) Transient() bool { return n.Sign.Remedy == diagnose.Retry }

// Member is a case in an incident.
type Member struct {
	Case    string    `json:"case"`
	Project string    `json:"project"`
	Build   string    `json:"build"`
	Joined  time.Time `json:"joined,omitzero"`
	// Waits: the case waits for the end of the incident.
	Waits bool `json:"waits,omitempty"`
	// MayProbe: the build is the team's own, so that it can be the probe.
	MayProbe bool `json:"may_probe,omitempty"`
}

// spared counts the starts that do not count for limits.rounds: those that an incident has made of a member,
// as its probe or to free it, whose build failed of the incident's sign again.
func spared(f Facts) (n int) {
	failed := func(i int) (build string, keys []string) {
		if i < len(f.Earlier) {
			r := f.Earlier[i]
			return r.Build.ID, []string{r.Sign, IncidentKey(r.Incident)}
		}
		s, _ := SignOf(f, Decision{Mode: settings.Heal, Remedy: f.Diagnosis.Remedy, Plan: &Plan{}})
		return f.Build.ID, []string{s.Key}
	}
	for i, r := range f.Earlier {
		if r.Incident == "" || r.Told || r.Own || r.Retry == "" {
			continue
		}
		if build, keys := failed(i + 1); build == r.Retry && slices.Contains(keys, IncidentKey(r.Incident)) {
			n++
		}
	}
	return min(n, MaxSpared)
}

// AwaitsIncident reports whether the case waits for the end of the incident.
func (c Case) AwaitsIncident(name string) bool {
	if !c.Closed.IsZero() || len(c.Rounds) == 0 {
		return false
	}
	r := last(c.Rounds)
	return r.Step == StepJoined && r.Incident == name
}

// Shows says what the case shows of whether the incident's cause is gone: green, if a build that it
// started since then is; failed, if one has failed. Neither: not yet, or nothing.
func (n Incident) Shows(c Case) (green, failed bool) {
	for i, r := range slices.Backward(c.Rounds) {
		if r.Old || !r.RetryAt.After(n.Since) {
			continue
		}
		if i == len(c.Rounds)-1 {
			return c.Outcome == Healed && !r.Ended.IsZero(), !c.Closed.IsZero() && c.Outcome != Healed
		}
		return false, true // another round came of it
	}
	return false, false
}

// Sight is what is seen of an incident's members at a look.
type Sight struct {
	Greens   int  // projects of which a build shows that the cause is gone
	Failed   bool // the probe has failed
	Runs     bool // the probe, or one of those that failed first, has not ended
	Newest   time.Time
	AllGreen bool // of one that only tells: all projects are green again
	// What follows is seen once the cause is gone. Waiting: could not be started yet; Open: have not
	// ended; Relapsed: failed of it again, by builds that began since.
	Waiting, Open, Relapsed int
}

// Move is what is done about an incident next.
type Move string

// The moves.
const (
	MoveWait  Move = "wait"
	MoveProbe Move = "probe" // start the build of one member
	MoveFree  Move = "free"  // start the builds of all that wait
	MoveEnd   Move = "end"
)

// See takes in what is seen of the incident, and says what is done next; Next is when it is looked at
// again.
func (n *Incident) See(s Sight, now time.Time) Move {
	n.Next = now.Add(lookRarely)
	end := func(how Ending) Move { n.End = how; return MoveEnd }
	switch {
	case !n.Transient():
		switch {
		case s.AllGreen:
			return end(EndGreen)
		case now.Sub(s.Newest) >= Quiet:
			return end(EndQuiet)
		case now.Sub(n.Opened) >= Lasts:
			return end(EndLong)
		}
		return MoveWait
	case now.Sub(n.Opened) >= Lasts:
		return end(EndLong)
	case !n.Green.IsZero():
		switch {
		case s.Relapsed > 0:
			n.Green, n.Since, n.Probe = time.Time{}, now, ""
			n.pause(now)
			return MoveWait
		case s.Waiting > 0:
			n.Next, n.Freed = now.Add(Gathering), now
			return MoveFree
		case s.Open > 0 && now.Sub(n.Freed) < TellsFor:
			n.Next = now.Add(lookAgain)
			return MoveWait
		}
		return end(EndGreen)
	case s.Greens > 1:
		return n.Frees(now)
	case s.Failed && n.Probe != "":
		n.Probe = ""
		if s.Greens > 0 { // that one was green for a reason of its own
			n.Since = now
		}
		n.pause(now)
		return MoveWait
	case s.Greens == 0 && s.Runs && n.Probe == "" && now.Sub(n.Opened) < UnderWay, s.Runs && n.Probe != "" && now.Sub(n.ProbeAt) < UnderWay:
		n.Next = now.Add(lookAgain)
		return MoveWait
	case s.Greens > 0: // whether it is so for others shows with the next probe
		return MoveProbe
	case now.Before(n.NotYet):
		n.Next = n.NotYet
		return MoveWait
	}
	return MoveProbe
}

// Frees takes in that the cause is gone.
func (n *Incident) Frees(now time.Time) Move {
	n.Green, n.Freed, n.Probe, n.Next = now, now, "", now
	return MoveFree
}

func (n *Incident) pause(now time.Time) {
	n.NotYet = now.Add(min(firstPause<<min(n.Pauses, 8), mostPause))
	n.Pauses++
	n.Next = n.NotYet
}

// NoneWaits takes in that no member is left that could be the probe.
func (n *Incident) NoneWaits(newest, now time.Time) Move {
	n.Probe, n.Next = "", now.Add(lookRarely)
	if now.Sub(newest) < Quiet {
		return MoveWait
	}
	n.End = EndQuiet
	return MoveEnd
}

// Begins records that the member's build is the probe from now on.
func (n *Incident) Begins(m Member, now time.Time) {
	n.Probe, n.ProbeAt, n.Next = m.Case, now, now.Add(lookAgain)
	n.Probes++
	if n.Probed = append(n.Probed, m); len(n.Probed) > maxProbed {
		n.Probed = n.Probed[1:]
	}
}

// Candidates are the members whose builds may be the next probe, the best first: that of a project
// which was none for longest, so that no project decides alone how long the others wait.
func (n Incident) Candidates(ms []Member) (list []Member) {
	list = slices.DeleteFunc(slices.Clone(ms), func(m Member) bool { return !m.Waits || !m.MayProbe })
	lastly := map[string]int{}
	times := map[string]int{}
	for i, p := range n.Probed {
		lastly[p.Project] = i + 1
		times[p.Case]++
	}
	slices.SortStableFunc(list, func(a, b Member) int {
		return cmp.Or(cmp.Compare(lastly[a.Project], lastly[b.Project]), cmp.Compare(times[a.Case], times[b.Case]),
			a.Joined.Compare(b.Joined))
	})
	return list
}

// TellsNow reports whether it is time to tell of an incident that goes on: of the first members, or of
// new ones. projects is how many there are by now.
func (n Incident) TellsNow(projects int, now time.Time) bool {
	if n.Notices == 0 {
		return true
	}
	most := mostTell
	if !n.Transient() {
		most = mostToldOnly
	}
	return projects > n.Told[""] && !now.Before(n.ToldAt.Add(min(firstTell<<min(n.Notices-1, 8), most)))
}

// Tally is what a notice tells of an incident.
type Tally struct {
	Name   string    `json:"name"`
	Sign   Sign      `json:"sign"`
	Opened time.Time `json:"opened"`
	Ended  time.Time `json:"ended,omitzero"`
	End    Ending    `json:"end,omitempty"`
	Green  time.Time `json:"green,omitzero"`
	Again  bool      `json:"again,omitempty"` // it was told of before
	Waits  bool      `json:"waits,omitempty"` // builds wait, or have waited, for its end
	Probes int       `json:"probes,omitempty"`
	All    Followers `json:"all"`
	// Owners are those who are told of their own projects, at most [MaxOwners]; Unowned: some project
	// is nobody's who is, or there are more.
	Owners  []OwnersPart `json:"owners,omitempty"`
	Unowned bool         `json:"unowned,omitempty"`
}

// OwnersPart is what an owner is told of an incident.
type OwnersPart struct {
	Owner string    `json:"owner"`
	Part  Followers `json:"part"`
}

// For is what the audience is told of: its own projects, or all.
func (t Tally) For(a Audience) Followers {
	for _, p := range t.Owners {
		if p.Owner == a.Owner {
			return p.Part
		}
	}
	return t.All
}

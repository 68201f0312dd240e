package decide

import (
	"strings"
	"time"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/diagnose"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// Telling is what the developers of a project are told at their code host: how a case stands. It
// holds nothing but what they may read: no role, no policy, no line of a log.
type Telling struct {
	Case    string `json:"case"`
	Account string `json:"account"`
	Region  string `json:"region"`
	Project string `json:"project"`
	// Repository is the one in the settings, as HOST/OWNER/NAME, and Commit the one that was built.
	Repository  string        `json:"repository"`
	Commit      string        `json:"commit"`
	PullRequest int           `json:"pull_request,omitempty"` // 0: the build was of none
	How         settings.Tell `json:"how"`
	// Kind is how the case ended, or [Retrying]. Green: a later build of the commit is green, though
	// the case was not healed, or its change was taken back.
	Kind  Kind `json:"kind"`
	Green bool `json:"green,omitempty"`
	// Title is the cause's, which may repeat words of the log; "" if none is known.
	Title string `json:"title,omitempty"`
	// Build is the build to look at.
	Build string    `json:"build"` // id
	ARN   string    `json:"arn"`   // of the build that failed, which is of the same project
	At    time.Time `json:"at"`    // since when it is so
	// Until is until when a plan waits for an approval; zero if none does.
	Until time.Time `json:"until,omitzero"`
	// Requests are the numbers, with blanks between, of the pull requests that the case waits for, of
	// those in the same repository: others' names are not for all who read this. Merged: what is missing
	// is that they are deployed.
	Requests string `json:"requests,omitempty"`
	Merged   bool   `json:"merged,omitempty"`
}

// AsOf is the telling at a time: a plan that nobody can approve any more does not wait.
func (t Telling) AsOf(now time.Time) Telling {
	if t.Kind == Proposed && !t.Until.IsZero() && now.After(t.Until) {
		t.Kind, t.At, t.Until = Reported, t.Until, time.Time{}
	}
	return t
}

// TellingOf says what the developers are to be told of the case; ok is false for nothing. Commit and
// pull request are those of the build's own record, whose source must be the repository that the
// settings name. green is the id of a later build of the commit that is green, "" for none.
func TellingOf(s *settings.Settings, home settings.Account, c Case, green string) (t Telling, ok bool) {
	p, named := s.Project(c.Project, c.Account, c.Region, home)
	if !named || !p.Tells() || len(c.Rounds) == 0 {
		return t, false
	}
	r := c.Rounds[len(c.Rounds)-1]
	if r.Orphan != nil { // GitHub itself shows the job, and the build may have ended well
		return t, false
	}
	b := r.Build
	repository := s.Repository(p)
	if !strings.EqualFold(b.Repository, repository) || !gitCommit(b.ResolvedSourceVersion) {
		return t, false
	}
	t = Telling{Case: c.ID, Account: c.Account, Region: c.Region, Project: c.Project, Repository: repository,
		Commit: b.ResolvedSourceVersion, PullRequest: b.PullRequest(), How: p.Code.Tell, Build: b.ID, ARN: b.ARN}
	if t.How == settings.TellComment && t.PullRequest == 0 {
		return t, false
	}
	if g := r.Diagnosis; g != nil {
		t.Title = codebuild.Cut(g.Title, maxTitle)
	}
	switch {
	case !c.Closed.IsZero():
		switch t.Kind, t.At = c.Outcome, c.Closed; t.Kind {
		case Proposed:
			t.Until = r.Until
		case Requested:
			t.waitsFor(s, r.Requests)
		}
		if r.Decision != nil && r.Decision.Remedy == diagnose.Ignore {
			return t, false
		}
	case !r.RetryAt.IsZero() && r.Waits():
		t.Kind, t.At = Retrying, r.RetryAt
	default:
		return t, false // it is not known yet what comes of it
	}
	switch {
	case t.Kind == Healed && r.Retry != "", t.Kind == Retrying && r.Retry != "":
		t.Build = r.Retry
	case t.Kind != Healed && t.Kind != Retrying && green != "":
		t.Green, t.Build = true, green
	case t.Kind == Undone && r.Green:
		if t.Green = true; r.Retry != "" {
			t.Build = r.Retry
		}
	}
	return t, true
}

// maxNamed bounds the requests that are named.
const maxNamed = 5

func (t *Telling) waitsFor(s *settings.Settings, qs []Request) {
	var numbers []string
	t.Merged = len(qs) > 0
	for _, q := range qs {
		t.Merged = t.Merged && q.State == RequestLanded
		if q.State != RequestLanded && isNumber(q.Number) && len(numbers) < maxNamed &&
			strings.EqualFold(s.GitHubHost()+"/"+q.Repository, t.Repository) {
			numbers = append(numbers, q.Number)
		}
	}
	t.Requests = strings.Join(numbers, " ")
}

func isNumber(s string) bool { return s != "" && len(s) <= 12 && strings.Trim(s, "0123456789") == "" }

// maxTitle bounds the title, in bytes.
const maxTitle = 300

// gitCommit reports whether s is a commit id as GitHub has them.
func gitCommit(s string) bool { return len(s) == 40 && strings.Trim(s, "0123456789abcdef") == "" }

// Told is what became of a [Telling].
type Told struct {
	Telling
	Result ToldResult
	Why    string // where it was not told: what was in the way
}

// ToldResult is what became of a [Telling].
type ToldResult string

// The results.
const (
	ToldDone    ToldResult = "told"
	ToldLater   ToldResult = "later"   // it is tried again
	ToldDropped ToldResult = "dropped" // it is not
	ToldFault   ToldResult = "fault"   // not before a person mends something
)

package decide

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/lazyregexp"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// Request is a pull request that asks, in the code that owns a role's policy, for what a grant gives:
// one for each project and grant.
type Request struct {
	Grant string `json:"grant"`
	// Repository and Path are the file: OWNER/NAME on the host of the settings, or CodeCommit's name.
	Repository string `json:"repository"`
	Path       string `json:"path"`
	Base       string `json:"base,omitempty"` // branch that it is for; "": the default one
	// Branch is what [RequestBranch] says: it tells one request from another.
	Branch string `json:"branch"`
	// Gives is what it asks for, as a policy document.
	Gives  string `json:"gives"`
	Number string `json:"number,omitempty"` // "" where there is none: the file gives it already
	URL    string `json:"url,omitempty"`    // of its page
	// State is what was found at Seen.
	State RequestState `json:"state,omitempty"`
	Seen  time.Time    `json:"seen,omitzero"`
}

// RequestState is how it stands with a request. Nothing is ever forced, and nothing of a person's is
// changed.
type RequestState string

// The states.
const (
	RequestOpened   RequestState = "opened"
	RequestUpdated  RequestState = "updated"  // an open request asks for more now, or says more
	RequestWaiting  RequestState = "waiting"  // an open request asks for it already
	RequestLanded   RequestState = "landed"   // the base gives it; what is missing is that it is deployed
	RequestDeclined RequestState = "declined" // the same was asked for before, and closed unmerged
	RequestBehind   RequestState = "behind"   // the base's file has changed since it was opened, and it is not merged anew
	RequestEdited   RequestState = "edited"   // a person has changed its branch, which is theirs now
)

// Branches is what the names of all branches of Buildmedic's begin with, so that rules can be made
// for them.
const Branches = "buildmedic/"

const branchDigits = 12

// RequestBranch is the branch from which a project's grant is asked for. It is another one as soon as
// the grant, or where its file is, changes: so what was declined is asked for again only then. Of both
// texts only their digest is in it.
func RequestBranch(project, grant string, file ...string) string {
	h := sha256.New()
	for _, part := range append([]string{project, grant}, file...) {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return Branches + unsafeInBranch.ReplaceAllString(project, "-") + "-" + hex.EncodeToString(h.Sum(nil))[:branchDigits]
}

var unsafeInBranch = lazyregexp.New(`[^A-Za-z0-9_-]`)

// Covers reports whether the request asks for all that the other does.
func (q Request) Covers(other Request) bool {
	var ds [2][]iampolicy.Document
	for i, text := range []string{q.Gives, other.Gives} {
		d, err := iampolicy.Parse([]byte(text))
		if err != nil {
			return false
		}
		ds[i] = []iampolicy.Document{d}
	}
	ok, _ := iampolicy.Contains(ds[0], ds[1])
	return ok && q.Branch == other.Branch
}

// Name names the request as people do, or the file where there is none.
func (q Request) Name() string {
	switch {
	case q.Number == "":
		return q.Path + " in " + q.Repository
	case strings.Contains(q.Repository, "/"):
		return q.Repository + "#" + q.Number
	}
	return "pull request " + q.Number + " of " + q.Repository
}

// Statements are what the request asks for.
func (q Request) Statements() ([]iampolicy.Statement, error) {
	d, err := iampolicy.Parse([]byte(q.Gives))
	return d.Statements, err
}

// Found records how it stands with a request of the round.
func (r *Round) Found(q Request) {
	for i := range r.Requests {
		if was := r.Requests[i]; was.Branch == q.Branch {
			r.Requests[i] = q
			r.Requests[i].Gives = was.Gives
		}
	}
}

// Settled reports whether nothing more comes of the request by itself.
func (s RequestState) Settled() bool { return s == RequestDeclined }

// requests are what a plan asks for in the code that owns the role's policy, or that shall give for good
// what the plan gives: one for each grant. Where something is given for a time, nothing is asked for.
func requests(f Facts, us []guardrail.Used) (out []Request) {
	code := f.Project.PolicyCode()
	if !code.Set() || len(ends(f.Settings, us)) > 0 { // a change is taken out of IAM as a whole, and a part of it may end before
		return nil
	}
	for _, u := range us {
		g, ok := f.Settings.Grant(u.Grant)
		if !ok {
			continue // never: the grants are those of the settings
		}
		q := RequestFor(f.Settings, f.Project, code, g, f.Build)
		q.Gives = string(iampolicy.Document{Version: "2012-10-17", Statements: u.Statements}.Canonical())
		out = append(out, q)
	}
	return out
}

// LeftFor is the decision about a build that waited until what it was denied was deployed, and is not
// started again, since a newer one of its branch is.
func LeftFor(d Decision, newer string) Decision {
	return Refuse(d, "What the build was denied is deployed by now, and a newer build ran meanwhile.", newerBuild(newer))
}

func newerBuild(id string) guardrail.Refusal {
	return guardrail.Refusal{Rule: guardrail.NewerBuild, Message: fmt.Sprintf("Build %s of the same branch, tag or pipeline began "+
		"later, so this one is not started again: it might put something older in the place of something newer. If it is "+
		"wanted all the same, start it by hand.", id)}
}

// Newer finds among builds of the project one that makes it wrong to start b again after a long wait:
// one that began later, of the same branch, tag or pipeline, or of which that is not known. own are the
// builds of b's case. It is "" if there is none.
func Newer(b codebuild.Build, others []codebuild.Build, own func(id string) bool) string {
	line := b.Asked().Line()
	for _, o := range others {
		if o.ID == b.ID || own(o.ID) || o.Start.Before(b.Start) || sameRun(b, o) {
			continue
		}
		if its := o.Asked().Line(); its == line || openLine(line) || openLine(its) {
			return o.ID
		}
	}
	return ""
}

// openLine reports whether a line may be any other one, too: that of a bare commit, or of the default
// branch, whichever that is.
func openLine(line string) bool { return line == "" || line == "default" }

// sameRun reports whether two builds are of the same execution of a pipeline, or of the same batch.
func sameRun(a, b codebuild.Build) bool {
	return a.BatchARN != "" && a.BatchARN == b.BatchARN ||
		a.Pipeline() != "" && a.Initiator == b.Initiator && a.SourceVersion == b.SourceVersion
}

// RequestFor is the request, not opened yet, by which project p, as it stands for the role that is
// asked for, asks for a grant in the file that code names. b is a build of it.
func RequestFor(s *settings.Settings, p settings.Project, code settings.PolicyCode, g settings.Grant, b codebuild.Build) Request {
	at := b.At()
	// What the grant gives at most is what it is: in other words it is no other grant.
	gives := iampolicy.Document{ID: g.ID, Statements: g.Statements(p, settings.AccountOf(at), at.Partition)}.Canonical()
	return Request{Grant: g.ID, Repository: code.GitHub + code.CodeCommit, Path: code.Path, Base: code.Base,
		Branch: RequestBranch(p.Name, string(gives), p.Account, p.Region, s.FileOf(code), code.Base)}
}

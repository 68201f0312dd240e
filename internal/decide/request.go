package decide

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/buildmedic/buildmedic/internal/codebuild"
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
	Number string `json:"number,omitempty"` // "" where there is none: the file gives it already
	URL    string `json:"url,omitempty"`    // of its page
	// State is what was found at Seen.
	State RequestState `json:"state"`
	Seen  time.Time    `json:"seen"`
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

// RequestFor is the request, not opened yet, by which project p, as it stands for the role that is
// asked for, asks for a grant in the file that code names. b is a build of it.
func RequestFor(s *settings.Settings, p settings.Project, code settings.PolicyCode, g settings.Grant, b codebuild.Build) Request {
	at := b.At()
	// What the grant gives at most is what it is: in other words it is no other grant.
	gives := iampolicy.Document{ID: g.ID, Statements: g.Statements(p, settings.AccountOf(at), at.Partition)}.Canonical()
	return Request{Grant: g.ID, Repository: code.GitHub + code.CodeCommit, Path: code.Path, Base: code.Base,
		Branch: RequestBranch(p.Name, string(gives), p.Account, p.Region, s.FileOf(code), code.Base)}
}

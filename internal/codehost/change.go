package codehost

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/lazyregexp"
	"github.com/buildmedic/buildmedic/internal/policyfile"
)

// Change is what a pull request asks for: that a policy file gives some statements.
type Change struct {
	Repository string // OWNER/NAME at GitHub, the repository's name in CodeCommit
	Path       string // of the file; [policyfile.ValidPath]
	Base       string // branch that the request is for; "": the default one
	Branch     string // that the request is made from; see [BranchOf]
	Statements []iampolicy.Statement
	// Text is the request's title and body, for the file as it is at the base and as it will be.
	Text func(Difference) (title, body string)
}

// Difference is what a request changes. Before is nil where the file is new.
type Difference struct {
	Before, After []byte
	Added         []iampolicy.Statement
}

// Result is what came of a [Change].
type Result string

// The results. Nothing is ever forced, and nothing of a person's is changed.
const (
	Opened   Result = "opened"
	Updated  Result = "updated"  // an open request asks for more now, or says more
	Waiting  Result = "waiting"  // an open request asks for it already
	Landed   Result = "landed"   // the base gives it; what is missing is that it is deployed
	Declined Result = "declined" // the same was asked for before, and closed unmerged
	Edited   Result = "edited"   // a person has changed the request's branch, which is theirs now
)

// Request is a pull request.
type Request struct {
	Result Result
	Number string // "" without a request
	URL    string // of its page
	Branch string
}

// Branches is what the names of all branches of Buildmedic's begin with, so that rules can be made
// for them.
const Branches = "buildmedic/"

const branchDigits = 12

// BranchOf is the branch from which a project's grant is asked for. It is another one as soon as the
// grant, or where its file is, changes: so what was declined is asked for again only then. Of both
// texts only their digest is in it.
func BranchOf(project, grant string, file ...string) string {
	h := sha256.New()
	for _, part := range append([]string{project, grant}, file...) {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return Branches + unsafeInBranch.ReplaceAllString(project, "-") + "-" + hex.EncodeToString(h.Sum(nil))[:branchDigits]
}

var unsafeInBranch = lazyregexp.New(`[^A-Za-z0-9_-]`)

// maxAsked is how often the same is asked for after it was merged and taken out again.
const maxAsked = 9

// nth is the branch for asking the nth time, from 1, after the earlier requests were merged.
func nth(branch string, n int) string {
	if n == 1 {
		return branch
	}
	return fmt.Sprintf("%s-%d", branch, n)
}

// stamp is what a commit of Buildmedic's says of itself in its message. By it is seen whether a
// branch has anything that is not Buildmedic's: no answer of a code host tells a person's commit
// from one that was made with that person's token.
type stamp struct {
	base string // commit of the base that the branch's file was merged with
	tree string // GitHub: the commit's tree
}

const baseMark, treeMark = "\nBuildmedic-Base: ", "\nBuildmedic-Tree: "

func (s stamp) String() string { return "\n" + baseMark + s.base + treeMark + s.tree }

var stampAt = lazyregexp.New(`\n\nBuildmedic-Base: ([0-9a-f]{40,64})\nBuildmedic-Tree: ([0-9a-f]{40,64})\s*$`)

func stampOf(message string) (s stamp, ok bool) {
	m := stampAt.FindStringSubmatch(message)
	if m == nil {
		return stamp{}, false
	}
	return stamp{m[1], m[2]}, true
}

// messageOf is the message of a commit, without its stamp. It names actions alone, which are words of
// the settings.
func messageOf(added []iampolicy.Statement) string {
	var actions []string
	for _, s := range added {
		actions = append(actions, s.Action.List...)
	}
	text := "Allow " + actions[0]
	if n := len(actions) - 1; n > 0 {
		text += fmt.Sprintf(" and %d more", n)
	}
	return text
}

// file is a file of a repository at a commit. text is nil where there is none.
type file struct {
	id, mode string
	text     []byte
}

// next is what a branch's file becomes.
type next struct {
	after []byte
	added []iampolicy.Statement // behind what is on the branch
	whole Difference            // from the base
	fresh bool                  // the base's file has changed, so the branch must be merged with it
}

// follow merges what is asked for into a branch's file: base is the file at the base's tip, from at
// the commit that the branch was merged with last, and on on the branch itself. What the branch
// asks for already is carried over when the base's file has changed since.
func (c Change) follow(base, from, on file) (next, error) {
	n := next{fresh: base.id != from.id}
	want, ground := c.Statements, on.text
	if n.fresh {
		carried, err := added(from.text, on.text)
		if err != nil {
			return n, err
		}
		want, ground = append(carried, want...), base.text
	}
	var err error
	if n.after, n.added, err = policyfile.Add(ground, want); err != nil {
		return n, err
	}
	n.whole.Before, n.whole.After = base.text, n.after
	n.whole.Added, err = added(base.text, n.after)
	return n, err
}

// added are the statements by which a file goes beyond what it was.
func added(before, after []byte) ([]iampolicy.Statement, error) {
	d, err := iampolicy.Parse(after)
	if err != nil {
		return nil, errors.New(strings.TrimPrefix(err.Error(), "reading policy: "))
	}
	_, out, err := policyfile.Add(before, d.Statements)
	return out, err
}

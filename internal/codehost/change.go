package codehost

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/lazyregexp"
	"github.com/buildmedic/buildmedic/internal/policyfile"
)

// Change is what a pull request asks for: that a policy file gives some statements.
type Change struct {
	Repository string // OWNER/NAME at GitHub, the repository's name in CodeCommit
	Path       string // of the file; [policyfile.ValidPath]
	Base       string // branch that the request is for; "": the default one
	Branch     string // that the request is made from; see [decide.RequestBranch]
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
type Result = decide.RequestState

// The results.
const (
	Opened   = decide.RequestOpened
	Updated  = decide.RequestUpdated
	Waiting  = decide.RequestWaiting
	Landed   = decide.RequestLanded
	Declined = decide.RequestDeclined
	Behind   = decide.RequestBehind
	Edited   = decide.RequestEdited
)

// Request is a pull request.
type Request struct {
	Result Result
	Number string // "" without a request
	URL    string // of its page
	Branch string
}

// MaxAsked is how often the same is asked for after it was merged and taken out again.
const MaxAsked = 9

// Tries is how often what somebody came between is tried anew.
const Tries = 3

// Nth is the branch for asking the nth time, from 1, after the earlier requests were merged.
func Nth(branch string, n int) string {
	if n == 1 {
		return branch
	}
	return fmt.Sprintf("%s-%d", branch, n)
}

// Stamp is what a commit of Buildmedic's says of itself in its message. By it is seen whether a
// branch has anything that is not Buildmedic's: no answer of a code host tells a person's commit
// from one that was made with that person's token.
type Stamp struct {
	Base    string // commit of the base that the branch's file was merged with
	Content string // GitHub: the commit's tree; CodeCommit: SHA-256 of the file
}

const baseMark, contentMark = "\nBuildmedic-Base: ", "\nBuildmedic-Content: "

func (s Stamp) String() string { return "\n" + baseMark + s.Base + contentMark + s.Content }

var stampAt = lazyregexp.New(`\n\nBuildmedic-Base: ([0-9a-f]{40,64})\nBuildmedic-Content: ([0-9a-f]{40,64})\s*$`)

// StampOf reads the stamp at the end of a commit's message.
func StampOf(message string) (s Stamp, ok bool) {
	m := stampAt.FindStringSubmatch(message)
	if m == nil {
		return Stamp{}, false
	}
	return Stamp{m[1], m[2]}, true
}

// MessageOf is the message of a commit, without its stamp. It names actions alone, which are words of
// the settings.
func MessageOf(added []iampolicy.Statement) string {
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

// File is a file of a repository at a commit. Text is nil where there is none.
type File struct {
	ID, Mode string
	Text     []byte
}

// Next is what a branch's file becomes.
type Next struct {
	After []byte
	Added []iampolicy.Statement // behind what is on the branch
	Whole Difference            // from the base
	Fresh bool                  // the base's file has changed, so the branch must be merged with it
}

// Follow merges what is asked for into a branch's file: base is the file at the base's tip, from at
// the commit that the branch was merged with last, and on on the branch itself. What the branch
// asks for already is carried over when the base's file has changed since.
func (c Change) Follow(base, from, on File) (Next, error) {
	n := Next{Fresh: base.ID != from.ID}
	want, ground := c.Statements, on.Text
	if n.Fresh {
		carried, err := Added(from.Text, on.Text)
		if err != nil {
			return n, err
		}
		want, ground = append(carried, want...), base.Text
	}
	var err error
	if n.After, n.Added, err = policyfile.Add(ground, want); err != nil {
		return n, err
	}
	n.Whole.Before, n.Whole.After = base.Text, n.After
	n.Whole.Added, err = Added(base.Text, n.After)
	return n, err
}

// Added are the statements by which a file goes beyond what it was.
func Added(before, after []byte) ([]iampolicy.Statement, error) {
	d, err := iampolicy.Parse(after)
	if err != nil {
		return nil, errors.New(strings.TrimPrefix(err.Error(), "reading policy: "))
	}
	_, out, err := policyfile.Add(before, d.Statements)
	return out, err
}

// The end of a request's body is a digest of its title and of what is before it, which nobody sees.
// So what a person has changed is left alone.
const sealMark = "\n\n<!-- buildmedic "

// Sealed is a request's whole body.
func Sealed(title, text string) string {
	sum := sha256.Sum256([]byte(title + "\n" + text))
	return text + sealMark + hex.EncodeToString(sum[:]) + " -->"
}

// Untouched reports whether a request still has the title and the body that were sealed.
func Untouched(title, body string) bool {
	body = strings.TrimRight(strings.ReplaceAll(body, "\r", ""), "\n")
	i := strings.LastIndex(body, sealMark)
	return i >= 0 && body == Sealed(title, body[:i])
}

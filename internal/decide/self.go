package decide

import (
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// Self is what the healer knows of itself.
type Self struct {
	// Initiator is how CodeBuild names the healer as the initiator of builds in
	// its own account: ROLE/SESSION, or at a desk perhaps USER (AWS.md#initiator).
	Initiator string
	// MemberInitiator is the same where it acts as the role of a member
	// account; "" if there is none.
	MemberInitiator string
	// Caller is the ARN of whose credentials these are at a desk; "" in the function.
	Caller string
	// Function is the function's name, for command lines in notices; "" at a desk.
	Function string
	// Parts are the ARNs of its own parts, which no grant may touch.
	Parts []string
	// Source are the ARNs of what it is deployed from, where no grant may write.
	Source []string
	// Qualifier is that of the CDK's bootstrap with which it was deployed; "" if that is not known.
	Qualifier string
}

// Started reports whether the healer asked for the build: whether the
// initiator names the role that it acts as where the build is, in whatever
// session and form, since AWS documents neither. home is the healer's own
// account.
func (s Self) Started(home settings.Account, b codebuild.Build) bool {
	own := s.Initiator
	if at := b.At(); at.Account != "" && at.Account != home.ID {
		own = s.MemberInitiator
	}
	role, _, isRole := strings.Cut(own, "/")
	if !isRole {
		return own != "" && b.Initiator == own
	}
	return b.Pipeline() == "" && slices.Contains(strings.Split(b.Initiator, "/"), role)
}

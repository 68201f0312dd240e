package buildlog

import (
	"strings"

	"github.com/buildmedic/buildmedic/internal/codebuild"
)

// Owner says whose denial d is: the role's name without its path, because AWS drops the path in
// session ARNs (AWS.md#build-session), the account, and the session's name. role is "" if the
// principal is not a role, session is "" if it is not a session; all are "" if the text names no
// principal.
//
// What the text masks is returned as printed: the account may be "***".
func (d Denial) Owner() (role, account, session string) {
	a, ok := codebuild.ParseARN(d.Principal)
	if !ok {
		return "", "", ""
	}
	kind, name, _ := strings.Cut(a.Resource, "/")
	switch {
	case a.Service == "sts" && kind == "assumed-role":
		role, session, _ = strings.Cut(name, "/")
	case a.Service == "iam" && kind == "role":
		role = name[strings.LastIndexByte(name, '/')+1:]
	}
	return role, a.Account, session
}

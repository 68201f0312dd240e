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

// mask is what CodeBuild writes for a secret, and npm for a UUID (AWS.md#masking); some tools write
// more stars.
const mask = "***"

// Masked reports whether something of s is masked.
func Masked(s string) bool { return strings.Contains(s, mask) }

// MayBe reports whether s, of which a part may be masked, can stand for name: what is not masked
// must be the same.
func MayBe(s, name string) bool {
	if !Masked(s) {
		return s == name
	}
	first, rest, _ := strings.Cut(s, mask)
	name, ok := strings.CutPrefix(name, first)
	if !ok {
		return false
	}
	parts := strings.Split(rest, mask)
	last := len(parts) - 1
	for _, p := range parts[:last] {
		_, after, ok := strings.Cut(name, strings.TrimLeft(p, "*"))
		if !ok {
			return false
		}
		name = after
	}
	return strings.HasSuffix(name, strings.TrimLeft(parts[last], "*"))
}

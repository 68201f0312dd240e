package codebuild

import (
	"strings"

	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

var overLimit = lazyregexp.New(`Cannot have more than ([0-9]+) (builds in queue|active builds) for the (account|project)`)

// NoQuota reports whether the message, with which CodeBuild refuses a start as being over a limit, says
// that no build of such a kind is ever started (AWS.md#queue-limits). All other such messages pass, one
// about a project's own limit among them.
func NoQuota(message string) bool {
	n := overLimit.FindStringSubmatch(message)
	return n != nil && (strings.Trim(n[1], "0") == "" || n[2] == "active builds" && n[3] == "account")
}

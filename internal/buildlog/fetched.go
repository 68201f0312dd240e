package buildlog

import (
	"strings"

	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

// fetching matches a command that gets something from the Internet before it does anything else:
// packages, or what an address of its own names.
var fetching = lazyregexp.New(`^(?:sudo )?(?:` +
	`(?:npm|pnpm) (?:ci|i|install)\b|yarn(?: install\b|$)|pip3? install\b|python3? -m pip install\b|` +
	`apt(?:-get)?(?: -\S+)* (?:update|install)\b|apk(?: -\S+)* add\b|go mod download\b|` +
	`(?:bundle|composer|poetry) install\b|uv sync\b|docker pull\b|(?:git clone|curl|wget)\b.* ["']?https?://)`)

// fetches reports whether the command has got something from the Internet if it passed. One that
// may fail and go on tells nothing, nor does one that asks AWS or itself: an endpoint may answer.
// Amazon Linux has its packages in S3, so yum and dnf ask AWS.
func fetches(command string) bool {
	if strings.ContainsAny(command, "\n;|&") || strings.Contains(command, ".amazonaws.com") || strings.Contains(command, "localhost") ||
		strings.Contains(command, "//127.") {
		return false
	}
	return fetching.MatchString(strings.TrimSpace(command))
}

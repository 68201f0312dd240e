package diagnose

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

// fingerprint condenses what is the same about equal failures: the cause, the failed command, and
// either what was denied or what the evidence says, without the parts that change from build to
// build. Project and account are not in it: the same failure in two projects has one fingerprint.
func (x *facts) fingerprint(d *Diagnosis) string {
	parts := []string{d.Cause, steady(directory.ReplaceAllString(x.Command, ""))}
	var denied []string
	for i := range x.causal {
		denied = append(denied, steadyDenial(&x.causal[i]))
	}
	slices.Sort(denied)
	if denied = slices.Compact(denied); len(denied) > 0 {
		parts = append(parts, denied...)
	} else {
		parts = append(parts, steady(bare(d.Evidence.Text)))
	}
	sum := sha256.Sum256([]byte(strings.Join(parts, "\n")))
	return hex.EncodeToString(sum[:8])
}

// steadyDenial returns what is the same about equal denials: what was denied, rather than the text,
// which is full of request ids.
func steadyDenial(d *buildlog.Denial) string {
	if d.Action == "" && d.Operation == "" && d.Resource == "" {
		return steady(d.Text)
	}
	return strings.Join([]string{
		strings.ToLower(d.Action), strings.ToLower(d.Operation), steadyResource(d.Resource), string(d.Effect), string(d.Layer),
	}, " ")
}

// steadyResource keeps of an ARN the service and the resource; of an object
// in a bucket only the bucket, since keys are full of ids.
func steadyResource(s string) string {
	a, ok := codebuild.ParseARN(s)
	if !ok {
		return steady(s)
	}
	if a.Service == "s3" {
		a.Resource, _, _ = strings.Cut(a.Resource, "/")
	}
	return a.Service + ":" + steady(strings.ReplaceAll(a.Resource, "/", " / "))
}

// What changes from build to build. Order matters: longer forms first.
var (
	ansi  = lazyregexp.New(`\x1b(\[[0-9;?]*[ -/]*[@-~]|[@-Z\\-_])`)
	uuid  = lazyregexp.New(`(?i)\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b`)
	date  = lazyregexp.New(`(?i)\b((mon|tue|wed|thu|fri|sat|sun)[a-z]{0,6},? +)?(` + month + `\.? +\d{1,2}|\d{1,2}[ -]` + month + `)\b`)
	clock = lazyregexp.New(`(?i)\d{1,2}:\d{2}(:\d{2})?([.,]\d+)?( ?[ap]m\b)?( ?(utc|gmt|z\b|[+-]\d{2}:?\d{2}))?`)
	url   = lazyregexp.New(`(?i)\b([a-z][a-z0-9+.-]*)://([^\s"'<>@/]*@)?([^\s"'<>/:?#]*)[^\s"'<>]*`)
	// opaque is base64 if it has capitals and digits; long paths look alike.
	opaque = lazyregexp.New(`[A-Za-z0-9+/]{20,}={0,2}`)
	// A path starts at its root, or ends in a file name. Two words with a slash between them, as
	// in an image's name, are not a path.
	rooted   = lazyregexp.New(`(^|[\s"'` + "`" + `=:(\[,<>|])(?:[A-Za-z]:\\|\\\\|~/|\.{1,2}/|/)[^\s"'` + "`" + `:;,()\[\]{}<>|=]*`)
	filename = lazyregexp.New(`[\w@.+-]+(?:[/\\][\w@.+-]+)+\.[A-Za-z]\w{0,7}\b`)
	token    = lazyregexp.New(`[A-Za-z0-9_]*[0-9][A-Za-z0-9_]*|\b[0-9a-fA-F]{7,}\b`)
	units    = lazyregexp.New(`(?i)# ?(ms|s|secs?|seconds?|m|mins?|minutes?|h|hours?|[kmgt]?i?b|bytes)\b`)
	// directory is what a command has in front of a program's or file's name.
	directory = lazyregexp.New(`[^\s"'=;|&()]*[/\\]`)
	runs      = lazyregexp.New(`#([\s.,:/+_-]*#|=+)+`)
)

const month = `(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}`

// steady returns text without what changes from build to build: colours, times, ids, hashes,
// numbers and paths. A URL keeps its host. An expression is only tried on a text that has what all
// its matches have, since most lines have little of it.
func steady(s string) string {
	s = clip(s, maxLineBytes)
	if strings.Contains(s, "\x1b") {
		s = ansi.ReplaceAllString(s, "")
	}
	if strings.Count(s, "-") >= 4 {
		s = uuid.ReplaceAllString(s, "#")
	}
	if strings.ContainsAny(s, digits) {
		s = date.ReplaceAllString(s, "#")
		if strings.Contains(s, ":") {
			s = clock.ReplaceAllString(s, "#")
		}
	}
	if strings.Contains(s, "://") {
		s = url.ReplaceAllString(s, "$1: $3")
	}
	if strings.ContainsAny(s, `/\`) {
		s = rooted.ReplaceAllString(s, "$1#")
		s = filename.ReplaceAllString(s, "#")
	}
	if strings.ContainsAny(s, digits) {
		s = opaque.ReplaceAllStringFunc(s, func(t string) string {
			if strings.ContainsAny(t, digits) && strings.ToLower(t) != t {
				return "#"
			}
			return t
		})
	}
	if strings.ContainsAny(s, digits) || hexWord(s) {
		s = token.ReplaceAllString(s, "#")
	}
	if strings.Contains(s, "#") {
		s = units.ReplaceAllString(s, "#")
		s = runs.ReplaceAllString(s, "#")
	}
	return strings.TrimLeft(strings.Join(strings.Fields(strings.ToLower(s)), " "), "# ")
}

const digits = "0123456789"

// hexWord reports whether s has a run of letters that may be a hash.
func hexWord(s string) bool {
	n := 0
	for i := range len(s) {
		if c := s[i] | 0x20; c < 'a' || c > 'f' {
			n = 0
		} else if n++; n == 7 {
			return true
		}
	}
	return false
}

package buildlog

import (
	"strings"

	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

// How surely a line of output reports why its command failed.
const (
	NoError     = iota // it does not
	Consequence        // it says that something failed, and never why: a count, a wrapper's last word
	Perhaps            // it has the words of an error, which other lines have too
	Sure               // it has the form in which tools report an error
)

var (
	// consequence matches what tools print behind the error, or in its words with nothing to say.
	consequence = lazyregexp.New(`(?i)\b(?:0|no) (?:errors?|failures?|failed|warnings)\b|` +
		`(?:errors?|failures?|failed):? 0\b|` +
		`^(?:make|gmake|ninja)(?:\[\d+\])?: (?:\*\*\* |build stopped)|` +
		`^(?:(?:error|fatal): )?(?:process|command|script|task)\b.* ` +
		`(?:failed|exited|finished) with (?:exit )?(?:code|status)|` +
		`\bexit(?:ed)? (?:with )?(?:code|status) \d+\.?$|^\.? ?(?:Reason: )?exit status \d+$|` +
		`^(?:npm (?:ERR!|error) )?Exit status \d|ELIFECYCLE|complete log of this run|` +
		`^npm (?:ERR!|error) (?:code \d|errno|path|command|workspace|location|Lifecycle|signal)|` +
		`^npm (?:ERR!|error) *$|^\[INFO\]|--stacktrace|re-run Maven|\[Help \d\]|Traceback \(most recent|` +
		`Phase complete|Phase context|^Command did not exit`)

	// passed matches what a tester prints of what passed, whose name may be about any error.
	passed = lazyregexp.New(`(?i)^\W*(?:passed|pass|ok|✓|✔|√)(?:\W|$)|` +
		`(?:\.\.|::\S+|\s) ?(?-i:PASSED|PASS|ok)(?: *\[ *\d+%\])?$`)

	// sureWords matches the forms of errors: a word in front of a colon, a place in front of it, a
	// tester's verdict, a cross in front of the line.
	sureWords = lazyregexp.New(`^\W{0,4}(?i:error|fatal|panic|failure)(?:\[\w+\])?(?:[: !]|$)|` +
		`^\S+: (?i:error|fatal error)[: ]|^E\s{2,}|\berror(?: TS\d+|\[E\d+\])?: |` +
		`\b(?i:fatal error|error occurred|unhandled exception|uncaught (?:error|exception))\b|` +
		`[A-Za-z]*(?:Error|Exception): |\bException in\b|npm (?:ERR!|error) code|` +
		`\bERROR\b|\bFATAL\b|\bFAIL(?:ED|URE)?\b|^\s*not ok\b|` +
		`^\W{0,4}(?:\x{274c}|\x{274e}|[\x{2715}-\x{2718}]|\x{1f6a8}|\x{26d4})|` +
		`: (?:command )?not found$|(?i:no such file or directory|no space left|permission denied|\btimed out$)|` +
		`^\W{0,4}(?:Failed|Could not|Cannot|Can't|Unable) (?:to )?\w`)

	perhapsWords = lazyregexp.New(`(?i)\b(?:errors?|err!|fatal|panic|exception|fail(?:ed|ure|ures|s)?|denied|` +
		`cannot|can't|could not|couldn't|unable|not found|no such|invalid|missing|refused|abort(?:ed)?|rejected|` +
		`unexpected|unknown|timed out|(?:connect(?:ion)?|read|socket|gateway|request|handshake) time-?out|` +
		`unauthorized|forbidden|not a member|not allowed|must|mismatch)\b|` +
		`Error:|Exception\b`)
)

// hints are texts in lower case, one of which every line has that the expressions above match: most
// lines have none, and looking for them is much faster.
var hints = []string{
	"err", "fail", "exception", "not ", "no s", "cannot", "can't", "couldn't", "unable", "fatal", "panic",
	"denied", "refused", "exit", "invalid", "missing", "abort", "reject", "unexpected", "unknown", "timed out",
	"timeout", "time-out",
	"unauthorized", "forbidden", "must", "mismatch", "finished", "build stopped", "no warnings", "0 warnings",
	"\u274c", "\u274e", "\u2715", "\u2716", "\u2717", "\u2718", "\U0001f6a8", "\u26d4", "e  ", "***",
	"elifecycle", "complete log", "[info]", "stacktrace", "re-run", "[help", "traceback", "phase co",
}

// hinted takes a text in lower case.
func hinted(text string) bool {
	for _, h := range hints {
		if strings.Contains(text, h) {
			return true
		}
	}
	return false
}

// Strength says how surely a cleaned line of output, without what tools put in front of every line,
// reports why its command failed: one of the constants above.
func Strength(line string) int {
	text := strings.TrimSpace(line)
	low := strings.ToLower(text)
	switch {
	case !hinted(low) || passed.MatchIn(text, low) && !strings.HasPrefix(text, "not ok"):
		return NoError
	case consequence.MatchIn(text, low):
		return Consequence
	case sureWords.MatchIn(text, low):
		return Sure
	case perhapsWords.MatchIn(text, low):
		return Perhaps
	}
	return NoError
}

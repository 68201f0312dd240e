package notice

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/buildmedic/buildmedic/internal/lazyregexp"
	"github.com/buildmedic/buildmedic/internal/redact"
)

// maxQuote bounds a quoted text, in bytes without the remark about what was cut. A denial with
// its ARNs fits.
const maxQuote = 1200

// Quote makes untrusted text safe to show: one line of printable characters, with secrets
// replaced by [redact.Text] and nothing that a mail or chat program would turn into a link. A
// text that is too long is cut, and says so.
//
// Control, bidirectional, zero-width and other invisible characters are
// dropped, white space becomes one space, bytes that are not UTF-8 become "?".
func Quote(s string) string { return quote(s, maxQuote) }

func quote(s string, limit int) string {
	return cut(unlink(redact.Text(clean(s))), limit)
}

// prose is [Quote] for the sentences of causes.yaml and the guardrails. They may contain parts
// of a log; their links to the AWS documentation stay.
func prose(s string) string {
	const docs = "https://docs.aws.amazon.com/"
	parts := strings.Split(redact.Text(clean(s)), docs)
	for i := range parts {
		parts[i] = unlink(parts[i])
	}
	return cut(strings.Join(parts, docs), maxQuote)
}

// quoteLines quotes the lines of one text and keeps their indentation. They are redacted
// together, since a secret may span several lines.
func quoteLines(lines []string, limit int) []string {
	cleaned := make([]string, len(lines))
	for i, l := range lines {
		cleaned[i] = clean(l)
	}
	out := strings.Split(redact.Text(strings.Join(cleaned, "\n")), "\n")
	for i, l := range lines {
		out[i] = indentation(l) + cut(unlink(out[i]), limit)
	}
	return out[:len(lines)]
}

// nameForm is what a name of AWS looks like that cannot be read as words of a sentence.
var nameForm = lazyregexp.New(`^[A-Za-z0-9*?:/._+=@$!~()#%&{}-]+$`)

// named shows a name of a policy, which may be one that a build chose: redacted and unlinked, but
// otherwise all of it. What could be read as words of ours, such as a name with blanks, is put in
// quotes, with its invisible characters escaped.
func named(s string) string {
	if nameForm.MatchString(s) {
		return unlink(redact.Text(s))
	}
	s = VisibleJSON(strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\t", `\t`, "\r", `\r`).Replace(s))
	return `"` + unlink(redact.Text(s)) + `"`
}

// indentation returns the spaces that a line begins with, at most 16.
func indentation(line string) string {
	const most = 16
	n := len(line) - len(strings.TrimLeft(line, " "))
	return strings.Repeat(" ", min(n, most))
}

// quoteBlock is for text of several lines that is to be copied, such as a settings entry: lines,
// indentation and host names stay.
func quoteBlock(s string, limit int) string {
	var lines []string
	for l := range strings.Lines(s) {
		lines = append(lines, indentation(l)+clean(l))
	}
	return cut(schemeAt.ReplaceAllStringFunc(redact.Text(strings.Join(lines, "\n")), unlinkScheme), limit)
}

var escapes = lazyregexp.New(`\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\^_])`)

// clean returns one line of visible text.
func clean(s string) string {
	s = strings.ToValidUTF8(s, "?")
	if strings.Contains(s, "\x1b") {
		s = escapes.ReplaceAllString(s, "")
	}
	var b strings.Builder
	space := false
	for _, r := range s {
		switch {
		case unicode.IsSpace(r):
			space = b.Len() > 0
		case !visible(r):
		default:
			if space {
				b.WriteByte(' ')
				space = false
			}
			b.WriteRune(r)
		}
	}
	return b.String()
}

// visible reports whether a reader can see the character.
func visible(r rune) bool {
	return unicode.IsPrint(r) &&
		!unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector,
			unicode.Noncharacter_Code_Point) &&
		r != '\u2800' && r != utf8.RuneError // blank braille; what could not be decoded
}

var (
	schemeAt = lazyregexp.New(`(?i)[a-z][a-z0-9+.-]*://`)
	callAt   = lazyregexp.New(`(?i)\b(mailto|tel|sms|callto|skype|facetime|javascript|data|slack|msteams|vscode):(\S)`)
	wwwAt    = lazyregexp.New(`(?i)\bwww\.`)
	// awsHost matches service principals and private registries: messages of AWS name them, and
	// only AWS answers there.
	awsHost = lazyregexp.New(
		`^(?:[a-z0-9-]+\.amazonaws\.com|[0-9]{12}\.dkr\.ecr(?:-fips)?\.[a-z0-9-]+\.amazonaws\.com)$`,
	)
)

// domainNames lists the top-level domains, as IANA's root zone had them on
// 2026-01-19 (https://data.iana.org/TLD/tlds-alpha-by-domain.txt), sorted, but
// for aws, in which nobody but AWS has names.
//
//go:embed domains.txt
var domainNames string

var topLevel = sync.OnceValue(func() []string { return strings.Fields(domainNames) })

// domain reports whether the label of a name is a top-level domain.
func domain(label string) bool {
	_, ok := slices.BinarySearch(topLevel(), strings.ToLower(label))
	return ok
}

var (
	// inside are top-level domains that are broken even in the middle of a name: some programs
	// link the part up to there.
	inside = setOf("com net org io co info biz dev app cloud ai xyz top site online shop store club live link click " +
		"page pro tech work ru cn uk de fr eu nl jp in br au us ca me tv cc ly gl gg to su tk")
	// endings are top-level domains that are more often a file's extension. Such a name stays
	// unless it is part of an address.
	endings = setOf("ac am bz cab gs java la map md mk ml mov pl pm properties ps py rs sh so st tf vi zip")
)

func setOf(words string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(words) {
		set[w] = true
	}
	return set
}

// unlink breaks what a program would make a link of; it stays legible.
func unlink(s string) string {
	if strings.Contains(s, "://") {
		s = schemeAt.ReplaceAllStringFunc(s, unlinkScheme)
	}
	if strings.Contains(s, ":") {
		s = callAt.ReplaceAllString(s, "$1[:]$2")
	}
	if !strings.Contains(s, ".") {
		return s
	}
	s = wwwAt.ReplaceAllStringFunc(s, func(w string) string { return w[:3] + "[.]" })
	var b strings.Builder
	last := 0
	for i := strings.IndexByte(s, '.'); i >= 0; {
		// The characters around the dot that could be part of a host name.
		start, end := i, i
		for start > last && isHost(s[start-1]) {
			start--
		}
		for end < len(s) && isHost(s[end]) {
			end++
		}
		b.WriteString(s[last:start])
		b.WriteString(unlinkHosts(s[:start], s[start:end], s[end:]))
		last = end
		if i = strings.IndexByte(s[end:], '.'); i >= 0 {
			i += end
		}
	}
	return b.String() + s[last:]
}

func isHost(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '.'
}

// unlinkHosts breaks host names at their top-level domain. run holds characters of host names
// only; before and rest are the text around it.
func unlinkHosts(before, run, rest string) string {
	host := strings.TrimRight(run, ".")
	if awsHost.MatchString(host) && (strings.Contains(host, ".dkr.") || !strings.HasPrefix(rest, "/")) {
		return run
	}
	address := strings.HasSuffix(before, "@") || strings.HasPrefix(rest, "/") && !strings.HasSuffix(before, "/")
	labels := strings.Split(host, ".")
	var b strings.Builder
	for i, l := range labels {
		word, _, dash := strings.Cut(strings.ToLower(l), "-") // some programs end a link there
		end := dash || i == len(labels)-1
		switch {
		case i == 0:
		case labels[i-1] != "" && (inside[word] || end && (domain(l) || domain(word)) && (address || !endings[word])):
			b.WriteString("[.]")
		default:
			b.WriteByte('.')
		}
		b.WriteString(l)
	}
	return b.String() + run[len(host):]
}

func unlinkScheme(s string) string {
	name := strings.TrimSuffix(s, "://")
	switch strings.ToLower(name) {
	case "http":
		return "hxxp://"
	case "https":
		return "hxxps://"
	case "s3", "hxxp", "hxxps": // no program links these
		return s
	}
	return name + "[:]//"
}

// cut shortens s to at most limit bytes and appends how many characters are missing.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	i := limit
	for i > 0 && !utf8.RuneStart(s[i]) {
		i--
	}
	return fmt.Sprintf("%s … (%s more characters)", strings.TrimRight(s[:i], " "),
		thousands(utf8.RuneCountInString(s[i:])))
}

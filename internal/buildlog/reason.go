package buildlog

import (
	"bytes"
	"strings"

	"github.com/buildmedic/buildmedic/internal/iamref"
)

// reasonAt reads a reason that stands at flat[i], behind a refusal: "because object protected by
// object lock". It returns "" if there is none, or it is a known layer (tail.go), or one that is
// cut before it says which.
func (s *sentences) reasonAt(i int) string {
	i += len(s.flat[min(i, len(s.flat)):]) - len(bytes.TrimLeft(s.flat[min(i, len(s.flat)):], ".,;:)]}\"'`\\"))
	j, ok := i, false
	for _, w := range []string{"because", "dueto", "owingto", "since", "forthefollowingreason"} {
		if j, ok = cut(s.flat, i, w); ok {
			break
		}
	}
	if !ok {
		return ""
	}
	if t, found := s.findTail(i, i+1); found && (t.layer != LayerUnstated || t.effect == Explicit || t.public) {
		return ""
	}
	rest := s.flat[j:min(len(s.flat), j+60)]
	if n := bytes.IndexByte(rest, '\n'); n >= 0 {
		rest = rest[:n]
	}
	for _, l := range layerWords {
		if cutFrom(rest, "no", l.words, "allowsthe") || cutFrom(rest, "anexplicitdeny") {
			return "" // cut
		}
	}
	return s.said(i)
}

// cutFrom reports whether the parts, one behind the other, begin with b.
func cutFrom(b []byte, parts ...string) bool {
	for _, p := range parts {
		n := min(len(b), len(p))
		if string(b[:n]) != p[:n] {
			return false
		}
		b = b[n:]
	}
	return len(b) == 0
}

// toldAfter returns what a message goes on to say behind a bare refusal and a colon at flat[i]:
// "Access Denied: the bucket is owned by another account". A path or a name is no reason.
func (s *sentences) toldAfter(i int, r report) string {
	j, ok := cut(s.flat, i, ":")
	if k, bracket := cut(s.flat, i, "("); bracket && !holdsPrefix(s.flat[k:], notTold) {
		j, ok = k, true
	}
	if k, stop := cut(s.flat, i, "."); stop && k < len(s.flat) && s.rowAt(int(s.at[k])) == s.rowAt(int(s.at[i])) &&
		!holdsPrefix(s.flat[k:], adviceWords) && len(strings.Fields(s.said(k))) > 3 {
		j, ok = k, true // another sentence in the same row
	}
	if !ok || s.bare(j, r) {
		return ""
	}
	told := s.said(j)
	if j > 0 && s.flat[j-1] == '(' {
		told, _, _ = strings.Cut(told, ")")
	}
	if len(strings.Fields(told)) < 3 || strings.ContainsAny(strings.Fields(told)[0], ":/\\") {
		return ""
	}
	return told
}

// notTold begin brackets behind a refusal that hold an SDK's details.
var notTold = []string{"service:", "aws::", "status", "request", "http", "code", "error", "sdk", "attempt", "retr", "403", "arn:"}

// adviceWords begin sentences behind a refusal that say what to do, or what a tool does next.
var adviceWords = []string{"please", "see", "for", "check", "contact", "retr", "skip", "make", "ensure", "verif", "try", "encoded",
	"upload", "download", "complete", "exit", "abort", "go", "fail", "error", "will", "did", "user:", "add", "grant", "request id"}

func holdsPrefix(b []byte, list []string) bool {
	for _, p := range list {
		if bytes.HasPrefix(b, []byte(p)) {
			return true
		}
	}
	return false
}

// said returns the sentence that begins at flat[i], or what is left of it, as one line.
func (s *sentences) said(i int) string {
	if i >= len(s.flat) {
		return ""
	}
	start := int(s.at[i])
	end := start
	for end < start+3*maxReason {
		n := bytes.IndexByte(s.text[end:], '\n')
		if n < 0 {
			end = len(s.text)
			break
		}
		end += n
		next, ok := s.nextRow(end)
		row := s.rows[s.rowAt(end)]
		if full := end > start && s.inWord(end) || row.mark&(markBar|markCell|markFull) != 0; !ok || !full && end > start {
			break
		}
		end = next
	}
	text := " " + strings.Join(strings.Fields(string(s.text[start:min(end, start+3*maxReason)])), " ")
	for _, stop := range []string{". ", `" `, `",`, `"}`, "</", " (Service", " (service", " status code:", " (Request", `\n`} {
		text, _, _ = strings.Cut(text, stop)
	}
	text, _ = trimToken(strings.TrimSpace(clip(text, maxReason)), false)
	return strings.TrimRight(text, " :\"'`")
}

// refusalWords are those of messages that say that access is refused, and nothing else.
var refusalWords = wordSet(`a an the this that these those your you user users caller client principal identity entity request requests
	access accessing denied deny denies refused rejected unauthorized unauthenticated forbidden not no is are
	was be been do does don't doesn't isn't aren't did have has having lack lacks lacking missing permission
	permissions permitted privilege privileges right rights authorization authorized authorised authorize
	allowed allow required requires require necessary needed sufficient insufficient enough perform performing
	performed execute call calling invoke make use using operation operations action actions api apis resource
	resources service services account error exception failed to for on in of with by and or any it its null
	none unknown unknownerror message accessdenied accessdeniedexception unauthorizedoperation
	unauthorizedexception forbiddenexception requested specified given current currently proper please check
	contact administrator administrators aws iam policy policies explicit explicitly 403 401 http status code
	role lacks i an here`)

// nothingSaid reports whether the row before flat[i] ends without a message, and the next is not
// its continuation: that begins like a sentence.
func (s *sentences) nothingSaid(i int) bool {
	if i >= len(s.flat) {
		return true
	}
	at := int(s.at[i])
	if i == 0 || bytes.IndexByte(s.text[s.at[i-1]:at], '\n') < 0 {
		return s.flat[i] == '\n'
	}
	row, _, _ := strings.Cut(string(s.text[at:min(len(s.text), at+maxReason)]), "\n")
	return row == "" || (row[0] < 'A' || row[0] > 'Z') && row[0] != '\'' && row[0] != '"' || len(strings.Fields(row)) < 3 ||
		strings.HasPrefix(row, "Command did not exit") || strings.HasPrefix(row, "Phase ") || strings.Contains(row, "Error")
}

// bare reports whether the message that begins at flat[i] refuses and says nothing else: then what
// was refused is the operation that was called. What it repeats of the operation's and the
// service's names does not count.
func (s *sentences) bare(i int, r report) bool {
	if s.nothingSaid(i) {
		return true
	}
	text := strings.ToLower(s.said(i))
	if who, ok := strings.CutPrefix(text, "user: "); ok && (strings.HasPrefix(who, "arn:") || strings.HasPrefix("arn:", who)) {
		return true // AWS's sentence, cut
	}
	if of, ok := strings.CutPrefix(text, "access to the resource "); ok && strings.HasSuffix(of, " is denied") {
		return true // SQS
	}
	if of, ok := strings.CutPrefix(text, "not authorized to access "); ok {
		of = strings.TrimPrefix(strings.TrimPrefix(strings.TrimPrefix(of, "the "), "resource"), ":")
		return strings.HasPrefix(strings.TrimSpace(of), "arn:") && len(strings.Fields(of)) == 1
	}
	if strings.HasPrefix(text, "your account ") || strings.HasPrefix(text, "this account ") {
		return false // the service refuses the account, whatever the caller's policies say
	}
	refuses := text == ""
	for _, w := range strings.FieldsFunc(text, func(c rune) bool {
		return !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '\'')
	}) {
		if !refusalWords.has(w) && w != strings.ToLower(r.operation) && w != strings.ToLower(r.service) && iamref.Actions(w) == nil {
			return false
		}
		refuses = refuses || refusing.has(w)
	}
	return refuses // else it is cut, or broken before it says what it says
}

// refusing are the words of which a message that refuses has one.
var refusing = wordSet(`denied deny denies refused rejected unauthorized unauthenticated forbidden not no lack lacks lacking missing
	don't doesn't isn't aren't insufficient null none unknown unknownerror accessdenied accessdeniedexception
	unauthorizedoperation unauthorizedexception forbiddenexception 403 401 access authorization permission
	permissions`)

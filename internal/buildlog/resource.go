package buildlog

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// splitWidth is the width of the widest row of flat[from:to] that ends within
// a word: a tool, or a terminal, broke the message at that width. 0 if none.
func (p *page) splitWidth(from, to int) (w int32) {
	first := p.rowAt(int(p.at[from]))
	for r := first; r+1 < len(p.rows); r++ {
		end := int(p.rows[r+1].start) - 1
		if to >= len(p.at) || end >= int(p.at[to]) {
			break
		}
		if end > 0 && p.inWord(end) {
			w = max(w, p.rows[r].width)
		}
	}
	return w
}

// inWord reports whether the row that ends at text[end] was broken within an
// ARN, an action or a word of the sentence.
func (p *page) inWord(end int) bool {
	i := p.flatAt(end)
	lo := max(0, i-len("authorized"))
	for _, w := range []string{"is", "not", "authorized", "to", "perform:", "resource:"} {
		for k := 1; k < len(w); k++ {
			if i-k >= lo && bytes.HasSuffix(p.flat[:i], []byte(w[:k])) && bytes.HasPrefix(p.flat[i:], []byte(w[k:])) && k > 1 {
				if p.wordLength(end) == k {
					return true
				}
			}
		}
	}
	last := bytes.LastIndexAny(p.text[:end], " \n\"'")
	word := p.text[last+1 : end]
	return bytes.HasPrefix(word, []byte("arn:")) && !p.stop(i)
}

// wordLength is the length of the word that ends at text[end].
func (p *page) wordLength(end int) int {
	return end - 1 - bytes.LastIndexAny(p.text[:end], " \t\n")
}

// entityWords precede the name of an IAM entity where AWS prints no ARN.
var entityWords = []string{"role", "user", "group", "policy", "instance profile", "policy path", "server certificate",
	"access key", "signing certificate", "mfa device", "account alias"}

// resource reads "[on [this] resource[:] RESOURCE]" at flat[i]. It returns "" and i itself if there
// is none; width is splitWidth's.
func (p *page) resource(i int, t tail, hasTail bool, width int32) (string, int) {
	j := p.skipFlat(i, ",", ".")
	for _, w := range []string{"on", "for", "against", "to"} {
		if k, ok := cut(p.flat, j, w); ok {
			if k, ok := p.resourceWord(k); ok {
				if after, ok := p.described(k, t, hasTail); ok {
					return "", after
				}
				return p.value(k, t, hasTail, width)
			}
		}
	}
	if k, ok := cut(p.flat, i, "on"); ok {
		if _, ok := cut(p.flat, p.skipFlat(k, `"`, "'", "["), "arn:"); ok {
			return p.value(k, t, hasTail, width)
		}
		if k, ok := cut(p.flat, k, "thisresource"); ok {
			return "", k
		}
	}
	return "", i
}

// described returns where a resource ends that flat[i:] describes and does not name: "associated
// with this ciphertext". With a tail it is what goes before that.
func (p *page) described(i int, t tail, hasTail bool) (after int, ok bool) {
	i, ok = cut(p.flat, i, "associatedwith")
	if !ok {
		return i, false
	}
	if hasTail && t.from-i < maxDescription {
		return t.from, true
	}
	return p.skipFlat(i, "this", "the", "your", "ciphertext", "key", "request"), true
}

const maxDescription = 60

// resourceWord skips "the resource(s):" at flat[k].
func (p *page) resourceWord(k int) (int, bool) {
	k, ok := cut(p.flat, p.skipFlat(k, "the"), "resource")
	if j, plural := cut(p.flat, k, "s:"); ok && plural {
		return j, true
	}
	return p.skipFlat(k, "(s)", ":", "=", "resource:"), ok // AWS's documentation says it twice
}

// value reads what is named at flat[i], quoted or not.
func (p *page) value(i int, t tail, hasTail bool, width int32) (string, int) {
	if i >= len(p.flat) || p.flat[i] == '\n' || p.stop(i) {
		return "", i
	}
	start := int(p.at[i])
	if start > 0 && p.text[start-1] == '\n' && label(p.text[start:tokenEnd(p.text, start)]) {
		return "", i // the next row's own beginning
	}
	if next, ok := p.nextPart(start); ok {
		s, end := p.token(next, t, hasTail, width)
		return elided(s), p.flatAt(end)
	}
	if closes(p.text[start:]) {
		return "", i // the string ends behind "resource"
	}
	for _, q := range []string{`"`, "'", "`", "“"} {
		if !bytes.HasPrefix(p.text[start:], []byte(q)) {
			continue
		}
		closing := q
		switch q {
		case "“":
			closing = "”"
		case "`": // SES quotes `so'
			closing = "`'"
		}
		body := start + len(q)
		n := bytes.IndexAny(p.text[body:min(len(p.text), body+maxResource)], closing)
		if n >= 0 && !bytes.Contains(p.text[body:body+n], []byte("\n\n")) {
			_, size := utf8.DecodeRune(p.text[body+n:])
			return elided(p.unwrapped(body, body+n)), p.flatAt(body + n + size)
		}
		start = body
	}
	s, end := p.token(start, t, hasTail, width)
	return elided(s), p.flatAt(end)
}

// nextPart returns where the next of the strings begins whose joined text the message is, if one
// ends with the quote at text[start]: `"on resource: "` and, in the next row or behind a plus, `"arn:`.
func (p *page) nextPart(start int) (next int, ok bool) {
	q := p.text[start]
	if q != '"' && q != '\'' && q != '`' {
		return 0, false
	}
	between := 0
	for u := start + 1; u < len(p.text) && u-start < maxBetween; u++ {
		switch c := p.text[u]; {
		case c == q:
			return u + 1, between > 0
		case c == '\n' || c == '+':
			between++
		case c != ' ' && c != '\t' && c != '\\' && c != '.' && (c != 'f' || !bytes.HasPrefix(p.text[u+1:], []byte{q})):
			return 0, false
		}
	}
	return 0, false
}

// maxBetween bounds what stands between two parts of a message, in bytes.
const maxBetween = 80

// closes reports whether b begins with a quote that cannot open a name.
func closes(b []byte) bool {
	return len(b) > 1 && bytes.IndexByte([]byte("\"'`"), b[0]) >= 0 && bytes.IndexByte([]byte(",;)}]"), b[1]) >= 0
}

// elided returns "" for an omission: "..." names nothing.
func elided(s string) string {
	if strings.Trim(s, ".…[]<>") == "" {
		return ""
	}
	return s
}

// unwrapped joins the rows of a quoted value: with a space after a bar on the left alone, as
// Terraform draws it, which wraps only at spaces.
func (p *page) unwrapped(from, to int) string {
	s := string(p.text[from:to])
	if !strings.Contains(s, "\n") {
		return s
	}
	glue := ""
	if r := p.rowAt(from); p.rows[r].mark&(markBar|markCell) == markBar {
		glue = " "
	}
	return strings.ReplaceAll(s, "\n", glue)
}

// token reads an unquoted resource at text[start].
func (p *page) token(start int, t tail, hasTail bool, width int32) (string, int) {
	var tok []byte
	u := start
	for u-start < maxResource {
		v := tokenEnd(p.text, u)
		tok = append(tok, p.text[u:v]...)
		u = v
		if len(tok) == 0 {
			return "", u // a quote closes what is before the name, and opens none
		}
		if u >= len(p.text) {
			break
		}
		if next, ok := p.entityName(tok, u); ok {
			tok, u = append(tok, ' '), next
			continue
		}
		if p.text[u] == ' ' {
			if n := p.placeholder(tok, u); n > u {
				tok, u = append(tok, p.text[u:n]...), n
				continue
			}
			if more, end, ok := p.inWords(tok, u); ok {
				return string(append(tok, more...)), end
			}
			if more, end, ok := p.spaced(tok, u, t, hasTail); ok {
				return string(append(tok, more...)), end
			}
			break
		}
		next, ok := p.nextRow(u)
		if !ok || !p.continues(tok, u, next, t, hasTail, width) {
			break
		}
		u = next
	}
	if hasTail && p.flatAt(u) == t.from && u < len(p.text) && p.text[u] == ' ' && tok[0] != '[' && tok[0] != '(' {
		// Nothing stands between AWS's resource and the tail: all of it is the name.
		name := strings.TrimRight(string(tok), ",;\\")
		if strings.HasSuffix(name, ".") && !strings.HasSuffix(name, "..") {
			name = name[:len(name)-1]
		}
		return name, u
	}
	s, drop := trimToken(string(tok), u < len(p.text) && p.text[u] == ' ')
	if inner, ok := strings.CutPrefix(s, "["); ok && strings.HasSuffix(s, "]") && !strings.Contains(s, " ") {
		s = strings.TrimSuffix(inner, "]")
	}
	return s, u - drop
}

// tokenEnd returns the end of the run of characters that may be part of an ARN or a name.
func tokenEnd(b []byte, i int) int {
	for i < len(b) {
		switch b[i] {
		case ' ', '\t', '\n', '"', '`', '\'', '|':
			return i
		case '<': // a closing tag, not a placeholder
			if bytes.HasPrefix(b[i:], []byte("</")) || bytes.HasPrefix(b[i:], []byte("<br")) {
				return i
			}
		}
		if b[i] < utf8.RuneSelf {
			i++
			continue
		}
		c, size := utf8.DecodeRune(b[i:])
		if strings.ContainsRune("、。「」『』（），：；“”’", c) {
			return i
		}
		i += size
	}
	return i
}

// entityName returns where the next word of "role NAME" begins, if tok is the part of it before
// text[u].
func (p *page) entityName(tok []byte, u int) (next int, ok bool) {
	for _, w := range entityWords {
		first, second, two := strings.Cut(w, " ")
		if s := string(tok); s != w && (!two || s != first) {
			continue
		}
		next, ok = p.nextWord(u)
		if ok && two && string(tok) == first {
			ok = bytes.HasPrefix(p.text[next:], []byte(second))
		}
		if ok && next < len(p.text) && !p.stop(p.flatAt(next)) {
			return next, true
		}
	}
	return 0, false
}

// nextWord returns where the word after the space or line break at text[u] begins.
func (p *page) nextWord(u int) (int, bool) {
	if u < len(p.text) && p.text[u] == ' ' {
		return u + 1, true
	}
	return p.nextRow(u)
}

// maxPlaceholder bounds the text of a placeholder, in bytes.
const maxPlaceholder = 40

// placeholder returns the end of a placeholder in an ARN, "<account id>", that the space at text[u]
// is in; u if it is in none.
func (p *page) placeholder(tok []byte, u int) int {
	open := bytes.LastIndexByte(tok, '<')
	whole := open == 0 && bytes.IndexByte(tok, '>') < 0 // the placeholder is all of the resource
	inARN := bytes.HasPrefix(tok, []byte("arn:")) && open > bytes.LastIndexByte(tok, '>') && (tok[open-1] == ':' || tok[open-1] == '/')
	ends, end := ">\n<\"'", byte('>')
	if bracket := bytes.HasPrefix(tok, []byte("[")) && bytes.IndexByte(tok, ']') < 0; bracket {
		whole, ends, end = true, "]\n[\"'", ']'
	}
	if !whole && !inARN {
		return u
	}
	n := bytes.IndexAny(p.text[u:min(len(p.text), u+maxPlaceholder)], ends)
	if n < 0 || p.text[u+n] != end {
		return u
	}
	return u + n + 1
}

// maxInWords bounds a resource that is said in words, in bytes.
const maxInWords = 60

// inWords returns the rest of a resource that is said in words, "automation assume role arn", where
// what AWS prints behind a resource follows in the same row.
func (p *page) inWords(tok []byte, u int) (more []byte, end int, ok bool) {
	for _, c := range tok {
		if !letter(c) {
			return nil, 0, false
		}
	}
	for v := u; v < len(p.text) && v < u+maxInWords; v++ {
		switch c := p.text[v]; {
		case c == ' ' && v > u && p.stop(p.flatAt(v+1)):
			return p.text[u:v], v, true
		case c != ' ' && c != '-' && c != '_' && !letter(c) && !digit(c):
			return nil, 0, false
		}
	}
	return nil, 0, false
}

// spaced returns the part of the text after the space at text[u] that belongs to an ARN with
// spaces: all up to the tail.
func (p *page) spaced(tok []byte, u int, t tail, hasTail bool) (more []byte, end int, ok bool) {
	if !hasTail || !bytes.HasPrefix(tok, []byte("arn:")) {
		return nil, 0, false
	}
	end = int(p.at[t.from])
	between := bytes.TrimRight(p.text[u:max(u, end)], " ")
	if len(between) == 0 || len(between) > 160 || bytes.ContainsAny(between, "\n\"'(") || bytes.Contains(between, []byte(". ")) ||
		bytes.HasPrefix(bytes.TrimLeft(between, " "), []byte("on ")) {
		return nil, 0, false
	}
	return between, u + len(between), true
}

// continues reports whether the token, whose row ends at text[u], continues at text[next].
func (p *page) continues(tok []byte, u, next int, t tail, hasTail bool, width int32) bool {
	g := p.flatAt(next)
	if p.stop(g) {
		return false
	}
	e := tokenEnd(p.text, next)
	if e == next || label(p.text[next:e]) && !p.stop(p.flatAt(e)) {
		return false
	}
	if hasTail && t.from > g {
		rest := string(p.text[next:int(p.at[t.from])])
		if oneToken(rest) && !bytes.ContainsAny([]byte(rest), "\"'`") {
			return true
		}
	}
	if len(bytes.Trim(p.text[next:e], "+-=_|*")) == 0 {
		return false // a border
	}
	at := p.rowAt(u)
	r := p.rows[at]
	return incomplete(tok, p.text[next:e]) || width > 0 && r.width >= width || r.mark&markFull != 0 || p.brokenByTerminal(at, next, e)
}

// minTerminal is the least width at which rows of the same width are taken
// to be one line that a terminal broke.
const minTerminal = 60

// brokenByTerminal reports whether the row at index at seems to continue with text[next:end]: rows
// of the same width precede it. If there is only one, it may be chance, and what follows must look
// like a part of a name.
func (p *page) brokenByTerminal(at, next, end int) bool {
	const marks = markBar | markNumber
	w := p.rows[at].width
	if at == 0 || w < minTerminal || p.rows[at-1].width != w || p.rows[at].mark&marks != p.rows[at+1].mark&marks {
		return false
	}
	return at > 1 && p.rows[at-2].width == w || p.stop(p.flatAt(end)) || bytes.ContainsAny(p.text[next:end], "-_/:0123456789")
}

// label reports whether a word introduces something: "Error:".
func label(word []byte) bool {
	return len(word) > 1 && bytes.IndexByte(word, ':') == len(word)-1 && letter(word[0])
}

// oneToken reports whether s is one token, perhaps over several rows, and
// then white space.
func oneToken(s string) bool {
	for _, l := range strings.Split(strings.TrimSpace(s), "\n") {
		if strings.ContainsAny(strings.TrimSpace(l), " \t") {
			return false
		}
	}
	return true
}

// incomplete reports whether a resource cannot end here, and may continue with the word more.
func incomplete(tok, more []byte) bool {
	if len(tok) == 0 {
		return true
	}
	if bytes.HasSuffix(tok, []byte("log-stream:")) || bytes.HasSuffix(tok, []byte("...")) || bytes.HasSuffix(tok, []byte("…")) {
		return false
	}
	if bytes.IndexByte([]byte(":/-_=+"), tok[len(tok)-1]) >= 0 {
		return true
	}
	return bytes.HasPrefix(tok, []byte("arn:")) && bytes.Count(tok, []byte{':'}) < 5 && bytes.ContainsAny(more, ":/-0123456789")
}

// trimToken removes punctuation that belongs to the sentence and not to the name. spaced says that
// a space follows.
func trimToken(s string, spaced bool) (trimmed string, dropped int) {
	n := len(s)
	for s != "" {
		last := s[len(s)-1]
		switch {
		case last == ',' || last == ';' || last == '\\':
		case last == '.' && !strings.HasSuffix(s, "..") && len(s) > 1:
		case last == ')' && strings.Count(s, "(") < strings.Count(s, ")"):
		case last == ']' && strings.Count(s, "[") < strings.Count(s, "]"):
		case last == '}' && strings.Count(s, "{") < strings.Count(s, "}"):
		case last == '>' && strings.Count(s, "<") < strings.Count(s, ">"):
		case last == ':' && spaced && !strings.HasSuffix(s, "log-stream:") && !ofNoResource(s):
		default:
			return s, n - len(s)
		}
		s = s[:len(s)-1]
	}
	return s, n
}

// ofNoResource reports whether s is an ARN that ends before its resource, as SQS prints where queues
// are listed: without its last colon it were none.
func ofNoResource(s string) bool {
	return strings.HasPrefix(s, "arn:") && strings.HasSuffix(s, ":") && strings.Count(s, ":") == 5
}

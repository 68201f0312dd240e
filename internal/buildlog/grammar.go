package buildlog

import (
	"bytes"
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/iamref"
)

// AWS's own sentence (aws-facts §3.1) is
//
//	User: PRINCIPAL is not authorized to perform: ACTION [on resource: RESOURCE] [because no LAYER allows the ACTION action
//	                                                                             | with an explicit deny in a LAYER[: POLICY]]
//
// It is found by its head, "not authorized to perform". A tail without a
// head is read on its own: some tools print only a list of actions and reasons.

// A claim is a denial and where in page.flat it was read.
type claim struct {
	Denial
	from, to int
	raw      int  // where in the raw text it begins
	warning  bool // whoever printed it went on
}

// maxText is in bytes of Denial.Text.
const maxText = 2000

const (
	headWords = "notauthorizedto"
	// Bounds of one message, in characters of flat. The longest ARN that IAM
	// takes is 2,048 characters long.
	maxPrincipal = 700
	maxResource  = 2100
	maxGap       = 900
)

// claims gives all denials of the page in the order of the text, not yet
// without repetitions.
func (p *page) claims() []claim {
	s := &sentences{page: p, all: p.allTails()}
	s.heads()
	s.loose(true)
	s.wrapped()
	s.loose(false)
	slices.SortStableFunc(s.list, func(a, b claim) int { return a.from - b.from })
	for i := range s.list {
		c := &s.list[i]
		at := int(p.at[c.from])
		c.Line, c.raw = p.rows[p.rowAt(at)].line, int(p.src[at])
		c.Text = p.sentence(c.from, c.to)
		c.warning = p.warned(c.from, c.to)
	}
	list := s.list[:0:0]
	for i, c := range s.list {
		if c.Action != "" || c.Operation != "" || c.Resource != "" || c.Encoded != "" || !explained(s.list, i) {
			list = append(list, c)
		}
	}
	return list
}

// near is how far apart, in lines, a bare "Access Denied" and the denial that
// it is about may be.
const near = 10

// explained reports whether a claim that says nothing has one beside it that
// does: tools print the same refusal in a long and in a short form.
func explained(claims []claim, i int) bool {
	line := claims[i].Line
	for j := i - 1; j >= 0 && j >= i-near && line-claims[j].Line <= near; j-- {
		if claims[j].Action != "" {
			return true
		}
	}
	for j := i + 1; j < len(claims) && j <= i+near && claims[j].Line-line <= near; j++ {
		if claims[j].Action != "" {
			return true
		}
	}
	return false
}

// Warnings stand around denials that fail no build (aws-facts §3.4, §3.5).
var (
	warnBefore = []string{"unabletodownloadcache", "unabletouploadcache"}
	warnAfter  = []string{"proceedinganyway"}
)

// warned reports whether flat[from:to] is told as a warning.
func (p *page) warned(from, to int) bool {
	return holds(p.flat[max(0, from-80):from], warnBefore) || holds(p.flat[to:min(len(p.flat), to+80)], warnAfter)
}

type sentences struct {
	*page
	all []tail

	actionsNamed []named // nil until it is asked for

	list []claim
	none []span // sentences that look like denials and are none
}

type span struct{ from, to int }

// heads reads every sentence that has a head.
func (s *sentences) heads() {
	flat := s.flat
	for i := 0; ; {
		n := bytes.Index(flat[i:], []byte(headWords))
		if n < 0 {
			return
		}
		at := i + n
		i = at + len(headWords)
		next := len(flat)
		if n := bytes.Index(flat[i:], []byte(headWords)); n >= 0 {
			next = i + n
		}
		s.head(at, i, next)
	}
}

// head reads the sentence whose headWords are flat[at:after]; next is where
// the next head is.
func (s *sentences) head(at, after, next int) {
	rest, ok := cut(s.flat, after, "perform")
	if !ok {
		return
	}
	rest = s.skipFlat(rest, ":", "operation:", "action:", "thefollowingaction:", "thefollowingactions:")
	from, principal := s.principal(at)
	limit := min(next, rest+maxResource)
	actions, rest := s.actions(rest, limit)
	t, hasTail := s.findTail(rest, limit)
	if len(actions) == 0 {
		if !hasTail || t.action == "" || t.from-rest > maxGap {
			return
		}
		actions = []string{t.action}
	}
	w := s.splitWidth(from, rest)
	d := Denial{Principal: principal, Effect: Unstated, Layer: LayerUnstated}
	d.Resource, rest = s.resource(rest, t, hasTail, w)
	if hasTail && s.adjoins(rest, t.from) && (t.action == "" || sameAction(t.action, actions)) {
		if t.public {
			s.none = append(s.none, span{from, t.to})
			return
		}
		d.Effect, d.Layer, d.PolicyARN, rest = t.effect, t.layer, t.policy, t.to
	}
	if d.Effect == Unstated && !strings.HasPrefix(d.Principal+d.Resource, "arn:") && !ofAWS(actions[0]) {
		return
	}
	for _, a := range actions {
		d.Action = canonical(a)
		c := claim{Denial: d, from: from, to: rest}
		s.encoded(&c)
		s.list = append(s.list, c)
	}
}

// ofAWS reports whether the action's service is one of IAM's: other systems
// say "not authorized to perform" too.
func ofAWS(action string) bool {
	prefix, _, _ := strings.Cut(action, ":")
	return iamref.Actions(prefix) != nil
}

// adjoins reports whether only punctuation stands between two places of flat.
func (p *page) adjoins(from, to int) bool {
	return from <= to && len(bytes.Trim(p.flat[from:to], ".,;:)]}\"'`\\")) == 0
}

// principal finds the ARN of whom the sentence, whose head is at flat[at],
// speaks, and where the sentence begins.
func (p *page) principal(at int) (from int, arn string) {
	for _, w := range []string{"is", "are", "was"} {
		if bytes.HasSuffix(p.flat[:at], []byte(w)) {
			at -= len(w)
			break
		}
	}
	window := p.flat[max(0, at-maxPrincipal):at]
	i := bytes.LastIndex(window, []byte("arn:"))
	base := at - len(window)
	user := bytes.LastIndex(window, []byte("user"))
	if user >= 0 && bytes.HasPrefix(window[user:], []byte("user/")) { // of the ARN
		user = bytes.LastIndex(window[:user], []byte("user"))
	}
	if user > i && p.startsWord(base+user) {
		i = -1 // "User: anonymous", "User: …", "User is"
		if len(window)-user > 60 || bytes.IndexByte(window[user:], '\n') >= 0 {
			return at, ""
		}
		return base + user, ""
	}
	if i < 0 {
		return at, ""
	}
	i += base
	start := i
	for _, w := range []string{"user:", "user", "principal:", "role:", "role", "entity:"} {
		for _, q := range []string{"", `"`, "'", "`"} {
			if bytes.HasSuffix(p.flat[:i], []byte(w+q)) {
				start = i - len(w) - len(q)
				break
			}
		}
		if start != i {
			break
		}
	}
	arn, spaces := p.joined(int(p.at[i]), int(p.at[at]))
	arn = strings.TrimRight(arn, "\"'`,)")
	if spaces && start == i || strings.Contains(arn, "\n") {
		return at, ""
	}
	return start, arn
}

// startsWord reports whether flat[i] begins a word in the text.
func (p *page) startsWord(i int) bool {
	t := int(p.at[i])
	return t == 0 || !letter(p.text[t-1]) && !digit(p.text[t-1]) && bytes.IndexByte([]byte(":/-_."), p.text[t-1]) < 0
}

// joined gives text[from:to] with its rows joined without a space. spaces
// tells whether a row holds white space.
func (p *page) joined(from, to int) (s string, spaces bool) {
	var b strings.Builder
	for _, part := range strings.Split(strings.TrimSpace(string(p.text[from:to])), "\n") {
		part = strings.TrimSpace(part)
		spaces = spaces || strings.ContainsAny(part, " \t")
		b.WriteString(part)
	}
	return b.String(), spaces
}

// actions reads "ACTION" or "ACTION, ACTION and ACTION" at flat[i].
func (p *page) actions(i, limit int) (list []string, after int) {
	for i < limit {
		i = p.skipFlat(i, `"`, "'", "`", "[", "(", "*")
		a, end := p.action(i)
		if a == "" {
			break
		}
		list, i = append(list, a), p.skipFlat(end, `"`, "'", "`", "]", ")")
		j := p.skipFlat(i, ",", "and")
		if j == i {
			break
		}
		if next, _ := p.action(p.skipFlat(j, `"`, "'", "`")); next == "" {
			break
		}
		i = j
	}
	return list, i
}

// action reads one action, which may go on in the next row, at flat[i].
func (p *page) action(i int) (action string, after int) {
	if i >= len(p.flat) {
		return "", i
	}
	t := int(p.at[i])
	u := actionEnd(p.text, t)
	a := string(p.text[t:u])
	for range 3 {
		v, ok := p.nextRow(u)
		if !ok {
			break
		}
		w := actionEnd(p.text, v)
		more := a + string(p.text[v:w])
		_, name, whole := strings.Cut(a, ":")
		if w == v || whole && p.afterAction(p.flatAt(v)) ||
			whole && name != "" && (known(a) || !known(more)) && !p.afterAction(p.flatAt(w)) {
			break
		}
		a, u = more, w
	}
	if !validAction(a) {
		return "", i
	}
	return a, p.flatAt(u)
}

// maxAction is in characters of flat; the longest action has under 100.
const maxAction = 130

// validAction reports whether a is written as an action.
func validAction(a string) bool {
	prefix, name, ok := strings.Cut(a, ":")
	return ok && prefix != "" && name != "" && letter(prefix[0]) && (letter(name[0]) || name[0] == '*') &&
		actionEnd([]byte(a), 0) == len(a) && !strings.ContainsAny(name, ":-") && !strings.Contains(prefix, "*")
}

// afterAction reports whether flat[i:] begins with what follows the action in
// AWS's sentence.
func (p *page) afterAction(i int) bool {
	for _, w := range []string{"onresource", "onthisresource", "onarn:"} {
		if _, ok := cut(p.flat, i, w); ok {
			return true
		}
	}
	return p.stop(i)
}

func actionEnd(b []byte, i int) int {
	for i < len(b) && (letter(b[i]) || digit(b[i]) || b[i] == ':' || b[i] == '-' || b[i] == '*') {
		i++
	}
	return i
}

// nextRow gives where the text goes on if text[t] ends a row and the next
// one can continue it.
func (p *page) nextRow(t int) (int, bool) {
	if t >= len(p.text) || p.text[t] != '\n' {
		return 0, false
	}
	r := p.rowAt(t) + 1
	if r >= len(p.rows) || p.rows[r].mark&markBullet != 0 || p.text[p.rows[r].start] == '\n' {
		return 0, false
	}
	return int(p.rows[r].start), true
}

// stopWords end a resource that is not quoted.
var stopWords = []string{
	"because", "withanexplicit", "withexplicit", "duetoanexplicit", "(service:", "(service;", "statuscode:", "(requestid",
	"requestid:", "(status", "encodedauthorization", "isnotauthorized", "user:", "(handlererror",
}

// stop reports whether flat[i:] begins with what ends a resource.
func (p *page) stop(i int) bool {
	for _, w := range stopWords {
		if _, ok := cut(p.flat, i, w); ok {
			return true
		}
	}
	return false
}

// cut gives the place after w if b[i:] begins with w.
func cut(b []byte, i int, w string) (int, bool) {
	if i <= len(b) && bytes.HasPrefix(b[i:], []byte(w)) {
		return i + len(w), true
	}
	return i, false
}

// skipFlat skips any of the words at flat[i], each at most once, repeatedly.
func (p *page) skipFlat(i int, words ...string) int {
	for again := true; again; {
		again = false
		for _, w := range words {
			if j, ok := cut(p.flat, i, w); ok {
				i, again = j, true
			}
		}
	}
	return i
}

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
var entityWords = []string{"role", "user", "group", "policy", "instance profile", "policy path", "server certificate"}

// resource reads "[on [this] resource[:] RESOURCE]" at flat[i]. It gives ""
// and i itself if there is no such thing; width is what splitWidth gave.
func (p *page) resource(i int, t tail, hasTail bool, width int32) (string, int) {
	j := p.skipFlat(i, ",", ".")
	for _, w := range []string{"on", "for", "against", "to"} {
		if k, ok := cut(p.flat, j, w); ok {
			if k, ok := p.resourceWord(k); ok {
				return p.value(k, t, hasTail, width)
			}
		}
	}
	if k, ok := cut(p.flat, i, "on"); ok {
		if _, ok := cut(p.flat, p.skipFlat(k, `"`, "'"), "arn:"); ok {
			return p.value(k, t, hasTail, width)
		}
		if k, ok := cut(p.flat, k, "thisresource"); ok {
			return "", k
		}
	}
	return "", i
}

// resourceWord skips "the resource(s):" at flat[k].
func (p *page) resourceWord(k int) (int, bool) {
	k = p.skipFlat(k, "the")
	k, ok := cut(p.flat, k, "resource")
	if !ok {
		return k, false
	}
	k = p.skipFlat(k, "(s)", "s:", "arn:arn")
	if n, ok := cut(p.flat, k-len("arn"), "arn"); ok && n == k && k >= 7 && string(p.flat[k-7:k]) == "arn:arn" {
		k -= len("arn")
	}
	return p.skipFlat(k, ":", "="), true
}

// value reads what is named at flat[i], quoted or not.
func (p *page) value(i int, t tail, hasTail bool, width int32) (string, int) {
	if i >= len(p.flat) || p.flat[i] == '\n' || p.stop(i) {
		return "", i
	}
	start := int(p.at[i])
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
			return elided(p.unwrapped(body, body+n)), p.flatAt(body + n + 1)
		}
		start = body
	}
	s, end := p.token(start, t, hasTail, width)
	return elided(s), p.flatAt(end)
}

// elided gives "" for what somebody left out: "..." names nothing.
func elided(s string) string {
	if strings.Trim(s, ".…[]<>") == "" {
		return ""
	}
	return s
}

// unwrapped joins the rows of a quoted value: with a space behind a rule
// without another side, as Terraform draws it, which wraps at spaces only.
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
		if u >= len(p.text) {
			break
		}
		if next, ok := p.entityName(tok, u); ok {
			tok, u = append(tok, ' '), next
			continue
		}
		if p.text[u] == ' ' {
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
	s, drop := trimToken(string(tok), u < len(p.text) && p.text[u] == ' ')
	return s, u - drop
}

// tokenEnd gives the end of the run of characters that may be part of an ARN
// or a name.
func tokenEnd(b []byte, i int) int {
	for i < len(b) {
		switch b[i] {
		case ' ', '\t', '\n', '"', '`', '\'':
			return i
		case '<':
			if i+1 < len(b) && b[i+1] == '/' {
				return i
			}
		}
		i++
	}
	return i
}

// entityName gives where the next word of "role NAME" begins, if tok is what
// stands before text[u] of it.
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

// nextWord gives where the word after the space or line break at text[u] begins.
func (p *page) nextWord(u int) (int, bool) {
	if u < len(p.text) && p.text[u] == ' ' {
		return u + 1, true
	}
	return p.nextRow(u)
}

// spaced gives what of the text after the space at text[u] belongs to an ARN
// that holds spaces: all up to the tail.
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

// continues reports whether the token, whose row ends at text[u], goes on at
// text[next].
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
	return incomplete(tok) || width > 0 && r.width >= width || r.mark&markFull != 0 || p.brokenByTerminal(at, next, e)
}

// minTerminal is the least width at which rows of the same width are taken
// to be one line that a terminal broke.
const minTerminal = 60

// brokenByTerminal reports whether the row at index at seems to go on with
// text[next:end]: rows as wide stand before it. If there is but one, it may
// be chance, and what follows has to look like a part of a name.
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

// incomplete reports whether a resource cannot end here.
func incomplete(tok []byte) bool {
	if len(tok) == 0 {
		return true
	}
	if bytes.HasSuffix(tok, []byte("log-stream:")) || bytes.HasSuffix(tok, []byte("...")) || bytes.HasSuffix(tok, []byte("…")) {
		return false
	}
	if bytes.IndexByte([]byte(":/-_=+"), tok[len(tok)-1]) >= 0 {
		return true
	}
	return bytes.HasPrefix(tok, []byte("arn:")) && bytes.Count(tok, []byte{':'}) < 5
}

// trimToken takes away punctuation that is the sentence's and not the
// name's. spaced tells that a space follows.
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
		case last == ':' && spaced && !strings.HasSuffix(s, "log-stream:"):
		default:
			return s, n - len(s)
		}
		s = s[:len(s)-1]
	}
	return s, n
}

// canonical spells an action as the service reference does.
func canonical(a string) string {
	if x, ok := iamref.Lookup(a); ok {
		return x.Name
	}
	prefix, name, _ := strings.Cut(a, ":")
	return strings.ToLower(prefix) + ":" + name
}

func known(a string) bool {
	_, ok := iamref.Lookup(a)
	return ok
}

func sameAction(a string, list []string) bool {
	return slices.ContainsFunc(list, func(b string) bool { return strings.EqualFold(a, b) })
}

// sentence gives flat[from:to] as one line of text.
func (p *page) sentence(from, to int) string {
	b := p.text[p.at[from]:p.at[min(to, len(p.at)-1)]]
	return clip(strings.Join(strings.Fields(string(b)), " "), maxText)
}

package buildlog

import (
	"bytes"
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/iamref"
)

// AWS's own sentence (AWS.md#denial-sentence) is
//
//	User: PRINCIPAL is not authorized to perform: ACTION [on resource: RESOURCE] [TAIL]
//
// where TAIL is "because no LAYER allows the ACTION action" or "with an explicit
// deny in a LAYER[: POLICY]".
//
// It is found by its head, "not authorized to perform". A tail without a
// head is read on its own: some tools print only a list of actions and reasons.

const (
	headWords    = "notauthorizedto"
	executeWords = "notallowedtoexecute"
	// Bounds of one message, in characters of flat. The longest ARN that IAM
	// takes is 2,048 characters long.
	maxPrincipal = 700
	maxResource  = 2100
	maxGap       = 900
)

type sentences struct {
	*page
	home codebuild.ARN // the build's partition, account and region
	all  []tail

	actionsNamed []named      // nil until it is asked for
	nameless     map[int]bool // rows of which is known that they name no resource

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
			break
		}
		at := i + n
		i = at + len(headWords)
		next := len(flat)
		if n := bytes.Index(flat[i:], []byte(headWords)); n >= 0 {
			next = i + n
		}
		if rest, ok := cut(flat, i, "perform"); ok {
			s.head(at, rest, next)
		}
	}
	for i := 0; ; { // "Principal [ARN] is not allowed to execute [ACTION] on [ARN]"
		n := bytes.Index(flat[i:], []byte(executeWords))
		if n < 0 {
			return
		}
		at := i + n
		i = at + len(executeWords)
		s.head(at, i, len(flat))
	}
}

// emphasis is Markdown's, around what a report wants to be seen.
const emphasis = "**"

// head reads the sentence whose head is flat[at:after]; next is where the next head is.
func (s *sentences) head(at, after, next int) {
	if s.pattern(at) {
		return
	}
	rest := s.skipFlat(after, ":", "operation:", "action:", "thefollowingaction:", "thefollowingactions:")
	from, principal := s.principal(at)
	limit := min(next, rest+maxResource)
	actions, rest := s.actions(rest, limit)
	if s.searched(at, rest) {
		return
	}
	t, hasTail := s.findTail(rest, limit)
	if len(actions) == 0 {
		if !hasTail || t.action == "" || t.from-rest > maxGap {
			return
		}
		actions = []string{t.action}
	}
	w := s.splitWidth(from, rest)
	d := Denial{Principal: principal, Effect: Unstated, Layer: LayerUnstated}
	if principal == "" {
		d.Subject = s.unnamed(from, at, actions)
		from = s.startOf(d.Subject, from)
	}
	d.Resource, rest = s.resource(rest, t, hasTail, w)
	if name, ok := strings.CutSuffix(d.Resource, emphasis); ok && !strings.HasSuffix(name, "*") && s.emphasized(at) {
		d.Resource = name // a report that sets the sentence in bold
	}
	if hasTail && s.adjoins(rest, t.from) && (t.action == "" || sameAction(t.action, actions) || misspelt(t.action, actions)) {
		if t.public {
			s.none = append(s.none, span{from, t.to})
			return
		}
		d.Reason = s.reasonAt(t.from)
		d.Effect, d.Layer, d.PolicyARN, rest = t.effect, t.layer, t.policy, t.to
	} else {
		d.Reason = s.reasonAt(rest)
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

// pattern reports whether the subject before flat[at] is an expression's, in the source of a program
// that looks for the sentence: "User: .* is not authorized".
func (p *page) pattern(at int) bool {
	before := bytes.TrimRight(p.flat[:p.beforeVerb(at)], ")?")
	return bytes.HasSuffix(before, []byte(".*")) || bytes.HasSuffix(before, []byte(".+"))
}

// searched reports whether the sentence from the head at flat[at] to flat[after] is all of a string
// or an expression that a program looks for: `if "is not authorized to perform: sts:AssumeRole" in str(e)`.
func (p *page) searched(at, after int) bool {
	from := p.beforeVerb(at)
	if from == at && bytes.HasSuffix(p.flat[:at], []byte("/is")) {
		from -= len("is")
	}
	after -= len(p.flat[:after]) - len(bytes.TrimRight(p.flat[:after], ")]"))
	if from == 0 || after >= len(p.flat) {
		return false
	}
	switch q := p.flat[from-1]; q {
	case '/':
		return bytes.HasPrefix(bytes.TrimPrefix(p.flat[after:], []byte("/i")), []byte(".test(")) ||
			bytes.HasPrefix(p.flat[after:], []byte("/.test("))
	case '"', '\'':
		return p.flat[after-1] == q &&
			(bytes.HasPrefix(p.text[int(p.at[after-1])+1:], []byte(" in ")) || p.flat[after] == ')' && p.lookedFor(from-1))
	}
	return false
}

// lookers are the functions of languages that look for a string, as in flat.
var lookers = []string{"includes", "contains", "containsstring", "indexof", "match", "startswith", "endswith", "hasprefix", "hassuffix",
	"include?"}

// lookedFor reports whether the string at flat[i] is given to a function that looks for it.
func (p *page) lookedFor(i int) bool {
	depth := 0
	for j := i - 1; j >= 0 && i-j < maxBetween; j-- {
		switch p.flat[j] {
		case '\n':
			return false
		case ')':
			depth++
		case '(':
			if depth--; depth < 0 {
				return slices.ContainsFunc(lookers, func(w string) bool { return bytes.HasSuffix(p.flat[:j], []byte(w)) })
			}
		}
	}
	return false
}

// emphasized reports whether the words before flat[at] open an emphasis that they do not close.
func (p *page) emphasized(at int) bool {
	t := int(p.at[at])
	before := bytes.ReplaceAll(p.text[p.rowStart(t):t], []byte(mask), nil)
	return bytes.Count(before, []byte(emphasis))%2 == 1
}

// misspelt reports whether the action of a tail is none, and the sentence's only one is of the same
// service: AWS's own documentation has such a sentence, which people repeat.
func misspelt(a string, actions []string) bool {
	prefix, _, _ := strings.Cut(a, ":")
	service, _, _ := strings.Cut(actions[0], ":")
	return len(actions) == 1 && strings.EqualFold(prefix, service) && !known(a) && known(actions[0])
}

// ofAWS reports whether the action's service is one of IAM's: other systems
// say "not authorized to perform" too.
func ofAWS(action string) bool {
	prefix, _, _ := strings.Cut(action, ":")
	return iamref.Actions(prefix) != nil
}

// adjoins reports whether only punctuation stands between two places of flat.
func (p *page) adjoins(from, to int) bool {
	return from <= to && len(bytes.Trim(p.flat[from:to], ".…,;:()[]<>{}\"'`\\")) == 0
}

// principal finds the ARN of the principal of the sentence whose head is at flat[at], and where
// that sentence begins.
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
	inside := i >= 0 && user > i && !bytes.ContainsAny(p.text[p.at[base+i]:p.at[base+user]], " \n") // "user/{username}"
	if user > i && !inside && p.startsWord(base+user) {
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
	if first, _, _ := strings.Cut(arn, " "); spaces && start != i && completePrincipal(first) {
		arn, spaces = first, false // "User: ARN, who is new here, is not authorized"
	}
	if spaces && start == i {
		return at, ""
	}
	return start, strings.TrimRight(arn, "\"'`,)]")
}

// startsWord reports whether flat[i] begins a word in the text.
func (p *page) startsWord(i int) bool {
	t := int(p.at[i])
	return t == 0 || !letter(p.text[t-1]) && !digit(p.text[t-1]) && bytes.IndexByte([]byte(":/-_."), p.text[t-1]) < 0
}

// joined returns text[from:to] with its rows joined without a space. spaces reports whether a row
// holds white space.
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
		i = p.skipFlat(i, `"`, "'", "`", "[", "(", "*", "+") // a program may join the sentence's parts
		a, end := p.action(i)
		if a == "" {
			break
		}
		list, i = append(list, a), p.skipFlat(end, `"`, "'", "`", "]", ")")
		j := p.skipFlat(i, ",", "and")
		if j == i && !p.bulletAfter(i) {
			break
		}
		if next, _ := p.action(p.skipFlat(j, `"`, "'", "`")); next == "" {
			break
		}
		i = j
	}
	return list, i
}

// bulletAfter reports whether flat[i] begins a list item.
func (p *page) bulletAfter(i int) bool {
	if i == 0 || i >= len(p.flat) {
		return false
	}
	r := p.rowAt(int(p.at[i]))
	return p.rows[r].mark&markBullet != 0 && int(p.rows[r].start) == int(p.at[i])
}

// action reads one action at flat[i]; it may continue in the next row.
func (p *page) action(i int) (action string, after int) {
	if i >= len(p.flat) {
		return "", i
	}
	t := int(p.at[i])
	u := actionEnd(p.text, t)
	a := string(p.text[t:u])
	if strings.HasSuffix(a, ":") && u < len(p.text) && p.text[u] == ' ' { // "s3: ListBucket", as text recognition sees it
		if w := actionEnd(p.text, u+1); known(a + string(p.text[u+1:w])) {
			return a + string(p.text[u+1:w]), p.flatAt(w)
		}
	}
	if name, end, ok := p.marked(a, u); ok {
		return a + name, p.flatAt(end)
	}
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
	a = strings.TrimSuffix(a, emphasis) // no action ends so
	if !validAction(a) {
		return "", i
	}
	return a, p.flatAt(u)
}

// marked reads the rest of an action, of which prefix stands before text[u], that documentation sets
// in code or in braces: "kafka:`DeleteCluster`".
func (p *page) marked(prefix string, u int) (name string, end int, ok bool) {
	if !strings.HasSuffix(prefix, ":") || !ofAWS(prefix) {
		return "", u, false
	}
	for _, m := range []struct{ open, end string }{{"`", "`"}, {"{{", "}}"}} {
		if !bytes.HasPrefix(p.text[u:], []byte(m.open)) {
			continue
		}
		from := u + len(m.open)
		to := actionEnd(p.text, from)
		if bytes.HasPrefix(p.text[to:], []byte(m.end)) && validAction(prefix+string(p.text[from:to])) {
			return string(p.text[from:to]), to + len(m.end), true
		}
	}
	return "", u, false
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
	for _, w := range []string{"onresource", "onthisresource", "ontheresource", "onarn:"} {
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

// nextRow returns where the text continues if text[t] ends a row and the next one can continue it.
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

// cut returns the place after w if b[i:] begins with w.
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

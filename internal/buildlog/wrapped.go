package buildlog

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

// A report is a refusal that AWS words differently, or that a tool reports in its own words: an
// error code, most often with the name of an API operation (AWS.md#operation-names). Its action is
// inferred.
type report struct {
	from, msg int    // in flat: where it begins, and its message
	code      string // as in flat; "" if it shows none
	service   string // as printed, "" if it shows none
	operation string // as printed, "" if it shows none
	action    string // where the report names the action itself
	resource  string
	principal string
	bare      bool   // see [Denial.Bare]
	subject   string // see [Denial.Subject]
	says      bool   // what follows msg is the message, in AWS's words
}

// shapes are the ways to report a refusal. Each is found by its anchor, a text in flat, and read by
// its function, which returns false if it is not a report.
var shapes = []struct {
	anchor string
	read   func(s *sentences, at int) (report, bool)
}{
	{"whencallingthe", (*sentences).readCLI},
	{"operationerror", (*sentences).readGo},
	{`executing"`, (*sentences).readPHP},
	{"accessdenied:", (*sentences).readCode},
	{"accessdeniedexception:", (*sentences).readCode},
	{"accessdenied]:", (*sentences).readCode},
	{"accessdenied):", (*sentences).readCode},
	{"accessdenied", (*sentences).readBareCode},
	{"accessdeniedforoperation'", (*sentences).readHandler},
	{operationDenied, (*sentences).readBeanstalk},
	{"forbidden:forbidden", (*sentences).readForbidden},
	{"forbidden:null", (*sentences).readNull},
	{"accessdenied(", (*sentences).readClass},
	{"accessdeniedexception(service:", (*sentences).readClass},
	{"forbidden(service:", (*sentences).readClass},
	{"::errors::forbidden", (*sentences).readRuby},
	{"amazons3exception:accessdenied", (*sentences).readNET},
	{"awserrorcode:accessdenied", (*sentences).readFields},
	{":accessdenied", (*sentences).readCmdlet},
	{"<code>accessdenied</code>", (*sentences).readXML},
	{`code:"accessdenied`, (*sentences).readField},
	{`code":"accessdenied`, (*sentences).readField},
	{"code:'accessdenied", (*sentences).readField},
	{"code':'accessdenied", (*sentences).readField},
	{"youarenotauthorizedtoperformthisoperation", (*sentences).readEC2},
	{"unauthorizedoperation", (*sentences).readUnauthorized},
	{"notauthorizedtoperform", (*sentences).readOperation},
	{"permission", (*sentences).readPermission},
	{"api:", (*sentences).readAPI},
	{"accesshasbeendeniedby", (*sentences).readDeniedBy},
	{"accesstotheresource", (*sentences).readResource},
	{"notauthorizedtoaccess", (*sentences).readUnauthorizedResource},
	{"notauthorizedto", (*sentences).readForbiddenTo},
	{"isnotauthorizedtoaccessconnection", (*sentences).readConnection},
	{"accessdeniedtoconnectionarn:", (*sentences).readConnection},
	{"failedtogetaccesstokenfrom", (*sentences).readConnection},
	{"ciphertextrefersto", (*sentences).readCiphertext},
	{"git-codecommit.", (*sentences).readCodeCommit},
	{".dkr.ecr", (*sentences).readRequest},
	{".dkr-ecr", (*sentences).readRequest},
	{"statuscode[", (*sentences).readAskedFor},
	{"permissiondeniedaccessingbucket", (*sentences).readBucketCheck},
	{s3cmdWords, (*sentences).readS3cmd},
	{"denied:user:arn:", (*sentences).readCutPull},
}

// wrapped reads the refusals that are not in AWS's own sentence, except those that only introduce
// one.
func (s *sentences) wrapped() {
	var list []report
	for _, sh := range shapes {
		for i := 0; ; {
			n := bytes.Index(s.flat[i:], []byte(sh.anchor))
			if n < 0 {
				break
			}
			at := i + n
			i = at + len(sh.anchor)
			if r, ok := sh.read(s, at); ok {
				list = append(list, r)
			}
		}
	}
	slices.SortStableFunc(list, func(a, b report) int { return a.from - b.from })
	read := s.spans()
	var found []claim
	end := 0 // of what was read before
	for i, r := range list {
		if r.from < end {
			continue // a second reading of the same report
		}
		next := len(s.flat)
		for _, n := range list[i+1:] {
			if n.from >= r.msg {
				next = n.from
				break
			}
		}
		if c, at := s.introduced(r, read, next); c {
			s.pullBack(at, r.from)
			end = r.msg
			continue
		}
		before := max(end, endBefore(read, r.from))
		end = max(r.msg, r.from+1)
		if c, ok := s.refusal(r, before); ok {
			end = c.to
			found = append(found, c)
		}
	}
	s.list = append(s.list, found...)
}

// endBefore returns where the last of the spans ends that end before at.
func endBefore(read []span, at int) int {
	i, _ := slices.BinarySearchFunc(read, at+1, func(a span, at int) int { return a.to - at })
	if i == 0 {
		return 0
	}
	return read[i-1].to
}

// introduced reports whether the sentence that follows r says what r is
// about, or r is part of one. at is where that sentence begins.
func (s *sentences) introduced(r report, read []span, next int) (ok bool, at int) {
	i, _ := slices.BinarySearchFunc(read, r.from, func(a span, from int) int { return a.to - from })
	for i < len(read) && read[i].to <= r.from {
		i++
	}
	if i == len(read) {
		return false, 0
	}
	b := read[i]
	if b.from <= r.from {
		return true, b.from
	}
	if r.bare && s.rowAt(int(s.at[b.from])) != s.rowAt(int(s.at[min(r.msg, b.from)])) {
		return false, 0 // a HEAD without words, and the GET after it that has them
	}
	if b.from > r.msg+maxGap || b.from >= next && next > r.msg+8 || b.from < r.msg && b.to > r.from {
		return b.from <= r.msg+1, b.from
	}
	gap := s.flat[min(r.msg, b.from):b.from]
	if _, n := terminal(gap); n > 0 && len(gap)-n > 12 {
		return false, 0
	}
	rows := s.rowAt(int(s.at[b.from])) - s.rowAt(int(s.at[min(r.msg, b.from)]))
	if bytes.IndexByte(bytes.TrimLeft(gap, "\n"), '\n') >= 0 || rows > maxIntroduction {
		return false, 0
	}
	return true, b.from
}

// maxIntroduction is how many rows may lie between a report and the sentence
// that it introduces.
const maxIntroduction = 5

// pullBack moves the start of the claims that begin at from to the report that introduces them.
func (s *sentences) pullBack(from, to int) {
	for i := range s.list {
		if s.list[i].from == from && to < from {
			s.list[i].from = to
		}
	}
}

// terminalWords are complete messages: nothing follows them.
var terminalWords = []string{"accessdenied", "forbidden", "youarenotauthorizedtoperformthisoperation", "unauthorized", "null", "none"}

// terminal returns the message that flat begins with if nothing follows it, and its length.
func terminal(flat []byte) (string, int) {
	for _, w := range terminalWords {
		if bytes.HasPrefix(flat, []byte(w)) {
			return w, len(w)
		}
	}
	return "", 0
}

// notIAM are messages that come with an access-denied code and that no
// policy of the caller can cure.
var notIAM = []string{
	"blockpublic", "lakeformation", "accesstothemodel", "requesthasexpired", "mustbeverified", "multifactorauthentication",
	"terminationprotection", "securitytoken", "requestsignature", "currentlyblocked", "suspended", "subscription", "subscribed", "expired",
}

// message returns the message that begins at flat[i], up to the end of the next row, since nothing
// marks its end.
func (s *sentences) message(i int) []byte {
	if i >= len(s.flat) {
		return nil
	}
	end := len(s.text)
	if r := s.rowAt(int(s.at[i])); r+2 < len(s.rows) {
		end = int(s.rows[r+2].start)
	}
	msg := s.flat[i:min(s.flatAt(end), i+maxGap)]
	if n := bytes.IndexByte(msg, '\n'); n >= 0 {
		msg = msg[:n]
	}
	return msg
}

const ciphertextWords = "ciphertextrefersto"

// keyRefused reports whether a message says that a KMS key, which another service uses, is missing
// or refused.
func keyRefused(msg []byte) bool {
	return bytes.Contains(msg, []byte(ciphertextWords)) ||
		(bytes.Contains(msg, []byte("kmskey")) || bytes.Contains(msg, []byte("accesstokms"))) && bytes.Contains(msg, []byte("notallowed"))
}

// refusal turns a report into a claim. What comes before flat[before] belongs
// to something else.
func (s *sentences) refusal(r report, before int) (claim, bool) {
	msg := s.message(r.msg)
	word, n := terminal(msg)
	if n == 0 && holds(msg, notIAM) {
		return claim{}, false
	}
	if bytes.HasPrefix(msg, []byte("youraccesshasbeendeniedby")) {
		return claim{}, false // another service refused, as the message goes on to say: see readDeniedBy
	}
	c := claim{from: r.from, to: r.msg + n}
	c.Effect, c.Layer, c.Inferred = Unstated, LayerUnstated, true
	c.Operation, c.Resource, c.Action, c.Principal, c.Subject = r.operation, r.resource, r.action, r.principal, r.subject
	c.Bare = r.bare
	if i, ok := cut(s.flat, r.msg, "user:"); ok && bytes.HasPrefix(s.flat[i:], []byte("arn:")) { // cut before the action
		if arn, _ := s.value(i, tail{}, false, 0); completePrincipal(arn) {
			c.Principal = arn
		}
	}
	for _, w := range []string{"accesstotheresource", "notauthorizedtoaccessresource", "notauthorizedtoaccesstheresource"} {
		if j, ok := cut(s.flat, r.msg, w); ok {
			c.Resource, c.to = s.value(s.skipFlat(j, ":"), tail{}, false, 0)
		}
	}
	if bytes.HasPrefix(msg, []byte("s3error:")) { // of a template that CloudFormation was to read
		c.Inferred = false
		return c, true
	}
	if n == 0 && r.says && r.action == "" {
		s.otherThanBare(&c, r)
	}
	if keyRefused(msg) && c.Reason == "" {
		c.Reason = s.said(r.msg)
	}
	if k := bytes.Index(msg, []byte(ciphertextWords)); k >= 0 {
		c.to = r.msg + k + len(ciphertextWords)
	}
	if keyRefused(msg) && (r.operation == "" || !strings.HasPrefix(s.actionOf(r, word), "kms:")) {
		c.Operation, c.Inferred = "", false // which operation on the key failed is not said
		return c, true
	}
	switch {
	case c.Action != "" || c.Reason != "" && !keyRefused(msg) && (r.operation == "" || c.Subject != "" || c.Principal != ""):
		// the text says something else, or it of somebody else
		if c.Action == "" && r.operation == "" && c.Subject == "" && c.Principal == "" {
			c.Action = cmp.Or(s.calledIn(r.msg, msg), s.headed(r.from))
		}
	case r.operation != "":
		if m := serviceHost.Get().FindStringSubmatch(c.Resource); m != nil && r.service == "" {
			r.service = m[1]
		}
		c.Action = s.actionOf(r, word)
	default:
		c.Action = s.inferred(r, before)
		if c.Principal == "" && c.Action != "" {
			c.Principal = s.auditedBy(r.from)
		}
	}
	if c.Action == "" {
		c.Inferred = false
	}
	if t, ok := s.findTail(c.to, c.to+maxGap); ok && s.adjoins(c.to, t.from) {
		c.Reason = s.reasonAt(t.from)
		c.Effect, c.Layer, c.PolicyARN, c.to = t.effect, t.layer, t.policy, t.to
	} else if c.Reason == "" {
		c.Reason = s.reasonAt(c.to)
		if c.Reason == "" && n > 0 && r.says {
			c.Reason = s.toldAfter(c.to, r)
		}
	}
	s.encoded(&c)
	return c, true
}

// calledIn returns the action that the message at flat[i] says was called: "Failed to verify the VPC
// by calling ec2:DescribeVpcs: You are not authorized to perform this operation."
func (s *sentences) calledIn(i int, msg []byte) string {
	n := bytes.Index(msg, []byte("bycalling"))
	if n < 0 {
		return ""
	}
	at := i + n + len("bycalling")
	a, _ := s.namedAction(at, at+1)
	return a
}

// headed returns the action that the row before flat[at] names, as a report's heading does: between
// them is no more than the mark of a block.
func (s *sentences) headed(at int) string {
	row := s.rowStart(int(s.at[at]))
	for row > 0 {
		above := s.rowStart(row - 1)
		if text := bytes.TrimSpace(s.text[above:row]); len(text) > 0 && !bytes.HasPrefix(text, []byte("```")) {
			a, _ := s.namedAction(s.flatAt(above), s.flatAt(row))
			return a
		}
		row = above
	}
	return ""
}

// serviceHost matches a resource that is a URL, with its service.
var serviceHost = lazyregexp.New(`^https://([a-z0-9-]+)\.[a-z0-9-]+\.amazonaws\.com`)

// completePrincipal reports whether arn names a user, a role or a session.
func completePrincipal(arn string) bool {
	f := strings.SplitN(arn, ":", 6)
	return len(f) == 6 && strings.Contains(f[5], "/") && !strings.HasSuffix(f[5], "/")
}

func alphanumeric(s string) bool {
	for i := 0; i < len(s); i++ {
		if !letter(s[i]) && !digit(s[i]) {
			return false
		}
	}
	return s != ""
}

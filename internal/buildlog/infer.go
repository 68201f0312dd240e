package buildlog

import (
	"bytes"
	"slices"
	"sort"
	"strings"
	"sync"

	"github.com/buildmedic/buildmedic/internal/iamref"
	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

// inferred finds the action of a report that names no operation: an action
// printed just before it, or what the words before it say was tried. Only
// what follows flat[lo] is the report's.
func (s *sentences) inferred(r report, lo int) string {
	lo = max(min(lo, r.from), r.from-300)
	lo += 1 + bytes.LastIndexByte(s.flat[lo:r.from], '\n')
	if a, _ := s.namedAction(lo, r.from); a != "" {
		return a
	}
	if a := s.logged(lo, r.from); a != "" {
		return a
	}
	return s.tried(lo, r)
}

// named is an action that the text prints and that the service reference
// knows.
type named struct {
	at     int // in flat
	action string
}

// allNamed finds every action of the page, in order.
func (p *page) allNamed() []named {
	list := []named{}
	for end := 0; ; {
		n := bytes.IndexByte(p.text[end:], ':')
		if n < 0 {
			return list
		}
		colon := end + n
		from, to := actionAround(p.text, end, colon)
		if end = colon + 1; from < 0 {
			continue
		}
		end = to
		if a, ok := iamref.Lookup(string(p.text[from:to])); ok {
			list = append(list, named{p.flatAt(from), a.Name})
		}
	}
}

// actionAround returns where in b, not before b[lo], the action stands whose colon is b[colon]; -1
// if none does. It is read by hand because each colon of a log is asked.
func actionAround(b []byte, lo, colon int) (from, to int) {
	to = colon + 1
	if to == len(b) || b[to] < 'A' || b[to] > 'Z' {
		return -1, 0
	}
	for to < len(b) && (letter(b[to]) || digit(b[to])) {
		to++
	}
	if to < colon+3 || to < len(b) && b[to] == '_' {
		return -1, 0
	}
	start := colon
	for start > lo && (b[start-1] >= 'a' && b[start-1] <= 'z' || digit(b[start-1]) || b[start-1] == '-') {
		start--
	}
	for from = start; from < colon-1; from++ {
		if c := b[from]; c >= 'a' && c <= 'z' && (from == 0 || !letter(b[from-1]) && !digit(b[from-1]) && b[from-1] != '_') {
			return from, to
		}
	}
	return -1, 0
}

// namedAction returns the last action that is printed in flat[lo:hi], and where.
func (s *sentences) namedAction(lo, hi int) (string, int) {
	if s.actionsNamed == nil {
		s.actionsNamed = s.allNamed()
	}
	i := sort.Search(len(s.actionsNamed), func(i int) bool { return s.actionsNamed[i].at >= hi }) - 1
	if i < 0 || s.actionsNamed[i].at < lo {
		return "", 0
	}
	return s.actionsNamed[i].action, s.actionsNamed[i].at
}

var (
	debugged = lazyregexp.New(`\b(?:Request|Response) ([a-z0-9-]+)/([A-Z][A-Za-z0-9]+)\b`)
	audited  = lazyregexp.New(`"eventSource": ?"([a-z0-9-]+)\.amazonaws\.com",\s*"eventName": ?"([A-Za-z0-9]+)"`)
)

// eventName is what a CloudTrail event that is shown in part says of the call.
var eventName = lazyregexp.New(`"eventName": ?"([A-Za-z0-9]+)"`)

// auditedIdentity is who made the call of a CloudTrail event.
var auditedIdentity = lazyregexp.New(`"userIdentity": ?\{[^{}]*?"arn": ?"(arn:[^"\s]+)"`)

// maxIdentity is how far from an event's error its identity may be, in bytes.
const maxIdentity = 1200

// auditedBy returns the principal of the CloudTrail event whose error is at flat[at]; "" if it is
// in none, or the event does not show it.
func (s *sentences) auditedBy(at int) string {
	if !s.shows(`"userIdentity"`) {
		return ""
	}
	t := int(s.at[at])
	lo := max(0, t-maxIdentity)
	text := s.text[lo:min(len(s.text), t+maxIdentity)]
	who := ""
	for _, m := range auditedIdentity.Get().FindAllSubmatchIndex(text, -1) {
		if sameObject(text[min(m[0], t-lo):max(m[0], t-lo)]) {
			who = string(text[m[2]:m[3]])
		}
	}
	return who
}

// sameObject reports whether what stands between two keys of a JSON text leaves no object, so that
// both are of one: events follow each other, and each has its own caller and its own call.
func sameObject(between []byte) bool {
	depth := 0
	for _, c := range between {
		switch c {
		case '{':
			depth++
		case '}':
			depth--
		}
		if depth < 0 {
			return false
		}
	}
	return depth == 0
}

// logged finds the operation that an SDK's debug log or a CloudTrail event
// names in flat[lo:hi].
func (s *sentences) logged(lo, hi int) string {
	text := s.text[s.at[lo]:s.at[hi]]
	if !bytes.Contains(text, []byte("Re")) && !bytes.Contains(text, []byte("eventName")) {
		return ""
	}
	for _, re := range []*lazyregexp.Regexp{debugged, audited} {
		all := re.Get().FindAllSubmatchIndex(text, -1)
		if len(all) == 0 {
			continue
		}
		m := all[len(all)-1]
		if re == audited && !sameObject(text[m[0]:]) {
			continue
		}
		if list, ok := iamref.ForOperation(string(text[m[2]:m[3]]), string(text[m[4]:m[5]])); ok {
			return list[0]
		}
	}
	all := eventName.Get().FindAllSubmatchIndex(text, -1)
	all = slices.DeleteFunc(all, func(m []int) bool { return !sameObject(text[m[0]:]) })
	if len(all) == 1 && !bytes.Contains(text, []byte("eventSource")) {
		if list := iamref.ForOperationName(string(text[all[0][2]:all[0][3]])); len(list) == 1 {
			return list[0]
		}
	}
	return ""
}

// verbs maps the words with which tools say what they tried to the beginnings of the operations
// that do it.
var verbs = sync.OnceValue(func() map[string][]string {
	list := map[string][]string{}
	// forms adds a verb and its participle.
	forms := func(verb string, operations ...string) {
		for _, w := range []string{verb, verb + "ing", strings.TrimSuffix(verb, "e") + "ing", verb + verb[len(verb)-1:] + "ing"} {
			list[w] = operations
		}
	}
	for _, v := range []string{"create", "describe", "delete", "put", "update", "attach", "detach", "modify", "run",
		"tag", "start", "stop", "associate", "disassociate", "register", "deregister", "authorize", "revoke", "enable", "disable",
		"add", "remove", "set", "use", "copy", "import", "allocate", "release"} {
		forms(v, v)
	}
	for _, v := range []string{"get", "read", "retrieve", "fetch", "query"} {
		forms(v, "get", "describe", "head")
	}
	forms("list", "list", "describe")
	forms("launch", "run")
	return list
})

// lookBack is how many words before a report are read.
const lookBack = 16

// parenthesized is what tools put in the middle of a name: "VPC (vpc-0a)
// Attribute".
var parenthesized = lazyregexp.New(`\([^()]*\)`)

// advice is a sentence that says what to do, not what was tried: "Update the IAM role permissions,
// and then try again."
var advice = lazyregexp.New(`\.\s+(?:Please|Update|Check|Verify|Ensure|Make sure|Add|Grant|Attach|Contact|Try)\b[^.]*\.`)

// tried reads the words before a report for an operation: "could not create volume in EC2" is
// ec2:CreateVolume. The words or the error code must name the service.
func (s *sentences) tried(lo int, r report) string {
	text := string(s.text[s.at[lo]:s.at[r.from]])
	if strings.Contains(text, "(") {
		text = parenthesized.ReplaceAllString(text, " ")
	}
	if strings.Contains(text, ".") {
		text = advice.ReplaceAllString(text, ". ")
	}
	words := strings.FieldsFunc(text, func(c rune) bool {
		return !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-')
	})
	words = words[max(0, len(words)-lookBack):]
	services := servicesIn(text, words, r)
	for i := len(words) - 1; i >= 0; i-- {
		for _, verb := range verbs()[strings.ToLower(words[i])] {
			for _, service := range services {
				if a := operationOf(service, verb, words[i+1:]); a != "" && !makesPart(a, words[i+1:]) {
					return a
				}
			}
			if a := namedService(verb, words[i+1:]); a != "" && r.code != "unauthorizedoperation" && !makesPart(a, words[i+1:]) {
				return a
			}
		}
	}
	return ""
}

// namedService reads "creating CloudWatch Logs Log Group": the service's name, then what it should
// have created.
func namedService(verb string, words []string) string {
	for n := min(3, len(words)-1); n > 0; n-- {
		service := strings.Join(words[:n], " ")
		op := verb
		action := ""
		for _, w := range words[n:min(len(words), n+4)] {
			op += strings.ReplaceAll(w, "-", "")
			if list, ok := iamref.ForOperation(service, op); ok {
				action = list[0]
			}
		}
		if action != "" {
			return action
		}
	}
	return ""
}

// servicesIn lists the IAM prefixes that a report may be about, the most certain first.
func servicesIn(text string, words []string, r report) []string {
	if r.code == "unauthorizedoperation" {
		return []string{"ec2"}
	}
	var list []string
	if i := strings.LastIndex(text, "arn:"); i >= 0 {
		if f := strings.SplitN(text[i:], ":", 4); len(f) == 4 {
			list = append(list, f[2])
		}
	}
	for i := len(words) - 1; i >= 0; i-- {
		if w := strings.ToLower(words[i]); plainServices.has(w) {
			list = append(list, w)
		}
	}
	return list
}

// plainServices are prefixes that have no other meaning in a sentence.
var plainServices = wordSet(`s3 ec2 iam ecr ecs eks rds sns sqs kms ssm dynamodb cloudwatch cloudfront cloudformation route53
	codebuild codeartifact codecommit secretsmanager elasticache kinesis`)

// operationOf joins a verb and up to four of the words after it to an
// operation that the service has. The longest wins: CreateVpcEndpoint, not
// CreateVpc.
func operationOf(service, verb string, words []string) (action string) {
	noun := ""
	for i, n := 0, 0; i < len(words) && i < 7 && n < 4; i++ {
		switch w := strings.ToLower(words[i]); w {
		case "the", "a", "an", "new", "aws", "amazon", "source", "spot", service:
			continue
		default:
			noun += strings.ReplaceAll(w, "-", "")
		}
		n++
		if a := operationNamed(service, verb, noun); a != "" {
			action = a
		}
	}
	return action
}

// bucketParts begin the names of what a bucket has besides objects.
var bucketParts = wordSet(`abac acceleration accelerate acl analytics cors encryption intelligent inventory lifecycle logging
	metadata metric metrics notification object ownership policy public replication request server server-side tagging
	tags versioning website`)

// makesPart reports whether words go on with a part of a bucket, which is not made with the bucket:
// "S3 Bucket Public Access Block".
func makesPart(action string, words []string) bool {
	i := slices.IndexFunc(words, func(w string) bool { return strings.EqualFold(w, "bucket") })
	return action == "s3:CreateBucket" && i >= 0 && i+1 < len(words) && bucketParts.has(strings.ToLower(words[i+1]))
}

// operationNamed returns the action of the operation that verb and noun name.
func operationNamed(service, verb, noun string) string {
	names := []string{verb + noun, verb + noun + "s"}
	switch {
	case service == "secretsmanager": // GetSecretValue
		names = append(names[:0:0], verb+noun+"value", verb+noun)
	case verb == "head" && service == "s3":
		if list, ok := iamref.ForOperation(service, verb+noun); ok {
			return list[0]
		}
		return ""
	case service == "s3": // tools leave the bucket out
		names = append(names, verb+"bucket"+noun)
		if verb == "create" || verb == "update" || verb == "set" { // S3 puts what it does not create
			for _, op := range []string{"put" + noun, "put" + strings.TrimSuffix(noun, "configuration")} {
				if list, ok := iamref.ForOperation(service, op); ok && noun != "bucket" {
					return list[0]
				}
			}
		}
	}
	for _, n := range names {
		if a, ok := iamref.Lookup(service + ":" + n); ok {
			return a.Name
		}
	}
	return ""
}

package buildlog

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/iamref"
	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

// readCLI: "An error occurred (CODE) when calling the OPERATION operation: MESSAGE".
func (s *sentences) readCLI(at int) (report, bool) {
	var r report
	r.from = at
	lo := max(0, at-80)
	if i := bytes.LastIndexByte(s.flat[lo:at], '('); i >= 0 {
		if j := bytes.IndexByte(s.flat[lo+i:at], ')'); j > 0 {
			r.code, r.from = string(s.flat[lo+i+1:lo+i+j]), lo+i
		}
	}
	if n := bytes.LastIndex(s.flat[max(0, r.from-24):r.from], []byte("anerroroccurred")); n >= 0 {
		r.from = max(0, r.from-24) + n
	}
	i := at + len("whencallingthe")
	n := bytes.Index(s.flat[i:min(len(s.flat), i+90)], []byte("operation"))
	if n <= 0 {
		r.msg = len(s.flat)
		return r, s.endsIn(i) && denyCode(r.code) // cut before or within the operation
	}
	r.operation, _ = s.joined(int(s.at[i]), int(s.at[i+n]))
	if !alphanumeric(r.operation) {
		return report{}, false
	}
	r.msg = i + n + len("operation")
	if j, ok := cut(s.flat, r.msg, "("); ok { // (reached max retries: 4)
		if k := bytes.IndexByte(s.flat[j:min(len(s.flat), j+40)], ')'); k >= 0 {
			r.msg = j + k + 1
		}
	}
	r.msg, r.says = cut(s.flat, r.msg, ":")
	if r.code == "" {
		w, _ := terminal(s.flat[r.msg:])
		return r, w == "accessdenied" || w == "forbidden"
	}
	return r, denyCode(r.code)
}

// endsIn reports whether the page ends with the word that begins at flat[i].
func (s *sentences) endsIn(i int) bool {
	return i >= len(s.flat) || len(bytes.Fields(s.text[s.at[i]:])) == 1
}

// readGo: "operation error SERVICE: OPERATION, … api error CODE: MESSAGE".
func (s *sentences) readGo(at int) (report, bool) {
	i := at + len("operationerror")
	end := min(len(s.flat), i+maxGap)
	if n := bytes.Index(s.flat[i:end], []byte("operationerror")); n >= 0 {
		end = i + n
	}
	colon := bytes.IndexByte(s.flat[i:min(end, i+60)], ':')
	if colon <= 0 {
		return report{}, false
	}
	j := i + colon + 1
	if r, ok := s.readElided(at, i, j); ok {
		return r, true
	}
	comma := bytes.IndexByte(s.flat[j:min(end, j+90)], ',')
	if comma <= 0 {
		return report{}, false
	}
	r := report{from: at}
	r.service, _ = s.joined(int(s.at[i]), int(s.at[i+colon]))
	r.operation, _ = s.joined(int(s.at[j]), int(s.at[j+comma]))
	if !alphanumeric(r.operation) {
		return report{}, false
	}
	for _, m := range goCode.Get().FindAllSubmatchIndex(s.flat[j:end], -1) {
		if code := strings.TrimPrefix(strings.TrimLeft(string(s.flat[j+m[2]:j+m[3]]), "."), "apierror"); denyCode(code) {
			r.code, r.msg, r.says = code, j+m[1], true
			if r.service == "S3" && r.operation == "HeadObject" {
				r.resource = s.stateObject(at)
			}
			return r, true
		}
	}
	return report{}, false
}

// readElided: "operation error S3: GetBucketVersioning... AccessDenied", a report that somebody
// shortened. The service is at flat[i], the operation at flat[j].
func (s *sentences) readElided(at, i, j int) (report, bool) {
	if j >= len(s.flat) {
		return report{}, false
	}
	t := int(s.at[j])
	u := actionEnd(s.text, t)
	rest, ok := bytes.CutPrefix(s.text[u:s.rowEnd(t)], []byte("..."))
	n := bytes.Index(rest, []byte("AccessDenied"))
	if !ok || n < 0 || bytes.Contains(rest, []byte("api error")) || !alphanumeric(string(s.text[t:u])) {
		return report{}, false
	}
	r := report{from: at, code: "accessdenied", operation: string(s.text[t:u]), msg: s.flatAt(u + len("...") + n)}
	r.service, _ = s.joined(int(s.at[i]), int(s.at[j-1]))
	return r, true
}

var bucketName = lazyregexp.New(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

// stateObject reads what Terraform's S3 backend says before the report at flat[at]: `Unable to
// access object "KEY" in S3 bucket "BUCKET": `. It returns the object's ARN; "" if it is not
// stated, or not certain.
func (s *sentences) stateObject(at int) string {
	const words = "unabletoaccessobject"
	lo := max(0, at-maxResource)
	n := bytes.LastIndex(s.flat[lo:at], []byte(words))
	if n < 0 {
		return ""
	}
	key, i := s.quotedRow(lo + n + len(words))
	i, ok := cut(s.flat, i, "ins3bucket")
	bucket, i := s.quotedRow(i)
	if i, colon := cut(s.flat, i, ":"); !ok || !colon || i != at || key == "" || !bucketName.MatchString(bucket) {
		return ""
	}
	return codebuild.ARN{Partition: s.home.Partition, Service: "s3", Resource: bucket + "/" + key}.String()
}

// quotedRow reads what stands in quotation marks at flat[i]; "" if it continues in another row,
// because there may have been a space at the break.
func (s *sentences) quotedRow(i int) (string, int) {
	if i >= len(s.flat) || s.flat[i] != '"' {
		return "", i
	}
	v, end := s.value(i, tail{}, false, 0)
	if bytes.IndexByte(s.text[s.at[i]:s.at[end-1]], '\n') >= 0 {
		return "", end
	}
	return v, end
}

var goCode = lazyregexp.New(`[,.]([a-z.]+):`)

// readCode: "AccessDenied: MESSAGE", as SDKs print an error without its operation.
func (s *sentences) readCode(at int) (report, bool) {
	if s.foreignClass(at) {
		return report{}, false
	}
	colon := at + bytes.IndexByte(s.flat[at:], ':')
	r := report{from: at, code: strings.TrimRight(string(s.flat[at:colon]), ")]"), msg: colon + 1, says: true}
	// Not the codes: "Error: access denied: /path", "Access denied: user".
	t := int(s.at[at])
	if !bytes.HasPrefix(s.text[t:], []byte("AccessDenied")) {
		return report{}, false
	}
	m := s.flat[r.msg:]
	for _, w := range []string{"/", "\\", "c:", "accessisdenied", "accessdeniedexception", "authentication",
		"anerroroccurred("} { // Python's class before the message, which readCLI reads
		if bytes.HasPrefix(m, []byte(w)) {
			return report{}, false
		}
	}
	return r, true
}

// messageLost matches, in flat, what the AWS SDK for Java v1 puts where the message belongs if it
// could not read it, up to the error's code.
var messageLost = lazyregexp.New(`(null|unabletounmarshallexceptionresponsewiththeunmarshallersprovided)` +
	`\(service:\w{1,40};statuscode:4\d\d;errorcode:$`)

// readBareCode: "failed: AccessDenied" at the end of a row, or alone in it, or in place of a message.
func (s *sentences) readBareCode(at int) (report, bool) {
	end := s.skipFlat(at+len("accessdenied"), "exception")
	if bytes.HasSuffix(s.flat[:at], []byte(";errorcode:")) {
		lo := max(0, at-200)
		if m := messageLost.Get().FindIndex(s.flat[lo:at]); m != nil {
			return report{from: lo + m[0], msg: end, code: "accessdenied"}, true
		}
	}
	t, u := int(s.at[at]), int(s.at[end-1])+1
	if !bytes.HasPrefix(s.text[t:], []byte("AccessDenied")) || u < len(s.text) && s.text[u] != '\n' || s.foreignClass(at) {
		return report{}, false
	}
	if t > 0 && s.text[t-1] != '\n' && (t < 2 || string(s.text[t-2:t]) != ": ") || bytes.HasSuffix(s.flat[:at], []byte("code:")) {
		return report{}, false
	}
	return report{from: at, msg: end, code: "accessdenied"}, true
}

// readHandler: CloudFormation's "Access denied for operation 'NAME'".
func (s *sentences) readHandler(at int) (report, bool) {
	i := at + len("accessdeniedforoperation'")
	n := bytes.IndexByte(s.flat[i:min(len(s.flat), i+120)], '\'')
	if n <= 0 {
		return report{from: at, msg: i}, true
	}
	r := report{from: at, msg: i + n + 1}
	if op, _ := s.joined(int(s.at[i]), int(s.at[i+n])); alphanumeric(op) {
		r.operation = op
	}
	return r, true
}

// foreignClass reports whether the class name that ends at flat[at] is not AWS's:
// java.nio.file.AccessDeniedException is about files.
func (s *sentences) foreignClass(at int) bool {
	t := int(s.at[at])
	i := t
	for i > 0 && (letter(s.text[i-1]) || digit(s.text[i-1]) || s.text[i-1] == '.' || s.text[i-1] == '_') {
		i--
	}
	class := string(s.text[i:t])
	class = strings.TrimSuffix(class, "KMS") // Kinesis's KMSAccessDeniedException
	if !strings.HasSuffix(class, ".") {
		return class != ""
	}
	for _, own := range []string{"aws", "amazon", "boto", "smithy"} {
		if strings.Contains(strings.ToLower(class), own) {
			return false
		}
	}
	return class != "." && class != "types." && class != "exceptions."
}

// readForbidden: "Forbidden: Forbidden\n status code: 403, request id: …".
func (s *sentences) readForbidden(at int) (report, bool) {
	i := at + len("forbidden:")
	j := i + len("forbidden")
	if _, ok := cut(s.flat, s.skipFlat(j, ".", ","), "statuscode:403"); !ok {
		return report{}, false
	}
	return report{from: at, code: "forbidden", msg: i}, true
}

// readNull: "Forbidden: null", as JavaScript's old SDK prints a HEAD request.
func (s *sentences) readNull(at int) (report, bool) {
	i := at + len("forbidden:")
	return report{from: at, msg: i, code: "forbidden"}, holds(s.flat[i:min(len(s.flat), i+400)], []string{"aws-sdk", "extracterror"})
}

// readClass: "Access Denied (Service: Amazon S3; Status Code: 403; …)" of
// Java, "Access Denied (Aws::S3::Errors::AccessDenied)" of Ruby.
func (s *sentences) readClass(at int) (report, bool) {
	i := at + bytes.IndexByte(s.flat[at:], '(') + 1
	j, java := cut(s.flat, i, "service:")
	j, ruby := cut(s.flat, j, "aws::")
	if _, ok := cut(s.flat, i, "statuscode:403;errorcode:accessdenied"); ok { // a program that leaves the service out
		return report{from: at, msg: at, code: "accessdenied"}, true
	}
	n := bytes.IndexAny(s.flat[j:min(len(s.flat), j+60)], ";,:)")
	if !java && !ruby || n <= 0 {
		return report{}, false
	}
	service, _ := s.joined(int(s.at[j]), int(s.at[j+n]))
	return report{from: at, msg: at, code: "accessdenied", service: service}, true
}

// readRuby: "Aws::S3::Errors::Forbidden", Ruby's class for a HEAD that was refused: it has no message.
func (s *sentences) readRuby(at int) (report, bool) {
	lo := max(0, at-40)
	i := bytes.LastIndex(s.flat[lo:at], []byte("aws::"))
	if i < 0 || !s.startsWord(lo+i) {
		return report{}, false
	}
	r := report{from: lo + i, msg: at + len("::errors::"), code: "forbidden"}
	r.service, _ = s.joined(int(s.at[lo+i+len("aws::")]), int(s.at[at]))
	return r, alphanumeric(r.service)
}

// readNET: "Amazon.S3.AmazonS3Exception: Access Denied".
func (s *sentences) readNET(at int) (report, bool) {
	return report{from: at, msg: at + len("amazons3exception:"), code: "accessdenied", service: "S3"}, true
}

// readFields: "Status Code: 403, AWS Service: Amazon S3, AWS Request ID: 0A, AWS Error Code:
// AccessDenied, AWS Error Message: Access Denied", as the first SDK for Java prints an error.
func (s *sentences) readFields(at int) (report, bool) {
	lo := max(0, at-200)
	i := bytes.LastIndex(s.flat[lo:at], []byte("statuscode:403,awsservice:"))
	if i < 0 {
		return report{}, false
	}
	r := report{from: lo + i, code: "accessdenied"}
	j := r.from + len("statuscode:403,awsservice:")
	if n := bytes.IndexByte(s.flat[j:at], ','); n > 0 {
		r.service, _ = s.joined(int(s.at[j]), int(s.at[j+n]))
	}
	r.msg = s.skipFlat(at+len("awserrorcode:accessdenied"), "exception")
	r.msg, r.says = cut(s.flat, r.msg, ",awserrormessage:")
	return r, true
}

// cmdlet is a command of the AWS Tools for PowerShell, at the beginning of a row, and cmdlets what
// S3's ones call; the others, Read-S3Object too, call more than one operation.
var (
	cmdlet  = lazyregexp.New(`(?i)^\s*([a-z]+-S3[a-z0-9]+) ?$`)
	cmdlets = map[string]string{"write-s3object": "PutObject", "remove-s3object": "DeleteObject",
		"get-s3object": "ListObjects", "get-s3bucket": "ListBuckets", "new-s3bucket": "CreateBucket", "remove-s3bucket": "DeleteBucket"}
)

// readCmdlet: "Write-S3Object : Access Denied", a whole row of PowerShell.
func (s *sentences) readCmdlet(at int) (report, bool) {
	t := int(s.at[at])
	m := cmdlet.Get().FindSubmatchIndex(s.text[s.rowStart(t):t])
	end := at + len(":accessdenied")
	if m == nil || string(bytes.TrimSpace(s.text[t+1:s.rowEnd(t)])) != "Access Denied" {
		return report{}, false
	}
	from := s.rowStart(t) + m[2]
	name := bytes.ToLower(s.text[from : s.rowStart(t)+m[3]])
	return report{from: s.flatAt(from), msg: end - len("accessdenied"), code: "accessdenied", service: "S3",
		operation: cmdlets[string(name)]}, true
}

// readPHP: `Error executing "PutObject" on "https://…"; AWS HTTP error: …`; its first word may be cut.
func (s *sentences) readPHP(at int) (report, bool) {
	i := at + len(`executing"`)
	end := min(len(s.flat), i+maxGap)
	n := bytes.IndexByte(s.flat[i:min(end, i+90)], '"')
	if n <= 0 {
		return report{}, false
	}
	from := at
	if bytes.HasSuffix(s.flat[:at], []byte("error")) {
		from -= len("error")
	}
	r := report{from: from, msg: i + n, code: "accessdenied"}
	r.operation, _ = s.joined(int(s.at[i]), int(s.at[i+n]))
	r.service = s.calledHost(i+n, end)
	for _, w := range []string{"(client):403forbidden", "accessdenied(client):",
		"<code>accessdenied</code><message>", "accessdeniedexception(client):"} {
		if k := bytes.Index(s.flat[i:end], []byte(w)); k >= 0 {
			r.msg, r.says = i+k+len(w), true
			return r, alphanumeric(r.operation)
		}
	}
	return report{}, false
}

// readField: an SDK's error printed as a structure: `code: "AccessDenied"`.
func (s *sentences) readField(at int) (report, bool) {
	i := at + bytes.Index(s.flat[at:], []byte("accessdenied"))
	if !bytes.HasPrefix(s.text[s.at[i]:], []byte("AccessDenied")) {
		return report{}, false
	}
	return report{from: at, msg: i + len("accessdenied"), code: "accessdenied"}, true
}

// readEC2: "You are not authorized to perform this operation", EC2's message, where something else
// shows that it comes from EC2; the CDK prints it as "[Error at /Stack] MESSAGE".
func (s *sentences) readEC2(at int) (report, bool) {
	r := report{from: at, msg: at, code: "unauthorizedoperation"}
	end := at + len("youarenotauthorizedtoperformthisoperation")
	if _, ok := cut(s.flat, s.skipFlat(end, "."), "encodedauthorization"); ok {
		return r, true
	}
	lo := max(0, at-80)
	lo += 1 + bytes.LastIndexByte(s.flat[lo:at], '\n')
	if a, i := s.namedAction(lo, at); a != "" {
		r.from, r.action = i, a
		return r, true
	}
	if bytes.HasSuffix(s.flat[:at], []byte("amazonec2exception:")) { // the SDK for .NET
		r.msg = end
		return r, true
	}
	return r, s.flat[max(0, at-1)] == ']' && bytes.Contains(s.flat[max(0, at-200):at], []byte("[errorat/"))
}

const operationDenied = "notauthorizederror-operationdenied."

// readBeanstalk: the EB CLI's words before AWS's message, which may be about the credentials as
// well.
func (s *sentences) readBeanstalk(at int) (report, bool) {
	r := report{from: at, msg: at + len(operationDenied), code: "accessdenied", says: true}
	_, n := terminal(s.flat[r.msg:])
	return r, n > 0
}

// readUnauthorized: EC2's code, alone or before its message.
func (s *sentences) readUnauthorized(at int) (report, bool) {
	r := report{from: at, code: "unauthorizedoperation", msg: at + len("unauthorizedoperation")}
	if !bytes.HasPrefix(s.text[s.at[at]:], []byte("Unauthorized")) || r.msg+1 < len(s.flat) && s.flat[r.msg] == '.' &&
		letter(s.flat[r.msg+1]) {
		return report{}, false // "UnauthorizedOperation.CamNoAuth" is another cloud's
	}
	r.msg = s.skipFlat(r.msg, "exception")
	r.msg, r.says = cut(s.flat, r.msg, ":")
	return r, true
}

// readAPI: CloudFormation's "API: ec2:CreateVpc You are not authorized …" or
// "API: s3:CreateBucket Access Denied".
func (s *sentences) readAPI(at int) (report, bool) {
	a, end := s.action(at + len("api:"))
	if a == "" {
		return report{}, false
	}
	w, _ := terminal(s.flat[end:])
	if _, ok := cut(s.flat, end, "user:"); !ok && w != "accessdenied" &&
		w != "youarenotauthorizedtoperformthisoperation" && w != "forbidden" {
		return report{}, false
	}
	service, operation, _ := strings.Cut(a, ":")
	r := report{from: at, msg: end, action: canonical(a)}
	if known(a) {
		return r, true
	}
	// The names are those of an old SDK: s3:SetBucketPolicy.
	for _, op := range []string{operation, "Put" + strings.TrimPrefix(operation, "Set")} {
		if list, ok := iamref.ForOperation(service, op); ok {
			r.action = list[0]
			break
		}
	}
	return r, true
}

// Words before "permission" where one is missing: one of lackWords, or a verb and which.
var (
	lackWords = []string{"lack", "missing", "insufficient", "notgiveyou"}
	lackVerbs = []string{"nothave", "n'thave", "lack", "lacks"}
	lackWhich = []string{"", "the", "any", "sufficient", "enough", "required", "therequired", "necessary", "thenecessary", "proper",
		"appropriate"}
)

// lackBefore returns how many characters at the end of flat say that something is missing; 0 if
// none.
func lackBefore(flat []byte) (longest int) {
	const most = 24 // characters
	end := string(flat[max(0, len(flat)-most):])
	for _, w := range lackWords {
		if strings.HasSuffix(end, w) {
			longest = max(longest, len(w))
		}
	}
	for _, w := range lackWhich {
		before, ok := strings.CutSuffix(end, w)
		if !ok {
			continue
		}
		for _, v := range lackVerbs {
			if strings.HasSuffix(before, v) {
				longest = max(longest, len(v)+len(w))
			}
		}
	}
	return longest
}

// readPermission reads sentences that say which permission is missing:
//
//	User doesn't have permission to call sqs:GetQueueAttributes
//	The provided execution role does not have permissions to call CreateNetworkInterface on EC2
//	You do not have permission to perform the 's3:PutObject' action
//	The provided role does not have sufficient permissions
//	Encountered a permissions error performing a tagging operation
func (s *sentences) readPermission(at int) (report, bool) {
	r := report{from: at}
	r.msg = s.plural(at + len("permission"))
	if j, ok := cut(s.flat, r.msg, "errorperformingatagging"); ok {
		r.msg = j
		return r, true
	}
	lack := lackBefore(s.flat[:at])
	if lack == 0 {
		return report{}, false
	}
	r.from = at - lack
	if s.supposed(r.from) {
		return report{}, false
	}
	r.subject = s.subjectBefore(max(0, r.from-maxSubject), r.from, s.called(r.from))
	r.from = s.startOf(r.subject, r.from)
	r.principal = s.arnBefore(at - lack)
	i := s.skipFlat(r.msg, "to", "perform", "call", "invoke", "execute", "for", ":", "the", "following",
		"actions", "action", "operations",
		"operation", "api", "`", `"`, "'")
	if a, end := s.action(i); a != "" {
		if _, ok := iamref.Lookup(a); !ok { // as an API has another name than IAM has for it: elasticloadbalancingv2
			r.service, r.operation, _ = strings.Cut(a, ":")
			r.msg = end
			_, ok := iamref.ForOperation(r.service, r.operation)
			return r, ok
		}
		r.action, r.msg = canonical(a), end
		return r, true
	}
	if _, ok := cut(s.flat, r.msg, "tocall"); ok {
		return s.calledOperation(r, i)
	}
	lo := max(0, at-200)
	if n := bytes.LastIndex(s.flat[lo:at], []byte("theiamrole")); n >= 0 && bytes.HasSuffix(s.flat[:at], []byte("notgiveyou")) {
		r.from = lo + n
		r.principal, _ = s.value(r.from+len("theiamrole"), tail{}, false, 0)
		return r, strings.HasPrefix(r.principal, "arn:")
	}
	return r, strings.Contains(strings.ToLower(r.subject), "role")
}

// supposition is the beginning of a clause that only supposes a refusal.
var supposition = lazyregexp.New(`(?i)(?:^|[.;,(:>*#-]\s*|\n\s*)(?:if|when|unless|in case|should) ` +
	`(?:you|your|the|a|an|this|that|it|users?|callers?)\b[^.;:!?\n]*$`)

// suppose are the words of which each supposition has one, as in flat.
var suppose = []string{"if", "when", "unless", "incase", "should"}

// supposed reports whether the refusal at flat[at] stands in a clause that supposes it: "If you do
// not have permission to call DescribeAssociation, you receive".
func (s *sentences) supposed(at int) bool {
	before := s.flat[max(0, at-maxSupposed):at]
	if !slices.ContainsFunc(suppose, func(w string) bool { return bytes.Contains(before, []byte(w)) }) {
		return false
	}
	t := int(s.at[at])
	return supposition.Get().Match(s.text[max(0, t-maxSupposed):t])
}

const maxSupposed = 80

// calledOperation reads "OPERATION on SERVICE" at flat[i].
func (s *sentences) calledOperation(r report, i int) (report, bool) {
	if i >= len(s.flat) {
		return report{}, false
	}
	u := actionEnd(s.text, int(s.at[i]))
	r.operation = string(s.text[s.at[i]:u])
	if !alphanumeric(r.operation) || len(iamref.ForOperationName(r.operation)) == 0 {
		return report{}, false
	}
	r.msg = s.flatAt(u)
	if j, ok := cut(s.flat, r.msg, "on"); ok && j < len(s.flat) {
		w := actionEnd(s.text, int(s.at[j]))
		r.service, r.msg = string(s.text[s.at[j]:w]), s.flatAt(w)
	}
	return r, true
}

// readDeniedBy: Lambda's "Your access has been denied by S3, please make sure
// your request credentials have permission to GetObject for B/K. S3 Error
// Code: AccessDenied. S3 Error Message: Access Denied".
func (s *sentences) readDeniedBy(at int) (report, bool) {
	i := at + len("accesshasbeendeniedby")
	end := min(len(s.flat), i+maxGap)
	n := bytes.IndexByte(s.flat[i:min(end, i+40)], ',')
	k := bytes.Index(s.flat[i:end], []byte("permissionto"))
	if n <= 0 || k < 0 {
		return report{}, false
	}
	r := report{from: at, code: "accessdenied"}
	r.service, _ = s.joined(int(s.at[i]), int(s.at[i+n]))
	k = s.skipFlat(i+k+len("permissionto"), "*", "`", "'", `"`)
	if k >= len(s.flat) {
		return report{}, false
	}
	u := actionEnd(s.text, int(s.at[k]))
	r.operation = strings.TrimRight(string(s.text[s.at[k]:u]), "*")
	r.msg = s.flatAt(u)
	if strings.EqualFold(r.service, "S3") {
		r.resource = s.objectFor(r.msg, end)
	}
	if m := bytes.Index(s.flat[r.msg:end], []byte("errormessage:")); m >= 0 {
		r.msg += m + len("errormessage:")
	}
	return r, alphanumeric(r.operation)
}

// readCutPull: "pull access denied for IMAGE, …: denied: User: arn:aws:sts::A",
// which CodeBuild cuts before the action (AWS.md#codebuild-denials).
func (s *sentences) readCutPull(at int) (report, bool) {
	i := at + len("denied:user:")
	lo := max(0, at-400)
	if !bytes.Contains(s.flat[lo:at], []byte("pullaccessdeniedfor")) || !bytes.Contains(s.flat[lo:at], []byte(".dkr.ecr.")) ||
		bytes.Contains(s.flat[i:min(len(s.flat), i+maxPrincipal)], []byte("notauth")) {
		return report{}, false
	}
	return report{from: at, msg: i, action: "ecr:BatchGetImage"}, true
}

// readForbiddenTo: "The state machine IAM Role is not authorized to access the Log Destination": a
// role that the text tells from the build, and no action of IAM.
func (s *sentences) readForbiddenTo(at int) (report, bool) {
	r := report{from: s.beforeVerb(at), msg: at + len("notauthorizedto")}
	if _, ok := cut(s.flat, r.msg, "perform"); ok {
		return report{}, false
	}
	r.subject = s.subjectBefore(max(0, at-maxSubject), at, s.called(at))
	r.principal = s.arnBefore(at)
	r.from = s.startOf(cmp.Or(r.subject, r.principal), r.from)
	subject := strings.ToLower(r.subject)
	return r, r.principal != "" || strings.Contains(subject, "role") || strings.Contains(subject, "instance profile")
}

// readConnection: "User is not authorized to access connection ARN", "Failed
// to get access token from ARN" (AWS.md#codebuild-denials): the user is the service
// role.
func (s *sentences) readConnection(at int) (report, bool) {
	n := bytes.Index(s.flat[at:min(len(s.flat), at+60)], []byte("arn:"))
	if n < 0 {
		return report{}, false
	}
	arn, end := s.value(at+n, tail{}, false, 0)
	f := strings.SplitN(arn, ":", 4)
	if len(f) < 4 || f[2] != "codeconnections" && f[2] != "codestar-connections" {
		return report{}, false
	}
	r := report{from: at, msg: end, action: f[2] + ":GetConnectionToken", resource: arn}
	if s.called(at) || bytes.Contains(s.flat[max(0, at-60):at], []byte("oauthproviderexception")) ||
		bytes.Contains(s.flat[end:min(len(s.flat), end+40)], []byte("service:")) {
		r.subject = "the service role of the project that the call makes or changes"
	}
	return r, true
}

// readResource: SQS's "Access to the resource URL is denied."
func (s *sentences) readResource(at int) (report, bool) {
	v, end := s.value(at+len("accesstotheresource"), tail{}, false, 0)
	if _, ok := cut(s.flat, end, "isdenied"); !ok || !strings.Contains(v, "amazonaws.com") && !strings.HasPrefix(v, "arn:") {
		return report{}, false
	}
	return report{from: at, msg: at, resource: v}, true
}

// readUnauthorizedResource: "Not authorized to access resource ARN".
func (s *sentences) readUnauthorizedResource(at int) (report, bool) {
	i := s.skipFlat(at+len("notauthorizedtoaccess"), "the", "resource", ":")
	v, _ := s.value(i, tail{}, false, 0)
	return report{from: at, msg: at, resource: v}, strings.HasPrefix(v, "arn:") && s.beforeVerb(at) == at
}

// readCiphertext: KMS's "The ciphertext refers to a customer master key that
// does not exist, … or you are not allowed to access."
func (s *sentences) readCiphertext(at int) (report, bool) {
	if bytes.HasSuffix(s.flat[:at], []byte("the")) {
		at -= len("the")
	}
	return report{from: at, msg: at}, true
}

// readXML: S3's error document.
func (s *sentences) readXML(at int) (report, bool) {
	i := at + len("<code>accessdenied</code>")
	if holds(s.flat[at:min(len(s.flat), at+400)], []string{"aliyuncs.com", "myqcloud.com"}) {
		return report{}, false // stores of other clouds speak like S3
	}
	msg, says := cut(s.flat, i, "<message>")
	return report{from: at, code: "accessdenied", msg: msg, says: says}, true
}

// readOperation: "Not authorized to perform DescribeSecurityGroups",
// "is not authorized to perform AssumeRole on role ARN".
func (s *sentences) readOperation(at int) (report, bool) {
	i := s.skipFlat(at+len("notauthorizedtoperform"), ":", "operation:", "`", `"`, "'")
	if i >= len(s.flat) {
		return report{}, false
	}
	t := int(s.at[i])
	u := actionEnd(s.text, t)
	op := string(s.text[t:u])
	if !alphanumeric(op) || strings.ToLower(op[:1]) == op[:1] || len(iamref.ForOperationName(op)) == 0 {
		return report{}, false
	}
	r := report{from: at, operation: op, msg: s.flatAt(u)}
	if j := s.skipFlat(r.msg, "on", "role", "resource", ":", "`", `"`, "'"); bytes.HasPrefix(s.flat[j:], []byte("arn:")) {
		r.resource, r.msg = s.value(j, tail{}, false, 0) // "AssumeRole on role ARN"
	}
	if called := s.calledName(at); !strings.EqualFold(called, op) {
		r.subject = givenRole(called) // CodeBuild says so of a project's role (AWS.md#denied-in-words)
	}
	return r, true
}

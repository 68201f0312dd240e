package diagnose

import (
	"regexp"
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

// AWS has some 300 services with thousands of error codes, but the names follow few habits: what an
// error is about can be told from its code (…NotFound…, …LimitExceeded…), and where that says too
// little (ClientException, ConflictException), from words that the services share. And the tools
// print both in few frames. So causes.yaml asks what an AWS service answered, in whatever frame.

// An awsError is what an AWS service answered to a call, as a tool reports it.
type awsError struct {
	line     int    // the index of the line that holds the code, or else of the message's first
	from, to int    // where in the line
	text     string // "CODE: message"; either may be empty
	loose    bool   // it may be an error of something else
}

// A message is read in the lines behind the one with its frame, too: terminals and Terraform wrap.
const (
	maxAWSMessage = 600
	maxAWSLines   = 5
)

// A frame is what stands around a code and a message: the groups "code" and "text".
type frame struct {
	mark string // plain text, in lower case, that stands in its first line
	re   *lazyregexp.Regexp
}

const (
	awsCode    = `(?P<code>[A-Z]\w*(?:\.\w+)*)`
	awsName    = `(?P<code>[A-Z]\w*[a-z][A-Z]\w*(?:\.\w+)*)` // where other words may stand too
	response   = `https? response error StatusCode: \d+, RequestID: [^,]*, (?:HostID: [^,]*, )?`
	serviceEnd = ` \(Service: [^;,()]+[;,] Status Code: \d+`
)

// frames are in the order in which they are tried on a line: first those that have the most.
var frames = []frame{
	// The AWS CLI, boto3 and what is built on them.
	{"when calling the ", lazyregexp.New(`\(` + awsCode + `\) when calling the \w+ operation(?: \([^)]*\))?:? ?(?P<text>.*)`)},
	{"error occurred (", lazyregexp.New(`\b[Aa]n error occurred \(` + awsCode +
		`\)(?: when(?: calling(?: the(?: \w+(?: operation)?)?)?)?)?:? ?` +
		`(?P<text>.*)`)},
	// The SDK for Go v2, in Terraform and many others.
	{"operation error ", lazyregexp.New(`\boperation error [\w -]+: \w+, (?:[^:]*, |\.{3} )?(?:` + response + `)?(?:api error )?` +
		awsCode + `:? ?(?P<text>.*)`)},
	{"response error statuscode: ", lazyregexp.New(response + `(?:api error )?` + awsCode + `:? ?(?P<text>.*)`)},
	{"api error ", lazyregexp.New(`\bapi error ` + awsCode + `: ?(?P<text>.*)`)},
	// CloudFormation's handlers, and the SDKs for Java behind them and elsewhere: the message stands first.
	// Two codes of theirs say nothing: GeneralServiceException and InternalFailure.
	{"handlererrorcode: ", lazyregexp.New(`(?P<text>.*?)"? \(RequestToken: [^,]*, HandlerErrorCode: (?P<code>[A-FHJ-Z]\w*|Invalid\w*)`)},
	{"; error code: ", lazyregexp.New(`(?P<text>.*?)` + serviceEnd + `; Error Code: ` + awsCode)},
	{"(service: ", lazyregexp.New(`\.model\.` + awsCode + `: (?P<text>.*?)` + serviceEnd)},
	{"(service: ", lazyregexp.New(`(?P<text>.*?)` + serviceEnd)},
	// The other SDKs: a class for each error.
	{"::errors::", lazyregexp.New(`(?P<text>[^'"]*)\(Aws::\w+::Errors::` + awsCode + `\)`)},
	{"::errors::", lazyregexp.New(`\bAws::\w+::Errors::` + awsCode + `:? ?(?P<text>.*)`)},
	{".model.", lazyregexp.New(`\b(?:software\.amazon|com\.amazonaws|Amazon)\.[\w.]*\.[mM]odel\.` + awsCode + `: ?(?P<text>.*)`)},
	{"botocore.errorfactory.", lazyregexp.New(`\bbotocore\.errorfactory\.` + awsCode + `: ?(?P<text>.*)`)},
	{" (client): ", lazyregexp.New(`(?:^|\s)` + awsCode + ` \(client\): (?P<text>.*)`)},
	{" (server): ", lazyregexp.New(`(?:^|\s)` + awsCode + ` \(server\): (?P<text>.*)`)},
	{"'code': '", lazyregexp.New(`\{'Code': '` + awsCode + `', 'Message': ['"](?P<text>.*)`)},
	{"'message': '", lazyregexp.New(`\{'Message': ['"](?P<text>.*)['"], 'Code': '` + awsCode + `'`)},
	{"__type", lazyregexp.New(`"__type"\s*:\s*"(?:[\w.]+#)?` + awsCode + `"\s*,\s*"[mM]essage"\s*:\s*"(?P<text>.*)`)},
	{"__type", lazyregexp.New(`"__type"\s*:\s*"(?:[\w.]+#)?` + awsCode + `"`)},
	{"<error><code>", lazyregexp.New(`<Error><Code>` + awsCode + `</Code><Message>(?P<text>[^<]*)`)},
	// CloudFormation's events, as tools list them, and the stack's own end: a message without a code.
	{"_failed", lazyregexp.New(`\b(?:CREATE|UPDATE|DELETE)_FAILED(?:[\s|]+AWS::[\w:]+[\s|]+[^\s|]\S*(?: \([^)]*\))?|` +
		`: \S+ \(AWS::[\w:]+\))[\s|]+(?P<text>\S.*)`)},
	{"resourcestatusreason", lazyregexp.New(`"ResourceStatusReason": "(?P<text>[^"].*)`)},
	{"rollback_", lazyregexp.New(`: (?:UPDATE_)?ROLLBACK_(?:COMPLETE|FAILED): (?P<text>\S.*)`)},
	// Terraform's provider for AWS, as it prints what it was doing with the code alone.
	{"error: ", lazyregexp.New(`^\W*Error: (?:error )?[a-z]+ing (?:[^:]|:\w)*: (?:(?:[^:]|:\w)*: )?` + awsName + `:(?: (?P<text>.*)|$)`)},
}

// bareError and thrownError find a code and a message without a frame. They count only where the SDK
// shows itself: by the request's id in the next line, or in the stack below it.
var (
	bareError     = lazyregexp.New(`(?:^|[:\s])` + awsName + `: (?P<text>.*)`)
	thrownError   = lazyregexp.New(`^\W*(?:(?:Uncaught|Error:) )?` + awsName + `: (?P<text>.*)`)
	requestBehind = lazyregexp.New(`^\s*status code: \d+, request id:`)
	thrownBehind  = lazyregexp.New(`^\s+at \S`)
	sdkPackages   = []string{"@smithy/", "@aws-sdk/", "node_modules/aws-sdk/"}
)

// looseError finds what looks like a code and a message in text that somebody took out of a log: a
// part of the frame may be missing. A language's own errors are none of AWS's.
var (
	looseError = lazyregexp.New(`(?:^|[:\s("'` + "`" + `])` + awsName + `: (?P<text>.*)`)
	looseField = lazyregexp.New(`\b(?i:error_?)?(?i:code|name)["']?\s*[:=]\s*["']?` + awsName +
		`["']?,?\s+["']?(?i:error_?)?(?i:message)["']?\s*[:=]\s*["']?(?P<text>.*)`)
	looseCode     = lazyregexp.New(`\b(?i:error_?)?(?i:code)["']?\s*[:=]\s*["']?` + awsName)
	languageError = lazyregexp.New(`^(?:` +
		`\w*(?:File|Module|Class|Method|Field|Key|Element|Directory|Path|Package|Script|Command|Plugin|Type|Name|Route|View|Bean|` +
		`Template|Task|Project|Assembly|Dll|Symbol)\w*(?:NotFound|Exists)\w*|` +
		`(?:Null|Illegal|Argument|IO|Runtime|Format|Socket|Sql|SQL|Web|Http|HTTP|Json|JSON|Xml|Yaml|YAML|Parse|Index|Out|Stack|` +
		`Invalid(?:Operation|Cast|Argument)|Not(?:Supported|Implemented)|Unauthorized\w*|Uri|Url|Build|Gradle|Maven|Npm|` +
		`Docker|Script|Plugin|Process|Assert|Expect|Test|Tool|Toolkit|Terraform|Syntax)\w*(?:Exception|Error)):`)
)

// refusal matches the words of a refusal, and of credentials that are not accepted. What is of these
// is told by other causes, and no name of a code may change it.
// A hook of CloudFormation answers with a team's own words.
var refusal = lazyregexp.New(`(?i)^: \w+::[\w:]+ failed: |denied|not (?:been )?(?:authorized|permitted)|not allowed to|` +
	`unauthori[sz]ed|notauthori[sz]ed|authorizationerror|forbidden|permission|credential|(?:not have|no) access`)

// clientError matches what a language or an SDK calls an error of its own, which no service answered.
var clientError = lazyregexp.New(`^\w*(?:Type|Reference|Syntax|Range|Eval|Aggregate|Assertion|Timeout|Networking|Provider|Config|` +
	`Abort|Fetch|Key|Value|Attribute|Index|Runtime|Import|Unicode\w*|Connection|Endpoint\w*|Unknown)Error: `)

// awsErrors returns what AWS services answered, in the order of the lines, but for refusals.
func (x *facts) awsErrors() []awsError {
	if x.answers != nil {
		return x.answers
	}
	x.answers = []awsError{}
	read := map[int]bool{}
	add := func(i int, re *lazyregexp.Regexp) {
		if read[i] {
			return
		}
		e, ok := x.framed(i, re.Get())
		read[i] = ok
		if ok && !refusal.MatchString(e.text) && !clientError.MatchString(e.text) && !x.denied(i) {
			x.answers = append(x.answers, e)
		}
	}
	for k := range frames {
		for _, i := range x.holding(frames[k].mark, 0, true) {
			add(i, frames[k].re)
		}
	}
	sdk := slices.ContainsFunc(sdkPackages, func(s string) bool { return strings.Contains(x.rows.text, s) })
	for i := range len(x.bare) - 1 {
		if x.rows.match(requestBehind, i+1) {
			add(i, bareError)
		}
		if sdk && x.raw.match(thrownBehind, i+1) {
			add(i, thrownError)
		}
	}
	if x.quoted && x.short() {
		framed := len(x.answers)
		for i := range x.bare {
			for _, re := range []*lazyregexp.Regexp{looseError, looseField, looseCode} {
				add(i, re)
			}
		}
		x.answers = append(x.answers[:framed], slices.DeleteFunc(x.answers[framed:], func(e awsError) bool {
			return languageError.MatchString(e.text)
		})...)
		for k := framed; k < len(x.answers); k++ {
			x.answers[k].loose = true
		}
	}
	slices.SortStableFunc(x.answers, func(a, b awsError) int { return a.line - b.line })
	return x.answers
}

// framed reads the error that the expression finds in the line with index i, or in it and those
// behind it.
func (x *facts) framed(i int, re *regexp.Regexp) (awsError, bool) {
	text, ends := x.bare[i], []int{len(x.bare[i])}
	for {
		k := i + len(ends)
		more := len(ends) < maxAWSLines && len(text) < maxAWSMessage && k < len(x.bare) && strings.TrimSpace(x.bare[k]) != "" &&
			!x.raw.match(stackFrame, k) && !x.rows.match(nextEvent, k)
		m := re.FindStringSubmatchIndex(text)
		if m == nil && !more {
			return awsError{}, false
		}
		if m != nil {
			from, to := group(re, m, "text")
			if message := text[from:to]; !more || to < len(text) || message != "" && !x.wrapped(k-1) {
				at, end := group(re, m, "code")
				e := awsError{text: text[at:end] + ": " + clip(strings.TrimSpace(message), maxAWSMessage)}
				if at == end {
					at, end = from, to
				}
				row := slices.IndexFunc(ends, func(n int) bool { return at < n })
				if row < 0 {
					return awsError{}, false
				}
				start := 0
				if row > 0 {
					start = ends[row-1] + 1 // behind the space between them
				}
				e.line, e.from, e.to = i+row, at-start, min(end, ends[row])-start
				return e, true
			}
		}
		text += " " + strings.TrimSpace(x.bare[k])
		ends = append(ends, len(text))
	}
}

// group returns where the named group is; 0, 0 if there is none.
func group(re *regexp.Regexp, m []int, name string) (from, to int) {
	if g := re.SubexpIndex(name); g > 0 && m[2*g] >= 0 {
		return m[2*g], m[2*g+1]
	}
	return 0, 0
}

// wrapped reports whether the line with index i may go on in the next: it is as long as terminals
// are wide, and no sentence ends there.
func (x *facts) wrapped(i int) bool {
	line := strings.TrimRight(x.bare[i], " ")
	return len(line) >= 60 && !strings.HasSuffix(line, ".")
}

// nextEvent matches a row of a stack's events, with which what the row before says has ended.
var nextEvent = lazyregexp.New(`\b(?:CREATE|UPDATE|DELETE|ROLLBACK|CLEANUP|IMPORT)_(?:FAILED|COMPLETE|IN_PROGRESS)` +
	`(?:\s{2,}|\s*\||\t| (?:AWS|Custom)::)`)

var stackFrame = lazyregexp.New(`^\s*(?:at|from|File) \S`)

// answered returns the index, from lo, of the line with an error of AWS that the rule is about; -1
// if there is none.
func (x *facts) answered(r *rule, lo int, found *finding, counts func(e *awsError) bool) int {
	list := x.awsErrors()
	for n := range list {
		e := &list[n]
		if !r.first {
			e = &list[len(list)-1-n]
		}
		var f finding
		if e.line >= lo && r.onAnswer(e, &f) && counts(e) && !(e.loose && f.details != nil) {
			if f.details != nil {
				found.details = f.details
			}
			return e.line
		}
	}
	return -1
}

// onAnswer tries the rule on an error of AWS, and records the named groups.
func (r *rule) onAnswer(e *awsError, found *finding) bool {
	low := lower(e.text)
	return !slices.ContainsFunc(r.not, func(w string) bool { return strings.Contains(low, w) }) && r.aws.on(e.text, found)
}

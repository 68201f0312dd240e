package buildlog

import (
	"bytes"
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/iamref"
	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

// AWS's sentence names who was denied by an ARN. Other refusals say so in words, most often because
// the request came from a service, which acts as a role that it was given: "The provided execution
// role does not have permissions …" (AWS.md#denied-in-words). Then it is not the build.

// maxSubject and maxReason bound Denial.Subject and Denial.Reason, in bytes.
const (
	maxSubject = 160
	maxReason  = 400
)

// verbEnds end the part of a refusal between its subject and what was not allowed.
var verbEnds = []string{"is", "are", "was", "were", "does", "do", "did", "has", "have", "had"}

// subjectBefore reads whom the words before flat[at], where a refusal begins ("not authorized to",
// "not have permission to"), say was denied, in the same sentence and not before flat[lo]. It is ""
// if that may be the build itself, or nobody is named. called says that the refusal is the answer
// to an operation: then a role that it speaks of is one that the operation was given.
func (p *page) subjectBefore(lo, at int, called bool) string {
	at = p.beforeVerb(at)
	if at <= lo || at >= len(p.at) {
		return ""
	}
	from, to := max(int(p.at[lo]), int(p.at[at])-maxSubject), int(p.at[at])
	text := p.text[from:to]
	if i := bytes.LastIndex(text, []byte("\n\n")); i >= 0 {
		text = text[i+2:]
	}
	rows := strings.Split(string(text), "\n")
	for i := len(rows) - 1; i >= max(0, len(rows)-maxSubjectRows); i-- {
		for _, glue := range []string{" ", ""} { // a row may be broken within a word
			words := strings.Join(strings.Fields(strings.Join(rows[i:], glue)), " ")
			if who := p.subject(words, called); who != "" {
				return who
			}
			if i == len(rows)-1 {
				break // one row has no glue
			}
		}
		if first := rows[i]; first != "" && first[0] >= 'A' && first[0] <= 'Z' {
			break // a row of its own
		}
	}
	return ""
}

// maxSubjectRows is over how many rows a subject may be broken.
const maxSubjectRows = 3

// startOf returns where the subject, as printed, begins that ends before flat[at]; at if it is not
// there.
func (p *page) startOf(subject string, at int) int {
	words := []byte(strings.ToLower(strings.Join(strings.Fields(subject), "")))
	lo := max(0, at-2*maxSubject)
	if n := bytes.LastIndex(p.flat[lo:at], words); n >= 0 && len(words) > 0 {
		return lo + n
	}
	return at
}

// plural skips the end of "permissions" or "permission(s)" at flat[i], not the "s" of the next
// word.
func (p *page) plural(i int) int {
	if j, ok := cut(p.flat, i, "s"); ok && p.at[i] == p.at[i-1]+1 {
		return j
	}
	return p.skipFlat(i, "(s)")
}

// beforeVerb returns where the auxiliary verb before flat[at] begins, at if there is none.
func (p *page) beforeVerb(at int) int {
	for _, w := range verbEnds {
		if before, ok := bytes.CutSuffix(p.flat[:at], []byte(w)); ok && p.startsWord(len(before)) {
			return len(before)
		}
	}
	return at
}

// arnBefore returns the principal whose ARN stands right before the refusal at flat[at], as in
// "'arn:aws:iam::111122223333:role/sfn' is not authorized to create managed-rule".
func (p *page) arnBefore(at int) string {
	at = p.beforeVerb(at)
	if at >= len(p.at) {
		return ""
	}
	text := strings.TrimRight(string(p.text[max(0, int(p.at[at])-maxPrincipal):p.at[at]]), " \n\"'`)]")
	arn := text[strings.LastIndexAny(text, " \n\"'`([")+1:]
	if !completePrincipal(arn) {
		return ""
	}
	return arn
}

// Where a subject begins: behind the end of another sentence, a label, a bracket, or a word that
// begins a clause.
var (
	clauseEnd = lazyregexp.New(`.*(?:[.:;!?,] |[()\[\]{}|>=\x60]|\\n| - | – |": ?"|` +
		`\b(?i:because|since|that|when|while|if|but|and|or)\b )`)
	roleWord    = lazyregexp.New(`(?i)\b(?:role|profile)\b`)
	inBrackets  = lazyregexp.New(`\s*\([^()]*\)\s*$`)
	subjectWord = lazyregexp.New(`[A-Za-z0-9][A-Za-z0-9_+=,.@:/'’*-]*`)
)

// ourWords are those of a subject that may be the build: "User is not authorized", "your IAM role
// does not have". A role is the build's unless the words say which.
var ourWords = wordSet(`a an the this that your our my its any aws amazon iam sts user users you we i it caller
	callers client requester requestor principal principals identity entity request session credentials credential
	current currently calling caller's user's assumed role codebuild awscodebuild build builds build's service account
	error failed failure warning also still now who which ci`)

// jobWords may mean the build, too, where the words speak of no role: "the job is not authorized".
var jobWords = wordSet(`job task pipeline project deployment deploy deployer runner agent stage step script process command
	program application app tool`)

// calledWords are those that speak of an operation's caller, where it may also speak of a role that
// it was given.
var calledWords = wordSet(`your our my current currently calling caller caller's user's assumed user you`)

// agents are nouns for what acts in AWS.
var agents = wordSet(`role profile function grantee service pipe pipes project machine task job cluster connector
	crawler canary pipeline fleet stack resource delivery stream firehose lambda cloudformation config scheduler
	eventbridge glue ecs eks anonymous`)

// acts are words of what is done with a role.
var acts = wordSet(`pass passing assume assuming attach attaching create creating update updating delete deleting`)

// subject is the function of that name, which is asked for the same text again and again where a
// log repeats itself.
func (p *page) subject(text string, called bool) string {
	key := subjectKey{text, called}
	who, known := p.subjects[key]
	if !known {
		if p.subjects == nil {
			p.subjects = map[subjectKey]string{}
		}
		who = subject(text, called)
		p.subjects[key] = who
	}
	return who
}

type subjectKey struct {
	text   string
	called bool
}

// subject returns the subject at the end of text if it rules out the build's own session.
func subject(text string, called bool) string {
	text = strings.TrimRight(inBrackets.Get().ReplaceAllString(text, ""), " \"'`“”")
	if strings.HasSuffix(text, ":") || strings.HasSuffix(text, ".") {
		return ""
	}
	text = text[len(clauseEnd.Get().FindString(text)):]
	if i := strings.LastIndex(text, " The "); i >= 0 { // a sentence without a full stop before it
		text = text[i+1:]
	}
	role := roleWord.Get().MatchString(text)
	var kept, other []string
	for _, w := range subjectWord.Get().FindAllString(text, -1) {
		plain := strings.Trim(strings.ToLower(w), "'’.,:")
		if strings.Contains(plain, "arn:") || strings.Contains(plain, "*") {
			return "" // read as a principal, or masked
		}
		if jobWords.has(plain) && !role {
			plain = "build"
		}
		kept = append(kept, plain)
		if acts.has(plain) {
			return "" // "Cross-account pass role is not allowed": what was done, and nobody
		}
		if !ourWords.has(plain) {
			other = append(other, plain)
		}
	}
	text = strings.Trim(text, " \"'`“”")
	has := func(w *wordList) bool { return slices.ContainsFunc(kept, w.has) }
	switch {
	case len(kept) == 0 || len(kept) > 12:
		return ""
	case (has(agents) || slices.ContainsFunc(other, endsInRole)) && len(other) > 0,
		called && slices.Contains(kept, "role") && !has(calledWords),
		len(other) == 1 && len(kept) <= 2 && (nameLike(other[0]) || strings.HasSuffix(other[0], ".amazonaws.com")):
		return clip(text, maxSubject)
	}
	return ""
}

// endsInRole reports whether a word is the name of a kind of role: "JobExecutionRole".
func endsInRole(w string) bool { return strings.HasSuffix(w, "role") }

// nameLike reports whether a word is a name, and none of the language.
func nameLike(w string) bool { return strings.ContainsAny(w, "-_@0123456789") }

// namesRole reports whether a subject names the build's own role: "role codebuild-shop".
func namesRole(subject, role string) bool {
	return subject != "" && nameLike(role) && slices.ContainsFunc(strings.Fields(subject), func(w string) bool {
		return strings.EqualFold(strings.Trim(w, "\"'`,"), role)
	})
}

// called reports whether flat[at] is within an answer to an operation.
func (p *page) called(at int) bool {
	lo := max(0, at-300)
	lo += 1 + bytes.LastIndexByte(p.flat[lo:at], '\n')
	return holds(p.flat[lo:at], []string{"whencallingthe", "operationerror", "failedtocall"})
}

// labelledUser returns who stands between "User:" and "is not authorized" at flat[at] if it is no
// ARN: "anonymous", or an id.
func (p *page) labelledUser(from, at int) string {
	name, ok := cut(p.flat, from, "user:")
	if !ok || name >= at {
		return ""
	}
	at = p.beforeVerb(at)
	if name >= at || at >= len(p.at) {
		return ""
	}
	who := strings.Trim(strings.ReplaceAll(string(p.text[p.at[name]:p.at[at]]), "\n", ""), " \"'`")
	if who == "" || strings.ContainsAny(who, "*<[ .…?") || strings.HasPrefix(who, "arn:") ||
		strings.Trim(strings.ToLower(who), "x") == "" {
		return ""
	}
	return clip(who, maxSubject)
}

// oneText reports whether flat[from] and flat[to] stand in one row, in rows of one box or cell, or
// in rows that seem to continue each other.
func (p *page) oneText(from, to int) bool {
	last := p.rowAt(int(p.at[min(to, len(p.at)-1)]))
	for r := p.rowAt(int(p.at[from])); r < last; r++ {
		next := p.text[p.rows[r+1].start]
		if p.rows[r].mark&(markBar|markCell|markFull) == 0 && (next >= 'A' && next <= 'Z' || next == '[') {
			return false
		}
	}
	return true
}

// stoppedTask are words before the reason for which ECS stopped a task, as in flat.
var stoppedTask = []string{"taskstopped:", `stoppedreason":`, "stoppedreason:", "resourceinitializationerror:", "taskfailedtostart:"}

// onBehalf returns whom the text before flat[from] says that a report comes from: a custom
// resource's function tells CloudFormation what its own calls were answered, an invoked function
// tells its caller, and ECS what a task met before it ran.
func (p *page) onBehalf(from, to int) string {
	if !p.has("fromcustomresource") && !p.has(`errormessage":`) && !slices.ContainsFunc(stoppedTask, p.has) {
		return ""
	}
	lo := max(0, from-400)
	before := p.flat[lo:from]
	if n := bytes.LastIndex(before, []byte("fromcustomresource")); n >= 0 && p.oneText(lo+n, from) &&
		bytes.Contains(before[n:], []byte("messagereturned")) {
		return "the custom resource"
	}
	for _, w := range stoppedTask { // ECS tells why it stopped a task, whose roles are its own
		if n := bytes.LastIndex(before, []byte(w)); n >= 0 && p.oneText(lo+n, from) {
			return "the task's execution role"
		}
	}
	n := bytes.LastIndex(before, []byte(`errormessage":`))
	if n >= 0 && p.oneText(lo+n, from) {
		after := p.flat[to:min(len(p.flat), to+600)]
		if holds(after, []string{`errortype":`}) && holds(after, []string{`stacktrace":`, `trace":`, "/var/task/"}) {
			return "the function that was invoked"
		}
	}
	return ""
}

// A deployment with a role of its own: CloudFormation then acts as that role, whoever starts it.
var (
	roleOption = lazyregexp.New(`(?:^|\s)(--role-arn|-r)[= ]+["']?([^\s"';&|)]+)`)
	deployTool = lazyregexp.New(`(?:^|[\s/=(])(?:sam|samdev|cdk|cdklocal|rain|sceptre|formica|stacker|cfn-cli|` +
		`aws\s(?:.*\s)?cloudformation)(?:@\S+)?\s`)
	shellBreak = lazyregexp.New(`&&|\|\||[;|\n]|\$\(`)
)

// deployRole names the role that one of the commands gives to CloudFormation, or with last the last
// one that deploys; "" if it gives none.
func deployRole(commands string, last bool) (role string) {
	if !strings.Contains(commands, "--role-arn") && !strings.Contains(commands, " -r") {
		return ""
	}
	commands = strings.ReplaceAll(commands, "\\\n", " ")
	for _, c := range shellBreak.Get().Split(commands, -1) {
		at := deployTool.Get().FindStringIndex(c)
		if at == nil {
			continue
		}
		m := roleOption.Get().FindStringSubmatch(c[at[1]-1:])
		if m != nil && (m[1] == "--role-arn" || strings.Contains(c, "cdk")) {
			role = clip("CloudFormation's role "+m[2], maxSubject)
		} else if last {
			role = ""
		}
	}
	return role
}

// A command that brings credentials of its own: a profile, keys, a tool that assumes a role, another
// service than AWS that answers in its words, or another machine on which it runs.
var (
	profileOption = lazyregexp.New(`(?:^|[\s/=(])(?:aws|sam|cdk|cdklocal|eksctl|copilot|eb|chalice)(?:@\S+)?` +
		`\s(?:.*\s)?--profile[= ]+["']?([^\s"';&|)]+)|` +
		`\s--aws-profile[= ]+["']?([^\s"';&|)]+)|\bAWS_PROFILE=["']?([^\s"';&|)]+)`)
	keyVariable = lazyregexp.New(`\bAWS_ACCESS_KEY_ID=["']?([^\s"';&|)]*)`)
	endpointURL = lazyregexp.New(`\s--endpoint(?:-url)?[= ]+["']?([^\s"';&|)]+)|\bAWS_ENDPOINT_URL(?:_\w+)?=["']?([^\s"';&|)]+)`)
	// secretMount matches a step of a Dockerfile that mounts credentials of AWS.
	secretMount = lazyregexp.New(`--mount=type=secret,\S*(?i:aws|credential)`)
	// awsHost matches an endpoint that is certainly AWS's.
	awsHost       = lazyregexp.New(`^https?://(?:[\w-]+\.)+(?:amazonaws\.com(?:\.cn)?|api\.aws)(?:[:/]|$)`)
	remoteCommand = lazyregexp.New(`^\s*(?:\w+=\S* +)*(?:(?:sudo|time|timeout \S+|exec) +)*` +
		`(?:ssh|kubectl +(?:-\S+ +\S+ +)*(?:exec|run|logs)|` +
		`aws +(?:ssm +(?:send-command|start-session|get-command-invocation)|ecs +execute-command))\s`)
	roleSessions = lazyregexp.New(`(?:^|\s)(?:aws-vault|saml2aws|granted|gimme-aws-creds)\s+exec\s+(?:-\S+\s+)*(\S+)`)
)

// credentialWords are the words without which a command brings no credentials of its own.
var credentialWords = []string{"rofile", "PROFILE", "KEY_ID", " exec ", "ndpoint", "ENDPOINT", "ssh ", "kubectl ", "aws ssm ",
	"execute-command", "type=secret"}

// OtherCredentials says whose credentials a command brings, where that may not be the build's
// session; "" if it brings none.
func OtherCredentials(commands string) string {
	if !slices.ContainsFunc(credentialWords, func(w string) bool { return strings.Contains(commands, w) }) {
		return ""
	}
	for _, c := range shellBreak.Get().Split(strings.ReplaceAll(commands, "\\\n", " "), -1) {
		if m := profileOption.Get().FindStringSubmatch(c); m != nil && m[1]+m[2]+m[3] != "default" {
			return clip("the profile "+m[1]+m[2]+m[3], maxSubject)
		}
		if m := roleSessions.Get().FindStringSubmatch(c); m != nil {
			return clip("the profile "+m[1], maxSubject)
		}
		if m := endpointURL.Get().FindStringSubmatch(c); m != nil && !awsHost.MatchString(m[1]+m[2]) {
			return clip("the account at "+m[1]+m[2], maxSubject)
		}
		if remoteCommand.MatchString(c) {
			return "what runs on another machine"
		}
		if secretMount.MatchString(c) {
			return "the user or role of the secret that the step mounts"
		}
		// Not a container that is given the build's own: AWS_ACCESS_KEY_ID=$AWS_ACCESS_KEY_ID.
		if m := keyVariable.Get().FindStringSubmatch(c); m != nil && !strings.Contains(m[1], "AWS_ACCESS_KEY_ID") {
			return "the user or role whose keys the command sets"
		}
	}
	return ""
}

var stackWords = []string{
	"resourcehandlerreturned", "handlererrorcode", "create_failed", "update_failed", "delete_failed", "api:",
}

// stackEvent reports whether flat[from:to] is what CloudFormation says of a stack's resource.
func (p *page) stackEvent(from, to int) bool {
	if !slices.ContainsFunc(stackWords, p.has) {
		return false
	}
	around := p.flat[max(0, from-300):min(len(p.flat), to+300)]
	return holds(around, stackWords)
}

// byDeployRole returns the role by which CloudFormation acts in the claim at flat[from:to], if the
// text before it shows the command that says so.
func (p *page) byDeployRole(from int) string {
	if !p.shows("--role-arn") && !p.shows(" -r") {
		return ""
	}
	text := string(p.text[max(0, int(p.at[from])-8<<10):p.at[from]])
	n := strings.LastIndex(text, "Running command ")
	return deployRole(text[max(0, n):], true)
}

// denied completes what a claim says of whom and why: c begins at flat[c.from] and ends at
// flat[c.to].
func (s *sentences) denied(c *claim) {
	if c.Principal != "" || c.Subject != "" {
		return
	}
	if c.Subject = s.onBehalf(c.from, c.to); c.Subject != "" {
		return
	}
	if c.stack = s.stackEvent(c.from, c.to); c.stack {
		c.Subject = s.byDeployRole(c.from)
	}
	switch c.Action {
	case "sts:AssumeRoleWithWebIdentity", "sts:AssumeRoleWithSAML": // nobody signs these calls
		c.Subject = "the identity that the token is of"
	}
}

// passesRole reports whether an operation is given a role. A refusal of something else than the
// operation is then that role's.
func passesRole(operation string) bool {
	for _, a := range iamref.ForOperationName(operation) {
		if x, ok := iamref.Lookup(a); ok && slices.Contains(x.Dependent, "iam:PassRole") {
			return true
		}
	}
	return false
}

// calledName returns the operation in whose answer flat[at] is, "" if the text names none.
func (p *page) calledName(at int) string {
	lo := max(0, at-300)
	lo += 1 + bytes.LastIndexByte(p.flat[lo:at], '\n')
	text := string(p.text[p.at[lo]:p.at[at]])
	all := calledOperations.Get().FindAllStringSubmatch(text, -1)
	if len(all) == 0 {
		return ""
	}
	return operationIn(all[len(all)-1])
}

// operationIn gives the operation that calledOperations found.
func operationIn(m []string) string { return m[1] + m[2] + m[3] }

// Called is the API operation in whose answer the denial stands: "GetParameter". It is "" if the
// text names none, or more than one.
func (d Denial) Called() (operation string) {
	for _, m := range calledOperations.Get().FindAllStringSubmatch(d.Text, -1) {
		if op := operationIn(m); operation == "" || op == operation {
			operation = op
			continue
		}
		return ""
	}
	return operation
}

var calledOperations = lazyregexp.New(`when\s+calling\s+the\s+(\w+)\s+operation|` +
	`operation\s+error\s+[\w\s]+:\s+(\w+),|[Ff]ailed\s+to\s+call\s+(\w+)`)

// givenRole names the role that an operation was given.
func givenRole(operation string) string {
	if operation == "" {
		return "the role that the call was given"
	}
	return clip("the role that "+operation+" was given", maxSubject)
}

// unnamed returns the subject of AWS's sentence, whose head is at flat[at] and which begins at
// flat[from], where it has no ARN.
func (s *sentences) unnamed(from, at int, actions []string) string {
	if who := s.labelledUser(from, at); who != "" {
		return who
	}
	if who := s.subjectBefore(max(0, at-2*maxSubject), at, s.called(at)); who != "" {
		return who
	}
	if s.beforeVerb(at) < at {
		return "" // somebody stands there
	}
	called := s.calledName(at)
	own := func(a string) bool { return sameAction(a, actions) }
	if !passesRole(called) || slices.ContainsFunc(iamref.ForOperationName(called), own) {
		return ""
	}
	return givenRole(called)
}

// refusingWords begin what a message says that somebody may not do.
var refusingWords = []string{
	"notauthorized", "nothave", "n'thave", "lacks", "insufficient", "cannot", "can't", "couldnot", "unableto", "isnotallowed",
	"ismissing",
}

// otherThanBare reads a message that says more than that access is refused: whom it is about, and
// what it gives as the reason.
func (s *sentences) otherThanBare(c *claim, r report) {
	if s.bare(r.msg, r) {
		return
	}
	c.Reason = s.said(r.msg)
	msg := s.message(r.msg)
	first := -1
	for _, w := range refusingWords {
		if n := bytes.Index(msg, []byte(w)); n >= 0 && (first < 0 || n < first) {
			first = n
		}
	}
	if first <= 0 {
		return
	}
	c.to = max(c.to, r.msg+first+len("not")) // it is not read once more by itself
	c.Subject = s.subjectBefore(r.msg, r.msg+first, true)
	if c.Principal == "" {
		c.Principal = s.arnBefore(r.msg + first)
	}
}

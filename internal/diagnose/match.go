package diagnose

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/lazyregexp"
	"github.com/buildmedic/buildmedic/internal/testrun"
)

// How much of a failed command's output is searched: its end, where the reason is. With these
// bounds even the worst text, in which every rule's words occur in every line, takes well under a
// second.
const (
	maxLines     = 1000
	maxLineBytes = 4 << 10
	maxTextBytes = 128 << 10
)

// facts is a Failure prepared for the rules.
type facts struct {
	*buildlog.Failure
	causes   []Cause           // all that may hold, in the order of precedence
	statuses []string          // the build's and the failed phase's
	causal   []buildlog.Denial // those that explain the failure
	denials  []buildlog.Denial // all, with what was found about each
	aside    []buildlog.Denial // those of the failed command that do not explain its end
	refusals []bool            // of lines: a denial stands in it
	reports  []testrun.Report  // of test runners
	onlyRuns bool              // the command does nothing but run tests, and some reporters print nothing of their own
	// onlyChecks: the command does nothing but check files.
	onlyChecks bool
	report     int              // index of the first line of a report of tests or checks
	summary    int              // and of the last that says that some failed; -1 without one
	sure       *sureFailure     // another failure of the command that is certain; nil without one
	context    string           // "CODE: message", if it says more than the command
	lines      []buildlog.Line  // cut to the bounds; without lines that only repeat the command
	bare       []string         // the lines without what tools put in front of them
	rows       *lines           // bare
	raw        *lines           // lines
	lax        bool             // also lines that are overtaken count; see overtakenCause
	quoted     bool             // also lines that a document shows count; see quotedCause
	doubts     func(n int) bool // whether the line with that number proves nothing; nil: none is known for that
	end        int              // what counts as the end of lines where only their last are searched; 0: all

	answers      []awsError // see awsErrors
	events       *int       // see lastEvent
	failedOfElse *[2]int    // the lines of tests that failed of something else: see unexplainedTest

	// What was found about each line.
	strange                               [][]string // a word with which scripts close, and those that are none
	failures                              []int8     // how surely it is of another failure: see otherFailures
	proveNone, passes, takeRole, survived memo
}

func gather(f *buildlog.Failure) *facts {
	x := &facts{Failure: f, causes: causes, summary: -1}
	if f.Build.Status != "" {
		x.statuses = append(x.statuses, f.Build.Status)
	}
	if p, ok := f.Build.FailedPhase(); ok {
		x.statuses = append(x.statuses, p.Status)
	}
	if f.Context.Code != codebuild.CommandError {
		x.context = clip(f.Context.String(), maxLineBytes)
	}
	lines := f.Tail
	if len(lines) == 0 {
		lines = f.Excerpt
	}
	x.take(lines)
	x.reports, x.onlyRuns = testrun.Read(whole(f.Tail, f.Long)), testCommand.MatchString(f.Command)
	x.onlyChecks = checkCommand.MatchString(f.Command)
	if f.Exit == "124" && x.endsOfXargs() {
		of := *f
		of.Exit = "255" // as xargs says itself: no time was up
		x.Failure = &of
	}
	return x
}

// endsOfXargs reports whether the output ends with xargs' word that its command ended with 255, for which
// it ends itself, with the status that timeout(1) has when the time is up.
func (x *facts) endsOfXargs() bool {
	for i := len(x.bare) - 1; i >= 0; i-- {
		if strings.TrimSpace(x.bare[i]) != "" {
			return x.rows.match(xargsAborts, i)
		}
	}
	return false
}

var xargsAborts = lazyregexp.New(`^xargs: \S.*: exited with status 255; aborting$`)

// take makes the last of the lines, as many as are searched, the facts' lines.
func (x *facts) take(lines []buildlog.Line) {
	command := linesOf(x.Command)
	for i, size := len(lines)-1, 0; i >= 0 && len(x.lines) < maxLines; i-- {
		l := buildlog.Line{N: lines[i].N, Text: clip(lines[i].Text, maxLineBytes)}
		if size += len(l.Text) + 1; size > maxTextBytes {
			break
		}
		if b := bare(l.Text); !repeatsCommand(b) && !command[strings.TrimSpace(b)] {
			x.lines, x.bare = append(x.lines, l), append(x.bare, b)
		}
	}
	slices.Reverse(x.lines)
	slices.Reverse(x.bare)
	x.rows = newLines(x.bare)
	x.raw = x.rows
	if printed := textsOf(x.lines); !slices.Equal(printed, x.bare) {
		x.raw = newLines(printed)
	}
}

// whole returns the lines with those that are longer in their place.
func whole(lines, long []buildlog.Line) []buildlog.Line {
	if len(long) == 0 {
		return lines
	}
	lines = slices.Clone(lines)
	for i := range lines {
		for _, l := range long {
			if l.N == lines[i].N {
				lines[i] = l
			}
		}
	}
	return lines
}

func textsOf(list []buildlog.Line) []string {
	texts := make([]string, len(list))
	for i, l := range list {
		texts[i] = l.Text
	}
	return texts
}

// linesOf returns the lines of a command, without the white space around them. CodeBuild prints a
// command of several lines in full, before it runs and again after it failed.
func linesOf(command string) map[string]bool {
	set := map[string]bool{}
	for l := range strings.Lines(command) {
		if l = strings.TrimSpace(bare(l)); l != "" {
			set[l] = true
		}
	}
	return set
}

// inFront is what tools put in front of each line: CodeBuild's agent (an instance's, on reserved
// capacity), times, also as syslog writes them, Terragrunt's unit, BuildKit's step and
// seconds, Compose's service, Turborepo's task, Amplify's level, Changesets' butterfly, the bar beside
// a Terraform diagnostic, a quotation mark; and what gh run view does, the job and the
// step, between which a tab is two spaces here.
var inFront = lazyregexp.New(`^(\S.{0,80}?  \S.{0,80}?  \x{feff}?\d{4}-\d\d-\d\dT\d\d:\d\d:\S+ |` +
	buildlog.AgentPattern() + ` \d{4}/\d\d/\d\d [\d:.]+ |\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\S* |` +
	`(?:[A-Z][a-z]{2} [ \d]\d )?\d\d:\d\d:\d\d(?:[.,]\d+)?(?: {1,2}|$)|` +
	`STD(?:OUT|ERR) +(?:\[\S+\] )?(?:terraform|tofu): |` +
	`#\d+ \d+\.\d+ |[\w.-]+ +\| |[\w@/.-]+:(build|test|lint|typecheck|check|deploy): |` +
	`\[(?:INFO|WARNING|ERROR)\]: |🦋  (?:(?:error|warn|info) )?|[│╷╵|>] ?)`)

// bare returns the line without what tools put in front of it.
func bare(line string) string {
	for range 4 {
		n := len(inFront.Get().FindString(line))
		if n == 0 || strings.HasSuffix(strings.TrimRight(line[:n], " |"), "_FAILED") { // CloudFormation's event is no service of Compose
			break
		}
		line = line[n:]
	}
	return line
}

// commented matches what stands in front of text that is kept in a program's comment, or in a list.
var commented = lazyregexp.New(`^\s*(//|#+|\*|--|;;?)(\s|$)`)

// uncomment returns the lines without the signs of comments, if all have one.
func uncomment(lines []string) []string {
	list := make([]string, len(lines))
	for i, l := range lines {
		if strings.TrimSpace(l) != "" && !commented.MatchString(l) {
			return slices.Clone(lines)
		}
		list[i] = bare(strings.TrimLeft(l[len(commented.Get().FindString(l)):], " \t"))
	}
	return list
}

// repeatsCommand reports whether the line is CodeBuild's and holds the text
// of a command. A command that guards against an error names the error.
func repeatsCommand(bare string) bool {
	return strings.HasPrefix(bare, "Running command ") || strings.HasPrefix(bare, "Command did not exit successfully ") ||
		strings.Contains(bare, "Error while executing command: ")
}

// A finding is what a rule found.
type finding struct {
	evidence Evidence
	details  map[string]string
	denial   *buildlog.Denial // the one that the rule is about
}

// quotes reports whether a cause holds that prints texts about others.
func (x *facts) quotes(causes []Cause) bool {
	for i := range causes {
		c := &causes[i]
		if c.quotes && slices.ContainsFunc(c.rules, func(r rule) bool {
			if r.shared {
				return false
			}
			_, ok := x.try(c, &r)
			return ok
		}) {
			return true
		}
	}
	return false
}

// quotable reports whether d may be text about somebody else. AWS's own sentence always names a
// principal, so one without it is only text; a tool's report of an operation has no principal.
func (x *facts) quotable(d buildlog.Denial) bool {
	if d.Principal == "" {
		return d.Origin == buildlog.FromLog && (d.Action == "" || !d.Inferred)
	}
	return x.whose(&d) != perhapsOurs
}

// find returns the cause, with the rule and what it found.
func (x *facts) find(causes []Cause) (*Cause, *rule, finding) {
	c, r, f := x.asPrinted(causes)
	if c, r, f := x.reread(causes, c, r, f); c != nil {
		return c, r, f
	}
	return c, r, f
}

// asPrinted returns the first cause that holds, with the rule and what it found. A consequence never
// beats a reason: such rules are tried only if nothing but the failed command is known. The last
// entry of causes.yaml always holds.
func (x *facts) asPrinted(causes []Cause) (*Cause, *rule, finding) {
	c, r, f := x.first(causes, false)
	if c == nil {
		panic("diagnose: no cause holds; causes.yaml must end with one that always does")
	}
	if r.any == "command" || r.any == "failure" || slices.Contains(r.code, codebuild.CommandError) {
		c, r, f := x.first(causes, true)
		if (c == nil || c.vague) && x.excerptOnly() {
			if c, r, f := x.quotedCause(); c != nil {
				return c, r, f
			}
		}
		if c != nil {
			return c, r, f
		}
		if c, r, f := x.beforeMore(causes); c != nil {
			return c, r, f
		}
		if c, r, f := x.overtakenCause(); c != nil {
			return c, r, f
		}
	}
	if x.excerptOnly() && c.Name == "aws-api-error" { // which only repeats what AWS said
		if c, r, f := x.quotedCause(); c != nil && !c.vague {
			return c, r, f
		}
	}
	if c.Remedy == Report && r.aboutLine() && f.evidence.Line > 0 {
		// The same line may name a cause that says more, such as throttling.
		if c, r, more := x.overtakenCause(); c != nil && c.Remedy == Retry && more.evidence.Line == f.evidence.Line {
			return c, r, more
		}
	}
	return c, r, f
}

// overtakenCause looks for a cause in lines behind which, and not before which, another error or
// other work stands, where nothing else is known: they do not prove enough for a new start, but name what went wrong. What
// is found so is only reported. A team's own causes promise too much for that.
func (x *facts) overtakenCause() (*Cause, *rule, finding) {
	x.lax = true
	defer func() { x.lax = false }()
	c, r, f := x.first(causes, false)
	if c == nil || !r.aboutLine() {
		return nil, nil, finding{}
	}
	told := *r
	told.remedy = Report
	return c, &told, f
}

// excerptOnly reports whether nothing is known but a piece of text: no build, and no command in it.
func (x *facts) excerptOnly() bool {
	return x.Build.ID == "" && x.Build.ARN == "" && x.Command == "" && x.Context.Code == ""
}

// quotedCause looks for a cause in what somebody took out of a log, or wrote about one, and gave to
// be explained: then it is no objection that a document quotes it, nor that other words stand in
// front. What is found so is only reported.
func (x *facts) quotedCause() (*Cause, *rule, finding) {
	printed, rows := x.bare, x.rows
	defer func() { x.quoted, x.answers, x.bare, x.rows = false, nil, printed, rows }()
	x.quoted, x.bare = true, uncomment(x.bare)
	var vague *Cause
	var by *rule
	var found finding
	whole := x.bare
	tries := maxQuoted
	if !x.short() {
		tries = 1
	}
	for try := range tries {
		if try == 1 {
			x.bare = joined(whole) // somebody wrapped it
		}
		x.answers, x.rows = nil, newLines(x.bare)
		for _, consequence := range []bool{false, true} {
			c, r, f := x.first(causes, consequence)
			if c == nil || !r.aboutLine() && r.any != "pointed" || r.denial != nil {
				continue
			}
			told := *r
			told.remedy = Report
			if !c.vague {
				return c, &told, f
			}
			if vague == nil {
				vague, by, found = c, &told, f
			}
		}
		if try == 0 {
			continue
		}
		if x.bare = whole; !introduced(x.bare) {
			break
		}
	}
	if vague != nil || !x.short() {
		return vague, by, found
	}
	return x.quotedEnd()
}

// quotedEnd classes the line that most surely reports an error as if it said so, or tells only that a
// command failed, where a piece of text says no more.
func (x *facts) quotedEnd() (*Cause, *rule, finding) {
	i := x.errorLine()
	if i < 0 {
		return nil, nil, finding{}
	}
	if k := i + 1; onlyTitle.MatchString(x.bare[i]) {
		for ; k < len(x.bare) && strings.TrimSpace(x.bare[k]) == ""; k++ {
		}
		if k < len(x.bare) {
			i = k // what it says stands below the title
		}
	}
	x.bare[i] = "error: " + x.bare[i]
	x.answers, x.rows = nil, newLines(x.bare)
	for k := range causes {
		c := &causes[k]
		if !c.vague {
			continue
		}
		for j := range c.rules {
			if f, ok := x.try(c, &c.rules[j]); ok && f.evidence.Line == x.lines[i].N {
				return c, &c.rules[j], f
			}
		}
	}
	for k := len(x.bare) - 1; k >= 0; k-- {
		if m := commandEnded.Get().FindStringSubmatch(x.bare[k]); m != nil {
			c := &causes[slices.IndexFunc(causes, func(c Cause) bool { return c.Name == commandFailed })]
			f := finding{evidence: Evidence{x.lines[k].N, x.lines[k].Text, buildlog.FromLog}}
			if exit := m[1] + m[2]; exit != "" {
				f.details = map[string]string{"exit": exit}
			}
			return c, &c.rules[len(c.rules)-1], f
		}
	}
	return nil, nil, finding{}
}

// commandEnded matches what says no more than that a command, or a step of it, failed.
var commandEnded = lazyregexp.New(`(?i)\b(?:returned non-zero exit status|` +
	`(?:exited|completed|failed) with (?:exit |error |status )?(?:code|status)) ([1-9]\d*)\b|` +
	`\bexit (?:status|code):? ([1-9]\d*)$|\bcode ELIFECYCLE$|\bcommand (?:failed|did not exit successfully)\b|` +
	`\b(?:execution|build|run) failed (?:for|in|of) (?:task|step|target|project|stage)\b|\bfailed to exec(?:ute)?\b|` +
	`\b(?:task|step|stage|script|recipe|target|goal) .{1,80}\bfailed\b`)

// onlyTitle matches a line that says that an error follows and not which, such as "Serverless Error ----".
var onlyTitle = lazyregexp.New(`(?i)^\W*(?:\w+ ){0,2}(?:error|failure|exception)\W*$`)

const (
	// maxQuoted is how often the words in front of a quotation are taken away.
	maxQuoted = 5
	// maxQuote is how many lines a person takes out of a log at most: what is longer is one.
	maxQuote = 300
)

// short reports whether the text is so short that a person may have taken it out of a log.
func (x *facts) short() bool { return len(x.bare) <= maxQuote }

// joined returns each line with the next ones, as they were before somebody wrapped them.
func joined(lines []string) []string {
	list := make([]string, len(lines))
	for i := range lines {
		text := lines[i]
		for k := i + 1; k < min(i+4, len(lines)) && strings.TrimSpace(lines[k]) != "" && len(text) < maxLineBytes/2; k++ {
			text += " " + strings.TrimSpace(lines[k])
		}
		list[i] = text
	}
	return list
}

// introduction matches the words in front of what is quoted: "The build says: ", "Error: `".
var introduction = lazyregexp.New("^[^:\"`“「]{0,80}?(: |[\"`“「]| - )")

// introduced takes the words in front of a quotation away, line by line, and reports whether there were any.
func introduced(lines []string) (some bool) {
	for i, l := range lines {
		if n := len(introduction.Get().FindString(l)); n > 0 && n < len(l) {
			lines[i], some = bare(l[n:]), true
		}
	}
	return some
}

// beforeMore looks for a cause as if the output had ended with the line that most surely reports an
// error: a command may print much after it, such as the log of a service, and some words are only
// looked for at the end. What is found so is only reported.
func (x *facts) beforeMore(causes []Cause) (*Cause, *rule, finding) {
	i := x.errorLine()
	if i < 0 || i+1 == len(x.lines) || strength(x.lines[i].Text, x.bare[i]) <= buildlog.Consequence {
		return nil, nil, finding{}
	}
	x.end = i + 1
	defer func() { x.end = 0 }()
	for _, consequence := range []bool{false, true} {
		c, r, f := x.first(causes, consequence)
		if c != nil && c.last > 0 && (c.Remedy == Report && r.remedy == "" || r.remedy == Report) {
			return c, r, f
		}
	}
	return nil, nil, finding{}
}

// first returns the first cause that holds by a rule about a consequence, or by another one.
func (x *facts) first(causes []Cause, consequence bool) (*Cause, *rule, finding) {
	for i := range causes {
		c := &causes[i]
		for j := range c.rules {
			if c.rules[j].consequence != consequence {
				continue
			}
			if f, ok := x.try(c, &c.rules[j]); ok {
				return c, &c.rules[j], f
			}
		}
	}
	return nil, nil, finding{}
}

// conditions reports whether what the rule asks of the build record holds.
func (x *facts) conditions(r *rule) bool {
	switch {
	case r.status != nil && !slices.ContainsFunc(x.statuses, func(s string) bool { return slices.Contains(r.status, s) }),
		r.phase != nil && !slices.Contains(r.phase, x.Phase),
		r.nolog && !x.NoLog,
		r.exit != nil && !slices.Contains(r.exit, x.Exit),
		r.any == "command" && x.Command == "" && x.Exit == "",
		r.any == "test" && !x.testsFailed(),
		r.command != nil && !slices.ContainsFunc(r.command, func(s string) bool { return strings.Contains(x.Command, s) }):
		return false
	}
	return true
}

// try reports whether the rule of the cause holds.
func (x *facts) try(c *Cause, r *rule) (finding, bool) {
	if !x.recorded(&c.when) || !x.conditions(r) {
		return finding{}, false
	}
	var found finding
	if r.denial != nil {
		d, ok := x.denial(r.denial)
		if !ok {
			return finding{}, false
		}
		found.denial = &d
		found.evidence = x.denialEvidence(&d)
	}
	switch {
	case r.code != nil:
		return x.tryCode(r, found)
	case r.any == "test":
		found.evidence = x.testEvidence()
		return found, true
	case r.any == "unanswered":
		return x.unanswered()
	case r.any == "pointed":
		return x.pointed()
	case !r.aboutLine():
		return found, true
	case !x.hasAll(r.also):
		return finding{}, false
	case r.inContext(x, &found):
		return found, true
	}
	return found, x.search(r, c.last, &found, x.disproved(c, r))
}

// disproved returns which lines prove nothing for a rule of the cause. What a test prints or
// expects is the test's. A failure that would be retried needs a line that explains why the command
// ended, as a denial does; none does beside a failure that is sure, nor where CodeBuild's own
// report names failed tests, since the output may not show where a test speaks.
func (x *facts) disproved(c *Cause, r *rule) func(i, from, to int) bool {
	switch {
	case x.quoted, c.quotes:
		return nil
	case c.vague, r.shared:
		return x.provesNoRetry // it must be why the command ended: words that say so little need that
	case c.Remedy != Retry || r.remedy != "" || r.sure:
		if len(x.reports) == 0 {
			return nil
		}
		said := c.tests && x.everyTestSays(r)
		return func(i, _, _ int) bool { return !said && x.tested(i) }
	case x.sure != nil, len(x.Tests) > 0:
		return func(_, _, _ int) bool { return true }
	}
	return x.provesNoRetry
}

// hasAll reports whether each word, in lower case, is somewhere in the lines.
func (x *facts) hasAll(words []string) bool {
	for _, w := range words {
		if !strings.Contains(x.rows.text, w) {
			return false
		}
	}
	return true
}

// tryCode tries a rule about a phase's status code. It trusts CodeBuild's own context and not the
// log, unless there is no context at all.
func (x *facts) tryCode(r *rule, found finding) (finding, bool) {
	if x.Context.Code != "" {
		switch {
		case !slices.Contains(r.code, x.Context.Code):
			return finding{}, false
		case r.says == nil:
			return found, true
		}
		return found, r.inContext(x, &found)
	}
	if x.quoted && r.says != nil {
		alone := *r
		alone.code = nil
		elsewhere := func(i, _, _ int) bool {
			return !slices.ContainsFunc(r.code, func(c string) bool {
				about, ok := aboutCode[c]
				return !ok || about.MatchString(x.bare[i])
			})
		}
		return found, x.search(&alone, 0, &found, elsewhere)
	}
	for _, code := range r.code {
		named := &rule{says: append([]string{lower(code)}, r.says...), not: r.not, like: r.like, first: r.first}
		if x.search(named, 0, &found, nil) {
			return found, true
		}
	}
	return finding{}, false
}

// aboutCode has, of codes whose rules say little, such as "does not exist", what a line without the
// code must speak of.
var aboutCode = map[string]*lazyregexp.Regexp{
	"YAML_FILE_ERROR":           lazyregexp.New(`(?i)ya?ml|buildspec`),
	"Decrypted Variables Error": lazyregexp.New(`(?i)\bparameters? (?:\S+ )?does not exist|ParameterNotFound`),
	"Secrets Manager Error":     lazyregexp.New(`(?i)secret|json ?key`),
	"VPC_CLIENT_ERROR":          lazyregexp.New(`(?i)\bvpc\b|subnet|network ?interface`),
}

// denial returns the denial that the rule is about: the last one, since that is the likeliest to
// have failed the command (AWS.md#failed-command); but one that states its effect before one that
// does not.
func (x *facts) denial(r *denialRule) (buildlog.Denial, bool) {
	n := -1
	for i := range x.causal {
		switch {
		case !r.matches(&x.causal[i]) || r.other && x.mayBeCured(&x.causal[i]):
			if r.every {
				return buildlog.Denial{}, false
			}
		case n < 0 || x.causal[i].Effect != buildlog.Unstated || x.causal[n].Effect == buildlog.Unstated:
			n = i
		}
	}
	if n < 0 {
		return buildlog.Denial{}, false
	}
	return x.causal[n], true
}

// denialEvidence is the message itself, or the whole line if the message names no action.
func (x *facts) denialEvidence(d *buildlog.Denial) Evidence {
	e := Evidence{d.Line, clip(d.Text, maxLineBytes), d.Origin}
	if d.Action != "" || d.Origin != buildlog.FromLog {
		return e
	}
	if i := x.line(d.Line); i >= 0 {
		e.Text = x.lines[i].Text
	}
	return e
}

// line returns the index of the line with number n, -1 if it is not there.
func (x *facts) line(n int) int {
	return slices.IndexFunc(x.lines, func(l buildlog.Line) bool { return l.N == n })
}

func (r *denialRule) matches(d *buildlog.Denial) bool {
	return (r.layer == nil || slices.Contains(r.layer, d.Layer)) &&
		(r.effect == nil || slices.Contains(r.effect, d.Effect)) &&
		(r.operation == nil || slices.Contains(r.operation, d.Operation)) &&
		(r.actions == nil || slices.Contains(r.actions, d.Action)) &&
		(!r.bare || d.Bare) &&
		(r.action == "" || (r.action == "known") == (d.Action != "")) &&
		r.matchesReason(d.Reason)
}

func (r *denialRule) matchesReason(reason string) bool {
	switch r.reason {
	case "":
		return true
	case "none", "given":
		return (r.reason == "given") == (reason != "")
	}
	return strings.Contains(lower(reason), r.reason)
}

// inContext tries the rule's words on the context.
func (r *rule) inContext(x *facts, found *finding) bool {
	if x.context == "" || r.says == nil || !r.onLine(lower(x.context), x.context, found) {
		return false
	}
	if found.denial == nil {
		found.evidence = x.contextEvidence()
	}
	return true
}

func (x *facts) contextEvidence() Evidence {
	return Evidence{Text: clip(x.Context.String(), maxLineBytes), Origin: buildlog.FromPhase}
}

// search tries the rule's words on the lines, but for those that skip, if not nil, leaves out: it
// is given the index of a line and where in it the words stand.
func (x *facts) search(r *rule, last int, found *finding, skip func(i, from, to int) bool) bool {
	i := x.searchLine(r, last, found, skip)
	if i < 0 {
		return false
	}
	if found.denial == nil {
		found.evidence = Evidence{x.lines[i].N, x.lines[i].Text, buildlog.FromLog}
	}
	return true
}

// searchLine returns the index of the line that holds the rule's words; -1 if none does.
func (x *facts) searchLine(r *rule, last int, found *finding, skip func(i, from, to int) bool) int {
	if !r.aboutLine() || !x.hasAll(r.also) {
		return -1
	}
	lo := 0
	if end := cmp.Or(x.end, len(x.lines)); last > 0 && last < end {
		lo = end - last
	}
	counts := func(i, from, to int) bool {
		return (x.doubts == nil || !x.doubts(x.lines[i].N)) &&
			(r.sure || x.quoted || !x.survivedRefusal(i) || x.lax && x.overtakenRefusal(i)) && (skip == nil || !skip(i, from, to))
	}
	if r.aws != nil {
		return x.answered(r, lo, found, func(e *awsError) bool { return counts(e.line, e.from, e.to) })
	}
	for _, i := range x.holding(r.says[0], lo, r.first) {
		var f finding
		low := x.rows.low(i)
		at := strings.Index(low, r.says[0])
		if r.onLine(low, x.bare[i], &f) && counts(i, at, at+len(r.says[0])) {
			if f.details != nil {
				found.details = f.details
			}
			return i
		}
	}
	return -1
}

// holding returns the indices, from lo, of the lines that hold word, which is in lower case: the
// last first, unless forward.
func (x *facts) holding(word string, lo int, forward bool) (list []int) {
	if x.rows.grams.lacks(word) {
		return nil
	}
	x.rows.holding(word, lo, func(i int) { list = append(list, i) })
	if !forward {
		slices.Reverse(list)
	}
	return list
}

// onLine tries the rule's words on one line, given in lower case too, and records the named groups.
func (r *rule) onLine(low, line string, found *finding) bool {
	for _, w := range r.says {
		if !strings.Contains(low, w) {
			return false
		}
	}
	for _, w := range r.not {
		if strings.Contains(low, w) {
			return false
		}
	}
	return r.like == nil || r.like.on(line, found)
}

// on tries the expression on a text, and records the named groups.
func (p *pattern) on(text string, found *finding) bool {
	re := p.regexp()
	m := re.FindStringSubmatch(text)
	if m == nil {
		return false
	}
	for i, name := range re.SubexpNames() {
		if name != "" && m[i] != "" {
			if found.details == nil {
				found.details = map[string]string{}
			}
			found.details[name] = clip(m[i], 256)
		}
	}
	return true
}

// lower returns s with ASCII letters in lower case; its length is the same.
func lower(s string) string {
	if strings.IndexFunc(s, func(r rune) bool { return 'A' <= r && r <= 'Z' }) < 0 {
		return s
	}
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] += 'a' - 'A'
		}
	}
	return string(b)
}

// clip cuts s to at most n bytes at a character's boundary.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

package diagnose

import (
	"slices"
	"strconv"
	"strings"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

// The model of evidence. A denied access in the output of the failed command is a claim; whether
// it is why the command ended is concluded from questions, each with a table of signs in signs.go:
//
//   - Who speaks? A program that met a refusal, or one that shows text: a test report, a compiler
//     that quotes a line, a shell trace, a diff, a help page, a document.
//   - Whose denial is it? This build's own session, nobody's (AWS or the tool names none),
//     somebody else's.
//   - Was it survived? The program says that it goes on, or the same thing succeeded later.
//   - Is there a rival: another failure that is sure (a rule with sure in causes.yaml), such as a
//     compiler's error? No denied access explains one.
//   - Does the output end with it? Behind it stand only lines with which tools and scripts close.
//   - What does the exit status say, and is it a side matter of the command?
//
// findings puts the answers together. Only a claim that explains the failure stays causal, and
// only a causal one may bring in a grant. The lines of causes whose remedy is to start the build
// again are judged the same way.

// The findings.
const (
	Explains  = "explains"  // it is why the command ended
	Elsewhere = "elsewhere" // not printed by the failed command
	Shown     = "shown"     // text that the command shows, of nobody that is certainly the build
	Tolerated = "tolerated" // the command went on after it
	Contested = "contested" // another failure of the same command is sure
	Overtaken = "overtaken" // the command ended with another error
	Foreign   = "foreign"   // nobody is named, and the command may have acted as somebody else
)

// A Finding is one of the findings, for people.
type Finding struct {
	Name    string
	Meaning string // completes "AWS denied X, but …", or "…, and …" for explains
	Example string
	Change  string // what a person can do about it
}

// Findings lists every finding.
var Findings = []Finding{
	{Explains, "it is why the command ended", "An error occurred (AccessDenied) when calling the PutObject operation: Access Denied",
		"Whether the permission is given is for the guardrails and the settings to say."},
	{Elsewhere, "it was printed outside the command that failed, or as a warning",
		"A command of an earlier phase printed it and passed; or a finally block did, after the build had failed.",
		"Nothing is granted for it. If the command needs the permission, let it fail when it is denied: set -e, no || true."},
	{Shown, "it is text that the command shows, and not certainly a refusal that it met",
		"- An error occurred (AccessDenied) when calling the PutObject operation: see the manual",
		"Nothing is granted for it: a test, a compiler, a help page, a diff or a document prints such texts. AWS's own sentence with " +
			"this build's session counts wherever it stands."},
	{Tolerated, "the command went on after it", "could not write the cache: AccessDenied: Access Denied, going on without it",
		"Look for what failed later. To have such a permission added, let the command end when it is denied."},
	{Contested, "the same command shows another failure that a denied access does not explain",
		"src/cart.ts(3,1): error TS2322: Type 'string' is not assignable to type 'number'.",
		"Cure the other failure. If the permission is still missing, the next build fails for it alone, and it is added then."},
	{Foreign, "it names nobody, and the command may have acted as somebody else than the build's role",
		"assumed arn:aws:iam::444455556666:role/publisher, then: " +
			"An error occurred (AccessDenied) when calling the PutObject operation: Access Denied",
		"A permission of the build's role does not help the other role: give it there."},
	{Overtaken, "the command went on and ended with another error", "upload failed: ./report.xml …, then: ❌ owner web is not a member",
		"Cure the last error. To have the permission added, let the command end when it is denied, or do it in a command of its own."},
}

// Meaning returns what the finding means, "" if there is no such finding.
func Meaning(finding string) string {
	for i := range Findings {
		if Findings[i].Name == finding {
			return Findings[i].Meaning
		}
	}
	return ""
}

// Signs lists, in the order in which they are tried, who may speak a line besides a tool, or how a
// command shows that it went on, each name once.
func Signs() (whoSpeaks, wentOn []string) {
	for _, list := range []struct {
		signs []sign
		names *[]string
	}{{speakers, &whoSpeaks}, {survivals, &wentOn}} {
		for i := range list.signs {
			if n := list.signs[i].name; !slices.Contains(*list.names, n) {
				*list.names = append(*list.names, n)
			}
		}
	}
	return whoSpeaks, append(wentOn, succeededLater)
}

// succeededLater is the sign that the same thing was done after all.
const succeededLater = "succeeded-later"

// The answers to whose denial it is.
const (
	whoseOwn          = "own"
	whoseUnattributed = "unattributed"
	whoseAnother      = "another"
)

// tool is the speaker of a line that no sign gives to another.
const tool = "tool"

// A weighing is what the questions about one line gave.
type weighing struct {
	speaker  string
	shows    bool   // the speaker shows texts rather than meeting refusals
	whose    string // "" for a line that is no denial
	survived string
	process  string // the one of several processes whose line it is
	alone    bool   // the output says that this process failed
	aside    bool   // the line is about a side matter: a cache, a report, metrics
	foreign  bool   // the command may have acted as somebody else
	// others are the indices of the lines behind the last denial that are about something else.
	others    []int
	shared    []string // names of what was denied
	about     []string // words for what was denied
	text      string   // what the claim says
	elsewhere bool     // another of several processes or jobs is the one that failed
	killed    bool     // the build timed out, or a signal ended the command
	side      bool     // what was denied is a side matter by its action or resource
	notCLI    bool     // the exit status is none that the AWS CLI has, whose line it is
	ended     bool     // the exit status says that it is what ended the command
	outside   bool     // the report of a failed test run or check does not hold the line
	earlier   int      // index of an earlier error that does not belong to the line's own message; -1
	reads     bool     // what was refused should have given something, so a later line may miss it
	rival     *sureFailure
	test      int    // the line of a test that failed of something else; 0 if there is none
	service   string // the action's; "" if none is named
	makes     bool   // what was denied makes something
	undoes    bool   // what was denied takes something away, as a trap does
	quoted    bool   // the command itself has the text
	over      bool   // something was written over the claim, and its line shows that
	unframed  bool   // only tests ran, none is reported, and the runner does not say that the line is none's
}

// findings are tried in order; the first whose condition holds is the finding.
var findings = []struct {
	finding string
	holds   func(w *weighing) bool
}{
	{Shown, func(w *weighing) bool { return w.shows && w.whose != whoseOwn }},
	{Shown, func(w *weighing) bool { return w.unframed }},
	{Foreign, func(w *weighing) bool { return w.foreign && w.whose == whoseUnattributed }},
	{Overtaken, func(w *weighing) bool { return w.killed }},
	{Tolerated, func(w *weighing) bool { return w.survived != "" }},
	{Explains, func(w *weighing) bool { return w.ended }},
	{Contested, func(w *weighing) bool { return w.rival != nil || w.outside }},
	{Contested, func(w *weighing) bool { return w.test > 0 }},
	{Contested, func(w *weighing) bool { return w.earlier >= 0 }},
	{Overtaken, func(w *weighing) bool { return w.notCLI || w.elsewhere || len(w.others) > 0 }},
	{Explains, func(*weighing) bool { return true }},
}

func (w *weighing) finding() string {
	for _, f := range findings {
		if f.holds(w) {
			return f.finding
		}
	}
	return Explains
}

// weigh judges every denial. Those that do not explain the failure are no longer causal.
func (x *facts) weigh(causes []Cause) {
	x.denials = slices.Clone(x.Denials)
	x.sure = x.findSure(causes)
	x.findReport(causes)
	quoting := x.quotes(causes)
	own := slices.ContainsFunc(x.denials, func(d buildlog.Denial) bool { return d.Causal && !x.quotable(d) })
	for i := range x.denials {
		d := &x.denials[i]
		if !d.Causal {
			d.Verdict = buildlog.Verdict{Finding: Elsewhere, Whose: x.attribution(d)}
			continue
		}
		w := x.weighDenial(d)
		// A failing test or a linter prints texts about others. If one of them is the build's
		// own, all stay: one that no policy cures withholds the grant.
		// Where CodeBuild's own report names failed tests, the same holds for all that is not
		// certainly the build's own: the output may not show where a test speaks.
		if (quoting && !own || len(x.Tests) > 0 && d.Origin == buildlog.FromLog) && !w.shows {
			w.speaker, w.shows = "test", true
		}
		v := buildlog.Verdict{Finding: w.finding(), Speaker: w.speaker, Whose: w.whose, Survived: w.survived}
		switch {
		case v.Finding == Contested && w.rival != nil:
			v.Rival, v.RivalLine = w.rival.cause, w.rival.line
		case v.Finding == Contested && w.outside:
			v.RivalLine = x.lines[x.summary].N
		case v.Finding == Contested && w.test > 0:
			v.RivalLine = w.test
		case v.Finding == Contested:
			v.RivalLine = x.lines[w.earlier].N
		case v.Finding == Overtaken && len(w.others) > 0:
			v.RivalLine = x.lines[x.worst(w.others)].N
		}
		d.Verdict = v
		if v.Finding == Explains {
			x.causal = append(x.causal, *d)
			continue
		}
		d.Causal = false
		x.aside = append(x.aside, *d)
	}
}

// attribution says whose denial d is.
func (x *facts) attribution(d *buildlog.Denial) string {
	switch {
	case x.whose(d) != perhapsOurs:
		return whoseAnother
	case d.Principal != "" && d.Subject == "" && x.ownSession(d):
		return whoseOwn
	}
	return whoseUnattributed
}

// ownSession reports whether d names this build's session. Without a build record, a session that
// CodeBuild has named counts.
func (x *facts) ownSession(d *buildlog.Denial) bool {
	_, _, session := d.Owner()
	if x.Build.UUID() != "" {
		return session == x.Build.Session()
	}
	return strings.HasPrefix(session, "AWSCodeBuild-")
}

// weighDenial answers the questions about a denial of the failed command.
func (x *facts) weighDenial(d *buildlog.Denial) weighing {
	w := weighing{speaker: tool, whose: x.attribution(d), earlier: -1}
	if d.Origin != buildlog.FromLog {
		w.speaker = "codebuild"
		return w
	}
	w.rival, w.reads = x.sure, reads(d)
	w.test = x.unexplainedTest(d)
	w.service, _, _ = strings.Cut(d.Action, ":")
	w.makes, w.undoes = making.MatchString(d.Action), undoing.MatchString(d.Action)
	w.killed = slices.Contains(x.statuses, codebuild.TimedOut) || killedStatus(x.Exit)
	i := x.line(d.Line)
	if i < 0 {
		return w // too far before the end for its surroundings to be known
	}
	first := x.weighAt(w, d, i)
	if last := x.lastOf(d); last > i && first.finding() != Explains {
		if w = x.weighAt(w, d, last); w.finding() == Explains {
			return w // it was survived, tried again, and then was not
		}
	}
	return first
}

// killedStatus reports whether a command with the exit status was ended by timeout(1), 124, or by a
// signal, 128 and its number: what it had said before is no reason. SIGILL, SIGTRAP and SIGABRT are how
// Swift and .NET end a program for an exception that nobody catches.
func killedStatus(exit string) bool {
	n, err := strconv.Atoi(exit)
	return err == nil && (n == 124 || n > 128 && n <= 128+64 && (n < 132 || n > 134))
}

// weighAt answers the questions about the denial in the line with index i.
func (x *facts) weighAt(w weighing, d *buildlog.Denial, i int) weighing {
	w.side = sideAction.MatchString(d.Action) || sideTarget.MatchString(d.Resource)
	w.foreign, w.about, w.shared, w.text = x.tookRole(i), x.aboutWords(d, i), names(d), d.Text+" "+d.Action+" "+d.Resource
	before, after := around(x.bare[i], d.Text)
	w.quoted = len(d.Text) >= minText && strings.Contains(x.Command, wholeClaim(d))
	w.over = d.Over && !slices.ContainsFunc(x.denials, func(o buildlog.Denial) bool {
		return o.Line == d.Line && (!o.Over || strings.Contains(x.bare[i], clip(o.Text, minText)))
	})
	x.weighLine(&w, i, before, after)
	if x.missed(d, i) {
		w.survived, w.others = "", nil
	}
	if w.survived == "" && x.rows.match(cliLine, i) && buildlog.Ignored(x.Command, d) {
		w.survived = "ignored"
	}
	return w
}

// lastOf returns the index of the last line that holds the denial's text; -1 if there is none.
func (x *facts) lastOf(d *buildlog.Denial) int {
	text := wholeClaim(d)
	if len(text) < minText {
		return -1
	}
	escaped := strings.ReplaceAll(text, `"`, `\"`) // as in a record or a structure that a program prints
	for i := len(x.bare) - 1; i >= 0; i-- {
		if strings.Contains(x.bare[i], text) || strings.Contains(x.bare[i], escaped) {
			return i
		}
	}
	return -1
}

// weighLine answers the questions about the line with index i. before and after stand around the
// claim in it.
func (x *facts) weighLine(w *weighing, i int, before, after string) {
	w.speaker = tool
	for k := range speakers {
		if s := &speakers[k]; s.holds(x, i, before, after) {
			w.speaker, w.shows = s.name, true
			break
		}
	}
	if !w.shows && (x.tested(i) || x.onlyRuns && !strings.HasPrefix(x.bare[i], "npm ")) { // npx installs first
		w.speaker, w.shows = "test", true
		w.unframed = x.onlyRuns && len(x.reports) == 0 && !x.outsideTests(i)
	}
	if !w.shows && (w.quoted || x.onlyShows()) {
		w.speaker, w.shows = "document", true
	}
	for k := range survivals {
		if s := &survivals[k]; s.holds(x, i, before, after) {
			w.survived = s.name
			break
		}
	}
	if w.survived == "" && x.repeated(i) {
		w.survived = succeededLater
	}
	w.aside = x.rows.may(sideMatter, i) && sideMatter.MatchString(withScheme.ReplaceAllString(before, " "))
	w.aside = w.aside || i > 0 && x.rows.match(savesSideMatter, i-1) || w.side || x.rows.match(sideHost, i)
	if sideMatter.MatchString(x.Command) {
		w.aside = false // it is what the command is for
	}
	if w.process = x.process(i); w.process != "" {
		failed, this := x.failedProcess(i, w.process)
		w.elsewhere, w.alone = failed && !this || x.failedFirst(i, w.process), this
	}
	w.elsewhere = w.elsewhere || x.anotherJob(i)
	w.earlier = x.earlierError(i, w)
	if w.earlier < 0 && x.rows.may(complainsFirst, i) && complainsFirst.MatchString(before) {
		w.earlier = i
	}
	w.others, w.outside = x.otherWork(i, w), x.outsideReport(i)
	w.ended = x.endedByCLI(i, w)
	w.notCLI = x.Exit != "" && !w.reads && x.rows.match(cliLine, i) && !slices.Contains(cliStatuses, x.Exit)
}

// onlyShows reports whether the command only prints or searches text: it asks nothing of AWS.
func (x *facts) onlyShows() bool { return showCommand.MatchString(x.Command) }

// showCommand matches a command of which each part prints, searches or compares text, or ends.
var showCommand = lazyregexp.New(`^\s*(?:(?:echo|printf|cat|zcat|[ef]?grep|rg|head|tail|sed|awk|sort|uniq|wc|cut|tr|column|jq|diff|` +
	`cmp|find|ls|` +
	`git (?:log|show|diff|grep|blame|tag)|test|\[|exit|true|false|sleep|set)\b(?:[^;&|\n$` + "`" + `]|\$[^(])*(?:;|&&|\|\|?|\n|$)\s*)+$`)

// A sureFailure is the first line that proves another failure of the command.
type sureFailure struct {
	cause string
	line  int
}

// findSure finds a line that proves a failure which no denied access explains. Lines that are
// shown, or survived, prove none.
func (x *facts) findSure(causes []Cause) *sureFailure {
	for i := range causes {
		c := &causes[i]
		for j := range c.rules {
			r := &c.rules[j]
			if !r.sure || !x.recorded(&c.when) || !x.conditions(r) {
				continue
			}
			var f finding
			if n := x.searchLine(r, c.last, &f, x.provesNone); n >= 0 {
				return &sureFailure{c.Name, x.lines[n].N}
			}
		}
	}
	for i := range x.bare {
		if x.raw.match(finds, i) && !x.raw.match(mildFinding, i) && !x.provesNone(i, 0, 0) {
			return &sureFailure{unnamedCause, x.lines[i].N}
		}
	}
	return nil
}

// unnamedCause is the rival's cause where a line proves a failure that no rule names.
const unnamedCause = "command-failed"

// provesNone reports whether the line with index i proves no failure, whatever its words: it holds
// a denial, or the command went on after it.
func (x *facts) provesNone(i, _, _ int) bool { return x.proveNone.get(len(x.bare), i, x.findNone) }

func (x *facts) findNone(i int) bool {
	if x.denied(i) {
		return true
	}
	before, after := clip(x.bare[i], 24), "" // the level that a logger prints, not the message
	for k := range speakers {
		if s := &speakers[k]; s.hearsay && s.holds(x, i, before, after) {
			return true
		}
	}
	for k := range survivals {
		if s := &survivals[k]; !s.denials && s.holds(x, i, before, after) {
			return true
		}
	}
	return false
}

// provesNoRetry reports whether the line with index i, in which the words of a cause stand
// from one byte to another, does not show that the failure will pass: it is shown, survived, or
// overtaken by another error.
func (x *facts) provesNoRetry(i, from, to int) bool {
	w := weighing{earlier: -1, reads: true}
	x.weighLine(&w, i, x.bare[i][:from], x.bare[i][to:])
	w.others = slices.DeleteFunc(w.others, x.passing)
	if w.shows || w.survived != "" || w.outside || w.elsewhere || w.earlier >= 0 && !x.passing(w.earlier) {
		return true
	}
	if x.lax {
		return strength(x.lines[i].Text, x.bare[i]) <= buildlog.Consequence
	}
	return len(w.others) > 0 || x.ownHost(i) || x.rows.match(bareName, i)
}

// ownHost reports whether the line with index i is about an address of the machine itself: what did
// not answer there is the build's own, and does not answer the next time either. At port 53, there is
// what asks other name servers.
func (x *facts) ownHost(i int) bool {
	text := x.bare[i]
	for _, m := range loopback.Get().FindAllStringSubmatchIndex(text, -1) {
		from := m[2] >= 0 && strings.HasPrefix(text[m[3]:], "->") // it called from there
		if !from && (m[2] < 0 || text[m[2]:m[3]] != "53") {
			return true
		}
	}
	return false
}

var (
	loopback = lazyregexp.New(`(?i)(?:^|[^\w.:\[-])(?:127\.\d+\.\d+\.\d+|localhost|\[::1\])(?::(\d+)|/| port |', port=)`)
	// bareName is a host's name without a dot, which no name server outside knows: a container's.
	bareName = lazyregexp.New(`(?i)(?:\bEAI_AGAIN |\bresolve host: |\bdial tcp: lookup )["']?[a-z0-9_-]+["']?(?:[\s,;:]|$)`)
)

// around returns what stands in a line before and after the claim that begins with text; all of
// the line stands before if the text is not found in it or "".
func around(line, text string) (before, after string) {
	words := strings.Fields(text)
	for n := min(len(words), 6); n > 0; n-- {
		start := strings.Join(words[:n], " ")
		if len(start) < 8 && n < len(words) {
			break
		}
		if k := strings.Index(line, start); k >= 0 {
			rest := line[k+len(start):]
			if end := strings.Join(words[max(0, len(words)-3):], " "); len(words) > n {
				if e := strings.Index(rest, end); e >= 0 {
					rest = rest[e+len(end):]
				}
			}
			return line[:k], rest
		}
	}
	return line, line
}

// repeated reports whether a later line says that what the line with index i could not do has
// succeeded: it names the same object of S3, or comes after the announcement of another try.
func (x *facts) repeated(i int) bool {
	target := objectURL.FindString(x.bare[i])
	tried, done := false, false
	succeeded, announced := x.rows.of(success), x.rows.of(again)
	for k := i + 1; k < len(x.bare); k++ {
		switch {
		case x.denied(k):
			tried, done = false, false // this try was refused as well
		case succeeded.at(k) && !x.rows.match(strongError, k) && !x.rows.match(unsuccessful, k) &&
			(tried || target != "" && slices.Contains(objectURL.Get().FindAllString(x.bare[k], -1), target)):
			done = true
		case announced.at(k):
			tried = true
			done = done || x.rows.match(didNow, k) && !x.rows.match(strongError, k) && !x.rows.match(unsuccessful, k)
		}
	}
	return done
}

// missed reports whether what the program went on without is what it then lacked: a denied token,
// and a registry that asks for one.
func (x *facts) missed(d *buildlog.Denial, i int) bool {
	token := strings.HasSuffix(d.Action, ":GetAuthorizationToken") || d.Action == "sts:GetServiceBearerToken"
	return token && x.rows.anyAfter(lacksToken, i) && !x.rows.anyAfter(indexAnswers, i)
}

// makeShows matches a command of the AWS CLI that make shows when it begins it: what stands above has passed.
var makeShows = lazyregexp.New(`^aws [a-z][a-z0-9-]+ [a-z]`)

// indexAnswers matches what pip says of a package that it has found: the index has asked for no token.
var indexAnswers = lazyregexp.New(`\(from versions: \d`)

// tookRole reports whether the build's record, a line above the one with index i, or the command says
// that another role than the build's was taken.
func (x *facts) tookRole(i int) bool {
	if x.Build.OtherCredentials || x.TookRole || x.takesRole(x.Command) {
		return true
	}
	says, acts := x.rows.of(assumed), x.rows.of(actsAs)
	for k := max(0, i-200); k < i; k++ {
		if (says.at(k) || acts.at(k)) && x.takeRole.get(len(x.bare), k, func(k int) bool { return x.takesRole(x.bare[k]) }) {
			return true
		}
	}
	return x.traced(i)
}

// traced reports whether the last command that a shell or make shows above the line with index i, or
// one that sets a variable for all, brings credentials of its own.
func (x *facts) traced(i int) bool {
	shows, last := x.raw.of(showsCommand), true
	for k := i - 1; k >= 0 && k >= i-200; k-- {
		if !shows.at(k) {
			continue
		}
		m := showsCommand.FindStringSubmatch(x.lines[k].Text)
		if command := m[1] + m[2]; (last || setsVariable.MatchString(command)) && buildlog.OtherCredentials(command) != "" {
			return true
		}
		last = false
	}
	return false
}

// takesRole reports whether a line says that another role than the build's was assumed.
func (x *facts) takesRole(line string) bool {
	own, _ := x.Build.Role()
	name := ""
	if m := assumed.FindStringSubmatch(line); m != nil {
		name = m[1] + m[2]
	} else if m = actsAs.FindStringSubmatch(line); m != nil {
		name = strings.Trim(strings.Join(m[1:], ""), ".,")
	}
	return name != "" && name != own.Name && name != own.Account && name != "default" && !strings.Contains(line, "/AWSCodeBuild-") &&
		!notAssumed.MatchString(line)
}

// reads reports whether the denied call should have given something.
func reads(d *buildlog.Denial) bool {
	_, name, _ := strings.Cut(d.Action, ":")
	if name == "" {
		name = d.Operation
	}
	return name == "" || slices.ContainsFunc([]string{"Get", "List", "Describe", "Batch", "Head", "Assume", "Decrypt", "Read", "Query",
		"Scan", "Lookup", "Search", "GitPull"}, func(verb string) bool { return strings.HasPrefix(name, verb) })
}

// ownMessage is how many lines above a refusal the head of the same message may stand.
const ownMessage = 10

// formsBefore ask, in this order, for an earlier error that the form shows in which it stands above the line
// with index i. Each returns the index of its line, -1 if there is none.
var formsBefore = []func(x *facts, i int, w *weighing) int{
	(*facts).tidiesAfter, (*facts).thrownBefore, (*facts).failedHost, (*facts).handled, (*facts).recordBefore, (*facts).rowBefore,
	(*facts).inDiff,
}

// earlierError returns the index of the last error before the line with index i that is not part
// of the same message; -1 if there is none. A command that keeps a report after an error fails for
// that error, so before a side matter whatever is no work counts.
func (x *facts) earlierError(i int, w *weighing) int {
	shared, k := tokens(x.bare[i]), x.fieldsStart(i)-1
	if (w.aside || x.silent(i)) && !x.inException(i) {
		known := x.wordsOf(i, w)
		for ; k >= 0 && k >= i-ownMessage && !x.rows.match(makeShows, k); k-- {
			if x.worry(k, known) && !x.probes(k, w) {
				return k
			}
		}
	}
	for _, before := range formsBefore {
		if n := before(x, i, w); n >= 0 {
			return n
		}
	}
	first := x.traceback(i)
	if first > 0 && x.tested(first-1) {
		first = -1 // the head of a test's report stands above it
	}
	if first >= 0 {
		k = first - 2 // the line right above belongs to it
	}
	message := k // the AWS CLI's own message begins with its line, so what a script says further above is no head of it
	for n := 0; first < 0 && k >= 0 && n < ownMessage && !x.rows.match(work, k); k, n = k-1, n+1 {
	}
	for n := message - 1; n > k && x.raw.match(cliLine, i); n-- {
		if !x.denied(n) && !x.probes(n, w) && x.anotherError(n, scriptError, shared, w) && !x.provesNone(n, 0, 0) {
			return n
		}
	}
	for ; k >= 0; k-- {
		if !x.denied(k) && !x.rows.match(calm, k) && !x.probes(k, w) && (x.anotherError(k, headError, shared, w) ||
			x.anotherError(k, scriptError, shared, w) || x.logsError(k) && x.anotherError(k, anything, shared, w) ||
			w.whose != whoseOwn && x.anotherError(k, strongError, shared, w)) && !x.provesNone(k, 0, 0) {
			return k
		}
	}
	if x.aggregates(i) {
		return i
	}
	for k = range i {
		if (x.otherBox(k) && x.anotherError(k, headError, w.shared, w) || x.otherEvent(k) || x.otherRow(k)) && !x.probes(k, w) {
			return k
		}
	}
	if k = x.checkFound(i); k >= 0 {
		return k
	}
	return x.failedBefore(i, w)
}

// tidiesAfter returns the index of the line that is why a program or a script took something away, and was
// refused: what a trap, a defer or a finally does says nothing of what it does it after; -1 if there is none.
func (x *facts) tidiesAfter(i int, w *weighing) int {
	if !w.undoes {
		return -1
	}
	k := x.messageStart(i) - 1
	for k > 0 && strings.TrimSpace(x.bare[k]) == "" {
		k--
	}
	plain := k >= 0 && x.worry(k, x.wordsOf(i, w)) && !x.probes(k, w) && !x.sameThing(k, w)
	if plain && (x.rows.match(cliError, i) || x.rows.match(complains, k)) {
		return k
	}
	return -1
}

// inDiff returns the index of the line by which the one with index i is part of a difference between texts,
// which is a failure by itself; -1 if it is part of none.
func (x *facts) inDiff(i int, _ *weighing) int {
	if !x.raw.match(diffLine, i) {
		return -1
	}
	for k := i - 1; k >= 0 && k > i-maxDiff; k-- {
		switch {
		case x.raw.match(diffHunk, k):
			return k
		case !x.raw.match(diffText, k):
			return -1
		}
	}
	return -1
}

// rowBefore returns the index of another row, above the one with index i, of a table of suites or steps, by which
// something else failed; -1 if there is none.
func (x *facts) rowBefore(i int, _ *weighing) int {
	for k := i - 1; k >= 0 && x.raw.match(stateRow, i) && x.raw.match(anyRow, k); k-- {
		if x.raw.match(stateRow, k) && !x.denied(k) {
			return k
		}
	}
	return -1
}

var (
	// stateRow matches a row of a table of suites or steps that says that one failed, and anyRow any row of one.
	stateRow = lazyregexp.New(`^\s*[\w.@/:-]+ {2,}\W*(?i:fail(?:ed|ure)?|errors?|red)\b`)
	anyRow   = lazyregexp.New(`^\s*[\w.@/:-]+ {2,}\S`)
)

// maxDiff is how many lines of one part of a difference are looked at.
const maxDiff = 200

var (
	diffLine = lazyregexp.New(`^[-+<>]`)
	diffText = lazyregexp.New(`^(?:[-+<> \\]|$)`)
	diffHunk = lazyregexp.New(`^@@ -\d|^\d+(?:,\d+)?[acd]\d+(?:,\d+)?$`)
)

// recordBefore returns the index of the last error that a logger wrote above the one in the line with index
// i, and that says something else; -1 if there is none. A record is a message of its own.
func (x *facts) recordBefore(i int, w *weighing) int {
	if !x.logsError(i) {
		return -1
	}
	known := x.wordsOf(i, w)
	for k := i - 1; k >= 0; k-- {
		if x.logsError(k) && !x.denied(k) && !x.nothingNew(k, known) && !x.probes(k, w) && !x.sameThing(k, w) &&
			x.anotherError(k, anything, nil, w) && !x.provesNone(k, 0, 0) {
			return k
		}
	}
	return -1
}

// logsError reports whether the line with index i is one that a logger wrote, with the level of errors.
func (x *facts) logsError(i int) bool { return x.raw.match(loggedError, i) }

// names are those of what was denied, without such as stand in many lines.
func names(d *buildlog.Denial) []string {
	text, _, _ := strings.Cut(d.Text, "User: ")
	return slices.DeleteFunc(tokens(d.Resource+" "+text), func(s string) bool { return commonName.MatchString(s) })
}

var commonName = lazyregexp.New(`^([a-z]{2}-[a-z]+-\d|\d{12}|(identity|resource)-based|amazonaws\.com)$`)

// worst returns the last of the lines that says that something is wrong, else the first.
func (x *facts) worst(list []int) int {
	for _, k := range slices.Backward(list) {
		if x.rows.match(strongError, k) {
			return k
		}
	}
	return list[0]
}

// endedByCLI reports whether the line with index i is the AWS CLI's report of an error of the
// service, its last one, and the command, or make behind it, ended with the exit status that the CLI
// then has (AWS.md#cli-exit). 255 is that of other programs too, so nothing else may stand behind it.
func (x *facts) endedByCLI(i int, w *weighing) bool {
	if !x.rows.match(cliError, i) {
		return false
	}
	for k := i + 1; k < len(x.bare); k++ {
		if x.rows.match(cliError, k) && !x.denied(k) {
			return false
		}
	}
	if oneCLI.MatchString(x.Command) {
		for k := range i {
			if x.rows.match(cliError, k) && !x.denied(k) {
				return false // one call has one error
			}
		}
	}
	// Under set -e a trap on EXIT whose call is refused gives the shell that status too, so a failure
	// above the line may be the one that ended it, unless the command itself ends with the call.
	alone := x.sure == nil && w.earlier < 0 && !slices.ContainsFunc(w.others, func(k int) bool {
		return k > i && x.anotherError(k, headError, w.shared, w)
	})
	if alone && len(w.others) > 0 && program.MatchString(x.Command) {
		alone = false // it goes on behind the call, and ends with a status of its own
	}
	if x.Exit == "254" && (alone || lastCLI.MatchString(x.Command)) || x.Exit == "255" && x.sure == nil && len(w.others) == 0 {
		return true
	}
	k := x.frameEnd(i) + 1
	if k >= len(x.bare) || !x.rows.match(cliExit, k) || x.sure != nil || w.earlier >= 0 {
		return false
	}
	for k++; k < len(x.bare); k++ {
		if l := x.bare[k]; strings.TrimSpace(l) != "" && !strings.HasPrefix(l, "make") {
			return false // make was not the last to speak
		}
	}
	return true
}

var (
	// oneCLI matches a command that is one call of the AWS CLI, and lastCLI one that ends with a call.
	oneCLI  = lazyregexp.New(`^\s*aws [^;&|$\n` + "`" + `]*$`)
	lastCLI = lazyregexp.New(`(?:^|&&|;|\n)\s*aws [^;&|\n]*$`)
	// program matches a command that no shell runs, which hands on no status unless it means to.
	program = lazyregexp.New(`(?:^|&&|;|\n)\s*(?:python[\d.]*|node|deno|bun|ruby|php|perl|java|dotnet|go run|` +
		`Rscript|elixir|mix) [^;&|\n]*$`)
)

// silent reports whether the line with index i is the AWS CLI's report of an error of the service,
// which has an empty line in front of it, nothing stands behind it, and the exit status is not the
// CLI's: what started the CLI may have ended for it, or for something that it does not say.
func (x *facts) silent(i int) bool {
	return x.Exit != "" && x.rows.match(cliError, i) && !slices.Contains([]string{"252", "253", "254", "255"}, x.Exit) &&
		i > 0 && strings.TrimSpace(x.bare[i-1]) == "" && x.frameEnd(i) == len(x.bare)-1
}

// cliStatuses are the exit statuses of the AWS CLI after an error, and of what starts it: make,
// xargs, Task.
var cliStatuses = []string{"1", "2", "123", "201", "252", "253", "254", "255"}

// inException reports whether the line with index i is part of an exception: others may wrap it.
func (x *facts) inException(i int) bool {
	for k := i; k >= 0 && k >= i-40; k-- {
		if x.rows.match(thrown, k) {
			return true
		}
		if k < i && !x.raw.match(frameLine, k) && !x.rows.match(exception, k) {
			return false
		}
	}
	return false
}

// maxTraceback bounds the lines of one message with its tracebacks.
const maxTraceback = 300

// traceback returns the index of the first line of the first of Python's tracebacks that lead to the
// exception at index i; -1 if there is none. What stands right above it is how Python's logging begins
// such a message.
func (x *facts) traceback(i int) int {
	first, joined := -1, false // joined: the exception above led to the one below
	for k := x.treeHead(i) - 1; k >= 0 && k > i-maxTraceback; k-- {
		switch l := x.lines[k].Text; {
		case strings.HasPrefix(x.bare[k], "Traceback (most recent call last)"):
			first, joined = k, false
		case x.rows.match(chains, k):
			joined = true
		case l == "", l[0] == ' ', joined && x.rows.match(exception, k):
		default:
			return first
		}
	}
	return first
}

// treeHead returns the index of the head of the tree of causes whose last one is in the line with index i, as
// miette draws it for programs in Rust: each is what the one above it came of. Else it returns i.
func (x *facts) treeHead(i int) int {
	if !x.raw.match(lastCause, i) {
		return i
	}
	for k := i - 1; k >= 0 && k > i-maxBox; k-- {
		if !x.raw.match(treeLine, k) {
			return k
		}
	}
	return i
}

var (
	lastCause = lazyregexp.New("^\\s*(?:`->|╰─[▶>])\\s")
	treeLine  = lazyregexp.New(`^\s*(?:\||│|├─[▶>])`)
)

// handled returns the index of an exception that a Python program met before the one at index i, and
// that it was about to handle: what it failed of, if it only wanted to tell somebody; -1 if there is
// none, or it only looked for something that was not there.
func (x *facts) handled(i int, _ *weighing) int {
	first := x.traceback(i)
	for n := first + 1; first >= 0 && n < i; n++ {
		if !x.rows.match(whileHandling, n) {
			continue
		}
		k := n - 1
		for k > first && strings.TrimSpace(x.bare[k]) == "" {
			k--
		}
		for k > first && x.lines[k-1].Text != "" && x.lines[k-1].Text[0] != ' ' {
			k-- // its message may have several lines
		}
		if !x.denied(k) && !x.refuses(k) && !x.rows.match(askedFor, k) {
			return k
		}
	}
	return -1
}

// failedHost returns the index of the line by which a task of Ansible failed on the host of the one in the line
// with index i, before it: only what always runs comes behind the first; -1 if there is none.
func (x *facts) failedHost(i int, _ *weighing) int {
	if !x.rows.match(ansibleFatal, i) {
		return -1
	}
	host := ansibleFatal.FindString(x.bare[i])
	for k := i - 1; k >= 0; k-- {
		if strings.HasPrefix(x.bare[k], host) && !x.denied(k) && !x.provesNone(k, 0, 0) {
			return k
		}
	}
	return -1
}

var ansibleFatal = lazyregexp.New(`^fatal: \[[^\]]*\]`)

// thrownBefore returns the index of the exception that PHP shows in front of the one at index i, which was
// thrown while it was handled; -1 if there is none, or it carries an answer of AWS.
func (x *facts) thrownBefore(i int, _ *weighing) int {
	if !x.rows.match(phpNext, i) {
		return -1
	}
	for k := i - 1; k >= 0 && k > i-maxTraceback; k-- {
		if x.rows.match(phpNext, k) || x.rows.match(phpUncaught, k) {
			if x.denied(k) || x.refuses(k) || x.rows.match(carries, k) || x.rows.match(hostOfAWS, k) {
				return -1
			}
			return k
		}
	}
	return -1
}

var (
	phpNext       = lazyregexp.New(`^Next [\w\\]+: `)
	phpUncaught   = lazyregexp.New(`^(?:PHP )?Fatal error: +Uncaught [\w\\]+: `)
	whileHandling = lazyregexp.New(`^During handling of the above exception`)
	// askedFor matches the exceptions with which Python says that something is not there, or did not answer:
	// a program looks elsewhere then.
	askedFor = lazyregexp.New(`^(?:[\w.]+\.)?(?:(?:Key|Index|Lookup|Attribute|Name|FileNotFound|Import|ModuleNotFound)Error|Empty|` +
		`StopIteration|\w*(?:NotFound|NoSuch|DoesNotExist|NotExist|Timeout|TimedOut|Connect(?:ion|Timeout)?)\w*)\b|` +
		`\((?:404|\w*(?:NotFound|NoSuch|DoesNotExist)\w*)\) when calling `)
)

// lastEvent returns the index of the last line that may be part of a table of CloudFormation's events: its
// cells may be broken over several lines; -1 if the output shows none.
func (x *facts) lastEvent() int {
	if x.events != nil {
		return *x.events
	}
	last := -1
	for k := range x.lines {
		if x.raw.match(stackEvent, k) || k == last+1 && last >= 0 && x.raw.match(tabular, k) {
			last = k
		}
	}
	x.events = &last
	return last
}

var (
	stackEvent    = lazyregexp.New(`_(?:COMPLETE|FAILED|IN_PROGRESS)\b`)
	stackEventRow = lazyregexp.New(`\| +\w+_(?:FAILED|IN_PROGRESS|COMPLETE) +\|`)
)

// process returns the name of the one of several processes whose line the one with index i is; "" if
// there is none. A stack's event begins with a name and a bar, too.
func (x *facts) process(i int) string {
	m := process.FindStringSubmatch(x.lines[i].Text)
	if m == nil || stackEventRow.MatchString(x.lines[i].Text) {
		return ""
	}
	return m[1] + m[2]
}

// failedProcess reports whether the output says behind the line with index i that a process failed, and
// whether it says so of the one with the name.
func (x *facts) failedProcess(i int, name string) (any, this bool) {
	for _, l := range x.lines[i+1:] {
		if e := processExit.FindStringSubmatch(l.Text); e != nil {
			any = true
			this = this || strings.Contains(e[1], name) || strings.Contains(e[1], strings.TrimRight(name, "-_0123456789"))
		}
	}
	return any, this
}

// failedFirst reports whether the output says above the line with index i that another process than
// the one with the name failed: what others say when they are stopped is no reason.
func (x *facts) failedFirst(i int, name string) bool {
	ends := x.raw.of(processExit)
	for k := range i {
		if ends.at(k) {
			if e := processExit.FindStringSubmatch(x.lines[k].Text); !strings.Contains(e[1], name) {
				return true
			}
		}
	}
	return false
}

// anotherJob reports whether a runner says behind the line with index i which jobs failed, and the line
// is another's: the nearest line above that names a job does not name one of these.
func (x *facts) anotherJob(i int) bool {
	var failed []string
	for k := i + 1; k < len(x.bare); k++ {
		if x.raw.match(jobFailed, k) {
			failed = append(failed, jobName(jobFailed, x.lines[k].Text))
		}
	}
	if failed == nil {
		return false
	}
	starts := x.raw.of(jobStarts)
	for k := i; k >= 0; k-- {
		if starts.at(k) {
			name := jobName(jobStarts, x.lines[k].Text)
			return !slices.ContainsFunc(failed, func(f string) bool { return strings.Contains(f, name) || strings.Contains(name, f) })
		}
	}
	return false
}

// jobName is the job that the expression finds in the line.
func jobName(re *lazyregexp.Regexp, line string) string {
	return strings.ReplaceAll(strings.Join(re.FindStringSubmatch(line)[1:], ""), "#", ":")
}

// outsideReport reports whether the output holds the report of a failed test run or check, and the
// line with index i stands neither in it nor indented below it.
func (x *facts) outsideReport(i int) bool {
	return x.summary >= 0 && (i < x.report || i > x.summary) && !x.raw.match(indented, i)
}

// findReport finds the first and the last line of the report of a failed test run or check. A rule
// that counts only where nothing else is known does not mark one.
func (x *facts) findReport(causes []Cause) {
	x.report, x.summary = len(x.lines), -1
	for i := range causes {
		c := &causes[i]
		if !c.quotes {
			continue
		}
		for j := range c.rules {
			if r := &c.rules[j]; r.says != nil && r.code == nil && !r.consequence && x.recorded(&c.when) && x.conditions(r) {
				x.summary = max(x.summary, x.searchLine(r, c.last, &finding{}, nil))
			}
		}
	}
	for i := len(x.bare) - 1; i > x.summary; i-- {
		if x.rows.match(failedChecks, i) && !x.denied(i) {
			x.summary = i
		}
	}
	first := len(x.lines)
	for i, l := range x.lines {
		for k := range x.reports {
			if r := &x.reports[k]; r.First <= l.N && l.N <= r.Last {
				first, x.summary = min(first, i), max(x.summary, i)
			}
		}
	}
	x.report = min(x.report, first)
	for i := range x.bare[:min(x.summary+1, first)] {
		if x.rows.match(reportLine, i) {
			x.report = i
			break
		}
	}
}

// denied reports whether a denial stands in the line with index i, also if it only repeats one: of
// equal claims, a Failure holds one.
func (x *facts) denied(i int) bool {
	if x.refusals == nil {
		x.findRefusals()
	}
	return x.refusals[i]
}

// survivedRefusal reports whether a denial stands in the line with index i that does not explain
// the failure, and that the command did meet: its words prove no other cause either.
func (x *facts) survivedRefusal(i int) bool {
	return len(x.aside) > 0 && x.denied(i) && x.survived.get(len(x.bare), i, x.findSurvived)
}

func (x *facts) findSurvived(i int) bool {
	n := x.lines[i].N
	for _, d := range x.denials {
		if d.Line == n && (d.Causal || d.Verdict.Finding == Shown) {
			return false
		}
	}
	return !slices.ContainsFunc(x.causal, func(d buildlog.Denial) bool { return strings.Contains(x.bare[i], wholeClaim(&d)) })
}

// overtakenRefusal reports whether all that is against the denials in the line with index i is what
// stands behind them.
func (x *facts) overtakenRefusal(i int) bool {
	return !slices.ContainsFunc(x.denials, func(d buildlog.Denial) bool {
		return d.Line == x.lines[i].N && d.Verdict.Finding != Overtaken
	})
}

// findRefusals marks the lines in which a denial stands.
func (x *facts) findRefusals() {
	x.refusals = make([]bool, len(x.lines))
	seen := map[string]bool{}
	for _, d := range x.Denials {
		if i := x.line(d.Line); i >= 0 && d.Origin == buildlog.FromLog {
			x.refusals[i] = true
		}
		text := clip(d.Text, 80)
		if len(text) < minText || seen[text] || len(seen) == maxTexts {
			continue
		}
		seen[text] = true
		for i, l := range x.bare {
			x.refusals[i] = x.refusals[i] || strings.Contains(l, text)
		}
	}
}

// Bounds of the texts that are looked for in every line.
const (
	maxTexts = 64
	minText  = 20 // bytes; a shorter one may stand anywhere
)

// wholeClaim is as much of a denial's text as tells it from others, whose beginnings are equal.
func wholeClaim(d *buildlog.Denial) string { return clip(d.Text, 400) }

// idle reports whether the line with index i says nothing of its own: it is empty, a stack's, a
// summary, or CodeBuild's.
func (x *facts) idle(i int) bool {
	return x.raw.match(frameLine, i) || x.rows.match(summary, i) || buildlog.AgentLine(x.lines[i].Text)
}

// anotherError reports whether the line with index i has the words of an error, and is an error of
// its own: not a summary, not about the same thing as the words shared, not a consequence of a
// refusal.
func (x *facts) anotherError(i int, words *lazyregexp.Regexp, shared []string, w *weighing) bool {
	l := x.bare[i]
	switch {
	case !x.rows.match(words, i) || x.rows.match(summary, i) || buildlog.AgentLine(x.lines[i].Text):
		return false
	case x.refuses(i), w.reads && x.lacks(i, w):
		return false
	}
	return !slices.ContainsFunc(shared, func(s string) bool { return strings.Contains(l, s) })
}

// frameEnd returns the index of the last line that belongs to the message at index i: a stack, a
// dump, a box, what is indented below it.
func (x *facts) frameEnd(i int) int {
	for k := i + 1; k < len(x.bare); k++ {
		if strings.TrimSpace(x.lines[k].Text) != "" && !x.raw.match(frameLine, k) {
			return k - 1
		}
	}
	return len(x.bare) - 1
}

// tokens are the words of a line that another line about the same thing would share: names of
// objects, files and stacks.
func tokens(line string) []string {
	var list []string
	for _, w := range strings.FieldsFunc(line, func(c rune) bool { return strings.ContainsRune(" \t\"'`,;()[]{}<>/:", c) }) {
		if w = strings.Trim(w, "."); len(w) >= 5 && strings.ContainsAny(w, ".-_0123456789") {
			list = append(list, w)
		}
	}
	return list
}

// passing reports whether the line with index i is itself one of a failure that passes.
func (x *facts) passing(i int) bool { return x.passes.get(len(x.bare), i, x.findPassing) }

func (x *facts) findPassing(i int) bool {
	for c := range x.causes {
		if x.causes[c].Remedy != Retry || !x.recorded(&x.causes[c].when) {
			continue
		}
		for r := range x.causes[c].rules {
			rule := &x.causes[c].rules[r]
			if rule.code != nil {
				continue
			}
			if rule.says != nil && rule.onLine(x.rows.low(i), x.bare[i], &finding{}) {
				return true
			}
			if rule.aws != nil && slices.ContainsFunc(x.awsErrors(), func(e awsError) bool {
				return e.line == i && rule.onAnswer(&e, &finding{})
			}) {
				return true
			}
		}
	}
	return false
}

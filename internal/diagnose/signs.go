package diagnose

import (
	"strings"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

// nextCommand is a regular expression for what begins or ends a command: a line of CodeBuild's agent,
// or of a shell that shows what it runs.
var nextCommand = `^` + buildlog.AgentPattern() + `|^\++ `

// A sign is one way to tell who speaks a line, or that the command went on after it. All fields
// that are set must hold. A line is read as a person would: without what tools put in front of it.
type sign struct {
	name   string
	row    *lazyregexp.Regexp // the line
	raw    *lazyregexp.Regexp // the line with what stands in front of it
	before *lazyregexp.Regexp // what stands before the claim in its line
	after  *lazyregexp.Regexp // what stands after it
	above  *lazyregexp.Regexp // one of the reach lines above
	below  *lazyregexp.Regexp // one of the reach lines below that are neither empty nor a stack's
	near   *lazyregexp.Regexp // one of the reach lines above or below
	reach  int
	// ends is a line above at which the search for above stops: another section of a report.
	ends *lazyregexp.Regexp
	when func(x *facts, i int) bool
	// hearsay: a line of such a speaker proves no failure at all, whatever its words.
	hearsay bool
	denials bool // only a denial's line is told by it
}

// speakers are tried in order; a line that none knows is a tool's. Each shows texts: it may print
// a refusal that it never met.
var speakers = []sign{
	// A formatter's or a snapshot's difference.
	{
		name:  "diff",
		row:   lazyregexp.New(`^[-+]\s*\S`),
		near:  lazyregexp.New(`^(@@ |diff |--- \S|\+\+\+ \S|Diff in |\s*[-+] (Snapshot|Expected|Received)\b)`),
		reach: 20,
	},
	{name: "diff", raw: lazyregexp.New(`^\s*\d*\s+\d*\s*[│|] ?[-+]`)},
	// A shell that prints each command before it runs it (set -x).
	{name: "trace", row: lazyregexp.New(`^\++ \S`), hearsay: true},
	// A help page, which a usage error prints.
	{
		name:    "help",
		raw:     lazyregexp.New(`^\s{2,}\S|^\s*\S+\s{2,}\S`),
		above:   lazyregexp.New(`(?i)^\s*((usage|synopsis)\b|exit (codes?|status(es)?)\W*$)`),
		reach:   60,
		ends:    lazyregexp.New(nextCommand + `|(?i)^an error occurred|^Traceback`),
		hearsay: true,
	},
	// A compiler or a linter quotes the line that it is about.
	{name: "source", raw: lazyregexp.New(`^\s*[>→]?\s*\d+\s*[|│┃:]\s`)},
	{name: "source", below: lazyregexp.New(`^[\s|│\d>·.:]*(\^[\^~─-]*|~{2,}|─*┬─*|╰─*)(\s.*)?$`),
		reach: 1, row: lazyregexp.New(`["'` + "`" + `]`)},
	{name: "source", row: lazyregexp.New(`^\S*\.[A-Za-z]\w{0,5}[:(]\d+[:,]\d+\)?:?\s`)},
	{name: "source",
		row: lazyregexp.New(`^\S*\.[A-Za-z]\w{0,5}:\d+:?\s+\(?(?i:warning|error|note|info|style|refactor|convention|` +
			`[A-Z]{1,4}\d{2,4})\b`)},
	{name: "source", raw: lazyregexp.New(`^\s+\d+:\d+\s+(error|warning|✖|⚠)\s`)},
	{name: "source",
		before: lazyregexp.New(`\b(raise|throw|const|let|var|def|func|fn|grep|egrep|sed|awk|print|println|printf|` +
			`puts|fail|assert\w*|` +
			`panic|console\.\w+|log(ger|ging)?\.\w+|[A-Z]\w+(Error|Exception)\()\b?[^"'` + "`" + `]*["'` + "`" + `][^"'` + "`" + `]*$`)},
	{name: "source",
		before: lazyregexp.New(`(^|[\s({,])[A-Za-z_][\w.]*\s*(:=|=|\+=|==|===)\s*[frub]{0,2}["'` + "`" + `]{1,3}[^"'` +
			"`" + `]*$`),
		when: notErrorField},
	// A program's text with a place for the name.
	{name: "source", row: lazyregexp.New(`User: ?(?:\{[\w. ]*\}|<[\w -]+>|\[[\w -]+\]|["'] ?\+ ?[\w.]+ ?\+ ?["'] ?) is not authorized`)},
	// Prose: documentation, release notes, a policy's description.
	{name: "document", row: lazyregexp.New(`^\S+\.(md|mdx|rst|adoc|html?|po|tex|txt)\b[:(]`), hearsay: true},
	{name: "document",
		before: lazyregexp.New(`(?i)(?:^|[^\w@/.%-])(e\.g\.|i\.e\.|for example|for instance|such as|if you (see|get)|you (may|` +
			`might|will|would) (see|get)|` +
			`looks? like|similar to|errors? like|(fix(e[sd])?|known|resolved?s?) [^.]*|troubleshoot\w*|when you see|` +
			`reads?|says?|means?( that)?|` +
			`documented|described|mentions?|example)\b:?\s*["'` + "`" + `“(*]*[^."'` + "`" + `“]{0,24}$`), hearsay: true},
	{name: "document", when: noTAP, row: lazyregexp.New(`^\s*([*•-]|#{1,6}|\d+[.)])\s`),
		before: lazyregexp.New("[\"'`“(]" + `[^"'` + "`" + `”]*$`), hearsay: true},
	{
		name: "document",
		row:  lazyregexp.New(`^\s*([*•-]|#{1,6}|\d+[.)])?\s`),
		above: lazyregexp.New(
			`(?i)^(#{1,4} \w|={1,4} [^=]+ ={1,4}$|.{0,30}(change ?log|release notes|what'?s (new|changed)))`,
		),
		reach:   30,
		ends:    lazyregexp.New(nextCommand + `|^[\w./-]+: (error|fatal)|^Traceback`),
		when:    noTAP,
		hearsay: true,
	},
	{
		name:    "document",
		raw:     lazyregexp.New(`^\s{3,}\S`),
		above:   lazyregexp.New(`(?i)\b(if|when|where|example|shows?|says?|prints?|sees?|reads?)\b[^.]{0,80}:?\s*$`),
		reach:   2,
		when:    noStack,
		hearsay: true,
	},
	{name: "document",
		before: lazyregexp.New(`"(?i:sid|description|comment|help|example|note|title|summary|usage|hint|pattern|` +
			`match(es)?|regexp?|` +
			`documentation|label)"\s*:\s*"[^"]*$`), hearsay: true},
	{name: "document", when: noTAP, row: lazyregexp.New(`^\s*//|^\s*#+ ?[A-Za-z]|^\s*\*\s|^\s*<!--`), hearsay: true},
	// A commit, as git shows it.
	{name: "document", raw: lazyregexp.New(`^ {4}\S`), above: lazyregexp.New(`^commit [0-9a-f]{40}\b`), reach: 60, hearsay: true},
	// A test's report: what it captured, compared or logged.
	{name: "test", above: lazyregexp.New(`^-{3,} ?Captured \w+ \w+ ?-{3,}`), reach: 400,
		ends: lazyregexp.New(`^(_{3,}|={3,}|-{3,})( |$)|^(FAILED|ERROR) `)},
	{name: "test", above: lazyregexp.New(`^\s*(console\.(log|error|warn|info|debug|trace)\b|● Console|stdout \||stderr \|)`), reach: 8,
		ends: lazyregexp.New(`^\s*(at |●|✓|✕|Tests:|Test Suites:|FAIL|PASS)`)},
	{name: "test", raw: lazyregexp.New(`^\s+\S*_test\.go:\d+: `)},
	{name: "test", above: lazyregexp.New(`^\s*=== (RUN|CONT)\b`), reach: 200,
		ends: lazyregexp.New(`^\s*--- (FAIL|PASS|SKIP)|^(ok|FAIL|PASS)\b`)},
	{name: "test", above: lazyregexp.New(`^-{4} .+ stdout -{4}$`), reach: 200, ends: lazyregexp.New(`^failures:$|^test result`)},
	{name: "test", above: lazyregexp.New(`^(\[INFO\] )?Running \S*(Tests?|IT|Spec|TestCase)\b`), reach: 200,
		ends: lazyregexp.New(`^(\[\w+\] )?Tests run:|^\[ERROR\] (Errors|Failures|\S+\.\S+:\d+)`)},
	{name: "test",
		before: lazyregexp.New(`(?i)\b(expected|actual|received|want(ed)?|got|but was|was)\b\s*[:=]?\s*["'` + "`" +
			`<\[(]+[^"'` + "`" + `]*$`)},
	{name: "test", before: lazyregexp.New(`(?i)\b(expected|actual|received|want(ed)?|got|but was)\s*[:=]\s*$`)},
	{name: "test", row: lazyregexp.New(`(?i)\bto (equal|match|contain|include|be|throw|have)\b|AssertionError|assert_equal|\bnot to\b`),
		before: lazyregexp.New("[\"'`]" + `[^"'` + "`" + `]*$`)},
	{name: "test", before: lazyregexp.New(`(?i)\b(mock(ed)?|stub(bed)?|fake[ds]?|fixture|simulat\w+|moto|localstack|wiremock|nock)\b`)},
	// A line below the level of an error.
	{name: "log", before: lazyregexp.New(`(?i)^\W*(\d[\dT:.,Z+\-/ ]*\s*)?[\[(|<]?(info|debug|trace|notice|verbose)\b[\])>|:]*(\s|$)`)},
	{name: "log", before: lazyregexp.New(`\blevel=(?i:info|debug|trace)\b|"(level|severity|levelname)":\s*"(?i:info|debug|trace)"`)},
	{name: "log", before: lazyregexp.New(`"level":\s?[123]0,`), row: lazyregexp.New(`"hostname":`)}, // Bunyan, Pino
	{name: "log", row: lazyregexp.New(`^\{.*\}$`), after: lazyregexp.New(`"(level|severity|levelname)":\s*"(?i:info|debug|trace)"`)},
	{name: "log", after: lazyregexp.New(`"? level=(?i:info|debug|trace)\b`)},
	{name: "log", raw: recordField, when: func(x *facts, i int) bool { return x.recordLevel(calmLevel, i) }},
	// What another process printed: a stream of CloudWatch Logs, the log of a task, pod or function.
	{name: "log", raw: lazyregexp.New(`^\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)? [\w.-]+/[\w./$\[\]-]+ `)},
	{name: "log",
		above: lazyregexp.New(`(?i)\b(?:task|pod|container|function|instance)s?\b.{0,80}\b(?:logs?|lines|output)\b[^.]{0,20}:\s*$|` +
			`\b(?:logs?|lines|output) (?:of|from|for) (?:the )?(?:task|pod|container|function|instance|job|deployment|service)s?\b` +
			`[^:]*:\s*$|\blogs? (?:ends?|ended|says?|shows?|reads?)\b[^.:]*:\s*$`),
		reach: 12, ends: lazyregexp.New(nextCommand)},
	// How a run of another service ended, by its id: what it met is told behind it.
	{name: "log", above: remoteRun, reach: 8, ends: lazyregexp.New(nextCommand)},
	{name: "log", before: lazyregexp.New(`(?i)\b(?:action|stage|state|step) ["']?[\w.-]+["']? (?:has )?(?:failed|stopped):\s*$`),
		above: lazyregexp.New(`(?i)\b(?:pipeline|execution|state machine|workflow)\b`), reach: 12, ends: lazyregexp.New(nextCommand)},
	// What a command printed that another machine ran: Systems Manager, CodeDeploy, cloud-init, Terraform's and
	// Packer's provisioners, Ansible.
	{name: "log", below: lazyregexp.New(`^failed to run commands: exit status \d`), reach: 20},
	{name: "log", above: lazyregexp.New(`\bStandard(?:Error|Output)Content\b|^-+(?:ERROR|OUTPUT)-+$|^\W*LifecycleEvent - \w`), reach: 60,
		ends: lazyregexp.New(nextCommand)},
	{name: "log", before: lazyregexp.New(`\bStandard(?:Error|Output)Content\b|\bcloud-init\[\d+\]: `)},
	{name: "log", raw: lazyregexp.New(`^\S+ \(remote-exec\): `)},
	{name: "log", raw: lazyregexp.New(`^(?:==> |    )[\w-]+\.[\w-]+: `), above: lazyregexp.New(`^==> \S+: Provisioning with `), reach: 400,
		ends: lazyregexp.New(`: (?:Stopping the source|Creating (?:the )?AMI|Running local shell)`)},
	{name: "log", row: lazyregexp.New(`^(?:fatal|failed): \[[^\]]*\]`), when: elsewhereHost},
	// What a function, a database or a warehouse met, which has a role of its own.
	{name: "log", above: lazyregexp.New(`^START RequestId: [\w-]+`), ends: lazyregexp.New(`^END RequestId: `), reach: 60},
	{name: "log", before: lazyregexp.New(`\bfrom custom resource\. Message returned: |\bStates\.[A-Z]\w+\b`), when: notDenied},
	{name: "log", row: lazyregexp.New(`"errorMessage" ?: ?".*"errorType" ?: ?"|"errorType" ?: ?".*"errorMessage" ?: ?"`), when: notDenied},
	{name: "log", row: databaseRefusal},
	{name: "log", above: databaseRefusal, reach: 6, ends: lazyregexp.New(nextCommand + `|^\s*$`)},
	// The log of another run, as gh shows it: job, step and time.
	{name: "log", raw: lazyregexp.New(`^[^\t]+(?:\t|  )[^\t]*(?:\t|  )\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z `)},
	{name: "log", before: lazyregexp.New(`(?i)\b(?:of|in|from) the (?:task|pod|container|function|instance)\b[^.]{0,20}:\s*$`)},
	// Java's own logging writes the level between where it happened and the exception.
	{name: "log", row: lazyregexp.New(`^[a-z]\w*(\.\w+)+(Exception|Error)\b`), above: lazyregexp.New(javaLevel), reach: 1, hearsay: true},
	{name: "log", row: lazyregexp.New(`^[A-Z][a-z]{2} \d\d?, \d{4},? \S+ [AP]M \S+ \S+$`), below: lazyregexp.New(javaLevel), reach: 1,
		hearsay: true},
}

// remoteRun matches what scripts print of a run of another service that failed, which has a role of its own.
var remoteRun = lazyregexp.New(`(?i)\b(?:executions?|deployments?|pipelines?|invocations?|tasks?|job runs?|jobs?|steps?|automations?|` +
	`commands?) (?:id )?["'` + "`" + `(]?(?:d-[0-9a-z]{9}\b|jr_\w|s-[0-9a-z]{8,}|[0-9a-f]*\d[0-9a-f]*-?[0-9a-f-]{6,}|arn:\S+:).*\b` +
	`(?:failed|stopped|aborted|timed[_ ]?out|undeliverable)\W*$`)

// databaseRefusal matches how databases and warehouses begin what they say of S3.
var databaseRefusal = lazyregexp.New(`\bS3ServiceException:|\bFailure using stage area\b|\bAmazon S3 client returned\b|` +
	`\bS3 API returned error\b|^psql:\S+:\d+: ERROR: `)

// javaLevel is a level below errors, as Java's own logging writes it.
const javaLevel = `^(INFO|CONFIG|FINE(R|ST)?): `

// goesOnSurely are words that nobody uses who stops.
const goesOnSurely = `(?i)\b(go(es|ing) on|continu(es|ing)|carr(y|ies|ied|ying) on|ignor(es|ing)|proceeding|non-?fatal|not fatal|` +
	`best[- ]effort|anyway|regardless|never mind|tolerat\w+|mov(e|es|ed|ing) on|keep(s|ing)? going)\b`

// goesOn are the words with which programs and scripts say that they go on.
const goesOn = `(?i)\b(go(es|ing) on|continu(e|es|ed|ing)|carr(y|ies|ied|ying) on|ignor(ed?|es|ing)|skip(s|ped|ping)?|proceed(s|ed|ing)?|` +
	`non-?fatal|not fatal|best[- ]effort|anyway|regardless|fall(s|en|ing)? ?back|fallback|will be (skipped|ignored|omitted)|` +
	`(is|are|stays?|now) (off|disabled|optional|unavailable)|never mind|no harm|tolerat\w+|allowed to fail|not ` +
	`(critical|needed|required|important)|` +
	`soft[- ]?fail\w*|keep(s|ing)? going|mov(e|es|ed|ing) on|does(n't| not) matter|(us(e|es|ing)|tak(e|es|ing)|` +
	`keep(s|ing)?) (the )?(cached?|defaults?|local|previous|stale|last|old|present|committed)\b.*|` +
	`(still|is) (good|valid) for|(stay|remain)s? (as|the way)|no \w+ (this|that) time|for now|` +
	`without (the )?(cache|metrics|report|it|them|tags?|upload|telemetry|statistics)|disabl(ed|ing)|omitt(ed|ing)|` +
	`(left|leav(e|es|ing)) (it |them |this |that )?(out|alone|off)|` +
	`(not|un)(saved|sent|read|written|uploaded|published|recorded)|harmless|retrying without)\b|\|\| ?true`

var goesOnWords = lazyregexp.New(goesOn)

// survivals are signs that the program that printed the line, or the script around it, went on.
var survivals = []sign{
	{name: "warning", before: lazyregexp.New(`(?i)^\W*(\d[\dT:.,Z+\-/ ]*\s*)?[\[(|<]?warn(ing)?\b[\])>|:]*(\s|$)`)},
	{name: "warning",
		before: lazyregexp.New(`(?i)\b\w*warn(ing)?\b[\])]?\s*[:-]|\[warn(ing)?\]|\blevel=warn(ing)?\b|"(level|` +
			`severity|levelname)":\s*"warn(ing)?"|⚠`)},
	{name: "warning", before: lazyregexp.New(`"level":\s?40,`), row: lazyregexp.New(`"hostname":`)}, // Bunyan, Pino
	{name: "warning", row: lazyregexp.New(`^\{.*\}$`), after: lazyregexp.New(`"(level|severity|levelname)":\s*"(?i:warn(ing)?)"`)},
	{name: "warning", after: lazyregexp.New(`"? level=(?i:warn(ing)?)\b`)},
	{name: "warning", raw: recordField, when: func(x *facts, i int) bool { return x.recordLevel(warnLevel, i) }},
	{name: "warning", raw: lazyregexp.New(`^\s*│`), above: lazyregexp.New(`^\s*Warning:`),
		ends: lazyregexp.New(`^\s*Error:|^╵`), reach: 20},
	{name: "warning", above: lazyregexp.New(`^Warning:`), ends: lazyregexp.New(`^Error:`),
		near: lazyregexp.New(`^\s+on .* in check "`), reach: 16},
	{name: "said",
		before: lazyregexp.New(`(?i)\boptional(ly)?(?:[^\w(\[<]|$)|\b(non-?fatal|best[- ]effort|skip(s|ped|ping)?|ignor(ed|ing)|` +
			`tolerat\w+|soft[- ]?fail\w*|` +
			`not fatal|harmless|as expected)\b`)},
	{name: "said", before: lazyregexp.New(`(?i)["\s,{](?:last|prev(?:ious)?|earlier|ignored|skipped|suppressed|` +
		`tolerated)\w*"? ?[:=] ?\[?["']?[^,]*$`)},
	{name: "said", before: lazyregexp.New(goesOn)},
	{name: "said", after: lazyregexp.New(goesOn)},
	{name: "said", below: lazyregexp.New(goesOnSurely), reach: 2, when: nextIsNoError},
	{name: "said", below: lazyregexp.New(goesOn), reach: 2, when: goesFurther},
	{name: "said", below: lazyregexp.New(`^\s*\([^()]{4,120}\)\s*$`), reach: 1}, // an aside of the script's author
	{name: "said", row: lazyregexp.New(`(?i), (?:re(?:build|creat|generat|download|fetch|install|comput)\w*ing|starting (?:over|anew)|` +
		`making (?:it|one))\b[^.:]{0,40}$`)},
	{name: "said", when: tookDefault, denials: true},
	// A shell or make prints the command that it runs, with what it does if that fails.
	{name: "said", above: lazyregexp.New(`\|\| ?(true|:|exit 0|echo)\b|^\++ .*\|\| `), reach: 2},
	{name: "ignored", below: lazyregexp.New(`^\.\.\.ignoring|^make(\[\d+\])?: .*\(ignored\)|^-?\+*\+ (true|:)\s*$`), reach: 4},
	{name: "rescued", row: lazyregexp.New(`^(fatal|failed): \[`), when: rescued},
	// Java closes what an exception leaves open, and adds what that throws.
	{name: "rescued", row: lazyregexp.New(`^\s*Suppressed: `), denials: true},
	// Python calls what is left to do at its end, and forgets what that throws; nobody waited for the task.
	{name: "ignored", when: forgotten, denials: true},
}

// forgotten reports whether Python says in front of the traceback of the exception at index i that nobody
// was told of it.
func forgotten(x *facts, i int) bool {
	first := x.traceback(i)
	for k := first - 1; k >= 0 && k >= first-2; k-- {
		if x.rows.match(nobodyTold, k) {
			return true
		}
	}
	return false
}

var nobodyTold = lazyregexp.New(`^Exception ignored in[: ]|^Error in atexit\._run_exitfuncs:|` +
	`\b(?:Task|Future) exception was never retrieved\b`)

// A record that a logger prints as JSON over several lines: its fields, and its level in one of them.
var (
	recordField   = lazyregexp.New(`^\s+"[\w.@-]+": `)
	recordMessage = lazyregexp.New(`^\s+"(?:message|msg|error|err)": "`)
	calmLevel     = lazyregexp.New(`^\s+"(?:level|severity|levelname|log\.level)": "(?i:info|debug|trace|notice)"`)
	warnLevel     = lazyregexp.New(`^\s+"(?:level|severity|levelname|log\.level)": "(?i:warn(?:ing)?)"`)
	errorLevel    = lazyregexp.New(`^\s+"(?:level|severity|levelname|log\.level)": "(?i:error|fatal|critical)"`)
)

// A record without a level: an object as Node.js prints it, or JSON.
var (
	anyLevel    = lazyregexp.New(`^\s+"?(?:level|severity|levelname|log\.level)"?: `)
	objectField = lazyregexp.New(`^\s+["']?[\w.$@-]+["']?: `)
)

// maxRecord is how many lines of a record are looked at, above a line and below it.
const maxRecord = 40

// recordLevel reports whether the record that the line with index i is a field of has such a level.
func (x *facts) recordLevel(level *lazyregexp.Regexp, i int) bool {
	is := x.raw.of(level)
	for k := i; k >= 0 && k >= i-maxRecord && !strings.HasPrefix(x.lines[k].Text, "{"); k-- {
		if is.at(k) {
			return true
		}
	}
	for k := i + 1; k < len(x.lines) && k <= i+maxRecord && !strings.HasPrefix(x.lines[k].Text, "}"); k++ {
		if is.at(k) {
			return true
		}
	}
	return false
}

// holds reports whether the sign is at the line with index i, in which before and after stand
// around the claim: parts of that line.
func (s *sign) holds(x *facts, i int, before, after string) bool {
	return (s.row == nil || x.rows.match(s.row, i)) &&
		(s.raw == nil || x.raw.match(s.raw, i)) &&
		(s.before == nil || x.rows.may(s.before, i) && s.before.MatchString(before)) &&
		(s.after == nil || x.rows.may(s.after, i) && s.after.MatchString(after)) &&
		(s.above == nil || s.isAbove(x, i)) &&
		(s.below == nil || s.isBelow(x, i)) &&
		(s.near == nil || s.isNear(x, i)) &&
		(s.when == nil || s.when(x, i))
}

func (s *sign) isAbove(x *facts, i int) bool {
	above, ends := x.rows.of(s.above), (*matches)(nil)
	if s.ends != nil {
		ends = x.rows.of(s.ends)
		if ends.at(i) {
			return false // another section begins with it
		}
	}
	for k := i - 1; k >= 0 && k >= i-s.reach; k-- {
		if above.at(k) {
			return true
		}
		if ends != nil && ends.at(k) {
			return false
		}
	}
	return false
}

func (s *sign) isBelow(x *facts, i int) bool {
	for k, n := i+1, 0; k < len(x.bare) && n < s.reach && k <= i+60 && !x.denied(k); k++ { // what follows is about the next denial
		if !x.rows.match(counts, k) {
			if x.rows.match(s.below, k) {
				return true
			}
		} else if s.below.MatchString(counts.ReplaceAllString(x.bare[k], "")) {
			return true
		}
		if strings.TrimSpace(x.bare[k]) != "" && !x.raw.match(frameLine, k) {
			n++
		}
	}
	return false
}

func (s *sign) isNear(x *facts, i int) bool {
	for k := max(0, i-s.reach); k < len(x.bare) && k <= i+s.reach; k++ {
		if k != i && x.rows.match(s.near, k) {
			return true
		}
	}
	return false
}

// notDenied reports that no denial stands in the line with index i: what is denied says itself to whom.
func notDenied(x *facts, i int) bool { return !x.denied(i) }

// elsewhereHost reports that the task of Ansible in the line with index i ran on another machine.
func elsewhereHost(x *facts, i int) bool {
	_, host, _ := strings.Cut(x.bare[i], "[")
	host, _, _ = strings.Cut(host, "]")
	_, to, delegated := strings.Cut(host, "-> ")
	if delegated {
		host = to
	}
	host, _, _ = strings.Cut(host, "(")
	return host != "localhost" && host != "127.0.0.1"
}

// notErrorField reports that the line is not a logger's KEY="message" pair.
func notErrorField(x *facts, i int) bool { return !x.rows.match(errorField, i) }

// noTAP reports that the output is not TAP, whose comments look like headings.
func noTAP(x *facts, _ int) bool {
	return !strings.Contains(x.rows.text, "# subtest") && !strings.Contains(x.rows.text, "tap version") &&
		!strings.Contains(x.rows.text, "\nok 1")
}

// noStack reports that no error stands directly above the line with index i: what is indented below
// one belongs to it.
func noStack(x *facts, i int) bool {
	for k := i - 1; k >= 0 && k >= i-3; k-- {
		if x.rows.match(strongError, k) || x.rows.match(refused, k) {
			return false
		}
	}
	return true
}

// goesFurther reports that the next line is no error of its own, and not the last word: a script
// that says at its end that it skips the rest has stopped.
func goesFurther(x *facts, i int) bool {
	if !nextIsNoError(x, i) {
		return false
	}
	n := 0
	for k := i + 1; k < len(x.bare); k++ {
		if !x.raw.match(frameLine, k) && !x.denied(k) {
			n++
		}
	}
	return n > 1
}

// nextIsNoError reports that the next line is not an error of its own: "error: cannot continue".
func nextIsNoError(x *facts, i int) bool {
	for k := i + 1; k < len(x.bare) && k <= i+60; k++ {
		if strings.TrimSpace(x.bare[k]) != "" && !x.raw.match(frameLine, k) {
			return !x.rows.match(stops, k)
		}
	}
	return false
}

// rescued reports whether Ansible's recap says that the failure at index i was rescued or ignored:
// every one was, or it is not the last.
func rescued(x *facts, i int) bool {
	last := true
	for k := i + 1; k < len(x.bare); k++ {
		if strings.HasPrefix(x.bare[k], "fatal: [") || strings.HasPrefix(x.bare[k], "failed: [") {
			last = false
		}
		if !x.rows.match(recap, k) {
			continue
		}
		if m := recap.FindStringSubmatch(x.bare[k]); m[2] != "0" || m[3] != "0" {
			return m[1] == "0" || !last
		}
	}
	return false
}

// tookDefault reports whether a line of a level below errors, such as "info: …", comes right after
// the line with index i: the same program talks on, calmly.
func tookDefault(x *facts, i int) bool {
	return i+1 < len(x.bare) && x.rows.match(calm, i+1) && x.rows.match(calm, i)
}

var (
	calm  = lazyregexp.New(`(?i)^\W*(\d[\dT:.,Z+\-/ ]*\s*)?[\[(|<]?(info|debug|notice|verbose)\b[\])>|:]*(\s|$)|\blevel=(info|debug)\b`)
	warns = lazyregexp.New(`(?i)\bwarn(ing)?\b`)
	// counts are words of a summary that other lines use in earnest: "3 skipped", "ignored=0".
	counts = lazyregexp.New(`(?i)^Exception ignored in.*|\b\w+=\d+\b|\b\d+ (skipped|ignored|omitted|disabled)\b|` +
		`\b(skipped|ignored|omitted|disabled): ?\d+`)
	recap      = lazyregexp.New(`\bfailed=(\d+)\b.*\brescued=(\d+)\s+ignored=(\d+)`)
	errorField = lazyregexp.New(`(?i)\b\w*(err|error|msg|message|reason|cause|detail|output|stderr|body|log)\s*=\s*["'` + "`" + `]`)
	stops      = lazyregexp.New(`(?i)\b(cannot|can't|could not|not|unable to|will not|won't) (continue|proceed|go on|` +
		`carry on)\b|^\W*(error|fatal)\b|\b(since|because|as|after)\b.*\b(fail|denied|refus)`)

	// frameLine continues the message above it: a stack, a dump, a box, an indented or empty line.
	frameLine = lazyregexp.New(`^\s+\S|^\s*$|^[│╷╵|}\])]|^Caused by:|^Traceback|^During handling|` +
		`^The above exception|^goroutine |^\S+\.go:\d+ |^Node\.js v|` +
		`^\s*(at|File|in|from) \S`)
	// strongError matches lines that certainly report an error.
	strongError = lazyregexp.New(`(?i)^\W*(error|fatal|panic|critical|failure|fail(ed)?)\b[\]:!\s]|\b(error|fatal|` +
		`panic)(\[\w+\])?(\(s\))?:|` +
		`\b[a-z]+(Error|Exception)\b|^not ok\b|[❌✗✘✖🔥]|^E\s{2,}|\bFAIL(ED)?\b|^\S+: (error|fatal) |` +
		`\bAn error occurred \(\w+\) when calling`)
	// loggedError matches what loggers write with the level of errors: JSON, key=value, klog, logrus, Python's
	// logging, and those that begin with the time.
	loggedError = lazyregexp.New(`^\{.*"@?(?:level|severity|levelname|log\.level)": ?(?:"(?i:error|fatal|critical|panic)"|[56]0\b)|` +
		`^[\w.]+=.* level=(?i:error|fatal|critical|panic)\b|^level=(?i:error|fatal|critical|panic)\b|` +
		`^[EF]\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ \S+:\d+\] |^(?:ERRO|FATA|PANI)\[[\dT:+-]+\] |^(?:ERROR|CRITICAL):[\w.]+:|` +
		`^\W*\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d\S*\s+(?:\S+\s+){0,4}?\W*(?:ERROR|FATAL|CRITICAL|SEVERE)\b`)
	anything = lazyregexp.New(``)
	// complains matches lines that say what is wrong, without a word such as error.
	complains = lazyregexp.New(`(?i)\b(?:is|are|was|were|does|do|did|has|have|can|could|may|must|should)(?: not|n't)\b|\bcannot\b|` +
		`\b(?:(?:older|newer|larger|smaller|bigger|longer|more|less|fewer|later|earlier) than|too \w+|no \w+|differs?|` +
		`mismatch\w*|missing|invalid|unexpected|unknown|expected|` +
		`wrong|twice|duplicates?|exceed\w*|refused|rejected|unhealthy|broken|conflicts?|` +
		`must|timed? ?out|not (?:found|allowed|\w+ed))\b`)
	// headError matches lines that are an error's head.
	headError = lazyregexp.New(`(?i)^\W*(\w+ )?(error|fatal|panic|critical|failure|fail(ed)?)\b[\]:!\s]|^\S+: (error|fatal)\b|` +
		`^[\w.]+(Error|Exception)\b|[❌✗✘✖]|^not ok\b|^E\s{2,}|(?-i:\bFAILED\b)|^::error\b`)
	// scriptError matches with what a script begins an error that it has found itself, also in other
	// languages than English.
	scriptError = lazyregexp.New(`^(?i:error|failed|failure|fatal) ?[:!] |` +
		`(?i)^[^\pL]*(?:[Éé]chec|erreurs?|fehler|errore|erro|fallo|[Оо]шибка|エラー|错误|錯誤|失败|失敗|오류) *[:：!]`)
	// summary matches what wrappers print after the error that they are about.
	summary = lazyregexp.New(`(?i)^SLF4J(?:\(\w\))?: |^ERROR ~ Error executing process > |^\[\w\w/\w+\] process > |` +
		`^\(reached max retries|` +
		`^_{3,} ERROR at (setup|teardown) of \S+ _{3,}$|` + // the head of a test in pytest's report
		`^\s*(--- )?FAIL(ED)?\b|` +
		`^make(\[\d+\])?: |` +
		`^npm (err!|error)( |$)|ELIFECYCLE|` +
		`lifecycle script|\bexit(ed)?( with)?( the)?( error)?( code| status)?:? ?-?[1-9]\d*|` +
		`\b(error|status|return(ed)?) (code|status|exit)?:? ?-?\d+\s*$|command failed|^error command failed|` +
		`^error: (script|command|recipe|process|task) |` +
		`\b(build|deploy\w*|release|upload|publish\w*|push|sync|pipeline|job|stage|step|script|command|task|stack|run|operation|update|` +
		`creation|rollout|install\w*)\b.{0,60}\b(fail(ed|ure|s)?|abort(ed)?|unsuccessful|not (complete|succeed|` +
		`successful)|did not (complete|succeed))|` +
		`\bfail(ed|ure)? (to|in|during|while|at) (the )?(deploy\w*|upload\w*|publish\w*|push\w*|release|sync\w*|` +
		`creat\w*|updat\w*|run\w*|build\w*|` +
		`execut\w*|complet\w*|assume|get|read|list|describe|download|pull|copy|delete|put|set|start|fetch)\b|` +
		`\b(could|can|did|was|were|is)( ?not|n't) (be )?(deploy|upload|publish|releas|creat|updat|push|sync|complet|` +
		`install|start|finish)\w*|` +
		`execution failed for|process completed|roll(ed|ing)? ?back|rollback|re-?run|--stacktrace|full log|` +
		`for more (info\w*|details)|see .{0,40}logs?\b|` +
		`\b\d+ (errors?|failures?|failed)\b|giving up|aborting|^\W*(fail(ed|ure)?|error|fatal|aborted)\W*$|complete log of this run|` +
		`^\s*at |^\s*File "|^PLAY RECAP|unreachable=|^Error: (exit|process|the process)|did not complete successfully|errored`)
	// refused matches lines that are about a refusal of AWS themselves.
	refused = lazyregexp.New(`(?i)access ?-?denied|\bdenied\b|not authori[sz]ed|unauthori[sz]ed|\bforbidden\b|` +
		`\bE?40[13]\b|\baws\b|\biam\b|\brole\b|credentials?\b|` +
		`\bpolic(y|ies)\b|\bpermissions?\b|privileges?\b|\blog ?in\b|basic auth|have access\b`)
	// notAWS are refusals that are certainly not AWS's.
	notAWS = lazyregexp.New(`(?i)EACCES|permission denied|denied for (user|table|schema|relation|database)|operation not permitted|` +
		`\bexpired\b|ExpiredToken|\b401\b|NoSuchBucket|NotFoundException|no basic auth|` +
		`\bcurl: \(22\)|requested URL returned error|\bPermission to \S+ denied to `)
	// needs matches what a command says that did not get what a refused call should have given.
	missing = lazyregexp.New(`(?i)no such (file|image|container|object|key)|ENOENT|FileNotFound|unbound variable|(is|` +
		`was|are) (empty|not set|required|null|undefined)|` +
		`not (be )?found|does not exist|JSON ?(Decode|Parse|Syntax)|unexpected (end of|EOF|token)|invalid (length|` +
		`json|character)|parse error|NoneType|` +
		`must (not )?be|missing|\bnull\b|\bempty\b|unable to locate`)
	// wrongWith matches what is wrong with a thing that is there, and was not refused.
	wrongWith = lazyregexp.New(`(?i)\b(?:differs?|mismatch\w*|(?:does|do|did)(?: not|n't) match|invalid|corrupt\w*|twice|duplicates?|` +
		`exceed\w*|unexpected|(?:is|are) (?:needed|required|allowed|expected)|too (?:big|deep|few|large|long|many|new|old|short|small)|` +
		`(?:older|newer|larger|smaller|bigger|longer|shorter|more|less|fewer|later|earlier) than)\b`)
	// complainsFirst matches what stands in front of a claim that is the second part of its sentence.
	complainsFirst = lazyregexp.New(`(?i)\b(?:(?:is|are|was|were|does|do|did|has|have|must|should)(?: not|n't)|differs?|mismatch\w*|` +
		`missing|invalid|unexpected|exceed\w*|too \w+) ?[^;]*; [^;]*$`)
	// sideHost matches the hosts of what builds tell or measure besides their work.
	sideHost = lazyregexp.New(`(?i)(?:\b(?:host|lookup|to|connect|ENOTFOUND|EAI_AGAIN)\b:? |https?://)(?:[\w-]+\.)*?` +
		`(?:hooks|slack|chat|discord|teams|mattermost|pagerduty|sentry|telemetry|metrics|codecov|statsd)\b`)
	sideMatter = lazyregexp.New(`(?i)\b(cache|reports?|metrics?|telemetry|analytics|statistics|stats|coverage|` +
		`badges?|notif\w+|clean(ing)?[- ]?up|trap|at_?exit|` +
		`audit|heartbeat|traces?|annotat\w+|junit|summary|logs|on exit|finally|post-?mortem|diagnostics)\b`)
	// assumed matches lines which say that a role was taken, or who the caller is.
	assumed = lazyregexp.New(`(?i)(?:\bassum(?:e|ed|ing)(?: \S+){0,6}? ["'\x60(]?|assume-role\b.*--role-arn[ =]["']?)` +
		`arn:[\w-]+:iam::[\d*]*:role/(?:[\w+=,.@-]+/)*?([\w+=,.@-]+)(?:[\s"'\x60,;)]|$)|` +
		`(?:^\W*"Arn": ?"|^\d{12}\s+\w+:\S+\s+|^(?i:.{0,40}\b(?:as|caller|identity|principal|arn)\b\W{1,4}))` +
		`arn:[\w-]+:sts::[\d*]*:assumed-role/([\w+=,.@-]+)/`)
	// actsAs matches what scripts say when they become somebody else.
	actsAs = lazyregexp.New(`(?i)\bacting (?:now )?as (?:the )?(?:role |user |profile )?["'\x60]?([\w+=,.@-]+)|` +
		`\bswitch(?:ed|ing)? (?:over )?to (?:the )?(?:role|profile|account|user|identity) ["'\x60]?([\w+=,.@-]+)|` +
		`\busing (?:the )?(?:aws )?(?:profile|keys of|credentials of|role) (?:the )?["'\x60]?([\w+=,.@-]+)|` +
		`\baccount(?: id)?[:=]? ["'\x60]?(\d{12})\b|^authenticated as assumedRoleId (\w+)`)
	// showsCommand matches a command that a shell or make shows before it runs it.
	showsCommand = lazyregexp.New(`^(?:\++|[$>]|#\d+ \[[^\]]*\] RUN) (\S.*)|^(aws \S.*)`)
	setsVariable = lazyregexp.New(`^(?:export )?AWS_\w+=`)
	notAssumed   = lazyregexp.New(`(?i)\b(could|can|did|do|does)( not|n't)\b|\bcannot\b|\b(failed|unable|not authorized|error)\b`)
	// again matches what announces another try.
	again = lazyregexp.New(`(?i)^\W*(now )?re-?try(ing)?\b|\b(will|going to|now) (re-?try|try again)\b|\bagain in \d|` +
		`\b(trying|once) (again|more)\b|` +
		`\b(attempt|try) ?(#|no\.? ?)?[2-9]\b`)
	success = lazyregexp.New(`(?i)^(upload|copy|download|move|delete|sync)(ed)?: |\b(succe(eded|ssfully|ss)|` +
		`uploaded|pushed)\b|\bdigest: sha256:`)
	// didNow matches what the announcement of another try says of it, if it says so in the same line.
	didNow       = lazyregexp.New(`(?i)\b(?:created|deployed|done|ok|passed|published|saved|sent|updated|written)\W*$`)
	unsuccessful = lazyregexp.New(`(?i)\b(not|no|without|never|nothing|0)\b|n't\b`)
	objectURL    = lazyregexp.New(`\bs3://[^\s"'` + "`" + `,;)]+`)
	withScheme   = lazyregexp.New(`\S+://\S*`)
	// work matches lines with which a script or a tool begins or ends another step.
	work = lazyregexp.New(`(?i)^(\++ \S|#\d+ (\[|DONE|transferring|sha256)|={2,}>? |-{2,}> |→ |>>+ |▶ |\$ \S|` +
		`> \S|\[\d+/\d+\] |step \d|task |stage |\w+ing\b|ok\b|pass(ed)?\b|done\b|` +
		`\W*(run|start|check|build|compil|test|install|download|lint|validat|verif|execut|collect|generat|packag|` +
		`deploy|publish|scan|fetch|` +
		`prepar|load|process)\w*ing\b|[✓✔])|\b\d+ (tests? )?(passing|passed)\b`)
	// sameRun matches lines of the run that a refusal is part of: other objects of a transfer,
	// other resources of a stack, other containers, the CDK's other assets.
	sameRun = lazyregexp.New(`^(upload|copy|download|move|delete)(ed)?: |^Completed \d|^[\w.-]+\s+\| |` +
		`^[0-9a-f]{12}: |^(TASK|PLAY|RUNNING HANDLER) |^(ok|changed|skipping|fatal|failed|included|unreachable): \[|` +
		`^> Task :|^#\d+ (CANCELED|DONE|CACHED)|^\S+: +(start|success): (Building|Built|Publishing|Published) `)
	transfer = lazyregexp.New(`\b(upload|download|copy|move|delete|push|pull)\b`)
	// unfed matches what a command says that was given nothing.
	unfed = lazyregexp.New(`(?i)no such (file|image|container|object|key)|ENOENT|FileNotFound|(is|was|are) (empty|` +
		`not set|required|null|undefined)|` +
		`(?-i:\bnull\b)|unexpected end|unbound variable|NoneType|not enough values|(bad|illegal|missing|no) (format|URL)\b|` +
		`cannot find or open|value is empty|interactive login|` +
		`\bno \w+( \w+){0,3} in the (answer|response|output|reply)|/\.s\.PGSQL|Expecting value`)
	// sameRefusal matches lines that are certainly about a refusal.
	sameRefusal = lazyregexp.New(`(?i)access ?-?denied|(is|are) not authori[sz]ed|unauthorizedoperation|\bE?403\b|` +
		`not authori[sz]ed to\b|have access to it`)
	// sideAction and sideTarget match what builds do besides their work.
	sideAction = lazyregexp.New(`^(cloudwatch:Put|xray:|logs:(Put|CreateLogStream)|codebuild:|sns:Publish|events:PutEvents|` +
		`firehose:|timestream:|aps:|ses:)`)
	sideTarget = lazyregexp.New(`(?i)[-_/.:](cache|reports?|coverage|metrics|junit|screenshots?)\b`)
	cliLine    = lazyregexp.New(`^(aws: \[ERROR\]: )?An error occurred \(\w+\) when calling|^(upload|download|copy|` +
		`move|delete) failed: |^fatal error: An error`)
	exception = lazyregexp.New(`\b\w+(Error|Exception)\b|^[a-z_]\w*(\.\w+)*\.[A-Z]\w+: `)
	thrown    = lazyregexp.New(`\w\.\w+(Error|Exception)\b|^\s*raise |Traceback|^\s+at |^\w+(Error|Exception): |panic: `)
	camelWord = lazyregexp.New(`[A-Z][a-z]+`)
	cliError  = lazyregexp.New(`^(aws: \[ERROR\]: )?An error occurred \(\w+\) when calling the \w+ operation`)
	cliExit   = lazyregexp.New(`^make(\[\d+\])?: \*\*\* .*\] \pL+ 25[45]$`)
	// tabular matches a row of a table with wide columns.
	tabular = lazyregexp.New(`\S {3,}\S|^\S{1,12}$`)
	// jobStarts matches the line with which the part of a job begins, or each of its lines, and
	// jobFailed the one that says which job failed.
	jobStarts = lazyregexp.New(`^(?:> Task (:\S+)|> nx run (\S+)|INFO: From \w+ (//[^\s:]*:[\w./-]+)|` +
		`lerna \S+ .* in '([^']+)'|(@?[\w./-]+[:#][\w-]+): |(\S+@\S+ \S+): |> (\S+)@\S+ \S+$)`)
	jobFailed = lazyregexp.New(`^(?:Execution failed for task '(:[^']+)'|> Task (:\S+) FAILED|- ([\w@./-]+:[\w.-]+)$|` +
		`Target (//\S+) failed to build|lerna ERR! .* exited \d+ in '([^']+)'|Failed: +(\S+#\S+)$|(\S+) exited \(\d+\)$)`)
	// process matches the name of one of several processes in front of its line, and processExit
	// the line that says which of them failed.
	process     = lazyregexp.New(`^(?:\[([\w.:@/-]+)\] |([\w.-]+)\s+\| )`)
	processExit = lazyregexp.New(`(?i)^\W*(.{1,80}?) exited with (?:code )?[1-9]\d*\b`)
	// savesSideMatter matches what a script says before it keeps a report or a log.
	savesSideMatter = lazyregexp.New(`(?i)\b(sav|upload|send|push|writ|publish|keep|stor|copy|` +
		`archiv)\w*\b.{0,30}\b((reports?|logs?|metrics?|coverage|` +
		`diagnostics|results?|screenshots?|traces?)\b|cache(?:[^\w-]|-[^c]|$))`) // not cache-control
	indented = lazyregexp.New(`^\s{2,}\S|^(E|#|●|→|\[\w+\]) `)
	// reportLine matches the first lines of what test runners and linters print.
	reportLine = lazyregexp.New(`(?i)^\W*(=+ test session starts|collected \d+ items|=== RUN|RUN +v\d|PASS\b|FAIL\b|` +
		`TAP version|1\.\.\d+|# Subtest|` +
		`running \d+ tests?|(\[INFO\] )?Running \S|(not )?ok \d+|[.FEs]{2,}\s*(\[|$)|Run options|Randomized|PHPUnit|` +
		`--- (PASS|FAIL)|Tests?\b|` +
		`Test Suite|Test project|Started|Starting|START|Feature:|Scenario|Failures?:|Checking|Scanning|Linting|` +
		`Inspecting|Discover|Collecting)|` +
		`^\s+[✓✔✗✕✖×√] |^[✓✔✗✕✖×√❯] |^\S+\.\w+ \.+|^\S*\.[A-Za-z]\w{0,5}[:(]\d+|^\{"|^<\?xml|^<\w`)
	// failedChecks matches what says how many tests or checks failed.
	failedChecks = lazyregexp.New(`(?i)\b[1-9]\d* (of \d+ )?(tests?|specs?|examples?|assertions?|scenarios?|steps?|` +
		`suites?|checks?|cases?|` +
		`(test )?files?)\b[^.;]{0,30}?\b(fail(ed|ures?|ing)?|undefined|unformatted)\b|` +
		`\b(tests?|specs?|examples?|assertions?|scenarios?|cases)\b[^;]{0,60}\b[1-9]\d* (fail(ed|ures?|ing)?|errors?)\b|` +
		`\b[1-9]\d* (failing|failures?|tests? failed|violations?|offen[cs]es?|problems? found|style issues?)\b|` +
		`\b(failures?|failed|errors?): ?[1-9]\d*\b.*\b(tests?|passed|skipped)\b|\b(tests?|passed)\b.*\b(failures?|` +
		`failed|errors?): ?[1-9]\d*\b`)
	// finds matches what compilers and linters find: a place in a file, and what is wrong there.
	finds = lazyregexp.New(`^\s*(/|\./)?[\w@.+-][\w@./+-]*\.[A-Za-z]\w{0,5}[:(]\d+[:,]\d+\)?(:| -)\s+\S|^error\[[\w-]+\]: `)
	// mildFinding matches those that fail no build, and what only looks like one.
	mildFinding = lazyregexp.New(`(?i)\d\)?(:| -)\s+\W*(warn(ing)?|note|info|style|hint|remark|debug|suggestion|error MSB3073|` +
		`convention|refactor|trace|error: operation error|` +
		`operation error|an error occurred|access ?denied)\b|AccessDenied|not authorized to perform`)
	// lacksToken matches what package managers and Docker say without a token.
	lacksToken = lazyregexp.New(
		`(?i)\bE?40[13]\b|unauthori[sz]ed|authenticat|no basic auth|credentials|interactive login|` +
			`could not find a version|no matching distribution`,
	)
)

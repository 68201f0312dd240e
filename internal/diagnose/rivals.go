package diagnose

import (
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

// What stands before a claim may be a whole failure by itself: a registry that wants a login, a
// token that has expired, a target that does not exist, what a linter found. A command whose output
// would have been explained had it ended there has two failures, and nothing tells which of them
// ended it: the claim may be a trap's, a second try's, or another process's.

// How surely a line is of another failure.
const (
	noFailure    int8 = iota
	someFailure       // by words that many tools share, or by one that may only be a consequence
	toolsFailure      // by the words of one tool or service
)

// otherFailures says of each line whether a cause that is no denied access holds by it.
func (x *facts) otherFailures() []int8 {
	if x.failures == nil {
		x.failures = make([]int8, len(x.bare)+1)
		for i := range causes {
			c := &causes[i]
			if c.Remedy == Ignore || c.Remedy == Retry || !x.recorded(&c.when) {
				continue
			}
			for j := range c.rules {
				x.markFailures(c, &c.rules[j])
			}
		}
	}
	return x.failures
}

// markFailures marks the lines by which the rule holds.
func (x *facts) markFailures(c *Cause, r *rule) {
	weight := toolsFailure
	switch {
	case r.sure, r.denial != nil, r.code != nil, r.any != "", !r.aboutLine(), !x.conditions(r), !x.hasAll(r.also):
		return // sure ones are known: see findSure
	case r.consequence && !(c.quotes && x.onlyChecks):
		return
	case !r.consequence && (c.general || c.last > 0):
		weight = someFailure
	}
	if r.aws != nil {
		for _, e := range x.awsErrors() {
			if x.failures[e.line] < weight && r.onAnswer(&e, &finding{}) {
				x.failures[e.line] = weight
			}
		}
		return
	}
	for _, i := range x.holding(r.says[0], 0, true) {
		if x.failures[i] < weight && r.onLine(x.rows.low(i), x.bare[i], &finding{}) {
			x.failures[i] = weight
		}
	}
}

// failedBefore returns the index of the line by which the output before the claim in the line with
// index i is a failure of its own; -1 if there is none. Nothing between the two may say that the
// command went on.
func (x *facts) failedBefore(i int, w *weighing) int {
	// clean: what stands between only closes; wentOn: it says that something else was begun
	clean, wentOn, head := true, false, x.paragraphHead(i)
	if head >= 0 && reason.MatchString(strings.TrimPrefix(x.bare[head], "Error: ")) {
		head = -1 // it says why itself
	}
	start := x.messageStart(i) - 1
	if first := x.traceback(i); first >= 0 {
		start = min(start, first-1) // an exception that led to this one is part of it
	}
	for k, n := start, 0; k >= 0 && n <= ownMessage; k-- {
		if k == head || strings.TrimSpace(x.bare[k]) == "" || x.denied(k) || x.tested(k) {
			continue
		}
		closes := x.closes(k) && !x.rows.match(strongError, k)
		wentOn = wentOn || x.rows.match(work, k) && !x.rows.match(tidying, k)
		switch f := x.otherFailures()[k]; {
		case x.rows.match(runnerClose, k):
			return k // the runner says that what it ran has failed, and so ends itself
		case x.raw.match(sameRun, k) && !x.rows.match(strongError, k) && !x.rows.match(closing, k):
			return -1
		case !closes && (f == toolsFailure || f == someFailure && clean) && x.isRival(k, w):
			return k
		case !wentOn && x.isVerdict(k, w):
			return k
		case closes, x.idle(k), x.nothingNew(k, nil):
		case x.rows.match(work, k), x.rows.match(calm, k), x.rows.match(goesOnWords, k), x.rows.match(success, k):
			return -1
		default:
			clean = false
			n++
		}
	}
	return -1
}

// isVerdict reports whether the line with index i, above a claim, says what is wrong with a thing that is
// there, and not that something is done about it: a program that says so may end for it, and what it then
// writes at its end is refused.
func (x *facts) isVerdict(i int, w *weighing) bool {
	says := x.rows.match(wrongWith, i) || x.rows.match(falls, i)
	return w.whose != "" && says && !x.idle(i) && !x.rows.match(strongError, i) && !x.rows.match(doesSomething, i) && !x.refuses(i) &&
		!x.survives(i) && !x.rows.match(warns, i) && !x.probes(i, w) && !x.sameThing(i, w)
}

// falls matches what is said of a thing that falls short.
var falls = lazyregexp.New(`(?i)\S (?:has|have|had) no \w|\b\d+ \w+ (?:without|with no) \w|\bmust (?:not )?(?:be|have)\b|` +
	`\S (?:is|are|was|were) (?:wrong|twice|unhealthy|broken|without \w|` +
	`not (?:allowed|approved|signed|tagged|listed|(?:an?|in|on) \w))|\blacks (?:an?|the|its)\b`)

// tidying matches a step with which a program ends, also after a failure.
var tidying = lazyregexp.New(`(?i)^[^\pL]*(?:clean|tidy|remov|delet|clos|shut|stopp|notify|tell|unlock|releas|dropp|restor|roll|` +
	`revert|undo|abort|exit|giv|sav|keep|record|report|mark)\w*ing\b`)

// doesSomething matches a line whose last part says what is done next, `…, migrating it`, or that a tool
// marks as good news or none.
var doesSomething = lazyregexp.New(`(?i)[ℹⓘ✔✓]|(?:[,;:(–—]|\s-|\b(?:so|then)) (?:(?:so|now|then|will|am|are|is|be) )*\w+ing\b`)

// isRival reports whether the line with index i, by which another cause holds, is not about the claim.
func (x *facts) isRival(i int, w *weighing) bool {
	if x.refuses(i) {
		m := endpoint.FindStringSubmatch(x.bare[i])
		if m == nil || w.service == "" || m[1] == w.service {
			return false
		}
	}
	return !x.rows.match(stackWaits, i) && !x.survives(i) && !x.probes(i, w) && !x.sameThing(i, w) && x.mayExit(i)
}

// stackWaits matches eksctl's word that a stack is rolled back, above the events that say why.
var stackWaits = lazyregexp.New(`^\W*unexpected status "\w+" while waiting for CloudFormation stack `)

// mayExit reports whether the command may have ended for the line with index i: a shell and what it
// runs hand on the exit status of what failed.
func (x *facts) mayExit(i int) bool {
	if x.Exit == "" || mapsExit.MatchString(x.Command) {
		return true
	}
	for _, e := range exits {
		if x.rows.match(e.says, i) {
			return x.Exit == e.status
		}
	}
	return true
}

// exits are lines of which it is known with which status the program that prints them ends.
var exits = []struct {
	says   *lazyregexp.Regexp
	status string
}{
	{lazyregexp.New(`^fatal: (?:not a git repository|No names found|No tags|bad revision|ambiguous argument|couldn't find remote|` +
		`repository|unable to access|Remote branch|could not read|pathspec)`), "128"},
	{lazyregexp.New(`^\S*(?:sh|bash): (?:line )?\d+: [\w./-]+: (?:command )?not found$`), "127"},
}

// mapsExit matches a command whose exit status is not that of what it runs.
var mapsExit = lazyregexp.New(`\b(?:make|npm|npx|pnpm|yarn|bun|node|python\d?|ruby|rake|mvn|mvnw|gradlew?|ant|sbt|go|cargo|docker|` +
	`ansible\S*|task|just|tox|nox|invoke|xargs|parallel|pwsh|dotnet|php|composer)\b|\|\|`)

// sameThing reports whether the line with index i is about what was denied. The AWS CLI's report of
// another error is not: that the bucket does not exist is no consequence of a refusal.
func (x *facts) sameThing(i int, w *weighing) bool {
	return !x.rows.match(cliReports, i) &&
		slices.ContainsFunc(w.shared, func(s string) bool { return strings.Contains(x.bare[i], s) })
}

// endpoint finds the service whose host a line names.
var endpoint = lazyregexp.New(`\b([a-z0-9-]+)(?:\.[a-z]{2}(?:-[a-z]+)+-\d)?\.amazonaws\.com\b`)

// probes reports whether the line with index i only says that something exists already, or does not
// exist and the claim is about making something: the command looked before it made it.
func (x *facts) probes(i int, w *weighing) bool {
	return w.makes && x.rows.match(looked, i) || x.rows.match(exists, i)
}

var (
	looked = lazyregexp.New(`\((?:404|\w*(?:NotFound|NoSuch|DoesNotExist)\w*)\) when calling the (?:Describe|Head|Get|List)\w+ operation|` +
		`when calling the (?:Describe|Head|Get|List)\w+ operation: .*\bdoes not exist\b`)
	exists  = lazyregexp.New(`\(\w*Already(?:Exists|OwnedByYou)\w*\) when calling the (?:Create|Register)\w+ operation`)
	making  = lazyregexp.New(`^\w+:(?:Create|Register|Make|Put|Allocate|Run|Start)`)
	undoing = lazyregexp.New(`^\w+:(?:Delete|Stop|Terminate|Release|Cancel|Deregister|Remove|Unlock)`)
)

// survives reports whether the line with index i proves no failure, other than by its level: some
// tools print what they fail of as a warning.
func (x *facts) survives(i int) bool {
	return x.provesNone(i, 0, 0) && !(x.onlyChecks && x.rows.match(warns, i))
}

// messageStart returns the index of the first line of the message that the line with index i is in:
// the head of an indented one, or the beginning of a Python traceback; else i.
func (x *facts) messageStart(i int) int {
	k := x.fieldsStart(i)
	if k < i {
		return k
	}
	if i > 0 && strings.HasPrefix(x.bare[i-1], "<?xml") {
		return i - 1
	}
	if i > 0 && x.rows.match(panicked, i-1) {
		return i - 1
	}
	if i > 0 && strings.HasPrefix(x.lines[i-1].Text, "╰─") { // Rich's box
		for k = i - 1; k > 0 && k > i-maxTraceback && !x.raw.match(richTraceback, k); k-- {
		}
		return k
	}
	for k > 0 && strings.TrimSpace(x.bare[k-1]) != "" && x.raw.match(frameLine, k-1) {
		k--
	}
	switch {
	case k < i && x.rows.match(tracebackLine, k):
		return k
	case k > 0 && x.raw.match(frameLine, i) && strings.TrimSpace(x.bare[k-1]) != "":
		return k - 1
	}
	return i
}

// fieldsStart returns the index of the first line of an answer of AWS whose fields a program prints in lines
// of their own, the code above the message: of AsyncAws with its head, HTTP 403 returned for "…". Else it
// returns i.
func (x *facts) fieldsStart(i int) int {
	if i == 0 || !x.rows.match(messageField, i) || !x.rows.match(codeField, i-1) {
		return i
	}
	if i > 2 && strings.TrimSpace(x.bare[i-2]) == "" && x.rows.match(answeredWith, i-3) {
		return i - 3
	}
	return i - 1
}

// messageField and codeField are fields of an answer of AWS, fieldBehind those that stand behind its message,
// and answered is the head that AsyncAws puts above them.
var (
	messageField = lazyregexp.New(`^\s*Message: +User: `)
	codeField    = lazyregexp.New(`^\s*Code: +\w+$`)
	fieldBehind  = lazyregexp.New(`^\s*(?:Type: +(?:Sender|Receiver)|Detail:)\s*$`)
	answeredWith = lazyregexp.New(`HTTP 403 returned for "https://[\w.-]+\.amazonaws\.com[/"]`)
)

var (
	// panicked is the head of a message of Rust, and richTraceback that of a traceback of Rich.
	panicked      = lazyregexp.New(`^thread '[^']*' (?:\(\d+\) )?panicked at \S+:$`)
	richTraceback = lazyregexp.New(`^╭─+ Traceback \(most recent`)
)

// tracebackLine begins a Python traceback, or that of a group of exceptions, which is indented.
var tracebackLine = lazyregexp.New(`^(?:\s*\+ Exception Group )?Traceback \(most recent`)

// outsideTests reports whether the runner says that what the line with index i shows has happened
// outside of any test: while it set up, or loaded a file.
func (x *facts) outsideTests(i int) bool {
	frames := x.rows.of(outsideTest)
	for k := max(0, x.messageStart(i)-3); k < len(x.bare) && k <= x.frameEnd(i)+1; k++ {
		if frames.at(k) {
			return true
		}
	}
	return false
}

// outsideTest matches what runners say of an error that is no test's, and what Node.js prints when
// an error ends it.
var outsideTest = lazyregexp.New(`(?i)\bglobal[ -]?(?:setup|teardown)\b|^INTERNALERROR>|while loading conftest|` +
	`\berrors? occurred (?:while loading|outside of|in an? )|^\W*Exception during run:|^\W*ERROR: |\bbefore all\b|` +
	`\bsetup_suite\b|\bbootstrap\b|\bunhandled (?:error|rejection|exception)|^Node\.js v\d|` +
	`\bfailed to (?:load|import|set up|start)\b|\berror (?:loading|importing)\b`)

// checkFound returns the index of a line by which the command, which does nothing but check files,
// has found something; -1 if it has not. What AWS refuses ends no such command: it asks nothing.
func (x *facts) checkFound(i int) int {
	if !x.onlyChecks || strings.HasPrefix(x.bare[i], "npm ") { // npx installs first
		return -1
	}
	if x.summary >= 0 {
		return x.summary
	}
	return slices.IndexFunc(x.otherFailures()[:len(x.bare)], func(f int8) bool { return f == toolsFailure })
}

// checkCommand matches a command that does nothing but check files: what it finds is what it fails
// of, and it asks nothing of AWS.
var checkCommand = lazyregexp.New(`^\s*(?:cd [^\s;&|]+ *&& *)?(?:[A-Za-z_]\w*=\S* +)*` +
	`(?:(?:npx|bunx|p?npm exec|yarn(?: run)?|bundle exec|(?:poetry|uv|pipenv|pdm|rye|hatch) run|python3? -m|time|php) +(?:-\S+ +)*)*` +
	`(?:test -z "\$\()?(?:[\w.@/-]*/)?(?:` +
	`[\w-]*lint\w*|flake8|pycodestyle|pydocstyle|pyflakes|mypy|pyright|black|isort|ruff|bandit|codespell|prettier|biome|standard|xo|tsc|` +
	`(?:cargo|go|terraform|tofu|deno|packer) (?:fmt|vet|check|clippy|lint|validate)|` +
	`gofmt|gofumpt|goimports|staticcheck|shfmt|shellcheck|` +
	`rubocop|rustfmt|clang-(?:format|tidy)|cppcheck|checkstyle|phpcs|phpstan|psalm|spectral|sqlfluff|yamllint|[\w-]+ (?:lint|fmt|format))` +
	`(?:\s[^;&|\n]*(?:\| tee \S+)?)?$`)

// unexplainedTest returns the line of a failed test that failed of something else than the denials of
// the build's own; 0 if there is none.
func (x *facts) unexplainedTest(d *buildlog.Denial) int {
	i := x.line(d.Line)
	if len(x.reports) == 0 || i < 0 {
		return 0 // what stands around it is not known
	}
	if x.failedOfElse == nil {
		said, silent := x.testsOfElse()
		x.failedOfElse = &[2]int{said, silent}
	}
	if x.failedOfElse[0] == 0 && x.raw.match(testLog, i) {
		return 0
	}
	return max(x.failedOfElse[0], x.failedOfElse[1])
}

// testsOfElse returns the line of the first failed test whose message is none of the build's own
// denials, and that of the first without a message.
func (x *facts) testsOfElse() (said, silent int) {
	own := x.ownTexts()
	for _, r := range x.reports {
		if len(r.Failed) == 0 && said == 0 {
			said = r.First
		}
		for _, t := range r.Failed {
			switch {
			case t.Message == "" && silent == 0:
				silent = t.Line
			case t.Message != "" && said == 0 && !x.ownRefusal(t.Message, own):
				said = t.Line
			}
		}
	}
	return said, silent
}

// ownRefusal reports whether a test's message is one of the build's own denials, or ends in one: it
// is the first line of what the test says.
func (x *facts) ownRefusal(message string, own []string) bool {
	message = strings.TrimSuffix(strings.TrimSpace(message), "...")
	return slices.ContainsFunc(own, func(text string) bool {
		return strings.Contains(message, clip(text, maxMessage)) || len(message) >= minText && strings.Contains(text, message)
	}) || refused.MatchString(message) && !comparison.MatchString(message) && x.denialBelow(message, own)
}

// denialBelow reports whether one of the build's own denials stands right below a test's message.
func (x *facts) denialBelow(message string, own []string) bool {
	for k := range x.bare {
		if !strings.Contains(x.bare[k], clip(message, maxMessage)) {
			continue
		}
		for n := k + 1; n < len(x.bare) && n <= k+3 && strings.TrimSpace(x.bare[n]) != ""; n++ {
			is := func(text string) bool { return strings.Contains(x.bare[n], clip(text, maxMessage)) }
			if x.denied(n) && slices.ContainsFunc(own, is) {
				return true
			}
		}
	}
	return false
}

// comparison matches a message that says what a test wanted: it is whole without what stands below it.
var comparison = lazyregexp.New(`(?i)\b(got|want(ed)?|expect(ed|s)?|assert\w*|should|must|equal|received|actual)\b`)

// testLog matches what a test of Go logs, which belongs to the test whose verdict is next.
var testLog = lazyregexp.New(`^\s+\S+_test\.go:\d+: `)

// maxMessage is how much of a denial's text a test's message must have: reports cut long ones.
const maxMessage = 60

// ownTexts are AWS's sentences about the build's own session.
func (x *facts) ownTexts() (list []string) {
	for i := range x.denials {
		d := &x.denials[i]
		if _, sentence, ok := strings.Cut(d.Text, "User: "); ok && d.Origin == buildlog.FromLog && x.attribution(d) == whoseOwn &&
			!slices.Contains(list, sentence) && len(list) < maxTexts {
			list = append(list, sentence)
		}
	}
	return list
}

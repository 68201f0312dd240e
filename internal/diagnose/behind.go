package diagnose

import (
	"maps"
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

// What stands behind a claim says whether it ended the command. Each line there is one of four:
// the message goes on (a stack, a dump, a box, a cause); tools, runners and shells close; the line
// is a consequence, about the same thing or about what was not given; or it is other work. What
// cannot be told is other work: a command that goes on after a refusal ends for another reason.

// otherWork returns the indices of the lines behind the claim in the line with index i that are
// other work.
func (x *facts) otherWork(i int, w *weighing) []int {
	var list []int
	known := x.wordsOf(i, w)
	inReport, events, ended := !x.outsideReport(i), x.lastEvent(), x.endOfStep(i)
	another := x.rowsLike(i)
	label := taskLabel.FindString(x.lines[i].Text)
	annotated := strings.HasPrefix(x.bare[i], "[Error at /")    // by the CDK, which says at its end that it found some
	mine, chain, blank := true, false, x.rows.match(cliLine, i) // mine: the line above is no other work
	k := x.paragraphEnd(i) + 1
	if w.over {
		k = i // the line shows what was printed behind the claim
	}
	for ; k < len(x.bare); k++ {
		if x.denied(k) && !(w.over && k == i) { // what follows may be about this one
			for _, word := range wordsIn(x.bare[k]) {
				known[word] = true
			}
			mine, blank = true, false
			continue
		}
		l, raw, inStack := strings.TrimSpace(x.bare[k]), x.lines[k].Text, x.raw.match(stackLine, k)
		if own, ok := strings.CutPrefix(raw, label); ok && label != "" && own != "" { // of the same task
			raw, inStack = own, stackLine.MatchString(own) || dumpOpens.MatchString(own)
		}
		if l == "" || l == strings.TrimSpace(label) {
			blank = true
			continue
		}
		// An error that is indented less than the claim is no part of it.
		indented := !blank && (raw[0] == ' ' || raw[0] == '\t') &&
			!(depth(raw) < depth(x.lines[i].Text) && x.rows.match(errorLabel, k))
		blank = false
		closes := x.closes(k)
		if p := x.process(k); p != "" && w.process != "" {
			if w.alone && p != w.process {
				continue
			}
			closes = closes && (p != w.process || x.toolEnds(k) || x.raw.match(stackEvent, k)) // the same container goes on
		}
		if x.rows.match(noticesBegin, k) { // of the CDK, about itself
			k = x.endOfNotices(k)
			continue
		}
		if x.rows.match(runnerClose, k) && k == x.frameEnd(i)+1 {
			if n := x.otherTarget(k); n >= 0 {
				return append(list, n)
			}
			return nil // the runner names what the claim ended; it may tell how others end
		}
		if list == nil && x.rows.match(npmScript, k) && npmOfAll.MatchString(x.Command) {
			for n := k + 1; n < len(x.bare); n++ {
				if x.rows.match(npmScript, n) {
					return append(list, n)
				}
			}
			return nil // npm says of each workspace whose script failed that it did, and runs the others
		}
		if raw == "{" {
			if n := x.otherRecord(k, known); n >= 0 {
				list = append(list, n)
			}
		}
		if x.othersExit(k, w, known) {
			mine, list = false, append(list, k)
			continue
		}
		chain = chain || x.rows.match(chains, k)
		assertion := x.tested(k) && x.rows.match(compares, k)
		switch {
		case x.rows.match(pulumiHead, k): // what stands below it says whose it is
			mine = false
			continue
		case x.otherEvent(k), x.otherCause(k, known), x.otherRow(k),
			k > events && another(k) && !closes && !x.follows(k, w) && !x.nothingNew(k, known):
			mine, list = false, append(list, k)
			continue
		case x.otherBox(k) && !closes && !x.follows(k, w) && !x.nothingNew(k, known):
			mine, list = false, append(list, k)
			continue
		case x.ofPowerShell(k), x.rows.match(pulumiSum, k), buildlog.AgentLine(raw), x.rows.match(chains, k), inStack,
			annotated && x.rows.match(foundErrors, k),
			x.raw.match(nodeFrame, k), ended != "" && strings.HasSuffix(l, ended), x.repeats(k, i), x.synopsis(k),
			inReport && k <= x.summary && !assertion && !x.anotherError(k, strongError, w.shared, w):
		case indented && mine && !assertion: // it belongs to the line above
		case k > 0 && x.denied(k-1) && x.rows.match(goesOnWords, k): // it is about that denial
		case x.rows.match(fieldBehind, k) && x.fieldsStart(i) < i, x.contextHead(k), x.ofSnakemake(k):
		case indented, !closes && !x.follows(k, w) && !x.nothingNew(k, known) &&
			!(k <= events && x.raw.match(tabular, k)) && !(chain && x.rows.match(exception, k)) && !x.sameException(k, i):
			mine, list = false, append(list, k)
			continue
		}
		mine = true
	}
	return list
}

// contextHead reports whether the line with index k is above the fields with which OpenDAL ends its error: what
// it asked for, and of whom.
func (x *facts) contextHead(k int) bool {
	return x.bare[k] == "Context:" && k+1 < len(x.lines) && x.raw.match(contextField, k+1)
}

// ofSnakemake reports whether the line with index k is one with which Snakemake says which files it removes for a
// failed rule, or which rule failed, and no other has.
func (x *facts) ofSnakemake(k int) bool {
	if k > 0 && x.rows.match(removesOutput, k-1) {
		return true
	}
	if !x.rows.match(failedRule, k) {
		return false
	}
	for n := range x.bare {
		if x.rows.match(failedRule, n) && x.bare[n] != x.bare[k] {
			return false
		}
	}
	return true
}

var (
	contextField = lazyregexp.New(`^ {3}(?:service_operation|uri|service|called|path): \S`)
	failedRule   = lazyregexp.New(`^Error in rule \w+:$`)
	// removesOutput is above the names of a rule's files.
	removesOutput = lazyregexp.New(`^Removing output files of failed job \S+ since they might be corrupted:$`)
)

// othersExit reports whether the line with index k says that something ended which is neither the claim's
// process nor known from the claim or the command: a container of Compose, a task.
func (x *facts) othersExit(k int, w *weighing, known map[string]bool) bool {
	if !x.rows.match(exited, k) {
		return false
	}
	m := exited.FindStringSubmatch(x.bare[k])
	what := m[1] + m[2]
	switch {
	case w.process != "" && strings.Contains(what, w.process):
		return false
	case composed.MatchString(what):
		return true
	}
	words := wordsIn(what)
	return len(words) > 0 && !slices.ContainsFunc(words, func(s string) bool {
		_, ok := known[s]
		return ok || closingWords()[s]
	})
}

var (
	exited = lazyregexp.New(`^\W*(\S.{0,60}?) exited (?:with|\(\d+\)|\d+ in)|` +
		`: error MSB3073: The command "(.*)" exited with code`)
	composed = lazyregexp.New(`^[\w.-]+-\d+$`)
)

// otherCause reports whether the line with index k, behind a claim, names an exception that led to the one
// of the claim, or one of the causes below it, which is something else: it happened first.
func (x *facts) otherCause(k int, known map[string]bool) bool {
	if !x.raw.match(causeSays, k) || x.denied(k) || x.refuses(k) || x.rows.match(hostOfAWS, k) || x.rows.match(carries, k) {
		return false
	}
	m := causeSays.FindStringSubmatch(x.lines[k].Text)
	class, said := m[1]+m[5], m[2]+m[3]+m[4]
	if askedFor.MatchString(class) {
		return false
	}
	return slices.ContainsFunc(wordsIn(said), func(s string) bool {
		_, ok := known[s]
		return !ok && !closingWords()[s]
	})
}

var (
	// causeSays matches an exception that led to the one above, its class and what it says: of Java and .NET,
	// of Node.js, of Ruby, and a numbered one of Rust.
	causeSays = lazyregexp.New(`^(?:\s*(?:Caused by:|--->|\[cause\]:) ([\w.$]+): (.+)|\s+\d+: ([^"{]+)|` +
		`\S+\.rb:\d+:in [^:]*: (.+) \(([A-Z][\w:]*)\))$`)
	// carries matches what an exception says that only carries an answer of a service.
	carries = lazyregexp.New(`(?i)\bresulted in a\b|\bstatus(?: code)?:? ?4\d\d\b|\(4\d\d\)|exception of type|\bBad Request\b|` +
		`\bservice error\b|\bunhandled error\b|\bresponse error\b|\b(?:non-zero|exit (?:code|status))\b`)
)

// rowsLike tells the other rows of the table, or the other items of the list, that the line with index i
// is one of: each says something of its own.
func (x *facts) rowsLike(i int) func(k int) bool {
	if x.raw.match(tableRow, i) {
		return func(k int) bool { return x.raw.match(tableRow, k) }
	}
	if m := wideRow.FindStringSubmatch(x.lines[i].Text); m != nil {
		return func(k int) bool {
			return x.raw.match(wideRow, k) && wideRow.FindStringSubmatch(x.lines[k].Text)[1] == m[1]
		}
	}
	m := listItem.FindStringSubmatch(x.lines[i].Text)
	if m == nil {
		m = x.itemOf(i)
	}
	if m == nil {
		return func(int) bool { return false }
	}
	return func(k int) bool {
		if !x.raw.match(listItem, k) {
			return false
		}
		n := listItem.FindStringSubmatch(x.lines[k].Text)
		return n[1] == m[1] && n[2] == m[2]
	}
}

// itemOf returns the head of the item of a list that the line with index i is a field of; nil if it is none.
func (x *facts) itemOf(i int) []string {
	own := depth(x.lines[i].Text)
	for k := i - 1; k >= 0 && k > i-maxRecord; k-- {
		switch d := depth(x.lines[k].Text); {
		case d == 0, d > own:
			return nil
		case d < own:
			return listItem.FindStringSubmatch(x.lines[k].Text)
		}
	}
	return nil
}

// depth is how many spaces a line begins with.
func depth(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }

// listedBefore reports whether the line with index i is an item of a list of errors, and one above it is
// no denial.
func (x *facts) listedBefore(i int) bool {
	another, found := x.rowsLike(i), false
	for k := i - 1; k >= 0 && k > i-maxBox; k-- {
		switch {
		case another(k):
			found = found || !x.denied(k) && !x.closes(k)
		case x.rows.match(listHead, k):
			return found
		case !x.raw.match(frameLine, k) || strings.TrimSpace(x.bare[k]) == "":
			return false
		}
	}
	return false
}

var (
	wideRow  = lazyregexp.New(`^( +)[\w.@/:-]+ {2,}[^\s:=]`)
	tableRow = lazyregexp.New(`^[|│] *[^|│\s][^|│]*[|│] *[^|│\s]`)
	listItem = lazyregexp.New(`^(\s*)(?:([-*•])|\d+[.)]) \S`)
	listHead = lazyregexp.New(`(?i)\b(?:errors?|problems?|failures?|failed)(?: occurred)?:\s*$`)
)

// ofPowerShell reports whether the line with index k is PowerShell's about where a program printed what
// stands above: the place, the command and a line below it. "+" begins a command in other shells' traces.
func (x *facts) ofPowerShell(k int) bool {
	for n := k; n >= 0 && n >= k-4; n-- {
		if x.rows.match(psPlace, n) {
			return n == k || x.raw.match(psLine, k)
		}
	}
	return false
}

var (
	psPlace = lazyregexp.New(`^At \S.*:\d+ char:\d+$`)
	psLine  = lazyregexp.New(`^\+ |^\s+\+ (?:CategoryInfo|FullyQualifiedErrorId) +:`)
)

// endOfNotices returns the index of the last line of the notices that begin in the line with index k.
func (x *facts) endOfNotices(k int) int {
	for n := k + 1; n < len(x.bare) && n < k+maxNotices && !x.denied(n); n++ {
		if x.rows.match(noticesEnd, n) {
			return n
		}
	}
	return k
}

// maxNotices is how many lines of notices are looked at.
const maxNotices = 60

var (
	noticesBegin = lazyregexp.New(`^NOTICES +\(What's this\?`)
	noticesEnd   = lazyregexp.New(`^If you don.t want to see (?:a|this) notice anymore, use "cdk acknowledge `)
)

// endOfStep returns what BuildKit says of the step that the line with index i is printed by when it
// has failed, and again of the build: `process "/bin/sh -c …" did not complete successfully: …`.
func (x *facts) endOfStep(i int) string {
	m := buildStep.FindStringSubmatch(x.lines[i].Text)
	if m == nil {
		return ""
	}
	ends := x.raw.of(stepFailed)
	for k := i + 1; k < len(x.lines); k++ {
		if ends.at(k) {
			if e := stepFailed.FindStringSubmatch(x.lines[k].Text); e[1] == m[1] {
				return e[2]
			}
		}
	}
	return ""
}

// repeats reports whether the line with index k is a part of the message that the one with index i is
// in: PHP's consoles print each exception of a chain, with the text of the one behind it.
func (x *facts) repeats(k, i int) bool {
	text := strings.TrimSpace(x.bare[k])
	if len(text) < minRepeat {
		return false
	}
	for n := max(0, i-ownMessage); n <= i; n++ {
		if strings.Contains(x.bare[n], text) && strings.TrimSpace(x.bare[n]) != text {
			return true
		}
	}
	return false
}

// minRepeat is how long a text is, in bytes, that does not stand in another by chance.
const minRepeat = 24

// synopsis reports whether the line with index k is how a console command is called, as Symfony prints
// it below an error: NAMESPACE:NAME [options].
func (x *facts) synopsis(k int) bool {
	if !x.rows.match(consoleName, k) {
		return false
	}
	name, _, _ := strings.Cut(strings.TrimSpace(x.bare[k]), " ")
	return slices.Contains(strings.Fields(x.Command), name)
}

// aggregates reports whether the line with index i is of several errors that were thrown as one, and
// one of them is about something else: .NET sums them up in one line, Node.js and Python list them.
func (x *facts) aggregates(i int) bool {
	if x.listedBefore(i) {
		return true
	}
	for k := i; k >= 0 && k > i-maxTraceback; k-- {
		if x.rows.match(aggregate, k) {
			m := aggregate.FindStringSubmatch(x.bare[k])
			return slices.ContainsFunc(strings.Split(m[1], ") ("), func(s string) bool { return !refused.MatchString(s) })
		}
		if x.raw.match(errorList, k) {
			return x.listed(k, i)
		}
		if x.raw.match(settled, k) {
			return x.settledOfElse()
		}
		if !x.raw.match(frameLine, k) && !x.raw.match(listedError, k) && !x.rows.match(innerError, k) {
			return false
		}
	}
	return false
}

// settledOfElse reports whether one of the promises that Node.js lists as rejected has another reason
// than a denial.
func (x *facts) settledOfElse() bool {
	rejected, state := x.raw.of(settled), x.raw.of(promiseState)
	for k := range x.bare {
		if !rejected.at(k) {
			continue
		}
		found := x.denied(k)
		for n := k + 1; n < len(x.bare) && n < k+maxBox && !state.at(n) && !found; n++ {
			found = x.denied(n)
		}
		if !found {
			return true
		}
	}
	return false
}

// listed reports whether the list of errors that begins in the line with index k holds one as far
// indented as the one with index i that is no denial.
func (x *facts) listed(k, i int) bool {
	depth := func(n int) int { return len(listedError.FindStringSubmatch(x.lines[n].Text)[1]) }
	if !x.raw.match(listedError, i) {
		return false
	}
	for n := k + 1; n < len(x.bare) && n < k+maxTraceback && (x.raw.match(frameLine, n) || x.raw.match(listedError, n)); n++ {
		if x.raw.match(listedError, n) && depth(n) == depth(i) && !x.denied(n) {
			return true
		}
	}
	return false
}

var (
	// settled matches a promise of a list that was rejected, and promiseState any of the list.
	settled      = lazyregexp.New(`^\s*(?:\{ )?status: 'rejected'`)
	promiseState = lazyregexp.New(`^\s*(?:\{ )?status: '(?:rejected|fulfilled)'`)
	aggregate    = lazyregexp.New(`AggregateException: One or more errors occurred\. \((.*)\)$`)
	innerError   = lazyregexp.New(`^\W*\(Inner Exception #\d+\) `)
	// errorList begins a list of errors that were thrown as one, and listedError matches one of
	// them: what it is indented by, and its class.
	errorList   = lazyregexp.New(`^\s*\[errors\]: \[$|^\s*\+-\+-{4,} 1 -{4,}$`)
	listedError = lazyregexp.New(`^(\s+(?:\| )*)[\w.]*[A-Z]\w*(?:: |$)`)
)

// otherBox reports whether the line with index k is the head of an error in a box, as Terraform draws
// it around each, and no denial is in it.
func (x *facts) otherBox(k int) bool {
	if k == 0 || !x.raw.match(boxError, k) || !strings.HasPrefix(x.lines[k-1].Text, "╷") {
		return false
	}
	for end := min(len(x.bare), k+maxBox); k < end && !strings.HasPrefix(x.lines[k].Text, "╵"); k++ {
		if x.denied(k) {
			return false
		}
	}
	return true
}

// otherEvent reports whether the line with index k is an event of CloudFormation by which a resource
// failed of something else than a refusal or the failure of another resource.
func (x *facts) otherEvent(k int) bool {
	if !x.rows.match(failedEvent, k) {
		return false
	}
	m := failedEvent.FindStringSubmatch(x.bare[k])
	why := m[2] + m[4] + m[5] + m[7]
	return len(strings.Fields(why)) >= minReason && !x.denied(k) && !ledTo.MatchString(why) &&
		!sameRefusal.MatchString(why)
}

// minReason is how many words of an event are a reason: fewer may be one cell of a narrow table.
const minReason = 3

var (
	// failedEvent matches an event of CloudFormation: the type of a resource that failed, and why.
	failedEvent = lazyregexp.New(`_FAILED[\s|]+((?:AWS|Custom|Alexa|Module)::\S+)[\s|]+\S+(?: \(\w+\))?[\s|]+(\S.*)|` +
		`((?:AWS|Custom|Alexa|Module)::\S+)[\s|]+\S+[\s|]+\w+_FAILED[\s|]+(\S.*)|` +
		`^\s*"ResourceStatusReason": "(.*)"|` +
		`((?:AWS|Custom|Alexa|Module)::[\w:]+)/\S+: \w+_FAILED – "(.*)"$`) // eksctl
	ledTo = lazyregexp.New(`(?i)^resource (?:creation|update|deletion|import) |\bthe following resource|\bcancell?ed\b|\brollback\b|` +
		`\bdenied\b|\bforbidden\b|not authori[sz]ed`)
)

// otherRow reports whether the line with index k is a row of Pulumi's progress by which a resource failed
// of something else than a refusal.
func (x *facts) otherRow(k int) bool {
	if !x.rows.match(pulumiRow, k) || x.denied(k) {
		return false
	}
	why := pulumiRow.FindStringSubmatch(x.bare[k])[1]
	return !pulumiSum.MatchString(why) && !sameRefusal.MatchString(why)
}

var (
	// pulumiRow matches a row of Pulumi's progress with an error: what it is. pulumiHead matches a resource
	// in the list of errors at the end, and pulumiSum what is said of the stack, and above an error.
	pulumiRow  = lazyregexp.New(`^\W+[\w.-]+:[\w./-]+:\w+ \S+ .*?\berror: (.+)$`)
	pulumiHead = lazyregexp.New(`^\s*[\w.-]+:[\w./-]+:\w+ \(\S+\):$`)
	pulumiSum  = lazyregexp.New(`^\s*(?:error: +)?(?:\d+ errors? occurred:|(?:update|preview|destroy|refresh) failed)$`)
)

// maxBox is how many lines of a box are looked at.
const maxBox = 60

var boxError = lazyregexp.New(`^│ Error: `)

// otherTarget returns the index of the line with which make says, behind the line with index k that
// says it of one target, that another failed by itself: its own output stands above; -1 if none did.
func (x *facts) otherTarget(k int) int {
	level := runnerClose.FindStringSubmatch(x.bare[k])[1]
	for n := k + 1; n < len(x.bare); n++ {
		if x.rows.match(runnerClose, n) && runnerClose.FindStringSubmatch(x.bare[n])[1] == level &&
			!x.denied(n-1) && !x.rows.match(closing, n-1) && strings.TrimSpace(x.bare[n-1]) != "" {
			return n
		}
	}
	return -1
}

// otherRecord returns the index of the message of the record that begins in the line with index k,
// as loggers print JSON over several lines, if it is of an error of its own; -1 if it is not.
func (x *facts) otherRecord(k int, known map[string]bool) int {
	message, failed, levelled := -1, false, false
	known = maps.Clone(known)
	known["message"], known["msg"] = false, false // beside other words
	for n := k + 1; n < len(x.bare) && n <= k+maxRecord && x.lines[n].Text != "}"; n++ {
		if x.denied(n) {
			return -1
		}
		failed, levelled = failed || x.raw.match(errorLevel, n), levelled || x.raw.match(anyLevel, n)
		says := x.raw.match(recordMessage, n) || !levelled && message < 0 && x.raw.match(objectField, n)
		if says && !x.closes(n) && !x.nothingNew(n, known) {
			message = n
		}
	}
	if !failed && levelled {
		return -1
	}
	return message
}

// paragraphEnd returns the index of the last line of the paragraph that the line with index i is
// in, if it explains an error as Terraform does. Else it returns i.
func (x *facts) paragraphEnd(i int) int {
	if x.paragraphHead(i) < 0 {
		return i
	}
	for i+1 < len(x.bare) && strings.TrimSpace(x.bare[i+1]) != "" {
		i++
	}
	return i
}

// paragraphHead returns the index of the head of an error that the paragraph with the line with
// index i explains: the head, an empty line, and text that is broken into lines. -1: it explains
// none.
func (x *facts) paragraphHead(i int) int {
	k := i - 1
	for ; k > 0 && k > i-ownMessage && strings.TrimSpace(x.bare[k]) != ""; k-- {
	}
	if k <= 0 || strings.TrimSpace(x.bare[k]) != "" || !strings.HasPrefix(x.bare[k-1], "Error: ") {
		return -1
	}
	return k - 1
}

// sameException reports whether the line with index k is an exception of the class that the one with
// index i names.
func (x *facts) sameException(k, i int) bool {
	return x.rows.match(exceptionLine, k) && strings.Contains(x.bare[i], exceptionLine.FindStringSubmatch(x.bare[k])[1])
}

// worry reports whether the line with index i, above a claim about a side matter, may be why the
// command ended: it is neither work nor a closing word.
func (x *facts) worry(i int, known map[string]bool) bool {
	return !x.denied(i) && !x.idle(i) && !x.rows.match(work, i) && !x.rows.match(calm, i) && !x.rows.match(warns, i) &&
		!x.closes(i) && !x.nothingNew(i, known)
}

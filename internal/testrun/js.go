package testrun

import (
	"path"
	"strconv"
	"strings"
	"unicode"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

// jsRunners are those of JavaScript and TypeScript. Cypress, WebdriverIO and others that run Mocha
// print its report.
var jsRunners = []runner{
	{"jest", []string{"● ", "Test Suites: "}, jest},
	{"vitest", []string{" FAIL ", " RUN  v"}, vitest},
	{"mocha", []string{" failing", "Exception during run"}, mocha},
	{"ava", []string{"✘ ", "✖ "}, ava},
	{"playwright", []string{" › "}, playwright},
	{"bun test", []string{"(fail) ", "✗ ", "Unhandled error between tests"}, bun},
	{"deno test", []string{"FAILED | "}, deno},
	{"lab", []string{"Failed tests:"}, lab},
	{"node --test", []string{"✖ "}, nodeTest},
	{"jasmine", []string{"Failures:"}, jasmine},
	{"karma", []string{" FAILED", "✖ "}, karma},
	{"cucumber-js", []string{") Scenario: "}, cucumberJS},
	{"cucumber-js", []string{".feature:"}, cucumberPlaces},
	{"uvu", []string{"FAIL  "}, uvu},
	{"TAP formatter", []string{"✖ ", "⨯ ", "✗ ", " failed"}, tapFormatter},
}

// A block is what a runner prints about one failed test.
type block struct {
	codebuild.TestCase
	from, to int // the lines below its heading: from the first of them to before to
}

// explain fills in what the lines of the block tell: why the test failed, and where.
func (b *block) explain(out *output) {
	message, at := why(out.lines[b.from:b.to])
	if b.Message == "" {
		b.Message = message
	}
	if at != "" {
		b.At = at
	}
}

// cases returns the tests of the blocks. One without a name is the file that it happened in.
func cases(blocks []block, out *output) []codebuild.TestCase {
	var list []codebuild.TestCase
	for i := range blocks {
		blocks[i].to = out.cut(blocks[i].from-1, blocks[i].to) // what follows missing lines may be another's
		blocks[i].explain(out)
		if blocks[i].Name == "" {
			blocks[i].Name, _, _ = strings.Cut(blocks[i].At, ":")
		}
		list = append(list, blocks[i].TestCase)
	}
	return list
}

var (
	// jsFrame is a line of a stack: "at f (a.js:1:2)", "❯ a.js:1:2", "f@a.js:1:2".
	jsFrame = lazyregexp.New(`^(?:at |At: |❯ |› |\S*@)(?:.*[\s(])?` +
		`((?:file://|webpack://)?[^\s()@]+\.\w+):(\d+)(?::\d+)?\)?,?$`)
	// jsForeign is in the paths of frames that are not the project's own.
	jsForeign = lazyregexp.New(`(?:^|/)node_modules/|^node:|^internal/|^ext:|^bun:|/\.yarn/|/\.pnpm/`)
	// jsSource is a line of the source that a runner quotes.
	jsSource = lazyregexp.New(`^(?:>?\s*\d+ ?\||\|)`)
)

// why returns the first line that says why a test failed, and the first frame of the stack that is
// the project's own.
func why(lines []string) (message, at string) {
	var expected, received, syntax string
	for i, l := range lines {
		l = strings.TrimSpace(l)
		m := jsFrame.FindStringSubmatch(l)
		switch {
		case m != nil:
			if at == "" && !jsForeign.MatchString(m[1]) {
				at = strings.TrimPrefix(strings.TrimPrefix(m[1], "file://"), "webpack://") + ":" + m[2]
			}
		case l == "" || strings.HasPrefix(l, "at ") || jsSource.MatchString(l) || strings.Trim(l, "─-⎯=") == "":
		case message == "":
			message = l
			if strings.HasSuffix(l, ":") {
				message = strings.TrimSpace(l + " " + next(lines[i+1:]))
			}
		case syntax == "" && strings.HasPrefix(l, "SyntaxError: "):
			syntax = l
		case expected == "" && strings.HasPrefix(l, "Expected"):
			expected = l
		case received == "" && strings.HasPrefix(l, "Received"):
			received = l
		}
	}
	if strings.HasPrefix(message, "Jest encountered an unexpected token") && syntax != "" {
		message = syntax // what comes first explains Jest at length
	}
	if strings.HasPrefix(message, "expect(") || strings.HasPrefix(message, "Error: expect(") {
		for _, s := range []string{expected, received} {
			if strings.Contains(s, ": ") {
				message += " " + s
			}
		}
	}
	return message, at
}

// next returns the first of the next lines that has text.
func next(lines []string) string {
	for _, l := range lines[:min(len(lines), 5)] {
		if l = strings.TrimSpace(l); l != "" {
			return l
		}
	}
	return ""
}

// splitName splits the path of a test, as SUITE SEPARATOR NAME.
func splitName(s, separator string) (suite, name string) {
	for i := len(s); ; {
		if i = strings.LastIndex(s[:i], separator); i < 0 {
			return "", s
		}
		// What has no letter is the end of a title that has the separator in it.
		if name = s[i+len(separator):]; strings.IndexFunc(name, unicode.IsLetter) >= 0 {
			return s[:i], name
		}
	}
}

// inside puts a suite into another.
func inside(outer, inner string) string {
	if outer == "" || inner == "" {
		return outer + inner
	}
	return outer + " › " + inner
}

var npmScript = lazyregexp.New(`^> [\w@/.-]+ [\w:.-]+(?: /\S*)?$`)

// since returns the index of the line at which the process began whose report has line i, and which
// is not before floor: that below npm's or Yarn's line about the script, if there is one. What a
// test prints by itself stands in front of all that its runner prints.
func since(out *output, i, floor int) int {
	for ; i > floor; i-- {
		l := out.lines[i-1]
		if strings.HasPrefix(l, "> ") && i-2 >= floor && npmScript.MatchString(out.lines[i-2]) {
			break
		}
		if strings.HasPrefix(l, "$ ") && i-2 >= floor && strings.HasPrefix(out.lines[i-2], "yarn run v") {
			break
		}
	}
	return i
}

// number reads a runner's count; 0 for none.
func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0
	}
	return n
}

// indent counts the spaces that a line begins with.
func indent(l string) int { return len(l) - len(strings.TrimLeft(l, " ")) }

var (
	jestFile = lazyregexp.New(`^ ?(PASS|FAIL) +(?:\S+ +)?(\S+)(?: \([\d.,]+ m?s\))?(?: \(.* heap size\))?$`)
	jestSum  = lazyregexp.New(`^(Test Suites|Tests|Snapshots|Time): +(?:(\d+) failed)?`)
	jestHead = lazyregexp.New(`^  ● (.+)$`)
	jestGo   = lazyregexp.New(`\d(?:\.\d+)?m?s$`)
)

// jestAbout are headings that are no test's.
var jestAbout = map[string]bool{
	"Console": true, "Deprecation Warning": true, "Validation Warning": true, "Validation Error": true,
	"Multiple configurations found": true,
	"Cannot log after tests are done. Did you forget to wait for something async in your test?": true}

// jest reads Jest's default, verbose, github-actions and summary reporters. It prints the failed
// tests of a file below "FAIL file", each below "● group › test", and once more at the end if there
// were many files.
func jest(out *output) []Report {
	var reports []Report
	var blocks []block
	first, last, floor := -1, 0, 0
	count, failed, summed := 0, false, false
	file, fails := "", false
	finish := func() {
		if first >= 0 && (len(blocks) > 0 || failed) {
			reports = append(reports, Report{First: out.n[since(out, first, floor)], Last: out.n[last],
				Failed: cases(blocks, out), Count: count})
			floor = last + 1
		}
		blocks, first, count, failed, summed, file, fails = nil, -1, 0, false, false, "", false
	}
	closing := func(i int) {
		if n := len(blocks); n > 0 && blocks[n-1].to == 0 {
			blocks[n-1].to = i
		}
	}
	for i, l := range out.lines {
		if len(l) < 4 {
			continue
		}
		head := jestHead.FindStringSubmatch(l)
		switch m := jestFile.FindStringSubmatch(l); {
		case m != nil && !jestGo.MatchString(m[2]):
			closing(i)
			if summed {
				finish()
			}
			file, fails = m[2], m[1] == "FAIL"
		case head != nil:
			closing(i)
			if summed {
				finish()
			}
			title := strings.TrimSpace(head[1])
			exits := strings.HasPrefix(title, "process.exit called with ")
			// Reporters for people in a hurry print no line about the file.
			bare := file == "" && i+2 < len(out.lines) && out.lines[i+1] == "" && indent(out.lines[i+2]) == 4
			if !exits && (!fails && !bare || jestAbout[title]) {
				if file == "" {
					continue
				}
				break
			}
			b := block{from: i + 1}
			b.Line = out.n[i]
			if exits { // and nothing says any more which test that was
				b.Message = title
			} else if title == "Test suite failed to run" {
				b.Name = path.Clean(file)
			} else {
				b.Suite, b.Name = splitName(title, " › ")
				if file != "" {
					b.Suite = inside(path.Clean(file), b.Suite)
				}
			}
			blocks = append(blocks, b)
		case strings.HasPrefix(l, "::group::Errors thrown in "):
			closing(i)
			file, fails = strings.TrimPrefix(l, "::group::Errors thrown in "), true
		case strings.HasPrefix(l, "::endgroup::"), strings.HasPrefix(l, "Summary of all failing tests"),
			strings.HasPrefix(l, "Snapshot Summary"), strings.HasPrefix(l, "  console."):
			closing(i)
		case strings.HasPrefix(l, "Ran all test suites") && summed, strings.HasPrefix(l, "Jest: ") && summed:
		default:
			m := jestSum.FindStringSubmatch(l)
			if m == nil || m[1] != "Test Suites" && first < 0 {
				continue
			}
			closing(i)
			failed = failed || m[2] != "" && m[1] != "Snapshots"
			if summed = true; m[1] == "Tests" {
				count = number(m[2])
			}
		}
		if first < 0 {
			first = i
		}
		last = i
	}
	closing(len(out.lines))
	if len(blocks) > 0 && !summed { // the end is cut off
		last = len(out.lines) - 1
	}
	finish()
	return reports
}

var (
	vitestFail  = lazyregexp.New(`^ FAIL (?: ?\|([^|]+)\| {1,2}|  (\S+(?: \S+)*)  | )(\S.*)$`)
	vitestSuite = lazyregexp.New(`^(\S.*?) \[ (\S+) \]$`)
	vitestSum   = lazyregexp.New(`^ *(Test Files|Tests|Type Errors|Errors|Snapshots|Start at|Duration)  +` +
		`(?:(\d+) (?:failed|errors?))?`)
	vitestEnd = lazyregexp.New(`^⎯+(\[\d+/\d+\])?⎯+$`)
)

// vitest reads Vitest's default, verbose, dot, tree, basic and minimal reporters: whichever it is,
// the failed tests stand at the end below " FAIL  file > group > test", several of them above one
// reason.
func vitest(out *output) []Report {
	var reports []Report
	var blocks []block
	first, last, floor := -1, 0, 0
	count, failed := 0, false
	ruled := false // there is a line of its own form: others mark failures likewise
	open := 0      // how many of the last blocks have no end yet
	closing := func(i int) {
		for k := len(blocks) - open; k < len(blocks); k++ {
			blocks[k].from = blocks[len(blocks)-1].from // all of them have the one reason
			blocks[k].to = max(i, blocks[k].from)
		}
		open = 0
	}
	finish := func() {
		if first >= 0 && ruled && (len(blocks) > 0 || failed) {
			reports = append(reports, Report{First: out.n[since(out, first, floor)], Last: out.n[last],
				Failed: cases(blocks, out), Count: count})
			floor = last + 1
		}
		blocks, first, count, failed, ruled = nil, -1, 0, false, false
	}
	for i, l := range out.lines {
		m := vitestFail.FindStringSubmatch(l)
		switch s := vitestSum.FindStringSubmatch(l); {
		case strings.HasPrefix(l, " RUN  v"):
			closing(i)
			finish()
			ruled = true
		case m != nil:
			if open > 0 && blocks[len(blocks)-1].from != i {
				closing(i)
			}
			b := vitestBlock(m[1]+m[2], m[3])
			b.from, b.Line = i+1, out.n[i]
			blocks = append(blocks, b)
			open++
		case vitestEnd.MatchString(l) && strings.Contains(l, "["), strings.Contains(l, "⎯ Failed Tests "),
			strings.Contains(l, "⎯ Failed Suites "), strings.Contains(l, "⎯ Unhandled Errors ⎯"):
			closing(i)
			ruled = true
		case s != nil && first >= 0:
			closing(i)
			failed = failed || s[2] != ""
			if s[1] == "Tests" {
				count = number(s[2])
			}
		default:
			continue
		}
		if first < 0 {
			first = i
		}
		last = i
	}
	closing(len(out.lines))
	finish()
	return reports
}

// vitestBlock reads what stands behind FAIL: "file > group > test", or "file [ file ]" for a file
// that could not be loaded, behind the project's name if there are several.
func vitestBlock(project, text string) block {
	var b block
	if m := vitestSuite.FindStringSubmatch(text); m != nil {
		b.Suite, b.Name = project, m[2]
		if m[1] != m[2] { // a hook of the group failed
			b.Suite, b.Name = splitName(m[1], " > ")
		}
		return b
	}
	b.Suite, b.Name = splitName(text, " > ")
	b.Suite = inside(project, strings.ReplaceAll(b.Suite, " > ", " › "))
	return b
}

var (
	mochaSum   = lazyregexp.New(`^ {0,4}(\d+) failing$`)
	mochaPass  = lazyregexp.New(`^ {0,4}\d+ passing(?: \(\S+\))?$`)
	mochaHead  = lazyregexp.New(`^ {0,4}(\d+)\) (.+)$`)
	mochaLoad  = lazyregexp.New(`^ ?Exception during run: (.*)$`)
	mochaStack = lazyregexp.New(`^\s+at `)
)

// mocha reads the end that all of Mocha's reporters for people have: "3 failing", and for each of
// the failed tests its number and its path, a line for each part, the last with a colon.
func mocha(out *output) []Report {
	var reports []Report
	floor := 0
	for i := 0; i < len(out.lines); i++ {
		l := out.lines[i]
		if m := mochaLoad.FindStringSubmatch(l); m != nil {
			b := block{from: i, to: min(len(out.lines), i+40)}
			b.Message, b.Line = m[1], out.n[i]
			end := i
			for k := i + 1; k < b.to; k++ {
				if t := out.lines[k]; strings.HasPrefix(t, "- ") && b.Name == "" {
					b.Name = strings.TrimPrefix(t, "- ")
				} else if !mochaStack.MatchString(t) && t != "Require stack:" && !strings.HasPrefix(t, "- ") {
					break
				}
				end = k
			}
			b.to = end + 1
			b.explain(out)
			if b.Name == "" {
				b.Name, _, _ = strings.Cut(b.At, ":")
			}
			reports = append(reports, Report{First: out.n[since(out, i, floor)], Last: out.n[end],
				Failed: []codebuild.TestCase{b.TestCase}})
			i, floor = end, end+1
			continue
		}
		m := mochaSum.FindStringSubmatch(l)
		if m == nil {
			continue
		}
		r := Report{Count: number(m[1])}
		blocks, end := mochaBlocks(out, i+1)
		if len(blocks) == 0 {
			continue // another's
		}
		r.First, r.Last, r.Failed = out.n[since(out, i, floor)], out.n[end], cases(blocks, out)
		reports = append(reports, r)
		i, floor = end, end+1
	}
	return reports
}

// mochaBlocks reads the numbered tests from line i on, and returns the last line of the last.
func mochaBlocks(out *output, i int) (blocks []block, end int) {
	next, before := 1, i-1
	for i < len(out.lines) {
		m := mochaHead.FindStringSubmatch(out.lines[i])
		// A number may be left out only where lines are missing.
		if m == nil || number(m[1]) < next || number(m[1]) > next && out.cut(before, i+1) > i {
			if mochaSum.MatchString(out.lines[i]) || mochaPass.MatchString(out.lines[i]) {
				break // the next run's
			}
			i++
			continue
		}
		if n := len(blocks); n > 0 {
			blocks[n-1].to = i
		}
		next, before = number(m[1])+1, i
		b := block{}
		b.Line = out.n[i]
		part, whole := m[2], out.cut(i, len(out.lines))
		// Each further part stands two columns further in than the one above.
		for depth := 1; i+1 < whole && indent(out.lines[i+1]) == 5+2*depth; depth++ {
			b.Suite = inside(b.Suite, part)
			i++
			part = strings.TrimSpace(out.lines[i])
		}
		for k := 0; k < 5 && !strings.HasSuffix(part, ":") && i+1 < whole; k++ { // lines of a title
			i++
			part += " " + strings.TrimSpace(out.lines[i])
		}
		i++
		if i == whole && !strings.HasSuffix(part, ":") {
			continue // the name is missing
		}
		b.Name, b.from = strings.TrimSuffix(part, ":"), i
		blocks = append(blocks, b)
	}
	if len(blocks) == 0 {
		return nil, 0
	}
	last := &blocks[len(blocks)-1]
	end = last.from - 1
	blank := 0
	for k := last.from; k < i; k++ {
		l := out.lines[k]
		if strings.TrimSpace(l) == "" {
			if blank++; blank == 2 {
				break
			}
			continue
		}
		if strings.HasPrefix(l, "npm ") {
			break
		}
		blank, end = 0, k
	}
	last.to = end + 1
	return blocks, end
}

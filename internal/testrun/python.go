package testrun

import (
	"path"
	"strings"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

// pythonRunners are those of Python. What tox and nox run prints its own report.
var pythonRunners = []runner{
	{"pytest", []string{" failed", "FAILED ", " error", "INTERNALERROR> ", "while loading conftest '",
		"+ Timeout +", "= FAILURES =", "= ERRORS ="}, pytest},
	{"unittest", []string{"\nFAIL", "\nERROR", "UNEXPECTED SUCCESS: ", "[ERROR]\n", "[FAIL]\n", "... FAILED",
		") failed:\n", "FAILED (", "\nFailed to import test module: "}, unittest},
	{"green", []string{"\nFailure in ", "\nError in ", "ImportError: Failed to import "}, green},
	{"doctest", []string{"Failed example:"}, pydoc},
	{"ward", []string{"  Failed at "}, ward},
	{"behave", []string{"\nFailing scenarios:", "\nErrored scenarios:", " scenario passed, ", " scenarios passed, "},
		behave},
	{"Robot Framework", []string{"| FAIL |", "\nFAIL: "}, robot},
}

// A pyTrace reads a traceback line by line: the last exception, and the innermost frame that is the
// project's own.
type pyTrace struct {
	at, message string
	frame       int // how far the latest frame is indented; -1 outside of a traceback
}

var (
	pyFrame     = lazyregexp.New(`^(\s*)File "([^"]+)", line (\d+)`)
	pyException = lazyregexp.New(`^\s*(?:builtins\.)?([A-Za-z_][\w.]*(?:: .*|:|Error|Exception|Exit|Interrupt|` +
		`Failure|Failed|Warning|Timeout))$`)
)

func (p *pyTrace) read(l string) {
	if m := pyFrame.FindStringSubmatch(l); m != nil {
		p.frame = len(m[1])
		if at := ownFile(m[2]); at != "" {
			p.at = at + ":" + m[3]
		}
		return
	}
	indent := len(l) - len(strings.TrimLeft(l, " "))
	if p.frame < 2 || strings.TrimSpace(l) == "" || indent > p.frame-2 {
		return
	}
	if m := pyException.FindStringSubmatch(l); m != nil {
		p.message = m[1]
		p.frame = -1
	}
}

// ownFile is the path, "" if it is not of the project itself.
func ownFile(path string) string {
	if strings.HasPrefix(path, "<") || strings.Contains(path, "/lib/python") {
		return ""
	}
	for _, f := range foreignFrames {
		if strings.Contains(path, f) {
			return ""
		}
	}
	return path
}

var (
	pytestStart   = lazyregexp.New(`^(?:=+ test session starts =+|Test session starts \(platform: .*)$`)
	pytestSection = lazyregexp.New(`^=+ (\S.*?) =+$`)
	pytestEnd     = lazyregexp.New(`^(?:(?:=+ )?(?:\d+ [a-z]+(?:, )?)+ in [\d.]+s(?: \([\d:]+\))?(?: =+)?|` +
		`Results \([\d.]+s\):)$`)
	pytestHeader   = lazyregexp.New(`^[_―]+ ([^_ ].*?|_.*?\w.*?) [_―]+$`) // the latter is pytest-sugar's
	sweetCounts    = lazyregexp.New(`^ +[1-9]\d* (?:failed|error)$`)
	pytestTestFile = lazyregexp.New(`^((?:.*/)?(?:test_[^/]*|[^/]*_test)\.py):\d+$`)
	pytestSugar    = lazyregexp.New(`^ +- (\S+):(\d+) (\S.*)$`)
	pytestPhase    = lazyregexp.New(`^(ERROR (?:at (?:setup|teardown) of|collecting)|\[doctest\]|\[undocumented\]) (.+)$`)
	pytestLine     = lazyregexp.New(`^([^\s:][^:]*)::(.+?) (?:FAILED|ERROR)(?: +\(.*\))?\s*(?:\[ *\d+%\])?$`)
	pytestXdist    = lazyregexp.New(`^\[gw\d+\] \[ *\d+%\] (?:FAILED|ERROR) ([^\s:][^:]*)::(.+?) *$`)
	pytestNode     = lazyregexp.New(`^([^\s:][^:]*)::(\S.*?) *$`)
	pytestLive     = lazyregexp.New(`^-+ live log `)
	pytestCrash    = lazyregexp.New(`^worker '\w+' crashed while running '([^\s:][^:]*)::(.+)'$`)
	pytestTimeout  = lazyregexp.New(`\++ Timeout \++$`)
	pytestRunning  = lazyregexp.New(`^\s+File "([^"]+)", line \d+, in (test\w*)$`)
	pytestVerdict  = lazyregexp.New(`^(?:FAILED|ERROR)\s*(?:\[ *\d+%\])?$`)
	pytestSummary  = lazyregexp.New(`^(?:FAILED|ERROR) (\S.*)$`)
	pytestSub      = lazyregexp.New(`^SUBFAIL(?:ED)?((?: ?\[.*?\]| ?\(.*?\))*) ([^\s:]+::\S.*)$`)
	pytestCause    = lazyregexp.New(`^E {1,}(\S.*)$`)
	pytestPlace    = lazyregexp.New(`^(\S[^:]*\.\w+):(\d+): ?(.*)$`)
	pytestDots     = lazyregexp.New(`^(\S+\.\w+) [.sxXFER]*[FE][.sxXFER]* *(?:\[ *\d+%\])?$`)
	pytestQuiet    = lazyregexp.New(`^[.sxXFER]+ +\[ *\d+%\]$`)
	pytestConf     = lazyregexp.New(`^ImportError while loading conftest '([^']+)'`)
	pytestCounts   = lazyregexp.New(`\b([1-9]\d*) (?:failed|errors?)\b`)
)

// pytestFirst are the sections that a quiet session may begin with.
var pytestFirst = map[string]bool{"ERRORS": true, "FAILURES": true, "short test summary info": true}

// A pytestCase is a failed test as it is put together from the parts of a report.
type pytestCase struct {
	test codebuild.TestCase
	file string
	key  string          // CLASS.NAME, which headers have without the file
	told map[string]bool // the phases that a header told of
}

// A pytestRun is one session.
type pytestRun struct {
	out         *output
	start       int // the first line that no earlier session has
	first, last int // -1 if there is none
	announced   bool
	quiet       bool // a line of progress is in the form that it has while output is captured
	failed      bool
	count       int
	timeout     bool // pytest-timeout shows where all threads are
	ended       bool
	section     string
	cases       []*pytestCase
	byKey       map[string][]*pytestCase
	places      []codebuild.TestCase // failures of --tb=line, which has no names
	files       []codebuild.TestCase // files with failed tests, by the line of progress
	cur         *pytestCase
	trace       pyTrace
	node        [2]string
}

// pytest reads its reports in any form: names from the lines of progress (-v, xdist, live logs),
// the headers of failures and the summary, which are merged by name. Where all three were switched
// off, the places of --tb=line or the files stand for the tests.
func pytest(out *output) []Report {
	var reports []Report
	run := newPytestRun(out, 0)
	gaps := out.gaps
	for i, l := range out.lines {
		for len(gaps) > 0 && gaps[0] <= out.n[i] {
			gaps = gaps[1:]
			run.gap()
		}
		again := pytestStart.MatchString(l) && run.first >= 0
		if again || run.ended && strings.TrimSpace(l) != "" && !strings.HasPrefix(l, "!") && !run.sweet(l) {
			reports = run.report(reports)
			run = newPytestRun(out, i)
		}
		run.read(i, l)
	}
	return run.report(reports)
}

func newPytestRun(out *output, start int) *pytestRun {
	return &pytestRun{out: out, start: start, first: -1, last: -1, byKey: map[string][]*pytestCase{},
		trace: pyTrace{frame: -1}}
}

// gap is told that lines are missing: what follows may be the rest of another failure, whose header
// was among them, so it says nothing of the test before.
func (p *pytestRun) gap() {
	if p.cur != nil {
		p.cur, p.trace = &pytestCase{}, pyTrace{frame: -1}
	}
}

// sweet reports whether a line is one of the results that pytest-sugar puts behind the end.
func (p *pytestRun) sweet(l string) bool {
	return strings.HasPrefix(l, "     ") && p.last >= 0 &&
		(strings.HasPrefix(p.out.lines[p.last], "Results (") || strings.HasPrefix(p.out.lines[p.last], "     "))
}

func (p *pytestRun) read(i int, l string) {
	mark := func() {
		if p.first < 0 {
			p.first = i
		}
		p.last = i
	}
	if pytestStart.MatchString(l) {
		p.announced = true
		mark()
		return
	}
	if p.ended && p.sweet(l) {
		if m := pytestSugar.FindStringSubmatch(l); m != nil {
			base, params, found := strings.Cut(m[3], "[")
			node := strings.ReplaceAll(base, ".", "::")
			if found {
				node += "[" + params
			}
			if c := p.named(m[1], node, p.out.n[i]); c.test.At == "" {
				c.test.At = m[1] + ":" + m[2]
			}
		}
		p.failed = p.failed || sweetCounts.MatchString(l)
		mark()
		return
	}
	switch {
	case l == "":
		return
	case pytestEnd.MatchString(l):
		p.count = sum(pytestCounts, l)
		p.failed = p.failed || p.count > 0
		p.ended = true
		p.cur = nil
		mark()
		return
	case strings.HasPrefix(l, "INTERNALERROR> "):
		p.failed = true
		mark()
		return
	case strings.HasPrefix(l, "!!!"):
		mark()
		return
	case pytestQuiet.MatchString(l):
		p.quiet = true
		mark()
		return
	}
	if m := pytestSection.FindStringSubmatch(l); m != nil && (p.announced || p.section != "" || pytestFirst[m[1]]) {
		p.section, p.cur = m[1], nil
		mark()
		return
	}
	n := p.out.n[i]
	if m := pytestConf.FindStringSubmatch(l); m != nil {
		p.cur = p.add("", m[1], "", n)
		mark()
		return
	}
	within := p.announced || p.section != ""
	if m := pytestHeader.FindStringSubmatch(l); m != nil && within && !strings.HasPrefix(l, "_ _") {
		p.header(m[1], n)
		mark()
		return
	}
	if p.section == "short test summary info" {
		if m := pytestSummary.FindStringSubmatch(l); m != nil {
			p.summary(m[1], "", n)
			mark()
			return
		}
		if m := pytestSub.FindStringSubmatch(l); m != nil {
			p.summary(m[2], strings.TrimSpace(m[1]), n)
			mark()
			return
		}
	}
	if m := pytestCrash.FindStringSubmatch(l); m != nil {
		p.named(m[1], m[2], n).test.Message = l
		mark()
		return
	}
	if pytestTimeout.MatchString(l) {
		p.failed, p.timeout = true, true // the process ends without a summary
		mark()
		return
	}
	if m := pytestRunning.FindStringSubmatch(l); m != nil && p.timeout && ownFile(m[1]) != "" {
		p.add(m[1], m[2], m[2], n).test.Message = "Timeout"
		mark()
		return
	}
	if m := pytestLine.FindStringSubmatch(l); m != nil && (p.announced || strings.HasSuffix(m[1], ".py")) {
		p.named(m[1], m[2], n)
		mark()
		return
	}
	if m := pytestXdist.FindStringSubmatch(l); m != nil {
		p.named(m[1], m[2], n)
		mark()
		return
	}
	if p.section == "" {
		next := ""
		if i+1 < len(p.out.lines) {
			next = p.out.lines[i+1]
		}
		if m := pytestNode.FindStringSubmatch(l); m != nil && (!strings.Contains(m[2], " ") || pytestLive.MatchString(next)) {
			p.node = [2]string{m[1], m[2]}
			return
		}
		if pytestVerdict.MatchString(l) && p.node[0] != "" {
			p.named(p.node[0], p.node[1], n)
			p.node[0] = ""
			mark()
			return
		}
		if m := pytestDots.FindStringSubmatch(l); m != nil {
			p.files = append(p.files, codebuild.TestCase{Name: m[1], Line: n})
			mark()
			return
		}
	}
	p.body(l, n)
	if p.section != "" && p.section != "short test summary info" {
		p.last = i
	}
}

// body reads a line of a failure.
func (p *pytestRun) body(l string, n int) {
	if p.cur == nil {
		if m := pytestPlace.FindStringSubmatch(l); m != nil && p.section == "FAILURES" {
			at := m[1] + ":" + m[2]
			p.places = append(p.places, codebuild.TestCase{Name: path.Base(at), At: at, Message: m[3], Line: n})
		}
		return
	}
	t := &p.cur.test
	if m := pytestCause.FindStringSubmatch(l); m != nil {
		if t.Message == "" {
			t.Message = m[1]
		}
		return
	}
	if m := pytestPlace.FindStringSubmatch(l); m != nil && ownFile(m[1]) != "" {
		t.At = m[1] + ":" + m[2]
		return
	}
	if strings.HasPrefix(l, "[XPASS(strict)]") && t.Message == "" {
		t.Message = strings.TrimSpace(l)
	}
	p.trace.read(l)
	if p.trace.message != "" {
		t.Message, p.trace.message = p.trace.message, ""
	}
	if p.trace.at != "" {
		t.At, p.trace.at = p.trace.at, ""
	}
}

// nodeKey is what names a test in a header, by the part of its id that follows the file.
func nodeKey(node string) string {
	base, params, found := strings.Cut(node, "[")
	key := strings.ReplaceAll(base, "::", ".")
	if found {
		key += "[" + params
	}
	return key
}

// cutNode splits CLASS::NAME[PARAMETERS] before the name.
func cutNode(node, sep string) (class, name string) {
	base, _, _ := strings.Cut(node, "[")
	if i := strings.LastIndex(base, sep); i >= 0 {
		return node[:i], node[i+len(sep):]
	}
	return "", node
}

func (p *pytestRun) add(file, name, key string, n int) *pytestCase {
	c := &pytestCase{test: codebuild.TestCase{Name: name, Line: n}, file: file, key: key, told: map[string]bool{}}
	p.cases = append(p.cases, c)
	if key == "" {
		key = name
	}
	p.byKey[key] = append(p.byKey[key], c)
	return c
}

// maxAlike bounds the tests of one name (without its file) among which one is searched.
const maxAlike = 50

// named is told a test by its file and the rest of its id.
func (p *pytestRun) named(file, node string, n int) *pytestCase {
	key := nodeKey(node)
	var c *pytestCase
	alike := p.byKey[key]
	for _, x := range alike[:min(len(alike), maxAlike)] {
		if x.file == file {
			c = x
			break
		}
		if x.file == "" && c == nil {
			c = x
		}
	}
	if c == nil {
		c = p.add(file, node, key, n)
	}
	class, name := cutNode(node, "::")
	c.file, c.test.Name, c.test.Suite = file, name, file
	if class != "" {
		c.test.Suite += "::" + class
	}
	return c
}

// header is told the text of a failure's header.
func (p *pytestRun) header(text string, n int) {
	phase, name := "", text
	if m := pytestPhase.FindStringSubmatch(text); m != nil {
		phase, name = m[1], m[2]
	} else if strings.HasPrefix(text, "coverage:") || strings.HasPrefix(text, "summary") || strings.Contains(text, "/") {
		p.cur = nil // drawn by tox or pytest-cov, or a worker that crashed, which names its test itself
		return
	}
	p.cur, p.trace = nil, pyTrace{frame: -1}
	alike := p.byKey[name]
	for _, x := range alike[:min(len(alike), maxAlike)] {
		if !x.told[phase] {
			p.cur = x
			break
		}
	}
	if p.cur == nil {
		p.cur = p.add("", name, name, n)
		if phase == "" || strings.HasPrefix(phase, "ERROR at") {
			p.cur.test.Suite, p.cur.test.Name = cutNode(name, ".")
		}
	}
	// Message and place are of one phase: of the test's own failure, which pytest prints after the errors
	// of what is around it, and without one of the phase that came first.
	more := len(p.cur.told) > 0
	p.cur.told[phase] = true
	switch {
	case more && phase == "":
		p.cur.test.Message, p.cur.test.At = "", ""
	case more:
		p.cur = nil
	}
}

// summary is told a line of the short test summary, and which subtest it is of.
func (p *pytestRun) summary(rest, sub string, n int) {
	node, message := p.cutSummary(rest)
	if sub != "" {
		node += " " + sub
	}
	file, id, ok := strings.Cut(node, "::")
	var c *pytestCase
	if !ok {
		if strings.ContainsAny(file, " ") && message == "" {
			return
		}
		if known := p.byKey[file]; len(known) > 0 {
			c = known[0]
		} else {
			c = p.add("", file, file, n)
		}
	} else {
		c = p.named(file, id, n)
	}
	if c.test.Message == "" {
		c.test.Message = message
	}
}

// cutSummary splits NODE - MESSAGE. Parameters may have dashes, too, so their brackets must be
// closed before the message.
func (p *pytestRun) cutSummary(s string) (node, message string) {
	for from := 0; ; {
		i := strings.Index(s[from:], " - ")
		if i < 0 {
			break
		}
		i += from
		node := s[:i]
		_, id, ok := strings.Cut(node, "::")
		open := strings.Count(node, "[") - strings.Count(node, "]")
		if ok && len(p.byKey[nodeKey(id)]) > 0 || open <= 0 && (strings.HasSuffix(node, "]") || !strings.Contains(node, "[")) {
			return node, s[i+3:]
		}
		if from = i + 3; from > maxName {
			break
		}
	}
	if strings.Contains(s, "[") && !strings.Contains(s, "]") {
		node, message, _ = strings.Cut(s, " - ")
		return node, message
	}
	return s, ""
}

func (p *pytestRun) report(reports []Report) []Report {
	if p.first < 0 {
		return reports
	}
	var r Report
	for _, c := range p.cases {
		m := pytestTestFile.FindStringSubmatch(c.test.At)
		if m != nil && c.file == "" && !strings.HasSuffix(c.test.Name, ".py") {
			// Only a header named it. Where it failed in a file of tests, that is its own.
			c.test.Suite = strings.TrimSuffix(m[1]+"::"+strings.ReplaceAll(c.test.Suite, ".", "::"), "::")
		}
		r.Failed = append(r.Failed, c.test)
	}
	if len(p.places) > 0 {
		p.place(&r)
	}
	if len(r.Failed) == 0 && p.failed && len(p.files) > 0 {
		r.Failed = p.files
	}
	if len(r.Failed) == 0 && !p.failed {
		return reports
	}
	// With neither a header nor captured output, what was printed before may be the tests'.
	if !p.announced && !p.quiet {
		p.first = p.start
	}
	r.First, r.Last, r.Count = p.out.n[p.first], p.out.n[p.last], p.count
	for _, c := range p.cases {
		r.Count -= max(0, len(c.told)-1) // a test whose fixture failed as well is counted twice
	}
	return append(reports, r)
}

// place joins the places of --tb=line with the names of the summary, which has the same order.
// Where there is none, the places stand for the tests.
func (p *pytestRun) place(r *Report) {
	var bare []*codebuild.TestCase
	for i := range r.Failed {
		if c := p.cases[i]; len(c.told) == 0 && c.file != "" {
			bare = append(bare, &r.Failed[i])
		}
	}
	if len(bare) == 0 {
		r.Failed = append(r.Failed, p.places...)
		return
	}
	for _, t := range bare {
		if len(p.places) == 0 {
			return
		}
		// A failure without a traceback has no place, so the messages must agree.
		x := p.places[0]
		if !strings.HasPrefix(x.Message, strings.TrimSuffix(t.Message, "...")) {
			continue
		}
		p.places, t.Message = p.places[1:], x.Message
		if ownFile(x.At) != "" {
			t.At = x.At
		}
	}
}

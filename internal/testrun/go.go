package testrun

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

// goRunners are those of Go. Ginkgo and gocheck run inside of go test, whose reader knows both.
var goRunners = []runner{
	{"gotestsum", []string{"=== FAIL: "}, gotestsum},
	{"go test -json", []string{`"Action":"fail"`}, goJSON},
	{"ginkgo", []string{"Summarizing 1 Failure:", " Failures:"}, ginkgoTest},
	{"go test", []string{"--- FAIL: ", "FAIL\t", "FAIL "}, goTest},
}

var (
	goMark = lazyregexp.New(`^=== (RUN|CONT|NAME|PAUSE) +(\S+)`)
	// What a test prints without a line break stands in front of its verdict.
	goVerdict = lazyregexp.New(`^( *)(?:\S.*)?--- (FAIL|PASS|SKIP|BENCH): (\S+)(?: \((?:[\d.]+s|unknown)\))?$`)
	goPlace   = lazyregexp.New(`^(\s+)(\S+\.go:\d+): ?(.*)$`)
	goEnd     = lazyregexp.New(`^(FAIL|ok|\?)\s+(\S+)\s+([\d.]+s|\(cached\)|\[[a-z ]+\])`)
	goCheck   = lazyregexp.New(`^(?:FAIL|PANIC): (\S+\.go:\d+): (\S+)$`)
	// goCheckEnd is what follows a failure of gocheck.
	goCheckEnd = lazyregexp.New(`^(?:-{20,}|OOPS: |--- FAIL: )`)
	goPanic    = lazyregexp.New(`^(?:panic|fatal error): `)
	goRunning  = lazyregexp.New(`^\s+(\S+) \([\dhms.]+\)$`)
	goFrame    = lazyregexp.New(`^\s+(\S+\.go:\d+)(?: \+0x[0-9a-f]+)?$`)
	goFunc     = lazyregexp.New(`^\S+\.((?:Test|Fuzz|Example|Benchmark)\w*)(?:\.func[\d.]+)?\(`)
	// A line before the first of go test's that no test printed: the command's echo, the compiler.
	goOther = lazyregexp.New(`^go: |\bgo test\b|^# \S|^\S+\.go:\d+(:\d+)?: |^(\S*/)?(gotestsum|ginkgo) `)
	// goWhy are words of those who say why a test failed, as a log's line says other things too.
	goWhy = lazyregexp.New(`(?i)\b(got|want|expect|fail|err|not|mismatch|differ|unexpected|should|must|panic|race|wrong|missing|` +
		`invalid|nil|Trace:)|!=|≠`)
)

// goPackage collects what is read about one package.
type goPackage struct {
	cases   []goCase
	started map[string]int      // where the tests began that have no verdict yet
	order   []string            // they, in the order of their beginnings
	body    map[string][]string // what tests printed, with -v
	current string              // who prints now, with -v
	levels  []int               // the last verdict of each depth
	race    string              // where the race was that was found last
	inner   bool                // another runner named the tests of the next verdict
	crash   []string            // from a panic on
	crashAt int
	last    string // the last line that is no frame of the runner
	lastAt  int
}

type goCase struct {
	codebuild.TestCase
	body []string
}

// goTest reads what go test prints, with and without -v, also with Ginkgo or gocheck inside. A test
// that failed by its subtests alone is not named beside them.
func goTest(out *output) []Report {
	r := goText(out.lines, out.n)
	if r == nil {
		return nil
	}
	begin(out, r, goOther.MatchString)
	return []Report{*r}
}

// ginkgoTest reads a run of Ginkgo, by its own command or by go test.
func ginkgoTest(out *output) []Report {
	if !slices.ContainsFunc(out.lines, func(l string) bool {
		return strings.HasPrefix(l, "Summarizing ") && ginkgoHead.MatchString(l)
	}) {
		return nil
	}
	return goTest(out)
}

// goText reads the text of one run of go test. First is then the line of the first mark.
func goText(lines []string, n []int) *Report {
	var r Report
	p := &goPackage{}
	passed, failed := false, false
	summed := 0 // where the last summary of Ginkgo ends
	mark := func(i int) {
		if r.First == 0 {
			r.First = n[i]
		}
		r.Last = n[i]
	}
	for i := 0; i < len(lines); i++ {
		l := lines[i]
		if strings.HasPrefix(l, "=== ") {
			if m := goMark.FindStringSubmatch(l); m != nil {
				mark(i)
				p.mark(m[1], m[2], n[i])
				continue
			}
		}
		if strings.Contains(l, "--- ") {
			if m := goVerdict.FindStringSubmatch(l); m != nil {
				mark(i)
				p.verdict(len(m[1])/4, m[2], m[3], n[i])
				continue
			}
		}
		switch {
		case l == "FAIL", l == "PASS":
			mark(i)
			failed, passed = failed || l == "FAIL", passed || l == "PASS"
		case strings.HasPrefix(l, "FAIL"), strings.HasPrefix(l, "ok "), strings.HasPrefix(l, "? "),
			strings.HasPrefix(l, "ok\t"), strings.HasPrefix(l, "?\t"), strings.HasPrefix(l, "PANIC: "):
			if m := goCheck.FindStringSubmatch(l); m != nil {
				mark(i)
				p.inner = true
				p.cases = append(p.cases, goCase{codebuild.TestCase{Name: m[2], At: m[1], Line: n[i]}, upTo(lines[i+1:], 12,
					goCheckEnd.MatchString)})
			} else if m := goEnd.FindStringSubmatch(l); m != nil {
				mark(i)
				failed, passed = failed || m[1] == "FAIL", passed || m[1] == "ok"
				unbuilt := strings.HasSuffix(m[3], " failed]")
				r.Failed = append(r.Failed, p.close(m[2], m[1] == "FAIL" && !unbuilt)...)
				p = &goPackage{}
			} else {
				p.text(l, n[i])
			}
		case strings.HasPrefix(l, "Summarizing "):
			mark(i)
			if list, size := ginkgo(lines, n, summed, i); len(list) > 0 {
				p.cases, p.inner, failed = append(p.cases, list...), true, true
				i += size
				summed = i
				mark(i)
			}
		case strings.HasPrefix(l, "Running Suite: "), strings.HasPrefix(l, "Ginkgo ran "), l == "Test Suite Failed":
			mark(i)
		case l == "WARNING: DATA RACE":
			p.race = goPlaceOf(upTo(lines[i:], 40, func(s string) bool { return strings.HasPrefix(s, "=====") }))
			p.text(l, n[i])
		case p.crash == nil && goPanic.MatchString(l):
			mark(i)
			p.crash, p.crashAt = upTo(lines[i:], 400, goEnd.MatchString), n[i]
			p.text(l, n[i])
		default:
			p.text(l, n[i])
		}
	}
	crashed := len(p.crash) > 0 && len(p.cases)+len(p.order) > 0
	r.Failed = append(r.Failed, p.close("", crashed)...)
	if r.First == 0 || len(r.Failed) == 0 || passed && !failed && !crashed {
		return nil
	}
	return &r
}

// mark takes "=== RUN  TestTotal" and its like.
func (p *goPackage) mark(what, name string, n int) {
	if what == "PAUSE" {
		return
	}
	p.current = name
	if what == "RUN" {
		if p.started == nil {
			p.started, p.body = map[string]int{}, map[string][]string{}
		}
		if _, ok := p.started[name]; !ok {
			p.started[name] = n
			p.order = append(p.order, name)
		}
	}
}

// verdict takes "--- FAIL: TestTotal (0.00s)" and its like.
func (p *goPackage) verdict(depth int, what, name string, n int) {
	delete(p.started, name)
	depth = min(depth, len(p.levels))
	p.levels = append(p.levels[:depth], -1)
	p.current = ""
	if what != "FAIL" {
		return
	}
	if p.inner && depth == 0 {
		p.inner = false
		return
	}
	p.levels[depth] = len(p.cases)
	p.cases = append(p.cases, goCase{codebuild.TestCase{Name: name, At: p.race, Line: n}, p.body[name]})
	p.race = ""
}

// maxBody is how many lines are kept of what a test printed.
const maxBody = 60

// text takes any other line.
func (p *goPackage) text(l string, n int) {
	if strings.TrimSpace(l) == "" {
		return
	}
	if !strings.HasPrefix(l, "exit status ") {
		p.last, p.lastAt = l, n
	}
	if p.current != "" {
		if b := p.body[p.current]; p.body != nil && len(b) < maxBody {
			p.body[p.current] = append(b, l)
		}
		return
	}
	depth := (len(l)-len(strings.TrimLeft(l, " ")))/4 - 1
	for depth = min(depth, len(p.levels)-1); depth >= 0; depth-- {
		if i := p.levels[depth]; i >= 0 {
			if c := &p.cases[i]; len(c.body) < maxBody {
				c.body = append(c.body, l)
			}
			return
		}
	}
	if len(p.levels) > 0 && p.levels[0] >= 0 { // an example's output is not indented
		if c := &p.cases[p.levels[0]]; strings.HasPrefix(c.Name, "Example") && len(c.body) < 6 {
			c.body = append(c.body, l)
		}
	}
}

// close ends a package. failed: one of its tests must have failed.
func (p *goPackage) close(pkg string, failed bool) []codebuild.TestCase {
	if failed && len(p.crash) > 0 {
		why, at := goReason(p.crash)
		names := goCrashed(p.crash)
		if len(names) == 0 && len(p.cases) == 0 {
			for _, name := range p.order {
				if _, open := p.started[name]; open {
					names = []string{name} // the last one that began
				}
			}
		}
		for _, name := range names {
			p.cases = append(p.cases, goCase{codebuild.TestCase{Name: name, Message: why, At: at, Line: p.crashAt}, nil})
		}
		if k := len(p.cases) - 1; len(names) == 0 && k >= 0 && len(p.cases[k].body) == 0 {
			p.cases[k].Message, p.cases[k].At = why, at
		}
		p.last, p.lastAt = why, p.crashAt
	}
	if failed && len(p.cases) == 0 && pkg != "" {
		name, line := pkg, p.lastAt
		for _, open := range p.order {
			if n, ok := p.started[open]; ok {
				name, line = open, n
			}
		}
		p.cases = append(p.cases, goCase{codebuild.TestCase{Name: name, Message: strings.TrimSpace(p.last), Line: line}, nil})
	}
	return goNamed(p.cases, pkg)
}

// goNamed says of each test why it failed, and leaves out those that failed by their subtests.
func goNamed(cases []goCase, pkg string) []codebuild.TestCase {
	var list []codebuild.TestCase
	parents := map[string]bool{}
	for _, c := range cases {
		for i, r := range c.Name {
			if r == '/' {
				parents[c.Name[:i]] = true
			}
		}
	}
	for _, c := range cases {
		if c.Message == "" {
			why, at := goReason(c.body)
			c.Message = why
			if at != "" {
				c.At = at
			}
		}
		if k := len(list) - 1; parents[c.Name] && goPanic.MatchString(c.Message) && k >= 0 && list[k].Message == "" &&
			strings.HasPrefix(list[k].Name, c.Name+"/") {
			list[k].Message, list[k].At = c.Message, c.At // gotestsum gives the parent what a subtest printed last
			continue
		}
		if parents[c.Name] && !goWhy.MatchString(c.Message) {
			continue
		}
		if c.Suite == "" {
			c.Suite = pkg
		}
		if c.Name == c.Suite || c.Suite == "." {
			c.Suite = ""
		}
		if c.Line != 0 {
			list = append(list, c.TestCase)
		}
	}
	return list
}

// goCrashed names the tests that a panic's text names: those that ran when the time was up, or the
// one in whose function the panicking goroutine was.
func goCrashed(crash []string) (names []string) {
	for i, l := range crash {
		if i > 0 && strings.HasPrefix(l, "goroutine ") && i > 40 {
			break
		}
		if m := goRunning.FindStringSubmatch(l); m != nil {
			names = append(names, m[1])
		}
	}
	leaves := slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		return slices.ContainsFunc(names, func(s string) bool { return strings.HasPrefix(s, name+"/") })
	})
	if len(leaves) > 0 || strings.Contains(crash[0], "recovered") {
		return leaves
	}
	for _, l := range crash {
		if m := goFunc.FindStringSubmatch(l); m != nil {
			return m[1:]
		}
	}
	return nil
}

// goReason finds in what a test printed the line that says why it failed, and its place.
func goReason(body []string) (why, at string) {
	found := false
	for i, l := range body {
		if m := goPlace.FindStringSubmatch(l); m != nil {
			more := upTo(body[i+1:], 12, func(s string) bool {
				return len(s)-len(strings.TrimLeft(s, " \t")) <= len(m[1])
			})
			text := m[3]
			if t, ok := goTestify(more); ok {
				text = strings.TrimSpace(text + " " + t)
			} else if text == "" || strings.HasSuffix(text, ":") {
				text += " " + strings.Join(more, " ")
			}
			sure := goWhy.MatchString(text)
			if at == "" || sure {
				why, at = strings.TrimSpace(text), m[2]
			}
			if found = true; sure {
				break
			}
		} else if !found && goPanic.MatchString(l) {
			why = l
			if i := strings.Index(why, " [recovered"); i > 0 {
				why = why[:i]
			}
			return why, goPlaceOf(body[i:])
		} else if strings.HasPrefix(l, "... ") && why != "" && !found { // gocheck
			why += " " + strings.TrimPrefix(l, "... ")
		} else if t := strings.TrimSpace(l); !found && (why == "" || why == "got:" || strings.HasPrefix(why, "got: ")) &&
			t != "" && !strings.HasPrefix(t, "=== ") && !strings.HasSuffix(t, ".go") && !gocheckHead.MatchString(t) {
			why = strings.TrimSpace(why + " " + strings.TrimPrefix(t, "... "))
		}
	}
	if strings.HasPrefix(at, "testing.go:") {
		at = goPlaceOf(body)
	}
	return why, at
}

var gocheckHead = lazyregexp.New(`^\S+\.go:\d+:$`)

// goRoot finds places in Go's own packages, whichever folder they are in.
var goRoot = lazyregexp.New(`/src/(?:bufio|bytes|context|encoding|errors|fmt|internal|io|net|os|reflect|regexp|runtime|slices|` +
	`sort|strings|sync|syscall|testing|time)/|^_testmain\.go`)

// goPlaceOf returns the first place of a stack that is neither Go's own nor the runner's.
func goPlaceOf(stack []string) string {
	for _, l := range stack {
		if m := goFrame.FindStringSubmatch(l); m != nil && !goRoot.MatchString(m[1]) {
			return m[1]
		}
	}
	return ""
}

// goTestify reads testify's table of an assertion.
func goTestify(lines []string) (text string, ok bool) {
	key := ""
	var parts, notes []string
	for _, l := range lines {
		f := strings.TrimSpace(l)
		for _, k := range []string{"Error Trace:", "Error:", "Test:", "Messages:"} {
			if strings.HasPrefix(f, k) {
				key, f, ok = k, strings.TrimSpace(f[len(k):]), true
			}
		}
		switch {
		case strings.HasPrefix(f, "Diff:"):
			key = ""
		case f == "":
		case key == "Error:":
			parts = append(parts, f)
		case key == "Messages:":
			notes = append(notes, f)
		}
	}
	return strings.Join(append(notes, parts...), " "), ok
}

var (
	ginkgoHead  = lazyregexp.New(`^Summarizing \d+ Failures?:`)
	ginkgoLine  = lazyregexp.New(`^\s*\[(?:FAIL|Fail|PANICKED!|Panic!|TIMEDOUT|TIMEOUT|INTERRUPTED|ABORTED|FAILED)!?\] (.*)$`)
	ginkgoNode  = lazyregexp.New(`^(.*?)\s*\[(\w+)(?: \([^)]*\))?\]\s*(.*)$`)
	ginkgoPlace = lazyregexp.New(`^\s*(/?\S+\.go:\d+)$`)
)

// ginkgo reads the summary at line i of a suite that begins at line from, and returns how many more
// lines the summary has.
func ginkgo(lines []string, n []int, from, i int) (list []goCase, size int) {
	if !ginkgoHead.MatchString(lines[i]) {
		return nil, 0
	}
	for k := i + 1; k < len(lines); k++ {
		if m := ginkgoLine.FindStringSubmatch(lines[k]); m != nil {
			c := goCase{codebuild.TestCase{Name: m[1], Line: n[k]}, nil}
			if s := ginkgoNode.FindStringSubmatch(m[1]); s != nil {
				if c.Suite, c.Name = s[1], s[3]; c.Name == "" {
					c.Name = s[2] // BeforeSuite has no text of its own
				}
			}
			list = append(list, c)
		} else if m := ginkgoPlace.FindStringSubmatch(lines[k]); m != nil && len(list) > 0 {
			if c := &list[len(list)-1]; c.At == "" {
				c.At = m[1]
			}
		} else if strings.TrimSpace(lines[k]) != "" {
			break
		}
		size = k - i
	}
	ginkgoWhy(lines[from:i], list)
	return list, size
}

// ginkgoWhy finds what was said of each failure above the summary. Both are in the same order.
func ginkgoWhy(lines []string, list []goCase) {
	k := 0
	for i := 0; i < len(lines) && k < len(list); i++ {
		for j := k; j < len(list); j++ {
			if list[j].Name == "" || !strings.HasSuffix(lines[i], "] "+list[j].Name) {
				continue
			}
			for q := i + 1; q < min(len(lines), i+30) && !strings.HasPrefix(lines[q], "-----"); q++ {
				t := strings.TrimSpace(lines[q])
				rest, ok := strings.CutPrefix(t, "[FAILED] ")
				if ok && !strings.HasPrefix(rest, "in [") {
					list[j].Message = strings.Join(append([]string{rest}, upTo(lines[q+1:], 8, func(s string) bool {
						s = strings.TrimSpace(s)
						return strings.HasPrefix(s, "In [") || strings.HasPrefix(s, "::error") || s == ""
					})...), " ")
					break
				}
				if t == "[PANICKED] Test Panicked" && q+3 < len(lines) {
					list[j].Message = strings.TrimSpace(strings.Join(lines[q+2:q+4], " "))
					if at := goPlaceOf(lines[q+3 : min(len(lines), q+20)]); at != "" {
						list[j].At = at
					}
					break
				}
			}
			k = j + 1
			break
		}
	}
}

// goStyle is a colour, which JSON hides from those who strip the log of it.
var goStyle = lazyregexp.New(`\x1b\[[0-9;]*m`)

// goJSON reads the events of go test -json.
func goJSON(out *output) []Report {
	var r Report
	type stream struct {
		lines  []string
		n      []int
		failed []string // tests, in the order of their events
		lineOf map[string]int
		body   map[string][]string
		broken bool
	}
	streams := map[string]*stream{}
	var order []string
	for i, l := range out.lines {
		at := strings.IndexByte(l, '{')
		if at < 0 || !strings.Contains(l, `"Action":"`) {
			continue
		}
		var e struct{ Action, Package, Test, Output, FailedBuild string }
		if json.Unmarshal([]byte(l[at:]), &e) != nil {
			continue
		}
		if r.First == 0 {
			r.First = out.n[i]
		}
		r.Last = out.n[i]
		s := streams[e.Package]
		if s == nil {
			s = &stream{lineOf: map[string]int{}, body: map[string][]string{}}
			streams[e.Package] = s
			order = append(order, e.Package)
		}
		switch {
		case e.Action == "output":
			text := goStyle.ReplaceAllString(strings.TrimSuffix(e.Output, "\n"), "")
			s.lines, s.n = append(s.lines, text), append(s.n, out.n[i])
			if b := s.body[e.Test]; e.Test != "" && len(b) < maxBody && !goVerdict.MatchString(text) {
				s.body[e.Test] = append(b, text)
			}
		case e.Action == "fail" && e.Test != "":
			s.failed = append(s.failed, e.Test)
			s.lineOf[e.Test] = out.n[i]
		case e.Action == "fail":
			s.broken = e.FailedBuild == ""
		}
	}
	for _, pkg := range order {
		s := streams[pkg]
		var inner []codebuild.TestCase
		if t := goText(s.lines, s.n); t != nil {
			inner = t.Failed
		}
		var cases []goCase
		known := map[string]bool{}
		for _, name := range s.failed {
			known[name] = true
			cases = append(cases, goCase{codebuild.TestCase{Name: name, Line: s.lineOf[name]}, s.body[name]})
		}
		named := goNamed(cases, pkg)
		if len(named) == 0 && s.broken {
			r.Failed = append(r.Failed, inner...)
			continue
		}
		// A test that crashed, and the specs of Ginkgo and gocheck, are in the text alone.
		ended := map[string]bool{}
		for _, t := range inner {
			if !known[t.Name] && s.broken {
				ended[t.Name] = true
				r.Failed = append(r.Failed, t)
			}
		}
		for _, t := range named {
			if len(ended) == 0 || t.Message != "" && goPlaceOnly.MatchString(t.At) {
				r.Failed = append(r.Failed, t)
			}
		}
	}
	if len(r.Failed) == 0 {
		return nil
	}
	return []Report{r}
}

var goPlaceOnly = lazyregexp.New(`^\S+\.go:\d+$`)

var (
	gotestsumFail = lazyregexp.New(`^=== FAIL: (\S+) (\S*)(?: \(re-run (\d+)\))? \((?:[\d.]+s|unknown)\)$`)
	gotestsumRest = lazyregexp.New(`^(?:=== (?:FAIL|SKIP): |=== (?:Failed|Skipped|Errors)$|DONE \d)`)
	gotestsumDone = lazyregexp.New(`^DONE (?:(\d+) runs, )?\d+ tests?\b`)
)

// gotestsum reads the summary of gotestsum. What passed when it was run again did not fail.
func gotestsum(out *output) []Report {
	var r Report
	type once struct {
		goCase
		run int
	}
	var all []once
	runs := 0
	for i, l := range out.lines {
		if strings.HasPrefix(l, "DONE ") {
			if m := gotestsumDone.FindStringSubmatch(l); m != nil && r.First != 0 {
				r.Last = out.n[i]
			}
			continue
		}
		if !strings.HasPrefix(l, "=== FAIL: ") {
			continue
		}
		m := gotestsumFail.FindStringSubmatch(l)
		if m == nil {
			continue
		}
		body := upTo(out.lines[i+1:], 400, gotestsumRest.MatchString)
		if r.First == 0 {
			r.First = out.n[i]
		}
		r.Last = out.n[min(len(out.n)-1, i+len(body))]
		name := m[2]
		if name == "" {
			if containsLine(body, "[build failed]") || containsLine(body, "[setup failed]") {
				continue
			}
			name = m[1]
		}
		again, _ := strconv.Atoi(m[3])
		runs = max(runs, again)
		all = append(all, once{goCase{codebuild.TestCase{Suite: m[1], Name: name, Line: out.n[i]}, body}, again})
	}
	byPackage := map[string][]goCase{}
	var order []string
	for _, c := range all {
		if c.run != runs {
			continue
		}
		if byPackage[c.Suite] == nil {
			order = append(order, c.Suite)
		}
		byPackage[c.Suite] = append(byPackage[c.Suite], c.goCase)
	}
	for _, pkg := range order {
		r.Failed = append(r.Failed, goNamed(byPackage[pkg], pkg)...)
	}
	if len(r.Failed) == 0 {
		return nil
	}
	begin(out, &r, goOther.MatchString)
	return []Report{r}
}

// upTo returns at most size lines, up to the first that ends them.
func upTo(lines []string, size int, ends func(string) bool) []string {
	for i, l := range lines {
		if i == size || ends(l) {
			return lines[:i]
		}
	}
	return lines
}

func containsLine(lines []string, text string) bool {
	for _, l := range lines {
		if strings.Contains(l, text) {
			return true
		}
	}
	return false
}

// begin moves the beginning of a report up to what stands above its first line, as tests print
// before their runner names them: as far as the first line that is another program's.
func begin(out *output, r *Report, other func(string) bool) {
	i := 0
	for i < len(out.n) && out.n[i] < r.First {
		i++
	}
	for i > 0 && !strings.HasPrefix(out.lines[i-1], "[Container] ") && !other(out.lines[i-1]) {
		i--
	}
	if i < len(out.n) {
		r.First = out.n[i]
	}
}

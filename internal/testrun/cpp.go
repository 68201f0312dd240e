package testrun

import (
	"encoding/xml"
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

// cppRunners are those of C and C++, and those that run the tests of others and print what these
// print: they come first and read it themselves.
var cppRunners = slices.Concat([]runner{
	{"ctest", []string{"The following tests FAILED:", "Test #"}, ctest},
	{"meson test", []string{"Summary of Failures:", "Full log written to "}, meson},
	{"bazel test", []string{"FAILED in ", "TIMEOUT in ", "Test output for "}, bazel},
	{"make check", []string{"Testsuite summary"}, automake},
}, cppInner)

var cppInner = []runner{
	{"googletest", []string{"[  FAILED  ]", "[ RUN      ]"}, gtest},
	{"doctest", []string{"[doctest] ", "<doctest "}, doctest},
	{"catch2", []string{"FAILED", "failed: ", "<OverallResult"}, catch2},
	{"boost.test", []string{"error: in \"", "Test case \""}, boost},
	{"check", []string{"%: Checks: "}, check},
	{"cunit", []string{"...FAILED"}, cunit},
	{"unity", []string{":FAIL"}, unity},
}

// inner reads what the test programs printed that another runner ran, in lines[from:to]. It gives
// their tests, under the name that the other runner has for the program.
func inner(out *output, from, to int, name string) []codebuild.TestCase {
	sub := output{out.lines[from:to], out.n[from:to], nil}
	text := strings.Join(sub.lines, "\n")
	for i := range innerRunners {
		r := &innerRunners[i]
		if !slices.ContainsFunc(r.marks, func(s string) bool { return strings.Contains(text, s) }) {
			continue
		}
		var list []codebuild.TestCase
		for _, rep := range r.read(&sub) {
			for _, t := range rep.Failed {
				if t.Name == name || strings.HasSuffix(name, "."+t.Name) || strings.HasSuffix(t.Name, name) && name != "" {
					t.Suite = ""
				} else {
					t.Suite = strings.TrimSpace(name + " " + t.Suite)
				}
				list = append(list, t)
			}
		}
		if len(list) > 0 {
			return list
		}
	}
	return nil
}

// innerRunners are those whose output others show.
var innerRunners = slices.Concat(cppInner, goRunners, rustRunners, jvmRunners)

var (
	gtestFailed = lazyregexp.New(`\[  FAILED  \] (\S.*?)(?:, where (?:TypeParam|GetParam\(\)) ?=.*?)?(?: \(\d+ ms\))?$`)
	gtestRun    = lazyregexp.New(`\[ RUN      \] (\S+)`)
	gtestSum    = lazyregexp.New(`^(?:tests: )?\d+ test(?:s|\(s\))?, listed below:?`)
	gtestPlace  = lazyregexp.New(`^(.+?)(?::(\d+)|\((\d+)\))?: (?:Failure|error:.*)$`)
	gtestMark   = lazyregexp.New(
		`^\[(?:==========|----------|  PASSED  |  SKIPPED |       OK |  FAILED  | RUN      | DISABLED |  INFO    )\]`,
	)
	gtestName   = lazyregexp.New(`^[\w/.:<>$-]+(?:\([^)]*\))?$`)
	cmockaPlace = lazyregexp.New(`^\[   LINE   \] --- (\S+:\d+): error`)
)

// gtest reads GoogleTest, and cmocka, which prints likewise.
func gtest(out *output) []Report {
	var r Report
	var body []string
	byName := map[string]int{}
	running, runningAt := "", 0
	summary := map[string]bool{}
	add := func(name, why string, i int) {
		t := codebuild.TestCase{Name: name, Line: out.n[i], Message: why}
		if why == "" {
			t.Message, t.At = gtestWhy(body)
		}
		if k, ok := byName[name]; ok {
			if r.Failed[k].Message == "" {
				r.Failed[k].Message, r.Failed[k].At = t.Message, t.At
			}
			return
		}
		byName[name] = len(r.Failed)
		r.Failed = append(r.Failed, t)
	}
	listed, began := false, false
	for i, l := range out.lines {
		at := strings.IndexByte(l, '[')
		if at < 0 || len(l) < at+12 || l[at+11] != ']' {
			body = append(body, l)
			continue
		}
		mark := gtestMark.MatchString(l[at:])
		if mark {
			if r.First == 0 {
				r.First = out.n[i]
			}
			r.Last = out.n[i]
		}
		switch {
		case strings.Contains(l, "[ RUN      ]"):
			if m := gtestRun.FindStringSubmatch(l); m != nil {
				began = true
				running, runningAt, body = m[1], i, nil
			}
		case strings.Contains(l, "[  FAILED  ]"):
			m := gtestFailed.FindStringSubmatch(l)
			if m == nil {
				continue
			}
			if gtestSum.MatchString(m[1]) {
				listed = true
				continue
			}
			if !gtestName.MatchString(m[1]) {
				body = append(body, l)
				continue
			}
			if listed {
				summary[m[1]] = true
				body = nil
			}
			add(m[1], "", i)
			if running == m[1] {
				running = ""
			}
			body = nil
		case strings.Contains(l, "[       OK ]"), strings.Contains(l, "[  SKIPPED ]"):
			if running != "" && strings.Contains(l, running) {
				running = ""
			}
			body = nil
		case mark && running == "":
			body = nil
		default:
			body = append(body, l)
		}
	}
	if running != "" && !listed && r.First != 0 {
		why := "the process ended while this test ran"
		for _, l := range body {
			if strings.Contains(l, "Segmentation fault") || strings.Contains(l, "terminate called") || strings.Contains(l, "Assertion") ||
				strings.Contains(l, "AddressSanitizer") || strings.Contains(l, "runtime error:") || strings.Contains(l, "SIG") {
				why = strings.TrimSpace(l)
				break
			}
		}
		add(running, why, runningAt)
		r.Last = out.n[min(len(out.n)-1, runningAt+len(body))]
	}
	if len(summary) > 0 { // the summary is the runner's own word
		r.Failed = slices.DeleteFunc(r.Failed, func(t codebuild.TestCase) bool { return !summary[t.Name] })
	}
	if len(r.Failed) == 0 || r.First == 0 {
		return nil
	}
	if !began { // --gtest_brief names failures alone, below what the tests print
		begin(out, &r, buildLine.MatchString)
	}
	return []Report{r}
}

// gtestWhy reads the failure above a verdict.
func gtestWhy(body []string) (why, at string) {
	for i, l := range body {
		if m := cmockaPlace.FindStringSubmatch(l); m != nil {
			return why, m[1]
		}
		if rest, ok := strings.CutPrefix(l, "[  ERROR   ] --- "); ok && why == "" {
			why = rest
			continue
		}
		m := gtestPlace.FindStringSubmatch(l)
		if m == nil || !strings.HasSuffix(l, ": Failure") && !strings.Contains(l, ": error: ") {
			continue
		}
		if m[2]+m[3] != "" {
			at = m[1] + ":" + m[2] + m[3]
		}
		_, first, _ := strings.Cut(l, ": error: ")
		more := upTo(body[i+1:], 8, func(s string) bool { return strings.TrimSpace(s) == "" || gtestPlace.MatchString(s) })
		return strings.TrimSpace(first + " " + strings.Join(more, " ")), at
	}
	return why, at
}

var (
	catchRule  = lazyregexp.New(`^-{79}$`)
	catchPlace = lazyregexp.New(`^(\S.*?)(?::(\d+)|\((\d+)\)): FAILED:?$`)
	catchSum   = lazyregexp.New(`^(?:test cases: +\d|assertions: +\d|All tests passed|(?:Failed|Passed) \d+ test cases?)`)
	catchBrief = lazyregexp.New(`^(\S.*?)(?::(\d+)|\((\d+)\)): failed: (.*)$`)
)

// catch2 reads Catch2's console, compact and XML reporters.
func catch2(out *output) []Report {
	if r := catchXML(out); r != nil {
		return r
	}
	var r Report
	test, section := "", ""
	brief := Report{}
	summed := false
	for i := 0; i < len(out.lines); i++ {
		l := out.lines[i]
		switch {
		case catchRule.MatchString(l) && i+1 < len(out.lines):
			head := upTo(out.lines[i+1:], 20, func(s string) bool { return catchRule.MatchString(s) || strings.HasPrefix(s, "....") })
			if k := i + 1 + len(head); k < len(out.lines) && catchRule.MatchString(out.lines[k]) && len(head) > 0 {
				test, section = catchHead(head)
				if r.First == 0 {
					r.First = out.n[i]
				}
				i = k
			}
		case strings.HasSuffix(l, "FAILED:") || strings.HasSuffix(l, ": FAILED"):
			m := catchPlace.FindStringSubmatch(l)
			if m == nil || test == "" {
				continue
			}
			t := codebuild.TestCase{Name: test, At: m[1] + ":" + m[2] + m[3], Line: out.n[i], Message: catchWhy(out.lines[i+1:])}
			if section != "" {
				t.Suite, t.Name = test, section
			}
			if k := len(r.Failed) - 1; k < 0 || r.Failed[k].Suite != t.Suite || r.Failed[k].Name != t.Name {
				r.Failed = append(r.Failed, t)
			}
			r.Last = out.n[i]
		case strings.Contains(l, ": failed: "):
			if m := catchBrief.FindStringSubmatch(l); m != nil {
				if brief.First == 0 {
					brief.First = out.n[i]
				}
				brief.Last = out.n[i]
				brief.Failed = append(brief.Failed, codebuild.TestCase{Name: m[4], At: m[1] + ":" + m[2] + m[3], Line: out.n[i]})
			}
		case catchSum.MatchString(l):
			summed = true
			if r.First != 0 {
				r.Last = out.n[i]
			}
			if brief.First != 0 {
				brief.Last = out.n[i]
			}
		}
	}
	if len(r.Failed) == 0 && summed {
		r = brief // the compact reporter names no tests: its checks stand for them
	}
	if len(r.Failed) == 0 {
		return nil
	}
	begin(out, &r, buildLine.MatchString)
	return []Report{r}
}

// catchHead reads the name of a test and the path of its sections between two rules.
func catchHead(head []string) (test, section string) {
	var path []string
	for _, l := range head {
		if t := strings.TrimSpace(l); t != "" {
			if test == "" {
				test = t
			} else {
				path = append(path, t)
			}
		}
	}
	return test, strings.Join(path, " / ")
}

// catchWhy reads what follows "FILE:LINE: FAILED:".
func catchWhy(lines []string) string {
	var parts []string
	for _, l := range upTo(lines, 8, func(s string) bool { return strings.TrimSpace(s) == "" && s == "" }) {
		t := strings.TrimSpace(l)
		switch {
		case t == "with expansion:":
			parts = append(parts, "→")
		case strings.HasPrefix(t, "due to unexpected exception with message"):
			parts = append(parts, "unexpected exception:")
		case strings.HasPrefix(t, "explicitly with message"), strings.HasPrefix(t, "with message"),
			t == "{Unknown expression after the reported line}":
		default:
			parts = append(parts, t)
		}
	}
	return strings.TrimSpace(strings.Join(parts, " "))
}

// catchXML reads the XML of Catch2 and doctest, whose elements stand on lines of their own.
func catchXML(out *output) []Report {
	var r Report
	test := codebuild.TestCase{}
	var path []string
	failed, want := false, ""
	attr := func(l, name string) string {
		_, rest, ok := strings.Cut(l, " "+name+`="`)
		if !ok {
			return ""
		}
		s, _, _ := strings.Cut(rest, `"`)
		return unescape(s)
	}
	finish := func() {
		if failed && test.Name != "" {
			r.Failed = append(r.Failed, test)
		}
		test, failed, path = codebuild.TestCase{}, false, nil
	}
	for i, l := range out.lines {
		t := strings.TrimSpace(l)
		if r.First == 0 && !strings.HasPrefix(t, "<Catch") && !strings.HasPrefix(t, "<doctest ") {
			continue
		}
		if r.First == 0 {
			r.First = out.n[i]
		}
		r.Last = out.n[i]
		switch {
		case strings.HasPrefix(t, "<TestCase "):
			finish()
			test.Name, test.Line = attr(t, "name"), out.n[i]
		case strings.HasPrefix(t, "<Section "), strings.HasPrefix(t, "<SubCase "):
			path = append(path, attr(t, "name"))
		case (t == "</Section>" || t == "</SubCase>") && len(path) > 0:
			path = path[:len(path)-1]
		case strings.HasPrefix(t, "<Expression ") && strings.Contains(t, `success="false"`),
			strings.HasPrefix(t, "<Exception "), strings.HasPrefix(t, "<Failure "), strings.HasPrefix(t, "<FatalErrorCondition "):
			if !failed {
				failed = true
				test.At = strings.TrimSuffix(attr(t, "filename")+":"+attr(t, "line"), ":")
				if len(path) > 0 {
					test.Suite, test.Name = test.Name, strings.Join(path, " / ")
				}
				if want = "text"; strings.HasPrefix(t, "<Expression ") {
					want = "<Original>"
				}
			}
		case want == "<Original>" && (t == "<Original>" || t == "<Expanded>"):
			if i+1 < len(out.lines) {
				test.Message = strings.TrimSpace(test.Message + " " + unescape(strings.TrimSpace(out.lines[i+1])))
			}
			if t == "<Expanded>" {
				want = ""
			}
		case want == "text" && t != "" && t[0] != '<':
			test.Message, want = unescape(t), ""
		case t == "</TestCase>":
			finish()
		case strings.HasPrefix(t, "</Catch"), t == "</doctest>":
			finish()
			if len(r.Failed) == 0 {
				return nil
			}
			return []Report{r}
		}
	}
	finish()
	if len(r.Failed) == 0 {
		return nil
	}
	return []Report{r}
}

// unescape turns XML's text into plain.
func unescape(s string) string {
	if !strings.Contains(s, "&") {
		return s
	}
	var text struct {
		S string `xml:",chardata"`
	}
	if xml.Unmarshal([]byte("<a>"+s+"</a>"), &text) != nil {
		return s
	}
	return text.S
}

var (
	doctestPlace = lazyregexp.New(`^(\S.*?)(?::(\d+)|\((\d+)\)): (?:FATAL )?ERROR: (.*)$`)
	doctestHead  = lazyregexp.New(`^\S.*?(?::\d+|\(\d+\)):$`)
)

// doctest reads C++'s doctest.
func doctest(out *output) []Report {
	if r := catchXML(out); r != nil {
		return r
	}
	var r Report
	test, section := "", ""
	for i, l := range out.lines {
		switch {
		case strings.HasPrefix(l, "[doctest] "):
			if r.First == 0 {
				r.First = out.n[i]
			}
			r.Last = out.n[i]
		case strings.HasPrefix(l, "====") && i+1 < len(out.lines) && doctestHead.MatchString(out.lines[i+1]):
			test, section = doctestName(out.lines[i+2:])
		default:
			m := doctestPlace.FindStringSubmatch(l)
			if m == nil || test == "" {
				continue
			}
			t := codebuild.TestCase{Name: test, At: m[1] + ":" + m[2] + m[3], Message: m[4], Line: out.n[i]}
			if section != "" {
				t.Suite, t.Name = test, section
			}
			if i+1 < len(out.lines) && strings.HasPrefix(out.lines[i+1], "  values: ") {
				t.Message += strings.TrimPrefix(out.lines[i+1], " ")
			}
			r.Failed = append(r.Failed, t)
			r.Last = out.n[i]
		}
	}
	if len(r.Failed) == 0 {
		return nil
	}
	begin(out, &r, buildLine.MatchString)
	return []Report{r}
}

// doctestName reads the lines below a case's place.
func doctestName(lines []string) (test, section string) {
	var path []string
	for _, l := range upTo(lines, 12, func(s string) bool { return strings.TrimSpace(s) == "" }) {
		t := strings.TrimSpace(l)
		if strings.HasPrefix(t, "TEST SUITE:") || strings.HasPrefix(t, "DESCRIPTION:") {
			continue
		}
		t = strings.TrimSpace(strings.TrimPrefix(t, "TEST CASE:"))
		if test == "" {
			test = strings.TrimPrefix(t, "Scenario: ")
		} else {
			path = append(path, t)
		}
	}
	return test, strings.Join(path, " / ")
}

var (
	boostLine = lazyregexp.New(`^(.+?)(?::(\d+)|\((\d+)\)): (?:fatal )?error: in "([^"]+)": (.*)$`)
	boostCase = lazyregexp.New(`^\s*Test case "([^"]+)" (?:has failed|was aborted)`)
	boostEnd  = lazyregexp.New(`^\*\*\* \d+ failures? (?:is|are) detected|^\*\*\* No errors detected`)
	boostHead = lazyregexp.New(`^Running \d+ test cases?\.\.\.`)
)

// boost reads Boost.Test: its log, or its detailed report where the log is off.
func boost(out *output) []Report {
	var r Report
	for i, l := range out.lines {
		if boostEnd.MatchString(l) && r.First != 0 {
			r.Last = out.n[i]
		}
		if boostHead.MatchString(l) && r.First == 0 {
			r.First = out.n[i]
		}
		if !strings.Contains(l, `error: in "`) {
			continue
		}
		m := boostLine.FindStringSubmatch(l)
		if m == nil {
			continue
		}
		t := codebuild.TestCase{Name: m[4], Message: m[5], Line: out.n[i]}
		if line := m[2] + m[3]; line != "0" {
			t.At = m[1] + ":" + line
		}
		if r.First == 0 {
			r.First = out.n[i]
		}
		r.Last = out.n[i]
		r.Failed = append(r.Failed, t)
	}
	if len(r.Failed) == 0 {
		return collect(out, nil, boostFigure, func(i int) (t codebuild.TestCase, ok bool) {
			m := boostCase.FindStringSubmatch(out.lines[i])
			if m == nil {
				return t, false
			}
			return codebuild.TestCase{Name: m[1], Message: strings.TrimSpace(strings.Join(below(out, i, 1, blank), " "))}, true
		})
	}
	return []Report{r}
}

var boostFigure = lazyregexp.New(`^\s+\d+ (?:assertions?|test cases?) out of \d+ `)

var (
	checkSum  = lazyregexp.New(`^\d+%: Checks: \d+, Failures: \d+, Errors: \d+$`)
	checkLine = lazyregexp.New(`^(\S+:\d+):[FE]:([^:]+):([^:]+):(\d+): (.*)$`)
	checkHead = lazyregexp.New(`^Running suite\(s\): `)
)

// check reads Check.
func check(out *output) []Report {
	var r Report
	for i, l := range out.lines {
		if checkHead.MatchString(l) && r.First == 0 || checkSum.MatchString(l) {
			if r.First == 0 {
				r.First = out.n[i]
			}
			r.Last = out.n[i]
		}
		m := checkLine.FindStringSubmatch(l)
		if m == nil {
			continue
		}
		t := codebuild.TestCase{Suite: m[2], Name: m[3], At: m[1], Message: strings.TrimPrefix(m[5], "(after this point) "), Line: out.n[i]}
		if m[4] != "0" {
			t.Name += "[" + m[4] + "]" // of a loop
		}
		if r.First == 0 {
			r.First = out.n[i]
		}
		r.Last = out.n[i]
		r.Failed = append(r.Failed, t)
	}
	if len(r.Failed) == 0 {
		return nil
	}
	return []Report{r}
}

var (
	cunitSuite = lazyregexp.New(`^Suite:? (.+)$`)
	cunitTest  = lazyregexp.New(`^  Test: (.+?) ?\.\.\.FAILED$`)
	cunitPlace = lazyregexp.New(`^    \d+\. (\S+:\d+)  - (.*)$`)
)

// cunit reads CUnit's basic interface.
func cunit(out *output) []Report {
	var r Report
	suite := ""
	for i, l := range out.lines {
		if m := cunitSuite.FindStringSubmatch(l); m != nil {
			if suite = m[1]; r.First == 0 {
				r.First = out.n[i]
			}
		} else if m := cunitTest.FindStringSubmatch(l); m != nil {
			t := codebuild.TestCase{Suite: suite, Name: m[1], Line: out.n[i]}
			if i+1 < len(out.lines) {
				if p := cunitPlace.FindStringSubmatch(out.lines[i+1]); p != nil {
					t.At, t.Message = p[1], p[2]
				}
			}
			if r.First == 0 {
				r.First = out.n[i]
			}
			r.Failed = append(r.Failed, t)
			r.Last = out.n[i]
		} else if strings.HasPrefix(l, "Elapsed time = ") && r.First != 0 {
			r.Last = out.n[i]
		}
	}
	if len(r.Failed) == 0 {
		return nil
	}
	return []Report{r}
}

var (
	unityLine = lazyregexp.New(`^(\S+?:\d+):(\w+):FAIL(?:: ?(.*))?$`)
	unityEnd  = lazyregexp.New(`^\d+ Tests \d+ Failures \d+ Ignored`)
)

// unity reads ThrowTheSwitch's Unity.
func unity(out *output) []Report {
	var r Report
	for i, l := range out.lines {
		if unityEnd.MatchString(l) && r.First != 0 {
			r.Last = out.n[i]
		}
		m := unityLine.FindStringSubmatch(l)
		if m == nil {
			continue
		}
		if r.First == 0 {
			r.First = out.n[i]
		}
		r.Last = out.n[i]
		r.Failed = append(r.Failed, codebuild.TestCase{Name: m[2], At: m[1], Message: m[3], Line: out.n[i]})
	}
	if len(r.Failed) == 0 {
		return nil
	}
	begin(out, &r, buildLine.MatchString)
	return []Report{r}
}

var (
	ctestStart = lazyregexp.New(`^(?:Internal ctest changing|Test project |\s*Start +\d+: |test \d+$|` +
		`Constructing a list of tests|UpdateCTestConfig)`)
	ctestStatus = lazyregexp.New(`^\s*\d+/\d+ +Test +#(\d+): (.+?) \.*(?:\*\*\*|   )(\S.*?) +[\d.]+ sec`)
	ctestListed = lazyregexp.New(`^\s+(\d+) - (.+?) \(([^()]+)\)(?:\s.*)?$`)
	ctestOut    = lazyregexp.New(`^(\d+): ?(.*)$`)
)

// ctest reads CTest, and what the tests print that it shows.
func ctest(out *output) []Report {
	var r Report
	listing := false
	listed := map[string]bool{}
	type test struct {
		codebuild.TestCase
		number   string
		from, to int // what it printed, below its status
	}
	var said []test
	shown := map[string]*output{} // with -V
	mark := func(i int) {
		if r.First == 0 {
			r.First = out.n[i]
		}
		r.Last = out.n[i]
	}
	open := -1
	for i, l := range out.lines {
		status := ctestStatus.FindStringSubmatch(l)
		if status != nil || ctestStart.MatchString(l) || strings.Contains(l, "% tests passed, ") {
			mark(i)
			if open >= 0 {
				said[open].to, open = i, -1
			}
		}
		switch {
		case status != nil:
			if status[3] == "Passed" || strings.HasPrefix(status[3], "Skipped") || status[3] == "Not Run (Disabled)" {
				continue
			}
			said = append(said, test{codebuild.TestCase{Name: status[2], Message: status[3], Line: out.n[i]}, status[1],
				i + 1, len(out.lines)})
			open = len(said) - 1
		case strings.HasPrefix(l, "The following tests FAILED:"):
			mark(i)
			listing = true
		case listing && strings.TrimSpace(l) == "" && len(listed) == 0:
		case listing:
			m := ctestListed.FindStringSubmatch(l)
			if listing = m != nil; listing {
				mark(i)
				listed[m[1]] = true
				if !slices.ContainsFunc(said, func(t test) bool { return t.number == m[1] }) {
					said = append(said, test{codebuild.TestCase{Name: m[2], Message: m[3], Line: out.n[i]}, m[1], 0, 0})
				}
			}
		case strings.HasPrefix(l, "Errors while running CTest"):
			if r.First != 0 {
				mark(i)
			}
		default:
			if m := ctestOut.FindStringSubmatch(l); m != nil && r.First != 0 {
				if shown[m[1]] == nil {
					shown[m[1]] = &output{}
				}
				o := shown[m[1]]
				o.lines, o.n = append(o.lines, m[2]), append(o.n, out.n[i])
			}
		}
	}
	done := map[string]bool{}
	for _, t := range said {
		if done[t.number] || len(listed) > 0 && !listed[t.number] {
			continue // it passed when it was repeated
		}
		done[t.number] = true
		var list []codebuild.TestCase
		if o := shown[t.number]; o != nil {
			list = inner(o, 0, len(o.lines), t.Name)
		} else if t.from < t.to {
			list = inner(out, t.from, t.to, t.Name)
		}
		if len(list) == 0 {
			list = []codebuild.TestCase{t.TestCase}
		}
		r.Failed = append(r.Failed, list...)
	}
	if len(r.Failed) == 0 {
		return nil
	}
	return []Report{r}
}

var (
	mesonLine = lazyregexp.New(`^ *\d+/\d+ (.+?) +(FAIL|ERROR|TIMEOUT|INTERRUPT|UNEXPECTEDPASS) +[\d.]+s(?: +(.*))?$`)
	mesonEnd  = lazyregexp.New(`^(?:Ok|Expected Fail|Fail|Unexpected Pass|Skipped|Timeout): +\d+|^Full log written to `)
	mesonAny  = lazyregexp.New(`^ *\d+/\d+ (.+?) +(?:OK|SKIP|FAIL|ERROR|TIMEOUT|EXPECTEDFAIL) +[\d.]+s`)
)

// meson reads meson test. Its summary of failures repeats the lines, and comes with the tests' own
// output alone.
func meson(out *output) []Report {
	var r Report
	in, summed := false, slices.Contains(out.lines, "Summary of Failures:")
	names := map[string]bool{}
	var errorLogs map[string][2]int
	for i, l := range out.lines {
		if mesonAny.MatchString(l) || l == "Summary of Failures:" {
			if r.First == 0 {
				r.First = out.n[i]
			}
			r.Last = out.n[i]
		}
		if l == "Summary of Failures:" {
			in = true
			continue
		}
		if mesonEnd.MatchString(l) && r.First != 0 {
			in, r.Last = false, out.n[i]
		}
		if m := mesonLine.FindStringSubmatch(l); m != nil {
			if errorLogs == nil {
				errorLogs = map[string][2]int{}
			}
			if summed && !in {
				end := i + 1 +
					len(upTo(out.lines[i+1:], 4000,
						func(s string) bool { return mesonAny.MatchString(s) || s == "Summary of Failures:" }))
				errorLogs[m[1]] = [2]int{i + 1, end}
				continue
			}
			if names[m[1]] {
				continue
			}
			names[m[1]] = true
			suite, name, ok := strings.Cut(m[1], " / ")
			if !ok {
				suite, name = "", m[1]
			}
			if span, ok := errorLogs[m[1]]; ok {
				if list := inner(out, span[0], span[1], name); len(list) > 0 {
					r.Failed = append(r.Failed, list...)
					continue
				}
			}
			r.Failed = append(r.Failed,
				codebuild.TestCase{Suite: suite, Name: name, Message: strings.Trim(m[2]+" "+m[3], " "), Line: out.n[i]})
		}
	}
	if len(r.Failed) == 0 {
		return nil
	}
	return []Report{r}
}

var (
	bazelLine = lazyregexp.New(`^(@?@?\S*//\S+) +(?:\(cached\) )?(FAILED|TIMEOUT|NO STATUS|FAILED TO BUILD)(?: (?:in .*|\(.*\)))?$`)
	bazelHead = lazyregexp.New(`^=+ Test output for (\S+?):?(?: \(.*\):?)?$`)
	bazelEnd  = lazyregexp.New(`^Executed \d+ out of \d+ tests?:|^={70,}$`)
)

// bazel reads bazel test, and what the tests print that it shows.
func bazel(out *output) []Report {
	var r Report
	shown := map[string][2]int{}
	for i, l := range out.lines {
		if m := bazelHead.FindStringSubmatch(l); m != nil {
			if r.First == 0 {
				r.First = out.n[i]
			}
			shown[m[1]] = [2]int{i + 1, i + 1 + len(upTo(out.lines[i+1:], 20000, bazelEnd.MatchString))}
		}
		if r.First != 0 && bazelEnd.MatchString(l) {
			r.Last = out.n[i]
		}
		m := bazelLine.FindStringSubmatch(l)
		if m == nil || strings.HasPrefix(m[2], "NO ") || m[2] == "FAILED TO BUILD" {
			continue
		}
		if r.First == 0 {
			r.First = out.n[i]
		}
		r.Last = out.n[i]
		if span, ok := shown[m[1]]; ok {
			if list := inner(out, span[0], span[1], m[1]); len(list) > 0 {
				r.Failed = append(r.Failed, list...)
				continue
			}
		}
		r.Failed = append(r.Failed, codebuild.TestCase{Name: m[1], Message: strings.TrimSpace(strings.TrimPrefix(l, m[1])), Line: out.n[i]})
	}
	if len(r.Failed) == 0 {
		return nil
	}
	return []Report{r}
}

var (
	automakeLine = lazyregexp.New(`^(FAIL|ERROR|XPASS): (\S.*?)(?: \(exit status: (\d+)\))?$`)
	automakeSum  = lazyregexp.New(`^Testsuite summary`)
)

// automake reads the tests of make check.
func automake(out *output) []Report {
	var r Report
	for i, l := range out.lines {
		if automakeSum.MatchString(l) && r.First != 0 {
			r.Last = out.n[i]
		}
		m := automakeLine.FindStringSubmatch(l)
		if m == nil {
			continue
		}
		if r.First == 0 {
			r.First = out.n[i]
		}
		r.Last = max(r.Last, out.n[i])
		t := codebuild.TestCase{Name: m[2], Line: out.n[i]}
		if m[1] == "XPASS" {
			t.Message = "passed, which was not expected"
		}
		r.Failed = append(r.Failed, t)
	}
	if len(r.Failed) == 0 {
		return nil
	}
	return []Report{r}
}

package testrun

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

// otherRunners are those of infrastructure and of languages that have no file of their own.
var otherRunners = []runner{
	{"terraform test", []string{`"... fail`, `"test_run"`}, terraformTest},
	{"mix test", []string{" failure"}, exunit},
	{"hspec", []string{"To rerun use: --match"}, hspec},
	{"tasty", []string{": FAIL"}, tasty},
	{"rebar3 eunit", []string{"Failure/Error: "}, rebarEunit},
	{"eunit", []string{"*failed*"}, eunit},
	{"common test", []string{" failed on line ", ": FAILED"}, commonTest},
	{"dart test", []string{" [E]", `"testDone"`, "(failed)"}, dartTest},
	{"pester", []string{"[-] "}, pester},
	{"helm unittest", []string{"FAIL  "}, helmUnittest},
	{"helm test", []string{"TEST SUITE: "}, helmTest},
	{"opa test", []string{": FAIL (", ": ERROR ("}, opaTest},
	{"cfn-guard test", []string{"Evaluated = ["}, guardTest},
	{"molecule", []string{"Idempotence test failed"}, molecule},
	{"goss", []string{"Failures/Skipped:"}, goss},
	{"inspec", []string{"Profile Summary:", "Test Summary:"}, inspec},
	{"newman", []string{"failure", "detail"}, newman},
	{"k6", []string{"↳ ", "thresholds on metrics"}, k6},
	{"julia", []string{": Test Failed at ", ": Error During Test at "}, julia},
}

// collect makes a report of the tests that are found line by line. It begins with the first line
// that start finds, or where nothing else's line is above the first test, and ends with the last
// one that end finds, or the last test.
func collect(out *output, start, end *lazyregexp.Regexp, test func(i int) (codebuild.TestCase, bool)) []Report {
	var r Report
	began := false
	for i, l := range out.lines {
		if r.First == 0 && start != nil && start.MatchString(l) {
			r.First, began = out.n[i], true
		}
		if r.First != 0 && end.MatchString(l) {
			r.Last = out.n[i]
		}
		t, ok := test(i)
		if !ok {
			continue
		}
		if t.Line == 0 {
			t.Line = out.n[i]
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
	if !began {
		begin(out, &r, buildLine.MatchString)
	}
	return []Report{r}
}

// buildLine is a line that no test printed: of a compiler or a build tool, or a command's echo.
var buildLine = lazyregexp.New(`^(?:\[ *\d+%\] |make(?:\[\d+\])?: |\[\d+/\d+\] |ninja: |-- |[$+] |(?:g\+\+|gcc|clang|c\+\+|cc) |` +
	`(?i:(?:\[info\])?\s*(?:compiling|done compiling|loading|resolving|generated|building|downloading|restoring|fetching) )|==> \w+$)`)

// below returns at most size lines below line i, up to the first that ends them.
func below(out *output, i, size int, ends func(string) bool) []string {
	return upTo(out.lines[i+1:], size, ends)
}

func blank(l string) bool { return strings.TrimSpace(l) == "" }

var (
	terraformFile  = lazyregexp.New(`^(\S+\.(?:tftest|tofutest)\.(?:hcl|json))\.\.\. (?:in progress|tearing down|pass|fail|skip)`)
	terraformRun   = lazyregexp.New(`^\s*run "(.+)"\.\.\. (fail|pass|skip)`)
	terraformPlace = lazyregexp.New(`^[│\s]*on (\S+) line (\d+)(?:, in \w+ ".*)?:?$`)
	terraformError = lazyregexp.New(`^[│╷\s]*Error: (.*)$`)
	terraformEnd   = lazyregexp.New(`^(?:Success|Failure)! \d+ passed, \d+ failed`)
)

// terraformTest reads terraform test and tofu test.
func terraformTest(out *output) []Report {
	if r := terraformJSON(out); r != nil {
		return r
	}
	file := ""
	return collect(out, terraformFile, terraformEnd, func(i int) (t codebuild.TestCase, ok bool) {
		if m := terraformFile.FindStringSubmatch(out.lines[i]); m != nil {
			file = m[1]
			return t, false
		}
		m := terraformRun.FindStringSubmatch(out.lines[i])
		if m == nil || m[2] != "fail" {
			return t, false
		}
		t = codebuild.TestCase{Suite: file, Name: m[1]}
		var last []string // the paragraph
		ends := func(s string) bool { return terraformRun.MatchString(s) || terraformFile.MatchString(s) }
		for _, l := range below(out, i, 200, ends) {
			if e := terraformError.FindStringSubmatch(l); e != nil && t.Message == "" {
				t.Message = e[1]
			} else if e != nil {
				break
			} else if p := terraformPlace.FindStringSubmatch(l); p != nil && t.At == "" {
				t.At = p[1] + ":" + p[2]
			} else if s := strings.Trim(l, "│╵ "); s == "" {
				last = nil
			} else if t.At != "" && len(last) < 8 {
				last = append(last, s)
			}
		}
		if len(last) > 0 && !strings.HasPrefix(last[0], "├") {
			t.Message += ": " + strings.Join(last, " ")
		}
		return t, true
	})
}

func terraformJSON(out *output) []Report {
	var r Report
	why := map[[2]string]codebuild.TestCase{}
	for i, l := range out.lines {
		if !strings.HasPrefix(l, "{") || !strings.Contains(l, `"@testfile"`) && !strings.Contains(l, `"test_`) {
			continue
		}
		var e struct {
			Type    string                             `json:"type"`
			File    string                             `json:"@testfile"`
			Run     string                             `json:"@testrun"`
			TestRun struct{ Path, Run, Status string } `json:"test_run"`

			Diagnostic struct {
				Severity, Summary, Detail string
				Range                     struct {
					Filename string
					Start    struct{ Line int }
				}
			}
		}
		if json.Unmarshal([]byte(l), &e) != nil {
			continue
		}
		if r.First == 0 {
			r.First = out.n[i]
		}
		r.Last = out.n[i]
		switch {
		case e.Type == "diagnostic" && e.Diagnostic.Severity == "error":
			d := e.Diagnostic
			t := codebuild.TestCase{Message: strings.TrimSuffix(d.Summary+": "+d.Detail, ": ")}
			if d.Range.Filename != "" {
				t.At = d.Range.Filename + ":" + strconv.Itoa(d.Range.Start.Line)
			}
			if key := [2]string{e.File, e.Run}; why[key].Message == "" {
				why[key] = t
			}
		case e.Type == "test_run" && (e.TestRun.Status == "fail" || e.TestRun.Status == "error"):
			r.Failed = append(r.Failed, codebuild.TestCase{Suite: e.TestRun.Path, Name: e.TestRun.Run, Line: out.n[i]})
		}
	}
	for i := range r.Failed {
		t := &r.Failed[i]
		w := why[[2]string{t.Suite, t.Name}]
		t.Message, t.At = w.Message, w.At
	}
	if len(r.Failed) == 0 {
		return nil
	}
	return []Report{r}
}

var (
	exunitTest  = lazyregexp.New(`^\s{1,3}\d+\) (?:(?:test|doctest|property|feature) )?(.+) \(([\w.]+)\)$`)
	exunitSetup = lazyregexp.New(`^\s{1,3}\d+\) ([\w.]+): failure on setup_all callback`)
	exunitPlace = lazyregexp.New(`^\s+((?:\S+/)?\S+\.exs?:\d+)(?:: .*)?$`)
	exunitStart = lazyregexp.New(`^Running ExUnit with seed: |^Excluding tags: |^Including tags: `)
	exunitEnd   = lazyregexp.New(`^(?:\d+ (?:doctests?|propert\w+|features?|tests?), )+\d+ failures?`)
)

// exunit reads Elixir's mix test.
func exunit(out *output) []Report {
	if !slices.ContainsFunc(out.lines, exunitEnd.MatchString) {
		return nil
	}
	return collect(out, exunitStart, exunitEnd, func(i int) (t codebuild.TestCase, ok bool) {
		if m := exunitSetup.FindStringSubmatch(out.lines[i]); m != nil {
			t.Name = m[1]
		} else if m := exunitTest.FindStringSubmatch(out.lines[i]); m != nil {
			t.Suite, t.Name = m[2], m[1]
		} else {
			return t, false
		}
		body := below(out, i, 20, blank)
		for k, l := range body {
			if p := exunitPlace.FindStringSubmatch(l); p != nil && t.At == "" {
				t.At = p[1]
			} else if t.Message == "" {
				t.Message = strings.TrimSpace(l)
				if strings.HasPrefix(t.Message, "Assertion ") || strings.HasPrefix(t.Message, "match (=) failed") {
					t.Message += " " + strings.Join(upTo(body[k+1:], 3, func(s string) bool {
						return strings.TrimSpace(s) == "stacktrace:"
					}), " ")
				}
			}
		}
		return t, true
	})
}

var (
	hspecTest  = lazyregexp.New(`^\s{1,3}\d+\) (.+)$`)
	hspecPlace = lazyregexp.New(`^\s+(\S+\.hs:\d+):\d+:\s*$`)
	hspecEnd   = lazyregexp.New(`^\d+ examples?, \d+ failures?`)
)

// hspec reads Haskell's Hspec.
func hspec(out *output) []Report {
	return collect(out, nil, hspecEnd, func(i int) (t codebuild.TestCase, ok bool) {
		m := hspecTest.FindStringSubmatch(out.lines[i])
		if m == nil || i == 0 {
			return t, false
		}
		t.Name = m[1]
		if p := hspecPlace.FindStringSubmatch(out.lines[i-1]); p != nil {
			t.At = p[1]
		}
		t.Message = strings.Join(below(out, i, 4, blank), " ")
		return t, true
	})
}

var (
	tastyTest  = lazyregexp.New(`^(\s*)(\S.*?):\s+FAIL(?: \([\d.]+s\))?$`)
	tastyGroup = lazyregexp.New(`^(\s*)(\S.*)$`)
	tastyEnd   = lazyregexp.New(`^\d+ out of \d+ tests failed`)
)

// tasty reads Haskell's Tasty, whose groups are told by their indentation.
func tasty(out *output) []Report {
	if !slices.ContainsFunc(out.lines, tastyEnd.MatchString) {
		return nil
	}
	var groups []string // by depth
	return collect(out, nil, tastyEnd, func(i int) (t codebuild.TestCase, ok bool) {
		l := out.lines[i]
		m := tastyTest.FindStringSubmatch(l)
		if m == nil {
			if g := tastyGroup.FindStringSubmatch(l); g != nil && len(g[1])%2 == 0 && len(g[1])/2 <= min(len(groups), 20) {
				groups = append(groups[:len(g[1])/2], g[2])
			}
			return t, false
		}
		t.Suite, t.Name = strings.Join(groups[:min(len(groups), len(m[1])/2)], " / "), m[2]
		var parts []string
		for _, s := range below(out, i, 6, func(s string) bool { return indent(s) <= len(m[1]) }) {
			if p := hspecPlace.FindStringSubmatch(strings.TrimSuffix(strings.TrimRight(s, " "), ":") + ":0:"); p != nil && t.At == "" {
				t.At = p[1]
			} else if !strings.Contains(s, "Use -p ") {
				parts = append(parts, s)
			}
		}
		t.Message = strings.Join(parts, " ")
		return t, true
	})
}

var (
	rebarTest  = lazyregexp.New(`^\s+\d+\) (\w+):(\S+?)(?:/\d+)?(?::? .*)?$`)
	rebarPlace = lazyregexp.New(`^\s+%% (\S+\.erl:\d+):in `)
	rebarStart = lazyregexp.New(`^=+> Performing EUnit tests`)
	rebarEnd   = lazyregexp.New(`^\d+ tests, \d+ failures`)
)

// rebarEunit reads rebar3 eunit.
func rebarEunit(out *output) []Report {
	return collect(out, rebarStart, rebarEnd, func(i int) (t codebuild.TestCase, ok bool) {
		m := rebarTest.FindStringSubmatch(out.lines[i])
		if m == nil {
			return t, false
		}
		t.Suite, t.Name = m[1], m[2]
		for _, l := range below(out, i, 20, blank) {
			s := strings.TrimSpace(l)
			if rest, found := strings.CutPrefix(s, "Failure/Error: "); found {
				t.Message = rest
			} else if strings.HasPrefix(s, "expected: ") || strings.HasPrefix(s, "got: ") {
				t.Message += " " + s
			} else if p := rebarPlace.FindStringSubmatch(l); p != nil && t.At == "" {
				t.At = p[1]
			}
		}
		return t, t.Message != ""
	})
}

var (
	// eunitTest is the place below the verdict. What stands in front of that may be on another
	// line, behind which the test printed something.
	eunitTest  = lazyregexp.New(`^in function (\w+):'?-?(\w+)(?:/\d+-fun-\d+-')?/\d+ \((?:\S*/)?(\w+\.erl), line (\d+)\)`)
	eunitTitle = lazyregexp.New(` \((.+?)\)\.\.\.`)
	eunitValue = lazyregexp.New(`\{(expression|expected|value|pattern|comment),(.+?)\}[,\]}]*$`)
	eunitEnd   = lazyregexp.New(`^\s+Failed: \d+\.\s+Skipped: `)
	eunitStart = lazyregexp.New(`^=+ EUnit =+$`)
)

// eunit reads Erlang's EUnit.
func eunit(out *output) []Report {
	return collect(out, eunitStart, eunitEnd, func(i int) (t codebuild.TestCase, ok bool) {
		if !strings.HasSuffix(out.lines[i], "*failed*") || i+1 >= len(out.lines) {
			return t, false
		}
		m := eunitTest.FindStringSubmatch(out.lines[i+1])
		if m == nil {
			return t, false
		}
		t.Suite, t.Name, t.At = m[1], m[2], m[3]+":"+m[4]
		if title := eunitTitle.FindStringSubmatch(out.lines[i]); title != nil {
			t.Name += " (" + title[1] + ")"
		}
		for _, l := range below(out, i, 24, blank) {
			if v := eunitValue.FindStringSubmatch(l); v != nil {
				t.Message = strings.TrimSpace(t.Message + " " + v[1] + " " + v[2])
			} else if strings.HasPrefix(l, "**") && !strings.Contains(l, ":{assert") {
				t.Message = strings.TrimLeft(l, "*")
			}
		}
		return t, true
	})
}

var (
	ctFailed = lazyregexp.New(`^(\w+_SUITE)(?::|:.*?\b)(\w+) failed on line (\d+)$`)
	ctLine   = lazyregexp.New(`^%%% (\w+_SUITE) ==> (\S+?): FAILED$`)
	ctEnd    = lazyregexp.New(`^Testing \S+: TEST COMPLETE|^Failed \d+ tests?\.`)
	ctStart  = lazyregexp.New(`^Testing \S+: Starting test|^=+> Running Common Test`)
)

// commonTest reads Erlang's Common Test, also as rebar3 ct prints it.
func commonTest(out *output) []Report {
	return collect(out, ctStart, ctEnd, func(i int) (t codebuild.TestCase, ok bool) {
		if m := ctFailed.FindStringSubmatch(out.lines[i]); m != nil {
			t = codebuild.TestCase{Suite: m[1], Name: m[2], At: m[1] + ".erl:" + m[3]}
			if i+1 < len(out.lines) {
				t.Message = strings.TrimPrefix(out.lines[i+1], "Reason: ")
			}
			return t, true
		}
		if m := ctLine.FindStringSubmatch(out.lines[i]); m != nil {
			t = codebuild.TestCase{Suite: m[1], Name: m[2]}
			for _, l := range below(out, i, 3, blank) {
				if s := strings.TrimSpace(strings.TrimPrefix(l, "%%% ")); t.Message == "" && !strings.HasSuffix(s, "==>") {
					_, why, found := strings.Cut(s, "==> ")
					if t.Message = s; found {
						t.Message = why
					}
				}
			}
			return t, true
		}
		return t, false
	})
}

var (
	dartTest1  = lazyregexp.New(`^\d\d:\d\d +(?:\+\d+)?(?: ~\d+)?(?: -\d+)?: (?:\[.*?\] )?(?:(\S+\.dart): )?(.+) \[E\]$`)
	dartGithub = lazyregexp.New(`^(?:::group::)?❌ (?:(\S+\.dart): )?(.+) \(failed\)$`)
	dartEnd    = lazyregexp.New(`^\d\d:\d\d .*: Some tests failed\.|^(?:::error::)?\d+ tests? passed, \d+ failed|^🎉|^❎`)
	dartStart  = lazyregexp.New(`^\d\d:\d\d \+\d+: `)
	dartPlace  = lazyregexp.New(`^\s+(?:file://)?(\S+_test\.dart)[ :](\d+):\d+`)
)

// dartTest reads dart test and flutter test.
func dartTest(out *output) []Report {
	if r := dartJSON(out); r != nil {
		return r
	}
	return collect(out, dartStart, dartEnd, func(i int) (t codebuild.TestCase, ok bool) {
		m := dartTest1.FindStringSubmatch(out.lines[i])
		if m == nil {
			m = dartGithub.FindStringSubmatch(out.lines[i])
		}
		if m == nil || strings.HasPrefix(m[2], "loading ") && strings.Contains(m[2], ".dart") {
			return t, false
		}
		t.Suite, t.Name = m[1], strings.TrimSuffix(m[2], " (failed)")
		t.Message, t.At = dartWhy(below(out, i, 40, func(s string) bool { return dartStart.MatchString(s) || dartTest1.MatchString(s) }))
		return t, true
	})
}

// dartWhy reads what Dart says below a failed test.
func dartWhy(lines []string) (why, at string) {
	for k, l := range lines {
		s := strings.TrimSpace(l)
		if p := dartPlace.FindStringSubmatch(l); p != nil && at == "" {
			at = p[1] + ":" + p[2]
		}
		if why == "" && s != "" && !strings.HasPrefix(s, "══") {
			if why = s; strings.HasPrefix(s, "Expected: ") && k+1 < len(lines) {
				why += " " + strings.TrimSpace(lines[k+1])
			}
		}
	}
	return why, at
}

func dartJSON(out *output) []Report {
	var r Report
	tests := map[int]codebuild.TestCase{}
	suites := map[int]string{}
	for i, l := range out.lines {
		if !strings.HasPrefix(l, "{") || !strings.Contains(l, `"type":"`) {
			continue
		}
		var e struct {
			Type, Result, Error, StackTrace string
			TestID                          int
			Hidden                          bool
			Test                            struct {
				ID, SuiteID int
				Name        string
			}
			Suite struct {
				ID   int
				Path string
			}
		}
		if json.Unmarshal([]byte(l), &e) != nil {
			continue
		}
		if r.First == 0 {
			r.First = out.n[i]
		}
		r.Last = out.n[i]
		switch e.Type {
		case "suite":
			suites[e.Suite.ID] = e.Suite.Path
		case "testStart":
			tests[e.Test.ID] = codebuild.TestCase{Suite: suites[e.Test.SuiteID], Name: e.Test.Name}
		case "error":
			t := tests[e.TestID]
			if t.Message == "" {
				t.Message, _ = dartWhy(strings.Split(e.Error, "\n"))
				_, t.At = dartWhy(strings.Split(" "+strings.ReplaceAll(e.StackTrace, "\n", "\n "), "\n"))
				tests[e.TestID] = t
			}
		case "testDone":
			if t := tests[e.TestID]; (e.Result == "failure" || e.Result == "error") && t.Name != "" {
				t.Line = out.n[i]
				r.Failed = append(r.Failed, t)
			}
		}
	}
	if len(r.Failed) == 0 {
		return nil
	}
	return []Report{r}
}

var (
	pesterTest  = lazyregexp.New(`^\s*\[-\] (.+?)(?: \d+(?:\.\d+)?m?s(?: \(.*\))?)?$`)
	pesterPlace = lazyregexp.New(`^\s*at .*?,? ?((?:[A-Za-z]:)?[^\s,:]+\.ps1): ?(?:line )?(\d+)$`)
	pesterStart = lazyregexp.New(`^(?:Pester v|Starting discovery in|Executing all tests in )`)
	pesterEnd   = lazyregexp.New(`^Tests Passed: \d+, Failed: \d+`)
)

// pester reads PowerShell's Pester.
func pester(out *output) []Report {
	group := ""
	return collect(out, pesterStart, pesterEnd, func(i int) (t codebuild.TestCase, ok bool) {
		l := out.lines[i]
		if s := strings.TrimSpace(l); strings.HasPrefix(s, "Describing ") || strings.HasPrefix(s, "Context ") {
			_, group, _ = strings.Cut(s, " ")
		}
		m := pesterTest.FindStringSubmatch(l)
		if m == nil {
			return t, false
		}
		t.Suite, t.Name = group, m[1]
		for _, s := range below(out, i, 12, func(s string) bool {
			return blank(s) || strings.HasPrefix(strings.TrimSpace(s), "[")
		}) {
			if p := pesterPlace.FindStringSubmatch(s); p != nil {
				if t.At == "" {
					t.At = p[1] + ":" + p[2]
				}
			} else if t.Message == "" {
				t.Message = strings.TrimSpace(s)
			}
		}
		return t, true
	})
}

var (
	helmSuite = lazyregexp.New(`^ (FAIL|PASS)\s{2}(\S.*?)\s{2}(\S+)$`)
	helmCase  = lazyregexp.New(`^\s{2}- (\S.*)$`)
	helmWhy   = lazyregexp.New("^\\s+- asserts\\[\\d+\\](?: `?\\w+`?)? fail|^\\s+- \\S.* error:")
	helmStart = lazyregexp.New(`^### Chart \[ `)
	helmEnd   = lazyregexp.New(`^(?:Charts|Test Suites|Tests|Snapshot|Time): `)
)

// helmUnittest reads the plug-in unittest of Helm.
func helmUnittest(out *output) []Report {
	if !slices.ContainsFunc(out.lines, helmStart.MatchString) {
		return nil
	}
	file, head := "", 0
	return collect(out, helmStart, helmEnd, func(i int) (t codebuild.TestCase, ok bool) {
		l := out.lines[i]
		if m := helmSuite.FindStringSubmatch(l); m != nil {
			if file, head = m[3], out.n[i]; m[1] == "PASS" {
				file = ""
			}
			return t, false
		}
		m := helmCase.FindStringSubmatch(l)
		if m == nil || file == "" {
			return t, false
		}
		t.Suite, t.Name, t.Line = file, m[1], head
		for _, s := range below(out, i, 30, func(s string) bool { return helmCase.MatchString(s) || helmSuite.MatchString(s) }) {
			if helmWhy.MatchString(s) && t.Message == "" {
				t.Message = strings.TrimLeft(s, " -")
			}
		}
		return t, true
	})
}

var (
	helmTestSuite = lazyregexp.New(`^TEST SUITE:\s+(\S+)$`)
	helmPhase     = lazyregexp.New(`^Phase:\s+Failed$`)
	helmTestStart = lazyregexp.New(`^NAME: \S+$`)
)

// helmTest reads helm test.
func helmTest(out *output) []Report {
	name := ""
	return collect(out, helmTestStart, helmPhase, func(i int) (t codebuild.TestCase, ok bool) {
		if m := helmTestSuite.FindStringSubmatch(out.lines[i]); m != nil {
			name = m[1]
		}
		return codebuild.TestCase{Name: name}, name != "" && helmPhase.MatchString(out.lines[i])
	})
}

var (
	opaTest1 = lazyregexp.New(`^\s*(data\.\S+): (FAIL|ERROR) \(.*\)$`)
	opaFile  = lazyregexp.New(`^(\S+\.rego):$`)
	opaEnd   = lazyregexp.New(`^(?:PASS|FAIL|ERROR|SKIPPED): \d+/\d+$`)
)

// opaTest reads opa test.
func opaTest(out *output) []Report {
	file := ""
	return collect(out, opaFile, opaEnd, func(i int) (t codebuild.TestCase, ok bool) {
		if m := opaFile.FindStringSubmatch(out.lines[i]); m != nil {
			file = m[1]
		}
		m := opaTest1.FindStringSubmatch(out.lines[i])
		if m == nil {
			return t, false
		}
		t.Suite, t.Name = file, m[1]
		if m[2] == "ERROR" && i+1 < len(out.lines) {
			t.Message = strings.TrimSpace(out.lines[i+1])
		}
		return t, true
	})
}

var (
	guardRule = lazyregexp.New(`^\s+(\S+?) ?: Expected = (\w+), Evaluated = \[(.*)\]$`)
	guardName = lazyregexp.New(`^Name: "?(.+?)"?$`)
	guardCase = lazyregexp.New(`^Test Case #\d+$`)
)

// guardTest reads cfn-guard test.
func guardTest(out *output) []Report {
	name := ""
	return collect(out, guardCase, guardRule, func(i int) (t codebuild.TestCase, ok bool) {
		if m := guardName.FindStringSubmatch(out.lines[i]); m != nil {
			name = m[1]
		}
		m := guardRule.FindStringSubmatch(out.lines[i])
		if m == nil || m[3] == m[2] {
			return t, false
		}
		return codebuild.TestCase{Suite: name, Name: m[1], Message: "expected " + m[2] + ", evaluated " + m[3]}, true
	})
}

var (
	moleculeHead = lazyregexp.New(`Idempotence test failed because of the following tasks`)
	moleculeTask = lazyregexp.New(`^\*\s+\[.*?\] => (.+)$`)
)

// molecule reads the idempotence test of Molecule. Its verifiers are runners of their own.
func molecule(out *output) []Report {
	in := false
	return collect(out, moleculeHead, moleculeTask, func(i int) (t codebuild.TestCase, ok bool) {
		if moleculeHead.MatchString(out.lines[i]) {
			in = true
			return t, false
		}
		m := moleculeTask.FindStringSubmatch(out.lines[i])
		if !in || m == nil {
			return t, false
		}
		return codebuild.TestCase{Name: m[1], Message: "changed something when it ran again"}, true
	})
}

var (
	gossHead = lazyregexp.New(`^Failures/Skipped:$`)
	gossTest = lazyregexp.New(`^(\w+): (.+?):(?: (doesn't match.*|matches expectation.*|Error.*))?$`)
	gossEnd  = lazyregexp.New(`^Count: \d+, Failed: \d+`)
)

// goss reads goss validate.
func goss(out *output) []Report {
	in := false
	return collect(out, gossHead, gossEnd, func(i int) (t codebuild.TestCase, ok bool) {
		l := out.lines[i]
		in = (in || gossHead.MatchString(l)) && !gossEnd.MatchString(l)
		m := gossTest.FindStringSubmatch(l)
		if !in || m == nil || m[1] == "Title" || m[1] == "Meta" || strings.Contains(l, "skipped") || gossHead.MatchString(l) {
			return t, false
		}
		t.Name, t.Message = m[1]+": "+m[2], m[3]
		if t.Message == "" {
			t.Message = strings.Join(below(out, i, 5, blank), " ")
		}
		return t, true
	})
}

var (
	inspecControl = lazyregexp.New(`^\s{2}×\s{2}(\S+?): (.*)$`)
	inspecLoose   = lazyregexp.New(`^\s{5}×\s{2}(.+)$`)
	inspecStart   = lazyregexp.New(`^Profile: `)
	inspecEnd     = lazyregexp.New(`^(?:Profile|Test) Summary: `)
)

// inspec reads Chef's InSpec: controls, and what stands in none.
func inspec(out *output) []Report {
	in := false
	return collect(out, inspecStart, inspecEnd, func(i int) (t codebuild.TestCase, ok bool) {
		l := out.lines[i]
		if m := inspecControl.FindStringSubmatch(l); m != nil {
			in = true
			t.Name, t.Message = m[1], m[2]
			if i+1 < len(out.lines) {
				if s := inspecLoose.FindStringSubmatch(out.lines[i+1]); s != nil {
					t.Message = s[1]
				}
			}
			return t, true
		}
		if m := inspecLoose.FindStringSubmatch(l); m != nil {
			t.Name = m[1]
			t.Message = strings.Join(below(out, i, 3, blank), " ")
			return t, !in
		}
		if !strings.HasPrefix(l, "     ") {
			in = false
		}
		return t, false
	})
}

var (
	newmanHead   = lazyregexp.New(`^\s*#\s+failure\s+detail$`)
	newmanTest   = lazyregexp.New(`^\s*\d+\.\s+(\S*Error\S*|\S+)\s+(\S.*)$`)
	newmanInside = lazyregexp.New(`^\s+inside "(.*)"$`)
)

// newman reads the table of failures at the end of Newman's output.
func newman(out *output) []Report {
	in := false
	return collect(out, newmanHead, newmanInside, func(i int) (t codebuild.TestCase, ok bool) {
		if newmanHead.MatchString(out.lines[i]) {
			in = true
			return t, false
		}
		m := newmanTest.FindStringSubmatch(out.lines[i])
		if !in || m == nil {
			return t, false
		}
		t.Name = m[2]
		for k, l := range below(out, i, 8, blank) {
			if k == 0 {
				t.Message = strings.TrimSpace(l)
			}
			if s := newmanInside.FindStringSubmatch(l); s != nil {
				t.Suite = s[1]
				break
			}
		}
		return t, true
	})
}

var (
	k6Check     = lazyregexp.New(`^\s+✗ (.+)$`)
	k6Threshold = lazyregexp.New(`thresholds on metrics '(.+?)' have been crossed`)
	k6End       = lazyregexp.New(`thresholds on metrics|^\s*running \(.*\), \d+/\d+ VUs`)
	k6Start     = lazyregexp.New(`^\s*execution: (?:local|cloud)|^\s*(?:█ )?(?:THRESHOLDS|TOTAL RESULTS)`)
)

// k6 reads Grafana's k6: checks that failed, and thresholds that were crossed.
func k6(out *output) []Report {
	return collect(out, k6Start, k6End, func(i int) (t codebuild.TestCase, ok bool) {
		if m := k6Threshold.FindStringSubmatch(out.lines[i]); m != nil {
			return codebuild.TestCase{Name: m[1], Message: "threshold crossed"}, true
		}
		m := k6Check.FindStringSubmatch(out.lines[i])
		if m == nil || i+1 >= len(out.lines) || !strings.HasPrefix(strings.TrimSpace(out.lines[i+1]), "↳") {
			return t, false
		}
		return codebuild.TestCase{Name: m[1], Message: strings.Trim(out.lines[i+1], " ↳")}, true
	})
}

var (
	juliaTest = lazyregexp.New(`^(.*?): ?(?:Test Failed|Error During Test) at (\S+:\d+)$`)
	juliaEnd  = lazyregexp.New(`^Test Summary: |^ERROR: LoadError: Some tests did not pass|^\S.* \|(?:\s+\d+)+`)
)

// julia reads Julia's Test, whose test sets have names.
func julia(out *output) []Report {
	return collect(out, nil, juliaEnd, func(i int) (t codebuild.TestCase, ok bool) {
		m := juliaTest.FindStringSubmatch(out.lines[i])
		if m == nil {
			return t, false
		}
		t.Name, t.At = m[1], m[2]
		t.Message = strings.Join(below(out, i, 3, func(s string) bool {
			return blank(s) || strings.HasPrefix(strings.TrimSpace(s), "Stacktrace")
		}), " ")
		if t.Name == "" {
			t.Name = m[2] // of no test set
		}
		return t, true
	})
}

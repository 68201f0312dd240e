package testrun

import (
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

// jvmMore are those of Scala, Clojure and Groovy, and TestNG's and JUnit 4's own.
var jvmMore = []runner{
	{"sbt", []string{"*** FAILED ***", "==> X ", ": Total ", "Tests: ", " example", "tests passed. "}, sbt},
	{"clojure.test", []string{"FAIL in ", "ERROR in "}, clojure},
	{"TestNG", []string{"FAILED: ", "FAILED CONFIGURATION: "}, testng},
	{"JUnit 4", []string{"FAILURES!!!"}, junit4},
}

var (
	sbtLevel     = lazyregexp.New(`^\[(?:info|error|warn)\] ?`)
	scalatest    = lazyregexp.New(`^(\s*)- (.+?) \*\*\* FAILED \*\*\*(?: \(.*\))?$`)
	scalaAborted = lazyregexp.New(`^(\S+) \*\*\* ABORTED \*\*\*`)
	scalaPlace   = lazyregexp.New(`\(([\w./-]+\.(?:scala|sc|kt|java):\d+)\)`)
	munitTest    = lazyregexp.New(`^==> X ((?:[\w$]+\.)*[A-Z][\w$]*)\.(.+?)\s{2}[\d.]+m?s\s+(\S.*)$`)
	munitPlace   = lazyregexp.New(`^(\S+Exception|\S+Error): (\S+\.scala:\d+)(?: (.*))?$`)
	munitEnd     = lazyregexp.New(`^\s*at |^==> |^=> Diff|^(?:Passed|Failed|Error): Total `)
	utestTest    = lazyregexp.New(`^X (\S+) [\d.]+m?s(?: (.*))?$`)
	specs2Test   = lazyregexp.New(`^\s+[x!] (\S.*)$`)
	zioTest      = lazyregexp.New(`^\s+- (\S.*?)(?: - FAILED.*)?$`)
	zioWhy       = lazyregexp.New(`^\s+✗ (.+)$`)
	sbtJUnit     = lazyregexp.New(`^Test (\S+) failed: (.*?)(?:, took .*)?$`)
	scalaSuite   = lazyregexp.New(`^([A-Z]\w*):$`)
	specs2Suite  = lazyregexp.New(`^([A-Z]\w*(?:Spec|Test|Specification)\w*)$`)
	sbtEnd       = lazyregexp.New(`^(?:Passed|Failed|Error): Total \d+|^\*\*\* \d+ TESTS? FAILED \*\*\*|^Tests: succeeded |` +
		`^Failed tests:|^\d+ tests? passed\. \d+ tests? failed|^Tests: \d+, Passed: |^\d+ examples?, \d+ failures?|^Run completed in `)
	sbtStart = lazyregexp.New(`^(?:Discovery (?:starting|completed)|Run starting|Test run started|Test run \S+ started)`)
)

// sbt reads ScalaTest, MUnit, specs2, µTest, ZIO Test and JUnit as sbt, Mill and scala-cli print
// them.
func sbt(out *output) []Report {
	plain := output{make([]string, len(out.lines)), out.n, nil}
	for i, l := range out.lines {
		plain.lines[i] = l[len(sbtLevel.FindString(l)):]
	}
	if !slices.ContainsFunc(plain.lines, func(l string) bool {
		return sbtEnd.MatchString(l) || munitTest.MatchString(l) || utestTest.MatchString(l)
	}) {
		return nil
	}
	suite := ""
	return collect(&plain, sbtStart, sbtEnd, func(i int) (t codebuild.TestCase, ok bool) {
		l := plain.lines[i]
		if m := scalatest.FindStringSubmatch(l); m != nil {
			t.Suite, t.Name = suite, m[2]
			t.Message = strings.TrimSpace(strings.Join(below(&plain, i, 1, blank), " "))
			if p := scalaPlace.FindStringSubmatch(t.Message); p != nil {
				t.At = p[1]
				t.Message = strings.TrimSpace(strings.Replace(t.Message, p[0], "", 1))
			} else {
				t.Message = jvmWhy(t.Message)
				t.At = jvmTestFrame(below(&plain, i, 12, func(s string) bool { return strings.HasPrefix(s, "- ") }))
			}
			return t, true
		}
		if m := scalaAborted.FindStringSubmatch(l); m != nil {
			t.Name = m[1]
			t.Message = strings.TrimSpace(strings.Join(below(&plain, i, 1, blank), " "))
			return t, true
		}
		if m := munitTest.FindStringSubmatch(l); m != nil {
			t.Suite, t.Name, t.Message = m[1], m[2], m[3]
			if p := munitPlace.FindStringSubmatch(m[3]); p != nil {
				t.At, t.Message = p[2], p[3]
				if t.Message == "" {
					t.Message = munitWhy(below(&plain, i, 14, func(s string) bool { return strings.HasPrefix(s, "==> ") }))
				}
			}
			return t, true
		}
		if m := utestTest.FindStringSubmatch(l); m != nil {
			t.Name = m[1]
			if k := strings.LastIndexByte(m[1], '.'); k > 0 {
				t.Suite, t.Name = m[1][:k], m[1][k+1:]
			}
			t.Message = strings.TrimSpace(strings.Join(below(&plain, i, 1, blank), " "))
			return t, true
		}
		if m := sbtJUnit.FindStringSubmatch(l); m != nil {
			if k := strings.LastIndexByte(m[1], '.'); k > 0 {
				t.Suite, t.Name = m[1][:k], m[1][k+1:]
			}
			t.Message = jvmWhy(m[2])
			t.At = jvmTestFrame(below(&plain, i, 30, sbtJUnit.MatchString))
			return t, t.Name != ""
		}
		if m := specs2Test.FindStringSubmatch(l); m != nil && suite != "" {
			t.Suite, t.Name = suite, m[1]
			t.Message = strings.TrimSpace(strings.Join(below(&plain, i, 1, blank), " "))
			if p := scalaPlace.FindStringSubmatch(t.Message); p != nil {
				t.At = p[1]
				t.Message = strings.TrimSpace(strings.Replace(t.Message, p[0], "", 1))
			}
			return t, true
		}
		if m := zioTest.FindStringSubmatch(l); m != nil {
			for _, s := range below(&plain, i, 3, zioTest.MatchString) {
				if w := zioWhy.FindStringSubmatch(s); w != nil {
					return codebuild.TestCase{Name: m[1], Message: w[1]}, true
				}
			}
		}
		if m := scalaSuite.FindStringSubmatch(l); m != nil {
			suite = m[1]
		} else if m := specs2Suite.FindStringSubmatch(l); m != nil {
			suite = m[1]
		}
		return t, false
	})
}

// munitWhy reads the values below a failure of MUnit.
func munitWhy(lines []string) string {
	for i, l := range lines {
		switch s := strings.TrimSpace(l); {
		case s == "values are not the same", strings.HasPrefix(s, "=> Obtained"), strings.HasPrefix(s, "assertion failed"):
			return strings.Join(upTo(lines[i:], 6, munitEnd.MatchString), " ")
		}
	}
	return ""
}

var (
	clojureTest  = lazyregexp.New(`^(?:FAIL|ERROR) in (?:\((.+?)\)|(\S+)) \(([^():]+\.clj[cs]?:\d+|[^()]*:\d+)\)$`)
	clojureEnd   = lazyregexp.New(`^Ran \d+ tests containing \d+ assertions|^\d+ failures, \d+ errors\.|^\d+ tests, \d+ assertions, `)
	clojureStart = lazyregexp.New(`^(?:lein test |Testing |Running tests in )\S+`)
)

// clojure reads clojure.test, as Leiningen, the Clojure CLI and Kaocha print it.
func clojure(out *output) []Report {
	suite := ""
	return collect(out, clojureStart, clojureEnd, func(i int) (t codebuild.TestCase, ok bool) {
		l := out.lines[i]
		if rest, found := strings.CutPrefix(l, "lein test "); found && !strings.HasPrefix(rest, ":") {
			suite = rest
		} else if rest, found := strings.CutPrefix(l, "Testing "); found {
			suite = rest
		}
		m := clojureTest.FindStringSubmatch(l)
		if m == nil {
			return t, false
		}
		t.Suite, t.Name, t.At = suite, m[1], m[3]
		if m[2] != "" {
			if t.Suite, t.Name, ok = strings.Cut(m[2], "/"); !ok {
				t.Suite, t.Name = "", m[2]
			}
		}
		var parts []string
		for _, s := range below(out, i, 8, blank) {
			if s = strings.TrimSpace(s); len(parts) < 4 && !strings.HasPrefix(s, "at ") {
				parts = append(parts, s)
			}
		}
		t.Message = strings.Join(parts, " ")
		return t, true
	})
}

var (
	testngTest  = lazyregexp.New(`^FAILED(?: CONFIGURATION)?: (?:@\w+ )?(\S+?(?:\(.*\))?)$`)
	testngTotal = lazyregexp.New(`^Total tests run: \d+`)
	testngEnd   = lazyregexp.New(`^Total tests run: \d+|^=+$`)
	testngStart = lazyregexp.New(`^(?:\.\.\.\s*|\[TestNG\] Running:|PASSED: )`)
)

// testng reads TestNG's text reporter.
func testng(out *output) []Report {
	if !slices.ContainsFunc(out.lines, testngTotal.MatchString) {
		return nil
	}
	return collect(out, testngStart, testngEnd, func(i int) (t codebuild.TestCase, ok bool) {
		m := testngTest.FindStringSubmatch(out.lines[i])
		if m == nil {
			return t, false
		}
		t.Suite, t.Name = dotnetName(m[1])
		body := below(out, i, 40, func(s string) bool { return blank(s) || testngTest.MatchString(s) || testngStart.MatchString(s) })
		if len(body) > 0 {
			t.Message = jvmWhy(body[0])
		}
		if t.At = jvmFrame(body, simple(t.Suite)); t.At == "" {
			t.At = jvmTestFrame(body)
		}
		return t, true
	})
}

var (
	junit4Test  = lazyregexp.New(`^\d+\) (.+)\(([\w.$]+)\)$`)
	junit4Start = lazyregexp.New(`^JUnit version 4`)
	junit4End   = lazyregexp.New(`^Tests run: \d+,  Failures: \d+`)
)

// junit4 reads JUnit 4's text runner.
func junit4(out *output) []Report {
	return collect(out, junit4Start, junit4End, func(i int) (t codebuild.TestCase, ok bool) {
		m := junit4Test.FindStringSubmatch(out.lines[i])
		if m == nil {
			return t, false
		}
		t.Suite, t.Name = m[2], jvmClass(m[2], m[1])
		body := below(out, i, 40, junit4Test.MatchString)
		if len(body) > 0 {
			t.Message = jvmWhy(body[0])
		}
		t.At = jvmFrame(body, simple(m[2]))
		return t, true
	})
}

package testrun

import (
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

// appleRunners are those of Swift and Objective-C.
var appleRunners = []runner{
	{"XCTest", []string{"Test Case '", "Failing tests:", " recorded an issue", "with 1 issue", " issues."}, xctest},
	{"xcpretty", []string{"✗ ", "✖ ", "[x] "}, xcpretty},
}

var (
	xctestCase  = lazyregexp.New(`^Test Case '(?:-\[)?(?:\w+\.)?(\w+)[. ](\w+(?:\(\))?)\]?' (failed|passed|started)`)
	xctestError = lazyregexp.New(`^(\S.*?:\d+): error: (?:-\[)?(?:\w+\.)?(\w+)[. ](\w+)(?:\(\))?\]? : (.*)$`)
	xctestStart = lazyregexp.New(`^(?:Test Suite '.*' started|\S+ Test run started\.|Test session results)`)
	xctestEnd   = lazyregexp.New(`^\s*Executed \d+ tests?, with |^\S+ Test run with \d+ tests? .*(?:failed|passed)|^\*\* TEST `)
	swiftIssue  = lazyregexp.New(`^\S{1,4} Test (".*"|[^"\s]\S*\(.*?\)|\S+) recorded an issue(?: with \d+ arguments? (.*?))?` +
		` at (\S+?:\d+):\d+: (.*)$`)
	swiftFailed = lazyregexp.New(`^\S{1,4} Test (".*"|[^"\s]\S*\(.*?\)|\S+)(?: with \d+ test cases)? failed after `)
	xcodeList   = lazyregexp.New(`^\s+(?:-\[)?(?:(\w+)[. ])?(.+?)\]?$`)
)

// xctest reads XCTest and Swift Testing, as swift test and xcodebuild print them.
func xctest(out *output) []Report {
	var order []string
	cases := map[string]*codebuild.TestCase{}
	failed := map[string]bool{}
	at := func(key string) *codebuild.TestCase {
		if cases[key] == nil {
			suite, name, ok := strings.Cut(key, "\x00")
			if !ok {
				suite, name = "", key
			}
			cases[key] = &codebuild.TestCase{Suite: suite, Name: name}
			order = append(order, key)
		}
		return cases[key]
	}
	listing := false
	r := collect(out, xctestStart, xctestEnd, func(i int) (t codebuild.TestCase, ok bool) {
		l := out.lines[i]
		key := ""
		if strings.HasPrefix(strings.TrimSpace(l), "Failing tests:") {
			listing = true
			return t, false
		}
		if listing {
			m := xcodeList.FindStringSubmatch(l)
			if listing = m != nil; !listing {
				return t, false
			}
			key = m[1] + "\x00" + strings.TrimSuffix(m[2], "()")
		} else if m := xctestError.FindStringSubmatch(l); m != nil {
			key = m[2] + "\x00" + m[3]
			if c := at(key); c.Message == "" {
				c.At, c.Message = m[1], strings.TrimSuffix(m[4], " -")
			}
		} else if m := xctestCase.FindStringSubmatch(l); m != nil && m[3] == "failed" {
			key = m[1] + "\x00" + strings.TrimSuffix(m[2], "()")
		} else if m := swiftIssue.FindStringSubmatch(l); m != nil {
			key = strings.Trim(m[1], `"`)
			if c := at(key); c.Message == "" {
				c.At, c.Message = m[3], strings.TrimSpace(m[4]+" "+m[2])
			}
		} else if m := swiftFailed.FindStringSubmatch(l); m != nil && m[1] != "run" {
			key = strings.Trim(m[1], `"`)
		} else {
			return t, false
		}
		if first := at(key); first.Line == 0 {
			first.Line = out.n[i]
		}
		if failed[key] {
			return t, false
		}
		failed[key] = true
		return codebuild.TestCase{Name: key}, true
	})
	for i := range r {
		r[i].Failed = nil
		for _, key := range order {
			r[i].Failed = append(r[i].Failed, *cases[key])
		}
	}
	return r
}

var (
	xcprettyFailed = lazyregexp.New(`^\s*(?:✗|✖|\[x\]) (\w+(?:\(\))?), (.+)$`)
	xcprettyShort  = lazyregexp.New(`^\s*(?:✗|✖|\[x\]) (\w+(?:\(\))?)(?: on '.*')? \([\d.]+ seconds\)`)
	xcprettySuite  = lazyregexp.New(`^(?:Test Suite )?(\w+)(?: started)?$`)
	xcprettyEnd    = lazyregexp.New(`Executed \d+ tests?, with |^Tests Passed: |^❌ |^Test Failed$`)
	xcprettyPlace  = lazyregexp.New(`^\s+(\S+\.(?:swift|m|mm):\d+)$`)
)

// xcpretty reads what xcpretty and xcbeautify make of xcodebuild's output.
func xcpretty(out *output) []Report {
	if !slices.ContainsFunc(out.lines, xcprettyEnd.MatchString) {
		return nil
	}
	suite := ""
	return collect(out, xctestStart, xcprettyEnd, func(i int) (t codebuild.TestCase, ok bool) {
		l := out.lines[i]
		if m := xcprettySuite.FindStringSubmatch(l); m != nil && strings.HasSuffix(m[1], "Tests") {
			suite = m[1]
		}
		m := xcprettyFailed.FindStringSubmatch(l)
		if m == nil {
			if m = xcprettyShort.FindStringSubmatch(l); m == nil {
				return t, false
			}
			m = append(m, "")
		}
		t = codebuild.TestCase{Suite: suite, Name: strings.TrimSuffix(m[1], "()"), Message: m[2]}
		for _, s := range below(out, i, 2, blank) {
			if p := xcprettyPlace.FindStringSubmatch(s); p != nil {
				t.At = p[1]
			}
		}
		return t, true
	})
}

package testrun

import (
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

// dotnetRunners are those of .NET.
var dotnetRunners = []runner{
	{"dotnet test", []string{"  Failed ", "error TESTERROR", "X "}, vstest},
	{"Microsoft.Testing.Platform", []string{"Test run summary: Failed!", "failed "}, testingPlatform},
	{"NUnit console", []string{") Failed : ", ") Error : ", ") Invalid : "}, nunitConsole},
	{"xUnit.net", []string{" [FAIL]"}, xunit},
}

var (
	vstestFailed = lazyregexp.New(`^\s{0,2}(?:Failed|X) (\S.*?) \[(?:< )?\d[\d.,]*\s?\w+(?: \d+\s?\w+)*\]$`)
	vstestLogger = lazyregexp.New(`^\s*(\S.*?)(?:\((\d+)(?:,\d+)?\))?: error TESTERROR: (\S.*?) ` +
		`\((?:< )?\d[\d.,]*\s?\w+\): Error Message: (.*)$`)
	vstestStart = lazyregexp.New(`^(?:Test run for |A total of \d+ test files|Starting test execution|VSTest version )`)
	vstestEnd   = lazyregexp.New(`^(?:Failed!\s+- Failed: |Test Run Failed\.|Total tests: |` +
		`\s+(?:Passed|Failed|Skipped|Total time): |Test summary: total: )`)
	dotnetPlace = lazyregexp.New(`^\s*(?:at )?.*\bin (\S.*?):(?:line )?(\d+)$`)
	dotnetStack = lazyregexp.New(`^\s*(?:at |Stack Trace:|--- End of)`)
)

// dotnetWhy reads the message of a failure and the first place of its stack.
func dotnetWhy(lines []string) (why, at string) {
	var parts []string
	stack := false
	for _, l := range lines {
		s := strings.TrimSpace(l)
		if p := dotnetPlace.FindStringSubmatch(l); p != nil {
			if at == "" {
				at = p[1] + ":" + p[2]
			}
			stack = true
			continue
		}
		stack = stack || dotnetStack.MatchString(l)
		if !stack && s != "" && s != "Error Message:" && s != "Message:" && len(parts) < 4 && !strings.ContainsAny(s, "↓↑") {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, " "), at
}

// dotnetName parts a test's name from its class. Parameters can have dots, too.
func dotnetName(full string) (class, name string) {
	end := len(full)
	if i := strings.IndexByte(full, '('); i > 0 {
		end = i
	}
	if strings.ContainsRune(full[:end], ' ') {
		return "", full // a display name
	}
	i := strings.LastIndexByte(full[:end], '.')
	if i < 0 {
		return "", full
	}
	return full[:i], full[i+1:]
}

// vstest reads dotnet test on VSTest, with xUnit, NUnit or MSTest below.
func vstest(out *output) []Report {
	return collect(out, vstestStart, vstestEnd, func(i int) (t codebuild.TestCase, ok bool) {
		logged := strings.Contains(out.lines[i], ": error TESTERROR: ")
		if !logged && !strings.HasSuffix(out.lines[i], "]") {
			return t, false
		}
		if m := vstestLogger.FindStringSubmatch(out.lines[i]); m != nil {
			t.Suite, t.Name = dotnetName(m[3])
			t.Message = m[4]
			if m[2] != "" {
				t.At = m[1] + ":" + m[2]
			}
			return t, true
		}
		m := vstestFailed.FindStringSubmatch(out.lines[i])
		if m == nil {
			return t, false
		}
		t.Suite, t.Name = dotnetName(m[1])
		t.Message, t.At = dotnetWhy(below(out, i, 30, func(s string) bool {
			return vstestFailed.MatchString(s) || vstestEnd.MatchString(s) || strings.TrimSpace(s) == "Standard Output Messages:"
		}))
		return t, true
	})
}

var (
	platformFailed = lazyregexp.New(`^failed (\S.*?) \((?:\d[\d.]*\w+ ?)+\)$`)
	platformEnd    = lazyregexp.New(`^Test run summary: |^  (?:total|failed|succeeded|skipped|duration): `)
	platformStart  = lazyregexp.New(`^(?:Running tests from |Microsoft\.Testing\.Platform v|xUnit\.net v3|NUnit Adapter|TUnit)`)
)

// testingPlatform reads Microsoft.Testing.Platform: dotnet test since .NET 10, MSTest's and NUnit's
// runners, xUnit v3 and TUnit.
func testingPlatform(out *output) []Report {
	return collect(out, platformStart, platformEnd, func(i int) (t codebuild.TestCase, ok bool) {
		m := platformFailed.FindStringSubmatch(out.lines[i])
		if m == nil {
			return t, false
		}
		t.Suite, t.Name = dotnetName(m[1])
		t.Message, t.At = dotnetWhy(below(out, i, 30, func(s string) bool { return s != "" && s[0] != ' ' }))
		return t, true
	})
}

var (
	nunitFailed = lazyregexp.New(`^\d+\) (?:Failed|Error|Invalid) : (\S.*)$`)
	nunitStart  = lazyregexp.New(`^(?:NUnit Console|Errors, Failures and Warnings|Errors and Failures:?)`)
	nunitEnd    = lazyregexp.New(`^(?:Test Run Summary|\s+Overall result: |\s+Test Count: )`)
)

// nunitConsole reads NUnit's console runner.
func nunitConsole(out *output) []Report {
	return collect(out, nunitStart, nunitEnd, func(i int) (t codebuild.TestCase, ok bool) {
		m := nunitFailed.FindStringSubmatch(out.lines[i])
		if m == nil {
			return t, false
		}
		t.Suite, t.Name = dotnetName(m[1])
		t.Message, t.At = dotnetWhy(below(out, i, 30, func(s string) bool { return nunitFailed.MatchString(s) || nunitEnd.MatchString(s) }))
		return t, true
	})
}

var (
	xunitFailed = lazyregexp.New(`^\s*(?:\[xUnit\.net [\d:.]+\]\s+)?(\S.*) \[FAIL\]$`)
	xunitStart  = lazyregexp.New(`^(?:\s*Starting: |xUnit\.net )`)
	xunitEnd    = lazyregexp.New(`^\s*(?:Finished: |=== TEST EXECUTION SUMMARY ===|\S+\s+Total: \d+, Errors: )`)
)

// xunit reads xUnit.net's own console runner. It also speaks in dotnet test, which repeats what it
// says.
func xunit(out *output) []Report {
	vs := slices.ContainsFunc(out.lines, func(l string) bool { return vstestFailed.MatchString(l) || vstestLogger.MatchString(l) })
	return collect(out, xunitStart, xunitEnd, func(i int) (t codebuild.TestCase, ok bool) {
		m := xunitFailed.FindStringSubmatch(out.lines[i])
		if m == nil || vs && strings.Contains(out.lines[i], "[xUnit.net ") {
			return t, false
		}
		t.Suite, t.Name = dotnetName(m[1])
		t.Message, t.At = dotnetWhy(below(out, i, 30, func(s string) bool {
			return xunitFailed.MatchString(s) || xunitEnd.MatchString(s) || strings.TrimSpace(s) == "Output:"
		}))
		return t, true
	})
}

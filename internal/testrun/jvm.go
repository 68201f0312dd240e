package testrun

import (
	"strings"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

// jvmRunners are those of Java, Kotlin, Groovy, Scala and Clojure.
var jvmRunners = []runner{
	{"maven surefire", []string{"<<< FAILURE!", "<<< ERROR!", "Failures: ", "Crashed tests:"}, surefire},
	{"junit console", []string{"Failures (", "=> Exception: ", " caught: ", " :: FAILED"}, junitConsole},
	{"gradle test", []string{" FAILED"}, gradle},
}

var (
	mavenLevel = lazyregexp.New(`^(?:[\d:., -]+\s)?\[(INFO|WARNING|ERROR|WARN|DEBUG)\] ?`)
	// surefireCase is a failed test in the class's part of the report. Its name stood before its
	// class until 3.0.
	surefireCase = lazyregexp.New(`^(.+?)(?: -- | +)Time elapsed: [\d.,]+ s(?:ec)?(?:onds)? +<<< (?:FAILURE|ERROR)!`)
	surefireOld  = lazyregexp.New(`^(.+)\(((?:\w+\.)+[\w$]+|[A-Z][\w$]*)\)$`)
	surefireName = lazyregexp.New(`^((?:[a-z_0-9]\w*\.)*[A-Z][\w$]*)(?:\.(.+))?$`)
	surefireSet  = lazyregexp.New(`^Tests run: \d+, Failures: \d+, Errors: \d+(?:.* in ([\w$.]+)$)?`)
	// surefireLine is a test of the summary: class (and the one that has the method), method, line.
	surefireLine = lazyregexp.New(`^\s+([\w$.]*\b[A-Z][\w$]*)(?:>[\w$.]+)?\.([\w$]+|` +
		`[^:\s]+\[[^\]]*\])(?:->[\w$.]+)?:(\d+)?(?:->[^\s:]+:(\d+))?\s*»?\s*(.*)$`)
	surefireWord = lazyregexp.New(`^\s+([\w$.]*[A-Z][\w$]*)\.([\w$]+)(?:\(([\w$.]+)\))?\s*(?:»|:| )\s*(.*)$`)
	surefireBare = lazyregexp.New(`^((?:\w+\.)+[\w$]+\.?\S*)$`)
	javaFrame    = lazyregexp.New(`^[│\s]*(?:at |\.\.\. )?([\w$./]+)\.[\w$<>]+\((\w+\.(?:java|kt|scala|groovy|clj):\d+)\)`)
	javaError    = lazyregexp.New(`^(?:[\w$]+\.)*([\w$]+(?:Error|Exception|Failure|Failed|Throwable|Fault)\w*)(?:: ?(.*))?$`)
)

// jvmFrame returns the place in the named class that a stack trace tells first.
func jvmFrame(lines []string, class string) (at string) {
	for _, l := range lines {
		m := javaFrame.FindStringSubmatch(l)
		if m == nil {
			continue
		}
		own := m[1][strings.LastIndexByte(m[1], '/')+1:]
		if outer, _, _ := strings.Cut(own, "$"); class != "" && (outer == class || strings.HasSuffix(outer, "."+class)) {
			return m[2]
		}
	}
	return ""
}

// jvmWhy says of an exception's line what a person wants to know: not that an assertion failed.
func jvmWhy(l string) string {
	m := javaError.FindStringSubmatch(strings.TrimSpace(l))
	switch {
	case m == nil:
		return strings.TrimSpace(l)
	case strings.Contains(m[1], "Assertion") && m[2] != "", m[1] == "ComparisonFailure":
		return m[2]
	case m[2] == "":
		return m[1]
	}
	return m[1] + ": " + m[2]
}

// jvmClass is the name of what failed before any test of a class could run: the class.
func jvmClass(class, name string) string {
	switch name {
	case "initializationError", "executionError", "classMethod", "beforeAll":
		return simple(class)
	}
	return name
}

// simple is a class without its package.
func simple(class string) string { return class[strings.LastIndexByte(class, '.')+1:] }

// surefire reads what Maven's Surefire and Failsafe print. A test that failed and passed when it
// was run again is a flake, which is no failure.
func surefire(out *output) []Report {
	var all []Report
	start := 0
	for i, l := range out.lines {
		if strings.HasSuffix(strings.TrimSpace(l), "T E S T S") {
			all = append(all, surefireRun(out, start, i)...)
			start = i
		}
	}
	return append(all, surefireRun(out, start, len(out.lines))...)
}

// surefireRun reads the run from line start up to line end.
func surefireRun(out *output, start, end int) []Report {
	var r Report
	var cases, summed []codebuild.TestCase
	var runs []string // what a test that was run again did
	section, class, bare := "", "", codebuild.TestCase{}
	head := start < end && strings.HasSuffix(strings.TrimSpace(out.lines[start]), "T E S T S")
	flaky := map[string]bool{}
	mark := func(i int) {
		if r.First == 0 {
			r.First = out.n[i]
		}
		r.Last = out.n[i]
	}
	flush := func() {
		if bare.Name != "" {
			if passed := len(runs) > 0 && strings.HasSuffix(runs[len(runs)-1], "PASS"); !passed && section != "Flakes" {
				summed = append(summed, bare)
			} else {
				flaky[bare.Suite+"."+bare.Name] = true
			}
		}
		bare, runs = codebuild.TestCase{}, nil
	}
	for i := start; i < end; i++ {
		l := out.lines[i]
		level := mavenLevel.FindString(l)
		text := l[len(level):]
		trimmed := strings.TrimSpace(text)
		if strings.Contains(text, "<<< ") && strings.Contains(text, "Time elapsed") {
			mark(i)
			if m := surefireSet.FindStringSubmatch(text); m != nil {
				class = m[1]
			} else if m := surefireCase.FindStringSubmatch(text); m != nil {
				cases = append(cases, surefireTest(out, m[1], class, i, end))
			}
			continue
		}
		switch {
		case surefireSet.MatchString(trimmed):
			mark(i)
			flush()
			section = ""
		case trimmed == "Results:", trimmed == "Results :":
			mark(i)
		case trimmed == "Failures:", trimmed == "Errors:", trimmed == "Flakes:", trimmed == "Failed tests:",
			trimmed == "Tests in error:", trimmed == "Crashed tests:", trimmed == "Flaked tests:",
			strings.HasPrefix(text, "Failed tests: "), strings.HasPrefix(text, "Tests in error: "):
			flush()
			mark(i)
			var rest string
			section, rest, _ = strings.Cut(trimmed, ":")
			if section == "Flaked tests" {
				section = "Flakes"
			}
			if rest = strings.TrimSpace(rest); rest != "" { // of 2.12 and earlier
				if t, ok := surefireSum("  "+rest, out.n[i]); ok {
					summed = append(summed, t)
				}
			}
		case strings.HasPrefix(trimmed, "There was a timeout or other error in the fork"),
			strings.HasPrefix(trimmed, "ExecutionException The forked VM terminated"):
			mark(i)
		case section == "":
		case trimmed == "":
			flush()
		case strings.HasPrefix(trimmed, "Run ") && bare.Name != "":
			mark(i)
			_, what, _ := strings.Cut(trimmed, ": ")
			runs = append(runs, what)
			if t, ok := surefireSum("  "+what, 0); ok && bare.Message == "" {
				bare.At, bare.Message = t.At, t.Message
			}
		case surefireBare.MatchString(text) && (level != "" || section == "Crashed tests"):
			flush()
			mark(i)
			if m := surefireName.FindStringSubmatch(text); m != nil {
				bare = codebuild.TestCase{Suite: m[1], Name: m[2], Line: out.n[i]}
				if bare.Name == "" {
					bare.Name = simple(m[1])
				}
				if section == "Crashed tests" {
					bare.Message = "the test's process crashed"
				}
			}
		case strings.HasPrefix(text, "  "):
			if t, ok := surefireSum(text, out.n[i]); ok && section != "Flakes" {
				mark(i)
				summed = append(summed, t)
			}
		}
	}
	flush()
	if r.First == 0 {
		return nil
	}
	r.Failed = surefireAll(cases, summed, flaky)
	if len(r.Failed) == 0 {
		return nil
	}
	if head {
		r.First = out.n[start]
	} else {
		begin(out, &r, func(l string) bool { return strings.HasPrefix(l, "[INFO] ---") || strings.HasPrefix(l, "$ ") })
	}
	return []Report{r}
}

// surefireTest is the failed test of that name, whose line is i, in a class's part of the report.
func surefireTest(out *output, name, class string, i, end int) codebuild.TestCase {
	t := codebuild.TestCase{Name: name, Line: out.n[i]}
	if m := surefireOld.FindStringSubmatch(name); m != nil {
		t.Suite, t.Name = m[2], m[1]
	} else if m := surefireName.FindStringSubmatch(name); m != nil {
		if t.Suite, t.Name = m[1], m[2]; t.Name == "" {
			t.Name = simple(m[1])
		}
	} else { // 2.22 names no class here
		t.Suite, _, _ = strings.Cut(class, "$")
	}
	t.Name = jvmClass(t.Suite, t.Name)
	stack := out.lines[i+1 : min(end, i+120)]
	stack = upTo(stack, len(stack), func(s string) bool { return strings.Contains(s, "<<< ") })
	if len(stack) > 0 {
		if t.Message = jvmWhy(stack[0]); t.Message == "MultipleFailuresError" {
			t.Message = strings.Join(upTo(stack[1:], 4, javaFrame.MatchString), " ")
		}
	}
	outer, _, _ := strings.Cut(simple(t.Suite), "$")
	t.At = jvmFrame(stack, outer)
	return t
}

// surefireSum reads a test in the summary.
func surefireSum(text string, n int) (t codebuild.TestCase, ok bool) {
	if m := surefireLine.FindStringSubmatch(text); m != nil {
		t = codebuild.TestCase{Suite: m[1], Name: m[2], Message: m[5], Line: n}
		if m[3] != "" {
			outer, _, _ := strings.Cut(simple(m[1]), "$")
			t.At = outer + ".java:" + m[3]
		}
		return t, true
	}
	if m := surefireWord.FindStringSubmatch(text); m != nil {
		return codebuild.TestCase{Suite: m[1], Name: m[2], Message: m[4], Line: n}, true
	}
	if m := surefireOld.FindStringSubmatch(strings.TrimSpace(text)); m != nil {
		return codebuild.TestCase{Suite: m[2], Name: m[1], Line: n}, true
	}
	name, why, found := strings.Cut(strings.TrimSpace(text), ": ")
	if m := surefireOld.FindStringSubmatch(name); found && m != nil { // of 2.12 and earlier
		return codebuild.TestCase{Suite: m[2], Name: m[1], Message: why, Line: n}, true
	}
	return t, false
}

// surefireAll joins what the classes' parts and the summary name. The classes' know the parameters,
// the summary which were flakes.
func surefireAll(cases, summed []codebuild.TestCase, flaky map[string]bool) []codebuild.TestCase {
	outer := func(t codebuild.TestCase) string {
		class, _, _ := strings.Cut(simple(t.Suite), "$")
		return class
	}
	base := func(t codebuild.TestCase) string {
		name := t.Name
		if i := strings.IndexAny(name, "([{"); i > 0 {
			name = name[:i]
		}
		return outer(t) + "." + strings.TrimSpace(name)
	}
	known, classes := map[string]bool{}, map[string]bool{}
	var list []codebuild.TestCase
	for _, t := range cases {
		known[base(t)] = true
		if t.Name == simple(t.Suite) {
			classes[t.Name] = true
		}
		if !flaky[t.Suite+"."+t.Name] {
			list = append(list, t)
		}
	}
	for _, t := range summed {
		if !known[base(t)] && !classes[simple(t.Suite)] && !flaky[t.Suite+"."+t.Name] {
			list = append(list, t)
		}
	}
	return list
}

var (
	gradleCase  = lazyregexp.New(`^(?:Gradle Test Run \S+ > |Gradle Test Executor \d+ > )*(\S.*? > .*\S|\S+) FAILED\s*$`)
	gradleOther = lazyregexp.New(`^> |> Task :|^(?:Execution|BUILD|FAILURE)\b|^[-✔✘*=]`)
	gradleCount = lazyregexp.New(`^\d+ tests? completed, (\d+) failed`)
	gradleAt    = lazyregexp.New(`^\s+(?:[\w$]+\.)*[\w$]+ at ([\w-]+\.\w+:\d+)$`)
	// gradleLogged is a test of the plug-in com.adarshr.test-logger.
	gradleLogged = lazyregexp.New(`^  (?:Test (.+) FAILED|✘ (.+?))(?: \([\d.]+m?s\))?$`)
	gradleTask   = lazyregexp.New(`^> Task \S+|^:\S+$`)
)

// gradle reads what Gradle prints of its test tasks.
func gradle(out *output) []Report {
	var r Report
	class := ""
	for i, l := range out.lines {
		if strings.Contains(l, " completed, ") && gradleCount.MatchString(l) {
			r.Last = out.n[i]
			continue
		}
		if l != "" && l[0] != ' ' && !strings.Contains(l, " ") {
			class = l
		}
		var t codebuild.TestCase
		failed := strings.HasSuffix(strings.TrimRight(l, " "), " FAILED")
		if !failed && !strings.HasPrefix(l, "  Test ") && !strings.HasPrefix(l, "  ✘ ") {
			continue
		}
		if m := gradleLogged.FindStringSubmatch(l); m != nil && class != "" {
			t = codebuild.TestCase{Suite: class, Name: m[1] + m[2]}
		} else if !failed || gradleOther.MatchString(l) {
			continue
		} else if m := gradleCase.FindStringSubmatch(l); m == nil {
			continue
		} else if suite, name, ok := strings.Cut(m[1], " > "); ok {
			t = codebuild.TestCase{Suite: suite, Name: jvmClass(suite, name)}
		} else {
			continue // a class or a run as a whole
		}
		t.Line = out.n[i]
		stack := upTo(out.lines[i+1:], 60, func(s string) bool { return s != "" && s[0] != ' ' && s[0] != '\t' })
		for k, s := range stack {
			if strings.TrimSpace(s) == "" {
				continue
			}
			if m := gradleAt.FindStringSubmatch(s); m != nil {
				t.At, t.Message = m[1], simple(strings.Fields(s)[0])
				break
			}
			if t.Message = jvmWhy(s); strings.HasSuffix(t.Message, ":") {
				t.Message += " " + strings.TrimSpace(strings.Join(upTo(stack[k+1:], 2, javaFrame.MatchString), " "))
			}
			outer, _, _ := strings.Cut(simple(t.Suite), "$")
			if t.At = jvmFrame(stack, outer); t.At == "" {
				t.At = jvmTestFrame(stack)
			}
			break
		}
		if r.First == 0 {
			r.First = out.n[i]
		}
		r.Last = max(r.Last, out.n[min(len(out.n)-1, i+len(stack))])
		r.Failed = append(r.Failed, t)
	}
	if len(r.Failed) == 0 {
		return nil
	}
	r.Failed = gradleLeaves(r.Failed)
	begin(out, &r, gradleTask.MatchString)
	return []Report{r}
}

// gradleLeaves leaves out what failed because something in it did.
func gradleLeaves(cases []codebuild.TestCase) []codebuild.TestCase {
	parents := map[string]bool{}
	for _, t := range cases {
		full := t.Suite + " > " + t.Name
		for i := strings.LastIndex(full, " > "); i > 0; i = strings.LastIndex(full[:i], " > ") {
			parents[full[:i]] = true
		}
	}
	var list []codebuild.TestCase
	for _, t := range cases {
		if !parents[t.Suite+" > "+t.Name] {
			list = append(list, t)
		}
	}
	return list
}

// jvmTestFrame returns the first place of a stack that is not the runner's or Java's own.
func jvmTestFrame(lines []string) string {
	for _, l := range lines {
		if m := javaFrame.FindStringSubmatch(l); m != nil && !javaOwn.MatchString(m[1]) {
			return m[2]
		}
	}
	return ""
}

var javaOwn = lazyregexp.New(`(?:^|/)(?:java|javax|jdk|sun|kotlin|scala|groovy|org\.(?:junit|opentest4j|testng|hamcrest|assertj|` +
	`codehaus|apache|gradle|spockframework|scalatest|specs2|mockito)|io\.kotest|munit|utest|com\.sun|com\.google\.common)\.`)

var (
	consoleFailures = lazyregexp.New(`^(?:Test run finished|Failures) ?\((\d+)\):$`)
	consoleCase     = lazyregexp.New(`^  (?:JUnit \w+|[A-Z][\w ]*):(.+)$`)
	consoleSource   = lazyregexp.New(`^\s+\w+Source \[className = '([^']+)'(?:, methodName = '([^']+)')?`)
	consoleWhy      = lazyregexp.New(`^\s+=> (.*)$`)
	consoleEnd      = lazyregexp.New(`^\[\s*\d+ tests failed\s*\]`)
)

// junitConsole reads the summary of JUnit's console launcher.
func junitConsole(out *output) []Report {
	var r Report
	in := false
	for i, l := range out.lines {
		if consoleFailures.MatchString(l) {
			in, r.First = true, out.n[i]
			continue
		}
		if r.First != 0 && consoleEnd.MatchString(l) {
			r.Last = out.n[i]
		}
		if !in {
			continue
		}
		if l != "" && l[0] != ' ' && l[0] != '\t' && strings.HasPrefix(l, "Test run finished") {
			in, r.Last = false, out.n[i]
			continue
		}
		m := consoleCase.FindStringSubmatch(l)
		if m == nil {
			continue
		}
		t := codebuild.TestCase{Name: m[1], Line: out.n[i]}
		class := ""
		stack := upTo(out.lines[i+1:], 60, consoleCase.MatchString)
		for k, s := range stack {
			if m := consoleSource.FindStringSubmatch(s); m != nil {
				class = m[1]
				// The engine and the class stand before the test's own name.
				if first, rest, ok := strings.Cut(t.Name, ":"); ok && class != "" {
					t.Suite, t.Name = first, rest
				}
			} else if m := consoleWhy.FindStringSubmatch(s); m != nil {
				if t.Message = jvmWhy(m[1]); strings.HasSuffix(m[1], "MultipleFailuresError:") {
					t.Message = strings.TrimSpace(strings.Join(upTo(stack[k+1:], 3, javaFrame.MatchString), " "))
				}
				outer, _, _ := strings.Cut(simple(class), "$")
				t.At = jvmFrame(stack[k:], outer)
				break
			}
		}
		r.Last = out.n[i]
		r.Failed = append(r.Failed, t)
	}
	if len(r.Failed) == 0 {
		r = consoleEvents(out)
	}
	if len(r.Failed) == 0 {
		return nil
	}
	begin(out, &r, func(l string) bool { return strings.Contains(l, "java -jar") })
	return []Report{r}
}

var (
	consoleFinished = lazyregexp.New(`^Finished: +(.+) \((\[engine:[^)]*.*)\)$`)
	consoleClass    = lazyregexp.New(`\[(?:class|runner):([\w$.]+)\]`)
	consoleNode     = lazyregexp.New(`^[│ ]*[├└]─ (.+)$`)
	consoleFeed     = lazyregexp.New(`^(?:JUnit \w+ > )?(?:(.+?) > )?(.+) :: FAILED$`)
)

// consoleEvents reads the details of JUnit's console launcher that come without a summary of the
// failures: flat, verbose and testfeed.
func consoleEvents(out *output) (r Report) {
	node := ""
	for i, l := range out.lines {
		t := codebuild.TestCase{Line: out.n[i]}
		if m := consoleNode.FindStringSubmatch(l); m != nil {
			node = m[1]
			continue
		} else if m := consoleFinished.FindStringSubmatch(l); m != nil && i+1 < len(out.lines) {
			_, why, ok := strings.Cut(out.lines[i+1], "=> Exception: ")
			if !ok {
				continue
			}
			t.Name, t.Message = m[1], jvmWhy(why)
			if c := consoleClass.FindStringSubmatch(m[2]); c != nil && simple(c[1]) != t.Name {
				t.Suite = c[1]
			}
		} else if m := consoleFeed.FindStringSubmatch(l); m != nil {
			if t.Suite, t.Name = m[1], m[2]; i+1 < len(out.lines) {
				t.Message = jvmWhy(out.lines[i+1])
			}
		} else if _, why, ok := strings.Cut(l, " caught: "); ok && node != "" {
			t.Name, t.Message = node, jvmWhy(why)
		} else {
			if r.First != 0 && consoleEnd.MatchString(l) {
				r.Last = out.n[i]
			}
			continue
		}
		if r.First == 0 {
			r.First = out.n[i]
		}
		r.Last = out.n[i]
		t.At = jvmTestFrame(upTo(out.lines[i+1:], 60, func(s string) bool {
			return consoleNode.MatchString(s) || strings.HasPrefix(s, "Started:") || strings.HasPrefix(s, "Finished:")
		}))
		r.Failed = append(r.Failed, t)
	}
	return r
}

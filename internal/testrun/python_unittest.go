package testrun

import (
	"strings"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

var (
	unittestRule    = lazyregexp.New(`^(?:.*[.FEsxu])?={70,79}$`)
	unittestHeader  = lazyregexp.New(`^(FAIL|ERROR|UNEXPECTED SUCCESS)(?: \[[\d.]+s\])?: (\S.*)$`)
	unittestTest    = lazyregexp.New(`^(\S+) \(([\w.<>]+)\)(.*)$`)
	unittestRan     = lazyregexp.New(`^Ran:? \d+ tests? in [\d.]+ ?s`)
	unittestEnd     = lazyregexp.New(`^FAILED \((?:[a-z_ ]+=\d+(?:, )?)+\)`)
	unittestSum     = lazyregexp.New(`(?:\(|, )(?:failures|errors|unexpected[ _]successes)=(\d+)`)
	unittestVerbose = lazyregexp.New(`^(\S+ \([\w.]+\)) \.\.\. (?:FAIL|ERROR|unexpected success)$`)
	unittestDjango  = lazyregexp.New(`^(\S+ \([\w.]+\)) failed:$`)
	stestrImport    = lazyregexp.New(`^Failed to import test module: (\S+)$`)
	trialHeader     = lazyregexp.New(`^\[(?:FAIL|ERROR|SUCCESS!\?!)\]$`)
	trialID         = lazyregexp.New(`^[A-Za-z_]\w*(?:\.\w+)*$`)
	trialClass      = lazyregexp.New(`^  (\w+)$`)
	trialModule     = lazyregexp.New(`^[A-Za-z_][\w.]*$`)
	trialTree       = lazyregexp.New(`^    (\w+) \.\.\. (.*)$`)
	trialVerdict    = lazyregexp.New(`^ *\[(FAIL|FAILURE|ERROR|SUCCESS!\?!)\]$`)
	trialLine       = lazyregexp.New(`^([A-Za-z_][\w.]*) \.\.\. \[(?:FAILURE|ERROR)\]$`)
	stestrLine      = lazyregexp.New(`^\{\d+\} (.+?) (?:\[[\d.]+s\] )?\.\.\. FAILED$`)
	stestrTitle     = lazyregexp.New(`^Failed \d+ tests - output below:$`)
	stestrTrace     = lazyregexp.New(`^Captured traceback(?: [\(\[].*)?:$`)
)

// unittest reads the reports of unittest and of those who print in its form: Django, nose, nose2,
// testtools, stestr, Twisted's trial.
func unittest(out *output) []Report {
	var reports []Report
	for start := 0; start < len(out.lines); {
		r, next := unittestRun(out, start)
		if r != nil {
			reports = append(reports, *r)
		}
		start = next
	}
	return reports
}

// unittestRun reads one run, and says where the next one may begin.
func unittestRun(out *output, start int) (*Report, int) {
	var (
		r           Report
		cur         = -1 // the failure that is being read
		trace       = pyTrace{frame: -1}
		last        = -1
		ran         bool
		stestr      bool
		trial       bool
		prev        string
		tree        codebuild.TestCase // trial's latest test, in a tree of modules and classes
		class       string
		module      string
		prevModule  string
		known       = map[[2]string]int{}
		next        = len(out.lines)
		pendingFrom = -1 // trial's failures that still have no name, which follows them
	)
	add := func(t codebuild.TestCase) {
		key := [2]string{t.Suite, t.Name}
		if i, ok := known[key]; ok {
			cur = i
		} else {
			cur = len(r.Failed)
			known[key] = cur
			r.Failed = append(r.Failed, t)
		}
		trace = pyTrace{frame: -1}
	}
	for i := start; i < len(out.lines); i++ {
		l := out.lines[i]
		n := out.n[i]
		is := true
		switch {
		case ran && unittestEnd.MatchString(l):
			last, next = i, i+1
			r.Count = sum(unittestSum, l)
			goto done
		case unittestRan.MatchString(l):
			ran, cur = true, -1
		case unittestHeader.MatchString(l) && unittestRule.MatchString(prev):
			m := unittestHeader.FindStringSubmatch(l)
			add(unittestCase(m[2], n))
			if m[1] == "UNEXPECTED SUCCESS" {
				r.Failed[cur].Message = "unexpected success"
			}
		case trialHeader.MatchString(l) && strings.HasPrefix(prev, "====="):
			cur, trial, pendingFrom = -1, true, i
			trace = pyTrace{frame: -1}
		case trial && trialID.MatchString(l) && prev == "" && pendingFrom >= 0:
			// A failure that several tests share is printed once, with all their names.
			t := dotted(l, n)
			t.Message, t.At = strings.TrimPrefix(trace.message, "twisted.trial.unittest."), trace.at
			keep := trace
			add(t)
			r.Failed[cur].Message, r.Failed[cur].At = t.Message, t.At
			trace = keep
			l = "" // so that another name may follow
		case stestrImport.MatchString(l):
			add(codebuild.TestCase{Name: stestrImport.FindStringSubmatch(l)[1], Line: n})
		case stestrLine.MatchString(l):
			stestr = true
			add(unittestCase(stestrLine.FindStringSubmatch(l)[1], n))
		case stestrTitle.MatchString(l):
			stestr, cur = true, -1
		case stestr && strings.HasPrefix(l, "----") && prev != "" && len(strings.TrimSpace(l)) == len(prev):
			add(unittestCase(prev, out.n[i-1]))
		case stestr && strings.TrimSpace(l) == "Totals":
			cur = -1
		case stestrTrace.MatchString(l):
			trace.frame = -1
		case unittestVerbose.MatchString(l):
			add(unittestCase(unittestVerbose.FindStringSubmatch(l)[1], n))
			cur = -1
		case unittestDjango.MatchString(l):
			// In a parallel run whose tracebacks cannot be sent, the first failure ends it.
			add(unittestCase(unittestDjango.FindStringSubmatch(l)[1], n))
			r.Failed[cur].Message = nextText(out.lines, i)
			cur = -1
		case trialLine.MatchString(l):
			add(dotted(trialLine.FindStringSubmatch(l)[1], n))
			cur = -1
		case class != "" && trialTree.MatchString(l):
			m := trialTree.FindStringSubmatch(l)
			tree = codebuild.TestCase{Suite: module + "." + class, Name: m[1], Line: n}
			if trialVerdict.MatchString(m[2]) {
				add(tree)
				cur = -1
			}
		case tree.Name != "" && trialVerdict.MatchString(l):
			add(tree) // behind what the test printed
			cur, tree = -1, codebuild.TestCase{}
		case trialClass.MatchString(l):
			class, module = l[2:], prevModule
		default:
			is = stestr && (strings.HasPrefix(l, " - ") || strings.HasPrefix(l, "Sum of execute time"))
			if cur < 0 && pendingFrom < 0 {
				break
			}
			trace.read(l)
			if cur >= 0 && !trial {
				t := &r.Failed[cur]
				if trace.message != "" {
					t.Message, trace.message = trace.message, ""
				}
				if trace.at != "" {
					t.At, trace.at = trace.at, ""
				}
			}
		}
		if prev = strings.TrimRight(l, " "); trialModule.MatchString(prev) {
			prevModule = prev
		}
		if is {
			last = i
		}
	}
done:
	if len(r.Failed) == 0 {
		return nil, next
	}
	// Nothing announces a run, and what tests print comes before the first failure.
	r.First, r.Last = out.n[start], out.n[last]
	return &r, next
}

// nextText is the next line that is not empty.
func nextText(lines []string, i int) string {
	for _, l := range lines[i+1 : min(len(lines), i+4)] {
		if t := strings.TrimSpace(l); t != "" {
			return t
		}
	}
	return ""
}

// unittestCase is the test that a header names.
func unittestCase(text string, n int) codebuild.TestCase {
	if m := unittestTest.FindStringSubmatch(text); m != nil {
		name, class, sub := m[1], m[2], strings.TrimSpace(m[3])
		class = strings.TrimSuffix(class, "."+name)
		if strings.HasSuffix(class, "._FailedTest") || strings.HasSuffix(class, ".ModuleImportFailure") ||
			strings.HasSuffix(class, ".LoadTestsFailure") {
			class = "" // a module that was not loaded is no test of the loader's
		}
		if sub != "" {
			name += " " + sub
		}
		return codebuild.TestCase{Suite: class, Name: name, Line: n}
	}
	id, sub, _ := strings.Cut(text, " ")
	id = strings.TrimPrefix(id, "unittest.loader._FailedTest.")
	if !trialID.MatchString(id) || sub != "" && !strings.HasPrefix(sub, "(") && !strings.HasPrefix(sub, "[") {
		return codebuild.TestCase{Name: text, Line: n}
	}
	t := dotted(id, n)
	if sub != "" {
		t.Name += " " + sub
	}
	return t
}

// dotted splits MODULE.CLASS.NAME before the name. What has no class is left as it is, as it may be
// a module.
func dotted(id string, n int) codebuild.TestCase {
	if i := strings.LastIndex(id, "."); i > 0 {
		class := id[strings.LastIndex(id[:i], ".")+1 : i]
		if class != "" && class[0] >= 'A' && class[0] <= 'Z' {
			return codebuild.TestCase{Suite: id[:i], Name: id[i+1:], Line: n}
		}
	}
	return codebuild.TestCase{Name: id, Line: n}
}

var (
	zopeEnd     = lazyregexp.New(`^  Ran \d+ tests with `)
	zopeSum     = lazyregexp.New(`\b(\d+) (?:failures|errors)\b`)
	greenImport = lazyregexp.New(`^ImportError: Failed to import (\S+) computed from filename \S+$`)
	greenHeader = lazyregexp.New(`^(?:Failure|Error|Unexpected success) in (?:test )?` +
		`(\.\.|\S+ \([\w.]+\)(?: [(\[].*)?|(?:setUp|tearDown)\w+ \([\w.]+\)|` +
		`[A-Za-z_]\w*(?:\.\w+)+(?: [(\[].*)?)$`)
)

// green reads the reports of green and of zope.testrunner.
func green(out *output) []Report {
	var r Report
	cur, last := -1, -1
	trace := pyTrace{frame: -1}
	for i, l := range out.lines {
		switch {
		case greenHeader.MatchString(l):
			cur = len(r.Failed)
			r.Failed = append(r.Failed, unittestCase(greenHeader.FindStringSubmatch(l)[1], out.n[i]))
			if b := &r.Failed[cur]; b.Name == ".." { // green's word for a class's fixture
				b.Name = "setUpClass"
			}
			trace = pyTrace{frame: -1}
			last = i
		case greenImport.MatchString(l):
			cur = len(r.Failed)
			r.Failed = append(r.Failed, codebuild.TestCase{Name: greenImport.FindStringSubmatch(l)[1], Line: out.n[i]})
			trace = pyTrace{frame: -1}
			last = i
		case cur >= 0 && zopeEnd.MatchString(l):
			last, cur = i, -1
			r.Count = sum(zopeSum, l)
		case cur >= 0 && unittestEnd.MatchString(l):
			last, cur = i, -1
			r.Count = sum(unittestSum, l)
		case cur >= 0:
			trace.read(l)
			t := &r.Failed[cur]
			if trace.message != "" {
				t.Message, trace.message = trace.message, ""
			}
			if trace.at != "" {
				t.At, trace.at = trace.at, ""
			}
			last = i
		}
	}
	if len(r.Failed) == 0 {
		return nil
	}
	r.First, r.Last = out.n[0], out.n[last]
	return []Report{r}
}

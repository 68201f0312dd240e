package testrun

import (
	"encoding/json"
	"html"
	"slices"
	"strconv"
	"strings"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

// rubyRunners are those of Ruby.
var rubyRunners = []runner{
	{"RSpec", []string{"Failures:", "rspec ./", "outside of examples", `{"version":"`, "_spec.rb:"}, rspec},
	{"minitest", []string{"Failure:\n", "Error:\n", " FAIL (", " ERROR (", `FAIL["`, `ERROR["`, "\nFAIL ", "\nERROR ",
		" = F\n", " = E\n"}, minitest},
	{"test-unit", []string{"Failure: ", "Error: ", "<test-result>"}, testUnit},
	{"cucumber", []string{"Failing Scenarios:"}, cucumber},
}

// A builder puts a report together.
type builder struct {
	out         *output
	start       int // the first line that no earlier report has
	first, last int // -1 if there is none
	r           Report
	index       map[[2]string]int
	reports     []Report
}

func newBuilder(out *output) *builder {
	return &builder{out: out, first: -1, last: -1, index: map[[2]string]int{}}
}

// follows reports whether the line behind line i begins with a text.
func follows(out *output, i int, prefix string) bool {
	return i+1 < len(out.lines) && strings.HasPrefix(out.lines[i+1], prefix)
}

// sum adds up the numbers that an expression finds in a line.
func sum(re *lazyregexp.Regexp, l string) (n int) {
	for _, m := range re.Get().FindAllStringSubmatch(l, -1) {
		n += number(m[1])
	}
	return n
}

// mark says that line i is the runner's own.
func (b *builder) mark(i int) {
	if b.first < 0 {
		b.first = i
	}
	b.last = max(b.last, i)
}

// add names a failed test that line i tells of, and gives its place in the report. A test is named
// once.
func (b *builder) add(i int, suite, name string) int {
	b.mark(i)
	key := [2]string{suite, name}
	if at, ok := b.index[key]; ok {
		return at
	}
	b.index[key] = len(b.r.Failed)
	b.r.Failed = append(b.r.Failed, codebuild.TestCase{Suite: suite, Name: name, Line: b.out.n[i]})
	return len(b.r.Failed) - 1
}

// end closes a report with its last line, and what follows may be another one. announced says that
// the runner's first line begins the report; else what was printed before may be the tests' as
// well.
func (b *builder) end(announced bool) {
	switch {
	case b.last >= 0 && (len(b.r.Failed) > 0 || b.r.Count > 0):
		if !announced {
			b.first = b.start
		}
		b.r.First, b.r.Last = b.out.n[b.first], b.out.n[b.last]
		fallthrough
	case b.r.Last > 0:
		b.reports = append(b.reports, b.r)
	}
	b.start = max(b.start, b.last+1)
	b.first, b.last, b.r, b.index = -1, -1, Report{}, map[[2]string]int{}
}

var (
	rspecItem    = lazyregexp.New(`^  +(\d+)\) (\S.*)$`)
	rspecFailed  = lazyregexp.New(`^rspec (\S+)(?: # (.*))?$`)
	rspecCounts  = lazyregexp.New(`^\d+ examples?, \d+ failures?`)
	rspecSum     = lazyregexp.New(`\b(\d+) (?:failures?\b|errors? occurred)`)
	rspecDoc     = lazyregexp.New(`^ *(\S.*?) \(FAILED - \d+\)$`)
	rspecLoad    = lazyregexp.New(`^An error occurred while loading (\S+?)\.?$`)
	rspecShort   = lazyregexp.New(`^\./(\S+_spec\.rb):(\d+):([^\s\d].*)$`)
	rspecHook    = lazyregexp.New("^An error occurred in an? [`'](.+)[`'] hook\\.$")
	rspecFrame   = lazyregexp.New(`^\s*# (?:\./)?([^\s:]+):(\d+)(?::in .*)?$`)
	rspecClass   = lazyregexp.New(`^[A-Z]\w*(?:::\w+)*:$`)
	rspecID      = lazyregexp.New(`^(?:\./)?([^\[:]+)(?::(\d+)|\[.*\])?`)
	rspecObject  = lazyregexp.New(`^\{"version":"\d[\w.-]*",(?:"seed":\d+,)?"(?:messages|examples)":\[`)
	rspecExample = lazyregexp.New(`"full_description":"((?:[^"\\]|\\.)*)","status":"failed",` +
		`"file_path":"((?:[^"\\]|\\.)*)","line_number":(\d+)(?:,"run_time":[\d.e-]+,"pending_message":null,` +
		`"exception":\{"class":"[^"]*","message":"((?:[^"\\]|\\.)*))?`)
	rspecOpening = lazyregexp.New(`^(?:Randomized with seed \d+|Run options: .*)$`)
)

// rspec reads the reports of RSpec's own formatters (but html) and of those that print failures in
// the same form: the list of failures, and of failed examples with their files.
func rspec(out *output) []Report {
	b := newBuilder(out)
	var (
		section  string
		cur      = -1
		code     bool   // within "Failure/Error:" and the code that follows
		said     string // its last line, which is the message where no empty line is between
		docs     []int
		docNames []string
		counted  bool
	)
	finish := func() {
		if len(b.r.Failed) == 0 {
			for k, i := range docs {
				b.add(i, "", docNames[k])
			}
		}
		b.end(false)
		section, cur, docs, docNames, counted = "", -1, nil, nil, false
	}
	for i, l := range out.lines {
		t := strings.TrimSpace(l)
		switch {
		case l == "Failures:" || l == "Pending: (Failures listed here are expected and do not affect your suite's status)" ||
			l == "Failed examples:" || l == "Pending:":
			if counted && l != "Failed examples:" {
				finish()
			}
			section, cur = l, -1
			b.mark(i)
		case rspecCounts.MatchString(l):
			b.mark(i)
			b.r.Count = sum(rspecSum, l)
			section, cur, counted = "", -1, true
		case rspecOpening.MatchString(l):
			if counted {
				b.mark(i)
			}
		case follows(out, i, "Failure/Error:") && rspecLoad.MatchString(l):
			m := rspecLoad.FindStringSubmatch(l)
			cur, code = b.add(i, "", strings.TrimPrefix(m[1], "./")), false
		case follows(out, i, "Failure/Error:") && rspecHook.MatchString(l):
			cur, code = b.add(i, "", rspecHook.FindStringSubmatch(l)[1]+" hook"), false
		case section == "Failures:" && rspecItem.MatchString(l):
			m := rspecItem.FindStringSubmatch(l)
			cur, code = b.add(i, "", strings.TrimSuffix(m[2], " FIXED")), false
		case rspecFailed.MatchString(l) && (section == "Failed examples:" || counted):
			m := rspecFailed.FindStringSubmatch(l)
			id := rspecID.FindStringSubmatch(m[1])
			at := b.add(i, "", m[2])
			if m[2] == "" {
				b.r.Failed[at].Name = m[1]
			}
			x := &b.r.Failed[at]
			if x.Suite = id[1]; x.At == "" && id[2] != "" {
				x.At = id[1] + ":" + id[2]
			}
		case rspecObject.MatchString(l):
			rspecJSON(b, i, l)
			docs, docNames = nil, nil
			finish()
		case rspecShort.MatchString(l) && section == "" && !strings.Contains(l, ":in `") && !strings.Contains(l, ":in '"):
			m := rspecShort.FindStringSubmatch(l) // the formatter failures, which has nothing but such lines
			b.r.Failed[b.add(i, m[1], m[3])].At = m[1] + ":" + m[2]
		case rspecDoc.MatchString(l):
			docs, docNames = append(docs, i), append(docNames, rspecDoc.FindStringSubmatch(l)[1])
			b.mark(i)
		case cur >= 0:
			x := &b.r.Failed[cur]
			switch {
			case strings.HasPrefix(t, "Failure/Error:"):
				code, said = true, ""
			case t == "":
				code = false
			case rspecFrame.MatchString(l):
				if code && x.Message == "" {
					x.Message, code = said, false
				}
				if m := rspecFrame.FindStringSubmatch(l); x.At == "" && ownFile(m[1]) != "" {
					x.At = m[1] + ":" + m[2]
				}
			case code:
				said = t
			case x.Message == "":
				x.Message = t
			case rspecClass.MatchString(x.Message):
				x.Message += " " + t
			case strings.HasPrefix(x.Message, "expected: ") && strings.HasPrefix(t, "got: "):
				x.Message += ", " + t
			}
			b.last = i
		}
	}
	finish()
	return b.reports
}

// rspecJSON reads the examples in a report of the formatter json. It is one line, of which the
// log's reader may have kept the beginning alone. So it is a report even if no failed example is in
// it, as long as nothing follows: the command failed, and what it printed before is the examples'.
func rspecJSON(b *builder, i int, text string) {
	if !slices.ContainsFunc(b.out.lines[i+1:], func(l string) bool {
		return strings.TrimSpace(l) != "" && !strings.HasPrefix(l, "[Container] ")
	}) {
		b.r.First, b.r.Last = b.out.n[b.start], b.out.n[i]
	}
	for _, m := range rspecExample.Get().FindAllStringSubmatch(text, -1) {
		file := strings.TrimPrefix(jsonText(m[2]), "./")
		x := &b.r.Failed[b.add(i, file, jsonText(m[1]))]
		x.At, x.Message = file+":"+m[3], strings.TrimSpace(jsonText(m[4]))
	}
}

// jsonText is the text of a JSON string without its quotes.
func jsonText(s string) string {
	var text string
	if json.Unmarshal([]byte(`"`+s+`"`), &text) != nil {
		return s
	}
	return text
}

var (
	minitestItem    = lazyregexp.New(`^(?: *\d+\) )?(?:Failure|Error):$`)
	minitestTest    = lazyregexp.New(`^([^#]+)#(.+?)(?: \[(\S+?):(\d+)\])?:?$`)
	minitestRails   = lazyregexp.New(`^[A-Z][\w:]*#test_`)
	minitestEnd     = lazyregexp.New(`^\d+ (?:runs|tests), \d+ assertions, \d+ failures, \d+ errors`)
	minitestSum     = lazyregexp.New(`\b(\d+) (?:failures|errors)\b`)
	minitestVerbose = lazyregexp.New(`^([^#]+)#(.+) = [\d.]+ s = [FE]$`)
	minitestSpec    = lazyregexp.New(`^  (\S.*?) +(?:FAIL|ERROR) \([\d.]+s\)$`)
	minitestList    = lazyregexp.New(`(?:FAIL|ERROR)\["(.+?)", "?([\w:]+)"?, `)
	minitestMate    = lazyregexp.New(`^(?:FAIL|ERROR) (.+?)#(.+) \([\d.]+s\)$`)
	minitestFrame   = lazyregexp.New("^\\s+(?:from )?([^\\s:]+):(\\d+):in [`']")
	minitestSeq     = lazyregexp.New(`^test_\d{4}_`)
	minitestOpening = lazyregexp.New(
		`^(?:Run options: .*--seed.*|# Running.*|Started with run options.*|Running \d+ tests in .*)$`)
)

// minitest reads the reports of minitest, of Rails' form of it, and of minitest-reporters.
func minitest(out *output) []Report {
	b := newBuilder(out)
	cur, item, numbered, announced := -1, false, false, false
	suite := ""
	add := func(i int, class, name string) {
		if class == "Minitest::Result" { // a fault of older reporters, which lose the class
			class = ""
		}
		cur = b.add(i, class, minitestSeq.ReplaceAllString(name, ""))
	}
	for i, l := range out.lines {
		was := item
		item = false
		switch {
		case minitestOpening.MatchString(l):
			announced = announced || b.first < 0
			b.mark(i)
		case minitestItem.MatchString(l):
			item, cur, numbered = true, -1, strings.Contains(l, ")")
		case was && minitestTest.MatchString(l) && (numbered || minitestRails.MatchString(l)):
			m := minitestTest.FindStringSubmatch(l)
			add(i, m[1], m[2])
			if m[3] != "" && ownFile(m[3]) != "" {
				b.r.Failed[cur].At = m[3] + ":" + m[4]
			}
		case minitestEnd.MatchString(l):
			b.mark(i)
			b.r.Count = sum(minitestSum, l)
			b.end(announced)
			cur, announced = -1, false
		case minitestVerbose.MatchString(l):
			m := minitestVerbose.FindStringSubmatch(l)
			add(i, m[1], m[2])
			cur = -1
		case minitestSpec.MatchString(l):
			add(i, suite, minitestSpec.FindStringSubmatch(l)[1])
		case minitestList.MatchString(l):
			m := minitestList.FindStringSubmatch(l)
			add(i, m[2], m[1])
		case minitestMate.MatchString(l):
			m := minitestMate.FindStringSubmatch(l)
			add(i, m[1], m[2])
		case l == "":
		default:
			if l[0] != ' ' && !strings.Contains(l, ": ") {
				suite = strings.TrimSpace(l)
			}
			if cur < 0 {
				break
			}
			x := &b.r.Failed[cur]
			t := strings.TrimPrefix(strings.TrimPrefix(l, "Minitest::UnexpectedError:"), "Minitest::Assertion:")
			t = strings.TrimSpace(t)
			switch m := minitestFrame.FindStringSubmatch(l); {
			case m != nil:
				if x.At == "" && ownFile(m[1]) != "" {
					x.At = m[1] + ":" + m[2]
				}
			case x.Message == "" && !strings.HasPrefix(strings.TrimSpace(l), x.Name+"#"):
				x.Message = t
			case strings.HasPrefix(x.Message, "Expected: ") && strings.HasPrefix(t, "Actual: "):
				x.Message += ", " + t
			}
			b.last = i
		}
	}
	b.end(announced)
	return b.reports
}

var (
	testUnitItem  = lazyregexp.New(`^(?:\d+\) )?(?:Failure|Error): (.+?)\(([A-Z][\w:]*)\)(?:: *(.*)|:)?$`)
	testUnitName  = lazyregexp.New(`^\s*<name>(.*)</name>$`)
	testUnitXML   = lazyregexp.New(`^\s*<status>(?:failure|error)</status>$`)
	testUnitWhy   = lazyregexp.New(`^\s*<detail>(.+)$`)
	testUnitFrame = lazyregexp.New("^([^\\s:]+):(\\d+):in [`']")
	testUnitCode  = lazyregexp.New(`^\s*(?:=>)?\s*\d+: `)
	testUnitEnd   = lazyregexp.New(`^\d+ tests, \d+ assertions, \d+ failures, \d+ errors, \d+ pendings`)
)

// testUnit reads the reports of test-unit's consoles and its own XML.
func testUnit(out *output) []Report {
	b := newBuilder(out)
	cur, announced := -1, false
	var names [2]string // the latest in XML: the class's and the test's
	why := ""
	for i, l := range out.lines {
		switch {
		case testUnitName.MatchString(l):
			names = [2]string{names[1], html.UnescapeString(testUnitName.FindStringSubmatch(l)[1])}
			why = ""
		case why == "" && testUnitWhy.MatchString(l):
			why = html.UnescapeString(strings.TrimSuffix(testUnitWhy.FindStringSubmatch(l)[1], "</detail>"))
		case testUnitXML.MatchString(l):
			b.r.Failed[b.add(i, names[0], strings.TrimPrefix(names[1], "test: "))].Message = why
		case l == "</stream>" && b.first >= 0:
			b.mark(i)
			b.end(false)
		case strings.HasPrefix(l, "Loaded suite "):
			announced = true
			b.mark(i)
		case testUnitItem.MatchString(l) && (l[0] <= '9' || i > 0 && strings.HasPrefix(out.lines[i-1], "=====")):
			m := testUnitItem.FindStringSubmatch(l)
			cur = b.add(i, m[2], strings.TrimPrefix(m[1], "test: "))
			if x := &b.r.Failed[cur]; x.Message == "" {
				x.Message = m[3]
			}
		case testUnitEnd.MatchString(l):
			b.mark(i)
			b.r.Count = sum(minitestSum, l)
			b.end(announced)
			cur, announced = -1, false
		case strings.HasPrefix(l, "====="):
			cur = -1
		case cur >= 0 && strings.TrimSpace(l) != "":
			x := &b.r.Failed[cur]
			t := strings.TrimSpace(l)
			switch m := testUnitFrame.FindStringSubmatch(l); {
			case m != nil:
				if x.At == "" && ownFile(m[1]) != "" {
					x.At = m[1] + ":" + m[2]
				}
			case testUnitCode.MatchString(l):
			case x.Message == "":
				x.Message = t
			case strings.HasSuffix(x.Message, " expected but was"):
				x.Message += " " + t
			}
			b.last = i
		}
	}
	b.end(announced)
	return b.reports
}

var (
	cucumberFailed = lazyregexp.New(
		`^cucumber (?:-\S+ (?:\w+ )?)*(\S+):(\d+)(?: # (?:(?:Scenario(?: Outline| Template)?|Example): )?(.+))?$`,
	)
	cucumberError = lazyregexp.New(`^\s*(\S.*) \(([A-Z]\w*(?:::\w+)*)\)$`)
	cucumberPlace = lazyregexp.New("^\\s*([^\\s:]+):(\\d+):in [`']")
	cucumberSum   = lazyregexp.New(`\b(\d+) failed\b`)
	cucumberEnd   = lazyregexp.New(`^\d+ (?:scenarios?|steps?) \(`)
)

// cucumber reads the reports of Cucumber for Ruby.
func cucumber(out *output) []Report {
	b := newBuilder(out)
	type failure struct {
		message, at string
		line        int
	}
	byFile := map[string][]failure{}
	var latest failure
	failing, announced := false, false
	for i, l := range out.lines {
		if strings.HasPrefix(l, "Feature: ") && b.first < 0 {
			announced = true
			b.mark(i)
		}
		if m := cucumberError.FindStringSubmatch(l); m != nil {
			latest = failure{message: strings.TrimSpace(l)}
			continue
		}
		if m := cucumberPlace.FindStringSubmatch(l); m != nil && latest.message != "" {
			if n, err := strconv.Atoi(m[2]); err == nil && strings.HasSuffix(m[1], ".feature") {
				latest.line = n
				byFile[m[1]] = append(byFile[m[1]], latest)
				latest.message = ""
			} else if latest.at == "" && ownFile(m[1]) != "" {
				latest.at = strings.TrimPrefix(m[1], "./") + ":" + m[2]
			}
			continue
		}
		switch {
		case strings.HasPrefix(l, "Failing Scenarios:"):
			failing = true
			b.mark(i)
		case failing && cucumberFailed.MatchString(l):
			m := cucumberFailed.FindStringSubmatch(l)
			name := m[3]
			if name == "" {
				name = m[1] + ":" + m[2]
			}
			x := &b.r.Failed[b.add(i, m[1], name)]
			x.At = m[1] + ":" + m[2]
			// Its failure is the first one at or behind its line.
			own, _ := strconv.Atoi(m[2]) // a number too long finds none
			list := byFile[m[1]]
			for _, f := range list[:min(len(list), maxAlike)] {
				if f.line >= own {
					if x.Message = f.message; f.at != "" {
						x.At = f.at
					}
					break
				}
			}
		case cucumberEnd.MatchString(l):
			b.mark(i)
			if strings.Contains(l, "scenario") {
				b.r.Count = sum(cucumberSum, l)
			}
			failing = false
		}
	}
	b.end(announced)
	return b.reports
}

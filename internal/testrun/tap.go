package testrun

import (
	"strings"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

// tapRunners speak the Test Anything Protocol. One that has words of its own goes before this, with
// the same reader.
var tapRunners = []runner{
	{"TAP", []string{"not ok", "Bail out!"}, readTAP},
}

var (
	tapNotOK   = lazyregexp.New(`^(\s*)not ok\b(?:\s+(\d+))?(?:\s+-\s+|\s+|$)(.*)$`)
	tapOK      = lazyregexp.New(`^\s*ok\s+\d+\b`)
	tapPlan    = lazyregexp.New(`^(\s*)1\.\.\d+(?:\s+#.*)?$`)
	tapWaived  = lazyregexp.New(`(?i)(?:^|\s)#\s*(?:skip|todo)`)
	tapTrailer = lazyregexp.New(`(?:^|\s+)# (?:FAILED|time=[\d.]+m?s|in \d+ ?ms|\([\d.]+ ?m?s\))$`)
	tapFailed  = lazyregexp.New(`^# (?:fail|failed)\s+(\d+)$`)
	tapYAMLKey = lazyregexp.New(`^\s*["']?([\w ]+?)["']?\s*:(?:\s+(.*))?$`)
	tapBatsAt  = lazyregexp.New(`\bin (?:test file|specfile) (\S+), line (\d+)`)
	tapPerlAt  = lazyregexp.New(`^#\s+at (\S+) line (\d+)\.?$`)
	tapBusted  = lazyregexp.New(`^# (\S+) @ (\d+)$`)
	tapInMS    = lazyregexp.New(` in \d+ms$`)
)

// A tapPoint is a test that failed.
type tapPoint struct {
	test   codebuild.TestCase
	indent int
	braces bool     // what follows, up to the closing brace, are its own tests
	title  string   // the latest comment before it, which is the test's name where points are assertions
	rest   []string // what stands between it and the next point: why it failed
	inner  bool     // it failed only as one of its own tests did
}

// readTAP reads TAP 12 to 14: the failed points and those of their subtests, in YAML, comments or
// indented text why they failed. A point with a directive (TODO, SKIP) has not failed. A test whose
// subtests failed is their suite, and is not named beside them.
//
// A point counts wherever it stands: a test that prints one adds a name, and hides none.
func readTAP(out *output) []Report {
	var reports []Report
	for _, s := range tapStreams(out) {
		if r := tapStream(&s); r != nil {
			reports = append(reports, *r)
		}
	}
	return reports
}

// tapStreams splits the output before each line that announces TAP.
func tapStreams(out *output) []output {
	var list []output
	start := 0
	for i, l := range out.lines {
		if strings.HasPrefix(l, "TAP version ") && i > start {
			list = append(list, output{out.lines[start:i], out.n[start:i], nil})
			start = i
		}
	}
	return append(list, output{out.lines[start:], out.n[start:], nil})
}

// tapStream reads one stream; nil if no test of it failed.
func tapStream(o *output) *Report {
	var (
		points   []tapPoint
		cur      = -1 // the failed point whose reason is read
		r        Report
		title    string
		headers  = map[string]bool{} // the names that subtests were announced with
		first    = -1
		last     int
		bailed   bool
		trailing = false // nothing but the report stood since its last line
	)
	for i, l := range o.lines {
		t := strings.TrimSpace(l)
		indent := len(l) - len(strings.TrimLeft(l, " \t"))
		is := true
		switch m := tapNotOK.FindStringSubmatch(l); {
		case m != nil && (m[2] != "" || strings.HasPrefix(strings.TrimSpace(l[len(m[1])+len("not ok"):]), "- ") || m[3] == ""):
			if cur = -1; tapWaived.MatchString(m[3]) {
				break
			}
			p := tapPoint{indent: indent, title: title}
			p.test = codebuild.TestCase{Name: tapName(m[3], m[2]), Line: o.n[i]}
			p.braces = strings.HasSuffix(m[3], " {")
			cur, points = len(points), append(points, p)
		case tapOK.MatchString(l):
			cur = -1
		case tapPlan.MatchString(l), strings.HasPrefix(l, "TAP version "):
		case strings.HasPrefix(t, "Bail out!"):
			bailed = true
		case strings.HasPrefix(t, "# Subtest: "):
			headers[strings.TrimPrefix(t, "# Subtest: ")] = true
		default:
			is = trailing && (t == "" || t[0] == '#' || t == "}" || indent > 0)
			if m := tapFailed.FindStringSubmatch(t); m != nil {
				r.Count = number(m[1])
			} else if strings.HasPrefix(l, "# ") {
				title = strings.TrimPrefix(l, "# ")
			}
			if cur >= 0 && len(points[cur].rest) < tapReason {
				points[cur].rest = append(points[cur].rest, l)
			}
		}
		if trailing = is; !is {
			continue
		}
		if first < 0 {
			first = i
		}
		last = i
	}
	if len(points) == 0 && !bailed {
		return nil
	}
	// Where neither a version nor a plan announces the first point, what stands before it may be
	// that test's.
	if l := o.lines[first]; !strings.HasPrefix(l, "TAP version ") && !tapPlan.MatchString(l) {
		first = 0
	}
	r.First, r.Last = o.n[first], o.n[last]
	for i := range points {
		points[i].explain()
	}
	nest(points, headers)
	for _, p := range points {
		if p.inner {
			r.Count = 0 // which counts suites, too
		} else {
			r.Failed = append(r.Failed, p.test)
		}
	}
	return &r
}

// tapReason is how many lines are read of why a point failed.
const tapReason = 200

// tapName is a point's description as the test's author wrote it.
func tapName(s, number string) string {
	s = strings.TrimSuffix(strings.TrimSpace(s), " {")
	s = tapTrailer.ReplaceAllString(s, "")
	s = strings.TrimSpace(strings.ReplaceAll(s, `\#`, "#"))
	if s == "" && number != "" {
		s = "test " + number
	}
	return s
}

// nest gives points the names of the tests that they are subtests of. A test announces its subtests
// by name (or opens braces), so lines that only look like subtests of another test hide nothing.
func nest(points []tapPoint, headers map[string]bool) {
	// Subtests before their parent, which is the next point that is indented less.
	var open []int // points without a parent yet, indented ever more
	parent := make([]int, len(points))
	for i := range points {
		parent[i] = -1
		var children []int
		for len(open) > 0 && points[open[len(open)-1]].indent > points[i].indent {
			children = append(children, open[len(open)-1])
			open = open[:len(open)-1]
		}
		if !points[i].braces && headers[points[i].test.Name] {
			for _, c := range children {
				parent[c] = i
				points[i].inner = true
			}
		}
		open = append(open, i)
	}
	// Subtests in braces behind their parent.
	var braces []int
	for i := range points {
		for len(braces) > 0 && points[braces[len(braces)-1]].indent >= points[i].indent {
			braces = braces[:len(braces)-1]
		}
		if len(braces) > 0 {
			parent[i] = braces[len(braces)-1]
			points[parent[i]].inner = true
		}
		if points[i].braces {
			braces = append(braces, i)
		}
	}
	for i := range points {
		var names []string
		for p, n := parent[i], 0; p >= 0 && n < 8; p, n = parent[p], n+1 {
			names = append([]string{points[p].test.Name}, names...)
		}
		if len(names) > 0 {
			points[i].test.Suite = strings.Join(names, " > ")
		}
	}
}

// explain finds why a point failed, and where.
func (p *tapPoint) explain() {
	t := &p.test
	lines := p.rest
	if len(lines) > 0 && strings.TrimSpace(lines[0]) == "---" {
		p.explainYAML(lines[1:])
		return
	}
	var got string
	for _, l := range lines {
		s := strings.TrimSpace(l)
		switch {
		case s == "" || s == "#":
		case t.At == "" && tapBatsAt.MatchString(s):
			m := tapBatsAt.FindStringSubmatch(s)
			p.bats(m)
		case strings.HasPrefix(s, "# (from function"):
		case tapPerlAt.MatchString(s):
			if m := tapPerlAt.FindStringSubmatch(s); t.At == "" {
				t.At = m[1] + ":" + m[2]
			}
		case t.At == "" && tapBusted.MatchString(s):
			m := tapBusted.FindStringSubmatch(s)
			t.At = m[1] + ":" + m[2]
		case s == "..." || strings.HasPrefix(s, "#") && strings.Contains(s, "Failed test"):
		case s[0] == '#' || l[0] == ' ' || l[0] == '\t':
			s = perlWhy(strings.TrimSpace(strings.TrimLeft(s, "#")))
			switch {
			case s == "":
			case t.Message == "":
				t.Message = s
				if strings.HasPrefix(s, "got: ") {
					got = s
				}
			case got != "" && strings.HasPrefix(s, "expected: "):
				t.Message, got = got+", "+s, ""
			}
			if t.At == "" {
				t.At = ownFrame(s)
			}
		}
	}
}

// bats is told the place that Bats gives, which is in the test's file.
func (p *tapPoint) bats(place []string) {
	t := &p.test
	t.Suite, t.At = place[1], place[1]+":"+place[2]
	t.Name = tapInMS.ReplaceAllString(t.Name, "")
}

// explainYAML does so from a YAML block. Runners write what no YAML parser reads, so the keys are
// taken line by line.
func (p *tapPoint) explainYAML(lines []string) {
	t := &p.test
	values := map[string]string{}
	var key, frame string
	block := -1 // how far the key of a block of text is indented, -1 outside of one
	for _, l := range lines {
		s := strings.TrimSpace(l)
		if s == "..." {
			break
		}
		indent := len(l) - len(strings.TrimLeft(l, " "))
		if s != "" && indent <= block {
			block = -1
		}
		if m := tapYAMLKey.FindStringSubmatch(l); m != nil && block < 0 {
			key = strings.ToLower(m[1])
			v := unquote(strings.TrimSpace(m[2]))
			switch v {
			case "|", "|-", "|+", ">", ">-", ">+":
				v, block = "", indent
			}
			if _, known := values[key]; !known {
				values[key] = v
			}
		} else if m := tapBatsAt.FindStringSubmatch(s); m != nil {
			p.bats(m)
		} else if v := values[key]; openQuote(v) && closesQuote(s, v[0]) {
			values[key] = v[1:] // its first line says enough
		} else if s != "" && values[key] == "" && !strings.HasPrefix(s, "(from function") {
			values[key] = s
		}
		if frame == "" {
			frame = ownFrame(s)
		}
	}
	for _, k := range []string{"message", "error", "reason"} {
		if v := values[k]; t.Message == "" && v != "failed" {
			t.Message = v
		}
	}
	want, got := values["expected"]+values["wanted"], values["actual"]+values["found"]
	switch stack := values["stack"]; {
	case t.Message != "":
	case want != "" && got != "":
		t.Message = "expected " + want + ", got " + got
	case !strings.HasPrefix(stack, "at "):
		t.Message = stack
	}
	if values["operator"] != "" { // a point is an assertion of the test that a comment names
		t.Suite = p.title
	}
	for _, k := range []string{"at", "location"} {
		if v := values[k]; t.At == "" && v != "" {
			t.At = ownFrame(v)
		}
	}
	if file := values["file"] + values["filename"]; t.At == "" && file != "" && values["line"] != "" {
		t.At = file + ":" + values["line"]
	}
	if t.At == "" {
		t.At = frame
	}
}

// openQuote reports whether a value is only the first line of a quoted text, as Vitest prints it.
func openQuote(s string) bool {
	return len(s) > 1 && (s[0] == '"' || s[0] == '\'') && s[len(s)-1] != s[0]
}

func closesQuote(s string, quote byte) bool { return strings.HasSuffix(s, string(quote)) }

func unquote(s string) string {
	if len(s) > 1 && (s[0] == '"' || s[0] == '\'') && s[len(s)-1] == s[0] {
		return s[1 : len(s)-1]
	}
	return s
}

var framePlace = lazyregexp.New(`((?:[A-Za-z]:)?[\w@./\\+~-]*\.[A-Za-z]\w{0,5}:\d+)`)

// foreignFrames are parts of paths that are no project's own sources.
var foreignFrames = []string{"node_modules/", "node:", "site-packages/", "dist-packages/", "/usr/lib/", "/usr/share/",
	"/gems/", "vendor/"}

// ownFrame is the FILE:LINE in a line of a stack, "" if there is none or it is of a dependency.
func ownFrame(s string) string {
	m := framePlace.FindString(s)
	if m == "" || strings.Contains(s, "://") && !strings.Contains(s, "file://") {
		return ""
	}
	for _, f := range foreignFrames {
		if strings.Contains(s, f) {
			return ""
		}
	}
	return m
}

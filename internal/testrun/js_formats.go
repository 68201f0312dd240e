package testrun

import (
	"encoding/json"
	"html"
	"strings"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

// formatRunners are for the forms that runners of several languages can print in place of their
// own.
var formatRunners = []runner{
	{"JUnit XML", []string{"<testcase"}, junitXML},
	{"JSON", []string{`"numFailedTests"`, `"failures"`, `"specs"`, `"elements"`, `["fail",`,
		`"ancestorTitles"`, `\u001b[90m`}, jsonReport},
	{"TeamCity messages", []string{"##teamcity[testFailed "}, teamcity},
	{"GitHub annotations", []string{"::error "}, annotations},
}

var (
	xmlTag = lazyregexp.New(`<(/?(?:testsuites|testsuite|testcase|failure|error|skipped))\b` +
		`((?:\s+[\w:.-]+=(?:"[^"]*(?:"|$)|'[^']*(?:'|$)))*)\s*(/?)`)
	xmlAttr = lazyregexp.New(`([\w:.-]+)=(?:"([^"]*)|'([^']*))`)
	jsFile  = lazyregexp.New(`\.[cm]?[jt]sx?$`)
	// xmlLinter is in the tag of a suite that holds what a linter found.
	xmlLinter = lazyregexp.New(`(?i)\b(?:package="org\.(?:biome|eslint|ruff|stylelint|oxlint)"|` +
		`name="(?:CloudFormation Lint|tflint|ruff|biome|bandit)")`)
	// outerOnly is why a group failed in which something else did.
	outerOnly = lazyregexp.New(`^'?\d+ (?:sub)?tests?(?: steps?)? failed\.?'?$`)
)

// attributes reads a tag's. Some runners escape twice.
func attributes(s string) map[string]string {
	m := map[string]string{}
	for _, a := range xmlAttr.Get().FindAllStringSubmatch(s, 20) {
		m[a[1]] = html.UnescapeString(html.UnescapeString(a[2] + a[3]))
	}
	return m
}

// junitXML reads JUnit's XML on the standard output: each failed or broken test case with the
// suites that it is in. What linters report in this form is no test.
func junitXML(out *output) []Report {
	var reports []Report
	var r Report
	var suites []string
	var cur *block
	var test codebuild.TestCase
	first, last, floor, linter := -1, 0, 0, false
	text := 0 // where the text of the failure begins in its line
	finish := func() {
		if first >= 0 && len(r.Failed) > 0 && !linter {
			r.First, r.Last = out.n[since(out, first, floor)], out.n[last]
			reports, floor = append(reports, r), last+1
		}
		r, suites, cur, first, linter = Report{}, nil, nil, -1, false
	}
	done := func(i int) {
		if cur == nil {
			return
		}
		cur.to = max(i, cur.from)
		cur.explain(out)
		cur.Message = strings.TrimSpace(html.UnescapeString(cur.Message))
		if !outerOnly.MatchString(cur.Message) {
			r.Failed = append(r.Failed, cur.TestCase)
		}
		cur = nil
	}
	for i, l := range out.lines {
		if !strings.Contains(l, "<") {
			continue
		}
		for _, t := range xmlTag.Get().FindAllStringSubmatchIndex(l, 200) {
			tag, attrs, closed := l[t[2]:t[3]], l[t[4]:t[5]], t[6] < t[7]
			if first < 0 {
				first = i
			}
			last, linter = i, linter || strings.HasPrefix(tag, "testsuite") && xmlLinter.MatchString(attrs)
			switch tag {
			case "testsuite":
				if name := attributes(attrs)["name"]; !closed && len(suites) < maxDepth {
					suites = append(suites, name)
				}
			case "/testsuite":
				if suites = suites[:max(0, len(suites)-1)]; len(suites) == 0 && !strings.Contains(l, "/>") {
					done(i)
				}
			case "/testsuites":
				done(i)
				finish()
			case "testcase":
				done(i)
				test = xmlCase(attributes(attrs), suites)
				test.Line = out.n[i]
			case "/testcase":
				done(i)
				test = codebuild.TestCase{}
			case "skipped": // node:test gives a failure beside it to what is to be done
				test = codebuild.TestCase{}
			case "failure", "error":
				if cur != nil || test.Name == "" {
					break
				}
				cur, text = &block{TestCase: test, from: i + 1}, t[1]
				if cur.Message = attributes(attrs)["message"]; cur.Message == "" {
					cur.Message = xmlText(l[t[1]:])
					if strings.HasSuffix(cur.Message, ":") {
						cur.Message += " " + next(out.lines[i+1:])
					}
				}
				if closed {
					done(i)
				}
			case "/failure", "/error":
				if cur != nil {
					if i >= cur.from {
						text = 0
					}
					if _, at := why([]string{xmlText(l[text:])}); at != "" && cur.At == "" {
						cur.At = at // the stack's last line, where it is the only one that is the project's
					}
				}
				done(i)
			}
		}
	}
	done(len(out.lines))
	finish()
	return reports
}

// xmlText returns the text up to the next closing tag.
func xmlText(s string) string {
	s = strings.TrimPrefix(strings.TrimLeft(s, "/>"), "<![CDATA[")
	s, _, _ = strings.Cut(s, "</")
	return strings.TrimSpace(strings.TrimSuffix(s, "]]>"))
}

func xmlCase(a map[string]string, suites []string) codebuild.TestCase {
	c := codebuild.TestCase{Suite: a["classname"], Name: a["name"]}
	if c.Suite == "" || c.Suite == "test" {
		c.Suite = strings.Join(suites, " › ")
	}
	if file := c.Suite; jsFile.MatchString(file) {
		for _, separator := range []string{" > ", " › "} {
			if suite, name := splitName(c.Name, separator); suite != "" {
				c.Suite, c.Name = inside(file, strings.ReplaceAll(suite, separator, " › ")), name
				break
			}
		}
	}
	return c
}

var jsonStart = lazyregexp.New(`^\s*(?:\{\s*(?:"(?:num\w+|stats|config|success|testResults)"|$)|\[\s*(?:\{|$))`)

// jsonReport reads what Jest, Vitest, Mocha and Playwright print as JSON, up to where it is cut.
func jsonReport(out *output) []Report {
	if r := jsonStream(out); r != nil {
		return []Report{*r}
	}
	tries := 0
	for i := 0; i < len(out.lines) && tries < 5; i++ {
		if !jsonStart.MatchString(out.lines[i]) {
			continue
		}
		tries++
		text := strings.Join(out.lines[i:], "\n")
		d := jsonReader{decoder: json.NewDecoder(strings.NewReader(text))}
		d.value(0)
		if len(d.failed) == 0 && d.count == 0 {
			continue
		}
		end := strings.Count(text[:min(int(d.decoder.InputOffset()), len(text))], "\n")
		r := Report{First: out.n[since(out, i, 0)], Last: out.n[i+end], Failed: d.failed}
		r.Count = max(d.count, len(d.failed))
		for k := range r.Failed {
			r.Failed[k].Line = out.n[i]
		}
		return []Report{r}
	}
	return jsonFragments(out)
}

var (
	// jsonSource is the source around a failure, in a piece of a long line of Jest's.
	jsonSource = lazyregexp.New(`\\u001b\[90m *\d* \|\\u001b\[39m`)
	jsonFailed = lazyregexp.New(`"status":"failed","title":"(?:[^"\\]|\\.)*"`)
)

// jsonFragments reads what is left of reports in one line, of which a log keeps a piece.
func jsonFragments(out *output) []Report {
	var reports []Report
	for i, l := range out.lines {
		r := Report{First: out.n[i], Last: out.n[i]}
		if !strings.Contains(l, `"status":"failed"`) && !jsonSource.MatchString(l) {
			continue
		}
		for _, s := range jsonFailed.FindAllString(l, 100) {
			c := codebuild.TestCase{Line: out.n[i]}
			_, title, _ := strings.Cut(s, `"title":`)
			if json.Unmarshal([]byte(title), &c.Name) == nil {
				r.Failed = append(r.Failed, c)
			}
		}
		reports = append(reports, r)
	}
	return reports
}

var jsonFail = lazyregexp.New(`^\["fail",\{"title":("(?:[^"\\]|\\.)*"),"fullTitle":("(?:[^"\\]|\\.)*"),` +
	`(?:.*?"err":("(?:[^"\\]|\\.)*"))?`)

// jsonOther is any other line of Mocha's json-stream.
var jsonOther = lazyregexp.New(`^\["(?:start|pass|end)",\{`)

// jsonStream reads Mocha's reporter of that name, which prints a line for each test.
func jsonStream(out *output) *Report {
	var r Report
	first, last := -1, 0
	for i, l := range out.lines {
		m := jsonFail.FindStringSubmatch(l)
		switch {
		case m != nil:
			var title, full, message string
			for k, s := range []*string{&title, &full, &message} {
				_ = json.Unmarshal([]byte(m[k+1]), s) // the line may be cut before the last
			}
			c := codebuild.TestCase{Name: title, Line: out.n[i]}
			c.Suite = strings.TrimSpace(strings.TrimSuffix(full, title))
			c.Message, c.At = why(strings.Split(message, "\n"))
			r.Failed = append(r.Failed, c)
		case !jsonOther.MatchString(l):
			continue
		}
		if first < 0 {
			first = i
		}
		last = i
	}
	if len(r.Failed) == 0 {
		return nil
	}
	r.First, r.Last, r.Count = out.n[since(out, first, 0)], out.n[last], len(r.Failed)
	return &r
}

// A jsonReader walks through a JSON text and keeps the objects that are failed tests.
type jsonReader struct {
	decoder *json.Decoder
	failed  []codebuild.TestCase
	count   int // as Jest and Vitest say it before they name any
}

// value reads the next value. ok is false where the text is cut or no JSON.
func (d *jsonReader) value(depth int) (v any, ok bool) {
	t, err := d.decoder.Token()
	if err != nil || depth > 2*maxDepth {
		return nil, false
	}
	switch t {
	case json.Delim('{'):
		object, before := map[string]any{}, len(d.failed)
		for d.decoder.More() {
			key, err := d.decoder.Token()
			name, _ := key.(string)
			if err != nil {
				return nil, false
			}
			if object[name], ok = d.value(depth + 1); !ok {
				return nil, false
			}
			if n, ok := object[name].(float64); ok && name == "numFailedTests" && n < 1e6 {
				d.count = int(n)
			}
		}
		_, err := d.decoder.Token()
		d.object(object, before)
		return object, err == nil
	case json.Delim('['):
		var list []any
		for d.decoder.More() {
			v, ok := d.value(depth + 1)
			if !ok {
				return nil, false
			}
			list = append(list, v)
		}
		_, err := d.decoder.Token()
		return list, err == nil
	}
	return t, true
}

// object keeps the object if it is a failed test. before is how many had been kept before its first
// field.
func (d *jsonReader) object(o map[string]any, before int) {
	text := func(o map[string]any, key string) string { s, _ := o[key].(string); return s }
	title, isTest := o["title"].(string)
	errors, _ := o["err"].(map[string]any)
	_, hasSpecs := o["specs"]
	switch {
	case o["assertionResults"] != nil: // a file of Jest's
		file := text(o, "name")
		for i := range d.failed[before:] {
			d.failed[before+i].Suite = inside(file, d.failed[before+i].Suite)
		}
		if len(d.failed) == before && o["status"] == "failed" {
			d.add(codebuild.TestCase{Name: file}, text(o, "message"))
		}
	case hasSpecs && isTest: // a group of Playwright's
		for i := range d.failed[before:] {
			d.failed[before+i].Suite = inside(title, d.failed[before+i].Suite)
		}
	case o["elements"] != nil: // a feature of Cucumber's
		for i := range d.failed[before:] {
			d.failed[before+i].Suite = text(o, "uri")
		}
	case o["steps"] != nil && o["keyword"] != nil:
		if message, failed := failedStep(o["steps"]); failed {
			d.add(codebuild.TestCase{Name: text(o, "name")}, message)
		}
	case !isTest:
	case o["ancestorTitles"] != nil && o["status"] == "failed":
		c := codebuild.TestCase{Name: title}
		groups, _ := o["ancestorTitles"].([]any)
		for _, g := range groups {
			s, _ := g.(string)
			c.Suite = inside(c.Suite, s)
		}
		message := ""
		if list, _ := o["failureMessages"].([]any); len(list) > 0 {
			message, _ = list[0].(string)
		}
		d.add(c, message)
	case o["fullTitle"] != nil && len(errors) > 0: // Mocha's, which lists it among all and among the failures
		suite := strings.TrimSpace(strings.TrimSuffix(text(o, "fullTitle"), title))
		message := text(errors, "stack")
		if message == "" {
			message = text(errors, "message")
		}
		d.add(codebuild.TestCase{Suite: suite, Name: title}, message)
	case o["ok"] == false && o["tests"] != nil: // a test of Playwright's
		d.add(codebuild.TestCase{Name: title}, firstError(o["tests"]))
	}
}

// failedStep finds the first step of a scenario of Cucumber's that did not pass.
func failedStep(v any) (message string, failed bool) {
	list, _ := v.([]any)
	for _, e := range list {
		step, _ := e.(map[string]any)
		result, _ := step["result"].(map[string]any)
		switch status, _ := result["status"].(string); status {
		case "failed", "undefined", "ambiguous":
			message, _ = result["error_message"].(string)
			if message == "" {
				name, _ := step["name"].(string)
				message = status + " step: " + name
			}
			return message, true
		}
	}
	return "", false
}

// firstError finds the first error's message in the tries of a test of Playwright's.
func firstError(v any) string {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			if s := firstError(e); s != "" {
				return s
			}
		}
	case map[string]any:
		if e, ok := v["error"].(map[string]any); ok {
			if s, _ := e["stack"].(string); s != "" {
				return s
			}
			s, _ := e["message"].(string)
			return s
		}
		return firstError(v["results"])
	}
	return ""
}

var escapes = lazyregexp.New(`\x1b\[[\d;]*m`)

func (d *jsonReader) add(c codebuild.TestCase, message string) {
	c.Message, c.At = why(strings.Split(escapes.ReplaceAllString(message, ""), "\n"))
	for i := range d.failed {
		if o := &d.failed[i]; o.Name == c.Name && o.Suite == c.Suite {
			return
		}
	}
	d.failed = append(d.failed, c)
}

var (
	teamcityMessage  = lazyregexp.New(`##teamcity\[(test(?:Failed|SuiteStarted|SuiteFinished|Started|Finished))\b(.*)$`)
	teamcityValue    = lazyregexp.New(`(\w+)='((?:[^'|]|\|.)*)'`)
	teamcityUnescape = strings.NewReplacer("|n", "\n", "|r", "", "|'", "'", "||", "|", "|[", "[", "|]", "]")
)

// teamcity reads TeamCity's service messages.
func teamcity(out *output) []Report {
	var r Report
	var suites []string
	first, last := -1, 0
	for i, l := range out.lines {
		if !strings.Contains(l, "##teamcity[") {
			continue
		}
		m := teamcityMessage.FindStringSubmatch(l)
		if m == nil {
			continue
		}
		if first < 0 {
			first = i
		}
		last = i
		a := map[string]string{}
		for _, v := range teamcityValue.Get().FindAllStringSubmatch(m[2], 20) {
			a[v[1]] = teamcityUnescape.Replace(v[2])
		}
		switch m[1] {
		case "testSuiteStarted":
			if len(suites) < maxDepth {
				suites = append(suites, a["name"])
			}
		case "testSuiteFinished":
			suites = suites[:max(0, len(suites)-1)]
		case "testFailed":
			c := codebuild.TestCase{Suite: strings.Join(suites, " › "), Name: a["name"], Line: out.n[i]}
			c.Message, _ = why(strings.Split(a["message"], "\n"))
			_, c.At = why(strings.Split(a["details"], "\n"))
			r.Failed = append(r.Failed, c)
		}
	}
	if len(r.Failed) == 0 {
		return nil
	}
	r.First, r.Last = out.n[since(out, first, 0)], out.n[last]
	return []Report{r}
}

var (
	annotation         = lazyregexp.New(`^::error ([^:]*)::(.*)$`)
	annotationValue    = lazyregexp.New(`(\w+)=([^,]*)`)
	annotationUnescape = strings.NewReplacer("%0A", "\n", "%0D", "", "%3A", ":", "%2C", ",", "%25", "%")
)

// annotations reads the workflow commands of GitHub Actions in which a runner names failed tests:
// their title is a path. Those of compilers and linters have none. Most runners print their own
// report beside them, which says more.
func annotations(out *output) []Report {
	var r Report
	first, last := -1, 0
	for i, l := range out.lines {
		m := annotation.FindStringSubmatch(l)
		if m == nil {
			continue
		}
		a := map[string]string{}
		for _, v := range annotationValue.Get().FindAllStringSubmatch(m[1], 20) {
			a[v[1]] = annotationUnescape.Replace(v[2])
		}
		c := codebuild.TestCase{Line: out.n[i]}
		for _, separator := range []string{" › ", " > "} {
			if suite, name := splitName(a["title"], separator); suite != "" {
				c.Suite, c.Name = strings.ReplaceAll(suite, separator, " › "), name
				break
			}
		}
		if c.Name == "" {
			continue
		}
		c.Message, c.At = why(strings.Split(annotationUnescape.Replace(m[2]), "\n"))
		if c.At == "" && a["line"] != "" {
			c.At = a["file"] + ":" + a["line"]
		}
		r.Failed = append(r.Failed, c)
		if first < 0 {
			first = i
		}
		last = i
	}
	if len(r.Failed) == 0 {
		return nil
	}
	for _, l := range out.lines {
		if strings.Contains(l, r.Failed[0].Name) && !strings.HasPrefix(l, "::error ") {
			return nil // the runner's own report names them
		}
	}
	r.First, r.Last = out.n[since(out, first, 0)], out.n[last]
	return []Report{r}
}

var (
	formattedFail  = lazyregexp.New(`^ *[✖⨯✗] (?:FAIL: )?(\S.*)$`)
	linted         = lazyregexp.New(`^\d+ (?:problem|error|warning)s?\b`) // ESLint's and stylelint's sum
	formattedSuite = lazyregexp.New(`^(?:  |## )(\S.*)$`)
	formattedSum   = lazyregexp.New(`^ *(?:(?:failing|fail|failed|Failing):? +(\d+)|(\d+) (?:failed|failing)|` +
		`Failed Tests: There (?:was|were) (\d+) failures?|` +
		`Asserts: +\d+ pass +(\d+) fail .*) *$`)
	tapPlace       = lazyregexp.New(`^  \S+ \((\S+:\d+):\d+\)$`)
	tapBehind      = lazyregexp.New(` \S+\.\w+:\d+:\d+$`)
	formattedError = lazyregexp.New(`^ +Error: (.+)$`)
)

// tapFormatter reads what tap-spec, tap-dot, tap-summary, tap-difflet and node-tap's terse reporter
// make of TAP: marks in front of the failed assertions, below the test that they are in.
func tapFormatter(out *output) []Report {
	var r Report
	var blocks []block
	first, last := -1, -1
	suite, dots := "", false
	paths := false    // node-tap names the whole path of each
	repeated := false // what follows names them once more
	for i, l := range out.lines {
		if first < 0 && strings.TrimSpace(l) != "" {
			first = i
		}
		var m []string
		if strings.Contains(l, "ail") {
			m = formattedSum.FindStringSubmatch(l)
		}
		if m != nil {
			if last = i; r.Count == 0 {
				r.Count = number(m[1] + m[2] + m[3] + m[4])
			}
			paths = paths || m[4] != ""
			repeated = repeated || m[3] != "" && len(blocks) > 0
			continue
		}
		if repeated {
			continue
		}
		if strings.ContainsAny(l, "✖⨯✗") {
			m = formattedFail.FindStringSubmatch(l)
		}
		switch t := strings.TrimSpace(l); {
		case m != nil && linted.MatchString(m[1]):
		case m != nil:
			if n := len(blocks); n > 0 && blocks[n-1].to == 0 {
				blocks[n-1].to = i
			}
			b := block{from: i + 1}
			b.Suite, b.Name, b.Line = suite, strings.TrimSpace(m[1]), out.n[i]
			if i+1 < len(out.lines) && strings.HasPrefix(m[1], "# ") && strings.HasPrefix(out.lines[i+1], ": ") {
				b.Suite, b.Name = m[1][len("# "):], out.lines[i+1][len(": "):] // tap-nyan's
			}
			blocks = append(blocks, b)
		case t == "---":
			dots = true
		case t == "...":
			if n := len(blocks); n > 0 {
				blocks[n-1].to = i
			}
			dots = false
		case dots && formattedError.MatchString(l): // dots alone name nothing
			b := block{from: i, to: i}
			b.Name, b.Line = formattedError.FindStringSubmatch(l)[1], out.n[i]
			blocks, dots = append(blocks, b), false
		default:
			s := formattedSuite.FindStringSubmatch(l)
			if s != nil && !strings.HasPrefix(t, "at ") && !strings.HasPrefix(t, "Error: ") {
				suite = s[1]
			}
		}
	}
	if len(blocks) == 0 || last < 0 {
		return nil
	}
	if b := &blocks[len(blocks)-1]; b.to == 0 {
		b.to = max(b.from, last)
	}
	for i := range blocks {
		b := &blocks[i]
		if b.to == 0 { // an error that only dots announce came next
			b.to = blocks[i+1].from
		}
		if paths {
			b.Suite, b.Name = splitName(tapBehind.ReplaceAllString(b.Name, ""), " > ")
			for _, l := range out.lines[b.from:b.to] {
				if m := tapPlace.FindStringSubmatch(l); m != nil && b.At == "" {
					b.At = m[1]
				}
			}
		} else {
			b.tapExplain(out)
		}
		r.Failed = append(r.Failed, blocks[i].TestCase)
	}
	last = max(last, blocks[len(blocks)-1].from-1)
	r.First, r.Last = out.n[since(out, first, 0)], out.n[last]
	return []Report{r}
}

// tapExplain says what an assertion got and wanted.
func (b *block) tapExplain(out *output) {
	var operator, expected, actual string
	lines := out.lines[b.from:b.to]
	for i, l := range lines {
		key, value, _ := strings.Cut(strings.TrimSpace(l), ":")
		if value = strings.TrimSpace(value); value == "|-" {
			value = next(lines[i+1:])
		}
		switch strings.TrimSpace(key) {
		case "operator":
			operator = value
		case "expected":
			expected = value
		case "actual":
			actual = value
		case "at", "At":
			if _, at := why([]string{"at " + value}); b.At == "" {
				b.At = at
			}
		}
	}
	if operator != "" || expected != "" || actual != "" {
		b.Message = strings.TrimSpace(operator + " expected: " + expected + " actual: " + actual)
		return
	}
	b.explain(out)
}

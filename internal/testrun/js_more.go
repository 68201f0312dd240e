package testrun

import (
	"strings"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

var (
	avaList = lazyregexp.New(`^  (?:[✘✖] \[fail\]: |✖ )(.+)$`)
	avaFile = lazyregexp.New(`^  [✘✖] (?:(\S+) exited (?:with a non-zero exit code: \d+|due to \S+)|` +
		`(?:No tests found in|\d+ tests? remaining in|Failed to import|Failed to parse) (\S+?),?(?: .*)?)$`)
	avaException = lazyregexp.New(`^  (?:Uncaught exception|Unhandled rejection) in (\S+)$`)
	avaEnd       = lazyregexp.New(`^  (\d+) (tests? failed|hooks? failed|uncaught exceptions?|unhandled rejections?|` +
		`tests? (?:was|were) (?:interrupted|pending)|tests? remaining)`)
	avaPass = lazyregexp.New(`^  [✔✓] `)
	avaHead = lazyregexp.New(`^  (\S.*)$`)
)

// avaSigned is in front of a failed test since version 4; before, the rule alone tells that it is
// AVA.
var avaSigned = lazyregexp.New(`^  [✘✖] \[fail\]: `)

// ava reads AVA's default reporter: a list of all tests, in which a failed one may have its message
// behind the title, then below a rule each failed one's title alone, and why.
func ava(out *output) []Report {
	var r Report
	first, last, rule := -1, 0, -1
	heads := map[string]int{} // the lines below the rule that may be titles
	count, signed := 0, false
	for i, l := range out.lines {
		signed = signed || avaSigned.MatchString(l)
		m := avaEnd.FindStringSubmatch(l)
		switch {
		case avaList.MatchString(l), avaFile.MatchString(l), avaException.MatchString(l),
			avaPass.MatchString(l) && rule < 0:
		case m != nil:
			if strings.HasPrefix(m[2], "test") && strings.HasSuffix(m[2], "failed") {
				count = number(m[1])
			}
		case l == "  ─":
			if rule < 0 {
				rule = i
			}
		default:
			if h := avaHead.FindStringSubmatch(l); h != nil && rule >= 0 {
				if _, ok := heads[h[1]]; !ok {
					heads[h[1]] = i
				}
			}
			continue
		}
		if first < 0 {
			first = i
		}
		last = i
	}
	var blocks []block
	files := map[string]bool{}
	for i, l := range out.lines {
		if m := avaException.FindStringSubmatch(l); m != nil {
			b := block{from: i + 1, to: min(len(out.lines), i+30)}
			b.Name, b.Line = m[1], out.n[i]
			blocks, files[m[1]] = append(blocks, b), true
		}
	}
	for i, l := range out.lines {
		b := block{}
		b.Line = out.n[i]
		if m := avaList.FindStringSubmatch(l); m != nil && !avaFile.MatchString(l) {
			title, at := avaTitle(m[1], heads)
			b.Message = strings.TrimSpace(m[1][len(title):])
			b.Suite, b.Name = splitName(title, " › ")
			if at > 0 {
				b.from, b.to = at+1, avaBlockEnd(out, at+1)
				b.avaExplain(out)
			}
		} else if m := avaFile.FindStringSubmatch(l); m != nil && !files[m[1]+m[2]] {
			if b.Name = m[1] + m[2]; strings.Contains(l, "remaining in") {
				continue // the one that stopped the file is named itself
			}
			files[b.Name] = true
			b.Message = strings.TrimSpace(strings.TrimLeft(l, " ✘✖"))
		} else {
			continue
		}
		blocks = append(blocks, b)
	}
	if len(blocks) == 0 || !signed && rule < 0 {
		return nil
	}
	r.First, r.Last, r.Count = out.n[since(out, first, 0)], out.n[last], count
	r.Failed = cases(blocks, out)
	return []Report{r}
}

var (
	avaPlace  = lazyregexp.New(`^  \S+\.\w+:\d+$`)
	avaSource = lazyregexp.New(`^  +\d+: `)
	avaError  = lazyregexp.New(`^  (\w*(?:Error|Exception)\b[^{]*: .+)$`)
)

// avaExplain finds why the test failed below its place and its source. An error that was thrown is
// shown as an object, and then again as text.
func (b *block) avaExplain(out *output) {
	if b.Message == "Error thrown in test" || strings.HasPrefix(b.Message, "Rejected promise") {
		for _, l := range out.lines[b.from:b.to] {
			if m := avaError.FindStringSubmatch(l); m != nil {
				b.Message = m[1]
				return
			}
		}
	}
	for b.from < b.to {
		if l := out.lines[b.from]; l != "" && !avaPlace.MatchString(l) && !avaSource.MatchString(l) {
			break
		}
		b.from++
	}
}

// avaTitle cuts the message off a listed title, if a heading tells where it begins.
func avaTitle(s string, heads map[string]int) (title string, line int) {
	for end := len(s); end > 0; end = strings.LastIndexByte(s[:end], ' ') {
		if line := heads[s[:end]]; line > 0 {
			return s[:end], line
		}
	}
	return s, 0
}

// avaBlockEnd finds the two blank lines behind what is said of one test.
func avaBlockEnd(out *output, from int) int {
	end := min(len(out.lines), from+200)
	for i := from; i+1 < end; i++ {
		if strings.TrimSpace(out.lines[i]) == "" && strings.TrimSpace(out.lines[i+1]) == "" || out.lines[i] == "  ─" {
			return i
		}
	}
	return end
}

var (
	playwrightHead = lazyregexp.New(`^  +(\d+)\) (.+?)(?: [─━]+)?$`)
	playwrightTest = lazyregexp.New(`^(?:\[([^\]]*)\] › )?(\S+?):(\d+)(?::\d+)?(?: › (.+))?$`)
	playwrightSum  = lazyregexp.New(`^  (\d+) (failed|flaky|interrupted|did not run|skipped|passed)(?: \([\d.]+\w+\))?$`)
	playwrightMiss = lazyregexp.New(`^  (\d+) errors? (?:was|were) not a part of any test`)
	playwrightRun  = lazyregexp.New(`^Running \d+ tests? using \d+ workers?`)
)

// playwright reads the report that Playwright Test's list, line, dot and github reporters end with:
// the errors, each below the number and the path of its test, and the paths of all that failed. One
// that passed when it was tried again is flaky, and is not among those.
func playwright(out *output) []Report {
	var reports []Report
	var r Report
	var blocks []block
	var failed []codebuild.TestCase
	first, last, floor := -1, 0, 0
	section, errors := "", 0
	finish := func() {
		if first >= 0 && (len(failed) > 0 || errors > 0) {
			for i := range blocks {
				blocks[i].explain(out)
			}
			r.Failed = playwrightCases(failed, blocks)
			if errors > 0 {
				r.Failed = append(r.Failed, playwrightLoad(out, first, last)...)
			}
			r.First, r.Last = out.n[since(out, first, floor)], out.n[last]
			reports, floor = append(reports, r), last+1
		}
		r, blocks, failed, first, section, errors = Report{}, nil, nil, -1, "", 0
	}
	closing := func(i int) {
		if n := len(blocks); n > 0 && blocks[n-1].to == 0 {
			blocks[n-1].to = i
		}
	}
	for i, l := range out.lines {
		if playwrightRun.MatchString(l) {
			closing(i)
			finish()
			first, last = i, i
			continue
		}
		if m := playwrightSum.FindStringSubmatch(l); m != nil {
			closing(i)
			section, last = m[2], i
			if section == "failed" {
				r.Count = number(m[1])
			}
		} else if m := playwrightMiss.FindStringSubmatch(l); m != nil {
			closing(i)
			errors, last, section = number(m[1]), i, ""
		} else if m := playwrightHead.FindStringSubmatch(l); m != nil {
			if t := playwrightTest.FindStringSubmatch(m[2]); t != nil {
				closing(i)
				b := block{from: i + 1}
				b.TestCase = playwrightCase(t)
				b.Line, last, section = out.n[i], i, ""
				blocks = append(blocks, b)
			} else {
				continue
			}
		} else if section != "" && strings.HasPrefix(l, "    ") {
			t := playwrightTest.FindStringSubmatch(strings.TrimRight(strings.TrimSpace(l), " ─━"))
			if t == nil {
				continue
			}
			if last = i; section == "failed" || section == "interrupted" {
				c := playwrightCase(t)
				c.Line = out.n[i]
				failed = append(failed, c)
			}
		} else {
			continue
		}
		if first < 0 {
			first = i
		}
	}
	closing(len(out.lines))
	finish()
	return reports
}

func playwrightCase(m []string) codebuild.TestCase {
	suite, name := splitName(m[4], " › ")
	if name == "" {
		return codebuild.TestCase{Name: m[2], At: m[2] + ":" + m[3]}
	}
	suite = inside(m[2], suite)
	if m[1] != "" {
		suite = "[" + m[1] + "] › " + suite
	}
	return codebuild.TestCase{Suite: suite, Name: name, At: m[2] + ":" + m[3]}
}

// playwrightCases adds to the listed tests what their errors say.
func playwrightCases(listed []codebuild.TestCase, blocks []block) []codebuild.TestCase {
	why := map[[2]string]*block{}
	for i := range blocks {
		if key := [2]string{blocks[i].Suite, blocks[i].Name}; why[key] == nil {
			why[key] = &blocks[i]
		}
	}
	for i := range listed {
		if b := why[[2]string{listed[i].Suite, listed[i].Name}]; b != nil {
			listed[i].Message, listed[i].At, listed[i].Line = b.Message, b.At, b.Line
		}
	}
	return listed
}

// playwrightLoad names the files that could not be loaded, by the first frame of each error.
func playwrightLoad(out *output, first, last int) []codebuild.TestCase {
	var list []codebuild.TestCase
	var c codebuild.TestCase
	for i := max(0, first-40); i <= last; i++ {
		l := strings.TrimSpace(out.lines[i])
		if c.Message == "" && strings.Contains(l, "Error: ") && !strings.HasPrefix(out.lines[i], "    ") {
			c = codebuild.TestCase{Message: l, Line: out.n[i]}
		}
		if c.Message == "" {
			continue
		}
		if _, at := why([]string{l}); at != "" {
			c.At = at
			c.Name, _, _ = strings.Cut(at, ":")
			list, c = append(list, c), codebuild.TestCase{}
		}
	}
	return list
}

var (
	bunFail = lazyregexp.New(`^(?:\(fail\)|✗) (.+?)(?: \[[\d.]+m?s\])?$`)
	bunPass = lazyregexp.New(`^(?:\((?:pass|skip|todo)\)|[✓»✎]) .`)
	bunFile = lazyregexp.New(`^(?:::group::)?(\S+\.(?:[cm]?[jt]sx?)):$`)
	bunSum  = lazyregexp.New(`^ *(\d+) fail$`)
	bunEnd  = lazyregexp.New(`^Ran \d+ tests? across \d+ files?\.|^bun test v`)
	bunWhy  = lazyregexp.New(`^\w*([eE]rror|Exception): `)
)

// bun reads what `bun test` prints: below the name of each file why a test failed, and then its
// path. Many programs put a cross before what failed, so something else must be bun's as well.
func bun(out *output) []Report {
	var reports []Report
	var r Report
	first, last, floor, from := -1, 0, 0, 0
	file, between := "", -1
	signed := false // Vite and others use the cross as well
	finish := func() {
		if first >= 0 && signed && len(r.Failed) > 0 {
			r.First, r.Last = out.n[since(out, first, floor)], out.n[last]
			reports, floor = append(reports, r), last+1
		}
		r, first, file, between, signed = Report{}, -1, "", -1, false
	}
	summed := false
	for i, l := range out.lines {
		m := bunFail.FindStringSubmatch(l)
		switch {
		case strings.HasPrefix(l, "bun test v"):
			finish()
			from, summed, signed = i+1, false, true
		case m != nil && !summed:
			signed = signed || strings.HasPrefix(l, "(fail)")
			c := codebuild.TestCase{Line: out.n[i]}
			c.Suite, c.Name = splitName(m[1], " > ")
			c.Suite = inside(file, strings.ReplaceAll(c.Suite, " > ", " › "))
			bunExplain(&c, out.lines[from:i])
			r.Failed, from = append(r.Failed, c), i+1
		case bunPass.MatchString(l), bunFile.MatchString(l):
			if f := bunFile.FindStringSubmatch(l); f != nil {
				file = f[1]
			}
			from = i + 1
		case l == "# Unhandled error between tests":
			between = i
		case between >= 0 && bunWhy.MatchString(l):
			signed = true
			c := codebuild.TestCase{Name: file, Message: l, Line: out.n[between]}
			r.Failed, between = append(r.Failed, c), -1
		case bunSum.MatchString(l):
			r.Count, summed, signed = number(bunSum.FindStringSubmatch(l)[1]), true, true
		case bunEnd.MatchString(l):
			signed = true
		default:
			continue
		}
		if first < 0 {
			first = i
		}
		last = i
	}
	finish()
	return reports
}

// bunExplain takes the last error above a failed test, which is its own.
func bunExplain(c *codebuild.TestCase, lines []string) {
	for i := len(lines) - 1; i >= max(0, len(lines)-200); i-- {
		if bunWhy.MatchString(lines[i]) {
			message, at := why(lines[i:])
			c.Message, c.At = strings.TrimPrefix(message, "error: "), at
			return
		}
	}
}

var (
	denoHead = lazyregexp.New(`^(\S.*?) => (\S+:\d+):\d+$`)
	denoLoad = lazyregexp.New(`^(\S+) \(uncaught error\)$`)
	denoSum  = lazyregexp.New(`^FAILED \| .*?(\d+) failed`)
)

// deno reads Deno's pretty and dot reporters: below ERRORS the failed tests and steps with their
// places, and below FAILURES their names once more. The parts of a step's path are joined by dots.
func deno(out *output) []Report {
	var reports []Report
	var r Report
	var blocks []block
	first, floor := -1, 0
	in := ""
	closing := func(i int) {
		if n := len(blocks); n > 0 && blocks[n-1].to == 0 {
			blocks[n-1].to = i
		}
	}
	for i, l := range out.lines {
		m, load := denoHead.FindStringSubmatch(l), denoLoad.FindStringSubmatch(l)
		switch t := strings.TrimSpace(l); {
		case t == "ERRORS" || t == "FAILURES":
			closing(i)
			in = t
		case in == "ERRORS" && (m != nil || load != nil):
			closing(i)
			b := block{from: i + 1}
			b.Line = out.n[i]
			if m != nil {
				b.Suite, b.Name = splitName(m[1], " ... ")
				b.At = strings.TrimPrefix(m[2], "./")
			} else {
				b.Name = strings.TrimPrefix(load[1], "./")
			}
			blocks = append(blocks, b)
		case denoSum.MatchString(l):
			closing(i)
			if len(blocks) > 0 {
				for k := range blocks {
					blocks[k].explain(out)
					blocks[k].Message = strings.TrimPrefix(blocks[k].Message, "error: ")
					r.Failed = append(r.Failed, blocks[k].TestCase)
				}
				r.Count = number(denoSum.FindStringSubmatch(l)[1])
				r.First, r.Last = out.n[since(out, first, floor)], out.n[i]
				reports, floor = append(reports, r), i+1
			}
			r, blocks, first, in = Report{}, nil, -1, ""
			continue
		default:
			continue
		}
		if first < 0 {
			first = i
		}
	}
	return reports
}

var (
	nodeMark  = lazyregexp.New(`^( *)(▶|✖|✔|﹣) (.+?)( \([\d.]+ms\))?( # .*)?$`)
	nodeAt    = lazyregexp.New(`^test at (\S+?):(\d+)(?::\d+)?$`)
	nodeSum   = lazyregexp.New(`^ℹ (tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) ([\d.]+)$`)
	nodeOuter = lazyregexp.New(`^'?\d+ subtests? failed'?$`)
)

// nodeTest reads the spec and dot reporters of node:test: the tree of all tests, the sums, and the
// failed tests once more, with their places. A group fails with its tests, and is not named beside
// them.
func nodeTest(out *output) []Report {
	type open struct {
		indent int
		name   string
	}
	var (
		tree, list []block
		stack      []open
		cur        *block
		r          Report
		first      = -1
		last       int
		listed     bool
		place      string
		sums       bool
	)
	closing := func(i int) {
		if cur != nil {
			cur.to, cur = i, nil
		}
	}
	for i, l := range out.lines {
		m := nodeMark.FindStringSubmatch(l)
		if s := nodeSum.FindStringSubmatch(l); s != nil {
			closing(i)
			if sums = true; s[1] == "fail" {
				r.Count = number(s[2])
			}
		} else if l == "✖ failing tests:" || l == "Failed tests:" {
			closing(i)
			listed = true
		} else if a := nodeAt.FindStringSubmatch(l); a != nil && listed {
			closing(i)
			place = a[1] + ":" + a[2]
		} else if m != nil && (m[2] == "▶" || m[4] != "") && (!listed || m[1] == "") {
			closing(i)
			in := len(m[1])
			var path string
			for len(stack) > 0 && stack[len(stack)-1].indent > in {
				stack = stack[:len(stack)-1]
			}
			group := len(stack) > 0 && stack[len(stack)-1].indent == in && !listed
			if group {
				stack = stack[:len(stack)-1]
			}
			if m[2] == "▶" && m[4] == "" { // older versions end a group with the same mark
				stack = append(stack, open{in, m[3]})
				if len(stack) > maxDepth {
					stack = stack[1:]
				}
			}
			if m[2] == "✖" && m[5] == "" { // with a directive, the run does not fail
				for _, o := range stack {
					path = inside(path, o.name)
				}
				b := block{from: i + 1}
				b.Suite, b.Name, b.At, b.Line = path, m[3], place, out.n[i]
				if listed {
					b.Suite = ""
					list = append(list, b)
					cur = &list[len(list)-1]
				} else if !group {
					tree = append(tree, b)
					cur = &tree[len(tree)-1]
				}
				place = ""
			}
		} else if listed && (strings.HasPrefix(l, "  ") || strings.TrimSpace(l) == "") {
			if strings.TrimSpace(l) != "" {
				last = i
			}
			continue
		} else {
			continue
		}
		if first < 0 {
			first = i
		}
		last = i
	}
	closing(last + 1)
	if !sums && !listed || len(tree)+len(list) == 0 {
		return nil
	}
	r.First, r.Last = out.n[since(out, first, 0)], out.n[last]
	paths := map[string][]string{}
	for i := range tree {
		paths[tree[i].Name] = append(paths[tree[i].Name], tree[i].Suite)
	}
	blocks := list
	if len(list) == 0 {
		blocks = tree
	}
	for i := range blocks {
		b := &blocks[i]
		place := b.At
		b.explain(out)
		if nodeOuter.MatchString(b.Message) {
			continue
		}
		if p := paths[b.Name]; len(p) > 0 && len(list) > 0 {
			b.Suite, paths[b.Name] = p[0], p[1:]
		}
		if file, _, ok := strings.Cut(place, ":"); ok && !strings.HasSuffix(b.Name, file) {
			b.Suite = inside(file, b.Suite)
		}
		b.Message = strings.Trim(b.Message, "'")
		r.Failed = append(r.Failed, b.TestCase)
	}
	return []Report{r}
}

// maxDepth is how deep groups may be nested; of deeper ones, the outermost are left out.
const maxDepth = 50

var (
	jasmineHead = lazyregexp.New(`^(\d+)\) (.+)$`)
	jasmineSum  = lazyregexp.New(`^(?:Executed )?\d+ (?:of \d+ )?specs?, (\d+) failures?|^Incomplete: `)
)

// jasmine reads Jasmine's own reporter: below "Failures:" each failed test with its number, its
// message and its stack. It joins the groups and the test by spaces, so all of it is the name.
func jasmine(out *output) []Report {
	var reports []Report
	floor := 0
	for i := 0; i < len(out.lines); i++ {
		if strings.TrimSpace(out.lines[i]) != "Failures:" {
			continue
		}
		var r Report
		var blocks []block
		k := i + 1
		for ; k < len(out.lines); k++ {
			l := out.lines[k]
			if m := jasmineSum.FindStringSubmatch(l); m != nil {
				r.Count = number(m[1])
				break
			}
			if strings.TrimSpace(l) == "Failures:" {
				break
			}
			if m := jasmineHead.FindStringSubmatch(l); m != nil && number(m[1]) == len(blocks)+1 {
				if n := len(blocks); n > 0 {
					blocks[n-1].to = k
				}
				b := block{from: k + 1}
				b.Name, b.Line = m[2], out.n[k]
				blocks = append(blocks, b)
			}
		}
		end := min(k, len(out.lines)-1)
		if n := len(blocks); n > 0 && k < len(out.lines) && jasmineSum.MatchString(out.lines[k]) {
			blocks[n-1].to = k
			for j := range blocks {
				blocks[j].trim(out, "Message:")
			}
			r.First, r.Last, r.Failed = out.n[since(out, i, floor)], out.n[end], cases(blocks, out)
			reports, floor = append(reports, r), end+1
			i = end
		} else {
			i = k - 1
		}
	}
	return reports
}

// trim begins the block behind the line that is only a heading.
func (b *block) trim(out *output, heading string) {
	if b.from < b.to && strings.TrimSpace(out.lines[b.from]) == heading {
		b.from++
	}
}

var (
	uvuHead = lazyregexp.New(`^   FAIL  (.+)$`)
	uvuSum  = lazyregexp.New(`^  Total: +(\d+)$`)
	uvuPass = lazyregexp.New(`^  Passed: +(\d+)$`)
)

// uvu reads uvu's report: "FAIL  suite  "test"" for each failed test, and the sums.
func uvu(out *output) []Report {
	var r Report
	var blocks []block
	last, total := -1, -1
	for i, l := range out.lines {
		if m := uvuHead.FindStringSubmatch(l); m != nil {
			if n := len(blocks); n > 0 && blocks[n-1].to == 0 {
				blocks[n-1].to = i
			}
			b := block{from: i + 1}
			b.Line, b.Name = out.n[i], strings.Trim(m[1], `"`)
			if suite, name, ok := strings.Cut(m[1], `  "`); ok {
				b.Suite, b.Name = suite, strings.TrimSuffix(name, `"`)
			}
			blocks = append(blocks, b)
		} else if m := uvuSum.FindStringSubmatch(l); m != nil {
			last, total = i, number(m[1])
		} else if m := uvuPass.FindStringSubmatch(l); m != nil && total >= 0 {
			last, r.Count = i, total-number(m[1])
		} else if l == "Exiting early before testing is finished." ||
			last >= 0 && (strings.HasPrefix(l, "  Skipped: ") || strings.HasPrefix(l, "  Duration: ")) {
			last = i
		}
	}
	if len(blocks) == 0 || last < 0 {
		return nil
	}
	if n := len(blocks); blocks[n-1].to == 0 {
		blocks[n-1].to = max(last, blocks[n-1].from)
	}
	first := min(last, blocks[0].from-1)
	last = max(last, blocks[len(blocks)-1].from-1)
	r.First, r.Last, r.Failed = out.n[since(out, first, 0)], out.n[last], cases(blocks, out)
	return []Report{r}
}

var (
	cucumberJSHead = lazyregexp.New(`^(\d+)\) Scenario: (.*?)(?: \(attempt \d+(, retried)?\))? # (\S+):(\d+)$`)
	cucumberJSSum  = lazyregexp.New(`^\d+ scenarios? \((?:(\d+) failed)?`)
	cucumberJSStep = lazyregexp.New(`^   (?:✖|×|\?) `)
)

// cucumberJS reads what the progress and summary formatters of Cucumber for JavaScript end with:
// each failed, undefined or ambiguous scenario with its steps.
func cucumberJS(out *output) []Report {
	var reports []Report
	var blocks []block
	first, floor := 0, 0
	closing := func(i int) {
		if n := len(blocks); n > 0 && blocks[n-1].to == 0 {
			blocks[n-1].to = i
		}
	}
	for i, l := range out.lines {
		if m := cucumberJSHead.FindStringSubmatch(l); m != nil {
			closing(i)
			if m[3] != "" {
				continue // it was tried again
			}
			if len(blocks) == 0 {
				first = i
			}
			b := block{from: i + 1}
			b.Suite, b.Name, b.At, b.Line = m[4], m[2], m[4]+":"+m[5], out.n[i]
			blocks = append(blocks, b)
		} else if cucumberJSStep.MatchString(l) && len(blocks) > 0 && blocks[len(blocks)-1].to == 0 {
			blocks[len(blocks)-1].from = i + 1
		} else if m := cucumberJSSum.FindStringSubmatch(l); m != nil && len(blocks) > 0 {
			closing(i)
			last := i
			if i+1 < len(out.lines) && strings.Contains(out.lines[i+1], " step") {
				last++
			}
			reports = append(reports, Report{First: out.n[since(out, first, floor)], Last: out.n[last],
				Failed: cases(blocks, out), Count: number(m[1])})
			blocks, floor = nil, last+1
		}
	}
	return reports
}

var (
	karmaFail = lazyregexp.New(`^(\S.*? [\d.]+ \([^)]*\)) (.+) FAILED$`)
	karmaSum  = lazyregexp.New(`^(?:.+: )?Executed \d+ of \d+ .*\((\d+) FAILED\)|^ *✖ (\d+) tests? failed$`)
	karmaMark = lazyregexp.New(`^( +)[✖✗] (.+)$`)
	karmaTree = lazyregexp.New(`^( +)([^\s✓✔ℹ].*)$`)
)

// karma reads Karma's progress and dots reporters, which name the browser, the groups and the test
// in one line, and the trees of karma-mocha-reporter and karma-spec-reporter.
func karma(out *output) []Report {
	type group struct {
		indent int
		name   string
	}
	var (
		blocks      []block
		stack       []group
		tree        = true // the line may be a group's
		again       bool   // the tree of the failed tests
		first, last = -1, -1
		count       int
	)
	add := func(i int, suite, name string) {
		if n := len(blocks); n > 0 && blocks[n-1].to == 0 {
			blocks[n-1].to = i
		}
		b := block{from: i + 1}
		b.Suite, b.Name, b.Line = suite, name, out.n[i]
		blocks = append(blocks, b)
	}
	for i, l := range out.lines {
		var sum, fail, mark []string
		if strings.HasSuffix(l, " FAILED") {
			fail = karmaFail.FindStringSubmatch(l)
		} else if strings.Contains(l, " FAILED)") || strings.HasSuffix(l, " failed") {
			sum = karmaSum.FindStringSubmatch(l)
		}
		if strings.HasPrefix(l, " ") {
			mark = karmaMark.FindStringSubmatch(l)
		}
		switch t := strings.TrimSpace(l); {
		case sum != nil:
			if n := len(blocks); n > 0 && blocks[n-1].to == 0 {
				blocks[n-1].to = i
			}
			last, count = i, max(number(sum[1]), number(sum[2]))
		case fail != nil:
			add(i, fail[1], fail[2])
			last = i
		case t == "FAILED TESTS:":
			blocks, stack, again, tree = nil, nil, true, true
			last = i
		case mark != nil:
			suite := ""
			for _, g := range stack {
				if g.indent < len(mark[1]) {
					suite = inside(suite, g.name)
				}
			}
			add(i, suite, mark[2])
			tree = false
		case t == "":
			tree = true
			continue
		case tree && karmaTree.MatchString(l):
			in := indent(l)
			for len(stack) > 0 && stack[len(stack)-1].indent >= in {
				stack = stack[:len(stack)-1]
			}
			if len(stack) < maxDepth {
				stack = append(stack, group{in, t})
			}
			continue
		default:
			if again && tree {
				tree = false
			}
			continue
		}
		if first < 0 {
			first = i
		}
	}
	if len(blocks) == 0 || count == 0 || last < 0 {
		return nil
	}
	b := &blocks[len(blocks)-1]
	if b.to == 0 {
		for b.to = b.from; b.to < len(out.lines) && strings.HasPrefix(out.lines[b.to], "  "); {
			b.to++
		}
	}
	last = max(last, b.to-1)
	for i := range blocks {
		if b := &blocks[i]; again && b.from < b.to {
			b.from++ // the browser
		}
	}
	return []Report{{First: out.n[since(out, first, 0)], Last: out.n[last], Failed: cases(blocks, out), Count: count}}
}

var (
	labHead = lazyregexp.New(`^ +(\d+)\) (.+):$`)
	labSum  = lazyregexp.New(`^(\d+) of \d+ tests failed$`)
)

// lab reads the console reporter of Hapi's lab: below "Failed tests:" the failed ones, each with
// its number among all.
func lab(out *output) []Report {
	start := -1
	var blocks []block
	for i, l := range out.lines {
		if l == "Failed tests:" {
			start, blocks = i, nil
		} else if start < 0 {
			continue
		} else if m := labHead.FindStringSubmatch(l); m != nil {
			if n := len(blocks); n > 0 {
				blocks[n-1].to = i
			}
			b := block{from: i + 1}
			b.Name, b.Line = m[2], out.n[i]
			blocks = append(blocks, b)
		} else if m := labSum.FindStringSubmatch(l); m != nil && len(blocks) > 0 {
			blocks[len(blocks)-1].to = i
			for k := range blocks {
				blocks[k].trim(out, "")
				blocks[k].trim(out, "actual expected")
			}
			return []Report{{First: out.n[since(out, start, 0)], Last: out.n[i], Failed: cases(blocks, out),
				Count: number(m[1])}}
		}
	}
	return nil
}

// cucumberRerun is a line of Cucumber's rerun formatter: a file and the lines of its failed
// scenarios.
var cucumberRerun = lazyregexp.New(`^(\S+\.feature)((?::\d+)+)$`)

// cucumberPlaces reads that formatter, which names the places only.
func cucumberPlaces(out *output) []Report {
	var r Report
	for i, l := range out.lines {
		m := cucumberRerun.FindStringSubmatch(l)
		if m == nil {
			continue
		}
		for _, line := range strings.Split(m[2][1:], ":") {
			place := m[1] + ":" + line
			r.Failed = append(r.Failed, codebuild.TestCase{Name: place, At: place, Line: out.n[i]})
		}
		if r.First == 0 {
			r.First = out.n[since(out, i, 0)]
		}
		r.Last = out.n[i]
	}
	if len(r.Failed) == 0 {
		return nil
	}
	return []Report{r}
}

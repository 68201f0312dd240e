package testrun

import (
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

var (
	pydocRule  = lazyregexp.New(`^\*{70}$`)
	pydocPlace = lazyregexp.New(`^File "([^"]+)", line (\d+), in (\S+)$`)
	pydocEnd   = lazyregexp.New(`^\*\*\*Test Failed\*\*\* \d+ failures?\.?`)
)

// pydoc reads the reports of Python's doctest. An example has no name but its source.
func pydoc(out *output) []Report {
	b := newBuilder(out)
	var file, line, where string
	cur, part := -1, ""
	var expected []string
	got := 0
	for i, l := range out.lines {
		t := strings.TrimSpace(l)
		switch {
		case pydocRule.MatchString(l):
			cur, part = -1, ""
			if b.first >= 0 {
				b.mark(i)
			}
		case pydocPlace.MatchString(l):
			m := pydocPlace.FindStringSubmatch(l)
			file, line, where = m[1], m[2], m[3]
		case l == "Failed example:" && where != "":
			part = l
			b.mark(i)
		case pydocEnd.MatchString(l):
			b.mark(i)
			b.end(false)
			cur, part = -1, ""
		case part == "Failed example:" && strings.HasPrefix(l, "    "):
			cur = b.add(i, where, t)
			b.r.Failed[cur].At = file + ":" + line
			part, expected, got = "", nil, 0
		case l == "Expected:" || l == "Got:" || l == "Exception raised:" || l == "Expected nothing" || l == "Got nothing":
			part = l
		case cur >= 0 && strings.HasPrefix(l, "    "):
			switch {
			case part == "Expected:" && len(expected) < maxAlike:
				expected = append(expected, t)
			case part == "Got:":
				want := "nothing"
				if got < len(expected) {
					want = expected[got]
				}
				if x := &b.r.Failed[cur]; x.Message == "" && t != want {
					x.Message = "expected " + want + ", got " + t
				}
				got++
			case part == "Exception raised:" && pyException.MatchString(l) && !strings.HasPrefix(l, "     "):
				b.r.Failed[cur].Message = t
			}
			b.last = i
		}
	}
	b.end(false)
	return b.reports
}

var (
	wardTitle = lazyregexp.New(`^─+ (\S.*?) ─+$`)
	wardLine  = lazyregexp.New(`^ FAIL +([\w.]+):(\d+)(?:\[\d+/\d+\])? (\S.*?)(?: +\d+%)?$`)
	wardAt    = lazyregexp.New(`^  Failed at (\S+?)(?::(\d+))?$`)
	wardFrame = lazyregexp.New(`^  │ (\S+):(\d+) in \S+ +│$`)
	wardEnd   = lazyregexp.New(`^─+ FAILED in [\d.]+ seconds? ─+$`)
)

// ward reads the reports of ward.
func ward(out *output) []Report {
	b := newBuilder(out)
	title, titleAt, cur, announced, boxed := "", 0, -1, false, false
	for i, raw := range out.lines {
		l := strings.TrimRight(raw, " ")
		t := strings.TrimSpace(l)
		switch {
		case strings.HasPrefix(t, "─") && strings.Contains(t, " Ward ") && strings.Contains(t, "Python"):
			b.mark(i)
			announced = true
		case wardEnd.MatchString(l):
			b.mark(i)
			b.end(announced)
			cur, announced = -1, false
		case announced && wardLine.MatchString(l):
			m := wardLine.FindStringSubmatch(l)
			in := strings.ReplaceAll(m[1], ".", "/") + ".py"
			b.r.Failed[b.add(i, in, m[3])].At = in + ":" + m[2]
		case wardTitle.MatchString(l):
			title, titleAt, cur = wardTitle.FindStringSubmatch(l)[1], i, -1
		case wardAt.MatchString(l) && title != "":
			m := wardAt.FindStringSubmatch(l)
			cur = b.add(titleAt, m[1], title)
			if m[2] != "" {
				b.r.Failed[cur].At = m[1] + ":" + m[2]
			}
			title, boxed = "", false
		case cur < 0:
		case strings.HasPrefix(l, "  ╭─") && strings.Contains(l, " Traceback "):
			boxed = true
		case wardFrame.MatchString(l):
			m := wardFrame.FindStringSubmatch(l)
			if file := ownFile(m[1]); file != "" {
				b.r.Failed[cur].At = file + ":" + m[2]
			}
		case boxed && strings.HasPrefix(l, "  ╰─"):
			boxed = false
		case b.r.Failed[cur].Message == "" && pyException.MatchString(l) && !boxed:
			b.r.Failed[cur].Message = t
		}
	}
	b.end(announced)
	return b.reports
}

var (
	behaveTitle = lazyregexp.New(`^(?:Failing|Errored) scenarios:$`)
	behaveItem  = lazyregexp.New(`^  (\S+):(\d+)  (\S.*)$`)
	behaveEnd   = lazyregexp.New(`^(?:\d+ (?:features?|scenarios?|steps?) passed, |Took \d+min )`)
	behaveSum   = lazyregexp.New(`\b(\d+) (?:failed|error)\b`)
	behaveName  = lazyregexp.New(`^\s*(?:Scenario|Scenario Outline|Example): (.+?)(?:\s+# (\S+:\d+))?$`)
	behaveWhy   = lazyregexp.New(`^\s*((?:ASSERT FAILED|Assertion Failed): .*)$`)
)

// behave reads the list of failed scenarios with which behave ends, in any format, and why they
// failed where the format prints scenarios.
func behave(out *output) []Report {
	b := newBuilder(out)
	why := map[string][2]string{} // by the scenario's name
	scenario, listed, announced := "", false, false
	trace := pyTrace{frame: -1}
	for i, l := range out.lines {
		switch m := behaveItem.FindStringSubmatch(l); {
		case strings.HasPrefix(l, "USING RUNNER: behave"):
			announced = true
			b.mark(i)
		case behaveTitle.MatchString(l):
			listed = true
			b.mark(i)
		case listed && m != nil:
			x := &b.r.Failed[b.add(i, m[1], strings.TrimSpace(m[3]))]
			x.At = m[1] + ":" + m[2]
			if w := why[x.Name]; w[0] != "" {
				if x.Message = w[0]; w[1] != "" {
					x.At = w[1]
				}
			}
		case behaveEnd.MatchString(l):
			b.mark(i)
			if strings.Contains(l, "scenario") {
				b.r.Count = sum(behaveSum, l)
			}
			if strings.HasPrefix(l, "Took ") {
				b.end(announced)
				listed, announced = false, false
			}
		case behaveName.MatchString(l):
			scenario, trace = strings.TrimSpace(behaveName.FindStringSubmatch(l)[1]), pyTrace{frame: -1}
		case scenario != "" && len(why) < maxAlike*20:
			trace.read(l)
			w := why[scenario]
			if m := behaveWhy.FindStringSubmatch(l); m != nil && w[0] == "" {
				w[0] = m[1]
			} else if trace.message != "" && w[0] == "" {
				w = [2]string{trace.message, trace.at}
			} else if strings.HasSuffix(l, "# None") && w[0] == "" {
				w[0] = "undefined step: " + strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(l), "# None"))
			}
			if w[0] != "" {
				why[scenario] = w
			}
		}
	}
	b.end(announced)
	return b.reports
}

var (
	robotVerdict = lazyregexp.New(`^(.*?)\s*\| (PASS|FAIL|SKIP) \|$`)
	robotRule    = lazyregexp.New(`^(?:={60,}|-{60,})$`)
	robotDotted  = lazyregexp.New(`^FAIL: (.+)$`)
	robotCounts  = lazyregexp.New(`^\d+ tests?, \d+ passed, \d+ failed`)
)

// robot reads the reports of Robot Framework's consoles verbose and dotted, and of pabot.
func robot(out *output) []Report {
	counted := slices.ContainsFunc(out.lines, robotCounts.MatchString) // else the line is gocheck's
	b := newBuilder(out)
	var (
		suite     string
		cur       = -1
		prev      string
		begun     string // the name in a line without a verdict, as the test printed something
		announced bool
	)
	for i, raw := range out.lines {
		l := strings.TrimRight(raw, " ")
		m := robotVerdict.FindStringSubmatch(l)
		switch {
		case robotRule.MatchString(l):
			if strings.HasPrefix(l, "=") && b.first < 0 {
				b.mark(i)
				announced = true
			} else if b.first >= 0 {
				b.last = i
			}
			cur, begun = -1, ""
		case m != nil:
			name := strings.TrimSpace(m[1])
			if name == "" {
				name = begun
			}
			begun, cur = "", -1
			if m[2] != "FAIL" || name == "" {
				break
			}
			// A suite's own verdict has its counts behind it.
			if i+1 < len(out.lines) && robotCounts.MatchString(out.lines[i+1]) {
				b.mark(i)
				break
			}
			cur = b.add(i, suite, strings.TrimSuffix(name, "..."))
		case counted && robotDotted.MatchString(l) && strings.HasPrefix(prev, "-----"):
			name := robotDotted.FindStringSubmatch(l)[1]
			in := ""
			if k := strings.LastIndex(name, "."); k > 0 && !strings.Contains(name[k:], " .") {
				in, name = name[:k], name[k+1:]
			}
			cur = b.add(i, in, name)
		case robotCounts.MatchString(l):
			b.mark(i)
			b.r.Count = sum(cucumberSum, l) // of the outermost suite, which is the last
			cur = -1
		case strings.HasPrefix(prev, "=====") && l != "" && cur < 0 && follows(out, i, "====="):
			suite, _, _ = strings.Cut(l, " :: ")
			suite = strings.TrimSpace(suite)
		case cur >= 0 && l != "":
			if x := &b.r.Failed[cur]; x.Message == "" || strings.HasSuffix(x.Message, "failed:") {
				x.Message = strings.TrimSpace(x.Message + " " + l)
			}
			b.last = i
		case strings.HasPrefix(prev, "-----") || strings.HasPrefix(prev, "====="):
			// The name is padded to a column, behind which the test's text begins.
			begun = raw
			if k := strings.Index(raw, "  "); k > 0 {
				begun = raw[:k]
			}
			begun = strings.TrimSpace(begun)
		}
		prev = l
	}
	b.end(announced)
	return b.reports
}

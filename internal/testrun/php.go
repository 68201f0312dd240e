package testrun

import (
	"strings"

	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

// phpRunners are those of PHP.
var phpRunners = []runner{
	{"Pest", []string{"  FAILED  ", "  • "}, pest},
	{"Codeception", []string{"Codeception "}, codeception},
	{"PHPUnit", []string{"There was 1 ", "There were ", " ✘ ", "Test Failed (", "Test Errored ("}, phpunit},
	{"phpspec", []string{"  ✘ ", "  ! "}, phpspec},
	{"Behat", []string{"--- Failed scenarios:"}, behat},
}

var (
	phpunitOpening = lazyregexp.New(`^(?:PHPUnit \d+\.\d+\S* by |PHPUnit Started \(|Paratest v|ParaTest v)`)
	phpunitEvent   = lazyregexp.New(`^Test (?:Failed|Errored) \((\S+?)::(\w+)(?:#(.+))?\)$`)
	phpunitSection = lazyregexp.New(`^There (?:was|were) \d+ (.+?)s?:?$`)
	phpunitItem    = lazyregexp.New(`^\d+\) (\S.*)$`)
	phpunitTest    = lazyregexp.New(`^([A-Za-z_\\][\w\\]*)::(\w+)(.*)$`)
	phpunitData    = lazyregexp.New(`^( with data set (?:#\S+|".*"|'.*'|@\S+))(?: \(.*| with data \(.*)?$`)
	phpunitPlace   = lazyregexp.New(`^(\S+\.\w+):(\d+)$`)
	phpunitEnd     = lazyregexp.New(`^Tests: \d+, Assertions: \d+`)
	phpunitSum     = lazyregexp.New(`\b(?:Errors|Failures): (\d+)`)
	phpunitDoc     = lazyregexp.New(`^ ✘ (\S.*?)(?: \[[\d.]+ ?m?s\])?$`)
	phpunitClass   = lazyregexp.New(`^(\S.*?)(?: \(([\w\\]+)\))?$`)
	phpunitBroken  = lazyregexp.New(`^An error occurred inside PHPUnit\.$`)
)

// phpunit reads the reports of PHPUnit 5 to 12: the lists of errors and failures or, in the form
// testdox, the marked sentences.
func phpunit(out *output) []Report {
	b := newBuilder(out)
	section, cur, announced := "", -1, false
	group := ""
	type sentence struct {
		i              int
		group, text    string
		message, place string
	}
	var docs []sentence
	finish := func() {
		if len(b.r.Failed) == 0 {
			for _, d := range docs {
				k := b.add(d.i, d.group, d.text)
				b.r.Failed[k].Message, b.r.Failed[k].At = d.message, d.place
			}
		}
		b.end(announced)
		section, cur, announced, docs = "", -1, false, nil
	}
	ended := false
	doc := false // the lines are those of the latest sentence
	for i, l := range out.lines {
		switch {
		case phpunitOpening.MatchString(l):
			finish()
			announced = true
			b.mark(i)
		case phpunitSection.MatchString(l):
			section, cur, doc = phpunitSection.FindStringSubmatch(l)[1], -1, false
			b.mark(i)
		case phpunitItem.MatchString(l) && (section == "error" || section == "failure"):
			cur = phpunitAdd(b, i, phpunitItem.FindStringSubmatch(l)[1])
		case phpunitEvent.MatchString(l): // with --debug, PHPUnit 10 and later print events alone
			m := phpunitEvent.FindStringSubmatch(l)
			if m[3] != "" {
				m[2] += ` with data set "` + m[3] + `"`
			}
			cur = b.add(i, m[1], m[2])
		case phpunitEnd.MatchString(l) || strings.HasPrefix(l, "PHPUnit Finished ("):
			b.mark(i)
			b.r.Count = sum(phpunitSum, l)
			ended = true
			finish()
		case l == "FAILURES!" || l == "ERRORS!" || l == "--":
			cur = -1
			if b.first >= 0 {
				b.mark(i)
			}
		case phpunitBroken.MatchString(l):
			b.mark(i)
		case phpunitDoc.MatchString(l):
			docs = append(docs, sentence{i: i, group: group, text: phpunitDoc.FindStringSubmatch(l)[1]})
			doc = true
			b.mark(i)
		case cur >= 0:
			x := &b.r.Failed[cur]
			switch m := phpunitPlace.FindStringSubmatch(l); {
			case m != nil:
				if x.At == "" && ownFile(m[1]) != "" {
					x.At = m[1] + ":" + m[2]
				}
			case x.Message == "" && strings.TrimSpace(l) != "":
				x.Message = strings.TrimSpace(l)
			}
			b.last = i
		case strings.HasPrefix(l, "   ") && doc:
			d := &docs[len(docs)-1]
			s := strings.TrimSpace(strings.TrimLeft(l, " │├┐┴┊"))
			if m := phpunitPlace.FindStringSubmatch(s); m != nil {
				if d.place == "" && ownFile(m[1]) != "" {
					d.place = m[1] + ":" + m[2]
				}
			} else if d.message == "" {
				d.message = s
			}
			b.last = i
		case l != "" && l[0] != ' ' && (i == 0 || strings.TrimSpace(out.lines[i-1]) == ""):
			if doc = false; section == "" {
				m := phpunitClass.FindStringSubmatch(strings.TrimSpace(l))
				if group = m[1]; m[2] != "" {
					group = m[2]
				}
			}
		}
	}
	if announced || ended { // other programs number their errors, too
		finish()
	}
	return b.reports
}

// phpunitAdd names the test of an item CLASS::METHOD, with its data set and without the data.
func phpunitAdd(b *builder, i int, text string) int {
	m := phpunitTest.FindStringSubmatch(text)
	if m == nil {
		return b.add(i, "", text)
	}
	name := m[2]
	if d := phpunitData.FindStringSubmatch(m[3]); d != nil {
		name += d[1]
	} else {
		name += m[3]
	}
	return b.add(i, m[1], name)
}

var (
	pestFailed = lazyregexp.New(`^\s+(?:FAILED|•)\s+(\S+) (?:>|›|→) (.+?)(?:\s{2,}\w+)?$`)
	pestAt     = lazyregexp.New(`^\s+(?:at|➜) ?(\S+\.php):(\d+)$`)
	pestFrame  = lazyregexp.New(`^\s+(?:\d+ +)?(?:at )?(\S+\.php):(\d+)$`)
	pestEnd    = lazyregexp.New(`^\s+Tests:\s+.*\bfailed\b`)
	pestMark   = lazyregexp.New(`^\s+(?:PASS|FAIL|WARN)  \S+$`)
)

// pest reads the reports of Pest and of Laravel's artisan test.
func pest(out *output) []Report {
	b := newBuilder(out)
	cur, announced := -1, false
	sure := strings.Contains(strings.Join(out.lines, "\n"), "  FAILED  ")
	for i, l := range out.lines {
		switch m := pestFailed.FindStringSubmatch(l); {
		case m != nil:
			cur = b.add(i, m[1], m[2])
		case pestMark.MatchString(l):
			announced = announced || b.first < 0
			b.mark(i)
			cur = -1
		case pestEnd.MatchString(l):
			b.mark(i)
			b.end(announced)
			cur, announced = -1, false
		case cur >= 0 && strings.TrimSpace(l) != "":
			x := &b.r.Failed[cur]
			if m := pestAt.FindStringSubmatch(l); m != nil && ownFile(m[1]) != "" {
				x.At = m[1] + ":" + m[2]
			} else if m := pestFrame.FindStringSubmatch(l); m != nil {
				if x.At == "" && ownFile(m[1]) != "" {
					x.At = m[1] + ":" + m[2]
				}
			} else if x.Message == "" {
				x.Message = strings.TrimSpace(l)
			}
			b.last = i
		}
	}
	if sure { // without that word, a bullet is anyone's
		b.end(announced)
	}
	return b.reports
}

var (
	codeceptionTest  = lazyregexp.New(`^ ?Test  (\S+?\.\w+)(?::(.+))?$`)
	codeceptionWhy   = lazyregexp.New(`^ ?Fail  (.+)$`)
	codeceptionError = lazyregexp.New(`^ *\[(\w[\w\\]*)\] (.+)$`)
	codeceptionFrame = lazyregexp.New(`^#\d+ +(\S+\.\w+):(\d+)$`)
)

// codeception reads the reports of Codeception, whose items name the file and the method in a line
// of their own.
func codeception(out *output) []Report {
	b := newBuilder(out)
	cur, announced := -1, false
	item := ""
	for i, l := range out.lines {
		switch m := codeceptionTest.FindStringSubmatch(l); {
		case m != nil && item != "":
			name := m[2]
			if name == "" {
				name = item
			}
			cur, item = b.add(i, m[1], name), ""
		case strings.HasPrefix(l, "Codeception PHP Testing Framework"):
			announced = announced || b.first < 0
			b.mark(i)
		case phpunitItem.MatchString(l):
			item, cur = phpunitItem.FindStringSubmatch(l)[1], -1
		case phpunitEnd.MatchString(l):
			b.mark(i)
			b.end(announced)
			cur, announced = -1, false
		case cur >= 0:
			x := &b.r.Failed[cur]
			if m := codeceptionWhy.FindStringSubmatch(l); m != nil && x.Message == "" {
				x.Message = m[1]
			} else if m := codeceptionError.FindStringSubmatch(l); m != nil && x.Message == "" {
				x.Message = m[1] + ": " + m[2]
			} else if m := codeceptionFrame.FindStringSubmatch(l); m != nil && x.At == "" && ownFile(m[1]) != "" {
				x.At = m[1] + ":" + m[2]
			}
			b.last = i
		}
	}
	b.end(announced)
	return b.reports
}

var (
	phpspecItem = lazyregexp.New(`^ +(\d+) +[✘!] (.+)$`)
	phpspecHead = lazyregexp.New(`^ {6,}(\S+)$`)
	phpspecEnd  = lazyregexp.New(`^\d+ examples? \(.*(?:failed|broken).*\)`)
)

// phpspec reads the reports of phpspec.
func phpspec(out *output) []Report {
	b := newBuilder(out)
	cur, class := -1, ""
	for i, l := range out.lines {
		switch m := phpspecItem.FindStringSubmatch(l); {
		case m != nil:
			cur = b.add(i, class, strings.TrimSpace(m[2]))
		case phpspecEnd.MatchString(l):
			b.mark(i)
			b.end(false)
			cur = -1
		case cur >= 0 && strings.HasPrefix(l, "      ") && b.r.Failed[cur].Message == "":
			b.r.Failed[cur].Message = strings.TrimSpace(l)
			b.last = i
		case phpspecHead.MatchString(l):
			class, cur = phpspecHead.FindStringSubmatch(l)[1], -1
		case l != "" && l[0] != ' ' && !strings.ContainsAny(l, " ."):
			class, cur = l, -1
		}
	}
	return b.reports // a mark alone is no report of phpspec's
}

var (
	behatItem = lazyregexp.New(`^    (\S+):(\d+)(?: \(on line \d+\))?$`)
	behatName = lazyregexp.New(`^\s*(?:\d+ )?(?:Scenario|Example)(?: Outline)?: (.+?)\s+# (\S+:\d+)$`)
	behatEnd  = lazyregexp.New(`^\d+ (?:scenarios?|steps?) \(`)
)

// behat reads the list of failed scenarios with which Behat ends. Their names are in what most of
// its formats print before.
func behat(out *output) []Report {
	b := newBuilder(out)
	names := map[string]string{}
	failed := false
	for i, l := range out.lines {
		switch m := behatName.FindStringSubmatch(l); {
		case m != nil:
			if len(names) < 10_000 {
				names[m[2]] = m[1]
			}
		case l == "--- Failed scenarios:":
			failed = true
			b.mark(i)
		case failed && behatItem.MatchString(l):
			m := behatItem.FindStringSubmatch(l)
			at := m[1] + ":" + m[2]
			name := names[at]
			if name == "" {
				name = at
			}
			b.r.Failed[b.add(i, m[1], name)].At = at
		case behatEnd.MatchString(l):
			failed = false
			if b.first >= 0 {
				b.mark(i)
			}
		}
	}
	b.end(false)
	return b.reports
}

package testrun

import (
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

// shellRunners are those of shells, Perl, Lua and R that print no TAP.
var shellRunners = []runner{
	{"prove", []string{"Test Summary Report", "#   Failed test", "Result: FAIL"}, prove},
	{"Bats", []string{" ✗ "}, batsPretty},
	{"shUnit2", []string{"ASSERT:"}, shunit},
	{"ShellSpec", []string{"\nshellspec ", ":FAILED:"}, shellspec},
	{"Busted", []string{"[  FAILED  ] ", "[  ERROR   ] ", "\nFailure → ", "\nError → ", "\nFailure -> ", "\nError -> "},
		busted},
	{"testthat", []string{"Failure (", "Error (", "[ FAIL "}, testthat},
}

var (
	perlTest    = lazyregexp.New(`^(\s*)#\s+Failed test(?: '(.*)'| "(.*)")?(?: at (\S+) line (\d+)\.?)?$`)
	perlPlace   = lazyregexp.New(`^\s*#\s+(?:in .* )?at (\S+) line (\d+)\.?$`)
	perlFigure  = lazyregexp.New(`^\s*#\s+(\S.*)$`)
	perlLooks   = lazyregexp.New(`^\s*# Looks like `)
	perlDied    = lazyregexp.New(`^(.+) at (\S+) line (\d+)(?:\.|, .*)$`)
	proveFile   = lazyregexp.New(`^(?:\[[\d:]+\] )?(\S+) \.{2,} *(.*)$`)
	proveResult = lazyregexp.New(`^(\S+)\s+\(Wstat: (\d+)(?: \(.*\))? Tests: (\d+) Failed: (\d+)\)$`)
	proveEnd    = lazyregexp.New(`^(?:Result: FAIL|FAILED--.*)$`)
)

// prove reads the reports of Perl's prove and of Test::More that it lets through. Without -v a
// test's name is in what the test itself prints to standard error, the numbers in prove's summary.
func prove(out *output) []Report {
	b := newBuilder(out)
	named := map[string]bool{} // files that have a failed test by name
	reason := map[string]string{}
	cur, indent := -1, 0
	var died, diedFile string
	inner := map[string]bool{} // tests that have failed subtests: their files and names
	var inside []int           // failed subtests whose parent has not been told yet
	file := ""                 // of the result in the summary
	// With -v, the points of each file, for files that say nothing in Perl's form.
	type point struct {
		i    int
		name string
	}
	points, listing := map[string][]point{}, ""
	for i, l := range out.lines {
		t := strings.TrimSpace(l)
		if m := perlTest.FindStringSubmatch(l); m != nil {
			if i > 0 && tapWaived.MatchString(out.lines[i-1]) && tapNotOK.MatchString(out.lines[i-1]) {
				continue
			}
			name := m[2] + m[3]
			if name == "" {
				name = "test without a name"
				if m[4] != "" {
					name += " at line " + m[5]
				}
			}
			// Its place, which is its file's name too, is in the next line.
			in, at := "", ""
			if m[4] != "" {
				in, at = m[4], m[4]+":"+m[5]
			} else if i+1 < len(out.lines) {
				if p := perlPlace.FindStringSubmatch(out.lines[i+1]); p != nil {
					in, at = p[1], p[1]+":"+p[2]
				}
			}
			cur = b.add(i, in, name)
			b.r.Failed[cur].At = at
			named[in] = true
			if indent = len(m[1]); indent > 0 {
				inside = append(inside, cur)
			} else if len(inside) > 0 {
				for _, k := range inside {
					if b.r.Failed[k].Suite == in {
						inner[in+"\x00"+name] = true
						b.r.Failed[k].Suite += " " + name
					}
				}
				inside = nil
			}
			continue
		}
		switch m := proveResult.FindStringSubmatch(l); {
		case m != nil:
			cur, file = -1, m[1]
			b.mark(i)
			for _, p := range points[file] {
				if !named[file] {
					b.add(p.i, file, p.name)
				}
			}
			if !named[file] && len(points[file]) == 0 && (m[2] != "0" || m[4] != "0") {
				k := b.add(i, "", file)
				b.r.Failed[k].Message = reason[file]
			}
		case file != "" && strings.HasPrefix(t, "Failed test"):
			b.mark(i)
			if k, ok := b.index[[2]string{"", file}]; ok && b.r.Failed[k].Message == "" {
				b.r.Failed[k].Message = t
			}
		case file != "" && (strings.HasPrefix(t, "Non-zero exit status: ") || strings.HasPrefix(t, "Parse errors: ")):
			b.mark(i)
			if k, ok := b.index[[2]string{"", file}]; ok && b.r.Failed[k].Message == "" && strings.HasPrefix(t, "Parse") {
				b.r.Failed[k].Message = t
			}
		case strings.HasPrefix(l, "Files="):
			b.mark(i)
		case proveEnd.MatchString(l):
			b.mark(i)
			b.prune(inner)
			b.end(false)
			named, reason, inner, inside = map[string]bool{}, map[string]string{}, map[string]bool{}, nil
			cur, file, died, listing, points = -1, "", "", "", map[string][]point{}
		case perlLooks.MatchString(l):
			cur = -1
			if strings.Contains(l, "Looks like your test exited") && diedFile != "" && len(reason) < 1000 {
				reason[diedFile] = died
			}
			b.last = max(b.last, i)
		case perlPlace.MatchString(l):
		case cur >= 0 && perlFigure.MatchString(l):
			x := &b.r.Failed[cur]
			s := perlWhy(perlFigure.FindStringSubmatch(l)[1])
			switch {
			case s == "":
			case x.Message == "":
				x.Message = s
			case strings.HasPrefix(x.Message, "got: ") && strings.HasPrefix(s, "expected: "):
				x.Message += ", " + s
			}
			b.last = i
		case proveFile.MatchString(l):
			cur, listing = -1, proveFile.FindStringSubmatch(l)[1]
			if b.first >= 0 {
				b.last = i
			}
		case tapNotOK.MatchString(l) && listing != "":
			if m := tapNotOK.FindStringSubmatch(l); m[1] == "" && m[2] != "" && !tapWaived.MatchString(m[3]) {
				points[listing] = append(points[listing], point{i, tapName(m[3], m[2])})
			}
		default:
			if p := perlDied.FindStringSubmatch(l); p != nil && ownFile(p[2]) != "" {
				died, diedFile = t, p[2]
			}
		}
	}
	b.prune(inner)
	b.end(false)
	return b.reports
}

// perlWhy is what a line behind a failed test says, "" for rules, the heads of tables and methods.
func perlWhy(s string) string {
	switch {
	case strings.HasPrefix(s, "+-"), strings.HasPrefix(s, "(in "),
		strings.HasPrefix(s, "| GOT "), strings.HasPrefix(s, "| PATH "):
		return ""
	case strings.HasPrefix(s, "| "): // a row of Test2's table: what it got, the operator, what it wanted
		return strings.Join(strings.Fields(strings.Trim(s, "|")), " ")
	}
	return s
}

// prune takes out the tests that failed only as their subtests did.
func (b *builder) prune(inner map[string]bool) {
	if len(inner) == 0 {
		return
	}
	list := b.r.Failed[:0]
	for _, t := range b.r.Failed {
		if !inner[t.Suite+"\x00"+t.Name] {
			list = append(list, t)
		}
	}
	b.r.Failed = list
}

var (
	batsFailed = lazyregexp.New(`✗ (.+?)(?: \[\d+\])?$`)
	batsEnd    = lazyregexp.New(`^\d+ tests?, \d+ failures?`)
)

// batsPretty reads the reports of Bats' formatter pretty; the others are TAP or JUnit's.
func batsPretty(out *output) []Report {
	b := newBuilder(out)
	for i, l := range out.lines {
		switch m := batsFailed.FindStringSubmatch(l); {
		case m != nil && i+1 < len(out.lines):
			next := strings.TrimSpace(out.lines[i+1])
			if !strings.HasPrefix(next, "(in test file ") && !strings.HasPrefix(next, "(from function ") {
				break
			}
			x := &b.r.Failed[b.add(i, "", m[1])]
			for _, why := range out.lines[i+1 : min(len(out.lines), i+5)] {
				if at := tapBatsAt.FindStringSubmatch(why); at != nil {
					x.Suite, x.At = at[1], at[1]+":"+at[2]
				} else if s := strings.TrimSpace(why); strings.HasPrefix(s, "`") {
					x.Message = s
					break
				}
			}
		case batsEnd.MatchString(l):
			b.mark(i)
			b.end(false)
		}
	}
	b.end(false)
	return b.reports
}

var (
	shunitName = lazyregexp.New(`^(test\w*|\w*[tT]est)$`)
	shunitEnd  = lazyregexp.New(`^FAILED \((?:failures|errors)=`)
)

// shunit reads the reports of shUnit2.
func shunit(out *output) []Report {
	b := newBuilder(out)
	name := ""
	for i, l := range out.lines {
		switch {
		case shunitName.MatchString(l):
			if name = l; b.first < 0 {
				b.mark(i)
			}
		case strings.HasPrefix(l, "ASSERT:") && name != "":
			if x := &b.r.Failed[b.add(i, "", name)]; x.Message == "" {
				x.Message = strings.TrimPrefix(l, "ASSERT:")
			}
		case shunitEnd.MatchString(l):
			b.mark(i)
			b.end(true)
			name = ""
		}
	}
	b.end(true)
	return b.reports
}

var (
	shellspecFailed = lazyregexp.New(`^shellspec (\S+?):(\d+)\S* # (?:\d+\) )?(.+?) (?:FAILED|ERROR|FIXED)\b.*$`)
	shellspecShort  = lazyregexp.New(`^(?:\./)?(\S+?):(\d+):(?:FAILED|ERROR):(.+)$`)
	shellspecItem   = lazyregexp.New(`^  \d+\) (.+)$`)
	shellspecWhy    = lazyregexp.New(`^     \d+\.\d+\) (.+)$`)
	shellspecEnd    = lazyregexp.New(`^\d+ examples?, \d+ failures?`)
)

// shellspec reads the reports of ShellSpec.
func shellspec(out *output) []Report {
	b := newBuilder(out)
	why := map[string]string{}
	item, announced := "", false
	for i, l := range out.lines {
		switch m := shellspecFailed.FindStringSubmatch(l); {
		case m != nil:
			x := &b.r.Failed[b.add(i, m[1], strings.TrimSpace(m[3]))]
			x.At, x.Message = m[1]+":"+m[2], why[x.Name]
		case shellspecShort.MatchString(l): // the formatter failures
			m := shellspecShort.FindStringSubmatch(l)
			b.r.Failed[b.add(i, m[1], strings.TrimSpace(m[3]))].At = m[1] + ":" + m[2]
		case strings.HasPrefix(l, "Running: ") && b.first < 0:
			b.mark(i)
			announced = true
		case shellspecItem.MatchString(l):
			item = strings.TrimSpace(shellspecItem.FindStringSubmatch(l)[1])
		case shellspecWhy.MatchString(l):
			if w := shellspecWhy.FindStringSubmatch(l); why[item] == "" && len(why) < 1000 {
				why[item] = w[1]
			}
		case shellspecEnd.MatchString(l):
			b.mark(i)
		}
	}
	b.end(announced)
	return b.reports
}

var (
	bustedFailed = lazyregexp.New(`^(?:Failure|Error) (?:→|->) (\S+) @ (\d+)$`)
	bustedGtest  = lazyregexp.New(`^\[  (?:FAILED|ERROR) +\] (\S+) @ (\d+): (.+?)(?: \([\d.]+ ms\))?$`)
	bustedEnd    = lazyregexp.New(`^\d+ success(?:es)? / \d+ failures? / \d+ errors?`)
)

// busted reads the reports of Busted, where the counts come before the failures.
func busted(out *output) []Report {
	b := newBuilder(out)
	cur, place := -1, []string(nil)
	for i, l := range out.lines {
		switch m := bustedFailed.FindStringSubmatch(l); {
		case m != nil:
			place, cur = m, -1
		case place != nil:
			if strings.TrimSpace(l) == "" {
				break
			}
			cur = b.add(i, place[1], strings.TrimSpace(l))
			b.r.Failed[cur].At = place[1] + ":" + place[2]
			place = nil
		case bustedGtest.MatchString(l): // the output handler gtest
			m := bustedGtest.FindStringSubmatch(l)
			b.r.Failed[b.add(i, m[1], m[3])].At = m[1] + ":" + m[2]
		case bustedEnd.MatchString(l):
			b.mark(i)
		case strings.TrimSpace(l) == "":
			cur = -1
		case cur >= 0:
			x := &b.r.Failed[cur]
			if x.Message == "" {
				x.Message = strings.TrimPrefix(strings.TrimSpace(l), x.Suite+":")
				if at := framePlace.FindString(l); at != "" && strings.HasPrefix(l, at) {
					x.At, x.Message = at, strings.TrimSpace(strings.TrimPrefix(l[len(at):], ":"))
				}
			}
			b.last = i
		}
	}
	b.end(false)
	return b.reports
}

var (
	testthatFailed = lazyregexp.New(`^(── )?(?:\d+\. )?(?:Failure|Error) \('?([^):']+)(?::(\d+))?[^)]*\): (.+?) ?─*$`)
	testthatEnd    = lazyregexp.New(`^(?:\[ FAIL [1-9]\d* \| WARN \d+ \| SKIP \d+ \| PASS \d+ \]|══ DONE ═+)$`)
)

// testthat reads the reports of R's testthat.
func testthat(out *output) []Report {
	b := newBuilder(out)
	cur := -1
	// The reporter progress draws no line in front of a failure, but ends with the counts.
	counted := slices.ContainsFunc(out.lines, testthatEnd.MatchString)
	for i, l := range out.lines {
		switch m := testthatFailed.FindStringSubmatch(l); {
		case m != nil && (m[1] != "" || counted):
			file := strings.TrimPrefix(m[2], "???") // which stands for a file that is not known
			cur = b.add(i, file, m[4])
			if m[3] != "" {
				b.r.Failed[cur].At = file + ":" + m[3]
			}
		case testthatEnd.MatchString(l):
			b.mark(i)
			cur = -1
		case cur >= 0 && strings.TrimSpace(l) != "":
			if x := &b.r.Failed[cur]; x.Message == "" {
				x.Message = strings.TrimSpace(l)
			}
			b.last = i
		}
	}
	b.end(false)
	return b.reports
}

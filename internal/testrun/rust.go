package testrun

import (
	"encoding/json"
	"strings"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

// rustRunners are those of Rust.
var rustRunners = []runner{
	{"cargo nextest", []string{" tests run: ", " test run: "}, nextest},
	{"cargo test", []string{"test result: FAILED", "... FAILED", "error: test failed", "error: doctest failed",
		`"event": "failed"`, `"event":"failed"`}, cargoTest},
}

var (
	rustTarget = lazyregexp.New(`^\s+(?:Running (?:unittests )?(\S+)(?: \(\S+\))?|Doc-tests (\S+))$`)
	rustLine   = lazyregexp.New(`^test (.+?) \.\.\. FAILED(?: .*)?$`)
	rustHead   = lazyregexp.New(`^---- (.+?) (?:stdout|stderr) ----$`)
	rustPanic  = lazyregexp.New(`^\s*thread '(.+?)'(?: \(\d+\))? panicked at (?:'(.*)', )?(\S+?:\d+)(?::\d+)?:?$`)
	rustOld    = lazyregexp.New(`^\s*thread '(.+?)' panicked at '(.*)$`)
	rustOldEnd = lazyregexp.New(`^(.*)', (\S+:\d+):\d+$`)
	rustStack  = lazyregexp.New(`^\s*thread '(.+?)'(?: \(\d+\))? has overflowed its stack`)
	rustResult = lazyregexp.New(`^test result: (ok|FAILED)\. `)
	rustExit   = lazyregexp.New(`^\s+process didn't exit successfully: .*\((.*)\)$`)
)

// rustWhy is why a test failed, and where.
type rustWhy struct{ message, at string }

// rustPanics reads the panics in lines, by the thread's name, which is the test's. The first of
// each counts.
func rustPanics(lines []string, into map[string]rustWhy) {
	for i, l := range lines {
		if !strings.Contains(l, "thread '") {
			continue
		}
		w, name := rustWhy{}, ""
		if m := rustPanic.FindStringSubmatch(l); m != nil {
			name, w.at = m[1], m[3]
			if w.message = m[2]; w.message == "" {
				indent := l[:len(l)-len(strings.TrimLeft(l, " "))]
				w.message = strings.Join(upTo(lines[i+1:], 6, func(s string) bool {
					s = strings.TrimPrefix(s, indent)
					return strings.TrimSpace(s) == "" || strings.HasPrefix(s, "note: ") || strings.HasPrefix(s, "stack backtrace:") ||
						strings.HasPrefix(s, "test ") && strings.Contains(s, " ... ")
				}), " ")
			}
		} else if m := rustStack.FindStringSubmatch(l); m != nil {
			name, w.message = m[1], "stack overflow"
		} else if m := rustOld.FindStringSubmatch(l); m != nil { // before 1.73, of several lines
			name, w.message = m[1], m[2]
			for _, s := range lines[i+1 : min(len(lines), i+8)] {
				if e := rustOldEnd.FindStringSubmatch(s); e != nil {
					w.message, w.at = w.message+" "+e[1], e[2]
					break
				}
				w.message += " " + s
			}
		}
		if _, known := into[name]; name != "" && !known {
			into[name] = w
		}
	}
}

// cargoTest reads what Rust's own test harness prints, for one target after the other.
func cargoTest(out *output) []Report {
	if r := rustJSON(out); r != nil {
		return r
	}
	var r Report
	target, doc := "", false
	start := -1 // of the target's run
	end := func(stop int) {
		if start < 0 {
			return
		}
		list := rustTargetRun(out, start, stop, target)
		r.Failed = append(r.Failed, list...)
		start = -1
	}
	for i, l := range out.lines {
		if m := rustTarget.FindStringSubmatch(l); m != nil && (m[2] != "" || strings.Contains(m[1], ".rs")) {
			end(i)
			if target, doc = m[1], m[2] != ""; doc {
				target = m[2]
			}
			continue
		}
		switch {
		case strings.HasPrefix(l, "running ") && (strings.HasSuffix(l, " tests") || strings.HasSuffix(l, " test")):
			if start < 0 {
				start = i
			}
			if r.First == 0 {
				r.First = out.n[i]
			}
		case rustResult.MatchString(l), strings.HasPrefix(l, "error: test failed, "), strings.HasPrefix(l, "error: doctest failed, "):
			if r.First == 0 {
				r.First = out.n[i]
			}
			r.Last = out.n[i]
		case start >= 0 && rustExit.MatchString(l):
			r.Last = out.n[i]
		}
	}
	end(len(out.lines))
	if len(r.Failed) == 0 {
		return nil
	}
	for _, t := range r.Failed {
		r.Last = max(r.Last, t.Line)
	}
	return []Report{r}
}

// rustTargetRun names what failed in the lines of one target's run. The list at its end is the
// harness's own word; lines above it may be what tests print.
func rustTargetRun(out *output, start, stop int, target string) []codebuild.TestCase {
	var listed, said []codebuild.TestCase
	why := map[string]rustWhy{}
	heads := map[string]int{}
	in := false
	exit, exitAt := "", 0
	for i := start; i < stop; i++ {
		l := out.lines[i]
		switch {
		case l == "failures:":
			in, listed = true, nil // the last such list counts
		case in && strings.HasPrefix(l, "    "):
			listed = append(listed, codebuild.TestCase{Name: strings.TrimSpace(l), Line: out.n[i]})
		case in && l != "":
			in = false
		}
		if m := rustLine.FindStringSubmatch(l); m != nil {
			said = append(said, codebuild.TestCase{Name: strings.TrimSuffix(m[1], " - should panic"), Line: out.n[i]})
		} else if m := rustHead.FindStringSubmatch(l); m != nil {
			heads[m[1]] = i
		} else if m := rustExit.FindStringSubmatch(l); m != nil {
			exit, exitAt = m[1], out.n[i]
		}
	}
	rustPanics(out.lines[start:stop], why)
	lines := map[string]int{}
	for _, t := range said {
		lines[t.Name] = t.Line
	}
	list := listed
	if len(list) == 0 {
		list = said
	}
	for i := range list {
		t := &list[i]
		t.Suite = target
		if n, ok := lines[t.Name]; ok {
			t.Line = n
		}
		if w, ok := why[t.Name]; ok {
			t.Message, t.At = w.message, w.at
		}
		k, ok := heads[t.Name]
		if !ok || t.Message != "" {
			continue
		}
		body := upTo(out.lines[k+1:stop], 60, func(s string) bool { return rustHead.MatchString(s) || s == "failures:" })
		own := map[string]rustWhy{}
		rustPanics(body, own) // a doc test's thread is main
		for _, w := range own {
			if t.At == "" || w.at < t.At {
				t.Message, t.At = w.message, w.at
			}
		}
		for _, s := range body {
			if rest, ok := strings.CutPrefix(s, "note: test did not panic as expected"); ok && t.Message == "" {
				t.Message, t.At = "test did not panic as expected", strings.TrimPrefix(rest, " at ")
			} else if s != "" && t.Message == "" && (strings.HasPrefix(s, "Error: ") || strings.HasPrefix(s, "error")) {
				t.Message = s
			}
		}
	}
	if len(list) == 0 && exit != "" && !strings.HasPrefix(exit, "exit status: 101") {
		t := codebuild.TestCase{Name: target, Message: exit, Line: exitAt}
		for name, w := range why {
			if name != "main" && w.message == "stack overflow" {
				t.Suite, t.Name, t.Message = target, name, w.message
			}
		}
		list = append(list, t)
	}
	return list
}

// rustJSON reads the harness's events (--format json).
func rustJSON(out *output) []Report {
	var r Report
	for i, l := range out.lines {
		if !strings.HasPrefix(l, "{") || !strings.Contains(l, `"event"`) {
			continue
		}
		var e struct{ Type, Event, Name, Stdout string }
		if json.Unmarshal([]byte(l), &e) != nil || e.Type != "test" && e.Type != "suite" {
			continue
		}
		if r.First == 0 {
			r.First = out.n[i]
		}
		r.Last = out.n[i]
		if e.Type != "test" || e.Event != "failed" && e.Event != "timeout" {
			continue
		}
		t := codebuild.TestCase{Name: e.Name, Line: out.n[i]}
		if _, name, ok := strings.Cut(e.Name, "$"); ok { // nextest's libtest-json
			t.Suite, t.Name, _ = strings.Cut(e.Name, "$")
			t.Name = name
		}
		why := map[string]rustWhy{}
		rustPanics(strings.Split(e.Stdout, "\n"), why)
		if w, ok := why[t.Name]; ok {
			t.Message, t.At = w.message, w.at
		}
		r.Failed = append(r.Failed, t)
	}
	if len(r.Failed) == 0 {
		return nil
	}
	return []Report{r}
}

var (
	nextestLine = lazyregexp.New(`^\s*(?:TRY \d+ )?(FAIL|FAIL \+ LEAK|LEAK-FAIL|SIG\w+|SIGNAL|ABORT|TIMEOUT|EXECFAIL|` +
		`XFAIL|FLKY-FL|TERMINATING)` +
		` \[ *>?[\d.]+s?\] +(?:\( *\d+/\d+\) +)?(\S+) (.+)$`)
	nextestEnd   = lazyregexp.New(`^\s*Summary \[ *[\d.]+s\] `)
	nextestStart = lazyregexp.New(`^\s*Starting \d+ tests? across `)
)

// nextest reads what cargo-nextest prints. A test that passed at a later try is not in its list.
func nextest(out *output) []Report {
	var all []Report
	var r Report
	var early, listed []codebuild.TestCase
	said := map[string]string{} // why, of those that did not panic
	first, ended, last := 0, false, ""
	end := func(stop int) {
		list := listed
		if len(list) == 0 && !ended {
			list = early
		}
		if len(list) > 0 {
			why := map[string]rustWhy{}
			rustPanics(out.lines[first:stop], why)
			for i := range list {
				if w, ok := why[list[i].Name]; ok {
					list[i].Message, list[i].At = w.message, w.at
				} else if list[i].Message == "" {
					list[i].Message = said[list[i].Name]
				}
			}
			r.Failed = list
			all = append(all, r)
		}
		r, early, listed, ended = Report{}, nil, nil, false
	}
	for i, l := range out.lines {
		switch {
		case nextestStart.MatchString(l):
			if r.First != 0 {
				end(i)
			}
			r.First, first = out.n[i], i
		case nextestEnd.MatchString(l):
			ended = true
			if r.First == 0 {
				r.First = out.n[i]
			}
			r.Last = out.n[i]
		case ended && strings.HasPrefix(l, "error: test run failed"):
			r.Last = out.n[i]
		default:
			m := nextestLine.FindStringSubmatch(l)
			if m == nil || m[1] == "TERMINATING" {
				t := strings.TrimPrefix(strings.TrimSpace(l), "note: ")
				if strings.HasPrefix(t, "Error: ") || strings.HasPrefix(t, "test did not panic") {
					said[last] = t
				}
				continue
			}
			last = m[3]
			if r.First == 0 {
				r.First, first = out.n[i], i
			}
			r.Last = out.n[i]
			t := codebuild.TestCase{Suite: m[2], Name: m[3], Line: out.n[i]}
			if m[1] != "FAIL" {
				t.Message = m[1]
			}
			if ended {
				listed = append(listed, t)
			} else {
				early = append(early, t)
			}
		}
	}
	end(len(out.lines))
	return all
}

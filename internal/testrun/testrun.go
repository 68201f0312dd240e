// Package testrun reads the reports of test runners in the output of a failed command: which tests
// failed, by name, and from which line to which a runner speaks.
//
// What stands in a report is the test's: a text that a test prints, expects or received is no
// failure of the build itself, whatever it says.
//
// The runners are in files by the language of what they test. Each has a reader, which knows the
// form of its reports and nothing of the others.
package testrun

import (
	"cmp"
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
)

// A Report is what one runner printed about one run in which tests failed.
type Report struct {
	Runner string // "pytest"
	// First and Last are the numbers of the log's lines that the report begins and ends with.
	First, Last int
	// Failed are the failed tests in the order of the report, each once. Empty if the report says
	// that tests failed and names none.
	Failed []codebuild.TestCase
	// Count is how many failed as the runner counts them; 0 if it does not say.
	Count int
}

// A runner is a program whose reports are read.
type runner struct {
	name string
	// marks are texts, one of which every report with a failed test has: without any, read is not
	// called.
	marks []string
	// read returns the reports in the output. It leaves Runner empty.
	read func(*output) []Report
}

// runners are tried in this order. What an earlier one has read is not read again by a later one.
var runners = slices.Concat(otherRunners, pythonRunners, rubyRunners, phpRunners, shellRunners, jsRunners, formatRunners,
	goRunners, jvmRunners, jvmMore, rustRunners, cppRunners, dotnetRunners, appleRunners, tapRunners)

// output is what one process printed.
type output struct {
	lines []string // without escape sequences, and without what tools put in front of each line
	n     []int    // their numbers in the log
	gaps  []int    // the numbers of lines in front of which some are missing, in order
}

// cut returns the index of the first line from the one behind lines[from], before lines[to], in
// front of which lines are missing; to if there is none.
func (out *output) cut(from, to int) int {
	if from < 0 || from >= len(out.n) {
		return to
	}
	k, found := slices.BinarySearch(out.gaps, out.n[from])
	if found {
		k++
	}
	if k == len(out.gaps) {
		return to
	}
	i, _ := slices.BinarySearch(out.n, out.gaps[k])
	return min(i, to)
}

// Read returns the reports of all runs in which tests failed, in the order of the lines. lines are
// those of the failed command's output; some on the way may be missing.
func Read(lines []buildlog.Line) []Report {
	var all []Report
	for _, out := range split(lines) {
		text := strings.Join(out.lines, "\n")
		var own []Report
		for i := range runners {
			r := &runners[i]
			if !slices.ContainsFunc(r.marks, func(s string) bool { return strings.Contains(text, s) }) {
				continue
			}
			for _, rep := range r.reports(&out) {
				rep.Runner = r.name
				if rep := bounded(rep); fit(own, &rep) {
					own = append(own, rep)
				}
			}
		}
		all = append(all, own...)
	}
	slices.SortStableFunc(all, func(a, b Report) int { return cmp.Compare(a.First, b.First) })
	return all
}

// strict lets a reader's panic through; tests set it.
var strict bool

// reports reads the runner's reports. A reader that fails on a text has read nothing in it: what
// the build failed of must be told, whatever a test printed.
func (r *runner) reports(out *output) (list []Report) {
	defer func() {
		if !strict && recover() != nil {
			list = nil
		}
	}()
	return r.read(out)
}

// fit reports whether a report is another one than those that were read already. Some runners do
// not announce their reports, which then reach back as far as they can: the parts of two that do
// not have their tests are cut where they meet.
func fit(own []Report, rep *Report) bool {
	for i := range own {
		o := &own[i]
		if o.First > rep.Last || rep.First > o.Last {
			continue
		}
		oFirst, first := o.tests(), rep.tests()
		switch {
		case first > o.Last && rep.Last > o.Last:
			rep.First = o.Last + 1
		case oFirst > rep.Last && o.Last > rep.Last:
			rep.First, o.First = min(rep.First, o.First), rep.Last+1
		default:
			return false
		}
	}
	return true
}

// tests is the first line that names a failed test, 0 if none does.
func (r *Report) tests() int {
	first := 0
	for _, t := range r.Failed {
		if first == 0 || t.Line < first {
			first = t.Line
		}
	}
	return first
}

// Bounds of a test's texts, in bytes.
const (
	maxName    = 300
	maxMessage = 400
)

func bounded(r Report) Report {
	seen := map[[2]string]bool{}
	var list []codebuild.TestCase
	for _, t := range r.Failed {
		t.Suite, t.Name = clip(t.Suite, maxName), clip(t.Name, maxName)
		t.Message, t.At = clip(t.Message, maxMessage), clip(t.At, maxName)
		if key := [2]string{t.Suite, t.Name}; t.Name != "" && !seen[key] {
			seen[key] = true
			list = append(list, t)
		}
	}
	r.Failed = list
	return r
}

// clip makes one line of a text, and cuts it.
func clip(s string, size int) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > size {
		s = strings.TrimRight(codebuild.Cut(s, size), " ") + "…"
	}
	return s
}

package diagnose_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/diagnose"
)

const logsDir = "../../testdata/logs"

var updateKnown = flag.Bool("known", false, "write known.txt anew")

// A wholeLog is one file of testdata/logs: a log as CodeBuild writes it, the build's record, and
// what is right about it.
type wholeLog struct {
	name     string
	causes   []string          // any of them is right; one may be a pattern, as path.Match takes it
	shows    []string          // what the excerpt must hold
	remedies []diagnose.Remedy // any of them is right
	denied   []string          // "ACTION RESOURCE" that failed the build
	never    []string          // actions that must never be granted
	cannot   map[string]string // crossings, or a beginning with a star, whose verdict cannot be told; and why
	build    codebuild.Build
	text     string
}

func readWholeLog(file string) (w wholeLog, err error) {
	a, err := txtar.ParseFile(file)
	if err != nil {
		return w, err
	}
	w.name = strings.TrimSuffix(filepath.Base(file), ".txtar")
	w.cannot = map[string]string{}
	for line := range strings.Lines(string(a.Comment)) {
		key, value, found := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		switch {
		case !found: // the text
		case key == "cause":
			w.causes = strings.Split(value, "|")
		case key == "shows":
			w.shows = append(w.shows, value)
		case key == "remedy":
			for r := range strings.SplitSeq(value, "|") {
				w.remedies = append(w.remedies, diagnose.Remedy(r))
			}
		case key == "denied":
			w.denied = append(w.denied, value)
		case key == "never":
			w.never = append(w.never, value)
		case key == "cannot":
			crossing, reason, _ := strings.Cut(value, " = ")
			w.cannot[crossing] = reason
		}
	}
	for _, f := range a.Files {
		switch f.Name {
		case "build.json":
			if w.build, err = codebuild.Decode(f.Data); err != nil {
				return w, err
			}
		case "log":
			w.text = string(f.Data)
		}
	}
	if len(w.causes) == 0 || len(w.shows) == 0 || len(w.remedies) == 0 || w.text == "" {
		return w, fmt.Errorf("it wants cause, shows and remedy, a build.json and a log")
	}
	for _, r := range w.remedies {
		if !slices.Contains(diagnose.Remedies, r) {
			return w, fmt.Errorf("there is no remedy %q", r)
		}
	}
	if !slices.ContainsFunc(diagnose.Causes(), func(c diagnose.Cause) bool { return w.hasCause(c.Name) }) {
		return w, fmt.Errorf("there is no cause %s", strings.Join(w.causes, " or "))
	}
	return w, nil
}

func (w wholeLog) hasCause(name string) bool {
	return slices.ContainsFunc(w.causes, func(p string) bool { ok, _ := path.Match(p, name); return ok })
}

func (w wholeLog) cannotTell(crossing string) bool {
	for name := range w.cannot {
		begin, starred := strings.CutSuffix(name, "*")
		if name == crossing || starred && strings.HasPrefix(crossing, begin) {
			return true
		}
	}
	return false
}

// wrong lists what is wrong about d: "cause", "excerpt", "remedy", "denial", "harmful".
func (w wholeLog) wrong(d diagnose.Diagnosis) []string {
	var list []string
	if !w.hasCause(d.Cause) {
		list = append(list, "cause")
	}
	if !w.shown(d) {
		list = append(list, "excerpt")
	}
	if !slices.Contains(w.remedies, d.Remedy) {
		list = append(list, "remedy")
	}
	causal := causalOf(d)
	if slices.ContainsFunc(w.denied, func(x string) bool { return !slices.Contains(causal, x) }) {
		list = append(list, "denial")
	}
	if w.harmful(d) {
		list = append(list, "harmful")
	}
	return list
}

// shown reports whether the excerpt holds every line that decides. Forms of copying escape
// quotation marks and break lines, so these do not count.
func (w wholeLog) shown(d diagnose.Diagnosis) bool {
	bare := func(s string) string { return strings.Join(strings.Fields(strings.ReplaceAll(s, `\`, "")), "") }
	var b strings.Builder
	for _, l := range d.Excerpt {
		b.WriteString(bare(l.Text))
	}
	text := b.String()
	return !slices.ContainsFunc(w.shows, func(s string) bool { return !strings.Contains(text, bare(s)) })
}

// harmful reports whether d would change or start something that cannot help.
func (w wholeLog) harmful(d diagnose.Diagnosis) bool {
	if d.Remedy == diagnose.Report || d.Remedy == diagnose.Ignore {
		return false
	}
	if !slices.Contains(w.remedies, d.Remedy) {
		return true
	}
	return d.Remedy == diagnose.Grant && slices.ContainsFunc(d.Denials, func(x buildlog.Denial) bool {
		return x.Causal && slices.Contains(w.never, x.Action)
	})
}

func causalOf(d diagnose.Diagnosis) []string {
	var list []string
	for _, x := range d.Denials {
		if x.Causal {
			list = append(list, strings.TrimSpace(x.Action+" "+x.Resource))
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func wholeLogs(t *testing.T) []wholeLog {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(logsDir, "*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	var list []wholeLog
	for _, file := range files {
		w, err := readWholeLog(file)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		list = append(list, w)
	}
	return list
}

// knownFaults reads testdata/logs/known.txt: a log a line, then what is wrong about it.
func knownFaults(t *testing.T) map[string]map[string]bool {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(logsDir, "known.txt"))
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]map[string]bool{}
	for line := range strings.Lines(string(data)) {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		name, faults, _ := strings.Cut(line, ": ")
		known[name] = map[string]bool{}
		for f := range strings.SplitSeq(faults, "; ") {
			known[name][f] = true
		}
	}
	return known
}

func writeKnown(t *testing.T, lines []string) {
	t.Helper()
	text := "# What is still wrong about the logs of this folder: a log a line, then the parts of its verdict and the\n" +
		"# crossings that change it. go test ./internal/diagnose -run WholeLogs -known writes it anew.\n"
	if len(lines) > 0 {
		text += strings.Join(lines, "\n") + "\n"
	}
	if err := os.WriteFile(filepath.Join(logsDir, "known.txt"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestWholeLogs ensures that every log of testdata/logs is diagnosed as it says, that its excerpt
// holds the deciding lines, and that none of this changes in any crossing: what later phases,
// survived denials and finally blocks print, and the form in which a log was copied, are not why
// the build failed.
//
// known.txt lists what is wrong today, and must be exact.
func TestWholeLogs(t *testing.T) {
	logs, known := wholeLogs(t), knownFaults(t)
	count := map[string]int{}
	var crossed, changed, untold int
	rows := map[string]*crossingRow{}
	var now []string
	verdicts := crossAll(t, logs)
	for _, w := range logs {
		d := verdicts[w.name][""]
		faults := w.wrong(d)
		for _, f := range faults {
			count[f]++
		}
		if len(faults) > 0 {
			t.Logf("%s: %v: cause %s, remedy %s, denied %v, by %q", w.name, faults, d.Cause, d.Remedy, causalOf(d),
				d.Evidence.Text)
		}
		for _, c := range crossings {
			x, ok := verdicts[w.name][c.name]
			if !ok {
				continue
			}
			r := rows[c.name]
			if r == nil {
				r = &crossingRow{}
				rows[c.name] = r
			}
			r.logs++
			crossed++
			how := differs(w, d, x)
			cannot := w.cannotTell(c.name)
			switch {
			case cannot:
				untold++
				r.untold++
				if how == "" {
					t.Errorf("%s, %s: the verdict stays, so it can be told: take it out of the file", w.name, c.name)
				}
			case how != "":
				changed++
				r.changed++
				if w.harmful(x) {
					r.harmful++
				}
				faults = append(faults, c.name)
				t.Logf("%s, %s: %s", w.name, c.name, how)
			}
		}
		for name := range w.cannot {
			begin := strings.TrimSuffix(name, "*")
			is := func(c crossing) bool { return strings.HasPrefix(c.name, begin) }
			if w.cannot[name] == "" || !slices.ContainsFunc(crossings, is) {
				t.Errorf("%s: %q is no crossing with a reason", w.name, name)
			}
		}
		if len(faults) > 0 {
			now = append(now, w.name+": "+strings.Join(faults, "; "))
		}
		for _, f := range faults {
			if !known[w.name][f] {
				t.Errorf("%s: wrong is %s", w.name, f)
			}
			delete(known[w.name], f)
		}
		for f := range known[w.name] {
			t.Errorf("%s: %s is right: take it out of known.txt", w.name, f)
		}
		delete(known, w.name)
	}
	for name := range known {
		t.Errorf("known.txt lists %s, which is no log", name)
	}
	if *updateKnown {
		writeKnown(t, now)
	}
	t.Logf("\n%s", wholeLogTables(len(logs), count, rows))
	t.Logf("%d crossings, %d verdicts changed, %d cannot be told", crossed, changed, untold)
	if untold*50 > crossed {
		t.Errorf("%d of %d crossings are said not to be told: at most 2 %%", untold, crossed)
	}
}

// crossAll diagnoses every log, as it is (under "") and in every crossing that applies to it.
func crossAll(t *testing.T, logs []wholeLog) map[string]map[string]diagnose.Diagnosis {
	all := map[string]map[string]diagnose.Diagnosis{}
	for _, w := range logs {
		all[w.name] = map[string]diagnose.Diagnosis{}
	}
	t.Run("crossings", func(t *testing.T) {
		for _, w := range logs {
			of := all[w.name]
			t.Run(w.name, func(t *testing.T) {
				of[""] = diagnose.Diagnose(buildlog.ReadText(w.build, w.text))
				for _, c := range crossings {
					if text, build, ok := c.cross(w); ok {
						of[c.name] = diagnose.Diagnose(buildlog.ReadText(build, text))
					}
				}
			})
		}
	})
	return all
}

// differs says how verdict x of a crossed log differs from verdict d of the log itself.
func differs(w wholeLog, d, x diagnose.Diagnosis) string {
	var how []string
	if d.Cause != x.Cause {
		how = append(how, fmt.Sprintf("the cause was %s, is %s by %q", d.Cause, x.Cause, x.Evidence.Text))
	}
	if d.Remedy != x.Remedy {
		how = append(how, fmt.Sprintf("the remedy was %s, is %s", d.Remedy, x.Remedy))
	}
	if a, b := causalOf(d), causalOf(x); !slices.Equal(a, b) {
		how = append(how, fmt.Sprintf("the denials that failed it were %v, are %v", a, b))
	}
	if w.shown(d) && !w.shown(x) {
		how = append(how, "the excerpt lost what decides")
	}
	return strings.Join(how, "; ")
}

type crossingRow struct{ logs, changed, harmful, untold int }

func wholeLogTables(logs int, wrong map[string]int, rows map[string]*crossingRow) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-50s %5s %7s %8s %6s\n", "", "logs", "changed", "harmful", "untold")
	for _, c := range crossings {
		if r := rows[c.name]; r != nil {
			fmt.Fprintf(&b, "%-50s %5d %7d %8d %6d\n", c.name, r.logs, r.changed, r.harmful, r.untold)
		}
	}
	fmt.Fprintf(&b, "\n%d whole logs\n", logs)
	for _, k := range []string{"cause", "excerpt", "remedy", "denial"} {
		fmt.Fprintf(&b, "%-10s right %3d of %d\n", k, logs-wrong[k], logs)
	}
	fmt.Fprintf(&b, "%-10s       %3d\n", "harmful", wrong["harmful"])
	return b.String()
}

// TestWholeLogsAreWhole ensures that the logs are what the accuracy table says they are: many,
// whole, and of several phases.
func TestWholeLogsAreWhole(t *testing.T) {
	logs := wholeLogs(t)
	if len(logs) < 44 {
		t.Errorf("%d logs are too few", len(logs))
	}
	seen := map[string]bool{}
	for _, w := range logs {
		failed, _ := w.build.FailedPhase()
		// A build whose source or buildspec cannot be had ends before its commands.
		early := failed.Type == "DOWNLOAD_SOURCE"
		if n := strings.Count(w.text, "\n"); n > 400 || n < 40 && !early {
			t.Errorf("%s has %d lines", w.name, n)
		}
		for _, c := range w.causes {
			seen[c] = true
		}
		if diff := w.strayPhase(); diff != "" {
			t.Errorf("%s: %s", w.name, diff)
		}
	}
	if len(seen) < 25 {
		t.Errorf("only %d causes: %v", len(seen), slices.Sorted(maps.Keys(seen)))
	}
}

// strayPhase says where log and record disagree about how a phase ended.
func (w wholeLog) strayPhase() string {
	for line := range strings.Lines(w.text) {
		_, rest, ok := strings.Cut(strings.TrimSpace(line), "Phase complete: ")
		if !ok {
			continue
		}
		phase, state, _ := strings.Cut(rest, " State: ")
		i := slices.IndexFunc(w.build.Phases, func(p codebuild.Phase) bool { return p.Type == phase })
		if i < 0 || w.build.Phases[i].Status != state {
			return fmt.Sprintf("the log ends phase %s with %s, the record does not", phase, state)
		}
	}
	return ""
}

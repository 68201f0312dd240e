package toolbox

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/diagnose"
)

var update = flag.Bool("update", false,
	"write the table of internal/buildlog/README.md anew, and take out of the files what is no longer read wrong")

// session is the build whose tools are denied something.
const session = "arn:aws:sts::111122223333:assumed-role/codebuild-shop/AWSCodeBuild-" + buildUUID

const buildUUID = "11111111-2222-3333-4444-555555555555"

// A reading is what is read out of a run's output, in a form that compares.
type reading struct {
	causes  []string // any of them is right
	denials []string // causal ones, as EFFECT LAYER ACTION RESOURCE PRINCIPAL
	asides  []string // denials that did not fail the command
	not     []diagnose.Remedy
	failing []string // tests, by name
}

// parseReading reads the section "want": lines "cause: A B", "denial: EFFECT LAYER ACTION RESOURCE
// [PRINCIPAL]", "aside: …" likewise and "not: REMEDY …". A dash stands for what the text does not
// say, %20 for a space; without a PRINCIPAL it is the build's own session. "failing: NAME", once
// for each failed test that the output names, is its name as a person would look for it.
func parseReading(text string) (reading, error) {
	var w reading
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		key, value, _ := strings.Cut(line, ":")
		words := strings.Fields(value)
		switch key {
		case "cause":
			w.causes = append(w.causes, words...)
		case "not":
			for _, x := range words {
				if !slices.Contains(diagnose.Remedies, diagnose.Remedy(x)) {
					return w, fmt.Errorf("want: there is no remedy %q", x)
				}
				w.not = append(w.not, diagnose.Remedy(x))
			}
		case "failing":
			w.failing = append(w.failing, strings.TrimSpace(value))
		case "denial", "aside":
			if len(words) == 4 {
				words = append(words, session)
			}
			if len(words) != 5 {
				return w, fmt.Errorf("want: %q is not EFFECT LAYER ACTION RESOURCE [PRINCIPAL]", line)
			}
			if key == "aside" {
				w.asides = append(w.asides, strings.Join(words, " "))
			} else {
				w.denials = append(w.denials, strings.Join(words, " "))
			}
		default:
			return w, fmt.Errorf("want: unknown line %q", line)
		}
	}
	slices.Sort(w.denials)
	slices.Sort(w.asides)
	return w, nil
}

// build is the record of the build that ran the command.
func (r *run) build() codebuild.Build {
	return codebuild.Build{
		ID: "shop:" + buildUUID, Project: "shop", Status: codebuild.Failed,
		ARN:         "arn:aws:codebuild:eu-west-1:111122223333:build/shop:" + buildUUID,
		ServiceRole: "arn:aws:iam::111122223333:role/codebuild-shop",
		Phases: []codebuild.Phase{
			{Type: "INSTALL", Status: "SUCCEEDED"},
			{Type: "BUILD", Status: "FAILED", Contexts: []codebuild.Context{{Code: "COMMAND_EXECUTION_ERROR",
				Message: "Error while executing command: " + r.command + ". Reason: exit status " + r.exit}}},
		},
	}
}

// log is the build's log (AWS.md#log-lines).
func (r *run) log() string {
	const at = "[Container] 2026/01/02 03:04:05.000000 "
	end := ""
	if !strings.HasSuffix(r.output, "\n") {
		end = "\n"
	}
	return at + "Waiting for agent ping\n" +
		at + "Phase is DOWNLOAD_SOURCE\n" +
		at + "Phase complete: DOWNLOAD_SOURCE State: SUCCEEDED\n" +
		at + "Phase context status code:  Message: \n" +
		at + "Entering phase BUILD\n" +
		at + "Running command " + r.command + "\n" +
		r.output + end +
		at + "Command did not exit successfully " + r.command + " exit status " + r.exit + "\n" +
		at + "Phase complete: BUILD State: FAILED\n" +
		at + "Phase context status code: COMMAND_EXECUTION_ERROR Message: Error while executing command: " + r.command +
		". Reason: exit status " + r.exit + "\n"
}

// read reads the run's output, as part of a whole log.
func (r *run) read() (reading, diagnose.Diagnosis) {
	d := diagnose.Diagnose(buildlog.ReadText(r.build(), r.log()))
	got := reading{causes: []string{d.Cause}, not: []diagnose.Remedy{d.Remedy}}
	for _, x := range d.Denials {
		line := strings.Join([]string{string(x.Effect), string(x.Layer), dash(x.Action),
			strings.ReplaceAll(dash(x.Resource), " ", "%20"), dash(x.Principal)}, " ")
		list := &got.asides
		if x.Causal {
			list = &got.denials
		}
		if !slices.Contains(*list, line) {
			*list = append(*list, line)
		}
	}
	slices.Sort(got.denials)
	slices.Sort(got.asides)
	return got, d
}

// named reports whether t is the test of that name. A runner may put the suite's in front of it.
func named(t codebuild.TestCase, name string) bool {
	return t.Name == name || strings.TrimSpace(t.Suite+" "+t.Name) == name || strings.HasSuffix(t.Name, " "+name)
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// wrong says what of the run is not read as it must be; "" if nothing.
func (r *run) wrong() string {
	got, d := r.read()
	var b strings.Builder
	if diff := cmp.Diff(r.want.denials, got.denials); diff != "" {
		fmt.Fprintf(&b, "denials that failed the command (-want +got):\n%s", diff)
	}
	for _, a := range r.want.asides {
		if !slices.Contains(got.asides, a) {
			fmt.Fprintf(&b, "not listed as a denial that did not fail the command: %s\n", a)
		}
	}
	if !slices.Contains(r.want.causes, d.Cause) {
		fmt.Fprintf(&b, "cause %s, want %s\n", d.Cause, strings.Join(r.want.causes, " or "))
	}
	for _, name := range r.want.failing {
		if !slices.ContainsFunc(d.Tests, func(t codebuild.TestCase) bool { return named(t, name) }) {
			fmt.Fprintf(&b, "does not name the failed test %q\n", name)
		}
	}
	if n := len(d.Tests) + d.MoreTests; len(r.want.failing) > 0 && n > len(r.want.failing) {
		fmt.Fprintf(&b, "names %d failed tests, want %d: %+v\n", n, len(r.want.failing), d.Tests)
	}
	if slices.Contains(r.want.not, d.Remedy) {
		fmt.Fprintf(&b, "remedy %s, which must not be\n", d.Remedy)
	}
	return b.String()
}

// minimum is how much real output the reader is held to.
const (
	minTools = 150
	minRuns  = 500
)

// TestTools reads what each tool printed and compares it with how it must be read. A run that is
// read wrong must say in its file, as known, why.
func TestTools(t *testing.T) {
	tools, runs := allRuns(t)
	if len(tools) < minTools || len(runs) < minRuns {
		t.Errorf("%d tools with %d runs, want at least %d with %d", len(tools), len(runs), minTools, minRuns)
	}
	type score struct{ runs, denials, right, known int }
	scores := map[string]*score{}
	all := &score{}
	right := map[*run]bool{}
	for _, r := range runs {
		if len(r.want.causes) == 0 {
			t.Errorf("%s: want names no cause", r.path)
			continue
		}
		if scores[r.tool.dir] == nil {
			scores[r.tool.dir] = &score{}
		}
		if r.output == "" && r.exit == "" {
			t.Errorf("%s has no output: run make tools ONLY='^%s$'", r.path, r.name)
			continue
		}
		wrong := r.wrong()
		right[r] = wrong == ""
		for _, s := range []*score{scores[r.tool.dir], all} {
			s.runs++
			s.denials += len(r.want.denials)
			switch {
			case wrong == "":
				s.right++
			case r.known != "":
				s.known++
			}
		}
		switch {
		case wrong != "" && r.known == "":
			t.Errorf("%s is read wrong:\n%s", r.path, wrong)
		case wrong == "" && r.known != "" && *update:
			r.known = ""
			r.write(t)
		case wrong == "" && r.known != "":
			t.Errorf("%s is read right: take the line \"known:\" out of it, or run with -update", r.path)
		}
	}
	t.Logf("%-28s %5s %8s %6s %6s", "tool", "runs", "denials", "right", "known")
	for _, x := range tools {
		s := scores[x.dir]
		if s == nil {
			t.Errorf("%s has no runs", x.dir)
			continue
		}
		t.Logf("%-28s %5d %8d %6d %6d", x.dir, s.runs, s.denials, s.right, s.known)
	}
	for _, kind := range []struct {
		what string
		of   func(r *run) bool
	}{
		{"failed tests, all named", func(r *run) bool { return len(r.want.failing) > 0 }},
		{"nothing denied, no test named", func(r *run) bool { return len(r.want.failing) == 0 && strings.HasPrefix(r.denied, "nothing") }},
		{"denied", func(r *run) bool { return !strings.HasPrefix(r.denied, "nothing") }},
	} {
		of, n, good := map[string]bool{}, 0, 0
		for _, r := range runs {
			if kind.of(r) {
				of[r.tool.dir] = true
				n++
				if right[r] {
					good++
				}
			}
		}
		t.Logf("%-30s %3d tools, %4d runs, %4d right", kind.what, len(of), n, good)
	}
	t.Logf("%-28s %5d %8d %6d %6d (%.1f %% right)", "all", all.runs, all.denials, all.right, all.known,
		100*float64(all.right)/float64(all.runs))
}

const (
	readme   = "../buildlog/README.md"
	tableTop = "<!-- The table of tools is made by go test ./internal/toolbox -run Table -update. -->\n"
	tableEnd = "<!-- end of the table of tools -->\n"
)

// TestTable holds the table of tools in buildlog's README to the files.
func TestTable(t *testing.T) {
	text, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), tableTop)
	_, after, ok2 := strings.Cut(rest, tableEnd)
	if !ok || !ok2 {
		t.Fatalf("%s has no place for the table of tools", readme)
	}
	want := before + tableTop + "\n" + table(t) + "\n" + tableEnd + after
	if want == string(text) {
		return
	}
	if !*update {
		t.Fatalf("%s is not what the files say; run: go test ./internal/toolbox -run Table -update\n%s", readme,
			cmp.Diff(string(text), want))
	}
	if err := os.WriteFile(readme, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

// table has a row for each tool: what is left of AWS's sentence in its output, and how that is
// read.
func table(t *testing.T) string {
	tools, runs := allRuns(t)
	var b strings.Builder
	b.WriteString("| tool | version | of | runs | what is left of AWS's sentence | read |\n| - | - | - | -: | - | - |\n")
	for _, x := range tools {
		count := map[string]int{}
		n, right := 0, 0
		for _, r := range runs {
			if r.tool != x {
				continue
			}
			n++
			count[r.left()]++
			if r.known == "" {
				right++
			}
		}
		var parts []string
		for _, l := range leavings {
			switch c := count[l]; {
			case c > 0 && len(count) == 1:
				parts = append(parts, l)
			case c > 0:
				parts = append(parts, fmt.Sprintf("%s (%d)", l, c))
			}
		}
		read := "right"
		if right < n {
			read = fmt.Sprintf("%d of %d right", right, n)
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %d | %s | %s |\n", x.name, x.version, x.registry, n, strings.Join(parts, ", "), read)
	}
	return b.String()
}

// leavings are what can be left of AWS's sentence, most first.
var leavings = []string{"all", "all, broken into lines", "in part", "the code or the operation", "a status alone", "nothing", "no denial"}

// left says how much of AWS's sentence the output still has.
func (r *run) left() string {
	squeezed := strings.Join(strings.Fields(r.output), "")
	plain := strings.ToLower(squeezed)
	has := func(s string) bool { return strings.Contains(plain, strings.ToLower(s)) }
	if strings.HasPrefix(r.denied, "nothing") {
		return "no denial"
	}
	for _, line := range slices.Concat(r.want.denials, r.want.asides) {
		w := strings.Fields(line)
		if w[4] == "-" || !has("is not authorized to perform") && !has("isnotauthorizedtoperform") {
			continue
		}
		switch {
		case strings.Contains(r.output, w[4]+" is not authorized to perform: "+w[2]):
			return "all"
		case has(w[2]):
			return "all, broken into lines"
		}
	}
	switch {
	case has("isnotauthorizedtoperform"):
		return "in part"
	case has("accessdenied"), has("accessdeniedexception"), has("unauthorizedoperation"):
		return "the code or the operation"
	case has("403"), has("forbidden"), has("401"), has("unauthorized"):
		return "a status alone"
	}
	return "nothing"
}

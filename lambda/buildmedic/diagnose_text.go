package main

import (
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/compare"
	"github.com/buildmedic/buildmedic/internal/diagnose"
)

const (
	showLog  = 6  // lines of the log before and after the evidence
	showDeny = 20 // denials shown
	showTest = 15 // failed tests shown
)

// tell prints the diagnosis as a person reads it.
func tell(w io.Writer, f buildlog.Failure, d diagnose.Diagnosis, since *compare.Since, colour bool) error {
	t := teller{colour: colour, width: textWidth(w)}
	t.headline(f, d)
	t.evidence(d)
	t.tests(d)
	t.since(since)
	t.denials(d.Denials)
	t.section("What to do")
	var entries, hindrances []string
	advice := d.Advice
	if d.Remedy == diagnose.Grant {
		var never bool
		if entries, hindrances, never = grantsFor(f, d); never {
			advice = withoutSettings(advice)
		}
	}
	t.wrap("  ", "  ", advice)
	remedy := t.cure(d, entries, hindrances)
	t.log(d)
	t.also(d.Also)
	t.footer(d, remedy)
	_, err := io.WriteString(w, t.b.String())
	return err
}

// withoutSettings returns the advice without the sentences that send people to the settings, where
// no entry may allow what was denied.
func withoutSettings(advice string) string {
	kept := []string{"No grant in buildmedic.yaml can allow this; what is in its way stands below. If the build should " +
		"have it, add it by hand where it belongs."}
	for _, s := range strings.SplitAfter(advice, ". ") {
		if !strings.Contains(s, "buildmedic.yaml") {
			kept = append(kept, strings.TrimSpace(s))
		}
	}
	return strings.Join(kept, " ")
}

type teller struct {
	b      strings.Builder
	colour bool
	width  int
}

func (t *teller) line(s string) { t.b.WriteString(strings.TrimRight(s, " ") + "\n") }

// The styles, as codes of a terminal.
const (
	bold  = "1"
	red   = "31"
	green = "32"
	dim   = "2"
)

func (t *teller) style(code, s string) string {
	if !t.colour || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func (t *teller) section(title string) {
	t.line("")
	t.line(t.style(bold, title))
}

// wrap prints text in lines of at most the width, the first after the first
// indent.
func (t *teller) wrap(first, indent, text string) {
	for i, l := range wrapped(plain(text), t.width-utf8.RuneCountInString(indent)) {
		if i == 0 {
			t.line(first + l)
		} else {
			t.line(indent + l)
		}
	}
}

// wrapped breaks text between words into lines of at most width. A word that
// is longer has a line of its own.
func wrapped(text string, width int) []string {
	var lines []string
	line, n := "", 0
	for _, w := range strings.Fields(text) {
		size := utf8.RuneCountInString(w)
		if n > 0 && n+1+size > width {
			lines, line, n = append(lines, line), "", 0
		}
		if n > 0 {
			line, n = line+" ", n+1
		}
		line, n = line+w, n+size
	}
	return append(lines, line)
}

// plain makes one line of text that a terminal cannot take for commands.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsGraphic(r):
			return -1
		}
		return r
	}, s)
}

func (t *teller) headline(f buildlog.Failure, d diagnose.Diagnosis) {
	for i, l := range wrapped(plain(d.Title)+".", t.width) {
		if i == 0 {
			l = t.style(bold+";"+red, l)
		}
		t.line(l)
	}
	where := "cause " + d.Cause
	if f.Phase != "" {
		where += ", phase " + plain(f.Phase)
	}
	t.line(t.style(dim, where))
	if f.Command != "" {
		t.line("")
		t.wrap("  command  ", "           ", clipped(plain(f.Command), 300))
		if f.Exit != "" {
			t.line("  exit     " + plain(f.Exit))
		}
	}
}

func (t *teller) evidence(d diagnose.Diagnosis) {
	if d.Evidence.Text == "" {
		return
	}
	t.section("Evidence")
	mark := fmt.Sprintf("  line %d  ", d.Evidence.Line)
	if d.Evidence.Line == 0 {
		mark = "  CodeBuild says  "
	}
	if d.Evidence.Origin == buildlog.FromStack {
		mark = "  CloudFormation says  "
	}
	t.wrap(mark, strings.Repeat(" ", len(mark)), clipped(plain(d.Evidence.Text), 1500))
}

// tests names the failed tests.
func (t *teller) tests(d diagnose.Diagnosis) {
	if len(d.Tests) == 0 {
		return
	}
	all := len(d.Tests) + d.MoreTests
	t.section(fmt.Sprintf("Failed tests (%d)", all))
	for i, x := range d.Tests {
		if i == showTest {
			t.line(fmt.Sprintf("  and %d more; -json names the first %d", all-i, len(d.Tests)))
			return
		}
		text := clipped(plain(x.FullName()), 300)
		if x.Message != "" {
			text += " — " + clipped(plain(x.Message), 300)
		}
		if x.At != "" {
			text += " (" + clipped(plain(x.At), 200) + ")"
		}
		t.wrap("  ", "      ", text)
	}
	if d.MoreTests > 0 {
		t.line(fmt.Sprintf("  and %d more", d.MoreTests))
	}
}

// clipped cuts s to n characters.
func clipped(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	r := []rune(s)
	return string(r[:n-1]) + "…"
}

func (t *teller) denials(list []buildlog.Denial) {
	if len(list) == 0 {
		return
	}
	t.section("Denied")
	for i, x := range list {
		if i == showDeny {
			t.line(fmt.Sprintf("  and %d more; -json lists them all", len(list)-i))
			return
		}
		t.denial(x)
	}
}

func (t *teller) denial(x buildlog.Denial) {
	what := x.Action
	switch {
	case what == "" && x.Operation != "":
		what = "operation " + x.Operation
	case what == "":
		what = "an action that the text does not name"
	}
	note := ""
	if x.Line > 0 {
		note = fmt.Sprintf("  line %d", x.Line)
	}
	if !x.Causal {
		note += ", but it did not fail the build"
	}
	t.line("  " + t.style(bold, plain(what)) + t.style(dim, note))
	field := func(name, value string) {
		if value != "" {
			t.wrap("    "+name+"  ", "        ", value)
		}
	}
	field("on", orElse(x.Resource, "what the text does not say"))
	if x.Resource == "" && x.Near != "" {
		field("near", strings.ReplaceAll(x.Near, " ", ", "))
	}
	field("to", orElse(first(x.Principal, x.Subject), "whom the text does not say"))
	field("by", layerText(x))
	if x.PolicyARN != "" {
		field("  ", x.PolicyARN)
	}
	if meaning := diagnose.Meaning(x.Verdict.Finding); !x.Causal && meaning != "" {
		field("as", fmt.Sprintf("%s: %s", x.Verdict.Finding, meaning))
	}
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// layerText says which layer denies, and how.
func layerText(x buildlog.Denial) string {
	layer := strings.ReplaceAll(string(x.Layer), "-", " ")
	layer = strings.NewReplacer("identity based", "identity-based", "resource based", "resource-based", "vpc",
		"VPC").Replace(layer)
	if x.Layer == buildlog.LayerUnstated || x.Layer == "" {
		layer = ""
	}
	switch {
	case x.Bare:
		return "a status of 403, without a reason"
	case x.Reason != "":
		return "AWS's own reason: " + x.Reason
	case x.Effect == buildlog.Explicit && layer == "":
		return "an explicit deny, in a policy that the text does not name"
	case x.Effect == buildlog.Explicit:
		return "an explicit deny in a " + layer
	case layer != "":
		return "no " + layer + " that allows it"
	}
	return "a policy that the text does not name"
}

// cure prints what would have to be allowed, and gives the remedy in words.
func (t *teller) cure(d diagnose.Diagnosis, entries, hindrances []string) string {
	if d.Remedy != diagnose.Grant {
		return string(d.Remedy)
	}
	if len(entries) > 0 {
		t.section("Grant that would cure it, for buildmedic.yaml (name it under the project's grants)")
		t.line("  grants:")
		for _, e := range entries {
			for l := range strings.Lines(e) {
				t.line("    " + t.style(green, strings.TrimRight(plain(l), " ")))
			}
		}
	}
	if sets := setsOf(d); len(entries) > 0 && len(sets) > 0 {
		t.wrap("  ", "  ", "A build shows one missing permission a run: a set instead of the actions "+
			"("+strings.Join(sets, ", ")+
			"), with give: set, brings in at once all that belongs together.")
	}
	if len(hindrances) > 0 {
		t.section("In the way of a grant")
		for _, h := range hindrances {
			t.wrap("  - ", "    ", h)
		}
		return "grant (see what is in its way)"
	}
	return string(d.Remedy)
}

// log prints the excerpt around the evidence.
func (t *teller) log(d diagnose.Diagnosis) {
	at := len(d.Excerpt) - 1
	for i, l := range d.Excerpt {
		if l.N == d.Evidence.Line {
			at = i
		}
	}
	if at < 0 || len(d.Excerpt) == 1 && d.Excerpt[0].N == 0 {
		return // nothing, or the context that was shown already
	}
	t.section("Log")
	lo, hi := max(0, at-showLog), min(len(d.Excerpt), at+showLog+1)
	for i := lo; i < hi; i++ {
		l := d.Excerpt[i]
		if i > lo && l.N > d.Excerpt[i-1].N+1 {
			t.line(t.style(dim, fmt.Sprintf("  %6s", "⋮")))
		}
		text := clipped(plain(l.Text), t.width-10)
		number := fmt.Sprintf("  %6d  ", l.N)
		if l.N == d.Evidence.Line {
			t.line(t.style(red, fmt.Sprintf("> %6d  %s", l.N, text)))
			continue
		}
		t.line(t.style(dim, number) + text)
	}
}

// also lists what failed after the build had failed.
func (t *teller) also(list []buildlog.Also) {
	if len(list) == 0 {
		return
	}
	t.section("Also failed, after the build had failed")
	for _, a := range list {
		said := "  "
		if a.Line > 0 {
			said = fmt.Sprintf("  line %d  ", a.Line)
		}
		t.wrap(said, strings.Repeat(" ", len(said)), clipped(plain(a.String()), 300))
	}
}

func (t *teller) footer(d diagnose.Diagnosis, remedy string) {
	retry := "a retry alone will not help"
	if d.Retryable {
		retry = "a retry alone has a chance"
	}
	t.line("")
	t.line(t.style(dim, fmt.Sprintf("remedy %s; %s; fingerprint %s", remedy, retry, d.Fingerprint)))
}

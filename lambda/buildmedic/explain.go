package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/tools/txtar"

	"github.com/buildmedic/buildmedic/internal/diagnose"
	samples "github.com/buildmedic/buildmedic/internal/diagnose/testdata"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/settings"
)

func runExplain(_ context.Context, args []string, _ io.Reader, stdout, stderr io.Writer) int {
	fs := flags("explain", "[-json] [-settings F] [RULE|CAUSE|FINDING]",
		"Explains why something was refused, why a build failed, or what a denial in its log proves: what\n"+
			"it means, an example, and what the owner can change. Notices and `buildmedic plan` give the name\n"+
			"of the rule or cause, `buildmedic diagnose` that of the finding.\n"+
			"Without a name it lists all. With -settings, causes of the team's own are among them.",
		"buildmedic explain not-on-allowlist", stderr)
	asJSON := fs.Bool("json", false, "print JSON")
	settingsPath := fs.String("settings", "", "settings file, for the causes of the team's own")
	if done, code := parse(fs, args, stdout); done {
		return code
	}
	if fs.NArg() > 1 {
		return wrong(fs, "name one rule, cause or finding, or none")
	}
	all, err := pages()
	if err != nil {
		return fail(stderr, err)
	}
	if *settingsPath != "" {
		s, err := readSettings(*settingsPath)
		if err != nil {
			return fail(stderr, err)
		}
		all = append(all, ownPages(s)...)
	}
	found := all
	if name := fs.Arg(0); name != "" {
		found = slices.DeleteFunc(slices.Clone(all), func(p page) bool { return p.Name != strings.ToLower(name) })
		if len(found) == 0 {
			return wrong(fs, "there is no rule, cause or finding %q%s", name, meant(name, all))
		}
	}
	switch {
	case *asJSON:
		return printJSON(stdout, stderr, found)
	case fs.Arg(0) == "":
		listPages(stdout, all)
	default:
		for i, p := range found { // a rule and a cause may have the same name
			if i > 0 {
				fmt.Fprintln(stdout)
			}
			p.print(stdout)
		}
	}
	return exitOK
}

// page is what there is to say about a rule, a cause or a finding.
type page struct {
	Kind    string          `json:"kind"` // "rule", "cause" or "finding"
	Name    string          `json:"name"`
	Group   string          `json:"group"`
	Meaning string          `json:"meaning"` // one sentence
	Example []string        `json:"example"` // lines
	Change  string          `json:"change"`  // what the owner can change
	Remedy  diagnose.Remedy `json:"remedy,omitempty"`
	Cure    string          `json:"cure,omitempty"` // what Buildmedic does about the cause
}

// steps are the guardrails, by number; 0 is what holds for every remedy.
var steps = []string{
	"For every remedy",
	"Guardrail 1: whose denial it is",
	"Guardrail 2: whose build it is",
	"Guardrail 3: which layer denies",
	"Guardrail 4: what was denied",
	"Guardrail 5: the floor, which no setting lowers",
	"Guardrail 6: the allowlist",
	"Guardrail 7: all that the role may do",
	"Guardrail 8: what IAM takes",
	"Guardrail 9: the proof",
}

// cures say what Buildmedic does about causes with the remedy.
var cures = map[diagnose.Remedy]string{
	diagnose.Grant: "Buildmedic adds the permission to the role and starts the build again, if a grant of the project in " +
		"buildmedic.yaml allows it." + byMode,
	diagnose.Retry: "Buildmedic starts the build again, unchanged, unless the project has retry: false." + byMode,
	diagnose.OverrideBuildspec: "Buildmedic starts the same commit again with a path that is listed under the project's " +
		"buildspecs in buildmedic.yaml." + byMode,
	diagnose.CreateRepository: "Buildmedic creates the ECR repository and starts the build again, if a grant of the project " +
		"with create: true names it." + byMode,
	diagnose.Report: "Buildmedic explains it and changes nothing: a person must act.",
	diagnose.Ignore: "Nothing: it is no failure, and nobody is told.",
}

const byMode = " With mode: propose it waits for an approval; with observe it only explains."

// pages makes the page of every rule, cause and finding.
func pages() ([]page, error) {
	examples, err := examples()
	if err != nil {
		return nil, err
	}
	var out []page
	for _, r := range guardrail.Rules {
		out = append(out, page{Kind: "rule", Name: string(r), Group: steps[r.Step()], Meaning: r.Explain(),
			Example: []string{r.Example()}, Change: r.Change()})
	}
	for _, c := range diagnose.Causes() {
		out = append(out, page{Kind: "cause", Name: c.Name, Group: "Remedy " + string(c.Remedy), Meaning: inWords(c.Title) + ".",
			Example: examples[c.Name], Change: inWords(c.Advice), Remedy: c.Remedy, Cure: cures[c.Remedy]})
	}
	who, on := diagnose.Signs()
	model := fmt.Sprintf("It asks of each denial that the failed command printed: who speaks the line (a tool, or %s), whose denial it is "+
		"(own, unattributed, another), whether the command went on after it (%s), whether the same command shows another failure that is "+
		"sure, and whether it ended with another error. Only a denial that explains why the command ended may bring in a grant; "+
		"`buildmedic diagnose -json` shows the answers for each.", strings.Join(who, ", "), strings.Join(on, ", "))
	for _, f := range diagnose.Findings {
		out = append(out, page{Kind: "finding", Name: f.Name, Group: "What a denial in the log proves",
			Meaning: "The log says that AWS denied something, and " + f.Meaning + ".", Example: []string{f.Example}, Change: f.Change,
			Cure: model})
	}
	return out, nil
}

// ownPages makes the page of each cause of the team's own. Title and advice keep their
// placeholders: what a group stands for, only the team knows.
func ownPages(s *settings.Settings) []page {
	var out []page
	for _, c := range s.Causes {
		var example []string
		for l := range strings.Lines(c.Samples[0].Text) {
			if l = plain(strings.TrimRight(l, "\r\n")); strings.TrimSpace(l) != "" && len(example) < mostLines {
				example = append(example, l)
			}
		}
		out = append(out, page{Kind: "cause", Name: c.Name, Group: "Of your own, in buildmedic.yaml: remedy " + string(c.Remedy),
			Meaning: c.Title + ".", Example: example, Change: c.Advice, Remedy: c.Remedy, Cure: cures[c.Remedy]})
	}
	return out
}

var placeholder = regexp.MustCompile(`\{[a-z_]+\}`)

// named are the placeholders whose noun the text already says.
var named = strings.NewReplacer(
	"The ECR repository {repository}", "The ECR repository",
	"exit status {exit}", "a non-zero exit status",
	"refused the call: {code}", "refused the call",
	"The failed command was {command} (exit status {exit});", "The phase's context names the failed command;",
	"does not say {unsaid}", "does not say to what",
)

// inWords names what the placeholders of a cause's text stand for.
func inWords(text string) string {
	text = named.Replace(text)
	begins := strings.HasPrefix(text, "{") // else the text's own first letter is right: package.json
	text = placeholder.ReplaceAllStringFunc(text, func(s string) string {
		switch s = strings.Trim(s, "{}"); s {
		case "denied", "action":
			return "the action"
		case "principal":
			return "somebody else"
		}
		return "the " + s
	})
	if !begins {
		return text
	}
	r := []rune(text)
	return string(unicode.ToUpper(r[0])) + string(r[1:])
}

// examples gives for each cause a sample of a failure that has it: the shortest
// one with text of a log, else the shortest.
func examples() (map[string][]string, error) {
	best := map[string]string{}
	files, err := samples.Samples.ReadDir("samples")
	if err != nil {
		return nil, fmt.Errorf("reading samples: %w", err)
	}
	for _, f := range files {
		data, err := samples.Samples.ReadFile("samples/" + f.Name())
		if err != nil {
			return nil, fmt.Errorf("reading samples: %w", err)
		}
		for _, s := range txtar.Parse(data).Files {
			cause, text := path.Dir(s.Name), string(s.Data)
			if old, ok := best[cause]; !ok || better(text, old) {
				best[cause] = text
			}
		}
	}
	out := map[string][]string{}
	for cause, text := range best {
		out[cause] = sampleLines(text)
	}
	return out, nil
}

// better reports whether sample a shows more of a log than b, or the same in
// fewer words.
func better(a, b string) bool {
	rank := func(s string) int {
		switch {
		case strings.Contains(s, "%report"): // a form of the cause that has another remedy
			return 2
		case len(logLines(s)) == 0:
			return 1
		}
		return 0
	}
	return cmp.Or(rank(a)-rank(b), len(a)-len(b)) < 0
}

func logLines(sample string) (out []string) {
	for l := range strings.Lines(sample) {
		if !strings.HasPrefix(l, "%") && strings.TrimSpace(l) != "" {
			out = append(out, l)
		}
	}
	return out
}

const mostLines = 10 // of a sample

// sampleLines is a sample as a person reads it.
func sampleLines(text string) (out []string) {
	for l := range strings.Lines(text) {
		l = strings.TrimRight(l, "\n")
		fact, isFact := strings.CutPrefix(l, "%")
		key, value, _ := strings.Cut(fact, " ")
		switch {
		case len(out) == mostLines:
			return append(out, "…")
		case !isFact && strings.TrimSpace(l) != "":
			out = append(out, plain(l))
		case !isFact || key == "report" || key == "details":
		case key == "denial":
			out = append(out, denialLine(value))
		case key == "context":
			out = append(out, "CodeBuild says: "+plain(value))
		default:
			out = append(out, strings.ReplaceAll(key, "-", " ")+": "+plain(value))
		}
	}
	return out
}

// denialLine tells of a denial: EFFECT LAYER ACTION RESOURCE [PRINCIPAL], "-" for
// what the text does not say.
func denialLine(fact string) string {
	fact, aside := strings.CutPrefix(fact, "aside ")
	w := append(strings.Fields(fact), "-", "-", "-", "-", "-")[:5]
	s := "AWS denies"
	for i, part := range []string{" ", " on ", " to "} {
		switch {
		case w[i+2] != "-":
			s += part + w[i+2]
		case i == 0:
			s += " an action that the text does not name"
		}
	}
	if w[0] != "unstated" {
		s += ", " + w[0]
	}
	if w[1] != "unstated" {
		s += ", by " + w[1]
	}
	if aside {
		s += " (that did not fail the build)"
	}
	return s
}

// meant ends the message about an unknown name.
func meant(name string, all []page) string {
	var names, like []string
	for _, p := range all {
		names = append(names, p.Name)
		if strings.Contains(p.Name, strings.ToLower(name)) && !slices.Contains(like, p.Name) {
			like = append(like, p.Name)
		}
	}
	near := settings.Near(name, names)
	switch {
	case near != "":
		return fmt.Sprintf("; did you mean %q?", near)
	case len(like) == 1:
		return fmt.Sprintf("; did you mean %q?", like[0])
	case len(like) > 0:
		return fmt.Sprintf("; did you mean one of %s?", listSome(like, 8))
	}
	return "; `buildmedic explain` lists them"
}

// meaningWidth is how wide a meaning is in the list.
func meaningWidth(w io.Writer) int {
	if n := screen(w); n > 0 {
		return max(n-36, narrowest/2)
	}
	return 84
}

// listPages lists rules and causes by group, a line each.
func listPages(w io.Writer, all []page) {
	head := ""
	titles := map[string]string{"rule": "RULES: why something was refused", "cause": "CAUSES: why a build failed",
		"finding": "FINDINGS: what a denial in the log proves"}
	ordered := slices.Clone(all)
	slices.SortStableFunc(ordered, func(a, b page) int {
		return cmp.Or(-strings.Compare(a.Kind, b.Kind), remedyOrder(a)-remedyOrder(b))
	})
	for i, p := range ordered {
		if i == 0 || p.Kind != ordered[i-1].Kind {
			if i > 0 {
				fmt.Fprintln(w)
			}
			fmt.Fprintln(w, titles[p.Kind])
		}
		if p.Group != head {
			head = p.Group
			fmt.Fprintf(w, "\n%s\n", head)
		}
		fmt.Fprintf(w, "  %-32s %s\n", p.Name, oneLine(p.Meaning, meaningWidth(w)))
	}
	fmt.Fprintf(w, "\n`%s explain NAME` explains one.\n", program)
}

// remedyOrder keeps rules in their order, and puts causes of one remedy together.
func remedyOrder(p page) int { return slices.Index(diagnose.Remedies, p.Remedy) }

func (p page) print(w io.Writer) {
	t := teller{width: textWidth(w)}
	t.line(fmt.Sprintf("%s %s", p.Kind, p.Name))
	t.line(p.Group)
	t.section("What it means")
	t.wrap("  ", "  ", p.Meaning)
	t.section("Example")
	for _, l := range p.Example {
		t.wrap("  ", "  ", clipped(l, 400))
	}
	if p.Cure != "" {
		t.section("What Buildmedic does")
		t.wrap("  ", "  ", p.Cure)
	}
	t.section("What you can change")
	t.wrap("  ", "  ", p.Change)
	_, _ = io.WriteString(w, t.b.String())
}

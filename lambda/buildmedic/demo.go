package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/settings"
	"github.com/buildmedic/buildmedic/internal/story"
	"github.com/buildmedic/buildmedic/testdata"
)

// palette colours text on a terminal, and nothing anywhere else.
type palette struct{ on bool }

func newPalette(w io.Writer) palette { return palette{colourful(w)} }

func (p palette) paint(code, s string) string {
	if !p.on {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func (p palette) bold(s string) string   { return p.paint("1", s) }
func (p palette) dim(s string) string    { return p.paint("2", s) }
func (p palette) red(s string) string    { return p.paint("31", s) }
func (p palette) green(s string) string  { return p.paint("32", s) }
func (p palette) yellow(s string) string { return p.paint("33", s) }
func (p palette) blue(s string) string   { return p.paint("36", s) }

func runDemo(ctx context.Context, args []string, _ io.Reader, stdout, stderr io.Writer) int {
	fs := flags("demo", "[-json | -mail [-width N]] [STORY...]",
		"Plays stories of failed builds in a simulated AWS account: the healer and the AWS SDK are\n"+
			"the function's own, only the account is simulated. Without names all stories are played.\n"+
			"With -mail it prints the mails that the story's team gets.\n"+
			"Exits with 1 if a story ends otherwise than it should.",
		"buildmedic demo tracker-api qivr-deploy", stderr)
	asJSON := fs.Bool("json", false, "print one JSON object per story")
	mail := fs.Bool("mail", false, "print the mails that the team gets, in order")
	columns := fs.Int("width", 0, "with -mail: as a screen of `N` columns shows them; a phone has about 40")
	if done, code := parse(fs, args, stdout); done {
		return code
	}
	switch {
	case *asJSON && *mail:
		return wrong(fs, "give one of -json and -mail")
	case *columns != 0 && !*mail:
		return wrong(fs, "-width is for -mail")
	case *columns != 0 && *columns < minScreen:
		return wrong(fs, "-width is %d or more", minScreen)
	}
	stories, err := chosen(fs.Args())
	if err != nil {
		return wrong(fs, "%v", err)
	}
	d := demo{out: stdout, palette: newPalette(stdout), json: *asJSON, mail: *mail, columns: *columns}
	for _, s := range stories {
		if err := d.play(ctx, s); err != nil {
			return fail(stderr, err)
		}
	}
	if !*asJSON && !*mail {
		d.table()
	}
	if d.wrong > 0 {
		return exitFailed
	}
	return exitOK
}

func chosen(names []string) ([]story.Story, error) {
	all, err := story.Load(testdata.Stories, "stories")
	if err != nil || len(names) == 0 {
		return all, err
	}
	var out []story.Story
	for _, n := range names {
		name := strings.TrimLeft(n, "0123456789-") // its file's name begins with a number
		i := slices.IndexFunc(all, func(s story.Story) bool { return s.Name == name })
		if i < 0 {
			var known []string
			for _, s := range all {
				known = append(known, s.Name)
			}
			if near := settings.Near(name, known); near != "" {
				return nil, fmt.Errorf("there is no story %q; did you mean %q?", n, near)
			}
			return nil, fmt.Errorf("there is no story %q; there are %s", n, strings.Join(known, ", "))
		}
		out = append(out, all[i])
	}
	return out, nil
}

type demo struct {
	out io.Writer
	palette
	json    bool
	mail    bool
	columns int // of the screen that shows the mails; 0: as they are
	rows    []row
	wrong   int
}

type row struct {
	result story.Result
	differ string
}

func (d *demo) play(ctx context.Context, s story.Story) error {
	st, err := story.Open(s, story.Options{})
	if err != nil {
		return err
	}
	defer st.Close()
	if err := st.Run(ctx); err != nil {
		return err
	}
	r, err := st.Result(ctx)
	if err != nil {
		return err
	}
	differ := s.Differs(r, st.Builds())
	if u := st.Sim.Unknown(); len(u) > 0 {
		differ = strings.TrimPrefix(differ+"; the simulated account was asked what it does not know: "+strings.Join(u, ", "), "; ")
	}
	if differ != "" {
		d.wrong++
	}
	d.rows = append(d.rows, row{r, differ})
	if d.json {
		return writeLine(d.out, r)
	}
	if d.mail {
		d.mails(s.Name, st.Sim.Notices(), d.columns)
		if differ != "" {
			fmt.Fprintf(d.out, "%s\n", d.red(s.Name+" ended otherwise than it should: "+differ))
		}
		return nil
	}
	d.tell(s, st, differ)
	return nil
}

// inTurn orders beats of the same moment by the calls around them; builds
// end before all of them, and start after.
func inTurn(call int) int { return 10 * (call + 1) }

const last = 1 << 30

// fits is how many columns a text may have that takes most of them, with so many before it.
func (d *demo) fits(most, before int) int {
	if n := screen(d.out); n > 0 {
		return max(min(most, n-before), narrowest/2)
	}
	return most
}

// aside is how wide the lines are that belong to a beat.
func (d *demo) aside() int { return d.fits(98, 18) }

// beat is one moment of a story.
type beat struct {
	at   time.Time
	text string
	what int // orders beats of the same moment
}

// tell prints a story as a timeline.
func (d *demo) tell(s story.Story, st *story.Stage, differ string) {
	fmt.Fprintf(d.out, "%s\n", d.bold("▌ "+s.Name))
	for _, l := range wrapText(s.Comment, d.fits(92, 2)) {
		fmt.Fprintf(d.out, "%s\n", d.dim("  "+l))
	}
	beats := d.beats(s, st)
	slices.SortStableFunc(beats, func(a, b beat) int { return cmp.Or(a.at.Compare(b.at), a.what-b.what) })
	for i, b := range beats {
		when := fmt.Sprintf("%8s", clockFrom(beats[0].at, b.at))
		if i > 0 && clockFrom(beats[0].at, beats[i-1].at) == clockFrom(beats[0].at, b.at) {
			when = strings.Repeat(" ", 8)
		}
		fmt.Fprintf(d.out, "%s  %s\n", d.dim(when), b.text)
	}
	if differ != "" {
		fmt.Fprintf(d.out, "%s\n", d.red("  ended otherwise than it should: "+differ))
	}
	fmt.Fprintln(d.out)
}

func clockFrom(start, t time.Time) string {
	s := int(t.Sub(start).Round(time.Second) / time.Second)
	if s >= 24*3600 {
		return fmt.Sprintf("%dd %d:%02d", s/(24*3600), s/3600%24, s/60%60)
	}
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}

func (d *demo) beats(s story.Story, st *story.Stage) []beat {
	var bs []beat
	for _, b := range st.Builds() {
		how := "started by " + b.Initiator
		if b.Number > 1 {
			how = "started again"
		}
		bs = append(bs, beat{b.Start, fmt.Sprintf("%s build #%d %s", d.blue("▶"), b.Number,
			d.dim(how+" at "+cmp.Or(b.Version, "the default branch"))), last})
		if b.Status == "SUCCEEDED" {
			bs = append(bs, beat{b.End, d.green("✔ build #" + fmt.Sprint(b.Number) + " is green"), 0})
			continue
		}
		bs = append(bs, beat{b.End, d.red(fmt.Sprintf("✘ build #%d failed", b.Number)) + d.dim("  "+oneLine(b.Failure, 84)), 0})
		if line := denialIn(b.Log); line != "" {
			for _, w := range wrapText(oneLine(line, 150), d.aside()) {
				bs = append(bs, beat{b.End, d.dim("    │ ") + w, 1})
			}
		}
	}
	for _, c := range st.Sim.Calls() {
		if !c.Writes && c.Operation != "AssumeRole" || c.Service == "sqs" || c.Error != "" {
			continue
		}
		text := d.yellow("● "+c.Service+":"+c.Operation) + d.dim("  "+strings.Join(c.Resources, " "))
		if c.Service == "sns" {
			text = "✉ " + d.bold(c.About)
		}
		bs = append(bs, beat{c.At, text, inTurn(c.Seq)})
	}
	for _, a := range st.Asked {
		who := "● a person says "
		switch {
		case a.Person:
			who = "● a person: "
		case strings.Contains(a.Command, `"sweep"`):
			who = "● the schedule says "
		}
		bs = append(bs, beat{a.At, d.blue(who) + a.Command + d.dim("  "+oneLine(a.Message, 84)), inTurn(a.After) + 1})
	}
	for _, p := range st.Sim.Deployments() {
		bs = append(bs, beat{p.At, d.blue("● deployed ") + p.Path + " of " + p.Repository + d.dim("  to "+p.To), last})
	}
	return append(bs, d.changes(st)...)
}

// changes shows what each write added to the policy.
func (d *demo) changes(st *story.Stage) (bs []beat) {
	c, err := st.Case(context.Background())
	if err != nil {
		return nil // a story without a case has no changes
	}
	writes := policyWrites(st)
	for _, r := range c.Rounds {
		if r.Written.IsZero() || r.Decision == nil || r.Decision.Plan == nil || r.Decision.Plan.Write == nil {
			continue
		}
		before, _ := iampolicy.ParseLoose([]byte(r.Decision.Plan.Write.Before)) // "" is an empty document
		after, err := iampolicy.ParseLoose([]byte(r.Decision.Plan.Write.After))
		if err != nil {
			continue
		}
		for _, l := range iampolicy.Diff(before, after) {
			for _, w := range wrapText(strings.TrimPrefix(l, "+ "), d.aside()-len("+ ")) {
				bs = append(bs, beat{r.Written, d.dim("    │ ") + d.green("+ "+w), writes[r.Written] + 1})
			}
		}
	}
	return bs
}

const denied = "not authorized to perform"

// policyWrites tells the place of the last policy write of each moment.
func policyWrites(st *story.Stage) map[time.Time]int {
	at := map[time.Time]int{}
	for _, c := range st.Sim.Calls() {
		if c.Writes && c.Service == "iam" && c.Error == "" {
			at[c.At] = inTurn(c.Seq)
		}
	}
	return at
}

// denialIn picks the line of a log that a person would look for.
func denialIn(log string) string {
	found := ""
	for l := range strings.Lines(log) {
		for _, w := range []string{denied, "toomanyrequests", "does not exist in the registry"} {
			if i := strings.Index(l, w); i >= 0 && !strings.Contains(l, "Running command") {
				if found = strings.TrimSpace(l); w == denied && i > 24 {
					found = "… is " + strings.TrimSpace(l[i:])
				}
			}
		}
	}
	return found
}

func oneLine(s string, most int) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}

func wrapText(s string, width int) []string {
	var lines []string
	line := ""
	for _, w := range strings.Fields(s) {
		if line != "" && len(line)+1+len(w) > width {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimSpace(line + " " + w)
	}
	return append(lines, line)
}

// table sums the stories up.
func (d *demo) table() {
	cols := fit([]column{{width: 26}, {width: 19}, {width: 9, whole: true}, {width: 6, right: true, drop: 1}}, 16, screen(d.out))
	io.WriteString(d.out, d.bold(strings.TrimSuffix(tableRow(cols, "STORY", "CALLED FOR", "OUTCOME", "ROUNDS", "WROTE"),
		"\n"))+"\n")
	for _, r := range d.rows {
		outcome := string(r.result.Outcome)
		switch {
		case r.differ != "":
			outcome = d.red(outcome)
		case r.result.Outcome == "healed":
			outcome = d.green(outcome)
		default:
			outcome = d.yellow(outcome)
		}
		wrote := strings.Join(r.result.Calls, ", ")
		if wrote == "" {
			wrote = d.dim("nothing")
		}
		io.WriteString(d.out, tableRow(cols, r.result.Story, string(r.result.Remedy), outcome,
			strconv.Itoa(r.result.Rounds), wrote))
	}
	n := len(d.rows)
	verdict := d.green(fmt.Sprintf("all %d stories ended as they should", n))
	if n == 1 {
		verdict = d.green("it ended as it should")
	}
	if d.wrong > 0 {
		verdict = d.red(fmt.Sprintf("%d of %d stories ended otherwise than they should", d.wrong, n))
	}
	fmt.Fprintf(d.out, "\n%s\n", verdict)
}

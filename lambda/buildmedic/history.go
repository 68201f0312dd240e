package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/spf13/pflag"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/lazyregexp"
	"github.com/buildmedic/buildmedic/internal/notice"
	"github.com/buildmedic/buildmedic/internal/settings"
)

func runHistory(ctx context.Context, args []string, _ io.Reader, stdout, stderr io.Writer) int {
	fs := flags("history", "[-since WHEN] [-n N] [-flaky | -costs | -drift] [-days N] [-json] [-html FILE] [PROJECT]",
		"Lists cases, the open ones first, with what they have changed; then the closed ones with their\n"+
			"outcome, newest first; how many ended how; and what waits, for whom and until when. They are those\n"+
			"of the function, whose ledger the stack names, or of a local ledger.\n"+
			"With -flaky it lists the tests that failed and passed on the same commit instead, those that did most\n"+
			"often first; with -costs, what failed builds cost, by cause; with -drift, what was changed in IAM and\n"+
			"is not in code yet, the oldest first. With -html it also writes a page to decide with and to show: what\n"+
			"failed, what was healed and how long that took.",
		"buildmedic history -since 7d web", stderr)
	df := addDeskFlags(fs)
	n := fs.Int("n", 30, "how many to list at most")
	since := fs.String("since", "", "only cases that are open, or ended since then: a day, such as 2026-11-22, or how "+
		"long ago, such as 36h, 7d or 2w; with -costs and -html, in place of -days")
	asJSON := fs.Bool("json", false, "print JSON")
	flaky := fs.Bool("flaky", false, "list the flakiest tests, with the builds and minutes that they cost")
	costs := fs.Bool("costs", false, "say what failed builds cost, by cause")
	drifted := fs.Bool("drift", false, "list the changes in IAM that stand, how old they are, and whether code asks for them")
	days := fs.Int("days", 30, "of how many days -costs and -html tell, at most 90")
	html := fs.String("html", "", "write a page to decide with and to show, to `FILE`; - is standard output, in place of the list")
	if done, code := df.parse(fs, args, stdout); done {
		return code
	}
	switch {
	case fs.NArg() > 1 || *n < 1:
		return wrong(fs, "name one project, or none; -n is 1 or more")
	case *flaky && *costs, *drifted && (*flaky || *costs):
		return wrong(fs, "give one of -flaky, -costs and -drift")
	case *days < 1 || *days > 90:
		return wrong(fs, "-days is 1 to 90")
	case *html == "-" && *asJSON:
		return wrong(fs, "-html - is for standard output, and so is -json: give the page a file")
	}
	now := deskClock.Now()
	var from time.Time
	if *since != "" {
		var err error
		switch from, err = sinceWhen(*since, now); {
		case err != nil:
			return wrong(fs, "%v", err)
		case *flaky:
			return wrong(fs, "-flaky knows no -since: it tells of 30 days")
		case *drifted:
			return wrong(fs, "-drift knows no -since: it tells of all that stands")
		case (*costs || *html != "") && (fs.Changed("days") || now.Sub(from) > 90*24*time.Hour):
			return wrong(fs, "-costs and -html reach 90 days back; give -since or -days")
		}
	}
	again := strings.Join(append([]string{""}, df.hints().Flags...), " ")
	page, err := newPageFile(*html, stdout, stderr)
	if err != nil {
		return fail(stderr, err)
	}
	defer page.drop()
	return withLedger(ctx, df, stderr, func(h *heal.Healer) error {
		if *html == "" { // a page says of whom it tells
			if err := known(ctx, h, fs.Arg(0)); err != nil {
				return err
			}
		} else {
			begin := from
			if begin.IsZero() {
				begin = now.AddDate(0, 0, -*days)
			}
			if err := writeHistory(ctx, h, fs.Arg(0), begin, page); err != nil || *html == "-" {
				return err
			}
		}
		switch {
		case *flaky:
			ts, err := h.Flaky(ctx, fs.Arg(0), *n)
			if err == nil && *asJSON {
				return orError(printJSON(stdout, stderr, ts))
			}
			if err == nil {
				printFlaky(stdout, ts)
			}
			return err
		case *costs:
			if from.IsZero() {
				from = now.AddDate(0, 0, -*days)
			}
			c, err := h.Costs(ctx, fs.Arg(0), from, now.Add(time.Minute))
			if err == nil && *asJSON {
				return orError(printJSON(stdout, stderr, c))
			}
			if err == nil {
				printCosts(stdout, c)
			}
			return err
		}
		if *drifted {
			return writeDrift(ctx, h, fs.Arg(0), *n, *asJSON, stdout, stderr)
		}
		p, err := pastSince(ctx, h, fs.Arg(0), from, *n)
		if err != nil {
			return err
		}
		if *asJSON {
			return orError(printJSON(stdout, stderr, append([]listed{}, p.shown...))) // of none, too, an array
		}
		printHistory(stdout, p.shown, *df.table)
		printWaiting(stdout, p.waits, again)
		printTotals(stdout, p)
		paused, err := h.PausedProjects(ctx)
		if err != nil {
			return err
		}
		for _, p := range paused {
			if fs.Arg(0) == "" || fs.Arg(0) == p.Project {
				fmt.Fprintf(stdout, "project %s is paused since %s: %s\n", p.Project, p.Since.UTC().Format("2006-01-02 15:04"),
					plain(p.Because))
			}
		}
		if err := printIncidents(ctx, stdout, h); err != nil {
			return err
		}
		holds, err := h.Holds(ctx, fs.Arg(0), *n)
		for _, one := range holds {
			if !slices.ContainsFunc(p.shown, func(s listed) bool { return s.Case == one.Case }) {
				fmt.Fprintf(stdout, "%s, project %s, taken back by a person on %s, until %s resume: %s\n", one.Case, one.Project,
					one.At.UTC().Format("2006-01-02"), program, plain(one.What()))
			}
		}
		return err
	})
}

// known ensures that the settings or the ledger know the project, if one is named: nothing listed of a
// name that is mistyped would read as if nothing had failed.
func known(ctx context.Context, h *heal.Healer, project string) error {
	if project == "" || h.Settings != nil && slices.ContainsFunc(h.Settings.Projects, func(p settings.Project) bool {
		return p.Name == project
	}) {
		return nil
	}
	cases, err := h.History(ctx, project, 1)
	if err != nil || len(cases) > 0 {
		return err
	}
	if cases, err = h.History(ctx, "", 1); err != nil || len(cases) == 0 && h.Settings == nil {
		return err // of an empty ledger nobody can tell
	}
	where := "this ledger"
	if h.Settings != nil {
		where = "this ledger, nor in the settings"
	}
	return fmt.Errorf("there is no project %q in %s; `buildmedic history` lists the cases of all", project, where)
}

func printHistory(w io.Writer, cs []listed, table string) {
	switch {
	case len(cs) == 0 && table == "":
		fmt.Fprintln(w, "The local ledger has no such case. To read another, use -table NAME or -ledger FILE.")
		return
	case len(cs) == 0:
		fmt.Fprintf(w, "Table %q has no such case.\n", table)
		return
	}
	cols := fit([]column{{width: 17, whole: true}, {width: 16, drop: 1}, {width: 9, whole: true}, {width: 24}, {width: 18, drop: 2},
		{width: 6, right: true, whole: true, drop: 3}}, 20, screen(w))
	io.WriteString(w, tableRow(cols, "CASE", "CLOSED", "OUTCOME", "CAUSE", "REMEDY", "ROUNDS", "PROJECT"))
	for _, c := range cs {
		closed := "-"
		if !c.Closed.IsZero() {
			closed = c.Closed.UTC().Format("2006-01-02 15:04")
		}
		io.WriteString(w, tableRow(cols, c.Case, closed, string(c.Outcome), c.Cause, string(c.Remedy), strconv.Itoa(c.Rounds),
			c.Project))
		if len(c.FailedTests) > 0 {
			more := ""
			if c.MoreTests > 0 {
				more = fmt.Sprintf(" and %d more", c.MoreTests)
			}
			fmt.Fprintf(w, "  failed tests: %s%s\n", plain(strings.Join(c.FailedTests, ", ")), more)
		}
		if c.Follows != "" {
			fmt.Fprintf(w, "  %s case %s, whose build failed at the same point\n", followWord(c.Summary), c.Follows)
		}
		if c.Incident != "" {
			fmt.Fprintf(w, "  in incident %s, with failures of the same cause in other projects\n", plain(c.Incident))
		}
		for _, s := range c.Changed {
			fmt.Fprintf(w, "  has changed: %s\n", plain(s))
		}
		for _, s := range c.Held {
			fmt.Fprintf(w, "  taken back by a person, until %s resume: %s\n", program, plain(s))
		}
	}
}

func followWord(c heal.Summary) string {
	if c.Outcome == heal.Open {
		return "follows"
	}
	return "followed"
}

// withLedger runs f with a healer that has nothing but a ledger, and closes
// that: reading cases from a file needs neither AWS nor settings.
func withLedger(ctx context.Context, df deskFlags, stderr io.Writer, f func(*heal.Healer) error) int {
	if err := df.find(ctx, stderr); err != nil {
		return fail(stderr, err)
	}
	if *df.table == "" && *df.ledger != "" {
		if _, err := os.Stat(*df.ledger); err != nil {
			return fail(stderr, fmt.Errorf("there is no ledger to read: %w", err))
		}
	}
	h := &heal.Healer{Clock: deskClock}
	s, err := readSettings(*df.settings)
	switch {
	case err == nil:
		h.Settings = s // they only make the words better
	case *df.settings != defaultSettings:
		return fail(stderr, err)
	}
	store, done, err := openStore(df, func() (aws.Config, error) { return introduced(ctx, stderr) })
	if err != nil {
		return fail(stderr, err)
	}
	h.Store = store
	if err := errors.Join(f(h), done()); err != nil {
		return fail(stderr, err)
	}
	return exitOK
}

// withDesk opens the desk, runs f and closes it. Notices are printed if no
// topic takes them.
func withDesk(ctx context.Context, df deskFlags, notices, stderr io.Writer, f func(*desk) error) int {
	if err := df.find(ctx, stderr); err != nil {
		return fail(stderr, err)
	}
	d, err := openDesk(ctx, df, nil, notices, stderr)
	if err != nil {
		return fail(stderr, err)
	}
	if err := errors.Join(f(d), d.close()); err != nil {
		return fail(stderr, err)
	}
	return exitOK
}

func runShow(ctx context.Context, args []string, _ io.Reader, stdout, stderr io.Writer) int {
	fs := flags("show", "[-json] CASE", "Tells one case's whole story.", "buildmedic show -table TABLE 1160bc9cefbf0600", stderr)
	df := addDeskFlags(fs)
	asJSON := fs.Bool("json", false, "print JSON")
	if done, code := df.parse(fs, args, stdout); done {
		return code
	}
	if fs.NArg() != 1 {
		return wrong(fs, "name one case; `buildmedic history` lists them")
	}
	return withLedger(ctx, df, stderr, func(h *heal.Healer) error {
		c, err := h.Case(ctx, fs.Arg(0))
		if errors.Is(err, heal.ErrNotFound) {
			return fmt.Errorf("there is no case %q in this ledger; `buildmedic history` lists those that there are", fs.Arg(0))
		}
		if err != nil {
			return err
		}
		if *asJSON {
			return orError(printJSON(stdout, stderr, c))
		}
		fmt.Fprint(stdout, tellCase(c))
		k := c.Outcome
		if k == "" {
			k = decide.Retrying
		}
		hints := df.hints()
		hints.Replay, hints.Unstored = nil, true // it is being shown
		m := notice.Render(decide.Outcome{ID: c.ID, Kind: k, Case: c, Round: len(c.Rounds) - 1,
			Settings: h.Settings, Desk: hints, At: deskClock.Now()})
		fmt.Fprintf(stdout, "\n%s\n", m.Report)
		if c.Crowd != nil {
			all, err := h.History(ctx, "", everything)
			if err != nil {
				return err
			}
			printFollowers(stdout, c.ID, all)
		}
		versions, err := h.Kept(ctx, c)
		for _, v := range versions {
			fmt.Fprintf(stdout, "\nVersion %s of policy %s, made %s, was deleted to make room:\n%s\n", v.Version, v.Policy,
				v.Created.UTC().Format(time.RFC3339), v.Document)
		}
		return err
	})
}

// tellCase sums a case up, a line a round.
func tellCase(c decide.Case) string {
	var b strings.Builder
	state := "open"
	if !c.Closed.IsZero() {
		state = fmt.Sprintf("%s after %s", c.Outcome, c.Closed.Sub(c.Opened).Round(time.Second))
	}
	fmt.Fprintf(&b, "case %s  %s  commit %s  %s\n", c.ID, c.Project, c.Commit, state)
	if r := c.Rounds[len(c.Rounds)-1]; c.Outcome == decide.Proposed && !r.Until.IsZero() {
		fmt.Fprintf(&b, "  waits for an approval until %s\n", r.Until.UTC().Format("2006-01-02 15:04:05 UTC"))
	} else if c.Outcome == decide.Requested {
		for _, q := range r.Requests {
			fmt.Fprintf(&b, "  waits for %s (%s), for grant %s\n", plain(q.Name()), plain(string(q.State)), plain(q.Grant))
		}
	}
	for _, o := range c.Orders {
		b.WriteString("  " + tellOrder(o) + "\n")
	}
	for i, r := range c.Rounds {
		fmt.Fprintf(&b, "  round %d  build %s", i+1, r.Build.ID)
		if r.Diagnosis != nil {
			fmt.Fprintf(&b, "  %s", r.Diagnosis.Cause)
		}
		if r.Decision != nil {
			fmt.Fprintf(&b, "  %s", r.Decision.Remedy)
		}
		written := "written"
		if r.Partly {
			written = "written in part"
		}
		for _, s := range []struct {
			word string
			at   time.Time
		}{{written, r.Written}, {"started again", r.RetryAt}, {"undone", r.Undone}} {
			if !s.at.IsZero() {
				fmt.Fprintf(&b, "  %s %s", s.word, s.at.UTC().Format("15:04:05"))
			}
		}
		b.WriteString("\n")
		if r.Incident != "" {
			fmt.Fprintf(&b, "    in incident %s\n", plain(r.Incident))
		}
		if r.Abandoned != "" {
			fmt.Fprintf(&b, "    %s\n", r.Abandoned)
		}
	}
	return b.String()
}

func runUndo(ctx context.Context, args []string, _ io.Reader, stdout, stderr io.Writer) int {
	var cmd heal.Command
	cmd.Undo = &heal.UndoWhat{}
	return runCommand(ctx, "undo", "CASE", "Takes back everything that a case changed and that still stands, whether the\n"+
		"case is open or closed. Refuses, and shows the difference, where somebody has changed it\n"+
		"since. An open case is closed by that. What was taken back is not given again, whichever\n"+
		"the commit, until `buildmedic resume` lifts that.",
		"buildmedic undo -table TABLE 1160bc9cefbf0600", args,
		func(arg string) (heal.Command, error) {
			cmd.Undo.Case = arg
			return cmd, nil
		}, stdout, stderr)
}

func runApprove(ctx context.Context, args []string, _ io.Reader, stdout, stderr io.Writer) int {
	return runCommand(ctx, "approve", "PLAN", "Applies exactly the plan that was proposed under this SHA-256, or refuses if what it was\n"+
		"based on has changed. A plan can be approved once, until the time that its notice names.",
		"buildmedic approve -table TABLE "+examplePlan, args,
		func(arg string) (heal.Command, error) {
			what, err := planOf(arg)
			return heal.Command{Approve: what}, err
		}, stdout, stderr)
}

func runResume(ctx context.Context, args []string, _ io.Reader, stdout, stderr io.Writer) int {
	what := &heal.ResumeWhat{}
	return runCommandWith(ctx, "resume", "",
		"Allows changes again after a pause, such as the one with which remove ends: of the function\n"+
			"whose table it is, or of the local ledger. With -project it ends the pause of that project alone;\n"+
			"with -grant, too, it lifts an undo instead, so that the grant may be given again.",
		"buildmedic resume -table TABLE -project web -grant web-upload", args, func(fs *pflag.FlagSet) {
			fs.StringVar(&what.Project, "project", "", "the project whose changes were paused, or from which a grant was taken back")
			fs.StringVar(&what.Grant, "grant", "",
				"the id of the grant that was taken back; switch_role for a switched role; '*' for all of the project")
			fs.StringVar(&what.Account, "account", "", "the project's account, if several have a project of this name")
			fs.StringVar(&what.Region, "region", "", "its region, likewise")
		}, func(string) (heal.Command, error) {
			if what.Project == "" && *what != (heal.ResumeWhat{}) {
				return heal.Command{}, errors.New("name the project, too: -project NAME")
			}
			return heal.Command{Resume: what}, nil
		}, stdout, stderr)
}

// runCommand carries out a command of the function with the user's own
// credentials. what names the command's one argument; "" if it takes none.
func runCommand(ctx context.Context, name, what, about, example string, args []string,
	command func(string) (heal.Command, error), stdout, stderr io.Writer) int {
	return runCommandWith(ctx, name, what, about, example, args, func(*pflag.FlagSet) {}, command, stdout, stderr)
}

// answered is an answer with whose it is: a case may be of another region.
type answered struct {
	Account string `json:"account"`
	Region  string `json:"region"`
	heal.CommandAnswer
}

// undoPayload is what an answer of the healer says to send, where a desk has a command.
var undoPayload = lazyregexp.New(`\{"undo":\{"case":"([0-9a-f]+)"\}\}`)

// runCommandWith is [runCommand] with more flags.
func runCommandWith(ctx context.Context, name, what, about, example string, args []string, more func(*pflag.FlagSet),
	command func(string) (heal.Command, error), stdout, stderr io.Writer) int {
	fs := flags(name, strings.TrimSpace("[-table T] [-json] "+what), about, example, stderr)
	df := addDeskFlags(fs)
	more(fs)
	asJSON := fs.Bool("json", false, "print JSON")
	if done, code := df.parse(fs, args, stdout); done {
		return code
	}
	switch {
	case what == "" && fs.NArg() > 0:
		return wrong(fs, "it takes no argument")
	case what != "" && fs.NArg() != 1:
		return wrong(fs, "name one %s; `buildmedic history` lists them", strings.ToLower(what))
	}
	cmd, err := command(fs.Arg(0))
	if err != nil {
		return wrong(fs, "%v", err)
	}
	notices := stdout
	if *asJSON {
		notices = stderr
	}
	return withDesk(ctx, df, notices, stderr, func(d *desk) error {
		a, err := d.healer.Do(ctx, cmd)
		if err != nil {
			return err
		}
		if a.Done && a.Case != nil && a.Case.Closed.IsZero() {
			c, err := d.follow(ctx, a.Case.ID, stderr)
			if err != nil {
				return err
			}
			a.Case = &c
		}
		if *asJSON {
			err = orError(printJSON(stdout, stderr, answered{d.home.ID, d.home.Region, a}))
		} else {
			fmt.Fprintln(stdout, undoPayload.ReplaceAllStringFunc(a.Message, func(payload string) string {
				return "`" + d.hints.Line("undo", undoPayload.FindStringSubmatch(payload)[1]) + "`"
			}))
		}
		if !a.Done && err == nil {
			err = errors.New("it was not done")
		}
		return err
	})
}

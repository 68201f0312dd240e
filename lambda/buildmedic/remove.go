package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/settings"
)

func runRemove(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	fs := flags("remove", "[-table T] [-settings F] [-yes] [-wait D] [-json]",
		"Takes back everything that all cases have changed and that still stands, open cases included,\n"+
			"before the function is deleted. It shows what that is, asks, pauses the function, undoes the\n"+
			"changes, and says what is left. The function stays paused. With -table it works on the\n"+
			"function's ledger, with your own credentials, which need the function's permissions.\n"+
			"Exits with 1 if anything is left.",
		"buildmedic remove -table TABLE -settings infra/buildmedic.yaml", stderr)
	df := addDeskFlags(fs)
	fs.Lookup("topic").Usage = "ARN of an SNS topic to send notices to; default: none is sent"
	yes := fs.Bool("yes", false, "do not ask")
	wait := fs.Duration("wait", 15*time.Minute, "how long to wait for cases that the function is working on")
	asJSON := fs.Bool("json", false, "print what was done, and what is left, as JSON")
	if done, code := df.parse(fs, args, stdout); done {
		return code
	}
	if fs.NArg() > 0 || *wait < 0 {
		return wrong(fs, "it takes no name: it is about all cases; `buildmedic undo CASE` is about one")
	}
	talk := stdout
	if *asJSON {
		talk = stderr
	}
	code := exitOK
	failed := withDesk(ctx, df, io.Discard, stderr, func(d *desk) error {
		r := removal{desk: d, in: stdin, talk: talk, progress: stderr, yes: *yes, wait: *wait, who: "The function"}
		if *df.table == "" {
			r.who = "This command"
			fmt.Fprintln(talk, "This is about the local ledger. For the function's, use -table NAME.")
		}
		out, err := r.run(ctx)
		if err != nil {
			return err
		}
		if !out.Complete {
			code = exitFailed
		}
		if *asJSON {
			return orError(printJSON(stdout, stderr, out))
		}
		return nil
	})
	return max(code, failed)
}

// removal is one run of the command.
type removal struct {
	desk     *desk
	in       io.Reader
	talk     io.Writer // what persons read
	progress io.Writer
	who      string // whose ledger it is
	yes      bool
	wait     time.Duration
}

// removed is what `remove -json` prints.
type removed struct {
	Account    string     `json:"account"`
	Region     string     `json:"region"`
	Complete   bool       `json:"complete"` // nothing is left that the ledger knows of
	Paused     bool       `json:"paused"`
	TakenBack  []standing `json:"taken_back"`
	Left       []standing `json:"left"`
	LedgerFrom time.Time  `json:"ledger_from"` // of cases closed before, the ledger may know nothing
}

// standing is a case with changes that stand, or stood.
type standing struct {
	Case    string   `json:"case"`
	Account string   `json:"account,omitempty"`
	Project string   `json:"project,omitempty"`
	Role    string   `json:"role,omitempty"`
	Open    bool     `json:"open"`
	Changes []string `json:"changes"`
	Why     string   `json:"why,omitempty"` // it is left
}

func standingOf(c decide.Case) standing {
	s := standing{Case: c.ID, Account: c.Account, Project: c.Project, Open: c.Closed.IsZero(), Changes: heal.Changes(c)}
	for _, r := range c.Rounds {
		if r.Decision != nil && r.Decision.Plan != nil && r.Decision.Plan.Role != "" {
			s.Role = r.Decision.Plan.Role[strings.LastIndexByte(r.Decision.Plan.Role, '/')+1:]
		}
	}
	return s
}

func (r removal) run(ctx context.Context) (removed, error) {
	out := removed{Account: r.desk.home.ID, Region: r.desk.home.Region, TakenBack: []standing{}, Left: []standing{}}
	l, err := r.desk.healer.Standing(ctx)
	if err != nil {
		return out, err
	}
	r.show(l)
	if !r.yes && len(l.Standing)+len(l.Open) > 0 && !r.asked() {
		fmt.Fprintln(r.talk, "Nothing was changed.")
		return r.result(l, out, map[string]string{}), nil
	}
	var pause heal.Command
	pause.Pause = &heal.PauseWhat{Because: "buildmedic remove"}
	if _, err := r.desk.healer.Do(ctx, pause); err != nil {
		return out, err
	}
	out.Paused = true
	why := map[string]string{}
	if err := r.undoAll(ctx, &out, why); err != nil {
		return out, err
	}
	if l, err = r.desk.healer.Standing(ctx); err != nil {
		return out, err
	}
	out = r.result(l, out, why)
	r.tell(l, out)
	return out, nil
}

// between is how long it waits before it looks again at cases that the function
// is working on.
const between = 15 * time.Second

// undoAll undoes what can be undone, until nothing more can or the time is over.
// One undo may make another possible, such as that of an older change of the
// same policy.
func (r removal) undoAll(ctx context.Context, out *removed, why map[string]string) error {
	end := deskClock.Now().Add(r.wait)
	for {
		l, err := r.desk.healer.Standing(ctx)
		if err != nil {
			return err
		}
		progress := false
		busy := slices.ContainsFunc(l.Open, func(c decide.Case) bool { return deskClock.Now().Before(c.Busy) })
		for _, c := range l.Standing {
			before := standingOf(c)
			a, err := r.undoOne(ctx, c)
			why[c.ID] = a.Message
			if errors.Is(err, heal.ErrLater) {
				busy = true
				continue
			}
			if ctx.Err() != nil {
				return stopped{"run it again to continue", ctx.Err()}
			}
			if a.TookBack > 0 {
				progress = true
				after := heal.Changes(*a.Case)
				before.Changes = slices.DeleteFunc(before.Changes, func(s string) bool { return slices.Contains(after, s) })
				out.TakenBack = append(out.TakenBack, before)
			}
		}
		switch {
		case progress:
			continue
		case !busy, !deskClock.Now().Before(end):
			return nil
		}
		fmt.Fprintln(r.progress, "waiting for cases that the function is working on")
		if err := deskClock.Sleep(ctx, between); err != nil {
			return stopped{"run it again to continue", err}
		}
	}
}

// undoOne undoes one case. The answer's message says why something is left.
func (r removal) undoOne(ctx context.Context, c decide.Case) (heal.CommandAnswer, error) {
	if c.Account != r.desk.home.ID {
		return heal.CommandAnswer{Message: fmt.Sprintf("It is in account %s, which only the function can change. "+
			"Send it {\"undo\":{\"case\":%q}}.", c.Account, c.ID)}, nil
	}
	var cmd heal.Command
	cmd.Undo = &heal.UndoWhat{Case: c.ID}
	a, err := r.desk.healer.Do(ctx, cmd)
	if err != nil {
		a.Message = err.Error()
	}
	return a, err
}

// result says what is left.
func (r removal) result(l heal.Inventory, out removed, why map[string]string) removed {
	for _, c := range l.Standing {
		s := standingOf(c)
		s.Why = cmp.Or(why[c.ID], "It was not taken back.")
		out.Left = append(out.Left, s)
	}
	for _, id := range l.Lost {
		out.Left = append(out.Left, standing{Case: id, Changes: []string{},
			Why: "The ledger knows that it was closed, and no longer what it changed."})
	}
	if l.Cut {
		out.Left = append(out.Left, standing{Changes: []string{},
			Why: "There are more closed cases than can be read at once. Run it again."})
	}
	for _, c := range l.Open {
		if deskClock.Now().Before(c.Busy) {
			s := standingOf(c)
			s.Changes = []string{}
			s.Why = "The function is still working on it. Run it again in a few minutes."
			out.Left = append(out.Left, s)
		}
	}
	out.LedgerFrom, out.Complete = l.From, len(out.Left) == 0
	return out
}

func (r removal) asked() bool {
	fmt.Fprint(r.talk, "\nPause and take this back? Type yes: ")
	line, _ := bufio.NewReader(r.in).ReadString('\n')
	return strings.TrimSpace(line) == "yes"
}

// show prints what would be taken back, by project and role.
func (r removal) show(l heal.Inventory) {
	if len(l.Standing) == 0 {
		fmt.Fprintln(r.talk, "No case in the ledger has a change that stands.")
	} else {
		fmt.Fprintf(r.talk, "%s with changes that stand:\n", count(len(l.Standing), "case"))
	}
	var lines []standing
	for _, c := range l.Standing {
		lines = append(lines, standingOf(c))
	}
	printStanding(r.talk, lines)
	if n := len(l.Open); n > 0 {
		fmt.Fprintf(r.talk, "%s open and changed nothing so far.\n", countIs(n, "case"))
	}
}

func countIs(n int, what string) string {
	if n == 1 {
		return "1 " + what + " is"
	}
	return fmt.Sprintf("%d %ss are", n, what)
}

func printStanding(w io.Writer, ss []standing) {
	ss = slices.Clone(ss)
	slices.SortStableFunc(ss, func(a, b standing) int {
		return cmp.Or(strings.Compare(a.Account, b.Account), strings.Compare(a.Project, b.Project),
			strings.Compare(a.Role, b.Role))
	})
	head := ""
	for _, s := range ss {
		if h := fmt.Sprintf("%s (role %s, account %s)", s.Project, cmp.Or(s.Role, "unknown"),
			s.Account); h != head && s.Project != "" {
			head = h
			fmt.Fprintf(w, "\n%s\n", head)
		}
		state := "closed"
		if s.Open {
			state = "open"
		}
		if s.Case != "" {
			fmt.Fprintf(w, "  case %s, %s\n", s.Case, state)
		}
		for _, c := range s.Changes {
			fmt.Fprintf(w, "    %s\n", c)
		}
		if s.Why != "" {
			for _, l := range wrapped(s.Why, textWidth(w)-4) {
				fmt.Fprintf(w, "    %s\n", l)
			}
		}
	}
}

// tell prints what was done and what is left.
func (r removal) tell(l heal.Inventory, out removed) {
	w := r.talk
	fmt.Fprintf(w, "\n%s is paused: it changes nothing until {\"resume\":{}}, or `%s resume` with the same flags.\n", r.who, program)
	if len(out.TakenBack) > 0 {
		n := 0
		for _, s := range out.TakenBack {
			n += len(s.Changes)
		}
		fmt.Fprintf(w, "%s taken back:\n", count(n, "change"))
		printStanding(w, out.TakenBack)
	}
	if len(out.Left) > 0 {
		fmt.Fprintf(w, "\nLeft:\n")
		printStanding(w, out.Left)
	} else {
		fmt.Fprintln(w, "\nNothing is left that the ledger knows of.")
	}
	fmt.Fprintf(w, "\nThe ledger keeps a case for 90 days after it was closed. Changes by cases that were closed before %s\n"+
		"are not in it.", l.From.UTC().Format("2006-01-02"))
	if places := writes(r.desk.healer.Settings); len(places) > 0 {
		fmt.Fprintf(w, " Settings let the function write here; look for yourself if it is older than that:\n")
		for _, p := range places {
			fmt.Fprintf(w, "  %s\n", p)
		}
		return
	}
	fmt.Fprintln(w)
}

// writes lists what the settings let the function change, besides repositories.
func writes(s *settings.Settings) (out []string) {
	for _, p := range settings.Roles(s.Projects) {
		switch {
		case p.Mode == settings.Observe:
			continue
		case p.Write.Attach:
			out = append(out, fmt.Sprintf("policies /buildmedic/* attached to role %s", p.Role))
		case p.Write.Inline != "" || p.Write.Managed != "":
			out = append(out, strings.TrimPrefix(writeWay(p.Write), "a new version of ")+" of role "+p.Role)
		}
		if p.SwitchRole != "" {
			out = append(out, fmt.Sprintf("the role of project %s, switched from %s to %s", p.Name, p.Role, p.SwitchRole))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

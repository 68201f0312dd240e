package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/notice"
	"github.com/buildmedic/buildmedic/internal/settings"
)

func runReplay(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	fs := flags("replay", "[-settings F] [-apply|-pull-request] [-json] BUILD_ID",
		"Diagnoses a real failed build with your own AWS credentials, and shows what would be done.\n"+
			"With -apply it does it, after showing the difference and asking. Nothing needs to be deployed.\n"+
			"With -pull-request it asks for it in the repository that owns the role's policy (write: {code: …}), as you:\n"+
			"with the token in GH_TOKEN or GITHUB_TOKEN. It opens one request for each grant, or finds the one that is open.\n"+
			"BUILD_ID is PROJECT:UUID or the build's ARN.",
		"buildmedic replay -settings infra/buildmedic.yaml web:8745a7a9-c340-456a-9166-edf953571b00", stderr)
	df := addDeskFlags(fs)
	apply := fs.Bool("apply", false, "do it, after asking")
	pullRequest := fs.Bool("pull-request", false, "ask for it by a pull request, after asking you")
	yes := fs.Bool("yes", false, "with -apply and -pull-request: do not ask")
	asJSON := fs.Bool("json", false, "print the case as JSON")
	if done, code := df.parse(fs, args, stdout); done {
		return code
	}
	if fs.NArg() != 1 {
		return wrong(fs, "name one build")
	}
	if *apply && *pullRequest {
		return wrong(fs, "-apply and -pull-request exclude each other")
	}
	if _, action := codebuild.ParseActionID(fs.Arg(0)); !action && !strings.Contains(fs.Arg(0), ":") {
		return wrong(fs, "%q is no build: write PROJECT:UUID, or the build's ARN", fs.Arg(0))
	}
	// A person at the desk asks for it: what the settings would only observe
	// is done when the person says so. What may be granted stays as it is.
	mode := func(s *settings.Settings) {
		for i := range s.Projects {
			if *apply {
				s.Projects[i].Mode = settings.Heal
			}
		}
	}
	talk := stdout
	if *asJSON {
		talk = stderr
	}
	if *apply { // what is only shown is kept in no ledger
		if err := df.find(ctx, stderr); err != nil {
			return fail(stderr, err)
		}
	}
	d, err := openDesk(ctx, df, mode, talk, stderr)
	if err != nil {
		return fail(stderr, err)
	}
	defer d.close()
	r := replay{desk: d, in: stdin, out: stdout, talk: talk, err: stderr, apply: *apply, pullRequest: *pullRequest, yes: *yes,
		json: *asJSON}
	if err := r.run(ctx, fs.Arg(0)); err != nil {
		return fail(stderr, err)
	}
	return exitOK
}

type replay struct {
	desk                          *desk
	in                            io.Reader
	out, err                      io.Writer
	talk                          io.Writer // what persons read: out, or err beside JSON
	apply, pullRequest, yes, json bool
}

func (r replay) run(ctx context.Context, build string) error {
	at := r.desk.home
	if a, id, ok := codebuild.ParseBuildARN(build); ok {
		at, build = settings.AccountOf(a), id
	} else if a, id, ok := codebuild.ParseActionARN(build); ok {
		at, build = settings.AccountOf(a), id
	}
	if at.ID != r.desk.home.ID {
		return fmt.Errorf("build %q is in account %s, and these credentials are of account %s: set AWS_PROFILE to "+
			"one of that account", build, at.ID, r.desk.home.ID)
	}
	c, err := r.desk.healer.Look(ctx, at, build)
	if errors.Is(err, heal.ErrNotFound) {
		return fmt.Errorf("there is no build %q in account %s, region %s", build, at.ID, at.Region)
	}
	if errors.Is(err, heal.ErrFinal) {
		return fmt.Errorf("%w; `buildmedic diagnose` explains a log without settings", err)
	}
	if err != nil {
		return err
	}
	round := c.Rounds[0]
	if r.apply || r.pullRequest || !r.json {
		r.show(c)
	}
	if r.pullRequest {
		return r.pullRequests(ctx, c)
	}
	if !r.apply || round.Decision.Plan == nil {
		return r.result(c)
	}
	if p := round.Decision.Plan; p.InCode() { // which the function waits for, and nobody does at a desk
		return fmt.Errorf("what project %s is granted belongs into %s: say -pull-request in the place of -apply, and it is "+
			"asked for there", c.Project, p.Write.Name)
	}
	if !r.yes && !r.asked() {
		fmt.Fprintln(r.talk, "Nothing was changed.")
		return r.result(c)
	}
	var cmd heal.Command
	cmd.Replay = &heal.ReplayWhat{Build: round.Build.ID, Account: at.ID, Region: at.Region}
	answer, err := r.desk.healer.Do(ctx, cmd)
	if err != nil {
		return err
	}
	if !answer.Done {
		return errors.New(answer.Message)
	}
	done, err := r.desk.follow(ctx, answer.Case.ID, r.err)
	if err != nil {
		return err
	}
	if done.Outcome == decide.Proposed && sameWrite(round.Decision, done.Rounds[len(done.Rounds)-1].Decision) {
		// It needs a person's approval whatever the mode, and that was given above.
		if done, err = r.approve(ctx, done); err != nil {
			return err
		}
	}
	fmt.Fprintf(r.talk, "\ncase %s: %s\n", done.ID, done.Outcome)
	return r.result(done)
}

// result prints the case for programs, if they asked.
func (r replay) result(c decide.Case) error {
	if !r.json {
		return nil
	}
	return orError(printJSON(r.out, r.err, c))
}

func orError(code int) error {
	if code != exitOK {
		return errors.New("printing failed")
	}
	return nil
}

// show prints what a notice would tell of the case in mode observe: nothing
// has been done yet, whatever the project's mode is.
func (r replay) show(c decide.Case) {
	d := *c.Rounds[0].Decision
	d.Mode = settings.Observe
	c.Rounds = slices.Clone(c.Rounds)
	c.Rounds[0].Decision = &d
	hints := r.desk.hints
	hints.Unstored = true
	m := notice.Render(decide.Outcome{ID: c.ID, Kind: decide.Reported, Case: c, Settings: r.desk.healer.Settings,
		Home: r.desk.home, Desk: hints, At: deskClock.Now()})
	fmt.Fprintf(r.talk, "%s\n\n%s\n", m.Subject, m.Report)
}

func (r replay) asked() bool {
	fmt.Fprint(r.talk, "Do this? Type yes: ")
	line, _ := bufio.NewReader(r.in).ReadString('\n')
	return strings.TrimSpace(line) == "yes"
}

// sameWrite reports whether what is proposed is what the person was shown.
func sameWrite(shown, proposed *decide.Decision) bool {
	return proposed != nil && proposed.Plan != nil && proposed.Plan.Write != nil && shown.Plan.Write != nil &&
		shown.Plan.Role == proposed.Plan.Role &&
		shown.Plan.Write.Name == proposed.Plan.Write.Name && shown.Plan.Write.After == proposed.Plan.Write.After
}

// approve carries out what the case proposes.
func (r replay) approve(ctx context.Context, c decide.Case) (decide.Case, error) {
	var cmd heal.Command
	cmd.Approve = &heal.PlanWhat{Plan: c.Rounds[len(c.Rounds)-1].Decision.Plan.Hash()}
	answer, err := r.desk.healer.Do(ctx, cmd)
	if err != nil {
		return c, err
	}
	if !answer.Done {
		return c, errors.New(answer.Message)
	}
	return r.desk.follow(ctx, c.ID, r.err)
}

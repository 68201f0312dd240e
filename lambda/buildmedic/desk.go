package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/spf13/pflag"

	"github.com/buildmedic/buildmedic/internal/awsapi"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/ledger"
	"github.com/buildmedic/buildmedic/internal/notice"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// timeKeeper is the time at the desk: a test puts simulated time here.
type timeKeeper interface {
	heal.Clock
	Sleep(ctx context.Context, d time.Duration) error
}

type wallClock struct{}

func (wallClock) Now() time.Time { return time.Now() }

func (wallClock) Sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

var deskClock timeKeeper = wallClock{}

// desk is the healer with the user's own AWS credentials, and nothing
// deployed.
type desk struct {
	cfg       aws.Config
	hints     decide.Desk
	healer    *heal.Healer
	codebuild awsapi.CodeBuild
	code      ownCode
	home      settings.Account
	queue     *deskQueue
	store     heal.Store
	close     func() error // closes the ledger
}

// deskFlags are the flags of every command that works on an account.
type deskFlags struct {
	settings, table, stack, ledger, topic *string
	all                                   *pflag.FlagSet
}

// hints is how commands that are offered must be called: as this one was, with the flags that were
// given. Of replay's own, -apply or -pull-request is what is offered.
func (f deskFlags) hints() decide.Desk {
	d := decide.Desk{Program: program}
	f.all.Visit(func(g *pflag.Flag) {
		word := "-" + g.Name + "=" + shellWord(g.Value.String())
		switch {
		case g.Value.Type() == "bool" && g.Value.String() == "true":
			word = "-" + g.Name
		case g.Value.Type() != "bool":
			word = "-" + g.Name + " " + shellWord(g.Value.String())
		}
		switch g.Name {
		case "settings", "table", "stack", "ledger", "topic":
			d.Flags = append(d.Flags, word)
		case "apply", "pull-request":
		default:
			d.Replay = append(d.Replay, word)
		}
	})
	return d
}

func addDeskFlags(fs *pflag.FlagSet) deskFlags {
	return deskFlags{
		all:      fs,
		settings: fs.String("settings", defaultSettings, "settings file"),
		table: fs.String("table", "", "work on the function's own ledger: the name of its DynamoDB table. Default: the "+
			"stack's output TableName says it"),
		stack: fs.String("stack", "Buildmedic", "the function's stack"),
		ledger: fs.String("ledger", "", "work on a local ledger: its file. Default, where there is no stack: "+
			"buildmedic/ledger.json in the user's configuration folder"),
		topic: fs.String("topic", "", "ARN of an SNS topic to send notices to; default: they are printed"),
	}
}

// parse reads a command's flags, as the function of that name does.
func (f deskFlags) parse(fs *pflag.FlagSet, args []string, stdout io.Writer) (done bool, code int) {
	if done, code := parse(fs, args, stdout); done {
		return true, code
	}
	if *f.table != "" && *f.ledger != "" {
		return true, wrong(fs, "-table and -ledger exclude each other")
	}
	return false, exitOK
}

// openDesk finds out who calls and makes the healer.
func openDesk(ctx context.Context, f deskFlags, change func(*settings.Settings), notices, stderr io.Writer) (*desk, error) {
	s, err := readSettings(*f.settings)
	if err != nil {
		return nil, err
	}
	if change != nil {
		change(s)
	}
	cfg, err := introduced(ctx, stderr)
	if err != nil {
		return nil, err
	}
	id := sessionOf(cfg).id
	d := &desk{cfg: cfg, hints: f.hints(), home: settings.Account{ID: id.Account, Region: cfg.Region}, queue: &deskQueue{}}
	if d.store, d.close, err = openStore(f, func() (aws.Config, error) { return cfg, nil }); err != nil {
		return nil, err
	}
	d.healer = awsapi.Wire(awsapi.Wiring{Config: cfg, Identity: id, Region: cfg.Region, Settings: s,
		Store: d.store, Topic: *f.topic,
		Journal: io.Discard, Clock: deskClock, Sleep: deskClock.Sleep, Log: slog.New(slog.DiscardHandler)})
	d.healer.Queue = d.queue
	if *f.topic == "" {
		d.healer.Notifier = printer{notices, f.hints()}
	}
	accounts := awsapi.NewAccounts(cfg, d.home, id.Partition, "")
	d.codebuild = awsapi.CodeBuild{Accounts: accounts}
	d.code = ownCode{accounts, d.home, s.GitHubHost()}
	d.healer.PolicyCode = d.code
	return d, nil
}

// openReader makes a desk that only reads, and needs no settings and no ledger.
func openReader(ctx context.Context, stderr io.Writer) (*desk, error) {
	cfg, err := introduced(ctx, stderr)
	if err != nil {
		return nil, err
	}
	return newReader(cfg, sessionOf(cfg).id), nil
}

func newReader(cfg aws.Config, id awsapi.Identity) *desk {
	home := settings.Account{ID: id.Account, Region: cfg.Region}
	h := awsapi.Wire(awsapi.Wiring{Config: cfg, Identity: id, Region: cfg.Region, Settings: &settings.Settings{},
		Clock: deskClock, Sleep: deskClock.Sleep, Log: slog.New(slog.DiscardHandler)})
	return &desk{cfg: cfg, healer: h, home: home,
		codebuild: awsapi.CodeBuild{Accounts: awsapi.NewAccounts(cfg, home, id.Partition, "")}}
}

// localLedger is the file of the ledger of commands that are given none, and find none.
func localLedger() (string, error) {
	dir, err := ownFolder(os.UserConfigDir)
	if err != nil {
		return "", fmt.Errorf("finding a place for the ledger: %w; name one with -ledger", err)
	}
	return filepath.Join(dir, "buildmedic", "ledger.json"), nil
}

// openStore opens the ledger that the flags name. Only the function's own
// table needs AWS.
func openStore(f deskFlags, config func() (aws.Config, error)) (heal.Store, func() error, error) {
	if *f.table != "" {
		cfg, err := config()
		if err != nil {
			return nil, nil, err
		}
		return awsapi.NewDynamoDB(dynamodb.NewFromConfig(cfg), *f.table, deskClock), func() error { return nil }, nil
	}
	path := *f.ledger
	if path == "" {
		var err error
		if path, err = localLedger(); err != nil {
			return nil, nil, err
		}
	}
	file, err := ledger.OpenFile(path, deskClock)
	if err != nil {
		return nil, nil, err
	}
	return file, file.Close, nil
}

// deskQueue remembers when the healer wants to be called back; the command
// waits and calls.
type deskQueue struct {
	caseID string
	at     time.Time
}

// Later implements heal.Queue.
func (q *deskQueue) Later(_ context.Context, caseID string, at time.Time) error {
	q.caseID, q.at = caseID, at
	return nil
}

// Cure implements heal.Queue. At a desk nothing is put off.
func (q *deskQueue) Cure(ctx context.Context, caseID string) error {
	return q.Later(ctx, caseID, time.Time{})
}

// Release implements heal.Queue. At a desk no case follows another one; those that follow one of
// the function's are released by its sweep.
func (q *deskQueue) Release(context.Context, heal.Release, time.Time) error { return nil }

// printer implements heal.Notifier on the terminal.
type printer struct {
	w     io.Writer
	hints decide.Desk
}

// Notify implements heal.Notifier.
func (p printer) Notify(ctx context.Context, o decide.Outcome, turn heal.Await) error {
	o.Desk = p.hints
	return p.print(ctx, notice.Render(o), turn)
}

// Digest implements heal.Notifier.
func (p printer) Digest(ctx context.Context, os []decide.Outcome, turn heal.Await) error {
	return p.print(ctx, notice.Digest(os), turn)
}

// Week implements heal.Notifier.
func (p printer) Week(ctx context.Context, w decide.Week, turn heal.Await) error {
	return p.print(ctx, notice.Week(w), turn)
}

func (p printer) print(ctx context.Context, m notice.Message, turn heal.Await) error {
	if err := turn(ctx); err != nil {
		return err
	}
	_, err := fmt.Fprintf(p.w, "\n%s\n\n%s\n", m.Subject, m.Email)
	return err
}

// follow stays with a case until it is closed: it waits where the healer
// waits, and looks after the builds that it started.
func (d *desk) follow(ctx context.Context, caseID string, progress io.Writer) (decide.Case, error) {
	said := ""
	for {
		c, err := d.healer.Case(ctx, caseID)
		if err != nil {
			return c, err
		}
		if !c.Closed.IsZero() {
			return c, nil
		}
		r := c.Rounds[len(c.Rounds)-1]
		wait := 10 * time.Second
		switch {
		case deskClock.Now().Before(r.NotYet):
			wait = r.NotYet.Sub(deskClock.Now())
			fmt.Fprintf(progress, "waiting %s\n", wait.Round(time.Second))
		case r.Retry != "" && r.Retry != said: // once: it is looked at every ten seconds
			fmt.Fprintf(progress, "build %s runs; its end is waited for\n", r.Retry)
			said = r.Retry
		}
		if err := deskClock.Sleep(ctx, wait); err != nil {
			return c, stopped{fmt.Sprintf("`%s` continues case %s", d.hints.Line("replay", "-apply "+c.Rounds[0].Build.ID), caseID), err}
		}
		if err := d.goOn(ctx, c); err != nil && !errors.Is(err, heal.ErrLater) {
			return c, err
		}
	}
}

// goOn does what an event would make the function do.
func (d *desk) goOn(ctx context.Context, c decide.Case) error {
	r := c.Rounds[len(c.Rounds)-1]
	if r.Step != decide.StepRetried || r.Retry == "" {
		return d.healer.Resume(ctx, c.ID)
	}
	at := settings.Account{ID: c.Account, Region: c.Region}
	b, err := d.codebuild.Get(ctx, at, r.Retry)
	if err != nil {
		return err
	}
	return d.healer.BuildEnded(ctx, heal.Ended{At: at, Project: c.Project, Build: b.ID, Status: b.Status, End: b.End})
}

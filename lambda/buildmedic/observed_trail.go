package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/buildmedic/buildmedic/internal/awsapi"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/observe"
)

const (
	// trailDays is how far CloudTrail's event history reaches (AWS.md#cloudtrail).
	trailDays = 90
	// trailLate is how long after a build's end its events may still be missing.
	trailLate = 15 * time.Minute
)

// caller is the caller's account and region, with clients that keep CloudTrail's pace.
func (f *finding) caller(ctx context.Context) (context.Context, *desk, error) {
	cfg, err := f.config()
	if err != nil {
		return ctx, nil, err
	}
	d := newReader(newPatience(cfg.Region).apply(cfg), sessionOf(cfg).id)
	return context.WithValue(ctx, patient{}, true), d, nil
}

// here reports whether the project is of the account and region that the caller's credentials are of.
func here(p *observe.Project, d *desk) bool {
	return p.Account == d.home.ID && p.Region == d.home.Region
}

// calls reads from CloudTrail what green builds did. What cannot be read of a project is said, and
// then nothing of it is known to be unused.
func (f *finding) calls(ctx context.Context) error {
	ctx, d, err := f.caller(ctx)
	if err != nil {
		return err
	}
	trail := awsapi.CloudTrail{Accounts: awsapi.NewAccounts(d.cfg, d.home, sessionOf(d.cfg).id.Partition, "")}
	var all trailed
	for i := range f.projects {
		p := &f.projects[i]
		if !f.shares(f.settings.Projects[i]) {
			continue
		}
		if p.Account == "" {
			p.Account = d.home.ID
		}
		if p.Region == "" {
			p.Region = d.home.Region
		}
		if !here(p, d) {
			all.unread = append(all.unread, p.Name+" (of another account or region)")
			continue
		}
		if err := all.read(ctx, f, d, trail, p); err != nil {
			if ctx.Err() != nil || hopeless(err, sessionOf(d.cfg)) != nil {
				return err
			}
			all.unread = append(all.unread, p.Name+" ("+reason(err)+")")
		}
	}
	f.sources = append(f.sources, all.source())
	return nil
}

// trailName is CloudTrail's name as a source.
const trailName = "CloudTrail"

// trailed sums up what was read from CloudTrail.
type trailed struct {
	builds, events int
	from, to       time.Time
	unread, cut    []string // projects
}

func (t *trailed) read(ctx context.Context, f *finding, d *desk, trail awsapi.CloudTrail, p *observe.Project) error {
	builds, err := f.green(ctx, d, p)
	if err != nil || len(builds) == 0 {
		return err
	}
	say(f.stderr, "CloudTrail is asked what %s of project %s did: two calls a second, so at least %s.", count(len(builds), "build"),
		p.Name, (time.Duration(len(builds)) * time.Second / trailPace).Round(time.Second))
	whole := true
	for _, b := range builds {
		records, all, err := trail.Records(ctx, b)
		if err != nil {
			return fmt.Errorf("looking up the calls of build %q: %w", b.ID, err)
		}
		told := false
		for _, r := range records {
			if p.AddRecord(b, r) {
				t.events++
				told = true
			}
		}
		// A build without any event is one of which CloudTrail has not told: each calls something.
		if whole = whole && all && told; !all || !told {
			t.cut = append(t.cut, b.ID)
		}
		p.Green = append(p.Green, b.ID)
		p.Partition = b.At().Partition
		t.builds++
		if t.from.IsZero() || b.Start.Before(t.from) {
			t.from = b.Start
		}
		if b.End.After(t.to) {
			t.to = b.End
		}
	}
	p.Trail = whole
	return nil
}

// green are the project's newest green builds that CloudTrail can tell of: twice as many as are needed.
func (f *finding) green(ctx context.Context, d *desk, p *observe.Project) (list []codebuild.Build, err error) {
	ids, _, err := d.codebuild.BuildIDs(ctx, d.home, p.Name, "")
	if err != nil {
		return nil, fmt.Errorf("listing the builds of project %q: %w", p.Name, err)
	}
	if len(ids) == 0 {
		return nil, nil
	}
	all, err := d.codebuild.Several(ctx, d.home, ids)
	if err != nil {
		return nil, fmt.Errorf("reading the builds of project %q: %w", p.Name, err)
	}
	slices.SortFunc(all, func(a, b codebuild.Build) int { return b.Start.Compare(a.Start) })
	now := deskClock.Now()
	for _, b := range all {
		role, ok := b.Role()
		if b.Status == codebuild.Succeeded && ok && role.PathName() == p.Role && b.End.Before(now.Add(-trailLate)) &&
			b.Start.After(now.AddDate(0, 0, -trailDays)) && len(list) < 2*f.builds {
			list = append(list, b)
		}
	}
	return list, nil
}

func (t trailed) source() observedSource {
	s := observedSource{Name: trailName, From: t.from, To: t.to}
	s.Says = fmt.Sprintf("%s of %s; it has management events only, so what reads or writes data, such as s3:GetObject, is not in it, "+
		"and stays", count(t.events, "call"), count(t.builds, "green build"))
	if len(t.cut) > 0 {
		s.Says += fmt.Sprintf("; of %s not all was told: %s", count(len(t.cut), "build"), listSome(t.cut, 3))
	}
	if len(t.unread) > 0 {
		s.Says += "; not read for project " + listSome(t.unread, 5)
	}
	return s
}

// newJob stands for a job that is to be started.
const newJob = "new"

// jobWait is how long to wait until a job is looked at again.
const jobWait = 10 * time.Second

// generated reads what Access Analyzer generated, and has it generate that first, if asked.
func (f *finding) generated(ctx context.Context) error {
	ctx, d, err := f.caller(ctx)
	if err != nil {
		return err
	}
	analyzer := awsapi.Analyzer{Accounts: awsapi.NewAccounts(d.cfg, d.home, sessionOf(d.cfg).id.Partition, "")}
	job := f.job
	if job == newJob {
		role, err := f.oneRole(d)
		if err != nil {
			return err
		}
		from := deskClock.Now().AddDate(0, 0, -trailDays).UTC().Truncate(time.Second)
		if job, err = analyzer.Generate(ctx, d.home, role, f.trailID, f.access, from); err != nil {
			return fmt.Errorf("having Access Analyzer generate a policy for %s: %w", role, err)
		}
		say(f.stderr, "Access Analyzer generates a policy for %s, as job %s. That takes minutes.", role, job)
	}
	g, err := analyzer.Generated(ctx, d.home, job)
	for errors.Is(err, awsapi.ErrRunning) {
		if err := deskClock.Sleep(ctx, jobWait); err != nil {
			return stopped{"the job goes on: -analyzer " + job + " reads it", err}
		}
		g, err = analyzer.Generated(ctx, d.home, job)
	}
	if err != nil {
		return fmt.Errorf("reading what Access Analyzer generated as job %q: %w", job, err)
	}
	of := []string{}
	for i := range f.projects {
		p := &f.projects[i]
		if !f.concerned(p.Project) || g.Principal != roleARN(p, d) {
			continue
		}
		for _, doc := range g.Policies {
			if err := p.AddGenerated(doc); err != nil {
				return fmt.Errorf("job %q: %w", job, err)
			}
		}
		of = append(of, p.Name)
	}
	if len(of) == 0 {
		return fmt.Errorf("job %q is about %s, which is the role of no project with such a grant", job, plain(g.Principal))
	}
	s := observedSource{Name: "Access Analyzer", From: g.From, To: g.To, Says: fmt.Sprintf("what the role of project %s used, by "+
		"action; it does not tell on what, and knows the actions of some services only, so its silence proves nothing", listSome(of, 5))}
	if !g.Complete {
		s.Says += "; it says that this is not complete"
	}
	f.sources = append(f.sources, s)
	return nil
}

// roleARN is the ARN of the role of a project of the caller's account.
func roleARN(p *observe.Project, d *desk) string {
	if p.Account != "" && p.Account != d.home.ID {
		return ""
	}
	return "arn:" + sessionOf(d.cfg).id.Partition + ":iam::" + d.home.ID + ":role/" + p.Role
}

// oneRole is the role of all the projects that are looked at: a job is for one.
func (f *finding) oneRole(d *desk) (string, error) {
	var roles []string
	for i := range f.projects {
		p := &f.projects[i]
		if r := roleARN(p, d); r != "" && f.concerned(p.Project) && !slices.Contains(roles, r) {
			roles = append(roles, r)
		}
	}
	switch len(roles) {
	case 0:
		return "", errors.New("no project of this account has a grant with a pattern or a set, so there is no role to " +
			"generate a policy for")
	case 1:
		return roles[0], nil
	}
	return "", fmt.Errorf("a policy is generated for one role at a time, and these are %s: name grants of one with -grant",
		strings.Join(roles, ", "))
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aymanbagabas/go-udiff"
	"github.com/spf13/pflag"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/diagnose"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/observe"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// observing is `check -observed`: the narrower grants that would have been enough.
type observing struct {
	observed bool
	df       deskFlags
	home     settings.Account // as the flags say it
	builds   int              // how many must be known of each project
	grants   []string         // of these alone; none: of all
	trail    bool
	job      string // of Access Analyzer; "new" starts one
	trailID  string // the trail that a new job reads, and as which role
	access   string
	json     bool
}

// observeFlags are those that -observed needs.
var observeFlags = []string{"builds", "grant", "trail", "analyzer", "cloudtrail", "access-role", "table", "stack", "ledger"}

func addObserveFlags(fs *pflag.FlagSet) *observing {
	o := &observing{df: deskFlags{all: fs, settings: new(string), topic: new(string)}}
	fs.BoolVar(&o.observed, "observed", false, "show what was really used of grants, and narrower ones as a patch")
	fs.IntVar(&o.builds, "builds", 10, "with -observed: how many green builds must be known of each project that has a grant")
	fs.StringSliceVar(&o.grants, "grant", nil, "with -observed: look at this `GRANT` alone; several with commas")
	fs.BoolVar(&o.trail, "trail", false, "with -observed: look up in CloudTrail what green builds did")
	fs.StringVar(&o.job, "analyzer", "", "with -observed: read the policy that IAM Access Analyzer generated for the projects' "+
		"role as this `JOB`; new has it generate one")
	fs.StringVar(&o.trailID, "cloudtrail", "", "with -analyzer new: the `ARN` of the trail that it reads")
	fs.StringVar(&o.access, "access-role", "", "with -analyzer new: the `ARN` of the role as which it reads the trail")
	o.df.table = fs.String("table", "", "with -observed: the function's own ledger; default as for history")
	o.df.stack = fs.String("stack", "Buildmedic", "with -observed: the function's stack")
	o.df.ledger = fs.String("ledger", "", "with -observed: a local ledger")
	return o
}

// problem says what is wrong with the flags; "" if nothing is.
func (o *observing) problem(fs *pflag.FlagSet) string {
	if !o.observed {
		for _, name := range observeFlags {
			if fs.Changed(name) {
				return "-" + name + " goes with -observed"
			}
		}
		return ""
	}
	switch {
	case fs.Changed("live") || fs.Changed("v"):
		return "-observed goes with neither -live nor -v"
	case o.builds < 1 || o.builds > 1000:
		return "-builds is 1 to 1000"
	case *o.df.table != "" && *o.df.ledger != "":
		return "-table and -ledger exclude each other"
	case o.job == newJob && (o.trailID == "" || o.access == ""):
		return "-analyzer new needs -cloudtrail and -access-role: which trail Access Analyzer reads, and as which role"
	case o.job != newJob && (o.trailID != "" || o.access != ""):
		return "-cloudtrail and -access-role go with -analyzer new"
	}
	return ""
}

// observedFound is what it prints with -json.
type observedFound struct {
	Account string           `json:"account,omitempty"`
	Region  string           `json:"region,omitempty"`
	Needed  int              `json:"builds_needed"`
	Sources []observedSource `json:"sources"`
	Grants  []observedGrant  `json:"grants"`
	Diff    string           `json:"diff"` // of the settings, as git apply takes it; "" if there is nothing to change
}

// observedSource is where it is known from.
type observedSource struct {
	Name string    `json:"name"`
	From time.Time `json:"from,omitzero"` // of what it told
	To   time.Time `json:"to,omitzero"`
	Says string    `json:"says"` // what it told of, and what it cannot tell
}

// observedGrant is one grant.
type observedGrant struct {
	Grant    string   `json:"grant"`
	Line     int      `json:"line"`
	Projects []string `json:"projects"`
	observe.Narrowing
	// ByHand: the file is written in a way that only a person can change, or its tests would no longer hold.
	ByHand string `json:"by_hand,omitempty"`
}

func (o observing) run(ctx context.Context, file string, stdout, stderr io.Writer) int {
	data, err := settingsFile(file)
	if err != nil {
		return fail(stderr, err)
	}
	s, err := settings.Parse(data)
	if err != nil {
		return fail(stderr, fmt.Errorf("%s is not valid:\n%w", file, err))
	}
	if err := o.known(s); err != nil {
		return fail(stderr, err)
	}
	config := sync.OnceValues(func() (aws.Config, error) { return introduced(ctx, stderr) })
	if o.trail || o.job != "" {
		if _, err := config(); err != nil {
			return fail(stderr, err)
		}
	}
	if err := o.df.find(ctx, stderr); err != nil {
		return fail(stderr, err)
	}
	store, done, err := openStore(o.df, config)
	if err != nil {
		return fail(stderr, err)
	}
	if *o.df.table != "" || o.trail || o.job != "" {
		if cfg, err := config(); err == nil {
			id := sessionOf(cfg).id
			o.home = settings.Account{ID: orWord(o.home.ID, id.Account), Region: orWord(o.home.Region, cfg.Region)}
		}
	}
	f := finding{observing: o, settings: s, config: config, stderr: stderr,
		healer: &heal.Healer{Clock: deskClock, Store: store, Settings: s}}
	err = errors.Join(f.find(ctx), done())
	if err != nil {
		return fail(stderr, err)
	}
	out, err := f.judge(data, patchName(file))
	if err != nil {
		return fail(stderr, err)
	}
	if o.json {
		return printJSON(stdout, stderr, out)
	}
	fmt.Fprint(stderr, out.text(file, reportWidth(stderr)))
	if _, err := io.WriteString(stdout, out.Diff); err != nil {
		return fail(stderr, fmt.Errorf("printing: %w", err))
	}
	return exitOK
}

// known refuses names of grants that there are not.
func (o observing) known(s *settings.Settings) error {
	var ids []string
	for _, g := range s.Grants {
		ids = append(ids, g.ID)
	}
	for _, id := range o.grants {
		if slices.Contains(ids, id) {
			continue
		}
		if near := settings.Near(id, ids); near != "" {
			return fmt.Errorf("the settings have no grant %q; did you mean %s?", id, near)
		}
		return fmt.Errorf("the settings have no grant %q; they have %s", id, listSome(ids, 12))
	}
	return nil
}

// patchName is the file's name in the head of a patch: as seen from here, where git apply and patch -p1
// look. After a name with a space stands a tab, as in git's patches: patch reads no further than the space without.
func patchName(file string) string {
	name := file
	if filepath.IsAbs(name) {
		if dir, err := os.Getwd(); err == nil {
			if rel, err := filepath.Rel(dir, name); err == nil {
				name = rel
			}
		}
	}
	if name = filepath.ToSlash(filepath.Clean(name)); strings.HasPrefix(name, "../") {
		name = name[strings.LastIndexByte(name, '/')+1:]
	}
	if strings.Contains(name, " ") {
		name += "\t"
	}
	return name
}

// finding gathers what is known of the projects.
type finding struct {
	observing
	settings *settings.Settings
	config   func() (aws.Config, error)
	stderr   io.Writer
	healer   *heal.Healer
	projects []observe.Project // those of the settings, in their order
	sources  []observedSource
}

// wide are the grants that there may be something to narrow in.
func (f *finding) wide() (list []settings.Grant) {
	for _, g := range f.settings.Grants {
		if (observe.Wide(g) || f.shared(g)) && (len(f.grants) == 0 || slices.Contains(f.grants, g.ID)) {
			list = append(list, g)
		}
	}
	return list
}

// shared reports whether a project has the grant only because it runs as a role on which it lands.
func (f *finding) shared(g settings.Grant) bool {
	sharing := settings.SharingOf(f.settings, f.home)
	return !g.Scoped() && slices.ContainsFunc(f.settings.Projects, func(p settings.Project) bool {
		return slices.Contains(p.Grants, g.ID) && slices.ContainsFunc(sharing.Holders(p), func(h settings.Project) bool {
			return h.Line != p.Line && !slices.Contains(h.Grants, g.ID)
		})
	})
}

// concerned reports whether one of these grants is the project's.
func (f *finding) concerned(p settings.Project) bool {
	return slices.ContainsFunc(f.wide(), func(g settings.Grant) bool { return slices.Contains(p.Grants, g.ID) })
}

// shares reports whether the project runs as a role on which one of these grants lands.
func (f *finding) shares(p settings.Project) bool {
	return slices.ContainsFunc(settings.SharingOf(f.settings, f.home).Givers(p), f.concerned)
}

// siblings are the projects that have what the project is given, and do not name the grant.
func (f *finding) siblings(p observe.Project, grant string) (list []observe.Project) {
	of := f.settings.Projects[slices.IndexFunc(f.projects, func(q observe.Project) bool { return q.Line == p.Line })]
	for _, h := range settings.SharingOf(f.settings, f.home).Holders(of) {
		if i := slices.IndexFunc(f.projects, func(q observe.Project) bool { return q.Line == h.Line }); i >= 0 &&
			h.Line != p.Line && !slices.Contains(h.Grants, grant) {
			list = append(list, f.projects[i])
		}
	}
	return list
}

func (f *finding) find(ctx context.Context) error {
	for _, p := range f.settings.Projects {
		f.projects = append(f.projects, observe.Project{Project: p})
	}
	if err := f.cases(ctx); err != nil {
		return err
	}
	for i := range f.projects {
		p := &f.projects[i]
		if p.Account == "" {
			p.Account = f.home.ID
		}
		if p.Region == "" {
			p.Region = f.home.Region
		}
	}
	f.asked()
	if f.trail {
		if err := f.calls(ctx); err != nil {
			return err
		}
	}
	if f.job != "" {
		return f.generated(ctx)
	}
	return nil
}

// asked adds what the settings' own tests ask for.
func (f *finding) asked() {
	n := 0
	for _, t := range f.settings.Tests {
		for i := range f.projects {
			if p := &f.projects[i]; p.Name == t.Project && t.Allow && f.concerned(p.Project) {
				partition := p.Partition
				if partition == "" {
					partition = "aws"
				}
				p.Use(observe.Use{Action: t.Action, Resource: settings.Expand(t.On, p.Vars(f.home, partition))})
				n++
			}
		}
	}
	if n > 0 {
		f.sources = append(f.sources, observedSource{Name: "tests", Says: fmt.Sprintf("%s of the settings that must stay allowed; "+
			"they count as used", count(n, "call"))})
	}
}

// mostCases is how many cases are read at most, the newest.
const mostCases = 1000

// cases reads the ledger.
func (f *finding) cases(ctx context.Context) error {
	all, err := f.healer.History(ctx, "", everything)
	if err != nil {
		return err
	}
	src := observedSource{Name: "cases"}
	read, healed, of, more := 0, 0, map[string]bool{}, false
	for _, sum := range all {
		p := f.project(sum)
		if p == nil || !f.concerned(p.Project) || sum.Remedy != diagnose.Grant && sum.Outcome != decide.Healed {
			continue
		}
		if read == mostCases {
			more = true
			p.Cut = true
			continue
		}
		c, err := f.healer.Case(ctx, sum.Case)
		if errors.Is(err, heal.ErrNotFound) {
			p.Cut = true // it was forgotten since
			continue
		}
		if err != nil {
			return err
		}
		if f.home == (settings.Account{}) {
			f.home = settings.Account{ID: c.Account, Region: c.Region}
		}
		if p.Account == "" {
			p.Account = c.Account
		}
		if p.Region == "" {
			p.Region = c.Region
		}
		if len(c.Rounds) > 0 {
			p.Partition = c.Rounds[0].Build.At().Partition
		}
		p.AddCase(c)
		read++
		of[p.Name] = true
		if c.Outcome == decide.Healed {
			healed++
		}
		if src.From.IsZero() || c.Opened.Before(src.From) {
			src.From = c.Opened
		}
		if end := c.Closed; end.After(src.To) {
			src.To = end
		}
	}
	src.Says = fmt.Sprintf("%s of %s, %d healed; the ledger keeps 90 days, and what its policies held before counts as used",
		count(read, "case"), count(len(of), "project"), healed)
	if more {
		src.Says += fmt.Sprintf("; only the newest %d were read", mostCases)
	}
	f.sources = append(f.sources, src)
	return nil
}

// project finds the project of a case, one that names its account and region first.
func (f *finding) project(c heal.Summary) (found *observe.Project) {
	for i := range f.settings.Projects {
		p := f.settings.Projects[i]
		account, region := p.Account, p.Region
		if account == "" {
			account = f.home.ID
		}
		if region == "" {
			region = f.home.Region
		}
		if p.Name != c.Project || account != "" && account != c.Account || region != "" && region != c.Region {
			continue
		}
		if found == nil || p.Account != "" || p.Region != "" {
			found = &f.projects[i]
		}
	}
	return found
}

// judge narrows the grants and makes the diff.
func (f *finding) judge(data []byte, name string) (observedFound, error) {
	out := observedFound{Account: f.home.ID, Region: f.home.Region, Needed: f.builds, Sources: f.sources,
		Grants: []observedGrant{}}
	text := data
	for _, g := range f.wide() {
		one := observedGrant{Grant: g.ID, Line: g.Line, Projects: []string{}}
		var ps []observe.Project
		for _, p := range f.projects {
			if slices.Contains(p.Grants, g.ID) {
				p.Siblings = f.siblings(p, g.ID)
				ps = append(ps, p)
				one.Projects = append(one.Projects, p.Name)
			}
		}
		one.Narrowing = observe.Narrow(g, ps, f.builds)
		if f.settings.OfAnotherRole(g.ID) { // what that one used, no build's session tells
			one.Narrowing = observe.Narrowing{State: observe.Tight, Why: "another role of a deployment has it, and nothing is " +
				"read of what that role used", Builds: one.Builds, Actions: []observe.Part{}, Resources: []observe.Part{}, Grant: g}
		}
		if one.State == observe.Narrower {
			next, err := settings.Rewritten(text, rewriteOf(one.Narrowing))
			if err == nil {
				err = f.holds(next)
			}
			if err != nil {
				one.ByHand = err.Error()
			} else {
				text = next
			}
		}
		out.Grants = append(out.Grants, one)
	}
	if string(text) != string(data) {
		out.Diff = udiff.Unified("a/"+name, "b/"+name, string(data), string(text))
	}
	return out, nil
}

// holds runs the tests of the settings that would come out.
func (f *finding) holds(data []byte) error {
	s, err := settings.Parse(data)
	if err != nil {
		return err
	}
	now, before := settings.RunTests(s, f.home, ""), settings.RunTests(f.settings, f.home, "")
	if len(now) > len(before) {
		return fmt.Errorf("a test of the settings would no longer hold: %s", now[len(now)-1].Message)
	}
	return nil
}

func rewriteOf(n observe.Narrowing) settings.Rewrite {
	change := settings.Rewrite{Grant: n.Grant, Resources: map[string][]string{}}
	for _, p := range n.Resources {
		var now []string
		for _, r := range p.Now {
			if slices.Contains(n.Grant.Resources, r) {
				now = append(now, r)
			}
		}
		change.Resources[p.Was] = now
	}
	return change
}

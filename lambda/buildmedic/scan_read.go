package main

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/buildmedic/buildmedic/internal/awsapi"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/diagnose"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/redact"
	"github.com/buildmedic/buildmedic/internal/settings"
)

const (
	// mostBuilds is how many builds of a project are looked at, the newest.
	mostBuilds = 1000
	// queued is how many failed builds wait to be read while others are still looked for.
	queued = 20_000
	// fewProjects are listed one by one: to list the account would not be cheaper.
	fewProjects = 20
	// inOrder is how many builds must have come newest first for the order to be believed.
	inOrder = 50
)

// lister finds builds; see [awsapi.CodeBuild].
type lister interface {
	BuildIDs(ctx context.Context, at settings.Account, project, token string) (ids []string, next string, err error)
	Several(ctx context.Context, at settings.Account, ids []string) ([]codebuild.Build, error)
}

// scanProject is a project of the account.
type scanProject struct {
	Name         string `json:"name"`
	PullRequests bool   `json:"pull_requests,omitempty"` // its webhook builds them
}

// picked are the failed builds of a project that are to be read, the newest first.
type picked struct {
	Project string   `json:"project"`
	IDs     []string `json:"ids"`
	Why     string   `json:"-"` // why it could not be read
	// Green is the end of the next green build of the same branch, tag or pipeline, by id.
	Green map[string]time.Time `json:"green,omitempty"`
}

// failureRead is what the report needs of a failed build that was read.
type failureRead struct {
	ID     string `json:"id"`
	Number int64  `json:"number"`
	Why    string `json:"-"` // why its log could not be read

	End         time.Time       `json:"end,omitzero"`
	Seconds     int             `json:"seconds,omitempty"` // how long it ran
	Cause       string          `json:"cause"`
	Title       string          `json:"title"`
	Remedy      diagnose.Remedy `json:"remedy"`
	Role        string          `json:"role,omitempty"` // name, with its path
	Denied      []deniedAction  `json:"denied,omitempty"`
	Repository  string          `json:"repository,omitempty"` // that is missing
	Reports     bool            `json:"reports,omitempty"`
	PullRequest bool            `json:"pull_request,omitempty"`
	Refused     guardrail.Rule  `json:"refused,omitempty"` // see [refusal]
}

// projectOf is the name in a build's id, PROJECT:UUID.
func projectOf(id string) string { return id[:max(0, strings.LastIndexByte(id, ':'))] }

// reading is a scan under way. What it has found does not depend on the order in which AWS
// answers.
type reading struct {
	scan
	ctx  context.Context
	stop context.CancelCauseFunc
	todo chan *codebuild.Build

	mu       sync.Mutex
	projects []scanProject                // sorted by name
	unlisted string                       // why nobody knows which projects build pull requests
	known    map[string]codebuild.Project // as they are now; none in a run that goes on with an earlier one
	picks    map[string]picked
	reads    map[string]failureRead
	sent     map[string]bool // ids that were sent to be read
}

// read reads what is not kept from an earlier run. It returns what it has, and why it ended early.
func (s scan) read(ctx context.Context, from *kept) (*reading, error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	r := &reading{scan: s, ctx: ctx, stop: stop, todo: make(chan *codebuild.Build, queued), projects: from.projects,
		picks: from.picks, reads: from.reads, sent: map[string]bool{}}
	for id := range r.reads {
		r.sent[id] = true
	}
	end := s.progress.show(r)
	defer end()
	if err := r.names(); err != nil {
		return r, err
	}
	var readers sync.WaitGroup
	for range atOnce {
		readers.Go(func() {
			for b := range r.todo {
				r.build(*b)
			}
		})
	}
	r.list()
	close(r.todo)
	readers.Wait()
	return r, context.Cause(ctx)
}

// names lists the projects.
func (r *reading) names() error {
	if r.projects != nil {
		return nil
	}
	names, err := r.desk.codebuild.Names(r.ctx, r.desk.home)
	if err != nil {
		return r.whyNot("listing the projects", err)
	}
	slices.Sort(names)
	projects, known := make([]scanProject, len(names)), map[string]codebuild.Project{}
	at := map[string]int{}
	for i, n := range names {
		projects[i], at[n] = scanProject{Name: n}, i
	}
	read, err := r.desk.codebuild.Read(r.ctx, r.desk.home, names)
	switch {
	case err != nil && (r.ctx.Err() != nil || hopeless(err, sessionOf(r.desk.cfg)) != nil):
		return r.whyNot("reading the projects", err)
	case err != nil: // whoever scans may read little
		r.unlisted = reason(err)
	}
	for _, p := range read {
		if i, ok := at[p.Name]; ok {
			projects[i].PullRequests = p.Webhook.BuildsPullRequests()
		}
		known[p.Name] = p
	}
	r.mu.Lock()
	r.projects, r.known = projects, known
	r.mu.Unlock()
	if r.unlisted == "" {
		r.keep.projects(projects)
	}
	return nil
}

// whyNot is the error of what the scan cannot do without.
func (r *reading) whyNot(doing string, err error) error {
	if cause := context.Cause(r.ctx); cause != nil {
		return cause
	}
	var t tellable
	if errors.As(worded(err, sessionOf(r.desk.cfg)), &t) {
		return t
	}
	return errors.New(doing + ": " + reason(err))
}

// failed reports whether an error is of what was asked for alone, and why; any other ends the scan.
func (r *reading) failed(err error) (why string, here bool) {
	if r.ctx.Err() != nil {
		return "", false
	}
	if why := hopeless(err, sessionOf(r.desk.cfg)); why != nil {
		r.stop(why)
		return "", false
	}
	return reason(err), true
}

// list finds the failed builds of all projects. Each build has one call to list it, and one to
// read its record, for a hundred at once; but listed by project it is at least one call for each
// project. So the account is listed as a whole as long as that looks cheaper.
func (r *reading) list() {
	var again []string // ids that were picked earlier
	var names []string
	for _, p := range r.projects {
		pick, ok := r.picks[p.Name]
		if !ok {
			names = append(names, p.Name)
		}
		for _, id := range pick.IDs {
			if !r.sent[id] {
				again = append(again, id)
			}
		}
	}
	r.again(again)
	if len(names) > fewProjects && r.byAccount(names) {
		return
	}
	r.byProject(names)
}

// send has a build read, once.
func (r *reading) send(b codebuild.Build) {
	r.mu.Lock()
	known := r.sent[b.ID]
	r.sent[b.ID] = true
	r.mu.Unlock()
	if known {
		return
	}
	select {
	case r.todo <- &b:
	case <-r.ctx.Done():
	}
}

// pick says which builds of a project count, and has them read.
func (r *reading) pick(name string, failed []codebuild.Build, after greens, why string) {
	p := picked{Project: name, IDs: []string{}, Why: why, Green: map[string]time.Time{}}
	for _, b := range failed {
		p.IDs = append(p.IDs, b.ID)
		if end := after.next(b); !end.IsZero() {
			p.Green[b.ID] = end.UTC()
		}
	}
	r.mu.Lock()
	r.picks[name] = p
	r.mu.Unlock()
	if why == "" {
		r.keep.picked(p)
	}
	for _, b := range failed {
		r.send(b)
	}
}

func (r *reading) record(f failureRead) {
	r.mu.Lock()
	r.reads[f.ID] = f
	r.mu.Unlock()
	if f.Why == "" {
		r.keep.read(f)
	}
}

// again has builds read that an earlier run picked.
func (r *reading) again(ids []string) {
	r.records(ids, func(id string, b codebuild.Build, why string) {
		if why != "" {
			r.record(failureRead{ID: id, Why: why})
			return
		}
		r.send(b)
	})
}

// records reads builds by the hundred, and gives each, in the order of ids, or why there is none.
// It gives nothing more once the scan ends.
func (r *reading) records(ids []string, give func(id string, b codebuild.Build, why string)) {
	chunks := slices.Collect(slices.Chunk(ids, awsapi.MaxBuilds))
	got := make([]map[string]codebuild.Build, len(chunks))
	whys := make([]map[string]string, len(chunks)) // by project
	eight(chunks, func(i int, chunk []string) { got[i], whys[i] = r.chunk(chunk) })
	for i, chunk := range chunks {
		for _, id := range chunk {
			if r.ctx.Err() != nil {
				return
			}
			b, ok := got[i][id]
			why := whys[i][projectOf(id)]
			if !ok && why == "" {
				why = reason(heal.ErrNotFound)
			}
			give(id, b, why)
		}
	}
}

// chunk reads at most a hundred builds. If not all can be read at once, each project's are read by
// themselves, and those that still cannot are told by project.
func (r *reading) chunk(ids []string) (map[string]codebuild.Build, map[string]string) {
	found, whys := map[string]codebuild.Build{}, map[string]string{}
	bs, err := r.lister.Several(r.ctx, r.desk.home, ids)
	if err != nil {
		why, here := r.failed(err)
		if !here {
			return nil, nil
		}
		byProject := map[string][]string{}
		for _, id := range ids {
			byProject[projectOf(id)] = append(byProject[projectOf(id)], id)
		}
		if len(byProject) == 1 {
			return nil, map[string]string{projectOf(ids[0]): why}
		}
		for name, some := range byProject {
			one, not := r.chunk(some)
			for id, b := range one {
				found[id] = b
			}
			if why := not[name]; why != "" {
				whys[name] = why
			}
		}
	}
	for _, b := range bs {
		found[b.ID] = b
	}
	return found, whys
}

// eight calls do for each item, as many at a time as calls are.
func eight[T any](items []T, do func(i int, item T)) {
	next := make(chan int)
	var wg sync.WaitGroup
	for range min(atOnce, len(items)) {
		wg.Go(func() {
			for i := range next {
				do(i, items[i])
			}
		})
	}
	for i := range items {
		next <- i
	}
	close(next)
	wg.Wait()
}

// counts reports whether a build is one of those that a scan looks for.
func (r *reading) counts(b codebuild.Build) bool {
	return !b.Start.Before(r.from) && !b.Start.After(r.until) &&
		(b.Status == codebuild.Failed || b.Status == codebuild.Fault || b.Status == codebuild.TimedOut)
}

// inAccount is what the account's list has shown of a project.
type inAccount struct {
	numbers []int64
	failed  []codebuild.Build // newest first, as many as are read
	greens  greens
}

// byAccount lists the builds of the whole account, and reports whether it did. It gives up if
// that may not be done, or is not cheaper.
//
// AWS does not document the order (AWS.md#listing-builds). If the newest came first all the way,
// for more builds than chance would put in order, a page that is all too old is taken for the last.
func (r *reading) byAccount(names []string) bool {
	found := map[string]*inAccount{}
	for _, n := range names {
		found[n] = &inAccount{greens: greens{}}
	}
	type page struct {
		ids  []string
		next string
		err  error
	}
	list := func(token string) <-chan page {
		c := make(chan page, 1)
		go func() {
			ids, next, err := r.lister.BuildIDs(r.ctx, r.desk.home, "", token)
			c <- page{ids, next, err}
		}()
		return c
	}
	ordered, seen, oldest := true, 0, time.Time{}
	ahead := list("")
	for pages := 1; ; pages++ {
		p := <-ahead
		if p.err != nil {
			_, here := r.failed(p.err)
			return !here
		}
		if p.next != "" {
			ahead = list(p.next)
		}
		ids := slices.DeleteFunc(p.ids, func(id string) bool { return found[projectOf(id)] == nil })
		old := len(ids) > 0
		unread := false
		r.records(ids, func(id string, b codebuild.Build, why string) {
			if why != "" {
				unread = unread || why != reason(heal.ErrNotFound)
				return
			}
			ordered = ordered && (oldest.IsZero() || !b.Start.After(oldest))
			seen, oldest = seen+1, b.Start
			old = old && b.Start.Before(r.from)
			r.found(found[b.Project], b)
		})
		switch {
		case r.ctx.Err() != nil:
			return true
		case unread: // which project that is of, is told when they are listed one by one
			return false
		case p.next == "" || ordered && old && seen >= inOrder:
			for _, n := range names {
				r.pick(n, found[n].newest(), found[n].greens, "")
			}
			return true
		case !worth(pages, len(names), ordered, r.until.Sub(oldest), r.until.Sub(r.from)):
			return false
		}
	}
}

// found takes a build of the account's list.
func (r *reading) found(p *inAccount, b codebuild.Build) {
	if p == nil || b.Start.Before(r.from) || b.Start.After(r.until) {
		return
	}
	p.numbers = append(p.numbers, b.Number)
	p.greens.add(b)
	if !r.counts(b) {
		return
	}
	i, _ := slices.BinarySearchFunc(p.failed, b, newerFirst)
	if i == r.most {
		return
	}
	p.failed = slices.Insert(p.failed, i, b)
	p.failed = p.failed[:min(len(p.failed), r.most)]
	r.send(b) // most likely it counts, and there is time to read it already
}

func newerFirst(a, b codebuild.Build) int { return cmp.Compare(b.Number, a.Number) }

// newest leaves out what listing by project would not come to.
func (p *inAccount) newest() []codebuild.Build {
	slices.SortFunc(p.numbers, func(a, b int64) int { return cmp.Compare(b, a) })
	return slices.DeleteFunc(p.failed, func(b codebuild.Build) bool {
		return len(p.numbers) > mostBuilds && b.Number < p.numbers[mostBuilds-1]
	})
}

// worth decides, after so many pages of the account's list, whether to go on with it. A page is
// two calls; listed by itself, each project is one, and its builds' records are a few more. A
// twentieth of the projects' number of pages is tried; how many are still to come, the builds'
// times tell, if they are in order. Without an order all pages must be read, so no more are tried
// than are half of what could be saved.
func worth(pages, projects int, ordered bool, passed, window time.Duration) bool {
	switch {
	case !ordered:
		return 4*pages < projects
	case 20*pages < projects:
		return true
	case passed <= 0:
		return false
	}
	left := float64(pages) * float64(window-passed) / float64(passed)
	return 2*left < float64(projects)
}

// listing is a project whose builds are listed.
type listing struct {
	name   string
	ids    []string // listed, not yet read
	next   string
	listed bool // a page was
	builds int
	failed []codebuild.Build
	greens greens
	done   bool
	why    string
}

// byProject lists projects one by one. Of several at a time the builds' records are read together.
func (r *reading) byProject(names []string) {
	var active []*listing
	for wave := atOnce; (len(names) > 0 || len(active) > 0) && r.ctx.Err() == nil; wave = min(2*wave, awsapi.MaxBuilds) {
		for len(active) < wave && len(names) > 0 {
			active, names = append(active, &listing{name: names[0], greens: greens{}}), names[1:]
		}
		eight(active, func(_ int, l *listing) { r.page(l) })
		var ids []string
		of := map[string]*listing{}
		for _, l := range active {
			// Most often few builds are new enough, or enough of them failed.
			n := len(l.ids)
			if l.builds == 0 {
				n = min(n, max(2*r.most, 20))
			}
			ids, l.ids = append(ids, l.ids[:n]...), l.ids[n:]
			of[l.name] = l
		}
		r.records(ids, func(id string, b codebuild.Build, why string) { r.take(of[projectOf(id)], b, why) })
		active = slices.DeleteFunc(active, func(l *listing) bool {
			if l.done = l.done || l.listed && len(l.ids) == 0 && l.next == ""; l.done && r.ctx.Err() == nil {
				r.pick(l.name, l.failed, l.greens, l.why)
			}
			return l.done
		})
	}
}

// page lists a page of a project's builds, if none is left.
func (r *reading) page(l *listing) {
	if len(l.ids) > 0 || r.ctx.Err() != nil {
		return
	}
	ids, next, err := r.lister.BuildIDs(r.ctx, r.desk.home, l.name, l.next)
	if err != nil && !errors.Is(err, heal.ErrNotFound) {
		if why, here := r.failed(err); here {
			l.why, l.done = why, true
		}
		return
	}
	l.ids, l.next, l.listed = ids, next, true
}

// take takes the project's next build, the newest first.
func (r *reading) take(l *listing, b codebuild.Build, why string) {
	switch {
	case l == nil || l.done:
	case why == reason(heal.ErrNotFound):
		l.builds++
	case why != "":
		l.why, l.done, l.failed = why, true, nil
	case b.Start.Before(r.from):
		l.done = true
	default:
		l.builds++
		l.greens.add(b)
		if r.counts(b) {
			l.failed = append(l.failed, b)
		}
		l.done = len(l.failed) == r.most || l.builds == mostBuilds
	}
}

// build reads one failed build.
func (r *reading) build(b codebuild.Build) {
	if r.ctx.Err() != nil {
		return
	}
	out := failureRead{ID: b.ID, Number: b.Number}
	b, err := heal.WithRoot(r.ctx, r.desk.codebuild, r.desk.home, b)
	if err != nil {
		r.unread(out, err)
		return
	}
	if p, ok := r.known[b.Project]; ok {
		c := p.Check(b)
		b.Checked = &c
	}
	f, _, err := heal.ReadFailure(r.ctx, r.desk.healer.Logs, r.desk.healer.Decoder, r.desk.home, b)
	if err != nil {
		r.unread(out, err)
		return
	}
	// Whoever scans may read little; without the reports, the log alone says why a build failed.
	reports := heal.TestReports{Reports: unhurried{r.desk.healer.Reports, r.ctx}}
	reports.Find(r.ctx, r.desk.home, settings.Project{Name: b.Project, TestReports: true}, b)
	reports.Read(r.ctx, r.desk.home, &f)
	if r.ctx.Err() != nil {
		return // without its reports, perhaps
	}
	out.of(b, diagnose.Diagnose(f))
	r.record(out)
}

func (r *reading) unread(f failureRead, err error) {
	if why, here := r.failed(err); here {
		f.Why = why
		r.record(f)
	}
}

// of notes what the report needs.
func (f *failureRead) of(b codebuild.Build, d diagnose.Diagnosis) {
	role, _ := b.Role()
	f.End, f.Seconds, f.Refused = b.End.UTC(), int(max(b.End.Sub(b.Start), 0)/time.Second), refusal(b, d)
	f.Cause, f.Title, f.Remedy, f.Role = d.Cause, d.Title, d.Remedy, role.PathName()
	f.PullRequest, f.Reports = guardrail.OfPullRequest(b), len(b.ReportARNs) > 0
	switch d.Remedy {
	case diagnose.Grant:
		for _, den := range d.Denials {
			if den.Causal && den.Action != "" && own(b, den) {
				f.Denied = append(f.Denied, deniedAction{den.Action, redact.Text(den.Resource)})
			}
		}
	case diagnose.CreateRepository:
		f.Repository = redact.Text(d.Details["repository"])
	}
}

// unhurried reads reports without the deadline that a heal sets, so that what a scan finds does
// not depend on how busy AWS is.
type unhurried struct {
	reports heal.Reports
	ctx     context.Context
}

// Read implements [heal.Reports].
func (u unhurried) Read(_ context.Context, at settings.Account, arns []string) ([]codebuild.Report, error) {
	return u.reports.Read(u.ctx, at, arns)
}

// Cases implements [heal.Reports].
func (u unhurried) Cases(_ context.Context, at settings.Account, report, status string, most int) ([]codebuild.TestCase, error) {
	return u.reports.Cases(u.ctx, at, report, status, most)
}

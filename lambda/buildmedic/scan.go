package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/diagnose"
	"github.com/buildmedic/buildmedic/internal/floor"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/settings"
)

func runScan(ctx context.Context, args []string, _ io.Reader, stdout, stderr io.Writer) int {
	fs := flags("scan", "[-n N] [-days D] [-json] [-yaml]",
		"Goes through the last failed builds of all projects of an account and region, and prints what\n"+
			"fails most, what the healer could have healed, and a buildmedic.yaml to start from. It reads\n"+
			"with your own credentials and changes nothing.",
		"buildmedic scan -days 30 > report.txt", stderr)
	n := fs.Int("n", 10, "how many failed builds of each project are read")
	days := fs.Int("days", 30, "how far back")
	asJSON := fs.Bool("json", false, "print JSON")
	yamlOnly := fs.Bool("yaml", false, "print only the buildmedic.yaml")
	if done, code := parse(fs, args, stdout); done {
		return code
	}
	if fs.NArg() > 0 || *n < 1 || *days < 1 {
		return wrong(fs, "-n and -days are 1 or more, and there is no other argument")
	}
	d, err := openReader(ctx)
	if err != nil {
		return fail(stderr, err)
	}
	s := scan{desk: d, most: *n, from: deskClock.Now().AddDate(0, 0, -*days), progress: stderr}
	r, err := s.run(ctx)
	if err != nil {
		return fail(stderr, err)
	}
	switch {
	case *asJSON:
		return printJSON(stdout, stderr, r)
	case *yamlOnly:
		fmt.Fprint(stdout, r.Settings)
	default:
		fmt.Fprint(stdout, r.text())
	}
	return exitOK
}

type scan struct {
	desk     *desk
	most     int
	from     time.Time
	progress io.Writer
}

// scanned is what a scan finds.
type scanned struct {
	Projects int                     `json:"projects"`
	Failures int                     `json:"failures"`
	Unread   int                     `json:"unread"` // failed builds whose log could not be read
	Causes   []causeCount            `json:"causes"` // most frequent first
	Denied   []deniedCount           `json:"denied"`
	Remedies map[diagnose.Remedy]int `json:"remedies"`
	// PullRequests are the projects whose webhook starts builds of pull requests, or
	// of which such a build failed: those builds have what the role is given.
	PullRequests []string `json:"pull_requests"`
	Settings     string   `json:"settings"` // a buildmedic.yaml to start from

	wants map[string]want
}

type causeCount struct {
	Cause    string          `json:"cause"`
	Title    string          `json:"title"`
	Remedy   diagnose.Remedy `json:"remedy"`
	Count    int             `json:"count"`
	Projects []string        `json:"projects"`
}

type deniedCount struct {
	Action   string `json:"action"`
	Resource string `json:"resource"`
	Count    int    `json:"count"`
}

// want is what a project would need.
type want struct {
	role       string
	denials    map[string][]string // action → resources
	buildspec  bool
	reports    bool
	repository []string
}

func (s scan) run(ctx context.Context) (scanned, error) {
	names, err := s.desk.codebuild.Names(ctx, s.desk.home)
	if err != nil {
		return scanned{}, fmt.Errorf("listing projects: %w", err)
	}
	r := scanned{Projects: len(names), Causes: []causeCount{}, Denied: []deniedCount{},
		Remedies: map[diagnose.Remedy]int{}, PullRequests: []string{}, wants: map[string]want{}}
	causes, denied := map[string]*causeCount{}, map[deniedCount]int{}
	projects, err := s.desk.codebuild.Read(ctx, s.desk.home, names)
	if err != nil {
		return scanned{}, fmt.Errorf("reading projects: %w", err)
	}
	for _, p := range projects {
		if p.Webhook.BuildsPullRequests() {
			r.buildsPullRequests(p.Name)
		}
	}
	for i, name := range names {
		fmt.Fprintf(s.progress, "\r%d/%d %-60.60s", i+1, len(names), name)
		if err := s.project(ctx, name, &r, causes, denied); err != nil {
			return scanned{}, fmt.Errorf("project %q: %w", name, err)
		}
	}
	fmt.Fprintf(s.progress, "\r%-70s\r", "")
	for _, c := range causes {
		r.Causes = append(r.Causes, *c)
	}
	slices.SortFunc(r.Causes, func(a, b causeCount) int { return cmp.Or(b.Count-a.Count, strings.Compare(a.Cause, b.Cause)) })
	for d, n := range denied {
		d.Count = n
		r.Denied = append(r.Denied, d)
	}
	slices.SortFunc(r.Denied, func(a, b deniedCount) int {
		return cmp.Or(b.Count-a.Count, strings.Compare(a.Action+a.Resource, b.Action+b.Resource))
	})
	slices.Sort(r.PullRequests)
	r.Settings = starter(r.wants, r.PullRequests)
	return r, nil
}

func (s scan) project(ctx context.Context, name string, r *scanned, causes map[string]*causeCount,
	denied map[deniedCount]int) error {
	bs, err := s.desk.codebuild.Since(ctx, s.desk.home, name, s.from, "")
	if err != nil && !errors.Is(err, heal.ErrNotFound) {
		return err
	}
	read := 0
	for _, b := range bs {
		if b.Status != codebuild.Failed && b.Status != codebuild.Fault && b.Status != codebuild.TimedOut {
			continue
		}
		if read++; read > s.most {
			break
		}
		r.Failures++
		b, err := heal.WithRoot(ctx, s.desk.codebuild, s.desk.home, b)
		var f buildlog.Failure
		if err == nil {
			f, _, err = heal.ReadFailure(ctx, s.desk.healer.Logs, s.desk.healer.Decoder, s.desk.home, b)
		}
		if err != nil {
			if errors.Is(err, heal.ErrDenied) || errors.Is(err, heal.ErrLater) {
				r.Unread++
				continue
			}
			return err
		}
		// Whoever scans may read little; without the reports, the log alone says why a build
		// failed.
		reports := heal.TestReports{Reports: s.desk.healer.Reports}
		reports.Find(ctx, s.desk.home, settings.Project{Name: name, TestReports: true}, b)
		reports.Read(ctx, s.desk.home, &f)
		if guardrail.OfPullRequest(b) {
			r.buildsPullRequests(name)
		}
		r.count(b, diagnose.Diagnose(f), causes, denied)
	}
	return nil
}

func (r *scanned) buildsPullRequests(project string) {
	if !slices.Contains(r.PullRequests, project) {
		r.PullRequests = append(r.PullRequests, project)
	}
}

func (r *scanned) count(b codebuild.Build, d diagnose.Diagnosis, causes map[string]*causeCount, denied map[deniedCount]int) {
	c, ok := causes[d.Cause]
	if !ok {
		c = &causeCount{Cause: d.Cause, Title: d.Title, Remedy: d.Remedy}
		causes[d.Cause] = c
	}
	c.Count++
	if !slices.Contains(c.Projects, b.Project) {
		c.Projects = append(c.Projects, b.Project)
	}
	r.Remedies[d.Remedy]++
	w, ok := r.wants[b.Project]
	if !ok {
		role, _ := b.Role()
		w = want{role: role.PathName(), denials: map[string][]string{}}
	}
	switch d.Remedy {
	case diagnose.Grant:
		for _, den := range d.Denials {
			if den.Causal && den.Action != "" && own(b, den) {
				denied[deniedCount{Action: den.Action, Resource: den.Resource}]++
				w.add(den)
			}
		}
	case diagnose.OverrideBuildspec:
		w.buildspec = true
	case diagnose.CreateRepository:
		if n := d.Details["repository"]; n != "" && !slices.Contains(w.repository, n) {
			w.repository = append(w.repository, n)
		}
	}
	w.reports = w.reports || len(b.ReportARNs) > 0
	r.wants[b.Project] = w
}

// own reports whether the denial is of the build's own role and session, in
// a build that may be healed at all.
func own(b codebuild.Build, d buildlog.Denial) bool {
	role, ok := b.Role()
	in := guardrail.Input{Project: settings.Project{Name: b.Project, Role: role.PathName()}, Build: b,
		Denials: []buildlog.Denial{d}}
	return ok && guardrail.RefuseUntrusted(b, in.Project) == nil && len(guardrail.Identify(in)) == 0
}

// smallestSet names the smallest set that has all the actions; "" if none has.
func smallestSet(actions []string) (name string) {
	best := 0
	for _, set := range floor.Sets() {
		has := func(a string) bool {
			return slices.ContainsFunc(set.Actions, func(s string) bool { return strings.EqualFold(s, a) })
		}
		if !slices.ContainsFunc(actions, func(a string) bool { return !has(a) }) && (name == "" || len(set.Actions) < best) {
			name, best = set.Name, len(set.Actions)
		}
	}
	return name
}

func (w want) add(d buildlog.Denial) {
	res := d.Resource
	if res == "" || res == "*" {
		res = ""
	}
	if !slices.Contains(w.denials[d.Action], res) {
		w.denials[d.Action] = append(w.denials[d.Action], res)
	}
}

// starter writes a buildmedic.yaml: every project that failed, in observe,
// with a grant for what it was denied as a comment. Consent stays the
// owner's: nothing in it grants anything before a person edits it.
func starter(wants map[string]want, pullRequests []string) string {
	var b strings.Builder
	b.WriteString("version: 1\n# Made by `buildmedic scan`. Everything is in observe and grants nothing. Read each comment; take the\n" +
		"# number signs off what you want to allow, and set mode: heal.\nprojects:\n")
	names := slices.Sorted(maps.Keys(wants))
	if len(names) == 0 {
		return "version: 1\n# No project failed. List under projects: those that Buildmedic should watch.\n"
	}
	for _, n := range names {
		w := wants[n]
		fmt.Fprintf(&b, "  - name: %s\n    role: %s\n    mode: observe\n", n, w.role)
		if len(w.denials) > 0 {
			fmt.Fprintf(&b, "    # write: {inline: buildmedic}\n    # grants: [%s]\n", grantID(n))
		}
		if slices.Contains(pullRequests, n) {
			b.WriteString("    # It builds pull requests, which would have what its role is given. Build them as another role, or\n" +
				"    # take the number sign off this if they may have it.\n    # pull_requests: accept\n")
		}
		if w.reports {
			b.WriteString("    # test_reports: true\n")
		}
		if w.buildspec {
			b.WriteString("    # buildspecs: [path/to/buildspec.yml]\n")
		}
	}
	b.WriteString("# grants:\n")
	for _, n := range names {
		w := wants[n]
		if len(w.denials) == 0 {
			continue
		}
		fmt.Fprintf(&b, "#   - id: %s\n#     because: WHY\n#     owner: TEAM\n", grantID(n))
		if set := smallestSet(slices.Sorted(maps.Keys(w.denials))); set != "" {
			fmt.Fprintf(&b, "#     set: %s\n#     give: set\n", set)
		} else {
			fmt.Fprintf(&b, "#     actions: [%s]\n", strings.Join(slices.Sorted(maps.Keys(w.denials)), ", "))
		}
		fmt.Fprintf(&b, "#     resources:\n")
		for _, res := range w.resources() {
			fmt.Fprintf(&b, "#       - %q\n", res)
		}
	}
	return b.String()
}

func (w want) resources() []string {
	var out []string
	for _, rs := range w.denials {
		for _, r := range rs {
			if r != "" && !slices.Contains(out, r) {
				out = append(out, r)
			}
		}
	}
	for _, n := range w.repository {
		out = append(out, "arn:${partition}:ecr:${region}:${account}:repository/"+n)
	}
	if len(out) == 0 {
		return []string{"ARN"}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func grantID(project string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(project) {
		if (r >= 'a' && r <= 'z') || (r >= '0' && r <= '9') {
			b.WriteRune(r)
		} else {
			b.WriteByte('-')
		}
	}
	return strings.Trim(b.String(), "-") + "-build"
}

func (r scanned) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %s read\n", count(r.Projects, "project"), count(r.Failures-r.Unread, "failed build"))
	if r.Unread > 0 {
		fmt.Fprintf(&b, "%d logs could not be read: your credentials lack logs:GetLogEvents, or AWS throttled\n", r.Unread)
	}
	if r.Failures == 0 {
		return b.String() + "Nothing failed.\n"
	}
	fmt.Fprintf(&b, "\nWhat fails most\n%6s  %-26s %-19s %s\n", "", "CAUSE", "REMEDY", "PROJECTS")
	for _, c := range r.Causes {
		fmt.Fprintf(&b, "%6d  %-26s %-19s %s\n", c.Count, c.Cause, c.Remedy, listSome(c.Projects, 4))
	}
	if len(r.Denied) > 0 {
		b.WriteString("\nWhat the roles were denied\n")
		for _, d := range r.Denied {
			fmt.Fprintf(&b, "%6d  %s on %s\n", d.Count, d.Action, cmp.Or(d.Resource, "(the text does not say)"))
		}
	}
	if len(r.PullRequests) > 0 {
		fmt.Fprintf(&b, "\nWhat builds pull requests, which have whatever the role is given\n        %s\n", listSome(r.PullRequests, 10))
	}
	could := 0
	for rem, n := range r.Remedies {
		if rem != diagnose.Report && rem != diagnose.Ignore {
			could += n
		}
	}
	fmt.Fprintf(&b, "\nWith your consent in the settings, the healer could have acted on %d of %d.\n\n"+
		"A buildmedic.yaml to start from\n\n%s", could, r.Failures-r.Unread, r.Settings)
	return b.String()
}

func listSome(ss []string, most int) string {
	if len(ss) <= most {
		return strings.Join(ss, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(ss[:most], ", "), len(ss)-most)
}

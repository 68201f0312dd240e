package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"go.yaml.in/yaml/v3"

	"github.com/buildmedic/buildmedic/internal/awsapi"
	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/diagnose"
	"github.com/buildmedic/buildmedic/internal/floor"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/settings"
)

func runScan(ctx context.Context, args []string, _ io.Reader, stdout, stderr io.Writer) int {
	fs := flags("scan", "[-n N] [-days D] [-json] [-yaml] [-html FILE] [-resume] | -expand [-settings F]",
		"Goes through the last failed builds of all projects of an account and region, and prints what\n"+
			"fails most, what the healer could have healed, and a buildmedic.yaml to start from. It reads\n"+
			"with your own credentials and changes nothing.\n\n"+
			"It keeps within the rates that AWS allows, and asks again as long as it is throttled. When it\n"+
			"is interrupted it prints what it has read so far, and -resume goes on from there.\n\n"+
			"With -expand it reads no builds. It prints the settings with each pattern of projects written out:\n"+
			"the names and roles that there are now. It says what is new and what is gone.",
		"buildmedic scan -days 30 > report.txt", stderr)
	var o scanOptions
	fs.IntVar(&o.most, "n", 10, "how many failed builds of each project are read")
	fs.IntVar(&o.days, "days", 30, "how far back")
	fs.BoolVar(&o.json, "json", false, "print JSON")
	fs.BoolVar(&o.yaml, "yaml", false, "print only the buildmedic.yaml")
	fs.StringVar(&o.html, "html", "", "write a page to decide with and to show, to `FILE`; - is standard output, in place of the report")
	fs.BoolVar(&o.resume, "resume", false, "go on with the scan of this account and region that was interrupted")
	pin := fs.Bool("expand", false, "print the settings with their patterns of projects written out; send them to another file")
	file := fs.String("settings", defaultSettings, "settings file, for -expand")
	if done, code := parse(fs, args, stdout); done {
		return code
	}
	if *pin && (o.json || o.yaml || o.resume) {
		return wrong(fs, "-expand goes with -settings alone")
	}
	if fs.NArg() > 0 || o.most < 1 || o.days < 1 {
		return wrong(fs, "-n and -days are 1 or more, and there is no other argument")
	}
	if o.html == "-" && (o.json || o.yaml) {
		return wrong(fs, "-html - is for standard output, and so is -json or -yaml: give the page a file")
	}
	cfg, err := quietly(ctx)
	if err != nil {
		return fail(stderr, err)
	}
	if *pin {
		return expand(ctx, cfg, *file, stdout, stderr)
	}
	return o.scan(ctx, cfg, stdout, stderr)
}

type scanOptions struct {
	most, days         int
	json, yaml, resume bool
	html               string // file for the page; "-" is standard output, "" no page
}

// String is the command line that goes on with the scan.
func (o scanOptions) String() string {
	line := fmt.Sprintf("%s scan -resume -n %d -days %d", program, o.most, o.days)
	if o.json {
		line += " -json"
	}
	if o.yaml {
		line += " -yaml"
	}
	if o.html != "" {
		line += " -html " + shellWord(o.html)
	}
	return line
}

func (o scanOptions) scan(ctx context.Context, cfg aws.Config, stdout, stderr io.Writer) int {
	page, err := newPageFile(o.html, stdout, stderr)
	if err != nil {
		return fail(stderr, err)
	}
	defer page.drop()
	patience := newPatience(cfg.Region)
	id, err := whoami(ctx, cfg)
	if err != nil {
		return ended(ctx, stderr, err)
	}
	d := newReader(patience.apply(cfg), id)
	fmt.Fprintf(stderr, "Scanning %s.\n", sessionOf(cfg))
	now := deskClock.Now()
	s := scan{desk: d, lister: d.codebuild, most: o.most, from: now.AddDate(0, 0, -o.days), until: now,
		progress: newProgress(stderr, patience)}
	from, err := s.keeping(keptHeader{Account: d.home.ID, Region: d.home.Region, Most: o.most, Days: o.days}, o.resume, stderr)
	if err != nil {
		return fail(stderr, err)
	}
	defer s.keep.close()
	read, err := s.read(context.WithValue(ctx, patient{}, true), from)
	if err != nil && len(read.projects) == 0 {
		return ended(ctx, stderr, err)
	}
	r := read.report()
	if r.Complete && r.Projects == 0 {
		r.Elsewhere = otherRegions(ctx, cfg)
	}
	code := exitOK
	switch {
	case o.html == "-":
	case o.json:
		code = printJSON(stdout, stderr, r)
	case o.yaml:
		fmt.Fprint(stdout, r.Settings)
	default:
		fmt.Fprint(stdout, r.text(screen(stdout)))
	}
	if o.html != "" {
		if err := page.write(r.page(s, o)); err != nil {
			code = fail(stderr, err)
		}
	}
	if r.Complete {
		s.keep.drop()
		return code
	}
	code = ended(ctx, stderr, err)
	if s.keep.holds() {
		fmt.Fprintf(stderr, "What was read is kept in %s.\nTo go on: %s\n", s.keep.path, o)
	}
	return code
}

// ended says why a scan ended early.
func ended(ctx context.Context, stderr io.Writer, err error) int {
	if ctx.Err() != nil {
		fmt.Fprintln(stderr, "buildmedic: interrupted")
		return exitInterrupted
	}
	return fail(stderr, err)
}

type scan struct {
	desk        *desk
	lister      lister
	most        int
	from, until time.Time
	progress    *progress
	keep        *keeper
}

// scanned is what a scan finds.
type scanned struct {
	Account   string `json:"account"`
	Region    string `json:"region"`
	Partition string `json:"partition"`
	Profile   string `json:"profile,omitempty"`
	// Elsewhere are the regions that have projects, if this one has none.
	Elsewhere []elsewhere `json:"elsewhere,omitempty"`
	Complete  bool        `json:"complete"` // false: it ended early, and this is what it had read
	Projects  int         `json:"projects"`
	Read      int         `json:"projects_read"`
	Failures  int         `json:"failures"`
	Unread    int         `json:"unread"` // failed builds whose log could not be read
	// UnreadBecause counts them by reason, most frequent first.
	UnreadBecause []whyCount   `json:"unread_because"`
	Unreadable    []unreadable `json:"unreadable"` // projects of which nothing could be read
	Causes        []causeCount `json:"causes"`     // most frequent first
	Seconds       int          `json:"seconds"`    // how long the failed builds ran whose log was read
	// Refused counts what could not be acted on whatever is granted, by rule, most frequent first.
	Refused []ruleCount `json:"refused"`
	// Full are the projects of which as many failed builds were read as are asked for: of these,
	// more may have failed.
	Full     []string                `json:"full"`
	Denied   []deniedCount           `json:"denied"`
	Remedies map[diagnose.Remedy]int `json:"remedies"`
	// PullRequests are the projects whose webhook starts builds of pull requests, or
	// of which such a build failed: those builds have what the role is given.
	PullRequests []string `json:"pull_requests"`
	// WebhooksUnread is why no project's webhook could be read; "" if they were.
	WebhooksUnread string `json:"webhooks_unread,omitempty"`
	Settings       string `json:"settings"` // a buildmedic.yaml to start from

	wants  map[string]want
	builds []builtBefore // those whose log was read
}

// builtBefore is a failed build, with what became of its branch.
type builtBefore struct {
	failureRead
	project string
	green   time.Time
}

type ruleCount struct {
	Rule  guardrail.Rule `json:"rule"`
	Count int            `json:"count"`
}

type whyCount struct {
	Why   string `json:"why"`
	Count int    `json:"count"`
}

type unreadable struct {
	Project string `json:"project"`
	Why     string `json:"why"`
}

type causeCount struct {
	Cause    string          `json:"cause"`
	Title    string          `json:"title"`
	Remedy   diagnose.Remedy `json:"remedy"`
	Count    int             `json:"count"`
	Projects []string        `json:"projects"`
}

type deniedAction struct {
	Action   string `json:"action"`
	Resource string `json:"resource"`
}

type deniedCount struct {
	deniedAction
	Count int `json:"count"`
}

// want is what a project would need.
type want struct {
	role       string
	denials    map[string][]string // action → resources
	buildspec  bool
	reports    bool
	repository []string
}

// report puts together what was read, project by project, and in each the newest build first.
func (r *reading) report() scanned {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := scanned{Account: r.desk.home.ID, Region: r.desk.home.Region,
		Partition: sessionOf(r.desk.cfg).id.Partition, Profile: sessionOf(r.desk.cfg).profile,
		Projects: len(r.projects), WebhooksUnread: r.unlisted,
		UnreadBecause: []whyCount{}, Unreadable: []unreadable{}, Causes: []causeCount{},
		Refused: []ruleCount{}, Full: []string{}, Denied: []deniedCount{},
		Remedies: map[diagnose.Remedy]int{}, PullRequests: []string{}, wants: map[string]want{}}
	causes, denied, whys := map[string]*causeCount{}, map[deniedAction]int{}, map[string]int{}
	refused := map[guardrail.Rule]int{}
	loose := r.loose()
	for _, p := range r.projects {
		if p.PullRequests {
			out.buildsPullRequests(p.Name)
		}
		pick, whole := r.picks[p.Name]
		if !whole {
			pick.IDs = loose[p.Name]
		}
		if pick.Why != "" {
			out.Unreadable = append(out.Unreadable, unreadable{p.Name, pick.Why})
		}
		for _, id := range pick.IDs {
			f, ok := r.reads[id]
			if !ok {
				whole = false
				continue
			}
			out.Failures++
			if f.Why != "" {
				out.Unread++
				whys[f.Why]++
				continue
			}
			out.builds = append(out.builds, builtBefore{f, p.Name, pick.Green[id]})
			out.Seconds += f.Seconds
			if f.Refused != "" {
				refused[f.Refused]++
			}
			out.count(p.Name, f, causes, denied)
		}
		if whole {
			out.Read++
		}
		if len(pick.IDs) >= r.most {
			out.Full = append(out.Full, p.Name)
		}
	}
	out.Complete = out.Read == out.Projects
	for _, c := range causes {
		out.Causes = append(out.Causes, *c)
	}
	slices.SortFunc(out.Causes, func(a, b causeCount) int {
		return cmp.Or(b.Count-a.Count, strings.Compare(a.Cause, b.Cause))
	})
	for d, n := range denied {
		out.Denied = append(out.Denied, deniedCount{d, n})
	}
	slices.SortFunc(out.Denied, func(a, b deniedCount) int {
		return cmp.Or(b.Count-a.Count, strings.Compare(a.Action, b.Action), strings.Compare(a.Resource, b.Resource))
	})
	for rule, n := range refused {
		out.Refused = append(out.Refused, ruleCount{rule, n})
	}
	slices.SortFunc(out.Refused, func(a, b ruleCount) int {
		return cmp.Or(b.Count-a.Count, strings.Compare(string(a.Rule), string(b.Rule)))
	})
	for w, n := range whys {
		out.UnreadBecause = append(out.UnreadBecause, whyCount{w, n})
	}
	slices.SortFunc(out.UnreadBecause, func(a, b whyCount) int {
		return cmp.Or(b.Count-a.Count, strings.Compare(a.Why, b.Why))
	})
	slices.Sort(out.PullRequests)
	out.Settings = starter(out.wants, out.PullRequests)
	return out
}

// loose are the builds that were read of projects of which it was not yet known which ones count.
func (r *reading) loose() map[string][]string {
	out := map[string][]string{}
	for id := range r.reads {
		if _, ok := r.picks[projectOf(id)]; !ok {
			out[projectOf(id)] = append(out[projectOf(id)], id)
		}
	}
	for name, ids := range out {
		slices.SortFunc(ids, func(a, b string) int { return cmp.Compare(r.reads[b].Number, r.reads[a].Number) })
		out[name] = ids[:min(len(ids), r.most)]
	}
	return out
}

func (r *scanned) buildsPullRequests(project string) {
	if !slices.Contains(r.PullRequests, project) {
		r.PullRequests = append(r.PullRequests, project)
	}
}

func (r *scanned) count(project string, f failureRead, causes map[string]*causeCount, denied map[deniedAction]int) {
	c, ok := causes[f.Cause]
	if !ok {
		c = &causeCount{Cause: f.Cause, Title: f.Title, Remedy: f.Remedy}
		causes[f.Cause] = c
	}
	c.Count++
	if !slices.Contains(c.Projects, project) {
		c.Projects = append(c.Projects, project)
	}
	r.Remedies[f.Remedy]++
	if f.PullRequest {
		r.buildsPullRequests(project)
	}
	w, ok := r.wants[project]
	if !ok {
		w = want{role: f.Role, denials: map[string][]string{}}
	}
	for _, d := range f.Denied {
		denied[d]++
		if f.Refused == "" { // no setting could give it
			w.add(d)
		}
	}
	w.buildspec = w.buildspec || f.Remedy == diagnose.OverrideBuildspec
	if n := f.Repository; n != "" && !slices.Contains(w.repository, n) {
		w.repository = append(w.repository, n)
	}
	w.reports = w.reports || f.Reports
	r.wants[project] = w
}

// own reports whether the denial is of the build's own role and session, in
// a build that may be healed at all.
func own(b codebuild.Build, d buildlog.Denial) bool {
	role, ok := b.Role()
	in := guardrail.Input{Project: settings.Project{Name: b.Project, Role: role.PathName()}, Build: b,
		Denials: []buildlog.Denial{d}}
	return ok && guardrail.RefuseUntrusted(b, in.Project) == nil && len(guardrail.Identify(in)) == 0
}

// smallestSet is the smallest set with all of the actions, and how many it has: none that reaches
// into a service in which nothing was denied.
func smallestSet(actions []string) (name string, size int) {
	services := map[string]bool{}
	for _, a := range actions {
		services[serviceOf(a)] = true
	}
	for _, set := range floor.Sets() {
		has := func(a string) bool {
			return slices.ContainsFunc(set.Actions, func(s string) bool { return strings.EqualFold(s, a) })
		}
		beyond := slices.ContainsFunc(set.Actions, func(s string) bool { return !services[serviceOf(s)] })
		if !beyond && !slices.ContainsFunc(actions, func(a string) bool { return !has(a) }) && (name == "" || len(set.Actions) < size) {
			name, size = set.Name, len(set.Actions)
		}
	}
	return name, size
}

func serviceOf(action string) string {
	service, _, _ := strings.Cut(strings.ToLower(action), ":")
	return service
}

func (w want) add(d deniedAction) {
	res := d.Resource
	if res == "" || res == "*" {
		res = ""
	}
	if !slices.Contains(w.denials[d.Action], res) {
		w.denials[d.Action] = append(w.denials[d.Action], res)
	}
}

// modeline tells editors by which schema to complete, explain and check the file.
const modeline = "# yaml-language-server: $schema=" + settings.SchemaFile + "\n"

// yamlText writes a text as YAML, in quotes where it would be read as something else.
func yamlText(s string) string {
	if b, err := yaml.Marshal(s); err == nil && !strings.Contains(s, "\n") {
		return strings.TrimSuffix(string(b), "\n")
	}
	return strconv.Quote(s)
}

// starter writes a buildmedic.yaml: every project that failed, in observe,
// with a grant for what it was denied as a comment. Consent stays the
// owner's: nothing in it grants anything before a person edits it.
func starter(wants map[string]want, pullRequests []string) string {
	var b strings.Builder
	b.WriteString(modeline + "version: 1\n" +
		"# Made by `buildmedic scan`. Everything is in observe and grants nothing. Read each comment; take the\n" +
		"# number signs off what you want to allow, and set mode: heal.\nprojects:\n")
	names := slices.Sorted(maps.Keys(wants))
	if len(names) == 0 {
		return modeline + "version: 1\n# No project failed. List under projects: those that Buildmedic should watch.\n"
	}
	for _, n := range names {
		w := wants[n]
		fmt.Fprintf(&b, "  - name: %s\n    role: %s\n    mode: observe\n", yamlText(n), yamlText(w.role))
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
		fmt.Fprintf(&b, "#   - id: %s\n#     because: WHY\n#     owner: TEAM\n#     scope: project\n", grantID(n))
		if roles, ok := w.denials[passRole]; ok {
			fmt.Fprintf(&b, "#     # the service that runs as the role, such as ecs-tasks.amazonaws.com\n"+
				"#     pass_roles: {SERVICE.amazonaws.com: [%s]}\n", quotedList(roles, "arn:${partition}:iam::${account}:role/NAME"))
		}
		actions := slices.DeleteFunc(slices.Sorted(maps.Keys(w.denials)), func(a string) bool { return a == passRole })
		if len(actions) == 0 {
			continue
		}
		fmt.Fprintf(&b, "#     actions: [%s]\n", quotedList(actions, ""))
		if set, n := smallestSet(actions); n > len(actions) {
			fmt.Fprintf(&b, "#     # Builds show one missing permission a run. For all %d of the set at once, in place of actions:\n"+
				"#     # set: %s, with give: set\n", n, set)
		}
		fmt.Fprintf(&b, "#     resources:\n")
		for _, res := range w.resources() {
			fmt.Fprintf(&b, "#       - %q\n", res)
		}
	}
	return b.String()
}

// passRole has a key of its own in a grant.
const passRole = "iam:PassRole"

// quotedList is texts as the entries of a YAML list; otherwise, if there is none.
func quotedList(list []string, otherwise string) string {
	var out []string
	for _, s := range list {
		if s != "" {
			out = append(out, strconv.Quote(s))
		}
	}
	if len(out) == 0 {
		return strconv.Quote(otherwise)
	}
	slices.Sort(out)
	return strings.Join(slices.Compact(out), ", ")
}

func (w want) resources() []string {
	var out []string
	for action, rs := range w.denials {
		if action == passRole {
			continue
		}
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

// text is the report for a terminal of that width; 0 for no terminal.
func (r scanned) text(width int) string {
	var b strings.Builder
	projects := count(r.Projects, "project")
	if !r.Complete {
		projects = fmt.Sprintf("%d of %s", r.Read, projects)
	}
	whose := session{id: awsapi.Identity{Account: r.Account, Partition: r.Partition}, region: r.Region, profile: r.Profile}
	fmt.Fprintf(&b, "A%s: %s, %s read\n", whose.String()[1:], projects,
		count(r.Failures-r.Unread, "failed build"))
	if !r.Complete {
		b.WriteString("This is a part: the scan ended early.\n")
	}
	for _, w := range r.UnreadBecause {
		fmt.Fprintf(&b, "%s could not be read: %s\n", count(w.Count, "log"), w.Why)
	}
	if r.WebhooksUnread != "" {
		fmt.Fprintf(&b, "Which webhooks start builds of pull requests could not be read: %s\n", r.WebhooksUnread)
	}
	if len(r.Unreadable) > 0 {
		b.WriteString("\nProjects that could not be read\n")
		for _, u := range r.Unreadable {
			fmt.Fprintf(&b, "        %s: %s\n", plain(u.Project), u.Why)
		}
		b.WriteString("\n")
	}
	switch {
	case r.Projects == 0:
		return b.String() + r.nothing()
	case r.Failures == 0 && r.Complete && len(r.Unreadable) == 0:
		return b.String() + "Nothing failed.\n"
	case r.Failures == 0:
		return b.String() + "Of what was read, nothing failed.\n"
	}
	cols := fit([]column{{width: 6, right: true}, {width: 27}, {width: 18, drop: 1}}, 16, width)
	b.WriteString("\nWhat fails most\n" + tableRow(cols, "", " CAUSE", "REMEDY", "PROJECTS"))
	for _, c := range r.Causes {
		b.WriteString(tableRow(cols, strconv.Itoa(c.Count), " "+c.Cause, string(c.Remedy), listSome(c.Projects, 4)))
	}
	if len(r.Denied) > 0 {
		b.WriteString("\nWhat the roles were denied\n")
		for _, d := range r.Denied {
			fmt.Fprintf(&b, "%6d  %s on %s\n", d.Count, plain(d.Action), cmp.Or(plain(d.Resource), "(the text does not say)"))
		}
	}
	if len(r.PullRequests) > 0 {
		fmt.Fprintf(&b, "\nWhat builds pull requests, which have whatever the role is given\n        %s\n", listSome(r.PullRequests, 10))
	}
	fmt.Fprintf(&b, "\nWith your consent in the settings, the healer could have acted on %d of %d.\n", r.could(), r.Failures-r.Unread)
	for _, no := range r.Refused {
		fmt.Fprintf(&b, "%6d  more it would refuse, whatever is granted: %s\n", no.Count, no.Rule)
	}
	if len(r.Full) > 0 {
		fmt.Fprintf(&b, "In %s the limit of -n was reached: what failed there before is not counted.\n", count(len(r.Full), "project"))
	}
	fmt.Fprintf(&b, "\nA buildmedic.yaml to start from\n\n%s", r.Settings)
	return b.String()
}

// could is on how many builds the healer could have acted, with consent.
func (r scanned) could() (n int) {
	for _, b := range r.builds {
		if b.actable() {
			n++
		}
	}
	return n
}

func (f failureRead) actable() bool {
	return f.Remedy != diagnose.Report && f.Remedy != diagnose.Ignore && f.Refused == ""
}

// nothing says where else to look.
func (r scanned) nothing() string {
	text := "This region of this account has no CodeBuild project, so nothing was looked at.\n"
	var there []string
	for _, e := range r.Elsewhere {
		n := count(e.Projects, "project")
		if e.More {
			n = "more than " + n
		}
		there = append(there, e.Region+" ("+n+")")
	}
	if len(there) == 0 {
		return text + "Another region is `AWS_REGION=R buildmedic scan`, another account `AWS_PROFILE=P buildmedic scan`.\n"
	}
	return text + "The account has projects in " + strings.Join(there, ", ") + ": `AWS_REGION=" + r.Elsewhere[0].Region +
		" buildmedic scan`.\n"
}

func listSome(ss []string, most int) string {
	if len(ss) <= most {
		return strings.Join(ss, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(ss[:most], ", "), len(ss)-most)
}

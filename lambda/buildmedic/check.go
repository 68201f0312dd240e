package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// checked is what `check -json` prints.
type checked struct {
	Valid    bool               `json:"valid"`
	Problems []settings.Problem `json:"problems"`
	Warnings []settings.Problem `json:"warnings"`
	Projects []reach            `json:"projects"`
	Tests    int                `json:"tests"`   // that were run
	Samples  int                `json:"samples"` // of the team's own causes, that were diagnosed
	SHA256   string             `json:"sha256,omitempty"`
	Told     []string           `json:"told"` // who hears what happens
	// Hearers are the owners, and whom notify itself names, with what each is told of; none without owners.
	Hearers []hearer `json:"hearers,omitempty"`
}

// reach is what a project's builds could at most gain: by its own grants, and by
// those of other projects that land on its role.
type reach struct {
	Project    string                `json:"project"`
	Role       string                `json:"role"`
	Mode       settings.Mode         `json:"mode"`
	Write      string                `json:"write"`
	Permanent  *lasting              `json:"permanent,omitempty"`
	Grants     []string              `json:"grants"`
	Settings   []settings.Said       `json:"settings"` // what is said of it, and where
	Statements []iampolicy.Statement `json:"statements"`
	Others     []string              `json:"others,omitempty"` // projects whose grants are among them
	Flaky      bool                  `json:"flaky_tests,omitempty"`
	Reruns     string                `json:"reruns_jobs_of,omitempty"` // the repository of GitHub's whose jobs are run again
	Reports    []string              `json:"report_groups,omitempty"`  // whose reports are read
	Stacks     []string              `json:"stacks,omitempty"`         // whose events are read
	Also       []alsoReach           `json:"also_roles,omitempty"`
}

// alsoReach is what another role with which a project deploys could at most gain.
type alsoReach struct {
	Role       string                `json:"role"`
	Write      string                `json:"write"`
	Permanent  *lasting              `json:"permanent,omitempty"`
	Boundary   string                `json:"boundary,omitempty"`
	Grants     []string              `json:"grants"`
	Statements []iampolicy.Statement `json:"statements"`
	Others     []string              `json:"others,omitempty"`
}

func runCheck(ctx context.Context, args []string, _ io.Reader, stdout, stderr io.Writer) int {
	fs := flags("check", "[-v] [-account ID] [-region R] [-partition P] [-live] [-json] [FILE | -settings FILE]\n"+
		"       buildmedic check -observed [-builds N] [-grant ID] [-trail] [-analyzer JOB] [-json] [FILE]",
		"Validates settings, runs the tests and the samples in them, warns of what is wide and of what does nothing,\n"+
			"and shows a line per project with the most dangerous thing that its role could gain. With -v it shows\n"+
			"all that each could gain, and in which line of the file each of its settings stands. It uses no AWS,\n"+
			"unless -live has it read with your own credentials which projects build pull requests.\n\n"+
			"With -observed it shows of each grant with a set or a pattern what was really used of it, and prints the\n"+
			"narrower grants that would have been enough as a patch of the file. It looks at the cases of the function's\n"+
			"ledger or of a local one; with -trail and -analyzer also at what AWS recorded. It changes nothing.",
		"buildmedic check -settings infra/buildmedic.yaml -account 111122223333 -region eu-west-1", stderr)
	path := fs.String("settings", defaultSettings, "settings file")
	account := fs.String("account", "", "account that ${account} stands for; without it each test's own, and the "+
		"placeholder is printed")
	region := fs.String("region", "", "region that ${region} stands for; optional like -account")
	partition := fs.String("partition", "", "partition that ${partition} stands for; optional like -account")
	live := fs.Bool("live", false, "also read from CodeBuild which of the projects build pull requests")
	all := fs.Bool("v", false, "show all, and each warning by itself")
	asJSON := fs.Bool("json", false, "print JSON")
	seen := addObserveFlags(fs)
	if done, code := parse(fs, args, stdout); done {
		return code
	}
	switch {
	case fs.NArg() > 1, fs.NArg() == 1 && fs.Changed("settings"):
		return wrong(fs, "one file at a time, got %q besides", fs.Arg(fs.NArg()-1))
	case fs.NArg() == 1:
		*path = fs.Arg(0)
	}
	if *account != "" && (len(*account) != 12 || strings.Trim(*account, "0123456789") != "") {
		return wrong(fs, "-account %q is not an account id; write its 12 digits", *account)
	}
	if problem := seen.problem(fs); problem != "" {
		return wrong(fs, "%s", problem)
	}
	if seen.observed {
		seen.home, seen.json = settings.Account{ID: *account, Region: *region}, *asJSON
		return seen.run(ctx, *path, stdout, stderr)
	}
	data, err := settingsFile(*path)
	if err != nil {
		return fail(stderr, err)
	}
	c := check(data, settings.Account{ID: *account, Region: *region}, *partition)
	if *live && c.Valid {
		ws, err := livePullRequests(ctx, data, stderr)
		if err != nil {
			return fail(stderr, err)
		}
		c.Warnings = append(c.Warnings, ws...)
	}
	code := exitOK
	if !c.Valid {
		code = exitFailed
	}
	if *asJSON {
		return max(code, printJSON(stdout, stderr, c))
	}
	if *all {
		fmt.Fprint(stdout, c.text(*path), hear(c.Hearers))
	} else {
		fmt.Fprint(stdout, c.short(*path, reportWidth(stdout)))
	}
	return code
}

func check(data []byte, home settings.Account, partition string) checked {
	out := checked{Problems: []settings.Problem{}, Warnings: []settings.Problem{}, Projects: []reach{}, Told: []string{}}
	s, err := settings.Parse(data)
	if err != nil {
		var ps settings.Problems
		if !errors.As(err, &ps) {
			ps = settings.Problems{{Message: err.Error()}}
		}
		out.Problems = ps
		return out
	}
	out.SHA256 = s.SHA256
	out.Problems = append(out.Problems, settings.RunTests(s, home, partition)...)
	out.Tests, out.Samples = len(s.Tests), s.SampleCount()
	for _, ws := range [][]settings.Problem{settings.Surprises(s), settings.Warnings(s), settings.Unbounded(s), settings.LeftOut(s)} {
		out.Warnings = append(out.Warnings, ws...)
	}
	if home.ID == "" {
		home.ID = "${account}"
	}
	if home.Region == "" {
		home.Region = "${region}"
	}
	if partition == "" {
		partition = "${partition}"
	}
	out.Valid = len(out.Problems) == 0
	out.Told, out.Hearers = listeners(s.Notify), hearers(s)
	sharing := settings.SharingOf(s, home)
	said := settings.Effective(data)
	for i, p := range s.Projects {
		var also []alsoReach
		for _, r := range p.Roles()[1:] {
			also = append(also, alsoReach{r.Role, writeWay(r.Write), lastingOf(s, r), r.Boundary, r.Grants, sharing.Max(r, partition),
				others(sharing.GiversTo(r), p)})
		}
		out.Projects = append(out.Projects, reach{p.Name, p.Role, p.Mode, writeWay(p.Write), lastingOf(s, p), p.Grants, said[i],
			sharing.Max(p, partition), others(sharing.GiversTo(p), p), p.RetryFlaky, rerunsOf(p), reportGroups(p), p.Stacks, also})
	}
	return out
}

// listeners names who hears what happens.
func listeners(n settings.Notify) []string {
	list := slices.Clone(n.Email)
	switch c := n.Chat; {
	case c == nil:
	case c.Slack != nil:
		list = append(list, "Slack channel "+c.Slack.Channel)
	case c.Teams != nil:
		list = append(list, "Teams channel "+c.Teams.Channel)
	}
	return list
}

// others names those of the projects that have grants and are not p.
func others(givers []settings.Project, p settings.Project) (names []string) {
	for _, q := range givers {
		if len(q.Grants) > 0 && (q.Name != p.Name || q.Account != p.Account || q.Region != p.Region) {
			names = append(names, q.Name)
		}
	}
	return names
}

// reportGroups are the report groups in which CodeBuild's test reports of the project are read.
func reportGroups(p settings.Project) []string {
	if !p.TestReports {
		return nil
	}
	return append([]string{p.Name + "-*"}, p.ReportGroups...)
}

// flakyStart says what is done with a build in which nothing but flaky tests failed.
// rerunsOf is the repository whose jobs are run again at GitHub; "" for none.
func rerunsOf(p settings.Project) string {
	if !p.Rerun {
		return ""
	}
	return p.Code.GitHub
}

// rerunStart says what becomes of a job that could be run again.
func rerunStart(m settings.Mode) string {
	switch m {
	case settings.Heal:
		return "is run again there"
	case settings.Propose:
		return "is run again there once that is approved"
	}
	return "would be run again there in mode heal"
}

func flakyStart(m settings.Mode) string {
	switch m {
	case settings.Heal:
		return "is started again"
	case settings.Propose:
		return "is started again once a person approves"
	}
	return "is told of, and not started again in mode observe"
}

func writeWay(w settings.Write) string {
	switch {
	case w.Inline != "":
		return "inline policy " + w.Inline
	case w.Managed != "":
		return "a new version of managed policy " + w.Managed
	case w.Attach:
		return "attaching ready-made policies"
	case w.Code.Set():
		return "nothing in IAM: pull requests ask in file " + w.Code.Path + " of repository " + w.Code.GitHub + w.Code.CodeCommit +
			", which owns the policy"
	}
	return "nothing"
}

// at is a problem with the file's own path, so that an editor can jump there.
func at(path string, p settings.Problem) string {
	return path + strings.TrimPrefix(p.Error(), "buildmedic.yaml")
}

// count is a number of things in words.
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func (c checked) text(path string) string {
	var b strings.Builder
	for _, p := range c.Problems {
		fmt.Fprintf(&b, "error: %s\n", at(path, p))
	}
	for _, p := range c.Warnings {
		fmt.Fprintf(&b, "warning: %s\n", at(path, p))
	}
	if !c.Valid {
		return b.String() + c.verdict(path)
	}
	fmt.Fprintf(&b, "%s SHA-256 %s\n", c.verdict(path), c.SHA256)
	for _, p := range c.Projects {
		fmt.Fprintf(&b, "\n%s  (role %s, mode %s, writes %s)\n", p.Project, p.Role, p.Mode, p.Write)
		for _, k := range p.Settings {
			where := fmt.Sprintf("line %d", k.Line)
			if k.Default {
				where = "default of " + where
			}
			fmt.Fprintf(&b, "  %s: %s  (%s)\n", k.Key, plain(k.Value), where)
		}
		if len(p.Statements) == 0 {
			b.WriteString("  could gain nothing\n")
		}
		if len(p.Others) > 0 {
			fmt.Fprintf(&b, "  has what project %s is given, too: it lands on the same role\n", listSome(p.Others, 5))
		}
		if p.Flaky {
			fmt.Fprintf(&b, "  a build in which only flaky tests failed %s\n", flakyStart(p.Mode))
		}
		if p.Reruns != "" {
			fmt.Fprintf(&b, "  a job of %s at GitHub that failed of something that passes %s\n", p.Reruns, rerunStart(p.Mode))
		}
		if len(p.Reports) > 0 {
			fmt.Fprintf(&b, "  test reports are read in the report groups %s\n", listSome(p.Reports, 5))
		}
		if len(p.Stacks) > 0 {
			fmt.Fprintf(&b, "  why a stack failed is read of %s\n", listSome(p.Stacks, 5))
		}
		for _, s := range p.Statements {
			fmt.Fprintf(&b, "  could at most gain %s\n", strings.ReplaceAll(s.String(), "\n", "\n  "))
		}
		b.WriteString(p.Permanent.text("  "))
		for _, a := range p.Also {
			fmt.Fprintf(&b, "  another role, %s  (writes %s)\n", a.Role, a.Write)
			if len(a.Others) > 0 {
				fmt.Fprintf(&b, "    has what project %s is given for it, too\n", listSome(a.Others, 5))
			}
			for _, s := range a.Statements {
				fmt.Fprintf(&b, "    could at most gain %s\n", strings.ReplaceAll(s.String(), "\n", "\n    "))
			}
			b.WriteString(a.Permanent.text("    "))
		}
	}
	return b.String()
}

// verdict says whether the settings are valid, in a sentence.
func (c checked) verdict(path string) string {
	if !c.Valid {
		return fmt.Sprintf("\n%s is not valid: %s. It would grant nothing, and is not deployed.\n", path, count(len(c.Problems), "error"))
	}
	hold := ""
	switch c.Tests {
	case 0:
	case 1:
		hold = ", and its test holds"
	default:
		hold = fmt.Sprintf(", and its %d tests hold", c.Tests)
	}
	if c.Samples > 0 {
		hold += fmt.Sprintf(", and %s of causes diagnosed as they say", count(c.Samples, "sample"))
	}
	nothing := ""
	if len(c.Projects) == 0 {
		nothing = "\nIt lists no project, so nothing is granted and nothing is started."
	}
	return fmt.Sprintf("%s is valid%s.%s", path, hold, nothing)
}

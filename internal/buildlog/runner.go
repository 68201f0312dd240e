package buildlog

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

// Runner is whose jobs a runner runs.
type Runner string

// The runners that CodeBuild hosts.
const (
	GitHubRunner    Runner = "github"
	GitLabRunner    Runner = "gitlab"
	BuildkiteRunner Runner = "buildkite"
)

// Job is what a log shows of the job that a build ran for a code host (AWS.md#runners).
//
// Whoever runs commands in a build can print all of it. So that there is one counts against a build
// and never for it, and what it names is only where to look: the host itself is asked what is there.
// Where a log names two different things, none of them is given.
type Job struct {
	Runner Runner `json:"runner"`
	// Name is the job's, as people know it; "" if the runner was given none, or several.
	Name string `json:"name,omitempty"`
	// Repository is OWNER/REPOSITORY at GitHub; "" if the log names none.
	Repository string `json:"repository,omitempty"`
	// Run and Attempt are those of the workflow's run at GitHub; 0 if the log does not name them.
	Run     int64 `json:"run,omitempty"`
	Attempt int   `json:"attempt,omitempty"`
	// Number is the job's own at GitLab; 0 if the log does not name it.
	Number int64 `json:"number,omitempty"`
	// Pipeline is ORGANIZATION/PIPELINE#NUMBER of the build at Buildkite; "" if the log does not name it.
	Pipeline string `json:"pipeline,omitempty"`
	// Began: the runner was given a job. Refused: the host opened no session for the runner, which gets
	// no job then.
	Began   bool `json:"began,omitempty"`
	Refused bool `json:"refused,omitempty"`
}

// Bounds of what is read of a job.
const (
	maxJobName  = 200
	maxJobLine  = 2 << 10
	maxJobLines = 10_000 // that look as if they were a runner's
)

// What runners print. Each line of the runner itself stands alone; a label may stand anywhere.
var (
	gitHubListens = lazyregexp.New(`^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ: Listening for Jobs$`)
	gitHubRuns    = lazyregexp.New(`^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ: Running job: (.+)$`)
	gitHubEnded   = lazyregexp.New(`^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ: Job .+ completed with result: [A-Za-z]+$`)
	gitHubConnect = lazyregexp.New(`^√ Connected to GitHub$`)
	gitHubVar     = lazyregexp.New(
		`^(?:export |declare -x )?(CODEBUILD_(?:RUNNER_OWNER|RUNNER_REPO|WEBHOOK_RUN_ID|WEBHOOK_LABEL))="?([^"\s]+)"?$`)
	gitHubLabel   = lazyregexp.New(`(?:^|[\s"'=,\[])codebuild-([A-Za-z0-9][A-Za-z0-9_-]{1,149})-([0-9]{1,19})-([0-9]{1,4})(?:$|[\s"',\]])`)
	gitLabGot     = lazyregexp.New(`Checking for jobs\.\.\. ?received\s+.*\bjob=([0-9]{1,19})\b`)
	gitLabRuns    = lazyregexp.New(`^Running with gitlab-runner [0-9]`)
	buildkiteGot  = lazyregexp.New(`\bAssigned job [0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b`)
	buildkiteRuns = lazyregexp.New(`\bStarting job [0-9a-f-]{36} for build at ` +
		`https://buildkite\.com/([a-z0-9][a-z0-9-]{0,99}/[a-z0-9][a-z0-9-]{0,99})/builds/([1-9][0-9]{0,9})$`)
	gitHubOwner = lazyregexp.New(`^[A-Za-z0-9](?:[A-Za-z0-9-]{0,37}[A-Za-z0-9])?$`)
	gitHubName  = lazyregexp.New(`^[A-Za-z0-9._-]{1,100}$`)
)

// sessionRefused is what GitHub's runner prints when GitHub has a session for it already.
const sessionRefused = "A session for this runner already exists"

// jobHints are in every line that says something of a runner.
var jobHints = []string{"Listening for Jobs", "Running job: ", " completed with result: ", "Connected to GitHub", "CODEBUILD_RUNNER_",
	"CODEBUILD_WEBHOOK_", "codebuild-", "Checking for jobs...", "Running with gitlab-runner", "Assigned job ", "Starting job ",
	sessionRefused}

// ReadJob reads what a log shows of a job that the build ran for a code host. project is the build's.
// ok is false if nothing in the log looks like a runner.
func ReadJob(project, text string) (job Job, ok bool) {
	var r jobReader
	lines := 0
	hints := slices.DeleteFunc(slices.Clone(jobHints), func(h string) bool { return !strings.Contains(text, h) })
	if len(hints) == 0 {
		return job, false
	}
	for line := range strings.Lines(text) {
		if len(line) > maxJobLine || !slices.ContainsFunc(hints, func(h string) bool { return strings.Contains(line, h) }) {
			continue
		}
		if lines++; lines > maxJobLines {
			break
		}
		r.line(project, strings.TrimSpace(string(unstyled([]byte(line)))))
	}
	return r.job()
}

// once is something that may be named once: by equal texts, as often as one likes.
type once[T comparable] struct {
	value   T
	is, not bool
}

func (n *once[T]) say(v T) {
	n.not = n.not || n.is && n.value != v
	n.value, n.is = v, true
}

// get gives what was named; the zero value if nothing was, or several things.
func (n *once[T]) get() (v T) {
	if n.is && !n.not {
		return n.value
	}
	return v
}

type runOf struct {
	id      int64
	attempt int
}

type jobReader struct {
	runner         once[Runner]
	name           once[string]
	owner, repo    once[string]
	run            once[int64]
	label          once[runOf]
	number         once[int64]
	pipeline       once[string]
	began, refused bool
}

func (r *jobReader) line(project, text string) {
	switch {
	case gitHubListens.MatchString(text), gitHubEnded.MatchString(text), gitHubConnect.MatchString(text):
		r.runner.say(GitHubRunner)
	case gitLabRuns.MatchString(text):
		r.runner.say(GitLabRunner)
		r.began = true
	case buildkiteGot.MatchString(text):
		r.runner.say(BuildkiteRunner)
		r.began = true
	case strings.Contains(text, sessionRefused):
		r.refused = true // by itself it makes no runner: there are others than CodeBuild's
	}
	if m := gitHubRuns.FindStringSubmatch(text); m != nil {
		r.runner.say(GitHubRunner)
		r.name.say(jobName(m[1]))
		r.began = true
	}
	if m := gitHubVar.FindStringSubmatch(text); m != nil {
		r.variable(m[1], m[2])
	}
	for _, m := range gitHubLabel.Get().FindAllStringSubmatch(text, 8) {
		if id, ok := runNumber(m[2]); ok && m[1] == project {
			n, _ := strconv.Atoi(m[3])
			if n > 0 && m[3][0] != '0' {
				r.label.say(runOf{id, n})
			}
		}
	}
	if m := gitLabGot.FindStringSubmatch(text); m != nil {
		r.runner.say(GitLabRunner)
		r.began = true
		if n, ok := runNumber(m[1]); ok {
			r.number.say(n)
		}
	}
	if m := buildkiteRuns.FindStringSubmatch(text); m != nil {
		r.runner.say(BuildkiteRunner)
		r.began = true
		r.pipeline.say(m[1] + "#" + m[2])
	}
}

// variable reads one of the variables that a runner's build has (AWS.md#runners).
func (r *jobReader) variable(name, value string) {
	r.runner.say(GitHubRunner)
	switch name {
	case "CODEBUILD_RUNNER_OWNER":
		r.owner.say(value)
	case "CODEBUILD_RUNNER_REPO":
		r.repo.say(value)
	case "CODEBUILD_WEBHOOK_RUN_ID":
		if id, ok := runNumber(value); ok {
			r.run.say(id)
		}
	}
}

func (r *jobReader) job() (Job, bool) {
	if !r.runner.is {
		return Job{}, false
	}
	j := Job{Runner: r.runner.get(), Began: r.began, Refused: r.refused && !r.began}
	switch j.Runner {
	case GitHubRunner:
		j.Name, j.Repository = r.name.get(), ownedName(r.owner.get(), r.repo.get())
		l := r.label.get()
		if r.label.not || r.run.not || r.label.is && r.run.is && l.id != r.run.value {
			return j, true // it contradicts itself
		}
		j.Run, j.Attempt = max(l.id, r.run.get()), l.attempt
	case GitLabRunner:
		j.Number = r.number.get()
	case BuildkiteRunner:
		j.Pipeline = r.pipeline.get()
	}
	return j, true
}

// runNumber reads a number as code hosts write them.
func runNumber(s string) (int64, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil && n > 0 && s[0] != '0' && s[0] != '+'
}

// jobName gives a job's name if it can be one; else "".
func jobName(s string) string {
	s = strings.TrimSpace(s)
	if s == "" || len(s) > maxJobName || !utf8.ValidString(s) ||
		strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsGraphic(r) || unicode.Is(unicode.Cf, r) }) {
		return ""
	}
	return s
}

// ownedName joins an owner and a name of GitHub's; "" if one of them is none.
func ownedName(owner, name string) string {
	if !gitHubOwner.MatchString(owner) || !gitHubName.MatchString(name) || name == "." || name == ".." ||
		strings.HasSuffix(name, ".git") {
		return ""
	}
	return owner + "/" + name
}

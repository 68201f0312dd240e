package decide

import (
	"fmt"
	"strings"
	"time"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

// HostRun is a run of a workflow at GitHub, in its newest attempt.
type HostRun struct {
	ID      int64
	Attempt int
	Ended   bool
	Created time.Time // of the first attempt
	Changed time.Time // when anything of it changed last
}

// HostJob is a job of an attempt of a run, as GitHub shows it (AWS.md#github).
type HostJob struct {
	Repository string `json:"repository"` // OWNER/REPOSITORY
	Run        int64  `json:"run"`
	Attempt    int    `json:"attempt"`
	ID         int64  `json:"id"`
	Name       string `json:"name"` // as the workflow's author wrote it

	Runner     string    `json:"runner,omitempty"` // name of the runner that has it, or had it; "" if none has yet
	Labels     []string  `json:"-"`
	Status     string    `json:"-"` // JobQueued, JobEnded, in_progress, …
	Conclusion string    `json:"-"` // once it has ended: JobPassed, JobFailed, cancelled, …
	Queued     time.Time `json:"-"`
	Done       time.Time `json:"-"` // zero until it has ended
}

// Statuses and conclusions of a job.
const (
	JobQueued = "queued"
	JobEnded  = "completed"
	JobPassed = "success"
	JobFailed = "failure"
)

// RanOn reports whether the build was the job's runner: GitHub's word for it is the runner's name, which
// holds the build's UUID (AWS.md#runners). No log can make it so.
func (j HostJob) RanOn(b codebuild.Build) bool {
	id := strings.ToLower(b.UUID())
	return uuidForm.MatchString(id) && strings.EqualFold(runnerUUID(j.Runner), id)
}

// runnerUUID is the one UUID that the name of a runner holds; "" if it holds none, or several.
func runnerUUID(name string) string {
	all := uuidIn.Get().FindAllStringIndex(name, 2)
	if len(all) != 1 {
		return ""
	}
	from, to := all[0][0], all[0][1]
	if from > 0 && alphanumeric(name[from-1]) || to < len(name) && alphanumeric(name[to]) {
		return "" // it is a part of something longer
	}
	return name[from:to]
}

func alphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

var (
	uuidForm = lazyregexp.New(`^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
	uuidIn   = lazyregexp.New(`(?i)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}`)
)

// WaitsFor reports whether the job is to be run by a build of the project: by its label, which names
// project, run and attempt.
func (j HostJob) WaitsFor(project string) bool {
	want := fmt.Sprintf("codebuild-%s-%d-%d", project, j.Run, j.Attempt)
	for _, l := range j.Labels {
		if l == want {
			return true
		}
	}
	return false
}

// URL is the page of the job's run. host is that of the settings.
func (j HostJob) URL(host string) string { return runURL(host, j.Repository, j.Run) }

func runURL(host, repository string, run int64) string {
	if host == "" || repository == "" || run <= 0 {
		return ""
	}
	return fmt.Sprintf("https://%s/%s/actions/runs/%d", host, repository, run)
}

// Build is the id of the build of the project that was the job's runner, as far as its name says; "" if it
// says of none.
func (j HostJob) Build(project string) string {
	id := strings.ToLower(runnerUUID(j.Runner))
	if id == "" || project == "" {
		return ""
	}
	return project + ":" + id
}

// JobAgain finds what became of a job in a newer attempt of its run. ok is false if no job there is
// certainly the same, run again: a newer attempt shows those, too, that were not.
func JobAgain(was HostJob, jobs []HostJob) (again HostJob, ok bool) {
	n := 0
	for _, j := range jobs {
		if j.Name == was.Name && j.Attempt > was.Attempt && (j.Runner == "" || j.Runner != was.Runner) {
			again, n = j, n+1
		}
	}
	return again, n == 1 && was.Name != ""
}

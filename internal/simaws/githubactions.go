package simaws

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Runs of GitHub's workflows, whose jobs builds of runner projects run (AWS.md#runners).

// workflowRun is a run with its attempts, the newest last.
type workflowRun struct {
	repository       string
	id               int64
	created, changed time.Time
	attempts         [][]*workflowJob
}

// workflowJob is a job of one attempt. Those that were not run again are in later attempts, too.
type workflowJob struct {
	run                *workflowRun
	attempt            int
	id                 int64
	file               workflowJobFile
	version            string // of the source, for the build
	status, conclusion string
	runner             string
	queued, done       time.Time
}

// WorkflowJob tells of a job at GitHub.
type WorkflowJob struct {
	Repository, Name   string
	Run, ID            int64
	Attempt            int
	Status, Conclusion string
	Runner             string
}

// WorkflowJobs lists the jobs of the newest attempts of all runs, oldest run first.
func (s *Sim) WorkflowJobs() (out []WorkflowJob) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.github.runs {
		for _, j := range r.newest() {
			out = append(out, WorkflowJob{r.repository, j.file.Name, r.id, j.id, len(r.attempts), j.status, j.conclusion, j.runner})
		}
	}
	return out
}

// RerunJob has somebody run a job again by its name, in the newest run that has one.
func (s *Sim) RerunJob(repository, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range slices.Backward(s.github.runs) {
		for _, j := range r.newest() {
			if r.repository == repository && j.file.Name == name {
				return s.runAgain(j)
			}
		}
	}
	return fmt.Errorf("%s has no job %q", repository, name)
}

func (r *workflowRun) newest() []*workflowJob { return r.attempts[len(r.attempts)-1] }

func (r *workflowRun) status() (status, conclusion string) {
	status, conclusion = "completed", "success"
	for _, j := range r.newest() {
		switch {
		case j.status != "completed":
			if status = "queued"; j.status == "in_progress" {
				return "in_progress", ""
			}
		case j.conclusion != "success":
			conclusion = j.conclusion
		}
	}
	if status != "completed" {
		conclusion = ""
	}
	return status, conclusion
}

// workflow puts a run on the agenda that the world itself begins.
func (bu *builder) workflow(f workflowFile) {
	s := bu.sim
	for _, j := range f.Jobs {
		if s.home().project[j.Project] == nil {
			bu.bad("github: runs: there is no project %q", j.Project)
			return
		}
	}
	s.after(time.Duration(f.After), func() {
		id := f.Run
		if id == 0 {
			id = 34713051605 + int64(len(s.github.runs))
		}
		r := &workflowRun{repository: f.Repository, id: id, created: s.now, changed: s.now, attempts: [][]*workflowJob{nil}}
		for _, file := range f.Jobs {
			r.attempts[0] = append(r.attempts[0], s.queueJob(r, 1, file, f.Version))
		}
		s.github.runs = append(s.github.runs, r)
	})
}

// queueJob has a job wait for a runner. The webhook has CodeBuild start a build for it.
func (s *Sim) queueJob(r *workflowRun, attempt int, file workflowJobFile, version string) *workflowJob {
	j := &workflowJob{run: r, attempt: attempt, id: int64(83000000 + s.nth("workflow jobs")), file: file, version: version,
		status: "queued", queued: s.now}
	s.after(webhookTime, func() {
		p := s.home().project[file.Project]
		p.begin(order{version: version, initiator: hookshot, job: j, retry: autoRetry{limit: p.conf.AutoRetry}})
	})
	return j
}

// How long GitHub and its runner take.
const (
	webhookTime = 3 * time.Second
	// sessionTime is how long a runner tries to open a session, and lostTime how long GitHub waits for one that
	// is gone before it fails the job.
	sessionTime = 4 * time.Minute
	lostTime    = 10 * time.Minute
)

// label is what the job asks for: a runner of its project, for this attempt.
func (j *workflowJob) label() string {
	return fmt.Sprintf("codebuild-%s-%d-%d", j.file.Project, j.run.id, j.attempt)
}

// stamp is how the runner says the time.
func (b *build) stamp() string { return b.sim().now.UTC().Format("2006-01-02 15:04:05Z") }

// takeJob is what a runner does in the place of the BUILD phase's commands: the steps of the job.
func (b *build) takeJob(steps []step) []step {
	j, nth := b.job, b.sim().nth("job "+b.job.run.repository+" "+b.job.file.Name)
	if j.file.NamesRun {
		b.agent("Runner labels: " + j.label() + ", instance-size:small")
	}
	b.print("\n√ Connected to GitHub\n\nCurrent runner version: '2.337.0'")
	if nth <= j.file.Lost {
		b.print("A session for this runner already exists.")
		return []step{{Run: "run.sh", Takes: duration(sessionTime)}}
	}
	b.print(b.stamp() + ": Listening for Jobs")
	if nth <= j.file.Idle || j.status != "queued" {
		return nil // another runner was quicker
	}
	j.status, j.runner, j.run.changed = "in_progress", b.id(), b.sim().now
	b.print(b.stamp() + ": Running job: " + j.file.Name)
	if nth <= j.file.Dies.Times {
		b.after(time.Duration(j.file.Dies.After), func() { b.abort(fault, "INTERNAL_SERVICE_ERROR", "CodeBuild is experiencing an issue") })
	}
	return steps
}

// leaveJob ends the job whose steps have run.
func (b *build) leaveJob(passed bool) {
	j := b.job
	if j.status == "in_progress" && j.runner == b.id() {
		j.end(b.sim(), passed)
		result := map[bool]string{true: "Succeeded", false: "Failed"}[passed]
		b.print(b.stamp() + ": Job " + j.file.Name + " completed with result: " + result)
	}
	b.print("Runner listener exit with 0 return code, stop the service, no retry needed.\nExiting runner...")
}

// loseRunner has GitHub fail a job whose runner is gone, after a while.
func (b *build) loseRunner() {
	j := b.job
	if j == nil || j.status != "in_progress" || j.runner != b.id() {
		return
	}
	b.sim().after(lostTime, func() { j.end(b.sim(), false) })
}

func (j *workflowJob) end(s *Sim, passed bool) {
	if j.status == "completed" {
		return
	}
	j.status, j.conclusion, j.done, j.run.changed = "completed", "success", s.now, s.now
	if passed {
		return
	}
	j.conclusion = "failure"
	if again := time.Duration(j.file.Again); again > 0 && j.attempt == 1 {
		s.after(again, func() { _ = s.runAgain(j) }) // somebody may have been quicker
	}
}

// runAgain makes a new attempt of the job's run, as GitHub does, or says why not.
func (s *Sim) runAgain(j *workflowJob) error {
	refused := func(text string) error {
		return &apiError{Code: "no rerun", Message: text, Status: http.StatusForbidden}
	}
	switch status, _ := j.run.status(); {
	case status != "completed":
		return refused("The workflow run containing this job is already running")
	case !slices.Contains(j.run.newest(), j):
		return refused("Only jobs from the current attempt can be re-run")
	case s.now.Sub(j.run.created) > 30*24*time.Hour:
		return refused("Unable to retry this workflow run because it was created over a month ago")
	}
	next := slices.Clone(j.run.newest())
	next[slices.Index(next, j)] = s.queueJob(j.run, len(j.run.attempts)+1, j.file, j.version)
	j.run.attempts, j.run.changed = append(j.run.attempts, next), s.now
	return nil
}

func (g *codeHost) runOf(repository, id string) *workflowRun {
	i := slices.IndexFunc(g.runs, func(r *workflowRun) bool { return r.repository == repository && strconv.FormatInt(r.id, 10) == id })
	if i < 0 {
		return nil
	}
	return g.runs[i]
}

func listRuns(r *request, repository, _ string) (any, error) {
	if err := r.onlyQuery("created", "status", "per_page"); err != nil {
		return nil, err
	}
	q, list := r.http.URL.Query(), []any{}
	size, _ := strconv.Atoi(q.Get("per_page"))
	var from time.Time
	if q.Has("created") {
		var err error
		if from, err = time.Parse(time.RFC3339, strings.TrimPrefix(q.Get("created"), ">=")); err != nil {
			return nil, r.unknownParameter("created " + q.Get("created"))
		}
	}
	for _, run := range slices.Backward(r.sim.github.runs) {
		status, _ := run.status()
		if run.repository == repository && !run.created.Before(from) && len(list) < size &&
			(!q.Has("status") || q.Get("status") == status) {
			list = append(list, r.run(run))
		}
	}
	return map[string]any{"total_count": len(list), "workflow_runs": list}, nil
}

func getRun(r *request, repository, id string) (any, error) {
	run := r.sim.github.runOf(repository, id)
	if run == nil {
		return nil, githubNotFound()
	}
	return r.run(run), nil
}

func listJobs(r *request, repository, rest string) (any, error) {
	if err := r.onlyQuery("per_page", "page"); err != nil {
		return nil, err
	}
	id, attempt, _ := strings.Cut(rest, "/attempts/")
	run, n := r.sim.github.runOf(repository, id), 0
	if n, _ = strconv.Atoi(attempt); run == nil || n < 1 || n > len(run.attempts) {
		return nil, githubNotFound()
	}
	r.about = fmt.Sprintf("%s %s attempt %d", repository, id, n)
	q, list := r.http.URL.Query(), []any{}
	size, _ := strconv.Atoi(q.Get("per_page"))
	page, _ := strconv.Atoi(q.Get("page"))
	for _, j := range run.attempts[n-1] {
		list = append(list, r.job(j))
	}
	all := len(list)
	return map[string]any{"total_count": all, "jobs": list[min((page-1)*size, all):min(page*size, all)]}, nil
}

func rerunJob(r *request, repository, id string) (any, error) {
	if _, err := githubBody[struct{}](r); err != nil {
		return nil, err
	}
	for _, run := range r.sim.github.runs {
		for _, jobs := range run.attempts {
			for _, j := range jobs {
				if run.repository == repository && strconv.FormatInt(j.id, 10) == id {
					r.about = fmt.Sprintf("%s %s (%s, run %d)", repository, id, j.file.Name, run.id)
					return map[string]any{}, r.sim.runAgain(j)
				}
			}
		}
	}
	return nil, githubNotFound()
}

const runCommit = "3f1c0de5a9b84e2d9c7a6b5f4e3d2c1b0a998877"

// run is a run as the API shows it.
func (r *request) run(w *workflowRun) map[string]any {
	g := &r.sim.github
	status, conclusion := w.status()
	at := g.url(fmt.Sprintf("/repos/%s/actions/runs/%d", w.repository, w.id))
	out := map[string]any{"id": w.id, "name": "CI", "node_id": "WFR_1", "head_branch": "main", "head_sha": runCommit, "run_number": 1,
		"event": "push", "display_title": "Change the shop", "status": status, "conclusion": null(conclusion), "workflow_id": 1,
		"path": ".github/workflows/ci.yml", "run_attempt": len(w.attempts), "pull_requests": []any{},
		"created_at": w.created.Format(time.RFC3339), "updated_at": w.changed.Format(time.RFC3339),
		"html_url": fmt.Sprintf("https://github.com/%s/actions/runs/%d", w.repository, w.id), "head_commit": nil,
		"repository": g.minimal(w.repository), "head_repository": g.minimal(w.repository)}
	for _, key := range []string{"url", "jobs_url", "logs_url", "check_suite_url", "cancel_url", "rerun_url", "artifacts_url",
		"workflow_url"} {
		out[key] = at
	}
	return out
}

// job is a job as the API shows it.
func (r *request) job(j *workflowJob) map[string]any {
	g := &r.sim.github
	at := g.url(fmt.Sprintf("/repos/%s/actions/jobs/%d", j.run.repository, j.id))
	out := map[string]any{"id": j.id, "node_id": "CR_1", "run_id": j.run.id, "run_attempt": j.attempt, "head_sha": runCommit,
		"workflow_name": "CI", "head_branch": "main", "name": j.file.Name, "url": at, "run_url": at, "check_run_url": at, "html_url": at,
		"status": j.status, "conclusion": null(j.conclusion), "created_at": j.queued.Format(time.RFC3339),
		"started_at": j.queued.Format(time.RFC3339), "completed_at": nil, "labels": []string{j.label(), "instance-size:small"},
		"runner_id": nil, "runner_name": nil, "runner_group_id": nil, "runner_group_name": nil, "steps": []any{}}
	if !j.done.IsZero() {
		out["completed_at"] = j.done.Format(time.RFC3339)
	}
	if j.runner != "" {
		out["runner_id"], out["runner_name"], out["runner_group_id"], out["runner_group_name"] = 9, j.runner, 1, "Default"
	}
	return out
}

func null(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// minimal is a repository as other objects show it.
func (g *codeHost) minimal(name string) map[string]any {
	_, short, _ := strings.Cut(name, "/")
	out := map[string]any{"id": 1, "node_id": "R_1", "name": short, "full_name": name, "owner": g.user(tokenUser), "private": true,
		"description": nil, "fork": false}
	for _, key := range strings.Fields("archive_url assignees_url blobs_url branches_url collaborators_url comments_url commits_url " +
		"compare_url contents_url contributors_url deployments_url downloads_url events_url forks_url git_commits_url git_refs_url " +
		"git_tags_url hooks_url html_url issue_comment_url issue_events_url issues_url keys_url labels_url languages_url merges_url " +
		"milestones_url notifications_url pulls_url releases_url stargazers_url statuses_url subscribers_url subscription_url tags_url " +
		"teams_url trees_url url") {
		out[key] = g.url("/repos/" + name)
	}
	return out
}

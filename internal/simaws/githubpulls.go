package simaws

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// PullRequest is one at the code host.
type PullRequest struct {
	Repository       string
	Number           int
	Title, Body      string
	Head, Base       string
	Open, Merged     bool
	Edits            int // of title and body, by API
	Opened, Closed   time.Time
	ofFork           bool
	headSHA, baseSHA string // as it was opened
	mergeSHA         string
}

// PullRequests lists the pull requests, oldest first.
func (s *Sim) PullRequests() []PullRequest {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.github.pulls)
}

// OpenPull has somebody open a pull request; fork: from a branch of that name in a fork.
func (s *Sim) OpenPull(repository, head, base string, fork bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := &s.github
	g.pulls = append(g.pulls, PullRequest{Repository: repository, Number: len(g.pulls) + 101, Head: head, Base: base, Open: true,
		Opened: s.now, ofFork: fork, baseSHA: g.repo(repository).branches[base]})
}

// EditPull has somebody change a request's text.
func (s *Sim) EditPull(number int, edit func(body string) string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.github.pulls {
		if p := &s.github.pulls[i]; p.Number == number {
			p.Body = edit(p.Body)
		}
	}
}

// ClosePull has somebody close a request, and merge it if merge says so; it reports whether that
// went without a conflict.
func (s *Sim) ClosePull(number int, merge bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.github.pulls {
		p := &s.github.pulls[i]
		if p.Number != number || !p.Open {
			continue
		}
		if merge {
			g := s.github.repo(p.Repository)
			tree, ok := g.merged(g.branches[p.Base], g.branches[p.Head])
			if !ok {
				return false
			}
			g.branches[p.Base] = g.commit(gitCommit{tree, fmt.Sprintf("Merge pull request #%d", number),
				[]string{g.branches[p.Base], g.branches[p.Head]}})
			p.Merged, p.mergeSHA = true, g.branches[p.Base]
			s.pushed(p.Repository, p.Base)
		}
		p.Open, p.Closed = false, s.now
		return true
	}
	return false
}

func getRepository(r *request, repository, _ string) (any, error) {
	out := r.repository(repository)
	for _, key := range []string{"network_count", "subscribers_count"} {
		out[key] = 0
	}
	out["has_discussions"] = false
	return out, nil
}

// repository is a repository as the API shows it.
func (r *request) repository(repository string) map[string]any {
	g, at := &r.sim.github, r.sim.cfg.Start.Format(time.RFC3339)
	_, name, _ := strings.Cut(repository, "/")
	out := map[string]any{"id": 1, "node_id": "R_1", "name": name, "full_name": repository, "owner": g.user(tokenUser),
		"private": true, "html_url": "https://github.com/" + repository, "description": nil, "fork": false, "default_branch": "main",
		"homepage": nil, "language": nil, "license": nil, "mirror_url": nil, "size": 1, "git_url": "git:x", "ssh_url": "git@x",
		"clone_url": "https://x", "svn_url": "https://x", "pushed_at": at, "created_at": at, "updated_at": at}
	for key := range strings.FieldsSeq("archive assignees blobs branches collaborators comments commits compare contents contributors " +
		"deployments downloads events forks git_commits git_refs git_tags hooks issue_comment issue_events issues keys labels languages " +
		"merges milestones notifications pulls releases stargazers statuses subscribers subscription tags teams trees") {
		out[key+"_url"] = g.url("/repos/" + repository + "/" + key)
	}
	out["url"] = g.url("/repos/" + repository)
	for key := range strings.FieldsSeq("forks forks_count open_issues open_issues_count stargazers_count watchers watchers_count") {
		out[key] = 0
	}
	for key := range strings.FieldsSeq("has_issues has_projects has_wiki has_pages has_downloads archived disabled") {
		out[key] = false
	}
	return out
}

// pull is a pull request as a list shows it.
func (r *request) pull(p PullRequest) map[string]any {
	host, at := &r.sim.github, p.Opened.Format(time.RFC3339)
	g, here := host.repo(p.Repository), host.url(fmt.Sprintf("/repos/%s/pulls/%d", p.Repository, p.Number))
	side := func(repository, branch string) map[string]any {
		owner, _, _ := strings.Cut(repository, "/")
		sha := g.branches[branch]
		if sha == "" {
			sha = p.headSHA
		}
		return map[string]any{"label": owner + ":" + branch, "ref": branch, "sha": sha, "user": host.user(tokenUser),
			"repo": r.repository(repository)}
	}
	from := p.Repository
	if p.ofFork {
		from = "fork/" + strings.Split(from, "/")[1]
	}
	out := map[string]any{"id": p.Number, "node_id": "PR_1", "number": p.Number, "url": here, "title": p.Title, "body": p.Body,
		"state": "closed", "locked": false, "head": side(from, p.Head), "base": side(p.Repository, p.Base), "user": host.user(tokenUser),
		"assignee": nil, "labels": []any{}, "milestone": nil, "auto_merge": nil, "author_association": "NONE", "merge_commit_sha": nil,
		"closed_at": nil, "merged_at": nil, "created_at": at, "updated_at": at,
		"html_url": fmt.Sprintf("https://github.com/%s/pull/%d", p.Repository, p.Number)}
	if p.Open {
		out["state"] = "open"
	} else {
		out["closed_at"] = p.Closed.Format(time.RFC3339)
	}
	if p.Merged {
		out["merged_at"], out["merge_commit_sha"] = out["closed_at"], p.mergeSHA
	}
	for key := range strings.FieldsSeq("comments commits diff issue patch review_comment review_comments statuses") {
		out[key+"_url"] = here + "/" + key
	}
	links := map[string]any{}
	for key := range strings.FieldsSeq("comments commits html issue review_comment review_comments self statuses") {
		links[key] = map[string]any{"href": here + "/" + key}
	}
	out["_links"] = links
	return out
}

// wholePull is a pull request as it is shown alone.
func (r *request) wholePull(p PullRequest) map[string]any {
	out := r.pull(p)
	for key := range strings.FieldsSeq("additions changed_files comments commits deletions review_comments") {
		out[key] = 1
	}
	out["mergeable"], out["mergeable_state"], out["merged"], out["merged_by"] = nil, "unknown", p.Merged, nil
	out["maintainer_can_modify"] = false
	return out
}

func listPulls(r *request, repository, _ string) (any, error) {
	if err := r.onlyQuery("state", "head", "base", "sort", "direction", "per_page"); err != nil {
		return nil, err
	}
	q := r.http.URL.Query()
	list := []any{}
	for _, p := range slices.Backward(r.sim.github.pulls) {
		owner, _, _ := strings.Cut(repository, "/")
		if p.ofFork {
			owner = "fork"
		}
		if p.Repository == repository && (!q.Has("head") || q.Get("head") == owner+":"+p.Head) && q.Get("base") == p.Base &&
			(q.Get("state") == "all" || p.Open) {
			list = append(list, r.pull(p))
		}
	}
	size, _ := strconv.Atoi(q.Get("per_page"))
	return list[:min(size, len(list))], nil
}

// pullInvalid is how the API refuses a pull request.
func pullInvalid(message string) error {
	return &apiError{Code: "pull:" + message, Message: "Validation Failed", Status: http.StatusUnprocessableEntity}
}

func createPull(r *request, repository, _ string) (any, error) {
	in, err := githubBody[struct {
		Title string `json:"title"`
		Body  string `json:"body"`
		Head  string `json:"head"`
		Base  string `json:"base"`
	}](r)
	if err != nil {
		return nil, err
	}
	r.about = repository + " " + in.Head
	host := &r.sim.github
	g := host.repo(repository)
	owner, _, _ := strings.Cut(repository, "/")
	switch {
	case g.branches[in.Head] == "" || g.branches[in.Base] == "":
		return nil, pullInvalid("head is invalid")
	case slices.ContainsFunc(host.pulls, func(p PullRequest) bool {
		return p.Repository == repository && p.Head == in.Head && p.Base == in.Base && p.Open && !p.ofFork
	}):
		return nil, pullInvalid("A pull request already exists for " + owner + ":" + in.Head + ".")
	case g.ancestors(g.branches[in.Base])[g.branches[in.Head]]:
		return nil, pullInvalid("No commits between " + in.Base + " and " + in.Head)
	case len([]rune(in.Title)) > 256 || len(in.Body) > 65536:
		return nil, pullInvalid("title or body is too long")
	}
	p := PullRequest{Repository: repository, Number: len(host.pulls) + 101, Title: in.Title, Body: in.Body, Head: in.Head,
		Base: in.Base, Open: true, Opened: r.sim.now, headSHA: g.branches[in.Head], baseSHA: g.branches[in.Base]}
	host.pulls = append(host.pulls, p)
	return r.wholePull(p), nil
}

func updatePull(r *request, repository, number string) (any, error) {
	in, err := githubBody[struct {
		Title string `json:"title"`
		Body  string `json:"body"`
	}](r)
	if err != nil {
		return nil, err
	}
	r.about = repository + " " + number
	for i := range r.sim.github.pulls {
		if p := &r.sim.github.pulls[i]; p.Repository == repository && strconv.Itoa(p.Number) == number {
			p.Title, p.Body, p.Edits = in.Title, in.Body, p.Edits+1
			return r.wholePull(*p), nil
		}
	}
	return nil, githubNotFound()
}

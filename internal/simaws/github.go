package simaws

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// GitHub is the code host beside the account, which answers as GitHub's REST API does
// (AWS.md#github): a few operations of it, and its errors.
type GitHub struct {
	Host string // of its API; default api.github.com
	// Token is what it takes as a fine-grained token of the user with the id 1001, if it is not "".
	Token string
	// App is a GitHub App that is installed in all repositories; 0: none. Its requests for a token are
	// signed with AppKey's private half.
	App    int64
	AppKey *rsa.PublicKey
	// Permissions are what token and App may write: statuses, pull_requests, contents, actions.
	Permissions []string
	// Repositories are those that they see, as OWNER/NAME.
	Repositories []string
	// Moved are repositories that have another name now.
	Moved []string
	// Rules are beginnings of branches' names that neither may make nor move.
	Rules []string
	// Outages are when it can serve nothing.
	Outages []Outage
}

// Outage is a time in which a service is down.
type Outage struct{ From, To time.Time }

// CommitStatus is a status that was set.
type CommitStatus struct {
	Repository, Commit, State, Context, Description, URL string
	At                                                   time.Time
}

// PullComment is a comment on a pull request.
type PullComment struct {
	ID         int64
	Repository string
	Pull       int
	Author     int64 // user id
	App        int64 // by which it was made; 0: none
	Body       string
	Edits      int
}

// Exchange is a request to the code host, and its answer.
type Exchange struct {
	Method, Path, Authorization string
	Request                     []byte
	Status                      int
	Response                    []byte
}

// tokenUser is the user whose fine-grained token is [GitHub.Token]; appUser is the App's.
const tokenUser, appUser = 1001, 1002

// codeHost is GitHub as it is.
type codeHost struct {
	GitHub
	statuses  []CommitStatus
	comments  []PullComment
	pulls     []PullRequest
	stores    map[string]*gitStore
	tokens    map[string]installed
	made      []time.Time // when content was made
	exchanges []Exchange
	runs      []*workflowRun // oldest first
}

// installed is what a token of an installation is for.
type installed struct {
	repositories []string
	permissions  map[string]string
	until        time.Time
}

// SetGitHub puts another code host in the place of the one that was there, with its statuses and
// comments.
func (s *Sim) SetGitHub(g GitHub) {
	s.mu.Lock()
	defer s.mu.Unlock()
	def(&g.Host, "api.github.com")
	s.github.GitHub = g
	if s.github.tokens == nil {
		s.github.tokens = map[string]installed{}
	}
}

// Statuses lists the statuses that were set, oldest first.
func (s *Sim) Statuses() []CommitStatus {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.github.statuses)
}

// PullComments lists the comments on pull requests, oldest first.
func (s *Sim) PullComments() []PullComment {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.github.comments)
}

// Comment has somebody comment on a pull request.
func (s *Sim) Comment(c PullComment) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.ID = int64(5000 + len(s.github.comments))
	s.github.comments = append(s.github.comments, c)
	return c.ID
}

// DeleteComment has somebody delete a comment.
func (s *Sim) DeleteComment(id int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.github.comments = slices.DeleteFunc(s.github.comments, func(c PullComment) bool { return c.ID == id })
}

// Exchanges lists what was asked of the code host, and what it answered.
func (s *Sim) Exchanges() []Exchange {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.github.exchanges)
}

// codeHostHeader carries the host that a request to the code host was meant for.
const codeHostHeader = "X-Simaws-Code-Host"

// CodeHost is how the function reaches code hosts: whatever the address, the Sim gets the request,
// through this client.
func (s *Sim) CodeHost(client interface {
	Do(*http.Request) (*http.Response, error)
}) http.RoundTripper {
	if c, ok := client.(*http.Client); ok { // which would follow the code host into the Internet
		still := *c
		still.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		client = &still
	}
	return toCodeHost{s, client}
}

type toCodeHost struct {
	sim    *Sim
	client interface {
		Do(*http.Request) (*http.Response, error)
	}
}

// RoundTrip implements [http.RoundTripper].
func (t toCodeHost) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != "https" {
		return nil, fmt.Errorf("simaws: a code host is asked by %s", r.URL.Scheme)
	}
	out := r.Clone(r.Context())
	out.Header.Set(codeHostHeader, r.URL.Host)
	out.URL.Scheme, out.URL.Host, out.Host = "http", strings.TrimPrefix(t.sim.url, "http://"), ""
	return t.client.Do(out)
}

// githubRoutes name the operations that the code host knows.
var githubRoutes = []struct {
	method string
	path   *regexp.Regexp
	name   string
}{
	{"POST", regexp.MustCompile(`^/repos/([^/]+/[^/]+)/statuses/([^/]+)$`), "CreateCommitStatus"},
	{"GET", regexp.MustCompile(`^/repos/([^/]+/[^/]+)/issues/([0-9]+)/comments$`), "ListIssueComments"},
	{"POST", regexp.MustCompile(`^/repos/([^/]+/[^/]+)/issues/([0-9]+)/comments$`), "CreateIssueComment"},
	{"PATCH", regexp.MustCompile(`^/repos/([^/]+/[^/]+)/issues/comments/([0-9]+)$`), "UpdateIssueComment"},
	{"GET", regexp.MustCompile(`^/repos/([^/]+/[^/]+)/installation$`), "GetRepositoryInstallation"},
	{"POST", regexp.MustCompile(`^/app/installations/([0-9]+)/access_tokens()$`), "CreateInstallationToken"},
	{"GET", regexp.MustCompile(`^/user()()$`), "GetAuthenticatedUser"},
	{"GET", regexp.MustCompile(`^/repos/([^/]+/[^/]+)()$`), "GetRepository"},
	{"GET", regexp.MustCompile(`^/repos/([^/]+/[^/]+)/git/ref/heads/(.+)$`), "GetRef"},
	{"POST", regexp.MustCompile(`^/repos/([^/]+/[^/]+)/git/refs()$`), "CreateRef"},
	{"PATCH", regexp.MustCompile(`^/repos/([^/]+/[^/]+)/git/refs/heads/(.+)$`), "UpdateRef"},
	{"GET", regexp.MustCompile(`^/repos/([^/]+/[^/]+)/git/commits/([^/]+)$`), "GetCommit"},
	{"POST", regexp.MustCompile(`^/repos/([^/]+/[^/]+)/git/commits()$`), "CreateCommit"},
	{"GET", regexp.MustCompile(`^/repos/([^/]+/[^/]+)/git/trees/([^/]+)$`), "GetTree"},
	{"POST", regexp.MustCompile(`^/repos/([^/]+/[^/]+)/git/trees()$`), "CreateTree"},
	{"GET", regexp.MustCompile(`^/repos/([^/]+/[^/]+)/git/blobs/([^/]+)$`), "GetBlob"},
	{"GET", regexp.MustCompile(`^/repos/([^/]+/[^/]+)/pulls()$`), "ListPullRequests"},
	{"POST", regexp.MustCompile(`^/repos/([^/]+/[^/]+)/pulls()$`), "CreatePullRequest"},
	{"PATCH", regexp.MustCompile(`^/repos/([^/]+/[^/]+)/pulls/([0-9]+)$`), "UpdatePullRequest"},
	{"GET", regexp.MustCompile(`^/repos/([^/]+/[^/]+)/actions/runs()$`), "ListWorkflowRuns"},
	{"GET", regexp.MustCompile(`^/repos/([^/]+/[^/]+)/actions/runs/([0-9]+)$`), "GetWorkflowRun"},
	{"GET", regexp.MustCompile(`^/repos/([^/]+/[^/]+)/actions/runs/([0-9]+/attempts/[0-9]+)/jobs$`), "ListJobsOfAttempt"},
	{"POST", regexp.MustCompile(`^/repos/([^/]+/[^/]+)/actions/jobs/([0-9]+)/rerun$`), "RerunJob"},
}

var githubOperations = map[string]operation{
	"CreateCommitStatus":        {writes: true, run: githubCall("statuses", createStatus)},
	"ListIssueComments":         {run: githubCall("pull_requests", listComments)},
	"CreateIssueComment":        {writes: true, run: githubCall("pull_requests", createComment)},
	"UpdateIssueComment":        {writes: true, run: githubCall("pull_requests", updateComment)},
	"GetRepositoryInstallation": {run: getInstallation},
	"CreateInstallationToken":   {run: createToken},
	"GetAuthenticatedUser":      {run: getUser},
	"GetRepository":             {run: githubCall("", getRepository)},
	"GetRef":                    {run: githubCall("contents", getRef)},
	"CreateRef":                 {writes: true, run: githubCall("contents", createRef)},
	"UpdateRef":                 {writes: true, run: githubCall("contents", updateRef)},
	"GetCommit":                 {run: githubCall("contents", getCommit)},
	"CreateCommit":              {writes: true, run: githubCall("contents", createCommit)},
	"GetTree":                   {run: githubCall("contents", getTree)},
	"CreateTree":                {writes: true, run: githubCall("contents", createTree)},
	"GetBlob":                   {run: githubCall("contents", getBlob)},
	"ListPullRequests":          {run: githubCall("pull_requests", listPulls)},
	"CreatePullRequest":         {writes: true, run: githubCall("pull_requests", createPull)},
	"UpdatePullRequest":         {writes: true, run: githubCall("pull_requests", updatePull)},
	"ListWorkflowRuns":          {run: githubCall("actions", listRuns)},
	"GetWorkflowRun":            {run: githubCall("actions", getRun)},
	"ListJobsOfAttempt":         {run: githubCall("actions", listJobs)},
	"RerunJob":                  {writes: true, run: githubCall("actions", rerunJob)},
}

func githubRoute(h *http.Request) (name string, parts []string) {
	for _, r := range githubRoutes {
		if m := r.path.FindStringSubmatch(h.URL.Path); m != nil && r.method == h.Method {
			return r.name, m[1:]
		}
	}
	return h.Method + " " + h.URL.Path, nil
}

// secondaryLimit is the code with which hooks and the Sim itself say that content is made too fast.
const secondaryLimit = "secondary rate limit"

func githubWire() wire {
	return wire{
		name: func(h *http.Request, _ []byte) string { name, _ := githubRoute(h); return name },
		result: func(r *request, v any) response {
			resp := jsonResponse("application/json; charset=utf-8", http.StatusOK, v)
			if r.http.Method == http.MethodPost {
				resp.status = http.StatusCreated
			}
			return resp
		},
		failure: func(r *request, e *apiError) response {
			status := orStatus(e.Status, 422)
			body := map[string]any{"message": e.Message, "documentation_url": "https://docs.github.com/rest",
				"status": strconv.Itoa(status)}
			if field, ok := strings.CutPrefix(e.Code, "field:"); ok {
				body["message"] = "Validation Failed"
				body["errors"] = []any{map[string]string{"resource": "Status", "code": "custom", "field": field,
					"message": e.Message}}
			}
			if says, ok := strings.CutPrefix(e.Code, "pull:"); ok {
				body["errors"] = []any{map[string]string{"resource": "PullRequest", "code": "custom", "message": says}}
			}
			resp := jsonResponse("application/json; charset=utf-8", status, body)
			switch e.Code {
			case secondaryLimit:
				resp.header["Retry-After"] = "60"
			case "moved":
				resp.header["Location"] = "https://" + r.sim.github.Host + "/repositories/1"
			default:
				if need, ok := strings.CutPrefix(e.Code, "needs:"); ok {
					resp.header["X-Accepted-GitHub-Permissions"] = need + "=write"
				}
			}
			return resp
		},
		throttle: apiError{Code: secondaryLimit, Status: 403,
			Message: "You have exceeded a secondary rate limit. Please wait a few " +
				"minutes before you try again."},
		operations: githubOperations,
	}
}

// exchanged records what the code host was asked and answered.
func (s *Sim) exchanged(r *request, resp response) {
	if r.service != "github" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.github.exchanges = append(s.github.exchanges, Exchange{Method: r.http.Method, Path: r.http.URL.RequestURI(),
		Authorization: r.http.Header.Get("Authorization"), Request: r.body, Status: resp.status, Response: resp.body})
}

// signedIn says whose request it is: a token, or an App's signature.
func (r *request) signedIn() (token string, ok bool) {
	g := &r.sim.github
	token, bearer := strings.CutPrefix(r.http.Header.Get("Authorization"), "Bearer ")
	if r.http.Header.Get("X-GitHub-Api-Version") != "2022-11-28" || r.http.Header.Get(codeHostHeader) != g.Host {
		r.sim.unknown = append(r.sim.unknown, "github: version or host of "+r.operation)
	}
	if !bearer || token == "" {
		return "", false
	}
	if t, ok := g.tokens[token]; ok {
		return token, r.sim.now.Before(t.until)
	}
	return token, token == g.Token
}

// down is the answer during an outage.
func (g *GitHub) down(now time.Time) error {
	if !slices.ContainsFunc(g.Outages, func(o Outage) bool { return !now.Before(o.From) && now.Before(o.To) }) {
		return nil
	}
	return &apiError{Code: "down", Status: http.StatusServiceUnavailable,
		Message: "No server is currently available to service your request. Sorry about that. " +
			"Please try resubmitting your request and contact us if the problem persists."}
}

func badCredentials() error {
	return &apiError{Code: "bad credentials", Message: "Bad credentials", Status: http.StatusUnauthorized}
}

func githubNotFound() error {
	return &apiError{Code: "not found", Message: "Not Found", Status: http.StatusNotFound}
}

// githubCall is an operation on a repository that needs a permission.
func githubCall(need string, run func(r *request, repository, rest string) (any, error)) func(*request) (any, error) {
	return func(r *request) (any, error) {
		_, parts := githubRoute(r.http)
		r.about = strings.TrimSpace(parts[0] + " " + parts[1])
		g := &r.sim.github
		token, ok := r.signedIn()
		if !ok {
			return nil, badCredentials()
		}
		t, ofApp := g.tokens[token]
		if slices.Contains(g.Moved, parts[0]) {
			return nil, &apiError{Code: "moved", Message: "Moved Permanently", Status: http.StatusMovedPermanently}
		}
		_, name, _ := strings.Cut(parts[0], "/")
		if !slices.Contains(g.Repositories, parts[0]) || ofApp && !slices.Contains(t.repositories, name) {
			return nil, githubNotFound()
		}
		if need != "" && (!slices.Contains(g.Permissions, need) || ofApp && t.permissions[need] != "write") {
			what := "personal access token"
			if ofApp {
				what = "integration"
			}
			return nil, &apiError{Code: "needs:" + need, Message: "Resource not accessible by " + what,
				Status: http.StatusForbidden}
		}
		if r.http.Method != http.MethodGet {
			if err := r.makesContent(); err != nil {
				return nil, err
			}
		}
		return run(r, parts[0], parts[1])
	}
}

// makesContent counts what makes content: 80 a minute and 500 an hour.
func (r *request) makesContent() error {
	g := &r.sim.github
	g.made = slices.DeleteFunc(g.made, func(at time.Time) bool { return r.sim.now.Sub(at) >= time.Hour })
	lately := 0
	for _, at := range g.made {
		if r.sim.now.Sub(at) < time.Minute {
			lately++
		}
	}
	if lately >= 80 || len(g.made) >= 500 {
		e := services["github"].throttle
		return &e
	}
	g.made = append(g.made, r.sim.now)
	return nil
}

// githubBody reads a request's body, in which nothing may be unknown.
func githubBody[T any](r *request) (in T, err error) {
	d := json.NewDecoder(strings.NewReader(string(r.body)))
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil && err != io.EOF {
		return in, r.unknownParameter(err.Error())
	}
	return in, nil
}

var fullCommit = regexp.MustCompile(`^[0-9a-f]{40}$`)

func createStatus(r *request, repository, sha string) (any, error) {
	in, err := githubBody[struct {
		State       string `json:"state"`
		Context     string `json:"context"`
		Description string `json:"description"`
		TargetURL   string `json:"target_url"`
	}](r)
	if err != nil {
		return nil, err
	}
	r.about = fmt.Sprintf("%s %.7s %s %s", repository, sha, in.Context, in.State)
	switch {
	case !fullCommit.MatchString(sha):
		return nil, &apiError{Code: "no commit", Message: "No commit found for SHA: " + sha}
	case utf8.RuneCountInString(in.Description) > 140:
		return nil, &apiError{Code: "field:description", Message: "description is too long (maximum is 140 characters)"}
	case !slices.Contains([]string{"error", "failure", "pending", "success"}, in.State):
		return nil, &apiError{Code: "field:state", Message: "state is not included in the list"}
	}
	g := &r.sim.github
	g.statuses = append(g.statuses, CommitStatus{repository, sha, in.State, in.Context, in.Description,
		in.TargetURL, r.sim.now})
	at := r.sim.now.Format(time.RFC3339)
	return map[string]any{"url": g.url("/repos/" + repository + "/statuses/" + sha), "avatar_url": nil,
		"id":      len(g.statuses),
		"node_id": "SC_1", "state": in.State, "description": in.Description, "target_url": in.TargetURL,
		"context":    in.Context,
		"created_at": at, "updated_at": at, "creator": g.user(tokenUser)}, nil
}

func (g *codeHost) url(path string) string { return "https://" + g.Host + path }

// user is a user as the API shows one.
func (g *codeHost) user(id int64) map[string]any {
	login, kind := fmt.Sprintf("user-%d", id), "User"
	if id == appUser {
		login, kind = "buildmedic[bot]", "Bot"
	}
	u := map[string]any{"login": login, "id": id, "node_id": "U_1", "avatar_url": g.url("/avatar"),
		"gravatar_id": "", "type": kind,
		"site_admin": false}
	for key, path := range map[string]string{"url": "", "html_url": "", "followers_url": "/followers",
		"following_url": "/following{/other_user}",
		"gists_url":     "/gists{/gist_id}", "starred_url": "/starred{/owner}{/repo}",
		"subscriptions_url": "/subscriptions",
		"organizations_url": "/orgs", "repos_url": "/repos", "events_url": "/events{/privacy}",
		"received_events_url": "/received_events"} {
		u[key] = g.url("/users/" + login + path)
	}
	return u
}

// comment is a comment as the API shows it.
func (r *request) comment(c PullComment) map[string]any {
	g, at := &r.sim.github, r.sim.now.Format(time.RFC3339)
	out := map[string]any{"id": c.ID, "node_id": "IC_1", "url": g.url(fmt.Sprintf("/repos/%s/issues/comments/%d",
		c.Repository, c.ID)),
		"html_url": g.url("/comment"), "issue_url": g.url(fmt.Sprintf("/repos/%s/issues/%d", c.Repository, c.Pull)),
		"body": c.Body,
		"user": g.user(c.Author), "created_at": at, "updated_at": at, "author_association": "NONE",
		"performed_via_github_app": nil}
	if c.App != 0 {
		out["performed_via_github_app"] = map[string]any{"id": c.App, "slug": "app", "node_id": "A_1",
			"owner": g.user(tokenUser),
			"name":  "app", "description": nil, "external_url": "https://example.com",
			"html_url": g.url("/apps/app"), "created_at": at,
			"updated_at": at, "permissions": map[string]string{"statuses": "write"}, "events": []string{}}
	}
	return out
}

func listComments(r *request, repository, pull string) (any, error) {
	if err := r.onlyQuery("per_page", "page"); err != nil {
		return nil, err
	}
	q := r.http.URL.Query()
	size, _ := strconv.Atoi(q.Get("per_page"))
	page, _ := strconv.Atoi(q.Get("page"))
	size, page = min(max(size, 1), 100), max(page, 1)
	list := []any{}
	for _, c := range r.sim.github.comments {
		if c.Repository == repository && strconv.Itoa(c.Pull) == pull {
			list = append(list, r.comment(c))
		}
	}
	return list[min((page-1)*size, len(list)):min(page*size, len(list))], nil
}

type commentBody struct {
	Body string `json:"body"`
}

func createComment(r *request, repository, pull string) (any, error) {
	in, err := githubBody[commentBody](r)
	if err != nil {
		return nil, err
	}
	g := &r.sim.github
	n, _ := strconv.Atoi(pull)
	c := PullComment{ID: int64(9000 + len(g.comments)), Repository: repository, Pull: n, Author: tokenUser,
		Body: in.Body}
	if token, _ := r.signedIn(); token != g.Token {
		c.Author, c.App = appUser, g.App
	}
	g.comments = append(g.comments, c)
	return r.comment(c), nil
}

func updateComment(r *request, repository, id string) (any, error) {
	in, err := githubBody[commentBody](r)
	if err != nil {
		return nil, err
	}
	g := &r.sim.github
	i := slices.IndexFunc(g.comments, func(c PullComment) bool {
		return c.Repository == repository &&
			strconv.FormatInt(c.ID, 10) == id
	})
	if i < 0 {
		return nil, githubNotFound()
	}
	g.comments[i].Body = in.Body
	g.comments[i].Edits++
	return r.comment(g.comments[i]), nil
}

func getUser(r *request) (any, error) {
	if token, ok := r.signedIn(); !ok || token != r.sim.github.Token {
		return nil, badCredentials()
	}
	u := r.sim.github.user(tokenUser)
	at := r.sim.cfg.Start.Format(time.RFC3339)
	for key, v := range map[string]any{"name": nil, "company": nil, "blog": "", "location": nil, "email": nil,
		"hireable": nil, "bio": nil,
		"public_repos": 0, "public_gists": 0, "followers": 0, "following": 0, "created_at": at, "updated_at": at} {
		u[key] = v
	}
	return u, nil
}

// asApp checks the App's signature: that it is by its key, and holds for no longer than GitHub lets it.
func (r *request) asApp() error {
	g := &r.sim.github
	text, bearer := strings.CutPrefix(r.http.Header.Get("Authorization"), "Bearer ")
	part := strings.Split(text, ".")
	if !bearer || len(part) != 3 || g.AppKey == nil {
		return badCredentials()
	}
	sum := sha256.Sum256([]byte(part[0] + "." + part[1]))
	signature, _ := base64.RawURLEncoding.DecodeString(part[2])
	claims, _ := base64.RawURLEncoding.DecodeString(part[1])
	var c struct {
		From    int64  `json:"iat"`
		To      int64  `json:"exp"`
		Issuer  string `json:"iss"`
		Unknown any    `json:"aud"`
	}
	if rsa.VerifyPKCS1v15(g.AppKey, crypto.SHA256, sum[:], signature) != nil || json.Unmarshal(claims, &c) != nil ||
		c.Issuer != strconv.FormatInt(g.App, 10) {
		return badCredentials()
	}
	if now := r.sim.now.Unix(); c.From > now || c.To <= now || c.To > now+600 {
		return &apiError{Code: "expired", Status: http.StatusUnauthorized,
			Message: "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires"}
	}
	return nil
}

// installation is the id of the App's only installation.
const installation = 77

func getInstallation(r *request) (any, error) {
	_, parts := githubRoute(r.http)
	g := &r.sim.github
	r.about = parts[0]
	if err := r.asApp(); err != nil {
		return nil, err
	}
	if !slices.Contains(g.Repositories, parts[0]) {
		return nil, githubNotFound()
	}
	at := r.sim.cfg.Start.Format(time.RFC3339)
	return map[string]any{"id": installation, "account": g.user(tokenUser), "repository_selection": "selected",
		"access_tokens_url": g.url("/x"), "repositories_url": g.url("/x"), "html_url": g.url("/x"), "app_id": g.App,
		"target_id":   1,
		"target_type": "Organization", "permissions": map[string]string{"statuses": "write"}, "events": []string{},
		"created_at": at,
		"updated_at": at, "single_file_name": nil, "app_slug": "buildmedic", "suspended_by": nil,
		"suspended_at": nil}, nil
}

func createToken(r *request) (any, error) {
	if err := r.asApp(); err != nil {
		return nil, err
	}
	in, err := githubBody[struct {
		Repositories []string          `json:"repositories"`
		Permissions  map[string]string `json:"permissions"`
	}](r)
	if err != nil {
		return nil, err
	}
	g := &r.sim.github
	for need := range in.Permissions {
		if !slices.Contains(g.Permissions, need) {
			return nil, &apiError{Code: "permissions",
				Message: "The permissions requested are not granted to this installation."}
		}
	}
	until := r.sim.now.Add(time.Hour)
	token := fmt.Sprintf("ghs_%d_eyJhbGciOiJSUzI1NiJ9.%s.c2lnbmF0dXJl", g.App,
		strings.ReplaceAll(r.sim.uuid("token"), "-", ""))
	g.tokens[token] = installed{in.Repositories, in.Permissions, until}
	return map[string]any{"token": token, "expires_at": until.Format(time.RFC3339), "permissions": in.Permissions,
		"repository_selection": "selected"}, nil
}

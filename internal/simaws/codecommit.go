package simaws

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// codeCommit is what CodeCommit holds of the account, in one region.
type codeCommit struct {
	stores map[string]*gitStore
	pulls  []CodeCommitRequest
}

// CodeCommitRequest is a pull request in CodeCommit.
type CodeCommitRequest struct {
	ID, Repository, Title, Description string
	Source, Destination                string // branches
	Open, Merged                       bool
	Edits                              int // of title and description, by API
	Opened                             time.Time
	token, baseSHA                     string
}

// PushCodeCommit has somebody commit files to a branch of a repository of CodeCommit, which is made if
// it is not there. A nil file is taken out. A branch that is not there begins at main.
func (s *Sim) PushCodeCommit(repository, branch, message string, files map[string]*GitFile) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.pushed(repository, branch)
	return s.commits.found(repository).push(branch, message, files)
}

// found makes a repository, if it is not there.
func (c *codeCommit) found(repository string) *gitStore {
	if c.stores == nil {
		c.stores = map[string]*gitStore{}
	}
	if c.stores[repository] == nil {
		c.stores[repository] = newGitStore()
	}
	return c.stores[repository]
}

// CodeCommitFile gives a file's text as it is on a branch; "" if it is not there.
func (s *Sim) CodeCommitFile(repository, branch, path string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.code(repository).text(branch, path)
}

// CodeCommitRequests lists the pull requests, oldest first.
func (s *Sim) CodeCommitRequests() []CodeCommitRequest {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.commits.pulls)
}

// CloseCodeCommit has somebody close a request, and merge it if merge says so; it reports whether
// that went without a conflict.
func (s *Sim) CloseCodeCommit(id string, merge bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.commits.pulls {
		p := &s.commits.pulls[i]
		if p.ID != id || !p.Open {
			continue
		}
		if g := s.commits.stores[p.Repository]; merge {
			tree, ok := g.merged(g.branches[p.Destination], g.branches[p.Source])
			if !ok {
				return false
			}
			g.branches[p.Destination] = g.commit(gitCommit{tree, "merged", []string{g.branches[p.Destination], g.branches[p.Source]}})
			s.pushed(p.Repository, p.Destination)
		}
		p.Open, p.Merged = false, merge
		return true
	}
	return false
}

var codeCommitOperations = map[string]operation{
	"GetRepository":                jsonCall(false, ccGetRepository),
	"GetBranch":                    jsonCall(false, ccGetBranch),
	"GetFile":                      jsonCall(false, ccGetFile),
	"GetCommit":                    jsonCall(false, ccGetCommit),
	"GetDifferences":               jsonCall(false, ccGetDifferences),
	"GetMergeOptions":              jsonCall(false, ccGetMergeOptions),
	"CreateBranch":                 jsonCall(true, ccCreateBranch),
	"CreateCommit":                 jsonCall(true, ccCreateCommit),
	"MergeBranchesByFastForward":   jsonCall(true, ccFastForward),
	"ListPullRequests":             jsonCall(false, ccListPullRequests),
	"GetPullRequest":               jsonCall(false, ccGetPullRequest),
	"CreatePullRequest":            jsonCall(true, ccCreatePullRequest),
	"UpdatePullRequestTitle":       jsonCall(true, ccUpdateTitle),
	"UpdatePullRequestDescription": jsonCall(true, ccUpdateDescription),
}

// ccStore finds a repository, if the caller may do the action on it. On actions that write a branch
// the condition key codecommit:References names it.
func (r *request) ccStore(action, repository, branch string) (*gitStore, error) {
	with := map[string][]string{}
	if branch != "" {
		with["codecommit:References"] = []string{"refs/heads/" + branch}
	}
	if err := r.authorize("codecommit:"+action, r.est.arn("codecommit", repository), with); err != nil {
		return nil, err
	}
	g, ok := r.sim.commits.stores[repository]
	if !ok {
		return nil, fail("RepositoryDoesNotExistException", repository+" does not exist")
	}
	return g, nil
}

type ccRepositoryInput struct {
	Repository string `json:"repositoryName"`
}

func ccGetRepository(r *request, in *ccRepositoryInput) (any, error) {
	g, err := r.ccStore("GetRepository", in.Repository, "")
	if err != nil {
		return nil, err
	}
	about := map[string]any{"repositoryName": in.Repository, "Arn": r.est.arn("codecommit", in.Repository)}
	if len(g.branches) > 0 {
		about["defaultBranch"] = "main"
	}
	return map[string]any{"repositoryMetadata": about}, nil
}

type ccBranchInput struct {
	Repository string `json:"repositoryName"`
	Branch     string `json:"branchName"`
	Commit     string `json:"commitId"`
}

func ccGetBranch(r *request, in *ccBranchInput) (any, error) {
	g, err := r.ccStore("GetBranch", in.Repository, "")
	if err != nil {
		return nil, err
	}
	sha, ok := g.branches[in.Branch]
	if !ok {
		return nil, fail("BranchDoesNotExistException", "Branch "+in.Branch+" does not exist")
	}
	return map[string]any{"branch": map[string]string{"branchName": in.Branch, "commitId": sha}}, nil
}

type ccFileInput struct {
	Repository string `json:"repositoryName"`
	Commit     string `json:"commitSpecifier"`
	Path       string `json:"filePath"`
}

func ccGetFile(r *request, in *ccFileInput) (any, error) {
	g, err := r.ccStore("GetFile", in.Repository, "")
	if err != nil {
		return nil, err
	}
	e, ok := g.flat(g.commits[in.Commit].tree)[in.Path]
	if !ok || e.mode == gitSubmodule {
		return nil, fail("FileDoesNotExistException", "Could not find path "+in.Path)
	}
	mode := map[string]string{"100755": "EXECUTABLE", "120000": "SYMLINK", gitFile: "NORMAL"}[e.mode]
	return map[string]any{"commitId": in.Commit, "blobId": e.sha, "filePath": in.Path, "fileMode": mode,
		"fileSize": len(g.blobs[e.sha]), "fileContent": []byte(g.blobs[e.sha])}, nil
}

func ccGetCommit(r *request, in *ccBranchInput) (any, error) {
	g, err := r.ccStore("GetCommit", in.Repository, "")
	if err != nil {
		return nil, err
	}
	c, ok := g.commits[in.Commit]
	if !ok {
		return nil, fail("CommitIdDoesNotExistException", in.Commit+" does not exist")
	}
	return map[string]any{"commit": map[string]any{"commitId": in.Commit, "treeId": c.tree, "message": c.message,
		"parents": c.parents}}, nil
}

type ccTwoInput struct {
	Repository  string `json:"repositoryName"`
	Before      string `json:"beforeCommitSpecifier"`
	After       string `json:"afterCommitSpecifier"`
	Source      string `json:"sourceCommitSpecifier"`
	Destination string `json:"destinationCommitSpecifier"`
	Target      string `json:"targetBranch"`
}

func ccGetDifferences(r *request, in *ccTwoInput) (any, error) {
	g, err := r.ccStore("GetDifferences", in.Repository, "")
	if err != nil {
		return nil, err
	}
	before, after := g.flat(g.commits[in.Before].tree), g.flat(g.commits[in.After].tree)
	list := []any{}
	for _, path := range slices.Sorted(maps.Keys(after)) {
		if after[path].sha != before[path].sha {
			list = append(list, map[string]any{"changeType": "M", "afterBlob": map[string]string{"path": path, "blobId": after[path].sha}})
		}
	}
	for _, path := range slices.Sorted(maps.Keys(before)) {
		if _, ok := after[path]; !ok {
			list = append(list, map[string]any{"changeType": "D", "beforeBlob": map[string]string{"path": path}})
		}
	}
	return map[string]any{"differences": list}, nil
}

func ccGetMergeOptions(r *request, in *ccTwoInput) (any, error) {
	g, err := r.ccStore("GetMergeOptions", in.Repository, "")
	if err != nil {
		return nil, err
	}
	return map[string]any{"mergeOptions": []string{"THREE_WAY_MERGE"}, "sourceCommitId": in.Source,
		"destinationCommitId": in.Destination, "baseCommitId": g.forkOf(in.Destination, in.Source)}, nil
}

func ccFastForward(r *request, in *ccTwoInput) (any, error) {
	g, err := r.ccStore("MergeBranchesByFastForward", in.Repository, in.Target)
	if err != nil {
		return nil, err
	}
	if g.branches[in.Target] != in.Destination || !g.ancestors(in.Source)[in.Destination] {
		return nil, fail("ManualMergeRequiredException", "The merge cannot be completed automatically.")
	}
	g.branches[in.Target] = in.Source
	r.sim.pushed(in.Repository, in.Target)
	return map[string]any{"commitId": in.Source}, nil
}

func ccCreateBranch(r *request, in *ccBranchInput) (any, error) {
	g, err := r.ccStore("CreateBranch", in.Repository, in.Branch)
	if err != nil {
		return nil, err
	}
	r.about = in.Repository + " " + in.Branch
	switch {
	case g.branches[in.Branch] != "":
		return nil, fail("BranchNameExistsException", "Branch "+in.Branch+" exists already")
	case g.commits[in.Commit].tree == "":
		return nil, fail("CommitDoesNotExistException", in.Commit+" does not exist")
	}
	g.branches[in.Branch] = in.Commit
	return map[string]any{}, nil
}

type ccCommitInput struct {
	Repository string `json:"repositoryName"`
	Branch     string `json:"branchName"`
	Parent     string `json:"parentCommitId"`
	Author     string `json:"authorName"`
	Message    string `json:"commitMessage"`
	Keep       bool   `json:"keepEmptyFolders"`
	Put        []struct {
		Path    string `json:"filePath"`
		Mode    string `json:"fileMode"`
		Content []byte `json:"fileContent"`
	} `json:"putFiles"`
}

func ccCreateCommit(r *request, in *ccCommitInput) (any, error) {
	g, err := r.ccStore("CreateCommit", in.Repository, in.Branch)
	if err != nil {
		return nil, err
	}
	r.about = in.Repository + " " + in.Branch
	head := g.branches[in.Branch]
	switch {
	case head == "":
		return nil, fail("BranchDoesNotExistException", "Branch "+in.Branch+" does not exist")
	case head != in.Parent:
		return nil, fail("ParentCommitIdOutdatedException", "The parent commit is not the tip of the branch")
	}
	tree := g.commits[head].tree
	for _, f := range in.Put {
		folder, _, _ := strings.Cut(f.Path, "/")
		there := g.flat(tree)
		if e, ok := there[folder]; ok && folder != f.Path {
			if e.mode == gitSubmodule {
				return nil, fail("FilePathConflictsWithSubmodulePathException", f.Path+" is in a submodule")
			}
			return nil, fail("DirectoryNameConflictsWithFileNameException", folder+" is a file")
		}
		for path := range there {
			if strings.HasPrefix(path, f.Path+"/") {
				return nil, fail("FileNameConflictsWithDirectoryNameException", f.Path+" is a folder")
			}
		}
		mode := map[string]string{"NORMAL": gitFile, "EXECUTABLE": "100755"}[f.Mode]
		tree = g.put(tree, f.Path, mode, g.blob(string(f.Content)))
	}
	if tree == g.commits[head].tree {
		return nil, fail("NoChangeException", "The commit changes nothing")
	}
	g.branches[in.Branch] = g.commit(gitCommit{tree, in.Message, []string{head}})
	r.sim.pushed(in.Repository, in.Branch)
	return map[string]any{"commitId": g.branches[in.Branch], "treeId": tree}, nil
}

type ccListInput struct {
	Repository string `json:"repositoryName"`
	Status     string `json:"pullRequestStatus"`
	Next       string `json:"nextToken"`
}

// ccListPullRequests answers with three ids a page, newest first.
func ccListPullRequests(r *request, in *ccListInput) (any, error) {
	if _, err := r.ccStore("ListPullRequests", in.Repository, ""); err != nil {
		return nil, err
	}
	var ids []string
	for _, p := range slices.Backward(r.sim.commits.pulls) {
		if p.Repository == in.Repository && p.Open == (in.Status == "OPEN") {
			ids = append(ids, p.ID)
		}
	}
	const size = 3
	from, _ := strconv.Atoi(in.Next)
	out := map[string]any{"pullRequestIds": append([]string{}, ids[min(from, len(ids)):min(from+size, len(ids))]...)}
	if from+size < len(ids) {
		out["nextToken"] = strconv.Itoa(from + size)
	}
	return out, nil
}

type ccRequestInput struct {
	ID          string `json:"pullRequestId"`
	Title       string `json:"title"`
	Description string `json:"description"`
	Token       string `json:"clientRequestToken"`
	Targets     []struct {
		Repository  string `json:"repositoryName"`
		Source      string `json:"sourceReference"`
		Destination string `json:"destinationReference"`
	} `json:"targets"`
}

// ccRequest finds a request, if the caller may do the action on its repository.
func (r *request) ccRequest(action, id string) (*CodeCommitRequest, error) {
	for i := range r.sim.commits.pulls {
		if p := &r.sim.commits.pulls[i]; p.ID == id {
			_, err := r.ccStore(action, p.Repository, "")
			return p, err
		}
	}
	return nil, fail("PullRequestDoesNotExistException", "There is no pull request "+id)
}

func (p CodeCommitRequest) shown() map[string]any {
	status := "CLOSED"
	if p.Open {
		status = "OPEN"
	}
	return map[string]any{"pullRequest": map[string]any{"pullRequestId": p.ID, "title": p.Title, "description": p.Description,
		"pullRequestStatus": status, "pullRequestTargets": []any{map[string]any{"repositoryName": p.Repository,
			"sourceReference": "refs/heads/" + p.Source, "destinationReference": "refs/heads/" + p.Destination,
			"mergeMetadata": map[string]any{"isMerged": p.Merged}}}}}
}

func ccGetPullRequest(r *request, in *ccRequestInput) (any, error) {
	p, err := r.ccRequest("GetPullRequest", in.ID)
	if err != nil {
		return nil, err
	}
	return p.shown(), nil
}

func ccCreatePullRequest(r *request, in *ccRequestInput) (any, error) {
	if len(in.Targets) != 1 {
		return nil, r.unknownParameter("targets")
	}
	t := in.Targets[0]
	g, err := r.ccStore("CreatePullRequest", t.Repository, "")
	if err != nil {
		return nil, err
	}
	r.about = t.Repository + " " + t.Source
	p := CodeCommitRequest{ID: fmt.Sprint(len(r.sim.commits.pulls) + 7), Repository: t.Repository, Title: in.Title,
		Description: in.Description, Source: t.Source, Destination: t.Destination, Open: true, Opened: r.sim.now,
		token: in.Token, baseSHA: g.branches[t.Destination]}
	for _, q := range r.sim.commits.pulls {
		switch {
		case q.token != in.Token || in.Token == "":
		case q.Title != p.Title || q.Description != p.Description:
			return nil, fail("IdempotencyParameterMismatchException", "The token was used with other parameters")
		default:
			return q.shown(), nil
		}
	}
	switch {
	case g.branches[t.Source] == "" || g.branches[t.Destination] == "":
		return nil, fail("ReferenceDoesNotExistException", "A branch does not exist")
	case len([]rune(in.Title)) > 150:
		return nil, fail("InvalidTitleException", "The title is too long")
	case len([]rune(in.Description)) > 10240:
		return nil, fail("InvalidDescriptionException", "The description is too long")
	}
	r.sim.commits.pulls = append(r.sim.commits.pulls, p)
	return p.shown(), nil
}

func ccUpdateTitle(r *request, in *ccRequestInput) (any, error) {
	p, err := r.ccRequest("UpdatePullRequestTitle", in.ID)
	if err != nil {
		return nil, err
	}
	p.Title, p.Edits = in.Title, p.Edits+1
	return p.shown(), nil
}

func ccUpdateDescription(r *request, in *ccRequestInput) (any, error) {
	p, err := r.ccRequest("UpdatePullRequestDescription", in.ID)
	if err != nil {
		return nil, err
	}
	p.Description, p.Edits = in.Description, p.Edits+1
	return p.shown(), nil
}

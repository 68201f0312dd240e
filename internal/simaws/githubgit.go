package simaws

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// The part of the code host that is git: refs, commits, trees and blobs.

// repo is a repository's content; one that nobody pushed to is empty.
func (g *codeHost) repo(repository string) *gitStore {
	if g.stores == nil {
		g.stores = map[string]*gitStore{}
	}
	if g.stores[repository] == nil {
		g.stores[repository] = newGitStore()
	}
	return g.stores[repository]
}

// Push has somebody commit files to a branch of a repository at the code host, and returns the
// commit. A nil file is taken out. A branch that is not there begins at main.
func (s *Sim) Push(repository, branch, message string, files map[string]*GitFile) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.pushed(repository, branch)
	return s.github.repo(repository).push(branch, message, files)
}

// Amend has somebody put another commit in the place of a branch's newest one: with its message and
// parents, and with files changed.
func (s *Sim) Amend(repository, branch string, files map[string]*GitFile) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.github.repo(repository)
	was := g.commits[g.branches[branch]]
	tree := g.commits[g.push(branch, "", files)].tree
	g.branches[branch] = g.commit(gitCommit{tree, was.message, was.parents})
}

// DeleteBranch has somebody delete a branch.
func (s *Sim) DeleteBranch(repository, branch string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.github.repo(repository).branches, branch)
}

// Branches lists a repository's branches, by name, with their newest commits.
func (s *Sim) Branches(repository string) map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string]string{}
	for name, sha := range s.github.repo(repository).branches {
		out[name] = sha
	}
	return out
}

// FileAt gives a file's text as it is on a branch; "" if it is not there.
func (s *Sim) FileAt(repository, branch, path string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.github.repo(repository).text(branch, path)
}

func getRef(r *request, repository, branch string) (any, error) {
	g := r.sim.github.repo(repository)
	if len(g.branches) == 0 {
		return nil, &apiError{Code: "empty", Message: "Git Repository is empty.", Status: http.StatusConflict}
	}
	sha, ok := g.branches[branch]
	if !ok {
		return nil, githubNotFound()
	}
	return r.ref(repository, branch, sha), nil
}

func (r *request) ref(repository, branch, sha string) map[string]any {
	at := r.sim.github.url("/repos/" + repository + "/git/refs/heads/" + branch)
	return map[string]any{"ref": "refs/heads/" + branch, "node_id": "REF_1", "url": at,
		"object": map[string]any{"type": "commit", "sha": sha, "url": at}}
}

func ruleViolation(what string) error {
	return &apiError{Code: "rule", Message: "Repository rule violations found\n\nCannot " + what + " ref due to " + what +
		"s being restricted."}
}

func (g *codeHost) ruled(branch string) bool {
	return slices.ContainsFunc(g.Rules, func(p string) bool { return strings.HasPrefix(branch, p) })
}

func createRef(r *request, repository, _ string) (any, error) {
	in, err := githubBody[struct {
		Ref string `json:"ref"`
		SHA string `json:"sha"`
	}](r)
	if err != nil {
		return nil, err
	}
	g, branch := r.sim.github.repo(repository), strings.TrimPrefix(in.Ref, "refs/heads/")
	r.about = repository + " " + branch
	switch {
	case !strings.HasPrefix(in.Ref, "refs/heads/"):
		return nil, &apiError{Code: "ref", Message: "Reference name must start with refs/"}
	case g.branches[branch] != "":
		return nil, &apiError{Code: "exists", Message: "Reference already exists"}
	case g.commits[in.SHA].tree == "":
		return nil, &apiError{Code: "object", Message: "Object does not exist"}
	case r.sim.github.ruled(branch):
		return nil, ruleViolation("creation")
	}
	g.branches[branch] = in.SHA
	return r.ref(repository, branch, in.SHA), nil
}

func updateRef(r *request, repository, branch string) (any, error) {
	in, err := githubBody[struct {
		SHA   string `json:"sha"`
		Force bool   `json:"force"`
	}](r)
	if err != nil {
		return nil, err
	}
	r.about = repository + " " + branch
	g := r.sim.github.repo(repository)
	switch {
	case in.Force:
		return nil, r.unknownParameter("force")
	case g.branches[branch] == "":
		return nil, &apiError{Code: "no ref", Message: "Reference does not exist"}
	case !g.ancestors(in.SHA)[g.branches[branch]]:
		return nil, &apiError{Code: "forward", Message: "Update is not a fast forward"}
	case r.sim.github.ruled(branch):
		return nil, ruleViolation("update")
	}
	g.branches[branch] = in.SHA
	r.sim.pushed(repository, branch)
	return r.ref(repository, branch, in.SHA), nil
}

func getCommit(r *request, repository, sha string) (any, error) {
	if _, ok := r.sim.github.repo(repository).commits[sha]; !ok {
		return nil, githubNotFound()
	}
	return r.commitOf(repository, sha), nil
}

func (r *request) commitOf(repository, sha string) map[string]any {
	g := &r.sim.github
	c := g.repo(repository).commits[sha]
	at := g.url("/repos/" + repository + "/git/")
	by := map[string]any{"name": "user", "email": "user@example.com", "date": r.sim.cfg.Start.Format(time.RFC3339)}
	parents := []any{}
	for _, p := range c.parents {
		parents = append(parents, map[string]any{"sha": p, "url": at + "commits/" + p, "html_url": at + p})
	}
	return map[string]any{"sha": sha, "node_id": "C_1", "url": at + "commits/" + sha, "html_url": at + sha, "author": by,
		"committer": by, "message": c.message, "parents": parents,
		"tree": map[string]any{"sha": c.tree, "url": at + "trees/" + c.tree},
		"verification": map[string]any{"verified": false, "reason": "unsigned", "signature": nil, "payload": nil,
			"verified_at": nil}}
}

func createCommit(r *request, repository, _ string) (any, error) {
	in, err := githubBody[struct {
		Message string   `json:"message"`
		Tree    string   `json:"tree"`
		Parents []string `json:"parents"`
	}](r)
	if err != nil {
		return nil, err
	}
	g := r.sim.github.repo(repository)
	if _, ok := g.trees[in.Tree]; !ok {
		return nil, &apiError{Code: "tree", Message: "Tree SHA does not exist"}
	}
	for _, p := range in.Parents {
		if g.commits[p].tree == "" {
			return nil, &apiError{Code: "parent", Message: "Parent SHA does not exist or is not a commit object"}
		}
	}
	return r.commitOf(repository, g.commit(gitCommit{in.Tree, in.Message, in.Parents})), nil
}

func getTree(r *request, repository, sha string) (any, error) {
	if _, ok := r.sim.github.repo(repository).trees[sha]; !ok {
		return nil, githubNotFound()
	}
	return r.treeOf(repository, sha), nil
}

func (r *request) treeOf(repository, sha string) map[string]any {
	host := &r.sim.github
	g, at := host.repo(repository), host.url("/repos/"+repository+"/git/trees/")
	list := []any{}
	for _, e := range g.trees[sha] {
		one := map[string]any{"path": e.name, "mode": e.mode, "type": "blob", "sha": e.sha, "url": at + e.sha}
		switch e.mode {
		case gitFolder:
			one["type"] = "tree"
		case gitSubmodule:
			one["type"] = "commit"
		default:
			one["size"] = len(g.blobs[e.sha])
		}
		list = append(list, one)
	}
	return map[string]any{"sha": sha, "url": at + sha, "tree": list, "truncated": false}
}

func createTree(r *request, repository, _ string) (any, error) {
	in, err := githubBody[struct {
		Base string `json:"base_tree"`
		Tree []struct {
			Path    string `json:"path"`
			Mode    string `json:"mode"`
			Type    string `json:"type"`
			Content string `json:"content"`
		} `json:"tree"`
	}](r)
	if err != nil {
		return nil, err
	}
	g := r.sim.github.repo(repository)
	tree := in.Base
	if _, ok := g.trees[tree]; !ok {
		return nil, &apiError{Code: "base", Message: "base_tree is not a valid tree oid"}
	}
	for _, e := range in.Tree {
		tree = g.put(tree, e.Path, e.Mode, g.blob(e.Content))
	}
	return r.treeOf(repository, tree), nil
}

func getBlob(r *request, repository, sha string) (any, error) {
	text, ok := r.sim.github.repo(repository).blobs[sha]
	if !ok {
		return nil, githubNotFound()
	}
	// As GitHub does, it breaks the lines of base64.
	coded, lines := base64.StdEncoding.EncodeToString([]byte(text)), ""
	for len(coded) > 60 {
		lines, coded = lines+coded[:60]+"\n", coded[60:]
	}
	return map[string]any{"sha": sha, "node_id": "B_1", "size": len(text), "encoding": "base64",
		"url": r.sim.github.url(fmt.Sprintf("/repos/%s/git/blobs/%s", repository, sha)), "content": lines + coded + "\n"}, nil
}

package simaws

import (
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Code: repositories at the code host and in CodeCommit alike, and the deployment that makes IAM what
// their files say. A name with a slash is a repository's at the code host; in CodeCommit no name has one.

func inCodeCommit(repository string) bool { return !strings.Contains(repository, "/") }

// CodeRequest is a pull request, wherever its repository is.
type CodeRequest struct {
	Repository, Number string
	Title, Body        string
	Head, Base         string // branches
	Open, Merged       bool
	Edits              int // of title and body, by API
	Opened             time.Time
	Commits            []string          // their messages, oldest first
	Files              map[string]string // what it changes: path → text, "" where it is taken out
}

// CodeRequests lists the pull requests of all repositories, those of the code host first, oldest first.
func (s *Sim) CodeRequests() (out []CodeRequest) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.github.pulls {
		r := CodeRequest{Repository: p.Repository, Number: strconv.Itoa(p.Number), Title: p.Title, Body: p.Body, Head: p.Head,
			Base: p.Base, Open: p.Open, Merged: p.Merged, Edits: p.Edits, Opened: p.Opened}
		out = append(out, r.with(s.code(p.Repository), p.baseSHA, p.headSHA))
	}
	for _, p := range s.commits.pulls {
		r := CodeRequest{Repository: p.Repository, Number: p.ID, Title: p.Title, Body: p.Description, Head: p.Source,
			Base: p.Destination, Open: p.Open, Merged: p.Merged, Edits: p.Edits, Opened: p.Opened}
		out = append(out, r.with(s.code(p.Repository), p.baseSHA, ""))
	}
	return out
}

// with adds what the request brings: base is what it was opened for, head its newest commit where its
// branch is gone.
func (r CodeRequest) with(g *gitStore, base, head string) CodeRequest {
	head = orText(g.branches[r.Head], head)
	there, left := g.ancestors(base), head
	for !there[left] && left != "" {
		c := g.commits[left]
		r.Commits, left = append([]string{c.message}, r.Commits...), ""
		if len(c.parents) > 0 {
			left = c.parents[0]
		}
	}
	before, after := g.flat(g.commits[base].tree), g.flat(g.commits[head].tree)
	r.Files = map[string]string{}
	for path, e := range after {
		if before[path].sha != e.sha {
			r.Files[path] = g.blobs[e.sha]
		}
	}
	for path := range before {
		if _, ok := after[path]; !ok {
			r.Files[path] = ""
		}
	}
	return r
}

// CloseRequest has somebody close a pull request, and merge it if merge says so; it reports whether
// that went without a conflict.
func (s *Sim) CloseRequest(repository, number string, merge bool) bool {
	if inCodeCommit(repository) {
		return s.CloseCodeCommit(number, merge)
	}
	n, err := strconv.Atoi(number)
	return err == nil && s.ClosePull(n, merge)
}

// PushCode has somebody commit files to a branch of a repository. A nil file is taken out. A branch that
// is not there begins at main.
func (s *Sim) PushCode(repository, branch, message string, files map[string]*GitFile) {
	if inCodeCommit(repository) {
		s.PushCodeCommit(repository, branch, message, files)
	} else {
		s.Push(repository, branch, message, files)
	}
}

// CodeFile gives a file's text as it is on a branch of a repository; "" if it is not there.
func (s *Sim) CodeFile(repository, branch, path string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.code(repository).text(branch, path)
}

// CodeBranches says what the messages of a repository's branches' newest commits are.
func (s *Sim) CodeBranches(repository string) map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	g, out := s.code(repository), map[string]string{}
	for name, sha := range g.branches {
		out[name] = g.commits[sha].message
	}
	return out
}

// code is a repository's content; one that nobody pushed to is empty.
func (s *Sim) code(repository string) *gitStore {
	if !inCodeCommit(repository) {
		return s.github.repo(repository)
	}
	if g := s.commits.stores[repository]; g != nil {
		return g
	}
	return newGitStore()
}

// text is a file's as it is on a branch; "" if it is not there.
func (g *gitStore) text(branch, path string) string {
	return g.blobs[g.flat(g.commits[g.branches[branch]].tree)[path].sha]
}

// Deployment is what a deployment of code changed in IAM, or why it could not.
type Deployment struct {
	At               time.Time
	Repository, Path string
	To               string // "role R, inline policy P" or "policy P"
	Error            string
}

// Deployments lists the deployments that changed something, or failed, oldest first.
func (s *Sim) Deployments() []Deployment {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.deployments)
}

// pushed has what people deploy from a branch deployed, as it is at this moment.
func (s *Sim) pushed(repository, branch string) {
	for _, d := range s.deploys {
		if d.Repository == repository && d.Branch == branch {
			text := s.code(repository).text(branch, d.Path)
			s.after(time.Duration(d.Takes), func() { s.deploy(d, text) })
		}
	}
}

// deploy does what Terraform does on apply: where IAM has something else than the file, it writes the
// whole document. It is no recorded call, since whoever deploys is none whose calls are looked at.
func (s *Sim) deploy(d deployFile, text string) {
	done := Deployment{At: s.now, Repository: d.Repository, Path: d.Path, To: d.to()}
	changed, err := s.put(d, text)
	if err != nil {
		done.Error = err.Error()
	}
	if changed || err != nil {
		s.deployments = append(s.deployments, done)
	}
}

func (s *Sim) put(d deployFile, text string) (changed bool, err error) {
	if text == "" {
		return false, errors.New("there is no file " + d.Path)
	}
	a := s.account(orText(d.Account, s.cfg.Account))
	if d.Policy != "" {
		p := a.policies[a.arn("iam", "", "policy/"+d.Policy)]
		if p.document() == text {
			return false, nil
		}
		if len(p.versions) == maxVersions { // as Terraform does, the oldest goes
			oldest := slices.IndexFunc(p.versions, func(v policyVersion) bool { return v.id != p.current })
			p.versions = slices.Delete(slices.Clone(p.versions), oldest, oldest+1)
		}
		_, err := p.newVersion(s, text, true)
		return err == nil, err
	}
	r, _ := a.role(d.Role)
	if r.inline[d.Inline] == text {
		return false, nil
	}
	err = r.putInline(d.Inline, text)
	return err == nil, err
}

func (d deployFile) to() string {
	if d.Policy != "" {
		return "policy " + d.Policy
	}
	return "role " + d.Role + ", inline policy " + d.Inline
}

// code puts in the repositories, and the managed policies that are deployed from them.
func (bu *builder) code(w *worldFile) {
	s := bu.sim
	for _, c := range w.Code {
		if c.Repository == "" || strings.Count(c.Repository, "/") > 1 {
			bu.bad("code: repository %q: write OWNER/NAME, or NAME for CodeCommit", c.Repository)
			continue
		}
		files := map[string]*GitFile{}
		for path, text := range c.Files {
			files[path] = &GitFile{Text: text}
		}
		for path, to := range c.Links {
			files[path] = &GitFile{Mode: gitLink, Text: to}
		}
		if inCodeCommit(c.Repository) {
			s.commits.found(c.Repository)
		}
		s.code(c.Repository).push(orText(c.Branch, mainBranch), "first", files)
	}
	for _, d := range w.Deploys {
		def(&d.Branch, mainBranch)
		text := s.code(d.Repository).text(d.Branch, d.Path)
		if (d.Policy == "") == (d.Role == "" || d.Inline == "") {
			bu.bad("deploys: %s: needs role and inline, or policy", d.Path)
			continue
		}
		if text != "" {
			bu.check("deploys: "+d.Path, text)
		}
		s.deploys = append(s.deploys, d)
		a := s.account(orText(d.Account, s.cfg.Account))
		switch {
		case d.Policy != "" && text == "":
			bu.bad("deploys: there is no file %s on %s of %q, and policy %s needs one", d.Path, d.Branch, d.Repository, d.Policy)
		case d.Policy != "":
			a.addPolicy(d.Policy, text)
		}
	}
}

// deployed puts in the inline policies that are deployed from code.
func (bu *builder) deployed() {
	for _, d := range bu.sim.deploys {
		a := bu.sim.account(orText(d.Account, bu.sim.cfg.Account))
		if d.Policy != "" {
			continue
		}
		r, ok := a.role(d.Role)
		if !ok {
			bu.bad("deploys: there is no role %q", d.Role)
			continue
		}
		if text := bu.sim.code(d.Repository).text(d.Branch, d.Path); text != "" {
			r.inline = maps.Clone(r.inline)
			r.inline[d.Inline] = text
			r.settle(0)
		}
	}
}

package codehost

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/policyfile"
)

// writePulls is what a pull request needs, its branch included.
var writePulls = Need{"contents pull_requests", "Contents: Read and write and Pull requests: Read and write"}

// MaxChain bounds the commits of a branch that are read.
const MaxChain = 30

// errMoved: what was read is no longer so.
var errMoved = errors.New("it changed meanwhile")

// Propose opens a pull request, or brings the one that is open up to date. Called again with the
// same, it finds what is there: there is one branch and one request for each [Change.Branch].
//
// Where it cannot be done, the error is heal.ErrLater, or a [heal.FaultError] that says what a person
// must do, or final.
func (g *GitHub) Propose(ctx context.Context, c Change) (Request, error) {
	for range Tries {
		r, err := g.propose(ctx, c)
		if !errors.Is(err, errMoved) {
			return r, err
		}
	}
	return Request{}, fmt.Errorf("%w: branch %s of %s changed at each of %d tries", heal.ErrLater, c.Branch, c.Repository,
		Tries)
}

// pulls makes the calls for one change.
type pulls struct {
	*GitHub
	Change
}

func (g *GitHub) propose(ctx context.Context, c Change) (Request, error) {
	p := pulls{g, c}
	if err := p.findBase(ctx); err != nil {
		return Request{}, err
	}
	tip, err := p.tip(ctx, p.Base)
	if errors.Is(err, heal.ErrNotFound) {
		return Request{}, p.Credentials.fault("there is no branch %q in repository %s, or the credentials %s do not show it",
			p.Base, p.Repository, p.Credentials.place())
	}
	if err != nil {
		return Request{}, err
	}
	base, err := p.commit(ctx, tip)
	if err != nil {
		return Request{}, err
	}
	was, err := p.file(ctx, base.Tree.SHA)
	if err != nil {
		return Request{}, err
	}
	_, lacks, err := policyfile.Add(was.Text, p.Statements)
	if err != nil {
		return Request{}, p.bad(err)
	}
	if len(lacks) == 0 {
		return Request{Result: Landed, Branch: p.Branch}, nil
	}
	asked := p.Branch
	for n := 1; n <= MaxAsked; n++ {
		p.Branch = Nth(asked, n)
		earlier, err := p.earlier(ctx)
		switch {
		case err != nil:
			return Request{}, err
		case earlier == nil || earlier.State == "open":
			return p.ask(ctx, tip, base, was, earlier)
		case earlier.Merged == "":
			return earlier.result(Declined, p.Branch), nil
		}
	}
	return Request{}, p.Credentials.fault("the same was asked for and merged %d times in repository %s, and it is gone again; "+
		"see what takes it out of %s", MaxAsked, p.Repository, p.Path)
}

// findBase finds the default branch, if the change names none.
func (p *pulls) findBase(ctx context.Context) error {
	if p.Base != "" {
		return nil
	}
	var r struct {
		Default string `json:"default_branch"`
	}
	if err := p.get(ctx, "", &r); err != nil {
		return err
	}
	if !isBranch(r.Default) {
		return fmt.Errorf("%w: GitHub's answer cannot be read", heal.ErrFinal)
	}
	p.Base = r.Default
	return nil
}

// ask makes the branch, or brings it up to date, and the request of it.
func (p *pulls) ask(ctx context.Context, tip string, base commit, was File, open *pull) (Request, error) {
	head, err := p.tip(ctx, p.Branch)
	none := errors.Is(err, heal.ErrNotFound)
	if err != nil && !none {
		return Request{}, err
	}
	var changed bool
	var n Next
	if none {
		if n, err = p.begin(ctx, tip, base, was); err != nil {
			return Request{}, err
		}
	} else {
		on, from, err := p.mine(ctx, head)
		if err != nil {
			return Request{}, err
		}
		if from == "" {
			return open.result(Edited, p.Branch), nil
		}
		if n, changed, err = p.goOn(ctx, tip, base, was, on, from); err != nil {
			return Request{}, err
		}
	}
	if len(n.Whole.Added) == 0 {
		return open.result(Landed, p.Branch), nil
	}
	return p.say(ctx, n, open, changed)
}

// begin makes the branch with its first commit, which it has from its beginning.
func (p *pulls) begin(ctx context.Context, tip string, base commit, was File) (Next, error) {
	n, err := p.Follow(was, was, was)
	if err != nil || len(n.Added) == 0 {
		return n, p.bad(err)
	}
	sha, err := p.write(ctx, base.Tree.SHA, was.Mode, tip, n, tip)
	if err != nil {
		return n, err
	}
	err = p.post(ctx, "/git/refs", map[string]string{"ref": "refs/heads/" + p.Branch, "sha": sha}, nil)
	return n, p.refOutcome(err)
}

// goOn adds to the branch what it lacks, and merges it with the base where the base's file has
// changed, by a commit with two parents. So the branch only ever moves forward.
func (p *pulls) goOn(ctx context.Context, tip string, base commit, was File, head commit, from string) (n Next, changed bool, err error) {
	root, err := p.commit(ctx, from)
	if err != nil {
		return n, false, err
	}
	then, err := p.file(ctx, root.Tree.SHA)
	if err != nil {
		return n, false, err
	}
	on, err := p.file(ctx, head.Tree.SHA)
	if err != nil {
		return n, false, err
	}
	if n, err = p.Follow(was, then, on); err != nil {
		return n, false, p.bad(err)
	}
	if len(n.Added) == 0 {
		return n, false, nil
	}
	tree, parents := head.Tree.SHA, []string{head.SHA}
	if n.Fresh {
		tree, from, parents = base.Tree.SHA, tip, append(parents, tip)
	}
	sha, err := p.write(ctx, tree, was.Mode, from, n, parents...)
	if err != nil {
		return n, false, err
	}
	err = p.do(ctx, p.to(http.MethodPatch, "/git/refs/heads/"+p.Branch, map[string]any{"sha": sha, "force": false}), nil)
	return n, true, p.refOutcome(err)
}

// bad says what is wrong with the file.
func (p *pulls) bad(err error) error {
	if err == nil {
		return nil
	}
	return p.Credentials.fault("file %s of repository %s, branch %s, takes no statement: %v", p.Path, p.Repository, p.Base, err)
}

// write writes the file, with its tree and a commit that nothing refers to yet.
func (p *pulls) write(ctx context.Context, tree, mode, from string, n Next, parents ...string) (sha string, err error) {
	if mode == "" {
		mode = plainFile
	}
	var made struct{ SHA string }
	err = p.post(ctx, "/git/trees", map[string]any{"base_tree": tree, "tree": []map[string]string{{"path": p.Path, "mode": mode,
		"type": "blob", "content": string(n.After)}}}, &made)
	if err != nil {
		return "", err
	}
	message := MessageOf(n.Added) + Stamp{from, made.SHA}.String()
	if _, ok := StampOf(message); !ok {
		return "", fmt.Errorf("%w: GitHub's answer cannot be read", heal.ErrFinal)
	}
	err = p.post(ctx, "/git/commits", map[string]any{"message": message, "tree": made.SHA, "parents": parents}, &made)
	return made.SHA, err
}

// refOutcome tells from each other why a branch cannot be moved.
func (p *pulls) refOutcome(err error) error {
	r := refusal{}
	switch {
	case !errors.As(err, &r):
		return err
	case r.says("already exists"), r.says("not a fast forward"), r.says("does not exist"):
		return errMoved
	case r.says("rule"), r.says("protected"):
		return p.Credentials.fault("a rule of repository %s keeps the credentials %s from branch %s (%d: %s); let them make "+
			"and move branches %s*", p.Repository, p.Credentials.place(), p.Branch, r.status, r.words, decide.Branches)
	}
	return err
}

// say opens the request, or makes the open one say what it asks for now. A text that a person has
// changed is theirs.
func (p *pulls) say(ctx context.Context, n Next, open *pull, changed bool) (Request, error) {
	title, text := p.Text(n.Whole)
	body := Sealed(title, text)
	if open != nil {
		result := Waiting
		if open.Body != body && Untouched(open.Title, open.Body) {
			result = Updated
			if err := p.do(ctx, p.to(http.MethodPatch, fmt.Sprintf("/pulls/%d", open.Number), map[string]string{"title": title,
				"body": body}), nil); err != nil {
				return Request{}, err
			}
		}
		if changed {
			result = Updated
		}
		return open.result(result, p.Branch), nil
	}
	var made pull
	err := p.post(ctx, "/pulls", map[string]any{"title": title, "body": body, "head": p.Branch, "base": p.Base}, &made)
	if r := (refusal{}); errors.As(err, &r) && (r.says("already exists") || r.says("no commits between")) {
		return Request{}, errMoved
	}
	if err != nil {
		return Request{}, err
	}
	if made.Number <= 0 {
		return Request{}, fmt.Errorf("%w: GitHub's answer cannot be read", heal.ErrFinal)
	}
	made.page = p.pageOf(made.Number)
	return made.result(Opened, p.Branch), nil
}

// pull is a pull request as GitHub describes one.
type pull struct {
	Number int64  `json:"number"`
	State  string `json:"state"`
	Merged string `json:"merged_at"`
	Title  string `json:"title"`
	Body   string `json:"body"`
	Head   struct {
		Ref  string `json:"ref"`
		Repo *struct {
			Name string `json:"full_name"`
		} `json:"repo"`
	} `json:"head"`
	Base struct {
		Ref string `json:"ref"`
	} `json:"base"`
	page string
}

func (q *pull) result(r Result, branch string) Request {
	if q == nil {
		return Request{Result: r, Branch: branch}
	}
	return Request{Result: r, Number: fmt.Sprint(q.Number), URL: q.page, Branch: branch}
}

// earlier is the newest request from the branch to the base; nil if there is none.
func (p *pulls) earlier(ctx context.Context) (*pull, error) {
	owner, _, _ := strings.Cut(p.Repository, "/")
	q := url.Values{"state": {"all"}, "head": {owner + ":" + p.Branch}, "base": {p.Base}, "sort": {"created"},
		"direction": {"desc"}, "per_page": {"10"}}
	var list []pull
	if err := p.get(ctx, "/pulls?"+q.Encode(), &list); err != nil {
		return nil, err
	}
	for _, one := range list {
		// A fork may have a branch of this name, too.
		if one.Head.Ref == p.Branch && one.Base.Ref == p.Base && one.Number > 0 && one.Head.Repo != nil &&
			strings.EqualFold(one.Head.Repo.Name, p.Repository) {
			one.page = p.pageOf(one.Number)
			return &one, nil
		}
	}
	return nil, nil
}

// pageOf is made here: an answer's own address could lead anywhere.
func (p *pulls) pageOf(number int64) string {
	return fmt.Sprintf("https://%s/%s/pull/%d", p.Credentials.Host, p.Repository, number)
}

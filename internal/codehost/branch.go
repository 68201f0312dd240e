package codehost

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/lazyregexp"
	"github.com/buildmedic/buildmedic/internal/policyfile"
)

// commit is a commit as GitHub describes one.
type commit struct {
	SHA     string `json:"sha"`
	Message string `json:"message"`
	Tree    struct {
		SHA string `json:"sha"`
	} `json:"tree"`
	Parents []struct {
		SHA string `json:"sha"`
	} `json:"parents"`
}

// mine reads a branch, and gives its newest commit and the commit of the base that it was merged
// with last. from is "" if not all of the branch is Buildmedic's: if a commit on the way to the base
// has another tree than its own message names, or a parent that is neither such nor the base.
func (p *pulls) mine(ctx context.Context, head string) (newest commit, from string, err error) {
	left, seen := []string{head}, map[string]bool{}
	for len(left) > 0 {
		sha := left[0]
		if left = left[1:]; seen[sha] {
			continue
		}
		if seen[sha] = true; len(seen) > MaxChain {
			return newest, "", nil
		}
		c, err := p.commit(ctx, sha)
		if err != nil {
			return newest, "", err
		}
		s, ok := StampOf(c.Message)
		if !ok || c.Tree.SHA != s.Content || len(c.Parents) == 0 {
			return newest, "", nil
		}
		if sha == head {
			newest, from = c, s.Base
		}
		for _, parent := range c.Parents {
			if parent.SHA != s.Base {
				left = append(left, parent.SHA)
			}
		}
	}
	return newest, from, nil
}

func (p *pulls) commit(ctx context.Context, sha string) (c commit, err error) {
	if err = p.get(ctx, "/git/commits/"+sha, &c); err == nil && (c.SHA != sha || !isObject(c.Tree.SHA)) {
		err = fmt.Errorf("%w: GitHub's answer cannot be read", heal.ErrFinal)
	}
	return c, err
}

// tip is a branch's newest commit; heal.ErrNotFound if there is no such branch.
func (p *pulls) tip(ctx context.Context, branch string) (string, error) {
	var ref struct {
		Object struct{ SHA string }
	}
	err := p.get(ctx, "/git/ref/heads/"+branch, &ref)
	if r := (refusal{}); errors.As(err, &r) && r.status == http.StatusConflict {
		return "", p.Credentials.fault("repository %s is empty: it needs a first commit", p.Repository)
	}
	if err == nil && !isObject(ref.Object.SHA) {
		err = fmt.Errorf("%w: GitHub's answer cannot be read", heal.ErrFinal)
	}
	return ref.Object.SHA, err
}

// Modes of git's trees.
const (
	plainFile = "100644"
	program   = "100755"
	folder    = "040000"
	link      = "120000"
	submodule = "160000"
)

// file reads the file in a tree, folder by folder: a link on the way would be followed by GitHub
// unseen, and be replaced by a file when that is written.
func (p *pulls) file(ctx context.Context, tree string) (File, error) {
	parts := strings.Split(p.Path, "/")
	for i, part := range parts {
		e, err := p.entry(ctx, tree, part)
		if err != nil || e == nil {
			return File{}, err
		}
		at, last := strings.Join(parts[:i+1], "/"), i == len(parts)-1
		switch {
		case e.Mode == folder && !last:
			tree = e.SHA
		case (e.Mode == plainFile || e.Mode == program) && last:
			return p.blob(ctx, *e)
		case e.Mode == link:
			return File{}, p.wrongPath(at, "is a symbolic link; name the file that it leads to")
		case e.Mode == submodule:
			return File{}, p.wrongPath(at, "is a submodule, which is another repository; name that one")
		case last:
			return File{}, p.wrongPath(at, "is a folder; name the policy document")
		default:
			return File{}, p.wrongPath(at, "is a file, and no folder")
		}
	}
	return File{}, nil
}

func (p *pulls) wrongPath(at, what string) error {
	return p.Credentials.fault("%s in repository %s %s", at, p.Repository, what)
}

// entry is what a folder holds under a name.
type entry struct {
	Path, Mode, SHA string
	Size            int64
}

// entry finds a name in a folder; nil if it is not there.
func (p *pulls) entry(ctx context.Context, tree, name string) (*entry, error) {
	var t struct {
		Tree      []entry
		Truncated bool
	}
	if err := p.get(ctx, "/git/trees/"+tree, &t); err != nil {
		return nil, err
	}
	for _, e := range t.Tree {
		if e.Path == name {
			if !isObject(e.SHA) {
				return nil, fmt.Errorf("%w: GitHub's answer cannot be read", heal.ErrFinal)
			}
			return &e, nil
		}
	}
	if t.Truncated {
		return nil, p.Credentials.fault("a folder on the way to %s in repository %s holds more than GitHub lists", p.Path,
			p.Repository)
	}
	return nil, nil
}

func (p *pulls) blob(ctx context.Context, e entry) (File, error) {
	if e.Size > policyfile.MaxFile {
		return File{}, p.bad(fmt.Errorf("it has %d bytes, and %d are the most that is read of a policy", e.Size,
			policyfile.MaxFile))
	}
	var b struct{ Content, Encoding string }
	if err := p.get(ctx, "/git/blobs/"+e.SHA, &b); err != nil {
		return File{}, err
	}
	text, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(b.Content, "\n", ""))
	if err != nil || b.Encoding != "base64" {
		return File{}, fmt.Errorf("%w: GitHub's answer cannot be read", heal.ErrFinal)
	}
	return File{e.SHA, e.Mode, append([]byte{}, text...)}, nil
}

func (p *pulls) to(method, rest string, body any) call {
	return call{method, "/repos/" + p.Repository + rest, body, p.Repository, writePulls}
}

func (p *pulls) get(ctx context.Context, rest string, out any) error {
	return p.do(ctx, p.to(http.MethodGet, rest, nil), out)
}

func (p *pulls) post(ctx context.Context, rest string, body, out any) error {
	return p.do(ctx, p.to(http.MethodPost, rest, body), out)
}

var (
	objectName = lazyregexp.New(`^(?:[0-9a-f]{40}|[0-9a-f]{64})$`)
	branchName = lazyregexp.New(`^[A-Za-z0-9_][A-Za-z0-9._+@=/-]{0,199}$`)
)

func isObject(sha string) bool { return objectName.MatchString(sha) }

// isBranch reports whether a branch has a name that needs no quotes in an address.
func isBranch(name string) bool { return branchName.MatchString(name) && !strings.Contains(name, "..") }

package codehost_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/codehost"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/simaws"
)

const (
	repository = "example/shop"
	policyPath = "aws/iam-policy-codebuild.json"
	foreign    = `{ "Sid": "Logs", "Effect": "Allow", "Action": "logs:*", "Resource": "*" }`
	policy     = "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n    " + foreign + "\n  ]\n}\n"
)

var branch = decide.RequestBranch("shop", "shop-image", "github.com/example/shop", policyPath)

func push(name string) iampolicy.Statement {
	return iampolicy.Allow("shop-image", []string{"ecr:PutImage"},
		[]string{"arn:aws:ecr:eu-west-1:111122223333:repository/" + name})
}

// change asks for a push to repositories.
func change(names ...string) codehost.Change {
	c := codehost.Change{Repository: repository, Path: policyPath, Branch: branch,
		Text: func(d codehost.Difference) (title, body string) {
			body = "adds"
			for _, s := range d.Added {
				body += " " + strings.Join(s.Resource.List, " ")
			}
			return "Allow it", body
		}}
	for _, n := range names {
		c.Statements = append(c.Statements, push(n))
	}
	return c
}

// hosted is a simulated GitHub with the policy file on main.
func hosted(t *testing.T, secret string, g simaws.GitHub) *bench {
	t.Helper()
	g.Permissions = append(g.Permissions, "contents")
	b := open(t, secret, g)
	b.sim.Push(repository, "main", "first", map[string]*simaws.GitFile{policyPath: {Text: policy},
		"main.go": {Text: "package main"}})
	return b
}

func (b *bench) propose(c codehost.Change) codehost.Request {
	b.Helper()
	r, err := b.github.Propose(b.Context(), c)
	if b.safe(err) != nil {
		b.Fatal(err)
	}
	return r
}

// on is the policy file on a branch.
func (b *bench) on(branch string) string { return b.sim.FileAt(repository, branch, policyPath) }

func (b *bench) holds(branch string, names ...string) {
	b.Helper()
	text := b.on(branch)
	if !strings.Contains(text, foreign) {
		b.Errorf("branch %s has lost the foreign statement:\n%s", branch, text)
	}
	for _, n := range []string{"shop", "site", "docs"} {
		if want := slices.Contains(names, n); want != strings.Contains(text, "repository/"+n+`"`) {
			b.Errorf("branch %s: %s is there: %v\n%s", branch, n, !want, text)
		}
	}
}

// TestPropose: a branch with one commit on the base, and a request of it; asked for again, the same;
// more is added to the same. With an App as with a token.
func TestPropose(t *testing.T) {
	withApp, secret := app(t)
	for name, b := range map[string]*bench{"token": hosted(t, token, good()), "app": hosted(t, secret, withApp)} {
		b.T = t
		main := b.sim.Branches(repository)["main"]
		r := b.propose(change("shop"))
		if r != (codehost.Request{Result: codehost.Opened, Number: "101", URL: "https://github.com/example/shop/pull/101",
			Branch: branch}) {
			t.Fatalf("%s: %+v", name, r)
		}
		b.holds(branch, "shop")
		if now := b.sim.Branches(repository); len(now) != 2 || now["main"] != main {
			t.Errorf("%s: branches %v", name, now)
		}
		if again := b.propose(change("shop")); again.Result != codehost.Waiting || again.Number != r.Number {
			t.Errorf("%s: again: %+v", name, again)
		}
		if more := b.propose(change("site")); more.Result != codehost.Updated || more.Number != r.Number {
			t.Errorf("%s: more: %+v", name, more)
		}
		b.holds(branch, "shop", "site")
		all := b.sim.PullRequests()
		if len(all) != 1 || all[0].Edits != 1 || !strings.HasPrefix(all[0].Body, "adds arn:aws:ecr:eu-west-1:111122223333:"+
			"repository/shop arn:aws:ecr:eu-west-1:111122223333:repository/site\n\n<!-- buildmedic ") || all[0].Base != "main" {
			t.Errorf("%s: %+v", name, all)
		}
		if !b.sim.ClosePull(101, true) {
			t.Errorf("%s: it cannot be merged", name)
		}
		b.holds("main", "shop", "site")
		if landed := b.propose(change("shop")); landed.Result != codehost.Landed {
			t.Errorf("%s: after it was merged: %+v", name, landed)
		}
	}
}

// TestNewPolicyFile: a file that is not there is made, with its folder.
func TestNewPolicyFile(t *testing.T) {
	b := hosted(t, token, good())
	c := change("shop")
	c.Path, c.Base = "iam/new.json", "main"
	if r := b.propose(c); r.Result != codehost.Opened {
		t.Errorf("%+v", r)
	}
	want := string(iampolicy.Document{Statements: []iampolicy.Statement{push("shop")}}.Canonical())
	want = strings.Replace(want, "shop-image", "ShopImage", 1)
	if got := b.sim.FileAt(repository, branch, "iam/new.json"); got != want {
		t.Errorf("got %s", got)
	}
	b.holds(branch)
}

// TestMergedAnew: when the base's file has changed since, the branch is merged with it, without
// force; what it asked for before stays in it, and what was taken out of the base stays out.
func TestMergedAnew(t *testing.T) {
	b := hosted(t, token, good())
	b.propose(change("shop"))
	changed := strings.Replace(policy, foreign, foreign+",\n    "+
		`{ "Effect": "Deny", "Action": "iam:*", "Resource": "*" }`, 1)
	b.sim.Push(repository, "main", "deny", map[string]*simaws.GitFile{policyPath: {Text: changed}, "other": {Text: "x"}})
	if r := b.propose(change("site")); r.Result != codehost.Updated {
		t.Errorf("%+v", r)
	}
	b.holds(branch, "shop", "site")
	if !strings.Contains(b.on(branch), `"iam:*"`) || b.sim.FileAt(repository, branch, "other") != "x" {
		t.Errorf("the base's change is not on the branch:\n%s", b.on(branch))
	}
	if r := b.propose(change("site", "shop")); r.Result != codehost.Waiting {
		t.Errorf("again: %+v", r)
	}
	if r := b.propose(change("docs")); r.Result != codehost.Updated {
		t.Errorf("more after it: %+v", r)
	}
	if !b.sim.ClosePull(101, true) {
		t.Fatal("it cannot be merged")
	}
	b.holds("main", "shop", "site", "docs")
}

// TestChangedBetween: what somebody does between what is read and what is written is seen, and
// nothing of it is lost.
func TestChangedBetween(t *testing.T) {
	t.Run("the branch", func(t *testing.T) {
		b := hosted(t, token, good())
		b.propose(change("shop"))
		b.before("UpdateRef", func() {
			b.sim.Push(repository, branch, "mine", map[string]*simaws.GitFile{"x": {Text: "x"}})
		})
		if r := b.propose(change("site")); r.Result != codehost.Edited || r.Number != "101" {
			t.Errorf("%+v", r)
		}
		b.holds(branch, "shop")
	})
	t.Run("another of us", func(t *testing.T) {
		b := hosted(t, token, good())
		b.before("CreateRef", func() { b.propose(change("site")) })
		if r := b.propose(change("shop")); r.Result != codehost.Updated || len(b.sim.PullRequests()) != 1 {
			t.Errorf("%+v, %+v", r, b.sim.PullRequests())
		}
		b.holds(branch, "shop", "site")
	})
	t.Run("the request", func(t *testing.T) {
		b := hosted(t, token, good())
		b.before("CreatePullRequest", func() { b.sim.OpenPull(repository, branch, "main", false) })
		if r := b.propose(change("shop")); r.Result != codehost.Waiting || len(b.sim.PullRequests()) != 1 {
			t.Errorf("%+v, %+v", r, b.sim.PullRequests())
		}
	})
	t.Run("again and again", func(t *testing.T) {
		b := hosted(t, token, good())
		b.sim.Hook(func(c simaws.Call) simaws.Fault {
			if c.Operation == "CreateRef" {
				return simaws.Fault{Code: "exists", Status: 422, Message: "Reference already exists"}
			}
			return simaws.Fault{}
		})
		if _, err := b.github.Propose(t.Context(), change("shop")); !errors.Is(b.safe(err), heal.ErrLater) {
			t.Errorf("%v", err)
		}
	})
}

// before does something once, as an operation's request arrives.
func (b *bench) before(operation string, do func()) {
	done := false
	b.sim.Hook(func(c simaws.Call) simaws.Fault {
		if c.Operation == operation && !done && !c.Done {
			done = true
			do()
		}
		return simaws.Fault{}
	})
}

// TestHalfDone: whatever call of it is the last that GitHub gets, the next time finishes it, with one
// branch and one request.
func TestHalfDone(t *testing.T) {
	for _, lost := range []bool{false, true} {
		for _, operation := range []string{"CreateTree", "CreateCommit", "CreateRef", "CreatePullRequest"} {
			b := hosted(t, token, good())
			broken := true
			b.sim.Hook(func(c simaws.Call) simaws.Fault {
				if c.Operation == operation && broken && c.Done == lost {
					broken = false
					return simaws.Fault{Cut: true}
				}
				return simaws.Fault{}
			})
			if _, err := b.github.Propose(t.Context(), change("shop")); !errors.Is(b.safe(err), heal.ErrLater) {
				t.Errorf("%s: %v", operation, err)
			}
			b.sim.Clock.Advance(time.Hour)
			b.propose(change("shop"))
			b.holds(branch, "shop")
			if n := len(b.sim.PullRequests()); n != 1 || len(b.sim.Branches(repository)) != 2 {
				t.Errorf("%s, lost %v: %d requests, branches %v", operation, lost, n, b.sim.Branches(repository))
			}
		}
	}
}

// TestPersonsBranch: a branch that has anything of a person's is left alone, and said so.
func TestPersonsBranch(t *testing.T) {
	other := map[string]*simaws.GitFile{"main.go": {Text: "package shop"}}
	for name, edit := range map[string]func(b *bench){
		"a commit":       func(b *bench) { b.sim.Push(repository, branch, "mine", other) },
		"an amended one": func(b *bench) { b.sim.Amend(repository, branch, other) },
		"an amended file": func(b *bench) {
			b.sim.Amend(repository, branch, map[string]*simaws.GitFile{policyPath: {Text: "{}"}})
		},
		"a commit's words": func(b *bench) { b.sim.Push(repository, branch, "Buildmedic-Base: x", other) },
	} {
		b := hosted(t, token, good())
		b.propose(change("shop"))
		edit(b)
		before := b.sim.Branches(repository)
		if r := b.propose(change("site")); r.Result != codehost.Edited || r.URL != "https://github.com/example/shop/pull/101" {
			t.Errorf("%s: %+v", name, r)
		}
		if now := b.sim.Branches(repository); now[branch] != before[branch] || b.sim.PullRequests()[0].Edits != 0 {
			t.Errorf("%s: it was changed", name)
		}
	}
	b := hosted(t, token, good())
	b.sim.Push(repository, branch, "of somebody", other)
	if r := b.propose(change("shop")); r.Result != codehost.Edited || r.URL != "" {
		t.Errorf("a branch without a request: %+v", r)
	}
}

// TestPersonsText: a request's text that a person has changed stays as it is; its branch goes on.
func TestPersonsText(t *testing.T) {
	b := hosted(t, token, good())
	b.propose(change("shop"))
	b.sim.EditPull(101, func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }) // as a browser saves it
	if r := b.propose(change("site")); r.Result != codehost.Updated || b.sim.PullRequests()[0].Edits != 1 {
		t.Errorf("line ends of a browser: %+v, %+v", r, b.sim.PullRequests())
	}
	b.sim.EditPull(101, func(s string) string { return "Please hurry. " + s })
	if r := b.propose(change("docs")); r.Result != codehost.Updated || b.sim.PullRequests()[0].Edits != 1 {
		t.Errorf("%+v, %+v", r, b.sim.PullRequests())
	}
	b.holds(branch, "shop", "site", "docs")
}

// TestDeclined: what was closed unmerged is not asked for again, even when its branch is gone. What
// was merged and taken out again is, from another branch. A fork's request counts for nothing.
func TestDeclined(t *testing.T) {
	b := hosted(t, token, good())
	b.sim.OpenPull(repository, branch, "main", true)
	r := b.propose(change("shop"))
	if r.Result != codehost.Opened || r.Number != "102" {
		t.Fatalf("beside a fork's: %+v", r)
	}
	b.sim.ClosePull(102, false)
	b.sim.DeleteBranch(repository, branch)
	writes := len(b.sim.Exchanges())
	if r := b.propose(change("shop", "site")); r.Result != codehost.Declined || r.Number != "102" {
		t.Errorf("%+v", r)
	}
	for _, e := range b.sim.Exchanges()[writes:] {
		if e.Method != http.MethodGet {
			t.Errorf("it made %s %s", e.Method, e.Path)
		}
	}
	if other := decide.RequestBranch("shop", "shop-image, changed", "github.com/example/shop", policyPath); other == branch {
		t.Error("another grant is asked for from the same branch")
	}

	b = hosted(t, token, good())
	b.propose(change("shop"))
	b.sim.ClosePull(101, true)
	b.sim.Push(repository, "main", "revert", map[string]*simaws.GitFile{policyPath: {Text: policy}})
	if r := b.propose(change("shop")); r.Result != codehost.Opened || r.Branch != branch+"-2" || r.Number != "102" {
		t.Errorf("after it was taken out again: %+v", r)
	}
	b.holds(branch+"-2", "shop")
}

// unfiltered is a code host that lists the requests of all branches.
type unfiltered struct{ http.RoundTripper }

func (u unfiltered) RoundTrip(r *http.Request) (*http.Response, error) {
	if q := r.URL.Query(); q.Has("head") {
		q.Del("head")
		r.URL.RawQuery = q.Encode()
	}
	return u.RoundTripper.RoundTrip(r)
}

// TestOnlyItsRequest: a request of another branch, or of a fork, is none of Buildmedic's, though the
// code host lists it.
func TestOnlyItsRequest(t *testing.T) {
	b := hosted(t, token, good())
	b.github.HTTP = unfiltered{b.github.HTTP}
	b.sim.OpenPull(repository, branch, "main", true)
	b.sim.OpenPull(repository, "main", "main", false)
	b.sim.ClosePull(101, false)
	if r := b.propose(change("shop")); r.Result != codehost.Opened || r.Number != "103" {
		t.Errorf("%+v", r)
	}
}

// TestBadRepository: what cannot be done is said with what to do, and nothing is written.
func TestBadRepository(t *testing.T) {
	base := good()
	for _, row := range []struct {
		name  string
		files map[string]*simaws.GitFile
		host  func(*simaws.GitHub)
		c     func(*codehost.Change)
		want  string
	}{
		{"not JSON", map[string]*simaws.GitFile{policyPath: {Text: "resource {"}}, nil, nil,
			"file " + policyPath + " of repository example/shop, branch main, takes no statement: line 1:1: invalid character 'r'"},
		{"large", map[string]*simaws.GitFile{policyPath: {Text: strings.Repeat(" ", 300000)}}, nil, nil, "it has 300000 bytes"},
		{"a link", map[string]*simaws.GitFile{policyPath: {Mode: "120000", Text: "../x.json"}}, nil, nil, "is a symbolic link"},
		{"a linked folder", map[string]*simaws.GitFile{policyPath: nil, "aws": {Mode: "120000", Text: "iam"}}, nil, nil,
			"aws in repository example/shop is a symbolic link"},
		{"a submodule", map[string]*simaws.GitFile{policyPath: nil, "aws": {Mode: "160000", Text: "x"}}, nil, nil,
			"is a submodule"},
		{"a folder", nil, nil, func(c *codehost.Change) { c.Path = "aws" }, "aws in repository example/shop is a folder"},
		{"a file for a folder", nil, nil, func(c *codehost.Change) { c.Path = "main.go/p.json" },
			"main.go in repository example/shop is a file"},
		{"no branch", nil, nil, func(c *codehost.Change) { c.Base = "trunk" },
			`there is no branch "trunk" in repository example/shop`},
		{"a rule", nil, func(g *simaws.GitHub) { g.Rules = []string{"buildmedic/"} }, nil,
			"a rule of repository example/shop keeps the credentials in secret buildmedic/github from branch " + branch},
		{"renamed", nil, func(g *simaws.GitHub) { g.Moved = []string{repository} }, nil,
			"has another name now, and redirects are not followed"},
		{"no rights", nil, func(g *simaws.GitHub) { g.Permissions = []string{"pull_requests"} }, nil,
			"need the repository and the permission Contents: Read and write and Pull requests: Read and write"},
		{"expired", nil, func(g *simaws.GitHub) { g.Token = "another" }, nil,
			"does not accept the credentials in secret buildmedic/github (401)"},
		{"not shown", nil, func(g *simaws.GitHub) { g.Repositories = nil }, nil,
			"the repository has another name, or the credentials"},
	} {
		b := hosted(t, token, base)
		if row.files != nil {
			b.sim.Push(repository, "main", row.name, row.files)
		}
		if row.host != nil {
			g := base
			g.Permissions = append(slices.Clone(g.Permissions), "contents")
			row.host(&g)
			b.sim.SetGitHub(g)
		}
		c := change("shop")
		if row.c != nil {
			row.c(&c)
		}
		_, err := b.github.Propose(t.Context(), c)
		var fault heal.FaultError
		if b.safe(err) == nil || !errors.As(err, &fault) || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v, want %q", row.name, err, row.want)
		}
		if len(b.sim.PullRequests()) > 0 || len(b.sim.Branches(repository)) > 1 {
			t.Errorf("%s: something was written", row.name)
		}
	}
	b := open(t, token, good())
	g := good()
	g.Permissions = append(g.Permissions, "contents")
	b.sim.SetGitHub(g)
	if _, err := b.github.Propose(t.Context(), change("shop")); err == nil ||
		!strings.Contains(err.Error(), "is empty: it needs a first commit") {
		t.Errorf("an empty repository: %v", err)
	}
}

// TestLaterPull: a host that is down, or limits how often it is asked, is asked again later.
func TestLaterPull(t *testing.T) {
	for _, f := range []simaws.Fault{{Code: "down", Status: 502}, {Throttle: true}} {
		b := hosted(t, token, good())
		b.sim.Hook(func(c simaws.Call) simaws.Fault {
			if c.Operation == "CreateTree" {
				return f
			}
			return simaws.Fault{}
		})
		if _, err := b.github.Propose(t.Context(), change("shop")); !errors.Is(b.safe(err), heal.ErrLater) {
			t.Errorf("%+v: %v", f, err)
		}
	}
}

// TestCommits: what a commit says of itself, and how few calls a request costs.
func TestCommits(t *testing.T) {
	b := hosted(t, token, good())
	b.propose(change("shop"))
	var writes []string
	for _, e := range b.sim.Exchanges() {
		if e.Method != http.MethodGet {
			writes = append(writes, e.Path)
		}
		if strings.HasSuffix(e.Path, "/git/commits") && !strings.Contains(string(e.Request), fmt.Sprintf(
			`"message":"Allow ecr:PutImage\n\nBuildmedic-Base: %s\nBuildmedic-Content: `, b.sim.Branches(repository)["main"])) {
			t.Errorf("commit: %s", e.Request)
		}
	}
	if len(writes) != 4 || len(b.sim.Exchanges()) != 12 {
		t.Errorf("%d calls, of which these write: %q", len(b.sim.Exchanges()), writes)
	}
}

// TestBranchOf: a branch's name is made of the project's name and digests, whatever the texts.
func TestBranchOf(t *testing.T) {
	if got := decide.RequestBranch("shop", "a"); got != "buildmedic/shop-"+got[16:] || len(got) != 28 {
		t.Errorf("got %s", got)
	}
	if got := decide.RequestBranch("a/../b c;$(x)", "\n"); strings.ContainsAny(got[11:], "/.; $()\n") {
		t.Errorf("got %s", got)
	}
	if decide.RequestBranch("shop", "a", "bc") == decide.RequestBranch("shop", "ab", "c") {
		t.Error("two grants have one branch")
	}
}

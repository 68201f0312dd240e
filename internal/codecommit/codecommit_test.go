package codecommit_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/smithy-go"

	"github.com/buildmedic/buildmedic/internal/codecommit"
	"github.com/buildmedic/buildmedic/internal/codehost"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/simaws"
)

const (
	repository = "shop"
	policyPath = "aws/iam-policy-codebuild.json"
	foreign    = `{ "Sid": "Logs", "Effect": "Allow", "Action": "logs:*", "Resource": "*" }`
	policy     = "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n    " + foreign + "\n  ]\n}\n"
)

var branch = decide.RequestBranch("shop", "shop-image", "CodeCommit shop", policyPath)

type bench struct {
	*testing.T
	sim   *simaws.Sim
	main  string // its first commit
	repos codecommit.Repositories
}

func open(t *testing.T) *bench {
	t.Helper()
	sim, err := simaws.New(simaws.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sim.Close)
	t.Cleanup(func() {
		if u := sim.Unknown(); len(u) > 0 {
			t.Errorf("the simulated account was asked what it does not know: %q", u)
		}
	})
	cfg := aws.Config{Region: "eu-west-1", BaseEndpoint: aws.String(sim.URL()), HTTPClient: sim.Client(),
		Credentials: credentials.NewStaticCredentialsProvider(simaws.OwnerKey, "secret", ""),
		Retryer:     func() aws.Retryer { return aws.NopRetryer{} }}
	b := &bench{T: t, sim: sim, repos: codecommit.Repositories{Client: sdk.NewFromConfig(cfg), Region: cfg.Region}}
	b.main = sim.PushCodeCommit(repository, "main", "first", map[string]*simaws.GitFile{policyPath: {Text: policy},
		"main.go": {Text: "package main"}})
	return b
}

func (b *bench) push(branch string, files map[string]*simaws.GitFile) {
	b.sim.PushCodeCommit(repository, branch, "of somebody", files)
}

func change(names ...string) codehost.Change {
	c := codehost.Change{Repository: repository, Path: policyPath, Branch: branch,
		Text: func(d codehost.Difference) (title, body string) {
			for _, s := range d.Added {
				body += " " + strings.Join(s.Resource.List, " ")
			}
			return "Allow it", "adds" + body
		}}
	for _, n := range names {
		c.Statements = append(c.Statements, iampolicy.Allow("shop-image", []string{"ecr:PutImage"},
			[]string{"arn:aws:ecr:eu-west-1:111122223333:repository/" + n}))
	}
	return c
}

func (b *bench) propose(c codehost.Change) codehost.Request {
	b.Helper()
	r, err := b.repos.Propose(b.Context(), c)
	if err != nil {
		b.Fatal(err)
	}
	return r
}

func (b *bench) holds(branch string, want ...string) {
	b.Helper()
	text := b.sim.CodeCommitFile(repository, branch, policyPath)
	for _, w := range append(want, foreign) {
		if !strings.Contains(text, w) {
			b.Errorf("branch %s lacks %s:\n%s", branch, w, text)
		}
	}
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

// TestPropose: a branch with one commit and a request of it; the same again; more on the same; and
// once it is merged nothing is left to ask.
func TestPropose(t *testing.T) {
	b := open(t)
	r := b.propose(change("shop"))
	if r.Result != codehost.Opened || r.Number != "7" || r.Branch != branch || !strings.Contains(r.URL,
		"/codecommit/repositories/shop/pull-requests/7/details?region=") {
		t.Fatalf("%+v", r)
	}
	b.holds(branch, "repository/shop")
	if r := b.propose(change("shop")); r.Result != codehost.Waiting || r.Number != "7" {
		t.Errorf("again: %+v", r)
	}
	if r := b.propose(change("site")); r.Result != codehost.Updated || r.Number != "7" {
		t.Errorf("more: %+v", r)
	}
	b.holds(branch, "repository/shop", "repository/site")
	all := b.sim.CodeCommitRequests()
	if len(all) != 1 || all[0].Edits != 1 || !strings.Contains(all[0].Description, "repository/shop arn:") || all[0].Destination != "main" {
		t.Errorf("%+v", all)
	}
	if !b.sim.CloseCodeCommit("7", true) {
		t.Fatal("it cannot be merged")
	}
	if r := b.propose(change("shop", "site")); r.Result != codehost.Landed {
		t.Errorf("after it was merged: %+v", r)
	}
	b.push("main", map[string]*simaws.GitFile{policyPath: {Text: policy}})
	if r := b.propose(change("shop")); r.Result != codehost.Opened || r.Branch != branch+"-2" {
		t.Errorf("after it was taken out again: %+v", r)
	}
}

// TestAmongOthers: the request is found among many, and what was closed unmerged is not asked again.
func TestAmongOthers(t *testing.T) {
	b := open(t)
	b.propose(change("shop"))
	for _, name := range []string{"a", "b", "c", "d"} {
		c := change("shop")
		c.Branch = decide.RequestBranch(name, "x")
		b.propose(c)
	}
	if r := b.propose(change("shop")); r.Result != codehost.Waiting || r.Number != "7" {
		t.Errorf("%+v", r)
	}
	b.sim.CloseCodeCommit("7", false)
	if r := b.propose(change("site")); r.Result != codehost.Declined || r.Number != "7" {
		t.Errorf("%+v", r)
	}
}

// TestHalfDone: whatever call is the last that CodeCommit gets, the next time finishes it, with one
// branch and one request, though the base has moved on.
func TestHalfDone(t *testing.T) {
	for _, lost := range []bool{false, true} {
		for _, operation := range []string{"CreateBranch", "CreateCommit", "CreatePullRequest"} {
			b := open(t)
			broken := true
			b.sim.Hook(func(c simaws.Call) simaws.Fault {
				if c.Operation == operation && broken && c.Done == lost {
					broken = false
					return simaws.Fault{Crash: true}
				}
				return simaws.Fault{}
			})
			if _, err := b.repos.Propose(t.Context(), change("shop")); !errors.Is(err, heal.ErrLater) {
				t.Errorf("%s: %v", operation, err)
			}
			b.sim.Restart()
			b.push("main", map[string]*simaws.GitFile{"main.go": {Text: "package shop"}})
			b.propose(change("shop"))
			b.holds(branch, "repository/shop")
			if all := b.sim.CodeCommitRequests(); len(all) != 1 || !b.sim.CloseCodeCommit(all[0].ID, true) {
				t.Errorf("%s, lost %v: %+v", operation, lost, all)
			}
		}
	}
}

// TestSomebodyElses: nothing of somebody else's is changed: a branch with other commits or files, a
// text that was edited. What comes between is seen.
func TestSomebodyElses(t *testing.T) {
	other := map[string]*simaws.GitFile{"main.go": {Text: "package shop"}}
	b := open(t)
	b.propose(change("shop"))
	b.before("CreateCommit", func() { b.push(branch, other) })
	if r := b.propose(change("site")); r.Result != codehost.Edited || r.Number != "7" {
		t.Errorf("a commit between: %+v", r)
	}
	b = open(t)
	b.push(branch, other)
	if r := b.propose(change("shop")); r.Result != codehost.Edited || len(b.sim.CodeCommitRequests()) > 0 {
		t.Errorf("a branch of somebody's: %+v", r)
	}
	for name, files := range map[string]map[string]*simaws.GitFile{"the file": {policyPath: {Text: policy}}, "another": other} {
		b = open(t)
		b.propose(change("shop"))
		s := codehost.Stamp{Base: b.main, Content: digest(b.sim.CodeCommitFile(repository, branch, policyPath))}
		b.sim.PushCodeCommit(repository, branch, "as ours"+s.String(), files)
		if r := b.propose(change("site")); r.Result != codehost.Edited {
			t.Errorf("%s is changed by a commit with our own stamp: %+v", name, r)
		}
	}
	b = open(t)
	b.propose(change("shop"))
	b.push("main", map[string]*simaws.GitFile{policyPath: {Text: strings.Replace(policy, "logs:*", "logs:Put*", 1)}})
	if r := b.propose(change("site")); r.Result != codehost.Behind || r.Number != "7" {
		t.Errorf("the base's file has changed: %+v", r)
	}
	if r := b.propose(change("shop")); r.Result != codehost.Waiting {
		t.Errorf("and nothing more is asked: %+v", r)
	}
}

// TestBareBranch: a branch on which there is nothing yet goes on from the base as it is now.
func TestBareBranch(t *testing.T) {
	b := open(t)
	b.before("CreateCommit", func() { // as if the first try had ended there
		b.push("main", map[string]*simaws.GitFile{policyPath: {Text: strings.Replace(policy, "logs:*", "logs:Put*", 1)}})
	})
	broken := true
	b.sim.Hook(func(c simaws.Call) simaws.Fault {
		if c.Operation == "CreateCommit" && broken {
			broken = false
			return simaws.Fault{Cut: true}
		}
		return simaws.Fault{}
	})
	if _, err := b.repos.Propose(t.Context(), change("shop")); !errors.Is(err, heal.ErrLater) {
		t.Errorf("%v", err)
	}
	b.propose(change("shop"))
	if file := b.sim.CodeCommitFile(repository, branch, policyPath); !strings.Contains(file, "logs:Put*") ||
		!strings.Contains(file, "repository/shop") || !b.sim.CloseCodeCommit("7", true) {
		t.Errorf("it cannot be merged:\n%s", file)
	}
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// TestTrouble: what cannot be done is said with what to do, and no request is opened.
func TestTrouble(t *testing.T) {
	for _, row := range []struct {
		name  string
		files map[string]*simaws.GitFile
		fault simaws.Fault
		c     func(*codehost.Change)
		want  string
	}{
		{"not JSON", map[string]*simaws.GitFile{policyPath: {Text: "resource {"}}, simaws.Fault{}, nil,
			"file " + policyPath + " of repository shop, branch main, takes no statement: line 1:1"},
		{"large", map[string]*simaws.GitFile{policyPath: {Text: strings.Repeat(" ", 300000)}}, simaws.Fault{}, nil,
			"more than the 262144 bytes"},
		{"a link", map[string]*simaws.GitFile{policyPath: {Mode: "120000", Text: "x"}}, simaws.Fault{}, nil, "is a symbolic link"},
		{"a linked folder", map[string]*simaws.GitFile{policyPath: nil, "aws": {Mode: "120000", Text: "x"}}, simaws.Fault{}, nil,
			"is no place for a file"},
		{"a submodule", map[string]*simaws.GitFile{policyPath: nil, "aws": {Mode: "160000", Text: "x"}}, simaws.Fault{}, nil,
			"is no place for a file"},
		{"a folder", nil, simaws.Fault{}, func(c *codehost.Change) { c.Path = "aws" }, "is no place for a file"},
		{"no branch", nil, simaws.Fault{}, func(c *codehost.Change) { c.Base = "trunk" },
			`there is no branch "trunk" in repository shop`},
		{"no repository", nil, simaws.Fault{}, func(c *codehost.Change) { c.Repository = "site" },
			"there is no repository site in CodeCommit"},
		{"its key", nil, simaws.Fault{Code: "EncryptionKeyAccessDeniedException", Message: "no"}, nil,
			"the key that repository shop is encrypted with cannot be used (EncryptionKeyAccessDeniedException: no)"},
	} {
		b := open(t)
		if row.files != nil {
			b.push("main", row.files)
		}
		c := change("shop")
		if row.c != nil {
			row.c(&c)
		}
		b.sim.Hook(func(c simaws.Call) simaws.Fault {
			if c.Operation == "CreateBranch" {
				return row.fault
			}
			return simaws.Fault{}
		})
		_, err := b.repos.Propose(t.Context(), c)
		if fault := (heal.FaultError{}); !errors.As(err, &fault) || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v, want %q", row.name, err, row.want)
		}
		if len(b.sim.CodeCommitRequests()) > 0 {
			t.Errorf("%s: a request was opened", row.name)
		}
	}
}

// TestDenied: what IAM denies is as the SDK has it, for whoever can say more about the caller.
func TestDenied(t *testing.T) {
	b := open(t)
	b.sim.Hook(func(c simaws.Call) simaws.Fault {
		if c.Operation == "CreateBranch" {
			return simaws.Fault{Code: "AccessDeniedException", Message: "User: u is not authorized to perform: codecommit:CreateBranch"}
		}
		return simaws.Fault{}
	})
	_, err := b.repos.Propose(t.Context(), change("shop"))
	var api smithy.APIError
	var fault heal.FaultError
	if !errors.As(err, &api) || api.ErrorCode() != "AccessDeniedException" || errors.As(err, &fault) || errors.Is(err, heal.ErrFinal) {
		t.Errorf("%v", err)
	}
}

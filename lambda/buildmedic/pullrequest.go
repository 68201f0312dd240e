package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/service/codecommit"

	"github.com/buildmedic/buildmedic/internal/codecommit"
	"github.com/buildmedic/buildmedic/internal/codehost"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/notice"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// codeHosts is how code hosts are reached: a test puts a simulated one here.
var codeHosts http.RoundTripper = http.DefaultTransport

// tokenVariable is a token in an environment variable, as the user's own secret.
type tokenVariable struct{ name string }

// Secret implements [codehost.Secrets].
func (e tokenVariable) Secret(context.Context, string) (string, error) { return os.Getenv(e.name), nil }

// tokenFor finds the user's token for a host, where GitHub's own command looks for it.
func tokenFor(host string) (tokenVariable, error) {
	names := []string{"GH_TOKEN", "GITHUB_TOKEN"}
	if host != "github.com" && !strings.HasSuffix(host, ".ghe.com") {
		names = []string{"GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN"}
	}
	for _, n := range names {
		if os.Getenv(n) != "" {
			return tokenVariable{n}, nil
		}
	}
	return tokenVariable{}, fmt.Errorf("there is no token for %s: set %s to one of yours that may write contents and pull "+
		"requests of the repository", host, names[1])
}

// pullRequests asks, in code, for what the case's plan gives: one request for each grant.
func (r replay) pullRequests(ctx context.Context, c decide.Case) error {
	round := c.Rounds[0]
	d := round.Decision
	s := r.desk.healer.Settings
	p, _ := s.Project(c.Project, c.Account, c.Region, r.desk.home)
	if d == nil || d.Plan == nil || d.Plan.Write == nil {
		fmt.Fprintln(r.talk, "Nothing is granted, so there is nothing to ask for.")
		return r.result(c)
	}
	p = p.ForRole(d.Plan.Changes().Name) // each role's policy has a file of its own
	if d.Plan.Write.Kind != guardrail.Code {
		return fmt.Errorf("the settings write what project %s is granted to IAM; to ask for it in code, say write: {code: {…}}",
			p.Name)
	}
	propose, err := r.proposer(p)
	if err != nil {
		return err
	}
	if !r.yes && !r.asked() {
		fmt.Fprintln(r.talk, "Nothing was changed.")
		return r.result(c)
	}
	for _, u := range d.Used {
		g, ok := s.Grant(u.Grant)
		if !ok {
			return fmt.Errorf("the settings have no grant %q", u.Grant)
		}
		o := decide.Outcome{Kind: decide.Reported, Case: c, Settings: s, Home: r.desk.home, At: deskClock.Now()}
		o.Case.ID = "" // it is in no ledger
		change := changeFor(o, p, g, u.Statements)
		got, err := propose(ctx, change)
		if err != nil {
			return err
		}
		fmt.Fprintf(r.talk, "grant %s: %s\n", g.ID, requestWords(got, change.Path))
	}
	return r.result(c)
}

// proposer finds how requests are opened in the repository that the project names: in CodeCommit, with
// the credentials that the build was read with.
func (r replay) proposer(p settings.Project) (func(context.Context, codehost.Change) (codehost.Request, error), error) {
	if p.Write.Code.CodeCommit != "" {
		cfg := r.desk.cfg.Copy()
		if p.Region != "" {
			cfg.Region = p.Region
		}
		return codecommit.Repositories{Client: sdk.NewFromConfig(cfg), Region: cfg.Region}.Propose, nil
	}
	host := r.desk.healer.Settings.GitHubHost()
	token, err := tokenFor(host)
	if err != nil {
		return nil, err
	}
	g := &codehost.GitHub{Home: r.desk.home, HTTP: codeHosts, Clock: deskClock, Credentials: &codehost.Credentials{Host: host,
		Secret: token.name, Place: "in " + token.name, Secrets: token, Clock: deskClock}}
	return g.Propose, nil
}

// changeFor is what a grant's request asks for.
func changeFor(o decide.Outcome, p settings.Project, g settings.Grant, sts []iampolicy.Statement) codehost.Change {
	q := decide.RequestFor(o.Settings, p, p.Write.Code, g, o.Case.Rounds[0].Build)
	what := notice.PolicyFile{Path: q.Path, Grant: g.ID}
	return codehost.Change{Repository: q.Repository, Path: q.Path, Base: q.Base, Branch: q.Branch,
		Statements: sts,
		Text: func(d codehost.Difference) (title, body string) {
			what.New, what.Added = d.Before == nil, d.Added
			return notice.PullRequestOf(what, o)
		}}
}

func requestWords(r codehost.Request, path string) string {
	at := strings.TrimSpace(r.URL)
	if at == "" {
		at = "branch " + r.Branch
	}
	switch r.Result {
	case codehost.Opened:
		return "opened " + at
	case codehost.Updated:
		return "brought up to date: " + at
	case codehost.Waiting:
		return "is open already: " + at
	case codehost.Landed:
		return path + " gives it already; what is missing is that it is deployed"
	case codehost.Declined:
		return "was closed unmerged, so it is not asked for again until the grant changes: " + at
	case codehost.Behind:
		return path + " has changed since, so it was left alone: merge or close it, and ask again: " + at
	case codehost.Edited:
		return "has changes by somebody else, so it was left alone: " + at
	}
	return fmt.Sprint(r.Result)
}

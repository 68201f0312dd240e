package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/buildmedic/buildmedic/internal/awsapi"
	"github.com/buildmedic/buildmedic/internal/codehost"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/heal"
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
	return tokenVariable{}, heal.FaultError{Says: fmt.Sprintf("there is no token for %s: set %s to one of yours that may write "+
		"contents and pull requests of the repository", host, names[1])}
}

// ownCode is the code that owns roles' policies, as the user reaches it: GitHub with a token of
// theirs, CodeCommit with the credentials that the build was read with.
type ownCode struct {
	accounts *awsapi.Accounts
	home     settings.Account
	host     string // of GitHub
}

// Propose implements [heal.PolicyCode].
func (o ownCode) Propose(ctx context.Context, at settings.Account, c heal.PolicyChange) (decide.Request, error) {
	code, err := o.reach(c.Code)
	if err != nil {
		return decide.Request{}, err
	}
	return code.Propose(ctx, at, c)
}

// reach finds the credentials that the file's repository takes.
func (o ownCode) reach(c settings.PolicyCode) (awsapi.PolicyCode, error) {
	code := awsapi.PolicyCode{Accounts: o.accounts}
	if c.GitHub == "" {
		return code, nil
	}
	token, err := tokenFor(o.host)
	if err != nil {
		return code, err
	}
	code.GitHub = &codehost.GitHub{Home: o.home, HTTP: codeHosts, Clock: deskClock, Credentials: &codehost.Credentials{Host: o.host,
		Secret: token.name, Place: "in " + token.name, Secrets: token, Clock: deskClock}}
	return code, nil
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
	code, err := r.desk.code.reach(p.Write.Code)
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
		got, err := code.Propose(ctx, settings.AccountOf(round.Build.At()), heal.PolicyChange{Code: p.Write.Code,
			Request: decide.RequestFor(s, p, p.Write.Code, g, round.Build), Statements: u.Statements, Tells: []decide.Outcome{o}})
		if err != nil {
			return err
		}
		fmt.Fprintf(r.talk, "grant %s: %s\n", g.ID, requestWords(got))
	}
	return r.result(c)
}

// requestWords says how it stands with a request.
func requestWords(r decide.Request) string {
	at := strings.TrimSpace(r.URL)
	if at == "" {
		at = "branch " + r.Branch
	}
	switch r.State {
	case decide.RequestOpened:
		return "opened " + at
	case decide.RequestUpdated:
		return "brought up to date: " + at
	case decide.RequestWaiting:
		return "is open already: " + at
	case decide.RequestLanded:
		return r.Path + " gives it already; what is missing is that it is deployed"
	case decide.RequestDeclined:
		return "was closed unmerged, so it is not asked for again until the grant changes: " + at
	case decide.RequestBehind:
		return r.Path + " has changed since, so it was left alone: merge or close it, and ask again: " + at
	case decide.RequestEdited:
		return "has changes by somebody else, so it was left alone: " + at
	}
	return string(r.State)
}

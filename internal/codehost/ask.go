package codehost

import (
	"context"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/notice"
)

// Proposer opens pull requests in repositories: [GitHub], or those of package codecommit.
type Proposer interface {
	Propose(ctx context.Context, c Change) (Request, error)
}

// Ask asks for what a policy is to give, as [heal.PolicyCode] says. Its errors are those of the
// proposer.
func Ask(ctx context.Context, p Proposer, c heal.PolicyChange) (decide.Request, error) {
	got, err := p.Propose(ctx, changeOf(c))
	if err != nil {
		return decide.Request{}, err
	}
	r := c.Request
	r.State, r.Number, r.URL = got.Result, got.Number, got.URL
	return r, nil
}

// changeOf is what is asked for in the policy's file.
func changeOf(c heal.PolicyChange) Change {
	r := c.Request
	return Change{Repository: r.Repository, Path: r.Path, Base: r.Base, Branch: r.Branch, Statements: c.Statements,
		Text: func(d Difference) (title, body string) {
			return notice.PullRequestOf(notice.PolicyFile{Path: r.Path, Grant: r.Grant, New: d.Before == nil, Added: d.Added,
				More: c.More}, c.Tells...)
		}}
}

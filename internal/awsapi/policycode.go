package awsapi

import (
	"cmp"
	"context"

	sdk "github.com/aws/aws-sdk-go-v2/service/codecommit"

	"github.com/buildmedic/buildmedic/internal/codecommit"
	"github.com/buildmedic/buildmedic/internal/codehost"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// PolicyCode is the code that owns roles' policies. In CodeCommit it acts as in every other service of
// the account; at GitHub it has credentials of its own.
type PolicyCode struct {
	Accounts *Accounts
	GitHub   *codehost.GitHub // nil: there are no credentials for it
}

// Propose implements [heal.PolicyCode].
func (p PolicyCode) Propose(ctx context.Context, at settings.Account, c heal.PolicyChange) (decide.Request, error) {
	host, err := p.host(at, c.Code)
	if err != nil {
		return decide.Request{}, err
	}
	r, err := codehost.Ask(ctx, host, c)
	return r, classify(err)
}

// host is where the repository is.
func (p PolicyCode) host(at settings.Account, c settings.PolicyCode) (codehost.Proposer, error) {
	if c.CodeCommit != "" {
		api, err := client(p.Accounts, at, sdk.NewFromConfig)
		return codecommit.Repositories{Client: api, Region: cmp.Or(at.Region, p.Accounts.home.Region)}, err
	}
	if p.GitHub == nil {
		return nil, heal.FaultError{Says: "the settings name no credentials with which a pull request could be opened in " + c.GitHub +
			": add code: {github: {secret: NAME}}, or {parameter: NAME} in its place, and deploy them"}
	}
	return p.GitHub, nil
}

// Package awsapi puts heal's ports on AWS SDK for Go v2: one file per
// service. It decides nothing. What an AWS error means for the healer is
// decided in one place, errors.go.
package awsapi

import (
	"context"
	"fmt"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// Accounts gives SDK configurations for the accounts and regions that
// settings name. The home account uses the configuration it was made with;
// for any other one it assumes the member role there.
type Accounts struct {
	base       aws.Config
	home       settings.Account
	memberRole string
	partition  string

	mu   sync.Mutex
	cfgs map[settings.Account]aws.Config

	clients sync.Map // place[C] → *C
}

// NewAccounts wires the accounts. memberRole is the name, with its path, of
// the role to assume in other accounts; "" if there are none.
func NewAccounts(base aws.Config, home settings.Account, partition, memberRole string) *Accounts {
	return &Accounts{base: base, home: home, memberRole: memberRole, partition: partition, cfgs: map[settings.Account]aws.Config{}}
}

// config gives the configuration for an account and region.
func (a *Accounts) config(at settings.Account) (aws.Config, error) {
	if at.ID == "" || at.ID == a.home.ID {
		cfg := a.base
		if at.Region != "" && at.Region != a.home.Region {
			cfg = a.base.Copy()
			cfg.Region = at.Region
		}
		return cfg, nil
	}
	if a.memberRole == "" {
		return aws.Config{}, fmt.Errorf("account %q is another one than %q, and no member role is configured: deploy "+
			"the member stack and set BUILDMEDIC_MEMBER_ROLE", at.ID, a.home.ID)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if cfg, ok := a.cfgs[at]; ok {
		return cfg, nil
	}
	arn := fmt.Sprintf("arn:%s:iam::%s:role/%s", a.partition, at.ID, a.memberRole)
	cfg := a.base.Copy()
	cfg.Region = at.Region
	cfg.Credentials = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(sts.NewFromConfig(a.base), arn,
		func(o *stscreds.AssumeRoleOptions) { o.RoleSessionName = memberSession }))
	a.cfgs[at] = cfg
	return cfg, nil
}

// memberSession is the name of the healer's sessions in member accounts.
const memberSession = "buildmedic"

// memberInitiator is how CodeBuild names the healer as a build's initiator in
// a member account (AWS.md#initiator).
func memberInitiator(role string) string {
	if role == "" {
		return ""
	}
	_, name := codebuild.SplitPath(role)
	return name + "/" + memberSession
}

// client gives the client of a service in an account and region. It is made
// once and kept, since it remembers how fast the service lets it go; see
// [Retryer]. make is the SDK's NewFromConfig.
func client[C, O any](a *Accounts, at settings.Account, make func(aws.Config, ...func(*O)) *C, options ...func(*O)) (*C, error) {
	if c, ok := a.clients.Load(place[C]{at}); ok {
		return c.(*C), nil
	}
	cfg, err := a.config(at)
	if err != nil {
		return nil, err
	}
	c, _ := a.clients.LoadOrStore(place[C]{at}, make(cfg, options...))
	return c.(*C), nil
}

// place is a key of its own for each type of client.
type place[C any] struct{ settings.Account }

// parallel runs the functions at the same time and returns the first error
// in their order.
func parallel(ctx context.Context, fns ...func(context.Context) error) error {
	errs := make([]error, len(fns))
	var wg sync.WaitGroup
	for i, fn := range fns {
		wg.Go(func() { errs[i] = fn(ctx) })
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

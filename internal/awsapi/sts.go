package awsapi

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// STS implements heal.Decoder.
type STS struct{ Accounts *Accounts }

// Decode implements [heal.Decoder].
func (s STS) Decode(ctx context.Context, at settings.Account, encoded string) ([]byte, error) {
	client, err := client(s.Accounts, at, sts.NewFromConfig)
	if err != nil {
		return nil, err
	}
	out, err := client.DecodeAuthorizationMessage(ctx, &sts.DecodeAuthorizationMessageInput{EncodedMessage: &encoded})
	if err != nil {
		return nil, classify(err)
	}
	return []byte(aws.ToString(out.DecodedMessage)), nil
}

// Identity is who the healer's credentials belong to.
type Identity struct {
	Partition, Account string
	// Initiator is how CodeBuild names the caller as a build's initiator:
	// ROLE/SESSION, or USER (AWS.md#initiator).
	Initiator string
	// Role is the name of the assumed role; "" for a user.
	Role string
	// Caller is the ARN that STS gave; "" if it was not asked.
	Caller string
}

// Invoked is the identity of a function with the ARN that runs as the role: Lambda names the
// session after the function (AWS.md#initiator). ok is false if that is no function's ARN.
func Invoked(function, role string) (id Identity, ok bool) {
	a, ok := codebuild.ParseARN(function)
	name, named := strings.CutPrefix(a.Resource, "function:")
	name, _, _ = strings.Cut(name, ":") // a version or an alias may follow
	if !ok || !named || a.Service != "lambda" || name == "" || role == "" {
		return Identity{}, false
	}
	return Identity{Partition: a.Partition, Account: a.Account, Initiator: role + "/" + name, Role: role}, true
}

// Whoami asks STS.
func Whoami(ctx context.Context, cfg aws.Config) (Identity, error) {
	out, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return Identity{}, fmt.Errorf("asking AWS who calls: %w", classify(err))
	}
	arn := aws.ToString(out.Arn)
	a, ok := codebuild.ParseARN(arn)
	if !ok {
		return Identity{}, fmt.Errorf("asking AWS who calls: %q is no ARN", arn)
	}
	id := Identity{Partition: a.Partition, Account: a.Account, Caller: arn}
	if rest, ok := strings.CutPrefix(a.Resource, "assumed-role/"); ok {
		id.Initiator = rest
		id.Role, _, _ = strings.Cut(rest, "/")
		return id, nil
	}
	_, id.Initiator, _ = strings.Cut(a.Resource, "/")
	return id, nil
}

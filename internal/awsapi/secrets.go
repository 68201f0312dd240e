package awsapi

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// Secrets reads secrets of Secrets Manager, as the function itself.
type Secrets struct{ Accounts *Accounts }

// Secret implements codehost.Secrets. A secret that is named by its ARN is asked for in its own
// region (AWS.md#secrets).
func (s Secrets) Secret(ctx context.Context, id string) (string, error) {
	at := settings.Account{}
	if a, ok := codebuild.ParseARN(id); ok {
		at.Region = a.Region
	}
	api, err := client(s.Accounts, at, secretsmanager.NewFromConfig)
	if err != nil {
		return "", err
	}
	out, err := api.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &id})
	if err != nil {
		return "", classify(err)
	}
	if out.SecretString == nil {
		return "", fmt.Errorf("%w: secret %q holds no text", heal.ErrNotFound, id)
	}
	return aws.ToString(out.SecretString), nil
}

package awsapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// Secrets reads secrets of Secrets Manager, as the function itself.
type Secrets struct{ Accounts *Accounts }

// refusedSecret makes a refusal final that is none of [classify]'s: of a secret that is marked for
// deletion, say, or a parameter whose key is disabled (AWS.md#secrets).
func refusedSecret(err error) error {
	var api smithy.APIError
	var answer *smithyhttp.ResponseError
	for _, known := range []error{heal.ErrNotFound, heal.ErrConflict, heal.ErrLater, heal.ErrFinal, heal.ErrDenied} {
		if errors.Is(err, known) {
			return err
		}
	}
	if errors.As(err, &api) && errors.As(err, &answer) && answer.HTTPStatusCode()/100 == 4 &&
		answer.HTTPStatusCode() != http.StatusTooManyRequests {
		return fmt.Errorf("%w: %s: %s", heal.ErrFinal, api.ErrorCode(), api.ErrorMessage())
	}
	return err
}

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
		return "", refusedSecret(classify(err))
	}
	if out.SecretString == nil {
		return "", fmt.Errorf("%w: secret %q holds no text", heal.ErrNotFound, id)
	}
	return aws.ToString(out.SecretString), nil
}

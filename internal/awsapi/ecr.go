package awsapi

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"github.com/buildmedic/buildmedic/internal/settings"
)

// ECR implements heal.Repositories.
type ECR struct{ Accounts *Accounts }

// Create implements [heal.Repositories]. Tags cannot be overwritten in the
// new repository only if its owner says so: it is made with ECR's defaults.
func (e ECR) Create(ctx context.Context, at settings.Account, name string) error {
	client, err := client(e.Accounts, at, ecr.NewFromConfig)
	if err != nil {
		return err
	}
	_, err = client.CreateRepository(ctx, &ecr.CreateRepositoryInput{RepositoryName: &name})
	var exists *types.RepositoryAlreadyExistsException
	if errors.As(err, &exists) {
		return nil
	}
	return classify(err)
}

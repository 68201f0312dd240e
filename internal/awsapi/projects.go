package awsapi

import (
	"context"

	cb "github.com/aws/aws-sdk-go-v2/service/codebuild"

	"github.com/buildmedic/buildmedic/internal/settings"
)

// Names lists all projects of an account and region, for the desk's scan.
func (c CodeBuild) Names(ctx context.Context, at settings.Account) ([]string, error) {
	client, err := c.client(at)
	if err != nil {
		return nil, err
	}
	var names []string
	for p := cb.NewListProjectsPaginator(client, &cb.ListProjectsInput{}); p.HasMorePages(); {
		page, err := p.NextPage(ctx)
		if err != nil {
			return nil, classify(err)
		}
		names = append(names, page.Projects...)
	}
	return names, nil
}

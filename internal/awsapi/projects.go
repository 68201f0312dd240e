package awsapi

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
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

// MaxBuilds is how many ids a page of builds has, and how many builds can be read at once
// (AWS.md#listing-builds).
const MaxBuilds = 100

// BuildIDs lists a page of the ids of a project's builds, newest first, for the desk's scan. With
// no project it lists those of the whole account and region, in an order that AWS does not
// document (AWS.md#listing-builds). next is "" behind the last page.
func (c CodeBuild) BuildIDs(ctx context.Context, at settings.Account, project, token string,
) (ids []string, next string, err error) {
	client, err := c.client(at)
	if err != nil {
		return nil, "", err
	}
	var page *string
	if token != "" {
		page = &token
	}
	if project == "" {
		out, err := client.ListBuilds(ctx, &cb.ListBuildsInput{NextToken: page})
		if err != nil {
			return nil, "", classify(err)
		}
		return out.Ids, aws.ToString(out.NextToken), nil
	}
	out, err := client.ListBuildsForProject(ctx, &cb.ListBuildsForProjectInput{ProjectName: &project, NextToken: page})
	if err != nil {
		return nil, "", classify(err)
	}
	return out.Ids, aws.ToString(out.NextToken), nil
}

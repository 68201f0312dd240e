package awsapi

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	cb "github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// Batch implements [heal.Builds].
func (c CodeBuild) Batch(ctx context.Context, at settings.Account, arn string) (codebuild.Batch, error) {
	id, err := batchID(arn)
	if err != nil {
		return codebuild.Batch{}, err
	}
	bs, err := c.Batches(ctx, at, []string{id})
	if err != nil {
		return codebuild.Batch{}, err
	}
	if len(bs) == 0 {
		return codebuild.Batch{}, fmt.Errorf("batch %q: %w", id, heal.ErrNotFound)
	}
	return bs[0], nil
}

// BatchIDs implements [heal.Builds].
func (c CodeBuild) BatchIDs(ctx context.Context, at settings.Account, project string) ([]string, error) {
	client, err := c.client(at)
	if err != nil {
		return nil, err
	}
	// Without an order, as of builds (AWS.md#listing-builds): the orders that can be asked for are by id.
	out, err := client.ListBuildBatchesForProject(ctx, &cb.ListBuildBatchesForProjectInput{ProjectName: &project})
	if err != nil {
		return nil, classify(err)
	}
	return out.Ids, nil
}

// Batches implements [heal.Builds].
func (c CodeBuild) Batches(ctx context.Context, at settings.Account, ids []string) (bs []codebuild.Batch, err error) {
	client, err := c.client(at)
	if err != nil {
		return nil, err
	}
	out, err := client.BatchGetBuildBatches(ctx, &cb.BatchGetBuildBatchesInput{Ids: ids})
	if err != nil {
		return nil, classify(err)
	}
	for _, b := range out.BuildBatches {
		bs = append(bs, batch(b))
	}
	return bs, nil
}

// batch takes from the record what the healer may know.
func batch(found types.BuildBatch) codebuild.Batch {
	b := codebuild.Batch{ARN: aws.ToString(found.Arn), Project: aws.ToString(found.ProjectName),
		Number: aws.ToInt64(found.BuildBatchNumber),
		Status: string(found.BuildBatchStatus), Initiator: aws.ToString(found.Initiator),
		SourceVersion:         aws.ToString(found.SourceVersion),
		ResolvedSourceVersion: aws.ToString(found.ResolvedSourceVersion),
		Start:                 aws.ToTime(found.StartTime), End: aws.ToTime(found.EndTime),
		Ran: ranWith(found.Source, found.SecondarySources, found.ServiceRole, found.Environment)}
	if s := found.Source; s != nil {
		b.SourceType, b.Repository = string(s.Type), codebuild.RepositoryAt(aws.ToString(s.Location))
		b.Buildspec = codebuild.BuildspecPath(aws.ToString(s.Buildspec))
	}
	if x := found.BuildBatchConfig; x != nil {
		b.Role = aws.ToString(x.ServiceRole)
	}
	for _, v := range found.SecondarySourceVersions {
		b.SecondaryVersions = append(b.SecondaryVersions, aws.ToString(v.SourceVersion))
	}
	for _, p := range found.Phases {
		b.Phases = append(b.Phases, codebuild.Phase{Type: string(p.PhaseType), Status: string(p.PhaseStatus),
			Start: aws.ToTime(p.StartTime), End: aws.ToTime(p.EndTime), Contexts: contexts(p.Contexts)})
	}
	for _, g := range found.BuildGroups {
		group := codebuild.BuildGroup{Identifier: aws.ToString(g.Identifier), IgnoreFailure: g.IgnoreFailure}
		if s := g.CurrentBuildSummary; s != nil {
			group.Build, group.Status, group.Requested = buildID(s), string(s.BuildStatus), aws.ToTime(s.RequestedOn)
		}
		for _, s := range g.PriorBuildSummaryList {
			group.Prior = append(group.Prior, buildID(&s))
		}
		b.Groups = append(b.Groups, group)
	}
	return b
}

// standIns reads the builds among the ids that stand for batches, and gives the ids of the others.
func (c CodeBuild) standIns(ctx context.Context, at settings.Account, ids []string) (bs []codebuild.Build, others []string, err error) {
	want := map[string][]int{} // attempts of a batch
	var batches []string
	for _, id := range ids {
		batch, n, ok := codebuild.ParseBatchID(id)
		switch {
		case !ok:
			others = append(others, id)
		case want[batch] == nil:
			batches = append(batches, batch)
			fallthrough
		default:
			want[batch] = append(want[batch], n)
		}
	}
	if len(batches) == 0 {
		return nil, ids, nil
	}
	found, err := c.Batches(ctx, at, batches)
	if err != nil {
		return nil, nil, err
	}
	for _, b := range found {
		id, err := batchID(b.ARN)
		if err != nil {
			return nil, nil, err
		}
		for _, n := range want[id] {
			if stands, ok := b.AsBuild(n); ok {
				bs = append(bs, stands)
			}
		}
	}
	return bs, others, nil
}

// batchID is the PROJECT:UUID of a batch's ARN.
func batchID(arn string) (string, error) {
	_, id, ok := strings.Cut(arn, ":"+codebuild.BatchPrefix)
	if !ok {
		return "", fmt.Errorf("batch ARN %q: %w", arn, heal.ErrFinal)
	}
	return id, nil
}

// retryBatch retries the failed builds of a batch, once the batch itself has
// failed: a sibling may still run (AWS.md#retry-of-a-batch). Of a batch that
// failed by itself no build has failed: all are started, unless one was green, which is not repeated.
func (c CodeBuild) retryBatch(ctx context.Context, at settings.Account, b codebuild.Build, token string) error {
	now, err := c.Batch(ctx, at, b.BatchARN)
	if errors.Is(err, heal.ErrNotFound) {
		return fmt.Errorf("batch %q is gone: %w", b.BatchARN, heal.ErrFinal)
	}
	if err != nil {
		return err
	}
	switch {
	case now.Runs():
		return fmt.Errorf("batch %q still runs: %w", b.BatchARN, heal.ErrLater)
	case !now.HasFailed():
		return fmt.Errorf("batch %q is %s and cannot be retried: %w", b.BatchARN, now.Status, heal.ErrFinal)
	}
	client, err := c.client(at)
	if err != nil {
		return err
	}
	id, err := batchID(b.BatchARN)
	if err != nil {
		return err
	}
	retry := types.RetryBuildBatchTypeRetryFailedBuilds
	if b.OfBatch() && !slices.ContainsFunc(now.Groups, func(g codebuild.BuildGroup) bool { return g.Status == codebuild.Succeeded }) {
		retry = types.RetryBuildBatchTypeRetryAllBuilds
	}
	_, err = client.RetryBuildBatch(ctx, &cb.RetryBuildBatchInput{Id: &id, IdempotencyToken: &token, RetryType: retry})
	return classify(err)
}

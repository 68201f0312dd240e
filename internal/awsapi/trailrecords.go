package awsapi

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// maxRecordPages bounds how many of a build's calls are read: 50 a page, two pages a second.
const maxRecordPages = 40

// Records gives what CloudTrail has of a build's session, for the desk: each event as its JSON, newest
// first. whole says that these are all that it has.
func (c CloudTrail) Records(ctx context.Context, b codebuild.Build) (records []string, whole bool, err error) {
	client, err := client(c.Accounts, settings.AccountOf(b.At()), cloudtrail.NewFromConfig)
	if err != nil {
		return nil, false, err
	}
	pages := cloudtrail.NewLookupEventsPaginator(client, &cloudtrail.LookupEventsInput{
		LookupAttributes: []types.LookupAttribute{{AttributeKey: types.LookupAttributeKeyUsername,
			AttributeValue: aws.String(b.Session())}},
		StartTime: aws.Time(b.Start.Add(-time.Minute)),
	})
	for n := 0; n < maxRecordPages && pages.HasMorePages(); n++ {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, false, classify(err)
		}
		for _, e := range page.Events {
			records = append(records, aws.ToString(e.CloudTrailEvent))
		}
	}
	return records, !pages.HasMorePages(), nil
}

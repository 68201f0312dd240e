package simaws_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"github.com/buildmedic/buildmedic/internal/simaws"
)

// A long answer always comes whole through the Sim's own client.
func TestClientReadsLongAnswers(t *testing.T) {
	s := world(t, printing(strings.Repeat("x\n", 1500)))
	if err := run(s, "p"); err != nil {
		t.Fatal(err)
	}
	s.Clock.Advance(time.Minute)
	c := dial(s, simaws.FunctionKey, "us-east-1")
	stream := strings.TrimPrefix(s.Builds("p")[0].ID, "p:")
	for range 200 {
		if _, err := c.logs.GetLogEvents(t.Context(),
			&cloudwatchlogs.GetLogEventsInput{LogGroupName: aws.String("/aws/codebuild/p"),
				LogStreamName: &stream}); err != nil {
			t.Fatal(err)
		}
	}
}

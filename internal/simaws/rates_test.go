package simaws_test

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/smithy-go"

	"github.com/buildmedic/buildmedic/internal/simaws"
)

// Each rate holds in its region, in simulated time, and a call above it gets the service's own
// error, which the SDK takes for throttling.
func TestRates(t *testing.T) {
	tests := []struct {
		service, operation, region string
		rate                       simaws.Rate
		source, code               string
	}{
		{"cloudtrail", "LookupEvents", "eu-west-1", simaws.Rate{PerSecond: 2, Burst: 2}, "ct-lookup", "ThrottlingException"},
		{"logs", "GetLogEvents", "eu-west-1", simaws.Rate{PerSecond: 10, Burst: 10}, "cwl", "ThrottlingException"},
		{"logs", "GetLogEvents", "eu-west-3", simaws.Rate{PerSecond: 30, Burst: 30}, "cwl", "ThrottlingException"},
		{"logs", "GetLogEvents", "us-east-1", simaws.Rate{PerSecond: 25, Burst: 25}, "cwl", "ThrottlingException"},
		{"sns", "Publish", "sa-east-1", simaws.Rate{PerSecond: 300, Burst: 300}, "sns-q", "Throttling"},
		{"sns", "Publish", "eu-central-1", simaws.Rate{PerSecond: 1500, Burst: 1500}, "sns-q", "Throttling"},
		{"codebuild", "ListProjects", "eu-west-1", simaws.Rate{PerSecond: 10, Burst: 30}, "assumed", "ThrottlingException"},
		{"iam", "GetRole", "us-east-1", simaws.Rate{PerSecond: 15, Burst: 30}, "assumed", "Throttling"},
	}
	facts, err := os.ReadFile("../AWS.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range tests {
		t.Run(tt.service+" "+tt.region, func(t *testing.T) {
			rate, _, source, ok := simaws.RateOf(tt.service, tt.operation, tt.region)
			if !ok || rate != tt.rate || source != tt.source {
				t.Errorf("rate %+v, source %q, want %+v, %q", rate, source, tt.rate, tt.source)
			}
			if source != "assumed" && !strings.Contains(string(facts), "["+source+"]: ") {
				t.Errorf("AWS.md has no source %q", source)
			}
			s := world(t, "region: "+tt.region+"\ntrouble: {rate_limits: true}")
			call := calling(t, s, tt.region, tt.service)
			through := func() (n int) {
				for call() == "" {
					n++
				}
				return n
			}
			if code := call(); code != "" {
				t.Fatalf("the first call: %s", code)
			}
			if n := through(); n != int(tt.rate.Burst)-1 {
				t.Errorf("%d more in the same moment, want %v in all", n, tt.rate.Burst)
			}
			if code := call(); code != tt.code {
				t.Errorf("above the rate: %q, want %s", code, tt.code)
			}
			if _, throttle := throttleCodes[tt.code]; !throttle {
				t.Errorf("the SDK does not take %s for throttling", tt.code)
			}
			s.Clock.Advance(time.Second)
			if n := through(); n != int(tt.rate.PerSecond) {
				t.Errorf("%d a second later, want %v", n, tt.rate.PerSecond)
			}
		})
	}
	if _, _, _, ok := simaws.RateOf("sqs", "SendMessage", "eu-west-1"); ok {
		t.Error("SQS has a rate")
	}
}

// Others who share the account take their part of a rate; if they ask for more than there is, each call
// gets through by chance, as theirs do.
func TestRatesOfOthers(t *testing.T) {
	for _, row := range []struct {
		others, each string // between two calls; not in step with the bucket
		least, most  int    // % that get through
	}{
		{"0", "101ms", 100, 100},
		{"0.3", "151ms", 97, 100}, // 6.6 a second, of the 7 that are left
		{"0.5", "97ms", 60, 85},   // 5 and 10.3, of 10
		{"1.1", "1013ms", 78, 95}, // 11 and 1
		{"3", "1013ms", 27, 40},   // 30 and 1
	} {
		s := world(t, "region: eu-west-1\ntrouble: {rate_limits: true, others: "+row.others+"}")
		call := calling(t, s, "eu-west-1", "logs")
		apart, _ := time.ParseDuration(row.each)
		const n = 400
		through := 0
		for range n {
			s.Clock.Advance(apart)
			if call() == "" {
				through++
			}
		}
		if is := 100 * through / n; is < row.least || is > row.most {
			t.Errorf("others %s: %d %% of a call each %s get through, want %d to %d", row.others, is, row.each, row.least, row.most)
		}
	}
}

// calling makes a call to the service and gives its error code, "" for an answer that is none of
// throttling.
func calling(t *testing.T, s *simaws.Sim, region, service string) func() string {
	c, ctx := dial(s, simaws.OwnerKey, region), deadline(t)
	calls := map[string]func() error{
		"cloudtrail": func() error { _, err := c.trail.LookupEvents(ctx, &cloudtrail.LookupEventsInput{}); return err },
		"logs": func() error {
			_, err := c.logs.GetLogEvents(ctx,
				&cloudwatchlogs.GetLogEventsInput{LogGroupName: aws.String("g"), LogStreamName: aws.String("s")})
			return err
		},
		"sns": func() error {
			_, err := c.sns.Publish(ctx, &sns.PublishInput{TopicArn: aws.String(s.TopicARN()), Message: aws.String("x")})
			return err
		},
		"codebuild": func() error { _, err := c.codebuild.ListProjects(ctx, &codebuild.ListProjectsInput{}); return err },
		"iam":       func() error { _, err := c.iam.GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String("r")}); return err },
	}
	return func() string {
		var api smithy.APIError
		if err := calls[service](); errors.As(err, &api) {
			if code := api.ErrorCode(); code != "ResourceNotFoundException" && code != "NoSuchEntity" {
				return code
			}
		} else if err != nil {
			t.Fatal(err)
		}
		return ""
	}
}

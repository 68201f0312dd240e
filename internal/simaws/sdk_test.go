package simaws_test

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/accessanalyzer"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/buildmedic/buildmedic/internal/simaws"
)

// clients are the real SDK clients, pointed at the Sim.
type clients struct {
	codebuild *codebuild.Client
	logs      *cloudwatchlogs.Client
	iam       *iam.Client
	sns       *sns.Client
	sqs       *sqs.Client
	s3        *s3.Client
	pipeline  *codepipeline.Client
	sts       *sts.Client
	ecr       *ecr.Client
	analyzer  *accessanalyzer.Client
	trail     *cloudtrail.Client
}

// dial makes clients that sign with the key, never retry, and so see every
// answer.
func dial(s *simaws.Sim, key, region string) clients {
	cfg := aws.Config{
		Region: region, BaseEndpoint: aws.String(s.URL()), HTTPClient: s.Client(),
		Credentials: credentials.NewStaticCredentialsProvider(key, "secret", ""),
		Retryer:     func() aws.Retryer { return aws.NopRetryer{} },
	}
	return clients{
		codebuild.NewFromConfig(cfg), cloudwatchlogs.NewFromConfig(cfg), iam.NewFromConfig(cfg), sns.NewFromConfig(cfg),
		sqs.NewFromConfig(cfg), s3.NewFromConfig(cfg), codepipeline.NewFromConfig(cfg), sts.NewFromConfig(cfg),
		ecr.NewFromConfig(cfg), accessanalyzer.NewFromConfig(cfg), cloudtrail.NewFromConfig(cfg),
	}
}

// load starts the world in a file of testdata. At the end of the test nothing
// may have been asked that the Sim does not know.
func load(t *testing.T, name string) *simaws.Sim {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return world(t, string(text))
}

func world(t *testing.T, text string) *simaws.Sim {
	t.Helper()
	s, err := simaws.Load([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Close()
		if u := s.Unknown(); len(u) > 0 {
			t.Errorf("asked what simaws does not know: %q", u)
		}
	})
	return s
}

func deadline(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// throttleCodes are the codes that the SDK's standard retryer takes for
// throttling.
var throttleCodes = retry.DefaultThrottleErrorCodes

func sending(s *simaws.Sim) *sqs.SendMessageInput {
	return &sqs.SendMessageInput{QueueUrl: aws.String(s.QueueURL(simaws.Queue)), MessageBody: aws.String("x")}
}

// simulatedMinute is enough for any IAM write to be felt.
const simulatedMinute = time.Minute

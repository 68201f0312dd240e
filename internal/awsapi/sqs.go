package awsapi

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/buildmedic/buildmedic/internal/heal"
)

// SQS implements heal.Queue with delayed messages to one of the function's own
// queues.
type SQS struct {
	Client *sqs.Client
	URL    string
	Clock  heal.Clock
}

// maxDelay is the longest that SQS delays a message. A longer wait comes back
// after that and waits again.
const maxDelay = 15 * time.Minute

// Later implements [heal.Queue].
func (s SQS) Later(ctx context.Context, caseID string, at time.Time) error {
	var m heal.ResumeMessage
	m.Continue.Case = caseID
	body, err := json.Marshal(m)
	if err != nil {
		return err
	}
	return s.Send(ctx, string(body), at.Sub(s.Clock.Now()))
}

// Release implements [heal.Queue].
func (s SQS) Release(ctx context.Context, m heal.Release, at time.Time) error {
	body, err := json.Marshal(heal.ReleaseMessage{Release: m})
	if err != nil {
		return err
	}
	return s.Send(ctx, string(body), at.Sub(s.Clock.Now()))
}

// Send puts a message into the queue that becomes visible after the delay.
// SQS counts whole seconds; a part of one is rounded up, so that a message
// never comes before its time and then waits again.
func (s SQS) Send(ctx context.Context, body string, delay time.Duration) error {
	seconds := int32((min(max(delay, 0), maxDelay) + time.Second - 1) / time.Second)
	_, err := s.Client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: aws.String(s.URL), MessageBody: &body, DelaySeconds: seconds})
	if err != nil {
		return fmt.Errorf("sending to queue %q: %w", s.URL, classify(err))
	}
	return nil
}

// Queues are the function's own. It takes any message from either.
type Queues struct {
	Failures  SQS // takes builds that failed
	FollowUps SQS // takes what cases under way wait for: the healer's own messages, other ends of builds
}

// NewQueues makes them. Without a URL for follow-ups, as an environment of the
// version before has none, failures' queue takes these, too.
func NewQueues(client *sqs.Client, failures, followUps string, clock heal.Clock) Queues {
	return Queues{Failures: SQS{client, failures, clock}, FollowUps: SQS{client, cmp.Or(followUps, failures), clock}}
}

// Back puts a message back into the queue that it came from; from is that one's ARN.
func (q Queues) Back(ctx context.Context, from, body string, delay time.Duration) error {
	to := q.Failures
	if name := queueName(q.FollowUps.URL); strings.HasSuffix(from, ":"+name) {
		to = q.FollowUps
	}
	return to.Send(ctx, body, delay)
}

// queueName is the name of a queue with that URL.
func queueName(url string) string { return url[strings.LastIndexByte(url, '/')+1:] }

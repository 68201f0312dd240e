package awsapi

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/buildmedic/buildmedic/internal/heal"
)

// SQS implements heal.Queue with delayed messages to the function's own
// queue.
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

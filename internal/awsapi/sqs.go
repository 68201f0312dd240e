package awsapi

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/buildmedic/buildmedic/internal/heal"
)

// SQS is one of the function's own queues.
type SQS struct {
	Client *sqs.Client
	URL    string
	Clock  heal.Clock
}

// maxDelay is the longest that SQS delays a message. A longer wait comes back
// after that and waits again.
const maxDelay = 15 * time.Minute

// resume has the case be resumed at or after the time.
func (s SQS) resume(ctx context.Context, caseID string, at time.Time) error {
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

// Queues are the function's own, and implement [heal.Queue]. It takes any message from each.
type Queues struct {
	Failures  SQS // takes builds that failed
	FollowUps SQS // takes what cases under way wait for: the healer's own messages, other ends of builds
	Cures     SQS // takes cases that were put off while many builds fail at once
}

// NewQueues makes them. Without a URL for cures, follow-ups take these, and without one for
// follow-ups, failures' queue does: an environment of a version before has none.
func NewQueues(client *sqs.Client, failures, followUps, cures string, clock heal.Clock) Queues {
	followUps = cmp.Or(followUps, failures)
	return Queues{Failures: SQS{client, failures, clock}, FollowUps: SQS{client, followUps, clock},
		Cures: SQS{client, cmp.Or(cures, followUps), clock}}
}

// Later implements [heal.Queue].
func (q Queues) Later(ctx context.Context, caseID string, at time.Time) error {
	return q.FollowUps.resume(ctx, caseID, at)
}

// Cure implements [heal.Queue].
func (q Queues) Cure(ctx context.Context, caseID string) error {
	return q.Cures.resume(ctx, caseID, q.Cures.Clock.Now())
}

// Release implements [heal.Queue].
func (q Queues) Release(ctx context.Context, m heal.Release, at time.Time) error {
	body, err := json.Marshal(heal.ReleaseMessage{Release: m})
	if err != nil {
		return err
	}
	return q.FollowUps.Send(ctx, string(body), at.Sub(q.FollowUps.Clock.Now()))
}

// Back puts a message back into the queue that it came from; from is that one's ARN.
func (q Queues) Back(ctx context.Context, from, body string, delay time.Duration) error {
	return q.of(from).Send(ctx, body, delay)
}

// BackTogether puts messages back into the queue that they came from, at most ten, at once and with
// one call. left are those that the queue did not take; if err is not nil, these are all.
func (q Queues) BackTogether(ctx context.Context, from string, bodies []string) (left []string, err error) {
	to := q.of(from)
	in := &sqs.SendMessageBatchInput{QueueUrl: aws.String(to.URL)}
	for i := range bodies {
		in.Entries = append(in.Entries, types.SendMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), MessageBody: &bodies[i]})
	}
	out, err := to.Client.SendMessageBatch(ctx, in)
	if err != nil {
		return bodies, fmt.Errorf("sending to queue %q: %w", to.URL, classify(err))
	}
	for i, body := range bodies {
		is := func(e types.SendMessageBatchResultEntry) bool { return aws.ToString(e.Id) == strconv.Itoa(i) }
		if !slices.ContainsFunc(out.Successful, is) {
			left = append(left, body)
		}
	}
	return left, nil
}

// of is the queue that has the ARN.
func (q Queues) of(arn string) SQS {
	for _, o := range []SQS{q.FollowUps, q.Cures} {
		if strings.HasSuffix(arn, ":"+queueName(o.URL)) {
			return o
		}
	}
	return q.Failures
}

// queueName is the name of a queue with that URL.
func queueName(url string) string { return url[strings.LastIndexByte(url, '/')+1:] }

package simaws_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/buildmedic/buildmedic/internal/simaws"
)

// A message that is given back comes again after its visibility timeout, and
// after too many times goes to the dead-letter queue.
func TestRedelivery(t *testing.T) {
	s := world(t, "queue: {visibility: 2m, max_receive: 3}")
	s.Send(simaws.Queue, "poison", 0)
	start := s.Clock.Now()
	var at []time.Duration
	for {
		m, ok := s.NextMessage(deadline(t))
		if !ok {
			break
		}
		if m.ReceiveCount != len(at)+1 || m.Attributes()["ApproximateReceiveCount"] != fmt.Sprint(len(at)+1) {
			t.Errorf("receive %d counts %d", len(at)+1, m.ReceiveCount)
		}
		at = append(at, s.Clock.Now().Sub(start))
		m.Nack()
	}
	if want := []time.Duration{0, 2 * time.Minute, 4 * time.Minute}; !slices.Equal(at, want) {
		t.Errorf("received at %v, want %v", at, want)
	}
	if q, d := s.Queued(simaws.Queue), s.Queued(simaws.DeadLetter); len(q) != 0 || !slices.Equal(d, []string{"poison"}) {
		t.Errorf("queue %q, dead letters %q", q, d)
	}
}

// A delayed message comes when it is due, and a message can be hidden longer.
func TestDelays(t *testing.T) {
	s := world(t, "region: us-east-1")
	c, ctx := dial(s, simaws.FunctionKey, "us-east-1"), deadline(t)
	url := aws.String(s.QueueURL(simaws.Queue))
	start := s.Clock.Now()
	if _, err := c.sqs.SendMessage(ctx,
		&sqs.SendMessageInput{QueueUrl: url, MessageBody: aws.String("later"), DelaySeconds: 900}); err != nil {
		t.Fatal(err)
	}
	m, ok := s.NextMessage(ctx)
	if !ok || m.Body != "later" || s.Clock.Now().Sub(start) != 15*time.Minute {
		t.Fatalf("%q after %v", m.Body, s.Clock.Now().Sub(start))
	}
	if _, err := c.sqs.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{QueueUrl: url,
		ReceiptHandle: &m.ReceiptHandle, VisibilityTimeout: 3600}); err != nil {
		t.Fatal(err)
	}
	m.Nack()
	m, ok = s.NextMessage(ctx)
	if !ok || s.Clock.Now().Sub(start) != 75*time.Minute {
		t.Errorf("hidden for an hour: again after %v", s.Clock.Now().Sub(start))
	}
	if _, err := c.sqs.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: url, ReceiptHandle: &m.ReceiptHandle}); err != nil {
		t.Fatal(err)
	}
	m.Nack()
	if _, ok := s.NextMessage(ctx); ok {
		t.Error("a deleted message comes again")
	}
}

// ReceiveMessage over the wire.
func TestReceiveMessage(t *testing.T) {
	s := world(t, "region: us-east-1")
	c, ctx := dial(s, simaws.FunctionKey, "us-east-1"), deadline(t)
	url := aws.String(s.QueueURL(simaws.Queue))
	for i := range 12 {
		s.Send(simaws.Queue, fmt.Sprint(i), 0)
	}
	var got []string
	for range 3 {
		out, err := c.sqs.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: url, MaxNumberOfMessages: 10, WaitTimeSeconds: 20,
			MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll}})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range out.Messages {
			got = append(got, *m.Body)
			if m.Attributes["ApproximateReceiveCount"] != "1" {
				t.Errorf("attributes %v", m.Attributes)
			}
		}
	}
	if len(got) != 12 {
		t.Errorf("received %q", got)
	}
}

// Failures and other ends of builds come from queues of their own, in the order
// in which they happened.
func TestFollowUps(t *testing.T) {
	s := world(t, roleMay()+buildOf("{run: make, fails: {times: 1, prints: x}}"))
	for range 2 {
		if _, err := s.Run(simaws.Start{Project: "p"}); err != nil {
			t.Fatal(err)
		}
		s.Settle()
	}
	if f, e := s.Queued(simaws.Queue), s.Queued(simaws.FollowUps); len(f) != 1 || !strings.Contains(f[0], `"FAILED"`) ||
		len(e) != 1 || !strings.Contains(e[0], `"build-status":"SUCCEEDED"`) {
		t.Errorf("failures %q, follow-ups %q", f, e)
	}
	for _, status := range []string{"FAILED", "SUCCEEDED"} {
		m, ok := s.NextMessage(t.Context())
		if !ok || !strings.Contains(m.Body, `"build-status":"`+status+`"`) {
			t.Errorf("want %s: %q", status, m.Body)
		}
		m.Ack()
	}
	s.Send(simaws.FollowUps, "again", 0)
	if m, ok := s.Receive(simaws.Queue); ok {
		t.Errorf("among failures is %q", m.Body)
	}
	if m, ok := s.Receive(simaws.FollowUps); !ok || m.Body != "again" {
		t.Errorf("among follow-ups is %q", m.Body)
	}
}

// Several workers share the queue: each message is handled once, and time
// stands still while one of them holds a message.
func TestWorkers(t *testing.T) {
	s := world(t, roleMay()+buildOf("make"))
	for range 60 {
		if _, err := s.Run(simaws.Start{Project: "p"}); err != nil {
			t.Fatal(err)
		}
	}
	c := dial(s, simaws.FunctionKey, "us-east-1")
	var mu sync.Mutex
	seen := map[string]int{}
	var wg sync.WaitGroup
	for range 5 {
		wg.Go(func() {
			for {
				m, ok := s.NextMessage(deadline(t))
				if !ok {
					return
				}
				if _, err := c.sts.GetCallerIdentity(t.Context(), nil); err != nil {
					t.Error(err)
				}
				mu.Lock()
				seen[m.ID]++
				mu.Unlock()
				m.Ack()
			}
		})
	}
	wg.Wait()
	if len(seen) != 60 {
		t.Errorf("%d messages, want 60", len(seen))
	}
	for id, n := range seen {
		if n != 1 {
			t.Errorf("message %s was handled %d times", id, n)
		}
	}
}

// Waiting for a message ends with the context.
func TestNextMessageCancel(t *testing.T) {
	s := world(t, "region: us-east-1")
	s.Send(simaws.Queue, "x", 0)
	if _, ok := s.NextMessage(deadline(t)); !ok {
		t.Fatal("no message")
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(10*time.Millisecond, cancel)
	if _, ok := s.NextMessage(ctx); ok {
		t.Error("a message that is held is received again")
	}
}

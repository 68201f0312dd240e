package simaws_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/buildmedic/buildmedic/internal/simaws"
)

// Ten e-mails a second reach a mailbox; the eleventh suspends its subscription, for good.
func TestMailboxes(t *testing.T) {
	s := world(t, "mailboxes: [team@example.com]")
	c, ctx := dial(s, simaws.OwnerKey, "us-east-1"), deadline(t)
	publish := func(n int, every time.Duration) {
		t.Helper()
		for i := range n {
			if _, err := c.sns.Publish(ctx, &sns.PublishInput{TopicArn: aws.String(s.TopicARN()), MessageStructure: aws.String("json"),
				Subject: aws.String(fmt.Sprint("notice ", i)), Message: aws.String(`{"default":"d","email":"for people"}`)}); err != nil {
				t.Fatal(err)
			}
			s.Clock.Advance(every)
		}
	}
	state := func(mails, lost int, confirmed bool) {
		t.Helper()
		m := s.Mailboxes()[0]
		if m.Address != "team@example.com" || len(m.Mails) != mails || m.Lost != lost {
			t.Errorf("%s has %d e-mails and lost %d, want %d and %d", m.Address, len(m.Mails), m.Lost, mails, lost)
		}
		out, err := c.sns.ListSubscriptionsByTopic(ctx, &sns.ListSubscriptionsByTopicInput{TopicArn: aws.String(s.TopicARN())})
		if err != nil || len(out.Subscriptions) != 1 {
			t.Fatalf("subscriptions: %v, %v", out, err)
		}
		sub := out.Subscriptions[0]
		if *sub.SubscriptionArn != m.ARN || *sub.Protocol != "email" || *sub.Endpoint != m.Address {
			t.Errorf("subscription %s %s %s", *sub.SubscriptionArn, *sub.Protocol, *sub.Endpoint)
		}
		if is := strings.HasPrefix(m.ARN, s.TopicARN()+":"); is != confirmed || !confirmed && m.ARN != "PendingConfirmation" {
			t.Errorf("subscription %s, confirmed should be %v", m.ARN, confirmed)
		}
	}
	publish(30, 100*time.Millisecond)
	state(30, 0, true)
	s.Clock.Advance(time.Second)
	publish(10, 0)
	state(40, 0, true)
	if m := s.Mailboxes()[0].Mails[30]; m.Text != "for people" || m.Subject != "notice 0" || !m.At.Equal(s.Clock.Now()) {
		t.Errorf("the e-mail is %+v", m)
	}
	publish(1, time.Hour)
	state(40, 1, false)
	publish(2, time.Minute)
	state(40, 3, false)
	if n := len(s.Notices()); n != 43 {
		t.Errorf("%d notices: publishing goes on", n)
	}
}

// A topic without mailboxes has no subscriptions, and one that is not there is an error.
func TestNoMailboxes(t *testing.T) {
	s := world(t, "")
	c, ctx := dial(s, simaws.OwnerKey, "us-east-1"), deadline(t)
	in := &sns.ListSubscriptionsByTopicInput{TopicArn: aws.String(s.TopicARN())}
	if out, err := c.sns.ListSubscriptionsByTopic(ctx, in); err != nil || len(out.Subscriptions) != 0 {
		t.Errorf("subscriptions %v, %v", out, err)
	}
	in.TopicArn = aws.String(s.TopicARN() + "-2")
	if _, err := c.sns.ListSubscriptionsByTopic(ctx, in); err == nil || !strings.Contains(err.Error(), "NotFound") {
		t.Errorf("another topic: %v", err)
	}
}

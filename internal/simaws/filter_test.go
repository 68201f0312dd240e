package simaws_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"github.com/buildmedic/buildmedic/internal/simaws"
)

// filters are policies, and who passes them.
var filters = []struct {
	policy string
	passes []string // of the messages below
}{
	{``, []string{"web", "data", "nobody"}},
	{`{"to":["web"]}`, []string{"web"}},
	{`{"to":["web","data"]}`, []string{"web", "data"}},
	{`{"to":["Web"]}`, nil},
	{`{"to":[{"exists":false}]}`, []string{"nobody"}},
	{`{"to":[{"exists":true}]}`, []string{"web", "data"}},
	{`{"project":[{"prefix":"shop"}]}`, []string{"web", "nobody"}},
	{`{"kind":[{"anything-but":["retrying","digest"]}]}`, []string{"web", "nobody"}},
	{`{"cause":[{"anything-but":"timeout"}]}`, nil},
	{`{"project":[{"prefix":"shop"}],"kind":["failed","healed"]}`, []string{"nobody"}},
}

// A message goes to the subscriptions of its topic whose filter it passes, and an address has one
// subscription of a topic.
func TestFilters(t *testing.T) {
	s := world(t, "topics: [other]")
	c, ctx := dial(s, simaws.OwnerKey, "us-east-1"), deadline(t)
	topic := s.Provide("owners")
	for i, f := range filters {
		if err := s.Subscribe(topic, address(i), f.policy); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Subscribe(topic, address(0), `{"to":["web"]}`); err == nil || !strings.Contains(err.Error(), "already exists") {
		t.Errorf("a second subscription: %v", err)
	}
	for subject, attributes := range map[string]map[string]string{
		"web":    {"to": "web", "project": "shop", "kind": "proposed"},
		"data":   {"to": "data", "project": "lake", "kind": "digest"},
		"nobody": {"project": "shop-admin", "kind": "failed"},
	} {
		in := &sns.PublishInput{TopicArn: &topic, Subject: aws.String(subject), Message: aws.String("x"),
			MessageAttributes: map[string]types.MessageAttributeValue{}}
		for k, v := range attributes {
			in.MessageAttributes[k] = types.MessageAttributeValue{DataType: aws.String("String"), StringValue: aws.String(v)}
		}
		if _, err := c.sns.Publish(ctx, in); err != nil {
			t.Fatal(err)
		}
		in.TopicArn = aws.String(strings.Replace(topic, "owners", "other", 1))
		if _, err := c.sns.Publish(ctx, in); err != nil {
			t.Fatal(err)
		}
	}
	for i, m := range s.Mailboxes() {
		got := map[string]bool{}
		for _, mail := range m.Mails {
			got[mail.Subject] = true
		}
		for _, subject := range filters[i].passes {
			if !got[subject] {
				t.Errorf("%s: the message %s does not come", m.Filter, subject)
			}
		}
		if len(m.Mails) != len(filters[i].passes) {
			t.Errorf("%s: %v came, want %v", m.Filter, got, filters[i].passes)
		}
	}
}

func address(i int) string { return string(rune('a'+i)) + "@example.com" }

// What is no filter policy, or more than one may have, is refused.
func TestBadFilters(t *testing.T) {
	s := world(t, "")
	for _, policy := range []string{`x`, `{"to":"web"}`, `{"to":[]}`, `{"to":[{"suffix":"b"}]}`, `{"to":[{"prefix":"a","exists":true}]}`,
		`{"to":[1]}`, `{"a":["1"],"b":["1"],"c":["1"],"d":["1"],"e":["1"],"f":["1"]}`,
		`{"a":["` + strings.Repeat(`1","`, 12) + `1"],"b":["` + strings.Repeat(`1","`, 12) + `1"]}`} {
		if err := s.Subscribe(s.TopicARN(), "a@example.com", policy); err == nil {
			t.Errorf("%s is taken", policy)
		}
	}
	if err := s.Subscribe(s.TopicARN()+"s", "a@example.com", ""); err == nil {
		t.Error("a topic that is not there is subscribed to")
	}
}

package simaws_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/google/go-cmp/cmp"

	"github.com/buildmedic/buildmedic/internal/simaws"
)

// What is published is kept, split by protocol where it was.
func TestNotices(t *testing.T) {
	s := world(t, "region: us-east-1")
	c, ctx := dial(s, simaws.FunctionKey, "us-east-1"), deadline(t)
	out, err := c.sns.Publish(ctx, &sns.PublishInput{
		TopicArn: aws.String(s.TopicARN()), Subject: aws.String("Build healed"), MessageStructure: aws.String("json"),
		Message: aws.String(`{"default":"text","https":"{\"version\":\"1.0\"}"}`),
		MessageAttributes: map[string]types.MessageAttributeValue{
			"kind":    {DataType: aws.String("String"), StringValue: aws.String("healed")},
			"project": {DataType: aws.String("String"), StringValue: aws.String("p")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []simaws.Notice{{ID: *out.MessageId, At: s.Clock.Now(), Topic: s.TopicARN(), Subject: "Build healed",
		Message:    `{"default":"text","https":"{\"version\":\"1.0\"}"}`,
		ByProtocol: map[string]string{"default": "text", "https": `{"version":"1.0"}`},
		Attributes: map[string]string{"kind": "healed", "project": "p"}}}
	if d := cmp.Diff(want, s.Notices()); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	if d := cmp.Diff([]string{"sns.Publish"}, s.Writes()); d != "" {
		t.Errorf("writes (-want +got)\n%s", d)
	}
	if got, want := s.Calls()[0].String(), "sns.Publish arn:aws:sns:us-east-1:111122223333:buildmedic (Build healed)"; got != want {
		t.Errorf("transcript %q, want %q", got, want)
	}
}

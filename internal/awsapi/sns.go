package awsapi

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/notice"
)

// SNS implements heal.Notifier.
type SNS struct {
	Client *sns.Client
	Topic  string // ARN
}

// Notify implements [heal.Notifier].
func (s SNS) Notify(ctx context.Context, o decide.Outcome) error {
	return s.publish(ctx, notice.Render(o))
}

// Digest implements [heal.Notifier].
func (s SNS) Digest(ctx context.Context, os []decide.Outcome) error {
	return s.publish(ctx, notice.Digest(os))
}

// Week implements [heal.Notifier].
func (s SNS) Week(ctx context.Context, w decide.Week) error {
	return s.publish(ctx, notice.Week(w))
}

func (s SNS) publish(ctx context.Context, m notice.Message) error {
	subject, body, attributes := m.SNS()
	in := &sns.PublishInput{TopicArn: &s.Topic, Subject: &subject, Message: &body, MessageStructure: aws.String("json"),
		MessageAttributes: map[string]types.MessageAttributeValue{}}
	for k, v := range attributes {
		in.MessageAttributes[k] = types.MessageAttributeValue{DataType: aws.String("String"), StringValue: aws.String(v)}
	}
	if _, err := s.Client.Publish(ctx, in); err != nil {
		return fmt.Errorf("publishing to %q: %w", s.Topic, classify(err))
	}
	return nil
}

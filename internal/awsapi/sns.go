package awsapi

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/smithy-go"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/notice"
)

// SNS implements heal.Notifier.
type SNS struct {
	Client *sns.Client
	Topic  string            // ARN: whom notify itself names is told there
	Owners map[string]string // name → ARN of the topic on which that owner is told
}

// ownersTopics are the topics on which owners are told: their own ones, and those of the stack,
// which are where the healer is.
func ownersTopics(w Wiring) map[string]string {
	out := map[string]string{}
	for _, o := range w.Settings.Notify.Owners {
		if out[o.Name] = o.Topic; o.Topic == "" {
			out[o.Name] = strings.Join([]string{"arn", w.Identity.Partition, "sns", w.Region, w.Identity.Account, o.TopicName()}, ":")
		}
	}
	return out
}

// Notify implements [heal.Notifier].
func (s SNS) Notify(ctx context.Context, o decide.Outcome, turn heal.Await) error {
	return s.publish(ctx, o.For.Owner, notice.Render(o), turn)
}

// Digest implements [heal.Notifier].
func (s SNS) Digest(ctx context.Context, os []decide.Outcome, turn heal.Await) error {
	return s.publish(ctx, os[0].For.Owner, notice.Digest(os), turn)
}

// Week implements [heal.Notifier].
func (s SNS) Week(ctx context.Context, w decide.Week, turn heal.Await) error {
	return s.publish(ctx, w.For, notice.Week(w), turn)
}

func (s SNS) publish(ctx context.Context, owner string, m notice.Message, turn heal.Await) error {
	topic := s.Topic
	if owner != "" {
		topic = s.Owners[owner]
	}
	subject, body, attributes := m.SNS()
	in := &sns.PublishInput{TopicArn: &topic, Subject: &subject, Message: &body, MessageStructure: aws.String("json"),
		MessageAttributes: map[string]types.MessageAttributeValue{}}
	for k, v := range attributes {
		in.MessageAttributes[k] = types.MessageAttributeValue{DataType: aws.String("String"), StringValue: aws.String(v)}
	}
	_, err := s.Client.Publish(ctx, in, func(o *sns.Options) {
		if a, ok := codebuild.ParseARN(topic); ok {
			o.Region = a.Region // a topic is reached in its own region only
		}
		o.Retryer = inTurn{attempts(o.Retryer), turn}
	})
	if err == nil {
		return nil
	}
	var api smithy.APIError
	key := errors.As(err, &api) && strings.HasPrefix(api.ErrorCode(), "KMS")
	if why := s.outOfReach(topic, err); why != "" {
		err = fmt.Errorf("%w: %s: %s", heal.ErrFinal, why, err)
	} else if err = classify(err); owner != "" && (key && !errors.Is(err, heal.ErrLater) || errors.Is(err, heal.ErrDenied)) {
		err = fmt.Errorf("%w: the policies of the topic and of its key must let Buildmedic's function publish; see \"Tell each owner\" in "+
			"infra/README.md: %s", heal.ErrDenied, err)
	}
	return fmt.Errorf("publishing to %q: %w", topic, err)
}

// notHere are the codes with which a region answers an account that it does not know: a region that
// is turned off, or of another partition (AWS.md#topics-elsewhere).
var notHere = []string{"InvalidClientTokenId", "UnrecognizedClientException", "OptInRequired", "SubscriptionRequiredException",
	"InvalidAccessKeyId", "AuthFailure"}

// outOfReach says why nothing can be published to a topic in another region than the healer's own,
// if that is what the error means. Of a topic near the healer, it would be the healer's own trouble.
func (s SNS) outOfReach(topic string, err error) string {
	there, ok := codebuild.ParseARN(topic)
	home, known := codebuild.ParseARN(s.Topic)
	if !ok || !known || there.Region == home.Region && there.Partition == home.Partition {
		return ""
	}
	var host *net.DNSError
	if errors.As(err, &host) && host.IsNotFound {
		return fmt.Sprintf("SNS has no region %q; correct the topic's ARN in the settings", there.Region)
	}
	var api smithy.APIError
	if !errors.As(err, &api) || !slices.Contains(notHere, api.ErrorCode()) {
		return ""
	}
	if there.Partition != home.Partition {
		return fmt.Sprintf("a topic of partition %s cannot be reached from partition %s; name one of %[2]s in the settings",
			there.Partition, home.Partition)
	}
	return fmt.Sprintf("account %s has not turned region %s on; turn it on, or name a topic in another region", home.Account,
		there.Region)
}

package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/jsii-runtime-go"

	"github.com/buildmedic/buildmedic/internal/settings"
)

// owners makes the topics on which the owners are told that have none of their own.
func (h *hub) owners() {
	for _, o := range h.s.Notify.Owners {
		if o.TopicName() == "" || !o.Reachable() {
			continue
		}
		topic := awssns.NewTopic(h.stack, jsii.String("Owner"+short(o.Name)), &awssns.TopicProps{
			TopicName: jsii.String(o.TopicName()), DisplayName: jsii.String("Buildmedic"), MasterKey: h.key, EnforceSSL: jsii.Bool(true),
		})
		h.subscribe(topic, "OwnerEmail"+short(o.Name), o.Email)
		if o.Chat != nil {
			h.listen(*o.Chat, o.TopicName(), topic)
		}
	}
}

// subscribe has a topic send e-mails, each once its address is confirmed.
func (h *hub) subscribe(topic awssns.Topic, id string, addresses []string) {
	for _, address := range addresses {
		awssns.NewCfnSubscription(h.stack, jsii.String(id+short(address)), &awssns.CfnSubscriptionProps{
			TopicArn: topic.TopicArn(), Protocol: jsii.String("email"), Endpoint: jsii.String(address),
		})
	}
}

// channel is a chat channel and the topics that it shows: AWS takes one configuration of a channel.
type channel struct {
	chat   settings.Chat
	name   string // of its configuration, without the region
	topics []*string
}

// configuration is the channel's name in the account, which has one list of them for all regions: a
// hub elsewhere in it has channels of its own.
func (c channel) configuration() *string {
	return jsii.String(c.name + "-" + *awscdk.Aws_REGION())
}

// listen has a channel show a topic.
func (h *hub) listen(c settings.Chat, name string, topic awssns.Topic) {
	for i := range h.channels {
		if same(h.channels[i].chat, c) {
			h.channels[i].topics = append(h.channels[i].topics, topic.TopicArn())
			return
		}
	}
	h.channels = append(h.channels, channel{c, name, []*string{topic.TopicArn()}})
}

func same(a, b settings.Chat) bool {
	if a.Slack != nil && b.Slack != nil {
		return *a.Slack == *b.Slack
	}
	return a.Teams != nil && b.Teams != nil && *a.Teams == *b.Teams
}

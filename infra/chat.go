package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awschatbot"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/buildmedic/buildmedic/internal/settings"
)

func slack(scope constructs.Construct, c *settings.SlackChannel, r awsiam.CfnRole, may awsiam.CfnManagedPolicy, topic awssns.Topic) {
	awschatbot.NewCfnSlackChannelConfiguration(scope, jsii.String("Slack"), &awschatbot.CfnSlackChannelConfigurationProps{
		ConfigurationName: jsii.String("buildmedic"),
		IamRoleArn:        r.AttrArn(),
		SlackWorkspaceId:  jsii.String(c.Workspace),
		SlackChannelId:    jsii.String(c.Channel),
		GuardrailPolicies: &[]*string{may.Ref()},
		UserRoleRequired:  jsii.Bool(true),
		SnsTopicArns:      &[]any{topic.TopicArn()},
	})
}

func teams(scope constructs.Construct, c *settings.TeamsChannel, r awsiam.CfnRole, may awsiam.CfnManagedPolicy, topic awssns.Topic) {
	awschatbot.NewCfnMicrosoftTeamsChannelConfiguration(scope, jsii.String("Teams"), &awschatbot.CfnMicrosoftTeamsChannelConfigurationProps{
		ConfigurationName: jsii.String("buildmedic"), IamRoleArn: r.AttrArn(),
		TeamId: jsii.String(c.Team), TeamsTenantId: jsii.String(c.Tenant), TeamsChannelId: jsii.String(c.Channel),
		GuardrailPolicies: &[]*string{may.Ref()}, UserRoleRequired: jsii.Bool(true), SnsTopicArns: &[]*string{topic.TopicArn()},
	})
}

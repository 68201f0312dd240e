package main

import (
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awschatbot"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/buildmedic/buildmedic/internal/chat"
	"github.com/buildmedic/buildmedic/internal/permissions"
)

// buttons makes the channels' custom actions and gives their ARNs. What they may do is what the
// channels' guardrails say: nothing but send the function a command.
func buttons(scope constructs.Construct) *[]*string {
	var arns []*string
	region := *awscdk.Aws_REGION()
	for _, b := range chat.Buttons() {
		var criteria []any
		for _, c := range b.Criteria(permissions.Function, region) {
			criterion := &awschatbot.CfnCustomAction_CustomActionAttachmentCriteriaProperty{
				Operator: jsii.String(c.Operator), VariableName: jsii.String(c.Variable)}
			if c.Value != "" {
				criterion.Value = jsii.String(c.Value)
			}
			criteria = append(criteria, criterion)
		}
		variables := map[string]*string{}
		for name, path := range b.Variables() {
			variables[name] = jsii.String(path)
		}
		id := "Chat" + strings.ToUpper(b.Name[:1]) + b.Name[1:]
		a := awschatbot.NewCfnCustomAction(scope, jsii.String(id), &awschatbot.CfnCustomActionProps{
			ActionName: jsii.String(b.ActionName(region)),
			Definition: &awschatbot.CfnCustomAction_CustomActionDefinitionProperty{
				CommandText: jsii.String(b.Command(permissions.Function, region))},
			Attachments: []any{&awschatbot.CfnCustomAction_CustomActionAttachmentProperty{
				NotificationType: jsii.String("Custom"), ButtonText: jsii.String(b.Text), Criteria: criteria, Variables: variables}},
		})
		arns = append(arns, a.AttrCustomActionArn())
	}
	return &arns
}

func slack(scope constructs.Construct, id string, c channel, r awsiam.CfnRole, may awsiam.CfnManagedPolicy, buttons *[]*string) {
	topics := []any{}
	for _, t := range c.topics {
		topics = append(topics, t)
	}
	awschatbot.NewCfnSlackChannelConfiguration(scope, jsii.String("Slack"+id), &awschatbot.CfnSlackChannelConfigurationProps{
		ConfigurationName:         c.configuration(),
		IamRoleArn:                r.AttrArn(),
		SlackWorkspaceId:          jsii.String(c.chat.Slack.Workspace),
		SlackChannelId:            jsii.String(c.chat.Slack.Channel),
		GuardrailPolicies:         &[]*string{may.Ref()},
		UserRoleRequired:          jsii.Bool(true),
		SnsTopicArns:              &topics,
		CustomizationResourceArns: buttons,
	})
}

func teams(scope constructs.Construct, id string, c channel, r awsiam.CfnRole, may awsiam.CfnManagedPolicy, buttons *[]*string) {
	t, name := c.chat.Teams, jsii.String("Teams"+id)
	awschatbot.NewCfnMicrosoftTeamsChannelConfiguration(scope, name, &awschatbot.CfnMicrosoftTeamsChannelConfigurationProps{
		ConfigurationName: c.configuration(), IamRoleArn: r.AttrArn(),
		TeamId: jsii.String(t.Team), TeamsTenantId: jsii.String(t.Tenant), TeamsChannelId: jsii.String(t.Channel),
		GuardrailPolicies: &[]*string{may.Ref()}, UserRoleRequired: jsii.Bool(true), SnsTopicArns: &c.topics,
		CustomizationResourceArns: buttons,
	})
}

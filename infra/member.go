package main

import (
	"fmt"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/buildmedic/buildmedic/internal/permissions"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// bus is where members send their events. Only they may, and only these.
func (h *hub) bus() {
	b := awsevents.NewEventBus(h.stack, jsii.String("Bus"), &awsevents.EventBusProps{
		EventBusName: jsii.String(permissions.Bus), Description: jsii.String("Builds of Buildmedic's member accounts."),
	})
	at := here()
	var roots []string
	for _, id := range permissions.Members(h.s) {
		roots = append(roots, permissions.Place{Partition: at.Partition, Account: id}.IAM("root"))
	}
	sources, types := []string{source[0]}, []string{detailType[0]}
	piped := slices.ContainsFunc(permissions.Elsewhere(h.s), func(a settings.Account) bool {
		return len(pipelineEvents(permissions.At(h.s, a))) > 0
	})
	if piped {
		sources, types = append(sources, actionSource...), append(types, actionType...)
	}
	if len(roots) > 0 { // other regions of the hub's own account need no leave
		awsevents.NewCfnEventBusPolicy(h.stack, jsii.String("BusPolicy"), &awsevents.CfnEventBusPolicyProps{
			EventBusName: b.EventBusName(), StatementId: jsii.String("Members"),
			Statement: map[string]any{
				"Sid": "Members", "Effect": "Allow", "Principal": map[string]any{"AWS": roots},
				"Action": "events:PutEvents", "Resource": b.EventBusArn(),
				"Condition": map[string]any{"StringEquals": map[string]any{"events:source": oneOrAll(sources),
					"events:detail-type": oneOrAll(types)}},
			},
		})
	}
	accounts := permissions.Members(h.s)
	if slices.ContainsFunc(permissions.Elsewhere(h.s), func(a settings.Account) bool { return a.ID == "" }) {
		accounts = append(accounts, at.Account)
	}
	rule := func(id, name, description string, to awssqs.Queue, pattern map[string]any) awsevents.CfnRule {
		pattern["account"] = accounts
		r := h.rule(id, name, permissions.Bus, description, pattern, to)
		r.SetEventBusName(b.EventBusName())
		return r
	}
	builds := func(statuses []string) map[string]any {
		return map[string]any{"source": source, "detail-type": detailType, "detail": map[string]any{"build-status": statuses}}
	}
	ends := rule("MemberEnds", "member-ends", "The end of builds that Buildmedic started, as the members' rules chose them.",
		h.followUps, builds(ended))
	// An older version has one rule for all. Before that takes failures alone, there is the other.
	rule("MemberBuilds", "member-builds", "Builds that failed, as the members' rules chose them.", h.queue,
		builds(failed)).Node().AddDependency(ends)
	if piped {
		rule("MemberPipelines", "member-pipelines", "Actions of pipelines that failed, as the members' rules chose them.", h.queue,
			map[string]any{"source": actionSource, "detail-type": actionType, "detail": map[string]any{"state": []string{"FAILED"}}})
	}
}

// oneOrAll is a condition's value: a list only where there are several.
func oneOrAll(list []string) any {
	if len(list) == 1 {
		return list[0]
	}
	return list
}

// NewMemberStack makes the one template for all member accounts and regions:
// each takes from it, by conditions, what is its own. So it can be given to a
// StackSet as it is. It carries no assets and needs no bootstrapped account.
func NewMemberStack(scope constructs.Construct, id string, s *settings.Settings) (awscdk.Stack, error) {
	stack := awscdk.NewStack(scope, jsii.String(id), &awscdk.StackProps{
		StackName: jsii.String(id), Description: jsii.String("Lets Buildmedic look after CodeBuild projects of this account and region."),
		Synthesizer: awscdk.NewDefaultStackSynthesizer(&awscdk.DefaultStackSynthesizerProps{
			GenerateBootstrapVersionRule: jsii.Bool(false),
		}),
		SuppressTemplateIndentation: tight(s),
	})
	account := parameter(stack, "HubAccount", "Account id of the hub.", `\d{12}`)
	region := parameter(stack, "HubRegion", "Region of the hub.", `[a-z]{2}(-[a-z]+)+-\d`)
	home := permissions.Place{Partition: *awscdk.Aws_PARTITION(), Account: *account, Region: *region}

	forward(stack, s, home)
	most, err := quota(stack)
	if err != nil {
		return nil, err
	}
	for _, id := range permissions.Members(s) {
		if err := member(stack, s, id, home, most); err != nil {
			return nil, err
		}
	}
	return stack, nil
}

func parameter(stack awscdk.Stack, id, description, pattern string) *string {
	return awscdk.NewCfnParameter(stack, jsii.String(id), &awscdk.CfnParameterProps{
		Type: jsii.String("String"), Description: jsii.String(description), AllowedPattern: jsii.String(pattern),
	}).ValueAsString()
}

// forward sends this account's and region's events to the hub. What a rule
// cannot deliver within a day is found by the hub's sweep, so there is no
// dead-letter queue that somebody would have to watch here.
//
// EventBridge acts for a rule, and names it: only rules of this account and
// region may send as this role. Their names are CloudFormation's, which cuts
// them as it likes, and a rule that names the role cannot be named by it.
func forward(stack awscdk.Stack, s *settings.Settings, home permissions.Place) {
	bus := home.ARN("events", "event-bus/"+permissions.Bus)
	rules := map[string]any{
		"StringEquals": map[string]any{"aws:SourceAccount": here().Account},
		"ArnLike":      map[string]any{"aws:SourceArn": here().ARN("events", "rule/*")},
	}
	r := awsiam.NewCfnRole(stack, jsii.String("Forward"), &awsiam.CfnRoleProps{
		Description:              jsii.String("Sends CodeBuild's events to Buildmedic's hub."),
		AssumeRolePolicyDocument: map[string]any{"Version": "2012-10-17", "Statement": []any{trust("events.amazonaws.com", rules)}},
		Policies: []any{&awsiam.CfnRole_PolicyProperty{PolicyName: jsii.String("forward"), PolicyDocument: map[string]any{
			"Version": "2012-10-17",
			"Statement": []any{map[string]any{"Sid": "Hub", "Effect": "Allow", "Action": "events:PutEvents",
				"Resource": bus}}}}},
	})
	for _, a := range permissions.Elsewhere(s) {
		own := permissions.MemberRole + "/"
		if a.ID == "" { // there the function needs no other role than its own
			own = permissions.HubRole + home.Region + "/"
		}
		cond := condition(stack, a, home)
		for i, e := range events(permissions.At(s, a), own) {
			rule := awsevents.NewCfnRule(stack, jsii.String(fmt.Sprintf("Builds%s%d", words(a), i+1)), &awsevents.CfnRuleProps{
				Description: jsii.String("Builds for Buildmedic's hub."), EventPattern: e.whole(),
				Targets: []any{&awsevents.CfnRule_TargetProperty{Id: jsii.String("Hub"), Arn: jsii.String(bus), RoleArn: r.AttrArn()}},
			})
			under(rule, cond)
		}
		for i, pattern := range pipelineEvents(permissions.At(s, a)) {
			rule := awsevents.NewCfnRule(stack, jsii.String(fmt.Sprintf("Pipelines%s%d", words(a), i+1)), &awsevents.CfnRuleProps{
				Description: jsii.String("Actions of pipelines for Buildmedic's hub."), EventPattern: pattern,
				Targets: []any{&awsevents.CfnRule_TargetProperty{Id: jsii.String("Hub"), Arn: jsii.String(bus), RoleArn: r.AttrArn()}},
			})
			under(rule, cond)
		}
	}
}

// member is the role that the hub assumes in the account, and the policies
// that it may attach there. IAM is one for all regions, so they are made in
// the region that the settings' accounts name first for the account.
func member(stack awscdk.Stack, s *settings.Settings, account string, home permissions.Place, most int) error {
	policies, err := permissions.Member(s, account, home, most)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(s.Accounts, func(a settings.Account) bool { return a.ID == account })
	cond := condition(stack, s.Accounts[i], home)
	hubRole := home.IAM("role/" + permissions.HubRole + home.Region)
	// The condition names the hub's role, not the principal: IAM would turn
	// a principal into an id that is worth nothing once the hub is created again.
	trusted := map[string]any{
		"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": map[string]any{"AWS": home.IAM("root")},
		"Condition": map[string]any{"ArnEquals": map[string]any{"aws:PrincipalArn": hubRole}},
	}
	role(stack, "Role"+account, permissions.MemberRole,
		"Buildmedic's hub acts as this role. Its permissions are made from its settings.", trusted, policies, cond)
	return ready(stack, s, account, home, cond)
}

// condition holds where the template is deployed in the account and region.
func condition(stack awscdk.Stack, a settings.Account, home permissions.Place) awscdk.CfnCondition {
	id := "In" + words(a)
	if c, ok := stack.Node().TryFindChild(jsii.String(id)).(awscdk.CfnCondition); ok {
		return c
	}
	account, region := a.ID, a.Region
	if account == "" {
		account = home.Account
	}
	if region == "" {
		region = home.Region
	}
	return awscdk.NewCfnCondition(stack, jsii.String(id), &awscdk.CfnConditionProps{Expression: awscdk.Fn_ConditionAnd(
		awscdk.Fn_ConditionEquals(awscdk.Aws_ACCOUNT_ID(), account),
		awscdk.Fn_ConditionEquals(awscdk.Aws_REGION(), region),
	)})
}

// words is an account and region as part of an id.
func words(a settings.Account) string {
	if a.Region == "" {
		a.Region = "Hub"
	}
	id := a.ID
	for _, r := range a.Region {
		if r != '-' {
			id += string(r)
		}
	}
	return id
}

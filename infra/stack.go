package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awseventstargets"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3assets"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/buildmedic/buildmedic/internal/permissions"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// The function's measures.
const (
	timeoutMinutes = 5  // a batch of failures, each with its reads and one write
	batchSize      = 10 // messages that one run takes
	// concurrency is how many runs the failures start at once, following how many
	// the follow-ups do, curing how many the cases do that were put off; SQS starts
	// at least 2 (AWS.md#from-event-to-function).
	concurrency, following, curing = 5, 4, 3
	// besides are runs kept for the sweep and for people's commands.
	besides      = 2
	memory       = 512 // CPU comes with memory; long logs are scanned
	receives     = 5   // deliveries before a message is a dead letter
	sweepMinutes = 15
	namespace    = "Buildmedic"
)

// hub is the stack under construction.
type hub struct {
	stack awscdk.Stack
	s     *settings.Settings
	topic awssns.Topic
	// channels are the chat channels, that of notify itself first.
	channels []channel
	key      awskms.Key
	table    awsdynamodb.Table
	queue    awssqs.Queue // builds that failed
	// followUps are what cases under way wait for. They do not wait behind failures.
	followUps awssqs.Queue
	// cures are cases that were put off while many builds fail at once. They wait for their roles in a
	// row, before which others can be seen.
	cures awssqs.Queue
	// ruleNames are the rules that bring builds, behind their bus's name unless
	// that is the default bus.
	ruleNames []string
	rules     []awsevents.CfnRule
	dead      awssqs.Queue // messages that the function could not take up
	lost      awssqs.Queue // events that could not be delivered to a queue
	log       awslogs.LogGroup
	code      awss3assets.Asset // the function's package
	function  awslambda.Function
}

// NewHubStack makes the function and all around it. code is the directory
// that the function carries.
func NewHubStack(scope constructs.Construct, id string, s *settings.Settings, code string) (awscdk.Stack, error) {
	h := &hub{s: s, stack: awscdk.NewStack(scope, jsii.String(id), &awscdk.StackProps{
		StackName: jsii.String(id), Description: jsii.String("Buildmedic heals failed CodeBuild builds."),
		SuppressTemplateIndentation: tight(s),
	})}
	h.notices()
	h.ledger()
	h.queues()
	h.log = awslogs.NewLogGroup(h.stack, jsii.String("Log"), &awslogs.LogGroupProps{
		LogGroupName: jsii.String("/aws/lambda/" + permissions.Function),
		Retention:    awslogs.RetentionDays_SIX_MONTHS, RemovalPolicy: awscdk.RemovalPolicy_DESTROY,
	})
	if err := h.healer(code); err != nil {
		return nil, err
	}
	h.builds()
	if len(permissions.Elsewhere(s)) > 0 {
		h.bus()
	}
	h.deliveries()
	if err := ready(h.stack, s, "", here(), nil); err != nil {
		return nil, err
	}
	h.chat()
	alarms := h.alarms()
	h.dashboard(alarms)
	h.outputs()
	return h.stack, nil
}

// tight reports whether a template has to do without indentation, which is half
// of it.
func tight(s *settings.Settings) *bool { return jsii.Bool(len(s.Projects) >= permissions.Many) }

// notices is the topic on which the team is told. An AWS managed key would
// not let alarms publish, so the key is the stack's own.
func (h *hub) notices() {
	alarm := awsiam.NewServicePrincipal(jsii.String("cloudwatch.amazonaws.com"), nil)
	ours := map[string]any{"StringEquals": map[string]any{"aws:SourceAccount": h.stack.Account()}}
	h.key = awskms.NewKey(h.stack, jsii.String("Key"), &awskms.KeyProps{
		Description: jsii.String("Encrypts Buildmedic's notices."), EnableKeyRotation: jsii.Bool(true),
		PendingWindow: awscdk.Duration_Days(jsii.Number(7)), RemovalPolicy: awscdk.RemovalPolicy_DESTROY,
	})
	h.key.AddToResourcePolicy(statement("AlarmsMayEncrypt", alarm, "*", ours, "kms:Decrypt", "kms:GenerateDataKey*"), nil)
	h.topic = awssns.NewTopic(h.stack, jsii.String("Notices"), &awssns.TopicProps{
		DisplayName: jsii.String("Buildmedic"), MasterKey: h.key, EnforceSSL: jsii.Bool(true),
	})
	h.topic.AddToResourcePolicy(statement("AlarmsMayPublish", alarm, *h.topic.TopicArn(), ours, "sns:Publish"))
	h.subscribe(h.topic, "Email", h.s.Notify.Email)
	if c := h.s.Notify.Chat; c != nil {
		h.listen(*c, "buildmedic", h.topic)
	}
	h.owners()
}

func statement(sid string, who awsiam.IPrincipal, resource string, conditions map[string]any, actions ...string) awsiam.PolicyStatement {
	return awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Sid: jsii.String(sid), Principals: &[]awsiam.IPrincipal{who}, Resources: jsii.Strings(resource),
		Actions: jsii.Strings(actions...), Conditions: &conditions,
	})
}

// ledger is the table of cases, claims, leases, plans and the audit. It
// outlives the stack: it holds what an undo needs.
func (h *hub) ledger() {
	attribute := func(name string) *awsdynamodb.Attribute {
		return &awsdynamodb.Attribute{Name: jsii.String(name), Type: awsdynamodb.AttributeType_STRING}
	}
	h.table = awsdynamodb.NewTable(h.stack, jsii.String("Ledger"), &awsdynamodb.TableProps{
		PartitionKey: attribute("pk"), SortKey: attribute("sk"), TimeToLiveAttribute: jsii.String("expires"),
		BillingMode:                      awsdynamodb.BillingMode_PAY_PER_REQUEST,
		PointInTimeRecoverySpecification: &awsdynamodb.PointInTimeRecoverySpecification{PointInTimeRecoveryEnabled: jsii.Bool(true)},
		DeletionProtection:               jsii.Bool(true),
		RemovalPolicy:                    awscdk.RemovalPolicy_RETAIN_ON_UPDATE_OR_DELETE,
	})
	h.table.AddGlobalSecondaryIndex(&awsdynamodb.GlobalSecondaryIndexProps{
		IndexName: jsii.String(permissions.DueIndex), PartitionKey: attribute("shard"), SortKey: attribute("due"),
		ProjectionType: awsdynamodb.ProjectionType_KEYS_ONLY,
	})
	// CloudFormation makes or deletes one index in an update (AWS.md#index), so a
	// table with the former index gets this one beside it first.
	if v, ok := h.stack.Node().TryGetContext(jsii.String("index")).(string); ok && v == "both" {
		h.table.AddGlobalSecondaryIndex(&awsdynamodb.GlobalSecondaryIndexProps{
			IndexName: jsii.String("due"), PartitionKey: attribute("kind"), SortKey: attribute("due"),
			ProjectionType: awsdynamodb.ProjectionType_ALL,
		})
	}
}

func (h *hub) queues() {
	queue := func(id string, dead *awssqs.DeadLetterQueue) awssqs.Queue {
		return awssqs.NewQueue(h.stack, jsii.String(id), &awssqs.QueueProps{
			Encryption: awssqs.QueueEncryption_SQS_MANAGED, EnforceSSL: jsii.Bool(true),
			RetentionPeriod: awscdk.Duration_Days(jsii.Number(14)),
			// Six timeouts are what Lambda asks for; dead letters are read by people.
			VisibilityTimeout: awscdk.Duration_Minutes(jsii.Number(6 * timeoutMinutes)),
			DeadLetterQueue:   dead,
		})
	}
	h.lost = queue("LostEvents", nil)
	h.dead = queue("DeadLetters", nil)
	dead := &awssqs.DeadLetterQueue{Queue: h.dead, MaxReceiveCount: jsii.Number(receives)}
	h.queue, h.followUps, h.cures = queue("Queue", dead), queue("FollowUps", dead), queue("Cures", dead)
}

// healer is the function, its role and what wakes it.
func (h *hub) healer(code string) error {
	name := permissions.HubRole + *h.stack.Region()
	at := here()
	most, err := quota(h.stack)
	if err != nil {
		return err
	}
	policies, err := permissions.Hub(h.s, permissions.Parts{
		Place: at, Table: *h.table.TableArn(), Topic: *h.topic.TopicArn(), Key: *h.key.KeyArn(),
		Queue: *h.queue.QueueArn(), FollowUps: *h.followUps.QueueArn(), Cures: *h.cures.QueueArn(),
		LogGroup: at.ARN("logs", "log-group:/aws/lambda/"+permissions.Function),
	}, most)
	if err != nil {
		return err
	}
	r, managed := role(h.stack, "Role", name, "Buildmedic's function. Its permissions are made from its settings.",
		trust("lambda.amazonaws.com", nil), policies, nil)
	h.function = awslambda.NewFunction(h.stack, jsii.String("Function"), &awslambda.FunctionProps{
		FunctionName: jsii.String(permissions.Function), Description: jsii.String("Heals failed CodeBuild builds."),
		Runtime: awslambda.Runtime_PROVIDED_AL2023(), Architecture: awslambda.Architecture_ARM_64(),
		Handler: jsii.String("bootstrap"), Code: awslambda.Code_FromAsset(jsii.String(code), nil),
		MemorySize: jsii.Number(memory), Timeout: awscdk.Duration_Minutes(jsii.Number(timeoutMinutes)),
		ReservedConcurrentExecutions: h.reserved(),
		Tracing:                      awslambda.Tracing_ACTIVE,
		LogGroup:                     h.log,
		LoggingFormat:                awslambda.LoggingFormat_JSON,
		// It comes back to a case through a queue of its own, by design and within
		// the bounds of its ledger. Lambda would take that for a runaway loop.
		RecursiveLoop: awslambda.RecursiveLoop_ALLOW,
		// Nothing may add to the role but the permissions above.
		Role: awsiam.Role_FromRoleArn(h.stack, jsii.String("FixedRole"), r.AttrArn(), &awsiam.FromRoleArnOptions{
			Mutable: jsii.Bool(false),
		}),
		Environment: h.environment(code),
		// A missed sweep is made good by the next one, and a command is for
		// its sender to repeat.
		RetryAttempts: jsii.Number(0), MaxEventAge: awscdk.Duration_Minutes(jsii.Number(sweepMinutes)),
	})
	for _, m := range managed {
		h.function.Node().AddDependency(m)
	}
	take := func(id string, from awssqs.Queue, most float64) {
		awslambda.NewEventSourceMapping(h.stack, jsii.String(id), &awslambda.EventSourceMappingProps{
			Target: h.function, EventSourceArn: from.QueueArn(), BatchSize: jsii.Number(batchSize),
			MaxConcurrency: jsii.Number(most), ReportBatchItemFailures: jsii.Bool(true),
		})
	}
	take("Messages", h.queue, concurrency)
	take("FollowUpMessages", h.followUps, following)
	take("CureMessages", h.cures, curing)
	awsevents.NewRule(h.stack, jsii.String("Sweep"), &awsevents.RuleProps{
		Description: jsii.String("Finds failed builds that no event reported, and cases that are due."),
		Schedule:    awsevents.Schedule_Rate(awscdk.Duration_Minutes(jsii.Number(sweepMinutes))),
		Targets: &[]awsevents.IRuleTarget{awseventstargets.NewLambdaFunction(h.function, &awseventstargets.LambdaFunctionProps{
			Event:         awsevents.RuleTargetInput_FromObject(map[string]any{"sweep": map[string]any{}}),
			RetryAttempts: jsii.Number(0),
		})},
	})
	return nil
}

// environment is what lambda/config.go reads, besides what Lambda sets. The
// settings are in the function's package, which Lambda says where it is.
func (h *hub) environment(code string) *map[string]*string {
	// The package once more, which is uploaded once: Code does not tell where to.
	pack := awss3assets.NewAsset(h.stack, jsii.String("Package"), &awss3assets.AssetProps{Path: jsii.String(code)})
	env := map[string]*string{
		"BUILDMEDIC_TABLE":          h.table.TableName(),
		"BUILDMEDIC_TOPIC_ARN":      h.topic.TopicArn(),
		"BUILDMEDIC_KEY_ARN":        h.key.KeyArn(),
		"BUILDMEDIC_QUEUE_URL":      h.queue.QueueUrl(),
		"BUILDMEDIC_FOLLOW_UPS_URL": h.followUps.QueueUrl(),
		"BUILDMEDIC_CURES_URL":      h.cures.QueueUrl(),
		"BUILDMEDIC_ROLE":           jsii.String(permissions.HubRole + *h.stack.Region()),
		// Where the synthesizer has the code uploaded, whatever its qualifier is.
		"BUILDMEDIC_CODE_BUCKET": pack.S3BucketName(),
	}
	if len(permissions.Members(h.s)) > 0 {
		env["BUILDMEDIC_MEMBER_ROLE"] = jsii.String(permissions.MemberRole)
	}
	return &env
}

// reserved is how many runs are kept for the function, and how many it may
// have. An account with a limit of 10 runs cannot keep any: there,
// -c reserved=none leaves it out.
func (h *hub) reserved() *float64 {
	if v, ok := h.stack.Node().TryGetContext(jsii.String("reserved")).(string); ok && v == "none" {
		return nil
	}
	return jsii.Number(concurrency + following + curing + besides)
}

// builds brings CodeBuild's events about the projects of the hub's account and
// region into the queues.
func (h *hub) builds() {
	own := permissions.HubRole + *h.stack.Region() + "/"
	for i, e := range events(permissions.At(h.s, settings.Account{}), own) {
		what, to := "Builds that failed.", h.queue
		if e.Own != "" {
			what, to = "The end of builds that Buildmedic started.", h.followUps
		}
		h.rule(fmt.Sprintf("Builds%d", i+1), fmt.Sprintf("builds-%d", i+1), "", what, e.whole(), to)
	}
	for i, pattern := range pipelineEvents(permissions.At(h.s, settings.Account{})) {
		h.rule(fmt.Sprintf("Pipelines%d", i+1), fmt.Sprintf("pipelines-%d", i+1), "", "Actions of pipelines that failed.", pattern, h.queue)
	}
}

// rule brings events of a bus into a queue; bus is "" for the default one. The
// rule's name is fixed, so that the queue's policy can say it without depending
// on the rule: the rule depends on the policy.
func (h *hub) rule(id, name, bus, description string, pattern map[string]any, to awssqs.Queue) awsevents.CfnRule {
	name = permissions.Prefix + name
	h.ruleNames = append(h.ruleNames, strings.TrimPrefix(bus+"/"+name, "/"))
	r := awsevents.NewCfnRule(h.stack, jsii.String(id), &awsevents.CfnRuleProps{
		Name: jsii.String(name), Description: jsii.String(description), EventPattern: pattern, State: jsii.String("ENABLED"),
		Targets: []any{&awsevents.CfnRule_TargetProperty{Id: jsii.String("Queue"), Arn: to.QueueArn(),
			DeadLetterConfig: &awsevents.CfnRule_DeadLetterConfigProperty{Arn: h.lost.QueueArn()}}},
	})
	h.rules = append(h.rules, r)
	return r
}

// deliveries lets EventBridge send to the queues, and what it cannot deliver to
// lost events, for the hub's own rules by their names: another rule of the
// account that named a queue could make up builds. It is one statement whatever the number of
// rules, since SQS takes no more than 20 in a policy, and it is about sending only, where the CDK's
// own target would let the rules look at the queue, too. No rule sends before it may.
func (h *hub) deliveries() {
	if len(h.ruleNames) == 0 {
		return // the settings name no project yet
	}
	at := here()
	var arns []string
	for _, name := range h.ruleNames {
		arns = append(arns, at.ARN("events", "rule/"+name))
	}
	rules := map[string]any{"ArnEquals": map[string]any{"aws:SourceArn": arns}}
	for _, q := range []awssqs.Queue{h.queue, h.followUps, h.lost} {
		may := q.AddToResourcePolicy(statement("EventsMaySend",
			awsiam.NewServicePrincipal(jsii.String("events.amazonaws.com"), nil), *q.QueueArn(), rules,
			"sqs:SendMessage"))
		for _, r := range h.rules {
			r.Node().AddDependency(may.PolicyDependable)
		}
	}
}

// chat sends the notices to channels of Amazon Q Developer. A channel
// itself may do nothing; people act from it as their own role, and may do no
// more than send the function a command.
func (h *hub) chat() {
	if len(h.channels) == 0 {
		return
	}
	may := awsiam.NewCfnManagedPolicy(h.stack, jsii.String("ChatMay"), &awsiam.CfnManagedPolicyProps{
		Path: jsii.String(permissions.Path), Description: jsii.String("The most that anybody may do from Buildmedic's channel."),
		PolicyDocument: map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{
			"Sid": "Commands", "Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": h.function.FunctionArn()}}},
	})
	// AWS documents no aws:SourceAccount or aws:SourceArn for this service when
	// it assumes a role, and a condition on a key that is not there never holds.
	r := awsiam.NewCfnRole(h.stack, jsii.String("ChatRole"), &awsiam.CfnRoleProps{
		Description:              jsii.String("Buildmedic's channel. It has no permissions."),
		AssumeRolePolicyDocument: map[string]any{"Version": "2012-10-17", "Statement": []any{trust("chatbot.amazonaws.com", nil)}},
	})
	acts := buttons(h.stack)
	for i, c := range h.channels {
		id := ""
		if i > 0 || h.s.Notify.Chat == nil {
			id = short(c.name)
		}
		if c.chat.Slack != nil {
			slack(h.stack, id, c, r, may, acts)
		} else {
			teams(h.stack, id, c, r, may, acts)
		}
	}
}

// outputs say what there is and what to do next.
func (h *hub) outputs() {
	out := func(id, description string, value *string) {
		awscdk.NewCfnOutput(h.stack, jsii.String(id), &awscdk.CfnOutputProps{Description: jsii.String(description), Value: value})
	}
	out("FunctionName", "The function; send it commands with aws lambda invoke.", h.function.FunctionName())
	out("QueueUrl", "Failed builds go in here; make test-event sends one.", h.queue.QueueUrl())
	out("TopicArn", "Notices come out here.", h.topic.TopicArn())
	out("TableName", "The ledger. It stays when the stack goes.", h.table.TableName())
	out("DashboardUrl", "Failures by cause, healed, reported, refused, time to heal.", jsii.String(fmt.Sprintf(
		"https://%s.console.aws.amazon.com/cloudwatch/home?region=%[1]s#dashboards:name=%s", *h.stack.Region(), dashboardName(h))))
	out("NextConfirm", "What to do first.",
		jsii.String("Open the mail with the subject \"AWS Notification - Subscription Confirmation\" and confirm, "+
			"or no notice arrives."))
	out("NextTest", "What to do then.", jsii.String("Send a failed build of one of your projects: make test-event PROJECT=name"))
}

// trust lets the service assume a role. condition may be nil.
func trust(service string, condition map[string]any) map[string]any {
	t := map[string]any{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": map[string]any{"Service": service}}
	if condition != nil {
		t["Condition"] = condition
	}
	return t
}

// short tells apart things whose names make no ids, whatever their order.
func short(s string) string {
	h := sha256.Sum256([]byte(s))
	return hex.EncodeToString(h[:4])
}

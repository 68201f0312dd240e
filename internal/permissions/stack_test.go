package permissions_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/buildmedic/buildmedic/internal/awsapi"
	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/permissions"
	"github.com/buildmedic/buildmedic/internal/settings"
	"github.com/buildmedic/buildmedic/internal/simaws"
	"github.com/buildmedic/buildmedic/internal/story"
)

// matches judges an event by a pattern as EventBridge does, as far as our
// patterns go: objects, lists of values, and prefixes.
func matches(t *testing.T, pattern, event any) bool {
	t.Helper()
	switch p := pattern.(type) {
	case map[string]any:
		e, ok := event.(map[string]any)
		if !ok {
			return false
		}
		for key, sub := range p {
			if v, there := e[key]; !there || !matches(t, sub, v) {
				return false
			}
		}
		return true
	case []any:
		return slices.ContainsFunc(p, func(x any) bool {
			if m, ok := x.(map[string]any); ok {
				prefix, ok := m["prefix"].(string)
				if !ok || len(m) != 1 {
					t.Fatalf("the pattern %v is of a kind that this test does not know", m)
				}
				s, ok := event.(string)
				return ok && strings.HasPrefix(s, prefix)
			}
			return x == event
		})
	}
	t.Fatalf("the pattern %v is of a kind that this test does not know", pattern)
	return false
}

// event is CodeBuild's state change, as far as patterns look (AWS.md#event-shape).
func event(t *testing.T, project, status, initiator string) map[string]any {
	t.Helper()
	data := `{"version": "0", "id": "c030038d-8c4d-6141-9545-00ff7b7153e0", "detail-type": "CodeBuild Build State Change",
		"source": "aws.codebuild", "account": "111122223333", "time": "2026-11-22T10:15:12Z", "region": "us-west-2",
		"resources": ["arn:aws:codebuild:us-west-2:111122223333:build/` + project + `:8745a7a9-c340-456a-9166-edf953571be0"],
		"detail": {"build-status": "` + status + `", "project-name": "` + project + `",
			"build-id": "arn:aws:codebuild:us-west-2:111122223333:build/` + project + `:8745a7a9-c340-456a-9166-edf953571be0",
			"additional-information": {"initiator": "` + initiator + `", "build-complete": true},
			"current-phase": "COMPLETED", "current-phase-context": "[: ]", "version": "1"}}`
	var e map[string]any
	if err := json.Unmarshal([]byte(data), &e); err != nil {
		t.Fatal(err)
	}
	return e
}

func TestRules(t *testing.T) {
	ours := "buildmedic-hub-us-west-2/buildmedic"
	edit := func(e map[string]any, key string, value any) map[string]any { e[key] = value; return e }
	for _, c := range []struct {
		why   string
		event map[string]any
		want  int
	}{
		{"failed", event(t, "TrackerAPI", "FAILED", "GitHub-Hookshot/0123abc"), 1},
		{"faulted", event(t, "qivr-deploy", "FAULT", "alice"), 1},
		{"timed out", event(t, "site", "TIMED_OUT", "codepipeline/shop"), 1},
		{"observed", event(t, "docs", "FAILED", "alice"), 1},
		{"a retry of ours failed again", event(t, "TrackerAPI", "FAILED", ours), 1},
		{"a retry of ours is green", event(t, "TrackerAPI", "SUCCEEDED", ours), 1},
		{"somebody stopped a retry of ours", event(t, "TrackerAPI", "STOPPED", ours), 1},

		{"begun", event(t, "TrackerAPI", "IN_PROGRESS", "alice"), 0},
		{"a retry of ours has begun", event(t, "TrackerAPI", "IN_PROGRESS", ours), 0},
		{"somebody's build is green", event(t, "TrackerAPI", "SUCCEEDED", "alice"), 0},
		{"a pipeline's build is green", event(t, "TrackerAPI", "SUCCEEDED", "codepipeline/shop"), 0},
		{"a batch's build is green", event(t, "TrackerAPI", "SUCCEEDED", "codebuild-TrackerAPI-service-role/AWSCodeBuild-8745a7a9"), 0},
		{"green, by a role whose name begins like ours", event(t, "TrackerAPI", "SUCCEEDED", "buildmedic-hub-us-west-2b/x"), 0},
		{"green, by a user named like our role", event(t, "TrackerAPI", "SUCCEEDED", "buildmedic-hub-us-west-2"), 0},
		{"stopped by its author", event(t, "TrackerAPI", "STOPPED", "alice"), 0},
		{"another project", event(t, "payroll", "FAILED", "alice"), 0},
		{"a project whose name begins like one", event(t, "TrackerAPI-2", "FAILED", "alice"), 0},
		{"a project in other letters", event(t, "trackerapi", "FAILED", "alice"), 0},
		{"a member's project", event(t, "worker", "FAILED", "alice"), 0},
		{"another source", edit(event(t, "TrackerAPI", "FAILED", "alice"), "source", "com.example"), 0},
		{"a phase", edit(event(t, "TrackerAPI", "FAILED", "alice"), "detail-type", "CodeBuild Build Phase Change"), 0},
	} {
		got := 0
		for id, r := range load(t, seed).of("AWS::Events::Rule") {
			if r.Properties["EventPattern"] == nil || r.Properties["EventBusName"] != nil {
				continue
			}
			if matches(t, r.Properties["EventPattern"], c.event) {
				got++
			}
			if r.Properties["State"] != "ENABLED" {
				t.Errorf("rule %s is %v", id, r.Properties["State"])
			}
		}
		if got != c.want {
			t.Errorf("%s: %d rules take it, want %d", c.why, got, c.want)
		}
	}
}

// A member's events go to the hub's bus, and from there into the queue.
func TestMemberRules(t *testing.T) {
	bus := "arn:aws:events:us-west-2:111122223333:event-bus/buildmedic"
	taken := map[string]bool{}
	for id, r := range load(t, member).of("AWS::Events::Rule") {
		targets := r.Properties["Targets"].([]any)
		if target := targets[0].(map[string]any); len(targets) != 1 || target["Arn"] != bus || target["RoleArn"] == nil {
			t.Errorf("rule %s goes to %v, want to %s as a role", id, targets, bus)
		}
		for name, e := range map[string]map[string]any{
			"failed": event(t, "worker", "FAILED", "alice"),
			"ours":   event(t, "worker", "SUCCEEDED", "buildmedic-member/buildmedic"),
			"other":  event(t, "worker", "SUCCEEDED", "alice"),
			"hub's":  event(t, "TrackerAPI", "FAILED", "alice"),
		} {
			if matches(t, r.Properties["EventPattern"], e) {
				taken[r.Condition+" "+name] = true
			}
		}
	}
	want := []string{"In444455556666euwest1 failed", "In444455556666euwest1 ours", "In444455556666useast1 failed",
		"In444455556666useast1 ours"}
	if got := slices.Sorted(maps.Keys(taken)); !slices.Equal(got, want) {
		t.Errorf("taken are %v, want %v", got, want)
	}
	hub := load(t, seed)
	policy := hub.one(t, "AWS::Events::EventBusPolicy").Properties["Statement"].(map[string]any)
	if got := text(policy["Principal"]); got != `{"AWS":["arn:aws:iam::444455556666:root"]}` || policy["Action"] != "events:PutEvents" {
		t.Errorf("the hub's bus takes %v from %s", policy["Action"], got)
	}
	found := map[string]int{}
	for _, r := range hub.of("AWS::Events::Rule") {
		if r.Properties["EventBusName"] != "buildmedic" {
			continue
		}
		for _, status := range []string{"FAILED", "FAULT", "TIMED_OUT", "SUCCEEDED", "STOPPED"} {
			e := event(t, "worker", status, "alice")
			e["account"] = other
			if matches(t, r.Properties["EventPattern"], e) {
				found[status]++
			}
			e["account"] = "999988887777"
			if matches(t, r.Properties["EventPattern"], e) {
				t.Error("the hub takes events of a foreign account")
			}
		}
	}
	if want := map[string]int{"FAILED": 1, "FAULT": 1, "TIMED_OUT": 1, "SUCCEEDED": 1, "STOPPED": 1}; !maps.Equal(found, want) {
		t.Errorf("what members send reaches a queue so often: %v", found)
	}
}

func TestMemberConditions(t *testing.T) {
	tpl := load(t, member)
	for id, r := range tpl.Resources {
		if r.Condition == "" && id != "Forward" {
			t.Errorf("%s is made in every account and region", id)
		}
		if r.Condition != "" && tpl.Conditions[r.Condition] == nil {
			t.Errorf("%s has the condition %s, which is none", id, r.Condition)
		}
		if strings.HasPrefix(r.Type, "AWS::S3") || r.Type == "AWS::Lambda::Function" {
			t.Errorf("%s: a member must need no assets", id)
		}
	}
	if got := slices.Sorted(maps.Keys(tpl.Parameters)); !slices.Equal(got, []string{"HubAccount", "HubRegion"}) {
		t.Errorf("its parameters are %v; a StackSet has to know all of them", got)
	}
}

// EventBridge may send to the three queues for the hub's own rules, by their
// names, and may do nothing else to them. It stays one statement however many rules there are:
// SQS takes 20 in a policy.
func TestQueuePolicies(t *testing.T) {
	for _, file := range []string{shipped, seed} {
		tpl := load(t, file)
		var own []any
		for _, r := range tpl.of("AWS::Events::Rule") {
			name, _ := r.Properties["Name"].(string)
			switch bus, _ := r.Properties["EventBusName"].(string); {
			case name == "": // the schedule's
			case bus != "":
				own = append(own, here("events", "rule/"+permissions.Bus+"/"+name))
			default:
				own = append(own, here("events", "rule/"+name))
			}
		}
		may := map[string]bool{}
		for _, p := range tpl.of("AWS::SQS::QueuePolicy") {
			for _, v := range p.Properties["PolicyDocument"].(map[string]any)["Statement"].([]any) {
				st := v.(map[string]any)
				if st["Effect"] != "Allow" {
					continue
				}
				if text(st["Principal"]) != `{"Service":"events.amazonaws.com"}` || st["Action"] != "sqs:SendMessage" {
					t.Errorf("%s: %s may %v", file, text(st["Principal"]), st["Action"])
				}
				condition := st["Condition"].(map[string]any)
				equals, _ := condition["ArnEquals"].(map[string]any)
				arns, one := equals["aws:SourceArn"].([]any)
				if !one {
					arns = []any{equals["aws:SourceArn"]}
				}
				if len(condition) != 1 || len(equals) != 1 || !sameTexts(arns, own) {
					t.Errorf("%s: it may for %s, want %v", file, text(condition), own)
				}
				queue := st["Resource"].(string)
				if may[queue] {
					t.Errorf("%s: %s is there twice", file, queue)
				}
				may[queue] = true
			}
		}
		rules := 0
		for id, r := range tpl.of("AWS::Events::Rule") {
			target := r.Properties["Targets"].([]any)[0].(map[string]any)
			if r.Properties["ScheduleExpression"] != nil {
				continue
			}
			rules++
			name, _ := r.Properties["Name"].(string)
			if bus := r.Properties["EventBusName"]; bus == nil && !strings.HasPrefix(name, "buildmedic-builds-") &&
				!strings.HasPrefix(name, "buildmedic-pipelines-") ||
				bus != nil && bus != permissions.Bus {
				t.Errorf("%s: rule %s, named %q, may not send to the queue", file, id, name)
			}
			detail := r.Properties["EventPattern"].(map[string]any)["detail"].(map[string]any)
			status := text(detail["build-status"])
			if detail["state"] != nil { // of a pipeline's action
				status = text(detail["state"])
			}
			to := map[string]string{`["FAILED","FAULT","TIMED_OUT"]`: ":Queue", `["FAILED"]`: ":Queue",
				`["SUCCEEDED","STOPPED"]`: ":FollowUps"}[status]
			if q := target["Arn"].(string); to == "" || !strings.Contains(q, to) {
				t.Errorf("%s: rule %s sends %s to %s", file, id, status, q)
			}
			for _, q := range []any{target["Arn"], target["DeadLetterConfig"].(map[string]any)["Arn"]} {
				if !may[q.(string)] {
					t.Errorf("%s: rule %s may not send to %s", file, id, q)
				}
			}
		}
		if queues := min(3*rules, 3); len(may) != queues || file == seed && rules != 6 {
			t.Errorf("%s: %d rules send to %d queues", file, rules, len(may))
		}
	}
}

// Only EventBridge, for rules of this account and region, sends as the
// member's role, and only to the hub's bus. EventBridge names the rule and its
// account when it assumes a target's role.
func TestForwardRole(t *testing.T) {
	p := load(t, member).Resources["Forward"].Properties
	want := `[{"Action":"sts:AssumeRole","Condition":{"ArnLike":{"aws:SourceArn":"` + here("events", "rule/*") +
		`"},"StringEquals":{"aws:SourceAccount":"` + account +
		`"}},"Effect":"Allow","Principal":{"Service":"events.amazonaws.com"}}]`
	if got := text(p["AssumeRolePolicyDocument"].(map[string]any)["Statement"]); got != want {
		t.Errorf("its trust is %s, want %s", got, want)
	}
	policies := p["Policies"].([]any)
	want = `[{"Action":"events:PutEvents","Effect":"Allow","Resource":"` + here("events", "event-bus/buildmedic") + `","Sid":"Hub"}]`
	if got := text(policies[0].(map[string]any)["PolicyDocument"].(map[string]any)["Statement"]); len(policies) != 1 || got != want {
		t.Errorf("it may %s, want %s", got, want)
	}
	if p["ManagedPolicyArns"] != nil {
		t.Error("policies of AWS's own are on it")
	}
}

// All that the stacks make is known to the function as its own, so that no
// grant touches it.
func TestPartsAreWhatTheStacksMake(t *testing.T) {
	// What has no ARN of its own, or one that nothing in a build's reach acts on.
	other := []string{"AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy", "AWS::SNS::Subscription",
		"AWS::Events::EventBusPolicy", "AWS::Lambda::Permission",
		"AWS::Lambda::EventInvokeConfig", "AWS::Lambda::EventSourceMapping", "AWS::CloudWatch::Dashboard",
		"AWS::Chatbot::SlackChannelConfiguration", "AWS::Chatbot::CustomAction"}
	for file, stack := range map[string]string{seed: "Buildmedic", member: "BuildmedicMember"} {
		tpl := load(t, file)
		// The topic, table, key and queues are named by the environment.
		hub := load(t, seed)
		hub.owners()
		id := func(kind string) string { return slices.Collect(maps.Keys(hub.of(kind)))[0] }
		parts := awsapi.Parts(awsapi.Identity{Partition: partition, Account: account, Role: "buildmedic-hub-" + region},
			region, permissions.Function, awsapi.Queues{}, id("AWS::DynamoDB::Table"), here("sns", id("AWS::SNS::Topic")),
			here("kms", "key/"+id("AWS::KMS::Key")))
		names := resolver{t, map[string]any{}}
		for id, r := range tpl.Resources {
			names.resources[id] = map[string]any{"Type": r.Type, "Properties": r.Properties}
		}
		for id, r := range tpl.Resources {
			if slices.Contains(other, r.Type) {
				continue
			}
			arn := names.attribute(id, "Arn")
			switch { // CloudFormation makes the name
			case r.Type == "AWS::IAM::ManagedPolicy" || r.Type == "AWS::DynamoDB::Table" ||
				r.Type == "AWS::SNS::Topic" && names.name(id) == id || r.Type == "AWS::KMS::Key":
			case names.name(id) == id:
				arn = strings.TrimSuffix(arn, id) + stack + "-" + id + "-0A1B2C3D4E5F"
			}
			if r.Type == "AWS::Events::Rule" && r.Properties["EventBusName"] != nil {
				arn = strings.Replace(arn, ":rule/", ":rule/"+permissions.Bus+"/", 1)
			}
			if !slices.ContainsFunc(parts, func(p string) bool { return iampolicy.MatchPattern(p, arn) }) {
				t.Errorf("%s: %s, %s, is none of its parts", file, id, arn)
			}
		}
	}
}

// Environment and lambda/config.go name the same variables.
func TestEnvironmentIsWhatTheFunctionReads(t *testing.T) {
	// For trials: without a table, and with other settings than the package holds.
	trials := []string{"BUILDMEDIC_LEDGER", "BUILDMEDIC_SETTINGS"}
	var reads []string
	for _, name := range constants(t, "../../lambda/config.go") {
		if strings.HasPrefix(name, "BUILDMEDIC_") && !slices.Contains(trials, name) {
			reads = append(reads, name)
		}
	}
	slices.Sort(reads)
	env := func(file string) map[string]any {
		return load(t, file).one(t, "AWS::Lambda::Function").Properties["Environment"].(map[string]any)["Variables"].(map[string]any)
	}
	if got := slices.Sorted(maps.Keys(env(seed))); !slices.Equal(got, reads) {
		t.Errorf("the stack sets %v, and the function reads %v", got, reads)
	}
	e := env(seed)
	if name := "BUILDMEDIC_MEMBER_ROLE"; e[name] != permissions.MemberRole {
		t.Errorf("%s is %v, want %s", name, e[name], permissions.MemberRole)
	}
	for name, prefix := range map[string]string{
		"BUILDMEDIC_TOPIC_ARN": "arn:aws:sns:",
		"BUILDMEDIC_KEY_ARN":   "arn:aws:kms:",
		"BUILDMEDIC_QUEUE_URL": "https://sqs.",
	} {
		if v, _ := e[name].(string); !strings.HasPrefix(v, prefix) {
			t.Errorf("%s is %v, want %s…", name, e[name], prefix)
		}
	}
	if _, ok := env(shipped)["BUILDMEDIC_MEMBER_ROLE"]; ok {
		t.Error("without members there is a member role")
	}
}

func TestFunction(t *testing.T) {
	tpl := load(t, seed)
	p := tpl.one(t, "AWS::Lambda::Function").Properties
	for key, want := range map[string]string{
		"FunctionName": `"buildmedic"`, "Runtime": `"provided.al2023"`, "Architectures": `["arm64"]`, "Handler": `"bootstrap"`,
		"TracingConfig": `{"Mode":"Active"}`, "RecursiveLoop": `"Allow"`, "ReservedConcurrentExecutions": "14",
		"LoggingConfig": `{"LogFormat":"JSON","LogGroup":"/aws/lambda/buildmedic"}`,
	} {
		if got := text(p[key]); got != want {
			t.Errorf("%s is %s, want %s", key, got, want)
		}
	}
	if p["Role"] != hubRole {
		t.Errorf("its role is %v", p["Role"])
	}
	trust, _ := tpl.role(t, "buildmedic-hub-"+region)
	if got, want := text(trust.Properties["AssumeRolePolicyDocument"].(map[string]any)["Statement"]),
		`[{"Action":"sts:AssumeRole","Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"}}]`; got != want {
		t.Errorf("its trust is %s, want %s", got, want)
	}
	if trust.Properties["ManagedPolicyArns"] != nil {
		t.Error("policies of AWS's own are on its role")
	}
	async := tpl.one(t, "AWS::Lambda::EventInvokeConfig").Properties
	if async["MaximumRetryAttempts"] != 0.0 {
		t.Errorf("a sweep that failed is repeated %v times; the next one is due anyway", async["MaximumRetryAttempts"])
	}
	taken := map[string]string{}
	together := 0.0
	for _, r := range tpl.of("AWS::Lambda::EventSourceMapping") {
		m := r.Properties
		from := m["EventSourceArn"].(string)
		taken[strings.TrimRight(from[strings.LastIndexByte(from, ':')+1:], "0123456789ABCDEF")] = text(
			[]any{m["BatchSize"], m["FunctionResponseTypes"], m["ScalingConfig"]})
		together += m["ScalingConfig"].(map[string]any)["MaximumConcurrency"].(float64)
	}
	if want := map[string]string{"Queue": `[10,["ReportBatchItemFailures"],{"MaximumConcurrency":5}]`,
		"Cures":     `[10,["ReportBatchItemFailures"],{"MaximumConcurrency":3}]`,
		"FollowUps": `[10,["ReportBatchItemFailures"],{"MaximumConcurrency":4}]`}; !maps.Equal(taken, want) {
		t.Errorf("messages are taken as %v", taken)
	}
	if reserved := p["ReservedConcurrentExecutions"].(float64); reserved < together+2 {
		t.Errorf("of %v runs the queues take %v: too few are left for the sweep and for commands", reserved, together)
	}
	sweeps := 0
	for _, r := range tpl.of("AWS::Events::Rule") {
		if r.Properties["ScheduleExpression"] == "rate(15 minutes)" {
			sweeps++
			if in := r.Properties["Targets"].([]any)[0].(map[string]any)["Input"]; in != `{"sweep":{}}` {
				t.Errorf("the sweep says %v", in)
			}
		}
	}
	if sweeps != 1 {
		t.Errorf("%d schedules, want one", sweeps)
	}
}

// Whatever is kept is encrypted, bounded in time or protected.
func TestStorage(t *testing.T) {
	tpl := load(t, seed)
	timeout := tpl.one(t, "AWS::Lambda::Function").Properties["Timeout"].(float64)
	dead := map[any]bool{}
	for id, q := range tpl.of("AWS::SQS::Queue") {
		if q.Properties["SqsManagedSseEnabled"] != true || q.Properties["MessageRetentionPeriod"] != 1209600.0 {
			t.Errorf("queue %s: encryption %v, retention %v", id, q.Properties["SqsManagedSseEnabled"],
				q.Properties["MessageRetentionPeriod"])
		}
		if v := q.Properties["VisibilityTimeout"].(float64); v < 6*timeout {
			t.Errorf("queue %s: a message comes back after %v s, while the function may take %v", id, v, timeout)
		}
		if r, ok := q.Properties["RedrivePolicy"].(map[string]any); ok {
			dead[r["deadLetterTargetArn"]] = true
		}
	}
	if len(tpl.of("AWS::SQS::Queue")) != 5 || len(dead) != 1 {
		t.Errorf("%d queues, %d for dead letters; want those of failures, follow-ups and cures, one of their dead letters, and lost events",
			len(tpl.of("AWS::SQS::Queue")), len(dead))
	}
	lost := map[any]bool{}
	for id, r := range tpl.of("AWS::Events::Rule") {
		target := r.Properties["Targets"].([]any)[0].(map[string]any)
		if d, ok := target["DeadLetterConfig"].(map[string]any); ok {
			lost[d["Arn"]] = true
		} else if r.Properties["ScheduleExpression"] == nil {
			t.Errorf("rule %s drops what it cannot deliver", id)
		}
	}
	if len(lost) != 1 || dead[slices.Collect(maps.Keys(lost))[0]] {
		t.Errorf("lost events go to %v, dead letters to %v; want one queue each", lost, dead)
	}
	table := tpl.one(t, "AWS::DynamoDB::Table")
	for key, want := range map[string]string{
		"BillingMode": `"PAY_PER_REQUEST"`, "DeletionProtectionEnabled": "true",
		"PointInTimeRecoverySpecification": `{"PointInTimeRecoveryEnabled":true}`,
	} {
		if got := text(table.Properties[key]); got != want {
			t.Errorf("the table's %s is %s, want %s", key, got, want)
		}
	}
	if table.DeletionPolicy != "RetainExceptOnCreate" {
		t.Errorf("the table goes with the stack: %s", table.DeletionPolicy)
	}
	if got := tpl.one(t, "AWS::Logs::LogGroup").Properties["RetentionInDays"]; got != 180.0 {
		t.Errorf("the log is kept for %v days", got)
	}
	key := tpl.one(t, "AWS::KMS::Key")
	if key.Properties["EnableKeyRotation"] != true ||
		!strings.Contains(text(key.Properties["KeyPolicy"]), `"Service":"cloudwatch.amazonaws.com"`) {
		t.Error("the key does not rotate, or lets no alarm through")
	}
	owners := tpl.owners()
	if len(owners) != 2 || owners["buildmedic-owner-web"].Type == "" {
		t.Errorf("there are the owners' topics %v", slices.Collect(maps.Keys(owners)))
	}
	owners[""] = tpl.one(t, "AWS::SNS::Topic")
	for name, topic := range owners {
		if k, _ := topic.Properties["KmsMasterKeyId"].(string); !strings.Contains(k, ":key/") {
			t.Errorf("the topic %q is encrypted with %q", name, k)
		}
	}
	if !strings.Contains(text(tpl.one(t, "AWS::SNS::TopicPolicy").Properties), `"Service":"cloudwatch.amazonaws.com"`) {
		t.Error("alarms may not publish on the topic")
	}
}

// The table is of the ledger's shape.
func TestTableIsTheLedgers(t *testing.T) {
	names := constants(t, "../awsapi/dynamodb.go")
	if names["IndexName"] != permissions.DueIndex {
		t.Errorf("the ledger asks the index %q, and the function may ask %q", names["IndexName"], permissions.DueIndex)
	}
	p := load(t, seed).one(t, "AWS::DynamoDB::Table").Properties
	for got, want := range map[string]string{
		text(p["KeySchema"]): `[{"AttributeName":"` + names["PartitionKey"] +
			`","KeyType":"HASH"},{"AttributeName":"` + names["SortKey"] + `","KeyType":"RANGE"}]`,
		text(p["TimeToLiveSpecification"]): `{"AttributeName":"` + names["TTLAttribute"] + `","Enabled":true}`,
		text(p["GlobalSecondaryIndexes"]): `[{"IndexName":"` + names["IndexName"] +
			`","KeySchema":[{"AttributeName":"shard","KeyType":"HASH"},{"AttributeName":"due","KeyType":"RANGE"}],` +
			`"Projection":{"ProjectionType":"KEYS_ONLY"}}]`,
	} {
		if got != want {
			t.Errorf("the table has %s, want %s", got, want)
		}
	}
}

func TestAlarms(t *testing.T) {
	tpl := load(t, seed)
	topic := "arn:aws:sns:us-west-2:111122223333:"
	watched := map[string]bool{}
	for id, a := range tpl.of("AWS::CloudWatch::Alarm") {
		p := a.Properties
		dimension := ""
		if d, ok := p["Dimensions"].([]any); ok {
			dimension = d[0].(map[string]any)["Value"].(string)
		}
		watched[p["Namespace"].(string)+" "+p["MetricName"].(string)+" "+strings.TrimRight(dimension, "0123456789ABCDEF")] = true
		actions := text(p["AlarmActions"])
		if !strings.HasPrefix(actions, `["`+topic) {
			t.Errorf("alarm %s tells %s", id, actions)
		}
		if len(p["AlarmDescription"].(string)) < 40 {
			t.Errorf("alarm %s does not say what to do", id)
		}
	}
	want := []string{"AWS/Lambda Errors buildmedic", "AWS/Lambda Throttles buildmedic", "AWS/SQS ApproximateAgeOfOldestMessage Cures",
		"AWS/SQS ApproximateAgeOfOldestMessage FollowUps",
		"AWS/SQS ApproximateAgeOfOldestMessage Queue",
		"AWS/SQS ApproximateNumberOfMessagesVisible DeadLetters",
		"AWS/SQS ApproximateNumberOfMessagesVisible LostEvents", "Buildmedic Paused "}
	if got := slices.Sorted(maps.Keys(watched)); !slices.Equal(got, want) {
		t.Errorf("watched are\n%q, want\n%q", got, want)
	}
}

var ownMetric = regexp.MustCompile(`"Buildmedic","([A-Za-z]+)"|\{Buildmedic,([A-Za-z]+)\} MetricName="([A-Za-z]+)"`)

// The dashboard shows only what the function measures.
func TestDashboardShowsWhatIsMeasured(t *testing.T) {
	if n := constants(t, "../notice/metrics.go")["Namespace"]; n != "Buildmedic" {
		t.Fatalf("the metrics are in %q", n)
	}
	source, err := os.ReadFile("../notice/metrics.go")
	if err != nil {
		t.Fatal(err)
	}
	body := load(t, seed).one(t, "AWS::CloudWatch::Dashboard").Properties["DashboardBody"].(string)
	shown := map[string]bool{}
	for _, m := range ownMetric.FindAllStringSubmatch(strings.ReplaceAll(body, `\"`, `"`), -1) {
		for _, name := range m[1:] {
			if name != "" {
				shown[name] = true
			}
		}
	}
	for _, a := range load(t, seed).of("AWS::CloudWatch::Alarm") {
		if a.Properties["Namespace"] == "Buildmedic" {
			shown[a.Properties["MetricName"].(string)] = true
		}
	}
	for name := range shown {
		if !bytes.Contains(source, []byte(`"`+name+`"`)) {
			t.Errorf("%s is shown or watched, and never measured", name)
		}
	}
	for _, name := range []string{"Failures", "Cause", "Healed", "Reported", "Refused", "Rule", "TimeToHeal", "Paused"} {
		if !shown[name] {
			t.Errorf("%s is measured, and not shown", name)
		}
	}
}

func TestEverythingIsTagged(t *testing.T) {
	untaggable := []string{"AWS::SNS::TopicPolicy", "AWS::SNS::Subscription", "AWS::SQS::QueuePolicy", "AWS::Lambda::Permission",
		"AWS::Lambda::EventInvokeConfig", "AWS::Events::EventBusPolicy", "AWS::CloudWatch::Dashboard", "AWS::IAM::ManagedPolicy"}
	for _, file := range []string{seed, member} {
		for id, r := range load(t, file).Resources {
			if !slices.Contains(untaggable, r.Type) &&
				!strings.Contains(text(r.Properties["Tags"]), `{"Key":"Application","Value":"buildmedic"}`) {
				t.Errorf("%s: %s, a %s, has no cost tag", file, id, r.Type)
			}
		}
	}
}

func TestOutputsTellWhatToDoNext(t *testing.T) {
	out := load(t, shipped).Outputs
	for name, want := range map[string]string{
		"NextConfirm":  "confirm",
		"NextTest":     "make test-event",
		"QueueUrl":     "https://",
		"TopicArn":     "arn:aws:sns:",
		"FunctionName": "buildmedic",
	} {
		if !strings.Contains(out[name].Value, want) {
			t.Errorf("output %s is %q, want it to say %q", name, out[name].Value, want)
		}
	}
}

// From the channel nobody may do more than send the function a command.
func TestChat(t *testing.T) {
	tpl := load(t, seed)
	name, shows := "", map[string]int{}
	for _, r := range tpl.of("AWS::Chatbot::SlackChannelConfiguration") {
		p := r.Properties
		if p["UserRoleRequired"] != true {
			t.Error("everybody in the channel acts as the channel")
		}
		guardrails := p["GuardrailPolicies"].([]any)
		if len(guardrails) != 1 || name != "" && guardrails[0] != name {
			t.Fatalf("its guardrails are %v", guardrails)
		}
		name = guardrails[0].(string)
		shows[p["SlackChannelId"].(string)] = len(p["SnsTopicArns"].([]any))
	}
	if d := cmp.Diff(map[string]int{"C0EXAMPLE": 2, "C0WEB": 1}, shows); d != "" { // two owners of a channel share its configuration
		t.Errorf("how many topics each channel shows, -want +got:\n%s", d)
	}
	doc := tpl.Resources[name[strings.LastIndexByte(name, '/')+1:]].Properties["PolicyDocument"]
	want := `{"Statement":[{"Action":"lambda:InvokeFunction","Effect":"Allow",` +
		`"Resource":"arn:aws:lambda:us-west-2:111122223333:function:buildmedic","Sid":"Commands"}],` +
		`"Version":"2012-10-17"}`
	if got := text(doc); got != want {
		t.Errorf("the most that anybody may do is %s, want %s", got, want)
	}
	if tpl.Resources["ChatRole"].Properties["Policies"] != nil || tpl.Resources["ChatRole"].Properties["ManagedPolicyArns"] != nil {
		t.Error("the channel itself has permissions")
	}
	if got, want := text(tpl.Resources["ChatRole"].Properties["AssumeRolePolicyDocument"].(map[string]any)["Statement"]),
		`[{"Action":"sts:AssumeRole","Effect":"Allow","Principal":{"Service":"chatbot.amazonaws.com"}}]`; got != want {
		t.Errorf("its trust is %s, want %s", got, want)
	}
}

// The buttons of the channel are those that the stories press, and nothing in them depends on who
// or what is in the channel.
func TestChatButtons(t *testing.T) {
	tpl := load(t, seed)
	made := tpl.of("AWS::Chatbot::CustomAction")
	names := map[string]bool{}
	for _, want := range story.Actions(permissions.Function, region) {
		var got *simaws.CustomAction
		for _, r := range made {
			var a simaws.CustomAction
			if err := json.Unmarshal([]byte(text(r.Properties)), &a); err != nil {
				t.Fatal(err)
			}
			if a.ActionName == want.ActionName {
				got = &a
			}
		}
		if got == nil {
			t.Errorf("the stack makes no action %s", want.ActionName)
			continue
		}
		names[want.ActionName], got.Tags = true, nil
		if diff := cmp.Diff(want, *got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", want.ActionName, diff)
		}
	}
	for id, c := range tpl.of("AWS::Chatbot::SlackChannelConfiguration") {
		listed := c.Properties["CustomizationResourceArns"].([]any)
		if len(names) != len(made) || len(listed) != len(made) {
			t.Errorf("%d actions are meant, %d made, %d in the channel %s", len(names), len(made), len(listed), id)
		}
	}
	for name := range load(t, shipped).Resources {
		if strings.HasPrefix(name, "Chat") {
			t.Errorf("without a channel there is %s", name)
		}
	}
}

// parseFile reads a settings file whose tests must hold.
func parseFile(t *testing.T, what string, data []byte) *settings.Settings {
	t.Helper()
	s, err := settings.Parse(data)
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	for _, problem := range settings.RunTests(s, settings.Account{}, "") {
		t.Errorf("%s: %v", what, problem)
	}
	return s
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// The file to edit is right, as shipped and as edited.
func TestSettingsFile(t *testing.T) {
	data, as := read(t, "../../infra/buildmedic.yaml"), read(t, "../../infra/testdata/shipped.yaml")
	s := parseFile(t, "infra/buildmedic.yaml", data)
	if len(s.Projects) == 0 && !bytes.Equal(data, as) {
		t.Error("infra/buildmedic.yaml names no project, as it is shipped, and infra/testdata/shipped.yaml says something else")
	}
}

// As it is shipped the file allows nothing. What it has in comments is right
// once the # are taken away, and everything in it is observed.
func TestShippedSettings(t *testing.T) {
	data := read(t, "../../infra/testdata/shipped.yaml")
	s := parseFile(t, "as it is", data)
	if len(s.Projects)+len(s.Grants)+len(s.Accounts)+len(s.Notify.Email) != 0 {
		t.Errorf("as it is, it names something: %+v", s)
	}
	limits := s.Limits
	var example bytes.Buffer
	for lines := bufio.NewScanner(bytes.NewReader(data)); lines.Scan(); {
		if !strings.HasPrefix(lines.Text(), "##") && !strings.HasPrefix(lines.Text(), "# yaml-language-server: ") {
			example.WriteString(strings.TrimPrefix(lines.Text(), "# ") + "\n")
		}
	}
	s = parseFile(t, "with the examples", example.Bytes())
	if len(s.Projects) != 2 || len(s.Grants) != 2 || len(s.Tests) != 2 || len(s.Accounts) != 1 {
		t.Errorf("with the examples it is %+v", s)
	}
	for _, p := range s.Projects {
		if p.Mode != settings.Observe {
			t.Errorf("example %s is in mode %s, want observe", p.Name, p.Mode)
		}
	}
	if s.Limits != limits {
		t.Errorf("the limits shown are %+v, and the defaults are %+v", s.Limits, limits)
	}
	if !bytes.Contains(example.Bytes(), []byte("limits:")) {
		t.Error("the examples show no limits")
	}
}

// sameTexts reports whether two lists have the same texts, in any order.
func sameTexts(a, b []any) bool {
	sorted := func(list []any) (out []string) {
		for _, v := range list {
			out = append(out, fmt.Sprint(v))
		}
		slices.Sort(out)
		return out
	}
	return slices.Equal(sorted(a), sorted(b))
}

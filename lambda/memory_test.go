package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/buildmedic/buildmedic/internal/awsapi"
	"github.com/buildmedic/buildmedic/internal/ledger/ledgertest"
	"github.com/buildmedic/buildmedic/internal/simaws"
	"github.com/buildmedic/buildmedic/internal/story"
)

// BenchmarkMemory has one instance of the function take up a storm of 1,000 failures, and prints
// what memory the process has had at most by then. It is the function as it is deployed: in a
// process of its own, with the ledger in an independent DynamoDB, and the account beside it. One
// instance takes what ten would share.
func BenchmarkMemory(b *testing.B) {
	if runtime.GOOS != "linux" {
		b.Skip("a process's memory is read from /proc")
	}
	const projects, commits = 51, 20
	world, set := story.Crowd(projects, commits)
	set = append(set, "limits: {retries_per_hour: 1000, writes_per_hour: 1000}\nnotify: {digest: 1000}\n"...)
	sim, err := simaws.Load(world)
	if err != nil {
		b.Fatal(err)
	}
	defer sim.Close()
	file := filepath.Join(b.TempDir(), "buildmedic.yaml")
	if err := os.WriteFile(file, set, 0o600); err != nil {
		b.Fatal(err)
	}
	api, ledger := newRuntimeAPI(b), ledgertest.Dynalite(b)
	makeTable(b, ledger)
	pid, printed := start(b, build(b, runtime.GOARCH), api,
		envSettings+"="+file, envTable+"="+table, envTopic+"="+sim.TopicARN(), envQueue+"="+sim.QueueURL(simaws.Queue),
		envFollowUps+"="+sim.QueueURL(simaws.FollowUps), envCures+"="+sim.QueueURL(simaws.Cures),
		envRegion+"=us-east-1", "AWS_ENDPOINT_URL="+sim.URL(), "AWS_ENDPOINT_URL_DYNAMODB="+ledger,
		"AWS_ACCESS_KEY_ID="+simaws.FunctionKey, "AWS_SECRET_ACCESS_KEY=simulated", "AWS_SESSION_TOKEN=simulated")
	from := 0
	for _, to := range []int{1, projects} { // always new projects: a healed one does not fail again
		for i := range commits {
			for p := from; p < to; p++ {
				if _, err := sim.Run(simaws.Start{Project: fmt.Sprintf("p%d", p), Version: fmt.Sprintf("refs/heads/b%d", i)}); err != nil {
					b.Fatal(err)
				}
			}
		}
		n := (to - from) * commits
		from = to
		deliver(b, sim, api)
		if told := told(printed.String()); told < to*commits {
			b.Fatalf("of %d failures %d were told of", to*commits, told)
		}
		b.ReportMetric(resident(b, pid), fmt.Sprintf("MB/%d-at-once", n))
	}
	b.ReportMetric(0, "ns/op")
}

// table is the ledger's.
const table = "ledger"

// makeTable makes the ledger's table as the stack does.
func makeTable(b *testing.B, url string) {
	b.Helper()
	api := dynamodb.New(dynamodb.Options{Region: "us-east-1", BaseEndpoint: &url,
		Credentials: credentials.NewStaticCredentialsProvider(simaws.FunctionKey, "simulated", "")})
	text := func(n string) types.AttributeDefinition {
		return types.AttributeDefinition{AttributeName: aws.String(n), AttributeType: types.ScalarAttributeTypeS}
	}
	keys := func(hash, order string) []types.KeySchemaElement {
		return []types.KeySchemaElement{{AttributeName: &hash, KeyType: types.KeyTypeHash},
			{AttributeName: &order, KeyType: types.KeyTypeRange}}
	}
	_, err := api.CreateTable(b.Context(), &dynamodb.CreateTableInput{
		TableName: aws.String(table), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{text(awsapi.PartitionKey), text(awsapi.SortKey), text("shard"), text("due")},
		KeySchema:            keys(awsapi.PartitionKey, awsapi.SortKey),
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{{IndexName: aws.String(awsapi.IndexName), KeySchema: keys("shard", "due"),
			Projection: &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly}}}})
	if err != nil {
		b.Fatal(err)
	}
}

var auditedCase = regexp.MustCompile(`"case":"([0-9a-f]{16})"`)

// told counts the cases of which the function's log tells.
func told(log string) int {
	cases := map[string]bool{}
	for _, m := range auditedCase.FindAllStringSubmatch(log, -1) {
		cases[m[1]] = true
	}
	return len(cases)
}

// deliver hands over all messages, as many at a time as Lambda would.
func deliver(b *testing.B, sim *simaws.Sim, api *runtimeAPI) {
	b.Helper()
	for {
		m, ok := sim.NextMessage(b.Context())
		if !ok {
			return
		}
		ms := []simaws.Message{m}
		for len(ms) < 10 {
			if m, ok = sim.Receive(); !ok {
				break
			}
			ms = append(ms, m)
		}
		a := api.invoke(b, story.Batch(ms...))
		var resp events.SQSEventResponse
		if a.kind != "response" || json.Unmarshal(a.body, &resp) != nil || len(resp.BatchItemFailures) > 0 {
			b.Fatalf("answer: %s %s", a.kind, a.body)
		}
		for _, m := range ms {
			m.Ack()
		}
	}
}

var highWater = regexp.MustCompile(`VmHWM:\s+(\d+) kB`)

// resident is the most memory that a process has had, in MB.
func resident(b *testing.B, pid int) float64 {
	b.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Fatal(err)
	}
	m := highWater.FindSubmatch(data)
	if m == nil {
		b.Fatal("the system does not tell a process's memory")
	}
	kb, err := strconv.ParseFloat(string(m[1]), 64)
	if err != nil {
		b.Fatal(err)
	}
	return kb / 1000
}

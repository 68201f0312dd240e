package deploytest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/buildmedic/buildmedic/internal/simaws"
	"github.com/buildmedic/buildmedic/internal/story"
	"github.com/buildmedic/buildmedic/testdata"
)

// rie is the variable that make test-deploy sets: Lambda's own runtime, as
// AWS ships it for trials.
const rie = "BUILDMEDIC_RIE"

// lambdaRuntime is the function in Lambda's own runtime, before a simulated account.
type lambdaRuntime struct {
	t   *testing.T
	sim *simaws.Sim
	url string
	pid int // the runtime's; the function is its child
}

// TestLambdaRuntime has AWS's own runtime run the function: a whole heal, and what
// comes of a death in the middle.
func TestLambdaRuntime(t *testing.T) {
	if os.Getenv(rie) == "" {
		t.Skip("make test-deploy runs this: it installs AWS's runtime interface emulator first")
	}
	dynamo := tables(t)
	for _, row := range []struct {
		name   string
		dies   string // the call after whose effect the function is killed; "" for none
		writes []string
		rest   bool // what is left is done by the next invocation, and not only later
	}{
		{"heals", "", []string{"iam.PutRolePolicy", "codebuild.RetryBuild", "sns.Publish"}, true},
		{"dies before it has claimed the case", "codebuild.BatchGetBuilds",
			[]string{"iam.PutRolePolicy", "codebuild.RetryBuild", "sns.Publish"}, true},
		// The case belongs to the dead run for six minutes, after which
		// another takes it up: package soak plays that, in simulated time.
		{"dies after its write", "iam.PutRolePolicy", []string{"iam.PutRolePolicy", "sqs.SendMessage"}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := startRuntime(t, dynamo)
			var died atomic.Bool
			r.sim.Hook(func(c simaws.Call) simaws.Fault {
				if !c.Done || c.Service+"."+c.Operation != row.dies || died.Swap(true) {
					return simaws.Fault{}
				}
				for _, pid := range r.functions() {
					syscall.Kill(pid, syscall.SIGKILL)
				}
				return simaws.Fault{Cut: true}
			})
			pids := r.deliver(row.rest)
			if got := r.sim.Writes(); !slices.Equal(got, row.writes) {
				t.Errorf("it wrote %s, should write %s", got, row.writes)
			}
			for _, operation := range []string{"iam.PutRolePolicy", "codebuild.RetryBuild"} {
				if n := r.times(operation); n > 1 {
					t.Errorf("%s was called %d times", operation, n)
				}
			}
			if want := map[bool]int{false: 1, true: 2}[row.dies != ""]; len(pids) != want {
				t.Errorf("the invocations were served by processes %v; there should be %d", pids, want)
			}
			if bs := r.sim.Builds("TrackerAPI"); row.rest && (len(bs) != 2 || bs[1].Status != "SUCCEEDED") {
				t.Errorf("builds: %+v", bs)
			}
		})
	}
}

// tables starts the emulator for its DynamoDB alone, where the ledger outlives
// the function, and gives its address.
func tables(t *testing.T) string {
	t.Helper()
	port, dir := freePort(t), t.TempDir()
	ctx, stop := context.WithCancel(context.Background())
	out := &bytes.Buffer{}
	cmd, err := begin(ctx, dir, append(os.Environ(), "GATEWAY_PORT="+port, "BIND_HOST=127.0.0.1", "SERVICES=dynamodb",
		"TMPDIR="+dir, "STATE_DIR="+filepath.Join(dir, "state")), out, filepath.Join(os.Getenv(tools), "ministack"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(); _ = end(cmd) }) // it ends by being stopped
	url := "http://127.0.0.1:" + port
	listens(t, url+"/_ministack/health", out)
	return url
}

// listens waits until there is an answer.
func listens(t *testing.T, url string, out fmt.Stringer) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if resp, err := http.Get(url); err == nil {
			resp.Body.Close()
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("nothing listens at %s:\n%s", url, tail(out.String(), 3000))
		}
	}
}

// table makes a ledger as the stack has it.
func table(t *testing.T, endpoint string) string {
	t.Helper()
	name := "ledger-" + strconv.FormatInt(time.Now().UnixNano(), 36)
	c := dynamodb.NewFromConfig(aws.Config{Region: region, BaseEndpoint: &endpoint,
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")})
	text := func(name string) types.AttributeDefinition {
		return types.AttributeDefinition{AttributeName: aws.String(name), AttributeType: types.ScalarAttributeTypeS}
	}
	key := func(hash, sort string) []types.KeySchemaElement {
		return []types.KeySchemaElement{{AttributeName: &hash, KeyType: types.KeyTypeHash},
			{AttributeName: &sort, KeyType: types.KeyTypeRange}}
	}
	if _, err := c.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: &name, BillingMode: types.BillingModePayPerRequest, KeySchema: key("pk", "sk"),
		AttributeDefinitions: []types.AttributeDefinition{text("pk"), text("sk"), text("shard"), text("due")},
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{{IndexName: aws.String("next"), KeySchema: key("shard", "due"),
			Projection: &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly}}},
	}); err != nil {
		t.Fatal(err)
	}
	return name
}

// startRuntime starts the function in the runtime, for the first story.
func startRuntime(t *testing.T, dynamo string) *lambdaRuntime {
	t.Helper()
	ss, err := story.Load(testdata.Stories, "stories")
	if err != nil {
		t.Fatal(err)
	}
	sim, err := simaws.Load(ss[0].World)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sim.Close)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "buildmedic.yaml"), ss[0].Settings, 0o600); err != nil {
		t.Fatal(err)
	}
	program, err := filepath.Abs(filepath.Join("../..", bootstrap()))
	if err != nil {
		t.Fatal(err)
	}
	address := "127.0.0.1:" + freePort(t)
	ctx, stop := context.WithCancel(context.Background())
	out := &bytes.Buffer{}
	cmd, err := begin(ctx, dir, []string{"PATH=" + os.Getenv("PATH"), "AWS_LAMBDA_FUNCTION_NAME=buildmedic",
		"AWS_LAMBDA_FUNCTION_TIMEOUT=300",
		"AWS_REGION=" + region, "AWS_ENDPOINT_URL=" + sim.URL(), "AWS_ENDPOINT_URL_DYNAMODB=" + dynamo,
		"AWS_ACCESS_KEY_ID=" + simaws.FunctionKey, "AWS_SECRET_ACCESS_KEY=simulated", "AWS_SESSION_TOKEN=simulated",
		"BUILDMEDIC_SETTINGS=" + filepath.Join(dir, "buildmedic.yaml"), "BUILDMEDIC_TABLE=" + table(t, dynamo),
		"BUILDMEDIC_TOPIC_ARN=" + sim.TopicARN(), "BUILDMEDIC_QUEUE_URL=" + sim.QueueURL(simaws.Queue),
		"BUILDMEDIC_FOLLOW_UPS_URL=" + sim.QueueURL(simaws.FollowUps),
		"BUILDMEDIC_CURES_URL=" + sim.QueueURL(simaws.Cures)}, out, os.Getenv(rie),
		"--runtime-interface-emulator-address", address, "--runtime-api-address", "127.0.0.1:"+freePort(t), program)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stop()
		_ = end(cmd) // it ends by being stopped
		if t.Failed() {
			t.Logf("the runtime printed:\n%s", tail(out.String(), 6000))
		}
	})
	listens(t, "http://"+address, out)
	return &lambdaRuntime{t: t, sim: sim, pid: cmd.Process.Pid,
		url: "http://" + address + "/2015-03-31/functions/function/invocations"}
}

// deliver hands over the queue's messages as Lambda's trigger does, a failed
// invocation's once more; if whole, until the queue is empty, else until one
// invocation after a failed one has gone well. It gives the processes that served.
func (r *lambdaRuntime) deliver(whole bool) (pids []int) {
	failed := false
	for range 10 {
		m, ok := r.sim.NextMessage(r.t.Context())
		if !ok {
			return pids
		}
		pid, err := r.invoke(story.Batch(m))
		if !slices.Contains(pids, pid) {
			pids = append(pids, pid)
		}
		if err != nil {
			if failed {
				r.t.Fatalf("a second invocation failed: %v", err)
			}
			failed = true
			m.Nack()
			continue
		}
		m.Ack()
		if failed && !whole {
			return pids
		}
	}
	r.t.Fatalf("there is always one more message, after %v", r.sim.Calls())
	return nil
}

// invoke invokes the function, and gives the process that was started for it or
// was there already. The error is what the runtime answers when the function died.
func (r *lambdaRuntime) invoke(payload any) (pid int, err error) {
	body, err := json.Marshal(payload)
	if err != nil {
		r.t.Fatal(err)
	}
	var seen atomic.Int64
	r.sim.Hook(func(simaws.Call) simaws.Fault {
		if seen.Load() == 0 {
			for _, pid := range r.functions() {
				seen.Store(int64(pid))
			}
		}
		return simaws.Fault{}
	})
	resp, err := http.Post(r.url, "application/json", bytes.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	if ps := r.functions(); seen.Load() == 0 && len(ps) == 1 { // it made no call
		seen.Store(int64(ps[0]))
	}
	var answer struct {
		events.SQSEventResponse
		ErrorType, ErrorMessage string
	}
	if err := json.Unmarshal(text, &answer); err != nil || answer.ErrorType != "" || resp.StatusCode != http.StatusOK {
		return int(seen.Load()), fmt.Errorf("the runtime answers %s: %s", resp.Status, text)
	}
	if len(answer.BatchItemFailures) > 0 {
		r.t.Errorf("messages failed: %s", text)
	}
	return int(seen.Load()), nil
}

// functions are the processes that the runtime has started and that live.
func (r *lambdaRuntime) functions() (pids []int) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		r.t.Error(err)
	}
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended meanwhile
		}
		// PID (NAME) STATE PPID …; the name may hold anything
		_, rest, _ := strings.Cut(string(text[bytes.LastIndexByte(text, ')'):]), " ")
		if f := strings.Fields(rest); len(f) > 1 && f[1] == strconv.Itoa(r.pid) && f[0] != "Z" {
			pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
			if err != nil {
				r.t.Error(err)
			}
			pids = append(pids, pid)
		}
	}
	return pids
}

// times says how often a call had its effect.
func (r *lambdaRuntime) times(operation string) (n int) {
	for _, c := range r.sim.Calls() {
		if c.Took && c.Service+"."+c.Operation == operation {
			n++
		}
	}
	return n
}

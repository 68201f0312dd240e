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

	"github.com/buildmedic/buildmedic/internal/simaws"
	"github.com/buildmedic/buildmedic/internal/story"
)

// BenchmarkMemory has one instance of the function take up more and more
// failures, and prints what memory the process has had at most by then. It
// heals as many of them as the limits allow at most, and explains the others.
// The ledger is in the same memory, which a deployed function's is not.
func BenchmarkMemory(b *testing.B) {
	if runtime.GOOS != "linux" {
		b.Skip("a process's memory is read from /proc")
	}
	const projects, commits = 500, 20
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
	api := newRuntimeAPI(b)
	pid, printed := start(b, build(b, runtime.GOARCH, b.TempDir()), api,
		envSettings+"="+file, envLedger+"=memory", envTopic+"="+sim.TopicARN(), envQueue+"="+sim.QueueURL(simaws.Queue),
		envFollowUps+"="+sim.QueueURL(simaws.FollowUps),
		envRegion+"=us-east-1", "AWS_ENDPOINT_URL="+sim.URL(), "AWS_ACCESS_KEY_ID="+simaws.FunctionKey,
		"AWS_SECRET_ACCESS_KEY=simulated", "AWS_SESSION_TOKEN=simulated")
	from := 0
	for _, to := range []int{1, 50, projects} { // always new projects: a healed one does not fail again
		for i := range commits {
			for p := from; p < to; p++ {
				if _, err := sim.Run(simaws.Start{Project: fmt.Sprintf("p%d", p), Version: fmt.Sprintf("refs/heads/b%d", i)}); err != nil {
					b.Fatal(err)
				}
			}
		}
		from = to
		n := to * commits
		deliver(b, sim, api)
		if told := told(printed.String()); told < n {
			b.Fatalf("of %d failures %d were told of", n, told)
		}
		b.ReportMetric(resident(b, pid), fmt.Sprintf("MB/%d-cases", n))
	}
	b.ReportMetric(0, "ns/op")
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

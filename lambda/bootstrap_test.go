package main

import (
	"context"
	"debug/elf"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/buildmedic/buildmedic/internal/simaws"
	"github.com/buildmedic/buildmedic/internal/story"
	"github.com/buildmedic/buildmedic/testdata"
)

// builds is where the tests' executables are: each is linked once.
var builds struct {
	dir  string
	mu   sync.Mutex
	made map[string]string // package and architecture → path
}

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "buildmedic")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	builds.dir, builds.made = dir, map[string]string{}
	code := m.Run()
	_ = os.RemoveAll(dir) // what is left is the system's to remove
	os.Exit(code)
}

// build makes bootstrap exactly as `make build` does.
func build(t testing.TB, arch string) string { return buildPackage(t, ".", arch) }

func buildPackage(t testing.TB, pkg, arch string) string {
	t.Helper()
	builds.mu.Lock()
	defer builds.mu.Unlock()
	if path, ok := builds.made[pkg+" "+arch]; ok {
		return path
	}
	path := filepath.Join(builds.dir, filepath.Base(pkg), arch, "bootstrap")
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-tags", "lambda.norpc", "-ldflags=-s -w -buildid=", "-o", path, pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building bootstrap for %s: %v\n%s", arch, err, out)
	}
	builds.made[pkg+" "+arch] = path
	return path
}

// TestBootstrapBuilds ensures that both architectures build, into static
// executables of that architecture.
func TestBootstrapBuilds(t *testing.T) {
	for arch, want := range map[string]elf.Machine{"arm64": elf.EM_AARCH64, "amd64": elf.EM_X86_64} {
		if arch != runtime.GOARCH && os.Getenv("BUILDMEDIC_ARCHS") != "all" {
			continue // make test builds it: with an empty cache that takes minutes
		}
		f, err := elf.Open(build(t, arch))
		if err != nil {
			t.Fatal(err)
		}
		if f.Machine != want {
			t.Errorf("%s: machine %s", arch, f.Machine)
		}
		for _, p := range f.Progs {
			if p.Type == elf.PT_INTERP {
				t.Errorf("%s needs a dynamic linker", arch)
			}
		}
		f.Close()
	}
}

// runtimeAPI is the side of the Lambda Runtime API that Lambda plays.
type runtimeAPI struct {
	*httptest.Server
	next    chan invocation
	answers chan answer
	asked   chan struct{} // one entry per request for work, while there is room
}

type invocation struct {
	id      string
	payload []byte
}

type answer struct {
	id   string
	kind string // "response", "error" or "init/error"
	body []byte
}

func newRuntimeAPI(t testing.TB) *runtimeAPI {
	r := &runtimeAPI{next: make(chan invocation), answers: make(chan answer, 8), asked: make(chan struct{}, 8)}
	const base = "/2018-06-01/runtime/"
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+base+"invocation/next", func(w http.ResponseWriter, req *http.Request) {
		select {
		case r.asked <- struct{}{}:
		default:
		}
		select {
		case inv := <-r.next:
			w.Header().Set("Lambda-Runtime-Aws-Request-Id", inv.id)
			w.Header().Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(time.Now().Add(5*time.Minute).UnixMilli()))
			w.Header().Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-west-2:290008131176:function:buildmedic")
			w.Write(inv.payload)
		case <-req.Context().Done():
		}
	})
	for _, kind := range []string{"response", "error"} {
		mux.HandleFunc("POST "+base+"invocation/{id}/"+kind, func(w http.ResponseWriter, req *http.Request) {
			body, _ := io.ReadAll(req.Body)
			r.answers <- answer{req.PathValue("id"), kind, body}
			w.WriteHeader(http.StatusAccepted)
		})
	}
	mux.HandleFunc("POST "+base+"init/error", func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		r.answers <- answer{"", "init/error", body}
		w.WriteHeader(http.StatusAccepted)
	})
	r.Server = httptest.NewServer(mux)
	t.Cleanup(r.CloseClientConnections)
	return r
}

// invoke hands over one invocation and waits for its answer.
func (r *runtimeAPI) invoke(t testing.TB, payload any) answer {
	t.Helper()
	data, err := json.Marshal(payload)
	if err != nil {
		t.Fatal(err)
	}
	timeout := time.After(time.Minute)
	select {
	case r.next <- invocation{fmt.Sprintf("req-%d", time.Now().UnixNano()), data}:
	case a := <-r.answers:
		t.Fatalf("the function answered before it was asked: %s %s", a.kind, a.body)
	case <-timeout:
		t.Fatal("the function does not ask for its next invocation")
	}
	select {
	case a := <-r.answers:
		return a
	case <-timeout:
		t.Fatal("the function does not answer")
	}
	return answer{}
}

// output is what a process prints, readable while it runs.
type output struct {
	mu   sync.Mutex
	text strings.Builder
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// start runs bootstrap as Lambda does.
func start(t testing.TB, path string, api *runtimeAPI, env ...string) (pid int, printed *output) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, path)
	out := &output{}
	cmd.Stdout, cmd.Stderr = out, out
	cmd.Env = append(env, "AWS_LAMBDA_RUNTIME_API="+strings.TrimPrefix(api.URL, "http://"), "AWS_LAMBDA_FUNCTION_NAME=buildmedic",
		"AWS_EC2_METADATA_DISABLED=true", "AWS_CONFIG_FILE=/nonexistent", "AWS_SHARED_CREDENTIALS_FILE=/nonexistent")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stop()
		_ = cmd.Wait() // it ends by being stopped
		if t.Failed() {
			t.Logf("bootstrap printed:\n%.20000s", out.String())
		}
	})
	return cmd.Process.Pid, out
}

// TestBootstrapHeals drives the function as deployed through the Lambda
// Runtime API: story 1 from the failed build's event to the last notice.
func TestBootstrapHeals(t *testing.T) {
	ss, err := story.Load(testdata.Stories, "stories")
	if err != nil {
		t.Fatal(err)
	}
	s := ss[0]
	sim, err := simaws.Load(s.World)
	if err != nil {
		t.Fatal(err)
	}
	defer sim.Close()
	file := filepath.Join(t.TempDir(), "buildmedic.yaml")
	if err := os.WriteFile(file, s.Settings, 0o600); err != nil {
		t.Fatal(err)
	}
	api := newRuntimeAPI(t)
	_, out := start(t, build(t, runtime.GOARCH), api,
		envSettings+"="+file, envLedger+"=memory", envTopic+"="+sim.TopicARN(), envQueue+"="+sim.QueueURL(simaws.Queue),
		envFollowUps+"="+sim.QueueURL(simaws.FollowUps), envCures+"="+sim.QueueURL(simaws.Cures),
		envRegion+"=us-west-2", envRole+"="+sim.Function().Role, "AWS_ENDPOINT_URL="+sim.URL(),
		"AWS_ACCESS_KEY_ID="+simaws.FunctionKey, "AWS_SECRET_ACCESS_KEY=simulated", "AWS_SESSION_TOKEN=simulated")
	for {
		m, ok := sim.NextMessage(context.Background())
		if !ok {
			break
		}
		a := api.invoke(t, story.Batch(m))
		var resp events.SQSEventResponse
		if a.kind != "response" || json.Unmarshal(a.body, &resp) != nil || len(resp.BatchItemFailures) > 0 {
			t.Fatalf("answer: %s %s", a.kind, a.body)
		}
		m.Ack()
	}
	bs := sim.Builds("TrackerAPI")
	if n := len(bs); n != 2 || bs[1].Status != "SUCCEEDED" {
		t.Errorf("builds: %+v", bs)
	}
	if slices.ContainsFunc(sim.Calls(), func(c simaws.Call) bool { return c.Service == "sts" }) {
		t.Error("it asked STS who it is, which it had been told")
	}
	if got := strings.Join(sim.Writes(), " "); got != "iam.PutRolePolicy codebuild.RetryBuild sns.Publish" {
		t.Errorf("wrote %s", got)
	}
	var subjects []string
	for _, n := range sim.Notices() {
		subjects = append(subjects, n.Subject)
	}
	if len(subjects) != 2 || !strings.HasPrefix(subjects[1], "[healed] TrackerAPI") {
		t.Errorf("notices: %q", subjects)
	}

	if a := api.invoke(t, map[string]any{"status": map[string]any{}}); a.kind != "response" ||
		!strings.Contains(string(a.body), `"outcome":"healed"`) {
		t.Errorf("status: %s %s", a.kind, a.body)
	}
	if a := api.invoke(t, map[string]any{"delete": "everything"}); a.kind != "error" ||
		!strings.Contains(string(a.body), "there are approve, reject") {
		t.Errorf("unknown command: %s %s", a.kind, a.body)
	}
	if a := api.invoke(
		t, events.SQSEvent{Records: []events.SQSMessage{{MessageId: "poison", Body: "{not an event"}}},
	); !strings.Contains(string(a.body), `"itemIdentifier":"poison"`) {
		t.Errorf("poison: %s %s", a.kind, a.body)
	}
	for _, secret := range []string{"not an event", "simulated"} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("the function's log holds %q", secret)
		}
	}
}

// TestBootstrapSaysWhatIsMissing ensures that a function without its
// environment ends at once and names all that is wrong.
func TestBootstrapSaysWhatIsMissing(t *testing.T) {
	api := newRuntimeAPI(t)
	cmd := exec.Command(build(t, runtime.GOARCH))
	cmd.Env = []string{"AWS_LAMBDA_RUNTIME_API=" + strings.TrimPrefix(api.URL, "http://"), envTable + "=t",
		envLedger + "=disk", envTopic + "=topic"}
	out, err := cmd.CombinedOutput()
	if err == nil {
		t.Fatal("it started")
	}
	for _, want := range []string{
		envSettings + " is not set", envQueue + " is not set", envRegion + " is not set", `BUILDMEDIC_LEDGER is "disk"`,
		`is "topic", which is no topic ARN`,
	} {
		if !strings.Contains(string(out), want) {
			t.Errorf("it does not say %q:\n%s", want, out)
		}
	}
}

package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"

	"github.com/buildmedic/buildmedic/internal/simaws"
	"github.com/buildmedic/buildmedic/internal/story"
	"github.com/buildmedic/buildmedic/testdata"
)

// noon is the real time in the tests, which stands still.
var noon = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)

// log is what a sandbox told.
type log struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *log) add(e Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintf(&l.text, "%d %s %s\n", e.Kind, e.At.Format("02 15:04:05"), e.Text)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// open starts a sandbox of the sandbox's own world.
func open(t *testing.T) (*Sandbox, *log) {
	t.Helper()
	st, err := story.Parse("sandbox.txtar", testdata.Sandbox)
	if err != nil {
		t.Fatal(err)
	}
	var told log
	s, err := Open(t.Context(), Options{Story: st, Lead: 9 * 24 * time.Hour, Dir: t.TempDir(), Log: io.Discard,
		Now: func() time.Time { return noon }, Tell: told.add})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Close()
		if u := s.Sim.Unknown(); len(u) > 0 {
			t.Errorf("the account was asked what it does not know: %q", u)
		}
	})
	return s, &told
}

// TestWorld ensures that the sandbox's world is as its comment says: what may be healed was, a plan
// waits for approval, and the account's time is the real one.
func TestWorld(t *testing.T) {
	s, told := open(t)
	r, err := s.stage.Result(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if d := s.o.Story.Differs(r, s.stage.Builds()); d != "" {
		t.Error(d)
	}
	for _, want := range []string{
		"0 19 17:00:00 shop #1 is started by GitHub-Hookshot: refs/heads/main\n" +
			"2 19 17:00:17 shop #1 failed: aws ecr get-login-password",
		"3 19 17:00:18 iam:PutRolePolicy role/codebuild-shop-service-role\n", "1 19 17:01:19 shop #2 is green\n",
		"4 19 17:01:20 [healed] shop: ", "[reported] billing: ssm:GetParameter not granted",
		"A service control policy denies s3:DeleteObject",
		"[healed] api: started again", "[reported] worker: would have allowed", "[proposed] site: ",
	} {
		if !strings.Contains(told.String(), want) {
			t.Errorf("it did not tell %q:\n%s", want, told)
		}
	}
	if now := s.Sim.Clock.Now(); !now.Equal(noon) {
		t.Errorf("it is %s", now)
	}
}

// ask sends the function a command, as the AWS CLI does, and gives its answer.
func ask(t *testing.T, s *Sandbox, command string) (done bool, message string) {
	t.Helper()
	out, err := s.invoke(t.Context(), json.RawMessage(command))
	if err != nil {
		t.Fatal(err)
	}
	var a struct {
		Done    bool
		Message string
	}
	if err := json.Unmarshal(out, &a); err != nil {
		t.Fatal(err)
	}
	return a.Done, a.Message
}

// TestSettingsAreTakenUp ensures that the function goes by the folder's settings as they are, and
// keeps what it has if they are wrong; and that a build that somebody starts is played to its end.
func TestSettingsAreTakenUp(t *testing.T) {
	s, told := open(t)
	builds := codebuild.NewFromConfig(story.Config(s.Sim, simaws.OwnerKey))
	start := func() {
		t.Helper()
		if _, err := builds.StartBuild(t.Context(), &codebuild.StartBuildInput{ProjectName: aws.String("worker"),
			SourceVersion: aws.String("refs/heads/main")}); err != nil {
			t.Fatal(err)
		}
		s.settle(t.Context())
	}
	write := func(from, to string) {
		t.Helper()
		text := strings.Replace(string(s.o.Story.Settings), from, to, 1)
		if err := os.WriteFile(filepath.Join(s.o.Dir, SettingsFile), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("mode: observe", "mode: obsrve")
	start()
	if !strings.Contains(told.String(), "the settings are wrong, see buildmedic check") {
		t.Errorf("it did not tell that they are wrong:\n%s", told)
	}
	write("mode: observe", "mode: heal")
	start()
	if got := told.String(); !strings.Contains(got, "the function has the changed settings") ||
		!strings.Contains(got, "[healed] worker: ") {
		t.Errorf("it was not healed:\n%s", got)
	}
	if n := strings.Count(told.String(), "the settings are wrong"); n != 1 {
		t.Errorf("that they are wrong was told %d times", n)
	}
}

// TestCommands ensures that the function does what notices say to send it, and carries on by
// itself; and that the ledger is the stack's table.
func TestCommands(t *testing.T) {
	s, told := open(t)
	cs, err := s.stage.Inbox.Healer.History(t.Context(), "site", 1)
	if err != nil || len(cs) != 1 {
		t.Fatalf("%v %v", cs, err)
	}
	c, err := s.stage.Inbox.Healer.Case(t.Context(), cs[0].Case)
	if err != nil {
		t.Fatal(err)
	}
	if done, message := ask(t, s, `{"approve":{"plan":"`+c.Rounds[0].Decision.Plan.Hash()+`"}}`); !done {
		t.Error(message)
	}
	s.settle(t.Context())
	if !strings.Contains(told.String(), "[healed] site: ") {
		t.Errorf("it was not healed:\n%s", told)
	}
	if done, message := ask(t, s, `{"undo":{"case":"`+c.ID+`"}}`); !done {
		t.Error(message)
	}
	if inline, _ := s.Sim.RolePolicies("", "codebuild-site-service-role"); inline["buildmedic"] != "" {
		t.Error("the policy is still there")
	}
	if _, err := s.invoke(t.Context(), json.RawMessage(`{"nothing":{}}`)); err == nil ||
		!strings.Contains(err.Error(), "there are approve") {
		t.Errorf("an unknown command: %v", err)
	}
}

// TestClient ensures that a command in the sandbox goes by its time, and lets it pass: the case that
// waits for a person is given up meanwhile, and builds go on. Who does not know the sandbox's name
// hears nothing.
func TestClient(t *testing.T) {
	s, told := open(t)
	c, err := Connect(s.Sim.URL(), s.o.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if now := c.Now(); !now.Equal(noon) {
		t.Errorf("it is %s", now)
	}
	if _, err := s.Sim.Run(simaws.Start{Project: "docs", Version: "refs/heads/main"}); err != nil {
		t.Fatal(err)
	}
	if err := c.Sleep(t.Context(), 10*24*time.Hour); err != nil {
		t.Fatal(err)
	}
	if now, err := c.Time(t.Context()); err != nil || now.Before(noon.Add(10*24*time.Hour)) {
		t.Errorf("it is %s %v", now, err)
	}
	if !strings.Contains(told.String(), "docs #3 is green") {
		t.Errorf("the build did not go on:\n%s", told)
	}
	if _, err := c.Pass(t.Context(), 401*24*time.Hour); err == nil || !strings.Contains(err.Error(), "up to 400 days") {
		t.Errorf("error %v", err)
	}
	other, err := Connect(s.Sim.URL(), "/other")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Time(t.Context()); !errors.Is(err, ErrEnded) {
		t.Errorf("another sandbox's client: %v", err)
	}
	for _, endpoint := range []string{"", "https://127.0.0.1:1", "http://sandbox.example:80", "http://10.0.0.1:80",
		"http://localhost:80"} {
		if _, err := Connect(endpoint, s.o.Dir); err == nil {
			t.Errorf("%q is taken for a sandbox's endpoint", endpoint)
		}
	}
	if _, err := Connect(s.Sim.URL(), ""); err == nil {
		t.Error("a sandbox without a folder")
	}
}

// TestEnded ensures that a client says that the sandbox has ended, and goes by the real time then.
func TestEnded(t *testing.T) {
	s, _ := open(t)
	c, err := Connect(s.Sim.URL(), s.o.Dir)
	if err != nil {
		t.Fatal(err)
	}
	s.stage.Close()
	if _, err := c.Time(t.Context()); !errors.Is(err, ErrEnded) {
		t.Errorf("error %v", err)
	}
	if now := c.Now(); now.Before(noon.AddDate(0, 0, -7)) {
		t.Errorf("it is %s", now)
	}
}

package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"

	"github.com/buildmedic/buildmedic/internal/sandbox"
	"github.com/buildmedic/buildmedic/internal/simaws"
	"github.com/buildmedic/buildmedic/internal/story"
)

// transcript is a person's time in a sandbox, written down.
type transcript struct {
	t    *testing.T
	box  *sandbox.Sandbox
	told strings.Builder
	text strings.Builder
	dir  string
}

// TestSandboxSession plays a session in a sandbox and keeps what is seen of it: the commands, what
// they print, and what happens meanwhile. A command of the AWS CLI is sent by the SDK here, and shown
// with what the CLI prints of the answer; make test-cli runs the CLI itself.
func TestSandboxSession(t *testing.T) {
	st, lead, err := sandboxStory("")
	if err != nil {
		t.Fatal(err)
	}
	s := &transcript{t: t, dir: filepath.Join(t.TempDir(), "sandbox")}
	if err := os.Mkdir(s.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	tell := (&box{}).teller(&s.told)
	s.box, err = sandbox.Open(t.Context(), sandbox.Options{Story: st, Lead: lead, Dir: s.dir, Log: io.Discard, Tell: tell,
		Now: func() time.Time { return time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC) }, Quiet: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	defer s.box.Close()
	for _, kv := range environment(s.box.Sim, s.dir) {
		t.Setenv(kv[0], kv[1])
	}
	inside(t)

	s.text.WriteString("$ buildmedic sandbox -- bash\n")
	s.happens()
	history := s.desk("history")
	plan := regexp.MustCompile(`approve ([0-9a-f]{64})`).FindStringSubmatch(history)
	shop := regexp.MustCompile(`(?m)^([0-9a-f]{16}) .* shop$`).FindStringSubmatch(history)
	if plan == nil || shop == nil {
		t.Fatalf("the history has no plan to approve, or no case of the shop:\n%s", history)
	}
	s.invoke(`{"approve":{"plan":"` + plan[1] + `"}}`)
	s.invoke(`{"undo":{"case":"` + shop[1] + `"}}`)
	s.build("shop")
	s.desk("resume", "-project", "shop", "-grant", "shop-image")
	s.build("shop")
	s.desk("policy", "-role", "codebuild-shop-service-role", "-name", "buildmedic")
	s.desk("sandbox", "-pass", "72h")
	s.happens()
	s.desk("history", "-since", "4d")

	got := strings.ReplaceAll(s.text.String(), s.dir, "/tmp/buildmedic-sandbox")
	for _, want := range []string{"[healed] site: ", "Took back 1 change", "[healed] shop: ", "2026-12-01 13:"} {
		if !strings.Contains(got, want) {
			t.Errorf("the session lacks %q", want)
		}
	}
	file := filepath.Join("testdata", "session.txt")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile(file)
	if err != nil || string(kept) != got {
		t.Errorf("%s (%v) is not what the session looks like now; -update writes it:\n%s", file, err, got)
	}
}

// happens lets what is under way come to its end, and writes down what was told.
func (s *transcript) happens() {
	s.t.Helper()
	_, c := sandboxed()
	if _, err := c.Pass(s.t.Context(), 20*time.Minute); err != nil {
		s.t.Fatal(err)
	}
	s.text.WriteString(s.told.String() + "\n")
	s.told.Reset()
}

// desk runs a command of this program.
func (s *transcript) desk(args ...string) string {
	s.t.Helper()
	code, out, errs := buildmedic(s.t, "", args...)
	if code != exitOK {
		s.t.Fatalf("%v: code %d\n%s%s", args, code, out, errs)
	}
	fmt.Fprintf(&s.text, "$ buildmedic %s\n%s%s\n", strings.Join(args, " "), errs, out)
	return out
}

// invoke sends the function a payload, as the command that the documents show does.
func (s *transcript) invoke(payload string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost,
		s.box.Sim.URL()+"/2015-03-31/functions/buildmedic/invocations", strings.NewReader(payload))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+simaws.OwnerKey+"/20261128/eu-west-1/lambda/aws4_request, Signature=x")
	resp, err := s.box.Sim.Client().Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		s.t.Fatalf("%s: %s %s %v", payload, resp.Status, answer, err)
	}
	fmt.Fprintf(&s.text, "$ echo '%s' | aws lambda invoke \\\n"+
		"    --function-name buildmedic --payload fileb:///dev/stdin /dev/stdout | cat\n%s\n\n",
		payload, oneLine(string(answer), 300))
	s.happens()
}

// build starts a build.
func (s *transcript) build(project string) {
	s.t.Helper()
	out, err := codebuild.NewFromConfig(story.Config(s.box.Sim, simaws.OwnerKey)).StartBuild(s.t.Context(),
		&codebuild.StartBuildInput{ProjectName: &project, SourceVersion: aws.String("refs/heads/main")})
	if err != nil {
		s.t.Fatal(err)
	}
	fmt.Fprintf(&s.text, "$ aws codebuild start-build --project-name %s --source-version refs/heads/main \\\n"+
		"    --query build.id --output text\n%s\n\n", project, *out.Build.Id)
	s.happens()
}

package commandline

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// elsewhere are the documents' commands that cannot run in the sandbox, with the reason. Each must
// be there still.
var elsewhere = map[string]string{
	"go test ./...":     "it runs this test",
	"npx aws-cdk@":      "the CDK deploys; make test-deploy runs it on an emulator of AWS",
	"make check":        "it is about the clone's own settings; the tests of infra run it",
	"make deploy":       "the CDK deploys; make test-deploy runs it on an emulator of AWS",
	"create-stack-set":  "there are no stack sets in the sandbox; TestCommandLines has the CLI read it",
	"secretsmanager":    "there are no secrets in the sandbox; TestCommandLines has the CLI read it",
	"ssm put-parameter": "nothing is written to a Parameter Store in the sandbox; TestCommandLines has the CLI read it",
	"-patch aws/":       "it wants a build's record and log in files, and a clone with the policy; the desk's tests have both",
	"-pull-request":     "no project of the sandbox has its policy in a repository; the desk's tests open requests",
	"stack-instances":   "there are no stack sets in the sandbox; TestCommandLines has the CLI read it",
}

// says is what a command of the documents must print.
var says = map[string]string{
	"buildmedic demo":     `all \d+ stories ended as they should`,
	"buildmedic diagnose": `s3:PutObject`,
	"buildmedic scan":     `(?s)111122223333.*docker-rate-limit`,
	"check -observed":     `(?s)shop-image: less would have been enough.*- ecr:BatchGetImage: not used`,
	`{"undo"`:             `^\{"done":true,"message":"Took back 1 change`,
	`{"approve"`:          `^\{"done":true,"message":"Applied plan`,
	`{"pause"`:            `^\{"done":true`,
	`{"resume"`:           `^\{"done":true`,
	`{"status"`:           `"outcome":"proposed"`,
	"batch-get-projects":  `arn:aws:iam::111122223333:role/codebuild-shop-service-role`,
	"describe-stacks":     `^Buildmedic-Ledger\n`,
	"buildmedic remove":   `Nothing is left that the ledger knows of`,
	"update-table":        `"TableName": "Buildmedic-Ledger"`,
	"delete-table":        `"TableName": "Buildmedic-Ledger"`,
}

// TestDocumentsInTheSandbox runs the commands that the documents show in a sandbox, in their order, as
// a reader would paste them: buildmedic's own always, those of the AWS CLI with the versions that
// are installed.
func TestDocumentsInTheSandbox(t *testing.T) {
	used := map[string]bool{}
	t.Run("buildmedic", func(t *testing.T) { inSandboxes(t, "", used) })
	for _, version := range []string{"v1", "v2"} {
		t.Run(version, func(t *testing.T) { inSandboxes(t, installed(t, version), used) })
	}
	for what, why := range elsewhere {
		if !used[what] {
			t.Errorf("no document shows %q any more, which cannot run in the sandbox since %s", what, why)
		}
	}
}

// inSandboxes runs each document's commands in a sandbox of its own.
func inSandboxes(t *testing.T, cli string, used map[string]bool) {
	n := 0
	for _, name := range []string{"README.md", "lambda/README.md", "infra/README.md"} {
		text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		var lines []string
		for _, m := range shellBlock.FindAllStringSubmatch(string(text), -1) {
			text := strings.NewReplacer("\\\n", "", "|\n", "| ").Replace(strings.TrimSpace(m[1]))
			for l := range strings.SplitSeq(text, "\n") {
				if !excused(l, used) && (cli != "") == strings.Contains(l, "aws ") {
					lines = append(lines, l)
				}
			}
		}
		if len(lines) == 0 {
			continue
		}
		s := start(t, cli)
		for _, l := range lines {
			s.run(t, name, l)
			n++
		}
		s.stop(t)
	}
	if n < 4 {
		t.Errorf("%d commands were run, which cannot be all", n)
	}
}

func excused(line string, used map[string]bool) bool {
	for what := range elsewhere {
		if strings.Contains(line, what) {
			used[what] = true
			return true
		}
	}
	return false
}

// built is the folder of what was built.
var built string

// binary builds the command, once.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "commandline-")
	if err != nil {
		return "", err
	}
	built = dir
	bin := filepath.Join(dir, "buildmedic")
	out, err := exec.Command("go", "build", "-o", bin, "../../lambda/buildmedic").CombinedOutput()
	if err != nil {
		return "", &exec.Error{Name: string(out), Err: err}
	}
	return bin, nil
})

// TestMain takes away what was built.
func TestMain(m *testing.M) {
	code := m.Run()
	if built != "" {
		os.RemoveAll(built)
	}
	os.Exit(code)
}

// box is a sandbox in a process of its own.
type box struct {
	cmd  *exec.Cmd
	out  *output
	dir  string // the reader's
	env  []string
	home string // the sandbox's folder
	cli  string
	// protected: the CLI is too old to lift the table's protection against deletion.
	protected bool
}

// output is what a process has printed so far.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

var exported = regexp.MustCompile(`(?m)^export ([A-Z_]+)='([^']*)'(:"\$PATH")?$`)

// start starts a sandbox, and waits until it says what to set.
func start(t *testing.T, cli string) *box {
	t.Helper()
	bin, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	b := &box{out: &output{}, dir: t.TempDir(), cli: cli}
	path := os.Getenv("PATH")
	if cli != "" {
		path = filepath.Dir(cli) + ":" + path
	}
	b.cmd = exec.CommandContext(t.Context(), bin, "sandbox")
	b.cmd.Stdout, b.cmd.Stderr = b.out, b.out
	b.cmd.Env = append(os.Environ(), "PATH="+path, "TMPDIR="+b.dir)
	if err := b.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for !strings.Contains(b.out.String(), "each command that a notice shows") {
		select {
		case <-time.After(20 * time.Millisecond):
		case <-t.Context().Done():
			t.Fatalf("the sandbox does not start:\n%s", b.out)
		}
	}
	b.env = []string{"HOME=" + b.dir, "LC_ALL=C.UTF-8", "PATH=" + path}
	for _, m := range exported.FindAllStringSubmatch(b.out.String(), -1) {
		value := m[2]
		if m[3] != "" {
			value += ":" + path
		}
		if m[1] == "BUILDMEDIC_SANDBOX" {
			b.home = value
		}
		b.env = append(b.env, m[1]+"="+value)
	}
	log := "An error occurred (AccessDenied) when calling the PutObject operation: User: arn:aws:sts::111122223333:assumed-role/r/s is " +
		"not authorized to perform: s3:PutObject on resource: arn:aws:s3:::b/k " +
		"because no identity-based policy allows the s3:PutObject action\n"
	if err := os.WriteFile(filepath.Join(b.dir, "build.log"), []byte(log), 0o600); err != nil {
		t.Fatal(err)
	}
	return b
}

// shell runs a line as the reader's shell would, with yes as the answer to what it may ask.
func (b *box) shell(t *testing.T, line string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", line)
	cmd.Dir, cmd.Env, cmd.Stdin = b.dir, b.env, strings.NewReader("yes\n")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// run runs one command of a document, with the sandbox's own names in the place of its.
func (b *box) run(t *testing.T, where, line string) {
	t.Helper()
	shown := line
	line = strings.ReplaceAll(line, "go run ./lambda/buildmedic", "buildmedic")
	if strings.Contains(line, "SHA256") || strings.Contains(line, "1160bc9cefbf0600") {
		line = b.named(t, line)
	}
	line = regexp.MustCompile(`\bNAME\b`).ReplaceAllString(line, "shop")
	line = regexp.MustCompile(`\bTABLE\b`).ReplaceAllString(line, "Buildmedic-Ledger")
	if b.cli != "" {
		if other := known(t, b.cli, line); other != line {
			line, b.protected = other, true
		}
	}
	out, err := b.shell(t, line)
	if b.protected && strings.Contains(line, "delete-table") {
		if err == nil || !strings.Contains(out, "protected against deletion") {
			t.Errorf("%s: %s\nwith the protection that this CLI cannot lift: %v\n%s", where, shown, err, out)
		}
		return
	}
	if err != nil {
		t.Errorf("%s: %s\n%v\n%s\n%s", where, shown, err, out, b.out)
		return
	}
	for what, want := range says {
		if strings.Contains(line, what) && !regexp.MustCompile(want).MatchString(out) {
			t.Errorf("%s: %s\nprints no %s:\n%s", where, shown, want, out)
		}
	}
}

// named puts the plan that waits, and the case that was healed, into a command.
func (b *box) named(t *testing.T, line string) string {
	t.Helper()
	out, err := b.shell(t, "buildmedic history -json 2>/dev/null")
	var cases []struct {
		Case, Project string
		Waits         struct{ Plan string }
	}
	if err == nil {
		err = json.Unmarshal([]byte(out), &cases)
	}
	if err != nil {
		t.Fatalf("history: %v\n%s", err, out)
	}
	for _, c := range cases {
		if c.Waits.Plan != "" {
			line = strings.ReplaceAll(line, "SHA256", c.Waits.Plan)
		}
		if c.Project == "shop" {
			line = strings.ReplaceAll(line, "1160bc9cefbf0600", c.Case)
		}
	}
	return line
}

// stop ends the sandbox as Ctrl-C does. Nothing is left of it.
func (b *box) stop(t *testing.T) {
	t.Helper()
	if err := b.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = b.cmd.Wait() // its exit code says that it was interrupted
	if code := b.cmd.ProcessState.ExitCode(); code != 130 {
		t.Errorf("it ended with %d:\n%s", code, b.out)
	}
	if _, err := os.Stat(b.home); b.home == "" || err == nil {
		t.Errorf("the sandbox's folder %q is still there", b.home)
	}
}

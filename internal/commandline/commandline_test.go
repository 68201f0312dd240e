package commandline

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/tools/txtar"
)

var root = filepath.Join("..", "..")

// policy is what the notices' policy file and the members' template stand for: a document with
// what shells and encodings like to change.
const policy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject",` +
	`"Resource":"arn:aws:s3:::b/${aws:username}/é'\"*"}]}` + "\n"

// TestCommandLines runs every command line that is printed through the AWS CLI: it must be
// accepted, and send what a shell hands over, byte for byte.
func TestCommandLines(t *testing.T) {
	lines := printed(t) // which needs no CLI
	for _, version := range []string{"v1", "v2"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			cli := installed(t, version)
			for _, where := range sorted(lines) {
				check(t, cli, where, known(t, cli, lines[where]))
			}
		})
	}
}

// TestRefusedLine ensures that the check above can fail: version 1 has no such option.
func TestRefusedLine(t *testing.T) {
	const line = `aws lambda invoke --function-name f --cli-binary-format raw-in-base64-out --payload '{}' /dev/stdout`
	if r := run(t, installed(t, "v1"), line); r.err == nil {
		t.Error("version 1 accepts --cli-binary-format: the notices could use it, and this test cannot fail")
	}
}

// newer are options that the oldest CLI tested with does not know, with what stands in for them.
// Whoever prints one has to say which version it needs.
var newer = map[string]string{
	"--no-deletion-protection-enabled": "--table-class STANDARD", // of March 2023; Debian 12 has a CLI of January 2023
}

// known replaces options that are newer than the CLI, and says so.
func known(t *testing.T, cli, text string) string {
	t.Helper()
	for option, instead := range newer {
		if !strings.Contains(text, option) {
			continue
		}
		// A skeleton is made without a request.
		out, _ := exec.Command(cli, "dynamodb", "update-table", "--table-name", "t", option,
			"--generate-cli-skeleton", "output").CombinedOutput()
		if strings.Contains(string(out), "Unknown options: "+option) {
			t.Logf("%s is newer than this CLI: %s stands in for it", option, instead)
			text = strings.ReplaceAll(text, option, instead)
		}
	}
	return text
}

func installed(t *testing.T, version string) string {
	t.Helper()
	if os.Getenv("BUILDMEDIC_CLI") != "1" {
		t.Skip("runs each command line through the AWS CLI, for a minute: make test-cli does it")
	}
	cli, err := filepath.Abs(filepath.Join(root, "dist", "cli", version, "aws"))
	if err == nil {
		_, err = os.Stat(cli)
	}
	if err != nil {
		why := fmt.Sprintf("the AWS CLI %s is not installed (make test-cli installs it): %v", version, err)
		if os.Getenv("BUILDMEDIC_NEED") == "1" {
			t.Fatal(why)
		}
		t.Skip(why)
	}
	return cli
}

// printed collects the command lines by where they are printed; equal ones once.
func printed(t *testing.T) map[string]string {
	t.Helper()
	lines, seen := map[string]string{}, map[string]bool{}
	add := func(where, text string) {
		if strings.Contains(text, "aws ") && !seen[text] {
			seen[text] = true
			lines[fmt.Sprintf("%s #%d", where, len(lines)+1)] = text
		}
	}
	notices(t, add)
	n := len(lines)
	documents(t, add)
	if n < 15 || len(lines) < n+2 {
		t.Fatalf("found %d command lines in notices and %d in documents, which cannot be all", n, len(lines)-n)
	}
	desk(t, add)
	return lines
}

// mailLine is a command line in a mail.
var mailLine = regexp.MustCompile(`(?m)^With the AWS CLI: (.*)$`)

// notices adds the commands of the kept notices, and their snippets for the AWS CLI.
func notices(t *testing.T, add func(where, text string)) {
	files, err := filepath.Glob(filepath.Join(root, "internal", "notice", "testdata", "*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range a.Files {
			if f.Name == "email" {
				for _, m := range mailLine.FindAllSubmatch(f.Data, -1) {
					add(filepath.Base(file)+" mail", string(m[1]))
				}
			}
			if f.Name != "notice.json" {
				continue
			}
			var n struct {
				Commands  []struct{ Name, Line string }
				Permanent []struct{ For, Text string }
			}
			if err := json.Unmarshal(f.Data, &n); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			for _, c := range n.Commands {
				add(filepath.Base(file)+" "+c.Name, c.Line)
			}
			for _, s := range n.Permanent {
				if strings.Contains(s.For, "AWS CLI") {
					add(filepath.Base(file)+" "+s.For, s.Text)
				}
			}
		}
	}
}

var (
	// shellBlock is a block of commands in a document; block is any.
	shellBlock = regexp.MustCompile("(?ms)^```(?:console|sh|bash|shell)\n(.*?)^```$")
	block      = regexp.MustCompile("(?ms)^```.*?^```$")
	// span is a whole command in a sentence: one with an option. The name of a command alone is
	// not.
	span = regexp.MustCompile("`(aws [a-z0-9-]+ [a-z0-9-]+ [^`]*--[^`]+)`")
)

// documents adds the commands in the project's documents.
func documents(t *testing.T, add func(where, text string)) {
	out, err := exec.Command("git", "-C", root, "ls-files", "-co", "--exclude-standard", "*.md").Output()
	if err != nil {
		t.Fatal(err)
	}
	for name := range strings.Lines(string(out)) {
		name = strings.TrimSpace(name)
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range shellBlock.FindAllSubmatch(text, -1) {
			add(name, string(m[1]))
		}
		for _, m := range span.FindAllSubmatch(block.ReplaceAll(text, nil), -1) {
			add(name, string(m[1]))
		}
	}
}

// awsLine is a command of the AWS CLI in a command's usage.
var awsLine = regexp.MustCompile(`(?m)^\s+(?:\w+ )?(aws [a-z0-9-]+ [a-z0-9-]+(?:.*\\\n)*.*)$`)

// desk adds the commands that the desk's -h prints.
func desk(t *testing.T, add func(where, text string)) {
	bin := filepath.Join(t.TempDir(), "buildmedic")
	if out, err := exec.Command("go", "build", "-o", bin, "../../lambda/buildmedic").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	help := func(args ...string) []byte { // as one that is installed, which prints its name alone
		cmd := exec.Command(bin, args...)
		cmd.Args[0] = "buildmedic"
		out, _ := cmd.CombinedOutput()
		return out
	}
	usage := help("-h")
	names := regexp.MustCompile(`(?m)^  ([a-z]+)\s`).FindAllSubmatch(usage, -1)
	if len(names) < 5 {
		t.Fatalf("buildmedic -h lists %d commands:\n%s", len(names), usage)
	}
	for _, m := range names {
		for _, l := range awsLine.FindAllSubmatch(help(string(m[1]), "-h"), -1) {
			add("buildmedic "+string(m[1])+" -h", string(l[1]))
		}
	}
}

// check runs the text with a stand-in that keeps what the shell hands over, and with the AWS CLI,
// and compares what arrives.
func check(t *testing.T, cli, where, text string) {
	t.Helper()
	meant := run(t, "", text)
	if meant.err != nil || len(meant.calls) == 0 {
		t.Errorf("%s: a shell makes %d commands of it: %v\n%s\n%s", where, len(meant.calls), meant.err,
			meant.output, text)
		return
	}
	got := run(t, cli, text)
	if got.err != nil {
		t.Errorf("%s: the AWS CLI refuses it: %v\n%s\n%s", where, got.err, got.output, text)
		return
	}
	if len(got.requests) != len(meant.calls) {
		t.Errorf("%s: %d commands make %d requests\n%s\n%s", where, len(meant.calls), len(got.requests),
			got.output, text)
		return
	}
	for i, c := range meant.calls {
		if err := c.arrived(got.requests[i]); err != nil {
			t.Errorf("%s: %v\n%s", where, err, text)
		}
	}
	if meant.calls[0].args[1] == "invoke" && !strings.Contains(got.output, answer) {
		t.Errorf("%s: the function's answer is not printed:\n%s", where, got.output)
	}
}

// call is a command as the shell hands it over.
type call struct {
	args  []string
	stdin []byte
}

func (c call) option(name string) (string, bool) {
	if i := slices.Index(c.args, name); i >= 0 && i+1 < len(c.args) {
		return c.args[i+1], true
	}
	return "", false
}

// arrived reports what is wrong with the request that the call made.
func (c call) arrived(r request) error {
	if payload, ok := c.option("--payload"); ok {
		if payload != "fileb:///dev/stdin" {
			return fmt.Errorf("the payload %q is not read from standard input", payload)
		}
		function, _ := c.option("--function-name")
		if want := "/2015-03-31/functions/" + function + "/invocations"; r.path != want {
			return fmt.Errorf("the request goes to %s, want %s", r.path, want)
		}
		if !json.Valid(c.stdin) || string(r.body) != string(c.stdin) {
			return fmt.Errorf("the payload that arrives is %q, want %q", r.body, c.stdin)
		}
	}
	if text, ok := c.option("--secret-string"); ok {
		var in struct{ SecretString string }
		if err := json.Unmarshal(r.body, &in); err != nil || text == "file:///dev/stdin" && in.SecretString != string(c.stdin) ||
			in.SecretString == "" {
			return fmt.Errorf("the secret that arrives is %q, want %q; %v", in.SecretString, c.stdin, err)
		}
	}
	for option, key := range map[string]string{
		"--policy-document": "PolicyDocument",
		"--template-body":   "TemplateBody",
	} {
		want, ok := c.option(option)
		if !ok {
			continue
		}
		if strings.HasPrefix(want, "file://") {
			want = policy
		}
		form, err := url.ParseQuery(string(r.body))
		if err != nil {
			return err
		}
		if got := form.Get(key); got != want {
			return fmt.Errorf("the %s that arrives is %q, want %q", key, got, want)
		}
	}
	return nil
}

type request struct {
	path string
	body []byte
}

type result struct {
	calls    []call    // of the stand-in
	requests []request // of the AWS CLI
	output   string
	err      error
}

// standIn keeps its arguments and, if it is to read it, its standard input.
const standIn = `#!/bin/sh
n=$(ls calls | wc -l)
n=$((n))
mkdir "calls/$n"
printf '%s\0' "$@" >"calls/$n/args"
case " $* " in *" fileb:///dev/stdin "* | *" file:///dev/stdin "*) cat >"calls/$n/stdin" ;; esac
case " $* " in *" lambda invoke "*) printf %s '` + answer + `' ;; esac
`

// other are the other programs that the command lines name, as far as they matter.
var other = map[string]string{
	"make": "", "npx": "", "docker": "cat >/dev/null", "buildmedic": "cat >/dev/null",
	"go": `printf %s '[{"case":"c1"},{"case":"c2"}]'`,
	"jq": `cat >/dev/null; case "$*" in *buildspec*) printf %s '{"type":"GITHUB"}' ;; *) printf 'c1\nc2\n' ;; esac`,
}

const answer = `{"done":"answer of the function"}`

// run has a shell run the text in a folder of its own, with the AWS CLI, or with the stand-in.
func run(t *testing.T, cli, text string) result {
	t.Helper()
	dir := t.TempDir()
	write := func(name, content string, mode os.FileMode) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), mode); err != nil {
			t.Fatal(err)
		}
	}
	var rec recorder
	server := httptest.NewServer(&rec)
	defer server.Close()
	for name, does := range other {
		write("bin/"+name, "#!/bin/sh\n"+does+"\n", 0o755)
	}
	write("iam-policy-codebuild.json", policy, 0o644)
	write("cdk.out/BuildmedicMember.template.json", policy, 0o644)
	write("calls/.keep", "", 0o644)
	if cli == "" {
		write("bin/aws", standIn, 0o755)
	} else {
		write("bin/aws", "#!/bin/sh\nexec '"+cli+"' --endpoint-url "+server.URL+" \"$@\"\n", 0o755)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", "set -e\n"+text)
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + filepath.Join(dir, "bin") + ":" + os.Getenv("PATH"), "HOME=" + dir, "LC_ALL=C.UTF-8",
		"AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_DEFAULT_REGION=us-west-2",
		"AWS_EC2_METADATA_DISABLED=true",
		"AWS_MAX_ATTEMPTS=1"}
	out, err := cmd.CombinedOutput()
	r := result{output: string(out), err: err, requests: rec.requests}
	for i := 0; ; i++ {
		args, err := os.ReadFile(filepath.Join(dir, "calls", fmt.Sprint(i), "args"))
		if err != nil {
			return r
		}
		stdin, _ := os.ReadFile(filepath.Join(dir, "calls", fmt.Sprint(i), "stdin")) // only some have it
		r.calls = append(r.calls, call{strings.Split(strings.TrimSuffix(string(args), "\x00"), "\x00"), stdin})
	}
}

// recorder keeps requests, and answers each as an AWS service that has nothing to tell.
type recorder struct {
	mu       sync.Mutex
	requests []request
}

func (rec *recorder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	rec.mu.Lock()
	rec.requests = append(rec.requests, request{r.URL.Path, body})
	rec.mu.Unlock()
	switch form, _ := url.ParseQuery(string(body)); {
	case strings.HasSuffix(r.URL.Path, "/invocations"):
		fmt.Fprint(w, answer)
	case form.Get("Action") != "":
		fmt.Fprintf(w, "<%[1]sResponse><%[1]sResult></%[1]sResult></%[1]sResponse>", form.Get("Action"))
	case r.Header.Get("X-Amz-Target") == "CodeBuild_20161006.BatchGetProjects":
		fmt.Fprint(w, `{"projects":[{"source":{"type":"GITHUB","location":"https://github.com/example/shop.git"}}]}`)
	default:
		fmt.Fprint(w, "{}")
	}
}

func sorted(lines map[string]string) []string {
	var out []string
	for k := range lines {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

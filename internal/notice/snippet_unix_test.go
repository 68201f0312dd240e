//go:build unix

package notice

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestCLIInShell has a shell parse the command, and compares the document that arrives.
func TestCLIInShell(t *testing.T) {
	sh, err := exec.LookPath("sh") // which each Unix has
	if err != nil {
		t.Fatal(err)
	}
	d := awkward(t)
	for policy, want := range map[string][]string{
		"it's a; name": {"iam", "put-role-policy", "--role-name", "codebuild-x", "--policy-name", "it's a; name",
			"--policy-document"},
		"arn:aws:iam::111122223333:policy/team/p": {"iam", "create-policy-version", "--policy-arn",
			"arn:aws:iam::111122223333:policy/team/p", "--set-as-default", "--policy-document"},
	} {
		cmd := exec.Command(sh, "-c",
			`aws() { for a; do printf '%s\0' "$a"; done; }; `+CLI("service-role/codebuild-x", policy, d))
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		args := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
		if diff := cmp.Diff(want, args[:len(args)-1]); diff != "" {
			t.Errorf("%s: arguments (-want +got):\n%s", policy, diff)
		}
		var got, wanted bytes.Buffer
		if err := json.Compact(&got, []byte(args[len(args)-1])); err != nil {
			t.Fatal(err)
		}
		if err := json.Compact(&wanted, d.Canonical()); err != nil {
			t.Fatal(err)
		}
		if got.String() != wanted.String() {
			t.Errorf("%s: the document that arrives is\n%s\nwant\n%s", policy, got.String(), wanted.String())
		}
	}
}

// TestInvokeInShell has a shell parse the line that sends a command, and compares the payload that
// arrives with the one that was meant.
func TestInvokeInShell(t *testing.T) {
	sh, err := exec.LookPath("sh") // which each Unix has
	if err != nil {
		t.Fatal(err)
	}
	for _, payload := range []string{
		`{"pause":{}}`,
		`{"undo":{"case":"5f2c9a7be01d4c38"}}`,
		`{"replay":{"build":"it's %s 100%% \\n \\\\ $HOME ` + "`id`" + ` é"}}`,
	} {
		args := filepath.Join(t.TempDir(), "args")
		cmd := exec.Command(sh, "-c",
			`aws() { printf '%s\n' "$@" > "$ARGS"; cat; }; `+invoke("build medic", "us-west-2", payload))
		cmd.Env = append(cmd.Environ(), "ARGS="+args)
		got, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != payload {
			t.Errorf("the payload that arrives is %q, want %q", got, payload)
		}
		words, err := os.ReadFile(args)
		if err != nil {
			t.Fatal(err)
		}
		want := "lambda\ninvoke\n--function-name\nbuild medic\n--region\nus-west-2\n--payload\nfileb:///dev/stdin\n" +
			"/dev/stdout\n"
		if diff := cmp.Diff(want, string(words)); diff != "" {
			t.Errorf("arguments (-want +got):\n%s", diff)
		}
	}
}

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// planning writes story 1's build into a folder, and gives the arguments that plan it.
func planning(t *testing.T) []string {
	t.Helper()
	sim, file := account(t, "tracker-api")
	b := sim.Builds("TrackerAPI")[0]
	dir := t.TempDir()
	record := `{"builds":[{"id":"` + b.ID + `","arn":"` + b.ARN + `","projectName":"TrackerAPI",
		"buildStatus":"FAILED","serviceRole":"` + b.Role + `","initiator":"` + b.Initiator + `",
		"sourceVersion":"refs/heads/main","endTime":"2026-11-22T10:12:19Z",
		"phases":[{"phaseType":"PRE_BUILD","phaseStatus":"FAILED","contexts":[{"statusCode":"COMMAND_EXECUTION_ERROR","message":"x"}]}]}]}`
	put(t, filepath.Join(dir, "b.json"), record)
	put(t, filepath.Join(dir, "l.log"), b.Log)
	return []string{"plan", "-settings", file, "-build", filepath.Join(dir, "b.json"), "-log", filepath.Join(dir, "l.log")}
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// git runs git in a folder, without anybody's settings.
func git(t *testing.T, dir, stdin string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir, cmd.Stdin = dir, strings.NewReader(stdin)
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_SYSTEM="+os.DevNull, "LC_ALL=C",
		"GIT_CEILING_DIRECTORIES="+filepath.Dir(dir))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return string(out)
}

// TestPatch: what a plan grants is a patch that git takes, of a file that is there and of a new one,
// from wherever in the checkout; and with the file as it is then, nothing is left to do.
func TestPatch(t *testing.T) {
	args := planning(t)
	top := t.TempDir()
	git(t, top, "", "init", "--quiet")
	const foreign = `{ "Sid": "Logs", "Effect": "Allow", "Action": "logs:*", "Resource": "*" }`
	put(t, filepath.Join(top, "aws", "policy.json"),
		"{\n    \"Version\": \"2012-10-17\",\n    \"Statement\": [\n        "+foreign+"\n    ]\n}")
	t.Chdir(filepath.Join(top, "aws"))
	for _, file := range []string{"policy.json", filepath.Join(top, "aws", "policy.json"), "made/new.json"} {
		code, patch, errs := buildmedic(t, "", append(args, "-patch", file)...)
		if code != exitOK || !strings.HasPrefix(patch, "diff --git a/aws/") {
			t.Fatalf("%s: code %d\n%s%s", file, code, patch, errs)
		}
		git(t, top, patch, "apply", "-")
		got, err := os.ReadFile(file)
		if err != nil || !strings.Contains(string(got), "repository/tracker_api") || bytes.Contains(got, []byte("Logs")) &&
			!bytes.Contains(got, []byte(foreign)) {
			t.Errorf("%s: %v\n%s", file, err, got)
		}
		code, again, errs := buildmedic(t, "", append(args, "-patch", file)...)
		if code != exitOK || again != "" || !strings.Contains(errs, "gives it already; what is missing is that it is deployed") {
			t.Errorf("%s again: code %d\n%s%s", file, code, again, errs)
		}
		if file == "policy.json" {
			git(t, top, patch, "apply", "-R", "-")
		}
	}
}

// TestNoPatch: where there is none, it is said why, and nothing is printed that git would take.
func TestNoPatch(t *testing.T) {
	args := planning(t)
	top := t.TempDir()
	t.Chdir(top)
	put(t, "main.tf", `resource "aws_iam_role" "build" {}`)
	put(t, "a b.json", "{}")
	if err := os.Symlink("main.tf", "link.json"); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{"main.tf": `file "main.tf" takes no statement: line 1:1: invalid character 'r'`,
		"link.json": `"link.json" is a symbolic link`, ".": `"." is no file`, "a b.json": `is no path that a patch is made for`,
		"../out.json": "is no path that a patch is made for"} {
		code, out, errs := buildmedic(t, "", append(args, "-patch", file)...)
		if code != exitFailed || out != "" || !strings.Contains(errs, want) {
			t.Errorf("%s: code %d\n%s%s", file, code, out, errs)
		}
	}
	put(t, args[2], "version: 1\n")
	code, out, errs := buildmedic(t, "", append(args, "-patch", "p.json")...)
	if code != exitFailed || out != "" || !strings.Contains(errs, "the plan grants nothing, so there is no patch: ") {
		t.Errorf("without a grant: code %d\n%s%s", code, out, errs)
	}
}

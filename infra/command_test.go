package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// checkout is a clean clone of the tree as it is now.
func checkout(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	files, err := exec.Command("git", "-C", "..", "ls-files", "-z", "--cached", "--others", "--exclude-standard").Output()
	if err != nil {
		t.Fatalf("this test needs git and a clone: git ls-files: %v", err)
	}
	for name := range strings.SplitSeq(strings.TrimSuffix(string(files), "\x00"), "\x00") {
		from, to := filepath.Join("..", name), filepath.Join(dir, name)
		info, err := os.Stat(from)
		if os.IsNotExist(err) {
			continue // deleted, and not yet committed
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(from)
		if err == nil {
			err = os.MkdirAll(filepath.Dir(to), 0o755)
		}
		if err == nil {
			err = os.WriteFile(to, data, info.Mode().Perm())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	us := []string{"-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false"}
	for _, args := range [][]string{{"init", "-q"}, {"add", "-A"}, append(us, "commit", "-q", "-m", "clone")} {
		if out, err := at(dir, nil, "git", args...); err != nil {
			t.Fatalf("git %s: %v\n%s", args, err, out)
		}
	}
	return dir
}

// at runs a command in dir, without anybody's AWS credentials.
func at(dir string, env []string, name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "MAKEFLAGS=", "MAKELEVEL=", "AWS_EC2_METADATA_DISABLED=true",
		"AWS_PROFILE=", "AWS_ACCESS_KEY_ID=", "AWS_SECRET_ACCESS_KEY=", "AWS_SESSION_TOKEN=",
		"AWS_CONFIG_FILE="+os.DevNull, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull)
	cmd.Env = append(cmd.Env, env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestCommand runs the CDK's own command on a clean clone: bare, and by the
// Makefile. What a deployment does besides is for an account to show.
func TestCommand(t *testing.T) {
	makefile, err := os.ReadFile("../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	cdk := regexp.MustCompile(`(?m)^CDK +:= npx --yes (aws-cdk@[0-9.]+)$`).FindSubmatch(makefile)
	if cdk == nil {
		t.Fatal("the Makefile pins no version of the CDK's command")
	}
	dir := checkout(t)
	read := func(t *testing.T, pattern string) []byte {
		t.Helper()
		names, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil || len(names) != 1 {
			t.Fatalf("%s is %q, %v; want one file", pattern, names, err)
		}
		data, err := os.ReadFile(names[0])
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	noise := regexp.MustCompile(`unconfigured feature flags|NOTICES|CLI collects telemetry|!!|[Nn]ewer version of|is deprecated`)

	for _, c := range []struct {
		name  string
		args  []string
		says  string
		fails bool
		check func(t *testing.T)
	}{
		{name: "bare", args: []string{"npx", "--yes", string(cdk[1]), "synth", "--quiet"}, check: func(t *testing.T) {
			if !bytes.Equal(read(t, "cdk.out/asset.*/bootstrap"), read(t, "dist/arm64/bootstrap")) {
				t.Error("the stack carries another function than was built")
			}
			if !bytes.Equal(read(t, "cdk.out/asset.*/buildmedic.yaml"), read(t, "infra/buildmedic.yaml")) {
				t.Error("the function carries other settings than infra/buildmedic.yaml")
			}
		}},
		{name: "synth", args: []string{"make", "synth"}, says: "Type: AWS::Lambda::Function"},
		{name: "member without members", args: []string{"make", "member"}, fails: true,
			says: "infra/buildmedic.yaml has no project elsewhere"},
		{name: "member", args: []string{"make", "member", "SETTINGS=infra/testdata/seed.yaml"},
			says: "cdk.out/BuildmedicMember.template.json"},
		{name: "diff with itself", args: []string{"make", "diff", "SETTINGS=infra/testdata/shipped.yaml",
			"CONTEXT=-c bootstrap=infra/testdata/bootstrap --template infra/testdata/template.shipped.json"},
			says: "There were no differences"},
		// The clean tree afterwards says that the committed templates are these.
		{name: "synth-golden", args: []string{"make", "synth-golden"}},
	} {
		ok := t.Run(c.name, func(t *testing.T) {
			out, err := at(dir, nil, c.args[0], c.args[1:]...)
			if (err != nil) != c.fails || !strings.Contains(out, c.says) {
				t.Fatalf("%s: %v, want %q:\n%s", c.args, err, c.says, out)
			}
			if found := noise.FindString(out); found != "" && c.args[0] == "make" {
				t.Errorf("the output says %q, which nobody can act on:\n%s", found, out)
			}
			if c.check != nil {
				c.check(t)
			}
			if status, err := at(dir, nil, "git", "status", "--porcelain"); err != nil || status != "" {
				t.Errorf("git status is not empty: %v\n%s", err, status)
			}
		})
		if !ok && c.name == "bare" {
			t.FailNow() // nor would any other
		}
	}
}

func TestWithoutNode(t *testing.T) {
	gnumake, err := exec.LookPath("make")
	if err != nil {
		t.Fatal(err)
	}
	for _, target := range []string{"synth", "diff", "deploy", "destroy", "member", "synth-golden", "test-infra"} {
		out, err := at("..", []string{"PATH=" + t.TempDir()}, gnumake, target)
		if err == nil || !strings.Contains(out, "needs Node.js 22 or 24 with npx") {
			t.Errorf("make %s: %v, want it to say what is needed:\n%s", target, err, out)
		}
	}
}

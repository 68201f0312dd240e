// Package crosscheck installs and runs tools by others that judge what this
// project judges: what AWS would say of a policy, an event pattern, a template.
// Only tests with the build tag crosscheck use it (make crosscheck), one
// package at a time, since each may install.
//
// Each tool is pinned in testdata and installed below dist/crosscheck, once
// for each state of its pins. A test whose tool cannot be had is skipped; with
// BUILDMEDIC_NEED=1, as in CI, it fails.
package crosscheck

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// IAMSimulate gives the command for a script of testdata/iam-simulate: npm's
// @cloud-copilot/iam-simulate. It is under the AGPL: it stays a process of its
// own and no part of what is distributed.
func IAMSimulate(t testing.TB, script string) *exec.Cmd {
	t.Helper()
	pins := testdata(t, "iam-simulate")
	dir := install(t, "iam-simulate", []string{"node", "npm"}, func(dir string) [][]string {
		return [][]string{
			{"cp", filepath.Join(pins, "package.json"), filepath.Join(pins, "package-lock.json"), dir},
			{"npm", "ci", "--prefix", dir, "--no-audit", "--no-fund", "--loglevel=error"},
		}
	})
	return command(t, dir, "node", filepath.Join(pins, script))
}

// Verdicts asks IAMSimulate's judge.mjs each question of input, one a line, and holds the verdicts
// against what is wanted. It gives how many there were of each; asked names the questions.
func Verdicts(t testing.TB, input []byte, asked []string, allowed []bool) map[string]int {
	t.Helper()
	answers := Lines(t, IAMSimulate(t, "judge.mjs"), input)
	if len(answers) != len(asked) {
		t.Fatalf("the simulator answered %d of %d questions", len(answers), len(asked))
	}
	counts := map[string]int{}
	for i, line := range answers {
		var answer struct {
			Verdict string
			Error   json.RawMessage
		}
		if err := json.Unmarshal([]byte(line), &answer); err != nil {
			t.Fatal(err)
		}
		counts[answer.Verdict]++
		if answer.Error != nil || (answer.Verdict == "Allowed") != allowed[i] {
			t.Errorf("%s: it says %s, want allowed: %v", asked[i], line, allowed[i])
		}
	}
	return counts
}

// YAMLLanguageServer gives the command for testdata/yaml-language-server/judge.mjs: what editors
// show of a document that is opened in the folder.
func YAMLLanguageServer(t testing.TB, folder string) *exec.Cmd {
	t.Helper()
	pins := testdata(t, "yaml-language-server")
	dir := install(t, "yaml-language-server", []string{"node", "npm"}, func(dir string) [][]string {
		return [][]string{
			{"cp", filepath.Join(pins, "package.json"), filepath.Join(pins, "package-lock.json"), dir},
			{"npm", "ci", "--prefix", dir, "--no-audit", "--no-fund", "--loglevel=error"},
		}
	})
	return command(t, dir, "node", filepath.Join(pins, "judge.mjs"), folder)
}

// EventRuler gives the command for testdata/event-ruler/Match.java: AWS's own
// matching of EventBridge's patterns.
func EventRuler(t testing.TB) *exec.Cmd {
	t.Helper()
	pins := testdata(t, "event-ruler")
	dir := install(t, "event-ruler", []string{"java", "mvn"}, func(dir string) [][]string {
		return [][]string{{"mvn", "-q", "-B", "-f", filepath.Join(pins, "pom.xml"),
			"org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies", "-DoutputDirectory=" + dir}}
	})
	return command(t, dir, "java", "-cp", filepath.Join(dir, "*"), filepath.Join(pins, "Match.java"))
}

// Botocore gives the command for a script of testdata/botocore: the AWS SDK for Python.
func Botocore(t testing.TB, script string, args ...string) *exec.Cmd {
	t.Helper()
	pins := testdata(t, "botocore")
	dir := installPython(t, "botocore")
	return command(t, "", filepath.Join(dir, "bin", "python"), append([]string{filepath.Join(pins, script)}, args...)...)
}

// CfnLint gives the command for cfn-lint with the arguments, in a Python
// environment of its own.
func CfnLint(t testing.TB, args ...string) *exec.Cmd {
	t.Helper()
	return command(t, "", filepath.Join(installPython(t, "cfn-lint"), "bin", "cfn-lint"), args...)
}

// installPython gives the folder of a Python environment with what the tool's requirements name.
func installPython(t testing.TB, tool string) string {
	t.Helper()
	return install(t, tool, []string{"python3"}, func(dir string) [][]string {
		return [][]string{
			{"python3", "-m", "venv", dir},
			{filepath.Join(dir, "bin", "pip"), "install", "--quiet", "--disable-pip-version-check", "--no-deps",
				"-r", filepath.Join(testdata(t, tool), "requirements.txt")},
		}
	})
}

// Lines gives the tool the input and returns its lines of output.
func Lines(t testing.TB, cmd *exec.Cmd, input []byte) []string {
	t.Helper()
	var problems bytes.Buffer
	cmd.Stdin, cmd.Stderr = bytes.NewReader(input), &problems
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", filepath.Base(cmd.Path), err, problems.Bytes())
	}
	return strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
}

func command(t testing.TB, dir, name string, args ...string) *exec.Cmd {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	return cmd
}

// install gives the folder of a tool, freshly installed if its pins are not
// those of the last time.
func install(t testing.TB, tool string, programs []string, commands func(dir string) [][]string) string {
	t.Helper()
	for _, name := range programs {
		if _, err := exec.LookPath(name); err != nil {
			unavailable(t, tool, fmt.Sprintf("there is no %s here", name))
		}
	}
	dir := filepath.Join(root(t), "dist", "crosscheck", tool)
	state, stamp := fingerprint(t, testdata(t, tool)), filepath.Join(dir, "installed")
	if was, err := os.ReadFile(stamp); err == nil && string(was) == state {
		return dir
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	for _, c := range commands(dir) {
		if out, err := command(t, "", c[0], c[1:]...).CombinedOutput(); err != nil {
			unavailable(t, tool, fmt.Sprintf("%s: %v\n%s", strings.Join(c, " "), err, out))
		}
	}
	if err := os.WriteFile(stamp, []byte(state), 0o666); err != nil {
		t.Fatal(err)
	}
	return dir
}

func unavailable(t testing.TB, tool, why string) {
	t.Helper()
	if os.Getenv("BUILDMEDIC_NEED") == "1" {
		t.Fatalf("%s cannot be had, and BUILDMEDIC_NEED=1: %s", tool, why)
	}
	t.Skipf("NOT CHECKED: %s cannot be had: %s", tool, why)
}

// fingerprint is a hash over a folder's files.
func fingerprint(t testing.TB, dir string) string {
	t.Helper()
	h := sha256.New()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		fmt.Fprintf(h, "%s %d\n%s", d.Name(), len(data), data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

func testdata(t testing.TB, tool string) string {
	t.Helper()
	return filepath.Join(root(t), "internal", "crosscheck", "testdata", tool)
}

// root is the folder of the module that the test is in.
func root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			t.Fatal("the test is in no Go module")
		}
		dir = up
	}
}

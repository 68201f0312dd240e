package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/buildmedic/buildmedic/internal/sandbox"
	"github.com/buildmedic/buildmedic/internal/simaws"
)

// TestSandboxRunsACommand ensures that a command runs with the sandbox's environment and with
// nothing that leads to a real account, that its output is all there is on standard output, that its
// exit code counts, and that nothing is left behind.
func TestSandboxRunsACommand(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	t.Setenv("AWS_PROFILE", "production")
	t.Setenv("AWS_ENDPOINT_URL_IAM", "https://iam.example")
	code, out, errs := buildmedic(t, "", "sandbox", "--", "sh", "-c",
		`env | grep -E '^(AWS|BUILDMEDIC)_' | sort; ls "$BUILDMEDIC_SANDBOX"; command -v buildmedic; exit 7`)
	if code != 7 {
		t.Errorf("code %d", code)
	}
	for _, want := range []string{`AWS_ACCESS_KEY_ID=` + simaws.OwnerKey, `AWS_CONFIG_FILE=/dev/null`, `AWS_DEFAULT_REGION=eu-west-1`,
		`AWS_ENDPOINT_URL=http://127\.0\.0\.1:\d+`, `AWS_PAGER=`, `AWS_REGION=eu-west-1`, `AWS_SECRET_ACCESS_KEY=simulated`,
		`BUILDMEDIC_SANDBOX=` + tmp + `/buildmedic-sandbox-\d+`, `buildmedic\.yaml`, tmp + `/buildmedic-sandbox-\d+/bin/buildmedic`} {
		if !regexp.MustCompile(`(?m)^` + want + `$`).MatchString(out) {
			t.Errorf("its output lacks %s:\n%s", want, out)
		}
	}
	if strings.Contains(out, "AWS_PROFILE") || strings.Contains(out, "AWS_ENDPOINT_URL_IAM") || strings.Contains(out, "▶") {
		t.Errorf("its output has what does not belong there:\n%s", out)
	}
	for _, want := range []string{"✘ shop #1 failed: aws ecr get-login", "✉ [proposed] site: ",
		"account 111122223333, region eu-west-1, at http://127.0.0.1:", "buildmedic history"} {
		if !strings.Contains(errs, want) {
			t.Errorf("it does not tell %q:\n%s", want, errs)
		}
	}
	for l := range strings.Lines(errs) {
		if n := len([]rune(strings.TrimSuffix(l, "\n"))); n > 80 && !strings.Contains(l, tmp) {
			t.Errorf("a line has %d columns: %s", n, l)
		}
	}
	if left, err := os.ReadDir(tmp); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

// TestSandboxServes ensures that without a command it prints the environment and runs until it is
// interrupted; that the environment works in a shell, for each command; and that mails are shown if
// asked for.
func TestSandboxServes(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out := &growing{changed: make(chan struct{}, 1)}
	done := make(chan int)
	go func() {
		done <- run(ctx, []string{"sandbox", "-story", "tracker-api", "-mail"}, strings.NewReader(""), out, out)
	}()
	text := out.until(t, "and each command that a notice shows")
	for _, want := range []string{"account 290008131176, region us-west-2", "unset AWS_PROFILE\n",
		"start-build --project-name TrackerAPI "} {
		if !strings.Contains(text, want) {
			t.Errorf("it does not print %q:\n%s", want, text)
		}
	}
	if !regexp.MustCompile(`✉ \[healed\][^\n]*\n\n\S`).MatchString(text) {
		t.Errorf("it shows no mail:\n%s", text)
	}
	var lines []string
	for l := range strings.Lines(text) {
		if strings.HasPrefix(l, "export ") || strings.HasPrefix(l, "unset ") {
			lines = append(lines, l)
		}
	}
	cmd := exec.CommandContext(ctx, "sh", "-c", strings.Join(lines, "")+
		`echo "$AWS_ENDPOINT_URL $BUILDMEDIC_SANDBOX ${AWS_PROFILE-none}"`)
	cmd.Env = append(os.Environ(), "AWS_PROFILE=production")
	said, err := cmd.Output()
	f := strings.Fields(string(said))
	if err != nil || len(f) != 3 || f[2] != "none" {
		t.Fatalf("the environment in a shell: %q %v", said, err)
	}
	t.Setenv("AWS_ENDPOINT_URL", f[0])
	t.Setenv(envSandbox, f[1])
	dir, clock := sandboxed()
	inside(t)
	if dir != f[1] || clock == nil || deskClock == timeKeeper(wallClock{}) ||
		defaultSettings != filepath.Join(dir, sandbox.SettingsFile) {
		t.Errorf("a command does not find itself in the sandbox: %q %v %s", dir, clock, defaultSettings)
	}
	if own, err := ownFolder(os.UserConfigDir); own != dir || err != nil {
		t.Errorf("a command would leave its files in %s (%v)", own, err)
	}
	code, passed, errs := buildmedic(t, "", "sandbox", "-pass", "48h")
	if in2 := time.Now().Add(47 * time.Hour).UTC().Format("2006-01-02"); code != exitOK || !strings.Contains(passed, in2) &&
		!strings.Contains(passed, time.Now().Add(49*time.Hour).UTC().Format("2006-01-02")) {
		t.Errorf("-pass: code %d %s%s", code, passed, errs)
	}
	if code, _, errs := buildmedic(t, "", "sandbox"); code != exitFailed || !strings.Contains(errs, "a sandbox's shell already") {
		t.Errorf("a sandbox in a sandbox: code %d %s", code, errs)
	}
	cancel()
	if code := <-done; code != exitInterrupted {
		t.Errorf("code %d", code)
	}
	if code, _, errs := buildmedic(t, "", "sandbox", "-pass", "1h"); code != exitFailed ||
		!strings.Contains(errs, "the sandbox has ended") {
		t.Errorf("-pass afterwards: code %d %s", code, errs)
	}
}

// inside has commands run in the sandbox that the environment names, until the test ends.
func inside(t *testing.T) {
	t.Helper()
	clock, word, file := deskClock, program, defaultSettings
	enterSandbox()
	t.Cleanup(func() { deskClock, program, defaultSettings = clock, word, file })
}

// growing is output that a test waits for.
type growing struct {
	lockedBuffer
	changed chan struct{}
}

func (g *growing) Write(p []byte) (int, error) {
	defer func() {
		select {
		case g.changed <- struct{}{}:
		default:
		}
	}()
	return g.lockedBuffer.Write(p)
}

// until waits for a text and gives all that was written.
func (g *growing) until(t *testing.T, want string) string {
	t.Helper()
	for !strings.Contains(g.String(), want) {
		select {
		case <-g.changed:
		case <-time.After(time.Minute):
			t.Fatalf("it never says %q:\n%s", want, g.String())
		}
	}
	return g.String()
}

// TestSandboxUsage ensures that what cannot be meant is said, before anything starts.
func TestSandboxUsage(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"bash"}, "a command stands behind --: buildmedic sandbox -- bash"},
		{[]string{"-port", "70000"}, "-port is 1 to 65535"},
		{[]string{"-shell", "zz"}, "-shell is sh, fish or powershell"},
		{[]string{"-story", "nothing"}, `there is no story "nothing"; there are tracker-api`},
		{[]string{"-pass", "-1h"}, "-pass is a duration"},
	} {
		code, _, errs := buildmedic(t, "", append([]string{"sandbox"}, tt.args...)...)
		if code != exitUsage || !strings.Contains(errs, tt.want) {
			t.Errorf("%v: code %d %s", tt.args, code, errs)
		}
	}
	if code, _, errs := buildmedic(t, "", "sandbox", "-pass", "1h"); code != exitFailed ||
		!strings.Contains(errs, "no sandbox's shell") {
		t.Errorf("-pass outside: code %d %s", code, errs)
	}
	if code, _, errs := buildmedic(t, "", "sandbox", "--", "/no/such/command"); code != exitFailed ||
		!strings.Contains(errs, "/no/such/command") {
		t.Errorf("a command that is not there: code %d %s", code, errs)
	}
}

// TestExport ensures that each shell is given its own form, quotes and all.
func TestExport(t *testing.T) {
	env := [][2]string{{"A", "it's"}}
	for shell, want := range map[string][]string{
		"sh":         {"unset AWS_PROFILE\n", `export A='it'\''s'` + "\n", `export PATH='/d/bin':"$PATH"` + "\n"},
		"fish":       {"set -e AWS_PROFILE\n", `set -gx A 'it\'s'` + "\n"},
		"powershell": {"Remove-Item -ErrorAction Ignore env:AWS_PROFILE\n", "$env:A = 'it''s'\n"},
	} {
		got := export(shell, env, "/d")
		for _, w := range want {
			if !strings.Contains(got, w) {
				t.Errorf("%s lacks %q:\n%s", shell, w, got)
			}
		}
	}
	got := inSandbox([]string{"HOME=/h", "AWS_PROFILE=p", "BUILDMEDIC_TABLE=t"}, [][2]string{{envSandbox, "/d"}})
	if !slices.Contains(got, "HOME=/h") || slices.ContainsFunc(got, func(kv string) bool {
		return strings.HasPrefix(kv, "AWS_") || kv == "BUILDMEDIC_TABLE=t"
	}) {
		t.Errorf("%q", got)
	}
}

// TestSandboxedOutside ensures that a sandbox's variable alone makes no command go by another time.
func TestSandboxedOutside(t *testing.T) {
	t.Setenv(envSandbox, t.TempDir())
	for _, endpoint := range []string{"", "https://codebuild.eu-west-1.amazonaws.com", "http://10.1.2.3:4566"} {
		t.Setenv("AWS_ENDPOINT_URL", endpoint)
		if dir, c := sandboxed(); dir != "" || c != nil {
			t.Errorf("%q is taken for a sandbox", endpoint)
		}
	}
}

//go:build tools

package toolbox

import (
	"bytes"
	"context"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/tools/txtar"
)

var (
	only  = flag.String("only", "", "renew only the runs whose name (TOOL/RUN) this regular expression finds")
	keep  = flag.String("keep", "", "install the tools below this folder and leave them there, in place of a temporary one")
	heard = flag.Bool("heard", false, "log what each tool asked AWS for")
)

// perRun bounds one run, and perInstall one installation.
const (
	perRun     = 3 * time.Minute
	perInstall = 20 * time.Minute
)

// TestRenew installs the tools, runs each anew against a server that denies, and rewrites the
// files. It fails where a tool was never refused, as then nothing is known about it.
func TestRenew(t *testing.T) {
	want, err := regexp.Compile(*only)
	if err != nil {
		t.Fatal(err)
	}
	w, err := newWire()
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	dir := *keep
	if dir == "" {
		dir = t.TempDir()
	}
	if dir, err = filepath.Abs(dir); err != nil {
		t.Fatal(err)
	}
	b := &bench{wire: w, tools: dir, run: t.TempDir()}
	if err := b.prepare(); err != nil {
		t.Fatal(err)
	}
	defer b.unmount()
	tools, runs := allRuns(t)
	for _, x := range tools {
		mine := slices.DeleteFunc(slices.Clone(runs), func(r *run) bool { return r.tool != x || !want.MatchString(r.name) })
		if len(mine) == 0 {
			continue
		}
		t.Run(x.dir, func(t *testing.T) {
			if err := b.install(x); err != nil {
				t.Fatalf("NOT CHECKED: %v", err)
			}
			for _, r := range mine {
				if err := b.renew(r); err != nil {
					t.Errorf("%s: %v", r.name, err)
					continue
				}
				asked, denied := w.heard()
				unheard := denied == 0 && r.answers != "" // where nothing is answered, nothing is denied
				if *heard || unheard {
					t.Logf("%s asked for:\n  %s", r.name, strings.Join(asked, "\n  "))
				}
				if unheard {
					t.Errorf("%s was never refused; it printed:\n%s", r.name, r.output)
					continue
				}
				r.write(t)
			}
		})
	}
}

// bench is where tools run.
type bench struct {
	wire  *wire
	tools string // the tools' own folders
	run   string // of the present run: its home and its sources
}

func (b *bench) path(elem ...string) string {
	return filepath.Join(append([]string{b.run}, elem...)...)
}

// prepare writes what makes tools trust the server.
func (b *bench) prepare() error {
	if err := os.MkdirAll(b.tools, 0o755); err != nil {
		return err
	}
	system, err := os.ReadFile("/etc/ssl/certs/ca-certificates.crt")
	if err != nil {
		system = nil // then the server's alone is trusted, which is all that a run needs
	}
	port := b.wire.listener.Addr().(*net.TCPAddr).Port
	for name, text := range map[string]string{
		"ca.pem":     string(b.wire.caPEM()),
		"bundle.pem": string(b.wire.caPEM()) + string(system),
		"preload.js": fmt.Sprintf(preload, port),
	} {
		if err := os.WriteFile(b.path(name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	keytool, err := exec.LookPath("keytool")
	if err != nil {
		return nil // no Java here, which the tools that need it will say
	}
	out, err := exec.Command(keytool, "-importcert", "-noprompt", "-alias", "toolbox", "-file", b.path("ca.pem"), "-keystore",
		b.path("trust.p12"), "-storetype", "PKCS12", "-storepass", "changeit").CombinedOutput()
	if err != nil {
		return fmt.Errorf("keytool: %w: %s", err, out)
	}
	return nil
}

// preload leads Node.js, most of whose AWS clients heed no HTTPS_PROXY, to the server.
const preload = `const net = require('net');
const connect = net.Socket.prototype.connect;
net.Socket.prototype.connect = function (...args) {
  const o = Array.isArray(args[0]) ? args[0][0] : args[0];
  if (o && typeof o === 'object' && /\.amazonaws\.com$|\.api\.aws$/.test(o.host || '')) {
    o.host = '127.0.0.1'; o.port = %d; delete o.lookup;
  }
  return connect.apply(this, args);
};
`

// install installs a tool, unless the folder has this version already.
func (b *bench) install(x *tool) error {
	dir := filepath.Join(b.tools, x.dir)
	stamp := filepath.Join(dir, ".installed")
	what := x.registry + " " + strings.Join(x.install, " ") + "\n" + x.setup
	if x.setup != "" { // which may build something of the files
		what += string(txtar.Format(&txtar.Archive{Files: x.files}))
	}
	if old, err := os.ReadFile(stamp); err == nil && string(old) == what {
		return nil
	}
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, f := range x.files {
		if err := writeFile(dir, f.Name, f.Data); err != nil {
			return err
		}
	}
	script := "set -eu\n"
	switch x.registry {
	case "pypi":
		script += "python3 -m venv venv\nvenv/bin/pip install -q --disable-pip-version-check " + strings.Join(x.install, " ") + "\n"
	case "npm":
		script += "npm install --prefix . --no-audit --no-fund --loglevel=error " + strings.Join(x.install, " ") + "\n"
	case "go":
		for _, m := range x.install {
			script += "GOBIN=$PWD/bin go install " + m + "\n"
		}
	case "debian":
		script += "mkdir deb && chmod 777 . deb && cd deb && apt-get download -qq " + strings.Join(x.install, " ") +
			"\nls | grep -qE '_([0-9]+%3a)?" + regexp.QuoteMeta(x.version) + "' || { echo not version " + x.version + ": $(ls); exit 1; }" +
			"\nfor f in *.deb; do dpkg -x $f ../root; done\ncd ..\nrm -r deb\n"
	case "crates":
		for _, c := range x.install {
			name, version, _ := strings.Cut(c, "@")
			script += "cargo install -q --locked --root . --version " + version + " " + name + "\n"
		}
	}
	script += x.setup
	ctx, cancel := context.WithTimeout(context.Background(), perInstall)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-c", script)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("installing %s: %w\n%s", x.dir, err, out)
	}
	return os.WriteFile(stamp, []byte(what), 0o644)
}

func writeFile(dir, name string, data []byte) error {
	p := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
		return err
	}
	mode := os.FileMode(0o644)
	if bytes.HasPrefix(data, []byte("#!")) {
		mode = 0o755
	}
	return os.WriteFile(p, data, mode)
}

// renew runs a tool and keeps what it prints.
func (b *bench) renew(r *run) error {
	home, src := b.path("home"), b.path("src", "shop")
	b.unmount()
	for _, d := range []string{home, b.path("src")} {
		if err := os.RemoveAll(d); err != nil {
			return err
		}
	}
	for _, d := range []string{home, src} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return err
		}
	}
	bodies := map[string]string{}
	// Some tools want the way to the server in a file of their own.
	fill := strings.NewReplacer("{{proxy-port}}", b.wire.proxyURL().Port(), "{{ca}}", b.path("ca.pem"))
	for _, f := range slices.Concat(r.tool.files, r.archive.Files) {
		f.Data = []byte(fill.Replace(string(f.Data)))
		switch {
		case slices.Contains([]string{"command", "run", "answers", "output", "want"}, f.Name):
		case strings.HasPrefix(f.Name, "answers/"):
			bodies[f.Name] = string(f.Data)
		case strings.HasPrefix(f.Name, "home/"):
			if err := writeFile(home, strings.TrimPrefix(f.Name, "home/"), f.Data); err != nil {
				return err
			}
		default:
			if err := writeFile(src, f.Name, f.Data); err != nil {
				return err
			}
		}
	}
	toolDir := filepath.Join(b.tools, r.tool.dir)
	if modules := filepath.Join(toolDir, "node_modules"); exists(modules) && !r.tool.noLink {
		if err := os.Symlink(modules, filepath.Join(src, "node_modules")); err != nil {
			return err
		}
	}
	if err := b.wire.program(r.answers, bodies); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), perRun)
	defer cancel()
	script := r.script
	if script == "" {
		script = r.command
	}
	cmd := exec.CommandContext(ctx, "sh", "-c", script)
	cmd.Dir, cmd.Env = src, b.env(r.tool, toolDir, home)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	out, err := cmd.CombinedOutput()
	cmd.Cancel() // what it left running would write into the next run's folders; an error means that there is nothing
	if ctx.Err() != nil {
		return fmt.Errorf("still running after %s; it printed:\n%s", perRun, out)
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return err
	}
	r.exit = fmt.Sprint(cmd.ProcessState.ExitCode())
	text, err := b.settle(r, string(out), toolDir)
	if err != nil {
		return err
	}
	if !strings.HasSuffix(text, "\n") {
		text += "\n" // CodeBuild ends each command's output with a line break, and so does the archive
	}
	if markers.MatchString(text) {
		return errors.New("the output has a line that would split the archive")
	}
	r.output = text
	r.section("output").Data = []byte(text)
	return nil
}

var markers = regexp.MustCompile(`(?m)^-- .* --$`)

func exists(p string) bool {
	_, err := os.Stat(p)
	return err == nil
}

// env is what a build's environment has, and what leads tools to the server.
func (b *bench) env(x *tool, toolDir, home string) []string {
	proxy, bundle := b.wire.proxyURL().String(), b.path("bundle.pem")
	// The AWS SDK for Java v2 reads the proxy for plain HTTP, whatever it then speaks.
	java := fmt.Sprintf("-Dhttps.proxyHost=127.0.0.1 -Dhttps.proxyPort=%[1]s -Dhttp.proxyHost=127.0.0.1 -Dhttp.proxyPort=%[1]s "+
		"-Djavax.net.ssl.trustStore=%[2]s -Djavax.net.ssl.trustStorePassword=changeit -Duser.home=%[3]s",
		b.wire.proxyURL().Port(), b.path("trust.p12"), home)
	var path []string
	for _, d := range []string{"venv/bin", "node_modules/.bin", "bin", "root/usr/bin", "root/usr/sbin"} {
		if exists(filepath.Join(toolDir, d)) {
			path = append(path, filepath.Join(toolDir, d))
		}
	}
	list := []string{
		"PATH=" + strings.Join(append(path, os.Getenv("PATH")), ":"), "HOME=" + home, "LANG=C.UTF-8", "TERM=dumb", "COLUMNS=80", "TZ=UTC",
		"CODEBUILD_CI=true", "AWS_REGION=eu-west-1", "AWS_DEFAULT_REGION=eu-west-1", "AWS_ACCESS_KEY_ID=ASIAEXAMPLE",
		"AWS_SECRET_ACCESS_KEY=example", "AWS_SESSION_TOKEN=example", "AWS_EC2_METADATA_DISABLED=true",
		"HTTPS_PROXY=" + proxy, "https_proxy=" + proxy, "NO_PROXY=127.0.0.1,localhost", "no_proxy=127.0.0.1,localhost",
		"AWS_CA_BUNDLE=" + bundle, "SSL_CERT_FILE=" + bundle, "REQUESTS_CA_BUNDLE=" + bundle, "CURL_CA_BUNDLE=" + bundle,
		"PIP_CERT=" + bundle, "GIT_SSL_CAINFO=" + bundle, "npm_config_cafile=" + bundle, "NODE_EXTRA_CA_CERTS=" + b.path("ca.pem"),
		"NODE_OPTIONS=--require " + b.path("preload.js"), "MAVEN_OPTS=" + java, "JAVA_FLAGS=" + java,
		"VIRTUALENV_NO_PERIODIC_UPDATE=1", "TOOL=" + toolDir, "GOFLAGS=-mod=mod", "GOTOOLCHAIN=local",
	}
	expand := strings.NewReplacer("$TOOL", toolDir, "$HOME", home, "$BUNDLE", bundle)
	for _, e := range x.env {
		list = append(list, expand.Replace(e))
	}
	return list
}

// section gives a section of the archive, which is made before "want" if it is not there yet.
func (r *run) section(name string) *txtar.File {
	i := slices.IndexFunc(r.archive.Files, func(f txtar.File) bool { return f.Name == name })
	if i < 0 {
		i = slices.IndexFunc(r.archive.Files, func(f txtar.File) bool { return f.Name == "want" })
		if i < 0 {
			i = len(r.archive.Files)
		}
		r.archive.Files = slices.Insert(r.archive.Files, i, txtar.File{Name: name})
	}
	return &r.archive.Files[i]
}

// caPEM is the authority that tools must trust.
func (w *wire) caPEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: w.ca.Raw})
}

// unmount takes away what container engines leave mounted in the present run's folders.
func (b *bench) unmount() {
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return
	}
	var points []string
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) > 4 && strings.HasPrefix(f[4], b.run+"/") {
			points = append(points, f[4])
		}
	}
	for _, p := range slices.Backward(points) {
		syscall.Unmount(p, 0) // what stays mounted makes the next removal fail, which is said there
	}
}

// changing is what tools print anew each time, and what stands for it.
var changing = []struct {
	re   *regexp.Regexp
	text string
}{
	{regexp.MustCompile(`\b20\d\d-\d\d-\d\d([T ])\d\d:\d\d:\d\d`), "2026-01-02${1}03:04:05"},
	{regexp.MustCompile(`\b20\d\d/\d\d/\d\d \d\d:\d\d:\d\d\b`), "2026/01/02 03:04:05"},
	{regexp.MustCompile(`(03:04:05[.,])\d+`), "${1}000"},
	{regexp.MustCompile(`\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun)(,?) (?:\d\d )?[A-Z][a-z]{2} +(?:\d+ )?\d\d:\d\d:\d\d 20\d\d`),
		"Fri Jan  2 03:04:05 2026"},
	{regexp.MustCompile(`\b\d\d:\d\d:\d\d(\.\d+)?\b`), "03:04:05"},
	{regexp.MustCompile(`\b0x[0-9a-f]{8,16}\b`), "0x7f0000000000"},
	{regexp.MustCompile(`\bsha256:[0-9a-f]{64}\b`), "sha256:" + strings.Repeat("0123456789abcdef", 4)},
}

// settle takes what differs from run to run out of the output.
func (b *bench) settle(r *run, text, toolDir string) (string, error) {
	python := ""
	if out, err := exec.Command("python3", "-c", "import os; print(os.path.dirname(os.__file__))").Output(); err == nil {
		python = strings.TrimSpace(string(out))
	}
	pairs := []string{
		b.path("src", "shop"), "/codebuild/output/src1/src/shop",
		b.path("home"), "/home/build",
		toolDir, "/opt/tools/" + r.tool.dir,
		b.run, "/opt/toolbox",
		b.wire.addr(), "127.0.0.1:8080",
		":" + b.wire.proxyURL().Port(), ":8080", "Port: " + b.wire.proxyURL().Port(), "Port: 8080",
	}
	if python != "" {
		pairs = append(pairs, python, "/usr/lib/"+filepath.Base(python))
	}
	text = strings.NewReplacer(pairs...).Replace(text)
	relative := regexp.MustCompile(`(?:\.\./)+(?:[\w.-]+/)*` + regexp.QuoteMeta(filepath.Base(toolDir)) + `/`) // as jest prints it
	text = relative.ReplaceAllLiteralString(text, "/opt/tools/"+r.tool.dir+"/")
	for _, c := range changing {
		text = c.re.ReplaceAllString(text, c.text)
	}
	for _, line := range r.tool.replace {
		from, to, ok := strings.Cut(line+" ", " -> ") // nothing may stand for it
		to = strings.TrimSuffix(to, " ")
		re, err := regexp.Compile(from)
		if err != nil || !ok {
			return "", fmt.Errorf("replace: %q is not REGEXP -> TEXT", line)
		}
		text = re.ReplaceAllString(text, strings.ReplaceAll(to, `\n`, "\n"))
	}
	return text, nil
}

package deploytest

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// goreleaser names the program, which make release-check installs.
const goreleaser = "BUILDMEDIC_GORELEASER"

// TestRelease makes a release as the workflow would, from a clone with tags, for this platform
// alone, and publishes nothing. What it makes must be whole: the command, the function with the
// bytes of make build, a deployment that needs no Go and gives the template of make synth, and
// notes that come from the commits.
func TestRelease(t *testing.T) {
	if os.Getenv(goreleaser) == "" {
		t.Skip("make release-check runs this: it installs GoReleaser first")
	}
	ctx, stop := context.WithTimeout(t.Context(), 15*time.Minute)
	defer stop()
	repo, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	r := release{t: t, ctx: ctx, dir: filepath.Join(t.TempDir(), "clone")}
	r.run(repo, "git", "clone", "--quiet", repo, r.dir)
	r.thisPlatform()
	r.commit("guardrail: refuse what this test made up")
	r.run(r.dir, "git", "tag", "v0.1.0", "HEAD~1")
	r.run(r.dir, "git", "tag", "v0.2.0")
	r.run(r.dir, "git", "remote", "set-url", "origin", "https://github.com/buildmedic/buildmedic.git")
	r.run(r.dir, os.Getenv(goreleaser), "release", "--clean", "--skip=publish,announce,sign,sbom,docker,scoop")

	arch, dist := runtime.GOARCH, filepath.Join(r.dir, "dist", "release")
	command := untar(t, filepath.Join(dist, "buildmedic_0.2.0_linux_"+arch+".tar.gz"))
	for _, name := range []string{"buildmedic", "README.md", "LICENSE"} {
		if len(command[name]) == 0 {
			t.Errorf("the command's archive has no %s", name)
		}
	}
	if got := r.run(r.unpack(command), "./buildmedic", "version"); !strings.Contains(got, "0.2.0") ||
		!strings.Contains(got, r.run(r.dir, "git", "rev-parse", "--short=7", "HEAD")) {
		t.Errorf("the command says it is %s", got)
	}
	for _, a := range []string{"arm64", "amd64"} {
		want, err := os.ReadFile(filepath.Join(repo, "dist", a, "bootstrap"))
		if err != nil {
			t.Fatal(err)
		}
		got := unzip(t, filepath.Join(dist, "buildmedic-function_0.2.0_"+a+".zip"))
		if len(got) != 1 || !bytes.Equal(got["bootstrap"], want) {
			t.Errorf("the function's zip for %s has %d files, or another program than make build makes", a, len(got))
		}
	}
	r.checksums(dist)
	r.notes(filepath.Join(dist, "CHANGELOG.md"))
	r.cask(filepath.Join(dist, "homebrew", "Casks", "buildmedic.rb"), filepath.Join(dist, "buildmedic_0.2.0_linux_"+arch+".tar.gz"))
	for _, format := range []string{"deb", "rpm", "apk"} {
		if found, _ := filepath.Glob(filepath.Join(dist, "buildmedic_0.2.0_linux_"+arch+"."+format)); len(found) != 1 {
			t.Errorf("there is no package for %s", format)
		}
	}
	r.withoutGo(repo, untar(t, filepath.Join(dist, "buildmedic-deploy_0.2.0_linux_"+arch+".tar.gz")))
}

type release struct {
	t   *testing.T
	ctx context.Context
	dir string // the clone
}

func (r release) run(dir, name string, args ...string) string {
	r.t.Helper()
	return r.runWith(dir, os.Getenv("PATH"), name, args...)
}

func (r release) runWith(dir, path, name string, args ...string) string {
	r.t.Helper()
	cmd := exec.CommandContext(r.ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool {
		return slices.ContainsFunc([]string{"GITHUB_", "GITLAB_", "MAKE", "AWS_"}, func(p string) bool { return strings.HasPrefix(v, p) })
	}), "PATH="+path, "BUILDMEDIC_IMAGE=buildmedic", "TAP_TOKEN=none")
	out, err := cmd.CombinedOutput()
	if err != nil {
		r.t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, tail(string(out), 4000))
	}
	return strings.TrimSpace(string(out))
}

// thisPlatform leaves out of the configuration what would take many minutes to compile.
func (r release) thisPlatform() {
	file := filepath.Join(r.dir, ".goreleaser.yaml")
	data, err := os.ReadFile(file)
	if err != nil {
		r.t.Fatal(err)
	}
	text := string(data)
	for _, s := range [][2]string{
		{"goos: [linux, darwin, windows]", "goos: [linux]"},
		{"goos: [linux, darwin]", "goos: [linux]"},
		{"goarch: [amd64, arm64]", "goarch: [" + runtime.GOARCH + "]"},
	} {
		if !strings.Contains(text, s[0]) {
			r.t.Fatalf(".goreleaser.yaml has no %q any more: this test must leave out other platforms in another way", s[0])
		}
		text = strings.ReplaceAll(text, s[0], s[1])
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		r.t.Fatal(err)
	}
}

func (r release) commit(subject string) {
	r.run(r.dir, "git", "-c", "user.name=Test", "-c", "user.email=test@example.com", "commit", "--quiet", "--all", "-m", subject)
}

// checksums ensures that each file to be published is listed, with its sum.
func (r release) checksums(dist string) {
	data, err := os.ReadFile(filepath.Join(dist, "checksums.txt"))
	if err != nil {
		r.t.Fatal(err)
	}
	listed := map[string]string{}
	for line := range strings.Lines(string(data)) {
		sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		listed[name] = sum
	}
	for _, pattern := range []string{"*.tar.gz", "*.zip", "*.deb", "*.rpm", "*.apk"} {
		found, _ := filepath.Glob(filepath.Join(dist, pattern))
		for _, file := range found {
			data, err := os.ReadFile(file)
			if err != nil {
				r.t.Fatal(err)
			}
			sum := sha256.Sum256(data)
			if name := filepath.Base(file); listed[name] != hex.EncodeToString(sum[:]) {
				r.t.Errorf("checksums.txt says %q of %s", listed[name], name)
			}
		}
	}
	if len(listed) < 7 {
		r.t.Errorf("checksums.txt lists %d files only: %s", len(listed), data)
	}
}

// notes ensures that a commit stands under its room.
func (r release) notes(file string) {
	data, err := os.ReadFile(file)
	if err != nil {
		r.t.Fatal(err)
	}
	under := regexp.MustCompile(`(?m)^###? What may be granted, and to whom\n(.*\n)?[*-] [0-9a-f]{8}:? guardrail: refuse what this test`)
	if !under.Match(data) {
		r.t.Errorf("the notes of the release:\n%s", data)
	}
}

// cask ensures that Homebrew's file names the archive with its sum.
func (r release) cask(file, archive string) {
	data, err := os.ReadFile(file)
	if err != nil {
		r.t.Fatal(err)
	}
	packed, err := os.ReadFile(archive)
	if err != nil {
		r.t.Fatal(err)
	}
	sum := sha256.Sum256(packed)
	for _, want := range []string{`cask "buildmedic"`, hex.EncodeToString(sum[:]), `binary "buildmedic"`,
		"generate_completions_from_executable", "com.apple.quarantine"} {
		if !bytes.Contains(data, []byte(want)) {
			r.t.Errorf("the cask has no %s:\n%s", want, data)
		}
	}
}

// withoutGo ensures that the archive for deployments gives the template that make synth gives,
// where no Go is.
func (r release) withoutGo(repo string, files map[string][]byte) {
	const top = "buildmedic-deploy_0.2.0_linux_" + runtime.GOARCH
	dir := filepath.Join(r.unpack(files), top)
	if _, ok := files[top+"/dist/arm64/bootstrap"]; !ok {
		r.t.Fatalf("the archive for deployments has no function: %d files", len(files))
	}
	if !bytes.Equal(r.template(dir, r.pathWithoutGo()), r.template(repo, os.Getenv("PATH"))) {
		r.t.Error("the archive for deployments gives another template than make synth")
	}
}

// template is what the CDK's command makes in a folder.
func (r release) template(dir, path string) []byte {
	out := r.t.TempDir()
	r.runWith(dir, path, "sh", "-c", os.Getenv(cdk)+" synth --quiet --output "+out)
	data, err := os.ReadFile(filepath.Join(out, "Buildmedic.template.json"))
	if err != nil {
		r.t.Fatal(err)
	}
	return data
}

// pathWithoutGo is a PATH with what the CDK's command needs, and no go.
func (r release) pathWithoutGo() string {
	dir := r.t.TempDir()
	for _, name := range []string{"node", "npm", "npx", "sh", "env", "dirname", "basename", "readlink", "uname", "sed", "cat"} {
		at, err := exec.LookPath(name)
		if err != nil {
			r.t.Fatal(err)
		}
		if err := os.Symlink(at, filepath.Join(dir, name)); err != nil {
			r.t.Fatal(err)
		}
	}
	return dir
}

func (r release) unpack(files map[string][]byte) string {
	dir := r.t.TempDir()
	for name, data := range files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			r.t.Fatal(err)
		}
		if err := os.WriteFile(file, data, 0o755); err != nil {
			r.t.Fatal(err)
		}
	}
	return dir
}

func untar(t *testing.T, file string) map[string][]byte {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Typeflag != tar.TypeReg || !filepath.IsLocal(h.Name) {
			continue
		}
		if files[h.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
}

func unzip(t *testing.T, file string) map[string][]byte {
	t.Helper()
	z, err := zip.OpenReader(file)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	files := map[string][]byte{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if files[f.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
		r.Close()
	}
	return files
}

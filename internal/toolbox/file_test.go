package toolbox

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

// root holds a folder for each tool: tool.txtar, and a file for each run.
const root = "../../testdata/tools"

// toolFile is the file of a tool itself.
const toolFile = "tool.txtar"

// A tool is a pinned version of one tool, and what each of its runs finds.
type tool struct {
	dir      string // its folder below root, which is its short name
	name     string
	version  string
	registry string   // pypi, npm, go, debian, maven or system
	install  []string // what that registry's client installs
	env      []string // KEY=VALUE
	replace  []string // REGEXP -> TEXT, for what this tool prints anew each time
	noLink   bool     // a run does not find the tool's node_modules as its own
	setup    string   // a shell script, run once after the installation, in the tool's folder
	files    []txtar.File
}

// A run is one command of a tool that was denied something: what was run and what came of it.
type run struct {
	tool     *tool
	path     string
	archive  *txtar.Archive
	name     string // FOLDER/FILE, without .txtar
	denied   string // for people
	known    string // why it is read wrong today; "" for what must be right
	exit     string
	command  string
	script   string // what is really run, where the command alone needs something around it
	answers  string // how the server answers, see parseAnswers
	output   string
	want     reading
	wantText string
}

// fields splits the comment of an archive into its lines "key: value".
func fields(comment []byte) (map[string][]string, error) {
	m := map[string][]string{}
	for line := range strings.Lines(string(comment)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		key, value, ok := strings.Cut(line, ":")
		if !ok {
			return nil, fmt.Errorf("%q is not KEY: VALUE", line)
		}
		m[key] = append(m[key], strings.TrimSpace(value))
	}
	return m, nil
}

// one takes the only value of a key away; "" if there is none.
func one(m map[string][]string, key string) string {
	v := strings.Join(m[key], "\n")
	delete(m, key)
	return v
}

func readTool(dir string) (*tool, error) {
	a, err := txtar.ParseFile(filepath.Join(root, dir, toolFile))
	if err != nil {
		return nil, err
	}
	m, err := fields(a.Comment)
	if err != nil {
		return nil, err
	}
	t := &tool{dir: dir, name: one(m, "name"), version: one(m, "version"), registry: one(m, "registry"),
		install: strings.Fields(one(m, "install")), env: m["env"], replace: m["replace"]}
	delete(m, "env")
	delete(m, "replace")
	t.noLink = one(m, "link") == "no"
	for key := range m {
		return nil, fmt.Errorf("%s/%s: unknown key %q", dir, toolFile, key)
	}
	if t.name == "" || t.version == "" || t.registry == "" {
		return nil, fmt.Errorf("%s/%s needs name, version and registry", dir, toolFile)
	}
	for _, f := range a.Files {
		if f.Name == "setup" {
			t.setup = string(f.Data)
		} else {
			t.files = append(t.files, f)
		}
	}
	return t, nil
}

func readRun(t *tool, path string) (*run, error) {
	a, err := txtar.ParseFile(path)
	if err != nil {
		return nil, err
	}
	m, err := fields(a.Comment)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	r := &run{tool: t, path: path, archive: a, name: t.dir + "/" + strings.TrimSuffix(filepath.Base(path), ".txtar"),
		denied: one(m, "denied"), known: one(m, "known"), exit: one(m, "exit")}
	for _, k := range []struct{ key, value string }{{"tool", t.name}, {"version", t.version}, {"registry", t.registry}} {
		if v := one(m, k.key); r.exit != "" && v != k.value {
			return nil, fmt.Errorf("%s was run with %s %q, and %s has %q: run make tools ONLY='^%s/'",
				path, k.key, v, toolFile, k.value, t.dir)
		}
	}
	for key := range m {
		return nil, fmt.Errorf("%s: unknown key %q", path, key)
	}
	for _, f := range a.Files {
		switch f.Name {
		case "command":
			r.command = strings.TrimSuffix(string(f.Data), "\n")
		case "run":
			r.script = string(f.Data)
		case "answers":
			r.answers = string(f.Data)
		case "output":
			r.output = string(f.Data)
		case "want":
			r.wantText = string(f.Data)
		}
	}
	if r.denied == "" || r.command == "" || r.answers == "" && !strings.HasPrefix(r.denied, "nothing") {
		return nil, fmt.Errorf("%s needs what is denied, a command and, if anything is, answers", path)
	}
	r.want, err = parseReading(r.wantText)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

// format gives the run's file.
func (r *run) format() []byte {
	var b bytes.Buffer
	line := func(key, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%s: %s\n", key, value)
		}
	}
	line("tool", r.tool.name)
	line("version", r.tool.version)
	line("registry", r.tool.registry)
	line("denied", r.denied)
	line("exit", r.exit)
	line("known", r.known)
	r.archive.Comment = b.Bytes()
	return txtar.Format(r.archive)
}

// allRuns reads every file.
func allRuns(t testing.TB) ([]*tool, []*run) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "*", toolFile))
	if err != nil || len(files) == 0 {
		t.Fatalf("no tools in %s: %v", root, err)
	}
	var tools []*tool
	var runs []*run
	for _, f := range files {
		one, err := readTool(filepath.Base(filepath.Dir(f)))
		if err != nil {
			t.Fatal(err)
		}
		tools = append(tools, one)
		paths, err := filepath.Glob(filepath.Join(root, one.dir, "*.txtar"))
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range paths {
			if filepath.Base(p) == toolFile {
				continue
			}
			r, err := readRun(one, p)
			if err != nil {
				t.Error(err)
				continue
			}
			runs = append(runs, r)
		}
	}
	return tools, runs
}

func (r *run) write(t testing.TB) {
	t.Helper()
	if err := os.WriteFile(r.path, r.format(), 0o644); err != nil {
		t.Fatal(err)
	}
}

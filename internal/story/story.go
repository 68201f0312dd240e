// Package story plays golden stories: a failed build in a simulated account,
// the healer as it runs in the function, and what comes of it. The demo and
// the tests play the same ones.
package story

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"go.yaml.in/yaml/v3"
	"golang.org/x/tools/txtar"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/diagnose"
	"github.com/buildmedic/buildmedic/internal/guardrail"
	"github.com/buildmedic/buildmedic/internal/settings"
	"github.com/buildmedic/buildmedic/internal/simaws"
)

// Story is one archive.
type Story struct {
	Name     string // file name without number and ending: "tracker-api"
	File     string
	Comment  string // what is shown and why it matters
	World    []byte // world.yaml, see package simaws
	Settings []byte // buildmedic.yaml
	Expect   Expect
	Then     []Then            // what people and time do once the queue is empty
	Want     map[string]string // want/… sections: golden
	archive  *txtar.Archive
}

// Expect is how a story must end, written by hand.
type Expect struct {
	Project  string           `yaml:"project"`
	Pipeline string           `yaml:"pipeline"` // of whose action it is, if that failed without a build
	Version  string           `yaml:"version"`  // source version of the build that it is about; "": the first one
	Cause    string           `yaml:"cause"`
	Remedy   diagnose.Remedy  `yaml:"remedy"`
	Rounds   int              `yaml:"rounds"`
	Outcome  decide.Kind      `yaml:"outcome"`
	Grants   []string         `yaml:"grants"`
	Refusals []guardrail.Rule `yaml:"refusals"`
	Writes   []string         `yaml:"writes"` // operations that wrote something, in order; see [Stage.Writes]
	Builds   int              `yaml:"builds"` // of the project, in all
	Last     string           `yaml:"last"`   // status of the newest one
}

// Then is one thing that happens once the queue is empty. Exactly one field
// is set; Fails may stand beside a command or a sweep, After beside Merge or Close.
type Then struct {
	Command  string `yaml:"command"` // JSON; PLAN and CASE stand for the story's own
	Press    string `yaml:"press"`   // a button's name, on the newest chat card that has it
	Sweep    bool   `yaml:"sweep"`
	After    string `yaml:"after"`    // a duration passes; beside Merge or Close: since the request was opened
	Schedule string `yaml:"schedule"` // a duration passes, in which the schedule sweeps
	Fails    bool   `yaml:"fails"`    // the function answers with an error
	Trust    *Trust `yaml:"trust"`    // somebody changes whom a role trusts
	// Merge and Close are repositories: once a pull request is open there, somebody merges all that are,
	// or closes them unmerged. The schedule sweeps until then.
	Merge string `yaml:"merge"`
	Close string `yaml:"close"`
	Push  *Push  `yaml:"push"`
	Start *Start `yaml:"start"`
}

// Trust is a change of a role's trust policy.
type Trust struct {
	Account  string `yaml:"account"`
	Role     string `yaml:"role"`
	Document string `yaml:"document"`
}

// Load reads all stories below dir, in the order of their file names.
func Load(fsys fs.FS, dir string) ([]Story, error) {
	files, err := fs.Glob(fsys, path.Join(dir, "*.txtar"))
	if err != nil {
		return nil, fmt.Errorf("reading stories: %w", err)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("reading stories: there are none in %q", dir)
	}
	var ss []Story
	for _, f := range files {
		data, err := fs.ReadFile(fsys, f)
		if err != nil {
			return nil, fmt.Errorf("reading stories: %w", err)
		}
		s, err := Parse(f, data)
		if err != nil {
			return nil, err
		}
		ss = append(ss, s)
	}
	return ss, nil
}

// Parse reads one story. A section of an unknown name is an error: a typing
// mistake must not become a section that nobody reads.
func Parse(file string, data []byte) (Story, error) {
	a := txtar.Parse(data)
	name := strings.TrimSuffix(path.Base(file), ".txtar")
	if _, after, ok := strings.Cut(name, "-"); ok {
		name = after
	}
	s := Story{Name: name, File: path.Base(file), Comment: comment(string(a.Comment)), Want: map[string]string{}, archive: a}
	for _, f := range a.Files {
		var err error
		switch {
		case f.Name == "world.yaml":
			s.World = f.Data
		case f.Name == "buildmedic.yaml":
			s.Settings = f.Data
		case f.Name == "expect.yaml":
			err = strict(f.Data, &s.Expect)
		case f.Name == "then.yaml":
			err = strict(f.Data, &s.Then)
		case strings.HasPrefix(f.Name, "want/"):
			s.Want[f.Name] = string(f.Data)
		default:
			err = fmt.Errorf("no such section")
		}
		if err != nil {
			return Story{}, fmt.Errorf("reading story %s: %s: %w", file, f.Name, err)
		}
	}
	if s.World == nil || s.Settings == nil || s.Expect.Outcome == "" || s.Comment == "" {
		return Story{}, fmt.Errorf("reading story %s: it needs a comment, world.yaml, buildmedic.yaml and expect.yaml", file)
	}
	return s, nil
}

func strict(data []byte, v any) error {
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	if err := d.Decode(v); err != nil && err != io.EOF {
		return err
	}
	return nil
}

// Builds are those of the story's project, oldest first, in the account and
// region where the settings have it.
func (st *Stage) Builds() []simaws.Build {
	name := st.Story.Expect.Project
	for _, p := range st.Settings.Projects {
		if p.Name == name {
			return st.Sim.BuildsAt(p.Account, p.Region, name)
		}
	}
	return st.Sim.Builds(name)
}

// comment takes the number signs off.
func comment(s string) string {
	var lines []string
	for l := range strings.Lines(s) {
		if l = strings.TrimSpace(strings.TrimLeft(strings.TrimSpace(l), "#")); l != "" {
			lines = append(lines, l)
		}
	}
	return strings.Join(lines, " ")
}

// Rewrite gives the archive with its want sections replaced.
func (s Story) Rewrite(want map[string]string, order []string) []byte {
	out := &txtar.Archive{Comment: s.archive.Comment}
	for _, f := range s.archive.Files {
		if !strings.HasPrefix(f.Name, "want/") {
			out.Files = append(out.Files, f)
		}
	}
	for _, name := range order {
		if want[name] != "" {
			out.Files = append(out.Files, txtar.File{Name: name, Data: []byte(want[name])})
		}
	}
	return txtar.Format(out)
}

// InMode gives the story's settings with every project in the mode.
func (s Story) InMode(m settings.Mode) func(*settings.Settings) {
	return func(st *settings.Settings) {
		for i := range st.Projects {
			st.Projects[i].Mode = m
		}
	}
}
